//! What surrounds every operation of the API: rate, query names, media types, conditions, idempotency keys.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::MethodRouter;
use sha2::{Digest as _, Sha256};
use tower::ServiceExt as _;
use uuid::Uuid;

use super::ask::{body_of, media_type, most_bytes, unpacked};
use super::document::{self, Operation};
use super::keyed;
use super::problem::Problem;
use super::shape;
use crate::admin::Admin;
use crate::admin::guard::Caller;
use crate::admin::route::Route;
use crate::service::Service;

/// How often a change is tried whose condition somebody else's change has put in doubt.
const MOST_TRIES: u32 = 50;

/// What the API remembers between requests.
pub(in crate::admin) struct Memory {
    /// Requests that each token has left, and when that was so.
    rates: Mutex<HashMap<i64, (f64, Instant)>>,
    /// This process, among those that worked on the same registry.
    pub(super) run: Uuid,
}

impl Default for Memory {
    fn default() -> Self {
        Self { rates: Mutex::default(), run: Uuid::now_v7() }
    }
}

/// One route of the API behind the gate.
#[derive(Clone)]
struct Gate {
    admin: Admin,
    method: Method,
    operation: &'static Operation,
    /// Shows what this route changes, if there is such a route.
    shows: Option<MethodRouter<Admin>>,
    /// Whether it changes a client's directory, not the registry.
    changes_directory: bool,
}

/// The operation that a request asks for, for whoever reads its body.
#[derive(Clone, Copy)]
pub(super) struct Asks(pub(super) &'static Operation);

/// Puts the gate before a route, where it is one of the API.
pub(in crate::admin) fn behind(admin: &Admin, route: &Route, all: &[Route]) -> MethodRouter<Admin> {
    let Some(operation) = document::operation(&route.method, route.path) else {
        return route.handler.clone();
    };
    let shows = all.iter().find(|other| other.path == route.path && other.method == Method::GET);
    let shows = shows.map(|route| route.handler.clone());
    let changes_directory =
        ["/users/{user}", "/lists/{list}"].iter().any(|of| route.path.contains(of));
    let (admin, method) = (admin.clone(), route.method.clone());
    let gate = Gate { admin, method, operation, shows, changes_directory };
    route.handler.clone().layer(middleware::from_fn_with_state(gate, pass))
}

async fn pass(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let same = *request.method() == gate.method
        || (gate.method == Method::GET && *request.method() == Method::HEAD);
    if !same {
        // Another method on this address: the router says which there are.
        return next.run(request).await;
    }
    match gate.checked(request, next).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

impl Gate {
    async fn checked(self, mut request: Request, next: Next) -> Result<Response, Problem> {
        if let Some(caller) = request.extensions().get::<Caller>() {
            self.check_rate(caller)?;
        }
        check_query(self.operation, request.uri().query().unwrap_or_default())?;
        check_accept(self.operation, request.headers())?;
        request = unpacked(&self.admin, self.operation, request).await?;
        check_body(self.operation, request.headers())?;
        request.extensions_mut().insert(Asks(self.operation));
        match self.method {
            Method::GET => {
                let wanted = request.headers().get(header::IF_NONE_MATCH).cloned();
                Ok(tagged(next.run(request).await, wanted).await)
            }
            Method::POST => keyed::once(&self.admin, self.operation, request, next).await,
            _ if request.headers().contains_key(header::IF_MATCH) => {
                self.only_if_unmoved(request, next).await
            }
            _ => {
                let (parts, body) = request.into_parts();
                let shows = shows_of(&parts);
                let response = next.run(Request::from_parts(parts, body)).await;
                Ok(self.tagged_as_shown(response, &shows).await)
            }
        }
    }

    /// A bucket for each token, refilled evenly.
    fn check_rate(&self, caller: &Caller) -> Result<(), Problem> {
        let (Some(token), per_minute) =
            (caller.token, self.admin.service().config().admin.api_requests_per_minute)
        else {
            return Ok(());
        };
        let most = f64::from(per_minute.max(1));
        let now = Instant::now();
        let mut rates = self.admin.api().rates.lock().unwrap_or_else(PoisonError::into_inner);
        let (left, since) = rates.get(&token).copied().unwrap_or((most, now));
        let left = (left + now.duration_since(since).as_secs_f64() * most / 60.0).min(most);
        if left < 1.0 {
            rates.insert(token, (left, now));
            let detail = format!(
                "more than {per_minute} requests in a minute (admin.api_requests_per_minute); go slower"
            );
            let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail);
            let wait_s = std::time::Duration::from_secs_f64((1.0 - left) * 60.0 / most).as_secs();
            return Err(problem.retry_after(wait_s.saturating_add(1)));
        }
        rates.insert(token, (left - 1.0, now));
        Ok(())
    }

    /// `If-Match`: the change happens only to what the caller has seen, whoever else is at work, on the page, in another process.
    ///
    /// # Errors
    /// 412 when it is something else by now; 503 when everything moves too fast to tell.
    async fn only_if_unmoved(self, request: Request, next: Next) -> Result<Response, Problem> {
        let (parts, body) = request.into_parts();
        let bytes = body_of(body, most_bytes(&self.admin, self.operation)).await?;
        let wanted = parts.headers.get(header::IF_MATCH).cloned();
        let shows = shows_of(&parts);
        for _ in 0..MOST_TRIES {
            // First how far everything is, then what is there: a change between the two is seen as one after them.
            let of = self.directory_of(parts.uri.path());
            let look = move |service: Service| service.unmoved(of.as_deref());
            let unmoved = Arc::new(self.admin.run("", look).await?);
            self.check_state(wanted.as_ref(), &shows).await?;
            let mut parts = parts.clone();
            if let Some(caller) = parts.extensions.get_mut::<Caller>() {
                caller.unmoved = Some(Arc::clone(&unmoved));
            }
            let request = Request::from_parts(parts, Body::from(bytes.clone()));
            let response = next.clone().run(request).await;
            if !unmoved.was_overtaken() {
                return Ok(self.tagged_as_shown(response, &shows).await);
            }
        }
        let detail =
            "too much changes at the moment to tell whether this is what you read; send it again";
        let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail);
        Err(problem.retry_after(1))
    }

    /// The client whose directory is changed at this address; `None`: the change is to the registry.
    fn directory_of(&self, path: &str) -> Option<String> {
        let client = path.strip_prefix("/api/v1/clients/")?.split('/').next()?;
        self.changes_directory.then(|| client.to_owned())
    }

    async fn check_state(
        &self,
        wanted: Option<&HeaderValue>,
        shows: &Parts,
    ) -> Result<(), Problem> {
        if self.shows.is_none() || self.shown_tags(shows).await.iter().any(|tag| fits(wanted, tag))
        {
            return Ok(());
        }
        Err(Problem::new(
            StatusCode::PRECONDITION_FAILED,
            "precondition_failed",
            "it was changed since you read it; read it again, and decide anew",
        ))
    }

    /// The tags of what the address shows now, in each of its forms; none where it shows nothing.
    async fn shown_tags(&self, shows: &Parts) -> Vec<HeaderValue> {
        let mut tags = Vec::new();
        for kind in ["application/json", "application/toml"] {
            let Some(handler) = self.shows.clone() else { break };
            let mut parts = shows.clone();
            parts.headers.insert(header::ACCEPT, HeaderValue::from_static(kind));
            let request = Request::from_parts(parts, Body::empty());
            let Ok(shown) = handler.with_state(self.admin.clone()).oneshot(request).await;
            if shown.status() == StatusCode::NOT_FOUND {
                break;
            }
            tags.extend(tagged(shown, None).await.headers_mut().remove(header::ETAG));
        }
        tags
    }

    /// The answer to a change, with an `ETag` only where it is what the address shows from now on: as the condition of the next
    /// change, the tag of anything else would be refused.
    async fn tagged_as_shown(&self, response: Response, shows: &Parts) -> Response {
        let mut response = tagged(response, None).await;
        let Some(tag) = response.headers().get(header::ETAG).cloned() else { return response };
        if !self.shown_tags(shows).await.contains(&tag) {
            response.headers_mut().remove(header::ETAG);
        }
        response
    }
}

/// A request for what an address shows, in the same name.
fn shows_of(request: &Parts) -> Parts {
    let mut shown = Request::new(()).into_parts().0;
    shown.uri = request.uri.clone();
    shown.extensions = request.extensions.clone();
    shown
}

fn check_query(operation: &Operation, query: &str) -> Result<(), Problem> {
    let pairs: Vec<(String, String)> = serde_html_form::from_str(query).map_err(|e| {
        Problem::new(StatusCode::BAD_REQUEST, "malformed", format!("the query cannot be read: {e}"))
    })?;
    if let Some((name, _)) =
        pairs.iter().find(|(name, value)| value.is_empty() && operation.query.contains(name))
    {
        let detail = "this is empty; leave it out, or give it a value";
        return Err(Problem::invalid(format!("?{name}"), detail));
    }
    for (name, schema) in operation.query.iter().zip(&operation.query_schemas) {
        for (_, value) in pairs.iter().filter(|(given, _)| given == name) {
            shape::check_number(schema, value)
                .map_err(|detail| Problem::invalid(format!("?{name}"), detail))?;
        }
    }
    let Some((name, _)) = pairs.iter().find(|(name, _)| !operation.query.contains(name)) else {
        return Ok(());
    };
    let shown: String = name.chars().take(60).collect();
    let known = match operation.query.as_slice() {
        [] => "this address takes none".to_owned(),
        known => format!("known here: {}", known.join(", ")),
    };
    let detail = format!("the query parameter \"{shown}\" is not known; {known}");
    Err(Problem::invalid(format!("?{shown}"), detail))
}

/// The body's media type is one that the operation takes; operations without a body ignore theirs.
fn check_body(operation: &Operation, headers: &HeaderMap) -> Result<(), Problem> {
    let takes = &operation.takes;
    let length = headers.get(header::CONTENT_LENGTH);
    let is_empty = length.is_none_or(|length| length.as_bytes() == b"0")
        && !headers.contains_key(header::TRANSFER_ENCODING);
    if is_empty && operation.needs_body {
        let detail = format!("the body is missing; this takes {}", takes.join(" or "));
        return Err(Problem::new(StatusCode::BAD_REQUEST, "malformed", detail));
    }
    let kind = media_type(headers, header::CONTENT_TYPE);
    let known = |kind: &String| takes.iter().any(|one| one == kind || one == "*/*");
    if is_empty || takes.is_empty() || kind.as_ref().is_some_and(known) {
        return Ok(());
    }
    let sent = kind.unwrap_or_else(|| "nothing".to_owned());
    let detail = format!("the Content-Type is {sent}; this takes {}", takes.join(" or "));
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail))
}

fn check_accept(operation: &Operation, headers: &HeaderMap) -> Result<(), Problem> {
    let Some(accept) = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()) else {
        return Ok(());
    };
    if operation.gives.is_empty() || operation.gives.iter().any(|kind| accepts(accept, kind)) {
        return Ok(());
    }
    let detail = format!("this address answers {}", operation.gives.join(" or "));
    Err(Problem::new(StatusCode::NOT_ACCEPTABLE, "not_acceptable", detail))
}

/// Whether an `Accept` header admits a media type (RFC 9110, 12.5.1; weights only as far as `q=0`).
pub(super) fn accepts(accept: &str, kind: &str) -> bool {
    let group = kind.split('/').next().unwrap_or_default();
    accept.split(',').any(|range| {
        let mut words = range.split(';').map(str::trim);
        let range = words.next().unwrap_or_default().to_ascii_lowercase();
        let refused = words.any(|word| matches!(word, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"));
        !refused && (range == "*/*" || range == kind || range == format!("{group}/*"))
    })
}

/// Adds the `ETag` of a good answer that is what its address shows, and answers 304 when the caller has it already.
async fn tagged(response: Response, known: Option<HeaderValue>) -> Response {
    if response.status() != StatusCode::OK {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = body_of(body, usize::MAX).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let digest = Sha256::digest(&bytes);
    let tag: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    if let Ok(tag) = HeaderValue::try_from(format!("\"{tag}\"")) {
        let seen = fits(known.as_ref(), &tag);
        parts.headers.insert(header::ETAG, tag);
        if seen {
            parts.status = StatusCode::NOT_MODIFIED;
            parts.headers.remove(header::CONTENT_TYPE);
            return Response::from_parts(parts, Body::empty());
        }
    }
    Response::from_parts(parts, Body::from(bytes))
}

/// Whether a list of tags (or `*`) has this one (RFC 9110, 13.1; ours are never weak, others' marks do not matter).
fn fits(list: Option<&HeaderValue>, tag: &HeaderValue) -> bool {
    let (Some(list), Ok(tag)) = (list.and_then(|l| l.to_str().ok()), tag.to_str()) else {
        return false;
    };
    list.split(',').map(str::trim).any(|one| one == "*" || one.trim_start_matches("W/") == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accept_headers() {
        for (accept, kind, expected) in [
            ("*/*", "application/json", true),
            ("application/*", "application/json", true),
            ("text/html, application/json;q=0.5", "application/json", true),
            ("application/json;q=0", "application/json", false),
            ("text/html", "application/json", false),
            ("APPLICATION/JSON", "application/json", true),
        ] {
            assert_eq!(accepts(accept, kind), expected, "{accept}");
        }
    }

    #[test]
    fn tags() {
        let tag = HeaderValue::from_static("\"ab\"");
        for (list, expected) in [
            ("\"ab\"", true),
            ("\"x\", W/\"ab\"", true),
            ("*", true),
            ("\"abc\"", false),
            ("ab", false),
        ] {
            assert_eq!(fits(Some(&HeaderValue::from_static(list)), &tag), expected, "{list}");
        }
    }
}
