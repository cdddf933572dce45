//! Encrypting a file for somebody.

use pgp::composed::MessageBuilder;
use pgp::crypto::hash::HashAlgorithm;
use pgp::crypto::sym::SymmetricKeyAlgorithm;
use pgp::types::{CompressionAlgorithm, Password};
use rand_core_06::OsRng;

use super::keys::{Part, Purpose};
use super::{Certificate, SecretKey};

/// Whether a file is signed before it is encrypted.
#[derive(Debug, Clone, Copy)]
pub enum Attest<'a> {
    /// It is not.
    No,
    /// With this key.
    With(&'a SecretKey),
}

/// Encrypts a file for all of these keys, in the form that every OpenPGP program reads (AES-256, protected against
/// changes, not armored). `name` is the file's name within.
///
/// # Errors
/// In words: a recipient whose key cannot be encrypted for at this time (seconds since 1970); no recipient.
pub fn encrypt(
    content: &[u8],
    name: &str,
    recipients: &[Certificate],
    attest: Attest<'_>,
    at: u32,
) -> Result<Vec<u8>, String> {
    if recipients.is_empty() {
        return Err("nobody to encrypt for is given".to_owned());
    }
    let words = |e: pgp::errors::Error| format!("the file could not be encrypted: {e}");
    // rPGP keeps the name in one byte of length.
    let name = if name.len() > 255 { "" } else { name };
    let mut builder = MessageBuilder::from_reader(name.as_bytes().to_vec(), content)
        .seipd_v1(OsRng, SymmetricKeyAlgorithm::AES256);
    builder.compression(CompressionAlgorithm::ZLIB);
    for recipient in recipients {
        let key = recipient.usable(Purpose::Encrypting, at).into_iter().next();
        let key = key.ok_or_else(|| {
            format!(
                "the key {} cannot be encrypted for: it has expired, was revoked or only signs; ask its owner for a new one",
                recipient.fingerprint()
            )
        })?;
        match key {
            Part::Primary(key) => builder.encrypt_to_key(OsRng, key),
            Part::Subkey(key) => builder.encrypt_to_key(OsRng, key),
        }
        .map_err(words)?;
    }
    if let Attest::With(key) = attest {
        builder.sign(key.signing(), Password::empty(), HashAlgorithm::Sha512);
    }
    builder.to_vec(OsRng).map_err(words)
}
