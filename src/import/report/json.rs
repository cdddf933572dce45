//! The report for a program.

use serde_json::{Map, Value, json};

use super::{Message, Report, effect_words, render};
use crate::model::Language;

/// The id and version of the report's shape (docs/report-codes.md).
const SCHEMA: &str = "rollcall/import-report/1";

/// The JSON report. Its keys are the same in every language; only `text`, `cure` and `effect_text` are in words.
#[must_use]
pub fn json(report: &Report, language: Language) -> Vec<u8> {
    let messages: Vec<Value> =
        report.messages.iter().map(|message| message_value(message, report, language)).collect();
    let value = json!({
        "schema": SCHEMA,
        "import": report.import,
        "client": report.client,
        "account": report.account,
        "status": report.status,
        "dry_run": report.dry_run,
        "mode": report.mode,
        "language": language,
        "summary": render::summary(report, language),
        "received_at": report.received_at,
        "started_at": report.started_at,
        "finished_at": report.finished_at,
        "file": report.file,
        "settings": { "version": report.settings_version },
        "columns": report.columns,
        "counts": report.counts,
        "guards": [],
        "planned": null,
        "messages": messages,
        "changes": report.changes,
        "changes_total": report.changes_total,
        "undo": { "possible": false, "until": null },
    });
    let mut bytes = serde_json::to_vec_pretty(&value).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

fn message_value(message: &Message, report: &Report, language: Language) -> Value {
    let mut object = match serde_json::to_value(message) {
        Ok(Value::Object(object)) => object,
        _ => Map::new(),
    };
    object.insert("text".to_owned(), render::text(message, report, language).into());
    object.insert("cure".to_owned(), render::cure(message, language).into());
    object.insert("effect_text".to_owned(), effect_words(message.effect).get(language).into());
    Value::Object(object)
}
