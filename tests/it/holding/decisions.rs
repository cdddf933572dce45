//! Approve, discard, expire, supersede: through the service's own door, over restarts.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::SignedDuration;
use rollcall::clock::Clock;
use rollcall::config::Config;
use rollcall::error::Kind;
use rollcall::import::fields::Field;
use rollcall::model::{Purpose, UploadId};
use rollcall::service::Service;
use rollcall::service::folders::FolderPatch;
use rollcall::service::holds::{Ruling, Verdict};
use rollcall::service::session::Session;

use crate::bench::{Bench, put, stage, wait};

const HEADER: &str = "login;lastName;firstName;mail;dtContractStart;dtContractEnd\n";

/// A roster of `count` people; the first `ended` of them have an end.
fn roster(count: usize, ended: usize) -> String {
    let mut text = HEADER.to_owned();
    for n in 1..=count {
        let end = if n <= ended { "2026-10-31" } else { "" };
        text.push_str(&format!("p{n};Nom{n};Prénom{n};p{n}@acme.example;2020-01-06;{end}\n"));
    }
    text
}

fn whole(verdict: Verdict) -> Ruling {
    Ruling { verdict, lines: BTreeSet::new(), sha256: String::new() }
}

fn set(bench: &Bench, toml: &str) {
    bench.service.set_settings("acme", "import", toml).unwrap();
}

/// A bench with 40 people, whose second file ends 12 of them and is held.
async fn held() -> (Bench, Session, UploadId) {
    let bench = Bench::start_with(|config| config.limits.reply_wait_s = 60);
    set(&bench, "[report]\nmarkers = true\n");
    let session = bench.session().await;
    put(&session, "/in/users.csv", &roster(40, 0)).await;
    let said = put(&session, "/in/users.csv", &roster(40, 12)).await;
    assert_eq!(
        said,
        "held: 12 people would end (limit 5 and 10 %); nothing was applied; see users.csv.report.csv"
    );
    let id = bench.imports()[1].id;
    (bench, session, id)
}

fn markers(bench: &Bench) -> Vec<String> {
    let all = bench.names("/in").into_iter();
    all.filter(|name| {
        name.rsplit_once('.').is_some_and(|(_, last)| {
            matches!(last, "ok" | "partial" | "held" | "rejected" | "failed")
        })
    })
    .collect()
}

fn ended(bench: &Bench) -> usize {
    let users = bench.service.users("acme", None).unwrap();
    users.iter().filter(|user| user.values.get(Field::ContractEnd).is_some()).count()
}

fn report(bench: &Bench, path: &str) -> serde_json::Value {
    serde_json::from_str(&bench.file(&format!("{path}.report.json")).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approved_import_is_applied_once_and_says_so() {
    let (bench, session, id) = held().await;
    assert_eq!(bench.statuses(), ["ok", "held"]);
    assert_eq!(markers(&bench), ["users.csv.held"]);
    assert_eq!(ended(&bench), 0);
    let held = report(&bench, "/in/users.csv");
    assert_eq!(held["counts"]["held"], 40);
    assert_eq!(held["planned"]["ended"], 12);
    let view = &bench.imports()[1];
    assert!(view.expires_at.is_some());
    let waits = view.waits_for.as_deref().unwrap();
    assert_eq!(waits, "approval: 12 people would end (limit 5 and 10 %)");

    let wrong = Ruling { sha256: "ffffffffffff".to_owned(), ..whole(Verdict::Approve) };
    assert_eq!(bench.service.decide(id, &wrong, "cli").unwrap_err().kind(), Kind::Conflict);
    let sha256 = view.file.sha256[..12].to_owned();
    let right = Ruling { sha256, ..whole(Verdict::Approve) };
    let done = bench.service.decide(id, &right, "cli").unwrap();
    assert_eq!(done.view.status, "ok_with_warnings");
    assert_eq!(ended(&bench), 12);
    assert_eq!(markers(&bench), ["users.csv.ok"]);
    let now = report(&bench, "/in/users.csv");
    assert_eq!((&now["status"], &now["counts"]["ended"]), (&"ok_with_warnings".into(), &12.into()));
    assert_eq!(now["messages"][1]["code"], "G606");
    assert_eq!(now["decision"]["who"], "cli");
    assert!(bench.names("/in/reports").iter().all(|name| !name.ends_with(".held")));

    // Nobody approves twice, and the same file again is the one that was applied.
    let again = bench.service.decide(id, &right, "cli").unwrap_err();
    assert_eq!(again.kind(), Kind::Conflict);
    assert!(again.message().contains("is not held"), "{again}");
    put(&session, "/in/users.csv", &roster(40, 12)).await;
    assert_eq!(bench.statuses(), ["ok", "ok_with_warnings", "duplicate"]);
    assert_eq!(ended(&bench), 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_file_again_has_the_marker_of_what_was_refused() {
    let bench = Bench::start_with(|config| config.limits.reply_wait_s = 60);
    set(&bench, "[report]\nmarkers = true\n");
    let session = bench.session().await;
    let refused = roster(10, 0).replace("p3@acme.example", "p3(at)acme.example");
    put(&session, "/in/users.csv", &refused).await;
    assert_eq!(
        (bench.statuses(), markers(&bench)),
        (vec!["partial".to_owned()], vec!["users.csv.partial".to_owned()])
    );
    for _ in 0..2 {
        put(&session, "/in/users.csv", &refused).await;
        assert_eq!(bench.statuses().pop().as_deref(), Some("duplicate"));
        assert_eq!(markers(&bench), ["users.csv.partial"]);
        let told = &report(&bench, "/in/users.csv")["messages"][1];
        assert_eq!((&told["code"], &told["why"]), (&"N003".into(), &"partial".into()));
        assert_eq!(told["level"], "warning");
    }
    for _ in 0..2 {
        put(&session, "/in/users.csv", &roster(10, 0)).await;
        assert_eq!(markers(&bench), ["users.csv.ok"]);
    }
    assert_eq!(bench.statuses().pop().as_deref(), Some("duplicate"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_discarded_import_never_is_applied() {
    let (bench, _session, id) = held().await;
    let done = bench.service.decide(id, &whole(Verdict::Discard), "cli").unwrap();
    assert_eq!(done.view.status, "discarded");
    assert_eq!(ended(&bench), 0);
    assert_eq!(markers(&bench), ["users.csv.rejected"]);
    let now = report(&bench, "/in/users.csv");
    assert_eq!(
        (&now["status"], &now["messages"][1]["code"]),
        (&"discarded".into(), &"G607".into())
    );
    assert_eq!(now["counts"]["ignored"], 40);
    let late = bench.service.decide(id, &whole(Verdict::Approve), "cli").unwrap_err();
    assert_eq!(late.kind(), Kind::Conflict);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_decides_in_time() {
    let (bench, _session, id) = held().await;
    let folder = bench.stop();
    let data = folder.path().join("data");
    let later = Clock::System.now() + SignedDuration::from_hours(7 * 24 + 1);
    let service = Service::open(Arc::new(Config::default()), &data, Clock::Fixed(later)).unwrap();
    let refused = service.decide(id, &whole(Verdict::Approve), "cli").unwrap_err();
    assert!(refused.message().contains("expired"), "{refused}");
    let workers = service.start().unwrap();
    wait("the hold expires", || service.import(id).unwrap().view.status == "expired");
    let beside = data.join("clients/acme/files/acme/in/users.csv.rejected");
    wait("the report says so", || beside.exists());
    assert_eq!(service.import(id).unwrap().report.unwrap().messages[1].code.name(), "G608");
    workers.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_applied_full_file_supersedes_a_held_one() {
    let (bench, session, id) = held().await;
    // A corrections file says nothing about the others, so it leaves the held one waiting.
    let corrections = "login;lastName;firstName;mail;dtContractStart;_code;_message\n\
                       p1;Autre;Prénom1;p1@acme.example;2020-01-06;V302;x\n";
    put(&session, "/in/users.csv.corrections.csv", corrections).await;
    assert_eq!(bench.statuses(), ["ok", "held", "ok"]);
    put(&session, "/in/other.csv", &roster(41, 0)).await;
    bench.wait_until_idle();
    assert_eq!(bench.statuses(), ["ok", "superseded", "ok", "ok"]);
    // Its own report beside it says so, for it is still the newest of its name.
    let now = report(&bench, "/in/users.csv");
    assert_eq!(
        (&now["status"], &now["messages"][1]["code"]),
        (&"superseded".into(), &"N004".into())
    );
    assert_eq!(
        markers(&bench),
        ["other.csv.ok", "users.csv.corrections.csv.ok", "users.csv.rejected"]
    );
    let late = bench.service.decide(id, &whole(Verdict::Approve), "cli").unwrap_err();
    assert!(late.message().contains("superseded"), "{late}");
    assert_eq!(ended(&bench), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_file_approved_late_leaves_a_newer_held_one_waiting() {
    let (bench, session, id) = held().await;
    put(&session, "/in/users.csv", &roster(40, 15)).await;
    assert_eq!(bench.statuses(), ["ok", "held", "held"]);
    bench.service.decide(id, &whole(Verdict::Approve), "cli").unwrap();
    let mut statuses = bench.statuses();
    statuses.sort();
    assert_eq!(statuses, ["held", "ok", "ok_with_warnings"]);
    // The report beside the newer upload still is the newer one's.
    assert_eq!(markers(&bench), ["users.csv.held"]);
    assert_ne!(bench.reported("/in/users.csv"), Some(id.to_string()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_is_no_longer_the_approved_one_is_held_again() {
    let (bench, session, id) = held().await;
    let corrections = "login;lastName;firstName;mail;dtContractStart;_code;_message\n\
                       p1;Autre;Prénom1;p1@acme.example;2020-01-06;V302;x\n";
    put(&session, "/in/users.csv.corrections.csv", corrections).await;
    // The file would now give p1 its old name back: nobody has seen that.
    let again = bench.service.decide(id, &whole(Verdict::Approve), "cli").unwrap();
    assert_eq!(again.view.status, "held");
    assert_eq!(ended(&bench), 0);
    let now = report(&bench, "/in/users.csv");
    assert_eq!(now["messages"][1]["code"], "G606");
    assert_eq!(now["messages"][1]["why"], "again");
    assert_eq!(markers(&bench)[0], "users.csv.corrections.csv.ok");
    assert_eq!(markers(&bench)[1], "users.csv.held");
    let done = bench.service.decide(id, &whole(Verdict::Approve), "cli").unwrap();
    assert_eq!(done.view.status, "ok_with_warnings");
    assert_eq!(ended(&bench), 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn in_delta_mode_later_files_wait_behind_a_held_one() {
    let bench = Bench::start_with(|config| config.limits.reply_wait_s = 60);
    let session = bench.session().await;
    put(&session, "/in/users.csv", &roster(40, 0)).await;
    set(&bench, "mode = \"delta\"");
    put(&session, "/in/leavers.csv", &roster(12, 12)).await;
    let held = bench.imports()[1].id;
    let said = put(&session, "/in/news.csv", &roster(3, 0).replace("Nom3", "Neu")).await;
    assert_eq!(said, format!("Received; it waits behind import {held}, which is held"));
    // A trial changes nothing, so it need not wait.
    session.make_dir(&"/in/test".parse().unwrap()).unwrap();
    put(&session, "/in/test/news.csv", &roster(3, 0)).await;
    let waiting = bench.imports().into_iter().find(|i| i.status == "waiting").unwrap();
    assert_eq!(waiting.file.name, "news.csv");
    assert_eq!(waiting.waits_for, Some(format!("import {held}, which is held")));
    // Also after a restart.
    let bench = bench.restart();
    bench.service.decide(held, &whole(Verdict::Approve), "cli").unwrap();
    bench.wait_until_idle();
    assert!(bench.statuses().iter().all(|status| status != "waiting" && status != "held"));
    let users = bench.service.users("acme", None).unwrap();
    let third = users.iter().find(|user| user.values.get(Field::Login) == Some("p3")).unwrap();
    assert_eq!(third.values.get(Field::LastName), Some("Neu"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_decision_outlives_the_program() {
    let (bench, _session, id) = held().await;
    // Nobody can carry it out while this lock is held, as when the program ends right after the decision was recorded.
    let lock = bench.hold_imports();
    let service = bench.service.clone();
    let deciding = std::thread::spawn(move || service.decide(id, &whole(Verdict::Approve), "cli"));
    wait("the decision is recorded", || {
        !bench.registry().clients_with_decisions().unwrap().is_empty()
    });
    drop(lock);
    deciding.join().unwrap().unwrap();
    assert_eq!(ended(&bench), 12);
    assert!(bench.registry().clients_with_decisions().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_that_was_carried_out_before_a_crash_is_not_repeated() {
    let (bench, _session, id) = held().await;
    bench.service.decide(id, &whole(Verdict::Approve), "cli").unwrap();
    let folder = bench.stop();
    // As after a crash between the directory's commit and the mark in the registry.
    let registry = rusqlite::Connection::open(folder.path().join("data/registry.db")).unwrap();
    registry.execute("UPDATE decisions SET done_at = NULL, refusal = NULL", []).unwrap();
    drop(registry);
    let bench = Bench::open(folder, |_| {});
    wait("it is marked", || bench.registry().clients_with_decisions().unwrap().is_empty());
    bench.wait_until_idle();
    assert_eq!(bench.registry().decision(1).unwrap().unwrap().refusal, None);
    assert_eq!(bench.statuses(), ["ok", "ok_with_warnings"]);
    assert_eq!(ended(&bench), 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_file_decides_where_the_folder_allows_it() {
    let (bench, session, id) = held().await;
    let sha256 = bench.imports()[1].file.sha256[..12].to_owned();
    let name = format!("/in/users.csv.approve-{sha256}");
    let refused = session
        .open_upload(&name.parse().unwrap(), rollcall::service::session::Open::Replace)
        .err()
        .unwrap();
    assert_eq!(refused.kind(), Kind::Denied);
    set(&bench, "approve_by_file = true\n[report]\nmarkers = true\n");
    let other = "/in/users.csv.approve-0123456789ab".parse().unwrap();
    let staged = session.open_upload(&other, rollcall::service::session::Open::Replace).unwrap();
    assert_eq!(staged.commit().err().unwrap().kind(), Kind::NotFound);
    let said = put(&session, &name, "").await;
    assert!(said.starts_with("Approved: 40 rows: 12 ended, 28 unchanged; see "), "{said}");
    assert_eq!(ended(&bench), 12);
    assert!(!bench.names("/in").iter().any(|name| name.contains("approve")), "it is not kept");
    let decision = bench.service.import(id).unwrap().report.unwrap().decision.unwrap();
    assert_eq!(decision.who, "acme");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_may_be_written_under_a_temporary_name() {
    let (bench, session, _id) = held().await;
    set(&bench, "approve_by_file = true");
    let sha256 = bench.imports()[1].file.sha256[..12].to_owned();
    let name = format!("/in/users.csv.discard-{sha256}");
    put(&session, &format!("{name}.filepart"), "x").await;
    let said = crate::bench::rename(&session, &format!("{name}.filepart"), &name).await;
    assert!(said.starts_with("Discarded: G607"), "{said}");
    assert!(!bench.names("/in").iter().any(|name| name.contains("discard")));
    // The upload itself cannot be lost that way.
    let (from, to) = ("/in/users.csv".parse().unwrap(), name.parse().unwrap());
    let overwrite = rollcall::service::session::Overwrite::Allow;
    assert_eq!(session.rename(&from, &to, overwrite).err().unwrap().kind(), Kind::Denied);
    assert!(bench.file("/in/users.csv").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_approve_at_once_nobody_is_told_that_it_was_refused() {
    let (bench, session, _id) = held().await;
    set(&bench, "approve_by_file = true\n[report]\nmarkers = true\n");
    let sha256 = bench.imports()[1].file.sha256[..12].to_owned();
    let name = format!("/in/users.csv.approve-{sha256}");
    let importing = bench.hold_imports();
    let receipts = [(); 2].map(|()| stage(&session, &name, "").commit().unwrap());
    drop(importing);
    for receipt in receipts {
        let said = receipt.settle().await.text;
        assert!(said.starts_with("Approved: 40 rows: 12 ended"), "{said}");
    }
    assert_eq!(ended(&bench), 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_stays_until_somebody_has_decided_by_its_settings() {
    let (bench, _session, id) = held().await;
    // The answer comes a moment before the upload counts as done.
    bench.wait_until_idle();
    let plain = FolderPatch { purpose: Some(Purpose::Plain), ..FolderPatch::default() };
    let refused = [
        bench.service.remove_folder("acme", "import"),
        bench.service.set_folder("acme", "import", &plain).map(drop),
        bench.service.remove_account("acme"),
    ];
    for refused in refused {
        let refused = refused.unwrap_err();
        assert_eq!(refused.kind(), Kind::Busy);
        assert!(refused.message().contains(&format!("rollcall imports discard {id}")), "{refused}");
    }
    // Should it be gone all the same, nothing is read by the defaults in place of its settings.
    bench.registry().remove_folder("acme", "import").unwrap();
    let refused = bench.service.decide(id, &whole(Verdict::Approve), "test").err().unwrap();
    assert!(refused.message().contains("no import folder \"import\" any more"), "{refused}");
    assert_eq!((ended(&bench), bench.imports()[1].status.as_str()), (0, "held"));
    bench.service.decide(id, &whole(Verdict::Discard), "test").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_whose_folder_is_gone_is_not_read_by_the_defaults() {
    let bench = Bench::start_with(|config| config.limits.reply_wait_s = 0);
    set(&bench, "mode = \"delta\"\n");
    let session = bench.session().await;
    put(&session, "/in/users.csv", &roster(3, 0)).await;
    bench.wait_until_idle();
    let importing = bench.hold_imports();
    put(&session, "/in/users.csv", &roster(2, 0)).await;
    bench.registry().remove_folder("acme", "import").unwrap();
    drop(importing);
    bench.wait_until_idle();
    assert_eq!(bench.statuses()[1], "failed");
    let failure = bench.uploads()[1].failure.clone().unwrap();
    assert!(failure.contains("no import folder \"import\" any more"), "{failure}");
}
