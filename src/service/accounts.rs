//! Use cases about accounts: add under a host profile, change, passwords and keys.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::Service;
use super::clients::checked_name;
use super::folders::profile_settings;
use super::keys::PublicKey;
use crate::config::HostProfile;
use crate::error::{Error, Kind, Result};
use crate::model::{
    Account, AccountKey, Folder, Protocol, Purpose, check_login, check_not_reserved,
};
use crate::secrets::{check_password, generate_password};
use crate::store::registry::{self, LoginFacts};

pub use crate::store::registry::AccountPatch;

/// The password of a new account.
#[derive(Clone, PartialEq, Eq)]
pub enum NewPassword {
    /// A generated one, handed out once.
    Generated,
    /// One that somebody chose.
    Given(String),
    /// None: only keys log in.
    None,
}

/// An account to be added.
#[derive(Clone)]
pub struct NewAccount {
    /// The client's slug.
    pub client: String,
    /// The name that people read.
    pub name: String,
    /// The login; `None`: made from client and name.
    pub login: Option<String>,
    /// The host profile under which it is hosted.
    pub host_profile: String,
    /// Its connection types; `None`: those of the profile.
    pub protocols: Option<Vec<Protocol>>,
    /// Its password.
    pub password: NewPassword,
    /// The texts of public key files.
    pub keys: Vec<String>,
}

/// What is handed out for a new account. The password is shown this once.
#[derive(Clone, PartialEq, Eq)]
pub struct NewCredentials {
    /// The account.
    pub account: Account,
    /// The generated password; `None`: it was given, or there is none.
    pub password: Option<String>,
    /// Its keys.
    pub keys: Vec<AccountKey>,
    /// Its folders, by path.
    pub folders: Vec<Folder>,
}

impl Service {
    /// Adds an account with the folders and import settings of its host profile.
    ///
    /// # Errors
    /// `Kind::NotFound` for the client or profile; `Kind::Exists` for a login that is taken; `Kind::Invalid` for
    /// a value that is not acceptable.
    pub fn add_account(&self, new: &NewAccount) -> Result<NewCredentials> {
        let client = self.client(&new.client)?;
        let name = checked_name("account", &new.name)?;
        let profile = self.host_profile(&new.host_profile)?;
        let login = match &new.login {
            Some(login) => login.clone(),
            None => self.free_login(&client.slug, &name)?,
        };
        check_login(&login)
            .and_then(|()| check_not_reserved("login", &login))
            .map_err(|e| Error::new(Kind::Invalid, e))?;
        let keys = self.read_keys(&new.keys)?;
        let password = match &new.password {
            NewPassword::Generated => Some(generate_password()),
            NewPassword::Given(password) => {
                check_password(password)?;
                Some(password.clone())
            }
            NewPassword::None if keys.is_empty() => {
                let message = "an account without a password needs a key: give a public key file";
                return Err(Error::new(Kind::Invalid, message));
            }
            NewPassword::None => None,
        };
        let password_hash =
            password.as_deref().map(|text| self.0.door.hasher.hash(text)).transpose()?;
        let account = Account {
            login: login.clone(),
            client: client.slug.clone(),
            name,
            host_profile: new.host_profile.clone(),
            protocols: checked_protocols(
                new.protocols.as_deref().unwrap_or_else(|| profile.protocols()),
            )?,
            enabled: true,
            has_password: password_hash.is_some(),
            created_at: self.clock().now(),
            last_login_at: None,
            remote: None,
        };
        let folders = self.profile_folders(&client.slug, &login, &profile)?;
        if self.registry().account(&login)?.is_none() {
            // First on disk: files of an earlier account may lie there.
            folders.iter().try_for_each(|(folder, _)| self.make_folder(&account, folder))?;
        }
        let row = registry::NewAccount { account, password_hash, keys, folders };
        self.registry().add_account(&row)?;
        self.record("account.add", &login, &format!("client {}", client.slug));
        let facts = self.account_facts(&login)?;
        let password = password.filter(|_| new.password == NewPassword::Generated);
        let LoginFacts { account, keys, folders, .. } = facts;
        Ok(NewCredentials { account, password, keys, folders })
    }

    /// The accounts of a client, or of all clients, by login.
    ///
    /// # Errors
    /// `Kind::NotFound` for an unknown client.
    pub fn accounts(&self, client: Option<&str>) -> Result<Vec<Account>> {
        if let Some(slug) = client {
            self.client(slug)?;
        }
        self.registry().accounts(client)
    }

    /// The account with this login.
    ///
    /// # Errors
    /// `Kind::NotFound`.
    pub fn account(&self, login: &str) -> Result<Account> {
        self.registry().account(login)?.ok_or_else(|| no_account(login))
    }

    /// Changes an account. Live sessions that lose their connection type end.
    ///
    /// # Errors
    /// `Kind::NotFound`; `Kind::Invalid` for a value that is not acceptable.
    pub fn set_account(&self, login: &str, patch: &AccountPatch) -> Result<Account> {
        let patch = self.checked_patch(login, patch)?;
        self.apply_patch(login, &patch)
    }

    /// Changes an account and gives it another login, in one: what is refused changes nothing.
    ///
    /// # Errors
    /// As [`Self::set_account`] and [`Self::rename_login`].
    pub fn set_account_and_login(
        &self,
        login: &str,
        patch: &AccountPatch,
        new_login: &str,
    ) -> Result<Account> {
        let patch = self.checked_patch(login, patch)?;
        // It is the one that may still be refused: a login that is taken, an import that runs.
        let account = self.rename_login(login, new_login)?;
        if patch == AccountPatch::default() {
            return Ok(account);
        }
        self.apply_patch(&account.login, &patch)
    }

    /// The patch as it is written, if it may be.
    fn checked_patch(&self, login: &str, patch: &AccountPatch) -> Result<AccountPatch> {
        if patch.protocols.is_some() || patch.host_profile.is_some() {
            let instead = "connection type and server are changed by removing it and adding it anew; host, port, login \
                           and secret with `rollcall account set`";
            self.hosted_account(login, instead)?;
        }
        self.account(login)?;
        let mut patch = patch.clone();
        patch.name = patch.name.map(|name| checked_name("account", &name)).transpose()?;
        if let Some(profile) = &patch.host_profile {
            self.host_profile(profile)?;
        }
        patch.protocols = patch.protocols.map(|list| checked_protocols(&list)).transpose()?;
        Ok(patch)
    }

    fn apply_patch(&self, login: &str, patch: &AccountPatch) -> Result<Account> {
        let account = self.registry().update_account(login, patch)?;
        let changed = [
            patch.name.is_some().then_some("name"),
            patch.host_profile.is_some().then_some("host profile"),
            patch.protocols.is_some().then_some("connection types"),
            patch.enabled.map(|on| if on { "enabled" } else { "disabled" }),
        ];
        let changed: Vec<&str> = changed.into_iter().flatten().collect();
        self.record("account.set", login, &changed.join(", "));
        Ok(account)
    }

    /// Lets an account log in again, or no longer: its live sessions end.
    ///
    /// # Errors
    /// `Kind::NotFound`.
    pub fn set_account_enabled(&self, login: &str, enabled: bool) -> Result<Account> {
        self.set_account(login, &AccountPatch { enabled: Some(enabled), ..AccountPatch::default() })
    }

    /// Gives an account a new password and returns it: the given one, or a generated one.
    ///
    /// # Errors
    /// `Kind::NotFound`; `Kind::Invalid` for a password that is not acceptable.
    pub fn reset_password(&self, login: &str, given: Option<String>) -> Result<String> {
        let instead =
            format!("`rollcall account set {login} --password-stdin` changes the password for it");
        self.hosted_account(login, &instead)?;
        let password = match given {
            Some(password) => {
                check_password(&password)?;
                password
            }
            None => generate_password(),
        };
        let hash = self.0.door.hasher.hash(&password)?;
        self.registry().set_password_hash(login, Some(&hash))?;
        self.record("account.password", login, "");
        // A link to the old one would hand out what no longer works.
        self.withdraw_handout(login)?;
        Ok(password)
    }

    /// Adds the keys of a public key file; those that the account has already are left alone.
    ///
    /// # Errors
    /// `Kind::NotFound`; `Kind::Exists` when it has all of them; `Kind::Invalid` for a key that is not acceptable.
    pub fn add_key(&self, login: &str, text: &str) -> Result<Vec<AccountKey>> {
        let instead =
            format!("`rollcall account set {login} --key FILE` changes the private key for it");
        self.hosted_account(login, &instead)?;
        let known = self.keys(login)?;
        let keys = self.read_keys(&[text.to_owned()])?;
        let (old, new): (Vec<_>, Vec<_>) = keys
            .into_iter()
            .partition(|key| known.iter().any(|k| k.fingerprint == key.fingerprint));
        if let (Some(key), true) = (old.first(), new.is_empty()) {
            let message = format!("account \"{login}\" has the key {} already", key.fingerprint);
            return Err(Error::new(Kind::Exists, message));
        }
        for key in &new {
            self.registry().add_key(login, key)?;
            self.record("account.key.add", login, &key.fingerprint);
        }
        Ok(new)
    }

    /// Takes a key away by its fingerprint (`SHA256:…`).
    ///
    /// # Errors
    /// `Kind::NotFound`.
    pub fn remove_key(&self, login: &str, fingerprint: &str) -> Result<()> {
        self.account(login)?;
        self.registry().remove_key(login, fingerprint)?;
        self.record("account.key.remove", login, fingerprint);
        Ok(())
    }

    /// The keys of an account, oldest first.
    ///
    /// # Errors
    /// `Kind::NotFound`.
    pub fn keys(&self, login: &str) -> Result<Vec<AccountKey>> {
        self.account(login)?;
        self.registry().keys(login)
    }

    /// Removes an account with its keys and folders; its files stay on disk. Its live sessions end.
    ///
    /// # Errors
    /// `Kind::NotFound`; `Kind::Busy` while uploads of it wait for import or for somebody's decision.
    pub fn remove_account(&self, login: &str) -> Result<()> {
        let account = self.account(login)?;
        self.refuse_while_waiting(&account.client, |upload| upload.login == login)?;
        self.refuse_while_undecided(&account.client, |upload| upload.login == login)?;
        self.registry().remove_account(login)?;
        if account.remote.is_some() {
            self.registry().forget_deleted();
        }
        self.record("account.remove", login, &format!("client {}", account.client));
        Ok(())
    }

    /// A host profile by name.
    pub(super) fn host_profile(&self, name: &str) -> Result<HostProfile> {
        self.config().profile(name).ok_or_else(|| {
            let known = self.config().profile_names().join(", ");
            Error::new(
                Kind::NotFound,
                format!("there is no host profile \"{name}\"; there are: {known}"),
            )
        })
    }

    fn account_facts(&self, login: &str) -> Result<LoginFacts> {
        self.registry().login_facts(login)?.ok_or_else(|| no_account(login))
    }

    fn read_keys(&self, texts: &[String]) -> Result<Vec<AccountKey>> {
        let added_at = self.clock().now();
        let mut keys: Vec<AccountKey> = Vec::new();
        for key in texts.iter().map(|text| PublicKey::parse_file(text)) {
            for key in key? {
                let fingerprint = key.fingerprint();
                if !keys.iter().any(|known| known.fingerprint == fingerprint) {
                    let (public_key, comment) = (key.line(), key.comment().to_owned());
                    keys.push(AccountKey { fingerprint, public_key, comment, added_at });
                }
            }
        }
        Ok(keys)
    }

    /// `acme` for the first account of a client, then `acme-payroll` …, with a number if that is taken.
    pub(super) fn free_login(&self, slug: &str, name: &str) -> Result<String> {
        let plain: String = name
            .nfkd()
            .filter(|c| !is_combining_mark(*c))
            .flat_map(char::to_lowercase)
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .collect();
        let words: Vec<&str> = plain.split('-').filter(|w| !w.is_empty()).collect();
        let plain: String = words.join("-").chars().take(40).collect();
        let long = if plain.is_empty() || plain == slug {
            slug.to_owned()
        } else {
            format!("{slug}-{plain}")
        };
        let long: String = long.chars().take(60).collect();
        let numbered = (2..1000).map(|n| format!("{long}-{n}"));
        for login in [slug.to_owned(), long.clone()].into_iter().chain(numbered) {
            let is_free = check_not_reserved("login", &login).is_ok();
            if is_free && self.registry().account(&login)?.is_none() {
                return Ok(login);
            }
        }
        let message = format!("no login like \"{long}\" is free; choose one by hand");
        Err(Error::new(Kind::Exists, message))
    }

    /// The folders of a profile, under names that the client does not use yet.
    fn profile_folders(
        &self,
        client: &str,
        login: &str,
        profile: &HostProfile,
    ) -> Result<Vec<(Folder, Option<String>)>> {
        let used = self.registry().client_folders(client)?;
        let mut used: BTreeSet<String> = used.into_iter().map(|f| f.name).collect();
        let settings = profile_settings(profile)?;
        let mut folders = Vec::new();
        for preset in &profile.folders {
            let numbered = (2..10_000).map(|n| format!("{}-{n}", preset.name));
            let name = std::iter::once(preset.name.clone())
                .chain(numbered)
                .find(|name| !used.contains(name))
                .ok_or_else(|| Error::new(Kind::Exists, "the client has too many folders"))?;
            used.insert(name.clone());
            let folder = Folder {
                login: login.to_owned(),
                name,
                path: preset.path.clone(),
                purpose: preset.purpose,
                pattern: preset.pattern.clone(),
            };
            let settings = (folder.purpose == Purpose::Import).then(|| settings.clone()).flatten();
            folders.push((folder, settings));
        }
        Ok(folders)
    }
}

fn checked_protocols(list: &[Protocol]) -> Result<Vec<Protocol>> {
    let sorted: BTreeSet<Protocol> = list.iter().copied().collect();
    if sorted.is_empty() {
        let message = "an account needs at least one connection type: sftp, ftps or ftpes";
        return Err(Error::new(Kind::Invalid, message));
    }
    Ok(sorted.into_iter().collect())
}

pub(super) fn no_account(login: &str) -> Error {
    let message = format!("there is no account \"{login}\"; see `rollcall account list`");
    Error::new(Kind::NotFound, message)
}
