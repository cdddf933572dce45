//! TOML to checked settings: every refusal names the key and shows a right example.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::{
    Blank, Defaults, FinalLineEnd, Format, Mode, ReportSettings, Settings, UnknownColumns,
    Unmapped, ValueMap,
};
use crate::import::directory::{DateOrder, Key};
use crate::import::fields::{Field, FieldKey};
use crate::model::Language;

type Read<T> = Result<T, String>;

/// The keys of the document, in its order.
const KEYS: &[&str] = &[
    "key",
    "mode",
    "absent",
    "blanks",
    "required",
    "aliases",
    "unknown_columns",
    "value_maps",
    "defaults",
    "defaults_for",
    "dates",
    "final_line_end",
    "trigger",
    "report",
];

pub(super) fn settings(table: &Table) -> Read<Settings> {
    let mut settings = Settings::default();
    for (name, value) in table {
        match name.as_str() {
            "key" => settings.key = key(value)?,
            "mode" => {
                settings.mode =
                    choice("mode", value, &[("full", Mode::Full), ("delta", Mode::Delta)])?;
            }
            "absent" => only("absent", value, "report", &["end", "hold"])?,
            "blanks" => settings.blanks = blanks(value)?,
            "required" => settings.required = Some(required(value)?),
            "aliases" => settings.aliases = aliases(value)?,
            "unknown_columns" => {
                let known = [("ignore", UnknownColumns::Ignore), ("keep", UnknownColumns::Keep)];
                settings.unknown_columns = choice("unknown_columns", value, &known)?;
            }
            "value_maps" => settings.value_maps = value_maps(value)?,
            "defaults" => settings.defaults.insert(0, defaults("defaults", value)?),
            "defaults_for" => settings.defaults.extend(defaults_for(value)?),
            "dates" => settings.dates = dates(value)?,
            "final_line_end" => {
                let known = [("auto", FinalLineEnd::Auto), ("optional", FinalLineEnd::Optional)];
                settings.final_line_end = choice("final_line_end", value, &known)?;
            }
            "trigger" => only("trigger", value, "upload", &["daily", "cron"])?,
            "report" => settings.report = report(value)?,
            "strict" | "guards" => return Err(not_yet(name, "do not write it")),
            _ => {
                let known = KEYS.join(", ");
                return Err(format!("\"{name}\" is not an import setting; there are: {known}"));
            }
        }
    }
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

fn not_yet(name: &str, cure: &str) -> String {
    format!("\"{name}\" is not available in this version; {cure}")
}

fn wrong(name: &str, value: &Value, example: &str) -> String {
    format!("{name} = {value} is not possible; write for example {name} = {example}")
}

/// A setting that has one value in this version.
fn only(name: &str, value: &Value, allowed: &str, later: &[&str]) -> Read<()> {
    match value.as_str() {
        Some(text) if text == allowed => Ok(()),
        Some(text) if later.iter().any(|l| text.starts_with(l)) => Err(format!(
            "{name} = \"{text}\" is not available in this version; write {name} = \"{allowed}\""
        )),
        _ => Err(wrong(name, value, &format!("\"{allowed}\""))),
    }
}

fn choice<T: Copy>(name: &str, value: &Value, known: &[(&str, T)]) -> Read<T> {
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

fn table<'v>(name: &str, value: &'v Value, example: &str) -> Read<&'v Table> {
    value.as_table().ok_or_else(|| {
        format!("{name} = {value} is not possible; it is a table; write for example {example}")
    })
}

fn list<'v>(name: &str, value: &'v Value, example: &str) -> Read<Vec<&'v str>> {
    value
        .as_array()
        .and_then(|all| all.iter().map(Value::as_str).collect())
        .ok_or_else(|| wrong(name, value, example))
}

fn text<'v>(name: &str, value: &'v Value, example: &str) -> Read<&'v str> {
    match value.as_str() {
        Some(text) if !text.trim().is_empty() => Ok(text.trim()),
        _ => Err(wrong(name, value, example)),
    }
}

fn field_key(place: &str, name: &str) -> Read<FieldKey> {
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

fn value_maps(value: &Value) -> Read<BTreeMap<FieldKey, ValueMap>> {
    let example = "[value_maps.department] with the line codes = { \"COMPTA\" = \"Accounting\" }";
    let mut maps = BTreeMap::new();
    for (name, value) in table("value_maps", value, example)? {
        let field = field_key("value_maps", name)?;
        if let FieldKey::Known(field) = field
            && !takes_codes(field)
        {
            return Err(format!(
                "value_maps.{name}: the values of {name} are not codes; value maps serve lists such as department, csp, role, legal_entity or profile_time"
            ));
        }
        maps.insert(field, value_map(name, value)?);
    }
    Ok(maps)
}

/// Whether a field's values can be mapped and defaulted: not what tells people apart.
fn takes_codes(field: Field) -> bool {
    !matches!(
        field,
        Field::EmployeeNumber
            | Field::Login
            | Field::Email
            | Field::FirstName
            | Field::LastName
            | Field::BirthName
            | Field::BirthDate
            | Field::ContractStart
            | Field::ContractEnd
            | Field::SeniorityDate
            | Field::Manager
    )
}

fn value_map(field: &str, value: &Value) -> Read<ValueMap> {
    let place = format!("value_maps.{field}");
    let mut map = ValueMap { codes: BTreeMap::new(), unmapped: Unmapped::Keep };
    let mut default = None;
    let example = format!("[{place}] with the line codes = {{ \"theirs\" = \"ours\" }}");
    for (name, value) in table(&place, value, &example)? {
        let name = name.as_str();
        match name {
            "codes" => {
                for (theirs, ours) in table(&format!("{place}.codes"), value, &example)? {
                    let ours = text(&format!("{place}.codes.\"{theirs}\""), ours, "\"ours\"")?;
                    map.codes.insert(theirs.trim().to_owned(), ours.to_owned());
                }
            }
            "unmapped" => {
                let known = [
                    ("keep", Some(Unmapped::Keep)),
                    ("block", Some(Unmapped::Block)),
                    ("default", None),
                ];
                let at = known.iter().position(|(word, _)| value.as_str() == Some(*word));
                match at.and_then(|at| known.into_iter().nth(at)) {
                    Some((_, Some(unmapped))) => map.unmapped = unmapped,
                    Some((_, None)) => map.unmapped = Unmapped::Default(String::new()),
                    None => {
                        return Err(wrong(
                            &format!("{place}.unmapped"),
                            value,
                            "\"keep\", \"block\" or \"default\"",
                        ));
                    }
                }
            }
            "default" => default = Some(text(&format!("{place}.default"), value, "\"ours\"")?),
            _ => {
                return Err(format!(
                    "\"{place}.{name}\" is not an import setting; a value map has: codes, unmapped, default"
                ));
            }
        }
    }
    match (&map.unmapped, default) {
        (Unmapped::Default(_), Some(default)) => {
            map.unmapped = Unmapped::Default(default.to_owned());
        }
        (Unmapped::Default(_), None) => {
            return Err(format!(
                "{place}.unmapped is \"default\", but {place}.default is missing; write for example default = \"Other\""
            ));
        }
        (_, Some(_)) => {
            return Err(format!(
                "{place}.default is only used with unmapped = \"default\"; write both or neither"
            ));
        }
        (_, None) => {}
    }
    Ok(map)
}

fn defaults(place: &str, value: &Value) -> Read<Defaults> {
    let example = "[defaults] with the line culture = \"fr-FR\"";
    let mut values = BTreeMap::new();
    for (name, value) in table(place, value, example)? {
        let field = field_key(place, name)?;
        if let FieldKey::Known(known) = field
            && known != Field::Manager
            && !takes_codes(known)
        {
            return Err(format!(
                "{place}.{known}: every person has their own {known}, so it cannot have a default; defaults serve fields such as culture, role or department"
            ));
        }
        values.insert(field, text(&format!("{place}.{name}"), value, "\"…\"")?.to_owned());
    }
    Ok(Defaults { legal_entity: None, department: None, values })
}

fn defaults_for(value: &Value) -> Read<Vec<Defaults>> {
    let example = "[[defaults_for]] with the lines legal_entity = \"FR01\" and values = { culture = \"fr-FR\" }";
    let wrong_shape =
        || format!("defaults_for = {value} is not possible; write for example {example}");
    let mut all = Vec::new();
    for one in value.as_array().ok_or_else(wrong_shape)? {
        let mut found = Defaults { legal_entity: None, department: None, values: BTreeMap::new() };
        for (name, value) in one.as_table().ok_or_else(wrong_shape)? {
            match name.as_str() {
                "legal_entity" => {
                    found.legal_entity =
                        Some(text("defaults_for.legal_entity", value, "\"FR01\"")?.to_owned());
                }
                "department" => {
                    found.department =
                        Some(text("defaults_for.department", value, "\"Sales\"")?.to_owned());
                }
                "values" => found.values = defaults("defaults_for.values", value)?.values,
                _ => {
                    return Err(format!(
                        "\"defaults_for.{name}\" is not an import setting; there are: legal_entity, department, values; write for example {example}"
                    ));
                }
            }
        }
        if found.legal_entity.is_none() && found.department.is_none() {
            return Err(format!(
                "defaults_for names neither legal_entity nor department; write for example {example}, or use [defaults] for everyone"
            ));
        }
        all.push(found);
    }
    Ok(all)
}

fn report(value: &Value) -> Read<ReportSettings> {
    let mut report = Settings::default().report;
    for (name, value) in table("report", value, "[report] with the line languages = [\"fr\"]")? {
        match name.as_str() {
            "languages" => report.languages = languages(value)?,
            "formats" => report.formats = formats(value)?,
            "markers" => {
                report.markers =
                    value.as_bool().ok_or_else(|| wrong("report.markers", value, "true"))?;
            }
            "recipients" => {
                if !list("report.recipients", value, "[]")?.is_empty() {
                    return Err(not_yet("report.recipients", "write recipients = []"));
                }
            }
            _ => {
                return Err(format!(
                    "\"report.{name}\" is not an import setting; there are: languages, formats, markers"
                ));
            }
        }
    }
    Ok(report)
}

fn languages(value: &Value) -> Read<Vec<Language>> {
    let mut languages = Vec::new();
    for name in list("report.languages", value, "[\"fr\", \"en\", \"de\"]")? {
        let language = name.parse().map_err(|_| {
            format!(
                "report.languages: \"{name}\" is not known; write for example languages = [\"fr\", \"en\", \"de\"]"
            )
        })?;
        if !languages.contains(&language) {
            languages.push(language);
        }
    }
    Ok(languages)
}

fn formats(value: &Value) -> Read<Vec<Format>> {
    let example = "[\"csv\", \"json\"]";
    let mut formats = Vec::new();
    for name in list("report.formats", value, example)? {
        let format = match name {
            "csv" => Format::Csv,
            "json" => Format::Json,
            "html" => {
                return Err(not_yet(
                    "report.formats = [\"html\"]",
                    "write formats = [\"csv\", \"json\"]",
                ));
            }
            _ => return Err(wrong("report.formats", value, example)),
        };
        if !formats.contains(&format) {
            formats.push(format);
        }
    }
    if formats.is_empty() {
        return Err(format!("report.formats is empty; write for example formats = {example}"));
    }
    Ok(formats)
}
