//! Use cases about import settings: show and replace those of one folder.

use sha2::{Digest, Sha256};

use super::Service;
use crate::error::{Error, Kind, Result};
use crate::import::settings::{Change, Settings, edit};
use crate::model::{Folder, Purpose};

/// The import settings of a folder as somebody wrote them: what is left out follows the defaults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsDocument {
    /// The TOML, comments and all.
    pub text: String,
    /// A name of this text: another text has another one. 16 hex digits.
    pub version: String,
}

/// What a change of import settings is founded on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen<'a> {
    /// The document of this version; one that somebody has changed since is not touched.
    Version(&'a str),
    /// Whatever stands there now.
    Latest,
}

/// How often a change of whatever stands there is made again because others were faster.
const TRIES: u32 = 50;

impl Service {
    /// The client's import folders, by name.
    ///
    /// # Errors
    /// `Kind::NotFound` for the client.
    pub fn import_folders(&self, client: &str) -> Result<Vec<Folder>> {
        self.client(client)?;
        let mut folders = self.registry().client_folders(client)?;
        folders.retain(|folder| folder.purpose == Purpose::Import);
        folders.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(folders)
    }

    /// The import settings of a client's folder as they are stored, whether or not this version can read them.
    ///
    /// # Errors
    /// `Kind::NotFound` for the client or folder; `Kind::Invalid` for a folder of another purpose.
    pub fn settings_document(&self, client: &str, folder: &str) -> Result<SettingsDocument> {
        self.import_folder(client, folder)?;
        let text = self.registry().folder_settings(client, folder)?.unwrap_or_default();
        Ok(SettingsDocument { version: version_of(&text), text })
    }

    /// Changes single import settings of a client's folder; the rest of the document stays as it was written.
    ///
    /// # Errors
    /// As [`Service::set_settings`]; `Kind::Conflict` if somebody has changed the document since it was seen.
    pub fn change_settings(
        &self,
        client: &str,
        folder: &str,
        seen: Seen<'_>,
        changes: &[Change],
    ) -> Result<Settings> {
        again_if_latest(seen, || {
            let before = self.seen_settings(client, folder, seen)?;
            let after = edit(&before, changes).map_err(|why| Error::new(Kind::Invalid, why))?;
            self.store_settings(client, folder, &after, Some(&before))
        })
    }

    /// Replaces the whole document, if nobody has changed it since it was seen.
    ///
    /// # Errors
    /// As [`Service::change_settings`].
    pub fn replace_settings(
        &self,
        client: &str,
        folder: &str,
        seen: Seen<'_>,
        toml: &str,
    ) -> Result<Settings> {
        let before = self.seen_settings(client, folder, seen)?;
        self.store_settings(client, folder, toml, Some(&before))
    }

    /// The document that stands there, if it is the one that was seen.
    fn seen_settings(&self, client: &str, folder: &str, seen: Seen<'_>) -> Result<String> {
        let now = self.settings_document(client, folder)?;
        match seen {
            Seen::Version(version) if version != now.version => {
                let message = format!(
                    "the import settings of {client}/{folder} were changed by somebody else since you opened them; \
                     look at what they are now, and save again"
                );
                Err(Error::new(Kind::Conflict, message))
            }
            _ => Ok(now.text),
        }
    }

    /// The import settings of a client's folder.
    ///
    /// # Errors
    /// `Kind::NotFound` for the client or folder; `Kind::Invalid` for a folder of another purpose, or settings
    /// that this version cannot read.
    pub fn settings(&self, client: &str, folder: &str) -> Result<Settings> {
        self.import_folder(client, folder)?;
        let stored = self.registry().folder_settings(client, folder)?.unwrap_or_default();
        Settings::from_toml(&stored).map_err(|problem| {
            let message = format!("the import settings of {client}/{folder}: {problem}");
            Error::new(Kind::Invalid, message)
        })
    }

    /// Replaces the import settings of a client's folder; imports that begin later use them.
    ///
    /// # Errors
    /// As [`Service::settings`]; `Kind::Invalid` with the key and a right example for settings that are not acceptable.
    pub fn set_settings(&self, client: &str, folder: &str, toml: &str) -> Result<Settings> {
        self.import_folder(client, folder)?;
        self.store_settings(client, folder, toml, None)
    }

    fn store_settings(
        &self,
        client: &str,
        folder: &str,
        toml: &str,
        before: Option<&str>,
    ) -> Result<Settings> {
        let refused = |problem| Error::new(Kind::Invalid, problem);
        let settings = Settings::from_toml(toml).map_err(refused)?;
        settings.check_values().map_err(refused)?;
        super::mail::check_recipients(&settings)?;
        // As it was written, comments and all: people keep their reasons there.
        self.registry().set_folder_settings(client, folder, toml, before)?;
        let version = settings.version();
        self.record("settings.set", &format!("{client}/{folder}"), &format!("version {version}"));
        Ok(settings)
    }

    /// The client's import folder of this name.
    ///
    /// # Errors
    /// `Kind::NotFound` for the client or folder; `Kind::Invalid` for a folder of another purpose.
    pub fn import_folder(&self, client: &str, name: &str) -> Result<Folder> {
        self.client(client)?;
        let folders = self.registry().client_folders(client)?;
        let (imports, others): (Vec<_>, Vec<_>) =
            folders.into_iter().partition(|f| f.purpose == Purpose::Import);
        if let Some(other) = others.into_iter().find(|f| f.name == name) {
            let message = format!(
                "folder \"{name}\" of client \"{client}\" is for {}; only import folders have settings",
                other.purpose.name()
            );
            return Err(Error::new(Kind::Invalid, message));
        }
        let known: Vec<String> = imports.iter().map(|f| format!("\"{}\"", f.name)).collect();
        imports.into_iter().find(|f| f.name == name).ok_or_else(|| {
            let hint = match known.as_slice() {
                [] => "it has none; add one with `rollcall folder add`".to_owned(),
                known => format!("it has {}", known.join(", ")),
            };
            let message = format!("client \"{client}\" has no import folder \"{name}\"; {hint}");
            Error::new(Kind::NotFound, message)
        })
    }
}

/// Does it again as long as others are faster, where it is about whatever stands there.
pub(super) fn again_if_latest<T>(seen: Seen<'_>, change: impl Fn() -> Result<T>) -> Result<T> {
    let mut changed = change();
    for _ in 1..TRIES {
        match &changed {
            Err(error) if error.kind() == Kind::Conflict && seen == Seen::Latest => {
                changed = change();
            }
            _ => break,
        }
    }
    changed
}

fn version_of(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_document_is_accepted() {
        let document = include_str!("../../docs/configuration.md");
        let (_, section) = document.split_once("## Import settings").unwrap();
        let (_, rest) = section.split_once("```toml\n").unwrap();
        let (example, _) = rest.split_once("```").unwrap();
        let settings = Settings::from_toml(example).unwrap();
        assert!(!settings.aliases.is_empty() && !settings.value_maps.is_empty());
    }
}
