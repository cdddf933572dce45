//! Webhooks: addresses that are told of events, how they fare, and what can be done about it.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use crate::admin::Admin;
use crate::admin::form::{Form, Pairs};
use crate::admin::guard::Caller;
use crate::admin::route::{Route, of_server};
use crate::admin::shell::{Failure, Shell, Tone, done, page};
use crate::error::{Error, Result};
use crate::model::{Client, EventKind, Scope};
use crate::service::Service;
use crate::service::webhooks::{WebhookView, WebhookWish, kinds_of};

/// Where the list is.
const HOME: &str = "/server/webhooks";
/// How long an exchanged secret signs too.
const KEEP_HOURS: u32 = 24;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get(HOME, of_server(Scope::Govern), list),
        Route::post(HOME, of_server(Scope::Govern), add),
        Route::post("/server/webhooks/{webhook}/test", of_server(Scope::Govern), test),
        Route::post("/server/webhooks/{webhook}/pause", of_server(Scope::Govern), pause),
        Route::post("/server/webhooks/{webhook}/resume", of_server(Scope::Govern), resume),
        Route::post("/server/webhooks/{webhook}/redeliver", of_server(Scope::Govern), redeliver),
        Route::post("/server/webhooks/{webhook}/secret", of_server(Scope::Govern), secret),
        Route::post("/server/webhooks/{webhook}/remove", of_server(Scope::Govern), remove),
    ]
}

/// What was typed into the form of a new one.
#[derive(Debug, Default)]
struct Typed {
    name: String,
    url: String,
    client: String,
    kinds: Vec<String>,
}

impl Typed {
    fn of(pairs: Pairs) -> Self {
        let mut typed = Self::default();
        for (name, value) in pairs {
            match name.as_str() {
                "name" => typed.name = value,
                "url" => typed.url = value,
                "client" => typed.client = value,
                "on" => typed.kinds.push(value),
                _ => {}
            }
        }
        typed
    }

    /// Whether a kind is ticked; a fresh form has imports and users.
    fn has(&self, kind: &EventKind) -> bool {
        if self.name.is_empty() && self.kinds.is_empty() {
            return kind.is_of_imports() || kind.is_of_users();
        }
        self.kinds.iter().any(|name| name == kind.name())
    }
}

/// What the list needs.
struct Found {
    webhooks: Vec<WebhookView>,
    clients: Vec<Client>,
}

#[derive(Template)]
#[template(path = "admin/pages/webhooks.html")]
struct WebhooksPage<'a> {
    p: &'a Shell,
    found: &'a Found,
    typed: &'a Typed,
    wrong: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "admin/pages/webhook_secret.html")]
struct SecretPage<'a> {
    p: &'a Shell,
    name: &'a str,
    secret: &'a str,
    /// For how many hours the one before signs too; `None`: there is none.
    keep_hours: Option<u32>,
}

fn found(service: &Service) -> Result<Found> {
    Ok(Found { webhooks: service.webhooks()?, clients: service.clients()? })
}

async fn list(State(admin): State<Admin>, shell: Shell, caller: Caller) -> Response {
    match admin.run(&caller.name, |service| found(&service)).await {
        Ok(found) => {
            let typed = &Typed::default();
            page(&WebhooksPage { p: &shell, found: &found, typed, wrong: None })
        }
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}

async fn add(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Form(pairs): Form<Pairs>,
) -> Response {
    let typed = Typed::of(pairs);
    let wish = || -> Result<WebhookWish> {
        Ok(WebhookWish {
            name: typed.name.clone(),
            url: typed.url.clone(),
            client: Some(typed.client.clone()).filter(|client| !client.is_empty()),
            kinds: kinds_of(&typed.kinds)?,
        })
    };
    let added = match wish() {
        Ok(wish) => admin.run(&caller.name, move |service| service.add_webhook(&wish)).await,
        Err(error) => Err(error),
    };
    match added {
        Ok((webhook, secret)) => {
            let name = &webhook.name;
            page(&SecretPage { p: &shell, name, secret: &secret, keep_hours: None })
        }
        Err(error) if error.kind() == crate::error::Kind::Internal => {
            Failure::new(error, &shell).into_response()
        }
        Err(error) => refused(&admin, &shell, &caller, &typed, &error).await,
    }
}

/// The form again, with what was typed and what is wrong with it.
async fn refused(
    admin: &Admin,
    shell: &Shell,
    caller: &Caller,
    typed: &Typed,
    error: &Error,
) -> Response {
    match admin.run(&caller.name, |service| found(&service)).await {
        Ok(found) => {
            let wrong = Some(error.message());
            let mut response = page(&WebhooksPage { p: shell, found: &found, typed, wrong });
            *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            response
        }
        Err(error) => Failure::new(error, shell).into_response(),
    }
}

async fn test(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(name): Path<String>,
) -> Response {
    let told = admin.service().acting_as(&caller.name).test_webhook(&name).await;
    let words = shell.t(
        "The address answered: ",
        "L’adresse a répondu\u{a0}: ",
        "Die Adresse hat geantwortet: ",
    );
    match told {
        Ok(answer) => done(HOME, Tone::Good, &format!("{words}{answer}")),
        Err(error)
            if error.kind() == crate::error::Kind::NotFound
                && error.message().contains("webhook") =>
        {
            Failure::new(error, &shell).into_response()
        }
        Err(error) => done(HOME, Tone::Bad, error.message()),
    }
}

async fn pause(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(name): Path<String>,
) -> Response {
    let paused = admin.run(&caller.name, move |service| service.pause_webhook(&name)).await;
    let words = shell.t(
        "The webhook is paused; what happens meanwhile is kept for it.",
        "Le webhook est suspendu\u{a0}; ce qui se passe entre-temps lui est gardé.",
        "Der Webhook ist angehalten; was inzwischen geschieht, wird für ihn aufgehoben.",
    );
    outcome(paused, &shell, words)
}

async fn resume(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(name): Path<String>,
) -> Response {
    let resumed = admin.run(&caller.name, move |service| service.resume_webhook(&name)).await;
    queued(resumed, &shell)
}

#[derive(Deserialize)]
struct Again {
    #[serde(default)]
    after: String,
}

async fn redeliver(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(name): Path<String>,
    Form(again): Form<Again>,
) -> Response {
    let after = match again.after.trim() {
        "" => Ok(None),
        text => text.parse().map(Some),
    };
    let Ok(after) = after else {
        let words = shell.t(
            "This is not the number of an event; “rollcall events” shows them.",
            "Ce n’est pas le numéro d’un événement\u{a0}; «\u{a0}rollcall events\u{a0}» les montre.",
            "Das ist keine Nummer eines Ereignisses; „rollcall events“ zeigt sie.",
        );
        return done(HOME, Tone::Bad, words);
    };
    let told =
        admin.run(&caller.name, move |service| service.redeliver_webhook(&name, after)).await;
    queued(told, &shell)
}

async fn secret(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(name): Path<String>,
) -> Response {
    let webhook = name.clone();
    let made = admin
        .run(&caller.name, move |service| service.exchange_webhook_secret(&webhook, KEEP_HOURS))
        .await;
    match made {
        Ok(secret) => {
            let keep_hours = Some(KEEP_HOURS);
            page(&SecretPage { p: &shell, name: &name, secret: &secret, keep_hours })
        }
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}

async fn remove(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(name): Path<String>,
) -> Response {
    let removed = admin.run(&caller.name, move |service| service.remove_webhook(&name)).await;
    let words =
        shell.t("The webhook is removed.", "Le webhook est supprimé.", "Der Webhook ist entfernt.");
    outcome(removed, &shell, words)
}

fn queued(events: Result<u64>, shell: &Shell) -> Response {
    let number = events.as_ref().map(|n| shell.number(n)).unwrap_or_default();
    let words = shell.t(
        "events are queued for the webhook.",
        "événements attendent d’être envoyés au webhook.",
        "Ereignisse warten darauf, dem Webhook gesendet zu werden.",
    );
    outcome(events, shell, &format!("{number} {words}"))
}

/// Back to the list, with what was done or why it was not.
fn outcome<T>(result: Result<T>, shell: &Shell, words: &str) -> Response {
    match result {
        Ok(_) => done(HOME, Tone::Good, words),
        Err(error) if error.kind() == crate::error::Kind::Conflict => {
            done(HOME, Tone::Bad, error.message())
        }
        Err(error) => Failure::new(error, shell).into_response(),
    }
}
