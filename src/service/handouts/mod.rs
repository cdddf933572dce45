//! What clients are handed out: the sheet with everything to type, and one-time links to it.

mod misses;
mod sheet;
mod words;

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use zeroize::Zeroizing;

use super::Service;
use super::accounts::no_account;
use super::administrators::{hash, new_token};
use crate::error::{Error, Kind, Result};
use crate::model::{Account, AccountKey, Folder, Language};
use crate::store::registry::{HandoutRow, NewHandoutRow, TokenHash};

pub(super) use misses::Misses;
pub use sheet::{Certificate, HostKey, ServerFacts, Sheet};
pub use words::{Words, words};

/// A one-time link that was just made. What opens it is told this once.
#[derive(Debug, Clone)]
pub struct NewHandout {
    /// The end of the link's address.
    pub token: String,
    /// From when on it opens nothing.
    pub expires_at: Timestamp,
}

/// How it stands with an account's one-time link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Handout {
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
    /// From when on it opens nothing.
    pub expires_at: Timestamp,
    /// Whether somebody can open it now.
    pub is_open: bool,
    /// When it was opened.
    pub opened_at: Option<Timestamp>,
    /// From which address.
    pub opened_from: Option<String>,
}

/// What an opened link shows, this once.
pub struct OpenedHandout {
    /// The account.
    pub account: Account,
    /// Its folders.
    pub folders: Vec<Folder>,
    /// Its keys.
    pub keys: Vec<AccountKey>,
    /// Its password, if the link had one.
    pub password: Option<Zeroizing<String>>,
    /// The client's language.
    pub language: Language,
}

impl Service {
    /// Makes a one-time link to an account's hand-out sheet, in place of an earlier one.
    ///
    /// # Errors
    /// `Kind::NotFound`; `Kind::Invalid` for a password that is not (or no longer) the account's, or an account on the
    /// client's own server.
    pub async fn hand_out(
        &self,
        login: &str,
        password: Option<Zeroizing<String>>,
    ) -> Result<NewHandout> {
        self.hosted_account(login, "there is nothing to hand out")?;
        if let Some(password) = &password {
            let facts = self.registry().login_facts(login)?.ok_or_else(|| no_account(login))?;
            let known = facts.password_hash.as_deref();
            if !self.0.door.hasher.verify(password, known).await? {
                let message = format!(
                    "this is not the password of account \"{login}\" any more; give it a new one"
                );
                return Err(Error::new(Kind::Invalid, message));
            }
        }
        let (token, now) = (new_token(), self.clock().now());
        let lasts = SignedDuration::from_hours(i64::from(self.config().admin.handout_hours));
        let key = hash(&token);
        let seal = |text: &Zeroizing<String>| self.seal(&context(&key), text.as_bytes());
        let new = NewHandoutRow {
            login: login.to_owned(),
            token: key,
            sealed_password: password.as_ref().map(seal).transpose()?,
            created_at: now,
            created_by: self.who().to_owned(),
            expires_at: now.saturating_add(lasts).unwrap_or(now),
        };
        self.registry().put_handout(&new)?;
        self.record("account.handout", login, &format!("a one-time link until {}", new.expires_at));
        Ok(NewHandout { token, expires_at: new.expires_at })
    }

    /// How it stands with an account's one-time link; `None`: it has none.
    ///
    /// # Errors
    /// `Kind::NotFound`.
    pub fn handout(&self, login: &str) -> Result<Option<Handout>> {
        self.account(login)?;
        let now = self.clock().now();
        Ok(self.registry().handout(login)?.map(|row| Handout {
            created_at: row.created_at,
            created_by: row.created_by,
            expires_at: row.expires_at,
            is_open: row.opened_at.is_none() && row.expires_at > now,
            opened_at: row.opened_at,
            opened_from: row.opened_from,
        }))
    }

    /// Takes an account's one-time link back: it opens nothing any more.
    ///
    /// # Errors
    /// `Kind::NotFound` for the account.
    pub fn withdraw_handout(&self, login: &str) -> Result<()> {
        self.account(login)?;
        if self.registry().remove_handout(login)? {
            self.registry().forget_deleted();
            self.record("account.handout", login, "withdrawn");
        }
        Ok(())
    }

    /// Passwords behind links that nobody opened in time do not stay.
    pub(super) fn forget_old_handouts(&self) -> Result<()> {
        if self.registry().forget_handouts(self.clock().now())? {
            self.registry().forget_deleted();
        }
        Ok(())
    }

    /// Until when a link can be opened. Looking does not use it up: programs that preview links look too.
    ///
    /// # Errors
    /// `Kind::NotFound`: it was opened, withdrawn, is too old or never was; `Kind::Busy` for an address that tries many.
    pub fn waiting_handout(&self, token: &str, from: IpAddr) -> Result<Timestamp> {
        self.find_handout(token, from).map(|(_, row)| row.expires_at)
    }

    /// Opens a link: its sheet is shown this once, then the link opens nothing any more.
    ///
    /// # Errors
    /// As [`Service::waiting_handout`]; a password that cannot be unsealed leaves the link as it is.
    pub fn open_handout(&self, token: &str, from: IpAddr) -> Result<OpenedHandout> {
        let (key, row) = self.find_handout(token, from)?;
        let login = row.login;
        let unsealed = row.sealed_password.map(|sealed| self.unseal(&context(&key), &sealed));
        let password = match unsealed.transpose()? {
            None => None,
            Some(bytes) => {
                let text = std::str::from_utf8(&bytes).map_err(|_| {
                    Error::new(Kind::Internal, format!("the password for {login} is no text"))
                })?;
                Some(Zeroizing::new(text.to_owned()))
            }
        };
        let account = self.account(&login)?;
        let (folders, keys) = (self.folders(&login)?, self.keys(&login)?);
        let language = self.client(&account.client)?.language;
        if !self.registry().take_handout(key, self.clock().now(), &from.to_string())? {
            return Err(over());
        }
        self.registry().forget_deleted();
        self.record_by("link", "account.handout", &login, &format!("opened from {from}"));
        Ok(OpenedHandout { account, folders, keys, password, language })
    }

    fn find_handout(&self, token: &str, from: IpAddr) -> Result<(TokenHash, HandoutRow)> {
        let now = self.clock().now();
        let most = self.config().admin.handout_misses_per_minute;
        if self.0.misses.are_too_many(from, now, most) {
            let message = "too many wrong links came from your address; try again in a minute";
            return Err(Error::new(Kind::Busy, message));
        }
        let key = hash(token);
        match self.registry().open_handout(key, now)? {
            Some(row) => Ok((key, row)),
            None => {
                self.0.misses.note(from, now);
                Err(over())
            }
        }
    }
}

fn over() -> Error {
    Error::new(
        Kind::NotFound,
        "this link was opened already, was withdrawn or is too old; ask whoever sent it to you for a new one",
    )
}

/// The place of a sealed password; store/registry/sealed.rs names the same.
fn context(token: &TokenHash) -> String {
    let hex: String = token.iter().map(|byte| format!("{byte:02X}")).collect();
    format!("handout/{hex}")
}
