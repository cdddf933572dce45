//! Import settings of a folder, as JSON or as the documented TOML, and its mappings.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{self, Answer, ask, json_of, value};
use super::ask::{At, Sent, body_of, media_type, read_json};
use super::gate::accepts;
use super::problem::Problem;
use crate::admin::Admin;
use crate::admin::guard::Caller;
use crate::admin::route::{Route, of_client};
use crate::error::{Error, Kind, Result};
use crate::import::settings::{Change, Settings, Unmapped};
use crate::model::Scope;
use crate::service::Service;
use crate::service::mappings::Rest;
use crate::service::settings::Seen;

const TOML: &str = "application/toml";

pub(super) fn routes() -> Vec<Route> {
    const SETTINGS: &str = "/api/v1/clients/{client}/folders/{folder}/settings";
    const MAPPINGS: &str = "/api/v1/clients/{client}/folders/{folder}/mappings";
    const UNKNOWN: &str = "/api/v1/clients/{client}/folders/{folder}/unknown-values";
    vec![
        Route::get(SETTINGS, of_client(Scope::Read), show),
        Route::other(Method::PUT, SETTINGS, of_client(Scope::Arrange), replace),
        Route::other(Method::PATCH, SETTINGS, of_client(Scope::Arrange), change),
        Route::get(MAPPINGS, of_client(Scope::Read), mappings),
        Route::other(Method::PATCH, MAPPINGS, of_client(Scope::Arrange), map),
        Route::get(UNKNOWN, of_client(Scope::Read), unknown),
    ]
}

/// Settings as the members of their TOML document: what is shown can be sent back.
fn tree(settings: &Settings) -> Result<Value> {
    let fault = |e| Error::caused(Kind::Internal, "stored settings cannot be shown", e);
    let table: toml::Table = settings.to_toml().parse().map_err(fault)?;
    serde_json::to_value(table)
        .map_err(|e| Error::caused(Kind::Internal, "stored settings cannot be shown", e))
}

/// A JSON tree as TOML; `null` leaves a setting to its default.
fn document(tree: &Value) -> std::result::Result<String, Problem> {
    let table = toml::Table::try_from(without_nulls(tree));
    let text = table.and_then(|table| toml::to_string(&table).map_err(serde::ser::Error::custom));
    text.map_err(|e| Problem::invalid("", format!("this cannot be written as settings: {e}")))
}

fn without_nulls(tree: &Value) -> Value {
    match tree {
        Value::Object(all) => {
            let kept = all.iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(key, value)| (key.clone(), without_nulls(value))).collect())
        }
        Value::Array(all) => Value::Array(all.iter().map(without_nulls).collect()),
        other => other.clone(),
    }
}

fn shown(headers: &HeaderMap, settings: &Settings) -> Answer {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("*/*");
    if !accepts(accept, "application/json") && accepts(accept, TOML) {
        return answer::text(TOML, settings.to_toml());
    }
    json_of(&tree(settings)?)
}

async fn show(
    State(admin): State<Admin>,
    caller: Caller,
    headers: HeaderMap,
    At((client, folder)): At<(String, String)>,
) -> Answer {
    let settings = ask(&admin, &caller, move |s| s.settings(&client, &folder)).await?;
    shown(&headers, &settings)
}

async fn body(admin: &Admin, request: Request) -> std::result::Result<(HeaderMap, Bytes), Problem> {
    let limit = admin.service().config().admin.max_form_bytes;
    let (parts, body) = request.into_parts();
    Ok((parts.headers, body_of(body, limit).await?))
}

async fn replace(
    State(admin): State<Admin>,
    caller: Caller,
    At((client, folder)): At<(String, String)>,
    request: Request,
) -> std::result::Result<Response, Problem> {
    let (headers, bytes) = body(&admin, request).await?;
    let text = if media_type(&headers, header::CONTENT_TYPE).as_deref() == Some(TOML) {
        String::from_utf8(bytes.into())
            .map_err(|_| Problem::invalid("", "the document is not valid UTF-8"))?
    } else {
        document(&object(&bytes)?)?
    };
    let settings =
        ask(&admin, &caller, move |service| service.set_settings(&client, &folder, &text)).await?;
    shown(&headers, &settings)
}

/// A JSON object.
fn object(bytes: &[u8]) -> std::result::Result<Value, Problem> {
    let tree: Value = read_json(bytes)?;
    if tree.is_object() { Ok(tree) } else { Err(Problem::invalid("", "this is no JSON object")) }
}

async fn change(
    State(admin): State<Admin>,
    caller: Caller,
    At((client, folder)): At<(String, String)>,
    request: Request,
) -> Answer {
    let (headers, bytes) = body(&admin, request).await?;
    let patch = object(&bytes)?;
    let mut changes = Vec::new();
    gather(&patch, &mut Vec::new(), &mut changes)?;
    let settings = ask(&admin, &caller, move |service| {
        // The document that somebody wrote is edited: its comments stay, and so do the defaults that nobody set.
        service.change_settings(&client, &folder, Seen::Latest, &changes)
    });
    shown(&headers, &settings.await?)
}

/// The single changes of a merge patch (RFC 7396).
fn gather(
    patch: &Value,
    place: &mut Vec<String>,
    changes: &mut Vec<Change>,
) -> std::result::Result<(), Problem> {
    if let Value::Object(members) = patch {
        for (name, member) in members {
            place.push(name.clone());
            gather(member, place, changes)?;
            place.pop();
        }
        return Ok(());
    }
    let value = match patch {
        Value::Null => None,
        // In a list, `null` leaves a member to its default, as in a document.
        other => Some(toml::Value::try_from(without_nulls(other)).map_err(|e| {
            let words = format!("{} cannot be written as a setting: {e}", place.join("."));
            Problem::invalid("", words)
        })?),
    };
    changes.push(Change { path: place.clone(), value });
    Ok(())
}

fn maps(service: &Service, client: &str, folder: &str) -> Result<Settings> {
    service.settings(client, folder)
}

async fn mappings(
    State(admin): State<Admin>,
    caller: Caller,
    At((client, folder)): At<(String, String)>,
) -> Answer {
    let settings = ask(&admin, &caller, move |service| maps(&service, &client, &folder)).await?;
    json_of(&settings.value_maps)
}

/// What becomes of the codes of one field.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mapping {
    field: String,
    /// Theirs to ours; `null` takes one out.
    #[serde(default)]
    codes: BTreeMap<String, Option<String>>,
    /// `keep`, `block`, or what others become.
    others: Option<Others>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Others {
    Keep,
    Block,
    Default(String),
}

async fn map(
    State(admin): State<Admin>,
    caller: Caller,
    At((client, folder)): At<(String, String)>,
    Sent(Mapping { field, codes, others }): Sent<Mapping>,
) -> Answer {
    let key = field.parse().map_err(|why: String| Problem::invalid("/field", why))?;
    let rest = match others {
        None => Rest::AsBefore,
        Some(Others::Keep) => Rest::Becomes(Unmapped::Keep),
        Some(Others::Block) => Rest::Becomes(Unmapped::Block),
        Some(Others::Default(ours)) => Rest::Becomes(Unmapped::Default(ours)),
    };
    let codes: Vec<(String, String)> =
        codes.into_iter().map(|(theirs, ours)| (theirs, ours.unwrap_or_default())).collect();
    let settings = ask(&admin, &caller, move |service| {
        service.set_mappings(&client, &folder, &key, &codes, rest)
    });
    let tree = value(&settings.await?.value_maps)?;
    json_of(&tree)
}

async fn unknown(
    State(admin): State<Admin>,
    caller: Caller,
    At((client, folder)): At<(String, String)>,
) -> Answer {
    let found = ask(&admin, &caller, move |service| service.unknown_codes(&client, &folder));
    json_of(&json!({ "items": found.await? }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::settings::edit;

    #[test]
    fn what_is_shown_can_be_sent_back() {
        let document_of_docs = include_str!("../../../docs/configuration.md");
        let (_, section) = document_of_docs.split_once("## Import settings").unwrap();
        let (_, rest) = section.split_once("```toml\n").unwrap();
        let (example, _) = rest.split_once("```").unwrap();
        for text in ["", example] {
            let settings = Settings::from_toml(text).unwrap();
            let sent = document(&tree(&settings).unwrap()).unwrap();
            assert_eq!(Settings::from_toml(&sent).unwrap(), settings, "{sent}");
        }
    }

    #[test]
    fn a_patch_changes_what_it_names() {
        let document = "# Why: the agency.\nmode = \"delta\"\n\n[guards]\nendings = \"off\" # for now\ncreations = { count = 3 }\n";
        let patch = json!({"mode": null, "strict": true, "guards": {"endings": {"count": 5}}, "aliases": {"Nr. (alt)": "employee_number"}});
        let mut changes = Vec::new();
        gather(&patch, &mut Vec::new(), &mut changes).unwrap();
        let edited = edit(document, &changes).unwrap();
        let table: toml::Table = edited.parse().unwrap();
        let expected = json!({
            "strict": true,
            "guards": {"endings": {"count": 5}, "creations": {"count": 3}},
            "aliases": {"Nr. (alt)": "employee_number"},
        });
        assert_eq!(serde_json::to_value(table).unwrap(), expected, "{edited}");
    }
}
