//! When something is due: triggers in a client's time zone, and working days. Pure: the present is an argument.

mod cron;
mod days;
#[cfg(test)]
mod tests;
mod walk;

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;

pub use cron::Cron;
pub use days::Days;

/// The longest pause of [`Trigger::Every`], in minutes: a day.
const MAX_MINUTES: u32 = 24 * 60;

/// What makes something due. Times are those of the client's clock; the shortest pause is a minute.
///
/// A time that a spring night skips is due at the first instant after the gap; one that an autumn night has twice is due
/// once, at its first. What comes every so many minutes, or in every hour, skips with the clock and comes in both passes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Trigger {
    /// The arrival itself: at once.
    #[default]
    Upload,
    /// Every so many minutes, counted from midnights of the client's clock.
    Every {
        /// 1 to 1,440.
        minutes: u32,
    },
    /// Once on each of these days.
    Daily {
        /// The time of day.
        at: Time,
        /// The days; as a rule all.
        days: Days,
    },
    /// As a cron line says.
    Cron(Cron),
}

impl Trigger {
    /// Reads `upload`, `every 15 minutes`, `daily 23:30`, `daily 23:30 mon-fri` or `cron 0 23 * * mon-fri`.
    ///
    /// # Errors
    /// What is wrong, with a right example.
    pub fn parse(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (kind, rest) = words.split_first().ok_or_else(unknown)?;
        match (kind.to_ascii_lowercase().as_str(), rest) {
            ("upload", []) => Ok(Self::Upload),
            ("every", rest) => every(rest),
            ("daily", [at]) => Ok(Self::Daily { at: time_of_day(at)?, days: Days::ALL }),
            ("daily", [at, days @ ..]) if !days.is_empty() => {
                Ok(Self::Daily { at: time_of_day(at)?, days: Days::parse(&days.join(""))? })
            }
            ("daily", _) => Err("a time is missing: \"daily 23:30\"".to_owned()),
            ("cron", rest) => Cron::parse(&rest.join(" ")).map(Self::Cron),
            _ => Err(unknown()),
        }
    }

    /// The first instant after `after`; `None` for [`Trigger::Upload`].
    #[must_use]
    pub fn next_after(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        walk::next_after(self, after, zone)
    }

    /// The last instant at or before `until`; `None` for [`Trigger::Upload`].
    #[must_use]
    pub fn last_until(&self, until: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        walk::last_until(self, until, zone)
    }

    /// When something that arrived is due: the first instant at or after its arrival. [`Trigger::Upload`]: at once.
    #[must_use]
    pub fn due_at(&self, arrived: Timestamp, zone: &TimeZone) -> Timestamp {
        match self {
            Self::Upload => arrived,
            _ if self.last_until(arrived, zone) == Some(arrived) => arrived,
            // A calendar that has come to its end holds nothing back.
            _ => self.next_after(arrived, zone).unwrap_or(arrived),
        }
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Upload => f.write_str("upload"),
            Self::Every { minutes: 1 } => f.write_str("every 1 minute"),
            Self::Every { minutes } => write!(f, "every {minutes} minutes"),
            Self::Daily { at, days } if *days == Days::ALL => {
                write!(f, "daily {}", clock_time(*at))
            }
            Self::Daily { at, days } => write!(f, "daily {} {days}", clock_time(*at)),
            Self::Cron(cron) => write!(f, "cron {cron}"),
        }
    }
}

/// A time of day as people write it: `08:05`.
#[must_use]
pub fn clock_time(at: Time) -> String {
    at.strftime("%H:%M").to_string()
}

/// Reads a time of day, `08:05` or `8:05`.
///
/// # Errors
/// What is wrong, with a right example.
pub fn time_of_day(text: &str) -> Result<Time, String> {
    let wrong = || format!("\"{text}\" is no time of day; write for example 23:30");
    let (hour, minute) = text.split_once(':').ok_or_else(wrong)?;
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if !(digits(hour) && digits(minute) && matches!(hour.len(), 1 | 2) && minute.len() == 2) {
        return Err(wrong());
    }
    if hour == "24" && minute == "00" {
        return Err(
            "24:00 is the next day's 00:00; write 00:00, or 23:59 for the same day".to_owned()
        );
    }
    let (hour, minute) = (hour.parse().map_err(|_| wrong())?, minute.parse().map_err(|_| wrong())?);
    Time::new(hour, minute, 0, 0).map_err(|_| wrong())
}

fn every(words: &[&str]) -> Result<Trigger, String> {
    let example = "write for example every 15 minutes";
    let [number, unit] = words else {
        return Err(format!("a number of minutes is missing; {example}"));
    };
    let count: u32 =
        number.parse().map_err(|_| format!("\"{number}\" is no whole number; {example}"))?;
    let factor = match unit.to_ascii_lowercase().as_str() {
        "minute" | "minutes" | "min" => 1,
        "hour" | "hours" | "h" => 60,
        _ => return Err(format!("\"{unit}\" is neither minutes nor hours; {example}")),
    };
    let minutes = count.saturating_mul(factor);
    if !(1..=MAX_MINUTES).contains(&minutes) {
        return Err(format!(
            "{count} {unit} is not possible: 1 minute to 24 hours are, and rarer is a day's time or a cron line; {example}"
        ));
    }
    Ok(Trigger::Every { minutes })
}

fn unknown() -> String {
    "it is upload, every N minutes, daily HH:MM, or cron with five fields; write for example daily 23:30"
        .to_owned()
}
