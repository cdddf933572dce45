//! Import settings: what one import folder asks for (docs/configuration.md).

mod document;
mod edit;
mod guards;
mod handling;
mod login;
mod maps;
mod read;
mod reports;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::directory::{DateOrder, Key};
use super::fields::{Field, FieldKey};
use super::text::Charset;
use crate::model::Language;

pub(crate) use document::Document;
pub use document::quoted;
pub use edit::{Change, edit, find};
pub(crate) use guards::limit;
pub use handling::{
    After, Attach, Encryption, Expected, Fetch, Handling, MailOn, MailSettings, Ready, Recipient,
    Required, Schedule, Signatures, To,
};
pub use login::{LoginPart, parts as login_parts};
pub(super) use maps::NO_DATES;
pub use maps::takes_codes;
pub(crate) use read::{Read, choice, field_key, list, table, text, wrong, yes_or_no};

/// The import settings of one folder. Read from TOML by `Settings::from_toml`, which checks everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// What decides who a row is; `None`: `auto`, by the file's first columns, frozen by the first applied import.
    pub key: Option<Key>,
    /// Whether everybody is in the file.
    pub mode: Mode,
    /// What becomes of users who are not in a full file.
    pub absent: Absent,
    /// Any refused row refuses the whole file.
    pub strict: bool,
    /// What holds an import until somebody looks at it.
    pub guards: Guards,
    /// What a blank cell means, where it is not the usual (`keep`; for `contract_end`, `clear`).
    pub blanks: BTreeMap<FieldKey, Blank>,
    /// The fields that a new user must have; `None`: first and last name, start of contract, and e-mail if the file has that column.
    pub required: Option<Vec<Field>>,
    /// Headers of this client and the fields that they carry.
    pub aliases: BTreeMap<String, FieldKey>,
    /// What becomes of columns that nobody knows.
    pub unknown_columns: UnknownColumns,
    /// Their codes and ours, by field.
    pub value_maps: BTreeMap<FieldKey, ValueMap>,
    /// Values that new users get where the file gives none.
    pub defaults: Vec<Defaults>,
    /// The reference fields whose lists are closed: a code that is not in the list refuses its cell (X206).
    pub closed_lists: BTreeSet<Field>,
    /// How a new user's login is made when the file and the defaults give none, such as `{first}.{last}`.
    pub login_pattern: Option<String>,
    /// Whether a held file may be approved or discarded by a file dropped next to it (`users.csv.approve-…`).
    pub approve_by_file: bool,
    /// The order of day, month and year; `None`: proved by the file itself.
    pub dates: Option<DateOrder>,
    /// The code of files that are no Unicode.
    pub encoding: Charset,
    /// Whether a file without a line end after its last row is cut off.
    pub final_line_end: FinalLineEnd,
    /// The report files.
    pub report: ReportSettings,
    /// What is asked for around the import.
    #[serde(skip)]
    pub handling: Handling,
}

/// What becomes of users who are not in a full file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Absent {
    /// They are told (A501) and stay as they are.
    Report,
    /// After so many consecutive full files without them their contract ends, on the day before the first of these (A502).
    End {
        /// Consecutive full files, on as many days.
        after_files: u32,
    },
    /// The file waits for approval; approving it ends them.
    Hold,
}

/// What holds an import: each limit is a count and a share, and trips when both are passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Guards {
    /// G601: users whose contract ends or ended; share of the active users.
    pub endings: Option<Limit>,
    /// G602: new users; share of the active users; never on a client's first import.
    pub creations: Option<Limit>,
    /// G603: users for whom one and the same field changes; share of the active users.
    pub one_field: Option<Limit>,
    /// G604: rows fewer than in the last applied full file; share of that file's rows.
    pub fewer_rows: Option<Limit>,
    /// G605: all users of a legal entity are absent from a full file.
    pub whole_entity: bool,
    /// G609: contract ends that are removed or moved later, and users who come back; share of the active users.
    pub reopenings: Option<Limit>,
}

/// Passed when there are more than `count` and more than `percent` of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// How many there may be.
    pub count: u64,
    /// How many of a hundred there may be.
    pub percent: u32,
}

impl Default for Guards {
    fn default() -> Self {
        let limit = |count, percent| Some(Limit { count, percent });
        Self {
            endings: limit(5, 10),
            creations: limit(50, 30),
            one_field: limit(20, 50),
            fewer_rows: limit(5, 20),
            whole_entity: true,
            reopenings: limit(5, 10),
        }
    }
}

/// Whether a file without a line end after its last row is cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FinalLineEnd {
    /// Yes, once an applied full file has had one.
    Auto,
    /// No: the sender writes none.
    Optional,
}

/// Whether everybody is in the file. Declared, never inferred.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Every employee is in the file.
    Full,
    /// Whoever is not in the file is not meant.
    Delta,
}

/// What a blank cell means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Blank {
    /// The old value stays.
    Keep,
    /// The value goes.
    Clear,
    /// The field's default is given.
    Default,
}

/// What becomes of columns that nobody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum UnknownColumns {
    /// Left unread, and told (H103).
    Ignore,
    /// Kept as text fields `custom.<header>`.
    Keep,
}

/// Their codes and ours, for one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ValueMap {
    /// Their code to ours.
    pub codes: BTreeMap<String, String>,
    /// What becomes of a code that is not in the map.
    pub unmapped: Unmapped,
}

/// What becomes of a code that is not in a value map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Unmapped {
    /// It is taken as it is and becomes an entry of the list.
    Keep,
    /// The cell is refused.
    Block,
    /// This value is taken in its place.
    Default(String),
}

/// Values for new users, for everyone or for those of a legal entity, a department or both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Defaults {
    /// Only for new users of this legal entity.
    pub legal_entity: Option<String>,
    /// Only for new users of this department.
    pub department: Option<String>,
    /// The values, as the file would write them.
    pub values: BTreeMap<FieldKey, String>,
}

/// The report files of a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReportSettings {
    /// The languages; none: the client's own.
    pub languages: Vec<Language>,
    /// Which kinds of file.
    pub formats: Vec<Format>,
    /// Whether a marker file (`users.csv.ok` …) lies beside the report.
    pub markers: bool,
}

/// A kind of report file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// For the clerk.
    Csv,
    /// For a program.
    Json,
    /// For reading: one self-contained page.
    Html,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            key: None,
            mode: Mode::Full,
            absent: Absent::Report,
            strict: false,
            guards: Guards::default(),
            blanks: BTreeMap::new(),
            required: None,
            aliases: BTreeMap::new(),
            unknown_columns: UnknownColumns::Ignore,
            value_maps: BTreeMap::new(),
            defaults: Vec::new(),
            closed_lists: BTreeSet::new(),
            login_pattern: None,
            approve_by_file: false,
            dates: None,
            encoding: Charset::Auto,
            final_line_end: FinalLineEnd::Auto,
            report: ReportSettings {
                languages: Vec::new(),
                formats: vec![Format::Csv, Format::Json],
                markers: false,
            },
            handling: Handling::default(),
        }
    }
}

impl Settings {
    /// Reads settings from TOML; what is left out has its default.
    ///
    /// # Errors
    /// A sentence that names the key and shows a right example.
    pub fn from_toml(text: &str) -> Result<Self, String> {
        let table = text.parse::<toml::Table>().map_err(|error| {
            format!("these import settings are not TOML: {}", error.to_string().trim())
        })?;
        Self::from_table(&table)
    }

    /// The same from a table that is read already (a host profile's `settings`).
    ///
    /// # Errors
    /// A sentence that names the key and shows a right example.
    pub fn from_table(table: &toml::Table) -> Result<Self, String> {
        read::settings(table)
    }

    /// Checks what [`Settings::from_toml`] leaves open, so that settings stored long ago are always read: whether
    /// defaults and mapped values are values of their fields, no header has two fields, and every guard can trip.
    ///
    /// # Errors
    /// A sentence that names the key and shows a right example.
    pub fn check_values(&self) -> Result<(), String> {
        maps::check_values(self)?;
        read::check_aliases(self)?;
        guards::check_shares(&self.guards)
    }

    /// The settings as TOML, each with a comment that says what it does; `from_toml` reads them back.
    #[must_use]
    pub fn to_toml(&self) -> String {
        document::write(self)
    }

    /// A stable name of these settings: equal settings have equal versions. 12 hex digits.
    #[must_use]
    pub fn version(&self) -> String {
        // Every map is ordered, so the JSON is canonical.
        let canonical = serde_json::to_vec(self).unwrap_or_default();
        let digest = Sha256::digest(&canonical);
        digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
    }

    /// What a blank cell of a field means.
    #[must_use]
    pub fn blank(&self, key: &FieldKey) -> Blank {
        match self.blanks.get(key) {
            Some(blank) => *blank,
            None if *key == FieldKey::Known(Field::ContractEnd) => Blank::Clear,
            None => Blank::Keep,
        }
    }

    /// The default of a field for a new user; the pair beats the department, the department the
    /// legal entity, and that one the default for everyone. `same` says whether two texts mean one code.
    #[must_use]
    pub fn default_for(
        &self,
        key: &FieldKey,
        legal_entity: Option<&str>,
        department: Option<&str>,
        same: impl Fn(Field, &str, &str) -> bool,
    ) -> Option<&str> {
        let fits = |field, wanted: Option<&str>, value: Option<&str>| match (wanted, value) {
            (None, _) => true,
            (Some(wanted), Some(value)) => same(field, wanted, value),
            (Some(_), None) => false,
        };
        self.defaults
            .iter()
            .filter(|d| fits(Field::LegalEntity, d.legal_entity.as_deref(), legal_entity))
            .filter(|d| fits(Field::Department, d.department.as_deref(), department))
            .filter_map(|d| {
                let rank = (d.department.is_some(), d.legal_entity.is_some());
                d.values.get(key).map(|value| (rank, value.as_str()))
            })
            .max_by_key(|(rank, _)| *rank)
            .map(|(_, value)| value)
    }
}

/// The name of a key in the settings.
#[must_use]
pub fn key_name(key: Key) -> &'static str {
    match key {
        Key::Login => "login",
        Key::Email => "email",
        Key::EmployeeNumber => "employee_number",
        Key::LegalEntityAndEmployeeNumber => "legal_entity+employee_number",
    }
}

/// The fields of a key.
#[must_use]
pub fn key_fields(key: Key) -> &'static [Field] {
    match key {
        Key::Login => &[Field::Login],
        Key::Email => &[Field::Email],
        Key::EmployeeNumber => &[Field::EmployeeNumber],
        Key::LegalEntityAndEmployeeNumber => &[Field::LegalEntity, Field::EmployeeNumber],
    }
}

#[cfg(test)]
mod tests;
