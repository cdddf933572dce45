//! One client at a glance: last imports, accounts with their folders, alarms, what comes next by the clock.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};

use crate::admin::Admin;
use crate::admin::guard::Caller;
use crate::admin::route::{Route, of_client};
use crate::admin::shell::{Failure, Shell, page};
use crate::error::Result;
use crate::model::{Account, Client, Folder, Scope};
use crate::service::Service;
use crate::service::alarms::Alarm;
use crate::service::imports::ImportView;
use crate::service::schedule::{Kind, Scheduled};

/// Imports on this page.
const IMPORTS: u32 = 5;
/// Accounts on this page; the others are in their list.
const ACCOUNTS: usize = 8;
/// Alarms on this page.
const ALARMS: u32 = 20;

pub(super) fn routes() -> Vec<Route> {
    vec![Route::get("/clients/{client}", of_client(Scope::Read), overview)]
}

/// What is known of a client.
struct Facts {
    client: Client,
    imports: Vec<ImportView>,
    accounts: Vec<(Account, Vec<Folder>)>,
    /// All of them, also those that are not shown.
    account_count: usize,
    alarms: Vec<Alarm>,
    scheduled: Vec<Scheduled>,
}

impl Facts {
    fn gather(service: &Service, slug: &str) -> Result<Self> {
        let client = service.client(slug)?;
        let mut accounts = service.accounts(Some(slug))?;
        let account_count = accounts.len();
        accounts.truncate(ACCOUNTS);
        let with_folders =
            |account: Account| service.folders(&account.login).map(|folders| (account, folders));
        Ok(Self {
            imports: service.imports(slug, IMPORTS)?,
            accounts: accounts.into_iter().map(with_folders).collect::<Result<_>>()?,
            account_count,
            alarms: service.alarms(Some(slug), false, ALARMS)?,
            scheduled: service.schedule(Some(slug))?,
            client,
        })
    }
}

#[derive(Template)]
#[template(path = "admin/pages/client.html")]
struct ClientPage<'a> {
    p: &'a Shell,
    client: &'a Client,
    facts: &'a Facts,
}

impl ClientPage<'_> {
    /// What happens by the clock, in words.
    fn task(&self, kind: &Kind) -> &'static str {
        let p = self.p;
        match kind {
            Kind::Import => p.t("import", "import", "Import"),
            Kind::Fetch => p.t(
                "fetch from the client’s server",
                "récupération sur le serveur du client",
                "Abholen vom Server des Kunden",
            ),
            Kind::Export => p.t("export", "export", "Export"),
            Kind::Expected => p.t(
                "alarm if no file has come",
                "alerte si aucun fichier n’est arrivé",
                "Alarm, wenn keine Datei kam",
            ),
            Kind::Fresh => p.t(
                "alarm if the newest import is old",
                "alerte si le dernier import est ancien",
                "Alarm, wenn der neueste Import alt ist",
            ),
        }
    }
}

async fn overview(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(slug): Path<String>,
) -> Response {
    match admin.run(&caller.name, move |service| Facts::gather(&service, &slug)).await {
        Ok(facts) => {
            let shell = shell.in_zone(&facts.client.time_zone);
            page(&ClientPage { p: &shell, client: &facts.client, facts: &facts })
        }
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}
