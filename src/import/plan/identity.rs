//! Who a row is: its key, the user whom it means, rows that mean the same user.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use super::coded::{Coder, Problem, Refusal};
use super::memo::value;
use super::places::Places;
use super::sheet::Sheet;
use super::wired::Wired;
use crate::cores;
use crate::import::directory::{Key, User};
use crate::import::fields::{Field, FieldKey, Value};
use crate::import::note::CellRefusal;
use crate::import::settings::key_fields;
use crate::import::table::Row;

/// A key as it is compared: legal entity (empty where the key has none) and the deciding value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct RowKey<'t> {
    pub entity: Cow<'t, str>,
    pub value: Cow<'t, str>,
}

impl<'t> RowKey<'t> {
    pub(super) fn into_parts(self) -> (Cow<'t, str>, Cow<'t, str>) {
        (self.entity, self.value)
    }
}

/// Why a row's key cannot be read.
#[derive(Debug)]
pub(super) enum KeyProblem<'s> {
    /// A cell of the key is blank or missing.
    Blank(Field),
    /// A cell of the key is refused.
    Refused(Field, CellRefusal),
    /// The value map or the list does not take the code.
    Code(Field, Arc<Coder<'s>>, Refusal),
}

/// The directory by key.
#[derive(Debug)]
pub(super) struct Index<'a> {
    users: &'a [User],
    /// What legal entities in the directory stand for now.
    entities: Option<Arc<Coder<'a>>>,
    by_key: Places,
    /// Numbers without their leading zeros; made when the first row asks.
    without_zeros: Option<HashMap<RowKey<'a>, usize>>,
    key: Key,
}

/// The users who have a key: several only where a bare number is the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Slot {
    One(usize),
    Several(Vec<usize>),
}

/// Text in lower case; borrowed where it is already.
pub(super) fn lower(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.bytes().all(|b| b.is_ascii() && !b.is_ascii_uppercase()) {
        return text;
    }
    let small = text.to_lowercase();
    if *text == small { text } else { Cow::Owned(small) }
}

impl<'a> Index<'a> {
    /// A value map or a list that renames legal entities must not make strangers of the users who have the old ones.
    pub(super) fn new(users: &'a [User], key: Key, entities: Option<Arc<Coder<'a>>>) -> Self {
        let by_key = Places::of(users.len(), |place| {
            user_key(users.get(place)?, key, entities.as_deref()).map(RowKey::into_parts)
        });
        Self { users, entities, by_key, without_zeros: None, key }
    }

    pub(super) fn get(&self, key: &RowKey<'_>) -> Option<Slot> {
        let has = |place: &usize| {
            let known = self.users.get(*place);
            let known = known.and_then(|user| user_key(user, self.key, self.entities.as_deref()));
            known.is_some_and(|known| known == *key)
        };
        let mut found = self.by_key.like(&key.entity, &key.value).filter(has);
        let one = found.next()?;
        let Some(other) = found.next() else { return Some(Slot::One(one)) };
        let mut several: Vec<usize> = [one, other].into_iter().chain(found).collect();
        several.reverse();
        Some(Slot::Several(several))
    }

    /// The user whose number is this one with the leading zeros that a spreadsheet ate.
    pub(super) fn zero_padded(&mut self, key: &RowKey<'a>) -> Option<usize> {
        let numbers = matches!(self.key, Key::EmployeeNumber | Key::LegalEntityAndEmployeeNumber);
        if !numbers || !could_have_lost_zeros(&key.value) {
            return None;
        }
        let (users, by, entities) = (self.users, self.key, self.entities.as_deref());
        self.without_zeros.get_or_insert_with(|| padded(users, by, entities)).get(key).copied()
    }
}

/// A number that may have had zeros in front.
pub(super) fn could_have_lost_zeros(value: &str) -> bool {
    !value.is_empty() && !value.starts_with('0') && value.bytes().all(|b| b.is_ascii_digit())
}

fn padded<'a>(
    users: &'a [User],
    key: Key,
    entities: Option<&Coder<'a>>,
) -> HashMap<RowKey<'a>, usize> {
    let mut found = HashMap::new();
    for (place, user) in users.iter().enumerate() {
        let Some(row_key) = user_key(user, key, entities) else { continue };
        let RowKey { entity, value: Cow::Borrowed(number) } = row_key else { continue };
        if let Some(bare) = without_zeros(number) {
            found.insert(RowKey { entity, value: Cow::Borrowed(bare) }, place);
        }
    }
    found
}

/// The keys of a file's rows. They lie in the cells and are read from there again: there may be a million.
#[derive(Debug)]
pub(super) struct Keys<'s> {
    sheet: &'s Sheet<'s>,
    known: Vec<Known>,
}

/// What is known of a row's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    /// It has none, or cannot be read as a row.
    Nothing,
    /// It is what its cells say, letter by letter.
    AsItStands,
    /// It is made of what its cells say.
    Made,
}

impl<'s> Keys<'s> {
    /// The keys of the rows of this file that can be read as rows.
    pub(super) fn read(sheet: &'s Sheet<'s>, is_row: impl Fn(&Row<'s>) -> bool + Sync) -> Self {
        let count = sheet.table.row_count();
        let keys = Self { sheet, known: Vec::new() };
        let known = |at: usize| {
            let Some(row) = sheet.table.row(at).filter(&is_row) else { return Known::Nothing };
            match row_key(sheet, &row) {
                Err(_) => Known::Nothing,
                Ok(key) if keys.standing(&row).as_ref() == Some(&key) => Known::AsItStands,
                Ok(_) => Known::Made,
            }
        };
        let read =
            cores::all(count, cores::pieces(count), |rows| rows.map(known).collect::<Vec<_>>());
        Self { sheet, known: cores::joined(read) }
    }

    /// The places of the rows that have none.
    pub(super) fn missing(&self) -> impl Iterator<Item = usize> {
        let rows = self.known.iter().enumerate();
        rows.filter(|(_, known)| **known == Known::Nothing).map(|(at, _)| at)
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    /// The key of the row at this place.
    pub(super) fn get(&self, at: usize) -> Option<RowKey<'s>> {
        let known = *self.known.get(at)?;
        if known == Known::Nothing {
            return None;
        }
        let row = self.sheet.table.row(at)?;
        match known {
            Known::AsItStands => self.standing(&row),
            Known::Nothing | Known::Made => row_key(self.sheet, &row).ok(),
        }
    }

    /// All of them with their places, in the order of the file.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, RowKey<'s>)> {
        (0..self.len()).filter_map(|at| Some((at, self.get(at)?)))
    }

    /// What the cells of a row's key say, letter by letter.
    fn standing(&self, row: &Row<'s>) -> Option<RowKey<'s>> {
        let cell = |field| row.get(self.sheet.field(&FieldKey::Known(field))?.index);
        let (entity, value) = match *key_fields(self.sheet.key) {
            [value] => (Cow::Borrowed(""), cell(value)?),
            [entity, value] => (cell(entity)?, cell(value)?),
            _ => return None,
        };
        Some(RowKey { entity, value })
    }
}

/// The rows whose numbers begin with zeros, by their keys without them.
#[derive(Debug)]
pub(super) struct PaddedRows<'x, 's> {
    keys: &'x Keys<'s>,
    /// Empty where no other row could mean one of these.
    by_bare: Places,
}

impl<'x, 's> PaddedRows<'x, 's> {
    pub(super) fn new(keys: &'x Keys<'s>, key: Key) -> Self {
        let numbers = matches!(key, Key::EmployeeNumber | Key::LegalEntityAndEmployeeNumber);
        let any_bare = numbers && keys.iter().any(|(_, key)| could_have_lost_zeros(&key.value));
        let count = if any_bare { keys.len() } else { 0 };
        let by_bare = Places::of(count, |at| {
            let RowKey { entity, value } = keys.get(at)?;
            Some((entity, Cow::Owned(without_zeros(&value)?.to_owned())))
        });
        Self { keys, by_bare }
    }

    /// The last row whose number is this one with zeros in front.
    pub(super) fn get(&self, key: &RowKey<'_>) -> Option<usize> {
        if !could_have_lost_zeros(&key.value) {
            return None;
        }
        let is_it = |at: &usize| {
            let padded = self.keys.get(*at);
            padded.is_some_and(|padded| {
                padded.entity == key.entity && without_zeros(&padded.value) == Some(&*key.value)
            })
        };
        self.by_bare.like(&key.entity, &key.value).find(is_it)
    }
}

/// A number that begins with zeros, without them; `None`: it does not, or nothing is left that could have lost them.
fn without_zeros(number: &str) -> Option<&str> {
    bare_number(number).filter(|bare| bare.len() < number.len())
}

/// A number of digits without the zeros in front of it, if there are any.
pub(super) fn bare_number(number: &str) -> Option<&str> {
    Some(number.trim_start_matches('0')).filter(|bare| could_have_lost_zeros(bare))
}

/// A user's key, if they have one; nobody has that of a withdrawn user.
pub(super) fn user_key<'a>(
    user: &'a User,
    key: Key,
    entities: Option<&Coder<'a>>,
) -> Option<RowKey<'a>> {
    if user.withdrawn {
        return None;
    }
    let get = |field| user.values.get(field).map(Cow::Borrowed);
    let (entity, value) = match key {
        Key::Login => (None, lower(get(Field::Login)?)),
        Key::Email => (None, get(Field::Email)?),
        Key::EmployeeNumber => (None, get(Field::EmployeeNumber)?),
        Key::LegalEntityAndEmployeeNumber => {
            let entity = user.values.get(Field::LegalEntity)?;
            let entity = entities.map_or(Cow::Borrowed(entity), |coder| coder.stored(entity));
            (Some(entity), get(Field::EmployeeNumber)?)
        }
    };
    Some(RowKey { entity: entity.unwrap_or_default(), value })
}

/// Reads the key of a row.
pub(super) fn row_key<'t, 's: 't>(
    sheet: &'t Sheet<'s>,
    row: &Row<'t>,
) -> Result<RowKey<'t>, KeyProblem<'s>> {
    let mut key = RowKey { entity: Cow::Borrowed(""), value: Cow::Borrowed("") };
    for field in key_fields(sheet.key) {
        let text = key_cell(sheet, row, *field)?;
        match field {
            Field::LegalEntity => key.entity = text,
            Field::Login => key.value = lower(text),
            _ => key.value = text,
        }
    }
    Ok(key)
}

fn key_cell<'t, 's: 't>(
    sheet: &'t Sheet<'s>,
    row: &Row<'t>,
    field: Field,
) -> Result<Cow<'t, str>, KeyProblem<'s>> {
    let blank = || KeyProblem::Blank(field);
    let wired: &Wired<'s> = sheet.field(&FieldKey::Known(field)).ok_or_else(blank)?;
    let cell = row.get(wired.index).ok_or_else(blank)?;
    if let Some(coder) = &wired.coder {
        return match coder.cell(cell, &sheet.dates) {
            Ok(Some((_, taken))) => Ok(taken.code),
            Ok(None) => Err(blank()),
            Err(Problem::Cell(refusal)) => Err(KeyProblem::Refused(field, refusal)),
            Err(Problem::Code(refusal)) => Err(KeyProblem::Code(field, Arc::clone(coder), refusal)),
        };
    }
    match value(&wired.key, cell, &sheet.dates) {
        Ok(Value::Text(text)) => Ok(text),
        Ok(Value::Blank | Value::Open) => Err(blank()),
        Err(refusal) => Err(KeyProblem::Refused(field, refusal)),
    }
}
