//! A message to an address, signed when there is a secret: hooks and webhooks alike.

use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::error::{Error, Kind, Result};
use crate::remote::http::{self, Post};
use crate::remote::{Reach, Trust};
use crate::service::Service;

/// How much of an answer is shown.
const SHOWN_CHARS: usize = 200;

/// A message.
pub(in crate::service) struct Message<'a> {
    /// Who sends it, for errors: `hook NAME`.
    pub(in crate::service) from: String,
    /// The address.
    pub(in crate::service) url: &'a str,
    /// What it tells.
    pub(in crate::service) event: &'a str,
    /// The same for every try.
    pub(in crate::service) delivery: &'a str,
    /// What is sent.
    pub(in crate::service) body: Vec<u8>,
    /// What signs it: nothing, a secret, or the new one and the old one.
    pub(in crate::service) secrets: &'a [&'a [u8]],
    /// The whole exchange.
    pub(in crate::service) limit: Duration,
}

/// Sends a message; answers how the address answered.
///
/// # Errors
/// What the connection failed by; `Kind::Internal` for an answer that is not 2xx.
pub(in crate::service) async fn post(service: &Service, message: Message<'_>) -> Result<String> {
    let Message { from, url, event, delivery, body, secrets, limit } = message;
    let timestamp = service.clock().now().as_second().to_string();
    let mut headers = vec![
        ("content-type".to_owned(), "application/json".to_owned()),
        ("x-rollcall-event".to_owned(), event.to_owned()),
        ("x-rollcall-delivery".to_owned(), delivery.to_owned()),
        ("x-rollcall-timestamp".to_owned(), timestamp.clone()),
    ];
    let signed = secrets.iter().map(|secret| signature(secret, &timestamp, &body));
    let signed = signed.collect::<Result<Vec<String>>>()?;
    if !signed.is_empty() {
        headers.push(("x-rollcall-signature".to_owned(), signed.join(", ")));
    }
    let reach = Reach { allow: service.config().outgoing.allow.clone() };
    let trust = &Trust::Platform;
    let request = Post { url, body, headers: &headers, trust, reach: &reach, timeout: limit };
    let (code, answer) = http::post(&request)
        .await
        .map_err(|e| Error::caused(e.kind(), format!("{from}: {}", e.message()), e))?;
    let answer = String::from_utf8_lossy(&answer);
    let shown: String =
        answer.chars().take(SHOWN_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if (200..300).contains(&code) {
        return Ok(format!("{code} {}", shown.trim()).trim().to_owned());
    }
    let message = format!("{from}: {url} answered {code} {}", shown.trim());
    Err(Error::new(Kind::Internal, message.trim().to_owned()))
}

/// `sha256=` and the HMAC-SHA256 over the timestamp, a point and the body, in hex.
fn signature(secret: &[u8], timestamp: &str, body: &[u8]) -> Result<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret)
        .map_err(|e| Error::caused(Kind::Internal, "signing a hook's message", e))?;
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body);
    let hex: String =
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("sha256={hex}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_what_other_programs_compute() {
        // printf '1700000000.{}' | openssl dgst -sha256 -hmac 'sixteen-signs-xx'
        let made = signature(b"sixteen-signs-xx", "1700000000", b"{}").unwrap();
        assert_eq!(made, "sha256=41a6fd45844f6bfb9616dc9c9dc82a3a3ba7adf44e7758498e1622ad04b43c3c");
    }
}
