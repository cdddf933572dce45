//! A table of some records of a text: those of its head, and others wherever they stand.

use std::borrow::Cow;

use super::dialect::{self, Dialect, Escape};
use super::frame;
use super::records::{self, Records, Scan, Span, TableLimits};
use super::{Purpose, Table, quoted_lines, with_line_feeds};
use crate::import::fields::Headers;
use crate::import::text::Decoded;

/// One record below the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// Where it begins, in bytes.
    pub start: usize,
    /// Where the next one begins.
    pub next: usize,
    /// The row number that Excel shows.
    pub line: u32,
    /// The line in the file, as a text editor counts.
    pub physical_line: u32,
}

/// Whether a text can be read by its records: every line ends with LF or CRLF, and no record is cut at the end.
#[must_use]
pub fn is_plain(text: &str) -> bool {
    let short = u32::try_from(text.len()).is_ok();
    short
        && text.ends_with('\n')
        && matches!(with_line_feeds(Cow::Borrowed(text)), Cow::Borrowed(_))
}

/// How many records the text up to the first row has; the last of them is the header. `None`: it is no head that can
/// be read by itself.
#[must_use]
pub fn records_of_head(head: &str, delimiter: u8) -> Option<usize> {
    scan_head(head, delimiter).map(|records| records.spans.len())
}

fn scan_head(head: &str, delimiter: u8) -> Option<Records> {
    let ask =
        ask(delimiter, None, TableLimits { max_columns: usize::MAX, max_cell_bytes: usize::MAX });
    let records = records::scan(head, &ask).ok()?;
    let whole = records.ended && records.open_quote.is_none() && !records.needs_width;
    (whole && !records.spans.is_empty()).then_some(records)
}

fn ask(delimiter: u8, header_cells: Option<u32>, limits: TableLimits) -> Scan {
    Scan {
        dialect: Dialect { delimiter, quote: b'"', escape: Escape::Doubled, padded: false },
        from: 0,
        physical_line: 1,
        max_records: usize::MAX,
        header_cells,
        mends_end: false,
        limits,
    }
}

/// Reads the head, `head_bytes` long, and these records, among them all at the top and the foot; `None` when one of them is no record by itself, or when the
/// file would be refused.
#[must_use]
pub fn read_part<'a>(
    decoded: &'a Decoded<'_>,
    head_bytes: usize,
    delimiter: u8,
    segments: &[Segment],
    headers: &Headers,
    limits: &TableLimits,
) -> Option<Table<'a>> {
    let text: &'a str = &decoded.text;
    let mut records = scan_head(text.get(..head_bytes)?, delimiter)?;
    let header_at = records.spans.len().checked_sub(1)?;
    let mut ask = ask(delimiter, Some(records.spans.get(header_at)?.cells), *limits);
    ask.max_records = 1;
    for segment in segments {
        ask.from = segment.start;
        ask.physical_line = segment.physical_line;
        let one = records::scan(text.get(..segment.next)?, &ask).ok()?;
        let [span] = one.spans.as_slice() else { return None };
        let raw = one.raw(text, span);
        let own = text.get(segment.start..segment.next)?;
        let is_whole = own.strip_prefix(raw).is_some_and(|end| matches!(end, "\n" | "\r\n"));
        let in_quotes = span.cells == 1 && raw.starts_with('"');
        if !is_whole || in_quotes || span.problem.is_some() || one.open_quote.is_some() {
            return None;
        }
        let first_cell = u32::try_from(records.ends.len()).ok()?;
        records.ends.append(&one.ends);
        records.spans.push(Span { first_cell, line: segment.line, ..*span });
    }
    let dialect = ask.dialect;
    if frame::header_position(text, &records, dialect, headers) != header_at
        || dialect::is_padded(text, &records)
    {
        return None;
    }
    let reading = frame::Reading { purpose: Purpose::Import, headers };
    let framed = frame::frame(text, &records, dialect, header_at, reading).ok()?;
    Some(Table {
        text: Cow::Borrowed(text),
        encoding: decoded.encoding,
        dialect,
        is_worksheet: false,
        header: framed.header,
        header_at,
        rows: framed.rows,
        title_lines: framed.title_lines,
        ends_with_newline: true,
        notes: decoded.notes.iter().cloned().chain(framed.notes).collect(),
        records,
    })
}

impl Table<'_> {
    /// The text up to the first row, if the table is written so plainly that its records can be told apart without
    /// its other records.
    #[must_use]
    pub fn plain_head(&self) -> Option<&str> {
        let after = self.records.spans.get(self.header_at + 1)?;
        let head = self.text.get(..records::to_usize(after.start))?;
        let named = self.header.iter().all(|name| !name.trim().is_empty());
        let Dialect { quote, escape, padded, .. } = self.dialect;
        let plain = (quote, escape, padded) == (b'"', Escape::Doubled, false)
            && dialect::declared(&self.text).ok()?.is_none()
            && named
            && !self.notes.iter().any(|note| note.code == quoted_lines::CODE)
            && is_plain(&self.text)
            && records_of_head(head, self.dialect.delimiter) == Some(self.header_at + 1);
        plain.then_some(head)
    }
}
