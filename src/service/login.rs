//! Who is it, and may they: every login of every protocol goes through here.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::keys::{self, PublicKey};
use super::session::Session;
use super::throttle::{Login, Throttle, Verdict};
use super::{Service, access};
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::model::{Protocol, check_login};
use crate::secrets::Hasher;
use crate::secrets::remembered::Remembered;
use crate::store::registry::LoginFacts;

/// How often a session of the same account moves its "last login" (every note is a write).
const NOTE_EVERY: Duration = Duration::from_secs(60);

/// What logins share: the hashing threads, the memory of what was right and the memory of failures.
pub(super) struct Door {
    pub(super) hasher: Hasher,
    remembered: Remembered,
    pub(super) throttle: Throttle,
}

impl Door {
    pub(super) fn new(config: &Config) -> Result<Self> {
        let throttle = Throttle::new(&config.throttle, config.limits.sessions_per_account);
        let remembered = Remembered::new(Duration::from_secs(config.limits.password_memory_s))?;
        Ok(Self { hasher: Hasher::start()?, remembered, throttle })
    }
}

/// Who asks, over what, from where.
#[derive(Debug, Clone)]
pub struct LoginAttempt {
    /// The login as the program sent it.
    pub login: String,
    /// The connection type.
    pub protocol: Protocol,
    /// The client's real address.
    pub peer: SocketAddr,
}

/// The proof.
#[derive(Clone, Copy)]
pub enum Credential<'a> {
    /// A password.
    Password(&'a str),
    /// A password, after a public key whose signature the transport has verified.
    Both {
        /// The password.
        password: &'a str,
        /// `ssh-ed25519 AAAA…`
        openssh: &'a str,
    },
    /// A public key whose signature the transport has verified.
    PublicKey {
        /// `ssh-ed25519 AAAA…`
        openssh: &'a str,
    },
}

/// A refusal. The client is told nothing but that the login failed, or that the fault is ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoginRefused {
    /// The reason, for the log only.
    pub log: &'static str,
    /// Whether what was proved holds, and the password is asked for besides.
    pub needs_password: bool,
    /// Whether all was proved, and the fault is the server's: the client may be told so, and counts no failure.
    pub is_ours: bool,
}

impl LoginRefused {
    /// A refusal for this reason.
    pub(super) const fn because(log: &'static str) -> Self {
        Self { log, needs_password: false, is_ours: false }
    }

    /// Whoever asks has proved who they are, and cannot be served for this reason.
    const fn by_our_fault(log: &'static str) -> Self {
        Self { log, needs_password: false, is_ours: true }
    }
}

const fn refused(log: &'static str) -> LoginRefused {
    LoginRefused::because(log)
}

impl Service {
    /// Whether this address is banned for now: its connections need not be listened to.
    #[must_use]
    pub fn is_banned(&self, peer: IpAddr) -> bool {
        self.0.door.throttle.is_banned(peer, Instant::now())
    }

    /// A TLS client certificate (DER) in the form in which [`Credential`] takes it; `None`: it cannot be read, or is not valid now.
    #[must_use]
    pub fn certificate_line(&self, der: &[u8]) -> Option<String> {
        keys::certificate_line(der, self.clock().now())
    }

    /// Whether any account has a TLS client certificate: else nobody is asked for one.
    #[must_use]
    pub fn asks_for_certificates(&self) -> bool {
        self.registry().has_certificates().unwrap_or_else(|error| {
            tracing::error!(%error, "looking for certificates of accounts");
            false
        })
    }

    /// Whether a key would be accepted for a login (SSH's query before the signature). Blocks for one indexed read.
    #[must_use]
    pub fn key_is_known(&self, attempt: &LoginAttempt, openssh: &str) -> bool {
        let peer = attempt.peer.ip();
        if self.is_banned(peer) {
            return false;
        }
        let facts = match self.facts(&attempt.login) {
            Ok(facts) => facts,
            Err(error) => {
                tracing::error!(%error, login = attempt.login, "login facts cannot be read");
                return false;
            }
        };
        let exists = if facts.is_some() { Login::Known } else { Login::Unknown };
        if self.0.door.throttle.probed(peer, &attempt.login, exists, Instant::now()) {
            self.note_ban(peer);
        }
        facts.is_some_and(|facts| {
            has_key(&facts, openssh) && self.may_enter(&facts, attempt).is_ok()
        })
    }

    /// Whether a certificate's line is among a login's keys. Blocks for one indexed read; nobody is slowed by it.
    #[must_use]
    pub fn has_certificate(&self, attempt: &LoginAttempt, line: &str) -> bool {
        let facts = self.facts(&attempt.login);
        facts.is_ok_and(|facts| facts.is_some_and(|facts| has_key(&facts, line)))
    }

    /// Verifies a login and begins its session. Slowed senders wait here; other tasks go on meanwhile.
    ///
    /// # Errors
    /// A refusal that takes as long for unknown logins, wrong passwords and disabled accounts.
    pub async fn log_in(
        &self,
        attempt: &LoginAttempt,
        credential: Credential<'_>,
    ) -> std::result::Result<Session, LoginRefused> {
        let entered = match credential {
            Credential::Password(password) => self.by_password(attempt, password, None).await,
            Credential::Both { password, openssh } => {
                self.by_password(attempt, password, Some(openssh)).await
            }
            Credential::PublicKey { openssh } => self.by_key(attempt, openssh).await,
        };
        let (login, peer, protocol) = (&attempt.login, attempt.peer, attempt.protocol.name());
        match &entered {
            Ok(session) => self.note_attempt(attempt, Some(session.client()), None),
            Err(refusal) if refusal.needs_password => {}
            Err(refusal) => {
                let known = self.account(&attempt.login).ok().map(|account| account.client);
                self.note_attempt(attempt, known.as_deref(), Some(refusal));
            }
        }
        match &entered {
            Ok(_) => tracing::info!(login, %peer, protocol, "logged in"),
            Err(refusal) if refusal.needs_password => {
                tracing::info!(login, %peer, protocol, "the key is right, the password follows");
            }
            Err(refusal) => {
                let login: String = login.chars().take(64).collect();
                tracing::warn!(login, %peer, protocol, reason = refusal.log, "login refused");
            }
        }
        entered
    }

    async fn by_password(
        &self,
        attempt: &LoginAttempt,
        password: &str,
        key: Option<&str>,
    ) -> std::result::Result<Session, LoginRefused> {
        let (door, peer, login) = (&self.0.door, attempt.peer.ip(), attempt.login.as_str());
        match door.throttle.attempt(peer, login, Instant::now()) {
            Verdict::Banned => {
                return Err(refused("the address is banned: too many unknown logins"));
            }
            Verdict::Crowded => return Err(refused("too many attempts of this address wait")),
            Verdict::Wait(wait) if wait.is_zero() => {}
            Verdict::Wait(wait) => tokio::time::sleep(wait).await,
        }
        let facts = self.facts_aside(login).await?;
        let hash = facts.as_ref().and_then(|f| f.password_hash.as_deref());
        let admitted = self.admits(facts.as_ref(), attempt, key);
        // Only who would get in is known again: every refusal takes as long as any other.
        let is_known = |hash| door.remembered.knows(password, hash, Instant::now());
        let right = if admitted.is_ok() && hash.is_some_and(is_known) {
            true
        } else {
            let right = door.hasher.verify(password, hash).await.map_err(|error| {
                tracing::error!(%error, login, "a password cannot be checked");
                refused("the password cannot be checked")
            })?;
            if let Some(hash) = hash.filter(|_| right) {
                door.remembered.note(password, hash, Instant::now());
            }
            right
        };
        let exists = if facts.is_some() { Login::Known } else { Login::Unknown };
        let allowed = match facts {
            Some(facts) if right => admitted.map(|()| facts),
            Some(facts) if facts.password_hash.is_some() => Err(refused("wrong password")),
            _ => Err(admitted.err().unwrap_or(refused("wrong password"))),
        };
        match allowed {
            Ok(facts) => self.enter(attempt, facts).await,
            Err(refusal) => {
                if door.throttle.failed(peer, login, exists, Instant::now()) {
                    self.note_ban(peer);
                }
                Err(refusal)
            }
        }
    }

    /// Whether a login that sends the right password gets in, after this key if one was proved before.
    fn admits(
        &self,
        facts: Option<&LoginFacts>,
        attempt: &LoginAttempt,
        key: Option<&str>,
    ) -> std::result::Result<(), LoginRefused> {
        let facts = facts.ok_or(refused("unknown login"))?;
        let has_it = |key| has_key(facts, key);
        match &facts.password_hash {
            None if facts.keys.is_empty() => Err(refused("no password is set")),
            None => Err(refused("only keys may log in")),
            Some(_) if facts.rules.needs_both && !key.is_some_and(has_it) => {
                Err(refused("a key is needed besides the password"))
            }
            Some(_) => self.may_enter(facts, attempt),
        }
    }

    async fn by_key(
        &self,
        attempt: &LoginAttempt,
        openssh: &str,
    ) -> std::result::Result<Session, LoginRefused> {
        let (throttle, peer) = (&self.0.door.throttle, attempt.peer.ip());
        if throttle.is_banned(peer, Instant::now()) {
            return Err(refused("the address is banned: too many unknown logins"));
        }
        let facts = self.facts_aside(&attempt.login).await?;
        let Some(facts) = facts else {
            if throttle.probed(peer, &attempt.login, Login::Unknown, Instant::now()) {
                self.note_ban(peer);
            }
            return Err(refused("unknown login"));
        };
        if !has_key(&facts, openssh) {
            return Err(refused("unknown key"));
        }
        self.may_enter(&facts, attempt)?;
        if facts.rules.needs_both {
            let log = "the password is needed besides the key";
            return Err(LoginRefused { log, needs_password: true, is_ours: false });
        }
        self.enter(attempt, facts).await
    }

    /// Begins the session of somebody who has proved who they are.
    async fn enter(
        &self,
        attempt: &LoginAttempt,
        facts: LoginFacts,
    ) -> std::result::Result<Session, LoginRefused> {
        let (service, protocol, peer) = (self.clone(), attempt.protocol, attempt.peer.ip());
        if self.0.door.throttle.succeeded(peer, &attempt.login, Instant::now()) {
            self.note_familiar(peer, &attempt.login);
        }
        let last_login_at = facts.account.last_login_at;
        let begun =
            tokio::task::spawn_blocking(move || Session::begin(&service, facts, protocol, peer));
        let stopped = LoginRefused::by_our_fault("the session's task was stopped");
        let session = begun.await.map_err(|_| stopped)?;
        let session = session.map_err(|error| match error.kind() {
            Kind::Quota => refused("the account has too many sessions"),
            _ => {
                tracing::error!(%error, login = attempt.login, "a session cannot begin");
                LoginRefused::by_our_fault("the session cannot begin")
            }
        })?;
        self.note_login(&attempt.login, last_login_at);
        Ok(session)
    }

    fn may_enter(
        &self,
        facts: &LoginFacts,
        attempt: &LoginAttempt,
    ) -> std::result::Result<(), LoginRefused> {
        access::may_enter(facts, attempt.protocol, attempt.peer.ip(), self.clock().now())
    }

    fn note_login(&self, login: &str, last: Option<Timestamp>) {
        let now = self.clock().now();
        let recent = last.is_some_and(|at| now.duration_since(at).unsigned_abs() < NOTE_EVERY);
        if !recent && let Err(error) = self.registry().note_login(login, now) {
            tracing::warn!(%error, login, "a login was not noted");
        }
    }

    fn facts(&self, login: &str) -> Result<Option<LoginFacts>> {
        // What cannot be a login is not looked up.
        if check_login(login).is_err() { Ok(None) } else { self.registry().login_facts(login) }
    }

    async fn facts_aside(
        &self,
        login: &str,
    ) -> std::result::Result<Option<LoginFacts>, LoginRefused> {
        let (service, login) = (self.clone(), login.to_owned());
        let facts = tokio::task::spawn_blocking(move || service.facts(&login)).await;
        facts
            .map_err(|e| Error::caused(Kind::Internal, "the look-up was stopped", e))
            .and_then(|facts| facts)
            .map_err(|error| {
                tracing::error!(%error, "login facts cannot be read");
                refused("the registry cannot be read")
            })
    }
}

/// Compares the keys themselves: comments and spelling do not matter.
fn has_key(facts: &LoginFacts, openssh: &str) -> bool {
    PublicKey::parse_line(openssh).is_ok_and(|given| {
        facts.keys.iter().any(|known| {
            PublicKey::parse_line(&known.public_key).is_ok_and(|known| known.blob() == given.blob())
        })
    })
}
