//! A message in words: its text and what to do about it.

use std::borrow::Cow;

use super::words::{colon, dry_status_words, order_words, planned_effect_words, semicolon};
use super::{Counts, Message, Report, effect_words, field_words, held, status_words};
use crate::import::codes::{Code, Effect, Entry, entry, fill, local_date};
use crate::model::{ImportStatus, Language};

/// The text of a message: the place, the value and what is wrong.
pub(super) fn text(message: &Message, report: &Report, language: Language) -> String {
    if message.code == Code::N001 {
        return summary(report, language);
    }
    let text = filled(message, entry_of(message).text.get(language), language);
    if message.count > 1 && message.line.is_some() {
        format!("{text} {}", repeated(message, language))
    } else {
        text
    }
}

/// The text of a message and its cure, outside any report.
pub(in crate::import) fn words(message: &Message, language: Language) -> (String, String) {
    (filled(message, entry_of(message).text.get(language), language), cure(message, language))
}

/// How many more rows a message speaks for, and which.
fn repeated(message: &Message, language: Language) -> String {
    let more = message.count - 1;
    let others: Vec<u32> =
        message.lines.iter().copied().filter(|line| Some(*line) != message.line).collect();
    let lines = joined(&others, more);
    match language {
        Language::En if more == 1 => format!("(The same in 1 more row: line {lines}.)"),
        Language::En => format!("(The same in {more} more rows: lines {lines}.)"),
        Language::Fr if more == 1 => format!("(De même pour 1 autre ligne\u{a0}: {lines}.)"),
        Language::Fr => format!("(De même pour {more} autres lignes\u{a0}: {lines}.)"),
        Language::De if more == 1 => format!("(Ebenso in 1 weiteren Zeile: {lines}.)"),
        Language::De => format!("(Ebenso in {more} weiteren Zeilen: {lines}.)"),
    }
}

/// What to do about a message.
pub(super) fn cure(message: &Message, language: Language) -> String {
    // What held a file needs nobody's approval any more once somebody has decided.
    if entry_of(message).effect == Effect::Held && message.effect != Effect::Held {
        return String::new();
    }
    filled(message, entry_of(message).cure.get(language), language)
}

fn entry_of(message: &Message) -> &'static Entry {
    entry(message.code, &message.why)
}

fn filled(message: &Message, template: &str, language: Language) -> String {
    fill(template, language, |name| param(message, name, language))
}

fn param<'m>(message: &'m Message, name: &str, language: Language) -> Option<Cow<'m, str>> {
    if let Some(value) = message.params.get(name) {
        return Some(match name {
            "field" | "fields" | "alias_field" => Cow::Owned(fields(value, language)),
            "order" => Cow::Borrowed(order_words(value).map_or(value, |words| words.get(language))),
            _ => Cow::Borrowed(value),
        });
    }
    match name {
        "line" => message.line.map(|line| Cow::Owned(line.to_string())),
        "lines" => Some(Cow::Owned(joined(&message.lines, message.count))),
        "count" => Some(Cow::Owned(message.count.to_string())),
        "cell" => Some(Cow::Borrowed(&message.cell)),
        "column" => Some(Cow::Borrowed(&message.column)),
        "value" => Some(Cow::Borrowed(&message.received)),
        "kept" => Some(Cow::Borrowed(&message.kept)),
        "person" => Some(Cow::Borrowed(&message.person)),
        "field" => message.field.as_ref().map(|field| field_words(field, language)),
        _ => None,
    }
}

/// `department, csp` in the language's own names.
fn fields(names: &str, language: Language) -> String {
    let words: Vec<String> = names
        .split(", ")
        .map(|name| match name.parse() {
            Ok(key) => field_words(&key, language).into_owned(),
            Err(_) => name.to_owned(),
        })
        .collect();
    words.join(", ")
}

/// `4, 9, 12`, with an ellipsis where only the first are known.
pub(super) fn joined(lines: &[u32], count: u64) -> String {
    let mut text = lines.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
    if u64::try_from(lines.len()).is_ok_and(|named| named < count) && !lines.is_empty() {
        text.push_str(", …");
    }
    text
}

/// The status in words; of a dry run, what would become of the file.
pub(super) fn status(report: &Report, language: Language) -> &'static str {
    let words =
        if report.dry_run { dry_status_words(report.status) } else { status_words(report.status) };
    words.get(language)
}

/// What became of the thing that a message is about, or would become where nothing was applied.
pub(super) fn effect(message: &Message, report: &Report, language: Language) -> &'static str {
    let words = if is_only_planned(report) { planned_effect_words } else { effect_words };
    words(message.effect).get(language)
}

/// Whether the report tells what would have happened: nothing of it was applied.
fn is_only_planned(report: &Report) -> bool {
    use ImportStatus::{Discarded, Expired, Held, Superseded};
    report.dry_run || matches!(report.status, Held | Discarded | Expired | Superseded)
}

/// A value as the language writes it: dates in its order, several values after each other.
pub(super) fn value(value: &str, language: Language) -> String {
    local_date(value, language).replace('\n', ", ")
}

/// The summary of the import: the status and what became of the rows.
pub(super) fn summary(report: &Report, language: Language) -> String {
    let status = status(report, language);
    if report.file.rows == 0 && report.counts == Counts::default() {
        return format!("{status}.");
    }
    let separator = colon(language);
    let rows = rows(report.counts.rows, language);
    match &report.planned {
        None => {
            format!("{status}. {rows}{separator}{}.", outcomes(&report.counts, language))
        }
        Some(planned) => {
            let would = match (language, report.counts.rows) {
                (Language::En, _) => "would become",
                (Language::Fr, 1) => "donnerait",
                (Language::Fr, _) => "donneraient",
                (Language::De, 1) => "ergäbe",
                (Language::De, _) => "ergäben",
            };
            let outcomes = outcomes(planned, language);
            format!("{status}. {rows} {would}{separator}{outcomes}.")
        }
    }
}

/// `412 rows`
pub(super) fn rows(count: u64, language: Language) -> String {
    let one = count == 1 || (count == 0 && language == Language::Fr);
    let word = match (language, one) {
        (Language::En, true) => "row",
        (Language::En, false) => "rows",
        (Language::Fr, true) => "ligne",
        (Language::Fr, false) => "lignes",
        (Language::De, true) => "Zeile",
        (Language::De, false) => "Zeilen",
    };
    format!("{count} {word}")
}

/// So many rows became the same.
pub(super) struct Part {
    pub class: &'static str,
    pub count: u64,
    pub word: String,
}

/// What the rows became, in a fixed order, zeros too.
pub(super) fn outcome_parts(counts: &Counts, language: Language) -> Vec<Part> {
    let part = |class, count, en: &str, fr: &str, fr_plural: &str, de: &str| {
        let word = match language {
            Language::En => en,
            Language::Fr if count > 1 => fr_plural,
            Language::Fr => fr,
            Language::De => de,
        };
        Part { class, count, word: word.to_owned() }
    };
    let c = counts;
    vec![
        part("created", c.created, "created", "créée", "créées", "neu angelegt"),
        part("updated", c.updated, "updated", "modifiée", "modifiées", "geändert"),
        part("ended", c.ended, "ended", "sortie", "sorties", "ausgetreten"),
        part(
            "reinstated",
            c.reinstated,
            "reinstated",
            "réintégrée",
            "réintégrées",
            "wieder eingetreten",
        ),
        part("unchanged", c.unchanged, "unchanged", "inchangée", "inchangées", "unverändert"),
        part("rejected", c.rejected, "refused", "refusée", "refusées", "abgelehnt"),
        part("held", c.held, "held", "en attente", "en attente", "angehalten"),
        part("ignored", c.ignored, "left out", "laissée de côté", "laissées de côté", "übergangen"),
    ]
}

/// `3 created, 9 updated, 2 refused`: what the rows became, without the zeros.
pub(super) fn outcomes(counts: &Counts, language: Language) -> String {
    let parts = outcome_parts(counts, language).into_iter().filter(|part| part.count > 0);
    let mut told: Vec<String> = parts.map(|part| format!("{} {}", part.count, part.word)).collect();
    if counts.cells_refused > 0 {
        told.push(cells_refused(counts.cells_refused, language));
    }
    if counts.absent > 0 {
        told.push(absent(counts.absent, language));
    }
    if told.is_empty() { "0".to_owned() } else { told.join(", ") }
}

fn cells_refused(count: u64, language: Language) -> String {
    let words = match (language, count == 1) {
        (Language::En, true) => "cell refused",
        (Language::En, false) => "cells refused",
        (Language::Fr, true) => "cellule refusée",
        (Language::Fr, false) => "cellules refusées",
        (Language::De, true) => "Zelle abgelehnt",
        (Language::De, false) => "Zellen abgelehnt",
    };
    format!("{count} {words}")
}

fn absent(count: u64, language: Language) -> String {
    let words = match (language, count == 1) {
        (Language::En, true) => "person absent from the file",
        (Language::En, false) => "people absent from the file",
        (Language::Fr, true) => "personne absente du fichier",
        (Language::Fr, false) => "personnes absentes du fichier",
        (Language::De, true) => "Person fehlt in der Datei",
        (Language::De, false) => "Personen fehlen in der Datei",
    };
    format!("{count} {words}")
}

/// The summary in one line, as FTPS's 226 says it:
/// `412 rows: 3 created, 9 updated, 2 refused; see users.csv.report.csv`.
#[must_use]
pub fn summary_line(report: &Report, language: Language) -> String {
    let see = match language {
        Language::En => "see",
        Language::Fr => "voir",
        Language::De => "siehe",
    };
    let separator = colon(language);
    let what = if report.status.is_applied() {
        format!(
            "{}{separator}{}",
            rows(report.counts.rows, language),
            outcomes(&report.counts, language)
        )
    } else if report.status == ImportStatus::Held {
        held::held_line(report, language)
    } else {
        let status = status(report, language);
        // How a held import ended says more than why it was held.
        let end = |code| matches!(code, Code::G607 | Code::G608 | Code::N004);
        let ended = report.messages.iter().find(|message| end(message.code));
        // The gravest, for a note about the encoding may stand before it.
        let told = report.messages.iter().filter(|m| m.code != Code::N001);
        match ended.or_else(|| told.min_by_key(|message| message.level)) {
            Some(first) if report.status != ImportStatus::Duplicate => {
                format!("{status}{separator}{} {}", first.code, text(first, report, language))
            }
            _ => status.to_owned(),
        }
    };
    let what = what.trim_end_matches('.');
    let line = format!("{what}{}{see} {}.report.csv", semicolon(language), report.file.name);
    line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
