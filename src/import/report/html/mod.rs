//! The report as one page to read: self-contained, nothing loaded from elsewhere, readable without script.

mod labels;
pub(super) mod steps;
mod view;

use askama::Template;
use sha2::{Digest, Sha256};

use super::{Message, Report, ReportChange, ReportColumn, render};
use crate::import::codes::Level;
use crate::model::{ImportStatus, Language, turns_direction};
use labels::Labels;

pub(super) use view::decision;
pub use view::{Change, Column, Fact, Group, Guard, Pending, Row, Segment};

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
    bar: Vec<Segment>,
    steps: Vec<steps::Step>,
    guards: Vec<Guard>,
    /// Some guard holds the file: the guards stand before the messages.
    is_held: bool,
    pending: Vec<Pending>,
    groups: Vec<Group>,
    changes: Vec<Change<'r>>,
    changes_note: Option<String>,
    columns: Vec<Column<'r>>,
    facts: Vec<Fact>,
}

/// A report in words, part by part, for pages that show it themselves.
pub struct Reading<'r> {
    /// The status.
    pub status: &'static str,
    /// How the status stands out: `good`, `look`, `bad`, `plain`.
    pub tone: &'static str,
    /// What became of the rows.
    pub summary: String,
    /// Who decided about it, and when.
    pub decision: Option<String>,
    /// What the rows became, or would become where nothing was applied.
    pub bar: Vec<Segment>,
    /// What to do next, without commands.
    pub steps: Vec<String>,
    /// What the guards saw.
    pub guards: Vec<Guard>,
    /// Rows that wait for somebody's decision, or had it.
    pub pending: Vec<Pending>,
    /// The messages by gravity.
    pub groups: Vec<Group>,
    /// The field changes that the report lists.
    pub changes: Vec<Change<'r>>,
    /// That not all of them are listed.
    pub changes_note: Option<String>,
    /// The columns of the file.
    pub columns: Vec<Column<'r>>,
    /// The file and how it was read.
    pub facts: Vec<Fact>,
}

/// A report in words. Everything that a stranger wrote is as it was: whoever shows it escapes it, and takes out signs that
/// turn the direction of writing ([`straight`]).
#[must_use]
pub fn reading(report: &Report, language: Language) -> Reading<'_> {
    Reading {
        status: render::status(report, language),
        tone: tone(report.status),
        summary: render::summary(report, language),
        decision: report.decision.as_ref().map(|d| decision(d, language)),
        bar: view::bar(report, language),
        steps: steps::next(report, language).into_iter().map(|step| step.text).collect(),
        guards: report.guards.iter().map(|guard| view::guard(guard, language)).collect(),
        pending: report.pending_rows.iter().map(|row| view::pending(row, language)).collect(),
        groups: view::groups(report, language),
        changes: view::changes(report, language),
        changes_note: view::changes_note(report, language),
        columns: report.columns.iter().map(|column| view::column(column, language)).collect(),
        facts: view::facts(report, language),
    }
}

/// The HTML report.
#[must_use]
pub fn html(report: &Report, language: Language) -> Vec<u8> {
    let read = reading(report, language);
    let page = Page {
        language: language.code(),
        l: Labels::of(language),
        policy: html_policy(),
        style: STYLE,
        script: SCRIPT,
        report,
        status: read.status,
        tone: read.tone,
        summary: read.summary,
        decision: read.decision,
        bar: read.bar,
        steps: steps::next(report, language),
        guards: read.guards,
        is_held: report.guards.iter().any(|guard| guard.tripped),
        pending: read.pending,
        groups: read.groups,
        changes: read.changes,
        changes_note: read.changes_note,
        columns: read.columns,
        facts: read.facts,
    };
    // The template writes into a String and calls nothing that fails.
    let page = page.render().unwrap_or_default();
    page.replace(turns_direction, "\u{fffd}").into_bytes()
}

/// A text without invisible signs that would show everything after them backwards.
#[must_use]
pub fn straight(text: &str) -> String {
    text.replace(turns_direction, "\u{fffd}")
}

/// Nothing may be loaded, sent or run but this page's own style and script, which are named by their digests.
#[must_use]
pub fn html_policy() -> String {
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
