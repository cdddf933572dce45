//! What is kept of runs: their files, to be sent again, and what the other side knows after them.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::super::Service;
use super::super::pgp::Signed;
use crate::error::{Error, Result};
use crate::export::{ExportSettings, Told};
use crate::import::pseudonym::Traces;
use crate::import::text::Charset;
use crate::import::unpack::{self, UnpackLimits};
use crate::model::UploadId;
use crate::store::registry::{RunState, StoredExport};
use crate::vfs::ClientSpace;

/// What is behind a run's id in the name of its list.
const TOLD: &str = ".told";

/// What one run keeps; dropped without [`Kept::keep`], it leaves nothing.
pub(super) struct Kept<'k> {
    space: &'k ClientSpace,
    name: String,
    is_kept: std::cell::Cell<bool>,
}

fn fault(error: io::Error) -> Error {
    Error::io("keeping an export", error)
}

impl<'k> Kept<'k> {
    pub(super) fn new(space: &'k Arc<ClientSpace>, id: UploadId) -> Result<Self> {
        Ok(Self { space, name: id.to_string(), is_kept: std::cell::Cell::new(false) })
    }

    /// The file for the run's bytes.
    pub(super) fn file(&self) -> Result<File> {
        self.space.exports.new_file(&self.name).map_err(fault)
    }

    /// There is no file after all.
    pub(super) fn no_file(&self) -> Result<()> {
        self.space.exports.remove_file_if_there(&self.name).map_err(fault)
    }

    /// Encrypts the file, where the settings ask for it; its new size and SHA-256. `name`: the plain file's.
    pub(super) fn seal(
        &self,
        service: &Service,
        export: &StoredExport,
        settings: &ExportSettings,
        name: &str,
    ) -> Result<Option<(u64, String)>> {
        if settings.ending().is_empty() {
            return Ok(None);
        }
        let mut plain = Vec::new();
        let exports = &self.space.exports;
        open(self.space, &self.name).and_then(|mut f| f.read_to_end(&mut plain)).map_err(fault)?;
        let sealed = if settings.zip {
            service.zip_for(&export.client, &export.folder, name, &plain)?
        } else {
            let signed = if settings.sign { Signed::ByUs } else { Signed::No };
            service.encrypt_for(&export.client, &settings.encrypt, signed, name, &plain)?
        };
        exports.remove_file(&self.name).map_err(fault)?;
        let mut file = self.file()?;
        file.write_all(&sealed).and_then(|()| file.sync_all()).map_err(fault)?;
        let bytes = u64::try_from(sealed.len()).unwrap_or(u64::MAX);
        Ok(Some((bytes, hex(&Sha256::digest(&sealed)))))
    }

    /// Keeps what the other side knows after the run.
    pub(super) fn told(&self, bytes: &[u8]) -> Result<()> {
        let mut file =
            self.space.exports.new_file(&format!("{}{TOLD}", self.name)).map_err(fault)?;
        file.write_all(bytes).and_then(|()| file.sync_all()).map_err(fault)
    }

    /// Puts the names onto the disk and takes their bytes from the quota.
    pub(super) fn settle(&self) -> Result<()> {
        for name in [self.name.clone(), format!("{}{TOLD}", self.name)] {
            if let Some(inode) = self.space.exports.look(&name).map_err(fault)? {
                self.space.occupy(inode.stat.bytes)?;
            }
        }
        self.space.exports.sync().map_err(fault)
    }

    /// The run is recorded: what it has stays.
    pub(super) fn keep(&self) {
        self.is_kept.set(true);
    }
}

impl Drop for Kept<'_> {
    fn drop(&mut self) {
        if self.is_kept.get() {
            return;
        }
        for name in [self.name.clone(), format!("{}{TOLD}", self.name)] {
            if let Err(error) = self.space.exports.remove_file_if_there(&name) {
                tracing::warn!(%error, name, "removing what a failed export left");
            }
        }
    }
}

/// What the other side knows after a run; `None`: it is not kept any more, or damaged.
pub(super) fn read_told(space: &ClientSpace, id: UploadId) -> Result<Option<Told>> {
    let mut bytes = Vec::new();
    let name = format!("{id}{TOLD}");
    match open(space, &name).and_then(|mut file| file.read_to_end(&mut bytes)) {
        Ok(_) => Ok(Told::unpack(&bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io(format!("reading {name}"), error)),
    }
}

/// Where a run's file lies.
pub(super) fn path(service: &Service, client: &str, id: UploadId) -> PathBuf {
    service.data().join("clients").join(client).join("exports").join(id.to_string())
}

fn open(space: &ClientSpace, name: &str) -> io::Result<File> {
    space.exports.open_file(name)
}

/// Removes files of runs before an instant (none: they stay), lists that no run needs, and what no run knows.
pub(in crate::service) fn forget_old(
    service: &Service,
    space: &ClientSpace,
    before: Option<Timestamp>,
) -> Result<()> {
    let _lock = space.lock_exports()?;
    if let Some(before) = before {
        service.registry().strip_export_runs(space.client(), before)?;
    }
    let needed = needed_lists(service, space.client())?;
    sweep(space, |name| {
        let run = match name.strip_suffix(TOLD) {
            Some(id) => return Ok(id.parse().is_ok_and(|id| !needed.contains(&id))),
            None => match name.parse() {
                Ok(id) => service.registry().export_run(id)?,
                Err(_) => return Ok(false),
            },
        };
        Ok(run.is_none_or(|run| {
            run.state != RunState::Ready && before.is_some_and(|before| run.at < before)
        }))
    })
}

/// Removes files that name somebody who gets a pseudonym. What cannot be read might, so it goes too.
pub(in crate::service) fn forget_people(
    service: &Service,
    space: &ClientSpace,
    traces: &Traces,
) -> Result<()> {
    let _lock = space.lock_exports()?;
    service.registry().strip_export_runs(space.client(), service.clock().now())?;
    let limits = &service.config().limits;
    let unpacked = UnpackLimits {
        max_bytes: limits.max_import_bytes,
        max_ratio: limits.max_unpack_ratio,
        max_columns: limits.max_columns,
    };
    sweep(space, |name| {
        let Ok(id) = name.parse::<UploadId>() else { return Ok(false) };
        let run = service.registry().export_run(id)?;
        if run.is_some_and(|run| run.state == RunState::Ready) {
            return Ok(false);
        }
        let mut bytes = Vec::new();
        let read = open(space, name)
            .and_then(|file| file.take(limits.max_import_bytes).read_to_end(&mut bytes));
        Ok(match read.map(|_| unpack::open(&bytes, &unpacked, Charset::Auto)) {
            Ok(Ok(opened)) => traces.are_in(&opened.decoded.text),
            Ok(Err(_)) | Err(_) => true,
        })
    })
}

/// The lists of the last runs of each export, as many as may be withdrawn one after the other.
fn needed_lists(service: &Service, client: &str) -> Result<HashSet<UploadId>> {
    let kept = service.config().limits.export_lists;
    let mut needed = HashSet::new();
    for export in service.registry().exports(Some(client))? {
        needed.extend(service.registry().told_lists(client, &export.name, kept)?);
    }
    Ok(needed)
}

fn sweep(space: &ClientSpace, is_due: impl Fn(&str) -> Result<bool>) -> Result<()> {
    for entry in space.exports.entries().map_err(fault)? {
        let (name, inode) = entry.map_err(fault)?;
        if is_due(&name)? {
            space.exports.remove_file_if_there(&name).map_err(fault)?;
            if inode.links < 2 {
                space.occupied.release(inode.stat.bytes);
            }
        }
    }
    Ok(())
}

/// Hex digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
