//! One administrator: role, language, state, sessions; a new link, and the end.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::administrators::{client_of, link_page};
use super::{refused, words};
use crate::admin::Admin;
use crate::admin::form::Form;
use crate::admin::guard::Caller;
use crate::admin::route::{Route, of_server};
use crate::admin::shell::{Failure, Shell, Tone, done, page};
use crate::model::{Administrator, Client, Language, Role, Scope};
use crate::service::administrators::AdministratorPatch;
use crate::service::sign_in::SessionView;

pub(super) fn routes() -> Vec<Route> {
    let needs = of_server(Scope::Govern);
    vec![
        Route::get("/server/administrators/{name}", needs, show),
        Route::post("/server/administrators/{name}", needs, change),
        Route::post("/server/administrators/{name}/invite", needs, invite),
        Route::post("/server/administrators/{name}/enable", needs, enable),
        Route::post("/server/administrators/{name}/disable", needs, disable),
        Route::post("/server/administrators/{name}/sessions", needs, end_sessions),
        Route::post("/server/administrators/{name}/remove", needs, remove),
    ]
}

/// What can be changed, as it was typed.
#[derive(Deserialize)]
struct RoleForm {
    role: Role,
    #[serde(default)]
    client: String,
    language: Language,
}

#[derive(Template)]
#[template(path = "admin/pages/server/administrator.html")]
struct OnePage<'a> {
    p: &'a Shell,
    one: &'a Administrator,
    clients: &'a [Client],
    sessions: &'a [SessionView],
    form: &'a RoleForm,
    wrong: Option<&'a str>,
}

async fn show(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(name): Path<String>,
) -> Response {
    show_one(&admin, &shell, &caller, name, (None, None)).await
}

async fn show_one(
    admin: &Admin,
    shell: &Shell,
    caller: &Caller,
    name: String,
    (form, wrong): (Option<RoleForm>, Option<&str>),
) -> Response {
    let found = admin.run(&caller.name, move |service| {
        let one = service.administrator(&name)?;
        let sessions = service.sessions(Some(&one.name))?;
        Ok((one, service.clients()?, sessions))
    });
    match found.await {
        Ok((one, clients, sessions)) => {
            let form = form.unwrap_or_else(|| RoleForm {
                role: one.role,
                client: one.client.clone().unwrap_or_default(),
                language: one.language,
            });
            let (one, clients, sessions, form) = (&one, &clients, &sessions, &form);
            page(&OnePage { p: shell, one, clients, sessions, form, wrong })
        }
        Err(error) => Failure::new(error, shell).into_response(),
    }
}

fn at(name: &str) -> String {
    format!("/server/administrators/{}", crate::admin::guard::path_part(name))
}

async fn change(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(name): Path<String>,
    Form(form): Form<RoleForm>,
) -> Response {
    let patch = AdministratorPatch {
        role: Some((form.role, client_of(form.role, &form.client))),
        language: Some(form.language),
        enabled: None,
    };
    let whom = name.clone();
    let changed =
        admin.run(&caller.name, move |service| service.set_administrator(&whom, &patch)).await;
    match changed {
        Ok(changed) => {
            let words = shell.t("Saved.", "Enregistré.", "Gespeichert.");
            done(&at(&changed.name), Tone::Good, words)
        }
        Err(error) => {
            let again = (Some(form), Some(error.message()));
            refused(show_one(&admin, &shell, &caller, name, again).await)
        }
    }
}

async fn invite(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(name): Path<String>,
) -> Response {
    let whom = name.clone();
    match admin.run(&caller.name, move |service| service.invite_administrator(&whom)).await {
        Ok(token) => link_page(&admin, &shell, &name, &token),
        Err(error) => {
            let again = (None, Some(error.message()));
            refused(show_one(&admin, &shell, &caller, name, again).await)
        }
    }
}

async fn enable(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(name): Path<String>,
) -> Response {
    set_enabled(&admin, &shell, &caller, name, true).await
}

async fn disable(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(name): Path<String>,
) -> Response {
    set_enabled(&admin, &shell, &caller, name, false).await
}

async fn set_enabled(
    admin: &Admin,
    shell: &Shell,
    caller: &Caller,
    name: String,
    enabled: bool,
) -> Response {
    let patch = AdministratorPatch { enabled: Some(enabled), ..AdministratorPatch::default() };
    let whom = name.clone();
    let changed =
        admin.run(&caller.name, move |service| service.set_administrator(&whom, &patch)).await;
    let words = if enabled {
        shell.t("May sign in again.", "Peut de nouveau se connecter.", "Darf sich wieder anmelden.")
    } else {
        shell.t(
            "Cannot sign in any more; every session has ended.",
            "Ne peut plus se connecter\u{a0}; toutes ses sessions sont terminées.",
            "Kann sich nicht mehr anmelden; alle Sitzungen sind beendet.",
        )
    };
    match changed {
        Ok(changed) => done(&at(&changed.name), Tone::Good, words),
        Err(error) => {
            let again = (None, Some(error.message()));
            refused(show_one(admin, shell, caller, name, again).await)
        }
    }
}

async fn end_sessions(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(name): Path<String>,
) -> Response {
    let whom = name.clone();
    match admin.run(&caller.name, move |service| service.end_all_sessions(&whom, None)).await {
        Ok(_) => {
            let words = shell.t(
                "Every session has ended.",
                "Toutes les sessions sont terminées.",
                "Alle Sitzungen sind beendet.",
            );
            done(&at(&name), Tone::Good, words)
        }
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}

async fn remove(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(name): Path<String>,
) -> Response {
    let whom = name.clone();
    match admin.run(&caller.name, move |service| service.remove_administrator(&whom)).await {
        Ok(gone) => {
            let words = shell.t("Removed:", "Retiré\u{a0}:", "Entfernt:");
            done("/server/administrators", Tone::Good, &format!("{words} {}", gone.name))
        }
        Err(error) => {
            let again = (None, Some(error.message()));
            refused(show_one(&admin, &shell, &caller, name, again).await)
        }
    }
}
