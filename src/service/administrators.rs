//! People of the administration page: the first one, invitations, signing in and out.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use rand::RngExt as _;
use sha2::{Digest as _, Sha256};

use super::Service;
use crate::error::{Error, Kind, Result};
use crate::model::{Administrator, Language, Role};
use crate::secrets;
use crate::store::registry::TokenHash;

/// A session's last use is noted no finer than this.
const NOTE_EVERY: SignedDuration = SignedDuration::from_mins(1);
/// The most that is kept of what a browser calls itself.
const AGENT_CHARS: usize = 200;

/// SHA-256 of a token: what is kept of it. Tokens have 256 random bits, so a plain hash cannot be turned back.
pub(super) fn hash(token: &str) -> TokenHash {
    Sha256::digest(token.as_bytes()).into()
}

/// 32 random bytes as 64 hex digits.
pub(super) fn new_token() -> String {
    let bytes: [u8; 32] = rand::rng().random();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Checks a name to sign in with and returns it in lower case.
fn checked_sign_in_name(name: &str) -> Result<String> {
    let name = name.trim().to_lowercase();
    let sign = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._@-".contains(c);
    let first = name.chars().next().is_some_and(|c| c.is_ascii_alphanumeric());
    if first && name.len() <= 64 && name.chars().all(sign) {
        return Ok(name);
    }
    let message = format!(
        "\"{}\" is no good name to sign in with: use 1 to 64 of a-z, 0-9, \".\", \"_\", \"@\" and \"-\", \
         beginning with a letter or digit",
        name.chars().take(64).collect::<String>()
    );
    Err(Error::new(Kind::Invalid, message))
}

/// Where somebody signs in from.
#[derive(Debug, Clone)]
pub struct From {
    /// The browser's address.
    pub peer: IpAddr,
    /// What the browser calls itself.
    pub agent: String,
}

/// Whom a one-time link is for.
#[derive(Debug, Clone)]
pub enum Invited {
    /// Whoever sets this server up.
    First,
    /// Somebody who was added.
    Known(Administrator),
}

impl Service {
    /// Who acts through this door.
    pub(super) fn who(&self) -> &str {
        self.1.as_deref().unwrap_or("cli")
    }

    /// A one-time token to make the first administrator with; `None`: there is one already.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn first_invitation(&self) -> Result<Option<String>> {
        if self.registry().administrator_count()? > 0 {
            return Ok(None);
        }
        self.invite(None).map(Some)
    }

    fn invite(&self, administrator: Option<i64>) -> Result<String> {
        let (token, now) = (new_token(), self.clock().now());
        let hours = i64::from(self.config().admin.invitation_hours);
        let until = now + SignedDuration::from_hours(hours);
        self.registry().insert_invitation(hash(&token), administrator, now, until)?;
        Ok(token)
    }

    /// Whom a one-time link is for.
    ///
    /// # Errors
    /// `Kind::NotFound`: it was used, is too old, or never was.
    pub fn invitation(&self, token: &str) -> Result<Invited> {
        match self.registry().invitation(hash(token), self.clock().now())? {
            Some(Some(administrator)) => Ok(Invited::Known(administrator)),
            Some(None) if self.registry().administrator_count()? == 0 => Ok(Invited::First),
            _ => Err(Error::new(
                Kind::NotFound,
                "this link was used or is too old; ask an administrator for a new one, or run \
                 \"rollcall admin invite\"",
            )),
        }
    }

    /// Uses a one-time link: chooses the password, and for the first administrator the name. Blocks for the hashing.
    ///
    /// # Errors
    /// A link that is over, a bad name or password; the link stays good for another try then.
    pub fn accept_invitation(
        &self,
        token: &str,
        name: &str,
        password: &str,
        language: Language,
    ) -> Result<Administrator> {
        let invited = self.invitation(token)?;
        secrets::check_password(password)?;
        let first = match &invited {
            Invited::First => Some(checked_sign_in_name(name)?),
            Invited::Known(_) => None,
        };
        let hashed = self.0.door.hasher.hash(password)?;
        if !self.registry().take_invitation(hash(token))? {
            return self.invitation(token).and(Err(Error::new(Kind::Busy, "try again")));
        }
        let administrator = match (invited, first) {
            (Invited::Known(administrator), _) => {
                self.registry().set_administrator_password(administrator.id, &hashed)?;
                administrator
            }
            (Invited::First, name) => {
                let new = Administrator {
                    id: 0,
                    name: name.unwrap_or_default(),
                    role: Role::Admin,
                    client: None,
                    language,
                    enabled: true,
                    has_password: true,
                    created_at: self.clock().now(),
                    last_login_at: None,
                };
                let id = self.registry().insert_administrator(&new, Some(&hashed))?;
                Administrator { id, ..new }
            }
        };
        self.record_by(&administrator.name, "choose a password", &administrator.name, "by link");
        Ok(administrator)
    }

    /// Signs somebody in and returns the session's token for the cookie. Unknown names take as long as wrong passwords.
    ///
    /// # Errors
    /// `Kind::Denied` without a reason; `Kind::Busy` when too many wait.
    pub async fn sign_in(
        &self,
        name: &str,
        password: &str,
        from: &From,
    ) -> Result<(Administrator, String)> {
        let name = name.trim().to_lowercase();
        let facts = self.registry().administrator(&name)?;
        let known = facts.as_ref().and_then(|facts| facts.password.as_deref());
        let right = self.0.door.hasher.verify(password, known).await?;
        match facts {
            Some(facts) if right && facts.administrator.enabled => {
                let token = self.begin_session(&facts.administrator, from)?;
                Ok((facts.administrator, token))
            }
            _ => Err(Error::new(Kind::Denied, "the name or the password is wrong")),
        }
    }

    /// Begins a session for somebody who has just proved who they are.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn begin_session(&self, administrator: &Administrator, from: &From) -> Result<String> {
        let token = new_token();
        let agent: String = from.agent.chars().take(AGENT_CHARS).collect();
        let at = self.clock().now();
        let address = from.peer.to_string();
        self.registry().insert_session(hash(&token), administrator.id, at, (&address, &agent))?;
        self.record_by(&administrator.name, "sign in", &administrator.name, &address);
        Ok(token)
    }

    /// Whose session a cookie's token is, when it still stands.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn session(&self, token: &str) -> Result<Option<Administrator>> {
        let (key, now) = (hash(token), self.clock().now());
        let Some(session) = self.registry().session(key)? else { return Ok(None) };
        let (began, seen) = self.session_limits(now);
        if session.created_at < began || session.seen_at < seen {
            self.registry().delete_session(key)?;
            return Ok(None);
        }
        if now.duration_since(session.seen_at) > NOTE_EVERY {
            self.registry().touch_session(key, now)?;
            self.registry().forget_sessions(began, seen, now)?;
        }
        Ok(Some(session.administrator))
    }

    /// Sessions that began, or were last used, before these instants are over.
    fn session_limits(&self, now: Timestamp) -> (Timestamp, Timestamp) {
        let admin = &self.config().admin;
        (
            now - SignedDuration::from_hours(i64::from(admin.session_hours)),
            now - SignedDuration::from_mins(i64::from(admin.session_idle_minutes)),
        )
    }

    /// Ends a session.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn sign_out(&self, token: &str) -> Result<()> {
        self.registry().delete_session(hash(token))
    }
}
