//! `docs/report.schema.json` and every golden JSON report. The suite of real clients checks the same with a full validator.

use std::fs;
use std::path::{Path, PathBuf};

use rollcall::import::codes::{Code, entries};
use rollcall::import::fields::Field;
use serde_json::Value;

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/report.schema.json")
}

pub(crate) fn schema() -> Value {
    serde_json::from_str(&fs::read_to_string(path()).unwrap()).unwrap()
}

/// What a value does against a schema, as far as the report's schema goes; it uses no other keyword.
pub(crate) fn faults(root: &Value, schema: &Value, value: &Value, place: &str) -> Vec<String> {
    const KNOWN: [&str; 17] = [
        "$schema",
        "$id",
        "$ref",
        "$defs",
        "title",
        "description",
        "type",
        "enum",
        "const",
        "properties",
        "required",
        "additionalProperties",
        "items",
        "anyOf",
        "minimum",
        "pattern",
        "minLength",
    ];
    let mut found = Vec::new();
    let mut bad = |what: String| found.push(format!("{place}: {what}"));
    for (word, rule) in schema.as_object().unwrap() {
        match word.as_str() {
            "$ref" => {
                let target = root.pointer(&rule.as_str().unwrap()[1..]).unwrap();
                faults(root, target, value, place).into_iter().for_each(&mut bad);
            }
            "type" if !is_of(value, rule.as_str().unwrap()) => bad(format!("{value} is no {rule}")),
            "enum" if !rule.as_array().unwrap().contains(value) => {
                bad(format!("{value} is none of {rule}"));
            }
            "const" if value != rule => bad(format!("{value} is not {rule}")),
            "anyOf" => {
                let choices = rule.as_array().unwrap();
                if choices.iter().all(|s| !faults(root, s, value, place).is_empty()) {
                    bad(format!("{value} fits none of {rule}"));
                }
            }
            "minimum" if value.as_i64() < rule.as_i64() => bad(format!("{value} is too small")),
            "items" => {
                for (at, item) in value.as_array().into_iter().flatten().enumerate() {
                    faults(root, rule, item, &format!("[{at}]")).into_iter().for_each(&mut bad);
                }
            }
            "required" => {
                for key in rule.as_array().unwrap() {
                    if value.get(key.as_str().unwrap()).is_none() {
                        bad(format!("{key} is missing"));
                    }
                }
            }
            "properties" => {
                for (key, item) in value.as_object().into_iter().flatten() {
                    match rule.get(key) {
                        Some(rule) => {
                            faults(root, rule, item, key).into_iter().for_each(&mut bad);
                        }
                        None => bad(format!("{key} is not in the schema")),
                    }
                }
            }
            other => assert!(KNOWN.contains(&other), "this check does not know \"{other}\""),
        }
    }
    found
}

fn is_of(value: &Value, kind: &str) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        // The report's schema has no other type.
        other => other == "null" && value.is_null(),
    }
}

/// Every JSON report below a folder.
fn reports(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            reports(&path, found);
        } else if path.to_string_lossy().ends_with(".report.json") {
            found.push(path);
        }
    }
}

#[test]
fn every_golden_report_is_as_the_schema_says() {
    let schema = schema();
    let mut found = Vec::new();
    reports(&PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("data/samples"), &mut found);
    assert!(found.len() > 6, "{found:?}");
    for path in found {
        let report: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let faults = faults(&schema, &schema, &report, "report");
        assert!(faults.is_empty(), "{}: {faults:#?}", path.display());
    }
}

#[test]
fn the_schema_names_every_code_effect_and_field() {
    let names = |names: Vec<String>| names.iter().map(|n| format!("\"{n}\"")).collect::<Vec<_>>();
    let codes = names(Code::ALL.iter().map(|code| code.to_string()).collect()).join(", ");
    let fields = names(Field::ALL.iter().map(|field| field.name().to_owned()).collect()).join(", ");
    let mut text = fs::read_to_string(path()).unwrap();
    let line_of = |text: &str, first: &str| {
        let start = format!("\"enum\": [\"{first}\"");
        text.lines().find(|line| line.trim_start().starts_with(&start)).unwrap().to_owned()
    };
    for (first, all) in [("F001", &codes), ("employee_number", &fields)] {
        let old = line_of(&text, first);
        let new = format!("{}\"enum\": [{all}]", &old[..old.len() - old.trim_start().len()]);
        if std::env::var_os("ROLLCALL_WRITE_GOLDEN").is_some() {
            text = text.replace(old.trim_end_matches(','), &new);
            fs::write(path(), &text).unwrap();
        }
        assert!(
            line_of(&text, first).starts_with(&new),
            "docs/report.schema.json does not name every {first} …: run with ROLLCALL_WRITE_GOLDEN=1"
        );
    }
    let effects = schema()["$defs"]["effect"]["enum"].clone();
    for entry in entries() {
        let effect = serde_json::to_value(entry.effect).unwrap();
        assert!(effects.as_array().unwrap().contains(&effect), "{effect} of {}", entry.code);
    }
}
