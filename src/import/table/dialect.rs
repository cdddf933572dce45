//! Which separator and which quotes a table is written with, by the shape of the whole table.

use super::records::{self, Records, Scan, TableLimits};
use super::shape::{Signs, Tally};
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
    /// What stands around cells that hold a separator: `"`, or `'`.
    pub quote: u8,
    /// How quotes inside quotes are written.
    pub escape: Escape,
    /// A space follows each separator (`", "`) and belongs to it.
    pub padded: bool,
}

impl Dialect {
    /// RFC 4180.
    pub(super) const COMMAS: Self =
        Self { delimiter: b',', quote: b'"', escape: Escape::Doubled, padded: false };
}

/// The separators that are looked for where no `sep=` line names one.
pub const CANDIDATES: [u8; 4] = [b';', b',', b'\t', b'|'];

/// Separators of few programs: looked for where none of the usual ones makes a table.
const SELDOM: [u8; 4] = [b'^', b'~', b'#', b' '];

/// How many records from the top may be title lines.
pub const TOP_RECORDS: usize = 50;

/// No record at the top is looked at beyond so many cells.
const MOST_TOP_CELLS: usize = 1 << 20;

/// The share (in percent) of lines that must agree where no header is known.
const LEAST_AGREEMENT: u64 = 60;

/// How much its shape must say for a text to be a table, where no header name is known.
#[derive(Debug, Clone, Copy)]
pub(super) struct LeastShape {
    /// So many lines.
    pub records: u64,
    /// So many of a hundred lines agree on many of a separator of few programs, which stands in ordinary text too.
    pub wide_share: u64,
}

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
    byte == b'\t' || (byte.is_ascii_punctuation() && !matches!(byte, b'"' | b'\'' | b'\\'))
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
    least: LeastShape,
) -> Result<Dialect, FileRefusal> {
    let table = text.as_bytes().get(start..).unwrap_or_default();
    let quote = quote_of(table);
    let mut tally = None;
    let has_backslashes = memchr::memmem::find(table, &[b'\\', quote]).is_some();
    let escape = if has_backslashes
        && tally.get_or_insert_with(|| Tally::of(table, CANDIDATES, quote)).is_backslashed()
    {
        Escape::Backslash
    } else {
        Escape::Doubled
    };
    let written = |delimiter| Dialect { delimiter, quote, escape, padded: false };
    if let Some(delimiter) = declared {
        return Ok(written(delimiter));
    }
    let known = CANDIDATES.map(|delimiter| {
        let dialect = written(delimiter);
        (known_headers(text, start, dialect, headers), dialect)
    });
    if let Some(dialect) = by_header(&known) {
        return Ok(dialect);
    }
    let tally = tally.unwrap_or_else(|| Tally::of(table, CANDIDATES, quote));
    let mut best: Option<(u64, u64, Dialect)> = None;
    for (which, (known, dialect)) in known.into_iter().enumerate() {
        let agreement = tally.agreement(which, LEAST_AGREEMENT, least.records);
        if (known >= 2 || agreement > 0)
            && best.is_none_or(|(k, a, _)| (known.max(1), agreement) > (k, a))
        {
            best = Some((known.max(1), agreement, dialect));
        }
    }
    // A single column has no separator to find; its header must speak for it.
    let one_column = || {
        let dialect = written(b',');
        (tally.is_one_column() && known_headers(text, start, dialect, headers) > 0)
            .then_some(dialect)
    };
    best.map(|(_, _, dialect)| dialect)
        .or_else(one_column)
        .or_else(|| seldom(table, quote, least).map(written))
        .ok_or_else(|| FileRefusal::new("F003", vec![("found", "text".to_owned())]))
}

/// Apostrophes are quotes where the lines agree better with them than with quotation marks; or as well,
/// and every apostrophe at a cell's edge has its partner. Names with apostrophes are no reason.
fn quote_of(table: &[u8]) -> u8 {
    let signs = Signs::of(table);
    if !signs.may_be_apostrophes() {
        return b'"';
    }
    let best = |quote| {
        let tally = Tally::of(table, CANDIDATES, quote);
        (0..CANDIDATES.len()).map(|which| tally.agreement(which, 0, 1)).max().unwrap_or(0)
    };
    let (double, single) = (best(b'"'), best(b'\''));
    if single > double || (single == double && signs.are_paired()) { b'\'' } else { b'"' }
}

/// How many known names a header needs to decide by itself.
const DECISIVE_HEADERS: u64 = 3;

/// The separator that alone makes a header of known names; the rows need not be asked then.
fn by_header(known: &[(u64, Dialect); 4]) -> Option<Dialect> {
    let (most, dialect) = known.iter().max_by_key(|(known, _)| *known)?;
    let others = known.iter().filter(|(_, d)| d != dialect).map(|(known, _)| *known).max()?;
    (*most >= DECISIVE_HEADERS && others * 2 <= *most).then_some(*dialect)
}

/// Fewer lines agree by chance.
const LEAST_SELDOM_RECORDS: u64 = 3;

/// How much lines must agree on a separator that stands in ordinary text too, in percent.
const LEAST_SELDOM_AGREEMENT: u64 = 90;

/// Lines of ordinary text hardly ever have the same number of words when it is larger than this.
const MANY: usize = 5;

fn seldom(table: &[u8], quote: u8, least: LeastShape) -> Option<u8> {
    let tally = Tally::of(table, SELDOM, quote);
    let records = least.records.max(LEAST_SELDOM_RECORDS);
    let agreement = |which| {
        let share = match tally.most(which) {
            MANY.. => least.wide_share,
            _ => LEAST_SELDOM_AGREEMENT,
        };
        tally.agreement(which, share, records)
    };
    let (best, which) = (0..SELDOM.len()).map(|which| (agreement(which), which)).max()?;
    if best == 0 { None } else { SELDOM.get(which).copied() }
}

/// How many header names the best of the first records holds with this separator.
fn known_headers(text: &str, start: usize, dialect: Dialect, headers: &Headers) -> u64 {
    let ask = Scan {
        dialect,
        from: start,
        physical_line: 1,
        max_records: TOP_RECORDS,
        header_cells: None,
        mends_end: false,
        // With a wrong separator cells may be huge: that is no reason to refuse the file.
        limits: TableLimits { max_columns: MOST_TOP_CELLS, max_cell_bytes: usize::MAX },
    };
    let Ok(top) = records::scan(text, &ask) else { return 0 };
    let best = top.spans.iter().map(|span| {
        (0..span.cells)
            .filter_map(|i| top.cell(text, span, i))
            .filter(|cell| headers.knows(&records::unquote(cell, dialect)))
            .count()
    });
    u64::try_from(best.max().unwrap_or(0)).unwrap_or(u64::MAX)
}

/// How many records tell whether a space follows each separator.
const PADDING_RECORDS: usize = 200;

/// Whether (nearly) every cell but the first begins with a space: then it is part of the separator.
pub(super) fn is_padded(text: &str, records: &Records) -> bool {
    let (mut spaced, mut all) = (0_usize, 0_usize);
    for span in records.spans.iter().take(PADDING_RECORDS) {
        for cell in (1..span.cells).filter_map(|index| records.cell(text, span, index)) {
            all += 1;
            spaced += usize::from(cell.starts_with(' '));
        }
    }
    spaced >= 2 && spaced * 20 >= all * 19
}
