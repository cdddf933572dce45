//! The server's certificate: made at the first start, reloaded when its files change, one ticket key for each control connection.

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use jiff::{Timestamp, ToSpan as _};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{
    ClientHello, NoServerSessionStorage, ResolvesServerCert, ServerSessionMemoryCache,
};
use rustls::sign::CertifiedKey;
use rustls::{
    ConfigBuilder, DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme,
    WantsVerifier,
};
use sha2::{Digest as _, Sha256};

use crate::clock::Clock;
use crate::config::Resumption;
use crate::error::{Error, Kind, Result};

const CERTIFICATE: &str = "tls-cert.pem";
const KEY: &str = "tls-key.pem";
/// Some programs refuse certificates that live longer (the limit of Apple's platforms).
const VALID_DAYS: i32 = 825;
const RELOAD_EVERY: Duration = Duration::from_secs(2);
/// Enough for a client that uses up a ticket with every data connection and opens several at once.
const TICKETS_ON_CONTROL: usize = 8;
/// Sessions that clients without tickets (RFC 5077) may resume, of one control connection.
const STORED_SESSIONS: usize = 8;

/// The server's certificate and how connections use it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tls(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    files: Files,
    current: Arc<Current>,
    template: ServerConfig,
    /// The same, and the client may show a certificate.
    asking: ServerConfig,
}

/// Whether clients are asked for a certificate; none has to have one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientCertificate {
    /// Not asked for.
    Ignored,
    /// Asked for; that the client holds its key is proved, whose it is the login decides.
    Asked,
}

#[derive(Debug, Clone)]
struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

/// The certificate that new handshakes get.
#[derive(Debug)]
struct Current(ArcSwap<CertifiedKey>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

impl Tls {
    /// Loads `tls-cert.pem` and `tls-key.pem` from `certs`; makes a self-signed pair when neither is there.
    /// From then on the files are looked at every two seconds and a good new pair is used for new connections.
    ///
    /// # Errors
    /// A file that cannot be read or written, is not PEM, or does not fit the other; the message says how to mend it.
    pub fn load_or_create(certs: &Path) -> Result<Self> {
        let files = Files::in_folder(certs);
        if !files.certificate.exists() {
            create(&files, Clock::System)?;
        }
        let seen = files.stamp();
        let current = Arc::new(Current(ArcSwap::from(files.load()?)));
        let (asking, template) = (asking(Arc::clone(&current))?, template(Arc::clone(&current))?);
        let inner = Arc::new(Inner { files, current, template, asking });
        watch(&inner, seen)?;
        Ok(Self(inner))
    }

    /// The TLS settings of one control connection. Its ticket key is its own, so a data connection that resumes
    /// on (a clone of) this configuration is proved to belong to it.
    ///
    /// # Errors
    /// The system's random source failed.
    pub fn control_config(
        &self,
        resumption: Resumption,
        client: ClientCertificate,
    ) -> Result<Arc<ServerConfig>> {
        let mut config = match client {
            ClientCertificate::Ignored => self.0.template.clone(),
            ClientCertificate::Asked => self.0.asking.clone(),
        };
        if resumption == Resumption::Off {
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
            return Ok(Arc::new(config));
        }
        config.ticketer = aws_lc_rs::Ticketer::new().map_err(|e| {
            Error::caused(Kind::Internal, "no key for TLS tickets could be made", e)
        })?;
        config.session_storage = ServerSessionMemoryCache::new(STORED_SESSIONS);
        config.send_tls13_tickets = TICKETS_ON_CONTROL;
        Ok(Arc::new(config))
    }

    /// The settings for the data connections of that control connection: the same keys, no new tickets
    /// (a client that does not read them would see its upload reset).
    #[must_use]
    pub fn data_config(control: &ServerConfig) -> Arc<ServerConfig> {
        let mut config = control.clone();
        config.send_tls13_tickets = 0;
        Arc::new(config)
    }

    /// Takes the certificate up that lies in the folder now; a bad one changes nothing and is logged.
    pub fn reload(&self) {
        self.0.reload();
    }

    /// The present certificate (DER).
    #[must_use]
    pub fn certificate(&self) -> Option<CertificateDer<'static>> {
        self.0.current.0.load().cert.first().cloned()
    }

    /// When the present certificate ends.
    #[must_use]
    pub fn ends(&self) -> Option<Timestamp> {
        let current = self.0.current.0.load();
        let (_, certificate) = x509_parser::parse_x509_certificate(current.cert.first()?).ok()?;
        Timestamp::from_second(certificate.validity().not_after.timestamp()).ok()
    }

    /// SHA-256 of the present certificate as hex pairs with colons, as clients show it.
    #[must_use]
    pub fn fingerprint(&self) -> Option<String> {
        self.0.current.0.load().cert.first().map(fingerprint)
    }
}

/// The fingerprint of the certificate in `certs`; none if there is none yet.
///
/// # Errors
/// The file cannot be read or is not a certificate.
pub fn stored_fingerprint(certs: &Path) -> Result<Option<String>> {
    let files = Files::in_folder(certs);
    if !files.certificate.exists() {
        return Ok(None);
    }
    Ok(files.chain()?.first().map(fingerprint))
}

fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    let pairs: Vec<String> =
        Sha256::digest(certificate.as_ref()).iter().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(":")
}

fn template(current: Arc<Current>) -> Result<ServerConfig> {
    Ok(as_ftp(versions()?.with_no_client_auth().with_cert_resolver(current)))
}

fn asking(current: Arc<Current>) -> Result<ServerConfig> {
    let any = Arc::new(AnyCertificate(provider()));
    Ok(as_ftp(versions()?.with_client_cert_verifier(any).with_cert_resolver(current)))
}

fn versions() -> Result<ConfigBuilder<ServerConfig, WantsVerifier>> {
    ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|e| Error::caused(Kind::Internal, "TLS 1.2 and 1.3 are not available", e))
}

fn as_ftp(mut config: ServerConfig) -> ServerConfig {
    // A client that asks for another protocol (a web browser, a cross-protocol attack) gets alert 120.
    config.alpn_protocols = vec![b"ftp".to_vec()];
    config
}

/// Lets a client show any certificate whose key it holds, or none: accounts name theirs by fingerprint, no authority is asked.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ClientCertVerifier for AnyCertificate {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> std::result::Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

impl Files {
    fn in_folder(certs: &Path) -> Self {
        Self { certificate: certs.join(CERTIFICATE), key: certs.join(KEY) }
    }

    /// What changes when an operator puts new files in place.
    fn stamp(&self) -> [Option<(SystemTime, u64)>; 2] {
        [&self.certificate, &self.key].map(|path| {
            let meta = std::fs::metadata(path).ok()?;
            Some((meta.modified().ok()?, meta.len()))
        })
    }

    fn chain(&self) -> Result<Vec<CertificateDer<'static>>> {
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

    fn load(&self) -> Result<Arc<CertifiedKey>> {
        let path = self.key.display();
        let pem = std::fs::read(&self.key).map_err(|e| {
            Error::io(format!("reading the key {path} of {}", self.certificate.display()), e)
        })?;
        let key = PrivateKeyDer::from_pem_slice(&pem).map_err(|e| {
            let message =
                format!("{path} holds no private key; put it there as PEM without a password");
            Error::caused(Kind::Invalid, message, e)
        })?;
        let pair = CertifiedKey::from_der(self.chain()?, key, &provider()).map_err(|e| {
            let message = format!(
                "{path} does not belong to {}; put the matching pair there",
                self.certificate.display()
            );
            Error::caused(Kind::Invalid, message, e)
        })?;
        Ok(Arc::new(pair))
    }
}

/// Looks at the files until the last clone of [`Tls`] is gone.
fn watch(inner: &Arc<Inner>, mut seen: [Option<(SystemTime, u64)>; 2]) -> Result<()> {
    let weak: Weak<Inner> = Arc::downgrade(inner);
    let watcher = std::thread::Builder::new().name("tls-reload".to_owned()).spawn(move || {
        loop {
            std::thread::sleep(RELOAD_EVERY);
            let Some(inner) = weak.upgrade() else { return };
            let now = inner.files.stamp();
            if now == seen {
                continue;
            }
            seen = now;
            inner.reload();
        }
    });
    watcher.map(drop).map_err(|e| Error::io("starting the thread that watches the certificate", e))
}

impl Inner {
    fn reload(&self) {
        match self.files.load() {
            Ok(pair) => {
                let fingerprint = pair.cert.first().map(fingerprint);
                self.current.0.store(pair);
                tracing::info!(file = %self.files.certificate.display(), fingerprint, "certificate reloaded");
            }
            Err(error) => {
                tracing::error!(%error, "the new certificate is not used; the old one stays until its files are right");
            }
        }
    }
}

/// Writes a self-signed certificate, with a new key unless one lies there.
fn create(files: &Files, clock: Clock) -> Result<()> {
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
    let certificate = certificate_for(&names(), clock).map_err(failed)?;
    let certificate = certificate.self_signed(&key).map_err(failed)?;
    write_new(&files.certificate, &certificate.pem(), 0o644)
}

fn certificate_for(
    names: &[String],
    clock: Clock,
) -> std::result::Result<rcgen::CertificateParams, rcgen::Error> {
    let mut params = rcgen::CertificateParams::new(names)?;
    params.subject_alt_names.push(rcgen::SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)));
    params.subject_alt_names.push(rcgen::SanType::IpAddress(IpAddr::V6(Ipv6Addr::LOCALHOST)));
    params.distinguished_name = rcgen::DistinguishedName::new();
    let common = names.last().map_or("localhost", String::as_str);
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

/// `localhost` and this machine's own name.
fn names() -> Vec<String> {
    let mut names = vec!["localhost".to_owned()];
    let own = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let own = own.trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    if !own.is_empty() && own != "localhost" && own.chars().all(plain) {
        names.push(own.to_owned());
    }
    names
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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_first_start_makes_a_pair_that_later_starts_keep() {
        let certs = tempfile::tempdir().unwrap();
        let made = Tls::load_or_create(certs.path()).unwrap().fingerprint();
        assert_eq!(Tls::load_or_create(certs.path()).unwrap().fingerprint(), made);
        assert_eq!(stored_fingerprint(certs.path()).unwrap(), made);
        let key = std::fs::metadata(certs.path().join(KEY)).unwrap();
        assert_eq!(key.permissions().mode() & 0o777, 0o600);
        let chain = Files::in_folder(certs.path()).chain().unwrap();
        let (_, parsed) = x509_parser::parse_x509_certificate(chain.first().unwrap()).unwrap();
        assert!(!parsed.is_ca());
        let days =
            parsed.validity().not_after.timestamp() - parsed.validity().not_before.timestamp();
        assert_eq!(days, i64::from(VALID_DAYS) * 86_400);
        let names = parsed.subject_alternative_name().unwrap().unwrap();
        assert!(names.value.general_names.len() >= 3, "localhost, 127.0.0.1 and ::1");
    }

    #[test]
    fn a_lost_key_is_an_error_and_a_lost_certificate_is_made_for_the_key_that_is_there() {
        let certs = tempfile::tempdir().unwrap();
        Tls::load_or_create(certs.path()).unwrap();
        let key = std::fs::read(certs.path().join(KEY)).unwrap();
        std::fs::remove_file(certs.path().join(CERTIFICATE)).unwrap();
        Tls::load_or_create(certs.path()).unwrap();
        assert_eq!(std::fs::read(certs.path().join(KEY)).unwrap(), key);
        std::fs::remove_file(certs.path().join(KEY)).unwrap();
        let error = Tls::load_or_create(certs.path()).unwrap_err();
        assert!(error.message().contains("tls-key.pem"), "{error}");
        assert!(!certs.path().join(KEY).exists(), "never a silent new key");
    }

    #[test]
    fn a_new_pair_is_taken_up_and_a_bad_one_changes_nothing() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let tls = Tls::load_or_create(one.path()).unwrap();
        let other = Tls::load_or_create(two.path()).unwrap().fingerprint();
        let first = tls.fingerprint();
        for file in [CERTIFICATE, KEY] {
            std::fs::copy(two.path().join(file), one.path().join(file)).unwrap();
        }
        tls.reload();
        assert_ne!(first, other);
        assert_eq!(tls.fingerprint(), other);
        for bad in ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n"] {
            std::fs::write(one.path().join(CERTIFICATE), bad).unwrap();
            tls.reload();
            assert_eq!(tls.fingerprint(), other, "{bad}");
        }
        std::fs::remove_file(one.path().join(KEY)).unwrap();
        tls.reload();
        assert_eq!(tls.fingerprint(), other);
    }

    #[test]
    fn a_pair_that_does_not_match_is_refused_in_words() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        Tls::load_or_create(one.path()).unwrap();
        Tls::load_or_create(two.path()).unwrap();
        std::fs::copy(two.path().join(KEY), one.path().join(KEY)).unwrap();
        let error = Tls::load_or_create(one.path()).unwrap_err();
        assert!(error.message().contains("does not belong to"), "{error}");
        std::fs::write(one.path().join(CERTIFICATE), "no certificate").unwrap();
        assert!(Tls::load_or_create(one.path()).is_err());
    }
}
