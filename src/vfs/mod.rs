//! The account's confined file space, one for both protocols; no database here.

mod client;
mod copying;
mod coverage;
mod folder;
mod kept;
mod open_files;
mod reading;
mod sync;
mod tree;
mod turns;
mod upload;

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use crate::error::{Error, Kind, Result};
use crate::model::{MAX_PATH_BYTES, MAX_PATH_PARTS, VPath};

pub(crate) use client::{ClientLock, ClientSpace};
pub(crate) use copying::{Copied, Copier, copy};
pub(crate) use folder::{FileId, Folder, Inode};
pub(crate) use kept::keep;
pub(crate) use open_files::{OpenFiles, OpenShare};
pub(crate) use reading::read_same;
pub(crate) use sync::{Unsynced, sync_at_once};
pub use turns::Turn;
pub(crate) use upload::{Sealed, Stage, StageLimits, sha256_of, sha256_of_file};

/// File or folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
}

/// What a path is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// File or folder.
    pub kind: StatKind,
    /// Size in bytes; 0 for a folder.
    pub bytes: u64,
    /// When it was last modified.
    pub modified: Timestamp,
}

impl Stat {
    /// Whether it is a folder.
    #[must_use]
    pub fn is_folder(&self) -> bool {
        self.kind == StatKind::Folder
    }
}

/// One line of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name, without its folder.
    pub name: String,
    /// What it is.
    pub stat: Stat,
}

/// The room on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// Size of the file system in bytes.
    pub total_bytes: u64,
    /// Free for uploads, in bytes.
    pub free_bytes: u64,
}

/// What lies in an account's space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Usage {
    /// Files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// How an upload starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Open {
    /// Empty; takes the place of what is there when it is committed.
    Replace,
    /// From a copy of what is there (append, resume, open without truncation); empty if nothing is.
    Resume,
    /// Empty; refused if something is there.
    CreateNew,
}

/// What a rename does when the new name is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overwrite {
    /// Takes its place.
    Allow,
    /// Refuses.
    Never,
}

/// An account's files: everything below `files/<login>` of its client, and nothing else.
pub(crate) struct AccountSpace {
    root: Folder,
}

impl AccountSpace {
    pub(crate) fn new(root: Folder) -> Self {
        Self { root }
    }

    /// Counts the files; a folder that goes away meanwhile counts nothing.
    pub(crate) fn usage(&self) -> Result<Usage> {
        self.usage_without(|_| false)
    }

    /// The same without the files that `is_left_out` names.
    pub(crate) fn usage_without(&self, is_left_out: impl Fn(FileId) -> bool) -> Result<Usage> {
        let fault = |e| Error::io("counting the account's files", e);
        let mut usage = Usage::default();
        let top = self.root.walk(&VPath::root()).map_err(fault)?;
        let counted = tree::visit(top, |inode, _| {
            if !inode.stat.is_folder() && !is_left_out(inode.id()) {
                usage.files = usage.files.saturating_add(1);
                usage.bytes = usage.bytes.saturating_add(inode.stat.bytes);
            }
        });
        counted.map_err(fault)?;
        Ok(usage)
    }

    /// The folder at `path`.
    pub(crate) fn folder(&self, path: &VPath) -> Result<Folder> {
        self.root.walk(path).map_err(|e| fault(path, e))
    }

    /// The folder at `path`, with everything above it made if missing.
    pub(crate) fn folder_or_new(&self, path: &VPath) -> Result<Folder> {
        self.root.walk_or_new(path).map_err(|e| fault(path, e))
    }

    /// The folder that holds `path`, and the name in it.
    pub(crate) fn holder<'a>(&self, path: &'a VPath) -> Result<(Folder, &'a str)> {
        let (Some(parent), Some(name)) = (path.parent(), path.name()) else {
            return Err(Error::new(Kind::IsFolder, "/ is the account's own folder, not a file"));
        };
        let folder = self.root.walk(&parent).map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => {
                Error::caused(Kind::NotFound, format!("there is no folder {parent}"), e)
            }
            _ => fault(&parent, e),
        })?;
        Ok((folder, name))
    }

    /// What `path` is; `None` if nothing is there.
    pub(crate) fn look(&self, path: &VPath) -> Result<Option<Inode>> {
        match self.holder(path) {
            Ok((folder, name)) => folder.look(name).map_err(|e| fault(path, e)),
            Err(e) if e.kind() == Kind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// What `path` is.
    pub(crate) fn stat(&self, path: &VPath) -> Result<Stat> {
        if path.is_root() {
            return self.root.look_self().map(|i| i.stat).map_err(|e| fault(path, e));
        }
        match self.look(path)? {
            Some(inode) => Ok(inode.stat),
            None => Err(nothing_at(path)),
        }
    }

    pub(crate) fn list(&self, path: &VPath) -> Result<Listing> {
        let entries = self.folder(path)?.entries().map_err(|e| fault(path, e))?;
        Ok(Listing { entries, path: path.clone(), _share: None })
    }

    pub(crate) fn open_read(&self, path: &VPath) -> Result<Download> {
        let (folder, name) = self.holder(path)?;
        let file = folder.open_file(name).map_err(|e| fault(path, e))?;
        let metadata = file.metadata().map_err(|e| fault(path, e))?;
        let modified = metadata.modified().ok().and_then(|t| Timestamp::try_from(t).ok());
        let stat = Stat {
            kind: StatKind::File,
            bytes: metadata.len(),
            modified: modified.unwrap_or(Timestamp::UNIX_EPOCH),
        };
        Ok(Download { file, stat, path: path.clone(), sent: Mutex::default(), _share: None })
    }

    pub(crate) fn make_dir(&self, path: &VPath) -> Result<()> {
        if path.is_root() {
            return Err(Error::new(Kind::Exists, "/ exists"));
        }
        let (folder, name) = self.holder(path)?;
        folder.make_folder(name).and_then(|()| folder.sync()).map_err(|e| fault(path, e))
    }

    pub(crate) fn remove_dir(&self, path: &VPath) -> Result<()> {
        let (folder, name) = self.holder(path)?;
        folder.remove_folder(name).and_then(|()| folder.sync()).map_err(|e| fault(path, e))
    }

    /// Removes a file and says what it was.
    pub(crate) fn remove_file(&self, path: &VPath) -> Result<Inode> {
        let (folder, name) = self.holder(path)?;
        let found = folder.look(name).map_err(|e| fault(path, e))?;
        let inode = found.ok_or_else(|| nothing_at(path))?;
        if inode.stat.is_folder() {
            return Err(Error::new(Kind::IsFolder, format!("{path} is a folder")));
        }
        folder.remove_file(name).and_then(|()| folder.sync()).map_err(|e| fault(path, e))?;
        Ok(inode)
    }

    /// Renames a file or folder, durably.
    pub(crate) fn rename(&self, from: &VPath, to: &VPath, overwrite: Overwrite) -> Result<()> {
        if from != to && to.is_within(from) {
            let message = format!("{from} cannot be moved to {to}, which lies in it");
            return Err(Error::new(Kind::Invalid, message));
        }
        let (old, old_name) = self.holder(from)?;
        let (new, new_name) = self.holder(to)?;
        self.check_reach(from, to)?;
        let done = match overwrite {
            Overwrite::Allow => old.rename(old_name, &new, new_name),
            Overwrite::Never => old.rename_new(old_name, &new, new_name),
        };
        done.map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => nothing_at(from),
            _ => fault(to, e),
        })?;
        let is_one_folder = from.parent() == to.parent();
        let synced = new.sync().and_then(|()| if is_one_folder { Ok(()) } else { old.sync() });
        synced.map_err(|e| fault(to, e))
    }

    /// Refuses to move a folder to where its longest address would be too long or too deep to be reached.
    fn check_reach(&self, from: &VPath, to: &VPath) -> Result<()> {
        let (old_parts, new_parts) = (from.parts().count(), to.parts().count());
        let (old_bytes, new_bytes) = (from.as_str().len(), to.as_str().len());
        if new_parts <= old_parts && new_bytes <= old_bytes {
            return Ok(());
        }
        // A file has nothing below it; what is not there is told by the rename itself.
        let Ok(top) = self.folder(from) else { return Ok(()) };
        let (mut parts, mut bytes) = (new_parts, new_bytes);
        let visited = tree::visit(top, |_, place| {
            parts = parts.max(new_parts.saturating_add(place.depth));
            bytes = bytes.max(new_bytes.saturating_add(place.address_bytes));
        });
        visited.map_err(|e| fault(from, e))?;
        if parts <= MAX_PATH_PARTS && bytes <= MAX_PATH_BYTES {
            return Ok(());
        }
        let message = format!(
            "{from} cannot be moved to {to}: what lies in it would have a path of {parts} parts and {bytes} bytes; at most {MAX_PATH_PARTS} and {MAX_PATH_BYTES} are allowed"
        );
        Err(Error::new(Kind::Invalid, message))
    }

    pub(crate) fn set_modified(&self, path: &VPath, modified: Timestamp) -> Result<()> {
        let (folder, name) = self.holder(path)?;
        if folder.look(name).map_err(|e| fault(path, e))?.is_none() {
            return Err(nothing_at(path));
        }
        folder.set_modified(name, modified).map_err(|e| fault(path, e))
    }
}

fn nothing_at(path: &VPath) -> Error {
    Error::new(Kind::NotFound, format!("{path} does not exist"))
}

/// An I/O error about a client's own path, in the client's words.
pub(crate) fn fault(path: &VPath, error: io::Error) -> Error {
    let wrapped = Error::io(path, error);
    let words = match wrapped.kind() {
        Kind::NotFound => "does not exist",
        Kind::Exists => "exists already",
        Kind::IsFolder => "is a folder",
        Kind::NotFolder => "is not a folder",
        Kind::NotEmpty => "is not empty",
        Kind::NoSpace => "cannot be written: the server's disk is full",
        Kind::Busy => "cannot be opened: the server has too many files open; try again in a minute",
        _ => return wrapped,
    };
    Error::caused(wrapped.kind(), format!("{path} {words}"), wrapped)
}

/// A folder's entries, read as they are asked for.
pub struct Listing {
    entries: folder::Entries,
    path: VPath,
    /// While it is open it counts among its client's open files.
    _share: Option<OpenShare>,
}

impl Listing {
    pub(crate) fn counted(self, share: OpenShare) -> Self {
        Self { _share: Some(share), ..self }
    }
}

impl Iterator for Listing {
    type Item = Result<Entry>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.entries.next()? {
                // A name that no path can hold could not be asked for: it is not shown.
                Ok((name, _)) if self.path.join(&name).is_err() => {}
                Ok((name, inode)) => return Some(Ok(Entry { name, stat: inode.stat })),
                Err(e) => return Some(Err(fault(&self.path, e))),
            }
        }
    }
}

/// A file open for reading. `Send + Sync`; share it in an `Arc`.
pub struct Download {
    file: File,
    stat: Stat,
    path: VPath,
    sent: Mutex<coverage::Coverage>,
    /// While it is open it counts among its client's open files.
    _share: Option<OpenShare>,
}

impl Download {
    pub(crate) fn counted(self, share: OpenShare) -> Self {
        Self { _share: Some(share), ..self }
    }

    /// Its address when it was opened.
    #[must_use]
    pub fn path(&self) -> &VPath {
        &self.path
    }

    /// Notes which bytes were sent to the client (reading alone, as for a checksum, sends nothing).
    pub fn note_sent(&self, offset: u64, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).add(offset, bytes);
    }

    /// Whether every byte was sent.
    #[must_use]
    pub fn is_sent_whole(&self) -> bool {
        let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.is_whole(self.stat.bytes)
    }

    /// Whether this is the file that `inode` tells of.
    pub(crate) fn is_file(&self, inode: &Inode) -> bool {
        inode.is_of(&self.file)
    }

    /// What it is; the size is that of its opening.
    #[must_use]
    pub fn stat(&self) -> Stat {
        self.stat
    }

    /// Its size in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.stat.bytes
    }

    /// Reads at `offset` until `buffer` is full or the file ends; 0 at the end.
    ///
    /// # Errors
    /// File system faults.
    pub fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        read_full(&self.file, offset, buffer).map_err(|e| fault(&self.path, e))
    }
}

fn read_full(file: &File, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
    let mut done = 0;
    while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
        let at = offset.saturating_add(u64::try_from(done).unwrap_or(u64::MAX));
        match file.read_at(rest, at) {
            Ok(0) => break,
            Ok(n) => done += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(done)
}
