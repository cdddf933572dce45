//! What a server must show before anything secret is sent: a pinned key or certificate, or one that an authority vouches for.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    SupportedProtocolVersion,
};
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::error::{Error, Kind, Result};

/// What a server must show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// Any of these: `SHA256:…` of a host key for SFTP, the certificate's SHA-256 (64 hex digits, colons allowed) for
    /// FTPS and FTPES. Empty: nothing is accepted.
    Pins(Vec<String>),
    /// A certificate for this host from an authority that the machine trusts. Not for SFTP.
    Platform,
    /// A certificate for this host from one of these authorities (PEM). Not for SFTP.
    Ca(String),
}

/// What a server shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// `ssh-ed25519`, `rsa-sha2-512` …, or `certificate`.
    pub kind: String,
    /// `SHA256:…` of a host key; 64 hex digits of a certificate's SHA-256.
    pub fingerprint: String,
    /// Until when a certificate is valid.
    pub not_after: Option<Timestamp>,
}

/// Whether an error says that the server shows another key or certificate than the pinned one.
#[must_use]
pub fn is_identity_change(error: &Error) -> bool {
    unrecognised(error).is_some_and(|refused| refused.is_pinned)
}

/// Whether an error says that the server's key or certificate is not accepted: not the pinned one, or no authority
/// vouches for it. Nothing secret was sent then.
#[must_use]
pub fn is_unrecognised(error: &Error) -> bool {
    unrecognised(error).is_some()
}

fn unrecognised(error: &Error) -> Option<&Unrecognised> {
    std::error::Error::source(error).and_then(|source| source.downcast_ref())
}

/// The server shows an identity that is not accepted.
#[derive(Debug)]
struct Unrecognised {
    is_pinned: bool,
}

impl fmt::Display for Unrecognised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the server shows an identity that is not accepted")
    }
}

impl std::error::Error for Unrecognised {}

/// The error of a server (`place`) whose certificate no authority vouches for.
pub(super) fn not_vouched_for(place: &str, shown: &Identity, why: &str) -> Error {
    let words = format!(
        "{place}: the server's certificate is not accepted: {why} (SHA-256 {}). Nothing was sent. Its operator renews or \
         corrects it, or you confirm this one by its fingerprint",
        shown.fingerprint
    );
    Error::caused(Kind::Denied, words, Unrecognised { is_pinned: false })
}

/// The error of a server (`place`) that shows `shown` and none of `pins`.
pub(super) fn identity_change(place: &str, shown: &Identity, pins: &[String]) -> Error {
    let what = if shown.fingerprint.starts_with("SHA256:") { "host key" } else { "certificate" };
    let expected = match pins {
        [] => "no fingerprint has been confirmed yet".to_owned(),
        pins => format!("expected was {}", pins.join(" or ")),
    };
    let words = format!(
        "{place}: the server shows a {what} that is not confirmed ({}, {}); {expected}. Nothing was sent. Ask the \
         server's operator whether it was changed before you confirm it",
        shown.fingerprint, shown.kind
    );
    Error::caused(Kind::Denied, words, Unrecognised { is_pinned: true })
}

/// `AB:CD…` and `abcd…` are the same fingerprint.
fn plain_hex(fingerprint: &str) -> String {
    fingerprint.chars().filter(char::is_ascii_hexdigit).collect::<String>().to_ascii_lowercase()
}

/// A TLS configuration that accepts what `trust` says, or, without it, anything; and where it notes what it saw.
pub(super) fn tls_config(
    trust: Option<&Trust>,
    versions: &[&'static SupportedProtocolVersion],
) -> Result<(ClientConfig, Seen)> {
    let provider = CryptoProvider::get_default()
        .map_or_else(|| Arc::new(rustls::crypto::aws_lc_rs::default_provider()), Arc::clone);
    let judge = match trust {
        None => Judge::Look,
        Some(Trust::Pins(pins)) => Judge::Pins(pins.iter().map(|pin| plain_hex(pin)).collect()),
        Some(Trust::Platform) => Judge::Authority(Arc::new(
            rustls_platform_verifier::Verifier::new(Arc::clone(&provider)).map_err(|e| {
                Error::caused(Kind::Internal, format!("the machine's authorities: {e}"), e)
            })?,
        )),
        Some(Trust::Ca(pem)) => Judge::Authority(authorities(pem, &provider)?),
    };
    let seen = Seen::default();
    let watch = Watch { judge, seen: seen.clone(), provider: Arc::clone(&provider) };
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .map_err(|e| Error::caused(Kind::Internal, format!("TLS: {e}"), e))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(watch))
        .with_no_client_auth();
    Ok((config, seen))
}

fn authorities(pem: &str, provider: &Arc<CryptoProvider>) -> Result<Arc<WebPkiServerVerifier>> {
    let wrong = |why: String| {
        Error::new(
            Kind::Invalid,
            format!(
                "the authority's certificate cannot be used: {why}; give it as PEM (-----BEGIN CERTIFICATE-----)"
            ),
        )
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|e| wrong(e.to_string()))?;
        roots.add(certificate).map_err(|e| wrong(e.to_string()))?;
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .build()
        .map_err(|e| wrong(e.to_string()))
}

/// The certificate that a server showed, and whether it was accepted.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen(Arc<Mutex<Option<(Identity, bool)>>>);

impl Seen {
    fn note(&self, identity: Identity, accepted: bool) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((identity, accepted));
    }

    /// What was shown last.
    pub(super) fn identity(&self) -> Option<Identity> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone().map(|(identity, _)| identity)
    }

    /// What was shown last, if it was refused.
    pub(super) fn refused(&self) -> Option<Identity> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        seen.filter(|(_, accepted)| !accepted).map(|(identity, _)| identity)
    }
}

#[derive(Debug)]
enum Judge {
    /// Anything, to be shown to somebody.
    Look,
    /// The SHA-256 of the certificate; the key behind it must still sign the handshake.
    Pins(Vec<String>),
    Authority(Arc<dyn ServerCertVerifier>),
}

#[derive(Debug)]
struct Watch {
    judge: Judge,
    seen: Seen,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Watch {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        let shown = identity_of(end_entity);
        let judged = match &self.judge {
            Judge::Look => Ok(ServerCertVerified::assertion()),
            Judge::Pins(pins) if pins.contains(&shown.fingerprint) => {
                Ok(ServerCertVerified::assertion())
            }
            Judge::Pins(_) => Err(rustls::Error::InvalidCertificate(
                CertificateError::ApplicationVerificationFailure,
            )),
            Judge::Authority(authority) => {
                authority.verify_server_cert(end_entity, intermediates, server_name, ocsp, now)
            }
        };
        self.seen.note(shown, judged.is_ok());
        judged
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn identity_of(certificate: &CertificateDer<'_>) -> Identity {
    let not_after = X509Certificate::from_der(certificate.as_ref()).ok().and_then(|(_, parsed)| {
        Timestamp::from_second(parsed.validity().not_after.timestamp()).ok()
    });
    Identity {
        kind: "certificate".to_owned(),
        fingerprint: Sha256::digest(certificate.as_ref())
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect(),
        not_after,
    }
}
