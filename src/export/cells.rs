//! One user's cells: canonical values with the manager named and codes mapped; what they print to.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use sha2::{Digest, Sha256};

use super::settings::{Column, ManagerAs, UnmappedOut, ValueMapOut};
use super::sheet::Sheet;
use crate::import::directory::{User, Values};
use crate::import::fields::{Field, FieldKey};
use crate::import::standing::Standing;

/// What rows name besides the user's own values.
#[derive(Debug, Clone, Default)]
pub struct Around {
    /// The managers by id: number, legal entity, login, e-mail and names.
    pub managers: HashMap<i64, Values>,
    /// Employee numbers that several users have, in different legal entities.
    pub shared_numbers: HashSet<String>,
    /// Employee numbers that are somebody's, as far as a manager's login or e-mail could be taken for one.
    pub numbers: HashSet<String>,
    /// The numbers of users whose number has changed since the last run, as it was then.
    pub previous_numbers: HashMap<i64, String>,
}

/// One user's cells, in the order of the columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cells<'u> {
    /// The texts, dates and decimals still canonical.
    pub texts: Vec<Cow<'u, str>>,
    /// The columns whose value no map has, though it should: column and value.
    pub blocked: Vec<(Column, String)>,
}

impl Sheet<'_> {
    /// A user's cells.
    #[must_use]
    pub fn cells<'u>(&self, user: &'u User, standing: Standing, around: &'u Around) -> Cells<'u> {
        let mut blocked = Vec::new();
        let texts = self
            .columns
            .iter()
            .map(|(column, _)| {
                let plain = self.plain(column, user, standing, around);
                match self.settings.value_maps.get(column) {
                    Some(map) if !plain.is_empty() => {
                        mapped(map, plain, |value| blocked.push((column.clone(), value)))
                    }
                    _ => plain,
                }
            })
            .collect();
        Cells { texts, blocked }
    }

    fn plain<'u>(
        &self,
        column: &Column,
        user: &'u User,
        standing: Standing,
        around: &'u Around,
    ) -> Cow<'u, str> {
        match column {
            Column::Field(FieldKey::Known(Field::Manager)) => {
                Cow::Owned(self.manager(&user.values, around))
            }
            Column::Field(key) => Cow::Borrowed(user.values.get_key(key).unwrap_or_default()),
            Column::State => Cow::Borrowed(standing.name()),
            Column::PreviousNumber => {
                let before = around.previous_numbers.get(&user.id).map(String::as_str);
                let now = user.values.get(Field::EmployeeNumber);
                Cow::Borrowed(before.filter(|before| Some(*before) != now).unwrap_or_default())
            }
            // Columns are spelled out when the sheet is made.
            Column::AllCustom => Cow::Borrowed(""),
        }
    }

    /// What names a user's manager so that nobody else is meant; empty: nobody, or nothing that does.
    fn manager(&self, of: &Values, around: &Around) -> String {
        let id = of.get(Field::Manager).and_then(|id| id.parse().ok());
        let Some(manager) = id.and_then(|id: i64| around.managers.get(&id)) else {
            return String::new();
        };
        let get = |field| manager.get(field);
        let own = get(Field::LegalEntity) == of.get(Field::LegalEntity);
        let number = get(Field::EmployeeNumber);
        let certain = number.filter(|number| own || !around.shared_numbers.contains(*number));
        let else_by = |field| get(field).filter(|text| !around.numbers.contains(*text));
        let name = || {
            let name = [Field::FirstName, Field::LastName].map(|f| get(f).unwrap_or_default());
            name.join(" ").trim().to_owned()
        };
        let text = match self.settings.manager {
            ManagerAs::Auto => certain.or(else_by(Field::Login)).or(else_by(Field::Email)),
            ManagerAs::Number => number,
            ManagerAs::Login => get(Field::Login),
            ManagerAs::Email => get(Field::Email),
            ManagerAs::Name => return name(),
        };
        match text {
            Some(text) => text.to_owned(),
            None if self.settings.manager == ManagerAs::Auto => name(),
            None => String::new(),
        }
    }

    /// A number that two equal rows share and different rows do not.
    #[must_use]
    pub fn print(&self, cells: &Cells<'_>, salt: &[u8; 16]) -> u64 {
        let mut digest = Sha256::new();
        digest.update(salt);
        for ((column, _), text) in self.columns.iter().zip(&cells.texts) {
            // Where a number comes from is no news of its own, and a new column without values neither.
            if *column == Column::PreviousNumber || text.is_empty() {
                continue;
            }
            digest.update(column.to_string());
            digest.update([0]);
            digest.update(text.as_bytes());
            digest.update([0]);
        }
        let digest = digest.finalize();
        digest.first_chunk::<8>().map_or(0, |bytes| u64::from_le_bytes(*bytes))
    }
}

/// A value in the other side's codes; several (roles) one by one.
fn mapped<'u>(
    map: &ValueMapOut,
    plain: Cow<'u, str>,
    mut block: impl FnMut(String),
) -> Cow<'u, str> {
    let mut one = |ours: &str| match (map.codes.get(ours), &map.unmapped) {
        (Some(theirs), _) | (None, UnmappedOut::Default(theirs)) => theirs.clone(),
        (None, UnmappedOut::Use) => ours.to_owned(),
        (None, UnmappedOut::Block) => {
            block(ours.to_owned());
            String::new()
        }
    };
    let theirs: Vec<String> = plain.split('\n').map(&mut one).filter(|t| !t.is_empty()).collect();
    Cow::Owned(theirs.join("\n"))
}
