//! Files handed over through export folders: what lies for the other side, what was fetched or delivered, and handing one over.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::exports_words::{bytes, dropped};
use crate::admin::Admin;
use crate::admin::download::download as saved;
use crate::admin::form::{self, FileForm};
use crate::admin::guard::Caller;
use crate::admin::route::{Route, of_client};
use crate::admin::shell::{Failure, Shell, Tone, done, page};
use crate::error::{Error, Kind, Result};
use crate::model::{Client, Purpose, Scope};
use crate::service::Service;
use crate::service::drops::{Content, DropFilter, DropState, FileDrop, NewDrop};

/// How many files the list shows at first, and at most.
const SHOWN: u32 = 50;
const MOST: u32 = 1000;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/clients/{client}/drops", of_client(Scope::Read), list),
        Route::post("/clients/{client}/drops", of_client(Scope::Run), hand_over),
        Route::get("/clients/{client}/drops/{drop}/file", of_client(Scope::Run), download),
        Route::post("/clients/{client}/drops/{drop}/retry", of_client(Scope::Run), retry),
        Route::post("/clients/{client}/drops/{drop}/withdraw", of_client(Scope::Run), withdraw),
    ]
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
struct Asked {
    folder: String,
    state: String,
    /// How many to show.
    limit: Option<u32>,
}

/// A file as the list shows it.
struct Item {
    id: String,
    path: String,
    folder: String,
    size: String,
    origin: String,
    at: String,
    badge: (&'static str, &'static str),
    /// When it was fetched, how often; why it waits.
    notes: Vec<String>,
    can_read: bool,
    can_retry: bool,
    can_withdraw: bool,
}

#[derive(Template)]
#[template(path = "admin/pages/drops.html")]
struct DropsTemplate<'a> {
    p: &'a Shell,
    client: &'a Client,
    asked: &'a Asked,
    items: Vec<Item>,
    folders: &'a [String],
    states: Vec<(&'static str, &'static str)>,
    more: Option<u32>,
    wrong: Option<&'a str>,
}

struct Found {
    client: Client,
    drops: Vec<FileDrop>,
    folders: Vec<String>,
}

async fn list(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(slug): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    show(&admin, shell, &caller, slug, asked, None).await
}

async fn show(
    admin: &Admin,
    shell: Shell,
    caller: &Caller,
    slug: String,
    asked: Asked,
    wrong: Option<&str>,
) -> Response {
    let limit = asked.limit.unwrap_or(SHOWN).clamp(1, MOST);
    let wanted = asked.clone();
    let found = admin
        .run(&caller.name, move |service| {
            let state = match wanted.state.as_str() {
                "" => None,
                name => {
                    Some(name.parse::<DropState>().map_err(|why| Error::new(Kind::Invalid, why))?)
                }
            };
            let filter = DropFilter {
                client: Some(slug.clone()),
                folder: Some(wanted.folder.clone()).filter(|folder| !folder.is_empty()),
                state,
                before: None,
                limit: Some(limit.saturating_add(1)),
            };
            Ok(Found {
                client: service.client(&slug)?,
                drops: service.drops(&filter)?,
                folders: export_folders(&service, &slug)?,
            })
        })
        .await;
    let mut found = match found {
        Ok(found) => found,
        Err(error) => return Failure::new(error, &shell).into_response(),
    };
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = found.drops.len() > most && limit < MOST;
    found.drops.truncate(most);
    let p = &shell.in_zone(&found.client.time_zone);
    let mut response = page(&DropsTemplate {
        p,
        client: &found.client,
        asked: &asked,
        items: found.drops.iter().map(|one| item(p, one)).collect(),
        folders: &found.folders,
        states: DropState::ALL.iter().map(|s| (s.name(), dropped(p, *s).1)).collect(),
        more: more.then(|| limit.saturating_mul(4).min(MOST)),
        wrong,
    });
    if wrong.is_some() {
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    response
}

/// The names of a client's export folders.
fn export_folders(service: &Service, client: &str) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for account in service.accounts(Some(client))? {
        let folders = service.folders(&account.login)?.into_iter();
        names.extend(folders.filter(|f| f.purpose == Purpose::Export).map(|f| f.name));
    }
    Ok(names)
}

fn item(p: &Shell, of: &FileDrop) -> Item {
    let mut notes: Vec<String> = of.note.iter().cloned().collect();
    if let Some(at) = &of.fetched_at {
        let times = p.t("times in all", "fois en tout", "Mal insgesamt");
        let fetched = p.t("fetched", "récupéré le", "abgeholt");
        notes.push(format!("{fetched} {}, {} {times}", p.time(at), of.fetches));
    }
    if let (Some(at), DropState::Waiting) = (&of.next_at, of.state) {
        notes.push(format!(
            "{} {}",
            p.t("next try", "prochain essai", "nächster Versuch"),
            p.time(at)
        ));
    }
    Item {
        id: of.id.clone(),
        path: format!("{} ({})", of.path, of.login),
        folder: of.folder.clone(),
        size: bytes(p, of.bytes),
        origin: format!("{}, {}", of.origin, of.who),
        at: p.time(&of.created_at),
        badge: dropped(p, of.state),
        notes,
        can_read: of.state != DropState::Withdrawn,
        can_retry: matches!(of.state, DropState::Waiting | DropState::Failed),
        can_withdraw: matches!(
            of.state,
            DropState::Waiting | DropState::Placed | DropState::Failed
        ),
    }
}

/// A file to hand over, as the form sent it.
struct Sent {
    folder: String,
    name: String,
    bytes: Vec<u8>,
}

async fn read(form: &mut FileForm, limit: u64) -> Result<Sent> {
    let mut sent = Sent { folder: String::new(), name: String::new(), bytes: Vec::new() };
    while let Some(field) = form.next().await? {
        match field.name() {
            Some("folder") => sent.folder = form::text(field).await?,
            Some("file") => {
                sent.name = field.file_name().unwrap_or_default().to_owned();
                sent.bytes = form::bytes(field, limit).await?;
            }
            _ => {}
        }
    }
    if sent.name.is_empty() {
        return Err(Error::new(Kind::Invalid, "no file was chosen; choose the file to hand over"));
    }
    Ok(sent)
}

async fn hand_over(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(slug): Path<String>,
    mut form: FileForm,
) -> Response {
    let limit = admin.service().config().limits.max_import_bytes;
    let sent = match read(&mut form, limit).await {
        Ok(sent) => sent,
        Err(error) if error.kind() == Kind::Invalid => {
            let wrong = Some(error.message());
            return show(&admin, shell, &caller, slug, Asked::default(), wrong).await;
        }
        Err(error) => return Failure::new(error, &shell).into_response(),
    };
    let (client, who) = (slug.clone(), caller.name.clone());
    let dropped = admin
        .run(&caller.name, move |service| {
            service.drop_file(&NewDrop {
                client: &client,
                folder: &sent.folder,
                name: &sent.name,
                content: Content::Bytes(&sent.bytes),
                origin: "administration page",
                who: &who,
                key: None,
            })
        })
        .await;
    match dropped {
        Ok(dropped) => {
            let words = shell.t("Handed over:", "Remis\u{a0}:", "Übergeben:");
            let words = format!("{words} {} ({})", dropped.path, dropped.login);
            done(&format!("/clients/{slug}/drops"), Tone::Good, &words)
        }
        Err(error) if matches!(error.kind(), Kind::Invalid | Kind::NotFound | Kind::Conflict) => {
            show(&admin, shell, &caller, slug, Asked::default(), Some(error.message())).await
        }
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}

/// A file, if it is one of this client's.
fn own(service: &Service, client: &str, id: &str) -> Result<FileDrop> {
    let unknown = || {
        let message = format!("no file with the id {id} was handed over");
        Error::new(Kind::NotFound, message)
    };
    service.file_drop(id).ok().filter(|one| one.client == client).ok_or_else(unknown)
}

/// What was handed over, byte for byte.
async fn download(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path((slug, id)): Path<(String, String)>,
) -> Response {
    let found = admin.run(&caller.name, move |service| {
        let dropped = own(&service, &slug, &id)?;
        service.dropped_file(&dropped.id)
    });
    match found.await {
        Ok((dropped, file)) => saved(file, dropped.path.name().unwrap_or_default(), dropped.bytes),
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}

async fn retry(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path((slug, id)): Path<(String, String)>,
) -> Response {
    let client = slug.clone();
    let done_it = admin
        .run(&caller.name, move |service| {
            own(&service, &client, &id)?;
            service.retry_drop(&id)
        })
        .await;
    let words = shell.t(
        "It is tried again at once:",
        "Nouvel essai immédiat\u{a0}:",
        "Es wird sofort noch einmal versucht:",
    );
    after(&shell, &slug, done_it, words)
}

async fn withdraw(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path((slug, id)): Path<(String, String)>,
) -> Response {
    let (client, who) = (slug.clone(), caller.name.clone());
    let done_it = admin
        .run(&caller.name, move |service| {
            own(&service, &client, &id)?;
            service.withdraw_drop(&id, &who)
        })
        .await;
    after(&shell, &slug, done_it, shell.t("Taken back:", "Repris\u{a0}:", "Zurückgenommen:"))
}

fn after(shell: &Shell, slug: &str, result: Result<FileDrop>, words: &str) -> Response {
    let path = format!("/clients/{slug}/drops");
    match result {
        Ok(dropped) => done(&path, Tone::Good, &format!("{words} {}", dropped.path)),
        Err(error) if error.kind() == Kind::Conflict => done(&path, Tone::Bad, error.message()),
        Err(error) => Failure::new(error, shell).into_response(),
    }
}
