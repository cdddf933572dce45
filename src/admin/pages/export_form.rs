//! Adding an export, and its settings as a form and as text.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use toml::{Table, Value};

use super::exports_words::what;
use super::was::{self, Fields, Since};
use crate::admin::Admin;
use crate::admin::form::{Form, Pairs};
use crate::admin::guard::Caller;
use crate::admin::route::{Route, of_client};
use crate::admin::shell::{Failure, Shell, Tone, done, page};
use crate::error::{Error, Kind, Result};
use crate::export::{Decimal, Encoding, ExportSettings, ManagerAs, What, When};
use crate::import::standing::Standing;
use crate::model::{Client, Purpose, Scope};
use crate::service::Service;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/clients/{client}/exports/new", of_client(Scope::Arrange), show_new),
        Route::post("/clients/{client}/exports/new", of_client(Scope::Arrange), add),
        Route::get(
            "/clients/{client}/exports/{export}/settings",
            of_client(Scope::Arrange),
            show_settings,
        ),
        Route::post(
            "/clients/{client}/exports/{export}/settings",
            of_client(Scope::Arrange),
            save_settings,
        ),
        Route::get("/clients/{client}/exports/{export}/text", of_client(Scope::Arrange), show_text),
        Route::post(
            "/clients/{client}/exports/{export}/text",
            of_client(Scope::Arrange),
            save_text,
        ),
    ]
}

/// What the form holds, as it was typed.
#[derive(Debug, Clone, Default)]
struct Typed {
    name: String,
    folder: String,
    what: String,
    /// `manual`, `import`, or `times` with `times`.
    trigger: String,
    times: String,
    file_name: String,
    /// One of a line.
    columns: String,
    separator: String,
    encoding: String,
    dates: String,
    decimal: String,
    manager: String,
    header: bool,
    send_empty: bool,
    users: Vec<String>,
}

impl Typed {
    fn of(settings: &ExportSettings, folder: &str) -> Self {
        let (trigger, times) = match &settings.trigger {
            When::Manual => ("manual", String::new()),
            When::Import => ("import", String::new()),
            When::At(times) => ("times", times.to_string()),
        };
        let columns: Vec<String> = settings.columns.iter().map(ToString::to_string).collect();
        Self {
            name: String::new(),
            folder: folder.to_owned(),
            what: settings.what.name().to_owned(),
            trigger: trigger.to_owned(),
            times,
            file_name: settings.file_name.as_str().to_owned(),
            columns: columns.join("\n"),
            separator: match settings.separator {
                '\t' => "tab".to_owned(),
                other => other.to_string(),
            },
            encoding: settings.encoding.name().to_owned(),
            dates: settings.dates.as_str().to_owned(),
            decimal: settings.decimal.name().to_owned(),
            manager: settings.manager.name().to_owned(),
            header: settings.header,
            send_empty: settings.send_empty,
            users: settings.users.iter().map(|standing| standing.name().to_owned()).collect(),
        }
    }

    /// What a form says, over what is: what it does not name stays. Boxes that are not ticked are not sent; that they were
    /// there, the form says by their names in `has`.
    fn read(now: Self, pairs: &Pairs) -> Self {
        let text = |name: &str, now: String| {
            let pair = pairs.iter().find(|(key, _)| key == name);
            pair.map_or(now, |(_, value)| value.trim().to_owned())
        };
        let ticked = |name: &str| pairs.iter().any(|(key, _)| key == name);
        let named = |name: &str| {
            ticked(name) || pairs.iter().any(|(key, value)| key == "has" && value == name)
        };
        let users = || pairs.iter().filter(|(key, _)| key == "users");
        Self {
            name: text("name", now.name),
            folder: text("folder", now.folder),
            what: text("what", now.what),
            trigger: text("trigger", now.trigger),
            times: text("times", now.times),
            file_name: text("file_name", now.file_name),
            columns: text("columns", now.columns),
            separator: text("separator", now.separator),
            encoding: text("encoding", now.encoding),
            dates: text("dates", now.dates),
            decimal: text("decimal", now.decimal),
            manager: text("manager", now.manager),
            header: if named("header") { ticked("header") } else { now.header },
            send_empty: if named("send_empty") { ticked("send_empty") } else { now.send_empty },
            users: match named("users") {
                true => users().map(|(_, value)| value.clone()).collect(),
                false => now.users,
            },
        }
    }

    /// The form's fields as texts, to be compared.
    fn fields(&self) -> Fields {
        let columns: Vec<&str> = self.columns().collect();
        let mut users: Vec<&str> = self.users.iter().map(String::as_str).collect();
        users.sort_unstable();
        vec![
            ("folder", self.folder.clone()),
            ("what", self.what.clone()),
            ("trigger", self.trigger.clone()),
            ("times", self.times.clone()),
            ("file_name", self.file_name.clone()),
            ("columns", columns.join(", ")),
            ("separator", self.separator.clone()),
            ("encoding", self.encoding.clone()),
            ("dates", self.dates.clone()),
            ("decimal", self.decimal.clone()),
            ("manager", self.manager.clone()),
            ("header", was::ticked(self.header)),
            ("send_empty", was::ticked(self.send_empty)),
            ("users", users.join(", ")),
        ]
    }

    fn columns(&self) -> impl Iterator<Item = &str> {
        self.columns.split(['\n', ',', ';']).map(str::trim).filter(|column| !column.is_empty())
    }

    /// What has become, since it was opened, of a form that is about what `self` says holds.
    fn since_opened(&self, pairs: &Pairs) -> Since {
        let sent = Self::read(self.clone(), pairs);
        was::since(was::of(pairs), &sent.fields(), &self.fields())
    }

    /// Puts what was typed into settings; all others stay as they are.
    fn put_into(&self, toml: &str) -> Result<String> {
        let mut table: Table = toml.parse().map_err(|e: toml::de::Error| {
            Error::caused(Kind::Invalid, format!("these export settings are not TOML: {e}"), e)
        })?;
        let trigger = if self.trigger == "times" { &self.times } else { &self.trigger };
        let texts = [
            ("what", &self.what),
            ("trigger", trigger),
            ("file_name", &self.file_name),
            ("separator", &self.separator),
            ("encoding", &self.encoding),
            ("dates", &self.dates),
            ("decimal", &self.decimal),
            ("manager", &self.manager),
        ];
        for (name, text) in texts {
            table.insert(name.to_owned(), Value::String(text.clone()));
        }
        table.insert("header".to_owned(), Value::Boolean(self.header));
        table.insert("send_empty".to_owned(), Value::Boolean(self.send_empty));
        let list = |texts: Vec<&str>| {
            Value::Array(texts.into_iter().map(|text| Value::String(text.to_owned())).collect())
        };
        table.insert("users".to_owned(), list(self.users.iter().map(String::as_str).collect()));
        let columns: Vec<&str> = self.columns().collect();
        if columns.is_empty() {
            table.remove("columns");
        } else {
            table.insert("columns".to_owned(), list(columns));
        }
        Ok(table.to_string())
    }
}

/// A choice of a list: its value, its words, whether it is chosen.
type Choice = (&'static str, String, bool);

#[derive(Template)]
#[template(path = "admin/pages/export_form.html")]
struct FormTemplate<'a> {
    p: &'a Shell,
    client: &'a Client,
    /// The export; `None`: a new one.
    export: Option<&'a str>,
    typed: &'a Typed,
    /// What holds now, which the form of an export carries.
    was: Option<String>,
    folders: &'a [String],
    whats: Vec<Choice>,
    separators: Vec<Choice>,
    encodings: Vec<Choice>,
    decimals: Vec<Choice>,
    managers: Vec<Choice>,
    users: Vec<Choice>,
    wrong: Option<&'a str>,
}

/// What the form needs from the client.
struct Found {
    client: Client,
    folders: Vec<String>,
    /// What holds now; `None`: a new export.
    now: Option<Typed>,
}

fn find(service: &Service, slug: &str, export: Option<&str>) -> Result<Found> {
    let view = export.map(|name| service.export(slug, name)).transpose()?;
    let now = view.map(|view| Typed::of(&view.settings, &view.folder));
    let client = service.client(slug)?;
    let mut names = Vec::new();
    for account in service.accounts(Some(slug))? {
        let folders = service.folders(&account.login)?.into_iter();
        names.extend(folders.filter(|f| f.purpose == Purpose::Export).map(|f| f.name));
    }
    Ok(Found { client, folders: names, now })
}

fn form(
    shell: Shell,
    found: &Found,
    export: Option<&str>,
    typed: &Typed,
    wrong: Option<&str>,
) -> Response {
    let p = &shell.in_zone(&found.client.time_zone);
    let plain = |names: Vec<&'static str>, chosen: &str| -> Vec<Choice> {
        names.into_iter().map(|name| (name, name.to_owned(), name == chosen)).collect()
    };
    let standing = |(name, standing): &(&'static str, Standing)| {
        let words = super::users_words::standing(p, *standing).1.to_owned();
        (*name, words, typed.users.iter().any(|chosen| chosen == name))
    };
    let separators = [
        (";", p.t("Semicolon ;", "Point-virgule ;", "Semikolon ;")),
        (",", p.t("Comma ,", "Virgule ,", "Komma ,")),
        ("tab", p.t("Tab", "Tabulation", "Tabulator")),
        ("|", "|"),
    ];
    let managers = ManagerAs::NAMED.iter().map(|(name, manager)| {
        let words = match manager {
            ManagerAs::Auto => p.t("Automatic", "Automatique", "Automatisch"),
            ManagerAs::Number => p.t("Employee number", "Matricule", "Personalnummer"),
            ManagerAs::Login => p.t("Login", "Identifiant", "Benutzername"),
            ManagerAs::Email => p.t("E-mail", "E-mail", "E-Mail"),
            ManagerAs::Name => p.t("Name", "Nom", "Name"),
        };
        (*name, words.to_owned(), *name == typed.manager)
    });
    let mut response = page(&FormTemplate {
        p,
        client: &found.client,
        export,
        typed,
        was: found.now.as_ref().map(|now| was::carried(&now.fields())),
        folders: &found.folders,
        whats: What::NAMED
            .iter()
            .map(|(name, one)| (*name, what(p, *one).to_owned(), *name == typed.what))
            .collect(),
        separators: separators
            .into_iter()
            .map(|(name, words)| (name, words.to_owned(), name == typed.separator))
            .collect(),
        encodings: plain(Encoding::NAMED.iter().map(|(n, _)| *n).collect(), &typed.encoding),
        decimals: plain(Decimal::NAMED.iter().map(|(n, _)| *n).collect(), &typed.decimal),
        managers: managers.collect(),
        users: Standing::NAMED
            .iter()
            .filter(|(_, s)| *s != Standing::Withdrawn)
            .map(standing)
            .collect(),
        wrong,
    });
    if wrong.is_some() {
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    response
}

async fn show_new(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(slug): Path<String>,
) -> Response {
    match admin.run(&caller.name, move |service| find(&service, &slug, None)).await {
        Ok(found) => {
            let typed = Typed::of(&ExportSettings::default(), "");
            form(shell, &found, None, &typed, None)
        }
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}

async fn add(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(slug): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let typed = Typed::read(Typed::of(&ExportSettings::default(), ""), &pairs);
    let (client, sent) = (slug.clone(), typed.clone());
    let added = admin
        .run(&caller.name, move |service| {
            let toml = sent.put_into("")?;
            service.add_export(&client, &sent.name, &sent.folder, &toml)
        })
        .await;
    match added {
        Ok(view) => {
            let words = shell.t(
                "Added. Look at the preview before the first run.",
                "Ajouté. Regardez l’aperçu avant le premier envoi.",
                "Angelegt. Sehen Sie sich vor dem ersten Lauf die Vorschau an.",
            );
            done(&format!("/clients/{slug}/exports/{}", view.name), Tone::Good, words)
        }
        Err(error) => again(&admin, shell, &caller, (slug, None), &pairs, error).await,
    }
}

/// The form again with what was typed and why it was refused.
async fn again(
    admin: &Admin,
    shell: Shell,
    caller: &Caller,
    (slug, export): (String, Option<&str>),
    pairs: &Pairs,
    error: Error,
) -> Response {
    // A folder that is not there is a wrong choice here, not a missing page.
    let known = [Kind::Invalid, Kind::Exists, Kind::Conflict, Kind::NotFound];
    if !known.contains(&error.kind()) {
        return Failure::new(error, &shell).into_response();
    }
    let name = export.map(str::to_owned);
    let found = admin.run(&caller.name, move |service| find(&service, &slug, name.as_deref()));
    let found = match found.await {
        Ok(found) => found,
        Err(error) => return Failure::new(error, &shell).into_response(),
    };
    let typed = match &found.now {
        Some(now) => Typed::read(now.clone(), &now.since_opened(pairs).touched(pairs)),
        None => Typed::read(Typed::of(&ExportSettings::default(), ""), pairs),
    };
    let mut response = form(shell, &found, export, &typed, Some(error.message()));
    if error.kind() == Kind::Conflict {
        *response.status_mut() = StatusCode::CONFLICT;
    }
    response
}

async fn show_settings(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path((slug, name)): Path<(String, String)>,
) -> Response {
    let export = name.clone();
    let found = admin.run(&caller.name, move |service| find(&service, &slug, Some(&export)));
    match found.await {
        Ok(found) => {
            let typed = found.now.clone().unwrap_or_default();
            form(shell, &found, Some(&name), &typed, None)
        }
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}

async fn save_settings(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path((slug, name)): Path<(String, String)>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let (client, export, sent) = (slug.clone(), name.clone(), pairs.clone());
    let saved =
        admin.run(&caller.name, move |service| change(&service, (&client, &export), &sent)).await;
    let error = match saved {
        Ok(None) => return saved_page(&shell, &slug, &name),
        Ok(Some(since)) => {
            Error::new(Kind::Conflict, since.words(&shell, |field| label(&shell, field)))
        }
        Err(error) => error,
    };
    again(&admin, shell, &caller, (slug, Some(&name)), &pairs, error).await
}

/// Changes what somebody touched; `Some`: somebody else was faster with one of these fields, and nothing was changed.
fn change(
    service: &Service,
    (client, export): (&str, &str),
    pairs: &Pairs,
) -> Result<Option<Since>> {
    let view = service.export(client, export)?;
    let now = Typed::of(&view.settings, &view.folder);
    let since = now.since_opened(pairs);
    if !since.overtaken.is_empty() {
        return Ok(Some(since));
    }
    let typed = Typed::read(now, &since.touched(pairs));
    let toml = typed.put_into(&view.settings.to_toml())?;
    service.set_export_settings(client, export, &toml)?;
    if typed.folder != view.folder && !typed.folder.is_empty() {
        service.set_export_folder(client, export, &typed.folder)?;
    }
    Ok(None)
}

/// The words of a field that somebody else has changed.
fn label(p: &Shell, name: &'static str) -> &'static str {
    match name {
        "folder" => p.t("remote folder", "dossier distant", "Remote-Ordner"),
        "what" => p.t("who is in a file", "qui figure dans un fichier", "wer in einer Datei steht"),
        "users" => p.t("of whom", "parmi qui", "aus welchen"),
        "trigger" => p.t("when", "quand", "wann"),
        "times" => p.t("times", "heures", "Zeiten"),
        "file_name" => p.t("file name", "nom du fichier", "Dateiname"),
        "columns" => p.t("columns", "colonnes", "Spalten"),
        "separator" => p.t("separator", "séparateur", "Trennzeichen"),
        "encoding" => p.t("encoding", "encodage", "Zeichenkodierung"),
        "dates" => p.t("dates", "dates", "Datum"),
        "decimal" => p.t("decimal sign", "signe décimal", "Dezimalzeichen"),
        "manager" => p.t("managers", "responsables", "Führungskräfte"),
        "header" => p.t("first line", "première ligne", "erste Zeile"),
        _ => p.t("file without rows", "fichier sans lignes", "Datei ohne Zeilen"),
    }
}

fn saved_page(shell: &Shell, slug: &str, name: &str) -> Response {
    let words = shell.t(
        "Saved; the next run uses these settings.",
        "Enregistré\u{a0}; le prochain envoi utilisera ces réglages.",
        "Gespeichert; der nächste Lauf verwendet diese Einstellungen.",
    );
    done(&format!("/clients/{slug}/exports/{name}"), Tone::Good, words)
}

#[derive(Template)]
#[template(path = "admin/pages/export_text.html")]
struct TextTemplate<'a> {
    p: &'a Shell,
    client: &'a Client,
    name: &'a str,
    text: &'a str,
    wrong: Option<&'a str>,
}

async fn show_text(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path((slug, name)): Path<(String, String)>,
) -> Response {
    let export = name.clone();
    let found = admin
        .run(&caller.name, move |service| {
            Ok((service.client(&slug)?, service.export_settings_text(&slug, &export)?))
        })
        .await;
    match found {
        Ok((client, text)) => {
            let (p, client) = (&shell, &client);
            page(&TextTemplate { p, client, name: &name, text: &text, wrong: None })
        }
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}

#[derive(Deserialize)]
struct TextForm {
    text: String,
}

async fn save_text(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path((slug, name)): Path<(String, String)>,
    Form(TextForm { text }): Form<TextForm>,
) -> Response {
    let (client, export, sent) = (slug.clone(), name.clone(), text.clone());
    let saved = admin
        .run(&caller.name, move |service| {
            let saved = service.set_export_settings(&client, &export, &sent).map(drop);
            Ok((service.client(&client)?, saved))
        })
        .await;
    match saved {
        Ok((_, Ok(()))) => saved_page(&shell, &slug, &name),
        Ok((client, Err(error))) if error.kind() == Kind::Invalid => {
            let (p, client, wrong) = (&shell, &client, Some(error.message()));
            let mut response = page(&TextTemplate { p, client, name: &name, text: &text, wrong });
            *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            response
        }
        Ok((_, Err(error))) | Err(error) => Failure::new(error, &shell).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_that_was_not_touched_changes_nothing() {
        let before = ExportSettings::from_toml(
            "what = \"changed\"\ntrigger = \"daily 23:30\"\nseparator = \"tab\"\ncolumns = [\"login\", \"custom.*\"]\n\
             users = [\"active\"]\n[only]\nlegal_entity = [\"FR01\"]\n[headers]\nlogin = \"Identifiant\"",
        )
        .unwrap();
        let toml = Typed::of(&before, "out").put_into(&before.to_toml()).unwrap();
        assert_eq!(ExportSettings::from_toml(&toml).unwrap(), before);
        // Neither does one of which only a part came.
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let part = Typed::read(Typed::of(&before, "out"), &vec![pair("separator", "tab")]);
        let toml = part.put_into(&before.to_toml()).unwrap();
        assert_eq!(ExportSettings::from_toml(&toml).unwrap(), before);
        // A box that was there and is not ticked is meant.
        let part = Typed::read(Typed::of(&before, "out"), &vec![pair("has", "header")]);
        let toml = part.put_into(&before.to_toml()).unwrap();
        assert!(!ExportSettings::from_toml(&toml).unwrap().header);
    }
}
