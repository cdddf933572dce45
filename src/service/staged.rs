//! An upload under way: checked when it opens, limited while it grows, committed or interrupted at its end.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use jiff::Timestamp;

use super::commit::{self, Receipt};
use super::dropped;
use super::locks::PathGuard;
use super::names::{self, Place};
use super::session::State;
use super::uploading::{End, Standing, Uploading};
use super::usage;
use crate::error::{Error, Kind, Result};
use crate::model::{Right, UploadId, VPath};
use crate::vfs::{Inode, Open, OpenShare, Overwrite, Stage, StageLimits};

/// How far an upload grows before the account's quota is looked at again.
const ROOM_CHECK_BYTES: u64 = 16 * 1024 * 1024;

/// An upload under way. Dropping it without [`Staged::commit`] is an interruption.
pub struct Staged {
    session: Arc<State>,
    /// The name that it was opened with; a rename may have given it another one.
    opened_as: VPath,
    /// What lay there then.
    found: Option<Inode>,
    id: UploadId,
    /// `None` once it is committed or given up.
    stage: Option<Stage>,
    /// What lay there when it was opened, if it went on from that.
    resumed_bytes: u64,
    /// What it goes on from; held open, so that nothing else can come to look like it.
    continued: Continued,
    /// Bytes at the start that may not change: the account may continue files, and not replace them.
    kept_bytes: u64,
    /// The size of the file whose place it takes.
    replaced_bytes: Option<u64>,
    /// The account's quota is looked at again when it grows beyond this.
    room_checked_bytes: u64,
    shown_bytes: Arc<AtomicU64>,
    opened: Instant,
    _share: OpenShare,
}

/// What an upload begins with.
enum Continued {
    /// Its own bytes only: it takes the place of whatever lies there at its end.
    Replaces,
    /// Nothing lay there to go on from.
    Nothing,
    /// A copy of this file.
    File(File),
}

impl Staged {
    pub(super) fn open(session: &Arc<State>, path: &VPath, open: Open) -> Result<Self> {
        session.may_upload(path)?;
        let (folder, name) = session.files.holder(path)?;
        let there = folder.look(name).map_err(|e| Error::io(path, e))?;
        if there.is_some_and(|inode| inode.stat.is_folder()) {
            return Err(Error::new(Kind::IsFolder, format!("{path} is a folder")));
        }
        if there.is_some() && open == Open::CreateNew {
            return Err(Error::new(Kind::Exists, format!("{path} exists already")));
        }
        let resumes = there.is_some() && open == Open::Resume;
        let access = session.access();
        access.need(
            path,
            match (there.is_some(), resumes) {
                (false, _) => Right::Write,
                (true, true) => Right::Append,
                (true, false) => Right::Overwrite,
            },
        )?;
        let replaces = access.has(path, Right::Overwrite);
        let place = names::place(&session.folders(), path);
        if resumes && is_final_name_in_import_folder(&place, name) {
            return Err(Error::new(
                Kind::Denied,
                format!("{path} was received already and cannot be continued; send the whole file"),
            ));
        }
        if matches!(place, Place::Import { .. }) {
            commit::check_waiting(&session.service, &session.client.slug)?;
        }
        // Its own file, and the one that it goes on from.
        let share = session.open_files(if resumes { 2 } else { 1 })?;
        let id = commit::new_id(session.service.clock());
        let replaced_bytes = there.map(|inode| inode.stat.bytes);
        let limits = limits(session, replaced_bytes)?;
        let mut stage = Stage::new(&session.space, &id.to_string(), limits)?;
        let continued = match (open, resumes) {
            (Open::Resume, true) => {
                let part = folder.open_file(name).map_err(|e| Error::io(path, e))?;
                stage.copy_from(&part)?;
                Continued::File(part)
            }
            // In an import folder nothing is ever added to a received file: whoever comes last replaces it.
            (Open::Resume, false) if !matches!(place, Place::Import { .. }) => Continued::Nothing,
            _ => Continued::Replaces,
        };
        let resumed_bytes = stage.bytes();
        let shown_bytes = Arc::new(AtomicU64::new(resumed_bytes));
        let uploading = Uploading {
            id,
            path: path.clone(),
            overwrite: overwrites(open, replaces || resumes),
            file: stage.id()?,
            bytes: Arc::clone(&shown_bytes),
            standing: Standing::Open,
        };
        session.uploads.begin(uploading);
        Ok(Self {
            session: Arc::clone(session),
            opened_as: path.clone(),
            found: there,
            id,
            stage: Some(stage),
            resumed_bytes,
            continued,
            replaced_bytes,
            room_checked_bytes: ROOM_CHECK_BYTES,
            kept_bytes: if replaces { 0 } else { resumed_bytes },
            shown_bytes,
            opened: Instant::now(),
            _share: share,
        })
    }

    /// The target, which a rename changes until the upload ends.
    #[must_use]
    pub fn path(&self) -> VPath {
        self.session.uploads.path(self.id).unwrap_or_else(|| self.opened_as.clone())
    }

    /// Whether the client removed its name: then nothing of it is stored.
    #[must_use]
    pub fn is_removed(&self) -> bool {
        self.session.uploads.is_removed(self.id)
    }

    /// Its size now, in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.stage.as_ref().map_or(0, Stage::bytes)
    }

    /// The client has told the size: refuses at once what would not fit at the end.
    ///
    /// # Errors
    /// [`Kind::TooLarge`], [`Kind::Quota`], [`Kind::NoSpace`].
    pub fn check_size(&self, bytes: u64) -> Result<()> {
        self.stage.as_ref().ok_or_else(closed)?.check_room(bytes)
    }

    /// Writes all of `data` at `offset`. After an error the upload is poisoned: every later call fails.
    ///
    /// # Errors
    /// [`Kind::TooLarge`], [`Kind::Quota`], [`Kind::NoSpace`], [`Kind::Internal`].
    pub fn write_at(&mut self, offset: u64, data: &[u8]) -> Result<()> {
        if data.is_empty() {
            return self.stage()?.write_at(offset, data);
        }
        self.may_change(offset)?;
        self.look_for_room(offset.saturating_add(u64::try_from(data.len()).unwrap_or(u64::MAX)))?;
        let done = self.stage()?.write_at(offset, data);
        self.shown_bytes.store(self.bytes(), Ordering::Release);
        done
    }

    /// Reads back what was written; 0 at the end.
    ///
    /// # Errors
    /// [`Kind::Denied`] where it goes on from a file that the account may not read; file system faults.
    pub fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        if self.resumed_bytes > 0 {
            self.session.access().need(&self.opened_as, Right::Read)?;
        }
        self.stage.as_ref().ok_or_else(closed)?.read_at(offset, buffer)
    }

    /// Cuts or extends (with zeros, within the limits) to `bytes`.
    ///
    /// # Errors
    /// As [`Staged::write_at`].
    pub fn truncate(&mut self, bytes: u64) -> Result<()> {
        self.may_change(bytes)?;
        self.look_for_room(bytes)?;
        let done = self.stage()?.truncate(bytes);
        self.shown_bytes.store(self.bytes(), Ordering::Release);
        done
    }

    /// Puts what was written so far onto the disk (`fsync@openssh.com`).
    ///
    /// # Errors
    /// File system faults; the upload is poisoned.
    pub fn sync(&mut self) -> Result<()> {
        self.stage()?.sync()
    }

    /// Sets the modification time that the published file will have.
    pub fn set_modified(&mut self, modified: Timestamp) {
        if let Some(stage) = &mut self.stage {
            stage.set_modified(modified);
        }
    }

    /// The upload was proved complete: makes it durable, publishes it and hands it to the importer.
    ///
    /// # Errors
    /// Nothing was published; the file that was there before is untouched. [`Kind::Conflict`]: the client removed it.
    pub fn commit(mut self) -> Result<Receipt> {
        let (guard, path, end) = self.end();
        if end.is_removed {
            let why = "the client removed it before it was closed";
            drop(guard);
            self.give_up(why);
            return Err(Error::new(Kind::Conflict, format!("nothing was stored: {why}")));
        }
        let mut stage = self.stage.take().ok_or_else(closed)?;
        if let Some(decision) = self.session.decision(&path) {
            // Nothing of it is kept: its name says it all.
            drop(stage);
            return dropped::decide(&self.session, &path, &decision);
        }
        self.check_continued(&path)?;
        self.check_quota(&mut stage, &path)?;
        let how = (end.overwrite, Some(self.opened.elapsed()));
        let receipt = commit::commit(&self.session, self.id, stage, &path, how)?;
        self.session.uploads.overtake(self.id, &path);
        self.remove_replaced(&path);
        Ok(receipt)
    }

    /// The upload was not proved complete (connection lost, ABOR …): nothing is published, and `why` is recorded.
    pub fn interrupt(mut self, why: &str) {
        self.give_up(why);
    }

    /// From now on no rename and no removal reaches it: its names are locked, and the target is the last one.
    fn end(&self) -> (PathGuard, VPath, End) {
        loop {
            let path = self.path();
            let names = [&self.opened_as, &path];
            let guard = self.session.service.0.locks.lock(&self.session.login, &names);
            if let Some(end) = self.session.uploads.end(self.id, &path) {
                return (guard, path, end);
            }
        }
    }

    /// It was renamed while it was sent, and is stored: the file whose place it would have taken goes with the old name.
    fn remove_replaced(&self, path: &VPath) {
        let Some(found) = self.found.filter(|_| *path != self.opened_as) else { return };
        let there = self.session.files.look(&self.opened_as).ok().flatten();
        // A number alone may be that of a new file.
        if !there.is_some_and(|there| there.is_same(&found) && there.stat == found.stat) {
            return;
        }
        match self.session.files.remove_file(&self.opened_as) {
            Ok(was) => {
                let why = "the account replaced it before it was read whole";
                self.session.left(&self.opened_as, &was, why);
            }
            // The upload stands; what stays behind is an old file.
            Err(error) => {
                tracing::error!(%error, path = ?self.opened_as.as_str(), "removing what a renamed upload replaces");
            }
        }
    }

    /// Refuses to put a continued file in the place of what somebody else stored there meanwhile: that would be lost.
    fn check_continued(&self, path: &VPath) -> Result<()> {
        let there = self.session.files.look(&self.opened_as)?;
        let same = match (&self.continued, there) {
            (Continued::Replaces, _) | (Continued::Nothing, None) => true,
            (Continued::Nothing, Some(_)) => *path != self.opened_as,
            (Continued::File(_), None) => false,
            (Continued::File(part), Some(there)) => there.is_of(part),
        };
        if same {
            return Ok(());
        }
        let message = format!(
            "{} was changed meanwhile by another upload or command, so this one was not added to it; send it again",
            self.opened_as
        );
        Err(Error::new(Kind::Conflict, message))
    }

    /// Refuses to change what lies before the end of a file that may only be continued.
    fn may_change(&self, offset: u64) -> Result<()> {
        if offset >= self.kept_bytes {
            return Ok(());
        }
        self.session.access().need(&self.opened_as, Right::Overwrite)
    }

    /// Other uploads of the account grow too: what the quota leaves is asked for again every so often.
    fn look_for_room(&mut self, bytes: u64) -> Result<()> {
        if bytes <= self.room_checked_bytes {
            return Ok(());
        }
        self.room_checked_bytes = bytes.saturating_add(ROOM_CHECK_BYTES);
        let own = self.shown_bytes.load(Ordering::Acquire);
        let room = usage::room(&self.session, self.replaced_bytes, Some(own))?;
        self.stage()?.set_room(room);
        Ok(())
    }

    /// What lies at the path may be another file than at the opening, or none, and other uploads have grown: the quota is
    /// asked again. The caller holds the lock on the path.
    fn check_quota(&self, stage: &mut Stage, path: &VPath) -> Result<()> {
        let there = self.session.files.look(path)?.map(|inode| inode.stat.bytes);
        stage.set_room(usage::room(&self.session, there, Some(stage.bytes()))?);
        stage.check_quota(stage.bytes())
    }

    fn stage(&mut self) -> Result<&mut Stage> {
        self.stage.as_mut().ok_or_else(closed)
    }

    fn give_up(&mut self, why: &str) {
        let Some(stage) = self.stage.take() else { return };
        let bytes = stage.bytes();
        let path = self.path();
        tracing::info!(
            code = "T01", login = self.session.login, path = ?path.as_str(), bytes, why, "upload interrupted"
        );
        if let Err(error) = self.keep_part(stage) {
            tracing::warn!(%error, path = ?path.as_str(), "keeping the part of an interrupted upload");
        }
        commit::record_interruption(&self.session, &path, bytes, why);
    }

    /// Lets the part take the target's name where that can deceive nobody.
    fn keep_part(&self, mut stage: Stage) -> Result<()> {
        let (_guard, target, end) = self.end();
        let folders = self.session.folders();
        let is_temporary = |path: &VPath| names::is_temporary(path.name().unwrap_or_default());
        let deceives_nobody =
            |path: &&VPath| names::place(&folders, path) == Place::Plain || is_temporary(path);
        // It was to be renamed at its end, which did not come: then its first name is the right one.
        let path = [&target, &self.opened_as].into_iter().find(deceives_nobody);
        let Some(path) = path.filter(|_| !end.is_removed && !stage.is_poisoned()) else {
            return Ok(());
        };
        stage.cut_to_first_gap()?;
        self.shown_bytes.store(stage.bytes(), Ordering::Release);
        if stage.bytes() == 0 {
            return Ok(());
        }
        let grew = self.resumed_bytes > 0 && stage.bytes() >= self.resumed_bytes;
        // A part goes on from the one that lies at its own name only.
        let replaces = is_temporary(path) && grew && *path == self.opened_as;
        self.check_continued(path)?;
        self.check_quota(&mut stage, path)?;
        stage.seal()?;
        let (folder, name) = self.session.files.holder(path)?;
        let spool = &self.session.space.spool;
        let id = self.id.to_string();
        let moved = if replaces {
            spool.rename(&id, &folder, name)
        } else {
            spool.rename_new(&id, &folder, name)
        };
        match moved {
            Ok(()) => stage.hand_on(),
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(Error::io(path, e)),
        }
        Ok(())
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        self.give_up("the connection ended before the upload was complete");
        self.session.uploads.forget(self.id);
    }
}

/// Whether a file that lies there at the end is replaced.
fn overwrites(open: Open, may_replace: bool) -> Overwrite {
    match open {
        Open::Replace | Open::Resume if may_replace => Overwrite::Allow,
        _ => Overwrite::Never,
    }
}

/// How large an upload may grow in the place of a file of so many bytes.
fn limits(session: &Arc<State>, replaced_bytes: Option<u64>) -> Result<StageLimits> {
    let mut limits = commit::stage_limits(&session.service);
    limits.room_bytes = usage::room(session, replaced_bytes, None)?;
    if let Some(own) = session.access().limits().max_upload_bytes {
        limits.max_upload_bytes = limits.max_upload_bytes.min(own);
    }
    Ok(limits)
}

fn closed() -> Error {
    Error::new(Kind::Internal, "this upload has ended")
}

fn is_final_name_in_import_folder(place: &Place, name: &str) -> bool {
    match place {
        Place::Import { .. } => true,
        Place::Beside { .. } => !names::is_temporary(name),
        Place::Plain => false,
    }
}
