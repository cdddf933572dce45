//! In and out: signing in, signing out, and the link by which somebody chooses their password.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::{Extensions, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::Admin;
use super::form::Form;
use super::guard::{Caller, peer, session_cookie, session_token};
use super::route::{Needs, Route};
use super::shell::{Failure, Shell, page};
use crate::error::Kind;
use crate::model::Administrator;
use crate::service::administrators::Invited;
use crate::service::sign_in::{From, SignInRefused};

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
    /// Something was sent after the session had ended.
    lost: bool,
    wrong: Option<&'a str>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Asked {
    next: String,
    lost: String,
}

#[derive(Deserialize)]
struct SignIn {
    name: String,
    password: String,
    #[serde(default)]
    next: String,
}

async fn show_sign_in(shell: Shell, Query(asked): Query<Asked>) -> Response {
    let (next, lost) = (own_path(&asked.next), asked.lost == "1");
    page(&SignInPage { p: &shell, name: "", next, lost, wrong: None })
}

/// Where to go after signing in: an address of ours and nothing else (no open redirect).
pub(super) fn own_path(next: &str) -> &str {
    let plain = next.chars().all(|c| c.is_ascii_graphic() && c != '\\');
    if plain && next.starts_with('/') && !next.starts_with("//") { next } else { "/" }
}

/// Where a request comes from.
pub(super) struct Origin {
    pub(super) from: From,
    /// The session that its cookie names, valid or not.
    pub(super) before: Option<String>,
    /// What the cookie of a new session depends on.
    pub(super) extensions: Extensions,
}

impl axum::extract::FromRequestParts<Admin> for Origin {
    type Rejection = std::convert::Infallible;
    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        _: &Admin,
    ) -> Result<Self, Self::Rejection> {
        let agent = parts.headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok());
        let from = From { peer: peer(&parts.extensions), agent: agent.unwrap_or("").to_owned() };
        let before = session_token(&parts.headers, &parts.extensions);
        Ok(Self { from, before, extensions: parts.extensions.clone() })
    }
}

async fn sign_in(
    State(admin): State<Admin>,
    shell: Shell,
    origin: Origin,
    Form(form): Form<SignIn>,
) -> Response {
    let (status, wrong) =
        match admin.service().sign_in(&form.name, &form.password, &origin.from).await {
            Ok((_, token)) => {
                // Whoever sat here before, or planted a session here, has none any more.
                if let Some(before) = &origin.before {
                    let before = before.clone();
                    let ended = admin.run("", move |service| service.sign_out(&before)).await;
                    if let Err(error) = ended {
                        return Failure::new(error, &shell).into_response();
                    }
                }
                return enter(&origin, &token, own_path(&form.next));
            }
            Err(SignInRefused::Fault(error)) => return Failure::new(error, &shell).into_response(),
            Err(SignInRefused::Wrong) => (StatusCode::FORBIDDEN, wrong_words(&shell)),
            Err(SignInRefused::TooMany) => (StatusCode::TOO_MANY_REQUESTS, too_many_words(&shell)),
        };
    let next = own_path(&form.next);
    let (p, name, wrong) = (&shell, form.name.as_str(), Some(wrong));
    let mut response = page(&SignInPage { p, name, next, lost: false, wrong });
    *response.status_mut() = status;
    response
}

fn wrong_words(shell: &Shell) -> &'static str {
    shell.t(
        "The name or the password is wrong.",
        "Le nom ou le mot de passe est incorrect.",
        "Der Name oder das Passwort ist falsch.",
    )
}

/// Why nobody is let in from an address for a while.
pub(super) fn too_many_words(shell: &Shell) -> &'static str {
    shell.t(
        "There were too many attempts from your address. Wait a few minutes, then try again.",
        "Trop de tentatives ont été faites depuis votre adresse. Attendez quelques minutes, puis réessayez.",
        "Von Ihrer Adresse kamen zu viele Versuche. Warten Sie einige Minuten und versuchen Sie es dann erneut.",
    )
}

/// Goes on with the cookie of a session; an empty token takes it away.
pub(super) fn enter(origin: &Origin, token: &str, path: &str) -> Response {
    with_session(Redirect::to(path).into_response(), origin, token)
}

/// The same with an answer that says something.
pub(super) fn with_session(mut response: Response, origin: &Origin, token: &str) -> Response {
    let cookie = session_cookie(&origin.extensions, token);
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}

async fn sign_out(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    origin: Origin,
) -> Response {
    let session = caller.session.clone();
    match admin.run(&caller.name, move |service| service.sign_out(&session)).await {
        Ok(()) => enter(&origin, "", "/sign-in"),
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
    origin: Origin,
    Path(token): Path<String>,
    Form(form): Form<SetUp>,
) -> Response {
    let sent = token.clone();
    let invited = match admin.run("", move |service| service.invitation(&sent)).await {
        Ok(invited) => invited,
        Err(error) => return Failure::new(error, &shell).into_response(),
    };
    if form.password != form.again {
        let wrong = differ_words(&shell);
        return refused_set_up(&shell, &token, &invited, &form.name, wrong);
    }
    let (sent, name, language) = (token.clone(), form.name.clone(), shell.language);
    let from = origin.from.clone();
    let accepted = admin
        .run("", move |service| {
            let administrator =
                service.accept_invitation(&sent, &name, &form.password, language)?;
            service.begin_session(&administrator, &from)
        })
        .await;
    match accepted {
        Ok(session) => enter(&origin, &session, "/"),
        // The link ended meanwhile: somebody else was quicker.
        Err(error) if error.kind() == Kind::NotFound => Failure::new(error, &shell).into_response(),
        Err(error) => refused_set_up(&shell, &token, &invited, &form.name, error.message()),
    }
}

/// Two passwords that should be the same are not.
pub(super) fn differ_words(shell: &Shell) -> &'static str {
    shell.t(
        "The two passwords differ; write the same one twice.",
        "Les deux mots de passe diffèrent\u{a0}; écrivez deux fois le même.",
        "Die beiden Passwörter sind verschieden; bitte zweimal dasselbe schreiben.",
    )
}

fn refused_set_up(
    shell: &Shell,
    token: &str,
    invited: &Invited,
    name: &str,
    wrong: &str,
) -> Response {
    let mut response = set_up_page(shell, token, invited, name, Some(wrong));
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    response
}
