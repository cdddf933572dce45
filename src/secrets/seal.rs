//! Sealing of stored secrets: XChaCha20-Poly1305 under keys that lie in a file of their own (docs/remote-accounts.md).

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use rand::RngExt;
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

use crate::error::{Error, Kind, Result};

/// Bytes of a key's name.
pub const KEY_ID_BYTES: usize = 8;
const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;
/// How a sealed value begins: what follows is key id, nonce, ciphertext with its tag.
const VERSION: u8 = 1;
/// The most keys that a file may hold; a rotation leaves one.
const MAX_KEYS: usize = 16;

/// The name of a key, made from the key itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId([u8; KEY_ID_BYTES]);

impl KeyId {
    /// The name from its bytes in a database.
    #[must_use]
    pub fn from_bytes(bytes: [u8; KEY_ID_BYTES]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; KEY_ID_BYTES] {
        &self.0
    }

    /// The key under which `sealed` was made; `None`: it is no sealed value.
    #[must_use]
    pub fn of(sealed: &[u8]) -> Option<Self> {
        let (version, rest) = sealed.split_first()?;
        let (id, _) = rest.split_first_chunk::<KEY_ID_BYTES>()?;
        (*version == VERSION).then_some(Self(*id))
    }
}

impl std::fmt::Display for KeyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// One key.
#[derive(Clone)]
struct SealingKey {
    id: KeyId,
    key: Zeroizing<[u8; KEY_BYTES]>,
}

impl SealingKey {
    fn new(key: Zeroizing<[u8; KEY_BYTES]>) -> Self {
        let digest = Sha256::new().chain_update(b"rollcall sealing key id\0").chain_update(*key);
        let mut id = [0; KEY_ID_BYTES];
        id.iter_mut().zip(digest.finalize()).for_each(|(to, from)| *to = from);
        Self { id: KeyId(id), key }
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.key).into())
    }
}

/// The keys of the file, the newest first. More than one only while they are exchanged.
#[derive(Clone)]
pub struct Keyring {
    keys: Vec<SealingKey>,
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.ids().map(|id| id.to_string())).finish()
    }
}

impl Keyring {
    /// A ring of one new random key.
    #[must_use]
    pub fn generate() -> Self {
        Self { keys: vec![random_key()] }
    }

    /// Reads a key file: one key a line, 64 hex digits; empty lines and lines that begin with `#` do not count.
    ///
    /// # Errors
    /// `Kind::Invalid` with the line; never what stands in it.
    pub fn parse(text: &str) -> Result<Self> {
        let mut keys: Vec<SealingKey> = Vec::new();
        for (n, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let key = from_hex(line).ok_or_else(|| {
                let problem = format!(
                    "line {} is no key of 64 hex digits; restore the file from a backup",
                    n + 1
                );
                Error::new(Kind::Invalid, problem)
            })?;
            let key = SealingKey::new(key);
            if !keys.iter().any(|known| known.id == key.id) {
                keys.push(key);
            }
        }
        let problem = match keys.len() {
            0 => "it holds no key; restore it from a backup".to_owned(),
            count if count > MAX_KEYS => {
                format!("it holds {count} keys; at most {MAX_KEYS} are read")
            }
            _ => return Ok(Self { keys }),
        };
        Err(Error::new(Kind::Invalid, problem))
    }

    /// The text of a key file.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::from(
            "# Rollcall's sealing key: it opens the passwords and keys that the data folder holds for other servers.\n\
             # Keep a copy in a safe place, apart from the data. The first line seals; rollcall secrets rotate changes it.\n",
        ));
        for key in &self.keys {
            for byte in key.key.iter() {
                for digit in [byte >> 4, byte & 15] {
                    text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
                }
            }
            text.push('\n');
        }
        text
    }

    /// The names of the keys, the newest first.
    pub fn ids(&self) -> impl Iterator<Item = KeyId> {
        self.keys.iter().map(|key| key.id)
    }

    /// Whether it has a key.
    #[must_use]
    pub fn has(&self, id: KeyId) -> bool {
        self.ids().any(|known| known == id)
    }

    /// The same keys with a new random one before them.
    #[must_use]
    pub fn with_new_key(&self) -> Self {
        let mut keys = self.keys.clone();
        keys.insert(0, random_key());
        Self { keys }
    }

    /// Only the key of this name.
    ///
    /// # Errors
    /// `Kind::NotFound`.
    pub fn only(&self, id: KeyId) -> Result<Self> {
        Ok(Self { keys: vec![self.key(id)?.clone()] })
    }

    /// Seals `plain` under the key `id`; only who names the same `context` can open it.
    ///
    /// # Errors
    /// `Kind::NotFound` when the ring has no such key.
    pub fn seal(&self, id: KeyId, context: &str, plain: &[u8]) -> Result<Vec<u8>> {
        let key = self.key(id)?;
        let mut nonce = [0_u8; NONCE_BYTES];
        // The thread's generator is a CSPRNG; 192 bits by chance never meet twice.
        rand::rng().fill(&mut nonce);
        let payload = Payload { msg: plain, aad: context.as_bytes() };
        let ciphertext = key
            .cipher()
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| Error::new(Kind::Internal, "a secret could not be sealed"))?;
        let mut sealed = vec![VERSION];
        sealed.extend_from_slice(id.bytes());
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&ciphertext);
        Ok(sealed)
    }

    /// Opens what was sealed for `context`.
    ///
    /// # Errors
    /// `Kind::NotFound` when the ring lacks its key; `Kind::Invalid` when it was changed, or sealed for another place.
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let spoiled = || {
            let words = format!(
                "the secret of {context} is damaged or belongs elsewhere; enter it again, or restore a backup"
            );
            Error::new(Kind::Invalid, words)
        };
        let id = KeyId::of(sealed).ok_or_else(spoiled)?;
        let key = self.key(id)?;
        let nonce_and_text = sealed.get(1 + KEY_ID_BYTES..).unwrap_or_default();
        let (nonce, ciphertext) =
            nonce_and_text.split_first_chunk::<NONCE_BYTES>().ok_or_else(spoiled)?;
        let payload = Payload { msg: ciphertext, aad: context.as_bytes() };
        let plain = key.cipher().decrypt(&XNonce::from(*nonce), payload);
        plain.map(Zeroizing::new).map_err(|_| spoiled())
    }

    fn key(&self, id: KeyId) -> Result<&SealingKey> {
        self.keys.iter().find(|key| key.id == id).ok_or_else(|| {
            let known: Vec<String> = self.ids().map(|id| id.to_string()).collect();
            let words = format!(
                "it was sealed under the key {id}, and the key file holds {}; restore the key file from a backup",
                known.join(", ")
            );
            Error::new(Kind::NotFound, words)
        })
    }
}

fn random_key() -> SealingKey {
    let mut key = Zeroizing::new([0_u8; KEY_BYTES]);
    rand::rng().fill(&mut *key);
    SealingKey::new(key)
}

fn from_hex(text: &str) -> Option<Zeroizing<[u8; KEY_BYTES]>> {
    let mut key = Zeroizing::new([0_u8; KEY_BYTES]);
    if text.len() != 2 * KEY_BYTES || !text.is_ascii() {
        return None;
    }
    for (byte, digits) in key.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let mut digits = digits.iter().map(|digit| char::from(*digit).to_digit(16));
        let (high, low) = (digits.next()??, digits.next()??);
        *byte = u8::try_from(high << 4 | low).ok()?;
    }
    Some(key)
}

impl Drop for Keyring {
    fn drop(&mut self) {
        self.keys.iter_mut().for_each(|key| key.key.zeroize());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(ring: &Keyring) -> KeyId {
        ring.ids().next().unwrap()
    }

    #[test]
    fn what_was_sealed_is_opened_in_its_own_place_only() {
        let ring = Keyring::generate();
        let sealed = ring.seal(first(&ring), "account/acme/password", b"secret").unwrap();
        assert_eq!(*ring.open("account/acme/password", &sealed).unwrap(), b"secret");
        let elsewhere = ring.open("account/other/password", &sealed).unwrap_err();
        assert_eq!(elsewhere.kind(), Kind::Invalid);
        assert!(elsewhere.message().contains("account/other/password"), "{elsewhere}");
        let again = ring.seal(first(&ring), "account/acme/password", b"secret").unwrap();
        assert_ne!(sealed, again, "each has a nonce of its own");
        assert_eq!(KeyId::of(&sealed), Some(first(&ring)));
    }

    #[test]
    fn every_changed_byte_and_every_shorter_text_is_refused() {
        let ring = Keyring::generate();
        let sealed = ring.seal(first(&ring), "x", b"secret").unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(ring.open("x", &changed).is_err(), "byte {at}");
            assert!(ring.open("x", &sealed[..at]).is_err(), "{at} bytes");
        }
        assert!(ring.open("x", b"").is_err());
    }

    #[test]
    fn a_ring_is_written_and_read_with_old_keys_behind_the_new() {
        let old = Keyring::generate();
        let both = old.with_new_key();
        let read = Keyring::parse(&both.to_text()).unwrap();
        assert_eq!(read.ids().collect::<Vec<_>>(), both.ids().collect::<Vec<_>>());
        assert_eq!(read.ids().nth(1), old.ids().next());
        let sealed = old.seal(first(&old), "x", b"old").unwrap();
        assert_eq!(*read.open("x", &sealed).unwrap(), b"old");
        let new = read.only(first(&read)).unwrap();
        let lost = new.open("x", &sealed).unwrap_err();
        assert_eq!(lost.kind(), Kind::NotFound);
        assert!(lost.message().contains(&first(&old).to_string()), "{lost}");
    }

    #[test]
    fn a_file_that_is_no_key_file_is_refused_without_showing_it() {
        let key = "0123456789abcdef".repeat(4);
        assert_eq!(Keyring::parse(&format!("\n# note\n  {key}\r\n")).unwrap().ids().count(), 1);
        for bad in ["", "# only words\n", "secret", &key[1..], &format!("{key}0"), &"é".repeat(32)]
        {
            let error = Keyring::parse(bad).unwrap_err();
            assert!(bad.is_empty() || !error.message().contains(bad), "{error}");
            assert!(error.message().contains("backup"), "{error}");
        }
        let many: String = (0..17_u32).map(|n| format!("{n:064x}\n")).collect();
        assert!(Keyring::parse(&many).is_err());
    }

    #[test]
    fn no_key_shows_in_debug_output() {
        let ring = Keyring::generate();
        let text = ring.to_text();
        let key = text.lines().last().unwrap();
        assert!(!format!("{ring:?}").contains(key));
    }
}
