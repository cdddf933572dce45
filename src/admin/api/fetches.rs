//! Import folders on clients' own servers: look there now, and what was seen and fetched.

use axum::extract::State;
use serde::Deserialize;
use serde_json::json;

use super::answer::{Answer, ask, json_of};
use super::ask::{Asked, At, Paging};
use crate::admin::Admin;
use crate::admin::guard::Caller;
use crate::admin::route::{Route, of_client};
use crate::model::Scope;

pub(super) fn routes() -> Vec<Route> {
    const NOW: &str = "/api/v1/clients/{client}/folders/{folder}/fetch";
    vec![
        Route::post(NOW, of_client(Scope::Run), now),
        Route::get("/api/v1/clients/{client}/fetches", of_client(Scope::Read), list),
    ]
}

async fn now(
    State(admin): State<Admin>,
    caller: Caller,
    At((client, folder)): At<(String, String)>,
) -> Answer {
    json_of(&ask(&admin, &caller, move |service| service.fetch(&client, &folder)).await?)
}

#[derive(Deserialize)]
struct Wanted {
    folder: Option<String>,
}

async fn list(
    State(admin): State<Admin>,
    caller: Caller,
    At(client): At<String>,
    Asked(Wanted { folder }): Asked<Wanted>,
    Asked(paging): Asked<Paging>,
) -> Answer {
    let rows = u32::try_from(paging.rows(&admin)?).unwrap_or(u32::MAX);
    let found = ask(&admin, &caller, move |service| {
        let files = service.seen_files(&client, folder.as_deref(), rows)?;
        Ok((service.polls(&client)?, files))
    });
    let (folders, files) = found.await?;
    json_of(&json!({ "folders": folders, "files": files }))
}
