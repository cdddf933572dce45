//! The import settings of a folder as text, for people who know them.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::{Place, forms};
use crate::admin::Admin;
use crate::admin::form::Form;
use crate::admin::guard::Caller;
use crate::admin::shell::{Failure, Shell, Tone, done, page};
use crate::error::{Kind, Result};
use crate::import::settings::Settings;
use crate::model::{Client, Scope};
use crate::service::Service;
use crate::service::settings::{Seen, SettingsDocument};

#[derive(Template)]
#[template(path = "admin/pages/settings/text.html")]
struct TextPage<'a> {
    p: &'a Shell,
    client: &'a Client,
    place: &'a Place,
    at: &'a str,
    text: &'a str,
    version: &'a str,
    /// All settings with a comment on each, as `settings show` prints them.
    whole: Option<&'a str>,
    wrong: Option<&'a str>,
    /// What is saved now, after somebody else was first.
    saved: Option<&'a str>,
}

#[derive(Deserialize)]
pub(super) struct Wish {
    /// `1`: begin with the documented whole.
    #[serde(default)]
    whole: String,
}

fn open(service: &Service, client: &str, folder: &str) -> Result<(Place, SettingsDocument)> {
    Ok((Place::of(service, client, folder)?, service.settings_document(client, folder)?))
}

pub(super) async fn show(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path((client, folder)): Path<(String, String)>,
    Query(wish): Query<Wish>,
) -> Response {
    match admin.run(&caller.name, move |service| open(&service, &client, &folder)).await {
        Ok((place, document)) => {
            let whole = Settings::from_toml(&document.text).ok().map(|settings| settings.to_toml());
            let text = whole.as_deref().filter(|_| wish.whole == "1").unwrap_or(&document.text);
            let shell = shell.in_zone(&place.client.time_zone);
            page(&TextPage {
                p: &shell,
                client: &place.client,
                place: &place,
                at: "text",
                text,
                version: &document.version,
                whole: whole.as_deref(),
                wrong: None,
                saved: None,
            })
        }
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}

#[derive(Deserialize)]
pub(super) struct Sent {
    seen: String,
    text: String,
}

pub(super) async fn save(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path((client, folder)): Path<(String, String)>,
    Form(sent): Form<Sent>,
) -> Response {
    // Browsers send CRLF.
    let text = sent.text.replace("\r\n", "\n");
    let (slug, name, toml) = (client.clone(), folder.clone(), text.clone());
    let saved = admin.run(&caller.name, move |service| {
        service.replace_settings(&slug, &name, Seen::Version(&sent.seen), &toml)
    });
    let Err(error) = saved.await else {
        let all = shell.t("the whole text", "tout le texte", "der ganze Text");
        let words = forms::saved_words(&shell, &[all]);
        return done(&super::href(&client, &folder, "text"), Tone::Good, &words);
    };
    if !matches!(error.kind(), Kind::Invalid | Kind::Conflict) {
        return Failure::new(error, &shell).into_response();
    }
    match admin.run(&caller.name, move |service| open(&service, &client, &folder)).await {
        Ok((place, document)) => {
            let is_conflict = error.kind() == Kind::Conflict;
            let shell = shell.in_zone(&place.client.time_zone);
            let said = match is_conflict {
                true => forms::overtaken(&shell).to_owned(),
                false => with_line(&shell, &text, error.message()),
            };
            let message = said.as_str();
            let mut response = page(&TextPage {
                p: &shell,
                client: &place.client,
                place: &place,
                at: "text",
                text: &text,
                version: &document.version,
                whole: None,
                wrong: Some(message),
                saved: Some(document.text.as_str()).filter(|_| is_conflict),
            });
            *response.status_mut() =
                if is_conflict { StatusCode::CONFLICT } else { StatusCode::UNPROCESSABLE_ENTITY };
            response
        }
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}

/// The message with the line that it is about, where it names a setting that stands in the text.
fn with_line(shell: &Shell, text: &str, message: &str) -> String {
    let Some(line) = line_of(text, message) else { return message.to_owned() };
    format!("{} {line}: {message}", shell.t("Line", "Ligne", "Zeile"))
}

/// The line of the setting that a message begins with: `guards.endings.count = …` or `"mood" is not …`.
fn line_of(text: &str, message: &str) -> Option<usize> {
    let name = message.trim_start_matches('"').split([' ', '"', ':']).next()?;
    let mut table = String::new();
    let mut nearest = None;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if let Some(head) = line.strip_prefix('[') {
            table = head.trim_start_matches('[').split(']').next().unwrap_or_default().to_owned();
            // A setting below a table that is refused as a whole.
            if name == table {
                nearest = nearest.or(Some(number));
            }
            continue;
        }
        let Some((key, _)) = line.split_once('=').filter(|_| !line.starts_with('#')) else {
            continue;
        };
        let dot = if table.is_empty() { "" } else { "." };
        let place = format!("{table}{dot}{}", key.trim());
        if place == name {
            return Some(number);
        }
        if name.strip_prefix(&place).is_some_and(|rest| rest.starts_with('.')) {
            nearest = Some(number);
        }
    }
    nearest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_found_in_the_text() {
        let text = "# key = 1\nmode = \"full\"\n\n[guards]\nendings = { count = -1 }\n[mail]\non = \"x\"\n[value_maps.csp]\ncodes = { A = \"\" }\nmood = 1\n[[defaults_for]]\nvalues = {}\n";
        for (message, line) in [
            ("mode = \"x\" is not possible", Some(2)),
            ("guards.endings.count = -1 is not possible", Some(5)),
            ("mail.on = \"x\" is not possible; it is one of", Some(7)),
            ("value_maps.csp.codes.\"A\" = \"\" is not possible", Some(9)),
            ("\"value_maps.csp.mood\" is not an import setting", Some(10)),
            ("defaults_for names neither legal_entity nor department", Some(11)),
            ("key = 1 is not possible", None),
            ("these import settings are not TOML: TOML parse error at line 2", None),
        ] {
            assert_eq!(line_of(text, message), line, "{message}");
        }
    }
}
