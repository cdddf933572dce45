//! How files are fetched from the client's own server.

use toml::Value;

use crate::import::settings::document::{Document, quoted};
use crate::import::settings::read::{Read, choice, table, text, wrong};
use crate::schedule::Trigger;

/// How files are fetched from the client's own server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch {
    /// When the folder is looked at; `None`: only by command.
    pub trigger: Option<Trigger>,
    /// How a file is known to be complete.
    pub ready: Ready,
    /// How long a file must have kept its size and time.
    pub settle_s: u32,
    /// How long ago a file must have been changed last, by the server's own time.
    pub min_age_minutes: u32,
    /// What becomes of a file that was fetched.
    pub after: After,
}

/// How a file is known to be complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ready {
    /// It has the same size and time at two looks.
    Stable,
    /// A file with this ending lies beside it: `users.csv.ok` or `users.ok`.
    Companion(String),
}

/// What becomes of a file that was fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// It stays.
    Leave,
    /// It is moved into the folder `archive` beside it.
    Archive,
    /// It is deleted.
    Delete,
}

const AFTER: [(&str, After); 3] =
    [("leave", After::Leave), ("archive", After::Archive), ("delete", After::Delete)];
const EXAMPLE: &str = "[fetch] with the line trigger = \"every 15 minutes\"";
/// No trigger: only by command.
const MANUAL: &str = "manual";
const COMPANION: &str = ".ok";

impl Default for Fetch {
    fn default() -> Self {
        Self {
            trigger: Some(Trigger::Every { minutes: 15 }),
            ready: Ready::Stable,
            settle_s: 30,
            min_age_minutes: 0,
            after: After::Leave,
        }
    }
}

impl Fetch {
    pub(super) fn read(value: &Value) -> Read<Self> {
        let mut fetch = Self::default();
        let mut ending = None;
        let mut by_companion = false;
        for (name, value) in table("fetch", value, EXAMPLE)? {
            match name.as_str() {
                "trigger" => fetch.trigger = trigger(value)?,
                "ready" => {
                    by_companion =
                        choice("fetch.ready", value, &[("stable", false), ("companion", true)])?;
                }
                "companion" => ending = Some(companion(value)?),
                "settle_s" => fetch.settle_s = number(name, value, 1..=600, "30")?,
                "min_age_minutes" => {
                    fetch.min_age_minutes = number(name, value, 0..=44_640, "5")?;
                }
                "after" => fetch.after = choice("fetch.after", value, &AFTER)?,
                _ => {
                    return Err(format!(
                        "fetch.{name} is not a setting; there are: trigger, ready, companion, settle_s, \
                         min_age_minutes, after"
                    ));
                }
            }
        }
        match (by_companion, ending) {
            (true, ending) => {
                fetch.ready = Ready::Companion(ending.unwrap_or_else(|| COMPANION.to_owned()));
            }
            (false, Some(_)) => {
                return Err(
                    "fetch.companion has no meaning without fetch.ready = \"companion\"".to_owned()
                );
            }
            (false, None) => {}
        }
        Ok(fetch)
    }

    pub(super) fn write(&self, doc: &mut Document) {
        doc.line("# Only for accounts on the client's own server: how files are fetched (docs/exchange.md).");
        doc.line("[fetch]");
        doc.line("# When the folder is looked at: \"every 15 minutes\" (default), \"daily 23:30\", \"cron 0 23 * * mon-fri\"; \"manual\":");
        doc.line("# only by `rollcall fetch`.");
        let trigger = self.trigger.as_ref().map_or_else(|| MANUAL.to_owned(), Trigger::to_string);
        doc.line(&format!("trigger = {}", quoted(&trigger)));
        doc.line("# When a file is complete: \"stable\" (default), it kept its size and time for settle_s seconds; \"companion\",");
        doc.line(
            "# a new file users.csv.ok or users.ok lies beside it (companion = another ending).",
        );
        match &self.ready {
            Ready::Stable => {
                doc.line("ready = \"stable\"");
                doc.line(&format!("# companion = {}", quoted(COMPANION)));
            }
            Ready::Companion(ending) => {
                doc.line("ready = \"companion\"");
                doc.line(&format!("companion = {}", quoted(ending)));
            }
        }
        doc.line("# How long a file must have kept its size and time, in seconds (default: 30).");
        doc.line(&format!("settle_s = {}", self.settle_s));
        doc.line("# How long ago a file must have been changed last, in minutes (default: 0).");
        doc.line(&format!("min_age_minutes = {}", self.min_age_minutes));
        let after = AFTER.iter().find(|(_, after)| *after == self.after).map_or("leave", |a| a.0);
        doc.setting(
            &["What becomes of a fetched file: \"leave\" (default), \"archive\" (moved into the folder archive/), \"delete\"."],
            &format!("after = {}", quoted(after)),
        );
    }
}

fn number(
    name: &str,
    value: &Value,
    possible: std::ops::RangeInclusive<u32>,
    example: &str,
) -> Read<u32> {
    let number = value.as_integer().and_then(|n| u32::try_from(n).ok());
    number.filter(|n| possible.contains(n)).ok_or_else(|| {
        let (least, most) = (possible.start(), possible.end());
        format!("{} (from {least} to {most})", wrong(&format!("fetch.{name}"), value, example))
    })
}

fn trigger(value: &Value) -> Read<Option<Trigger>> {
    let text = text("fetch.trigger", value, "\"every 15 minutes\"")?;
    if text.eq_ignore_ascii_case(MANUAL) {
        return Ok(None);
    }
    match Trigger::parse(text) {
        Ok(Trigger::Upload) => Err(format!(
            "fetch.trigger = {value} is not possible: nobody tells us of a file on another server; write for example \
             fetch.trigger = \"every 15 minutes\", or \"manual\""
        )),
        Ok(trigger) => Ok(Some(trigger)),
        Err(problem) => Err(format!("fetch.trigger = {value} is not possible: {problem}")),
    }
}

fn companion(value: &Value) -> Read<String> {
    let ending = text("fetch.companion", value, "\".ok\"")?;
    let good = ending.len() <= 32
        && ending.strip_prefix('.').is_some_and(|rest| {
            !rest.is_empty() && rest.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        });
    if good { Ok(ending.to_owned()) } else { Err(wrong("fetch.companion", value, "\".ok\"")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(
        clippy::unwrap_in_result,
        reason = "a helper that fails ends the test, with its place"
    )]
    fn read(text: &str) -> Read<Fetch> {
        Fetch::read(&Value::Table(text.parse().unwrap()))
    }

    #[test]
    fn what_is_written_is_read_again() {
        for text in [
            "",
            "trigger = \"manual\"",
            "trigger = \"daily 23:30 mon-fri\"",
            "ready = \"companion\"",
            "ready = \"companion\"\ncompanion = \".done\"\nafter = \"delete\"\nsettle_s = 5",
            "after = \"archive\"\nmin_age_minutes = 10",
        ] {
            let fetch = read(text).unwrap();
            let mut doc = Document::new();
            fetch.write(&mut doc);
            let table: toml::Table = doc.finish().parse().unwrap();
            assert_eq!(Fetch::read(&table["fetch"]).unwrap(), fetch, "{text}");
        }
        assert_eq!(read("ready = \"companion\"").unwrap().ready, Ready::Companion(".ok".into()));
    }

    #[test]
    fn a_bad_value_is_refused_with_a_right_one() {
        for (text, words) in [
            ("trigger = 15", "fetch.trigger = \"every 15 minutes\""),
            ("trigger = \"upload\"", "every 15 minutes"),
            ("trigger = \"daily 25:00\"", "fetch.trigger"),
            ("settle_s = 0", "fetch.settle_s = 30"),
            ("ready = \"soon\"", "stable"),
            ("ready = \"companion\"\ncompanion = \"ok\"", "fetch.companion = \".ok\""),
            ("ready = \"companion\"\ncompanion = \"./ok\"", "fetch.companion = \".ok\""),
            ("companion = \".ok\"", "fetch.ready"),
            ("after = \"burn\"", "archive"),
            ("befor = \"x\"", "there are: trigger"),
        ] {
            let problem = read(text).unwrap_err();
            assert!(problem.contains(words), "{text}: {problem}");
        }
    }
}
