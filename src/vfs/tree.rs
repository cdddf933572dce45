//! A folder with everything below it, read without opening more than one folder of each depth: a client may have made very
//! many of them, beside each other or below each other.

use std::io;

use rustix::io::Errno;

use super::folder::{Entries, Folder, Inode};

/// Folders below each other that are read. No client can make more (`MAX_PATH_PARTS`), but for some by racing renames.
const MAX_DEPTH: usize = 400;

/// Where an entry lies, counted from the top of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// 1 for what lies in the top itself.
    pub(super) depth: usize,
    /// Bytes of its address below the top, with a `/` before each name.
    pub(super) address_bytes: usize,
}

struct Level {
    entries: Entries,
    folder: Folder,
    address_bytes: usize,
}

impl Level {
    fn open(folder: Folder, address_bytes: usize) -> io::Result<Self> {
        Ok(Self { entries: folder.entries()?, folder, address_bytes })
    }
}

/// Shows every file and folder below `top`. What goes away meanwhile is passed over.
///
/// # Errors
/// What the file system refuses; folders that lie too deep.
pub(super) fn visit(top: Folder, mut see: impl FnMut(&Inode, Place)) -> io::Result<()> {
    let mut open = vec![Level::open(top, 0)?];
    loop {
        let depth = open.len();
        let Some(level) = open.last_mut() else { return Ok(()) };
        let Some(entry) = level.entries.next() else {
            open.pop();
            continue;
        };
        let (name, inode) = entry?;
        let address_bytes = level.address_bytes.saturating_add(name.len()).saturating_add(1);
        see(&inode, Place { depth, address_bytes });
        if !inode.stat.is_folder() {
            continue;
        }
        let below = match level.folder.child(&name) {
            Err(e) if is_gone(&e) => continue,
            other => Level::open(other?, address_bytes)?,
        };
        if depth >= MAX_DEPTH {
            return Err(io::Error::other("folders lie too deep below each other; remove some"));
        }
        open.push(below);
    }
}

/// Whether the folder was removed or replaced by something else since it was listed.
fn is_gone(error: &io::Error) -> bool {
    let gone = [Errno::NOENT, Errno::NOTDIR, Errno::LOOP];
    Errno::from_io_error(error).is_some_and(|errno| gone.contains(&errno))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_is_seen_once_with_its_place_and_few_folders_are_open() {
        let top = tempfile::tempdir().unwrap();
        for n in 0..300 {
            std::fs::create_dir_all(top.path().join(format!("wide/{n:03}/a"))).unwrap();
        }
        std::fs::write(top.path().join("wide/007/a/file"), "1234").unwrap();
        std::os::unix::fs::symlink("wide", top.path().join("link")).unwrap();
        let descriptors = || std::fs::read_dir("/proc/self/fd").unwrap().count();
        let before = descriptors();
        let (mut folders, mut files, mut most) = (0, Vec::new(), 0);
        visit(Folder::open_machine(top.path()).unwrap(), |inode, place| {
            if inode.stat.is_folder() {
                folders += 1;
            } else {
                files.push((inode.stat.bytes, place));
            }
            most = most.max(descriptors());
        })
        .unwrap();
        assert_eq!(folders, 1 + 300 + 300);
        let place = Place { depth: 4, address_bytes: "/wide/007/a/file".len() };
        assert_eq!(files, [(4, place)]);
        // Other tests of the same program have their own open.
        assert!(most < before + 150, "{most} descriptors, {before} before");
    }
}
