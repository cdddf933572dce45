//! An OpenPGP message, layer by layer, down to the file in it. Source: RFC 9580, 10.3.

use std::borrow::Cow;
use std::io::{BufRead, Read};

use pgp::composed::{DecryptionOptions, Edata, MessageReader, PacketBodyReader, PlainSessionKey};
use pgp::crypto::sym::SymmetricKeyAlgorithm;
use pgp::packet::{Decompressor, PublicKeyEncryptedSessionKey, Signature};
use pgp::types::Seipdv1ReadMode;

use super::keys::hex;
use super::packets::{self, Packet, tag};
use super::{Meter, SecretKey, Trouble};

/// Programs write four at most: encrypted, compressed, signed, the file.
const MOST_LAYERS: usize = 8;
/// The most recipients, and the most packets of a layer that are neither recipients nor signatures.
const MOST_RECIPIENTS: usize = 200;
const MOST_OTHERS: usize = 100;
/// Each costs a hash over the whole file.
const MOST_SIGNATURES: usize = 16;
/// How many recipients a refusal names.
const NAMED_RECIPIENTS: usize = 3;

/// What a message holds.
pub(super) struct Message {
    /// The file.
    pub(super) content: Vec<u8>,
    /// What was signed, where it is not the file as it is.
    pub(super) signed: Option<Vec<u8>>,
    /// The signatures over it.
    pub(super) signatures: Vec<Signature>,
    /// Whether a layer was encrypted.
    pub(super) is_encrypted: bool,
}

/// Reads a message to its end.
///
/// # Errors
/// What keeps it closed.
pub(super) fn read(
    bytes: Cow<'_, [u8]>,
    keys: &[SecretKey],
    meter: &Meter<'_>,
) -> Result<Message, Trouble> {
    let mut message =
        Message { content: Vec::new(), signed: None, signatures: Vec::new(), is_encrypted: false };
    let mut layer = bytes;
    for _ in 0..MOST_LAYERS {
        let parts = match Parts::of(&layer, &mut message.signatures) {
            // What was proved whole by its outer layer was not cut on the way.
            Err(Trouble::Cut) if message.is_encrypted => return Err(Trouble::Damaged),
            other => other?,
        };
        layer = match parts.body.tag {
            tag::LITERAL => {
                message.content = literal(&parts.body, meter)?;
                meter.check_content(&message.content)?;
                return Ok(message);
            }
            tag::COMPRESSED => {
                let (_, body) = parts.body.body()?;
                let mut unpacked = decompressor(body)?;
                Cow::Owned(meter.read_all(&mut unpacked)?)
            }
            _ => {
                message.is_encrypted = true;
                Cow::Owned(decrypt(&parts, keys, meter)?)
            }
        };
    }
    Err(Trouble::Damaged)
}

/// A text that was signed as it stands.
///
/// # Errors
/// [`Trouble::Damaged`] for signatures that are none.
pub(super) fn signed_text(
    content: Vec<u8>,
    signed: Vec<u8>,
    signatures: &[u8],
) -> Result<Message, Trouble> {
    let mut found = Vec::new();
    match Parts::of(signatures, &mut found) {
        Err(Trouble::Detached) => {}
        _ => return Err(Trouble::Damaged),
    }
    Ok(Message { content, signed: Some(signed), signatures: found, is_encrypted: false })
}

/// One layer: what it is for whom, and its one body.
struct Parts<'a> {
    body: Packet<'a>,
    recipients: Vec<PublicKeyEncryptedSessionKey>,
    has_password: bool,
}

impl<'a> Parts<'a> {
    fn of(bytes: &'a [u8], signatures: &mut Vec<Signature>) -> Result<Self, Trouble> {
        let (mut body, mut recipients, mut has_password) = (None, Vec::new(), false);
        let (mut others, mut is_key, before) = (0, false, signatures.len());
        let mut rest = bytes;
        while !rest.is_empty() {
            let (packet, after) = packets::first(rest)?;
            rest = after;
            match packet.tag {
                tag::PUBLIC_KEY_SESSION if body.is_none() => recipients.extend(recipient(&packet)?),
                tag::PASSWORD_SESSION if body.is_none() => has_password = true,
                tag::SIGNATURE => signatures.extend(signature(&packet)?),
                tag::COMPRESSED
                | tag::ENCRYPTED_UNPROTECTED
                | tag::LITERAL
                | tag::ENCRYPTED
                | tag::ENCRYPTED_GNUPG
                    if body.is_none() =>
                {
                    body = Some(packet);
                }
                // A second message begins.
                1 | 3 | 4 | 8 | 9 | 11 | 18 | 20 if body.is_some() => return Err(Trouble::Several),
                tag::ONE_PASS | tag::MARKER | tag::PADDING | 40..=63 => {}
                5 | 6 | 7 | 12 | 13 | 14 | 17 => is_key = true,
                _ => return Err(Trouble::Damaged),
            }
            others += 1;
            if recipients.len() > MOST_RECIPIENTS || signatures.len() > MOST_SIGNATURES {
                return Err(Trouble::Unsupported("too many recipients or signatures".to_owned()));
            }
            if others > MOST_RECIPIENTS + MOST_SIGNATURES + MOST_OTHERS {
                return Err(Trouble::Damaged);
            }
        }
        match body {
            _ if is_key => Err(Trouble::Key),
            Some(body) => Ok(Self { body, recipients, has_password }),
            None if signatures.len() > before => Err(Trouble::Detached),
            None => Err(Trouble::Cut),
        }
    }
}

/// A recipient; `None`: of a kind that this program does not know, so it is not us.
fn recipient(packet: &Packet<'_>) -> Result<Option<PublicKeyEncryptedSessionKey>, Trouble> {
    let (header, mut body) = packet.body()?;
    Ok(PublicKeyEncryptedSessionKey::try_from_reader(header, &mut body).ok())
}

/// A signature; `None`: of a kind that this program does not know, so it proves nothing.
fn signature(packet: &Packet<'_>) -> Result<Option<Signature>, Trouble> {
    let (header, mut body) = packet.body()?;
    Ok(Signature::try_from_reader(header, &mut body).ok())
}

fn decompressor<R: BufRead>(body: R) -> Result<Decompressor<R>, Trouble> {
    Decompressor::from_reader(body).map_err(|_| Trouble::Damaged)
}

/// Source: RFC 9580, 5.9.
fn literal(packet: &Packet<'_>, meter: &Meter<'_>) -> Result<Vec<u8>, Trouble> {
    let (_, mut body) = packet.body()?;
    let mut head = [0; 2];
    body.read_exact(&mut head).map_err(|_| Trouble::Damaged)?;
    let [_, name_bytes] = head;
    // The name within and its date.
    let mut skipped = vec![0; usize::from(name_bytes) + 4];
    body.read_exact(&mut skipped).map_err(|_| Trouble::Damaged)?;
    meter.read_all(&mut body)
}

fn decrypt(parts: &Parts<'_>, keys: &[SecretKey], meter: &Meter<'_>) -> Result<Vec<u8>, Trouble> {
    if parts.body.tag == tag::ENCRYPTED_UNPROTECTED {
        return Err(Trouble::NoIntegrity);
    }
    let (header, _) = parts.body.body()?;
    let whole = parts.body.after_header()?;
    let source = MessageReader::Reader(Box::new(whole));
    let body = PacketBodyReader::new(header, source).map_err(|_| Trouble::Damaged)?;
    let mut data = Edata::try_from_reader(body)
        .map_err(|_| Trouble::Unsupported("this kind of encryption".to_owned()))?;
    // Nothing of the content is looked at before the last byte was proved; so it may be read as it comes.
    let options = DecryptionOptions::new()
        .enable_gnupg_aead()
        .set_seipdv1_read_mode(Seipdv1ReadMode::Streaming);
    let session = session_key(parts, keys, meter)?;
    data.decrypt_with_options(&session, options).map_err(|_| Trouble::Damaged)?;
    meter.read_all(&mut data)
}

fn session_key(
    parts: &Parts<'_>,
    keys: &[SecretKey],
    meter: &Meter<'_>,
) -> Result<PlainSessionKey, Trouble> {
    let mut is_ours = false;
    for recipient in &parts.recipients {
        meter.check_time()?;
        for key in keys {
            match key.session_key(recipient) {
                Some(Ok(session)) => return allowed(session),
                Some(Err(())) => is_ours = true,
                None => {}
            }
        }
    }
    if is_ours {
        return Err(Trouble::Damaged);
    }
    if parts.recipients.is_empty() && parts.has_password {
        return Err(Trouble::PasswordOnly);
    }
    let ids = parts.recipients.iter().filter_map(named).take(NAMED_RECIPIENTS).collect();
    Err(Trouble::NotForUs(ids))
}

/// A key's id, unless the sender hides it.
fn named(recipient: &PublicKeyEncryptedSessionKey) -> Option<String> {
    if let Ok(id) = recipient.id() {
        return (!id.is_wildcard()).then(|| hex(id));
    }
    let print = recipient.fingerprint().ok().flatten()?;
    Some(hex(print))
}

/// A "cipher" that encrypts nothing is refused, as are numbers that stand for no cipher.
fn allowed(session: PlainSessionKey) -> Result<PlainSessionKey, Trouble> {
    match session.sym_algorithm() {
        None => Ok(session),
        Some(cipher) if known(cipher) => Ok(session),
        Some(cipher) => Err(Trouble::Unsupported(format!("cipher {cipher:?}"))),
    }
}

fn known(cipher: SymmetricKeyAlgorithm) -> bool {
    use SymmetricKeyAlgorithm as Cipher;
    matches!(
        cipher,
        Cipher::IDEA
            | Cipher::TripleDES
            | Cipher::CAST5
            | Cipher::Blowfish
            | Cipher::AES128
            | Cipher::AES192
            | Cipher::AES256
            | Cipher::Twofish
            | Cipher::Camellia128
            | Cipher::Camellia192
            | Cipher::Camellia256
    )
}
