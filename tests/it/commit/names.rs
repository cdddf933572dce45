//! Which names are imported, which belong to the server, and what a rename means.

use std::fs;

use rollcall::error::Kind;
use rollcall::model::{Protocol, Purpose};
use rollcall::remote;
use rollcall::service::session::{Open, Overwrite, Session};

use crate::app::TestApp;
use crate::bench::{Bench, DAY_1, DAY_2, DAY_3, names, path, put, rename, wait};

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
    put(&session, "/out/there", DAY_1).await;
    for taken in ["/in/users.csv", "/out/there"] {
        let refused = session.rename(&path("/in/new.part"), &path(taken), Overwrite::Never);
        let refused = refused.err().unwrap();
        assert_eq!(refused.kind(), Kind::Exists, "{taken}");
        assert!(refused.message().contains("remove it first, or upload onto it"), "{refused}");
    }
    session.make_dir(&path("/out/folder")).unwrap();
    let onto = session.rename(&path("/in/new.part"), &path("/out/folder"), Overwrite::Never);
    assert_eq!(onto.err().unwrap().kind(), Kind::IsFolder);
    assert_eq!(bench.imports().len(), 5);
    assert_eq!(bench.file("/out/there").as_deref(), Some(DAY_1));
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

/// January and February of one name; January comes back to that name in some way and goes aside again.
async fn there_and_back(clear: impl AsyncFn(&Session), aside: &str) {
    let bench = Bench::start();
    let session = bench.session().await;
    put(&session, "/in/users.csv", DAY_1).await;
    rename(&session, "/in/users.csv", aside).await;
    put(&session, "/in/users.csv", DAY_2).await;
    let january = bench.imports()[0].id.to_string();
    clear(&session).await;
    let answer = rename(&session, aside, "/in/users.csv").await;
    assert!(answer.contains("see users.csv.report.csv"), "{answer}");
    assert_eq!(bench.reported("/in/users.csv").as_ref(), Some(&january), "{aside}");
    for _ in 0..2 {
        // The answer comes a moment before the import is noted as done.
        bench.wait_until_idle();
        rename(&session, "/in/users.csv", aside).await;
        assert_eq!(bench.reported("/in/users.csv"), None);
        bench.wait_until_idle();
        rename(&session, aside, "/in/users.csv").await;
        assert_eq!(bench.reported("/in/users.csv").as_ref(), Some(&january), "{aside}");
    }
    bench.wait_until_idle();
    assert_eq!(bench.imports().len(), 2, "nothing is imported again: {aside}");
    assert_eq!(bench.service.users("acme", None).unwrap().len(), 3, "what February says holds");
    put(&session, "/in/users.csv", DAY_3).await;
    let imports = bench.imports();
    assert_eq!(imports.len(), 3);
    assert_eq!(bench.reported("/in/users.csv").unwrap(), imports[2].id.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_received_file_that_comes_back_to_the_name_of_a_newer_one_is_not_imported_again() {
    for aside in ["/in/users-old.csv", "/out/users.csv", "/users.csv"] {
        there_and_back(async |_| {}, aside).await;
        let removed = async |session: &Session| {
            session.remove_file(&path("/in/users.csv")).unwrap();
        };
        there_and_back(removed, aside).await;
        let moved = async |session: &Session| {
            rename(session, "/in/users.csv", "/out/february.csv").await;
        };
        there_and_back(moved, aside).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_of_both_protocols_rename_received_files_as_they_like() {
    let app = TestApp::start().await;
    for protocol in [Protocol::Sftp, Protocol::Ftps] {
        let login = protocol.name();
        app.add_account(login);
        let mut client = app.connect(login, protocol).await;
        let [now, old] = ["/payroll/users.csv", "/payroll/users-old.csv"].map(path);
        let imports = || app.service.imports(login, 100).unwrap().len();
        client.put(&now, DAY_1.as_bytes()).await.unwrap();
        client.rename(&now, &old, remote::Overwrite::Never).await.unwrap();
        client.put(&now, DAY_2.as_bytes()).await.unwrap();
        client.rename(&old, &now, remote::Overwrite::Replace).await.unwrap();
        client.rename(&now, &old, remote::Overwrite::Never).await.unwrap();
        client.put(&now, DAY_2.as_bytes()).await.unwrap();
        client.delete(&now).await.unwrap();
        client.rename(&old, &now, remote::Overwrite::Never).await.unwrap();
        client.rename(&now, &old, remote::Overwrite::Never).await.unwrap();
        app.settled().await;
        assert_eq!(imports(), 3, "{protocol:?}");
        assert_eq!(app.service.users(login, None).unwrap().len(), 3, "{protocol:?}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_received_file_is_known_in_a_folder_that_was_renamed_and_when_its_archive_is_gone() {
    let bench = Bench::start();
    let session = bench.session().await;
    session.make_dir(&path("/out/box")).unwrap();
    put(&session, "/in/users.csv", DAY_1).await;
    rename(&session, "/in/users.csv", "/out/box/users.csv").await;
    rename(&session, "/out/box", "/out/crate").await;
    rename(&session, "/out/crate/users.csv", "/in/users.csv").await;
    assert_eq!(bench.imports().len(), 1);
    fs::remove_file(bench.client("archive").join(bench.imports()[0].id.to_string())).unwrap();
    rename(&session, "/in/users.csv", "/out/users.csv").await;
    rename(&session, "/out/users.csv", "/in/users.csv").await;
    assert_eq!(bench.imports().len(), 1);
    // Another file of the same size in its place is none that was received.
    rename(&session, "/in/users.csv", "/out/users.csv").await;
    session.remove_file(&path("/out/users.csv")).unwrap();
    put(&session, "/out/users.csv", &DAY_1.replace("Dupont", "Durand")).await;
    rename(&session, "/out/users.csv", "/in/users.csv").await;
    assert_eq!(bench.imports().len(), 2);
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
