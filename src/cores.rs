//! Work on the rows of a large file, shared between the processor's cores; a small one is not worth a thread.

#[cfg(any(test, fuzzing))]
use std::cell::Cell;
use std::ops::Range;
use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};
use std::thread::{Builder, available_parallelism, scope};

/// From how many rows on a thread's start and end are nothing beside its work.
const WORTHWHILE: usize = 8_192;
/// More threads than these wait for the memory, not for a core.
const MOST_THREADS: usize = 8;

#[cfg(any(test, fuzzing))]
thread_local! {
    static FORCED: Cell<Option<usize>> = const { Cell::new(None) };
}

/// Does something as if the machine had so many cores, and as if a few rows were worth a thread.
#[cfg(any(test, fuzzing))]
pub(crate) fn as_if<T>(threads: usize, work: impl FnOnce() -> T) -> T {
    let before = FORCED.replace(Some(threads));
    let done = work();
    FORCED.set(before);
    done
}

/// How many threads work on so many rows.
pub fn threads(rows: usize) -> usize {
    #[cfg(any(test, fuzzing))]
    if let Some(forced) = FORCED.get() {
        return forced;
    }
    if rows < WORTHWHILE {
        return 1;
    }
    available_parallelism().map_or(1, |cores| cores.get().min(MOST_THREADS))
}

/// How many of so many rows are one piece of work: small enough that no thread ends long before the others.
pub fn piece(rows: usize) -> usize {
    match threads(rows) {
        0 | 1 => rows.max(1),
        threads => (rows / (threads * 4)).max(1),
    }
}

/// All of so many rows, piece by piece.
pub fn pieces(rows: usize) -> impl Iterator<Item = Range<usize>> + Send {
    let piece = piece(rows);
    (0..rows).step_by(piece).map(move |first| first..rows.min(first + piece))
}

/// Does something with all rows, piece by piece; it is told the place of each piece's first row.
pub fn over<T: Sync, R: Send>(rows: &[T], work: impl Fn(usize, &[T]) -> R + Sync) -> Vec<R> {
    let piece = piece(rows.len());
    let pieces = rows.chunks(piece).enumerate();
    all(rows.len(), pieces, |(place, rows)| work(place * piece, rows))
}

/// Does all pieces of work on as many threads as the rows in them are worth; gives what comes of them, in their order.
pub fn all<W: Send, R: Send>(
    rows: usize,
    pieces: impl Iterator<Item = W> + Send,
    work: impl Fn(W) -> R + Sync,
) -> Vec<R> {
    let threads = threads(rows);
    if threads < 2 {
        return pieces.map(work).collect();
    }
    let waiting = Mutex::new(pieces.enumerate());
    let done = Mutex::new(Vec::new());
    let take = || {
        loop {
            let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((place, piece)) = next else { return };
            let result = work(piece);
            done.lock().unwrap_or_else(PoisonError::into_inner).push((place, result));
        }
    };
    scope(|scope| {
        // Should no thread be had, the work is done right here.
        let named = || Builder::new().name("rows".to_owned());
        let helpers: Vec<_> =
            (1..threads).map_while(|_| named().spawn_scoped(scope, take).ok()).collect();
        take();
        for helper in helpers {
            if let Err(panic) = helper.join() {
                resume_unwind(panic);
            }
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_unstable_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, result)| result).collect()
}

/// What comes of pieces, as one; each gives its memory back as soon as it is taken over.
pub fn joined<T>(pieces: Vec<Vec<T>>) -> Vec<T> {
    let mut all = Vec::with_capacity(pieces.iter().map(Vec::len).sum());
    pieces.into_iter().for_each(|mut piece| all.append(&mut piece));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_come_back_in_their_order_each_once() {
        let doubled = |rows: usize| {
            let mut numbers: Vec<usize> = (0..rows).collect();
            let pieces = numbers.chunks_mut(piece(rows));
            let twice = all(rows, pieces, |piece| {
                piece.iter_mut().for_each(|number| *number *= 2);
                piece.to_vec()
            });
            assert!(twice.len() <= MOST_THREADS * 4 + 4, "{} pieces of {rows} rows", twice.len());
            assert_eq!(joined(twice), (0..rows).map(|n| n * 2).collect::<Vec<_>>(), "{rows} rows");
            assert!(super::pieces(rows).flatten().eq(0..rows), "{rows} rows");
            let places: Vec<usize> = (0..rows).collect();
            over(&places, |first, places| assert!((first..).zip(places).all(|(at, to)| at == *to)));
        };
        for rows in [0, 1, 2, 100, WORTHWHILE - 1, WORTHWHILE, WORTHWHILE * 5 + 3] {
            doubled(rows);
            as_if(3, || doubled(rows));
        }
    }

    #[test]
    fn what_goes_wrong_on_another_thread_goes_wrong_here() {
        let all_wrong = std::panic::catch_unwind(|| {
            as_if(2, || all(1, 0..100, |piece| assert_ne!(piece, 57)));
        });
        assert!(all_wrong.is_err());
    }
}
