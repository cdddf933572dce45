//! Use cases about accounts on clients' own servers: add, change, confirm, and what a connection needs.

use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::Serialize;
use zeroize::Zeroizing;

use super::Service;
use super::clients::checked_name;
use crate::config::MAX_PASSWORD_BYTES;
use crate::error::{Error, Kind, Result};
use crate::model::{
    Account, CLIENT_SERVER, Protocol, RemoteServer, ServerTrust, check_login, checked_remote_login,
    parse_host,
};
use crate::secrets::private_key::check_private_key;
use crate::store::registry::{self, RemoteAccount, RemotePatch, SealedSecret};

/// The largest file of certificate authorities.
const MAX_CA_BYTES: usize = 1024 * 1024;

/// How we prove who we are on a client's server.
#[derive(Clone)]
pub enum NewSecret {
    /// A password.
    Password(Zeroizing<String>),
    /// A private key, for SFTP.
    Key {
        /// The key file's text.
        text: Zeroizing<String>,
        /// Its passphrase.
        passphrase: Option<Zeroizing<String>>,
    },
}

/// An account on a client's own server, to be added.
#[derive(Clone)]
pub struct NewRemoteAccount {
    /// The client's slug.
    pub client: String,
    /// The name that people read.
    pub name: String,
    /// The connection type.
    pub protocol: Protocol,
    /// `HOST` or `HOST:PORT`.
    pub host: String,
    /// The login there.
    pub login: String,
    /// How we prove who we are.
    pub secret: NewSecret,
    /// How the server is recognised. [`ServerTrust::Pins`] of none: it is to be confirmed.
    pub trust: ServerTrust,
}

/// What to change of an account on a client's own server; `None` leaves a value as it is.
#[derive(Clone, Default)]
pub struct RemoteChange {
    /// `HOST` or `HOST:PORT`.
    pub host: Option<String>,
    /// The port.
    pub port: Option<u16>,
    /// The connection type; another one has to be confirmed again.
    pub protocol: Option<Protocol>,
    /// The login there.
    pub login: Option<String>,
    /// How we prove who we are.
    pub secret: Option<NewSecret>,
}

/// How it stands with an account on a client's own server. No secret is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RemoteStanding {
    /// The account's name in every command.
    pub account: String,
    /// The connection type.
    pub protocol: Protocol,
    /// Where it is.
    #[serde(flatten)]
    pub server: RemoteServer,
    /// `password` or `key`.
    pub proof: &'static str,
    /// The public half of the key, which the client's server must know.
    pub public_key: Option<String>,
    /// `pin`, `platform` or `ca`.
    pub trust: &'static str,
    /// The fingerprints that count.
    pub pins: Vec<String>,
    /// Whether somebody has said how the server is recognised; before, nothing is sent.
    pub confirmed: bool,
    /// When the server was last reached.
    pub last_reached_at: Option<Timestamp>,
    /// Why not, since then.
    pub last_failure: Option<String>,
}

impl Service {
    /// Adds an account on a client's own server; it has no folders yet.
    ///
    /// # Errors
    /// `Kind::NotFound` for the client; `Kind::Invalid` for a value that is not acceptable, with the cure.
    pub fn add_remote_account(&self, new: &NewRemoteAccount) -> Result<Account> {
        let client = self.client(&new.client)?;
        let name = checked_name("account", &new.name)?;
        let (host, port) = parse_host(&new.host).map_err(invalid)?;
        let login = self.free_login(&client.slug, &name)?;
        check_login(&login).map_err(invalid)?;
        let server = RemoteServer {
            host,
            port: port.unwrap_or_else(|| new.protocol.default_port()),
            login: checked_remote_login(&new.login).map_err(invalid)?,
        };
        let trust = checked_trust(new.protocol, &new.trust)?;
        let secret = self.sealed(&login, new.protocol, &new.secret)?;
        let account = Account {
            login: login.clone(),
            client: client.slug.clone(),
            name,
            host_profile: CLIENT_SERVER.to_owned(),
            protocols: vec![new.protocol],
            enabled: true,
            has_password: false,
            created_at: self.clock().now(),
            last_login_at: None,
            remote: Some(server.clone()),
        };
        let row = registry::NewAccount {
            account,
            password_hash: None,
            keys: Vec::new(),
            folders: Vec::new(),
        };
        let detail = format!("client {}", client.slug);
        let remote =
            RemoteAccount { server, trust, secret, last_reached_at: None, last_failure: None };
        self.registry().add_remote_account(&row, &remote)?;
        self.record("account.add", &login, &detail);
        self.record("account.trust", &login, &trust_in_words(&remote.trust));
        self.account(&login)
    }

    /// How it stands with an account on a client's own server.
    ///
    /// # Errors
    /// `Kind::NotFound`; `Kind::Invalid` for one that is hosted here.
    pub fn remote_standing(&self, login: &str) -> Result<RemoteStanding> {
        let (account, protocol, remote) = self.remote(login)?;
        let (trust, pins) = match &remote.trust {
            ServerTrust::Pins(pins) => ("pin", pins.clone()),
            ServerTrust::Platform => ("platform", Vec::new()),
            ServerTrust::Ca(_) => ("ca", Vec::new()),
        };
        let (proof, public_key) = match remote.secret {
            SealedSecret::Password(_) => ("password", None),
            SealedSecret::Key { public_key, .. } => ("key", Some(public_key)),
        };
        Ok(RemoteStanding {
            account: account.login,
            protocol,
            confirmed: remote.trust.is_confirmed(),
            server: remote.server,
            proof,
            public_key,
            trust,
            pins,
            last_reached_at: remote.last_reached_at,
            last_failure: remote.last_failure,
        })
    }

    /// Changes where the server is, the login or the secret. A pinned server that moves has to be confirmed again.
    ///
    /// # Errors
    /// As [`Service::add_remote_account`]; `Kind::Invalid` for an account that is hosted here.
    pub fn set_remote_account(&self, login: &str, change: &RemoteChange) -> Result<RemoteStanding> {
        let (_, known, remote) = self.remote(login)?;
        let protocol = change.protocol.unwrap_or(known);
        let retyped = protocol != known;
        let mut server = remote.server.clone();
        if retyped && server.port == known.default_port() {
            server.port = protocol.default_port();
        }
        if let Some(host) = &change.host {
            let (host, port) = parse_host(host).map_err(invalid)?;
            server.host = host;
            server.port = port.unwrap_or(server.port);
        }
        if let Some(port) = change.port {
            if port == 0 {
                return Err(invalid("the port is a number from 1 to 65535".to_owned()));
            }
            server.port = port;
        }
        if let Some(name) = &change.login {
            server.login = checked_remote_login(name).map_err(invalid)?;
        }
        let moved = (&server.host, server.port) != (&remote.server.host, remote.server.port);
        // What was confirmed of one server says nothing of another.
        let is_pinned = matches!(remote.trust, ServerTrust::Pins(_));
        let trust = (retyped || (moved && is_pinned)).then(|| ServerTrust::Pins(Vec::new()));
        let has_key = matches!(remote.secret, SealedSecret::Key { .. });
        if retyped && has_key && change.secret.is_none() {
            let words = format!("{protocol} knows no private keys; give the password too");
            return Err(invalid(words));
        }
        let secret =
            change.secret.as_ref().map(|new| self.sealed(login, protocol, new)).transpose()?;
        let what = [
            moved.then_some("server"),
            retyped.then_some("connection type"),
            change.login.is_some().then_some("login there"),
            secret.is_some().then_some("secret"),
        ];
        let what: Vec<&str> = what.into_iter().flatten().collect();
        let replaced = secret.is_some();
        let protocol = retyped.then_some(protocol);
        let patch = RemotePatch { server: Some(server), protocol, trust, secret };
        self.registry().update_remote_account(login, &patch)?;
        self.record("account.set", login, &what.join(", "));
        if replaced {
            self.registry().forget_deleted();
        }
        self.remote_standing(login)
    }

    /// Says how the server is recognised from now on; its alarm (T04) is over.
    ///
    /// # Errors
    /// `Kind::NotFound`; `Kind::Invalid` for a fingerprint or certificate that cannot be one, or an account hosted here.
    pub fn trust_server(&self, login: &str, trust: &ServerTrust) -> Result<RemoteStanding> {
        let (account, protocol, _) = self.remote(login)?;
        let trust = checked_trust(protocol, trust)?;
        let words = trust_in_words(&trust);
        let patch = RemotePatch { trust: Some(trust), ..RemotePatch::default() };
        self.registry().update_remote_account(login, &patch)?;
        self.record("account.trust", login, &words);
        self.clear(Some(&account.client), "T04", login);
        self.remote_standing(login)
    }

    /// The account, if it is hosted here.
    ///
    /// # Errors
    /// `Kind::NotFound`; `Kind::Invalid` for one on a client's own server, with what to do `instead`.
    pub(super) fn hosted_account(&self, login: &str, instead: &str) -> Result<Account> {
        let account = self.account(login)?;
        if account.remote.is_none() {
            return Ok(account);
        }
        let words = format!(
            "account \"{login}\" is on the client's own server, nobody logs in here with it: {instead}"
        );
        Err(Error::new(Kind::Invalid, words))
    }

    pub(super) fn remote(&self, login: &str) -> Result<(Account, Protocol, RemoteAccount)> {
        let account = self.account(login)?;
        let remote = self.registry().remote_account(login)?;
        let protocol = account.protocols.first().copied();
        let (Some(remote), Some(protocol)) = (remote, protocol) else {
            let words = format!(
                "account \"{login}\" is hosted here, it has no server of the client's; add one with `rollcall account \
                 add {} NAME --remote sftp HOST --login LOGIN`",
                account.client
            );
            return Err(Error::new(Kind::Invalid, words));
        };
        Ok((account, protocol, remote))
    }

    fn sealed(&self, login: &str, protocol: Protocol, new: &NewSecret) -> Result<SealedSecret> {
        match new {
            NewSecret::Password(password) => {
                check_remote_password(password)?;
                let sealed = self.seal(&context(login, "password"), password.as_bytes())?;
                Ok(SealedSecret::Password(sealed))
            }
            NewSecret::Key { .. } if protocol != Protocol::Sftp => {
                let words = format!(
                    "{protocol} knows no private keys; give the password instead, with --password-stdin"
                );
                Err(invalid(words))
            }
            NewSecret::Key { text, passphrase } => {
                let key = check_private_key(text, passphrase.as_ref().map(|p| p.as_str()))?;
                let seal =
                    |part: &str, text: &str| self.seal(&context(login, part), text.as_bytes());
                Ok(SealedSecret::Key {
                    key: seal("key", &key.pem)?,
                    passphrase: key
                        .passphrase
                        .as_ref()
                        .map(|text| seal("passphrase", text))
                        .transpose()?,
                    public_key: key.public_key,
                })
            }
        }
    }
}

/// The place of an account's secret; store/registry/sealed.rs names the same.
pub(super) fn context(login: &str, part: &str) -> String {
    format!("account/{login}/{part}")
}

fn invalid(problem: String) -> Error {
    Error::new(Kind::Invalid, problem)
}

/// A password of somebody else's making: only what no server could take is refused.
fn check_remote_password(password: &str) -> Result<()> {
    let problem = if password.is_empty() {
        "it is empty"
    } else if password.len() > MAX_PASSWORD_BYTES {
        "it has more than 1024 bytes"
    } else if password.chars().any(char::is_control) {
        // In FTP a line break would begin another command.
        "it holds a control character or a line break"
    } else {
        return Ok(());
    };
    Err(invalid(format!("the password is not acceptable: {problem}")))
}

fn checked_trust(protocol: Protocol, trust: &ServerTrust) -> Result<ServerTrust> {
    match trust {
        ServerTrust::Pins(pins) => {
            let mut checked = Vec::new();
            for pin in pins {
                let pin = protocol.checked_pin(pin).map_err(invalid)?;
                if !checked.contains(&pin) {
                    checked.push(pin);
                }
            }
            Ok(ServerTrust::Pins(checked))
        }
        ServerTrust::Platform | ServerTrust::Ca(_) if protocol == Protocol::Sftp => {
            let words = "an SSH host key has no authority; it is recognised by its fingerprint: --pin SHA256:…";
            Err(invalid(words.to_owned()))
        }
        ServerTrust::Platform => Ok(ServerTrust::Platform),
        ServerTrust::Ca(pem) => checked_ca(pem).map(ServerTrust::Ca),
    }
}

fn checked_ca(pem: &str) -> Result<String> {
    let wrong = |why: &str| {
        invalid(format!(
            "the authority's certificate cannot be used: {why}; give it as PEM (-----BEGIN CERTIFICATE-----)"
        ))
    };
    if pem.len() > MAX_CA_BYTES {
        return Err(wrong("the file has more than 1 MiB"));
    }
    let mut count = 0;
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|e| wrong(&e.to_string()))?;
        x509_parser::parse_x509_certificate(&certificate).map_err(|e| wrong(&e.to_string()))?;
        count += 1;
    }
    if count == 0 {
        return Err(wrong("there is none in the file"));
    }
    // Somebody may have left the authority's private key beside it; that does not come into a database.
    if pem.contains("PRIVATE KEY-----") {
        return Err(wrong("the file also holds a private key, which must not leave its owner"));
    }
    Ok(pem.to_owned())
}

fn trust_in_words(trust: &ServerTrust) -> String {
    match trust {
        ServerTrust::Pins(pins) if pins.is_empty() => "not confirmed yet".to_owned(),
        ServerTrust::Pins(pins) => format!("pinned {}", pins.join(" ")),
        ServerTrust::Platform => "certificates that this machine trusts".to_owned(),
        ServerTrust::Ca(_) => "certificates of a given authority".to_owned(),
    }
}
