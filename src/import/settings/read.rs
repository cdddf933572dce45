//! TOML to checked settings: every refusal names the key and shows a right example.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::guards::{Absence, closed_lists, guards};
use super::maps::{defaults, defaults_for, value_maps};
use super::reports::report;
use super::{Blank, FinalLineEnd, Mode, Settings, UnknownColumns, handling, login};
use crate::import::directory::{DateOrder, Key};
use crate::import::fields::{Field, FieldKey};
use crate::import::text::{Charset, fold};

pub(crate) type Read<T> = Result<T, String>;

/// The keys of the document, in its order.
const KEYS: &[&str] = &[
    "key",
    "mode",
    "absent",
    "absent_after",
    "strict",
    "guards",
    "approve_by_file",
    "blanks",
    "required",
    "login_pattern",
    "aliases",
    "unknown_columns",
    "value_maps",
    "closed_lists",
    "defaults",
    "defaults_for",
    "dates",
    "encoding",
    "final_line_end",
    "report",
];

pub(super) fn settings(table: &Table) -> Read<Settings> {
    let mut settings = Settings::default();
    let mut absence = Absence::default();
    for (name, value) in table {
        match name.as_str() {
            "key" => settings.key = key(value)?,
            "mode" => {
                settings.mode =
                    choice("mode", value, &[("full", Mode::Full), ("delta", Mode::Delta)])?;
            }
            "absent" => absence.policy(value)?,
            "absent_after" => absence.after(value)?,
            "strict" => settings.strict = yes_or_no("strict", value)?,
            "guards" => settings.guards = guards(value)?,
            "approve_by_file" => settings.approve_by_file = yes_or_no("approve_by_file", value)?,
            "blanks" => settings.blanks = blanks(value)?,
            "required" => settings.required = Some(required(value)?),
            "login_pattern" => settings.login_pattern = login_pattern(value)?,
            "aliases" => settings.aliases = aliases(value)?,
            "unknown_columns" => {
                let known = [("ignore", UnknownColumns::Ignore), ("keep", UnknownColumns::Keep)];
                settings.unknown_columns = choice("unknown_columns", value, &known)?;
            }
            "value_maps" => settings.value_maps = value_maps(value)?,
            "closed_lists" => settings.closed_lists = closed_lists(value)?,
            "defaults" => settings.defaults.insert(0, defaults("defaults", value)?),
            "defaults_for" => settings.defaults.extend(defaults_for(value)?),
            "dates" => settings.dates = dates(value)?,
            "encoding" => settings.encoding = choice("encoding", value, &Charset::NAMED)?,
            "final_line_end" => {
                let known = [("auto", FinalLineEnd::Auto), ("optional", FinalLineEnd::Optional)];
                settings.final_line_end = choice("final_line_end", value, &known)?;
            }
            "report" => settings.report = report(value)?,
            _ if handling::KEYS.contains(&name.as_str()) => settings.handling.read(name, value)?,
            _ => {
                let known = [KEYS, &handling::KEYS].concat().join(", ");
                return Err(format!("\"{name}\" is not an import setting; there are: {known}"));
            }
        }
    }
    settings.absent = absence.settle()?;
    settings.defaults.retain(|d| !d.values.is_empty());
    checked(settings)
}

/// What only shows when all settings are known.
fn checked(settings: Settings) -> Read<Settings> {
    for (field, blank) in &settings.blanks {
        if *blank == Blank::Default
            && !settings.defaults.iter().any(|d| d.values.contains_key(field))
        {
            return Err(format!(
                "blanks.{field} is \"default\", but {field} has no default; add one under [defaults], e.g. {field} = \"…\""
            ));
        }
        let needed = match field {
            FieldKey::Known(field) => must_not_be_cleared(&settings, *field),
            FieldKey::Custom(_) => false,
        };
        if *blank == Blank::Clear && needed {
            return Err(format!(
                "blanks.{field} is \"clear\", but a user cannot be without {field}; write blanks.{field} = \"keep\""
            ));
        }
    }
    Ok(settings)
}

fn must_not_be_cleared(settings: &Settings, field: Field) -> bool {
    let always = [Field::FirstName, Field::LastName, Field::ContractStart, Field::EmployeeNumber];
    always.contains(&field) || settings.required.as_ref().is_some_and(|r| r.contains(&field))
}

pub(crate) fn wrong(name: &str, value: &Value, example: &str) -> String {
    format!("{name} = {value} is not possible; write for example {name} = {example}")
}

pub(crate) fn choice<T: Copy>(name: &str, value: &Value, known: &[(&str, T)]) -> Read<T> {
    if let Some(text) = value.as_str()
        && let Some((_, found)) = known.iter().find(|(word, _)| *word == text)
    {
        return Ok(*found);
    }
    let words: Vec<String> = known.iter().map(|(word, _)| format!("\"{word}\"")).collect();
    let example = words.first().cloned().unwrap_or_default();
    Err(format!(
        "{name} = {value} is not possible; it is one of {}; write for example {name} = {example}",
        words.join(", ")
    ))
}

fn key(value: &Value) -> Read<Option<Key>> {
    choice(
        "key",
        value,
        &[
            ("auto", None),
            ("login", Some(Key::Login)),
            ("email", Some(Key::Email)),
            ("employee_number", Some(Key::EmployeeNumber)),
            ("legal_entity+employee_number", Some(Key::LegalEntityAndEmployeeNumber)),
        ],
    )
}

fn dates(value: &Value) -> Read<Option<DateOrder>> {
    choice(
        "dates",
        value,
        &[
            ("auto", None),
            ("dmy", Some(DateOrder::Dmy)),
            ("mdy", Some(DateOrder::Mdy)),
            ("ymd", Some(DateOrder::Ymd)),
        ],
    )
}

pub(crate) fn table<'v>(name: &str, value: &'v Value, example: &str) -> Read<&'v Table> {
    value.as_table().ok_or_else(|| {
        format!("{name} = {value} is not possible; it is a table; write for example {example}")
    })
}

pub(crate) fn list<'v>(name: &str, value: &'v Value, example: &str) -> Read<Vec<&'v str>> {
    value
        .as_array()
        .and_then(|all| all.iter().map(Value::as_str).collect())
        .ok_or_else(|| wrong(name, value, example))
}

pub(crate) fn text<'v>(name: &str, value: &'v Value, example: &str) -> Read<&'v str> {
    match value.as_str() {
        Some(text) if !text.trim().is_empty() => Ok(text.trim()),
        _ => Err(wrong(name, value, example)),
    }
}

pub(crate) fn field_key(place: &str, name: &str) -> Read<FieldKey> {
    name.parse().map_err(|_| {
        format!(
            "{place}: \"{name}\" is not a field; write for example department, or custom.badge for a column of your own (docs/file-format.md lists the fields)"
        )
    })
}

fn blanks(value: &Value) -> Read<BTreeMap<FieldKey, Blank>> {
    let known = [("keep", Blank::Keep), ("clear", Blank::Clear), ("default", Blank::Default)];
    let mut blanks = BTreeMap::new();
    for (name, value) in table("blanks", value, "[blanks] with the line department = \"clear\"")? {
        let field = field_key("blanks", name)?;
        blanks.insert(field, choice(&format!("blanks.{name}"), value, &known)?);
    }
    Ok(blanks)
}

pub(crate) fn yes_or_no(name: &str, value: &Value) -> Read<bool> {
    value.as_bool().ok_or_else(|| wrong(name, value, "true"))
}

/// An empty text is none.
fn login_pattern(value: &Value) -> Read<Option<String>> {
    let example = "\"{first}.{last}\"";
    let pattern = value.as_str().ok_or_else(|| wrong("login_pattern", value, example))?.trim();
    if pattern.is_empty() {
        return Ok(None);
    }
    login::parts(pattern).map_err(|problem| {
        format!("login_pattern = {value} is not possible: {problem}; write for example login_pattern = {example}")
    })?;
    Ok(Some(pattern.to_owned()))
}

fn required(value: &Value) -> Read<Vec<Field>> {
    let example = "[\"first_name\", \"last_name\", \"contract_start\"]";
    let mut fields = Vec::new();
    for name in list("required", value, example)? {
        let field = Field::from_name(name).ok_or_else(|| {
            format!(
                "required: \"{name}\" is not a field; write for example required = {example} (docs/file-format.md lists the fields)"
            )
        })?;
        if !fields.contains(&field) {
            fields.push(field);
        }
    }
    fields.sort_unstable();
    Ok(fields)
}

fn aliases(value: &Value) -> Read<BTreeMap<String, FieldKey>> {
    let example = "[aliases] with the line \"Code agent\" = \"employee_number\"";
    let mut aliases = BTreeMap::new();
    for (header, value) in table("aliases", value, example)? {
        let name = format!("aliases.\"{header}\"");
        let field = text(&name, value, "\"employee_number\"")?;
        aliases.insert(header.trim().to_owned(), field_key(&name, field)?);
    }
    Ok(aliases)
}

/// Whether aliases that are one header (capitals and accents do not matter) name one field.
pub(super) fn check_aliases(settings: &Settings) -> Read<()> {
    let mut known: BTreeMap<String, (&str, &FieldKey)> = BTreeMap::new();
    for (header, field) in &settings.aliases {
        let (other, its) = *known.entry(fold(header)).or_insert((header, field));
        if its != field {
            return Err(format!(
                "aliases.\"{header}\" = \"{field}\" contradicts aliases.\"{other}\" = \"{its}\": capitals, accents and signs do not matter in a header, so both are the same; keep one of them"
            ));
        }
    }
    Ok(())
}
