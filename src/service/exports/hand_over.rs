//! A run's file on its way: handed to its folder once, taken back, sent again.

use super::super::Service;
use super::super::drops::{Content, DropState, NewDrop};
use super::{WithdrawnFile, keep};
use crate::error::{Error, Kind, Result};
use crate::fault;
use crate::model::UploadId;
use crate::store::registry::{ExportRun, ExportWish, RunState};

impl Service {
    /// Hands over what recorded runs still owe to their folders, oldest first. The caller holds no lock.
    pub(super) fn hand_over_ready(&self) -> Result<()> {
        for run in self.registry().ready_export_runs()? {
            let _lock = self.client_space(&run.client)?.lock_exports()?;
            self.hand_over_owed(&run.client)?;
        }
        Ok(())
    }

    /// The same for one client, whose lock the caller holds.
    pub(super) fn hand_over_owed(&self, client: &str) -> Result<()> {
        for run in self.registry().ready_export_runs()? {
            if run.client == client {
                self.hand_over(&run, run.sendings)?;
            }
        }
        Ok(())
    }

    /// Hands a run's file to its folder, for the so-manieth time: once for each, whatever happens in between.
    pub(super) fn hand_over(&self, run: &ExportRun, sending: u64) -> Result<()> {
        let path = keep::path(self, &run.client, run.id);
        if !path.exists() {
            let message = format!(
                "the file of export run {} is not kept any more; run the export again (rollcall exports run {} {}), after rollcall exports withdraw where its file was never seen",
                run.id, run.client, run.export
            );
            return Err(Error::new(Kind::NotFound, message));
        }
        let new = NewDrop {
            client: &run.client,
            folder: &run.folder,
            name: &run.file_name,
            content: Content::File(&path),
            origin: &format!("export {}, run {}", run.export, run.id),
            who: "export",
            key: None,
        };
        let dropped = self.drop_file_once(&new, &format!("export/{}/{sending}", run.id))?;
        fault::at("export.handed").map_err(|e| Error::io("handing an export over", e))?;
        self.registry().export_run_sent(run.id, &dropped.id, sending)
    }

    /// Takes a run's file back, if nobody has seen it.
    pub(super) fn take_back(&self, run: &ExportRun) -> Result<WithdrawnFile> {
        let Some(id) = &run.drop_id else { return Ok(WithdrawnFile::None) };
        if self.file_drop(id).is_ok_and(|dropped| dropped.state == DropState::Withdrawn) {
            return Ok(WithdrawnFile::TakenBack);
        }
        match self.withdraw_drop(id, "export") {
            // One of several sendings may have been seen.
            Ok(_) if run.sendings > 1 => Ok(WithdrawnFile::SeenAlready),
            Ok(_) => Ok(WithdrawnFile::TakenBack),
            Err(error) if error.kind() == Kind::Conflict => Ok(WithdrawnFile::SeenAlready),
            // Its record is not kept any more: it is long past being taken back.
            Err(error) if error.kind() == Kind::NotFound => Ok(WithdrawnFile::SeenAlready),
            Err(error) => Err(error),
        }
    }

    /// Records that a wish was refused for good.
    pub(super) fn note_failed_export(&self, wish: &ExportWish, error: &Error) -> Result<()> {
        let what = self.export(&wish.client, &wish.export).map(|e| e.settings.what.name());
        self.registry().record_export_run(&ExportRun {
            id: super::super::commit::new_id(self.clock()),
            client: wish.client.clone(),
            export: wish.export.clone(),
            folder: String::new(),
            key: wish.key.clone(),
            cause: wish.cause.clone(),
            what: what.unwrap_or_default().to_owned(),
            state: RunState::Failed,
            seq: None,
            file_name: String::new(),
            rows: 0,
            left_out: 0,
            bytes: 0,
            sha256: String::new(),
            told: None::<UploadId>,
            place: 0,
            notes: Vec::new(),
            at: self.clock().now(),
            sendings: 0,
            drop_id: None,
            withdrawn_at: None,
            failure: Some(error.message().to_owned()),
        })
    }
}
