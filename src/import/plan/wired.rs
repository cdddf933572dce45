//! The columns that fill fields, with what the settings say of each.

use std::sync::Arc;

use super::coded::{Coder, Coders};
use crate::import::fields::{Columns, Field, FieldKey};
use crate::import::settings::{Blank, Settings};
use crate::import::values::bit;

/// A column that fills a field.
#[derive(Debug)]
pub(super) struct Wired<'a> {
    /// Its place in the row, from 0.
    pub index: usize,
    /// Further columns of the same field (roles).
    pub more: Vec<usize>,
    pub key: FieldKey,
    /// What says of it that a new user's value stays in its cell; 0: it never does.
    pub bit: u64,
    pub letter: String,
    pub header: String,
    /// A new user must have it.
    pub required: bool,
    /// A blank cell of an existing user is a mistake, not an instruction.
    pub never_blank: bool,
    pub blank: Blank,
    /// What its codes go through; `None`: they are taken as they stand.
    pub coder: Option<Arc<Coder<'a>>>,
}

impl Wired<'_> {
    /// Whether several codes, of one or several columns, become one value.
    pub(super) fn is_joined(&self) -> bool {
        let several = self.key == FieldKey::Known(Field::Roles) && self.coder.is_some();
        several || !self.more.is_empty()
    }
}

/// The place of each field of the catalogue among these columns.
pub(super) fn by_field(wired: &[Wired<'_>]) -> Vec<Option<u16>> {
    let mut by_field = vec![None; Field::ALL.len()];
    for (place, wired) in (0_u16..).zip(wired) {
        if let FieldKey::Known(field) = wired.key
            && let Some(slot) = by_field.get_mut(field.index())
        {
            *slot = Some(place);
        }
    }
    by_field
}

/// The columns of a client's own that have a bit are those behind the fields of the catalogue.
const BITS: usize = 64;

/// The columns that fill fields; the first of several for one field has the places of the others.
pub(super) fn wire<'a>(
    settings: &'a Settings,
    columns: &Columns,
    required: &[Field],
    coders: &Coders<'a>,
) -> Vec<Wired<'a>> {
    let mut wired: Vec<Wired<'a>> = Vec::new();
    let mut own_bits =
        (Field::ALL.len()..BITS).filter_map(|place| 1_u64.checked_shl(u32::try_from(place).ok()?));
    for column in &columns.columns {
        let Some(key) = &column.field else { continue };
        if let Some(first) = wired.iter_mut().find(|w| w.key == *key) {
            first.more.push(column.index);
            continue;
        }
        let known = match key {
            FieldKey::Known(field) => Some(*field),
            FieldKey::Custom(_) => None,
        };
        let required = known.is_some_and(|field| required.contains(&field));
        let name = matches!(known, Some(Field::FirstName | Field::LastName | Field::ContractStart));
        wired.push(Wired {
            index: column.index,
            more: Vec::new(),
            bit: known.map_or_else(|| own_bits.next().unwrap_or(0), bit),
            letter: column.letter.clone(),
            header: column.header.clone(),
            required,
            never_blank: name || (required && !settings.blanks.contains_key(key)),
            blank: settings.blank(key),
            coder: coders.get(key).map(Arc::clone),
            key: key.clone(),
        });
    }
    wired
}
