//! The REST API, `/api/v1`: the same jobs as the page and the command line, for programs (docs/api.md).

mod accounts;
mod answer;
mod ask;
mod clients;
mod data;
mod decide;
mod document;
mod drops;
mod encryption;
mod exports;
mod fetches;
mod files;
mod folders;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod gate;
mod handout;
mod imports;
mod keyed;
mod lists;
mod problem;
mod reader;
mod remote;
mod server;
mod settings;
mod shape;
mod telling;
mod users;
mod watch;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use super::route::Route;
pub(super) use gate::{Memory, behind};
pub(super) use problem::Problem;

pub(super) fn routes() -> Vec<Route> {
    [
        accounts::routes(),
        clients::routes(),
        data::routes(),
        decide::routes(),
        drops::routes(),
        encryption::routes(),
        exports::routes(),
        fetches::routes(),
        folders::routes(),
        handout::routes(),
        imports::routes(),
        lists::routes(),
        reader::routes(),
        remote::routes(),
        server::routes(),
        settings::routes(),
        telling::routes(),
        users::routes(),
        watch::routes(),
    ]
    .concat()
}

/// What a request without a good token is answered.
pub(super) fn unauthorized() -> Response {
    let detail = "send a valid API token: Authorization: Bearer rollcall_…";
    Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
        .with(header::WWW_AUTHENTICATE, "Bearer")
        .into_response()
}

/// Every answer below `/api/`: refusals that no operation made are problems too, and OPTIONS says what there is.
pub(super) fn dressed(method: &Method, path: &str, response: Response) -> Response {
    let status = response.status();
    let allow = response.headers().get(header::ALLOW).cloned();
    if *method == Method::OPTIONS && status == StatusCode::METHOD_NOT_ALLOWED {
        let mut answer = Response::new(Body::empty());
        *answer.status_mut() = StatusCode::NO_CONTENT;
        answer.headers_mut().extend(allow.map(|allow| (header::ALLOW, allow)));
        return answer;
    }
    let is_ours = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind == HeaderValue::from_static("application/problem+json"));
    if is_ours || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let (code, detail) = match status {
        StatusCode::NOT_FOUND => ("not_found", format!("there is nothing at {path}")),
        StatusCode::METHOD_NOT_ALLOWED => {
            ("method_not_allowed", format!("{method} is not offered at {path}"))
        }
        StatusCode::FORBIDDEN => {
            ("denied", "requests of other sites' pages are refused".to_owned())
        }
        StatusCode::MISDIRECTED_REQUEST => {
            let cure = "this server is not known by that name; add it to admin.hosts";
            ("wrong_host", cure.to_owned())
        }
        StatusCode::GATEWAY_TIMEOUT => (
            "timeout",
            "the answer took too long; look what became of it, and try again".to_owned(),
        ),
        StatusCode::REQUEST_TIMEOUT => (
            "too_slow",
            "the body came in too slowly, or not at all any more; nothing was done: send it again"
                .to_owned(),
        ),
        _ => ("refused", "the request was refused".to_owned()),
    };
    let problem = Problem::new(status, code, detail);
    let allow = allow.as_ref().and_then(|allow| allow.to_str().ok());
    match allow {
        Some(allow) => problem.with(HeaderName::from_static("allow"), allow),
        None => problem,
    }
    .into_response()
}
