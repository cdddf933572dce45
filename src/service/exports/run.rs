//! One run: the directory read once, a file made of it, the run recorded, the file handed over.

use std::io::{BufWriter, Write};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::super::{Service, commit};
use super::counted::{Counted, Out};
use super::pass::{Pass, refused_line};
use super::{invalid, keep, settings_of};
use crate::error::{Error, Kind, Result};
use crate::export::{Around, Column, ExportSettings, Lines, Naming, Sheet, Told, What};
use crate::fault;
use crate::import::directory::Key;
use crate::model::{Client, Purpose, UploadId};
use crate::store::directory::{Directory, ExportFacts};
use crate::store::registry::{ExportRun, RunState, StoredExport};
use crate::vfs::ClientSpace;

/// How a run is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// As the settings say.
    Usual,
    /// Also with far fewer rows than the last file had.
    Anyway,
    /// No file: the other side knows everything by other means.
    Note,
}

/// What a run would do.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Preview {
    /// The name that the file would have.
    pub file_name: String,
    /// The folder that it would go to.
    pub folder: String,
    /// The account that the folder is of.
    pub login: String,
    /// Rows without header.
    pub rows: u64,
    /// Users who belong in it and could not be written.
    pub left_out: u64,
    /// What somebody should know about it.
    pub notes: Vec<String>,
    /// Why it would not be sent.
    pub failure: Option<String>,
}

/// What a run is made for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Order<'o> {
    pub(super) key: &'o str,
    pub(super) cause: &'o str,
    pub(super) how: How,
}

/// A run in the making: who, what, since when.
struct Making<'m> {
    service: &'m Service,
    client: &'m Client,
    export: &'m StoredExport,
    settings: &'m ExportSettings,
    space: &'m Arc<ClientSpace>,
    last: Option<ExportRun>,
    at: Timestamp,
    today: Date,
    how: How,
}

/// What the other side knows so far, and what is to be said about that.
struct Basis {
    told: Told,
    /// The first run, or what was known is lost: everybody is new.
    is_new: bool,
    /// The place of the last run in the directory's order.
    since: Option<i64>,
    notes: Vec<String>,
}

impl Service {
    /// Runs an export now.
    ///
    /// # Errors
    /// `Kind::NotFound` for the export; `Kind::Invalid`, in words, for what cannot be written; `Kind::Conflict` for a
    /// file with far fewer rows than the last one.
    pub fn run_export(&self, client: &str, name: &str, how: How) -> Result<ExportRun> {
        let id = commit::new_id(self.clock());
        let key = format!("manual/{id}");
        self.make_export(client, name, &Order { key: &key, cause: "manual", how })
    }

    /// Writes what a run would send now, and sends nothing.
    ///
    /// # Errors
    /// As [`Service::run_export`]; why `out` refuses.
    pub fn preview_export(&self, client: &str, name: &str, out: impl Write) -> Result<Preview> {
        let client = self.client(client)?;
        let export = self.stored_export(&client.slug, name)?;
        let settings = settings_of(&export)?;
        let folder = self.export_folder(&client.slug, &export.folder)?;
        let space = self.client_space(&client.slug)?;
        let making = Making::begin(self, &client, &export, &settings, &space, How::Usual)?;
        let basis = making.basis()?;
        let pass = making.pass(basis, out)?;
        let failure = making.refusal(&pass).map(|error| error.message().to_owned());
        let preview = Preview {
            file_name: making.file_name(),
            folder: export.folder.clone(),
            login: folder.login,
            rows: pass.rows,
            left_out: pass.left_out,
            notes: pass.all_notes(),
            failure,
        };
        pass.lines.finish().map_err(|e| Error::io("writing what would be exported", e))?;
        Ok(preview)
    }

    /// Makes the run that an order asks for, once: a second call for the same key finds it.
    pub(super) fn make_export(
        &self,
        client: &str,
        name: &str,
        order: &Order<'_>,
    ) -> Result<ExportRun> {
        let client = self.client(client)?;
        let space = self.client_space(&client.slug)?;
        let _lock = space.lock_exports()?;
        // Earlier files go first: the numbers stay in order.
        self.hand_over_owed(&client.slug)?;
        if let Some(run) = self.registry().export_run_for(order.key)? {
            return Ok(run);
        }
        let export = self.stored_export(&client.slug, name)?;
        let settings = settings_of(&export)?;
        self.export_folder(&client.slug, &export.folder)?;
        let making = Making::begin(self, &client, &export, &settings, &space, order.how)?;
        let run = making.make(order)?;
        let object = format!("{}/{name}", client.slug);
        let detail = format!("{}: {} rows {}", order.cause, run.rows, run.file_name);
        self.record("export.run", &object, detail.trim());
        if run.state == RunState::Ready {
            self.hand_over(&run, run.sendings)?;
        }
        self.registry().export_run(run.id)?.ok_or_else(|| {
            Error::new(Kind::Internal, format!("the export run {} is not recorded", run.id))
        })
    }

    /// What decides in the client's import folders who a row is.
    fn directory_key(&self, client: &str, directory: &Directory) -> Result<Option<Key>> {
        for folder in self.registry().client_folders(client)? {
            if folder.purpose == Purpose::Import
                && let Some(key) = directory.source(&folder.name)?.1.key
            {
                return Ok(Some(key));
            }
        }
        Ok(None)
    }
}

impl<'m> Making<'m> {
    fn begin(
        service: &'m Service,
        client: &'m Client,
        export: &'m StoredExport,
        settings: &'m ExportSettings,
        space: &'m Arc<ClientSpace>,
        how: How,
    ) -> Result<Self> {
        let last = service.registry().last_export_run(&client.slug, &export.name)?;
        let at = service.clock().now();
        let zone = TimeZone::get(&client.time_zone).unwrap_or(TimeZone::UTC);
        let today = at.to_zoned(zone).date();
        Ok(Self { service, client, export, settings, space, last, at, today, how })
    }

    fn make(&self, order: &Order<'_>) -> Result<ExportRun> {
        let id = commit::new_id(self.service.clock());
        let kept = keep::Kept::new(self.space, id)?;
        let basis = self.basis()?;
        let was_new = basis.is_new;
        let out = match self.how {
            How::Note => Out::Nowhere,
            How::Usual | How::Anyway => Out::File(BufWriter::new(kept.file()?)),
        };
        let pass = self.pass(basis, Counted::new(out))?;
        if let Some(refusal) = self.refusal(&pass) {
            return Err(refusal);
        }
        let notes = pass.all_notes();
        let told = self.keep_told(&kept, id, &pass, was_new)?;
        let mut run = self.row(id, order, &pass, told, notes);
        let counted = pass.lines.finish().map_err(|e| Error::io("writing an export", e))?;
        let is_sent = self.how != How::Note && (run.rows > 0 || self.settings.send_empty);
        if is_sent {
            counted.out.sync().map_err(|e| Error::io("writing an export", e))?;
            let (bytes, sha256) = kept
                .seal(self.service, self.export, self.settings, &self.plain_name())?
                .unwrap_or_else(|| counted.sum());
            run.state = RunState::Ready;
            run.seq = Some(self.export.next_seq);
            run.file_name = self.file_name();
            (run.bytes, run.sha256) = (bytes, sha256);
        } else {
            kept.no_file()?;
        }
        kept.settle()?;
        fault::at("export.written").map_err(|e| Error::io("making an export", e))?;
        self.service.registry().record_export_run(&run)?;
        kept.keep();
        fault::at("export.recorded").map_err(|e| Error::io("making an export", e))?;
        Ok(run)
    }

    /// What the other side has been told, as far as it is still known.
    fn basis(&self) -> Result<Basis> {
        let salt = *commit::new_id(self.service.clock()).as_bytes();
        let mut basis = Basis {
            told: Told::nobody(salt, self.today),
            is_new: true,
            since: None,
            notes: Vec::new(),
        };
        // The day of nobody's list is no run's day.
        basis.told.day = 0;
        let what = self.settings.what;
        let Some(last) = self.last.as_ref().filter(|_| what.needs_basis()) else {
            return Ok(basis);
        };
        if last.what != what.name() {
            basis.notes.push(format!(
                "until now this export was about \"{}\": this file is as complete as a first one",
                last.what
            ));
            return Ok(basis);
        }
        let told = last.told.map(|id| keep::read_told(self.space, id)).transpose()?.flatten();
        match told {
            Some(told) => {
                basis.told = told;
                basis.is_new = false;
                basis.since = Some(last.place);
            }
            None => basis.notes.push(
                "WARNING: what was sent last is not known any more (a restored backup?): this file is as complete as a first one".to_owned(),
            ),
        }
        Ok(basis)
    }

    fn pass<W: Write>(&self, basis: Basis, out: W) -> Result<Pass<'m, W>> {
        let directory = self.service.open_directory(&self.client.slug)?;
        let key = self.service.directory_key(&self.client.slug, &directory)?;
        let what = self.settings.what;
        directory.read_for_export(
            basis.since,
            |facts| self.begin_pass(basis, facts, key, out),
            |pass, user| pass.visit(what, self.settings, user, self.today),
        )
    }

    fn begin_pass<W: Write>(
        &self,
        mut basis: Basis,
        facts: ExportFacts,
        key: Option<Key>,
        out: W,
    ) -> Result<Pass<'m, W>> {
        let sheet = Sheet::new(self.settings, key, &facts.custom);
        if basis.since.is_some_and(|since| since > facts.place) {
            basis.notes.push("WARNING: the directory is older than the last run (a restored backup): this file is as complete as a first one".to_owned());
            basis.told.entries.clear();
            basis.told.day = 0;
        }
        if facts.is_forgotten && sheet.has(&Column::PreviousNumber) {
            basis.notes.push("WARNING: the history since the last run is not kept any more: previous employee numbers may be missing".to_owned());
        }
        let around = Around {
            managers: facts.managers,
            shared_numbers: facts.shared_numbers,
            numbers: facts.numbers,
            previous_numbers: facts.previous_numbers,
        };
        let lines = Lines::begin(sheet, out).map_err(|problem| refused_line(problem, ""))?;
        let mut after = Told::nobody(basis.told.salt, self.today);
        after.entries.clear();
        Ok(Pass {
            lines,
            around,
            before: basis.told,
            after,
            place: facts.place,
            rows: 0,
            left_out: 0,
            pseudonyms: 0,
            unsaid: 0,
            named: Vec::new(),
            problems: Vec::new(),
            notes: basis.notes,
        })
    }

    /// Why the file is not sent.
    fn refusal<W: Write>(&self, pass: &Pass<'_, W>) -> Option<Error> {
        if !pass.problems.is_empty() {
            return Some(invalid(format!("the file was not made: {}", pass.problems.join("; "))));
        }
        if self.settings.what == What::All && pass.left_out > 0 {
            return Some(invalid(format!(
                "the file was not made: {} users have values that no value map has, and who is missing from a file of all may be taken for a leaver: {}; add the codes to the value maps, or write unmapped = \"use\"",
                pass.left_out,
                pass.named.join("; ")
            )));
        }
        let (limit, last) = (self.settings.fewer_rows?, self.last.as_ref()?);
        let fewer = last.rows.saturating_sub(pass.rows);
        let is_far_fewer = fewer > limit.count
            && fewer.saturating_mul(100) > last.rows.saturating_mul(u64::from(limit.percent));
        let guarded = self.settings.what == What::All && last.what == What::All.name();
        (guarded && self.how == How::Usual && is_far_fewer).then(|| {
            Error::new(
                Kind::Conflict,
                format!(
                    "the file was not sent: it has {} rows, the last one had {}, and who is missing from it may be taken for a leaver; if that is right, run it even with far fewer rows (on the command line: rollcall exports run {} {} --anyway)",
                    pass.rows, last.rows, self.client.slug, self.export.name
                ),
            )
        })
    }

    /// Keeps what the other side knows after this run; a list that says the same as the last one is not kept twice.
    fn keep_told<W: Write>(
        &self,
        kept: &keep::Kept<'_>,
        id: UploadId,
        pass: &Pass<'_, W>,
        was_new: bool,
    ) -> Result<Option<UploadId>> {
        if !self.settings.what.needs_basis() {
            return Ok(None);
        }
        let last = self.last.as_ref().and_then(|last| last.told).filter(|_| !was_new);
        if let Some(last) = last
            && pass.before == pass.after
        {
            return Ok(Some(last));
        }
        kept.told(&pass.after.pack())?;
        Ok(Some(id))
    }

    fn row<W: Write>(
        &self,
        id: UploadId,
        order: &Order<'_>,
        pass: &Pass<'_, W>,
        told: Option<UploadId>,
        notes: Vec<String>,
    ) -> ExportRun {
        ExportRun {
            id,
            client: self.client.slug.clone(),
            export: self.export.name.clone(),
            folder: self.export.folder.clone(),
            key: order.key.to_owned(),
            cause: order.cause.to_owned(),
            what: self.settings.what.name().to_owned(),
            state: if self.how == How::Note { RunState::Noted } else { RunState::Nothing },
            seq: None,
            file_name: String::new(),
            rows: pass.rows,
            left_out: pass.left_out,
            bytes: 0,
            sha256: String::new(),
            told,
            place: pass.place,
            notes,
            at: self.at,
            sendings: 1,
            drop_id: None,
            withdrawn_at: None,
            failure: None,
        }
    }

    fn file_name(&self) -> String {
        format!("{}{}", self.plain_name(), self.settings.ending())
    }

    fn plain_name(&self) -> String {
        let zone = TimeZone::get(&self.client.time_zone).unwrap_or(TimeZone::UTC);
        self.settings.file_name.render(&Naming {
            at: self.at.to_zoned(zone).datetime(),
            seq: self.export.next_seq,
            client: &self.client.slug,
            export: &self.export.name,
            what: self.settings.what.name(),
        })
    }
}
