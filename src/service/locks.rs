//! Locks on paths: a commit or rename has its names to itself.

use std::collections::HashSet;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use crate::model::VPath;

/// The names that are being changed right now, by login.
#[derive(Clone, Default)]
pub(super) struct PathLocks(Arc<Table>);

#[derive(Default)]
struct Table {
    held: Mutex<HashSet<(String, VPath)>>,
    freed: Condvar,
}

/// Names held; dropping it lets others in.
pub(super) struct PathGuard {
    table: Arc<Table>,
    names: Vec<(String, VPath)>,
}

impl PathLocks {
    /// Waits until every one of `paths` is free, then takes them all in one step: two renames in opposite
    /// directions cannot wait for each other.
    pub(super) fn lock(&self, login: &str, paths: &[&VPath]) -> PathGuard {
        let mut names: Vec<_> = paths.iter().map(|p| (login.to_owned(), (*p).clone())).collect();
        names.sort();
        names.dedup();
        let held = self.0.held.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = |held: &mut HashSet<_>| names.iter().any(|name| held.contains(name));
        let mut held = self.0.freed.wait_while(held, taken).unwrap_or_else(PoisonError::into_inner);
        held.extend(names.iter().cloned());
        PathGuard { table: Arc::clone(&self.0), names }
    }
}

impl Drop for PathGuard {
    fn drop(&mut self) {
        let mut held = self.table.held.lock().unwrap_or_else(PoisonError::into_inner);
        for name in &self.names {
            held.remove(name);
        }
        drop(held);
        self.table.freed.notify_all();
    }
}
