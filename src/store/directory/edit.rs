//! One user changed by hand, as an event in the order of imports.

use rusqlite::{TransactionBehavior, params};

use super::events::{self, Event};
use super::protections::Protector;
use super::users::write_value;
use super::{Directory, meta, wishes};
use crate::error::{Error, Kind, Result};
use crate::import::edit::Edit;
use crate::import::fields::{Field, FieldKey};
use crate::store::{failed, seen};

impl Directory {
    /// Writes an edit that was made for the directory at `change_number`.
    ///
    /// # Errors
    /// `Kind::Conflict` when the directory has moved since.
    pub fn edit(
        &mut self,
        event: &Event,
        change_number: i64,
        user: i64,
        edit: &Edit,
    ) -> Result<()> {
        let what = || failed(format!("edit user {user}"));
        let tx =
            self.conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(what())?;
        if meta(&tx).map_err(what())?.change_number != change_number {
            let message = "the directory has changed meanwhile; do it again";
            return Err(Error::new(Kind::Conflict, message));
        }
        seen::check_directory(change_number)?;
        let write = || -> rusqlite::Result<()> {
            let seq = events::insert(&tx, event, change_number + 1)?;
            // Whatever a folder's files said before stays said: saying it again does not bring it back.
            let protector = Protector::new(&tx, None, seq)?;
            for (n, change) in edit.changes.iter().enumerate() {
                protector.protect(user, change)?;
                if change.field == FieldKey::Known(Field::Manager) {
                    wishes::forget(&tx, user)?;
                }
                write_value(&tx, user, &change.field, change.to.as_deref())?;
                tx.prepare_cached(
                    "INSERT INTO changes (import, n, user, line, field, before, after)
                     VALUES (?1, ?2, ?3, 0, ?4, ?5, ?6)",
                )?
                .execute(params![
                    seq,
                    i64::try_from(n).unwrap_or(i64::MAX),
                    user,
                    change.field.to_string(),
                    change.from,
                    change.to
                ])?;
            }
            for (field, code) in &edit.list_entries {
                tx.prepare_cached(
                    "INSERT INTO lists (field, code, added_by) VALUES (?1, ?2, ?3)
                     ON CONFLICT DO NOTHING",
                )?
                .execute(params![field.name(), code, seq])?;
            }
            tx.execute("UPDATE directory SET change_number = ?1", [change_number + 1])?;
            Ok(())
        };
        write().map_err(what())?;
        tx.commit().map_err(what())
    }
}
