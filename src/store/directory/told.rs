//! What has been written to users since some place in the order of imports and events: for those who are told of it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::events::EventKind;
use super::{Directory, meta};
use crate::error::Result;
use crate::import::fields::Field;
use crate::model::UploadId;
use crate::store::{failed, instant, unreadable, word};

/// How far somebody has been told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The last import or event.
    pub seq: i64,
    /// The last user's number: whoever is new has a larger one.
    pub user: i64,
}

/// One import or event, by what it did to users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// Its place.
    pub seq: i64,
    /// Its id: an import's, or an event's own.
    pub id: UploadId,
    /// What it was; `None`: the import of a file.
    pub kind: Option<EventKind>,
    /// The import that it is about, for an undo or an approval.
    pub about: Option<UploadId>,
    /// Who did it, where it was no file.
    pub who: Option<String>,
    /// When.
    pub at: Timestamp,
    /// Whom it touched; `None`: more than were asked for.
    pub users: Option<Vec<Touched>>,
    /// Counts of an import's report, as JSON.
    pub counts: String,
}

/// What became of one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touched {
    /// The number.
    pub user: i64,
    /// What.
    pub how: How,
}

/// What became of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// New.
    Created,
    /// These fields changed; whether the contract got an end.
    Changed {
        /// Their names.
        fields: Vec<String>,
        /// The contract's end was set, or set anew.
        ended: bool,
    },
    /// Withdrawn with the import that had created it.
    Withdrawn,
}

impl Directory {
    /// Where the order of imports and events has come to.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn last_place(&self) -> Result<Place> {
        last_place(&self.conn).map_err(failed("read how far the directory has come"))
    }

    /// What was done to users after `since`, oldest first, and how far that goes. Of an import or event that touched more than
    /// `most` users none is named; at most `units` are read.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn touched_since(
        &self,
        since: Place,
        most: usize,
        units: u32,
    ) -> Result<(Vec<Unit>, Place)> {
        let read = || -> rusqlite::Result<(Vec<Unit>, Place)> {
            let tx = self.conn.unchecked_transaction()?;
            let mut found = units_after(&tx, since.seq, units)?;
            let last = last_place(&tx)?;
            for unit in &mut found {
                unit.users = users_of(&tx, unit, since.user, most)?;
            }
            // Cut short: those who were created later are told with what created them.
            let place = match found.last() {
                Some(unit) if unit.seq < last.seq => Place { seq: unit.seq, user: since.user },
                _ => last,
            };
            Ok((found, place))
        };
        read().map_err(failed("read whom imports touched"))
    }
}

fn last_place(conn: &Connection) -> rusqlite::Result<Place> {
    let seq: Option<i64> = conn
        .prepare_cached("SELECT seq FROM imports ORDER BY seq DESC LIMIT 1")?
        .query_row([], |row| row.get(0))
        .optional()?;
    Ok(Place { seq: seq.unwrap_or(0), user: meta(conn)?.next_user_id - 1 })
}

fn units_after(conn: &Connection, seq: i64, limit: u32) -> rusqlite::Result<Vec<Unit>> {
    conn.prepare_cached(
        "SELECT i.seq, i.id, i.applied_at, i.counts, e.kind, e.about, e.who
         FROM imports i LEFT JOIN events e ON e.import = i.seq WHERE i.seq > ?1 ORDER BY i.seq LIMIT ?2",
    )?
    .query_map(params![seq, limit], |row| {
        let kind: Option<String> = row.get("kind")?;
        let kind = kind.map(|name| {
            EventKind::from_name(&name).ok_or_else(|| {
                unreadable(rusqlite::types::Type::Text, format!("\"{name}\" is no event"))
            })
        });
        let about: Option<String> = row.get("about")?;
        Ok(Unit {
            seq: row.get("seq")?,
            id: word(row, "id")?,
            kind: kind.transpose()?,
            about: about.and_then(|id| id.parse().ok()),
            who: row.get("who")?,
            at: instant(row, "applied_at")?,
            users: None,
            counts: row.get("counts")?,
        })
    })?
    .collect()
}

/// Whom one import or event touched, by number; `None`: more than `most`.
fn users_of(
    conn: &Connection,
    unit: &Unit,
    after_user: i64,
    most: usize,
) -> rusqlite::Result<Option<Vec<Touched>>> {
    let limit = i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1);
    let ids = |sql: &str, of: i64| -> rusqlite::Result<Vec<i64>> {
        conn.prepare_cached(sql)?
            .query_map(params![unit.seq, of, limit], |row| row.get(0))?
            .collect()
    };
    // New users have larger numbers than all before: no index on created_by is needed.
    let created = ids(
        "SELECT id FROM users WHERE id > ?2 AND created_by = ?1 ORDER BY id LIMIT ?3",
        after_user,
    )?;
    let withdrawn = match unit.kind {
        Some(EventKind::Undo) => {
            ids("SELECT id FROM users WHERE withdrawn = ?1 AND id > ?2 ORDER BY id LIMIT ?3", 0)?
        }
        _ => Vec::new(),
    };
    if created.len().saturating_add(withdrawn.len()) > most {
        return Ok(None);
    }
    let mut changed: BTreeMap<i64, (Vec<String>, bool)> = BTreeMap::new();
    let mut read =
        conn.prepare_cached("SELECT user, field, after FROM changes WHERE import = ?1 ORDER BY n")?;
    let mut rows = read.query([unit.seq])?;
    while let Some(row) = rows.next()? {
        let (user, field, after): (i64, String, Option<String>) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        let (fields, ended) = changed.entry(user).or_default();
        *ended |= field == Field::ContractEnd.name() && after.is_some();
        if !fields.contains(&field) {
            fields.push(field);
        }
        if changed.len() > most {
            return Ok(None);
        }
    }
    let mut users: BTreeMap<i64, How> = changed
        .into_iter()
        .map(|(user, (fields, ended))| (user, How::Changed { fields, ended }))
        .collect();
    users.extend(created.into_iter().map(|user| (user, How::Created)));
    users.extend(withdrawn.into_iter().map(|user| (user, How::Withdrawn)));
    if users.len() > most {
        return Ok(None);
    }
    Ok(Some(users.into_iter().map(|(user, how)| Touched { user, how }).collect()))
}
