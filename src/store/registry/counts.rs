//! What monitoring asks of the registry: how much waits, and whether it can be written.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::Registry;
use super::uploads::WAITING;
use crate::error::Result;
use crate::store::{failed, from_micros, unsigned};

/// How much waits, and for what.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    /// Uploads that wait for their import.
    pub waiting: u64,
    /// Imports that wait for somebody's decision.
    pub held: u64,
    /// Jobs of the outbox by kind and state.
    pub outbox: Vec<(String, String, u64)>,
    /// Since when the oldest waiting job could have been done for the first time.
    pub outbox_due_since: Option<Timestamp>,
    /// Standing alarms by code.
    pub alarms: Vec<(String, u64)>,
}

impl Registry {
    /// How much waits.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn counts(&self) -> Result<Counts> {
        self.read("count what waits", counts)
    }

    /// Writes something that changes nothing, durably.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn probe(&self) -> Result<()> {
        self.write(|conn| {
            conn.prepare_cached("UPDATE access_version SET version = version")
                .and_then(|mut s| s.execute([]))
                .map(drop)
                .map_err(failed("write to the registry"))
        })
    }

    /// Clients of which uploads wait.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn clients_waiting(&self) -> Result<Vec<String>> {
        self.read("look whose uploads wait", |conn| {
            conn.prepare_cached(&format!("SELECT DISTINCT client FROM uploads WHERE {WAITING}"))?
                .query_map([], |row| row.get(0))?
                .collect()
        })
    }
}

fn counts(conn: &Connection) -> rusqlite::Result<Counts> {
    let waiting = conn
        .prepare_cached(&format!("SELECT count(*) AS n FROM uploads WHERE {WAITING}"))?
        .query_row([], |row| unsigned(row, "n"))?;
    let held = conn
        .prepare_cached("SELECT count(*) AS n FROM uploads WHERE wants_import AND status = 'held'")?
        .query_row([], |row| unsigned(row, "n"))?;
    let outbox = conn
        .prepare_cached(
            "SELECT kind, state, count(*) AS n FROM outbox GROUP BY kind, state ORDER BY kind, state",
        )?
        .query_map(params![], |row| Ok((row.get(0)?, row.get(1)?, unsigned(row, "n")?)))?
        .collect::<rusqlite::Result<_>>()?;
    let due: Option<i64> = conn
        .prepare_cached(
            "SELECT min(next_at) FROM outbox WHERE id IN
                 (SELECT min(id) FROM outbox WHERE state = 'waiting' GROUP BY lane)",
        )?
        .query_row([], |row| row.get(0))?;
    let alarms = conn
        .prepare_cached(
            "SELECT code, count(*) AS n FROM alarms WHERE cleared_at IS NULL GROUP BY code ORDER BY code",
        )?
        .query_map([], |row| Ok((row.get(0)?, unsigned(row, "n")?)))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(Counts {
        waiting,
        held,
        outbox,
        outbox_due_since: due.map(from_micros).transpose()?,
        alarms,
    })
}
