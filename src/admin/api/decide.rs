//! What somebody decides about imports: approve, discard, undo, run again; and what waits for that.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::answer::{Answer, ask, json_of, located, with_status};
use super::ask::{At, Sent};
use crate::admin::Admin;
use crate::admin::guard::Caller;
use crate::admin::route::{Route, of_import, of_own};
use crate::model::{Scope, UploadId};
use crate::service::holds::{Decided, Ruling, Verdict};

/// Values and people that the preview of an undo names.
const NAMED: u32 = 100;

pub(super) fn routes() -> Vec<Route> {
    const UNDO: &str = "/api/v1/imports/{import}/undo";
    vec![
        Route::get("/api/v1/waiting", of_own(Scope::Read), waiting),
        Route::post("/api/v1/imports/{import}/approve", of_import(Scope::Run), approve),
        Route::post("/api/v1/imports/{import}/discard", of_import(Scope::Run), discard),
        Route::get(UNDO, of_import(Scope::Read), preview_undo),
        Route::post(UNDO, of_import(Scope::Run), undo),
        Route::post("/api/v1/imports/{import}/again", of_import(Scope::Run), again),
    ]
}

async fn waiting(State(admin): State<Admin>, caller: Caller) -> Answer {
    let client = caller.client.clone();
    let found = ask(&admin, &caller, move |service| service.waiting(client.as_deref())).await?;
    json_of(&json!({ "items": found }))
}

/// What is decided.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Decision {
    #[serde(default)]
    pub(super) lines: Vec<u32>,
    #[serde(default)]
    sha256: String,
    plan: Option<String>,
}

async fn approve(
    State(admin): State<Admin>,
    caller: Caller,
    At(id): At<UploadId>,
    Sent(decision): Sent<Decision>,
) -> Answer {
    decide(&admin, &caller, id, Verdict::Approve, decision).await
}

async fn discard(
    State(admin): State<Admin>,
    caller: Caller,
    At(id): At<UploadId>,
    Sent(decision): Sent<Decision>,
) -> Answer {
    decide(&admin, &caller, id, Verdict::Discard, decision).await
}

async fn decide(
    admin: &Admin,
    caller: &Caller,
    id: UploadId,
    verdict: Verdict,
    decision: Decision,
) -> Answer {
    let who = caller.name.clone();
    let done = ask(admin, caller, move |service| {
        let Decision { lines, sha256, plan } = decision;
        let seen = match plan {
            Some(plan) => plan,
            // Rows are no plan of their own, and whoever names none takes it as it is.
            None if lines.is_empty() => service.held_plan(id)?.unwrap_or_default(),
            None => String::new(),
        };
        let ruling = Ruling { verdict, lines: lines.into_iter().collect(), sha256 };
        match service.decide_as_seen(id, &ruling, &who, &seen)? {
            Decided::Done(detail) => Ok((StatusCode::OK, detail.view)),
            Decided::Recorded => Ok((StatusCode::ACCEPTED, service.import(id)?.view)),
        }
    });
    let (status, view) = done.await?;
    with_status(status, &view)
}

async fn preview_undo(State(admin): State<Admin>, caller: Caller, At(id): At<UploadId>) -> Answer {
    let seen = ask(&admin, &caller, move |service| service.undo_preview(id, NAMED)).await?;
    json_of(&json!({
        "import": id,
        "change_number": seen.change_number,
        "values": seen.undoing.values,
        "withdrawn": seen.undoing.withdrawn,
        "returning": seen.returning,
        "people_withdrawn": seen.withdrawn,
        "kept": seen.report.kept_by_undo(crate::model::Language::En),
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Undo {
    change_number: Option<i64>,
}

async fn undo(
    State(admin): State<Admin>,
    caller: Caller,
    At(id): At<UploadId>,
    Sent(Undo { change_number }): Sent<Undo>,
) -> Answer {
    let who = caller.name.clone();
    let done = ask(&admin, &caller, move |service| match change_number {
        Some(seen) => service.undo_as_seen(id, &who, seen),
        None => service.undo_import(id, &who),
    });
    json_of(&done.await?)
}

async fn again(State(admin): State<Admin>, caller: Caller, At(id): At<UploadId>) -> Answer {
    let queued = ask(&admin, &caller, move |service| {
        let new = service.import_again(id)?;
        Ok((new, service.import(new)?.view))
    });
    let (new, view) = queued.await?;
    located(StatusCode::ACCEPTED, &["imports", &new.to_string()], &view)
}
