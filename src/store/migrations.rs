//! Schema versions: append-only lists of SQL, counted by `PRAGMA user_version`.

use rusqlite::{Connection, TransactionBehavior};

use super::failed;
use crate::error::{Error, Kind, Result};

/// Brings a database to the newest version: runs the steps that it has not seen, all in one transaction.
///
/// # Errors
/// A database that a newer program made is refused (`Kind::Unsupported`): an older one would not know its columns.
pub(super) fn migrate(conn: &mut Connection, what: &str, steps: &[&str]) -> Result<()> {
    let newest = i64::try_from(steps.len()).unwrap_or(i64::MAX);
    let version = |conn: &Connection| {
        conn.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0))
            .map_err(failed(format_args!("read the version of {what}")))
    };
    // Without this look first, every start would take the write lock for nothing.
    if version(conn)? == newest {
        return Ok(());
    }
    let tx = conn
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(failed(format_args!("migrate {what}")))?;
    let found = version(&tx)?;
    if found > newest {
        return Err(Error::new(
            Kind::Unsupported,
            format!(
                "{what} has version {found}, made by a newer program; this one knows {newest}: \
                 install the newer program, or restore a backup of that time"
            ),
        ));
    }
    let done = usize::try_from(found).unwrap_or(0);
    for (step, sql) in steps.iter().enumerate().skip(done) {
        tx.execute_batch(sql)
            .map_err(failed(format_args!("migrate {what} to version {}", step + 1)))?;
    }
    tx.pragma_update(None, "user_version", newest)
        .and_then(|()| tx.commit())
        .map_err(failed(format_args!("migrate {what}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_database_gets_only_the_steps_that_it_lacks() {
        let mut conn = Connection::open_in_memory().unwrap();
        let first = "CREATE TABLE a(x) STRICT";
        let first = first.replace("(x)", "(x TEXT)");
        migrate(&mut conn, "test", &[&first]).unwrap();
        conn.execute("INSERT INTO a VALUES ('kept')", []).unwrap();
        let steps = [first.as_str(), "ALTER TABLE a ADD COLUMN y TEXT", "CREATE TABLE b(z TEXT)"];
        migrate(&mut conn, "test", &steps).unwrap();
        migrate(&mut conn, "test", &steps).unwrap();
        let kept: String = conn.query_row("SELECT x FROM a", [], |r| r.get(0)).unwrap();
        assert_eq!(kept, "kept");
        let refused = migrate(&mut conn, "test", &steps[..1]).unwrap_err();
        assert_eq!(refused.kind(), Kind::Unsupported);
    }

    #[test]
    fn a_step_that_fails_leaves_the_version_alone() {
        let mut conn = Connection::open_in_memory().unwrap();
        let steps = ["CREATE TABLE a(x TEXT)", "CREATE TABLE a(x TEXT)"];
        assert!(migrate(&mut conn, "test", &steps).is_err());
        migrate(&mut conn, "test", &steps[..1]).unwrap();
    }
}
