//! Several syncs at once: a disk needs hardly longer for them than for one.

use std::fs::File;
use std::io;

use super::Folder;

/// What is not yet known to be on the disk.
#[derive(Clone, Copy)]
pub(crate) enum Unsynced<'x> {
    /// A file's bytes.
    File(&'x File),
    /// A folder's entries.
    Folder(&'x Folder),
}

impl Unsynced<'_> {
    fn sync(self) -> io::Result<()> {
        match self {
            Self::File(file) => file.sync_all(),
            Self::Folder(folder) => folder.sync(),
        }
    }
}

/// Puts all of these onto the disk; the first by this thread, each other one by a thread of its own, so there are few.
///
/// # Errors
/// When the disk refuses any of them.
pub(crate) fn sync_at_once(all: &[Unsynced<'_>]) -> io::Result<()> {
    let Some((own, others)) = all.split_first() else { return Ok(()) };
    std::thread::scope(|scope| {
        let start = |one| {
            let sync = move || Unsynced::sync(one);
            (one, std::thread::Builder::new().spawn_scoped(scope, sync))
        };
        let at_work: Vec<_> = others.iter().copied().map(start).collect();
        let own = own.sync();
        let others = at_work.into_iter().try_for_each(|(one, thread)| match thread {
            Ok(thread) => thread.join().unwrap_or_else(|_| one.sync()),
            // No thread to be had: one after the other, then.
            Err(_) => one.sync(),
        });
        own.and(others)
    })
}
