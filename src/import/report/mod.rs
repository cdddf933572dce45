//! What an import has to tell, in no language, and the files that are made from it.

mod brief;
mod corrections;
mod csv;
mod held;
mod html;
mod json;
mod names;
mod render;
mod undone;
mod words;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Meta;
use super::codes::{Code, Effect, Level, Params, entry};
use super::directory::DateOrder;
use super::fields::FieldKey;
use super::settings::{Format, Limit, Mode, ReportSettings, Settings};
use crate::model::{ImportStatus, Language};

pub use brief::{Brief, Problem, Step};
pub use corrections::corrections;
pub use csv::csv;
pub use held::{held_because, held_words};
pub use html::{
    Change, Column, Fact, Group, Guard, Pending, Reading, Row, Segment, html, html_policy, reading,
    straight,
};
pub use json::json;
pub use names::is_reserved_name;
pub use render::summary_line;
pub(super) use render::words as message_words;
pub use undone::{Because, Kept, Undoing};
pub use words::{effect_words, field_words, matched_words, status_words};

/// What an import has to tell, in no language: codes and parameters. Stored as JSON in the client's
/// database, so that every report file can be made again from it, in any language.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The import's id (that of its upload).
    pub import: String,
    /// The client's slug.
    pub client: String,
    /// The account's login; empty for `rollcall import`.
    pub account: String,
    /// How it ended.
    pub status: ImportStatus,
    /// Nothing was meant to be applied.
    pub dry_run: bool,
    /// Whether everybody had to be in the file.
    pub mode: Mode,
    /// When the upload was committed.
    pub received_at: Option<Timestamp>,
    /// When the import began.
    pub started_at: Option<Timestamp>,
    /// When the database commit was done; filled in by the caller.
    pub finished_at: Option<Timestamp>,
    /// The file and how it was read.
    pub file: FileFacts,
    /// The version of the import settings that it used.
    pub settings_version: String,
    /// The columns and how each was matched.
    pub columns: Vec<ReportColumn>,
    /// Rows by what they became.
    pub counts: Counts,
    /// Everything that a clerk should know, gravest first within the file, then by line.
    pub messages: Vec<Message>,
    /// The field changes, the first of them; sensitive values are masked.
    pub changes: Vec<ReportChange>,
    /// How many field changes there were in all.
    pub changes_total: u64,
    /// The refused rows with their original cells, for the corrections file only.
    pub refused_rows: Vec<RefusedRow>,
    /// Every guard that looked at the plan.
    #[serde(default)]
    pub guards: Vec<GuardOutcome>,
    /// What the rows of a held file would become.
    #[serde(default)]
    pub planned: Option<Counts>,
    /// Rows that somebody may approve one by one: identity swaps (D105, held) and renumberings (D104, refused).
    #[serde(default)]
    pub pending_rows: Vec<PendingRow>,
    /// Who approved, discarded or took back the import, and when.
    #[serde(default)]
    pub decision: Option<Decision>,
    /// Whether the import can be taken back; `None`: it cannot.
    #[serde(default)]
    pub undo: Option<Undo>,
}

impl Message {
    /// A message with the level and effect of its catalogue entry, about nothing in particular yet.
    #[must_use]
    pub fn new(code: Code, why: &str, params: Params) -> Self {
        let entry = entry(code, why);
        Self {
            level: entry.level,
            code,
            why: why.to_owned(),
            line: None,
            physical_line: None,
            cell: String::new(),
            count: 1,
            lines: Vec::new(),
            field: None,
            column: String::new(),
            received: String::new(),
            kept: String::new(),
            person: String::new(),
            params,
            effect: entry.effect,
        }
    }
}

impl Report {
    /// A report with nothing in it but what is known of the upload.
    #[must_use]
    pub fn new(meta: &Meta, settings: &Settings, status: ImportStatus) -> Self {
        Self {
            import: meta.import.clone(),
            client: meta.client.clone(),
            account: meta.account.clone(),
            status,
            dry_run: false,
            mode: settings.mode,
            received_at: meta.received_at,
            started_at: meta.started_at,
            finished_at: None,
            file: FileFacts {
                name: meta.file_name.clone(),
                path: meta.path.clone(),
                bytes: meta.bytes,
                sha256: meta.sha256.clone(),
                ..FileFacts::default()
            },
            settings_version: settings.version(),
            columns: Vec::new(),
            counts: Counts::default(),
            messages: Vec::new(),
            changes: Vec::new(),
            changes_total: 0,
            refused_rows: Vec::new(),
            guards: Vec::new(),
            planned: None,
            pending_rows: Vec::new(),
            decision: None,
            undo: None,
        }
    }
}

/// What a guard saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuardOutcome {
    /// `G601` …, `F005` for a file that may be cut off, `D105` for many identity swaps, `A501` for `absent = "hold"`.
    pub code: Code,
    /// The limit; `None`: any case trips it.
    pub limit: Option<Limit>,
    /// How many there are.
    pub observed: u64,
    /// Of how many.
    pub of: u64,
    /// Whether the import is held for it.
    pub tripped: bool,
}

/// A row that waits for somebody's decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingRow {
    /// The row number that a spreadsheet shows.
    pub line: u32,
    /// D104 (renumbering: refused until approved) or D105 (identity swap: held).
    pub code: Code,
    /// The person as the file names them, `DUPONT Anne`.
    pub person: String,
    /// The user of the directory whom the row would change.
    pub user: i64,
    /// What was decided; `None`: it still waits.
    #[serde(default)]
    pub decided: Option<Decision>,
}

/// Who decided something, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// What was decided.
    pub what: Decided,
    /// By whom: `cli`, or the login that dropped the file.
    pub who: String,
    /// When.
    pub at: Timestamp,
}

/// What was decided about a held import or row, or an applied one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decided {
    /// Applied after all.
    Approved,
    /// Never to be applied.
    Discarded,
    /// Nobody decided in time.
    Expired,
    /// Taken back.
    Undone,
}

/// Until when an import can be taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undo {
    /// `None`: as long as the directory keeps its history.
    pub until: Option<Timestamp>,
}

/// The file and how it was read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct FileFacts {
    /// Its name.
    pub name: String,
    /// Its address below the account's root.
    pub path: String,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256, 64 hex digits.
    pub sha256: String,
    /// The encoding as which it was read.
    pub encoding: Option<String>,
    /// What it was unpacked from, such as `zip: users.csv`; `None`: it came as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unpacked: Option<String>,
    /// The separator between cells; `None`: the cells of a workbook.
    pub delimiter: Option<char>,
    /// The order of day, month and year in its dates.
    pub date_format: Option<DateOrder>,
    /// Rows below the header.
    pub rows: u64,
}

/// A column of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportColumn {
    /// `A`, `B` …, as a spreadsheet names it.
    pub letter: String,
    /// The header as it stands in the file.
    pub header: String,
    /// The field that it carries; `None`: it was not read.
    pub field: Option<FieldKey>,
    /// How it was matched: `code`, `alias`, `synonym` …
    pub matched_by: String,
}

/// Rows by what they became. The first eight always add up to `rows`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Rows read.
    pub rows: u64,
    /// New users.
    pub created: u64,
    /// Users of whom something changed.
    pub updated: u64,
    /// Users of whom nothing changed.
    pub unchanged: u64,
    /// Users whose new end lies before today.
    pub ended: u64,
    /// Users who had left and are back.
    pub reinstated: u64,
    /// Refused rows.
    pub rejected: u64,
    /// Rows that wait for somebody's approval.
    pub held: u64,
    /// Rows that said nothing new (the same user again with the same content).
    pub ignored: u64,
    /// Refused cells in rows that were applied all the same.
    pub cells_refused: u64,
    /// Users who are not in the file (full files only); they are no rows.
    pub absent: u64,
}

impl Counts {
    /// What the rows became, added up: always equal to `rows`.
    #[must_use]
    pub fn outcomes(&self) -> u64 {
        self.created
            + self.updated
            + self.unchanged
            + self.ended
            + self.reinstated
            + self.rejected
            + self.held
            + self.ignored
    }
}

/// One message of the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// How grave it is.
    pub level: Level,
    /// The code.
    pub code: Code,
    /// Which of the code's texts.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// The row number that a spreadsheet shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The line of the file as a text editor counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub physical_line: Option<u32>,
    /// `C5`; for a message about a whole column its letter.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub cell: String,
    /// How many equal messages this one stands for.
    pub count: u64,
    /// The first lines of a message that stands for several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<u32>,
    /// The field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<FieldKey>,
    /// The column's header.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub column: String,
    /// The raw cell; sensitive values are masked.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub received: String,
    /// The value that stands now; sensitive values are masked.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub kept: String,
    /// The person, `DUPONT Anne`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub person: String,
    /// What fills the text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub params: Params,
    /// What became of it.
    pub effect: Effect,
}

/// One field change, as the report shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportChange {
    /// The person, `DUPONT Anne`.
    pub person: String,
    /// The user's id in the directory.
    pub user: i64,
    /// The field.
    pub field: FieldKey,
    /// The value before.
    pub from: Option<String>,
    /// The value after.
    pub to: Option<String>,
    /// The row number that a spreadsheet shows.
    pub line: u32,
}

/// A refused row, as it stood in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedRow {
    /// The row number that a spreadsheet shows.
    pub line: u32,
    /// The original cells.
    pub cells: Vec<String>,
    /// Why, as places in `Report::messages`.
    pub messages: Vec<u32>,
}

/// A report file to be written next to the upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportFile {
    /// Its name: that of the upload with something after it.
    pub name: String,
    /// Its content; markers are empty.
    pub bytes: Vec<u8>,
}

/// The report files of `file_name` in the order of writing: JSON, HTML, CSV, corrections, the marker last.
///
/// The first language of the settings (else the client's own) gives `users.csv.report.csv`, each
/// further one `users.csv.report.de.csv`; the HTML report likewise.
#[must_use]
pub fn files(
    report: &Report,
    settings: &ReportSettings,
    client_language: Language,
    file_name: &str,
) -> Vec<ReportFile> {
    let languages: &[Language] = match settings.languages.as_slice() {
        [] => &[client_language],
        some => some,
    };
    let first = languages.first().copied().unwrap_or(client_language);
    let mut files = Vec::new();
    if settings.formats.contains(&Format::Json) {
        files.push(ReportFile {
            name: format!("{file_name}.report.json"),
            bytes: json(report, first),
        });
    }
    for (format, ending) in [(Format::Html, "html"), (Format::Csv, "csv")] {
        for &language in languages.iter().filter(|_| settings.formats.contains(&format)) {
            let name = if language == first {
                format!("{file_name}.report.{ending}")
            } else {
                format!("{file_name}.report.{}.{ending}", language.code())
            };
            let bytes =
                if ending == "html" { html(report, language) } else { csv(report, language) };
            files.push(ReportFile { name, bytes });
        }
    }
    if let Some(bytes) = corrections(report, first) {
        files.push(ReportFile { name: format!("{file_name}.corrections.csv"), bytes });
    }
    if settings.markers
        && let Some(marker) = names::marker(report)
    {
        files.push(ReportFile { name: format!("{file_name}.{marker}"), bytes: Vec::new() });
    }
    files
}
