//! What somebody should look at and nobody did yet: one row for each subject, raised once and cleared when it is over.

use jiff::Timestamp;
use rusqlite::{Row, params};

use super::Registry;
use crate::error::Result;
use crate::store::{failed, from_micros, instant, to_micros};

/// The schema's step.
pub(super) const STEP: &str = r"
-- subject: what it is about within its code (a folder, an account); open while cleared_at is NULL, one at a time.
CREATE TABLE alarms (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    client     TEXT REFERENCES clients(slug) ON DELETE CASCADE,
    code       TEXT NOT NULL,
    subject    TEXT NOT NULL,
    text       TEXT NOT NULL,
    raised_at  INTEGER NOT NULL,
    cleared_at INTEGER
) STRICT;
CREATE UNIQUE INDEX alarms_open ON alarms(coalesce(client, ''), code, subject) WHERE cleared_at IS NULL;
";

/// An alarm.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Alarm {
    /// Its number.
    pub id: i64,
    /// The client's slug; `None`: the server's own.
    pub client: Option<String>,
    /// T02, T04 …
    pub code: String,
    /// What it is about within its code: a folder's name, an account's login.
    pub subject: String,
    /// What happened and what to do, in English.
    pub text: String,
    /// Since when.
    pub raised_at: Timestamp,
    /// Since when it is over.
    pub cleared_at: Option<Timestamp>,
}

/// The schema's step that pages through what is over.
pub(super) const STEP_PAST: &str = r"
CREATE INDEX alarms_past ON alarms(id) WHERE cleared_at IS NOT NULL;
";

impl Registry {
    /// Raises an alarm; `None`: it stands already (its text is brought up to date).
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn raise_alarm(
        &self,
        client: Option<&str>,
        code: &str,
        subject: &str,
        text: &str,
        at: Timestamp,
    ) -> Result<Option<i64>> {
        let client = client.map(str::to_owned);
        let (code, subject, text) = (code.to_owned(), subject.to_owned(), text.to_owned());
        self.write(move |conn| {
            let open = conn
                .prepare_cached(
                    "UPDATE alarms SET text = ?4 WHERE client IS ?1 AND code = ?2 AND subject = ?3
                         AND cleared_at IS NULL",
                )
                .and_then(|mut s| s.execute(params![client, code, subject, text]))
                .map_err(failed("bring an alarm up to date"))?;
            if open > 0 {
                return Ok(None);
            }
            conn.prepare_cached(
                "INSERT INTO alarms (client, code, subject, text, raised_at) VALUES (?1, ?2, ?3, ?4, ?5)",
            )
            .and_then(|mut s| s.insert(params![client, code, subject, text, to_micros(at)]))
            .map(Some)
            .map_err(failed("raise an alarm"))
        })
    }

    /// Ends an alarm; `false`: none stood.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn clear_alarm(
        &self,
        client: Option<&str>,
        code: &str,
        subject: &str,
        at: Timestamp,
    ) -> Result<bool> {
        let client = client.map(str::to_owned);
        let (code, subject) = (code.to_owned(), subject.to_owned());
        self.write(move |conn| {
            conn.prepare_cached(
                "UPDATE alarms SET cleared_at = ?4 WHERE client IS ?1 AND code = ?2 AND subject = ?3
                     AND cleared_at IS NULL",
            )
            .and_then(|mut s| s.execute(params![client, code, subject, to_micros(at)]))
            .map(|rows| rows > 0)
            .map_err(failed("end an alarm"))
        })
    }

    /// What the standing alarms of a client with this code are about.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn alarm_subjects(&self, client: &str, code: &str) -> Result<Vec<String>> {
        self.read("look for alarms", |conn| {
            // As the index of open alarms has it: every import asks.
            conn.prepare_cached(
                "SELECT subject FROM alarms WHERE coalesce(client, '') = ?1 AND code = ?2
                     AND cleared_at IS NULL ORDER BY subject",
            )?
            .query_map([client, code], |row| row.get(0))?
            .collect()
        })
    }

    /// Alarms, newest first: those that stand, or also those that are over.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn alarms(
        &self,
        client: Option<&str>,
        also_cleared: bool,
        limit: u32,
    ) -> Result<Vec<Alarm>> {
        self.read("list alarms", |conn| {
            conn.prepare_cached(
                "SELECT * FROM alarms WHERE (?1 IS NULL OR client = ?1) AND (?2 OR cleared_at IS NULL)
                 ORDER BY id DESC LIMIT ?3",
            )?
            .query_map(params![client, also_cleared, limit], alarm)?
            .collect()
        })
    }

    /// Alarms that are over, by the newest that was raised; `before`: only numbers below this one.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn past_alarms(&self, before: Option<i64>, limit: u32) -> Result<Vec<Alarm>> {
        self.read("list alarms that are over", |conn| {
            conn.prepare_cached(
                "SELECT * FROM alarms WHERE cleared_at IS NOT NULL AND id < ?1 ORDER BY id DESC LIMIT ?2",
            )?
            .query_map(params![before.unwrap_or(i64::MAX), limit], alarm)?
            .collect()
        })
    }
}

fn alarm(row: &Row<'_>) -> rusqlite::Result<Alarm> {
    let cleared: Option<i64> = row.get("cleared_at")?;
    Ok(Alarm {
        id: row.get("id")?,
        client: row.get("client")?,
        code: row.get("code")?,
        subject: row.get("subject")?,
        text: row.get("text")?,
        raised_at: instant(row, "raised_at")?,
        cleared_at: cleared.map(from_micros).transpose()?,
    })
}
