//! The audit trail: who did what to which object, newest first.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

use super::Registry;
use super::events::{NewEvent, insert_events};
use crate::error::Result;
use crate::store::{failed, instant, to_micros};

/// The schema's step that finds what one person did, and which kinds of entries there are.
pub(super) const STEP_LISTS: &str = r"
CREATE INDEX audit_by_what ON audit(what);
CREATE INDEX audit_by_who ON audit(who, id);
";

/// Somebody did something that others may ask about later.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct AuditEvent {
    /// When.
    pub at: Timestamp,
    /// Who: an administrator, `token NAME`, `cli`, or an account's login.
    pub who: String,
    /// What: `account.add`, `import.undo` …
    pub what: String,
    /// To which client, account, folder or import.
    pub object: String,
    /// The rest, in words.
    pub detail: String,
}

/// An entry of the trail.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct AuditEntry {
    /// Its number: later entries have higher ones.
    pub id: i64,
    /// What happened.
    #[serde(flatten)]
    pub event: AuditEvent,
}

/// Which entries to list; an empty filter lists the newest.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Only what this one did.
    pub who: Option<String>,
    /// Only this (`account.add`) or what begins with it (`account`).
    pub what: Option<String>,
    /// Only entries whose object or details hold this.
    pub text: Option<String>,
    /// Not before this instant.
    pub from: Option<Timestamp>,
    /// Before this instant.
    pub to: Option<Timestamp>,
    /// Only entries before the one of this number.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: u32,
}

impl Registry {
    /// Adds to the audit trail, and tells other programs of it. An event without a client is that of the account it names.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn audit(&self, event: &AuditEvent, told: Option<NewEvent>) -> Result<()> {
        let event = event.clone();
        self.write(move |conn| {
            if let Some(mut told) = told {
                let tell = || -> rusqlite::Result<()> {
                    if told.client.is_none() {
                        told.client = conn
                            .prepare_cached("SELECT client FROM accounts WHERE login = ?1")?
                            .query_row([&told.subject], |row| row.get(0))
                            .optional()?;
                    }
                    insert_events(conn, &[told], event.at)
                };
                tell().map_err(failed("note what happened"))?;
            }
            conn.prepare_cached(
                "INSERT INTO audit (at, who, what, object, detail) VALUES (?1, ?2, ?3, ?4, ?5)",
            )
            .and_then(|mut s| {
                let at = to_micros(event.at);
                s.execute(params![at, event.who, event.what, event.object, event.detail])
            })
            .map_err(failed("write the audit trail"))?;
            Ok(())
        })
    }

    /// Entries of the audit trail, newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn audit_trail(&self, filter: &AuditFilter) -> Result<Vec<AuditEntry>> {
        self.read("read the audit trail", |conn| {
            // Named only where it is asked for: so its index serves.
            let by_who = if filter.who.is_some() { "who = ?2" } else { "?2 IS NULL" };
            conn.prepare_cached(&format!(
                "SELECT * FROM audit WHERE id < ?1 AND {by_who}
                     AND (?3 IS NULL OR what = ?3 OR substr(what, 1, length(?3) + 1) = ?3 || '.')
                     AND (?4 IS NULL OR instr(lower(object), lower(?4)) OR instr(lower(detail), lower(?4)))
                     AND (?5 IS NULL OR at >= ?5) AND (?6 IS NULL OR at < ?6)
                 ORDER BY id DESC LIMIT ?7"
            ))?
            .query_map(
                params![
                    filter.before.unwrap_or(i64::MAX),
                    filter.who,
                    filter.what,
                    filter.text,
                    filter.from.map(to_micros),
                    filter.to.map(to_micros),
                    filter.limit
                ],
                entry,
            )?
            .collect()
        })
    }

    /// What has been done at all: the words that [`AuditFilter::what`] can name.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn audit_kinds(&self) -> Result<Vec<String>> {
        self.read("read what the audit trail knows", |conn| {
            // From one word to the next in the index: there are few of them among very many entries.
            conn.prepare_cached(
                "WITH RECURSIVE kinds(what) AS (SELECT min(what) FROM audit UNION ALL
                     SELECT (SELECT min(what) FROM audit WHERE what > kinds.what) FROM kinds
                     WHERE kinds.what IS NOT NULL)
                 SELECT what FROM kinds WHERE what IS NOT NULL",
            )?
            .query_map([], |row| row.get(0))?
            .collect()
        })
    }
}

fn entry(row: &Row<'_>) -> rusqlite::Result<AuditEntry> {
    let event = AuditEvent {
        at: instant(row, "at")?,
        who: row.get("who")?,
        what: row.get("what")?,
        object: row.get("object")?,
        detail: row.get("detail")?,
    };
    Ok(AuditEntry { id: row.get("id")?, event })
}
