//! What the throttle remembers over a restart, and how an operator takes a ban back.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use super::Service;
use super::throttle::network;
use crate::error::{Error, Kind, Result};

pub use crate::store::registry::{Ban, Familiar};

impl Service {
    /// The addresses that are banned now, newest first.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub fn bans(&self) -> Result<Vec<Ban>> {
        let now = self.clock().now();
        let mut bans = self.registry().bans()?;
        bans.retain(|ban| ban.until > now && !ban.lifted);
        Ok(bans)
    }

    /// Takes a ban back; a running server follows within a second.
    ///
    /// # Errors
    /// `Kind::Invalid` for what is no address; `Kind::NotFound` for one that is not banned.
    pub fn lift_ban(&self, address: &str) -> Result<()> {
        let parsed: IpAddr = address.trim().parse().map_err(|e| {
            let message = format!("\"{address}\" is not an address; see `rollcall bans list`");
            Error::caused(Kind::Invalid, message, e)
        })?;
        let address = network(parsed).to_string();
        self.registry().lift_ban(&address, self.clock().now())?;
        self.record("bans.lift", &address, "");
        Ok(())
    }

    /// From where logins have succeeded lately, newest first; of one login or all.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub fn familiar_addresses(&self, login: Option<&str>) -> Result<Vec<Familiar>> {
        let mut found = self.registry().familiar(self.familiar_since(), usize::MAX)?;
        found.retain(|one| login.is_none_or(|login| one.login == login));
        found.reverse();
        Ok(found)
    }

    /// Gives the throttle back what it knew before the server was stopped.
    pub(super) fn recall(&self) -> Result<()> {
        let (now, since) = (self.clock().now(), self.familiar_since());
        self.registry().forget_bans(now)?;
        self.registry().forget_familiar(since)?;
        let throttle = &self.0.door.throttle;
        for one in self.registry().familiar(since, self.config().throttle.remembered)? {
            let age = now.duration_since(one.at).unsigned_abs();
            // A machine that has just been started may not know an instant so long ago.
            let at = Instant::now().checked_sub(age);
            if let (Ok(address), Some(at)) = (one.address.parse(), at) {
                throttle.recall_success(address, &one.login, at);
            }
        }
        for ban in self.registry().bans()?.iter().filter(|ban| ban.until > now && !ban.lifted) {
            if let Ok(address) = ban.address.parse() {
                let left = ban.until.duration_since(now).unsigned_abs();
                throttle.recall_ban(address, Instant::now() + left, Instant::now());
            }
        }
        Ok(())
    }

    /// Forgets the bans that an operator took back.
    pub(super) fn take_up_lifted_bans(&self) -> Result<()> {
        let bans = self.registry().bans()?;
        let lifted: Vec<&Ban> = bans.iter().filter(|ban| ban.lifted).collect();
        if lifted.is_empty() {
            return Ok(());
        }
        for ban in lifted {
            if let Ok(address) = ban.address.parse() {
                self.0.door.throttle.lift(address);
                tracing::info!(address = ban.address, "a ban was taken back");
            }
        }
        self.registry().forget_bans(self.clock().now())
    }

    /// Notes that an address was banned just now.
    pub(super) fn note_ban(&self, peer: IpAddr) {
        let (now, ban_s) = (self.clock().now(), self.config().throttle.ban_s);
        let length = SignedDuration::try_from(Duration::from_secs(ban_s));
        let until = now.saturating_add(length.unwrap_or(SignedDuration::MAX)).unwrap_or(now);
        let address = network(peer).to_string();
        self.note_banned(&address, until);
        tracing::warn!(address, %until, "banned: it tried too many logins that do not exist");
        if let Err(error) = self.registry().note_ban(&address, now, until) {
            tracing::warn!(%error, address, "a ban was not noted");
        }
    }

    /// Notes from where a login has succeeded.
    pub(super) fn note_familiar(&self, peer: IpAddr, login: &str) {
        let address = network(peer).to_string();
        let now = self.clock().now();
        if let Err(error) = self.registry().note_familiar(&address, login, now) {
            tracing::warn!(%error, login, "a familiar address was not noted");
        }
    }

    fn familiar_since(&self) -> Timestamp {
        let days = i64::from(self.config().throttle.familiar_days);
        let length = SignedDuration::from_hours(days.saturating_mul(24));
        self.clock().now().saturating_sub(length).unwrap_or(Timestamp::MIN)
    }
}
