//! API tokens: made, checked, listed, revoked.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::Service;
use super::administrators::{hash, new_token};
use crate::error::{Error, Kind, Result};
use crate::model::{ApiToken, Scope};

/// How every token begins, so that a leaked one is recognised.
pub const TOKEN_PREFIX: &str = "rollcall_";
/// The last use is noted no finer than this.
const NOTE_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// What a new token is to be.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// What people call it.
    pub name: String,
    /// The one client that it reaches; `None`: all.
    pub client: Option<String>,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
}

/// The end of a day as people write it (`2027-01-31`), by this machine's time zone.
///
/// # Errors
/// What is no day.
pub fn end_of_day(day: &str) -> Result<Timestamp> {
    let wrong = |e: jiff::Error| {
        let message = format!("\"{day}\" is no day; write for example 2027-01-31");
        Error::caused(Kind::Invalid, message, e)
    };
    let next = day.trim().parse::<Date>().and_then(Date::tomorrow).map_err(wrong)?;
    next.to_zoned(TimeZone::system()).map(|at| at.timestamp()).map_err(wrong)
}

impl Service {
    /// Makes a token; the text is in the answer and nowhere else.
    ///
    /// # Errors
    /// A bad name, no scope, an end in the past, an unknown client.
    pub fn add_api_token(&self, new: &NewToken) -> Result<(ApiToken, String)> {
        let now = self.clock().now();
        let name = super::clients::checked_name("the token's name", &new.name)?;
        if new.scopes.is_empty() {
            return Err(Error::new(
                Kind::Invalid,
                "a token needs at least one scope, for example read",
            ));
        }
        if new.expires_at.is_some_and(|end| end <= now) {
            return Err(Error::new(
                Kind::Invalid,
                "the token's end lies in the past; give a later day",
            ));
        }
        if let Some(client) = &new.client {
            self.client(client)?;
        }
        let mut scopes = new.scopes.clone();
        scopes.sort_unstable();
        scopes.dedup();
        let text = format!("{TOKEN_PREFIX}{}", new_token());
        let mut token = ApiToken {
            id: 0,
            name,
            client: new.client.clone(),
            scopes,
            created_by: self.who().to_owned(),
            created_at: now,
            expires_at: new.expires_at,
            last_used_at: None,
            revoked_at: None,
        };
        token.id = self.registry().insert_api_token(hash(&text), &token)?;
        self.record("token.add", &token.name, &format!("token {}", token.id));
        Ok((token, text))
    }

    /// All tokens, the newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn api_tokens(&self) -> Result<Vec<ApiToken>> {
        self.registry().api_tokens()
    }

    /// The token behind a text, when it may be used now.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn check_api_token(&self, text: &str) -> Result<Option<ApiToken>> {
        let now = self.clock().now();
        let Some(token) = self.registry().api_token(hash(text))? else { return Ok(None) };
        if token.revoked_at.is_some() || token.expires_at.is_some_and(|end| end <= now) {
            return Ok(None);
        }
        if token.last_used_at.is_none_or(|at| now.duration_since(at) > NOTE_EVERY) {
            self.registry().touch_api_token(token.id, now)?;
        }
        Ok(Some(token))
    }

    /// Revokes a token, at once.
    ///
    /// # Errors
    /// `Kind::NotFound`.
    pub fn revoke_api_token(&self, id: i64) -> Result<ApiToken> {
        let token = self.registry().revoke_api_token(id, self.clock().now())?.ok_or_else(|| {
            let message =
                format!("there is no API token {id}; \"rollcall tokens list\" shows them");
            Error::new(Kind::NotFound, message)
        })?;
        self.record("token.revoke", &token.name, &format!("token {id}"));
        Ok(token)
    }
}
