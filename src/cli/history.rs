//! `users show`, `users history`: one user's values, where each comes from, and everything that changed.

use jiff::Timestamp;
use serde::Serialize;

use super::Outcome;
use super::output::{Output, Tone};
use super::people::{Person, full_name};
use super::users::find;
use crate::import::fields::{Field, FieldKey};
use crate::service::Service;
use crate::service::users::{EventKind, HistoryEntry};

/// One change as it is shown: the manager by name.
#[derive(Debug, Serialize)]
pub struct Change {
    at: Timestamp,
    field: String,
    from: Option<String>,
    to: Option<String>,
    #[serde(flatten)]
    by: Writer,
}

/// Who gave a value.
#[derive(Debug, Serialize)]
struct Writer {
    /// `import`, or the kind of the event: `edit`, `undo` …
    by: &'static str,
    /// The import's or event's id.
    import: String,
    who: String,
    file: String,
    line: u32,
    /// The import was taken back later.
    undone: bool,
    /// Older history is not kept: this import, or a later change that is forgotten.
    is_oldest_known: bool,
}

impl Writer {
    fn of(entry: &HistoryEntry) -> Self {
        Self {
            by: entry.event.map_or("import", EventKind::name),
            import: entry.import.to_string(),
            who: entry.who.clone(),
            file: entry.file_name.clone(),
            line: entry.line,
            undone: entry.undone,
            is_oldest_known: entry.is_oldest_known,
        }
    }

    /// `users.csv, line 12`, `by hand (cli)`, `undo of users.csv (cli)`.
    fn words(&self) -> String {
        let Self { file, line, who, .. } = self;
        let place = if *line == 0 { file.clone() } else { format!("{file}, line {line}") };
        let words = match self.by {
            "edit" => format!("by hand ({who})"),
            "undo" => format!("undo of {file} ({who})"),
            "approval" => format!("{place}, approved ({who})"),
            "import" => place,
            other => format!("{other} ({who})"),
        };
        match (self.undone, self.is_oldest_known) {
            (true, _) => format!("{words}, undone"),
            (_, true) => format!("{words}, or later (not kept)"),
            _ => words,
        }
    }
}

/// The history of the one user who fits `user`.
///
/// # Errors
/// Nobody fits, or several do.
pub fn changes(service: &Service, client: &str, user: &str) -> Outcome<Vec<Change>> {
    let person = find(service, client, user)?;
    let everybody = service.users(client, None)?;
    let entries = service.user_history(client, person.id)?;
    let named = |field: &FieldKey, value: Option<String>| {
        if *field != FieldKey::Known(Field::Manager) {
            return value;
        }
        let id: Option<i64> = value.as_deref().and_then(|v| v.parse().ok());
        let manager = everybody.iter().find(|u| Some(u.id) == id);
        manager.map(|u| full_name(&u.values)).or(value)
    };
    Ok(entries
        .into_iter()
        .map(|entry| Change {
            at: entry.at,
            by: Writer::of(&entry),
            from: named(&entry.field, entry.from),
            to: named(&entry.field, entry.to),
            field: entry.field.to_string(),
        })
        .collect())
}

/// Where a value comes from, as JSON tells it.
#[derive(Debug, Serialize)]
struct Origin {
    field: String,
    at: Timestamp,
    #[serde(flatten)]
    by: Writer,
}

pub(super) fn show(out: Output, service: &Service, client: &str, user: &str) -> Outcome {
    let person = find(service, client, user)?;
    let changes = changes(service, client, user)?;
    let origins: Vec<Origin> = service
        .user_origins(client, person.id)?
        .into_iter()
        .map(|origin| Origin {
            field: origin.field.to_string(),
            at: origin.entry.at,
            by: Writer::of(&origin.entry),
        })
        .collect();
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
        let found = origins.iter().find(|origin| origin.field == field);
        found.map(|origin| origin.by.words()).unwrap_or_default()
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
        &["When", "Field", "From", "To", "By"],
        0,
        changes.iter().map(|c| {
            let blank = || "–".to_owned();
            vec![
                c.at.strftime("%Y-%m-%d %H:%M").to_string(),
                c.field.clone(),
                c.from.clone().unwrap_or_else(blank),
                c.to.clone().unwrap_or_else(blank),
                c.by.words(),
            ]
        }),
    )
}
