//! The users of a client: search, filters, the directory at a date, the list as a file.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::users_words::{day, label, standing};
use crate::admin::Admin;
use crate::admin::download::disposition;
use crate::admin::guard::{Caller, form_encoded};
use crate::admin::route::{Route, of_client};
use crate::admin::shell::{Failure, Shell, page};
use crate::error::{Error, Kind, Result};
use crate::import::fields::{Field, FieldKey};
use crate::import::standing::Standing;
use crate::model::{Client, ImportStatus, Purpose, Scope};
use crate::service::Service;
use crate::service::feed::{ImportFilter, Stand};
use crate::service::people::Person;
use crate::service::users::{UserFilter, UsersPage};
use crate::service::users_file::{CodeView, Sight, UsersFile, UsersFormat};

/// How many users a page shows.
const ROWS: u32 = 50;
/// How many codes a field offers; others can be typed.
pub(super) const CODES: u32 = 500;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/clients/{client}/users", of_client(Scope::Read), list),
        Route::get("/clients/{client}/users/file", of_client(Scope::Read), file),
    ]
}

/// What the form above the list asks for, as it was typed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Asked {
    text: String,
    /// A standing, `all`, or nothing: whoever works there or will.
    standing: String,
    department: String,
    legal_entity: String,
    /// A number, login, e-mail or name; `#42`: an id.
    manager: String,
    /// The name of a field.
    missing: String,
    as_of: String,
    after: String,
    /// Of a file: `csv`, `json`, or `layout` with `folder`.
    format: String,
    folder: String,
}

impl Asked {
    fn filter(&self, service: &Service, client: &str) -> Result<UserFilter> {
        let text = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let manager = match text(&self.manager) {
            None => None,
            Some(who) => match who.strip_prefix('#').map(str::parse) {
                Some(Ok(id)) => Some(id),
                _ => Some(service.find_user(client, &who)?.id),
            },
        };
        let invalid = |what: &str, value: &str, cure: &str| {
            Error::new(Kind::Invalid, format!("{what}: \"{value}\" {cure}"))
        };
        let missing = match self.missing.as_str() {
            "" => Vec::new(),
            name => vec![Field::from_name(name).ok_or_else(|| {
                invalid("missing", name, "is not a field; choose one of the list")
            })?],
        };
        let as_of = match self.as_of.as_str() {
            "" => None,
            day => Some(
                day.parse()
                    .map_err(|_| invalid("as_of", day, "is not a day; write it as 2026-03-31"))?,
            ),
        };
        Ok(UserFilter {
            text: self.text.clone(),
            standing: self.standings()?,
            department: text(&self.department),
            legal_entity: text(&self.legal_entity),
            manager,
            missing,
            after: text(&self.after),
            limit: ROWS,
            as_of,
        })
    }

    fn standings(&self) -> Result<Vec<Standing>> {
        match self.standing.as_str() {
            "" => Ok(vec![Standing::Active, Standing::Upcoming]),
            "all" => Ok(Vec::new()),
            name => match Standing::NAMED.iter().find(|(known, _)| *known == name) {
                Some((_, standing)) => Ok(vec![*standing]),
                None => Err(Error::new(
                    Kind::Invalid,
                    format!("standing: \"{name}\" is none; use active, upcoming, ended or all"),
                )),
            },
        }
    }

    /// Whether a filter beside text and standing is set.
    fn narrows(&self) -> bool {
        let others =
            [&self.department, &self.legal_entity, &self.manager, &self.missing, &self.as_of];
        others.iter().any(|filter| !filter.is_empty())
    }

    /// The same question as the query of an address, with other or more parts.
    fn query(&self, others: &[(&str, &str)]) -> String {
        let own = [
            ("text", self.text.as_str()),
            ("standing", &self.standing),
            ("department", &self.department),
            ("legal_entity", &self.legal_entity),
            ("manager", &self.manager),
            ("missing", &self.missing),
            ("as_of", &self.as_of),
        ];
        let pairs = own.iter().chain(others).filter(|(_, value)| !value.is_empty());
        let pairs: Vec<String> =
            pairs.map(|(name, value)| format!("{name}={}", form_encoded(value))).collect();
        pairs.join("&")
    }
}

/// A line of the list.
struct Row {
    id: i64,
    name: String,
    number: String,
    entity: String,
    department: String,
    manager: Option<(i64, String)>,
    /// `2020-02-01 – 2026-12-31`.
    contract: String,
    badge: (&'static str, &'static str),
}

fn row(p: &Shell, person: &Person) -> Row {
    let shown = |field| person.shown(field).unwrap_or_default();
    let date = |field| person.values.get(field).map(|text| day(p, text)).unwrap_or_default();
    let (from, to) = (date(Field::ContractStart), date(Field::ContractEnd));
    let id = person.manager_id();
    let manager = person.manager.as_ref().map(|(_, name)| name.clone());
    let name = person.listed_name();
    Row {
        id: person.id,
        name: if name.is_empty() { format!("#{}", person.id) } else { name },
        number: person.shown(Field::EmployeeNumber).unwrap_or_else(|| shown(Field::Login)),
        entity: shown(Field::LegalEntity),
        department: shown(Field::Department),
        manager: id.zip(manager),
        contract: format!("{from} – {to}").trim_matches([' ', '–']).to_owned(),
        badge: standing(p, person.state),
    }
}

#[derive(Template)]
#[template(path = "admin/pages/users.html")]
struct UsersTemplate<'a> {
    p: &'a Shell,
    client: &'a Client,
    asked: &'a Asked,
    rows: &'a [Row],
    total: u64,
    /// The query of the first part.
    first: String,
    /// The address of the next part.
    next: Option<String>,
    /// The addresses of the list as a file, with what it is.
    files: Vec<(String, String)>,
    entities: &'a [CodeView],
    departments: &'a [CodeView],
    fields: Vec<(&'static str, String)>,
    day: Option<String>,
}

struct Found {
    client: Client,
    page: UsersPage,
    entities: Vec<CodeView>,
    departments: Vec<CodeView>,
    /// The import folders whose layout a file may have.
    folders: Vec<String>,
}

async fn list(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(slug): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    let wanted = asked.clone();
    let found = admin
        .run(&caller.name, move |service| {
            let client = service.client(&slug)?;
            let page = service.users_page(&slug, &wanted.filter(&service, &slug)?)?;
            let codes = |field| service.codes(&slug, field, CODES);
            Ok(Found {
                page,
                entities: codes(Field::LegalEntity)?,
                departments: codes(Field::Department)?,
                folders: folders_with_layout(&service, &slug)?,
                client,
            })
        })
        .await;
    match found {
        Ok(found) => show(&shell.in_zone(&found.client.time_zone), &asked, &found),
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}

/// The import folders from which something was applied: the others have no layout.
fn folders_with_layout(service: &Service, client: &str) -> Result<Vec<String>> {
    const APPLIED: [ImportStatus; 3] =
        [ImportStatus::Ok, ImportStatus::OkWithWarnings, ImportStatus::Partial];
    let mut applied = Vec::new();
    for name in import_folders(service, client)? {
        for status in APPLIED {
            let filter = ImportFilter {
                client: Some(client.to_owned()),
                folder: Some(name.clone()),
                stand: Some(Stand::Ended(status)),
                limit: 1,
                ..ImportFilter::default()
            };
            if !service.imports_page(&filter)?.imports.is_empty() {
                applied.push(name);
                break;
            }
        }
    }
    Ok(applied)
}

/// The names of a client's import folders.
pub(super) fn import_folders(service: &Service, client: &str) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for account in service.accounts(Some(client))? {
        let folders = service.folders(&account.login)?.into_iter();
        names.extend(folders.filter(|f| f.purpose == Purpose::Import).map(|f| f.name));
    }
    Ok(names)
}

fn show(p: &Shell, asked: &Asked, found: &Found) -> Response {
    let base = format!("/clients/{}/users", found.client.slug);
    let rows: Vec<Row> = found.page.users.iter().map(|person| row(p, person)).collect();
    let next = found.page.next.as_ref();
    let file = |name: &str, more: &[(&str, &str)]| {
        (format!("{base}/file?{}", asked.query(more)), name.to_owned())
    };
    let mut files = vec![file("CSV", &[("format", "csv")]), file("JSON", &[("format", "json")])];
    files.extend(found.folders.iter().map(|folder| {
        let name = match p.language {
            crate::model::Language::En => format!("CSV like the files of {folder}"),
            crate::model::Language::Fr => format!("CSV comme les fichiers de {folder}"),
            crate::model::Language::De => format!("CSV wie die Dateien von {folder}"),
        };
        file(&name, &[("format", "layout"), ("folder", folder)])
    }));
    let fields = Field::ALL.iter().map(|f| (f.name(), label(p, &FieldKey::Known(*f))));
    page(&UsersTemplate {
        p,
        client: &found.client,
        asked,
        rows: &rows,
        total: found.page.total,
        first: asked.query(&[]),
        next: next.map(|after| format!("{base}?{}", asked.query(&[("after", after)]))),
        files,
        entities: &found.entities,
        departments: &found.departments,
        fields: fields.collect(),
        day: Some(asked.as_of.as_str()).filter(|day| !day.is_empty()).map(|text| day(p, text)),
    })
}

/// How much of a person somebody may see: what reports mask, only whoever may change users.
pub(super) fn sight(caller: &Caller) -> Sight {
    if caller.has(Scope::Run) { Sight::Whole } else { Sight::Masked }
}

async fn file(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(slug): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    let sight = sight(&caller);
    let made = admin
        .run(&caller.name, move |service| {
            let format = match asked.format.as_str() {
                "json" => UsersFormat::Json,
                "layout" => UsersFormat::Layout(asked.folder.clone()),
                _ => UsersFormat::Csv,
            };
            service.users_file(&slug, &asked.filter(&service, &slug)?, &format, sight)
        })
        .await;
    match made {
        Ok(UsersFile { name, bytes, .. }) => attachment(&name, bytes),
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}

/// A table to be saved.
pub(super) fn attachment(name: &str, bytes: Vec<u8>) -> Response {
    let kind = if name.ends_with(".json") { "application/json" } else { "text/csv; charset=utf-8" };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CONTENT_DISPOSITION, disposition("attachment", name)),
    ];
    (headers, bytes).into_response()
}
