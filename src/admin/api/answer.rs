//! What an operation answers: JSON, pages of lists, files.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use serde_json::{Value, json};

use super::ask::{Paging, cursor};
use super::problem::Problem;
use crate::admin::Admin;
use crate::admin::download::disposition;
use crate::admin::guard::{Caller, form_encoded};
use crate::error::{Error, Kind, Result as Done};
use crate::service::Service;

/// What every operation returns.
pub(super) type Answer = Result<Response, Problem>;

/// Runs a use case in the caller's name.
///
/// # Errors
/// The use case's, as a problem.
pub(super) async fn ask<T: Send + 'static>(
    admin: &Admin,
    caller: &Caller,
    work: impl FnOnce(Service) -> Done<T> + Send + 'static,
) -> Result<T, Problem> {
    let unmoved = caller.unmoved.clone();
    let guarded = move |service: Service| match unmoved {
        Some(unmoved) => unmoved.guard(|| work(service)),
        None => work(service),
    };
    Ok(admin.run(&caller.name, guarded).await?)
}

/// A value as a JSON tree.
///
/// # Errors
/// A value that JSON cannot hold.
pub(super) fn value(of: &impl Serialize) -> Result<Value, Problem> {
    serde_json::to_value(of).map_err(|e| {
        Error::caused(Kind::Internal, "an answer could not be written as JSON", e).into()
    })
}

/// 200 with JSON.
///
/// # Errors
/// As [`value`].
pub(super) fn json_of(of: &impl Serialize) -> Answer {
    with_status(StatusCode::OK, of)
}

/// JSON with another status.
///
/// # Errors
/// As [`value`].
pub(super) fn with_status(status: StatusCode, of: &impl Serialize) -> Answer {
    let text = value(of)?.to_string();
    Ok((status, [(header::CONTENT_TYPE, "application/json")], text).into_response())
}

/// 201 with the address of what was made.
///
/// # Errors
/// As [`value`].
pub(super) fn created(parts: &[&str], of: &impl Serialize) -> Answer {
    located(StatusCode::CREATED, parts, of)
}

/// Another status with an address below `/api/v1`.
///
/// # Errors
/// As [`value`].
pub(super) fn located(status: StatusCode, parts: &[&str], of: &impl Serialize) -> Answer {
    let mut response = with_status(status, of)?;
    let address: String = parts.iter().map(|part| format!("/{}", form_encoded(part))).collect();
    if let Ok(address) = HeaderValue::try_from(format!("/api/v1{address}")) {
        response.headers_mut().insert(header::LOCATION, address);
    }
    Ok(response)
}

/// 204.
pub(super) fn nothing() -> Answer {
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// A file; its name may be anything that somebody called it.
pub(super) fn file(kind: &'static str, name: &str, bytes: Vec<u8>) -> Answer {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CONTENT_DISPOSITION, disposition("attachment", name)),
    ];
    Ok((StatusCode::OK, headers, Body::from(bytes)).into_response())
}

/// Text that is no JSON.
pub(super) fn text(kind: &'static str, text: String) -> Answer {
    Ok((StatusCode::OK, [(header::CONTENT_TYPE, kind)], text).into_response())
}

/// A page of a list: the rows, and where the next page is (also as a `Link` header, RFC 8288).
///
/// # Errors
/// As [`value`].
pub(super) fn page<T: Serialize>(items: &[T], next: Option<&str>, uri: &Uri) -> Answer {
    let next = next.map(|place| next_address(uri, place));
    let mut response = json_of(&json!({ "items": value(&items)?, "next": next }))?;
    let link = next.map(|next| HeaderValue::try_from(format!("<{next}>; rel=\"next\"")));
    if let Some(Ok(link)) = link {
        response.headers_mut().insert(header::LINK, link);
    }
    Ok(response)
}

/// The same address with another cursor.
fn next_address(uri: &Uri, place: &str) -> String {
    let kept = uri.query().unwrap_or_default().split('&');
    let mut query: Vec<String> = kept
        .filter(|pair| !pair.is_empty() && pair.split('=').next() != Some("cursor"))
        .map(str::to_owned)
        .collect();
    query.push(format!("cursor={}", cursor(place)));
    format!("{}?{}", uri.path(), query.join("&"))
}

/// How many rows to ask for when `rows` are wanted, for [`newest_page`].
pub(super) fn one_more(rows: usize) -> u32 {
    u32::try_from(rows.saturating_add(1)).unwrap_or(u32::MAX)
}

/// The page of a list whose newest comes first: of `found`, which was asked for one row more than `rows`, since that one says
/// whether there is another page.
///
/// # Errors
/// What cannot be written as JSON.
pub(super) fn newest_page<T: Serialize>(
    uri: &Uri,
    rows: usize,
    mut found: Vec<T>,
    number: impl Fn(&T) -> i64,
) -> Answer {
    let more = found.len() > rows;
    found.truncate(rows);
    let last = found.last().filter(|_| more).map(|one| number(one).to_string());
    page(&found, last.as_deref(), uri)
}

/// The page of a short list that is sorted by `key`.
///
/// # Errors
/// A bad limit or cursor.
pub(super) fn sorted_page<T: Serialize>(
    admin: &Admin,
    uri: &Uri,
    paging: &Paging,
    mut items: Vec<T>,
    key: impl Fn(&T) -> String,
) -> Answer {
    let (rows, after) = (paging.rows(admin)?, paging.after()?);
    if let Some(after) = after {
        items.retain(|item| key(item) > after);
    }
    let more = items.len() > rows;
    items.truncate(rows);
    let last = items.last().filter(|_| more).map(&key);
    page(&items, last.as_deref(), uri)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_keeps_the_filters() {
        let next = |uri: &'static str| next_address(&Uri::from_static(uri), "acme");
        assert_eq!(next("/api/v1/clients"), "/api/v1/clients?cursor=YWNtZQ");
        assert_eq!(
            next("/api/v1/clients?limit=2&cursor=x&a=b"),
            "/api/v1/clients?limit=2&a=b&cursor=YWNtZQ"
        );
    }
}
