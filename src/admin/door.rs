//! In and out: signing in, signing out, and the link by which somebody chooses their password.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::Admin;
use super::form::Form;
use super::guard::{Caller, peer, session_cookie};
use super::route::{Needs, Route};
use super::shell::{Failure, Shell, page};
use crate::model::Administrator;
use crate::service::administrators::{From, Invited};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/sign-in", Needs::Nothing, show_sign_in),
        Route::post("/sign-in", Needs::Nothing, sign_in),
        Route::post("/sign-out", Needs::SignedIn, sign_out),
        Route::get("/set-up/{token}", Needs::Nothing, show_set_up),
        Route::post("/set-up/{token}", Needs::Nothing, set_up),
    ]
}

#[derive(Template)]
#[template(path = "admin/sign_in.html")]
struct SignInPage<'a> {
    p: &'a Shell,
    name: &'a str,
    next: &'a str,
    wrong: bool,
}

#[derive(Deserialize)]
struct Next {
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
struct SignIn {
    name: String,
    password: String,
    #[serde(default)]
    next: String,
}

async fn show_sign_in(shell: Shell, Query(query): Query<Next>) -> Response {
    page(&SignInPage { p: &shell, name: "", next: own_path(&query.next), wrong: false })
}

/// Where to go after signing in: an address of ours and nothing else (no open redirect).
pub(super) fn own_path(next: &str) -> &str {
    let plain = next.chars().all(|c| c.is_ascii_graphic() && c != '\\');
    if plain && next.starts_with('/') && !next.starts_with("//") { next } else { "/" }
}

/// Where a request comes from.
struct Origin(From);

impl axum::extract::FromRequestParts<Admin> for Origin {
    type Rejection = std::convert::Infallible;
    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        _: &Admin,
    ) -> Result<Self, Self::Rejection> {
        let agent = parts.headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok());
        Ok(Self(From { peer: peer(&parts.extensions), agent: agent.unwrap_or("").to_owned() }))
    }
}

async fn sign_in(
    State(admin): State<Admin>,
    shell: Shell,
    Origin(from): Origin,
    Form(form): Form<SignIn>,
) -> Response {
    match admin.service().sign_in(&form.name, &form.password, &from).await {
        Ok((_, token)) => enter(&admin, &token, own_path(&form.next)),
        Err(error) if error.kind() == crate::error::Kind::Denied => {
            let next = own_path(&form.next);
            let mut response = page(&SignInPage { p: &shell, name: &form.name, next, wrong: true });
            *response.status_mut() = axum::http::StatusCode::FORBIDDEN;
            response
        }
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}

fn enter(admin: &Admin, token: &str, path: &str) -> Response {
    let mut response = Redirect::to(path).into_response();
    response.headers_mut().append(header::SET_COOKIE, session_cookie(admin, token));
    response
}

async fn sign_out(State(admin): State<Admin>, shell: Shell, caller: Caller) -> Response {
    let session = caller.session.clone();
    match admin.run(&caller.name, move |service| service.sign_out(&session)).await {
        Ok(()) => enter(&admin, "", "/sign-in"),
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}

#[derive(Template)]
#[template(path = "admin/set_up.html")]
struct SetUpPage<'a> {
    p: &'a Shell,
    token: &'a str,
    /// `None`: the first administrator chooses the name too.
    known: Option<&'a Administrator>,
    name: &'a str,
    wrong: Option<&'a str>,
}

#[derive(Deserialize)]
struct SetUp {
    #[serde(default)]
    name: String,
    password: String,
    again: String,
}

async fn show_set_up(
    State(admin): State<Admin>,
    shell: Shell,
    Path(token): Path<String>,
) -> Response {
    let sent = token.clone();
    match admin.run("", move |service| service.invitation(&sent)).await {
        Ok(invited) => set_up_page(&shell, &token, &invited, "", None),
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}

fn set_up_page(
    shell: &Shell,
    token: &str,
    invited: &Invited,
    name: &str,
    wrong: Option<&str>,
) -> Response {
    let known = match invited {
        Invited::First => None,
        Invited::Known(administrator) => Some(administrator),
    };
    page(&SetUpPage { p: shell, token, known, name, wrong })
}

async fn set_up(
    State(admin): State<Admin>,
    shell: Shell,
    Origin(from): Origin,
    Path(token): Path<String>,
    Form(form): Form<SetUp>,
) -> Response {
    let sent = token.clone();
    let invited = match admin.run("", move |service| service.invitation(&sent)).await {
        Ok(invited) => invited,
        Err(error) => return Failure::new(error, &shell).into_response(),
    };
    if form.password != form.again {
        let wrong = shell.t(
            "The two passwords differ; write the same one twice.",
            "Les deux mots de passe diffèrent\u{a0}; écrivez deux fois le même.",
            "Die beiden Passwörter sind verschieden; bitte zweimal dasselbe schreiben.",
        );
        return set_up_page(&shell, &token, &invited, &form.name, Some(wrong));
    }
    let (sent, name, language) = (token.clone(), form.name.clone(), shell.language);
    let accepted = admin
        .run("", move |service| {
            let administrator =
                service.accept_invitation(&sent, &name, &form.password, language)?;
            service.begin_session(&administrator, &from)
        })
        .await;
    match accepted {
        Ok(session) => enter(&admin, &session, "/"),
        Err(error) => set_up_page(&shell, &token, &invited, &form.name, Some(error.message())),
    }
}
