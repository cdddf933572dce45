//! Taking an import back: first what would return and what would stay, then the decision.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;

use super::decide::refused;
use super::imports_parts::parse_id;
use super::users_words::value;
use crate::admin::Admin;
use crate::admin::form::Form;
use crate::admin::guard::Caller;
use crate::admin::route::{Route, of_import};
use crate::admin::shell::{Shell, Tone, done, page};
use crate::error::{Error, Kind};
use crate::import::report::{ReportChange, field_words};
use crate::model::{Client, Language, Scope};
use crate::service::imports::ImportView;
use crate::service::undo::{UndoOutcome, UndoPreview};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/imports/{import}/undo", of_import(Scope::Run), ask),
        Route::post("/imports/{import}/undo", of_import(Scope::Run), undo),
    ]
}

/// Values and people that are named.
const NAMED: u32 = 100;

#[derive(Template)]
#[template(path = "admin/pages/undo.html")]
struct UndoPage<'a> {
    p: &'a Shell,
    client: &'a Client,
    view: &'a ImportView,
    id: &'a str,
    seen: i64,
    values: u64,
    withdrawn: u64,
    returning: Vec<Returning>,
    more_values: bool,
    more_people: bool,
    people: &'a [String],
    kept: Vec<String>,
}

/// A value that would return.
struct Returning {
    person: String,
    field: String,
    now: Option<String>,
    back: Option<String>,
}

impl Returning {
    fn of(p: &Shell, change: &ReportChange) -> Self {
        let shown = |text: &Option<String>| text.as_ref().map(|it| value(p, &change.field, it));
        Self {
            person: change.person.clone(),
            field: field_words(&change.field, p.language).into_owned(),
            now: shown(&change.from),
            back: shown(&change.to),
        }
    }
}

async fn ask(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(id): Path<String>,
) -> Response {
    let found = async {
        let id = parse_id(&id)?;
        admin
            .run(&caller.name, move |service| {
                let preview = service.undo_preview(id, NAMED)?;
                let view = service.import(id)?.view;
                let client = service.client(&view.client)?;
                Ok((preview, view, client))
            })
            .await
    };
    let (preview, view, client): (UndoPreview, ImportView, Client) = match found.await {
        Ok(found) => found,
        Err(error) => return refused(&shell, &id, &error),
    };
    let p = shell.in_zone(&client.time_zone);
    let is_more = |named: usize, all: u64| u64::try_from(named).is_ok_and(|named| named < all);
    page(&UndoPage {
        p: &p,
        client: &client,
        view: &view,
        id: &id,
        seen: preview.change_number,
        values: preview.undoing.values,
        withdrawn: preview.undoing.withdrawn,
        returning: preview.returning.iter().map(|c| Returning::of(&p, c)).collect(),
        more_values: is_more(preview.returning.len(), preview.undoing.values),
        more_people: is_more(preview.withdrawn.len(), preview.undoing.withdrawn),
        people: &preview.withdrawn,
        kept: preview.report.kept_by_undo(p.language),
    })
}

#[derive(Deserialize)]
struct Seen {
    #[serde(default)]
    seen: String,
}

async fn undo(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(id): Path<String>,
    Form(form): Form<Seen>,
) -> Response {
    let undone = async {
        let import = parse_id(&id)?;
        let seen: i64 = form.seen.parse().map_err(|_| {
            let why = "the form does not say what was looked at; open the page again";
            Error::new(Kind::Invalid, why)
        })?;
        let who = caller.name.clone();
        admin.run(&caller.name, move |service| service.undo_as_seen(import, &who, seen)).await
    };
    match undone.await {
        Ok(outcome) => done(&format!("/imports/{id}"), Tone::Good, &words(&shell, &outcome)),
        Err(error) => refused(&shell, &id, &error),
    }
}

fn words(p: &Shell, outcome: &UndoOutcome) -> String {
    let (values, people) = (p.number(&outcome.values), p.number(&outcome.withdrawn));
    let kept = outcome.kept.len();
    match p.language {
        Language::En => format!(
            "Taken back. Values that are what they were: {values}. New people withdrawn: {people}. What stays: {kept}."
        ),
        Language::Fr => format!(
            "Import annulé. Valeurs rétablies\u{a0}: {values}. Nouvelles personnes retirées\u{a0}: {people}. Ce qui reste\u{a0}: {kept}."
        ),
        Language::De => format!(
            "Zurückgenommen. Wiederhergestellte Werte: {values}. Zurückgezogene neue Personen: {people}. Was bleibt: {kept}."
        ),
    }
}
