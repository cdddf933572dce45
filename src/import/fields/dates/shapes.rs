//! The text of a date, taken apart as payroll programs write it.

use jiff::Span;
use jiff::civil::Date;

use crate::import::note::Params;
use crate::import::text::fold;

/// A date's text, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Year, month and day are known from the writing alone.
    Fixed { year: i16, month: i8, day: i8 },
    /// Three numbers, the year last (or anywhere, with two digits).
    Numbers { first: i8, second: i8, year: i16, two_digits: bool, dots: bool },
    /// All noughts, or a year that stands for "never".
    Open,
}

/// Takes a date's text apart; the error says what it looks like instead.
pub(super) fn shape(text: &str) -> Result<Shape, Params> {
    let text = without_time(text);
    if let Some(shape) = numeric_shape(text) {
        return Ok(shape);
    }
    match named_month(text) {
        Some(shape) => Ok(shape),
        None => Err(what_instead(text)),
    }
}

/// `2026-12-31`, `31/12/2026`, `31.12.26`, `20261231`, `31122026`.
fn numeric_shape(text: &str) -> Option<Shape> {
    let bytes = text.as_bytes();
    if bytes.len() == 8 && bytes.iter().all(u8::is_ascii_digit) {
        return compact_shape(text);
    }
    let sign = char::from(*bytes.iter().find(|b| !b.is_ascii_digit())?);
    if !matches!(sign, '/' | '-' | '.' | ' ') {
        return None;
    }
    let mut parts = text.split(sign).map(str::trim);
    let (a, b, c) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some_and(|rest| !rest.is_empty()) {
        return None;
    }
    let is_short = |part: &str| matches!(part.len(), 1 | 2);
    let (first, second, third) = (number(a)?, number(b)?, number(c)?);
    // `00/01/1900`, `1/0/1900`: a spreadsheet's day 0, which it shows for a formula about a blank cell.
    let is_day_0 = third == 1900 && (first == 0 || second == 0);
    if is_day_0 || (first == 0 && second == 0 && third == 0) {
        return Some(Shape::Open);
    }
    let small = |n: i16| i8::try_from(n).ok();
    match (a.len(), b.len(), c.len()) {
        (4, _, _) if is_short(b) && is_short(c) => {
            Some(year_known(first, small(second)?, small(third)?))
        }
        (_, _, 4) if is_short(a) && is_short(b) => {
            let (first, second) = (small(first)?, small(second)?);
            if is_open_year(third) {
                return Some(Shape::Open);
            }
            Some(Shape::Numbers {
                first,
                second,
                year: third,
                two_digits: false,
                dots: sign == '.',
            })
        }
        (_, _, 2) if is_short(a) && is_short(b) => Some(Shape::Numbers {
            first: small(first)?,
            second: small(second)?,
            year: third,
            two_digits: true,
            dots: sign == '.',
        }),
        _ => None,
    }
}

fn is_open_year(year: i16) -> bool {
    matches!(year, 0 | 1 | 9999)
}

fn year_known(year: i16, month: i8, day: i8) -> Shape {
    if is_open_year(year) { Shape::Open } else { Shape::Fixed { year, month, day } }
}

/// Eight digits: the year first if that makes a year of our time, else day, month, year.
fn compact_shape(text: &str) -> Option<Shape> {
    let part = |from: usize, to: usize| text.get(from..to).and_then(number);
    let small = |n: i16| i8::try_from(n).ok();
    let plausible = |year: i16| (1900..=2100).contains(&year) || year == 9999;
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    if text.bytes().all(|b| b == b'0') {
        return Some(Shape::Open);
    }
    if plausible(year) && month <= 12 {
        return Some(year_known(year, small(month)?, small(day)?));
    }
    let (first, second, year) = (part(0, 2)?, part(2, 4)?, part(4, 8)?);
    if !plausible(year) {
        return None;
    }
    if is_open_year(year) {
        return Some(Shape::Open);
    }
    let (first, second) = (small(first)?, small(second)?);
    Some(Shape::Numbers { first, second, year, two_digits: false, dots: false })
}

fn number(text: &str) -> Option<i16> {
    let digits = !text.is_empty() && text.len() <= 4 && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok())?
}

/// Leaves out a time of day behind the date: `2026-12-31T00:00:00Z`, `31/12/2026 00:00`.
fn without_time(text: &str) -> &str {
    let Some(colon) = text.find(':') else {
        return text.strip_suffix(['Z', 'z']).unwrap_or(text);
    };
    let before = text.get(..colon).unwrap_or_default();
    let Some(cut) = before.rfind(['T', 't', ' ']) else { return without_zone(text) };
    let rest = text.get(cut + 1..).unwrap_or_default();
    let is_time = rest.len() <= 24
        && rest.chars().all(|c| c.is_ascii_digit() || ":.,+-ZzAaPpMm ".contains(c));
    if is_time { text.get(..cut).unwrap_or_default().trim_end() } else { text }
}

/// A day with its time zone: `2026-12-31-08:00`. Source: XML Schema Part 2, 3.2.9 (date).
fn without_zone(text: &str) -> &str {
    let Some((day, zone)) = text.split_at_checked("2026-12-31".len()) else { return text };
    let is_zone = match zone.as_bytes() {
        [b'+' | b'-', hours @ .., b':', m1, m2] => {
            hours.len() == 2 && hours.iter().chain([m1, m2]).all(u8::is_ascii_digit)
        }
        _ => false,
    };
    if is_zone { day } else { text }
}

/// `31 déc. 2026`, `1er janvier 2020`, `Dec 31, 2026`, `31-Dec-26`, `31. Dezember 2026`.
fn named_month(text: &str) -> Option<Shape> {
    let mut numbers = Vec::new();
    let mut month = None;
    let mut month_first = false;
    for word in text.split([' ', '-', '.', '/', ',']).filter(|w| !w.is_empty()) {
        let digits = word.strip_suffix("er").or_else(|| word.strip_suffix("st")).unwrap_or(word);
        let digits =
            digits.strip_suffix("th").or_else(|| digits.strip_suffix("nd")).unwrap_or(digits);
        if let Some(value) = number(digits) {
            numbers.push((value, digits.len()));
        } else if month.is_none() {
            month = Some(month_of(word)?);
            month_first = numbers.is_empty();
        } else {
            return None;
        }
    }
    let [(a, a_digits), (b, b_digits)] = *numbers.as_slice() else { return None };
    let small = |n: i16| i8::try_from(n).ok();
    let month = month?;
    if a_digits == 4 {
        return Some(year_known(a, month, small(b)?));
    }
    match b_digits {
        4 => Some(year_known(b, month, small(a)?)),
        // Day and month are certain: written so that both orders read the same.
        2 if !month_first && a <= 31 => {
            let year = if b <= 40 { 2000 + b } else { 1900 + b };
            Some(year_known(year, month, small(a)?))
        }
        _ => None,
    }
}

/// The month that a word names in French, English or German, in full or cut.
fn month_of(word: &str) -> Option<i8> {
    const MONTHS: [(i8, &[&str], usize); 12] = [
        (1, &["janvier", "january", "januar", "jaenner", "janner"], 3),
        (2, &["fevrier", "february", "februar", "feber"], 3),
        (3, &["mars", "march", "marz", "maerz", "mrz"], 3),
        (4, &["avril", "april"], 3),
        (5, &["mai", "may"], 3),
        (6, &["juin", "june", "juni"], 3),
        (7, &["juillet", "july", "juli"], 3),
        (8, &["aout", "august"], 3),
        (9, &["septembre", "september"], 3),
        (10, &["octobre", "october", "oktober"], 3),
        (11, &["novembre", "november"], 3),
        (12, &["decembre", "december", "dezember"], 3),
    ];
    let word = fold(word);
    if word.len() < 3 {
        return None;
    }
    // "jui" alone is June or July: no month.
    let mut fits = MONTHS.iter().filter(|(_, names, least)| {
        word.len() >= *least && names.iter().any(|name| name.starts_with(&word))
    });
    match (fits.next(), fits.next()) {
        (Some((month, _, _)), None) => Some(*month),
        _ => None,
    }
}

/// What a cell that is no date looks like: a hint for the cure.
fn what_instead(text: &str) -> Params {
    let whole = text.split(['.', ',']).next().unwrap_or_default();
    if whole.len() == 5
        && let Ok(days) = whole.parse::<i64>()
        && (10_000..=73_050).contains(&days)
        && let Ok(day) = Date::constant(1899, 12, 30).checked_add(Span::new().days(days))
    {
        return vec![("hint", "excel_serial".to_owned()), ("would_be", day.to_string())];
    }
    if !text.is_empty() && text.bytes().all(|b| b == b'#') {
        return vec![("hint", "column_too_narrow".to_owned())];
    }
    if text.starts_with('#') {
        return vec![("hint", "spreadsheet_error".to_owned())];
    }
    Vec::new()
}
