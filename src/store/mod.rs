//! The databases: the registry and each client's directory. The only room that names rusqlite.

mod backup;
pub mod directory;
mod migrations;
pub mod registry;
pub mod seen;

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{Connection, ErrorCode, OpenFlags, Row};

use crate::error::{Error, Kind, Result};
pub use backup::Frozen;

/// How long a statement waits for another process's write before it gives up.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// What a connection may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    Write,
    ReadOnly,
}

/// Opens a connection with the settings that every database of Rollcall has.
fn connect(path: &Path, access: Access) -> Result<Connection> {
    let open = || -> rusqlite::Result<Connection> {
        // Whoever only reads makes no empty database where another disk has taken the place of the right one.
        let flags = match access {
            Access::Write => OpenFlags::default(),
            Access::ReadOnly => OpenFlags::default() & !OpenFlags::SQLITE_OPEN_CREATE,
        };
        let conn = Connection::open_with_flags(path, flags)?;
        conn.busy_timeout(BUSY_TIMEOUT)?;
        // FULL: in WAL mode NORMAL would lose the last commits at a power cut, and those were acknowledged.
        conn.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
             PRAGMA temp_store = MEMORY;",
        )?;
        if access == Access::ReadOnly {
            conn.execute_batch("PRAGMA query_only = ON")?;
        }
        conn.set_prepared_statement_cache_capacity(64);
        Ok(conn)
    };
    open().map_err(failed(format_args!("open the database {}", path.display())))
}

/// What SQLite finds wrong with a database: broken pages and indexes, rows that point nowhere.
fn integrity(conn: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut problems: Vec<String> = conn
        .prepare("PRAGMA integrity_check(20)")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    problems.retain(|line| line != "ok");
    let mut dangling = conn.prepare("PRAGMA foreign_key_check")?;
    let mut rows = dangling.query([])?;
    while let Some(row) = rows.next()?.filter(|_| problems.len() < 20) {
        let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
        problems.push(format!("a row of {table} points to a row of {parent} that is not there"));
    }
    Ok(problems)
}

/// Turns a database error into ours; `what` says what was tried.
fn failed(what: impl std::fmt::Display) -> impl FnOnce(rusqlite::Error) -> Error {
    move |error| {
        let kind = match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Kind::Busy,
            // SQLite says no more when no file to open is left; no import may be given up for that.
            Some(ErrorCode::CannotOpen) if no_file_is_left() => Kind::Busy,
            Some(ErrorCode::DiskFull) => Kind::NoSpace,
            Some(ErrorCode::ConstraintViolation) => Kind::Exists,
            _ => Kind::Internal,
        };
        Error::caused(kind, format!("could not {what}: {error}"), error)
    }
}

/// Whether the process or the machine can open no further file just now.
fn no_file_is_left() -> bool {
    let opened = std::fs::File::open("/dev/null").map_err(|e| Error::io("opening a file", e));
    opened.is_err_and(|error| error.kind() == Kind::Busy)
}

/// Microseconds since 1970 (UTC), as every table keeps instants.
fn to_micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

/// A column of microseconds as an instant.
fn instant(row: &Row<'_>, column: &str) -> rusqlite::Result<Timestamp> {
    from_micros(row.get(column)?)
}

fn from_micros(micros: i64) -> rusqlite::Result<Timestamp> {
    Timestamp::from_microsecond(micros).map_err(|e| unreadable(Type::Integer, e))
}

/// A text column that holds a word of ours (`import`, `sftp`, a path).
fn word<T: FromStr>(row: &Row<'_>, column: &str) -> rusqlite::Result<T>
where
    T::Err: std::fmt::Display,
{
    let text: String = row.get(column)?;
    text.parse().map_err(|e: T::Err| unreadable(Type::Text, e.to_string()))
}

/// A value in the database that this version cannot read.
fn unreadable(
    kind: Type,
    error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, kind, error.into())
}

/// An unsigned number for a column (SQLite's integers are signed).
fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// A column that never is negative.
fn unsigned(row: &Row<'_>, column: &str) -> rusqlite::Result<u64> {
    let n: i64 = row.get(column)?;
    Ok(u64::try_from(n).unwrap_or(0))
}
