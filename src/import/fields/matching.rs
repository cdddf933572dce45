//! A table's columns and the fields that they fill; duplicate and ambiguous headers are settled or told.

use std::collections::BTreeMap;

use serde::Serialize;

use super::headers::{Headers, MatchedBy, Meaning, custom_name};
use super::values::looks;
use super::{Field, FieldKey};
use crate::import::note::Note;
use crate::import::settings::UnknownColumns;
use crate::import::table::{Row, Table};
use crate::import::text::{clean, clean_words, fold};

/// One column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Column {
    /// Its place, from 0.
    pub index: usize,
    /// Its letter in a spreadsheet.
    pub letter: String,
    /// Its header, tidied.
    pub header: String,
    /// The field that it fills.
    pub field: Option<FieldKey>,
    /// How that was found, or why it is not read.
    pub matched_by: MatchedBy,
}

/// How the columns of a table are read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Columns {
    /// Every column, in the order of the file.
    pub columns: Vec<Column>,
    /// H103, H104 and H105.
    pub notes: Vec<Note>,
    /// The file has the columns `_code` and `_message`: refused rows that come back.
    pub is_corrections: bool,
    /// The column of the number that a person had before.
    pub previous_employee_number: Option<usize>,
}

/// Whether a row has the cells that it should have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CellCount {
    /// As many as the header; blank ones beyond it do not count.
    Full,
    /// More than the header: some value stands in no column.
    TooMany,
    /// The column of a needed field is missing at the end.
    MissingNeeded(FieldKey),
    /// So many columns are missing at the end, none of them needed.
    MissingOptional(usize),
}

/// How many rows are looked at to tell what an ambiguous column holds.
const SAMPLE_ROWS: usize = 200;

/// Finds the field of each column.
#[must_use]
pub fn match_columns(table: &Table<'_>, headers: &Headers) -> Columns {
    let meanings: Vec<Meaning> =
        table.header().iter().map(|header| headers.meaning(header)).collect();
    let mut found = Columns::default();
    for (index, (header, meaning)) in table.header().iter().zip(&meanings).enumerate() {
        let (field, matched_by) = match meaning {
            Meaning::Field(key, by) => (Some(key.clone()), *by),
            Meaning::Numbered(field, number) => numbered(&meanings, header, *field, *number),
            Meaning::Ambiguous(_) => (None, MatchedBy::Ambiguous),
            Meaning::PreviousNumber | Meaning::Correction => (None, MatchedBy::Control),
            Meaning::Unknown => match custom_name(header) {
                name if headers.unknown == UnknownColumns::Keep && !name.is_empty() => {
                    (Some(FieldKey::Custom(name)), MatchedBy::Custom)
                }
                _ => (None, MatchedBy::Unknown),
            },
        };
        if *meaning == Meaning::PreviousNumber {
            found.previous_employee_number.get_or_insert(index);
        }
        let header = clean_words(header).into_owned();
        found.columns.push(Column { index, letter: letter(index), header, field, matched_by });
    }
    found.is_corrections =
        meanings.iter().filter(|meaning| **meaning == Meaning::Correction).count() >= 2;
    found.tell_overruled(table, headers);
    found.settle_family_name();
    found.settle_duplicates(table);
    found.settle_ambiguous(table, &meanings);
    found.tell_unknown(table);
    found
}

/// Whether columns hold the same value in every row.
fn say_the_same(table: &Table<'_>, columns: &[usize]) -> bool {
    table.rows().all(|row| {
        let mut cells = columns.iter().map(|index| row.get(*index));
        let first = cells.next().flatten();
        let first = first.as_deref().map(clean_words);
        cells.all(|cell| cell.as_deref().map(clean_words) == first)
    })
}

/// The lowest of a numbered family gives the field; the others are kept as the client's own columns.
fn numbered(
    all: &[Meaning],
    header: &str,
    field: Field,
    number: u32,
) -> (Option<FieldKey>, MatchedBy) {
    let is_lower = |meaning: &Meaning| match meaning {
        Meaning::Numbered(other, n) => *other == field && *n < number,
        Meaning::Field(FieldKey::Known(other), MatchedBy::Code) => *other == field,
        _ => false,
    };
    if all.iter().any(is_lower) {
        (Some(FieldKey::Custom(custom_name(header))), MatchedBy::Custom)
    } else {
        (Some(FieldKey::Known(field)), MatchedBy::Code)
    }
}

impl Columns {
    /// The column that fills a field (the first one, for roles).
    #[must_use]
    pub fn position(&self, key: &FieldKey) -> Option<usize> {
        self.positions(key).next()
    }

    /// Every column that fills a field; more than one only for roles.
    pub fn positions(&self, key: &FieldKey) -> impl Iterator<Item = usize> {
        self.columns.iter().filter(move |c| c.field.as_ref() == Some(key)).map(|c| c.index)
    }

    /// Whether a row has its cells; `needed` says which fields a row cannot do without.
    pub fn cell_count(&self, row: &Row<'_>, needed: impl Fn(&FieldKey) -> bool) -> CellCount {
        let missing = self.columns.get(row.len()..).unwrap_or_default();
        if missing.is_empty() {
            let extra = self.columns.len()..row.len();
            let all_blank =
                extra.into_iter().filter_map(|i| row.get(i)).all(|cell| clean(&cell).is_empty());
            return if all_blank { CellCount::Full } else { CellCount::TooMany };
        }
        let keys = || missing.iter().filter_map(|column| column.field.as_ref());
        if let Some(key) = keys().find(|key| needed(key)) {
            return CellCount::MissingNeeded(key.clone());
        }
        if missing.iter().all(|column| column.matched_by == MatchedBy::Blank) {
            return CellCount::Full;
        }
        CellCount::MissingOptional(missing.len())
    }

    /// `Nom de famille` beside `Nom d'usage` is the name at birth: French payroll declarations name the two so (DSN,
    /// S21.G00.30.002 and S21.G00.30.003).
    fn settle_family_name(&mut self) {
        let last = FieldKey::Known(Field::LastName);
        let birth = FieldKey::Known(Field::BirthName);
        if self.position(&birth).is_some() {
            return;
        }
        let is_last = |column: &Column| {
            column.field.as_ref() == Some(&last) && column.matched_by == MatchedBy::Synonym
        };
        let in_use = |column: &Column| {
            let name = fold(&column.header);
            is_last(column) && ["nomdusage", "nomusage", "nomusuel", "nommarital"].contains(&&*name)
        };
        if !self.columns.iter().any(in_use) {
            return;
        }
        let family = |column: &&mut Column| {
            is_last(column) && ["nomdefamille", "nomfamille"].contains(&&*fold(&column.header))
        };
        for column in self.columns.iter_mut().filter(family) {
            column.field = Some(birth.clone());
            column.matched_by = MatchedBy::Neighbours;
        }
    }

    /// A code or alias beats a synonym; among equals the first is read if they say the same in every row, else none (H104).
    fn settle_duplicates(&mut self, table: &Table<'_>) {
        let mut by_field: BTreeMap<FieldKey, Vec<usize>> = BTreeMap::new();
        for column in &self.columns {
            if let Some(key) = &column.field
                && *key != FieldKey::Known(Field::Roles)
            {
                by_field.entry(key.clone()).or_default().push(column.index);
            }
        }
        for (key, indexes) in by_field.into_iter().filter(|(_, indexes)| indexes.len() > 1) {
            let is_strong = |index: &&usize| {
                self.columns.get(**index).is_some_and(|column| {
                    matches!(
                        column.matched_by,
                        MatchedBy::Code | MatchedBy::Alias | MatchedBy::Custom
                    )
                })
            };
            let strong: Vec<usize> = indexes.iter().filter(is_strong).copied().collect();
            let same = strong.len() != 1 && say_the_same(table, &indexes);
            let kept = match strong.as_slice() {
                [one] => Some(*one),
                _ if same => indexes.first().copied(),
                _ => None,
            };
            for index in indexes.iter().filter(|index| Some(**index) != kept) {
                if let Some(column) = self.columns.get_mut(*index) {
                    column.field = None;
                    column.matched_by = MatchedBy::Duplicate;
                }
            }
            let why = if same { "same" } else { "" };
            self.tell_duplicate(&key, &indexes, kept, why);
        }
    }

    fn tell_duplicate(
        &mut self,
        key: &FieldKey,
        indexes: &[usize],
        kept: Option<usize>,
        why: &'static str,
    ) {
        let named = |index: &usize| {
            self.columns.get(*index).map(|c| format!("{} \"{}\"", c.letter, c.header))
        };
        let columns: Vec<String> = indexes.iter().filter_map(named).collect();
        let mut params = vec![
            ("field", key.to_string()),
            ("columns", columns.join(", ")),
            ("kept", kept.map(letter).unwrap_or_default()),
        ];
        if !why.is_empty() {
            params.push(("hint", why.to_owned()));
        }
        let note = Note::new("H104", params);
        self.notes.push(match indexes.first() {
            Some(first) => note.in_column(*first),
            None => note,
        });
    }

    /// Neighbours first: a field that another column fills is out. Then values. Else H105.
    fn settle_ambiguous(&mut self, table: &Table<'_>, meanings: &[Meaning]) {
        let ambiguous: Vec<(usize, &'static [Field])> = meanings
            .iter()
            .enumerate()
            .filter_map(|(index, meaning)| match meaning {
                Meaning::Ambiguous(fields) => Some((index, *fields)),
                _ => None,
            })
            .collect();
        for (index, candidates) in &ambiguous {
            let header = table.header().get(*index).map(String::as_str).unwrap_or_default();
            let settled = self.settle(table, *index, candidates);
            let taken = |field: Field| self.position(&FieldKey::Known(field)).is_some();
            match settled {
                Some((field, by)) if !taken(field) => {
                    if let Some(column) = self.columns.get_mut(*index) {
                        column.field = Some(FieldKey::Known(field));
                        column.matched_by = by;
                    }
                }
                _ => {
                    let names: Vec<&str> = candidates.iter().map(|field| field.name()).collect();
                    let params = vec![
                        ("header", clean_words(header).into_owned()),
                        ("fields", names.join(", ")),
                    ];
                    self.notes.push(Note::new("H105", params).in_column(*index));
                }
            }
        }
    }

    fn settle(
        &self,
        table: &Table<'_>,
        index: usize,
        candidates: &[Field],
    ) -> Option<(Field, MatchedBy)> {
        let has = |field: Field| self.position(&FieldKey::Known(field)).is_some();
        let values = sample(table, index);
        if candidates == [Field::LastName] {
            // "Name" beside a first name is the last name; alone, or as "Smith, Anna", it is a whole name.
            let whole = values.iter().filter(|value| value.contains(',')).count();
            let is_last =
                has(Field::FirstName) && !has(Field::LastName) && whole * 2 <= values.len();
            return is_last.then_some((Field::LastName, MatchedBy::Neighbours));
        }
        if candidates == [Field::EmployeeNumber] {
            let alone = !has(Field::EmployeeNumber)
                && !is_house_number(table.header(), index)
                && !values.is_empty()
                && values.iter().all(|value| looks::like_number(value));
            return alone.then_some((Field::EmployeeNumber, MatchedBy::Values));
        }
        let by_values = settle_by_values(&values, candidates);
        if by_values.is_some() {
            return by_values.map(|field| (field, MatchedBy::Values));
        }
        let free: Vec<Field> = candidates.iter().copied().filter(|field| !has(*field)).collect();
        match free.as_slice() {
            // One of the two is there under its own name: this column is the other.
            [one] if candidates.len() == 2 && can_be(*one, &values) => {
                Some((*one, MatchedBy::Neighbours))
            }
            // With no legal entity in the file, the establishment beside the number is what the pair means.
            [_, Field::LegalEntity] if index <= 1 && self.number_is_beside(index) => {
                Some((Field::LegalEntity, MatchedBy::Neighbours))
            }
            _ => None,
        }
    }

    fn number_is_beside(&self, index: usize) -> bool {
        let number = self.position(&FieldKey::Known(Field::EmployeeNumber));
        number.is_some_and(|at| at <= 1 && at != index)
    }

    /// H105 for each alias that has no effect, for its header is a code of another field.
    fn tell_overruled(&mut self, table: &Table<'_>, headers: &Headers) {
        for (index, header) in table.header().iter().enumerate() {
            let Some(alias) = headers.overruled_alias(header) else { continue };
            let params = vec![
                ("hint", "alias".to_owned()),
                ("header", clean_words(header).into_owned()),
                ("alias_field", alias.to_string()),
            ];
            self.notes.push(Note::new("H105", params).in_column(index));
        }
    }

    /// H103 for each column that has values and no field.
    fn tell_unknown(&mut self, table: &Table<'_>) {
        for column in &mut self.columns {
            if column.matched_by != MatchedBy::Unknown {
                continue;
            }
            if column.header.is_empty() && is_blank_column(table, column.index) {
                column.matched_by = MatchedBy::Blank;
                continue;
            }
            let params = vec![("header", column.header.clone())];
            self.notes.push(Note::new("H103", params).in_column(column.index));
        }
    }
}

fn is_blank_column(table: &Table<'_>, index: usize) -> bool {
    table.rows().filter_map(|row| row.get(index)).all(|cell| clean(&cell).is_empty())
}

/// The first values of a column, blank ones left out.
fn sample(table: &Table<'_>, index: usize) -> Vec<String> {
    table
        .rows()
        .filter_map(|row| row.get(index))
        .map(|cell| clean_words(&cell).into_owned())
        .filter(|cell| !cell.is_empty())
        .take(SAMPLE_ROWS)
        .collect()
}

/// The only candidate whose kind of value (nearly) all values have.
fn settle_by_values(values: &[String], candidates: &[Field]) -> Option<Field> {
    let fits = |field: &&Field| -> bool {
        let like: fn(&str) -> bool = match field {
            Field::Status => looks::like_status,
            Field::Csp => looks::like_csp,
            Field::Gender => looks::like_gender,
            Field::Establishment => looks::like_siret,
            Field::LegalEntity => looks::like_siren,
            Field::EmployeeNumber => looks::like_number,
            Field::Login => looks::like_login,
            _ => return false,
        };
        let hits = values.iter().filter(|value| like(value)).count();
        !values.is_empty() && hits * 10 >= values.len() * 9
    };
    let fitting: Vec<Field> = candidates.iter().filter(fits).copied().collect();
    match fitting.as_slice() {
        [one] => Some(*one),
        _ => None,
    }
}

/// Whether nothing in the values speaks against a field that the neighbours leave over.
fn can_be(field: Field, values: &[String]) -> bool {
    match field {
        Field::Status => values.iter().all(|value| looks::like_status(value)),
        Field::Login => values.iter().all(|value| looks::like_login(value)),
        Field::EmployeeNumber => values.iter().all(|value| looks::like_number(value)),
        Field::Gender => values.iter().all(|value| looks::like_gender(value)),
        // One "Dr." among them: the column holds what people are called, not what they do.
        Field::JobTitle => !values.iter().any(|value| looks::like_form_of_address(value)),
        Field::Csp => !values.iter().any(|value| looks::like_marital_status(value)),
        _ => true,
    }
}

/// Whether a column that is only called "number" stands in an address: `Straße;Nr.;PLZ`, `Numéro;Voie`.
fn is_house_number(header: &[String], index: usize) -> bool {
    const BESIDE: &[&str] = &[
        "rue",
        "voie",
        "typevoie",
        "typedevoie",
        "naturevoie",
        "nomvoie",
        "nomdelavoie",
        "libellevoie",
        "bis",
        "bister",
        "strasse",
        "str",
        "strassenname",
        "street",
        "streetname",
        "road",
        "plz",
        "postleitzahl",
        "codepostal",
        "cp",
        "zip",
        "zipcode",
        "postcode",
        "postalcode",
    ];
    let before = index.checked_sub(1).and_then(|at| header.get(at));
    [before, header.get(index + 1)].into_iter().flatten().any(|name| {
        let folded = fold(name);
        BESIDE.contains(&folded.as_str())
    })
}

/// A column's letter in a spreadsheet: A … Z, AA, AB …
#[must_use]
pub fn letter(index: usize) -> String {
    let mut letters = Vec::new();
    let mut rest = index;
    loop {
        letters.push(u8::try_from(rest % 26).map_or('?', |n| char::from(b'A' + n)));
        match (rest / 26).checked_sub(1) {
            Some(next) => rest = next,
            None => break,
        }
    }
    letters.into_iter().rev().collect()
}
