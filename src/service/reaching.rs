//! Reaching a client's own server: what a connection needs, what it shows, and what works there, step by step.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use zeroize::Zeroizing;

use super::Service;
use super::remotes::context;
use crate::error::{Error, Kind, Result};
use crate::model::{Protocol, ServerTrust};
use crate::remote::{Auth, Reach, Target, Trust, probe};
use crate::store::registry::{RemoteAccount, SealedSecret};

/// What a server shows before any secret is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShownIdentity {
    /// The kind of host key, or `certificate`.
    pub kind: String,
    /// `SHA256:…` of a host key; 64 hex digits of a certificate's SHA-256.
    pub fingerprint: String,
    /// Until when a certificate is valid.
    pub not_after: Option<Timestamp>,
    /// Whether it is one of the pinned ones.
    pub is_pinned: bool,
}

impl Service {
    /// What the server shows, before any secret is sent.
    ///
    /// # Errors
    /// As [`Service::remote_standing`]; `Kind::Denied` for an address that may not be connected to; `Kind::Busy` when
    /// it does not answer.
    pub async fn probe_server(&self, login: &str) -> Result<ShownIdentity> {
        let (_, protocol, remote) = self.remote(login)?;
        // No secret is unsealed for a look.
        let nothing = Auth::Password(Zeroizing::new(String::new()));
        let shown = probe(&self.target(protocol, &remote, nothing)).await?;
        let pins = match &remote.trust {
            ServerTrust::Pins(pins) => pins.as_slice(),
            ServerTrust::Platform | ServerTrust::Ca(_) => &[],
        };
        Ok(ShownIdentity {
            is_pinned: pins.contains(&shown.fingerprint),
            kind: shown.kind,
            fingerprint: shown.fingerprint,
            not_after: shown.not_after,
        })
    }

    /// Where and how to connect, with the secret unsealed.
    ///
    /// # Errors
    /// As [`Service::remote_standing`]; `Kind::Denied` while nobody has confirmed the server; a secret that cannot be
    /// opened.
    pub(super) fn remote_target(&self, login: &str) -> Result<Target> {
        let opened = self.open_target(login);
        match opened {
            // The key was exchanged between the two reads: the row holds what the new one opens.
            Err(error) if error.kind() == Kind::NotFound => self.open_target(login),
            opened => opened,
        }
    }

    fn open_target(&self, login: &str) -> Result<Target> {
        let (_, protocol, remote) = self.remote(login)?;
        if !remote.trust.is_confirmed() {
            let words = format!(
                "nobody has confirmed the server of account \"{login}\" yet, so nothing is sent to it: `rollcall \
                 account trust {login}` shows what it shows"
            );
            return Err(Error::new(Kind::Denied, words));
        }
        let auth = match &remote.secret {
            SealedSecret::Password(sealed) => {
                Auth::Password(self.unseal_text(&context(login, "password"), sealed)?)
            }
            SealedSecret::Key { key, passphrase, .. } => Auth::Key {
                pem: self.unseal_text(&context(login, "key"), key)?,
                passphrase: passphrase
                    .as_deref()
                    .map(|sealed| self.unseal_text(&context(login, "passphrase"), sealed))
                    .transpose()?,
            },
        };
        Ok(self.target(protocol, &remote, auth))
    }

    fn target(&self, protocol: Protocol, remote: &RemoteAccount, auth: Auth) -> Target {
        let outgoing = &self.config().outgoing;
        Target {
            protocol,
            host: remote.server.host.clone(),
            port: remote.server.port,
            login: remote.server.login.clone(),
            auth,
            trust: match &remote.trust {
                ServerTrust::Pins(pins) => Trust::Pins(pins.clone()),
                ServerTrust::Platform => Trust::Platform,
                ServerTrust::Ca(pem) => Trust::Ca(pem.clone()),
            },
            reach: Reach { allow: outgoing.allow.clone() },
            step_timeout: Duration::from_secs(outgoing.step_timeout_s),
        }
    }

    /// Notes that a client's server was reached, or why not. What was done stays done when the note fails.
    pub(super) fn note_remote<T>(&self, login: &str, outcome: &Result<T>) {
        let failure = outcome.as_ref().err().map(Error::message);
        if let Err(error) = self.registry().note_remote(login, self.clock().now(), failure) {
            tracing::warn!(%error, login, "noting whether a client's server was reached");
        }
    }

    fn unseal_text(&self, context: &str, sealed: &[u8]) -> Result<Zeroizing<String>> {
        let plain = self.unseal(context, sealed)?;
        let text = std::str::from_utf8(&plain).map_err(|_| {
            Error::new(Kind::Internal, format!("the secret of {context} is no text"))
        })?;
        Ok(Zeroizing::new(text.to_owned()))
    }
}
