//! What is handed out: login and password shown once, the sheet, and one-time links to it.

use askama::Template;
use axum::extract::{Path, State as Of};
use axum::http::request::Parts;
use axum::response::Response;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{Answer, Owned, fail, run};
use crate::admin::Admin;
use crate::admin::form::Form;
use crate::admin::guard::{Caller, peer};
use crate::admin::route::{Needs, Route, of_account};
use crate::admin::shell::{Shell, Tone, done, page};
use crate::error::{Error, Kind, Result};
use crate::model::{Account, AccountKey, Client, Folder, Language, Protocol, Scope};
use crate::service::handouts::{Handout, Sheet, Words, words};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/accounts/{login}/sheet", of_account(Scope::Read), sheet),
        Route::post("/accounts/{login}/handout", of_account(Scope::Arrange), make),
        Route::post("/accounts/{login}/handout/withdraw", of_account(Scope::Arrange), withdraw),
        Route::get("/handout/{token}", Needs::Nothing, offer),
        Route::post("/handout/{token}", Needs::Nothing, open),
    ]
}

/// A sheet in its language.
struct Shown {
    sheet: Sheet,
    w: &'static Words,
    language: Language,
}

impl Shown {
    fn new(
        admin: &Admin,
        language: Language,
        account: &Account,
        known: (&[Folder], &[AccountKey]),
        password: Option<String>,
    ) -> Result<Self> {
        let config = admin.service().config();
        let sheet = Sheet::new(config, &admin.face().facts()?, account, known, password);
        Ok(Self { sheet, w: words(language), language })
    }

    fn samples(&self) -> String {
        self.sheet.samples(self.w)
    }

    /// How FileZilla and WinSCP call a connection type.
    fn program(&self, protocol: Protocol) -> &'static str {
        match protocol {
            Protocol::Sftp => "SFTP",
            Protocol::Ftps => self.w.form_ftps,
            Protocol::Ftpes => self.w.form_ftpes,
        }
    }
}

#[derive(Template)]
#[template(path = "admin/pages/accounts/credentials.html")]
struct CredentialsPage<'a> {
    p: &'a Shell,
    owned: &'a Owned,
    shown: &'a Shown,
}

/// The page that shows login and password, this once, with the sheet.
pub(super) fn credentials(
    admin: &Admin,
    shell: &Shell,
    client: &Client,
    account: &Account,
    known: (&[Folder], &[AccountKey]),
    password: Option<String>,
) -> Result<Response> {
    let shown = Shown::new(admin, client.language, account, known, password)?;
    let owned = Owned { client: client.clone(), account: account.clone() };
    Ok(page(&CredentialsPage { p: shell, owned: &owned, shown: &shown }))
}

#[derive(Template)]
#[template(path = "admin/pages/accounts/sheet_page.html")]
struct SheetPage<'a> {
    p: &'a Shell,
    owned: &'a Owned,
    shown: &'a Shown,
    link: Option<&'a Handout>,
    hours: u32,
}

async fn sheet(
    Of(admin): Of<Admin>,
    shell: Shell,
    caller: Caller,
    Path(login): Path<String>,
) -> Answer {
    let (owned, folders, keys, link) = run(&admin, &caller, &shell, move |service| {
        let owned = Owned::find(&service, &login)?;
        if owned.account.remote.is_some() {
            let message =
                "this account is on the client’s own server: there is nothing to hand out";
            return Err(Error::new(Kind::Invalid, message));
        }
        let (folders, keys) = (service.folders(&login)?, service.keys(&login)?);
        Ok((owned, folders, keys, service.handout(&login)?))
    })
    .await?;
    let shown = Shown::new(&admin, owned.client.language, &owned.account, (&folders, &keys), None)
        .map_err(|error| fail(error, &shell))?;
    let shell = shell.in_zone(&owned.client.time_zone);
    let hours = admin.service().config().admin.handout_hours;
    Ok(page(&SheetPage { p: &shell, owned: &owned, shown: &shown, link: link.as_ref(), hours }))
}

/// What the link is to show.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Wish {
    /// The password that is on the page already.
    password: String,
    /// Make a new one, which nobody but the link's reader sees.
    renew: bool,
}

#[derive(Template)]
#[template(path = "admin/pages/accounts/link.html")]
struct LinkPage<'a> {
    p: &'a Shell,
    owned: &'a Owned,
    link: &'a str,
    until: jiff::Timestamp,
    has_password: bool,
}

async fn make(
    Of(admin): Of<Admin>,
    shell: Shell,
    caller: Caller,
    Path(login): Path<String>,
    Form(wish): Form<Wish>,
) -> Answer {
    let named = login.clone();
    let owned = run(&admin, &caller, &shell, move |service| Owned::find(&service, &named)).await?;
    let password = if wish.renew {
        let named = login.clone();
        let made = run(&admin, &caller, &shell, move |s| s.reset_password(&named, None)).await?;
        Some(Zeroizing::new(made))
    } else {
        Some(Zeroizing::new(wish.password)).filter(|text| !text.is_empty())
    };
    let has_password = password.is_some();
    let service = admin.service().acting_as(&caller.name);
    let made = service.hand_out(&login, password).await.map_err(|error| fail(error, &shell))?;
    let link = format!("{}/handout/{}", admin.base_url(), made.token);
    let shell = shell.in_zone(&owned.client.time_zone);
    let until = made.expires_at;
    Ok(page(&LinkPage { p: &shell, owned: &owned, link: &link, until, has_password }))
}

async fn withdraw(
    Of(admin): Of<Admin>,
    shell: Shell,
    caller: Caller,
    Path(login): Path<String>,
) -> Answer {
    let named = login.clone();
    run(&admin, &caller, &shell, move |service| service.withdraw_handout(&named)).await?;
    let words = shell.t(
        "The link is withdrawn: it opens nothing any more.",
        "Le lien est retiré\u{a0}: il n’ouvre plus rien.",
        "Der Link ist zurückgezogen: Er öffnet nichts mehr.",
    );
    Ok(done(&format!("/accounts/{login}/sheet"), Tone::Good, words))
}

/// The address from which somebody without an account here asks.
struct Asker(std::net::IpAddr);

impl axum::extract::FromRequestParts<Admin> for Asker {
    type Rejection = std::convert::Infallible;
    async fn from_request_parts(
        parts: &mut Parts,
        _: &Admin,
    ) -> std::result::Result<Self, Self::Rejection> {
        Ok(Self(peer(&parts.extensions)))
    }
}

#[derive(Template)]
#[template(path = "admin/pages/accounts/offer.html")]
struct OfferPage<'a> {
    p: &'a Shell,
    token: &'a str,
    until: jiff::Timestamp,
}

async fn offer(
    Of(admin): Of<Admin>,
    shell: Shell,
    Asker(from): Asker,
    Path(token): Path<String>,
) -> Answer {
    let sent = token.clone();
    let until = admin.run("", move |service| service.waiting_handout(&sent, from)).await;
    let until = until.map_err(|error| fail(error, &shell))?;
    Ok(page(&OfferPage { p: &shell, token: &token, until }))
}

#[derive(Template)]
#[template(path = "admin/pages/accounts/opened.html")]
struct OpenedPage<'a> {
    p: &'a Shell,
    shown: &'a Shown,
}

async fn open(
    Of(admin): Of<Admin>,
    mut shell: Shell,
    Asker(from): Asker,
    Path(token): Path<String>,
) -> Answer {
    let opened = admin.run("", move |service| service.open_handout(&token, from)).await;
    let opened = opened.map_err(|error| fail(error, &shell))?;
    shell.language = opened.language;
    let known = (opened.folders.as_slice(), opened.keys.as_slice());
    let password = opened.password.map(|text| text.to_string());
    let shown = Shown::new(&admin, opened.language, &opened.account, known, password)
        .map_err(|error| fail(error, &shell))?;
    Ok(page(&OpenedPage { p: &shell, shown: &shown }))
}
