//! One user: values and where each comes from, managers above and people below, everything that changed.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Response};
use jiff::civil::Date;
use serde::Deserialize;

use super::users::sight;
use super::users_words::{GROUPS, day, label, standing, value};
use crate::admin::Admin;
use crate::admin::guard::Caller;
use crate::admin::route::{Route, of_client};
use crate::admin::shell::{Failure, Shell, page};
use crate::error::{Error, Kind, Result};
use crate::import::fields::{Field, FieldKey};
use crate::model::{Client, Scope};
use crate::service::history::{Change, ValueOrigin, Writer};
use crate::service::people::{MASK, Person};
use crate::service::users::UserCard;
use crate::service::users_file::Sight;

/// How many of the people below a user are named.
const BELOW: u32 = 50;
/// How many changes are shown unless all are asked for.
const CHANGES: usize = 100;

pub(super) fn routes() -> Vec<Route> {
    vec![Route::get("/clients/{client}/users/{user}", of_client(Scope::Read), card)]
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    as_of: String,
    /// `all`: every change.
    history: String,
}

/// Everything that the page needs from the directory.
struct Found {
    client: Client,
    person: Person,
    card: Option<UserCard>,
    changes: Vec<Change>,
    origins: Vec<ValueOrigin>,
}

/// A value with its origin in words and its import.
struct Line {
    label: String,
    value: String,
    /// The manager's id, to be linked.
    manager: Option<i64>,
    by: Option<By>,
}

/// Who gave a value, in words.
struct By {
    words: String,
    /// The import's page.
    link: Option<String>,
    at: String,
}

/// A change as a line of the history.
struct Past {
    label: String,
    from: String,
    to: String,
    by: By,
    undone: bool,
}

#[derive(Template)]
#[template(path = "admin/pages/user.html")]
struct UserTemplate<'a> {
    p: &'a Shell,
    client: &'a Client,
    id: i64,
    name: String,
    number: String,
    badge: (&'static str, &'static str),
    groups: Vec<(&'static str, Vec<Line>)>,
    above: Vec<(i64, String, String)>,
    below: Vec<(i64, String, String)>,
    below_total: u64,
    history: Vec<Past>,
    /// How many older changes there are.
    older: usize,
    day: Option<String>,
    masked: bool,
}

/// The id of a user in an address.
///
/// # Errors
/// `Kind::NotFound`: it is none.
pub(super) fn id_of(text: &str) -> Result<i64> {
    text.parse().map_err(|_| Error::new(Kind::NotFound, format!("there is no user \"{text}\"")))
}

async fn card(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path((slug, user)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Response {
    let sight = sight(&caller);
    let as_of = match asked.as_of.as_str() {
        "" => Ok(None),
        text => text.parse::<Date>().map(Some).map_err(|_| {
            let message = format!("as_of: \"{text}\" is not a day; write it as 2026-03-31");
            Error::new(Kind::Invalid, message)
        }),
    };
    let found = match (id_of(&user), as_of) {
        (Ok(id), Ok(as_of)) => {
            let look = move |service: crate::service::Service| look(&service, &slug, id, as_of);
            admin.run(&caller.name, look).await
        }
        (Err(error), _) | (_, Err(error)) => Err(error),
    };
    match found {
        Ok(found) => {
            let p = shell.in_zone(&found.client.time_zone);
            page(&template(&p, &found, &asked, sight))
        }
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}

fn look(
    service: &crate::service::Service,
    slug: &str,
    id: i64,
    as_of: Option<Date>,
) -> Result<Found> {
    let client = service.client(slug)?;
    let person = service.user(slug, id, as_of)?;
    // Who manages whom, and since when, is told of today only.
    let today = as_of.is_none();
    Ok(Found {
        card: if today { Some(service.user_card(slug, id, BELOW)?) } else { None },
        changes: if today { service.user_changes(slug, id)? } else { Vec::new() },
        origins: if today { service.value_origins(slug, id)? } else { Vec::new() },
        client,
        person,
    })
}

fn template<'a>(p: &'a Shell, found: &'a Found, asked: &Asked, sight: Sight) -> UserTemplate<'a> {
    let shown = match sight {
        Sight::Whole => found.person.clone(),
        Sight::Masked => found.person.clone().masked(),
    };
    let named = |person: &Person| {
        let job = person.shown(Field::JobTitle).or_else(|| person.shown(Field::Department));
        (person.id, person.name(), job.unwrap_or_default())
    };
    let card = found.card.as_ref();
    let most = if asked.history == "all" { usize::MAX } else { CHANGES };
    let history = found.changes.iter().rev().take(most).map(|change| past(p, change, sight));
    UserTemplate {
        p,
        client: &found.client,
        id: shown.id,
        name: match shown.name() {
            name if name.is_empty() => format!("#{}", shown.id),
            name => name,
        },
        number: shown.shown(Field::EmployeeNumber).unwrap_or_default(),
        badge: standing(p, shown.state),
        groups: groups(p, &shown, &found.origins),
        above: card.iter().flat_map(|card| card.above.iter().map(named)).collect(),
        below: card.iter().flat_map(|card| card.below.iter().map(named)).collect(),
        below_total: card.map_or(0, |card| card.below_total),
        history: history.collect(),
        older: found.changes.len().saturating_sub(most),
        day: Some(asked.as_of.as_str()).filter(|day| !day.is_empty()).map(|text| day(p, text)),
        masked: sight == Sight::Masked && shown != found.person,
    }
}

/// The values in their groups; groups and fields without a value are left out.
fn groups(p: &Shell, person: &Person, origins: &[ValueOrigin]) -> Vec<(&'static str, Vec<Line>)> {
    let line = |key: FieldKey, text: String, manager: Option<i64>| {
        let origin = origins.iter().find(|origin| origin.field == key);
        Line {
            label: label(p, &key),
            value: value(p, &key, &text),
            manager,
            by: origin.map(|origin| by(p, &origin.by, &origin.at)),
        }
    };
    let mut all: Vec<(&'static str, Vec<Line>)> = Vec::new();
    for (group, fields) in GROUPS {
        let lines = fields.iter().filter_map(|field| {
            let manager = person.manager.as_ref().filter(|_| *field == Field::Manager);
            let text = match manager {
                Some((number, name)) => format!("{name} ({number})"),
                None => person.shown(*field)?,
            };
            let id = manager.and(person.manager_id());
            Some(line(FieldKey::Known(*field), text, id))
        });
        all.push((group.words(p), lines.collect()));
    }
    let own = person
        .values
        .custom()
        .map(|(name, text)| line(FieldKey::Custom(name.to_owned()), text.to_owned(), None));
    all.push((
        p.t("Columns of your own", "Colonnes propres au client", "Eigene Spalten"),
        own.collect(),
    ));
    all.retain(|(_, lines)| !lines.is_empty());
    all
}

/// Who gave a value, in the page's language.
fn by(p: &Shell, writer: &Writer, at: &jiff::Timestamp) -> By {
    let line = if writer.line == 0 {
        String::new()
    } else {
        format!("{} {}", p.t(", line", ", ligne", ", Zeile"), writer.line)
    };
    let place = format!("{}{line}", writer.file);
    let who = &writer.who;
    let hand = p.t("by hand", "à la main", "von Hand");
    let words = match writer.by {
        "import" => place,
        "edit" => format!("{hand} ({who})"),
        "create" => {
            format!("{} ({who})", p.t("created by hand", "créé à la main", "von Hand angelegt"))
        }
        "undo" => {
            format!("{} {} ({who})", p.t("undo of", "annulation de", "Rücknahme von"), writer.file)
        }
        "approval" => {
            format!("{place}, {} ({who})", p.t("approved", "approuvé", "freigegeben"))
        }
        other => format!("{other} ({who})"),
    };
    let words = match (writer.undone, writer.is_oldest_known) {
        (true, _) => {
            format!("{words}, {}", p.t("undone later", "annulé ensuite", "später zurückgenommen"))
        }
        (_, true) => format!(
            "{words}, {}",
            p.t(
                "or later (not kept)",
                "ou plus tard (non conservé)",
                "oder später (nicht aufbewahrt)"
            )
        ),
        _ => words,
    };
    let link = (writer.by == "import").then(|| format!("/imports/{}", writer.import));
    By { words, link, at: p.time(at) }
}

fn past(p: &Shell, change: &Change, sight: Sight) -> Past {
    let sensitive = matches!(&change.field, FieldKey::Known(field) if field.is_sensitive());
    let text = |text: &Option<String>| match text {
        None => String::new(),
        Some(_) if sensitive && sight == Sight::Masked => MASK.to_owned(),
        Some(text) => value(p, &change.field, text),
    };
    Past {
        label: label(p, &change.field),
        from: text(&change.from),
        to: text(&change.to),
        by: by(p, &change.by, &change.at),
        undone: change.by.undone,
    }
}
