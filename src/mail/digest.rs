//! The digest: what became of a day's imports of one folder, in one message.

use jiff::Timestamp;

use super::body::{self, Item, Part, one_line};
use super::report::{Around, Told, line, moment, tone};
use super::words::{self, Labels};
use crate::import::report::Report;
use crate::model::Language;

/// One import of a digest.
#[derive(Debug, Clone)]
pub struct DigestLine<'a> {
    /// Its report.
    pub report: &'a Report,
    /// When it came to this.
    pub at: Timestamp,
    /// The page of the import.
    pub page: Option<String>,
}

/// The digest of these imports, oldest first.
#[must_use]
pub fn digest(lines: &[DigestLine<'_>], around: &Around<'_>, language: Language) -> Told {
    let l = Labels::of(language);
    let wanting = lines.iter().filter(|line| line.report.is_problem()).count();
    let client = one_line(around.client);
    let subject = format!("{} – {} ({client})", l.digest, gist(lines.len(), wanting, language));
    let worst = lines.iter().find(|line| line.report.is_problem()).or(lines.first());
    let colour = worst.map_or(body::Tone::Plain, |line| tone(line.report.status));
    let mut parts = vec![Part::Title(colour, subject.clone())];
    for one in lines {
        let report = one.report;
        let tag = words::tag(report.status).get(language);
        let place = format!("[{tag}] {}", one_line(&report.file.path));
        let what = line(report, language);
        let cure = report.to_correct(language).filter(|_| report.status.is_applied());
        parts.push(Part::Problem(Item {
            place: format!("{place} – {}", moment(one.at, &around.zone, language)),
            text: what,
            cure: cure.unwrap_or_default(),
            tone: tone(report.status),
        }));
        if let Some(page) = &one.page {
            parts.push(Part::Link(l.open.to_owned(), page.clone()));
        }
    }
    if let Some(path) = &around.report_path {
        let account = lines.first().map_or("", |line| line.report.account.as_str());
        parts.push(Part::Heading(l.full.to_owned()));
        parts.push(Part::Text(words::where_it_lies(path, account, language)));
    }
    parts.push(Part::Small(l.automatic.to_owned()));
    let html = body::html(&parts, &subject, language.code());
    Told { text: body::text(&parts), html, subject }
}

/// `3 imports, 1 to look at`
fn gist(all: usize, wanting: usize, language: Language) -> String {
    let imports = match (language, all) {
        (Language::En | Language::Fr, 1) => "1 import".to_owned(),
        (Language::En | Language::Fr, _) => format!("{all} imports"),
        (Language::De, 1) => "1 Import".to_owned(),
        (Language::De, _) => format!("{all} Importe"),
    };
    match (language, wanting) {
        (Language::En, 0) => format!("{imports}, nothing to do"),
        (Language::En, _) => format!("{imports}, {wanting} to look at"),
        (Language::Fr, 0) => format!("{imports}, rien à faire"),
        (Language::Fr, _) => format!("{imports}, dont {wanting} à examiner"),
        (Language::De, 0) => format!("{imports}, nichts zu tun"),
        (Language::De, _) => format!("{imports}, davon {wanting} anzusehen"),
    }
}
