//! A service without transports over a temporary data folder, for tests of its promises.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rollcall::clock::Clock;
use rollcall::config::Config;
use rollcall::model::{Language, Protocol, UploadState, VPath};
use rollcall::service::accounts::{NewAccount, NewPassword};
use rollcall::service::clients::NewClient;
use rollcall::service::imports::ImportView;
use rollcall::service::login::{Credential, LoginAttempt};
use rollcall::service::session::{Open, Overwrite, Session};
use rollcall::service::{Service, Workers};
use rollcall::store::registry::{Registry, UploadFilter};
use tempfile::TempDir;

pub(crate) const PASSWORD: &str = "correct-horse-battery-staple";
pub(crate) const DAY_1: &str = "login;lastName;firstName;mail;dtContractStart\n\
                     adupont;Dupont;Anne;anne@acme.example;2020-01-06\n\
                     pmartin;Martin;Paul;paul@acme.example;2021-03-01\n";
pub(crate) const DAY_2: &str = "login;lastName;firstName;mail;dtContractStart\n\
                     adupont;Dupont;Anne;anne@acme.example;2020-01-06\n\
                     pmartin;Martin;Paul;paul@acme.example;2021-03-01\n\
                     zroy;Roy;Zoé;zoe@acme.example;2026-02-02\n";
pub(crate) const DAY_3: &str = "login;lastName;firstName;mail;dtContractStart\n\
                     adupont;Durand;Anne;anne@acme.example;2020-01-06\n\
                     pmartin;Martin;Paul;paul@acme.example;2021-03-01\n\
                     zroy;Roy;Zoé;zoe@acme.example;2026-02-02\n";

/// A service over a temporary data folder, with client `acme` and account `acme`: imports `*.csv` in `/in`.
pub(crate) struct Bench {
    pub(crate) service: Service,
    pub(crate) workers: Option<Workers>,
    pub(crate) folder: TempDir,
}

impl Bench {
    pub(crate) fn start() -> Self {
        Self::start_with(|_| {})
    }

    pub(crate) fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::Builder::new().prefix("rollcall-it-").tempdir().unwrap();
        let bench = Self::open(folder, change);
        let client = NewClient {
            slug: "acme".to_owned(),
            name: "Acme".to_owned(),
            language: Language::En,
            time_zone: "Europe/Paris".to_owned(),
        };
        bench.service.add_client(client).unwrap();
        let account = NewAccount {
            client: "acme".to_owned(),
            name: "Payroll".to_owned(),
            login: Some("acme".to_owned()),
            host_profile: "standard".to_owned(),
            protocols: None,
            password: NewPassword::Given(PASSWORD.to_owned()),
            keys: Vec::new(),
        };
        bench.service.add_account(&account).unwrap();
        let pattern = rollcall::service::folders::FolderPatch {
            pattern: Some(Some("*.csv".to_owned())),
            ..Default::default()
        };
        bench.service.set_folder("acme", "import", &pattern).unwrap();
        bench
    }

    /// Opens the service over what is in `folder` and starts its workers.
    pub(crate) fn open(folder: TempDir, change: impl FnOnce(&mut Config)) -> Self {
        crate::many_files();
        let mut config = Config::default();
        config.limits.min_free_bytes = 0;
        // However slow the machine is: a test about the answer's time sets its own.
        config.limits.reply_wait_s = 60;
        change(&mut config);
        let data = folder.path().join("data");
        let service = Service::open(Arc::new(config), &data, Clock::System).unwrap();
        let workers = Some(service.start().unwrap());
        Self { service, workers, folder }
    }

    /// Ends the service and hands its folder on.
    pub(crate) fn stop(self) -> TempDir {
        let Self { service, workers, folder } = self;
        workers.unwrap().stop();
        drop(service);
        folder
    }

    pub(crate) fn restart(self) -> Self {
        Self::open(self.stop(), |_| {})
    }

    pub(crate) async fn session(&self) -> Session {
        let attempt = LoginAttempt {
            login: "acme".to_owned(),
            protocol: Protocol::Sftp,
            peer: "127.0.0.1:40000".parse().unwrap(),
        };
        self.service.log_in(&attempt, Credential::Password(PASSWORD)).await.unwrap()
    }

    pub(crate) fn data(&self, below: &str) -> PathBuf {
        self.folder.path().join("data").join(below)
    }

    pub(crate) fn client(&self, below: &str) -> PathBuf {
        self.data("clients/acme").join(below)
    }

    /// What lies at an address of the account, on the disk.
    pub(crate) fn file(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.client("files/acme").join(path.trim_start_matches('/'))).ok()
    }

    pub(crate) fn names(&self, path: &str) -> Vec<String> {
        names(&self.client("files/acme").join(path.trim_start_matches('/')))
    }

    /// The imports, oldest first.
    pub(crate) fn imports(&self) -> Vec<ImportView> {
        let mut all = self.service.imports("acme", 1000).unwrap();
        all.reverse();
        all
    }

    pub(crate) fn statuses(&self) -> Vec<String> {
        self.imports().into_iter().map(|import| import.status).collect()
    }

    /// The id of the import that the report beside `path` speaks of.
    pub(crate) fn reported(&self, path: &str) -> Option<String> {
        let json: serde_json::Value =
            serde_json::from_str(&self.file(&format!("{path}.report.json"))?).ok()?;
        Some(json["import"].as_str()?.to_owned())
    }

    pub(crate) fn uploads(&self) -> Vec<rollcall::model::Upload> {
        self.registry().uploads(&UploadFilter::default()).unwrap()
    }

    pub(crate) fn registry(&self) -> Registry {
        Registry::open(&self.data("registry.db")).unwrap()
    }

    /// Holds the client's lock: no import of it runs until the file is dropped.
    pub(crate) fn hold_imports(&self) -> File {
        let mut options = File::options();
        let path = self.client("import.lock");
        let file = options.create(true).truncate(false).write(true).open(path).unwrap();
        rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive).unwrap();
        file
    }

    pub(crate) fn wait_until_idle(&self) {
        wait("the queue is empty", || {
            self.uploads()
                .iter()
                .all(|u| !matches!(u.state, UploadState::Prepared | UploadState::Queued))
        });
    }
}

pub(crate) fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut all: Vec<String> =
        entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    all.sort();
    all
}

pub(crate) fn size(text: &str) -> u64 {
    u64::try_from(text.len()).unwrap()
}

/// Waits for a condition, at most two minutes: a machine that builds beside the tests is slow.
pub(crate) fn wait(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !condition() {
        assert!(Instant::now() < deadline, "timed out: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub(crate) fn path(text: &str) -> VPath {
    text.parse().unwrap()
}

pub(crate) fn stage(session: &Session, to: &str, text: &str) -> rollcall::service::session::Staged {
    let mut staged = session.open_upload(&path(to), Open::Replace).unwrap();
    staged.write_at(0, text.as_bytes()).unwrap();
    staged
}

pub(crate) async fn put(session: &Session, to: &str, text: &str) -> String {
    stage(session, to, text).commit().unwrap().settle().await.text
}

pub(crate) async fn rename(session: &Session, from: &str, to: &str) -> String {
    let receipt = session.rename(&path(from), &path(to), Overwrite::Allow).unwrap();
    receipt.settle().await.text
}
