//! Fetching: import folders on clients' own servers are looked at, and what is complete there is imported once.

mod look;
mod settle;
mod take;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::Service;
use crate::error::{Error, Kind, Result};
use crate::import::settings::{Fetch, Mode};
use crate::model::{Client, Folder, Protocol, Purpose, UploadId, VPath};
use crate::remote::{self, Connection};
use crate::schedule::Trigger;
use crate::store::registry::Look;

pub(super) use look::companions;

pub use crate::store::registry::{FetchState, PollState, SeenFile};

/// From how many failures in a row on somebody is told: one is often only a restart on the other side.
const TOLD_AFTER: u32 = 2;
/// How often a look asks whether the program stops.
const STOP_PAUSE: Duration = Duration::from_millis(200);
/// How often it is asked which folders are due.
const DUE_PAUSE: Duration = Duration::from_secs(1);

/// A file that was fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fetched {
    /// Its import.
    pub import: UploadId,
    /// Its address on the server.
    pub path: VPath,
    /// Size in bytes.
    pub bytes: u64,
}

/// What a look at a folder brought.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct FetchOutcome {
    /// What was fetched.
    pub fetched: Vec<Fetched>,
    /// Files that are there and not fetched yet, and why.
    pub waiting: Vec<Waiting>,
    /// What did not succeed, in words.
    pub problems: Vec<String>,
    /// The first file that could not be fetched; one that was refused comes first.
    #[serde(skip)]
    unfetched: Option<Unfetched>,
}

/// A file that could not be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Unfetched {
    /// Why, in words.
    why: String,
    /// Whether the server refuses it; else another moment may do.
    is_refused: bool,
    /// Whether it is our own disk or limit that does not take it.
    is_ours: bool,
}

/// A file that is there and not fetched yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// Its name.
    pub name: String,
    /// Why, in words.
    pub why: String,
}

/// One look at one folder.
struct Looker<'a> {
    service: &'a Service,
    client: &'a Client,
    folder: &'a Folder,
    folders: Vec<Folder>,
    protocol: Protocol,
    /// Whether each file lists everybody.
    is_full: bool,
    settings: Fetch,
}

impl Service {
    /// Looks at an import folder on the client's own server now, and queues what is complete there.
    ///
    /// # Errors
    /// `Kind::NotFound` for the client or folder; `Kind::Invalid` for a folder that is hosted here; `Kind::Denied` for a
    /// disabled account or client, or one whose server is not confirmed; `Kind::Busy` while somebody else looks at it;
    /// what the connection says.
    pub fn fetch(&self, client: &str, folder: &str) -> Result<FetchOutcome> {
        let outcome = self.look_at(client, folder, &AtomicBool::new(false))?;
        for fetched in &outcome.fetched {
            self.0.queue.wake(client);
            tracing::debug!(import = %fetched.import, "queued by hand");
        }
        Ok(outcome)
    }

    /// The file versions that were seen in a client's folders, newest first.
    ///
    /// # Errors
    /// `Kind::NotFound` for the client.
    pub fn seen_files(
        &self,
        client: &str,
        folder: Option<&str>,
        limit: u32,
    ) -> Result<Vec<SeenFile>> {
        self.client(client)?;
        self.registry().seen_files(client, folder, limit)
    }

    /// How the looks at a client's folders go.
    ///
    /// # Errors
    /// `Kind::NotFound` for the client.
    pub fn polls(&self, client: &str) -> Result<Vec<PollState>> {
        self.client(client)?;
        self.registry().polls(client)
    }

    fn look_at(&self, client: &str, folder: &str, stopping: &AtomicBool) -> Result<FetchOutcome> {
        let client = self.client(client)?;
        let folder = self.import_folder(&client.slug, folder)?;
        let account = self.account(&folder.login)?;
        if account.remote.is_none() {
            let why = format!(
                "folder \"{}\" is hosted here: what is sent to it is imported by itself",
                folder.name
            );
            return Err(Error::new(Kind::Invalid, why));
        }
        if !client.enabled || !account.enabled {
            let what = if account.enabled { "client" } else { "account" };
            let why = format!("the {what} of folder \"{}\" is disabled", folder.name);
            return Err(Error::new(Kind::Denied, why));
        }
        let space = self.client_space(&client.slug)?;
        let _lock = space.try_lock_fetch(&account.login)?.ok_or_else(|| {
            let why = format!("{} is being looked at just now; try again later", account.login);
            Error::new(Kind::Busy, why)
        })?;
        let settings = self.settings(&client.slug, &folder.name)?;
        let looker = Looker {
            service: self,
            client: &client,
            folder: &folder,
            folders: self.registry().folders(&account.login)?,
            protocol: account.protocols.first().copied().unwrap_or(Protocol::Sftp),
            is_full: settings.mode == Mode::Full,
            settings: settings.handling.fetch,
        };
        let looked = looker.run(stopping);
        if stopping.load(Ordering::Acquire) {
            return looked;
        }
        self.tell_poll(&client, &folder, &looked)?;
        looked
    }

    /// Notes how a look went; alarms T02 and T04 stand as long as it goes wrong, T03 as long as a file cannot be fetched.
    fn tell_poll(
        &self,
        client: &Client,
        folder: &Folder,
        looked: &Result<FetchOutcome>,
    ) -> Result<()> {
        let now = self.clock().now();
        let went = match looked {
            Ok(outcome) => outcome.problems.first().map_or(Look::Well, |why| Look::Partly(why)),
            Err(error) => Look::Failed(error.message()),
        };
        let polls = self.registry().polls(&client.slug)?;
        let last = polls.into_iter().find(|poll| poll.folder == folder.name);
        let failures = self.registry().note_poll(&client.slug, &folder.name, went, now)?;
        match looked {
            Ok(outcome) => {
                self.clear(Some(&client.slug), "T02", &folder.login);
                let was_wrong =
                    last.is_some_and(|last| last.failure.is_some() && last.failures == 0);
                self.tell_unfetched(&client.slug, folder, outcome.unfetched.as_ref(), was_wrong);
            }
            Err(error) => self.tell_unreached(&client.slug, &folder.login, error, failures),
        }
        Ok(())
    }

    /// Alarm T03 while a file cannot be fetched: at once for one that is refused, else from the second look on. Its subject
    /// is its own: a report that reaches the folder ends it not.
    fn tell_unfetched(
        &self,
        client: &str,
        folder: &Folder,
        unfetched: Option<&Unfetched>,
        was_wrong: bool,
    ) {
        let subject = unfetched_subject(folder);
        match unfetched {
            None => self.clear(Some(client), "T03", &subject),
            Some(Unfetched { why, is_refused, is_ours }) if *is_refused || was_wrong => {
                let cure = match is_ours {
                    true => "The reason is on this server",
                    false => "Give the account the right to read it, or have it taken away",
                };
                let text = format!(
                    "{why}. It is tried again at each look, and other files of the folder are fetched all the same. {cure}"
                );
                self.raise(Some(client), "T03", &subject, &text);
            }
            Some(_) => {}
        }
    }

    /// Alarms about a server that was not reached: at once for one that shows another identity.
    pub(super) fn tell_unreached(&self, client: &str, login: &str, error: &Error, failures: u32) {
        if remote::is_identity_change(error) {
            let text = format!(
                "{} Nothing is sent before somebody confirms it: rollcall account trust {login}",
                error.message()
            );
            self.raise(Some(client), "T04", login, &text);
        } else if failures >= TOLD_AFTER {
            self.raise(Some(client), "T02", login, error.message());
        }
    }

    /// The folders that are due for a look.
    fn due_folders(&self) -> Result<Vec<Folder>> {
        let now = self.clock().now();
        let mut due: Vec<Folder> = Vec::new();
        for client in self.registry().clients()?.into_iter().filter(|client| client.enabled) {
            let accounts = self.registry().accounts(Some(&client.slug))?;
            let polled = accounts.iter().filter(|a| a.enabled && a.remote.is_some());
            let polled: Vec<&str> = polled.map(|a| a.login.as_str()).collect();
            if polled.is_empty() {
                continue;
            }
            let polls = self.registry().polls(&client.slug)?;
            let zone = TimeZone::get(&client.time_zone).unwrap_or(TimeZone::UTC);
            for folder in self.registry().client_folders(&client.slug)? {
                if folder.purpose != Purpose::Import || !polled.contains(&folder.login.as_str()) {
                    continue;
                }
                let Ok(settings) = self.settings(&client.slug, &folder.name) else { continue };
                let last = polls.iter().find(|poll| poll.folder == folder.name).map(|p| p.at);
                let begun = accounts.iter().find(|a| a.login == folder.login);
                let since = last.or(begun.map(|a| a.created_at)).unwrap_or(now);
                let trigger = settings.handling.fetch.trigger;
                if trigger.is_some_and(|trigger| is_due(&trigger, since, now, &zone)) {
                    due.push(folder);
                }
            }
        }
        Ok(due)
    }
}

/// What an alarm about files that cannot be fetched is about.
pub(super) fn unfetched_subject(folder: &Folder) -> String {
    format!("{}{}/fetch", folder.login, folder.path)
}

/// Whether an instant of the trigger has come since the last look. What was missed while no server ran is due once.
fn is_due(trigger: &Trigger, since: Timestamp, now: Timestamp, zone: &TimeZone) -> bool {
    // A clock that was set back must not stop the looks.
    now < since || trigger.last_until(now, zone).is_some_and(|instant| instant > since)
}

/// Looks at the folders that are due until the service stops. A thread of its own; so is each account, so that a server
/// that hangs delays nobody else's.
pub(super) fn run(service: &Service, stopping: &AtomicBool) {
    let most = service.config().outgoing.jobs;
    std::thread::scope(|scope| {
        let mut running: Vec<(String, std::thread::ScopedJoinHandle<'_, ()>)> = Vec::new();
        while !stopping.load(Ordering::Acquire) {
            running.retain(|(_, thread)| !thread.is_finished());
            let due = service.due_folders().unwrap_or_else(|error| {
                tracing::warn!(%error, "looking for folders that are due");
                Vec::new()
            });
            for folder in due {
                let login = folder.login.clone();
                // One connection to each account: another folder of it has its turn afterwards.
                if running.len() >= most || running.iter().any(|(other, _)| *other == login) {
                    continue;
                }
                let thread = std::thread::Builder::new()
                    .name("fetch".to_owned())
                    .spawn_scoped(scope, move || look(service, &folder, stopping));
                match thread {
                    Ok(thread) => running.push((login, thread)),
                    Err(error) => tracing::warn!(%error, "no thread to look at a folder"),
                }
            }
            std::thread::park_timeout(DUE_PAUSE);
        }
    });
}

fn look(service: &Service, folder: &Folder, stopping: &AtomicBool) {
    let account = service.registry().account(&folder.login);
    let client = account.ok().flatten().map(|account| account.client).unwrap_or_default();
    let (client, folder) = (client.as_str(), folder.name.as_str());
    match service.look_at(client, folder, stopping) {
        Ok(outcome) => {
            for problem in outcome.problems {
                tracing::warn!(client, folder, "{problem}");
            }
        }
        Err(error) if error.kind() == Kind::Busy => {
            tracing::debug!(%error, client, folder, "a folder was not looked at");
        }
        Err(error) => tracing::warn!(%error, client, folder, "a folder was not looked at"),
    }
}

impl Looker<'_> {
    /// Runs the look on a runtime of its own: writing to the disk may block here.
    fn run(&self, stopping: &AtomicBool) -> Result<FetchOutcome> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| Error::io("starting a connection", e))?;
        let stopped = async {
            while !stopping.load(Ordering::Acquire) {
                tokio::time::sleep(STOP_PAUSE).await;
            }
        };
        let limit_s = self.service.config().outgoing.timeout_s;
        runtime.block_on(async {
            tokio::select! {
                looked = self.connect_and_look() => looked,
                // A server that sends a byte now and then would hold a place for ever that others need.
                () = tokio::time::sleep(Duration::from_secs(limit_s)) => Err(Error::new(Kind::Busy, format!(
                    "{}: the look at folder \"{}\" was not done within {limit_s} s (outgoing.timeout_s); what was fetched by then \
                     is imported, and the next look goes on", self.folder.login, self.folder.name
                ))),
                // Whatever it was at is begun again at the next start: nothing counts before its row.
                () = stopped => Err(Error::new(Kind::Busy, "the server stops")),
            }
        })
    }

    async fn connect_and_look(&self) -> Result<FetchOutcome> {
        let login = &self.folder.login;
        let target = self.service.remote_target(login)?;
        let opened = Connection::open(&target).await;
        self.service.note_remote(login, &opened);
        let mut connection = opened?;
        let looked = self.look(&mut connection).await;
        connection.close().await;
        looked
    }

    /// The address of a name in the folder.
    fn at(&self, name: &str) -> Result<VPath> {
        self.folder.path.join(name).map_err(|why| Error::new(Kind::Invalid, why))
    }
}
