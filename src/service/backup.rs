//! Backups of a data folder while its server runs, and their way back (docs/operations.md).

use std::fs::File;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Service;
use crate::error::{Error, Kind, Result};
use crate::store::Frozen;
use crate::vfs::{self, ClientLock, Copied, Copier};

/// The file that makes a folder a backup: written last, so a backup that has it is whole.
const MANIFEST: &str = "rollcall-backup.json";
/// The version of the manifest's form.
const FORMAT: u32 = 1;
/// What of a client is no part of a backup: the spool holds nothing that was acknowledged, the rest is copied as databases.
pub(super) const NOT_COPIED: [&str; 8] = [
    "arriving",
    "spool",
    "import.lock",
    "export.lock",
    "drops.lock",
    "users.db",
    "users.db-wal",
    "users.db-shm",
];

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backup {
    /// The version of this form.
    format: u32,
    /// The program that made it.
    pub program: String,
    /// The instant as of which it is.
    pub made_at: Timestamp,
    /// The clients in it.
    pub clients: Vec<String>,
    /// Those of them that could not be backed up as they should, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub damaged: Vec<Damaged>,
    /// Folders, outer ones first.
    folders: Vec<String>,
    /// Files.
    files: Vec<BackupFile>,
}

/// A client whose folder or database cannot be used: its files are in the backup as they lie there, or as far as they can be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Damaged {
    /// The client's slug.
    pub client: String,
    /// What is wrong with it.
    pub why: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct BackupFile {
    pub(super) path: String,
    pub(super) bytes: u64,
    pub(super) sha256: String,
    pub(super) modified: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) same_as: Option<String>,
}

impl BackupFile {
    /// A file that was copied.
    pub(super) fn of(file: Copied) -> Self {
        let Copied { path, bytes, sha256, modified, same_as } = file;
        Self { path, bytes, sha256, modified, same_as }
    }
}

impl Backup {
    /// How many files it holds.
    #[must_use]
    pub fn files(&self) -> usize {
        self.files.len()
    }

    /// How many bytes it takes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.iter().filter(|file| file.same_as.is_none()).map(|file| file.bytes).sum()
    }
}

impl Service {
    /// Writes everything but keys and certificates to a new folder, as of one instant, while the server goes on; uploads
    /// are received meanwhile, and imports wait for as long as it takes to begin.
    ///
    /// The databases are frozen together, under every client's lock: none knows of something that another does not.
    /// Files are copied after that, so every upload that the registry knows has its bytes in the backup.
    ///
    /// A client whose folder or database is damaged keeps no other from its backup: its files are copied as they are, and it
    /// is named in [`Backup::damaged`].
    ///
    /// # Errors
    /// `Kind::Exists` for a folder that is not empty; `Kind::Conflict` when a client was erased meanwhile; disk faults.
    pub fn back_up(&self, target: &Path) -> Result<Backup> {
        self.outside(target)?;
        new_folder(target)?;
        let mut slugs: Vec<String> =
            self.clients()?.into_iter().map(|client| client.slug).collect();
        slugs.sort();
        let (made_at, registry, directories) = self.freeze(&slugs)?;
        let mut copier = Copier::new(target);
        copy_database(&mut copier, &registry, target, "registry.db", made_at)?;
        let mut damaged = Vec::new();
        for (slug, directory) in slugs.iter().zip(directories) {
            let top = format!("clients/{slug}");
            let from = self.data().join(&top);
            let fault =
                |e| Error::io(format!("copying {} to {}", from.display(), target.display()), e);
            match directory {
                Ok(directory) => {
                    let skip = |name: &str| NOT_COPIED.contains(&name);
                    copier.tree(&from, &top, &skip).map_err(fault)?;
                    copy_database(
                        &mut copier,
                        &directory,
                        target,
                        &format!("{top}/users.db"),
                        made_at,
                    )?;
                }
                Err(error) => {
                    let mut why = error.message().to_owned();
                    let skip =
                        |name: &str| NOT_COPIED.contains(&name) && !name.starts_with("users.db");
                    if let Err(error) = copier.tree(&from, &top, &skip).map_err(fault) {
                        why = format!("{why}; {}", error.message());
                    }
                    damaged.push(Damaged { client: slug.clone(), why });
                }
            }
        }
        for slug in &slugs {
            if self.registry().client(slug)?.is_none() {
                let message = format!(
                    "client {slug} was erased while the backup was made: remove {} and make it again",
                    target.display()
                );
                return Err(Error::new(Kind::Conflict, message));
            }
        }
        let files = copier.files.into_iter().map(BackupFile::of);
        let backup = Backup {
            format: FORMAT,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            made_at,
            clients: slugs,
            damaged,
            files: files.collect(),
            folders: copier.folders,
        };
        write_manifest(target, &backup)?;
        self.record("backup", &target.display().to_string(), "");
        Ok(backup)
    }

    /// Refuses a folder within the data folder: a backup would hold itself, and the next one both.
    fn outside(&self, target: &Path) -> Result<()> {
        let whole = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        if !whole(target).starts_with(whole(self.data())) {
            return Ok(());
        }
        let message = format!(
            "{} lies in the data folder {}; give a folder outside of it, on another disk if there is one",
            target.display(),
            self.data().display()
        );
        Err(Error::new(Kind::Invalid, message))
    }

    /// Every database at one instant; what is wrong with those that cannot be had.
    fn freeze(&self, slugs: &[String]) -> Result<(Timestamp, Frozen, Vec<Result<Frozen>>)> {
        // In one order for everybody who takes several: two backups cannot wait for each other.
        let locks: Vec<Result<ClientLock>> =
            slugs.iter().map(|slug| self.client_space(slug)?.lock()).collect();
        let mut directories = Vec::with_capacity(slugs.len());
        let mut held = Vec::with_capacity(slugs.len());
        for (slug, lock) in slugs.iter().zip(locks) {
            let frozen = lock.and_then(|lock| {
                held.push(lock);
                drop(self.open_directory(slug)?);
                Frozen::of(&self.directory_file(slug))
            });
            match frozen {
                // Another moment has it: no damage.
                Err(error) if matches!(error.kind(), Kind::Busy | Kind::NoSpace) => {
                    return Err(error);
                }
                frozen => directories.push(frozen),
            }
        }
        // Last: what it calls done is in the directories.
        let registry = Frozen::of(&self.data().join("registry.db"))?;
        let made_at = self.clock().now();
        drop(held);
        Ok((made_at, registry, directories))
    }
}

/// Makes a data folder from a backup, after checking every byte of it. The server that starts there imports what had
/// been received and not imported.
///
/// # Errors
/// `Kind::Exists` when `data` holds something; `Kind::Invalid` for a folder that is no whole backup; disk faults. Nothing
/// has the name `data` then.
pub fn restore(backup: &Path, data: &Path) -> Result<Backup> {
    let found = read_manifest(backup)?;
    if data.exists() && !is_empty(data)? {
        let message = format!(
            "{} is not empty; restore into a new folder, or move this one away first",
            data.display()
        );
        return Err(Error::new(Kind::Exists, message));
    }
    let name = data.file_name().unwrap_or_default().to_string_lossy();
    let building = data.with_file_name(format!("{name}.restoring"));
    if building.exists() {
        std::fs::remove_dir_all(&building)
            .map_err(|e| Error::io(format!("removing {}", building.display()), e))?;
    }
    std::fs::create_dir_all(&building)
        .map_err(|e| Error::io(format!("making {}", building.display()), e))?;
    for folder in &found.folders {
        let made = building.join(inside(folder)?);
        std::fs::create_dir_all(&made)
            .map_err(|e| Error::io(format!("making {}", made.display()), e))?;
    }
    for file in &found.files {
        bring_back(backup, &building, file)?;
    }
    let place = || -> std::io::Result<()> {
        for folder in &found.folders {
            File::open(building.join(folder))?.sync_all()?;
        }
        File::open(&building)?.sync_all()?;
        if data.exists() {
            std::fs::remove_dir(data)?;
        }
        std::fs::rename(&building, data)?;
        let parent = data.parent().filter(|parent| !parent.as_os_str().is_empty());
        File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
    };
    place().map_err(|e| Error::io(format!("placing {}", data.display()), e))?;
    Ok(found)
}

fn bring_back(backup: &Path, building: &Path, file: &BackupFile) -> Result<()> {
    let (from, to) = (backup.join(inside(&file.path)?), building.join(inside(&file.path)?));
    let fault = |e| Error::io(format!("restoring {}", from.display()), e);
    if let Some(first) = &file.same_as {
        return std::fs::hard_link(building.join(inside(first)?), &to).map_err(fault);
    }
    let source = File::open(&from).map_err(fault)?;
    let (bytes, sha256) = vfs::copy(source, &to, file.modified).map_err(fault)?;
    if (bytes, &sha256) == (file.bytes, &file.sha256) {
        return Ok(());
    }
    let message = format!(
        "{} is damaged: it is not the file that was backed up (its SHA-256 differs); use another backup",
        from.display()
    );
    Err(Error::new(Kind::Invalid, message))
}

/// An address of the manifest, which somebody may have edited: it stays inside.
pub(super) fn inside(path: &str) -> Result<PathBuf> {
    let parts: Vec<&str> = path.split('/').collect();
    if parts.iter().all(|part| !part.is_empty() && *part != "." && *part != "..") {
        return Ok(parts.iter().collect());
    }
    Err(Error::new(
        Kind::Invalid,
        format!("{MANIFEST} names \"{path}\", which is no file of a backup"),
    ))
}

pub(super) fn copy_database(
    copier: &mut Copier<'_>,
    frozen: &Frozen,
    target: &Path,
    path: &str,
    made_at: Timestamp,
) -> Result<()> {
    let placed = target.join(path);
    frozen.copy_to(&placed)?;
    copier.placed(path, made_at).map_err(|e| Error::io(format!("reading {}", placed.display()), e))
}

fn new_folder(target: &Path) -> Result<()> {
    let fault = |e| Error::io(format!("making {}", target.display()), e);
    std::fs::create_dir_all(target).map_err(fault)?;
    if is_empty(target)? {
        return Ok(());
    }
    let message = format!("{} is not empty; give a new folder for each backup", target.display());
    Err(Error::new(Kind::Exists, message))
}

fn is_empty(folder: &Path) -> Result<bool> {
    let mut entries = std::fs::read_dir(folder)
        .map_err(|e| Error::io(format!("reading {}", folder.display()), e))?;
    Ok(entries.next().is_none())
}

fn write_manifest(target: &Path, backup: &Backup) -> Result<()> {
    let text = serde_json::to_vec_pretty(backup)
        .map_err(|e| Error::caused(Kind::Internal, format!("writing {MANIFEST}: {e}"), e))?;
    let write = || -> std::io::Result<()> {
        let hidden = target.join(format!(".{MANIFEST}"));
        std::fs::write(&hidden, text)?;
        File::open(&hidden)?.sync_all()?;
        std::fs::rename(&hidden, target.join(MANIFEST))?;
        File::open(target)?.sync_all()
    };
    write().map_err(|e| Error::io(format!("writing {}", target.join(MANIFEST).display()), e))
}

fn read_manifest(backup: &Path) -> Result<Backup> {
    let path = backup.join(MANIFEST);
    let text = std::fs::read(&path).map_err(|e| {
        let what = format!(
            "{} is no whole backup: {MANIFEST} cannot be read (it is written last)",
            backup.display()
        );
        Error::io(what, e)
    })?;
    let found: Backup = serde_json::from_slice(&text).map_err(|e| {
        Error::caused(Kind::Invalid, format!("{} cannot be read: {e}", path.display()), e)
    })?;
    if found.format == FORMAT {
        return Ok(found);
    }
    let message = format!(
        "{} has the form {}, made by rollcall {}; restore it with that version",
        path.display(),
        found.format,
        found.program
    );
    Err(Error::new(Kind::Unsupported, message))
}
