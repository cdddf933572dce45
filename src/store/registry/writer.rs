//! The registry's one writer: commits whatever has queued up together (group commit).

use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::JoinHandle;

use rusqlite::Connection;

use crate::error::{Error, Kind, Result};
use crate::store::failed;

/// Intents that one commit takes together: more would make the first of them wait for nothing.
const BATCH: usize = 256;
/// Intents that may wait for the writer; further callers wait with theirs.
const QUEUE: usize = 1024;

/// Tells the caller how its intent ended, once the commit is known.
type Answer = Box<dyn FnOnce(Result<()>)>;
/// Runs on the writer's connection inside its own savepoint, or is told why it cannot.
type Body = Box<dyn FnOnce(Result<&Connection>) -> Ran + Send>;

/// What a commit must outlive before its callers are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outlives {
    /// The end of this program, however it comes. A power cut may take it, with nothing that was committed before it:
    /// for what the next start finds out anyway.
    Program,
    /// A power cut.
    PowerCut,
}

struct Intent {
    body: Body,
    outlives: Outlives,
}

struct Ran {
    keep: bool,
    answer: Answer,
}

/// An intent that is on its way. It is carried out whether anybody waits for it or not.
pub(super) struct Pending<T> {
    result: Receiver<Result<T>>,
}

impl<T> Pending<T> {
    /// Waits until the intent outlives what it must.
    pub(super) fn wait(self) -> Result<T> {
        self.result.recv().map_err(|_| stopped())?
    }
}

/// The thread and the way to it. Dropping it waits until what was sent is committed.
pub(super) struct Writer {
    queue: Option<SyncSender<Intent>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(conn: Connection) -> Result<Self> {
        let (queue, intents) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("registry-writer".to_owned())
            .spawn(move || run(&conn, &intents))
            .map_err(|e| Error::io("start the registry's writer thread", e))?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    /// Runs `intent` and returns when it outlives what it must.
    pub(super) fn write<T: Send + 'static>(
        &self,
        outlives: Outlives,
        intent: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.begin(outlives, intent)?.wait()
    }

    /// Sends `intent` on its way; how it ended is told by [`Pending::wait`].
    pub(super) fn begin<T: Send + 'static>(
        &self,
        outlives: Outlives,
        intent: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<Pending<T>> {
        let (reply, result) = sync_channel(1);
        let body: Body = Box::new(move |conn| {
            let outcome = conn.and_then(intent);
            let keep = outcome.is_ok();
            Ran {
                keep,
                answer: Box::new(move |committed| {
                    // The intent's own error says more than the batch's.
                    let result = match (outcome, committed) {
                        (Ok(value), Ok(())) => Ok(value),
                        (Ok(_), Err(e)) | (Err(e), _) => Err(e),
                    };
                    drop(reply.send(result));
                }),
            }
        });
        self.sender()?.send(Intent { body, outlives }).map_err(|_| stopped())?;
        Ok(Pending { result })
    }

    /// Sends `intent` without waiting; under a full queue it is left out.
    pub(super) fn write_later(
        &self,
        intent: impl FnOnce(&Connection) -> Result<()> + Send + 'static,
    ) -> Result<()> {
        let body: Body = Box::new(move |conn| {
            let outcome = conn.and_then(intent);
            Ran {
                keep: outcome.is_ok(),
                answer: Box::new(move |committed| {
                    if let Err(error) = outcome.and(committed) {
                        tracing::warn!(%error, "a note to the registry was lost");
                    }
                }),
            }
        });
        match self.sender()?.try_send(Intent { body, outlives: Outlives::PowerCut }) {
            Err(std::sync::mpsc::TrySendError::Disconnected(_)) => Err(stopped()),
            _ => Ok(()),
        }
    }

    fn sender(&self) -> Result<&SyncSender<Intent>> {
        self.queue.as_ref().ok_or_else(stopped)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the registry's writer thread panicked");
        }
    }
}

fn stopped() -> Error {
    Error::new(Kind::Internal, "the registry's writer has stopped; restart rollcall")
}

fn run(conn: &Connection, intents: &Receiver<Intent>) {
    while let Ok(first) = intents.recv() {
        let mut batch = vec![first];
        while batch.len() < BATCH {
            match intents.try_recv() {
                Ok(next) => batch.push(next),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
            }
        }
        let mut batch = batch.into_iter();
        while batch.len() > 0 {
            commit(conn, &mut batch);
        }
    }
}

/// Takes intents into one transaction, commits it and answers each.
fn commit(conn: &Connection, batch: &mut std::vec::IntoIter<Intent>) {
    let mut answers: Vec<Answer> = Vec::with_capacity(batch.len());
    let begun =
        sync_as(conn, batch.as_slice()).and_then(|()| conn.execute_batch("BEGIN IMMEDIATE"));
    let outcome = match begun {
        Ok(()) => run_all(conn, batch, &mut answers)
            .and_then(|()| conn.execute_batch("COMMIT").map_err(failed("commit to the registry"))),
        Err(error) => {
            let refusal = failed("write to the registry")(error);
            // Whoever waited behind this batch has waited as long, so all are told now.
            answers.extend(batch.map(|intent| (intent.body)(Err(again(&refusal))).answer));
            Err(refusal)
        }
    };
    if !conn.is_autocommit()
        && let Err(error) = conn.execute_batch("ROLLBACK")
    {
        tracing::error!(%error, "the registry could not roll back");
    }
    for answer in answers {
        answer(outcome.as_ref().map_err(again).copied());
    }
}

/// Sets how the next commit is made durable: as the most demanding of these intents wants it.
///
/// NORMAL leaves the log unsynced until the next commit that syncs it, so what is lost at a power cut is always the end.
fn sync_as(conn: &Connection, batch: &[Intent]) -> rusqlite::Result<()> {
    let most = batch.iter().map(|intent| intent.outlives).max();
    conn.execute_batch(match most {
        Some(Outlives::Program) => "PRAGMA synchronous = NORMAL",
        Some(Outlives::PowerCut) | None => "PRAGMA synchronous = FULL",
    })
}

/// Runs intents until the batch is done or the transaction is lost (disk full, I/O error); the rest stays in the batch.
fn run_all(
    conn: &Connection,
    batch: &mut std::vec::IntoIter<Intent>,
    answers: &mut Vec<Answer>,
) -> Result<()> {
    for intent in batch {
        // A savepoint for each: one that fails must not harm those that share its commit.
        let begun = conn.execute_batch("SAVEPOINT intent").map_err(failed("write to the registry"));
        let ran = (intent.body)(begun.map(|()| conn));
        answers.push(ran.answer);
        if conn.is_autocommit() {
            return Err(Error::new(
                Kind::Internal,
                "the registry lost its transaction (is the disk full?); nothing was written",
            ));
        }
        let end = if ran.keep { "RELEASE intent" } else { "ROLLBACK TO intent; RELEASE intent" };
        conn.execute_batch(end).map_err(failed("write to the registry"))?;
    }
    Ok(())
}

/// The same error for one more caller; its cause was logged with the first.
fn again(error: &Error) -> Error {
    Error::new(error.kind(), error.message())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shares_a_commit_is_as_durable_as_the_most_demanding_of_it() {
        use Outlives::{PowerCut, Program};
        let conn = Connection::open_in_memory().unwrap();
        let check = |batch: &[Outlives], expected: u8| {
            let body = || -> Body { Box::new(|_| Ran { keep: false, answer: Box::new(|_| {}) }) };
            let batch: Vec<Intent> =
                batch.iter().map(|outlives| Intent { body: body(), outlives: *outlives }).collect();
            sync_as(&conn, &batch).unwrap();
            let mode = conn.query_row("PRAGMA synchronous", [], |row| row.get::<_, u8>(0)).unwrap();
            assert_eq!(mode, expected, "{} intents", batch.len());
        };
        let (normal, full) = (1, 2);
        check(&[Program], normal);
        check(&[Program, Program, PowerCut], full);
        check(&[Program, Program], normal);
        check(&[PowerCut, Program], full);
        check(&[], full);
    }
}
