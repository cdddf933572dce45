//! The forms of a folder's import settings, one page for each section.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use toml::Table;

use super::Place;
use super::catalogue::{Section, section};
use super::control::{Only, Setting, field};
use super::inputs::{Input, InputKind};
use crate::admin::Admin;
use crate::admin::form::{Form, Pairs};
use crate::admin::guard::Caller;
use crate::admin::shell::{Failure, Shell, Tone, done, page};
use crate::error::{Error, Kind, Result};
use crate::import::settings::Change;
use crate::model::{Client, Scope};
use crate::service::Service;
use crate::service::settings::{Seen, SettingsDocument};

/// A section, and the document that it is about.
struct Opened {
    place: Place,
    document: SettingsDocument,
    table: Table,
    section: Section,
    /// Whether a zip password is set.
    has_password: bool,
}

fn open(service: &Service, (client, folder, slug): &(String, String, String)) -> Result<Opened> {
    let place = Place::of(service, client, folder)?;
    let section = section(slug, place.account.remote.is_some()).ok_or_else(|| {
        Error::new(Kind::NotFound, format!("import settings have no section \"{slug}\""))
    })?;
    let document = service.settings_document(client, folder)?;
    let table = document.text.parse().map_err(|e: toml::de::Error| {
        let message = format!(
            "the import settings of {client}/{folder} are no TOML any more; mend them as text: {e}"
        );
        Error::new(Kind::Invalid, message)
    })?;
    let has_password = service.has_zip_password(client, folder)?;
    Ok(Opened { place, document, table, section, has_password })
}

/// A setting as the page shows it.
struct Shown {
    label: String,
    hint: String,
    default: String,
    /// The hidden field with what is saved now, so that nobody resets what they never touched.
    was: (String, String),
    inputs: Vec<Input>,
    is_set: bool,
    /// Why it was refused.
    wrong: Option<String>,
    /// What is saved now, where a form that was refused says something else.
    saved: Option<String>,
}

impl Shown {
    /// The only field, whose label is the setting's own.
    fn single(&self) -> Option<&Input> {
        match self.inputs.as_slice() {
            [input] if !matches!(input.kind, InputKind::Checks(_)) => Some(input),
            _ => None,
        }
    }

    /// Whether the default has to be said: a choice names it among its words.
    fn tells_default(&self) -> bool {
        let chosen = self.inputs.first().map(|input| &input.kind);
        !self.default.is_empty() && !matches!(chosen, Some(InputKind::Select(_)))
    }

    fn id(&self) -> &str {
        self.inputs.first().map_or("", |input| input.id.as_str())
    }
}

struct ShownGroup {
    title: String,
    settings: Vec<Shown>,
}

#[derive(Template)]
#[template(path = "admin/pages/settings/section.html")]
struct SectionPage<'a> {
    p: &'a Shell,
    client: &'a Client,
    place: &'a Place,
    at: &'a str,
    title: &'a str,
    about: &'a str,
    version: &'a str,
    groups: Vec<ShownGroup>,
    wrong: Option<&'a str>,
    has_password: bool,
}

/// What somebody sent that was refused.
struct Refused<'a> {
    pairs: &'a Pairs,
    message: &'a str,
}

fn shown(
    setting: &Setting,
    opened: &Opened,
    shell: &Shell,
    refused: Option<&Refused<'_>>,
) -> Shown {
    let now = setting.now(&opened.table);
    let saved = setting.pairs(now);
    let pairs = refused.map_or(&saved, |refused| refused.pairs);
    let differs = setting.value(pairs) != setting.value(&saved);
    Shown {
        label: setting.label.get(shell.language).to_owned(),
        hint: setting.hint.get(shell.language).to_owned(),
        default: setting.default.get(shell.language).to_owned(),
        was: (setting.was(), setting.shown_value(&saved)),
        inputs: setting.inputs(pairs, shell.language),
        is_set: now.is_some(),
        wrong: None,
        saved: differs.then(|| {
            let default = shell.t("the default", "la valeur par défaut", "der Standardwert");
            now.map_or_else(|| default.to_owned(), ToString::to_string)
        }),
    }
}

fn render(opened: &Opened, shell: Shell, refused: Option<&Refused<'_>>) -> Response {
    let shell = shell.in_zone(&opened.place.client.time_zone);
    let about = refused.and_then(|refused| blamed(&opened.section, refused.message));
    let groups = opened.section.groups.iter().map(|group| ShownGroup {
        title: group.title.get(shell.language).to_owned(),
        settings: group
            .settings
            .iter()
            .map(|setting| Shown {
                wrong: refused
                    .filter(|_| about == Some(setting.name))
                    .map(|refused| refused.message.to_owned()),
                ..shown(setting, opened, &shell, refused)
            })
            .collect(),
    });
    page(&SectionPage {
        p: &shell,
        client: &opened.place.client,
        place: &opened.place,
        at: opened.section.slug,
        title: opened.section.title.get(shell.language),
        about: opened.section.about.get(shell.language),
        version: &opened.document.version,
        groups: groups.collect(),
        wrong: refused.map(|refused| refused.message),
        has_password: opened.has_password,
    })
}

/// The setting that a refusal is about: its message begins with the name.
fn blamed(section: &Section, message: &str) -> Option<&'static str> {
    let names = section.groups.iter().flat_map(|group| group.settings).map(|setting| setting.name);
    names.filter(|name| message.trim_start_matches('"').starts_with(name)).max_by_key(|n| n.len())
}

pub(super) async fn show(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(path): Path<(String, String, String)>,
) -> Response {
    match admin.run(&caller.name, move |service| open(&service, &path)).await {
        Ok(opened) => render(&opened, shell, None),
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}

/// What somebody entered into a section's form, beside what others have saved meanwhile.
fn entered(opened: &Opened, pairs: &Pairs) -> Pairs {
    let all = opened.section.groups.iter().flat_map(|group| group.settings);
    all.flat_map(|setting| setting.entered(pairs, &opened.table)).collect()
}

/// The changes that a form asks for, and the names of what changes.
fn changes(opened: &Opened, pairs: &Pairs, shell: &Shell) -> (Vec<Change>, Vec<&'static str>) {
    let all: Vec<&Setting> = opened.section.groups.iter().flat_map(|g| g.settings).collect();
    let wanted = |name: &str| {
        all.iter().find(|setting| setting.name == name).and_then(|setting| setting.value(pairs))
    };
    let (mut changes, mut labels) = (Vec::new(), Vec::new());
    for setting in &all {
        let means = match setting.only {
            Only::Always => true,
            Only::With(other, value) => wanted(other).is_some_and(|v| v.as_str() == Some(value)),
            Only::WithAny(others) => others.iter().any(|other| wanted(other).is_some()),
        };
        let now = setting.now(&opened.table);
        let before = now.and_then(|now| setting.value(&setting.pairs(Some(now))));
        let value = setting.value(pairs).filter(|_| means);
        // A value that this form would write otherwise stays as somebody wrote it.
        if value == before && (means || now.is_none()) {
            continue;
        }
        labels.push(setting.label.get(shell.language));
        changes.push(Change { path: setting.path(), value });
    }
    (changes, labels)
}

pub(super) async fn save(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(path): Path<(String, String, String)>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let (client, folder, _) = path.clone();
    let opened = match admin.run(&caller.name, move |service| open(&service, &path)).await {
        Ok(opened) => opened,
        Err(error) => return Failure::new(error, &shell).into_response(),
    };
    let back = opened.place.href(opened.section.slug);
    let seen = field(&pairs, "seen").to_owned();
    let pairs = entered(&opened, &pairs);
    let (changes, labels) = changes(&opened, &pairs, &shell);
    if changes.is_empty() && seen == opened.document.version {
        let words =
            shell.t("Nothing was changed.", "Rien n’a été modifié.", "Nichts wurde geändert.");
        return done(&back, Tone::Good, words);
    }
    let saved = admin.run(&caller.name, move |service| {
        service.change_settings(&client, &folder, Seen::Version(&seen), &changes)
    });
    match saved.await {
        Ok(_) => done(&back, Tone::Good, &saved_words(&shell, &labels)),
        Err(error) if matches!(error.kind(), Kind::Invalid | Kind::Conflict) => {
            let message = match error.kind() {
                Kind::Conflict => overtaken(&shell),
                _ => error.message(),
            };
            let mut response =
                render(&opened, shell.clone(), Some(&Refused { pairs: &pairs, message }));
            *response.status_mut() = match error.kind() {
                Kind::Conflict => StatusCode::CONFLICT,
                _ => StatusCode::UNPROCESSABLE_ENTITY,
            };
            response
        }
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}

/// What is said after saving.
pub(in crate::admin::pages) fn saved_words(shell: &Shell, labels: &[&str]) -> String {
    let saved = shell.t("Saved:", "Enregistré\u{a0}:", "Gespeichert:");
    let then = shell.t(
        "Counts from the next file; what was imported stays as it is. Try the last file to see what changes.",
        "Compte dès le prochain fichier\u{a0}; ce qui est importé reste tel quel. Essayez le dernier fichier pour voir ce qui change.",
        "Gilt ab der nächsten Datei; Importiertes bleibt, wie es ist. Probieren Sie die letzte Datei, um zu sehen, was sich ändert.",
    );
    format!("{saved} {}. {then}", labels.join(", "))
}

/// What the second of two people is told.
pub(in crate::admin::pages) fn overtaken(shell: &Shell) -> &str {
    shell.t(
        "Somebody else has changed these settings since you opened this page. Nothing of yours was saved. Below stands what you entered, and what is saved now where it differs; check it and save again.",
        "Quelqu’un d’autre a modifié ces réglages depuis que vous avez ouvert cette page. Rien de votre saisie n’a été enregistré. Ci-dessous, votre saisie et, là où elle diffère, ce qui est enregistré\u{a0}; vérifiez et enregistrez à nouveau.",
        "Jemand anders hat diese Einstellungen geändert, seit Sie diese Seite geöffnet haben. Von Ihnen wurde nichts gespeichert. Unten steht Ihre Eingabe und, wo sie abweicht, was jetzt gespeichert ist; prüfen Sie es und speichern Sie noch einmal.",
    )
}
