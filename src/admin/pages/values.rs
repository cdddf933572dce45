//! What a blank cell means, and the values that new users get where a file gives none.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use toml::{Table, Value};

use super::settings::{Place, all_values, first_value, overtaken, saved_words};
use crate::admin::Admin;
use crate::admin::form::{Form, Pairs};
use crate::admin::guard::Caller;
use crate::admin::route::{Route, of_client};
use crate::admin::shell::{Failure, Shell, Tone, done, page};
use crate::error::{Error, Kind, Result};
use crate::import::fields::{Field, FieldKey};
use crate::import::report::field_words;
use crate::import::settings::{Change, find, takes_codes};
use crate::model::{Client, Scope};
use crate::service::Service;
use crate::service::lists::CodeView;
use crate::service::settings::{Seen, SettingsDocument};

/// So many codes are offered for a legal entity or department.
const OFFERED: usize = 1000;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/clients/{client}/folders/{folder}/values", of_client(Scope::Read), show),
        Route::post("/clients/{client}/folders/{folder}/values", of_client(Scope::Arrange), save),
    ]
}

/// Everything that the page is about.
struct Opened {
    place: Place,
    document: SettingsDocument,
    table: Table,
    entries: Vec<CodeView>,
}

fn open(service: &Service, client: &str, folder: &str) -> Result<Opened> {
    let place = Place::of(service, client, folder)?;
    let document = service.settings_document(client, folder)?;
    // One that this version cannot read is mended as text.
    service.settings(client, folder)?;
    let table = document.text.parse().map_err(|e: toml::de::Error| {
        Error::new(Kind::Invalid, format!("the import settings of {client}/{folder}: {e}"))
    })?;
    Ok(Opened { place, document, table, entries: service.list_codes(client, None)? })
}

impl Opened {
    fn table_of(&self, name: &str) -> Option<&Table> {
        find(&self.table, &[name.to_owned()]).and_then(Value::as_table)
    }

    /// The entries of `[[defaults_for]]`.
    fn groups(&self) -> Vec<Table> {
        let all = self.table.get("defaults_for").and_then(Value::as_array);
        all.into_iter().flatten().filter_map(|one| one.as_table().cloned()).collect()
    }
}

fn text(table: &Table, name: &str) -> String {
    table.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// A field with what is written beside it.
struct Line {
    name: String,
    words: String,
    value: String,
}

/// The defaults of a legal entity, a department or both; of everyone.
struct Group {
    /// Its place among them; empty: everyone.
    index: String,
    who: String,
    lines: Vec<Line>,
}

#[derive(Template)]
#[template(path = "admin/pages/values.html")]
struct ValuesPage<'a> {
    p: &'a Shell,
    client: &'a Client,
    place: &'a Place,
    at: &'a str,
    version: &'a str,
    blanks: Vec<Line>,
    /// Fields that a blank can be said of.
    fields: Vec<(&'static str, String)>,
    /// Fields that can have a default.
    defaultable: Vec<(&'static str, String)>,
    groups: Vec<Group>,
    entities: Vec<&'a str>,
    departments: Vec<&'a str>,
    wrong: Option<&'a str>,
    typed: &'a Pairs,
}

impl ValuesPage<'_> {
    /// What was typed into the form that was refused.
    fn typed(&self, form: &str, name: &str) -> &str {
        if first_value(self.typed, "do") == form { first_value(self.typed, name) } else { "" }
    }
}

fn lines(table: Option<&Table>, shell: &Shell) -> Vec<Line> {
    let line = |(name, value): (&String, &Value)| Line {
        words: match name.parse::<FieldKey>() {
            Ok(field) => field_words(&field, shell.language).into_owned(),
            Err(_) => name.clone(),
        },
        name: name.clone(),
        value: value.as_str().map_or_else(|| value.to_string(), str::to_owned),
    };
    table.into_iter().flatten().map(line).collect()
}

fn render(opened: &Opened, shell: Shell, refused: Option<(&Pairs, &str)>) -> Response {
    let shell = shell.in_zone(&opened.place.client.time_zone);
    let everyone = shell.t("For everyone", "Pour tous", "Für alle").to_owned();
    let first = lines(opened.table_of("defaults"), &shell);
    let mut groups = vec![Group { index: String::new(), who: everyone, lines: first }];
    for (index, table) in opened.groups().iter().enumerate() {
        let parts = [
            (shell.t("Legal entity", "Entité légale", "Gesellschaft"), text(table, "legal_entity")),
            (shell.t("Department", "Département", "Abteilung"), text(table, "department")),
        ];
        let who: Vec<String> = parts
            .into_iter()
            .filter(|(_, code)| !code.is_empty())
            .map(|(words, code)| format!("{words} {code}"))
            .collect();
        let values = table.get("values").and_then(Value::as_table);
        let (who, lines) = (who.join(" · "), lines(values, &shell));
        groups.push(Group { index: index.to_string(), who, lines });
    }
    let fields = |wanted: fn(Field) -> bool| {
        let all = Field::ALL.iter().copied().filter(move |field| wanted(*field));
        let words =
            |f: Field| (f.name(), field_words(&FieldKey::Known(f), shell.language).into_owned());
        all.map(words).collect::<Vec<_>>()
    };
    let codes = |field| {
        let of_field = opened.entries.iter().filter(move |entry| entry.field == field);
        of_field.map(|entry| entry.code.as_str()).take(OFFERED).collect::<Vec<_>>()
    };
    let nothing = Pairs::new();
    page(&ValuesPage {
        p: &shell,
        client: &opened.place.client,
        place: &opened.place,
        at: "values",
        version: &opened.document.version,
        blanks: lines(opened.table_of("blanks"), &shell),
        fields: fields(|_| true),
        defaultable: fields(|field| field == Field::Manager || takes_codes(field)),
        groups,
        entities: codes(Field::LegalEntity),
        departments: codes(Field::Department),
        wrong: refused.map(|(_, message)| message),
        typed: refused.map_or(&nothing, |(pairs, _)| pairs),
    })
}

async fn show(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path((client, folder)): Path<(String, String)>,
) -> Response {
    match admin.run(&caller.name, move |service| open(&service, &client, &folder)).await {
        Ok(opened) => render(&opened, shell, None),
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}

/// A form's two columns, and what its last line adds.
fn written(pairs: &Pairs) -> Vec<(&str, &str)> {
    let removed = all_values(pairs, "remove");
    let mut all: Vec<(&str, &str)> =
        all_values(pairs, "name").into_iter().zip(all_values(pairs, "value")).collect();
    for (name, value) in &mut all {
        if removed.contains(name) {
            *value = "";
        }
    }
    let new = (first_value(pairs, "new_name"), first_value(pairs, "new_value"));
    if !new.0.is_empty() && !new.1.is_empty() {
        all.push(new);
    }
    all
}

fn changes(opened: &Opened, pairs: &Pairs) -> Result<Vec<Change>> {
    let flat = |table: &str| {
        let change = |(name, value): (&str, &str)| {
            let value = Some(value).filter(|value| !value.is_empty()).map(Value::from);
            Change::at(&[table, name], value)
        };
        written(pairs).into_iter().map(change).collect::<Vec<_>>()
    };
    let index = first_value(pairs, "index");
    match first_value(pairs, "do") {
        "blanks" => return Ok(flat("blanks")),
        "group" if index.is_empty() => return Ok(flat("defaults")),
        _ => {}
    }
    let mut groups = opened.groups();
    let place = match first_value(pairs, "do") {
        "group" => index.parse::<usize>().ok(),
        _ => Some(place_of(&mut groups, pairs)?),
    };
    let gone = || Error::new(Kind::Conflict, "this entry is not there any more");
    let group = place.and_then(|place| groups.get_mut(place)).ok_or_else(gone)?;
    let mut values = group.get("values").and_then(Value::as_table).cloned().unwrap_or_default();
    for (name, value) in written(pairs) {
        if value.is_empty() {
            values.remove(name);
        } else {
            values.insert(name.to_owned(), value.into());
        }
    }
    group.insert("values".to_owned(), Value::Table(values));
    groups.retain(|group| {
        group.get("values").and_then(Value::as_table).is_some_and(|values| !values.is_empty())
    });
    let all = groups.into_iter().map(Value::Table).collect::<Vec<_>>();
    let all = Some(all).filter(|all| !all.is_empty()).map(Value::Array);
    Ok(vec![Change::of("defaults_for", all)])
}

/// Where the defaults of a legal entity and department stand; they are made if nobody has given any.
fn place_of(groups: &mut Vec<Table>, pairs: &Pairs) -> Result<usize> {
    let (entity, department) =
        (first_value(pairs, "legal_entity"), first_value(pairs, "department"));
    if entity.is_empty() && department.is_empty() {
        let message = "write a legal entity, a department or both; what counts for everyone stands in the first table";
        return Err(Error::new(Kind::Invalid, message));
    }
    if written(pairs).is_empty() {
        return Err(Error::new(Kind::Invalid, "write the value that new users get"));
    }
    let same = |group: &Table| {
        text(group, "legal_entity") == entity && text(group, "department") == department
    };
    if let Some(place) = groups.iter().position(same) {
        return Ok(place);
    }
    let mut group = Table::new();
    for (name, code) in [("legal_entity", entity), ("department", department)] {
        if !code.is_empty() {
            group.insert(name.to_owned(), code.into());
        }
    }
    groups.push(group);
    Ok(groups.len() - 1)
}

async fn save(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path((client, folder)): Path<(String, String)>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let (slug, name) = (client.clone(), folder.clone());
    let opened = match admin.run(&caller.name, move |s| open(&s, &slug, &name)).await {
        Ok(opened) => opened,
        Err(error) => return Failure::new(error, &shell).into_response(),
    };
    let back = opened.place.href("values");
    let seen = first_value(&pairs, "seen").to_owned();
    let is_seen = seen == opened.document.version;
    let saved = match changes(&opened, &pairs) {
        // Decided about another document than the one that was seen, it is of no use.
        _ if !is_seen => Err(Error::new(Kind::Conflict, "")),
        Err(error) => Err(error),
        Ok(changes) => {
            let work = move |service: Service| {
                service.change_settings(&client, &folder, Seen::Version(&seen), &changes)
            };
            admin.run(&caller.name, work).await
        }
    };
    let label = match first_value(&pairs, "do") {
        "blanks" => shell.t("blank cells", "cellules vides", "leere Zellen"),
        _ => shell.t("defaults for new users", "valeurs par défaut", "Standardwerte"),
    };
    match saved {
        Ok(_) => done(&back, Tone::Good, &saved_words(&shell, &[label])),
        Err(error) => {
            let (status, message) = match error.kind() {
                Kind::Conflict => (StatusCode::CONFLICT, overtaken(&shell)),
                Kind::Invalid => (StatusCode::UNPROCESSABLE_ENTITY, error.message()),
                _ => return Failure::new(error, &shell).into_response(),
            };
            let mut response = render(&opened, shell.clone(), Some((&pairs, message)));
            *response.status_mut() = status;
            response
        }
    }
}
