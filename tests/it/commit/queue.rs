//! The import queue: order, what newer files supersede, what our own faults leave behind.

use std::fs::{self, File};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rollcall::clock::Clock;
use rollcall::config::Config;
use rollcall::model::UploadState;
use rollcall::service::Service;
use rollcall::service::by_hand::{DryRun, ImportFile};

use crate::bench::{Bench, DAY_1, DAY_2, DAY_3, names, path, put, stage, wait};

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
async fn a_long_import_does_not_hold_the_answer_up() {
    let bench = Bench::start_with(|c| c.limits.reply_wait_s = 1);
    let session = bench.session().await;
    let hold = bench.hold_imports();
    let started = Instant::now();
    assert_eq!(put(&session, "/in/users.csv", DAY_1).await, "Received; import running");
    assert!(started.elapsed() < Duration::from_secs(60));
    assert_eq!(session.list(&path("/in")).unwrap().count(), 1, "others see it at once");
    drop(hold);
    wait("the report", || bench.reported("/in/users.csv").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_by_hand_waits_its_turn_and_leaves_no_file() {
    let bench = Bench::start();
    let session = bench.session().await;
    put(&session, "/in/users.csv", DAY_1).await;
    let file = || {
        let bytes = DAY_2.as_bytes().into();
        ImportFile { client: "acme", folder: None, name: "users.csv", content: bytes }
    };
    let tried = bench.service.import_file(file(), DryRun::Yes).unwrap();
    assert!(tried.dry_run);
    assert_eq!(bench.imports().len(), 1, "a dry run writes nothing");
    let other = Service::open(Arc::new(Config::default()), &bench.data(""), Clock::System).unwrap();
    let report = other.import_file(file(), DryRun::No).unwrap();
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

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_archive_is_told_and_never_imported() {
    let bench = Bench::start_with(|c| c.limits.reply_wait_s = 60);
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
    tokio::time::timeout(Duration::from_secs(60), session.ended()).await.unwrap();
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
