//! One-time links to hand-out sheets: at most one for each account, with the password sealed until it is opened.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

use super::{Registry, TokenHash};
use crate::error::{Error, Kind, Result};
use crate::store::{failed, from_micros, instant, to_micros};

/// The schema's step.
pub(super) const STEP: &str = r"
-- token: SHA-256 of what the link holds. sealed_password: gone once the link was opened or is over.
CREATE TABLE handouts (
    login           TEXT PRIMARY KEY REFERENCES accounts(login) ON DELETE CASCADE,
    token           BLOB NOT NULL UNIQUE,
    sealed_password BLOB,
    created_at      INTEGER NOT NULL,
    created_by      TEXT NOT NULL,
    expires_at      INTEGER NOT NULL,
    opened_at       INTEGER,
    opened_from     TEXT
) STRICT;
CREATE TRIGGER sealed_handout_new BEFORE INSERT ON handouts
    WHEN EXISTS (SELECT 1 FROM sealing_key WHERE substr(NEW.sealed_password, 2, 8) <> key_id)
    BEGIN SELECT RAISE(ABORT, 'the sealing key was exchanged meanwhile; try again'); END;
CREATE TRIGGER sealed_handout_change BEFORE UPDATE ON handouts
    WHEN EXISTS (SELECT 1 FROM sealing_key WHERE substr(NEW.sealed_password, 2, 8) <> key_id)
    BEGIN SELECT RAISE(ABORT, 'the sealing key was exchanged meanwhile; try again'); END;
";

/// A link to be kept.
#[derive(Clone)]
pub struct NewHandoutRow {
    /// The account's login.
    pub login: String,
    /// SHA-256 of what the link holds.
    pub token: TokenHash,
    /// The account's password; `None`: the sheet shows none.
    pub sealed_password: Option<Vec<u8>>,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
    /// From when on it opens nothing.
    pub expires_at: Timestamp,
}

/// A link as it was kept.
#[derive(Clone)]
pub struct HandoutRow {
    /// The account's login.
    pub login: String,
    /// The account's password, until the link was opened.
    pub sealed_password: Option<Vec<u8>>,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
    /// From when on it opens nothing.
    pub expires_at: Timestamp,
    /// When it was opened.
    pub opened_at: Option<Timestamp>,
    /// From which address.
    pub opened_from: Option<String>,
}

impl Registry {
    /// Keeps a link, in place of the account's earlier one.
    ///
    /// # Errors
    /// `Kind::Conflict` when the sealing key was exchanged meanwhile.
    pub fn put_handout(&self, new: &NewHandoutRow) -> Result<()> {
        let new = new.clone();
        self.write(move |conn| {
            conn.execute(
                "INSERT OR REPLACE INTO handouts
                     (login, token, sealed_password, created_at, created_by, expires_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    new.login,
                    new.token,
                    new.sealed_password,
                    to_micros(new.created_at),
                    new.created_by,
                    to_micros(new.expires_at)
                ],
            )
            .map(drop)
            .map_err(|error| {
                let error = failed("keep a one-time link")(error);
                match error.kind() {
                    Kind::Exists => Error::new(Kind::Conflict, error.message()),
                    _ => error,
                }
            })
        })
    }

    /// The link of an account, whatever became of it.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn handout(&self, login: &str) -> Result<Option<HandoutRow>> {
        self.read("read a one-time link", |conn| {
            conn.prepare_cached("SELECT * FROM handouts WHERE login = ?1")?
                .query_row([login], handout)
                .optional()
        })
    }

    /// The link with this token, while it can be opened.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn open_handout(&self, token: TokenHash, now: Timestamp) -> Result<Option<HandoutRow>> {
        self.read("read a one-time link", |conn| {
            conn.prepare_cached(
                "SELECT * FROM handouts WHERE token = ?1 AND opened_at IS NULL AND expires_at > ?2",
            )?
            .query_row(params![token, to_micros(now)], handout)
            .optional()
        })
    }

    /// Uses a link up; `false`: somebody was quicker, or it is over.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn take_handout(&self, token: TokenHash, now: Timestamp, from: &str) -> Result<bool> {
        let from = from.to_owned();
        self.write(move |conn| {
            conn.execute(
                "UPDATE handouts SET opened_at = ?2, opened_from = ?3, sealed_password = NULL
                 WHERE token = ?1 AND opened_at IS NULL AND expires_at > ?2",
                params![token, to_micros(now), from],
            )
            .map(|n| n > 0)
            .map_err(failed("use a one-time link"))
        })
    }

    /// Takes an account's link back, if it has one.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn remove_handout(&self, login: &str) -> Result<bool> {
        let login = login.to_owned();
        self.write(move |conn| {
            conn.execute("DELETE FROM handouts WHERE login = ?1", [&login])
                .map(|n| n > 0)
                .map_err(failed("take a one-time link back"))
        })
    }

    /// Forgets the passwords behind links that nobody opened in time; whether there were any.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn forget_handouts(&self, now: Timestamp) -> Result<bool> {
        self.write(move |conn| {
            conn.execute(
                "UPDATE handouts SET sealed_password = NULL
                 WHERE expires_at <= ?1 AND sealed_password IS NOT NULL",
                [to_micros(now)],
            )
            .map(|n| n > 0)
            .map_err(failed("forget the passwords of old one-time links"))
        })
    }
}

fn handout(row: &Row<'_>) -> rusqlite::Result<HandoutRow> {
    let opened_at: Option<i64> = row.get("opened_at")?;
    Ok(HandoutRow {
        login: row.get("login")?,
        sealed_password: row.get("sealed_password")?,
        created_at: instant(row, "created_at")?,
        created_by: row.get("created_by")?,
        expires_at: instant(row, "expires_at")?,
        opened_at: opened_at.map(from_micros).transpose()?,
        opened_from: row.get("opened_from")?,
    })
}
