//! A user's history: every value, where it came from, and when.

use jiff::Timestamp;
use rusqlite::{Connection, Row};

use super::Directory;
use super::events::EventKind;
use super::trail::{Undone, trails};
use super::users::one_user;
use crate::error::Result;
use crate::import::fields::{Field, FieldKey};
use crate::model::UploadId;
use crate::store::{failed, from_micros, word};

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The field.
    pub field: FieldKey,
    /// The change that gave the value: what was taken back since does not count.
    pub entry: HistoryEntry,
}

/// One field's change of one user, with its origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEntry {
    /// When it was applied.
    pub at: Timestamp,
    /// The import or event that brought it.
    pub import: UploadId,
    /// What it was; `None`: a file's import.
    pub event: Option<EventKind>,
    /// Who sent the file (its login), or who did it.
    pub who: String,
    /// The file's name; that of the import which an undo or an approval is about; empty: no file.
    pub file_name: String,
    /// The line in that file, as Excel numbers rows; 0: no row says so.
    pub line: u32,
    /// The import was taken back later.
    pub undone: bool,
    /// Older history is not kept: this import, or a change after it that is forgotten.
    pub is_oldest_known: bool,
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
            let undone = Undone::read(&tx)?;
            let later = changes(&tx, user_id, &undone)?;
            let later: Vec<HistoryEntry> = later.into_iter().map(|(_, entry)| entry).collect();
            let mut entries = creation(&tx, user_id, &later, &undone)?;
            entries.extend(later);
            Ok(entries)
        };
        read().map_err(failed(format_args!("read the history of user {user_id}")))
    }

    /// The origin of every value that a user has, in the order of the user record.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn user_origins(&self, user_id: i64) -> Result<Vec<Origin>> {
        let read = || -> rusqlite::Result<Vec<Origin>> {
            let tx = self.conn.unchecked_transaction()?;
            let undone = Undone::read(&tx)?;
            let Some(user) = one_user(&tx, user_id)? else { return Ok(Vec::new()) };
            let later = changes(&tx, user_id, &undone)?;
            let trails = trails(&tx, &undone, "?1", [user_id])?;
            let plain: Vec<HistoryEntry> = later.iter().map(|(_, entry)| entry.clone()).collect();
            let born = creation(&tx, user_id, &plain, &undone)?;
            let custom = user.values.custom().map(|(name, _)| FieldKey::Custom(name.to_owned()));
            let fields = Field::ALL.iter().map(|f| FieldKey::Known(*f)).chain(custom);
            let origin = |field: FieldKey| {
                user.values.get_key(&field)?;
                let last = trails.get(&(user_id, field.clone())).and_then(|trail| trail.last());
                let entry = match last {
                    Some(step) => later
                        .iter()
                        .rev()
                        .find(|(import, entry)| *import == step.import && entry.field == field)
                        .map(|(_, entry)| entry),
                    None => born.iter().find(|entry| entry.field == field),
                };
                Some(Origin { entry: entry?.clone(), field })
            };
            Ok(fields.filter_map(origin).collect())
        };
        read().map_err(failed(format_args!("read where the values of user {user_id} come from")))
    }
}

/// What is told of an import or event with each of its changes.
const ABOUT: &str = "applied_at, imports.id, imports.login, imports.seq, kind, who,
     CASE WHEN about IS NULL THEN imports.file_name ELSE coalesce((SELECT file_name FROM imports AS i
         WHERE i.id = events.about), '') END AS file_name";

fn changes(
    conn: &Connection,
    user_id: i64,
    undone: &Undone,
) -> rusqlite::Result<Vec<(i64, HistoryEntry)>> {
    conn.prepare_cached(&format!(
        "SELECT {ABOUT}, line, field, before, after
         FROM changes JOIN imports ON imports.seq = changes.import
              LEFT JOIN events ON events.import = imports.seq
         WHERE changes.user = ?1 ORDER BY changes.import, changes.n"
    ))?
    .query_map([user_id], |row| {
        let entry = HistoryEntry {
            field: word(row, "field")?,
            from: row.get("before")?,
            to: row.get("after")?,
            ..entry(row, row.get("line")?, undone)?
        };
        Ok((row.get("seq")?, entry))
    })?
    .collect()
}

/// An entry that says everything but which field changed how.
fn entry(row: &Row<'_>, line: u32, undone: &Undone) -> rusqlite::Result<HistoryEntry> {
    let event: Option<String> = row.get("kind")?;
    let who: Option<String> = row.get("who")?;
    Ok(HistoryEntry {
        at: from_micros(row.get("applied_at")?)?,
        import: word(row, "id")?,
        event: event.as_deref().and_then(EventKind::from_name),
        who: who.map_or_else(|| row.get("login"), Ok)?,
        file_name: row.get("file_name")?,
        line,
        undone: undone.has(row.get("seq")?),
        is_oldest_known: false,
        field: FieldKey::Known(Field::EmployeeNumber),
        from: None,
        to: None,
    })
}

/// What the creation gave: today's values with every later change taken back.
fn creation(
    conn: &Connection,
    user_id: i64,
    later: &[HistoryEntry],
    undone: &Undone,
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
    let origin = conn
        .prepare_cached(&format!(
            "SELECT {ABOUT}, created_line FROM users JOIN imports ON imports.seq = users.created_by
                 LEFT JOIN events ON events.import = imports.seq WHERE users.id = ?1"
        ))?
        .query_row([user_id], |row| entry(row, row.get("created_line")?, undone))?;
    let is_oldest_known = conn
        .prepare_cached(
            "SELECT 1 FROM users JOIN directory ON created_by <= forgotten WHERE users.id = ?1",
        )?
        .exists([user_id])?;
    let entry =
        |(field, value)| HistoryEntry { field, to: Some(value), is_oldest_known, ..origin.clone() };
    Ok(given.into_iter().map(entry).collect())
}
