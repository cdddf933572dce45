//! Taking an import back, field by field: what nobody has changed since returns to what it was.

use rusqlite::{Connection, params};

/// Remembers what a source had settled before an import that is being applied, so that it can be taken back.
///
/// The list of users stands only in the newest point of a source, and only if this import lists others than before:
/// it may be long.
pub(super) fn keep_point(
    tx: &Connection,
    source: &str,
    import: i64,
    listed: Option<&[u8]>,
) -> rusqlite::Result<()> {
    tx.prepare_cached("UPDATE undo_points SET listed = NULL WHERE source = ?1")?
        .execute([source])?;
    tx.prepare_cached(
        "INSERT INTO undo_points (source, import, memory, listed)
         SELECT ?1, ?2, memory,
                CASE WHEN ?3 IS NULL OR listed = ?3 THEN NULL ELSE coalesce(listed, x'') END
         FROM (SELECT 1) LEFT JOIN sources ON source = ?1",
    )?
    .execute(params![source, import, listed])?;
    Ok(())
}
