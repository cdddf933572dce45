//! Use cases about clients: add, list, change, erase; and the state of every database.

use std::collections::HashSet;
use std::path::Path;
use std::sync::PoisonError;

use jiff::tz::TimeZone;
use uuid::Uuid;

use super::Service;
use crate::config::Retention;
use crate::error::{Error, Kind, Result};
use crate::model::{Client, Language, check_not_reserved, check_slug};
use crate::store::directory::Directory;

pub use crate::store::registry::{ClientPatch, ClientRetention, RetentionPatch};

/// The longest name of a client, account or folder, in characters.
const MAX_NAME_CHARS: usize = 200;

/// How the name of an erased client's folder begins until it is gone; no slug begins so.
const ERASED: &str = ".erased-";

/// A client to be added.
#[derive(Debug, Clone)]
pub struct NewClient {
    /// The short name in commands and on disk.
    pub slug: String,
    /// The name that people read; empty: the slug.
    pub name: String,
    /// The language of its reports.
    pub language: Language,
    /// IANA time zone, such as `Europe/Paris`.
    pub time_zone: String,
}

/// Where an erased client still stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Erased {
    /// Nowhere in the data folder.
    Wholly,
    /// Its name stands in the registry's write-ahead log, which others were using: it leaves with the server's next sweep.
    ButForTheLog,
}

impl Service {
    /// Adds a client and makes its folders.
    ///
    /// # Errors
    /// `Kind::Exists` for a slug that is taken, or whose folder holds files; `Kind::Invalid` for a slug, name or time zone that is not acceptable.
    pub fn add_client(&self, new: NewClient) -> Result<Client> {
        check_slug(&new.slug)
            .and_then(|()| check_not_reserved("client", &new.slug))
            .map_err(|e| Error::new(Kind::Invalid, e))?;
        let name = if new.name.trim().is_empty() { new.slug.clone() } else { new.name };
        let client = Client {
            name: checked_name("client", &name)?,
            slug: new.slug,
            language: new.language,
            time_zone: checked_time_zone(&new.time_zone)?,
            enabled: true,
            created_at: self.clock().now(),
        };
        self.sweep_unfinished(&client.slug)?;
        self.refuse_stray(&client.slug)?;
        self.registry().add_client(&client)?;
        self.client_space_or_new(&client.slug)?;
        self.record("client.add", &client.slug, &client.name);
        self.client(&client.slug)
    }

    /// Every client, by slug.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub fn clients(&self) -> Result<Vec<Client>> {
        self.registry().clients()
    }

    /// The client with this slug.
    ///
    /// # Errors
    /// `Kind::NotFound`.
    pub fn client(&self, slug: &str) -> Result<Client> {
        self.registry().client(slug)?.ok_or_else(|| {
            let known: Vec<String> =
                self.clients().unwrap_or_default().into_iter().map(|c| c.slug).take(10).collect();
            let hint = if known.is_empty() {
                "add one with `rollcall client add`".to_owned()
            } else {
                format!("there are: {}", known.join(", "))
            };
            Error::new(Kind::NotFound, format!("there is no client \"{slug}\"; {hint}"))
        })
    }

    /// Changes a client.
    ///
    /// # Errors
    /// `Kind::NotFound`; `Kind::Invalid` for a name or time zone that is not acceptable.
    pub fn set_client(&self, slug: &str, patch: &ClientPatch) -> Result<Client> {
        self.client(slug)?;
        let mut patch = patch.clone();
        patch.name = patch.name.map(|name| checked_name("client", &name)).transpose()?;
        patch.time_zone = patch.time_zone.map(|zone| checked_time_zone(&zone)).transpose()?;
        let client = self.registry().update_client(slug, &patch)?;
        let changed = [
            patch.name.is_some().then_some("name"),
            patch.language.is_some().then_some("language"),
            patch.time_zone.is_some().then_some("time zone"),
            patch.enabled.map(|on| if on { "enabled" } else { "disabled" }),
            (patch.retention != RetentionPatch::default()).then_some("retention"),
        ];
        let changed: Vec<&str> = changed.into_iter().flatten().collect();
        self.record("client.set", slug, &changed.join(", "));
        Ok(client)
    }

    /// Lets a client's accounts log in again, or no longer: their live sessions end.
    ///
    /// # Errors
    /// `Kind::NotFound`.
    pub fn set_client_enabled(&self, slug: &str, enabled: bool) -> Result<Client> {
        self.set_client(slug, &ClientPatch { enabled: Some(enabled), ..ClientPatch::default() })
    }

    /// What differs for a client from the server's own retention, and what holds for it all in all.
    ///
    /// # Errors
    /// `Kind::NotFound`.
    pub fn client_retention(&self, slug: &str) -> Result<(ClientRetention, Retention)> {
        self.client(slug)?;
        let own = self.registry().client_retention(slug)?;
        Ok((own, own.over(&self.config().retention)))
    }

    /// Erases a client: accounts, uploads, files, directory, history and its traces in the registry. There is no way back.
    ///
    /// # Errors
    /// `Kind::NotFound`; `Kind::Busy` while an import of it runs in another process; file system faults.
    pub fn erase_client(&self, slug: &str) -> Result<Erased> {
        self.client(slug)?;
        // First nobody can log in any more; then the running import ends; then the files go.
        self.set_client_enabled(slug, false)?;
        let logins: Vec<String> =
            self.registry().accounts(Some(slug))?.into_iter().map(|a| a.login).collect();
        let space = self.client_space(slug)?;
        let lock = space.lock()?;
        // Renamed first: whoever takes the same name later must never find these files.
        let aside = || {
            let clients = self.data().join("clients");
            let leaving = clients.join(format!("{ERASED}{slug}-{}", Uuid::now_v7()));
            std::fs::rename(clients.join(slug), leaving)
        };
        let fault = |e| Error::io(format!("move the folder of client \"{slug}\" aside"), e);
        aside().map_err(fault)?;
        self.registry().remove_client(slug)?;
        // A worker that had looked before may have made the folder once more in between.
        match aside() {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(fault(e)),
            Ok(()) | Err(_) => {}
        }
        self.close_erased()?;
        self.sweep_erased()?;
        drop(lock);
        self.registry().forget_client(slug, &logins)?;
        // That a client was erased stays known; which one does not.
        self.record("client.erase", "", "");
        match self.registry().scrub() {
            Ok(()) => Ok(Erased::Wholly),
            // The client is gone, and its rows are overwritten: only the log waits for those who read from it.
            Err(error) if error.kind() == Kind::Busy => {
                tracing::warn!(%error, "the name of an erased client stands in the registry's log for up to an hour");
                Ok(Erased::ButForTheLog)
            }
            Err(error) => Err(error),
        }
    }

    /// Closes the databases and folders of clients that are gone: an open file keeps its bytes on the disk.
    pub(super) fn close_erased(&self) -> Result<()> {
        let there: HashSet<String> =
            self.registry().clients()?.into_iter().map(|client| client.slug).collect();
        self.0
            .directories
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|slug, (space, _)| there.contains(slug) && space.is_current());
        self.0
            .spaces
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|slug, space| there.contains(slug) && space.is_current());
        Ok(())
    }

    /// Removes the folders of erased clients; a crash may have left one.
    pub(super) fn sweep_erased(&self) -> Result<()> {
        let clients = self.data().join("clients");
        let fault = |e| Error::io(format!("looking through {}", clients.display()), e);
        for entry in std::fs::read_dir(&clients).map_err(fault)? {
            let entry = entry.map_err(fault)?;
            if !entry.file_name().to_string_lossy().starts_with(ERASED) {
                continue;
            }
            let left = entry.path();
            std::fs::remove_dir_all(&left).map_err(|e| {
                let what = "a client is gone, but its files are not; erase the folder";
                Error::io(format!("{what} {}", left.display()), e)
            })?;
        }
        Ok(())
    }

    /// Opens and checks every database: its file, and what is wrong with it in words.
    #[must_use]
    pub fn check_databases(&self) -> Vec<(String, std::result::Result<(), String>)> {
        let words = |result: Result<Vec<String>>| match result {
            Ok(problems) if problems.is_empty() => Ok(()),
            Ok(problems) => Err(format!("{}; restore a backup", problems.join("; "))),
            Err(error) => Err(error.message().to_owned()),
        };
        let registry = self.data().join("registry.db").display().to_string();
        let mut found = vec![(registry, words(self.registry().check()))];
        for client in self.clients().unwrap_or_default() {
            let path = self.directory_file(&client.slug);
            if path.exists() {
                let checked = Directory::open(&path).and_then(|directory| directory.check());
                found.push((path.display().to_string(), words(checked)));
            }
        }
        let strays = self.stray_folders().unwrap_or_default();
        found.extend(strays.into_iter().map(|name| {
            let folder = self.data().join("clients").join(name).display().to_string();
            let why = "registry.db does not know the client whose files lie here: it is missing, new, or older than they are";
            (folder, Err(why.to_owned()))
        }));
        found
    }

    /// Where a client's directory lies.
    pub(super) fn directory_file(&self, slug: &str) -> std::path::PathBuf {
        self.data().join(Path::new("clients")).join(slug).join("users.db")
    }
}

/// Checks a name that people read.
pub(super) fn checked_name(what: &str, name: &str) -> Result<String> {
    let name = name.trim();
    let chars = name.chars().count();
    let problem = if chars == 0 {
        "it is empty".to_owned()
    } else if chars > MAX_NAME_CHARS {
        format!("it has {chars} characters; use at most {MAX_NAME_CHARS}")
    } else if name.chars().any(char::is_control) {
        "it holds a control character".to_owned()
    } else {
        return Ok(name.to_owned());
    };
    Err(Error::new(Kind::Invalid, format!("the {what}'s name is not acceptable: {problem}")))
}

fn checked_time_zone(name: &str) -> Result<String> {
    match TimeZone::get(name) {
        Ok(zone) => Ok(zone.iana_name().unwrap_or(name).to_owned()),
        Err(error) => Err(Error::caused(
            Kind::Invalid,
            format!("time zone \"{name}\" is not known; write for example Europe/Paris"),
            error,
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    #[test]
    fn whoever_looked_before_brings_no_erased_client_back() {
        let data = tempfile::tempdir().unwrap();
        let service = Service::open(std::sync::Arc::default(), data.path(), Clock::System).unwrap();
        let acme = NewClient {
            slug: "acme".to_owned(),
            name: String::new(),
            language: Language::En,
            time_zone: "UTC".to_owned(),
        };
        service.add_client(acme.clone()).unwrap();
        let folder = data.path().join("clients/acme");
        assert!(folder.join("spool").is_dir());
        service.erase_client("acme").unwrap();
        assert!(!folder.exists());
        let late = service.client_space("acme").err().map(|e| e.kind());
        assert_eq!((late, folder.exists()), (Some(Kind::NotFound), false));
        // What is not empty is somebody's, and stays; no new client gets it.
        std::fs::create_dir_all(folder.join("archive")).unwrap();
        std::fs::write(folder.join("archive/x"), b"x").unwrap();
        assert!(service.client_space("acme").is_err());
        assert!(folder.join("archive/x").exists());
        let refused = service.add_client(acme.clone()).unwrap_err();
        assert_eq!(refused.kind(), Kind::Exists);
        assert!(refused.message().contains("move that folder away"), "{refused}");
        let refused = service.start().err().unwrap();
        assert!(refused.message().contains("registry.db is missing or new"), "{refused}");
        assert!(folder.join("archive/x").exists());
        std::fs::remove_file(folder.join("archive/x")).unwrap();
        service.add_client(acme).unwrap();
        assert!(service.client_space("acme").is_ok());
    }
}
