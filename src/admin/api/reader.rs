//! The OpenAPI document, and a page to read it.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;

use super::document::{self, DOCUMENT, resolve};
use crate::admin::Admin;
use crate::admin::guard::shell_of_anybody;
use crate::admin::route::{Needs, Route};
use crate::admin::shell::{Shell, page};

pub(super) fn routes() -> Vec<Route> {
    // Both say what every copy of this program says, and nothing of this server.
    vec![
        Route::get("/api", Needs::Nothing, read),
        Route::get("/api/openapi.json", Needs::Nothing, openapi),
    ]
}

async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], document::TEXT.as_str()).into_response()
}

#[derive(Template)]
#[template(path = "admin/api/reader.html")]
struct ReaderPage<'a> {
    p: &'a Shell,
    introduction: Vec<String>,
    chapters: Vec<Chapter>,
}

/// The operations of one tag.
struct Chapter {
    id: String,
    name: String,
    about: String,
    operations: Vec<Operation>,
}

struct Operation {
    id: String,
    method: String,
    path: String,
    scope: String,
    summary: String,
    about: String,
    parameters: Vec<Parameter>,
    /// Media type and example of what is sent.
    sent: Option<(String, String)>,
    answers: Vec<Answer>,
}

struct Parameter {
    name: String,
    place: String,
    required: bool,
    about: String,
}

struct Answer {
    status: String,
    about: String,
    /// Its example, where the operation has its own.
    example: Option<String>,
}

async fn read(State(admin): State<Admin>, request: Request) -> Response {
    let shell = shell_of_anybody(&admin, request).await;
    let about = text(DOCUMENT.pointer("/info/description"));
    let introduction = about.split("\n\n").map(str::to_owned).collect();
    page(&ReaderPage { p: &shell, introduction, chapters: chapters() })
}

fn chapters() -> Vec<Chapter> {
    let tags = DOCUMENT.get("tags").and_then(Value::as_array).into_iter().flatten();
    tags.map(|tag| {
        let name = text(tag.get("name"));
        Chapter {
            id: name.to_lowercase().replace([' ', '\''], "-"),
            about: text(tag.get("description")),
            operations: operations(&name),
            name,
        }
    })
    .collect()
}

fn operations(tag: &str) -> Vec<Operation> {
    let paths = DOCUMENT.get("paths").and_then(Value::as_object).into_iter().flatten();
    let mut found = Vec::new();
    for (path, methods) in paths {
        for method in ["get", "post", "put", "patch", "delete"] {
            let Some(operation) = methods.get(method) else { continue };
            if text(operation.pointer("/tags/0")) == tag {
                found.push(one(path, method, operation));
            }
        }
    }
    found
}

fn one(path: &str, method: &str, operation: &Value) -> Operation {
    let parameters = operation.get("parameters").and_then(Value::as_array).into_iter().flatten();
    let parameter = |given: &Value| {
        let given = resolve(given);
        Parameter {
            name: text(given.get("name")),
            place: text(given.get("in")),
            required: given.get("required").and_then(Value::as_bool).unwrap_or(false),
            about: text(given.get("description")),
        }
    };
    let responses = operation.get("responses").and_then(Value::as_object).into_iter().flatten();
    let answers = responses.map(|(status, response)| {
        let is_own = response.get("$ref").is_none();
        let response = resolve(response);
        let example = is_own.then(|| example(response)).flatten().map(|(_, example)| example);
        Answer { status: status.clone(), about: text(response.get("description")), example }
    });
    Operation {
        id: text(operation.get("operationId")),
        method: method.to_uppercase(),
        path: path.to_owned(),
        scope: text(operation.get("x-scope")),
        summary: text(operation.get("summary")),
        about: text(operation.get("description")),
        parameters: parameters.map(parameter).collect(),
        sent: operation.get("requestBody").and_then(example),
        answers: answers.collect(),
    }
}

/// A text of the document in parts: what stands between backticks is code.
fn marked(text: &str) -> impl Iterator<Item = (bool, &str)> {
    text.split('`').enumerate().map(|(at, part)| (at % 2 == 1, part))
}

/// The first media type of a body with its example.
fn example(body: &Value) -> Option<(String, String)> {
    let content = body.get("content").and_then(Value::as_object)?;
    let (kind, content) =
        content.get_key_value("application/json").or_else(|| content.iter().next())?;
    let example = content.get("example")?;
    let text = match example {
        Value::String(text) => text.clone(),
        other => serde_json::to_string_pretty(other).unwrap_or_default(),
    };
    Some((kind.clone(), text))
}

fn text(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}
