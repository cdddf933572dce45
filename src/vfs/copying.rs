//! Trees of files copied for a backup, and back: bytes, times, and which names share one file.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::folder::Folder;

/// Bytes that are copied at a time.
const CHUNK_BYTES: usize = 256 * 1024;

/// A file of a copied tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Copied {
    /// Its address below the top, parts separated by `/`.
    pub(crate) path: String,
    /// Size in bytes.
    pub(crate) bytes: u64,
    /// SHA-256, 64 hex digits.
    pub(crate) sha256: String,
    /// When it was last modified.
    pub(crate) modified: Timestamp,
    /// The address of an earlier file that it is a second name of.
    pub(crate) same_as: Option<String>,
}

/// Copies trees below one top, and remembers which files share an inode.
pub(crate) struct Copier<'a> {
    target: &'a Path,
    seen: HashMap<(u64, u64), usize>,
    pub(crate) files: Vec<Copied>,
    /// Folders, for a restore to have the empty ones too.
    pub(crate) folders: Vec<String>,
}

impl<'a> Copier<'a> {
    /// Copies to below `target`, a folder of the machine.
    pub(crate) fn new(target: &'a Path) -> Self {
        Self { target, seen: HashMap::new(), files: Vec::new(), folders: Vec::new() }
    }

    /// Copies what lies in `from` to `path` below the target; what `skip` names at its top is left out. What goes away
    /// meanwhile is left out as well. No link is followed.
    pub(crate) fn tree(
        &mut self,
        from: &Path,
        path: &str,
        skip: &dyn Fn(&str) -> bool,
    ) -> io::Result<()> {
        let top = Folder::open_machine(from)?;
        self.folder(&top, path, skip)
    }

    /// Notes a file that somebody else wrote to `path` below the target.
    pub(crate) fn placed(&mut self, path: &str, modified: Timestamp) -> io::Result<()> {
        let (bytes, sha256) = pour(File::open(self.target.join(path))?, &mut io::sink())?;
        let path = path.to_owned();
        self.files.push(Copied { path, bytes, sha256, modified, same_as: None });
        Ok(())
    }

    fn folder(&mut self, from: &Folder, path: &str, skip: &dyn Fn(&str) -> bool) -> io::Result<()> {
        std::fs::create_dir_all(self.target.join(path))?;
        self.folders.push(path.to_owned());
        for entry in from.entries()? {
            let (name, inode) = entry?;
            if skip(&name) {
                continue;
            }
            let below = format!("{path}/{name}");
            let copied = if inode.stat.is_folder() {
                from.child(&name).and_then(|child| self.folder(&child, &below, &|_| false))
            } else {
                self.file(from, &name, below)
            };
            match copied {
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                other => other?,
            }
        }
        File::open(self.target.join(path))?.sync_all()
    }

    fn file(&mut self, from: &Folder, name: &str, path: String) -> io::Result<()> {
        let source = from.open_file(name)?;
        // What was opened counts, not what the listing saw: the name may stand for another file by now.
        let metadata = source.metadata()?;
        let inode = (metadata.dev(), metadata.ino());
        let known = self.seen.get(&inode).and_then(|n| self.files.get(*n));
        if let Some(first) = known.filter(|_| metadata.nlink() > 1).cloned() {
            std::fs::hard_link(self.target.join(&first.path), self.target.join(&path))?;
            let same_as = first.same_as.or(Some(first.path));
            self.files.push(Copied { path, same_as, ..first });
            return Ok(());
        }
        let modified = Timestamp::try_from(metadata.modified()?).unwrap_or(Timestamp::UNIX_EPOCH);
        let (bytes, sha256) = copy(source, &self.target.join(&path), modified)?;
        self.seen.insert(inode, self.files.len());
        self.files.push(Copied { path, bytes, sha256, modified, same_as: None });
        Ok(())
    }
}

/// Copies a file durably, with its time; answers its size and SHA-256.
pub(crate) fn copy(
    source: impl Read,
    target: &Path,
    modified: Timestamp,
) -> io::Result<(u64, String)> {
    let mut written = File::options().write(true).create_new(true).open(target)?;
    let poured = pour(source, &mut written)?;
    rustix::fs::futimens(&written, &super::folder::times(modified))?;
    written.sync_all()?;
    Ok(poured)
}

fn pour(mut source: impl Read, target: &mut impl Write) -> io::Result<(u64, String)> {
    let mut digest = Sha256::new();
    let mut total: u64 = 0;
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let read = source.read(&mut chunk)?;
        let part = chunk.get(..read).unwrap_or_default();
        if part.is_empty() {
            break;
        }
        digest.update(part);
        target.write_all(part)?;
        total = total.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
    }
    Ok((total, digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()))
}
