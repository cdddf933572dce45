//! What is written of an import: its plan and row in the client's database, its report's files, and the upload's end.

use super::reports::{self, Beside, Delivered, Staged};
use super::run::{Run, Turn, release};
use super::{after, events, feed, retention};
use crate::error::Result;
use crate::import::report::{self, Report, ReportFile, Undo};
use crate::import::settings::Settings;
use crate::import::{Newcomers, Plan};
use crate::model::UploadState;
use crate::store::directory::{Directory, ImportRecord};

impl Run<'_> {
    /// Applies a plan together with the import's own row.
    pub(super) fn record(
        &self,
        directory: &mut Directory,
        settings: &Settings,
        mut plan: Plan,
        turn: Turn,
    ) -> Result<Report> {
        let newcomers = Newcomers::default();
        self.finish_plan(&mut plan, &newcomers)?;
        let record = self.import_record(settings);
        match turn {
            Turn::First => directory.apply_made(&plan, &newcomers, &record)?,
            Turn::Decided => directory.apply_held(&plan, &record)?,
        };
        let Plan { writes, report, .. } = plan;
        release(writes.len(), writes);
        Ok(report)
    }

    /// The same for the first time, while the report's files are written beside it; `None`: they could not be, or need not.
    pub(super) fn record_and_stage(
        &self,
        directory: &mut Directory,
        settings: &Settings,
        (mut plan, newcomers): (Plan, &Newcomers<'_>),
    ) -> Result<(Report, Option<Staged>)> {
        self.finish_plan(&mut plan, newcomers)?;
        let record = self.import_record(settings);
        let has_files = !self.service.is_remote(&self.upload.login)?;
        let told = &plan.report;
        let stage = || {
            let make = |name: &str| self.report_files(told, settings, name);
            reports::stage(self.space, self.upload, &make)
        };
        let (applied, staged) = std::thread::scope(|scope| {
            // Whatever fails here is tried again, and told, once the import stands.
            let thread = || std::thread::Builder::new().name("report".to_owned());
            let staging = has_files.then(|| thread().spawn_scoped(scope, stage).ok()).flatten();
            let applied = directory.apply_made(&plan, newcomers, &record);
            (applied, staging.and_then(|staging| staging.join().ok()?.ok()))
        });
        if let Err(error) = applied {
            if let Some(staged) = staged {
                reports::unstage(self.space, self.upload, &staged);
            }
            return Err(error);
        }
        let Plan { writes, report, .. } = plan;
        release(writes.len(), writes);
        Ok((report, staged))
    }

    /// What is known only now: when it was done, and until when it can be taken back.
    fn finish_plan(&self, plan: &mut Plan, newcomers: &Newcomers<'_>) -> Result<()> {
        plan.report.finished_at = Some(self.service.clock().now());
        plan.report.undo = self.undo(plan, newcomers)?;
        Ok(())
    }

    fn import_record(&self, settings: &Settings) -> ImportRecord {
        ImportRecord {
            id: self.upload.id,
            source: self.source().to_owned(),
            login: self.upload.login.clone(),
            path: self.upload.path.clone(),
            file_name: self.file_name().to_owned(),
            bytes: self.upload.bytes,
            sha256: self.upload.sha256.clone(),
            received_at: self.upload.received_at,
            settings_version: settings.version(),
            settings_toml: settings.to_toml(),
        }
    }

    /// Until when an import can be taken back; `None`: it writes nothing.
    fn undo(&self, plan: &Plan, newcomers: &Newcomers<'_>) -> Result<Option<Undo>> {
        let writes =
            !(plan.writes.is_empty() && newcomers.is_empty() && plan.list_entries.is_empty());
        if !writes || !plan.report.status.is_applied() || plan.report.dry_run {
            return Ok(None);
        }
        let kept = self.service.registry().client_retention(&self.client.slug)?;
        let days = kept.over(&self.service.config().retention).history_days;
        Ok(Some(Undo { until: retention::until(self.service.clock().now(), days) }))
    }

    pub(super) fn deliver(
        &self,
        report: &Report,
        settings: &Settings,
        beside: Beside,
        staged: Option<Staged>,
    ) -> Result<Delivered> {
        let make = |name: &str| self.report_files(report, settings, name);
        // On the client's own server the report is given back by a job of the outbox.
        let delivered = if self.service.is_remote(&self.upload.login)? {
            Delivered::elsewhere(self.upload.path.clone())
        } else {
            reports::deliver(self.service, self.space, self.upload, beside, staged, &make)?
        };
        after::reported(self.service, self.client, self.upload, settings, report)?;
        Ok(delivered)
    }

    fn report_files(&self, report: &Report, settings: &Settings, name: &str) -> Vec<ReportFile> {
        report::files(report, &settings.report, self.client.language, name)
    }

    /// Writes the report of a finished import again: its status has changed. The caller holds the client's lock.
    pub(super) fn tell_again(&self, directory: &Directory, report: &Report) -> Result<()> {
        self.deliver(report, &self.settings()?, Beside::IfNewest, None)?.sync()?;
        directory.set_reports_written(self.upload.id)?;
        self.service.registry().note_outcomes(vec![(self.upload.id, feed::outcome(report))])?;
        self.tell_others(report, Some(directory))
    }

    pub(super) fn tell_others(&self, report: &Report, directory: Option<&Directory>) -> Result<()> {
        events::reported(self.service, self.client, self.upload, report, directory)
    }

    pub(super) fn finish(
        &self,
        state: UploadState,
        failure: Option<&str>,
        report: &Report,
    ) -> Result<()> {
        let at = self.service.clock().now();
        let outcome = feed::outcome(report);
        let most = self.service.config().metrics.clients;
        self.service.0.activity.1.imported(&self.client.slug, report, most);
        self.service.registry().finish_import(self.upload.id, state, at, failure, &outcome)
    }
}
