//! Who is absent from a source's full files, and the ends that absence has set.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, params};

use super::trail::Step;
use super::undo::Taken;
use crate::import::directory::{Absence, AbsenceEnd};
use crate::import::fields::{Field, FieldKey};
use crate::import::plan::{Plan, UserWrite};
use crate::store::word;

/// The schema's step. Of ends that absence has set already, the history says what stood before.
pub(super) const STEP: &str = r"
-- The end that stood before, if any; presence gives it back.
ALTER TABLE absence_ends ADD COLUMN was TEXT;
UPDATE absence_ends SET was = (
    SELECT before FROM changes
    WHERE changes.user = absence_ends.user AND field = 'contract_end' AND line = 0 AND after = last_day
          AND NOT EXISTS (SELECT 1 FROM events WHERE events.import = changes.import)
    ORDER BY import DESC LIMIT 1);
";

/// Keeps an end that absence set. One that it moves once more took the place of what stood before the first.
const KEEP: &str = "INSERT INTO absence_ends (user, last_day, was) VALUES (?1, ?2, ?3)
     ON CONFLICT (user) DO UPDATE SET last_day = excluded.last_day,
         was = iif(absence_ends.last_day IS excluded.was, absence_ends.was, excluded.was)";

const END: FieldKey = FieldKey::Known(Field::ContractEnd);

/// Who is absent from a source's full files.
pub(super) fn read(conn: &Connection, source: &str) -> rusqlite::Result<HashMap<i64, Absence>> {
    conn.prepare_cached("SELECT user, first_day, files, last_day FROM absences WHERE source = ?1")?
        .query_map([source], |row| {
            let absence = Absence {
                first_day: word(row, "first_day")?,
                files: row.get("files")?,
                last_day: word(row, "last_day")?,
            };
            Ok((row.get("user")?, absence))
        })?
        .collect()
}

/// The ends that absence set, by user.
pub(super) fn read_ends(conn: &Connection) -> rusqlite::Result<HashMap<i64, AbsenceEnd>> {
    conn.prepare_cached("SELECT user, last_day, was FROM absence_ends")?
        .query_map([], |row| {
            Ok((row.get(0)?, AbsenceEnd { last_day: row.get(1)?, was: row.get(2)? }))
        })?
        .collect()
}

/// Forgets a source's absences: what counted them was taken back.
pub(super) fn forget(conn: &Connection, source: &str) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM absences WHERE source = ?1")?.execute([source])?;
    Ok(())
}

/// Keeps what an applied plan says of absences; the users are written already.
pub(super) fn write(conn: &Connection, plan: &Plan, source: &str) -> rusqlite::Result<()> {
    if let Some(absences) = &plan.absences {
        forget(conn, source)?;
        let mut insert = conn.prepare_cached(
            "INSERT INTO absences (source, user, first_day, files, last_day)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        for (user, absence) in absences {
            insert.execute(params![
                source,
                user,
                absence.first_day.to_string(),
                absence.files,
                absence.last_day.to_string()
            ])?;
        }
    }
    if !plan.writes.iter().any(|write| end_of(write).is_some()) {
        return Ok(());
    }
    let mut keep = conn.prepare_cached(KEEP)?;
    let ended: HashSet<i64> = plan.ended_by_absence.iter().copied().collect();
    for write in plan.writes.iter().filter(|w| ended.contains(&w.user_id)) {
        if let Some((was, Some(last_day))) = end_of(write) {
            keep.execute(params![write.user_id, last_day, was])?;
        }
    }
    // An end that somebody has moved since is not absence's any more.
    conn.prepare_cached(
        "DELETE FROM absence_ends WHERE last_day IS NOT
             (SELECT contract_end FROM users WHERE users.id = absence_ends.user)",
    )?
    .execute([])?;
    Ok(())
}

/// An end that absence had set returns by an undo: it is absence's again, and presence lifts it. Of an import only absence
/// writes without a line; edits and undos, which have none either, are events.
pub(super) fn end_again(conn: &Connection, taken: &Taken, origin: &Step) -> rusqlite::Result<()> {
    let Some(last_day) = &taken.back else { return Ok(()) };
    let cuts = origin.before.as_ref().is_none_or(|before| before > last_day);
    if cuts && is_by_absence(conn, &taken.field, origin)? {
        conn.prepare_cached(KEEP)?.execute(params![taken.user, last_day, origin.before])?;
    }
    Ok(())
}

/// An end that an undone import had set does not return, although absence has taken its place since: what stood before
/// that import does.
pub(super) fn forget_end(
    conn: &Connection,
    user: i64,
    undone: &Step,
    before: Option<&str>,
) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE absence_ends SET was = ?3 WHERE user = ?1 AND was IS ?2")?
        .execute(params![user, undone.after, before])?;
    Ok(())
}

/// Whether absence has set this value, or presence has given it back, where no row says so.
pub(super) fn is_by_absence(
    conn: &Connection,
    field: &FieldKey,
    step: &Step,
) -> rusqlite::Result<bool> {
    Ok(*field == END && step.line == 0 && !is_event(conn, step.import)?)
}

fn is_event(conn: &Connection, place: i64) -> rusqlite::Result<bool> {
    conn.prepare_cached("SELECT 1 FROM events WHERE import = ?1")?.exists([place])
}

/// The end of contract that a write replaces, and the one that it sets, if it moves it.
fn end_of(write: &UserWrite) -> Option<(Option<&str>, Option<&str>)> {
    let change = write.changes().iter().find(|change| change.field == END)?;
    Some((change.from.as_deref(), change.to.as_deref()))
}
