//! One HTTP request to somebody's program: addresses checked, certificate verified, no redirects, everything limited.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_LENGTH, HOST, HeaderName, HeaderValue, LOCATION, USER_AGENT};
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_util::task::AbortOnDropHandle;

use super::trust::{not_vouched_for, tls_config};
use super::{Reach, Trust};
use crate::config::{HTTP_ANSWER_BYTES, HTTP_ANSWER_WAIT};
use crate::error::{Error, Kind, Result};

/// A request.
#[derive(Debug, Clone)]
pub struct Post<'a> {
    /// `https://host[:port]/path`; `http://` only to networks that the operator allows by name.
    pub url: &'a str,
    /// What is sent.
    pub body: Vec<u8>,
    /// Names and values, `Content-Type` among them.
    pub headers: &'a [(String, String)],
    /// What the server's certificate must be.
    pub trust: &'a Trust,
    /// Which addresses may be connected to.
    pub reach: &'a Reach,
    /// Until the head of the answer is there.
    pub timeout: Duration,
}

/// Checks an address as it is entered, without connecting.
///
/// # Errors
/// `Invalid`, with what is wrong and a right example.
pub fn check_url(url: &str) -> Result<()> {
    Place::read(url).map(|_| ())
}

/// Sends the request once; the status and the beginning of the answer.
///
/// # Errors
/// `Invalid` (address or header), `NotFound` (no such name), `Denied` (address not permitted, certificate refused, plain
/// HTTP to a public address), `Unsupported` (a redirect), `Busy` (no connection, no answer in time).
pub async fn post(post: &Post<'_>) -> Result<(u16, Vec<u8>)> {
    let answered = tokio::time::timeout(post.timeout, exchange(post)).await;
    let Answer { status, body, connection } = answered.map_err(|_elapsed| {
        Error::new(
            Kind::Busy,
            format!("{}: no answer within {} s", post.url, post.timeout.as_secs()),
        )
    })??;
    let mut kept = Vec::new();
    // The status has come: a body that does not end changes nothing about it.
    let _is_whole = tokio::time::timeout(HTTP_ANSWER_WAIT, beginning(body, &mut kept)).await;
    drop(connection);
    Ok((status, kept))
}

/// An answer as soon as its head is there.
struct Answer {
    status: u16,
    body: Incoming,
    /// The connection's own task ends with it, also when the time is up.
    connection: AbortOnDropHandle<hyper::Result<()>>,
}

async fn exchange(post: &Post<'_>) -> Result<Answer> {
    let place = Place::read(post.url)?;
    let request = request(post, &place)?;
    let stream = post.reach.connect(&place.host, place.port, post.timeout).await?;
    if !place.is_tls {
        let peer = stream.peer_addr().map_err(|e| Error::io(post.url, e))?;
        if !post.reach.allow.iter().any(|network| network.contains(peer.ip())) {
            return Err(Error::new(
                Kind::Denied,
                format!(
                    "{}: is {}, a public address, and plain HTTP would show everything on the way; write https://",
                    post.url,
                    peer.ip()
                ),
            ));
        }
        return answer(post, stream, request).await;
    }
    let (config, seen) = tls_config(Some(post.trust), rustls::ALL_VERSIONS)?;
    let name =
        ServerName::try_from(place.host.clone()).map_err(|e| wrong(post.url, &e.to_string()))?;
    let tls =
        TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(|e| match seen
            .refused()
        {
            Some(shown) => not_vouched_for(post.url, &shown, &e.to_string()),
            None => Error::caused(Kind::Busy, format!("{}: TLS: {e}", post.url), e),
        })?;
    answer(post, tls, request).await
}

async fn answer(
    post: &Post<'_>,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
) -> Result<Answer> {
    let broke = |e: hyper::Error| Error::caused(Kind::Busy, format!("{}: {e}", post.url), e);
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(broke)?;
    let connection = AbortOnDropHandle::new(tokio::spawn(connection));
    let response = sender.send_request(request).await.map_err(broke)?;
    if response.status().is_redirection() {
        return Err(Error::new(
            Kind::Unsupported,
            format!(
                "{}: answers {} and points to {}; redirects are not followed: enter the final address",
                post.url,
                response.status().as_u16(),
                header(&response, &LOCATION)
            ),
        ));
    }
    Ok(Answer { status: response.status().as_u16(), body: response.into_body(), connection })
}

/// The first bytes of an answer; the rest is not read. An answer that breaks off was an answer: the status says what became
/// of the request, and many programs close without a word.
async fn beginning(mut body: Incoming, kept: &mut Vec<u8>) {
    while let Some(Ok(frame)) = body.frame().await {
        if let Ok(data) = frame.into_data() {
            let room = HTTP_ANSWER_BYTES.saturating_sub(kept.len());
            kept.extend(data.iter().take(room));
            if data.len() >= room {
                break;
            }
        }
    }
}

fn header<B>(response: &Response<B>, name: &HeaderName) -> String {
    response
        .headers()
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("another address")
        .to_owned()
}

fn request(post: &Post<'_>, place: &Place) -> Result<Request<Full<Bytes>>> {
    let mut builder = Request::post(place.path.as_str())
        .header(HOST, place.authority.as_str())
        .header(USER_AGENT, concat!("rollcall/", env!("CARGO_PKG_VERSION")))
        .header(CONTENT_LENGTH, post.body.len());
    for (name, value) in post.headers {
        let wrong = || {
            Error::new(
                Kind::Invalid,
                format!(
                    "{}: \"{name}\" is no header that can be sent; write for example X-Token",
                    post.url
                ),
            )
        };
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
        let mut value = HeaderValue::from_str(value).map_err(|_| wrong())?;
        // Headers carry tokens; they stand in no log.
        value.set_sensitive(true);
        builder = builder.header(name, value);
    }
    builder
        .body(Full::new(Bytes::from(post.body.clone())))
        .map_err(|e| wrong(post.url, &e.to_string()))
}

/// Where an address leads.
struct Place {
    is_tls: bool,
    host: String,
    port: u16,
    /// Host and port as they were written.
    authority: String,
    /// Path and query.
    path: String,
}

impl Place {
    fn read(url: &str) -> Result<Self> {
        let uri: Uri =
            url.parse().map_err(|e: hyper::http::uri::InvalidUri| wrong(url, &e.to_string()))?;
        let is_tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(wrong(url, "it begins neither with https:// nor with http://")),
        };
        let authority = uri.authority().ok_or_else(|| wrong(url, "it names no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong(url, "it carries a password; put that into a header"));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            return Err(wrong(url, "it names no host"));
        }
        Ok(Self {
            is_tls,
            host,
            port: authority.port_u16().unwrap_or(if is_tls { 443 } else { 80 }),
            authority: authority.as_str().to_owned(),
            path: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
        })
    }
}

fn wrong(url: &str, why: &str) -> Error {
    Error::new(
        Kind::Invalid,
        format!(
            "\"{url}\" is no address that can be called: {why}; write for example https://hr.example.com/hooks/payroll"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked_as_they_are_entered() {
        for right in
            ["https://hr.example.com/hooks?a=1", "http://127.0.0.1:8080", "https://[::1]:8443/x"]
        {
            assert!(check_url(right).is_ok(), "{right}");
        }
        for bad in [
            "",
            "hr.example.com/x",
            "ftp://hr.example.com/",
            "https://",
            "https:///x",
            "https://me:pw@h/",
            "https://a b/",
        ] {
            let said = check_url(bad).unwrap_err();
            assert_eq!(said.kind(), Kind::Invalid, "{bad}");
            assert!(said.message().contains("https://hr.example.com/hooks/payroll"), "{bad}");
        }
        let place = Place::read("https://[::1]:8443/x?y=1").unwrap();
        assert_eq!((place.host.as_str(), place.port, place.path.as_str()), ("::1", 8443, "/x?y=1"));
    }
}
