//! Today: what has come in and what somebody should look at.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};

use crate::admin::Admin;
use crate::admin::guard::Caller;
use crate::admin::route::{Route, of_own};
use crate::admin::shell::{Failure, Shell, page};
use crate::model::{Client, Scope};

pub(super) fn routes() -> Vec<Route> {
    vec![Route::get("/", of_own(Scope::Read), today)]
}

#[derive(Template)]
#[template(path = "admin/pages/today.html")]
struct TodayPage<'a> {
    p: &'a Shell,
    clients: &'a [Client],
}

async fn today(State(admin): State<Admin>, shell: Shell, caller: Caller) -> Response {
    let who = caller.name.clone();
    let found = admin.run(&who, |service| service.clients()).await;
    match found {
        Ok(mut clients) => {
            clients.retain(|client| caller.sees(&client.slug));
            page(&TodayPage { p: &shell, clients: &clients })
        }
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}
