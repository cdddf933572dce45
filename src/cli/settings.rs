//! `settings …`: the import settings of an import folder, as TOML.

use std::path::PathBuf;

use clap::Subcommand;

use super::{Outcome, Place, read_text};
use crate::error::{Error, Kind};
use crate::import::settings::{Change, Settings};
use crate::service::Service;
use crate::service::settings::Seen;

/// `settings …`
#[derive(Debug, Subcommand)]
pub enum SettingsCommand {
    /// Show the settings of an import folder, with a comment on each
    Show {
        /// The client
        client: String,
        /// The import folder's name
        folder: String,
    },
    /// Change single settings: mode=delta, dates=dmy, report.markers=true
    Set {
        /// The client
        client: String,
        /// The import folder's name
        folder: String,
        /// KEY=VALUE; levels are joined by points, lists are written as in TOML: required=["last_name"]
        #[arg(required = true, value_name = "KEY=VALUE")]
        changes: Vec<String>,
    },
    /// Replace all settings by those of a TOML file ("-": standard input)
    Load {
        /// The client
        client: String,
        /// The import folder's name
        folder: String,
        /// The file, as `settings show` prints it
        file: PathBuf,
    },
}

pub(super) fn run(place: &Place, command: SettingsCommand) -> Outcome {
    let service = place.service()?;
    let (settings, changed) = match command {
        SettingsCommand::Show { client, folder } => (service.settings(&client, &folder)?, None),
        SettingsCommand::Set { client, folder, changes } => {
            let before = Before::of(&service, &client, &folder)?;
            let mut wanted = changes.iter().map(|c| change(c)).collect::<Outcome<Vec<_>>>()?;
            wanted.extend(stray_count(&wanted));
            let seen = Seen::Latest;
            let settings = service.change_settings(&client, &folder, seen, &wanted)?;
            let change = before.to(&service, &client, &folder, &settings)?;
            (settings, Some((folder, change)))
        }
        SettingsCommand::Load { client, folder, file } => {
            let toml = read_text(&file)?;
            let before = Before::of(&service, &client, &folder)?;
            let settings = service.set_settings(&client, &folder, &toml)?;
            let change = before.to(&service, &client, &folder, &settings)?;
            (settings, Some((folder, change)))
        }
    };
    if place.out.is_json() {
        return place.out.json(&settings);
    }
    if let Some((folder, change)) = changed {
        let version = settings.version();
        return place.out.line(match change {
            Changed::Settings => format!("Settings of {folder} changed, version {version}."),
            Changed::Words => format!(
                "Only the words of the document changed; the settings of {folder} are what they were, version {version}."
            ),
            Changed::Nothing => {
                format!("Nothing was changed: the settings of {folder} are so already, version {version}.")
            }
        });
    }
    place.out.bytes(settings.to_toml().as_bytes())
}

/// What a command made of a settings document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Changed {
    /// Something counts otherwise now.
    Settings,
    /// The same settings in other words: comments, order, what is left out.
    Words,
    Nothing,
}

/// A folder's settings before a command; `None` for those that this version cannot read.
pub(super) struct Before {
    text: String,
    settings: Option<Settings>,
}

impl Before {
    pub(super) fn of(service: &Service, client: &str, folder: &str) -> Outcome<Self> {
        let text = service.settings_document(client, folder)?.text;
        let settings = Settings::from_toml(&text).ok();
        Ok(Self { text, settings })
    }

    /// What has become of them.
    pub(super) fn to(
        &self,
        service: &Service,
        client: &str,
        folder: &str,
        now: &Settings,
    ) -> Outcome<Changed> {
        if self.settings.as_ref() != Some(now) {
            return Ok(Changed::Settings);
        }
        let same = service.settings_document(client, folder)?.text == self.text;
        Ok(if same { Changed::Nothing } else { Changed::Words })
    }
}

/// `a.b.c=value`; the value as TOML, or as plain text where that is no TOML.
fn change(change: &str) -> Outcome<Change> {
    let refused = |why: &str| {
        let words = format!("\"{change}\": {why}; write KEY=VALUE, for example mode=delta");
        Error::new(Kind::Invalid, words)
    };
    let (path, raw) = change.split_once('=').ok_or_else(|| refused("there is no \"=\""))?;
    let path: Vec<String> = path.trim().split('.').map(str::to_owned).collect();
    if path.iter().any(String::is_empty) {
        return Err(refused("there is no key").into());
    }
    Ok(Change { path, value: Some(value(raw.trim())) })
}

/// Sets `a.b.c=value` in a table that is no settings document (an export's).
pub(super) fn apply(table: &mut toml::Table, text: &str) -> Outcome {
    let change = change(text)?;
    let Some((last, levels)) = change.path.split_last() else { return Ok(()) };
    let mut place = table;
    for level in levels {
        let next = place.entry(level).or_insert_with(|| toml::Value::Table(toml::Table::new()));
        place = next.as_table_mut().ok_or_else(|| {
            Error::new(Kind::Invalid, format!("\"{text}\": \"{level}\" is a single value"))
        })?;
    }
    if let Some(value) = change.value {
        place.insert(last.clone(), value);
    }
    Ok(())
}

/// `absent=report` after `absent=end` would leave `absent_after` behind, which then has no meaning.
fn stray_count(changes: &[Change]) -> Option<Change> {
    let sets = |name: &str| {
        let mut found = changes.iter().rev().filter(|change| change.path == [name]);
        found.next().and_then(|change| change.value.as_ref())
    };
    let ends = sets("absent").is_none_or(|policy| policy.as_str() == Some("end"));
    (!ends && sets("absent_after").is_none()).then(|| Change::of("absent_after", None))
}

fn value(raw: &str) -> toml::Value {
    let line = format!("v = {raw}");
    let parsed: Option<toml::Table> = line.parse().ok();
    parsed.and_then(|mut t| t.remove("v")).unwrap_or_else(|| toml::Value::String(raw.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::settings::edit;

    fn check(start: &str, text: &str, expected: &str) {
        let edited = edit(start, &[change(text).unwrap()]).unwrap();
        let table: toml::Table = edited.parse().unwrap();
        assert_eq!(table, expected.parse::<toml::Table>().unwrap(), "{text}");
    }

    #[test]
    fn single_settings_are_changed_in_place() {
        check("mode = 'full'", "mode=delta", "mode = 'delta'");
        check("", "report.markers=true", "[report]\nmarkers = true");
        check("[blanks]\na='keep'", "blanks.phone=clear", "[blanks]\na='keep'\nphone='clear'");
        check("", "required=[\"last_name\"]", "required = ['last_name']");
        check("", "guards.endings.count=20", "[guards.endings]\ncount = 20");
        check("[guards]\nendings='off'", "guards.endings.count=2", "[guards.endings]\ncount = 2");
        check("[guards.endings]\ncount = 2", "guards.endings=off", "[guards]\nendings='off'");
    }

    #[test]
    fn the_number_of_files_goes_with_the_policy() {
        let strays = |changes: &[&str]| {
            let changes: Vec<Change> = changes.iter().map(|c| change(c).unwrap()).collect();
            stray_count(&changes).is_some()
        };
        assert!(!strays(&["mode=full"]), "not touched");
        assert!(!strays(&["absent=end"]));
        assert!(strays(&["absent=report"]));
        assert!(!strays(&["absent=report", "absent_after=3"]), "refused with its own words");
    }

    #[test]
    fn what_is_no_change_is_said() {
        assert!(change("mode").is_err());
        assert!(change("=x").is_err());
        let mut table: toml::Table = "mode = 'full'".parse().unwrap();
        assert!(apply(&mut table, "mode.deep=1").is_err());
    }
}
