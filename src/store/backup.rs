//! Databases copied while others write to them: each as it stood at one instant.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::backup::Backup;

use super::{Access, connect, failed};
use crate::error::Result;

/// Pages that are copied in one step: 8 MiB.
const PAGES: i32 = 2048;

/// A database as it stood when it was frozen. Writers go on; what they write is not in it.
pub struct Frozen {
    conn: Connection,
    path: PathBuf,
}

impl Frozen {
    /// Holds the database at `path` fast for reading.
    ///
    /// # Errors
    /// A file that cannot be opened or is no database.
    pub fn of(path: &Path) -> Result<Self> {
        let conn = connect(path, Access::ReadOnly)?;
        // A read transaction begins with its first look: from here on nothing newer is seen.
        conn.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema")
            .map_err(failed(format_args!("read {}", path.display())))?;
        Ok(Self { conn, path: path.to_owned() })
    }

    /// Writes it as a database file of its own, durably.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn copy_to(&self, target: &Path) -> Result<()> {
        let copy = || -> rusqlite::Result<()> {
            let mut copied = Connection::open(target)?;
            copied.execute_batch("PRAGMA synchronous = FULL")?;
            Backup::new(&self.conn, &mut copied)?.run_to_completion(PAGES, Duration::ZERO, None)
        };
        copy().map_err(failed(format_args!(
            "copy the database {} to {}",
            self.path.display(),
            target.display()
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_after_the_freeze_is_not_in_the_copy() {
        let folder = tempfile::tempdir().unwrap();
        let (live, copied) = (folder.path().join("live.db"), folder.path().join("copied.db"));
        let writer = connect(&live, Access::Write).unwrap();
        writer.execute_batch("CREATE TABLE t(x INTEGER) STRICT; INSERT INTO t VALUES (1)").unwrap();
        let frozen = Frozen::of(&live).unwrap();
        writer.execute_batch("INSERT INTO t VALUES (2)").unwrap();
        frozen.copy_to(&copied).unwrap();
        let sum = |path: &Path| -> i64 {
            let conn = Connection::open(path).unwrap();
            conn.query_row("SELECT sum(x) FROM t", [], |row| row.get(0)).unwrap()
        };
        assert_eq!((sum(&live), sum(&copied)), (3, 1));
    }
}
