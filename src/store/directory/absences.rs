//! Who is absent from a source's full files, and the ends that absence has set.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, params};

use super::trail::Step;
use super::undo::Taken;
use crate::import::directory::Absence;
use crate::import::fields::{Field, FieldKey};
use crate::import::plan::{Plan, UserWrite};
use crate::store::word;

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

/// The last days that absence gave, by user.
pub(super) fn read_ends(conn: &Connection) -> rusqlite::Result<HashMap<i64, String>> {
    conn.prepare_cached("SELECT user, last_day FROM absence_ends")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
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
    // An end that somebody has moved since is not absence's any more.
    conn.prepare_cached(
        "DELETE FROM absence_ends WHERE last_day IS NOT
             (SELECT contract_end FROM users WHERE users.id = absence_ends.user)",
    )?
    .execute([])?;
    let mut insert = conn.prepare_cached(
        "INSERT INTO absence_ends (user, last_day) VALUES (?1, ?2)
         ON CONFLICT (user) DO UPDATE SET last_day = excluded.last_day",
    )?;
    let ended: HashSet<i64> = plan.ended_by_absence.iter().copied().collect();
    for write in plan.writes.iter().filter(|w| ended.contains(&w.user_id)) {
        if let Some(Some(last_day)) = end_of(write) {
            insert.execute(params![write.user_id, last_day])?;
        }
    }
    Ok(())
}

/// An end that absence had set returns by an undo: it is absence's again, and presence lifts it. Of an import only absence
/// writes without a line; edits and undos, which have none either, are events.
pub(super) fn end_again(conn: &Connection, taken: &Taken, origin: &Step) -> rusqlite::Result<()> {
    if taken.field != END || origin.line != 0 {
        return Ok(());
    }
    let Some(last_day) = &taken.back else { return Ok(()) };
    conn.prepare_cached(
        "INSERT INTO absence_ends (user, last_day)
         SELECT ?1, ?2 WHERE NOT EXISTS (SELECT 1 FROM events WHERE events.import = ?3)
         ON CONFLICT (user) DO UPDATE SET last_day = excluded.last_day",
    )?
    .execute(params![taken.user, last_day, origin.import])?;
    Ok(())
}

/// The end of contract that a write sets or removes.
fn end_of(write: &UserWrite) -> Option<Option<&str>> {
    write.changes().iter().find(|change| change.field == END).map(|change| change.to.as_deref())
}
