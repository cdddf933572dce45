//! The report for the clerk: a CSV that a spreadsheet opens as it is.

use super::words::{HEADINGS, level_words};
use super::{Message, Report, ReportChange, field_words, render};
use crate::import::codes::{Code, local_date};
use crate::import::fields::{Field, FieldKey};
use crate::model::{ImportStatus, Language};

/// The CSV report: UTF-8 with BOM, the file's own separator, CRLF, every cell quoted; the first row
/// below the headings is the summary.
#[must_use]
pub fn csv(report: &Report, language: Language) -> Vec<u8> {
    let delimiter = report.file.delimiter.unwrap_or(';');
    let mut out = String::from("\u{feff}");
    record(&mut out, delimiter, HEADINGS.iter().map(|words| safe(words.get(language))));
    for message in report.messages.iter().chain(&planned_changes(report, language)) {
        let cells = cells(message, report, language);
        record(&mut out, delimiter, cells.iter().map(|cell| safe(cell)));
    }
    out.into_bytes()
}

fn cells(message: &Message, report: &Report, language: Language) -> [String; 12] {
    let line = match message.line {
        Some(line) => line.to_string(),
        None => render::joined(&message.lines, message.count),
    };
    let field =
        message.field.as_ref().map(|f| field_words(f, language).into_owned()).unwrap_or_default();
    [
        level_words(message.level).get(language).to_owned(),
        message.code.name().to_owned(),
        line,
        message.cell.clone(),
        field,
        message.column.clone(),
        message.received.clone(),
        local_date(&message.kept, language).into_owned(),
        message.person.clone(),
        render::effect(message, report, language).to_owned(),
        render::text(message, report, language),
        render::cure(message, language),
    ]
}

/// N006: what a dry run or a held file would change, field by field.
fn planned_changes(report: &Report, language: Language) -> Vec<Message> {
    if !report.dry_run && report.status != ImportStatus::Held {
        return Vec::new();
    }
    let mut rows: Vec<Message> = Vec::new();
    // One person's changes stand together.
    for person in report.changes.chunk_by(|a, b| a.user == b.user && a.line == b.line) {
        match person {
            [first, ..] if is_new(person) => rows.push(created(first, person, language)),
            _ => rows.extend(person.iter().map(|c| planned_change(c, report, language))),
        }
    }
    let listed = u64::try_from(report.changes.len()).unwrap_or(u64::MAX);
    if listed < report.changes_total {
        let counts = [("listed", listed), ("total", report.changes_total)];
        rows.push(told("more", counts.map(|(name, count)| (name, count.to_string()))));
    }
    rows
}

/// Whether these are the values of somebody who is not in the directory: nobody there is without a name.
fn is_new(changes: &[ReportChange]) -> bool {
    changes.iter().all(|change| change.from.is_none())
        && changes.iter().any(|change| change.field == FieldKey::Known(Field::LastName))
}

/// A new person in one row.
fn created(first: &ReportChange, changes: &[ReportChange], language: Language) -> Message {
    let values: Vec<String> = changes
        .iter()
        .map(|change| {
            let value = change.to.as_deref().unwrap_or_default();
            format!("{} {}", field_words(&change.field, language), render::value(value, language))
        })
        .collect();
    Message {
        line: Some(first.line).filter(|line| *line > 0),
        person: first.person.clone(),
        ..told("created", [("values", values.join(", "))])
    }
}

fn planned_change(change: &ReportChange, report: &Report, language: Language) -> Message {
    let value = |value: &Option<String>| {
        value.as_deref().map(|value| render::value(value, language)).unwrap_or_default()
    };
    let why = match (&change.from, &change.to) {
        (None, _) => "new",
        (Some(_), None) => "cleared",
        (Some(_), Some(_)) => "",
    };
    let (from, to) = (value(&change.from), value(&change.to));
    let column = report.columns.iter().find(|column| column.field.as_ref() == Some(&change.field));
    let cell = column.map(|column| format!("{}{}", column.letter, change.line));
    Message {
        line: Some(change.line).filter(|line| *line > 0),
        cell: cell.filter(|_| change.line > 0).unwrap_or_default(),
        field: Some(change.field.clone()),
        column: column.map(|column| column.header.clone()).unwrap_or_default(),
        received: to.clone(),
        kept: from.clone(),
        person: change.person.clone(),
        ..told(why, [("from", from), ("to", to)])
    }
}

fn told<const N: usize>(why: &str, named: [(&str, String); N]) -> Message {
    let named = named.into_iter().map(|(name, value)| (name.to_owned(), value));
    Message::new(Code::N006, why, named.collect())
}

/// Writes one record, every cell quoted.
pub(super) fn record(
    out: &mut String,
    delimiter: char,
    cells: impl Iterator<Item = impl AsRef<str>>,
) {
    let mut first = true;
    for cell in cells {
        if !first {
            out.push(delimiter);
        }
        first = false;
        out.push('"');
        for c in cell.as_ref().chars() {
            if c == '"' {
                out.push('"');
            }
            out.push(c);
        }
        out.push('"');
    }
    out.push_str("\r\n");
}

/// A cell that no spreadsheet takes for a formula.
fn safe(cell: &str) -> String {
    let cell: String = cell.replace('\0', "␀");
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '␀', '＝', '＋', '－', '＠']) {
        format!("'{cell}")
    } else {
        cell
    }
}
