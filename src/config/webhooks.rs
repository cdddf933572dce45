//! Webhooks and the events that they tell.

use serde::{Deserialize, Serialize};

/// The most events in one message to a webhook.
pub const WEBHOOK_EVENTS: usize = 100;
/// The most webhooks: each is a look and perhaps a job for every event.
pub const MOST_WEBHOOKS: usize = 100;

/// What webhooks and the API's events may use (docs/webhooks.md).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Webhooks {
    /// The most users of one import who are told one by one; of more there is one event for all of them.
    pub users_told: usize,
    /// How long an address may take to answer.
    pub timeout_s: u64,
    /// A webhook that has failed for so long is paused; 0: never.
    pub pause_after_days: u32,
}

impl Default for Webhooks {
    fn default() -> Self {
        Self { users_told: 1000, timeout_s: 30, pause_after_days: 5 }
    }
}
