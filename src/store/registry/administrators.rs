//! People who sign in to the administration page, and their one-time links. Tokens are kept as SHA-256 only.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Registry;
use crate::error::{Error, Kind, Result};
use crate::model::{Administrator, Language, Role};
use crate::store::{failed, from_micros, instant, to_micros, word};

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

/// Everything about an administrator, with the end of the link that waits for them.
const WHOLE: &str =
    "SELECT a.*, (SELECT i.expires_at FROM admin_invitations i WHERE i.administrator = a.id)
     AS invited_until FROM administrators a";
/// Those who could manage administrators.
const IN_CHARGE: &str = "SELECT count(*) FROM administrators WHERE role = 'admin' AND enabled
     AND password IS NOT NULL";
/// What was noted further in the future than this was noted by a clock that went wrong since: it counts no more.
pub(super) const WRONG_CLOCK: SignedDuration = SignedDuration::from_mins(10);

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

/// What is to be changed; `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub struct AdministratorPatch {
    /// What they are, and the one client that they see.
    pub role: Option<(Role, Option<String>)>,
    /// The language of their pages.
    pub language: Option<Language>,
    /// Whether they can sign in.
    pub enabled: Option<bool>,
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
            conn.prepare_cached(&format!("{WHOLE} ORDER BY a.name"))?
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
            conn.prepare_cached(&format!("{WHOLE} WHERE a.name = ?1"))?
                .query_row([name], |row| {
                    Ok(AdministratorFacts {
                        administrator: administrator(row)?,
                        password: row.get("password")?,
                    })
                })
                .optional()
        })
    }

    /// Adds an administrator and returns the number; the one in `new` does not count.
    ///
    /// # Errors
    /// `Kind::Exists` when the name is taken.
    pub fn insert_administrator(&self, new: &Administrator, password: Option<&str>) -> Result<i64> {
        let (new, password) = (new.clone(), password.map(str::to_owned));
        self.write(move |conn| insert(conn, &new, password.as_deref()))
    }

    /// Changes an administrator. Sessions end when the role or the client changes or nobody can sign in by that name any more.
    ///
    /// # Errors
    /// `Kind::NotFound`; `Kind::Conflict`: nobody would be left who can manage administrators.
    pub fn change_administrator(
        &self,
        name: &str,
        patch: &AdministratorPatch,
    ) -> Result<Administrator> {
        let (name, patch) = (name.to_owned(), patch.clone());
        self.write(move |conn| {
            let known = find(conn, &name)?;
            let mut next = known.clone();
            if let Some((role, client)) = patch.role {
                (next.role, next.client) = (role, client);
            }
            next.language = patch.language.unwrap_or(next.language);
            next.enabled = patch.enabled.unwrap_or(next.enabled);
            let change = || -> rusqlite::Result<()> {
                conn.execute(
                    "UPDATE administrators SET role = ?2, client = ?3, language = ?4, enabled = ?5
                     WHERE id = ?1",
                    params![
                        known.id,
                        next.role.name(),
                        next.client,
                        next.language.code(),
                        next.enabled
                    ],
                )?;
                let same = (known.role, &known.client) == (next.role, &next.client);
                if !same || !next.enabled {
                    conn.execute(
                        "DELETE FROM admin_sessions WHERE administrator = ?1",
                        [known.id],
                    )?;
                }
                Ok(())
            };
            keeping_somebody_in_charge(conn, &name, || {
                change().map_err(failed("change an administrator"))
            })?;
            Ok(next)
        })
    }

    /// Removes an administrator with their sessions and links.
    ///
    /// # Errors
    /// `Kind::NotFound`; `Kind::Conflict`: nobody would be left who can manage administrators.
    pub fn remove_administrator(&self, name: &str) -> Result<Administrator> {
        let name = name.to_owned();
        self.write(move |conn| {
            let known = find(conn, &name)?;
            keeping_somebody_in_charge(conn, &name, || {
                conn.execute("DELETE FROM administrators WHERE id = ?1", [known.id])
                    .map(drop)
                    .map_err(failed("remove an administrator"))
            })?;
            Ok(known)
        })
    }

    /// Sets the password; all sessions and links of that administrator end.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn set_administrator_password(&self, id: i64, password: &str) -> Result<()> {
        let password = password.to_owned();
        self.write(move |conn| set_password(conn, id, &password))
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

    /// The administrator whom a one-time link is for (`Some(None)`: the first one, while there is none); `None`: no such link,
    /// or it is over.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn invitation(
        &self,
        token: TokenHash,
        now: Timestamp,
    ) -> Result<Option<Option<Administrator>>> {
        self.read("read an invitation", |conn| invited(conn, token, now))
    }

    /// Uses a one-time link: the first administrator `first` is added, or whoever it is for gets the password; `None`: the link
    /// is over, or somebody was quicker.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn accept_invitation(
        &self,
        token: TokenHash,
        first: Option<&Administrator>,
        password: &str,
        now: Timestamp,
    ) -> Result<Option<Administrator>> {
        let (first, password) = (first.cloned(), password.to_owned());
        self.write(move |conn| {
            let whom = invited(conn, token, now).map_err(failed("read an invitation"))?;
            let accepted = match (whom, first) {
                (Some(None), Some(first)) => {
                    let id = insert(conn, &first, Some(&password))?;
                    // No other link makes a first administrator any more.
                    conn.execute("DELETE FROM admin_invitations WHERE administrator IS NULL", [])
                        .map_err(failed("use an invitation"))?;
                    Administrator { id, ..first }
                }
                (Some(Some(known)), None) => {
                    set_password(conn, known.id, &password)?;
                    Administrator { has_password: true, invited_until: None, ..known }
                }
                _ => return Ok(None),
            };
            Ok(Some(accepted))
        })
    }
}

fn find(conn: &Connection, name: &str) -> Result<Administrator> {
    conn.prepare_cached(&format!("{WHOLE} WHERE a.name = ?1"))
        .and_then(|mut s| s.query_row([name], administrator).optional())
        .map_err(failed("read an administrator"))?
        .ok_or_else(|| unknown(name))
}

/// There is no administrator of this name.
pub(super) fn unknown(name: &str) -> Error {
    let message =
        format!("there is no administrator \"{name}\"; \"rollcall admin list\" shows them");
    Error::new(Kind::NotFound, message)
}

fn insert(conn: &Connection, new: &Administrator, password: Option<&str>) -> Result<i64> {
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
}

fn set_password(conn: &Connection, id: i64, password: &str) -> Result<()> {
    conn.execute("UPDATE administrators SET password = ?2 WHERE id = ?1", params![id, password])
        .and_then(|_| conn.execute("DELETE FROM admin_sessions WHERE administrator = ?1", [id]))
        .and_then(|_| conn.execute("DELETE FROM admin_invitations WHERE administrator = ?1", [id]))
        .map(drop)
        .map_err(failed("set an administrator's password"))
}

/// Carries a change out unless it takes the last one who can manage administrators.
fn keeping_somebody_in_charge(
    conn: &Connection,
    name: &str,
    change: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let count = || {
        conn.query_row(IN_CHARGE, [], |row| row.get::<_, i64>(0))
            .map_err(failed("count administrators"))
    };
    let before = count()?;
    change()?;
    // An error takes the change back.
    if before > 0 && count()? == 0 {
        let message = format!(
            "{name} is the last one who can manage administrators; give somebody else the role admin first"
        );
        return Err(Error::new(Kind::Conflict, message));
    }
    Ok(())
}

fn invited(
    conn: &Connection,
    token: TokenHash,
    now: Timestamp,
) -> rusqlite::Result<Option<Option<Administrator>>> {
    let made = now.saturating_add(WRONG_CLOCK).unwrap_or(now);
    let id: Option<Option<i64>> = conn
        .prepare_cached(
            "SELECT administrator FROM admin_invitations
             WHERE token = ?1 AND expires_at > ?2 AND created_at <= ?3",
        )?
        .query_row(params![token, to_micros(now), to_micros(made)], |row| row.get(0))
        .optional()?;
    match id {
        None => Ok(None),
        Some(None) => conn
            .query_row("SELECT count(*) = 0 FROM administrators", [], |row| row.get(0))
            .map(|nobody: bool| nobody.then_some(None)),
        Some(Some(id)) => conn
            .prepare_cached(&format!("{WHOLE} WHERE a.id = ?1 AND a.enabled"))?
            .query_row([id], administrator)
            .optional()
            .map(|found| found.map(Some)),
    }
}

pub(super) fn optional_instant(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Timestamp>> {
    row.get::<_, Option<i64>>(column)?.map(from_micros).transpose()
}

pub(super) fn administrator(row: &Row<'_>) -> rusqlite::Result<Administrator> {
    Ok(Administrator {
        id: row.get("id")?,
        name: row.get("name")?,
        role: word(row, "role")?,
        client: row.get("client")?,
        language: word(row, "language")?,
        enabled: row.get("enabled")?,
        has_password: row.get::<_, Option<String>>("password")?.is_some(),
        created_at: instant(row, "created_at")?,
        last_login_at: optional_instant(row, "last_login_at")?,
        invited_until: optional_instant(row, "invited_until")?,
    })
}
