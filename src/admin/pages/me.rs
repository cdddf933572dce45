//! Oneself: password, language, where one is signed in.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::server::words;
use crate::admin::Admin;
use crate::admin::door::{Origin, differ_words, too_many_words, with_session};
use crate::admin::form::Form;
use crate::admin::guard::Caller;
use crate::admin::route::{Needs, Route};
use crate::admin::shell::{Failure, Shell, Tone, done, page};
use crate::model::{Administrator, Language};
use crate::service::Service;
use crate::service::administrators::AdministratorPatch;
use crate::service::sign_in::{SessionView, SignInRefused};
use axum::http::StatusCode;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/me", Needs::SignedIn, show),
        Route::post("/me/language", Needs::SignedIn, set_language),
        Route::post("/me/password", Needs::SignedIn, set_password),
        Route::post("/me/sessions", Needs::SignedIn, end_session),
    ]
}

#[derive(Template)]
#[template(path = "admin/pages/me.html")]
struct MePage<'a> {
    p: &'a Shell,
    me: &'a Administrator,
    sessions: &'a [SessionView],
    /// This browser's session.
    own: &'a str,
    wrong: Option<&'a str>,
}

async fn show(State(admin): State<Admin>, shell: Shell, caller: Caller) -> Response {
    show_with(&admin, &shell, &caller, None).await
}

async fn show_with(admin: &Admin, shell: &Shell, caller: &Caller, wrong: Option<&str>) -> Response {
    let name = caller.name.clone();
    let found = admin.run(&caller.name, move |service| {
        Ok((service.administrator(&name)?, service.sessions(Some(&name))?))
    });
    match found.await {
        Ok((me, sessions)) => {
            let own = Service::session_id(&caller.session);
            page(&MePage { p: shell, me: &me, sessions: &sessions, own: &own, wrong })
        }
        Err(error) => Failure::new(error, shell).into_response(),
    }
}

#[derive(Deserialize)]
struct LanguageForm {
    language: Language,
}

async fn set_language(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Form(form): Form<LanguageForm>,
) -> Response {
    let name = caller.name.clone();
    let patch =
        AdministratorPatch { language: Some(form.language), ..AdministratorPatch::default() };
    match admin.run(&caller.name, move |service| service.set_administrator(&name, &patch)).await {
        Ok(_) => {
            let mut shell = shell;
            shell.language = form.language;
            done("/me", Tone::Good, shell.t("Saved.", "Enregistré.", "Gespeichert."))
        }
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}

#[derive(Deserialize)]
struct PasswordForm {
    old: String,
    password: String,
    again: String,
}

async fn set_password(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    origin: Origin,
    Form(form): Form<PasswordForm>,
) -> Response {
    if form.password != form.again {
        return again(
            &admin,
            &shell,
            &caller,
            (StatusCode::UNPROCESSABLE_ENTITY, differ_words(&shell)),
        )
        .await;
    }
    let service = admin.service().acting_as(&caller.name);
    let passwords = (form.old.as_str(), form.password.as_str());
    let refused = match service.change_own_password(&caller.name, passwords, &origin.from).await {
        Ok(token) => {
            let words = shell.t(
                "The password is changed. Everywhere else you are signed out.",
                "Le mot de passe est changé. Vous êtes déconnecté partout ailleurs.",
                "Das Passwort ist geändert. Überall sonst sind Sie abgemeldet.",
            );
            return with_session(done("/me", Tone::Good, words), &origin, &token);
        }
        Err(refused) => refused,
    };
    let wrong_old = shell.t(
        "The present password is wrong.",
        "Le mot de passe actuel est incorrect.",
        "Das jetzige Passwort ist falsch.",
    );
    match refused {
        SignInRefused::Wrong => {
            again(&admin, &shell, &caller, (StatusCode::FORBIDDEN, wrong_old)).await
        }
        SignInRefused::TooMany => {
            let told = (StatusCode::TOO_MANY_REQUESTS, too_many_words(&shell));
            again(&admin, &shell, &caller, told).await
        }
        SignInRefused::Fault(error) if error.kind() == crate::error::Kind::Invalid => {
            let told = (StatusCode::UNPROCESSABLE_ENTITY, error.message());
            again(&admin, &shell, &caller, told).await
        }
        SignInRefused::Fault(error) => Failure::new(error, &shell).into_response(),
    }
}

async fn again(
    admin: &Admin,
    shell: &Shell,
    caller: &Caller,
    (status, wrong): (StatusCode, &str),
) -> Response {
    let mut response = show_with(admin, shell, caller, Some(wrong)).await;
    *response.status_mut() = status;
    response
}

#[derive(Deserialize)]
struct SessionForm {
    /// One session; empty: all but this one.
    #[serde(default)]
    id: String,
}

async fn end_session(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Form(form): Form<SessionForm>,
) -> Response {
    let (name, own) = (caller.name.clone(), caller.session.clone());
    let ended = admin.run(&caller.name, move |service| {
        if form.id.is_empty() {
            return service.end_all_sessions(&name, Some(&own)).map(drop);
        }
        service.end_session(&name, &form.id)
    });
    match ended.await {
        Ok(()) => {
            let words = shell.t("Ended.", "Terminé.", "Beendet.");
            done("/me", Tone::Good, words)
        }
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}
