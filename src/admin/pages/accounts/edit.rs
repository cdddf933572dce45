//! *Edit account*: name; login and password; host and connection types, or the client's server.

use askama::Template;
use axum::extract::{Path, State as Of};
use serde::Deserialize;

use super::handout::credentials;
use super::new::secret;
use super::{Answer, Owned, beside, fail, refused, run};
use crate::admin::Admin;
use crate::admin::form::Form;
use crate::admin::guard::Caller;
use crate::admin::route::{Route, of_account};
use crate::admin::shell::{Shell, Tone, done, page};
use crate::error::{Error, Kind, Result};
use crate::model::{Protocol, Scope};
use crate::service::accounts::AccountPatch;
use crate::service::remotes::{RemoteChange, RemoteStanding};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/accounts/{login}/edit", of_account(Scope::Arrange), show),
        Route::post("/accounts/{login}/name", of_account(Scope::Arrange), set_name),
        Route::post("/accounts/{login}/login", of_account(Scope::Arrange), set_login),
        Route::post("/accounts/{login}/password", of_account(Scope::Arrange), set_password),
        Route::post("/accounts/{login}/host", of_account(Scope::Arrange), set_host),
        Route::post("/accounts/{login}/server", of_account(Scope::Arrange), set_server),
    ]
}

/// What was typed into one of the forms.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
struct Typed {
    name: String,
    login: String,
    /// `generate` or `given`.
    how: String,
    password: String,
    host: String,
    protocols: Vec<Protocol>,
    server: String,
    port: String,
    kind: Option<Protocol>,
    /// `keep`, `password` or `key`.
    proof: String,
    key: String,
    passphrase: String,
}

#[derive(Template)]
#[template(path = "admin/pages/accounts/edit.html")]
struct EditPage<'a> {
    p: &'a Shell,
    owned: &'a Owned,
    hosts: Vec<&'a str>,
    server: Option<&'a RemoteStanding>,
    typed: &'a Typed,
    /// The form that was refused and why: `name`, `login`, `password`, `host`, `server`.
    wrong: Option<(&'static str, &'a str)>,
}

impl EditPage<'_> {
    fn wrong_in(&self, form: &str) -> Option<&str> {
        self.wrong.filter(|(name, _)| *name == form).map(|(_, words)| words)
    }
}

async fn show(
    Of(admin): Of<Admin>,
    shell: Shell,
    caller: Caller,
    Path(login): Path<String>,
) -> Answer {
    form(&admin, &shell, &caller, login, (None, None)).await
}

/// The page, with the refused form as it was typed.
async fn form(
    admin: &Admin,
    shell: &Shell,
    caller: &Caller,
    login: String,
    (wrong, typed): (Option<(&'static str, &str)>, Option<Typed>),
) -> Answer {
    let (owned, server) = run(admin, caller, shell, move |service| {
        let owned = Owned::find(&service, &login)?;
        let server = match &owned.account.remote {
            Some(_) => Some(service.remote_standing(&login)?),
            None => None,
        };
        Ok((owned, server))
    })
    .await?;
    let account = &owned.account;
    let mut now = Typed {
        name: account.name.clone(),
        login: account.login.clone(),
        host: account.host_profile.clone(),
        protocols: account.protocols.clone(),
        kind: account.protocols.first().copied(),
        ..Typed::default()
    };
    if let Some(server) = &server {
        now.login.clone_from(&server.server.login);
        now.server.clone_from(&server.server.host);
        now.port = server.server.port.to_string();
    }
    // Only the refused form shows what was typed; the others show what is.
    match (wrong.map(|(name, _)| name), typed) {
        (Some("name"), Some(typed)) => now.name = typed.name,
        (Some("login"), Some(typed)) => now.login = typed.login,
        (Some("host"), Some(typed)) => (now.host, now.protocols) = (typed.host, typed.protocols),
        (Some("server"), Some(typed)) => now = Typed { name: now.name, ..typed },
        _ => {}
    }
    let hosts = admin.service().config().profile_names();
    let shown = page(&EditPage {
        p: shell,
        owned: &owned,
        hosts,
        server: server.as_ref(),
        typed: &now,
        wrong,
    });
    Ok(if wrong.is_some() { refused(shown) } else { shown })
}

/// Goes back to the account after a form was carried out; or shows the page again with what is wrong.
async fn finish(
    admin: &Admin,
    shell: &Shell,
    caller: &Caller,
    (login, form_name, typed): (String, &'static str, Typed),
    result: Result<String>,
) -> Answer {
    match result {
        Ok(login) => {
            let words = shell.t(
                "The account is changed.",
                "Le compte est modifié.",
                "Das Konto ist geändert.",
            );
            Ok(done(&format!("/accounts/{login}"), Tone::Good, words))
        }
        Err(error) => {
            let words = beside(error, shell)?;
            form(admin, shell, caller, login, (Some((form_name, &words)), Some(typed))).await
        }
    }
}

async fn set_name(
    Of(admin): Of<Admin>,
    shell: Shell,
    caller: Caller,
    Path(login): Path<String>,
    Form(typed): Form<Typed>,
) -> Answer {
    let (named, name) = (login.clone(), typed.name.clone());
    let result = admin
        .run(&caller.name, move |service| {
            let patch = AccountPatch { name: Some(name), ..AccountPatch::default() };
            service.set_account(&named, &patch).map(|account| account.login)
        })
        .await;
    finish(&admin, &shell, &caller, (login, "name", typed), result).await
}

async fn set_login(
    Of(admin): Of<Admin>,
    shell: Shell,
    caller: Caller,
    Path(login): Path<String>,
    Form(typed): Form<Typed>,
) -> Answer {
    let (old, new) = (login.clone(), typed.login.trim().to_owned());
    let result = admin
        .run(&caller.name, move |service| service.rename_login(&old, &new).map(|a| a.login))
        .await;
    finish(&admin, &shell, &caller, (login, "login", typed), result).await
}

async fn set_password(
    Of(admin): Of<Admin>,
    shell: Shell,
    caller: Caller,
    Path(login): Path<String>,
    Form(typed): Form<Typed>,
) -> Answer {
    let given = (typed.how == "given").then(|| typed.password.clone());
    let is_given = given.is_some();
    let named = login.clone();
    let result = admin
        .run(&caller.name, move |service| {
            let password = service.reset_password(&named, given)?;
            let owned = Owned::find(&service, &named)?;
            Ok((owned, service.folders(&named)?, service.keys(&named)?, password))
        })
        .await;
    match result {
        Ok(_) if is_given => {
            let done = Ok(login.clone());
            finish(&admin, &shell, &caller, (login, "password", typed), done).await
        }
        Ok((owned, folders, keys, password)) => {
            let known = (folders.as_slice(), keys.as_slice());
            let (client, account) = (&owned.client, &owned.account);
            credentials(&admin, &shell, client, account, known, Some(password))
                .map_err(|error| fail(error, &shell))
        }
        Err(error) => finish(&admin, &shell, &caller, (login, "password", typed), Err(error)).await,
    }
}

async fn set_host(
    Of(admin): Of<Admin>,
    shell: Shell,
    caller: Caller,
    Path(login): Path<String>,
    Form(typed): Form<Typed>,
) -> Answer {
    let named = login.clone();
    let patch = AccountPatch {
        host_profile: Some(typed.host.clone()),
        protocols: Some(typed.protocols.clone()),
        ..AccountPatch::default()
    };
    let result = admin
        .run(&caller.name, move |service| service.set_account(&named, &patch).map(|a| a.login))
        .await;
    finish(&admin, &shell, &caller, (login, "host", typed), result).await
}

async fn set_server(
    Of(admin): Of<Admin>,
    shell: Shell,
    caller: Caller,
    Path(login): Path<String>,
    Form(typed): Form<Typed>,
) -> Answer {
    let (named, wish) = (login.clone(), typed.clone());
    let result = admin
        .run(&caller.name, move |service| {
            let change = change(&wish)?;
            service.set_remote_account(&named, &change).map(|standing| standing.account)
        })
        .await;
    match result {
        Ok(login) => {
            let words = shell.t(
                "The server is changed. Test the connection now.",
                "Le serveur est modifié. Testez maintenant la connexion.",
                "Der Server ist geändert. Testen Sie jetzt die Verbindung.",
            );
            Ok(done(&format!("/accounts/{login}/server"), Tone::Good, words))
        }
        Err(error) => finish(&admin, &shell, &caller, (login, "server", typed), Err(error)).await,
    }
}

fn change(typed: &Typed) -> Result<RemoteChange> {
    let port = match typed.port.trim() {
        "" => None,
        text => Some(text.parse::<u16>().map_err(|_| {
            let words = format!("\"{text}\" is no port; write a number from 1 to 65535");
            Error::new(Kind::Invalid, words)
        })?),
    };
    let proof = typed.proof.as_str();
    let typed_secret = (typed.password.as_str(), typed.key.as_str(), typed.passphrase.as_str());
    Ok(RemoteChange {
        host: Some(typed.server.clone()),
        port,
        protocol: typed.kind,
        login: Some(typed.login.clone()),
        secret: matches!(proof, "password" | "key").then(|| secret(proof, typed_secret)),
    })
}
