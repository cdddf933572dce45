//! A client's directory, `data/clients/<client>/users.db`: users, their history, imports and their reports.

mod absences;
mod apply;
mod create;
mod edit;
mod events;
mod exports;
mod history;
mod holds;
mod imports;
mod listed;
mod lists;
mod prints;
mod protections;
mod quality;
mod retention;
mod schema;
mod search;
mod snapshot;
mod taken_back;
#[cfg(test)]
mod tests;
mod told;
mod trail;
mod undo;
mod unmapped;
mod users;
mod wishes;

use std::path::Path;

use rusqlite::{Connection, OptionalExtension};

pub use apply::Applied;
pub use events::{Event, EventKind};
pub use exports::{ExportFacts, ExportUser};
pub use history::{HistoryEntry, Origin};
pub use holds::{Hold, Pending};
pub use imports::{ImportRecord, ImportSummary, StoredImport};
pub use lists::{ListChange, ListEntry, ListOutcome, ListWrite, Removal};
pub use quality::{QualityMark, Record};
pub use search::{PeoplePage, PeopleQuery};
pub use told::{How, Place, Touched, Unit};
pub use undo::UndoPreview;
pub use unmapped::Unmapped;

use super::seen::Seen;
use super::{Access, connect, failed, integrity, migrations};
use crate::error::Result;
use crate::import::directory::SourceMemory;

/// A client's directory. Every method blocks; one intent is one method is one transaction.
pub struct Directory {
    conn: Connection,
}

impl Directory {
    /// Opens the directory, makes it when it is not there, and brings it to the newest version.
    ///
    /// # Errors
    /// A file that cannot be opened, is no database, or was made by a newer program.
    pub fn open(path: &Path) -> Result<Self> {
        let mut conn = connect(path, Access::Write)?;
        // An import's pages stay in memory until the commit instead of being written twice.
        set_cache(&conn, CACHE_KIB).map_err(failed("set the directory's cache"))?;
        migrations::migrate(&mut conn, &path.display().to_string(), schema::STEPS)?;
        Ok(Self { conn })
    }

    /// The change number and what a source (import folder) has settled, without reading any user.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn source(&self, source: &str) -> Result<(i64, SourceMemory)> {
        let read = || -> rusqlite::Result<(i64, SourceMemory)> {
            let tx = self.conn.unchecked_transaction()?;
            let change_number = meta(&tx)?.change_number;
            Ok((change_number, source_memory(&tx, source)?))
        };
        read().map_err(failed(format_args!("read the source \"{source}\"")))
    }

    /// What SQLite finds wrong with the file; empty: nothing.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn check(&self) -> Result<Vec<String>> {
        integrity(&self.conn).map_err(failed("check the directory"))
    }

    /// Moves committed pages from the write-ahead log into the database file once there are some, and gives the page
    /// cache's memory back. Nothing depends on it; do it after the answer.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn checkpoint(&self) -> Result<()> {
        let write_back = || -> rusqlite::Result<()> {
            let waiting = self.conn.query_row("PRAGMA wal_checkpoint(NOOP)", [], |row| {
                let (logged, moved): (i64, i64) = (row.get(1)?, row.get(2)?);
                Ok(logged - moved)
            })?;
            if waiting >= i64::from(CHECKPOINT_PAGES) {
                self.conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
            }
            self.conn.execute_batch("PRAGMA shrink_memory")
        };
        write_back().map_err(failed("checkpoint the directory"))
    }
}

/// From so many pages on (16 MiB) the log is moved into the database: a client's next file would wait for each small
/// import's, and imports that follow each other write much the same pages.
const CHECKPOINT_PAGES: u32 = 4000;
/// The page cache of a directory.
const CACHE_KIB: i64 = 64 * 1024;
/// That of a directory that gets very many new users: each page is filled once and not looked at again.
const FILLING_CACHE_KIB: i64 = 8 * 1024;

fn set_cache(conn: &Connection, kib: i64) -> rusqlite::Result<()> {
    conn.pragma_update(None, "cache_size", -kib)
}

/// The directory's one row about itself.
struct Meta {
    change_number: i64,
    next_user_id: i64,
}

impl Directory {
    /// The state of the directory now, for [`super::seen::only_at`].
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn seen(&self) -> Result<Seen> {
        let now = meta(&self.conn).map_err(failed("look how far the directory is"))?;
        Ok(Seen::Directory(now.change_number))
    }
}

fn meta(conn: &Connection) -> rusqlite::Result<Meta> {
    conn.prepare_cached("SELECT change_number, next_user_id FROM directory")?.query_row([], |row| {
        Ok(Meta {
            change_number: row.get("change_number")?,
            next_user_id: row.get("next_user_id")?,
        })
    })
}

fn source_memory(conn: &Connection, source: &str) -> rusqlite::Result<SourceMemory> {
    let memory: Option<String> = conn
        .prepare_cached("SELECT memory FROM sources WHERE source = ?1")?
        .query_row([source], |row| row.get(0))
        .optional()?;
    memory.map_or_else(|| Ok(SourceMemory::default()), |json| from_json(&json))
}

fn from_json<T: serde::de::DeserializeOwned>(json: &str) -> rusqlite::Result<T> {
    serde_json::from_str(json).map_err(|e| super::unreadable(rusqlite::types::Type::Text, e))
}

fn to_json<T: serde::Serialize>(value: &T) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))
}
