//! What a crash or a restored backup left is brought to its end by the next start.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rollcall::clock::Clock;
use rollcall::config::Config;
use rollcall::error::Kind;
use rollcall::model::{Protocol, ServerTrust, UploadState};
use rollcall::service::Service;
use rollcall::service::imports::ImportView;
use rollcall::service::remotes::{NewRemoteAccount, NewSecret};
use rollcall::store::registry::NewUpload;

use crate::bench::{Bench, DAY_1, DAY_2, DAY_3, names, path, put, size};

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
async fn a_client_that_cannot_be_opened_stops_nobody_else_and_loses_nothing() {
    let folder = Bench::start().stop();
    // No workers: the upload is acknowledged and waits.
    let mut config = Config::default();
    config.limits.min_free_bytes = 0;
    config.limits.reply_wait_s = 0;
    let data = folder.path().join("data");
    let service = Service::open(Arc::new(config), &data, Clock::System).unwrap();
    let waiting = Bench { service, workers: None, folder };
    put(&waiting.session().await, "/in/users.csv", DAY_1).await;
    // Not even root opens a folder for writing.
    let lock = waiting.client("import.lock");
    drop(fs::remove_file(&lock));
    fs::create_dir(&lock).unwrap();
    let Bench { service, folder, .. } = waiting;
    drop(service);

    let bench = Bench::open(folder, |_| {});
    let other = rollcall::service::clients::NewClient {
        slug: "other".to_owned(),
        name: "Other".to_owned(),
        language: rollcall::model::Language::En,
        time_zone: "UTC".to_owned(),
    };
    bench.service.add_client(other).unwrap();
    let states: Vec<UploadState> = bench.uploads().iter().map(|upload| upload.state).collect();
    assert_eq!(states, [UploadState::Queued]);
    assert_eq!(bench.file("/in/users.csv").as_deref(), Some(DAY_1));
    fs::remove_dir(&lock).unwrap();
    let bench = bench.restart();
    bench.wait_until_idle();
    assert_eq!(bench.statuses(), ["ok"]);
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

/// An account on the client's own server, which nothing asks.
fn with_remote_account(bench: &Bench) -> String {
    let new = NewRemoteAccount {
        client: "acme".to_owned(),
        name: "Theirs".to_owned(),
        protocol: Protocol::Sftp,
        host: "127.0.0.1:9".to_owned(),
        login: "rollcall".to_owned(),
        secret: NewSecret::Password("secret".to_owned().into()),
        trust: ServerTrust::Pins(Vec::new()),
    };
    bench.service.add_remote_account(&new).unwrap().login
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_beside_a_fetch_takes_none_of_its_files() {
    let bench = Bench::start();
    let login = with_remote_account(&bench);
    let folder = bench.stop();
    let client = folder.path().join("data/clients/acme");
    // `rollcall fetch` in another process, between a file's name in the archive and its row.
    let fetching = fs::File::create(client.join(format!("fetch-{login}.lock"))).unwrap();
    rustix::fs::flock(&fetching, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let id = uuid::Uuid::now_v7().to_string();
    fs::write(client.join("spool").join(&id), DAY_1).unwrap();
    fs::hard_link(client.join("spool").join(&id), client.join("archive").join(&id)).unwrap();
    fs::write(client.join("spool/x.report-0"), "half a report").unwrap();
    let bench = Bench::open(folder, |_| {});
    assert_eq!(names(&bench.client("spool")), std::slice::from_ref(&id));
    assert_eq!(names(&bench.client("archive")), [id]);
    // It ended there: the next start knows that nobody comes for them.
    drop(fetching);
    let bench = bench.restart();
    assert!(names(&bench.client("spool")).is_empty());
    assert!(names(&bench.client("archive")).is_empty());
}

/// Takes the rename of an upload back, as a power cut may: its bytes have the spool's name again, the target what was there before.
fn unrename(folder: &Path, id: &str, path: &str, before: Option<&str>) {
    let client = folder.join("data/clients/acme");
    let target = client.join("files/acme").join(path.trim_start_matches('/'));
    fs::rename(&target, client.join("spool").join(id)).unwrap();
    if let Some(text) = before {
        fs::write(&target, text).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledged_upload_gets_its_name_again_when_a_power_cut_took_it() {
    let bench = Bench::start();
    let session = bench.session().await;
    for (path, text) in [
        ("/in/users.csv", DAY_1),
        ("/in/users.csv", DAY_2),
        ("/note.txt", "old"),
        ("/note.txt", "new"),
        ("/twice.txt", "first"),
        ("/twice.txt", "second"),
        ("/gone.txt", "gone"),
    ] {
        put(&session, path, text).await;
    }
    drop(session);
    let ids: Vec<String> = bench.uploads().iter().map(|upload| upload.id.to_string()).collect();
    let [_, users, _, note, first, second, gone] = ids.try_into().unwrap();
    let imported = bench.imports();
    let folder = bench.stop();
    unrename(folder.path(), &users, "/in/users.csv", Some(DAY_1));
    unrename(folder.path(), &note, "/note.txt", Some("old"));
    // Both renames onto one name are lost: the newer one wins.
    unrename(folder.path(), &second, "/twice.txt", None);
    fs::write(folder.path().join("data/clients/acme/spool").join(&first), "first").unwrap();
    // The rename came to the disk, and only the entry in the spool's folder came back.
    let client = folder.path().join("data/clients/acme");
    fs::hard_link(client.join("files/acme/gone.txt"), client.join("spool").join(&gone)).unwrap();
    let bench = Bench::open(folder, |_| {});
    bench.wait_until_idle();
    assert_eq!(bench.file("/in/users.csv").as_deref(), Some(DAY_2));
    assert_eq!(bench.file("/note.txt").as_deref(), Some("new"));
    assert_eq!(bench.file("/twice.txt").as_deref(), Some("second"));
    assert_eq!(bench.file("/gone.txt").as_deref(), Some("gone"));
    assert!(names(&bench.client("spool")).is_empty());
    assert_eq!(bench.imports().len(), imported.len(), "nothing is imported twice");
    assert_eq!(bench.reported("/in/users.csv"), Some(users), "today's report stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_did_not_all_come_to_the_disk_before_their_row_are_never_published() {
    let mut bench = Bench::start();
    put(&bench.session().await, "/in/users.csv", DAY_1).await;
    bench.workers.take().unwrap().stop();
    let mut torn = Vec::new();
    // As long as it has to be, with a block that never came; and empty.
    for (name, left) in
        [("/in/users.csv", "\0".repeat(DAY_2.len())), ("/in/other.csv", String::new())]
    {
        let id = crashed(&bench, name.trim_start_matches("/in/"), DAY_2, false, false);
        fs::write(bench.client("archive").join(&id), left).unwrap();
        fs::hard_link(bench.client("archive").join(&id), bench.client("spool").join(&id)).unwrap();
        torn.push(id);
    }
    let Bench { service, folder, .. } = bench;
    drop(service);
    let bench = Bench::open(folder, |_| {});
    bench.wait_until_idle();
    for id in torn {
        let upload = bench.registry().upload(id.parse().unwrap()).unwrap().unwrap();
        assert_eq!(upload.state, UploadState::Failed);
        assert!(upload.failure.unwrap().contains("before all of it was on the disk"));
        assert!(!bench.client("archive").join(&id).exists());
    }
    assert_eq!(bench.file("/in/users.csv").as_deref(), Some(DAY_1));
    assert_eq!(bench.file("/in/other.csv"), None);
    assert_eq!(bench.imports().len(), 1);
    assert!(names(&bench.client("spool")).is_empty());
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
