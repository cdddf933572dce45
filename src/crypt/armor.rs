//! OpenPGP as text: armor and signed text. Source: RFC 9580, 6 and 7.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::{Meter, Trouble};

const BEGIN: &[u8] = b"-----BEGIN PGP ";
const END: &[u8] = b"-----END PGP ";
const DASHES: &[u8] = b"-----";

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What an armored file holds.
pub(super) enum Armored {
    /// It is no armored file.
    Not,
    /// A message, as packets.
    Message(Vec<u8>),
    /// A text that can be read as it is, the form of it that was signed, and its signatures as packets.
    Text { text: Vec<u8>, signed: Vec<u8>, signatures: Vec<u8> },
}

/// Whether the file begins as OpenPGP armor does.
pub(super) fn is_armored(bytes: &[u8]) -> bool {
    begin(bytes).starts_with(BEGIN)
}

/// Without the byte order mark and the blank lines that editors and mail programs put in front.
fn begin(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes).trim_ascii_start()
}

/// Takes the armor off.
///
/// # Errors
/// [`Trouble::Cut`], [`Trouble::Several`], [`Trouble::Damaged`]; [`Trouble::Detached`] and [`Trouble::Key`] for what is
/// no message.
pub(super) fn open(bytes: &[u8], meter: &Meter<'_>) -> Result<Armored, Trouble> {
    if !is_armored(bytes) {
        return Ok(Armored::Not);
    }
    let (title, rest) = line(begin(bytes));
    let title = title.strip_prefix(BEGIN).and_then(|title| title.strip_suffix(DASHES));
    match title.ok_or(Trouble::Damaged)? {
        b"MESSAGE" => {
            let (binary, rest) = block(rest, b"MESSAGE")?;
            check_rest(rest)?;
            meter.check_time()?;
            Ok(Armored::Message(binary))
        }
        b"SIGNED MESSAGE" => text(rest),
        b"SIGNATURE" => Err(Trouble::Detached),
        b"PUBLIC KEY BLOCK" | b"PRIVATE KEY BLOCK" => Err(Trouble::Key),
        _ => Err(Trouble::Unsupported("armor in parts".to_owned())),
    }
}

/// Words of a mail program may follow, another block may not.
fn check_rest(rest: &[u8]) -> Result<(), Trouble> {
    let more = memchr::memmem::find(rest, BEGIN).is_some();
    if more { Err(Trouble::Several) } else { Ok(()) }
}

/// The first line without its end and the blanks before it, and what follows.
fn line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = memchr::memchr(b'\n', bytes).unwrap_or(bytes.len());
    let (line, rest) = bytes.split_at_checked(end).unwrap_or((bytes, &[]));
    (line.trim_ascii_end(), rest.get(1..).unwrap_or_default())
}

/// The bytes of an armor whose first line was read already, and what follows its last line.
fn block<'a>(bytes: &'a [u8], title: &[u8]) -> Result<(Vec<u8>, &'a [u8]), Trouble> {
    let mut rest = bytes;
    // Headers, up to the blank line; some programs leave both out.
    loop {
        let (header, after) = line(rest);
        if after.is_empty() && header.is_empty() {
            return Err(Trouble::Cut);
        }
        if header.is_empty() {
            rest = after;
            break;
        }
        if memchr::memchr(b':', header).is_none() {
            break;
        }
        rest = after;
    }
    let end = memchr::memmem::find(rest, END).ok_or(Trouble::Cut)?;
    let (body, rest) = rest.split_at_checked(end).ok_or(Trouble::Cut)?;
    let (last, rest) = line(rest);
    let is_same = last
        .strip_prefix(END)
        .and_then(|last| last.strip_suffix(DASHES))
        .is_some_and(|last| last == title);
    if !is_same {
        return Err(if last.ends_with(DASHES) { Trouble::Damaged } else { Trouble::Cut });
    }
    let mut letters = Vec::with_capacity(body.len());
    let mut body = body;
    while !body.is_empty() {
        let (letter, after) = line(body);
        body = after;
        // The checksum: what it protects is protected better within (RFC 9580, 6.1).
        if letter.starts_with(b"=") {
            break;
        }
        letters.extend(letter.iter().filter(|byte| !byte.is_ascii_whitespace()));
    }
    let binary = BASE64.decode(&letters).map_err(|_| Trouble::Damaged)?;
    Ok((binary, rest))
}

/// A text in the cleartext signature framework whose first line was read already.
fn text(bytes: &[u8]) -> Result<Armored, Trouble> {
    let mut rest = bytes;
    loop {
        let (header, after) = line(rest);
        if after.is_empty() {
            return Err(Trouble::Cut);
        }
        rest = after;
        if header.is_empty() {
            break;
        }
        // Anything else in this place could show a text that nobody signed.
        if !header.starts_with(b"Hash: ") {
            return Err(Trouble::Damaged);
        }
    }
    let (mut text, mut signed) = (Vec::with_capacity(rest.len()), Vec::with_capacity(rest.len()));
    loop {
        if rest.is_empty() {
            return Err(Trouble::Cut);
        }
        let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
        let (whole, after) = rest.split_at_checked(end).ok_or(Trouble::Cut)?;
        rest = after;
        if whole.starts_with(BEGIN) {
            let is_signature = whole.trim_ascii_end() == b"-----BEGIN PGP SIGNATURE-----";
            if !is_signature {
                return Err(Trouble::Damaged);
            }
            break;
        }
        let whole = whole.strip_prefix(b"- ").unwrap_or(whole);
        text.extend_from_slice(whole);
        let is_first = text.len() == whole.len();
        if !is_first {
            signed.extend_from_slice(b"\r\n");
        }
        signed.extend_from_slice(whole.trim_ascii_end());
    }
    let (signatures, rest) = block(rest, b"SIGNATURE")?;
    check_rest(rest)?;
    Ok(Armored::Text { text, signed, signatures })
}

/// The bytes of a public key, armored or not.
///
/// # Errors
/// In words: a secret key, or no key.
pub(super) fn key(file: &[u8]) -> Result<Vec<u8>, String> {
    if !is_armored(file) {
        return Ok(file.to_vec());
    }
    let (title, rest) = line(begin(file));
    match title {
        b"-----BEGIN PGP PUBLIC KEY BLOCK-----" => {
            let (binary, rest) = block(rest, b"PUBLIC KEY BLOCK")
                .map_err(|_| "the key is damaged or cut off; export it again".to_owned())?;
            check_rest(rest).map_err(|_| {
                "the file holds several keys; export each into a file of its own".to_owned()
            })?;
            Ok(binary)
        }
        b"-----BEGIN PGP PRIVATE KEY BLOCK-----" => Err(
            "this is a secret key, which nobody else may have: its owner should export the public key, and think about whether the secret one is still secret"
                .to_owned(),
        ),
        _ => Err("this is no OpenPGP public key; export it with: gpg --armor --export NAME".to_owned()),
    }
}
