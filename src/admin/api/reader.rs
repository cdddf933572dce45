//! The OpenAPI document, and a page to read it.

use axum::http::header;
use axum::response::{IntoResponse as _, Response};

use super::document;
use crate::admin::route::{Needs, Route};

pub(super) fn routes() -> Vec<Route> {
    vec![Route::get("/api/openapi.json", Needs::Nothing, openapi)]
}

async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], document::TEXT.as_str()).into_response()
}
