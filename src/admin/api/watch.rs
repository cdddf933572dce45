//! Looking after the server: its health, what accounts did, addresses that are refused.

use axum::extract::State;
use axum::http::{Method, Uri};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::answer::{Answer, ask, json_of, nothing, page};
use super::ask::{Asked, At, Paging};
use super::problem::Problem;
use super::server::own_or;
use crate::admin::Admin;
use crate::admin::guard::Caller;
use crate::admin::route::{Route, of_own, of_server};
use crate::model::Scope;
use crate::service::activity::{ActivityFilter, EVENTS};

pub(super) fn routes() -> Vec<Route> {
    let (read, arrange) = (of_server(Scope::Read), of_server(Scope::Arrange));
    vec![
        Route::get("/api/v1/health", read, health),
        Route::get("/api/v1/activity", of_own(Scope::Read), activity),
        Route::get("/api/v1/bans", read, bans),
        Route::other(Method::DELETE, "/api/v1/bans/{address}", arrange, lift),
        Route::get("/api/v1/familiar-addresses", read, familiar),
    ]
}

async fn health(State(admin): State<Admin>, caller: Caller) -> Answer {
    let ends = admin.face().certificate_ends();
    json_of(&ask(&admin, &caller, move |service| Ok(service.health(ends))).await?)
}

#[derive(Deserialize)]
struct WhichDeeds {
    client: Option<String>,
    login: Option<String>,
    event: Option<String>,
    since: Option<Timestamp>,
}

async fn activity(
    State(admin): State<Admin>,
    caller: Caller,
    uri: Uri,
    Asked(which): Asked<WhichDeeds>,
    Asked(paging): Asked<Paging>,
) -> Answer {
    if let Some(event) = which.event.as_deref().filter(|event| !EVENTS.contains(event)) {
        let detail = format!("\"{event}\" is none of {}", EVENTS.join(", "));
        return Err(Problem::invalid("?event", detail));
    }
    let rows = paging.rows(&admin)?;
    let filter = ActivityFilter {
        client: own_or(&caller, which.client)?,
        login: which.login,
        event: which.event,
        since: which.since,
        before: paging.after_number()?,
        // One more than asked for says whether there is another page.
        limit: u32::try_from(rows.saturating_add(1)).unwrap_or(u32::MAX),
        ..ActivityFilter::default()
    };
    let found = ask(&admin, &caller, move |service| {
        if let Some(client) = &filter.client {
            service.client(client)?;
        }
        service.activity(&filter)
    });
    let mut found = found.await?;
    let more = found.len() > rows;
    found.truncate(rows);
    let last = found.last().filter(|_| more).map(|one| one.id.to_string());
    page(&found, last.as_deref(), &uri)
}

async fn bans(State(admin): State<Admin>, caller: Caller) -> Answer {
    json_of(&json!({ "items": ask(&admin, &caller, |service| service.bans()).await? }))
}

async fn lift(State(admin): State<Admin>, caller: Caller, At(address): At<String>) -> Answer {
    ask(&admin, &caller, move |service| service.lift_ban(&address)).await?;
    nothing()
}

#[derive(Deserialize)]
struct WhichLogin {
    login: Option<String>,
}

async fn familiar(
    State(admin): State<Admin>,
    caller: Caller,
    Asked(WhichLogin { login }): Asked<WhichLogin>,
    Asked(paging): Asked<Paging>,
) -> Answer {
    let rows = paging.rows(&admin)?;
    let mut found = ask(&admin, &caller, move |s| s.familiar_addresses(login.as_deref())).await?;
    found.truncate(rows);
    json_of(&json!({ "items": found }))
}
