//! The public keys that may log in to an account over SFTP.

use askama::Template;
use axum::extract::{Path, State as Of};
use serde::Deserialize;

use super::{Answer, Owned, beside, refused, run};
use crate::admin::Admin;
use crate::admin::form::Form;
use crate::admin::guard::Caller;
use crate::admin::route::{Route, of_account};
use crate::admin::shell::{Shell, Tone, done, page};
use crate::model::{AccountKey, Scope};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/accounts/{login}/keys", of_account(Scope::Arrange), show),
        Route::post("/accounts/{login}/keys", of_account(Scope::Arrange), add),
        Route::post("/accounts/{login}/keys/remove", of_account(Scope::Arrange), remove),
    ]
}

/// What was typed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Typed {
    key: String,
    fingerprint: String,
}

#[derive(Template)]
#[template(path = "admin/pages/accounts/keys.html")]
struct KeysPage<'a> {
    p: &'a Shell,
    owned: &'a Owned,
    keys: &'a [AccountKey],
    typed: &'a str,
    wrong: Option<&'a str>,
}

async fn show(
    Of(admin): Of<Admin>,
    shell: Shell,
    caller: Caller,
    Path(login): Path<String>,
) -> Answer {
    form(&admin, shell, &caller, login, None).await
}

/// The page; after a refusal with what was typed and why.
async fn form(
    admin: &Admin,
    shell: Shell,
    caller: &Caller,
    login: String,
    refusal: Option<(&str, &str)>,
) -> Answer {
    let (owned, keys) = run(admin, caller, &shell, move |service| {
        Ok((Owned::find(&service, &login)?, service.keys(&login)?))
    })
    .await?;
    let shell = shell.in_zone(&owned.client.time_zone);
    let (typed, wrong) = refusal.map_or(("", None), |(typed, words)| (typed, Some(words)));
    let shown = page(&KeysPage { p: &shell, owned: &owned, keys: &keys, typed, wrong });
    Ok(if wrong.is_some() { refused(shown) } else { shown })
}

async fn add(
    Of(admin): Of<Admin>,
    shell: Shell,
    caller: Caller,
    Path(login): Path<String>,
    Form(typed): Form<Typed>,
) -> Answer {
    let (named, text) = (login.clone(), typed.key.clone());
    match admin.run(&caller.name, move |service| service.add_key(&named, &text)).await {
        Ok(_) => {
            let words = shell.t(
                "The key may log in.",
                "La clé est autorisée à se connecter.",
                "Der Schlüssel darf sich anmelden.",
            );
            Ok(done(&format!("/accounts/{login}/keys"), Tone::Good, words))
        }
        Err(error) => {
            let words = beside(error, &shell)?;
            form(&admin, shell, &caller, login, Some((&typed.key, &words))).await
        }
    }
}

async fn remove(
    Of(admin): Of<Admin>,
    shell: Shell,
    caller: Caller,
    Path(login): Path<String>,
    Form(typed): Form<Typed>,
) -> Answer {
    let named = login.clone();
    run(&admin, &caller, &shell, move |s| s.remove_key(&named, &typed.fingerprint)).await?;
    let words = shell.t(
        "The key can no longer log in.",
        "La clé ne peut plus se connecter.",
        "Der Schlüssel kann sich nicht mehr anmelden.",
    );
    Ok(done(&format!("/accounts/{login}/keys"), Tone::Good, words))
}
