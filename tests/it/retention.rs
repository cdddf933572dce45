//! What goes and what stays: archive, reports, history, the names of those who left, and everything of an erased client.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp, ToSpan};
use rollcall::clock::Clock;
use rollcall::config::Config;
use rollcall::error::Kind;
use rollcall::import::fields::Field;
use rollcall::model::{Language, Protocol, UploadId};
use rollcall::service::Service;
use rollcall::service::accounts::{NewAccount, NewPassword};
use rollcall::service::by_hand::{DryRun, ImportFile};
use rollcall::service::clients::{ClientPatch, ClientRetention, Erased, NewClient, RetentionPatch};
use rollcall::service::users::{Standing, UserView};
use tempfile::TempDir;

/// A data folder with a client `acme`, and the time there.
struct Years {
    folder: TempDir,
    now: Timestamp,
}

impl Years {
    fn new() -> Self {
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let folder = tempfile::tempdir().unwrap();
        let years = Self { folder, now: "2026-01-15T08:00:00Z".parse().unwrap() };
        years.service().add_client(client("acme")).unwrap();
        years.service().add_account(&account("acme")).unwrap();
        years
    }

    fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    fn service(&self) -> Service {
        Service::open(Arc::new(Config::default()), &self.data(), Clock::Fixed(self.now)).unwrap()
    }

    fn pass(&mut self, days: i64) {
        self.now = self.now.checked_add(SignedDuration::from_hours(days * 24)).unwrap();
    }

    fn import(&self, text: &str) -> UploadId {
        let bytes = text.as_bytes().into();
        let file = ImportFile { client: "acme", folder: None, name: "users.csv", content: bytes };
        let report = self.service().import_file(file, DryRun::No).unwrap();
        assert!(report.status.is_applied(), "{report:?}");
        report.import.parse().unwrap()
    }

    /// Runs the server until `done`: what is old enough goes when it starts.
    fn serve_until(&self, done: impl Fn(&Service) -> bool) {
        let service = self.service();
        let workers = service.start().unwrap();
        let deadline = Instant::now() + Duration::from_secs(120);
        while !done(&service) {
            assert!(Instant::now() < deadline, "it did not happen");
            std::thread::sleep(Duration::from_millis(20));
        }
        workers.stop();
    }

    fn set(&self, retention: ClientRetention) {
        let retention =
            RetentionPatch::between(self.service().client_retention("acme").unwrap().0, retention);
        let patch = ClientPatch { retention, ..ClientPatch::default() };
        self.service().set_client("acme", &patch).unwrap();
    }

    fn archived(&self, id: UploadId) -> bool {
        self.data().join("clients/acme/archive").join(id.to_string()).exists()
    }

    fn users(&self) -> Vec<UserView> {
        self.service().users("acme", None).unwrap()
    }
}

fn client(slug: &str) -> NewClient {
    NewClient {
        slug: slug.to_owned(),
        name: "Zirkonwerke".to_owned(),
        language: Language::En,
        time_zone: "Europe/Paris".to_owned(),
    }
}

fn account(client: &str) -> NewAccount {
    NewAccount {
        client: client.to_owned(),
        name: "Payroll".to_owned(),
        login: Some(format!("{client}.lohnbuero")),
        host_profile: "standard".to_owned(),
        protocols: Some(Protocol::ALL.to_vec()),
        password: NewPassword::Given("a-long-enough-password".to_owned()),
        keys: Vec::new(),
    }
}

const HEADER: &str =
    "employeeNumber;lastName;firstName;mail;dtContractStart;dtContractEnd;dtBirth;department\n";
const ROY: &str = "0001;Roy;Zoé;zoe@x.example;2020-01-13;;1980-05-24;Sales\n";
const LEAVER: &str =
    "0002;Quitzow;Leonore;leonore@x.example;2020-02-01;2026-01-10;1975-12-31;Vertrieb\n";

/// The files below a folder in which a text stands.
fn files_with(folder: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    // What goes while this looks is gone: a server may be at work beside it.
    let Ok(entries) = std::fs::read_dir(folder) else { return found };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.to_string_lossy().contains(text) {
            found.push(path.display().to_string());
        }
        if path.is_dir() {
            found.extend(files_with(&path, text));
        } else {
            let bytes = std::fs::read(&path).unwrap_or_default();
            if bytes.windows(text.len()).any(|part| part == text.as_bytes()) {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

#[test]
fn a_client_keeps_its_things_as_long_as_it_says() {
    let mut years = Years::new();
    let first = years.import(&format!("{HEADER}{ROY}"));
    years.set(ClientRetention {
        archive_days: Some(10),
        reports_days: Some(10),
        history_days: Some(10),
        ..ClientRetention::default()
    });
    years.pass(5);
    let second = years.import(&format!("{HEADER}{}", ROY.replace("Sales", "IT")));
    let report = years.service().import(second).unwrap().report.unwrap();
    let until = report.undo.unwrap().until.unwrap();
    assert_eq!(until, years.now.checked_add(SignedDuration::from_hours(240)).unwrap());
    let between = years.now.checked_sub(SignedDuration::from_hours(1)).unwrap();
    assert_eq!(
        years.service().users("acme", Some(between)).unwrap()[0].values.get(Field::Department),
        Some("Sales")
    );
    years.pass(6);
    let third = years.import(&format!("{HEADER}{}", ROY.replace("Sales", "Law")));
    years.serve_until(|_| !years.archived(first));
    assert!(years.archived(second) && years.archived(third));
    let stripped = years.service().import(first).unwrap().report.unwrap();
    assert!(stripped.changes.is_empty() && stripped.counts.created == 1);
    // Five days ago is known; a day before that the history begins.
    assert!(years.service().users("acme", Some(between)).is_ok());
    let long_ago = between.checked_sub(SignedDuration::from_hours(24 * 6)).unwrap();
    let refused = years.service().users("acme", Some(long_ago)).unwrap_err();
    assert_eq!(refused.kind(), Kind::NotFound);
    assert!(refused.message().contains("history is kept since 2026-01-15"), "{refused}");
    let refused = years.service().undo_import(first, "cli").unwrap_err();
    assert!(refused.message().contains("older than the history"), "{refused}");
    years.service().undo_import(third, "cli").unwrap();
    assert_eq!(years.users()[0].values.get(Field::Department), Some("IT"));
}

#[test]
fn who_left_long_ago_is_a_pseudonym_everywhere() {
    let mut years = Years::new();
    let first = years.import(&format!("{HEADER}{ROY}{LEAVER}"));
    let renamed = LEAVER.replace("Quitzow", "Quitzow-Alt").replace("2026-01-10", "2026-01-20");
    let second = years.import(&format!("{HEADER}{ROY}{renamed}"));
    years.set(ClientRetention {
        archive_days: Some(0),
        reports_days: Some(0),
        pseudonymise_after_months: Some(6),
        ..ClientRetention::default()
    });
    // Long after the last day, but payroll still sends the row: nothing is taken away that would come back every night.
    years.pass(300);
    years.serve_until(|_| true);
    assert!(!files_with(&years.data(), "Quitzow").is_empty());
    let third = years.import(&format!("{HEADER}{ROY}"));
    let gone = |service: &Service| {
        let users = service.users("acme", None).unwrap();
        users.iter().any(|u| u.values.get(Field::LastName) == Some("Pseudonym"))
    };
    years.serve_until(|service| gone(service) && !years.archived(second));
    for trace in ["Quitzow", "QUITZOW", "Leonore", "leonore@x.example", "1975-12-31"] {
        assert_eq!(files_with(&years.data(), trace), Vec::<String>::new(), "{trace}");
    }
    assert!(!years.archived(first) && years.archived(third));
    let users = years.users();
    let leaver = users.iter().find(|u| u.values.get(Field::LastName) == Some("Pseudonym")).unwrap();
    assert_eq!(leaver.values.get(Field::ContractEnd), Some("2026-01-20"));
    assert_eq!(leaver.values.get(Field::Department), Some("Vertrieb"));
    assert_eq!(leaver.values.get(Field::Email), None);
    let history = years.service().user_history("acme", leaver.id).unwrap();
    assert!(history.iter().any(|e| e.field.to_string() == "contract_end" && e.from.is_some()));
    let other = users.iter().find(|u| u.values.get(Field::LastName) == Some("Roy")).unwrap();
    assert_eq!(other.values.get(Field::BirthDate), Some("1980-05-24"));
    // Whoever comes back is somebody new, never silently the pseudonym.
    let back = LEAVER.replace("2026-01-10", "");
    years.import(&format!("{HEADER}{ROY}{back}"));
    assert_eq!(years.users().len(), 3);
}

#[test]
fn nothing_is_left_of_an_erased_client() {
    let years = Years::new();
    years.service().add_client(client("other")).unwrap();
    let id = years.import(&format!("{HEADER}{ROY}{LEAVER}"));
    years.service().undo_import(id, "cli").unwrap();
    for trace in ["acme", "lohnbuero", "Quitzow", "leonore@x.example"] {
        assert!(!files_with(&years.data(), trace).is_empty(), "{trace}");
    }
    // A server has the registry and the client's directory open meanwhile.
    let serving = years.service();
    let workers = serving.start().unwrap();
    years.service().erase_client("acme").unwrap();
    for trace in ["acme", "lohnbuero", "Quitzow", "QUITZOW", "leonore@x.example", "users.csv"] {
        assert_eq!(files_with(&years.data(), trace), Vec::<String>::new(), "{trace}");
    }
    assert_eq!(serving.clients().unwrap().len(), 1);
    workers.stop();
    assert_eq!(years.service().clients().unwrap()[0].slug, "other");
}

#[test]
fn a_client_is_erased_while_somebody_reads_the_registry() {
    let years = Years::new();
    let reader = rusqlite::Connection::open(years.data().join("registry.db")).unwrap();
    let count = || {
        let all = reader.query_row("SELECT count(*) FROM clients", [], |row| row.get::<_, i64>(0));
        all.unwrap()
    };
    reader.execute_batch("BEGIN").unwrap();
    assert_eq!(count(), 1);
    assert_eq!(years.service().erase_client("acme").unwrap(), Erased::ButForTheLog);
    assert_eq!(years.service().clients().unwrap(), Vec::new());
    assert!(!files_with(&years.data(), "acme").is_empty(), "its name stands in the log");
    // While somebody has it open, nobody else's leaving empties it: the server does, as soon as it is free.
    reader.execute_batch("COMMIT").unwrap();
    years.serve_until(|_| files_with(&years.data(), "acme").is_empty());
    assert_eq!(count(), 0);
}

#[test]
fn a_half_erased_client_is_erased_at_the_next_start() {
    let years = Years::new();
    let left = years.data().join("clients/.erased-acme-0193");
    std::fs::create_dir_all(left.join("archive")).unwrap();
    std::fs::write(left.join("users.db"), b"QUITZOW").unwrap();
    years.serve_until(|_| !left.exists());
}

#[test]
fn days_are_counted_from_the_last_day_of_the_contract() {
    let mut years = Years::new();
    years.import(&format!("{HEADER}{ROY}{LEAVER}"));
    years.set(ClientRetention { pseudonymise_after_months: Some(2), ..ClientRetention::default() });
    years.import(&format!("{HEADER}{ROY}"));
    // The last day is 10 January; two months later, to the day, the name is still there.
    let paris = jiff::tz::TimeZone::get("Europe/Paris").unwrap();
    let last = jiff::civil::date(2026, 1, 10).at(12, 0, 0, 0).to_zoned(paris).unwrap();
    years.now = last.checked_add(2.months()).unwrap().timestamp();
    let (service, ids) = (years.service(), years.users().len());
    let workers = service.start().unwrap();
    workers.stop();
    assert!(service.users("acme", None).unwrap().iter().all(|u| u.state != Standing::Withdrawn));
    assert_eq!((files_with(&years.data(), "Quitzow").is_empty(), ids), (false, 2));
    years.pass(1);
    years.serve_until(|service| {
        let users = service.users("acme", None).unwrap();
        users.iter().any(|u| u.values.get(Field::LastName) == Some("Pseudonym"))
    });
}
