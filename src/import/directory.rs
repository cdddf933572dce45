//! The directory as the plan sees it: users at one change number, reference lists, what the source has frozen.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::fields::{Field, FieldKey};
use super::settings::Settings;

pub use super::values::Values;

/// A user of the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The user's id in its directory; never reused.
    pub id: i64,
    /// A creation that was undone: its key, login and e-mail are free.
    pub withdrawn: bool,
    /// The values in canonical text.
    pub values: Values,
}

/// The order of day, month and year in a file's dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DateOrder {
    /// 31/12/2026
    Dmy,
    /// 12/31/2026
    Mdy,
    /// 2026/12/31
    Ymd,
}

/// What decides who a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Key {
    /// The login.
    #[serde(rename = "login")]
    Login,
    /// The e-mail address.
    #[serde(rename = "email")]
    Email,
    /// The employee number alone.
    #[serde(rename = "employee_number")]
    EmployeeNumber,
    /// Legal entity and employee number together.
    #[serde(rename = "legal_entity+employee_number")]
    LegalEntityAndEmployeeNumber,
}

/// What applied imports of one source (import folder) have settled.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SourceMemory {
    /// The key that the first applied import froze.
    pub key: Option<Key>,
    /// The date order that an applied import proved.
    pub date_order: Option<DateOrder>,
    /// The last applied full file ended with a line end.
    pub ends_with_newline: Option<bool>,
    /// The fields (names) that the last applied full file had.
    pub columns: Vec<String>,
    /// Rows of the last applied full file.
    pub rows: Option<u64>,
    /// The id of the last applied import.
    pub import: Option<String>,
    /// SHA-256 of the last applied file.
    pub sha256: Option<String>,
    /// Settings version of the last applied file.
    pub settings_version: Option<String>,
    /// The directory's change number right after that import.
    pub change_number: Option<i64>,
    /// Something in that import hung on its date; the same bytes must be looked at again.
    pub depends_on_date: bool,
    /// The day of that import in the client's time zone.
    pub applied_on: Option<Date>,
}

/// How long a user has been absent from the full files of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absence {
    /// The day of the first full file without the user.
    pub first_day: Date,
    /// Applied full files without the user since then, at most one for each day; 0: none counts, for absence ends nobody in
    /// this source.
    pub files: u32,
    /// The day of the last of them.
    pub last_day: Date,
}

/// An end of a contract that absence set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AbsenceEnd {
    /// The last day that absence gave. It counts as long as the contract still ends on that day.
    pub last_day: String,
    /// The end that stood before, if any: presence gives it back.
    pub was: Option<String>,
}

/// A manager whom nobody was found for: tried again when such a user appears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManagerWish {
    /// As the file wrote it.
    pub text: String,
    /// The row number that a spreadsheet shows.
    pub line: u32,
}

/// How a protected value came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Protection {
    /// The settings under which the source said what it said, by place in `Snapshot::settings_then`; `None`: unknown.
    pub under: Option<usize>,
    /// A default gave the value while the file had a blank that clears, and nobody else has changed it since.
    pub given: bool,
}

/// The directory at one change number, for one source.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// Moves with every write to the directory; a plan is bound to it.
    pub change_number: i64,
    /// With which the prints of rows are made; empty: none are (`plan::quick`).
    pub secret: Vec<u8>,
    /// The id that the next new user gets.
    pub next_user_id: i64,
    /// Every user, ended and withdrawn ones too, by id.
    pub users: Vec<User>,
    /// The entries of each reference field (legal_entity, department, csp, profiles, role …).
    pub lists: BTreeMap<Field, BTreeSet<String>>,
    /// What this source has settled.
    pub source: SourceMemory,
    /// An earlier applied import of these very bytes that is not the last of the source: its id, and its day in the
    /// client's time zone.
    pub earlier: Option<(String, Date)>,
    /// The users whom the last applied full file of another source listed: they are never absent here.
    pub listed_elsewhere: HashSet<i64>,
    /// The names of list entries that were loaded with one: field, then code to name.
    pub list_names: BTreeMap<Field, BTreeMap<String, String>>,
    /// Who has been absent from this source's full files, and for how long.
    pub absences: HashMap<i64, Absence>,
    /// The ends that absence set, by user.
    pub ended_by_absence: HashMap<i64, AbsenceEnd>,
    /// Managers whom nobody was found for, by the user who has none for that reason.
    pub manager_wishes: HashMap<i64, ManagerWish>,
    /// Values that somebody else (a person, another source) wrote over this source's: what this source said before.
    /// As long as the file says the same, the newer value stays (P701).
    pub protected: HashMap<(i64, FieldKey), Option<String>>,
    /// How each of them came to be, where it is known.
    pub protections: HashMap<(i64, FieldKey), Protection>,
    /// The settings of earlier imports of this source under which it said what is protected from it, each once.
    pub settings_then: Vec<Settings>,
}
