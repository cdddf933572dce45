//! One account: what it is, and disabling, enabling and removing it.

use askama::Template;
use axum::extract::{Path, State as Of};
use jiff::Timestamp;

use super::state::{State, last_used};
use super::{Answer, Owned, run};
use crate::admin::Admin;
use crate::admin::guard::Caller;
use crate::admin::route::{Route, of_account};
use crate::admin::shell::{Shell, Tone, done, page};
use crate::error::Result;
use crate::model::{AccountKey, AccountRules, Folder, Network, Scope};
use crate::service::Service;
use crate::service::activity::LastActivity;
use crate::service::handouts::Handout;
use crate::service::remotes::RemoteStanding;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/accounts/{login}", of_account(Scope::Read), show),
        Route::post("/accounts/{login}/disable", of_account(Scope::Arrange), disable),
        Route::post("/accounts/{login}/enable", of_account(Scope::Arrange), enable),
        Route::get("/accounts/{login}/remove", of_account(Scope::Arrange), ask_remove),
        Route::post("/accounts/{login}/remove", of_account(Scope::Arrange), remove),
    ]
}

/// Everything about one account.
struct Facts {
    owned: Owned,
    state: State,
    last: Option<Timestamp>,
    folders: Vec<Folder>,
    keys: Vec<AccountKey>,
    rules: AccountRules,
    server: Option<RemoteStanding>,
    link: Option<Handout>,
    used: LastActivity,
}

impl Facts {
    fn gather(service: &Service, login: &str) -> Result<Self> {
        let owned = Owned::find(service, login)?;
        let account = &owned.account;
        let server = match &account.remote {
            Some(_) => Some(service.remote_standing(login)?),
            None => None,
        };
        Ok(Self {
            state: State::of(service, &owned.client, account)?,
            last: last_used(service, account)?,
            folders: service.folders(login)?,
            keys: service.keys(login)?,
            rules: service.account_rules(login)?,
            link: service.handout(login)?,
            used: service.last_activity(&owned.client.slug, login)?,
            server,
            owned,
        })
    }

    fn size(&self, p: &Shell, bytes: &u64) -> String {
        crate::admin::pages::imports_parts::size(p, *bytes)
    }

    fn networks(&self) -> String {
        let all: Vec<String> = self.rules.allow_from.iter().map(Network::to_string).collect();
        all.join(", ")
    }
}

#[derive(Template)]
#[template(path = "admin/pages/accounts/one.html")]
struct AccountPage<'a> {
    p: &'a Shell,
    owned: &'a Owned,
    facts: &'a Facts,
    /// Where the client's programs connect: `host` and port by connection type.
    ports: Vec<(String, String)>,
    host: &'a str,
}

async fn show(
    Of(admin): Of<Admin>,
    shell: Shell,
    caller: Caller,
    Path(login): Path<String>,
) -> Answer {
    let facts =
        run(&admin, &caller, &shell, move |service| Facts::gather(&service, &login)).await?;
    let server = admin.face().facts().map_err(|error| super::fail(error, &shell))?;
    let account = &facts.owned.account;
    let config = admin.service().config();
    let sheet = crate::service::handouts::Sheet::new(
        config,
        &server,
        account,
        (&facts.folders, &facts.keys),
        None,
    );
    let ports = sheet
        .ports
        .iter()
        .map(|(protocol, port)| (protocol.name().to_uppercase(), port.to_string()))
        .collect();
    let shell = shell.in_zone(&facts.owned.client.time_zone);
    Ok(page(&AccountPage {
        p: &shell,
        owned: &facts.owned,
        facts: &facts,
        ports,
        host: &sheet.host,
    }))
}

async fn disable(
    Of(admin): Of<Admin>,
    shell: Shell,
    caller: Caller,
    Path(login): Path<String>,
) -> Answer {
    let words = shell.t(
        "The account is disabled: nobody can log in, and its sessions end.",
        "Le compte est désactivé\u{a0}: plus personne ne peut se connecter et ses sessions prennent fin.",
        "Das Konto ist deaktiviert: Niemand kann sich anmelden, und seine Sitzungen enden.",
    );
    set_enabled(&admin, &shell, &caller, login, (false, words)).await
}

async fn enable(
    Of(admin): Of<Admin>,
    shell: Shell,
    caller: Caller,
    Path(login): Path<String>,
) -> Answer {
    let words = shell.t("The account is open.", "Le compte est ouvert.", "Das Konto ist offen.");
    set_enabled(&admin, &shell, &caller, login, (true, words)).await
}

async fn set_enabled(
    admin: &Admin,
    shell: &Shell,
    caller: &Caller,
    login: String,
    (enabled, words): (bool, &str),
) -> Answer {
    let named = login.clone();
    run(admin, caller, shell, move |service| service.set_account_enabled(&named, enabled)).await?;
    Ok(done(&format!("/accounts/{login}"), Tone::Good, words))
}

#[derive(Template)]
#[template(path = "admin/pages/accounts/remove.html")]
struct RemovePage<'a> {
    p: &'a Shell,
    owned: &'a Owned,
    folders: &'a [Folder],
}

async fn ask_remove(
    Of(admin): Of<Admin>,
    shell: Shell,
    caller: Caller,
    Path(login): Path<String>,
) -> Answer {
    let (owned, folders) = run(&admin, &caller, &shell, move |service| {
        Ok((Owned::find(&service, &login)?, service.folders(&login)?))
    })
    .await?;
    Ok(page(&RemovePage { p: &shell, owned: &owned, folders: &folders }))
}

async fn remove(
    Of(admin): Of<Admin>,
    shell: Shell,
    caller: Caller,
    Path(login): Path<String>,
) -> Answer {
    let client = run(&admin, &caller, &shell, move |service| {
        let client = service.account(&login)?.client;
        service.remove_account(&login)?;
        Ok(client)
    })
    .await?;
    let words =
        shell.t("The account is removed.", "Le compte est supprimé.", "Das Konto ist entfernt.");
    Ok(done(&format!("/clients/{client}/accounts"), Tone::Good, words))
}
