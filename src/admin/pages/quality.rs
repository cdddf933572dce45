//! Data quality: the share of complete, valid and managed records of a client, over time, and all clients side by side.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};

use super::users_words::{day, label};
use crate::admin::Admin;
use crate::admin::guard::Caller;
use crate::admin::route::{Route, of_client, of_own};
use crate::admin::shell::{Failure, Shell, page};
use crate::import::fields::{Field, FieldKey};
use crate::model::{Client, Language, Scope};
use crate::service::quality::{Compared, Flaw, Quality, QualityMark};

/// The chart's size in its own units.
const WIDTH: u64 = 600;
const HEIGHT: u64 = 160;
/// How much room its words have at the left.
const LEFT: u64 = 44;
/// The room above and below its curves.
const EDGE: u64 = 14;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/quality", of_own(Scope::Read), compare),
        Route::get("/clients/{client}/quality", of_client(Scope::Read), show),
    ]
}

/// A share in words and its class.
struct Share {
    words: String,
    class: &'static str,
}

/// A part of people as a share, to a tenth of a percent; never rounded up to a hundred.
fn share(p: &Shell, part: u64, of: u64) -> Share {
    if of == 0 {
        return Share { words: "–".to_owned(), class: "plain" };
    }
    let thousandths = part.saturating_mul(1000) / of;
    let class = match thousandths {
        980.. => "good",
        900.. => "look",
        _ => "bad",
    };
    let (point, blank) = match p.language {
        Language::En => (".", ""),
        Language::Fr => (",", "\u{a0}"),
        Language::De => (",", "\u{a0}"),
    };
    let words = if thousandths.is_multiple_of(10) {
        format!("{}{blank}%", thousandths / 10)
    } else {
        format!("{}{point}{}{blank}%", thousandths / 10, thousandths % 10)
    };
    Share { words, class }
}

/// A client in the comparison.
struct Line {
    slug: String,
    name: String,
    people: u64,
    day: String,
    shares: Vec<(Share, &'static str)>,
}

#[derive(Template)]
#[template(path = "admin/pages/quality_all.html")]
struct CompareTemplate<'a> {
    p: &'a Shell,
    lines: Vec<Line>,
}

async fn compare(State(admin): State<Admin>, shell: Shell, caller: Caller) -> Response {
    let only = caller.client.clone();
    let found =
        admin.run(&caller.name, move |service| service.compare_quality(only.as_deref())).await;
    match found {
        Ok(all) => {
            let p = &shell;
            page(&CompareTemplate { p, lines: all.iter().map(|one| line(p, one)).collect() })
        }
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}

fn line(p: &Shell, of: &Compared) -> Line {
    let parts = |mark: &QualityMark| [mark.complete, mark.valid, mark.managed];
    let shares = of.last.iter().flat_map(|last| {
        let before = of.before.map(|before| (parts(&before), before.people));
        parts(last).into_iter().enumerate().map(move |(n, part)| {
            let moved = before.and_then(|(parts, people)| Some((*parts.get(n)?, people)));
            (
                share(p, part, last.people),
                moved.map_or("", |was| trend(p, was, (part, last.people))),
            )
        })
    });
    Line {
        slug: of.client.slug.clone(),
        name: of.client.name.clone(),
        people: of.last.map_or(0, |mark| mark.people),
        day: of.last.map(|mark| day(p, &mark.day.to_string())).unwrap_or_default(),
        shares: shares.collect(),
    }
}

/// Whether a share has risen or fallen by half a percent or more, in words.
fn trend(p: &Shell, (was, of): (u64, u64), (is, now_of): (u64, u64)) -> &'static str {
    let thousandths = |part: u64, of: u64| part.saturating_mul(1000) / of.max(1);
    let (was, is) = (thousandths(was, of), thousandths(is, now_of));
    if is >= was + 5 {
        p.t("▲ better", "▲ en hausse", "▲ besser")
    } else if is + 5 <= was {
        p.t("▼ worse", "▼ en baisse", "▼ schlechter")
    } else {
        ""
    }
}

/// What a card says: title, share, how many, what it means.
struct Card {
    title: &'static str,
    share: Share,
    count: u64,
    of: u64,
    about: &'static str,
}

/// A curve of the chart: its class, its name, its points.
struct Curve {
    class: &'static str,
    name: &'static str,
    points: String,
    /// The dashes by which it is told apart without colour.
    dashes: &'static str,
}

/// A problem of the last imports.
struct Problem {
    code: String,
    badge: (&'static str, &'static str),
    count: u64,
    imports: u64,
    text: String,
    cure: String,
    link: String,
    file: String,
}

#[derive(Template)]
#[template(path = "admin/pages/quality.html")]
struct QualityTemplate<'a> {
    p: &'a Shell,
    client: &'a Client,
    cards: Vec<Card>,
    people: u64,
    /// The fields that everybody should have.
    expected: String,
    /// A field's name and words, who lacks it.
    missing: Vec<(&'static str, String, u64)>,
    flaws: Vec<(&'static str, u64)>,
    without_manager: (u64, u64),
    curves: Vec<Curve>,
    /// Lines of the chart at 0, 50 and 100 %: their height and words.
    scale: Vec<(u64, &'static str)>,
    first_day: String,
    last_day: String,
    /// The marks as a table, newest first.
    days: Vec<(String, u64, Vec<String>)>,
    problems: Vec<Problem>,
}

async fn show(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(slug): Path<String>,
) -> Response {
    let language = shell.language;
    let found = admin
        .run(&caller.name, move |service| {
            Ok((service.client(&slug)?, service.quality(&slug, language)?))
        })
        .await;
    match found {
        Ok((client, quality)) => {
            let p = &shell.in_zone(&client.time_zone);
            page(&template(p, &client, &quality))
        }
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}

fn template<'a>(p: &'a Shell, client: &'a Client, quality: &Quality) -> QualityTemplate<'a> {
    let words = |field: &Field| label(p, &FieldKey::Known(*field));
    let expected: Vec<String> = quality.expected.iter().map(words).collect();
    let written = |mark: &QualityMark| day(p, &mark.day.to_string());
    let marks = &quality.marks;
    QualityTemplate {
        p,
        client,
        cards: cards(p, &quality.now),
        people: quality.now.people,
        expected: expected.join(", "),
        missing: quality.missing.iter().map(|(f, n)| (f.name(), words(f), *n)).collect(),
        flaws: quality.invalid.iter().map(|(flaw, n)| (flaw_words(p, *flaw), *n)).collect(),
        without_manager: quality.without_manager,
        curves: curves(p, marks),
        scale: vec![(height(100, 100), "100"), (height(50, 100), "50"), (height(0, 100), "0")],
        first_day: marks.first().map(written).unwrap_or_default(),
        last_day: marks.last().map(written).unwrap_or_default(),
        days: marks
            .iter()
            .rev()
            .map(|mark| {
                let parts = [mark.complete, mark.valid, mark.managed];
                let shares = parts.iter().map(|part| share(p, *part, mark.people).words);
                (written(mark), mark.people, shares.collect())
            })
            .collect(),
        problems: quality
            .problems
            .iter()
            .map(|one| Problem {
                code: one.code.clone(),
                badge: if one.is_warning {
                    ("look", p.t("Warning", "Avertissement", "Warnung"))
                } else {
                    ("bad", p.t("Error", "Erreur", "Fehler"))
                },
                count: one.count,
                imports: one.imports,
                text: one.text.clone(),
                cure: one.cure.clone(),
                link: format!("/imports/{}", one.import),
                file: match one.line {
                    Some(line) => {
                        format!("{}, {} {line}", one.file, p.t("line", "ligne", "Zeile"))
                    }
                    None => one.file.clone(),
                },
            })
            .collect(),
    }
}

fn cards(p: &Shell, now: &QualityMark) -> Vec<Card> {
    let card = |title, part, about| Card {
        title,
        share: share(p, part, now.people),
        count: part,
        of: now.people,
        about,
    };
    vec![
        card(
            p.t("Complete", "Complets", "Vollständig"),
            now.complete,
            p.t(
                "Every expected field has a value.",
                "Chaque champ attendu a une valeur.",
                "Jedes erwartete Feld hat einen Wert.",
            ),
        ),
        card(
            p.t("Valid", "Valides", "Gültig"),
            now.valid,
            p.t(
                "Nothing in the record contradicts anything else.",
                "Rien dans la fiche n’est contradictoire.",
                "Nichts im Datensatz widerspricht sich.",
            ),
        ),
        card(
            p.t("Managed", "Avec responsable", "Mit Führungskraft"),
            now.managed,
            p.t(
                "The manager is known and works here. Whoever leads the whole organisation has none.",
                "Le responsable est connu et présent. La personne à la tête de l’organisation n’en a pas.",
                "Die Führungskraft ist bekannt und hier tätig. Wer die ganze Organisation leitet, hat keine.",
            ),
        ),
    ]
}

fn flaw_words(p: &Shell, flaw: Flaw) -> &'static str {
    let [en, fr, de] = match flaw {
        Flaw::EndBeforeStart => [
            "The contract ends before it starts",
            "Le contrat se termine avant de commencer",
            "Der Vertrag endet, bevor er beginnt",
        ],
        Flaw::ManagerNotFound => [
            "A file names a manager whom nobody has found",
            "Un fichier nomme un responsable introuvable",
            "Eine Datei nennt eine Führungskraft, die nicht zu finden ist",
        ],
        Flaw::LegalEntityNotListed => [
            "The legal entity is not in the loaded list",
            "L’entité légale n’est pas dans la liste chargée",
            "Die Gesellschaft steht nicht in der geladenen Liste",
        ],
        Flaw::DepartmentNotListed => [
            "The department is not in the loaded list",
            "Le département n’est pas dans la liste chargée",
            "Die Abteilung steht nicht in der geladenen Liste",
        ],
    };
    p.t(en, fr, de)
}

/// How far down a share lies in the chart.
fn height(part: u64, of: u64) -> u64 {
    let room = HEIGHT - 2 * EDGE;
    EDGE + room - part.min(of).saturating_mul(room) / of.max(1)
}

fn curves(p: &Shell, marks: &[QualityMark]) -> Vec<Curve> {
    let days = |mark: &QualityMark| -> u64 {
        let first = marks.first().map_or(mark.day, |first| first.day);
        let days = mark.day.duration_since(first).as_hours() / 24;
        u64::try_from(days).unwrap_or(0)
    };
    let all = marks.last().map_or(0, days).max(1);
    let points = |part: fn(&QualityMark) -> u64| {
        let point = |mark: &QualityMark| {
            let x = LEFT + days(mark).saturating_mul(WIDTH - LEFT - EDGE) / all;
            format!("{x},{}", height(part(mark), mark.people))
        };
        marks.iter().filter(|mark| mark.people > 0).map(point).collect::<Vec<_>>().join(" ")
    };
    vec![
        Curve {
            class: "curve",
            name: p.t("Complete", "Complets", "Vollständig"),
            points: points(|mark| mark.complete),
            dashes: "none",
        },
        Curve {
            class: "curve good",
            name: p.t("Valid", "Valides", "Gültig"),
            points: points(|mark| mark.valid),
            dashes: "8 4",
        },
        Curve {
            class: "curve look",
            name: p.t("Managed", "Avec responsable", "Mit Führungskraft"),
            points: points(|mark| mark.managed),
            dashes: "2 4",
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_goes_from_edge_to_edge() {
        assert_eq!((height(0, 10), height(10, 10)), (HEIGHT - EDGE, EDGE));
        assert_eq!(height(5, 10), HEIGHT / 2);
        assert_eq!(height(3, 0), HEIGHT - EDGE, "nobody is no whole");
    }
}
