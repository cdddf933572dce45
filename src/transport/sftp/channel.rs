//! One SFTP channel: the pump takes calls in, a worker does them, a sender takes the answers out.
//!
//! The SSH session must never wait for anything but the disk, or window adjustments that it has not read yet
//! would be what it waits for. So answers queue without bound in bytes but not in number, READs are
//! parked while answers wait for the network, and commits are awaited aside.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use russh::ChannelWriteHalf;
use russh::server::Msg;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::connection::{Connection, Place};
use super::desk::Desk;
use super::packet::{Broken, Call, Frames, What};
use crate::service::session::Session;

/// How long a worker waits for more before it gives its thread back.
const LINGER: Duration = Duration::from_millis(10);
/// READs are parked while this many bytes of answers wait for the network.
const ANSWERS_BYTES: usize = 512 * 1024;
/// Answers are put together up to one SSH packet.
const BATCH_BYTES: usize = 32 * 1024;
const BATCH_ANSWERS: usize = 64;
/// What a waiting request takes in memory at least, however short it was.
const REQUEST_BYTES: usize = 128;

/// A call with its place in memory.
pub(super) struct Queued {
    pub(super) call: Call,
    pub(super) place: Place,
}

/// What the pump, the worker and the sender of a channel share.
pub(super) struct Shared {
    pub(super) connection: Arc<Connection>,
    pub(super) session: Session,
    queue: Mutex<Queue>,
    more: Condvar,
    answers: mpsc::UnboundedSender<Out>,
    /// The client is no longer there to be answered.
    lost: CancellationToken,
    /// The farewell is on its way.
    finished: AtomicBool,
}

#[derive(Default)]
struct Queue {
    calls: VecDeque<Queued>,
    /// Tickets of operations aside that are done.
    done: Vec<u64>,
    /// Lies here while no worker runs; gone for good after the end.
    desk: Option<Desk>,
    unanswered: usize,
    answer_bytes: usize,
    over: bool,
    lost_because: Option<String>,
}

/// What goes to the client.
enum Out {
    Answer(Bytes),
    /// Everything is done: exit status, end.
    End(u32),
}

/// What a worker does next.
pub(super) enum Job {
    Call(Queued),
    /// Answers have left: the parked calls can go on.
    Parked,
    Done(u64),
    /// Nothing more will come; open handles are dropped for this reason.
    End(String),
}

/// Why a channel is ended by us.
#[derive(Debug, thiserror::Error)]
pub(super) enum Overrun {
    #[error(transparent)]
    Broken(#[from] Broken),
    #[error("more unanswered requests than limits.sftp_outstanding_requests")]
    Requests,
    #[error("unanswered requests take more than limits.connection_memory_bytes")]
    Memory,
}

/// The side of a channel that lies in the SSH session.
pub(super) struct Pump {
    shared: Arc<Shared>,
    frames: Frames,
}

impl Pump {
    /// Starts serving SFTP on a channel.
    pub(super) fn start(
        connection: &Arc<Connection>,
        session: &Session,
        write: ChannelWriteHalf<Msg>,
    ) -> Self {
        let (answers, outbox) = mpsc::unbounded_channel();
        let queue = Queue { desk: Some(Desk::default()), ..Queue::default() };
        let shared = Arc::new(Shared {
            connection: Arc::clone(connection),
            session: session.clone(),
            queue: Mutex::new(queue),
            more: Condvar::new(),
            answers,
            lost: CancellationToken::new(),
            finished: AtomicBool::new(false),
        });
        connection.edge.spawn(send_answers(Arc::clone(&shared), write, outbox));
        Self { shared, frames: Frames::default() }
    }

    /// Takes bytes of the client in. Waits while too much file data waits for the disk, and for nothing else.
    ///
    /// # Errors
    /// The stream is out of step or the client asks for too much at once: the channel has to end.
    pub(super) async fn take(&mut self, data: &[u8]) -> Result<(), Overrun> {
        let connection = &self.shared.connection;
        if connection.is_stopping() {
            return Ok(());
        }
        self.frames.push(data);
        while let Some((call, bytes)) = self.frames.next()? {
            let place = if matches!(call.what, What::Write(_)) {
                connection.place_for_data(bytes).await
            } else {
                let bytes = bytes.max(REQUEST_BYTES);
                connection.place_for_request(bytes).ok_or(Overrun::Memory)?
            };
            self.shared.push(Queued { call, place })?;
        }
        Ok(())
    }

    /// The client has said that it sends nothing more.
    pub(super) fn end_of_input(&self) {
        self.shared.queue().over = true;
        self.shared.wake();
    }

    /// Whether everything was done and the client was told the end.
    pub(super) fn is_finished(&self) -> bool {
        self.shared.finished.load(Ordering::Acquire)
    }

    /// The channel or its connection is gone, or has to go.
    pub(super) fn lose(&self, because: &str) {
        self.shared.lose(because);
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        let ours = self.shared.connection.end_reason();
        self.shared.lose(ours.as_deref().unwrap_or("the connection was lost"));
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(self: &Arc<Self>, call: Queued) -> Result<(), Overrun> {
        let most = self.connection.edge.config.limits.sftp_outstanding_requests;
        // READs are bounded by their memory alone: paramiko asks for a whole file at once.
        let counts = !matches!(call.call.what, What::Read { .. });
        let mut queue = self.queue();
        if counts && queue.unanswered >= most {
            return Err(Overrun::Requests);
        }
        queue.unanswered = queue.unanswered.saturating_add(1);
        queue.calls.push_back(call);
        self.connection.call_came();
        self.wake_with(queue);
        Ok(())
    }

    fn lose(self: &Arc<Self>, because: &str) {
        let mut queue = self.queue();
        if queue.lost_because.is_none() {
            queue.over = true;
            queue.lost_because = Some(because.to_owned());
            self.lost.cancel();
            if self.connection.end_reason().is_some() {
                // We end it (account disabled, limits, stop): what has not begun does not begin.
                queue.calls.clear();
            }
        }
        self.wake_with(queue);
    }

    /// An operation aside is done.
    pub(super) fn done(self: &Arc<Self>, ticket: u64) {
        let mut queue = self.queue();
        queue.done.push(ticket);
        self.wake_with(queue);
    }

    fn wake(self: &Arc<Self>) {
        self.wake_with(self.queue());
    }

    fn wake_with(self: &Arc<Self>, mut queue: MutexGuard<'_, Queue>) {
        let Some(desk) = queue.desk.take() else {
            drop(queue);
            self.more.notify_one();
            return;
        };
        drop(queue);
        let shared = Arc::clone(self);
        // The handle is not needed: a panicking worker ends its channel through `Fuse`.
        drop(tokio::task::spawn_blocking(move || work(&shared, desk)));
    }

    /// Answers a call.
    pub(super) fn answer(&self, bytes: Bytes) {
        let mut queue = self.queue();
        queue.answer_bytes = queue.answer_bytes.saturating_add(bytes.len());
        drop(queue);
        // The sender lives until it is told the end, so this cannot fail before.
        drop(self.answers.send(Out::Answer(bytes)));
    }

    /// Whether nobody is there to read an answer.
    pub(super) fn is_lost(&self) -> bool {
        self.lost.is_cancelled()
    }

    /// Whether the network is behind.
    pub(super) fn is_full(&self) -> bool {
        self.queue().answer_bytes >= ANSWERS_BYTES
    }

    fn answered(self: &Arc<Self>, answers: usize, bytes: usize) {
        self.connection.calls_answered(answers);
        let mut queue = self.queue();
        queue.unanswered = queue.unanswered.saturating_sub(answers);
        queue.answer_bytes = queue.answer_bytes.saturating_sub(bytes);
        if queue.answer_bytes < ANSWERS_BYTES && !queue.over {
            // Only a desk with parked calls has to wake up for this.
            let parked = queue.desk.as_ref().is_some_and(Desk::has_parked);
            if !parked && queue.desk.is_some() {
                return;
            }
        }
        self.wake_with(queue);
    }

    /// The next job; `None` (and the desk put back) when there is nothing to do for a while.
    fn next_job(&self, desk: Desk) -> Option<(Desk, Job)> {
        let mut queue = self.queue();
        loop {
            if let Some(ticket) = queue.done.pop() {
                return Some((desk, Job::Done(ticket)));
            }
            if desk.has_parked() && queue.answer_bytes < ANSWERS_BYTES {
                return Some((desk, Job::Parked));
            }
            if let Some(call) = queue.calls.pop_front() {
                return Some((desk, Job::Call(call)));
            }
            if queue.over && desk.is_quiet() {
                let because = queue.lost_because.clone();
                let because = because
                    .unwrap_or_else(|| "the client left without closing the file".to_owned());
                return Some((desk, Job::End(because)));
            }
            let waited = self.more.wait_timeout(queue, LINGER);
            let (again, timed_out) = waited.unwrap_or_else(PoisonError::into_inner);
            queue = again;
            let something = !queue.calls.is_empty() || !queue.done.is_empty();
            let can_end = queue.over && desk.is_quiet();
            let can_go_on = desk.has_parked() && queue.answer_bytes < ANSWERS_BYTES;
            if timed_out.timed_out() && !something && !can_end && !can_go_on {
                queue.desk = Some(desk);
                return None;
            }
        }
    }
}

/// Ends the channel if its worker panics.
struct Fuse<'a>(&'a Arc<Shared>);

impl Drop for Fuse<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!(peer = %self.0.connection.peer, "an SFTP request failed by our fault; its session ends");
            self.0.connection.doom("internal error");
            drop(self.0.answers.send(Out::End(1)));
        }
    }
}

/// Does what has come, in order, until nothing is left; runs on a thread that may block.
fn work(shared: &Arc<Shared>, mut desk: Desk) {
    let _fuse = Fuse(shared);
    while let Some((back, job)) = shared.next_job(desk) {
        desk = back;
        match job {
            Job::Call(call) => desk.take(shared, call),
            Job::Parked => desk.go_on(shared),
            Job::Done(ticket) => desk.done(shared, ticket),
            Job::End(because) => {
                desk.end(shared, &because);
                drop(shared.answers.send(Out::End(0)));
                return;
            }
        }
    }
}

/// Sends answers as the client's window allows, small ones together.
async fn send_answers(
    shared: Arc<Shared>,
    write: ChannelWriteHalf<Msg>,
    mut outbox: mpsc::UnboundedReceiver<Out>,
) {
    let mut taken = Vec::with_capacity(BATCH_ANSWERS);
    let mut batch = BytesMut::new();
    loop {
        if outbox.recv_many(&mut taken, BATCH_ANSWERS).await == 0 {
            return;
        }
        let mut answers = 0;
        let mut end = None;
        for out in taken.drain(..) {
            match out {
                Out::Answer(bytes) => {
                    if batch.len().saturating_add(bytes.len()) > BATCH_BYTES {
                        send(&shared, &write, batch.split().freeze(), answers).await;
                        answers = 0;
                    }
                    answers += 1;
                    if bytes.len() > BATCH_BYTES {
                        send(&shared, &write, bytes, answers).await;
                        answers = 0;
                    } else {
                        batch.extend_from_slice(&bytes);
                    }
                }
                Out::End(status) => end = Some(status),
            }
        }
        send(&shared, &write, batch.split().freeze(), answers).await;
        batch = BytesMut::new();
        if let Some(status) = end {
            return finish(&shared, &write, status).await;
        }
    }
}

/// Sends one piece; with nobody there to read it, it counts as sent.
async fn send(shared: &Arc<Shared>, write: &ChannelWriteHalf<Msg>, bytes: Bytes, answers: usize) {
    let length = bytes.len();
    if length == 0 {
        return;
    }
    if !shared.is_lost() {
        tokio::select! {
            sent = write.data_bytes(bytes) => {
                if sent.is_err() {
                    shared.lose("the connection was lost");
                }
            }
            () = shared.lost.cancelled() => {}
        }
    }
    shared.answered(answers, length);
}

/// What a client needs to see that all went well: scp fails without the exit status, JSch waits for CLOSE.
async fn finish(shared: &Shared, write: &ChannelWriteHalf<Msg>, status: u32) {
    tokio::select! {
        () = say_farewell(write, status) => shared.finished.store(true, Ordering::Release),
        () = shared.lost.cancelled() => {}
    }
}

/// The end of a channel. A client that has gone already cannot be told.
pub(super) async fn say_farewell(write: &ChannelWriteHalf<Msg>, status: u32) {
    let farewell = async {
        write.exit_status(status).await?;
        write.eof().await?;
        write.close().await
    };
    if let Err(error) = farewell.await {
        tracing::debug!(%error, "a client was gone before the end of its channel");
    }
}
