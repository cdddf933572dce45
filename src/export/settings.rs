//! What one export asks for (docs/exports.md).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::forms::DateForm;
use super::name::FileName;
use super::{document, read};
use crate::import::fields::{Field, FieldKey};
use crate::import::settings::Limit;
use crate::import::standing::Standing;
use crate::schedule::Trigger;

/// The settings of one export. Read from TOML by `ExportSettings::from_toml`, which checks everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExportSettings {
    /// Who is in a file.
    pub what: What,
    /// When a file is made.
    pub trigger: When,
    /// How files are named.
    pub file_name: FileName,
    /// Whether a file without rows is sent.
    pub send_empty: bool,
    /// The users of whom `all` and `changed` speak.
    pub users: BTreeSet<Standing>,
    /// Only users who have one of these values in each of these fields.
    pub only: BTreeMap<FieldKey, BTreeSet<String>>,
    /// The columns in their order; empty: the usual ones.
    pub columns: Vec<Column>,
    /// Headers in place of the fields' own names.
    pub headers: BTreeMap<Column, String>,
    /// Whether the first line is a header.
    pub header: bool,
    /// What stands between two cells.
    pub separator: char,
    /// The code of the file.
    pub encoding: Encoding,
    /// What becomes of characters that the code does not have.
    pub not_encodable: NotEncodable,
    /// Which cells are quoted.
    pub quotes: Quotes,
    /// How lines end.
    pub line_end: LineEnd,
    /// How dates are written.
    pub dates: DateForm,
    /// How decimals are written.
    pub decimal: Decimal,
    /// By what a manager is named.
    pub manager: ManagerAs,
    /// Whether cells that a spreadsheet would compute are made harmless.
    pub formulas: Formulas,
    /// Our codes and theirs, by column.
    pub value_maps: BTreeMap<Column, ValueMapOut>,
    /// `all` only: so many rows fewer than in the last file stop the export.
    pub fewer_rows: Option<Limit>,
    /// Fingerprints of the OpenPGP keys that a file is encrypted for; empty: none.
    pub encrypt: Vec<String>,
    /// Whether an encrypted file is signed with the client's own key too.
    pub sign: bool,
    /// Whether a file goes out as a zip with AES under the folder's password.
    pub zip: bool,
}

/// Who is in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// Everybody.
    All,
    /// Whose row differs from what was sent last.
    Changed,
    /// Who has left since.
    Leavers,
    /// Who has come since.
    Newcomers,
}

impl What {
    /// Every kind with its name.
    pub const NAMED: [(&'static str, Self); 4] = [
        ("all", Self::All),
        ("changed", Self::Changed),
        ("leavers", Self::Leavers),
        ("newcomers", Self::Newcomers),
    ];

    /// The name in settings and lists.
    #[must_use]
    pub fn name(self) -> &'static str {
        name_in(&Self::NAMED, self)
    }

    /// Whether a file depends on what was sent before.
    #[must_use]
    pub fn needs_basis(self) -> bool {
        self != Self::All
    }
}

/// When a file is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// Only when somebody asks for it.
    Manual,
    /// After each applied import.
    Import,
    /// At the instants of this schedule.
    At(Trigger),
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Manual => f.write_str("manual"),
            Self::Import => f.write_str("import"),
            Self::At(schedule) => schedule.fmt(f),
        }
    }
}

impl Serialize for When {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A column of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Column {
    /// A field of the user record, or a client's own.
    Field(FieldKey),
    /// Every column of the client's own, by name.
    AllCustom,
    /// `upcoming`, `active`, `ended` or `withdrawn` on the day of the export.
    State,
    /// The employee number before it changed, for users whose number is another one than was sent last.
    PreviousNumber,
}

impl Column {
    /// A column of a field of the catalogue.
    #[must_use]
    pub fn known(field: Field) -> Self {
        Self::Field(FieldKey::Known(field))
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(key) => key.fmt(f),
            Self::AllCustom => f.write_str("custom.*"),
            Self::State => f.write_str("state"),
            Self::PreviousNumber => f.write_str("previous_employee_number"),
        }
    }
}

impl FromStr for Column {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "custom.*" => Ok(Self::AllCustom),
            "state" => Ok(Self::State),
            "previous_employee_number" => Ok(Self::PreviousNumber),
            name => name.parse().map(Self::Field),
        }
    }
}

impl Serialize for Column {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

macro_rules! named {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[$doc])* $variant),+ }

        impl $name {
            /// Every choice with its name; the default first.
            pub const NAMED: &'static [(&'static str, Self)] = &[$(($word, Self::$variant)),+];

            /// The name in settings.
            #[must_use]
            pub fn name(self) -> &'static str {
                name_in(Self::NAMED, self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }
    };
}

fn name_in<T: PartialEq>(named: &[(&'static str, T)], wanted: T) -> &'static str {
    named.iter().find(|(_, one)| *one == wanted).map_or("", |(name, _)| name)
}

named! {
    /// The code of a file.
    Encoding {
        /// UTF-8.
        Utf8 = "utf-8",
        /// UTF-8 with a byte order mark, as Excel recognises it.
        Utf8Bom = "utf-8-bom",
        /// Windows-1252, for old Windows programs.
        Windows1252 = "windows-1252",
        /// ISO 8859-15 (Latin-9).
        Iso885915 = "iso-8859-15",
    }
}

named! {
    /// What becomes of a character that the file's code does not have. It never becomes a question mark.
    NotEncodable {
        /// The export is not made, and says whose value it was.
        Refuse = "refuse",
        /// The closest letters are written (`Ł` becomes `L`); where there are none, the export is not made.
        Transliterate = "transliterate",
    }
}

named! {
    /// Which cells are quoted.
    Quotes {
        /// Those that need it.
        Needed = "needed",
        /// All.
        All = "all",
        /// None; a value that needs them stops the export.
        Never = "never",
    }
}

named! {
    /// How lines end.
    LineEnd {
        /// CR LF.
        Crlf = "crlf",
        /// LF.
        Lf = "lf",
    }
}

named! {
    /// How decimals are written.
    Decimal {
        /// 0.8
        Point = ".",
        /// 0,8
        Comma = ",",
    }
}

named! {
    /// By what a manager is named.
    ManagerAs {
        /// By number where that means nobody else, else by login, e-mail, name.
        Auto = "auto",
        /// By employee number.
        Number = "number",
        /// By login.
        Login = "login",
        /// By e-mail address.
        Email = "email",
        /// By first and last name.
        Name = "name",
    }
}

named! {
    /// Whether cells that a spreadsheet would compute are made harmless.
    Formulas {
        /// Cells are written as they are: the file is for a program.
        AsIs = "as_is",
        /// They are written as `="…"`, which a spreadsheet shows as text and the import reads as what is in it.
        Text = "text",
    }
}

/// Our codes and theirs, for one column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ValueMapOut {
    /// Our code to theirs.
    pub codes: BTreeMap<String, String>,
    /// What becomes of a code that is not in the map.
    pub unmapped: UnmappedOut,
}

/// What becomes of a code that is not in a value map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum UnmappedOut {
    /// It is written as it is.
    Use,
    /// Its user is not sent until the map has it; `all` is not made without them.
    Block,
    /// This is written in its place.
    Default(String),
}

impl Default for ExportSettings {
    fn default() -> Self {
        Self {
            what: What::All,
            trigger: When::Manual,
            file_name: FileName::default(),
            send_empty: false,
            users: BTreeSet::from([Standing::Upcoming, Standing::Active, Standing::Ended]),
            only: BTreeMap::new(),
            columns: Vec::new(),
            headers: BTreeMap::new(),
            header: true,
            separator: ';',
            encoding: Encoding::Utf8,
            not_encodable: NotEncodable::Refuse,
            quotes: Quotes::Needed,
            line_end: LineEnd::Crlf,
            dates: DateForm::default(),
            decimal: Decimal::Point,
            manager: ManagerAs::Auto,
            formulas: Formulas::AsIs,
            value_maps: BTreeMap::new(),
            fewer_rows: Some(Limit { count: 5, percent: 20 }),
            encrypt: Vec::new(),
            sign: false,
            zip: false,
        }
    }
}

impl ExportSettings {
    /// Reads settings from TOML; what is left out has its default.
    ///
    /// # Errors
    /// A sentence that names the key and shows a right example.
    pub fn from_toml(text: &str) -> Result<Self, String> {
        let table = text.parse::<toml::Table>().map_err(|error| {
            format!("these export settings are not TOML: {}", error.to_string().trim())
        })?;
        read::settings(&table)
    }

    /// What is behind the name of a file that is encrypted.
    #[must_use]
    pub fn ending(&self) -> &'static str {
        match (self.zip, self.encrypt.is_empty()) {
            (true, _) => ".zip",
            (false, true) => "",
            (false, false) => ".pgp",
        }
    }

    /// The settings as TOML, each with a comment that says what it does; `from_toml` reads them back.
    #[must_use]
    pub fn to_toml(&self) -> String {
        document::write(self)
    }
}
