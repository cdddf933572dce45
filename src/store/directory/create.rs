//! One user created by hand, as an event in the order of imports.

use rusqlite::TransactionBehavior;

use super::events::{self, Event};
use super::{Directory, apply, meta};
use crate::error::{Error, Kind, Result};
use crate::import::Plan;
use crate::import::plan::Newcomers;
use crate::store::failed;

impl Directory {
    /// Writes what a plan creates for somebody's own event.
    ///
    /// # Errors
    /// `Kind::Conflict` when the directory has moved since the plan's snapshot.
    pub fn create(&mut self, event: &Event, plan: &Plan) -> Result<()> {
        let what = || failed("create a user");
        let tx =
            self.conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(what())?;
        let before = meta(&tx).map_err(what())?.change_number;
        if before != plan.change_number {
            let message = "the directory has changed meanwhile; do it again";
            return Err(Error::new(Kind::Conflict, message));
        }
        let seq = events::insert(&tx, event, before + 1).map_err(what())?;
        apply::write_all(&tx, plan, &Newcomers::default(), &event.source, seq, before + 1)?;
        tx.commit().map_err(what())
    }
}
