//! Single rows that wait: renumberings (D104) and identity swaps (D105), approved and discarded by their line.

use std::collections::BTreeSet;

use rollcall::error::Kind;
use rollcall::import::fields::Field;
use rollcall::service::holds::{Ruling, Verdict};
use rollcall::service::session::Open;

use crate::bench::{Bench, put};

fn row(number: &str, name: &str, born: &str) -> String {
    let mail = name.to_lowercase();
    format!("{number};{name};Prénom{name};{mail}@acme.example;{born};06/01/2020\n")
}

/// Thirty people; `change` replaces the row of a number.
fn roster(change: &[(usize, String)]) -> String {
    let mut text = "employee number;last name;first name;email;birth date;hire date\n".to_owned();
    for n in 1..=30 {
        let own =
            row(&format!("{n:05}"), &format!("Nom{n}"), &format!("{:02}/03/1980", n % 28 + 1));
        let changed = change.iter().find(|(number, _)| *number == n);
        text.push_str(changed.map_or(own.as_str(), |(_, row)| row));
    }
    text
}

fn rows(verdict: Verdict, lines: &[u32]) -> Ruling {
    Ruling { verdict, lines: lines.iter().copied().collect(), sha256: String::new() }
}

fn person(bench: &Bench, number: &str) -> Option<(i64, String)> {
    let users = bench.service.users("acme", None).unwrap();
    let mut found =
        users.iter().filter(|user| user.values.get(Field::EmployeeNumber) == Some(number));
    found.next().map(|user| (user.id, user.values.get(Field::LastName).unwrap().to_owned()))
}

async fn waiting() -> (Bench, rollcall::service::session::Session, rollcall::model::UploadId) {
    let bench = Bench::start_with(|config| config.limits.reply_wait_s = 60);
    let session = bench.session().await;
    put(&session, "/in/users.csv", &roster(&[])).await;
    // Line 5 (number 4): the same person under another number. Line 8 (number 7): another person under the same one.
    let renumbered = row("00904", "Nom4", "05/03/1980");
    let swapped = row("00007", "Stranger", "11/11/1991").replace("PrénomStranger", "Ada");
    put(&session, "/in/users.csv", &roster(&[(4, renumbered), (7, swapped)])).await;
    let import = bench.imports()[1].clone();
    assert_eq!(import.status, "partial", "{import:?}");
    assert_eq!((import.counts.rejected, import.counts.held), (1, 1));
    assert_eq!(import.pending_lines, [5, 8]);
    assert_eq!(import.waits_for.as_deref(), Some("approval of rows 5, 8"));
    (bench, session, import.id)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approved_row_changes_its_person_and_nothing_else() {
    let (bench, _session, id) = waiting().await;
    let before = person(&bench, "00004").unwrap();
    assert_eq!(person(&bench, "00904"), None);
    let wrong = bench.service.decide(id, &rows(Verdict::Approve, &[6]), "cli").unwrap_err();
    assert!(wrong.message().contains("these rows do: 5, 8"), "{wrong}");
    let whole = Ruling { verdict: Verdict::Approve, lines: BTreeSet::new(), sha256: String::new() };
    let whole = bench.service.decide(id, &whole, "cli").unwrap_err();
    assert!(
        whole.message().contains("decide about lines 5, 8 (on the command line: --line"),
        "{whole}"
    );

    let done = bench.service.decide(id, &rows(Verdict::Approve, &[5]), "cli").unwrap();
    assert_eq!(person(&bench, "00904"), Some((before.0, "Nom4".to_owned())), "the same user");
    assert_eq!(person(&bench, "00004"), None);
    assert_eq!(done.view.pending_lines, [8]);
    assert_eq!((done.view.counts.rejected, done.view.counts.held), (0, 1));
    let report = done.report.unwrap();
    assert_eq!(report.counts.outcomes(), report.counts.rows);
    assert_eq!(report.messages[1].code.name(), "G606");
    assert!(report.pending_rows[0].decided.is_some() && report.pending_rows[1].decided.is_none());
    assert!(bench.file("/in/users.csv.corrections.csv").is_none(), "nothing is left to correct");

    let done = bench.service.decide(id, &rows(Verdict::Discard, &[8]), "cli").unwrap();
    assert_eq!(person(&bench, "00007").unwrap().1, "Nom7");
    assert_eq!((done.view.counts.rejected, done.view.counts.held), (1, 0));
    assert!(done.view.waits_for.is_none());
    let again = bench.service.decide(id, &rows(Verdict::Approve, &[8]), "cli").unwrap_err();
    assert_eq!(again.kind(), Kind::Conflict);
    assert_eq!(bench.imports().len(), 2, "an approval is no import of its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approved_swap_gives_the_record_to_the_other_person() {
    let (bench, _session, id) = waiting().await;
    let before = person(&bench, "00007").unwrap();
    bench.service.decide(id, &rows(Verdict::Approve, &[5, 8]), "cli").unwrap();
    assert_eq!(person(&bench, "00007"), Some((before.0, "Stranger".to_owned())));
    assert_eq!(bench.imports()[1].status, "ok_with_warnings");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_is_taken_back_with_the_rows_that_were_approved_later() {
    let (bench, _session, id) = waiting().await;
    let before = [person(&bench, "00004"), person(&bench, "00007")];
    bench.service.decide(id, &rows(Verdict::Approve, &[5]), "cli").unwrap();
    bench.service.decide(id, &rows(Verdict::Approve, &[8]), "cli").unwrap();
    assert_eq!(person(&bench, "00007").unwrap().1, "Stranger");
    let undone = bench.service.undo_import(id, "cli").unwrap();
    assert!(undone.kept.is_empty() && undone.values > 0, "{undone:?}");
    assert_eq!([person(&bench, "00004"), person(&bench, "00007")], before);
    assert_eq!(person(&bench, "00904"), None);
    assert_eq!(bench.service.users("acme", None).unwrap().len(), 30, "nobody is there twice");
    let import = bench.imports()[1].clone();
    assert_eq!(import.status, "undone");
    assert!(import.pending_lines.is_empty() && import.waits_for.is_none(), "{import:?}");
    let late = bench.service.decide(id, &rows(Verdict::Approve, &[5]), "cli").unwrap_err();
    assert_eq!(late.kind(), Kind::Conflict);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_back_while_rows_waited_leaves_nothing_to_approve() {
    let (bench, _session, id) = waiting().await;
    bench.service.undo_import(id, "cli").unwrap();
    let late = bench.service.decide(id, &rows(Verdict::Approve, &[5]), "cli").unwrap_err();
    assert_eq!(late.kind(), Kind::Conflict);
    assert!(person(&bench, "00904").is_none() && person(&bench, "00004").is_some());
}

/// Line 5 of a whole roster: number 4 under another number.
fn renumbered() -> String {
    roster(&[(4, row("00904", "Nom4", "05/03/1980"))])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_refused_strictly_leaves_no_row_to_approve() {
    let bench = Bench::start_with(|config| config.limits.reply_wait_s = 60);
    let session = bench.session().await;
    put(&session, "/in/users.csv", &roster(&[])).await;
    bench.service.set_settings("acme", "import", "strict = true").unwrap();
    put(&session, "/in/users.csv", &renumbered()).await;
    let import = bench.imports()[1].clone();
    assert_eq!(import.status, "rejected");
    assert!(import.pending_lines.is_empty() && import.waits_for.is_none(), "{import:?}");
    let refused = bench.service.decide(import.id, &rows(Verdict::Approve, &[5]), "cli");
    assert_eq!(refused.unwrap_err().kind(), Kind::Conflict);
    assert!(person(&bench, "00004").is_some() && person(&bench, "00904").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_waited_when_the_folder_became_strict_is_still_approved() {
    let (bench, _session, id) = waiting().await;
    bench.service.set_settings("acme", "import", "strict = true").unwrap();
    bench.service.decide(id, &rows(Verdict::Approve, &[5]), "cli").unwrap();
    assert!(person(&bench, "00904").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_only_row_of_a_file_is_approved_and_the_file_is_no_longer_refused() {
    let bench = Bench::start_with(|config| config.limits.reply_wait_s = 60);
    bench.service.set_settings("acme", "import", "mode = \"delta\"").unwrap();
    let session = bench.session().await;
    put(&session, "/in/users.csv", &roster(&[])).await;
    let text = renumbered();
    let mut lines = text.lines();
    let alone = [lines.next().unwrap(), lines.nth(3).unwrap(), ""].join("\n");
    put(&session, "/in/one.csv", &alone).await;
    let import = bench.imports()[1].clone();
    assert_eq!((import.status.as_str(), import.pending_lines.as_slice()), ("rejected", &[2][..]));
    let done = bench.service.decide(import.id, &rows(Verdict::Approve, &[2]), "cli").unwrap();
    assert!(person(&bench, "00904").is_some() && person(&bench, "00004").is_none());
    assert_eq!(done.view.status, "ok_with_warnings");
    assert_eq!((done.view.counts.rejected, done.view.counts.updated), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_full_file_makes_the_decision_needless() {
    let (bench, session, id) = waiting().await;
    put(&session, "/in/users.csv", &roster(&[])).await;
    let late = bench.service.decide(id, &rows(Verdict::Approve, &[5]), "cli").unwrap_err();
    assert!(late.message().contains("later full file"), "{late}");
    assert!(person(&bench, "00004").is_some());
}

/// The file of `waiting` with its two odd rows.
fn odd() -> String {
    let swapped = row("00007", "Stranger", "11/11/1991").replace("PrénomStranger", "Ada");
    roster(&[(4, row("00904", "Nom4", "05/03/1980")), (7, swapped)])
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_file_again_leaves_its_rows_waiting() {
    let (bench, session, id) = waiting().await;
    for _ in 0..2 {
        put(&session, "/in/users.csv", &odd()).await;
        assert_eq!(bench.statuses().pop().as_deref(), Some("duplicate"));
    }
    let import = bench.imports()[1].clone();
    assert_eq!(import.pending_lines, [5, 8]);
    assert_eq!(import.waits_for.as_deref(), Some("approval of rows 5, 8"));
    bench.service.decide(id, &rows(Verdict::Approve, &[5]), "cli").unwrap();
    assert!(person(&bench, "00904").is_some() && person(&bench, "00004").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approved_row_never_overwrites_what_is_newer() {
    let (bench, session, id) = waiting().await;
    let corrections = "employee number;last name;first name;email;birth date;hire date;_code;_message\n\
                       00007;Nom7;Corrected;nom7@acme.example;08/03/1980;06/01/2020;D105;x\n";
    put(&session, "/in/users.csv.corrections.csv", corrections).await;
    assert_eq!(bench.statuses().pop().as_deref(), Some("ok"));
    let late = bench.service.decide(id, &rows(Verdict::Approve, &[8]), "cli").unwrap_err();
    assert!(late.message().contains("the directory has changed since"), "{late}");
    assert_eq!(person(&bench, "00007").unwrap().1, "Nom7");
    // The other row's person is as it was.
    bench.service.decide(id, &rows(Verdict::Approve, &[5]), "cli").unwrap();
    assert!(person(&bench, "00904").is_some());
    // And so is the first one's again, once the correction is taken back.
    let corrected = bench.imports()[2].id;
    bench.service.undo_import(corrected, "cli").unwrap();
    bench.service.decide(id, &rows(Verdict::Approve, &[8]), "cli").unwrap();
    assert_eq!(person(&bench, "00007").unwrap().1, "Stranger");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approved_row_whose_contract_is_over_counts_as_ended() {
    let bench = Bench::start_with(|config| config.limits.reply_wait_s = 60);
    let session = bench.session().await;
    let list = |first: &str| {
        let header = "employee number;last name;first name;email;birth date;hire date;end date";
        let second = "00002;Roy;Max;roy@acme.example;02/03/1985;06/01/2020;";
        format!("{header}\n{first}\n{second}\n")
    };
    let anne = "00001;Dupont;Anne;anne@acme.example;24/05/1980;06/01/2020;";
    put(&session, "/in/users.csv", &list(anne)).await;
    let swapped = "00001;Stranger;Ada;ada@acme.example;11/11/1991;06/01/2020;31/01/2020";
    put(&session, "/in/users.csv", &list(swapped)).await;
    let import = bench.imports()[1].clone();
    assert_eq!(import.pending_lines, [2], "{import:?}");
    let done = bench.service.decide(import.id, &rows(Verdict::Approve, &[2]), "cli").unwrap();
    let report = done.report.unwrap();
    assert_eq!((report.counts.ended, report.counts.updated, report.counts.held), (1, 0, 0));
    assert_eq!(report.counts.outcomes(), report.counts.rows);
    let codes: Vec<&str> = report.messages.iter().map(|told| told.code.name()).collect();
    assert!(codes.contains(&"C408"), "the end is long ago: {codes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_swaps_hold_the_file_and_no_dropped_file_approves_them() {
    let bench = Bench::start_with(|config| config.limits.reply_wait_s = 60);
    bench.service.set_settings("acme", "import", "approve_by_file = true").unwrap();
    let session = bench.session().await;
    put(&session, "/in/users.csv", &roster(&[])).await;
    let swaps: Vec<(usize, String)> = [7, 8, 9]
        .map(|n| {
            let other = row(&format!("{n:05}"), &format!("Other{n}"), "11/11/1991");
            (n, other.replace("Prénom", "Ada"))
        })
        .to_vec();
    let said = put(&session, "/in/users.csv", &roster(&swaps)).await;
    assert!(said.starts_with("held: 3 rows seem to carry another person"), "{said}");
    let held = bench.imports()[1].clone();
    let name = format!("/in/users.csv.approve-{}", &held.file.sha256[..12]).parse().unwrap();
    let refused = session.open_upload(&name, Open::Replace).unwrap().commit().err().unwrap();
    assert_eq!(refused.kind(), Kind::Denied);
    assert!(refused.message().contains("D105"), "{refused}");
    let whole = Ruling { verdict: Verdict::Approve, lines: BTreeSet::new(), sha256: String::new() };
    bench.service.decide(held.id, &whole, "cli").unwrap();
    assert_eq!(person(&bench, "00008").unwrap().1, "Other8");
}
