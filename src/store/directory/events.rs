//! What is written to a directory by something else than a file: it stands in the same order as the imports.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use crate::model::UploadId;
use crate::store::to_micros;

/// What an event did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// Somebody edited a user by hand.
    Edit,
    /// Somebody created a user by hand.
    Create,
    /// An import was taken back.
    Undo,
    /// Rows of an earlier import were approved one by one.
    Approval,
    /// A reference list was loaded or changed.
    Lists,
    /// Users who left long ago were pseudonymised.
    Pseudonyms,
}

impl EventKind {
    const ALL: [Self; 6] =
        [Self::Edit, Self::Create, Self::Undo, Self::Approval, Self::Lists, Self::Pseudonyms];

    /// The kind with this name.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The name in the database and in histories.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Edit => "edit",
            Self::Create => "create",
            Self::Undo => "undo",
            Self::Approval => "approval",
            Self::Lists => "lists",
            Self::Pseudonyms => "pseudonyms",
        }
    }
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its id.
    pub id: UploadId,
    /// What it did.
    pub kind: EventKind,
    /// The import that it is about.
    pub about: Option<UploadId>,
    /// The source on whose behalf it writes; empty: a person's own.
    pub source: String,
    /// Who did it: `cli`, a login.
    pub who: String,
    /// When.
    pub at: Timestamp,
}

/// Adds an event's row; returns its place in the order of imports and events, to which `changes` point.
pub(super) fn insert(
    conn: &Connection,
    event: &Event,
    change_number: i64,
) -> rusqlite::Result<i64> {
    let at = to_micros(event.at);
    let seq = conn
        .prepare_cached(
            "INSERT INTO imports (id, source, login, path, file_name, bytes, sha256, received_at,
                 applied_at, settings_version, settings, status, dry_run, counts, change_number,
                 reports_written, report)
             VALUES (?1, ?2, ?3, '/', '', 0, '', ?4, ?4, '', '', 'ok', 0, '{}', ?5, 1, '')",
        )?
        .insert(params![event.id.to_string(), event.source, event.who, at, change_number])?;
    conn.prepare_cached("INSERT INTO events (import, kind, about, who) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![seq, event.kind.name(), event.about.map(|id| id.to_string()), event.who])?;
    Ok(seq)
}
