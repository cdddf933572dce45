//! An open folder: operations on single names in it, none of which follows a symbolic link.

use std::fs::File;
use std::io;
use std::path::Path;

use cap_std::fs::{Dir, DirEntry, Metadata, MetadataExt, ReadDir};
use jiff::Timestamp;
use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags, Timespec, Timestamps};

use super::{Stat, StatKind};
use crate::model::VPath;

/// An open folder. Every name given to it is one part of a [`VPath`], never a path.
///
/// A walk opens one part after the other with `O_NOFOLLOW`: there is no `..` in a [`VPath`] and no link is
/// followed, so no sequence of renames by a client can lead outside.
pub(crate) struct Folder {
    dir: Dir,
}

/// What a name stands for, with what tells two files apart.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inode {
    pub(crate) stat: Stat,
    pub(crate) device: u64,
    pub(crate) number: u64,
    pub(crate) links: u64,
}

/// What tells two files apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct FileId {
    device: u64,
    number: u64,
}

impl FileId {
    pub(crate) fn of(file: &File) -> io::Result<Self> {
        use std::os::unix::fs::MetadataExt as _;
        let own = file.metadata()?;
        Ok(Self { device: own.dev(), number: own.ino() })
    }
}

impl Inode {
    pub(crate) fn id(&self) -> FileId {
        FileId { device: self.device, number: self.number }
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.device == other.device && self.number == other.number
    }

    /// Whether this is what `file` was opened from.
    pub(crate) fn is_of(&self, file: &File) -> bool {
        use std::os::unix::fs::MetadataExt as _;
        let own = file.metadata();
        own.is_ok_and(|own| own.dev() == self.device && own.ino() == self.number)
    }
}

impl Folder {
    /// Opens a folder of the machine by a path that no client chose.
    pub(crate) fn open_machine(path: &Path) -> io::Result<Self> {
        Ok(Self { dir: Dir::from_std_file(File::open(path)?) })
    }

    pub(crate) fn child(&self, name: &str) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(&self.dir, name, flags, Mode::empty())?;
        Ok(Self { dir: Dir::from_std_file(File::from(fd)) })
    }

    pub(crate) fn child_or_new(&self, name: &str) -> io::Result<Self> {
        match self.child(name) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                match self.make_folder(name) {
                    Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(e),
                    _ => self.sync()?,
                }
                self.child(name)
            }
            other => other,
        }
    }

    /// The folder at `path` below this one.
    pub(crate) fn walk(&self, path: &VPath) -> io::Result<Self> {
        let mut at = Self { dir: self.dir.try_clone()? };
        for part in path.parts() {
            at = at.child(part)?;
        }
        Ok(at)
    }

    /// The same, making what is missing.
    pub(crate) fn walk_or_new(&self, path: &VPath) -> io::Result<Self> {
        let mut at = Self { dir: self.dir.try_clone()? };
        for part in path.parts() {
            at = at.child_or_new(part)?;
        }
        Ok(at)
    }

    /// What `name` is; `None` if nothing is there. Links, sockets, pipes and devices read as nothing.
    pub(crate) fn look(&self, name: &str) -> io::Result<Option<Inode>> {
        match self.dir.symlink_metadata(name) {
            Ok(metadata) => Ok(inode(&metadata)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// What this folder itself is.
    pub(crate) fn look_self(&self) -> io::Result<Inode> {
        let found = inode(&self.dir.dir_metadata()?);
        found.ok_or_else(|| io::ErrorKind::NotADirectory.into())
    }

    /// Opens a regular file for reading.
    pub(crate) fn open_file(&self, name: &str) -> io::Result<File> {
        // NONBLOCK: opening a pipe that somebody put here must not hang.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = File::from(rustix::fs::openat(&self.dir, name, flags, Mode::empty())?);
        let kind = file.metadata()?.file_type();
        if kind.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if !kind.is_file() {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(file)
    }

    /// Makes a new file, readable by its owner only.
    pub(crate) fn new_file(&self, name: &str) -> io::Result<File> {
        let flags =
            OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        Ok(File::from(rustix::fs::openat(&self.dir, name, flags, mode)?))
    }

    pub(crate) fn make_folder(&self, name: &str) -> io::Result<()> {
        Ok(rustix::fs::mkdirat(&self.dir, name, Mode::RWXU)?)
    }

    /// A second name for the same file; fails if the name is taken.
    pub(crate) fn link(&self, name: &str, to: &Self, to_name: &str) -> io::Result<()> {
        Ok(rustix::fs::linkat(&self.dir, name, &to.dir, to_name, AtFlags::empty())?)
    }

    /// Renames; a file at the new name is replaced in one step.
    pub(crate) fn rename(&self, name: &str, to: &Self, to_name: &str) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.dir, name, &to.dir, to_name)?)
    }

    /// Renames; fails if the new name is taken.
    pub(crate) fn rename_new(&self, name: &str, to: &Self, to_name: &str) -> io::Result<()> {
        let flags = RenameFlags::NOREPLACE;
        match rustix::fs::renameat_with(&self.dir, name, &to.dir, to_name, flags) {
            // A file system without that flag: the callers hold the lock on both names.
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => {
                if to.look(to_name)?.is_some() {
                    return Err(io::ErrorKind::AlreadyExists.into());
                }
                self.rename(name, to, to_name)
            }
            other => Ok(other?),
        }
    }

    pub(crate) fn remove_file(&self, name: &str) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.dir, name, AtFlags::empty())?)
    }

    /// Removes a file that may be gone already.
    pub(crate) fn remove_file_if_there(&self, name: &str) -> io::Result<()> {
        match self.remove_file(name) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    pub(crate) fn remove_folder(&self, name: &str) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.dir, name, AtFlags::REMOVEDIR)?)
    }

    /// Puts the folder's entries onto the disk.
    pub(crate) fn sync(&self) -> io::Result<()> {
        Ok(rustix::fs::fsync(&self.dir)?)
    }

    pub(crate) fn set_modified(&self, name: &str, modified: Timestamp) -> io::Result<()> {
        let flags = AtFlags::SYMLINK_NOFOLLOW;
        Ok(rustix::fs::utimensat(&self.dir, name, &times(modified), flags)?)
    }

    /// The entries; those whose name is not UTF-8 or that are neither file nor folder are left out.
    pub(crate) fn entries(&self) -> io::Result<Entries> {
        Ok(Entries { inner: self.dir.entries()? })
    }

    pub(crate) fn space(&self) -> io::Result<super::Space> {
        let s = rustix::fs::fstatvfs(&self.dir)?;
        Ok(super::Space {
            total_bytes: s.f_blocks.saturating_mul(s.f_frsize),
            free_bytes: s.f_bavail.saturating_mul(s.f_frsize),
        })
    }
}

/// A folder's entries.
pub(crate) struct Entries {
    inner: ReadDir,
}

impl Iterator for Entries {
    type Item = io::Result<(String, Inode)>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let found = self.inner.next()?.and_then(|entry| named(&entry));
            match found {
                Ok(Some(pair)) => return Some(Ok(pair)),
                Ok(None) => {}
                Err(e) => return Some(Err(e)),
            }
        }
    }
}

fn named(entry: &DirEntry) -> io::Result<Option<(String, Inode)>> {
    let Ok(name) = entry.file_name().into_string() else { return Ok(None) };
    match entry.metadata() {
        Ok(metadata) => Ok(inode(&metadata).map(|i| (name, i))),
        // It went away while the folder was read.
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

fn inode(metadata: &Metadata) -> Option<Inode> {
    let kind = if metadata.is_file() {
        StatKind::File
    } else if metadata.is_dir() {
        StatKind::Folder
    } else {
        return None;
    };
    let bytes = if kind == StatKind::File { metadata.len() } else { 0 };
    let modified = Timestamp::new(metadata.mtime(), nanoseconds(metadata.mtime_nsec()));
    Some(Inode {
        stat: Stat { kind, bytes, modified: modified.unwrap_or(Timestamp::UNIX_EPOCH) },
        device: metadata.dev(),
        number: metadata.ino(),
        links: metadata.nlink(),
    })
}

fn nanoseconds(n: i64) -> i32 {
    i32::try_from(n).unwrap_or(0)
}

/// Both times of a file set to one instant.
pub(crate) fn times(modified: Timestamp) -> Timestamps {
    let at = Timespec {
        tv_sec: modified.as_second(),
        tv_nsec: modified.subsec_nanosecond().max(0).into(),
    };
    Timestamps { last_access: at, last_modification: at }
}
