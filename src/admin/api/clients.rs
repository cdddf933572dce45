//! Clients: list, add, change, erase.

use axum::extract::State;
use axum::http::{Method, StatusCode, Uri};
use serde::{Deserialize, Serialize};

use super::answer::{Answer, ask, created, json_of, nothing, sorted_page};
use super::ask::{Asked, At, Paging, Sent, given};
use super::problem::Problem;
use crate::admin::Admin;
use crate::admin::guard::Caller;
use crate::admin::route::{Route, of_client, of_own, of_server};
use crate::config::Retention;
use crate::error::Result;
use crate::model::{Account, Client, Language, Scope};
use crate::service::Service;
use crate::service::clients::{ClientPatch, ClientRetention, NewClient, RetentionPatch};

pub(super) fn routes() -> Vec<Route> {
    const ONE: &str = "/api/v1/clients/{client}";
    vec![
        Route::get("/api/v1/clients", of_own(Scope::Read), list),
        Route::post("/api/v1/clients", of_server(Scope::Arrange), add),
        Route::get(ONE, of_client(Scope::Read), show),
        Route::other(Method::PATCH, ONE, of_client(Scope::Arrange), change),
        Route::other(Method::DELETE, ONE, of_client(Scope::Govern), erase),
    ]
}

/// A client as `client show --json` prints it.
#[derive(Serialize)]
struct ClientView {
    #[serde(flatten)]
    client: Client,
    /// What holds for it all in all.
    retention: Retention,
    /// What of that is its own.
    own_retention: ClientRetention,
    accounts: Vec<Account>,
}

fn view(service: &Service, slug: &str) -> Result<ClientView> {
    let client = service.client(slug)?;
    let (own_retention, retention) = service.client_retention(slug)?;
    let accounts = service.accounts(Some(slug))?;
    Ok(ClientView { client, retention, own_retention, accounts })
}

async fn list(
    State(admin): State<Admin>,
    caller: Caller,
    uri: Uri,
    Asked(paging): Asked<Paging>,
) -> Answer {
    let mut clients = ask(&admin, &caller, |service| service.clients()).await?;
    clients.retain(|client| caller.sees(&client.slug));
    sorted_page(&admin, &uri, &paging, clients, |client| client.slug.clone())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    slug: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    language: Language,
    #[serde(default)]
    time_zone: Option<String>,
}

async fn add(State(admin): State<Admin>, caller: Caller, Sent(new): Sent<New>) -> Answer {
    let new = NewClient {
        slug: new.slug,
        name: new.name,
        language: new.language,
        time_zone: new.time_zone.unwrap_or_else(|| "UTC".to_owned()),
    };
    let added = ask(&admin, &caller, move |service| {
        let slug = service.add_client(new)?.slug;
        view(&service, &slug)
    });
    let added = added.await?;
    created(&["clients", &added.client.slug], &added)
}

async fn show(State(admin): State<Admin>, caller: Caller, At(slug): At<String>) -> Answer {
    json_of(&ask(&admin, &caller, move |service| view(&service, &slug)).await?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    name: Option<String>,
    language: Option<Language>,
    time_zone: Option<String>,
    enabled: Option<bool>,
    #[serde(default)]
    own_retention: Kept,
}

/// What is to be kept otherwise; `null`: as the server's own setting says.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Kept {
    #[serde(deserialize_with = "given")]
    archive_days: Option<Option<u32>>,
    #[serde(deserialize_with = "given")]
    reports_days: Option<Option<u32>>,
    #[serde(deserialize_with = "given")]
    history_days: Option<Option<u32>>,
    #[serde(deserialize_with = "given")]
    pseudonymise_after_months: Option<Option<u32>>,
}

impl From<Kept> for RetentionPatch {
    fn from(kept: Kept) -> Self {
        Self {
            archive_days: kept.archive_days,
            reports_days: kept.reports_days,
            history_days: kept.history_days,
            pseudonymise_after_months: kept.pseudonymise_after_months,
        }
    }
}

async fn change(
    State(admin): State<Admin>,
    caller: Caller,
    At(slug): At<String>,
    Sent(change): Sent<Change>,
) -> Answer {
    let changed = ask(&admin, &caller, move |service| {
        let patch = ClientPatch {
            name: change.name,
            language: change.language,
            time_zone: change.time_zone,
            enabled: change.enabled,
            retention: change.own_retention.into(),
        };
        service.set_client(&slug, &patch)?;
        view(&service, &slug)
    });
    json_of(&changed.await?)
}

#[derive(Deserialize)]
struct Confirmed {
    #[serde(default)]
    confirm: String,
}

async fn erase(
    State(admin): State<Admin>,
    caller: Caller,
    At(slug): At<String>,
    Asked(Confirmed { confirm }): Asked<Confirmed>,
) -> Answer {
    if confirm != slug {
        let detail = format!(
            "to erase {slug} with all its users, files and accounts for good, add ?confirm={slug}"
        );
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "unconfirmed", detail));
    }
    // It is erased either way; its name leaves the registry's log by itself.
    ask(&admin, &caller, move |service| service.erase_client(&slug).map(drop)).await?;
    nothing()
}
