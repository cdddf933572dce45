//! The promises of a commit, through the service's own door: durable, whole, once, in order, reported.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rollcall::clock::Clock;
use rollcall::config::Config;
use rollcall::error::Kind;
use rollcall::model::{Language, Protocol, Purpose, UploadState, VPath};
use rollcall::service::accounts::{NewAccount, NewPassword};
use rollcall::service::clients::NewClient;
use rollcall::service::imports::{DryRun, ImportFile, ImportView};
use rollcall::service::login::{Credential, LoginAttempt};
use rollcall::service::session::{Open, Overwrite, Session};
use rollcall::service::{Service, Workers};
use rollcall::store::registry::{NewUpload, Registry, UploadFilter};
use tempfile::TempDir;

const PASSWORD: &str = "correct-horse-battery-staple";
const DAY_1: &str = "login;lastName;firstName;mail;dtContractStart\n\
                     adupont;Dupont;Anne;anne@acme.example;2020-01-06\n\
                     pmartin;Martin;Paul;paul@acme.example;2021-03-01\n";
const DAY_2: &str = "login;lastName;firstName;mail;dtContractStart\n\
                     adupont;Dupont;Anne;anne@acme.example;2020-01-06\n\
                     pmartin;Martin;Paul;paul@acme.example;2021-03-01\n\
                     zroy;Roy;Zoé;zoe@acme.example;2026-02-02\n";
const DAY_3: &str = "login;lastName;firstName;mail;dtContractStart\n\
                     adupont;Durand;Anne;anne@acme.example;2020-01-06\n\
                     pmartin;Martin;Paul;paul@acme.example;2021-03-01\n\
                     zroy;Roy;Zoé;zoe@acme.example;2026-02-02\n";

/// A service over a temporary data folder, with client `acme` and account `acme`: imports `*.csv` in `/in`.
struct Bench {
    service: Service,
    workers: Option<Workers>,
    folder: TempDir,
}

impl Bench {
    fn start() -> Self {
        Self::start_with(|_| {})
    }

    fn start_with(change: impl FnOnce(&mut Config)) -> Self {
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
    fn open(folder: TempDir, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        config.limits.min_free_bytes = 0;
        change(&mut config);
        let data = folder.path().join("data");
        let service = Service::open(Arc::new(config), &data, Clock::System).unwrap();
        let workers = Some(service.start().unwrap());
        Self { service, workers, folder }
    }

    /// Ends the service and hands its folder on.
    fn stop(self) -> TempDir {
        let Self { service, workers, folder } = self;
        workers.unwrap().stop();
        drop(service);
        folder
    }

    fn restart(self) -> Self {
        Self::open(self.stop(), |_| {})
    }

    async fn session(&self) -> Session {
        let attempt = LoginAttempt {
            login: "acme".to_owned(),
            protocol: Protocol::Sftp,
            peer: "127.0.0.1:40000".parse().unwrap(),
        };
        self.service.log_in(&attempt, Credential::Password(PASSWORD)).await.unwrap()
    }

    fn data(&self, below: &str) -> PathBuf {
        self.folder.path().join("data").join(below)
    }

    fn client(&self, below: &str) -> PathBuf {
        self.data("clients/acme").join(below)
    }

    /// What lies at an address of the account, on the disk.
    fn file(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.client("files/acme").join(path.trim_start_matches('/'))).ok()
    }

    fn names(&self, path: &str) -> Vec<String> {
        names(&self.client("files/acme").join(path.trim_start_matches('/')))
    }

    /// The imports, oldest first.
    fn imports(&self) -> Vec<ImportView> {
        let mut all = self.service.imports("acme", 1000).unwrap();
        all.reverse();
        all
    }

    fn statuses(&self) -> Vec<String> {
        self.imports().into_iter().map(|import| import.status).collect()
    }

    /// The id of the import that the report beside `path` speaks of.
    fn reported(&self, path: &str) -> Option<String> {
        let json: serde_json::Value =
            serde_json::from_str(&self.file(&format!("{path}.report.json"))?).ok()?;
        Some(json["import"].as_str()?.to_owned())
    }

    fn uploads(&self) -> Vec<rollcall::model::Upload> {
        self.registry().uploads(&UploadFilter::default()).unwrap()
    }

    fn registry(&self) -> Registry {
        Registry::open(&self.data("registry.db")).unwrap()
    }

    /// Holds the client's lock: no import of it runs until the file is dropped.
    fn hold_imports(&self) -> File {
        let mut options = File::options();
        let path = self.client("import.lock");
        let file = options.create(true).truncate(false).write(true).open(path).unwrap();
        rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive).unwrap();
        file
    }

    fn wait_until_idle(&self) {
        wait("the queue is empty", || {
            self.uploads()
                .iter()
                .all(|u| !matches!(u.state, UploadState::Prepared | UploadState::Queued))
        });
    }
}

fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut all: Vec<String> =
        entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    all.sort();
    all
}

fn size(text: &str) -> u64 {
    u64::try_from(text.len()).unwrap()
}

/// Waits for a condition, at most ten seconds.
fn wait(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !condition() {
        assert!(Instant::now() < deadline, "timed out: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn path(text: &str) -> VPath {
    text.parse().unwrap()
}

fn stage(session: &Session, to: &str, text: &str) -> rollcall::service::session::Staged {
    let mut staged = session.open_upload(&path(to), Open::Replace).unwrap();
    staged.write_at(0, text.as_bytes()).unwrap();
    staged
}

async fn put(session: &Session, to: &str, text: &str) -> String {
    stage(session, to, text).commit().unwrap().settle().await.text
}

async fn rename(session: &Session, from: &str, to: &str) -> String {
    let receipt = session.rename(&path(from), &path(to), Overwrite::Allow).unwrap();
    receipt.settle().await.text
}

#[tokio::test(flavor = "multi_thread")]
async fn put_then_get() {
    let bench = Bench::start();
    let session = bench.session().await;
    let answer = put(&session, "/in/users.csv", DAY_1).await;
    assert!(answer.contains("2 rows"), "{answer}");
    let report = session.open_read(&path("/in/users.csv.report.json")).unwrap();
    assert!(report.bytes() > 0);
    assert!(session.stat(&path("/in/users.csv.report.csv")).is_ok());
    assert_eq!(bench.file("/in/users.csv").as_deref(), Some(DAY_1));
    assert_eq!(bench.imports().len(), 1);
    assert_eq!(bench.reported("/in/users.csv").unwrap(), bench.imports()[0].id.to_string());
    assert!(names(&bench.client("spool")).is_empty());
    let archived =
        fs::read_to_string(bench.client("archive").join(bench.imports()[0].id.to_string()));
    assert_eq!(archived.unwrap(), DAY_1);
    assert!(bench.names("/in/reports").iter().any(|n| n.ends_with("-users.csv.report.json")));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_visible_before_the_commit() {
    let bench = Bench::start();
    let session = bench.session().await;
    put(&session, "/in/users.csv", DAY_1).await;
    let staged = stage(&session, "/in/users.csv", DAY_2);
    assert_eq!(bench.file("/in/users.csv").as_deref(), Some(DAY_1));
    let own = session.stat(&path("/in/users.csv")).unwrap();
    assert_eq!(own.bytes, size(DAY_2), "a session sees its own upload grow");
    let other = bench.session().await.stat(&path("/in/users.csv")).unwrap();
    assert_eq!(other.bytes, size(DAY_1));
    staged.commit().unwrap().settle().await;
    assert_eq!(bench.file("/in/users.csv").as_deref(), Some(DAY_2));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_upload_leaves_the_previous_file_and_is_recorded() {
    let bench = Bench::start();
    let session = bench.session().await;
    put(&session, "/in/users.csv", DAY_1).await;
    stage(&session, "/in/users.csv", "login;last").interrupt("the connection was reset");
    drop(stage(&session, "/in/other.csv", "login;last"));
    assert_eq!(bench.file("/in/users.csv").as_deref(), Some(DAY_1));
    assert_eq!(bench.file("/in/other.csv"), None);
    assert_eq!(bench.imports().len(), 1);
    assert!(names(&bench.client("spool")).is_empty());
    let noted = bench.service.interruptions("acme", 10).unwrap();
    assert_eq!(noted.len(), 2);
    assert_eq!(noted[1].why, "the connection was reset");
    assert_eq!(noted[1].bytes, 10);
    assert_eq!(noted[1].path, path("/in/users.csv"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_takes_the_name_only_where_it_deceives_nobody() {
    let bench = Bench::start();
    let session = bench.session().await;
    stage(&session, "/out/big.bin", "first half").interrupt("lost");
    assert_eq!(bench.file("/out/big.bin").as_deref(), Some("first half"));
    stage(&session, "/out/big.bin", "other").interrupt("lost");
    assert_eq!(bench.file("/out/big.bin").as_deref(), Some("first half"), "the target stays");
    stage(&session, "/in/users.csv.part", "login;").interrupt("lost");
    assert_eq!(bench.file("/in/users.csv.part").as_deref(), Some("login;"));
    let mut more = session.open_upload(&path("/in/users.csv.part"), Open::Resume).unwrap();
    assert_eq!(more.bytes(), 6);
    more.write_at(6, b"lastName").unwrap();
    more.interrupt("lost again");
    assert_eq!(bench.file("/in/users.csv.part").as_deref(), Some("login;lastName"));
    assert!(bench.imports().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poisoned_upload_is_never_published() {
    let bench = Bench::start_with(|c| c.limits.max_upload_bytes = 100);
    let session = bench.session().await;
    let mut staged = session.open_upload(&path("/out/a.bin"), Open::Replace).unwrap();
    staged.write_at(0, &[b'x'; 90]).unwrap();
    assert_eq!(staged.write_at(90, &[b'x'; 11]).unwrap_err().kind(), Kind::TooLarge);
    assert_eq!(staged.write_at(0, b"x").unwrap_err().kind(), Kind::TooLarge);
    assert_eq!(staged.commit().err().unwrap().kind(), Kind::TooLarge);
    assert_eq!(bench.file("/out/a.bin"), None);
    let mut sparse = session.open_upload(&path("/out/b.bin"), Open::Replace).unwrap();
    assert_eq!(sparse.write_at(u64::MAX, b"x").unwrap_err().kind(), Kind::TooLarge);
    drop(sparse);
    assert!(names(&bench.client("spool")).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn quota_and_free_space_are_kept() {
    let bench = Bench::start_with(|c| c.limits.client_quota_bytes = 1000);
    let session = bench.session().await;
    put(&session, "/out/a.bin", &"a".repeat(600)).await;
    let mut staged = session.open_upload(&path("/out/b.bin"), Open::Replace).unwrap();
    assert_eq!(staged.write_at(0, &[b'b'; 500]).unwrap_err().kind(), Kind::Quota);
    drop(staged);
    session.remove_file(&path("/out/a.bin")).unwrap();
    put(&session, "/out/b.bin", &"b".repeat(500)).await;
    assert_eq!(session.space().unwrap().total_bytes, 1000);
    assert_eq!(session.space().unwrap().free_bytes, 500);
    let full = Bench::start_with(|c| c.limits.min_free_bytes = u64::MAX);
    let session = full.session().await;
    let refused = session.open_upload(&path("/out/a.bin"), Open::Replace).err().unwrap();
    assert_eq!(refused.kind(), Kind::NoSpace);
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_out_of_order_are_hashed_right() {
    let bench = Bench::start();
    let session = bench.session().await;
    let bytes = DAY_1.as_bytes();
    let mut staged = session.open_upload(&path("/in/users.csv"), Open::Replace).unwrap();
    staged.write_at(40, &bytes[40..]).unwrap();
    staged.write_at(0, &bytes[..20]).unwrap();
    staged.write_at(20, &bytes[20..40]).unwrap();
    staged.write_at(10, &bytes[10..30]).unwrap();
    staged.commit().unwrap().settle().await;
    let mut in_order = session.open_upload(&path("/out/copy"), Open::Replace).unwrap();
    in_order.write_at(0, bytes).unwrap();
    in_order.commit().unwrap();
    let uploads = bench.uploads();
    assert_eq!(uploads[0].sha256, uploads[1].sha256);
    assert_eq!(bench.file("/in/users.csv").as_deref(), Some(DAY_1));
}

#[tokio::test(flavor = "multi_thread")]
async fn report_names_belong_to_the_server() {
    let bench = Bench::start();
    let session = bench.session().await;
    put(&session, "/in/users.csv", DAY_1).await;
    for name in ["users.csv.report.csv", "USERS.csv.Report.JSON", "x.csv.ok", "reports/x.csv"] {
        let at = path(&format!("/in/{name}"));
        let refused = session.open_upload(&at, Open::Replace).err().unwrap();
        assert_eq!(refused.kind(), Kind::Denied, "{name}");
        let refused = session.rename(&path("/in/users.csv"), &at, Overwrite::Allow).err().unwrap();
        assert_eq!(refused.kind(), Kind::Denied, "{name}");
        assert_eq!(session.make_dir(&at).unwrap_err().kind(), Kind::Denied, "{name}");
    }
    assert!(session.open_read(&path("/in/users.csv.report.csv")).is_ok());
    session.remove_file(&path("/in/users.csv.report.csv")).unwrap();
    let old = bench.names("/in/reports");
    session.remove_file(&path(&format!("/in/reports/{}", old[0]))).unwrap();
    let answer = put(&session, "/in/users.csv.corrections.csv", DAY_1).await;
    assert!(answer.contains("users.csv.corrections.csv.report.csv"), "{answer}");
    put(&session, "/out/users.csv.report.csv", "free outside import folders").await;
    let rclone = put(&session, "/in/users.csv.2a3b4c5d.partial", DAY_2).await;
    assert!(rclone.starts_with("Stored, not imported"), "{rclone}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_match_is_stored_and_says_so() {
    let bench = Bench::start();
    let session = bench.session().await;
    let answer = put(&session, "/in/readme.txt", "hello").await;
    assert_eq!(answer, "Stored, not imported: name does not match *.csv");
    assert!(put(&session, "/in/.users.csv", DAY_1).await.contains("temporary"));
    assert_eq!(put(&session, "/out/users.csv", DAY_1).await, "Stored");
    session.make_dir(&path("/in/deeper")).unwrap();
    assert_eq!(put(&session, "/in/deeper/users.csv", DAY_1).await, "Stored");
    assert!(bench.imports().is_empty());
    let answer = put(&session, "/in/USERS.CSV", DAY_1).await;
    assert!(answer.contains("2 rows"), "patterns ignore case: {answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rename_into_place_is_a_commit() {
    let bench = Bench::start();
    let session = bench.session().await;
    put(&session, "/in/users.csv", DAY_1).await;
    for (n, temporary) in
        ["users.csv.part", "users.csv.filepart", ".in.users.csv."].iter().enumerate()
    {
        let text = if n % 2 == 0 { DAY_2 } else { DAY_1 };
        put(&session, &format!("/in/{temporary}"), text).await;
        let answer = rename(&session, &format!("/in/{temporary}"), "/in/users.csv").await;
        assert!(answer.contains("rows"), "{answer}");
        assert_eq!(bench.file("/in/users.csv").as_deref(), Some(text));
        assert_eq!(bench.file(&format!("/in/{temporary}")), None);
        let last = bench.imports().pop().unwrap();
        assert_eq!(bench.imports().len(), n + 2);
        assert_eq!(bench.reported("/in/users.csv").unwrap(), last.id.to_string());
    }
    assert!(names(&bench.client("spool")).is_empty());
    put(&session, "/out/from-elsewhere", DAY_3).await;
    rename(&session, "/out/from-elsewhere", "/in/users.csv").await;
    assert_eq!(bench.imports().len(), 5);
    let refused = session.rename(&path("/in/users.csv"), &path("/in/users.csv"), Overwrite::Never);
    assert!(refused.is_ok(), "onto itself is nothing");
    put(&session, "/in/new.part", DAY_1).await;
    let taken = session.rename(&path("/in/new.part"), &path("/in/users.csv"), Overwrite::Never);
    assert_eq!(taken.err().unwrap().kind(), Kind::Exists);
    assert_eq!(bench.imports().len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn renaming_a_received_file_there_and_back_imports_nothing() {
    let bench = Bench::start();
    let session = bench.session().await;
    put(&session, "/in/a.csv", DAY_1).await;
    rename(&session, "/in/a.csv", "/in/b.csv").await;
    let id = bench.imports()[0].id.to_string();
    assert_eq!(bench.reported("/in/a.csv"), None, "a report lies beside no other file");
    assert_eq!(bench.reported("/in/b.csv").as_ref(), Some(&id), "the report follows its file");
    rename(&session, "/in/b.csv", "/in/a.csv").await;
    assert_eq!(bench.reported("/in/a.csv").as_ref(), Some(&id));
    assert_eq!(bench.reported("/in/b.csv"), None);
    rename(&session, "/in/a.csv", "/in/done.csv.bak").await;
    rename(&session, "/in/done.csv.bak", "/in/a.csv").await;
    assert_eq!(bench.imports().len(), 1);
    assert_eq!(bench.file("/in/a.csv").as_deref(), Some(DAY_1));
    put(&session, "/in/a.csv", DAY_2).await;
    assert_eq!(bench.imports().len(), 2);
    assert_eq!(bench.reported("/in/a.csv").unwrap(), bench.imports()[1].id.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_puts_of_one_name_at_once_leave_one_of_them_whole() {
    let bench = Bench::start();
    let session = bench.session().await;
    let texts: Vec<String> =
        (0..8).map(|n| format!("{DAY_1}u{n};U;N;u{n}@acme.example;2020-01-01\n")).collect();
    let staged: Vec<_> = texts.iter().map(|text| stage(&session, "/in/users.csv", text)).collect();
    std::thread::scope(|scope| {
        for one in staged {
            scope.spawn(move || drop(one.commit().unwrap()));
        }
    });
    bench.wait_until_idle();
    let uploads = bench.uploads();
    assert_eq!(uploads.len(), 8);
    let newest = uploads.last().unwrap();
    let on_disk = bench.file("/in/users.csv").unwrap();
    assert!(texts.contains(&on_disk));
    let archived = fs::read_to_string(bench.client("archive").join(newest.id.to_string())).unwrap();
    assert_eq!(on_disk, archived, "the newest upload is the one that lies there");
    assert_eq!(bench.reported("/in/users.csv").unwrap(), newest.id.to_string());
    for upload in &uploads {
        let fate = [UploadState::Done, UploadState::Superseded];
        assert!(fate.contains(&upload.state), "{upload:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_full_file_supersedes_the_waiting_one() {
    let bench = Bench::start_with(|c| c.limits.reply_wait_s = 1);
    let session = bench.session().await;
    put(&session, "/in/users.csv", DAY_1).await;
    let hold = bench.hold_imports();
    assert_eq!(put(&session, "/in/users.csv", DAY_2).await, "Received; import running");
    assert_eq!(bench.reported("/in/users.csv"), None, "yesterday's report is nobody's today");
    let last = stage(&session, "/in/users.csv", DAY_3).commit().unwrap();
    let other = stage(&session, "/in/other.csv", DAY_1).commit().unwrap();
    drop(hold);
    assert!(last.settle().await.text.contains("3 rows"));
    other.settle().await;
    bench.wait_until_idle();
    let states: Vec<_> = bench.uploads().into_iter().map(|u| u.state).collect();
    use UploadState::{Done, Superseded};
    assert_eq!(states, [Done, Superseded, Done, Done]);
    let imports = bench.imports();
    assert_eq!(imports[1].status, "superseded");
    assert_eq!(bench.reported("/in/users.csv").unwrap(), imports[2].id.to_string());
    let of_superseded = imports[1].id.to_string();
    assert!(bench.names("/in/reports").iter().any(|n| n.contains(&of_superseded)));
}

#[tokio::test(flavor = "multi_thread")]
async fn in_delta_mode_nothing_is_superseded() {
    let bench = Bench::start_with(|c| c.limits.reply_wait_s = 1);
    bench.service.set_settings("acme", "import", "mode = \"delta\"").unwrap();
    let session = bench.session().await;
    let hold = bench.hold_imports();
    let receipts: Vec<_> = [DAY_1, DAY_2, DAY_3]
        .iter()
        .map(|text| stage(&session, "/in/users.csv", text).commit().unwrap())
        .collect();
    drop(hold);
    for receipt in receipts {
        receipt.settle().await;
    }
    bench.wait_until_idle();
    assert!(bench.uploads().iter().all(|u| u.state == UploadState::Done));
    let imports = bench.imports();
    assert_eq!(imports.len(), 3);
    let received: Vec<_> = imports.iter().map(|i| i.received_at).collect();
    assert!(received.is_sorted(), "in order of arrival");
    assert_eq!(bench.reported("/in/users.csv").unwrap(), imports[2].id.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_received_file_cannot_be_continued() {
    let bench = Bench::start();
    let session = bench.session().await;
    put(&session, "/in/users.csv", DAY_1).await;
    let refused = session.open_upload(&path("/in/users.csv"), Open::Resume).err().unwrap();
    assert_eq!(refused.kind(), Kind::Denied);
    assert!(refused.message().contains("send the whole file"), "{refused}");
    put(&session, "/out/log.txt", "one\n").await;
    let mut more = session.open_upload(&path("/out/log.txt"), Open::Resume).unwrap();
    more.write_at(4, b"two\n").unwrap();
    assert_eq!(bench.file("/out/log.txt").as_deref(), Some("one\n"));
    more.commit().unwrap();
    assert_eq!(bench.file("/out/log.txt").as_deref(), Some("one\ntwo\n"));
    let taken = session.open_upload(&path("/out/log.txt"), Open::CreateNew).err().unwrap();
    assert_eq!(taken.kind(), Kind::Exists);
}

#[tokio::test(flavor = "multi_thread")]
async fn import_folders_stay_where_they_are() {
    let bench = Bench::start();
    let session = bench.session().await;
    let deep = path("/a/b/import");
    bench.service.add_folder("acme", "deep", &deep, Purpose::Import, None).unwrap();
    wait("the session knows the new folder", || {
        session.remove_dir(&path("/a")).is_err_and(|e| e.kind() == Kind::Denied)
    });
    session.make_dir(&path("/x")).unwrap();
    for from in ["/in", "/a", "/a/b", "/a/b/import", "/"] {
        let refused = session.rename(&path(from), &path("/y"), Overwrite::Allow).err().unwrap();
        assert_eq!(refused.kind(), Kind::Denied, "{from}");
        assert_eq!(session.remove_dir(&path(from)).unwrap_err().kind(), Kind::Denied, "{from}");
    }
    for to in ["/in", "/in/x", "/a", "/a/b/import/deeper"] {
        let refused = session.rename(&path("/x"), &path(to), Overwrite::Allow).err().unwrap();
        assert_eq!(refused.kind(), Kind::Denied, "{to}");
    }
    session.rename(&path("/x"), &path("/y"), Overwrite::Never).unwrap();
    session.remove_dir(&path("/y")).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn links_are_not_followed() {
    let bench = Bench::start();
    let session = bench.session().await;
    let files = bench.client("files/acme");
    fs::write(bench.data("secret"), "secret").unwrap();
    std::os::unix::fs::symlink(bench.data("secret"), files.join("out/link")).unwrap();
    std::os::unix::fs::symlink(bench.data(""), files.join("out/folder")).unwrap();
    assert!(session.open_read(&path("/out/link")).is_err());
    assert!(session.open_read(&path("/out/folder/secret")).is_err());
    assert!(session.list(&path("/out/folder")).is_err());
    assert!(session.open_upload(&path("/out/folder/new"), Open::Replace).is_err());
    assert_eq!(session.stat(&path("/out/link")).unwrap_err().kind(), Kind::NotFound);
    assert_eq!(session.list(&path("/out")).unwrap().count(), 0);
    put(&session, "/out/link", "a file of its own").await;
    assert_eq!(fs::read_to_string(bench.data("secret")).unwrap(), "secret");
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_waiting_uploads_are_refused() {
    let bench = Bench::start_with(|c| {
        c.limits.max_waiting_uploads = 2;
        c.limits.reply_wait_s = 0;
    });
    let session = bench.session().await;
    let hold = bench.hold_imports();
    put(&session, "/in/a.csv", DAY_1).await;
    put(&session, "/in/b.csv", DAY_1).await;
    let refused = session.open_upload(&path("/in/c.csv"), Open::Replace).err().unwrap();
    assert_eq!(refused.kind(), Kind::Busy);
    drop(hold);
    bench.wait_until_idle();
    put(&session, "/in/c.csv", DAY_1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_import_does_not_hold_the_answer_up() {
    let bench = Bench::start_with(|c| c.limits.reply_wait_s = 1);
    let session = bench.session().await;
    let hold = bench.hold_imports();
    let started = Instant::now();
    assert_eq!(put(&session, "/in/users.csv", DAY_1).await, "Received; import running");
    assert!(started.elapsed() < Duration::from_secs(5));
    assert_eq!(session.list(&path("/in")).unwrap().count(), 1, "others see it at once");
    drop(hold);
    wait("the report", || bench.reported("/in/users.csv").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_archive_is_told_and_never_imported() {
    let bench = Bench::start_with(|c| c.limits.reply_wait_s = 10);
    let session = bench.session().await;
    let hold = bench.hold_imports();
    let receipt = stage(&session, "/in/users.csv", DAY_1).commit().unwrap();
    let id = bench.uploads()[0].id.to_string();
    fs::write(bench.client("archive").join(&id), DAY_2).unwrap();
    drop(hold);
    receipt.settle().await;
    bench.wait_until_idle();
    assert_eq!(bench.uploads()[0].state, UploadState::Failed);
    assert_eq!(bench.statuses(), ["failed"]);
    assert_eq!(bench.reported("/in/users.csv").unwrap(), id);
    assert!(bench.service.users("acme", None).unwrap().is_empty());
    put(&session, "/in/users.csv", DAY_1).await;
    bench.wait_until_idle();
    assert_eq!(bench.uploads()[1].state, UploadState::Done, "the next one goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operators_file_in_the_reports_place_loses_no_import() {
    let bench = Bench::start();
    let session = bench.session().await;
    fs::write(bench.client("files/acme/in/reports"), "in the way").unwrap();
    put(&session, "/in/users.csv", DAY_1).await;
    bench.wait_until_idle();
    assert_eq!(bench.uploads()[0].state, UploadState::Done);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_cannot_be_written_is_owed() {
    let bench = Bench::start_with(|c| c.limits.reply_wait_s = 0);
    let session = bench.session().await;
    let hold = bench.hold_imports();
    put(&session, "/in/users.csv", DAY_1).await;
    let id = bench.uploads()[0].id;
    // A folder where the report is written first: the write fails like on a full disk.
    let in_the_way = bench.client("spool").join(format!("{id}.report-0"));
    fs::create_dir(&in_the_way).unwrap();
    drop(hold);
    wait("the import", || !bench.service.imports("acme", 1).unwrap().is_empty());
    put(&session, "/in/other.csv", DAY_1).await;
    wait("others are imported meanwhile", || bench.reported("/in/other.csv").is_some());
    assert_eq!(bench.registry().upload(id).unwrap().unwrap().state, UploadState::Queued);
    fs::remove_dir(&in_the_way).unwrap();
    wait("the owed report", || bench.reported("/in/users.csv").is_some());
    bench.wait_until_idle();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_account_loses_its_sessions() {
    let bench = Bench::start();
    let session = bench.session().await;
    let ended = tokio::time::timeout(Duration::from_millis(300), session.ended()).await;
    assert!(ended.is_err());
    bench.service.set_account_enabled("acme", false).unwrap();
    tokio::time::timeout(Duration::from_secs(1), session.ended()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn only_one_process_serves_a_data_folder() {
    let bench = Bench::start();
    let second =
        Service::open(Arc::new(Config::default()), &bench.data(""), Clock::System).unwrap();
    let refused = second.start().err().unwrap();
    assert_eq!(refused.kind(), Kind::Busy);
    assert!(refused.message().contains("another rollcall"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_by_hand_waits_its_turn_and_leaves_no_file() {
    let bench = Bench::start();
    let session = bench.session().await;
    put(&session, "/in/users.csv", DAY_1).await;
    let file =
        ImportFile { client: "acme", folder: None, name: "users.csv", bytes: DAY_2.as_bytes() };
    let tried = bench.service.import_file(&file, DryRun::Yes).unwrap();
    assert!(tried.dry_run);
    assert_eq!(bench.imports().len(), 1, "a dry run writes nothing");
    let other = Service::open(Arc::new(Config::default()), &bench.data(""), Clock::System).unwrap();
    let report = other.import_file(&file, DryRun::No).unwrap();
    assert_eq!(report.counts.rows, 3);
    bench.wait_until_idle();
    assert_eq!(bench.imports().len(), 2);
    assert_eq!(bench.file("/in/users.csv").as_deref(), Some(DAY_1));
    let first = bench.imports()[0].id.to_string();
    assert_eq!(
        bench.reported("/in/users.csv").unwrap(),
        first,
        "the report speaks of the file beside it"
    );
    assert!(names(&bench.client("spool")).is_empty());
}

/// A registry row, and files in spool and archive, as a crash leaves them.
fn crashed(bench: &Bench, name: &str, text: &str, spooled: bool, archived: bool) -> String {
    let id = uuid::Uuid::now_v7();
    let spool = bench.client("spool").join(id.to_string());
    let archive = bench.client("archive").join(id.to_string());
    if spooled {
        fs::write(&spool, text).unwrap();
    }
    if archived {
        fs::write(&archive, text).unwrap();
    }
    let new = NewUpload {
        id,
        client: "acme".to_owned(),
        login: "acme".to_owned(),
        folder: Some("import".to_owned()),
        path: path(&format!("/in/{name}")),
        protocol: Some(Protocol::Sftp),
        bytes: size(text),
        sha256: sha256(text),
        received_at: Clock::System.now(),
        wants_import: true,
    };
    bench.registry().prepare_upload(&new).unwrap();
    id.to_string()
}

fn sha256(text: &str) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(text).iter().map(|b| format!("{b:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_brings_every_half_done_commit_to_its_end() {
    let mut bench = Bench::start();
    let session = bench.session().await;
    put(&session, "/in/renamed.csv", DAY_1).await;
    put(&session, "/in/overtaken.csv", DAY_2).await;
    drop(session);
    bench.workers.take().unwrap().stop();
    let unrenamed = crashed(&bench, "fresh.csv", DAY_1, true, true);
    // Renamed before the crash: the target has the bytes, the spool entry is gone, the old report is still there.
    let renamed = crashed(&bench, "renamed.csv", DAY_2, false, true);
    fs::write(bench.client("files/acme/in/renamed.csv"), DAY_2).unwrap();
    let withdrawn = crashed(&bench, "refused.csv", DAY_3, false, false);
    let overtaken = crashed(&bench, "overtaken.csv", DAY_1, true, true);
    let newer = crashed(&bench, "overtaken.csv", DAY_3, false, true);
    bench.registry().publish_upload(newer.parse().unwrap()).unwrap();
    fs::write(bench.client("files/acme/in/overtaken.csv"), DAY_3).unwrap();
    fs::write(bench.client("spool/01a8b4f0-0000-7000-8000-000000000000"), "orphan").unwrap();
    fs::write(bench.client("archive/01a8b4f0-0000-7000-8000-000000000000"), "orphan").unwrap();
    fs::write(bench.client("spool/x.report-0"), "half a report").unwrap();
    let Bench { service, folder, .. } = bench;
    drop(service);
    let bench = Bench::open(folder, |_| {});
    bench.wait_until_idle();
    let state = |id: &str| bench.registry().upload(id.parse().unwrap()).unwrap().unwrap().state;
    assert_eq!(state(&unrenamed), UploadState::Done);
    assert_eq!(bench.file("/in/fresh.csv").as_deref(), Some(DAY_1));
    assert_eq!(bench.reported("/in/fresh.csv"), Some(unrenamed));
    assert_eq!(state(&renamed), UploadState::Done);
    assert_eq!(bench.reported("/in/renamed.csv"), Some(renamed));
    assert_eq!(state(&withdrawn), UploadState::Failed);
    assert_eq!(bench.file("/in/refused.csv"), None);
    assert_eq!(state(&overtaken), UploadState::Failed);
    assert_eq!(bench.file("/in/overtaken.csv").as_deref(), Some(DAY_3));
    assert_eq!(bench.reported("/in/overtaken.csv"), Some(newer));
    assert!(names(&bench.client("spool")).is_empty());
    let kept = names(&bench.client("archive"));
    assert_eq!(kept.len(), 5, "{kept:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_restored_backup_does_not_know_is_imported_again() {
    let bench = Bench::start();
    let session = bench.session().await;
    put(&session, "/in/users.csv", DAY_1).await;
    put(&session, "/in/users.csv", DAY_2).await;
    let before = bench.imports();
    drop(session);
    let folder = bench.stop();
    for name in ["users.db", "users.db-wal", "users.db-shm"] {
        drop(fs::remove_file(folder.path().join("data/clients/acme").join(name)));
    }
    let bench = Bench::open(folder, |_| {});
    bench.wait_until_idle();
    let after = bench.imports();
    let ids = |all: &[ImportView]| all.iter().map(|i| i.id).collect::<Vec<_>>();
    assert_eq!(ids(&after), ids(&before), "the same imports, in the same order");
    assert_eq!(bench.reported("/in/users.csv").unwrap(), after[1].id.to_string());
    assert_eq!(bench.service.lost_uploads().unwrap(), []);
    let folder = bench.stop();
    let client = folder.path().join("data/clients/acme");
    for name in ["users.db", "users.db-wal", "users.db-shm"] {
        drop(fs::remove_file(client.join(name)));
    }
    fs::remove_file(client.join("archive").join(before[1].id.to_string())).unwrap();
    let bench = Bench::open(folder, |_| {});
    bench.wait_until_idle();
    let lost = bench.service.lost_uploads().unwrap();
    assert_eq!(lost.iter().map(|u| u.id).collect::<Vec<_>>(), [before[1].id]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_outlives_a_restart() {
    let bench = Bench::start_with(|c| c.limits.reply_wait_s = 0);
    let session = bench.session().await;
    let hold = bench.hold_imports();
    for name in ["a", "b", "c"] {
        put(&session, &format!("/in/{name}.csv"), DAY_1).await;
    }
    drop(session);
    let folder = bench.stop();
    drop(hold);
    let bench = Bench::open(folder, |_| {});
    bench.wait_until_idle();
    assert_eq!(bench.imports().len(), 3);
    let names: Vec<_> = bench.imports().into_iter().map(|i| i.file.name).collect();
    assert_eq!(names, ["a.csv", "b.csv", "c.csv"]);
    let bench = bench.restart();
    assert_eq!(bench.imports().len(), 3, "and nothing is imported twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_changes_nothing_and_its_file_can_be_imported_afterwards() {
    let bench = Bench::start();
    let session = bench.session().await;
    session.make_dir(&path("/in/test")).unwrap();
    put(&session, "/in/test/users.csv", DAY_1).await;
    put(&session, "/in/users.test.csv", DAY_2).await;
    let trials = bench.imports();
    assert!(trials.len() == 2 && trials.iter().all(|import| import.dry_run));
    assert!(bench.service.users("acme", None).unwrap().is_empty());
    assert_eq!(bench.reported("/in/test/users.csv").unwrap(), trials[0].id.to_string());
    rename(&session, "/in/test/users.csv", "/in/users.csv").await;
    assert!(!bench.imports()[2].dry_run);
    assert_eq!(bench.service.users("acme", None).unwrap().len(), 2);
    let refused = session.open_upload(&path("/in/test/reports/x.csv"), Open::Replace);
    assert_eq!(refused.err().unwrap().kind(), Kind::Denied);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_name_leaves_room_for_its_report() {
    let bench = Bench::start();
    let session = bench.session().await;
    let longest = format!("/in/{}.csv", "n".repeat(176));
    put(&session, &longest, DAY_1).await;
    assert_eq!(bench.reported(&longest).unwrap(), bench.imports()[0].id.to_string());
    let too_long = path(&format!("/in/{}.csv", "n".repeat(177)));
    let refused = session.open_upload(&too_long, Open::Replace).err().unwrap();
    assert!(refused.message().contains("at most 180"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_old_and_finished_goes() {
    let bench = Bench::start();
    let session = bench.session().await;
    put(&session, "/in/old.csv", DAY_1).await;
    put(&session, "/in/new.csv", DAY_2).await;
    bench.wait_until_idle();
    let [old, new] = [0, 1].map(|n| bench.uploads()[n].id);
    let long_ago = Clock::System.now() - jiff::SignedDuration::from_hours(24 * 91);
    bench.registry().finish_upload(old, UploadState::Done, long_ago, None).unwrap();
    let reports = bench.client("files/acme/in/reports");
    for name in names(&reports).iter().filter(|name| name.contains(&old.to_string())) {
        let file = File::options().write(true).open(reports.join(name)).unwrap();
        file.set_modified(std::time::SystemTime::from(long_ago)).unwrap();
    }
    drop(session);
    let bench = bench.restart();
    wait("the sweep", || names(&bench.client("archive")).len() == 1);
    assert_eq!(names(&bench.client("archive")), [new.to_string()]);
    wait("the sweep of reports", || names(&reports).len() == 2);
    assert!(names(&reports).iter().all(|name| name.contains(&new.to_string())));
    assert_eq!(bench.file("/in/old.csv").as_deref(), Some(DAY_1), "the account's own file stays");
    assert_eq!(bench.imports().len(), 2);
}
