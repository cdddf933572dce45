//! One administrator: role, language, state, sessions; a new link, and the end.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::administrators::{client_of, link_page};
use super::{refused, words};
use crate::admin::Admin;
use crate::admin::form::Form;
use crate::admin::guard::Caller;
use crate::admin::pages::was::{self, Fields, Since};
use crate::admin::route::{Route, of_server};
use crate::admin::shell::{Failure, Shell, Tone, done, page};
use crate::error::Result;
use crate::model::{Administrator, Client, Language, Role, Scope};
use crate::service::Service;
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
#[derive(Clone, Deserialize)]
struct RoleForm {
    role: Role,
    #[serde(default)]
    client: String,
    language: Language,
    /// What the form showed when it was opened.
    #[serde(default)]
    was: String,
}

impl RoleForm {
    /// What holds now.
    fn of(one: &Administrator) -> Self {
        let mut form = Self {
            role: one.role,
            client: one.client.clone().unwrap_or_default(),
            language: one.language,
            was: String::new(),
        };
        form.was = was::carried(&form.fields());
        form
    }

    /// As it is shown once more: what was touched as it was typed, all else as it is now.
    fn again(self, one: &Administrator) -> Self {
        let now = Self::of(one);
        let since = was::since(&self.was, &self.fields(), &now.fields());
        let typed = self;
        let (role, client) = match since.touches("role") {
            true => (typed.role, typed.client),
            false => (now.role, now.client),
        };
        let language = if since.touches("language") { typed.language } else { now.language };
        Self { role, client, language, was: now.was }
    }

    /// A role and its client are one thing.
    fn fields(&self) -> Fields {
        let client = client_of(self.role, &self.client).unwrap_or_default();
        let role = format!("{} {client}", self.role.name());
        vec![("role", role.trim().to_owned()), ("language", self.language.code().to_owned())]
    }
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
            let form = form.map_or_else(|| RoleForm::of(&one), |form| form.again(&one));
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
    let (whom, sent) = (name.clone(), form.clone());
    let changed = admin.run(&caller.name, move |service| change_role(&service, &whom, &sent)).await;
    match changed {
        Ok(Ok(changed)) => {
            let words = shell.t("Saved.", "Enregistré.", "Gespeichert.");
            done(&at(&changed.name), Tone::Good, words)
        }
        Ok(Err(since)) => {
            let words = since.words(&shell, |field| match field {
                "role" => shell.t("role", "rôle", "Rolle"),
                _ => shell.t("language", "langue", "Sprache"),
            });
            let mut response =
                show_one(&admin, &shell, &caller, name, (Some(form), Some(&words))).await;
            if response.status().is_success() {
                *response.status_mut() = StatusCode::CONFLICT;
            }
            response
        }
        Err(error) => {
            let again = (Some(form), Some(error.message()));
            refused(show_one(&admin, &shell, &caller, name, again).await)
        }
    }
}

/// Changes what somebody touched; `Err`: somebody else was faster with one of these fields, and nothing was changed.
fn change_role(
    service: &Service,
    name: &str,
    form: &RoleForm,
) -> Result<std::result::Result<Administrator, Since>> {
    let now = RoleForm::of(&service.administrator(name)?);
    let since = was::since(&form.was, &form.fields(), &now.fields());
    if !since.overtaken.is_empty() {
        return Ok(Err(since));
    }
    let patch = AdministratorPatch {
        role: since.touches("role").then(|| (form.role, client_of(form.role, &form.client))),
        language: since.touches("language").then_some(form.language),
        enabled: None,
    };
    service.set_administrator(name, &patch).map(Ok)
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
