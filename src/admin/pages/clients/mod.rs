//! The clients: their list, how one is added, and the settings of one.

mod list;
mod new;
mod settings;

use axum::response::{IntoResponse as _, Response};

use crate::admin::route::Route;
use crate::admin::shell::{Failure, Shell};
use crate::error::{Error, Kind};

pub(super) fn routes() -> Vec<Route> {
    [list::routes(), new::routes(), settings::routes()].concat()
}

/// What a handler answers: a page, or the page of a failure.
type Answer = Result<Response, Response>;

fn fail(error: Error, shell: &Shell) -> Response {
    Failure::new(error, shell).into_response()
}

/// The words of a refusal that is shown beside what was typed; any other error is a page of its own.
#[expect(clippy::result_large_err, reason = "the error is the page that is shown instead")]
fn beside(error: Error, shell: &Shell) -> Result<String, Response> {
    match error.kind() {
        Kind::Invalid | Kind::Exists | Kind::Busy => Ok(error.message().to_owned()),
        _ => Err(fail(error, shell)),
    }
}

/// A form that was refused: the page again, with the status that says so.
fn refused(mut page: Response) -> Response {
    *page.status_mut() = axum::http::StatusCode::UNPROCESSABLE_ENTITY;
    page
}
