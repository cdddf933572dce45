//! The exports of a client: what goes out, when, and what became of it.

use std::io::Write;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::exports_words::{bytes, cause, run, what, when};
use crate::admin::Admin;
use crate::admin::form::Form;
use crate::admin::guard::Caller;
use crate::admin::route::{Route, of_client};
use crate::admin::shell::{Failure, Shell, Tone, done, page};
use crate::error::{Error, Kind, Result};
use crate::export::first_rows;
use crate::model::{Client, Scope, UploadId};
use crate::service::Service;
use crate::service::exports::{ExportRun, ExportView, How, Preview, RunState, WithdrawnFile};

/// How many runs of an export are listed.
const RUNS: u32 = 50;
/// How many rows a preview shows.
const ROWS: usize = 20;
/// How much of a file is kept for that.
const HEAD_BYTES: usize = 256 * 1024;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/clients/{client}/exports", of_client(Scope::Read), list),
        Route::get("/clients/{client}/exports/{export}", of_client(Scope::Read), show),
        Route::get("/clients/{client}/exports/{export}/preview", of_client(Scope::Run), preview),
        Route::post("/clients/{client}/exports/{export}/run", of_client(Scope::Run), run_now),
        Route::post("/clients/{client}/exports/{export}/withdraw", of_client(Scope::Run), withdraw),
        Route::post("/clients/{client}/exports/{export}/resend", of_client(Scope::Run), resend),
        Route::post("/clients/{client}/exports/{export}/enable", of_client(Scope::Arrange), enable),
        Route::post("/clients/{client}/exports/{export}/remove", of_client(Scope::Arrange), remove),
    ]
}

/// A run as the pages show it.
struct RunLine {
    id: String,
    at: String,
    badge: (&'static str, &'static str),
    cause: String,
    file: String,
    rows: u64,
    size: String,
    /// What somebody should know, and why it failed.
    notes: Vec<String>,
    can_resend: bool,
}

fn line(p: &Shell, of: &ExportRun) -> RunLine {
    RunLine {
        id: of.id.to_string(),
        at: p.time(&of.at),
        badge: run(p, of),
        cause: cause(p, &of.cause),
        file: of.file_name.clone(),
        rows: of.rows,
        size: if of.bytes == 0 { String::new() } else { bytes(p, of.bytes) },
        notes: of.notes.iter().chain(&of.failure).cloned().collect(),
        can_resend: of.state == RunState::Sent && of.withdrawn_at.is_none(),
    }
}

/// An export as the list shows it.
struct Item {
    name: String,
    what: &'static str,
    when: String,
    enabled: bool,
    folder: String,
    last: Option<RunLine>,
}

#[derive(Template)]
#[template(path = "admin/pages/exports.html")]
struct ListTemplate<'a> {
    p: &'a Shell,
    client: &'a Client,
    items: Vec<Item>,
}

async fn list(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(slug): Path<String>,
) -> Response {
    let found = admin
        .run(&caller.name, move |service| Ok((service.client(&slug)?, service.exports(&slug)?)))
        .await;
    match found {
        Ok((client, exports)) => {
            let p = &shell.in_zone(&client.time_zone);
            let item = |export: ExportView| Item {
                what: what(p, export.settings.what),
                when: when(p, &export.settings),
                enabled: export.enabled,
                last: export.last.as_ref().map(|last| line(p, last)),
                name: export.name,
                folder: export.folder,
            };
            let items = exports.into_iter().map(item).collect();
            page(&ListTemplate { p, client: &client, items })
        }
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}

#[derive(Template)]
#[template(path = "admin/pages/export.html")]
struct ExportTemplate<'a> {
    p: &'a Shell,
    client: &'a Client,
    export: &'a ExportView,
    what: &'static str,
    when: String,
    runs: Vec<RunLine>,
}

async fn show(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path((slug, name)): Path<(String, String)>,
) -> Response {
    let found = admin
        .run(&caller.name, move |service| {
            let runs = service.export_runs(&slug, Some(&name), RUNS)?;
            Ok((service.client(&slug)?, service.export(&slug, &name)?, runs))
        })
        .await;
    match found {
        Ok((client, export, runs)) => {
            let p = &shell.in_zone(&client.time_zone);
            page(&ExportTemplate {
                p,
                client: &client,
                what: what(p, export.settings.what),
                when: when(p, &export.settings),
                export: &export,
                runs: runs.iter().map(|run| line(p, run)).collect(),
            })
        }
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}

/// Keeps the beginning of what is written, and lets the rest go.
#[derive(Default)]
struct Head(Vec<u8>);

impl Write for Head {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let room = HEAD_BYTES.saturating_sub(self.0.len()).min(bytes.len());
        self.0.extend(bytes.iter().take(room));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[derive(Template)]
#[template(path = "admin/pages/export_preview.html")]
struct PreviewTemplate<'a> {
    p: &'a Shell,
    client: &'a Client,
    name: &'a str,
    preview: &'a Preview,
    header: Option<Vec<String>>,
    rows: Vec<Vec<String>>,
}

async fn preview(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path((slug, name)): Path<(String, String)>,
) -> Response {
    let wanted = name.clone();
    let found = admin
        .run(&caller.name, move |service| {
            let mut head = Head::default();
            let export = service.export(&slug, &wanted)?;
            let preview = service.preview_export(&slug, &wanted, &mut head)?;
            let rows = first_rows(&head.0, &export.settings, ROWS + 1);
            Ok((service.client(&slug)?, export, preview, rows))
        })
        .await;
    match found {
        Ok((client, export, preview, mut rows)) => {
            let has_header = export.settings.header && !rows.is_empty();
            let header = has_header.then(|| rows.remove(0));
            rows.truncate(ROWS);
            let p = &shell.in_zone(&client.time_zone);
            let (client, preview) = (&client, &preview);
            page(&PreviewTemplate { p, client, name: &name, preview, header, rows })
        }
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}

/// The page of an export.
fn address(client: &str, export: &str) -> String {
    format!("/clients/{client}/exports/{export}")
}

/// Back on the export's page with the word about what was done, or was not.
fn back(shell: &Shell, (client, export): (&str, &str), result: Result<String>) -> Response {
    let path = address(client, export);
    match result {
        Ok(words) => done(&path, Tone::Good, &words),
        Err(error) if matches!(error.kind(), Kind::Conflict | Kind::Invalid) => {
            done(&path, Tone::Bad, error.message())
        }
        Err(error) => Failure::new(error, shell).into_response(),
    }
}

#[derive(Deserialize)]
struct RunForm {
    /// `anyway`, `note`, or nothing.
    #[serde(default)]
    how: String,
}

async fn run_now(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path((slug, name)): Path<(String, String)>,
    Form(form): Form<RunForm>,
) -> Response {
    let how = match form.how.as_str() {
        "anyway" => How::Anyway,
        "note" => How::Note,
        _ => How::Usual,
    };
    let (client, export) = (slug.clone(), name.clone());
    let ran =
        admin.run(&caller.name, move |service| service.run_export(&client, &export, how)).await;
    let words = ran.map(|run| told(&shell, &run));
    back(&shell, (&slug, &name), words)
}

/// What a run did, in words.
fn told(p: &Shell, run: &ExportRun) -> String {
    let words = match run.state {
        RunState::Ready | RunState::Sent => format!(
            "{} {} ({} {}), {} {}.",
            p.t("Sent:", "Envoyé\u{a0}:", "Gesendet:"),
            run.file_name,
            p.number(&run.rows),
            p.t("rows", "lignes", "Zeilen"),
            p.t("folder", "dossier", "Ordner"),
            run.folder
        ),
        RunState::Nothing => p
            .t(
                "Nothing to send: nobody belongs in this file.",
                "Rien à envoyer\u{a0}: personne n’a sa place dans ce fichier.",
                "Nichts zu senden: Niemand gehört in diese Datei.",
            )
            .to_owned(),
        RunState::Noted => p
            .t(
                "Noted: the next run tells what changes from here on.",
                "Noté\u{a0}: le prochain envoi dira ce qui change à partir de maintenant.",
                "Vermerkt: Der nächste Lauf meldet, was sich ab jetzt ändert.",
            )
            .to_owned(),
        RunState::Failed => run.failure.clone().unwrap_or_default(),
    };
    format!("{words} {}", run.notes.join(" ")).trim_end().to_owned()
}

async fn withdraw(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path((slug, name)): Path<(String, String)>,
) -> Response {
    let (client, export) = (slug.clone(), name.clone());
    let withdrawn =
        admin.run(&caller.name, move |service| service.withdraw_export(&client, &export)).await;
    let words = withdrawn.map(|(run, file)| {
        let after = match file {
            WithdrawnFile::TakenBack => shell.t(
                "Nobody has seen the file; the next run tells the same again.",
                "Personne n’a vu le fichier\u{a0}; le prochain envoi redira la même chose.",
                "Niemand hat die Datei gesehen; der nächste Lauf meldet dasselbe noch einmal.",
            ),
            WithdrawnFile::SeenAlready => shell.t(
                "The file was fetched or delivered before: have the other side leave it out. The next run tells the same again.",
                "Le fichier avait déjà été récupéré ou livré\u{a0}: demandez au destinataire de l’ignorer. Le prochain envoi redira la même chose.",
                "Die Datei war schon abgeholt oder zugestellt: Bitten Sie die Gegenseite, sie zu übergehen. Der nächste Lauf meldet dasselbe noch einmal.",
            ),
            WithdrawnFile::None => shell.t(
                "What was noted then is told by the next run.",
                "Ce qui avait été noté sera dit par le prochain envoi.",
                "Was damals vermerkt wurde, meldet der nächste Lauf.",
            ),
        };
        let withdrawn = shell.t("Withdrawn:", "Retiré\u{a0}:", "Zurückgezogen:");
        format!("{withdrawn} {} {after}", run.file_name)
    });
    // Nothing to withdraw is no missing page.
    let words = words.map_err(|error| match error.kind() {
        Kind::NotFound => Error::new(Kind::Conflict, error.message()),
        _ => error,
    });
    back(&shell, (&slug, &name), words)
}

#[derive(Deserialize)]
struct ResendForm {
    run: String,
}

async fn resend(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path((slug, name)): Path<(String, String)>,
    Form(form): Form<ResendForm>,
) -> Response {
    let (client, export) = (slug.clone(), name.clone());
    let sent = admin
        .run(&caller.name, move |service| {
            let id = own_run(&service, &client, &export, &form.run)?;
            service.resend_export(id)
        })
        .await;
    let words = sent.map(|run| {
        let again =
            shell.t("Sent once more:", "Envoyé une nouvelle fois\u{a0}:", "Noch einmal gesendet:");
        format!("{again} {}", run.file_name)
    });
    back(&shell, (&slug, &name), words)
}

/// The run with this id, if it is one of this export of this client.
fn own_run(service: &Service, client: &str, export: &str, id: &str) -> Result<UploadId> {
    let unknown = || {
        let message = format!("the export \"{export}\" has no run {id}");
        Error::new(Kind::NotFound, message)
    };
    let id: UploadId = id.parse().map_err(|_| unknown())?;
    let run = service.export_run(id)?;
    if run.client == client && run.export == export { Ok(id) } else { Err(unknown()) }
}

#[derive(Deserialize)]
struct EnableForm {
    enabled: bool,
}

async fn enable(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path((slug, name)): Path<(String, String)>,
    Form(form): Form<EnableForm>,
) -> Response {
    let (client, export) = (slug.clone(), name.clone());
    let changed = admin
        .run(&caller.name, move |service| service.enable_export(&client, &export, form.enabled))
        .await;
    let words = changed.map(|view| {
        let words = if view.enabled {
            shell.t(
                "It runs on its trigger again.",
                "Il se déclenche à nouveau de lui-même.",
                "Er läuft wieder von selbst.",
            )
        } else {
            shell.t(
                "It runs only by hand from now on.",
                "Il ne part plus qu’à la main.",
                "Er läuft ab jetzt nur noch von Hand.",
            )
        };
        words.to_owned()
    });
    back(&shell, (&slug, &name), words)
}

async fn remove(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path((slug, name)): Path<(String, String)>,
) -> Response {
    let (client, export) = (slug.clone(), name.clone());
    let gone =
        admin.run(&caller.name, move |service| service.remove_export(&client, &export)).await;
    match gone {
        Ok(()) => {
            let words = shell.t(
                "Removed. What was sent stays with the recipient:",
                "Supprimé. Ce qui a été envoyé reste chez le destinataire\u{a0}:",
                "Entfernt. Was gesendet wurde, bleibt beim Empfänger:",
            );
            done(&format!("/clients/{slug}/exports"), Tone::Good, &format!("{words} {name}"))
        }
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}
