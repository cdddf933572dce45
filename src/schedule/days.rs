//! Days of the week: `mon-fri`, `mon,wed,fri`, `daily`.

use std::fmt;

use jiff::civil::Weekday;

/// The names, from Monday on.
const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// A set of days of the week; never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days([bool; 7]);

impl Days {
    /// Every day.
    pub const ALL: Self = Self([true; 7]);
    /// Monday to Friday.
    pub const WORKING: Self = Self([true, true, true, true, true, false, false]);

    /// Reads names, ranges and lists of them: `mon-fri`, `mon,wed,fri`, `sat-mon`.
    ///
    /// # Errors
    /// What is wrong, with a right example.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut days = Self([false; 7]);
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (place(first)?, place(last)?);
            // A range may go over the weekend: sat-mon.
            let length = (last + 7 - first) % 7;
            for (at, day) in days.0.iter_mut().enumerate() {
                *day |= (at + 7 - first) % 7 <= length;
            }
        }
        Ok(days)
    }

    /// Whether this day is one of them.
    #[must_use]
    pub fn has(self, day: Weekday) -> bool {
        let at = usize::try_from(day.to_monday_zero_offset()).unwrap_or(0);
        self.0.get(at).copied().unwrap_or(false)
    }
}

impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        let mut days = NAMES.iter().zip(self.0).peekable();
        while let Some((first, wanted)) = days.next() {
            if !wanted {
                continue;
            }
            let (mut last, mut length) = (first, 1);
            while let Some((name, _)) = days.next_if(|(_, wanted)| *wanted) {
                (last, length) = (name, length + 1);
            }
            parts.push(match length {
                1 => (*first).to_owned(),
                2 => format!("{first},{last}"),
                _ => format!("{first}-{last}"),
            });
        }
        f.write_str(&parts.join(","))
    }
}

/// The place of a day in the week, from Monday on. Whole names are understood by their first three letters.
fn place(name: &str) -> Result<usize, String> {
    const WHOLE: [&str; 7] =
        ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let name = name.trim().to_ascii_lowercase();
    NAMES
        .iter()
        .position(|n| *n == name)
        .or_else(|| WHOLE.iter().position(|n| *n == name))
        .ok_or_else(|| {
            format!("\"{name}\" is no day of the week; write for example mon-fri or mon,wed,fri")
        })
}
