//! An account gets another login: every row that names it follows in one transaction; its files follow after that.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::Registry;
use super::access::no_account;
use crate::error::{Error, Kind, Result};
use crate::store::{failed, to_micros};

/// The schema's step.
pub(super) const STEP: &str = r"
-- done: the files have the new name too; until then nobody logs in. enabled: what the account was before.
CREATE TABLE login_changes (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    client  TEXT NOT NULL REFERENCES clients(slug) ON DELETE CASCADE,
    old     TEXT NOT NULL,
    new     TEXT NOT NULL,
    enabled INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    done    INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX login_changes_by_old ON login_changes(old);
-- A session that began under the old login goes on for a moment: what it sends is refused, not lost under a name that is gone.
CREATE TRIGGER uploads_of_old_login BEFORE INSERT ON uploads
    WHEN EXISTS (SELECT 1 FROM login_changes WHERE old = NEW.login AND client = NEW.client)
     AND NOT EXISTS (SELECT 1 FROM accounts WHERE login = NEW.login)
    BEGIN SELECT RAISE(ABORT, 'the login of this account was changed; log in with the new one and send the file again'); END;
";

/// Tables whose column `login` names an account that is there now.
const NAMING: [&str; 7] = [
    "account_keys",
    "folders",
    "account_rules",
    "account_limits",
    "remote_servers",
    "handouts",
    "familiar",
];
/// Those that may also name one of another client, which was removed long ago.
const REMEMBERING: [&str; 4] = ["uploads", "interruptions", "drops", "activity"];

/// A change of login whose files are still to follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginChange {
    /// Its number.
    pub id: i64,
    /// The client's slug.
    pub client: String,
    /// The login before.
    pub old: String,
    /// The login now.
    pub new: String,
}

impl Registry {
    /// Gives an account another login, closed until [`Registry::finish_login_change`]; every row follows.
    ///
    /// # Errors
    /// `Kind::NotFound`; `Kind::Exists` for a login that is taken; `Kind::Busy` while uploads of it wait.
    pub fn change_login(&self, old: &str, new: &str, at: Timestamp) -> Result<LoginChange> {
        let (old, new) = (old.to_owned(), new.to_owned());
        self.write(move |conn| change(conn, &old, &new, at))
    }

    /// Changes of login whose files are still to follow, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn login_changes(&self) -> Result<Vec<LoginChange>> {
        self.read("read changes of logins", |conn| {
            conn.prepare_cached("SELECT * FROM login_changes WHERE NOT done ORDER BY id")?
                .query_map([], |row| {
                    Ok(LoginChange {
                        id: row.get("id")?,
                        client: row.get("client")?,
                        old: row.get("old")?,
                        new: row.get("new")?,
                    })
                })?
                .collect()
        })
    }

    /// The files have the new name: the account is open again, if it was before.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn finish_login_change(&self, id: i64) -> Result<()> {
        self.write(move |conn| {
            conn.execute(
                "UPDATE accounts SET enabled = 1 WHERE login =
                     (SELECT new FROM login_changes WHERE id = ?1 AND enabled AND NOT done)",
                [id],
            )
            .and_then(|_| conn.execute("UPDATE login_changes SET done = 1 WHERE id = ?1", [id]))
            .map(drop)
            .map_err(failed("finish a change of login"))
        })
    }
}

fn change(conn: &Connection, old: &str, new: &str, at: Timestamp) -> Result<LoginChange> {
    let what = || failed(format!("change the login \"{old}\""));
    let is_there = |sql: &str, login: &str| {
        conn.prepare_cached(sql).and_then(|mut s| s.exists([login])).map_err(what())
    };
    if !is_there("SELECT 1 FROM accounts WHERE login = ?1", old)? {
        return Err(no_account(old));
    }
    if is_there("SELECT 1 FROM accounts WHERE login = ?1", new)? {
        let message = format!("login \"{new}\" exists already; choose another");
        return Err(Error::new(Kind::Exists, message));
    }
    let waiting = "SELECT 1 FROM uploads WHERE login = ?1 AND state IN ('prepared', 'queued')
                   AND client = (SELECT client FROM accounts WHERE login = ?1)";
    if is_there(waiting, old)? {
        let message = format!(
            "files that account \"{old}\" sent still wait for import; try again when they are done"
        );
        return Err(Error::new(Kind::Busy, message));
    }
    let moved = || -> rusqlite::Result<LoginChange> {
        let (client, enabled): (String, bool) = conn.query_row(
            "SELECT client, enabled FROM accounts WHERE login = ?1",
            [old],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        // A new row, and the old one goes last: the rows that point to it are moved in between.
        conn.execute(
            "INSERT INTO accounts (login, client, name, host_profile, protocols, enabled,
                                   password_hash, created_at, last_login_at)
             SELECT ?2, client, name, host_profile, protocols, 0, password_hash, created_at,
                    last_login_at FROM accounts WHERE login = ?1",
            [old, new],
        )?;
        for table in NAMING {
            let sql = format!("UPDATE OR REPLACE {table} SET login = ?2 WHERE login = ?1");
            conn.execute(&sql, [old, new])?;
        }
        for table in REMEMBERING {
            let sql = format!("UPDATE {table} SET login = ?2 WHERE login = ?1 AND client = ?3");
            conn.execute(&sql, [old, new, &client])?;
        }
        conn.execute("DELETE FROM accounts WHERE login = ?1", [old])?;
        let id = conn.query_row(
            "INSERT INTO login_changes (client, old, new, enabled, at) VALUES (?1, ?2, ?3, ?4, ?5)
             RETURNING id",
            params![client, old, new, enabled, to_micros(at)],
            |row| row.get(0),
        )?;
        Ok(LoginChange { id, client, old: old.to_owned(), new: new.to_owned() })
    };
    moved().map_err(what())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rusqlite::Connection;

    use super::*;

    #[test]
    fn every_table_that_names_a_login_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("registry.db");
        let _registry = Registry::open(&path).unwrap();
        let conn = Connection::open(&path).unwrap();
        let mut found = conn
            .prepare(
                "SELECT m.name FROM sqlite_master m, pragma_table_info(m.name) c
                 WHERE m.type = 'table' AND c.name = 'login' AND m.name <> 'accounts'",
            )
            .unwrap();
        let found: BTreeSet<String> = found
            .query_map([], |row| row.get(0))
            .unwrap()
            .collect::<rusqlite::Result<_>>()
            .unwrap();
        let known: BTreeSet<String> =
            NAMING.iter().chain(&REMEMBERING).map(|name| (*name).to_owned()).collect();
        assert_eq!(found, known, "a change of login would leave rows behind");
    }
}
