//! For monitoring: is it alive, is it ready, how much does it do.

use axum::response::{IntoResponse as _, Response};

use super::route::{Needs, Route};

pub(super) fn routes() -> Vec<Route> {
    vec![Route::get("/healthz", Needs::Nothing, alive)]
}

/// The program runs and answers.
async fn alive() -> Response {
    "ok\n".into_response()
}
