//! The field catalogue: codes, synonyms, types, parsing.

mod catalogue;
mod dates;
mod headers;
mod matching;
mod remarks;
mod values;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use catalogue::{AMBIGUOUS, Names, names};
pub use dates::{DATE_FIELDS, Dates, Proof, prove_dates};
pub use headers::{Headers, MatchedBy, custom_name};
pub use matching::{CellCount, Column, Columns, letter, match_columns};
pub use values::{CULTURES, GENDERS, Value, parse};

macro_rules! fields {
    ($($variant:ident = $name:literal),+ $(,)?) => {
        /// A field of the user record (docs/file-format.md).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[expect(missing_docs, reason = "each variant is the field of the same name in docs/file-format.md")]
        pub enum Field { $($variant),+ }

        impl Field {
            /// Every field, in the order of the user record.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The field's name in settings, reports, JSON and the database: `employee_number`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The field with this name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)+ _ => None }
            }

            /// Its place in the user record, from 0.
            #[must_use]
            #[expect(clippy::as_conversions, reason = "a field-less enum's own discriminant")]
            pub fn index(self) -> usize {
                self as usize
            }
        }
    };
}

fields! {
    EmployeeNumber = "employee_number",
    LegalEntity = "legal_entity",
    Establishment = "establishment",
    Login = "login",
    FirstName = "first_name",
    LastName = "last_name",
    BirthName = "birth_name",
    Email = "email",
    ContractStart = "contract_start",
    ContractEnd = "contract_end",
    EndReason = "end_reason",
    SeniorityDate = "seniority_date",
    ContractType = "contract_type",
    BirthDate = "birth_date",
    Department = "department",
    CostCenter = "cost_center",
    Csp = "csp",
    JobTitle = "job_title",
    Manager = "manager",
    Role = "role",
    Roles = "roles",
    ProfileAbsence = "profile_absence",
    ProfileTime = "profile_time",
    ProfileExpense = "profile_expense",
    Fte = "fte",
    WeeklyHours = "weekly_hours",
    Calendar = "calendar",
    Culture = "culture",
    Country = "country",
    Nationality = "nationality",
    Gender = "gender",
    Phone = "phone",
    Mobile = "mobile",
    Address = "address",
    Status = "status",
}

impl Serialize for Field {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::from_name(&name).ok_or_else(|| {
            serde::de::Error::custom(format!("\"{name}\" is not a field; see docs/file-format.md"))
        })
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A field of the catalogue, or a client's own column (`custom.<header>`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FieldKey {
    /// A field of the catalogue.
    Known(Field),
    /// A client's own column, kept as text, by its folded header.
    Custom(String),
}

impl fmt::Display for FieldKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(field) => f.write_str(field.name()),
            Self::Custom(name) => write!(f, "custom.{name}"),
        }
    }
}

impl std::str::FromStr for FieldKey {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        match s.strip_prefix("custom.") {
            Some(name) if !name.is_empty() => Ok(Self::Custom(name.to_owned())),
            _ => Field::from_name(s)
                .map(Self::Known)
                .ok_or_else(|| format!("\"{s}\" is not a field; see docs/file-format.md")),
        }
    }
}

impl Serialize for FieldKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FieldKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
