//! People who sign in to the administration page, and what they and API tokens may do.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Language;

/// What may be done through the administration page and the REST API. Each scope stands for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Look at everything, people's data included.
    Read,
    /// Try a file out without importing it.
    Try,
    /// Import, approve, discard, undo, change users, send exports.
    Run,
    /// Clients, accounts, folders, settings, mappings, keys.
    Arrange,
    /// Administrators, API tokens, webhooks, erasing a client.
    Govern,
}

impl Scope {
    /// All scopes.
    pub const ALL: [Self; 5] = [Self::Read, Self::Try, Self::Run, Self::Arrange, Self::Govern];

    /// `read`, `try`, `run`, `arrange` or `govern`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Try => "try",
            Self::Run => "run",
            Self::Arrange => "arrange",
            Self::Govern => "govern",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Scope {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|scope| scope.name() == s)
            .ok_or_else(|| format!("\"{s}\" is no scope; use read, try, run, arrange or govern"))
    }
}

/// What somebody is on the administration page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Everything.
    Admin,
    /// Everything but administrators, API tokens and erasing clients.
    Operator,
    /// Looks on.
    Viewer,
    /// Somebody of a client's: looks at that client and tries files out.
    Client,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 4] = [Self::Admin, Self::Operator, Self::Viewer, Self::Client];

    /// `admin`, `operator`, `viewer` or `client`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Operator => "operator",
            Self::Viewer => "viewer",
            Self::Client => "client",
        }
    }

    /// What the role may do.
    #[must_use]
    pub fn scopes(self) -> &'static [Scope] {
        match self {
            Self::Admin => &Scope::ALL,
            Self::Operator => &[Scope::Read, Scope::Try, Scope::Run, Scope::Arrange],
            Self::Viewer => &[Scope::Read],
            Self::Client => &[Scope::Read, Scope::Try],
        }
    }
}

impl FromStr for Role {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|role| role.name() == s)
            .ok_or_else(|| format!("\"{s}\" is no role; use admin, operator, viewer or client"))
    }
}

/// Somebody who signs in to the administration page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Administrator {
    /// The number in the registry.
    pub id: i64,
    /// The name to sign in with, in lower case: `[a-z0-9][a-z0-9._@-]{0,63}`.
    pub name: String,
    /// What they are.
    pub role: Role,
    /// The one client that they see; `None`: all.
    pub client: Option<String>,
    /// The language of their pages.
    pub language: Language,
    /// The disabled cannot sign in, and their sessions are over.
    pub enabled: bool,
    /// Whether they have chosen a password yet.
    pub has_password: bool,
    /// When they were added.
    pub created_at: Timestamp,
    /// When they last signed in.
    pub last_login_at: Option<Timestamp>,
    /// Until when the link works that they were given to choose a password; `None`: none waits.
    pub invited_until: Option<Timestamp>,
}

/// A key of another program to the REST API; the token itself is shown once and kept as a hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ApiToken {
    /// The number in the registry.
    pub id: i64,
    /// What people call it.
    pub name: String,
    /// The one client that it reaches; `None`: all.
    pub client: Option<String>,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is refused; `None`: never.
    pub expires_at: Option<Timestamp>,
    /// The last use, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// Since when it is refused.
    pub revoked_at: Option<Timestamp>,
}
