//! Reference lists of a client: departments, legal entities and the like.

use axum::extract::{Request, State};
use axum::http::Method;
use serde::Deserialize;
use serde_json::json;

use super::answer::{Answer, ask, json_of};
use super::ask::{Asked, At, Sent};
use super::files::file_of;
use crate::admin::Admin;
use crate::admin::guard::Caller;
use crate::admin::route::{Route, of_client};
use crate::model::Scope;
use crate::service::lists::Others;

pub(super) fn routes() -> Vec<Route> {
    const ALL: &str = "/api/v1/clients/{client}/lists";
    const ONE: &str = "/api/v1/clients/{client}/lists/{list}";
    const ENTRIES: &str = "/api/v1/clients/{client}/lists/{list}/entries";
    const ENTRY: &str = "/api/v1/clients/{client}/lists/{list}/entries/{code}";
    const ACCEPT: &str = "/api/v1/clients/{client}/lists/{list}/accept";
    vec![
        Route::get(ALL, of_client(Scope::Read), list),
        Route::get("/api/v1/clients/{client}/list-history", of_client(Scope::Read), history),
        Route::get(ONE, of_client(Scope::Read), show),
        Route::other(Method::PUT, ONE, of_client(Scope::Arrange), load),
        Route::post(ENTRIES, of_client(Scope::Arrange), add),
        Route::other(Method::DELETE, ENTRY, of_client(Scope::Arrange), remove),
        Route::post(ACCEPT, of_client(Scope::Arrange), accept),
    ]
}

async fn list(State(admin): State<Admin>, caller: Caller, At(client): At<String>) -> Answer {
    let found = ask(&admin, &caller, move |service| service.lists(&client, None)).await?;
    json_of(&json!({ "items": found }))
}

async fn history(State(admin): State<Admin>, caller: Caller, At(client): At<String>) -> Answer {
    let found = ask(&admin, &caller, move |service| service.list_history(&client, None)).await?;
    json_of(&json!({ "items": found }))
}

async fn show(
    State(admin): State<Admin>,
    caller: Caller,
    At((client, list)): At<(String, String)>,
) -> Answer {
    let found = ask(&admin, &caller, move |service| service.lists(&client, Some(&list))).await?;
    json_of(&json!({ "items": found }))
}

#[derive(Deserialize)]
struct Replace {
    #[serde(default)]
    replace: bool,
}

async fn load(
    State(admin): State<Admin>,
    caller: Caller,
    At((client, list)): At<(String, String)>,
    Asked(Replace { replace }): Asked<Replace>,
    request: Request,
) -> Answer {
    let sent = file_of(&admin, request, admin.service().config().limits.max_import_bytes).await?;
    let others = if replace { Others::Go } else { Others::Stay };
    let who = caller.name.clone();
    let done = ask(&admin, &caller, move |service| {
        service.load_list(&client, &list, &sent.bytes, others, &who)
    });
    json_of(&done.await?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    code: String,
    name: Option<String>,
}

async fn add(
    State(admin): State<Admin>,
    caller: Caller,
    At((client, list)): At<(String, String)>,
    Sent(Entry { code, name }): Sent<Entry>,
) -> Answer {
    let who = caller.name.clone();
    let done = ask(&admin, &caller, move |service| {
        service.add_list_entry(&client, &list, &code, name.as_deref(), &who)
    });
    json_of(&done.await?)
}

async fn remove(
    State(admin): State<Admin>,
    caller: Caller,
    At((client, list, code)): At<(String, String, String)>,
) -> Answer {
    let who = caller.name.clone();
    let done = ask(&admin, &caller, move |service| {
        service.remove_list_entries(&client, &list, &[code], &who)
    });
    json_of(&done.await?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Codes {
    #[serde(default)]
    codes: Vec<String>,
}

async fn accept(
    State(admin): State<Admin>,
    caller: Caller,
    At((client, list)): At<(String, String)>,
    Sent(Codes { codes }): Sent<Codes>,
) -> Answer {
    let who = caller.name.clone();
    let done = ask(&admin, &caller, move |service| {
        service.accept_list_entries(&client, &list, &codes, &who)
    });
    json_of(&done.await?)
}
