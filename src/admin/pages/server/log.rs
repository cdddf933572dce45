//! What accounts did over their connections: logins, refusals, transfers.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::given;
use crate::admin::Admin;
use crate::admin::guard::{Caller, form_encoded};
use crate::admin::route::{Route, of_server};
use crate::admin::shell::{Failure, Shell, page};
use crate::model::Scope;
use crate::service::activity::{Activity, ActivityFilter};

/// Events of one page.
const ROWS: u32 = 50;
/// What can be filtered by.
const EVENTS: [&str; 12] = [
    "login",
    "program",
    "refused",
    "upload",
    "interrupted",
    "download",
    "rename",
    "delete",
    "mkdir",
    "rmdir",
    "ban",
    "lost",
];

pub(super) fn routes() -> Vec<Route> {
    vec![Route::get("/server/log", of_server(Scope::Read), show)]
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Wanted {
    login: String,
    event: String,
    before: Option<i64>,
}

#[derive(Template)]
#[template(path = "admin/pages/server/log.html")]
struct LogPage<'a> {
    p: &'a Shell,
    wanted: &'a Wanted,
    events: &'a [Activity],
    older: Option<String>,
}

impl LogPage<'_> {
    fn word(&self, event: &str) -> &'static str {
        let p = self.p;
        match event {
            "login" => p.t("Login", "Connexion", "Anmeldung"),
            "program" => p.t("Program", "Programme", "Programm"),
            "refused" => p.t("Login refused", "Connexion refusée", "Anmeldung abgelehnt"),
            "upload" => p.t("Upload", "Dépôt", "Upload"),
            "interrupted" => p.t("Upload interrupted", "Dépôt interrompu", "Upload abgebrochen"),
            "download" => p.t("Download", "Téléchargement", "Download"),
            "rename" => p.t("Renamed", "Renommé", "Umbenannt"),
            "delete" => p.t("Deleted", "Supprimé", "Gelöscht"),
            "mkdir" => p.t("Folder made", "Dossier créé", "Ordner angelegt"),
            "rmdir" => p.t("Folder removed", "Dossier supprimé", "Ordner entfernt"),
            "ban" => p.t("Address banned", "Adresse bloquée", "Adresse gesperrt"),
            _ => p.t("Entries lost", "Entrées perdues", "Einträge verloren"),
        }
    }
}

async fn show(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Response {
    let filter = ActivityFilter {
        login: given(&wanted.login),
        event: given(&wanted.event),
        before: wanted.before,
        limit: ROWS,
        ..ActivityFilter::default()
    };
    match admin.run(&caller.name, move |service| service.activity(&filter)).await {
        Ok(events) => {
            let full = u32::try_from(events.len()).is_ok_and(|n| n == ROWS);
            let older = events.last().filter(|_| full).map(|last| {
                let (login, event) = (form_encoded(&wanted.login), form_encoded(&wanted.event));
                format!("/server/log?before={}&login={login}&event={event}", last.id)
            });
            page(&LogPage { p: &shell, wanted: &wanted, events: &events, older })
        }
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}
