//! Holds what a request says against the schema of the OpenAPI document: what the document forbids is refused.

use serde_json::Value;

use super::document::resolve;

/// What does not fit: a JSON pointer, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Misfit {
    pub(super) pointer: String,
    pub(super) detail: String,
}

/// Checks a value against a schema, as far as our schemas go.
///
/// # Errors
/// The first place that does not fit.
pub(super) fn check(schema: &Value, value: &Value) -> Result<(), Misfit> {
    at(schema, value, "")
}

/// A number in the query against its parameter's schema; texts are for the operation to read.
///
/// # Errors
/// Why it does not fit.
pub(super) fn check_number(schema: &Value, text: &str) -> Result<(), String> {
    let wants = resolve(schema).get("type").and_then(Value::as_str);
    let Some(number) = text.parse::<i64>().ok().filter(|_| wants == Some("integer")) else {
        return Ok(());
    };
    at(schema, &Value::from(number), "").map_err(|misfit| misfit.detail)
}

fn at(schema: &Value, value: &Value, pointer: &str) -> Result<(), Misfit> {
    let schema = resolve(schema);
    let misfit = |detail: String| Misfit { pointer: pointer.to_owned(), detail };
    let choices = ["anyOf", "oneOf"].iter().find_map(|word| schema.get(*word)?.as_array());
    if let Some(choices) = choices {
        let fits = choices.iter().any(|choice| at(choice, value, pointer).is_ok());
        return if fits {
            Ok(())
        } else {
            Err(misfit("this is none of what is taken here".into()))
        };
    }
    check_kind(schema, value).map_err(misfit)?;
    check_size(schema, value).map_err(misfit)?;
    match value {
        Value::Object(members) => {
            let known = schema.get("properties").and_then(Value::as_object);
            for (name, member) in members {
                let place = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
                match known.and_then(|known| known.get(name)).or(schema.get("additionalProperties"))
                {
                    Some(Value::Bool(false)) => {
                        let detail = "this member is not known here; leave it out".to_owned();
                        return Err(Misfit { pointer: place, detail });
                    }
                    Some(schema) => at(schema, member, &place)?,
                    None => {}
                }
            }
            Ok(())
        }
        Value::Array(items) => {
            let Some(schema) = schema.get("items") else { return Ok(()) };
            let check = |(place, item)| at(schema, item, &format!("{pointer}/{place}"));
            items.iter().enumerate().try_for_each(check)
        }
        _ => Ok(()),
    }
}

fn check_kind(schema: &Value, value: &Value) -> Result<(), String> {
    let kinds: Vec<&str> = match schema.get("type") {
        Some(Value::String(kind)) => vec![kind],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => return Ok(()),
    };
    let fits = kinds.iter().any(|kind| match *kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "integer" => value.is_i64() || value.is_u64(),
        _ => value.is_number(),
    });
    match value {
        _ if fits => Ok(()),
        Value::Null => Err("null is not taken here; leave it out, or give it a value".to_owned()),
        _ => Err(format!("this is no {}", kinds.join(" or "))),
    }
}

/// Least and most of numbers, characters of a text, items of a list.
fn check_size(schema: &Value, value: &Value) -> Result<(), String> {
    let (size, least, most, what) = match value {
        Value::Number(_) => (value.as_i64(), "minimum", "maximum", ""),
        Value::String(text) => {
            (i64::try_from(text.chars().count()).ok(), "minLength", "maxLength", " characters")
        }
        Value::Array(items) => (i64::try_from(items.len()).ok(), "minItems", "maxItems", " items"),
        _ => return Ok(()),
    };
    let bound = |word: &str| schema.get(word).and_then(Value::as_i64);
    // A number beyond i64 is above every maximum that we write.
    let size = size.unwrap_or(i64::MAX);
    // Where a setting says the most, the document tells its default, and the operation asks the setting.
    let most = bound(most).filter(|_| schema.get("x-setting").is_none());
    let least = bound(least);
    if least.is_some_and(|least| size < least) || most.is_some_and(|most| size > most) {
        let range = match (least, most) {
            (Some(least), Some(most)) => format!("from {least} to {most}"),
            (Some(least), None) => format!("at least {least}"),
            (None, most) => format!("at most {}", most.unwrap_or_default()),
        };
        return Err(format!("{size} is not {range}{what}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(schema: &Value, value: &Value) -> Option<(String, String)> {
        check(schema, value).err().map(|misfit| (misfit.pointer, misfit.detail))
    }

    #[test]
    fn what_the_document_forbids_is_told_with_its_place() {
        let schema = json!({
            "type": "object",
            "properties": {
                "name": { "type": "string", "maxLength": 3 },
                "port": { "type": "integer", "minimum": 1, "maximum": 65535 },
                "pattern": { "type": ["string", "null"] },
                "rights": { "anyOf": [{ "type": "string" }, { "type": "null" }] },
                "list": { "type": "array", "minItems": 1, "items": { "type": "string" } }
            },
            "additionalProperties": false
        });
        for (value, expected) in [
            (json!({ "name": "äöü", "port": 1, "pattern": null, "rights": null }), None),
            (json!({ "name": null }), Some("/name")),
            (json!({ "name": "four" }), Some("/name")),
            (json!({ "port": 0 }), Some("/port")),
            (json!({ "port": 65536 }), Some("/port")),
            (json!({ "port": u64::MAX }), Some("/port")),
            (json!({ "pattern": 7 }), Some("/pattern")),
            (json!({ "rights": 7 }), Some("/rights")),
            (json!({ "list": [] }), Some("/list")),
            (json!({ "list": ["a", null] }), Some("/list/1")),
            (json!({ "a/b": 1 }), Some("/a~1b")),
            (json!([]), Some("")),
        ] {
            let pointer = told(&schema, &value).map(|(pointer, _)| pointer);
            assert_eq!(pointer.as_deref(), expected, "{value}");
        }
        let (_, detail) = told(&schema, &json!({ "port": 0 })).unwrap();
        assert_eq!(detail, "0 is not from 1 to 65535");
    }

    #[test]
    fn numbers_of_the_query() {
        let schema = json!({ "type": "integer", "minimum": 0 });
        assert_eq!(check_number(&schema, "0"), Ok(()));
        let set = json!({ "type": "integer", "maximum": 500, "x-setting": "admin.api_max_rows" });
        assert_eq!(check_number(&set, "501"), Ok(()), "the setting decides");
        assert_eq!(check_number(&schema, "-1"), Err("-1 is not at least 0".to_owned()));
        assert_eq!(check_number(&schema, "x"), Ok(()), "for the operation to refuse");
        assert_eq!(check_number(&json!({ "type": "string", "minimum": 5 }), "1"), Ok(()));
    }
}
