//! Reference lists: the codes of a client, loaded or brought by files.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::settings::{all_values, first_value};
use crate::admin::Admin;
use crate::admin::form::{FileForm, Form, Pairs, bytes, text};
use crate::admin::guard::{Caller, form_encoded};
use crate::admin::route::{Route, of_client};
use crate::admin::shell::{Failure, Shell, Tone, done, page};
use crate::error::{Error, Kind, Result};
use crate::import::fields::{Field, FieldKey};
use crate::import::lists::LISTS;
use crate::import::report::field_words;
use crate::model::{Client, Scope};
use crate::service::Service;
use crate::service::lists::{EntryView, ListChangeView, ListWritten, Others};

/// Entries on a page.
const ROWS: usize = 100;
/// Changes that the history shows, the newest.
const CHANGES: usize = 500;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/clients/{client}/lists", of_client(Scope::Read), lists),
        Route::get("/clients/{client}/lists/{list}", of_client(Scope::Read), show),
        Route::post("/clients/{client}/lists/{list}", of_client(Scope::Arrange), change),
        Route::post("/clients/{client}/lists/{list}/load", of_client(Scope::Arrange), load),
        Route::get("/clients/{client}/lists/{list}/history", of_client(Scope::Read), history),
    ]
}

/// A list in the overview.
struct Row {
    name: &'static str,
    words: String,
    entries: u64,
    /// How many files have brought and nobody has accepted.
    brought: u64,
    /// The folders in which it is closed.
    closed: Vec<String>,
}

#[derive(Template)]
#[template(path = "admin/pages/lists.html")]
struct ListsPage<'a> {
    p: &'a Shell,
    client: &'a Client,
    rows: Vec<Row>,
}

fn words(list: Field, shell: &Shell) -> String {
    field_words(&FieldKey::Known(list), shell.language).into_owned()
}

async fn lists(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(slug): Path<String>,
) -> Response {
    let found = admin.run(&caller.name, move |service| {
        let client = service.client(&slug)?;
        let mut closed = Vec::new();
        for folder in service.import_folders(&slug)? {
            if let Ok(settings) = service.settings(&slug, &folder.name) {
                closed.push((folder.name, settings.closed_lists));
            }
        }
        Ok((client, service.list_codes(&slug, None)?, closed))
    });
    match found.await {
        Ok((client, entries, closed)) => {
            let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
            let row = |list: &Field| {
                let own = || entries.iter().filter(|entry| entry.field == *list);
                let folders = closed.iter().filter(|(_, lists)| lists.contains(list));
                Row {
                    name: list.name(),
                    words: words(*list, &shell),
                    entries: count(own().count()),
                    brought: count(own().filter(|entry| !entry.loaded).count()),
                    closed: folders.map(|(folder, _)| folder.clone()).collect(),
                }
            };
            let rows = LISTS.iter().map(row).collect();
            page(&ListsPage { p: &shell, client: &client, rows })
        }
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}

/// Which entries are shown.
#[derive(Deserialize, Default)]
struct Wish {
    #[serde(default)]
    q: String,
    #[serde(default)]
    page: usize,
}

struct Opened {
    client: Client,
    list: Field,
    /// On this page.
    entries: Vec<EntryView>,
    all: usize,
    found: usize,
    brought: usize,
    wish: Wish,
}

fn open(service: &Service, client: &str, list: &str, wish: Wish) -> Result<Opened> {
    let field = list_named(list)?;
    let client = service.client(client)?;
    let mut entries = service.lists(&client.slug, Some(list))?;
    let all = entries.len();
    let brought = entries.iter().filter(|one| !one.entry.loaded).count();
    let wanted = wish.q.trim().to_lowercase();
    if !wanted.is_empty() {
        let has = |text: &str| text.to_lowercase().contains(&wanted);
        entries.retain(|one| has(&one.entry.code) || one.entry.name.as_deref().is_some_and(has));
    }
    let found = entries.len();
    let entries = entries.into_iter().skip(wish.page.saturating_mul(ROWS)).take(ROWS).collect();
    Ok(Opened { client, list: field, entries, all, found, brought, wish })
}

fn list_named(name: &str) -> Result<Field> {
    LISTS
        .iter()
        .copied()
        .find(|list| list.name() == name)
        .ok_or_else(|| Error::new(Kind::NotFound, format!("there is no reference list \"{name}\"")))
}

#[derive(Template)]
#[template(path = "admin/pages/list.html")]
struct ListPage<'a> {
    p: &'a Shell,
    client: &'a Client,
    list: &'static str,
    title: String,
    opened: &'a Opened,
    before: Option<String>,
    after: Option<String>,
    wrong: Option<&'a str>,
    code: &'a str,
    name: &'a str,
}

fn render(opened: &Opened, shell: Shell, refused: Option<(&Pairs, &str)>) -> Response {
    let nothing = Pairs::new();
    let typed = refused.map_or(&nothing, |(pairs, _)| pairs);
    let shell = shell.in_zone(&opened.client.time_zone);
    let q = form_encoded(&opened.wish.q);
    let at = opened.wish.page;
    let last = opened.found.saturating_sub(1) / ROWS;
    let title = words(opened.list, &shell);
    page(&ListPage {
        p: &shell,
        client: &opened.client,
        list: opened.list.name(),
        title,
        opened,
        before: at.checked_sub(1).map(|page| format!("?q={q}&page={}", page.min(last))),
        after: (at < last).then(|| format!("?q={q}&page={}", at + 1)),
        wrong: refused.map(|(_, message)| message),
        code: first_value(typed, "code"),
        name: first_value(typed, "name"),
    })
}

async fn show(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path((client, list)): Path<(String, String)>,
    Query(wish): Query<Wish>,
) -> Response {
    match admin.run(&caller.name, move |service| open(&service, &client, &list, wish)).await {
        Ok(opened) => render(&opened, shell, None),
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}

async fn change(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path((client, list)): Path<(String, String)>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let (slug, name, who) = (client.clone(), list.clone(), caller.name.clone());
    let sent = pairs.clone();
    let written = admin.run(&caller.name, move |service| {
        let picked: Vec<String> =
            all_values(&sent, "pick").into_iter().map(str::to_owned).collect();
        let nothing = || Error::new(Kind::Invalid, "no entry is ticked; tick those that are meant");
        match first_value(&sent, "do") {
            "add" => {
                let called = Some(first_value(&sent, "name")).filter(|name| !name.is_empty());
                service.add_list_entry(&slug, &name, first_value(&sent, "code"), called, &who)
            }
            "accept-all" => service.accept_list_entries(&slug, &name, &[], &who),
            _ if picked.is_empty() => Err(nothing()),
            "accept" => service.accept_list_entries(&slug, &name, &picked, &who),
            "remove" => service.remove_list_entries(&slug, &name, &picked, &who),
            _ => Err(Error::new(Kind::Invalid, "this form is not known; open the page again")),
        }
    });
    answer(&admin, shell, &caller, (client, list), &pairs, written.await).await
}

/// Goes on to the list, or shows it again with what was refused.
async fn answer(
    admin: &Admin,
    shell: Shell,
    caller: &Caller,
    (client, list): (String, String),
    pairs: &Pairs,
    written: Result<ListWritten>,
) -> Response {
    let error = match written {
        Ok(written) => {
            let back = format!("/clients/{client}/lists/{list}");
            return done(&back, Tone::Good, &written_words(&written, &shell));
        }
        Err(error) => error,
    };
    let status = match error.kind() {
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::Invalid | Kind::TooLarge => StatusCode::UNPROCESSABLE_ENTITY,
        _ => return Failure::new(error, &shell).into_response(),
    };
    let work = move |service: Service| open(&service, &client, &list, Wish::default());
    match admin.run(&caller.name, work).await {
        Ok(opened) => {
            let mut response = render(&opened, shell, Some((pairs, error.message())));
            *response.status_mut() = status;
            response
        }
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}

fn written_words(written: &ListWritten, shell: &Shell) -> String {
    let counts = [
        (written.added.len(), shell.t("added", "ajoutées", "hinzugefügt")),
        (
            written.named.len(),
            shell.t("accepted or named", "acceptées ou nommées", "übernommen oder benannt"),
        ),
        (written.removed.len(), shell.t("removed", "retirées", "entfernt")),
    ];
    let said: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, words)| format!("{count} {words}"))
        .collect();
    if said.is_empty() {
        let words = shell.t(
            "Nothing changed: all of it was there already.",
            "Rien n’a changé\u{a0}: tout y était déjà.",
            "Nichts geändert: Alles war schon da.",
        );
        return words.to_owned();
    }
    let entries = shell.t("Entries:", "Entrées\u{a0}:", "Einträge:");
    let then = shell.t(
        "Counts from the next file.",
        "Compte dès le prochain fichier.",
        "Gilt ab der nächsten Datei.",
    );
    format!("{entries} {}. {then}", said.join(", "))
}

async fn load(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path((client, list)): Path<(String, String)>,
    mut form: FileForm,
) -> Response {
    let limit = admin.service().config().admin.max_sample_bytes;
    let written = match sent(&mut form, limit).await {
        Ok((file, others)) => {
            let (slug, name, who) = (client.clone(), list.clone(), caller.name.clone());
            let work = move |service: Service| service.load_list(&slug, &name, &file, others, &who);
            admin.run(&caller.name, work).await
        }
        Err(error) => Err(error),
    };
    answer(&admin, shell, &caller, (client, list), &Pairs::new(), written).await
}

async fn sent(form: &mut FileForm, limit: u64) -> Result<(Vec<u8>, Others)> {
    let (mut file, mut others) = (None, Others::Stay);
    while let Some(field) = form.next().await? {
        match field.name() {
            Some("file") => file = Some(bytes(field, limit).await?),
            Some("replace") => {
                let goes = text(field).await? == "1";
                others = if goes { Others::Go } else { others };
            }
            _ => {}
        }
    }
    let file = file.filter(|bytes| !bytes.is_empty());
    let file = file.ok_or_else(|| Error::new(Kind::Invalid, "no file was chosen, or it is empty"));
    Ok((file?, others))
}

#[derive(Template)]
#[template(path = "admin/pages/list_history.html")]
struct HistoryPage<'a> {
    p: &'a Shell,
    client: &'a Client,
    list: &'static str,
    title: String,
    changes: &'a [ListChangeView],
    more: bool,
}

impl HistoryPage<'_> {
    fn what<'w>(&self, what: &'w str) -> &'w str
    where
        Self: 'w,
    {
        match what {
            "added" => self.p.t("added", "ajoutée", "hinzugefügt"),
            "named" => {
                self.p.t("accepted or named", "acceptée ou nommée", "übernommen oder benannt")
            }
            "removed" => self.p.t("removed", "retirée", "entfernt"),
            other => other,
        }
    }
}

async fn history(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path((client, list)): Path<(String, String)>,
) -> Response {
    let found = admin.run(&caller.name, move |service| {
        let field = list_named(&list)?;
        let mut changes = service.list_history(&client, Some(&list))?;
        changes.reverse();
        let more = changes.len() > CHANGES;
        changes.truncate(CHANGES);
        Ok((service.client(&client)?, field, changes, more))
    });
    match found.await {
        Ok((client, list, changes, more)) => {
            let shell = shell.in_zone(&client.time_zone);
            let title = words(list, &shell);
            let list = list.name();
            page(&HistoryPage { p: &shell, client: &client, list, title, changes: &changes, more })
        }
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}
