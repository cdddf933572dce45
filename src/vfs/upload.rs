//! Stage and publish: bytes go into the spool, and reach their target in one rename.

use std::fs::File;
use std::io::{self, Read as _};
use std::num::NonZeroU64;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::client::ClientSpace;
use super::coverage::Coverage;
use super::folder::{self, FileId, Folder};
use super::sync::{Unsynced, sync_at_once};
use super::turns::{Turn, Turns};
use crate::error::{Error, Kind, Result};

/// What an upload may use.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StageLimits {
    pub(crate) max_upload_bytes: u64,
    pub(crate) min_free_bytes: u64,
    /// What the account's quota leaves for this file; `None`: it has none.
    pub(crate) room_bytes: Option<u64>,
}

/// The disk is asked for its room again after this many bytes.
const SPACE_CHECK_BYTES: u64 = 4 * 1024 * 1024;
/// The same while a part is copied.
const COPY_STEP_BYTES: u64 = 64 * 1024 * 1024;
/// After this many bytes in order the disk is set to work on them.
const WRITE_BACK_BYTES: u64 = 8 * 1024 * 1024;
/// One read when an upload is hashed or copied.
pub(super) const BLOCK_BYTES: usize = 256 * 1024;

/// A file in the spool that is being written. Dropping it removes it, unless it was handed on.
pub(crate) struct Stage {
    client: Arc<ClientSpace>,
    name: String,
    file: File,
    bytes: u64,
    hash: RunningHash,
    /// Which bytes have come: between them may be holes.
    come: Coverage,
    limits: StageLimits,
    space_checked_bytes: u64,
    /// Written since the disk was last asked: also below its end, where a file that was made long may have holes.
    written_unchecked_bytes: u64,
    /// So much from the start is on its way to the disk.
    written_back_bytes: u64,
    modified: Option<Timestamp>,
    poison: Option<(Kind, String)>,
    /// Its bytes were taken from the quota for it.
    counted: bool,
    keep: bool,
}

/// A stage whose bytes are on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sealed {
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
}

impl Stage {
    /// Makes a fresh file in the spool.
    pub(crate) fn new(client: &Arc<ClientSpace>, name: &str, limits: StageLimits) -> Result<Self> {
        let file = client.spool.new_file(name).map_err(|e| Error::io("starting the upload", e))?;
        let stage = Self::around(client, name, file, limits);
        stage.check_space(0)?;
        Ok(stage)
    }

    /// Gives a complete file of the account a second name in the spool, from where it can be committed.
    pub(crate) fn adopt(
        client: &Arc<ClientSpace>,
        name: &str,
        from: &Folder,
        from_name: &str,
        limits: StageLimits,
    ) -> Result<Self> {
        let linking = |e| Error::io("taking over the file", e);
        from.link(from_name, &client.spool, name).map_err(linking)?;
        let file = client.spool.open_file(name).map_err(linking)?;
        let mut stage = Self::around(client, name, file, limits);
        stage.counted = false;
        stage.bytes = stage.file.metadata().map_err(linking)?.len();
        stage.check_size(stage.bytes)?;
        Ok(stage)
    }

    fn around(client: &Arc<ClientSpace>, name: &str, file: File, limits: StageLimits) -> Self {
        Self {
            client: Arc::clone(client),
            name: name.to_owned(),
            file,
            bytes: 0,
            hash: RunningHash::default(),
            come: Coverage::default(),
            limits,
            space_checked_bytes: 0,
            written_unchecked_bytes: 0,
            written_back_bytes: 0,
            modified: None,
            poison: None,
            counted: true,
            keep: false,
        }
    }

    /// Starts from a copy of `source`: shared blocks where the file system can, else copied.
    pub(crate) fn copy_from(&mut self, source: &File) -> Result<()> {
        let bytes = source.metadata().map_err(|e| Error::io("reading the part", e))?.len();
        self.grow_to(bytes)?;
        self.come.add(0, bytes);
        if rustix::fs::ioctl_ficlone(&self.file, source).is_ok() {
            return Ok(());
        }
        let (mut from, mut to) = (source, &self.file);
        let mut copied: u64 = 0;
        loop {
            // Others copy and write, too: the room that was there at the start may be gone.
            self.check_space(COPY_STEP_BYTES.min(bytes.saturating_sub(copied)))?;
            let step = io::copy(&mut from.take(COPY_STEP_BYTES), &mut to);
            let step = step.map_err(|e| Error::io("copying the part", e))?;
            if step == 0 {
                break;
            }
            copied = copied.saturating_add(step);
            from = source;
        }
        if copied == bytes {
            return Ok(());
        }
        Err(Error::new(Kind::Conflict, "the part changed while it was read; send the file again"))
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The spool file, which keeps its identity when it gets its name.
    pub(crate) fn id(&self) -> Result<FileId> {
        FileId::of(&self.file).map_err(|e| Error::io("looking at the upload", e))
    }

    pub(crate) fn write_at(&mut self, offset: u64, data: &[u8]) -> Result<()> {
        self.guarded(|stage| {
            // A write of nothing extends no file, wherever it is (POSIX, write).
            if data.is_empty() {
                return Ok(());
            }
            let length = u64::try_from(data.len()).unwrap_or(u64::MAX);
            let end = offset.saturating_add(length);
            stage.check_size(end)?;
            stage.grow_to(end)?;
            stage.check_written(length)?;
            stage.file.write_all_at(data, offset).map_err(|e| Error::io("writing", e))?;
            stage.hash.written(offset, data);
            stage.come.add(offset, length);
            stage.write_back();
            Ok(())
        })
    }

    /// Writes so many bytes of a file of this machine, from its start, or all that it holds.
    pub(crate) fn write_from(&mut self, source: &File, bytes: u64) -> Result<()> {
        let mut block = vec![0; BLOCK_BYTES];
        let mut offset = 0;
        loop {
            let left = usize::try_from(bytes.saturating_sub(offset)).unwrap_or(BLOCK_BYTES);
            block.truncate(left);
            let read = super::read_full(source, offset, &mut block);
            let n = read.map_err(|e| Error::io("reading the file", e))?;
            self.write_at(offset, block.get(..n).unwrap_or_default())?;
            offset = offset.saturating_add(u64::try_from(n).unwrap_or(0));
            if n < BLOCK_BYTES {
                return Ok(());
            }
        }
    }

    /// Lets the disk begin with what has come in order, while more comes: the sync of `seal`, for which the client
    /// waits, then has little left to do. It is a hint only; nothing counts as written before `seal`.
    fn write_back(&mut self) {
        let come = self.hash.bytes.saturating_sub(self.written_back_bytes);
        let Some(step) = NonZeroU64::new(come).filter(|step| step.get() >= WRITE_BACK_BYTES) else {
            return;
        };
        // Linux starts writing dirty pages for this advice, without waiting, and keeps those that it writes just now.
        let advice = rustix::fs::Advice::DontNeed;
        let told = rustix::fs::fadvise(&self.file, self.written_back_bytes, Some(step), advice);
        if let Err(error) = told {
            tracing::debug!(%error, name = self.name, "the disk could not be set to work early");
        }
        self.written_back_bytes = self.hash.bytes;
    }

    pub(crate) fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        super::read_full(&self.file, offset, buffer).map_err(|e| Error::io("reading back", e))
    }

    pub(crate) fn truncate(&mut self, bytes: u64) -> Result<()> {
        self.guarded(|stage| {
            stage.check_size(bytes)?;
            stage.grow_to(bytes)?;
            stage.file.set_len(bytes).map_err(|e| Error::io("changing the size", e))?;
            if bytes < stage.bytes {
                stage.client.occupied.release(stage.bytes.saturating_sub(bytes));
                stage.bytes = bytes;
                stage.hash.cut(bytes);
                stage.come.cut(bytes);
            }
            Ok(())
        })
    }

    /// Cuts it to the bytes that have come without a gap: what follows may be holes that look like data.
    pub(crate) fn cut_to_first_gap(&mut self) -> Result<()> {
        let whole = self.come.without_gap();
        if whole < self.bytes { self.truncate(whole) } else { Ok(()) }
    }

    pub(crate) fn sync(&mut self) -> Result<()> {
        self.guarded(|stage| stage.file.sync_data().map_err(|e| Error::io("syncing", e)))
    }

    pub(crate) fn set_modified(&mut self, modified: Timestamp) {
        self.modified = Some(modified);
    }

    /// Says anew what the account's quota leaves for this file.
    pub(crate) fn set_room(&mut self, room_bytes: Option<u64>) {
        self.limits.room_bytes = room_bytes;
    }

    /// Whether an earlier call failed: such an upload is never published.
    pub(crate) fn is_poisoned(&self) -> bool {
        self.poison.is_some()
    }

    /// Puts the bytes onto the disk and says what they are. Nothing can be written afterwards.
    pub(crate) fn seal(&mut self) -> Result<Sealed> {
        let sealed = self.describe()?;
        self.sync_with(&[])?;
        Ok(sealed)
    }

    /// Says what the bytes are, which may still be on their way to the disk. Nothing can be written afterwards.
    pub(crate) fn describe(&mut self) -> Result<Sealed> {
        self.guarded(|stage| {
            if let Some(modified) = stage.modified {
                rustix::fs::futimens(&stage.file, &folder::times(modified))
                    .map_err(|e| Error::io("setting the time", e.into()))?;
            }
            let held = stage.file.metadata().map_err(|e| Error::io("checking the size", e))?.len();
            if held != stage.bytes {
                return Err(Error::new(Kind::Internal, "the spool file changed underneath"));
            }
            let hash = std::mem::take(&mut stage.hash);
            let sha256 = hash
                .finish(&stage.file, &stage.client.turns)
                .map_err(|e| Error::io("reading back", e))?;
            Ok(Sealed { bytes: stage.bytes, sha256 })
        })
    }

    /// Puts the bytes and the entries of `folders` onto the disk, all at once.
    pub(crate) fn sync_with(&mut self, folders: &[&Folder]) -> Result<()> {
        self.guarded(|stage| {
            let folders = folders.iter().copied().map(Unsynced::Folder);
            let all: Vec<Unsynced<'_>> =
                std::iter::once(Unsynced::File(&stage.file)).chain(folders).collect();
            sync_at_once(&all).map_err(|e| Error::io("syncing", e))
        })
    }

    /// The spool file has been renamed, or a row in the registry speaks for it: it is not removed on drop.
    pub(crate) fn hand_on(&mut self) {
        self.keep = true;
    }

    fn guarded<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if let Some((kind, message)) = &self.poison {
            return Err(Error::new(*kind, message.clone()));
        }
        let done = work(self);
        if let Err(e) = &done {
            self.poison = Some((e.kind(), format!("this upload failed before: {e}")));
        }
        done
    }

    fn check_size(&self, bytes: u64) -> Result<()> {
        let most = self.limits.max_upload_bytes;
        if bytes <= most {
            return Ok(());
        }
        Err(Error::new(
            Kind::TooLarge,
            format!("the file is larger than the {most} bytes that one upload may have"),
        ))
    }

    /// Whether a file of so many bytes has room.
    pub(crate) fn check_room(&self, bytes: u64) -> Result<()> {
        self.check_size(bytes)?;
        self.check_quota(bytes)?;
        self.check_space(bytes.saturating_sub(self.bytes))
    }

    /// Whether the account's quota has room for a file of so many bytes.
    pub(crate) fn check_quota(&self, bytes: u64) -> Result<()> {
        let Some(room) = self.limits.room_bytes.filter(|room| bytes > *room) else { return Ok(()) };
        let message = format!(
            "the account's quota leaves {room} bytes for this file; remove files that are not needed"
        );
        Err(Error::new(Kind::Quota, message))
    }

    fn grow_to(&mut self, bytes: u64) -> Result<()> {
        let Some(growth) = bytes.checked_sub(self.bytes).filter(|g| *g > 0) else { return Ok(()) };
        if bytes > self.space_checked_bytes {
            self.check_space(growth)?;
            self.space_checked_bytes = bytes.saturating_add(SPACE_CHECK_BYTES);
        }
        self.check_quota(bytes)?;
        self.client.occupy(growth)?;
        self.bytes = bytes;
        Ok(())
    }

    fn check_written(&mut self, length: u64) -> Result<()> {
        self.written_unchecked_bytes = self.written_unchecked_bytes.saturating_add(length);
        if self.written_unchecked_bytes < SPACE_CHECK_BYTES {
            return Ok(());
        }
        self.written_unchecked_bytes = 0;
        self.check_space(SPACE_CHECK_BYTES)
    }

    fn check_space(&self, growth: u64) -> Result<()> {
        let space = self.client.spool.space().map_err(|e| Error::io("asking for free space", e))?;
        if space.free_bytes >= self.limits.min_free_bytes.saturating_add(growth) {
            return Ok(());
        }
        Err(Error::new(Kind::NoSpace, "the server's disk is nearly full; try again later"))
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if self.keep {
            return;
        }
        if self.counted {
            self.client.occupied.release(self.bytes);
        }
        if let Err(error) = self.client.spool.remove_file_if_there(&self.name) {
            tracing::warn!(%error, name = self.name, "removing a spool file");
        }
    }
}

/// SHA-256 as the bytes come in order; what came out of order is read back at the end.
#[derive(Default)]
struct RunningHash {
    hasher: Sha256,
    bytes: u64,
    /// Something below `bytes` was written again: only the finished file counts.
    stale: bool,
}

impl RunningHash {
    fn written(&mut self, offset: u64, data: &[u8]) {
        if self.stale {
            return;
        }
        match offset.cmp(&self.bytes) {
            std::cmp::Ordering::Equal => {
                self.hasher.update(data);
                self.bytes =
                    self.bytes.saturating_add(u64::try_from(data.len()).unwrap_or(u64::MAX));
            }
            std::cmp::Ordering::Less => self.stale = true,
            std::cmp::Ordering::Greater => {}
        }
    }

    fn cut(&mut self, bytes: u64) {
        self.stale |= bytes < self.bytes;
    }

    fn finish(self, file: &File, turns: &Turns) -> io::Result<String> {
        let (hasher, from) =
            if self.stale { (Sha256::new(), 0) } else { (self.hasher, self.bytes) };
        hash_from(hasher, file, from, || Some(turns.take()))
    }
}

/// SHA-256 in 64 hex digits.
pub(crate) fn sha256_of(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// SHA-256 of a whole file, in 64 hex digits.
pub(crate) fn sha256_of_file(file: &File) -> io::Result<String> {
    hash_from(Sha256::new(), file, 0, || None)
}

/// Hashes the rest of a file; each block is read in its turn.
fn hash_from<'a>(
    mut hasher: Sha256,
    file: &File,
    mut from: u64,
    turn: impl Fn() -> Option<Turn<'a>>,
) -> io::Result<String> {
    let mut block = Vec::new();
    loop {
        let left = file.metadata()?.len().saturating_sub(from);
        if left == 0 {
            return Ok(hex(&hasher.finalize()));
        }
        let _turn = turn();
        let room = usize::try_from(left).unwrap_or(BLOCK_BYTES).min(BLOCK_BYTES);
        block.resize(room, 0);
        let n = super::read_full(file, from, &mut block)?;
        hasher.update(block.get(..n).unwrap_or_default());
        from = from.saturating_add(u64::try_from(n).unwrap_or(0));
        if n == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// Bytes as lower-case hex digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_disk_began_early_is_whole_after_the_seal_also_when_written_again() {
        let data = tempfile::tempdir().unwrap();
        let client = Arc::new(ClientSpace::make(data.path(), "acme", u64::MAX).unwrap());
        let limits =
            StageLimits { max_upload_bytes: u64::MAX, min_free_bytes: 0, room_bytes: None };
        let mut sent: Vec<u8> = (0..=250).cycle().take(20 * 1024 * 1024 + 7).collect();
        for again in [false, true] {
            let mut stage = Stage::new(&client, "upload", limits).unwrap();
            let mut offset = 0;
            // Pieces that end neither with a page nor with a step.
            for piece in sent.chunks(100_003) {
                stage.write_at(offset, piece).unwrap();
                offset += u64::try_from(piece.len()).unwrap();
            }
            assert!(stage.written_back_bytes > 2 * WRITE_BACK_BYTES);
            if again {
                sent[4096..4100].copy_from_slice(b"late");
                stage.write_at(4096, b"late").unwrap();
            }
            let sealed = stage.seal().unwrap();
            assert_eq!(sealed.sha256, sha256_of(&sent));
            let mut held = Vec::new();
            io::Read::read_to_end(&mut client.spool.open_file("upload").unwrap(), &mut held)
                .unwrap();
            assert!(held == sent, "the spool file holds other bytes");
        }
    }

    #[test]
    fn the_disk_keeps_its_reserve_from_holes_that_are_filled_and_from_copies() {
        let data = tempfile::tempdir().unwrap();
        let client = Arc::new(ClientSpace::make(data.path(), "acme", u64::MAX).unwrap());
        let limits =
            StageLimits { max_upload_bytes: u64::MAX, min_free_bytes: 0, room_bytes: None };
        let mut stage = Stage::new(&client, "holes", limits).unwrap();
        stage.truncate(64 * 1024 * 1024).unwrap();
        // From here on the disk counts as full.
        stage.limits.min_free_bytes = u64::MAX;
        let block = vec![7; 1024 * 1024];
        let refused = (0..64).find_map(|n| stage.write_at(n * 1024 * 1024, &block).err()).unwrap();
        assert_eq!(refused.kind(), Kind::NoSpace);
        let whole = File::create(data.path().join("part")).unwrap();
        whole.set_len(1024).unwrap();
        let part = File::open(data.path().join("part")).unwrap();
        let mut copy = Stage::new(&client, "copy", limits).unwrap();
        copy.copy_from(&part).unwrap();
        assert_eq!(copy.seal().unwrap().sha256, sha256_of(&[0; 1024]));
        let mut copy = Stage::new(&client, "copy-2", limits).unwrap();
        copy.limits.min_free_bytes = u64::MAX;
        assert_eq!(copy.copy_from(&part).unwrap_err().kind(), Kind::NoSpace);
    }
}
