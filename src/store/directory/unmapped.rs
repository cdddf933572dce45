//! Codes that no value map and no list knew, for the operator to map.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::Directory;
use crate::error::Result;
use crate::import::fields::FieldKey;
use crate::import::plan::{Plan, UnknownCode};
use crate::store::{failed, from_micros, signed, unsigned, word};

/// An unknown code and the file that had it last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmapped {
    /// The code, its field, and the rows that have it.
    pub found: UnknownCode,
    /// The file's name; empty: its import is gone.
    pub file_name: String,
    /// When that file was received.
    pub received_at: Option<Timestamp>,
}

impl Directory {
    /// The unknown codes of a source's files, by field and code.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn unmapped(&self, source: &str) -> Result<Vec<Unmapped>> {
        let read = || -> rusqlite::Result<Vec<Unmapped>> {
            self.conn
                .prepare_cached(
                    "SELECT field, code, rows, line, file_name, received_at
                     FROM unmapped LEFT JOIN imports ON imports.seq = unmapped.import
                     WHERE unmapped.source = ?1 ORDER BY field, code",
                )?
                .query_map([source], |row| {
                    let received: Option<i64> = row.get("received_at")?;
                    Ok(Unmapped {
                        found: UnknownCode {
                            field: word::<FieldKey>(row, "field")?,
                            code: row.get("code")?,
                            rows: unsigned(row, "rows")?,
                            line: row.get("line")?,
                        },
                        file_name: row.get::<_, Option<String>>("file_name")?.unwrap_or_default(),
                        received_at: received.map(from_micros).transpose()?,
                    })
                })?
                .collect()
        };
        read().map_err(failed(format_args!("read the unknown codes of \"{source}\"")))
    }
}

/// Keeps a file's unknown codes, whether or not the file was applied: mapping them may be what it waits for.
pub(super) fn write(
    conn: &Connection,
    plan: &Plan,
    source: &str,
    import: i64,
) -> rusqlite::Result<()> {
    if plan.report.dry_run {
        return Ok(());
    }
    let mut upsert = conn.prepare_cached(
        "INSERT INTO unmapped (source, field, code, rows, line, import)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (source, field, code) DO UPDATE SET rows = excluded.rows,
             line = excluded.line, import = excluded.import",
    )?;
    for UnknownCode { field, code, rows, line } in &plan.unmapped {
        let values = params![source, field.to_string(), code, signed(*rows), line, import];
        upsert.execute(values)?;
    }
    Ok(())
}
