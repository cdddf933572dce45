//! People who sign in to the administration page, their sessions, and API tokens. Tokens are kept as SHA-256 only.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

use super::Registry;
use crate::error::{Error, Kind, Result};
use crate::model::{Administrator, ApiToken, Language};
use crate::store::{failed, from_micros, instant, to_micros};

/// The schema's step.
pub(super) const STEP: &str = r"
CREATE TABLE administrators (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    name          TEXT NOT NULL UNIQUE,
    role          TEXT NOT NULL,
    client        TEXT REFERENCES clients(slug) ON DELETE CASCADE,
    language      TEXT NOT NULL,
    password      TEXT,
    enabled       INTEGER NOT NULL DEFAULT 1,
    created_at    INTEGER NOT NULL,
    last_login_at INTEGER
) STRICT;
-- token: SHA-256 of what the cookie holds.
CREATE TABLE admin_sessions (
    token         BLOB PRIMARY KEY,
    administrator INTEGER NOT NULL REFERENCES administrators(id) ON DELETE CASCADE,
    created_at    INTEGER NOT NULL,
    seen_at       INTEGER NOT NULL,
    address       TEXT NOT NULL,
    agent         TEXT NOT NULL
) STRICT;
CREATE INDEX admin_sessions_of ON admin_sessions(administrator);
-- One-time links: to choose a password (administrator), or to make the first administrator (NULL).
CREATE TABLE admin_invitations (
    token         BLOB PRIMARY KEY,
    administrator INTEGER UNIQUE REFERENCES administrators(id) ON DELETE CASCADE,
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL
) STRICT;
CREATE TABLE api_tokens (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    token        BLOB NOT NULL UNIQUE,
    name         TEXT NOT NULL,
    client       TEXT REFERENCES clients(slug) ON DELETE CASCADE,
    scopes       TEXT NOT NULL,
    created_by   TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER,
    last_used_at INTEGER,
    revoked_at   INTEGER
) STRICT;
";

/// SHA-256 of a token.
pub type TokenHash = [u8; 32];

/// An administrator with what a sign-in needs.
#[derive(Debug, Clone)]
pub struct AdministratorFacts {
    /// Who it is.
    pub administrator: Administrator,
    /// The password's hash (PHC); `None`: none was chosen yet.
    pub password: Option<String>,
}

/// A session as it was kept.
#[derive(Debug, Clone)]
pub struct AdminSession {
    /// Whose it is.
    pub administrator: Administrator,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub seen_at: Timestamp,
}

impl Registry {
    /// How many administrators there are.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn administrator_count(&self) -> Result<u64> {
        self.read("count administrators", |conn| {
            conn.query_row("SELECT count(*) FROM administrators", [], |row| row.get::<_, i64>(0))
                .map(|n| u64::try_from(n).unwrap_or(0))
        })
    }

    /// All administrators, by name.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn administrators(&self) -> Result<Vec<Administrator>> {
        self.read("list administrators", |conn| {
            conn.prepare_cached("SELECT * FROM administrators ORDER BY name")?
                .query_map([], administrator)?
                .collect()
        })
    }

    /// An administrator by name.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn administrator(&self, name: &str) -> Result<Option<AdministratorFacts>> {
        self.read("read an administrator", |conn| {
            conn.prepare_cached("SELECT * FROM administrators WHERE name = ?1")?
                .query_row([name], |row| {
                    Ok(AdministratorFacts {
                        administrator: administrator(row)?,
                        password: row.get("password")?,
                    })
                })
                .optional()
        })
    }

    /// Adds an administrator; `id`, `created_at` and the rest are taken from `new` but for the id.
    ///
    /// # Errors
    /// `Kind::Exists` when the name is taken.
    pub fn insert_administrator(&self, new: &Administrator, password: Option<&str>) -> Result<i64> {
        let (new, password) = (new.clone(), password.map(str::to_owned));
        self.write(move |conn| {
            let added = conn
                .prepare_cached(
                    "INSERT INTO administrators (name, role, client, language, password, enabled, created_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (name) DO NOTHING RETURNING id",
                )
                .and_then(|mut s| {
                    s.query_row(
                        params![
                            new.name,
                            new.role.name(),
                            new.client,
                            new.language.code(),
                            password,
                            new.enabled,
                            to_micros(new.created_at)
                        ],
                        |row| row.get(0),
                    )
                    .optional()
                })
                .map_err(failed("add an administrator"))?;
            added.ok_or_else(|| {
                let message =
                    format!("an administrator \"{}\" exists already; choose another name", new.name);
                Error::new(Kind::Exists, message)
            })
        })
    }

    /// Sets the password and notes nothing else; open sessions and invitations of that administrator end.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn set_administrator_password(&self, id: i64, password: &str) -> Result<()> {
        let password = password.to_owned();
        self.write(move |conn| {
            conn.execute(
                "UPDATE administrators SET password = ?2 WHERE id = ?1",
                params![id, password],
            )
            .and_then(|_| conn.execute("DELETE FROM admin_sessions WHERE administrator = ?1", [id]))
            .and_then(|_| {
                conn.execute("DELETE FROM admin_invitations WHERE administrator = ?1", [id])
            })
            .map(drop)
            .map_err(failed("set an administrator's password"))
        })
    }

    /// Keeps a one-time link in place of an older one; `None`: for the first administrator.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn insert_invitation(
        &self,
        token: TokenHash,
        administrator: Option<i64>,
        at: Timestamp,
        until: Timestamp,
    ) -> Result<()> {
        self.write(move |conn| {
            conn.execute("DELETE FROM admin_invitations WHERE administrator IS ?1", [administrator])
                .and_then(|_| {
                    conn.execute(
                        "INSERT INTO admin_invitations VALUES (?1, ?2, ?3, ?4)",
                        params![token, administrator, to_micros(at), to_micros(until)],
                    )
                })
                .map(drop)
                .map_err(failed("keep an invitation"))
        })
    }

    /// The administrator whom a one-time link is for (`Some(None)`: the first one); `None`: no such link, or it is over.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn invitation(
        &self,
        token: TokenHash,
        now: Timestamp,
    ) -> Result<Option<Option<Administrator>>> {
        self.read("read an invitation", |conn| {
            let id: Option<Option<i64>> = conn
                .prepare_cached(
                    "SELECT administrator FROM admin_invitations WHERE token = ?1 AND expires_at > ?2",
                )?
                .query_row(params![token, to_micros(now)], |row| row.get(0))
                .optional()?;
            match id {
                None => Ok(None),
                Some(None) => Ok(Some(None)),
                Some(Some(id)) => conn
                    .prepare_cached("SELECT * FROM administrators WHERE id = ?1 AND enabled")?
                    .query_row([id], administrator)
                    .optional()
                    .map(|found| found.map(Some)),
            }
        })
    }

    /// Takes a one-time link away; `false`: somebody was quicker.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn take_invitation(&self, token: TokenHash) -> Result<bool> {
        self.write(move |conn| {
            conn.execute("DELETE FROM admin_invitations WHERE token = ?1", [token])
                .map(|n| n > 0)
                .map_err(failed("use an invitation"))
        })
    }

    /// Begins a session.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn insert_session(
        &self,
        token: TokenHash,
        administrator: i64,
        at: Timestamp,
        (address, agent): (&str, &str),
    ) -> Result<()> {
        let (address, agent) = (address.to_owned(), agent.to_owned());
        self.write(move |conn| {
            conn.execute(
                "INSERT INTO admin_sessions VALUES (?1, ?2, ?3, ?3, ?4, ?5)",
                params![token, administrator, to_micros(at), address, agent],
            )
            .and_then(|_| {
                conn.execute(
                    "UPDATE administrators SET last_login_at = ?2 WHERE id = ?1",
                    params![administrator, to_micros(at)],
                )
            })
            .map(drop)
            .map_err(failed("begin a session"))
        })
    }

    /// The session of a token, if it and its owner's right to sign in still stand.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn session(&self, token: TokenHash) -> Result<Option<AdminSession>> {
        self.read("read a session", |conn| {
            conn.prepare_cached(
                "SELECT a.*, s.created_at AS began_at, s.seen_at FROM admin_sessions s
                 JOIN administrators a ON a.id = s.administrator WHERE s.token = ?1 AND a.enabled",
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

    /// Ends a session.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn delete_session(&self, token: TokenHash) -> Result<()> {
        self.write(move |conn| {
            conn.execute("DELETE FROM admin_sessions WHERE token = ?1", [token])
                .map(drop)
                .map_err(failed("end a session"))
        })
    }

    /// Forgets sessions that began or were last used before these instants, and links that are over.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn forget_sessions(&self, began: Timestamp, seen: Timestamp, now: Timestamp) -> Result<()> {
        self.write_later(move |conn| {
            conn.execute(
                "DELETE FROM admin_sessions WHERE created_at < ?1 OR seen_at < ?2",
                params![to_micros(began), to_micros(seen)],
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

    /// Adds an API token and returns its number.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn insert_api_token(&self, hash: TokenHash, new: &ApiToken) -> Result<i64> {
        let new = new.clone();
        self.write(move |conn| {
            let scopes: Vec<&str> = new.scopes.iter().map(|scope| scope.name()).collect();
            conn.prepare_cached(
                "INSERT INTO api_tokens (token, name, client, scopes, created_by, created_at, expires_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )
            .and_then(|mut s| {
                s.insert(params![
                    hash,
                    new.name,
                    new.client,
                    scopes.join(","),
                    new.created_by,
                    to_micros(new.created_at),
                    new.expires_at.map(to_micros)
                ])
            })
            .map_err(failed("add an API token"))
        })
    }

    /// The API token behind a hash, whatever its state.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn api_token(&self, hash: TokenHash) -> Result<Option<ApiToken>> {
        self.read("read an API token", |conn| {
            conn.prepare_cached("SELECT * FROM api_tokens WHERE token = ?1")?
                .query_row([hash], api_token)
                .optional()
        })
    }

    /// All API tokens, the newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn api_tokens(&self) -> Result<Vec<ApiToken>> {
        self.read("list API tokens", |conn| {
            conn.prepare_cached("SELECT * FROM api_tokens ORDER BY id DESC")?
                .query_map([], api_token)?
                .collect()
        })
    }

    /// Notes that a token was used.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn touch_api_token(&self, id: i64, at: Timestamp) -> Result<()> {
        self.write_later(move |conn| {
            conn.execute(
                "UPDATE api_tokens SET last_used_at = ?2 WHERE id = ?1",
                params![id, to_micros(at)],
            )
            .map(drop)
            .map_err(failed("note an API token's use"))
        })
    }

    /// Revokes a token; `None`: there is none of that number.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn revoke_api_token(&self, id: i64, at: Timestamp) -> Result<Option<ApiToken>> {
        self.write(move |conn| {
            conn.query_row(
                "UPDATE api_tokens SET revoked_at = coalesce(revoked_at, ?2) WHERE id = ?1 RETURNING *",
                params![id, to_micros(at)],
                api_token,
            )
            .optional()
            .map_err(failed("revoke an API token"))
        })
    }
}

fn parsed<T: std::str::FromStr>(row: &Row<'_>, column: &str) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    text.parse().map_err(|_| rusqlite::Error::InvalidColumnName(format!("{column}: {text}")))
}

fn optional_instant(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Timestamp>> {
    row.get::<_, Option<i64>>(column)?.map(from_micros).transpose()
}

fn administrator(row: &Row<'_>) -> rusqlite::Result<Administrator> {
    Ok(Administrator {
        id: row.get("id")?,
        name: row.get("name")?,
        role: parsed(row, "role")?,
        client: row.get("client")?,
        language: parsed::<Language>(row, "language")?,
        enabled: row.get("enabled")?,
        has_password: row.get::<_, Option<String>>("password")?.is_some(),
        created_at: instant(row, "created_at")?,
        last_login_at: optional_instant(row, "last_login_at")?,
    })
}

fn api_token(row: &Row<'_>) -> rusqlite::Result<ApiToken> {
    let scopes: String = row.get("scopes")?;
    Ok(ApiToken {
        id: row.get("id")?,
        name: row.get("name")?,
        client: row.get("client")?,
        scopes: scopes.split(',').filter_map(|scope| scope.parse().ok()).collect(),
        created_by: row.get("created_by")?,
        created_at: instant(row, "created_at")?,
        expires_at: optional_instant(row, "expires_at")?,
        last_used_at: optional_instant(row, "last_used_at")?,
        revoked_at: optional_instant(row, "revoked_at")?,
    })
}
