//! Idempotency keys: a POST that is sent again does its work once and gets the first answer.

use axum::body::Body;
use axum::extract::{RawPathParams, Request};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use axum::{RequestExt as _, http::request::Parts};
use sha2::{Digest as _, Sha256};

use super::ask::{body_of, most_bytes};
use super::document::Operation;
use super::problem::Problem;
use crate::admin::Admin;
use crate::admin::guard::Caller;
use crate::error::{Error, Kind};
use crate::model::UploadId;
use crate::service::repeats::{KeptAnswer, Keyed, Repeat};

/// The header that names a request.
const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Says that an answer was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// The longest key.
const MAX_KEY_CHARS: usize = 200;

/// The id that what a request makes is to have: the same when the request is sent again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reserved(pub(super) UploadId);

/// An answer that shows a secret; only this is kept for whoever sends the request again.
#[derive(Debug, Clone)]
pub(super) struct KeepInstead(pub(super) String);

/// Runs a POST once.
///
/// # Errors
/// 409 while the first one runs, 422 for another request with the same key or a bad key.
pub(super) async fn once(
    admin: &Admin,
    operation: &Operation,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let caller = request.extensions().get::<Caller>().cloned();
    let token = caller.as_ref().and_then(|caller| caller.token);
    let (Some(key), Some(token), true) = (key_of(&request)?, token, operation.keyed) else {
        return Ok(next.run(request).await);
    };
    let client = client_of(admin, &mut request).await;
    let (request, print) = printed(admin, operation, request).await?;
    let keyed = Keyed { token, key, print, client, run: admin.api().run };
    let known = keyed.clone();
    match admin.run("", move |service| service.begin_keyed(&known)).await? {
        Repeat::First(reserved) => run(admin, keyed, reserved, request, next).await,
        Repeat::Answered(answer) => Ok(replayed(answer)),
        Repeat::Running => Err(Problem::new(
            StatusCode::CONFLICT,
            "still_running",
            "the first request with this Idempotency-Key is still being worked on",
        )
        .retry_after(1)),
        Repeat::Other => Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "key_reused",
            "this Idempotency-Key was used for another request; choose a new one for each request",
        )),
    }
}

fn key_of(request: &Request) -> Result<Option<String>, Problem> {
    let Some(value) = request.headers().get(KEY) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    // Some programs send it as a quoted string.
    let quoted = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let text = quoted.filter(|text| !text.is_empty()).unwrap_or(text);
    let good = !text.is_empty()
        && text.chars().count() <= MAX_KEY_CHARS
        && text.chars().all(|c| c.is_ascii_graphic());
    if good {
        return Ok(Some(text.to_owned()));
    }
    let detail = format!(
        "the Idempotency-Key is not 1 to {MAX_KEY_CHARS} visible ASCII signs; send a UUID, for example"
    );
    Err(Problem::new(StatusCode::BAD_REQUEST, "malformed", detail))
}

/// The client that a request is about: what is kept of it is erased with the client.
async fn client_of(admin: &Admin, request: &mut Request) -> Option<String> {
    let params = request.extract_parts::<RawPathParams>().await.ok()?;
    let named =
        |name: &str| params.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_owned());
    let (client, login, import) = (named("client"), named("login"), named("import"));
    if client.is_some() {
        return client;
    }
    if let Some(login) = login {
        return admin.run("", move |service| service.account(&login)).await.ok().map(|a| a.client);
    }
    let import: UploadId = import?.parse().ok()?;
    admin.run("", move |service| service.client_of_import(import)).await.ok()
}

/// The request with the print of all that decides what it does.
async fn printed(
    admin: &Admin,
    operation: &Operation,
    request: Request,
) -> Result<(Request, String), Problem> {
    let (parts, body) = request.into_parts();
    let bytes = body_of(body, most_bytes(admin, operation)).await?;
    let mut hash = Sha256::new();
    for part in [parts.method.as_str(), &parts.uri.to_string(), content_type(&parts)] {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    match boundary(&parts) {
        // Where a form's parts are cut is chosen anew each time a request is sent.
        Some(cut) => {
            let pieces = memchr::memmem::find_iter(&bytes, &cut).collect::<Vec<_>>();
            let mut from = 0;
            for at in pieces.into_iter().chain([bytes.len()]) {
                hash.update(bytes.get(from..at).unwrap_or_default());
                hash.update([0]);
                from = at.saturating_add(cut.len());
            }
        }
        None => hash.update(&bytes),
    }
    let print = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok((Request::from_parts(parts, Body::from(bytes)), print))
}

fn content_type(parts: &Parts) -> &str {
    let value = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().split(';').next().unwrap_or_default()
}

/// What stands between the parts of a form with files.
fn boundary(parts: &Parts) -> Option<Vec<u8>> {
    let value = parts.headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let (_, rest) = value.split_once("boundary=")?;
    let boundary = rest.split(';').next()?.trim().trim_matches('"');
    (!boundary.is_empty()).then(|| boundary.as_bytes().to_vec())
}

/// Does the work and keeps the answer; also when whoever asked is gone by then.
async fn run(
    admin: &Admin,
    keyed: Keyed,
    reserved: UploadId,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    request.extensions_mut().insert(Reserved(reserved));
    let (free, of) = (keyed.clone(), admin.clone());
    let admin = admin.clone();
    let working = tokio::spawn(async move {
        let (mut parts, body) = next.run(request).await.into_parts();
        let bytes = body_of(body, usize::MAX).await?;
        let instead = parts.extensions.remove::<KeepInstead>();
        let text = |name| parts.headers.get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let answer = parts.status.is_success().then(|| KeptAnswer {
            status: parts.status.as_u16(),
            kind: text(header::CONTENT_TYPE),
            location: text(header::LOCATION),
            body: instead.map_or_else(|| bytes.to_vec(), |instead| instead.0.into_bytes()),
        });
        admin.run("", move |service| service.end_keyed(&keyed, answer)).await?;
        Ok(Response::from_parts(parts, Body::from(bytes)))
    });
    match working.await {
        Ok(answered) => answered,
        Err(fault) => {
            of.run("", move |service| service.end_keyed(&free, None)).await?;
            let words = "the request ended by a fault in this program";
            Err(Error::caused(Kind::Internal, words, fault).into())
        }
    }
}

fn replayed(answer: KeptAnswer) -> Response {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let headers = [(header::CONTENT_TYPE, answer.kind), (header::LOCATION, answer.location)];
    for (name, value) in headers {
        if let Some(Ok(value)) = value.map(HeaderValue::try_from) {
            response.headers_mut().insert(name, value);
        }
    }
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    response
}
