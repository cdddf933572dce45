//! Imports: list, look, start with a file, reports, the received file.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{StatusCode, Uri};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::answer::{self, Answer, ask, json_of, located, page};
use super::ask::{Asked, At, Paging};
use super::files::file_of;
use super::keyed::Reserved;
use super::problem::Problem;
use crate::admin::Admin;
use crate::admin::download::download;
use crate::admin::guard::Caller;
use crate::admin::route::{Route, of_client, of_import, of_own};
use crate::error::{Error, Kind};
use crate::import::report;
use crate::model::{ImportStatus, Language, Scope, UploadId};
use crate::service::by_hand::{DryRun, ImportFile};
use crate::service::feed::{ImportFilter, Stand};
use crate::service::imports::ReportFormat;
use crate::service::start::GivenFile;

/// What a file is called that comes without a name.
const UNNAMED: &str = "users.csv";

pub(super) fn routes() -> Vec<Route> {
    const OF: &str = "/api/v1/clients/{client}/imports";
    vec![
        Route::get("/api/v1/imports", of_own(Scope::Read), list),
        Route::get(OF, of_client(Scope::Read), list_of),
        Route::post(OF, of_client(Scope::Run), start),
        Route::post("/api/v1/clients/{client}/trials", of_client(Scope::Try), try_out),
        Route::get("/api/v1/imports/{import}", of_import(Scope::Read), show),
        Route::get("/api/v1/imports/{import}/report", of_import(Scope::Read), report_file),
        Route::get("/api/v1/imports/{import}/file", of_import(Scope::Run), received),
        Route::get("/api/v1/clients/{client}/interruptions", of_client(Scope::Read), interruptions),
    ]
}

/// Which imports.
#[derive(Deserialize)]
struct Wanted {
    client: Option<String>,
    folder: Option<String>,
    status: Option<String>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    text: Option<String>,
}

impl Wanted {
    fn filter(self) -> Result<ImportFilter, Problem> {
        let stand = match self.status.as_deref() {
            None => None,
            Some("waiting") => Some(Stand::Waiting),
            Some("to_decide") => Some(Stand::ToDecide),
            Some(name) => Some(Stand::Ended(status(name)?)),
        };
        Ok(ImportFilter {
            client: self.client,
            folder: self.folder,
            stand,
            from: self.from,
            to: self.to,
            text: self.text,
            ..ImportFilter::default()
        })
    }
}

fn status(name: &str) -> Result<ImportStatus, Problem> {
    serde_json::from_value(json!(name)).map_err(|_| {
        let detail = format!(
            "\"{name}\" is no status; there are waiting, to_decide, ok, ok_with_warnings, partial, held, rejected, \
             duplicate, superseded, discarded, expired, undone, failed"
        );
        Problem::invalid("?status", detail)
    })
}

async fn list(
    State(admin): State<Admin>,
    caller: Caller,
    uri: Uri,
    Asked(wanted): Asked<Wanted>,
    Asked(paging): Asked<Paging>,
) -> Answer {
    let mut filter = wanted.filter()?;
    if let Some(own) = &caller.client {
        if filter.client.as_ref().is_some_and(|client| client != own) {
            return page::<()>(&[], None, &uri);
        }
        filter.client = Some(own.clone());
    }
    listed(&admin, &caller, &uri, filter, &paging).await
}

async fn list_of(
    State(admin): State<Admin>,
    caller: Caller,
    uri: Uri,
    At(client): At<String>,
    Asked(wanted): Asked<Wanted>,
    Asked(paging): Asked<Paging>,
) -> Answer {
    let filter = ImportFilter { client: Some(client), ..wanted.filter()? };
    listed(&admin, &caller, &uri, filter, &paging).await
}

async fn listed(
    admin: &Admin,
    caller: &Caller,
    uri: &Uri,
    mut filter: ImportFilter,
    paging: &Paging,
) -> Answer {
    filter.limit = u32::try_from(paging.rows(admin)?).unwrap_or(u32::MAX);
    filter.before = paging.after_number()?;
    let found = ask(admin, caller, move |service| {
        if let Some(client) = &filter.client {
            service.client(client)?;
        }
        service.imports_page(&filter)
    });
    let found = found.await?;
    let next = found.next.map(|seq| seq.to_string());
    page(&found.imports, next.as_deref(), uri)
}

/// How a file is to be imported.
#[derive(Deserialize)]
struct How {
    folder: Option<String>,
    name: Option<String>,
    #[serde(default)]
    dry_run: bool,
    wait: Option<u64>,
}

async fn start(
    State(admin): State<Admin>,
    caller: Caller,
    At(client): At<String>,
    Asked(how): Asked<How>,
    request: Request,
) -> Answer {
    let reserved = request.extensions().get::<Reserved>().copied();
    let config = Arc::clone(admin.service().config());
    let most = config.admin.api_max_wait_s;
    let wait_s = how.wait.unwrap_or(config.limits.reply_wait_s.min(most));
    if wait_s > most {
        return Err(Problem::invalid("?wait", format!("{wait_s} is not from 0 to {most}")));
    }
    let dry_run = how.dry_run;
    let file = given(&admin, client, how, request).await?;
    if dry_run {
        return tried(&admin, &caller, file).await;
    }
    let service = admin.service().acting_as(&caller.name);
    let id = reserved.map_or_else(|| service.new_id(), |reserved| reserved.0);
    let detail = service.start_import(id, file, Duration::from_secs(wait_s)).await?;
    let status = if detail.report.is_some() { StatusCode::CREATED } else { StatusCode::ACCEPTED };
    located(status, &["imports", &id.to_string()], &detail.view)
}

async fn try_out(
    State(admin): State<Admin>,
    caller: Caller,
    At(client): At<String>,
    Asked(how): Asked<How>,
    request: Request,
) -> Answer {
    let file = given(&admin, client, how, request).await?;
    tried(&admin, &caller, file).await
}

async fn given(
    admin: &Admin,
    client: String,
    how: How,
    request: Request,
) -> Result<GivenFile, Problem> {
    let sent = file_of(admin, request, admin.service().config().limits.max_import_bytes).await?;
    let name = how.name.or(sent.name).unwrap_or_else(|| UNNAMED.to_owned());
    Ok(GivenFile { client, folder: how.folder, name, bytes: sent.bytes })
}

/// What a file would do, as its JSON report tells it; nothing is written.
async fn tried(admin: &Admin, caller: &Caller, file: GivenFile) -> Answer {
    let told = ask(admin, caller, move |service| {
        let language = service.client(&file.client)?.language;
        let given = ImportFile {
            client: &file.client,
            folder: file.folder.as_deref(),
            name: &file.name,
            content: file.bytes.into(),
        };
        let report = service.import_file(given, DryRun::Yes)?;
        Ok(report::json(&report, language))
    });
    let told = String::from_utf8_lossy(&told.await?).into_owned();
    answer::text("application/json", told)
}

async fn show(State(admin): State<Admin>, caller: Caller, At(id): At<UploadId>) -> Answer {
    let shown = ask(&admin, &caller, move |service| {
        let view = service.import(id)?.view;
        let plan = service.held_plan(id)?;
        Ok((view, plan))
    });
    let (view, plan) = shown.await?;
    let mut shown = answer::value(&view)?;
    if let Some(object) = shown.as_object_mut() {
        object.insert("plan".to_owned(), json!(plan));
    }
    json_of(&shown)
}

/// Which report file.
#[derive(Deserialize)]
struct Which {
    #[serde(default)]
    format: Format,
    language: Option<Language>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    #[default]
    Json,
    Csv,
    Html,
    Corrections,
}

impl Format {
    /// The report, its media type and the end of its name.
    fn file(self) -> (ReportFormat, &'static str, &'static str) {
        match self {
            Self::Json => (ReportFormat::Json, "application/json", "report.json"),
            Self::Csv => (ReportFormat::Csv, "text/csv", "report.csv"),
            Self::Html => (ReportFormat::Html, "text/html", "report.html"),
            Self::Corrections => (ReportFormat::Corrections, "text/csv", "corrections.csv"),
        }
    }
}

async fn report_file(
    State(admin): State<Admin>,
    caller: Caller,
    At(id): At<UploadId>,
    Asked(Which { format, language }): Asked<Which>,
) -> Answer {
    let (format, kind, end) = format.file();
    if matches!(format, ReportFormat::Corrections) && !caller.has(Scope::Run) {
        let why =
            "the corrections file holds values that reports mask: reading it needs the scope run";
        return Err(Error::new(Kind::Denied, why).into());
    }
    let made = ask(&admin, &caller, move |service| {
        let name = service.import(id)?.view.file.name;
        Ok((service.report_file(id, format, language)?, name))
    });
    let (bytes, name) = made.await?;
    answer::file(kind, &format!("{name}.{end}"), bytes)
}

async fn received(State(admin): State<Admin>, caller: Caller, At(id): At<UploadId>) -> Answer {
    let (upload, file) = ask(&admin, &caller, move |service| service.received_file(id)).await?;
    Ok(download(file, upload.path.name().unwrap_or_default(), upload.bytes))
}

async fn interruptions(
    State(admin): State<Admin>,
    caller: Caller,
    At(client): At<String>,
    Asked(paging): Asked<Paging>,
) -> Answer {
    let rows = u32::try_from(paging.rows(&admin)?).unwrap_or(u32::MAX);
    let found = ask(&admin, &caller, move |service| service.interruptions(&client, rows)).await?;
    json_of(&json!({ "items": found }))
}

/// The problem of something that another client has, or nobody.
pub(super) fn not_here(what: &str) -> Error {
    Error::new(Kind::NotFound, format!("there is no {what}"))
}
