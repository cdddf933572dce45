//! What a directory does not keep for ever: old history, what old reports say, who somebody was that left long ago.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::events::{self, Event};
use super::{Directory, from_json, listed, meta, search, to_json};
use crate::error::Result;
use crate::import::fields::{Field, FieldKey};
use crate::import::pseudonym::{CLEARED, RENAMED, Traces, pseudonym};
use crate::import::report::Report;
use crate::model::UploadId;
use crate::store::{failed, to_micros, word};

impl Directory {
    /// Drops the changes of imports and events before an instant: the directory of an earlier day is then not known any
    /// more. Values, imports and their reports stay. Returns how many changes went.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn forget_before(&mut self, before: Timestamp) -> Result<u64> {
        let forget = |conn: &mut Connection| -> rusqlite::Result<u64> {
            let last = last_before(conn, before)?;
            let known: i64 =
                conn.query_row("SELECT forgotten FROM directory", [], |row| row.get(0))?;
            if last <= known {
                return Ok(0);
            }
            let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let gone = tx.execute("DELETE FROM changes WHERE import <= ?1", [last])?;
            tx.execute("DELETE FROM undo_points WHERE import <= ?1", [last])?;
            tx.execute("DELETE FROM lifted_protections WHERE import <= ?1", [last])?;
            tx.execute("UPDATE directory SET forgotten = ?1", [last])?;
            tx.commit()?;
            Ok(u64::try_from(gone).unwrap_or(u64::MAX))
        };
        forget(&mut self.conn).map_err(failed("drop old history"))
    }

    /// Leaves of the reports of imports before an instant only what is no person's: status, counts, columns. What still
    /// waits for a decision keeps its report. Returns how many reports were emptied.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn strip_reports(&mut self, before: Timestamp) -> Result<u64> {
        let strip = |conn: &mut Connection| -> rusqlite::Result<u64> {
            let done: i64 =
                conn.query_row("SELECT stripped FROM directory", [], |row| row.get(0))?;
            let waiting: Option<i64> = conn.query_row(
                "SELECT min(import) FROM (SELECT import FROM holds UNION ALL SELECT import FROM pending_rows)",
                [],
                |row| row.get(0),
            )?;
            let last = last_before(conn, before)?.min(waiting.map_or(i64::MAX, |seq| seq - 1));
            if last <= done {
                return Ok(0);
            }
            let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let stripped = rewrite_reports(&tx, done, last, |report| {
                report.strip();
                true
            })?;
            tx.execute("UPDATE directory SET stripped = ?1", [last])?;
            tx.commit()?;
            Ok(u64::try_from(stripped.len()).unwrap_or(u64::MAX))
        };
        strip(&mut self.conn).map_err(failed("empty old reports"))
    }

    /// The users whose contract ended before a day, or whose creation was taken back before that, and whom no folder's
    /// last full file lists any more; those who have a pseudonym already are left out.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn left_before(&self, day: Date, instant: Timestamp) -> Result<Vec<i64>> {
        let read = || -> rusqlite::Result<Vec<i64>> {
            let mut lists =
                self.conn.prepare("SELECT listed FROM sources WHERE listed IS NOT NULL")?;
            let mut rows = lists.query([])?;
            let mut present = BTreeSet::new();
            while let Some(row) = rows.next()? {
                present.extend(listed::unpack(row.get_ref(0)?.as_blob()?));
            }
            let gone: Vec<i64> = self
                .conn
                .prepare(
                    "SELECT users.id FROM users LEFT JOIN imports ON imports.seq = users.withdrawn
                     WHERE (withdrawn = 0 AND contract_end < ?1 OR withdrawn <> 0 AND applied_at < ?2)
                     AND users.id NOT IN (SELECT user FROM pseudonyms) ORDER BY users.id",
                )?
                .query_map(params![day.to_string(), to_micros(instant)], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            Ok(gone.into_iter().filter(|user| !present.contains(user)).collect())
        };
        read().map_err(failed("look for users who left long ago"))
    }

    /// Everything that has named these users.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn traces(&self, users: &[i64]) -> Result<Traces> {
        let read = || -> rusqlite::Result<Traces> {
            let mut traces = Traces::default();
            for user in users {
                traces.add(*user, &named(&self.conn, *user)?);
            }
            Ok(traces)
        };
        read().map_err(failed("read what names users"))
    }

    /// Gives users their pseudonyms: in their values, their history and every report; what was there is overwritten on
    /// the disk. Returns the imports whose reports have changed and are owed again.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn pseudonymise(
        &mut self,
        event: &Event,
        users: &[i64],
        traces: &Traces,
    ) -> Result<Vec<UploadId>> {
        let replace = |conn: &mut Connection| -> rusqlite::Result<Vec<UploadId>> {
            conn.pragma_update(None, "secure_delete", true)?;
            let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let change_number = meta(&tx)?.change_number + 1;
            let seq = events::insert(&tx, event, change_number)?;
            for user in users {
                rename(&tx, *user)?;
                search::forget(&tx, *user)?;
                tx.prepare_cached("INSERT INTO pseudonyms (user, import) VALUES (?1, ?2)")?
                    .execute([*user, seq])?;
            }
            let changed = rewrite_reports(&tx, 0, i64::MAX, |report| traces.leave(report))?;
            tx.execute("UPDATE directory SET change_number = ?1", [change_number])?;
            tx.commit()?;
            // The write-ahead log still has the pages as they were before.
            conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
            Ok(changed)
        };
        replace(&mut self.conn).map_err(failed("give users who left their pseudonyms"))
    }
}

/// The last place in the order of imports and events such that everything up to it is older than an instant.
fn last_before(conn: &Connection, before: Timestamp) -> rusqlite::Result<i64> {
    let newer: Option<i64> = conn.query_row(
        "SELECT min(seq) FROM imports WHERE applied_at >= ?1",
        [to_micros(before)],
        |row| row.get(0),
    )?;
    match newer {
        Some(newer) => Ok(newer - 1),
        None => conn.query_row("SELECT coalesce(max(seq), 0) FROM imports", [], |row| row.get(0)),
    }
}

/// Rewrites the reports of the imports after one place up to another, where `change` says that it changed something.
fn rewrite_reports(
    tx: &Connection,
    after: i64,
    last: i64,
    change: impl Fn(&mut Report) -> bool,
) -> rusqlite::Result<Vec<UploadId>> {
    let mut next = tx.prepare_cached(
        "SELECT seq, id, report FROM imports WHERE seq > ?1 AND seq <= ?2 AND report <> ''
         ORDER BY seq LIMIT 1",
    )?;
    let mut changed = Vec::new();
    let mut at = after;
    loop {
        let found = next
            .query_row([at, last], |row| {
                Ok((row.get::<_, i64>(0)?, word(row, "id")?, row.get::<_, String>(2)?))
            })
            .optional()?;
        let Some((seq, id, json)) = found else { return Ok(changed) };
        at = seq;
        let mut report: Report = from_json(&json)?;
        if change(&mut report) {
            tx.prepare_cached("UPDATE imports SET report = ?2 WHERE seq = ?1")?
                .execute(params![seq, to_json(&report)?])?;
            changed.push(id);
        }
    }
}

/// The values that a user's personal fields have or had.
fn named(conn: &Connection, user: i64) -> rusqlite::Result<Vec<(Field, String)>> {
    let mut values = Vec::new();
    let mut of_change = conn.prepare_cached(
        "SELECT before FROM changes WHERE user = ?1 AND field = ?2 AND before IS NOT NULL
         UNION SELECT after FROM changes WHERE user = ?1 AND field = ?2 AND after IS NOT NULL",
    )?;
    for field in RENAMED.into_iter().chain(CLEARED) {
        let name = field.name();
        let sql = format!("SELECT {name} FROM users WHERE id = ?1 AND {name} IS NOT NULL");
        let now: Option<String> =
            conn.prepare_cached(&sql)?.query_row([user], |row| row.get(0)).optional()?;
        values.extend(now.map(|value| (field, value)));
        for value in of_change.query_map(params![user, name], |row| row.get(0))? {
            values.push((field, value?));
        }
    }
    Ok(values)
}

fn rename(tx: &Connection, user: i64) -> rusqlite::Result<()> {
    for field in RENAMED {
        let (name, value) = (field.name(), pseudonym(user, field));
        tx.prepare_cached(&format!(
            "UPDATE users SET {name} = ?2 WHERE id = ?1 AND {name} IS NOT NULL"
        ))?
        .execute(params![user, value])?;
        tx.prepare_cached(
            "UPDATE changes SET before = iif(before IS NULL, NULL, ?3), after = iif(after IS NULL, NULL, ?3)
             WHERE user = ?1 AND field = ?2",
        )?
        .execute(params![user, name, value])?;
    }
    for field in CLEARED {
        let name = field.name();
        tx.prepare_cached(&format!("UPDATE users SET {name} = NULL WHERE id = ?1"))?
            .execute([user])?;
        tx.prepare_cached("DELETE FROM changes WHERE user = ?1 AND field = ?2")?
            .execute(params![user, FieldKey::Known(field).to_string()])?;
    }
    for sql in [
        "DELETE FROM changes WHERE user = ?1 AND field LIKE 'custom.%'",
        "DELETE FROM custom_values WHERE user = ?1",
        "DELETE FROM manager_wishes WHERE user = ?1",
        "DELETE FROM protections WHERE user = ?1",
        "DELETE FROM lifted_protections WHERE user = ?1",
    ] {
        tx.prepare_cached(sql)?.execute([user])?;
    }
    Ok(())
}
