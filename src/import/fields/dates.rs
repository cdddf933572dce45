//! Dates as payroll programs write them; one order of day and month for a file, proved by its own values.

use jiff::Span;
use jiff::civil::Date;

use super::matching::Columns;
use super::{Field, FieldKey};
use crate::import::directory::DateOrder;
use crate::import::note::{CellRefusal, Params};
use crate::import::table::Table;
use crate::import::text::{clean, fold};

/// A cell that proves an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The order that it proves.
    pub order: DateOrder,
    /// Its row, as Excel numbers rows.
    pub line: u32,
    /// Its column, from 0.
    pub column: usize,
    /// Its text.
    pub value: String,
}

/// How a file's dates are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dates {
    /// The order that ambiguous dates are read in; none: they are refused (V303).
    pub order: Option<DateOrder>,
    /// The order that this file's own values prove.
    pub proved: Option<DateOrder>,
    /// A cell that proves another order than the settings or earlier files: nothing can be trusted.
    pub contradicts: Option<Proof>,
    /// Two-digit years are in the file: what they mean moves with today's date.
    pub depends_on_today: bool,
    /// The fields in whose column a spreadsheet has swapped day and month wherever it could: dates that tell their
    /// own order are wrong there.
    pub swapped: Vec<Field>,
    /// As far as these rows show, a column may be so.
    pub may_be_swapped: bool,
    /// Today, in the client's time zone.
    pub today: Date,
}

/// The earliest date that is taken for meant.
const EARLIEST: Date = Date::constant(1900, 1, 1);
/// The latest.
const LATEST: Date = Date::constant(2100, 12, 31);
/// How far ahead a start may lie, and a two-digit year may point.
const YEARS_AHEAD: i64 = 10;

/// The fields that hold dates.
pub const DATE_FIELDS: [Field; 4] =
    [Field::ContractStart, Field::ContractEnd, Field::SeniorityDate, Field::BirthDate];

/// What a date cell says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meant {
    Day(Date),
    /// `31/12/9999`, `00/00/0000` …: no date on purpose.
    Open,
}

/// A date's text, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// Year, month and day are known from the writing alone.
    Fixed { year: i16, month: i8, day: i8 },
    /// Three numbers, the year last (or anywhere, with two digits).
    Numbers { first: i8, second: i8, year: i16, two_digits: bool, dots: bool },
    /// All noughts, or a year that stands for "never".
    Open,
}

impl Dates {
    /// Dates in a known order, outside any file.
    #[must_use]
    pub fn known(order: Option<DateOrder>, today: Date) -> Self {
        Self {
            order,
            proved: None,
            contradicts: None,
            depends_on_today: false,
            swapped: Vec::new(),
            may_be_swapped: false,
            today,
        }
    }

    pub(super) fn read(&self, field: Field, text: &str) -> Result<Meant, CellRefusal> {
        let refuse = |code, mut params: Params| {
            params.insert(0, ("value", text.to_owned()));
            CellRefusal::new(code, params)
        };
        let shape = shape(text).map_err(|hint| refuse("V302", hint))?;
        let day = match shape {
            Shape::Open => return Ok(Meant::Open),
            Shape::Fixed { .. } if self.swapped.contains(&field) => {
                return Err(refuse("V309", vec![("cause", "day_month".to_owned())]));
            }
            Shape::Fixed { year, month, day } => Date::new(year, month, day).ok(),
            Shape::Numbers { first, second, year, two_digits, .. } => {
                let day_first = self.day(field, year, second, first, two_digits);
                let month_first = self.day(field, year, first, second, two_digits);
                match self.order {
                    Some(DateOrder::Dmy) => day_first,
                    Some(DateOrder::Mdy) => month_first,
                    Some(DateOrder::Ymd) if two_digits => {
                        let day = i8::try_from(year).unwrap_or(0);
                        self.day(field, i16::from(first), second, day, true)
                    }
                    _ => match (day_first, month_first) {
                        (Some(one), Some(other)) if one != other => {
                            let readings =
                                vec![("dmy", one.to_string()), ("mdy", other.to_string())];
                            return Err(refuse("V303", readings));
                        }
                        (one, other) => one.or(other),
                    },
                }
            }
        };
        let Some(day) = day else { return Err(refuse("V305", Vec::new())) };
        if is_never(day) && field == Field::ContractEnd {
            return Ok(Meant::Open);
        }
        self.within_range(field, day, text)
    }

    fn within_range(&self, field: Field, day: Date, text: &str) -> Result<Meant, CellRefusal> {
        // Whatever the field, a day that has been is in range; nearly all are asked only this.
        if (EARLIEST..=LATEST.min(self.today)).contains(&day) {
            return Ok(Meant::Day(day));
        }
        let to = match field {
            Field::BirthDate => self.today,
            Field::ContractEnd => LATEST,
            _ => self.years_ahead(),
        };
        if (EARLIEST..=to).contains(&day) {
            return Ok(Meant::Day(day));
        }
        let params = vec![
            ("value", text.to_owned()),
            ("from", EARLIEST.to_string()),
            ("to", to.to_string()),
        ];
        Err(CellRefusal { code: "V304", params, depends_on_today: day > to && to != LATEST })
    }

    fn years_ahead(&self) -> Date {
        self.today.checked_add(Span::new().years(YEARS_AHEAD)).unwrap_or(self.today)
    }

    /// A real day, or none. Births never lie in the future, other dates at most ten years ahead.
    fn day(&self, field: Field, year: i16, month: i8, day: i8, two_digits: bool) -> Option<Date> {
        if !two_digits {
            return Date::new(year, month, day).ok();
        }
        let latest = if field == Field::BirthDate { self.today } else { self.years_ahead() };
        match Date::new(2000 + year, month, day) {
            Ok(recent) if recent <= latest => Some(recent),
            _ => Date::new(1900 + year, month, day).ok(),
        }
    }
}

/// `2026-12-31`, ten times as quickly as a general formatter: a file has millions of days. For years of four digits.
pub(super) fn iso(day: Date) -> String {
    let year = day.year().unsigned_abs();
    let [century, of_century] =
        [year / 100, year % 100].map(|part| u8::try_from(part % 100).unwrap_or(0));
    let mut text = String::with_capacity(10);
    let parts = [century, of_century, day.month().unsigned_abs(), day.day().unsigned_abs()];
    for (number, sign) in parts.into_iter().zip([None, None, Some('-'), Some('-')]) {
        text.extend(sign);
        text.push(char::from(b'0' + number / 10));
        text.push(char::from(b'0' + number % 10));
    }
    text
}

/// The days by which payroll programs say "never": the end of time, or a database's first day.
fn is_never(day: Date) -> bool {
    if day == EARLIEST || day == Date::constant(1899, 12, 30) {
        return true;
    }
    let last = day.month() == 12 && day.day() == 31;
    day.year() == 9999 || (last && matches!(day.year(), 2099 | 2999))
}

/// Finds the order of day and month that a file's dates are in.
///
/// One order for the file: some day above 12 in any date column proves it. `setting` (none: auto) and
/// `frozen` (what earlier files proved) decide before the proof does, and are contradicted by it.
#[must_use]
pub fn prove_dates(
    table: &Table<'_>,
    columns: &Columns,
    setting: Option<DateOrder>,
    frozen: Option<DateOrder>,
    today: Date,
) -> Dates {
    let mut evidence = Evidence::default();
    let (mut swapped, mut may_be_swapped) = (Vec::new(), false);
    for field in DATE_FIELDS {
        let Some(column) = columns.position(&FieldKey::Known(field)) else { continue };
        evidence.writings = Writings::default();
        for row in table.rows() {
            if let Some(cell) = row.get(column) {
                evidence.take(row.line(), column, &cell);
            }
        }
        may_be_swapped |= evidence.writings.may_be_swapped();
        if evidence.writings.are_swapped() {
            swapped.push(field);
        }
    }
    let set = setting.or(frozen);
    let proved = evidence.proves();
    let only_dots = evidence.with_dots > 0 && evidence.with_other_signs == 0 && evidence.none();
    let order = set.or(proved).or(only_dots.then_some(DateOrder::Dmy));
    // With four digits the year tells itself apart, so only the orders of day and month can collide.
    let contradicts = match (set, proved) {
        (Some(set), Some(proved)) if set != proved && set != DateOrder::Ymd => {
            evidence.first_proof(proved).cloned()
        }
        _ => None,
    };
    let depends_on_today = evidence.two_digit_years;
    Dates { order, proved, contradicts, depends_on_today, swapped, may_be_swapped, today }
}

/// How the dates of one column are written.
///
/// A spreadsheet that takes `05/01/2003` for the fifth month writes `2003-05-01`, and leaves `13/01/2003` as the text
/// that it cannot read: then the ones have only days up to 12, and the others only days above.
#[derive(Debug, Default)]
struct Writings {
    /// Dates that tell their own order, with a day up to 12.
    own_order_low: u64,
    /// Of these, those that would be another day with day and month swapped.
    telling: u64,
    /// The same with a day above 12.
    own_order_high: u64,
    /// Days that there are, in three numbers that can be read in one order only.
    one_order: u64,
    /// Dates in three numbers that can be read in two.
    two_orders: u64,
}

/// With fewer dates that tell, chance may look like damage: five days up to 12 in a row come about once in a hundred columns.
const LEAST_TELLING: u64 = 5;
/// The same for dates that were left as text: one or two are slips of somebody's hand.
const LEAST_LEFT: u64 = 3;

impl Writings {
    fn may_be_swapped(&self) -> bool {
        self.own_order_low > 0 && self.own_order_high == 0 && self.two_orders == 0
    }

    fn are_swapped(&self) -> bool {
        self.may_be_swapped() && self.telling >= LEAST_TELLING && self.one_order >= LEAST_LEFT
    }
}

/// What the date cells of a file prove.
#[derive(Debug, Default)]
struct Evidence {
    writings: Writings,
    day_first: u64,
    month_first: u64,
    year_first: u64,
    /// Two-digit dates that would be impossible with the year first.
    not_year_first: u64,
    first_day_first: Option<Proof>,
    first_month_first: Option<Proof>,
    first_year_first: Option<Proof>,
    with_dots: u64,
    with_other_signs: u64,
    two_digit_years: bool,
}

/// How many times as many proofs one order needs before the other's are taken for slips of the pen.
const CLEAR_MAJORITY: u64 = 10;

impl Evidence {
    fn take(&mut self, line: u32, column: usize, cell: &str) {
        let text = clean(cell);
        // Most people have no end: finding out what a blank looks like instead of a date costs the most.
        if text.is_empty() {
            return;
        }
        let (first, second, year, two_digits, dots) = match shape(&text) {
            Ok(Shape::Numbers { first, second, year, two_digits, dots }) => {
                (first, second, year, two_digits, dots)
            }
            Ok(Shape::Fixed { month, day, .. }) if !text.bytes().all(|b| b.is_ascii_digit()) => {
                let low = day <= 12;
                self.writings.own_order_low += u64::from(low);
                self.writings.telling += u64::from(low && day != month);
                self.writings.own_order_high += u64::from(!low);
                return;
            }
            _ => return,
        };
        let one_order = first > 12 || second > 12;
        let (day, month) = if first > 12 { (first, second) } else { (second, first) };
        let is_a_day = two_digits || Date::new(year, month, day).is_ok();
        self.writings.one_order += u64::from(one_order && is_a_day);
        self.writings.two_orders += u64::from(!one_order && first != second);
        if dots {
            self.with_dots += 1;
        } else {
            self.with_other_signs += 1;
        }
        self.two_digit_years |= two_digits;
        let proof = |order| Some(Proof { order, line, column, value: text.to_string() });
        if two_digits && (first > 31 || first == 0) {
            self.year_first += 1;
            if self.first_year_first.is_none() {
                self.first_year_first = proof(DateOrder::Ymd);
            }
            return;
        }
        if two_digits && (second > 12 || year > 31 || year == 0) {
            self.not_year_first += 1;
        }
        if (13..=31).contains(&first) && (1..=12).contains(&second) {
            self.day_first += 1;
            if self.first_day_first.is_none() {
                self.first_day_first = proof(DateOrder::Dmy);
            }
        } else if (13..=31).contains(&second) && (1..=12).contains(&first) {
            self.month_first += 1;
            if self.first_month_first.is_none() {
                self.first_month_first = proof(DateOrder::Mdy);
            }
        }
    }

    fn none(&self) -> bool {
        self.day_first + self.month_first + self.year_first == 0
    }

    fn proves(&self) -> Option<DateOrder> {
        if self.year_first > 0 && self.not_year_first == 0 {
            return Some(DateOrder::Ymd);
        }
        let clearly = |one: u64, other: u64| one > 0 && one >= other.saturating_mul(CLEAR_MAJORITY);
        if clearly(self.day_first, self.month_first) {
            Some(DateOrder::Dmy)
        } else if clearly(self.month_first, self.day_first) {
            Some(DateOrder::Mdy)
        } else {
            None
        }
    }

    fn first_proof(&self, order: DateOrder) -> Option<&Proof> {
        match order {
            DateOrder::Dmy => self.first_day_first.as_ref(),
            DateOrder::Mdy => self.first_month_first.as_ref(),
            DateOrder::Ymd => self.first_year_first.as_ref(),
        }
    }
}

/// Takes a date's text apart; the error says what it looks like instead.
fn shape(text: &str) -> Result<Shape, Params> {
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
    if first == 0 && second == 0 && third == 0 {
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
