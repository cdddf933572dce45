//! Carries decisions out: each exactly once, whenever the program ends in between.

use std::sync::Arc;

use super::by_hand::DryRun;
use super::commit::new_id;
use super::holds::Verdict;
use super::queue::Next;
use super::run::{Look, OWED_PAUSE, PLANS, Run, Turn};
use super::{Service, feed};
use crate::clock::Clock;
use crate::config;
use crate::error::{Error, Kind, Result};
use crate::import::plan::{By, Ending, approved, ended, held_again, rows_decided};
use crate::import::report::Report;
use crate::import::{Approval, Plan};
use crate::model::{Client, Upload, UploadId, UploadState};
use crate::store::directory::{Applied, Directory, Event, EventKind, Hold};
use crate::store::registry::{Decision, NewDecision};
use crate::vfs::ClientSpace;

/// Carries out a recorded decision. The caller holds the client's lock.
pub(super) fn carry_out(
    service: &Service,
    space: &Arc<ClientSpace>,
    client: &Client,
    decision: &Decision,
) -> Result<Next> {
    let (id, what) = (decision.id, &decision.what);
    let tries = service.registry().begin_decision(id)?;
    let done = if tries > config::IMPORT_STARTS {
        let why = format!("it was begun {} times and never came to its end", tries - 1);
        Err(Error::new(Kind::Unsupported, why))
    } else {
        Bench { service, space, client, what }.carry_out()
    };
    let refusal = match done {
        Ok(()) => None,
        Err(error) if matches!(error.kind(), Kind::NoSpace | Kind::Busy) => {
            tracing::warn!(%error, import = %what.import, "a decision waits for room or a lock");
            service.registry().excuse_decision(id)?;
            return Ok(Next::After(OWED_PAUSE));
        }
        Err(error)
            if error.kind() == Kind::Internal
                && tries < service.config().limits.import_attempts =>
        {
            tracing::error!(%error, import = %what.import, "carrying a decision out");
            return Ok(Next::After(OWED_PAUSE));
        }
        Err(error) => Some(error.message().to_owned()),
    };
    let now = service.clock().now();
    service.registry().finish_decision(id, now, refusal.as_deref())?;
    tracing::info!(
        client = client.slug, import = %what.import, verdict = what.verdict.name(), who = what.who,
        refusal, "decision carried out"
    );
    let detail = refusal.as_deref().unwrap_or("carried out");
    let object = what.import.to_string();
    service.record_by(&what.who, &format!("import.{}", what.verdict.name()), &object, detail);
    if let Some(why) = refusal.filter(|_| !is_about_to_be_told(service, what.import)) {
        service.0.waiters.tell(what.import, &format!("Refused: {why}"));
    }
    Ok(Next::Now)
}

/// Whether an import's report is on its way: of two who decide at once both wait for the same import, and what became of it by the
/// first decision is the answer for both.
fn is_about_to_be_told(service: &Service, import: UploadId) -> bool {
    let upload = service.registry().upload(import).ok().flatten();
    upload.is_some_and(|upload| upload.state == UploadState::Queued)
}

/// Ends a hold that nobody decided about in time. The caller holds the client's lock.
pub(super) fn expire(service: &Service, directory: &mut Directory, hold: &Hold) -> Result<()> {
    let Some(stored) = directory.import(hold.id)? else { return Ok(()) };
    let expired_at = service.expiry(hold);
    let time_zone = service.registry().client(&stored.report.client)?.map(|c| c.time_zone);
    let day = Clock::Fixed(expired_at).today(time_zone.as_deref().unwrap_or_default()).to_string();
    let by = By { who: "", at: expired_at, day: &day };
    directory.end_hold(hold.id, &ended(stored.report, &Ending::Expired(by)))?;
    tracing::info!(import = %hold.id, path = ?hold.path.as_str(), "a held import expired");
    service.registry().requeue_upload(hold.id)
}

/// Everything that carrying a decision out needs.
struct Bench<'a> {
    service: &'a Service,
    space: &'a Arc<ClientSpace>,
    client: &'a Client,
    what: &'a NewDecision,
}

impl Bench<'_> {
    fn carry_out(&self) -> Result<()> {
        let id = self.what.import;
        let unknown = || Error::new(Kind::NotFound, format!("there is no import {id}"));
        let upload = self.service.registry().upload(id)?.ok_or_else(unknown)?;
        let mut directory = self.service.directory(self.space)?;
        let (service, space, client) = (self.service, self.space, self.client);
        let run = Run { service, space, client, upload: &upload };
        match (self.what.verdict, self.what.lines.is_empty()) {
            (Verdict::Approve, true) => self.approve(&run, &mut directory)?,
            (Verdict::Discard, true) => self.discard(&mut directory)?,
            (Verdict::Approve, false) => self.approve_rows(&run, &upload, &mut directory)?,
            (Verdict::Discard, false) => self.discard_rows(&mut directory)?,
        }
        // Whoever reads the answer and then the list must not find there what was before.
        let outcome = feed::outcome(&self.report(&directory)?);
        self.service.registry().note_outcomes(vec![(id, outcome)])?;
        self.service.keep_directory(self.space, directory);
        // Also when a crash came after the directory's commit: the report is written again either way.
        self.service.registry().requeue_upload(id)
    }

    fn approve(&self, run: &Run<'_>, directory: &mut Directory) -> Result<()> {
        let Some(hold) = self.hold(directory)? else { return self.was_carried_out(directory) };
        run.need_folder()?;
        let settings = run.settings()?;
        let content = run.read(&settings)?;
        for _ in 0..PLANS {
            // As of the day of the report that was approved: a day more must not make another plan of it.
            let day = Clock::Fixed(hold.held_at).today(&self.client.time_zone);
            let whole = Look { dry_run: DryRun::No, approval: Some(&Approval::Whole), today: day };
            let mut plan = run.plan(directory, &settings, &content, &whole)?;
            if plan.digest.as_ref() == Some(&hold.digest) {
                approved(&mut plan.report, &self.by(&self.day()));
            } else if plan.report.status.is_applied() {
                let now =
                    Look { today: self.service.clock().today(&self.client.time_zone), ..whole };
                let whole = run.plan(directory, &settings, &content, &now)?;
                let again =
                    run.plan(directory, &settings, &content, &Look { approval: None, ..now })?;
                plan = self.hold_again(again, whole);
            }
            match run.record(directory, &settings, plan, Turn::Decided) {
                Err(e) if e.kind() == Kind::Conflict => {}
                other => return other.map(drop),
            }
        }
        Err(Error::new(Kind::Busy, "the directory is being changed by somebody else"))
    }

    /// The new plan of a file that would do something else by now; what cannot be applied at all stays refused.
    fn hold_again(&self, again: Plan, whole: Plan) -> Plan {
        let rejected = again.report.planned.is_none() && !again.report.status.is_applied();
        if rejected {
            return again;
        }
        let mut again = held_again(again, &self.by(&self.day()));
        again.digest = again.digest.or(whole.digest);
        again
    }

    fn discard(&self, directory: &mut Directory) -> Result<()> {
        if self.hold(directory)?.is_none() {
            return self.was_carried_out(directory);
        }
        let mut report = ended(self.report(directory)?, &Ending::Discarded(self.by(&self.day())));
        report.finished_at = Some(self.service.clock().now());
        directory.end_hold(self.what.import, &report).map(drop)
    }

    fn approve_rows(
        &self,
        run: &Run<'_>,
        upload: &Upload,
        directory: &mut Directory,
    ) -> Result<()> {
        run.need_folder()?;
        let settings = run.settings()?;
        let content = run.read(&settings)?;
        let approval = Approval::Rows(self.what.lines.clone());
        for _ in 0..PLANS {
            let report = self.report(directory)?;
            let look = Look {
                dry_run: DryRun::No,
                approval: Some(&approval),
                today: self.service.clock().today(&self.client.time_zone),
            };
            let plan = run.plan(directory, &settings, &content, &look)?;
            self.check_rows(directory, &report, &plan)?;
            let event = Event {
                id: new_id(self.service.clock()),
                kind: EventKind::Approval,
                about: Some(upload.id),
                source: run.source().to_owned(),
                who: self.what.who.clone(),
                at: self.what.at,
            };
            let day = self.day();
            let applied = Some(&plan.report);
            let report = rows_decided(report, &self.what.lines, applied, &self.by(&day));
            match directory.approve_rows(&plan, &event, &self.what.lines, &report) {
                Err(e) if e.kind() == Kind::Conflict => {}
                Ok(Applied::Now) => return Ok(()),
                Ok(Applied::Already) => return self.were_carried_out(directory),
                Err(error) => return Err(error),
            }
        }
        Err(Error::new(Kind::Busy, "the directory is being changed by somebody else"))
    }

    /// Every approved row must still mean the person that it meant in the report, and overwrite nothing that is newer
    /// than its file.
    fn check_rows(&self, directory: &Directory, report: &Report, plan: &Plan) -> Result<()> {
        let means = |rows: &Report, line: u32| {
            rows.pending_rows.iter().find(|row| row.line == line).map(|row| row.user)
        };
        for line in self.what.lines.iter().copied() {
            let before = means(report, line);
            let decided = report.pending_rows.iter().any(|r| r.line == line && r.decided.is_some());
            let is_another = before.is_none() || means(&plan.report, line) != before;
            if !decided && (is_another || self.overwrites_newer(directory, plan, line)?) {
                return Err(Error::new(
                    Kind::Conflict,
                    format!(
                        "row {line} of import {} cannot be approved any more: the directory has changed since; send a current file",
                        self.what.import
                    ),
                ));
            }
        }
        Ok(())
    }

    fn overwrites_newer(&self, directory: &Directory, plan: &Plan, line: u32) -> Result<bool> {
        for write in plan.writes.iter().filter(|write| write.line == line) {
            if directory.has_moved(self.what.import, write.user_id, write.changes())? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn discard_rows(&self, directory: &mut Directory) -> Result<()> {
        let day = self.day();
        let report = self.report(directory)?;
        let report = rows_decided(report, &self.what.lines, None, &self.by(&day));
        if directory.discard_rows(self.what.import, &self.what.lines, &report)? {
            return Ok(());
        }
        self.were_carried_out(directory)
    }

    /// The hold that was decided about; `None`: there is none any more.
    fn hold(&self, directory: &Directory) -> Result<Option<Hold>> {
        let id = self.what.import;
        let Some(hold) = directory.hold(id)? else { return Ok(None) };
        if self.service.is_expired(&hold) {
            let why = format!("import {id} expired before the decision was carried out");
            return Err(Error::new(Kind::Conflict, why));
        }
        if hold.digest != self.what.digest {
            let why = format!(
                "import {id} was held again, for the directory or the settings had changed; read its new report and decide again"
            );
            return Err(Error::new(Kind::Conflict, why));
        }
        Ok(Some(hold))
    }

    /// The import is not held any more: by this very decision (a crash came before it was marked), or by something else.
    fn was_carried_out(&self, directory: &Directory) -> Result<()> {
        let report = self.report(directory)?;
        if report.decision.is_some_and(|decision| decision.at == self.what.at) {
            return Ok(());
        }
        let (id, status) = (self.what.import, report.status.name());
        let why = format!("import {id} is not held any more; its status is {status}");
        Err(Error::new(Kind::Conflict, why))
    }

    /// The same for rows.
    fn were_carried_out(&self, directory: &Directory) -> Result<()> {
        let report = self.report(directory)?;
        let mine = |line: &u32| {
            report.pending_rows.iter().any(|row| {
                row.line == *line && row.decided.as_ref().is_some_and(|d| d.at == self.what.at)
            })
        };
        if self.what.lines.iter().all(mine) {
            return Ok(());
        }
        let why = format!("rows of import {} do not wait any more", self.what.import);
        Err(Error::new(Kind::Conflict, why))
    }

    fn report(&self, directory: &Directory) -> Result<Report> {
        let id = self.what.import;
        let unknown = || Error::new(Kind::NotFound, format!("there is no import {id}"));
        Ok(directory.import(id)?.ok_or_else(unknown)?.report)
    }

    /// The day of the decision in the client's time zone.
    fn day(&self) -> String {
        Clock::Fixed(self.what.at).today(&self.client.time_zone).to_string()
    }

    fn by<'d>(&'d self, day: &'d str) -> By<'d> {
        By { who: &self.what.who, at: self.what.at, day }
    }
}
