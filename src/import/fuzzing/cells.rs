//! Cells to values: what is read is canonical, and reading it again changes nothing.

use jiff::ToSpan as _;
use jiff::civil::{Date, date};

use super::TODAY;
use crate::import::codes::{Level, entry};
use crate::import::directory::DateOrder;
use crate::import::fields::{DATE_FIELDS, Dates, Field, FieldKey, Headers, Value, parse};
use crate::import::plan::found;

/// Reads each line as a cell of every field.
pub(crate) fn cells(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for cell in text.split('\n').take(8) {
        for order in [None, Some(DateOrder::Dmy), Some(DateOrder::Mdy), Some(DateOrder::Ymd)] {
            let dates = Dates::known(order, TODAY);
            for field in Field::ALL.iter().copied() {
                if order.is_none() || DATE_FIELDS.contains(&field) {
                    check(&FieldKey::Known(field), cell, &dates);
                }
            }
        }
        check(&FieldKey::Custom("size".to_owned()), cell, &Dates::known(None, TODAY));
        let headers = Headers::default();
        assert_eq!(
            headers.knows(cell),
            headers.knows(&cell.to_uppercase().to_lowercase()),
            "{cell:?}"
        );
    }
    let mut seed = [0_u8; 4];
    seed.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    written_day(u32::from_le_bytes(seed));
}

fn check(key: &FieldKey, cell: &str, dates: &Dates) {
    match parse(key, cell, dates) {
        Ok(Value::Blank | Value::Open) => {}
        Ok(Value::Text(value)) => {
            assert!(!value.is_empty(), "{key}: {cell:?} is blank");
            assert!(!value.contains('\0') && value.trim() == value, "{key}: {value:?}");
            if let FieldKey::Known(field) = key {
                assert!(value.chars().count() <= field.max_chars(), "{key}: {value:?}");
                if DATE_FIELDS.contains(field) {
                    let day: Option<Date> = value.parse().ok();
                    let plausible = date(1900, 1, 1)..=date(2100, 12, 31);
                    assert!(day.is_some_and(|d| plausible.contains(&d)), "{cell:?}: {value}");
                }
            }
            // Text that is written for a spreadsheet (="0012") is unwrapped once, and only once.
            if !value.starts_with(['=', '\'', '<']) {
                let again = parse(key, &value, dates);
                assert_eq!(again, Ok(Value::Text(value.as_ref().into())), "{key}: {cell:?}");
            }
        }
        Err(refusal) => {
            let message = found(refusal.code, &refusal.params);
            let level = entry(message.code, &message.why).level;
            assert_eq!(level, Level::Field, "{key}: {cell:?} is {refusal:?}");
        }
    }
}

/// A day that was written in an order is read as that day in that order.
fn written_day(seed: u32) {
    let day = date(1930, 1, 1).checked_add(i64::from(seed % 34_000).days()).unwrap_or(TODAY);
    for (order, form) in [
        (DateOrder::Dmy, "%d/%m/%Y"),
        (DateOrder::Dmy, "%d.%m.%Y"),
        (DateOrder::Mdy, "%m/%d/%Y"),
        (DateOrder::Mdy, "%-m-%-d-%Y"),
        (DateOrder::Ymd, "%Y/%m/%d"),
        (DateOrder::Dmy, "%Y-%m-%d"),
        (DateOrder::Dmy, "%Y%m%d"),
    ] {
        let cell = day.strftime(form).to_string();
        let key = FieldKey::Known(if day <= TODAY { Field::BirthDate } else { Field::ContractEnd });
        let dates = Dates::known(Some(order), TODAY);
        let read = parse(&key, &cell, &dates);
        assert_eq!(read, Ok(Value::Text(day.to_string().into())), "{cell} {order:?}");
    }
}
