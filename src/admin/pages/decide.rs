//! Decisions about an import, each on a page of its own with its figures first: approve, discard, undo, run again.

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::imports_parts::parse_id;
use crate::admin::Admin;
use crate::admin::form::{Form, Pairs};
use crate::admin::guard::Caller;
use crate::admin::route::{Route, of_import};
use crate::admin::shell::{Failure, Shell, Tone, done, page, status_of};
use crate::error::{Error, Kind, Result};
use crate::import::report::{Reading, Report, reading};
use crate::model::{Client, ImportStatus, Language, Scope, UploadId};
use crate::service::Service;
use crate::service::holds::{Decided, Ruling, Verdict, waiting_rows};
use crate::service::imports::{ImportDetail, ImportView};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/imports/{import}/approve", of_import(Scope::Run), ask_approve),
        Route::post("/imports/{import}/approve", of_import(Scope::Run), approve),
        Route::get("/imports/{import}/discard", of_import(Scope::Run), ask_discard),
        Route::post("/imports/{import}/discard", of_import(Scope::Run), discard),
        Route::get("/imports/{import}/again", of_import(Scope::Run), ask_again),
        Route::post("/imports/{import}/again", of_import(Scope::Run), again),
    ]
}

#[derive(Template)]
#[template(path = "admin/pages/decide.html")]
struct DecidePage<'a> {
    p: &'a Shell,
    client: &'a Client,
    view: &'a ImportView,
    id: String,
    is_approval: bool,
    /// The rows that it is about; empty: the whole import.
    lines: Vec<u32>,
    /// Those rows with the person and what they would do.
    rows: Vec<(u32, String, &'static str)>,
    plan: String,
    r: Reading<'a>,
}

/// What is asked about.
struct Asked {
    detail: ImportDetail,
    client: Client,
    plan: String,
}

fn asked(service: &Service, id: UploadId) -> Result<Asked> {
    // Before the report: should it be held again in between, the older plan is refused.
    let plan = service.held_plan(id)?.unwrap_or_default();
    let detail = service.import(id)?;
    let client = service.client(&detail.view.client)?;
    Ok(Asked { detail, client, plan })
}

async fn ask_approve(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    ask(&admin, shell, &caller, &id, query, Verdict::Approve).await
}

async fn ask_discard(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    ask(&admin, shell, &caller, &id, query, Verdict::Discard).await
}

async fn ask(
    admin: &Admin,
    shell: Shell,
    caller: &Caller,
    id: &str,
    query: Option<String>,
    verdict: Verdict,
) -> Response {
    let pairs: Pairs =
        serde_html_form::from_str(query.as_deref().unwrap_or_default()).unwrap_or_default();
    let found = async {
        let (id, lines) = (parse_id(id)?, lines_of(&pairs)?);
        let asked = admin.run(&caller.name, move |service| asked(&service, id)).await?;
        let report = asked.detail.report.as_ref();
        let open: BTreeSet<u32> =
            report.map(|r| waiting_rows(&r.pending_rows).collect()).unwrap_or_default();
        let is_row =
            |line: &u32| asked.detail.view.pending_lines.contains(line) && open.contains(line);
        if lines.is_empty() && asked.plan.is_empty() {
            return Err(nothing_to_decide(&asked.detail.view));
        }
        if let Some(line) = lines.iter().find(|line| !is_row(line)) {
            let why = format!("row {line} of import {id} does not wait for a decision (any more)");
            return Err(Error::new(Kind::Conflict, why));
        }
        Ok((asked, lines))
    };
    let (asked, lines) = match found.await {
        Ok(found) => found,
        Err(error) => return refused(&shell, id, &error),
    };
    let p = shell.in_zone(&asked.client.time_zone);
    let Some(report) = &asked.detail.report else {
        return refused(&p, id, &nothing_to_decide(&asked.detail.view));
    };
    page(&decide_page(&p, &asked, report, lines, verdict))
}

fn nothing_to_decide(view: &ImportView) -> Error {
    let why = match view.pending_lines.is_empty() {
        true => format!("import {} is not held; its status is {}", view.id, view.status),
        false => "choose the rows that you mean, on the import's page".to_owned(),
    };
    Error::new(Kind::Conflict, why)
}

fn decide_page<'a>(
    p: &'a Shell,
    asked: &'a Asked,
    report: &'a Report,
    lines: BTreeSet<u32>,
    verdict: Verdict,
) -> DecidePage<'a> {
    let r = reading(report, p.language);
    let chosen = r.pending.iter().filter(|row| lines.contains(&row.line));
    let rows = chosen.map(|row| (row.line, row.person.clone(), row.proposal)).collect();
    let view = &asked.detail.view;
    let plan = if lines.is_empty() { asked.plan.clone() } else { String::new() };
    DecidePage {
        p,
        client: &asked.client,
        view,
        id: view.id.to_string(),
        is_approval: verdict == Verdict::Approve,
        lines: lines.into_iter().collect(),
        rows,
        plan,
        r,
    }
}

fn lines_of(pairs: &Pairs) -> Result<BTreeSet<u32>> {
    let lines = pairs.iter().filter(|(name, _)| name == "line");
    lines
        .map(|(_, value)| {
            value.parse().map_err(|_| {
                let shown: String = value.chars().take(20).collect();
                Error::new(Kind::Invalid, format!("\"{shown}\" is not a line's number"))
            })
        })
        .collect()
}

async fn approve(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(id): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Response {
    decide(&admin, shell, caller, &id, &pairs, Verdict::Approve).await
}

async fn discard(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(id): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Response {
    decide(&admin, shell, caller, &id, &pairs, Verdict::Discard).await
}

async fn decide(
    admin: &Admin,
    shell: Shell,
    caller: Caller,
    id: &str,
    pairs: &Pairs,
    verdict: Verdict,
) -> Response {
    let decided = async {
        let (id, lines) = (parse_id(id)?, lines_of(pairs)?);
        let plan = pairs.iter().find(|(name, _)| name == "plan");
        let plan = plan.map(|(_, plan)| plan.clone()).unwrap_or_default();
        if lines.is_empty() && plan.is_empty() {
            let why = "the form says neither which plan nor which rows are meant; open the import and decide there";
            return Err(Error::new(Kind::Invalid, why));
        }
        let who = caller.name.clone();
        let ruling = Ruling { verdict, lines, sha256: String::new() };
        admin
            .run(&caller.name, move |service| service.decide_as_seen(id, &ruling, &who, &plan))
            .await
    };
    match decided.await {
        Ok(decided) => {
            let (tone, words) = outcome(&shell, verdict, &decided);
            done(&format!("/imports/{id}"), tone, words)
        }
        Err(error) => refused(&shell, id, &error),
    }
}

fn outcome<'a>(p: &'a Shell, verdict: Verdict, decided: &Decided) -> (Tone, &'a str) {
    let Decided::Done(detail) = decided else {
        let words = p.t(
            "The decision is recorded. It is carried out after what runs now.",
            "La décision est enregistrée. Elle sera exécutée après ce qui est en cours.",
            "Die Entscheidung ist festgehalten. Sie wird nach dem ausgeführt, was gerade läuft.",
        );
        return (Tone::Good, words);
    };
    let is = |status: ImportStatus| detail.view.status == status.name();
    match verdict {
        Verdict::Discard => (Tone::Good, p.t("Discarded.", "Abandonné.", "Verworfen.")),
        Verdict::Approve if is(ImportStatus::Held) => {
            let words = p.t(
                "Held again: the file would do something else by now. Read what has changed and decide anew.",
                "De nouveau en attente\u{a0}: le fichier ferait maintenant autre chose. Lisez ce qui a changé et décidez à nouveau.",
                "Erneut angehalten: Die Datei würde inzwischen etwas anderes tun. Lesen Sie, was sich geändert hat, und entscheiden Sie neu.",
            );
            (Tone::Bad, words)
        }
        Verdict::Approve if is(ImportStatus::Rejected) => {
            let words = p.t(
                "Approved, and refused: nothing could be applied.",
                "Approuvé, puis refusé\u{a0}: rien n’a pu être appliqué.",
                "Freigegeben und abgelehnt: Nichts konnte übernommen werden.",
            );
            (Tone::Bad, words)
        }
        Verdict::Approve => {
            let words = p.t(
                "Approved and applied.",
                "Approuvé et appliqué.",
                "Freigegeben und übernommen.",
            );
            (Tone::Good, words)
        }
    }
}

#[derive(Template)]
#[template(path = "admin/pages/decide_refused.html")]
struct RefusedPage<'a> {
    p: &'a Shell,
    id: &'a str,
    message: &'a str,
}

/// Says why a decision was not taken, with the way back to the import as it is now.
pub(super) fn refused(p: &Shell, id: &str, error: &Error) -> Response {
    if matches!(error.kind(), Kind::Conflict | Kind::Busy | Kind::Invalid) {
        let mut response = page(&RefusedPage { p, id, message: error.message() });
        *response.status_mut() = status_of(error.kind());
        return response;
    }
    let error = Error::new(error.kind(), error.message().to_owned());
    Failure::new(error, p).into_response()
}

#[derive(Template)]
#[template(path = "admin/pages/again.html")]
struct AgainPage<'a> {
    p: &'a Shell,
    client: &'a Client,
    view: &'a ImportView,
    id: &'a str,
}

async fn ask_again(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(id): Path<String>,
) -> Response {
    let found = async {
        let id = parse_id(&id)?;
        admin
            .run(&caller.name, move |service| {
                drop(service.archived_file(id)?);
                asked(&service, id)
            })
            .await
    };
    match found.await {
        Ok(asked) => {
            let p = shell.in_zone(&asked.client.time_zone);
            let view = &asked.detail.view;
            page(&AgainPage { p: &p, client: &asked.client, view, id: &id })
        }
        Err(error) => refused(&shell, &id, &error),
    }
}

#[derive(Deserialize)]
struct Nothing {}

async fn again(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(id): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Response {
    let queued = async {
        let id = parse_id(&id)?;
        admin.run(&caller.name, move |service| service.import_again(id)).await
    };
    match queued.await {
        Ok(new) => {
            let words = match shell.language {
                Language::En => "The file is imported once more; this is the new import.",
                Language::Fr => {
                    "Le fichier est importé une nouvelle fois\u{a0}; voici le nouvel import."
                }
                Language::De => "Die Datei wird noch einmal importiert; dies ist der neue Import.",
            };
            done(&format!("/imports/{new}"), Tone::Good, words)
        }
        Err(error) => refused(&shell, &id, &error),
    }
}
