//! People of the administration page: the first one, those who are added, what they may do, and the links by which they choose a password.

use jiff::SignedDuration;
use rand::RngExt as _;
use sha2::{Digest as _, Sha256};

use super::Service;
use crate::error::{Error, Kind, Result};
use crate::model::{Administrator, Language, Role, check_not_reserved};
use crate::secrets;
use crate::store::registry::TokenHash;

pub use crate::store::registry::AdministratorPatch;

/// SHA-256 of a token: what is kept of it. Tokens have 256 random bits, so a plain hash cannot be turned back.
pub(super) fn hash(token: &str) -> TokenHash {
    Sha256::digest(token.as_bytes()).into()
}

/// 32 random bytes as 64 hex digits.
pub(super) fn new_token() -> String {
    let bytes: [u8; 32] = rand::rng().random();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What the audit trail and histories name where it was no administrator who acted: a person of that name could not be told from it.
const ACTORS: &[&str] = &["cli", "export", "link", "retention", "schedule"];

/// Checks a new name to sign in with and returns it in lower case.
fn checked_sign_in_name(name: &str) -> Result<String> {
    let name = name.trim().to_lowercase();
    check_not_reserved("the name", &name).map_err(|why| Error::new(Kind::Invalid, why))?;
    if ACTORS.contains(&name.as_str()) {
        let message = format!(
            "the name \"{name}\" cannot be told from what the audit trail says of this program's own work; choose another name"
        );
        return Err(Error::new(Kind::Invalid, message));
    }
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

/// Whom a one-time link is for.
#[derive(Debug, Clone)]
pub enum Invited {
    /// Whoever sets this server up.
    First,
    /// Somebody who was added.
    Known(Administrator),
}

/// Somebody who is to be added.
#[derive(Debug, Clone)]
pub struct NewAdministrator {
    /// The name to sign in with.
    pub name: String,
    /// What they are.
    pub role: Role,
    /// The one client that they see: for the role `client`, and only for it.
    pub client: Option<String>,
    /// The language of their pages.
    pub language: Language,
}

impl Service {
    /// Who acts through this door.
    pub(super) fn who(&self) -> &str {
        self.1.as_deref().unwrap_or("cli")
    }

    /// All administrators, by name.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub fn administrators(&self) -> Result<Vec<Administrator>> {
        self.registry().administrators()
    }

    /// An administrator by name.
    ///
    /// # Errors
    /// `Kind::NotFound`.
    pub fn administrator(&self, name: &str) -> Result<Administrator> {
        let known = self.registry().administrator(&name.trim().to_lowercase())?;
        known.map(|facts| facts.administrator).ok_or_else(|| {
            let name: String = name.chars().take(64).collect();
            let message =
                format!("there is no administrator \"{name}\"; \"rollcall admin list\" shows them");
            Error::new(Kind::NotFound, message)
        })
    }

    /// Adds somebody who chooses a password by [`Self::invite_administrator`]'s link, or has it already. Blocks for the hashing.
    ///
    /// # Errors
    /// A bad name, role or password, a name that is taken, an unknown client.
    pub fn add_administrator(
        &self,
        new: &NewAdministrator,
        password: Option<&str>,
    ) -> Result<Administrator> {
        let name = checked_sign_in_name(&new.name)?;
        let client = self.checked_reach(new.role, new.client.as_deref())?;
        if let Some(password) = password {
            secrets::check_password(password)?;
        }
        let hashed = password.map(|password| self.0.door.hasher.hash(password)).transpose()?;
        let mut added = Administrator {
            id: 0,
            name,
            role: new.role,
            client,
            language: new.language,
            enabled: true,
            has_password: hashed.is_some(),
            created_at: self.clock().now(),
            last_login_at: None,
            invited_until: None,
        };
        added.id = self.registry().insert_administrator(&added, hashed.as_deref())?;
        self.record("administrator.add", &added.name, &reach(added.role, added.client.as_deref()));
        Ok(added)
    }

    /// Changes what somebody is. Their sessions end when it is their role or client, or when they are disabled.
    ///
    /// # Errors
    /// `Kind::NotFound`; a role without its client; `Kind::Conflict`: nobody would be left who can manage administrators.
    pub fn set_administrator(
        &self,
        name: &str,
        patch: &AdministratorPatch,
    ) -> Result<Administrator> {
        let known = self.administrator(name)?;
        if let Some((role, client)) = &patch.role {
            self.checked_reach(*role, client.as_deref())?;
        }
        let changed = self.registry().change_administrator(&known.name, patch)?;
        let mut what = Vec::new();
        if (known.role, &known.client) != (changed.role, &changed.client) {
            what.push(reach(changed.role, changed.client.as_deref()));
        }
        if known.language != changed.language {
            what.push(format!("language {}", changed.language.code()));
        }
        if known.enabled != changed.enabled {
            what.push(if changed.enabled { "enabled" } else { "disabled" }.to_owned());
        }
        if !what.is_empty() {
            self.record("administrator.set", &changed.name, &what.join(", "));
        }
        Ok(changed)
    }

    /// Removes somebody; their sessions end.
    ///
    /// # Errors
    /// `Kind::NotFound`; `Kind::Conflict`: nobody would be left who can manage administrators.
    pub fn remove_administrator(&self, name: &str) -> Result<Administrator> {
        let known = self.administrator(name)?;
        let removed = self.registry().remove_administrator(&known.name)?;
        self.record("administrator.remove", &removed.name, "");
        Ok(removed)
    }

    /// A client exactly for the role that needs one.
    fn checked_reach(&self, role: Role, client: Option<&str>) -> Result<Option<String>> {
        match (role, client) {
            (Role::Client, Some(client)) => Ok(Some(self.client(client)?.slug)),
            (Role::Client, None) => Err(Error::new(
                Kind::Invalid,
                "the role client needs the client that they see; choose one",
            )),
            (_, Some(_)) => Err(Error::new(
                Kind::Invalid,
                format!("the role {} sees all clients; only the role client has one", role.name()),
            )),
            (_, None) => Ok(None),
        }
    }

    /// A one-time token to make the first administrator with; `None`: there is one already. The one before is void.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn first_invitation(&self) -> Result<Option<String>> {
        if self.registry().administrator_count()? > 0 {
            return Ok(None);
        }
        self.invite(None).map(Some)
    }

    /// A one-time token by which somebody chooses a (new) password; the one before is void. An old password holds until then.
    ///
    /// # Errors
    /// `Kind::NotFound`; `Kind::Conflict` for one who is disabled.
    pub fn invite_administrator(&self, name: &str) -> Result<String> {
        let known = self.administrator(name)?;
        if !known.enabled {
            let message = format!("{} is disabled and could not sign in; enable first", known.name);
            return Err(Error::new(Kind::Conflict, message));
        }
        let token = self.invite(Some(known.id))?;
        self.record("administrator.invite", &known.name, "");
        Ok(token)
    }

    fn invite(&self, administrator: Option<i64>) -> Result<String> {
        let (token, now) = (new_token(), self.clock().now());
        let hours = i64::from(self.config().admin.invitation_hours);
        let until = now.saturating_add(SignedDuration::from_hours(hours)).unwrap_or(now);
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
            Some(None) => Ok(Invited::First),
            None => Err(link_is_over()),
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
        let now = self.clock().now();
        let first = match invited {
            Invited::Known(_) => None,
            Invited::First => Some(Administrator {
                id: 0,
                name: checked_sign_in_name(name)?,
                role: Role::Admin,
                client: None,
                language,
                enabled: true,
                has_password: true,
                created_at: now,
                last_login_at: None,
                invited_until: None,
            }),
        };
        let hashed = self.0.door.hasher.hash(password)?;
        let accepted =
            self.registry().accept_invitation(hash(token), first.as_ref(), &hashed, now)?;
        // Somebody else was quicker with the same link.
        let administrator = accepted.ok_or_else(link_is_over)?;
        self.record_by(
            &administrator.name,
            "administrator.password",
            &administrator.name,
            "by link",
        );
        Ok(administrator)
    }

    /// Sets somebody's password at the command line; their sessions and links end. Blocks for the hashing.
    ///
    /// # Errors
    /// `Kind::NotFound`; a bad password.
    pub fn set_administrator_password(&self, name: &str, password: &str) -> Result<Administrator> {
        let known = self.administrator(name)?;
        secrets::check_password(password)?;
        let hashed = self.0.door.hasher.hash(password)?;
        self.registry().set_administrator_password(known.id, &hashed)?;
        self.record("administrator.password", &known.name, "");
        Ok(Administrator { has_password: true, invited_until: None, ..known })
    }
}

fn reach(role: Role, client: Option<&str>) -> String {
    match client {
        Some(client) => format!("role {} of {client}", role.name()),
        None => format!("role {}", role.name()),
    }
}

fn link_is_over() -> Error {
    Error::new(
        Kind::NotFound,
        "this link was used or is too old; ask an administrator for a new one, or run \
         \"rollcall admin invite\"",
    )
}
