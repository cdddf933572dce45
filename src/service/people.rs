//! Users as people want to see them: state on a day, the manager's name, one value after the other.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Serialize, Serializer};

use super::users::UserView;
use crate::import::directory::{User, Values};
use crate::import::fields::{Field, FieldKey};
use crate::import::standing::Standing;
use crate::import::text::unrunnable;

/// What stands in place of a sensitive value.
pub const MASK: &str = "•••";

/// A user with everything derived that a reader wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The user's id in its directory.
    pub id: i64,
    /// Where the employment stands.
    pub state: Standing,
    /// The manager's number, login or e-mail (the first that there is) and name.
    pub manager: Option<(String, String)>,
    /// The values in canonical text; `manager` is an id here.
    pub values: Values,
}

impl Person {
    /// A user on a day, with a manager among those who are known.
    #[must_use]
    pub fn of(user: User, day: Date, managers: &BTreeMap<i64, &Values>) -> Self {
        Self {
            id: user.id,
            state: Standing::of(&user, day),
            manager: manager(&user.values, managers),
            values: user.values,
        }
    }

    /// Given and family name.
    #[must_use]
    pub fn name(&self) -> String {
        full_name(&self.values)
    }

    /// Family name first, as lists are sorted.
    #[must_use]
    pub fn listed_name(&self) -> String {
        listed_name(&self.values)
    }

    /// A field as it is shown: the manager by number, everything else as stored.
    #[must_use]
    pub fn shown(&self, field: Field) -> Option<String> {
        match field {
            Field::Manager => self.manager.as_ref().map(|(number, _)| number.clone()),
            _ => self.values.get(field).map(str::to_owned),
        }
    }

    /// The manager's id.
    #[must_use]
    pub fn manager_id(&self) -> Option<i64> {
        self.values.get(Field::Manager)?.parse().ok()
    }

    /// The same person with what reports mask masked here too, for readers who only look on (docs/administration.md).
    #[must_use]
    pub fn masked(mut self) -> Self {
        for field in Field::ALL.iter().filter(|field| field.is_sensitive()) {
            if self.values.get(*field).is_some() {
                self.values.set(&FieldKey::Known(*field), Some(MASK));
            }
        }
        self
    }
}

impl Person {
    /// The same person without what reports mask: for files that somebody may import again.
    #[must_use]
    pub fn without_sensitive(mut self) -> Self {
        for field in Field::ALL.iter().filter(|field| field.is_sensitive()) {
            self.values.set(&FieldKey::Known(*field), None);
        }
        self
    }
}

/// One JSON object: `id`, `state`, every field of the catalogue (absent ones null), `manager_name`, `custom`.
impl Serialize for Person {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &self.id)?;
        map.serialize_entry("state", &self.state)?;
        for field in Field::ALL {
            match field {
                Field::Roles => {
                    let roles = self.values.get(Field::Roles).unwrap_or_default();
                    let roles: Vec<&str> = roles.lines().collect();
                    map.serialize_entry("roles", &roles)?;
                }
                _ => map.serialize_entry(field.name(), &self.shown(*field))?,
            }
        }
        map.serialize_entry("manager_name", &self.manager.as_ref().map(|(_, name)| name))?;
        let custom: BTreeMap<&str, &str> = self.values.custom().collect();
        map.serialize_entry("custom", &custom)?;
        map.end()
    }
}

/// The users as persons, by family name, given name and id; withdrawn ones left out.
#[must_use]
pub fn persons(users: &[UserView]) -> Vec<Person> {
    let by_id: BTreeMap<i64, &Values> = users.iter().map(|u| (u.id, &u.values)).collect();
    let mut persons: Vec<Person> = users
        .iter()
        .filter(|user| user.state != Standing::Withdrawn)
        .map(|user| Person {
            id: user.id,
            state: user.state,
            manager: manager(&user.values, &by_id),
            values: user.values.clone(),
        })
        .collect();
    persons.sort_by_cached_key(|p| {
        let lower = |field| p.values.get(field).unwrap_or_default().to_lowercase();
        (lower(Field::LastName), lower(Field::FirstName), p.id)
    });
    persons
}

fn manager(values: &Values, by_id: &BTreeMap<i64, &Values>) -> Option<(String, String)> {
    let id: i64 = values.get(Field::Manager)?.parse().ok()?;
    let manager = by_id.get(&id)?;
    Some((number_of(manager).map_or_else(|| id.to_string(), str::to_owned), listed_name(manager)))
}

/// The number by which people know a user, else the login, else the e-mail.
#[must_use]
pub fn number_of(values: &Values) -> Option<&str> {
    [Field::EmployeeNumber, Field::Login, Field::Email].into_iter().find_map(|f| values.get(f))
}

/// Family name, given name.
#[must_use]
pub fn listed_name(values: &Values) -> String {
    let parts = [Field::LastName, Field::FirstName].map(|f| values.get(f).unwrap_or_default());
    parts.join(", ").trim_matches([' ', ',']).to_owned()
}

/// Given and family name.
#[must_use]
pub fn full_name(values: &Values) -> String {
    let parts = [Field::FirstName, Field::LastName].map(|f| values.get(f).unwrap_or_default());
    parts.join(" ").trim().to_owned()
}

/// Every field that somebody has, comma-separated UTF-8 (RFC 4180), as `import` would read it again.
#[must_use]
pub fn csv(persons: &[Person]) -> String {
    let fields: Vec<Field> = Field::ALL
        .iter()
        .copied()
        .filter(|field| persons.iter().any(|p| p.values.get(*field).is_some()))
        .collect();
    let mut custom: Vec<&str> =
        persons.iter().flat_map(|p| p.values.custom().map(|(name, _)| name)).collect();
    custom.sort_unstable();
    custom.dedup();
    let heads = fields.iter().map(|f| f.name().to_owned());
    let mut text = record(heads.chain(custom.iter().map(|c| (*c).to_owned())));
    for person in persons {
        let known = fields.iter().map(|f| person.shown(*f).unwrap_or_default().replace('\n', ", "));
        let own: BTreeMap<&str, &str> = person.values.custom().collect();
        let own = custom.iter().map(|c| own.get(c).copied().unwrap_or_default().to_owned());
        text.push_str(&record(known.chain(own)));
    }
    text
}

fn record(cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<String> = cells.map(|cell| quoted(&cell)).collect();
    format!("{}\r\n", cells.join(","))
}

fn quoted(cell: &str) -> String {
    let safe = unrunnable(cell);
    if safe.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", safe.replace('"', "\"\""))
    } else {
        safe.into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_formulas_are_dead() {
        for (cell, expected) in [
            ("Dupont", "Dupont"),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("=1+1", "\"=\"\"=1+1\"\"\""),
            ("+33 1 23", "+33 1 23"),
            ("+cmd|x", "\"=\"\"+cmd|x\"\"\""),
            ("@x", "\"=\"\"@x\"\"\""),
            ("-0.5", "-0.5"),
        ] {
            assert_eq!(quoted(cell), expected, "{cell}");
        }
    }

    #[test]
    fn who_only_looks_on_sees_no_birth_date() {
        let mut values = Values::default();
        values.set(&FieldKey::Known(Field::BirthDate), Some("1980-05-01"));
        values.set(&FieldKey::Known(Field::LastName), Some("Roy"));
        let person = Person { id: 1, state: Standing::Active, manager: None, values }.masked();
        assert_eq!(person.shown(Field::BirthDate).as_deref(), Some(MASK));
        assert_eq!(person.shown(Field::LastName).as_deref(), Some("Roy"));
        assert_eq!(person.shown(Field::Address), None, "what is not there is not masked");
    }
}
