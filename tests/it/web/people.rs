//! What the tests about users, quality and exports share: a client with a roster, somebody of a role.

use rollcall::import::report::Report;
use rollcall::model::{Language, Purpose, Role};
use rollcall::service::administrators::NewAdministrator;
use rollcall::service::by_hand::{DryRun, ImportFile};

use super::browser::{ADMIN_PASSWORD, Browser};
use crate::app::TestApp;

/// A hostile name.
pub(crate) const HOSTILE: &str = "<script>alert(1)</script>";

/// Zoé manages Lea and the hostile one; Max has left; Pia has no department.
pub(crate) const ROSTER: &str = "legalEntity;employeeNumber;lastName;firstName;mail;dtContractStart;dtContractEnd;department;manager;dtBirth\n\
     FR01;00001;Roy;Zoé;zoe@x.example;13/01/2020;;Sales;;\n\
     FR01;00002;Kim;Lea;lea@x.example;01/02/2020;;Sales;00001;24/05/1990\n\
     FR01;00003;Éluard;Max;max@x.example;01/02/2019;31/03/2020;IT;00001;\n\
     FR02;00004;<script>alert(1)</script>;Pia 'O';pia@x.example;01/02/2020;;;00001;\n";

/// Imports a text as a file of a client's import folder.
pub(crate) fn import(app: &TestApp, client: &str, name: &str, text: &str) -> Report {
    let bytes = text.as_bytes();
    let file = ImportFile { client, folder: Some("roster"), name, content: bytes.into() };
    app.service.import_file(file, DryRun::No).unwrap()
}

/// A server with the client `acme`, its roster, and an export folder `out`.
pub(crate) async fn with_roster() -> TestApp {
    let app = TestApp::start().await;
    app.add_account("acme");
    let path = "/out".parse().unwrap();
    app.service.add_folder("acme", "out", &path, Purpose::Export, None).unwrap();
    import(&app, "acme", "users.csv", ROSTER);
    app
}

/// Somebody who signs in with a role.
pub(crate) async fn somebody(
    app: &TestApp,
    anna: &Browser,
    role: Role,
    client: Option<&str>,
) -> Browser {
    let name = role.name().to_owned();
    let new = NewAdministrator {
        name: name.clone(),
        role,
        client: client.map(str::to_owned),
        language: Language::En,
    };
    let service = app.service.clone();
    let add = move || service.add_administrator(&new, Some(ADMIN_PASSWORD)).unwrap();
    tokio::task::spawn_blocking(add).await.unwrap();
    let mut browser = Browser::new(anna.address);
    let form = [("name", name.as_str()), ("password", ADMIN_PASSWORD)];
    assert_eq!(browser.post("/sign-in", &form).await.status, 303);
    browser
}
