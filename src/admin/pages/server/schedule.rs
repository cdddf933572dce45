//! What happens by the clock, and when next.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};

use crate::admin::Admin;
use crate::admin::guard::Caller;
use crate::admin::route::{Route, of_server};
use crate::admin::shell::{Failure, Shell, page};
use crate::model::Scope;
use crate::service::schedule::{Kind, Scheduled};

pub(super) fn routes() -> Vec<Route> {
    vec![Route::get("/server/schedule", of_server(Scope::Read), show)]
}

#[derive(Template)]
#[template(path = "admin/pages/server/schedule.html")]
struct SchedulePage<'a> {
    p: &'a Shell,
    all: &'a [Scheduled],
}

impl SchedulePage<'_> {
    /// The next times by the client's clock.
    fn next(&self, one: &Scheduled) -> Vec<String> {
        let shell = self.p.clone().in_zone(&one.time_zone);
        one.next.iter().map(|at| shell.time(at)).collect()
    }

    fn kind(&self, one: &Scheduled) -> &'static str {
        match one.kind {
            Kind::Import => self.p.t("Import", "Import", "Import"),
            Kind::Fetch => self.p.t("Fetch files", "Récupération de fichiers", "Dateien abholen"),
            Kind::Export => self.p.t("Export", "Export", "Export"),
            Kind::Expected => {
                self.p.t("Expect a file", "Attendre un fichier", "Eine Datei erwarten")
            }
            Kind::Fresh => self.p.t(
                "Warn of old data",
                "Alerter sur des données anciennes",
                "Vor alten Daten warnen",
            ),
        }
    }
}

async fn show(State(admin): State<Admin>, shell: Shell, caller: Caller) -> Response {
    match admin.run(&caller.name, |service| service.schedule(None)).await {
        Ok(all) => page(&SchedulePage { p: &shell, all: &all }),
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}
