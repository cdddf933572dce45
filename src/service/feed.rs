//! What comes in: imports of all clients page by page, and what somebody should look at today.

use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use serde::Serialize;

use super::alarms::Alarm;
use super::due::{self, Calendar};
use super::imports::{FileView, ImportView, Interruption, Wait, waiting_view};
use super::{Service, holds};
use crate::error::Result;
use crate::import::report::Report;
use crate::import::settings::Mode;
use crate::model::{Client, ImportStatus, Protocol, Purpose, Upload, UploadState, VPath};
use crate::store::directory::{Directory, Hold};
use crate::store::registry::{ListedUpload, Outcome, OutcomeFilter};

pub use crate::store::registry::Stand;

/// The most imports of one page of a list.
pub const PAGE_MOST: u32 = 200;
/// Days of the chart.
const CHART_DAYS: i64 = 30;
/// How many imports of each kind the day's page shows.
const SHOWN: u32 = 20;
/// A folder that got files and has got none for so long is silent, whatever its settings expect.
const SILENT_AFTER: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How long ago an interrupted upload may be.
const INTERRUPTED_WITHIN: SignedDuration = SignedDuration::from_hours(24);

/// Which imports a page shows; the default: all, from the newest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportFilter {
    /// Of this client.
    pub client: Option<String>,
    /// Of this import folder.
    pub folder: Option<String>,
    /// That stand so.
    pub stand: Option<Stand>,
    /// Received at this instant or later.
    pub from: Option<Timestamp>,
    /// Received before this instant.
    pub to: Option<Timestamp>,
    /// Whose path holds this, or whose id or SHA-256 begins with it.
    pub text: Option<String>,
    /// That come after the page which said so ([`ImportPage::next`]).
    pub before: Option<i64>,
    /// At most so many; 0: fifty.
    pub limit: u32,
}

/// One page of imports, the last that were received first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ImportPage {
    /// The imports.
    pub imports: Vec<ImportView>,
    /// What [`ImportFilter::before`] says for the next page; `None`: this was the last. A search for a text looks so far back
    /// in one page and no further: its page may be short, or empty, although another one follows.
    pub next: Option<i64>,
}

/// What somebody should look at, and what comes in.
#[derive(Debug, Clone)]
pub struct Today {
    /// Uploads under way.
    pub under_way: Vec<UnderWay>,
    /// Imports that wait or run.
    pub waiting: Vec<ImportView>,
    /// Imports, or rows of them, that wait for somebody's decision.
    pub to_decide: Vec<ImportView>,
    /// The last imports that ended.
    pub recent: Vec<ImportView>,
    /// Folders from which files are missing.
    pub silent: Vec<Silent>,
    /// Alarms that stand and are about something else.
    pub alarms: Vec<Alarm>,
    /// Uploads of the last day that broke off.
    pub interrupted: Vec<Interruption>,
}

/// An upload under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnderWay {
    /// The client's slug.
    pub client: String,
    /// The account's login.
    pub login: String,
    /// Where it goes.
    pub path: VPath,
    /// How it comes.
    pub protocol: Protocol,
    /// Bytes that have come.
    pub bytes: u64,
}

/// A folder from which files are missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silent {
    /// The client's slug.
    pub client: String,
    /// The import folder's name.
    pub folder: String,
    /// When the last file came; `None`: never.
    pub last: Option<Timestamp>,
    /// The code of the alarm that stands for it (T05: no file by the hour, T06: none for days); `None`: nobody set what
    /// is expected, and nothing has come for a week.
    pub alarm: Option<String>,
    /// What the alarm says.
    pub text: String,
}

/// How the imports of a day ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    /// The day, in the zone that was asked for.
    pub date: Date,
    /// How many ended how; `None`: they wait.
    pub counts: BTreeMap<&'static str, u64>,
}

/// How an import ended, for the registry.
pub(super) fn outcome(report: &Report) -> Outcome {
    let waits = report.pending_rows.iter().filter(|row| row.decided.is_none()).count();
    let in_effect = !report.dry_run && report.status != ImportStatus::Undone;
    Outcome {
        status: report.status,
        dry_run: report.dry_run,
        counts: report.counts,
        pending_rows: if in_effect { u64::try_from(waits).unwrap_or(u64::MAX) } else { 0 },
        settles_older: in_effect && report.mode == Mode::Full && report.status.is_applied(),
    }
}

impl Service {
    /// One page of imports, of what waits too.
    ///
    /// # Errors
    /// `Kind::NotFound` for the client; a database that cannot be read.
    pub fn imports_page(&self, filter: &ImportFilter) -> Result<ImportPage> {
        if let Some(client) = &filter.client {
            self.client(client)?;
        }
        let limit = if filter.limit == 0 { 50 } else { filter.limit.min(PAGE_MOST) };
        let (found, next) = self.registry().listed_uploads(&OutcomeFilter {
            client: filter.client.clone(),
            folder: filter.folder.clone(),
            stand: filter.stand,
            from: filter.from,
            to: filter.to,
            text: filter.text.clone(),
            before_seq: filter.before,
            limit,
        })?;
        Ok(ImportPage { imports: self.views(found)?, next })
    }

    /// What somebody should look at and what comes in, of one client or of all.
    ///
    /// # Errors
    /// `Kind::NotFound` for the client; a database that cannot be read.
    pub fn today(&self, client: Option<&str>) -> Result<Today> {
        let page = |stand, limit| {
            let client = client.map(str::to_owned);
            let filter = ImportFilter { client, stand, limit, ..ImportFilter::default() };
            self.imports_page(&filter).map(|page| page.imports)
        };
        let mut to_decide = page(Some(Stand::ToDecide), PAGE_MOST)?;
        // The list is a copy; what was decided a moment ago is not in the way any more.
        to_decide.retain(|view| view.waits_for.is_some());
        let mut recent = page(None, SHOWN)?;
        recent.retain(|view| view.status != "waiting");
        let mut waiting = page(Some(Stand::Waiting), SHOWN)?;
        waiting.retain(|view| view.status == "waiting");
        let mut alarms = self.alarms(client, false, PAGE_MOST)?;
        let silent = self.silent(client, &alarms)?;
        alarms.retain(|alarm| !is_about_silence(alarm));
        let since = self.clock().now().checked_sub(INTERRUPTED_WITHIN).unwrap_or(Timestamp::MIN);
        Ok(Today {
            under_way: self.under_way(client),
            waiting,
            to_decide,
            recent,
            silent,
            alarms,
            interrupted: self.registry().interruptions_since(client, since, SHOWN)?,
        })
    }

    /// The uploads under way, by client and path.
    fn under_way(&self, client: Option<&str>) -> Vec<UnderWay> {
        let mut all = Vec::new();
        for session in self.0.sessions.all() {
            if client.is_some_and(|client| client != session.client.slug) {
                continue;
            }
            for (path, bytes) in session.uploads.under_way() {
                all.push(UnderWay {
                    client: session.client.slug.clone(),
                    login: session.login.clone(),
                    path,
                    protocol: session.protocol,
                    bytes,
                });
            }
        }
        all.sort_by(|a, b| (&a.client, &a.path).cmp(&(&b.client, &b.path)));
        all
    }

    /// The folders whose files are missed: by their settings (T05, T06), or because none has come for a week.
    fn silent(&self, client: Option<&str>, alarms: &[Alarm]) -> Result<Vec<Silent>> {
        let mut silent = Vec::new();
        let now = self.clock().now();
        for one in self.registry().clients()?.into_iter().filter(|one| one.enabled) {
            if client.is_some_and(|client| client != one.slug) {
                continue;
            }
            let folders = self.registry().client_folders(&one.slug)?.into_iter();
            for folder in folders.filter(|folder| folder.purpose == Purpose::Import) {
                let alarm = alarms.iter().find(|alarm| {
                    is_about_silence(alarm)
                        && alarm.client.as_deref() == Some(&one.slug)
                        && alarm.subject == folder.name
                });
                let last = self.registry().last_upload_of(&one.slug, &folder.name)?;
                let is_old = last.is_some_and(|last| now.duration_since(last) > SILENT_AFTER);
                if alarm.is_some() || is_old {
                    silent.push(Silent {
                        client: one.slug.clone(),
                        folder: folder.name,
                        last,
                        alarm: alarm.map(|alarm| alarm.code.clone()),
                        text: alarm.map(|alarm| alarm.text.clone()).unwrap_or_default(),
                    });
                }
            }
        }
        Ok(silent)
    }

    /// How the imports of the last thirty days ended, oldest day first; days are those of `zone`.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn days(&self, client: Option<&str>, zone: &TimeZone) -> Result<Vec<Day>> {
        let today = self.clock().now().to_zoned(zone.clone()).date();
        let first = today.saturating_sub((CHART_DAYS - 1).days());
        let since = first.to_zoned(zone.clone()).map_or(Timestamp::MIN, |at| at.timestamp());
        let mut days: Vec<Day> = (0..CHART_DAYS)
            .map(|n| Day { date: first.saturating_add(n.days()), counts: BTreeMap::new() })
            .collect();
        for tally in self.registry().tally(client, since)? {
            let date = tally.at.to_zoned(zone.clone()).date();
            if let Some(day) = days.iter_mut().find(|day| day.date == date) {
                let name = tally.status.map_or("waiting", ImportStatus::name);
                *day.counts.entry(name).or_default() += tally.count;
            }
        }
        Ok(days)
    }

    /// The rows of a list as people see them: what waits says for what.
    fn views(&self, found: Vec<ListedUpload>) -> Result<Vec<ImportView>> {
        let mut desks: HashMap<String, Desk> = HashMap::new();
        let mut views = Vec::new();
        for one in found {
            let client = one.upload.client.clone();
            if !desks.contains_key(&client) {
                let Some(desk) = Desk::of(self, &client)? else { continue };
                desks.insert(client.clone(), desk);
            }
            if let Some(desk) = desks.get_mut(&client) {
                views.push(desk.view(self, one)?);
            }
        }
        Ok(views)
    }

    /// Notes how the imports of a client ended of which the registry does not know: they ran under an earlier version, or
    /// came with a client's own database.
    ///
    /// # Errors
    /// A database that cannot be read or written.
    pub(super) fn note_outcomes(&self, client: &str) -> Result<()> {
        let unknown = self.registry().uploads_without_outcome(client)?;
        if unknown.is_empty() {
            return Ok(());
        }
        let directory = self.open_directory(client)?;
        let pending = directory.pending_rows()?;
        let mut outcomes = Vec::new();
        for id in unknown {
            let Some(summary) = directory.import_summary(id)? else { continue };
            let waits = pending.iter().filter(|row| row.import == id).count();
            let outcome = Outcome {
                status: summary.status,
                dry_run: summary.dry_run,
                counts: summary.counts,
                pending_rows: u64::try_from(waits).unwrap_or(u64::MAX),
                settles_older: false,
            };
            outcomes.push((id, outcome));
        }
        self.registry().note_outcomes(outcomes)
    }
}

fn is_about_silence(alarm: &Alarm) -> bool {
    alarm.code == "T05" || alarm.code == "T06"
}

/// What the rows of one client's imports need; opened once for a page.
struct Desk {
    client: Client,
    servers: HashMap<String, String>,
    /// Opened for the first row that waits.
    waits: Option<Waits>,
}

struct Waits {
    directory: Directory,
    holds: Vec<Hold>,
    calendar: Calendar,
}

impl Desk {
    fn of(service: &Service, slug: &str) -> Result<Option<Self>> {
        let Some(client) = service.registry().client(slug)? else { return Ok(None) };
        Ok(Some(Self { client, servers: service.servers(slug)?, waits: None }))
    }

    fn waits(&mut self, service: &Service) -> Result<&Waits> {
        match &mut self.waits {
            Some(waits) => Ok(waits),
            none => {
                let directory = service.open_directory(&self.client.slug)?;
                let holds = directory.holds()?;
                let calendar = Calendar::of(service, &self.client)?;
                Ok(none.insert(Waits { directory, holds, calendar }))
            }
        }
    }

    fn view(&mut self, service: &Service, one: ListedUpload) -> Result<ImportView> {
        let ListedUpload { upload, outcome } = one;
        let server = self.servers.get(&upload.login).cloned();
        let mut view = waiting_view(upload.clone());
        view.fetched_from = server;
        match outcome {
            Some(outcome) => {
                view.status = outcome.status.name().to_owned();
                view.dry_run = outcome.dry_run;
                view.counts = outcome.counts;
                if outcome.status == ImportStatus::Held || outcome.pending_rows > 0 {
                    service.tell_waiting(&self.waits(service)?.directory, &mut view)?;
                }
            }
            None if upload.state == UploadState::Queued => {
                self.queued(service, &upload, &mut view)?
            }
            None => {}
        }
        Ok(view)
    }

    /// An upload whose end the registry does not know: it waits, or its import was recorded a moment ago.
    fn queued(&mut self, service: &Service, upload: &Upload, view: &mut ImportView) -> Result<()> {
        let Some(ended) = self.waits(service)?.directory.import_summary(upload.id)? else {
            view.wait = self.waits_for(service, upload)?;
            view.waits_for = view.wait.as_ref().map(Wait::words);
            return Ok(());
        };
        view.status = ended.status.name().to_owned();
        view.dry_run = ended.dry_run;
        view.counts = ended.counts;
        view.finished_at = Some(ended.applied_at);
        service.tell_waiting(&self.waits(service)?.directory, view)
    }

    /// For what an upload waits, besides its turn.
    fn waits_for(&mut self, service: &Service, upload: &Upload) -> Result<Option<Wait>> {
        let space = service.client_space(&self.client.slug)?;
        let Waits { holds, calendar, .. } = self.waits(service)?;
        if holds::hold_up(service, &space, holds, upload) {
            let holder = holds.iter().find(|hold| Some(&hold.source) == upload.folder.as_ref());
            return Ok(holder.map(|hold| Wait::Held(hold.id)));
        }
        if calendar.is_empty() {
            return Ok(None);
        }
        let (_, at) = due::due(service, calendar, std::slice::from_ref(upload))?;
        Ok(at.map(|at| Wait::Time(calendar.words(at, service.clock().now()))))
    }
}

impl FileView {
    /// The file of an upload.
    pub(super) fn of(upload: &Upload) -> Self {
        Self {
            name: upload.path.name().unwrap_or_default().to_owned(),
            path: upload.path.clone(),
            bytes: upload.bytes,
            sha256: upload.sha256.clone(),
        }
    }
}
