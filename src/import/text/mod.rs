//! Bytes to text: which encoding a file is in, what it is when it is no text, and what was repaired.

mod clean;
mod guess;
mod magic;
mod twice;

use std::borrow::Cow;
use std::fmt;

use serde::{Serialize, Serializer};

use super::note::{FileRefusal, Note};

pub use clean::{clean, clean_words, fold, unrunnable};

/// How a file's characters are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// UTF-8, and plain ASCII.
    Utf8,
    /// UTF-16, low byte first ("Unicode text" of Excel).
    Utf16Le,
    /// UTF-16, high byte first.
    Utf16Be,
    /// Western Windows; ISO-8859-1 is read as this.
    Windows1252,
    /// ISO-8859-15, with € and œ in other places than Windows-1252.
    Iso8859_15,
    /// Central European Unix and mainframes.
    Iso8859_2,
    /// Central European Windows.
    Windows1250,
    /// Cyrillic Windows.
    Windows1251,
    /// Greek Windows.
    Windows1253,
    /// Turkish Windows.
    Windows1254,
    /// Baltic Windows.
    Windows1257,
    /// Classic Mac OS.
    MacRoman,
    /// Western MS-DOS.
    Cp850,
}

impl Encoding {
    /// The name that people and programs know: `UTF-8`, `windows-1252` …
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Utf16Le => "UTF-16LE",
            Self::Utf16Be => "UTF-16BE",
            Self::Windows1252 => "windows-1252",
            Self::Iso8859_15 => "ISO-8859-15",
            Self::Iso8859_2 => "ISO-8859-2",
            Self::Windows1250 => "windows-1250",
            Self::Windows1251 => "windows-1251",
            Self::Windows1253 => "windows-1253",
            Self::Windows1254 => "windows-1254",
            Self::Windows1257 => "windows-1257",
            Self::MacRoman => "macintosh",
            Self::Cp850 => "IBM850",
        }
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Encoding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// A file's text and how it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded<'a> {
    /// The text, without byte order mark; borrowed where the bytes are UTF-8 already.
    pub text: Cow<'a, str>,
    /// The encoding that was found.
    pub encoding: Encoding,
    /// The file began with a byte order mark.
    pub had_bom: bool,
    /// F008 (the encoding is a guess), F009 (decoded twice, repaired).
    pub notes: Vec<Note>,
    /// It was made of a worksheet's cells: commas, every cell in quotes.
    pub is_worksheet: bool,
}

impl Decoded<'_> {
    /// The same with a text of its own.
    #[must_use]
    pub fn into_owned(self) -> Decoded<'static> {
        Decoded {
            text: Cow::Owned(self.text.into_owned()),
            encoding: self.encoding,
            had_bom: self.had_bom,
            notes: self.notes,
            is_worksheet: self.is_worksheet,
        }
    }
}

/// Which code a file is in that is no Unicode; Unicode is recognised whatever is said here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Charset {
    /// Guessed by the letters that each code would show, and told (F008).
    #[default]
    Auto,
    /// Always this one. UTF-8: anything else is refused.
    Fixed(Encoding),
}

impl Charset {
    /// Every value that the settings know, by its name there.
    pub const NAMED: [(&'static str, Self); 12] = [
        ("auto", Self::Auto),
        ("utf-8", Self::Fixed(Encoding::Utf8)),
        ("windows-1252", Self::Fixed(Encoding::Windows1252)),
        ("iso-8859-15", Self::Fixed(Encoding::Iso8859_15)),
        ("iso-8859-2", Self::Fixed(Encoding::Iso8859_2)),
        ("windows-1250", Self::Fixed(Encoding::Windows1250)),
        ("windows-1251", Self::Fixed(Encoding::Windows1251)),
        ("windows-1253", Self::Fixed(Encoding::Windows1253)),
        ("windows-1254", Self::Fixed(Encoding::Windows1254)),
        ("windows-1257", Self::Fixed(Encoding::Windows1257)),
        ("macintosh", Self::Fixed(Encoding::MacRoman)),
        ("cp850", Self::Fixed(Encoding::Cp850)),
    ];

    /// Its name in the settings.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMED.iter().find(|(_, known)| *known == self).map_or("auto", |(name, _)| name)
    }
}

impl Serialize for Charset {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// [`decode_as`] with a guess where it is needed.
///
/// # Errors
/// As [`decode_as`].
pub fn decode(bytes: &[u8]) -> Result<Decoded<'_>, FileRefusal> {
    decode_as(bytes, Charset::Auto)
}

/// The text of a worksheet: written by ourselves.
///
/// # Errors
/// F001 when nothing is in it.
pub(super) fn of_worksheet(text: String) -> Result<Decoded<'static>, FileRefusal> {
    if text.chars().all(|c| c.is_whitespace() || matches!(c, '"' | ',')) {
        return Err(FileRefusal::new("F001", Vec::new()));
    }
    Ok(Decoded { is_worksheet: true, ..found(Cow::Owned(text), Encoding::Utf8, false) })
}

/// Finds the encoding and decodes.
///
/// # Errors
/// F001 nothing in it · F003 not a text file (parameter `found` names what it is) · F004 NUL or
/// undecodable bytes (parameter `offset`, in bytes) · F009 decoded twice and not to be repaired.
pub fn decode_as(bytes: &[u8], charset: Charset) -> Result<Decoded<'_>, FileRefusal> {
    if bytes.is_empty() {
        return Err(FileRefusal::new("F001", Vec::new()));
    }
    if let Some(found) = magic::what_it_is(bytes) {
        return Err(FileRefusal::new("F003", vec![("found", found.to_owned())]));
    }
    let decoded = decode_text(bytes, charset)?;
    if decoded.text.chars().all(|c| c.is_whitespace() || c == '\u{FEFF}' || c == END_OF_FILE) {
        return Err(FileRefusal::new("F001", Vec::new()));
    }
    if let Some(offset) = memchr::memchr(0, decoded.text.as_bytes()) {
        return Err(undecodable(decoded.encoding, offset, "NUL"));
    }
    if let Some(found) = magic::what_text_it_is(&decoded.text) {
        return Err(FileRefusal::new("F003", vec![("found", found.to_owned())]));
    }
    twice::mend(bare(decoded))
}

/// Ctrl-Z: how MS-DOS programs end a text file.
const END_OF_FILE: char = '\u{1A}';

/// Without the end-of-file sign, and without further byte order marks that glued files bring.
fn bare(mut decoded: Decoded<'_>) -> Decoded<'_> {
    match &mut decoded.text {
        Cow::Borrowed(text) => {
            *text = text.trim_end_matches(END_OF_FILE).trim_start_matches('\u{FEFF}');
        }
        Cow::Owned(text) => {
            text.truncate(text.trim_end_matches(END_OF_FILE).len());
            let marks = text.len() - text.trim_start_matches('\u{FEFF}').len();
            text.drain(..marks);
        }
    }
    decoded
}

fn decode_text(bytes: &[u8], charset: Charset) -> Result<Decoded<'_>, FileRefusal> {
    if bytes.starts_with(b"\xFF\xFE\0\0") || bytes.starts_with(b"\0\0\xFE\xFF") {
        return Err(FileRefusal::new("F004", vec![("encoding", "UTF-32".to_owned())]));
    }
    if let Some(rest) = bytes.strip_prefix(b"\xEF\xBB\xBF") {
        return match std::str::from_utf8(rest) {
            Ok(text) => Ok(found(Cow::Borrowed(text), Encoding::Utf8, true)),
            Err(error) if error.error_len().is_none() => Err(cut_character()),
            Err(error) => Err(undecodable(Encoding::Utf8, error.valid_up_to() + 3, "bytes")),
        };
    }
    if let Some(rest) = bytes.strip_prefix(b"\xFF\xFE") {
        return utf16(rest, Encoding::Utf16Le, 2);
    }
    if let Some(rest) = bytes.strip_prefix(b"\xFE\xFF") {
        return utf16(rest, Encoding::Utf16Be, 2);
    }
    if let Some(encoding) = guess::utf16_without_mark(bytes) {
        return utf16(bytes, encoding, 0);
    }
    let error = match std::str::from_utf8(bytes) {
        Ok(text) => return Ok(found(Cow::Borrowed(text), Encoding::Utf8, false)),
        Err(error) => error,
    };
    if let Some(offset) = memchr::memchr(0, bytes) {
        return Err(FileRefusal::new(
            "F004",
            vec![("offset", offset.to_string()), ("what", "NUL".to_owned())],
        ));
    }
    if charset == Charset::Fixed(Encoding::Utf8) {
        return Err(broken_utf8(bytes, &error));
    }
    if let Charset::Fixed(encoding) = charset {
        let text = guess::eight_bit_as(encoding, bytes)?;
        return Ok(found(Cow::Owned(text), encoding, false));
    }
    // The first half of an accented letter, and nothing else above 127: no word ends with `Ã` or `Å`.
    let half = error.error_len().is_none() && matches!(bytes.last(), Some(0xC3..=0xC5));
    if half || guess::joined_at(bytes).is_some() {
        return Err(broken_utf8(bytes, &error));
    }
    let (encoding, text) = guess::eight_bit(bytes)?;
    let mut decoded = found(Cow::Owned(text), encoding, false);
    decoded.notes.push(Note::new("F008", vec![("encoding", encoding.name().to_owned())]));
    Ok(decoded)
}

fn found(text: Cow<'_, str>, encoding: Encoding, had_bom: bool) -> Decoded<'_> {
    Decoded { text, encoding, had_bom, notes: Vec::new(), is_worksheet: false }
}

/// UTF-8 up to a place: cut in the middle of a character there, or joined with text in another code.
fn broken_utf8(bytes: &[u8], error: &std::str::Utf8Error) -> FileRefusal {
    if error.error_len().is_none() {
        return cut_character();
    }
    let at = error.valid_up_to();
    let before = bytes.get(..at).unwrap_or_default();
    let line = memchr::memchr_iter(b'\n', before).count().saturating_add(1);
    let params = vec![("text_line", line.to_string()), ("what", "joined".to_owned())];
    let mut refusal = FileRefusal::new("F004", params);
    refusal.physical_line = Some(u32::try_from(line).unwrap_or(u32::MAX));
    refusal
}

/// Half a character at the end: the transfer stopped in the middle of it.
fn cut_character() -> FileRefusal {
    FileRefusal::new("F005", vec![("cause", "half_character".to_owned())])
}

fn undecodable(encoding: Encoding, offset: usize, what: &str) -> FileRefusal {
    FileRefusal::new(
        "F004",
        vec![
            ("encoding", encoding.name().to_owned()),
            ("offset", offset.to_string()),
            ("what", what.to_owned()),
        ],
    )
}

fn utf16(
    bytes: &[u8],
    encoding: Encoding,
    mark_bytes: usize,
) -> Result<Decoded<'static>, FileRefusal> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let unit = |pair: &[u8; 2]| match encoding {
        Encoding::Utf16Be => u16::from_be_bytes(*pair),
        _ => u16::from_le_bytes(*pair),
    };
    let mut text = String::with_capacity(pairs.len() + pairs.len() / 16);
    for (index, decoded) in char::decode_utf16(pairs.iter().map(unit)).enumerate() {
        match decoded {
            Ok(c) => text.push(c),
            Err(_) => return Err(undecodable(encoding, mark_bytes + index * 2, "bytes")),
        }
    }
    if !rest.is_empty() {
        return Err(cut_character());
    }
    Ok(found(Cow::Owned(text), encoding, mark_bytes > 0))
}

#[cfg(test)]
mod tests;
