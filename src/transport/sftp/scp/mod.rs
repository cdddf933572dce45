//! scp, the old protocol: one program on each side, one question and one answer after the other.
//!
//! What a client sends goes into a queue (`data` of the SSH side), a task of the channel takes it from there, and a
//! second one sends what the first has to say. So the SSH session waits for the disk at most, never for the client.

mod command;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzzing;
mod lines;
mod outlet;
mod sink;
mod source;
mod talk;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use russh::ChannelWriteHalf;
use russh::server::Msg;
use tokio::sync::{Semaphore, TryAcquireError, mpsc};
use tokio_util::sync::CancellationToken;

use super::connection::Connection;
use crate::config::SCP_AHEAD_BYTES;
use crate::service::session::Session;
pub(super) use command::Command;
use command::Role;
use talk::{Input, Piece, Stop, Talk};

/// What a waiting piece takes in memory at least, however short it was.
const PIECE_BYTES: usize = 128;

/// How a client says that it has sent a file to its end, besides having sent all of its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// A byte 0, as the protocol has it.
    Byte,
    /// That, or the end of its input: programs over libssh2 send no more than the file. Such an end is the program's own
    /// word, while OpenSSH's `ssh` says it also for an `scp` that was killed.
    ByteOrEof,
}

impl Ending {
    /// By what the client says of itself (`SSH-2.0-libssh2_1.11.0`).
    pub(super) fn of(identification: &[u8]) -> Self {
        let libssh2 = identification.starts_with(b"SSH-2.0-libssh2");
        if libssh2 { Self::ByteOrEof } else { Self::Byte }
    }
}

/// What the SSH side and the tasks of an scp channel share.
pub(super) struct Shared {
    connection: Arc<Connection>,
    session: Session,
    ending: Ending,
    /// The client is no longer there to be answered.
    lost: CancellationToken,
    /// We end it: what has not begun does not begin.
    stopped: CancellationToken,
    why: Mutex<Option<String>>,
    /// Bytes of a file that the client was asked for and that have not come.
    awaited: AtomicU64,
    /// Room for what comes without having been asked for; closed once nothing is taken any more.
    ahead: Arc<Semaphore>,
    /// The farewell is on its way.
    finished: AtomicBool,
}

impl Shared {
    /// Why it was lost.
    fn why(&self) -> String {
        let why = self.why.lock().unwrap_or_else(PoisonError::into_inner).clone();
        why.unwrap_or_else(|| "the client left before the file was complete".to_owned())
    }

    fn lose(&self, because: &str) {
        let mut why = self.why.lock().unwrap_or_else(PoisonError::into_inner);
        if why.is_none() {
            *why = Some(because.to_owned());
            if self.connection.end_reason().is_some() {
                self.stopped.cancel();
            }
            self.lost.cancel();
        }
    }
}

/// The side of a channel that lies in the SSH session.
pub(super) struct Scp {
    shared: Arc<Shared>,
    role: Role,
    input: mpsc::UnboundedSender<Input>,
}

/// A client that is sent files has sent more than answers.
#[derive(Debug, thiserror::Error)]
#[error("more was sent than was asked for")]
pub(super) struct Overrun;

impl Scp {
    /// Starts the program on a channel.
    pub(super) fn start(
        connection: &Arc<Connection>,
        session: &Session,
        write: ChannelWriteHalf<Msg>,
        command: Command,
        ending: Ending,
    ) -> Self {
        let (input, arriving) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            connection: Arc::clone(connection),
            session: session.clone(),
            ending,
            lost: CancellationToken::new(),
            stopped: CancellationToken::new(),
            why: Mutex::default(),
            awaited: AtomicU64::new(0),
            ahead: Arc::new(Semaphore::new(SCP_AHEAD_BYTES)),
            finished: AtomicBool::new(false),
        });
        let role = command.role;
        let outlet = outlet::open(&shared, write);
        let talk = Talk::new(&shared, arriving, outlet);
        connection.edge.spawn(converse(Arc::clone(&shared), talk, command));
        Self { shared, role, input }
    }

    /// Takes bytes of the client in. Waits while what came before waits for the disk, and for nothing else.
    ///
    /// # Errors
    /// The client sends more than it was asked for: the channel has to end.
    pub(super) async fn take(&mut self, data: &[u8]) -> Result<(), Overrun> {
        let (shared, bytes) = (&self.shared, data.len());
        if bytes == 0 || shared.connection.is_stopping() {
            return Ok(());
        }
        shared.connection.moved();
        let weight = bytes.max(PIECE_BYTES);
        let piece = if shared.take_awaited(bytes) {
            let place = shared.connection.place_for_data(weight).await;
            Piece { bytes: Bytes::copy_from_slice(data), _place: Some(place), ahead: None }
        } else {
            let weight = u32::try_from(weight.min(SCP_AHEAD_BYTES)).unwrap_or(u32::MAX);
            let room = Arc::clone(&shared.ahead);
            let ahead = match (self.role, Arc::clone(&room).try_acquire_many_owned(weight)) {
                (_, Ok(ahead)) => Some(ahead),
                (Role::Source, Err(TryAcquireError::NoPermits)) => return Err(Overrun),
                // Who is sent files is never waited for, so this ends.
                (Role::Sink, Err(TryAcquireError::NoPermits)) => {
                    room.acquire_many_owned(weight).await.ok()
                }
                (_, Err(TryAcquireError::Closed)) => None,
            };
            let Some(ahead) = ahead else { return Ok(()) };
            Piece { bytes: Bytes::copy_from_slice(data), _place: None, ahead: Some(ahead) }
        };
        // A conversation that is over takes nothing more, and needs nothing.
        self.input.send(Input::Piece(piece)).unwrap_or_default();
        Ok(())
    }

    /// The client has said that it sends nothing more.
    pub(super) fn end_of_input(&self) {
        self.input.send(Input::End).unwrap_or_default();
    }

    /// Whether everything was done and the client was told the end.
    pub(super) fn is_finished(&self) -> bool {
        self.shared.finished.load(Ordering::Acquire)
    }

    /// The channel or its connection is gone, or has to go.
    pub(super) fn lose(&self, because: &str) {
        self.shared.lose(because);
    }

    /// The channel is ended from our side because of what the client sent.
    pub(super) fn refuse(&self, because: &str) {
        self.shared.stopped.cancel();
        self.shared.lose(because);
    }
}

impl Drop for Scp {
    fn drop(&mut self) {
        let ours = self.shared.connection.end_reason();
        self.shared.lose(ours.as_deref().unwrap_or("the connection was lost"));
    }
}

impl Shared {
    /// Takes so many bytes off what the client was asked for; false if it was asked for nothing.
    fn take_awaited(&self, bytes: usize) -> bool {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let take = |left: u64| (left > 0).then(|| left.saturating_sub(bytes));
        self.awaited.fetch_update(Ordering::AcqRel, Ordering::Acquire, take).is_ok()
    }
}

/// The conversation from its first byte to its exit status.
async fn converse(shared: Arc<Shared>, mut talk: Talk, command: Command) {
    let ended = match command.role {
        Role::Sink => sink::receive(&mut talk, &command).await,
        Role::Source => source::send(&mut talk, &command).await,
    };
    if let Err(Stop::Broken(why)) = &ended {
        let (login, peer) = (shared.session.login(), shared.connection.peer);
        tracing::warn!(protocol = "sftp", login, %peer, reason = why, "scp ended");
        talk.tell_fatal(why);
    }
    talk.end(ended.is_ok());
}
