//! The commit: bytes and their row become durable at once, then get their name, and go to the importer.
//!
//! From then on the row says what the name must be: a rename that a power cut takes back is done again by the next
//! start, which finds the bytes in the spool (`reconcile`). So one wait for the disk is enough for a promise.

use std::io;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use uuid::Uuid;

use super::activity::Deed;
use super::names::{self, Place};
use super::session::State;
use super::{Service, reports};
use crate::clock::Clock;
use crate::error::{Error, Kind, Result};
use crate::model::{Upload, UploadId, UploadState, VPath};
use crate::store::registry::{Interruption, NewUpload};
use crate::vfs::{self, Folder, Inode, Overwrite, Sealed, Stage, StageLimits};

/// The proof that a commit is durable.
pub struct Receipt {
    text: String,
    import: Option<PendingImport>,
}

struct PendingImport {
    result: oneshot::Receiver<String>,
    wait: Duration,
}

/// What to tell the client: one line, English, without line ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// `412 rows: 3 created, 9 updated, 2 refused; see users.csv.report.csv`, `Stored` …
    pub text: String,
}

impl Receipt {
    pub(super) fn done(text: impl Into<String>) -> Self {
        Self { text: text.into(), import: None }
    }

    /// The answer of an import that runs or is decided about: its result, or `text` if that takes too long.
    pub(super) fn of_import(service: &Service, id: UploadId, text: &str) -> Self {
        let import = PendingImport {
            result: service.0.waiters.register(id),
            wait: Duration::from_secs(service.config().limits.reply_wait_s),
        };
        Self { text: text.to_owned(), import: Some(import) }
    }

    /// Waits for the import, if there is one, up to `limits.reply_wait_s`.
    pub async fn settle(self) -> Answer {
        let Some(import) = self.import else { return Answer { text: self.text } };
        // A result channel that closed without a word: the service is stopping, and the import goes on at the next start.
        let text = match tokio::time::timeout(import.wait, import.result).await {
            Ok(Ok(text)) => text,
            Ok(Err(_)) | Err(_) => self.text,
        };
        Answer { text: text.replace(char::is_control, " ") }
    }
}

/// A new upload's id.
pub(super) fn new_id(clock: Clock) -> UploadId {
    let now = clock.now();
    let seconds = u64::try_from(now.as_second()).unwrap_or(0);
    let nanoseconds = u32::try_from(now.subsec_nanosecond()).unwrap_or(0);
    Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanoseconds))
}

/// What an upload may use.
pub(super) fn stage_limits(service: &Service) -> StageLimits {
    let limits = &service.config().limits;
    StageLimits {
        max_upload_bytes: limits.max_upload_bytes,
        min_free_bytes: limits.min_free_bytes,
        room_bytes: None,
    }
}

/// Refuses an upload for import while too many of the client wait.
pub(super) fn check_waiting(service: &Service, client: &str) -> Result<()> {
    let most = service.config().limits.max_waiting_uploads;
    if service.registry().waiting_uploads(client)? < most {
        return Ok(());
    }
    Err(Error::new(
        Kind::Busy,
        format!("{most} uploads wait for import already; try again in a few minutes"),
    ))
}

/// Notes an upload that ended before it was complete (T01).
pub(super) fn record_interruption(session: &State, path: &VPath, bytes: u64, why: &str) {
    session.note("interrupted", path, &Deed { bytes: Some(bytes), detail: why, ..Deed::default() });
    let noted = session.service.registry().record_interruption(&Interruption {
        client: session.client.slug.clone(),
        login: session.login.clone(),
        path: path.clone(),
        protocol: Some(session.protocol),
        bytes,
        why: why.to_owned(),
        at: session.service.clock().now(),
    });
    if let Err(error) = noted {
        tracing::warn!(%error, path = ?path.as_str(), "noting an interrupted upload");
    }
}

/// Commits the upload `id`, staged in the spool, onto `path`. The caller holds the lock on `path`.
///
/// Every step leaves the disk so that a crash right after it loses nothing and repeats nothing; `reconcile`
/// is the other half of this function.
pub(super) fn commit(
    session: &Arc<State>,
    id: UploadId,
    mut stage: Stage,
    path: &VPath,
    (overwrite, took): (Overwrite, Option<Duration>),
) -> Result<Receipt> {
    session.may_write(path)?;
    let place = names::place(&session.folders(), path);
    if matches!(place, Place::Import { .. }) {
        check_waiting(&session.service, &session.client.slug)?;
    }
    let sealed = stage.describe()?;
    let (folder, name) = session.files.holder(path)?;
    let there = folder.look(name).map_err(|e| vfs::fault(path, e))?;
    let replaced = replaceable(path, there, overwrite)?;
    let upload = prepare(session, (id, &mut stage), path, &place, sealed)?;
    if let Err(e) = publish(session, id, &folder, name, overwrite) {
        let error = vfs::fault(path, e);
        withdraw(&session.service, &session.space, id, &error);
        return Err(error);
    }
    stage.hand_on();
    if let Some(old) = replaced {
        session.left(path, &old, "the account replaced it before it was read whole");
    }
    if let Place::Import { .. } | Place::Beside { .. } = place {
        reports::retire(&session.service, &session.space, &session.login, path);
    }
    let receipt = hand_over(&session.service, &upload, &place);
    let milliseconds = took.and_then(|took| u64::try_from(took.as_millis()).ok());
    let means = session.means();
    tracing::info!(
        client = session.client.slug, login = session.login, peer = %session.peer(), protocol = %session.protocol,
        means = ?means, path = ?path.as_str(), bytes = upload.bytes, sha256 = upload.sha256, milliseconds, upload = %id,
        "upload received"
    );
    session.note(
        "upload",
        path,
        &Deed {
            bytes: Some(upload.bytes),
            sha256: Some(&upload.sha256),
            milliseconds,
            detail: format!("{id} {means}").trim_end(),
        },
    );
    Ok(receipt)
}

/// What lies under a name that a file is to get, if it may be replaced.
pub(super) fn replaceable(
    path: &VPath,
    there: Option<Inode>,
    overwrite: Overwrite,
) -> Result<Option<Inode>> {
    match there {
        Some(inode) if inode.stat.is_folder() => {
            Err(Error::new(Kind::IsFolder, format!("{path} is a folder")))
        }
        Some(_) if overwrite == Overwrite::Never => {
            let cure =
                "remove it first, or upload onto it: it is replaced once the new file is complete";
            Err(Error::new(Kind::Exists, format!("{path} exists already; {cure}")))
        }
        other => Ok(other),
    }
}

/// Archives the bytes and records the upload as prepared, durably.
fn prepare(
    session: &State,
    (id, stage): (UploadId, &mut Stage),
    path: &VPath,
    place: &Place,
    sealed: Sealed,
) -> Result<Upload> {
    let folder = match place {
        Place::Import { folder, .. } | Place::Beside { folder, .. } => Some(folder.clone()),
        Place::Plain => None,
    };
    let new = NewUpload {
        id,
        client: session.client.slug.clone(),
        login: session.login.clone(),
        folder,
        path: path.clone(),
        protocol: Some(session.protocol),
        bytes: sealed.bytes,
        sha256: sealed.sha256,
        received_at: session.service.clock().now(),
        wants_import: matches!(place, Place::Import { .. }),
    };
    record(&session.service, &session.space, &new, stage)
}

/// Links the spool file `new.id` into the archive if it is to be imported, and puts its bytes, its names and its row
/// onto the disk, all at once. A power cut in between may take any of them: `reconcile` compares the bytes with the row.
pub(super) fn record(
    service: &Service,
    space: &vfs::ClientSpace,
    new: &NewUpload,
    stage: &mut Stage,
) -> Result<Upload> {
    let name = new.id.to_string();
    let mut folders = vec![&space.spool];
    if new.wants_import {
        let linked = space.spool.link(&name, &space.archive, &name);
        linked.map_err(|e| Error::io("archiving the upload", e))?;
        folders.push(&space.archive);
    }
    let mut synced = Ok(());
    let prepared =
        service.registry().prepare_upload_while(new, || synced = stage.sync_with(&folders));
    match (prepared, synced) {
        (Ok(upload), Ok(())) => Ok(upload),
        (Ok(_), Err(error)) => {
            withdraw(service, space, new.id, &error);
            Err(error)
        }
        (Err(error), _) => {
            discard_archived(space, &name);
            Err(error)
        }
    }
}

/// Links the spool file `new.id` into the archive and queues it, for what gets no name among the account's files. Bytes and
/// archive come to the disk before their row: once that stands, nothing is left to be done that an end could keep from it.
pub(super) fn record_queued(
    service: &Service,
    space: &vfs::ClientSpace,
    new: &NewUpload,
    stage: &mut Stage,
) -> Result<Upload> {
    let name = new.id.to_string();
    let linked = space.spool.link(&name, &space.archive, &name);
    linked.map_err(|e| Error::io("archiving the upload", e))?;
    let queued = stage
        .sync_with(&[&space.spool, &space.archive])
        .and_then(|()| service.registry().queue_upload(new));
    if queued.is_err() {
        discard_archived(space, &name);
    }
    queued
}

fn publish(
    session: &State,
    id: UploadId,
    folder: &Folder,
    name: &str,
    overwrite: Overwrite,
) -> io::Result<()> {
    let spool = &session.space.spool;
    let id = id.to_string();
    match overwrite {
        Overwrite::Allow => spool.rename(&id, folder, name),
        Overwrite::Never => spool.rename_new(&id, folder, name),
    }?;
    // Two names of one file: rename(2) did nothing, and the target has the bytes already.
    spool.remove_file_if_there(&id)
}

/// Takes a prepared upload back that could not be published: it is never imported.
fn withdraw(service: &Service, space: &vfs::ClientSpace, id: UploadId, why: &Error) {
    // The archive goes first: should the row stay `prepared` (a full disk), a start finds that nothing was published.
    discard_archived(space, &id.to_string());
    let at = service.clock().now();
    let failed = UploadState::Failed;
    if let Err(error) = service.registry().finish_upload(id, failed, at, Some(why.message())) {
        tracing::error!(%error, upload = %id, "marking an upload as failed");
    }
}

fn discard_archived(space: &vfs::ClientSpace, name: &str) {
    if let Err(error) = space.archive.remove_file_if_there(name) {
        tracing::error!(%error, upload = name, "removing an archived upload that was not published");
    }
}

/// Marks the upload as published and wakes the importer.
fn hand_over(service: &Service, upload: &Upload, place: &Place) -> Receipt {
    let is_import = matches!(place, Place::Import { .. });
    let time = if is_import { service.import_time(upload) } else { None };
    let text = match (place, &time) {
        (Place::Import { .. }, Some(at)) => format!("Received; import at {at}"),
        (Place::Import { .. }, None) => "Received; import running".to_owned(),
        (Place::Beside { why, .. }, _) => format!("Stored, not imported: {why}"),
        (Place::Plain, _) => "Stored".to_owned(),
    };
    // Registered before the hand-over: a quick import must find somebody to tell.
    let import = (is_import && time.is_none()).then(|| PendingImport {
        result: service.0.waiters.register(upload.id),
        wait: Duration::from_secs(service.config().limits.reply_wait_s),
    });
    service.publish(upload.id);
    if is_import {
        service.0.queue.wake(&upload.client);
    }
    Receipt { text, import }
}

/// Has the report of a received upload written beside the name that it has now. Nothing is imported again.
///
/// The caller has moved the row. An import that runs just now finds that out at its end (`run.rs`), one that has
/// ended is found here: whichever comes second sees the other.
pub(super) fn report_again(service: &Service, upload: &Upload, text: &str) -> Result<Receipt> {
    let receipt = Receipt::of_import(service, upload.id, text);
    let now = service.registry().upload(upload.id)?;
    match now.map(|upload| upload.state) {
        Some(UploadState::Queued) => {
            if let Some(at) = service.import_time(upload) {
                return Ok(Receipt::done(format!("{text}; import at {at}")));
            }
        }
        Some(UploadState::Done) => service.registry().requeue_upload(upload.id)?,
        _ => return Ok(Receipt::done(text)),
    }
    service.0.queue.wake(&upload.client);
    Ok(receipt)
}

impl Service {
    /// Marks an upload as published. Should the registry refuse just now, the watcher tries again.
    pub(super) fn publish(&self, id: UploadId) {
        if let Err(error) = self.registry().publish_upload(id) {
            tracing::error!(%error, upload = %id, "queueing an upload; it is tried again");
            self.unpublished().push(id);
        }
    }

    /// Tries again what [`Service::publish`] could not do.
    pub(super) fn publish_again(&self) {
        let waiting = std::mem::take(&mut *self.unpublished());
        for id in waiting {
            self.publish(id);
        }
    }

    fn unpublished(&self) -> MutexGuard<'_, Vec<UploadId>> {
        self.0.unpublished.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
