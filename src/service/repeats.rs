//! Use cases of idempotency keys: the same request twice does its work once.

use jiff::SignedDuration;
use uuid::Uuid;

use super::{Service, commit};
use crate::error::Result;
use crate::model::UploadId;
use crate::store::registry::NewRepeat;

pub use crate::store::registry::{KeptAnswer, Repeat};

/// A request with an idempotency key.
#[derive(Debug, Clone)]
pub struct Keyed {
    /// The API token's number.
    pub token: i64,
    /// The key.
    pub key: String,
    /// SHA-256 over what was asked, as hex digits.
    pub print: String,
    /// The client that it is about.
    pub client: Option<String>,
    /// The process that works on it.
    pub run: Uuid,
}

impl Service {
    /// An id for something that is to be made.
    #[must_use]
    pub fn new_id(&self) -> UploadId {
        commit::new_id(self.clock())
    }

    /// Begins a request with a key, or says what became of the first one.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn begin_keyed(&self, keyed: &Keyed) -> Result<Repeat> {
        let now = self.clock().now();
        let kept = SignedDuration::from_hours(i64::from(self.config().admin.api_key_hours));
        let new = NewRepeat {
            token: keyed.token,
            key: keyed.key.clone(),
            print: keyed.print.clone(),
            client: keyed.client.clone(),
            reserved: self.new_id(),
            run: keyed.run,
            at: now,
        };
        self.registry().begin_repeat(&new, now.checked_sub(kept).unwrap_or(now))
    }

    /// Keeps the answer to a request with a key; `None`: nothing was done, and the key is free again.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn end_keyed(&self, keyed: &Keyed, answer: Option<KeptAnswer>) -> Result<()> {
        self.registry().end_repeat(keyed.token, &keyed.key, answer)
    }
}
