//! Values that somebody else wrote over a source's: what that source said before, so that it does not undo them by saying it again (P701).

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, params};

use super::{from_json, listed};
use crate::import::directory::SourceMemory;
use crate::import::fields::FieldKey;
use crate::import::plan::Plan;
use crate::store::word;

/// The protected values of a source: what it said before.
pub(super) fn read(
    conn: &Connection,
    source: &str,
) -> rusqlite::Result<HashMap<(i64, FieldKey), Option<String>>> {
    conn.prepare_cached("SELECT user, field, said FROM protections WHERE source = ?1")?
        .query_map([source], |row| Ok(((row.get("user")?, word(row, "field")?), row.get("said")?)))?
        .collect()
}

/// Keeps what an applied plan overwrites of other sources, and drops what it does not protect any more.
pub(super) fn write(
    conn: &Connection,
    plan: &Plan,
    source: &str,
    import: i64,
) -> rusqlite::Result<()> {
    for (user, field) in &plan.unprotected {
        conn.prepare_cached(
            "INSERT INTO lifted_protections (import, user, field, source, said)
             SELECT ?4, user, field, source, said FROM protections
             WHERE source = ?1 AND user = ?2 AND field = ?3",
        )?
        .execute(params![source, user, field.to_string(), import])?;
        conn.prepare_cached(
            "DELETE FROM protections WHERE source = ?1 AND user = ?2 AND field = ?3",
        )?
        .execute(params![source, user, field.to_string()])?;
    }
    let protector = Protector::new(conn, Some(source))?;
    if protector.others.is_empty() {
        return Ok(());
    }
    for write in &plan.writes {
        for change in write.changes() {
            protector.protect(write.user_id, &change.field, change.from.as_deref())?;
        }
    }
    Ok(())
}

/// Protects a user's value again from the source whose import had ended that and is taken back.
pub(super) fn restore(
    conn: &Connection,
    user: i64,
    field: &FieldKey,
    import: i64,
) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT OR REPLACE INTO protections (source, user, field, said)
         SELECT source, user, field, said FROM lifted_protections
         WHERE import = ?1 AND user = ?2 AND field = ?3",
    )?
    .execute(params![import, user, field.to_string()])?;
    Ok(())
}

/// Protects what one writer (a source, or a person) writes from all other sources.
pub(super) struct Protector<'c> {
    conn: &'c Connection,
    others: Vec<Other>,
}

/// Another source.
struct Other {
    source: String,
    /// The users and fields of its last full file; `None`: it sends none and may speak of anybody.
    full: Option<(HashSet<i64>, Vec<String>)>,
}

impl<'c> Protector<'c> {
    /// For what `writer` writes; `None`: a person.
    pub(super) fn new(conn: &'c Connection, writer: Option<&str>) -> rusqlite::Result<Self> {
        let mut all = conn.prepare_cached("SELECT source, memory, listed FROM sources")?;
        let mut rows = all.query([])?;
        let mut others = Vec::new();
        while let Some(row) = rows.next()? {
            let source: String = row.get("source")?;
            if writer == Some(source.as_str()) {
                continue;
            }
            let memory: SourceMemory = from_json(&row.get::<_, String>("memory")?)?;
            let blob = row.get_ref("listed")?.as_blob_or_null()?;
            let full =
                blob.map(|blob| (listed::unpack(blob).into_iter().collect(), memory.columns));
            others.push(Other { source, full });
        }
        Ok(Self { conn, others })
    }

    /// A user's value is overwritten that was `before`: whoever said so before and says so again does not bring it back.
    pub(super) fn protect(
        &self,
        user: i64,
        field: &FieldKey,
        before: Option<&str>,
    ) -> rusqlite::Result<()> {
        let name = field.to_string();
        for other in &self.others {
            let speaks = match &other.full {
                Some((users, columns)) => users.contains(&user) && columns.contains(&name),
                None => true,
            };
            if speaks {
                self.conn
                    .prepare_cached(
                        "INSERT INTO protections (source, user, field, said) VALUES (?1, ?2, ?3, ?4)
                         ON CONFLICT DO NOTHING",
                    )?
                    .execute(params![other.source, user, name, before])?;
            }
        }
        Ok(())
    }
}
