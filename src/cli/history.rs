//! `users show`, `users history`: one user's values, where each comes from, and everything that changed.

use super::Outcome;
use super::output::{Output, Tone};
use crate::import::fields::Field;
use crate::service::Service;
use crate::service::history::{Change, Writer};
use crate::service::people::Person;

/// `users.csv, line 12`, `by hand (cli)`, `undo of users.csv (cli)`.
fn words(writer: &Writer) -> String {
    let Writer { file, line, who, .. } = writer;
    let place = if *line == 0 { file.clone() } else { format!("{file}, line {line}") };
    let words = match writer.by {
        "edit" => format!("by hand ({who})"),
        "create" => format!("created by hand ({who})"),
        "undo" => format!("undo of {file} ({who})"),
        "approval" => format!("{place}, approved ({who})"),
        "import" => place,
        other => format!("{other} ({who})"),
    };
    match (writer.undone, writer.is_oldest_known) {
        (true, _) => format!("{words}, undone"),
        (_, true) => format!("{words}, or later (not kept)"),
        _ => words,
    }
}

/// The history of the one user who fits `user`.
///
/// # Errors
/// Nobody fits, or several do.
pub fn changes(service: &Service, client: &str, user: &str) -> Outcome<Vec<Change>> {
    let person = service.find_user(client, user)?;
    Ok(service.user_changes(client, person.id)?)
}

pub(super) fn show(out: Output, service: &Service, client: &str, user: &str) -> Outcome {
    let person = service.find_user(client, user)?;
    let changes = service.user_changes(client, person.id)?;
    let origins = service.value_origins(client, person.id)?;
    if out.is_json() {
        let mut shown = serde_json::to_value(&person).map_err(super::Stop::from_json)?;
        if let Some(object) = shown.as_object_mut() {
            object.insert("origins".to_owned(), serde_json::json!(origins));
            object.insert("history".to_owned(), serde_json::json!(changes));
        }
        return out.json(&shown);
    }
    out.toned(Tone::Strong, format!("{} ({})", person.name(), person.state.name()))?;
    let origin = |field: &str| {
        let found = origins.iter().find(|origin| origin.field.to_string() == field);
        found.map(|origin| words(&origin.by)).unwrap_or_default()
    };
    let rows = values(&person).into_iter().map(|(field, value)| {
        let from = origin(&field);
        vec![field, value, from]
    });
    out.table(&["Field", "Value", "From"], rows)?;
    out.toned(Tone::Strong, "\nHistory")?;
    table(out, &changes)
}

fn values(person: &Person) -> Vec<(String, String)> {
    let mut values: Vec<(String, String)> = Vec::new();
    for field in Field::ALL {
        if let Some(value) = person.shown(*field) {
            let value = match (&person.manager, field) {
                (Some((number, name)), Field::Manager) => format!("{name} ({number})"),
                _ => value.replace('\n', ", "),
            };
            values.push((field.name().to_owned(), value));
        }
    }
    let custom = person.values.custom();
    values.extend(custom.map(|(name, value)| (format!("custom.{name}"), value.to_owned())));
    values
}

/// Changes as a table, oldest first.
///
/// # Errors
/// [`super::Stop::Quiet`] when nobody reads any more.
pub fn table(out: Output, changes: &[Change]) -> Outcome {
    if changes.is_empty() {
        return out.line("Nothing has changed since this user was created.");
    }
    out.table_with_id(
        &["When (UTC)", "Field", "From", "To", "By"],
        0,
        changes.iter().map(|c| {
            let blank = || "–".to_owned();
            vec![
                c.at.strftime("%Y-%m-%d %H:%M").to_string(),
                c.field.to_string(),
                c.from.clone().unwrap_or_else(blank),
                c.to.clone().unwrap_or_else(blank),
                words(&c.by),
            ]
        }),
    )
}
