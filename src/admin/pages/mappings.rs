//! Mappings: the values of a folder's files that nobody knows, and what theirs stand for among ours.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};

use super::settings::{Place, all_values, first_value, overtaken};
use crate::admin::Admin;
use crate::admin::form::{Form, Pairs};
use crate::admin::guard::Caller;
use crate::admin::route::{Route, of_client};
use crate::admin::shell::{Failure, Shell, Tone, done, page};
use crate::error::{Error, Kind, Result};
use crate::import::fields::{CULTURES, Field, FieldKey, GENDERS};
use crate::import::lists::list_of;
use crate::import::report::field_words;
use crate::import::settings::{Settings, Unmapped, ValueMap, takes_codes};
use crate::model::{Client, Scope};
use crate::service::Service;
use crate::service::mappings::{MapChange, Rest, UnknownView};
use crate::service::settings::Seen;

/// So many unknown values of one field are shown at once.
const SHOWN: usize = 200;
/// So many of our values are offered for a field.
const OFFERED: usize = 1000;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/clients/{client}/folders/{folder}/mappings", of_client(Scope::Read), show),
        Route::post("/clients/{client}/folders/{folder}/mappings", of_client(Scope::Arrange), save),
    ]
}

/// Everything that the page is about.
struct Opened {
    place: Place,
    version: String,
    settings: Settings,
    unknown: Vec<UnknownView>,
    /// Ours, by field, for the lists of suggestions.
    ours: BTreeMap<FieldKey, Vec<Known>>,
}

/// A value of ours.
struct Known {
    code: String,
    name: String,
}

fn open(service: &Service, client: &str, folder: &str) -> Result<Opened> {
    let place = Place::of(service, client, folder)?;
    let document = service.settings_document(client, folder)?;
    let settings = service.settings(client, folder)?;
    let unknown = service.unknown_codes(client, folder)?;
    let open: BTreeSet<(&FieldKey, &str)> =
        unknown.iter().map(|code| (&code.field, code.code.as_str())).collect();
    let fields: BTreeSet<FieldKey> = unknown
        .iter()
        .map(|code| code.field.clone())
        .chain(settings.value_maps.keys().cloned())
        .collect();
    let entries = service.list_codes(client, None)?;
    let mut ours = BTreeMap::new();
    for field in fields {
        let list = list_of_key(&field);
        let listed = entries.iter().filter(|entry| Some(entry.field) == list);
        let mut known: BTreeMap<String, String> = listed
            // What a file brought is no code of ours before somebody says so.
            .filter(|entry| entry.loaded || !open.contains(&(&field, entry.code.as_str())))
            .map(|entry| (entry.code.clone(), entry.name.clone().unwrap_or_default()))
            .collect();
        let fixed: &[&str] = match field {
            FieldKey::Known(Field::Culture) => &CULTURES,
            FieldKey::Known(Field::Gender) => &GENDERS,
            _ => &[],
        };
        known.extend(fixed.iter().map(|code| ((*code).to_owned(), String::new())));
        let mapped = settings.value_maps.get(&field).into_iter().flat_map(|map| map.codes.values());
        for code in mapped {
            known.entry(code.clone()).or_default();
        }
        let all = known.into_iter().take(OFFERED).map(|(code, name)| Known { code, name });
        ours.insert(field, all.collect());
    }
    Ok(Opened { place, version: document.version, settings, unknown, ours })
}

fn list_of_key(key: &FieldKey) -> Option<Field> {
    match key {
        FieldKey::Known(field) => list_of(*field),
        FieldKey::Custom(_) => None,
    }
}

/// The unknown values of one field.
struct Group<'a> {
    field: &'a FieldKey,
    name: String,
    /// Whether they can be accepted into a list as they are.
    has_list: bool,
    codes: Vec<(&'a UnknownView, String)>,
    more: usize,
    together: String,
}

/// The value map of one field.
struct Map<'a> {
    field: &'a FieldKey,
    name: String,
    codes: Vec<(&'a str, String)>,
    rule: String,
    default: String,
    new: (String, String),
}

#[derive(Template)]
#[template(path = "admin/pages/mappings.html")]
struct MappingsPage<'a> {
    p: &'a Shell,
    client: &'a Client,
    place: &'a Place,
    at: &'a str,
    version: &'a str,
    groups: Vec<Group<'a>>,
    maps: Vec<Map<'a>>,
    /// Fields that have no map yet.
    others: Vec<(&'static str, String)>,
    ours: Vec<(&'a FieldKey, &'a [Known])>,
    wrong: Option<&'a str>,
    typed: &'a Pairs,
}

impl MappingsPage<'_> {
    /// What was typed into the form for a new map, when that was refused.
    fn typed(&self, name: &str) -> &str {
        if first_value(self.typed, "do") == "new" { first_value(self.typed, name) } else { "" }
    }
}

fn render(opened: &Opened, shell: Shell, refused: Option<(&Pairs, &str)>) -> Response {
    let shell = shell.in_zone(&opened.place.client.time_zone);
    let nothing = Pairs::new();
    let typed = refused.map_or(&nothing, |(pairs, _)| pairs);
    // Only the form that was sent shows what was typed into it.
    let of_form = |what: &str, field: &FieldKey| {
        let sent = first_value(typed, "do");
        let unknown = matches!(sent, "assign" | "together" | "accept");
        let same = first_value(typed, "field") == field.to_string();
        if same && unknown == (what == "unknown") { typed } else { &nothing }
    };
    let words = |field: &FieldKey| field_words(field, shell.language).into_owned();
    let mut groups: Vec<Group<'_>> = Vec::new();
    for code in &opened.unknown {
        let pairs = of_form("unknown", &code.field);
        if groups.last().is_none_or(|group| group.field != &code.field) {
            groups.push(Group {
                field: &code.field,
                name: words(&code.field),
                has_list: list_of_key(&code.field).is_some(),
                codes: Vec::new(),
                more: 0,
                together: first_value(pairs, "together").to_owned(),
            });
        }
        let Some(group) = groups.last_mut() else { continue };
        if group.codes.len() >= SHOWN {
            group.more += 1;
            continue;
        }
        let ours =
            paired(pairs, &code.code).unwrap_or(code.suggestion.as_deref().unwrap_or_default());
        group.codes.push((code, ours.to_owned()));
    }
    let maps = opened
        .settings
        .value_maps
        .iter()
        .map(|(field, map)| shown_map((field, map), words(field), of_form("map", field)));
    let others = Field::ALL.iter().filter(|field| {
        takes_codes(**field) && !opened.settings.value_maps.contains_key(&FieldKey::Known(**field))
    });
    page(&MappingsPage {
        p: &shell,
        client: &opened.place.client,
        place: &opened.place,
        at: "mappings",
        version: &opened.version,
        groups,
        maps: maps.collect(),
        others: others.map(|f| (f.name(), words(&FieldKey::Known(*f)))).collect(),
        ours: opened.ours.iter().map(|(field, known)| (field, known.as_slice())).collect(),
        wrong: refused.map(|(_, message)| message),
        typed,
    })
}

fn shown_map<'a>(
    (field, map): (&'a FieldKey, &'a ValueMap),
    name: String,
    pairs: &Pairs,
) -> Map<'a> {
    let typed_ours = |theirs: &str, ours: &str| paired(pairs, theirs).unwrap_or(ours).to_owned();
    let (rule, default) = match &map.unmapped {
        Unmapped::Keep => ("keep", ""),
        Unmapped::Block => ("block", ""),
        Unmapped::Default(ours) => ("default", ours.as_str()),
    };
    let or = |name: &str, now: &str| {
        let typed = pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        typed.unwrap_or(now).to_owned()
    };
    Map {
        field,
        name,
        codes: map.codes.iter().map(|(a, b)| (a.as_str(), typed_ours(a, b))).collect(),
        rule: or("rule", rule),
        default: or("default", default),
        new: (or("new_theirs", ""), or("new_ours", "")),
    }
}

/// What stands beside a value of theirs in a form's two columns.
fn paired<'p>(pairs: &'p Pairs, theirs: &str) -> Option<&'p str> {
    let all = all_values(pairs, "theirs").into_iter().zip(all_values(pairs, "ours"));
    all.into_iter().find(|(code, _)| *code == theirs).map(|(_, ours)| ours)
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

/// What a form asks for.
enum Wish {
    Maps(Vec<MapChange>),
    /// Codes of a list are right as they are.
    Accept(Field, Vec<String>),
}

fn wish(opened: &Opened, pairs: &Pairs) -> Result<Wish> {
    let invalid = |message: &str| Error::new(Kind::Invalid, message);
    let field: FieldKey =
        first_value(pairs, "field").parse().map_err(|why| Error::new(Kind::Invalid, why))?;
    let ticked: Vec<String> = all_values(pairs, "pick").into_iter().map(str::to_owned).collect();
    let both = || all_values(pairs, "theirs").into_iter().zip(all_values(pairs, "ours"));
    let nothing_ticked = || invalid("no value is ticked; tick those that are meant");
    let (codes, rest) = match first_value(pairs, "do") {
        "assign" => {
            let filled = both().filter(|(_, ours)| !ours.is_empty());
            (filled.map(|(a, b)| (a.to_owned(), b.to_owned())).collect(), Rest::AsBefore)
        }
        "together" => {
            let ours = first_value(pairs, "together").to_owned();
            if ours.is_empty() {
                return Err(invalid(
                    "there is no value of ours; write or choose the one that the ticked values become",
                ));
            }
            if ticked.is_empty() {
                return Err(nothing_ticked());
            }
            (ticked.into_iter().map(|theirs| (theirs, ours.clone())).collect(), Rest::AsBefore)
        }
        "accept" => {
            let list = list_of_key(&field).ok_or_else(|| invalid("this field has no list"))?;
            return if ticked.is_empty() {
                Err(nothing_ticked())
            } else {
                Ok(Wish::Accept(list, ticked))
            };
        }
        _ => (changed_codes(opened, &field, pairs), rest(pairs)?),
    };
    let codes: Vec<(String, String)> = codes;
    if codes.is_empty() && rest == Rest::AsBefore {
        return Err(invalid(
            "nothing was entered; write one of our values beside at least one of theirs",
        ));
    }
    Ok(Wish::Maps(vec![MapChange { field, codes, rest }]))
}

/// The lines of a map that are otherwise now; an emptied one goes.
fn changed_codes(opened: &Opened, field: &FieldKey, pairs: &Pairs) -> Vec<(String, String)> {
    let now = opened.settings.value_maps.get(field).map(|map| &map.codes);
    let removed = all_values(pairs, "remove");
    let written = all_values(pairs, "theirs").into_iter().zip(all_values(pairs, "ours"));
    let mut codes: Vec<(String, String)> = written
        .map(|(theirs, ours)| (theirs, if removed.contains(&theirs) { "" } else { ours }))
        .filter(|(theirs, ours)| {
            now.and_then(|codes| codes.get(*theirs)).is_some_and(|now| now != ours)
        })
        .map(|(theirs, ours)| (theirs.to_owned(), ours.to_owned()))
        .collect();
    let new = (first_value(pairs, "new_theirs"), first_value(pairs, "new_ours"));
    if !new.0.is_empty() && !new.1.is_empty() {
        // Capitals do not matter: what stands there already in other ones is that line.
        let same = |theirs: &str| theirs.to_lowercase() == new.0.to_lowercase();
        let there = now.and_then(|codes| codes.keys().find(|theirs| same(theirs)));
        let theirs = there.map_or(new.0, String::as_str).to_owned();
        codes.retain(|(one, _)| *one != theirs);
        codes.push((theirs, new.1.to_owned()));
    }
    codes
}

fn rest(pairs: &Pairs) -> Result<Rest> {
    let default = first_value(pairs, "default").to_owned();
    Ok(match first_value(pairs, "rule") {
        "keep" => Rest::Becomes(Unmapped::Keep),
        "block" => Rest::Becomes(Unmapped::Block),
        "default" if default.is_empty() => {
            let message = "a value for all others is chosen, but it is not there; write it beside";
            return Err(Error::new(Kind::Invalid, message));
        }
        "default" => Rest::Becomes(Unmapped::Default(default)),
        _ => Rest::AsBefore,
    })
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
    let back = opened.place.href("mappings");
    let who = caller.name.clone();
    let seen = first_value(&pairs, "seen").to_owned();
    let written = match wish(&opened, &pairs) {
        Ok(Wish::Maps(maps)) => {
            let work = move |service: Service| {
                let seen = Seen::Version(&seen);
                service.change_mappings(&client, &folder, seen, &maps).map(|_| ())
            };
            admin.run(&caller.name, work).await
        }
        Ok(Wish::Accept(list, codes)) => {
            let work = move |service: Service| {
                service.accept_list_entries(&client, list.name(), &codes, &who).map(|_| ())
            };
            admin.run(&caller.name, work).await
        }
        Err(error) => Err(error),
    };
    match written {
        Ok(()) => done(&back, Tone::Good, saved_words(&shell)),
        Err(error) => {
            let (status, message) = match error.kind() {
                Kind::Conflict => (StatusCode::CONFLICT, overtaken(&shell)),
                Kind::Invalid | Kind::NotFound => {
                    (StatusCode::UNPROCESSABLE_ENTITY, error.message())
                }
                _ => return Failure::new(error, &shell).into_response(),
            };
            let mut response = render(&opened, shell.clone(), Some((&pairs, message)));
            *response.status_mut() = status;
            response
        }
    }
}

fn saved_words(shell: &Shell) -> &str {
    shell.t(
        "Saved. It counts from the next import: run the last file again, or send it again. If one field changes for most users, the import waits for approval.",
        "Enregistré. Cela compte dès le prochain import\u{a0}: relancez le dernier fichier ou envoyez-le à nouveau. Si un champ change pour la plupart des utilisateurs, l’import attend une approbation.",
        "Gespeichert. Es gilt ab dem nächsten Import: Führen Sie die letzte Datei noch einmal aus oder senden Sie sie erneut. Ändert sich ein Feld bei den meisten Benutzern, wartet der Import auf Freigabe.",
    )
}
