//! What is handed out to a client: the sheet with everything to type, and the one-time link to it.

use axum::extract::State;
use axum::http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::answer::{self, Answer, ask, json_of, nothing, with_status};
use super::ask::{At, Sent};
use super::keyed::KeepInstead;
use super::problem::Problem;
use crate::admin::Admin;
use crate::admin::guard::Caller;
use crate::admin::route::{Route, of_account};
use crate::error::{Error, Kind};
use crate::model::Scope;
use crate::service::handouts::Sheet;

pub(super) fn routes() -> Vec<Route> {
    const LINK: &str = "/api/v1/accounts/{login}/handout";
    vec![
        Route::get("/api/v1/accounts/{login}/sheet", of_account(Scope::Read), sheet),
        Route::get(LINK, of_account(Scope::Read), show),
        Route::post(LINK, of_account(Scope::Arrange), make),
        Route::other(Method::DELETE, LINK, of_account(Scope::Arrange), withdraw),
    ]
}

/// The sheet in the client's language; without a password, which nobody but its owner has.
async fn sheet(State(admin): State<Admin>, caller: Caller, At(login): At<String>) -> Answer {
    let facts = admin.face().facts()?;
    let text = ask(&admin, &caller, move |service| {
        let account = service.account(&login)?;
        if account.remote.is_some() {
            let message =
                "this account is on the client's own server: there is nothing to hand out";
            return Err(Error::new(Kind::Invalid, message));
        }
        let language = service.client(&account.client)?.language;
        let (folders, keys) = (service.folders(&login)?, service.keys(&login)?);
        let known = (folders.as_slice(), keys.as_slice());
        Ok(Sheet::new(service.config(), &facts, &account, known, None).text(language))
    });
    answer::text("text/plain; charset=utf-8", text.await?)
}

async fn show(State(admin): State<Admin>, caller: Caller, At(login): At<String>) -> Answer {
    let of = login.clone();
    let link = ask(&admin, &caller, move |service| service.handout(&of)).await?;
    let Some(link) = link else {
        let message = format!("account \"{login}\" has no one-time link; make one with POST");
        return Err(Error::new(Kind::NotFound, message).into());
    };
    json_of(&link)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    password: Option<String>,
    #[serde(default)]
    renew: bool,
}

async fn make(
    State(admin): State<Admin>,
    caller: Caller,
    At(login): At<String>,
    Sent(Wish { password, renew }): Sent<Wish>,
) -> Answer {
    let password = match (password, renew) {
        (Some(_), true) => {
            let detail = "give the password that the account has, or have a new one made, not both";
            return Err(Problem::invalid("/renew", detail));
        }
        (None, true) => {
            let of = login.clone();
            let made = ask(&admin, &caller, move |service| service.reset_password(&of, None));
            Some(Zeroizing::new(made.await?))
        }
        (given, false) => given.map(Zeroizing::new),
    };
    let has_password = password.is_some();
    let service = admin.service().acting_as(&caller.name);
    let made = service.hand_out(&login, password).await?;
    let link = format!("{}/handout/{}", admin.base_url(), made.token);
    let told = |link: Option<String>| json!({ "login": login, "link": link, "expires_at": made.expires_at, "has_password": has_password });
    let mut response = with_status(StatusCode::CREATED, &told(Some(link)))?;
    response.extensions_mut().insert(KeepInstead(told(None).to_string()));
    Ok(response)
}

async fn withdraw(State(admin): State<Admin>, caller: Caller, At(login): At<String>) -> Answer {
    ask(&admin, &caller, move |service| service.withdraw_handout(&login)).await?;
    nothing()
}
