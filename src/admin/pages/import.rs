//! One import: what became of it, why, what changed, and the files to download.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{Html, IntoResponse as _, Response};
use serde::Deserialize;

use super::imports_parts::{Shown, first, is_held, parse_id, size, waits};
use super::status::{Badge, badge};
use crate::admin::Admin;
use crate::admin::guard::Caller;
use crate::admin::route::{Route, of_import};
use crate::admin::shell::{Failure, Shell, page};
use crate::error::Result;
use crate::import::report::{Change, Group, Reading, reading, straight};
use crate::model::{Client, Scope, UploadId};
use crate::service::Service;
use crate::service::imports::{ImportDetail, ImportView, Wait};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/imports/{import}", of_import(Scope::Read), show),
        Route::get("/imports/{import}/now", of_import(Scope::Read), now),
        Route::get("/imports/{import}/messages", of_import(Scope::Read), messages),
        Route::get("/imports/{import}/changes", of_import(Scope::Read), changes),
    ]
}

/// Messages of one level, or changes, that the import's own page shows.
const FIRST: usize = 25;
/// The same on a page of their own.
const PAGE: usize = 100;

/// An import with all that its page needs.
struct Found {
    detail: ImportDetail,
    client: Client,
    /// The archive still has the file.
    is_archived: bool,
}

fn find(service: &Service, id: UploadId) -> Result<Found> {
    let detail = service.import(id)?;
    let client = service.client(&detail.view.client)?;
    Ok(Found { detail, client, is_archived: service.is_archived(id)? })
}

async fn found(admin: &Admin, caller: &Caller, id: &str) -> Result<Found> {
    let id = parse_id(id)?;
    admin.run(&caller.name, move |service| find(&service, id)).await
}

#[derive(Template)]
#[template(path = "admin/pages/import.html")]
struct ImportPage<'a> {
    p: &'a Shell,
    client: &'a Client,
    view: &'a ImportView,
    badge: Badge,
    r: Option<Reading<'a>>,
    changes_total: u64,
    /// Its id, for addresses.
    id: String,
    waits: Option<String>,
    behind: Option<UploadId>,
    is_held: bool,
    can_undo: bool,
    can_repeat: bool,
    may_run: bool,
    may_choose: bool,
    groups: Vec<Shown>,
    messages_of: Option<String>,
    changes: Vec<Change<'a>>,
    changes_listed: usize,
    files: Vec<ReportFile>,
    is_archived: bool,
    size: String,
}

/// A report file for download.
struct ReportFile {
    format: &'static str,
    name: &'static str,
    verb: &'static str,
}

fn report_files(p: &Shell, has_corrections: bool) -> Vec<ReportFile> {
    let read = p.t("Read", "Lire", "Lesen");
    let load = p.t("Download", "Télécharger", "Herunterladen");
    let csv =
        p.t("CSV, for a spreadsheet", "CSV, pour un tableur", "CSV, für eine Tabellenkalkulation");
    let json = p.t("JSON, for a program", "JSON, pour un programme", "JSON, für ein Programm");
    let corrections = p.t(
        "The refused rows, to correct and send again",
        "Les lignes refusées, à corriger et à renvoyer",
        "Die abgelehnten Zeilen, zum Korrigieren und erneuten Senden",
    );
    let html = p.t("For reading", "À lire", "Zum Lesen");
    let mut files = vec![
        ReportFile { format: "html", name: html, verb: read },
        ReportFile { format: "csv", name: csv, verb: load },
        ReportFile { format: "json", name: json, verb: load },
    ];
    if has_corrections {
        files.push(ReportFile { format: "corrections", name: corrections, verb: load });
    }
    files
}

async fn show(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(id): Path<String>,
) -> Response {
    match found(&admin, &caller, &id).await {
        Ok(found) => page(&import_page(&shell.in_zone(&found.client.time_zone), &found)),
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}

fn import_page<'a>(p: &'a Shell, found: &'a Found) -> ImportPage<'a> {
    let Found { detail: ImportDetail { view, report }, client, is_archived } = found;
    let may_run = p.may(&Scope::Run);
    let ended = view.finished_at.is_some() && !is_held(view);
    let mut r = report.as_ref().map(|report| reading(report, p.language));
    let (groups, mut changes) = r.as_mut().map_or_else(Default::default, |r| {
        (first(std::mem::take(&mut r.groups), FIRST), std::mem::take(&mut r.changes))
    });
    let changes_listed = changes.len();
    changes.truncate(FIRST);
    // Both files show what reports mask.
    let has_corrections =
        may_run && report.as_ref().is_some_and(|report| !report.refused_rows.is_empty());
    ImportPage {
        p,
        client,
        view,
        badge: badge(p, &view.status),
        r,
        changes_total: report.as_ref().map_or(0, |report| report.changes_total),
        id: view.id.to_string(),
        waits: waits(p, view),
        behind: match view.wait {
            Some(Wait::Held(id)) => Some(id),
            _ => None,
        },
        is_held: is_held(view),
        can_undo: may_run && report.as_ref().is_some_and(|report| report.undo.is_some()),
        can_repeat: may_run && ended && *is_archived && view.folder.is_some(),
        may_run,
        may_choose: may_run && !view.pending_lines.is_empty(),
        groups,
        messages_of: Some(view.id.to_string()),
        changes,
        changes_listed,
        files: report_files(p, has_corrections),
        is_archived: *is_archived,
        size: size(p, view.file.bytes),
    }
}

#[derive(Template)]
#[template(path = "admin/pages/import_now.html")]
struct NowPart<'a> {
    p: &'a Shell,
    view: &'a ImportView,
    badge: Badge,
    waits: Option<String>,
    behind: Option<UploadId>,
    summary: String,
    id: String,
}

/// The part of the page of a waiting import that brings itself up to date.
async fn now(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(id): Path<String>,
) -> Response {
    match found(&admin, &caller, &id).await {
        Ok(found) => {
            let p = shell.in_zone(&found.client.time_zone);
            let whole = import_page(&p, &found);
            let summary = whole.r.map(|r| r.summary).unwrap_or_default();
            let ImportPage { view, badge, waits, behind, id, .. } = whole;
            part(&NowPart { p: &p, view, badge, waits, behind, summary, id })
        }
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}

/// A part of a page.
pub(super) fn part(template: &impl Template) -> Response {
    match template.render() {
        Ok(text) => Html(straight(&text)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a part of a page could not be written");
            axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Which part of a long list.
#[derive(Debug, Deserialize)]
struct Place {
    /// The level of messages; empty: all.
    #[serde(default)]
    level: String,
    /// From 1.
    #[serde(default)]
    page: usize,
}

/// A page of a long list.
struct Cut {
    page: usize,
    pages: usize,
    from: usize,
}

impl Cut {
    fn of(total: usize, wanted: usize) -> Self {
        let pages = total.div_ceil(PAGE).max(1);
        let page = wanted.clamp(1, pages);
        Self { page, pages, from: (page - 1) * PAGE }
    }
}

/// The messages of one level, to choose.
struct Level {
    class: &'static str,
    title: &'static str,
    count: usize,
    is_chosen: bool,
}

#[derive(Template)]
#[template(path = "admin/pages/import_messages.html")]
struct MessagesPage<'a> {
    p: &'a Shell,
    client: &'a Client,
    view: &'a ImportView,
    id: String,
    levels: Vec<Level>,
    level: String,
    group: Option<Shown>,
    cut: Cut,
}

async fn messages(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(id): Path<String>,
    Query(place): Query<Place>,
) -> Response {
    let found = match found(&admin, &caller, &id).await {
        Ok(found) => found,
        Err(error) => return Failure::new(error, &shell).into_response(),
    };
    let p = shell.in_zone(&found.client.time_zone);
    let view = &found.detail.view;
    let groups = found.detail.report.as_ref().map(|report| reading(report, p.language).groups);
    let groups = groups.unwrap_or_default();
    let first = groups.first().map_or("", |group| group.class);
    let level = if place.level.is_empty() { first.to_owned() } else { place.level };
    let one = |group: &Group| Level {
        class: group.class,
        title: group.title,
        count: group.rows.len(),
        is_chosen: group.class == level,
    };
    let levels = groups.iter().map(one).collect();
    let group = groups.into_iter().find(|group| group.class == level);
    let cut = Cut::of(group.as_ref().map_or(0, |group| group.rows.len()), place.page);
    let group = group.map(|group| Shown::of(group, cut.from, PAGE));
    let (id, client) = (view.id.to_string(), &found.client);
    page(&MessagesPage { p: &p, client, view, id, levels, level, group, cut })
}

#[derive(Template)]
#[template(path = "admin/pages/import_changes.html")]
struct ChangesPage<'a> {
    p: &'a Shell,
    client: &'a Client,
    view: &'a ImportView,
    id: String,
    changes: Vec<Change<'a>>,
    note: Option<String>,
    total: u64,
    cut: Cut,
}

async fn changes(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(id): Path<String>,
    Query(place): Query<Place>,
) -> Response {
    let found = match found(&admin, &caller, &id).await {
        Ok(found) => found,
        Err(error) => return Failure::new(error, &shell).into_response(),
    };
    let p = shell.in_zone(&found.client.time_zone);
    let view = &found.detail.view;
    let read = found.detail.report.as_ref().map(|report| reading(report, p.language));
    let (all, note) = read.map(|r| (r.changes, r.changes_note)).unwrap_or_default();
    let cut = Cut::of(all.len(), place.page);
    let changes = all.into_iter().skip(cut.from).take(PAGE).collect();
    let total = found.detail.report.as_ref().map_or(0, |report| report.changes_total);
    let (id, client) = (view.id.to_string(), &found.client);
    page(&ChangesPage { p: &p, client, view, id, changes, note, total, cut })
}
