//! The words of Rollcall as data: client, account, remote folder, upload, and what every room shares.

mod administrator;
mod direction;
mod event;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod limits;
mod network;
mod path;
mod remote;
mod rights;

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use administrator::{Administrator, ApiToken, Role, Scope};
pub use direction::turns_direction;
pub use event::{Event, EventKind};
pub use limits::AccountLimits;
pub use network::Network;
pub use path::{MAX_NAME_BYTES, MAX_PATH_BYTES, MAX_PATH_PARTS, VPath};
pub use remote::{CLIENT_SERVER, RemoteServer, ServerTrust, checked_remote_login, parse_host};
pub use rights::{Right, Rights};

/// An upload's (and its import's) id: UUIDv7, never reused, also after a restore.
pub type UploadId = Uuid;

/// A connection type that an account may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// File transfer over SSH (draft-ietf-secsh-filexfer-02).
    Sftp,
    /// FTP over implicit TLS (port 990 by custom).
    Ftps,
    /// FTP over explicit TLS (RFC 4217).
    Ftpes,
}

impl Protocol {
    /// All three, in the order in which they are shown.
    pub const ALL: [Self; 3] = [Self::Sftp, Self::Ftps, Self::Ftpes];

    /// `sftp`, `ftps` or `ftpes`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sftp => "sftp",
            Self::Ftps => "ftps",
            Self::Ftpes => "ftpes",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Protocol {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|p| p.name().eq_ignore_ascii_case(s.trim()))
            .ok_or_else(|| format!("connection type \"{s}\" is not known; use sftp, ftps or ftpes"))
    }
}

/// A language of reports and hand-out sheets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// French.
    Fr,
    /// German.
    De,
}

impl Language {
    /// All languages.
    pub const ALL: [Self; 3] = [Self::En, Self::Fr, Self::De];

    /// `en`, `fr` or `de`.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Fr => "fr",
            Self::De => "de",
        }
    }
}

impl FromStr for Language {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|l| l.code().eq_ignore_ascii_case(s.trim()))
            .ok_or_else(|| format!("language \"{s}\" is not known; use en, fr or de"))
    }
}

/// An organisation: it has one user directory and any number of accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// The short name in commands and on disk: `[a-z0-9][a-z0-9-]{0,62}`.
    pub slug: String,
    /// The name that people read.
    pub name: String,
    /// The language of its reports.
    pub language: Language,
    /// IANA time zone: its "today" decides who is upcoming, active or ended.
    pub time_zone: String,
    /// A disabled client's accounts cannot log in.
    pub enabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

/// An access to the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The login, unique on this server: `[a-z0-9][a-z0-9._-]{0,63}`.
    pub login: String,
    /// The slug of the client that it belongs to.
    pub client: String,
    /// The name that people read in lists.
    pub name: String,
    /// The host profile under which it is hosted.
    pub host_profile: String,
    /// The connection types that it may use.
    pub protocols: Vec<Protocol>,
    /// Disabled accounts cannot log in, and their live sessions end.
    pub enabled: bool,
    /// Whether a password is set (else only keys are accepted).
    pub has_password: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// The last successful login.
    pub last_login_at: Option<Timestamp>,
    /// The client's own server, where it is an access to that; nobody can log in here with it then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<RemoteServer>,
}

/// What narrows down an account's access.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AccountRules {
    /// The networks from which it may log in; empty: from everywhere.
    pub allow_from: Vec<Network>,
    /// Logins are refused and sessions end from this instant on.
    pub expires_at: Option<Timestamp>,
    /// Whether a key and then the password are needed (SFTP only).
    pub needs_both: bool,
    /// Whether an FTPS data end without TLS close_notify is accepted.
    pub lenient_data_end: bool,
    /// What it may do outside of folders that have rights of their own.
    pub rights: Rights,
}

/// A public key that may log in to an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountKey {
    /// `SHA256:…` as `ssh-keygen -l` prints it.
    pub fingerprint: String,
    /// The key as one line of OpenSSH's authorized_keys format, without options.
    pub public_key: String,
    /// The comment that came with it.
    pub comment: String,
    /// When it was added.
    pub added_at: Timestamp,
}

/// What a remote folder is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// An upload here is imported.
    Import,
    /// Files for the other side to fetch.
    Export,
    /// Files and nothing else.
    Plain,
}

impl Purpose {
    /// `import`, `export` or `plain`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Export => "export",
            Self::Plain => "plain",
        }
    }
}

impl FromStr for Purpose {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        [Self::Import, Self::Export, Self::Plain]
            .into_iter()
            .find(|p| p.name().eq_ignore_ascii_case(s.trim()))
            .ok_or_else(|| format!("purpose \"{s}\" is not known; use import, export or plain"))
    }
}

/// A named folder of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folder {
    /// The account's login.
    pub login: String,
    /// The name by which people and commands choose it; unique in its client.
    pub name: String,
    /// Its address below the account's root.
    pub path: VPath,
    /// What it is for.
    pub purpose: Purpose,
    /// The names that trigger an import (a glob, case ignored); none: every name that is not temporary or reserved.
    pub pattern: Option<String>,
}

/// Where an upload stands. Final states: `Done`, `Failed`, `Superseded`, `Stored`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UploadState {
    /// Bytes and row are durable; the rename onto the target may not have happened.
    Prepared,
    /// Published and acknowledged; waits for a worker.
    Queued,
    /// Imported (whatever the import's status) and its report written.
    Done,
    /// Never published, or given up; never imported.
    Failed,
    /// A newer full file of the same path came before its turn.
    Superseded,
    /// Kept as a file; its folder or name asks for no import.
    Stored,
}

/// One file version received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// Its id, and that of its import.
    pub id: UploadId,
    /// The order of arrival on this server.
    pub seq: i64,
    /// The client's slug.
    pub client: String,
    /// The account's login.
    pub login: String,
    /// The import folder's name, if it lies in one.
    pub folder: Option<String>,
    /// The target's address below the account's root.
    pub path: VPath,
    /// How it came; `None` for `rollcall import`.
    pub protocol: Option<Protocol>,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256, 64 hex digits.
    pub sha256: String,
    /// Where it stands.
    pub state: UploadState,
    /// Imports tried so far.
    pub attempts: u32,
    /// When it was committed.
    pub received_at: Timestamp,
    /// When it reached its final state.
    pub finished_at: Option<Timestamp>,
    /// Why it failed, in words.
    pub failure: Option<String>,
}

/// How an import ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportStatus {
    /// Applied, nothing to say beyond information.
    Ok,
    /// Applied, with warnings.
    OkWithWarnings,
    /// Applied, but a row or cell was refused.
    Partial,
    /// A guard tripped: nothing applied until somebody approves.
    Held,
    /// Nothing applied.
    Rejected,
    /// The same bytes and settings as last time: nothing to do.
    Duplicate,
    /// A newer full file came before its turn.
    Superseded,
    /// A held import that somebody discarded.
    Discarded,
    /// A held import that nobody approved in time.
    Expired,
    /// Applied and taken back.
    Undone,
    /// Our own fault (E901).
    Failed,
}

impl ImportStatus {
    /// The name in reports, lists and the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::OkWithWarnings => "ok_with_warnings",
            Self::Partial => "partial",
            Self::Held => "held",
            Self::Rejected => "rejected",
            Self::Duplicate => "duplicate",
            Self::Superseded => "superseded",
            Self::Discarded => "discarded",
            Self::Expired => "expired",
            Self::Undone => "undone",
            Self::Failed => "failed",
        }
    }

    /// Whether the directory took the file (in whole or in part).
    #[must_use]
    pub fn is_applied(self) -> bool {
        matches!(self, Self::Ok | Self::OkWithWarnings | Self::Partial)
    }
}

/// Checks a client's slug.
///
/// # Errors
/// A sentence with the rule.
pub fn check_slug(slug: &str) -> Result<(), String> {
    check_short_name("client", slug, "-", 63)
}

/// Checks that a new thing's name is none by which the administration page calls the form for new ones (`/clients/new`).
///
/// # Errors
/// A sentence with the cure.
pub fn check_not_reserved(what: &str, name: &str) -> Result<(), String> {
    if name != "new" {
        return Ok(());
    }
    Err(format!("{what} \"new\" cannot be told from the page that adds one; choose another name"))
}

/// Checks a login.
///
/// # Errors
/// A sentence with the rule.
pub fn check_login(login: &str) -> Result<(), String> {
    check_short_name("login", login, "._-", 64)
}

fn check_short_name(what: &str, value: &str, also: &str, max: usize) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let good = value.len() <= max
        && value.starts_with(plain)
        && value.chars().all(|c| plain(c) || also.contains(c));
    if good {
        return Ok(());
    }
    let signs: Vec<String> = also.chars().map(|c| format!("\"{c}\"")).collect();
    Err(format!(
        "{what} \"{value}\" is not acceptable: use 1 to {max} of a-z, 0-9, {}, starting with a letter or digit",
        signs.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_and_slugs() {
        assert!(check_login("acme.payroll_1-x").is_ok());
        assert!(check_login(".acme").is_err());
        assert!(check_login("Acme").is_err());
        assert!(check_login("").is_err());
        assert!(check_slug("acme-fr").is_ok());
        assert!(check_slug("acme.fr").is_err());
        assert!(check_slug(&"a".repeat(64)).is_err());
    }
}
