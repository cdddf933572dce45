//! Use cases about remote folders: add, list, change, remove.

use globset::GlobBuilder;

use super::Service;
use super::clients::checked_name;
use crate::config::{Config, HostProfile};
use crate::error::{Error, Kind, Result};
use crate::import::report::is_reserved_name;
use crate::import::settings::Settings;
use crate::model::{Account, Folder, Purpose, Upload, UploadState, VPath};
use crate::store::registry::{FolderMove, UploadFilter};

pub use crate::store::registry::FolderPatch;

/// The longest pattern, in bytes.
const MAX_PATTERN_BYTES: usize = 256;

impl Service {
    /// Adds a folder to an account; an import folder begins with the import settings of the account's host profile.
    ///
    /// A folder that the host profile gave and that nobody has used or changed gives way to one at the same path, so
    /// that a script need not know what a profile presets. One that only wants its name does not get it: files that
    /// are sent to the path that was handed out would not be imported any more.
    ///
    /// # Errors
    /// `Kind::NotFound` for the account; `Kind::Exists` for a name or path that is taken; `Kind::Invalid` for a
    /// value that is not acceptable; `Kind::NotFolder` where a file lies.
    pub fn add_folder(
        &self,
        login: &str,
        name: &str,
        path: &VPath,
        purpose: Purpose,
        pattern: Option<&str>,
    ) -> Result<Folder> {
        let account = self.account(login)?;
        let folder = Folder {
            login: login.to_owned(),
            name: checked_folder_name(name)?,
            path: path.clone(),
            purpose,
            pattern: pattern.map(checked_pattern).transpose()?,
        };
        // A profile that was taken out of the configuration since leaves the defaults.
        let profile = self.config().profile(&account.host_profile);
        let preset = profile.as_ref().map(profile_settings).transpose()?.flatten();
        let folders = self.registry().folders(login)?;
        let (yielding, staying): (Vec<Folder>, Vec<Folder>) = if let Some(profile) =
            profile.filter(|_| folders.iter().any(|f| f.path == folder.path))
        {
            let unused = self.unused_presets(&account, &profile, preset.as_deref(), &folders)?;
            folders.into_iter().partition(|f| f.path == folder.path && unused.contains(&f.name))
        } else {
            (Vec::new(), folders)
        };
        check_place(&folder, &staying)?;
        let settings = preset.filter(|_| purpose == Purpose::Import);
        // First on disk: what cannot be made must not stand in the registry.
        self.make_folder(&account, &folder)?;
        let gone = yielding.iter().map(|preset| FolderMove::Remove(preset.name.clone()));
        let moves: Vec<FolderMove> =
            gone.chain([FolderMove::Add(folder.clone(), settings)]).collect();
        self.registry().edit_folders(&account.client, login, &moves)?;
        moves.iter().for_each(|one| self.record_move(login, one));
        Ok(folder)
    }

    /// The names of the folders that are still as the profile gave them, in an account that has received nothing.
    fn unused_presets(
        &self,
        account: &Account,
        profile: &HostProfile,
        settings: Option<&str>,
        folders: &[Folder],
    ) -> Result<Vec<String>> {
        let received = self.registry().uploads(&UploadFilter {
            client: Some(account.client.clone()),
            login: Some(account.login.clone()),
            limit: Some(1),
            ..UploadFilter::default()
        })?;
        let mut unused = Vec::new();
        for folder in folders.iter().filter(|_| received.is_empty()) {
            let is_preset = profile.folders.iter().any(|preset| {
                preset.path == folder.path
                    && preset.purpose == folder.purpose
                    && preset.pattern == folder.pattern
            });
            let now = self.registry().folder_settings(&account.client, &folder.name)?;
            let given = if folder.purpose == Purpose::Import { settings } else { None };
            if is_preset && now.unwrap_or_default() == given.unwrap_or_default() {
                unused.push(folder.name.clone());
            }
        }
        Ok(unused)
    }

    /// The folders of an account, by path.
    ///
    /// # Errors
    /// `Kind::NotFound`.
    pub fn folders(&self, login: &str) -> Result<Vec<Folder>> {
        self.account(login)?;
        self.registry().folders(login)
    }

    /// Changes a folder; its files stay where they are.
    ///
    /// # Errors
    /// `Kind::NotFound`; `Kind::Exists` for a path that is taken; `Kind::Invalid` for a value that is not
    /// acceptable; `Kind::NotFolder` where a file lies; `Kind::Busy` while uploads in it wait for import.
    pub fn set_folder(&self, login: &str, name: &str, patch: &FolderPatch) -> Result<Folder> {
        let account = self.account(login)?;
        let folders = self.registry().folders(login)?;
        let before = find(&folders, login, name)?;
        let mut next = before.clone();
        let mut patch = patch.clone();
        patch.pattern = match patch.pattern {
            Some(Some(pattern)) => Some(Some(checked_pattern(&pattern)?)),
            other => other,
        };
        next.path = patch.path.clone().unwrap_or(next.path);
        next.purpose = patch.purpose.unwrap_or(next.purpose);
        check_place(&next, folders.iter().filter(|f| f.name != name))?;
        if patch.path.is_some() || patch.purpose.is_some() {
            self.refuse_while_waiting(&account.client, |u| u.folder.as_deref() == Some(name))?;
        }
        if next.purpose != before.purpose {
            self.refuse_while_undecided(&account.client, |u| u.folder.as_deref() == Some(name))?;
        }
        if next.path != before.path {
            self.make_folder(&account, &next)?;
        }
        let folder = self.registry().update_folder(login, name, &patch)?;
        self.record("folder.set", login, name);
        Ok(folder)
    }

    /// Removes a folder from the account; its files stay on disk and can be read.
    ///
    /// # Errors
    /// `Kind::NotFound`; `Kind::Busy` while uploads in it wait for import or for somebody's decision.
    pub fn remove_folder(&self, login: &str, name: &str) -> Result<()> {
        let account = self.account(login)?;
        self.refuse_while_waiting(&account.client, |u| u.folder.as_deref() == Some(name))?;
        self.refuse_while_undecided(&account.client, |u| u.folder.as_deref() == Some(name))?;
        self.registry().remove_folder(login, name)?;
        self.record("folder.remove", login, name);
        Ok(())
    }

    /// Makes a folder on disk, before the registry knows of it. One on a client's own server is made by whoever runs that.
    ///
    /// # Errors
    /// `Kind::NotFolder` where a file lies at the path or above it; file system faults.
    pub(super) fn make_folder(&self, account: &Account, folder: &Folder) -> Result<()> {
        if account.remote.is_some() {
            return Ok(());
        }
        let files = self.client_space(&account.client)?.account(&account.login)?;
        files.folder_or_new(&folder.path).map(drop).map_err(|error| match error.kind() {
            Kind::NotFolder => {
                let message = format!(
                    "the folder cannot lie at {}: a file lies there, or where a folder above it would; \
                     choose another path, or have that file removed",
                    folder.path
                );
                Error::caused(Kind::NotFolder, message, error)
            }
            _ => error,
        })
    }

    /// The remote folders of accounts hosted here that cannot be used, as a file lies in their place.
    ///
    /// # Errors
    /// When the registry or an account's files cannot be read.
    pub fn folders_under_files(&self) -> Result<Vec<Folder>> {
        let mut found = Vec::new();
        let accounts = self.registry().accounts(None)?;
        for account in accounts.into_iter().filter(|account| account.remote.is_none()) {
            let files = self.client_space(&account.client)?.account(&account.login)?;
            let folders = self.registry().folders(&account.login)?;
            let is_under = |folder: &Folder| {
                files.folder(&folder.path).is_err_and(|error| error.kind() == Kind::NotFolder)
            };
            found.extend(folders.into_iter().filter(is_under));
        }
        Ok(found)
    }

    /// Notes in the audit trail what became of a folder.
    pub(super) fn record_move(&self, login: &str, one: &FolderMove) {
        match one {
            FolderMove::Remove(name) => self.record("folder.remove", login, name),
            FolderMove::Change(folder) => self.record("folder.set", login, &folder.name),
            FolderMove::Add(folder, _) => {
                self.record("folder.add", login, &format!("{} {}", folder.name, folder.path));
            }
        }
    }

    /// Nothing that an acknowledged upload still needs is taken away.
    pub(super) fn refuse_while_waiting(
        &self,
        client: &str,
        concerns: impl Fn(&Upload) -> bool,
    ) -> Result<()> {
        let waiting = self.registry().uploads(&UploadFilter {
            client: Some(client.to_owned()),
            states: vec![UploadState::Prepared, UploadState::Queued],
            ..UploadFilter::default()
        })?;
        let count = waiting.iter().filter(|upload| concerns(upload)).count();
        if count == 0 {
            return Ok(());
        }
        let message = format!(
            "{count} received file(s) still wait for import; try again when they are done \
             (`rollcall imports list {client}`)"
        );
        Err(Error::new(Kind::Busy, message))
    }

    /// Nothing is taken away by whose settings somebody is still to decide. Should the client's database not tell what waits,
    /// that keeps no folder; an approval without it is refused then.
    pub(super) fn refuse_while_undecided(
        &self,
        client: &str,
        concerns: impl Fn(&Upload) -> bool,
    ) -> Result<()> {
        let now = self.clock().now();
        let waiting = self.waiting(Some(client)).unwrap_or_else(|error| {
            tracing::warn!(%error, client, "looking for what waits for a decision");
            Vec::new()
        });
        for one in waiting.iter().filter(|one| one.expires_at.is_none_or(|at| at > now)) {
            let id = one.import;
            if !self.registry().upload(id)?.is_some_and(|upload| concerns(&upload)) {
                continue;
            }
            let (what, lines) = match one.expires_at {
                Some(_) => ("is held", ""),
                None => ("has rows that wait", " --line …"),
            };
            let message = format!(
                "import {id} ({}) {what}, and is decided about by this folder's settings; approve or discard it first \
                 (`rollcall imports approve {id}{lines}`, `rollcall imports discard {id}{lines}`)",
                one.path
            );
            return Err(Error::new(Kind::Busy, message));
        }
        Ok(())
    }
}

/// Checks the import settings of every host profile, so that a mistake shows at the start.
pub(super) fn check_profiles(config: &Config) -> Result<()> {
    for name in config.profile_names() {
        if let Some(profile) = config.profile(name) {
            profile_settings(&profile).map_err(|problem| {
                let message = format!("configuration, hosts.{name}.settings: {problem}");
                Error::new(Kind::Invalid, message)
            })?;
        }
    }
    Ok(())
}

/// The import settings of a profile as they are stored for a new folder; `None`: all defaults.
pub(super) fn profile_settings(profile: &HostProfile) -> Result<Option<String>> {
    if profile.settings.is_empty() {
        return Ok(None);
    }
    let settings = Settings::from_table(&profile.settings)
        .map_err(|problem| Error::new(Kind::Invalid, problem))?;
    Ok(Some(settings.to_toml()))
}

pub(super) fn find<'a>(folders: &'a [Folder], login: &str, name: &str) -> Result<&'a Folder> {
    folders.iter().find(|f| f.name == name).ok_or_else(|| {
        let known: Vec<&str> = folders.iter().map(|f| f.name.as_str()).collect();
        let message =
            format!("account \"{login}\" has no folder \"{name}\"; it has: {}", known.join(", "));
        Error::new(Kind::NotFound, message)
    })
}

pub(super) fn checked_folder_name(name: &str) -> Result<String> {
    let name = checked_name("folder", name)?;
    if name.contains('/') || name.starts_with('-') {
        let message = format!(
            "the folder's name \"{name}\" is not acceptable: no \"/\", and no \"-\" at its beginning \
             (the path is given beside it)"
        );
        return Err(Error::new(Kind::Invalid, message));
    }
    Ok(name)
}

pub(super) fn checked_pattern(pattern: &str) -> Result<String> {
    let good = pattern.len() <= MAX_PATTERN_BYTES
        && !pattern.is_empty()
        && !pattern.contains('/')
        && GlobBuilder::new(pattern).build().is_ok();
    if good {
        return Ok(pattern.to_owned());
    }
    let message = format!(
        "the pattern \"{pattern}\" is not acceptable: write a file name with * or ?, such as *.csv"
    );
    Err(Error::new(Kind::Invalid, message))
}

/// An import folder's `test/` and `reports/` are its own; a folder that lies there would be neither.
pub(super) fn check_place<'a>(
    folder: &Folder,
    others: impl IntoIterator<Item = &'a Folder>,
) -> Result<()> {
    let refuse = |why: String| {
        let message =
            format!("the folder cannot lie at {}: {why}; choose another path", folder.path);
        Err(Error::new(Kind::Invalid, message))
    };
    if let Some(name) = folder.path.parts().find(|part| is_reserved_name(part)) {
        return refuse(format!("\"{name}\" is a name of reports"));
    }
    for other in others {
        let (inner, outer) =
            if folder.path.is_within(&other.path) { (folder, other) } else { (other, folder) };
        let test = outer.path.join("test").ok();
        let in_test = test.is_some_and(|test| inner.path.is_within(&test));
        if outer.purpose == Purpose::Import && in_test {
            return refuse(format!("{}/test is where {} tries files", outer.path, outer.name));
        }
    }
    Ok(())
}
