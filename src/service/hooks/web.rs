//! A hook that is an address: the report in a POST, signed when there is a secret.

use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::Call;
use crate::config::Hook;
use crate::error::{Error, Kind, Result};
use crate::remote::http::{self, Post};
use crate::remote::{Reach, Trust};
use crate::service::Service;

/// How much of an answer is shown.
const SHOWN_CHARS: usize = 200;

/// Sends the report; answers how the address answered.
///
/// # Errors
/// What the connection failed by; `Kind::Internal` for an answer that is not 2xx.
pub(super) async fn post(
    service: &Service,
    hook: &Hook,
    url: &str,
    call: &Call,
    limit: Duration,
) -> Result<String> {
    let timestamp = service.clock().now().as_second().to_string();
    let mut headers = vec![
        ("content-type".to_owned(), "application/json".to_owned()),
        ("x-rollcall-event".to_owned(), call.event.to_owned()),
        ("x-rollcall-delivery".to_owned(), call.delivery.clone()),
        ("x-rollcall-timestamp".to_owned(), timestamp.clone()),
    ];
    if let Some(secret) = &hook.secret {
        let signature = signature(secret.0.as_bytes(), &timestamp, &call.body)?;
        headers.push(("x-rollcall-signature".to_owned(), format!("sha256={signature}")));
    }
    let reach = Reach { allow: service.config().outgoing.allow.clone() };
    let request = Post {
        url,
        body: call.body.clone(),
        headers: &headers,
        trust: &Trust::Platform,
        reach: &reach,
        timeout: limit,
    };
    let (code, answer) = http::post(&request)
        .await
        .map_err(|e| Error::caused(e.kind(), format!("hook {}: {}", hook.name, e.message()), e))?;
    let answer = String::from_utf8_lossy(&answer);
    let shown: String =
        answer.chars().take(SHOWN_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if (200..300).contains(&code) {
        return Ok(format!("{code} {}", shown.trim()).trim().to_owned());
    }
    let message = format!("hook {}: {url} answered {code} {}", hook.name, shown.trim());
    Err(Error::new(Kind::Internal, message.trim().to_owned()))
}

/// HMAC-SHA256 over the timestamp, a point and the body, in hex.
fn signature(secret: &[u8], timestamp: &str, body: &[u8]) -> Result<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret)
        .map_err(|e| Error::caused(Kind::Internal, "signing a hook's message", e))?;
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body);
    Ok(mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_what_other_programs_compute() {
        // printf '1700000000.{}' | openssl dgst -sha256 -hmac 'sixteen-signs-xx'
        let made = signature(b"sixteen-signs-xx", "1700000000", b"{}").unwrap();
        assert_eq!(made, "41a6fd45844f6bfb9616dc9c9dc82a3a3ba7adf44e7758498e1622ad04b43c3c");
    }
}
