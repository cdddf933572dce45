//! What monitoring may ask, and from when on the server is not well.

use serde::{Deserialize, Serialize};

/// `/metrics` and `/readyz` (docs/metrics.md).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Metrics {
    /// Who may read `/metrics` without a token.
    pub access: MetricsAccess,
    /// The most clients that have numbers of their own; the others are counted together.
    pub clients: usize,
    /// An upload that has waited longer than this for its import: the server is not ready.
    pub ready_queue_age_s: u64,
}

impl Default for Metrics {
    fn default() -> Self {
        Self { access: MetricsAccess::Loopback, clients: 200, ready_queue_age_s: 900 }
    }
}

/// Who may read `/metrics` without a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MetricsAccess {
    /// Programs of this machine that come without a proxy.
    Loopback,
    /// Nobody.
    Token,
}
