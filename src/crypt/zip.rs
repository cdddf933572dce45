//! Zip archives with AES encryption (WinZip's AE-1 and AE-2): the one file in them.

use std::io::{Cursor, Write as _};

use zip::read::HasZipMetadata as _;
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{AesMode, CompressionMethod, ZipArchive, ZipWriter};

use super::{Limits, Meter, Opened, Trouble};

/// An archive with more entries is never one file, and its list alone would cost memory.
const MOST_ENTRIES: usize = 10_000;
/// How many entries a refusal names.
const NAMED_ENTRIES: usize = 5;

type Archive<'a> = ZipArchive<Cursor<&'a [u8]>>;

/// Whether this is a zip archive with something encrypted in it. Source: APPNOTE.TXT, 4.3.7 and 4.4.4.
pub(super) fn is_encrypted(bytes: &[u8]) -> bool {
    if !bytes.starts_with(b"PK\x03\x04") {
        return false;
    }
    let first = bytes.get(6).is_some_and(|flags| flags & 1 == 1);
    first || archive(bytes).is_ok_and(|mut zip| (0..zip.len()).any(|at| entry(&mut zip, at).0))
}

/// Opens the archive and the one file in it.
///
/// # Errors
/// Why not; nothing of its content is known then.
pub fn open(bytes: &[u8], password: Option<&str>, limits: &Limits<'_>) -> Result<Opened, Trouble> {
    let meter = Meter::new(bytes.len(), limits);
    let mut zip = archive(bytes)?;
    let at = only_file(&mut zip)?;
    if !matches!(entry(&mut zip, at), (true, true)) {
        return Err(Trouble::WeakZip);
    }
    let password = password.ok_or(Trouble::NoPassword)?;
    let mut file = zip.by_index_decrypt(at, password.as_bytes()).map_err(|error| match error {
        ZipError::InvalidPassword => Trouble::WrongPassword,
        ZipError::CompressionMethodNotSupported(method) => {
            Trouble::Unsupported(format!("zip method {method}"))
        }
        ZipError::UnsupportedArchive(why) => Trouble::Unsupported(why.to_owned()),
        _ => Trouble::Damaged,
    })?;
    let content = meter.read_all(&mut file)?;
    meter.check_content(&content)?;
    Ok(Opened { bytes: content, is_encrypted: true, signed_by: None })
}

/// Writes an archive of one file, encrypted with AES-256.
///
/// # Errors
/// A name or size that no archive can hold, in words.
pub fn seal(bytes: &[u8], name: &str, password: &str) -> Result<Vec<u8>, String> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .large_file(u32::try_from(bytes.len()).is_err())
        .with_aes_encryption(AesMode::Aes256, password);
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let write = || -> Result<Vec<u8>, ZipError> {
        archive.start_file(name, options)?;
        archive.write_all(bytes)?;
        Ok(archive.finish()?.into_inner())
    };
    write().map_err(|error| format!("the file \"{name}\" cannot be put into a zip: {error}"))
}

fn archive(bytes: &[u8]) -> Result<Archive<'_>, Trouble> {
    let listed = memchr::memmem::find_iter(bytes, b"PK\x01\x02").take(MOST_ENTRIES + 1).count();
    if listed > MOST_ENTRIES {
        return Err(Trouble::NotOneFile(Vec::new()));
    }
    // An archive's list stands at its end: without it, the end is missing.
    let tail = bytes.get(bytes.len().saturating_sub(66_000)..).unwrap_or(bytes);
    let has_end = memchr::memmem::find(tail, b"PK\x05\x06").is_some();
    let why = if has_end { Trouble::Damaged } else { Trouble::Cut };
    ZipArchive::new(Cursor::new(bytes)).map_err(|_| why)
}

/// Whether an entry is encrypted, and whether with AES.
fn entry(zip: &mut Archive<'_>, at: usize) -> (bool, bool) {
    zip.by_index_data(at).map_or((false, false), |entry| {
        let facts = entry.get_metadata();
        (facts.is_encrypted(), facts.aes_settings().is_some())
    })
}

/// Folders, and what systems add by themselves, are no file of the sender's.
fn only_file(zip: &mut Archive<'_>) -> Result<usize, Trouble> {
    let name = |at: usize| {
        zip.name_for_index(at)
            .and_then(Result::ok)
            .map_or_else(|| format!("#{}", at + 1), |name| name.into_owned())
    };
    let files: Vec<(usize, String)> = (0..zip.len())
        .map(|at| (at, name(at)))
        .filter(|(_, name)| {
            let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
            let added = name.starts_with("__MACOSX/")
                || matches!(last, ".DS_Store" | "Thumbs.db" | "desktop.ini");
            !last.is_empty() && !added
        })
        .collect();
    match files.as_slice() {
        [(at, _)] => Ok(*at),
        _ => {
            let names = files.into_iter().map(|(_, name)| name).take(NAMED_ENTRIES).collect();
            Err(Trouble::NotOneFile(names))
        }
    }
}
