//! The use case of taking an import back.

use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use serde::Serialize;

use super::imports::POLL_PAUSE;
use super::run::Run;
use super::{Service, commit};
use crate::error::{Error, Kind, Result};
use crate::model::{Language, UploadId};
use crate::store::directory::{Event, EventKind};

pub use crate::store::directory::UndoPreview;

/// How long a look at what an undo would do waits for a running import.
const PREVIEW_PATIENCE: Duration = Duration::from_secs(5);

/// What taking an import back did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UndoOutcome {
    /// The import's id.
    pub import: UploadId,
    /// The client's slug.
    pub client: String,
    /// Values that returned to what they were.
    pub values: u64,
    /// New users who were withdrawn.
    pub withdrawn: u64,
    /// What had to stay, and why, in English.
    pub kept: Vec<String>,
}

impl Service {
    /// What taking an import back would do; nothing is written. Names at most `most` values and people.
    ///
    /// # Errors
    /// As of [`Self::undo_import`]; [`Kind::Busy`] while an import of the client runs.
    pub fn undo_preview(&self, id: UploadId, most: u32) -> Result<UndoPreview> {
        let client = self.client(&self.client_of_import(id)?)?;
        let space = self.client_space(&client.slug)?;
        let zone = TimeZone::get(&client.time_zone).unwrap_or(TimeZone::UTC);
        let started = Instant::now();
        // An import has it for as long as it takes: whoever only looks does not wait for that.
        let _lock = loop {
            if let Some(lock) = space.try_lock()? {
                break lock;
            }
            if started.elapsed() > PREVIEW_PATIENCE {
                let why =
                    format!("an import of {} runs just now; try again in a moment", client.slug);
                return Err(Error::new(Kind::Busy, why));
            }
            std::thread::sleep(POLL_PAUSE);
        };
        let mut directory = self.open_directory(&client.slug)?;
        directory.preview_undo(&self.undoing(id, ""), &zone, most)
    }

    fn undoing(&self, id: UploadId, who: &str) -> Event {
        Event {
            id: commit::new_id(self.clock()),
            kind: EventKind::Undo,
            about: Some(id),
            source: String::new(),
            who: who.to_owned(),
            at: self.clock().now(),
        }
    }

    /// Takes an import back as [`Self::undo_preview`] showed it.
    ///
    /// # Errors
    /// As of [`Self::undo_import`]; [`Kind::Conflict`] when the directory has changed since the preview.
    pub fn undo_as_seen(&self, id: UploadId, who: &str, seen: i64) -> Result<UndoOutcome> {
        self.undo_if(id, who, |now| {
            if now == seen {
                return Ok(());
            }
            let why = format!(
                "nothing was taken back: the directory has changed since you looked at what taking import {id} back would do; look again"
            );
            Err(Error::new(Kind::Conflict, why))
        })
    }

    /// Takes an applied import back, field by field; what somebody has changed since stays, and is told. Its report
    /// is written again.
    ///
    /// # Errors
    /// [`Kind::NotFound`] for the import; [`Kind::Conflict`], in words, for one that was not applied or was taken back
    /// before.
    pub fn undo_import(&self, id: UploadId, who: &str) -> Result<UndoOutcome> {
        self.undo_if(id, who, |_| Ok(()))
    }

    /// Takes it back if the directory's change number is as it should be.
    fn undo_if(
        &self,
        id: UploadId,
        who: &str,
        is_right: impl FnOnce(i64) -> Result<()>,
    ) -> Result<UndoOutcome> {
        let unknown = || Error::new(Kind::NotFound, format!("there is no import {id}"));
        let upload = self.registry().upload(id)?.ok_or_else(unknown)?;
        let client = self.client(&upload.client)?;
        let space = self.client_space(&client.slug)?;
        let zone = TimeZone::get(&client.time_zone).unwrap_or(TimeZone::UTC);
        let _lock = space.lock()?;
        let mut directory = self.directory(&space)?;
        is_right(directory.source("")?.0)?;
        let (undoing, report) = directory.undo(&self.undoing(id, who), &zone)?;
        self.record("import.undo", &id.to_string(), who);
        let run = Run { service: self, space: &space, client: &client, upload: &upload };
        if let Err(error) = run.tell_again(&directory, &report) {
            // The undo stands and its report is owed, as that of any import is.
            tracing::error!(code = "T03", %error, import = %id, "the report of an undo is owed");
            self.registry().requeue_upload(id)?;
            self.0.queue.wake(&client.slug);
        }
        self.keep_directory(&space, directory);
        Ok(UndoOutcome {
            import: id,
            client: client.slug,
            values: undoing.values,
            withdrawn: undoing.withdrawn,
            kept: report.kept_by_undo(Language::En),
        })
    }
}
