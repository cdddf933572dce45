//! Administrators: who they are; adding one ends with a link that is shown once.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::{given, refused, words};
use crate::admin::Admin;
use crate::admin::form::Form;
use crate::admin::guard::Caller;
use crate::admin::route::{Route, of_server};
use crate::admin::shell::{Failure, Shell, page};
use crate::error::Result;
use crate::model::{Administrator, Client, Language, Role, Scope};
use crate::service::Service;
use crate::service::administrators::NewAdministrator;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/server/administrators", of_server(Scope::Govern), list),
        Route::get("/server/administrators/new", of_server(Scope::Govern), new),
        Route::post("/server/administrators/new", of_server(Scope::Govern), add),
    ]
}

#[derive(Template)]
#[template(path = "admin/pages/server/administrators.html")]
struct ListPage<'a> {
    p: &'a Shell,
    all: &'a [Administrator],
}

async fn list(State(admin): State<Admin>, shell: Shell, caller: Caller) -> Response {
    match admin.run(&caller.name, |service| service.administrators()).await {
        Ok(all) => page(&ListPage { p: &shell, all: &all }),
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}

/// The form for somebody new, as it was typed.
#[derive(Deserialize)]
struct NewForm {
    #[serde(default)]
    name: String,
    role: Role,
    #[serde(default)]
    client: String,
    language: Language,
}

#[derive(Template)]
#[template(path = "admin/pages/server/administrator_new.html")]
struct NewPage<'a> {
    p: &'a Shell,
    clients: &'a [Client],
    form: &'a NewForm,
    wrong: Option<&'a str>,
}

async fn new(State(admin): State<Admin>, shell: Shell, caller: Caller) -> Response {
    let form = NewForm {
        name: String::new(),
        role: Role::Operator,
        client: String::new(),
        language: shell.language,
    };
    show_new(&admin, &shell, &caller, &form, None).await
}

async fn show_new(
    admin: &Admin,
    shell: &Shell,
    caller: &Caller,
    form: &NewForm,
    wrong: Option<&str>,
) -> Response {
    match admin.run(&caller.name, |service| service.clients()).await {
        Ok(clients) => page(&NewPage { p: shell, clients: &clients, form, wrong }),
        Err(error) => Failure::new(error, shell).into_response(),
    }
}

/// The client of a role: the list stands in the form for every role and counts for one only.
pub(super) fn client_of(role: Role, client: &str) -> Option<String> {
    if role == Role::Client { given(client) } else { None }
}

async fn add(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Form(form): Form<NewForm>,
) -> Response {
    let new = NewAdministrator {
        name: form.name.clone(),
        role: form.role,
        client: client_of(form.role, &form.client),
        language: form.language,
    };
    let added = admin.run(&caller.name, move |service| add_and_invite(&service, &new)).await;
    match added {
        Ok((added, token)) => link_page(&admin, &shell, &added.name, &token),
        Err(error) => {
            refused(show_new(&admin, &shell, &caller, &form, Some(error.message())).await)
        }
    }
}

fn add_and_invite(service: &Service, new: &NewAdministrator) -> Result<(Administrator, String)> {
    let added = service.add_administrator(new, None)?;
    let token = service.invite_administrator(&added.name)?;
    Ok((added, token))
}

#[derive(Template)]
#[template(path = "admin/pages/server/administrator_link.html")]
struct LinkPage<'a> {
    p: &'a Shell,
    name: &'a str,
    link: &'a str,
    hours: u64,
}

/// The link, this once.
pub(super) fn link_page(admin: &Admin, shell: &Shell, name: &str, token: &str) -> Response {
    let link = format!("{}/set-up/{token}", admin.base_url());
    let hours = u64::from(admin.service().config().admin.invitation_hours);
    page(&LinkPage { p: shell, name, link: &link, hours })
}
