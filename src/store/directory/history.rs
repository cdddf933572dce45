//! A user's history: every value, where it came from, and when.

use jiff::Timestamp;
use rusqlite::Connection;

use super::Directory;
use super::users::one_user;
use crate::error::Result;
use crate::import::fields::{Field, FieldKey};
use crate::model::UploadId;
use crate::store::{failed, from_micros, word};

/// One field's change of one user, with its origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEntry {
    /// When it was applied.
    pub at: Timestamp,
    /// The import that brought it.
    pub import: UploadId,
    /// The file's name.
    pub file_name: String,
    /// The line in that file, as Excel numbers rows.
    pub line: u32,
    /// The field.
    pub field: FieldKey,
    /// The value before; `None`: there was none.
    pub from: Option<String>,
    /// The value after; `None`: cleared.
    pub to: Option<String>,
}

impl Directory {
    /// Every change of a user, oldest first, beginning with the values that its creation gave; empty for an unknown id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn user_history(&self, user_id: i64) -> Result<Vec<HistoryEntry>> {
        let read = || -> rusqlite::Result<Vec<HistoryEntry>> {
            let tx = self.conn.unchecked_transaction()?;
            let later = changes(&tx, user_id)?;
            let mut entries = creation(&tx, user_id, &later)?;
            entries.extend(later);
            Ok(entries)
        };
        read().map_err(failed(format_args!("read the history of user {user_id}")))
    }
}

fn changes(conn: &Connection, user_id: i64) -> rusqlite::Result<Vec<HistoryEntry>> {
    conn.prepare_cached(
        "SELECT applied_at, id, file_name, line, field, before, after
         FROM changes JOIN imports ON imports.seq = changes.import
         WHERE changes.user = ?1 ORDER BY changes.import, changes.n",
    )?
    .query_map([user_id], |row| {
        Ok(HistoryEntry {
            at: from_micros(row.get("applied_at")?)?,
            import: word(row, "id")?,
            file_name: row.get("file_name")?,
            line: row.get("line")?,
            field: word(row, "field")?,
            from: row.get("before")?,
            to: row.get("after")?,
        })
    })?
    .collect()
}

/// What the creation gave: today's values with every later change taken back.
fn creation(
    conn: &Connection,
    user_id: i64,
    later: &[HistoryEntry],
) -> rusqlite::Result<Vec<HistoryEntry>> {
    let Some(user) = one_user(conn, user_id)? else { return Ok(Vec::new()) };
    let mut values = user.values;
    for change in later.iter().rev() {
        values.set(&change.field, change.from.as_deref());
    }
    let known = Field::ALL.iter().map(|f| FieldKey::Known(*f));
    let custom = values.custom().map(|(name, _)| FieldKey::Custom(name.to_owned()));
    let given: Vec<(FieldKey, String)> = known
        .chain(custom)
        .filter_map(|key| values.get_key(&key).map(str::to_owned).map(|value| (key, value)))
        .collect();
    let mut origin = conn.prepare_cached(
        "SELECT applied_at, imports.id, file_name, created_line
         FROM users JOIN imports ON imports.seq = users.created_by WHERE users.id = ?1",
    )?;
    origin.query_row([user_id], |row| {
        let (at, import) = (from_micros(row.get("applied_at")?)?, word(row, "id")?);
        let file_name: String = row.get("file_name")?;
        let line = row.get("created_line")?;
        let entry = |(field, value)| HistoryEntry {
            at,
            import,
            file_name: file_name.clone(),
            line,
            field,
            from: None,
            to: Some(value),
        };
        Ok(given.into_iter().map(entry).collect())
    })
}
