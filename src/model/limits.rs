//! What an account may use of the server, where it is less or more than the server's own limits.

use serde::{Deserialize, Serialize};

/// Limits of one account; `None`: the server's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AccountLimits {
    /// Sessions at the same time (the server's `limits.sessions_per_account` still holds).
    pub max_sessions: Option<u32>,
    /// Seconds after which a session on which nothing moves ends, in place of `limits.idle_timeout_s`.
    pub idle_timeout_s: Option<u32>,
    /// The largest upload in bytes (`limits.max_upload_bytes` still holds).
    pub max_upload_bytes: Option<u64>,
    /// Bytes of all files in the account's space, uploads under way counted.
    pub quota_bytes: Option<u64>,
    /// Files in the account's space, uploads under way counted.
    pub quota_files: Option<u64>,
}

impl AccountLimits {
    /// Whether the account's files must be counted.
    #[must_use]
    pub fn has_quota(&self) -> bool {
        self.quota_bytes.is_some() || self.quota_files.is_some()
    }
}
