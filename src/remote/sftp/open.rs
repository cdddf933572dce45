//! Opening an SSH connection: host key first, then the login with a password or a private key.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use russh::client::{self, AuthResult, Handle, KeyboardInteractiveAuthResponse};
use russh::keys::{
    Algorithm, HashAlg, PrivateKeyWithHashAlg, PublicKeyOrCertificate, decode_secret_key,
};
use russh::{MethodKind, Preferred};

use super::super::trust::{Identity, Trust, identity_change};
use super::super::{Auth, Target, within};
use crate::error::{Error, Kind, Result};

/// A server that asks more often than this is not asking for a password.
const MAX_QUESTIONS: usize = 5;

/// Accepts a server only by the fingerprint of its host key, and notes what it showed.
pub(super) struct HostKey {
    pins: Vec<String>,
    shown: Shown,
}

type Shown = Arc<Mutex<Option<(Identity, Algorithm)>>>;

impl client::Handler for HostKey {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        shown: &PublicKeyOrCertificate,
    ) -> std::result::Result<bool, Self::Error> {
        // A host certificate vouches through an authority; here one key was agreed upon.
        let PublicKeyOrCertificate::PublicKey { key, .. } = shown else { return Ok(false) };
        let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
        let accepted = self.pins.contains(&fingerprint);
        let identity = Identity { kind: key.algorithm().to_string(), fingerprint, not_after: None };
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((identity, key.algorithm()));
        Ok(accepted)
    }
}

/// The host key that a server prefers to show.
pub(in super::super) async fn probe(target: &Target) -> Result<Identity> {
    match handshake(target, Vec::new(), &[]).await? {
        Met::Other(identity, _) => Ok(identity),
        Met::Known(_) => Err(target.refused(Kind::Internal, "a server without a host key")),
    }
}

/// A connection to a server that has shown a pinned host key. A server has keys of several types and shows one of the type
/// that it is asked for first; the pinned one may be another.
pub(super) async fn meet(target: &Target) -> Result<Handle<HostKey>> {
    let Trust::Pins(pins) = &target.trust else {
        return Err(target.refused(
            Kind::Invalid,
            "an SFTP server is trusted by its host key; confirm its fingerprint (SHA256:…)",
        ));
    };
    let mut first = None;
    let mut seen = Vec::new();
    loop {
        match handshake(target, pins.clone(), &seen).await {
            Ok(Met::Known(ssh)) => return Ok(ssh),
            Ok(Met::Other(identity, algorithm)) => {
                let again = seen.contains(&algorithm);
                first.get_or_insert(identity);
                seen.push(algorithm);
                // Without a pin nothing can match; the first key is what is worth showing.
                if !pins.is_empty() && !again {
                    continue;
                }
            }
            Err(error) if first.is_none() => return Err(error),
            Err(error) => tracing::debug!("{target:?}: no host key of another type: {error}"),
        }
        let Some(shown) = first else {
            return Err(target.refused(Kind::Internal, "a server without a host key"));
        };
        return Err(identity_change(&target.address(), &shown, pins));
    }
}

enum Met {
    Known(Handle<HostKey>),
    Other(Identity, Algorithm),
}

async fn handshake(target: &Target, pins: Vec<String>, without: &[Algorithm]) -> Result<Met> {
    let offered = |a: &&Algorithm| !without.iter().any(|seen| same_key_type(seen, a));
    let keys: Vec<Algorithm> = Preferred::DEFAULT.key.iter().filter(offered).cloned().collect();
    if keys.is_empty() {
        return Err(target.refused(Kind::Denied, "no further type of host key"));
    }
    let config = client::Config {
        nodelay: true,
        inactivity_timeout: Some(target.step_timeout.saturating_mul(4)),
        preferred: Preferred { key: Cow::Owned(keys), ..Preferred::DEFAULT },
        ..client::Config::default()
    };
    let shown = Shown::default();
    let handler = HostKey { pins, shown: Arc::clone(&shown) };
    let stream = target.reach.connect(&target.host, target.port, target.step_timeout).await?;
    let result = within(target, "start SSH", async {
        Ok(client::connect_stream(Arc::new(config), stream, handler).await)
    })
    .await?;
    match result {
        Ok(ssh) => Ok(Met::Known(ssh)),
        Err(russh::Error::UnknownKey) => {
            let seen = shown.lock().unwrap_or_else(PoisonError::into_inner).take();
            match seen {
                Some((identity, algorithm)) => Ok(Met::Other(identity, algorithm)),
                None => Err(target.refused(
                    Kind::Denied,
                    "the server shows a host certificate; only plain host keys can be confirmed",
                )),
            }
        }
        Err(error) => Err(super::ssh_error(target, "start SSH", error)),
    }
}

fn same_key_type(one: &Algorithm, other: &Algorithm) -> bool {
    let is_rsa = |key: &Algorithm| matches!(key, Algorithm::Rsa { .. });
    one == other || (is_rsa(one) && is_rsa(other))
}

/// Logs in with what the target has.
pub(super) async fn log_in(target: &Target, ssh: &mut Handle<HostKey>) -> Result<()> {
    match &target.auth {
        Auth::Password(password) => with_password(target, ssh, password).await,
        Auth::Key { pem, passphrase } => {
            let (pem, passphrase) = (pem.clone(), passphrase.clone());
            let read = move || decode_secret_key(&pem, passphrase.as_deref().map(String::as_str));
            // A passphrase is slow to try, on purpose.
            let key = tokio::task::spawn_blocking(read)
                .await
                .map_err(|e| Error::caused(Kind::Internal, format!("{target:?}: {e}"), e))?
                .map_err(|e| {
                    let words = format!(
                        "{target:?}: the private key cannot be read ({e}); give it in OpenSSH, PKCS#8 or PuTTY \
                         format, with its passphrase"
                    );
                    Error::caused(Kind::Invalid, words, e)
                })?;
            with_key(target, ssh, Arc::new(key)).await
        }
    }
}

async fn with_password(target: &Target, ssh: &mut Handle<HostKey>, password: &str) -> Result<()> {
    let answer = within(target, "log in", async {
        let answer = ssh.authenticate_password(&target.login, password).await;
        answer.map_err(|e| super::ssh_error(target, "log in", e))
    })
    .await?;
    match answer {
        AuthResult::Success => Ok(()),
        AuthResult::Failure { remaining_methods, .. }
            if remaining_methods.contains(&MethodKind::KeyboardInteractive) =>
        {
            when_asked(target, ssh, password).await
        }
        AuthResult::Failure { remaining_methods, .. } => {
            Err(not_let_in(target, "login and password", &remaining_methods))
        }
    }
}

/// The same password where the server asks for it in its own words (PAM).
async fn when_asked(target: &Target, ssh: &mut Handle<HostKey>, password: &str) -> Result<()> {
    let wrong = |e| super::ssh_error(target, "log in", e);
    let mut step = within(target, "log in", async {
        ssh.authenticate_keyboard_interactive_start(&target.login, None).await.map_err(wrong)
    })
    .await?;
    for _ in 0..MAX_QUESTIONS {
        match step {
            KeyboardInteractiveAuthResponse::Success => return Ok(()),
            KeyboardInteractiveAuthResponse::Failure { remaining_methods, .. } => {
                return Err(not_let_in(target, "login and password", &remaining_methods));
            }
            KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. } => {
                // What is echoed is no password.
                let answer = |echo: bool| if echo { String::new() } else { password.to_owned() };
                let answers = prompts.iter().map(|prompt| answer(prompt.echo)).collect();
                step = within(target, "log in", async {
                    ssh.authenticate_keyboard_interactive_respond(answers).await.map_err(wrong)
                })
                .await?;
            }
        }
    }
    Err(target.refused(Kind::Denied, "the server asks for more than a password to log in"))
}

async fn with_key(
    target: &Target,
    ssh: &mut Handle<HostKey>,
    key: Arc<russh::keys::PrivateKey>,
) -> Result<()> {
    let wrong = |e| super::ssh_error(target, "log in", e);
    let hashes = if key.algorithm().is_rsa() {
        match within(target, "log in", async { ssh.best_supported_rsa_hash().await.map_err(wrong) })
            .await?
        {
            Some(Some(hash)) => vec![Some(hash)],
            // A server that does not say; SHA-1 is not offered to anybody.
            _ => vec![Some(HashAlg::Sha512), Some(HashAlg::Sha256)],
        }
    } else {
        vec![None]
    };
    let mut refused = None;
    for hash in hashes {
        let key = PrivateKeyWithHashAlg::new(Arc::clone(&key), hash);
        let answer = within(target, "log in", async {
            ssh.authenticate_publickey(&target.login, key).await.map_err(wrong)
        })
        .await?;
        match answer {
            AuthResult::Success => return Ok(()),
            AuthResult::Failure { remaining_methods, .. } => refused = Some(remaining_methods),
        }
    }
    Err(not_let_in(target, "login and key", &refused.unwrap_or_else(russh::MethodSet::empty)))
}

fn not_let_in(target: &Target, what: &str, offered: &russh::MethodSet) -> Error {
    let offered: Vec<String> = offered.iter().map(|m| <&str>::from(m).to_owned()).collect();
    target.refused(
        Kind::Denied,
        &format!("the server refused the login; check {what} (it accepts: {})", offered.join(", ")),
    )
}
