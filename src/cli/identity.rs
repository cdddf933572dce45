//! How clients recognise this server, read from the files in `certs/`: for hand-out sheets and `check`.

use std::path::Path;

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use x509_parser::pem::Pem;

use super::sheet::{Certificate, HostKey};
use crate::error::{Error, Kind, Result};
use crate::transport;

/// The certificate's file in the certificates folder.
pub(super) const CERTIFICATE_FILE: &str = "tls-cert.pem";

/// The fingerprints of the host keys; empty before the first start.
pub(super) fn host_keys(certs: &Path) -> Result<Vec<HostKey>> {
    let known = transport::fingerprints(certs)?;
    let shown = |(kind, fingerprint)| HostKey { kind, fingerprint };
    Ok(known.host_keys.into_iter().map(shown).collect())
}

/// The server's certificate and its last instant; `None` before the first start.
pub(super) fn certificate(certs: &Path) -> Result<Option<(Certificate, Timestamp)>> {
    let path = certs.join(CERTIFICATE_FILE);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io(format!("reading {}", path.display()), error)),
    };
    let broken = |why: String| {
        let words = format!(
            "{}: {why}; it must hold the certificate in PEM, the server's own first",
            path.display()
        );
        Error::new(Kind::Invalid, words)
    };
    let pem = Pem::iter_from_buffer(&bytes)
        .next()
        .ok_or_else(|| broken("there is no certificate in it".to_owned()))?
        .map_err(|e| broken(e.to_string()))?;
    let x509 = pem.parse_x509().map_err(|e| broken(e.to_string()))?;
    let until = Timestamp::from_second(x509.validity().not_after.timestamp())
        .map_err(|e| broken(e.to_string()))?;
    let certificate = Certificate {
        sha256: colons(&Sha256::digest(&pem.contents)),
        public_key_pin: base64(&Sha256::digest(x509.public_key().raw)),
        self_signed: x509.issuer() == x509.subject(),
    };
    Ok(Some((certificate, until)))
}

/// `AB:CD:…`
fn colons(digest: &[u8]) -> String {
    let pairs: Vec<String> = digest.iter().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(":")
}

/// Base64 with padding (RFC 4648, section 4).
fn base64(bytes: &[u8]) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let at = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for i in 0..4_usize {
            let sign = usize::try_from(bits >> (18 - 6 * i) & 63).ok().and_then(|n| SIGNS.get(n));
            text.push(if i <= chunk.len() { sign.map_or('=', |s| char::from(*s)) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        // RFC 4648, section 10.
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }
}
