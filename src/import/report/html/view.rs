//! The parts of a report as the page shows them, in one language.

use jiff::Timestamp;

use super::labels::Labels;
use super::{Level, Message, Report, ReportChange, ReportColumn, render};
use crate::import::codes::{Code, local_date};
use crate::import::report::words::{
    decided_words, group_words, guard_words, matched_words, mode_words, order_words, pending_words,
};
use crate::import::report::{Decision, GuardOutcome, PendingRow, field_words};
use crate::model::Language;

/// One colour of the bar and its line in the legend.
pub struct Segment {
    /// The outcome: `created`, `updated` …
    pub class: &'static str,
    /// How many rows.
    pub count: u64,
    /// The outcome in words.
    pub word: String,
    /// Where it begins, in thousandths of the bar.
    pub x: u64,
    /// How long it is, in thousandths.
    pub width: u64,
}

/// What became of the rows; of a held file, what they would become.
pub(super) fn bar(report: &Report, language: Language) -> Vec<Segment> {
    let counts = report.planned.unwrap_or(report.counts);
    let mut x = 0;
    let parts = render::outcome_parts(&counts, language);
    let parts = parts.into_iter().filter(|part| part.count > 0);
    parts
        .map(|part| {
            let end = (x + part.count).min(counts.rows);
            let scale = |rows: u64| (rows * 1000).checked_div(counts.rows).unwrap_or_default();
            let segment = Segment {
                class: part.class,
                count: part.count,
                word: part.word,
                x: scale(x),
                // Never too thin to be seen.
                width: scale(end).saturating_sub(scale(x)).max(4),
            };
            x = end;
            segment
        })
        .collect()
}

/// A guard and what it saw.
pub struct Guard {
    /// Its code.
    pub code: Code,
    /// What it counts.
    pub name: &'static str,
    /// Its limit in words.
    pub limit: String,
    /// What it saw, in words.
    pub observed: String,
    /// Whether it holds the file.
    pub tripped: bool,
}

pub(super) fn guard(outcome: &GuardOutcome, language: Language) -> Guard {
    let (observed, of) = (outcome.observed, outcome.of);
    let percent = (observed * 100).checked_div(of);
    Guard {
        code: outcome.code,
        name: guard_words(outcome.code).get(language),
        limit: match (outcome.limit, language) {
            // A limit of the guard's own (identity swaps) that was not reached.
            (None, _) if observed > 0 && !outcome.tripped => "–".to_owned(),
            (None, Language::En) => "none at all".to_owned(),
            (None, Language::Fr) => "aucun cas".to_owned(),
            (None, Language::De) => "kein Fall".to_owned(),
            (Some(l), Language::En) => format!("{} and {} %", l.count, l.percent),
            (Some(l), Language::Fr) => format!("{} et {} %", l.count, l.percent),
            (Some(l), Language::De) => format!("{} und {} %", l.count, l.percent),
        },
        observed: match (percent, language) {
            (None, _) => observed.to_string(),
            (Some(percent), Language::En) => format!("{observed} of {of} ({percent} %)"),
            (Some(percent), Language::Fr) => format!("{observed} sur {of} ({percent} %)"),
            (Some(percent), Language::De) => format!("{observed} von {of} ({percent} %)"),
        },
        tripped: outcome.tripped,
    }
}

/// A row that waits for somebody's decision, or had it.
pub struct Pending {
    /// The row number that a spreadsheet shows.
    pub line: u32,
    /// D104 or D105.
    pub code: Code,
    /// The person, as the file names them.
    pub person: String,
    /// What the row would do.
    pub proposal: &'static str,
    /// What was decided; `None`: it waits.
    pub decision: Option<String>,
}

pub(super) fn pending(row: &PendingRow, language: Language) -> Pending {
    Pending {
        line: row.line,
        code: row.code,
        person: row.person.clone(),
        proposal: pending_words(row.code).get(language),
        decision: row.decided.as_ref().map(|decided| decision(decided, language)),
    }
}

/// `Approved by cli, 2026-11-21 04:30 UTC`
pub(in crate::import::report) fn decision(decision: &Decision, language: Language) -> String {
    let what = decided_words(decision.what).get(language);
    let at = moment(decision.at, language);
    let who = &decision.who;
    match language {
        _ if who.is_empty() => format!("{what}, {at}"),
        Language::En => format!("{what} by {who}, {at}"),
        Language::Fr => format!("{what} par {who}, {at}"),
        Language::De => format!("{what} von {who}, {at}"),
    }
}

/// The messages of one level.
pub struct Group {
    /// The level: `fatal`, `error`, `field`, `warning`, `info`.
    pub class: &'static str,
    /// The level in words.
    pub title: &'static str,
    /// Its messages.
    pub rows: Vec<Row>,
}

/// One message.
pub struct Row {
    /// The code.
    pub code: Code,
    /// `Line 4`, `Lines 4, 9, …`; may be empty.
    pub line: String,
    /// `C5`, or a column's letter; may be empty.
    pub cell: String,
    /// The person; may be empty.
    pub person: String,
    /// The field's name; may be empty.
    pub field: String,
    /// The column's header; may be empty.
    pub column: String,
    /// The raw cell, masked where it is sensitive.
    pub received: String,
    /// The value that stands, masked likewise.
    pub kept: String,
    /// What is wrong.
    pub text: String,
    /// What to do; may be empty.
    pub cure: String,
    /// What became of it.
    pub effect: &'static str,
}

/// The messages by gravity, gravest first; the summary stands elsewhere.
pub(super) fn groups(report: &Report, language: Language) -> Vec<Group> {
    let levels = [Level::Fatal, Level::Error, Level::Field, Level::Warning, Level::Info];
    let class = |level| match level {
        Level::Fatal => "fatal",
        Level::Error => "error",
        Level::Field => "field",
        Level::Warning => "warning",
        Level::Info => "info",
    };
    let group = |level| Group {
        class: class(level),
        title: group_words(level).get(language),
        rows: report
            .messages
            .iter()
            .filter(|message| message.level == level && message.code != Code::N001)
            .map(|message| row(message, report, language))
            .collect(),
    };
    levels.map(group).into_iter().filter(|group| !group.rows.is_empty()).collect()
}

fn row(message: &Message, report: &Report, language: Language) -> Row {
    let field = message.field.as_ref().map(|field| field_words(field, language).into_owned());
    Row {
        code: message.code,
        line: line_words(message, language),
        cell: message.cell.clone(),
        person: message.person.clone(),
        field: field.unwrap_or_default(),
        column: message.column.clone(),
        received: message.received.clone(),
        kept: local_date(&message.kept, language).into_owned(),
        text: render::text(message, report, language),
        cure: render::cure(message, language),
        effect: render::effect(message, report, language),
    }
}

/// `Line 4`, `Lines 4, 9, …`; nothing where a message is about no line.
fn line_words(message: &Message, language: Language) -> String {
    let l = Labels::of(language);
    match message.line {
        Some(line) => format!("{} {line}", l.line),
        None if message.lines.is_empty() => String::new(),
        None => {
            let word = if message.lines.len() == 1 { l.line } else { l.lines };
            format!("{word} {}", render::joined(&message.lines, message.count))
        }
    }
}

/// One field change.
pub struct Change<'r> {
    /// 0: no row of the file says so.
    pub line: u32,
    /// The person.
    pub person: &'r str,
    /// The field's name.
    pub field: String,
    /// The value before.
    pub from: Option<String>,
    /// The value after.
    pub to: Option<String>,
}

pub(super) fn changes(report: &Report, language: Language) -> Vec<Change<'_>> {
    report.changes.iter().map(|listed| change(listed, language)).collect()
}

fn change(change: &ReportChange, language: Language) -> Change<'_> {
    let value = |value: &Option<String>| value.as_deref().map(|v| render::value(v, language));
    Change {
        line: change.line,
        person: &change.person,
        field: field_words(&change.field, language).into_owned(),
        from: value(&change.from),
        to: value(&change.to),
    }
}

/// That only the first changes are listed.
pub(super) fn changes_note(report: &Report, language: Language) -> Option<String> {
    let listed = u64::try_from(report.changes.len()).unwrap_or(u64::MAX);
    let total = report.changes_total;
    (listed < total).then(|| match language {
        Language::En => format!("The first {listed} of {total} changes are listed."),
        Language::Fr => format!("Les {listed} premières modifications sur {total} sont listées."),
        Language::De => format!("Die ersten {listed} von {total} Änderungen sind aufgeführt."),
    })
}

/// A column of the file and what it was taken for.
pub struct Column<'r> {
    /// Its letter in a spreadsheet.
    pub letter: &'r str,
    /// Its header.
    pub header: &'r str,
    /// The field that it fills; `None`: it is not read.
    pub field: Option<String>,
    /// How that was found, or why it is not read.
    pub matched_by: &'static str,
}

pub(super) fn column(column: &ReportColumn, language: Language) -> Column<'_> {
    Column {
        letter: &column.letter,
        header: &column.header,
        field: column.field.as_ref().map(|field| field_words(field, language).into_owned()),
        matched_by: matched_words(&column.matched_by).get(language),
    }
}

/// A label and what stands against it.
pub struct Fact {
    /// What it is.
    pub label: &'static str,
    /// Its value.
    pub value: String,
}

pub(super) fn facts(report: &Report, language: Language) -> Vec<Fact> {
    let l = Labels::of(language);
    let file = &report.file;
    let undo = match &report.undo {
        None => l.undo_impossible.to_owned(),
        Some(undo) => match undo.until {
            None => l.undo_possible.to_owned(),
            Some(until) => format!("{} (→ {})", l.undo_possible, moment(until, language)),
        },
    };
    let when = |at: Option<Timestamp>| at.map(|at| moment(at, language)).unwrap_or_default();
    let order = file.date_format.map(|order| format!("{order:?}").to_lowercase());
    let order = order.and_then(|order| order_words(&order));
    let facts = [
        (l.file, file.path.clone()),
        (l.size, format!("{} {}", file.bytes, l.bytes)),
        ("SHA-256", file.sha256.clone()),
        (l.encoding, file.encoding.clone().unwrap_or_default()),
        (l.delimiter, file.delimiter.map(separator).unwrap_or_default()),
        (l.dates, order.map_or("", |words| words.get(language)).to_owned()),
        (l.mode, mode_words(report.mode).get(language).to_owned()),
        (l.settings, report.settings_version.clone()),
        (l.import, report.import.clone()),
        (l.account, report.account.clone()),
        (l.received_at, when(report.received_at)),
        (l.finished_at, when(report.finished_at)),
        (l.undo, undo),
    ];
    let facts = facts.into_iter().filter(|(_, value)| !value.is_empty());
    facts.map(|(label, value)| Fact { label, value }).collect()
}

/// A separator that can be seen.
fn separator(delimiter: char) -> String {
    if delimiter == '\t' { "⇥ (TAB)".to_owned() } else { delimiter.to_string() }
}

/// A moment as the language writes it, in UTC: the page does not know its reader's time zone.
pub(super) fn moment(at: Timestamp, language: Language) -> String {
    let day = at.strftime("%Y-%m-%d").to_string();
    format!("{} {} UTC", local_date(&day, language), at.strftime("%H:%M"))
}
