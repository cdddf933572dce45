//! An import that fails on our side: tried again, or given up and told.

use std::time::Duration;

use super::Service;
use super::queue::Next;
use super::reports::Beside;
use super::run::{OWED_PAUSE, Run, Turn, answer};
use crate::error::{Error, Kind, Result};
use crate::import::report::Report;
use crate::import::{self, Meta};
use crate::model::{Client, Upload, UploadState};

/// How long the next try waits after a failure that is ours: longer each time.
const RETRY_PAUSES: [Duration; 3] =
    [Duration::from_millis(500), Duration::from_secs(5), Duration::from_secs(30)];

/// The report of an import that was given up, as its upload tells it: the client's own database may not know it.
pub(super) fn report_of_failure(
    service: &Service,
    client: &Client,
    upload: &Upload,
    failure: &str,
) -> Report {
    let settings = upload
        .folder
        .as_deref()
        .and_then(|folder| service.settings(&client.slug, folder).ok())
        .unwrap_or_default();
    let meta = Meta {
        import: upload.id.to_string(),
        client: client.slug.clone(),
        account: upload.login.clone(),
        file_name: upload.path.name().unwrap_or_default().to_owned(),
        path: upload.path.to_string(),
        bytes: upload.bytes,
        sha256: upload.sha256.clone(),
        content_sha256: upload.sha256.clone(),
        received_at: Some(upload.received_at),
        started_at: upload.finished_at,
    };
    let mut report = import::plan_failed(&meta, &settings, failure).report;
    report.finished_at = upload.finished_at;
    report
}

impl Run<'_> {
    /// Decides what follows a failure before anything was applied.
    pub(super) fn after_fault(&self, error: &Error) -> Next {
        let id = self.upload.id;
        let failures = self.service.0.owed.failed_again(id);
        tracing::error!(
            code = "E901", %error, upload = %id, path = ?self.upload.path.as_str(), failures, "import failed on our side"
        );
        match error.kind() {
            // The disk or a lock, not this file: it waits as long as it takes.
            Kind::NoSpace | Kind::Busy => {
                self.service.0.owed.excuse(id);
                return Next::After(OWED_PAUSE);
            }
            Kind::Unsupported | Kind::NotFound => {}
            _ if failures < self.service.config().limits.import_attempts => {
                let pause = usize::try_from(failures.saturating_sub(1)).unwrap_or(usize::MAX);
                return Next::After(RETRY_PAUSES.get(pause).copied().unwrap_or(OWED_PAUSE));
            }
            _ => {}
        }
        match self.give_up(error) {
            Ok(()) => {
                self.service.0.owed.settle(id);
                Next::Now
            }
            Err(error) => {
                tracing::error!(code = "E901", %error, upload = %id, "giving an import up");
                Next::After(OWED_PAUSE)
            }
        }
    }

    /// Marks the import as failed for good, and says so where its report belongs.
    fn give_up(&self, error: &Error) -> Result<()> {
        let settings = self.settings().unwrap_or_default();
        let plan = import::plan_failed(&self.upload_meta(), &settings, error.message());
        let mut report = plan.report.clone();
        report.finished_at = Some(self.service.clock().now());
        // The client's database may be what is broken: the report goes out all the same.
        let recorded = self
            .service
            .directory(self.space)
            .and_then(|mut directory| self.record(&mut directory, &settings, plan, Turn::First));
        if let Err(error) = &recorded {
            tracing::error!(%error, client = self.client.slug, "recording a failed import");
        }
        self.service.import_was_given_up(self.upload, error.message(), recorded.is_ok());
        let path = self.deliver(&report, &settings, Beside::IfNewest, None)?.sync()?;
        self.tell_others(&report, None)?;
        self.service.0.waiters.tell(self.upload.id, &answer(report.clone(), &path));
        self.finish(UploadState::Failed, Some(error.message()), &report)
    }
}
