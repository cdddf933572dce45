//! The server's SSH identity: made at the first start, an error when it is lost, never silently new.

mod rotation;

use std::fs;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use russh::keys::ssh_key::LineEnding;
use russh::keys::{Algorithm, EcdsaCurve, HashAlg, PrivateKey, decode_secret_key};

use crate::error::{Error, Kind, Result};

pub use rotation::{KeyRing, KeyStage, StoredKey};

/// The private keys with which the server proves who it is.
pub struct HostKeys {
    keys: Vec<PrivateKey>,
}

/// One kind of host key and the file that holds it.
struct Slot {
    file: &'static str,
    algorithm: &'static str,
    make: fn() -> Result<PrivateKey>,
}

const ED25519: Slot = Slot {
    file: "ssh_host_ed25519_key",
    algorithm: "ssh-ed25519",
    make: || random(Algorithm::Ed25519),
};
const RSA: Slot = Slot { file: "ssh_host_rsa_key", algorithm: "ssh-rsa", make: rsa_3072 };
/// Only with `sftp.compat`: for programs that know neither Ed25519 nor rsa-sha2.
const ECDSA: Slot = Slot {
    file: "ssh_host_ecdsa_key",
    algorithm: "ecdsa-sha2-nistp256",
    make: || random(Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 }),
};

/// Every kind of host key, in the order in which they are shown.
const SLOTS: [Slot; 3] = [ED25519, RSA, ECDSA];

impl HostKeys {
    /// The keys from before the last exchange, which a listener of their own may still show; `None`: there are none.
    ///
    /// # Errors
    /// A key that cannot be read.
    pub fn load_old(certs: &Path) -> Result<Option<Self>> {
        let files = SLOTS.map(|slot| KeyStage::Before.file(certs, &slot));
        let there = files.iter().filter(|path| path.exists());
        let keys = there.map(|path| read_key(path)).collect::<Result<Vec<_>>>()?;
        Ok((!keys.is_empty()).then_some(Self { keys }))
    }

    /// Loads the keys from `certs`, making those that were never made before.
    ///
    /// `record` is a file outside `certs` that names every key ever made or found: a key that it names must be there.
    ///
    /// # Errors
    /// A key is lost, was exchanged, or cannot be read or written; the message names the file and the cure.
    pub fn load_or_create(certs: &Path, record: &Path, compat: bool) -> Result<Self> {
        fs::create_dir_all(certs)
            .map_err(|e| Error::io(format!("the folder {} cannot be made", certs.display()), e))?;
        let mut known = Record::read(record)?;
        let mut keys = Vec::new();
        for slot in [ED25519, RSA].into_iter().chain(compat.then_some(ECDSA)) {
            keys.push(slot.load_or_create(certs, &mut known)?);
        }
        known.write_if_changed(record)?;
        Ok(Self { keys })
    }

    /// The keys, for the SSH server.
    #[must_use]
    pub fn keys(&self) -> &[PrivateKey] {
        &self.keys
    }

    /// (`ssh-ed25519`, `SHA256:…`) of each key.
    #[must_use]
    pub fn fingerprints(&self) -> Vec<(String, String)> {
        self.keys.iter().map(|k| (k.algorithm().as_str().to_owned(), fingerprint(k))).collect()
    }
}

/// The fingerprints of the keys that lie in `certs`, without making any.
///
/// # Errors
/// A key that cannot be read.
pub(super) fn stored_fingerprints(certs: &Path) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for slot in SLOTS {
        let path = certs.join(slot.file);
        if path.exists() {
            found.push((slot.algorithm.to_owned(), fingerprint(&read_key(&path)?)));
        }
    }
    Ok(found)
}

/// Looks at every key that `record` names, without making any.
///
/// # Errors
/// As [`HostKeys::load_or_create`]: a key is lost, was exchanged or cannot be read.
pub(super) fn check_recorded(certs: &Path, record: &Path) -> Result<()> {
    let mut known = Record::read(record)?;
    for slot in SLOTS {
        // One that was recorded is never made anew.
        if known.fingerprint(slot.algorithm).is_some() {
            slot.load_or_create(certs, &mut known)?;
        }
    }
    Ok(())
}

impl Slot {
    fn load_or_create(&self, certs: &Path, known: &mut Record) -> Result<PrivateKey> {
        let path = certs.join(self.file);
        let recorded = known.fingerprint(self.algorithm);
        if path.exists() {
            let key = read_key(&path)?;
            let actual = fingerprint(&key);
            if recorded.is_some() && !known.has(self.algorithm, &actual) {
                let what = "is not the key that this server had";
                return Err(known.complaint(&path, self.algorithm, what));
            }
            known.note(self.algorithm, actual);
            return Ok(key);
        }
        if recorded.is_some() {
            return Err(known.complaint(&path, self.algorithm, "is missing"));
        }
        let key = self.make_at(&path)?;
        known.note(self.algorithm, fingerprint(&key));
        Ok(key)
    }

    fn make_at(&self, path: &Path) -> Result<PrivateKey> {
        let mut key = (self.make)()?;
        key.set_comment("rollcall");
        let text = key
            .to_openssh(LineEnding::LF)
            .map_err(|e| Error::caused(Kind::Internal, "a host key could not be encoded", e))?;
        write_durably(path, text.as_bytes())?;
        tracing::info!(file = %path.display(), fingerprint = %fingerprint(&key), "host key made");
        Ok(key)
    }
}

/// Which keys this server has had: lines of algorithm and fingerprint.
struct Record {
    file: String,
    lines: Vec<(String, String)>,
    changed: bool,
}

impl Record {
    fn read(path: &Path) -> Result<Self> {
        let text = match fs::read_to_string(path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
            read => read.map_err(|e| Error::io(format!("{} cannot be read", path.display()), e))?,
        };
        let lines = text
            .lines()
            .filter(|l| !l.starts_with('#'))
            .filter_map(|l| l.split_once(' '))
            .map(|(algorithm, fingerprint)| (algorithm.to_owned(), fingerprint.trim().to_owned()))
            .collect();
        Ok(Self { file: path.display().to_string(), lines, changed: false })
    }

    fn fingerprint(&self, algorithm: &str) -> Option<String> {
        self.lines.iter().find(|(a, _)| a == algorithm).map(|(_, f)| f.clone())
    }

    /// Whether this key is one that the server may have: two of a kind only while keys are being exchanged.
    fn has(&self, algorithm: &str, fingerprint: &str) -> bool {
        self.lines.iter().any(|(a, f)| a == algorithm && f == fingerprint)
    }

    /// Allows a second key of a kind.
    fn add(&mut self, algorithm: &str, fingerprint: &str) {
        if !self.has(algorithm, fingerprint) {
            self.lines.push((algorithm.to_owned(), fingerprint.to_owned()));
            self.changed = true;
        }
    }

    /// Leaves this key as the only one of its kind.
    fn keep_only(&mut self, algorithm: &str, fingerprint: &str) {
        self.lines.retain(|(a, f)| a != algorithm || f == fingerprint);
        self.changed = true;
    }

    fn note(&mut self, algorithm: &str, fingerprint: String) {
        if self.fingerprint(algorithm).is_none() {
            self.lines.push((algorithm.to_owned(), fingerprint));
            self.changed = true;
        }
    }

    fn complaint(&self, path: &Path, algorithm: &str, what: &str) -> Error {
        let message = format!(
            "host key {} {what}; every client would refuse this server as an impostor. Restore the file from a \
             backup. If the key really is to change, see `rollcall keys`; if it is lost for good, tell your clients and delete the line \"{algorithm} …\" in {}",
            path.display(),
            self.file
        );
        Error::new(Kind::Conflict, message)
    }

    fn write_if_changed(&self, path: &Path) -> Result<()> {
        if !self.changed {
            return Ok(());
        }
        let mut text = String::from(
            "# The SSH host keys of this server. A key that is named here must exist.\n",
        );
        for (algorithm, fingerprint) in &self.lines {
            text.extend([algorithm, " ", fingerprint, "\n"]);
        }
        write_durably(path, text.as_bytes())
    }
}

fn random(algorithm: Algorithm) -> Result<PrivateKey> {
    PrivateKey::random(&mut russh::keys::key::safe_rng(), algorithm)
        .map_err(|e| Error::caused(Kind::Internal, "a host key could not be made", e))
}

fn rsa_3072() -> Result<PrivateKey> {
    let failed = |e: String| Error::caused(Kind::Internal, "the RSA host key could not be made", e);
    // aws-lc makes it in a fraction of the time that a portable implementation takes.
    let pair = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_3072)
        .map_err(|e| failed(e.to_string()))?;
    decode_secret_key(&pair.serialize_pem(), None).map_err(|e| failed(e.to_string()))
}

fn fingerprint(key: &PrivateKey) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

fn read_key(path: &Path) -> Result<PrivateKey> {
    let text = fs::read_to_string(path)
        .map_err(|e| Error::io(format!("host key {} cannot be read", path.display()), e))?;
    if fs::metadata(path).is_ok_and(|m| m.permissions().mode() & 0o077 != 0) {
        let file = path.display();
        tracing::warn!(%file, "others on this machine can read this host key; chmod 600 it");
    }
    decode_secret_key(&text, None).map_err(|e| {
        let message = format!(
            "host key {} is not a private key without a password ({e}); restore it from a backup",
            path.display()
        );
        Error::new(Kind::Invalid, message)
    })
}

/// Writes a private file that a crash leaves either whole or absent.
fn write_durably(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let hidden = path.with_extension("new");
    let write = || {
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(&hidden)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&hidden, path)?;
        fs::File::open(folder)?.sync_all()
    };
    write().map_err(|e| Error::io(format!("{} cannot be written", path.display()), e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_once_kept_and_missed_when_lost() {
        let folder = tempfile::tempdir().unwrap();
        let certs = folder.path().join("certs");
        let record = folder.path().join("ssh-host-keys.txt");
        let first = HostKeys::load_or_create(&certs, &record, false).unwrap().fingerprints();
        let algorithms: Vec<_> = first.iter().map(|(a, _)| a.as_str()).collect();
        assert_eq!(algorithms, ["ssh-ed25519", "ssh-rsa"]);
        assert_eq!(stored_fingerprints(&certs).unwrap(), first);
        for file in [ED25519.file, RSA.file] {
            let mode = fs::metadata(certs.join(file)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{file}");
        }
        assert_eq!(HostKeys::load_or_create(&certs, &record, false).unwrap().fingerprints(), first);

        let with_compat = HostKeys::load_or_create(&certs, &record, true).unwrap().fingerprints();
        assert_eq!(with_compat.len(), 3);

        fs::remove_file(certs.join(ED25519.file)).unwrap();
        let lost = HostKeys::load_or_create(&certs, &record, false).err().unwrap();
        assert_eq!(lost.kind(), Kind::Conflict);
        assert!(lost.message().contains("ssh_host_ed25519_key is missing"), "{lost}");
        assert!(!certs.join(ED25519.file).exists(), "no silent new key");

        let other = random(Algorithm::Ed25519).unwrap();
        fs::write(certs.join(ED25519.file), other.to_openssh(LineEnding::LF).unwrap()).unwrap();
        let exchanged = HostKeys::load_or_create(&certs, &record, false).err().unwrap();
        assert!(exchanged.message().contains("is not the key that this server had"), "{exchanged}");
    }

    #[test]
    fn losing_the_whole_folder_is_noticed_too() {
        let folder = tempfile::tempdir().unwrap();
        let certs = folder.path().join("certs");
        let record = folder.path().join("ssh-host-keys.txt");
        HostKeys::load_or_create(&certs, &record, false).unwrap();
        fs::remove_dir_all(&certs).unwrap();
        assert!(HostKeys::load_or_create(&certs, &record, false).is_err());
    }
}
