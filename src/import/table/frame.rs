//! Where the table stands in the file: title lines above, blank lines between, totals and signatures below.

use std::collections::{BTreeMap, BTreeSet};

use super::Purpose;
use super::dialect::{Dialect, TOP_RECORDS};
use super::foot::{foot_start, is_drawn};
use super::records::{Records, Span, cells, to_usize};
use crate::import::fields::Headers;
use crate::import::note::{FileRefusal, Note};
use crate::import::text::{clean, fold};

/// The table within its file.
pub(super) struct Framed {
    pub header: Vec<String>,
    /// The rows, by their place among the records.
    pub rows: Vec<u32>,
    pub title_lines: Vec<(u32, String)>,
    pub notes: Vec<Note>,
}

/// The header is the first of the top records that holds (nearly) the most known names; where none
/// is known, the first that is as wide as the table.
pub(super) fn header_position(
    text: &str,
    records: &Records,
    dialect: Dialect,
    headers: &Headers,
) -> usize {
    let known: Vec<usize> = records
        .spans
        .iter()
        .take(TOP_RECORDS)
        .map(|span| cells(text, records, span, dialect).filter(|cell| headers.knows(cell)).count())
        .collect();
    let most = known.iter().copied().max().unwrap_or(0);
    if most >= 2 {
        let enough = most.div_ceil(2).max(2);
        return known.iter().position(|n| *n >= enough).unwrap_or(0);
    }
    let width = usual_width(records);
    let filled =
        |s: &Span| cells(text, records, s, dialect).filter(|cell| !clean(cell).is_empty()).count();
    // A title may come with as many separators as the table: then hardly any of its cells is filled.
    // A header that lost one separator is still a header.
    let is_header = |s: &Span| {
        let one_short = s.cells >= LEAST_SHORT_HEADER && s.cells + 1 == width;
        (s.cells >= width && filled(s) * 2 >= to_usize(width))
            || (one_short && filled(s) + 1 >= to_usize(s.cells))
    };
    let is_wide = |s: &Span| s.cells >= width && !records.is_blank(text, s, dialect);
    let mut top = records.spans.iter().take(TOP_RECORDS);
    top.position(is_header).or_else(|| records.spans.iter().position(is_wide)).unwrap_or(0)
}

/// A header of so many cells may be one short of its rows; a shorter line may be a title.
const LEAST_SHORT_HEADER: u32 = 5;

/// How many cells a row should have: those of the header, or of most records where its own quotes are damaged.
pub(super) fn row_width(records: &Records, header_at: usize) -> Option<u32> {
    let header = records.spans.get(header_at)?;
    Some(if header.problem.is_some() { usual_width(records) } else { header.cells })
}

/// The number of cells that most records have.
fn usual_width(records: &Records) -> u32 {
    let mut widths: BTreeMap<u32, (u64, usize)> = BTreeMap::new();
    for (index, span) in records.spans.iter().enumerate() {
        if span.problem.is_none() && span.cells > 1 {
            widths.entry(span.cells).or_insert((0, index)).0 += 1;
        }
    }
    let most = widths.values().map(|(records, _)| *records).max().unwrap_or(0);
    // Of two tables of about one length, the first.
    widths
        .into_iter()
        .filter(|(_, (records, _))| *records * 10 >= most * 9)
        .min_by_key(|(_, (_, first))| *first)
        .map_or(1, |(width, _)| width)
}

/// What a table is read for, and the names that its header may have.
#[derive(Clone, Copy)]
pub(super) struct Reading<'h> {
    pub purpose: Purpose,
    pub headers: &'h Headers,
}

/// Tells rows from what is no row.
///
/// # Errors
/// F002 header only · F005 truncated.
pub(super) fn frame(
    text: &str,
    records: &Records,
    dialect: Dialect,
    header_at: usize,
    reading: Reading<'_>,
) -> Result<Framed, FileRefusal> {
    let Reading { purpose, headers } = reading;
    let header_span = records
        .spans
        .get(header_at)
        .ok_or_else(|| FileRefusal::new("F003", vec![("found", "text".to_owned())]))?;
    let header: Vec<String> = cells(text, records, header_span, dialect)
        .map(|cell| cell.trim_start_matches('\u{FEFF}').to_owned())
        .collect();
    // Separators at the end of the header line make no column.
    let named = header.iter().rposition(|name| !clean(name).is_empty()).map_or(0, |last| last + 1);
    let blank = |span: &Span| records.is_blank(text, span, dialect);
    let mut left_out = LeftOut::default();
    let mut title_lines = Vec::new();
    // What stands above the header of a page stands above that of the next one too.
    let mut titles = BTreeSet::new();
    for span in records.spans.iter().take(header_at) {
        if blank(span) {
            left_out.blank.add_line(span.line);
        } else {
            let title = words(text, records, span, dialect);
            left_out.tell("title", &title, span);
            titles.extend(page_title(text, records, span, dialect, header.len()));
            title_lines.push((span.line, title));
        }
    }
    if purpose == Purpose::Import {
        refuse_open_quote(records)?;
    }
    let foot = foot_start(text, records, dialect, header_at, (header.len(), purpose));
    refuse_cut_record(text, records, dialect, header_span, named, foot)?;
    refuse_rows_above(text, records, dialect, header_at)?;
    let header_raw = records.raw(text, header_span).trim_start_matches('\u{FEFF}');
    let mut rows = Vec::new();
    let mut trailing = 0_u64;
    for (index, span) in records.spans.iter().enumerate().skip(header_at + 1) {
        if blank(span) {
            left_out.blank.add_line(span.line);
        } else if purpose == Purpose::Convert
            && begins_another(&header, text, records, span, dialect)
        {
            left_out.tell("second_table", &words(text, records, span, dialect), span);
            break;
        } else if index >= foot {
            left_out.tell("total", &words(text, records, span, dialect), span);
        } else if purpose == Purpose::Import && is_drawn(text, records, span, dialect) {
            left_out.tell("drawn", &words(text, records, span, dialect), span);
        } else if records.raw(text, span).trim_start_matches('\u{FEFF}') == header_raw
            || (purpose == Purpose::Import
                && repeats_header((&header, header_span), text, records, span, dialect, headers)?)
        {
            left_out.tell("repeated_header", header_raw, span);
        } else if purpose == Purpose::Import
            && !titles.is_empty()
            && page_title(text, records, span, dialect, header.len())
                .is_some_and(|title| titles.contains(&title))
        {
            left_out.tell("title", &words(text, records, span, dialect), span);
        } else {
            trailing += u64::from(span.cells > header_span.cells);
            rows.push(u32::try_from(index).unwrap_or(u32::MAX));
        }
    }
    if rows.is_empty() && purpose == Purpose::Import {
        return Err(
            FileRefusal::new("F002", Vec::new()).at(header_span.line, header_span.physical_line)
        );
    }
    if named < header.len() || trailing > 0 {
        left_out.trailing_separators(text, records, &rows, named);
    }
    Ok(Framed { header, rows, title_lines, notes: left_out.notes() })
}

/// The words of a line with few cells, without its numbers, as far as it may be the title of a page: the date and the
/// number of the page change from page to page.
fn page_title(
    text: &str,
    records: &Records,
    span: &Span,
    dialect: Dialect,
    header_cells: usize,
) -> Option<(usize, String)> {
    let filled = cells(text, records, span, dialect)
        .filter(|cell| !clean(cell).is_empty())
        .take(MOST_TITLE_CELLS + 1)
        .count();
    if filled > MOST_TITLE_CELLS || filled * 2 > header_cells {
        return None;
    }
    let words = fold(&words(text, records, span, dialect));
    let title: String = words.chars().filter(|c| !c.is_ascii_digit()).collect();
    (title.len() >= LEAST_TITLE).then_some((filled, title))
}

/// A title has hardly more cells: its words, a date, the number of the page.
const MOST_TITLE_CELLS: usize = 3;

/// So many letters make a title; fewer may stand for a value.
const LEAST_TITLE: usize = 4;

/// The header of a second table below the first: mostly the same names, but not as many.
fn begins_another(
    header: &[String],
    text: &str,
    records: &Records,
    span: &Span,
    dialect: Dialect,
) -> bool {
    if to_usize(span.cells) == header.len() || span.cells < 2 {
        return false;
    }
    let first = header.first().map(|name| clean(name));
    let mut its = cells(text, records, span, dialect).peekable();
    if its.peek().map(|cell| clean(cell)) != first {
        return false;
    }
    let names: BTreeSet<&str> = header.iter().map(|name| name.trim()).collect();
    let same = its.filter(|cell| !cell.trim().is_empty() && names.contains(cell.trim())).count();
    same >= 2 && same * 3 >= header.len() * 2
}

/// A line with more digits than this is a row: it has a date or a number.
const MOST_HEADER_DIGITS: usize = 6;

/// Whether a line is the header once more, in the same or in other words (names below their codes).
///
/// # Errors
/// F003 when it is the header of other columns: the rows below it would be read by the wrong names.
fn repeats_header(
    (header, header_span): (&[String], &Span),
    text: &str,
    records: &Records,
    span: &Span,
    dialect: Dialect,
    headers: &Headers,
) -> Result<bool, FileRefusal> {
    let raw = records.raw(text, span);
    let digits = raw.bytes().filter(u8::is_ascii_digit).take(MOST_HEADER_DIGITS).count();
    if digits == MOST_HEADER_DIGITS {
        return Ok(false);
    }
    let its: Vec<String> =
        cells(text, records, span, dialect).map(|cell| clean(&cell).into_owned()).collect();
    let filled = its.iter().filter(|cell| !cell.is_empty()).count();
    let known = its.iter().filter(|cell| headers.knows(cell)).count();
    if known < LEAST_KNOWN || known * 3 < filled * 2 {
        return Ok(false);
    }
    let none = String::new();
    let same = (0..header.len().max(its.len())).all(|index| {
        let one = header.get(index).unwrap_or(&none);
        headers.agree(one, its.get(index).unwrap_or(&none))
    });
    if same {
        return Ok(true);
    }
    let params =
        vec![("found", "second_header".to_owned()), ("header_line", header_span.line.to_string())];
    Err(FileRefusal::new("F003", params).at(span.line, span.physical_line))
}

/// So many names that are known make a header among rows.
const LEAST_KNOWN: usize = 3;

/// How many lines above the header may look like rows (a header of two lines does).
const ROWS_ABOVE: usize = 2;

/// A header among the rows (a sorted sheet): what stands above it would be lost as title lines.
fn refuse_rows_above(
    text: &str,
    records: &Records,
    dialect: Dialect,
    header_at: usize,
) -> Result<(), FileRefusal> {
    let Some(header) = records.spans.get(header_at) else { return Ok(()) };
    let looks_like_row = |span: &&Span| {
        let filled = cells(text, records, span, dialect).filter(|cell| !clean(cell).is_empty());
        span.cells >= header.cells && filled.count() * 2 > to_usize(header.cells)
    };
    if records.spans.iter().take(header_at).filter(looks_like_row).count() <= ROWS_ABOVE {
        return Ok(());
    }
    let params = vec![("found", "header_below_rows".to_owned())];
    Err(FileRefusal::new("F003", params).at(header.line, header.physical_line))
}

fn refuse_open_quote(records: &Records) -> Result<(), FileRefusal> {
    let Some((_, physical_line)) = records.open_quote else { return Ok(()) };
    let line = records.spans.last().map_or(1, |span| span.line);
    Err(FileRefusal::new("F005", vec![("cause", "open_quote".to_owned())]).at(line, physical_line))
}

/// A last record without line end that has fewer cells than the header was cut on its way.
fn refuse_cut_record(
    text: &str,
    records: &Records,
    dialect: Dialect,
    header: &Span,
    named: usize,
    foot: usize,
) -> Result<(), FileRefusal> {
    let Some(last) = records.spans.last() else { return Ok(()) };
    let is_row = last.line > header.line && records.spans.len() <= foot;
    let spaces = last.cells == 1 && records.is_blank(text, last, dialect);
    let is_row = is_row && !is_drawn(text, records, last, dialect);
    let cut = !records.ended && is_row && to_usize(last.cells) < named && !spaces;
    if !cut {
        return Ok(());
    }
    let params = vec![
        ("cause", "cells".to_owned()),
        ("cells", last.cells.to_string()),
        ("expected", named.to_string()),
    ];
    Err(FileRefusal::new("F005", params).at(last.line, last.physical_line))
}

fn words(text: &str, records: &Records, span: &Span, dialect: Dialect) -> String {
    let filled: Vec<String> = cells(text, records, span, dialect)
        .map(|cell| clean(&cell).into_owned())
        .filter(|cell| !cell.is_empty())
        .collect();
    let line = filled.join(" ");
    line.chars().take(200).collect()
}

/// What is told of the lines that are no rows.
struct LeftOut {
    blank: Note,
    told: Vec<Note>,
}

impl Default for LeftOut {
    fn default() -> Self {
        Self { blank: Note::new("R102", Vec::new()), told: Vec::new() }
    }
}

impl LeftOut {
    /// Equal kinds become one note; the first line's words stand for all.
    fn tell(&mut self, kind: &str, text: &str, span: &Span) {
        let same =
            |note: &&mut Note| note.params.iter().any(|(name, v)| *name == "kind" && v == kind);
        match self.told.iter_mut().find(same) {
            Some(note) => note.add_line(span.line),
            None => {
                let params = vec![("kind", kind.to_owned()), ("text", text.to_owned())];
                self.told.push(Note::new("R104", params).at(span.line, span.physical_line));
            }
        }
    }

    /// Cells after the last named column that are blank everywhere: separators at the end of the lines.
    fn trailing_separators(&mut self, text: &str, records: &Records, rows: &[u32], named: usize) {
        let first = u32::try_from(named).unwrap_or(u32::MAX);
        let all_blank = rows.iter().filter_map(|i| records.spans.get(to_usize(*i))).all(|span| {
            (first..span.cells)
                .filter_map(|index| records.cell(text, span, index))
                .all(|cell| clean(cell.trim_matches('"')).is_empty())
        });
        if all_blank {
            let params = vec![("kind", "trailing_separator".to_owned())];
            self.told.push(Note::new("R104", params));
        }
    }

    fn notes(self) -> Vec<Note> {
        let blank = Some(self.blank).filter(|note| note.count > 0);
        self.told.into_iter().chain(blank).collect()
    }
}
