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
type Intent = Box<dyn FnOnce(Result<&Connection>) -> Ran + Send>;

struct Ran {
    keep: bool,
    answer: Answer,
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

    /// Runs `intent` and returns when it is durable.
    pub(super) fn write<T: Send + 'static>(
        &self,
        intent: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (reply, result) = sync_channel(1);
        let intent: Intent = Box::new(move |conn| {
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
        self.sender()?.send(intent).map_err(|_| stopped())?;
        result.recv().map_err(|_| stopped())?
    }

    /// Sends `intent` without waiting; under a full queue it is left out.
    pub(super) fn write_later(
        &self,
        intent: impl FnOnce(&Connection) -> Result<()> + Send + 'static,
    ) -> Result<()> {
        let intent: Intent = Box::new(move |conn| {
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
        match self.sender()?.try_send(intent) {
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
    let outcome = match conn.execute_batch("BEGIN IMMEDIATE") {
        Ok(()) => run_all(conn, batch, &mut answers)
            .and_then(|()| conn.execute_batch("COMMIT").map_err(failed("commit to the registry"))),
        Err(error) => {
            let refusal = failed("write to the registry")(error);
            // Whoever waited behind this batch has waited as long, so all are told now.
            answers.extend(batch.map(|intent| intent(Err(again(&refusal))).answer));
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

/// Runs intents until the batch is done or the transaction is lost (disk full, I/O error); the rest stays in the batch.
fn run_all(
    conn: &Connection,
    batch: &mut std::vec::IntoIter<Intent>,
    answers: &mut Vec<Answer>,
) -> Result<()> {
    for intent in batch {
        // A savepoint for each: one that fails must not harm those that share its commit.
        let begun = conn.execute_batch("SAVEPOINT intent").map_err(failed("write to the registry"));
        let ran = intent(begun.map(|()| conn));
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
