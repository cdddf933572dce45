//! One import of one upload: from the archived bytes to the report that lies beside them.

use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;

use super::by_hand::DryRun;
use super::decrypt::Content;
use super::due::{self, Calendar};
use super::queue::Next;
use super::received::import_limits;
use super::reports::{Beside, Staged};
use super::{Service, decided, holds, names};
use crate::clock::Clock;
use crate::config;
use crate::error::{Error, Kind, Result};
use crate::import::directory::{Snapshot, SourceMemory};
use crate::import::inspect::{Inspection, inspect};
use crate::import::report::{self, Decided, Report};
use crate::import::settings::Settings;
use crate::import::{self, Approval, Job, Made, Newcomers, Plan};
use crate::model::{Client, ImportStatus, Language, Upload, UploadState, VPath};
use crate::store::directory::Directory;
use crate::store::registry::UploadFilter;
use crate::vfs::ClientSpace;

/// The directory may move between plan and commit only if somebody bypasses the client's lock.
pub(super) const PLANS: u32 = 5;
/// How long what is owed for want of room or a lock waits for the next try.
pub(super) const OWED_PAUSE: Duration = Duration::from_secs(2);
/// How long a start waits before it begins an import again that never came to its end.
const CAUTION: Duration = Duration::from_secs(5);

/// Carries out the next decision of a client or imports its next waiting upload. The caller holds the client's lock.
pub(super) fn next(service: &Service, space: &Arc<ClientSpace>, client: &str) -> Result<Next> {
    let Some(client) = service.registry().client(client)? else { return Ok(Next::Idle) };
    if service.is_left_out(&client.slug)? {
        return Ok(Next::Idle);
    }
    if let Some(decision) = service.registry().next_decision(&client.slug)? {
        return decided::carry_out(service, space, &client, &decision);
    }
    let holds = holds::open(service, space);
    let owed = &service.0.owed;
    let calendar = Calendar::of(service, &client)?;
    let next_first = holds.is_empty() && calendar.is_empty();
    let waiting = service.registry().uploads(&UploadFilter {
        client: Some(client.slug.clone()),
        states: vec![UploadState::Queued],
        limit: next_first.then(|| owed.count().saturating_add(1)),
        ..UploadFilter::default()
    })?;
    let (ready, next_time) = due::due(service, &calendar, &waiting)?;
    let mut due = ready.iter().copied().filter(|upload| owed.is_due(upload.id));
    let Some(upload) = due.find(|upload| !holds::hold_up(service, space, &holds, upload)) else {
        let owes = ready.iter().any(|upload| !owed.is_due(upload.id));
        return Ok(match next_time {
            _ if owes => Next::After(OWED_PAUSE),
            Some(at) => Next::Later(due::until(service, at)),
            None => Next::Idle,
        });
    };
    // Perhaps this file ends the program: the server lives a while for everybody else before it tries again. And
    // restarts in quick succession use none of its tries up.
    if upload.attempts >= service.config().limits.import_attempts {
        let pause = owed.caution(upload.id, CAUTION);
        if !pause.is_zero() {
            return Ok(Next::After(pause));
        }
    }
    let run = Run { service, space, client: &client, upload };
    Ok(match run.import() {
        Ok(()) => {
            owed.settle(upload.id);
            Next::Now
        }
        Err(Fault::Report(error)) => {
            tracing::error!(code = "T03", %error, upload = %upload.id, path = ?upload.path.as_str(), "the report is owed");
            owed.postpone(upload.id, OWED_PAUSE);
            Next::Now
        }
        Err(Fault::Import(error)) => run.after_fault(&error),
    })
}

/// What went wrong on our side, by what stands.
enum Fault {
    /// Nothing was applied.
    Import(Error),
    /// The import stands; its report files do not all lie there.
    Report(Error),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Import(error)
    }
}

/// How a file is looked at.
pub(super) struct Look<'x> {
    pub(super) dry_run: DryRun,
    pub(super) approval: Option<&'x Approval>,
    pub(super) today: Date,
}

/// Which time it is that an import is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// The first.
    First,
    /// Again, in the place of its hold.
    Decided,
}

/// One upload's import under way.
pub(super) struct Run<'a> {
    pub(super) service: &'a Service,
    pub(super) space: &'a Arc<ClientSpace>,
    pub(super) client: &'a Client,
    pub(super) upload: &'a Upload,
}

impl Run<'_> {
    /// From the archive to the report. A second run of an applied import only writes the report again.
    fn import(&self) -> std::result::Result<(), Fault> {
        let mut directory = self.service.directory(self.space)?;
        let settings = self.settings()?;
        let (report, staged) = match directory.import(self.upload.id)? {
            Some(stored) => (stored.report, None),
            None => self.apply(&mut directory, &settings)?,
        };
        // One that was held had its turn; only one that never had stays without a report beside it.
        let superseded = report.status == ImportStatus::Superseded && !report.is_superseded_hold();
        let beside = if superseded { Beside::Never } else { Beside::IfNewest };
        let told = self.deliver(&report, &settings, beside, staged).map_err(Fault::Report)?;
        self.service.0.waiters.tell(self.upload.id, &answer(report.clone(), &told.path));
        // After the answer: what a power cut takes of the report's names is owed, and made again.
        let path = told.sync().map_err(Fault::Report)?;
        self.place("report.written").map_err(Fault::Report)?;
        directory.set_reports_written(self.upload.id).map_err(Fault::Report)?;
        self.place("import.marked").map_err(Fault::Report)?;
        self.tell_others(&report, Some(&directory)).map_err(Fault::Report)?;
        self.owe_superseded(&directory).map_err(Fault::Report)?;
        let state = if superseded { UploadState::Superseded } else { UploadState::Done };
        self.finish(state, None, &report).map_err(Fault::Report)?;
        self.follow(&path).map_err(Fault::Report)?;
        if let Err(error) = self.service.import_was_made_up_for(self.upload, &report) {
            tracing::warn!(%error, upload = %self.upload.id, "ending alarms about imports that were given up");
        }
        tracing::info!(
            client = self.client.slug, upload = %self.upload.id, path = ?self.upload.path.as_str(),
            status = report.status.name(), rows = report.counts.rows, "import done"
        );
        if report.status.is_applied() && !report.dry_run {
            self.service.look_over_soon(&self.client.slug);
        }
        // After the answer: nothing depends on it.
        if let Err(error) = directory.checkpoint() {
            tracing::warn!(%error, client = self.client.slug, "checkpointing the directory");
        }
        self.service.keep_directory(self.space, directory);
        Ok(())
    }

    /// A step between two others, where a test may stand in the way.
    fn place(&self, name: &str) -> Result<()> {
        crate::fault::at(name)
            .map_err(|e| Error::io(format!("importing upload {}", self.upload.id), e))
    }

    /// Should the upload have been renamed since its report was written, the report goes beside its new name.
    fn follow(&self, reported: &VPath) -> Result<()> {
        let now = self.service.registry().upload(self.upload.id)?;
        let moved = now.filter(|now| now.state == UploadState::Done && now.path != *reported);
        moved.map_or(Ok(()), |now| self.service.registry().requeue_upload(now.id))
    }

    /// Imports whose reports changed with this one (held ones that it made needless) get theirs written again.
    fn owe_superseded(&self, directory: &Directory) -> Result<()> {
        for id in directory.imports_owing_reports()? {
            let upload = self.service.registry().upload(id)?;
            if upload.is_some_and(|upload| upload.state == UploadState::Done) {
                self.service.registry().requeue_upload(id)?;
            }
        }
        Ok(())
    }

    fn apply(
        &self,
        directory: &mut Directory,
        settings: &Settings,
    ) -> Result<(Report, Option<Staged>)> {
        self.need_folder()?;
        let ended = self.service.registry().noted_end(self.upload.id)?;
        // What had been applied is applied again in its place: a newer file may not come to that this time.
        let had_its_turn = ended.is_some_and(ImportStatus::is_applied);
        if let Some(newer) = self.superseding(settings)?.filter(|_| !had_its_turn) {
            let meta = self.upload_meta();
            let plan = import::plan_superseded(&meta, settings, &newer.id.to_string());
            return Ok((self.record(directory, settings, plan, Turn::First)?, None));
        }
        if let Some(report) = self.again(directory, settings, ended)? {
            return Ok((report, None));
        }
        self.count_attempt()?;
        self.place("import.begun")?;
        for _ in 0..PLANS {
            let content = self.read(settings)?;
            let look = self.first_look(DryRun::No);
            let done =
                self.plan_and(directory, settings, &content, &look, |directory, plan, new| {
                    self.record_and_stage(directory, settings, (plan, new))
                });
            match done {
                Err(e) if e.kind() == Kind::Conflict => {}
                other => return other,
            }
        }
        Err(Error::new(Kind::Busy, "the directory is being changed by somebody else"))
    }

    /// What an import would do, with nothing written anywhere.
    pub(super) fn try_out(&self, bytes: Vec<u8>) -> Result<Report> {
        let settings = self.settings()?;
        let content = self.open(&settings, bytes)?;
        self.would_do(&settings, &content)
    }

    /// The same, and how the file was read; `None`: it could not be.
    pub(super) fn try_and_inspect(&self, bytes: Vec<u8>) -> Result<(Report, Option<Inspection>)> {
        let settings = self.settings()?;
        let content = self.open(&settings, bytes)?;
        let today = self.service.clock().today(&self.client.time_zone);
        let earlier = self.service.earlier_dates(&self.client.slug, self.source())?;
        let inspection = match &content.refusal {
            Some(_) => None,
            None => {
                let limits = import_limits(self.service.config());
                inspect(&content.bytes, self.file_name(), &settings, &limits, (today, earlier)).ok()
            }
        };
        Ok((self.would_do(&settings, &content)?, inspection))
    }

    fn would_do(&self, settings: &Settings, content: &Content) -> Result<Report> {
        let mut directory = self.service.open_directory(&self.client.slug)?;
        let look = self.first_look(DryRun::Yes);
        let mut plan = self.plan(&mut directory, settings, content, &look)?;
        plan.report.finished_at = Some(self.service.clock().now());
        let Plan { writes, report, .. } = plan;
        release(writes.len(), writes);
        Ok(report)
    }

    /// Counts this try durably before it begins: a file that ends the program each time must not do so for ever.
    pub(super) fn count_attempt(&self) -> Result<()> {
        if self.service.0.owed.is_excused(self.upload.id) {
            return Ok(());
        }
        let attempts = self.service.registry().begin_attempt(self.upload.id)?;
        if attempts <= config::IMPORT_STARTS {
            return Ok(());
        }
        Err(Error::new(
            Kind::Unsupported,
            format!("the import was begun {} times and never came to its end", attempts - 1),
        ))
    }

    pub(super) fn first_look(&self, dry_run: DryRun) -> Look<'static> {
        Look { dry_run, approval: None, today: self.service.clock().today(&self.client.time_zone) }
    }

    /// The whole plan of a file.
    pub(super) fn plan(
        &self,
        directory: &mut Directory,
        settings: &Settings,
        content: &Content,
        look: &Look<'_>,
    ) -> Result<Plan> {
        self.plan_and(directory, settings, content, look, |_, mut plan, newcomers| {
            plan.take_in(newcomers);
            Ok(plan)
        })
    }

    /// Plans a file, and gives the plan away as long as the file is there to read its new users from.
    fn plan_and<T>(
        &self,
        directory: &mut Directory,
        settings: &Settings,
        content: &Content,
        look: &Look<'_>,
        take: impl FnOnce(&mut Directory, Plan, &Newcomers<'_>) -> Result<T>,
    ) -> Result<T> {
        let today = look.today;
        let meta = self.meta(content);
        let folders = self.service.registry().folders(&self.upload.login)?;
        let dry_run = look.dry_run == DryRun::Yes || names::is_dry_run(&folders, &self.upload.path);
        let (change_number, source) = directory.source(self.source())?;
        let version = settings.version();
        let take = |directory: &mut Directory, mut plan: Plan, newcomers: &Newcomers<'_>| {
            content.tell_wrapping(&mut plan.report.file);
            take(directory, plan, newcomers)
        };
        if !dry_run
            && content.refusal.is_none()
            && look.approval.is_none()
            && import::is_duplicate(&content.sha256, &version, &source, change_number, today)
        {
            let first = source.import.as_deref().and_then(|id| id.parse().ok());
            let first = first.map(|id| directory.import_summary(id)).transpose()?.flatten();
            let first = first.map(|import| import.status);
            let plan = import::plan_duplicate(&meta, settings, &source, first, change_number);
            return take(directory, plan, &Newcomers::default());
        }
        let limits = import_limits(self.service.config());
        let nobody =
            Snapshot { earlier: self.earlier(directory, &source, look)?, ..Snapshot::default() };
        let job = Job {
            bytes: &content.bytes,
            settings,
            snapshot: &nobody,
            today,
            received_on: Clock::Fixed(self.upload.received_at).today(&self.client.time_zone),
            dry_run,
            approval: look.approval,
            meta: &meta,
            limits: &limits,
        };
        if let Some(refusal) = &content.refusal {
            let mut plan = import::plan_unopened(&job, refusal);
            plan.change_number = change_number;
            return take(directory, plan, &Newcomers::default());
        }
        if let Some(plan) = directory.plan_quickly(self.source(), &source, &job)? {
            return take(directory, plan, &Newcomers::default());
        }
        let mut snapshot = directory.snapshot(self.source())?;
        snapshot.earlier.clone_from(&nobody.earlier);
        let job = Job { snapshot: &snapshot, ..job };
        let Made { plan, newcomers } = import::make(&job);
        let taken = take(directory, plan, &newcomers);
        drop(newcomers);
        release(snapshot.users.len(), snapshot);
        taken
    }

    /// An applied import of the same bytes before the last one: whoever sends them again sets people back.
    fn earlier(
        &self,
        directory: &Directory,
        source: &SourceMemory,
        look: &Look<'_>,
    ) -> Result<Option<(String, Date)>> {
        if matches!(look.approval, Some(Approval::Rows(_))) {
            return Ok(None);
        }
        let found = directory.applied_with(self.source(), &self.upload.sha256)?;
        let found = found.map(|(id, at)| (id.to_string(), at));
        let earlier = found.filter(|(id, _)| source.import.as_ref() != Some(id));
        Ok(earlier.map(|(id, at)| (id, Clock::Fixed(at).today(&self.client.time_zone))))
    }
}

/// From how many users or writes on giving memory back is worth a thread of its own.
const RELEASE_ASIDE: usize = 10_000;

/// Gives memory back aside: a million small values take as long to free as the report to write, and a client waits.
pub(super) fn release<T: Send + 'static>(count: usize, what: T) {
    if count < RELEASE_ASIDE {
        return;
    }
    // Should no thread be had, it is given back right here.
    let aside = std::thread::Builder::new().name("release".to_owned()).spawn(move || drop(what));
    if let Err(error) = aside {
        tracing::debug!(%error, "no thread to give memory back");
    }
}

/// What the upload's own answer says of its import; the report is named as it lies there.
pub(super) fn answer(mut report: Report, path: &VPath) -> String {
    report.file.name = path.name().unwrap_or_default().to_owned();
    let line = report::summary_line(&report, Language::En);
    match report.decision.as_ref().map(|decision| decision.what) {
        Some(Decided::Approved) => format!("Approved: {line}"),
        _ => line,
    }
}
