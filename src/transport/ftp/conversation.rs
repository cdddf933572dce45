//! One control connection from greeting to goodbye: one command in flight, the next ones wait in a short queue.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustls::ServerConfig;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::backend::Exchange;
use super::command::{self, Request, Verb};
use super::control::{Control, Line};
use super::data::{Source, Terms};
use super::interpreter::Interpreter;
use super::listing::Facts;
use super::reply::Reply;
use super::transfer::Lane;
use crate::model::{Protocol, VPath};
use crate::service::session::Session;
use crate::transport::{Edge, NEXT_REQUEST, Pass};

/// Lines that may wait while a command is carried out.
const MAX_QUEUED_LINES: usize = 32;

/// Both ends of the connection and its TLS.
pub(super) struct Link {
    pub(super) kind: Protocol,
    pub(super) peer: SocketAddr,
    pub(super) local: SocketAddr,
    pub(super) tls: Arc<ServerConfig>,
}

/// What comes after a command.
pub(super) enum Flow {
    /// The reply, then the next command.
    Go(Reply),
    /// Everything is said already.
    Said,
    /// The reply, then the end of the connection.
    Close(Reply),
    /// The end without a word: the peer broke the rules or is gone.
    Drop,
}

/// Why work was interrupted while it ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interruption {
    /// The client sent ABOR.
    Abort,
    /// The control connection is gone.
    Gone,
    /// The account was disabled or removed.
    Ended,
    /// The server stops.
    Stop,
}

/// A client that has logged in.
pub(super) struct Guest {
    pub(super) session: Session,
    pub(super) exchange: Arc<Exchange>,
    pub(super) interpreter: Option<Interpreter>,
    pub(super) cwd: VPath,
    pub(super) source: Option<Source>,
    pub(super) epsv_only: bool,
    pub(super) restart: u64,
    pub(super) rename_from: Option<VPath>,
}

impl Guest {
    /// Whether something is held that a session can do without while it is idle. RNFR lives on in the interpreter.
    fn has_unused(&self) -> bool {
        self.source.is_some() || (self.interpreter.is_some() && self.rename_from.is_none())
    }
}

/// One control connection.
pub(super) struct Conversation {
    pub(super) edge: Edge,
    pub(super) link: Link,
    pub(super) control: Control,
    pub(super) pass: Pass,
    pub(super) guest: Option<Guest>,
    pub(super) user: Option<String>,
    /// The line of the certificate that was proved, where the account asks for its password besides.
    pub(super) proved: Option<String>,
    /// What the client program called itself before the login.
    pub(super) program: Option<String>,
    pub(super) failed_logins: u32,
    pub(super) protected: bool,
    pub(super) terms: Terms,
    /// The facts that MLST and MLSD give.
    pub(super) facts: Facts,
    pub(super) interruption: Option<Interruption>,
    /// Since when somebody has been connected without a login.
    pub(super) unknown_since: Instant,
    queue: VecDeque<Vec<u8>>,
    life: CancellationToken,
    /// However this ends (a panic too), transfers that run in other tasks end with it.
    _life: DropGuard,
}

impl Conversation {
    pub(super) fn new(edge: Edge, link: Link, control: Control, pass: Pass) -> Self {
        let data_tls = crate::transport::tls::Tls::data_config(&link.tls);
        let terms = Terms::new(&edge.config, link.peer.ip(), data_tls);
        let life = CancellationToken::new();
        let is_secure = control.is_secure();
        Self {
            edge,
            link,
            control,
            pass,
            guest: None,
            user: None,
            proved: None,
            program: None,
            failed_logins: 0,
            // Implicit TLS means data in TLS too, and some programs send no PROT P there; in clear nothing is ever taken.
            protected: is_secure,
            terms,
            facts: Facts::default(),
            interruption: None,
            unknown_since: Instant::now(),
            queue: VecDeque::new(),
            _life: life.clone().drop_guard(),
            life,
        }
    }

    /// Greets, obeys, and says goodbye.
    pub(super) async fn run(mut self) {
        let goodbye = self.talk().await;
        // An upload that is not complete by now never will be.
        self.life.cancel();
        if let Some(reply) = goodbye
            && self.control.send(&reply).await.is_err()
        {
            return;
        }
        self.control.close().await;
    }

    async fn talk(&mut self) -> Option<Reply> {
        self.control.send(&Reply::new(220, "Rollcall file transfer.")).await.ok()?;
        loop {
            let line = match self.next_line().await {
                Ok(line) => line,
                Err(goodbye) => return goodbye,
            };
            let flow = match command::parse(&line) {
                Ok(request) => self.obey(request).await,
                Err(refusal) => Flow::Go(refusal),
            };
            match flow {
                Flow::Go(reply) => self.control.send(&reply).await.ok()?,
                Flow::Said => {}
                Flow::Close(reply) => return Some(reply),
                Flow::Drop => return None,
            }
            match self.interruption.take() {
                None | Some(Interruption::Abort) => {}
                Some(Interruption::Gone) => return None,
                Some(Interruption::Ended) => return Some(ended()),
                Some(Interruption::Stop) => return Some(stopping()),
            }
        }
    }

    /// The next line; `Err` with the goodbye when there is none.
    async fn next_line(&mut self) -> Result<Vec<u8>, Option<Reply>> {
        if let Some(line) = self.queue.pop_front() {
            return Ok(line);
        }
        let limits = &self.edge.config.limits;
        let (deadline, late) = match &self.guest {
            Some(guest) => (
                Instant::now() + guest.session.idle_timeout(),
                "Nothing happened for too long; closing.",
            ),
            None => (self.login_deadline(), "Login took too long; closing."),
        };
        // A port that is asked for and not used goes back to the others, and so does the memory of an idle interpreter.
        let unused = Instant::now() + Duration::from_secs(limits.data_accept_timeout_s);
        let session = self.guest.as_ref().map(|guest| guest.session.clone());
        // What ended while the server was stopping may have one more thing to say (RNFR after STOR).
        let was_busy = self.edge.shutdown.is_cancelled() && self.guest.is_some();
        let calm_at = Instant::now() + if was_busy { NEXT_REQUEST } else { Duration::ZERO };
        let (edge, stop) = (self.edge.clone(), self.edge.shutdown.clone());
        let stopped = async move {
            stop.cancelled().await;
            tokio::select! {
                () = edge.out_of_time() => {}
                () = tokio::time::sleep_until(calm_at) => {}
            }
        };
        let mut stopped = std::pin::pin!(stopped);
        loop {
            let has_unused = self.guest.as_ref().is_some_and(Guest::has_unused);
            tokio::select! {
                biased;
                () = &mut stopped => return Err(Some(stopping())),
                () = ended_session(session.clone()) => return Err(Some(ended())),
                line = self.control.line() => return match line {
                    Line::Text(line) => Ok(line),
                    Line::TooLong => Err(Some(Reply::new(500, "The line is too long; closing."))),
                    Line::Gone => Err(None),
                },
                () = tokio::time::sleep_until(unused), if has_unused => self.drop_unused(),
                () = tokio::time::sleep_until(deadline) => return Err(Some(Reply::new(421, late))),
            }
        }
    }

    fn drop_unused(&mut self) {
        if let Some(guest) = self.guest.as_mut() {
            guest.source = None;
            if guest.rename_from.is_none() {
                guest.interpreter = None;
            }
        }
    }

    pub(super) fn login_deadline(&self) -> Instant {
        self.unknown_since + Duration::from_secs(self.edge.config.limits.login_timeout_s)
    }

    /// Whether lines wait that came with or before the present one was answered.
    pub(super) fn has_pipelined(&self) -> bool {
        self.control.has_more() || !self.queue.is_empty()
    }

    /// A token and a counter for one transfer.
    pub(super) fn lane(&self) -> Lane {
        Lane {
            memory: self.edge.memory.clone(),
            stop: self.life.child_token(),
            moved: Arc::new(AtomicU64::new(0)),
            pulse: self.control.pulse().ok().map(Arc::new),
        }
    }

    /// Carries out `work` while listening to the control connection: ABOR, a lost connection, the end of the account
    /// and the last moment of a stopping server cancel the lane; STAT and NOOP are answered; other lines wait.
    pub(super) async fn attend<T>(&mut self, lane: &Lane, work: impl Future<Output = T>) -> T {
        let session = self.guest.as_ref().map(|guest| guest.session.clone());
        let edge = self.edge.clone();
        let mut work = std::pin::pin!(work);
        loop {
            let calm = self.interruption.is_none();
            let listening = calm || self.interruption == Some(Interruption::Abort);
            tokio::select! {
                biased;
                out = &mut work => return out,
                () = edge.out_of_time(), if calm => self.interrupt(lane, Interruption::Stop),
                () = ended_session(session.clone()), if calm => self.interrupt(lane, Interruption::Ended),
                line = self.control.line(), if listening => match line {
                    Line::Text(line) => self.interject(lane, line).await,
                    Line::TooLong | Line::Gone => self.interrupt(lane, Interruption::Gone),
                },
            }
        }
    }

    fn interrupt(&mut self, lane: &Lane, why: Interruption) {
        self.interruption = Some(why);
        lane.stop.cancel();
    }

    /// A line that came while a command is carried out. Behind ABOR everything waits: its answers come first.
    async fn interject(&mut self, lane: &Lane, line: Vec<u8>) {
        let calm = self.interruption.is_none();
        let reply = match command::parse(&line) {
            Ok(Request { verb: Verb::Abor, .. }) if calm => {
                return self.interrupt(lane, Interruption::Abort);
            }
            Ok(Request { verb: Verb::Noop, .. }) if calm => Reply::new(200, "Still at work."),
            Ok(Request { verb: Verb::Stat, argument }) if calm && argument.is_empty() => {
                let moved = lane.moved.load(Ordering::Relaxed);
                Reply::new(213, format!("Transfer under way: {moved} bytes so far."))
            }
            _ if self.queue.len() < MAX_QUEUED_LINES => return self.queue.push_back(line),
            _ => {
                drop(
                    self.control
                        .send(&Reply::new(421, "Too many commands at once; closing."))
                        .await,
                );
                return self.interrupt(lane, Interruption::Gone);
            }
        };
        if self.control.send(&reply).await.is_err() {
            self.interrupt(lane, Interruption::Gone);
        }
    }

    /// Takes the answer to ABOR into account: 426 for what was aborted was said, now 226 for ABOR itself.
    pub(super) async fn finish(&mut self, reply: Reply) -> Flow {
        if self.interruption != Some(Interruption::Abort) {
            return Flow::Go(reply);
        }
        if self.control.send(&reply).await.is_err() {
            return Flow::Drop;
        }
        let text = if reply.is_done() { "Nothing left to abort." } else { "Aborted." };
        Flow::Go(Reply::new(226, text))
    }
}

async fn ended_session(session: Option<Session>) {
    match session {
        Some(session) => session.ended().await,
        None => std::future::pending().await,
    }
}

fn ended() -> Reply {
    Reply::new(421, "This account may not be used any more; closing.")
}

pub(super) fn stopping() -> Reply {
    Reply::new(421, "The server stops; try again in a minute.")
}
