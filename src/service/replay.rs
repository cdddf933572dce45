//! What is done again of imports that the registry knows and their client's database does not: it was put back from a backup, or
//! could not be written when they were given up.

use super::by_hand::DryRun;
use super::run::{Look, PLANS, Run, Turn};
use super::{Service, reports};
use crate::error::{Error, Kind, Result};
use crate::import::report::Report;
use crate::import::settings::{Mode, Settings};
use crate::import::{self, Approval};
use crate::model::{ImportStatus, Upload, UploadState};
use crate::store::directory::{Directory, StoredImport};
use crate::vfs::ClientSpace;

/// What an import that was given up raises.
const GIVEN_UP_ALARM: &str = "T12";

/// Whether an import that ended so comes into the queue again; else it had come to nothing, by somebody's word or by another file.
pub(super) fn comes_again(ended: Option<ImportStatus>) -> bool {
    !matches!(
        ended,
        Some(
            ImportStatus::Undone
                | ImportStatus::Discarded
                | ImportStatus::Expired
                | ImportStatus::Superseded
                | ImportStatus::Duplicate
        )
    )
}

/// A later import of its folder that was applied, if there is one.
pub(super) fn overtaken(directory: &Directory, upload: &Upload) -> Result<Option<StoredImport>> {
    directory.applied_after(upload.folder.as_deref().unwrap_or_default(), upload.received_at)
}

impl Service {
    /// Uploads that count as imported, or were given up, of which neither the client's database nor the archive knows: their
    /// bytes must be sent again.
    ///
    /// # Errors
    /// A registry that cannot be read; a client's database that cannot be is told by [`Self::check_databases`].
    pub fn lost_uploads(&self) -> Result<Vec<Upload>> {
        self.unknown_uploads(|directory, space, upload| {
            if reports::is_archived(space, upload.id) {
                return Ok(false);
            }
            Ok(upload.state != UploadState::Failed || overtaken(directory, upload)?.is_none())
        })
    }

    /// Uploads that were given up by our own fault and of which the client's database does not know: the next start imports
    /// them.
    ///
    /// # Errors
    /// As [`Self::lost_uploads`].
    pub fn given_up_uploads(&self) -> Result<Vec<Upload>> {
        self.unknown_uploads(|_, space, upload| {
            Ok(upload.state == UploadState::Failed && reports::is_archived(space, upload.id))
        })
    }

    /// Uploads that ended, would come again, and are not known to their client's database, as far as `is_wanted` says.
    fn unknown_uploads(
        &self,
        is_wanted: impl Fn(&Directory, &ClientSpace, &Upload) -> Result<bool>,
    ) -> Result<Vec<Upload>> {
        let mut found = Vec::new();
        for client in self.registry().clients()? {
            let ended = self.registry().ended_uploads(&client.slug)?;
            if ended.is_empty() {
                continue;
            }
            let looked = || -> Result<Vec<Upload>> {
                let space = self.client_space(&client.slug)?;
                let directory = self.directory(&space)?;
                let mut found = Vec::new();
                for upload in ended {
                    let is_unknown = !directory.knows_import(upload.id)?
                        && comes_again(self.registry().noted_end(upload.id)?);
                    if is_unknown && is_wanted(&directory, &space, &upload)? {
                        found.push(upload);
                    }
                }
                self.keep_directory(&space, directory);
                Ok(found)
            };
            match looked() {
                Ok(mut of_client) => found.append(&mut of_client),
                Err(error) => {
                    tracing::warn!(%error, client = client.slug, "looking for uploads that are lost");
                }
            }
        }
        Ok(found)
    }

    /// Says that an import was given up; `is_known`: its client's database has it, so no start tries it again.
    pub(super) fn import_was_given_up(&self, upload: &Upload, why: &str, is_known: bool) {
        let cure = if is_known {
            "the log says more; when that is mended, have the file sent again"
        } else {
            "mend what the log says and start the server again: it is imported then"
        };
        let text = format!(
            "import {} ({}) was given up by an error on our side, and nothing of it was applied: {why}; {cure}",
            upload.id, upload.path
        );
        self.raise(Some(&upload.client), GIVEN_UP_ALARM, &upload.id.to_string(), &text);
    }

    /// Ends the alarms about imports that were given up and which this one makes up for: itself, or an earlier file of its path
    /// where this one was applied.
    pub(super) fn import_was_made_up_for(&self, done: &Upload, report: &Report) -> Result<()> {
        let takes_its_place = |upload: &Upload| {
            report.status.is_applied()
                && upload.folder == done.folder
                && upload.path == done.path
                && upload.seq < done.seq
        };
        self.clear_given_up(&done.client, |upload| upload.id == done.id || takes_its_place(upload))
    }

    /// Ends the alarms about imports that were given up and cannot come to anything any more: they ended otherwise, or their
    /// archived file is gone.
    pub(super) fn clear_past_failures(&self, space: &ClientSpace) -> Result<()> {
        self.clear_given_up(space.client(), |upload| {
            upload.state != UploadState::Failed || !reports::is_archived(space, upload.id)
        })
    }

    fn clear_given_up(&self, client: &str, is_over: impl Fn(&Upload) -> bool) -> Result<()> {
        for subject in self.registry().alarm_subjects(client, GIVEN_UP_ALARM)? {
            let upload = match subject.parse() {
                Ok(id) => self.registry().upload(id)?,
                Err(_) => None,
            };
            if upload.is_none_or(|upload| is_over(&upload)) {
                self.clear(Some(client), GIVEN_UP_ALARM, &subject);
            }
        }
        Ok(())
    }
}

impl Run<'_> {
    /// What stands in the way of an import that comes again after it had ended so: a later full file that says it all, or that
    /// it was not applied then and must not be without somebody's word. `None`: nothing does, it takes its turn.
    pub(super) fn again(
        &self,
        directory: &mut Directory,
        settings: &Settings,
        ended: Option<ImportStatus>,
    ) -> Result<Option<Report>> {
        match ended {
            Some(ImportStatus::Held | ImportStatus::Rejected) => {}
            Some(ImportStatus::Failed) => match overtaken(directory, self.upload)? {
                None => return Ok(None),
                Some(later) if later.report.mode == Mode::Full && settings.mode == Mode::Full => {
                    let newer = later.summary.record.id.to_string();
                    let plan = import::plan_superseded(&self.upload_meta(), settings, &newer);
                    return self.record(directory, settings, plan, Turn::First).map(Some);
                }
                Some(_) => {}
            },
            _ => return Ok(None),
        }
        self.count_attempt()?;
        self.hold_for_somebody(directory, settings).map(Some)
    }

    /// Records what the file comes to now; what would be applied is held, whatever the guards say.
    fn hold_for_somebody(&self, directory: &mut Directory, settings: &Settings) -> Result<Report> {
        for _ in 0..PLANS {
            let content = self.read(settings)?;
            let look = self.first_look(DryRun::No);
            let mut plan = self.plan(directory, settings, &content, &look)?;
            if plan.report.status.is_applied() && !plan.report.dry_run {
                let whole = Look { approval: Some(&Approval::Whole), ..look };
                // Only a plan that somebody may approve has a digest.
                let digest = self.plan(directory, settings, &content, &whole)?.digest;
                plan = import::plan::held_for_somebody(plan);
                plan.digest = digest;
            }
            match self.record(directory, settings, plan, Turn::First) {
                Err(e) if e.kind() == Kind::Conflict => {}
                other => return other,
            }
        }
        Err(Error::new(Kind::Busy, "the directory is being changed by somebody else"))
    }
}
