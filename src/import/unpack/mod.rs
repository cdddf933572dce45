//! What a table may be wrapped in: gzip, a zip of one file, an Excel workbook. Unpacked in memory, within limits.

mod archive;
mod numbers;
mod sheet;
mod workbook;

use std::borrow::Cow;
use std::fmt;
use std::io::Read;

use flate2::bufread::MultiGzDecoder;
use serde::{Serialize, Serializer};

use super::note::{FileRefusal, MAX_LINES, Note};
use super::text::{self, Charset, Decoded};

use archive::Meter;

/// What unpacking may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnpackLimits {
    /// The most bytes that come out.
    pub max_bytes: u64,
    /// The most bytes that come out of one byte; small files are not asked.
    pub max_ratio: u64,
    /// The most columns of a worksheet.
    pub max_columns: usize,
}

/// What the table was wrapped in, from the outside to the inside: `zip: users.csv`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wrapping {
    layers: Vec<Layer>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Layer {
    format: &'static str,
    name: String,
}

impl Wrapping {
    /// Whether it came as it is.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.layers.is_empty()
    }

    /// Whether the cells come from a workbook, not from text.
    #[must_use]
    pub fn is_workbook(&self) -> bool {
        self.layers.last().is_some_and(|layer| layer.format == "xlsx")
    }

    /// The words for reports; `None`: it came as it is.
    #[must_use]
    pub fn words(&self) -> Option<String> {
        (!self.is_none()).then(|| self.to_string())
    }

    fn add(&mut self, format: &'static str, name: String) {
        self.layers.push(Layer { format, name });
    }
}

impl fmt::Display for Wrapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, layer) in self.layers.iter().enumerate() {
            let between = if index > 0 { ", " } else { "" };
            write!(f, "{between}{}", layer.format)?;
            if !layer.name.is_empty() {
                write!(f, ": {}", layer.name)?;
            }
        }
        Ok(())
    }
}

impl Serialize for Wrapping {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.words().serialize(serializer)
    }
}

/// The text of a file, and what it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened<'a> {
    /// The text.
    pub decoded: Decoded<'a>,
    /// What it was wrapped in.
    pub wrapping: Wrapping,
    /// What there is to tell about that.
    pub notes: Vec<Note>,
    /// The first rows of cells that are merged over several rows.
    pub merged: Vec<u32>,
}

/// How deep a table may be wrapped: a workbook in a zip, and no further.
const MOST_LAYERS: usize = 2;

/// The text of a file: unpacked where it is packed, and decoded.
///
/// # Errors
/// F001 to F009: what it is in place of a table, or which limit it exceeds.
pub fn open<'a>(
    bytes: &'a [u8],
    limits: &UnpackLimits,
    charset: Charset,
) -> Result<Opened<'a>, FileRefusal> {
    let mut wrapping = Wrapping::default();
    let mut inner: Cow<'a, [u8]> = Cow::Borrowed(bytes);
    while let Some(format) = packed(&inner) {
        if wrapping.layers.len() >= MOST_LAYERS {
            return Err(refusal("nested", &wrapping));
        }
        let meter = Meter::new(inner.len(), limits);
        match format {
            Packed::Gzip => {
                wrapping.add("gzip", String::new());
                inner = Cow::Owned(gunzip(&inner, &meter)?);
            }
            Packed::Zip => match archive::open(&inner, &meter, limits)? {
                archive::Content::File { name, bytes } => {
                    wrapping.add("zip", name);
                    inner = Cow::Owned(bytes);
                }
                archive::Content::Sheet(sheet) => {
                    let note = other_sheets(&sheet.name, &sheet.others);
                    wrapping.add("xlsx", sheet.name);
                    let decoded = text::of_worksheet(sheet.csv)?;
                    let notes = note.into_iter().collect();
                    return Ok(Opened { decoded, wrapping, notes, merged: sheet.merged });
                }
            },
        }
    }
    let decoded = match inner {
        Cow::Borrowed(bytes) => text::decode_as(bytes, charset)?,
        Cow::Owned(bytes) => text::decode_as(&bytes, charset)?.into_owned(),
    };
    Ok(Opened { decoded, wrapping, notes: Vec::new(), merged: Vec::new() })
}

/// R104: of cells that are merged over several rows, these first rows stand below the header.
#[must_use]
pub fn merged_note(merged: &[u32], header_line: u32) -> Option<Note> {
    let mut note = Note::new("R104", vec![("kind", "merged".to_owned())]);
    merged.iter().filter(|row| **row > header_line).for_each(|row| note.add_line(*row));
    (note.count > 0).then_some(note)
}

/// R104: sheets that hold something and were not read.
fn other_sheets(read: &str, others: &[String]) -> Option<Note> {
    if others.is_empty() {
        return None;
    }
    let mut names: Vec<&str> = others.iter().take(MAX_LINES).map(String::as_str).collect();
    if others.len() > MAX_LINES {
        names.push("…");
    }
    let params = vec![
        ("kind", "sheets".to_owned()),
        ("sheet", read.to_owned()),
        ("others", names.join(", ")),
    ];
    Some(Note::new("R104", params))
}

/// The bytes of a gzip stream, whatever they are.
///
/// # Errors
/// F006 for a limit that is exceeded; F003 and F005 for a stream that is damaged or cut off.
pub fn gunzipped(bytes: &[u8], limits: &UnpackLimits) -> Result<Vec<u8>, FileRefusal> {
    gunzip(bytes, &Meter::new(bytes.len(), limits))
}

/// Whether these bytes are packed, so that their head says nothing about their lines.
#[must_use]
pub fn is_packed(bytes: &[u8]) -> bool {
    packed(bytes).is_some()
}

enum Packed {
    Gzip,
    Zip,
}

fn packed(bytes: &[u8]) -> Option<Packed> {
    if bytes.starts_with(b"\x1F\x8B") {
        Some(Packed::Gzip)
    } else if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        Some(Packed::Zip)
    } else {
        None
    }
}

fn gunzip(bytes: &[u8], meter: &Meter) -> Result<Vec<u8>, FileRefusal> {
    let mut out = Vec::new();
    match meter.read(MultiGzDecoder::new(bytes)).read_to_end(&mut out) {
        Ok(_) => Ok(out),
        Err(_) if meter.is_exceeded() => Err(meter.refusal("")),
        // A transfer that stopped ends the stream in the middle.
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            Err(FileRefusal::new("F005", vec![("cause", "archive".to_owned())]))
        }
        Err(_) => Err(damaged("gzip")),
    }
}

fn refusal(found: &str, wrapping: &Wrapping) -> FileRefusal {
    FileRefusal::new("F003", vec![("found", found.to_owned()), ("entries", wrapping.to_string())])
}

/// An archive or workbook that cannot be opened.
fn damaged(format: &str) -> FileRefusal {
    FileRefusal::new(
        "F003",
        vec![("found", "damaged_archive".to_owned()), ("format", format.to_owned())],
    )
}

#[cfg(test)]
mod tests;
