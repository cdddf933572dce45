//! When the import of a waiting upload is due, by the trigger of its folder.

use std::collections::HashMap;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{Service, names};
use crate::error::Result;
use crate::import::settings::Settings;
use crate::model::{Client, Upload, UploadId};
use crate::schedule::Trigger;
use crate::store::directory::Directory;

/// An upload from further in the future than this was stamped by a clock that went wrong: it waits for no time.
const WRONG_CLOCK: SignedDuration = SignedDuration::from_hours(24);

/// The triggers of a client's folders.
pub(super) struct Calendar {
    zone: TimeZone,
    triggers: HashMap<String, Trigger>,
}

impl Calendar {
    /// The client's triggers as they are set now.
    pub(super) fn of(service: &Service, client: &Client) -> Result<Self> {
        let mut triggers = HashMap::new();
        for one in service.registry().folders_whose_settings_name("trigger", Some(&client.slug))? {
            // Settings that cannot be read hold nothing back: the import tells.
            let Ok(settings) = Settings::from_toml(&one.settings) else { continue };
            if settings.handling.schedule.trigger != Trigger::Upload {
                triggers.insert(one.folder, settings.handling.schedule.trigger);
            }
        }
        Ok(Self { zone: zone(&client.time_zone), triggers })
    }

    /// Whether every upload of the client is imported at once.
    pub(super) fn is_empty(&self) -> bool {
        self.triggers.is_empty()
    }

    /// By the calendar alone.
    fn due_at(&self, upload: &Upload, now: Timestamp) -> Option<Timestamp> {
        // By hand is at once.
        upload.protocol?;
        let trigger = self.triggers.get(upload.folder.as_deref()?)?;
        let from_afar = upload.received_at.duration_since(now) > WRONG_CLOCK;
        (!from_afar).then(|| trigger.due_at(upload.received_at, &self.zone))
    }

    /// An instant as the client's clock shows it: `23:30`, or with its date if that is not today's.
    pub(super) fn words(&self, at: Timestamp, now: Timestamp) -> String {
        let (at, now) = (at.to_zoned(self.zone.clone()), now.to_zoned(self.zone.clone()));
        let form = if at.date() == now.date() { "%H:%M" } else { "%Y-%m-%d %H:%M" };
        at.strftime(form).to_string()
    }
}

impl Service {
    /// For which time an upload waits, in words of its client's clock; `None`: for none.
    pub(super) fn waits_for_time(&self, upload: &Upload) -> Result<Option<String>> {
        let Some(client) = self.registry().client(&upload.client)? else { return Ok(None) };
        let calendar = Calendar::of(self, &client)?;
        if calendar.is_empty() {
            return Ok(None);
        }
        let (_, at) = due(self, &calendar, std::slice::from_ref(upload))?;
        Ok(at.map(|at| calendar.words(at, self.clock().now())))
    }

    /// The same, for a receipt: what cannot be read just now is said by the import itself.
    pub(super) fn import_time(&self, upload: &Upload) -> Option<String> {
        self.waits_for_time(upload).unwrap_or_else(|error| {
            tracing::warn!(%error, upload = %upload.id, "looking for the time of an import");
            None
        })
    }
}

/// A client's time zone; its name was checked when it was set.
pub(super) fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap_or(TimeZone::UTC)
}

/// The uploads of a client whose turn it may be, in order of arrival, and when the next of the others is due.
pub(super) fn due<'u>(
    service: &Service,
    calendar: &Calendar,
    waiting: &'u [Upload],
) -> Result<(Vec<&'u Upload>, Option<Timestamp>)> {
    if calendar.is_empty() {
        return Ok((waiting.iter().collect(), None));
    }
    let now = service.clock().now();
    let by_hand = last_by_hand(waiting);
    let mut directory = None;
    let (mut ready, mut next) = (Vec::new(), None::<Timestamp>);
    for upload in waiting {
        let at = calendar.due_at(upload, now).filter(|at| *at > now);
        // What comes by hand goes behind what waits in its folder: it takes that along.
        let by_hand = upload.folder.as_deref().and_then(|folder| by_hand.get(folder));
        let is_taken_along = by_hand.is_some_and(|seq| *seq > upload.seq);
        match at {
            Some(at) if !is_taken_along && !never_waits(service, &mut directory, upload)? => {
                next = Some(next.map_or(at, |next| next.min(at)));
            }
            _ => ready.push(upload),
        }
    }
    Ok((ready, next))
}

/// The last upload by hand of each folder, by its place in the order of arrival.
fn last_by_hand(waiting: &[Upload]) -> HashMap<&str, i64> {
    let by_hand = waiting.iter().filter(|upload| upload.protocol.is_none());
    by_hand.filter_map(|upload| Some((upload.folder.as_deref()?, upload.seq))).collect()
}

/// A trial, and an import that had its turn and has only a report to be written again.
fn never_waits(
    service: &Service,
    directory: &mut Option<Directory>,
    upload: &Upload,
) -> Result<bool> {
    let folders = service.registry().folders(&upload.login)?;
    if names::is_dry_run(&folders, &upload.path) {
        return Ok(true);
    }
    let directory = match directory {
        Some(directory) => directory,
        None => directory.insert(service.open_directory(&upload.client)?),
    };
    directory.knows_import(upload.id)
}

/// Leaves out what waits for its time.
pub(super) fn only_due(
    service: &Service,
    client: &Client,
    uploads: Vec<Upload>,
) -> Result<Vec<Upload>> {
    let calendar = Calendar::of(service, client)?;
    if calendar.is_empty() {
        return Ok(uploads);
    }
    let (ready, _) = due(service, &calendar, &uploads)?;
    let ready: Vec<UploadId> = ready.into_iter().map(|upload| upload.id).collect();
    Ok(uploads.into_iter().filter(|upload| ready.contains(&upload.id)).collect())
}

/// Since when the oldest of a client's waiting uploads could have been imported; `None`: all wait for their hour.
pub(super) fn ready_since(
    service: &Service,
    client: &Client,
    waiting: &[Upload],
) -> Result<Option<Timestamp>> {
    let calendar = Calendar::of(service, client)?;
    let now = service.clock().now();
    let (ready, _) = due(service, &calendar, waiting)?;
    let since = |upload: &&Upload| {
        let at = calendar.due_at(upload, now).filter(|at| *at <= now);
        at.map_or(upload.received_at, |at| at.max(upload.received_at))
    };
    Ok(ready.iter().map(since).min())
}

/// How long until an instant.
pub(super) fn until(service: &Service, at: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(service.clock().now())).unwrap_or_default()
}
