//! The directory as a plan of one source sees it, read at one instant.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension};

use super::users::users_now;
use super::{Directory, absences, listed, lists, meta, prints, protections, source_memory, wishes};
use crate::error::Result;
use crate::import::directory::{Snapshot, User};
use crate::store::failed;

impl Directory {
    /// The whole directory at one instant, for planning an import of `source`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn snapshot(&self, source: &str) -> Result<Snapshot> {
        let read = || -> rusqlite::Result<Snapshot> {
            let tx = self.conn.unchecked_transaction()?;
            let users = users_now(&tx, i64::MAX)?;
            around(&tx, source, users)
        };
        read().map_err(failed("read the directory"))
    }
}

/// These users and everything else that a plan of `source` has to know.
pub(super) fn around(
    tx: &Connection,
    source: &str,
    users: Vec<User>,
) -> rusqlite::Result<Snapshot> {
    let meta = meta(tx)?;
    let mut snapshot = Snapshot {
        secret: prints::secret(tx)?,
        change_number: meta.change_number,
        next_user_id: meta.next_user_id,
        users,
        lists: lists::codes(tx)?,
        source: source_memory(tx, source)?,
        earlier: None,
        listed_elsewhere: listed_elsewhere(tx, source)?,
        list_names: lists::names(tx)?,
        absences: absences::read(tx, source)?,
        ended_by_absence: absences::read_ends(tx)?,
        manager_wishes: wishes::read(tx)?,
        ..Snapshot::default()
    };
    protections::read(tx, source, &mut snapshot)?;
    Ok(snapshot)
}

/// The users whom another source keeps: those whom its last full file listed, and those whom a source made that never
/// sent a full file, unless this source's own last full file had them too.
fn listed_elsewhere(conn: &Connection, source: &str) -> rusqlite::Result<HashSet<i64>> {
    let mut others =
        conn.prepare_cached("SELECT source, listed FROM sources WHERE source <> ?1")?;
    let mut rows = others.query([source])?;
    let mut users = HashSet::new();
    let mut never_full = Vec::new();
    while let Some(row) = rows.next()? {
        match row.get_ref("listed")?.as_blob_or_null()? {
            Some(blob) => users.extend(listed::unpack(blob)),
            None => never_full.push(row.get::<_, String>("source")?),
        }
    }
    if never_full.is_empty() {
        return Ok(users);
    }
    let own: Option<Vec<u8>> = conn
        .prepare_cached("SELECT listed FROM sources WHERE source = ?1")?
        .query_row([source], |row| row.get(0))
        .optional()?
        .flatten();
    let own: HashSet<i64> = listed::unpack(&own.unwrap_or_default()).into_iter().collect();
    let mut made = conn.prepare_cached(
        "SELECT users.id FROM users JOIN imports ON imports.seq = users.created_by
         WHERE imports.source = ?1",
    )?;
    for other in never_full {
        let mut ids = made.query([other])?;
        while let Some(row) = ids.next()? {
            let id = row.get(0)?;
            if !own.contains(&id) {
                users.insert(id);
            }
        }
    }
    Ok(users)
}
