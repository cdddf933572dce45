//! What holds for every roster: counts add up, row order never matters, the same again changes nothing,
//! a refused row is never absent.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use rollcall::import::codes::Code;
use rollcall::import::directory::Snapshot;
use rollcall::import::fields::{Field, FieldKey};
use rollcall::import::settings::Settings;
use rollcall::import::{Plan, is_duplicate};
use rollcall::model::ImportStatus;
use rollcall::service::people::{self, Person};

use super::golden::{TODAY, applied, empty_directory, plan};

const HEADER: &str = "legalEntity;ID number;lastName;firstName;mail;login;dtContractStart;dtContractEnd;dtBirth;department;manager";

/// One row of an invented roster: cells as a payroll might write them, some of them wrong.
fn row() -> impl Strategy<Value = Vec<String>> {
    let of = |all: &'static [&'static str]| prop::sample::select(all).prop_map(str::to_owned);
    // Few values each, so that rows meet: the same key, e-mail, manager.
    (
        of(&["FR01", "FR01", "FR02", ""]),
        of(&["00001", "00002", "00003", "00004", "00005", "00006", "7", "0007", "1,2E+05", ""]),
        of(&["Dupont", "Martin", "Noël", "O'Brien", ""]),
        of(&["Anne", "Paul", "Zoé", ""]),
        of(&[
            "a@x.example",
            "b@x.example",
            "c@x.example",
            "d@x.example",
            "e@x.example",
            "broken",
            "",
        ]),
        of(&["anne", "ANNE", "paul", "zoe", "eve", "max", ""]),
        of(&["15/01/2020", "01/02/2024", "2026-11-01", "31/02/2021", "30/12/2026", ""]),
        of(&["", "", "31/12/9999", "30/06/2026", "20/11/2026", "31/12/2026", "14/01/2019"]),
        of(&["", "24/05/1980", "13/13/1980", "12/05/2030"]),
        of(&["Sales", "IT", "", "#REF!"]),
        of(&["", "00001", "00002", "00003", "Dupont Anne", "paul", "99999", "1"]),
    )
        .prop_map(|(a, b, c, d, e, f, g, h, i, j, k)| vec![a, b, c, d, e, f, g, h, i, j, k])
        .prop_flat_map(|cells| {
            (Just(cells), prop::sample::select(&[0_usize, 0, 0, 0, 0, 0, 1, 2][..]))
        })
        .prop_map(|(mut cells, damage)| {
            match damage {
                1 => cells.push("too many".to_owned()),
                2 => cells.truncate(9),
                _ => {}
            }
            cells
        })
}

/// A second day of a roster: rows that go, come, or change a cell.
fn next_day(rows: Vec<Vec<String>>) -> impl Strategy<Value = Vec<Vec<String>>> {
    let kept = prop::collection::vec((0..4_usize, row()), rows.len());
    (kept, prop::collection::vec(row(), 0..4)).prop_map(move |(fate, new)| {
        let mut next = Vec::new();
        for (row, (fate, other)) in rows.iter().zip(fate) {
            match fate {
                0 => {}
                1 => next.push(other),
                _ => next.push(row.clone()),
            }
        }
        next.extend(new);
        next
    })
}

pub(crate) fn two_days() -> impl Strategy<Value = (Vec<Vec<String>>, Vec<Vec<String>>)> {
    prop::collection::vec(row(), 1..14).prop_flat_map(|rows| (Just(rows.clone()), next_day(rows)))
}

pub(crate) fn file(rows: &[Vec<String>]) -> Vec<u8> {
    let mut text = format!("{HEADER}\r\n");
    for row in rows {
        text.push_str(&row.join(";"));
        text.push_str("\r\n");
    }
    text.into_bytes()
}

fn planned(rows: &[Vec<String>], before: &Snapshot) -> Plan {
    plan(&file(rows), "users.csv", &Settings::default(), before)
}

/// The directory without what depends on the order of the rows: ids. Users by key, managers by their key.
fn people(snapshot: &Snapshot) -> BTreeMap<String, BTreeMap<String, String>> {
    let key = |id: &str| {
        let user = snapshot.users.iter().find(|user| user.id.to_string() == id).unwrap();
        let get = |field| user.values.get(field).unwrap_or_default();
        format!("{}+{}", get(Field::LegalEntity), get(Field::EmployeeNumber))
    };
    let value = |field: Field, text: &str| match field {
        Field::Manager => key(text),
        _ => text.to_owned(),
    };
    snapshot
        .users
        .iter()
        .map(|user| {
            let values = Field::ALL.iter().filter_map(|field| {
                Some((field.name().to_owned(), value(*field, user.values.get(*field)?)))
            });
            (key(&user.id.to_string()), values.collect())
        })
        .collect()
}

/// What a report says, without lines and order.
fn said(plan: &Plan) -> BTreeMap<(Code, String), u64> {
    let mut said = BTreeMap::new();
    for message in &plan.report.messages {
        *said.entry((message.code, message.why.clone())).or_default() += message.count;
    }
    said
}

/// A length as the counts of a report have it.
fn count(len: usize) -> u64 {
    len.try_into().unwrap()
}

fn absent(plan: &Plan) -> BTreeSet<String> {
    let messages = plan.report.messages.iter().filter(|message| message.code == Code::A501);
    messages.map(|message| message.params["number"].clone()).collect()
}

fn shuffle<T>(all: &mut [T], seed: u64) {
    let mut state = seed | 1;
    for at in (1..all.len()).rev() {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        all.swap(at, usize::try_from(state >> 33).unwrap() % (at + 1));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn counts_add_up((first, second) in two_days()) {
        let mut directory = empty_directory();
        for rows in [first, second] {
            let plan = planned(&rows, &directory);
            let counts = plan.report.counts;
            prop_assert_eq!(counts.outcomes(), counts.rows);
            prop_assert_eq!(counts.rows, plan.report.file.rows);
            let applied_status = plan.report.status.is_applied();
            prop_assert_eq!(plan.source.is_some(), applied_status);
            let new = count(plan.writes.iter().filter(|write| write.is_new()).count());
            prop_assert_eq!(new, counts.created);
            let written = counts.created + counts.updated + counts.ended + counts.reinstated;
            // What no row says (a manager who appeared) is no row's outcome.
            let of_rows = plan.writes.iter().filter(|write| write.line > 0).count();
            prop_assert_eq!(count(of_rows), written);
            directory = applied(directory, &plan);
        }
    }

    #[test]
    fn row_order_never_matters((first, second) in two_days(), seed in any::<u64>()) {
        let shuffled = |rows: &[Vec<String>]| {
            let mut rows = rows.to_vec();
            shuffle(&mut rows, seed);
            rows
        };
        let (mut one, mut other) = (empty_directory(), empty_directory());
        for rows in [first, second] {
            let (a, b) = (planned(&rows, &one), planned(&shuffled(&rows), &other));
            prop_assert_eq!(a.report.counts, b.report.counts);
            prop_assert_eq!(a.report.status, b.report.status);
            prop_assert_eq!(said(&a), said(&b));
            (one, other) = (applied(one, &a), applied(other, &b));
            prop_assert_eq!(people(&one), people(&other));
        }
    }

    #[test]
    fn row_order_column_order_and_separator_never_matter(
        (first, second) in two_days(),
        seed in any::<u64>(),
        separator in prop::sample::select(&[',', '\t', '|'][..]),
    ) {
        let settings = Settings::from_toml("key = \"legal_entity+employee_number\"").unwrap();
        let mut order: Vec<usize> = (0..HEADER.split(';').count()).collect();
        shuffle(&mut order, seed);
        let turned = |rows: &[Vec<String>]| {
            let header: Vec<String> = HEADER.split(';').map(str::to_owned).collect();
            let mut text = String::new();
            let mut rows = rows.to_vec();
            shuffle(&mut rows, seed.rotate_left(32));
            for row in std::iter::once(&header).chain(&rows) {
                let cells = order.iter().map(|at| match &row[*at] {
                    cell if cell.contains(separator) => format!("\"{cell}\""),
                    cell => cell.clone(),
                });
                text.push_str(&cells.collect::<Vec<_>>().join(&separator.to_string()));
                text.push_str("\r\n");
            }
            text.into_bytes()
        };
        let (mut one, mut other) = (empty_directory(), empty_directory());
        for mut rows in [first, second] {
            // Which cells a short or long row has hangs on the order of its columns.
            rows.retain(|row| row.len() == order.len());
            let a = plan(&file(&rows), "users.csv", &settings, &one);
            let b = plan(&turned(&rows), "users.csv", &settings, &other);
            prop_assert_eq!(a.report.counts, b.report.counts);
            prop_assert_eq!(a.report.status, b.report.status);
            prop_assert_eq!(said(&a), said(&b));
            (one, other) = (applied(one, &a), applied(other, &b));
            prop_assert_eq!(people(&one), people(&other));
        }
    }

    #[test]
    fn the_same_again_changes_nothing((first, second) in two_days()) {
        let mut directory = empty_directory();
        for rows in [first, second] {
            let plan = planned(&rows, &directory);
            let source = plan.source.clone();
            directory = applied(directory, &plan);
            if let Some(source) = source {
                let again = is_duplicate(
                    source.sha256.as_deref().unwrap_or_default(),
                    source.settings_version.as_deref().unwrap_or_default(),
                    &directory.source,
                    directory.change_number,
                    TODAY,
                );
                prop_assert!(again, "the cheap test sees the same file on the same day");
            }
            // Looked at again all the same, as on another day.
            let again = planned(&rows, &directory);
            prop_assert!(again.writes.is_empty(), "{:?}", again.writes);
            prop_assert!(again.list_entries.is_empty());
            prop_assert_eq!(again.report.counts.created, 0);
            prop_assert_eq!(again.report.counts.rejected, plan.report.counts.rejected);
        }
    }

    #[test]
    fn a_refused_row_is_never_absent((first, second) in two_days()) {
        let start = planned(&first, &empty_directory());
        let directory = applied(empty_directory(), &start);
        let next = planned(&second, &directory);
        let absent = absent(&next);
        prop_assert_eq!(count(absent.len()), next.report.counts.absent);
        // Whoever stands in the file by their key is not absent, whatever became of the row.
        for row in &second {
            let known = directory.users.iter().find(|user| {
                user.values.get(Field::LegalEntity) == Some(row[0].as_str())
                    && user.values.get(Field::EmployeeNumber) == Some(row[1].as_str())
            });
            if let Some(user) = known {
                let number = user.values.get(Field::EmployeeNumber).unwrap();
                let namesakes = directory.users.iter().filter(|other| {
                    other.values.get(Field::EmployeeNumber) == Some(number)
                });
                if namesakes.count() == 1 {
                    prop_assert!(!absent.contains(number), "{number} is in the file");
                }
            }
        }
        // A row whose key cannot be read might be anybody.
        let unreadable = second.iter().any(|row| row[0].is_empty() || row[1].is_empty());
        if unreadable {
            prop_assert!(absent.is_empty());
        }
        if next.report.status == ImportStatus::Rejected {
            prop_assert!(absent.is_empty());
        }
    }

    #[test]
    fn logins_emails_and_numbers_stay_unique((first, second) in two_days()) {
        let mut directory = empty_directory();
        for rows in [first, second] {
            let plan = planned(&rows, &directory);
            directory = applied(directory, &plan);
            for field in [Field::Login, Field::Email] {
                let mut seen = BTreeSet::new();
                for user in &directory.users {
                    if let Some(value) = user.values.get(field) {
                        prop_assert!(seen.insert(value.to_lowercase()), "{field} {value} twice");
                    }
                }
            }
            prop_assert_eq!(people(&directory).len(), directory.users.len());
            for user in &directory.users {
                let (start, end) =
                    (user.values.get(Field::ContractStart), user.values.get(Field::ContractEnd));
                prop_assert!(end.is_none() || start <= end);
                prop_assert!(!manager_circle(&directory, user.id));
            }
        }
    }
}

/// Whether somebody is above themselves by way of others.
fn manager_circle(directory: &Snapshot, id: i64) -> bool {
    let above = |id: i64| {
        let user = directory.users.iter().find(|user| user.id == id)?;
        user.values.get(Field::Manager)?.parse::<i64>().ok().filter(|boss| *boss != id)
    };
    let mut at = above(id);
    for _ in 0..=directory.users.len() {
        match at {
            None => return false,
            Some(boss) if boss == id => return true,
            Some(boss) => at = above(boss),
        }
    }
    false
}

#[test]
fn what_very_many_rows_share_is_told_in_a_few_words() {
    let rows = |count: usize, row: &dyn Fn(usize) -> String| -> Vec<Vec<String>> {
        (0..count).map(|n| row(n).split(';').map(str::to_owned).collect()).collect()
    };
    let address = |n: usize| format!("FR01;{n:05};Nom{n};Anne;nc@x.example;;15/01/2020;;;Sales;");
    let key = |n: usize| format!("FR01;00001;Nom{n};Anne;a{n}@x.example;;15/01/2020;;;Sales;");
    let name = |n: usize| {
        format!("FR01;{n:05};Dupont;Anne;a{n}@x.example;;15/01/2020;;24/05/1980;Sales;dupont anne")
    };
    type Row<'r> = &'r dyn Fn(usize) -> String;
    let cases: [(Row<'_>, Code, u64); 4] = [
        (&address, Code::D106, 3_000),
        (&key, Code::D103, 3_000),
        (&name, Code::X202, 0),
        (&name, Code::D107, 0),
    ];
    for (row, code, rejected) in cases {
        let plan = planned(&rows(3_000, row), &empty_directory());
        assert_eq!(plan.report.counts.rejected, rejected, "{code}");
        let told: Vec<_> = plan.report.messages.iter().filter(|m| m.code == code).collect();
        assert!(!told.is_empty(), "{code}");
        for message in told {
            let long = message.params.values().map(String::len).max().unwrap_or(0);
            assert!(long < 1_000, "{code}: {:?}", message.params);
        }
    }
}

#[test]
fn a_corrections_file_mends_what_was_refused() {
    let text = format!(
        "{HEADER}\r\n\
         FR01;00001;Dupont;Anne;a@x.example;anne;15/01/2020;;24/05/1980;Sales;00001\r\n\
         FR01;00002;Martin;Paul;b@x.example;paul;31/02/2021;;;IT;00001\r\n"
    );
    let first = plan(text.as_bytes(), "users.csv", &Settings::default(), &empty_directory());
    assert_eq!(first.report.counts.rejected, 1);
    let corrections =
        rollcall::import::report::corrections(&first.report, rollcall::model::Language::En)
            .unwrap();
    let mended = String::from_utf8(corrections).unwrap().replace("31/02/2021", "28/02/2021");
    let directory = applied(empty_directory(), &first);
    let second =
        plan(mended.as_bytes(), "users.csv.corrections.csv", &Settings::default(), &directory);
    assert_eq!(second.report.status, ImportStatus::Ok, "{:#?}", second.report.messages);
    assert_eq!(second.report.counts.created, 1);
    assert_eq!(second.report.counts.absent, 0, "a corrections file is never a full one");
    let directory = applied(directory, &second);
    let paul = directory.users.iter().find(|u| u.values.get(Field::Login) == Some("paul")).unwrap();
    assert_eq!(paul.values.get(Field::EmployeeNumber), Some("00002"));
    assert_eq!(paul.values.get(Field::ContractStart), Some("2021-02-28"));
    assert_eq!(paul.values.get_key(&FieldKey::Known(Field::Manager)), Some("1"));
}

/// A name or a department that a spreadsheet would run, or nearly.
fn risky() -> impl Strategy<Value = String> {
    let first = prop::sample::select(&["=", "+", "-", "@", "-1", "+33 ", "'", "", "=\""][..]);
    let rest: Vec<char> = "ab1é\"'|,;+-=@ ".chars().collect();
    (first, prop::collection::vec(prop::sample::select(rest), 1..8))
        .prop_map(|(first, rest)| format!("{first}{}x", rest.into_iter().collect::<String>()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_saved_list_that_is_read_again_changes_nobody(
        rows in prop::collection::vec((risky(), risky(), risky()), 1..6),
    ) {
        let mut file = "\"legalEntity\";\"employeeNumber\";\"lastName\";\"firstName\";\"department\";\"dtContractStart\"\n".to_owned();
        for (n, (last, first, department)) in rows.iter().enumerate() {
            let cells = ["FR01", &format!("0{n}"), last, first, department, "2026-02-02"];
            let quoted = cells.map(|cell| format!("\"{}\"", cell.replace('"', "\"\"")));
            file.push_str(&format!("{}\n", quoted.join(";")));
        }
        let settings = Settings::default();
        let before = empty_directory();
        let first = plan(file.as_bytes(), "users.csv", &settings, &before);
        let directory = applied(before, &first);
        prop_assert_eq!(directory.users.len(), rows.len(), "{}{:?}", file, first.report.messages);
        let none = BTreeMap::new();
        let persons: Vec<Person> =
            directory.users.iter().map(|user| Person::of(user.clone(), TODAY, &none)).collect();
        let saved = people::csv(&persons);
        let again = plan(saved.as_bytes(), "saved.csv", &settings, &directory);
        let said = format!("{file}{saved}{:?}", again.report.changes);
        prop_assert_eq!(again.report.counts.unchanged, count(rows.len()), "{}", said);
        prop_assert!(again.report.changes.is_empty(), "{}", said);
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(saved.as_bytes());
        for record in reader.records() {
            let runs = |cell: &str| {
                let text = cell.starts_with("=\"") && cell.ends_with('"');
                !text && cell.starts_with(['=', '@']) || cell.strip_prefix(['+', '-']).is_some_and(|r| r.contains(|c: char| c.is_alphabetic()))
            };
            prop_assert!(!record.unwrap().iter().any(runs), "{}", saved);
        }
    }
}
