//! What accounts did over their connections: logins, refusals, transfers, changes. Kept for some days.

use std::str::FromStr as _;

use jiff::Timestamp;
use rusqlite::{Row, params};
use serde::Serialize;

use super::Registry;
use crate::error::Result;
use crate::model::Protocol;
use crate::store::{failed, instant, to_micros};

/// The schema's step.
pub(super) const STEP: &str = r"
-- client: NULL for logins that no account has.
CREATE TABLE activity (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    at           INTEGER NOT NULL,
    event        TEXT NOT NULL,
    client       TEXT REFERENCES clients(slug) ON DELETE CASCADE,
    login        TEXT NOT NULL,
    peer         TEXT NOT NULL,
    protocol     TEXT,
    path         TEXT,
    bytes        INTEGER,
    sha256       TEXT,
    milliseconds INTEGER,
    detail       TEXT NOT NULL
) STRICT;
CREATE INDEX activity_of_client ON activity(client, id);
CREATE INDEX activity_of_login ON activity(login, id);
";

/// Something that happened over a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Activity {
    /// Its number, in the order of writing; 0 before it is written.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// `login`, `program` (what the other side runs), `refused`, `upload`, `interrupted`, `download`, `rename`, `delete`, `mkdir`, `rmdir`, `ban`, `lost`.
    pub event: String,
    /// The client's slug; `None`: no account has this login.
    pub client: Option<String>,
    /// The account's login, as far as it was told.
    pub login: String,
    /// The address it came from.
    pub peer: String,
    /// The connection type.
    pub protocol: Option<Protocol>,
    /// What it was about, in the account's view.
    pub path: Option<String>,
    /// Bytes that were moved.
    pub bytes: Option<u64>,
    /// Of an upload.
    pub sha256: Option<String>,
    /// How long it took.
    pub milliseconds: Option<u64>,
    /// Why, where to, with which program.
    pub detail: String,
}

/// Which activity is asked for; `None` leaves it open.
#[derive(Debug, Clone, Default)]
pub struct ActivityFilter {
    /// The client's slug.
    pub client: Option<String>,
    /// The account's login.
    pub login: Option<String>,
    /// The kind of event.
    pub event: Option<String>,
    /// Not before this instant.
    pub since: Option<Timestamp>,
    /// Only numbers above this one, the oldest first; `None`: the newest first.
    pub after: Option<i64>,
    /// Only numbers below this one (the next page).
    pub before: Option<i64>,
    /// At most so many.
    pub limit: u32,
}

impl Registry {
    /// Writes what happened, in one transaction. What belongs to a client that is gone by now is left out.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn note_activity(&self, all: Vec<Activity>) -> Result<()> {
        self.write(move |conn| {
            const WHAT: &str = "note what accounts did";
            let whole = |n: Option<u64>| n.map(|n| i64::try_from(n).unwrap_or(i64::MAX));
            let mut insert = conn
                .prepare_cached(
                    "INSERT INTO activity (at, event, client, login, peer, protocol, path, bytes, sha256, milliseconds, detail)
                     SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11
                     WHERE ?3 IS NULL OR EXISTS (SELECT 1 FROM clients WHERE slug = ?3)",
                )
                .map_err(failed(WHAT))?;
            for one in &all {
                insert
                    .execute(params![
                        to_micros(one.at),
                        one.event,
                        one.client,
                        one.login,
                        one.peer,
                        one.protocol.map(Protocol::name),
                        one.path,
                        whole(one.bytes),
                        one.sha256,
                        whole(one.milliseconds),
                        one.detail
                    ])
                    .map_err(failed(WHAT))?;
            }
            Ok(())
        })
    }

    /// What happened, by the filter.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn activity(&self, filter: &ActivityFilter) -> Result<Vec<Activity>> {
        let order = if filter.after.is_some() { "ASC" } else { "DESC" };
        let mut sql = "SELECT * FROM activity WHERE id > ?1 AND id < ?2 AND at >= ?3".to_owned();
        // Conditions that are open are left out, so that the index of those that are given serves.
        for (given, condition) in [
            (&filter.client, " AND client = ?4"),
            (&filter.login, " AND login = ?5"),
            (&filter.event, " AND event = ?6"),
        ] {
            sql.push_str(if given.is_some() { condition } else { "" });
        }
        sql.push_str(&format!(" ORDER BY id {order} LIMIT ?7"));
        self.read("read what accounts did", |conn| {
            conn.prepare(&sql)?
                .query_map(
                    params![
                        filter.after.unwrap_or(0),
                        filter.before.unwrap_or(i64::MAX),
                        filter.since.map_or(0, to_micros),
                        filter.client,
                        filter.login,
                        filter.event,
                        filter.limit
                    ],
                    activity,
                )?
                .collect()
        })
    }

    /// Forgets what is older than `before`, and of the rest all but the newest `most`.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn forget_activity(&self, before: Timestamp, most: u64) -> Result<usize> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        self.write(move |conn| {
            conn.execute(
                "DELETE FROM activity WHERE at < ?1 OR id <= (SELECT max(id) FROM activity) - ?2",
                params![to_micros(before), most],
            )
            .map_err(failed("forget what accounts did long ago"))
        })
    }
}

fn activity(row: &Row<'_>) -> rusqlite::Result<Activity> {
    let whole =
        |name: &str| row.get::<_, Option<i64>>(name).map(|n| n.and_then(|n| u64::try_from(n).ok()));
    let protocol: Option<String> = row.get("protocol")?;
    Ok(Activity {
        id: row.get("id")?,
        at: instant(row, "at")?,
        event: row.get("event")?,
        client: row.get("client")?,
        login: row.get("login")?,
        peer: row.get("peer")?,
        protocol: protocol.and_then(|name| Protocol::from_str(&name).ok()),
        path: row.get("path")?,
        bytes: whole("bytes")?,
        sha256: row.get("sha256")?,
        milliseconds: whole("milliseconds")?,
        detail: row.get("detail")?,
    })
}
