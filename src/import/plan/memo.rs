//! A cell as a value of its field; what a column held lately is remembered.

use std::borrow::Cow;

use crate::import::fields::{self, Dates, Field, FieldKey, Value};
use crate::import::note::CellRefusal;

/// Reads a cell as a value of a field; what need not be copied is borrowed from the file.
pub(super) fn value<'t>(
    key: &FieldKey,
    cell: Cow<'t, str>,
    dates: &Dates,
) -> Result<Value<'t>, CellRefusal> {
    match cell {
        Cow::Borrowed(raw) => fields::parse(key, raw, dates),
        Cow::Owned(raw) => match fields::parse(key, &raw, dates)? {
            Value::Blank => Ok(Value::Blank),
            Value::Open => Ok(Value::Open),
            Value::Text(text) => Ok(Value::Text(Cow::Owned(text.into_owned()))),
        },
    }
}

/// The cells of a column read lately: most columns hold few different values, and reading one again
/// costs ten times as much as finding it here.
#[derive(Debug)]
pub(super) struct Memo<'s> {
    seen: Vec<Option<(&'s str, Value<'s>)>>,
}

impl<'s> Memo<'s> {
    /// A power of two.
    const PLACES: usize = 64;
    /// Longer cells hardly come twice.
    const MAX_BYTES: usize = 32;

    /// A memo for a column; without places where every row has its own value.
    pub(super) fn new(key: &FieldKey) -> Self {
        let own = match key {
            FieldKey::Known(field) => {
                matches!(
                    field,
                    Field::EmployeeNumber | Field::Login | Field::Email | Field::LastName
                ) || fields::DATE_FIELDS.contains(field)
            }
            FieldKey::Custom(_) => true,
        };
        Self { seen: if own { Vec::new() } else { vec![None; Self::PLACES] } }
    }

    /// Reads a cell as a value of a field.
    pub(super) fn value(
        &mut self,
        key: &FieldKey,
        cell: Cow<'s, str>,
        dates: &Dates,
    ) -> Result<Value<'s>, CellRefusal> {
        let Cow::Borrowed(raw) = cell else { return value(key, cell, dates) };
        if self.seen.is_empty() || raw.len() > Self::MAX_BYTES {
            return value(key, Cow::Borrowed(raw), dates);
        }
        let hash = raw
            .bytes()
            .fold(raw.len(), |hash, byte| hash.wrapping_mul(31).wrapping_add(usize::from(byte)));
        let Some(slot) = self.seen.get_mut(hash & (Self::PLACES - 1)) else {
            return value(key, Cow::Borrowed(raw), dates);
        };
        if let Some((known, value)) = slot
            && *known == raw
        {
            return Ok(value.clone());
        }
        let read = value(key, Cow::Borrowed(raw), dates)?;
        *slot = Some((raw, read.clone()));
        Ok(read)
    }
}
