//! The directory as a plan of one source sees it, read at one instant.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use rusqlite::Connection;

use super::users::users_now;
use super::{Directory, listed, meta, source_memory};
use crate::error::Result;
use crate::import::directory::Snapshot;
use crate::import::fields::Field;
use crate::store::{failed, unreadable};

impl Directory {
    /// The whole directory at one instant, for planning an import of `source`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn snapshot(&self, source: &str) -> Result<Snapshot> {
        let read = || -> rusqlite::Result<Snapshot> {
            let tx = self.conn.unchecked_transaction()?;
            let meta = meta(&tx)?;
            Ok(Snapshot {
                change_number: meta.change_number,
                next_user_id: meta.next_user_id,
                users: users_now(&tx, i64::MAX)?,
                lists: lists(&tx)?,
                source: source_memory(&tx, source)?,
                listed_elsewhere: listed_elsewhere(&tx, source)?,
                list_names: BTreeMap::new(),
                absences: HashMap::new(),
                ended_by_absence: HashMap::new(),
                manager_wishes: HashMap::new(),
                protected: HashMap::new(),
            })
        };
        read().map_err(failed("read the directory"))
    }
}

/// The users whom the last full file of any other source listed.
fn listed_elsewhere(conn: &Connection, source: &str) -> rusqlite::Result<HashSet<i64>> {
    let mut others = conn
        .prepare_cached("SELECT listed FROM sources WHERE source <> ?1 AND listed IS NOT NULL")?;
    let mut rows = others.query([source])?;
    let mut users = HashSet::new();
    while let Some(row) = rows.next()? {
        users.extend(listed::unpack(row.get_ref(0)?.as_blob()?));
    }
    Ok(users)
}

fn lists(conn: &Connection) -> rusqlite::Result<BTreeMap<Field, BTreeSet<String>>> {
    let mut lists: BTreeMap<Field, BTreeSet<String>> = BTreeMap::new();
    let mut all = conn.prepare_cached("SELECT field, code FROM lists")?;
    let mut rows = all.query([])?;
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        let field = Field::from_name(&name).ok_or_else(|| {
            unreadable(rusqlite::types::Type::Text, format!("\"{name}\" is not a field"))
        })?;
        lists.entry(field).or_default().insert(row.get(1)?);
    }
    Ok(lists)
}
