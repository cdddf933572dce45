//! Alarms: what somebody should look at, and what is over.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use crate::admin::Admin;
use crate::admin::guard::Caller;
use crate::admin::route::{Route, of_server};
use crate::admin::shell::{Failure, Shell, page};
use crate::model::Scope;
use crate::service::alarms::Alarm;

/// The most that are shown.
const ROWS: u32 = 200;

pub(super) fn routes() -> Vec<Route> {
    vec![Route::get("/server/alarms", of_server(Scope::Read), show)]
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Wanted {
    past: String,
}

#[derive(Template)]
#[template(path = "admin/pages/server/alarms.html")]
struct AlarmsPage<'a> {
    p: &'a Shell,
    alarms: &'a [Alarm],
    past: bool,
}

async fn show(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Response {
    let past = !wanted.past.is_empty();
    match admin.run(&caller.name, move |service| service.alarms(None, past, ROWS)).await {
        Ok(mut alarms) => {
            alarms.retain(|alarm| alarm.cleared_at.is_some() == past);
            page(&AlarmsPage { p: &shell, alarms: &alarms, past })
        }
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}
