//! One user's values, in as few bytes as they need: a directory of a million people is held in memory while it is planned.

use std::collections::BTreeMap;
use std::ops::Range;

use super::fields::{Field, FieldKey};

/// The values of one user, in canonical text.
///
/// Dates are `YYYY-MM-DD`, decimals use a point, e-mails are lower-cased, `manager` is the other
/// user's id in decimal digits, `roles` are joined by a line feed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Values {
    /// Which fields have a value: the bit of their place in the user record. The highest bit: LONG.
    filled: u64,
    /// The lengths of the values, each in one or more ASCII characters (six bits a character, low first, 0x40: more
    /// follow), then the values themselves; both in the order of the user record.
    packed: Box<str>,
    /// Hardly anybody has any.
    custom: Option<Box<Customs>>,
}

/// Custom columns and their values.
type Customs = BTreeMap<String, Box<str>>;

/// Some length takes more than one character; without it a value is found by adding up a few bytes.
const LONG: u64 = 1 << 63;
const _: () = assert!(Field::ALL.len() < 64, "the highest bit is no field's");
/// The longest value whose length takes one character.
const MAX_SHORT: usize = 0x3F;

const LOW: u8 = 0x3F;
const MORE: u8 = 0x40;

impl Values {
    /// The value of a field.
    #[must_use]
    pub fn get(&self, field: Field) -> Option<&str> {
        if self.filled & bit(field) == 0 {
            return None;
        }
        let place = (self.filled & (bit(field) - 1)).count_ones();
        if self.filled & LONG == 0 {
            let place = usize::try_from(place).ok()?;
            let (before, from) = self.packed.as_bytes().split_at_checked(place)?;
            let before: usize = before.iter().map(|length| usize::from(*length)).sum();
            let start = usize::try_from(self.filled.count_ones()).ok()? + before;
            return self.packed.get(start..start + usize::from(*from.first()?));
        }
        let (mut start, mut len) = (0, 0);
        let mut lengths = Lengths { packed: self.packed.as_bytes(), at: 0 };
        for other in 0..self.fields() {
            let next = lengths.next();
            if other < place {
                start += next;
            } else if other == place {
                len = next;
            }
        }
        self.packed.get(lengths.at + start..lengths.at + start + len)
    }

    /// The value of a field or custom column.
    #[must_use]
    pub fn get_key(&self, key: &FieldKey) -> Option<&str> {
        match key {
            FieldKey::Known(field) => self.get(*field),
            FieldKey::Custom(name) => self.custom.as_ref()?.get(name).map(AsRef::as_ref),
        }
    }

    /// Sets or clears a field or custom column.
    pub fn set(&mut self, key: &FieldKey, value: Option<&str>) {
        match (key, value) {
            (FieldKey::Known(field), Some(text)) if self.filled & bit(*field) == 0 => {
                self.insert(*field, text);
            }
            (FieldKey::Known(field), value) => {
                let mut filler = Filler::default();
                for (other, text) in self.known() {
                    filler.put(other, text);
                }
                filler.take(*field);
                if let Some(text) = value {
                    filler.put(*field, text);
                }
                let custom = std::mem::take(&mut self.custom);
                *self = filler.finish();
                self.custom = custom;
            }
            (FieldKey::Custom(name), Some(text)) => {
                self.custom.get_or_insert_default().insert(name.clone(), text.into());
            }
            (FieldKey::Custom(name), None) => {
                if let Some(custom) = &mut self.custom {
                    custom.remove(name);
                }
                self.custom.take_if(|custom| custom.is_empty());
            }
        }
    }

    /// Gives a field its first value: one copy, for every new user gets a manager last.
    fn insert(&mut self, field: Field, text: &str) {
        let before = (self.filled & (bit(field) - 1)).count_ones();
        let mut lengths = Lengths { packed: self.packed.as_bytes(), at: 0 };
        (0..before).for_each(|_| _ = lengths.next());
        let lengths_before = lengths.at;
        let behind: usize = (before..self.fields()).map(|_| lengths.next()).sum();
        let place = self.packed.len() - behind;
        let part = |range: Range<usize>| self.packed.get(range).unwrap_or_default();
        let room = self.packed.len() + length_bytes(text.len()) + text.len();
        let mut packed = String::with_capacity(room);
        packed.push_str(part(0..lengths_before));
        push_length(&mut packed, text.len());
        packed.push_str(part(lengths_before..place));
        packed.push_str(text);
        packed.push_str(part(place..self.packed.len()));
        self.packed = packed.into_boxed_str();
        self.filled |= bit(field) | if text.len() > MAX_SHORT { LONG } else { 0 };
    }

    /// The bits of the fields of the catalogue that have a value.
    pub(super) fn filled(&self) -> u64 {
        self.filled & !LONG
    }

    /// How many fields of the catalogue have a value.
    fn fields(&self) -> u32 {
        (self.filled & !LONG).count_ones()
    }

    /// The fields of the catalogue that have a value, in the order of the user record.
    pub fn known(&self) -> impl Iterator<Item = (Field, &str)> {
        let mut lengths = Lengths { packed: self.packed.as_bytes(), at: 0 };
        let bytes: usize = (0..self.fields()).map(|_| lengths.next()).sum();
        let head = self.packed.len() - bytes;
        lengths.at = 0;
        let mut start = head;
        let mut filled = self.filled;
        let fields = std::iter::from_fn(move || {
            let index = usize::try_from(filled.trailing_zeros()).ok()?;
            filled &= filled.wrapping_sub(1);
            Field::ALL.get(index).copied()
        });
        fields.filter_map(move |field| {
            let from = start;
            start += lengths.next();
            Some((field, self.packed.get(from..start)?))
        })
    }

    /// The custom columns and their values, by name.
    pub fn custom(&self) -> impl Iterator<Item = (&str, &str)> {
        let custom = self.custom.iter().flat_map(|custom| custom.iter());
        custom.map(|(name, value)| (name.as_str(), value.as_ref()))
    }

    /// Everything that has a value: the fields in the order of the user record, then the custom columns by name.
    pub fn all(&self) -> impl Iterator<Item = (FieldKey, &str)> {
        let custom = self.custom().map(|(name, value)| (FieldKey::Custom(name.to_owned()), value));
        self.known().map(|(field, value)| (FieldKey::Known(field), value)).chain(custom)
    }

    /// The fields of the catalogue that any of these has, in the order of the user record.
    #[must_use]
    pub fn fields_of<'v>(all: impl Iterator<Item = &'v Self>) -> Vec<Field> {
        let filled = all.fold(0, |filled, values| filled | values.filled);
        Field::ALL.iter().copied().filter(|field| filled & bit(*field) != 0).collect()
    }

    /// How many fields and custom columns have a value.
    #[must_use]
    pub fn count(&self) -> usize {
        let custom = self.custom.as_ref().map_or(0, |custom| custom.len());
        usize::try_from(self.fields()).unwrap_or(0) + custom
    }
}

/// The bit of a field.
pub(super) fn bit(field: Field) -> u64 {
    1_u64.rotate_left(u32::try_from(field.index()).unwrap_or(0))
}

/// Reads the lengths at the head of packed values.
struct Lengths<'v> {
    packed: &'v [u8],
    at: usize,
}

impl Lengths<'_> {
    fn next(&mut self) -> usize {
        let (mut length, mut shift) = (0_usize, 0);
        while let Some(byte) = self.packed.get(self.at) {
            self.at += 1;
            length |= usize::from(byte & LOW) << shift;
            shift += 6;
            if byte & MORE == 0 {
                break;
            }
        }
        length
    }
}

/// Gathers the values of one user after another; what it needs for that it keeps.
#[derive(Debug, Clone)]
pub struct Filler {
    text: String,
    spans: [Range<usize>; Field::ALL.len()],
    filled: u64,
    custom: Customs,
}

impl Default for Filler {
    fn default() -> Self {
        Self {
            text: String::new(),
            spans: [const { 0..0 }; Field::ALL.len()],
            filled: 0,
            custom: BTreeMap::new(),
        }
    }
}

impl Filler {
    /// Gives a field of the catalogue its value.
    pub fn put(&mut self, field: Field, value: &str) {
        let start = self.text.len();
        self.text.push_str(value);
        if let Some(span) = self.spans.get_mut(field.index()) {
            *span = start..self.text.len();
            self.filled |= bit(field);
        }
    }

    /// Gives a field or custom column its value.
    pub fn put_key(&mut self, key: &FieldKey, value: &str) {
        match key {
            FieldKey::Known(field) => self.put(*field, value),
            FieldKey::Custom(name) => drop(self.custom.insert(name.clone(), value.into())),
        }
    }

    /// Takes a field's value away.
    pub fn take(&mut self, field: Field) {
        self.filled &= !bit(field);
    }

    /// The value of a field or custom column so far.
    #[must_use]
    pub fn get_key(&self, key: &FieldKey) -> Option<&str> {
        match key {
            FieldKey::Known(field) if self.filled & bit(*field) == 0 => None,
            FieldKey::Known(field) => self.text.get(self.spans.get(field.index())?.clone()),
            FieldKey::Custom(name) => self.custom.get(name).map(AsRef::as_ref),
        }
    }

    /// Whether nothing was put since the last user.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.filled == 0 && self.custom.is_empty()
    }

    /// The user's values; the next user's can be put after that.
    pub fn finish(&mut self) -> Values {
        let filled =
            |index: &usize| self.filled.rotate_right(u32::try_from(*index).unwrap_or(0)) & 1 == 1;
        let spans = || self.spans.iter().enumerate().filter(|(i, _)| filled(i)).map(|(_, s)| s);
        let bytes: usize = spans().map(|span| span.len() + length_bytes(span.len())).sum();
        let mut packed = String::with_capacity(bytes);
        for span in spans() {
            push_length(&mut packed, span.len());
        }
        for span in spans() {
            packed.push_str(self.text.get(span.clone()).unwrap_or_default());
        }
        let is_long = spans().any(|span| span.len() > MAX_SHORT);
        let values = Values {
            filled: self.filled | if is_long { LONG } else { 0 },
            packed: packed.into_boxed_str(),
            custom: (!self.custom.is_empty()).then(|| Box::new(std::mem::take(&mut self.custom))),
        };
        self.text.clear();
        self.filled = 0;
        values
    }
}

/// Adds a length.
fn push_length(packed: &mut String, length: usize) {
    let mut rest = length;
    loop {
        let low = u8::try_from(rest & usize::from(LOW)).unwrap_or(0);
        rest >>= 6;
        packed.push(char::from(if rest == 0 { low } else { low | MORE }));
        if rest == 0 {
            return;
        }
    }
}

/// How many characters a length takes.
fn length_bytes(length: usize) -> usize {
    let mut bytes = 1;
    let mut rest = length >> 6;
    while rest != 0 {
        bytes += 1;
        rest >>= 6;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_is_there_and_nothing_else() {
        let long = "é".repeat(70_000);
        let mut values = Values::default();
        let mut model: BTreeMap<FieldKey, String> = BTreeMap::new();
        let texts = ["", "x", "Zoé", &"a".repeat(63), &"b".repeat(64), &"c".repeat(4096), &long];
        for (round, text) in texts.iter().cycle().take(200).enumerate() {
            let field = Field::ALL[round * 7 % Field::ALL.len()];
            let key = match round % 5 {
                0 => FieldKey::Custom(format!("c{}", round % 3)),
                _ => FieldKey::Known(field),
            };
            let value = Some(*text).filter(|_| round % 11 != 0);
            values.set(&key, value);
            match value {
                Some(text) => drop(model.insert(key, text.to_owned())),
                None => drop(model.remove(&key)),
            }
            for (key, text) in &model {
                assert_eq!(values.get_key(key), Some(text.as_str()), "{key}");
            }
            let known: Vec<Field> = values.known().map(|(field, _)| field).collect();
            assert_eq!(Values::fields_of([&Values::default(), &values].into_iter()), known);
            let all: BTreeMap<FieldKey, String> =
                values.all().map(|(key, text)| (key, text.to_owned())).collect();
            assert_eq!(all, model);
            assert_eq!(values.count(), model.len());
        }
        for key in model.keys() {
            values.set(key, None);
        }
        assert_eq!(values, Values::default());
    }

    #[test]
    fn a_filler_starts_anew_after_each_user() {
        let mut filler = Filler::default();
        filler.put(Field::LastName, "Dupont");
        filler.put(Field::LastName, "Martin");
        filler.put_key(&FieldKey::Custom("badge".to_owned()), "7");
        let first = filler.finish();
        assert_eq!(first.get(Field::LastName), Some("Martin"));
        assert_eq!(first.custom().collect::<Vec<_>>(), [("badge", "7")]);
        assert_eq!(filler.finish(), Values::default());
    }
}
