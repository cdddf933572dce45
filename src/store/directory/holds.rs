//! What waits for somebody's decision: held imports, and rows of applied imports (renumberings, identity swaps).

use std::collections::BTreeSet;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, params};

use super::apply::{self, Applied};
use super::trail::{Undone, trails};
use super::{Directory, Event, ImportRecord, events, from_json, meta, to_json};
use crate::error::{Error, Kind, Result};
use crate::import::codes::Code;
use crate::import::plan::{Ending, FieldChange, Newcomers, Plan, ended};
use crate::import::report::Report;
use crate::import::settings::Mode;
use crate::model::{ImportStatus, UploadId, VPath};
use crate::store::{failed, instant, to_micros, word};

/// An import that waits for somebody's decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The import's id.
    pub id: UploadId,
    /// The import folder's name.
    pub source: String,
    /// The account's login; empty for `rollcall import`.
    pub login: String,
    /// The upload's address below the account's root.
    pub path: VPath,
    /// The file's SHA-256, 64 hex digits.
    pub sha256: String,
    /// When the upload was committed.
    pub received_at: Timestamp,
    /// Since when it is held.
    pub held_at: Timestamp,
    /// What the plan would write, as one number: only this plan is approved.
    pub digest: String,
}

/// A row of an applied import that waits for somebody's decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// The import's id.
    pub import: UploadId,
    /// The row number that a spreadsheet shows.
    pub line: u32,
    /// D104 or D105.
    pub code: String,
}

const HOLD: &str = "SELECT imports.id, source, login, path, sha256, received_at, applied_at, digest
     FROM holds JOIN imports ON imports.seq = holds.import";

impl Directory {
    /// The held imports in the order in which they were received. Their archived files are needed until somebody decides.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn holds(&self) -> Result<Vec<Hold>> {
        let read = || -> rusqlite::Result<Vec<Hold>> {
            self.conn
                .prepare_cached(&format!("{HOLD} ORDER BY received_at, seq"))?
                .query_map([], hold)?
                .collect()
        };
        read().map_err(failed("list held imports"))
    }

    /// The held import with this id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn hold(&self, id: UploadId) -> Result<Option<Hold>> {
        let read = || -> rusqlite::Result<Option<Hold>> {
            self.conn
                .prepare_cached(&format!("{HOLD} WHERE imports.id = ?1"))?
                .query_row([id.to_string()], hold)
                .optional()
        };
        read().map_err(failed(format_args!("look for the held import {id}")))
    }

    /// The rows of applied imports that wait, by import and line. Their archived files are needed until somebody decides.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn pending_rows(&self) -> Result<Vec<Pending>> {
        let read = || -> rusqlite::Result<Vec<Pending>> {
            self.conn
                .prepare_cached(
                    "SELECT id, line, code FROM pending_rows
                     JOIN imports ON imports.seq = pending_rows.import ORDER BY seq, line",
                )?
                .query_map([], |row| {
                    Ok(Pending {
                        import: word(row, "id")?,
                        line: row.get("line")?,
                        code: row.get("code")?,
                    })
                })?
                .collect()
        };
        read().map_err(failed("list rows that wait for approval"))
    }

    /// Applies the plan of a held import in the place of its hold, with the same id and a new place in the order, or holds
    /// it anew. [`Applied::Already`]: it is not held any more; nothing was written.
    ///
    /// # Errors
    /// `Kind::Conflict` when the directory has moved since the plan's snapshot: plan again.
    pub fn apply_held(&mut self, plan: &Plan, record: &ImportRecord) -> Result<Applied> {
        self.apply_with(plan, &Newcomers::default(), record, |tx| release(tx, record.id))
    }

    /// Ends a hold without applying anything; its report is owed again. `false`: it is not held any more.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn end_hold(&mut self, id: UploadId, report: &Report) -> Result<bool> {
        let what = || failed(format!("end the hold of import {id}"));
        let tx =
            self.conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(what())?;
        let ended = end(&tx, id, report).map_err(what())?;
        tx.commit().map_err(what())?;
        Ok(ended)
    }

    /// Applies what a plan does for approved rows of an import, as an event of its own, together with that import's report.
    /// [`Applied::Already`]: one of the rows does not wait any more; nothing was written.
    ///
    /// # Errors
    /// `Kind::Conflict` when the directory has moved since the plan's snapshot: plan again.
    pub fn approve_rows(
        &mut self,
        plan: &Plan,
        event: &Event,
        lines: &BTreeSet<u32>,
        report: &Report,
    ) -> Result<Applied> {
        let Some(import) = event.about else { return Ok(Applied::Already) };
        let what = || failed(format!("approve rows of import {import}"));
        let tx =
            self.conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(what())?;
        if !settle_rows(&tx, import, lines, report).map_err(what())? {
            return Ok(Applied::Already);
        }
        let before = meta(&tx).map_err(what())?.change_number;
        if before != plan.change_number {
            let message = format!("the directory moved while rows of import {import} were planned");
            return Err(Error::new(Kind::Conflict, message));
        }
        let seq = events::insert(&tx, event, before + 1).map_err(what())?;
        apply::write_all(&tx, plan, &Newcomers::default(), &event.source, seq, before + 1)?;
        tx.commit().map_err(what())?;
        Ok(Applied::Now)
    }

    /// Whether one of these changes, of a user by an import's row, would overwrite what was written after that import.
    /// What was written and taken back since does not count.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn has_moved(&self, import: UploadId, user: i64, changes: &[FieldChange]) -> Result<bool> {
        let read = || -> rusqlite::Result<bool> {
            let tx = self.conn.unchecked_transaction()?;
            let seq: Option<i64> = tx
                .prepare_cached("SELECT seq FROM imports WHERE id = ?1")?
                .query_row([import.to_string()], |row| row.get(0))
                .optional()?;
            let trails = trails(&tx, &Undone::read(&tx)?, "?1", [user])?;
            Ok(changes.iter().any(|change| {
                let steps = trails.get(&(user, change.field.clone())).into_iter().flatten();
                let later = steps.filter(|step| Some(step.import) > seq);
                // Told by the value that the row was looked at with.
                later.take(1).any(|step| step.before.as_deref() != change.from.as_deref())
            }))
        };
        read()
            .map_err(failed(format_args!("look what became of user {user} since import {import}")))
    }

    /// Drops rows of an import that wait; its report is owed again. `false`: one of them does not wait any more.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn discard_rows(
        &mut self,
        import: UploadId,
        lines: &BTreeSet<u32>,
        report: &Report,
    ) -> Result<bool> {
        let what = || failed(format!("discard rows of import {import}"));
        let tx =
            self.conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(what())?;
        let settled = settle_rows(&tx, import, lines, report).map_err(what())?;
        if settled {
            tx.commit().map_err(what())?;
        }
        Ok(settled)
    }
}

fn hold(row: &Row<'_>) -> rusqlite::Result<Hold> {
    Ok(Hold {
        id: word(row, "id")?,
        source: row.get("source")?,
        login: row.get("login")?,
        path: word(row, "path")?,
        sha256: row.get("sha256")?,
        received_at: instant(row, "received_at")?,
        held_at: instant(row, "applied_at")?,
        digest: row.get("digest")?,
    })
}

/// Takes a held import out, so that it can be recorded anew. An import that is not held stays where it is.
fn release(tx: &Connection, id: UploadId) -> rusqlite::Result<()> {
    let held = "SELECT import FROM holds JOIN imports ON imports.seq = holds.import WHERE id = ?1";
    let held: Option<i64> =
        tx.prepare_cached(held)?.query_row([id.to_string()], |row| row.get(0)).optional()?;
    let Some(seq) = held else { return Ok(()) };
    // What a held import has written is this and nothing else.
    tx.prepare_cached("DELETE FROM unmapped WHERE import = ?1")?.execute([seq])?;
    tx.prepare_cached("DELETE FROM holds WHERE import = ?1")?.execute([seq])?;
    tx.prepare_cached("DELETE FROM imports WHERE seq = ?1")?.execute([seq])?;
    Ok(())
}

/// What an import that was just recorded leaves waiting, and which older holds of its source it makes needless.
pub(super) fn settle(
    tx: &Connection,
    plan: &Plan,
    record: &ImportRecord,
    import: i64,
) -> rusqlite::Result<()> {
    let report = &plan.report;
    if report.dry_run {
        return Ok(());
    }
    if report.status == ImportStatus::Held {
        tx.prepare_cached("INSERT INTO holds (import, digest) VALUES (?1, ?2)")?
            .execute(params![import, plan.digest.as_deref().unwrap_or_default()])?;
        return Ok(());
    }
    let repeated = match report.status {
        ImportStatus::Duplicate => super::source_memory(tx, &record.source)?.import,
        _ => None,
    };
    let mode = match &repeated {
        // The same bytes again are a full file if they were one the first time.
        Some(import) => mode_of(tx, import)?,
        None => Some(report.mode).filter(|_| report.status.is_applied()),
    };
    if mode == Some(Mode::Full) {
        supersede(tx, record, repeated.as_deref())?;
    }
    // Also when every row was refused: a file may hold nothing but a renumbering.
    for row in report.pending_rows.iter().filter(|row| row.decided.is_none()) {
        tx.prepare_cached("INSERT INTO pending_rows (import, line, code) VALUES (?1, ?2, ?3)")?
            .execute(params![import, row.line, row.code.name()])?;
    }
    Ok(())
}

/// Whether an import was of a full file.
fn mode_of(tx: &Connection, import: &str) -> rusqlite::Result<Option<Mode>> {
    let report: Option<String> = tx
        .prepare_cached("SELECT report FROM imports WHERE id = ?1")?
        .query_row([import], |row| row.get(0))
        .optional()?;
    let report: Option<Report> = report.map(|json| from_json(&json)).transpose()?;
    Ok(report.map(|report| report.mode))
}

/// A later full file says it all: what older files of its source wait for is needless. What only repeats an import
/// (its id) says nothing anew, and the rows of that one go on waiting.
fn supersede(
    tx: &Connection,
    record: &ImportRecord,
    repeated: Option<&str>,
) -> rusqlite::Result<()> {
    let received = to_micros(record.received_at);
    let mut older = tx.prepare_cached(
        "SELECT imports.id AS id, report FROM holds JOIN imports ON imports.seq = holds.import
         WHERE source = ?1 AND received_at <= ?2",
    )?;
    let found = older.query_map(params![record.source, received], |row| {
        Ok((word::<UploadId>(row, "id")?, row.get::<_, String>("report")?))
    })?;
    for found in found.collect::<rusqlite::Result<Vec<_>>>()? {
        let (id, report) = found;
        let newer = record.id.to_string();
        end(tx, id, &ended(from_json(&report)?, &Ending::Superseded(&newer)))?;
    }
    tx.prepare_cached(
        "DELETE FROM pending_rows WHERE import IN
             (SELECT seq FROM imports WHERE source = ?1 AND received_at <= ?2 AND id IS NOT ?3)",
    )?
    .execute(params![record.source, received, repeated])?;
    Ok(())
}

fn end(tx: &Connection, id: UploadId, report: &Report) -> rusqlite::Result<bool> {
    let gone = tx
        .prepare_cached("DELETE FROM holds WHERE import = (SELECT seq FROM imports WHERE id = ?1)")?
        .execute([id.to_string()])?;
    if gone > 0 {
        set_report(tx, id, report)?;
    }
    Ok(gone > 0)
}

/// Takes rows off the list of those that wait, all of them or none.
fn settle_rows(
    tx: &Connection,
    import: UploadId,
    lines: &BTreeSet<u32>,
    report: &Report,
) -> rusqlite::Result<bool> {
    let mut waiting = tx.prepare_cached(
        "DELETE FROM pending_rows
         WHERE line = ?2 AND import = (SELECT seq FROM imports WHERE id = ?1)",
    )?;
    for line in lines {
        if waiting.execute(params![import.to_string(), line])? == 0 {
            return Ok(false);
        }
    }
    set_report(tx, import, report)?;
    Ok(true)
}

/// Replaces an import's report; its files are owed again.
fn set_report(tx: &Connection, id: UploadId, report: &Report) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "UPDATE imports SET status = ?2, counts = ?3, report = ?4, reports_written = 0 WHERE id = ?1",
    )?
    .execute(params![
        id.to_string(),
        report.status.name(),
        to_json(&report.counts)?,
        to_json(report)?
    ])?;
    Ok(())
}

impl Pending {
    /// Whether it is an identity swap, which nobody approves by a dropped file.
    #[must_use]
    pub fn is_swap(&self) -> bool {
        Code::from_name(&self.code).is_some_and(|code| code.name() == "D105")
    }
}
