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

/// Open alarms that are shown.
const OPEN: u32 = 1000;
/// Past ones of one page.
const PAST: u32 = 50;

pub(super) fn routes() -> Vec<Route> {
    vec![Route::get("/server/alarms", of_server(Scope::Read), show)]
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Wanted {
    past: String,
    before: Option<i64>,
}

#[derive(Template)]
#[template(path = "admin/pages/server/alarms.html")]
struct AlarmsPage<'a> {
    p: &'a Shell,
    alarms: &'a [Alarm],
    past: bool,
    is_later: bool,
    older: Option<String>,
}

async fn show(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Response {
    let past = !wanted.past.is_empty();
    let before = wanted.before;
    let found = admin.run(&caller.name, move |service| match past {
        true => service.past_alarms(before, PAST),
        false => service.alarms(None, false, OPEN),
    });
    match found.await {
        Ok(alarms) => {
            let full = past && u32::try_from(alarms.len()).is_ok_and(|n| n == PAST);
            let last = alarms.last().filter(|_| full);
            let older = last.map(|last| format!("/server/alarms?past=1&before={}", last.id));
            page(&AlarmsPage {
                p: &shell,
                alarms: &alarms,
                past,
                is_later: before.is_some(),
                older,
            })
        }
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}
