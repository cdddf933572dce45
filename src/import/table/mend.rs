//! A record whose quotes are damaged: the split of its line into cells that explains it best.
//!
//! The row stays refused (R103); but its cells, above all the key, stand where the sender meant them.

use super::dialect::Dialect;

/// Lines with more separators are split at each of them.
const MOST_SEPARATORS: usize = 300;

/// What a cell costs that has quotes where none should stand.
const ODD_QUOTES: u32 = 1;

/// What a cell too few or too many costs.
const WRONG_COUNT: u32 = 1000;

/// Where the cells of a line end, by offsets: as many cells as there should be if any split gives them,
/// and as few odd quotes as may be. `None`: the line is too long to be looked at so closely, or the work
/// that may be done in this file is done.
pub(super) fn cell_ends(
    line: &[u8],
    dialect: Dialect,
    wanted: usize,
    work: &mut usize,
) -> Option<Vec<usize>> {
    let mut ends: Vec<usize> =
        memchr::memchr_iter(dialect.delimiter, line).take(MOST_SEPARATORS + 1).collect();
    if ends.len() > MOST_SEPARATORS {
        return None;
    }
    ends.push(line.len());
    let cells = ends.len();
    let most = wanted.min(cells);
    // Before anything is made for it: of a file that is damaged all over, a million lines come this far.
    *work = work.checked_sub(cells)?;
    // best[count][place]: the least cost of so many cells up to the separator at this place.
    let unreached = (u32::MAX, 0_usize);
    let mut best = vec![vec![unreached; cells + 1]; cells + 1];
    if let Some(start) = best.get_mut(0).and_then(|row| row.get_mut(0)) {
        *start = (0, 0);
    }
    for from in 0..cells {
        let start =
            from.checked_sub(1).and_then(|before| ends.get(before)).map_or(0, |end| end + 1);
        for to in from + 1..=cells {
            let Some(end) = ends.get(to - 1) else { break };
            let cell = line.get(start..*end).unwrap_or_default();
            let cost = cost(cell, dialect, to - from > 1);
            // What a step costs us: comparing all counts, and reading the cell if it may be one.
            let step = if cost.is_some() { from + cell.len() + 1 } else { 1 };
            *work = work.checked_sub(step)?;
            if let Some(cost) = cost {
                improve(&mut best, from, to, cost);
            }
            // A cell in proper quotes ends where it ends.
            let is_proper = cost == Some(0);
            if is_proper || !begins_quoted(cell, dialect) {
                break;
            }
        }
    }
    let total = |count: usize| {
        let (cost, _) = best.get(count)?.get(cells).copied()?;
        let off = u32::try_from(wanted.abs_diff(count)).unwrap_or(u32::MAX);
        (cost < u32::MAX).then(|| (cost.saturating_add(off.saturating_mul(WRONG_COUNT)), count))
    };
    let (_, count) =
        (1..=cells).filter_map(total).min_by_key(|(cost, count)| (*cost, count.abs_diff(most)))?;
    let mut places = Vec::with_capacity(count);
    let mut place = cells;
    for left in (1..=count).rev() {
        places.push(*ends.get(place - 1)?);
        place = best.get(left)?.get(place)?.1;
    }
    places.reverse();
    Some(places)
}

fn improve(best: &mut [Vec<(u32, usize)>], from: usize, to: usize, cost: u32) {
    for count in 0..=from {
        let Some((before, _)) = best.get(count).and_then(|row| row.get(from)).copied() else {
            return;
        };
        if before == u32::MAX {
            continue;
        }
        let sum = before.saturating_add(cost);
        if let Some(slot) = best.get_mut(count + 1).and_then(|row| row.get_mut(to))
            && sum < slot.0
        {
            *slot = (sum, from);
        }
    }
}

fn begins_quoted(cell: &[u8], dialect: Dialect) -> bool {
    cell.trim_ascii_start().first() == Some(&dialect.quote)
}

/// How odd a cell is; `None`: it cannot be one cell.
fn cost(cell: &[u8], dialect: Dialect, holds_separators: bool) -> Option<u32> {
    let cell = cell.trim_ascii();
    let wrapped =
        cell.strip_prefix(&[dialect.quote]).and_then(|inner| inner.strip_suffix(&[dialect.quote]));
    match wrapped {
        Some(inner) if quotes_are_paired(inner, dialect) => Some(0),
        Some(_) => Some(ODD_QUOTES),
        None if holds_separators => None,
        None if cell.first() == Some(&dialect.quote) || cell.last() == Some(&dialect.quote) => {
            Some(ODD_QUOTES)
        }
        None => Some(0),
    }
}

fn quotes_are_paired(inner: &[u8], dialect: Dialect) -> bool {
    let mut quotes = memchr::memchr_iter(dialect.quote, inner);
    while let Some(at) = quotes.next() {
        if quotes.next() != Some(at + 1) {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, wanted: usize, expected: &[&str]) {
        let ends = cell_ends(line.as_bytes(), Dialect::COMMAS, wanted, &mut 100_000).unwrap();
        let mut start = 0;
        let mut cells = Vec::new();
        for end in ends {
            cells.push(&line[start..end]);
            start = end + 1;
        }
        assert_eq!(cells, expected);
    }

    #[test]
    fn the_best_split() {
        check(r#"1,"Du,"x, y","z",5"#, 5, &["1", r#""Du"#, r#""x, y""#, r#""z""#, "5"]);
        check(r#"a,""b, c",d"#, 3, &["a", r#"""b, c""#, "d"]);
        check(r#""48"","in, out",0"#, 3, &[r#""48"""#, r#""in, out""#, "0"]);
        check(r#"a,b,""#, 3, &["a", "b", "\""]);
        check(r#""C" x,D,2"#, 3, &[r#""C" x"#, "D", "2"]);
        // Too few separators: nothing is shifted.
        check(r#""a b,c"#, 4, &["\"a b", "c"]);
    }
}
