//! The live sessions: how many an account has, and which must end.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::session::State;
use crate::error::{Error, Kind, Result};
use crate::vfs::FileId;

/// Every live session. A session that was dropped by its transport is forgotten at the next look.
#[derive(Default)]
pub(super) struct LiveSessions {
    all: Mutex<Vec<Weak<State>>>,
}

impl LiveSessions {
    /// Counts a new session in, unless its account has `most` already.
    pub(super) fn add(&self, session: &Arc<State>, most: usize) -> Result<()> {
        let mut all = self.lock();
        all.retain(|one| one.strong_count() > 0);
        let same = all.iter().filter_map(Weak::upgrade).filter(|s| s.login == session.login);
        if same.count() >= most {
            return Err(Error::new(
                Kind::Quota,
                format!("{} has {most} sessions already; close one first", session.login),
            ));
        }
        all.push(Arc::downgrade(session));
        Ok(())
    }

    /// The files that are being uploaded to an account, with the bytes that have come.
    pub(super) fn uploading(&self, login: &str) -> Vec<(FileId, u64)> {
        let mut sessions = self.all();
        sessions.retain(|session| session.login == login);
        sessions.iter().flat_map(|session| session.uploads.files()).collect()
    }

    /// The sessions of now.
    pub(super) fn all(&self) -> Vec<Arc<State>> {
        self.lock().iter().filter_map(Weak::upgrade).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Weak<State>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
