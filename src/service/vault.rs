//! The vault: secrets that must be read again are sealed before they are stored, under a key file apart from the data.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use serde::Serialize;
use zeroize::Zeroizing;

use super::Service;
use crate::error::{Error, Kind, Result};
use crate::fault;
use crate::secrets::seal::{KeyId, Keyring};
use crate::store::registry::SealedValue;

/// The largest key file that is read.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// What a look at the vault found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VaultState {
    /// The key file.
    pub file: PathBuf,
    /// Whether it is there.
    pub exists: bool,
    /// How many sealed values the registry holds.
    pub sealed: usize,
    /// Why some of them cannot be opened, by their place; empty: all can.
    pub closed: Vec<(String, String)>,
    /// Whether the file holds more keys than the one in use: an exchange was cut short.
    pub unfinished: bool,
}

impl Service {
    /// Seals a secret for one place (`account/acme/password`). The key file is made with the first one.
    pub(super) fn seal(&self, context: &str, plain: &[u8]) -> Result<Vec<u8>> {
        let ring = match self.keyring()? {
            Some(ring) => ring,
            None => self.first_keyring()?,
        };
        let key = self.key_in_use(&ring)?;
        ring.seal(key, context, plain).map_err(|e| self.at_key_file(e))
    }

    /// Opens what was sealed for that place.
    ///
    /// A caller that read `blob` just before the keys were exchanged gets `Kind::NotFound`: read it again, once.
    pub(super) fn unseal(&self, context: &str, blob: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let ring = self.keyring()?.ok_or_else(|| self.lost_key())?;
        ring.open(context, blob).map_err(|e| self.at_key_file(e))
    }

    /// Exchanges the sealing key: a new one comes into the file, every secret is sealed anew, the old one goes.
    ///
    /// It can be cut short anywhere and begun again: the old key leaves the file only when nothing needs it. A file that
    /// has a new key first already (somebody put it there, or an exchange was cut short) is brought to its end.
    ///
    /// # Errors
    /// `Kind::Invalid` or `Kind::NotFound` for a value that no key opens: nothing was changed then; `Kind::Busy`.
    pub fn rotate_sealing_key(&self) -> Result<usize> {
        let _alone = self.lock_vault()?;
        let Some(ring) = self.keyring()? else {
            self.first_keyring()?;
            return Ok(0);
        };
        let newest = |ring: &Keyring| ring.ids().next();
        // Nothing is begun that cannot be brought to its end.
        for (context, sealed) in self.registry().sealed_values()? {
            ring.open(&context, &sealed).map_err(|e| self.at_key_file(e))?;
        }
        let in_use = self.registry().sealing_key()?;
        let ring = if in_use.is_some() && newest(&ring) != in_use {
            ring
        } else {
            let ring = ring.with_new_key();
            self.write_keyring(&ring, Existing::Replace)?;
            fault::at("rotate-key-written").map_err(|e| Error::io("exchange the key", e))?;
            ring
        };
        let Some(key) = newest(&ring) else { return Err(self.lost_key()) };
        let old = ring.clone();
        let count = self.registry().change_sealing_key(key, move |context, sealed| {
            old.seal(key, context, &old.open(context, sealed)?)
        })?;
        fault::at("rotate-resealed").map_err(|e| Error::io("exchange the key", e))?;
        self.record("secrets.rotate", "", &format!("{count} secrets"));
        self.write_keyring(&ring.only(key)?, Existing::Replace).map_err(|error| {
            let words = format!(
                "everything is sealed under the new key, but the old one is still in the file: {}; if somebody else \
                 writes that file, take every line but the first key out of it",
                error.message()
            );
            Error::new(error.kind(), words)
        })?;
        Ok(count)
    }

    /// One exchange at a time: a second one would write its file over the first one's key.
    fn lock_vault(&self) -> Result<fs::File> {
        let path = self.data().join("sealing.lock");
        let what = |e| Error::io(format!("locking {}", path.display()), e);
        let mut options = fs::OpenOptions::new();
        options.create(true).truncate(false).write(true);
        let file = options.open(&path).map_err(what)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(file),
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let words =
                    "the sealing key is being exchanged by another process; wait for its end";
                Err(Error::new(Kind::Busy, words))
            }
            Err(e) => Err(what(e.into())),
        }
    }

    /// Looks whether every sealed value can be opened.
    ///
    /// # Errors
    /// When the key file or the registry cannot be read.
    pub fn vault_state(&self) -> Result<VaultState> {
        let values = self.registry().sealed_values()?;
        let ring = self.keyring()?;
        let in_use = self.registry().sealing_key()?;
        let closed = |(context, sealed): &SealedValue| {
            let opened = match &ring {
                Some(ring) => ring.open(context, sealed).map(drop),
                None => Err(self.lost_key()),
            };
            opened.err().map(|error| (context.clone(), error.message().to_owned()))
        };
        Ok(VaultState {
            file: self.key_file(),
            exists: ring.is_some(),
            sealed: values.len(),
            closed: values.iter().filter_map(closed).collect(),
            unfinished: ring.is_some_and(|ring| {
                in_use.is_some() && (ring.ids().next() != in_use || ring.ids().count() > 1)
            }),
        })
    }

    /// The key file.
    #[must_use]
    pub fn key_file(&self) -> PathBuf {
        // Whoever opens a service without the command line's settings has the certificates beside the data.
        let beside = || self.data().parent().unwrap_or(Path::new(".")).join("certs/sealing.key");
        self.config().secrets.key_file.clone().unwrap_or_else(beside)
    }

    /// The keys in the file; `None`: there is no file.
    fn keyring(&self) -> Result<Option<Keyring>> {
        let path = self.key_file();
        let fault = |e| Error::io(format!("reading the sealing key {}", path.display()), e);
        match fs::metadata(&path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(fault(e)),
            Ok(found) if found.len() > MAX_FILE_BYTES => {
                let words = format!(
                    "{} has more than {MAX_FILE_BYTES} bytes: it is no sealing key",
                    path.display()
                );
                return Err(Error::new(Kind::Invalid, words));
            }
            Ok(_) => {}
        }
        let text = Zeroizing::new(fs::read_to_string(&path).map_err(fault)?);
        Keyring::parse(&text).map(Some).map_err(|e| self.at_key_file(e))
    }

    /// A new key file, unless the one that opens what is sealed was lost.
    fn first_keyring(&self) -> Result<Keyring> {
        if !self.registry().sealed_values()?.is_empty() {
            return Err(self.lost_key());
        }
        self.write_keyring(&Keyring::generate(), Existing::Keep)?;
        tracing::info!(file = %self.key_file().display(), "sealing key made");
        // Another process may have made it a moment earlier: then that one counts.
        self.keyring()?.ok_or_else(|| self.lost_key())
    }

    /// The key under which everything stands. A new first line in the file changes nothing until the exchange.
    fn key_in_use(&self, ring: &Keyring) -> Result<KeyId> {
        if let Some(id) = self.registry().sealing_key()?.filter(|id| ring.has(*id)) {
            return Ok(id);
        }
        let newest = ring.ids().next().ok_or_else(|| self.lost_key())?;
        let id = self.registry().first_sealing_key(newest)?;
        if ring.has(id) {
            return Ok(id);
        }
        Err(Error::new(
            Kind::Conflict,
            format!(
                "everything that is sealed stands under the key {id}, which {} does not hold; restore the key file \
                 from a backup",
                self.key_file().display()
            ),
        ))
    }

    fn write_keyring(&self, ring: &Keyring, existing: Existing) -> Result<()> {
        let path = self.key_file();
        let write = || -> std::io::Result<()> {
            let folder =
                path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
            fs::create_dir_all(folder)?;
            // The process in its name: two that write at once must not write into one file.
            let hidden = path.with_extension(format!("new-{}", std::process::id()));
            let mut options = fs::OpenOptions::new();
            options.write(true).create(true).truncate(true).mode(0o600);
            let mut file = options.open(&hidden)?;
            file.write_all(ring.to_text().as_bytes())?;
            file.sync_all()?;
            match existing {
                Existing::Replace => fs::rename(&hidden, &path)?,
                Existing::Keep => {
                    let linked = fs::hard_link(&hidden, &path);
                    fs::remove_file(&hidden)?;
                    match linked {
                        Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => return Err(e),
                        _ => {}
                    }
                }
            }
            fs::File::open(folder)?.sync_all()
        };
        write().map_err(|e| {
            let words = format!(
                "writing the sealing key {} (for a file that only systemd or an operator writes, put a new key into its \
                 first line, as 64 hex digits, and run `rollcall secrets rotate` again)",
                path.display()
            );
            Error::io(words, e)
        })
    }

    fn lost_key(&self) -> Error {
        let path = self.key_file();
        let words = format!(
            "the sealing key {} is missing, and without it the stored passwords and keys cannot be opened: restore the \
             file from a backup, or say with secrets.key_file where it lies; if it is lost for good, remove the accounts \
             and keys that need it and enter them again",
            path.display()
        );
        Error::new(Kind::NotFound, words)
    }

    fn at_key_file(&self, error: Error) -> Error {
        let words = format!("sealing key {}: {}", self.key_file().display(), error.message());
        Error::new(error.kind(), words)
    }
}

/// What to do with a file of that name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Existing {
    Keep,
    Replace,
}
