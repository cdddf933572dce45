//! What the throttle remembers over a restart: bans, and the addresses from which each login has come.

use jiff::Timestamp;
use rusqlite::params;

use super::Registry;
use crate::error::{Error, Kind, Result};
use crate::store::{failed, instant, to_micros};

/// An address that is refused for a while.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Ban {
    /// The IPv4 address, or the first address of an IPv6 /64.
    pub address: String,
    /// When it was banned.
    pub since: Timestamp,
    /// When the ban ends.
    pub until: Timestamp,
    /// Whether an operator has taken it back, and the server has not yet forgotten it.
    #[serde(skip)]
    pub lifted: bool,
}

/// An address from which a login has succeeded.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Familiar {
    /// The address, as in [`Ban`].
    pub address: String,
    /// The login.
    pub login: String,
    /// The last success that was noted.
    pub at: Timestamp,
}

impl Registry {
    /// Notes a ban, without waiting.
    ///
    /// # Errors
    /// When the registry's writer has stopped.
    pub fn note_ban(&self, address: &str, since: Timestamp, until: Timestamp) -> Result<()> {
        let address = address.to_owned();
        self.write_later(move |conn| {
            conn.execute(
                "INSERT INTO bans (address, since, until) VALUES (?1, ?2, ?3)
                 ON CONFLICT (address) DO UPDATE
                     SET since = excluded.since, until = excluded.until, lifted = 0",
                params![address, to_micros(since), to_micros(until)],
            )
            .map_err(failed("note a ban"))?;
            Ok(())
        })
    }

    /// The bans, newest first, with those that have ended and were not yet forgotten.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn bans(&self) -> Result<Vec<Ban>> {
        self.read("list bans", |conn| {
            conn.prepare_cached("SELECT * FROM bans ORDER BY since DESC, address")?
                .query_map([], |row| {
                    Ok(Ban {
                        address: row.get("address")?,
                        since: instant(row, "since")?,
                        until: instant(row, "until")?,
                        lifted: row.get("lifted")?,
                    })
                })?
                .collect()
        })
    }

    /// Takes a ban back.
    ///
    /// # Errors
    /// `Kind::NotFound` when the address is not banned at `now`.
    pub fn lift_ban(&self, address: &str, now: Timestamp) -> Result<()> {
        let address = address.to_owned();
        self.write(move |conn| {
            let lifted = conn
                .execute(
                    "UPDATE bans SET lifted = 1 WHERE address = ?1 AND lifted = 0 AND until > ?2",
                    params![address, to_micros(now)],
                )
                .map_err(failed("lift a ban"))?;
            if lifted > 0 {
                return Ok(());
            }
            let message = format!("{address} is not banned; see `rollcall bans list`");
            Err(Error::new(Kind::NotFound, message))
        })
    }

    /// Removes bans that have ended or were lifted.
    ///
    /// # Errors
    /// When the registry's writer has stopped.
    pub fn forget_bans(&self, now: Timestamp) -> Result<()> {
        self.write_later(move |conn| {
            conn.execute("DELETE FROM bans WHERE lifted = 1 OR until <= ?1", [to_micros(now)])
                .map_err(failed("forget bans"))?;
            Ok(())
        })
    }

    /// Notes from where a login has succeeded, without waiting.
    ///
    /// # Errors
    /// When the registry's writer has stopped.
    pub fn note_familiar(&self, address: &str, login: &str, at: Timestamp) -> Result<()> {
        let (address, login) = (address.to_owned(), login.to_owned());
        self.write_later(move |conn| {
            conn.prepare_cached(
                "INSERT INTO familiar (address, login, at) VALUES (?1, ?2, ?3)
                 ON CONFLICT (address, login) DO UPDATE SET at = excluded.at",
            )
            .and_then(|mut s| s.execute(params![address, login, to_micros(at)]))
            .map_err(failed("note a familiar address"))?;
            Ok(())
        })
    }

    /// From where logins have succeeded since `since`, oldest first; at most the newest `most`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn familiar(&self, since: Timestamp, most: usize) -> Result<Vec<Familiar>> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        self.read("list familiar addresses", |conn| {
            conn.prepare_cached(
                "SELECT * FROM (SELECT * FROM familiar WHERE at > ?1 ORDER BY at DESC LIMIT ?2)
                 ORDER BY at, address, login",
            )?
            .query_map(params![to_micros(since), most], |row| {
                Ok(Familiar {
                    address: row.get("address")?,
                    login: row.get("login")?,
                    at: instant(row, "at")?,
                })
            })?
            .collect()
        })
    }

    /// Removes what is older than `before`.
    ///
    /// # Errors
    /// When the registry's writer has stopped.
    pub fn forget_familiar(&self, before: Timestamp) -> Result<()> {
        self.write_later(move |conn| {
            conn.execute("DELETE FROM familiar WHERE at <= ?1", [to_micros(before)])
                .map_err(failed("forget familiar addresses"))?;
            Ok(())
        })
    }
}
