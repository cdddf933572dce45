//! Errors as `application/problem+json` (RFC 9457), each with a code that programs can branch on.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};

use crate::admin::shell::status_of;
use crate::error::{Error, Kind};

/// Seconds after which something that is busy is worth another try.
const BUSY_S: u64 = 5;

/// What is wrong with one part of a request's body or query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in crate::admin) struct FieldError {
    /// Where: a JSON pointer (RFC 6901) into the body, or `?name` of the query.
    pub(super) pointer: String,
    /// What is wrong, and what would be right.
    pub(super) detail: String,
}

/// Why a request was refused or could not be answered.
#[derive(Debug)]
pub(in crate::admin) struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    errors: Vec<FieldError>,
    retry_after_s: Option<u64>,
    more: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// A refusal by the API itself.
    pub(super) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        let (errors, more) = (Vec::new(), Vec::new());
        Self { status, code, detail: detail.into(), errors, retry_after_s: None, more }
    }

    /// A body or query that cannot be read, or is not what the operation takes.
    pub(super) fn invalid(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        let (pointer, detail) = (pointer.into(), detail.into());
        let mut problem = Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid",
            if pointer.is_empty() { detail.clone() } else { format!("{pointer}: {detail}") },
        );
        problem.errors.push(FieldError { pointer, detail });
        problem
    }

    /// The same, to be tried again after so many seconds.
    pub(super) fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// The same with one more header.
    pub(super) fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::try_from(value) {
            self.more.push((name, value));
        }
        self
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let status = status_of(error.kind());
        let detail = if error.kind() == Kind::Internal {
            // Paths and statements of this machine are for its log, not for whoever asks.
            tracing::error!(%error, "an API request failed");
            "a fault of this server or machine; its log says more".to_owned()
        } else {
            error.message().to_owned()
        };
        let problem = Self::new(status, code_of(error.kind()), detail);
        if error.kind() == Kind::Busy { problem.retry_after(BUSY_S) } else { problem }
    }
}

fn code_of(kind: Kind) -> &'static str {
    match kind {
        Kind::NotFound => "not_found",
        Kind::Exists => "exists",
        Kind::Denied => "denied",
        Kind::NotEmpty => "not_empty",
        Kind::Invalid | Kind::IsFolder | Kind::NotFolder => "invalid",
        Kind::Unsupported => "unsupported",
        Kind::Conflict => "conflict",
        Kind::Busy => "busy",
        Kind::TooLarge => "too_large",
        Kind::Quota => "quota",
        Kind::NoSpace => "no_space",
        Kind::Internal => "internal",
    }
}

impl Problem {
    /// As the member of another answer.
    pub(super) fn body(&self) -> Value {
        let title = self.status.canonical_reason().unwrap_or("Error");
        let mut body = json!({
            "type": "about:blank", "title": title, "status": self.status.as_u16(),
            "code": self.code, "detail": self.detail,
        });
        if let (false, Some(object)) = (self.errors.is_empty(), body.as_object_mut()) {
            object.insert("errors".to_owned(), json!(self.errors));
        }
        body
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = self.body();
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        let mut response = (self.status, kind, body.to_string()).into_response();
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
            .headers_mut()
            .extend(self.more.into_iter().map(|(name, value)| (Some(name), value)));
        response
    }
}
