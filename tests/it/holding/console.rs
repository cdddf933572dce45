//! A held import from the command line and over the network, with the real binary, killed at any moment.

use std::process::Stdio;
use std::time::Duration;

use rollcall::model::Protocol;
use rollcall::remote::Connection;
use serde_json::Value;

use crate::bench::wait;
use crate::cli::Workplace;

/// A roster of 40 people; the first `ended` of them have an end.
fn roster(ended: usize) -> String {
    let mut text = "login;lastName;firstName;mail;dtContractStart;dtContractEnd\n".to_owned();
    for n in 1..=40 {
        let end = if n <= ended { "2026-10-31" } else { "" };
        text.push_str(&format!("p{n};Nom{n};Prénom{n};p{n}@acme.example;2020-01-06;{end}\n"));
    }
    text
}

/// A client whose second file is held, imported by the command line.
fn held() -> (Workplace, String) {
    let place = Workplace::new();
    place.with_account();
    std::fs::write(place.path("first.csv"), roster(0)).unwrap();
    std::fs::write(place.path("second.csv"), roster(12)).unwrap();
    place.ok(&["import", "acme", "first.csv"]);
    let output = place.output(&["--json", "import", "acme", "second.csv"]);
    assert_eq!(output.status.code(), Some(1), "a script must not go on as if it were applied");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["status"], "held", "{report}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("rollcall imports approve "), "{said}");
    let id = report["import"].as_str().unwrap().to_owned();
    (place, id)
}

fn ended(place: &Workplace) -> usize {
    let users = place.json(&["users", "list", "acme"]);
    users.as_array().unwrap().iter().filter(|user| user["contract_end"].is_string()).count()
}

fn status(place: &Workplace, id: &str) -> String {
    let all = place.json(&["imports", "list", "acme"]);
    let one = all.as_array().unwrap().iter().find(|one| one["id"] == id).unwrap();
    one["status"].as_str().unwrap().to_owned()
}

#[test]
fn the_commands_that_show_prints_do_what_they_say() {
    let (place, id) = held();
    let listed = place.ok(&["imports", "list", "acme"]);
    assert!(listed.contains("12 people would end (limit 5 and 10 %)"), "{listed}");
    let checked = String::from_utf8(place.output(&["check"]).stdout).unwrap();
    assert!(checked.contains("second.csv") && checked.contains("waits for approval"), "{checked}");
    let shown = place.ok(&["imports", "show", &id]);
    let command = shown.lines().find(|line| line.contains("rollcall imports approve")).unwrap();
    let words: Vec<&str> = command.split_whitespace().skip(1).collect();
    assert!(words.contains(&id.as_str()) && words.contains(&"--sha256"), "{command}");
    let wrong = place.refused(&["imports", "approve", &id, "--sha256", "00000000"]);
    assert!(wrong.contains("SHA-256"), "{wrong}");
    let done = place.ok(&words);
    assert!(done.contains("Approved and applied."), "{done}");
    assert_eq!(ended(&place), 12);
    let late = place.refused(&["imports", "discard", &id]);
    assert!(late.contains("is not held"), "{late}");
    // And back again, for an approval may be a mistake too.
    let undone = place.ok(&["imports", "undo", &id]);
    assert!(undone.contains("Taken back. Values that are what they were: 12."), "{undone}");
    assert_eq!(ended(&place), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_file_decides_over_every_protocol() {
    let place = Workplace::new();
    let sheet = place.with_account();
    std::fs::write(place.path("s.toml"), "approve_by_file = true\n").unwrap();
    place.ok(&["settings", "load", "acme", "import", "s.toml"]);
    let server = place.serve();
    for (protocol, ends) in [(Protocol::Sftp, 12), (Protocol::Ftps, 20), (Protocol::Ftpes, 28)] {
        let mut session = Connection::open(&server.target(&sheet, protocol)).await.unwrap();
        let upload = "/in/users.csv".parse().unwrap();
        if protocol == Protocol::Sftp {
            session.put(&upload, roster(0).as_bytes()).await.unwrap();
        }
        session.put(&upload, roster(ends).as_bytes()).await.unwrap();
        let report = "/in/users.csv.report.json".parse().unwrap();
        let said = |bytes: Vec<u8>| serde_json::from_slice::<Value>(&bytes).unwrap();
        let held = said(session.get(&report, 1 << 20).await.unwrap());
        assert_eq!(held["status"], "held", "{protocol}");
        let digits = &held["file"]["sha256"].as_str().unwrap()[..12];
        let other = "/in/users.csv.approve-0123456789ab".parse().unwrap();
        assert!(session.put(&other, b"").await.is_err(), "{protocol}: another file's digits");
        let decision = format!("/in/users.csv.approve-{digits}").parse().unwrap();
        session.put(&decision, b"").await.unwrap();
        let done = said(session.get(&report, 1 << 20).await.unwrap());
        assert_eq!(done["status"], "ok_with_warnings", "{protocol}");
        assert_eq!(done["decision"]["who"], sheet["login"], "{protocol}");
        assert_eq!(ended(&place), ends, "{protocol}");
        session.close().await;
    }
    assert!(server.stop().success());
}

#[test]
fn a_decision_is_carried_out_once_whenever_the_program_is_killed() {
    let (place, id) = held();
    for pause_ms in [0, 20, 60, 120, 200, 300, 450] {
        let mut command = place.command(&["imports", "approve", &id]);
        let mut approving = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(pause_ms));
        drop(approving.kill());
        approving.wait().unwrap();
    }
    // Whatever the last of them left, a start brings it to its end.
    drop(place.serve());
    let server = place.serve();
    let decided = place.output(&["imports", "approve", &id]);
    assert!(decided.status.success() || status(&place, &id) == "ok_with_warnings");
    wait("the import is applied", || status(&place, &id) == "ok_with_warnings");
    assert_eq!(ended(&place), 12);
    let history = place.json(&["users", "history", "acme", "p1"]);
    let ends: Vec<&Value> = history
        .as_array()
        .unwrap()
        .iter()
        .filter(|change| change["field"] == "contract_end")
        .collect();
    assert_eq!(ends.len(), 1, "{ends:?}");
    assert!(server.stop().success());
}
