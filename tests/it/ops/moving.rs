//! A client moves to another server: whole or not at all, nothing lost, nothing imported twice.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rollcall::clock::Clock;
use rollcall::config::Config;
use rollcall::error::Kind;
use rollcall::service::Service;
use tempfile::TempDir;

use crate::bench::{Bench, DAY_1, DAY_2, DAY_3, path, put};
use crate::cli::Workplace;

/// Another server, with nothing on it.
fn elsewhere() -> Bench {
    Bench::open(TempDir::new().unwrap(), |_| {})
}

fn names(bench: &Bench) -> Vec<String> {
    let users = bench.service.users("acme", None).unwrap();
    let name = rollcall::import::fields::Field::LastName;
    users.iter().map(|user| user.values.get(name).unwrap().to_owned()).collect()
}

fn left_over(folder: &Path) -> Vec<String> {
    let all = fs::read_dir(folder).unwrap();
    all.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_goes_on_elsewhere_as_if_nothing_had_happened() {
    let bench = Bench::start();
    let session = bench.session().await;
    put(&session, "/in/users.csv", DAY_1).await;
    put(&session, "/in/users.csv", DAY_2).await;
    session.make_dir(&path("/notes")).unwrap();
    put(&session, "/notes/été.txt", "hello").await;
    bench.wait_until_idle();
    let file = bench.folder.path().join("acme.rollcall");
    let made = bench.service.export_client("acme", &file).unwrap();
    assert_eq!(made.logins(), ["acme"]);
    let mut beside = left_over(bench.folder.path());
    beside.retain(|name| name.contains("acme"));
    assert_eq!(beside, ["acme.rollcall"], "nothing else is left beside it");
    let again = bench.service.export_client("acme", &file).unwrap_err();
    assert_eq!(again.kind(), Kind::Exists);
    let itself = bench.service.import_client(&file, None).unwrap_err();
    assert_eq!(itself.kind(), Kind::Exists, "{itself}");

    let other = elsewhere();
    other.service.import_client(&file, None).unwrap();
    assert_eq!(names(&other), names(&bench));
    assert_eq!(other.statuses(), ["ok", "ok"]);
    assert_eq!(
        other.imports().iter().map(|i| i.id).collect::<Vec<_>>(),
        bench.imports().iter().map(|i| i.id).collect::<Vec<_>>()
    );
    assert_eq!(other.file("/in/users.csv").as_deref(), Some(DAY_2));
    assert_eq!(other.file("/notes/été.txt").as_deref(), Some("hello"));
    let inode = |path| fs::metadata(path).unwrap().ino();
    let archived = other.client("archive").join(other.imports()[1].id.to_string());
    assert_eq!(inode(archived), inode(other.client("files/acme/in/users.csv")));
    assert!(other.service.check_databases().iter().all(|(_, found)| found.is_ok()));
    let told = |bench: &Bench| {
        let filter = rollcall::service::events::EventFilter { limit: 1000, ..Default::default() };
        bench.service.events(&filter).unwrap().events
    };
    assert!(told(&other).iter().all(|event| !event.kind.is_of_users()), "it was told elsewhere");
    // The same password, the same folder, the history goes on, an old import can be taken back.
    let session = other.session().await;
    put(&session, "/in/users.csv", DAY_3).await;
    other.wait_until_idle();
    assert_eq!(names(&other), ["Durand", "Martin", "Roy"]);
    let second = other.imports()[1].id;
    assert_eq!(other.service.undo_import(second, "anna").unwrap().withdrawn, 1);
    let other = other.restart();
    other.wait_until_idle();
    assert_eq!(other.imports().len(), 3, "a restart imports nothing again");
    assert!(!other.client("arriving").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_may_have_another_name_where_its_own_is_taken() {
    let bench = Bench::start();
    let session = bench.session().await;
    put(&session, "/in/users.csv", DAY_1).await;
    bench.wait_until_idle();
    let file = bench.folder.path().join("acme.rollcall");
    bench.service.export_client("acme", &file).unwrap();
    let other = elsewhere();
    for wrong in ["", "Acme", "../acme"] {
        let error = other.service.import_client(&file, Some(wrong)).unwrap_err();
        assert_eq!(error.kind(), Kind::Invalid, "{wrong}: {error}");
    }
    assert!(other.service.clients().unwrap().is_empty());
    other.service.import_client(&file, Some("acme-two")).unwrap();
    let clients = other.service.clients().unwrap();
    assert_eq!(clients.iter().map(|c| c.slug.as_str()).collect::<Vec<_>>(), ["acme-two"]);
    assert_eq!(other.service.account("acme").unwrap().client, "acme-two");
    let folders = other.service.folders("acme").unwrap();
    assert!(other.service.settings("acme-two", &folders[0].name).is_ok());
    let kept = other.service.imports("acme-two", 10).unwrap();
    assert_eq!(kept[0].id, bench.imports()[0].id);
    let users = other.service.users("acme-two", None).unwrap();
    assert_eq!(users.len(), bench.service.users("acme", None).unwrap().len());
    // The same password, the same folder: the next file is imported into the client of that name.
    put(&other.session().await, "/in/users.csv", DAY_2).await;
    let end = std::time::Instant::now() + std::time::Duration::from_secs(120);
    while other.service.imports("acme-two", 10).unwrap()[0].status == "waiting" {
        assert!(std::time::Instant::now() < end, "the next file is not imported");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(other.service.imports("acme-two", 10).unwrap()[0].status, "ok");
    assert!(other.service.check_databases().iter().all(|(_, found)| found.is_ok()));
    let again = other.service.import_client(&file, Some("acme-three")).unwrap_err();
    assert_eq!(again.kind(), Kind::Exists, "its logins are here: {again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_had_been_received_and_not_imported_is_imported_there_once() {
    let folder = Bench::start().stop();
    let data = folder.path().join("data");
    let mut config = Config::default();
    config.limits.min_free_bytes = 0;
    config.limits.reply_wait_s = 0;
    // No workers: the upload is acknowledged and waits.
    let service = Service::open(config.into(), &data, Clock::System).unwrap();
    let waiting = Bench { service, workers: None, folder };
    put(&waiting.session().await, "/in/users.csv", DAY_1).await;
    let file = waiting.folder.path().join("acme.rollcall");
    waiting.service.export_client("acme", &file).unwrap();
    let other = elsewhere();
    other.service.import_client(&file, None).unwrap();
    other.wait_until_idle();
    assert_eq!(other.statuses(), ["ok"]);
    let other = other.restart();
    other.wait_until_idle();
    assert_eq!(other.statuses(), ["ok"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_or_foreign_file_changes_nothing() {
    let bench = Bench::start();
    put(&bench.session().await, "/in/users.csv", DAY_1).await;
    bench.wait_until_idle();
    let file = bench.folder.path().join("acme.rollcall");
    bench.service.export_client("acme", &file).unwrap();
    let good = fs::read(&file).unwrap();
    let other = elsewhere();
    let refused = |bytes: &[u8], kind: Kind| {
        let place = bench.folder.path().join("changed.rollcall");
        fs::write(&place, bytes).unwrap();
        let error = other.service.import_client(&place, None).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(other.service.clients().unwrap().is_empty());
        assert_eq!(left_over(&other.data("clients")), Vec::<String>::new(), "{error}");
    };
    for cut in [0, 1, 511, 600, good.len() / 2, good.len() - 1024, good.len() - 1] {
        refused(&good[..cut], Kind::Invalid);
    }
    // One bit of a file of the archive, one of the list's head.
    for at in [good.len() - 3000, 5] {
        let mut damaged = good.clone();
        damaged[at] ^= 1;
        refused(&damaged, Kind::Invalid);
    }
    let text = String::from_utf8_lossy(&good).into_owned();
    let climbing = text.find("files-of-client/files").unwrap();
    let mut hostile = good.clone();
    hostile[climbing..climbing + 15].copy_from_slice(b"../../../../../");
    refused(&hostile, Kind::Invalid);
    refused(b"login;lastName\n", Kind::Invalid);
    // Rows that are somebody else's.
    let at = text.find("\"table\":\"folders\"").unwrap();
    let owner = at + text[at..].find("[\"acme\"").unwrap();
    let mut foreign = good.clone();
    foreign[owner + 2..owner + 6].copy_from_slice(b"evil");
    refused(&foreign, Kind::Invalid);
    other.service.import_client(&file, None).unwrap();
}

#[test]
fn an_import_that_is_killed_leaves_all_or_nothing_and_can_be_repeated() {
    let from = Workplace::new();
    from.with_account();
    let roster = "employeeNumber;lastName;firstName;mail;dtContractStart\n1;Roy;Zoe;z@x.example;2020-01-13\n";
    fs::write(from.path("users.csv"), roster).unwrap();
    from.ok(&["import", "acme", "users.csv"]);
    let file = from.path("acme.rollcall");
    let file = file.to_str().unwrap();
    let said = from.ok(&["client", "export", "acme", file]);
    assert!(said.contains("client disable acme"), "{said}");
    for place in ["arrive.unpacked", "arrive.placed", "arrive.committed"] {
        let to = Workplace::new();
        let mut killed = to.command(&["client", "import", file]);
        let ended = killed.env("ROLLCALL_FAULT", format!("kill:{place}")).output().unwrap();
        assert_eq!(ended.status.code(), None, "{place}: it must end by the fault");
        let there = to.json(&["client", "list"]).as_array().unwrap().len();
        if place == "arrive.committed" {
            assert_eq!(there, 1, "{place}");
            assert!(to.refused(&["client", "import", file]).contains("already"));
        } else {
            assert_eq!(there, 0, "{place}");
            to.ok(&["client", "import", file]);
        }
        assert!(to.serve().stop().success(), "{place}");
        assert_eq!(left_over(&to.path("data/clients")), ["acme"], "{place}");
        assert!(!to.path("data/clients/acme/arriving").exists(), "{place}");
        let users = to.json(&["users", "list", "acme"]);
        assert_eq!(users[0]["last_name"], "Roy", "{place}: {users}");
    }
    // A client of that name that is made anew has nothing of what was left.
    let to = Workplace::new();
    let mut killed = to.command(&["client", "import", file]);
    killed.env("ROLLCALL_FAULT", "kill:arrive.placed").output().unwrap();
    to.ok(&["client", "add", "acme"]);
    assert_eq!(to.json(&["users", "list", "acme"]), serde_json::json!([]));
}
