//! What new users get. Of a million of them nothing is copied: what stands in a row's own cells is read from there.

use std::borrow::Cow;
use std::num::NonZeroU32;

use super::memo::Memo;
use super::sheet::Sheet;
use super::{UserWrite, Written};
use crate::import::Filler;
use crate::import::directory::Values;
use crate::import::fields::{Field, FieldKey, Value};
use crate::import::table::Row;
use crate::import::values::bit;

/// What a new user gets, beside the row that says so.
#[derive(Debug, Clone, Default)]
pub(super) struct Given {
    /// The columns whose value is what their cell says: their bits (`Wired::bit`).
    cells: u64,
    /// Those of them whose cell is the value, letter by letter: they need not be read as values again.
    plain: u64,
    /// Everything else: defaults, codes of several columns, a login that was made.
    own: Option<Box<Values>>,
    /// The manager by id; nearly every new user has one, so it has a place of its own.
    boss: Option<NonZeroU32>,
}

impl Given {
    /// Takes what the cell of the column with this bit says, or what stands in it as it is.
    pub(super) fn take_cell(&mut self, bit: u64, as_it_stands: bool) {
        self.cells |= bit;
        self.plain = if as_it_stands { self.plain | bit } else { self.plain & !bit };
    }

    /// Whether the value of the column with this bit is what its cell says.
    pub(super) fn has_cell(&self, bit: u64) -> bool {
        self.cells & bit != 0
    }

    /// Whether the field has a value.
    pub(super) fn has(&self, field: Field) -> bool {
        self.filled() & bit(field) != 0
    }

    /// Takes what stands in no cell.
    pub(super) fn take_own(&mut self, own: Values) {
        self.own = Some(Box::new(own)).filter(|own| own.count() > 0);
    }

    /// Sets what stands in no cell.
    pub(super) fn set(&mut self, field: Field, value: &str) {
        self.cells &= !bit(field);
        self.plain &= !bit(field);
        self.own.get_or_insert_default().set(&FieldKey::Known(field), Some(value));
    }

    /// Sets the manager, by id.
    pub(super) fn set_boss(&mut self, id: i64) {
        match u32::try_from(id).ok().and_then(NonZeroU32::new) {
            Some(boss) => self.boss = Some(boss),
            None => self.set(Field::Manager, &id.to_string()),
        }
    }

    /// How many fields and columns have a value.
    pub(super) fn count(&self) -> usize {
        let own = self.own.as_ref().map_or(0, |own| own.count());
        let cells = usize::try_from(self.cells.count_ones()).unwrap_or(0);
        cells + own + usize::from(self.boss.is_some())
    }

    /// The bits of the fields of the catalogue that have a value, and of columns behind them.
    fn filled(&self) -> u64 {
        let own = self.own.as_ref().map_or(0, |own| own.filled());
        self.cells | own | self.boss.map_or(0, |_| bit(Field::Manager))
    }

    /// The value of a field. The manager is not asked for here: until everybody has an id there is none.
    pub(super) fn get<'x>(
        &'x self,
        sheet: &'x Sheet<'_>,
        row: Option<Row<'x>>,
        field: Field,
    ) -> Option<Cow<'x, str>> {
        if self.plain & bit(field) != 0 {
            return row?.get(sheet.field(&FieldKey::Known(field))?.index);
        }
        if self.has_cell(bit(field)) {
            return sheet.value_of(&row?, field);
        }
        self.own.as_ref()?.get(field).map(Cow::Borrowed)
    }
}

/// Makes new users' values of their rows, one after the other.
pub(super) struct Maker<'x> {
    sheet: &'x Sheet<'x>,
    /// One for each column that fills a field.
    memos: Vec<Memo<'x>>,
    filler: Filler,
}

impl<'x> Maker<'x> {
    pub(super) fn new(sheet: &'x Sheet<'_>) -> Self {
        let memos = sheet.wired.iter().map(|wired| Memo::new(&wired.key)).collect();
        Self { sheet, memos, filler: Filler::default() }
    }

    /// All values that a new user gets.
    pub(super) fn values(&mut self, row: &Row<'x>, given: &Given) -> Values {
        for (wired, memo) in self.sheet.wired.iter().zip(&mut self.memos) {
            if !given.has_cell(wired.bit) {
                continue;
            }
            let Some(cell) = row.get(wired.index) else { continue };
            if given.plain & wired.bit != 0 {
                self.filler.put_key(&wired.key, &cell);
            } else if wired.coder.is_some() {
                if let Some(text) = self.sheet.said_in(row, wired) {
                    self.filler.put_key(&wired.key, &text);
                }
            } else if let Ok(Value::Text(text)) = memo.value(&wired.key, cell, &self.sheet.dates) {
                self.filler.put_key(&wired.key, &text);
            }
        }
        for (key, value) in given.own.iter().flat_map(|own| own.all()) {
            self.filler.put_key(&key, value);
        }
        if let Some(boss) = given.boss {
            self.filler.put(Field::Manager, &boss.to_string());
        }
        self.filler.finish()
    }
}

/// A row that makes a user.
#[derive(Debug)]
pub(super) struct Newcomer {
    /// Its place among the rows.
    pub row: u32,
    pub given: Given,
}

/// The users whom a plan creates, in the order of the file. They are made of their rows one after the other, so the
/// file stays where it is until they are written.
#[derive(Debug, Default)]
pub struct Newcomers<'a> {
    sheet: Option<Sheet<'a>>,
    new: Vec<Newcomer>,
    /// The id of the first; each next one has the next.
    first_id: i64,
}

impl<'a> Newcomers<'a> {
    pub(super) fn new(sheet: Sheet<'a>, new: Vec<Newcomer>, first_id: i64) -> Self {
        Self { sheet: Some(sheet), new, first_id }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.new.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.new.is_empty()
    }

    /// The fields of the catalogue that any of them has, in the order of the user record.
    #[must_use]
    pub fn fields(&self) -> Vec<Field> {
        let filled = self.new.iter().fold(0, |filled, new| filled | new.given.filled());
        Field::ALL.iter().copied().filter(|field| filled & bit(*field) != 0).collect()
    }

    /// What is written for each of them.
    pub fn writes(&self) -> impl Iterator<Item = UserWrite> {
        self.sheet.iter().flat_map(|sheet| writes(sheet, &self.new, self.first_id))
    }
}

/// What is written for new users of whom the first has this id.
pub(super) fn writes<'x>(
    sheet: &'x Sheet<'_>,
    new: &'x [Newcomer],
    first_id: i64,
) -> impl Iterator<Item = UserWrite> {
    let mut maker = Maker::new(sheet);
    new.iter().zip(first_id..).filter_map(move |(new, user_id)| {
        let row = sheet.table.row(usize::try_from(new.row).ok()?)?;
        let what = Written::Created(maker.values(&row, &new.given));
        Some(UserWrite { user_id, line: row.line(), what })
    })
}

/// New users among the other writes, in the order of the file; what no row says comes last.
pub(super) fn merged(
    new: impl Iterator<Item = UserWrite>,
    others: Vec<UserWrite>,
) -> Vec<UserWrite> {
    let mut all = Vec::with_capacity(others.len() + new.size_hint().0);
    let mut others = others.into_iter().peekable();
    for write in new {
        while let Some(before) = others.next_if(|other| other.line > 0 && other.line < write.line) {
            all.push(before);
        }
        all.push(write);
    }
    all.extend(others);
    all
}
