//! Which certificate a handshake gets: that of the host profile whose name the client asks for, else the server's own.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};
use jiff::Timestamp;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::pair::{Pair, Stamp};
use crate::error::Result;

/// A host profile that may have a certificate of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedHost {
    /// The profile: its pair is `tls-cert-PROFILE.pem` and `tls-key-PROFILE.pem`.
    pub profile: String,
    /// The host name (SNI) whose visitors get it.
    pub host: String,
}

/// The certificates that new handshakes get.
#[derive(Debug)]
pub(super) struct Shown {
    own: (Pair, ArcSwap<CertifiedKey>),
    hosts: Vec<(NamedHost, Pair, ArcSwapOption<CertifiedKey>)>,
}

impl Shown {
    /// Loads the server's pair, and that of each profile which has one.
    ///
    /// # Errors
    /// A pair that is there cannot be used.
    pub(super) fn load(certs: &Path, hosts: &[NamedHost]) -> Result<Self> {
        let own = Pair::of_server(certs);
        let first = own.load()?;
        let hosts = hosts.iter().map(|host| {
            let pair = Pair::of_profile(certs, &host.profile);
            let loaded = pair.is_there().then(|| pair.load()).transpose()?;
            let host = NamedHost { host: plain_name(&host.host), ..host.clone() };
            Ok((host, pair, ArcSwapOption::from(loaded)))
        });
        Ok(Self { own: (own, ArcSwap::from(first)), hosts: hosts.collect::<Result<_>>()? })
    }

    /// What changes when an operator puts new files in place.
    pub(super) fn stamps(&self) -> Vec<Stamp> {
        let others = self.hosts.iter().map(|(_, pair, _)| pair.stamp());
        std::iter::once(self.own.0.stamp()).chain(others).collect()
    }

    /// Takes up the pairs that lie in the folder now. A bad one changes nothing; answers what is wrong with each.
    pub(super) fn reload(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        match self.own.0.load() {
            Ok(pair) => take_up(&self.own.0, self.own.1.swap(Arc::clone(&pair)), &pair),
            Err(error) => wrong.push(error.message().to_owned()),
        }
        for (_, files, current) in &self.hosts {
            if !files.is_there() {
                current.store(None);
                continue;
            }
            match files.load() {
                Ok(pair) => match current.swap(Some(Arc::clone(&pair))) {
                    Some(before) => take_up(files, before, &pair),
                    None => told(files, &pair),
                },
                Err(error) => wrong.push(error.message().to_owned()),
            }
        }
        wrong
    }

    /// The server's own certificate.
    pub(super) fn own(&self) -> Arc<CertifiedKey> {
        self.own.1.load_full()
    }

    /// The certificates of host profiles.
    pub(super) fn of_profiles(&self) -> HashMap<String, Arc<CertifiedKey>> {
        let loaded = self
            .hosts
            .iter()
            .filter_map(|(host, _, current)| Some((host.profile.clone(), current.load_full()?)));
        loaded.collect()
    }

    /// When the first of all certificates ends.
    pub(super) fn ends(&self) -> Option<Timestamp> {
        let all = self.of_profiles().into_values().chain([self.own()]);
        all.filter_map(|pair| end_of(&pair)).min()
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let named = hello.server_name().map(plain_name).and_then(|name| {
            let mut of_name = self.hosts.iter().filter(|(host, ..)| host.host == name);
            of_name.find_map(|(_, _, current)| current.load_full())
        });
        // Whoever asks for no name or an unknown one gets the server's own, as every client did before.
        Some(named.unwrap_or_else(|| self.own()))
    }
}

fn end_of(pair: &CertifiedKey) -> Option<Timestamp> {
    let (_, certificate) = x509_parser::parse_x509_certificate(pair.cert.first()?).ok()?;
    Timestamp::from_second(certificate.validity().not_after.timestamp()).ok()
}

fn take_up(files: &Pair, before: Arc<CertifiedKey>, now: &CertifiedKey) {
    if before.cert != now.cert {
        told(files, now);
    }
}

fn told(files: &Pair, pair: &CertifiedKey) {
    let fingerprint = pair.cert.first().map(super::fingerprint);
    tracing::info!(file = %files.certificate.display(), fingerprint, "certificate taken up");
}

/// As DNS compares names.
pub(super) fn plain_name(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}
