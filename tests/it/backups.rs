//! Backups of a running server and what a restore makes of them: nothing lost, nothing imported twice.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use rollcall::clock::Clock;
use rollcall::config::Config;
use rollcall::error::Kind;
use rollcall::service::Service;
use rollcall::service::backup::restore;
use tempfile::TempDir;

use crate::bench::{Bench, DAY_1, DAY_2, DAY_3, path, put, stage, wait};

/// A restored copy of the backup at `made`, with its workers running.
fn restored(made: &Path) -> Bench {
    let folder = TempDir::new().unwrap();
    restore(made, &folder.path().join("data")).unwrap();
    Bench::open(folder, |_| {})
}

fn logins(bench: &Bench) -> Vec<String> {
    let users = bench.service.users("acme", None).unwrap();
    let login = rollcall::import::fields::Field::Login;
    users.iter().map(|user| user.values.get(login).unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_server_is_the_one_that_was_backed_up() {
    let bench = Bench::start();
    let session = bench.session().await;
    put(&session, "/in/users.csv", DAY_1).await;
    session.make_dir(&path("/notes")).unwrap();
    session.make_dir(&path("/notes/empty")).unwrap();
    put(&session, "/notes/été.txt", "hello").await;
    let made = bench.folder.path().join("backup");
    let backup = bench.service.back_up(&made).unwrap();
    assert_eq!(backup.clients, ["acme"]);
    // After the backup: none of it may be seen in the restored one.
    put(&session, "/in/users.csv", DAY_2).await;

    let copy = restored(&made);
    assert_eq!(logins(&copy), ["adupont", "pmartin"]);
    assert_eq!(copy.statuses(), ["ok"], "nothing was imported again");
    assert_eq!(copy.file("/in/users.csv").as_deref(), Some(DAY_1));
    assert_eq!(copy.file("/notes/été.txt").as_deref(), Some("hello"));
    assert!(copy.client("files/acme/notes/empty").is_dir());
    assert_eq!(copy.reported("/in/users.csv"), Some(copy.imports()[0].id.to_string()));
    let inode = |path| fs::metadata(path).unwrap().ino();
    let archived = copy.client("archive").join(copy.imports()[0].id.to_string());
    assert_eq!(inode(archived), inode(copy.client("files/acme/in/users.csv")));
    let session = copy.session().await;
    put(&session, "/in/users.csv", DAY_3).await;
    assert_eq!(logins(&copy), ["adupont", "pmartin", "zroy"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_received_and_not_imported_is_imported_once_after_the_restore() {
    let folder = Bench::start().stop();
    let data = folder.path().join("data");
    // No workers: the upload is acknowledged and waits.
    let mut config = Config::default();
    config.limits.min_free_bytes = 0;
    config.limits.reply_wait_s = 0;
    let service = Service::open(Arc::new(config), &data, Clock::System).unwrap();
    let waiting = Bench { service, workers: None, folder };
    put(&waiting.session().await, "/in/users.csv", DAY_1).await;
    let made = waiting.folder.path().join("backup");
    waiting.service.back_up(&made).unwrap();

    let copy = restored(&made);
    copy.wait_until_idle();
    assert_eq!(copy.statuses(), ["ok"]);
    let copy = copy.restart();
    copy.wait_until_idle();
    assert_eq!(copy.statuses(), ["ok"]);
    assert_eq!(logins(&copy), ["adupont", "pmartin"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_among_uploads_knows_the_bytes_of_every_upload_in_it() {
    let bench = Bench::start();
    let session = bench.session().await;
    let stop = Arc::new(AtomicBool::new(false));
    // So many may have come: fewer than may wait, on a disk as slow as it likes.
    let (allowed, came) = (Arc::new(AtomicU32::new(150)), Arc::new(AtomicU32::new(0)));
    let uploading = {
        let (session, stop) = (session.clone(), Arc::clone(&stop));
        let (allowed, came) = (Arc::clone(&allowed), Arc::clone(&came));
        std::thread::spawn(move || {
            for n in 0_u32.. {
                while n >= allowed.load(Ordering::Acquire) && !stop.load(Ordering::Acquire) {
                    std::thread::yield_now();
                }
                if stop.load(Ordering::Acquire) {
                    break;
                }
                let text = [DAY_1, DAY_2, DAY_3][usize::try_from(n % 3).unwrap()];
                drop(stage(&session, &format!("/in/{n}.csv"), text).commit().unwrap());
                came.store(n + 1, Ordering::Release);
            }
        })
    };
    let mut made = Vec::new();
    for n in 0..4 {
        let target = bench.folder.path().join(format!("backup-{n}"));
        bench.service.back_up(&target).unwrap();
        made.push(target);
        let before = came.load(Ordering::Acquire);
        allowed.store(before + 150, Ordering::Release);
        wait("uploads between two backups", || came.load(Ordering::Acquire) > before);
    }
    stop.store(true, Ordering::Release);
    uploading.join().unwrap();
    let mut sizes = Vec::new();
    for target in made {
        let copy = restored(&target);
        copy.wait_until_idle();
        assert!(copy.service.lost_uploads().unwrap().is_empty());
        let mut imports: Vec<_> = copy.imports().iter().map(|import| import.id).collect();
        let uploads: Vec<_> = copy.uploads().iter().map(|upload| upload.id).collect();
        imports.sort();
        assert_eq!(imports, uploads, "each upload is imported, and once");
        assert!(copy.service.check_databases().iter().all(|(_, found)| found.is_ok()));
        sizes.push(uploads.len());
    }
    assert!(sizes.is_sorted() && sizes.last() > sizes.first(), "{sizes:?}");
}

#[test]
fn only_a_whole_backup_is_restored_and_only_into_an_empty_place() {
    let bench = Bench::start();
    let made = bench.folder.path().join("backup");
    bench.service.back_up(&made).unwrap();
    let again = bench.service.back_up(&made).unwrap_err();
    assert_eq!(again.kind(), Kind::Exists);
    let inside = bench.service.back_up(&bench.data("backups/today")).unwrap_err();
    assert_eq!(inside.kind(), Kind::Invalid);

    let taken = restore(&made, &bench.data("")).unwrap_err();
    assert_eq!(taken.kind(), Kind::Exists);
    let place = bench.folder.path().join("elsewhere/data");
    let mut bytes = fs::read(made.join("registry.db")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(made.join("registry.db"), &bytes).unwrap();
    let damaged = restore(&made, &place).unwrap_err();
    assert!(damaged.message().contains("registry.db is damaged"), "{damaged}");
    assert!(!place.exists());
    bytes[middle] ^= 1;
    fs::write(made.join("registry.db"), &bytes).unwrap();
    restore(&made, &place).unwrap();

    let manifest = made.join("rollcall-backup.json");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replacen("\"registry.db\"", "\"../registry.db\"", 1)).unwrap();
    let climbing = restore(&made, &bench.folder.path().join("third")).unwrap_err();
    assert!(climbing.message().contains("../registry.db"), "{climbing}");
    fs::remove_file(&manifest).unwrap();
    let unfinished = restore(&made, &bench.folder.path().join("third")).unwrap_err();
    assert!(unfinished.message().contains("no whole backup"), "{unfinished}");
}
