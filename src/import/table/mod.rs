//! Text to table: separator, header line, rows; what stands above and below the table is left out and told.

mod dialect;
mod ends;
mod foot;
mod frame;
mod mend;
mod part;
mod quoted_lines;
mod records;
mod shape;

use std::borrow::Cow;

use super::fields::Headers;
use super::note::{FileRefusal, Note};
use super::text::{Decoded, Encoding};

use dialect::LeastShape;
pub use dialect::{CANDIDATES, Dialect, Escape, TOP_RECORDS};
pub use foot::FOOT_RECORDS;
pub use part::{Segment, is_plain, read_part, records_of_head};
pub use records::{RowProblem, TableLimits};

use records::{Records, Scan, Span};

/// A table: its header and its rows, cells as ranges of one text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table<'a> {
    text: Cow<'a, str>,
    encoding: Encoding,
    dialect: Dialect,
    records: Records,
    header: Vec<String>,
    header_at: usize,
    rows: Vec<u32>,
    title_lines: Vec<(u32, String)>,
    ends_with_newline: bool,
    is_worksheet: bool,
    notes: Vec<Note>,
}

/// One row of a table.
#[derive(Debug, Clone, Copy)]
pub struct Row<'t> {
    text: &'t str,
    records: &'t Records,
    span: &'t Span,
    dialect: Dialect,
}

/// Reads the table: finds its separator, its header line and its rows.
///
/// # Errors
/// F002 header only · F003 not a table · F005 truncated · F006 over the limits.
pub fn read<'a>(
    decoded: Decoded<'a>,
    headers: &Headers,
    limits: &TableLimits,
) -> Result<Table<'a>, FileRefusal> {
    read_for(Purpose::Import, decoded, headers, limits)
}

/// Reads any table, a roster or not, with rows or without: the first one of the file.
///
/// # Errors
/// F003 not a table · F005 truncated · F006 over the limits.
pub fn read_any<'a>(decoded: Decoded<'a>, limits: &TableLimits) -> Result<Table<'a>, FileRefusal> {
    read_for(Purpose::Convert, decoded, &Headers::default(), limits)
}

/// What a table is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// A roster: without rows it is refused, and every line below the header is accounted for.
    Import,
    /// Any table, to be written again.
    Convert,
}

fn read_for<'a>(
    purpose: Purpose,
    decoded: Decoded<'a>,
    headers: &Headers,
    limits: &TableLimits,
) -> Result<Table<'a>, FileRefusal> {
    let Decoded { text, encoding, mut notes, is_worksheet, .. } = decoded;
    let half_end = ends_in_half(&text);
    let mut text = if is_worksheet { text } else { with_line_feeds(text) };
    if u32::try_from(text.len()).is_err() {
        let params = vec![("what", "file_bytes".to_owned()), ("limit", u32::MAX.to_string())];
        return Err(FileRefusal::new("F006", params));
    }
    if purpose == Purpose::Import
        && !is_worksheet
        && let Some(found) = quoted_lines::taken_off(&text, headers)
    {
        notes.push(found.note);
        text = Cow::Owned(found.text);
    }
    let (declared, from) = match dialect::declared(&text)? {
        _ if is_worksheet => (None, 0),
        Some((delimiter, start)) => (Some(delimiter), start.min(text.len())),
        None => (None, 0),
    };
    let least = match purpose {
        Purpose::Import => LeastShape { records: 2, wide_share: 90 },
        // A bare separator inside a cell makes its line longer; the others still agree.
        Purpose::Convert => LeastShape { records: 1, wide_share: 75 },
    };
    let mut dialect = if is_worksheet {
        Dialect::COMMAS
    } else {
        dialect::detect(&text, from, declared, headers, least)?
    };
    let mut ask = Scan {
        dialect,
        from,
        physical_line: if declared.is_some() { 2 } else { 1 },
        max_records: usize::MAX,
        header_cells: None,
        mends_end: purpose == Purpose::Convert,
        limits: *limits,
    };
    let mut records = records::scan(&text, &ask)?;
    let mut header_at = frame::header_position(&text, &records, dialect, headers);
    // Now that the header's width is known, a stray quote can be told from a quoted line break.
    if let Some(cells) = frame::row_width(&records, header_at)
        && records.needs_width
    {
        ask.header_cells = Some(cells);
        records = records::scan(&text, &ask)?;
        header_at = frame::header_position(&text, &records, dialect, headers);
    }
    records.ended &= !half_end;
    dialect.padded = dialect::is_padded(&text, &records);
    let reading = frame::Reading { purpose, headers };
    let framed = frame::frame(&text, &records, dialect, header_at, reading)?;
    Ok(Table {
        encoding,
        dialect,
        header: framed.header,
        header_at,
        rows: framed.rows,
        title_lines: framed.title_lines,
        ends_with_newline: records.ended,
        is_worksheet,
        notes: notes.into_iter().chain(framed.notes).collect(),
        records,
        text,
    })
}

/// CR without LF at the very end of a text whose lines all end in both: its last byte is missing.
fn ends_in_half(text: &str) -> bool {
    let Some(before) = text.strip_suffix('\r').map(str::as_bytes) else { return false };
    let pairs = memchr::memmem::find_iter(before, b"\r\n").count();
    pairs > 0 && memchr::memchr2_iter(b'\r', b'\n', before).count() == 2 * pairs
}

/// Lone CRs (old Mac OS) and CR CR LF (a transfer in text mode) as line feeds.
fn with_line_feeds(text: Cow<'_, str>) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let odd = memchr::memchr_iter(b'\r', bytes).any(|at| bytes.get(at + 1) != Some(&b'\n'));
    if !odd {
        return text;
    }
    Cow::Owned(text.replace("\r\r\n", "\n").replace("\r\n", "\n").replace('\r', "\n"))
}

impl<'a> Table<'a> {
    /// The separator; `None`: the cells of a workbook, which have none.
    #[must_use]
    pub fn delimiter(&self) -> Option<char> {
        (!self.is_worksheet).then(|| char::from(self.dialect.delimiter))
    }

    /// How it is written.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The encoding that its text came in.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// The header's cells as they are, without quotes.
    #[must_use]
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// The header's row number, as Excel shows it.
    #[must_use]
    pub fn header_line(&self) -> u32 {
        self.records.spans.get(self.header_at).map_or(1, |span| span.line)
    }

    /// The lines above the header that are no part of the table, with their row numbers.
    #[must_use]
    pub fn title_lines(&self) -> &[(u32, String)] {
        &self.title_lines
    }

    /// The rows below the header, in the order of the file; blank, total and signature lines left out.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = Row<'_>> {
        static NOWHERE: Span =
            Span { start: 0, first_cell: 0, cells: 0, physical_line: 0, line: 0, problem: None };
        self.rows.iter().map(|index| Row {
            text: &self.text,
            records: &self.records,
            span: self.records.spans.get(records::to_usize(*index)).unwrap_or(&NOWHERE),
            dialect: self.dialect,
        })
    }

    /// The row at a place among [`Table::rows`].
    #[must_use]
    pub fn row(&self, index: usize) -> Option<Row<'_>> {
        let span = self.records.spans.get(records::to_usize(*self.rows.get(index)?))?;
        Some(Row { text: &self.text, records: &self.records, span, dialect: self.dialect })
    }

    /// How many rows there are.
    #[must_use]
    pub fn row_count(&self) -> usize {
        self.rows.len()
    }

    /// The last record has a line end.
    #[must_use]
    pub fn ends_with_newline(&self) -> bool {
        self.ends_with_newline
    }

    /// What reading found to tell: F008, F009, R102, R104.
    #[must_use]
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }
}

impl<'t> Row<'t> {
    /// The row number that Excel shows.
    #[must_use]
    pub fn line(&self) -> u32 {
        self.span.line
    }

    /// The line in the file, as a text editor counts.
    #[must_use]
    pub fn physical_line(&self) -> u32 {
        self.span.physical_line
    }

    /// How many cells it has.
    #[must_use]
    pub fn len(&self) -> usize {
        records::to_usize(self.span.cells)
    }

    /// Whether it has no cell at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.span.cells == 0
    }

    /// A cell's own text: quotes taken off, nothing else changed.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Cow<'t, str>> {
        let cell = self.records.cell(self.text, self.span, u32::try_from(index).ok()?)?;
        Some(records::unquote(cell, self.dialect))
    }

    /// All cells.
    pub fn cells(&self) -> impl Iterator<Item = Cow<'t, str>> {
        let row = *self;
        (0..row.len()).filter_map(move |index| row.get(index))
    }

    /// The record as it lies in the file.
    #[must_use]
    pub fn raw(&self) -> &'t str {
        self.records.raw(self.text, self.span)
    }

    /// What is wrong with it as a record.
    #[must_use]
    pub fn problem(&self) -> Option<RowProblem> {
        self.span.problem
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod roundtrip;
