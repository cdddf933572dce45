//! What runs beside the transports: import workers and the watcher of what operators change.

use std::collections::BTreeSet;
use std::fs::File;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::fs::FlockOperation;
use rustix::process::{Resource, getrlimit, setrlimit};

use super::queue::{Next, Queue};
use super::session::{self, State};
use super::{
    Service, activity, exports, fetch, holds, outbox, quality, reconcile, retention, run, schedule,
};
use crate::config::Limits;
use crate::error::{Error, Kind, Result};
use crate::model::UploadState;
use crate::store::registry::UploadFilter;

/// How often the watcher looks: a change by the command line must reach the server within a second.
const WATCH_PAUSE: Duration = Duration::from_millis(200);
/// How often what is old enough to go is looked for.
const RETENTION_PAUSE: Duration = Duration::from_secs(3600);
/// Another process holds the client's lock.
const LOCK_PAUSE: Duration = Duration::from_millis(50);
/// Something unforeseen stood in a turn's way.
const FAULT_PAUSE: Duration = Duration::from_secs(2);
/// Open files of one connection at most: an FTPS upload has both connections, the pair to its interpreter, and the file.
const FILES_OF_A_CONNECTION: usize = 5;
/// Open files besides: databases that are kept open, listeners.
const FILES_KEPT: usize = 500;
/// So many clients can always work beside each other: one has at most such a part of the open files.
const CLIENTS_AT_LEAST: usize = 4;

/// The running workers. Dropping them without [`Workers::stop`] stops them too.
pub struct Workers {
    service: Service,
    stopping: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
    _lock: File,
}

impl Service {
    /// Reconciles what a crash left and starts the workers. Only `serve` and `demo` do: one process for each data folder.
    ///
    /// # Errors
    /// [`Kind::Busy`] when another process serves this data folder; a folder or database that cannot be read.
    pub fn start(&self) -> Result<Workers> {
        let lock = lock_data(self)?;
        self.0.home.take(self.data())?;
        let limits = &self.config().limits;
        let (most, most_of_one) = files_for_clients(raise_file_limit(limits), limits);
        self.0.open_files.allow(most, most_of_one);
        self.refuse_lost_registry()?;
        reconcile::reconcile(self)?;
        self.recall()?;
        let stopping = Arc::new(AtomicBool::new(false));
        let mut workers = Workers {
            service: self.clone(),
            stopping: Arc::clone(&stopping),
            threads: Vec::new(),
            _lock: lock,
        };
        for n in 0..worker_count(self) {
            let service = self.clone();
            workers.spawn(format!("import-{n}"), move || work(&service))?;
        }
        let (service, stop) = (self.clone(), Arc::clone(&stopping));
        workers.spawn("retention".to_owned(), move || sweep(&service, &stop))?;
        let (service, stop) = (self.clone(), Arc::clone(&stopping));
        workers.spawn("fetch".to_owned(), move || fetch::run(&service, &stop))?;
        let (service, stop) = (self.clone(), Arc::clone(&stopping));
        workers.spawn("outbox".to_owned(), move || outbox::run(&service, &stop))?;
        let (service, stop) = (self.clone(), Arc::clone(&stopping));
        workers.spawn("exports".to_owned(), move || exports::run_wishes(&service, &stop))?;
        let (service, stop) = (self.clone(), Arc::clone(&stopping));
        workers.spawn("schedule".to_owned(), move || schedule::run(&service, &stop))?;
        let (service, stop) = (self.clone(), Arc::clone(&stopping));
        workers.spawn("activity".to_owned(), move || activity::run(&service, &stop))?;
        let (service, stop) = (self.clone(), Arc::clone(&stopping));
        workers.spawn("quality".to_owned(), move || quality::run(&service, &stop))?;
        let service = self.clone();
        workers.spawn("watcher".to_owned(), move || watch(&service, &stopping))?;
        Ok(workers)
    }
}

impl Workers {
    /// Waits for the running imports and ends the threads. What waits is imported at the next start.
    pub fn stop(mut self) {
        self.end();
    }

    fn spawn(&mut self, name: String, body: impl FnOnce() + Send + 'static) -> Result<()> {
        let thread = std::thread::Builder::new()
            .name(name)
            .spawn(body)
            .map_err(|e| Error::io("starting a worker thread", e))?;
        self.threads.push(thread);
        Ok(())
    }

    fn end(&mut self) {
        self.stopping.store(true, Ordering::Release);
        self.service.0.queue.stop();
        for thread in self.threads.drain(..) {
            thread.thread().unpark();
            if thread.join().is_err() {
                tracing::error!("a worker thread panicked");
            }
        }
        self.service.0.home.leave();
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.end();
    }
}

fn lock_data(service: &Service) -> Result<File> {
    let path = service.data().join("serve.lock");
    let what = || format!("locking {}", path.display());
    let mut options = File::options();
    let file = options
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|e| Error::io(what(), e))?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(Error::new(
            Kind::Busy,
            format!(
                "another rollcall serves the data folder {}; stop it first, or give this one its own --data",
                service.data().display()
            ),
        )),
        Err(e) => Err(Error::io(what(), e.into())),
    }
}

/// Every session, upload and client holds files open; the usual 1,024 would end at some hundred of them. Answers how many
/// there may be.
fn raise_file_limit(limits: &Limits) -> usize {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "raising the limit on open files");
    }
    let (needed, max_connections) = (files_needed(limits), limits.max_connections);
    // No limit is told by no number.
    let allowed = getrlimit(Resource::Nofile).current.and_then(|n| usize::try_from(n).ok());
    if let Some(allowed) = allowed.filter(|n| *n < needed) {
        tracing::warn!(
            "this process may have {allowed} open files; limits.max_connections = {max_connections} can need {needed}: \
             raise the hard limit (LimitNOFILE= of a systemd unit, ulimit -Hn) or allow fewer connections"
        );
    }
    allowed.unwrap_or(usize::MAX)
}

/// Files for the connections themselves, for logins, databases and imports.
fn files_needed(limits: &Limits) -> usize {
    limits.max_connections.saturating_mul(FILES_OF_A_CONNECTION).saturating_add(FILES_KEPT)
}

/// Of so many files that the process may have open: those that clients may, all together and one of them.
fn files_for_clients(allowed: usize, limits: &Limits) -> (usize, usize) {
    let most = allowed.saturating_sub(files_needed(limits).min(allowed / 2)).max(1);
    let most_of_one = match limits.open_files_per_client {
        0 => most.div_ceil(CLIENTS_AT_LEAST),
        own => own.min(most),
    };
    (most, most_of_one)
}

fn worker_count(service: &Service) -> usize {
    match service.config().limits.import_workers {
        0 => std::thread::available_parallelism().map_or(2, std::num::NonZero::get),
        n => n,
    }
}

fn work(service: &Service) {
    while let Some(client) = service.0.queue.take() {
        let next = Next::After(FAULT_PAUSE);
        let mut turn = TakenTurn { queue: &service.0.queue, client, next };
        // A panic in one client's file must not take the workers from all others.
        let taken = std::panic::catch_unwind(AssertUnwindSafe(|| take_turn(service, &turn.client)));
        let client = &turn.client;
        match taken {
            Ok(Ok(next)) => turn.next = next,
            Ok(Err(error)) => {
                tracing::error!(code = "E901", %error, client, "an import turn failed");
            }
            Err(_) => tracing::error!(code = "E901", client, "an import panicked"),
        }
    }
}

/// A client's turn. It ends with this, whatever became of it: one that never ended would keep the client's uploads for ever.
struct TakenTurn<'a> {
    queue: &'a Queue,
    client: String,
    next: Next,
}

impl Drop for TakenTurn<'_> {
    fn drop(&mut self) {
        self.queue.finish(&self.client, self.next);
    }
}

fn take_turn(service: &Service, client: &str) -> Result<Next> {
    if service.registry().client(client)?.is_none() {
        return Ok(Next::Idle);
    }
    let space = service.client_space(client)?;
    let Some(_lock) = space.try_lock()? else { return Ok(Next::After(LOCK_PAUSE)) };
    run::next(service, &space, client)
}

fn watch(service: &Service, stopping: &AtomicBool) {
    let mut seen = None;
    let mut access_seen = None;
    while !stopping.load(Ordering::Acquire) {
        service.publish_again();
        let now = service.clock().now();
        service.0.sessions.all().iter().for_each(|session| session.end_if_expired(now));
        carry_out("watching the registry", || {
            let version = service.registry().data_version()?;
            if seen != Some(version) {
                look(service, &mut access_seen)?;
                seen = Some(version);
            }
            Ok(())
        });
        std::thread::park_timeout(WATCH_PAUSE);
    }
}

/// Removes what is old enough, at once and then every hour; a thread of its own, for it may walk many files.
fn sweep(service: &Service, stopping: &AtomicBool) {
    while !stopping.load(Ordering::Acquire) {
        carry_out("removing what is old enough", || retention::apply(service));
        carry_out("forgetting what accounts did long ago", || activity::forget_old(service));
        carry_out("ending what nobody decided about", || holds::expire_all(service));
        carry_out("emptying the registry's log", || service.registry().forget_deleted_in_passing());
        let next = Instant::now() + RETENTION_PAUSE;
        while Instant::now() < next && !stopping.load(Ordering::Acquire) {
            std::thread::park_timeout(RETENTION_PAUSE);
        }
    }
}

/// One step of several: what goes wrong in it, a panic too, must not take the others with it.
fn carry_out(what: &str, step: impl FnOnce() -> Result<()>) {
    match std::panic::catch_unwind(AssertUnwindSafe(step)) {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "{what}"),
        Err(_) => tracing::error!(code = "E901", "{what} panicked"),
    }
}

/// Takes up what was written since the last look, by whichever process.
fn look(service: &Service, access_seen: &mut Option<i64>) -> Result<()> {
    let access = service.registry().access_version()?;
    if *access_seen != Some(access) {
        for session in service.0.sessions.all() {
            if let Err(error) = refresh(&session) {
                tracing::error!(%error, login = session.login, "taking up changes in a session");
            }
        }
        service.close_erased()?;
        *access_seen = Some(access);
        // Times may have been set anew, too.
        wake_waiting(service)?;
    }
    service.take_up_lifted_bans()?;
    for client in waiting_clients(service)? {
        service.0.queue.remind(&client);
    }
    for client in service.registry().clients_with_decisions()? {
        service.0.queue.wake(&client);
    }
    Ok(())
}

/// Ends a session whose account may no longer be here; gives the others their folders as they are now.
fn refresh(session: &State) -> Result<()> {
    let facts = session.service.registry().login_facts(&session.login)?;
    let now = session.service.clock().now();
    let allowed = facts.filter(|facts| session.is_allowed_by(facts, now));
    let Some(facts) = allowed else {
        session.ended.cancel();
        tracing::info!(
            login = session.login,
            "ending a session: its account was disabled or removed"
        );
        return Ok(());
    };
    session::make_missing(&session.files, &session.login, &facts.folders)?;
    session.take_up(facts);
    Ok(())
}

/// Wakes every client that has uploads or decisions waiting: another process may have queued them.
pub(super) fn wake_waiting(service: &Service) -> Result<()> {
    let decided = service.registry().clients_with_decisions()?;
    for client in waiting_clients(service)?.iter().chain(&decided) {
        service.0.queue.wake(client);
    }
    Ok(())
}

fn waiting_clients(service: &Service) -> Result<BTreeSet<String>> {
    let filter = UploadFilter { states: vec![UploadState::Queued], ..UploadFilter::default() };
    Ok(service.registry().uploads(&filter)?.into_iter().map(|upload| upload.client).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_panics_leaves_the_next_one_to_be_done() {
        let mut done = 0;
        carry_out("one", || panic!("on purpose"));
        carry_out("two", || Err(Error::new(Kind::Internal, "on purpose")));
        carry_out("three", || {
            done += 1;
            Ok(())
        });
        assert_eq!(done, 1);
    }

    #[test]
    fn connections_and_imports_have_their_files_whatever_clients_open() {
        let check = |allowed, change: fn(&mut Limits), expected| {
            let mut limits = Limits::default();
            change(&mut limits);
            assert_eq!(files_for_clients(allowed, &limits), expected, "{allowed}");
        };
        check(50_000, |_| {}, (39_500, 9_875));
        check(1024, |_| {}, (512, 128));
        check(4096, |l| l.max_connections = 20, (3496, 874));
        check(1024, |l| l.open_files_per_client = 3, (512, 3));
        check(1024, |l| l.open_files_per_client = usize::MAX, (512, 512));
        check(0, |_| {}, (1, 1));
        assert!(files_for_clients(usize::MAX, &Limits::default()).1 > 1 << 40);
    }
}
