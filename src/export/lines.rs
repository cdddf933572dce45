//! Cells to the bytes of a line: dates, decimals, separator, quotes, line end, encoding.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write};

use encoding_rs::{EncoderResult, Encoding as Charset, ISO_8859_15, WINDOWS_1252};
use jiff::civil::Date;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::cells::Cells;
use super::settings::{
    Column, Decimal, Encoding, ExportSettings, Formulas, LineEnd, NotEncodable, Quotes,
};
use super::sheet::Sheet;
use crate::import::fields::{DATE_FIELDS, Field, FieldKey};
use crate::import::text::unrunnable;

/// Why a row cannot be written.
#[derive(Debug)]
pub enum Problem {
    /// The output refused.
    Io(io::Error),
    /// A cell cannot be in this file; the words name the column and the cure. Never the value: alarms, events and webhooks tell
    /// these words to people who may not see it.
    Cell(String),
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Writes the lines of one file.
pub struct Lines<'s, W: Write> {
    /// Its columns.
    pub sheet: Sheet<'s>,
    pen: Pen<'s>,
    out: W,
}

impl<'s, W: Write> Lines<'s, W> {
    /// Begins a file: a byte order mark and a header, where they are asked for.
    ///
    /// # Errors
    /// As [`Lines::row`]: a header may not fit the encoding either.
    pub fn begin(sheet: Sheet<'s>, mut out: W) -> Result<Self, Problem> {
        let charset = match sheet.settings.encoding {
            Encoding::Utf8 => None,
            Encoding::Utf8Bom => {
                out.write_all("\u{feff}".as_bytes())?;
                None
            }
            Encoding::Windows1252 => Some(WINDOWS_1252),
            Encoding::Iso885915 => Some(ISO_8859_15),
        };
        let mut pen = Pen { settings: sheet.settings, charset, line: Vec::new() };
        if sheet.settings.header {
            for (at, header) in sheet.headers().enumerate() {
                pen.cell(at, header, &format_args!("the header \"{header}\""))?;
            }
            pen.end(&mut out)?;
        }
        Ok(Self { sheet, pen, out })
    }

    /// Writes a user's row; one that cannot be written leaves nothing.
    ///
    /// # Errors
    /// What the first cell that does not fit is, or why the output refused.
    pub fn row(&mut self, cells: &Cells<'_>) -> Result<(), Problem> {
        self.pen.line.clear();
        for (at, ((column, _), text)) in self.sheet.columns.iter().zip(&cells.texts).enumerate() {
            let shown = self.pen.shown(column, text);
            self.pen.cell(at, &shown, &column)?;
        }
        self.pen.end(&mut self.out)
    }

    /// The output, with everything written.
    ///
    /// # Errors
    /// Why it refused.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }
}

/// Writes one line cell by cell.
struct Pen<'s> {
    settings: &'s ExportSettings,
    charset: Option<&'static Charset>,
    line: Vec<u8>,
}

impl Pen<'_> {
    fn end(&mut self, out: &mut impl Write) -> Result<(), Problem> {
        let end: &[u8] = match self.settings.line_end {
            LineEnd::Crlf => b"\r\n",
            LineEnd::Lf => b"\n",
        };
        self.line.extend(end);
        out.write_all(&self.line)?;
        self.line.clear();
        Ok(())
    }

    /// A canonical text as this file writes it.
    fn shown<'t>(&self, column: &Column, text: &'t str) -> Cow<'t, str> {
        let settings = self.settings;
        let Column::Field(FieldKey::Known(field)) = column else { return Cow::Borrowed(text) };
        match field {
            field if DATE_FIELDS.contains(field) => match text.parse::<Date>() {
                Ok(date) => Cow::Owned(settings.dates.write(date)),
                Err(_) => Cow::Borrowed(text),
            },
            Field::Fte | Field::WeeklyHours if settings.decimal == Decimal::Comma => {
                Cow::Owned(text.replace('.', ","))
            }
            // The import reads both; a sign that separates cells would need quotes.
            Field::Roles if settings.separator == ',' => Cow::Owned(text.replace('\n', "|")),
            Field::Roles => Cow::Owned(text.replace('\n', ", ")),
            _ => Cow::Borrowed(text),
        }
    }

    fn cell(&mut self, at: usize, text: &str, place: &dyn fmt::Display) -> Result<(), Problem> {
        let settings = self.settings;
        if at > 0 {
            self.line.extend(separator(settings.separator));
        }
        let text = match settings.formulas {
            Formulas::Text => unrunnable(text),
            _ => Cow::Borrowed(text),
        };
        let text = self.fitting(text, place)?;
        let special = |c: char| c == settings.separator || matches!(c, '"' | '\r' | '\n');
        let needed = text.contains(special) || text.trim() != text;
        let is_quoted = match settings.quotes {
            Quotes::All => true,
            Quotes::Needed => needed,
            Quotes::Never if needed => {
                return Err(Problem::Cell(format!(
                    "{place} has the separator, a quote or a line break in it, and quotes = \"never\"; write quotes = \"needed\" or another separator"
                )));
            }
            Quotes::Never => false,
        };
        let text =
            if is_quoted { Cow::Owned(format!("\"{}\"", text.replace('"', "\"\""))) } else { text };
        match self.charset {
            None => self.line.extend(text.as_bytes()),
            // Every sign was tried; what is added here is ASCII.
            Some(charset) => drop(encode_into(&mut self.line, charset, &text)),
        }
        Ok(())
    }

    /// The text in letters that the encoding has. Before quoting: closest letters may be quotes.
    fn fitting<'t>(
        &self,
        text: Cow<'t, str>,
        place: &dyn fmt::Display,
    ) -> Result<Cow<'t, str>, Problem> {
        let Some(charset) = self.charset else { return Ok(text) };
        let Some(sign) = missing(charset, &text) else { return Ok(text) };
        let settings = self.settings;
        let refused = |sign: char, cure: &str| {
            Problem::Cell(format!(
                "{place} has \"{sign}\", which {} does not have; {cure}",
                settings.encoding.name()
            ))
        };
        if settings.not_encodable == NotEncodable::Refuse {
            let cure = "write encoding = \"utf-8\" or not_encodable = \"transliterate\"";
            return Err(refused(sign, cure));
        }
        let closest = transliterated(&text, charset);
        match missing(charset, &closest) {
            None => Ok(Cow::Owned(closest)),
            Some(sign) => {
                let cure = "no letters are close to it; write encoding = \"utf-8\"";
                Err(refused(sign, cure))
            }
        }
    }
}

/// The first sign that a charset does not have.
fn missing(charset: &'static Charset, text: &str) -> Option<char> {
    if text.is_ascii() {
        return None;
    }
    encode_into(&mut Vec::new(), charset, text).err()
}

/// Appends a text in a charset; nothing is appended if it does not have one of the signs.
fn encode_into(line: &mut Vec<u8>, charset: &'static Charset, text: &str) -> Result<(), char> {
    let start = line.len();
    let mut encoder = charset.new_encoder();
    // Both charsets have one byte for a sign.
    line.reserve(text.len() + 8);
    let (result, _) = encoder.encode_from_utf8_to_vec_without_replacement(text, line, true);
    match result {
        EncoderResult::InputEmpty => Ok(()),
        EncoderResult::Unmappable(sign) => {
            line.truncate(start);
            Err(sign)
        }
        EncoderResult::OutputFull => {
            line.truncate(start);
            Err('\u{fffd}')
        }
    }
}

/// The text with the closest letters in place of those that a charset does not have.
fn transliterated(text: &str, charset: &'static Charset) -> String {
    let has = |sign: char| missing(charset, sign.encode_utf8(&mut [0; 4])).is_none();
    let mut out = String::with_capacity(text.len());
    for sign in text.chars() {
        if has(sign) {
            out.push(sign);
        } else if let Some((_, letters)) = CLOSEST.iter().find(|(one, _)| *one == sign) {
            out.push_str(letters);
        } else {
            // NFKD: Ő is O with a mark, ﬁ is fi. A mark of its own is left out, anything else stays and is refused.
            let parts: String = sign.nfkd().filter(|c| !is_combining_mark(*c)).collect();
            let fits = parts.chars().all(has) && (!parts.is_empty() || is_combining_mark(sign));
            if fits { out.push_str(&parts) } else { out.push(sign) }
        }
    }
    out
}

/// Letters that Unicode does not take apart.
const CLOSEST: [(char, &str); 30] = [
    ('Ł', "L"),
    ('ł', "l"),
    ('Ø', "O"),
    ('ø', "o"),
    ('Đ', "D"),
    ('đ', "d"),
    ('Ħ', "H"),
    ('ħ', "h"),
    ('ı', "i"),
    ('ẞ', "SS"),
    ('Œ', "OE"),
    ('œ', "oe"),
    ('Ŧ', "T"),
    ('ŧ', "t"),
    ('Ŋ', "N"),
    ('ŋ', "n"),
    ('ĸ', "k"),
    ('ſ', "s"),
    ('‘', "'"),
    ('’', "'"),
    ('‚', "'"),
    ('“', "\""),
    ('”', "\""),
    ('„', "\""),
    ('–', "-"),
    ('—', "-"),
    ('‑', "-"),
    ('…', "..."),
    ('•', "-"),
    ('™', "TM"),
];

fn separator(sign: char) -> impl Iterator<Item = u8> {
    u8::try_from(sign).into_iter()
}
