//! An upload under way: checked when it opens, limited while it grows, committed or interrupted at its end.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use jiff::Timestamp;

use super::commit::{self, Receipt};
use super::dropped;
use super::names::{self, Place};
use super::session::{State, Uploading};
use super::usage;
use crate::error::{Error, Kind, Result};
use crate::model::{Right, UploadId, VPath};
use crate::vfs::{Open, OpenShare, Overwrite, Stage};

/// How far an upload grows before the account's quota is looked at again.
const ROOM_CHECK_BYTES: u64 = 16 * 1024 * 1024;

/// An upload under way. Dropping it without [`Staged::commit`] is an interruption.
pub struct Staged {
    session: Arc<State>,
    path: VPath,
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
    /// Whether a file that lies there at the end is replaced.
    overwrite: Overwrite,
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
        let mut limits = commit::stage_limits(&session.service);
        limits.room_bytes = usage::room(session, replaced_bytes, None)?;
        if let Some(own) = access.limits().max_upload_bytes {
            limits.max_upload_bytes = limits.max_upload_bytes.min(own);
        }
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
        let (file, bytes) = (stage.id()?, Arc::clone(&shown_bytes));
        session.note_uploading(id, Uploading { path: path.clone(), file, bytes });
        Ok(Self {
            session: Arc::clone(session),
            path: path.clone(),
            id,
            stage: Some(stage),
            resumed_bytes,
            continued,
            replaced_bytes,
            room_checked_bytes: ROOM_CHECK_BYTES,
            kept_bytes: if replaces { 0 } else { resumed_bytes },
            overwrite: match open {
                Open::Replace | Open::Resume if replaces || resumes => Overwrite::Allow,
                _ => Overwrite::Never,
            },
            shown_bytes,
            opened: Instant::now(),
            _share: share,
        })
    }

    /// The target.
    #[must_use]
    pub fn path(&self) -> &VPath {
        &self.path
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
            self.session.access().need(&self.path, Right::Read)?;
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
    /// Nothing was published; the file that was there before is untouched.
    pub fn commit(mut self) -> Result<Receipt> {
        let mut stage = self.stage.take().ok_or_else(closed)?;
        if let Some(decision) = self.session.decision(&self.path) {
            // Nothing of it is kept: its name says it all.
            drop(stage);
            return dropped::decide(&self.session, &self.path, &decision);
        }
        let _guard = self.session.service.0.locks.lock(&self.session.login, &[&self.path]);
        self.check_continued()?;
        self.check_quota(&mut stage)?;
        let took = self.opened.elapsed();
        commit::commit(&self.session, self.id, stage, &self.path, (self.overwrite, Some(took)))
    }

    /// The upload was not proved complete (connection lost, ABOR …): nothing is published, and `why` is recorded.
    pub fn interrupt(mut self, why: &str) {
        self.give_up(why);
    }

    /// Refuses to put a continued file in the place of what somebody else stored there meanwhile: that would be lost.
    fn check_continued(&self) -> Result<()> {
        let there = self.session.files.look(&self.path)?;
        let same = match (&self.continued, there) {
            (Continued::Replaces, _) | (Continued::Nothing, None) => true,
            (Continued::Nothing, Some(_)) | (Continued::File(_), None) => false,
            (Continued::File(part), Some(there)) => there.is_of(part),
        };
        if same {
            return Ok(());
        }
        let message = format!(
            "{} was changed meanwhile by another upload or command, so this one was not added to it; send it again",
            self.path
        );
        Err(Error::new(Kind::Conflict, message))
    }

    /// Refuses to change what lies before the end of a file that may only be continued.
    fn may_change(&self, offset: u64) -> Result<()> {
        if offset >= self.kept_bytes {
            return Ok(());
        }
        self.session.access().need(&self.path, Right::Overwrite)
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
    fn check_quota(&self, stage: &mut Stage) -> Result<()> {
        let there = self.session.files.look(&self.path)?.map(|inode| inode.stat.bytes);
        stage.set_room(usage::room(&self.session, there, Some(stage.bytes()))?);
        stage.check_quota(stage.bytes())
    }

    fn stage(&mut self) -> Result<&mut Stage> {
        self.stage.as_mut().ok_or_else(closed)
    }

    fn give_up(&mut self, why: &str) {
        let Some(stage) = self.stage.take() else { return };
        let bytes = stage.bytes();
        tracing::info!(
            code = "T01", login = self.session.login, path = ?self.path.as_str(), bytes, why, "upload interrupted"
        );
        if let Err(error) = self.keep_part(stage) {
            tracing::warn!(%error, path = ?self.path.as_str(), "keeping the part of an interrupted upload");
        }
        commit::record_interruption(&self.session, &self.path, bytes, why);
    }

    /// Lets the part take the target's name where that can deceive nobody.
    fn keep_part(&self, mut stage: Stage) -> Result<()> {
        let name = self.path.name().unwrap_or_default();
        let place = names::place(&self.session.folders(), &self.path);
        let is_temporary = names::is_temporary(name);
        if stage.is_poisoned() || !(place == Place::Plain || is_temporary) {
            return Ok(());
        }
        stage.cut_to_first_gap()?;
        self.shown_bytes.store(stage.bytes(), Ordering::Release);
        if stage.bytes() == 0 {
            return Ok(());
        }
        let grew = self.resumed_bytes > 0 && stage.bytes() >= self.resumed_bytes;
        let overwrite = if is_temporary && grew { Overwrite::Allow } else { Overwrite::Never };
        let _guard = self.session.service.0.locks.lock(&self.session.login, &[&self.path]);
        self.check_continued()?;
        self.check_quota(&mut stage)?;
        stage.seal()?;
        let (folder, name) = self.session.files.holder(&self.path)?;
        let spool = &self.session.space.spool;
        let id = self.id.to_string();
        let moved = match overwrite {
            Overwrite::Allow => spool.rename(&id, &folder, name),
            Overwrite::Never => spool.rename_new(&id, &folder, name),
        };
        match moved {
            Ok(()) => stage.hand_on(),
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(Error::io(&self.path, e)),
        }
        Ok(())
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        self.give_up("the connection ended before the upload was complete");
        self.session.forget_uploading(self.id);
    }
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
