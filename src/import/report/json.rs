//! The report for a program.

use jiff::Timestamp;
use serde::Serialize;

use super::{
    Counts, Decision, FileFacts, GuardOutcome, Message, PendingRow, Report, ReportChange,
    ReportColumn, render,
};
use crate::import::settings::Mode;
use crate::model::{ImportStatus, Language};

/// The id and version of the report's shape (docs/report-codes.md).
const SCHEMA: &str = "rollcall/import-report/1";

/// The report as programs read it; the fields stand in this order.
#[derive(Serialize)]
struct View<'r> {
    schema: &'static str,
    import: &'r str,
    client: &'r str,
    account: &'r str,
    status: ImportStatus,
    dry_run: bool,
    mode: Mode,
    language: Language,
    summary: String,
    received_at: Option<Timestamp>,
    started_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
    file: &'r FileFacts,
    settings: SettingsView<'r>,
    columns: &'r [ReportColumn],
    counts: Counts,
    guards: &'r [GuardOutcome],
    planned: Option<Counts>,
    pending_rows: &'r [PendingRow],
    decision: Option<&'r Decision>,
    messages: Vec<MessageView<'r>>,
    changes: &'r [ReportChange],
    changes_total: u64,
    undo: UndoView,
}

#[derive(Serialize)]
struct SettingsView<'r> {
    version: &'r str,
}

/// Whether the import can be taken back.
#[derive(Serialize)]
struct UndoView {
    possible: bool,
    until: Option<Timestamp>,
}

#[derive(Serialize)]
struct MessageView<'r> {
    #[serde(flatten)]
    message: &'r Message,
    text: String,
    cure: String,
    effect_text: &'static str,
}

/// The JSON report. Its keys are the same in every language; only `summary`, `text`, `cure` and
/// `effect_text` are in words.
#[must_use]
pub fn json(report: &Report, language: Language) -> Vec<u8> {
    let messages = report.messages.iter().map(|message| MessageView {
        message,
        text: render::text(message, report, language),
        cure: render::cure(message, language),
        effect_text: render::effect(message, report, language),
    });
    let view = View {
        schema: SCHEMA,
        import: &report.import,
        client: &report.client,
        account: &report.account,
        status: report.status,
        dry_run: report.dry_run,
        mode: report.mode,
        language,
        summary: render::summary(report, language),
        received_at: report.received_at,
        started_at: report.started_at,
        finished_at: report.finished_at,
        file: &report.file,
        settings: SettingsView { version: &report.settings_version },
        columns: &report.columns,
        counts: report.counts,
        guards: &report.guards,
        planned: report.planned,
        pending_rows: &report.pending_rows,
        decision: report.decision.as_ref(),
        messages: messages.collect(),
        changes: &report.changes,
        changes_total: report.changes_total,
        undo: UndoView {
            possible: report.undo.is_some(),
            until: report.undo.as_ref().and_then(|undo| undo.until),
        },
    };
    let mut bytes = serde_json::to_vec_pretty(&view).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}
