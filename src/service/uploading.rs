//! The uploads that a session has under way: which of them a name means, and what becomes of them when that name is
//! renamed or removed before they are closed.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::{UploadId, VPath};
use crate::vfs::{FileId, Overwrite};

/// The uploads of one session, in the order in which they were opened (ids of one millisecond have none).
#[derive(Default)]
pub(super) struct Uploads(Mutex<Vec<Uploading>>);

/// An upload under way, as others see it.
pub(super) struct Uploading {
    pub(super) id: UploadId,
    /// The name that it gets at its end.
    pub(super) path: VPath,
    /// Whether a file that lies there at the end is replaced.
    pub(super) overwrite: Overwrite,
    /// The file in the spool, which becomes the published one.
    pub(super) file: FileId,
    /// Bytes that have come.
    pub(super) bytes: Arc<AtomicU64>,
    pub(super) standing: Standing,
}

/// Whether the name of an upload still means it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It does: STAT tells its size, and a rename of its name is one of the upload.
    Open,
    /// A later upload of the session was stored under its name: since then the name means that one.
    Overtaken,
    /// The client removed it: nothing of it is stored.
    Removed,
    /// It has ended, and keeps the name that it has.
    Ended,
}

/// What an upload is stored as at its end.
pub(super) struct End {
    pub(super) overwrite: Overwrite,
    pub(super) is_removed: bool,
}

impl Uploads {
    /// Lets `stat` see the growing size of an upload, and the account's quota count it.
    pub(super) fn begin(&self, upload: Uploading) {
        self.all().push(upload);
    }

    pub(super) fn forget(&self, id: UploadId) {
        self.all().retain(|u| u.id != id);
    }

    /// The files in the spool, with the bytes that have come.
    pub(super) fn files(&self) -> Vec<(FileId, u64)> {
        self.all().iter().map(|u| (u.file, u.has_bytes())).collect()
    }

    /// The names and how many bytes of each have come.
    pub(super) fn under_way(&self) -> Vec<(VPath, u64)> {
        let all = self.all();
        let kept = all.iter().filter(|u| u.standing != Standing::Removed);
        kept.map(|u| (u.path.clone(), u.has_bytes())).collect()
    }

    /// The size of the upload that `path` means; of several the last one counts.
    pub(super) fn bytes_at(&self, path: &VPath) -> Option<u64> {
        let all = self.all();
        let known = |u: &&Uploading| matches!(u.standing, Standing::Open | Standing::Ended);
        all.iter().rev().filter(known).find(|u| u.path == *path).map(Uploading::has_bytes)
    }

    /// Whether `path` means an upload that has not ended.
    pub(super) fn is_open_at(&self, path: &VPath) -> bool {
        self.all().iter().any(|u| u.is_open_at(path))
    }

    /// The name that an upload gets at its end.
    pub(super) fn path(&self, id: UploadId) -> Option<VPath> {
        self.all().iter().find(|u| u.id == id).map(|u| u.path.clone())
    }

    pub(super) fn is_removed(&self, id: UploadId) -> bool {
        self.all().iter().any(|u| u.id == id && u.standing == Standing::Removed)
    }

    /// The upload that `from` means gets the name `to` at its end. False: there is none. The caller holds the lock on
    /// `from`.
    pub(super) fn rename(&self, from: &VPath, to: &VPath, overwrite: Overwrite) -> bool {
        let mut all = self.all();
        let Some(upload) = all.iter_mut().rev().find(|u| u.is_open_at(from)) else {
            return false;
        };
        if from != to {
            upload.path = to.clone();
            upload.overwrite = overwrite;
        }
        true
    }

    /// Nothing of the uploads to `path` that have not ended will be stored. False: there are none. The caller holds the
    /// lock on `path`.
    pub(super) fn remove(&self, path: &VPath) -> bool {
        let mut removed = false;
        for upload in self.all().iter_mut().filter(|u| u.path == *path) {
            if matches!(upload.standing, Standing::Open | Standing::Overtaken) {
                upload.standing = Standing::Removed;
                removed = true;
            }
        }
        removed
    }

    /// An upload ends as `path`; no rename and no removal reaches it from now on. `None`: it was renamed meanwhile. The
    /// caller holds the lock on `path`.
    pub(super) fn end(&self, id: UploadId, path: &VPath) -> Option<End> {
        let mut all = self.all();
        let Some(upload) = all.iter_mut().find(|u| u.id == id) else {
            // One that nobody knows has ended already.
            return Some(End { overwrite: Overwrite::Never, is_removed: true });
        };
        if upload.path != *path {
            return None;
        }
        let is_removed = upload.standing == Standing::Removed;
        if !is_removed {
            upload.standing = Standing::Ended;
        }
        Some(End { overwrite: upload.overwrite, is_removed })
    }

    /// The upload `id` was stored as `path`: what was begun there before it no longer has the name.
    pub(super) fn overtake(&self, id: UploadId, path: &VPath) {
        let mut all = self.all();
        let before = all.iter_mut().take_while(|u| u.id != id);
        for earlier in before.filter(|u| u.is_open_at(path)) {
            earlier.standing = Standing::Overtaken;
        }
    }

    fn all(&self) -> MutexGuard<'_, Vec<Uploading>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Uploading {
    fn has_bytes(&self) -> u64 {
        self.bytes.load(Ordering::Acquire)
    }

    fn is_open_at(&self, path: &VPath) -> bool {
        self.standing == Standing::Open && self.path == *path
    }
}
