//! The account's confined file space, one for both protocols; no database here.

use jiff::Timestamp;

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
