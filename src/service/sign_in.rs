//! Signing in to the administration page: slowed like every login, in equal time and words for every name; sessions and their end.

use std::net::IpAddr;
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};

use super::Service;
use super::administrators::{hash, new_token};
use super::throttle::{Login, Verdict};
use crate::error::{Error, Kind, Result};
use crate::model::Administrator;
use crate::secrets;
use crate::store::registry::EndSessions;

pub use crate::store::registry::SessionView;

/// A session's last use is noted no finer than this.
const NOTE_EVERY: SignedDuration = SignedDuration::from_mins(1);
/// A session that began further in the future than this was begun by a clock that went wrong since: it is over.
const WRONG_CLOCK: SignedDuration = SignedDuration::from_mins(10);
/// The most that is kept of what a browser calls itself.
const AGENT_CHARS: usize = 200;

/// Where somebody signs in from.
#[derive(Debug, Clone)]
pub struct From {
    /// The browser's address.
    pub peer: IpAddr,
    /// What the browser calls itself.
    pub agent: String,
}

/// Who uses a session just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Somebody at the page: the session was used.
    Person,
    /// The page by itself, whether or not anybody looks at it: this keeps no session alive.
    Program,
}

/// Why somebody is not let in.
#[derive(Debug)]
pub enum SignInRefused {
    /// The name or the password is wrong, or the name is disabled: the same for all.
    Wrong,
    /// Too many attempts from this address.
    TooMany,
    /// It could not be looked at.
    Fault(Error),
}

impl std::convert::From<Error> for SignInRefused {
    fn from(error: Error) -> Self {
        if error.kind() == Kind::Busy { Self::TooMany } else { Self::Fault(error) }
    }
}

/// A name in the throttle's memory, which the logins of accounts share: those hold no slash.
fn throttled(name: &str) -> String {
    format!("page/{name}")
}

impl Service {
    /// Signs somebody in and returns the session's token for the cookie. Slowed senders wait here.
    ///
    /// # Errors
    /// A refusal in equal time and words for unknown, disabled and known names.
    pub async fn sign_in(
        &self,
        name: &str,
        password: &str,
        from: &From,
    ) -> std::result::Result<(Administrator, String), SignInRefused> {
        let administrator = self.prove(name, password, from.peer).await?;
        let (service, from) = (self.clone(), from.clone());
        let begun = tokio::task::spawn_blocking(move || {
            let token = service.begin_session(&administrator, &from)?;
            Ok::<_, Error>((administrator, token))
        });
        Ok(begun.await.map_err(stopped)??)
    }

    /// Who it is, when name and password are right.
    async fn prove(
        &self,
        name: &str,
        password: &str,
        peer: IpAddr,
    ) -> std::result::Result<Administrator, SignInRefused> {
        let name = name.trim().to_lowercase();
        let (door, key) = (&self.0.door, throttled(&name));
        match door.throttle.attempt(peer, &key, Instant::now()) {
            Verdict::Banned | Verdict::Crowded => {
                tracing::warn!(%peer, "a sign-in was not looked at: too many attempts");
                return Err(SignInRefused::TooMany);
            }
            Verdict::Wait(wait) if wait.is_zero() => {}
            Verdict::Wait(wait) => tokio::time::sleep(wait).await,
        }
        let service = self.clone();
        let asked = name.clone();
        let facts = tokio::task::spawn_blocking(move || service.registry().administrator(&asked));
        let facts = facts.await.map_err(stopped)??;
        let known = facts.as_ref().and_then(|facts| facts.password.as_deref());
        let right = door.hasher.verify(password, known).await?;
        match facts {
            Some(facts) if right && facts.administrator.enabled => Ok(facts.administrator),
            _ => {
                // Every name counts towards a ban, known or not: the ban tells nobody which names exist.
                if door.throttle.failed(peer, &key, Login::Unknown, Instant::now()) {
                    self.note_ban(peer);
                }
                let name: String = name.chars().take(64).collect();
                tracing::warn!(%peer, name, "a sign-in to the administration page was refused");
                Err(SignInRefused::Wrong)
            }
        }
    }

    /// Begins a session for somebody who has just proved who they are.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn begin_session(&self, administrator: &Administrator, from: &From) -> Result<String> {
        let token = new_token();
        let agent: String =
            from.agent.chars().filter(|c| !c.is_control()).take(AGENT_CHARS).collect();
        let (at, address) = (self.clock().now(), from.peer.to_string());
        let most = self.config().admin.sessions_per_administrator;
        self.registry().insert_session(
            hash(&token),
            administrator.id,
            at,
            (&address, &agent, most),
        )?;
        let key = throttled(&administrator.name);
        if self.0.door.throttle.succeeded(from.peer, &key, Instant::now()) {
            self.note_familiar(from.peer, &key);
        }
        self.record_by(&administrator.name, "sign-in", &administrator.name, &address);
        Ok(token)
    }

    /// Chooses another password for oneself: the old one is proved first, and every session ends but for a new one, whose token
    /// is returned.
    ///
    /// # Errors
    /// [`SignInRefused::Wrong`] for the old password; a bad new one is a `Fault` of [`Kind::Invalid`].
    pub async fn change_own_password(
        &self,
        name: &str,
        (old, new): (&str, &str),
        from: &From,
    ) -> std::result::Result<String, SignInRefused> {
        secrets::check_password(new)?;
        let administrator = self.prove(name, old, from.peer).await?;
        let (service, new, from) = (self.clone(), new.to_owned(), from.clone());
        let changed = tokio::task::spawn_blocking(move || {
            service.set_administrator_password(&administrator.name, &new)?;
            service.begin_session(&administrator, &from)
        });
        Ok(changed.await.map_err(stopped)??)
    }

    /// Whose session a cookie's token is, when it still stands.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn session(&self, token: &str, presence: Presence) -> Result<Option<Administrator>> {
        let (key, now) = (hash(token), self.clock().now());
        let Some(session) = self.registry().session(key)? else { return Ok(None) };
        let (began, seen) = self.session_limits(now);
        let from_the_future = session.created_at.duration_since(now) > WRONG_CLOCK;
        if session.created_at < began || session.seen_at < seen || from_the_future {
            self.registry().end_sessions(&EndSessions::Token(key))?;
            return Ok(None);
        }
        // Also when the clock was set back: idle time is counted from now on.
        let is_used = presence == Presence::Person;
        if is_used && now.duration_since(session.seen_at).abs() > NOTE_EVERY {
            self.registry().touch_session(key, now)?;
            self.registry().forget_sessions(began, seen, now)?;
        }
        Ok(Some(session.administrator))
    }

    /// Sessions that began, or were last used, before these instants are over.
    fn session_limits(&self, now: Timestamp) -> (Timestamp, Timestamp) {
        let admin = &self.config().admin;
        let ago = |length| now.saturating_sub(length).unwrap_or(Timestamp::MIN);
        (
            ago(SignedDuration::from_hours(i64::from(admin.session_hours))),
            ago(SignedDuration::from_mins(i64::from(admin.session_idle_minutes))),
        )
    }

    /// Ends the session of a cookie.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn sign_out(&self, token: &str) -> Result<()> {
        self.registry().end_sessions(&EndSessions::Token(hash(token))).map(drop)
    }

    /// The sessions of one administrator or of all that are not over, the last used first.
    ///
    /// # Errors
    /// `Kind::NotFound`.
    pub fn sessions(&self, name: Option<&str>) -> Result<Vec<SessionView>> {
        let name = name.map(|name| self.administrator(name).map(|known| known.name)).transpose()?;
        let (began, seen) = self.session_limits(self.clock().now());
        let mut all = self.registry().sessions(name.as_deref())?;
        all.retain(|one| one.created_at >= began && one.seen_at >= seen);
        Ok(all)
    }

    /// The name by which [`Self::sessions`] lists the session of a cookie.
    #[must_use]
    pub fn session_id(token: &str) -> String {
        hash(token).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    /// Ends one session of an administrator.
    ///
    /// # Errors
    /// `Kind::NotFound`: there is no such administrator or session.
    pub fn end_session(&self, name: &str, id: &str) -> Result<()> {
        let known = self.administrator(name)?;
        if self.registry().end_sessions(&EndSessions::One(known.id, id.to_owned()))? == 0 {
            let message = format!("{name} has no session of that name; it may have ended already");
            return Err(Error::new(Kind::NotFound, message));
        }
        self.record("administrator.sessions", &known.name, "one ended");
        Ok(())
    }

    /// Ends all sessions of an administrator, but for the one of the cookie `but`; returns how many.
    ///
    /// # Errors
    /// `Kind::NotFound`.
    pub fn end_all_sessions(&self, name: &str, but: Option<&str>) -> Result<usize> {
        let known = self.administrator(name)?;
        let which = EndSessions::AllOf(known.id, but.map(hash));
        let ended = self.registry().end_sessions(&which)?;
        self.record("administrator.sessions", &known.name, &format!("{ended} ended"));
        Ok(ended)
    }
}

fn stopped(error: tokio::task::JoinError) -> Error {
    Error::caused(Kind::Internal, "the sign-in ended by a fault in this program", error)
}
