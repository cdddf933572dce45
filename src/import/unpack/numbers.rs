//! Numbers of a workbook as a person sees them: kept zeros, dates, percents, no traces of binary fractions.

use jiff::ToSpan;
use jiff::civil::{Date, Time, date};

/// The longest format code that Excel keeps.
const MOST_CODE_CHARS: usize = 255;

/// How a number is shown. Source: ECMA-376 part 1, 18.8.30 and 18.8.31.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Format {
    /// As it is.
    General,
    /// With so many digits behind the point (at least, at most).
    Decimals { least: usize, most: usize, percent: bool },
    /// Digits filled into a pattern from the right: `00000`, `0# ## ## ## ##`.
    Pattern(Vec<Slot>),
    /// A day, a time of day or both.
    Moment { day: bool, time: bool },
    /// Hours beyond a day: `[h]:mm`.
    Elapsed,
}

/// One place of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    /// A digit, or a zero.
    Zero,
    /// A digit if there is one.
    Digit,
    /// As it stands.
    Literal(char),
}

impl Format {
    /// A format by its number, where the workbook does not define it.
    pub(super) fn built_in(number: u32) -> Self {
        let decimals = |least, percent| Self::Decimals { least, most: least, percent };
        match number {
            1 | 3 | 37 | 38 | 41 | 42 => decimals(0, false),
            2 | 4 | 39 | 40 | 43 | 44 => decimals(2, false),
            9 => decimals(0, true),
            10 => decimals(2, true),
            14..=17 | 27..=31 | 36 | 50..=54 | 57 | 58 => Self::Moment { day: true, time: false },
            18..=21 | 32..=35 | 45 | 47 | 55 | 56 => Self::Moment { day: false, time: true },
            22 => Self::Moment { day: true, time: true },
            46 => Self::Elapsed,
            _ => Self::General,
        }
    }

    /// A format by its code; one that no spreadsheet would take says nothing, or each cell could become as long as it.
    pub(super) fn of_code(code: &str) -> Self {
        if code.chars().count() > MOST_CODE_CHARS {
            return Self::General;
        }
        let slots = Slots::of(code);
        if slots.is_elapsed {
            return Self::Elapsed;
        }
        let has = |wanted: &[char]| {
            slots
                .signs
                .iter()
                .any(|(c, quoted)| !quoted && wanted.contains(&c.to_ascii_lowercase()))
        };
        let word: String = slots.signs.iter().map(|(c, _)| c.to_ascii_lowercase()).collect();
        if word.contains("general") || word.contains('@') {
            return Self::General;
        }
        let time = has(&['h', 's']);
        let day = has(&['y', 'd']) || (has(&['m']) && !time);
        if day || time {
            return Self::Moment { day, time };
        }
        if has(&['e', '/']) || !has(&['0', '#', '?']) {
            return Self::General;
        }
        let places = slots
            .signs
            .iter()
            .filter(|(c, quoted)| !quoted && matches!(c, '0' | '#' | '?'))
            .count();
        if places >= 2 && !has(&['.', ',', '%']) {
            return Self::Pattern(slots.pattern());
        }
        let behind = slots.signs.iter().skip_while(|(c, quoted)| *quoted || *c != '.');
        let digits: Vec<char> = behind
            .filter(|(_, quoted)| !quoted)
            .map(|(c, _)| *c)
            .filter(|c| matches!(c, '0' | '#' | '?'))
            .collect();
        Self::Decimals {
            least: digits.iter().filter(|c| **c == '0').count(),
            most: digits.len(),
            percent: has(&['%']),
        }
    }

    /// A number as it is shown; what is no number stays as it is.
    pub(super) fn text(&self, raw: &str, from_1904: bool) -> String {
        let Some(number) = raw.parse::<f64>().ok().filter(|n| n.is_finite()) else {
            return raw.to_owned();
        };
        match self {
            Self::General => plain(number),
            Self::Decimals { least, most, percent: false } => rounded(number, *least, *most),
            Self::Decimals { least, most, percent: true } => {
                format!("{}%", rounded(number * 100.0, *least, *most))
            }
            Self::Pattern(slots) => filled(number, slots),
            Self::Moment { day, time } => {
                moment(number, *day, *time, from_1904).unwrap_or_else(|| plain(number))
            }
            Self::Elapsed => {
                let minutes = (number * 1440.0).round();
                let hours = (minutes / 60.0).floor();
                format!("{hours:.0}:{:02.0}", minutes - hours * 60.0)
            }
        }
    }
}

/// A format code's first section, sign by sign; quoted signs are marked.
struct Slots {
    signs: Vec<(char, bool)>,
    is_elapsed: bool,
}

impl Slots {
    fn of(code: &str) -> Self {
        let mut slots = Self { signs: Vec::new(), is_elapsed: false };
        let mut chars = code.chars();
        while let Some(c) = chars.next() {
            match c {
                ';' => break,
                '"' => {
                    let quoted = chars.by_ref().take_while(|c| *c != '"');
                    slots.signs.extend(quoted.map(|c| (c, true)));
                }
                '\\' => slots.signs.extend(chars.next().map(|c| (c, true))),
                // Space of a character's width; a sign that fills the cell.
                '_' | '*' => {
                    chars.next();
                }
                '[' => {
                    let inner: String = chars.by_ref().take_while(|c| *c != ']').collect();
                    let inner = inner.to_ascii_lowercase();
                    slots.is_elapsed |=
                        !inner.is_empty() && inner.chars().all(|c| matches!(c, 'h' | 'm' | 's'));
                }
                c => slots.signs.push((c, false)),
            }
        }
        slots
    }

    fn pattern(&self) -> Vec<Slot> {
        let slot = |(c, quoted): &(char, bool)| match (c, quoted) {
            ('0', false) => Slot::Zero,
            ('#' | '?', false) => Slot::Digit,
            (c, _) => Slot::Literal(*c),
        };
        self.signs.iter().map(slot).collect()
    }
}

/// A number with the 15 digits that a spreadsheet keeps, never in powers of ten.
fn plain(number: f64) -> String {
    let short: f64 = format!("{number:.14e}").parse().unwrap_or(number);
    if short == 0.0 { "0".to_owned() } else { format!("{short}") }
}

fn rounded(number: f64, least: usize, most: usize) -> String {
    // Half up as spreadsheets do, on the 15 digits that they show.
    let exact = plain(number);
    let mut text = round_decimal(&exact, most);
    let behind = text.split_once('.').map_or(0, |(_, behind)| behind.len());
    let spare = behind.saturating_sub(least);
    let zeros = text.bytes().rev().take_while(|b| *b == b'0').count().min(spare);
    text.truncate(text.len() - zeros);
    if text.ends_with('.') {
        text.pop();
    }
    text
}

/// Decimal text with exactly so many digits behind the point, halves away from zero.
fn round_decimal(text: &str, places: usize) -> String {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (whole, behind) = digits.split_once('.').unwrap_or((digits, ""));
    let kept: String = behind.chars().chain(std::iter::repeat('0')).take(places).collect();
    let up = behind.as_bytes().get(places).is_some_and(|digit| *digit >= b'5');
    let mut all: Vec<u8> = whole.bytes().chain(kept.bytes()).collect();
    if up {
        let nines = all.iter().rev().take_while(|digit| **digit == b'9').count();
        let turn = all.len() - nines;
        all.iter_mut().skip(turn).for_each(|digit| *digit = b'0');
        match turn.checked_sub(1).and_then(|at| all.get_mut(at)) {
            Some(digit) => *digit += 1,
            None => all.insert(0, b'1'),
        }
    }
    let point = all.len() - places;
    let digits: String = all.iter().map(|digit| char::from(*digit)).collect();
    let (whole, behind) = digits.split_at(point);
    let sign = if digits.bytes().all(|digit| digit == b'0') { "" } else { sign };
    if places == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{behind}") }
}

fn filled(number: f64, slots: &[Slot]) -> String {
    let digits = rounded(number.abs(), 0, 0);
    let mut left = digits.chars().rev().peekable();
    let mut reversed: Vec<char> = Vec::new();
    let first = slots.iter().position(|slot| !matches!(slot, Slot::Literal(_)));
    for (index, slot) in slots.iter().enumerate().rev() {
        match slot {
            Slot::Literal(c) => reversed.push(*c),
            Slot::Zero => reversed.push(left.next().unwrap_or('0')),
            Slot::Digit => reversed.extend(left.next()),
        }
        // More digits than places: they stand before the first.
        if Some(index) == first {
            reversed.extend(left.by_ref());
        }
    }
    let sign = if number < 0.0 { "-" } else { "" };
    format!("{sign}{}", reversed.into_iter().rev().collect::<String>().trim())
}

/// A day count as ISO writes it; `None`: no such day.
fn moment(number: f64, day: bool, time: bool, from_1904: bool) -> Option<String> {
    if !(0.0..3_000_000.0).contains(&number) {
        return None;
    }
    let seconds = (number * 86_400.0).round();
    let days = (seconds / 86_400.0).floor();
    let of_day = seconds - days * 86_400.0;
    let clock = clock(of_day)?;
    if !day {
        return Some(clock.strftime("%H:%M:%S").to_string());
    }
    let date = calendar_day(days, from_1904)?;
    // Midnight is how a spreadsheet writes a day without a time.
    let midnight = of_day == 0.0;
    Some(if time && !midnight { format!("{date} {}", clock.strftime("%H:%M:%S")) } else { date })
}

fn clock(seconds: f64) -> Option<Time> {
    let whole: i64 = format!("{seconds:.0}").parse().ok()?;
    Some(Time::midnight().wrapping_add(whole.seconds()))
}

fn calendar_day(days: f64, from_1904: bool) -> Option<String> {
    let days: i32 = format!("{days:.0}").parse().ok()?;
    let start: Date = match (from_1904, days) {
        (true, _) => date(1904, 1, 1),
        // Spreadsheets believe that 1900 was a leap year.
        (false, 60) => return Some("1900-02-29".to_owned()),
        (false, ..60) => date(1899, 12, 31),
        (false, _) => date(1899, 12, 30),
    };
    start.checked_add(days.days()).ok().map(|day| day.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(code: &str, raw: &str, expected: &str) {
        assert_eq!(Format::of_code(code).text(raw, false), expected, "{code} {raw}");
    }

    #[test]
    fn numbers_without_a_format() {
        for (raw, expected) in [
            ("123", "123"),
            ("0.30000000000000004", "0.3"),
            ("35.159999999999997", "35.16"),
            ("123456789012345", "123456789012345"),
            ("1.2345678901200001E+20", "123456789012000000000"),
            ("-0.5", "-0.5"),
            ("1E-3", "0.001"),
            ("-0", "0"),
            ("abc", "abc"),
            ("NaN", "NaN"),
        ] {
            assert_eq!(Format::General.text(raw, false), expected, "{raw}");
        }
    }

    #[test]
    fn numbers_as_they_are_shown() {
        check("00000", "123", "00123");
        check("00000", "1234567", "1234567");
        check("\"FR\"0000", "12", "FR0012");
        check("0#\\ ##\\ ##\\ ##\\ ##", "612345678", "06 12 34 56 78");
        check("000\\-000", "12345", "012-345");
        check("0.00", "35.1", "35.10");
        check("0.0#", "35", "35.0");
        check("#,##0.00\\ \"€\"", "1234.565", "1234.57");
        check("0", "12.5", "13");
        check("0.00", "1.005", "1.01");
        check("0%", "0.8", "80%");
        check("0.0%", "0.29", "29.0%");
        check("@", "12", "12");
        check("General", "1.5", "1.5");
        check("0.00", "-0.001", "0.00");
        check("0.00E+00", "123456", "123456");
        check("0.0", "9.96", "10.0");
    }

    #[test]
    fn days_and_times() {
        check("dd/mm/yyyy", "45310", "2024-01-19");
        check("[$-40C]d\\ mmmm\\ yyyy;@", "45310", "2024-01-19");
        check("yyyy\\-mm\\-dd\\ hh:mm", "45310.5", "2024-01-19 12:00:00");
        check("yyyy\\-mm\\-dd\\ hh:mm", "45310", "2024-01-19");
        check("hh:mm", "0.75", "18:00:00");
        check("[h]:mm", "1.4791666666666667", "35:30");
        check("mmm-yy", "1", "1900-01-01");
        check("d", "60", "1900-02-29");
        check("d", "61", "1900-03-01");
        check("dd/mm/yyyy", "2958465", "9999-12-31");
        check("dd/mm/yyyy", "-1", "-1");
        check("dd/mm/yyyy", "2999999", "2999999");
        assert_eq!(Format::built_in(14).text("43848", true), "2024-01-19");
        assert_eq!(Format::built_in(22).text("45310.999999", false), "2024-01-20");
    }
}
