//! The server's certificates: made at the first start, chosen by the host name that a client asks for, reloaded when their
//! files change; one ticket key for each control connection.

mod client;
mod pair;
mod shown;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use jiff::Timestamp;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::CertificateDer;
use rustls::server::{NoServerSessionStorage, ServerSessionMemoryCache};
use rustls::{ConfigBuilder, ServerConfig, WantsVerifier};
use sha2::{Digest as _, Sha256};

use crate::clock::Clock;
use crate::config::Resumption;
use crate::error::{Error, Kind, Result};
use client::AnyCertificate;
use pair::{Pair, Stamp, create};
use shown::{Shown, plain_name};

pub use shown::NamedHost;

const RELOAD_EVERY: Duration = Duration::from_secs(2);
/// Enough for a client that uses up a ticket with every data connection and opens several at once.
const TICKETS_ON_CONTROL: usize = 8;
/// Sessions that clients without tickets (RFC 5077) may resume, of one control connection.
const STORED_SESSIONS: usize = 8;

/// The server's certificates and how connections use them. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tls(Arc<Inner>);

struct Inner {
    shown: Arc<Shown>,
    template: ServerConfig,
    /// The same, and the client may show a certificate.
    asking: ServerConfig,
    /// Is told after each reload what is wrong with the files; nothing: they are in use.
    listener: OnceLock<Listener>,
}

type Listener = Box<dyn Fn(&[String]) + Send + Sync>;

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner").field("shown", &self.shown).finish_non_exhaustive()
    }
}

/// Whether clients are asked for a certificate; none has to have one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientCertificate {
    /// Not asked for.
    Ignored,
    /// Asked for; that the client holds its key is proved, whose it is the login decides.
    Asked,
}

impl Tls {
    /// Loads `tls-cert.pem` and `tls-key.pem` from `certs`, and the pairs of `hosts` that lie there; makes a self-signed
    /// pair for the server when neither file is there, for this machine's own names and those by which it is `reached`. From then on the files are looked at every two seconds and a good
    /// new pair is used for new connections.
    ///
    /// # Errors
    /// A file that cannot be read or written, is not PEM, or does not fit the other; the message says how to mend it.
    pub fn load_or_create(certs: &Path, hosts: &[NamedHost], reached: &[String]) -> Result<Self> {
        let own = Pair::of_server(certs);
        if !own.certificate.exists() {
            create(&own, reached, Clock::System)?;
        }
        let shown = Arc::new(Shown::load(certs, hosts)?);
        let seen = shown.stamps();
        let (asking, template) = (asking(Arc::clone(&shown))?, template(Arc::clone(&shown))?);
        let inner = Arc::new(Inner { shown, template, asking, listener: OnceLock::new() });
        watch(&inner, seen)?;
        Ok(Self(inner))
    }

    /// Has `listener` told after each reload what is wrong with the files; only the first listener is kept.
    pub fn on_reload(&self, listener: impl Fn(&[String]) + Send + Sync + 'static) {
        self.0.listener.get_or_init(|| Box::new(listener));
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

    /// Takes up the certificates that lie in the folder now; a bad one changes nothing and is told.
    pub fn reload(&self) {
        self.0.tell(&self.0.shown.reload());
    }

    /// The present certificate of the server itself (DER).
    #[must_use]
    pub fn certificate(&self) -> Option<CertificateDer<'static>> {
        self.0.shown.own().cert.first().cloned()
    }

    /// The present certificates of host profiles that have one of their own (DER).
    #[must_use]
    pub fn certificates_of_profiles(&self) -> BTreeMap<String, CertificateDer<'static>> {
        let all = self.0.shown.of_profiles().into_iter();
        all.filter_map(|(profile, pair)| Some((profile, pair.cert.first()?.clone()))).collect()
    }

    /// When the first of the certificates ends.
    #[must_use]
    pub fn ends(&self) -> Option<Timestamp> {
        self.0.shown.ends()
    }

    /// SHA-256 of the server's own certificate as hex pairs with colons, as clients show it.
    #[must_use]
    pub fn fingerprint(&self) -> Option<String> {
        self.0.shown.own().cert.first().map(fingerprint)
    }
}

/// The fingerprint of the certificate in `certs`; none if there is none yet.
///
/// # Errors
/// The file cannot be read or is not a certificate.
pub fn stored_fingerprint(certs: &Path) -> Result<Option<String>> {
    let files = Pair::of_server(certs);
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

fn template(shown: Arc<Shown>) -> Result<ServerConfig> {
    Ok(as_ftp(versions()?.with_no_client_auth().with_cert_resolver(shown)))
}

fn asking(shown: Arc<Shown>) -> Result<ServerConfig> {
    let any = Arc::new(AnyCertificate(provider()));
    Ok(as_ftp(versions()?.with_client_cert_verifier(any).with_cert_resolver(shown)))
}

fn versions() -> Result<ConfigBuilder<ServerConfig, WantsVerifier>> {
    ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|e| Error::caused(Kind::Internal, "TLS 1.2 and 1.3 are not available", e))
}

fn as_ftp(mut config: ServerConfig) -> ServerConfig {
    // A client that asks for another protocol (a web browser, a cross-protocol attack) gets alert 120.
    config.alpn_protocols = vec![b"ftp".to_vec()];
    // The server's order of ciphers counts: a client's may be older than what both can do.
    config.ignore_client_order = true;
    config
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// Looks at the files until the last clone of [`Tls`] is gone.
fn watch(inner: &Arc<Inner>, mut seen: Vec<Stamp>) -> Result<()> {
    let weak: Weak<Inner> = Arc::downgrade(inner);
    let watcher = std::thread::Builder::new().name("tls-reload".to_owned()).spawn(move || {
        let mut is_doubtful = false;
        loop {
            std::thread::sleep(RELOAD_EVERY);
            let Some(inner) = weak.upgrade() else { return };
            let now = inner.shown.stamps();
            if now == seen && !is_doubtful {
                continue;
            }
            let wrong = inner.shown.reload();
            // Whoever puts a certificate and then its key there is between the two for a moment: nobody is alarmed yet.
            is_doubtful = !wrong.is_empty() && now != seen;
            seen = now;
            if !is_doubtful {
                inner.tell(&wrong);
            }
        }
    });
    watcher.map(drop).map_err(|e| Error::io("starting the thread that watches the certificate", e))
}

impl Inner {
    fn tell(&self, wrong: &[String]) {
        for why in wrong {
            tracing::error!(
                why,
                "the new certificate is not used; the old one stays until its files are right"
            );
        }
        if let Some(listener) = self.listener.get() {
            listener(wrong);
        }
    }
}

#[cfg(test)]
mod tests;
