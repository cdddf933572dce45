//! A change that somebody asks for on the condition that nobody was faster: the condition is asked for in the change's own transaction.

use std::sync::{Mutex, PoisonError};

use super::Service;
use crate::error::Result;
use crate::store::seen::{Condition, Seen, only_at};

/// A state that was seen, and what became of the change that depends on it.
#[derive(Debug)]
pub struct Unmoved {
    state: Mutex<(Option<Seen>, Condition)>,
}

impl Unmoved {
    /// Runs a use case; its first write is refused with `Kind::Conflict` if somebody was faster.
    ///
    /// # Errors
    /// The use case's.
    pub fn guard<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let asked = self.state.lock().unwrap_or_else(PoisonError::into_inner).0;
        let Some(seen) = asked else { return work() };
        let (done, became) = only_at(seen, work);
        // A second use case of the same request follows upon the first.
        let left = asked.filter(|_| became == Condition::Open);
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = (left, became);
        done
    }

    /// Whether somebody was faster, so that nothing was written.
    #[must_use]
    pub fn was_overtaken(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).1 == Condition::Broken
    }
}

impl Service {
    /// Looks how far everything is: the directory of a client, where the change is to its users or lists, else the registry. Look
    /// before you read what the change depends on.
    ///
    /// # Errors
    /// `Kind::NotFound` for the client.
    pub fn unmoved(&self, directory_of: Option<&str>) -> Result<Unmoved> {
        let seen = match directory_of {
            Some(client) => {
                let client = self.client(client)?;
                self.open_directory(&client.slug)?.seen()?
            }
            None => self.registry().seen()?,
        };
        Ok(Unmoved { state: Mutex::new((Some(seen), Condition::Open)) })
    }
}
