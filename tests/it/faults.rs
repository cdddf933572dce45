//! The program ends, or the disk is full, between any two steps of an import or undo: nothing is lost, doubled or half done.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use rollcall::model::Protocol;
use rollcall::remote::Connection;
use serde_json::Value;

use super::cli::{Serving, Workplace};

const DEADLINE: Duration = Duration::from_secs(180);
const ROSTER: &[u8] = b"employeeNumber;lastName;firstName;mail;dtContractStart;department\n\
    0001;Roy;Zoe;zoe@x.example;2020-01-13;Sales\n0002;;Lea;lea@x.example;2020-02-01;IT\n";

struct Scene {
    place: Workplace,
    sheet: Value,
}

impl Scene {
    fn new() -> Self {
        let place = Workplace::new();
        // The server makes its keys once; then the sheet can name them.
        assert!(place.serve().stop().success());
        let sheet = place.with_account();
        Self { place, sheet }
    }

    fn folder(&self) -> String {
        let folders = self.sheet["folders"].as_array().unwrap();
        let import = folders.iter().find(|folder| folder["purpose"] == "import").unwrap();
        import["path"].as_str().unwrap().to_owned()
    }

    /// Uploads the roster; whether the answer came does not matter.
    fn put(&self, server: &Serving) -> bool {
        let target = server.target(&self.sheet, Protocol::Sftp);
        let path = format!("{}/users.csv", self.folder()).parse().unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let mut session = Connection::open(&target).await.unwrap();
            let put = session.put(&path, ROSTER).await;
            session.close().await;
            put.is_ok()
        })
    }

    fn imports(&self) -> Vec<Value> {
        self.place.json(&["imports", "list", "acme"]).as_array().unwrap().clone()
    }

    fn wait(&self, what: &str, done: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !done(self) {
            assert!(begun.elapsed() < DEADLINE, "{what}: {:?}", self.imports());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn client(&self) -> PathBuf {
        self.place.path("data/clients/acme")
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let login = self.sheet["login"].as_str().unwrap();
        let folder = self.folder();
        let below = folder.trim_start_matches('/');
        self.client().join("files").join(login).join(below).join(format!("users.csv{ending}"))
    }

    fn report(&self) -> Option<Value> {
        serde_json::from_slice(&std::fs::read(self.beside(".report.json")).ok()?).ok()
    }

    fn is_settled(&self, status: &str) -> bool {
        let spool = std::fs::read_dir(self.client().join("spool")).unwrap().count();
        let imports = self.imports();
        let done = imports.len() == 1 && imports[0]["status"] == status;
        done && spool == 0 && self.report().is_some_and(|report| report["status"] == status)
    }

    /// Every promise, once the import has come to its end.
    fn check(&self, what: &str) {
        // The program may have ended when one of the files lay there already.
        self.wait(what, |scene| {
            scene.is_settled("partial")
                && [".report.csv", ".corrections.csv"].iter().all(|e| scene.beside(e).exists())
        });
        let (imports, report) = (self.imports(), self.report().unwrap());
        assert_eq!(imports[0]["id"], report["import"], "{what}");
        assert_eq!(
            (&report["counts"]["created"], &report["counts"]["rejected"]),
            (&1.into(), &1.into())
        );
        assert_eq!(std::fs::read(self.beside("")).unwrap(), ROSTER, "{what}");
        let users = self.place.json(&["users", "list", "acme"]);
        assert_eq!(users.as_array().unwrap().len(), 1, "{what}: {users}");
        let history = self.place.json(&["users", "history", "acme", "0001"]);
        let numbers =
            history.as_array().unwrap().iter().filter(|c| c["field"] == "employee_number");
        assert_eq!(numbers.count(), 1, "{what}");
    }
}

#[test]
fn what_a_command_recorded_before_it_ended_the_running_server_imports() {
    let scene = Scene::new();
    let server = scene.place.serve();
    std::fs::write(scene.place.path("users.csv"), ROSTER).unwrap();
    let mut command = scene.place.command(&["import", "acme", "users.csv"]);
    let ended = command.env("ROLLCALL_FAULT", "kill:hand.recorded").output().unwrap();
    assert!(!ended.status.success(), "it was to be killed there");
    scene.wait("the server imports it", |scene| {
        let imports = scene.imports();
        imports.len() == 1 && imports[0]["status"] == "partial"
    });
    assert!(server.stop().success());
}

#[test]
fn a_program_that_ends_between_two_steps_of_an_import_finishes_it_once() {
    for step in [
        "import.begun",
        "apply.inside",
        "apply.committed",
        "report.staging",
        "report.placing",
        "report.written",
        "import.marked",
    ] {
        let scene = Scene::new();
        let server = scene.place.serve_with_fault(&format!("kill:{step}"));
        scene.put(&server);
        assert!(!server.ended().success(), "{step}: it was to be killed there");
        // What had not been committed is not there; what had is there as a whole.
        let known = scene.place.json(&["users", "list", "acme"]).as_array().unwrap().len();
        let allowed = match step {
            "import.begun" | "apply.inside" => 0..=0,
            // The report is written while the plan is applied: it may have been on either side of the commit.
            "report.staging" => 0..=1,
            _ => 1..=1,
        };
        assert!(allowed.contains(&known), "{step}: {known}");
        let server = scene.place.serve();
        scene.check(step);
        assert!(server.stop().success());
    }
}

#[test]
fn an_undo_is_done_as_a_whole_or_not_at_all() {
    for (step, status) in [("undo.inside", "partial"), ("undo.committed", "undone")] {
        let scene = Scene::new();
        let server = scene.place.serve();
        assert!(scene.put(&server));
        scene.check(step);
        assert!(server.stop().success());
        let id = scene.imports()[0]["id"].as_str().unwrap().to_owned();
        let mut undo = scene.place.command(&["imports", "undo", &id]);
        let ended = undo.env("ROLLCALL_FAULT", format!("kill:{step}")).output().unwrap();
        assert!(!ended.status.success(), "{step}: {ended:?}");
        let server = scene.place.serve();
        scene.wait(step, |scene| scene.is_settled(status));
        let users = scene.place.json(&["users", "list", "acme"]);
        assert_eq!(users.as_array().unwrap().len(), usize::from(status == "partial"), "{step}");
        assert!(server.stop().success());
    }
}

#[test]
fn a_full_disk_keeps_the_file_until_there_is_room() {
    for step in ["import.begun", "apply.inside", "report.staging", "report.placing"] {
        let scene = Scene::new();
        let full = scene.place.path("full");
        std::fs::write(&full, b"").unwrap();
        let server = scene.place.serve_with_fault(&format!("full:{step}:{}", full.display()));
        assert!(scene.put(&server), "{step}: the file itself had room, so it is acknowledged");
        scene.wait(step, |scene| !scene.imports().is_empty());
        if step == "report.placing" {
            scene.wait(step, |scene| scene.report().is_some());
        }
        // Longer than every pause between two tries that a fault of another kind would be given up after.
        std::thread::sleep(Duration::from_millis(2500));
        // The first of several files may lie there already: it is whole, and speaks of what was committed.
        let first = scene.report().is_none_or(|report| report["status"] == "partial");
        assert!(first && (step == "report.placing") == scene.report().is_some(), "{step}");
        let status = scene.imports()[0]["status"].clone();
        assert_ne!(status, "failed", "{step}");
        std::fs::remove_file(&full).unwrap();
        scene.check(step);
        assert!(server.stop().success(), "{step}: the server lives");
    }
}
