//! A client's folders on disk: accounts' files, spool, archive, outbox; and how much they occupy.

use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::fs::FlockOperation;
use tokio::sync::Semaphore;

use super::folder::{Folder, Inode};
use super::turns::Turns;
use super::{AccountSpace, Space, tree};
use crate::error::{Error, Kind, Result};

/// `data/clients/<client>`: `files/<login>/…`, `spool/`, `archive/`, `outbox/`.
pub(crate) struct ClientSpace {
    slug: String,
    path: PathBuf,
    top: Inode,
    files: Folder,
    pub(crate) spool: Folder,
    pub(crate) archive: Folder,
    pub(crate) outbox: Folder,
    /// Exported files and what the other side was told with each of them.
    pub(crate) exports: Folder,
    pub(crate) occupied: Occupied,
    /// Turns at reading files again.
    pub(crate) turns: Turns,
    /// Places for commits and renames, each of which takes a thread that all clients share.
    pub(crate) commits: Arc<Semaphore>,
}

/// The folders whose files count for the quota.
const COUNTED: [&str; 5] = ["files", "spool", "archive", "outbox", "exports"];
/// Commits of one client that are under way at once; more of them wait without a thread.
const COMMITS_AT_ONCE: usize = 32;
/// Recounting walks every file of the client, so it happens at most this often.
const RECOUNT_PAUSE: Duration = Duration::from_secs(5);

impl ClientSpace {
    /// Opens a client's folders, making them all where they are missing: for a client that begins, or that a start finds.
    pub(crate) fn make(data: &Path, client: &str, quota_bytes: u64) -> Result<Self> {
        let path = data.join("clients").join(client);
        std::fs::create_dir_all(&path)
            .map_err(|e| Error::io(format!("making {}", path.display()), e))?;
        Self::open(data, client, quota_bytes)
    }

    /// Opens a client's folders, making what is missing in its own. That one is never made: where it is not there, another
    /// disk may be in the place of the right one.
    pub(crate) fn open(data: &Path, client: &str, quota_bytes: u64) -> Result<Self> {
        let path = data.join("clients").join(client);
        let opened = Folder::open_machine(&path).and_then(|top| {
            let parts = COUNTED.map(|name| top.child_or_new(name));
            let [files, spool, archive, outbox, exports] = parts;
            Ok((top.look_self()?, files?, spool?, archive?, outbox?, exports?))
        });
        let (top, files, spool, archive, outbox, exports) = opened.map_err(|e| {
            // The address that somebody gave is not what is missing.
            if e.kind() == io::ErrorKind::NotFound {
                let message = format!("{} is not there; is its disk mounted?", path.display());
                return Error::caused(Kind::Internal, message, e);
            }
            Error::io(format!("opening {}", path.display()), e)
        })?;
        let occupied = Occupied::new(quota_bytes);
        let slug = client.to_owned();
        Ok(Self {
            slug,
            path,
            top,
            files,
            spool,
            archive,
            outbox,
            exports,
            occupied,
            turns: Turns::default(),
            commits: Arc::new(Semaphore::new(COMMITS_AT_ONCE)),
        })
    }

    /// Removes the folders that opening made, as far as nothing lies in them.
    pub(crate) fn unmake(&self) {
        let parts = COUNTED.map(|name| self.path.join(name));
        for folder in parts.iter().chain([&self.path]) {
            if let Err(error) = std::fs::remove_dir(folder) {
                tracing::debug!(%error, folder = %folder.display(), "the folder of an erased client stays");
            }
        }
    }

    /// The client's slug.
    pub(crate) fn client(&self) -> &str {
        &self.slug
    }

    /// Whether the folder that was opened is still the one with its name.
    pub(crate) fn is_current(&self) -> bool {
        let now = Folder::open_machine(&self.path).and_then(|top| top.look_self());
        now.is_ok_and(|now| now.is_same(&self.top))
    }

    /// The file that holds the client's directory of users.
    pub(crate) fn directory_path(&self) -> PathBuf {
        self.path.join("users.db")
    }

    /// The folder of one account's files, made if missing.
    pub(crate) fn account(&self, login: &str) -> Result<AccountSpace> {
        let root = self
            .files
            .child_or_new(login)
            .map_err(|e| Error::io(format!("opening the files of {login}"), e))?;
        Ok(AccountSpace::new(root))
    }

    /// Whether no files lie where those of an account with this login would.
    pub(crate) fn is_free_for_account(&self, login: &str) -> Result<bool> {
        let what = |e| Error::io(format!("looking for files of {login}"), e);
        match std::fs::read_dir(self.path.join("files").join(login)) {
            Ok(mut entries) => Ok(entries.next().transpose().map_err(what)?.is_none()),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(true),
            Err(e) => Err(what(e)),
        }
    }

    /// An account's files get their place under another login; nothing to do when they have it already.
    pub(crate) fn rename_account(&self, old: &str, new: &str) -> Result<()> {
        let files = self.path.join("files");
        let moved = match std::fs::rename(files.join(old), files.join(new)) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        };
        moved
            .and_then(|()| File::open(&files)?.sync_all())
            .map_err(|e| Error::io(format!("moving the files of {old} to {new}"), e))
    }

    /// The room on the disk, and what the quota leaves of it.
    pub(crate) fn space(&self) -> Result<Space> {
        let disk = self.spool.space().map_err(|e| Error::io("asking for the free space", e))?;
        let Some(left) = self.occupied.left(|| self.count()) else { return Ok(disk) };
        Ok(Space {
            total_bytes: disk.total_bytes.min(self.occupied.quota_bytes),
            free_bytes: disk.free_bytes.min(left),
        })
    }

    /// Takes `bytes` more of the quota.
    pub(crate) fn occupy(&self, bytes: u64) -> Result<()> {
        if self.occupied.take(bytes, || self.count()) {
            return Ok(());
        }
        let quota = self.occupied.quota_bytes;
        Err(Error::new(
            Kind::Quota,
            format!("the quota of {quota} bytes is used up; remove files that are not needed"),
        ))
    }

    /// Bytes of all files, each inode once (an archived upload and its target share one).
    fn count(&self) -> io::Result<u64> {
        let mut seen = HashSet::new();
        let mut total: u64 = 0;
        for top in COUNTED {
            tree::visit(Folder::open_machine(&self.path.join(top))?, |inode, _| {
                let counts = inode.links < 2 || seen.insert((inode.device, inode.number));
                if counts && !inode.stat.is_folder() {
                    total = total.saturating_add(inode.stat.bytes);
                }
            })?;
        }
        Ok(total)
    }

    /// Takes the client's own lock: one importer at a time, whatever the process. `None`: somebody has it.
    pub(crate) fn try_lock(&self) -> Result<Option<ClientLock>> {
        self.flock("import.lock", FlockOperation::NonBlockingLockExclusive)
    }

    /// The same, waiting for it.
    pub(crate) fn lock(&self) -> Result<ClientLock> {
        let busy = || Error::new(Kind::Busy, "another import of this client is running");
        self.flock("import.lock", FlockOperation::LockExclusive)?.ok_or_else(busy)
    }

    /// Takes the lock under which files are laid into export folders; never held for long.
    pub(crate) fn lock_drops(&self) -> Result<ClientLock> {
        let busy = || Error::new(Kind::Busy, "another file is being handed over");
        self.flock("drops.lock", FlockOperation::LockExclusive)?.ok_or_else(busy)
    }

    /// Waits for the lock under which exports of this client run, one at a time; imports do not wait for it.
    pub(crate) fn lock_exports(&self) -> Result<ClientLock> {
        let busy = || Error::new(Kind::Busy, "another export of this client is running");
        self.flock("export.lock", FlockOperation::LockExclusive)?.ok_or_else(busy)
    }

    /// Takes the lock under which one account's server is looked at. `None`: somebody has it.
    pub(crate) fn try_lock_fetch(&self, login: &str) -> Result<Option<ClientLock>> {
        self.flock(&format!("fetch-{login}.lock"), FlockOperation::NonBlockingLockExclusive)
    }

    fn flock(&self, name: &str, how: FlockOperation) -> Result<Option<ClientLock>> {
        let path = self.path.join(name);
        let what = || format!("locking {}", path.display());
        let mut options = File::options();
        options.create(true).truncate(false).write(true);
        let file = options.open(&path).map_err(|e| Error::io(what(), e))?;
        match rustix::fs::flock(&file, how) {
            Ok(()) => Ok(Some(ClientLock { _file: file })),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(e) => Err(Error::io(what(), e.into())),
        }
    }
}

/// The client's lock; dropping it lets the next one in.
pub(crate) struct ClientLock {
    _file: File,
}

/// How much a client's files take, against its quota. Counted once, then kept by addition; before anything is
/// refused it is counted again.
pub(crate) struct Occupied {
    quota_bytes: u64,
    bytes: AtomicU64,
    counted: Mutex<Option<Instant>>,
}

impl Occupied {
    fn new(quota_bytes: u64) -> Self {
        Self { quota_bytes, bytes: AtomicU64::new(0), counted: Mutex::new(None) }
    }

    /// Gives `bytes` back.
    pub(crate) fn release(&self, bytes: u64) {
        let less = |now: u64| Some(now.saturating_sub(bytes));
        // The closure always gives a value, so this cannot fail.
        let _was = self.bytes.fetch_update(Ordering::AcqRel, Ordering::Acquire, less);
    }

    fn take(&self, bytes: u64, count: impl Fn() -> io::Result<u64>) -> bool {
        if self.quota_bytes == 0 {
            return true;
        }
        self.count_if(|counted| counted.is_none(), &count);
        if self.try_take(bytes) {
            return true;
        }
        self.count_if(|counted| counted.is_none_or(|at| at.elapsed() > RECOUNT_PAUSE), &count);
        self.try_take(bytes)
    }

    fn left(&self, count: impl Fn() -> io::Result<u64>) -> Option<u64> {
        if self.quota_bytes == 0 {
            return None;
        }
        self.count_if(|counted| counted.is_none(), &count);
        Some(self.quota_bytes.saturating_sub(self.bytes.load(Ordering::Acquire)))
    }

    fn try_take(&self, bytes: u64) -> bool {
        let more = |now: u64| now.checked_add(bytes).filter(|sum| *sum <= self.quota_bytes);
        self.bytes.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).is_ok()
    }

    fn count_if(
        &self,
        wanted: impl Fn(Option<Instant>) -> bool,
        count: &impl Fn() -> io::Result<u64>,
    ) {
        let mut counted = self.counted.lock().unwrap_or_else(|e| e.into_inner());
        if !wanted(*counted) {
            return;
        }
        match count() {
            Ok(total) => self.bytes.store(total, Ordering::Release),
            Err(error) => tracing::warn!(%error, "counting a client's files for its quota"),
        }
        *counted = Some(Instant::now());
    }
}
