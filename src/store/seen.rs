//! What somebody has seen, asked for again inside the transaction that changes it: whoever was overtaken writes nothing.

use std::cell::Cell;

use rusqlite::Connection;

use crate::error::{Error, Kind, Result};

/// A state of the registry, or of one client's directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// Rows that our writer has changed so far, and SQLite's count of what other processes have committed.
    Registry(i64, i64),
    /// The directory's change number.
    Directory(i64),
}

/// What became of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// Nothing was written.
    Open,
    /// What was written followed upon the state that was seen.
    Kept,
    /// The state was another by then: nothing was written.
    Broken,
}

thread_local! {
    // Not an argument: it would run through every use case that changes something, for the sake of those that the API is
    // asked for with a condition.
    static ASKED: Cell<Option<Seen>> = const { Cell::new(None) };
    static BECAME: Cell<Condition> = const { Cell::new(Condition::Open) };
}

/// Runs `work`, whose first write happens only if the state is still what was seen; later ones follow upon it. `work` must stay
/// on this thread.
pub fn only_at<T>(seen: Seen, work: impl FnOnce() -> T) -> (T, Condition) {
    /// Also when `work` panics: the thread goes on to work for others, who ask for nothing.
    struct Asking;
    impl Drop for Asking {
        fn drop(&mut self) {
            ASKED.set(None);
        }
    }
    ASKED.set(Some(seen));
    BECAME.set(Condition::Open);
    let asking = Asking;
    let done = work();
    drop(asking);
    (done, BECAME.get())
}

/// The state of the registry that the write which begins now must find.
pub(super) fn asked_of_registry() -> Option<Seen> {
    let asked = ASKED.get().filter(|seen| matches!(seen, Seen::Registry(..)));
    asked.inspect(|_| ASKED.set(None))
}

/// Notes how a write of the registry ended that had to find a state.
pub(super) fn became(condition: Condition) {
    BECAME.set(condition);
}

/// The state of the registry, on its writer's connection, in a transaction.
pub(super) fn registry(conn: &Connection) -> rusqlite::Result<Seen> {
    let own = conn.query_row("SELECT total_changes()", [], |row| row.get(0))?;
    let others = conn.query_row("PRAGMA data_version", [], |row| row.get(0))?;
    Ok(Seen::Registry(own, others))
}

/// Refuses a write to a directory that is not at the change number that was seen, if one was.
pub(super) fn check_directory(change_number: i64) -> Result<()> {
    let Some(seen) = ASKED.get().filter(|seen| matches!(seen, Seen::Directory(_))) else {
        return Ok(());
    };
    ASKED.set(None);
    if seen == Seen::Directory(change_number) {
        became(Condition::Kept);
        return Ok(());
    }
    became(Condition::Broken);
    Err(overtaken())
}

/// Somebody was faster.
pub(super) fn overtaken() -> Error {
    Error::new(Kind::Conflict, "it was changed since it was read; read it again, and decide anew")
}
