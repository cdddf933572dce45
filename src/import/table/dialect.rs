//! Which separator and which quoting a table is written with, by the shape of the whole table.

use super::records::{self, Scan, TableLimits};
use crate::import::fields::Headers;
use crate::import::note::FileRefusal;

/// How quotes inside a quoted cell are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Escape {
    /// `""` (RFC 4180).
    Doubled,
    /// `\"`; doubled ones are read too.
    Backslash,
}

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// The separator, one ASCII character.
    pub delimiter: u8,
    /// How quotes inside quotes are written.
    pub escape: Escape,
}

/// The separators that are looked for where no `sep=` line names one.
pub const CANDIDATES: [u8; 4] = [b';', b',', b'\t', b'|'];

/// How many records from the top may be title lines.
pub(super) const TOP_RECORDS: usize = 50;

/// No record at the top is looked at beyond so many cells.
const MOST_TOP_CELLS: usize = 1 << 20;

/// A record with this many separators or more counts as this many: only rows' agreement matters.
const MOST_COUNTED: usize = 4096;

/// The share (in percent) of lines that must agree where no header is known.
const LEAST_AGREEMENT: u64 = 60;

/// The separator that the `sep=` line names, and where the table starts.
///
/// # Errors
/// F003 when the line names no single ASCII character.
pub(super) fn declared(text: &str) -> Result<Option<(u8, usize)>, FileRefusal> {
    let first = text.split('\n').next().unwrap_or_default();
    let start = first.len() + 1;
    let first = first.trim_end_matches('\r').trim_matches('"');
    let Some(named) = first.get(..4).filter(|s| s.eq_ignore_ascii_case("sep=")) else {
        return Ok(None);
    };
    let mut rest = first.get(named.len()..).unwrap_or_default().bytes();
    // Programs that put the separator after every line write `sep=;;;;`.
    match (rest.next(), rest.next()) {
        (Some(one), second) if is_separator(one) && second.is_none_or(|s| s == one) => {
            Ok(Some((one, start)))
        }
        _ => Err(FileRefusal::new(
            "F003",
            vec![("found", "sep".to_owned()), ("received", first.to_owned())],
        )
        .at(1, 1)),
    }
}

fn is_separator(byte: u8) -> bool {
    byte == b'\t' || (byte.is_ascii_punctuation() && byte != b'"' && byte != b'\\')
}

/// Finds the dialect of the text from `start` on.
///
/// # Errors
/// F003 when no separator makes a table of it.
pub(super) fn detect(
    text: &str,
    start: usize,
    declared: Option<u8>,
    headers: &Headers,
) -> Result<Dialect, FileRefusal> {
    let table = text.as_bytes().get(start..).unwrap_or_default();
    let mut tally = None;
    let has_backslashes = memchr::memmem::find(table, b"\\\"").is_some();
    let escape =
        if has_backslashes && tally.get_or_insert_with(|| Tally::of(table)).is_backslashed() {
            Escape::Backslash
        } else {
            Escape::Doubled
        };
    if let Some(delimiter) = declared {
        return Ok(Dialect { delimiter, escape });
    }
    let known = CANDIDATES.map(|delimiter| {
        let dialect = Dialect { delimiter, escape };
        (known_headers(text, start, dialect, headers), dialect)
    });
    if let Some(dialect) = by_header(&known) {
        return Ok(dialect);
    }
    let tally = tally.unwrap_or_else(|| Tally::of(table));
    let mut best: Option<(u64, u64, Dialect)> = None;
    for ((known, dialect), counts) in known.into_iter().zip(&tally.counts) {
        let agreement = agreement(counts, tally.records);
        if (known >= 2 || agreement > 0)
            && best.is_none_or(|(k, a, _)| (known.max(1), agreement) > (k, a))
        {
            best = Some((known.max(1), agreement, dialect));
        }
    }
    // A single column has no separator to find; its header must speak for it.
    let one_column = || {
        let dialect = Dialect { delimiter: b',', escape };
        (tally.is_one_column() && known_headers(text, start, dialect, headers) > 0)
            .then_some(dialect)
    };
    best.map(|(_, _, dialect)| dialect)
        .or_else(one_column)
        .ok_or_else(|| FileRefusal::new("F003", vec![("found", "text".to_owned())]))
}

/// How many known names a header needs to decide by itself.
const DECISIVE_HEADERS: u64 = 3;

/// The separator that alone makes a header of known names; the rows need not be asked then.
fn by_header(known: &[(u64, Dialect); 4]) -> Option<Dialect> {
    let (most, dialect) = known.iter().max_by_key(|(known, _)| *known)?;
    let others = known.iter().filter(|(_, d)| d != dialect).map(|(known, _)| *known).max()?;
    (*most >= DECISIVE_HEADERS && others * 2 <= *most).then_some(*dialect)
}

/// How many header names the best of the first records holds with this separator.
fn known_headers(text: &str, start: usize, dialect: Dialect, headers: &Headers) -> u64 {
    let ask = Scan {
        dialect,
        from: start,
        physical_line: 1,
        max_records: TOP_RECORDS,
        header_cells: None,
        // With a wrong separator cells may be huge: that is no reason to refuse the file.
        limits: TableLimits { max_columns: MOST_TOP_CELLS, max_cell_bytes: usize::MAX },
    };
    let Ok(top) = records::scan(text, &ask) else { return 0 };
    let best = top.spans.iter().map(|span| {
        (0..span.cells)
            .filter_map(|i| top.cell(text, span, i))
            .filter(|cell| headers.knows(&records::unquote(cell, dialect.escape)))
            .count()
    });
    u64::try_from(best.max().unwrap_or(0)).unwrap_or(u64::MAX)
}

/// How far the lines agree on a number of separators, weighed by that number; 0: not enough.
fn agreement(counts: &[u32], records: u64) -> u64 {
    let most = counts.iter().enumerate().skip(1).max_by_key(|(_, lines)| **lines);
    let Some((separators, lines)) = most else { return 0 };
    let share = u64::from(*lines) * 100 / records.max(1);
    if share < LEAST_AGREEMENT || records < 2 {
        return 0;
    }
    let separators = u64::try_from(separators).unwrap_or(0);
    share * 64 + separators.min(63)
}

/// Separators by line, counted for all candidates in one pass.
struct Tally {
    /// For each candidate: how many lines have so many of it.
    counts: [Vec<u32>; 4],
    records: u64,
    doubled: u64,
    backslashed: u64,
}

impl Tally {
    fn of(text: &[u8]) -> Self {
        let mut tally =
            Self { counts: [const { Vec::new() }; 4], records: 0, doubled: 0, backslashed: 0 };
        let mut line = [0_usize; 4];
        let mut is_blank = true;
        let mut at_start = true;
        let mut bytes = text.iter().copied().enumerate();
        while let Some((at, byte)) = bytes.next() {
            match byte {
                b'"' if at_start => {
                    is_blank = false;
                    let end = tally.end_of_quoted(text, at + 1);
                    bytes.nth(end.saturating_sub(at + 1));
                    at_start = false;
                }
                b'\n' => {
                    tally.end_line(&mut line, is_blank);
                    is_blank = true;
                    at_start = true;
                }
                b';' | b',' | b'\t' | b'|' => {
                    if let Some(which) = CANDIDATES.iter().position(|c| *c == byte)
                        && let Some(count) = line.get_mut(which)
                    {
                        *count += 1;
                    }
                    at_start = true;
                }
                b' ' | b'\r' => {}
                _ => {
                    is_blank = false;
                    at_start = false;
                }
            }
        }
        tally.end_line(&mut line, is_blank);
        tally
    }

    /// Where the quoted cell that begins at `from` ends (its closing quote); notes how quotes are escaped.
    fn end_of_quoted(&mut self, text: &[u8], from: usize) -> usize {
        let rest = text.get(from..).unwrap_or_default();
        let mut skip = None;
        for offset in memchr::memchr_iter(b'"', rest) {
            let at = from + offset;
            if skip == Some(at) {
                continue;
            }
            let before = at.checked_sub(1).and_then(|i| text.get(i));
            let after = text.get(at + 1).copied();
            let ends =
                after.is_none_or(|b| matches!(b, b';' | b',' | b'\t' | b'|' | b'\n' | b'\r'));
            if before == Some(&b'\\') && !ends && offset > 0 {
                self.backslashed += 1;
            } else if after == Some(b'"') {
                self.doubled += 1;
                skip = Some(at + 1);
            } else {
                return at;
            }
        }
        text.len()
    }

    /// Quotes inside quoted cells are (mostly) written with a backslash.
    fn is_backslashed(&self) -> bool {
        self.backslashed > self.doubled
    }

    /// No separator stands anywhere outside quotes.
    fn is_one_column(&self) -> bool {
        self.counts.iter().all(|counts| counts.len() <= 1)
    }

    fn end_line(&mut self, line: &mut [usize; 4], is_blank: bool) {
        if !is_blank {
            self.records += 1;
            for (counts, separators) in self.counts.iter_mut().zip(*line) {
                let separators = separators.min(MOST_COUNTED);
                if counts.len() <= separators {
                    counts.resize(separators + 1, 0);
                }
                if let Some(lines) = counts.get_mut(separators) {
                    *lines += 1;
                }
            }
        }
        *line = [0; 4];
    }
}
