//! Value maps and defaults of the settings, from TOML.

use std::collections::BTreeMap;

use jiff::civil::Date;
use toml::Value;

use super::read::{Read, field_key, table, text, wrong};
use super::{Defaults, Settings, Unmapped, ValueMap};
use crate::import::fields::{CULTURES, Dates, Field, FieldKey, GENDERS, Value as Parsed, parse};
use crate::import::text::clean_words;

pub(super) fn value_maps(value: &Value) -> Read<BTreeMap<FieldKey, ValueMap>> {
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
#[must_use]
pub fn takes_codes(field: Field) -> bool {
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
                    // Compared with cells, so cleaned as cells are.
                    map.codes.insert(clean_words(theirs).into_owned(), ours.to_owned());
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

pub(super) fn defaults(place: &str, value: &Value) -> Read<Defaults> {
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

pub(super) fn defaults_for(value: &Value) -> Read<Vec<Defaults>> {
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

/// Whether every value of our own (defaults, what value maps give) is one that its field can have.
pub(super) fn check_values(settings: &Settings) -> Read<()> {
    let check = |place: String, key: &FieldKey, text: &str| match parse(key, text, &NO_DATES) {
        Ok(Parsed::Text(_)) => Ok(()),
        _ => {
            let example = match key {
                FieldKey::Known(Field::Culture) => CULTURES.first().copied(),
                FieldKey::Known(Field::Gender) => GENDERS.get(1).copied(),
                FieldKey::Known(Field::Fte) => Some("0.8"),
                FieldKey::Known(Field::WeeklyHours) => Some("35"),
                _ => None,
            };
            let cure = example.map_or_else(
                || "write a shorter text".to_owned(),
                |example| format!("write for example \"{example}\""),
            );
            Err(format!("{place} = \"{text}\" is not possible: {key} cannot be that; {cure}"))
        }
    };
    for (key, map) in &settings.value_maps {
        for (theirs, ours) in &map.codes {
            check(format!("value_maps.{key}.codes.\"{theirs}\""), key, ours)?;
        }
        if let Unmapped::Default(ours) = &map.unmapped {
            check(format!("value_maps.{key}.default"), key, ours)?;
        }
    }
    for defaults in &settings.defaults {
        let everyone = defaults.legal_entity.is_none() && defaults.department.is_none();
        let place = if everyone { "defaults" } else { "defaults_for.values" };
        for (key, value) in &defaults.values {
            check(format!("{place}.{key}"), key, value)?;
        }
    }
    Ok(())
}

/// No value that is checked here is a date.
pub(in crate::import) const NO_DATES: Dates = Dates {
    order: None,
    proved: None,
    contradicts: None,
    depends_on_today: false,
    swapped: Vec::new(),
    may_be_swapped: false,
    today: Date::constant(2000, 1, 1),
};
