//! The server: who asks, events, alarms, schedule, tokens.

use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::{Method, Uri};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::answer::{
    Answer, ask, created, json_of, newest_page, nothing, one_more, sorted_page, value,
};
use super::ask::{Asked, At, Paging, Sent};
use super::keyed::KeepInstead;
use super::problem::Problem;
use crate::admin::Admin;
use crate::admin::guard::Caller;
use crate::admin::route::{Route, of_own, of_server};
use crate::model::{EventKind, Scope};
use crate::service::audit::AuditFilter;
use crate::service::events::EventFilter;
use crate::service::tokens::NewToken;

/// How often somebody who waits for events looks for new ones.
const LOOK_EVERY: Duration = Duration::from_millis(250);

pub(super) fn routes() -> Vec<Route> {
    let own = of_own(Scope::Read);
    vec![
        Route::get("/api/v1/me", own, me),
        Route::get("/api/v1/events", own, events),
        Route::get("/api/v1/alarms", own, alarms),
        Route::get("/api/v1/schedule", own, schedule),
        Route::get("/api/v1/audit", of_server(Scope::Read), audit),
        Route::get("/api/v1/tokens", of_server(Scope::Govern), tokens),
        Route::post("/api/v1/tokens", of_server(Scope::Govern), add_token),
        Route::other(
            Method::DELETE,
            "/api/v1/tokens/{token}",
            of_server(Scope::Govern),
            revoke_token,
        ),
    ]
}

async fn me(State(admin): State<Admin>, caller: Caller) -> Answer {
    json_of(&json!({
        "name": caller.name,
        "client": caller.client,
        "scopes": caller.scopes,
        "version": env!("CARGO_PKG_VERSION"),
        "time": admin.service().clock().now(),
    }))
}

#[derive(Deserialize)]
struct Since {
    #[serde(default)]
    after: i64,
    client: Option<String>,
    #[serde(default)]
    kinds: String,
    #[serde(default)]
    wait: u64,
}

async fn events(
    State(admin): State<Admin>,
    caller: Caller,
    Asked(since): Asked<Since>,
    Asked(paging): Asked<Paging>,
) -> Answer {
    let most = admin.service().config().admin.api_max_wait_s;
    if since.wait > most {
        let detail = format!("{} is not from 0 to {most}", since.wait);
        return Err(Problem::invalid("?wait", detail));
    }
    let kind =
        |word: &str| word.parse::<EventKind>().map_err(|why| Problem::invalid("?kinds", why));
    let words = since.kinds.split(',').map(str::trim).filter(|word| !word.is_empty());
    let filter = EventFilter {
        after: since.after,
        client: own_or(&caller, since.client)?,
        kinds: words.map(kind).collect::<Result<_, _>>()?,
        limit: u32::try_from(paging.rows(&admin)?).unwrap_or(u32::MAX),
    };
    let until = Instant::now() + Duration::from_secs(since.wait);
    loop {
        let wanted = filter.clone();
        let found = ask(&admin, &caller, move |service| service.events(&wanted)).await?;
        if !found.events.is_empty() || found.gap || Instant::now() >= until {
            return json_of(&json!({
                "items": found.events, "after": found.next, "more": found.more, "gap": found.gap,
            }));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// The client that is asked about, which must be the caller's own where they have one.
///
/// # Errors
/// 403 for another's.
pub(super) fn own_or(caller: &Caller, wanted: Option<String>) -> Result<Option<String>, Problem> {
    match (&caller.client, wanted) {
        (Some(own), Some(client)) if *own != client => Err(crate::error::Error::new(
            crate::error::Kind::Denied,
            "this is not for you to see or do; ask an administrator for the right",
        )
        .into()),
        (Some(own), _) => Ok(Some(own.clone())),
        (None, wanted) => Ok(wanted),
    }
}

#[derive(Deserialize)]
struct WhichAlarms {
    client: Option<String>,
    #[serde(default)]
    all: bool,
}

async fn alarms(
    State(admin): State<Admin>,
    caller: Caller,
    Asked(which): Asked<WhichAlarms>,
    Asked(paging): Asked<Paging>,
) -> Answer {
    let client = own_or(&caller, which.client)?;
    let rows = u32::try_from(paging.rows(&admin)?).unwrap_or(u32::MAX);
    let found = ask(&admin, &caller, move |s| s.alarms(client.as_deref(), which.all, rows));
    json_of(&json!({ "items": found.await? }))
}

#[derive(Deserialize)]
struct WhichClient {
    client: Option<String>,
}

async fn schedule(
    State(admin): State<Admin>,
    caller: Caller,
    Asked(which): Asked<WhichClient>,
) -> Answer {
    let client = own_or(&caller, which.client)?;
    let found = ask(&admin, &caller, move |service| service.schedule(client.as_deref())).await?;
    json_of(&json!({ "items": found }))
}

#[derive(Deserialize)]
struct WhichEntries {
    who: Option<String>,
    what: Option<String>,
    text: Option<String>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

async fn audit(
    State(admin): State<Admin>,
    caller: Caller,
    uri: Uri,
    Asked(which): Asked<WhichEntries>,
    Asked(paging): Asked<Paging>,
) -> Answer {
    let rows = paging.rows(&admin)?;
    let filter = AuditFilter {
        who: which.who,
        what: which.what,
        text: which.text,
        from: which.from,
        to: which.to,
        before: paging.after_number()?,
        limit: one_more(rows),
    };
    let found = ask(&admin, &caller, move |service| service.audit(&filter)).await?;
    newest_page(&uri, rows, found, |entry| entry.id)
}

async fn tokens(
    State(admin): State<Admin>,
    caller: Caller,
    uri: Uri,
    Asked(paging): Asked<Paging>,
) -> Answer {
    let mut found = ask(&admin, &caller, |service| service.api_tokens()).await?;
    found.sort_by_key(|token| token.id);
    sorted_page(&admin, &uri, &paging, found, |token| format!("{:020}", token.id))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    name: String,
    client: Option<String>,
    scopes: Vec<Scope>,
    expires_at: Option<Timestamp>,
}

async fn add_token(State(admin): State<Admin>, caller: Caller, Sent(new): Sent<New>) -> Answer {
    if let Some(scope) = new.scopes.iter().find(|scope| !caller.has(**scope)) {
        let detail = format!("{scope}: nobody hands out what they may not do themselves");
        return Err(Problem::invalid("/scopes", detail));
    }
    let New { name, client, scopes, expires_at } = new;
    let new = NewToken { name, client, scopes, expires_at };
    let (token, text) = ask(&admin, &caller, move |s| s.add_api_token(&new)).await?;
    let mut shown = value(&token)?;
    let mut put = |text: Option<String>| {
        if let Some(object) = shown.as_object_mut() {
            object.insert("token".to_owned(), json!(text));
        }
        shown.clone()
    };
    let (kept, whole) = (put(None), put(Some(text)));
    let mut response = created(&["tokens", &token.id.to_string()], &whole)?;
    response.extensions_mut().insert(KeepInstead(kept.to_string()));
    Ok(response)
}

async fn revoke_token(State(admin): State<Admin>, caller: Caller, At(id): At<i64>) -> Answer {
    ask(&admin, &caller, move |service| service.revoke_api_token(id)).await?;
    nothing()
}
