//! The corrections file: the refused rows only, to be mended and uploaded again.

use super::{Report, csv, render};
use crate::model::Language;

/// The corrections file: the header, the refused rows with their original cells, and why each was
/// refused in `_code` and `_message`; `None` if no row was refused.
///
/// It gives back the sender's own cells, sensitive ones too.
#[must_use]
pub fn corrections(report: &Report, language: Language) -> Option<Vec<u8>> {
    if report.refused_rows.is_empty() {
        return None;
    }
    let delimiter = report.file.delimiter.unwrap_or(';');
    let width = report.columns.len();
    let mut out = String::from("\u{feff}");
    let headers = report.columns.iter().map(|c| c.header.clone());
    csv::record(&mut out, delimiter, headers.chain(["_code".to_owned(), "_message".to_owned()]));
    for row in &report.refused_rows {
        let mut cells: Vec<String> = row.cells.iter().map(|cell| unharmed(cell)).collect();
        // Rows with too many cells keep them all: cutting would lose what the clerk must see.
        cells.resize(cells.len().max(width), String::new());
        let (codes, texts) = reasons(report, row, language);
        cells.extend([codes, texts]);
        csv::record(&mut out, delimiter, cells.iter());
    }
    Some(out.into_bytes())
}

fn reasons(report: &Report, row: &super::RefusedRow, language: Language) -> (String, String) {
    let mut codes: Vec<&str> = Vec::new();
    let mut texts: Vec<String> = Vec::new();
    for at in &row.messages {
        let Some(message) = usize::try_from(*at).ok().and_then(|at| report.messages.get(at)) else {
            continue;
        };
        if !codes.contains(&message.code.name()) {
            codes.push(message.code.name());
        }
        let cure = render::cure(message, language);
        texts.push(format!("{} {cure}", render::text(message, report, language)).trim().to_owned());
    }
    (codes.join(" "), texts.join(" | "))
}

/// A cell that comes back from a spreadsheet as it went in: what a spreadsheet would take for a number,
/// a date or a formula is written as `="00123"`.
fn unharmed(cell: &str) -> String {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    let already_text = cell.starts_with("=\"") && cell.ends_with('"') && cell.len() > 2;
    if already_text {
        return cell.to_owned();
    }
    let digits = cell.bytes().filter(u8::is_ascii_digit).count();
    let number_like =
        digits > 0 && cell.bytes().all(|b| b.is_ascii_digit() || b"/.-:,+eE %".contains(&b));
    let plain_number =
        digits == cell.len() && digits < 12 && (digits == 1 || !cell.starts_with('0'));
    if formula || (number_like && !plain_number) {
        format!("=\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}
