//! Dates as payroll programs write them.

mod order;
mod shapes;

use jiff::Span;
use jiff::civil::Date;

use super::Field;
use crate::import::directory::DateOrder;
use crate::import::note::{CellRefusal, Params};

pub use order::prove_dates;
use shapes::{Shape, shape};

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
        if field == Field::ContractEnd && may_be_never(day, text) {
            return Err(refuse("V303", vec![("cause", "never".to_owned())]));
        }
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

/// The days by which payroll programs say "never": the end of time, or the first day that a database or a spreadsheet counts from.
fn is_never(day: Date) -> bool {
    const FIRST_DAYS: [Date; 4] = [
        EARLIEST,
        Date::constant(1899, 12, 30),
        Date::constant(1899, 12, 31),
        Date::constant(1904, 1, 1),
    ];
    let last = day.month() == 12 && day.day() == 31;
    FIRST_DAYS.contains(&day)
        || day.year() == 9999
        || (last && matches!(day.year(), 2099 | 2999 | 4712))
}

/// `31/12/99`, `01/01/00`: a day of that year, or "never" (31/12/9999, 01/01/1900) with its year cut to two digits.
fn may_be_never(day: Date, text: &str) -> bool {
    let year = match (day.year(), day.month(), day.day()) {
        (1999, 12, 31) => "1999",
        (2000, 1, 1) => "2000",
        _ => return false,
    };
    !text.contains(year)
}
