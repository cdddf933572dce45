//! Reading the configuration: one TOML file, then the environment over it; every error names its setting.

use std::path::Path;

use toml::{Table, Value};

use super::{Config, check, keys};
use crate::error::{Error, Kind, Result};

/// The file that is read when none is named.
const DEFAULT_FILE: &str = "rollcall.toml";
/// What the names of overrides begin with.
const PREFIX: &str = "ROLLCALL_";

/// A setting's place (`limits.reply_wait_s`), its value and where that came from.
struct Setting {
    key: Vec<String>,
    value: Value,
    origin: String,
}

impl Config {
    /// Reads the configuration: the file (`None`: `rollcall.toml` if it is there), then `ROLLCALL_SECTION__KEY` from the environment.
    ///
    /// # Errors
    /// `Kind::NotFound` for a named file that is not there; `Kind::Invalid` with place, value and a right example.
    pub fn load(path: Option<&Path>) -> Result<Self> {
        let file = path.unwrap_or(Path::new(DEFAULT_FILE));
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(e) if path.is_none() && e.kind() == std::io::ErrorKind::NotFound => String::new(),
            // Whether there is one cannot even be asked: it is not passed over.
            Err(e) if path.is_none() && is_behind_closed_doors(file) => {
                return Err(closed(file, e));
            }
            Err(e) => {
                return Err(Error::io(format!("read the configuration {}", file.display()), e));
            }
        };
        let environment = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        Self::read(&file.display().to_string(), &text, environment)
    }

    /// The same from texts.
    fn read(
        file: &str,
        text: &str,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self> {
        let table: Table = text.parse().map_err(|e: toml::de::Error| syntax(file, text, &e))?;
        let mut settings = Vec::new();
        flatten(file, table, &mut settings)?;
        let hosts: Vec<String> = settings
            .iter()
            .filter(|s| s.key.first().is_some_and(|section| section == "hosts"))
            .filter_map(|s| s.key.get(1).cloned())
            .collect();
        for (name, value) in environment {
            settings.extend(from_environment(&name, &value, &hosts)?);
        }
        let mut whole = Table::new();
        for setting in &settings {
            let one = nested(&setting.key, setting.value.clone());
            // Each alone first, so that an error can name it.
            Self::try_from_table(one.clone()).map_err(|problem| refuse(setting, &problem))?;
            merge(&mut whole, one);
        }
        let config = Self::try_from_table(whole)
            .map_err(|problem| Error::new(Kind::Invalid, format!("{file}: {problem}")))?;
        check::check(&config).map_err(|wrong| {
            // The last one given is the one that counts.
            let given = settings.iter().rfind(|s| s.key.join(".") == wrong.key);
            let origin = given.map_or("the defaults", |s| s.origin.as_str());
            let message = format!("{origin}: {} {}", wrong.key, wrong.problem);
            Error::new(Kind::Invalid, message)
        })?;
        Ok(config)
    }

    fn try_from_table(table: Table) -> std::result::Result<Self, String> {
        Value::Table(table).try_into().map_err(|e: toml::de::Error| e.message().to_owned())
    }
}

/// Whether the folder of the file cannot be entered; a file there that cannot be read is something else.
fn is_behind_closed_doors(file: &Path) -> bool {
    std::fs::metadata(file).is_err_and(|e| e.kind() == std::io::ErrorKind::PermissionDenied)
}

/// Root's home, mostly, from which a command was started as the server's user.
fn closed(file: &Path, error: std::io::Error) -> Error {
    let message = format!(
        "the current folder is closed to this user, so {} cannot be looked for in it: go to another folder (cd /), or name the configuration (--config FILE or ROLLCALL_CONFIG)",
        file.display()
    );
    Error::caused(Kind::Denied, message, error)
}

/// The file is not TOML: says where.
fn syntax(file: &str, text: &str, error: &toml::de::Error) -> Error {
    let before = error.span().and_then(|span| text.get(..span.start));
    let line = before.map_or(1, |before| before.matches('\n').count() + 1);
    let content = text.lines().nth(line - 1).unwrap_or_default().trim();
    let message = format!(
        "{file}, line {line}: \"{content}\" is not TOML ({}); write for example: listen = \"[::]:2022\"",
        error.message().replace('\n', " ")
    );
    Error::new(Kind::Invalid, message)
}

/// The settings of a file, one by one; unknown sections and keys are refused.
fn flatten(file: &str, table: Table, settings: &mut Vec<Setting>) -> Result<()> {
    for (section, value) in table {
        if section == "hooks" {
            push(settings, Setting { key: vec![section], value, origin: file.to_owned() })?;
            continue;
        }
        let Value::Table(inside) = value else {
            let known = keys::sections().join("], [");
            let message = format!(
                "{file}: \"{section}\" stands outside a section; the sections are [{known}]"
            );
            return Err(Error::new(Kind::Invalid, message));
        };
        for (name, value) in inside {
            let key = vec![section.clone(), name];
            match value {
                Value::Table(host) if section == "hosts" => {
                    for (name, value) in host {
                        let key = key.iter().cloned().chain([name]).collect();
                        push(settings, Setting { key, value, origin: file.to_owned() })?;
                    }
                }
                value => push(settings, Setting { key, value, origin: file.to_owned() })?,
            }
        }
    }
    Ok(())
}

fn push(settings: &mut Vec<Setting>, setting: Setting) -> Result<()> {
    if keys::example(&setting.key).is_some() {
        settings.push(setting);
        return Ok(());
    }
    let key = setting.key.join(".");
    let hint = keys::closest(&key).map(|near| format!("; did you mean {near}?"));
    let message = format!(
        "{}: {key} is not a setting{}",
        setting.origin,
        hint.unwrap_or_else(|| "; docs/configuration.md lists all".to_owned())
    );
    Err(Error::new(Kind::Invalid, message))
}

/// The setting that an environment variable overrides; `None`: the variable is none of ours.
fn from_environment(name: &str, text: &str, hosts: &[String]) -> Result<Option<Setting>> {
    let Some(rest) = name.strip_prefix(PREFIX) else { return Ok(None) };
    let origin = format!("environment variable {name}");
    if !rest.contains("__") {
        let meant =
            keys::all().into_iter().find(|key| key.replace('.', "_") == rest.to_lowercase());
        return match meant {
            Some(key) => {
                let right = keys::environment(&key);
                let message =
                    format!("{origin}: write two underscores between the levels: {right}");
                Err(Error::new(Kind::Invalid, message))
            }
            None => Ok(None),
        };
    }
    let mut key: Vec<String> = rest.split("__").map(str::to_lowercase).collect();
    if let [section, host, _] = key.as_mut_slice()
        && section == "hosts"
    {
        // Variables cannot hold "-": HOSTS__E_PAYE means the profile "e-paye".
        let written = |name: &&str| name.replace('-', "_") == *host;
        let known = hosts.iter().map(String::as_str).chain(["standard", "e-paye", "mprh"]);
        let name = { known }.find(written).map_or_else(|| host.replace('_', "-"), str::to_owned);
        *host = name;
    }
    let value = match keys::example(&key) {
        Some(Value::String(_)) | None => Value::String(text.to_owned()),
        Some(Value::Array(_)) if !text.trim_start().starts_with('[') => {
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            Value::Array(parts.map(Value::from).collect())
        }
        // What is no TOML value goes on as text: the refusal then shows it.
        Some(_) => format!("value = {text}")
            .parse::<Table>()
            .ok()
            .and_then(|mut table| table.remove("value"))
            .unwrap_or_else(|| Value::String(text.to_owned())),
    };
    let mut checked = Vec::new();
    push(&mut checked, Setting { key, value, origin })?;
    Ok(checked.pop())
}

fn refuse(setting: &Setting, problem: &str) -> Error {
    let key = setting.key.join(".");
    let name = setting.key.last().map_or("", String::as_str);
    let example = keys::example(&setting.key).map(|value| format!("{name} = {value}"));
    // Secrets stay out of terminals and logs.
    let value = match key.as_str() {
        "hooks" | "mail.password" => "not acceptable".to_owned(),
        _ => setting.value.to_string(),
    };
    let message = format!(
        "{}: {key} is {}: {}; write for example: {}",
        setting.origin,
        value,
        problem.lines().next().unwrap_or_default(),
        example.unwrap_or_default()
    );
    Error::new(Kind::Invalid, message)
}

/// A table that holds one value at this place.
fn nested(key: &[String], value: Value) -> Table {
    let mut value = value;
    for name in key.iter().rev() {
        value = Value::Table(Table::from_iter([(name.clone(), value)]));
    }
    match value {
        Value::Table(table) => table,
        _ => Table::new(),
    }
}

/// Lays `over` over `table`: sections are joined, and so are host profiles; a setting is replaced whole.
fn merge(table: &mut Table, over: Table) {
    for (name, value) in over {
        match (table.get_mut(&name), value) {
            (Some(Value::Table(old)), Value::Table(new)) if name != "settings" => merge(old, new),
            (_, value) => drop(table.insert(name, value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Protocol;

    fn read(text: &str, environment: &[(&str, &str)]) -> Result<Config> {
        let environment = environment.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
        Config::read("rollcall.toml", text, environment)
    }

    #[test]
    fn the_environment_stands_over_the_file_and_the_file_over_the_defaults() {
        let file = "[sftp]\nlisten = '0.0.0.0:22'\ncompat = true\n[limits]\nreply_wait_s = 7\n\
                    [hosts.own]\npublic_host = 'a.example.com'\n";
        let config = read(
            file,
            &[
                ("ROLLCALL_SFTP__LISTEN", "127.0.0.1:0"),
                ("ROLLCALL_FTPS__PASSIVE_HOST", "203.0.113.9"),
                ("ROLLCALL_FTPS__RESUMPTION", "require"),
                ("ROLLCALL_LIMITS__MAX_CONNECTIONS", "50"),
                ("ROLLCALL_HOSTS__E_PAYE__PROTOCOLS", "sftp, ftpes"),
                ("ROLLCALL_HOSTS__OWN__SETTINGS", "{ mode = \"delta\" }"),
                ("ROLLCALL_CONFIG", "elsewhere.toml"),
                ("ROLLCALL_TEST_SOMETHING", "x"),
                ("PATH", "/bin"),
            ],
        )
        .unwrap();
        assert_eq!(config.sftp.listen, "127.0.0.1:0");
        assert!(config.sftp.compat);
        assert_eq!(config.ftps.passive_host.as_deref(), Some("203.0.113.9"));
        assert_eq!(config.ftps.resumption, super::super::Resumption::Require);
        assert_eq!((config.limits.reply_wait_s, config.limits.max_connections), (7, 50));
        assert_eq!(
            config.profile("e-paye").unwrap().protocols(),
            [Protocol::Sftp, Protocol::Ftpes]
        );
        let own = config.profile("own").unwrap();
        assert_eq!(own.public_host.as_deref(), Some("a.example.com"));
        assert_eq!(own.settings["mode"].as_str(), Some("delta"));
        assert_eq!(read("", &[]).unwrap(), Config::default());
    }

    #[test]
    fn every_setting_can_be_overridden_by_its_environment_name() {
        for key in keys::all() {
            let example = keys::example(&key.split('.').map(str::to_owned).collect::<Vec<_>>());
            let text = match example.unwrap() {
                Value::String(text) => text,
                other => other.to_string(),
            };
            let name = keys::environment(&key);
            read("", &[(&name, &text)]).unwrap_or_else(|e| panic!("{name}={text}: {e}"));
        }
    }

    #[test]
    fn errors_name_place_value_and_a_right_example() {
        for (file, environment, expected) in [
            (
                "[limits]\nreply_wait_s = 'soon'\n",
                [("A", "")],
                "rollcall.toml: limits.reply_wait_s is \"soon\": invalid type: string \"soon\", \
                 expected u64; write for example: reply_wait_s = 3",
            ),
            (
                "[limits]\nreply_wait = 3\n",
                [("A", "")],
                "rollcall.toml: limits.reply_wait is not a setting; did you mean limits.reply_wait_s?",
            ),
            (
                "",
                [("ROLLCALL_FTPS__RESUMPTION", "maybe")],
                "environment variable ROLLCALL_FTPS__RESUMPTION: ftps.resumption is \"maybe\": unknown \
                 variant `maybe`, expected one of `prefer`, `require`, `off`; write for example: \
                 resumption = \"prefer\"",
            ),
            (
                "",
                [("ROLLCALL_SFTP_LISTEN", "x")],
                "environment variable ROLLCALL_SFTP_LISTEN: write two underscores between the \
                 levels: ROLLCALL_SFTP__LISTEN",
            ),
            (
                "[sftp]\nlisten = 2022\n",
                [("A", "")],
                "rollcall.toml: sftp.listen is 2022: invalid type: integer `2022`, expected a \
                 string; write for example: listen = \"[::]:2022\"",
            ),
            (
                "[sftp]\nlisten = [::]:2022\n",
                [("A", "")],
                "rollcall.toml, line 2: \"listen = [::]:2022\" is not TOML",
            ),
            (
                "[ftps]\nexplicit = '2121'\n",
                [("A", "")],
                "rollcall.toml: ftps.explicit is \"2121\": not an address with a port",
            ),
            ("listen = 'x'\n", [("A", "")], "\"listen\" stands outside a section"),
            (
                "[hosts.x]\nfolders = [{ name = 'a', path = '/a', purpose = 'inport' }]\n",
                [("A", "")],
                "unknown variant `inport`",
            ),
        ] {
            let message = read(file, &environment).unwrap_err().message().to_owned();
            assert!(message.contains(expected), "{message}\nexpected: {expected}");
        }
    }

    #[test]
    fn the_documentation_names_every_limit_that_may_be_0() {
        let page = include_str!("../../docs/configuration.md");
        let told =
            page.split_once("\n`0` means ").unwrap().1.split("all other limits").next().unwrap();
        for key in keys::all() {
            let Some(name) = key.strip_prefix("limits.") else { continue };
            let taken = read(&format!("[limits]\n{name} = 0\n"), &[]).is_ok();
            assert_eq!(taken, told.contains(&format!("`{name}`")), "{name} = 0 is taken: {taken}");
        }
    }

    #[test]
    fn the_largest_numbers_are_taken_or_refused_in_words() {
        let mut numbers = 0;
        for key in keys::all() {
            let (section, name) = key.split_once('.').unwrap();
            let parts: Vec<String> = key.split('.').map(str::to_owned).collect();
            let Some(Value::Integer(_)) = keys::example(&parts) else { continue };
            numbers += 1;
            for most in [u32::MAX.to_string(), i64::MAX.to_string(), u64::MAX.to_string()] {
                let Err(refused) = read(&format!("[{section}]\n{name} = {most}\n"), &[]) else {
                    continue;
                };
                let message = refused.message();
                assert!(message.contains(name) && message.contains(&most), "{message}");
                assert!(
                    message.contains("use at ") || message.contains("write for example"),
                    "{message}"
                );
            }
            let unit = name.rsplit('_').next().unwrap();
            if ["s", "ms", "minutes", "hours", "days", "months"].contains(&unit)
                && !name.ends_with("_per_s")
            {
                let text = format!("[{section}]\n{name} = {}\n", i64::MAX);
                assert!(read(&text, &[]).is_err(), "{key} is a time without an end");
            }
        }
        assert!(numbers > 70, "{numbers}");
    }

    #[test]
    fn a_named_file_must_be_there() {
        let error = Config::load(Some(Path::new("/nowhere/rollcall.toml"))).unwrap_err();
        assert_eq!(error.kind(), Kind::NotFound);
        assert!(error.message().contains("/nowhere/rollcall.toml"));
    }
}
