//! When a received file is imported, and when one is expected.

use jiff::civil::Time;
use toml::Value;

use crate::import::settings::document::{Document, quoted};
use crate::import::settings::read::{Read, table, text, wrong};
use crate::schedule::{Days, Trigger, clock_time, time_of_day};

/// When a received file is imported, and when one is expected.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Schedule {
    /// What makes the import of a received file due.
    pub trigger: Trigger,
    /// When files are expected; none: nobody is warned.
    pub expected: Option<Expected>,
}

/// When files are expected, in the client's time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// A file has come by this hour (else alarm T05).
    pub by: Option<Time>,
    /// On these days.
    pub days: Days,
    /// The newest import is not older than so many days (else alarm T06).
    pub stale_after_days: Option<u16>,
}

impl Expected {
    /// The hours by which a file has come; `None`: no hour is set.
    #[must_use]
    pub fn deadline(&self) -> Option<Trigger> {
        self.by.map(|at| Trigger::Daily { at, days: self.days })
    }
}

/// An hour as text. TOML has a type of its own for one that stands without quotes, and `settings set` reads it so.
fn hour(value: &Value) -> Read<String> {
    match value {
        Value::Datetime(at) => {
            let text = at.to_string();
            Ok(text
                .strip_suffix(":00")
                .filter(|short| short.contains(':'))
                .unwrap_or(&text)
                .to_owned())
        }
        _ => text("expected.by", value, "\"08:00\"").map(str::to_owned),
    }
}

const TABLE_EXAMPLE: &str = "[expected] with the line by = \"08:00\"";

impl Schedule {
    pub(super) fn read_trigger(&mut self, value: &Value) -> Read<()> {
        let text = text("trigger", value, "\"daily 23:30\"")?;
        self.trigger = Trigger::parse(text)
            .map_err(|problem| format!("trigger = {value} is not possible: {problem}"))?;
        Ok(())
    }

    pub(super) fn read_expected(&mut self, value: &Value) -> Read<()> {
        let mut expected = Expected { by: None, days: Days::WORKING, stale_after_days: None };
        for (name, value) in table("expected", value, TABLE_EXAMPLE)? {
            let problem = |why| format!("expected.{name} = {value} is not possible: {why}");
            match name.as_str() {
                "by" => {
                    expected.by = Some(time_of_day(&hour(value)?).map_err(problem)?);
                }
                "days" => {
                    let days = text("expected.days", value, "\"mon-fri\"")?;
                    expected.days = Days::parse(days).map_err(problem)?;
                }
                "stale_after_days" => {
                    let days = value.as_integer().and_then(|days| u16::try_from(days).ok());
                    let days = days.filter(|days| (1..=3660).contains(days));
                    let days =
                        days.ok_or_else(|| wrong("expected.stale_after_days", value, "35"))?;
                    expected.stale_after_days = Some(days);
                }
                _ => {
                    return Err(format!(
                        "expected.{name} is not a setting; there are: by, days, stale_after_days"
                    ));
                }
            }
        }
        if expected.by.is_none() && expected.stale_after_days.is_none() {
            return Err(format!(
                "[expected] has neither by nor stale_after_days; write for example {TABLE_EXAMPLE}"
            ));
        }
        self.expected = Some(expected);
        Ok(())
    }

    pub(super) fn write_trigger(&self, doc: &mut Document) {
        doc.setting(
            &[
                "When an upload is imported. \"upload\" (default): at once. In the client's time zone: \"daily 23:30\",",
                "\"daily 23:30 mon-fri\", \"every 15 minutes\", or a cron line, \"cron 0 6,18 * * mon-sat\".",
            ],
            &format!("trigger = {}", quoted(&self.trigger.to_string())),
        );
    }

    pub(super) fn write_expected(&self, doc: &mut Document) {
        let Some(expected) = &self.expected else {
            doc.setting(
                &[
                    "Warn when no file has come by an hour of the client's working days (T05), or no import for so many days (T06).",
                    "[expected]",
                    "by = \"08:00\"",
                    "days = \"mon-fri\"",
                ],
                "# stale_after_days = 35",
            );
            return;
        };
        doc.line("# When files are expected: by which hour of which days (T05), how old the newest import may be (T06).");
        doc.line("[expected]");
        if let Some(by) = expected.by {
            doc.line(&format!("by = {}", quoted(&clock_time(by))));
        }
        doc.line(&format!("days = {}", quoted(&expected.days.to_string())));
        if let Some(days) = expected.stale_after_days {
            doc.line(&format!("stale_after_days = {days}"));
        }
        doc.line("");
    }
}

#[cfg(test)]
mod tests {
    use crate::import::settings::Settings;

    #[test]
    fn what_is_set_is_written_and_read_again() {
        for (toml, trigger, expected) in [
            ("", "trigger = \"upload\"", ""),
            ("trigger = \"daily 7:30\"", "trigger = \"daily 07:30\"", ""),
            ("trigger = \"cron 0 6,18 * * mon-sat\"", "trigger = \"cron 0 6,18 * * mon-sat\"", ""),
            ("[expected]\nby = \"08:00\"", "", "[expected]\nby = \"08:00\"\ndays = \"mon-fri\"\n"),
            ("[expected]\nby = 08:00:00", "", "[expected]\nby = \"08:00\"\ndays = \"mon-fri\"\n"),
            (
                "[expected]\ndays = \"mon,sun\"\nstale_after_days = 35",
                "",
                "[expected]\ndays = \"mon,sun\"\nstale_after_days = 35\n",
            ),
        ] {
            let settings = Settings::from_toml(toml).unwrap();
            let written = settings.to_toml();
            assert!(written.contains(trigger) && written.contains(expected), "{written}");
            assert_eq!(Settings::from_toml(&written).unwrap(), settings, "{toml}");
            // Nothing of it changes a plan: the same file is not imported again for it.
            assert_eq!(settings.version(), Settings::default().version(), "{toml}");
        }
    }

    #[test]
    fn what_is_wrong_is_refused_with_the_setting_and_an_example() {
        for (toml, parts) in [
            ("trigger = \"nightly\"", ["trigger = \"nightly\"", "daily 23:30"]),
            ("trigger = 5", ["trigger = 5", "daily 23:30"]),
            ("trigger = \"\"", ["trigger = \"\"", "daily 23:30"]),
            ("trigger = \"cron 0 23 30 2 *\"", ["trigger = ", "never comes"]),
            ("expected = 5", ["expected = 5", "by = \"08:00\""]),
            ("[expected]", ["neither by nor stale_after_days", "by = \"08:00\""]),
            ("[expected]\ndays = \"mon-fri\"", ["neither by nor", "by = \"08:00\""]),
            ("[expected]\nby = \"8 Uhr\"", ["expected.by = \"8 Uhr\"", "23:30"]),
            ("[expected]\nby = 2026-11-22", ["expected.by = 2026-11-22", "23:30"]),
            ("[expected]\nby = \"08:00\"\ndays = \"lundi\"", ["expected.days", "mon-fri"]),
            ("[expected]\nstale_after_days = 0", ["expected.stale_after_days = 0", "= 35"]),
            ("[expected]\nuntil = \"08:00\"", ["expected.until", "by, days, stale_after_days"]),
        ] {
            let problem = Settings::from_toml(toml).unwrap_err();
            for part in parts {
                assert!(problem.contains(part), "{toml}: {problem}");
            }
        }
    }
}
