//! TOML to checked settings: every refusal names the key and shows a right example.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

use super::forms::DateForm;
use super::name::FileName;
use super::settings::{
    Column, Decimal, Encoding, ExportSettings, Formulas, LineEnd, ManagerAs, NotEncodable, Quotes,
    UnmappedOut, ValueMapOut, What, When,
};
use crate::import::fields::{Field, FieldKey};
use crate::import::settings::{
    Read, choice, field_key, limit, list, table, takes_codes, text, wrong, yes_or_no,
};
use crate::import::standing::Standing;
use crate::schedule::Trigger;

/// The keys of the document, in its order.
const KEYS: &[&str] = &[
    "what",
    "trigger",
    "file_name",
    "send_empty",
    "users",
    "only",
    "columns",
    "headers",
    "header",
    "separator",
    "encoding",
    "not_encodable",
    "quotes",
    "line_end",
    "dates",
    "decimal",
    "manager",
    "formulas",
    "value_maps",
    "fewer_rows",
    "encrypt",
    "sign",
    "zip",
];

/// The separators, by the name that settings may give them.
pub(super) const SEPARATORS: [(&str, char); 5] =
    [(";", ';'), (",", ','), ("tab", '\t'), ("\t", '\t'), ("|", '|')];

pub(super) fn settings(given: &Table) -> Read<ExportSettings> {
    let mut settings = ExportSettings::default();
    for (name, value) in given {
        one(&mut settings, name, value)?;
    }
    checked(settings)
}

fn one(settings: &mut ExportSettings, name: &str, value: &Value) -> Read<()> {
    match name {
        "what" => settings.what = choice(name, value, &What::NAMED)?,
        "trigger" => settings.trigger = trigger(value)?,
        "file_name" => settings.file_name = file_name(value)?,
        "send_empty" => settings.send_empty = yes_or_no(name, value)?,
        "users" => settings.users = users(value)?,
        "only" => settings.only = only(value)?,
        "columns" => settings.columns = columns(value)?,
        "headers" => settings.headers = headers(value)?,
        "header" => settings.header = yes_or_no(name, value)?,
        "separator" => settings.separator = choice(name, value, &SEPARATORS)?,
        "encoding" => settings.encoding = choice(name, value, Encoding::NAMED)?,
        "not_encodable" => settings.not_encodable = choice(name, value, NotEncodable::NAMED)?,
        "quotes" => settings.quotes = choice(name, value, Quotes::NAMED)?,
        "line_end" => settings.line_end = choice(name, value, LineEnd::NAMED)?,
        "dates" => settings.dates = dates(value)?,
        "decimal" => settings.decimal = choice(name, value, Decimal::NAMED)?,
        "manager" => settings.manager = choice(name, value, ManagerAs::NAMED)?,
        "formulas" => settings.formulas = choice(name, value, Formulas::NAMED)?,
        "value_maps" => settings.value_maps = value_maps(value)?,
        "fewer_rows" => settings.fewer_rows = limit(name, value, settings.fewer_rows)?,
        "encrypt" => settings.encrypt = encrypt(value)?,
        "sign" => settings.sign = yes_or_no(name, value)?,
        "zip" => settings.zip = yes_or_no(name, value)?,
        _ => {
            let known = KEYS.join(", ");
            return Err(format!("\"{name}\" is not an export setting; there are: {known}"));
        }
    }
    Ok(())
}

/// What only shows when all settings are known.
fn checked(settings: ExportSettings) -> Read<ExportSettings> {
    if settings.what.needs_basis() && !settings.file_name.has_seq() {
        return Err(format!(
            "file_name = \"{}\" is not possible with what = \"{}\": a file that was not fetched yet would be replaced, and what it tells be lost; write for example file_name = \"{}_{{date}}_{{seq}}.csv\"",
            settings.file_name.as_str(),
            settings.what.name(),
            settings.what.name()
        ));
    }
    if settings.quotes == Quotes::Never
        && settings.separator == ','
        && settings.decimal == Decimal::Comma
    {
        return Err("decimal = \",\" is not possible with separator = \",\" and quotes = \"never\"; write for example separator = \";\"".to_owned());
    }
    if settings.sign && settings.encrypt.is_empty() {
        return Err("sign = true is only used with encrypt; write for example encrypt = [\"3AA5C34371567BD2A1D1C0F9A7B9E6C1D2E3F405\"], or sign = false".to_owned());
    }
    if settings.zip && !settings.encrypt.is_empty() {
        return Err("zip = true is not possible together with encrypt: a file is encrypted in one way; write zip = false, or encrypt = []".to_owned());
    }
    let shown = |column: &Column| {
        settings.columns.is_empty()
            || settings.columns.contains(column)
            || matches!(column, Column::Field(FieldKey::Custom(_)))
                && settings.columns.contains(&Column::AllCustom)
    };
    if let Some(column) =
        settings.headers.keys().chain(settings.value_maps.keys()).find(|column| !shown(column))
    {
        return Err(format!(
            "\"{column}\" has a header or value map, but it is not in columns; add it to columns, or take it out"
        ));
    }
    let mut seen = BTreeSet::new();
    for column in &settings.columns {
        let header = settings.headers.get(column).cloned().unwrap_or_else(|| column.to_string());
        if !seen.insert(header.to_lowercase()) {
            return Err(format!(
                "two columns would have the header \"{header}\"; give one of them another one under [headers]"
            ));
        }
    }
    Ok(settings)
}

fn trigger(value: &Value) -> Read<When> {
    let example = "\"daily 23:30\"";
    match text("trigger", value, example)? {
        "manual" => Ok(When::Manual),
        "import" => Ok(When::Import),
        schedule => match Trigger::parse(schedule) {
            Ok(Trigger::Upload) | Err(_) if schedule.eq_ignore_ascii_case("upload") => {
                Err(format!(
                    "trigger = {value} is not possible for an export; write for example trigger = \"import\": after each applied import"
                ))
            }
            Ok(trigger) => Ok(When::At(trigger)),
            Err(why) => Err(format!(
                "trigger = {value} is not possible: {why}; write for example trigger = {example}, or \"import\" or \"manual\""
            )),
        },
    }
}

fn file_name(value: &Value) -> Read<FileName> {
    let example = "\"users_{date}_{seq}.csv\"";
    FileName::parse(text("file_name", value, example)?).map_err(|why| {
        format!(
            "file_name = {value} is not possible: {why}; write for example file_name = {example}"
        )
    })
}

fn dates(value: &Value) -> Read<DateForm> {
    let example = "\"DD/MM/YYYY\"";
    DateForm::parse(text("dates", value, example)?).map_err(|why| {
        format!("dates = {value} is not possible: {why}; write for example dates = {example}")
    })
}

fn users(value: &Value) -> Read<BTreeSet<Standing>> {
    let example = "[\"upcoming\", \"active\"]";
    let known = &Standing::NAMED[..3];
    let mut users = BTreeSet::new();
    for name in list("users", value, example)? {
        let (_, standing) = known
            .iter()
            .find(|(word, _)| *word == name)
            .ok_or_else(|| wrong("users", value, example))?;
        users.insert(*standing);
    }
    if users.is_empty() { Err(wrong("users", value, example)) } else { Ok(users) }
}

fn only(value: &Value) -> Read<BTreeMap<FieldKey, BTreeSet<String>>> {
    let example = "[only] with the line legal_entity = [\"FR01\"]";
    let mut only = BTreeMap::new();
    for (name, value) in table("only", value, example)? {
        let field = field_key("only", name)?;
        let codes = match &field {
            FieldKey::Known(known) => takes_codes(*known) && *known != Field::Roles,
            FieldKey::Custom(_) => true,
        };
        if !codes {
            return Err(format!(
                "only.{name}: users are chosen by fields such as legal_entity, establishment, department or contract_type; write for example legal_entity = [\"FR01\"]"
            ));
        }
        let values = list(&format!("only.{name}"), value, "[\"FR01\"]")?;
        if values.is_empty() {
            return Err(format!(
                "only.{name} = [] would choose nobody; write for example only.{name} = [\"FR01\"], or leave it out"
            ));
        }
        only.insert(field, values.into_iter().map(str::to_owned).collect());
    }
    Ok(only)
}

fn column(place: &str, name: &str) -> Read<Column> {
    name.parse().map_err(|_| {
        format!("{place}: \"{name}\" is not a column; write for example department, custom.badge, custom.* (all of your own), state or previous_employee_number (docs/file-format.md lists the fields)")
    })
}

fn columns(value: &Value) -> Read<Vec<Column>> {
    let mut columns = Vec::new();
    for name in list("columns", value, "[\"employee_number\", \"last_name\", \"first_name\"]")? {
        let column = column("columns", name)?;
        if columns.contains(&column) {
            return Err(format!("columns: \"{name}\" stands in it twice; take one out"));
        }
        columns.push(column);
    }
    Ok(columns)
}

fn headers(value: &Value) -> Read<BTreeMap<Column, String>> {
    let example = "[headers] with the line employee_number = \"Matricule\"";
    let mut headers = BTreeMap::new();
    for (name, value) in table("headers", value, example)? {
        let column = column("headers", name)?;
        if column == Column::AllCustom {
            return Err("headers.\"custom.*\": it stands for several columns; give each its header, for example \"custom.badge\" = \"Badge\"".to_owned());
        }
        let header = text(&format!("headers.{name}"), value, "\"Matricule\"")?;
        headers.insert(column, header.to_owned());
    }
    Ok(headers)
}

fn value_maps(value: &Value) -> Read<BTreeMap<Column, ValueMapOut>> {
    let example = "[value_maps.department] with the line codes = { \"Accounting\" = \"COMPTA\" }";
    let mut maps = BTreeMap::new();
    for (name, value) in table("value_maps", value, example)? {
        let column = column("value_maps", name)?;
        let codes = match &column {
            Column::Field(FieldKey::Known(field)) => takes_codes(*field),
            Column::Field(FieldKey::Custom(_)) | Column::State => true,
            Column::AllCustom | Column::PreviousNumber => false,
        };
        if !codes {
            return Err(format!(
                "value_maps.{name}: the values of {name} are not codes; value maps serve columns such as department, csp, role, legal_entity or state"
            ));
        }
        maps.insert(column, value_map(name, value)?);
    }
    Ok(maps)
}

fn value_map(column: &str, value: &Value) -> Read<ValueMapOut> {
    let place = format!("value_maps.{column}");
    let example = format!("[{place}] with the line codes = {{ \"ours\" = \"theirs\" }}");
    let mut codes = BTreeMap::new();
    let (mut unmapped, mut default) = ("use", None);
    for (name, value) in table(&place, value, &example)? {
        match name.as_str() {
            "codes" => {
                for (ours, theirs) in table(&format!("{place}.codes"), value, &example)? {
                    // An empty text is a value here: some programs want none for a code.
                    let theirs = theirs.as_str().ok_or_else(|| {
                        wrong(&format!("{place}.codes.\"{ours}\""), theirs, "\"theirs\"")
                    })?;
                    codes.insert(ours.clone(), theirs.to_owned());
                }
            }
            "unmapped" => {
                let known = [("use", "use"), ("block", "block"), ("default", "default")];
                unmapped = choice(&format!("{place}.unmapped"), value, &known)?;
            }
            "default" => {
                let wrong = || wrong(&format!("{place}.default"), value, "\"theirs\"");
                default = Some(value.as_str().ok_or_else(wrong)?.to_owned());
            }
            _ => {
                return Err(format!(
                    "\"{place}.{name}\" is not an export setting; a value map has: codes, unmapped, default"
                ));
            }
        }
    }
    let unmapped = match (unmapped, default) {
        ("default", Some(default)) => UnmappedOut::Default(default),
        ("default", None) => {
            return Err(format!(
                "{place}.unmapped is \"default\", but {place}.default is missing; write for example default = \"OTHER\""
            ));
        }
        (_, Some(_)) => {
            return Err(format!(
                "{place}.default is only used with unmapped = \"default\"; write both or neither"
            ));
        }
        ("block", None) => UnmappedOut::Block,
        _ => UnmappedOut::Use,
    };
    Ok(ValueMapOut { codes, unmapped })
}

fn encrypt(value: &Value) -> Read<Vec<String>> {
    let example = "[\"3AA5C34371567BD2A1D1C0F9A7B9E6C1D2E3F405\"]";
    let mut keys: Vec<String> = Vec::new();
    for text in list("encrypt", value, example)? {
        let bare: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let bare = bare.to_uppercase();
        let long = matches!(bare.len(), 40 | 64);
        if !long || !bare.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(format!(
                "encrypt: \"{text}\" is not a fingerprint (40 or 64 hex digits); write for example encrypt = {example}"
            ));
        }
        if !keys.contains(&bare) {
            keys.push(bare);
        }
    }
    Ok(keys)
}
