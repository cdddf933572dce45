//! What becomes of an upload whose name is renamed or removed before it is closed.

use rollcall::error::Kind;
use rollcall::service::session::{Open, Overwrite};

use crate::bench::{Bench, DAY_1, DAY_2, DAY_3, names, path, put, rename, size, stage};

#[tokio::test(flavor = "multi_thread")]
async fn a_rename_before_the_close_renames_what_is_being_sent() {
    let bench = Bench::start();
    let session = bench.session().await;
    // A night before left its file behind: it must not stand in for tonight's.
    put(&session, "/in/users.csv.tmp", DAY_1).await;
    let staged = stage(&session, "/in/users.csv.tmp", DAY_2);
    let answer = rename(&session, "/in/users.csv.tmp", "/in/users.csv").await;
    assert_eq!(answer, "Renamed; it is stored when it is closed");
    assert!(bench.imports().is_empty(), "only the close commits");
    assert_eq!(bench.file("/in/users.csv"), None);
    assert_eq!(session.stat(&path("/in/users.csv")).unwrap().bytes, size(DAY_2));
    let answer = staged.commit().unwrap().settle().await.text;
    assert!(answer.contains("rows"), "{answer}");
    assert_eq!(bench.file("/in/users.csv").as_deref(), Some(DAY_2));
    assert_eq!(bench.file("/in/users.csv.tmp"), None, "the old file went with its name");
    assert_eq!(bench.imports().len(), 1);
    assert_eq!(bench.reported("/in/users.csv").unwrap(), bench.imports()[0].id.to_string());
    assert!(names(&bench.client("spool")).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rename_before_the_close_needs_what_any_rename_needs() {
    let bench = Bench::start();
    let session = bench.session().await;
    put(&session, "/in/users.csv", DAY_1).await;
    let staged = stage(&session, "/in/users.csv.tmp", DAY_2);
    let from = path("/in/users.csv.tmp");
    for (to, kind) in [
        ("/in/users.csv", Kind::Exists),
        ("/in/users.csv.report.json", Kind::Denied),
        ("/nowhere/users.csv", Kind::NotFound),
    ] {
        let refused = session.rename(&from, &path(to), Overwrite::Never).err().unwrap();
        assert_eq!(refused.kind(), kind, "{to}");
    }
    assert_eq!(staged.path(), from);
    session.rename(&from, &path("/in/users.csv"), Overwrite::Allow).unwrap();
    staged.commit().unwrap().settle().await;
    assert_eq!(bench.file("/in/users.csv").as_deref(), Some(DAY_2));
    // Whoever comes in between keeps the name that a plain rename asked for.
    let staged = stage(&session, "/out/a.tmp", "tonight");
    session.rename(&path("/out/a.tmp"), &path("/out/a"), Overwrite::Never).unwrap();
    put(&bench.session().await, "/out/a", "another's").await;
    assert_eq!(staged.commit().err().unwrap().kind(), Kind::Exists);
    assert_eq!(bench.file("/out/a").as_deref(), Some("another's"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_name_before_the_close_imports_nothing() {
    let bench = Bench::start();
    let session = bench.session().await;
    put(&session, "/in/users.csv", DAY_1).await;
    // As libfuse removes a file that is open.
    let staged = stage(&session, "/in/users.csv", DAY_2);
    let hidden = "/in/.fuse_hidden0000000300000001";
    rename(&session, "/in/users.csv", hidden).await;
    staged.commit().unwrap().settle().await;
    session.remove_file(&path(hidden)).unwrap();
    assert_eq!(bench.file("/in/users.csv"), None);
    assert_eq!(bench.file(hidden), None);
    assert_eq!(bench.imports().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_means_the_file_that_came_last() {
    let bench = Bench::start();
    let session = bench.session().await;
    // An attempt that was given up and not closed, and the one after it.
    let given_up = stage(&session, "/out/a.tmp", "half");
    put(&session, "/out/a.tmp", "the whole").await;
    assert_eq!(session.stat(&path("/out/a.tmp")).unwrap().bytes, 9);
    assert_eq!(rename(&session, "/out/a.tmp", "/out/a").await, "Renamed");
    assert_eq!(bench.file("/out/a").as_deref(), Some("the whole"));
    drop(given_up);
    // The next file is begun under the temporary name before the last one is closed.
    let first = stage(&session, "/in/users.csv.tmp", DAY_1);
    rename(&session, "/in/users.csv.tmp", "/in/users.csv").await;
    let second = stage(&session, "/in/users.csv.tmp", DAY_3);
    first.commit().unwrap().settle().await;
    rename(&session, "/in/users.csv.tmp", "/in/others.csv").await;
    second.commit().unwrap().settle().await;
    assert_eq!(bench.file("/in/users.csv").as_deref(), Some(DAY_1));
    assert_eq!(bench.file("/in/others.csv").as_deref(), Some(DAY_3));
    assert_eq!(bench.file("/in/users.csv.tmp"), None);
    // A finished file is renamed whatever another session sends there.
    let other = stage(&bench.session().await, "/out/a", "of another session");
    assert_eq!(rename(&session, "/out/a", "/out/b").await, "Renamed");
    other.commit().unwrap();
    assert_eq!(bench.file("/out/b").as_deref(), Some("the whole"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_continued_file_is_renamed_with_what_it_continues() {
    let bench = Bench::start();
    let session = bench.session().await;
    put(&session, "/in/users.csv.part", DAY_1).await;
    let mut more = session.open_upload(&path("/in/users.csv.part"), Open::Resume).unwrap();
    more.write_at(size(DAY_1), b"c;Third;C;c@acme.example;2020-01-06\n").unwrap();
    rename(&session, "/in/users.csv.part", "/in/users.csv").await;
    more.commit().unwrap().settle().await;
    assert!(bench.file("/in/users.csv").unwrap().starts_with(DAY_1));
    assert_eq!(bench.file("/in/users.csv.part"), None);
    assert_eq!(bench.imports().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_removed_before_the_close_is_not_stored() {
    let bench = Bench::start();
    let session = bench.session().await;
    let at = path("/in/users.csv");
    let staged = stage(&session, "/in/users.csv", "login;half");
    session.remove_file(&at).unwrap();
    assert_eq!(session.stat(&at).unwrap_err().kind(), Kind::NotFound);
    assert_eq!(session.remove_file(&at).unwrap_err().kind(), Kind::NotFound);
    assert!(staged.is_removed());
    assert_eq!(staged.commit().err().unwrap().kind(), Kind::Conflict);
    // With an older file of that name: that one goes, and nothing comes in its place.
    put(&session, "/in/users.csv", DAY_1).await;
    let staged = stage(&session, "/in/users.csv", "login;half");
    session.remove_file(&at).unwrap();
    assert_eq!(staged.commit().err().unwrap().kind(), Kind::Conflict);
    assert_eq!(bench.file("/in/users.csv"), None);
    // Nor is the part kept where parts are.
    let staged = stage(&session, "/out/big.bin", "half");
    session.remove_file(&path("/out/big.bin")).unwrap();
    staged.interrupt("the connection was lost");
    assert_eq!(bench.file("/out/big.bin"), None);
    assert_eq!(bench.imports().len(), 1);
    assert!(names(&bench.client("spool")).is_empty());
    let noted = bench.service.interruptions("acme", 10).unwrap();
    assert_eq!(noted[1].why, "the client removed it before it was closed");
    // Another session's file is its own matter.
    let staged = stage(&session, "/in/users.csv", DAY_2);
    let refused = bench.session().await.remove_file(&at).unwrap_err();
    assert_eq!(refused.kind(), Kind::NotFound);
    staged.commit().unwrap().settle().await;
    assert_eq!(bench.file("/in/users.csv").as_deref(), Some(DAY_2));
}
