//! What an e-mail tells of one import.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::body::{self, Item, Part, Tone, one_line};
use super::words::{self, Labels};
use crate::import::codes::local_date;
use crate::import::report::{Brief, Problem, Report, summary_line};
use crate::model::{ImportStatus, Language};

/// How many problems a message lists.
const MOST_PROBLEMS: usize = 20;
/// The longest value that is shown; the report has it whole.
const MAX_VALUE_CHARS: usize = 120;

/// What a message says, before it has an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The subject.
    pub subject: String,
    /// The body as plain text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
}

/// What the report itself does not know.
#[derive(Debug, Clone)]
pub struct Around<'a> {
    /// The client's name.
    pub client: &'a str,
    /// The client's time zone.
    pub zone: TimeZone,
    /// Until when somebody can decide about a held import.
    pub expires_at: Option<Timestamp>,
    /// Where the full report lies in the account; `None`: there is no such file.
    pub report_path: Option<String>,
    /// Whether a dropped file approves or discards.
    pub approve_by_file: bool,
    /// The page of the import.
    pub page: Option<String>,
    /// The attachments did not fit.
    pub files_left_out: bool,
}

/// The message about an import, in one language.
#[must_use]
pub fn report(report: &Report, around: &Around<'_>, language: Language) -> Told {
    let brief = report.brief(language, MOST_PROBLEMS);
    let l = Labels::of(language);
    let name = one_line(&report.file.name);
    let mut parts = vec![Part::Title(tone(report.status), format!("{name} – {}", brief.status))];
    parts.push(Part::Text(brief.summary.clone()));
    parts.push(fact(l.client, one_line(around.client)));
    parts.push(fact(l.file, one_line(&report.file.path)));
    if let Some(at) = report.received_at {
        parts.push(fact(l.received, moment(at, &around.zone, language)));
    }
    if let Some(decision) = &brief.decision {
        parts.push(fact(l.decision, decision.clone()));
    }
    next(&mut parts, report, &brief, around, language);
    problems(&mut parts, &brief, language);
    whole(&mut parts, report, around, language);
    parts.push(Part::Small(l.automatic.to_owned()));
    let subject = subject(report, around.client, language);
    let html = body::html(&parts, &subject, language.code());
    Told { text: body::text(&parts), html, subject }
}

fn fact(label: &str, value: String) -> Part {
    Part::Fact(label.to_owned(), value)
}

/// `[PARTIAL] users.csv – 2 rows to correct (Acme)`
pub(super) fn subject(report: &Report, client: &str, language: Language) -> String {
    let tag = words::tag(report.status).get(language);
    let name = one_line(&report.file.name);
    let applied = report.status.is_applied();
    let gist = match report.to_correct(language).filter(|_| applied) {
        Some(to_correct) => to_correct,
        None if applied => report.outcomes(language),
        None => words::gist(report.status).get(language).to_owned(),
    };
    format!("[{tag}] {name} – {gist} ({})", one_line(client))
}

/// What to do, and for a held one why, until when and how.
fn next(
    parts: &mut Vec<Part>,
    report: &Report,
    brief: &Brief,
    around: &Around<'_>,
    language: Language,
) {
    let l = Labels::of(language);
    if !brief.held_because.is_empty() {
        parts.push(Part::Heading(l.why_held.to_owned()));
        parts.push(Part::Text(format!("{}.", capital(&brief.held_because))));
    }
    parts.push(Part::Heading(l.next.to_owned()));
    for step in &brief.steps {
        parts.push(Part::Text(step.text.clone()));
        if report.status == ImportStatus::Held
            && let Some(at) = around.expires_at
        {
            let moment = moment(at, &around.zone, language);
            parts.push(Part::Text(words::until(&moment, language)));
        }
        if !step.commands.is_empty() {
            parts.push(Part::Text(l.operator.to_owned()));
            parts.extend(step.commands.iter().cloned().map(Part::Command));
        }
    }
    if report.status == ImportStatus::Held && around.approve_by_file {
        let name = one_line(&report.file.name);
        let digest: String = report.file.sha256.chars().take(12).collect();
        let file = |verb: &str| format!("{name}.{verb}-{digest}");
        parts.push(Part::Text(words::by_file(&file("approve"), &file("discard"), language)));
    }
}

fn problems(parts: &mut Vec<Part>, brief: &Brief, language: Language) {
    if brief.problems.is_empty() {
        return;
    }
    let l = Labels::of(language);
    let heading = if brief.more > 0 { l.problems_first } else { l.problems };
    parts.push(Part::Heading(heading.to_owned()));
    parts.extend(brief.problems.iter().map(|problem| Part::Problem(item(problem, language))));
    if brief.more > 0 {
        parts.push(Part::Text(words::more(brief.more, language)));
    }
}

/// `Line 4 · C4 · Date of birth: “31/02/1980” (V301)`
fn item(problem: &Problem, language: Language) -> Item {
    let l = Labels::of(language);
    let mut places: Vec<String> = Vec::new();
    places.extend(problem.line.map(|line| format!("{} {line}", l.line)));
    places.extend([&problem.cell, &problem.column].into_iter().filter(|p| !p.is_empty()).cloned());
    if places.is_empty() {
        places.push(l.whole_file.to_owned());
    }
    let mut place = places.join(" · ");
    if !problem.value.is_empty() {
        let value = words::quoted(&shortened(&problem.value), language);
        place = format!("{place}{}{value}", words::colon(language));
    }
    let tone = if problem.is_warning { Tone::Look } else { Tone::Bad };
    Item {
        place: format!("{} ({})", one_line(&place), problem.code),
        text: problem.text.clone(),
        cure: problem.cure.clone(),
        tone,
    }
}

fn shortened(value: &str) -> String {
    let mut short: String = value.chars().take(MAX_VALUE_CHARS).collect();
    if short.len() < value.len() {
        short.push('…');
    }
    short
}

/// How to get the full report.
fn whole(parts: &mut Vec<Part>, report: &Report, around: &Around<'_>, language: Language) {
    let l = Labels::of(language);
    if around.page.is_none() && around.report_path.is_none() && !around.files_left_out {
        return;
    }
    parts.push(Part::Heading(l.full.to_owned()));
    if let Some(path) = &around.report_path {
        let path = one_line(path);
        parts.push(Part::Text(words::where_it_lies(&path, &report.account, language)));
    }
    if let Some(page) = &around.page {
        let label = if report.status == ImportStatus::Held { l.open_decide } else { l.open };
        parts.push(Part::Link(label.to_owned(), page.clone()));
    }
    if around.files_left_out {
        parts.push(Part::Text(l.left_out.to_owned()));
    }
}

/// One import in one line, for a digest.
pub(super) fn line(report: &Report, language: Language) -> String {
    let line = summary_line(report, language);
    // Where the report lies is told once, below.
    line.rsplit_once("; ").map_or(line.clone(), |(what, _)| what.to_owned())
}

/// How a status stands out.
pub(super) fn tone(status: ImportStatus) -> Tone {
    match status {
        ImportStatus::Ok | ImportStatus::Duplicate => Tone::Good,
        ImportStatus::OkWithWarnings | ImportStatus::Partial | ImportStatus::Held => Tone::Look,
        ImportStatus::Rejected | ImportStatus::Failed => Tone::Bad,
        _ => Tone::Plain,
    }
}

/// A moment in the client's time zone, as the language writes it: `22/11/2026 08:30 (Europe/Paris)`.
pub(super) fn moment(at: Timestamp, zone: &TimeZone, language: Language) -> String {
    let at = at.to_zoned(zone.clone());
    let day = at.date().to_string();
    let name = zone.iana_name().unwrap_or("UTC");
    format!("{} {} ({name})", local_date(&day, language), at.strftime("%H:%M"))
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::Meta;
    use crate::import::codes::{Code, Params};
    use crate::import::report::Message;
    use crate::import::settings::Settings;

    fn sample(status: ImportStatus, name: &str, refused: u32) -> Report {
        let meta = Meta {
            import: "01a201c6-87c7-7fe0-99bf-be51b11fb095".to_owned(),
            client: "acme".to_owned(),
            account: "acme-payroll".to_owned(),
            file_name: name.to_owned(),
            path: format!("/in/{name}"),
            bytes: 7,
            sha256: "0123456789abcdef".repeat(4),
            content_sha256: String::new(),
            received_at: Some("2026-07-01T21:59:00Z".parse().unwrap()),
            started_at: None,
        };
        let mut report = Report::new(&meta, &Settings::default(), status);
        report.counts.rejected = u64::from(refused);
        report.counts.rows = u64::from(refused);
        report.file.rows = u64::from(refused);
        for line in 2..refused + 2 {
            let mut message = Message::new(Code::C402, "", Params::new());
            message.line = Some(line);
            message.received = "x".repeat(500);
            report.messages.push(message);
        }
        report
    }

    fn around() -> Around<'static> {
        Around {
            client: "Acme SA",
            zone: TimeZone::get("Europe/Paris").unwrap(),
            expires_at: Some("2026-07-08T21:59:00Z".parse().unwrap()),
            report_path: Some("/in/users.csv.report.csv".to_owned()),
            approve_by_file: true,
            page: None,
            files_left_out: false,
        }
    }

    /// The text as its reader sees it: a line that ends in a space goes on in the next.
    fn joined(text: &str) -> String {
        text.replace(" \n", " ").replace('\u{a0}', " ")
    }

    #[test]
    fn the_subject_says_how_it_went_in_each_language() {
        for (status, refused, language, expected) in [
            (
                ImportStatus::Partial,
                2,
                Language::En,
                "[PARTIAL] users.csv – 2 rows to correct (Acme SA)",
            ),
            (
                ImportStatus::Partial,
                1,
                Language::Fr,
                "[PARTIEL] users.csv – 1 ligne à corriger (Acme SA)",
            ),
            (
                ImportStatus::Partial,
                2,
                Language::De,
                "[TEILWEISE] users.csv – 2 Zeilen zu korrigieren (Acme SA)",
            ),
            (
                ImportStatus::Held,
                0,
                Language::Fr,
                "[EN ATTENTE] users.csv – attend une approbation (Acme SA)",
            ),
            (
                ImportStatus::Rejected,
                3,
                Language::De,
                "[ABGELEHNT] users.csv – nichts wurde übernommen (Acme SA)",
            ),
            (
                ImportStatus::Undone,
                0,
                Language::En,
                "[UNDONE] users.csv – the import was taken back (Acme SA)",
            ),
        ] {
            let report = sample(status, "users.csv", refused);
            assert_eq!(subject(&report, "Acme SA", language), expected);
        }
    }

    #[test]
    fn the_first_twenty_problems_are_listed_and_the_rest_is_counted() {
        let told = report(&sample(ImportStatus::Partial, "users.csv", 25), &around(), Language::En);
        for body in [joined(&told.text), told.html.clone()] {
            assert_eq!(body.matches("(C402)").count(), 20);
            assert!(body.contains("5 more are in the full report."), "{body}");
            assert!(!body.contains(&"x".repeat(121)) && body.contains(&"x".repeat(120)));
        }
        let text = joined(&told.text);
        assert!(text.contains("Received: 2026-07-01 23:59 (Europe/Paris)"), "{text}");
        assert!(text.contains("/in/users.csv.report.csv in the account acme-payroll"), "{text}");
    }

    #[test]
    fn a_held_one_says_until_when_and_how() {
        let told = report(&sample(ImportStatus::Held, "users.csv", 0), &around(), Language::De);
        let text = joined(&told.text);
        for wanted in [
            "wartet bis 08.07.2026 23:59 (Europe/Paris)",
            "rollcall imports approve 01a201c6-87c7-7fe0-99bf-be51b11fb095",
            "rollcall imports discard 01a201c6-87c7-7fe0-99bf-be51b11fb095",
            "users.csv.approve-0123456789ab gibt sie frei",
        ] {
            assert!(text.contains(wanted), "{wanted}: {text}");
        }
    }

    #[test]
    fn a_name_that_a_stranger_chose_changes_no_message() {
        let evil = "\u{202e}vsc.\"<b>\r\nBcc: a@example.com 🎉.csv";
        let told = report(&sample(ImportStatus::Ok, evil, 0), &around(), Language::Fr);
        assert!(!told.subject.contains(['\r', '\n', '\u{202e}']), "{}", told.subject);
        assert!(!told.html.contains("<b>") && !told.html.contains('\u{202e}'));
        assert!(!told.text.lines().any(|line| line.starts_with("Bcc")), "{}", told.text);
    }
}
