//! What follows an import whose report stands: e-mails, hooks, exports, the report on the client's own server.

use super::{Service, exports, give_back, hooks, mail};
use crate::error::Result;
use crate::import::report::Report;
use crate::import::settings::Settings;
use crate::model::{Client, Upload};

/// Queues everything that follows from a report: first written, or written again with another status (approved, expired,
/// undone …). A crash may repeat the call, so whatever is queued has a key of the import and its status.
///
/// # Errors
/// What could not be queued durably: the caller owes it, as it owes the report.
pub(super) fn reported(
    service: &Service,
    client: &Client,
    upload: &Upload,
    settings: &Settings,
    report: &Report,
) -> Result<()> {
    give_back::reported(service, upload, report)?;
    if report.dry_run {
        return Ok(());
    }
    exports::after_import(service, client, upload, report)?;
    mail::reported(service, client, upload, settings, report)?;
    hooks::reported(service, client, upload, report)
}
