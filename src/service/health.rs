//! Whether the server can do its work just now: for load balancers, monitoring, and the warnings of the page.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::feed::{ImportFilter, Stand};
use super::{Service, due};
use crate::error::{Error, Result};
use crate::model::UploadState;
use crate::store::registry::UploadFilter;

/// What the end of the certificate raises, and how many days before: each is told by itself.
const CERTIFICATE_ALARM: &str = "T10";
/// Files in the certificates folder that cannot be used.
const CERTIFICATE_FILES_ALARM: &str = "T11";
const CERTIFICATE_DAYS: [i64; 4] = [0, 1, 7, 30];
/// A certificate that ends sooner than this is told.
pub const RENEW_BEFORE: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How long an answer holds: whoever asks again and again must not keep the disk busy.
const ANSWER_HOLDS: Duration = Duration::from_secs(2);
/// Held imports that are looked at: those behind them wait for a person, not for this server.
const HOLDS: u32 = 500;

/// How well something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// Nothing is wrong.
    Good,
    /// It will be wrong before long.
    Warning,
    /// The server cannot do its work.
    Wrong,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sign {
    /// `registry`, `disk`, `queue`, `certificate`; `data` where the data folder is not the one that is served.
    pub what: &'static str,
    /// How it is.
    pub grade: Grade,
    /// What was found, and the cure.
    pub found: String,
}

/// How the server is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Health {
    /// Whether nothing is wrong; warnings may stand.
    pub ready: bool,
    /// Everything that was looked at.
    pub signs: Vec<Sign>,
}

/// The last answer, for as long as it holds.
#[derive(Default)]
pub(super) struct LastHealth(Mutex<Option<(Instant, Health)>>);

/// Room on a disk.
pub(super) struct Room {
    pub(super) free_bytes: u64,
    pub(super) total_bytes: u64,
}

impl Service {
    /// How the server is now, or was a moment ago; `certificate_ends`: the end of the TLS certificate, where one is used.
    #[must_use]
    pub fn health(&self, certificate_ends: Option<Timestamp>) -> Health {
        let mut last = self.0.health.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, health)) = last.as_ref().filter(|(at, _)| at.elapsed() < ANSWER_HOLDS) {
            tracing::trace!(?at, "the last answer still holds");
            return health.clone();
        }
        let mut signs = vec![self.registry_sign(), self.disk_sign(), self.queue_sign()];
        signs.extend(self.data_sign());
        signs.extend(certificate_ends.map(|ends| certificate_sign(ends, self.clock().now())));
        let health = Health { ready: signs.iter().all(|s| s.grade != Grade::Wrong), signs };
        *last = Some((Instant::now(), health.clone()));
        health
    }

    /// Raises the alarm about a certificate that ends before long, once for each of the days on which somebody is told again;
    /// a new certificate ends it.
    pub fn look_at_certificate(&self, ends: Timestamp) {
        let left = ends.duration_since(self.clock().now());
        let due = |days: &i64| left <= SignedDuration::from_hours(days.saturating_mul(24));
        let due = CERTIFICATE_DAYS.into_iter().find(due);
        for days in CERTIFICATE_DAYS {
            let subject = match days {
                0 => "certificate ended".to_owned(),
                1 => "certificate, 1 day".to_owned(),
                days => format!("certificate, {days} days"),
            };
            if due == Some(days) {
                let found = certificate_sign(ends, self.clock().now()).found;
                let text = format!("the TLS certificate: {found}");
                self.raise(None, CERTIFICATE_ALARM, &subject, &text);
            } else {
                self.clear(None, CERTIFICATE_ALARM, &subject);
            }
        }
    }

    /// Raises the alarm about new certificate files that cannot be used, while the old certificate goes on; right ones end it.
    pub fn certificates_were_reloaded(&self, wrong: &[String]) {
        let subject = "certificate files";
        if wrong.is_empty() {
            return self.clear(None, CERTIFICATE_FILES_ALARM, subject);
        }
        let text = format!("{}; the certificate of before goes on", wrong.join("; "));
        self.raise(None, CERTIFICATE_FILES_ALARM, subject, &text);
    }

    fn registry_sign(&self) -> Sign {
        let (grade, found) = match self.registry().probe() {
            Ok(()) => (Grade::Good, "it can be written".to_owned()),
            Err(error) => (Grade::Wrong, error.message().to_owned()),
        };
        Sign { what: "registry", grade, found }
    }

    /// Another folder in the place of the one that is served; nothing to say of the right one.
    fn data_sign(&self) -> Option<Sign> {
        let error = self.0.home.check(self.data()).err()?;
        Some(Sign { what: "data", grade: Grade::Wrong, found: error.message().to_owned() })
    }

    fn disk_sign(&self) -> Sign {
        let least = self.config().limits.min_free_bytes;
        let (grade, found) = match room(self.data()) {
            Ok(room) if room.free_bytes < least => (
                Grade::Wrong,
                format!(
                    "{} are free, and uploads are refused below {} (limits.min_free_bytes); make room",
                    in_words(room.free_bytes),
                    in_words(least)
                ),
            ),
            Ok(room) if room.free_bytes / 4 < least => (
                Grade::Warning,
                format!(
                    "{} are free; uploads will be refused below {} (limits.min_free_bytes)",
                    in_words(room.free_bytes),
                    in_words(least)
                ),
            ),
            Ok(room) => (Grade::Good, format!("{} are free", in_words(room.free_bytes))),
            Err(error) => (Grade::Wrong, error.message().to_owned()),
        };
        Sign { what: "disk", grade, found }
    }

    fn queue_sign(&self) -> Sign {
        let most = self.config().metrics.ready_queue_age_s;
        let (grade, found) = match self.oldest_ready() {
            Ok(None) => (Grade::Good, "no upload waits".to_owned()),
            Ok(Some(since)) => {
                let age = self.clock().now().duration_since(since).as_secs().max(0);
                let age = u64::try_from(age).unwrap_or(0);
                let found = format!("the oldest upload has waited {} for its import", long(age));
                let cure = format!(
                    "{found}, longer than {} (metrics.ready_queue_age_s); the log says why",
                    long(most)
                );
                if age > most { (Grade::Wrong, cure) } else { (Grade::Good, found) }
            }
            Err(error) => (Grade::Wrong, error.message().to_owned()),
        };
        Sign { what: "queue", grade, found }
    }

    /// Since when the oldest upload could have been imported; those that wait for their hour or behind somebody's decision do
    /// not count.
    pub(super) fn oldest_ready(&self) -> Result<Option<Timestamp>> {
        let mut oldest: Option<Timestamp> = None;
        for client in self.registry().clients_waiting()? {
            let Some(client) = self.registry().client(&client)? else { continue };
            // Its alarm (T13) tells that; the others are served.
            if self.is_left_out(&client.slug)? {
                continue;
            }
            let filter = ImportFilter {
                client: Some(client.slug.clone()),
                stand: Some(Stand::ToDecide),
                limit: HOLDS,
                ..ImportFilter::default()
            };
            let held = self.imports_page(&filter)?.imports;
            let is_behind =
                |folder: &Option<String>| held.iter().any(|view| view.folder == *folder);
            let mut waiting = self.registry().uploads(&UploadFilter {
                client: Some(client.slug.clone()),
                states: vec![UploadState::Queued],
                ..UploadFilter::default()
            })?;
            waiting.retain(|upload| !is_behind(&upload.folder));
            let since = due::ready_since(self, &client, &waiting)?;
            oldest = [oldest, since].into_iter().flatten().min();
        }
        Ok(oldest)
    }
}

/// `15.5 GB`: as disks are sold.
fn in_words(bytes: u64) -> String {
    const UNITS: [(u64, &str); 4] =
        [(1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1000, "kB")];
    let fitting = UNITS.into_iter().find(|(unit, _)| bytes >= *unit);
    match fitting {
        Some((unit, name)) => format!("{}.{} {name}", bytes / unit, bytes % unit / (unit / 10)),
        None => format!("{bytes} bytes"),
    }
}

/// `40 s`, `12 min`, `5 h`, `3 d`: the largest unit of which there are at least two.
fn long(seconds: u64) -> String {
    let units = [(86_400, "d"), (3600, "h"), (60, "min")];
    let fitting = units.into_iter().find(|(unit, _)| seconds >= 2 * unit);
    fitting.map_or(format!("{seconds} s"), |(unit, name)| format!("{} {name}", seconds / unit))
}

fn certificate_sign(ends: Timestamp, now: Timestamp) -> Sign {
    let day = ends.strftime("%Y-%m-%d");
    let cure = "put a new certificate and key into the certificates folder; a running server takes them up by itself";
    let (grade, found) = if ends <= now {
        (Grade::Wrong, format!("it ended on {day}: {cure}"))
    } else if ends.duration_since(now) < RENEW_BEFORE {
        (Grade::Warning, format!("it ends on {day}: {cure}"))
    } else {
        (Grade::Good, format!("valid until {day}"))
    };
    Sign { what: "certificate", grade, found }
}

/// The room on the disk of a folder.
pub(super) fn room(folder: &Path) -> Result<Room> {
    let asked = rustix::fs::statvfs(folder)
        .map_err(|e| Error::io(format!("asking for the room in {}", folder.display()), e.into()))?;
    Ok(Room {
        free_bytes: asked.f_bavail.saturating_mul(asked.f_frsize),
        total_bytes: asked.f_blocks.saturating_mul(asked.f_frsize),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;
    use crate::clock::Clock;

    #[test]
    fn a_certificate_is_good_then_a_warning_then_wrong() {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        for (ends, grade) in [
            ("2027-01-22T10:00:00Z", Grade::Good),
            ("2026-12-01T10:00:00Z", Grade::Warning),
            ("2026-11-22T10:00:00Z", Grade::Wrong),
        ] {
            assert_eq!(certificate_sign(ends.parse().unwrap(), now).grade, grade, "{ends}");
        }
    }

    #[test]
    fn the_end_of_a_certificate_is_told_again_as_it_comes_nearer_and_never_after_a_new_one() {
        static NOW: AtomicI64 = AtomicI64::new(0);
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let service = Service::open(std::sync::Arc::default(), &data, Clock::Set(&NOW)).unwrap();
        let ends: Timestamp = "2027-03-01T12:00:00Z".parse().unwrap();
        let standing = |now: &str, ends: Timestamp| -> Vec<String> {
            let now: Timestamp = now.parse().unwrap();
            NOW.store(now.as_microsecond(), Ordering::Release);
            service.look_at_certificate(ends);
            service.look_at_certificate(ends);
            let all = service.alarms(None, false, 10).unwrap();
            all.into_iter().map(|alarm| format!("{} {}", alarm.code, alarm.subject)).collect()
        };
        for (now, told) in [
            ("2027-01-01T00:00:00Z", &[][..]),
            ("2027-01-31T00:00:00Z", &["T10 certificate, 30 days"]),
            ("2027-02-10T00:00:00Z", &["T10 certificate, 30 days"]),
            ("2027-02-23T00:00:00Z", &["T10 certificate, 7 days"]),
            ("2027-02-28T13:00:00Z", &["T10 certificate, 1 day"]),
            ("2027-03-01T12:00:00Z", &["T10 certificate ended"]),
        ] {
            assert_eq!(standing(now, ends), told, "{now}");
        }
        let renewed = "2028-03-01T12:00:00Z".parse().unwrap();
        assert!(standing("2027-03-01T13:00:00Z", renewed).is_empty());
        // Each was raised once, however often somebody looked.
        assert_eq!(service.alarms(None, true, 100).unwrap().len(), 4);
    }
}
