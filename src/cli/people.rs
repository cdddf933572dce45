//! Users as people want to see them: state on a day, the manager's name, one value after the other.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::import::directory::Values;
use crate::import::fields::Field;
use crate::service::users::{Standing, UserView};

/// A user with everything derived that a reader wants.
#[derive(Debug, Clone)]
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
    let number = [Field::EmployeeNumber, Field::Login, Field::Email]
        .into_iter()
        .find_map(|field| manager.get(field))
        .map_or_else(|| id.to_string(), str::to_owned);
    Some((number, listed_name(manager)))
}

fn listed_name(values: &Values) -> String {
    let parts = [Field::LastName, Field::FirstName].map(|f| values.get(f).unwrap_or_default());
    parts.join(", ").trim_matches([' ', ',']).to_owned()
}

/// Given and family name.
#[must_use]
pub fn full_name(values: &Values) -> String {
    let parts = [Field::FirstName, Field::LastName].map(|f| values.get(f).unwrap_or_default());
    parts.join(" ").trim().to_owned()
}
