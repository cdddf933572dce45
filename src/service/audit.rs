//! The audit trail: what was done through this program, by whom; written by every use case, read here.

use super::{Service, events};
use crate::error::Result;

pub use crate::store::registry::{AuditEntry, AuditEvent, AuditFilter};

impl Service {
    /// Entries of the audit trail, newest first.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub fn audit(&self, filter: &AuditFilter) -> Result<Vec<AuditEntry>> {
        self.registry().audit_trail(filter)
    }

    /// What has been done at all: the words that [`AuditFilter::what`] can name.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub fn audit_kinds(&self) -> Result<Vec<String>> {
        self.registry().audit_kinds()
    }

    /// Adds to the audit trail; what was done stays done when the note fails.
    pub(super) fn record(&self, what: &str, object: &str, detail: &str) {
        self.record_by(self.who(), what, object, detail);
    }

    /// The same for somebody else.
    pub(super) fn record_by(&self, who: &str, what: &str, object: &str, detail: &str) {
        let event = AuditEvent {
            at: self.clock().now(),
            who: who.to_owned(),
            what: what.to_owned(),
            object: object.to_owned(),
            detail: detail.to_owned(),
        };
        if let Err(error) = self.registry().audit(&event, events::of_audit(&event)) {
            tracing::error!(%error, what, object, "the audit trail was not written");
        }
    }
}
