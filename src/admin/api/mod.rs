//! The REST API, `/api/v1`: the same jobs as the page and the command line, for programs.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::route::Route;
use super::shell::status_of;
use crate::error::Error;

pub(super) fn routes() -> Vec<Route> {
    Vec::new()
}

/// An error as `application/problem+json` (RFC 9457).
pub(super) struct Problem {
    status: StatusCode,
    detail: String,
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let status = status_of(error.kind());
        if status.is_server_error() {
            tracing::error!(%error, "an API request failed");
        }
        Self { status, detail: error.message().to_owned() }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or("Error");
        let body = json!({
            "type": "about:blank", "title": title, "status": self.status.as_u16(), "detail": self.detail,
        });
        let kind = HeaderValue::from_static("application/problem+json");
        (self.status, [(header::CONTENT_TYPE, kind)], body.to_string()).into_response()
    }
}

/// What a request without a good token is answered.
pub(super) fn unauthorized() -> Response {
    let detail = "send a valid API token: Authorization: Bearer rollcall_…".to_owned();
    let mut response = Problem { status: StatusCode::UNAUTHORIZED, detail }.into_response();
    let scheme = HeaderValue::from_static("Bearer");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
    response
}
