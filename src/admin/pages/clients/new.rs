//! Adding a client.

use askama::Template;
use axum::extract::State as Of;
use axum::response::Response;
use serde::Deserialize;

use super::{Answer, beside, refused};
use crate::admin::Admin;
use crate::admin::form::Form;
use crate::admin::guard::Caller;
use crate::admin::route::{Route, of_server};
use crate::admin::shell::{Shell, Tone, done, page};
use crate::model::{Language, Scope};
use crate::service::clients::NewClient;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/clients/new", of_server(Scope::Arrange), ask),
        Route::post("/clients/new", of_server(Scope::Arrange), add),
    ]
}

/// What was typed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Typed {
    name: String,
    slug: String,
    language: Language,
    time_zone: String,
}

#[derive(Template)]
#[template(path = "admin/pages/clients/new.html")]
struct NewPage<'a> {
    p: &'a Shell,
    typed: &'a Typed,
    zones: Vec<String>,
    wrong: Option<&'a str>,
}

fn show(shell: &Shell, typed: &Typed, wrong: Option<&str>) -> Response {
    page(&NewPage { p: shell, typed, zones: zones(), wrong })
}

/// The names of all time zones, for the browser to complete.
pub(super) fn zones() -> Vec<String> {
    jiff::tz::db().available().map(|name| name.to_string()).collect()
}

async fn ask(shell: Shell) -> Response {
    let zone = jiff::tz::TimeZone::system();
    let time_zone = zone.iana_name().unwrap_or("UTC").to_owned();
    let typed = Typed { language: shell.language, time_zone, ..Typed::default() };
    show(&shell, &typed, None)
}

/// A slug like a name: `Müller & Söhne` becomes `muller-sohne`.
fn slug_of(name: &str) -> String {
    use unicode_normalization::UnicodeNormalization as _;
    let plain: String = name
        .nfkd()
        .filter(|c| !unicode_normalization::char::is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    let words: Vec<&str> = plain.split('-').filter(|word| !word.is_empty()).collect();
    let slug: String = words.join("-").chars().take(40).collect();
    slug.trim_end_matches('-').to_owned()
}

async fn add(
    Of(admin): Of<Admin>,
    shell: Shell,
    caller: Caller,
    Form(typed): Form<Typed>,
) -> Answer {
    let slug = match typed.slug.trim() {
        "" => slug_of(&typed.name),
        slug => slug.to_owned(),
    };
    let new = NewClient {
        slug,
        name: typed.name.clone(),
        language: typed.language,
        time_zone: typed.time_zone.trim().to_owned(),
    };
    match admin.run(&caller.name, move |service| service.add_client(new)).await {
        Ok(client) => {
            let words = shell.t(
                "The client is added. Create its first account now.",
                "Le client est ajouté. Créez maintenant son premier compte.",
                "Der Kunde ist hinzugefügt. Legen Sie jetzt sein erstes Konto an.",
            );
            Ok(done(&format!("/clients/{}", client.slug), Tone::Good, words))
        }
        Err(error) => {
            let wrong = beside(error, &shell)?;
            Ok(refused(show(&shell, &typed, Some(&wrong))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_made_of_the_name() {
        for (name, slug) in [
            ("Acme SA", "acme-sa"),
            ("Müller & Söhne GmbH", "muller-sohne-gmbh"),
            ("  L’Étoile  ", "l-etoile"),
            ("株式会社", ""),
        ] {
            assert_eq!(slug_of(name), slug);
        }
    }
}
