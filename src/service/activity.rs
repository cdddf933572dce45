//! What accounts did over their connections, kept for some days: gathered in memory, written every moment in one transaction.
//!
//! It is for people who ask what happened. What was acknowledged stands in the registry's uploads, whatever becomes of this.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::Service;
use super::login::{LoginAttempt, LoginRefused};
use super::meters::Meters;
use super::retention::before;
use super::session::State;
use crate::config::Config;
use crate::error::Result;
use crate::model::{VPath, check_login};

pub use crate::store::registry::{Activity, ActivityFilter};

/// The names of what is kept: what can be asked for.
pub const EVENTS: [&str; 12] = [
    "login",
    "program",
    "refused",
    "upload",
    "interrupted",
    "download",
    "rename",
    "delete",
    "mkdir",
    "rmdir",
    "ban",
    "lost",
];

/// How often what was gathered is written.
const WRITE_PAUSE: Duration = Duration::from_millis(500);
/// The most that waits for being written; what comes above it is counted and lost.
const MOST_WAITING: usize = 20_000;
/// Refused logins of one turn that are written one by one; a flood of them is only counted.
const MOST_REFUSED: usize = 100;
/// The most that is kept of what a client program says of itself.
const DETAIL_CHARS: usize = 300;

/// When and with what an account was used last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LastActivity {
    /// The last login that succeeded.
    pub login: Option<Activity>,
    /// The last one that was refused.
    pub refused: Option<Activity>,
    /// The last program that said what it is.
    pub program: Option<Activity>,
    /// The last upload.
    pub upload: Option<Activity>,
}

/// What waits for being written.
#[derive(Default)]
pub(super) struct Waiting(Mutex<Gathered>, pub(super) Meters);

#[derive(Default)]
struct Gathered {
    all: Vec<Activity>,
    refused: usize,
    lost: u64,
    /// A server runs and will write; a command does not gather.
    is_written: bool,
}

impl Waiting {
    fn lock(&self) -> MutexGuard<'_, Gathered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, one: Activity) {
        self.1.happened(&one);
        let mut gathered = self.lock();
        if !gathered.is_written {
            return;
        }
        let is_refusal = one.event == "refused";
        let too_many = gathered.all.len() >= MOST_WAITING;
        if too_many || (is_refusal && gathered.refused >= MOST_REFUSED) {
            gathered.lost = gathered.lost.saturating_add(1);
            return;
        }
        gathered.refused += usize::from(is_refusal);
        gathered.all.push(one);
    }

    fn take(&self, now: Timestamp) -> Vec<Activity> {
        let mut gathered = self.lock();
        let mut all = std::mem::take(&mut gathered.all);
        let lost = std::mem::take(&mut gathered.lost);
        gathered.refused = 0;
        if lost > 0 {
            let detail = format!("{lost} more events came too fast to be noted one by one");
            all.push(Activity { detail, ..blank("lost", now) });
        }
        all
    }
}

fn blank(event: &str, at: Timestamp) -> Activity {
    Activity {
        id: 0,
        at,
        event: event.to_owned(),
        client: None,
        login: String::new(),
        peer: String::new(),
        protocol: None,
        path: None,
        bytes: None,
        sha256: None,
        milliseconds: None,
        detail: String::new(),
    }
}

/// Writes what is gathered until the server stops.
pub(super) fn run(service: &Service, stopping: &AtomicBool) {
    service.0.activity.lock().is_written = true;
    loop {
        // Looked at before the turn: what came in until the stop is still written.
        let last = stopping.load(Ordering::Acquire);
        let all = service.0.activity.take(service.clock().now());
        if !all.is_empty()
            && let Err(error) = service.registry().note_activity(all)
        {
            tracing::warn!(%error, "noting what accounts did");
        }
        if last {
            return;
        }
        std::thread::park_timeout(WRITE_PAUSE);
    }
}

/// Forgets what is older than `retention.activity_days`.
pub(super) fn forget_old(service: &Service) -> Result<()> {
    let Config { retention, limits, .. } = &**service.config();
    let before = before(service.clock().now(), retention.activity_days).unwrap_or(Timestamp::MIN);
    service.registry().forget_activity(before, limits.activity_rows).map(drop)
}

impl Service {
    /// What happened, by the filter.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn activity(&self, filter: &ActivityFilter) -> Result<Vec<Activity>> {
        self.registry().activity(filter)
    }

    /// When and with what an account was used last, as far as that is still known.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn last_activity(&self, client: &str, login: &str) -> Result<LastActivity> {
        let last = |event: &str| {
            let filter = ActivityFilter {
                client: Some(client.to_owned()),
                login: Some(login.to_owned()),
                event: Some(event.to_owned()),
                limit: 1,
                ..ActivityFilter::default()
            };
            self.activity(&filter).map(|found| found.into_iter().next())
        };
        Ok(LastActivity {
            login: last("login")?,
            refused: last("refused")?,
            program: last("program")?,
            upload: last("upload")?,
        })
    }

    /// Notes how a login ended.
    pub(super) fn note_attempt(
        &self,
        attempt: &LoginAttempt,
        client: Option<&str>,
        refused: Option<&LoginRefused>,
    ) {
        let event = if refused.is_some() { "refused" } else { "login" };
        // People type passwords where a login is asked for; what cannot be a login is not kept.
        let login = match check_login(&attempt.login) {
            Ok(()) => attempt.login.clone(),
            Err(_) => "(not a login)".to_owned(),
        };
        self.0.activity.add(Activity {
            client: client.map(str::to_owned),
            login,
            peer: attempt.peer.ip().to_canonical().to_string(),
            protocol: Some(attempt.protocol),
            detail: refused.map_or(String::new(), |refusal| refusal.log.to_owned()),
            ..blank(event, self.clock().now())
        });
    }

    /// Notes that an address was banned.
    pub(super) fn note_banned(&self, address: &str, until: Timestamp) {
        self.0.activity.add(Activity {
            peer: address.to_owned(),
            detail: format!("until {until}"),
            ..blank("ban", self.clock().now())
        });
    }
}

/// What a session did.
#[derive(Debug, Default)]
pub(super) struct Deed<'a> {
    pub(super) bytes: Option<u64>,
    pub(super) sha256: Option<&'a str>,
    pub(super) milliseconds: Option<u64>,
    pub(super) detail: &'a str,
}

impl State {
    /// Notes what the other side runs, or how the connection is protected.
    pub(super) fn note_program(&self, words: &str) {
        let words = short(words);
        self.add_means(&words);
        self.write(Activity { detail: words, ..self.blank("program") });
    }

    /// Notes what this session did at `path`.
    pub(super) fn note(&self, event: &str, path: &VPath, deed: &Deed<'_>) {
        self.write(Activity {
            path: Some(path.to_string()),
            bytes: deed.bytes,
            sha256: deed.sha256.map(str::to_owned),
            milliseconds: deed.milliseconds,
            detail: short(deed.detail),
            ..self.blank(event)
        });
    }

    fn write(&self, one: Activity) {
        self.service.0.activity.add(one);
    }

    fn blank(&self, event: &str) -> Activity {
        Activity {
            client: Some(self.client.slug.clone()),
            login: self.login.clone(),
            peer: self.peer().to_canonical().to_string(),
            protocol: Some(self.protocol),
            ..blank(event, self.service.clock().now())
        }
    }
}

/// Without control characters, and not too long: strangers write here.
fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(DETAIL_CHARS).collect()
}
