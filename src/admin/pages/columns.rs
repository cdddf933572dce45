//! Columns: how a file's headers find their fields, and the client's own names for them.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::settings::{Place, all_values, first_value, overtaken, saved_words};
use crate::admin::Admin;
use crate::admin::form::{FileForm, Form, Pairs, bytes};
use crate::admin::guard::Caller;
use crate::admin::route::{Route, of_client};
use crate::admin::shell::{Failure, Shell, Tone, done, page};
use crate::error::{Error, Kind, Result};
use crate::import::fields::{Field, FieldKey, MatchedBy, custom_name};
use crate::import::inspect::{InspectedColumn, Inspection};
use crate::import::report::{field_words, matched_words};
use crate::import::settings::{Change, Settings, find};
use crate::import::text::fold;
use crate::model::{Client, Language, Scope};
use crate::service::Service;
use crate::service::samples::Sample;
use crate::service::settings::{Seen, SettingsDocument};
use crate::service::users_file::Sight;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/clients/{client}/folders/{folder}/columns", of_client(Scope::Read), show),
        Route::post("/clients/{client}/folders/{folder}/columns", of_client(Scope::Arrange), save),
        Route::post(
            "/clients/{client}/folders/{folder}/columns/sample",
            of_client(Scope::Read),
            look,
        ),
    ]
}

/// Everything that the page is about.
struct Opened {
    place: Place,
    document: SettingsDocument,
    settings: Settings,
    sample: Option<Sample>,
    /// Why the last file cannot be shown.
    missing: Option<String>,
    /// The sample was chosen; else it is the last file that was received.
    chosen: bool,
    /// The sample is its own beginning, written anew by this page.
    rewritten: bool,
    /// How much of the sample is shown.
    sight: Sight,
}

fn open(
    service: &Service,
    (client, folder): (&str, &str),
    chosen: Option<(&str, Vec<u8>)>,
    (language, sight): (Language, Sight),
) -> Result<Opened> {
    let place = Place::of(service, client, folder)?;
    let is_chosen = chosen.is_some();
    let (mut sample, mut missing) = (None, None);
    match (chosen, &place.last) {
        (Some(file), _) => sample = Some(service.look_at_sample(client, folder, file, language)?),
        (None, Some(last)) => {
            let reader = (language, sight);
            match service.look_at_received(client, folder, last.id, reader) {
                Ok(found) => sample = found,
                Err(error) if error.kind() == Kind::TooLarge => {
                    missing = Some(error.message().to_owned());
                }
                Err(error) => return Err(error),
            }
        }
        (None, None) => {}
    }
    let document = match &sample {
        Some(sample) => sample.document.clone(),
        None => service.settings_document(client, folder)?,
    };
    let settings = service.settings(client, folder)?;
    // A sample of one's own shows what one brought.
    let sight = if is_chosen { Sight::Whole } else { sight };
    Ok(Opened {
        place,
        document,
        settings,
        sample,
        missing,
        chosen: is_chosen,
        rewritten: false,
        sight,
    })
}

/// A column as the page shows it.
struct Column<'a> {
    column: &'a InspectedColumn,
    field: Option<String>,
    why: &'static str,
    is_read: bool,
    /// The fields to choose from; `None`: an exact code is what it is.
    choices: Option<Vec<Choice>>,
}

struct Choice {
    value: String,
    label: String,
    chosen: bool,
}

#[derive(Template)]
#[template(path = "admin/pages/columns.html")]
struct ColumnsPage<'a> {
    p: &'a Shell,
    client: &'a Client,
    place: &'a Place,
    at: &'a str,
    version: &'a str,
    /// The sample's name.
    name: &'a str,
    chosen: bool,
    read: Option<&'a Inspection>,
    /// Whether it is the sample's beginning as this page wrote it: that says nothing of how the file was written.
    rewritten: bool,
    /// Its values are not this reader's to see.
    masked: bool,
    refused: Option<&'a (String, String)>,
    missing: Option<&'a str>,
    columns: Vec<Column<'a>>,
    /// The client's own names that no column of the sample has.
    others: Vec<(&'a str, String)>,
    excerpt: String,
    said: Option<&'a str>,
    wrong: Option<&'a str>,
}

fn render(opened: &Opened, shell: Shell, said: Option<&str>, wrong: Option<&str>) -> Response {
    let shell = shell.in_zone(&opened.place.client.time_zone);
    let read = opened.sample.as_ref().map(|sample| sample.read.as_ref());
    let columns = match read {
        Some(Ok(found)) => {
            found.columns.iter().map(|c| shown(c, &opened.settings, &shell)).collect()
        }
        _ => Vec::new(),
    };
    let in_sample = |alias: &str| {
        let columns: &[Column<'_>] = &columns;
        columns.iter().any(|column| fold(&column.column.header) == fold(alias))
    };
    let words = |field: &FieldKey| field_words(field, shell.language).into_owned();
    let others = opened.settings.aliases.iter().filter(|(alias, _)| !in_sample(alias));
    let others = others.map(|(alias, field)| (alias.as_str(), words(field))).collect();
    page(&ColumnsPage {
        p: &shell,
        client: &opened.place.client,
        place: &opened.place,
        at: "columns",
        version: &opened.document.version,
        name: opened.sample.as_ref().map_or("", |sample| &sample.name),
        chosen: opened.chosen,
        read: read.and_then(std::result::Result::ok),
        rewritten: opened.rewritten,
        masked: opened.sight == Sight::Masked,
        refused: read.and_then(std::result::Result::err),
        missing: opened.missing.as_deref(),
        columns,
        others,
        excerpt: opened
            .sample
            .as_ref()
            .filter(|_| opened.chosen)
            .map(|sample| BASE64_URL_SAFE_NO_PAD.encode(&sample.excerpt))
            .unwrap_or_default(),
        said,
        wrong,
    })
}

fn shown<'a>(column: &'a InspectedColumn, settings: &Settings, shell: &Shell) -> Column<'a> {
    let language = shell.language;
    let words = |field: &FieldKey| match field {
        FieldKey::Known(_) => field_words(field, language).into_owned(),
        FieldKey::Custom(name) => format!("{} {name}", own_field(shell)),
    };
    let folded = fold(&column.header);
    let alias = settings.aliases.iter().find(|(alias, _)| fold(alias) == folded);
    let own = FieldKey::Custom(custom_name(&column.header));
    let by_itself = match &column.field {
        Some(field) if alias.is_none() => {
            format!(
                "{} {}",
                shell.t("as found:", "comme trouvé\u{a0}:", "wie gefunden:"),
                words(field)
            )
        }
        _ => shell.t("by its own name", "d’après son nom", "nach ihrem Namen").to_owned(),
    };
    let mut choices =
        vec![Choice { value: String::new(), label: by_itself, chosen: alias.is_none() }];
    let known = Field::ALL.iter().map(|field| FieldKey::Known(*field));
    let mapped = alias.map(|(_, field)| field.clone());
    // An alias may name another field of the client's own.
    let other = mapped.clone().filter(|f| matches!(f, FieldKey::Custom(_)) && *f != own);
    choices.extend(known.chain([own]).chain(other).map(|field| Choice {
        value: field.to_string(),
        label: words(&field),
        chosen: mapped.as_ref() == Some(&field),
    }));
    let fixed =
        matches!(column.matched_by, MatchedBy::Code | MatchedBy::Control | MatchedBy::Blank);
    let name = serde_json::to_value(column.matched_by).unwrap_or_default();
    Column {
        column,
        field: column.field.as_ref().map(words),
        why: matched_words(name.as_str().unwrap_or_default()).get(language),
        is_read: column.field.is_some() || column.matched_by == MatchedBy::Control,
        choices: (!fixed && !folded.is_empty()).then_some(choices),
    }
}

fn own_field(shell: &Shell) -> &str {
    shell.t("Own text field:", "Champ texte propre\u{a0}:", "Eigenes Textfeld:")
}

async fn show(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path((client, folder)): Path<(String, String)>,
) -> Response {
    let reader = (shell.language, sight_of(&caller));
    let work = move |service: Service| open(&service, (&client, &folder), None, reader);
    match admin.run(&caller.name, work).await {
        Ok(opened) => render(&opened, shell, None, None),
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}

/// The received file is for people who may import: reports mask what stands in it.
fn sight_of(caller: &Caller) -> Sight {
    if caller.has(Scope::Run) { Sight::Whole } else { Sight::Masked }
}

/// Looks at a sample that somebody chose; nothing is kept of it.
async fn look(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path((client, folder)): Path<(String, String)>,
    mut form: FileForm,
) -> Response {
    let limit = admin.service().config().admin.max_sample_bytes;
    let file = match file_of(&mut form, limit).await {
        Ok(file) => file,
        Err(error) => return Failure::new(error, &shell).into_response(),
    };
    let reader = (shell.language, sight_of(&caller));
    let looked = admin.run(&caller.name, move |service| {
        let file = file.as_ref().map(|(name, bytes)| (name.as_str(), bytes.clone()));
        open(&service, (&client, &folder), file, reader)
    });
    match looked.await {
        Ok(opened) if !opened.chosen => {
            let wrong = shell.t(
                "No file was chosen.",
                "Aucun fichier n’a été choisi.",
                "Es wurde keine Datei gewählt.",
            );
            let mut response = render(&opened, shell.clone(), None, Some(wrong));
            *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            response
        }
        Ok(opened) => render(&opened, shell, None, None),
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}

async fn file_of(form: &mut FileForm, limit: u64) -> Result<Option<(String, Vec<u8>)>> {
    while let Some(field) = form.next().await? {
        if field.name() != Some("file") {
            continue;
        }
        let name = field.file_name().unwrap_or_default().to_owned();
        let content = bytes(field, limit).await?;
        return Ok(
            Some((name, content)).filter(|(name, content)| !name.is_empty() || !content.is_empty())
        );
    }
    Ok(None)
}

async fn save(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path((client, folder)): Path<(String, String)>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let sample = match sample_of(&pairs) {
        Ok(sample) => sample,
        Err(error) => return Failure::new(error, &shell).into_response(),
    };
    let seen = first_value(&pairs, "seen").to_owned();
    let (slug, name) = (client.clone(), folder.clone());
    let saved = admin.run(&caller.name, move |service| {
        let document = service.settings_document(&slug, &name)?;
        let changes = changes(&document.text, &pairs)?;
        service.change_settings(&slug, &name, Seen::Version(&seen), &changes)
    });
    let error = match saved.await {
        Ok(_) => None,
        Err(error) if matches!(error.kind(), Kind::Invalid | Kind::Conflict) => Some(error),
        Err(error) => return Failure::new(error, &shell).into_response(),
    };
    let rewritten = sample.is_some();
    let label = shell.t("columns", "colonnes", "Spalten");
    let words = saved_words(&shell, &[label]);
    if error.is_none() && sample.is_none() {
        return done(&super::settings::href(&client, &folder, "columns"), Tone::Good, &words);
    }
    // The sample is looked at again, with what was saved.
    let reader = (shell.language, sight_of(&caller));
    let looked = admin.run(&caller.name, move |service| {
        let file = sample.as_ref().map(|(name, bytes)| (name.as_str(), bytes.clone()));
        open(&service, (&client, &folder), file, reader)
    });
    let opened = match looked.await {
        Ok(opened) => Opened { rewritten, ..opened },
        Err(error) => return Failure::new(error, &shell).into_response(),
    };
    let Some(error) = error else { return render(&opened, shell, Some(&words), None) };
    let (status, message) = match error.kind() {
        Kind::Conflict => (StatusCode::CONFLICT, overtaken(&shell)),
        _ => (StatusCode::UNPROCESSABLE_ENTITY, error.message()),
    };
    let mut response = render(&opened, shell.clone(), None, Some(message));
    *response.status_mut() = status;
    response
}

/// The sample that the form carries along.
fn sample_of(pairs: &Pairs) -> Result<Option<(String, Vec<u8>)>> {
    let excerpt = first_value(pairs, "excerpt");
    if excerpt.is_empty() {
        return Ok(None);
    }
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(excerpt).map_err(|e| {
        Error::caused(Kind::Invalid, "the sample did not arrive whole; choose it again", e)
    })?;
    Ok(Some((first_value(pairs, "name").to_owned(), bytes)))
}

/// The changes of the document's aliases that a form asks for.
fn changes(document: &str, pairs: &Pairs) -> Result<Vec<Change>> {
    let table: toml::Table =
        document.parse().map_err(|e: toml::de::Error| Error::new(Kind::Invalid, e.to_string()))?;
    let written = find(&table, &["aliases".to_owned()]).and_then(toml::Value::as_table);
    // Two writings of one header are one alias.
    let mut aliases: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for alias in written.into_iter().flat_map(toml::Table::keys) {
        aliases.entry(fold(alias)).or_default().push(alias);
    }
    let mut changes = Vec::new();
    let mut change = |alias: &str, field: Option<&str>| {
        changes.push(Change::at(&["aliases", alias], field.map(toml::Value::from)));
    };
    let wanted = all_values(pairs, "header").into_iter().zip(all_values(pairs, "field"));
    let removed = all_values(pairs, "remove").into_iter().map(|header| (header, ""));
    for (header, field) in wanted.chain(removed).filter(|(header, _)| !header.is_empty()) {
        let known = aliases.get(&fold(header)).map(Vec::as_slice).unwrap_or_default();
        match known.split_first() {
            _ if field.is_empty() => known.iter().for_each(|alias| change(alias, None)),
            Some((first, others)) => {
                change(first, Some(field));
                others.iter().for_each(|alias| change(alias, None));
            }
            None => change(header, Some(field)),
        }
    }
    Ok(changes)
}
