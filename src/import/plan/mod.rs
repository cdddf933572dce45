//! Rows and directory in, changes out: who each row is and what it becomes.

use serde::{Deserialize, Serialize};

use super::directory::SourceMemory;
use super::fields::{Field, FieldKey};
use super::report::Report;

/// One field's change of one user; kept as history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldChange {
    /// The field.
    pub field: FieldKey,
    /// The value before, canonical; `None`: there was none.
    pub from: Option<String>,
    /// The value after, canonical; `None`: cleared.
    pub to: Option<String>,
}

/// The writes for one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserWrite {
    /// The user's id; a new user's is given here (`Snapshot::next_user_id` onwards).
    pub user_id: i64,
    /// Whether the user is created by this write.
    pub is_new: bool,
    /// The line in the file, as Excel numbers rows.
    pub line: u32,
    /// The fields that change; for a new user, every field that it gets.
    pub changes: Vec<FieldChange>,
}

/// What an import would do, decided before the first write.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The change number of the snapshot that it was made from.
    pub change_number: i64,
    /// The writes, in file order. Empty unless the report's status is an applied one.
    pub writes: Vec<UserWrite>,
    /// New entries of reference lists: field and code, each once.
    pub list_entries: Vec<(Field, String)>,
    /// What the source has settled after this import; `None`: leave as it is.
    pub source: Option<SourceMemory>,
    /// The users whom this applied full file listed, by id in ascending order; `None`: leave as it is.
    pub listed: Option<Vec<i64>>,
    /// The report's content; `finished_at` is filled in by the caller.
    pub report: Report,
}
