//! Host profiles: the shipped ones, and how the configuration changes or adds to them.

use super::{Config, HostProfile, ProfileFolder};
use crate::model::{Language, Protocol, Purpose, VPath};

/// The names of the shipped profiles.
const SHIPPED: [&str; 3] = ["standard", "e-paye", "mprh"];

impl HostProfile {
    /// The connection types of new accounts.
    #[must_use]
    pub fn protocols(&self) -> &[Protocol] {
        if self.protocols.is_empty() { &Protocol::ALL } else { &self.protocols }
    }

    /// This profile with what `own` sets in its place; import settings are replaced key by key.
    fn changed_by(mut self, own: &Self) -> Self {
        self.public_host = own.public_host.clone().or(self.public_host);
        if !own.protocols.is_empty() {
            self.protocols.clone_from(&own.protocols);
        }
        if !own.folders.is_empty() {
            self.folders.clone_from(&own.folders);
        }
        self.settings.extend(own.settings.clone());
        self
    }
}

impl Config {
    /// The host profile of this name: a shipped one with the configuration's changes, or one of the configuration.
    #[must_use]
    pub fn profile(&self, name: &str) -> Option<HostProfile> {
        match (shipped(name), self.hosts.get(name)) {
            (Some(shipped), Some(own)) => Some(shipped.changed_by(own)),
            (Some(shipped), None) => Some(shipped),
            (None, own) => own.cloned(),
        }
    }

    /// The names of all host profiles: the shipped ones first.
    #[must_use]
    pub fn profile_names(&self) -> Vec<&str> {
        let own = self.hosts.keys().map(String::as_str).filter(|name| !SHIPPED.contains(name));
        SHIPPED.into_iter().chain(own).collect()
    }
}

fn shipped(name: &str) -> Option<HostProfile> {
    let folder = |name: &str, path: &str, purpose, pattern: Option<&str>| {
        let path: VPath = path.parse().ok()?;
        Some(ProfileFolder {
            name: name.to_owned(),
            path,
            purpose,
            pattern: pattern.map(str::to_owned),
        })
    };
    let folders = match name {
        "standard" => vec![
            folder("import", "/in", Purpose::Import, None)?,
            folder("export", "/out", Purpose::Export, None)?,
        ],
        "e-paye" => vec![folder("import", "/import", Purpose::Import, Some("*.csv"))?],
        "mprh" => vec![
            folder("entree", "/echanges/entree", Purpose::Import, None)?,
            folder("sortie", "/echanges/sortie", Purpose::Export, None)?,
        ],
        _ => return None,
    };
    let mut profile = HostProfile { folders, ..HostProfile::default() };
    if name == "e-paye" {
        let languages = toml::Value::Array(vec![Language::Fr.code().into()]);
        let report = toml::Table::from_iter([("languages".to_owned(), languages)]);
        profile.settings.insert("report".to_owned(), report.into());
    }
    Some(profile)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::settings::Settings;

    #[test]
    fn the_shipped_profiles_are_whole() {
        let config = Config::default();
        assert_eq!(config.profile_names(), SHIPPED);
        for name in SHIPPED {
            let profile = config.profile(name).unwrap();
            assert!(profile.folders.iter().any(|f| f.purpose == Purpose::Import), "{name}");
            assert_eq!(profile.protocols(), Protocol::ALL);
            Settings::from_table(&profile.settings).unwrap();
        }
        let e_paye = Settings::from_table(&config.profile("e-paye").unwrap().settings).unwrap();
        assert_eq!(e_paye.report.languages, [Language::Fr]);
        assert_eq!(config.profile("nope"), None);
    }

    #[test]
    fn the_configuration_changes_a_shipped_profile_and_adds_others() {
        let config: Config = toml::from_str(
            "[hosts.e-paye]\npublic_host = 'sftp.example.com'\nsettings = { mode = 'delta' }\n\
             [hosts.own]\nprotocols = ['sftp']\n",
        )
        .unwrap();
        let e_paye = config.profile("e-paye").unwrap();
        assert_eq!(e_paye.public_host.as_deref(), Some("sftp.example.com"));
        assert_eq!(e_paye.folders.len(), 1);
        assert_eq!(e_paye.settings.len(), 2);
        assert_eq!(config.profile("own").unwrap().protocols(), [Protocol::Sftp]);
        assert_eq!(config.profile_names(), ["standard", "e-paye", "mprh", "own"]);
    }
}
