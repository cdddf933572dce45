//! What is old enough goes: archived bytes of finished uploads, reports, history, the names of those who left.

use std::collections::HashSet;
use std::io::Read as _;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::names::REPORTS_FOLDER;
use super::run::Run;
use super::{Service, commit, drops, events, exports};
use crate::config::Retention;
use crate::error::{Error, Result};
use crate::import::pseudonym::Traces;
use crate::import::text::Charset;
use crate::import::unpack::{self, UnpackLimits};
use crate::model::{Client, Purpose, Upload, UploadId, UploadState};
use crate::store::directory::{Directory, Event, EventKind};
use crate::vfs::{ClientSpace, Folder};

/// Removes what `retention` no longer keeps, client by client; a fault of one client is logged.
pub(super) fn apply(service: &Service) -> Result<()> {
    service.forget_old_handouts()?;
    service.sweep_erased()?;
    events::forget(service)?;
    for client in service.registry().clients()? {
        // What the next start needs to bring it to its end stays.
        if service.is_left_out(&client.slug)? {
            continue;
        }
        let kept = service.registry().client_retention(&client.slug)?;
        let kept = kept.over(&service.config().retention);
        let removed = service
            .client_space(&client.slug)
            .and_then(|space| Keeper { service, client: &client, space: &space, kept }.apply());
        if let Err(error) = removed {
            tracing::warn!(%error, client = client.slug, "removing what is old enough");
        }
    }
    Ok(())
}

/// The instant before which things go; `None`: they stay for ever.
pub(super) fn before(now: Timestamp, days: u32) -> Option<Timestamp> {
    let kept = SignedDuration::from_hours(i64::from(days).saturating_mul(24));
    now.checked_sub(kept).ok().filter(|_| days > 0)
}

/// Until when the history of something that happens now is kept; `None`: for ever.
pub(super) fn until(now: Timestamp, days: u32) -> Option<Timestamp> {
    let kept = SignedDuration::from_hours(i64::from(days).saturating_mul(24));
    now.checked_add(kept).ok().filter(|_| days > 0)
}

/// One client's retention at work.
struct Keeper<'a> {
    service: &'a Service,
    client: &'a Client,
    space: &'a Arc<ClientSpace>,
    kept: Retention,
}

impl Keeper<'_> {
    fn apply(&self) -> Result<()> {
        // An import, an approval or an undo of this client waits, or is waited for.
        let _lock = self.space.lock()?;
        let now = self.service.clock().now();
        exports::forget_old(self.service, self.space, before(now, self.kept.archive_days))?;
        let mut directory = self.service.directory(self.space)?;
        let needed = needed(&directory)?;
        if let Some(before) = before(now, self.kept.archive_days) {
            self.archive(&needed, |upload| Ok(upload.finished_at.is_some_and(|at| at < before)))?;
            drops::forget(self.service, self.space, before)?;
        }
        if let Some(before) = before(now, self.kept.reports_days) {
            directory.strip_reports(before)?;
            self.reports(|_, modified| modified < before)?;
        }
        if let Some(before) = before(now, self.kept.history_days) {
            directory.forget_before(before)?;
        }
        if self.kept.pseudonymise_after_months > 0 {
            self.pseudonymise(&mut directory, &needed, now)?;
        }
        self.service.keep_directory(self.space, directory);
        Ok(())
    }

    /// Removes archived files of uploads in a final state, except those that somebody may still decide about.
    fn archive(
        &self,
        needed: &HashSet<UploadId>,
        is_due: impl Fn(&Upload) -> Result<bool>,
    ) -> Result<()> {
        let fault = |e| Error::io("removing old uploads from the archive", e);
        for entry in self.space.archive.entries().map_err(fault)? {
            let (name, inode) = entry.map_err(fault)?;
            let Ok(id) = name.parse::<UploadId>() else { continue };
            let Some(upload) = self.service.registry().upload(id)? else { continue };
            let is_final = !matches!(upload.state, UploadState::Prepared | UploadState::Queued);
            if is_final && !needed.contains(&id) && is_due(&upload)? {
                self.space.archive.remove_file_if_there(&name).map_err(fault)?;
                release(self.space, inode.links, inode.stat.bytes);
            }
        }
        Ok(())
    }

    /// Removes the report files in `reports/` of which `is_due` says so, by name and time.
    fn reports(&self, is_due: impl Fn(&str, Timestamp) -> bool) -> Result<()> {
        for (path, reports) in self.report_folders()? {
            let remove = || -> std::io::Result<()> {
                for entry in reports.entries()? {
                    let (name, inode) = entry?;
                    if !inode.stat.is_folder() && is_due(&name, inode.stat.modified) {
                        reports.remove_file_if_there(&name)?;
                        release(self.space, inode.links, inode.stat.bytes);
                    }
                }
                Ok(())
            };
            remove().map_err(|e| Error::io(format!("removing old reports of {path}"), e))?;
        }
        Ok(())
    }

    fn report_folders(&self) -> Result<Vec<(String, Folder)>> {
        let mut folders = Vec::new();
        for folder in self.service.registry().client_folders(self.space.client())? {
            if folder.purpose != Purpose::Import {
                continue;
            }
            let files = self.space.account(&folder.login)?;
            // A folder that has no reports yet has nothing to remove.
            let Ok(home) = files.folder(&folder.path) else { continue };
            let Ok(reports) = home.child(REPORTS_FOLDER) else { continue };
            folders.push((folder.path.to_string(), reports));
        }
        Ok(folders)
    }

    /// Gives pseudonyms to those who left long ago and are in no file any more (docs/retention.md).
    fn pseudonymise(
        &self,
        directory: &mut Directory,
        needed: &HashSet<UploadId>,
        now: Timestamp,
    ) -> Result<()> {
        let zone = TimeZone::get(&self.client.time_zone).unwrap_or(TimeZone::UTC);
        let months = i64::from(self.kept.pseudonymise_after_months.min(MAX_MONTHS));
        let then = now.to_zoned(zone).saturating_sub(months.months());
        let users = directory.left_before(then.date(), then.timestamp())?;
        if users.is_empty() {
            return Ok(());
        }
        let traces = directory.traces(&users)?;
        // The files first: once the names are gone from the directory, nobody could find them there.
        self.archive(needed, |upload| Ok(self.names_any(&traces, upload)))?;
        exports::forget_people(self.service, self.space, &traces)?;
        let event = Event {
            id: commit::new_id(self.service.clock()),
            kind: EventKind::Pseudonyms,
            about: None,
            source: String::new(),
            who: "retention".to_owned(),
            at: now,
        };
        let changed = directory.pseudonymise(&event, &users, &traces)?;
        for id in changed {
            self.report_again(directory, id)?;
        }
        tracing::info!(
            client = self.client.slug,
            users = users.len(),
            "users who left got pseudonyms"
        );
        Ok(())
    }

    /// Whether an archived file names somebody. What cannot be read might, so it counts.
    fn names_any(&self, traces: &Traces, upload: &Upload) -> bool {
        let limits = &self.service.config().limits;
        let unpacked = UnpackLimits {
            max_bytes: limits.max_import_bytes,
            max_ratio: limits.max_unpack_ratio,
            max_columns: limits.max_columns,
        };
        let mut bytes = Vec::new();
        let read = self
            .space
            .archive
            .open_file(&upload.id.to_string())
            .and_then(|file| file.take(limits.max_import_bytes).read_to_end(&mut bytes));
        match read.map(|_| unpack::open(&bytes, &unpacked, Charset::Auto)) {
            Ok(Ok(opened)) => traces.are_in(&opened.decoded.text),
            Ok(Err(_)) | Err(_) => true,
        }
    }

    /// Writes the files of a report anew where they are still kept.
    fn report_again(&self, directory: &Directory, id: UploadId) -> Result<()> {
        let (Some(upload), Some(stored)) =
            (self.service.registry().upload(id)?, directory.import(id)?)
        else {
            return Ok(());
        };
        let mark = id.to_string();
        for (_, reports) in self.report_folders()? {
            let there = reports.entries().and_then(|all| all.collect::<std::io::Result<Vec<_>>>());
            let there = there.map_err(|e| Error::io("looking through old reports", e))?;
            if there.iter().any(|(name, _)| name.contains(&mark)) {
                let (service, space) = (self.service, self.space);
                let run = Run { service, space, client: self.client, upload: &upload };
                return run.tell_again(directory, &stored.report);
            }
        }
        Ok(())
    }
}

/// More months than anybody means.
const MAX_MONTHS: u32 = 1200;

/// The imports whose archived files somebody may still decide about.
fn needed(directory: &Directory) -> Result<HashSet<UploadId>> {
    let held = directory.holds()?.into_iter().map(|hold| hold.id);
    let pending = directory.pending_rows()?.into_iter().map(|row| row.import);
    Ok(held.chain(pending).collect())
}

/// Gives the quota back what no other name keeps.
fn release(space: &ClientSpace, links: u64, bytes: u64) {
    if links < 2 {
        space.occupied.release(bytes);
    }
}
