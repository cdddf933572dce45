//! The list of imports, of all clients or of one, with filters.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Deserialize;

use super::imports_parts::waits;
use super::status::{self, Badge, badge};
use crate::admin::Admin;
use crate::admin::guard::{Caller, form_encoded};
use crate::admin::route::{Route, of_client, of_own};
use crate::admin::shell::{Failure, Shell, page};
use crate::error::{Error, Kind, Result};
use crate::model::{Client, Language, Purpose, Scope};
use crate::service::Service;
use crate::service::feed::{ImportFilter, Stand};
use crate::service::imports::{ImportView, Interruption};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/imports", of_own(Scope::Read), all),
        Route::get("/clients/{client}/imports", of_client(Scope::Read), of_one),
    ]
}

/// Interrupted uploads below a client's list.
const INTERRUPTED: u32 = 20;

/// What is asked for, as the address says it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    client: String,
    folder: String,
    status: String,
    from: String,
    to: String,
    text: String,
    before: Option<i64>,
}

#[derive(Template)]
#[template(path = "admin/pages/imports.html")]
struct ImportsPage<'a> {
    p: &'a Shell,
    asked: &'a Asked,
    /// Whose list it is; `None`: of all that the caller sees.
    client: Option<&'a Client>,
    clients: &'a [Client],
    folders: &'a [String],
    statuses: Vec<(&'static str, &'a str, bool)>,
    rows: Vec<Row<'a>>,
    next: Option<String>,
    is_first: bool,
    action: String,
    wrong: Option<String>,
    interrupted: &'a [Interruption],
}

/// One import of a list.
pub(super) struct Row<'a> {
    pub(super) view: &'a ImportView,
    pub(super) badge: Badge,
    pub(super) waits: Option<String>,
    /// The name of its client.
    pub(super) client: &'a str,
    /// What the rows became.
    pub(super) outcome: String,
}

impl<'a> Row<'a> {
    pub(super) fn of(p: &Shell, view: &'a ImportView, clients: &'a [Client]) -> Self {
        let client = clients.iter().find(|client| client.slug == view.client);
        Self {
            view,
            badge: badge(p, &view.status),
            waits: waits(p, view),
            client: client.map_or(&view.client, |client| &client.name),
            outcome: outcome(p, view),
        }
    }
}

/// `3 created, 9 updated, 2 refused`
fn outcome(p: &Shell, view: &ImportView) -> String {
    let c = &view.counts;
    // French has the word for one row, too.
    let words = [
        (c.created, ["created", "créée", "créées", "neu"]),
        (c.updated, ["updated", "modifiée", "modifiées", "geändert"]),
        (c.ended, ["ended", "sortie", "sorties", "ausgetreten"]),
        (c.reinstated, ["reinstated", "réintégrée", "réintégrées", "wieder eingetreten"]),
        (c.rejected, ["refused", "refusée", "refusées", "abgelehnt"]),
        (c.held, ["held", "en attente", "en attente", "angehalten"]),
    ];
    let told = words.iter().filter(|(count, _)| *count > 0);
    let told: Vec<String> = told
        .map(|(count, [en, one, many, de])| {
            let fr = if *count > 1 { many } else { one };
            format!("{} {}", p.number(count), p.t(en, fr, de))
        })
        .collect();
    told.join(", ")
}

async fn all(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Response {
    list(&admin, shell, &caller, None, asked).await
}

async fn of_one(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(slug): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    list(&admin, shell, &caller, Some(slug), asked).await
}

/// What a list needs.
struct Found {
    client: Option<Client>,
    clients: Vec<Client>,
    folders: Vec<String>,
    imports: Vec<ImportView>,
    next: Option<i64>,
    interrupted: Vec<Interruption>,
    wrong: Option<String>,
}

async fn list(
    admin: &Admin,
    shell: Shell,
    caller: &Caller,
    slug: Option<String>,
    asked: Asked,
) -> Response {
    let (own, of) = (caller.client.clone(), slug.clone());
    let work = move |service: Service| {
        let found = find(&service, own, of, &asked)?;
        Ok((found, asked))
    };
    let (found, asked) = match admin.run(&caller.name, work).await {
        Ok(found) => found,
        Err(error) => return Failure::new(error, &shell).into_response(),
    };
    let action = slug.map_or("/imports".to_owned(), |slug| format!("/clients/{slug}/imports"));
    let p = match &found.client {
        Some(client) => shell.in_zone(&client.time_zone),
        None => shell,
    };
    let next = found.next.map(|before| next_address(&action, &asked, before));
    page(&ImportsPage {
        p: &p,
        client: found.client.as_ref(),
        clients: &found.clients,
        folders: &found.folders,
        statuses: statuses(&p, &asked.status),
        rows: found.imports.iter().map(|view| Row::of(&p, view, &found.clients)).collect(),
        next,
        is_first: asked.before.is_none(),
        action,
        wrong: found.wrong,
        interrupted: &found.interrupted,
        asked: &asked,
    })
}

fn find(
    service: &Service,
    own: Option<String>,
    slug: Option<String>,
    asked: &Asked,
) -> Result<Found> {
    let client = slug.as_deref().map(|slug| service.client(slug)).transpose()?;
    let mut clients = service.clients()?;
    clients.retain(|one| own.as_ref().is_none_or(|own| *own == one.slug));
    let chosen = slug.or(own).or_else(|| Some(asked.client.clone()).filter(|c| !c.is_empty()));
    let zone = client.as_ref().map_or("", |client| &client.time_zone);
    let zone = TimeZone::get(zone).unwrap_or_else(|_| TimeZone::system());
    let (filter, wrong) = match filter(asked, chosen.clone(), &zone) {
        Ok(filter) => (filter, None),
        // A half-typed date must not take the list away.
        Err(error) => {
            let filter = ImportFilter { client: chosen.clone(), ..ImportFilter::default() };
            (filter, Some(error.message().to_owned()))
        }
    };
    let page = service.imports_page(&filter)?;
    let folders = match &chosen {
        Some(chosen) => import_folders(service, chosen)?,
        None => Vec::new(),
    };
    let interrupted = match &client {
        Some(client) if asked.before.is_none() => {
            service.interruptions(&client.slug, INTERRUPTED)?
        }
        _ => Vec::new(),
    };
    Ok(Found {
        client,
        clients,
        folders,
        imports: page.imports,
        next: page.next,
        interrupted,
        wrong,
    })
}

fn import_folders(service: &Service, client: &str) -> Result<Vec<String>> {
    let mut folders = Vec::new();
    for account in service.accounts(Some(client))? {
        let own = service.folders(&account.login)?.into_iter();
        folders.extend(own.filter(|f| f.purpose == Purpose::Import).map(|f| f.name));
    }
    folders.sort();
    Ok(folders)
}

fn filter(asked: &Asked, client: Option<String>, zone: &TimeZone) -> Result<ImportFilter> {
    let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let stand = match asked.status.as_str() {
        "" => None,
        "waiting" => Some(Stand::Waiting),
        "decide" => Some(Stand::ToDecide),
        name => Some(Stand::Ended(status::parse(name).ok_or_else(|| {
            Error::new(Kind::Invalid, format!("\"{name}\" is no status of an import"))
        })?)),
    };
    Ok(ImportFilter {
        client,
        folder: given(&asked.folder),
        stand,
        from: given(&asked.from).map(|day| start_of(&day, zone, 0)).transpose()?,
        to: given(&asked.to).map(|day| start_of(&day, zone, 1)).transpose()?,
        text: given(&asked.text),
        before: asked.before,
        limit: 0,
    })
}

/// The beginning of a day, or of one some days later.
fn start_of(day: &str, zone: &TimeZone, later: i32) -> Result<Timestamp> {
    let wrong = || {
        let shown: String = day.chars().take(20).collect();
        Error::new(Kind::Invalid, format!("\"{shown}\" is no date; write it as 2026-11-21"))
    };
    let date: Date = day.parse().map_err(|_| wrong())?;
    let date = date.checked_add(jiff::Span::new().days(later)).map_err(|_| wrong())?;
    Ok(date.to_zoned(zone.clone()).map_err(|_| wrong())?.timestamp())
}

fn next_address(action: &str, asked: &Asked, before: i64) -> String {
    let fields = [
        ("client", &asked.client),
        ("folder", &asked.folder),
        ("status", &asked.status),
        ("from", &asked.from),
        ("to", &asked.to),
        ("text", &asked.text),
    ];
    let mut address = format!("{action}?before={before}");
    for (name, value) in fields {
        if !value.is_empty() {
            address.push_str(&format!("&{name}={}", form_encoded(value)));
        }
    }
    address
}

fn statuses<'a>(p: &'a Shell, chosen: &str) -> Vec<(&'static str, &'a str, bool)> {
    let mut all = vec![
        ("", p.t("any", "tous", "alle"), false),
        ("decide", p.t("to decide", "à décider", "zu entscheiden"), false),
        ("waiting", badge(p, "waiting").words, false),
    ];
    all.extend(status::ALL.map(|one| (one.name(), status::of(p, one).words, false)));
    for (name, _, is_chosen) in &mut all {
        *is_chosen = *name == chosen;
    }
    all
}

/// How many bytes of an interrupted upload came.
pub(super) fn came(p: &Shell, bytes: u64) -> String {
    let size = super::imports_parts::size(p, bytes);
    match p.language {
        Language::En => format!("{size} had come"),
        Language::Fr => format!("{size} reçus"),
        Language::De => format!("{size} waren angekommen"),
    }
}
