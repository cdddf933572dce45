//! What accounts did over their connections: logins, refusals, transfers; of the server, of a client, of an account.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Response};
use jiff::civil::Date;
use serde::Deserialize;

use super::imports_parts::size;
use crate::admin::Admin;
use crate::admin::guard::{Caller, form_encoded};
use crate::admin::route::{Route, of_account, of_client, of_server};
use crate::admin::shell::{Failure, Shell, page};
use crate::error::Result;
use crate::model::{Account, Client, Scope};
use crate::service::activity::{Activity, ActivityFilter, EVENTS};

/// Events of one page.
const ROWS: u32 = 50;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/server/log", of_server(Scope::Read), of_all),
        Route::get("/clients/{client}/activity", of_client(Scope::Read), of_one),
        Route::get("/accounts/{login}/activity", of_account(Scope::Read), of_login),
    ]
}

/// What is looked for.
#[derive(Debug, Clone, Deserialize, Default)]
#[serde(default)]
struct Wanted {
    login: String,
    event: String,
    from: String,
    to: String,
    before: Option<i64>,
}

impl Wanted {
    /// The address of a list with these filters.
    fn address(&self, list: &str, before: Option<i64>) -> String {
        let fields = [
            ("login", &self.login),
            ("event", &self.event),
            ("from", &self.from),
            ("to", &self.to),
        ];
        let mut query: Vec<String> = fields
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}={}", form_encoded(value)))
            .collect();
        query.extend(before.map(|before| format!("before={before}")));
        if query.is_empty() { list.to_owned() } else { format!("{list}?{}", query.join("&")) }
    }

    fn filter(&self, shell: &Shell) -> ActivityFilter {
        let day = |text: &str| text.trim().parse::<Date>().ok();
        let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let last = day(&self.to).and_then(|day| day.tomorrow().ok());
        ActivityFilter {
            login: given(&self.login),
            event: given(&self.event),
            since: day(&self.from).and_then(|day| shell.begin_of(day)),
            until: last.and_then(|day| shell.begin_of(day)),
            before: self.before,
            limit: ROWS,
            ..ActivityFilter::default()
        }
    }
}

/// Whose activity is shown.
enum Whose {
    Everybody,
    Client(Client),
    Account(Box<(Client, Account)>),
}

impl Whose {
    fn list(&self) -> String {
        match self {
            Self::Everybody => "/server/log".to_owned(),
            Self::Client(client) => format!("/clients/{}/activity", client.slug),
            Self::Account(of) => format!("/accounts/{}/activity", of.1.login),
        }
    }

    /// The client, on its own pages.
    fn client(&self) -> Option<&Client> {
        match self {
            Self::Client(client) => Some(client),
            Self::Everybody | Self::Account(_) => None,
        }
    }

    /// Client and account, on the account's own pages.
    fn account(&self) -> Option<(&Client, &Account)> {
        match self {
            Self::Account(of) => Some((&of.0, &of.1)),
            Self::Everybody | Self::Client(_) => None,
        }
    }

    /// Whether a link to an account shows what this list does not show already.
    fn names_accounts(&self, one: &Activity) -> bool {
        self.account().is_none() && one.client.is_some()
    }
}

#[derive(Template)]
#[template(path = "admin/pages/activity.html")]
struct ActivityPage<'a> {
    p: &'a Shell,
    whose: &'a Whose,
    list: &'a str,
    wanted: &'a Wanted,
    events: &'a [Activity],
    older: Option<String>,
    /// How long it is kept.
    days: u64,
}

impl ActivityPage<'_> {
    fn word(&self, event: &str) -> &'static str {
        word(self.p, event)
    }

    fn size(&self, bytes: &u64) -> String {
        size(self.p, *bytes)
    }
}

/// What an event is called.
pub(super) fn word(p: &Shell, event: &str) -> &'static str {
    match event {
        "login" => p.t("Login", "Connexion", "Anmeldung"),
        "program" => p.t("Program", "Programme", "Programm"),
        "refused" => p.t("Login refused", "Connexion refusée", "Anmeldung abgelehnt"),
        "upload" => p.t("Upload", "Dépôt", "Upload"),
        "interrupted" => p.t("Upload interrupted", "Dépôt interrompu", "Upload abgebrochen"),
        "download" => p.t("Download", "Téléchargement", "Download"),
        "rename" => p.t("Renamed", "Renommé", "Umbenannt"),
        "delete" => p.t("Deleted", "Supprimé", "Gelöscht"),
        "mkdir" => p.t("Folder made", "Dossier créé", "Ordner angelegt"),
        "rmdir" => p.t("Folder removed", "Dossier supprimé", "Ordner entfernt"),
        "ban" => p.t("Address banned", "Adresse bloquée", "Adresse gesperrt"),
        _ => p.t("Entries lost", "Entrées perdues", "Einträge verloren"),
    }
}

async fn of_all(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Response {
    show(&admin, shell, &caller, Ok(Whose::Everybody), &wanted).await
}

async fn of_one(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(slug): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Response {
    let client = admin.run(&caller.name, move |service| service.client(&slug)).await;
    show(&admin, shell, &caller, client.map(Whose::Client), &wanted).await
}

async fn of_login(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(login): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Response {
    let whose = admin.run(&caller.name, move |service| {
        let account = service.account(&login)?;
        Ok(Whose::Account(Box::new((service.client(&account.client)?, account))))
    });
    // One login is the list's own; another in the address is none of its filters.
    let wanted = Wanted { login: String::new(), ..wanted };
    show(&admin, shell, &caller, whose.await, &wanted).await
}

async fn show(
    admin: &Admin,
    shell: Shell,
    caller: &Caller,
    whose: Result<Whose>,
    wanted: &Wanted,
) -> Response {
    let whose = match whose {
        Ok(whose) => whose,
        Err(error) => return Failure::new(error, &shell).into_response(),
    };
    let (shell, client) = match &whose {
        Whose::Everybody => (shell, None),
        Whose::Client(client) => (shell.in_zone(&client.time_zone), Some(client.slug.clone())),
        Whose::Account(of) => (shell.in_zone(&of.0.time_zone), Some(of.0.slug.clone())),
    };
    let mut filter = ActivityFilter { client, ..wanted.filter(&shell) };
    if let Some((_, account)) = whose.account() {
        filter.login = Some(account.login.clone());
    }
    match admin.run(&caller.name, move |service| service.activity(&filter)).await {
        Ok(events) => {
            let list = whose.list();
            let full = u32::try_from(events.len()).is_ok_and(|n| n == ROWS);
            let last = events.last().filter(|_| full);
            page(&ActivityPage {
                p: &shell,
                whose: &whose,
                list: &list,
                wanted,
                events: &events,
                older: last.map(|last| wanted.address(&list, Some(last.id))),
                days: u64::from(admin.service().config().retention.activity_days),
            })
        }
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_holds_what_was_asked_for_and_nothing_else() {
        let wanted = Wanted {
            event: "refused".to_owned(),
            to: "2026-01-31".to_owned(),
            ..Wanted::default()
        };
        assert_eq!(
            wanted.address("/server/log", Some(7)),
            "/server/log?event=refused&to=2026-01-31&before=7"
        );
        assert_eq!(Wanted::default().address("/server/log", None), "/server/log");
    }
}
