//! Files that are handed over to a client: in a hosted folder, or on its own server.

use axum::extract::{Request, State};
use axum::http::Uri;
use serde::Deserialize;
use serde_json::json;

use super::answer::{Answer, ask, created, json_of, newest_page, one_more};
use super::ask::{Asked, At, Paging};
use super::files::file_of;
use super::imports::not_here;
use super::keyed::Reserved;
use super::problem::Problem;
use crate::admin::Admin;
use crate::admin::download::download;
use crate::admin::guard::Caller;
use crate::admin::route::{Route, of_client};
use crate::error::Result;
use crate::model::Scope;
use crate::service::Service;
use crate::service::drops::{Content, DropFilter, DropState, FileDrop, NewDrop};

pub(super) fn routes() -> Vec<Route> {
    const ALL: &str = "/api/v1/clients/{client}/drops";
    const ONE: &str = "/api/v1/clients/{client}/drops/{drop}";
    vec![
        Route::get(ALL, of_client(Scope::Read), list),
        Route::post(ALL, of_client(Scope::Run), hand_over),
        Route::get(ONE, of_client(Scope::Read), show),
        Route::get("/api/v1/clients/{client}/drops/{drop}/file", of_client(Scope::Run), read),
        Route::post("/api/v1/clients/{client}/drops/{drop}/retry", of_client(Scope::Run), retry),
        Route::post(
            "/api/v1/clients/{client}/drops/{drop}/withdraw",
            of_client(Scope::Run),
            withdraw,
        ),
    ]
}

#[derive(Deserialize)]
struct Wanted {
    folder: Option<String>,
    state: Option<String>,
}

async fn list(
    State(admin): State<Admin>,
    caller: Caller,
    uri: Uri,
    At(client): At<String>,
    Asked(wanted): Asked<Wanted>,
    Asked(paging): Asked<Paging>,
) -> Answer {
    let rows = paging.rows(&admin)?;
    let state = wanted.state.as_deref().map(|word| {
        DropState::ALL.into_iter().find(|state| json!(state) == word).ok_or_else(|| {
            let known = DropState::ALL.map(|state| json!(state).to_string()).join(", ");
            Problem::invalid("?state", format!("\"{word}\" is no state; there are {known}"))
        })
    });
    let filter = DropFilter {
        client: Some(client.clone()),
        folder: wanted.folder,
        state: state.transpose()?,
        before: paging.after_number()?,
        limit: Some(one_more(rows)),
    };
    let found = ask(&admin, &caller, move |service| {
        service.client(&client)?;
        service.drops(&filter)
    });
    newest_page(&uri, rows, found.await?, |dropped| dropped.seq)
}

#[derive(Deserialize)]
struct Target {
    folder: String,
    name: Option<String>,
}

async fn hand_over(
    State(admin): State<Admin>,
    caller: Caller,
    At(client): At<String>,
    Asked(target): Asked<Target>,
    request: Request,
) -> Answer {
    let key = request.extensions().get::<Reserved>().map(|reserved| format!("api/{}", reserved.0));
    let sent = file_of(&admin, request, admin.service().config().limits.max_upload_bytes).await?;
    let Some(name) = target.name.or(sent.name) else {
        return Err(Problem::invalid("?name", "say what the file is to be called"));
    };
    let (who, of) = (caller.name.clone(), client.clone());
    let dropped = ask(&admin, &caller, move |service| {
        let new = NewDrop {
            client: &of,
            folder: &target.folder,
            name: &name,
            content: Content::Bytes(&sent.bytes),
            origin: "by the API",
            who: &who,
            key: None,
        };
        match &key {
            Some(key) => service.drop_file_once(&new, key),
            None => service.drop_file(&new),
        }
    });
    let dropped = dropped.await?;
    created(&["clients", &client, "drops", &dropped.id], &dropped)
}

/// A file of this client.
fn one(service: &Service, client: &str, id: &str) -> Result<FileDrop> {
    let found = service.file_drop(id).ok().filter(|drop| drop.client == client);
    found.ok_or_else(|| not_here(&format!("file {id} that was handed over to {client}")))
}

async fn show(
    State(admin): State<Admin>,
    caller: Caller,
    At((client, id)): At<(String, String)>,
) -> Answer {
    json_of(&ask(&admin, &caller, move |service| one(&service, &client, &id)).await?)
}

/// What was handed over, byte for byte.
async fn read(
    State(admin): State<Admin>,
    caller: Caller,
    At((client, id)): At<(String, String)>,
) -> Answer {
    let found = ask(&admin, &caller, move |service| {
        let id = one(&service, &client, &id)?.id;
        service.dropped_file(&id)
    });
    let (dropped, file) = found.await?;
    Ok(download(file, dropped.path.name().unwrap_or_default(), dropped.bytes))
}

async fn retry(
    State(admin): State<Admin>,
    caller: Caller,
    At((client, id)): At<(String, String)>,
) -> Answer {
    let tried = ask(&admin, &caller, move |service| {
        let id = one(&service, &client, &id)?.id;
        service.retry_drop(&id)
    });
    json_of(&tried.await?)
}

async fn withdraw(
    State(admin): State<Admin>,
    caller: Caller,
    At((client, id)): At<(String, String)>,
) -> Answer {
    let who = caller.name.clone();
    let taken = ask(&admin, &caller, move |service| {
        let id = one(&service, &client, &id)?.id;
        service.withdraw_drop(&id, &who)
    });
    json_of(&taken.await?)
}
