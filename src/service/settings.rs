//! Use cases about import settings: show and replace those of one folder.

use super::Service;
use crate::error::{Error, Kind, Result};
use crate::import::settings::Settings;
use crate::model::{Folder, Purpose};

impl Service {
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
        let refused = |problem| Error::new(Kind::Invalid, problem);
        let settings = Settings::from_toml(toml).map_err(refused)?;
        settings.check_values().map_err(refused)?;
        super::mail::check_recipients(&settings)?;
        // As it was written, comments and all: people keep their reasons there.
        self.registry().set_folder_settings(client, folder, toml)?;
        let version = settings.version();
        self.record("settings.set", &format!("{client}/{folder}"), &format!("version {version}"));
        Ok(settings)
    }

    /// The client's import folder of this name.
    pub(super) fn import_folder(&self, client: &str, name: &str) -> Result<Folder> {
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
