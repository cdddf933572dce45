//! API tokens: made, shown once, revoked.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use serde::Deserialize;

use super::{given, refused, words};
use crate::admin::Admin;
use crate::admin::form::Form;
use crate::admin::guard::Caller;
use crate::admin::route::{Route, of_server};
use crate::admin::shell::{Failure, Shell, Tone, done, page};
use crate::model::{ApiToken, Client, Scope};
use crate::service::tokens::{NewToken, end_of_day};

pub(super) fn routes() -> Vec<Route> {
    let needs = of_server(Scope::Govern);
    vec![
        Route::get("/server/tokens", needs, list),
        Route::post("/server/tokens", needs, add),
        Route::post("/server/tokens/{id}/revoke", needs, revoke),
    ]
}

#[derive(Deserialize, Default)]
struct TokenForm {
    #[serde(default)]
    name: String,
    #[serde(default)]
    scope: Vec<Scope>,
    #[serde(default)]
    client: String,
    #[serde(default)]
    expires: String,
}

#[derive(Template)]
#[template(path = "admin/pages/server/tokens.html")]
struct TokensPage<'a> {
    p: &'a Shell,
    all: &'a [ApiToken],
    clients: &'a [Client],
    now: Timestamp,
    form: &'a TokenForm,
    wrong: Option<&'a str>,
}

impl TokensPage<'_> {
    fn is_over(&self, token: &ApiToken) -> bool {
        token.expires_at.is_some_and(|end| end <= self.now)
    }
}

async fn list(State(admin): State<Admin>, shell: Shell, caller: Caller) -> Response {
    let form = TokenForm { scope: vec![Scope::Read], ..TokenForm::default() };
    show(&admin, &shell, &caller, &form, None).await
}

async fn show(
    admin: &Admin,
    shell: &Shell,
    caller: &Caller,
    form: &TokenForm,
    wrong: Option<&str>,
) -> Response {
    let now = admin.service().clock().now();
    let found = admin.run(&caller.name, |service| Ok((service.api_tokens()?, service.clients()?)));
    match found.await {
        Ok((all, clients)) => {
            page(&TokensPage { p: shell, all: &all, clients: &clients, now, form, wrong })
        }
        Err(error) => Failure::new(error, shell).into_response(),
    }
}

#[derive(Template)]
#[template(path = "admin/pages/server/token_made.html")]
struct MadePage<'a> {
    p: &'a Shell,
    about: &'a ApiToken,
    token: &'a str,
    url: &'a str,
}

async fn add(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Form(form): Form<TokenForm>,
) -> Response {
    let (name, client, scopes) = (form.name.clone(), given(&form.client), form.scope.clone());
    let last_day = given(&form.expires);
    let made = admin.run(&caller.name, move |service| {
        let expires_at = last_day.as_deref().map(end_of_day).transpose()?;
        service.add_api_token(&NewToken { name, client, scopes, expires_at })
    });
    match made.await {
        Ok((about, token)) => {
            let url = admin.base_url();
            page(&MadePage { p: &shell, about: &about, token: &token, url: &url })
        }
        Err(error) => refused(show(&admin, &shell, &caller, &form, Some(error.message())).await),
    }
}

async fn revoke(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(id): Path<i64>,
) -> Response {
    match admin.run(&caller.name, move |service| service.revoke_api_token(id)).await {
        Ok(gone) => {
            let words = shell.t(
                "Refused from now on:",
                "Refusé à partir de maintenant\u{a0}:",
                "Wird ab sofort abgelehnt:",
            );
            done("/server/tokens", Tone::Good, &format!("{words} {}", gone.name))
        }
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}
