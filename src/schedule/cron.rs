//! Cron lines of five fields: minute, hour, day of month, month, day of week.

use std::fmt;

use croner::parser::{CronParser, Seconds, Year};
use jiff::civil::DateTime;

/// The fields, with what is possible in each.
const FIELDS: [(&str, &str); 5] = [
    ("minute", "0-59"),
    ("hour", "0-23"),
    ("day of month", "1-31 or L"),
    ("month", "1-12 or jan-dec"),
    ("day of week", "0-7 or sun-sat"),
];
const EXAMPLE: &str = "write for example cron 0 23 * * mon-fri";
/// The longest line.
const MAX_CHARS: usize = 200;
/// From here on a line must come at least once: any place in the calendar would do.
const CALENDAR_START: DateTime = DateTime::constant(2024, 1, 1, 0, 0, 0, 0);

/// A cron line. With both a day of month and a day of week it comes on either, as cron does (`+mon`: on both).
#[derive(Clone)]
pub struct Cron {
    line: String,
    // Boxed: a trigger is stored in every folder's settings, and most have none of this size.
    cron: Box<croner::Cron>,
    is_hourly: bool,
}

impl Cron {
    /// Reads a line of five fields with `*`, numbers, names, ranges, lists and steps.
    ///
    /// # Errors
    /// Which field is wrong and what is possible there; a line that never comes, such as 30 February.
    pub fn parse(line: &str) -> Result<Self, String> {
        let fields: Vec<&str> = line.split_whitespace().collect();
        if fields.len() != FIELDS.len() {
            return Err(format!(
                "a cron line has five fields (minute, hour, day of month, month, day of week), not {}; {EXAMPLE}",
                fields.len()
            ));
        }
        let line = fields.join(" ");
        if line.chars().count() > MAX_CHARS || !line.is_ascii() {
            return Err(format!("a cron line has at most {MAX_CHARS} plain characters; {EXAMPLE}"));
        }
        for (at, (field, (name, possible))) in fields.iter().zip(FIELDS).enumerate() {
            let mut alone = ["*"; 5];
            if let Some(place) = alone.get_mut(at) {
                *place = field;
            }
            if !is_whole(field) || parser().parse(&alone.join(" ")).is_err() {
                return Err(format!(
                    "\"{field}\" is no {name} ({possible}; ranges 1-5, lists 1,15, steps */10); {EXAMPLE}"
                ));
            }
        }
        let cron = parser()
            .parse(&line)
            .map_err(|error| format!("the cron line cannot be read ({error}); {EXAMPLE}"))?;
        let is_hourly = (0..24).all(|hour| cron.pattern.hour_match(hour).unwrap_or(false));
        let cron = Self { line, cron: Box::new(cron), is_hourly };
        match cron.after(CALENDAR_START) {
            Some(_) => Ok(cron),
            None => Err(format!("\"{}\" never comes: there is no such day; {EXAMPLE}", cron.line)),
        }
    }

    /// Whether it comes in each hour of its days: then it keeps its rhythm while clocks are changed.
    pub(super) fn is_hourly(&self) -> bool {
        self.is_hourly
    }

    pub(super) fn after(&self, wall: DateTime) -> Option<DateTime> {
        self.cron.find_next_occurrence(&wall, false).ok()
    }

    pub(super) fn until(&self, wall: DateTime) -> Option<DateTime> {
        self.cron.find_previous_occurrence(&wall, true).ok()
    }
}

fn parser() -> CronParser {
    CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build()
}

/// Whether a field has no nickname (`@daily`) and no empty part in it.
fn is_whole(field: &str) -> bool {
    !field.contains('@') && field.split([',', '-', '/']).all(|part| !part.is_empty())
}

impl PartialEq for Cron {
    fn eq(&self, other: &Self) -> bool {
        self.line == other.line
    }
}

impl Eq for Cron {}

impl fmt::Debug for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cron({})", self.line)
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line)
    }
}
