//! Accounts on clients' own servers: add, change, look at the server, confirm it, try it.

use axum::extract::State;
use axum::http::Method;
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::accounts::view;
use super::answer::{Answer, ask, created, json_of};
use super::ask::{At, Sent};
use super::problem::Problem;
use crate::admin::Admin;
use crate::admin::guard::Caller;
use crate::admin::route::{Route, of_account, of_client};
use crate::model::{Protocol, Scope, ServerTrust};
use crate::service::remotes::{NewRemoteAccount, NewSecret, RemoteChange};

pub(super) fn routes() -> Vec<Route> {
    const ADD: &str = "/api/v1/clients/{client}/remote-accounts";
    const SERVER: &str = "/api/v1/accounts/{login}/server";
    vec![
        Route::post(ADD, of_client(Scope::Arrange), add),
        Route::get(SERVER, of_account(Scope::Read), show),
        Route::other(Method::PATCH, SERVER, of_account(Scope::Arrange), change),
        Route::post("/api/v1/accounts/{login}/server/look", of_account(Scope::Arrange), look),
        Route::other(
            Method::PUT,
            "/api/v1/accounts/{login}/server/trust",
            of_account(Scope::Arrange),
            trust,
        ),
        Route::post("/api/v1/accounts/{login}/server/test", of_account(Scope::Arrange), test),
    ]
}

/// How we prove who we are: a password, or a private key with its passphrase.
fn secret(
    password: Option<String>,
    key: Option<String>,
    passphrase: Option<String>,
) -> Result<Option<NewSecret>, Problem> {
    let passphrase = passphrase.map(Zeroizing::new);
    match (password, key) {
        (Some(password), None) if passphrase.is_none() => {
            Ok(Some(NewSecret::Password(Zeroizing::new(password))))
        }
        (None, Some(text)) => Ok(Some(NewSecret::Key { text: Zeroizing::new(text), passphrase })),
        (None, None) if passphrase.is_none() => Ok(None),
        (Some(_), Some(_)) => {
            Err(Problem::invalid("/private_key", "give the password or the key, not both"))
        }
        _ => Err(Problem::invalid("/passphrase", "a passphrase needs the private_key it is for")),
    }
}

/// How the server is recognised: fingerprints, an authority, or what this machine trusts.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Trust {
    pins: Vec<String>,
    ca: Option<String>,
    platform: bool,
}

impl Trust {
    fn read(self) -> Result<Option<ServerTrust>, Problem> {
        match (self.pins.is_empty(), self.ca, self.platform) {
            (true, None, false) => Ok(None),
            (false, None, false) => Ok(Some(ServerTrust::Pins(self.pins))),
            (true, Some(ca), false) => Ok(Some(ServerTrust::Ca(ca))),
            (true, None, true) => Ok(Some(ServerTrust::Platform)),
            _ => {
                let detail = "choose one way to recognise the server: pins, ca or platform";
                Err(Problem::invalid("/pins", detail))
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    name: String,
    protocol: Protocol,
    host: String,
    login: String,
    password: Option<String>,
    private_key: Option<String>,
    passphrase: Option<String>,
    trust: Option<Trust>,
}

async fn add(
    State(admin): State<Admin>,
    caller: Caller,
    At(client): At<String>,
    Sent(new): Sent<New>,
) -> Answer {
    let Some(secret) = secret(new.password, new.private_key, new.passphrase)? else {
        let detail = "say how to log in there: password, or private_key (sftp)";
        return Err(Problem::invalid("/password", detail));
    };
    // As the command line does: whoever has a certificate that this machine trusts needs no pin.
    let usual = match new.protocol {
        Protocol::Sftp => ServerTrust::Pins(Vec::new()),
        Protocol::Ftps | Protocol::Ftpes => ServerTrust::Platform,
    };
    let new = NewRemoteAccount {
        client,
        name: new.name,
        protocol: new.protocol,
        host: new.host,
        login: new.login,
        secret,
        trust: new.trust.unwrap_or_default().read()?.unwrap_or(usual),
    };
    let added = ask(&admin, &caller, move |service| {
        let account = service.add_remote_account(&new)?;
        Ok((view(&service, &account.login)?, account.login))
    });
    let (account, login) = added.await?;
    created(&["accounts", &login], &account)
}

async fn show(State(admin): State<Admin>, caller: Caller, At(login): At<String>) -> Answer {
    json_of(&ask(&admin, &caller, move |service| service.remote_standing(&login)).await?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    protocol: Option<Protocol>,
    host: Option<String>,
    port: Option<u16>,
    login: Option<String>,
    password: Option<String>,
    private_key: Option<String>,
    passphrase: Option<String>,
}

async fn change(
    State(admin): State<Admin>,
    caller: Caller,
    At(account): At<String>,
    Sent(change): Sent<Change>,
) -> Answer {
    let secret = secret(change.password, change.private_key, change.passphrase)?;
    if change.port == Some(0) {
        return Err(Problem::invalid("/port", "the port is a number from 1 to 65535"));
    }
    let Change { protocol, host, port, login, .. } = change;
    let change = RemoteChange { host, port, protocol, login, secret };
    json_of(&ask(&admin, &caller, move |s| s.set_remote_account(&account, &change)).await?)
}

async fn look(State(admin): State<Admin>, caller: Caller, At(login): At<String>) -> Answer {
    let service = admin.service().acting_as(&caller.name);
    json_of(&service.probe_server(&login).await?)
}

async fn trust(
    State(admin): State<Admin>,
    caller: Caller,
    At(login): At<String>,
    Sent(trust): Sent<Trust>,
) -> Answer {
    let Some(trust) = trust.read()? else {
        return Err(Problem::invalid("/pins", "give pins, ca or platform"));
    };
    json_of(&ask(&admin, &caller, move |service| service.trust_server(&login, &trust)).await?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Test {
    folder: Option<String>,
}

async fn test(
    State(admin): State<Admin>,
    caller: Caller,
    At(login): At<String>,
    Sent(Test { folder }): Sent<Test>,
) -> Answer {
    let service = admin.service().acting_as(&caller.name);
    json_of(&json!({ "items": service.try_server(&login, folder.as_deref()).await? }))
}
