//! `settings …`: the import settings of an import folder, as TOML.

use std::path::PathBuf;

use clap::Subcommand;

use super::{Outcome, Place, read_text};
use crate::error::{Error, Kind};

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
            let now = service.settings(&client, &folder)?.to_toml();
            let mut table = parse(&now)?;
            for change in &changes {
                apply(&mut table, change)?;
            }
            drop_stray_count(&mut table, &changes);
            let toml = table.to_string();
            (service.set_settings(&client, &folder, &toml)?, Some(folder))
        }
        SettingsCommand::Load { client, folder, file } => {
            let toml = read_text(&file)?;
            (service.set_settings(&client, &folder, &toml)?, Some(folder))
        }
    };
    if place.out.is_json() {
        return place.out.json(&settings);
    }
    if let Some(folder) = changed {
        return place
            .out
            .line(format!("Settings of {folder} changed, version {}.", settings.version()));
    }
    place.out.bytes(settings.to_toml().as_bytes())
}

fn parse(toml: &str) -> Outcome<toml::Table> {
    toml.parse()
        .map_err(|e| Error::caused(Kind::Internal, format!("stored settings: {e}"), e).into())
}

/// Sets `a.b.c=value` in the table; the value as TOML, or as plain text where that is no TOML.
pub(super) fn apply(table: &mut toml::Table, change: &str) -> Outcome {
    let refused = |why: &str| {
        let words = format!("\"{change}\": {why}; write KEY=VALUE, for example mode=delta");
        Error::new(Kind::Invalid, words)
    };
    let (path, raw) = change.split_once('=').ok_or_else(|| refused("there is no \"=\""))?;
    let mut keys: Vec<&str> = path.trim().split('.').collect();
    let last = keys.pop().filter(|k| !k.is_empty()).ok_or_else(|| refused("there is no key"))?;
    let mut place = table;
    for key in keys {
        let level = place.entry(key).or_insert_with(|| toml::Value::Table(toml::Table::new()));
        // A limit that was switched off is switched on by its parts.
        if level.as_str() == Some("off") {
            *level = toml::Value::Table(toml::Table::new());
        }
        place =
            level.as_table_mut().ok_or_else(|| refused(&format!("\"{key}\" is a single value")))?;
    }
    place.insert(last.to_owned(), value(raw.trim()));
    Ok(())
}

/// `absent=report` after `absent=end` would leave `absent_after` behind, which then has no meaning.
fn drop_stray_count(table: &mut toml::Table, changes: &[String]) {
    let sets = |key: &str| {
        changes.iter().filter_map(|c| c.split_once('=')).any(|(name, _)| name.trim() == key)
    };
    let ends = table.get("absent").and_then(toml::Value::as_str) == Some("end");
    if sets("absent") && !ends && !sets("absent_after") {
        table.remove("absent_after");
    }
}

fn value(raw: &str) -> toml::Value {
    let line = format!("v = {raw}");
    let parsed: Option<toml::Table> = line.parse().ok();
    parsed.and_then(|mut t| t.remove("v")).unwrap_or_else(|| toml::Value::String(raw.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(start: &str, change: &str, expected: &str) {
        let mut table: toml::Table = start.parse().unwrap();
        apply(&mut table, change).unwrap();
        assert_eq!(table, expected.parse::<toml::Table>().unwrap(), "{change}");
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
        let mut table: toml::Table = "absent = 'report'\nabsent_after = 3".parse().unwrap();
        drop_stray_count(&mut table, &["mode=full".to_owned()]);
        assert!(table.contains_key("absent_after"), "not touched");
        drop_stray_count(&mut table, &["absent=report".to_owned()]);
        assert!(!table.contains_key("absent_after"));
    }

    #[test]
    fn what_is_no_change_is_said() {
        let mut table = toml::Table::new();
        assert!(apply(&mut table, "mode").is_err());
        assert!(apply(&mut table, "=x").is_err());
        let mut table: toml::Table = "mode = 'full'".parse().unwrap();
        assert!(apply(&mut table, "mode.deep=1").is_err());
    }
}
