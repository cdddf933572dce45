//! What operators and disks do to a data folder: an older database put back, one that is damaged, a disk that is gone.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rollcall::clock::Clock;
use rollcall::import::fields::Field;
use rollcall::model::{Language, UploadState};
use rollcall::service::Service;
use rollcall::service::clients::NewClient;
use rollcall::service::holds::{Ruling, Verdict};
use tempfile::TempDir;

use crate::bench::{Bench, DAY_1, DAY_2, names, path, put, stage, wait};

const DATABASE: [&str; 3] = ["users.db", "users.db-wal", "users.db-shm"];

fn roster(count: usize, ended: usize) -> String {
    let mut text = "login;lastName;firstName;mail;dtContractStart;dtContractEnd\n".to_owned();
    for n in 1..=count {
        let end = if n <= ended { "2026-10-31" } else { "" };
        text.push_str(&format!("p{n};Nom{n};Prénom{n};p{n}@acme.example;2020-01-06;{end}\n"));
    }
    text
}

fn ended(bench: &Bench) -> usize {
    let users = bench.service.users("acme", None).unwrap();
    users.iter().filter(|user| user.values.get(Field::ContractEnd).is_some()).count()
}

fn codes(bench: &Bench) -> Vec<String> {
    let alarms = bench.service.alarms(None, false, 100).unwrap();
    alarms.into_iter().map(|alarm| alarm.code).collect()
}

/// The files of a client's database, to be put back later.
fn copy_database(client: &Path) -> Vec<(&'static str, Vec<u8>)> {
    DATABASE.into_iter().filter_map(|n| Some((n, fs::read(client.join(n)).ok()?))).collect()
}

fn put_database(client: &Path, files: &[(&str, Vec<u8>)]) {
    for name in DATABASE {
        drop(fs::remove_file(client.join(name)));
    }
    for (name, bytes) in files {
        fs::write(client.join(name), bytes).unwrap();
    }
}

/// Most of its pages are gone, under a server that runs.
fn break_database(client: &Path) {
    let file = fs::OpenOptions::new().write(true).open(client.join("users.db")).unwrap();
    file.set_len(8192).unwrap();
}

/// After a first import and a start over its database, which was damaged then: the client's folder, and the good database.
async fn broken(bench: Bench) -> (Bench, PathBuf, Vec<(&'static str, Vec<u8>)>) {
    put(&bench.session().await, "/in/users.csv", &roster(40, 0)).await;
    let folder = bench.stop();
    let client = folder.path().join("data/clients/acme");
    let good = copy_database(&client);
    let bench = Bench::open(folder, |config| config.limits.import_attempts = 1);
    break_database(&client);
    (bench, client, good)
}

/// The bench as it stands, and the database of its client as of now.
fn remembered(bench: Bench) -> (Bench, Vec<(&'static str, Vec<u8>)>) {
    let folder = bench.stop();
    let files = copy_database(&folder.path().join("data/clients/acme"));
    (Bench::open(folder, |_| {}), files)
}

/// The bench after its client's database was exchanged for an older one, or for none.
fn put_back(bench: Bench, files: &[(&str, Vec<u8>)]) -> Bench {
    let folder = bench.stop();
    put_database(&folder.path().join("data/clients/acme"), files);
    let bench = Bench::open(folder, |_| {});
    bench.wait_until_idle();
    bench
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_was_undone_is_not_done_again_over_an_older_database() {
    let bench = Bench::start();
    bench.service.set_settings("acme", "import", "mode = \"delta\"").unwrap();
    put(&bench.session().await, "/in/users.csv", &roster(40, 0)).await;
    let (bench, before) = remembered(bench);
    let session = bench.session().await;
    put(&session, "/in/leavers.csv", &roster(4, 4)).await;
    assert_eq!(ended(&bench), 4);
    bench.service.undo_import(bench.imports()[1].id, "cli").unwrap();
    // The same bytes after it are applied anew, and taken back as well.
    put(&session, "/in/more.csv", &roster(2, 2)).await;
    assert_eq!(ended(&bench), 2);
    drop(session);
    let bench = put_back(bench, &before);
    assert_eq!(ended(&bench), 2, "what was undone stays undone, what was applied comes again");
    assert_eq!(bench.statuses(), ["ok", "ok"]);
    assert!(bench.service.lost_uploads().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_came_to_nothing_takes_no_others_place_over_an_older_database() {
    let bench = Bench::start();
    put(&bench.session().await, "/in/users.csv", DAY_1).await;
    let (bench, before) = remembered(bench);
    let session = bench.session().await;
    put(&session, "/in/users.csv", DAY_2).await;
    let wrong = DAY_2.replace("Dupont", "WRONG");
    put(&session, "/in/users.csv", &wrong).await;
    bench.service.undo_import(bench.imports()[2].id, "cli").unwrap();
    drop(session);
    assert_eq!(bench.statuses(), ["ok", "ok", "undone"]);
    let names = |bench: &Bench| -> Vec<String> {
        let users = bench.service.users("acme", None).unwrap();
        users.iter().map(|user| user.values.get(Field::LastName).unwrap().to_owned()).collect()
    };
    let good = names(&bench);
    let bench = put_back(bench, &before);
    assert_eq!(bench.statuses(), ["ok", "ok"], "the good day is not superseded by the bad one");
    assert_eq!(names(&bench), good);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_held_comes_back_held_and_what_was_discarded_not_at_all() {
    for decided in [None, Some(Verdict::Discard)] {
        let bench = Bench::start();
        let session = bench.session().await;
        put(&session, "/in/users.csv", &roster(40, 0)).await;
        put(&session, "/in/other.csv", &roster(40, 12)).await;
        drop(session);
        let id = bench.imports()[1].id;
        assert_eq!(bench.statuses(), ["ok", "held"]);
        if let Some(verdict) = decided {
            let ruling = Ruling { verdict, lines: BTreeSet::new(), sha256: String::new() };
            bench.service.decide(id, &ruling, "cli").unwrap();
        }
        // Into an empty directory it would pass the guards if the first file's bytes were gone as well.
        let first = bench.imports()[0].id;
        let folder = bench.stop();
        let client = folder.path().join("data/clients/acme");
        put_database(&client, &[]);
        fs::remove_file(client.join("archive").join(first.to_string())).unwrap();
        let bench = Bench::open(folder, |_| {});
        bench.wait_until_idle();
        assert!(bench.service.users("acme", None).unwrap().is_empty());
        if decided.is_some() {
            assert!(bench.statuses().is_empty());
            continue;
        }
        assert_eq!(bench.statuses(), ["held"]);
        assert_eq!(bench.imports()[0].waits_for.as_deref(), Some("approval"));
        let report = bench.file("/in/other.csv.report.csv").unwrap();
        assert!(report.contains("E901"), "{report}");
        let ruling =
            Ruling { verdict: Verdict::Approve, lines: BTreeSet::new(), sha256: String::new() };
        bench.service.decide(id, &ruling, "cli").unwrap();
        assert_eq!(bench.service.users("acme", None).unwrap().len(), 40);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_our_fault_stopped_is_told_and_done_at_the_next_start() {
    let (bench, client, good) = broken(Bench::start()).await;
    put(&bench.session().await, "/in/users.csv", &roster(41, 0)).await;
    bench.wait_until_idle();
    assert_eq!(bench.uploads()[1].state, UploadState::Failed);
    assert_eq!(codes(&bench), ["T12"]);
    let report = bench.file("/in/users.csv.report.csv").unwrap();
    assert!(report.contains("Send the file again"), "{report}");

    // The good database is back, and nobody has started the server again yet.
    let folder = bench.stop();
    put_database(&client, &good);
    let service =
        Service::open(Arc::default(), &folder.path().join("data"), Clock::System).unwrap();
    let listed = service.imports("acme", 10).unwrap();
    let statuses: Vec<&str> = listed.iter().map(|view| view.status.as_str()).collect();
    assert_eq!(statuses, ["failed", "ok"]);
    assert_eq!(service.given_up_uploads().unwrap().len(), 1);
    drop(service);

    let bench = Bench::open(folder, |_| {});
    bench.wait_until_idle();
    assert_eq!(bench.statuses(), ["ok", "ok"]);
    assert_eq!(bench.service.users("acme", None).unwrap().len(), 41);
    wait("the alarm is over", || codes(&bench).is_empty());
    assert!(bench.service.given_up_uploads().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_import_that_later_ones_have_overtaken_waits_or_is_needless() {
    for (mode, expected) in [("delta", "held"), ("full", "superseded")] {
        let bench = Bench::start();
        bench.service.set_settings("acme", "import", &format!("mode = \"{mode}\"")).unwrap();
        let (bench, client, good) = broken(bench).await;
        let session = bench.session().await;
        put(&session, "/in/failed.csv", &roster(40, 2)).await;
        bench.wait_until_idle();
        // Mended while the server goes on, which knows nothing of it.
        put_database(&client, &good);
        put(&session, "/in/later.csv", &roster(41, 0)).await;
        drop(session);
        assert_eq!(bench.service.users("acme", None).unwrap().len(), 41);
        let bench = bench.restart();
        bench.wait_until_idle();
        let failed = bench.uploads()[1].id;
        assert_eq!(bench.service.import(failed).unwrap().view.status, expected);
        assert_eq!(ended(&bench), 0, "{mode}");
        wait("the alarm is over", || codes(&bench).is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_taken_once_the_data_folder_is_another_one() {
    let bench = Bench::start();
    let session = bench.session().await;
    put(&session, "/in/users.csv", DAY_1).await;
    let data = bench.data("");
    let away = bench.folder.path().join("away");
    for replaced in [false, true] {
        fs::rename(&data, &away).unwrap();
        if replaced {
            fs::create_dir_all(&data).unwrap();
        }
        let refused = session
            .open_upload(&path("/in/users.csv"), rollcall::service::session::Open::Replace)
            .err()
            .unwrap();
        assert!(
            refused.message().contains("is not the one that this server started with"),
            "{refused}"
        );
        assert!(bench.service.imports("acme", 10).is_err());
        assert!(!data.join("clients").exists(), "no phantom of the client");
        let health = bench.service.health(None);
        assert!(!health.ready, "{health:?}");
        assert!(health.signs.iter().any(|sign| sign.what == "data"), "{health:?}");
        if replaced {
            fs::remove_dir_all(&data).unwrap();
        }
        fs::rename(&away, &data).unwrap();
    }
    // An upload that was open when the folder left is refused at its end.
    let staged = stage(&session, "/in/users.csv", DAY_2);
    fs::rename(&data, &away).unwrap();
    assert!(staged.commit().is_err());
    fs::rename(&away, &data).unwrap();
    assert_eq!(bench.file("/in/users.csv").as_deref(), Some(DAY_1));
    put(&session, "/in/users.csv", DAY_2).await;
    assert_eq!(bench.statuses(), ["ok", "ok"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_registry_is_no_new_start() {
    let bench = Bench::start();
    put(&bench.session().await, "/in/users.csv", DAY_1).await;
    let folder = bench.stop();
    let data = folder.path().join("data");
    let archived = names(&data.join("clients/acme/archive"));
    assert_eq!(archived.len(), 1);
    for ending in ["", "-wal", "-shm"] {
        drop(fs::remove_file(data.join(format!("registry.db{ending}"))));
    }
    fs::write(data.join("registry.db"), b"").unwrap();
    let service = Service::open(Arc::default(), &data, Clock::System).unwrap();
    let refused = service.start().err().unwrap();
    assert!(refused.message().contains("registry.db is missing or new"), "{refused}");
    assert!(refused.message().contains("acme"), "{refused}");
    let client = NewClient {
        slug: "acme".to_owned(),
        name: "Somebody else".to_owned(),
        language: Language::En,
        time_zone: "UTC".to_owned(),
    };
    let refused = service.add_client(client).unwrap_err();
    assert!(refused.message().contains("move that folder away"), "{refused}");
    let checked = service.check_databases();
    assert!(checked.iter().any(|(what, found)| what.ends_with("clients/acme") && found.is_err()));
    assert_eq!(names(&data.join("clients/acme/archive")), archived);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_registry_sweeps_nothing_that_the_directory_knows() {
    let folder = Bench::start().stop();
    let data = folder.path().join("data");
    let older = fs::read(data.join("registry.db")).unwrap();
    let bench = Bench::open(folder, |_| {});
    put(&bench.session().await, "/in/users.csv", DAY_1).await;
    let folder = bench.stop();
    for ending in ["-wal", "-shm"] {
        drop(fs::remove_file(data.join(format!("registry.db{ending}"))));
    }
    fs::write(data.join("registry.db"), older).unwrap();
    let bench = Bench::open(folder, |_| {});
    assert!(bench.uploads().is_empty());
    assert_eq!(names(&bench.client("archive")).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_clients_damaged_database_stops_nobody_else() {
    let bench = Bench::start();
    let other = NewClient {
        slug: "other".to_owned(),
        name: String::new(),
        language: Language::En,
        time_zone: "UTC".to_owned(),
    };
    bench.service.add_client(other).unwrap();
    put(&bench.session().await, "/in/users.csv", DAY_1).await;
    let folder = bench.stop();
    let client = folder.path().join("data/clients/acme");
    let good = copy_database(&client);
    put_database(&client, &[("users.db", b"garbage!".repeat(1000))]);
    let bench = Bench::open(folder, |config| config.limits.reply_wait_s = 0);
    assert_eq!(codes(&bench), ["T13"]);
    // What comes is taken, and waits.
    put(&bench.session().await, "/in/users.csv", DAY_2).await;
    assert_eq!(bench.uploads()[1].state, UploadState::Queued);
    let target = TempDir::new().unwrap();
    let made = bench.service.back_up(&target.path().join("backup")).unwrap();
    assert_eq!(made.clients, ["acme", "other"]);
    assert_eq!(made.damaged.len(), 1);
    assert_eq!(made.damaged[0].client, "acme");
    let copied = target.path().join("backup/clients");
    assert_eq!(fs::read(copied.join("acme/users.db")).unwrap(), b"garbage!".repeat(1000));
    assert!(copied.join("other/users.db").is_file());
    assert_eq!(names(&copied.join("acme/archive")).len(), 2);

    let bench = put_back(bench, &good);
    assert!(codes(&bench).is_empty());
    assert_eq!(bench.statuses(), ["ok", "ok"]);
    assert!(bench.service.back_up(&target.path().join("again")).unwrap().damaged.is_empty());
}
