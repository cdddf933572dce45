//! Taking imports back: what returns, what stays and why, in any order; the report and the past stay true.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rollcall::error::Kind;
use rollcall::import::codes::Code;
use rollcall::import::directory::{Snapshot, SourceMemory};
use rollcall::import::edit::Edit;
use rollcall::import::fields::{Field, FieldKey};
use rollcall::import::plan::FieldChange;
use rollcall::import::settings::{Absent, Guards, Settings};
use rollcall::import::{self, Job, Meta};
use rollcall::model::{ImportStatus, UploadId};
use rollcall::service::by_hand::{DryRun, ImportFile};
use rollcall::store::directory::{Directory, Event, EventKind, ImportRecord};
use uuid::Uuid;

use super::app::TestApp;
use super::golden::{LIMITS, TODAY};
use super::properties::{file, two_days};

/// A directory on its own, with imports an hour apart.
struct Bench {
    _folder: tempfile::TempDir,
    directory: Directory,
    settings: Settings,
    hours: i64,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let directory = Directory::open(&folder.path().join("users.db")).unwrap();
        let off = None;
        let guards = Guards {
            endings: off,
            creations: off,
            one_field: off,
            fewer_rows: off,
            whole_entity: false,
            reopenings: off,
        };
        let settings = Settings { guards, ..Settings::default() };
        Self { _folder: folder, directory, settings, hours: 0 }
    }

    fn now(&mut self) -> jiff::Timestamp {
        self.hours += 1;
        jiff::Timestamp::from_second(1_790_000_000 + self.hours * 3600).unwrap()
    }

    /// Imports a file of a source; `None` when nothing of it was applied.
    fn import(&mut self, source: &str, bytes: &[u8]) -> Option<UploadId> {
        let at = self.now();
        let id = Uuid::now_v7();
        let meta = Meta {
            import: id.to_string(),
            client: "acme".to_owned(),
            account: "acme".to_owned(),
            file_name: "users.csv".to_owned(),
            path: "/in/users.csv".to_owned(),
            bytes: bytes.len().try_into().unwrap(),
            sha256: "ab".repeat(32),
            content_sha256: "ab".repeat(32),
            received_at: Some(at),
            started_at: Some(at),
        };
        let snapshot = self.directory.snapshot(source).unwrap();
        let mut plan = import::plan(&Job {
            bytes,
            settings: &self.settings,
            snapshot: &snapshot,
            today: TODAY,
            received_on: TODAY,
            dry_run: false,
            approval: None,
            meta: &meta,
            limits: &LIMITS,
        });
        plan.report.finished_at = Some(at);
        let record = ImportRecord {
            id,
            source: source.to_owned(),
            login: "acme".to_owned(),
            path: "/in/users.csv".parse().unwrap(),
            file_name: "users.csv".to_owned(),
            bytes: 1,
            sha256: meta.sha256.clone(),
            received_at: at,
            settings_version: String::new(),
            settings_toml: String::new(),
        };
        self.directory.apply(&plan, &record).unwrap();
        plan.report.status.is_applied().then_some(id)
    }

    /// Changes a user by hand.
    fn edit(&mut self, user: i64, field: Field, from: Option<&str>, to: Option<&str>) {
        let event = Event {
            id: Uuid::now_v7(),
            kind: EventKind::Edit,
            about: None,
            source: String::new(),
            who: "anna".to_owned(),
            at: self.now(),
        };
        let field = FieldKey::Known(field);
        let changes =
            vec![FieldChange { field, from: from.map(Into::into), to: to.map(Into::into) }];
        let edit = Edit { changes, list_entries: Vec::new() };
        let number = self.directory.snapshot("in").unwrap().change_number;
        self.directory.edit(&event, number, user, &edit).unwrap();
    }

    /// Takes an import back; what stayed, in words.
    fn undo(&mut self, id: UploadId) -> rollcall::error::Result<Vec<String>> {
        let event = Event {
            id: Uuid::now_v7(),
            kind: EventKind::Undo,
            about: Some(id),
            source: String::new(),
            who: "cli".to_owned(),
            at: self.now(),
        };
        let done = self.directory.undo(&event, &jiff::tz::TimeZone::UTC);
        done.map(|(_, report)| report.kept_by_undo(rollcall::model::Language::En))
    }

    /// The directory as it matters: who is there with which values, lists, what the sources have settled.
    fn state(&self) -> State {
        let snapshot = self.directory.snapshot("in").unwrap();
        let Snapshot { users, lists, source, listed_elsewhere, .. } = snapshot;
        let people = users.into_iter().filter(|user| !user.withdrawn).map(|user| {
            let known = Field::ALL.iter().map(|field| FieldKey::Known(*field));
            let values = known
                .filter_map(|key| Some((key.to_string(), user.values.get_key(&key)?.to_owned())));
            (user.id, values.collect())
        });
        let lists = lists.into_iter().map(|(field, codes)| (field.to_string(), codes)).collect();
        let other = self.directory.snapshot("other").unwrap();
        let mut elsewhere: Vec<i64> = listed_elsewhere.into_iter().collect();
        elsewhere.sort_unstable();
        // When the directory was last written is no part of what a source has settled.
        let settled = |memory: SourceMemory| SourceMemory { change_number: None, ..memory };
        let mut mine: Vec<i64> = other.listed_elsewhere.into_iter().collect();
        mine.sort_unstable();
        State {
            people: people.collect(),
            lists,
            memory: [settled(source), settled(other.source)],
            listed: [mine, elsewhere],
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
struct State {
    people: BTreeMap<i64, BTreeMap<String, String>>,
    lists: BTreeMap<String, std::collections::BTreeSet<String>>,
    memory: [SourceMemory; 2],
    listed: [Vec<i64>; 2],
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_undo_restores_the_directory((first, second) in two_days()) {
        let mut bench = Bench::new();
        let empty = bench.state();
        let one = bench.import("in", &file(&first));
        let between = bench.state();
        if let Some(two) = bench.import("in", &file(&second)) {
            let kept = bench.undo(two).unwrap();
            prop_assert!(kept.is_empty(), "{kept:?}");
            prop_assert_eq!(bench.state(), between);
        }
        if let Some(one) = one {
            prop_assert!(bench.undo(one).unwrap().is_empty());
            let end = bench.state();
            prop_assert_eq!(end.people, empty.people);
            prop_assert_eq!(end.lists, empty.lists);
            prop_assert_eq!(end.memory, empty.memory);
        }
        prop_assert_eq!(bench.directory.check().unwrap(), Vec::<String>::new());
    }

    #[test]
    fn the_order_of_undos_never_matters(
        days in prop::collection::vec(two_days(), 1..3),
        order in any::<u64>(),
    ) {
        let mut bench = Bench::new();
        let empty = bench.state();
        let mut imports = Vec::new();
        for (n, (first, second)) in days.iter().enumerate() {
            let source = if n % 2 == 0 { "in" } else { "other" };
            imports.extend(bench.import(source, &file(first)));
            imports.extend(bench.import(source, &file(second)));
        }
        let mut rest = order;
        while !imports.is_empty() {
            let at = usize::try_from(rest % u64::try_from(imports.len()).unwrap()).unwrap();
            rest /= 7;
            let id = imports.swap_remove(at);
            bench.undo(id).unwrap();
            prop_assert_eq!(bench.undo(id).unwrap_err().kind(), Kind::Conflict);
        }
        let end = bench.state();
        prop_assert_eq!(end.people, empty.people);
        prop_assert_eq!(end.lists, empty.lists);
        prop_assert_eq!(end.memory, empty.memory);
    }

    /// Two folders feed one directory: what one says never makes the other's next file mean something else.
    #[test]
    fn two_folders_leave_each_other_in_peace(days in prop::collection::vec((two_days(), any::<bool>()), 1..4)) {
        let mut bench = Bench::new();
        let mut last: [Option<Vec<u8>>; 2] = [None, None];
        for ((first, second), turned) in days {
            let (one, other) = if turned { (&second, &first) } else { (&first, &second) };
            for (place, source, rows) in [(0, "in", one), (1, "other", other)] {
                let bytes = file(rows);
                if bench.import(source, &bytes).is_some() {
                    last[place] = Some(bytes);
                }
            }
            // Each says again what it said last: the first round may settle who was refused for the other's sake;
            // after that nothing moves any more, in whichever order they come.
            let again = |bench: &mut Bench| {
                for (source, bytes) in ["in", "other"].iter().zip(&last) {
                    if let Some(bytes) = bytes {
                        bench.import(source, bytes);
                    }
                }
            };
            for _ in 0..3 {
                again(&mut bench);
            }
            let settled = bench.state().people;
            again(&mut bench);
            prop_assert_eq!(bench.state().people, settled);
        }
        prop_assert_eq!(bench.directory.check().unwrap(), Vec::<String>::new());
    }

    #[test]
    fn the_past_stays_as_it_was((first, second) in two_days()) {
        let mut bench = Bench::new();
        let mut past = Vec::new();
        let mut imports = Vec::new();
        for rows in [&first, &second, &first] {
            imports.extend(bench.import("in", &file(rows)));
            past.push((bench.now(), bench.directory.users(None).unwrap()));
        }
        for id in imports {
            bench.undo(id).unwrap();
            past.push((bench.now(), bench.directory.users(None).unwrap()));
        }
        for (at, users) in past {
            prop_assert_eq!(bench.directory.users(Some(at)).unwrap(), users);
        }
    }
}

const HEADER: &str = "employeeNumber;lastName;firstName;mail;dtContractStart;department;manager\n";

fn rows(rows: &[&str]) -> Vec<u8> {
    format!("{HEADER}{}\n", rows.join("\n")).into_bytes()
}

#[test]
fn what_a_later_file_changed_stays_and_is_told() {
    let mut bench = Bench::new();
    let first = rows(&[
        "1;Roy;Zoé;zoe@x.example;2020-01-01;Sales;",
        "2;Kim;Lea;lea@x.example;2020-01-01;Sales;",
    ]);
    bench.import("in", &first).unwrap();
    let second =
        rows(&["1;Roy;Zoé;zoe@x.example;2020-01-01;IT;", "2;Kim;Lea;lea@x.example;2020-01-01;IT;"]);
    let second = bench.import("in", &second).unwrap();
    let third = rows(&[
        "1;Roy;Zoé;zoe@x.example;2020-01-01;Law;",
        "2;Kim;Lea;lea@x.example;2020-01-01;IT;",
    ]);
    bench.import("in", &third).unwrap();
    let kept = bench.undo(second).unwrap();
    let [told] = kept.as_slice() else { panic!("{kept:?}") };
    assert!(
        told.contains("Department of ROY Zoé stays “Law”")
            && told.contains("users.csv")
            && told.contains("line 2"),
        "{told}"
    );
    let users = bench.directory.users(None).unwrap();
    assert_eq!(users[0].values.get(Field::Department), Some("Law"));
    assert_eq!(users[1].values.get(Field::Department), Some("Sales"));
}

#[test]
fn an_end_by_absence_that_an_undo_brought_back_is_lifted_by_presence_again() {
    let mut bench = Bench::new();
    bench.settings.absent = Absent::End { after_files: 1 };
    let both = rows(&[
        "1;Roy;Zoé;zoe@x.example;2020-01-01;Sales;",
        "2;Kim;Lea;lea@x.example;2020-01-01;Sales;",
    ]);
    bench.import("in", &both).unwrap();
    bench.import("in", &rows(&["1;Roy;Zoé;zoe@x.example;2020-01-01;Sales;"])).unwrap();
    let ended = bench.state();
    assert!(ended.people[&2].contains_key("contract_end"), "{ended:?}");
    // Lea is back; that is taken back, and sent once more.
    for _ in 0..2 {
        let back = bench.import("in", &both).unwrap();
        assert!(!bench.state().people[&2].contains_key("contract_end"));
        assert!(bench.undo(back).unwrap().is_empty());
        assert_eq!(bench.state().people, ended.people);
    }
    bench.import("in", &both).unwrap();
    assert!(!bench.state().people[&2].contains_key("contract_end"));
}

#[test]
fn codes_that_somebody_still_has_stay_to_be_mapped() {
    let mut bench = Bench::new();
    let first = bench.import("in", &rows(&["1;Roy;Zoé;zoe@x.example;2020-01-01;Sales;"])).unwrap();
    // Zoé leads somebody by now and stays, with her department.
    let both = rows(&[
        "1;Roy;Zoé;zoe@x.example;2020-01-01;Sales;",
        "2;Kim;Lea;lea@x.example;2020-01-01;Law;1",
    ]);
    let second = bench.import("in", &both).unwrap();
    let codes = |bench: &Bench| {
        let all = bench.directory.unmapped("in").unwrap();
        all.into_iter().map(|one| one.found.code).collect::<Vec<_>>()
    };
    assert_eq!(codes(&bench), ["Law", "Sales"]);
    bench.undo(first).unwrap();
    assert_eq!(codes(&bench), ["Law", "Sales"]);
    bench.undo(second).unwrap();
    assert!(codes(&bench).is_empty(), "nobody has them: {:?}", codes(&bench));
}

#[test]
fn an_end_by_hand_that_an_undo_brought_back_stays() {
    let mut bench = Bench::new();
    let header = HEADER.replace("department", "dtContractEnd");
    let with =
        |end: &str| format!("{header}1;Roy;Zoé;zoe@x.example;2020-01-01;{end};\n").into_bytes();
    bench.import("in", &with("")).unwrap();
    bench.import("in", &with("2026-01-31")).unwrap();
    let lifted = bench.import("in", &with("2027-12-31")).unwrap();
    assert!(bench.undo(lifted).unwrap().is_empty());
    bench.import("in", &with("")).unwrap();
    assert_eq!(bench.state().people[&1]["contract_end"], "2026-01-31");
}

#[test]
fn what_an_undone_file_no_longer_protected_is_protected_again() {
    let mut bench = Bench::new();
    let saying =
        |department: &str| rows(&[&format!("1;Roy;Zoé;zoe@x.example;2020-01-01;{department};")]);
    let department = |bench: &Bench| {
        let users = bench.directory.users(None).unwrap();
        users[0].values.get(Field::Department).unwrap().to_owned()
    };
    bench.import("in", &saying("IT")).unwrap();
    bench.import("other", &saying("Sales")).unwrap();
    // It says what it said before: the other's value stays.
    bench.import("in", &saying("IT")).unwrap();
    assert_eq!(department(&bench), "Sales");
    let mistaken = bench.import("in", &saying("Law")).unwrap();
    assert_eq!(department(&bench), "Law");
    bench.undo(mistaken).unwrap();
    assert_eq!(department(&bench), "Sales");
    bench.import("in", &saying("IT")).unwrap();
    assert_eq!(department(&bench), "Sales", "as if the mistaken file had never come");
    bench.import("in", &saying("Law")).unwrap();
    assert_eq!(department(&bench), "Law");
}

#[test]
fn what_stays_by_hand_after_an_undo_stays_when_the_right_file_comes() {
    let mut bench = Bench::new();
    let saying =
        |department: &str| rows(&[&format!("1;Roy;Zoé;zoe@x.example;2020-01-01;{department};")]);
    let department = |bench: &Bench| bench.state().people[&1]["department"].clone();
    bench.import("in", &saying("IT")).unwrap();
    let mistaken = bench.import("in", &saying("Law")).unwrap();
    bench.edit(1, Field::Department, Some("Law"), Some("Sales"));
    let kept = bench.undo(mistaken).unwrap();
    assert_eq!(kept.len(), 1, "{kept:?}");
    bench.import("in", &saying("IT")).unwrap();
    assert_eq!(department(&bench), "Sales", "the file says what it said before the mistake");
    bench.import("in", &saying("Law")).unwrap();
    assert_eq!(department(&bench), "Law", "and now it says something new");
}

#[test]
fn what_stays_after_two_undos_in_any_order_is_told_from_the_first_word() {
    for order in [[0, 1], [1, 0]] {
        let mut bench = Bench::new();
        let saying = |department: &str| {
            rows(&[&format!("1;Roy;Zoé;zoe@x.example;2020-01-01;{department};")])
        };
        bench.import("in", &saying("IT")).unwrap();
        // The second mistake ends the protection that the hand had between them.
        bench.edit(1, Field::Department, Some("IT"), Some("Sales"));
        let first = bench.import("in", &saying("Law")).unwrap();
        bench.edit(1, Field::Department, Some("Law"), Some("Sales"));
        let second = bench.import("in", &saying("Tax")).unwrap();
        bench.edit(1, Field::Department, Some("Tax"), Some("Sales"));
        for at in order {
            bench.undo([first, second][at]).unwrap();
        }
        bench.import("in", &saying("IT")).unwrap();
        assert_eq!(bench.state().people[&1]["department"], "Sales", "{order:?}");
    }
}

#[test]
fn an_end_of_an_undone_file_does_not_return_with_presence() {
    let mut bench = Bench::new();
    bench.settings.absent = Absent::End { after_files: 1 };
    let header = HEADER.replace("department", "dtContractEnd");
    let lea = "2;Kim;Lea;lea@x.example;2020-01-01;;";
    let with = |end: &str| {
        format!("{header}1;Roy;Zoé;zoe@x.example;2020-01-01;{end};\n{lea}\n").into_bytes()
    };
    bench.import("in", &with("")).unwrap();
    let mistaken = bench.import("in", &with("2027-12-31")).unwrap();
    bench.import("in", format!("{header}{lea}\n").as_bytes()).unwrap();
    assert_eq!(bench.state().people[&1]["contract_end"], "2026-11-20");
    assert_eq!(bench.undo(mistaken).unwrap().len(), 1);
    let back = rows(&[
        "1;Roy;Zoé;zoe@x.example;2020-01-01;Sales;",
        "2;Kim;Lea;lea@x.example;2020-01-01;Sales;",
    ]);
    bench.import("in", &back).unwrap();
    assert!(!bench.state().people[&1].contains_key("contract_end"));
}

#[test]
fn an_end_that_presence_gave_back_and_an_undo_took_away_returns_again() {
    let mut bench = Bench::new();
    bench.settings.absent = Absent::End { after_files: 1 };
    let both = rows(&[
        "1;Roy;Zoé;zoe@x.example;2020-01-01;Sales;",
        "2;Kim;Lea;lea@x.example;2020-01-01;Sales;",
    ]);
    let end = |bench: &Bench| bench.state().people[&2].get("contract_end").cloned();
    bench.import("in", &both).unwrap();
    bench.edit(2, Field::ContractEnd, None, Some("2027-12-31"));
    bench.import("in", &rows(&["1;Roy;Zoé;zoe@x.example;2020-01-01;Sales;"])).unwrap();
    let ended = end(&bench);
    assert_eq!(ended.as_deref(), Some("2026-11-20"));
    for _ in 0..2 {
        let back = bench.import("in", &both).unwrap();
        assert_eq!(end(&bench).as_deref(), Some("2027-12-31"));
        assert!(bench.undo(back).unwrap().is_empty());
        assert_eq!(end(&bench), ended);
    }
    // A refused row gives it back without a line; taking back what followed does not make it absence's.
    let refused = rows(&[
        "1;Roy;Zoé;zoe@x.example;2020-01-01;Sales;",
        "2;Kim;Lea;lea@x.example;2020-01-01;Sales;;too many",
    ]);
    bench.import("in", &refused).unwrap();
    assert_eq!(end(&bench).as_deref(), Some("2027-12-31"));
    let header = HEADER.replace("department", "dtContractEnd");
    let later = format!("{header}2;Kim;Lea;lea@x.example;2020-01-01;2028-12-31;\n");
    let later = bench.import("other", later.as_bytes()).unwrap();
    assert_eq!(end(&bench).as_deref(), Some("2028-12-31"));
    bench.undo(later).unwrap();
    assert_eq!(end(&bench).as_deref(), Some("2027-12-31"));
    assert!(bench.directory.snapshot("in").unwrap().ended_by_absence.is_empty());
}

#[test]
fn a_new_user_who_leads_somebody_by_now_stays() {
    let mut bench = Bench::new();
    bench.import("in", &rows(&["1;Roy;Zoé;zoe@x.example;2020-01-01;Sales;"])).unwrap();
    let both =
        ["1;Roy;Zoé;zoe@x.example;2020-01-01;Sales;", "2;Kim;Lea;lea@x.example;2020-01-01;Sales;"];
    let second = bench.import("in", &rows(&both)).unwrap();
    let led = ["1;Roy;Zoé;zoe@x.example;2020-01-01;Sales;2", both[1]];
    let third = bench.import("in", &rows(&led)).unwrap();
    let kept = bench.undo(second).unwrap();
    assert!(
        kept.len() == 1 && kept[0].contains("manager of 1") && kept[0].contains("ROY Zoé"),
        "{kept:?}"
    );
    // Once that is taken back too, nothing holds the user any more.
    assert!(bench.undo(third).unwrap().is_empty());
    let gone: Vec<bool> =
        bench.directory.users(None).unwrap().iter().map(|u| u.withdrawn).collect();
    assert_eq!(gone, [false, true]);
}

#[test]
fn an_address_that_is_somebody_elses_by_now_does_not_return() {
    let mut bench = Bench::new();
    bench.import("in", &rows(&["1;Roy;Zoé;a@x.example;2020-01-01;Sales;"])).unwrap();
    let second = bench.import("in", &rows(&["1;Roy;Zoé;b@x.example;2020-01-01;Sales;"])).unwrap();
    let new =
        ["1;Roy;Zoé;b@x.example;2020-01-01;Sales;", "2;Kim;Lea;a@x.example;2020-01-01;Sales;"];
    bench.import("in", &rows(&new)).unwrap();
    let kept = bench.undo(second).unwrap();
    assert!(kept.len() == 1 && kept[0].contains("belongs to KIM Lea"), "{kept:?}");
}

#[test]
fn a_contract_never_ends_before_it_starts_because_only_half_of_it_returns() {
    let mut bench = Bench::new();
    let saying = |start: &str, end: &str| {
        let header = "employeeNumber;lastName;firstName;dtContractStart;dtContractEnd";
        format!("{header}\n1;Roy;Zoé;{start};{end}\n").into_bytes()
    };
    bench.import("in", &saying("2026-12-01", "2026-12-31")).unwrap();
    let longer = bench.import("in", &saying("2026-12-01", "2028-12-31")).unwrap();
    let later = bench.import("in", &saying("2027-02-01", "2028-12-31")).unwrap();
    let kept = bench.undo(longer).unwrap();
    let [told] = kept.as_slice() else { panic!("{kept:?}") };
    assert!(told.contains("stays “2028-12-31”") && told.contains("(2026-12-31)"), "{told}");
    let contract = |bench: &Bench| {
        let users = bench.directory.users(None).unwrap();
        [Field::ContractStart, Field::ContractEnd]
            .map(|field| users[0].values.get(field).map(str::to_owned))
    };
    let is = |start: &str, end: &str| [Some(start.to_owned()), Some(end.to_owned())];
    assert_eq!(contract(&bench), is("2027-02-01", "2028-12-31"));
    // Once nothing holds it, all of it returns.
    assert!(bench.undo(later).unwrap().is_empty());
    assert_eq!(contract(&bench), is("2026-12-01", "2026-12-31"));
}

#[test]
fn a_manager_whom_another_folder_gave_stays_until_the_file_names_a_new_one() {
    let mut bench = Bench::new();
    let with = |manager: &str| {
        rows(&[
            &format!("1;Roy;Zoé;zoe@x.example;2020-01-01;Sales;{manager}"),
            "2;Kim;Lea;lea@x.example;2020-01-01;Sales;",
            "3;Ito;Ken;ken@x.example;2020-01-01;Sales;",
            "4;Bah;Awa;awa@x.example;2020-01-01;Sales;",
        ])
    };
    let manager = |bench: &Bench| {
        let users = bench.directory.users(None).unwrap();
        users[0].values.get(Field::Manager).map(str::to_owned)
    };
    bench.import("in", &with("2")).unwrap();
    bench.import("other", &with("3")).unwrap();
    assert_eq!(manager(&bench).as_deref(), Some("3"));
    let again = bench.import("in", &with("2")).unwrap();
    assert_eq!(manager(&bench).as_deref(), Some("3"));
    let report = bench.directory.import(again).unwrap().unwrap().report;
    let told: Vec<Option<u32>> =
        report.messages.iter().filter(|m| m.code == Code::P701).map(|m| m.line).collect();
    assert_eq!(told, [Some(2)]);
    bench.import("in", &with("4")).unwrap();
    assert_eq!(manager(&bench).as_deref(), Some("4"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undone_import_says_so_in_its_report_and_can_be_sent_again() {
    let app = TestApp::start().await;
    app.add_account("acme");
    let import = |bytes: &[u8]| {
        let bytes = bytes.into();
        let file = ImportFile {
            client: "acme",
            folder: Some("roster"),
            name: "users.csv",
            content: bytes,
        };
        app.service.import_file(file, DryRun::No).unwrap()
    };
    let bytes = rows(&[
        "1;Roy;Zoé;zoe@x.example;2020-01-01;Sales;",
        "2;;Lea;lea@x.example;2020-01-01;Sales;",
    ]);
    let report = import(&bytes);
    assert!(report.undo.is_some() && report.counts.created == 1, "{report:?}");
    let id: UploadId = report.import.parse().unwrap();
    let done = app.service.undo_import(id, "cli").unwrap();
    assert_eq!((done.withdrawn, done.values, done.kept.len()), (1, 0, 0));
    let again = app.service.undo_import(id, "cli").unwrap_err();
    assert!(again.message().contains("taken back already"), "{again}");
    let report = app.service.import(id).unwrap().report.unwrap();
    assert_eq!(report.status, ImportStatus::Undone);
    assert!(report.undo.is_none());
    // What the corrections file points to is still the refusal.
    let refusals = report.refused_rows.iter().flat_map(|row| &row.messages);
    for place in refusals {
        let message = &report.messages[usize::try_from(*place).unwrap()];
        assert_eq!(message.line, Some(3), "{message:?}");
    }
    let beside =
        std::fs::read_dir(app.path("data/clients/acme/files/acme/payroll/reports")).unwrap();
    let json = beside
        .map(|entry| entry.unwrap().path())
        .find(|path| path.to_string_lossy().ends_with(".report.json"))
        .unwrap();
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    assert_eq!(json["status"], "undone");
    assert!(app.service.users("acme", None).unwrap().iter().all(|u| u.state.name() == "withdrawn"));
    // The same bytes are no duplicate: they are applied anew, for a new record.
    assert_eq!(import(&bytes).counts.created, 1);
    app.stop().await;
}
