//! Use cases about exports: add, change, list, withdraw, send again (docs/exports.md).

mod counted;
mod hand_over;
mod keep;
mod pass;
mod run;
mod wishes;

use jiff::Timestamp;
use serde::Serialize;

use super::{Service, names};
use crate::error::{Error, Kind, Result};
use crate::export::{ExportSettings, Naming};
use crate::model::{UploadId, check_not_reserved, check_slug};
use crate::store::registry::{ExportPatch, StoredExport};

pub use crate::store::registry::{ExportRun, RunState};
pub use run::{How, Preview};

pub(super) use keep::{forget_old, forget_people};
pub(super) use wishes::{after_import, run as run_wishes, tasks};

/// An export as lists show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExportView {
    /// The client's slug.
    pub client: String,
    /// Its name.
    pub name: String,
    /// The folder that its files go to.
    pub folder: String,
    /// Whether it runs on its trigger.
    pub enabled: bool,
    /// When it was added.
    pub created_at: Timestamp,
    /// The number that its next file gets.
    pub next_seq: u64,
    /// Its settings.
    pub settings: ExportSettings,
    /// Its last run.
    pub last: Option<ExportRun>,
}

/// What became of a withdrawn run's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WithdrawnFile {
    /// Nobody has seen it: it is gone, and its number is free again.
    TakenBack,
    /// It was fetched or delivered before.
    SeenAlready,
    /// The run had none.
    None,
}

impl Service {
    /// Adds an export of a client's directory to one of its export folders.
    ///
    /// # Errors
    /// `Kind::NotFound` for the client or folder; `Kind::Exists` for the name; `Kind::Invalid` for settings that are
    /// not acceptable, with a right example.
    pub fn add_export(
        &self,
        client: &str,
        name: &str,
        folder: &str,
        toml: &str,
    ) -> Result<ExportView> {
        check_slug(name).map_err(|why| invalid(why.replacen("client", "export", 1)))?;
        check_not_reserved("export", name).map_err(invalid)?;
        let client = self.client(client)?;
        self.export_folder(&client.slug, folder)?;
        let settings = self.checked_export(&client.slug, name, folder, toml)?;
        let new = StoredExport {
            client: client.slug.clone(),
            name: name.to_owned(),
            folder: folder.to_owned(),
            settings: toml.to_owned(),
            enabled: true,
            created_at: self.clock().now(),
            next_seq: 1,
        };
        self.registry().add_export(&new)?;
        let detail = format!("{} to {folder}", settings.what.name());
        self.record("export.add", &format!("{}/{name}", client.slug), &detail);
        self.export(&client.slug, name)
    }

    /// The exports of a client, by name.
    ///
    /// # Errors
    /// `Kind::NotFound` for the client.
    pub fn exports(&self, client: &str) -> Result<Vec<ExportView>> {
        let client = self.client(client)?;
        let all = self.registry().exports(Some(&client.slug))?;
        all.into_iter().map(|export| self.export_view(export)).collect()
    }

    /// One export.
    ///
    /// # Errors
    /// `Kind::NotFound`.
    pub fn export(&self, client: &str, name: &str) -> Result<ExportView> {
        self.export_view(self.stored_export(client, name)?)
    }

    /// The settings of an export as they were written, comments and all; documented where nothing was written.
    ///
    /// # Errors
    /// `Kind::NotFound`.
    pub fn export_settings_text(&self, client: &str, name: &str) -> Result<String> {
        let stored = self.stored_export(client, name)?;
        Ok(settings_of(&stored)?.to_toml())
    }

    /// Replaces an export's settings; the next run uses them.
    ///
    /// # Errors
    /// As [`Service::add_export`].
    pub fn set_export_settings(&self, client: &str, name: &str, toml: &str) -> Result<ExportView> {
        let stored = self.stored_export(client, name)?;
        self.checked_export(client, name, &stored.folder, toml)?;
        let patch = ExportPatch { settings: Some(toml.to_owned()), ..ExportPatch::default() };
        let stored = self.registry().update_export(&stored.client, name, &patch)?;
        self.record("export.set", &format!("{client}/{name}"), "settings");
        self.export_view(stored)
    }

    /// Has an export's files go to another folder.
    ///
    /// # Errors
    /// As [`Service::add_export`].
    pub fn set_export_folder(&self, client: &str, name: &str, folder: &str) -> Result<ExportView> {
        let stored = self.stored_export(client, name)?;
        self.export_folder(client, folder)?;
        self.refuse_equal_names(client, name, folder, &settings_of(&stored)?)?;
        let patch = ExportPatch { folder: Some(folder.to_owned()), ..ExportPatch::default() };
        let stored = self.registry().update_export(&stored.client, name, &patch)?;
        self.record("export.set", &format!("{client}/{name}"), &format!("folder {folder}"));
        self.export_view(stored)
    }

    /// Has an export run on its trigger (`true`), or only when somebody asks for it.
    ///
    /// # Errors
    /// `Kind::NotFound`.
    pub fn enable_export(&self, client: &str, name: &str, enabled: bool) -> Result<ExportView> {
        let stored = self.stored_export(client, name)?;
        let patch = ExportPatch { enabled: Some(enabled), ..ExportPatch::default() };
        let stored = self.registry().update_export(&stored.client, name, &patch)?;
        let what = if enabled { "export.enable" } else { "export.disable" };
        self.record(what, &format!("{client}/{name}"), "");
        self.export_view(stored)
    }

    /// Removes an export. What was sent stays; an export that is added by the same name later goes on with the numbers.
    ///
    /// # Errors
    /// `Kind::NotFound`.
    pub fn remove_export(&self, client: &str, name: &str) -> Result<()> {
        let stored = self.stored_export(client, name)?;
        let _lock = self.client_space(&stored.client)?.lock_exports()?;
        self.registry().remove_export(&stored.client, name)?;
        self.record("export.remove", &format!("{client}/{name}"), "");
        Ok(())
    }

    /// The runs of an export, or of all exports of a client, newest first.
    ///
    /// # Errors
    /// `Kind::NotFound` for the client.
    pub fn export_runs(
        &self,
        client: &str,
        name: Option<&str>,
        limit: u32,
    ) -> Result<Vec<ExportRun>> {
        let client = self.client(client)?;
        self.registry().export_runs(&client.slug, name, limit)
    }

    /// One run.
    ///
    /// # Errors
    /// `Kind::NotFound`.
    pub fn export_run(&self, id: UploadId) -> Result<ExportRun> {
        let unknown = || Error::new(Kind::NotFound, format!("there is no export run {id}"));
        self.registry().export_run(id)?.ok_or_else(unknown)
    }

    /// Withdraws the last run of an export that told the other side something: the next one tells it again.
    ///
    /// # Errors
    /// `Kind::NotFound` for the export, and when there is nothing to withdraw.
    pub fn withdraw_export(&self, client: &str, name: &str) -> Result<(ExportRun, WithdrawnFile)> {
        let stored = self.stored_export(client, name)?;
        let _lock = self.client_space(&stored.client)?.lock_exports()?;
        self.hand_over_owed(&stored.client)?;
        let run = self.registry().last_telling_run(client, name)?.ok_or_else(|| {
            let message = format!("no run of the export \"{name}\" is left to be withdrawn");
            Error::new(Kind::NotFound, message)
        })?;
        let file = self.take_back(&run)?;
        let unseen = file != WithdrawnFile::SeenAlready;
        self.registry().withdraw_export_run(&run, self.clock().now(), unseen)?;
        self.record("export.withdraw", &format!("{client}/{name}"), &run.id.to_string());
        Ok((run, file))
    }

    /// Sends the file of a run once more, byte for byte.
    ///
    /// # Errors
    /// `Kind::NotFound` for the run, and when its file is not kept any more; `Kind::Conflict` for a run without file,
    /// or one that was withdrawn.
    pub fn resend_export(&self, id: UploadId) -> Result<ExportRun> {
        let unknown = || Error::new(Kind::NotFound, format!("there is no export run {id}"));
        let run = self.registry().export_run(id)?.ok_or_else(unknown)?;
        let space = self.client_space(&run.client)?;
        let _lock = space.lock_exports()?;
        let run = self.registry().export_run(id)?.ok_or_else(unknown)?;
        let refused = |why: &str| {
            let message = format!("export run {id} cannot be sent again: {why}");
            Error::new(Kind::Conflict, message)
        };
        match run.state {
            _ if run.withdrawn_at.is_some() => {
                return Err(refused("it was withdrawn; the next run tells the same again"));
            }
            RunState::Sent => {}
            RunState::Ready => return Err(refused("it is on its way")),
            _ => return Err(refused("it had no file")),
        }
        self.hand_over(&run, run.sendings + 1)?;
        self.record("export.resend", &format!("{}/{}", run.client, run.export), &id.to_string());
        self.registry().export_run(id)?.ok_or_else(unknown)
    }

    fn export_view(&self, stored: StoredExport) -> Result<ExportView> {
        let settings = settings_of(&stored)?;
        let last = self.registry().export_runs(&stored.client, Some(&stored.name), 1)?.pop();
        Ok(ExportView {
            client: stored.client,
            name: stored.name,
            folder: stored.folder,
            enabled: stored.enabled,
            created_at: stored.created_at,
            next_seq: stored.next_seq,
            settings,
            last,
        })
    }

    fn stored_export(&self, client: &str, name: &str) -> Result<StoredExport> {
        let client = self.client(client)?;
        self.registry().export(&client.slug, name)?.ok_or_else(|| {
            let known = self.registry().exports(Some(&client.slug)).unwrap_or_default();
            let known: Vec<String> = known.iter().map(|e| format!("\"{}\"", e.name)).collect();
            let hint = match known.as_slice() {
                [] => "it has none; add one with `rollcall exports add`".to_owned(),
                known => format!("it has {}", known.join(", ")),
            };
            let message = format!("client \"{}\" has no export \"{name}\"; {hint}", client.slug);
            Error::new(Kind::NotFound, message)
        })
    }

    /// Settings with everything checked that only the server knows.
    fn checked_export(
        &self,
        client: &str,
        name: &str,
        folder: &str,
        toml: &str,
    ) -> Result<ExportSettings> {
        let settings = ExportSettings::from_toml(toml).map_err(invalid)?;
        self.refuse_equal_names(client, name, folder, &settings)?;
        let template = settings.file_name.as_str();
        if names::is_temporary(template) {
            return Err(invalid(format!(
                "file_name = \"{template}\" is not possible: programs pass over such names as temporary; write for example file_name = \"users_{{date}}_{{seq}}.csv\""
            )));
        }
        for fingerprint in &settings.encrypt {
            self.pgp_partner(client, fingerprint)?;
        }
        if settings.zip {
            self.need_zip_password(client, folder)?;
        }
        Ok(settings)
    }

    /// Two exports whose files have one name in one folder would take each other's place before anybody fetched them.
    fn refuse_equal_names(
        &self,
        client: &str,
        name: &str,
        folder: &str,
        settings: &ExportSettings,
    ) -> Result<()> {
        let sample = |export: &str, settings: &ExportSettings| {
            let at = jiff::civil::DateTime::constant(2026, 11, 30, 23, 59, 59, 0);
            let what = settings.what.name();
            let file = settings.file_name.render(&Naming { at, seq: 7, client, export, what });
            format!("{file}{}", settings.ending())
        };
        let own = sample(name, settings);
        for other in self.registry().exports(Some(client))? {
            let is_beside = other.name != name && other.folder == folder;
            if is_beside && settings_of(&other).is_ok_and(|s| sample(&other.name, &s) == own) {
                return Err(invalid(format!(
                    "file_name = \"{}\" is not possible: the export \"{}\" names its files in folder {folder} alike, and one would take the other's place; write for example file_name = \"{{export}}_{{date}}_{{seq}}.csv\"",
                    settings.file_name.as_str(),
                    other.name
                )));
            }
        }
        Ok(())
    }
}

fn settings_of(stored: &StoredExport) -> Result<ExportSettings> {
    ExportSettings::from_toml(&stored.settings).map_err(|why| {
        invalid(format!("the settings of the export {}/{}: {why}", stored.client, stored.name))
    })
}

fn invalid(why: String) -> Error {
    Error::new(Kind::Invalid, why)
}
