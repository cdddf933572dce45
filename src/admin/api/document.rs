//! The OpenAPI document: written by hand in `openapi/`, one file for each subject; what all operations share is added here.

use std::collections::HashMap;
use std::sync::LazyLock;

use axum::http::Method;
use serde_json::{Map, Value, json};

/// The files, in the order in which they are read.
const PARTS: &[&str] = &[
    include_str!("openapi/schemas.json"),
    include_str!("openapi/clients.json"),
    include_str!("openapi/accounts.json"),
    include_str!("openapi/folders.json"),
    include_str!("openapi/settings.json"),
    include_str!("openapi/imports.json"),
    include_str!("openapi/users.json"),
    include_str!("openapi/data.json"),
    include_str!("openapi/exports.json"),
    include_str!("openapi/encryption.json"),
    include_str!("openapi/handout.json"),
    include_str!("openapi/telling.json"),
    include_str!("openapi/server.json"),
    include_str!("openapi/watch.json"),
];

/// What the gate must know of an operation.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Operation {
    /// The names that its query may have.
    pub(super) query: Vec<String>,
    /// The schema of each of them.
    pub(super) query_schemas: Vec<Value>,
    /// The schema of its JSON body.
    pub(super) body_schema: Option<Value>,
    /// The media types of its body; none: it has no body.
    pub(super) takes: Vec<String>,
    /// Whether it cannot do without a body.
    pub(super) needs_body: bool,
    /// The media types of its answers.
    pub(super) gives: Vec<String>,
    /// Whether it takes an idempotency key.
    pub(super) keyed: bool,
}

/// The whole document.
pub(super) static DOCUMENT: LazyLock<Value> = LazyLock::new(assemble);

/// Its text.
pub(super) static TEXT: LazyLock<String> = LazyLock::new(|| DOCUMENT.to_string());

static OPERATIONS: LazyLock<HashMap<(String, String), Operation>> = LazyLock::new(index);

/// The operation of a route.
pub(super) fn operation(method: &Method, path: &str) -> Option<&'static Operation> {
    OPERATIONS.get(&(method.as_str().to_lowercase(), path.to_owned()))
}

fn assemble() -> Value {
    let mut document: Value =
        serde_json::from_str(include_str!("openapi/frame.json")).unwrap_or_default();
    for part in PARTS {
        let part: Value = serde_json::from_str(part).unwrap_or_default();
        merge(&mut document, part);
    }
    if let Some(version) = document.pointer_mut("/info/version") {
        *version = json!(env!("CARGO_PKG_VERSION"));
    }
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    for (path, methods) in paths.into_iter().flatten() {
        for (method, operation) in methods.as_object_mut().into_iter().flatten() {
            if let Some(operation) = operation.as_object_mut() {
                complete(path, method, operation);
            }
        }
    }
    document
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

/// Adds what follows from an operation's kind: path parameters, security, the errors that every one of its kind can meet.
fn complete(path: &str, method: &str, operation: &mut Map<String, Value>) {
    if operation.get("x-scope").is_none() {
        return;
    }
    let scope = operation.get("x-scope").cloned().unwrap_or_default();
    operation.insert("security".to_owned(), json!([{ "token": [scope] }]));
    let mut parameters: Vec<Value> = path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| json!({ "$ref": format!("#/components/parameters/{name}") }))
        .collect();
    let own = operation.remove("parameters").and_then(|own| own.as_array().cloned());
    parameters.extend(own.unwrap_or_default());
    let changes = ["put", "patch", "delete"].contains(&method);
    let header = match method {
        "get" => Some("if_none_match"),
        "post" => Some("idempotency_key"),
        _ if changes => Some("if_match"),
        _ => None,
    };
    let header = header.map(|name| json!({ "$ref": format!("#/components/parameters/{name}") }));
    parameters.extend(header);
    operation.insert("parameters".to_owned(), Value::Array(parameters));
    let mut errors =
        vec!["400", "401", "403", "404", "406", "409", "422", "429", "500", "503", "504"];
    if operation.contains_key("requestBody") {
        errors.extend(["408", "413", "415"]);
    }
    match method {
        "get" => errors.push("304"),
        "post" => errors.push("507"),
        _ => errors.extend(["412", "507"]),
    }
    let responses = operation.entry("responses").or_insert_with(|| json!({}));
    for error in errors {
        if let Some(responses) = responses.as_object_mut() {
            let shared = json!({ "$ref": format!("#/components/responses/{error}") });
            responses.entry(error).or_insert(shared);
        }
    }
}

fn index() -> HashMap<(String, String), Operation> {
    let paths = DOCUMENT.get("paths").and_then(Value::as_object);
    let mut found = HashMap::new();
    for (path, methods) in paths.into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            found.insert((method.clone(), path.clone()), read(method, operation));
        }
    }
    found
}

fn read(method: &str, operation: &Value) -> Operation {
    let resolved = |value: &'static str, of: &Value| -> Vec<Value> {
        let all = of.get(value).and_then(Value::as_array).cloned().unwrap_or_default();
        all.into_iter().map(|one| resolve(&one).clone()).collect()
    };
    let types = |of: Option<&Value>| -> Vec<String> {
        let content = of.map(resolve).and_then(|of| of.get("content")).and_then(Value::as_object);
        content.into_iter().flat_map(|types| types.keys().cloned()).collect()
    };
    let (query, query_schemas) = resolved("parameters", operation)
        .iter()
        .filter(|parameter| parameter.get("in").and_then(Value::as_str) == Some("query"))
        .filter_map(|parameter| {
            let schema = parameter.get("schema").cloned().unwrap_or_default();
            Some((parameter.get("name")?.as_str()?.to_owned(), schema))
        })
        .unzip();
    let responses = operation.get("responses").and_then(Value::as_object);
    let good = responses.into_iter().flatten().filter(|(status, _)| status.starts_with('2'));
    let mut gives: Vec<String> = good.flat_map(|(_, response)| types(Some(response))).collect();
    gives.sort();
    gives.dedup();
    let needs_body = operation.pointer("/requestBody/required").and_then(Value::as_bool);
    let body_schema = operation.pointer("/requestBody/content/application~1json/schema").cloned();
    Operation {
        query,
        query_schemas,
        body_schema,
        takes: types(operation.get("requestBody")),
        needs_body: needs_body.unwrap_or(false),
        gives,
        keyed: method == "post",
    }
}

/// What a `$ref` of the document points to.
pub(super) fn resolve(value: &Value) -> &Value {
    let target = value.get("$ref").and_then(Value::as_str).and_then(|to| to.strip_prefix('#'));
    target.and_then(|pointer| DOCUMENT.pointer(pointer)).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::routes;
    use super::*;
    use crate::admin::route::Needs;

    /// Every operation of the document with its method and path.
    fn operations() -> Vec<(String, String, &'static Value)> {
        let paths = DOCUMENT["paths"].as_object().unwrap();
        let of = |path: &String, methods: &'static Value| {
            let path = path.clone();
            methods.as_object().unwrap().iter().map(move |(m, op)| (m.clone(), path.clone(), op))
        };
        paths.iter().flat_map(|(path, methods)| of(path, methods).collect::<Vec<_>>()).collect()
    }

    #[test]
    fn every_part_is_json() {
        for part in PARTS.iter().chain(&[include_str!("openapi/frame.json")]) {
            serde_json::from_str::<Value>(part).unwrap();
        }
    }

    #[test]
    fn the_document_and_the_table_of_routes_are_the_same() {
        let written: BTreeMap<(String, String), String> = operations()
            .into_iter()
            .map(|(method, path, op)| ((path, method), op["x-scope"].as_str().unwrap().to_owned()))
            .collect();
        let routed: BTreeMap<(String, String), String> = routes()
            .into_iter()
            .filter(|route| route.path.starts_with("/api/v1"))
            .map(|route| {
                let scope = match route.needs {
                    Needs::Scope(scope, _) => scope.name(),
                    _ => "none",
                };
                ((route.path.to_owned(), route.method.as_str().to_lowercase()), scope.to_owned())
            })
            .collect();
        assert_eq!(written, routed);
    }

    #[test]
    fn every_operation_is_told_whole() {
        let mut ids = Vec::new();
        for (method, path, op) in operations() {
            let at = format!("{method} {path}");
            assert!(op["summary"].as_str().is_some_and(|s| s.len() > 8), "{at}: summary");
            let tag = &op["tags"][0];
            let known = DOCUMENT["tags"].as_array().unwrap();
            assert!(known.iter().any(|one| one["name"] == *tag), "{at}: tag {tag}");
            ids.push(op["operationId"].as_str().unwrap());
            for error in ["401", "403", "429", "500"] {
                assert!(op["responses"][error].is_object(), "{at}: {error}");
            }
            for parameter in op["parameters"].as_array().unwrap() {
                assert!(resolve(parameter)["description"].is_string(), "{at}: {parameter}");
            }
            let bodies = op.get("requestBody").into_iter();
            for content in bodies.chain(op["responses"].as_object().unwrap().values()) {
                let content = resolve(content)["content"].as_object();
                for (kind, content) in content.into_iter().flatten() {
                    let shown = content.get("example").or(content.get("examples"));
                    assert!(shown.is_some(), "{at}: no example of {kind}");
                }
            }
        }
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all, "operation ids are unique");
    }

    #[test]
    fn every_reference_points_to_something() {
        fn walk(value: &Value, seen: &mut usize) {
            if let Some(to) = value.get("$ref").and_then(Value::as_str) {
                assert!(DOCUMENT.pointer(&to[1..]).is_some(), "{to}");
                *seen += 1;
            }
            match value {
                Value::Object(all) => all.values().for_each(|one| walk(one, seen)),
                Value::Array(all) => all.iter().for_each(|one| walk(one, seen)),
                _ => {}
            }
        }
        let mut seen = 0;
        walk(&DOCUMENT, &mut seen);
        assert!(seen > 100, "{seen}");
    }
}
