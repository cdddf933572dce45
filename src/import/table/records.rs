//! Text to records: one pass over separators, line ends and quotes; cells are ranges of the text.

use std::borrow::Cow;

use super::dialect::{Dialect, Escape};
use super::ends::Ends;
use super::mend;
use crate::import::note::FileRefusal;

/// What is wrong with a record as such.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowProblem {
    /// R103: text stands after a closing quote, or a quote was opened and never closed in its row.
    Quotes,
}

/// What a stranger's table may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableLimits {
    /// The most columns.
    pub max_columns: usize,
    /// The most bytes of one cell.
    pub max_cell_bytes: usize,
}

/// One record: its place in the text and its cells' place in [`Records::ends`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub start: u32,
    pub first_cell: u32,
    pub cells: u32,
    /// As a text editor counts, from 1.
    pub physical_line: u32,
    /// As Excel counts, from 1.
    pub line: u32,
    pub problem: Option<RowProblem>,
}

/// The records of a text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Records {
    pub spans: Vec<Span>,
    /// Where each cell ends; it starts one byte after the end of the one before it.
    pub ends: Ends,
    /// The place of a quote that is still open at the end.
    pub open_quote: Option<(u32, u32)>,
    /// The last record has a line end.
    pub ended: bool,
    /// Some quoted cell goes over several lines, or some record has damaged quotes.
    pub needs_width: bool,
}

impl Records {
    /// The text of a record, from its first cell to its last.
    pub(super) fn raw<'t>(&self, text: &'t str, span: &Span) -> &'t str {
        let end = self.end(span, span.cells.saturating_sub(1)).unwrap_or(span.start);
        slice(text, span.start, end)
    }

    /// A cell as it lies in the text, with its quotes.
    pub(super) fn cell<'t>(&self, text: &'t str, span: &Span, index: u32) -> Option<&'t str> {
        if index >= span.cells {
            return None;
        }
        let start = match index.checked_sub(1) {
            None => span.start,
            Some(before) => self.end(span, before)?.saturating_add(1),
        };
        Some(slice(text, start, self.end(span, index)?))
    }

    /// Whether every cell is empty or white space.
    pub(super) fn is_blank(&self, text: &str, span: &Span, dialect: Dialect) -> bool {
        let (delimiter, quote) = (char::from(dialect.delimiter), char::from(dialect.quote));
        self.raw(text, span)
            .chars()
            .all(|c| c.is_whitespace() || c == quote || c == '\u{FEFF}' || c == delimiter)
    }

    fn end(&self, span: &Span, index: u32) -> Option<u32> {
        self.ends.get(span.start, span.first_cell.checked_add(index)?)
    }
}

fn slice(text: &str, start: u32, end: u32) -> &str {
    text.get(to_usize(start)..to_usize(end)).unwrap_or_default()
}

/// `u32` fits into `usize` on every machine that this program is built for.
pub(super) fn to_usize(value: u32) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

/// A position in a text whose length was checked to fit.
fn to_u32(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// What a scan is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scan {
    pub dialect: Dialect,
    /// Where the first record starts, in bytes, and its line in a text editor.
    pub from: usize,
    pub physical_line: u32,
    /// Stop after so many records.
    pub max_records: usize,
    /// The header's cells, once known: lets a stray quote be told from a quoted line break.
    pub header_cells: Option<u32>,
    /// A quote that is open at the end takes nothing but its own line.
    pub mends_end: bool,
    pub limits: TableLimits,
}

/// Splits the text into records.
///
/// # Errors
/// F006 when a cell or a record is larger than the limits.
pub(super) fn scan(text: &str, ask: &Scan) -> Result<Records, FileRefusal> {
    let mut scanner = Scanner {
        text: text.as_bytes(),
        ask,
        records: Records::default(),
        record_start: ask.from,
        cell_start: ask.from,
        first_cell: 0,
        quote: Quote::None,
        begins_bare: false,
        problem: None,
        record_line: ask.physical_line,
        line: ask.physical_line,
        inner_breaks: None,
        cell_break: None,
        has_swallowed: false,
        reread_bytes: 0,
        mending: MEND_STEPS + text.len(),
    };
    let mut from = ask.from;
    while let Next::Restart { seen_to, at } = scanner.run(from)? {
        scanner.reread_bytes += seen_to.saturating_sub(at);
        from = at;
    }
    Ok(scanner.records)
}

/// Where the scanner stands within a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quote {
    None,
    Open(usize),
    Closed(usize),
}

enum Next {
    Done,
    Restart { seen_to: usize, at: usize },
}

/// How many times its own size a text may be read again because of stray quotes.
const MOST_REREADS: usize = 4;

/// Looking closely costs more than reading: a text that is damaged all over is only split after so many steps.
const MEND_STEPS: usize = 20_000_000;

/// After so many records the others are reckoned with.
const FIRST_RECORDS: usize = 1000;
/// Room is made for records and cells as if they had at least so many bytes: whoever sends shorter ones grows by doubling.
const LEAST_RECORD_BYTES: usize = 64;
const LEAST_CELL_BYTES: usize = 4;

struct Scanner<'t> {
    text: &'t [u8],
    ask: &'t Scan,
    records: Records,
    record_start: usize,
    cell_start: usize,
    first_cell: usize,
    quote: Quote,
    /// The current cell has text before its first quote.
    begins_bare: bool,
    problem: Option<RowProblem>,
    /// The physical line on which the record began.
    record_line: u32,
    line: u32,
    /// The first and the last line break inside quoted cells of this record.
    inner_breaks: Option<(usize, usize)>,
    /// The last line break inside the current cell.
    cell_break: Option<usize>,
    /// A line with a row's separators lies wholly inside a quoted cell of this record.
    has_swallowed: bool,
    reread_bytes: usize,
    /// Steps that may still be spent on damaged lines.
    mending: usize,
}

impl Scanner<'_> {
    fn run(&mut self, from: usize) -> Result<Next, FileRefusal> {
        let Dialect { delimiter, quote, .. } = self.ask.dialect;
        let Some(rest) = self.text.get(from..) else { return Ok(Next::Done) };
        let mut skip = None;
        for offset in memchr::memchr3_iter(delimiter, b'\n', quote, rest) {
            let at = from + offset;
            if skip == Some(at) {
                continue;
            }
            match self.text.get(at) {
                Some(byte) if *byte == quote => {
                    if self.on_quote(at) {
                        skip = Some(at + 1);
                    }
                }
                Some(b'\n') if matches!(self.quote, Quote::Open(_)) => self.on_inner_break(at),
                Some(b'\n') => {
                    self.end_cell(self.before_line_end(at))?;
                    if let Some(resume) = self.swallowed_rows() {
                        return Ok(Next::Restart { seen_to: at, at: self.take_back(resume)? });
                    }
                    self.mend_record(at)?;
                    self.end_record(at + 1);
                    if self.records.spans.len() >= self.ask.max_records {
                        return Ok(Next::Done);
                    }
                }
                _ if matches!(self.quote, Quote::Open(_)) => {}
                _ => self.end_cell(at)?,
            }
        }
        // A stray quote that nothing closes takes all further rows into its cell.
        if matches!(self.quote, Quote::Open(_))
            && let Some(resume) = self.swallowed_rows().or_else(|| self.open_line())
        {
            return Ok(Next::Restart { seen_to: self.text.len(), at: self.take_back(resume)? });
        }
        self.finish()?;
        Ok(Next::Done)
    }

    fn finish(&mut self) -> Result<(), FileRefusal> {
        let end = self.text.len();
        if let Quote::Open(at) = self.quote {
            self.records.open_quote = Some((to_u32(at), self.record_line));
        }
        self.records.ended = self.record_start == end;
        if self.record_start < end {
            self.end_cell(self.before_line_end(end))?;
            self.mend_record(end)?;
            self.end_record(end);
        }
        Ok(())
    }

    /// Whether the byte after the quote belongs to it (a doubled quote).
    fn on_quote(&mut self, at: usize) -> bool {
        match self.quote {
            Quote::None => {
                // Looked at once for each cell: a cell of a million blanks may have as many quotes behind its first letter.
                if !self.begins_bare {
                    let before = self.text.get(self.cell_start..at).unwrap_or_default();
                    match before.iter().all(|b| *b == b' ') {
                        true => self.quote = Quote::Open(at),
                        false => self.begins_bare = true,
                    }
                }
                false
            }
            Quote::Open(opened) => {
                if self.ask.dialect.escape == Escape::Backslash && self.is_escaped(opened, at) {
                    return false;
                }
                if self.text.get(at + 1) == Some(&self.ask.dialect.quote) {
                    return true;
                }
                self.quote = Quote::Closed(at);
                false
            }
            Quote::Closed(_) => false,
        }
    }

    /// An odd number of backslashes stands before the quote.
    fn is_escaped(&self, opened: usize, at: usize) -> bool {
        let inside = self.text.get(opened + 1..at).unwrap_or_default();
        inside.iter().rev().take_while(|b| **b == b'\\').count() % 2 == 1
    }

    fn on_inner_break(&mut self, at: usize) {
        self.line = self.line.saturating_add(1);
        if let Some(before) = self.cell_break {
            self.has_swallowed |= self.is_row(before + 1, at);
        }
        self.cell_break = Some(at);
        let first = self.inner_breaks.map_or(at, |(first, _)| first);
        self.inner_breaks = Some((first, at));
        self.records.needs_width = true;
    }

    /// Whether a stretch of text has a whole row's separators.
    fn is_row(&self, from: usize, to: usize) -> bool {
        let Some(wanted) = self.ask.header_cells.and_then(|cells| cells.checked_sub(1)) else {
            return false;
        };
        let line = self.text.get(from..to).unwrap_or_default();
        let separators = memchr::memchr_iter(self.ask.dialect.delimiter, line).count();
        wanted >= 2 && separators >= to_usize(wanted)
    }

    fn before_line_end(&self, at: usize) -> usize {
        match at.checked_sub(1) {
            Some(before) if before >= self.cell_start && self.text.get(before) == Some(&b'\r') => {
                before
            }
            _ => at,
        }
    }

    fn end_cell(&mut self, at: usize) -> Result<(), FileRefusal> {
        if let Quote::Closed(closed) = self.quote {
            let after = self.text.get(closed + 1..at).unwrap_or_default();
            if !after.iter().all(|b| *b == b' ') {
                self.problem = Some(RowProblem::Quotes);
            }
        }
        let bytes = at.saturating_sub(self.cell_start);
        if bytes > self.ask.limits.max_cell_bytes {
            return Err(self.too_large("cell_bytes", self.ask.limits.max_cell_bytes));
        }
        self.records.ends.push(to_u32(self.record_start), to_u32(at));
        if self.records.ends.len() - self.first_cell > self.ask.limits.max_columns {
            return Err(self.too_large("columns", self.ask.limits.max_columns));
        }
        self.cell_start = at + 1;
        self.cell_break = None;
        self.quote = Quote::None;
        self.begins_bare = false;
        Ok(())
    }

    fn too_large(&self, what: &str, limit: usize) -> FileRefusal {
        let line = to_u32(self.records.spans.len()).saturating_add(1);
        FileRefusal::new("F006", vec![("what", what.to_owned()), ("limit", limit.to_string())])
            .at(line, self.record_line)
    }

    fn end_record(&mut self, next: usize) {
        if self.has_swallowed {
            self.problem = Some(RowProblem::Quotes);
        }
        let cells = self.records.ends.len() - self.first_cell;
        self.records.spans.push(Span {
            start: to_u32(self.record_start),
            first_cell: to_u32(self.first_cell),
            cells: to_u32(cells),
            physical_line: self.record_line,
            line: to_u32(self.records.spans.len()).saturating_add(1),
            problem: self.problem.take(),
        });
        self.line = self.line.saturating_add(1);
        if self.records.spans.len() == FIRST_RECORDS {
            self.reserve(next);
        }
        self.start_record(next);
    }

    /// Makes room for all records once the first ones are known: growing by doubling takes twice the memory at the end.
    fn reserve(&mut self, next: usize) {
        let known = next.saturating_sub(self.ask.from).max(FIRST_RECORDS * LEAST_RECORD_BYTES);
        let rest = self.text.len().saturating_sub(next) / (known / FIRST_RECORDS).max(1);
        // Rows that are a little shorter further down find room too.
        let rest = rest + rest / 32;
        if FIRST_RECORDS + rest > self.ask.max_records {
            return;
        }
        self.records.spans.reserve_exact(rest);
        let cells = self.records.ends.len() / FIRST_RECORDS * (FIRST_RECORDS + rest);
        self.records.ends.reserve(cells.min(self.text.len() / LEAST_CELL_BYTES));
    }

    fn start_record(&mut self, at: usize) {
        self.record_start = at;
        self.cell_start = at;
        self.first_cell = self.records.ends.len();
        self.record_line = self.line;
        self.inner_breaks = None;
        self.has_swallowed = false;
        self.quote = Quote::None;
        self.begins_bare = false;
        self.problem = None;
    }

    /// A stray opening quote takes the following rows into its cell. Seen by a whole line within that cell
    /// that has a row's separators, or by text behind the quote that at last closes it. Gives the
    /// end of the record's own line.
    fn swallowed_rows(&self) -> Option<usize> {
        let (first, last) = self.inner_breaks.filter(|_| self.may_reread())?;
        let swallowed = self.has_swallowed
            || (self.problem.is_some() && self.is_row(last + 1, self.cell_start));
        swallowed.then_some(first)
    }

    fn may_reread(&self) -> bool {
        self.reread_bytes < self.text.len().saturating_mul(MOST_REREADS)
    }

    /// The end of the line of a quote that is open at the end of the text.
    fn open_line(&self) -> Option<usize> {
        if !self.ask.mends_end || self.ask.header_cells.is_none() || !self.may_reread() {
            return None;
        }
        self.inner_breaks.map(|(first, _)| first)
    }

    /// A record of one line with damaged quotes gets the cells that were meant.
    fn mend_record(&mut self, line_end: usize) -> Result<(), FileRefusal> {
        if self.problem.is_none() {
            return Ok(());
        }
        self.records.needs_width = true;
        if self.ask.header_cells.is_none() || self.inner_breaks.is_some() {
            return Ok(());
        }
        let (start, problem) = (self.record_start, self.problem.take());
        self.split_damaged(start, line_end)?;
        self.problem = problem;
        Ok(())
    }

    /// Makes the record's own line a record with a problem, and gives where to go on.
    fn take_back(&mut self, line_end: usize) -> Result<usize, FileRefusal> {
        self.records.ends.truncate(self.first_cell);
        self.cell_start = self.record_start;
        self.line = self.record_line;
        self.split_damaged(self.record_start, line_end)?;
        self.problem = Some(RowProblem::Quotes);
        self.end_record(line_end + 1);
        Ok(line_end + 1)
    }

    /// The cells of one line with damaged quotes: as many as the header has, if they can be found.
    fn split_damaged(&mut self, start: usize, line_end: usize) -> Result<(), FileRefusal> {
        self.records.ends.truncate(self.first_cell);
        self.cell_start = start;
        let end = self.before_line_end(line_end);
        let line = self.text.get(start..end).unwrap_or_default();
        let wanted = self.ask.header_cells.map_or(0, to_usize);
        let mended = mend::cell_ends(line, self.ask.dialect, wanted, &mut self.mending);
        let ends = mended.unwrap_or_else(|| {
            let separators = memchr::memchr_iter(self.ask.dialect.delimiter, line);
            separators.chain(std::iter::once(line.len())).collect()
        });
        for offset in ends {
            self.quote = Quote::None;
            self.end_cell(start + offset)?;
        }
        Ok(())
    }
}

/// The values of a record's cells, without their quotes.
pub(super) fn cells<'t>(
    text: &'t str,
    records: &'t Records,
    span: &'t Span,
    dialect: Dialect,
) -> impl Iterator<Item = Cow<'t, str>> {
    (0..span.cells)
        .filter_map(|index| records.cell(text, span, index))
        .map(move |cell| unquote(cell, dialect))
}

/// A cell without its quotes; doubled and escaped quotes inside become one.
pub(super) fn unquote(cell: &str, dialect: Dialect) -> Cow<'_, str> {
    let quote = dialect.quote;
    let cell = if dialect.padded { cell.strip_prefix(' ').unwrap_or(cell) } else { cell };
    if !cell.as_bytes().first().is_some_and(|b| *b == quote || *b == b' ') {
        return Cow::Borrowed(cell);
    }
    let sign = char::from(quote);
    let Some(inner) = cell.trim_matches(' ').strip_prefix(sign) else {
        return Cow::Borrowed(cell);
    };
    let Some(inner) = inner.strip_suffix(sign) else { return Cow::Borrowed(cell) };
    if memchr::memchr(quote, inner.as_bytes()).is_none() {
        return Cow::Borrowed(inner);
    }
    let (one, two) = if quote == b'"' { ("\"", "\"\"") } else { ("'", "''") };
    let inner = match dialect.escape {
        Escape::Backslash if inner.contains('\\') => {
            Cow::Owned(inner.replace(if quote == b'"' { "\\\"" } else { "\\'" }, one))
        }
        _ => Cow::Borrowed(inner),
    };
    if inner.contains(two) { Cow::Owned(inner.replace(two, one)) } else { inner }
}
