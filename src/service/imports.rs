//! Use cases about imports: list them, tell what they wait for, make their reports again.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::Service;
use crate::error::{Error, Kind, Result};
use crate::import::report::{self, Counts, GuardOutcome, Report};
use crate::model::{Account, ImportStatus, Language, Upload, UploadId, UploadState, VPath};
use crate::store::directory::Directory;
use crate::store::registry::UploadFilter;

pub use crate::store::registry::Interruption;

/// An import, or an upload that waits for its import, as lists show it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ImportView {
    /// Its id, that of its upload.
    pub id: UploadId,
    /// The client's slug.
    pub client: String,
    /// The account's login.
    pub account: String,
    /// The import folder's name.
    pub folder: Option<String>,
    /// How it ended; `waiting` before that.
    pub status: String,
    /// Nothing was meant to be applied.
    pub dry_run: bool,
    /// The client's own server from which it was fetched: `sftp://login@host:22`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fetched_from: Option<String>,
    /// The file.
    pub file: FileView,
    /// Rows by what they became.
    pub counts: Counts,
    /// When the upload was committed.
    pub received_at: Timestamp,
    /// When the import was done.
    pub finished_at: Option<Timestamp>,
    /// Why our side failed, in words.
    pub failure: Option<String>,
    /// What it waits for, in words: somebody's approval and why, or a held import before it.
    pub waits_for: Option<String>,
    /// The same for pages, which say it in their own language.
    #[serde(skip)]
    pub wait: Option<Wait>,
    /// Until when somebody can decide about a held import.
    pub expires_at: Option<Timestamp>,
    /// Its rows that wait for somebody's decision, by line.
    pub pending_lines: Vec<u32>,
}

/// What an import waits for.
#[derive(Debug, Clone, PartialEq)]
pub enum Wait {
    /// Somebody's approval, because of these guards.
    Approval(Vec<GuardOutcome>),
    /// Somebody's decision about rows of it.
    Rows,
    /// A held import before it.
    Held(UploadId),
    /// Its time, in words of its client's clock.
    Time(String),
}

/// The file of an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileView {
    /// Its name.
    pub name: String,
    /// Its address below the account's root.
    pub path: VPath,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256, 64 hex digits.
    pub sha256: String,
}

/// One import with its report.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportDetail {
    /// As lists show it.
    pub view: ImportView,
    /// Its report; `None`: it waits, or its client's database does not know it.
    pub report: Option<Report>,
}

/// A report file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportFormat {
    /// For the clerk.
    Csv,
    /// For a program.
    Json,
    /// For reading: one self-contained page.
    Html,
    /// The refused rows, to be mended and uploaded again.
    Corrections,
}

/// How long a file by hand waits behind uploads that cannot be imported just now.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);
pub(super) const POLL_PAUSE: Duration = Duration::from_millis(50);

impl Service {
    /// The client whose import (or upload) this is.
    ///
    /// # Errors
    /// `Kind::NotFound`.
    pub fn client_of_import(&self, id: UploadId) -> Result<String> {
        let unknown = || Error::new(Kind::NotFound, format!("there is no import {id}"));
        self.registry().upload(id)?.map(|upload| upload.client).ok_or_else(unknown)
    }

    /// The last imports of a client, newest first, with what waits or was given up on top.
    ///
    /// # Errors
    /// [`Kind::NotFound`] for the client.
    pub fn imports(&self, client: &str, limit: u32) -> Result<Vec<ImportView>> {
        let client = self.client(client)?;
        let waiting = self.registry().uploads(&UploadFilter {
            client: Some(client.slug.clone()),
            states: vec![UploadState::Queued],
            ..UploadFilter::default()
        })?;
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        let directory = self.open_directory(&client.slug)?;
        let done = directory.imports(limit)?;
        let is_held = !directory.holds()?.is_empty();
        let mut views: Vec<ImportView> = Vec::new();
        for upload in waiting.into_iter().rev() {
            if !done.iter().any(|summary| summary.record.id == upload.id) {
                let holder = if is_held { self.holder_of(&upload)? } else { None };
                let time = self.waits_for_time(&upload)?;
                let mut view = waiting_view(upload);
                view.waits_for = match (holder, time) {
                    (Some(id), _) => Some(format!("import {id}, which is held")),
                    (None, time) => time.map(|at| format!("its time: imports at {at}")),
                };
                views.push(view);
            }
        }
        // Given up when their client's own database could not be written.
        for upload in self.registry().failed_uploads(&client.slug)?.into_iter().rev() {
            if !directory.knows_import(upload.id)? {
                views.push(waiting_view(upload));
            }
        }
        for summary in done {
            let record = summary.record;
            views.push(ImportView {
                id: record.id,
                client: client.slug.clone(),
                account: record.login,
                folder: Some(record.source),
                status: summary.status.name().to_owned(),
                dry_run: summary.dry_run,
                fetched_from: None,
                file: FileView {
                    name: record.file_name,
                    path: record.path,
                    bytes: record.bytes,
                    sha256: record.sha256,
                },
                counts: summary.counts,
                received_at: record.received_at,
                finished_at: Some(summary.applied_at),
                failure: None,
                waits_for: None,
                wait: None,
                expires_at: None,
                pending_lines: Vec::new(),
            });
        }
        views.truncate(most);
        let servers = self.servers(&client.slug)?;
        for view in &mut views {
            self.tell_waiting(&directory, view)?;
            view.fetched_from = servers.get(&view.account).cloned();
        }
        Ok(views)
    }

    /// The addresses of a client's own servers, by account.
    pub(super) fn servers(&self, client: &str) -> Result<HashMap<String, String>> {
        let accounts = self.registry().accounts(Some(client))?.into_iter();
        let address = |account: Account| {
            let server = account.remote?;
            let protocol = account.protocols.first()?;
            let address = format!("{protocol}://{}@{}:{}", server.login, server.host, server.port);
            Some((account.login, address))
        };
        Ok(accounts.filter_map(address).collect())
    }

    /// Says what a recorded import waits for, if it does.
    pub(super) fn tell_waiting(&self, directory: &Directory, view: &mut ImportView) -> Result<()> {
        // A rejected file may hold nothing but rows that wait.
        let may_wait = ["held", "partial", "ok_with_warnings", "ok", "rejected"];
        if view.dry_run || !may_wait.contains(&view.status.as_str()) {
            return Ok(());
        }
        if let Some(hold) = directory.hold(view.id)? {
            view.expires_at = Some(self.expiry(&hold));
            let stored = directory.import(view.id)?;
            let guards = stored.map(|stored| stored.report.guards).unwrap_or_default();
            let why = report::held_because(&guards, Language::En);
            // One that came again late is held without a guard.
            let colon = if why.is_empty() { "" } else { ": " };
            view.waits_for = Some(format!("approval{colon}{why}"));
            view.wait = Some(Wait::Approval(guards));
            return Ok(());
        }
        let rows = directory.pending_rows()?;
        view.pending_lines =
            rows.into_iter().filter(|row| row.import == view.id).map(|row| row.line).collect();
        if !view.pending_lines.is_empty() {
            let lines: Vec<String> = view.pending_lines.iter().map(u32::to_string).collect();
            view.waits_for = Some(format!("approval of rows {}", lines.join(", ")));
            view.wait = Some(Wait::Rows);
        }
        Ok(())
    }

    /// One import by its id.
    ///
    /// # Errors
    /// [`Kind::NotFound`].
    pub fn import(&self, id: UploadId) -> Result<ImportDetail> {
        let unknown = || Error::new(Kind::NotFound, format!("there is no import {id}"));
        let upload = self.registry().upload(id)?.ok_or_else(unknown)?;
        let directory = self.open_directory(&upload.client)?;
        let stored = directory.import(id)?;
        let time = match upload.state {
            UploadState::Queued if stored.is_none() => self.waits_for_time(&upload)?,
            _ => None,
        };
        let holder = match upload.state {
            UploadState::Queued if stored.is_none() => self.holder_of(&upload)?,
            _ => None,
        };
        let mut view = waiting_view(upload);
        if let Some(wait) = holder.map(Wait::Held).or(time.map(Wait::Time)) {
            view.waits_for = Some(wait.words());
            view.wait = Some(wait);
        }
        view.fetched_from = self.servers(&view.client)?.remove(&view.account);
        let report = stored.map(|stored| stored.report);
        if let Some(report) = &report {
            view.status = report.status.name().to_owned();
            view.dry_run = report.dry_run;
            view.counts = report.counts;
            view.finished_at = report.finished_at;
            self.tell_waiting(&directory, &mut view)?;
        }
        Ok(ImportDetail { view, report })
    }

    /// Makes a report file again from the database; `language` as the client's if none is given. Corrections hold values that
    /// every other form masks: that they were read stands in the audit trail.
    ///
    /// # Errors
    /// [`Kind::NotFound`] for the import, for one that has no report yet, and for corrections of a file without refusals.
    pub fn report_file(
        &self,
        id: UploadId,
        format: ReportFormat,
        language: Option<Language>,
    ) -> Result<Vec<u8>> {
        let ImportDetail { view, report } = self.import(id)?;
        let missing = |what: &str| Error::new(Kind::NotFound, format!("import {id} has {what}"));
        let report = report.ok_or_else(|| missing("no report yet"))?;
        let language = match language {
            Some(language) => language,
            None => self.client(&view.client)?.language,
        };
        match format {
            ReportFormat::Csv => Ok(report::csv(&report, language)),
            ReportFormat::Json => Ok(report::json(&report, language)),
            ReportFormat::Html => Ok(report::html(&report, language)),
            ReportFormat::Corrections => {
                let nothing = || missing("no refused rows, so there is nothing to correct");
                let rows = report::corrections(&report, language).ok_or_else(nothing)?;
                self.record(
                    "import.read",
                    &id.to_string(),
                    "the refused rows as they were received",
                );
                Ok(rows)
            }
        }
    }

    /// The last interrupted uploads of a client, newest first (T01).
    ///
    /// # Errors
    /// [`Kind::NotFound`] for the client.
    pub fn interruptions(&self, client: &str, limit: u32) -> Result<Vec<Interruption>> {
        let client = self.client(client)?;
        self.registry().interruptions(&client.slug, limit)
    }

    pub(super) fn open_directory(&self, client: &str) -> Result<Directory> {
        Directory::open(&self.client_space(client)?.directory_path())
    }
}

impl Wait {
    /// In English, without guards.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Approval(_) => "approval".to_owned(),
            Self::Rows => "approval of rows".to_owned(),
            Self::Held(id) => format!("import {id}, which is held"),
            Self::Time(at) => format!("its time: imports at {at}"),
        }
    }
}

pub(super) fn waiting_view(upload: Upload) -> ImportView {
    let status = match upload.state {
        UploadState::Prepared | UploadState::Queued | UploadState::Done => "waiting",
        UploadState::Failed => ImportStatus::Failed.name(),
        UploadState::Superseded => ImportStatus::Superseded.name(),
        UploadState::Stored => "stored",
    };
    ImportView {
        id: upload.id,
        file: FileView::of(&upload),
        client: upload.client,
        account: upload.login,
        folder: upload.folder,
        status: status.to_owned(),
        dry_run: false,
        fetched_from: None,
        counts: Counts::default(),
        received_at: upload.received_at,
        finished_at: upload.finished_at,
        failure: upload.failure,
        waits_for: None,
        wait: None,
        expires_at: None,
        pending_lines: Vec::new(),
    }
}
