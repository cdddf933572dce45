//! A file that is kept for somebody else to fetch: copied into the client's outbox, durable, within the limits.

use std::io::{self, Read, Write};

use sha2::{Digest, Sha256};

use super::upload::{BLOCK_BYTES, hex};
use super::{ClientSpace, Sealed, StageLimits};
use crate::error::{Error, Kind, Result};

/// Copies `from` into the outbox under `name` and puts it onto the disk. After a failure nothing of it is there.
pub(crate) fn keep(
    space: &ClientSpace,
    name: &str,
    from: &mut dyn Read,
    limits: StageLimits,
) -> Result<Sealed> {
    let mut taken: u64 = 0;
    let copied = copy(space, name, from, limits, &mut taken);
    if copied.is_err() {
        space.occupied.release(taken);
        if let Err(error) = space.outbox.remove_file_if_there(name) {
            tracing::warn!(%error, name, "removing a file that could not be kept");
        }
    }
    copied
}

fn copy(
    space: &ClientSpace,
    name: &str,
    from: &mut dyn Read,
    limits: StageLimits,
    taken: &mut u64,
) -> Result<Sealed> {
    let keeping = |e: io::Error| Error::io("keeping the file", e);
    let mut file = space.outbox.new_file(name).map_err(keeping)?;
    let mut hasher = Sha256::new();
    let mut block = vec![0; BLOCK_BYTES];
    loop {
        let n = match from.read(&mut block) {
            Ok(0) => break,
            Ok(n) => n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(Error::io("reading the file", e)),
        };
        let read = block.get(..n).unwrap_or_default();
        let more = u64::try_from(n).unwrap_or(u64::MAX);
        check_room(space, taken.saturating_add(more), more, limits)?;
        space.occupy(more)?;
        *taken = taken.saturating_add(more);
        file.write_all(read).map_err(keeping)?;
        hasher.update(read);
    }
    file.sync_all().and_then(|()| space.outbox.sync()).map_err(keeping)?;
    Ok(Sealed { bytes: *taken, sha256: hex(&hasher.finalize()) })
}

fn check_room(space: &ClientSpace, bytes: u64, more: u64, limits: StageLimits) -> Result<()> {
    let most = limits.max_upload_bytes;
    if bytes > most {
        let why = format!(
            "the file has more than limits.max_upload_bytes = {most} bytes; split it or raise the limit"
        );
        return Err(Error::new(Kind::TooLarge, why));
    }
    let disk = space.outbox.space().map_err(|e| Error::io("asking for the free space", e))?;
    if disk.free_bytes >= limits.min_free_bytes.saturating_add(more) {
        return Ok(());
    }
    Err(Error::new(Kind::NoSpace, "the server's disk is nearly full; make room and try again"))
}
