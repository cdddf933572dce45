//! Files that are saved, not shown: as a stream, under a name that cannot end its header.

use std::fs::File;

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use tokio_util::io::ReaderStream;

use super::guard::form_encoded;

/// A file whose content a stranger wrote: nothing of it may run or load, wherever a browser shows it.
pub(super) const NOTHING: &str = "default-src 'none'; sandbox; frame-ancestors 'none'";

/// A file of a stranger's to be saved, never shown.
pub(super) fn download(file: File, name: &str, bytes: u64) -> Response {
    let stream = ReaderStream::new(tokio::fs::File::from_std(file));
    let mut response = Body::from_stream(stream).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(NOTHING));
    headers.insert(header::CONTENT_DISPOSITION, disposition("attachment", name));
    response
}

/// A file name for a browser: plain letters for old ones, the whole name for the others (RFC 6266, RFC 8187).
pub(super) fn disposition(how: &str, name: &str) -> HeaderValue {
    let plain: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || "-_. ".contains(c) { c } else { '_' })
        .collect();
    let value = format!("{how}; filename=\"{plain}\"; filename*=UTF-8''{}", form_encoded(name));
    HeaderValue::try_from(value).unwrap_or(HeaderValue::from_static("attachment"))
}

#[cfg(test)]
mod tests {
    use super::disposition;

    fn check(name: &str, expected: &str) {
        assert_eq!(disposition("attachment", name).to_str().unwrap(), expected);
    }

    #[test]
    fn no_file_name_breaks_out_of_its_header() {
        check("users.csv", "attachment; filename=\"users.csv\"; filename*=UTF-8''users.csv");
        check(
            "a\"; x=\r\nSet-Cookie: b\\é.csv",
            "attachment; filename=\"a__ x___Set-Cookie_ b__.csv\"; filename*=UTF-8''a%22%3B%20x%3D%0D%0ASet-Cookie%3A%20b%5C%C3%A9.csv",
        );
    }
}
