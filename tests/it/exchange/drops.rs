//! Files handed over through hosted export folders, and what the account does with them.

use rollcall::error::Kind;
use rollcall::model::{Protocol, Purpose, VPath};
use rollcall::remote::Overwrite;
use rollcall::service::drops::{Content, DropFilter, DropState, FileDrop, NewDrop};

use super::super::app::TestApp;

const CLIENT: &str = "acme";

async fn app() -> TestApp {
    let app = TestApp::start().await;
    app.add_account(CLIENT);
    let path = "/out".parse().unwrap();
    app.service.add_folder(CLIENT, "out", &path, Purpose::Export, None).unwrap();
    app
}

fn hand_over(app: &TestApp, name: &str, bytes: &[u8], key: Option<&str>) -> FileDrop {
    app.service.drop_file(&file(name, bytes, key)).unwrap()
}

fn file<'a>(name: &'a str, bytes: &'a [u8], key: Option<&'a str>) -> NewDrop<'a> {
    NewDrop {
        client: CLIENT,
        folder: "out",
        name,
        content: Content::Bytes(bytes),
        origin: "a test",
        who: "test",
        key,
    }
}

fn state(app: &TestApp, dropped: &FileDrop) -> DropState {
    app.service.file_drop(&dropped.id).unwrap().state
}

fn at(path: &str) -> VPath {
    path.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_counts_as_fetched_once_it_was_read_whole_over_either_protocol() {
    let app = app().await;
    // More than one block of either protocol, so that it is read in pieces and out of order.
    let large = vec![b'x'; 1_500_000];
    for (n, protocol) in Protocol::ALL.into_iter().enumerate() {
        for bytes in [&b""[..], b"a;b\n1;2\n", &large] {
            let name = format!("absences-{n}-{}.csv", bytes.len());
            let dropped = hand_over(&app, &name, bytes, None);
            assert_eq!(dropped.state, DropState::Placed, "{name}");
            let mut session = app.connect(CLIENT, protocol).await;
            let got = session.get(&at(&format!("/out/{name}")), 1 << 22).await.unwrap();
            session.close().await;
            assert_eq!(got, bytes, "{name}");
            let seen = app.service.file_drop(&dropped.id).unwrap();
            assert_eq!((seen.state, seen.fetches), (DropState::Fetched, 1), "{protocol} {name}");
            assert!(app.service.withdraw_drop(&dropped.id, "test").is_err(), "it was fetched");
        }
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_account_does_with_an_unread_file_is_known() {
    let app = app().await;
    let mut session = app.connect(CLIENT, Protocol::Sftp).await;
    let replaced = hand_over(&app, "a.csv", b"1", None);
    session.put(&at("/out/a.csv"), b"mine").await.unwrap();
    assert_eq!(state(&app, &replaced), DropState::Removed);
    // A file that the account laid there itself is no file that was handed over.
    session.get(&at("/out/a.csv"), 100).await.unwrap();
    assert_eq!(state(&app, &replaced), DropState::Removed);
    session.close().await;
    let removed = hand_over(&app, "b.csv", b"2", None);
    std::fs::remove_file(app.path("data/clients/acme/files/acme/out/b.csv")).unwrap();
    assert_eq!(state(&app, &removed), DropState::Placed, "nobody told us");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_file_of_the_same_name_takes_the_place_of_an_unread_one() {
    let app = app().await;
    let first = hand_over(&app, "absences.csv", b"monday", Some("day/1"));
    let again = hand_over(&app, "absences.csv", b"monday", Some("day/1"));
    assert_eq!(first.id, again.id, "a known key is not handed over twice");
    let second = hand_over(&app, "absences.csv", b"tuesday", Some("day/2"));
    assert_eq!(state(&app, &first), DropState::Withdrawn);
    let mut session = app.connect(CLIENT, Protocol::Ftpes).await;
    assert_eq!(session.get(&at("/out/absences.csv"), 100).await.unwrap(), b"tuesday");
    session.close().await;
    assert_eq!(state(&app, &second), DropState::Fetched);
    assert_eq!(state(&app, &first), DropState::Withdrawn);
    // One that was fetched stays so, whatever comes after it.
    let third = hand_over(&app, "absences.csv", b"wednesday", None);
    assert_eq!(
        (state(&app, &second), state(&app, &third)),
        (DropState::Fetched, DropState::Placed)
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_taken_back_is_gone() {
    let app = app().await;
    let dropped = hand_over(&app, "x.csv", b"secret", None);
    let file = app.path("data/clients/acme/files/acme/out/x.csv");
    assert!(file.exists());
    app.service.withdraw_drop(&dropped.id, "test").unwrap();
    assert!(!file.exists());
    assert_eq!(state(&app, &dropped), DropState::Withdrawn);
    assert!(app.service.withdraw_drop(&dropped.id, "test").is_err());
    assert!(app.service.retry_drop(&dropped.id).is_err());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_final_names_in_export_folders_are_accepted() {
    let app = app().await;
    for (folder, name) in [
        ("roster", "a.csv"),
        ("nowhere", "a.csv"),
        ("out", "a/b.csv"),
        ("out", "../b.csv"),
        ("out", ".."),
        ("out", ""),
        ("out", "a.csv.part"),
        ("out", "a\0b.csv"),
    ] {
        let new = NewDrop {
            client: CLIENT,
            folder,
            name,
            content: Content::Bytes(b"x"),
            origin: "a test",
            who: "test",
            key: None,
        };
        assert!(app.service.drop_file(&new).is_err(), "{folder} {name:?}");
    }
    assert!(app.service.drops(&DropFilter::default()).unwrap().is_empty());
    let kept = std::fs::read_dir(app.path("data/clients/acme/outbox")).unwrap().count();
    assert_eq!(kept, 0, "nothing of what was refused is kept");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_stands_for_one_file_of_its_client() {
    let app = app().await;
    let elsewhere = at("/out-2");
    app.service.add_folder(CLIENT, "out-2", &elsewhere, Purpose::Export, None).unwrap();
    app.add_account("other");
    app.service.add_folder("other", "out", &at("/out"), Purpose::Export, None).unwrap();
    let first = hand_over(&app, "a.csv", b"monday", Some("k"));
    assert_eq!(hand_over(&app, "a.csv", b"monday", Some("k")).id, first.id);
    let refused = |new: &NewDrop<'_>| app.service.drop_file(new).unwrap_err();
    for (wrong, said) in [
        (file("a.csv", b"tuesday", Some("k")), "with other content"),
        (file("b.csv", b"monday", Some("k")), "under another name"),
        (NewDrop { folder: "out-2", ..file("a.csv", b"monday", Some("k")) }, "another folder"),
    ] {
        let error = refused(&wrong);
        assert_eq!(error.kind(), Kind::Conflict, "{error}");
        assert!(
            error.message().contains("the key \"k\" was used for another file (a.csv"),
            "{error}"
        );
        assert!(error.message().contains(said), "{error}");
    }
    for wrong in [
        NewDrop { client: "nobody", ..file("a.csv", b"monday", Some("k")) },
        NewDrop { folder: "nowhere", ..file("a.csv", b"monday", Some("k")) },
        NewDrop {
            content: Content::File(std::path::Path::new("/nowhere/a.csv")),
            ..file("a.csv", b"", Some("k"))
        },
    ] {
        assert_eq!(refused(&wrong).kind(), Kind::NotFound, "{wrong:?}");
    }
    let others = NewDrop { client: "other", ..file("a.csv", b"theirs", Some("k")) };
    let theirs = app.service.drop_file(&others).unwrap();
    assert_eq!((theirs.client.as_str(), theirs.state), ("other", DropState::Placed));
    // What the account calls its file now does not count.
    let mut session = app.connect(CLIENT, Protocol::Sftp).await;
    session.rename(&at("/out/a.csv"), &at("/out/taken.csv"), Overwrite::Never).await.unwrap();
    session.close().await;
    assert_eq!(hand_over(&app, "a.csv", b"monday", Some("k")).id, first.id);
    app.service.withdraw_drop(&first.id, "test").unwrap();
    let error = refused(&file("a.csv", b"monday", Some("k")));
    assert_eq!(error.kind(), Kind::Conflict);
    assert!(error.message().contains("was taken back; use another key"), "{error}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_ours_and_of_people_never_meet() {
    let app = app().await;
    let key = format!("export/{}/1", uuid::Uuid::now_v7());
    let own = app.service.drop_file_once(&file("a.csv", b"1", None), &key).unwrap();
    let again = app.service.drop_file_once(&file("a.csv", b"1", None), &key).unwrap();
    assert_eq!(own.id, again.id);
    assert_ne!(hand_over(&app, "b.csv", b"2", Some(&key)).id, own.id);
    // An older program kept a person's key where ours are.
    let old = hand_over(&app, "c.csv", b"3", Some("day/3"));
    let conn = rusqlite::Connection::open(app.path("data/registry.db")).unwrap();
    let moved =
        "UPDATE drops SET key = given_key, given_key = NULL, given_name = NULL WHERE id = ?1";
    assert_eq!(conn.execute(moved, [&old.id]).unwrap(), 1);
    assert_eq!(hand_over(&app, "c.csv", b"3", Some("day/3")).id, old.id);
    let error = app.service.drop_file(&file("c.csv", b"4", Some("day/3"))).unwrap_err();
    assert_eq!(error.kind(), Kind::Conflict);
    app.stop().await;
}
