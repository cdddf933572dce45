//! Each request of the protocol, and what of it becomes a file.

use std::time::Instant;

use bytes::Buf;
use rollcall::model::{Protocol, VPath};
use rollcall::store::registry::{Registry, UploadFilter};

use super::raw::{
    APPEND, CREATE, DENIED, FAILURE, NO_SUCH_FILE, OK, PATIENCE, READ, Sftp, TRUNCATE, UNSUPPORTED,
    WRITE, text,
};
use crate::app::TestApp;

const ROSTER: &[u8] = b"login;lastName;firstName;mail;dtContractStart\n\
                        adupont;Dupont;Anne;anne@acme.example;2020-01-06\n";

async fn started() -> (TestApp, Sftp) {
    let app = TestApp::start().await;
    app.add_account("acme");
    let sftp = Sftp::open(&app, "acme").await;
    (app, sftp)
}

/// How often uploads of a path were recorded as interrupted, once there is at least one.
async fn interruptions(app: &TestApp) -> usize {
    let registry = Registry::open(&app.path("data/registry.db")).unwrap();
    let since = Instant::now();
    loop {
        let found = registry.interruptions("acme", 100).unwrap().len();
        if found > 0 || since.elapsed() > PATIENCE {
            return found;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn put_then_get_of_the_report_on_the_next_line() {
    let (app, mut sftp) = started().await;
    let (code, answer) = sftp.put("/payroll/users.csv", ROSTER).await;
    assert_eq!(code, OK, "{answer}");
    assert!(answer.contains("1 created"), "{answer}");
    let report = sftp.get("/payroll/users.csv.report.json").await.expect("the report");
    assert!(String::from_utf8_lossy(&report).contains("\"status\""));
    assert_eq!(sftp.get("/payroll/users.csv").await.unwrap(), ROSTER);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_name_a_path_wait_for_its_commit_and_others_do_not() {
    let (app, mut sftp) = started().await;
    let handle = sftp.open_file("/payroll/users.csv", WRITE | CREATE).await.handle();
    assert_eq!(sftp.write(&handle, 0, ROSTER).await.0, OK);
    // All in one go, as a pipelining client sends it.
    let close = sftp.ask(4, &[&text(&handle)]).await;
    let report = sftp.ask(17, &[&text("/payroll/users.csv.report.json")]).await;
    let other = sftp.ask(17, &[&text("/papers")]).await;
    let mut order = Vec::new();
    for _ in 0..3 {
        let answer = sftp.answer().await.unwrap();
        order.push(answer.id);
        if answer.id == report {
            assert!(answer.size() > 0, "the report must be there once its upload was answered");
        }
    }
    let place = |id| order.iter().position(|o| *o == id).unwrap();
    assert!(place(close) < place(report), "{order:?}");
    assert!(place(other) < place(report), "{order:?}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_close_commits() {
    let (app, mut sftp) = started().await;
    assert_eq!(sftp.put("/payroll/users.csv", ROSTER).await.0, OK);
    let handle = sftp.open_file("/payroll/users.csv", WRITE | CREATE | TRUNCATE).await.handle();
    assert_eq!(sftp.write(&handle, 0, b"login;half a li").await.0, OK);
    // Its own view shows the size that it has sent, others still see the old file.
    let own = sftp.call(17, &[&text("/payroll/users.csv")]).await;
    assert_eq!(own.size(), 15);
    let mut other = Sftp::open(&app, "acme").await;
    assert_eq!(other.get("/payroll/users.csv").await.unwrap(), ROSTER);
    sftp.hang_up().await;
    assert_eq!(interruptions(&app).await, 1);
    assert_eq!(other.get("/payroll/users.csv").await.unwrap(), ROSTER);
    let registry = Registry::open(&app.path("data/registry.db")).unwrap();
    assert_eq!(registry.uploads(&UploadFilter::default()).unwrap().len(), 1);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn leaving_without_closing_the_file_is_an_interruption_with_a_good_exit() {
    let (app, mut sftp) = started().await;
    let handle = sftp.open_file("/payroll/users.csv", WRITE | CREATE).await.handle();
    assert_eq!(sftp.write(&handle, 0, ROSTER).await.0, OK);
    sftp.channel.eof().await.unwrap();
    assert_eq!(sftp.end().await, (Some(0), true));
    assert_eq!(interruptions(&app).await, 1);
    let mut again = Sftp::open(&app, "acme").await;
    assert!(again.get("/payroll/users.csv").await.is_none());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_write_poisons_its_handle() {
    let app = TestApp::start_with(|config| config.limits.max_upload_bytes = 1000).await;
    app.add_account("acme");
    let mut sftp = Sftp::open(&app, "acme").await;
    let handle = sftp.open_file("/papers/big", WRITE | CREATE).await.handle();
    assert_eq!(sftp.write(&handle, 0, &[b'x'; 900]).await.0, OK);
    assert_eq!(sftp.write(&handle, 900, &[b'x'; 900]).await.0, FAILURE);
    assert_eq!(sftp.write(&handle, 900, b"x").await.0, FAILURE);
    let (code, answer) = sftp.close(&handle).await;
    assert_eq!(code, FAILURE);
    assert!(answer.contains("nothing was stored"), "{answer}");
    assert!(sftp.get("/papers/big").await.is_none());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handle_that_continues_a_file_does_not_read_it_without_the_right() {
    let (app, mut sftp) = started().await;
    assert_eq!(sftp.put("/papers/a", b"secret").await.0, OK);
    let most = 100u32.to_be_bytes();
    for (rights, code) in [("list,read,append", None), ("list,append", Some(DENIED))] {
        app.service.set_folder_rights("acme", "papers", Some(rights.parse().unwrap())).unwrap();
        let mut sftp = Sftp::open(&app, "acme").await;
        for flags in [WRITE, READ | WRITE, APPEND, READ | APPEND] {
            let handle = sftp.open_file("/papers/a", flags).await.handle();
            let read = sftp.call(5, &[&text(&handle), &[0; 8], &most]).await;
            match code {
                Some(code) => assert_eq!(read.status().0, code, "{flags}"),
                None => assert_eq!(read.data(), &b"secret"[..], "{flags}"),
            }
            sftp.close(&handle).await;
        }
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_client_has_so_many_files_open_and_others_have_theirs() {
    let app = TestApp::start_with(|config| config.limits.open_files_per_client = 3).await;
    for login in ["acme", "other"] {
        app.add_account(login);
    }
    let mut sftp = Sftp::open(&app, "acme").await;
    assert_eq!(sftp.put("/papers/a", b"a").await.0, OK);
    let mut again = Sftp::open(&app, "acme").await;
    let first = sftp.open_file("/papers/a", READ).await.handle();
    let _second = sftp.open_file("/papers/b", WRITE | CREATE | TRUNCATE).await.handle();
    let _third = again.call(11, &[&text("/papers")]).await.handle();
    for (path, flags) in [("/papers/a", READ), ("/papers/c", WRITE | CREATE | TRUNCATE)] {
        let (code, words) = again.open_file(path, flags).await.status();
        assert!(code == FAILURE && words.contains("3 files open"), "{words}");
    }
    let mut ftp = app.connect("acme", Protocol::Ftps).await;
    let a: VPath = "/papers/a".parse().unwrap();
    ftp.get(&a, 10).await.unwrap_err();
    // Another client is none the worse for it.
    let mut other = Sftp::open(&app, "other").await;
    assert_eq!(other.put("/papers/a", b"b").await.0, OK);
    assert_eq!(sftp.close(&first).await.0, OK);
    assert_eq!(again.get("/papers/a").await.unwrap(), &b"a"[..]);
    let mut ftp = app.connect("acme", Protocol::Ftps).await;
    assert_eq!(ftp.get(&a, 10).await.unwrap(), b"a");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rename_never_replaces_and_a_posix_rename_does() {
    let (app, mut sftp) = started().await;
    assert_eq!(sftp.put("/papers/a", b"a").await.0, OK);
    assert_eq!(sftp.put("/papers/b", b"b").await.0, OK);
    let (a, b) = (text("/papers/a"), text("/papers/b"));
    assert_eq!(sftp.call(18, &[&a, &b]).await.status().0, FAILURE);
    assert_eq!(sftp.get("/papers/b").await.unwrap(), &b"b"[..]);
    let posix = text("posix-rename@openssh.com");
    assert_eq!(sftp.call(200, &[&posix, &a, &b]).await.status().0, OK);
    assert_eq!(sftp.get("/papers/b").await.unwrap(), &b"a"[..]);
    assert!(sftp.get("/papers/a").await.is_none());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_temporary_name_becomes_an_import_by_its_rename() {
    let (app, mut sftp) = started().await;
    let (code, answer) = sftp.put("/payroll/users.csv.filepart", ROSTER).await;
    assert_eq!(code, OK);
    assert!(!answer.contains("rows"), "{answer}");
    let (from, to) = (text("/payroll/users.csv.filepart"), text("/payroll/users.csv"));
    let (code, answer) = sftp.call(18, &[&from, &to]).await.status();
    assert!(code == OK && answer.contains("1 created"), "{code} {answer}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rename_counts_before_the_close_and_behind_it() {
    let (app, mut sftp) = started().await;
    let (from, to) = (text("/payroll/users.csv.tmp"), text("/payroll/users.csv"));
    // As Net::SSH2 sends it whose handle is closed late, with the file of the night before.
    assert_eq!(sftp.put("/payroll/users.csv.tmp", b"login;of yesterday\n").await.0, OK);
    let open = WRITE | CREATE | TRUNCATE;
    let handle = sftp.open_file("/payroll/users.csv.tmp", open).await.handle();
    assert_eq!(sftp.write(&handle, 0, ROSTER).await.0, OK);
    assert_eq!(sftp.call(18, &[&from, &to]).await.status().0, OK);
    assert_eq!(sftp.call(17, &[&from]).await.size(), 19, "the old file, until the close");
    assert_eq!(sftp.call(17, &[&to]).await.size(), u64::try_from(ROSTER.len()).unwrap());
    let (code, answer) = sftp.close(&handle).await;
    assert!(code == OK && answer.contains("1 created"), "{code} {answer}");
    assert_eq!(sftp.get("/payroll/users.csv").await.unwrap(), ROSTER);
    assert!(sftp.get("/payroll/users.csv.tmp").await.is_none());
    // In one go: the rename, and then the close; and the close first.
    for rename_first in [true, false] {
        assert_eq!(sftp.call(13, &[&to]).await.status().0, OK);
        let handle = sftp.open_file("/payroll/users.csv.tmp", open).await.handle();
        assert_eq!(sftp.write(&handle, 0, ROSTER).await.0, OK);
        for rename in [rename_first, !rename_first] {
            if rename {
                sftp.ask(18, &[&from, &to]).await;
            } else {
                sftp.ask(4, &[&text(&handle)]).await;
            }
        }
        for _ in 0..2 {
            let (code, answer) = sftp.answer().await.unwrap().status();
            assert_eq!(code, OK, "{answer}");
        }
        assert_eq!(sftp.get("/payroll/users.csv").await.unwrap(), ROSTER);
        assert!(sftp.get("/payroll/users.csv.tmp").await.is_none());
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_a_removed_file_stores_nothing_and_is_no_mistake() {
    let (app, mut sftp) = started().await;
    let path = text("/payroll/users.csv");
    for old in [false, true] {
        if old {
            assert_eq!(sftp.put("/payroll/users.csv", ROSTER).await.0, OK);
        }
        let handle = sftp.open_file("/payroll/users.csv", WRITE | CREATE | TRUNCATE).await.handle();
        assert_eq!(sftp.write(&handle, 0, b"login;half a li").await.0, OK);
        assert_eq!(sftp.call(13, &[&path]).await.status().0, OK);
        let (code, answer) = sftp.close(&handle).await;
        assert_eq!(code, OK);
        assert_eq!(answer, "Nothing was stored: it was removed before it was closed");
        assert!(sftp.get("/payroll/users.csv").await.is_none());
    }
    let registry = Registry::open(&app.path("data/registry.db")).unwrap();
    assert_eq!(registry.uploads(&UploadFilter::default()).unwrap().len(), 1);
    assert_eq!(interruptions(&app).await, 2);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_owners_and_times_never_fail_a_transfer() {
    let (app, mut sftp) = started().await;
    let handle = sftp.open_file("/papers/a", WRITE | CREATE).await.handle();
    assert_eq!(sftp.write(&handle, 0, b"abc").await.0, OK);
    let mut attrs = 0x0Eu32.to_be_bytes().to_vec();
    for value in [1000u32, 1000, 0o600, 1_000_000_000, 1_000_000_000] {
        attrs.extend(value.to_be_bytes());
    }
    assert_eq!(sftp.call(10, &[&text(&handle), &attrs]).await.status().0, OK);
    assert_eq!(sftp.call(9, &[&text("/papers/a"), &attrs]).await.status().0, OK);
    assert_eq!(sftp.close(&handle).await.0, OK);
    assert_eq!(sftp.call(9, &[&text("/papers/a"), &attrs]).await.status().0, OK);
    let mut stat = sftp.call(7, &[&text("/papers/a")]).await.body;
    stat.advance(4 + 8 + 8 + 4 + 4);
    assert_eq!(stat.get_u32(), 1_000_000_000, "the time of an open upload holds from its commit");
    let gone = sftp.call(9, &[&text("/papers/none"), &attrs]).await.status();
    assert_eq!(gone.0, NO_SUCH_FILE);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn extensions_are_announced_and_answered() {
    let (app, mut sftp) = started().await;
    let mut limits = sftp.call(200, &[&text("limits@openssh.com")]).await.body;
    let values = [(); 4].map(|()| limits.get_u64());
    assert_eq!(values, [262_144, 261_120, 261_120, 256]);
    let disk = sftp.call(200, &[&text("statvfs@openssh.com"), &text("/")]).await;
    assert_eq!((disk.kind, disk.body.len()), (201, 88));
    let handle = sftp.open_file("/papers/a", WRITE | CREATE).await.handle();
    assert_eq!(sftp.write(&handle, 0, b"abc").await.0, OK);
    let synced = sftp.call(200, &[&text("fsync@openssh.com"), &text(&handle)]).await.status();
    assert_eq!(synced.0, OK);
    let hard = [text("hardlink@openssh.com"), text("/papers/a"), text("/papers/b")].concat();
    assert_eq!(sftp.call(200, &[&hard]).await.status().0, UNSUPPORTED);
    assert_eq!(
        sftp.call(20, &[&text("/papers/a"), &text("/papers/l")]).await.status().0,
        UNSUPPORTED
    );
    assert_eq!(sftp.call(19, &[&text("/papers/a")]).await.status().0, UNSUPPORTED);
    assert_eq!(sftp.call(21, &[&[0; 4]]).await.status().0, UNSUPPORTED);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_utf8_or_refused_and_stay_below_the_root() {
    let (app, mut sftp) = started().await;
    for name in ["/papers/é ü.csv", "/papers/日本語.csv", "/papers/e\u{301}.csv"] {
        assert_eq!(sftp.put(name, name.as_bytes()).await.0, OK, "{name}");
        assert_eq!(sftp.get(name).await.unwrap(), name.as_bytes());
    }
    let latin = sftp.call(3, &[&text(b"/papers/caf\xE9"), &WRITE.to_be_bytes(), &[0; 4]]).await;
    let (code, answer) = latin.status();
    assert!(code == FAILURE && answer.contains("UTF-8"), "{code} {answer}");
    assert_eq!(sftp.put("/../../papers/up", b"x").await.0, OK);
    assert!(app.path("data/clients/acme/files/acme/papers/up").exists());
    let real = sftp.call(16, &[&text("/papers/../.././payroll/")]).await.body;
    assert!(String::from_utf8_lossy(&real).contains("/payroll"));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_are_listed_in_pieces_without_the_spool() {
    let (app, mut sftp) = started().await;
    let folder = app.path("data/clients/acme/files/acme/papers");
    for n in 0..250 {
        std::fs::write(folder.join(format!("f{n:03}")), b"x").unwrap();
    }
    let upload = sftp.open_file("/papers/under-way", WRITE | CREATE).await.handle();
    assert_eq!(sftp.write(&upload, 0, b"abc").await.0, OK);
    let handle = sftp.call(11, &[&text("/papers")]).await.handle();
    let mut names = 0;
    loop {
        let answer = sftp.call(12, &[&text(&handle)]).await;
        if answer.kind == 101 {
            assert_eq!(answer.status().0, 1, "EOF");
            break;
        }
        names += answer.body.clone().get_u32();
        assert!(!String::from_utf8_lossy(&answer.body).contains("under-way"));
    }
    assert_eq!(names, 250);
    assert_eq!(sftp.close(&handle).await.0, OK);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_received_file_is_replaced_whole_and_never_continued() {
    let (app, mut sftp) = started().await;
    assert_eq!(sftp.put("/payroll/users.csv", ROSTER).await.0, OK);
    // As scp does: no TRUNC, from the first byte on, cut at the end.
    let handle = sftp.open_file("/payroll/users.csv", WRITE | CREATE).await.handle();
    let short = b"login;lastName;firstName;mail;dtContractStart\n";
    assert_eq!(sftp.write(&handle, 0, short).await.0, OK);
    let size = u64::try_from(short.len()).unwrap().to_be_bytes();
    assert_eq!(sftp.call(10, &[&text(&handle), &[0, 0, 0, 1], &size]).await.status().0, OK);
    assert_eq!(sftp.close(&handle).await.0, OK);
    assert_eq!(sftp.get("/payroll/users.csv").await.unwrap(), &short[..]);
    // As a resume does.
    let handle = sftp.open_file("/payroll/users.csv", WRITE).await.handle();
    let (code, answer) = sftp.write(&handle, u64::from_be_bytes(size), b"more\n").await;
    assert!(code == DENIED && answer.contains("send the whole file"), "{code} {answer}");
    assert_eq!(sftp.close(&handle).await.0, DENIED);
    assert_eq!(sftp.get("/payroll/users.csv").await.unwrap(), &short[..]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_account_loses_its_session_and_its_upload() {
    let (app, mut sftp) = started().await;
    let handle = sftp.open_file("/papers/a", WRITE | CREATE).await.handle();
    assert_eq!(sftp.write(&handle, 0, b"abc").await.0, OK);
    let since = Instant::now();
    app.service.set_account_enabled("acme", false).unwrap();
    assert!(sftp.answer().await.is_none());
    assert!(since.elapsed() < PATIENCE);
    assert_eq!(interruptions(&app).await, 1);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopping_server_answers_what_was_asked() {
    let app = TestApp::start_with(|config| config.limits.shutdown_grace_s = 60).await;
    app.add_account("acme");
    let mut sftp = Sftp::open(&app, "acme").await;
    let handle = sftp.open_file("/payroll/users.csv", WRITE | CREATE).await.handle();
    assert_eq!(sftp.write(&handle, 0, ROSTER).await.0, OK);
    let close = sftp.ask(4, &[&text(&handle)]).await;
    let path: VPath = "/payroll/users.csv".parse().unwrap();
    let registry = Registry::open(&app.path("data/registry.db")).unwrap();
    let since = Instant::now();
    while registry.newest_upload("acme", "acme", &path).unwrap().is_none() {
        assert!(since.elapsed() < PATIENCE);
        tokio::task::yield_now().await;
    }
    let folder = app.stop().await;
    let answer = sftp.answer().await.expect("an answer before the end");
    assert_eq!(answer.id, close);
    assert_eq!(answer.status().0, OK);
    assert!(folder.path().join("data/clients/acme/files/acme/payroll/users.csv").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_at_and_beyond_the_end() {
    let (app, mut sftp) = started().await;
    assert_eq!(sftp.put("/papers/a", b"0123456789").await.0, OK);
    let handle = sftp.open_file("/papers/a", READ).await.handle();
    let handle_text = text(&handle);
    let at = |offset: u64| offset.to_be_bytes();
    let most = u32::MAX.to_be_bytes();
    let some = sftp.call(5, &[&handle_text, &at(4), &most]).await.data();
    assert_eq!(&some[..], b"456789");
    for beyond in [10, 11, u64::MAX] {
        assert_eq!(sftp.call(5, &[&handle_text, &at(beyond), &most]).await.status().0, 1);
    }
    assert_eq!(sftp.write(&handle, 0, b"x").await.0, DENIED);
    assert_eq!(sftp.close(&handle).await.0, OK);
    assert_eq!(sftp.close(&handle).await.0, FAILURE);
    app.stop().await;
}
