//! How clients recognise this server, read from the files in `certs/`: for hand-out sheets and `check`.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use x509_parser::pem::Pem;

use crate::error::{Error, Kind, Result};
use crate::service::handouts::{Certificate, HostKey};
use crate::transport;

/// The certificate's file in the certificates folder.
pub(super) const CERTIFICATE_FILE: &str = "tls-cert.pem";

/// The fingerprints of the host keys; empty before the first start.
pub(super) fn host_keys(certs: &Path) -> Result<Vec<HostKey>> {
    let known = transport::fingerprints(certs)?;
    let shown = |(kind, fingerprint)| HostKey { kind, fingerprint };
    Ok(known.host_keys.into_iter().map(shown).collect())
}

/// The certificate of a host profile that has one of its own.
pub(super) fn certificate_of(
    certs: &Path,
    profile: &str,
) -> Result<Option<(Certificate, Timestamp)>> {
    read(&file_of(certs, profile))
}

/// Where a host profile's own certificate lies, if it has one.
pub(super) fn file_of(certs: &Path, profile: &str) -> PathBuf {
    certs.join(format!("tls-cert-{profile}.pem"))
}

/// The server's certificate and its last instant; `None` before the first start.
pub(super) fn certificate(certs: &Path) -> Result<Option<(Certificate, Timestamp)>> {
    read(&certs.join(CERTIFICATE_FILE))
}

fn read(path: &Path) -> Result<Option<(Certificate, Timestamp)>> {
    let bytes = match std::fs::read(path) {
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
    Certificate::read(&pem.contents).map(Some).map_err(|e| broken(e.message().to_owned()))
}
