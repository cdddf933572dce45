//! A report told on the terminal: the summary, then each message with its place, its text and its cure.

use serde_json::Value;

use super::Outcome;
use super::output::{Output, Tone};

/// Where a message's own lines begin.
const INDENT: usize = 9;

/// Prints a JSON report (docs/report-codes.md) as words: the summary, why it waits or what was decided, then the first
/// `max_messages` messages, the most serious first. What is only for information is counted.
///
/// # Errors
/// [`super::Stop::Quiet`] when nobody reads any more.
pub fn tell(out: Output, report: &Value, max_messages: usize) -> Outcome {
    let status = text(report, "status");
    out.toned_paragraph(status_tone(status), text(report, "summary"))?;
    let mut messages: Vec<&Value> = report
        .get("messages")
        .and_then(Value::as_array)
        .map(|all| all.iter().filter(|m| text(m, "code") != "N001").collect())
        .unwrap_or_default();
    messages.sort_by_key(|m| rank(m));
    let shown = messages.iter().filter(|m| rank(m) < FOR_INFORMATION).count().min(max_messages);
    for message in messages.iter().take(shown) {
        tell_one(out, message)?;
    }
    match messages.len().saturating_sub(shown) {
        0 => Ok(()),
        rest => out.toned(Tone::Faint, format!(" Also in the report: {rest} more")),
    }
}

fn tell_one(out: Output, message: &Value) -> Outcome {
    let level = text(message, "level");
    let person = text(message, "person");
    let head: Vec<String> =
        [place(message), person.to_owned()].into_iter().filter(|s| !s.is_empty()).collect();
    let level_word = out.paint(level_tone(level), format!("{level:<8}"));
    out.line(format!(" {level_word}{}  {}", text(message, "code"), head.join("  ")))?;
    out.paragraph(INDENT, "", text(message, "text"))?;
    let cure = text(message, "cure");
    if cure.is_empty() { Ok(()) } else { out.paragraph(INDENT, "→ ", cure) }
}

/// `line 5, C5` or `lines 4, 9, 12`.
fn place(message: &Value) -> String {
    let number = |key| message.get(key).and_then(Value::as_u64);
    let cell = text(message, "cell");
    match (number("line"), cell) {
        (Some(line), "") => format!("line {line}"),
        (Some(line), cell) => format!("line {line}, cell {cell}"),
        (None, _) => {
            let lines = message.get("lines").and_then(Value::as_array);
            let lines: Vec<String> = lines.into_iter().flatten().map(Value::to_string).collect();
            if lines.is_empty() { String::new() } else { format!("lines {}", lines.join(", ")) }
        }
    }
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// From this rank on messages are counted only.
const FOR_INFORMATION: u8 = 5;

/// What comes first: why a file waits and what was decided about it, then by gravity.
fn rank(message: &Value) -> u8 {
    let is_about_the_import = text(message, "effect") == "held"
        || matches!(text(message, "code"), "G606" | "G607" | "G608" | "N007");
    match text(message, "level") {
        "fatal" => 0,
        _ if is_about_the_import => 1,
        "error" => 2,
        "field" => 3,
        "warning" => 4,
        _ => FOR_INFORMATION,
    }
}

/// How a message's level stands out.
pub(super) fn level_tone(level: &str) -> Tone {
    match level {
        "fatal" | "error" => Tone::Bad,
        "field" | "warning" => Tone::Warning,
        _ => Tone::Faint,
    }
}

/// How an import's status stands out.
#[must_use]
pub fn status_tone(status: &str) -> Tone {
    match status {
        "ok" | "duplicate" => Tone::Good,
        "ok_with_warnings" | "partial" | "held" => Tone::Warning,
        "rejected" | "failed" => Tone::Bad,
        _ => Tone::Plain,
    }
}
