//! A file in a request: the body itself, or the part `file` of a form.

use axum::extract::{FromRequest as _, Multipart, Request};
use axum::http::{StatusCode, header};

use super::ask::{body_of, media_type};
use super::problem::Problem;
use crate::admin::Admin;

/// A file that was sent.
pub(super) struct SentFile {
    /// What the form called it; `None`: it was the body itself.
    pub(super) name: Option<String>,
    pub(super) bytes: Vec<u8>,
}

/// Reads the one file of a request, of at most `max_bytes`.
///
/// # Errors
/// 413 for a larger one, 422 for a form without a part `file` or with others, 400 for one that was cut off.
pub(super) async fn file_of(
    admin: &Admin,
    mut request: Request,
    max_bytes: u64,
) -> Result<SentFile, Problem> {
    let limit = usize::try_from(max_bytes).unwrap_or(usize::MAX);
    let kind = media_type(request.headers(), header::CONTENT_TYPE).unwrap_or_default();
    if kind != "multipart/form-data" {
        let bytes = body_of(request.into_body(), limit).await?;
        return Ok(SentFile { name: None, bytes: bytes.into() });
    }
    // The parts are measured below; this keeps the usual, smaller limit of forms away.
    request.extensions_mut().insert(axum::extract::DefaultBodyLimit::disable());
    let cut_off = |error: axum::extract::multipart::MultipartError| {
        let detail = format!("the form cannot be read: {error}");
        Problem::new(StatusCode::BAD_REQUEST, "malformed", detail)
    };
    let mut form = Multipart::from_request(request, admin)
        .await
        .map_err(|error| Problem::new(StatusCode::BAD_REQUEST, "malformed", error.to_string()))?;
    let mut found = None;
    while let Some(mut field) = form.next_field().await.map_err(cut_off)? {
        // Two files, or what was meant to say something, must not be passed over in silence.
        if field.name() != Some("file") || found.is_some() {
            let part: String = field.name().unwrap_or_default().chars().take(60).collect();
            let detail = format!("the form has one part, \"file\"; this is \"{part}\"");
            return Err(Problem::invalid("/file", detail));
        }
        let name = field.file_name().map(str::to_owned);
        let mut bytes = Vec::new();
        while let Some(piece) = field.chunk().await.map_err(cut_off)? {
            if bytes.len().saturating_add(piece.len()) > limit {
                let detail =
                    format!("the file has more than {limit} bytes, the most that is taken");
                return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail));
            }
            bytes.extend_from_slice(&piece);
        }
        found = Some(SentFile { name, bytes });
    }
    found.ok_or_else(|| Problem::invalid("/file", "the form has no part \"file\""))
}
