//! Exports of a client's directory, their settings and runs.

use axum::extract::{Request, State};
use axum::http::Method;
use serde::Deserialize;
use serde_json::json;

use super::answer::{self, Answer, ask, created, json_of, nothing, with_status};
use super::ask::{Asked, At, Paging, Sent, body_of};
use super::imports::not_here;
use super::problem::Problem;
use crate::admin::Admin;
use crate::admin::guard::Caller;
use crate::admin::route::{Route, of_client};
use crate::model::{Scope, UploadId};
use crate::service::exports::How;

/// Runs among which one that is sent again is looked for.
const RUNS_LOOKED_AT: u32 = 10_000;

pub(super) fn routes() -> Vec<Route> {
    const ALL: &str = "/api/v1/clients/{client}/exports";
    const ONE: &str = "/api/v1/clients/{client}/exports/{export}";
    const SETTINGS: &str = "/api/v1/clients/{client}/exports/{export}/settings";
    const RUNS: &str = "/api/v1/clients/{client}/exports/{export}/runs";
    const RESEND: &str = "/api/v1/clients/{client}/exports/{export}/runs/{run}/resend";
    let read = of_client(Scope::Read);
    let (run_it, arrange) = (of_client(Scope::Run), of_client(Scope::Arrange));
    vec![
        Route::get(ALL, read, list),
        Route::post(ALL, arrange, add),
        Route::get(ONE, read, show),
        Route::other(Method::PATCH, ONE, arrange, change),
        Route::other(Method::DELETE, ONE, arrange, remove),
        Route::get(SETTINGS, read, settings),
        Route::other(Method::PUT, SETTINGS, arrange, set_settings),
        Route::get("/api/v1/clients/{client}/exports/{export}/preview", read, preview),
        Route::get(RUNS, read, runs),
        Route::post(RUNS, run_it, run),
        Route::post("/api/v1/clients/{client}/exports/{export}/withdraw", run_it, withdraw),
        Route::post(RESEND, run_it, resend),
    ]
}

async fn list(State(admin): State<Admin>, caller: Caller, At(client): At<String>) -> Answer {
    json_of(&json!({ "items": ask(&admin, &caller, move |s| s.exports(&client)).await? }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    name: String,
    folder: String,
    #[serde(default)]
    settings: String,
}

async fn add(
    State(admin): State<Admin>,
    caller: Caller,
    At(client): At<String>,
    Sent(new): Sent<New>,
) -> Answer {
    let of = client.clone();
    let added = ask(&admin, &caller, move |service| {
        service.add_export(&of, &new.name, &new.folder, &new.settings)
    });
    let added = added.await?;
    created(&["clients", &client, "exports", &added.name], &added)
}

async fn show(
    State(admin): State<Admin>,
    caller: Caller,
    At((client, name)): At<(String, String)>,
) -> Answer {
    json_of(&ask(&admin, &caller, move |service| service.export(&client, &name)).await?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    folder: Option<String>,
    enabled: Option<bool>,
}

async fn change(
    State(admin): State<Admin>,
    caller: Caller,
    At((client, name)): At<(String, String)>,
    Sent(Change { folder, enabled }): Sent<Change>,
) -> Answer {
    let changed = ask(&admin, &caller, move |service| {
        service.export(&client, &name)?;
        if let Some(folder) = folder {
            service.set_export_folder(&client, &name, &folder)?;
        }
        if let Some(enabled) = enabled {
            service.enable_export(&client, &name, enabled)?;
        }
        service.export(&client, &name)
    });
    json_of(&changed.await?)
}

async fn remove(
    State(admin): State<Admin>,
    caller: Caller,
    At((client, name)): At<(String, String)>,
) -> Answer {
    ask(&admin, &caller, move |service| service.remove_export(&client, &name)).await?;
    nothing()
}

async fn settings(
    State(admin): State<Admin>,
    caller: Caller,
    At((client, name)): At<(String, String)>,
) -> Answer {
    let text = ask(&admin, &caller, move |s| s.export_settings_text(&client, &name)).await?;
    answer::text("application/toml", text)
}

async fn set_settings(
    State(admin): State<Admin>,
    caller: Caller,
    At((client, name)): At<(String, String)>,
    request: Request,
) -> Answer {
    let limit = admin.service().config().admin.max_form_bytes;
    let bytes = body_of(request.into_body(), limit).await?;
    let text = String::from_utf8(bytes.into())
        .map_err(|_| Problem::invalid("", "the document is not valid UTF-8"))?;
    let set = ask(&admin, &caller, move |service| {
        service.set_export_settings(&client, &name, &text)?;
        service.export_settings_text(&client, &name)
    });
    answer::text("application/toml", set.await?)
}

async fn preview(
    State(admin): State<Admin>,
    caller: Caller,
    At((client, name)): At<(String, String)>,
) -> Answer {
    let seen = ask(&admin, &caller, move |service| {
        service.preview_export(&client, &name, std::io::sink())
    });
    json_of(&seen.await?)
}

async fn runs(
    State(admin): State<Admin>,
    caller: Caller,
    At((client, name)): At<(String, String)>,
    Asked(paging): Asked<Paging>,
) -> Answer {
    let rows = u32::try_from(paging.rows(&admin)?).unwrap_or(u32::MAX);
    let found = ask(&admin, &caller, move |service| {
        service.export(&client, &name)?;
        service.export_runs(&client, Some(&name), rows)
    });
    json_of(&json!({ "items": found.await? }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Run {
    #[serde(default)]
    how: Way,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Way {
    #[default]
    Usual,
    Anyway,
    Note,
}

async fn run(
    State(admin): State<Admin>,
    caller: Caller,
    At((client, name)): At<(String, String)>,
    Sent(Run { how }): Sent<Run>,
) -> Answer {
    let how = match how {
        Way::Usual => How::Usual,
        Way::Anyway => How::Anyway,
        Way::Note => How::Note,
    };
    let run = ask(&admin, &caller, move |service| service.run_export(&client, &name, how)).await?;
    with_status(axum::http::StatusCode::CREATED, &run)
}

async fn withdraw(
    State(admin): State<Admin>,
    caller: Caller,
    At((client, name)): At<(String, String)>,
) -> Answer {
    let (run, file) =
        ask(&admin, &caller, move |service| service.withdraw_export(&client, &name)).await?;
    json_of(&json!({ "run": run, "file": file }))
}

async fn resend(
    State(admin): State<Admin>,
    caller: Caller,
    At((client, name, run)): At<(String, String, UploadId)>,
) -> Answer {
    let sent = ask(&admin, &caller, move |service| {
        let runs = service.export_runs(&client, Some(&name), RUNS_LOOKED_AT)?;
        // The run of another client is nobody's here.
        if !runs.iter().any(|known| known.id == run) {
            return Err(not_here(&format!("run {run} of the export \"{name}\"")));
        }
        service.resend_export(run)
    });
    json_of(&sent.await?)
}
