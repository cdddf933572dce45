//! Changing values of a user by hand, and creating one.

use std::collections::{BTreeSet, HashMap};

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};

use super::user::id_of;
use super::users::{CODES, import_folders};
use super::users_words::{GROUPS, Input, kind, label};
use crate::admin::Admin;
use crate::admin::form::{Form, Pairs};
use crate::admin::guard::Caller;
use crate::admin::route::{Route, of_client};
use crate::admin::shell::{Failure, Shell, Tone, done, page};
use crate::error::{Error, Kind, Result};
use crate::import::edit::Edit;
use crate::import::fields::{Field, FieldKey};
use crate::import::lists::list_of;
use crate::model::{Client, Scope};
use crate::service::Service;
use crate::service::people::Person;
use crate::service::users_file::CodeView;

/// Before the name of a field: what the directory had when the form was opened.
const WAS: &str = "was.";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/clients/{client}/users/new", of_client(Scope::Run), show_new),
        Route::post("/clients/{client}/users/new", of_client(Scope::Run), create),
        Route::get("/clients/{client}/users/{user}/edit", of_client(Scope::Run), show_edit),
        Route::post("/clients/{client}/users/{user}/edit", of_client(Scope::Run), save),
    ]
}

/// Everything that a form needs from the directory.
struct Found {
    client: Client,
    /// Whom it is about; `None`: a new user.
    person: Option<Person>,
    /// The import folders whose rules a new user can follow.
    folders: Vec<String>,
    codes: HashMap<Field, Vec<CodeView>>,
    required: BTreeSet<Field>,
}

#[derive(Template)]
#[template(path = "admin/pages/user_form.html")]
struct FormTemplate<'a> {
    p: &'a Shell,
    client: &'a Client,
    person: Option<&'a Person>,
    folders: &'a [String],
    folder: &'a str,
    groups: Vec<(&'static str, Vec<Input>)>,
    wrong: &'a [String],
}

fn find(service: &Service, slug: &str, user: Option<i64>) -> Result<Found> {
    let client = service.client(slug)?;
    let person = user.map(|id| service.user(slug, id, None)).transpose()?;
    let mut codes = HashMap::new();
    for field in Field::ALL {
        if let Some(list) = list_of(*field) {
            codes.insert(*field, service.codes(slug, list, CODES)?);
        }
    }
    let folders = if user.is_none() { import_folders(service, slug)? } else { Vec::new() };
    let mut required = BTreeSet::from([Field::FirstName, Field::LastName, Field::ContractStart]);
    if let Some(folder) = folders.first() {
        required.extend(service.settings(slug, folder)?.required.into_iter().flatten());
    }
    Ok(Found { client, person, folders, codes, required })
}

/// The form with what the directory has, or what was typed.
fn form(shell: Shell, mut found: Found, typed: Option<&Pairs>, wrong: &[String]) -> Response {
    let p = shell.in_zone(&found.client.time_zone);
    let text = |name: &str| {
        let pair = typed?.iter().find(|(key, _)| key == name);
        pair.map(|(_, value)| value.clone())
    };
    let person = found.person.take();
    let mut input = |field: Field| {
        let has = person.as_ref().and_then(|person| person.shown(field)).unwrap_or_default();
        let has = has.replace('\n', ", ");
        Input {
            label: label(&p, &FieldKey::Known(field)),
            value: text(field.name()).unwrap_or_else(|| has.clone()),
            was: text(&format!("{WAS}{field}")).unwrap_or(has),
            kind: kind(field),
            codes: found.codes.remove(&field).unwrap_or_default(),
            required: found.required.contains(&field),
            name: field.name().to_owned(),
        }
    };
    let mut groups: Vec<(&str, Vec<Input>)> = GROUPS
        .iter()
        .map(|(group, fields)| (group.words(&p), fields.iter().map(|f| input(*f)).collect()))
        .collect();
    let own: Vec<Input> = person.iter().flat_map(|person| own_inputs(person, &text)).collect();
    if !own.is_empty() {
        groups.push((
            p.t("Columns of your own", "Colonnes propres au client", "Eigene Spalten"),
            own,
        ));
    }
    let mut response = page(&FormTemplate {
        p: &p,
        client: &found.client,
        person: person.as_ref(),
        folders: &found.folders,
        folder: &text("folder").unwrap_or_default(),
        groups,
        wrong,
    });
    if !wrong.is_empty() {
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    response
}

/// The client's own columns that a user has.
fn own_inputs<'p>(
    person: &'p Person,
    text: &'p impl Fn(&str) -> Option<String>,
) -> impl Iterator<Item = Input> + 'p {
    person.values.custom().map(move |(column, has)| {
        let name = format!("custom.{column}");
        Input {
            label: column.to_owned(),
            value: text(&name).unwrap_or_else(|| has.to_owned()),
            was: text(&format!("{WAS}{name}")).unwrap_or_else(|| has.to_owned()),
            kind: "text",
            codes: Vec::new(),
            required: false,
            name,
        }
    })
}

async fn show_new(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(slug): Path<String>,
) -> Response {
    match admin.run(&caller.name, move |service| find(&service, &slug, None)).await {
        Ok(found) => form(shell, found, None, &[]),
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}

async fn show_edit(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path((slug, user)): Path<(String, String)>,
) -> Response {
    let found =
        admin.run(&caller.name, move |service| find(&service, &slug, Some(id_of(&user)?))).await;
    match found {
        Ok(found) => form(shell, found, None, &[]),
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}

/// The values of a form that are not what the directory had when it was opened.
fn wanted(typed: &Pairs) -> Vec<(FieldKey, String)> {
    let before: HashMap<&str, &str> = typed
        .iter()
        .filter_map(|(name, value)| Some((name.strip_prefix(WAS)?, value.as_str())))
        .collect();
    // The other fields of the form (csrf, folder, was.…) have no field's name.
    let field = |name: &str| name.parse::<FieldKey>().ok();
    let changed = typed.iter().filter_map(|(name, value)| Some((field(name)?, name, value)));
    changed
        .filter(|(_, name, value)| before.get(name.as_str()).copied().unwrap_or("") != value.trim())
        .map(|(field, _, value)| (field, value.clone()))
        .collect()
}

/// Somebody else may have changed a value since the form was opened: it is not overwritten unseen.
fn refuse_overtaken(person: &Person, typed: &Pairs, wanted: &[(FieldKey, String)]) -> Result<()> {
    for (field, _) in wanted {
        let name = format!("{WAS}{field}");
        let was = typed.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value);
        let now = match field {
            FieldKey::Known(field) => person.shown(*field).unwrap_or_default(),
            FieldKey::Custom(_) => person.values.get_key(field).unwrap_or_default().to_owned(),
        };
        let now = now.replace('\n', ", ");
        if now != was {
            let message = format!(
                "{field} has been changed meanwhile: it is \"{now}\" now; open the form again and decide"
            );
            return Err(Error::new(Kind::Conflict, message));
        }
    }
    Ok(())
}

async fn save(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path((slug, user)): Path<(String, String)>,
    Form(typed): Form<Pairs>,
) -> Response {
    let id = match id_of(&user) {
        Ok(id) => id,
        Err(error) => return Failure::new(error, &shell).into_response(),
    };
    let (client, who, sent) = (slug.clone(), caller.name.clone(), typed.clone());
    let saved = admin
        .run(&caller.name, move |service| {
            let wanted = wanted(&sent);
            refuse_overtaken(&service.user(&client, id, None)?, &sent, &wanted)?;
            service.edit_user(&client, id, &wanted, &who)
        })
        .await;
    match saved {
        Ok(edit) => done(&format!("/clients/{slug}/users/{id}"), Tone::Good, &told(&shell, &edit)),
        Err(error) => again(&admin, shell, &caller, (slug, Some(id)), &typed, error).await,
    }
}

/// The form again with what was typed and why it was refused.
async fn again(
    admin: &Admin,
    shell: Shell,
    caller: &Caller,
    (slug, user): (String, Option<i64>),
    typed: &Pairs,
    error: Error,
) -> Response {
    if !matches!(error.kind(), Kind::Invalid | Kind::Exists | Kind::Conflict) {
        return Failure::new(error, &shell).into_response();
    }
    let wrong: Vec<String> = error.message().lines().map(str::to_owned).collect();
    match admin.run(&caller.name, move |service| find(&service, &slug, user)).await {
        Ok(found) => form(shell, found, Some(typed), &wrong),
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}

/// What an edit did, in words.
fn told(p: &Shell, edit: &Edit) -> String {
    if edit.changes.is_empty() {
        let words = [
            "Nothing to change: these values stand there already.",
            "Rien à modifier\u{a0}: ces valeurs y sont déjà.",
            "Nichts zu ändern: Diese Werte stehen schon da.",
        ];
        let [en, fr, de] = words;
        return p.t(en, fr, de).to_owned();
    }
    let fields: Vec<String> = edit.changes.iter().map(|change| label(p, &change.field)).collect();
    let changed = p.t("Changed:", "Modifié\u{a0}:", "Geändert:");
    let kept = p.t(
        "Files that still say the same as before do not bring the old values back.",
        "Les fichiers qui disent encore la même chose qu’avant ne ramènent pas les anciennes valeurs.",
        "Dateien, die noch dasselbe sagen wie zuvor, bringen die alten Werte nicht zurück.",
    );
    let mut words = format!("{changed} {}. {kept}", fields.join(", "));
    for (field, code) in &edit.list_entries {
        let list = label(p, &FieldKey::Known(*field));
        words.push_str(&match p.language {
            crate::model::Language::En => format!(
                " “{code}” is new in the list {list}; check that it is no misspelling."
            ),
            crate::model::Language::Fr => format!(
                " «\u{a0}{code}\u{a0}» est nouveau dans la liste {list}\u{a0}; vérifiez l’orthographe."
            ),
            crate::model::Language::De => format!(
                " „{code}“ ist neu in der Liste {list}; prüfen Sie die Schreibweise."
            ),
        });
    }
    words
}

async fn create(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(slug): Path<String>,
    Form(typed): Form<Pairs>,
) -> Response {
    let (client, who, sent) = (slug.clone(), caller.name.clone(), typed.clone());
    let created = admin
        .run(&caller.name, move |service| {
            let folder = sent.iter().find(|(name, value)| name == "folder" && !value.is_empty());
            let folder = folder.map(|(_, value)| value.as_str());
            service.create_user(&client, folder, &wanted(&sent), &who)
        })
        .await;
    match created {
        Ok(created) => {
            let words = p_created(&shell);
            let words = format!("{words} {}", created.notes.join(" "));
            done(&format!("/clients/{slug}/users/{}", created.id), Tone::Good, words.trim_end())
        }
        Err(error) => again(&admin, shell, &caller, (slug, None), &typed, error).await,
    }
}

fn p_created(p: &Shell) -> &'static str {
    p.t("The user was created.", "L’utilisateur a été créé.", "Der Benutzer wurde angelegt.")
}
