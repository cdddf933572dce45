//! What somebody decided about a held import or its rows: durable before it is carried out, and carried out once.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{OptionalExtension, Row, params};

use super::Registry;
use crate::error::{Error, Kind, Result};
use crate::model::UploadId;
use crate::store::{failed, from_micros, instant, to_micros, unreadable, word};

/// What shall become of a held import or row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is applied.
    Approve,
    /// It never is.
    Discard,
}

impl Verdict {
    /// The name in the database and in the audit trail.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Discard => "discard",
        }
    }
}

/// A decision that is about to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDecision {
    /// The client's slug.
    pub client: String,
    /// The import that it is about.
    pub import: UploadId,
    /// What shall become of it.
    pub verdict: Verdict,
    /// The rows that it is about, by line; empty: the import as a whole.
    pub lines: BTreeSet<u32>,
    /// The plan that was looked at; empty for rows.
    pub digest: String,
    /// `cli`, or the login that dropped the file.
    pub who: String,
    /// When; whole microseconds are kept.
    pub at: Timestamp,
}

/// A recorded decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Its number.
    pub id: i64,
    /// What was decided.
    pub what: NewDecision,
    /// When it was carried out or refused.
    pub done_at: Option<Timestamp>,
    /// Why it could not be carried out.
    pub refusal: Option<String>,
}

const COLUMNS: &str = "id, client, import, verdict, lines, digest, who, at, done_at, refusal";

impl Registry {
    /// Records a decision; returns its number. Durable when it returns.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn record_decision(&self, new: &NewDecision) -> Result<i64> {
        let new = new.clone();
        self.write(move |conn| {
            let lines: Vec<String> = new.lines.iter().map(u32::to_string).collect();
            conn.prepare_cached(
                "INSERT INTO decisions (client, import, verdict, lines, digest, who, at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )
            .and_then(|mut s| {
                s.insert(params![
                    new.client,
                    new.import.to_string(),
                    new.verdict.name(),
                    lines.join(","),
                    new.digest,
                    new.who,
                    to_micros(new.at)
                ])
            })
            .map_err(failed("record a decision"))
        })
    }

    /// The oldest decision of a client that is not carried out yet.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn next_decision(&self, client: &str) -> Result<Option<Decision>> {
        self.read("look for decisions", |conn| {
            conn.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM decisions WHERE client = ?1 AND done_at IS NULL
                 ORDER BY id LIMIT 1"
            ))?
            .query_row([client], decision)
            .optional()
        })
    }

    /// The clients that have decisions to be carried out.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn clients_with_decisions(&self) -> Result<Vec<String>> {
        self.read("look for decisions", |conn| {
            conn.prepare_cached("SELECT DISTINCT client FROM decisions WHERE done_at IS NULL")?
                .query_map([], |row| row.get(0))?
                .collect()
        })
    }

    /// The decision with this number.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn decision(&self, id: i64) -> Result<Option<Decision>> {
        self.read("read a decision", |conn| {
            conn.prepare_cached(&format!("SELECT {COLUMNS} FROM decisions WHERE id = ?1"))?
                .query_row([id], decision)
                .optional()
        })
    }

    /// Counts one more try and returns the count. Durable before the try, so a crash loop ends.
    ///
    /// # Errors
    /// `Kind::NotFound` for an unknown number.
    pub fn begin_decision(&self, id: i64) -> Result<u32> {
        self.write(move |conn| {
            conn.prepare_cached(
                "UPDATE decisions SET attempts = attempts + 1 WHERE id = ?1 RETURNING attempts",
            )
            .and_then(|mut s| s.query_row([id], |row| row.get(0)).optional())
            .map_err(failed("count a try of a decision"))?
            .ok_or_else(|| Error::new(Kind::NotFound, format!("there is no decision {id}")))
        })
    }

    /// Takes a counted try back: the machine was at fault.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn excuse_decision(&self, id: i64) -> Result<()> {
        self.write(move |conn| {
            conn.prepare_cached("UPDATE decisions SET attempts = attempts - 1 WHERE id = ?1")
                .and_then(|mut s| s.execute([id]))
                .map_err(failed("take a try of a decision back"))?;
            Ok(())
        })
    }

    /// Marks a decision as carried out, or says why it cannot be.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn finish_decision(&self, id: i64, at: Timestamp, refusal: Option<&str>) -> Result<()> {
        let refusal = refusal.map(str::to_owned);
        self.write(move |conn| {
            conn.prepare_cached("UPDATE decisions SET done_at = ?2, refusal = ?3 WHERE id = ?1")
                .and_then(|mut s| s.execute(params![id, to_micros(at), refusal]))
                .map_err(failed("finish a decision"))?;
            Ok(())
        })
    }
}

fn decision(row: &Row<'_>) -> rusqlite::Result<Decision> {
    let verdict: String = row.get("verdict")?;
    let verdict = [Verdict::Approve, Verdict::Discard].into_iter().find(|v| v.name() == verdict);
    let lines: String = row.get("lines")?;
    let lines = lines.split(',').filter(|line| !line.is_empty()).map(str::parse);
    let done_at: Option<i64> = row.get("done_at")?;
    Ok(Decision {
        id: row.get("id")?,
        what: NewDecision {
            client: row.get("client")?,
            import: word(row, "import")?,
            verdict: verdict.ok_or_else(|| unreadable(Type::Text, "not a verdict"))?,
            lines: lines
                .collect::<std::result::Result<_, _>>()
                .map_err(|e| unreadable(Type::Text, e))?,
            digest: row.get("digest")?,
            who: row.get("who")?,
            at: instant(row, "at")?,
        },
        done_at: done_at.map(from_micros).transpose()?,
        refusal: row.get("refusal")?,
    })
}
