//! The use case of taking an import back.

use jiff::tz::TimeZone;
use serde::Serialize;

use super::run::Run;
use super::{Service, commit};
use crate::error::{Error, Kind, Result};
use crate::model::{Language, UploadId};
use crate::store::directory::{Event, EventKind};

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
    /// Takes an applied import back, field by field; what somebody has changed since stays, and is told. Its report
    /// is written again.
    ///
    /// # Errors
    /// [`Kind::NotFound`] for the import; [`Kind::Conflict`], in words, for one that was not applied or was taken back
    /// before.
    pub fn undo_import(&self, id: UploadId, who: &str) -> Result<UndoOutcome> {
        let unknown = || Error::new(Kind::NotFound, format!("there is no import {id}"));
        let upload = self.registry().upload(id)?.ok_or_else(unknown)?;
        let client = self.client(&upload.client)?;
        let space = self.client_space(&client.slug)?;
        let zone = TimeZone::get(&client.time_zone).unwrap_or(TimeZone::UTC);
        let _lock = space.lock()?;
        let mut directory = self.directory(&space)?;
        let event = Event {
            id: commit::new_id(self.clock()),
            kind: EventKind::Undo,
            about: Some(id),
            source: String::new(),
            who: who.to_owned(),
            at: self.clock().now(),
        };
        let (undoing, report) = directory.undo(&event, &zone)?;
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
