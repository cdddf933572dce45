//! What changed for one user and where each value comes from, as commands, page and API tell it.

use jiff::Timestamp;
use serde::Serialize;

use super::Service;
use super::people::full_name;
use crate::error::Result;
use crate::import::fields::{Field, FieldKey};
use crate::service::users::{EventKind, HistoryEntry};

/// One change as it is shown: the manager by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// When it was applied.
    pub at: Timestamp,
    /// The field.
    pub field: FieldKey,
    /// The value before; `None`: there was none.
    pub from: Option<String>,
    /// The value after; `None`: cleared.
    pub to: Option<String>,
    /// Who gave it.
    #[serde(flatten)]
    pub by: Writer,
}

/// Who gave a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Writer {
    /// `import`, or the kind of the event: `edit`, `create`, `undo` …
    pub by: &'static str,
    /// The import's or event's id.
    pub import: String,
    /// The login that sent the file, or who did it.
    pub who: String,
    /// The file, that of the import which an undo or an approval is about; empty: none.
    pub file: String,
    /// The row number that a spreadsheet shows; 0: no row says so.
    pub line: u32,
    /// The import was taken back later.
    pub undone: bool,
    /// Older history is not kept: this import, or a later change that is forgotten.
    pub is_oldest_known: bool,
}

impl Writer {
    fn of(entry: &HistoryEntry) -> Self {
        Self {
            by: entry.event.map_or("import", EventKind::name),
            import: entry.import.to_string(),
            who: entry.who.clone(),
            file: entry.file_name.clone(),
            line: entry.line,
            undone: entry.undone,
            is_oldest_known: entry.is_oldest_known,
        }
    }
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ValueOrigin {
    /// The field.
    pub field: FieldKey,
    /// When the value was given.
    pub at: Timestamp,
    /// Who gave it.
    #[serde(flatten)]
    pub by: Writer,
}

impl Service {
    /// Every change of a user, oldest first, with managers by name.
    ///
    /// # Errors
    /// `Kind::NotFound` for the client.
    pub fn user_changes(&self, client: &str, user_id: i64) -> Result<Vec<Change>> {
        let entries = self.user_history(client, user_id)?;
        let id = |value: &Option<String>| value.as_deref().and_then(|v| v.parse::<i64>().ok());
        let is_manager = |entry: &&HistoryEntry| entry.field == FieldKey::Known(Field::Manager);
        let mut ids: Vec<i64> = entries
            .iter()
            .filter(is_manager)
            .flat_map(|entry| [id(&entry.from), id(&entry.to)])
            .flatten()
            .collect();
        ids.sort_unstable();
        ids.dedup();
        let managers = self.open_directory(client)?.users_by_id(&ids)?;
        let named = |field: &FieldKey, value: Option<String>| {
            let known = if *field == FieldKey::Known(Field::Manager) { id(&value) } else { None };
            let manager = managers.iter().find(|manager| Some(manager.id) == known);
            manager.map(|manager| full_name(&manager.values)).or(value)
        };
        Ok(entries
            .into_iter()
            .map(|entry| Change {
                at: entry.at,
                by: Writer::of(&entry),
                from: named(&entry.field, entry.from),
                to: named(&entry.field, entry.to),
                field: entry.field,
            })
            .collect())
    }

    /// Where every value of a user comes from, in the order of the user record.
    ///
    /// # Errors
    /// `Kind::NotFound` for the client.
    pub fn value_origins(&self, client: &str, user_id: i64) -> Result<Vec<ValueOrigin>> {
        let origins = self.user_origins(client, user_id)?;
        let origin = |origin: super::users::Origin| ValueOrigin {
            at: origin.entry.at,
            by: Writer::of(&origin.entry),
            field: origin.field,
        };
        Ok(origins.into_iter().map(origin).collect())
    }
}
