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

/// The schema's step that finds one kind of event, and a day, among a million.
pub(super) const STEP_LISTS: &str = r"
CREATE INDEX activity_by_event ON activity(event, id);
CREATE INDEX activity_of_client_by_event ON activity(client, event, id);
CREATE INDEX activity_of_login_by_event ON activity(login, event, id);
CREATE INDEX activity_by_time ON activity(at, id);
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
    /// Before this instant.
    pub until: Option<Timestamp>,
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
        let sql = list_sql(filter);
        self.read("read what accounts did", |conn| {
            conn.prepare_cached(&sql)?
                .query_map(
                    params![
                        filter.after.unwrap_or(0),
                        filter.before.unwrap_or(i64::MAX),
                        filter.since.map(to_micros),
                        filter.client,
                        filter.login,
                        filter.event,
                        filter.until.map(to_micros),
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

/// The query for a filter. Conditions that are open are left out, so that the index of those that are given serves; an
/// instant is a number too, since numbers are given in the order of time: a day long ago is not walked to.
fn list_sql(filter: &ActivityFilter) -> String {
    const SINCE: &str = " AND at >= ?3 AND id >= coalesce(
        (SELECT id FROM activity WHERE at >= ?3 ORDER BY at, id LIMIT 1), 9223372036854775807)";
    const UNTIL: &str = " AND at < ?7 AND id <= coalesce(
        (SELECT id FROM activity WHERE at < ?7 ORDER BY at DESC, id DESC LIMIT 1), 0)";
    let conditions = [
        (filter.client.is_some(), " AND client = ?4"),
        (filter.login.is_some(), " AND login = ?5"),
        (filter.event.is_some(), " AND event = ?6"),
        (filter.since.is_some(), SINCE),
        (filter.until.is_some(), UNTIL),
    ];
    let mut sql = "SELECT * FROM activity WHERE id > ?1 AND id < ?2".to_owned();
    for (_, condition) in conditions.iter().filter(|(is_given, _)| *is_given) {
        sql.push_str(condition);
    }
    let order = if filter.after.is_some() { "ASC" } else { "DESC" };
    sql.push_str(&format!(" ORDER BY id {order} LIMIT ?8"));
    sql
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

#[cfg(test)]
mod tests {
    use super::*;

    fn check(filter: &ActivityFilter, index: &str) {
        let conn = rusqlite::Connection::open_in_memory().unwrap();
        super::super::schema::STEPS.iter().for_each(|sql| conn.execute_batch(sql).unwrap());
        let mut plans = conn.prepare(&format!("EXPLAIN QUERY PLAN {}", list_sql(filter))).unwrap();
        let values = params![0, i64::MAX, 0, "acme", "acme", "ban", 0, 50];
        let plans = plans.query_map(values, |row| row.get::<_, String>("detail")).unwrap();
        let plan = plans.map(std::result::Result::unwrap).collect::<Vec<_>>().join("; ");
        assert!(plan.contains(index) && !plan.contains("TEMP B-TREE"), "{filter:?}: {plan}");
    }

    #[test]
    fn lists_are_read_in_their_order_from_an_index() {
        let word = || Some("acme".to_owned());
        let all = ActivityFilter::default;
        check(&all(), "USING INTEGER PRIMARY KEY");
        check(&ActivityFilter { client: word(), ..all() }, "activity_of_client (client=?");
        check(&ActivityFilter { login: word(), ..all() }, "activity_of_login (login=?");
        check(&ActivityFilter { event: word(), ..all() }, "activity_by_event");
        check(&ActivityFilter { event: word(), client: word(), ..all() }, "by_event");
        check(&ActivityFilter { event: word(), login: word(), ..all() }, "by_event");
        let day = Some(Timestamp::UNIX_EPOCH);
        check(&ActivityFilter { since: day, until: day, ..all() }, "activity_by_time");
    }
}
