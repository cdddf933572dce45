//! What happens by the clock: each task at the instants of its trigger, a missed one caught up once.

use std::collections::{HashMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::due::zone;
use super::{Service, causes, expected, exports, workers};
use crate::error::{Error, Result};
use crate::import::settings::Settings;
use crate::model::{Purpose, UploadState};
use crate::schedule::Trigger;
use crate::store::registry::{ScheduleMark, UploadFilter};

/// How often the clock is looked at.
const LOOK_PAUSE: Duration = Duration::from_millis(500);
/// How often tasks are looked for when nothing says that they have changed.
const TASKS_PAUSE: Duration = Duration::from_secs(5);
/// A task that failed is tried again after so long, times the failures …
const AGAIN_S: u64 = 60;
/// … and at most after so long.
const LONGEST_AGAIN_S: u64 = 600;
/// A mark further in the future than this was made by a clock that went wrong since: it counts no more.
const WRONG_CLOCK: SignedDuration = SignedDuration::from_mins(10);

/// The clock was set when it has moved by so much more or less than time has gone by.
const CLOCK_SET: SignedDuration = SignedDuration::from_secs(2);

/// What kind of thing happens by the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Waiting uploads of a folder are imported.
    Import,
    /// Files are fetched from the client's own server.
    Fetch,
    /// An export is made.
    Export,
    /// Somebody is warned if no file has come.
    Expected,
    /// Somebody is warned if the newest import is old.
    Fresh,
}

impl Kind {
    /// The word in lists and marks.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Fetch => "fetch",
            Self::Export => "export",
            Self::Expected => "expected",
            Self::Fresh => "fresh",
        }
    }
}

/// Something that is done at the instants of a trigger.
#[derive(Clone)]
pub(super) struct Task {
    /// The client's slug.
    pub(super) client: String,
    /// What kind of thing it is.
    pub(super) kind: Kind,
    /// The folder's or export's name: one of a kind and name runs at a time.
    pub(super) name: String,
    /// When.
    pub(super) trigger: Trigger,
    /// What it does, in words for operators.
    pub(super) what: String,
    /// Does it for an instant; a crash in between repeats it, a failure has it tried again.
    pub(super) run: fn(&Service, &Self, Timestamp) -> Result<()>,
}

impl Task {
    fn key(&self) -> Key {
        (self.client.clone(), format!("{}/{}", self.kind.name(), self.name))
    }
}

/// A task's client and its name in it.
type Key = (String, String);

/// Something that happens by the clock, as lists show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Scheduled {
    /// The client's slug.
    pub client: String,
    /// The folder's or export's name.
    pub name: String,
    /// What kind of thing it is.
    pub kind: Kind,
    /// Its trigger, as it is written.
    pub trigger: String,
    /// The time zone by which it goes.
    pub time_zone: String,
    /// What it does.
    pub what: String,
    /// The next three times.
    pub next: Vec<Timestamp>,
    /// Uploads that wait for the next one.
    pub waiting: usize,
}

impl Service {
    /// What happens by the clock, of one client or of all, with the next three times of each.
    ///
    /// # Errors
    /// `Kind::NotFound` for the client.
    pub fn schedule(&self, client: Option<&str>) -> Result<Vec<Scheduled>> {
        if let Some(client) = client {
            self.client(client)?;
        }
        let mut all = self.scheduled_imports(client)?;
        all.extend(self.scheduled_fetches(client)?);
        for task in tasks(self)? {
            if client.is_none_or(|client| client == task.client) {
                let trigger = &task.trigger;
                all.push(self.scheduled(
                    &task.client,
                    task.kind,
                    &task.name,
                    trigger,
                    task.what,
                )?);
            }
        }
        all.sort_by(|a, b| (&a.client, &a.name).cmp(&(&b.client, &b.name)));
        Ok(all)
    }

    fn scheduled_imports(&self, client: Option<&str>) -> Result<Vec<Scheduled>> {
        let mut all = Vec::new();
        for folder in self.registry().folders_whose_settings_name("trigger", client)? {
            let Ok(settings) = Settings::from_toml(&folder.settings) else { continue };
            let trigger = settings.handling.schedule.trigger;
            if trigger == Trigger::Upload {
                continue;
            }
            let what = "files received since the last time are imported".to_owned();
            let (client, name) = (&folder.client, &folder.folder);
            let mut one = self.scheduled(client, Kind::Import, name, &trigger, what)?;
            let queued = self.registry().uploads(&UploadFilter {
                client: Some(client.clone()),
                states: vec![UploadState::Queued],
                ..UploadFilter::default()
            })?;
            one.waiting = queued.iter().filter(|u| u.folder.as_ref() == Some(name)).count();
            all.push(one);
        }
        Ok(all)
    }

    fn scheduled_fetches(&self, client: Option<&str>) -> Result<Vec<Scheduled>> {
        let mut all = Vec::new();
        let accounts = self.registry().accounts(client)?;
        for account in accounts.iter().filter(|a| a.enabled && a.remote.is_some()) {
            for folder in self.registry().folders(&account.login)? {
                if folder.purpose != Purpose::Import {
                    continue;
                }
                let client = &account.client;
                let Ok(settings) = self.settings(client, &folder.name) else { continue };
                let Some(trigger) = settings.handling.fetch.trigger else { continue };
                let what = "files are fetched from the client's own server".to_owned();
                all.push(self.scheduled(client, Kind::Fetch, &folder.name, &trigger, what)?);
            }
        }
        Ok(all)
    }

    fn scheduled(
        &self,
        client: &str,
        kind: Kind,
        name: &str,
        trigger: &Trigger,
        what: String,
    ) -> Result<Scheduled> {
        let time_zone = self.client(client)?.time_zone;
        let zone = zone(&time_zone);
        let first = trigger.next_after(self.clock().now(), &zone);
        let next = std::iter::successors(first, |at| trigger.next_after(*at, &zone));
        Ok(Scheduled {
            client: client.to_owned(),
            name: name.to_owned(),
            kind,
            trigger: trigger.to_string(),
            time_zone,
            what,
            next: next.take(3).collect(),
            waiting: 0,
        })
    }
}

/// Everything that is done by the clock. Imports are not: each upload knows its own time.
fn tasks(service: &Service) -> Result<Vec<Task>> {
    let mut tasks = expected::tasks(service)?;
    tasks.extend(exports::tasks(service)?);
    Ok(tasks)
}

/// Does what is due until the service stops. A thread of its own, which starts others.
pub(super) fn run(service: &Service, stopping: &AtomicBool) {
    let mut clockwork = Clockwork::new();
    while !stopping.load(Ordering::Acquire) {
        if let Err(error) = clockwork.look(service) {
            tracing::warn!(%error, "looking for what is due by the clock");
        }
        std::thread::park_timeout(LOOK_PAUSE);
    }
    clockwork.finish(service);
}

/// A task that ended: what it was, its instant, how.
type Ended = (Key, Timestamp, Result<()>);

struct Clockwork {
    tasks: Vec<(Task, TimeZone, String)>,
    seen: Option<(i64, Instant)>,
    marks: HashMap<Key, ScheduleMark>,
    running: HashSet<Key>,
    failures: HashMap<Key, (u64, Instant)>,
    ended: (Sender<Ended>, Receiver<Ended>),
    /// The last look, by the clock and by the time that goes by.
    looked: Option<(Timestamp, Instant)>,
}

impl Clockwork {
    fn new() -> Self {
        Self {
            tasks: Vec::new(),
            seen: None,
            marks: HashMap::new(),
            running: HashSet::new(),
            failures: HashMap::new(),
            ended: channel(),
            looked: None,
        }
    }

    fn look(&mut self, service: &Service) -> Result<()> {
        self.take_up_changes(service)?;
        while let Ok(ended) = self.ended.1.try_recv() {
            self.settle(service, ended)?;
        }
        let now = service.clock().now();
        self.notice_set_clock(service, now)?;
        for at in 0..self.tasks.len() {
            if let Some((task, instant)) = self.due(service, at, now)? {
                self.start(service, task, instant);
            }
        }
        Ok(())
    }

    /// Uploads that wait for their time wait by the time that goes by: a clock that was set has them look again.
    fn notice_set_clock(&mut self, service: &Service, now: Timestamp) -> Result<()> {
        let before = self.looked.replace((now, Instant::now()));
        let Some((then, since)) = before else { return Ok(()) };
        let gone_by = SignedDuration::try_from(since.elapsed()).unwrap_or(SignedDuration::ZERO);
        let moved = now.duration_since(then);
        if (moved - gone_by).abs() > CLOCK_SET {
            tracing::info!(%then, %now, "the clock was set");
            workers::wake_waiting(service)?;
        }
        Ok(())
    }

    /// Waits for what runs.
    fn finish(mut self, service: &Service) {
        while !self.running.is_empty() {
            let Ok(ended) = self.ended.1.recv() else { return };
            if let Err(error) = self.settle(service, ended) {
                tracing::warn!(%error, "noting what was done by the clock");
            }
        }
    }

    fn take_up_changes(&mut self, service: &Service) -> Result<()> {
        let version = service.registry().access_version()?;
        let is_fresh =
            self.seen.is_some_and(|(seen, at)| seen == version && at.elapsed() < TASKS_PAUSE);
        if is_fresh {
            return Ok(());
        }
        let marks = service.registry().schedule_marks()?;
        self.marks = marks.into_iter().map(|m| ((m.client.clone(), m.task.clone()), m)).collect();
        let mut tasks = Vec::new();
        for task in self::tasks(service)? {
            if let Some(client) = service.registry().client(&task.client)? {
                let by = format!("{}, {}", task.trigger, client.time_zone);
                tasks.push((task, zone(&client.time_zone), by));
            }
        }
        let known: HashSet<Key> = tasks.iter().map(|(task, _, _)| task.key()).collect();
        for key in self.marks.keys().filter(|key| !known.contains(*key)) {
            service.registry().forget_schedule_mark(&key.0, &key.1)?;
        }
        self.failures.retain(|key, _| known.contains(key));
        expected::clear_answered(service)?;
        causes::clear_removed(service)?;
        (self.tasks, self.seen) = (tasks, Some((version, Instant::now())));
        Ok(())
    }

    /// The task and the last of its instants that nobody has taken care of, if there is one and it may run.
    fn due(
        &mut self,
        service: &Service,
        at: usize,
        now: Timestamp,
    ) -> Result<Option<(Task, Timestamp)>> {
        let Some((task, zone, by)) = self.tasks.get(at) else { return Ok(None) };
        let key = task.key();
        if self.running.contains(&key) || self.running.len() >= service.config().outgoing.jobs {
            return Ok(None);
        }
        // New, or by another schedule or clock than before: nothing was missed.
        let counts = |mark: &&ScheduleMark| {
            mark.trigger == *by && mark.done_until.duration_since(now) <= WRONG_CLOCK
        };
        let Some(mark) = self.marks.get(&key).filter(counts) else {
            let (client, task) = key.clone();
            let mark = ScheduleMark { client, task, trigger: by.clone(), done_until: now };
            service.registry().set_schedule_mark(&mark)?;
            self.marks.insert(key, mark);
            return Ok(None);
        };
        if self.failures.get(&key).is_some_and(|(_, again)| *again > Instant::now()) {
            return Ok(None);
        }
        let last = task.trigger.last_until(now, zone);
        Ok(last.filter(|last| *last > mark.done_until).map(|last| (task.clone(), last)))
    }

    fn start(&mut self, service: &Service, task: Task, instant: Timestamp) {
        let key = task.key();
        self.running.insert(key.clone());
        let (service, ended) = (service.clone(), self.ended.0.clone());
        let name = format!("by-the-clock-{}", task.kind.name());
        let report = key.clone();
        let body = move || {
            // A panic over one client's task must not end those of all others.
            let run = || (task.run)(&service, &task, instant);
            let done = std::panic::catch_unwind(AssertUnwindSafe(run))
                .unwrap_or_else(|_| Err(Error::new(crate::error::Kind::Internal, "it panicked")));
            // Nobody listens only when the program ends.
            drop(ended.send((report, instant, done)));
        };
        if let Err(error) = std::thread::Builder::new().name(name).spawn(body) {
            tracing::error!(%error, "no thread for what is due");
            self.running.remove(&key);
        }
    }

    fn settle(&mut self, service: &Service, (key, instant, done): Ended) -> Result<()> {
        self.running.remove(&key);
        if let Err(error) = done {
            let failures = self.failures.get(&key).map_or(1, |(failures, _)| failures + 1);
            let pause = LONGEST_AGAIN_S.min(AGAIN_S.saturating_mul(failures));
            tracing::error!(%error, client = key.0, task = key.1, pause_s = pause, "not done; it is tried again");
            self.failures.insert(key, (failures, Instant::now() + Duration::from_secs(pause)));
            return Ok(());
        }
        self.failures.remove(&key);
        // Gone, or by another schedule since it began: the next look begins it anew.
        if let Some(mark) = self.marks.get_mut(&key) {
            mark.done_until = instant;
            service.registry().set_schedule_mark(mark)?;
        }
        Ok(())
    }
}
