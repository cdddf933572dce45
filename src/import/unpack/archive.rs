//! A zip archive in memory: the one file in it, or the workbook that it is; what comes out is metered.

use std::cell::Cell;
use std::io::{self, BufReader, Cursor, Read};

use zip::ZipArchive;
use zip::read::ZipFile;
use zip::result::ZipError;

use super::{UnpackLimits, damaged, workbook};
use crate::import::note::FileRefusal;

/// What a zip archive holds.
pub(super) enum Content {
    /// The only file in it.
    File { name: String, bytes: Vec<u8> },
    /// The first sheet of a workbook, as comma-separated text.
    Sheet(workbook::FirstSheet),
}

/// One entry, unpacked as it is read.
pub(super) type Part<'z, 'a> = BufReader<Metered<'z, ZipFile<'z, Cursor<&'a [u8]>>>>;

pub(super) type Zip<'a> = ZipArchive<Cursor<&'a [u8]>>;

/// An archive with more entries is never one file, and its list alone would cost memory.
const MOST_ENTRIES: usize = 10_000;

/// How many entries a refusal names.
const NAMED_ENTRIES: usize = 5;

/// Files below this size are no bomb, whatever they unpack to.
const HARMLESS_BYTES: u64 = 16 * 1024 * 1024;

/// Opens an archive.
///
/// # Errors
/// F003 not one file, encrypted or damaged · F006 over the limits.
pub(super) fn open(
    bytes: &[u8],
    meter: &Meter,
    limits: &UnpackLimits,
) -> Result<Content, FileRefusal> {
    let listed = memchr::memmem::find_iter(bytes, b"PK\x01\x02").take(MOST_ENTRIES + 1).count();
    if listed > MOST_ENTRIES {
        return Err(not_one("zip_several", listed, &[]));
    }
    let mut zip = ZipArchive::new(Cursor::new(bytes)).map_err(|_| cut_or_damaged(bytes))?;
    let names: Vec<String> = (0..zip.len()).map(|index| name_of(&zip, index)).collect();
    if workbook::is_workbook(&names) {
        let sheet = workbook::first_sheet(&mut zip, &names, meter, limits)?;
        return Ok(Content::Sheet(sheet));
    }
    if let Some(found) = other_document(&names) {
        return Err(FileRefusal::new("F003", vec![("found", found.to_owned())]));
    }
    let files: Vec<(usize, &String)> =
        names.iter().enumerate().filter(|(_, name)| is_file(name)).collect();
    let [(index, name)] = files.as_slice() else {
        let named: Vec<&str> = files.iter().map(|(_, name)| name.as_str()).collect();
        let found = if files.is_empty() { "zip_empty" } else { "zip_several" };
        return Err(not_one(found, files.len(), &named));
    };
    let mut unpacked = Vec::new();
    part(&mut zip, *index, name, meter)?
        .read_to_end(&mut unpacked)
        .map_err(|_| meter.fault(name))?;
    Ok(Content::File { name: (*name).clone(), bytes: unpacked })
}

/// The entry's bytes, metered.
///
/// # Errors
/// F003 encrypted, packed in a way that is not read, or damaged.
pub(super) fn part<'z, 'a>(
    zip: &'z mut Zip<'a>,
    index: usize,
    name: &str,
    meter: &'z Meter,
) -> Result<Part<'z, 'a>, FileRefusal> {
    let refused = |found: &str| {
        FileRefusal::new("F003", vec![("found", found.to_owned()), ("entries", name.to_owned())])
    };
    let entry = zip.by_index(index).map_err(|error| match error {
        ZipError::UnsupportedArchive(why) if why == ZipError::PASSWORD_REQUIRED => {
            refused("encrypted")
        }
        ZipError::CompressionMethodNotSupported(_) | ZipError::UnsupportedArchive(_) => {
            refused("zip_method")
        }
        _ => damaged("zip"),
    })?;
    Ok(BufReader::new(meter.read(entry)))
}

fn name_of(zip: &Zip<'_>, index: usize) -> String {
    zip.name_for_index(index)
        .and_then(Result::ok)
        .map_or_else(|| format!("#{}", index + 1), |name| name.into_owned())
}

/// Folders, and what systems add by themselves, are no file of the sender's.
fn is_file(name: &str) -> bool {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let added =
        name.starts_with("__MACOSX/") || matches!(last, ".DS_Store" | "Thumbs.db" | "desktop.ini");
    !last.is_empty() && !added
}

fn other_document(names: &[String]) -> Option<&'static str> {
    const SIGNS: &[(&str, &str)] = &[
        ("xl/workbook.bin", "xlsb"),
        ("word/document.xml", "docx"),
        ("ppt/presentation.xml", "pptx"),
        ("META-INF/MANIFEST.MF", "jar"),
    ];
    let sign = SIGNS.iter().find(|(part, _)| names.iter().any(|name| name == part));
    if let Some((_, found)) = sign {
        return Some(found);
    }
    let open_document = names.iter().any(|name| name == "content.xml")
        && names.iter().any(|name| name == "mimetype");
    open_document.then_some("ods")
}

fn not_one(found: &str, count: usize, named: &[&str]) -> FileRefusal {
    let mut entries = named.iter().take(NAMED_ENTRIES).copied().collect::<Vec<_>>().join(", ");
    if count > NAMED_ENTRIES {
        entries.push_str(if entries.is_empty() { "…" } else { ", …" });
    }
    FileRefusal::new(
        "F003",
        vec![("found", found.to_owned()), ("count", count.to_string()), ("entries", entries)],
    )
}

/// An archive's list stands at its end: without it, the end is missing.
fn cut_or_damaged(bytes: &[u8]) -> FileRefusal {
    let tail = bytes.get(bytes.len().saturating_sub(66_000)..).unwrap_or(bytes);
    if memchr::memmem::find(tail, b"PK\x05\x06").is_some() {
        damaged("zip")
    } else {
        FileRefusal::new("F005", vec![("cause", "archive".to_owned())])
    }
}

/// Counts what comes out of an archive, over all its parts, and stops at the limit.
pub(super) struct Meter {
    left: Cell<u64>,
    exceeded: Cell<bool>,
    what: &'static str,
    limit: String,
}

impl Meter {
    /// For an archive of so many bytes.
    pub(super) fn new(packed_bytes: usize, limits: &UnpackLimits) -> Self {
        let packed = u64::try_from(packed_bytes).unwrap_or(u64::MAX);
        let by_ratio = packed.saturating_mul(limits.max_ratio).max(HARMLESS_BYTES);
        let (left, what, limit) = if by_ratio < limits.max_bytes {
            (by_ratio, "ratio", limits.max_ratio.to_string())
        } else {
            let megabytes = limits.max_bytes / (1024 * 1024);
            (limits.max_bytes, "unpacked_bytes", format!("{megabytes} MiB"))
        };
        Self { left: Cell::new(left), exceeded: Cell::new(false), what, limit }
    }

    pub(super) fn read<R: Read>(&self, inner: R) -> Metered<'_, R> {
        Metered { inner, meter: self }
    }

    /// Takes bytes that are made while reading, as a string that many cells share.
    pub(super) fn take(&self, bytes: usize) -> io::Result<()> {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        match self.left.get().checked_sub(bytes) {
            Some(left) => {
                self.left.set(left);
                Ok(())
            }
            None => {
                self.exceeded.set(true);
                Err(io::Error::other("the limit of unpacked bytes"))
            }
        }
    }

    pub(super) fn is_exceeded(&self) -> bool {
        self.exceeded.get()
    }

    /// F006: which limit, at which entry.
    pub(super) fn refusal(&self, entry: &str) -> FileRefusal {
        FileRefusal::new(
            "F006",
            vec![
                ("what", self.what.to_owned()),
                ("limit", self.limit.clone()),
                ("entries", entry.to_owned()),
            ],
        )
    }

    /// Why reading an entry stopped: the limit, or damage.
    pub(super) fn fault(&self, entry: &str) -> FileRefusal {
        if self.is_exceeded() { self.refusal(entry) } else { damaged("zip") }
    }
}

/// A reader whose bytes are counted.
pub(super) struct Metered<'m, R> {
    inner: R,
    meter: &'m Meter,
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(out)?;
        self.meter.take(read)?;
        Ok(read)
    }
}
