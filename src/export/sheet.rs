//! The columns of one export's files.

use super::settings::{Column, ExportSettings, What};
use crate::import::directory::{Key, User};
use crate::import::fields::{Field, FieldKey};

/// The columns of a file, spelled out for one directory.
#[derive(Debug, Clone)]
pub struct Sheet<'s> {
    pub(super) settings: &'s ExportSettings,
    pub(super) columns: Vec<(Column, String)>,
}

impl<'s> Sheet<'s> {
    /// The columns of an export whose client has these columns of its own. `key` is what decides in the client's
    /// import folders who a row is: its fields stand first where the settings name no columns.
    #[must_use]
    pub fn new(settings: &'s ExportSettings, key: Option<Key>, custom: &[String]) -> Self {
        let wanted = match settings.columns.as_slice() {
            [] => usual(settings.what, key),
            columns => columns.to_vec(),
        };
        let named = |column: &Column| settings.columns.contains(column);
        let mut columns = Vec::new();
        for column in wanted {
            match column {
                Column::AllCustom => {
                    let own = custom.iter().map(|c| Column::Field(FieldKey::Custom(c.clone())));
                    columns.extend(own.filter(|column| !named(column)));
                }
                column => columns.push(column),
            }
        }
        let header = |column: &Column| match (settings.headers.get(column), column) {
            (Some(header), _) => header.clone(),
            (None, Column::Field(FieldKey::Custom(name))) => name.clone(),
            (None, column) => column.to_string(),
        };
        let columns = columns.into_iter().map(|column| (header(&column), column));
        Self { settings, columns: columns.map(|(header, column)| (column, header)).collect() }
    }

    /// The headers, in order.
    pub fn headers(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|(_, header)| header.as_str())
    }

    /// Whether a column is in the files.
    #[must_use]
    pub fn has(&self, column: &Column) -> bool {
        self.columns.iter().any(|(one, _)| one == column)
    }

    /// Whether the settings choose this user.
    #[must_use]
    pub fn chooses(&self, user: &User) -> bool {
        self.settings.only.iter().all(|(field, values)| {
            user.values.get_key(field).is_some_and(|value| values.contains(value))
        })
    }
}

/// What tells people apart first, as the import wants it; then every other field, in the order of the user record.
fn usual(what: What, key: Option<Key>) -> Vec<Column> {
    let first: &[Field] = match key {
        Some(Key::Login) => &[Field::Login],
        Some(Key::Email) => &[Field::Email],
        // The name between them: number and legal entity side by side would be a key of both.
        Some(Key::EmployeeNumber) => &[Field::EmployeeNumber, Field::LastName, Field::FirstName],
        Some(Key::LegalEntityAndEmployeeNumber) | None => {
            &[Field::LegalEntity, Field::EmployeeNumber]
        }
    };
    let others = Field::ALL.iter().filter(|field| !first.contains(field));
    let mut columns: Vec<Column> = first.iter().chain(others).map(|f| Column::known(*f)).collect();
    columns.push(Column::AllCustom);
    if what != What::All {
        columns.extend([Column::State, Column::PreviousNumber]);
    }
    columns
}
