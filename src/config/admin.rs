//! The administration page and the REST API.

use serde::{Deserialize, Serialize};

/// Where the administration page listens when nothing else is said.
pub const DEFAULT_ADMIN_LISTEN: &str = "127.0.0.1:8080";

/// The administration page and the REST API.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Admin {
    /// Address and port, or `off`. A loopback address is served in clear, every other one over TLS only.
    /// None: 127.0.0.1:8080, and no page (with a warning) when that port is taken.
    pub listen: Option<String>,
    /// Host names under which browsers may reach it, besides the address itself and `mail.public_url`'s.
    pub hosts: Vec<String>,
    /// A session that nobody used for so long is over.
    pub session_idle_minutes: u32,
    /// A session is over so long after signing in, used or not.
    pub session_hours: u32,
    /// Sessions of one administrator; beyond, the one that was not used for longest ends.
    pub sessions_per_administrator: u32,
    /// How long a set-up link or an invitation can be used.
    pub invitation_hours: u32,
    /// How long a one-time link to a hand-out sheet can be opened.
    pub handout_hours: u32,
    /// Wrong one-time links that one address may try in a minute.
    pub handout_misses_per_minute: u32,
    /// The largest form, without files.
    pub max_form_bytes: usize,
    /// Connections at the same time.
    pub max_connections: usize,
    /// Connections at the same time from one address (IPv6: one /64); a trusted proxy has no such limit.
    pub max_connections_per_address: usize,
    /// A request must be answered so long after it has come in whole; those of somebody who is not signed in must have
    /// come in by then too.
    pub request_timeout_s: u64,
    /// How long a file or form on its way here may stand still.
    pub body_idle_timeout_s: u64,
    /// The least pace of a file or form on its way here, once `body_idle_timeout_s` is over; 0: none.
    pub body_min_bytes_per_s: u64,
    /// How long a file that was tried out is kept, so that it can be imported without being sent again.
    pub trial_minutes: u32,
    /// Tried files that are kept at the same time; the oldest make room.
    pub trials_kept: usize,
    /// Files that are tried at the same time; each takes as much memory as its import.
    pub trials_at_once: usize,
    /// The largest file whose columns are looked at on the page of a folder's columns.
    pub max_sample_bytes: u64,
    /// Requests that one API token may send in a minute.
    pub api_requests_per_minute: u32,
    /// The most rows on one page of a list.
    pub api_max_rows: usize,
    /// How long an idempotency key is known.
    pub api_key_hours: u32,
    /// The longest that a request may ask to wait for an import or an event.
    pub api_max_wait_s: u64,
}

impl Default for Admin {
    fn default() -> Self {
        Self {
            listen: None,
            hosts: Vec::new(),
            session_idle_minutes: 60,
            session_hours: 12,
            sessions_per_administrator: 20,
            invitation_hours: 48,
            handout_hours: 72,
            handout_misses_per_minute: 20,
            max_form_bytes: 1024 * 1024,
            max_connections: 200,
            max_connections_per_address: 64,
            request_timeout_s: 60,
            body_idle_timeout_s: 30,
            body_min_bytes_per_s: 1000,
            trial_minutes: 60,
            trials_kept: 50,
            trials_at_once: 2,
            max_sample_bytes: 32 * 1024 * 1024,
            api_requests_per_minute: 600,
            api_max_rows: 500,
            api_key_hours: 24,
            api_max_wait_s: 30,
        }
    }
}
