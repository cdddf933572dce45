//! What each guard counts, and what it lets through: pure plans, no server.

use rollcall::import::codes::Code;
use rollcall::import::directory::{Absence, Snapshot};
use rollcall::import::plan::Written;
use rollcall::import::report::GuardOutcome;
use rollcall::import::settings::Settings;
use rollcall::import::{self, Approval, Job, Plan};
use rollcall::model::{ImportStatus, Language};

use crate::golden::{self, applied, empty_directory};

const HEADER: &str = "legalEntity;ID number;lastName;firstName;mail;dtContractStart;dtContractEnd;department;jobTitle";

/// One person of a roster that the tests make.
#[derive(Clone)]
struct Person {
    entity: &'static str,
    number: usize,
    end: &'static str,
    department: String,
    job: String,
}

fn people(count: usize) -> Vec<Person> {
    let one = |number: usize| Person {
        entity: if number.is_multiple_of(4) { "FR02" } else { "FR01" },
        number,
        end: "",
        department: format!("D{}", number % 3),
        job: format!("J{}", number % 5),
    };
    (1..=count).map(one).collect()
}

fn file(people: &[Person]) -> String {
    let mut text = format!("{HEADER}\r\n");
    for p in people {
        let n = p.number;
        text.push_str(&format!(
            "{};{n:05};Nom{n};Prénom{n};p{n}@x.example;15/01/2010;{};{};{}\r\n",
            p.entity, p.end, p.department, p.job
        ));
    }
    text
}

fn with(settings: &str, text: &str, before: &Snapshot) -> Plan {
    golden::plan(text.as_bytes(), "users.csv", &Settings::from_toml(settings).unwrap(), before)
}

fn directory(people: &[Person]) -> Snapshot {
    let first = with("", &file(people), &empty_directory());
    assert!(first.report.status.is_applied(), "{:?}", first.report.messages);
    applied(empty_directory(), &first)
}

fn size(n: usize) -> u64 {
    u64::try_from(n).unwrap()
}

fn tripped(plan: &Plan) -> Vec<&'static str> {
    let all = plan.report.guards.iter().filter(|guard| guard.tripped);
    all.map(|guard| guard.code.name()).collect()
}

fn guard(plan: &Plan, code: Code) -> &GuardOutcome {
    plan.report.guards.iter().find(|guard| guard.code == code).unwrap()
}

/// Held, with nothing written and every row waiting.
#[track_caller]
fn assert_held(plan: &Plan, codes: &[&str]) {
    assert_eq!(tripped(plan), codes, "{:?}", plan.report.guards);
    assert_eq!(plan.report.status, ImportStatus::Held);
    assert!(plan.writes.is_empty() && plan.source.is_none() && plan.listed.is_none());
    assert!(plan.list_entries.is_empty() && plan.absences.is_none());
    let counts = plan.report.counts;
    assert_eq!((counts.held, counts.outcomes()), (counts.rows, counts.rows));
    let planned = plan.report.planned.unwrap();
    assert_eq!((planned.held, planned.outcomes()), (0, counts.rows));
    let told: Vec<&str> = plan.report.messages.iter().map(|m| m.code.name()).collect();
    assert_eq!(told[1..=codes.len()], *codes, "the reasons stand right below the summary");
}

#[test]
fn a_limit_trips_when_the_count_and_the_share_are_passed() {
    // Ten percent of 60 is 6: with 6 ends the count is passed and the share is not.
    for (of, ends, held) in [(60, 6, false), (60, 7, true), (5, 5, false), (8, 6, true)] {
        let before = people(of);
        let mut after = before.clone();
        after[..ends].iter_mut().for_each(|p| p.end = "31/12/2026");
        let plan = with("", &file(&after), &directory(&before));
        assert_eq!(plan.report.status == ImportStatus::Held, held, "{ends} of {of}");
        let seen = guard(&plan, Code::G601);
        assert_eq!((seen.observed, seen.of, seen.tripped), (size(ends), size(of), held));
        if held {
            assert_held(&plan, &["G601"]);
        } else {
            assert_eq!(plan.writes.len(), ends);
        }
    }
}

#[test]
fn an_end_that_a_column_gives_to_everybody_is_held_with_names() {
    let before = people(40);
    let mut after = before.clone();
    after.iter_mut().for_each(|p| p.end = "20/11/2026");
    let plan = with("", &file(&after), &directory(&before));
    assert_held(&plan, &["G601"]);
    assert_eq!(plan.report.planned.unwrap().ended, 40);
    let told = &plan.report.messages[1];
    assert_eq!(told.params["people"].split(", ").count(), 21, "the first 20 and an ellipsis");
    assert!(told.params["people"].starts_with("NOM1 Prénom1, NOM2 Prénom2"), "{told:?}");
    // The same with the guard off: the operator has asked for it.
    let off = with("[guards]\nendings = \"off\"", &file(&after), &directory(&before));
    assert!(off.report.status.is_applied());
}

#[test]
fn half_an_export_is_held_whatever_becomes_of_absent_people() {
    let before = people(40);
    for settings in ["", "absent = \"end\"\nabsent_after = 1", "absent = \"hold\""] {
        let plan = with(settings, &file(&before[..20]), &directory(&before));
        assert_eq!(plan.report.status, ImportStatus::Held, "{settings}");
        assert!(tripped(&plan).contains(&"G604"), "{settings}");
        assert!(plan.writes.is_empty() && plan.absences.is_none());
        assert_eq!(plan.report.counts.absent, 20);
    }
    // A corrections file or a delta file says nothing about the others.
    let delta = with("mode = \"delta\"", &file(&before[..20]), &directory(&before));
    assert_eq!(delta.report.status, ImportStatus::Ok);
    assert!(delta.report.guards.iter().all(|guard| guard.code != Code::G604));
}

#[test]
fn people_whom_absence_would_end_count_as_endings() {
    // 7 of 40 are missing: too few for G604, and on the second day too many to end.
    let all = people(40);
    let mut before = directory(&all);
    let settings = "absent = \"end\"\nabsent_after = 2";
    let first = with(settings, &file(&all[..33]), &before);
    assert!(first.report.status.is_applied(), "{:?}", tripped(&first));
    assert!(first.writes.is_empty());
    let yesterday = golden::TODAY.yesterday().unwrap();
    let absent = before.users[33..]
        .iter()
        .map(|user| (user.id, Absence { first_day: yesterday, files: 1, last_day: yesterday }));
    before.absences = absent.collect();
    let second = with(settings, &file(&all[..33]), &before);
    assert_held(&second, &["G601"]);
    assert_eq!(guard(&second, Code::G601).observed, 7);
}

#[test]
fn one_legal_entity_alone_is_held() {
    let before = people(40);
    // The other entity is as large as ever: rows alone do not tell.
    let only: Vec<Person> = before.iter().filter(|p| p.entity == "FR01").cloned().collect();
    let plan = with("[guards]\nfewer_rows = \"off\"", &file(&only), &directory(&before));
    assert_held(&plan, &["G605"]);
    assert_eq!(guard(&plan, Code::G605).observed, 10);
    assert_eq!(plan.report.messages[1].params["entities"], "FR02");
    // Nobody who has left counts: an entity that was closed long ago is not missed.
    let mut closed = before.clone();
    closed.iter_mut().filter(|p| p.entity == "FR02").for_each(|p| p.end = "30/06/2026");
    let plan = with("[guards]\nfewer_rows = \"off\"", &file(&only), &directory(&closed));
    assert!(plan.report.status.is_applied(), "{:?}", tripped(&plan));
}

#[test]
fn an_entity_that_is_gone_holds_one_file_only() {
    let before = people(40);
    let mut only: Vec<Person> = before.iter().filter(|p| p.entity == "FR01").cloned().collect();
    let approved = approve(&file(&only), &directory(&before));
    assert!(approved.report.status.is_applied());
    assert!(tripped(&approved).contains(&"G605"));
    let remembered = approved.absences.clone().unwrap();
    assert!(remembered.len() == 10 && remembered.iter().all(|(_, absence)| absence.files == 0));
    let after = applied(directory(&before), &approved);
    // The next days' files change something, and all they say of the ten is the usual.
    only[0].job = "J9".to_owned();
    let next = with("", &file(&only), &after);
    assert!(next.report.status.is_applied(), "{:?}", tripped(&next));
    assert_eq!((next.report.counts.absent, next.absences.is_none()), (10, true));
    // Counting begins with the setting that ends contracts, whatever was remembered before.
    let end = "absent = \"end\"\nabsent_after = 2";
    let counted = with(end, &file(&only), &applied(after, &next));
    assert!(counted.report.status.is_applied() && counted.ended_by_absence.is_empty());
    assert!(counted.absences.unwrap().iter().all(|(_, absence)| absence.files == 1));
}

#[test]
fn a_shifted_column_is_held_and_a_new_one_is_not() {
    let before = people(40);
    let mut after = before.clone();
    after.iter_mut().for_each(|p| std::mem::swap(&mut p.department, &mut p.job));
    let plan = with("", &file(&after), &directory(&before));
    assert_held(&plan, &["G603"]);
    let told: Vec<String> = plan
        .report
        .messages
        .iter()
        .filter(|m| m.code == Code::G603)
        .map(|m| m.field.as_ref().unwrap().to_string())
        .collect();
    assert_eq!(told, ["department", "job_title"]);
    // A column that was never filled overwrites nothing.
    let mut bare = before.clone();
    bare.iter_mut().for_each(|p| p.job = String::new());
    let plan = with("", &file(&before), &directory(&bare));
    assert_eq!(plan.report.counts.updated, 40, "{:?}", tripped(&plan));
}

#[test]
fn a_second_file_of_strangers_is_held_and_the_first_never() {
    let mut after = people(140);
    let first = with("", &file(&after), &empty_directory());
    assert_eq!(first.report.counts.created, 140);
    after.iter_mut().skip(100).for_each(|p| p.number += 1000);
    let plan = with("", &file(&after), &directory(&people(100)));
    assert!(plan.report.status.is_applied(), "40 are below the count");
    let mut after = people(100);
    after.extend(people(60).into_iter().map(|p| Person { number: p.number + 1000, ..p }));
    assert_held(&with("", &file(&after), &directory(&people(100))), &["G602"]);
}

#[test]
fn ends_that_vanish_all_at_once_are_held() {
    let mut before = people(40);
    before[..10].iter_mut().for_each(|p| p.end = "31/12/2026");
    let after = people(40);
    let plan = with("", &file(&after), &directory(&before));
    assert_held(&plan, &["G609"]);
    // An end that comes sooner is an ending; one that comes later is a re-opening.
    let mut sooner = before.clone();
    sooner[..10].iter_mut().for_each(|p| p.end = "30/11/2026");
    assert_held(&with("", &file(&sooner), &directory(&before)), &["G601"]);
    let mut later = before.clone();
    later[..10].iter_mut().for_each(|p| p.end = "31/03/2027");
    assert_held(&with("", &file(&later), &directory(&before)), &["G609"]);
}

#[test]
fn the_share_is_of_the_people_whom_the_folder_answers_for() {
    // 20 people of this folder beside 400 whom another folder lists: ending 8 of them is no two percent.
    let all = people(420);
    let mut before = directory(&all);
    before.listed_elsewhere = before.users[20..].iter().map(|user| user.id).collect();
    before.source.rows = Some(20);
    let mut after = all[..20].to_vec();
    after[..8].iter_mut().for_each(|p| p.end = "31/12/2026");
    let plan = with("", &file(&after), &before);
    assert_held(&plan, &["G601"]);
    assert_eq!(guard(&plan, Code::G601).of, 20);
    assert_eq!(plan.report.counts.absent, 0);
}

#[test]
fn a_last_row_without_a_line_end_is_held_once() {
    let before = people(10);
    let text = file(&before);
    let plan = with("", text.trim_end(), &directory(&before));
    assert_held(&plan, &["F005"]);
    let approved = approve(text.trim_end(), &directory(&before));
    assert!(approved.report.status.is_applied());
    let after = applied(directory(&before), &approved);
    assert_eq!(after.source.ends_with_newline, Some(false));
    assert_eq!(with("", text.trim_end(), &after).report.status, ImportStatus::Ok);
}

fn approve(text: &str, before: &Snapshot) -> Plan {
    planned(text, before, Some(&Approval::Whole), false)
}

fn planned(text: &str, before: &Snapshot, approval: Option<&Approval>, dry_run: bool) -> Plan {
    let settings = Settings::default();
    let meta = import::Meta {
        import: "0193501e-0000-7000-8000-000000000001".to_owned(),
        client: "acme".to_owned(),
        account: "acme".to_owned(),
        file_name: "users.csv".to_owned(),
        path: "/in/users.csv".to_owned(),
        bytes: size(text.len()),
        sha256: "00".repeat(32),
        content_sha256: "00".repeat(32),
        received_at: None,
        started_at: None,
    };
    import::plan(&Job {
        bytes: text.as_bytes(),
        settings: &settings,
        snapshot: before,
        today: golden::TODAY,
        received_on: golden::TODAY,
        dry_run,
        approval,
        meta: &meta,
        limits: &golden::LIMITS,
    })
}

#[test]
fn an_approved_plan_is_the_one_that_was_held() {
    let before = directory(&people(40));
    let mut after = people(44);
    after[..10].iter_mut().for_each(|p| p.end = "31/12/2026");
    let text = file(&after);
    let held = planned(&text, &before, None, false);
    let approved = approve(&text, &before);
    assert_eq!(approved.report.status, ImportStatus::OkWithWarnings);
    assert_eq!(approved.writes.len(), 14);
    assert_eq!(held.digest, approved.digest);
    assert_eq!(tripped(&approved), ["G601"], "the report still says why it was held");
    // Somebody else was created meanwhile: the new people get other ids, and the plan is the same one.
    let mut moved = before.clone();
    moved.next_user_id += 7;
    let later = approve(&text, &moved);
    assert!(matches!(later.writes[13].what, Written::Created(_)));
    assert_ne!(later.writes[13].user_id, approved.writes[13].user_id);
    assert_eq!(later.digest, held.digest);
    // Somebody's value changed meanwhile: another plan.
    let mut other = people(44);
    other[0].end = "30/11/2026";
    assert_ne!(approve(&file(&other), &before).digest, held.digest);
}

#[test]
fn a_dry_run_says_that_it_would_be_held() {
    let before = people(40);
    let plan = planned(&file(&before[..20]), &directory(&before), None, true);
    assert_eq!(plan.report.status, ImportStatus::Held);
    assert!(plan.report.dry_run && plan.writes.is_empty());
    // There is no import that anybody could approve.
    let json = String::from_utf8(import::report::json(&plan.report, Language::En)).unwrap();
    assert!(json.contains("send the file to the import folder, where it waits for approval"));
    assert!(!json.contains("approve import"), "{json}");
    let real = planned(&file(&before[..20]), &directory(&before), None, false);
    let json = String::from_utf8(import::report::json(&real.report, Language::En)).unwrap();
    assert!(json.contains("approve import 0193501e-0000-7000-8000-000000000001"), "{json}");
}

#[test]
fn in_a_strict_folder_one_refused_row_refuses_the_file() {
    let before = people(10);
    let text = file(&before).replace("15/01/2010;;D1;J1", "31/02/2010;;D1;J1");
    let lenient = with("", &text, &empty_directory());
    assert_eq!(lenient.report.status, ImportStatus::Partial);
    let strict = with("strict = true", &text, &empty_directory());
    assert_eq!(strict.report.status, ImportStatus::Rejected);
    assert!(strict.writes.is_empty() && strict.source.is_none());
    assert_eq!(strict.report.counts.rejected, 10);
    assert_eq!(strict.report.messages[1].code, Code::N005);
    assert!(strict.report.messages.iter().any(|m| m.code == Code::V305 || m.code == Code::V302));
}
