//! One order of day and month for a file, proved by its own values; and columns in which a spreadsheet swapped the two.

use jiff::civil::Date;

use super::shapes::{Shape, shape};
use super::{DATE_FIELDS, Dates, Proof};
use crate::cores;
use crate::import::directory::DateOrder;
use crate::import::fields::FieldKey;
use crate::import::fields::matching::Columns;
use crate::import::table::Table;
use crate::import::text::clean;

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
    let written = DATE_FIELDS
        .into_iter()
        .filter_map(|field| Some((field, columns.position(&FieldKey::Known(field))?)));
    let read = cores::all(table.row_count(), written, |(field, column)| {
        let mut evidence = Evidence::default();
        for row in table.rows() {
            if let Some(cell) = row.get(column) {
                evidence.take(row.line(), column, &cell);
            }
        }
        (field, evidence)
    });
    let mut evidence = Evidence::default();
    let (mut swapped, mut may_be_swapped) = (Vec::new(), false);
    for (field, column) in read {
        may_be_swapped |= column.writings.may_be_swapped();
        if column.writings.are_swapped() {
            swapped.push(field);
        }
        evidence.join(column);
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
    /// Takes what the next column proves; how each is written stays its own.
    fn join(&mut self, next: Self) {
        self.day_first += next.day_first;
        self.month_first += next.month_first;
        self.year_first += next.year_first;
        self.not_year_first += next.not_year_first;
        self.first_day_first = self.first_day_first.take().or(next.first_day_first);
        self.first_month_first = self.first_month_first.take().or(next.first_month_first);
        self.first_year_first = self.first_year_first.take().or(next.first_year_first);
        self.with_dots += next.with_dots;
        self.with_other_signs += next.with_other_signs;
        self.two_digit_years |= next.two_digit_years;
    }

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
