//! Held imports and pending rows: who may decide what, what waits behind them, and when they expire.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::imports::{ImportDetail, PATIENCE, POLL_PAUSE};
use super::queue::Next;
use super::{Service, decided, names, run};
use crate::error::{Error, Kind, Result};
use crate::import::report::PendingRow;
use crate::import::settings::{Mode, Settings};
use crate::model::{Upload, UploadId};
use crate::store::directory::{Directory, Hold};
use crate::store::registry::NewDecision;
use crate::vfs::ClientSpace;

pub use crate::store::registry::Verdict;

/// A decision about a held import, or about rows of an applied one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling {
    /// What shall become of it.
    pub verdict: Verdict,
    /// The rows that it is about, by line; empty: the import as a whole.
    pub lines: BTreeSet<u32>,
    /// How the file's SHA-256 must begin; empty: it does not matter.
    pub sha256: String,
}

/// What waits for somebody's decision.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Waiting {
    /// The import's id.
    pub import: UploadId,
    /// The client's slug.
    pub client: String,
    /// The file's address below the account's root.
    pub path: String,
    /// Until when somebody can decide about the whole import; `None`: it is applied, and only rows wait.
    pub expires_at: Option<Timestamp>,
    /// The rows that wait, by line; empty: the whole import does.
    pub lines: Vec<u32>,
}

/// What became of a decision so far.
#[derive(Debug, Clone, PartialEq)]
pub enum Decided {
    /// It is carried out; the import as it is now.
    Done(Box<ImportDetail>),
    /// It is recorded; the worker carries it out after what runs now.
    Recorded,
}

/// How long whoever decides on the page waits for the worker.
const DECISION_PATIENCE: Duration = Duration::from_secs(15);

impl Service {
    /// The plan of a held import, as one number that a decision can name; `None`: it is not held as a whole.
    ///
    /// # Errors
    /// [`Kind::NotFound`]; a database that cannot be read.
    pub fn held_plan(&self, id: UploadId) -> Result<Option<String>> {
        let directory = self.open_directory(&self.client_of_import(id)?)?;
        Ok(directory.hold(id)?.map(|hold| hold.digest))
    }

    /// Decides about a held import or its rows as they were seen: `plan` is what [`Self::held_plan`] said (nothing for rows).
    /// Durable at once; the workers of this process carry it out, and their answer is waited for a little.
    ///
    /// # Errors
    /// As of [`Self::decide`]; also [`Kind::Conflict`] when the import is held for another plan by now.
    pub fn decide_as_seen(
        &self,
        id: UploadId,
        ruling: &Ruling,
        who: &str,
        plan: &str,
    ) -> Result<Decided> {
        let new = self.ruled(id, ruling, who)?;
        if new.digest != plan {
            let why = format!(
                "import {id} was held again since you looked at it: it would do something else by now; read its report and decide again"
            );
            return Err(Error::new(Kind::Conflict, why));
        }
        let number = self.registry().record_decision(&new)?;
        self.0.queue.wake(&new.client);
        let started = Instant::now();
        while started.elapsed() < DECISION_PATIENCE {
            let decision = self.registry().decision(number)?;
            if let Some(done) = decision.filter(|decision| decision.done_at.is_some()) {
                return match done.refusal {
                    Some(why) => Err(Error::new(Kind::Conflict, why)),
                    None => self.import(id).map(|detail| Decided::Done(Box::new(detail))),
                };
            }
            std::thread::sleep(POLL_PAUSE);
        }
        Ok(Decided::Recorded)
    }

    /// Decides about a held import or its rows. Durable at once; carried out here, or by a running server, whoever is
    /// first; waits until that is done.
    ///
    /// # Errors
    /// [`Kind::NotFound`] for an import that is not known; [`Kind::Conflict`] for one that is not held (any more), for rows
    /// that do not wait, for another file than the SHA-256 says; [`Kind::Busy`] when earlier work holds it up.
    pub fn decide(&self, id: UploadId, ruling: &Ruling, who: &str) -> Result<ImportDetail> {
        let new = self.ruled(id, ruling, who)?;
        let number = self.registry().record_decision(&new)?;
        let space = self.client_space(&new.client)?;
        let started = Instant::now();
        loop {
            let next = {
                // A running server's workers take this lock too; either may do the work.
                let _lock = space.lock()?;
                run::next(self, &space, &new.client)?
            };
            let decision = self.registry().decision(number)?;
            if let Some(done) = decision.filter(|decision| decision.done_at.is_some()) {
                if let Some(why) = done.refusal {
                    return Err(Error::new(Kind::Conflict, why));
                }
                if self.reports_lie_there(id)? || started.elapsed() > PATIENCE {
                    return self.import(id);
                }
            } else if started.elapsed() > PATIENCE {
                return Err(Error::new(
                    Kind::Busy,
                    format!(
                        "the decision about import {id} is recorded; it is carried out after what runs now"
                    ),
                ));
            }
            if next != Next::Now {
                std::thread::sleep(POLL_PAUSE);
            }
        }
    }

    fn reports_lie_there(&self, id: UploadId) -> Result<bool> {
        let Some(upload) = self.registry().upload(id)? else { return Ok(true) };
        let stored = self.open_directory(&upload.client)?.import(id)?;
        Ok(stored.is_none_or(|stored| stored.summary.reports_written))
    }

    /// Checks a ruling against what waits now, and makes the decision of it that is to be recorded.
    pub(super) fn ruled(&self, id: UploadId, ruling: &Ruling, who: &str) -> Result<NewDecision> {
        let unknown = || Error::new(Kind::NotFound, format!("there is no import {id}"));
        let upload = self.registry().upload(id)?.ok_or_else(unknown)?;
        let conflict = |why: String| Error::new(Kind::Conflict, why);
        if !upload.sha256.starts_with(&ruling.sha256.to_ascii_lowercase()) {
            return Err(conflict(format!(
                "the file of import {id} has the SHA-256 {}, not one that begins with {}",
                upload.sha256, ruling.sha256
            )));
        }
        let directory = self.open_directory(&upload.client)?;
        let hold = directory.hold(id)?;
        let digest = if ruling.lines.is_empty() {
            let hold = hold.ok_or_else(|| conflict(self.why_not_held(&directory, &upload)))?;
            if self.is_expired(&hold) {
                return Err(conflict(format!(
                    "import {id} expired on {}; send a current file",
                    self.expiry(&hold).strftime("%Y-%m-%d %H:%M UTC")
                )));
            }
            hold.digest
        } else if hold.is_some() {
            return Err(conflict(format!(
                "import {id} is held as a whole; decide about that first, and then about single lines"
            )));
        } else {
            check_lines(&directory, id, &ruling.lines)?;
            String::new()
        };
        let at = self.clock().now();
        Ok(NewDecision {
            client: upload.client,
            import: id,
            verdict: ruling.verdict,
            lines: ruling.lines.clone(),
            digest,
            who: who.to_owned(),
            // The report repeats the instant, and the database keeps microseconds: both must be equal.
            at: Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at),
        })
    }

    fn why_not_held(&self, directory: &Directory, upload: &Upload) -> String {
        let id = upload.id;
        let stored = match directory.import(id) {
            Ok(Some(stored)) => stored,
            Ok(None) => return format!("import {id} still waits for its turn"),
            Err(error) => return error.message().to_owned(),
        };
        let rows: Vec<String> =
            waiting_rows(&stored.report.pending_rows).map(|line| line.to_string()).collect();
        let status = stored.summary.status.name();
        if rows.is_empty() {
            return format!("import {id} is not held; its status is {status}");
        }
        let lines = if rows.len() == 1 { "line" } else { "lines" };
        format!(
            "import {id} is not held (its status is {status}), but rows of it wait: decide about {lines} {} (on the command line: --line, once for each)",
            rows.join(", ")
        )
    }

    /// Until when somebody can decide about a held import.
    pub(super) fn expiry(&self, hold: &Hold) -> Timestamp {
        let days = i64::from(self.config().limits.hold_days);
        let kept = SignedDuration::from_hours(days.saturating_mul(24));
        hold.held_at.checked_add(kept).unwrap_or(Timestamp::MAX)
    }

    pub(super) fn is_expired(&self, hold: &Hold) -> bool {
        self.clock().now() >= self.expiry(hold)
    }

    /// What waits for somebody's decision, of one client or of all.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn waiting(&self, client: Option<&str>) -> Result<Vec<Waiting>> {
        let mut waiting = Vec::new();
        for one in self.registry().clients()? {
            if client.is_some_and(|client| client != one.slug) {
                continue;
            }
            let directory = self.open_directory(&one.slug)?;
            for hold in directory.holds()? {
                waiting.push(Waiting {
                    import: hold.id,
                    client: one.slug.clone(),
                    path: hold.path.to_string(),
                    expires_at: Some(self.expiry(&hold)),
                    lines: Vec::new(),
                });
            }
            for row in directory.pending_rows()? {
                match waiting.last_mut() {
                    Some(last) if last.import == row.import => last.lines.push(row.line),
                    _ => waiting.push(Waiting {
                        import: row.import,
                        client: one.slug.clone(),
                        path: self.path_of(row.import)?,
                        expires_at: None,
                        lines: vec![row.line],
                    }),
                }
            }
        }
        Ok(waiting)
    }

    fn path_of(&self, id: UploadId) -> Result<String> {
        let upload = self.registry().upload(id)?;
        Ok(upload.map(|upload| upload.path.to_string()).unwrap_or_default())
    }

    /// The held import behind which a waiting upload waits, if it does.
    pub(super) fn holder_of(&self, upload: &Upload) -> Result<Option<UploadId>> {
        let space = self.client_space(&upload.client)?;
        let holds = self.open_directory(&upload.client)?.holds()?;
        let holder = holds.iter().find(|hold| Some(&hold.source) == upload.folder.as_ref());
        let waits = hold_up(self, &space, &holds, upload);
        Ok(holder.map(|hold| hold.id).filter(|_| waits))
    }
}

/// The lines of rows that nobody has decided about.
pub fn waiting_rows(rows: &[PendingRow]) -> impl Iterator<Item = u32> {
    rows.iter().filter(|row| row.decided.is_none()).map(|row| row.line)
}

fn check_lines(directory: &Directory, id: UploadId, lines: &BTreeSet<u32>) -> Result<()> {
    let all = directory.pending_rows()?;
    let open: BTreeSet<u32> =
        all.iter().filter(|row| row.import == id).map(|row| row.line).collect();
    let Some(unknown) = lines.iter().find(|line| !open.contains(line)) else { return Ok(()) };
    let open: Vec<String> = open.iter().map(u32::to_string).collect();
    let hint = match open.as_slice() {
        [] => "no row of it does; a later full file makes the decision needless".to_owned(),
        open => format!("these rows do: {}", open.join(", ")),
    };
    let why = format!("row {unknown} of import {id} does not wait for a decision; {hint}");
    Err(Error::new(Kind::Conflict, why))
}

/// The held imports of a client; those whose time is over expire now. The caller holds the client's lock.
pub(super) fn open(service: &Service, space: &Arc<ClientSpace>) -> Vec<Hold> {
    let opened = service.directory(space).and_then(|mut directory| {
        let (expired, open): (Vec<Hold>, Vec<Hold>) =
            directory.holds()?.into_iter().partition(|hold| service.is_expired(hold));
        for hold in expired {
            decided::expire(service, &mut directory, &hold)?;
        }
        service.keep_directory(space, directory);
        Ok(open)
    });
    opened.unwrap_or_else(|error| {
        // The import that comes next meets the same fault, and is tried again.
        tracing::warn!(%error, client = space.client(), "looking for held imports");
        Vec::new()
    })
}

/// Ends what nobody decided about in time, client by client.
pub(super) fn expire_all(service: &Service) -> Result<()> {
    for client in service.registry().clients()? {
        if service.is_left_out(&client.slug)? {
            continue;
        }
        let looked = service.client_space(&client.slug).and_then(|space| {
            // Whoever has the lock looks for itself.
            if let Some(_lock) = space.try_lock()? {
                open(service, &space);
            }
            Ok(())
        });
        // One client's damaged folder must not keep the others' holds.
        if let Err(error) = looked {
            tracing::warn!(%error, client = client.slug, "ending what nobody decided about");
        }
        service.0.queue.wake(&client.slug);
    }
    Ok(())
}

/// Whether an upload waits behind a held one: in delta mode each file builds on the one before.
pub(super) fn hold_up(
    service: &Service,
    space: &Arc<ClientSpace>,
    holds: &[Hold],
    upload: &Upload,
) -> bool {
    let Some(hold) = holds.iter().find(|hold| Some(&hold.source) == upload.folder.as_ref()) else {
        return false;
    };
    let waits = || -> Result<bool> {
        let stored = service.registry().folder_settings(space.client(), &hold.source)?;
        let settings = Settings::from_toml(&stored.unwrap_or_default());
        let folders = service.registry().folders(&upload.login)?;
        Ok(settings.is_ok_and(|settings| settings.mode == Mode::Delta)
            && !names::is_dry_run(&folders, &upload.path)
            && !service.open_directory(space.client())?.knows_import(upload.id)?)
    };
    // Settings or folders that cannot be read are told by the import itself.
    let waits = waits().unwrap_or(false);
    if waits {
        let words = format!("Received; it waits behind import {}, which is held", hold.id);
        service.0.waiters.tell(upload.id, &words);
    }
    waits
}
