//! A report told on the terminal: the summary, then each message with its place, its text and its cure.

use serde_json::Value;

use super::Outcome;
use super::output::{Output, Tone};

/// Where a message's own lines begin.
const INDENT: usize = 9;

/// Prints a JSON report (docs/report-codes.md) as words: the summary and the first `max_messages` messages,
/// the most serious first. What is only for information is counted.
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
    messages.sort_by_key(|m| rank(text(m, "level")));
    let shown = messages.iter().filter(|m| text(m, "level") != "info").count().min(max_messages);
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

fn rank(level: &str) -> u8 {
    match level {
        "fatal" => 0,
        "error" => 1,
        "field" => 2,
        "warning" => 3,
        _ => 4,
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
