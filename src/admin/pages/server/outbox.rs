//! The outbox: what is to be sent to others, what was sent, what was given up.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::{given, words};
use crate::admin::Admin;
use crate::admin::guard::{Caller, form_encoded};
use crate::admin::route::{Route, of_server};
use crate::admin::shell::{Failure, Shell, Tone, done, page};
use crate::model::{Client, Scope};
use crate::service::outbox::{JobFilter, JobState, OutboxJob};

/// Jobs of one page.
const ROWS: u32 = 50;
const STATES: [JobState; 4] =
    [JobState::Waiting, JobState::Failed, JobState::Done, JobState::Withdrawn];

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/server/outbox", of_server(Scope::Read), show),
        Route::post("/server/outbox/{job}/retry", of_server(Scope::Run), retry),
    ]
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Wanted {
    state: String,
    client: String,
    before: Option<i64>,
}

impl Wanted {
    fn address(&self, before: Option<i64>) -> String {
        let (state, client) = (form_encoded(&self.state), form_encoded(&self.client));
        let before = before.map(|before| format!("&before={before}")).unwrap_or_default();
        format!("/server/outbox?state={state}&client={client}{before}")
    }
}

#[derive(Template)]
#[template(path = "admin/pages/server/outbox.html")]
struct OutboxPage<'a> {
    p: &'a Shell,
    wanted: &'a Wanted,
    clients: &'a [Client],
    jobs: &'a [OutboxJob],
    older: Option<String>,
}

async fn show(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Response {
    let filter = JobFilter {
        client: given(&wanted.client),
        kind: None,
        state: STATES.into_iter().find(|state| state.name() == wanted.state),
        before: wanted.before,
        limit: Some(ROWS),
    };
    let found =
        admin.run(&caller.name, move |service| Ok((service.outbox(&filter)?, service.clients()?)));
    match found.await {
        Ok((jobs, clients)) => {
            let full = u32::try_from(jobs.len()).is_ok_and(|n| n == ROWS);
            let last = jobs.last().filter(|_| full);
            let older = last.map(|last| wanted.address(Some(last.id)));
            let (wanted, clients, jobs) = (&wanted, clients.as_slice(), jobs.as_slice());
            page(&OutboxPage { p: &shell, wanted, clients, jobs, older })
        }
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}

async fn retry(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(job): Path<i64>,
) -> Response {
    match admin.run(&caller.name, move |service| service.retry_job(job)).await {
        Ok(_) => {
            let words = shell.t(
                "It is tried again now.",
                "Une nouvelle tentative a lieu maintenant.",
                "Es wird jetzt erneut versucht.",
            );
            done("/server/outbox", Tone::Good, words)
        }
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}
