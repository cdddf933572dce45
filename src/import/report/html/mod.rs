//! The report as one page to read: self-contained, nothing loaded from elsewhere, readable without script.

mod labels;
pub(super) mod steps;
mod view;

use askama::Template;
use sha2::{Digest, Sha256};

use super::{Message, Report, ReportChange, ReportColumn, render};
use crate::import::codes::Level;
use crate::model::{ImportStatus, Language};
use labels::Labels;

pub(super) use view::decision;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// What the template shows. Everything that a stranger wrote is escaped by the template engine.
#[derive(Template)]
#[template(path = "import/report/html/page.html")]
struct Page<'r> {
    language: &'static str,
    l: Labels,
    policy: String,
    style: &'static str,
    script: &'static str,
    report: &'r Report,
    status: &'static str,
    tone: &'static str,
    summary: String,
    decision: Option<String>,
    /// What the rows became, or would become where nothing was applied.
    bar: Vec<view::Segment>,
    steps: Vec<steps::Step>,
    guards: Vec<view::Guard>,
    /// Some guard holds the file: the guards stand before the messages.
    is_held: bool,
    pending: Vec<view::Pending>,
    groups: Vec<view::Group>,
    changes: Vec<view::Change<'r>>,
    changes_note: Option<String>,
    columns: Vec<view::Column<'r>>,
    facts: Vec<view::Fact>,
}

/// The HTML report.
#[must_use]
pub fn html(report: &Report, language: Language) -> Vec<u8> {
    let page = Page {
        language: language.code(),
        l: Labels::of(language),
        policy: policy(),
        style: STYLE,
        script: SCRIPT,
        report,
        status: render::status(report, language),
        tone: tone(report.status),
        summary: render::summary(report, language),
        decision: report.decision.as_ref().map(|d| decision(d, language)),
        bar: view::bar(report, language),
        steps: steps::next(report, language),
        guards: report.guards.iter().map(|guard| view::guard(guard, language)).collect(),
        is_held: report.guards.iter().any(|guard| guard.tripped),
        pending: report.pending_rows.iter().map(|row| view::pending(row, language)).collect(),
        groups: view::groups(report, language),
        changes: view::changes(report, language),
        changes_note: view::changes_note(report, language),
        columns: report.columns.iter().map(|column| view::column(column, language)).collect(),
        facts: view::facts(report, language),
    };
    // The template writes into a String and calls nothing that fails.
    let page = page.render().unwrap_or_default();
    page.replace(turns_direction, "\u{fffd}").into_bytes()
}

/// Invisible signs that would show everything after them backwards: a value with one could forge a message.
fn turns_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Nothing may be loaded, sent or run but this page's own style and script, which are named by their digests.
fn policy() -> String {
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        base64(&Sha256::digest(STYLE)),
        base64(&Sha256::digest(SCRIPT)),
    )
}

/// Base64 with padding. Source: RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4_usize {
            let index = usize::try_from(bits >> (18 - 6 * place) & 63).unwrap_or_default();
            let letter = LETTERS.get(index).copied().filter(|_| place <= chunk.len());
            out.push(letter.map_or('=', char::from));
        }
    }
    out
}

/// How the status stands out.
fn tone(status: ImportStatus) -> &'static str {
    match status {
        ImportStatus::Ok | ImportStatus::Duplicate => "good",
        ImportStatus::OkWithWarnings | ImportStatus::Partial | ImportStatus::Held => "look",
        ImportStatus::Rejected | ImportStatus::Failed => "bad",
        ImportStatus::Superseded
        | ImportStatus::Discarded
        | ImportStatus::Expired
        | ImportStatus::Undone => "plain",
    }
}

#[cfg(test)]
mod tests;
