//! Files fetched from the client's own server: what was seen there, how the looks go, and *Look now*.

use askama::Template;
use axum::extract::{Path, State as Of};
use serde::Deserialize;

use super::{Answer, Owned, refused, run};
use crate::admin::Admin;
use crate::admin::form::Form;
use crate::admin::guard::Caller;
use crate::admin::pages::exports_words::bytes;
use crate::admin::route::{Route, of_account};
use crate::admin::shell::{Shell, page};
use crate::error::{Error, Kind, Result};
use crate::model::{Purpose, Scope};
use crate::service::Service;
use crate::service::fetch::{FetchOutcome, FetchState, PollState, SeenFile};

/// How many files of each folder are listed.
const SHOWN: u32 = 50;

pub(super) fn routes() -> Vec<Route> {
    const PAGE: &str = "/accounts/{login}/fetched";
    vec![
        Route::get(PAGE, of_account(Scope::Read), show),
        Route::post(PAGE, of_account(Scope::Run), look),
    ]
}

/// An import folder on the client's server.
struct Watched {
    name: String,
    path: String,
    /// How the looks go; none yet: nobody has looked.
    poll: Option<PollState>,
    files: Vec<SeenFile>,
}

/// What *Look now* brought.
struct Looked {
    folder: String,
    outcome: FetchOutcome,
}

impl Looked {
    fn is_empty(&self) -> bool {
        let FetchOutcome { fetched, waiting, problems, .. } = &self.outcome;
        fetched.is_empty() && waiting.is_empty() && problems.is_empty()
    }

    fn tone(&self) -> &'static str {
        if self.outcome.problems.is_empty() { "good" } else { "look" }
    }
}

#[derive(Template)]
#[template(path = "admin/pages/accounts/fetched.html")]
struct FetchedPage<'a> {
    p: &'a Shell,
    owned: &'a Owned,
    folders: &'a [Watched],
    looked: Option<&'a Looked>,
    wrong: Option<&'a str>,
}

impl FetchedPage<'_> {
    fn size(&self, file: &SeenFile) -> String {
        bytes(self.p, file.bytes)
    }

    /// Tone and words of how far a file has come.
    fn state(&self, file: &SeenFile) -> (&'static str, &str) {
        let p = self.p;
        match file.state {
            FetchState::Seen => ("plain", p.t("lies there", "présent", "liegt dort")),
            FetchState::Fetched => ("good", p.t("fetched", "récupéré", "abgeholt")),
            FetchState::Known => ("plain", p.t("known already", "déjà connu", "schon bekannt")),
        }
    }
}

/// The account and its import folders. A hosted account has none of them: what is sent to it is imported by itself.
fn find(service: &Service, login: &str) -> Result<(Owned, Vec<Watched>)> {
    let owned = Owned::find(service, login)?;
    if owned.account.remote.is_none() {
        let why = format!("account \"{login}\" is hosted here: nothing is fetched for it");
        return Err(Error::new(Kind::Invalid, why));
    }
    let slug = &owned.client.slug;
    let mut polls = service.polls(slug)?;
    let mut folders = Vec::new();
    for folder in service.folders(login)? {
        if folder.purpose == Purpose::Import {
            let at = polls.iter().position(|poll| poll.folder == folder.name);
            folders.push(Watched {
                path: folder.path.to_string(),
                poll: at.map(|at| polls.swap_remove(at)),
                files: service.seen_files(slug, Some(&folder.name), SHOWN)?,
                name: folder.name,
            });
        }
    }
    Ok((owned, folders))
}

async fn show(
    Of(admin): Of<Admin>,
    shell: Shell,
    caller: Caller,
    Path(login): Path<String>,
) -> Answer {
    let (owned, folders) =
        run(&admin, &caller, &shell, move |service| find(&service, &login)).await?;
    let (p, owned, folders) = (&shell.in_zone(&owned.client.time_zone), &owned, &folders);
    Ok(page(&FetchedPage { p, owned, folders, looked: None, wrong: None }))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Wanted {
    folder: String,
}

async fn look(
    Of(admin): Of<Admin>,
    shell: Shell,
    caller: Caller,
    Path(login): Path<String>,
    Form(wanted): Form<Wanted>,
) -> Answer {
    let (named, sought) = (login.clone(), wanted.folder.clone());
    let client = run(&admin, &caller, &shell, move |service| {
        let (owned, folders) = find(&service, &named)?;
        if folders.iter().any(|folder| folder.name == sought) {
            return Ok(owned.client.slug);
        }
        let why = format!("account \"{named}\" has no import folder \"{sought}\"");
        Err(Error::new(Kind::NotFound, why))
    })
    .await?;
    let folder = wanted.folder.clone();
    let looked = admin.run(&caller.name, move |service| service.fetch(&client, &folder)).await;
    // Whatever the connection says, or that nobody has confirmed the server, is for whoever reads this page.
    let (looked, wrong) = match looked {
        Ok(outcome) => (Some(Looked { folder: wanted.folder, outcome }), None),
        Err(error) => (None, Some(error.message().to_owned())),
    };
    let (owned, folders) =
        run(&admin, &caller, &shell, move |service| find(&service, &login)).await?;
    let (p, owned, folders) = (&shell.in_zone(&owned.client.time_zone), &owned, &folders);
    let (looked, wrong) = (looked.as_ref(), wrong.as_deref());
    let answer = page(&FetchedPage { p, owned, folders, looked, wrong });
    Ok(if wrong.is_some() { refused(answer) } else { answer })
}
