//! The settings of a client: name, language, zone, how long things are kept; disabling and erasing it.

use askama::Template;
use axum::extract::{Path, State as Of};
use serde::Deserialize;

use super::new::zones;
use super::{Answer, beside, fail, refused};
use crate::admin::Admin;
use crate::admin::form::Form;
use crate::admin::guard::Caller;
use crate::admin::route::{Route, of_client};
use crate::admin::shell::{Shell, Tone, done, page};
use crate::config::Retention;
use crate::error::{Error, Kind, Result};
use crate::model::{Client, Language, Scope};
use crate::service::Service;
use crate::service::clients::{ClientPatch, ClientRetention, Erased, RetentionPatch};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/clients/{client}/settings", of_client(Scope::Arrange), show),
        Route::post("/clients/{client}/settings", of_client(Scope::Arrange), save),
        Route::post("/clients/{client}/disable", of_client(Scope::Arrange), disable),
        Route::post("/clients/{client}/enable", of_client(Scope::Arrange), enable),
        Route::get("/clients/{client}/erase", of_client(Scope::Govern), ask_erase),
        Route::post("/clients/{client}/erase", of_client(Scope::Govern), erase),
    ]
}

/// What was typed. The periods: a number, or nothing for the server's own setting.
#[derive(Debug, Clone)]
struct Typed {
    name: String,
    language: Language,
    time_zone: String,
    archive_days: String,
    reports_days: String,
    history_days: String,
    pseudonymise_after_months: String,
}

/// What was sent: a field that is not there stays as it is.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Sent {
    name: Option<String>,
    language: Option<Language>,
    time_zone: Option<String>,
    archive_days: Option<String>,
    reports_days: Option<String>,
    history_days: Option<String>,
    pseudonymise_after_months: Option<String>,
}

impl Sent {
    fn over(self, now: Typed) -> Typed {
        Typed {
            name: self.name.unwrap_or(now.name),
            language: self.language.unwrap_or(now.language),
            time_zone: self.time_zone.unwrap_or(now.time_zone),
            archive_days: self.archive_days.unwrap_or(now.archive_days),
            reports_days: self.reports_days.unwrap_or(now.reports_days),
            history_days: self.history_days.unwrap_or(now.history_days),
            pseudonymise_after_months: self
                .pseudonymise_after_months
                .unwrap_or(now.pseudonymise_after_months),
        }
    }
}

impl Typed {
    fn of(client: &Client, kept: ClientRetention) -> Self {
        let text = |n: Option<u32>| n.map(|n| n.to_string()).unwrap_or_default();
        Self {
            name: client.name.clone(),
            language: client.language,
            time_zone: client.time_zone.clone(),
            archive_days: text(kept.archive_days),
            reports_days: text(kept.reports_days),
            history_days: text(kept.history_days),
            pseudonymise_after_months: text(kept.pseudonymise_after_months),
        }
    }

    fn retention(&self) -> Result<ClientRetention> {
        Ok(ClientRetention {
            archive_days: period(&self.archive_days)?,
            reports_days: period(&self.reports_days)?,
            history_days: period(&self.history_days)?,
            pseudonymise_after_months: period(&self.pseudonymise_after_months)?,
        })
    }
}

fn period(text: &str) -> Result<Option<u32>> {
    match text.trim() {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| {
            let words = format!(
                "\"{text}\" is no period; write a whole number (0: for ever), or nothing for the server's own setting"
            );
            Error::new(Kind::Invalid, words)
        }),
    }
}

#[derive(Template)]
#[template(path = "admin/pages/clients/settings.html")]
struct SettingsPage<'a> {
    p: &'a Shell,
    client: &'a Client,
    typed: &'a Typed,
    zones: Vec<String>,
    usual: &'a Retention,
    wrong: Option<&'a str>,
}

async fn show(
    Of(admin): Of<Admin>,
    shell: Shell,
    caller: Caller,
    Path(slug): Path<String>,
) -> Answer {
    form(&admin, shell, &caller, slug, None).await
}

/// The page; after a refusal with what was typed and why.
async fn form(
    admin: &Admin,
    shell: Shell,
    caller: &Caller,
    slug: String,
    refusal: Option<(Sent, &str)>,
) -> Answer {
    let found = admin
        .run(&caller.name, move |service| {
            Ok((service.client(&slug)?, service.client_retention(&slug)?.0))
        })
        .await;
    let (client, kept) = found.map_err(|error| fail(error, &shell))?;
    let wrong = refusal.as_ref().map(|(_, words)| *words);
    let now = Typed::of(&client, kept);
    let typed = refusal.map_or(now.clone(), |(sent, _)| sent.over(now));
    let usual = &admin.service().config().retention;
    let shell = shell.in_zone(&client.time_zone);
    let client = &client;
    let shown =
        page(&SettingsPage { p: &shell, client, typed: &typed, zones: zones(), usual, wrong });
    Ok(if wrong.is_some() { refused(shown) } else { shown })
}

async fn save(
    Of(admin): Of<Admin>,
    shell: Shell,
    caller: Caller,
    Path(slug): Path<String>,
    Form(sent): Form<Sent>,
) -> Answer {
    let (named, wish) = (slug.clone(), sent.clone());
    let saved = admin.run(&caller.name, move |service| change(&service, &named, wish)).await;
    match saved {
        Ok(()) => {
            let words = shell.t(
                "The settings are saved.",
                "Les réglages sont enregistrés.",
                "Die Einstellungen sind gespeichert.",
            );
            Ok(done(&format!("/clients/{slug}/settings"), Tone::Good, words))
        }
        Err(error) => {
            let words = beside(error, &shell)?;
            form(&admin, shell, &caller, slug, Some((sent, &words))).await
        }
    }
}

fn change(service: &Service, slug: &str, sent: Sent) -> Result<()> {
    let before = service.client_retention(slug)?.0;
    let typed = sent.over(Typed::of(&service.client(slug)?, before));
    // All is read before anything is changed.
    let kept = typed.retention()?;
    let patch = ClientPatch {
        name: Some(typed.name.clone()),
        language: Some(typed.language),
        time_zone: Some(typed.time_zone.trim().to_owned()),
        enabled: None,
        retention: RetentionPatch::between(before, kept),
    };
    service.set_client(slug, &patch).map(drop)
}

async fn disable(
    Of(admin): Of<Admin>,
    shell: Shell,
    caller: Caller,
    Path(slug): Path<String>,
) -> Answer {
    let words = shell.t(
        "The client is disabled: its accounts cannot log in, and open sessions end.",
        "Le client est désactivé\u{a0}: ses comptes ne peuvent plus se connecter et les sessions ouvertes prennent fin.",
        "Der Kunde ist deaktiviert: Seine Konten können sich nicht anmelden, offene Sitzungen enden.",
    );
    set_enabled(&admin, &shell, &caller, slug, (false, words)).await
}

async fn enable(
    Of(admin): Of<Admin>,
    shell: Shell,
    caller: Caller,
    Path(slug): Path<String>,
) -> Answer {
    let words = shell.t("The client is open.", "Le client est ouvert.", "Der Kunde ist offen.");
    set_enabled(&admin, &shell, &caller, slug, (true, words)).await
}

async fn set_enabled(
    admin: &Admin,
    shell: &Shell,
    caller: &Caller,
    slug: String,
    (enabled, words): (bool, &str),
) -> Answer {
    let named = slug.clone();
    let changed =
        admin.run(&caller.name, move |service| service.set_client_enabled(&named, enabled)).await;
    changed.map_err(|error| fail(error, shell))?;
    Ok(done(&format!("/clients/{slug}"), Tone::Good, words))
}

/// What would be lost.
struct Stock {
    client: Client,
    accounts: usize,
}

#[derive(Template)]
#[template(path = "admin/pages/clients/erase.html")]
struct ErasePage<'a> {
    p: &'a Shell,
    client: &'a Client,
    accounts: usize,
    wrong: Option<&'a str>,
}

async fn ask_erase(
    Of(admin): Of<Admin>,
    shell: Shell,
    caller: Caller,
    Path(slug): Path<String>,
) -> Answer {
    erase_page(&admin, &shell, &caller, slug, None).await
}

async fn erase_page(
    admin: &Admin,
    shell: &Shell,
    caller: &Caller,
    slug: String,
    wrong: Option<&str>,
) -> Answer {
    let stock = admin
        .run(&caller.name, move |service| {
            let accounts = service.accounts(Some(&slug))?.len();
            Ok(Stock { client: service.client(&slug)?, accounts })
        })
        .await
        .map_err(|error| fail(error, shell))?;
    let Stock { client, accounts } = &stock;
    let shown = page(&ErasePage { p: shell, client, accounts: *accounts, wrong });
    Ok(if wrong.is_some() { refused(shown) } else { shown })
}

/// What confirms it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Confirmed {
    slug: String,
}

async fn erase(
    Of(admin): Of<Admin>,
    shell: Shell,
    caller: Caller,
    Path(slug): Path<String>,
    Form(confirmed): Form<Confirmed>,
) -> Answer {
    if confirmed.slug.trim() != slug {
        let words = shell.t(
            "This is not the client’s short name: nothing was erased.",
            "Ce n’est pas le nom court du client\u{a0}: rien n’a été effacé.",
            "Das ist nicht der Kurzname des Kunden: Nichts wurde gelöscht.",
        );
        return erase_page(&admin, &shell, &caller, slug, Some(words)).await;
    }
    let erased = admin.run(&caller.name, move |service| service.erase_client(&slug)).await;
    let words = match erased.map_err(|error| fail(error, &shell))? {
        Erased::Wholly => {
            shell.t("The client is erased.", "Le client est effacé.", "Der Kunde ist gelöscht.")
        }
        Erased::ButForTheLog => shell.t(
            "The client is erased. Another program was reading the registry: the client’s name leaves its log within an hour.",
            "Le client est effacé. Un autre programme lisait le registre\u{a0}: le nom du client quitte son journal dans l’heure.",
            "Der Kunde ist gelöscht. Ein anderes Programm las gerade die Registrierung: Sein Name verlässt deren Protokoll binnen einer Stunde.",
        ),
    };
    Ok(done("/clients", Tone::Good, words))
}
