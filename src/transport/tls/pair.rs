//! A certificate and its key in two files: read together, or made when the server has none.

use std::io::Write as _;
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use jiff::ToSpan as _;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use crate::clock::Clock;
use crate::error::{Error, Kind, Result};

pub(super) const CERTIFICATE: &str = "tls-cert.pem";
pub(super) const KEY: &str = "tls-key.pem";
/// Some programs refuse certificates that live longer (the limit of Apple's platforms).
pub(super) const VALID_DAYS: i32 = 825;
/// The most letters of a certificate's common name. Source: RFC 5280, `ub-common-name`.
const MOST_COMMON_NAME: usize = 64;
/// The most letters of a host name. Source: RFC 1035, 2.3.4.
const MOST_HOST_NAME: usize = 253;

/// A certificate with its chain, and its key.
#[derive(Debug, Clone)]
pub(super) struct Pair {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

/// What changes when an operator puts new files in place.
pub(super) type Stamp = [Option<(SystemTime, u64)>; 2];

impl Pair {
    /// The server's own pair in the certificates folder.
    pub(super) fn of_server(certs: &Path) -> Self {
        Self { certificate: certs.join(CERTIFICATE), key: certs.join(KEY) }
    }

    /// The pair of a host profile; it need not be there.
    pub(super) fn of_profile(certs: &Path, profile: &str) -> Self {
        let file = |kind: &str| certs.join(format!("tls-{kind}-{profile}.pem"));
        Self { certificate: file("cert"), key: file("key") }
    }

    /// Whether an operator has put something there.
    pub(super) fn is_there(&self) -> bool {
        self.certificate.exists() || self.key.exists()
    }

    pub(super) fn stamp(&self) -> Stamp {
        [&self.certificate, &self.key].map(|path| {
            let meta = std::fs::metadata(path).ok()?;
            Some((meta.modified().ok()?, meta.len()))
        })
    }

    /// The certificate and those of its issuers.
    ///
    /// # Errors
    /// The file cannot be read or holds no certificate.
    pub(super) fn chain(&self) -> Result<Vec<CertificateDer<'static>>> {
        let path = self.certificate.display();
        let pem = std::fs::read(&self.certificate)
            .map_err(|e| Error::io(format!("reading the certificate {path}"), e))?;
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&pem)
            .collect::<std::result::Result<_, _>>()
            .map_err(|e| {
                let cure = "put the certificate and its chain there as PEM (BEGIN CERTIFICATE)";
                Error::caused(Kind::Invalid, format!("{path} is not PEM; {cure}"), e)
            })?;
        if chain.is_empty() {
            let message = format!(
                "{path} holds no certificate; put the certificate and its chain there as PEM"
            );
            return Err(Error::new(Kind::Invalid, message));
        }
        Ok(chain)
    }

    /// The pair, ready for handshakes.
    ///
    /// # Errors
    /// A file is missing or broken, or the two do not belong together.
    pub(super) fn load(&self) -> Result<Arc<CertifiedKey>> {
        let path = self.key.display();
        let pem = std::fs::read(&self.key).map_err(|e| {
            Error::io(format!("reading the key {path} of {}", self.certificate.display()), e)
        })?;
        let key = PrivateKeyDer::from_pem_slice(&pem).map_err(|e| {
            let message =
                format!("{path} holds no private key; put it there as PEM without a password");
            Error::caused(Kind::Invalid, message, e)
        })?;
        let pair = CertifiedKey::from_der(self.chain()?, key, &super::provider()).map_err(|e| {
            let message = format!(
                "{path} does not belong to {}; put the matching pair there",
                self.certificate.display()
            );
            Error::caused(Kind::Invalid, message, e)
        })?;
        Ok(Arc::new(pair))
    }
}

/// Writes a self-signed certificate for this machine and the names by which it is `reached`, with a new key unless one lies there.
pub(super) fn create(files: &Pair, reached: &[String], clock: Clock) -> Result<()> {
    let failed = |e: rcgen::Error| {
        Error::caused(Kind::Internal, format!("making the certificate failed: {e}"), e)
    };
    let key = if files.key.exists() {
        let path = files.key.display();
        let pem = std::fs::read_to_string(&files.key)
            .map_err(|e| Error::io(format!("reading the key {path}"), e))?;
        rcgen::KeyPair::from_pem(&pem).map_err(|e| {
            let message =
                format!("{path} cannot be used; put its certificate beside it, or remove it");
            Error::caused(Kind::Invalid, message, e)
        })?
    } else {
        let key = rcgen::KeyPair::generate().map_err(failed)?;
        write_new(&files.key, &key.serialize_pem(), 0o600)?;
        key
    };
    let certificate = certificate_for(&names(reached), clock).map_err(failed)?;
    let certificate = certificate.self_signed(&key).map_err(failed)?;
    write_new(&files.certificate, &certificate.pem(), 0o644)
}

fn certificate_for(
    names: &[String],
    clock: Clock,
) -> std::result::Result<rcgen::CertificateParams, rcgen::Error> {
    let mut params = rcgen::CertificateParams::new(names)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    let fits = |name: &&String| name.len() <= MOST_COMMON_NAME && name.parse::<IpAddr>().is_err();
    let common = names.iter().rfind(fits).map_or("localhost", String::as_str);
    params.distinguished_name.push(rcgen::DnType::CommonName, common);
    params.key_usages = vec![rcgen::KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    let today = clock.today("UTC");
    let ymd = |date: jiff::civil::Date| {
        let (month, day) = (date.month().unsigned_abs(), date.day().unsigned_abs());
        rcgen::date_time_ymd(i32::from(date.year()), month, day)
    };
    // From yesterday: the clocks of clients are not always right.
    params.not_before = ymd(today.yesterday().unwrap_or(today));
    params.not_after = ymd(today.saturating_add((VALID_DAYS - 1).days()));
    Ok(params)
}

/// `localhost`, this machine's own name and loopback addresses, and the names and addresses by which it is `reached`; each once.
fn names(reached: &[String]) -> Vec<String> {
    let own = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let here = ["localhost", own.trim(), "127.0.0.1", "::1"];
    let mut names: Vec<String> = Vec::new();
    for name in here.into_iter().chain(reached.iter().map(String::as_str)) {
        let Some(name) = fit_name(name) else { continue };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// A host name or IP address as certificates hold it; `None`: it cannot stand in one (a name with letters like `é`).
fn fit_name(name: &str) -> Option<String> {
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Some(address.to_string());
    }
    let name = super::plain_name(name);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    (!name.is_empty() && name.len() <= MOST_HOST_NAME && name.chars().all(is_plain)).then_some(name)
}

/// Writes beside the target and renames, so that a crash leaves no half a key.
fn write_new(path: &Path, text: &str, mode: u32) -> Result<()> {
    let what = || format!("writing {}", path.display());
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|e| Error::io(what(), e))?;
    }
    let part = path.with_extension("pem.new");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(mode);
    let mut file = options.open(&part).map_err(|e| Error::io(what(), e))?;
    file.write_all(text.as_bytes()).map_err(|e| Error::io(what(), e))?;
    file.sync_all().map_err(|e| Error::io(what(), e))?;
    std::fs::rename(&part, path).map_err(|e| Error::io(what(), e))
}
