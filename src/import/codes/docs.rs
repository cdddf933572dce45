//! The documentation of the catalogue: `docs/report-codes.md` is this text.

use std::borrow::Cow;

use super::{Code, Effect, Entry, Level, entries, fill};
use crate::model::Language;

/// The text of `docs/report-codes.md`, made from the catalogue.
#[must_use]
pub fn document() -> String {
    let mut out = String::from(INTRODUCTION);
    for code in Code::ALL {
        let texts: Vec<&Entry> = entries().filter(|entry| entry.code == *code).collect();
        let mut levels: Vec<&str> = Vec::new();
        for entry in &texts {
            if !levels.contains(&level_name(entry.level)) {
                levels.push(level_name(entry.level));
            }
        }
        out.push_str(&format!("\n## {code} · {}\n\n{}\n", levels.join(" or "), code.meaning()));
        for entry in texts {
            out.push_str(&example(entry));
        }
    }
    out
}

fn example(entry: &Entry) -> String {
    let words = |template: &str| {
        let text = fill(template, Language::En, |name| {
            let known = entry.example.iter().find(|(known, _)| *known == name);
            known.map(|(_, value)| Cow::Borrowed(*value)).or((name == "line").then_some("5".into()))
        });
        // `&eacute;` is meant as it stands.
        text.replace('&', "&amp;")
    };
    let mut text = format!("\n> {}\n>\n> *{}.*", words(entry.text.en), effect_name(entry.effect));
    if !entry.cure.en.is_empty() {
        text.push_str(&format!(" {}", words(entry.cure.en)));
    }
    text.push('\n');
    text
}

fn level_name(level: Level) -> &'static str {
    match level {
        Level::Fatal => "fatal",
        Level::Error => "error",
        Level::Field => "field",
        Level::Warning => "warning",
        Level::Info => "info",
    }
}

fn effect_name(effect: Effect) -> &'static str {
    crate::import::report::effect_words(effect).en
}

const INTRODUCTION: &str = "\
# Report codes

Every message of a report carries a code. Codes are stable: new ones are added, none is ever given another
meaning, so a program can branch on them. The texts are written in English, French and German; a client's
language, or the folder's setting `report.languages`, decides.

This page is made from the catalogue in `src/import/codes/`; a test keeps the two equal.

| Level | Meaning |
|---|---|
| fatal | The file was refused; nothing of it was applied. |
| error | A row was refused. The person counts as present. |
| field | A cell was refused: the old value stays, the rest of the row was applied. |
| warning | Applied, but somebody should look at it. |
| info | Good to know; nothing needs doing. |

The status of an import follows from the levels: `ok` (info at most), `ok_with_warnings`, `partial` (a row or a
cell was refused or a row held, and the rest applied), `rejected` (a fatal message, or every row refused: nothing
applied), `held` (a guard tripped: nothing applied until somebody approves), `duplicate` (the same file as last time),
`superseded` (a newer full file came first), `discarded` and `expired` (held, and never approved), `undone` (applied and
undone), `failed` (our own fault).

The JSON report is described by [report.schema.json](report.schema.json). Where nothing is applied (a dry run, a held
file) the effects are told in the conditional, and the CSV report lists what would change, field by field (N006).
";
