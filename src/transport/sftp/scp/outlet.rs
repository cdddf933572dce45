//! What goes to an scp client: sent in order as its window allows, by a task of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use russh::ChannelWriteHalf;
use russh::server::Msg;
use tokio::sync::{Notify, mpsc};

use super::Shared;
use crate::transport::sftp::channel::say_farewell;

/// While this many bytes of a file wait for the network, no more are read.
const WAITING_BYTES: usize = 256 * 1024;

/// The way to the client.
pub(super) struct Outlet {
    shared: Arc<Shared>,
    queue: mpsc::UnboundedSender<Out>,
    waiting: Arc<Waiting>,
}

#[derive(Default)]
struct Waiting {
    bytes: AtomicUsize,
    sent: Notify,
}

enum Out {
    Bytes(Bytes),
    /// For the person: it is shown, and no program reads it.
    Words(Bytes),
    /// The exit status; nothing follows.
    End(u32),
}

/// Opens the way out of a channel.
pub(super) fn open(shared: &Arc<Shared>, write: ChannelWriteHalf<Msg>) -> Outlet {
    let (queue, outbox) = mpsc::unbounded_channel();
    let waiting = Arc::<Waiting>::default();
    let sending = send_all(Arc::clone(shared), write, outbox, Arc::clone(&waiting));
    shared.connection.edge.spawn(sending);
    Outlet { shared: Arc::clone(shared), queue, waiting }
}

impl Outlet {
    /// Bytes that the client has not taken.
    pub(super) fn waiting_bytes(&self) -> usize {
        self.waiting.bytes.load(Ordering::Acquire)
    }

    /// Sends without waiting.
    pub(super) fn send(&self, bytes: impl Into<Bytes>) {
        self.push(bytes.into(), Out::Bytes);
    }

    /// Shows words to the person at the other side, without waiting.
    pub(super) fn show(&self, words: &str) {
        self.push(Bytes::from(format!("{words}\n")), Out::Words);
    }

    /// Waits until the client has taken most of what was sent; at once if nobody is there to take it.
    pub(super) async fn room(&self) {
        loop {
            let sent = self.waiting.sent.notified();
            if self.waiting_bytes() < WAITING_BYTES || self.shared.lost.is_cancelled() {
                return;
            }
            tokio::select! {
                () = sent => {}
                () = self.shared.lost.cancelled() => return,
            }
        }
    }

    /// Says the exit status.
    pub(super) fn end(&self, status: u32) {
        self.queue.send(Out::End(status)).unwrap_or_default();
    }

    fn push(&self, bytes: Bytes, out: impl FnOnce(Bytes) -> Out) {
        self.shared.connection.call_came();
        self.waiting.bytes.fetch_add(bytes.len(), Ordering::AcqRel);
        // The sender lives until it is told the end, so this cannot fail before.
        self.queue.send(out(bytes)).unwrap_or_default();
    }
}

async fn send_all(
    shared: Arc<Shared>,
    write: ChannelWriteHalf<Msg>,
    mut outbox: mpsc::UnboundedReceiver<Out>,
    waiting: Arc<Waiting>,
) {
    // A conversation that failed by our fault says no status: it did not go well.
    let mut status = 1;
    while let Some(out) = outbox.recv().await {
        let length = match out {
            Out::Bytes(bytes) => {
                let length = bytes.len();
                send(&shared, write.data_bytes(bytes)).await;
                length
            }
            Out::Words(words) => {
                let length = words.len();
                send(&shared, write.extended_data_bytes(1, words)).await;
                length
            }
            Out::End(told) => {
                status = told;
                break;
            }
        };
        waiting.bytes.fetch_sub(length, Ordering::AcqRel);
        waiting.sent.notify_waiters();
        shared.connection.calls_answered(1);
    }
    tokio::select! {
        () = say_farewell(&write, status) => shared.finished.store(true, Ordering::Release),
        () = shared.lost.cancelled() => {}
    }
}

/// Sends one piece; with nobody there to read it, it counts as sent.
async fn send(shared: &Shared, sending: impl Future<Output = Result<(), russh::Error>>) {
    if shared.lost.is_cancelled() {
        return;
    }
    tokio::select! {
        sent = sending => {
            if sent.is_err() {
                shared.lose("the connection was lost");
            }
        }
        () = shared.lost.cancelled() => {}
    }
}
