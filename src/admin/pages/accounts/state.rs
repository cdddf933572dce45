//! How accounts are called and how they stand, in words.

use jiff::Timestamp;

use crate::admin::shell::Shell;
use crate::error::Result;
use crate::model::{Account, CLIENT_SERVER, Client, Protocol, Purpose};
use crate::service::Service;

/// How an account stands, as far as its badge says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It can log in; or its client's server is known.
    Open,
    /// Somebody closed it.
    Closed,
    /// Its client is closed.
    ClientClosed,
    /// Its last day is over.
    Expired,
    /// Nobody has confirmed the client's server yet.
    Unconfirmed,
    /// The client's server could not be reached the last time.
    Failing,
}

impl State {
    /// How the account stands now.
    pub(super) fn of(service: &Service, client: &Client, account: &Account) -> Result<Self> {
        if !client.enabled {
            return Ok(Self::ClientClosed);
        }
        if !account.enabled {
            return Ok(Self::Closed);
        }
        if account.remote.is_some() {
            let standing = service.remote_standing(&account.login)?;
            return Ok(match (standing.confirmed, standing.last_failure) {
                (false, _) => Self::Unconfirmed,
                (true, Some(_)) => Self::Failing,
                (true, None) => Self::Open,
            });
        }
        let rules = service.account_rules(&account.login)?;
        let is_over = rules.expires_at.is_some_and(|end| end <= service.clock().now());
        Ok(if is_over { Self::Expired } else { Self::Open })
    }

    /// The badge's class.
    pub(super) fn tone(self) -> &'static str {
        match self {
            Self::Open => "good",
            Self::Closed | Self::ClientClosed => "plain",
            Self::Unconfirmed => "look",
            Self::Expired | Self::Failing => "bad",
        }
    }

    /// The badge's words.
    pub(super) fn words(self, p: &Shell) -> &'static str {
        match self {
            Self::Open => p.t("open", "ouvert", "offen"),
            Self::Closed => p.t("disabled", "désactivé", "deaktiviert"),
            Self::ClientClosed => p.t("client disabled", "client désactivé", "Kunde deaktiviert"),
            Self::Expired => p.t("expired", "expiré", "abgelaufen"),
            Self::Unconfirmed => {
                p.t("server to be confirmed", "serveur à confirmer", "Server zu bestätigen")
            }
            Self::Failing => {
                p.t("server not reached", "serveur non joint", "Server nicht erreicht")
            }
        }
    }
}

/// What people call a host profile.
pub(super) fn host_name<'a>(p: &Shell, profile: &'a str) -> &'a str {
    match profile {
        "standard" => "Standard",
        "e-paye" => "E-paye",
        "mprh" => "MPRH",
        CLIENT_SERVER => p.t("Client’s server", "Serveur du client", "Server des Kunden"),
        other => other,
    }
}

/// `SFTP, FTPS`
pub(super) fn types(protocols: &[Protocol]) -> String {
    let names: Vec<String> = protocols.iter().map(|p| p.name().to_uppercase()).collect();
    names.join(", ")
}

/// What a folder is for.
pub(super) fn purpose(p: &Shell, purpose: &Purpose) -> &'static str {
    match purpose {
        Purpose::Import => p.t("import", "import", "Import"),
        Purpose::Export => p.t("export", "export", "Export"),
        Purpose::Plain => p.t("files", "fichiers", "Dateien"),
    }
}

/// When an account was last used: the last login, or the last time that its server was reached.
pub(super) fn last_used(service: &Service, account: &Account) -> Result<Option<Timestamp>> {
    if account.remote.is_none() {
        return Ok(account.last_login_at);
    }
    service.remote_standing(&account.login).map(|standing| standing.last_reached_at)
}
