//! Encrypted and signed files: OpenPGP (RFC 9580), zip with AES. Bytes in, bytes out, within limits.
//!
//! The frames of packets are walked here, so that a message with too many layers, recipients or signatures, with
//! two contents or a missing end is known as what it is before anything in it is computed; rPGP does the ciphers,
//! compression and signatures of one packet. Each layer is whole and proved unchanged before the next is looked at.

mod armor;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod keys;
mod message;
mod meter;
mod packets;
mod signer;
#[cfg(test)]
mod tests;
mod write;
mod zip;

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};

pub use keys::{Certificate, SecretKey};
pub use write::{Attest, encrypt};
pub use zip::{open as open_zip, seal as seal_zip};

use meter::Meter;

/// What a file is wrapped in, by its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// OpenPGP: a message, a signed text, or a key or signature that came in place of one.
    Pgp,
    /// A zip archive with an encrypted entry.
    Zip,
}

/// What opening a file may cost, and until when it goes on.
#[derive(Clone, Copy)]
pub struct Limits<'a> {
    /// The most bytes that come out.
    pub max_bytes: u64,
    /// The most bytes that come out of one byte; small files are not asked.
    pub max_ratio: u64,
    /// Whether the time is up; asked after every few kilobytes.
    pub is_late: &'a dyn Fn() -> bool,
}

/// Somebody whose signature counts.
#[derive(Debug, Clone)]
pub struct Partner {
    /// The name given by the operator.
    pub name: String,
    /// The public key.
    pub certificate: Certificate,
}

/// Whether a file must be signed.
#[derive(Debug, Clone, Copy)]
pub enum Signature<'a> {
    /// Signatures are not looked at.
    Ignored,
    /// One of these must have signed it, with a key that was good at this time (seconds since 1970).
    By(&'a [Partner], u32),
}

/// A file that was opened.
#[derive(Debug, PartialEq, Eq)]
pub struct Opened {
    /// What was inside.
    pub bytes: Vec<u8>,
    /// Whether it was encrypted; else it was only signed.
    pub is_encrypted: bool,
    /// The partner whose signature was verified; `None`: none was asked for.
    pub signed_by: Option<String>,
}

/// Why a file was not opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// It was changed on its way, or is not what it seems to be.
    Damaged,
    /// Its end is missing.
    Cut,
    /// Several messages one after the other.
    Several,
    /// It is encrypted for other keys (their ids; none for hidden recipients).
    NotForUs(Vec<String>),
    /// It is encrypted with a password, for no key.
    PasswordOnly,
    /// It is encrypted in the old way that lets anybody change it unnoticed.
    NoIntegrity,
    /// It uses something that is not read: which.
    Unsupported(String),
    /// A signature without the file that it signs.
    Detached,
    /// A key in place of a message.
    Key,
    /// It holds more than so many bytes.
    TooLarge(u64),
    /// It holds more than so many times its size.
    Ratio(u64),
    /// It took too long.
    Late,
    /// Nobody signed it.
    Unsigned,
    /// Only somebody unknown signed it: the key's id.
    UnknownSigner(String),
    /// What this partner signed was something else.
    BadSignature(String),
    /// This partner's key had expired.
    ExpiredKey(String),
    /// This partner's key was revoked.
    RevokedKey(String),
    /// This partner's key may not sign, or the signature bears a date that cannot be.
    InvalidSignature(String),
    /// This partner signed in a way (a hash) that can be forged.
    WeakSignature(String, String),
    /// The zip's password is another one, or the archive was changed on its way.
    WrongPassword,
    /// There is no password to open the zip with.
    NoPassword,
    /// The zip is encrypted in the old, weak way.
    WeakZip,
    /// The zip holds no file, or several: their names.
    NotOneFile(Vec<String>),
}

/// What these bytes are wrapped in; `None`: nothing that is opened here.
#[must_use]
pub fn form(bytes: &[u8]) -> Option<Form> {
    if armor::is_armored(bytes) || packets::begin_message(bytes) {
        Some(Form::Pgp)
    } else {
        zip::is_encrypted(bytes).then_some(Form::Zip)
    }
}

/// Opens an OpenPGP file: encrypted for one of our keys, only signed, or both.
///
/// # Errors
/// Why not; nothing of its content is known then.
pub fn open_pgp(
    bytes: &[u8],
    keys: &[SecretKey],
    signature: Signature<'_>,
    limits: &Limits<'_>,
) -> Result<Opened, Trouble> {
    // rPGP has a few `panic!`s behind states that a damaged stream might reach; to the sender that is damage.
    catch_unwind(AssertUnwindSafe(|| open_message(bytes, keys, signature, limits)))
        .unwrap_or(Err(Trouble::Damaged))
}

/// A file in a file: some sign a file first and encrypt what that gave.
const MOST_FILES: usize = 2;

fn open_message(
    bytes: &[u8],
    keys: &[SecretKey],
    signature: Signature<'_>,
    limits: &Limits<'_>,
) -> Result<Opened, Trouble> {
    let meter = Meter::new(bytes.len(), limits);
    let mut message = read_message(bytes, keys, &meter)?;
    for _ in 1..MOST_FILES {
        if form(&message.content) != Some(Form::Pgp) {
            break;
        }
        let was_encrypted = message.is_encrypted;
        // The signatures that count are those over the file itself.
        message = read_message(&message.content, keys, &meter)?;
        message.is_encrypted |= was_encrypted;
    }
    let signed_by = match signature {
        Signature::Ignored => None,
        Signature::By(partners, at) => Some(signer::verify(&message, partners, at, &meter)?),
    };
    Ok(Opened { bytes: message.content, is_encrypted: message.is_encrypted, signed_by })
}

fn read_message(
    bytes: &[u8],
    keys: &[SecretKey],
    meter: &Meter<'_>,
) -> Result<message::Message, Trouble> {
    match armor::open(bytes, meter)? {
        armor::Armored::Not => message::read(Cow::Borrowed(bytes), keys, meter),
        armor::Armored::Message(binary) => message::read(Cow::Owned(binary), keys, meter),
        armor::Armored::Text { text, signed, signatures } => {
            message::signed_text(text, signed, &signatures)
        }
    }
}
