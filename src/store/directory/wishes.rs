//! Managers whom nobody was found for, kept until they appear.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, params};

use crate::import::directory::ManagerWish;
use crate::import::fields::{Field, FieldKey};
use crate::import::plan::Plan;

/// The managers whom nobody was found for, by the user who waits for them.
pub(super) fn read(conn: &Connection) -> rusqlite::Result<HashMap<i64, ManagerWish>> {
    conn.prepare_cached("SELECT user, text, line FROM manager_wishes")?
        .query_map([], |row| {
            let wish = ManagerWish { text: row.get("text")?, line: row.get("line")? };
            Ok((row.get("user")?, wish))
        })?
        .collect()
}

/// Forgets whom a user waits for: somebody has settled the manager otherwise.
pub(super) fn forget(conn: &Connection, user: i64) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM manager_wishes WHERE user = ?1")?.execute([user])?;
    Ok(())
}

/// Keeps what an applied plan says of managers who were not found; the users are written already.
pub(super) fn write(conn: &Connection, plan: &Plan, import: i64) -> rusqlite::Result<()> {
    const MANAGER: FieldKey = FieldKey::Known(Field::Manager);
    let still: HashSet<i64> = plan
        .manager_wishes
        .iter()
        .filter(|(_, wish)| wish.is_some())
        .map(|(user, _)| *user)
        .collect();
    for write in plan.writes.iter().filter(|write| !still.contains(&write.user_id)) {
        if write.changes().iter().any(|change| change.field == MANAGER) {
            forget(conn, write.user_id)?;
        }
    }
    let mut insert = conn.prepare_cached(
        "INSERT INTO manager_wishes (user, import, text, line) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (user) DO UPDATE SET import = excluded.import, text = excluded.text, line = excluded.line",
    )?;
    for (user, wish) in &plan.manager_wishes {
        match wish {
            Some(wish) => drop(insert.execute(params![user, import, wish.text, wish.line])?),
            None => forget(conn, *user)?,
        }
    }
    Ok(())
}
