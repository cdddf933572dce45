//! Test import: a file is read and planned with nothing written; then these very bytes are imported, or not.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::imports_parts::{Shown, first, parse_id, size};
use super::status::{Badge, of};
use crate::admin::Admin;
use crate::admin::form::{FileForm, Form, text};
use crate::admin::guard::Caller;
use crate::admin::route::{Route, of_client};
use crate::admin::shell::{Failure, Shell, Tone, done, page, status_of};
use crate::error::{Error, Kind, Result};
use crate::import::inspect::{InspectedRow, Inspection};
use crate::import::report::{Change, Reading, reading};
use crate::model::{Client, ImportStatus, Purpose, Scope};
use crate::service::Service;
use crate::service::trying::{Incoming, Trial, Wish};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/clients/{client}/try", of_client(Scope::Try), ask),
        Route::post("/clients/{client}/try", of_client(Scope::Try), take),
        Route::get("/clients/{client}/try/{trial}", of_client(Scope::Try), show),
        Route::post("/clients/{client}/try/{trial}/import", of_client(Scope::Run), import),
        Route::post("/clients/{client}/try/{trial}/forget", of_client(Scope::Try), forget),
    ]
}

/// Messages of a level, and changes, that are shown.
const FIRST: usize = 100;

#[derive(Template)]
#[template(path = "admin/pages/try.html")]
struct TryPage<'a> {
    p: &'a Shell,
    client: &'a Client,
    folders: &'a [String],
    chosen: &'a str,
    wrong: Option<&'a str>,
    most: String,
    minutes: u64,
}

/// A client and the names of its import folders.
fn place(service: &Service, slug: &str) -> Result<(Client, Vec<String>)> {
    let client = service.client(slug)?;
    let mut folders = Vec::new();
    for account in service.accounts(Some(slug))? {
        let own = service.folders(&account.login)?.into_iter();
        folders.extend(own.filter(|f| f.purpose == Purpose::Import).map(|f| f.name));
    }
    folders.sort();
    Ok((client, folders))
}

async fn ask(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(slug): Path<String>,
) -> Response {
    form(&admin, &shell, &caller, slug, "", None).await
}

/// The form, with what was wrong the last time.
async fn form(
    admin: &Admin,
    shell: &Shell,
    caller: &Caller,
    slug: String,
    chosen: &str,
    wrong: Option<&Error>,
) -> Response {
    match admin.run(&caller.name, move |service| place(&service, &slug)).await {
        Ok((client, folders)) => {
            let config = admin.service().config();
            let most = config.limits.max_import_bytes.min(config.limits.max_upload_bytes);
            let mut response = page(&TryPage {
                p: shell,
                client: &client,
                folders: &folders,
                chosen,
                wrong: wrong.map(Error::message),
                most: size(shell, most),
                minutes: u64::from(config.admin.trial_minutes),
            });
            if let Some(error) = wrong {
                *response.status_mut() = status_of(error.kind());
            }
            response
        }
        Err(error) => Failure::new(error, shell).into_response(),
    }
}

async fn take(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(slug): Path<String>,
    mut form_data: FileForm,
) -> Response {
    let mut folder = String::new();
    match receive(&admin, &caller, &slug, &mut form_data, &mut folder).await {
        Ok(trial) => Redirect::to(&format!("/clients/{slug}/try/{}", trial.id)).into_response(),
        Err(error) if error.kind() == Kind::NotFound => Failure::new(error, &shell).into_response(),
        Err(error) => form(&admin, &shell, &caller, slug, &folder, Some(&error)).await,
    }
}

/// Takes the form's file to the spool, piece by piece, and tries it.
async fn receive(
    admin: &Admin,
    caller: &Caller,
    slug: &str,
    form: &mut FileForm,
    folder: &mut String,
) -> Result<Arc<Trial>> {
    let mut incoming: Option<Incoming> = None;
    while let Some(mut field) = form.next().await? {
        match field.name() {
            Some("folder") => *folder = text(field).await?,
            Some("file") => {
                let name = field.file_name().unwrap_or_default().to_owned();
                if name.is_empty() {
                    continue;
                }
                let (slug, chosen) = (slug.to_owned(), folder.clone());
                let begin = move |service: Service| {
                    let chosen = Some(chosen.as_str()).filter(|name| !name.is_empty());
                    service.take_to_try(&slug, chosen, &name)
                };
                let mut taken = admin.run(&caller.name, begin).await?;
                let cut = |e: axum::extract::multipart::MultipartError| {
                    let message = format!("the file did not arrive whole ({e}); choose it again");
                    Error::new(Kind::Invalid, message)
                };
                while let Some(piece) = field.chunk().await.map_err(cut)? {
                    let most = admin.service().config().limits.max_import_bytes;
                    let write = move |_: Service| {
                        taken.write(&piece, most)?;
                        Ok(taken)
                    };
                    taken = admin.run(&caller.name, write).await?;
                }
                incoming = Some(taken);
            }
            _ => {}
        }
    }
    let Some(incoming) = incoming else {
        return Err(Error::new(Kind::Invalid, "no file was chosen; choose the one to try"));
    };
    let who = caller.name.clone();
    admin.run(&caller.name, move |service| service.try_out(incoming, &who)).await
}

#[derive(Template)]
#[template(path = "admin/pages/tried.html")]
struct TriedPage<'a> {
    p: &'a Shell,
    client: &'a Client,
    trial: &'a Trial,
    badge: Badge,
    r: Reading<'a>,
    groups: Vec<Shown>,
    messages_of: Option<String>,
    changes: Vec<Change<'a>>,
    changes_listed: usize,
    changes_total: u64,
    size: String,
    read: Option<Read<'a>>,
    /// An import would refuse the file as a whole.
    is_refused: bool,
    is_held: bool,
    may_import: bool,
    has_changed: bool,
}

/// How a file was read.
struct Read<'a> {
    how: &'a Inspection,
    encoding: String,
    separator: String,
    dates: String,
    examples: Vec<(&'a str, &'a str, &'a str)>,
    rows: &'a [InspectedRow],
}

impl<'a> Read<'a> {
    fn of(how: &'a Inspection, p: &Shell) -> Self {
        let separator = match how.separator {
            None => {
                p.t("none: a workbook", "aucun\u{a0}: classeur", "keines: Arbeitsmappe").to_owned()
            }
            Some('\t') => "⇥ (TAB)".to_owned(),
            Some(sign) => sign.to_string(),
        };
        let order = how.date_order.map(|order| format!("{order:?}").to_lowercase());
        let dates = match order.as_deref() {
            Some("dmy") => p.t("day, month, year", "jour, mois, année", "Tag, Monat, Jahr"),
            Some("mdy") => p.t("month, day, year", "mois, jour, année", "Monat, Tag, Jahr"),
            Some(_) => p.t("year, month, day", "année, mois, jour", "Jahr, Monat, Tag"),
            None => "–",
        };
        let examples = how.columns.iter().map(|column| {
            let example = column.example.as_deref().unwrap_or_default();
            (column.letter.as_str(), column.header.as_str(), example)
        });
        Self {
            how,
            encoding: how.encoding.to_string(),
            separator,
            dates: dates.to_owned(),
            examples: examples.collect(),
            rows: &how.first_rows,
        }
    }
}

async fn show(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path((slug, id)): Path<(String, String)>,
) -> Response {
    let found = async {
        let id = parse_id(&id)?;
        admin
            .run(&caller.name, move |service| {
                Ok((service.trial(&slug, id)?, service.client(&slug)?))
            })
            .await
    };
    match found.await {
        Ok((trial, client)) => {
            tried_page(&shell.in_zone(&client.time_zone), &client, &trial, false)
        }
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}

fn tried_page(p: &Shell, client: &Client, trial: &Trial, has_changed: bool) -> Response {
    let mut r = reading(&trial.report, p.language);
    let groups = first(std::mem::take(&mut r.groups), FIRST);
    let mut changes = std::mem::take(&mut r.changes);
    let changes_listed = changes.len();
    changes.truncate(FIRST);
    let status = trial.report.status;
    page(&TriedPage {
        p,
        client,
        trial,
        badge: Badge { words: r.status, ..of(p, status) },
        groups,
        messages_of: None,
        changes,
        changes_listed,
        changes_total: trial.report.changes_total,
        size: size(p, trial.bytes),
        read: trial.inspection.as_ref().map(|how| Read::of(how, p)),
        is_refused: status == ImportStatus::Rejected,
        is_held: status == ImportStatus::Held,
        may_import: p.may(&Scope::Run),
        has_changed,
        r,
    })
}

#[derive(Deserialize)]
struct Nothing {}

async fn import(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path((slug, id)): Path<(String, String)>,
    Form(Nothing {}): Form<Nothing>,
) -> Response {
    let who = caller.name.clone();
    let wished = async {
        let id = parse_id(&id)?;
        admin
            .run(&caller.name, move |service| {
                let client = service.client(&slug)?;
                Ok((service.import_trial(&slug, id, &who)?, client))
            })
            .await
    };
    match wished.await {
        Ok((Wish::Queued(import), _)) => {
            let words = shell.t(
                "The file that was tried is imported.",
                "Le fichier essayé est importé.",
                "Die geprüfte Datei wird importiert.",
            );
            done(&format!("/imports/{import}"), Tone::Good, words)
        }
        Ok((Wish::Changed(trial), client)) => {
            let p = shell.in_zone(&client.time_zone);
            let mut response = tried_page(&p, &client, &trial, true);
            *response.status_mut() = StatusCode::CONFLICT;
            response
        }
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}

async fn forget(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path((slug, id)): Path<(String, String)>,
    Form(Nothing {}): Form<Nothing>,
) -> Response {
    let back = format!("/clients/{slug}/try");
    let forgotten = async {
        let id = parse_id(&id)?;
        admin.run(&caller.name, move |service| service.drop_trial(&slug, id)).await
    };
    match forgotten.await {
        Ok(()) => {
            let words = shell.t(
                "Nothing was imported, and the file is not kept.",
                "Rien n’a été importé et le fichier n’est pas conservé.",
                "Nichts wurde importiert, und die Datei wird nicht aufbewahrt.",
            );
            done(&back, Tone::Good, words)
        }
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}
