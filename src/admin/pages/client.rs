//! One client: where its tabs begin.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};

use crate::admin::Admin;
use crate::admin::guard::Caller;
use crate::admin::route::{Route, of_client};
use crate::admin::shell::{Failure, Shell, page};
use crate::model::{Client, Scope};

pub(super) fn routes() -> Vec<Route> {
    vec![Route::get("/clients/{client}", of_client(Scope::Read), overview)]
}

#[derive(Template)]
#[template(path = "admin/pages/client.html")]
struct ClientPage<'a> {
    p: &'a Shell,
    client: &'a Client,
}

async fn overview(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(slug): Path<String>,
) -> Response {
    match admin.run(&caller.name, move |service| service.client(&slug)).await {
        Ok(client) => page(&ClientPage { p: &shell.in_zone(&client.time_zone), client: &client }),
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}
