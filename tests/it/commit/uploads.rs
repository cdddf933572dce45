//! An upload from its first byte to its receipt: whole, durable, within its limits.

use std::fs;

use rollcall::error::Kind;
use rollcall::model::UploadState;
use rollcall::service::session::{Open, Overwrite, Session, Staged};

use crate::bench::{Bench, DAY_1, DAY_2, names, path, put, size, stage};

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
async fn a_part_has_no_holes() {
    let bench = Bench::start();
    let session = bench.session().await;
    let mut staged = session.open_upload(&path("/out/big.bin"), Open::Replace).unwrap();
    for (offset, piece) in [(0, "one"), (6, "three"), (11, "four")] {
        staged.write_at(offset, piece.as_bytes()).unwrap();
    }
    staged.interrupt("lost");
    assert_eq!(bench.file("/out/big.bin").as_deref(), Some("one"));
    let mut more = session.open_upload(&path("/out/big.part"), Open::Resume).unwrap();
    for (offset, piece) in [(3, "two"), (0, "one"), (9, "four")] {
        more.write_at(offset, piece.as_bytes()).unwrap();
    }
    more.interrupt("lost");
    assert_eq!(bench.file("/out/big.part").as_deref(), Some("onetwo"));
    let mut more = session.open_upload(&path("/out/big.part"), Open::Resume).unwrap();
    more.truncate(100).unwrap();
    more.write_at(6, b"three").unwrap();
    more.write_at(50, b"late").unwrap();
    more.interrupt("lost again");
    assert_eq!(bench.file("/out/big.part").as_deref(), Some("onetwothree"));
    let mut holes = session.open_upload(&path("/out/holes.bin"), Open::Replace).unwrap();
    holes.write_at(6, b"three").unwrap();
    holes.interrupt("lost");
    assert_eq!(bench.file("/out/holes.bin"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_of_nothing_changes_nothing() {
    let bench = Bench::start();
    let session = bench.session().await;
    let mut staged = stage(&session, "/out/a.bin", "all of it");
    staged.write_at(100, b"").unwrap();
    staged.write_at(u64::MAX, b"").unwrap();
    assert_eq!(staged.bytes(), 9);
    staged.commit().unwrap();
    assert_eq!(bench.file("/out/a.bin").as_deref(), Some("all of it"));
    let mut empty = session.open_upload(&path("/out/empty"), Open::Replace).unwrap();
    empty.write_at(100, b"").unwrap();
    empty.commit().unwrap();
    assert_eq!(bench.file("/out/empty").as_deref(), Some(""));
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
async fn what_two_continue_at_once_loses_nothing_that_was_acknowledged() {
    let bench = Bench::start();
    let (one, other) = (bench.session().await, bench.session().await);
    let more = |session: &Session, name: &str, text: &str| {
        let mut staged = session.open_upload(&path(name), Open::Resume).unwrap();
        staged.write_at(staged.bytes(), text.as_bytes()).unwrap();
        staged
    };
    let refused = |staged: Staged| {
        let refused = staged.commit().err().unwrap();
        assert_eq!(refused.kind(), Kind::Conflict);
        assert!(refused.message().contains("changed meanwhile"), "{refused}");
    };
    // Both go on from the same bytes; both begin a file that is not there; one goes on from what the other removes.
    put(&one, "/out/log.txt", "first,").await;
    for name in ["/out/log.txt", "/out/new.txt"] {
        let (quick, slow) = (more(&one, name, "quick"), more(&other, name, "slow"));
        quick.commit().unwrap();
        refused(slow);
    }
    assert_eq!(bench.file("/out/log.txt").as_deref(), Some("first,quick"));
    assert_eq!(bench.file("/out/new.txt").as_deref(), Some("quick"));
    let slow = more(&other, "/out/new.txt", "slow");
    one.remove_file(&path("/out/new.txt")).unwrap();
    refused(slow);
    assert_eq!(bench.file("/out/new.txt"), None);
    // An interrupted one keeps its part only where nobody else went on.
    put(&one, "/in/users.csv.part", "login;").await;
    let slow = more(&other, "/in/users.csv.part", "mail;fax");
    more(&one, "/in/users.csv.part", "mail").commit().unwrap();
    slow.interrupt("the line broke");
    assert_eq!(bench.file("/in/users.csv.part").as_deref(), Some("login;mail"));
    more(&other, "/in/users.csv.part", "\n").commit().unwrap();
    assert_eq!(bench.file("/in/users.csv.part").as_deref(), Some("login;mail\n"));
    // Under its final name in an import folder a file is replaced, never added to: the last one wins.
    let (quick, slow) = (more(&one, "/in/users.csv", DAY_1), more(&other, "/in/users.csv", DAY_2));
    quick.commit().unwrap().settle().await;
    slow.commit().unwrap().settle().await;
    assert_eq!(bench.file("/in/users.csv").as_deref(), Some(DAY_2));
    assert_eq!(bench.imports().len(), 2);
    assert!(names(&bench.client("spool")).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_lie_no_deeper_than_everybody_can_reach() {
    let bench = Bench::start();
    let session = bench.session().await;
    let deep = |name: &str, levels: usize| {
        let all: String = (0..levels).map(|_| format!("/{name}")).collect();
        for end in all.match_indices('/').skip(1).map(|(at, _)| at).chain([all.len()]) {
            session.make_dir(&path(all.get(..end).unwrap())).unwrap();
        }
        all
    };
    let top = deep("d", 60);
    deep("e", 50);
    let move_to = |to: &str| session.rename(&path("/e"), &path(to), Overwrite::Never);
    let refused = move_to(&format!("{top}/e")).err().unwrap();
    assert!(
        refused.kind() == Kind::Invalid && refused.message().contains("110 parts"),
        "{refused}"
    );
    move_to("/d/d/d/e").unwrap();
    // By bytes, where the parts are few.
    let wide = "w".repeat(250);
    let long = deep(&wide, 6);
    deep("v", 1);
    put(&session, &format!("/v/{}", "x".repeat(250)), "x").await;
    for _ in 0..11 {
        session.rename(&path("/v"), &path("/u"), Overwrite::Never).unwrap();
        session.make_dir(&path("/v")).unwrap();
        let to = format!("/v/{wide}");
        if session.rename(&path("/u"), &path(&to), Overwrite::Never).is_err() {
            break;
        }
    }
    let refused = session.rename(&path("/v"), &path(&format!("{long}/v")), Overwrite::Never);
    assert!(refused.err().unwrap().message().contains("at most 100 and 3072"));
    // Whatever a client can make, a backup can take.
    let made = bench.folder.path().join("a-backup-in-a-folder-with-a-name-of-some-length");
    bench.service.back_up(&made).unwrap();
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
