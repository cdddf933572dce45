//! The report for the clerk: a CSV that a spreadsheet opens as it is.

use super::words::{HEADINGS, level_words};
use super::{Message, Report, field_words, render};
use crate::import::codes::local_date;
use crate::model::Language;

/// The CSV report: UTF-8 with BOM, the file's own separator, CRLF, every cell quoted; the first row
/// below the headings is the summary.
#[must_use]
pub fn csv(report: &Report, language: Language) -> Vec<u8> {
    let delimiter = report.file.delimiter.unwrap_or(';');
    let mut out = String::from("\u{feff}");
    record(&mut out, delimiter, HEADINGS.iter().map(|words| safe(words.get(language))));
    for message in &report.messages {
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
