//! Sessions on the administration page: what is kept of a cookie's token is its SHA-256.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

use super::Registry;
use super::administrators::{TokenHash, WRONG_CLOCK, administrator};
use crate::error::Result;
use crate::model::Administrator;
use crate::store::{failed, instant, to_micros};

/// A session with whose it is.
#[derive(Debug, Clone)]
pub struct AdminSession {
    /// Whose it is.
    pub administrator: Administrator,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub seen_at: Timestamp,
}

/// A session as lists show it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SessionView {
    /// By which it is named, not the token: the first bytes of its hash in hex.
    pub id: String,
    /// Whose it is.
    pub name: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub seen_at: Timestamp,
    /// From where it began.
    pub address: String,
    /// What the browser called itself.
    pub agent: String,
}

/// Which sessions are to end.
#[derive(Debug, Clone)]
pub enum EndSessions {
    /// Whose cookie this is.
    Token(TokenHash),
    /// The one of this name, if it is this administrator's.
    One(i64, String),
    /// All of an administrator, but perhaps for one.
    AllOf(i64, Option<TokenHash>),
}

impl Registry {
    /// Begins a session; beyond `most` the oldest of that administrator ends.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn insert_session(
        &self,
        token: TokenHash,
        administrator: i64,
        at: Timestamp,
        (address, agent, most): (&str, &str, u32),
    ) -> Result<()> {
        let (address, agent) = (address.to_owned(), agent.to_owned());
        self.write(move |conn| {
            let begin = || -> rusqlite::Result<()> {
                let at = to_micros(at);
                conn.execute(
                    "INSERT INTO admin_sessions VALUES (?1, ?2, ?3, ?3, ?4, ?5)",
                    params![token, administrator, at, address, agent],
                )?;
                conn.execute(
                    "DELETE FROM admin_sessions WHERE administrator = ?1 AND token NOT IN
                         (SELECT token FROM admin_sessions WHERE administrator = ?1
                          ORDER BY token = ?3 DESC, seen_at DESC LIMIT ?2)",
                    params![administrator, most, token],
                )?;
                conn.execute(
                    "UPDATE administrators SET last_login_at = ?2 WHERE id = ?1",
                    params![administrator, at],
                )?;
                Ok(())
            };
            begin().map_err(failed("begin a session"))
        })
    }

    /// The session of a token, if it and its owner's right to sign in still stand.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn session(&self, token: TokenHash) -> Result<Option<AdminSession>> {
        self.read("read a session", |conn| {
            conn.prepare_cached(
                "SELECT a.*, NULL AS invited_until, s.created_at AS began_at, s.seen_at
                 FROM admin_sessions s JOIN administrators a ON a.id = s.administrator
                 WHERE s.token = ?1 AND a.enabled",
            )?
            .query_row([token], |row| {
                Ok(AdminSession {
                    administrator: administrator(row)?,
                    created_at: instant(row, "began_at")?,
                    seen_at: instant(row, "seen_at")?,
                })
            })
            .optional()
        })
    }

    /// The sessions of one administrator or of all, the last used first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn sessions(&self, name: Option<&str>) -> Result<Vec<SessionView>> {
        self.read("list sessions", |conn| {
            conn.prepare_cached(
                "SELECT lower(hex(substr(s.token, 1, 8))) AS id, a.name, s.created_at, s.seen_at,
                     s.address, s.agent
                 FROM admin_sessions s JOIN administrators a ON a.id = s.administrator
                 WHERE ?1 IS NULL OR a.name = ?1 ORDER BY s.seen_at DESC, id",
            )?
            .query_map([name], session_view)?
            .collect()
        })
    }

    /// Notes that a session was used.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn touch_session(&self, token: TokenHash, at: Timestamp) -> Result<()> {
        self.write_later(move |conn| {
            conn.execute(
                "UPDATE admin_sessions SET seen_at = ?2 WHERE token = ?1",
                params![token, to_micros(at)],
            )
            .map(drop)
            .map_err(failed("note a session's use"))
        })
    }

    /// Ends sessions; returns how many.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn end_sessions(&self, which: &EndSessions) -> Result<usize> {
        let which = which.clone();
        self.write(move |conn| {
            match which {
                EndSessions::Token(token) => {
                    conn.execute("DELETE FROM admin_sessions WHERE token = ?1", [token])
                }
                EndSessions::One(of, id) => conn.execute(
                    "DELETE FROM admin_sessions WHERE administrator = ?1
                     AND lower(hex(substr(token, 1, 8))) = ?2",
                    params![of, id],
                ),
                EndSessions::AllOf(of, but) => conn.execute(
                    "DELETE FROM admin_sessions WHERE administrator = ?1 AND token IS NOT ?2",
                    params![of, but],
                ),
            }
            .map_err(failed("end sessions"))
        })
    }

    /// Forgets sessions that began or were last used before these instants, or were begun by a clock that went wrong, and links
    /// that are over.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn forget_sessions(&self, began: Timestamp, seen: Timestamp, now: Timestamp) -> Result<()> {
        self.write_later(move |conn| {
            let latest = now.saturating_add(WRONG_CLOCK).unwrap_or(now);
            conn.execute(
                "DELETE FROM admin_sessions WHERE created_at < ?1 OR seen_at < ?2 OR created_at > ?3",
                params![to_micros(began), to_micros(seen), to_micros(latest)],
            )
            .and_then(|_| {
                conn.execute(
                    "DELETE FROM admin_invitations WHERE expires_at < ?1",
                    [to_micros(now)],
                )
            })
            .map(drop)
            .map_err(failed("forget old sessions"))
        })
    }
}

fn session_view(row: &Row<'_>) -> rusqlite::Result<SessionView> {
    Ok(SessionView {
        id: row.get("id")?,
        name: row.get("name")?,
        created_at: instant(row, "created_at")?,
        seen_at: instant(row, "seen_at")?,
        address: row.get("address")?,
        agent: row.get("agent")?,
    })
}
