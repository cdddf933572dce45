//! Accounts hosted here: list, add, change, passwords, keys, rules and rights.

use axum::extract::State;
use axum::http::{Method, Uri};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::answer::{Answer, ask, created, json_of, nothing, sorted_page, value};
use super::ask::{Asked, At, Paging, Sent, given};
use super::keyed::KeepInstead;
use crate::admin::Admin;
use crate::admin::guard::Caller;
use crate::admin::route::{Route, of_account, of_client, of_own};
use crate::error::Result;
use crate::model::{Account, AccountKey, AccountLimits, Folder, Network, Protocol, Rights, Scope};
use crate::service::Service;
use crate::service::accounts::{AccountPatch, NewAccount, NewPassword};
use crate::service::remotes::RemoteStanding;
use crate::service::rules::RulesPatch;

pub(super) fn routes() -> Vec<Route> {
    const ONE: &str = "/api/v1/accounts/{login}";
    const KEYS: &str = "/api/v1/accounts/{login}/keys";
    const RULES: &str = "/api/v1/accounts/{login}/rules";
    const LIMITS: &str = "/api/v1/accounts/{login}/limits";
    vec![
        Route::get("/api/v1/accounts", of_own(Scope::Read), list),
        Route::get("/api/v1/clients/{client}/accounts", of_client(Scope::Read), list_of),
        Route::post("/api/v1/clients/{client}/accounts", of_client(Scope::Arrange), add),
        Route::get(ONE, of_account(Scope::Read), show),
        Route::other(Method::PATCH, ONE, of_account(Scope::Arrange), change),
        Route::other(Method::DELETE, ONE, of_account(Scope::Arrange), remove),
        Route::post("/api/v1/accounts/{login}/password", of_account(Scope::Arrange), password),
        Route::get(KEYS, of_account(Scope::Read), keys),
        Route::post(KEYS, of_account(Scope::Arrange), add_key),
        Route::other(
            Method::DELETE,
            "/api/v1/accounts/{login}/keys/{fingerprint}",
            of_account(Scope::Arrange),
            remove_key,
        ),
        Route::get(RULES, of_account(Scope::Read), rules),
        Route::other(Method::PATCH, RULES, of_account(Scope::Arrange), set_rules),
        Route::get(LIMITS, of_account(Scope::Read), limits),
        Route::other(Method::PUT, LIMITS, of_account(Scope::Arrange), set_limits),
    ]
}

/// An account as `account show --json` prints it.
#[derive(Serialize)]
pub(super) struct AccountView {
    #[serde(flatten)]
    account: Account,
    folders: Vec<Folder>,
    keys: Vec<AccountKey>,
    /// How it stands with the client's own server.
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<RemoteStanding>,
}

/// An account with what belongs to it.
///
/// # Errors
/// `Kind::NotFound`.
pub(super) fn view(service: &Service, login: &str) -> Result<AccountView> {
    let account = service.account(login)?;
    let folders = service.folders(login)?;
    let keys = service.keys(login)?;
    let server = account.remote.is_some().then(|| service.remote_standing(login)).transpose()?;
    Ok(AccountView { account, folders, keys, server })
}

#[derive(Deserialize)]
struct Wanted {
    client: Option<String>,
}

async fn list(
    State(admin): State<Admin>,
    caller: Caller,
    uri: Uri,
    Asked(wanted): Asked<Wanted>,
    Asked(paging): Asked<Paging>,
) -> Answer {
    let mut accounts = ask(&admin, &caller, |service| service.accounts(None)).await?;
    accounts.retain(|account| {
        caller.sees(&account.client) && wanted.client.as_ref().is_none_or(|c| *c == account.client)
    });
    sorted_page(&admin, &uri, &paging, accounts, |account| account.login.clone())
}

async fn list_of(
    State(admin): State<Admin>,
    caller: Caller,
    uri: Uri,
    At(client): At<String>,
    Asked(paging): Asked<Paging>,
) -> Answer {
    let accounts = ask(&admin, &caller, move |service| service.accounts(Some(&client))).await?;
    sorted_page(&admin, &uri, &paging, accounts, |account| account.login.clone())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    name: String,
    login: Option<String>,
    host_profile: Option<String>,
    protocols: Option<Vec<Protocol>>,
    password: Option<String>,
    #[serde(default)]
    keys_only: bool,
    #[serde(default)]
    keys: Vec<String>,
}

async fn add(
    State(admin): State<Admin>,
    caller: Caller,
    At(client): At<String>,
    Sent(new): Sent<New>,
) -> Answer {
    let password = match (new.password, new.keys_only) {
        (Some(password), _) => NewPassword::Given(password),
        (None, true) => NewPassword::None,
        (None, false) => NewPassword::Generated,
    };
    let new = NewAccount {
        client,
        name: new.name,
        login: new.login,
        host_profile: new.host_profile.unwrap_or_else(|| "standard".to_owned()),
        protocols: new.protocols,
        password,
        keys: new.keys,
    };
    let added = ask(&admin, &caller, move |service| {
        let added = service.add_account(&new)?;
        Ok((view(&service, &added.account.login)?, added.password))
    });
    let (account, password) = added.await?;
    let mut shown = value(&account)?;
    let kept = with_password(&mut shown, None);
    with_password(&mut shown, password);
    let mut response = created(&["accounts", &account.account.login], &shown)?;
    response.extensions_mut().insert(KeepInstead(kept));
    Ok(response)
}

/// Puts the password in, which is shown this once, and returns the text.
fn with_password(shown: &mut serde_json::Value, password: Option<String>) -> String {
    if let Some(object) = shown.as_object_mut() {
        object.insert("password".to_owned(), json!(password));
    }
    shown.to_string()
}

async fn show(State(admin): State<Admin>, caller: Caller, At(login): At<String>) -> Answer {
    json_of(&ask(&admin, &caller, move |service| view(&service, &login)).await?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    login: Option<String>,
    name: Option<String>,
    host_profile: Option<String>,
    protocols: Option<Vec<Protocol>>,
    enabled: Option<bool>,
}

async fn change(
    State(admin): State<Admin>,
    caller: Caller,
    At(login): At<String>,
    Sent(change): Sent<Change>,
) -> Answer {
    let Change { login: new_login, name, host_profile, protocols, enabled } = change;
    let patch = AccountPatch { name, host_profile, protocols, enabled };
    let changed = ask(&admin, &caller, move |service| {
        let account = match new_login.filter(|new| *new != login) {
            Some(new) => service.set_account_and_login(&login, &patch, &new)?,
            None => service.set_account(&login, &patch)?,
        };
        view(&service, &account.login)
    });
    json_of(&changed.await?)
}

async fn remove(State(admin): State<Admin>, caller: Caller, At(login): At<String>) -> Answer {
    ask(&admin, &caller, move |service| service.remove_account(&login)).await?;
    nothing()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Password {
    password: Option<String>,
}

async fn password(
    State(admin): State<Admin>,
    caller: Caller,
    At(login): At<String>,
    Sent(Password { password }): Sent<Password>,
) -> Answer {
    let of = login.clone();
    let password =
        ask(&admin, &caller, move |service| service.reset_password(&of, password)).await?;
    let mut response = json_of(&json!({ "login": login, "password": password }))?;
    let kept = json!({ "login": login, "password": null }).to_string();
    response.extensions_mut().insert(KeepInstead(kept));
    Ok(response)
}

async fn keys(State(admin): State<Admin>, caller: Caller, At(login): At<String>) -> Answer {
    json_of(&json!({ "items": ask(&admin, &caller, move |s| s.keys(&login)).await? }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewKey {
    public_key: String,
}

async fn add_key(
    State(admin): State<Admin>,
    caller: Caller,
    At(login): At<String>,
    Sent(NewKey { public_key }): Sent<NewKey>,
) -> Answer {
    let of = login.clone();
    let added = ask(&admin, &caller, move |service| service.add_key(&of, &public_key)).await?;
    created(&["accounts", &login, "keys"], &json!({ "items": added }))
}

async fn remove_key(
    State(admin): State<Admin>,
    caller: Caller,
    At((login, fingerprint)): At<(String, String)>,
) -> Answer {
    ask(&admin, &caller, move |service| service.remove_key(&login, &fingerprint)).await?;
    nothing()
}

async fn rules(State(admin): State<Admin>, caller: Caller, At(login): At<String>) -> Answer {
    json_of(&ask(&admin, &caller, move |service| service.account_rules(&login)).await?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RulesChange {
    allow_from: Option<Vec<Network>>,
    #[serde(default, deserialize_with = "given")]
    last_day: Option<Option<Date>>,
    needs_both: Option<bool>,
    lenient_data_end: Option<bool>,
    rights: Option<Rights>,
}

async fn set_rules(
    State(admin): State<Admin>,
    caller: Caller,
    At(login): At<String>,
    Sent(change): Sent<RulesChange>,
) -> Answer {
    let patch = RulesPatch {
        allow_from: change.allow_from,
        last_day: change.last_day,
        needs_both: change.needs_both,
        lenient_data_end: change.lenient_data_end,
        rights: change.rights,
    };
    json_of(&ask(&admin, &caller, move |s| s.set_account_rules(&login, &patch)).await?)
}

async fn limits(State(admin): State<Admin>, caller: Caller, At(login): At<String>) -> Answer {
    json_of(&ask(&admin, &caller, move |service| service.account_limits(&login)).await?)
}

/// All limits; what is `null` or left out is the server's own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Limits {
    max_sessions: Option<u32>,
    idle_timeout_s: Option<u32>,
    max_upload_bytes: Option<u64>,
    quota_bytes: Option<u64>,
    quota_files: Option<u64>,
}

async fn set_limits(
    State(admin): State<Admin>,
    caller: Caller,
    At(login): At<String>,
    Sent(limits): Sent<Limits>,
) -> Answer {
    let limits = AccountLimits {
        max_sessions: limits.max_sessions,
        idle_timeout_s: limits.idle_timeout_s,
        max_upload_bytes: limits.max_upload_bytes,
        quota_bytes: limits.quota_bytes,
        quota_files: limits.quota_files,
    };
    json_of(&ask(&admin, &caller, move |s| s.set_account_limits(&login, limits)).await?)
}
