//! The files of an import: its report in every form and language, and what was received.

use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::imports_parts::parse_id;
use crate::admin::Admin;
use crate::admin::download::{NOTHING, disposition, download};
use crate::admin::guard::{Caller, denied};
use crate::admin::route::{Route, of_import};
use crate::admin::shell::{Failure, Shell};
use crate::error::{Error, Kind, Result};
use crate::import::report::html_policy;
use crate::model::{Language, Scope};
use crate::service::imports::ReportFormat;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/imports/{import}/report/{format}", of_import(Scope::Read), report),
        Route::get("/imports/{import}/file", of_import(Scope::Run), received),
    ]
}

#[derive(Debug, Deserialize)]
struct Wanted {
    /// As the reader's page, if none is given.
    #[serde(default)]
    language: String,
}

struct Form {
    format: ReportFormat,
    kind: &'static str,
    ending: &'static str,
}

fn form(name: &str) -> Result<Form> {
    let form = |format, kind, ending| Ok(Form { format, kind, ending });
    match name {
        "csv" => form(ReportFormat::Csv, "text/csv; charset=utf-8", "report.csv"),
        "json" => form(ReportFormat::Json, "application/json", "report.json"),
        "html" => form(ReportFormat::Html, "text/html; charset=utf-8", "report.html"),
        "corrections" => {
            form(ReportFormat::Corrections, "text/csv; charset=utf-8", "corrections.csv")
        }
        other => {
            let shown: String = other.chars().take(40).collect();
            let message = format!(
                "there is no report \"{shown}\"; there are csv, json, html and corrections"
            );
            Err(Error::new(Kind::NotFound, message))
        }
    }
}

async fn report(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path((id, format)): Path<(String, String)>,
    Query(wanted): Query<Wanted>,
) -> Response {
    let language: Language = wanted.language.parse().unwrap_or(shell.language);
    let made = async {
        let (id, form) = (parse_id(&id)?, form(&format)?);
        // The refused rows stand there as they were received, birth dates too.
        if matches!(form.format, ReportFormat::Corrections) && !caller.has(Scope::Run) {
            return Err(denied());
        }
        let what = form.format;
        let (bytes, name) = admin
            .run(&caller.name, move |service| {
                let bytes = service.report_file(id, what, Some(language))?;
                Ok((bytes, service.import(id)?.view.file.name))
            })
            .await?;
        Ok((form, bytes, name))
    };
    let (form, bytes, name): (Form, Vec<u8>, String) = match made.await {
        Ok(made) => made,
        Err(error) => return Failure::new(error, &shell).into_response(),
    };
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(form.kind));
    let is_page = matches!(form.format, ReportFormat::Html);
    // The page's one script is named by its digest; the sandbox keeps it away from this site's cookies all the same.
    let policy = match is_page {
        true => format!("{}; sandbox allow-scripts; frame-ancestors 'none'", html_policy()),
        false => NOTHING.to_owned(),
    };
    if let Ok(policy) = HeaderValue::try_from(policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    let name = format!("{name}.{}", form.ending);
    let how = if is_page { "inline" } else { "attachment" };
    headers.insert(header::CONTENT_DISPOSITION, disposition(how, &name));
    response
}

async fn received(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(id): Path<String>,
) -> Response {
    let found = async {
        let id = parse_id(&id)?;
        admin.run(&caller.name, move |service| service.received_file(id)).await
    };
    match found.await {
        Ok((upload, file)) => download(file, upload.path.name().unwrap_or_default(), upload.bytes),
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}
