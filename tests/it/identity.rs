//! Who a row is: new numbers, swapped identities, approval row by row, awaited managers, logins by pattern.

use std::collections::BTreeSet;

use rollcall::import::codes::{Code, Effect};
use rollcall::import::directory::Snapshot;
use rollcall::import::fields::Field;
use rollcall::import::report::Message;
use rollcall::import::settings::Settings;
use rollcall::import::{Approval, Plan};
use rollcall::model::ImportStatus;

use super::golden::{TODAY, applied, empty_directory, plan_on};

const HEADER: &str =
    "legalEntity;ID number;lastName;firstName;mail;dtBirth;dtContractStart;dtContractEnd;manager";

const ANNE: &str = "FR01;00001;Dupont;Anne;anne@x.example;24/05/1980;15/01/2010;;00001";
const PAUL: &str = "FR01;00002;Martin;Paul;paul@x.example;12/03/1985;16/02/2015;;00001";
const ZOE: &str = "FR01;00003;Noël;Zoé;zoe@x.example;30/09/1990;17/03/2016;30/06/2026;00001";

fn file(header: &str, rows: &[&str]) -> String {
    let mut text = format!("{header}\r\n");
    for row in rows {
        text.push_str(row);
        text.push_str("\r\n");
    }
    text
}

fn with(settings: &str, text: &str, before: &Snapshot, approval: Option<&Approval>) -> Plan {
    let settings = Settings::from_toml(settings).unwrap();
    let plan = plan_on(text.as_bytes(), "users.csv", &settings, before, (TODAY, approval));
    assert_eq!(plan.report.counts.outcomes(), plan.report.counts.rows);
    plan
}

fn day(rows: &[&str], before: &Snapshot) -> Plan {
    with("", &file(HEADER, rows), before, None)
}

fn team() -> Snapshot {
    applied(empty_directory(), &day(&[ANNE, PAUL, ZOE], &empty_directory()))
}

fn codes(plan: &Plan) -> Vec<(&'static str, String)> {
    let all = plan.report.messages.iter().map(|m| (m.code.name(), m.why.clone()));
    all.filter(|(name, _)| *name != "N001").collect()
}

fn told(plan: &Plan, code: Code) -> &Message {
    plan.report.messages.iter().find(|message| message.code == code).unwrap()
}

fn lines(lines: &[u32]) -> Approval {
    Approval::Rows(lines.iter().copied().collect::<BTreeSet<u32>>())
}

fn value(directory: &Snapshot, user: i64, field: Field) -> Option<&str> {
    let user = directory.users.iter().find(|known| known.id == user);
    assert!(user.is_some(), "the user is in the directory");
    user?.values.get(field)
}

#[test]
fn a_new_number_waits_for_approval_and_the_record_goes_on() {
    let moved = "FR01;00099;Martin;Paul;paul@x.example;12/03/1985;16/02/2015;;00001";
    let text = file(HEADER, &[ANNE, moved]);
    let plan = with("", &text, &team(), None);
    assert_eq!(codes(&plan), [("D104", String::new())]);
    assert_eq!((plan.report.counts.rejected, plan.report.counts.absent), (1, 0));
    assert_eq!(plan.report.status, ImportStatus::Partial);
    assert!(plan.writes.is_empty() && plan.listed == Some(vec![1, 2]));
    let pending = &plan.report.pending_rows[..];
    assert_eq!(pending.len(), 1);
    assert_eq!((pending[0].line, pending[0].code, pending[0].user), (3, Code::D104, 2));
    assert_eq!(plan.report.refused_rows.len(), 1);
    let after = applied(team(), &plan);

    // Another line, or none that waits, changes nothing.
    for other in [lines(&[2]), lines(&[7])] {
        let plan = with("", &text, &after, Some(&other));
        assert!(plan.writes.is_empty() && plan.report.pending_rows.is_empty());
        assert!(plan.source.is_none() && plan.listed.is_none());
    }
    let approved = with("", &text, &after, Some(&lines(&[3])));
    assert_eq!(approved.report.pending_rows.len(), 1);
    assert_eq!(codes(&approved), [("D104", "taken".to_owned())]);
    assert_eq!((approved.report.counts.updated, approved.report.counts.ignored), (1, 1));
    assert!(approved.source.is_none() && approved.absences.is_none());
    let after = applied(after, &approved);
    assert_eq!(value(&after, 2, Field::EmployeeNumber), Some("00099"));
    // The next file finds them under the new number; approving again finds nothing that waits.
    let again = with("", &text, &after, None);
    assert!(again.writes.is_empty() && again.report.pending_rows.is_empty());
    assert!(with("", &text, &after, Some(&lines(&[3]))).report.pending_rows.is_empty());
}

#[test]
fn name_and_date_of_birth_are_enough_unless_that_person_is_in_the_file() {
    let moved = "FR01;00099;MARTIN;Paul;p.martin@x.example;12/03/1985;16/02/2015;;00001";
    let plan = day(&[ANNE, moved], &team());
    assert_eq!(codes(&plan), [("D104", "birth".to_owned())]);
    // A second job of somebody who is there is told, not refused.
    let plan = day(&[ANNE, PAUL, moved], &team());
    assert_eq!(codes(&plan), [("D107", String::new())]);
    assert_eq!(plan.report.counts.created, 1);
    // The address of somebody who is there is taken.
    let taken = "FR01;00099;Roy;Max;paul@x.example;01/01/1999;16/02/2015;;00001";
    assert_eq!(codes(&day(&[ANNE, PAUL, taken], &team())), [("D106", String::new())]);
    // A stranger is simply new.
    let new = "FR01;00099;Martin;Paul;p.martin@x.example;01/01/1999;16/02/2015;;00001";
    assert_eq!(day(&[ANNE, PAUL, new], &team()).report.counts.created, 1);
    // Two people could be meant.
    let both = "FR01;00099;Martin;Paul;anne@x.example;12/03/1985;16/02/2015;;00001";
    let plan = day(&[both], &team());
    assert_eq!(codes(&plan), [("D104", "several".to_owned())]);
    assert!(plan.report.pending_rows.is_empty() && plan.report.status == ImportStatus::Rejected);
}

#[test]
fn a_column_of_previous_numbers_moves_people_without_approval() {
    let header = format!("{HEADER};ancien matricule");
    let moved = "FR02;00099;Martin;Paul;pm@x.example;12/03/1985;16/02/2015;;00001;00002";
    let anne = format!("{ANNE};");
    let text = file(&header, &[&anne, moved]);
    let plan = with("", &text, &team(), None);
    assert_eq!(told(&plan, Code::D104).why, "taken");
    let after = applied(team(), &plan);
    assert_eq!(after.users.len(), 3);
    assert_eq!(value(&after, 2, Field::EmployeeNumber), Some("00099"));
    assert_eq!(value(&after, 2, Field::LegalEntity), Some("FR02"));
    // The column may stay in the export: the same again changes nothing.
    assert!(with("", &text, &after, None).writes.is_empty());

    // Who had left is back under the new number, without any new start.
    let back = "FR01;00098;Noël;Zoé;zoe@x.example;30/09/1990;17/03/2016;;00001;00003";
    let plan = with("", &file(&header, &[&anne, back]), &team(), None);
    assert_eq!(plan.report.counts.reinstated, 1);
    assert_eq!(told(&plan, Code::C404).why, "renumbered");
    assert_eq!(value(&applied(team(), &plan), 3, Field::ContractEnd), None);

    // In the file under both numbers, claimed twice, or without its zeros: refused, and nobody is absent.
    let paul = format!("{PAUL};");
    let plan = with("", &file(&header, &[&anne, &paul, moved]), &team(), None);
    assert_eq!(codes(&plan), [("D104", "in_file".to_owned())]);
    let twin = "FR02;00097;Martin;Paul;;12/03/1985;16/02/2015;;00001;00002";
    let plan = with("required = []", &file(&header, &[&anne, moved, twin]), &team(), None);
    assert_eq!(codes(&plan), [("D104", "contested".to_owned()), ("D104", "contested".to_owned())]);
    assert_eq!(plan.report.counts.absent, 0);
    let eaten = "FR01;00099;Martin;Paul;pm@x.example;12/03/1985;16/02/2015;;00001;2";
    let plan = with("", &file(&header, &[&anne, eaten]), &team(), None);
    assert_eq!(told(&plan, Code::V309).why, "zeros");
    assert_eq!((plan.report.counts.rejected, plan.report.counts.absent), (1, 0));
}

#[test]
fn somebody_else_under_a_known_number_waits() {
    let swapped = "FR01;00002;Roy;Max;max@x.example;01/01/1999;16/02/2020;;00001";
    let text = file(HEADER, &[ANNE, swapped]);
    let plan = with("", &text, &team(), None);
    assert_eq!(codes(&plan), [("D105", String::new())]);
    assert_eq!((plan.report.counts.held, plan.report.counts.unchanged), (1, 1));
    assert_eq!((plan.report.status, plan.report.counts.absent), (ImportStatus::Partial, 0));
    assert_eq!(told(&plan, Code::D105).effect, Effect::RowHeld);
    assert!(plan.writes.is_empty() && plan.report.refused_rows.is_empty());
    assert_eq!(plan.report.pending_rows[0].code, Code::D105);
    // Only its own line lets it through, not the approval of the file.
    assert!(with("", &text, &team(), Some(&Approval::Whole)).writes.is_empty());
    let approved = with("", &text, &team(), Some(&lines(&[3])));
    let after = applied(team(), &approved);
    assert_eq!(value(&after, 2, Field::LastName), Some("Roy"));

    for same in [
        // Married; the address follows the name.
        "FR01;00002;Roy;Paul;paul.roy@x.example;12/03/1985;16/02/2015;;00001",
        // Name and first name changed places.
        "FR01;00002;Paul;Martin;pm@x.example;12/03/1986;16/02/2015;;00001",
        // Another address and a corrected birth, the same name.
        "FR01;00002;MARTIN;paul;pm@x.example;13/03/1985;16/02/2015;;00001",
    ] {
        assert_eq!(day(&[ANNE, same], &team()).report.counts.updated, 1, "{same}");
    }
    // Without dates of birth, a wholly different name with another address is somebody else too.
    let header = HEADER.replace(";dtBirth", "");
    let swapped = "FR01;00002;Roy;Max;max@x.example;16/02/2020;;00001";
    let plan = with("", &file(&header, &[swapped]), &team(), None);
    assert_eq!(plan.report.counts.held, 1);
}

#[test]
fn many_swaps_hold_the_whole_file() {
    let swapped: Vec<String> = (1..=3)
        .map(|n| format!("FR01;0000{n};Roy{n};Max{n};m{n}@x.example;0{n}/01/1999;16/02/2020;;"))
        .collect();
    let rows: Vec<&str> = swapped.iter().map(String::as_str).collect();
    let guards = "[guards]\none_field = \"off\"\nreopenings = \"off\"";
    let plan = with(guards, &file(HEADER, &rows), &team(), None);
    assert_eq!(plan.report.status, ImportStatus::Held);
    assert_eq!((plan.report.counts.held, plan.writes.len()), (3, 0));
    let guard = plan.report.guards.iter().find(|guard| guard.code == Code::D105).unwrap();
    assert!(guard.tripped && guard.observed == 3);
    assert!(codes(&plan).contains(&("D105", "many".to_owned())));
    let approved = with(guards, &file(HEADER, &rows), &team(), Some(&Approval::Whole));
    assert_eq!(approved.writes.len(), 3);
    assert_eq!(approved.digest, plan.digest);
}

#[test]
fn a_bare_number_of_several_legal_entities_refuses_the_row() {
    let header = HEADER.replace("legalEntity;ID number", "ID number;legalEntity");
    let paul = "FR02;00001;Roy;Max;max@x.example;01/01/1999;16/02/2020;;";
    let both = applied(team(), &day(&[ANNE, PAUL, paul], &team()));
    let text = file(&header, &["00001;FR01;Dupont;Anne;anne@x.example;24/05/1980;15/01/2010;;"]);
    let mut unfrozen = both;
    unfrozen.source = rollcall::import::directory::SourceMemory::default();
    let plan = with("key = \"employee_number\"", &text, &unfrozen, None);
    assert_eq!(codes(&plan)[0], ("D101", "several".to_owned()));
    assert_eq!(plan.report.counts.absent, 0);
}

#[test]
fn an_awaited_manager_is_set_when_they_appear() {
    let lou = "FR01;00004;Petit;Lou;lou@x.example;02/02/1992;17/03/2020;;00005";
    let text = file(HEADER, &[ANNE, PAUL, lou]);
    let first = with("", &text, &team(), None);
    assert_eq!(told(&first, Code::X201).why, "");
    assert_eq!(first.manager_wishes.len(), 1);
    let after = applied(team(), &first);
    let again = with("", &text, &after, None);
    assert!(again.writes.is_empty() && again.manager_wishes.is_empty());
    // The manager comes in a file without Lou.
    let boss = "FR01;00005;Roy;Max;max@x.example;01/01/1980;16/02/2020;;00001";
    let next = with("mode = \"delta\"", &file(HEADER, &[boss]), &after, None);
    assert_eq!(told(&next, Code::X201).why, "appeared");
    assert_eq!(told(&next, Code::X201).person, "PETIT Lou");
    let directory = applied(after.clone(), &next);
    assert_eq!(value(&directory, 4, Field::Manager), Some("5"));
    assert!(directory.manager_wishes.is_empty());
    assert_eq!(next.writes.iter().filter(|write| write.line == 0).count(), 1);
    // Or the file names another manager meanwhile: then nobody is waited for.
    let other = lou.replace(";00005", ";00002");
    let changed = with("", &file(HEADER, &[ANNE, PAUL, &other]), &after, None);
    let directory = applied(after, &changed);
    assert!(directory.manager_wishes.is_empty());
    assert_eq!(value(&directory, 4, Field::Manager), Some("2"));
}

#[test]
fn logins_are_made_by_the_pattern_in_an_order_of_their_own() {
    let settings = "login_pattern = \"{first}.{last}\"\nrequired = [\"login\"]";
    let header = "ID number;lastName;firstName;login;dtContractStart";
    let rows = [
        "00003;Dupont;Anne;;15/01/2020",
        "00001;Dupont;Anne;;15/01/2020",
        "00002;Roy;Léo;leo;15/01/2020",
    ];
    let plan = with(settings, &file(header, &rows), &empty_directory(), None);
    assert_eq!(plan.report.counts.created, 3, "{:#?}", plan.report.messages);
    let after = applied(empty_directory(), &plan);
    let login = |number: &str| {
        let user = after.users.iter().find(|u| u.values.get(Field::EmployeeNumber) == Some(number));
        user.unwrap().values.get(Field::Login).map(str::to_owned).unwrap()
    };
    assert_eq!(
        [login("00001"), login("00002"), login("00003")],
        ["anne.dupont", "leo", "anne.dupont2"]
    );
    assert!(with(settings, &file(header, &rows), &after, None).writes.is_empty());
    // Who is there without a login keeps none; a column for it need not be there.
    let header = "ID number;lastName;firstName;dtContractStart";
    let plan = with(settings, &file(header, &["1;李;明;15/01/2020"]), &empty_directory(), None);
    assert_eq!((plan.report.counts.rejected, codes(&plan)[0].1.as_str()), (1, "no_login"));
}
