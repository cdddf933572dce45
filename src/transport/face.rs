//! How the server looks from outside: its addresses, host keys and certificates, running or not.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Bound;
use super::host_keys::{self, HostKeys, KeyRing};
use super::tls::{self, NamedHost, Tls};
use crate::config::Config;
use crate::error::Result;
use crate::model::Protocol;
use crate::service::Service;
use crate::service::handouts::{Certificate, HostKey, ServerFacts};

/// How clients recognise this server, for the hand-out sheet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fingerprints {
    /// Algorithm and fingerprint of each SSH host key, as `ssh-keygen -l` prints it: (`ssh-ed25519`, `SHA256:…`).
    pub host_keys: Vec<(String, String)>,
    /// SHA-256 of the TLS certificate, hex pairs with colons.
    pub certificate: Option<String>,
}

/// How the running server looks from outside, for pages that hand out its addresses. Cheap to clone; always the present state.
#[derive(Clone)]
pub struct Face {
    pub(super) bound: Bound,
    pub(super) host_keys: Arc<HostKeys>,
    pub(super) tls: Tls,
}

impl Face {
    /// Where clients connect.
    #[must_use]
    pub fn bound(&self) -> Bound {
        self.bound
    }

    /// How clients recognise the server.
    #[must_use]
    pub fn fingerprints(&self) -> Fingerprints {
        Fingerprints {
            host_keys: self.host_keys.fingerprints(),
            certificate: self.tls.fingerprint(),
        }
    }

    /// What hand-out sheets say of the server.
    ///
    /// # Errors
    /// A certificate that cannot be read.
    pub fn facts(&self) -> Result<ServerFacts> {
        let bound = [
            (Protocol::Sftp, self.bound.sftp),
            (Protocol::Ftps, self.bound.ftps),
            (Protocol::Ftpes, self.bound.ftpes),
        ];
        let host_key = |(kind, fingerprint)| HostKey { kind, fingerprint };
        let of_profiles = self.tls.certificates_of_profiles();
        let of_profiles = of_profiles.iter().map(|(name, der)| Ok((name.clone(), read(der)?)));
        Ok(ServerFacts {
            certificates: of_profiles.collect::<Result<_>>()?,
            certificate: self.tls.certificate().map(|der| read(&der)).transpose()?,
            bound: bound.into_iter().filter_map(|(kind, at)| Some((kind, at?))).collect(),
            host_keys: self.host_keys.fingerprints().into_iter().map(host_key).collect(),
        })
    }

    /// When the TLS certificate ends.
    #[must_use]
    pub fn certificate_ends(&self) -> Option<jiff::Timestamp> {
        self.tls.ends()
    }

    /// TLS settings for a web listener with the same certificate, which is reloaded like the others'.
    ///
    /// # Errors
    /// The system's random source failed.
    pub fn web_config(&self) -> Result<Arc<rustls::ServerConfig>> {
        let config = self
            .tls
            .control_config(crate::config::Resumption::Prefer, tls::ClientCertificate::Ignored)?;
        let mut config = rustls::ServerConfig::clone(&config);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

fn read(der: &[u8]) -> Result<Certificate> {
    Certificate::read(der).map(|(certificate, _)| certificate)
}

/// How clients recognise the server whose keys lie in `certs`, without starting it.
///
/// # Errors
/// A key or certificate that cannot be read.
pub fn fingerprints(certs: &Path) -> Result<Fingerprints> {
    Ok(Fingerprints {
        host_keys: host_keys::stored_fingerprints(certs)?,
        certificate: tls::stored_fingerprint(certs)?,
    })
}

/// Makes the keys and certificates that are missing, as the first start would: so that a hand-out sheet is
/// complete before the server ran.
///
/// # Errors
/// A key or certificate that is lost or broken; the message names it.
pub fn make_identity(service: &Service, certs: &Path) -> Result<Fingerprints> {
    let host_keys = HostKeys::load_or_create(
        certs,
        &host_key_record(service.data()),
        service.config().sftp.compat,
    )?;
    let tls =
        Tls::load_or_create(certs, &named_hosts(service.config()), &reached_as(service.config()))?;
    Ok(Fingerprints { host_keys: host_keys.fingerprints(), certificate: tls.fingerprint() })
}

/// The host profiles with a public name: the clients that ask for it may get a certificate of its own.
pub(super) fn named_hosts(config: &Config) -> Vec<NamedHost> {
    let named = config.profile_names().into_iter().filter_map(|profile| {
        let host = config.profile(profile)?.public_host?;
        Some(NamedHost { profile: profile.to_owned(), host })
    });
    named.collect()
}

/// The names and addresses by which clients and browsers reach the server: those that hand-out sheets name, and those of
/// an administration page that speaks TLS itself. A certificate that is made here is made for them.
pub(super) fn reached_as(config: &Config) -> Vec<String> {
    let listens = [&config.sftp.listen, &config.ftps.explicit, &config.ftps.implicit];
    let bound = listens.into_iter().filter_map(|at| at.parse::<SocketAddr>().ok());
    let fixed = bound.map(|at| at.ip()).filter(|ip| !ip.is_unspecified());
    let mut names: Vec<String> = named_hosts(config).into_iter().map(|named| named.host).collect();
    names.extend(fixed.map(|ip| ip.to_string()));
    names.extend(config.ftps.passive_host.clone());
    names.extend(page_names(config));
    names
}

/// Those of the administration page; none where a proxy with a certificate of its own stands before it.
fn page_names(config: &Config) -> Vec<String> {
    let listen = config.admin.listen.as_deref().and_then(|at| at.parse::<SocketAddr>().ok());
    let Some(at) = listen.filter(|at| !at.ip().is_loopback()) else { return Vec::new() };
    let mut names = config.admin.hosts.clone();
    names.extend(config.mail.public_name().map(str::to_owned));
    names.extend((!at.ip().is_unspecified()).then(|| at.ip().to_string()));
    names
}

/// The host keys of the server whose data and certificates lie there, for their exchange.
#[must_use]
pub fn key_ring(data: &Path, certs: &Path) -> KeyRing {
    KeyRing::new(certs, &host_key_record(data))
}

/// Whether every host key that this server ever had is still there, without making any.
///
/// # Errors
/// A key that is lost, was exchanged or cannot be read; the message names it.
pub fn check_host_keys(data: &Path, certs: &Path) -> Result<()> {
    host_keys::check_recorded(certs, &host_key_record(data))
}

/// In the data folder, so that losing the whole of `certs` is noticed.
pub(super) fn host_key_record(data: &Path) -> PathBuf {
    data.join("ssh-host-keys.txt")
}
