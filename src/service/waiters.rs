//! Who waits for the result of which import.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::model::UploadId;

/// The answers that are being held back until their import has ended.
#[derive(Default)]
pub(super) struct Waiters {
    waiting: Mutex<HashMap<UploadId, Vec<oneshot::Sender<String>>>>,
}

impl Waiters {
    pub(super) fn register(&self, id: UploadId) -> oneshot::Receiver<String> {
        let (tell, result) = oneshot::channel();
        let mut waiting = self.lock();
        // Those whose transport stopped waiting would otherwise stay for ever if their import never runs.
        waiting.retain(|_, others| {
            others.retain(|other| !other.is_closed());
            !others.is_empty()
        });
        waiting.entry(id).or_default().push(tell);
        result
    }

    /// Tells whoever waits for this import, if anybody does.
    pub(super) fn tell(&self, id: UploadId, result: &str) {
        let waiting = self.lock().remove(&id);
        for tell in waiting.into_iter().flatten() {
            if tell.send(result.to_owned()).is_err() {
                tracing::debug!(upload = %id, "nobody waits for this import any more");
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<UploadId, Vec<oneshot::Sender<String>>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
