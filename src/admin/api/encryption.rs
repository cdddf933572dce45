//! OpenPGP keys of a client: ours, and those of its partners.

use axum::extract::State;
use axum::http::Method;
use serde::Deserialize;
use serde_json::json;

use super::answer::{Answer, ask, created, json_of, nothing};
use super::ask::{At, Sent};
use crate::admin::Admin;
use crate::admin::guard::Caller;
use crate::admin::route::{Route, of_client};
use crate::model::Scope;

pub(super) fn routes() -> Vec<Route> {
    const KEYS: &str = "/api/v1/clients/{client}/pgp-keys";
    const PARTNERS: &str = "/api/v1/clients/{client}/pgp-partners";
    const PARTNER: &str = "/api/v1/clients/{client}/pgp-partners/{pgp}";
    let (read, arrange) = (of_client(Scope::Read), of_client(Scope::Arrange));
    vec![
        Route::get(KEYS, read, keys),
        Route::post(KEYS, arrange, make),
        Route::get("/api/v1/clients/{client}/pgp-keys/{pgp}", read, key),
        Route::post("/api/v1/clients/{client}/pgp-keys/{pgp}/retire", arrange, retire),
        Route::get(PARTNERS, read, partners),
        Route::post(PARTNERS, arrange, add_partner),
        Route::get(PARTNER, read, partner),
        Route::other(Method::DELETE, PARTNER, arrange, remove_partner),
    ]
}

async fn keys(State(admin): State<Admin>, caller: Caller, At(client): At<String>) -> Answer {
    json_of(&json!({ "items": ask(&admin, &caller, move |s| s.pgp_keys(&client)).await? }))
}

async fn make(State(admin): State<Admin>, caller: Caller, At(client): At<String>) -> Answer {
    let of = client.clone();
    let made = ask(&admin, &caller, move |service| service.make_pgp_key(&of)).await?;
    created(&["clients", &client, "pgp-keys", &made.fingerprint], &made)
}

async fn key(
    State(admin): State<Admin>,
    caller: Caller,
    At((client, end)): At<(String, String)>,
) -> Answer {
    json_of(&ask(&admin, &caller, move |service| service.pgp_key(&client, Some(&end))).await?)
}

async fn retire(
    State(admin): State<Admin>,
    caller: Caller,
    At((client, end)): At<(String, String)>,
) -> Answer {
    json_of(&ask(&admin, &caller, move |service| service.retire_pgp_key(&client, &end)).await?)
}

async fn partners(State(admin): State<Admin>, caller: Caller, At(client): At<String>) -> Answer {
    json_of(&json!({ "items": ask(&admin, &caller, move |s| s.pgp_partners(&client)).await? }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPartner {
    public_key: String,
    name: Option<String>,
}

async fn add_partner(
    State(admin): State<Admin>,
    caller: Caller,
    At(client): At<String>,
    Sent(NewPartner { public_key, name }): Sent<NewPartner>,
) -> Answer {
    let of = client.clone();
    let added = ask(&admin, &caller, move |service| {
        service.add_pgp_partner(&of, public_key.as_bytes(), name.as_deref())
    });
    let added = added.await?;
    created(&["clients", &client, "pgp-partners", &added.fingerprint], &added)
}

async fn partner(
    State(admin): State<Admin>,
    caller: Caller,
    At((client, end)): At<(String, String)>,
) -> Answer {
    json_of(&ask(&admin, &caller, move |service| service.pgp_partner(&client, &end)).await?)
}

async fn remove_partner(
    State(admin): State<Admin>,
    caller: Caller,
    At((client, end)): At<(String, String)>,
) -> Answer {
    ask(&admin, &caller, move |service| service.remove_pgp_partner(&client, &end)).await?;
    nothing()
}
