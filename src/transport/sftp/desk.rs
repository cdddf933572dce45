//! The order in which a channel's calls are done: which at once, which wait, which go on aside.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use russh_sftp::protocol::{Packet, StatusCode};

use super::channel::{Queued, Shared};
use super::connection::Aside;
use super::files::{Files, Reply};
use super::packet::{Call, What, encode, handle_number, refusal, status};
use crate::error::{Error, Result};
use crate::model::VPath;
use crate::service::session::{Receipt, Session};

/// The most bytes that a parked READ gets when a WRITE to its handle must not wait for it. Short reads are allowed.
const HURRIED_READ_BYTES: u32 = 4096;

/// The state of a channel's calls. One worker at a time has it.
#[derive(Default)]
pub(super) struct Desk {
    files: Files,
    /// Whether INIT has come.
    greeted: bool,
    /// READs (and what follows them on their handle) that wait until answers have left.
    parked: VecDeque<(u64, Queued)>,
    /// How many calls are parked on each handle.
    parked_on: HashMap<u64, usize>,
    /// Calls that name a path on which an operation is under way aside, and those behind them.
    deferred: VecDeque<(Queued, Vec<Claim>)>,
    busy: Vec<(u64, VPath)>,
    next_ticket: u64,
}

/// A path that a call names.
#[derive(Debug, Clone)]
struct Claim {
    path: VPath,
    /// Whether it moves or removes what lies below, too.
    moves: bool,
}

impl Claim {
    /// Whether a call must wait for an operation on `busy`: its path, what lies below, and the reports beside it.
    fn touches(&self, busy: &VPath) -> bool {
        let report = || {
            let rest = self.path.as_str().strip_prefix(busy.as_str());
            rest.is_some_and(|r| r.starts_with('.'))
        };
        self.path.is_within(busy) || (self.moves && busy.is_within(&self.path)) || report()
    }
}

impl Desk {
    /// Whether calls wait until answers have left.
    pub(super) fn has_parked(&self) -> bool {
        !self.parked.is_empty()
    }

    /// Whether nothing that has come is still to be done.
    pub(super) fn is_quiet(&self) -> bool {
        self.parked.is_empty() && self.deferred.is_empty() && self.busy.is_empty()
    }

    /// A call has come.
    pub(super) fn take(&mut self, shared: &Arc<Shared>, queued: Queued) {
        let Some(handle) = handle_of(&queued.call) else { return self.begin(shared, queued) };
        let behind = self.parked_on.contains_key(&handle);
        match &queued.call.what {
            What::Write(_) if behind => {
                self.hurry_reads(shared, handle);
                self.begin(shared, queued);
            }
            What::Write(_) => self.begin(shared, queued),
            What::Packet(packet) if matches!(**packet, Packet::Close(_)) => {
                if !behind {
                    return self.begin(shared, queued);
                }
                self.files.mark_closing(handle);
                self.park(handle, queued);
            }
            // READ and READDIR.
            _ if shared.is_lost() => {}
            _ if behind || shared.is_full() => self.park(handle, queued),
            _ => self.begin(shared, queued),
        }
    }

    /// Answers have left: does the oldest parked call.
    pub(super) fn go_on(&mut self, shared: &Arc<Shared>) {
        if let Some((handle, queued)) = self.parked.pop_front() {
            self.unpark(handle);
            self.begin(shared, queued);
        }
    }

    /// An operation aside is done: does what waited for it, in order.
    pub(super) fn done(&mut self, shared: &Arc<Shared>, ticket: u64) {
        self.busy.retain(|(t, _)| *t != ticket);
        for (queued, _) in std::mem::take(&mut self.deferred) {
            self.begin(shared, queued);
        }
    }

    /// The channel ends: open uploads were not proved complete.
    pub(super) fn end(&mut self, shared: &Shared, because: &str) {
        self.files.drop_all(shared, because);
    }

    fn park(&mut self, handle: u64, queued: Queued) {
        self.parked.push_back((handle, queued));
        let count = self.parked_on.entry(handle).or_default();
        *count = count.saturating_add(1);
    }

    fn unpark(&mut self, handle: u64) {
        if let Some(count) = self.parked_on.get_mut(&handle) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.parked_on.remove(&handle);
            }
        }
    }

    /// Does the parked READs of a handle now, however little they get, because a WRITE to it must see them done.
    fn hurry_reads(&mut self, shared: &Arc<Shared>, handle: u64) {
        for (of, mut queued) in std::mem::take(&mut self.parked) {
            if of != handle {
                self.parked.push_back((of, queued));
                continue;
            }
            self.unpark(of);
            if let What::Read { bytes, .. } = &mut queued.call.what {
                *bytes = (*bytes).min(HURRIED_READ_BYTES);
            }
            self.begin(shared, queued);
        }
    }

    /// Does a call, unless a path that it names is busy.
    fn begin(&mut self, shared: &Arc<Shared>, queued: Queued) {
        let claims = self.claims(&queued.call);
        let waits = claims.iter().any(|claim| {
            self.busy.iter().any(|(_, busy)| claim.touches(busy))
                || self.deferred.iter().any(|(_, c)| c.iter().any(|d| claim.touches(&d.path)))
        });
        if waits {
            self.deferred.push_back((queued, claims));
            return;
        }
        let Queued { call, place } = queued;
        let id = call.id;
        let reply = self.perform(shared, call);
        // The bytes of a WRITE are on their way to the disk: they no longer count.
        drop(place);
        match reply {
            Reply::Packet(packet) => shared.answer(encode(id, packet)),
            Reply::Bytes(bytes) => shared.answer(bytes),
            Reply::Refused(error) => shared.answer(encode(id, refusal(id, &error))),
            Reply::Commit(staged) => {
                let path = staged.path();
                let bytes = staged.bytes();
                let what = Aimed { what: "upload", path: path.clone(), bytes: Some(bytes) };
                self.aside(shared, id, vec![path], what, move || staged.commit());
            }
            Reply::Rename { from, to, overwrite } => {
                let session = shared.session.clone();
                let what = Aimed { what: "rename", path: to.clone(), bytes: None };
                let paths = vec![from.clone(), to.clone()];
                self.aside(shared, id, paths, what, move || session.rename(&from, &to, overwrite));
            }
        }
    }

    fn perform(&mut self, shared: &Shared, call: Call) -> Reply {
        let id = call.id;
        if let What::Packet(packet) = &call.what
            && matches!(**packet, Packet::Init(_))
        {
            if std::mem::replace(&mut self.greeted, true) {
                let text = "INIT was sent twice";
                return Reply::Packet(status(id, StatusCode::BadMessage, text));
            }
            return Reply::Packet(super::extensions::version());
        }
        if !self.greeted {
            return Reply::Packet(status(id, StatusCode::BadMessage, "INIT has to come first"));
        }
        match call.what {
            What::Read { handle, offset, bytes } => self.files.read(id, handle, offset, bytes),
            What::Write(write) => self.files.write(id, &write),
            What::Packet(packet) => self.files.perform(shared, id, *packet),
            What::Unknown(kind) => {
                let text = format!("Requests of type {kind} are not part of SFTP version 3");
                Reply::Packet(status(id, StatusCode::OpUnsupported, &text))
            }
        }
    }

    /// Runs `operation` and the wait for its import beside the loop; calls that name its paths wait.
    fn aside(
        &mut self,
        shared: &Arc<Shared>,
        id: u32,
        paths: Vec<VPath>,
        what: Aimed,
        operation: impl FnOnce() -> Result<Receipt> + Send + 'static,
    ) {
        let number = self.next_ticket;
        self.next_ticket = self.next_ticket.wrapping_add(1);
        self.busy.extend(paths.into_iter().map(|path| (number, path)));
        let mut ticket = Ticket {
            shared: Arc::clone(shared),
            number,
            id,
            answered: false,
            _aside: shared.connection.aside(),
        };
        shared.connection.edge.spawn(async move {
            let turn = ticket.shared.session.commit_turn().await;
            let operation = tokio::task::spawn_blocking(operation);
            let ended = operation.await;
            drop(turn);
            let packet = match ended {
                Ok(Ok(receipt)) => {
                    let text = receipt.settle().await.text;
                    what.log(&ticket.shared.session, ticket.shared.connection.peer, &text);
                    status(id, StatusCode::Ok, &text)
                }
                Ok(Err(error)) => {
                    what.log_refusal(&ticket.shared.session, ticket.shared.connection.peer, &error);
                    refusal(id, &error)
                }
                // The ticket answers for an operation that failed by our fault.
                Err(_) => return,
            };
            ticket.answer(encode(id, packet));
        });
    }

    fn claims(&self, call: &Call) -> Vec<Claim> {
        let What::Packet(packet) = &call.what else { return Vec::new() };
        let claim = |raw: &str, moves: bool| {
            // A name that is not acceptable touches nothing; it will be refused.
            VPath::root().join(raw).ok().map(|path| Claim { path, moves })
        };
        let named = match &**packet {
            Packet::Open(p) => [claim(&p.filename, false), None],
            Packet::Stat(p) => [claim(&p.path, false), None],
            Packet::Lstat(p) => [claim(&p.path, false), None],
            Packet::SetStat(p) => [claim(&p.path, false), None],
            Packet::OpenDir(p) => [claim(&p.path, false), None],
            Packet::MkDir(p) => [claim(&p.path, false), None],
            Packet::Remove(p) => [claim(&p.filename, true), None],
            Packet::RmDir(p) => [claim(&p.path, true), None],
            Packet::Rename(p) => [claim(&p.oldpath, true), claim(&p.newpath, true)],
            Packet::Extended(p) => {
                let (paths, moves) = super::extensions::paths(p);
                return paths.iter().filter_map(|path| claim(path, moves)).collect();
            }
            Packet::Close(p) => {
                let path = self.files.upload_path(&p.handle);
                [path.map(|path| Claim { path, moves: false }), None]
            }
            _ => [None, None],
        };
        named.into_iter().flatten().collect()
    }
}

/// The handle of a call that can be parked, or that must not overtake parked ones.
fn handle_of(call: &Call) -> Option<u64> {
    match &call.what {
        What::Read { handle, .. } => Some(*handle),
        What::Write(write) => Some(write.handle),
        What::Packet(packet) => match &**packet {
            Packet::ReadDir(p) => Some(handle_number(p.handle.as_bytes())),
            Packet::Close(p) => Some(handle_number(p.handle.as_bytes())),
            _ => None,
        },
        What::Unknown(_) => None,
    }
}

/// What an operation aside works on, for the log.
pub(super) struct Aimed {
    pub(super) what: &'static str,
    pub(super) path: VPath,
    pub(super) bytes: Option<u64>,
}

impl Aimed {
    pub(super) fn log(&self, session: &Session, peer: SocketAddr, answer: &str) {
        let (login, client, path) = (session.login(), session.client(), self.path.as_str());
        tracing::info!(protocol = "sftp", login, client, %peer, ?path, bytes = self.bytes, answer, "{}", self.what);
    }

    pub(super) fn log_refusal(&self, session: &Session, peer: SocketAddr, error: &Error) {
        let (login, client, path) = (session.login(), session.client(), self.path.as_str());
        tracing::warn!(protocol = "sftp", login, client, %peer, ?path, bytes = self.bytes, reason = error.message(), cause = ?std::error::Error::source(error), "{} refused", self.what);
    }
}

/// The promise to answer a call that is done aside, kept also when the operation panics.
struct Ticket {
    shared: Arc<Shared>,
    number: u64,
    id: u32,
    answered: bool,
    _aside: Aside,
}

impl Ticket {
    fn answer(&mut self, bytes: Bytes) {
        self.answered = true;
        self.shared.answer(bytes);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if !self.answered {
            let text = "The server failed by its own fault; send the file again";
            let failure = status(self.id, StatusCode::Failure, text);
            self.shared.answer(encode(self.id, failure));
        }
        self.shared.done(self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(claim: &str, moves: bool, busy: &str, waits: bool) {
        let claim = Claim { path: claim.parse().unwrap(), moves };
        assert_eq!(claim.touches(&busy.parse().unwrap()), waits, "{claim:?} while {busy} is busy");
    }

    #[test]
    fn calls_wait_for_their_own_path_and_its_reports_only() {
        check("/in/users.csv", false, "/in/users.csv", true);
        check("/in/users.csv.report.json", false, "/in/users.csv", true);
        check("/in/users.csv2", false, "/in/users.csv", false);
        check("/in/other.csv", false, "/in/users.csv", false);
        check("/in", false, "/in/users.csv", false);
        check("/in", true, "/in/users.csv", true);
        check("/", false, "/in/users.csv", false);
        check("/a/below", false, "/a", true);
    }
}
