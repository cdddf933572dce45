//! The server at a glance: version, addresses, fingerprints, data, sealing key, what stands open.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;

use crate::admin::Admin;
use crate::admin::guard::Caller;
use crate::admin::pages::status::Badge;
use crate::admin::route::{Route, of_server};
use crate::admin::shell::{Failure, Shell, page};
use crate::error::Result;
use crate::model::{Protocol, Scope};
use crate::service::Service;
use crate::service::health::{Grade, Health, Sign};
use crate::service::outbox::{JobFilter, JobState};
use crate::transport::{Bound, Fingerprints};

/// More than so many given-up jobs are not counted.
const COUNTED: u32 = 1000;

pub(super) fn routes() -> Vec<Route> {
    vec![Route::get("/server", of_server(Scope::Read), show)]
}

#[derive(Template)]
#[template(path = "admin/pages/server/overview.html")]
struct OverviewPage<'a> {
    p: &'a Shell,
    bound: Bound,
    known_by: &'a Fingerprints,
    /// The end of the certificate.
    ends: Option<Timestamp>,
    health: &'a Health,
    url: &'a str,
    data: &'a str,
    found: &'a Found,
}

/// What stands open, and how the keys are.
struct Found {
    alarms: u64,
    given_up: u64,
    bans: u64,
    clients: u64,
    key_file: String,
    sealed: u64,
    /// Secrets that the key does not open: where, and why.
    closed: Vec<(String, String)>,
}

impl OverviewPage<'_> {
    fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    fn badge(&self, sign: &Sign) -> Badge {
        let p = self.p;
        match sign.grade {
            Grade::Good => Badge { class: "good", words: p.t("good", "bon", "gut") },
            Grade::Warning => {
                Badge { class: "look", words: p.t("look here", "à voir", "ansehen") }
            }
            Grade::Wrong => Badge { class: "bad", words: p.t("wrong", "en défaut", "gestört") },
        }
    }

    fn what(&self, sign: &Sign) -> &'static str {
        let p = self.p;
        match sign.what {
            "registry" => p.t("Database", "Base de données", "Datenbank"),
            "data" => p.t("Data folder", "Dossier des données", "Datenordner"),
            "disk" => p.t("Disk", "Disque", "Festplatte"),
            "queue" => p.t("Imports that wait", "Imports en attente", "Wartende Importe"),
            _ => p.t("Certificate", "Certificat", "Zertifikat"),
        }
    }

    fn addresses(&self) -> Vec<(String, Option<String>)> {
        let text = |address: Option<std::net::SocketAddr>| address.map(|a| a.to_string());
        [
            (Protocol::Sftp, self.bound.sftp),
            (Protocol::Ftpes, self.bound.ftpes),
            (Protocol::Ftps, self.bound.ftps),
        ]
        .map(|(protocol, address)| (protocol.name().to_uppercase(), text(address)))
        .to_vec()
    }
}

fn look(service: &Service) -> Result<Found> {
    let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    let failed =
        JobFilter { state: Some(JobState::Failed), limit: Some(COUNTED), ..JobFilter::default() };
    let vault = service.vault_state()?;
    Ok(Found {
        alarms: count(service.alarms(None, false, COUNTED)?.len()),
        given_up: count(service.outbox(&failed)?.len()),
        bans: count(service.bans()?.len()),
        clients: count(service.clients()?.len()),
        key_file: vault.file.display().to_string(),
        sealed: count(vault.sealed),
        closed: vault.closed,
    })
}

async fn show(State(admin): State<Admin>, shell: Shell, caller: Caller) -> Response {
    let ends = admin.face().certificate_ends();
    let found = admin.run(&caller.name, move |service| Ok((look(&service)?, service.health(ends))));
    match found.await {
        Ok((found, health)) => {
            let face = admin.face();
            let data = admin.service().data();
            let data = std::path::absolute(data).unwrap_or_else(|_| data.to_owned());
            page(&OverviewPage {
                p: &shell,
                bound: face.bound(),
                known_by: &face.fingerprints(),
                ends,
                health: &health,
                url: &admin.base_url(),
                data: &data.display().to_string(),
                found: &found,
            })
        }
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}
