//! One client from one server to another: everything of it as one file (docs/operations.md).

mod pack;

use std::fs::File;
use std::io::{BufReader, BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rustix::fs::FlockOperation;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Service;
use super::backup::{BackupFile, NOT_COPIED, copy_database, inside};
use crate::error::{Error, Kind, Result};
use crate::fault;
use crate::model::{check_login, check_slug};
use crate::store::Frozen;
use crate::store::directory::Directory;
use crate::store::registry::ClientRows;
use crate::vfs::{self, Copier};

/// The version of the file's form.
const FORMAT: u32 = 1;
/// The first member: what the others are.
const MANIFEST: &str = "rollcall-client.json";
/// The largest manifest that is read: uploads of many years.
const MAX_MANIFEST_BYTES: u64 = 1024 * 1024 * 1024;
/// In a client's folder while the registry does not know it yet; locked by whoever brings it in.
pub(super) const ARRIVING: &str = "arriving";
/// How a folder's name begins while a client is unpacked; no slug begins so.
const UNPACKED: &str = ".arriving-";

/// An exported client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Moving {
    format: u32,
    /// The program that made it.
    pub program: String,
    /// The client.
    pub client: String,
    /// The instant as of which it is.
    pub made_at: Timestamp,
    folders: Vec<String>,
    files: Vec<BackupFile>,
    rows: ClientRows,
}

impl Moving {
    /// How many files it holds.
    #[must_use]
    pub fn files(&self) -> usize {
        self.files.len()
    }

    /// Its accounts.
    #[must_use]
    pub fn logins(&self) -> Vec<String> {
        self.rows.logins()
    }
}

impl Service {
    /// Writes everything of a client to a new file, as of one instant, while the server goes on. What is sealed (passwords
    /// for the client's own servers, OpenPGP keys) is not in it.
    ///
    /// # Errors
    /// `Kind::NotFound` for the client; `Kind::Exists` for a file that is there; disk faults. No file has that name then.
    pub fn export_client(&self, slug: &str, target: &Path) -> Result<Moving> {
        self.client(slug)?;
        if target.exists() {
            let message = format!("{} is there already; give another name", target.display());
            return Err(Error::new(Kind::Exists, message));
        }
        let beside = |ending: &str| {
            let name = target.file_name().unwrap_or_default().to_string_lossy();
            target.with_file_name(format!(".{name}.{ending}"))
        };
        let (gathered, part) = (beside("gathered"), beside("part"));
        let made = self.gather(slug, &gathered).and_then(|moving| {
            write_archive(&moving, &gathered, &part)?;
            std::fs::hard_link(&part, target)
                .map_err(|e| Error::io(format!("naming {}", target.display()), e))?;
            Ok(moving)
        });
        // Left-overs are no exports: they have other names.
        drop(std::fs::remove_dir_all(&gathered));
        drop(std::fs::remove_file(&part));
        let made = made?;
        let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty());
        File::open(parent.unwrap_or(Path::new(".")))
            .and_then(|folder| folder.sync_all())
            .map_err(|e| Error::io(format!("writing {}", target.display()), e))?;
        self.record("client.export", slug, &target.display().to_string());
        Ok(made)
    }

    /// The client's files and database as of one instant, in a folder.
    fn gather(&self, slug: &str, gathered: &Path) -> Result<Moving> {
        if gathered.exists() {
            std::fs::remove_dir_all(gathered)
                .map_err(|e| Error::io(format!("removing {}", gathered.display()), e))?;
        }
        std::fs::create_dir_all(gathered)
            .map_err(|e| Error::io(format!("making {}", gathered.display()), e))?;
        let space = self.client_space(slug)?;
        let lock = space.lock()?;
        drop(self.open_directory(slug)?);
        let frozen = Frozen::of(&self.directory_file(slug))?;
        // After the directory: what the rows call done is in it. Before the files: every upload in the rows has its bytes.
        let rows = self.registry().take_client(slug)?;
        let made_at = self.clock().now();
        drop(lock);
        let mut copier = Copier::new(gathered);
        let from = self.data().join("clients").join(slug);
        copier
            .tree(&from, "files-of-client", &|name: &str| NOT_COPIED.contains(&name))
            .map_err(|e| Error::io(format!("copying {}", from.display()), e))?;
        copy_database(&mut copier, &frozen, gathered, "files-of-client/users.db", made_at)?;
        let files = copier.files.into_iter().map(BackupFile::of).collect();
        Ok(Moving {
            format: FORMAT,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            client: slug.to_owned(),
            made_at,
            folders: copier.folders,
            files,
            rows,
        })
    }

    /// Brings an exported client in, whole or not at all, also beside a running server. What had been received and not imported is
    /// imported here; nothing is imported again. `slug`: the name that the client is to have here, in place of its own.
    ///
    /// # Errors
    /// `Kind::Exists` for a client, login or upload that is here already; `Kind::Invalid` for a file that is damaged or none;
    /// `Kind::Unsupported` for one of another version.
    pub fn import_client(&self, file: &Path, slug: Option<&str>) -> Result<Moving> {
        let reading = |e| unreadable(file, e);
        let opened =
            File::open(file).map_err(|e| Error::io(format!("opening {}", file.display()), e))?;
        let mut from = BufReader::with_capacity(1024 * 1024, opened);
        let mut moving = read_manifest(&mut from, file)?;
        if let Some(slug) = slug {
            moving.rows.rename(&moving.client, slug);
            moving.client = slug.to_owned();
        }
        self.refuse_known(&moving)?;
        let clients = self.data().join("clients");
        let unpacked = clients.join(format!("{UNPACKED}{}-{}", moving.client, Uuid::now_v7()));
        let arrived = unpack(&moving, &mut from, &unpacked).map_err(reading).and_then(|held| {
            let placed = self.place(&moving, &unpacked);
            drop(held);
            placed
        });
        if unpacked.exists() {
            drop(std::fs::remove_dir_all(&unpacked));
        }
        arrived?;
        self.record("client.import", &moving.client, &file.display().to_string());
        Ok(moving)
    }

    fn refuse_known(&self, moving: &Moving) -> Result<()> {
        let slug = &moving.client;
        check_slug(slug).map_err(|why| Error::new(Kind::Invalid, why))?;
        let exists = |what: String| {
            let message = format!("{what} on this server already; nothing was changed");
            Err(Error::new(Kind::Exists, message))
        };
        if self.registry().client(slug)?.is_some() {
            return exists(format!("there is a client \"{slug}\""));
        }
        self.refuse_stray(slug)?;
        for login in moving.logins() {
            check_login(&login).map_err(|why| Error::new(Kind::Invalid, why))?;
            if self.registry().account(&login)?.is_some() {
                return exists(format!("there is an account \"{login}\""));
            }
        }
        Ok(())
    }

    /// Gives the unpacked folder its name, then the registry its rows: until then nobody knows of the client.
    fn place(&self, moving: &Moving, unpacked: &Path) -> Result<()> {
        let slug = &moving.client;
        let home = self.data().join("clients").join(slug);
        let fault = |e| Error::io(format!("placing {}", home.display()), e);
        let told = Directory::open(&unpacked.join("users.db"))?.last_place()?;
        self.sweep_unfinished(slug)?;
        let marker = File::create_new(unpacked.join(ARRIVING)).map_err(fault)?;
        rustix::fs::flock(&marker, FlockOperation::NonBlockingLockExclusive)
            .map_err(|e| fault(e.into()))?;
        File::open(unpacked).and_then(|folder| folder.sync_all()).map_err(fault)?;
        fault::at("arrive.unpacked").map_err(fault)?;
        // A folder of that name that holds something refuses this.
        std::fs::rename(unpacked, &home).map_err(fault)?;
        let parent = self.data().join("clients");
        File::open(parent).and_then(|folder| folder.sync_all()).map_err(fault)?;
        fault::at("arrive.placed").map_err(fault)?;
        if let Err(error) = self.registry().put_client(slug, moving.rows.clone(), told) {
            std::fs::remove_dir_all(&home).map_err(fault)?;
            return Err(error);
        }
        fault::at("arrive.committed").map_err(fault)?;
        std::fs::remove_file(home.join(ARRIVING)).map_err(fault)?;
        drop(marker);
        self.0.queue.wake(slug);
        Ok(())
    }

    /// Removes what an import that was cut short has left under a client's name: nothing of it was acknowledged.
    pub(super) fn sweep_unfinished(&self, slug: &str) -> Result<()> {
        let home = self.data().join("clients").join(slug);
        let marker = home.join(ARRIVING);
        let fault = |e| Error::io(format!("removing {}", home.display()), e);
        let Ok(held) = File::open(&marker) else { return Ok(()) };
        if rustix::fs::flock(&held, FlockOperation::NonBlockingLockExclusive).is_err() {
            let message =
                format!("client {slug} is being brought in by another process; wait for it");
            return Err(Error::new(Kind::Busy, message));
        }
        if self.registry().client(slug)?.is_some() {
            return std::fs::remove_file(&marker).map_err(fault);
        }
        std::fs::remove_dir_all(&home).map_err(fault)
    }

    /// The same for all clients, at the start.
    pub(super) fn sweep_arrivals(&self) -> Result<()> {
        let clients = self.data().join("clients");
        let fault = |e| Error::io(format!("looking through {}", clients.display()), e);
        for entry in std::fs::read_dir(&clients).map_err(fault)? {
            let entry = entry.map_err(fault)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let swept = if name.starts_with(UNPACKED) {
                sweep_unpacked(&entry.path())
            } else {
                self.sweep_unfinished(&name)
            };
            if let Err(error) = swept {
                tracing::warn!(%error, folder = name, "an import of a client that was cut short is left");
            }
        }
        Ok(())
    }
}

/// An unpacked folder that nobody works on: one that somebody does is young, or has a marker that is locked.
fn sweep_unpacked(folder: &Path) -> Result<()> {
    let fault = |e| Error::io(format!("removing {}", folder.display()), e);
    let held = File::open(folder).map_err(fault)?;
    if rustix::fs::flock(&held, FlockOperation::NonBlockingLockExclusive).is_err() {
        return Ok(());
    }
    std::fs::remove_dir_all(folder).map_err(fault)
}

fn unreadable(file: &Path, error: std::io::Error) -> Error {
    let message = format!(
        "{} is damaged, cut short, or no exported client ({error}); export it again",
        file.display()
    );
    Error::caused(Kind::Invalid, message, error)
}

fn write_archive(moving: &Moving, gathered: &Path, part: &Path) -> Result<()> {
    let fault = |e| Error::io(format!("writing {}", part.display()), e);
    let manifest = serde_json::to_vec(moving)
        .map_err(|e| Error::caused(Kind::Internal, format!("writing {MANIFEST}: {e}"), e))?;
    drop(std::fs::remove_file(part));
    let file = File::create_new(part).map_err(fault)?;
    let mut out = BufWriter::with_capacity(1024 * 1024, file);
    let write = |out: &mut BufWriter<File>| -> std::io::Result<()> {
        let bytes = u64::try_from(manifest.len()).unwrap_or(u64::MAX);
        pack::begin(out, MANIFEST, bytes)?;
        out.write_all(&manifest)?;
        pack::end(out, bytes)?;
        for (n, file) in moving.files.iter().enumerate().filter(|(_, f)| f.same_as.is_none()) {
            pack::begin(out, &n.to_string(), file.bytes)?;
            let copied = std::io::copy(&mut File::open(gathered.join(&file.path))?, out)?;
            if copied != file.bytes {
                return Err(std::io::Error::other(format!("{} has changed", file.path)));
            }
            pack::end(out, file.bytes)?;
        }
        pack::finish(out)?;
        out.flush()?;
        out.get_ref().sync_all()
    };
    write(&mut out).map_err(fault)
}

fn read_manifest(from: &mut BufReader<File>, file: &Path) -> Result<Moving> {
    let reading = |e| unreadable(file, e);
    let found = pack::next(from).map_err(reading)?;
    let Some((_, bytes)) = found.filter(|(name, n)| name == MANIFEST && *n <= MAX_MANIFEST_BYTES)
    else {
        return Err(unreadable(file, std::io::Error::other("it has no list of its files")));
    };
    let moving: Moving = serde_json::from_reader(from.by_ref().take(bytes))
        .map_err(|e| unreadable(file, std::io::Error::other(e)))?;
    pack::skip_padding(from, bytes).map_err(reading)?;
    if moving.format == FORMAT {
        return Ok(moving);
    }
    let message = format!(
        "{} has the form {}, made by rollcall {}; import it with that version",
        file.display(),
        moving.format,
        moving.program
    );
    Err(Error::new(Kind::Unsupported, message))
}

/// Where a file of the archive goes: inside the folder, wherever its list says.
fn place_of(unpacked: &Path, path: &str) -> std::io::Result<PathBuf> {
    let inner = inside(path).map_err(std::io::Error::other)?;
    let own = inner.strip_prefix("files-of-client").map_err(std::io::Error::other)?;
    Ok(unpacked.join(own))
}

/// Unpacks into a new folder; it stays locked for as long as the answer is kept.
fn unpack(moving: &Moving, from: &mut BufReader<File>, unpacked: &Path) -> std::io::Result<File> {
    std::fs::create_dir(unpacked)?;
    let held = File::open(unpacked)?;
    // Whoever starts meanwhile leaves it alone.
    rustix::fs::flock(&held, FlockOperation::NonBlockingLockExclusive)?;
    for folder in &moving.folders {
        std::fs::create_dir_all(place_of(unpacked, folder)?)?;
    }
    for (n, file) in moving.files.iter().enumerate() {
        let to = place_of(unpacked, &file.path)?;
        if let Some(first) = &file.same_as {
            std::fs::hard_link(place_of(unpacked, first)?, &to)?;
            continue;
        }
        let next = pack::next(from)?;
        if next != Some((n.to_string(), file.bytes)) {
            return Err(std::io::Error::other(format!("{} is missing", file.path)));
        }
        let copied = vfs::copy(from.by_ref().take(file.bytes), &to, file.modified)?;
        if copied != (file.bytes, file.sha256.clone()) {
            return Err(std::io::Error::other(format!("{} is damaged", file.path)));
        }
        pack::skip_padding(from, file.bytes)?;
    }
    if pack::next(from)?.is_some() {
        return Err(std::io::Error::other("it holds more than its list names"));
    }
    for folder in &moving.folders {
        File::open(place_of(unpacked, folder)?)?.sync_all()?;
    }
    Ok(held)
}
