//! What the parts of one SSH connection share: who is logged in, what waits, when it last moved, why it ends.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::agreed::Agreed;
use crate::service::session::Session;
use crate::transport::{Edge, NEXT_REQUEST, Reserved};

/// One SSH connection.
pub(super) struct Connection {
    pub(super) edge: Edge,
    pub(super) peer: SocketAddr,
    /// Thrown: the socket fails at once.
    pub(super) kill: CancellationToken,
    /// Calls and replies of all channels that wait in memory.
    pub(super) load: Load,
    session: OnceLock<Session>,
    agreed: OnceLock<Agreed>,
    logged_in: Notify,
    why: Mutex<Option<String>>,
    doomed: Notify,
    started: Instant,
    last_moved_ms: AtomicU64,
    stopping: AtomicBool,
    unanswered: AtomicUsize,
    aside: AtomicUsize,
    transfers: AtomicUsize,
    quiet: Notify,
}

impl Connection {
    pub(super) fn new(edge: Edge, peer: SocketAddr) -> Self {
        let load = Load::new(edge.config.limits.connection_memory_bytes);
        Self {
            edge,
            peer,
            kill: CancellationToken::new(),
            load,
            session: OnceLock::new(),
            agreed: OnceLock::new(),
            logged_in: Notify::new(),
            why: Mutex::default(),
            doomed: Notify::new(),
            started: Instant::now(),
            last_moved_ms: AtomicU64::new(0),
            stopping: AtomicBool::new(false),
            unanswered: AtomicUsize::new(0),
            aside: AtomicUsize::new(0),
            transfers: AtomicUsize::new(0),
            quiet: Notify::new(),
        }
    }

    /// The algorithms of the connection are known.
    pub(super) fn agree(&self, agreed: Agreed) {
        self.agreed.get_or_init(|| agreed);
    }

    /// Somebody has proved who they are.
    pub(super) fn log_in(&self, session: Session) {
        if let Some(agreed) = self.agreed.get() {
            session.note_program(&agreed.in_words());
            let weak = agreed.weak().join(", ");
            if !weak.is_empty() {
                let (login, peer) = (session.login(), self.peer);
                tracing::warn!(protocol = "sftp", login, %peer, weak, "this session is protected by weak algorithms (sftp.legacy); replace its program");
            }
        }
        // A second login on one connection cannot happen: SSH accepts one.
        if self.session.set(session).is_ok() {
            self.moved();
            self.logged_in.notify_one();
        }
    }

    pub(super) fn session(&self) -> Option<&Session> {
        self.session.get()
    }

    /// Waits for the login.
    pub(super) async fn logged_in(&self) -> Session {
        loop {
            if let Some(session) = self.session() {
                return session.clone();
            }
            self.logged_in.notified().await;
        }
    }

    /// Asks for the end of the connection; the first reason stays.
    pub(super) fn doom(&self, why: &str) {
        self.why().get_or_insert_with(|| why.to_owned());
        self.doomed.notify_one();
    }

    /// Waits until somebody asked for the end.
    pub(super) async fn doomed(&self) {
        self.doomed.notified().await;
    }

    /// Why the connection ends, when it is we who end it.
    pub(super) fn end_reason(&self) -> Option<String> {
        self.why().clone()
    }

    fn why(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.why.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something of use has moved: a request came or an answer went. SSH's own chatter does not count.
    pub(super) fn moved(&self) {
        let ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_moved_ms.store(ms, Ordering::Relaxed);
    }

    /// Returns when nothing has moved for `limit` and no commit is under way.
    pub(super) async fn idle_for(&self, limit: Duration) {
        loop {
            let moved = Duration::from_millis(self.last_moved_ms.load(Ordering::Relaxed));
            let due = self.started + moved + limit;
            if self.aside.load(Ordering::Relaxed) > 0 {
                tokio::time::sleep(limit).await;
            } else if due <= Instant::now() {
                return;
            } else {
                tokio::time::sleep_until(due).await;
            }
        }
    }

    /// Counts an open file, until the guard is dropped.
    pub(super) fn transfer(self: &Arc<Self>) -> Transfer {
        self.transfers.fetch_add(1, Ordering::Relaxed);
        Transfer(Arc::clone(self))
    }

    /// The server stops: waits until no file is open, every call is answered, and the client had time to ask for
    /// what follows an upload (its rename).
    pub(super) async fn settled(&self) {
        loop {
            let busy = self.transfers.load(Ordering::Relaxed) > 0
                || self.unanswered.load(Ordering::Relaxed) > 0;
            let moved = Duration::from_millis(self.last_moved_ms.load(Ordering::Relaxed));
            let calm_at = self.started + moved + NEXT_REQUEST;
            if !busy && calm_at <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(calm_at.max(Instant::now() + LOOK_AGAIN)).await;
        }
    }

    /// The server stops: what has been asked is done, what comes now is not.
    pub(super) fn stop_taking(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    pub(super) fn call_came(&self) {
        self.moved();
        self.unanswered.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn calls_answered(&self, calls: usize) {
        self.moved();
        let before = self.unanswered.fetch_sub(calls, Ordering::Relaxed);
        if before == calls {
            self.quiet.notify_waiters();
        }
    }

    /// Waits until every call that came has been answered.
    pub(super) async fn quiet(&self) {
        loop {
            let quiet = self.quiet.notified();
            if self.unanswered.load(Ordering::Relaxed) == 0 {
                return;
            }
            quiet.await;
        }
    }

    /// Counts an operation that goes on beside the request loop, until the guard is dropped.
    pub(super) fn aside(self: &Arc<Self>) -> Aside {
        self.aside.fetch_add(1, Ordering::Relaxed);
        Aside(Arc::clone(self))
    }
}

/// How often a stopping server looks whether a connection has come to rest.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// An open file: a stopping server waits for it.
pub(super) struct Transfer(Arc<Connection>);

impl Drop for Transfer {
    fn drop(&mut self) {
        self.0.moved();
        self.0.transfers.fetch_sub(1, Ordering::Relaxed);
    }
}

/// An operation beside the request loop: the connection is not idle while it lives.
pub(super) struct Aside(Arc<Connection>);

impl Drop for Aside {
    fn drop(&mut self) {
        self.0.moved();
        self.0.aside.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Bytes of one connection that wait in memory.
pub(super) struct Load {
    limit: usize,
    /// File data that waits for the disk.
    data: AtomicUsize,
    /// Requests without file data.
    plain: AtomicUsize,
    drained: Notify,
}

/// The place of one request in the load; dropping it gives it back.
pub(super) struct Place {
    connection: Arc<Connection>,
    bytes: usize,
    /// Only file data takes from the budget of all connections.
    reserved: Option<Reserved>,
}

impl Load {
    fn new(limit: usize) -> Self {
        Self {
            limit,
            data: AtomicUsize::new(0),
            plain: AtomicUsize::new(0),
            drained: Notify::new(),
        }
    }
}

impl Connection {
    /// A place for `bytes` of file data. Waits only for the disk: this connection's own, or everybody's.
    pub(super) async fn place_for_data(self: &Arc<Self>, bytes: usize) -> Place {
        let load = &self.load;
        loop {
            let drained = load.drained.notified();
            let waiting = load.data.load(Ordering::Acquire);
            if waiting == 0 || waiting.saturating_add(bytes) <= load.limit {
                break;
            }
            drained.await;
        }
        let reserved = self.edge.memory.reserve(bytes).await;
        load.data.fetch_add(bytes, Ordering::AcqRel);
        Place { connection: Arc::clone(self), bytes, reserved: Some(reserved) }
    }

    /// A place for a request without file data; `None` when its kind fills the connection's memory.
    pub(super) fn place_for_request(self: &Arc<Self>, bytes: usize) -> Option<Place> {
        let waiting = self.load.plain.fetch_add(bytes, Ordering::AcqRel);
        let place = Place { connection: Arc::clone(self), bytes, reserved: None };
        (waiting.saturating_add(bytes) <= self.load.limit).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let load = &self.connection.load;
        if self.reserved.is_none() {
            load.plain.fetch_sub(self.bytes, Ordering::AcqRel);
        } else {
            load.data.fetch_sub(self.bytes, Ordering::AcqRel);
            load.drained.notify_waiters();
        }
    }
}
