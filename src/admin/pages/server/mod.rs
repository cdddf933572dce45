//! The server itself: overview, who gets in, what was done, what waits, what is wrong.

mod administrator;
mod administrators;
mod alarms;
mod audit;
mod bans;
mod hooks;
mod mail;
mod outbox;
mod overview;
mod schedule;
mod tokens;
pub(in crate::admin) mod words;

use axum::http::StatusCode;
use axum::response::Response;

use crate::admin::route::Route;

pub(super) fn routes() -> Vec<Route> {
    [
        administrator::routes(),
        administrators::routes(),
        alarms::routes(),
        audit::routes(),
        bans::routes(),
        hooks::routes(),
        mail::routes(),
        outbox::routes(),
        overview::routes(),
        schedule::routes(),
        tokens::routes(),
    ]
    .concat()
}

/// A form that was refused, shown again.
fn refused(mut response: Response) -> Response {
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    response
}

/// A filter's field; empty ones do not filter.
fn given(field: &str) -> Option<String> {
    let field = field.trim();
    (!field.is_empty()).then(|| field.to_owned())
}
