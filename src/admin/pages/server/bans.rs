//! Addresses that are refused for a while, and those that are known.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use crate::admin::Admin;
use crate::admin::form::Form;
use crate::admin::guard::Caller;
use crate::admin::route::{Route, of_server};
use crate::admin::shell::{Failure, Shell, Tone, done, page};
use crate::model::Scope;
use crate::service::bans::{Ban, Familiar};

/// The most familiar addresses that are shown.
const FAMILIAR: usize = 200;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/server/bans", of_server(Scope::Read), show),
        Route::post("/server/bans/lift", of_server(Scope::Arrange), lift),
    ]
}

#[derive(Template)]
#[template(path = "admin/pages/server/bans.html")]
struct BansPage<'a> {
    p: &'a Shell,
    bans: &'a [Ban],
    familiar: &'a [Familiar],
}

async fn show(State(admin): State<Admin>, shell: Shell, caller: Caller) -> Response {
    let found = admin.run(&caller.name, |service| {
        let mut familiar = service.familiar_addresses(None)?;
        familiar.truncate(FAMILIAR);
        Ok((service.bans()?, familiar))
    });
    match found.await {
        Ok((bans, familiar)) => page(&BansPage { p: &shell, bans: &bans, familiar: &familiar }),
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}

#[derive(Deserialize)]
struct LiftForm {
    address: String,
}

async fn lift(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Form(form): Form<LiftForm>,
) -> Response {
    match admin.run(&caller.name, move |service| service.lift_ban(&form.address)).await {
        Ok(()) => {
            let words = shell.t(
                "The address may connect again.",
                "L’adresse peut de nouveau se connecter.",
                "Die Adresse darf sich wieder verbinden.",
            );
            done("/server/bans", Tone::Good, words)
        }
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}
