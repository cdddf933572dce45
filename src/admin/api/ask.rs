//! What an operation reads of a request: path, query, JSON body, file.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use super::document::Operation;
use super::gate::Asks;
use super::problem::Problem;
use super::shape;
use crate::admin::Admin;
use crate::error::{Error, Kind};
use crate::import::unpack::{self, UnpackLimits};

/// Room for the other parts of a form around a file.
const FORM_BYTES: u64 = 64 * 1024;
/// Rows of a page when nothing is said.
const USUAL_ROWS: usize = 50;

/// The parts of the address.
pub(super) struct At<T>(pub(super) T);

impl<T: DeserializeOwned + Send> FromRequestParts<Admin> for At<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, admin: &Admin) -> Result<Self, Problem> {
        let found = Path::<T>::from_request_parts(parts, admin).await;
        found.map(|Path(at)| Self(at)).map_err(|_| {
            let detail = format!("there is nothing at {}", parts.uri.path());
            Problem::new(StatusCode::NOT_FOUND, "not_found", detail)
        })
    }
}

/// The query. The gate has refused names that the operation does not know.
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<Admin> for Asked<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &Admin) -> Result<Self, Problem> {
        let text = parts.uri.query().unwrap_or_default();
        let deserializer = serde_html_form::Deserializer::from_bytes(text.as_bytes());
        serde_path_to_error::deserialize(deserializer).map(Self).map_err(|error| {
            let name = error.path().to_string();
            Problem::invalid(format!("?{name}"), error.into_inner().to_string())
        })
    }
}

/// A JSON body.
pub(super) struct Sent<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Admin> for Sent<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, admin: &Admin) -> Result<Self, Problem> {
        let limit = admin.service().config().admin.max_form_bytes;
        let asks = request.extensions().get::<Asks>().copied();
        let bytes = body_of(request.into_body(), limit).await?;
        let read = read_json(&bytes)?;
        // What reads well may still be what the document rules out: null for what cannot be taken away, a port 0.
        if let Some(schema) = asks.and_then(|Asks(operation)| operation.body_schema.as_ref()) {
            shape::check(schema, &read_json(&bytes)?)
                .map_err(|misfit| Problem::invalid(misfit.pointer, misfit.detail))?;
        }
        Ok(Self(read))
    }
}

/// A body as JSON; an empty one is `{}`, where nothing in it is needed.
///
/// # Errors
/// 400 for what is no JSON, 422 with the place for what does not fit.
pub(super) fn read_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let bytes = if bytes.iter().all(u8::is_ascii_whitespace) { b"{}" } else { bytes };
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let read = serde_path_to_error::deserialize(&mut deserializer);
    let malformed = |error: &serde_json::Error| {
        let detail = format!("the body is no JSON: {error}");
        Problem::new(StatusCode::BAD_REQUEST, "malformed", detail)
    };
    let value = read.map_err(|error| {
        let pointer = pointer(error.path());
        let inner = error.into_inner();
        if inner.is_data() {
            Problem::invalid(pointer, without_place(&inner.to_string()))
        } else {
            malformed(&inner)
        }
    })?;
    deserializer.end().map_err(|error| malformed(&error))?;
    Ok(value)
}

/// Line and column tell a program nothing that the pointer does not.
fn without_place(message: &str) -> String {
    message.rsplit_once(" at line ").map_or(message, |(words, _)| words).to_owned()
}

/// A path as a JSON pointer (RFC 6901).
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut out = String::new();
    for segment in path {
        out.push('/');
        match segment {
            Segment::Seq { index } => out.push_str(&index.to_string()),
            Segment::Map { key } | Segment::Enum { variant: key } => {
                out.push_str(&key.replace('~', "~0").replace('/', "~1"));
            }
            Segment::Unknown => out.push('?'),
        }
    }
    out
}

/// A whole body of at most `limit` bytes.
///
/// # Errors
/// 413; also for one that was cut off, which nobody is there to be told about.
pub(super) async fn body_of(body: Body, limit: usize) -> Result<Bytes, Problem> {
    to_bytes(body, limit).await.map_err(|_| {
        let detail = format!("the body has more than {limit} bytes, the most that is taken here");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
    })
}

/// The most bytes of an operation's whole body.
pub(super) fn most_bytes(admin: &Admin, operation: &Operation) -> usize {
    let config = admin.service().config();
    if operation.takes.iter().any(|kind| kind != "application/json") {
        let bytes = config.limits.max_import_bytes.saturating_add(FORM_BYTES);
        return usize::try_from(bytes).unwrap_or(usize::MAX);
    }
    config.admin.max_form_bytes
}

/// A request whose body came packed (`Content-Encoding: gzip`), as if it had come as it is.
///
/// # Errors
/// 415 for another encoding, 413 for a body that is too large, 400 for one that is damaged.
pub(super) async fn unpacked(
    admin: &Admin,
    operation: &Operation,
    request: Request,
) -> Result<Request, Problem> {
    let Some(encoding) = request.headers().get(header::CONTENT_ENCODING) else {
        return Ok(request);
    };
    let encoding = encoding.to_str().unwrap_or_default().trim().to_ascii_lowercase();
    if encoding == "identity" || operation.takes.is_empty() {
        return Ok(request);
    }
    if encoding != "gzip" && encoding != "x-gzip" {
        let detail = "this Content-Encoding is not taken; send gzip, or the body as it is";
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(Problem::new(status, "unsupported_media_type", detail)
            .with(header::ACCEPT_ENCODING, "gzip"));
    }
    let limit = most_bytes(admin, operation);
    let (mut parts, body) = request.into_parts();
    let packed = body_of(body, limit).await?;
    let limits = UnpackLimits {
        max_bytes: u64::try_from(limit).unwrap_or(u64::MAX),
        max_ratio: admin.service().config().limits.max_unpack_ratio,
        max_columns: 0,
    };
    let unpacking = tokio::task::spawn_blocking(move || unpack::gunzipped(&packed, &limits));
    let bytes = match unpacking.await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(refusal)) if refusal.code == "F006" => {
            let detail =
                format!("the unpacked body has more than {limit} bytes, or too many for its size");
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail));
        }
        Ok(Err(_)) => {
            let detail = "the body is no whole gzip stream; send it again";
            return Err(Problem::new(StatusCode::BAD_REQUEST, "malformed", detail));
        }
        Err(fault) => {
            let words = "unpacking a request ended by a fault in this program";
            return Err(Error::caused(Kind::Internal, words, fault).into());
        }
    };
    parts.headers.remove(header::CONTENT_ENCODING);
    parts.headers.remove(header::TRANSFER_ENCODING);
    parts.headers.insert(header::CONTENT_LENGTH, bytes.len().into());
    Ok(Request::from_parts(parts, Body::from(bytes)))
}

/// The media type of a header, in lower case, without its parameters.
pub(super) fn media_type(headers: &HeaderMap, name: header::HeaderName) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

/// Distinguishes `null` (take it away) from a member that is not there (leave it).
pub(super) fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}

/// Which part of a list.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Paging {
    limit: Option<usize>,
    cursor: Option<String>,
}

impl Paging {
    /// How many rows, within what the configuration allows.
    ///
    /// # Errors
    /// 422 for none or too many.
    pub(super) fn rows(&self, admin: &Admin) -> Result<usize, Problem> {
        let most = admin.service().config().admin.api_max_rows;
        match self.limit {
            None => Ok(USUAL_ROWS.min(most)),
            Some(rows) if (1..=most).contains(&rows) => Ok(rows),
            Some(rows) => {
                Err(Problem::invalid("?limit", format!("{rows} is not from 1 to {most}")))
            }
        }
    }

    /// After what the page begins.
    ///
    /// # Errors
    /// 422 for a cursor that is none of ours.
    pub(super) fn after(&self) -> Result<Option<String>, Problem> {
        let Some(cursor) = &self.cursor else { return Ok(None) };
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok();
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        text.map(Some).ok_or_else(|| {
            Problem::invalid("?cursor", "this is no cursor; take the address in \"next\" as it is")
        })
    }
}

impl Paging {
    /// The same for lists whose places are numbers.
    ///
    /// # Errors
    /// 422 for a cursor that is none of ours.
    pub(super) fn after_number(&self) -> Result<Option<i64>, Problem> {
        let place = self.after()?.map(|place| place.parse());
        place.transpose().map_err(|_| Problem::invalid("?cursor", "this is no cursor of this list"))
    }
}

/// A place in a list, for the next page.
pub(super) fn cursor(place: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        #[serde(default)]
        names: Vec<String>,
        #[serde(default, deserialize_with = "given")]
        pattern: Option<Option<String>>,
    }

    #[test]
    fn a_body_says_where_it_is_wrong() {
        let wrong = |text: &str| format!("{:?}", read_json::<Body>(text.as_bytes()).unwrap_err());
        assert!(wrong(r#"{"names":["a",7]}"#).contains("pointer: \"/names/1\""));
        assert!(wrong(r#"{"nmaes":[]}"#).contains("unknown field `nmaes`"));
        assert!(wrong("{").contains("malformed"));
        assert!(wrong("{} x").contains("malformed"));
        assert!(!wrong(r#"{"names":7}"#).contains("line 1"));
    }

    #[test]
    fn null_is_not_the_same_as_nothing() {
        let read = |text: &str| read_json::<Body>(text.as_bytes()).unwrap();
        assert_eq!(read("").pattern, None);
        assert_eq!(read(r#"{"pattern":null}"#).pattern, Some(None));
        assert_eq!(read(r#"{"pattern":"*.csv"}"#).pattern, Some(Some("*.csv".to_owned())));
        assert!(read("").names.is_empty());
    }
}
