//! Limits of single accounts.

use rusqlite::{Connection, OptionalExtension, params};

use super::Registry;
use super::rules::found_one;
use crate::error::Result;
use crate::model::AccountLimits;
use crate::store::failed;

/// The schema's step.
pub(super) const STEP: &str = r"
-- No row, or NULL: the server's own limit.
CREATE TABLE account_limits (
    login            TEXT PRIMARY KEY REFERENCES accounts(login) ON DELETE CASCADE ON UPDATE CASCADE,
    max_sessions     INTEGER,
    idle_timeout_s   INTEGER,
    max_upload_bytes INTEGER,
    quota_bytes      INTEGER,
    quota_files      INTEGER
) STRICT;
CREATE TRIGGER access_limits_new AFTER INSERT ON account_limits
    BEGIN UPDATE access_version SET version = version + 1; END;
CREATE TRIGGER access_limits_change AFTER UPDATE ON account_limits
    BEGIN UPDATE access_version SET version = version + 1; END;
";

impl Registry {
    /// The limits of an account.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn account_limits(&self, login: &str) -> Result<AccountLimits> {
        self.read("read an account's limits", |conn| limits_of(conn, login))
    }

    /// Replaces the limits of an account.
    ///
    /// # Errors
    /// `Kind::NotFound` for an unknown login.
    pub fn set_account_limits(&self, login: &str, limits: AccountLimits) -> Result<()> {
        let login = login.to_owned();
        self.write(move |conn| put_limits(conn, &login, limits))
    }
}

pub(super) fn put_limits(conn: &Connection, login: &str, limits: AccountLimits) -> Result<()> {
    let whole = |n: Option<u64>| n.map(|n| i64::try_from(n).unwrap_or(i64::MAX));
    let changed = conn
        .execute(
            "INSERT INTO account_limits SELECT login, ?2, ?3, ?4, ?5, ?6 FROM accounts WHERE login = ?1
             ON CONFLICT (login) DO UPDATE SET max_sessions = excluded.max_sessions,
                 idle_timeout_s = excluded.idle_timeout_s, max_upload_bytes = excluded.max_upload_bytes,
                 quota_bytes = excluded.quota_bytes, quota_files = excluded.quota_files",
            params![
                login,
                limits.max_sessions,
                limits.idle_timeout_s,
                whole(limits.max_upload_bytes),
                whole(limits.quota_bytes),
                whole(limits.quota_files)
            ],
        )
        .map_err(failed(format_args!("change the limits of \"{login}\"")))?;
    found_one(changed, login)
}

pub(super) fn limits_of(conn: &Connection, login: &str) -> rusqlite::Result<AccountLimits> {
    let found = conn
        .prepare_cached("SELECT * FROM account_limits WHERE login = ?1")?
        .query_row([login], |row| {
            let whole = |name: &str| {
                row.get::<_, Option<i64>>(name).map(|n| n.and_then(|n| u64::try_from(n).ok()))
            };
            Ok(AccountLimits {
                max_sessions: row.get("max_sessions")?,
                idle_timeout_s: row.get("idle_timeout_s")?,
                max_upload_bytes: whole("max_upload_bytes")?,
                quota_bytes: whole("quota_bytes")?,
                quota_files: whole("quota_files")?,
            })
        })
        .optional()?;
    Ok(found.unwrap_or_default())
}
