//! Forms: checked to come from our own page (CSRF) before any handler sees them.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::multipart::{Field, Multipart};
use axum::extract::{FromRequest, Request};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use hyper::body::{Body as _, Frame, SizeHint};
use serde::de::DeserializeOwned;

use super::Admin;
use super::guard::Caller;
use super::shell::{FORGED, Failure, Shell};
use crate::error::{Error, Kind, Result};

/// The field that every form holds; in a form with a file it comes first.
const CSRF: &str = "csrf";

/// A form's fields, as `name=value` pairs, in order: for forms whose names are not known beforehand.
pub(super) type Pairs = Vec<(String, String)>;

/// The fields of a form as a struct; unknown ones are left out, `csrf` was checked already.
#[derive(Debug)]
pub(super) struct Form<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Admin> for Form<T> {
    type Rejection = Response;
    async fn from_request(request: Request, admin: &Admin) -> std::result::Result<Self, Response> {
        let (parts, body) = request.into_parts();
        let limit = admin.service().config().admin.max_form_bytes;
        let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
        // Only what `checked` has looked into may be read here.
        let is_form =
            kind.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        let read = match to_bytes(body, limit).await {
            _ if !is_form => {
                Err(Error::new(Kind::Invalid, "this address takes a form without files"))
            }
            Ok(bytes) => serde_html_form::from_bytes(&bytes).map_err(|e| bad_form(&e)),
            Err(_) => Err(too_large(limit)),
        };
        match read {
            Ok(form) => Ok(Self(form)),
            Err(error) => {
                let shell = Shell::of(&parts.headers, &parts.uri, &parts.extensions);
                Err(Failure::new(error, &shell).into_response())
            }
        }
    }
}

fn bad_form(error: &serde_html_form::de::Error) -> Error {
    Error::new(
        Kind::Invalid,
        format!("the form cannot be read: {error}; go back and send it again"),
    )
}

fn too_large(limit: usize) -> Error {
    let message = format!("the form has more than {limit} bytes (admin.max_form_bytes)");
    Error::new(Kind::TooLarge, message)
}

/// A form with files, field by field; its `csrf` field was checked.
pub(super) struct FileForm(Multipart);

impl FileForm {
    /// The next field.
    ///
    /// # Errors
    /// The form was cut off, or is none.
    pub(super) async fn next(&mut self) -> Result<Option<Field<'_>>> {
        self.0.next_field().await.map_err(|e| cut_off(&e))
    }
}

fn cut_off(error: &axum::extract::multipart::MultipartError) -> Error {
    let message = format!("the form did not arrive whole ({error}); send it again");
    Error::new(Kind::Invalid, message)
}

/// The text of a field.
///
/// # Errors
/// It was cut off or is too long.
pub(super) async fn text(field: Field<'_>) -> Result<String> {
    field.text().await.map_err(|e| cut_off(&e))
}

/// The bytes of a field's file.
///
/// # Errors
/// It was cut off, or is larger than `limit` bytes.
pub(super) async fn bytes(mut field: Field<'_>, limit: u64) -> Result<Vec<u8>> {
    let mut all = Vec::new();
    while let Some(piece) = field.chunk().await.map_err(|e| cut_off(&e))? {
        if u64::try_from(all.len().saturating_add(piece.len())).is_ok_and(|n| n > limit) {
            let message =
                format!("the file is larger than {limit} bytes, the largest that is taken here");
            return Err(Error::new(Kind::TooLarge, message));
        }
        all.extend_from_slice(&piece);
    }
    Ok(all)
}

impl FromRequest<Admin> for FileForm {
    type Rejection = Response;
    async fn from_request(request: Request, admin: &Admin) -> std::result::Result<Self, Response> {
        let expected = request.extensions().get::<Caller>().map(|caller| caller.csrf.clone());
        let (parts, body) = request.into_parts();
        let limit = admin.service().config().limits.max_import_bytes;
        let shell = Shell::of(&parts.headers, &parts.uri, &parts.extensions);
        let fail = |error: Error| Failure::new(error, &shell).into_response();
        let mut request = Request::from_parts(parts, body);
        file_limit(limit).apply(&mut request);
        let mut form = Multipart::from_request(request, admin)
            .await
            .map_err(|e| fail(Error::new(Kind::Invalid, e.to_string())))?;
        let first = form.next_field().await.map_err(|e| fail(cut_off(&e)))?;
        let sent = match first {
            Some(field) if field.name() == Some(CSRF) => text(field).await.map_err(fail)?,
            _ => String::new(),
        };
        match expected {
            Some(expected) if !expected.is_empty() && same(&sent, &expected) => Ok(Self(form)),
            _ => Err(fail(forged())),
        }
    }
}

/// Lets a body be as large as a file that is imported, with some room for the other fields.
fn file_limit(limit: u64) -> axum::extract::DefaultBodyLimit {
    let limit = usize::try_from(limit.saturating_add(1024 * 1024)).unwrap_or(usize::MAX);
    axum::extract::DefaultBodyLimit::max(limit)
}

/// Checks the `csrf` field of a form, whatever its handler makes of it, and hands the request on as it was.
///
/// # Errors
/// The request again, with what is wrong.
pub(super) async fn checked(
    admin: &Admin,
    caller: &Caller,
    request: Request,
) -> std::result::Result<Request, (Request, Error)> {
    let kind =
        request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("");
    if kind.starts_with("multipart/form-data") {
        return checked_first_part(caller, request).await;
    }
    let limit = admin.service().config().admin.max_form_bytes;
    let (parts, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, limit).await else {
        return Err((Request::from_parts(parts, Body::empty()), too_large(limit)));
    };
    let sent = field(&bytes, CSRF);
    let request = Request::from_parts(parts, Body::from(bytes));
    if sent.is_some_and(|sent| !caller.csrf.is_empty() && same(&sent, &caller.csrf)) {
        Ok(request)
    } else {
        Err((request, forged()))
    }
}

/// The most that is read of a form with files to find its `csrf` field, which comes first.
const FIRST_PART_BYTES: usize = 4096;

/// Looks into the first part of a form with files; the rest is not read.
async fn checked_first_part(
    caller: &Caller,
    request: Request,
) -> std::result::Result<Request, (Request, Error)> {
    let (parts, mut body) = request.into_parts();
    let mut first = Vec::new();
    let mut sent = None;
    while sent.is_none() && first.len() < FIRST_PART_BYTES {
        let frame = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await;
        match frame {
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    first.extend_from_slice(&data);
                }
            }
            Some(Err(_)) | None => break,
        }
        sent = first_part(&first);
    }
    let genuine = sent.is_some_and(|sent| !caller.csrf.is_empty() && same(&sent, &caller.csrf));
    let whole = Body::new(Rejoined { first: Some(Bytes::from(first)), rest: body });
    let request = Request::from_parts(parts, whole);
    if genuine { Ok(request) } else { Err((request, forged())) }
}

/// The value of a form's first part, if it is its `csrf` field and all of it has come.
fn first_part(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let (head, rest) = text.split_once("\r\n\r\n")?;
    let (value, _) = rest.split_once("\r\n")?;
    // Another first part is no token of ours.
    let named = head.contains(&format!("name=\"{CSRF}\""));
    Some(if named { value.to_owned() } else { String::new() })
}

/// A body of which the first bytes have been read already.
struct Rejoined {
    first: Option<Bytes>,
    rest: Body,
}

impl hyper::body::Body for Rejoined {
    type Data = Bytes;
    type Error = axum::Error;
    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<std::result::Result<Frame<Bytes>, axum::Error>>> {
        match self.first.take() {
            Some(first) if !first.is_empty() => Poll::Ready(Some(Ok(Frame::data(first)))),
            _ => Pin::new(&mut self.rest).poll_frame(cx),
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

fn field(form: &Bytes, name: &str) -> Option<String> {
    let pairs: Pairs = serde_html_form::from_bytes(form).ok()?;
    pairs.into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
}

/// Compares in the same time wherever the difference lies.
fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |all, (x, y)| all | (x ^ y)) == 0
}

fn forged() -> Error {
    Error::new(Kind::Denied, FORGED)
}
