//! The client's own server: *Test the connection* step by step, and the host key or certificate to be confirmed.

use std::pin::Pin;
use std::task::{Context, Poll};

use askama::Template;
use axum::body::Body;
use axum::extract::{Path, State as Of};
use axum::http::header;
use axum::response::IntoResponse as _;
use bytes::Bytes;
use hyper::body::Frame;
use serde::Deserialize;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{Answer, Owned, beside, refused, run};
use crate::admin::Admin;
use crate::admin::form::Form;
use crate::admin::guard::Caller;
use crate::admin::route::{Route, of_account};
use crate::admin::shell::{Shell, Tone, done, page};
use crate::error::Error;
use crate::model::{Protocol, Scope, ServerTrust};
use crate::service::Service;
use crate::service::reaching::ShownIdentity;
use crate::service::remotes::RemoteStanding;
use crate::service::trial::{Step, StepResult};

/// Where the steps come into the page of a test, and what follows them.
const STEPS: &str = "<!--steps-->";
const AFTER: &str = "<!--after-->";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/accounts/{login}/server", of_account(Scope::Arrange), show),
        Route::post("/accounts/{login}/server/test", of_account(Scope::Arrange), test),
        Route::post("/accounts/{login}/server/look", of_account(Scope::Arrange), look),
        Route::post("/accounts/{login}/server/trust", of_account(Scope::Arrange), trust),
    ]
}

#[derive(Template)]
#[template(path = "admin/pages/accounts/remote.html")]
struct ServerPage<'a> {
    p: &'a Shell,
    owned: &'a Owned,
    server: &'a RemoteStanding,
    /// A test runs: its steps come into the page.
    testing: bool,
    /// What the server shows now, if somebody wanted to look; or why it cannot be looked at.
    shown: Option<&'a Result<ShownIdentity, Error>>,
    wrong: Option<&'a str>,
}

/// What is to be confirmed.
#[derive(Template)]
#[template(path = "admin/pages/accounts/identity.html")]
struct IdentityPart<'a> {
    p: &'a Shell,
    server: &'a RemoteStanding,
    shown: &'a Result<ShownIdentity, Error>,
}

#[derive(Template)]
#[template(path = "admin/pages/accounts/step.html")]
struct StepRow<'a> {
    p: &'a Shell,
    step: &'a Step,
}

impl StepRow<'_> {
    /// What was tried, in words.
    fn name(&self) -> &str {
        let p = self.p;
        match self.step.step {
            "name" => p.t("Host name", "Nom d’hôte", "Hostname"),
            "address" => p.t("Address", "Adresse", "Adresse"),
            "connection" => p.t("Connection", "Connexion", "Verbindung"),
            "identity" => p.t(
                "Host key or certificate",
                "Clé d’hôte ou certificat",
                "Host-Schlüssel oder Zertifikat",
            ),
            "login" => p.t("Login", "Authentification", "Anmeldung"),
            "folder" => p.t("Folder", "Dossier", "Ordner"),
            "list" => p.t("List", "Liste", "Auflisten"),
            "write" => p.t("Write", "Écriture", "Schreiben"),
            "rename" => p.t("Rename", "Renommage", "Umbenennen"),
            "read" => p.t("Read", "Lecture", "Lesen"),
            "delete" => p.t("Remove", "Suppression", "Löschen"),
            other => other,
        }
    }
}

/// An account and how it stands with its server.
fn find(service: &Service, login: &str) -> crate::error::Result<(Owned, RemoteStanding)> {
    Ok((Owned::find(service, login)?, service.remote_standing(login)?))
}

async fn show(
    Of(admin): Of<Admin>,
    shell: Shell,
    caller: Caller,
    Path(login): Path<String>,
) -> Answer {
    let (owned, server) =
        run(&admin, &caller, &shell, move |service| find(&service, &login)).await?;
    let (p, server) = (&shell.in_zone(&owned.client.time_zone), &server);
    let owned = &owned;
    Ok(page(&ServerPage { p, owned, server, testing: false, shown: None, wrong: None }))
}

async fn look(
    Of(admin): Of<Admin>,
    shell: Shell,
    caller: Caller,
    Path(login): Path<String>,
) -> Answer {
    let named = login.clone();
    let (owned, server) =
        run(&admin, &caller, &shell, move |service| find(&service, &named)).await?;
    let shown = admin.service().probe_server(&login).await;
    let (p, server) = (&shell.in_zone(&owned.client.time_zone), &server);
    let (owned, shown) = (&owned, Some(&shown));
    Ok(page(&ServerPage { p, owned, server, testing: false, shown, wrong: None }))
}

/// How the server is recognised from now on.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Chosen {
    /// `pin`, `platform` or `ca`.
    how: String,
    pin: String,
    ca: String,
}

async fn trust(
    Of(admin): Of<Admin>,
    shell: Shell,
    caller: Caller,
    Path(login): Path<String>,
    Form(chosen): Form<Chosen>,
) -> Answer {
    let trust = match chosen.how.as_str() {
        "platform" => ServerTrust::Platform,
        "ca" => ServerTrust::Ca(chosen.ca),
        // Nothing typed is no confirmation: that is checked like a wrong fingerprint.
        _ => ServerTrust::Pins(vec![chosen.pin]),
    };
    let named = login.clone();
    let kept = admin.run(&caller.name, move |service| service.trust_server(&named, &trust)).await;
    match kept {
        Ok(_) => {
            let words = shell.t(
                "The server is confirmed. Test the connection now: login and folders are tried.",
                "Le serveur est confirmé. Testez maintenant la connexion\u{a0}: l’authentification et les dossiers sont essayés.",
                "Der Server ist bestätigt. Testen Sie jetzt die Verbindung: Anmeldung und Ordner werden probiert.",
            );
            Ok(done(&format!("/accounts/{login}/server"), Tone::Good, words))
        }
        Err(error) => {
            let words = beside(error, &shell)?;
            let (owned, server) =
                run(&admin, &caller, &shell, move |service| find(&service, &login)).await?;
            let (p, owned, server) = (&shell, &owned, &server);
            let wrong = Some(words.as_str());
            Ok(refused(page(&ServerPage { p, owned, server, testing: false, shown: None, wrong })))
        }
    }
}

async fn test(
    Of(admin): Of<Admin>,
    shell: Shell,
    caller: Caller,
    Path(login): Path<String>,
) -> Answer {
    let named = login.clone();
    let (owned, server) =
        run(&admin, &caller, &shell, move |service| find(&service, &named)).await?;
    let shell = shell.in_zone(&owned.client.time_zone);
    let whole = ServerPage {
        p: &shell,
        owned: &owned,
        server: &server,
        testing: true,
        shown: None,
        wrong: None,
    };
    let whole = whole.render().unwrap_or_default();
    let (head, rest) = whole.split_once(STEPS).unwrap_or((&whole, ""));
    let (between, tail) = rest.split_once(AFTER).unwrap_or((rest, ""));
    let (told, body) = unbounded_channel();
    tell(&told, head.to_owned());
    let (between, tail) = (between.to_owned(), tail.to_owned());
    let service = admin.service().acting_as(&caller.name);
    tokio::spawn(async move {
        tell_trial(&service, &login, &shell, &told).await;
        tell(&told, between);
        if let Some(part) = what_it_shows(&service, &login, &shell, &server).await {
            tell(&told, part);
        }
        tell(&told, tail);
    });
    let kind = (header::CONTENT_TYPE, "text/html; charset=utf-8");
    Ok(([kind], Body::new(Told(body))).into_response())
}

/// Sends a row for each step as it comes out.
async fn tell_trial(service: &Service, login: &str, shell: &Shell, told: &UnboundedSender<Bytes>) {
    let (steps, mut next) = unbounded_channel();
    let trial = service.try_server_aloud(login, None, Some(steps));
    let rows = async {
        while let Some(step) = next.recv().await {
            tell(told, StepRow { p: shell, step: &step }.render().unwrap_or_default());
        }
    };
    let (result, ()) = tokio::join!(trial, rows);
    if let Err(error) = result {
        let step = Step {
            step: "connection",
            folder: None,
            result: StepResult::Failed,
            found: error.message().to_owned(),
            cure: String::new(),
        };
        tell(told, StepRow { p: shell, step: &step }.render().unwrap_or_default());
    }
}

/// What is to be confirmed, when nobody has yet or the server shows something else.
async fn what_it_shows(
    service: &Service,
    login: &str,
    shell: &Shell,
    server: &RemoteStanding,
) -> Option<String> {
    let shown = service.probe_server(login).await;
    let is_settled = shown.as_ref().map_or(true, |shown| shown.is_pinned);
    if is_settled || (server.confirmed && server.trust != "pin") {
        return None;
    }
    IdentityPart { p: shell, server, shown: &shown }.render().ok()
}

/// A reader who has gone needs no more.
fn tell(told: &UnboundedSender<Bytes>, text: String) {
    drop(told.send(Bytes::from(text)));
}

/// A page that is sent as it comes out.
struct Told(UnboundedReceiver<Bytes>);

impl hyper::body::Body for Told {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.poll_recv(cx).map(|next| next.map(|bytes| Ok(Frame::data(bytes))))
    }
}
