//! Limits of single accounts, over real connections.

use std::time::{Duration, Instant};

use rollcall::error::Kind;
use rollcall::model::{AccountLimits, Protocol, VPath};
use rollcall::remote::Connection;
use rollcall::service::session::{Open, Overwrite};

use crate::app::TestApp;
use crate::bench::{Bench, path, put as put_here, stage};

async fn put(connection: &mut Connection, path: &str, bytes: usize) -> Result<(), Kind> {
    let path: VPath = path.parse().unwrap();
    connection.put(&path, &vec![b'x'; bytes]).await.map(drop).map_err(|e| e.kind())
}

async fn server(limits: AccountLimits) -> TestApp {
    let app = TestApp::start().await;
    app.add_account("acme");
    app.service.set_account_limits("acme", limits).unwrap();
    app
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_holds_for_all_files_and_a_refused_upload_leaves_the_old_one() {
    let limits = AccountLimits { quota_bytes: Some(1000), ..AccountLimits::default() };
    for protocol in [Protocol::Sftp, Protocol::Ftps] {
        let app = server(limits).await;
        let mut acme = app.connect("acme", protocol).await;
        put(&mut acme, "/papers/a", 600).await.unwrap();
        put(&mut acme, "/papers/b", 500).await.unwrap_err();
        put(&mut acme, "/papers/a", 1001).await.unwrap_err();
        assert_eq!(app.service.account_usage("acme").unwrap().bytes, 600, "{protocol:?}");
        put(&mut acme, "/papers/a", 1000).await.unwrap();
        put(&mut acme, "/papers/c", 1).await.unwrap_err();
        put(&mut acme, "/papers/a", 10).await.unwrap();
        put(&mut acme, "/papers/b", 990).await.unwrap();
        let used = app.service.account_usage("acme").unwrap();
        assert_eq!((used.files, used.bytes), (2, 1000), "{protocol:?}");
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_counted_and_replacing_one_needs_no_room() {
    let limits = AccountLimits { quota_files: Some(2), ..AccountLimits::default() };
    let app = server(limits).await;
    let mut acme = app.connect("acme", Protocol::Sftp).await;
    put(&mut acme, "/papers/a", 1).await.unwrap();
    put(&mut acme, "/papers/b", 1).await.unwrap();
    put(&mut acme, "/papers/c", 1).await.unwrap_err();
    put(&mut acme, "/papers/b", 7).await.unwrap();
    assert_eq!(app.service.account_usage("acme").unwrap().files, 2);
    // A changed limit counts for the session that is open.
    app.service.set_account_limits("acme", AccountLimits::default()).unwrap();
    let begun = Instant::now();
    while put(&mut acme, "/papers/c", 1).await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(60), "the new limit does not count");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_is_no_larger_than_the_account_may_send() {
    let limits = AccountLimits { max_upload_bytes: Some(100), ..AccountLimits::default() };
    let app = server(limits).await;
    for protocol in Protocol::ALL {
        let mut acme = app.connect("acme", protocol).await;
        put(&mut acme, "/papers/a", 101).await.unwrap_err();
        put(&mut acme, "/papers/b", 100).await.unwrap();
    }
    assert_eq!(app.service.account_usage("acme").unwrap().files, 1);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_counted_for_the_account_alone() {
    let limits = AccountLimits { max_sessions: Some(1), ..AccountLimits::default() };
    let app = server(limits).await;
    app.add_account("other");
    let first = app.connect("acme", Protocol::Sftp).await;
    assert!(app.try_connect("acme", Protocol::Ftps).await.is_err());
    drop(app.connect("other", Protocol::Sftp).await);
    drop(app.connect("other", Protocol::Ftpes).await);
    first.close().await;
    let begun = Instant::now();
    while app.try_connect("acme", Protocol::Ftps).await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(60), "the place is not free again");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_on_which_nothing_moves_ends_after_the_accounts_own_time() {
    let limits = AccountLimits { idle_timeout_s: Some(5), ..AccountLimits::default() };
    let app = server(limits).await;
    for protocol in [Protocol::Sftp, Protocol::Ftpes] {
        let mut acme = app.connect("acme", protocol).await;
        put(&mut acme, "/papers/a", 1).await.unwrap();
        // Nothing else can tell that a session ends by itself; on a machine that stands still it ends later.
        let begun = Instant::now();
        loop {
            tokio::time::sleep(Duration::from_secs(7)).await;
            if put(&mut acme, "/papers/a", 2).await.is_err() {
                break;
            }
            assert!(begun.elapsed() < Duration::from_secs(120), "an idle session does not end");
        }
    }
    assert_eq!(app.service.account_usage("acme").unwrap().files, 1);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_that_let_nothing_through_are_refused() {
    let app = server(AccountLimits::default()).await;
    for limits in [
        AccountLimits { max_sessions: Some(0), ..AccountLimits::default() },
        AccountLimits { idle_timeout_s: Some(0), ..AccountLimits::default() },
        AccountLimits { max_upload_bytes: Some(0), ..AccountLimits::default() },
    ] {
        let refused = app.service.set_account_limits("acme", limits).unwrap_err();
        assert_eq!(refused.kind(), Kind::Invalid);
    }
    assert_eq!(app.service.account_limits("acme").unwrap(), AccountLimits::default());
    let nobody = app.service.set_account_limits("nobody", AccountLimits::default()).unwrap_err();
    assert_eq!(nobody.kind(), Kind::NotFound);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_holds_for_uploads_that_are_open_at_once() {
    let bench = Bench::start();
    let limits = AccountLimits { quota_bytes: Some(1000), ..AccountLimits::default() };
    bench.service.set_account_limits("acme", limits).unwrap();
    let session = bench.session().await;
    let first = stage(&session, "/out/a", &"a".repeat(600));
    let mut second = session.open_upload(&path("/out/a"), Open::Replace).unwrap();
    assert_eq!(second.write_at(0, &[b'a'; 500]).unwrap_err().kind(), Kind::Quota);
    drop((first, second));
    // The part of the first one.
    session.remove_file(&path("/out/a")).unwrap();
    // Each had room when it was opened.
    let mut open: Vec<_> = ["/out/b", "/out/c", "/out/c", "/out/d"]
        .map(|to| session.open_upload(&path(to), Open::Replace).unwrap())
        .into();
    for staged in &mut open {
        staged.write_at(0, &[b'b'; 500]).unwrap();
    }
    let refused = open.pop().unwrap().commit().err().unwrap();
    assert_eq!(refused.kind(), Kind::Quota);
    // One whose connection is lost leaves no more behind than a commit would.
    open.pop().unwrap().interrupt("lost");
    assert!(bench.names("/out").is_empty());
    for staged in open {
        staged.commit().unwrap();
    }
    assert_eq!(bench.service.account_usage("acme").unwrap().bytes, 1000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_left_its_place_meanwhile_gives_no_room() {
    let bench = Bench::start();
    for limits in [
        AccountLimits { quota_bytes: Some(1000), ..AccountLimits::default() },
        AccountLimits { quota_files: Some(1), ..AccountLimits::default() },
    ] {
        bench.service.set_account_limits("acme", limits).unwrap();
        let session = bench.session().await;
        put_here(&session, "/out/a", &"a".repeat(900)).await;
        let staged = stage(&session, "/out/a", &"b".repeat(900));
        // By the session itself it would be a new name for the upload.
        let other = bench.session().await;
        other.rename(&path("/out/a"), &path("/out/b"), Overwrite::Never).unwrap();
        assert_eq!(staged.commit().err().unwrap().kind(), Kind::Quota);
        assert_eq!(bench.names("/out"), ["b"]);
        let staged = stage(&session, "/out/b", &"c".repeat(1000));
        staged.commit().unwrap();
        session.remove_file(&path("/out/b")).unwrap();
    }
}
