//! *Edit remote folders*: several changes to an account's folders at once; all are made, or none.

use super::Service;
use super::folders::{check_place, checked_folder_name, checked_pattern, find, profile_settings};
use crate::error::{Error, Kind, Result};
use crate::model::{Account, Folder, Purpose, Upload, VPath};
use crate::store::registry::FolderMove;

/// What an edit does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EditKind {
    /// A new folder.
    Add,
    /// Another path, purpose or pattern; the name stays: settings, imports and exports go by it.
    Change,
    /// It goes; its files stay.
    Remove,
}

/// One of several changes to an account's folders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderEdit {
    /// What is done.
    pub kind: EditKind,
    /// The folder's name.
    pub name: String,
    /// Its path, as it was typed.
    pub path: String,
    /// What it is for.
    pub purpose: Purpose,
    /// Which names start an import; empty: all.
    pub pattern: String,
}

/// What came of several edits.
#[derive(Debug)]
pub enum Edited {
    /// All of them were made.
    Saved,
    /// None was made; what is wrong with each of them, in their order.
    Refused(Vec<Option<Error>>),
}

impl Service {
    /// Adds, changes and removes several folders of an account at once.
    ///
    /// # Errors
    /// `Kind::NotFound` for the account; `Kind::Exists` or `Kind::NotFound` when somebody else was quicker.
    pub fn edit_folders(&self, login: &str, edits: &[FolderEdit]) -> Result<Edited> {
        let account = self.account(login)?;
        let before = self.registry().folders(login)?;
        let others = self.registry().client_folders(&account.client)?;
        let elsewhere: Vec<String> =
            others.into_iter().filter(|f| f.login != login).map(|f| f.name).collect();
        let wishes: Vec<Result<Option<Folder>>> =
            edits.iter().map(|edit| self.wished(&account, &before, edit)).collect();
        let is_edited = |folder: &&Folder| {
            edits.iter().any(|e| e.kind != EditKind::Add && e.name == folder.name)
        };
        let mut after: Vec<Folder> = before.iter().filter(|f| !is_edited(f)).cloned().collect();
        after.extend(wishes.iter().filter_map(|wish| wish.as_ref().ok().cloned().flatten()));

        let (mut moves, mut problems) = (Vec::new(), Vec::new());
        for (edit, wish) in edits.iter().zip(wishes) {
            let checked = wish.and_then(|wish| match wish {
                None => Ok(FolderMove::Remove(edit.name.clone())),
                Some(folder) => {
                    check_among(&folder, &after, &elsewhere)?;
                    self.moved(&account, edit.kind, folder)
                }
            });
            problems.push(checked.map(|one| moves.push(one)).err());
        }
        if problems.iter().all(Option::is_none) {
            // First on disk: what cannot be made must not stand in the registry.
            let made = moves.iter().map(|one| self.make_moved(&account, &before, one));
            problems = made.map(Result::err).collect();
        }
        if problems.iter().any(Option::is_some) {
            return Ok(Edited::Refused(problems));
        }
        self.registry().edit_folders(&account.client, login, &moves)?;
        moves.iter().for_each(|one| self.record_move(login, one));
        Ok(Edited::Saved)
    }

    /// The folder as an edit wishes it, by itself; `None`: it goes.
    fn wished(
        &self,
        account: &Account,
        before: &[Folder],
        edit: &FolderEdit,
    ) -> Result<Option<Folder>> {
        let known = match edit.kind {
            EditKind::Add => None,
            EditKind::Change | EditKind::Remove => Some(find(before, &account.login, &edit.name)?),
        };
        let name = match known {
            None => checked_folder_name(&edit.name)?,
            Some(folder) => folder.name.clone(),
        };
        let uses = |upload: &Upload| upload.folder.as_deref() == Some(name.as_str());
        if edit.kind == EditKind::Remove {
            self.refuse_while_waiting(&account.client, uses)?;
            self.refuse_while_undecided(&account.client, uses)?;
            return Ok(None);
        }
        let invalid = |words: String| Error::new(Kind::Invalid, words);
        let path: VPath = match edit.path.trim() {
            "" => return Err(invalid("give the path, such as /folder1/folder2".to_owned())),
            path => path.parse().map_err(invalid)?,
        };
        if known.is_some_and(|old| (&old.path, old.purpose) != (&path, edit.purpose)) {
            self.refuse_while_waiting(&account.client, uses)?;
        }
        if known.is_some_and(|old| old.purpose != edit.purpose) {
            self.refuse_while_undecided(&account.client, uses)?;
        }
        let pattern = Some(edit.pattern.trim()).filter(|pattern| !pattern.is_empty());
        let pattern = pattern.map(checked_pattern).transpose()?;
        let login = account.login.clone();
        Ok(Some(Folder { login, name, path, purpose: edit.purpose, pattern }))
    }

    fn moved(&self, account: &Account, kind: EditKind, folder: Folder) -> Result<FolderMove> {
        if kind == EditKind::Change {
            return Ok(FolderMove::Change(folder));
        }
        // A profile that was taken out of the configuration since leaves the defaults.
        let profile = self.config().profile(&account.host_profile);
        let preset = profile.as_ref().map(profile_settings).transpose()?.flatten();
        let settings = preset.filter(|_| folder.purpose == Purpose::Import);
        Ok(FolderMove::Add(folder, settings))
    }

    /// Makes the folder of a move, where it is a new one or lies elsewhere from now on.
    fn make_moved(&self, account: &Account, before: &[Folder], one: &FolderMove) -> Result<()> {
        match one {
            FolderMove::Remove(_) => Ok(()),
            FolderMove::Add(folder, _) => self.make_folder(account, folder),
            FolderMove::Change(folder) => {
                let lies_there =
                    |old: &Folder| (&old.name, &old.path) == (&folder.name, &folder.path);
                if before.iter().any(lies_there) {
                    Ok(())
                } else {
                    self.make_folder(account, folder)
                }
            }
        }
    }
}

/// Checks a folder among those that there will be.
fn check_among(folder: &Folder, after: &[Folder], elsewhere: &[String]) -> Result<()> {
    let taken = |what: String| Err(Error::new(Kind::Exists, what));
    let of_name = after.iter().filter(|other| other.name == folder.name).count();
    if of_name > 1 || elsewhere.contains(&folder.name) {
        let name = &folder.name;
        return taken(format!("the client has a folder \"{name}\" already; choose another name"));
    }
    let others = || after.iter().filter(|other| other.name != folder.name);
    if let Some(other) = others().find(|other| other.path == folder.path) {
        return taken(format!(
            "folder \"{}\" lies at {} already; choose another path",
            other.name, other.path
        ));
    }
    check_place(folder, others())
}
