//! A whole file in memory, if it is still the one that is meant: read by one thread and hashed by another.

use std::fs::File;
use std::io;
use std::sync::mpsc;
use std::thread::{Builder, scope};

use sha2::{Digest, Sha256};

use super::upload::hex;

/// What one thread reads before the other one hashes it.
const STEP_BYTES: usize = 1024 * 1024;
/// A shorter file is read and hashed before a thread has begun.
const WORTHWHILE_BYTES: usize = 4 * STEP_BYTES;

/// The bytes of a file that was so long and had this SHA-256 (64 hex digits); `None`: it holds something else.
pub(crate) fn read_same(file: &File, bytes: u64, sha256: &str) -> io::Result<Option<Vec<u8>>> {
    if file.metadata()?.len() != bytes {
        return Ok(None);
    }
    let length = usize::try_from(bytes).map_err(|_| io::ErrorKind::FileTooLarge)?;
    let mut all = vec![0; length];
    let hash = if length < WORTHWHILE_BYTES {
        fill(file, &mut all, |_| {})?.then(|| hex(&Sha256::digest(&all)))
    } else {
        fill_and_hash(file, &mut all)?
    };
    Ok((hash.as_deref() == Some(sha256)).then_some(all))
}

/// Reads as much as there is room for, step by step; `false`: the file ends before.
fn fill<'a>(file: &File, all: &'a mut [u8], mut done: impl FnMut(&'a [u8])) -> io::Result<bool> {
    let mut offset: u64 = 0;
    for step in all.chunks_mut(STEP_BYTES) {
        if super::read_full(file, offset, step)? < step.len() {
            return Ok(false);
        }
        offset = offset.saturating_add(u64::try_from(step.len()).unwrap_or(u64::MAX));
        done(step);
    }
    Ok(true)
}

fn fill_and_hash(file: &File, all: &mut [u8]) -> io::Result<Option<String>> {
    let (sender, steps) = mpsc::channel::<&[u8]>();
    scope(|scope| {
        let hash =
            move || steps.into_iter().fold(Sha256::new(), |hasher, step| hasher.chain_update(step));
        let hashing = Builder::new().name("sha256".to_owned()).spawn_scoped(scope, hash)?;
        // Should the other thread be gone, its end says so.
        let filled = fill(file, all, |step| _ = sender.send(step));
        drop(sender);
        let hasher = hashing.join().map_err(|_| io::Error::other("hashing the file failed"))?;
        Ok(filled?.then(|| hex(&hasher.finalize())))
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn only_what_was_meant_is_read() {
        for length in
            [0, 1, STEP_BYTES, WORTHWHILE_BYTES - 1, WORTHWHILE_BYTES, WORTHWHILE_BYTES * 2 + 77]
        {
            let bytes: Vec<u8> = (0..=250).cycle().take(length).collect();
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&bytes).unwrap();
            let sha256 = crate::vfs::sha256_of(&bytes);
            let n = u64::try_from(length).unwrap();
            assert!(read_same(&file, n, &sha256).unwrap() == Some(bytes), "{length} bytes");
            assert_eq!(read_same(&file, n, &"0".repeat(64)).unwrap(), None, "{length} bytes");
            assert_eq!(read_same(&file, n + 1, &sha256).unwrap(), None, "{length} bytes");
            file.write_all(b"more").unwrap();
            assert_eq!(read_same(&file, n, &sha256).unwrap(), None, "{length} bytes");
        }
    }
}
