//! Cells to canonical values, field by field; what cannot be read is refused with its reason.

use std::borrow::Cow;

use super::dates::{Dates, Meant, iso};
use super::{Field, FieldKey};
use crate::import::note::CellRefusal;
use crate::import::text::{clean, clean_words, fold};

/// What a cell says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<'a> {
    /// Nothing: the setting `blanks` decides.
    Blank,
    /// An end of contract that says "none" in words or as 31/12/9999.
    Open,
    /// A value in canonical text (see `directory::Values`).
    Text(Cow<'a, str>),
}

/// The languages and regions that a user may have.
pub const CULTURES: [&str; 7] = ["fr-FR", "de-DE", "en-US", "en-GB", "es-ES", "nl-BE", "it-IT"];

/// The canonical genders.
pub const GENDERS: [&str; 3] = ["female", "male", "other"];

/// Reads a cell as a value of the field. `manager` stays as written: whom it names is the plan's question.
///
/// # Errors
/// V302 not a date · V303 ambiguous date · V304 date out of range · V305 impossible date · V306 not an
/// e-mail address · V307 not in the closed list · V308 too long · V309 damaged by a spreadsheet ·
/// V313 not a number.
pub fn parse<'a>(key: &FieldKey, raw: &'a str, dates: &Dates) -> Result<Value<'a>, CellRefusal> {
    let text = match key {
        FieldKey::Known(Field::Address | Field::Roles) | FieldKey::Custom(_) => clean(raw),
        FieldKey::Known(_) => clean_words(raw),
    };
    if text.is_empty() {
        return Ok(Value::Blank);
    }
    let field = match key {
        FieldKey::Known(field) => *field,
        FieldKey::Custom(_) => return checked_length(text, CUSTOM_CHARS).map(Value::Text),
    };
    if says_nothing(field, &text) {
        return Ok(Value::Blank);
    }
    refuse_damage(field, &text)?;
    let value = match field {
        Field::ContractStart | Field::ContractEnd | Field::SeniorityDate | Field::BirthDate => {
            return date(field, &text, dates);
        }
        Field::Email => email(text)?,
        Field::Culture => Cow::Borrowed(culture(&text)?),
        Field::Gender => Cow::Borrowed(gender(&text)?),
        Field::Status => status(text),
        Field::Fte => Cow::Owned(fte(&text)?),
        Field::WeeklyHours => Cow::Owned(weekly_hours(&text)?),
        Field::Roles => match roles(&text) {
            none if none.is_empty() => return Ok(Value::Blank),
            some => {
                // `#REF!` among roles is damage as it is alone.
                some.split('\n').try_for_each(|role| refuse_damage(field, role))?;
                Cow::Owned(some)
            }
        },
        _ => text,
    };
    checked_length(value, field.max_chars()).map(Value::Text)
}

/// The longest value of a client's own column, in characters.
const CUSTOM_CHARS: usize = 1000;

impl Field {
    /// The longest value, in characters.
    #[must_use]
    pub fn max_chars(self) -> usize {
        match self {
            Self::EmployeeNumber | Self::Phone | Self::Mobile | Self::Status => 50,
            Self::FirstName
            | Self::LastName
            | Self::BirthName
            | Self::Country
            | Self::Nationality => 100,
            Self::Email => 254,
            Self::Address => 500,
            Self::Roles => 1000,
            _ => 255,
        }
    }

    /// Whether its values are entries of a list that grows with the files.
    #[must_use]
    pub fn is_reference(self) -> bool {
        matches!(
            self,
            Self::LegalEntity
                | Self::Establishment
                | Self::EndReason
                | Self::ContractType
                | Self::Department
                | Self::CostCenter
                | Self::Csp
                | Self::Role
                | Self::Roles
                | Self::ProfileAbsence
                | Self::ProfileTime
                | Self::ProfileExpense
                | Self::Calendar
        )
    }

    /// Whether reports mask its values.
    #[must_use]
    pub fn is_sensitive(self) -> bool {
        matches!(
            self,
            Self::BirthDate | Self::BirthName | Self::Gender | Self::Nationality | Self::Address
        )
    }

    /// Whether its values are codes, in which `1,23E+05` can only be a spreadsheet's doing.
    fn is_code(self) -> bool {
        self.is_reference()
            || matches!(
                self,
                Self::EmployeeNumber | Self::Login | Self::Phone | Self::Mobile | Self::Manager
            )
    }
}

/// What databases and programs write where a value is missing. A name may be anything, and a dash for an end of
/// contract says that there is none.
fn says_nothing(field: Field, text: &str) -> bool {
    let says = match text {
        "NULL" | "null" | "(null)" | "(NULL)" | "<NULL>" | "<null>" | "\\N" | "None" | "NaN"
        | "nan" | "NaT" => true,
        "-" | "--" | "–" | "—" | "N/A" | "n/a" => field != Field::ContractEnd,
        _ => false,
    };
    says && !matches!(field, Field::FirstName | Field::LastName | Field::BirthName)
}

fn checked_length(text: Cow<'_, str>, limit: usize) -> Result<Cow<'_, str>, CellRefusal> {
    if text.len() <= limit {
        return Ok(text);
    }
    let chars = text.chars().count();
    if chars <= limit {
        return Ok(text);
    }
    let params = vec![("limit", limit.to_string()), ("length", chars.to_string())];
    Err(CellRefusal::new("V308", params))
}

/// `#REF!`, `#####` and `1,23E+05` are what a spreadsheet left of a value, `H?l?ne` what a program without accents did.
fn refuse_damage(field: Field, text: &str) -> Result<(), CellRefusal> {
    // Nearly every value has none of these signs; 0xEF begins U+FFFD in UTF-8.
    let is_sign = |byte| matches!(byte, b'#' | b'?' | b'&' | b'\\' | b'%' | b'=' | 0xEF);
    if text.bytes().any(is_sign) {
        refuse_signs(field, text)?;
    }
    // `11.0` and `1,234` are numbers after a program took them for amounts; as keys they would be somebody new.
    let is_number = matches!(field, Field::EmployeeNumber | Field::Manager);
    let is_damaged = (field.is_code() && looks::like_scientific(text))
        || (is_number && (looks::like_amount(text) || looks::like_thousands(text)));
    if is_damaged { Err(damaged(text, None)) } else { Ok(()) }
}

fn damaged(text: &str, cause: Option<&str>) -> CellRefusal {
    let value = [("value", text.to_owned())].into_iter();
    CellRefusal::new("V309", value.chain(cause.map(|cause| ("cause", cause.to_owned()))).collect())
}

/// Damage that shows by signs which `refuse_damage` looks for.
fn refuse_signs(field: Field, text: &str) -> Result<(), CellRefusal> {
    let names = matches!(field, Field::FirstName | Field::LastName | Field::BirthName);
    let words = names || field.is_reference();
    if text.starts_with('#') && looks::like_spreadsheet_error(text) {
        return Err(damaged(text, None));
    }
    if text.contains(char::REPLACEMENT_CHARACTER) || (words && looks::like_lost_letters(text)) {
        return Err(damaged(text, Some("letters")));
    }
    if words && looks::like_coded_letters(text) {
        return Err(damaged(text, Some("coded")));
    }
    Ok(())
}

fn date<'a>(field: Field, text: &str, dates: &Dates) -> Result<Value<'a>, CellRefusal> {
    if field == Field::ContractEnd && looks::like_never(text) {
        return Ok(Value::Open);
    }
    match dates.read(field, text)? {
        Meant::Day(day) => Ok(Value::Text(Cow::Owned(iso(day)))),
        Meant::Open if field == Field::ContractEnd => Ok(Value::Open),
        Meant::Open if text.bytes().all(|b| !b.is_ascii_digit() || b == b'0') => Ok(Value::Blank),
        Meant::Open => Err(CellRefusal::new("V304", vec![("value", text.to_owned())])),
    }
}

/// Lower-cased; an address as mail servers accept it, not all that RFC 5322 allows.
fn email(text: Cow<'_, str>) -> Result<Cow<'_, str>, CellRefusal> {
    let bare =
        text.strip_prefix("mailto:").unwrap_or(&text).trim_start_matches('<').trim_end_matches('>');
    if !looks::like_email(bare) {
        return Err(CellRefusal::new("V306", vec![("value", text.clone().into_owned())]));
    }
    if bare.len() == text.len() && !bare.chars().any(char::is_uppercase) {
        return Ok(text);
    }
    Ok(Cow::Owned(bare.to_lowercase()))
}

fn culture(text: &str) -> Result<&'static str, CellRefusal> {
    const ALSO: [(&str, &[&str]); 7] = [
        ("fr-FR", &["fr", "fra", "fre", "francais", "french", "franzosisch", "1036"]),
        ("de-DE", &["de", "deu", "ger", "allemand", "german", "deutsch", "1031"]),
        ("en-US", &["enus", "anglaisus", "americain", "1033"]),
        ("en-GB", &["en", "eng", "anglais", "english", "englisch", "2057"]),
        (
            "es-ES",
            &["es", "esp", "spa", "espagnol", "spanish", "spanisch", "espanol", "1034", "3082"],
        ),
        (
            "nl-BE",
            &["nl", "nld", "dut", "neerlandais", "dutch", "niederlandisch", "nederlands", "2067"],
        ),
        ("it-IT", &["it", "ita", "italien", "italian", "italienisch", "italiano", "1040"]),
    ];
    let folded = fold(text);
    ALSO.iter()
        .find(|(code, also)| fold(code) == folded || also.contains(&folded.as_str()))
        .map(|(code, _)| *code)
        .ok_or_else(|| not_listed(text, &CULTURES))
}

fn gender(text: &str) -> Result<&'static str, CellRefusal> {
    looks::gender_of(text).ok_or_else(|| not_listed(text, &GENDERS))
}

fn not_listed(text: &str, allowed: &[&str]) -> CellRefusal {
    CellRefusal::new("V307", vec![("value", text.to_owned()), ("allowed", allowed.join(", "))])
}

/// `active` or `ended` where the text says so; other texts stay as they are.
fn status(text: Cow<'_, str>) -> Cow<'_, str> {
    match looks::status_of(&text) {
        Some(status) => Cow::Borrowed(status),
        None => text,
    }
}

/// Part of full time as a fraction: `0.8`. Above 1.5 it is a percentage.
fn fte(text: &str) -> Result<String, CellRefusal> {
    let bare = text.trim_end_matches('%').trim_end();
    let Some(number) = decimal(bare) else { return Err(not_a_number(text)) };
    let is_percentage = bare.len() != text.len() || number > 1.5;
    let part = if is_percentage { number / 100.0 } else { number };
    if !(0.0..=1.5).contains(&part) {
        return Err(not_a_number(text));
    }
    Ok(canonical(part))
}

/// `35`, `37,5`, `37h30`, `37:30`.
fn weekly_hours(text: &str) -> Result<String, CellRefusal> {
    let bare = text.trim_end_matches(|c: char| c.is_alphabetic() || c == '.').trim_end();
    let hours = match text.split_once(['h', 'H', ':']) {
        Some((hours, minutes)) if !minutes.is_empty() && minutes.len() <= 2 => {
            match (hours.trim().parse::<u8>(), minutes.parse::<u8>()) {
                (Ok(hours), Ok(minutes)) if minutes < 60 => {
                    Some(f64::from(hours) + f64::from(minutes) / 60.0)
                }
                _ => None,
            }
        }
        _ => decimal(bare),
    };
    match hours {
        Some(hours) if (0.0..=168.0).contains(&hours) => Ok(canonical(hours)),
        _ => Err(not_a_number(text)),
    }
}

fn not_a_number(text: &str) -> CellRefusal {
    CellRefusal::new("V313", vec![("value", text.to_owned())])
}

/// A number with a decimal comma or point; the other sign, spaces and apostrophes may group thousands.
fn decimal(text: &str) -> Option<f64> {
    let bare: String = text.chars().filter(|c| !matches!(c, ' ' | '\'' | '’')).collect();
    let plain = match (bare.rfind(','), bare.rfind('.')) {
        (Some(comma), Some(point)) if comma > point => bare.replace('.', "").replace(',', "."),
        (Some(_), Some(_)) => bare.replace(',', ""),
        (Some(_), None) => bare.replace(',', "."),
        _ => bare,
    };
    let is_plain = plain.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && plain.bytes().any(|b| b.is_ascii_digit());
    is_plain.then(|| plain.parse().ok())?
}

/// At most four decimals, none that say nothing.
fn canonical(number: f64) -> String {
    let text = format!("{number:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Several roles in one cell, each once, one a line.
fn roles(text: &str) -> String {
    let mut seen: Vec<Cow<'_, str>> = Vec::new();
    for role in text.split([';', ',', '|', '\n']).map(clean_words) {
        if !role.is_empty() && !seen.contains(&role) {
            seen.push(role);
        }
    }
    seen.join("\n")
}

pub(super) mod looks;

#[cfg(test)]
mod tests;
