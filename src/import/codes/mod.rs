//! The code catalogue: what each report code means, how grave it is, and its words in every language.

/// A table of catalogue entries: code, variant, level, effect, `each` or `grouped`, the example's
/// parameters, then text and cure in each language.
macro_rules! entries {
    (@grouped each) => { false };
    (@grouped grouped) => { true };
    ($($code:ident $why:literal $level:ident $effect:ident $grouped:ident
        [$(($name:literal, $value:literal)),* $(,)?]
        en $en:literal => $en_cure:literal;
        fr $fr:literal => $fr_cure:literal;
        de $de:literal => $de_cure:literal;
    )+) => {
        &[$($crate::import::codes::Entry {
            code: $crate::import::codes::Code::$code,
            why: $why,
            level: $crate::import::codes::Level::$level,
            effect: $crate::import::codes::Effect::$effect,
            grouped: entries!(@grouped $grouped),
            example: &[$(($name, $value)),*],
            text: $crate::import::codes::Words { en: $en, fr: $fr, de: $de },
            cure: $crate::import::codes::Words { en: $en_cure, fr: $fr_cure, de: $de_cure },
        }),+]
    };
}

mod docs;
mod file;
mod guards;
mod people;
mod rows;
mod times;
mod undo;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::Language;

pub use docs::document;

/// What a message is about, by name; the templates of the catalogue are filled from them.
pub type Params = BTreeMap<String, String>;

macro_rules! codes {
    ($($code:ident $meaning:literal),+ $(,)?) => {
        /// A report code. Stable for ever: codes are added, never renumbered (docs/report-codes.md).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[expect(missing_docs, reason = "each code is described by its `meaning` and docs/report-codes.md")]
        pub enum Code { $($code),+ }

        impl Code {
            /// Every code that this version can produce, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$code),+];

            /// `F001`
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$code => stringify!($code)),+ }
            }

            /// The code with this name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $(stringify!($code) => Some(Self::$code),)+ _ => None }
            }

            /// What it means, in one English sentence for the documentation.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$code => $meaning),+ }
            }
        }
    };
}

codes! {
    F001 "The file is empty.",
    F002 "The file has a header line and no rows below it.",
    F003 "The file is not a table of text.",
    F004 "The text cannot be decoded, or holds NUL bytes.",
    F005 "The file ends in the middle: it was probably cut off while it was sent.",
    F006 "The file is larger than this server imports.",
    F007 "The file is not encrypted or signed as the folder asks for, or cannot be opened.",
    F008 "The encoding was not declared and had to be recognised from the text.",
    F009 "The text was decoded twice on its way (`Ã©` in place of `é`).",
    H101 "The column that says who each row is was not found.",
    H102 "A column with a required field is missing.",
    H103 "A column is not known and was ignored.",
    H104 "Several columns carry the same field; unless they say the same in every row, none of them was read.",
    H105 "The name of a column could mean several fields; it was not read.",
    H106 "The columns are not those of the last applied full file.",
    R101 "A row has more or fewer cells than the header.",
    R102 "Blank rows were left out.",
    R103 "The quotes in a row do not close where they should, or stand around the whole line.",
    R104 "A line that is not a row (title, total, repeated header), or a sheet behind the first, was left out; merged cells.",
    V301 "A required value is blank.",
    V302 "The value is not a date.",
    V303 "The date could be read in two ways, or contradicts the date order of the folder.",
    V304 "The date lies outside the range that makes sense for its field.",
    V305 "The date does not exist.",
    V306 "The value is not an e-mail address.",
    V307 "The value is not one of those that the field allows.",
    V308 "The value is too long.",
    V309 "A spreadsheet damaged the value.",
    V310 "A blank was filled with a default value.",
    V311 "A value was replaced through the value map of the settings.",
    V312 "The status in the file contradicts the contract dates; the dates decide.",
    V313 "The value is not a number.",
    D101 "The key is already used by another user.",
    D102 "The same user stands in the file twice with the same content; one row was ignored.",
    D103 "The same user stands in the file several times with different content; all these rows were refused.",
    D104 "A row under a new number seems to be somebody who is known under another number; it waits for somebody to say so.",
    D105 "A row names somebody else under a known number; it waits for somebody to approve it.",
    D106 "The login or e-mail address is already used by another user.",
    D107 "A new user has the same name as another user.",
    X201 "The manager was not found.",
    X202 "Several users fit the manager that the file names.",
    X203 "The manager has left or has not arrived yet.",
    X204 "The managers form a circle.",
    X205 "The user is their own manager: the top of the tree.",
    X206 "A code is new in its list, or is not allowed by the value map of the settings.",
    C401 "A user's contract has ended.",
    C402 "The contract would end before it starts.",
    C403 "The end of a contract was moved or removed.",
    C404 "A user who had left is back: the same record goes on.",
    C406 "The start of a contract that has already begun was changed.",
    C407 "A row changes a contract that is closed.",
    C408 "The end of a contract was reported late.",
    A501 "A user is absent from a full file and was kept.",
    A502 "A user is absent from a full file, and the contract was ended for that.",
    G601 "Many contracts would end; the import waits for approval.",
    G602 "Many people would be created; the import waits for approval.",
    G603 "One field would change for most people; the import waits for approval.",
    G604 "The file has many rows fewer than the last one; the import waits for approval.",
    G605 "A whole legal entity is absent from the file; the import waits for approval.",
    G606 "A held import, or a row, was approved.",
    G607 "A held import, or a row, was discarded.",
    G608 "Nobody approved a held import in time.",
    G609 "Many contract ends would be lifted or moved later; the import waits for approval.",
    P701 "A value that a person or another source has changed stays, as long as the file says what it said before.",
    N001 "The summary of the import.",
    N002 "This was a dry run: nothing was written to the directory.",
    N003 "The same file as last time, so that there was nothing to do; or the same as an earlier one.",
    N004 "A newer file of the same name arrived before this one was imported.",
    N005 "The settings are strict and a row was refused: nothing was applied.",
    N006 "What would change, field by field: in the CSV report of a dry run or a held file. In JSON the same stands in `changes`.",
    N007 "The import was taken back (undone); what could not be taken back is told.",
    E901 "An error on our side stopped the import.",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = Cow::<str>::deserialize(deserializer)?;
        Self::from_name(&name)
            .ok_or_else(|| serde::de::Error::custom(format!("\"{name}\" is not a report code")))
    }
}

/// How grave a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The file was refused; nothing was applied.
    Fatal,
    /// A row was refused.
    Error,
    /// A cell was refused; the old value stays and the rest of the row was applied.
    Field,
    /// Applied, but somebody should look.
    Warning,
    /// Good to know.
    Info,
}

/// What became of the thing that a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Nothing of the file was applied.
    FileRefused,
    /// Nothing of the row was applied; the person counts as present.
    RowRefused,
    /// The row waits for somebody's approval; the person counts as present.
    RowHeld,
    /// The cell was not applied, the rest of the row was.
    CellRefused,
    /// The row was left out because it says nothing new.
    RowIgnored,
    /// The column was not read.
    ColumnIgnored,
    /// The line was left out because it is not a row.
    LineLeftOut,
    /// Applied as it stands in the file.
    Applied,
    /// Applied after a repair or replacement.
    AppliedChanged,
    /// What was there before stays.
    Kept,
    /// Nothing of the file was applied yet: it waits for somebody's approval.
    Held,
    /// Nothing follows from it.
    Told,
}

/// Words in every language.
#[derive(Debug, Clone, Copy)]
pub struct Words {
    /// English.
    pub en: &'static str,
    /// French.
    pub fr: &'static str,
    /// German.
    pub de: &'static str,
}

impl Words {
    /// The words in one language.
    #[must_use]
    pub fn get(&self, language: Language) -> &'static str {
        match language {
            Language::En => self.en,
            Language::Fr => self.fr,
            Language::De => self.de,
        }
    }
}

/// One text of the catalogue: a code, and where it has several texts, which of them.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The code.
    pub code: Code,
    /// Which of the code's texts; empty for the usual one.
    pub why: &'static str,
    /// How grave it is.
    pub level: Level,
    /// What becomes of the cell, row or file.
    pub effect: Effect,
    /// Messages of one column and this cause are told as one, also when their values differ.
    pub grouped: bool,
    /// Parameters with which the documentation shows the text.
    pub example: &'static [(&'static str, &'static str)],
    /// What is wrong: place, value, cause. `{name}` stands for a parameter.
    pub text: Words,
    /// What to do about it; empty if nothing needs doing.
    pub cure: Words,
}

/// The entry of a code and its variant; the usual text where the variant has none of its own.
#[must_use]
pub fn entry(code: Code, why: &str) -> &'static Entry {
    const NONE: Entry = Entry {
        code: Code::E901,
        why: "",
        level: Level::Info,
        effect: Effect::Told,
        grouped: false,
        example: &[],
        text: Words { en: "", fr: "", de: "" },
        cure: Words { en: "", fr: "", de: "" },
    };
    entries()
        .find(|e| e.code == code && e.why == why)
        .or_else(|| entries().find(|e| e.code == code && e.why.is_empty()))
        .or_else(|| entries().find(|e| e.code == code))
        .unwrap_or(&NONE)
}

/// All entries, in the order of the codes.
pub fn entries() -> impl Iterator<Item = &'static Entry> {
    [file::ENTRIES, rows::ENTRIES, people::ENTRIES, times::ENTRIES, guards::ENTRIES, undo::ENTRIES]
        .into_iter()
        .flatten()
}

/// Fills a template: `{name}` becomes the parameter `name` (dates, in parameters whose names end in
/// `date`, as the language writes them), `{name|person|people}` the word that goes with that number; an unknown name
/// becomes nothing.
#[must_use]
pub fn fill<'p>(
    template: &str,
    language: Language,
    param: impl Fn(&str) -> Option<Cow<'p, str>>,
) -> String {
    let mut out = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((name, tail)) = after.split_once('}') else {
            out.push('{');
            rest = after;
            continue;
        };
        let (name, words) = name.split_once('|').unwrap_or((name, ""));
        let value = param(name).unwrap_or_default();
        if let Some((one, many)) = words.split_once('|') {
            out.push_str(if is_one(&value, language) { one } else { many });
        } else if name.ends_with("date") {
            out.push_str(&local_date(&value, language));
        } else {
            out.push_str(&value);
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// Whether a number takes the singular: in French zero does too.
fn is_one(number: &str, language: Language) -> bool {
    number == "1" || (language == Language::Fr && number == "0")
}

/// A canonical date as the language writes it; other text as it is.
#[must_use]
pub fn local_date(value: &str, language: Language) -> Cow<'_, str> {
    let Ok(date) = value.parse::<jiff::civil::Date>() else { return Cow::Borrowed(value) };
    let (y, m, d) = (date.year(), date.month(), date.day());
    match language {
        // ISO: the one form that no English-speaking country reads the other way round.
        Language::En => Cow::Borrowed(value),
        Language::Fr => Cow::Owned(format!("{d:02}/{m:02}/{y:04}")),
        Language::De => Cow::Owned(format!("{d:02}.{m:02}.{y:04}")),
    }
}

#[cfg(test)]
mod tests;
