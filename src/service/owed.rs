//! What is owed although something stood in its way: reports to be written, imports that wait for room.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::model::UploadId;

/// Kept in memory only: after a restart everything is simply tried at once.
#[derive(Default)]
pub(super) struct Owed {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    reports: HashMap<UploadId, Instant>,
    excused: HashSet<UploadId>,
    failures: HashMap<UploadId, u32>,
    cautious_since: HashMap<UploadId, Instant>,
}

impl Owed {
    /// The import stands, its report could not be written: others go first for a while.
    pub(super) fn postpone(&self, id: UploadId, pause: Duration) {
        self.lock().reports.insert(id, Instant::now() + pause);
    }

    /// Its next try does not count as one: the machine was at fault, not the file.
    pub(super) fn excuse(&self, id: UploadId) {
        self.lock().excused.insert(id);
    }

    pub(super) fn is_excused(&self, id: UploadId) -> bool {
        self.lock().excused.contains(&id)
    }

    /// One more failure of this import, and how many that makes.
    pub(super) fn failed_again(&self, id: UploadId) -> u32 {
        let mut state = self.lock();
        let failures = state.failures.entry(id).or_insert(0);
        *failures = failures.saturating_add(1);
        *failures
    }

    /// How long an import that was cut short before still waits, from the first time that this process sees it.
    pub(super) fn caution(&self, id: UploadId, pause: Duration) -> Duration {
        let now = Instant::now();
        let since = *self.lock().cautious_since.entry(id).or_insert(now);
        pause.saturating_sub(now.saturating_duration_since(since))
    }

    /// Nothing is owed any more.
    pub(super) fn settle(&self, id: UploadId) {
        let mut state = self.lock();
        state.reports.remove(&id);
        state.excused.remove(&id);
        state.failures.remove(&id);
        state.cautious_since.remove(&id);
    }

    /// Whether this upload may be taken now.
    pub(super) fn is_due(&self, id: UploadId) -> bool {
        self.lock().reports.get(&id).is_none_or(|due| *due <= Instant::now())
    }

    /// How many reports are owed.
    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.lock().reports.len()).unwrap_or(u32::MAX)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
