//! The directory as its callers see it: imports apply once and whole, and the past reads as it was.

use jiff::Timestamp;
use uuid::Uuid;

use super::*;
use crate::error::Kind;
use crate::import::directory::{Absence, AbsenceEnd, DateOrder, ManagerWish, User, Values};
use crate::import::fields::{Field, FieldKey};
use crate::import::plan::{FieldChange, Plan, UserWrite, Written};
use crate::import::report::{Counts, Report};
use crate::import::settings::Settings;
use crate::model::{ImportStatus, UploadId};

struct Bench {
    folder: tempfile::TempDir,
    directory: Directory,
    imports: i64,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let directory = Directory::open(&folder.path().join("users.db")).unwrap();
        Self { folder, directory, imports: 0 }
    }

    /// Applies these writes as one import, an hour after the one before.
    fn import(&mut self, writes: Vec<UserWrite>) -> UploadId {
        let (plan, record) = self.plan(writes);
        assert_eq!(self.directory.apply(&plan, &record).unwrap(), Applied::Now);
        record.id
    }

    fn plan(&mut self, writes: Vec<UserWrite>) -> (Plan, ImportRecord) {
        self.imports += 1;
        let record = record(self.imports);
        let (change_number, memory) = self.directory.source("in").unwrap();
        let plan = Plan {
            writes,
            list_entries: vec![(Field::Department, "Sales".to_owned())],
            source: Some(SourceMemory { rows: Some(7), ..memory }),
            listed: Some(vec![1, 2, 3]),
            ..Plan::nothing(change_number, report(&record, ImportStatus::Ok))
        };
        (plan, record)
    }

    fn last_name(&self, user: i64) -> String {
        let user = self.directory.user(user).unwrap().unwrap();
        user.values.get(Field::LastName).unwrap().to_owned()
    }
}

fn at(hour: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + hour * 3600).unwrap()
}

fn record(n: i64) -> ImportRecord {
    ImportRecord {
        id: Uuid::now_v7(),
        source: "in".to_owned(),
        login: "acme".to_owned(),
        path: "/in/users.csv".parse().unwrap(),
        file_name: format!("users-{n}.csv"),
        bytes: 100,
        sha256: "ab".repeat(32),
        received_at: at(n),
        settings_version: "v1".to_owned(),
        settings_toml: String::new(),
    }
}

fn report(record: &ImportRecord, status: ImportStatus) -> Report {
    let meta = crate::import::Meta {
        import: record.id.to_string(),
        client: "acme".to_owned(),
        account: record.login.clone(),
        file_name: record.file_name.clone(),
        path: record.path.to_string(),
        bytes: record.bytes,
        sha256: record.sha256.clone(),
        content_sha256: record.sha256.clone(),
        received_at: Some(record.received_at),
        started_at: Some(record.received_at),
    };
    let mut report = Report::new(&meta, &Settings::default(), status);
    report.finished_at = Some(record.received_at);
    report.counts = Counts { rows: 1, created: 1, ..Counts::default() };
    report
}

fn change(field: &str, from: Option<&str>, to: Option<&str>) -> FieldChange {
    let own = |text: Option<&str>| text.map(Into::into);
    FieldChange { field: field.parse().unwrap(), from: own(from), to: own(to) }
}

fn create(user_id: i64, line: u32, values: &[(&str, &str)]) -> UserWrite {
    let mut given = Values::default();
    for (field, value) in values {
        given.set(&field.parse().unwrap(), Some(value));
    }
    UserWrite { user_id, line, what: Written::Created(given) }
}

fn update(user_id: i64, line: u32, changes: Vec<FieldChange>) -> UserWrite {
    UserWrite { user_id, line, what: Written::Changed(changes) }
}

fn names(users: &[User]) -> Vec<String> {
    let name = |u: &User| u.values.get(Field::LastName).unwrap_or("-").to_owned();
    users.iter().map(name).collect()
}

/// Three imports: two people come; one marries and gets a manager; one more comes, one value goes.
fn three_days(bench: &mut Bench) -> [UploadId; 3] {
    let first = bench.import(vec![
        create(1, 2, &[("last_name", "Dupré"), ("first_name", "Anne"), ("employee_number", "001")]),
        create(2, 3, &[("last_name", "Roy"), ("email", "roy@acme.fr"), ("custom.badge", "17")]),
    ]);
    let second = bench.import(vec![update(
        1,
        9,
        vec![
            change("last_name", Some("Dupré"), Some("Martin")),
            change("manager", None, Some("2")),
            change("custom.badge", None, Some("18")),
        ],
    )]);
    let third = bench.import(vec![
        create(3, 4, &[("last_name", "Zola")]),
        update(
            2,
            5,
            vec![
                change("email", Some("roy@acme.fr"), None),
                change("custom.badge", Some("17"), None),
            ],
        ),
        update(1, 6, vec![change("last_name", Some("Martin"), Some("Dupré-Martin"))]),
    ]);
    [first, second, third]
}

#[test]
fn the_directory_of_any_day_reads_as_it_was() {
    let mut bench = Bench::new();
    three_days(&mut bench);
    let day = |hour: i64| bench.directory.users(Some(at(hour))).unwrap();
    assert!(day(0).is_empty());
    assert_eq!(names(&day(1)), ["Dupré", "Roy"]);
    assert_eq!(day(1)[0].values.get(Field::Manager), None);
    assert_eq!(names(&day(2)), ["Martin", "Roy"]);
    assert_eq!(day(2)[0].values.get(Field::Manager), Some("2"));
    assert_eq!(day(2)[1].values.custom().collect::<Vec<_>>(), [("badge", "17")]);
    assert_eq!(day(2)[1].values.get(Field::Email), Some("roy@acme.fr"));
    assert_eq!(day(3), bench.directory.users(None).unwrap());
    assert_eq!(names(&day(99)), ["Dupré-Martin", "Roy", "Zola"]);
    assert_eq!(day(3)[1].values.custom().count(), 0);
    let snapshot = bench.directory.snapshot("in").unwrap();
    assert_eq!(snapshot.users, day(3));
    assert_eq!((snapshot.change_number, snapshot.next_user_id), (3, 4));
    assert!(snapshot.lists[&Field::Department].contains("Sales"));
    assert_eq!(snapshot.source.rows, Some(7));
    assert_eq!(snapshot.source.change_number, Some(3));
}

#[test]
fn a_users_history_names_file_and_line_of_every_value() {
    let mut bench = Bench::new();
    let [first, second, third] = three_days(&mut bench);
    let history = bench.directory.user_history(1).unwrap();
    let told: Vec<_> = history
        .iter()
        .map(|e| (e.import, e.line, e.field.to_string(), e.from.as_deref(), e.to.as_deref()))
        .collect();
    let field = |name: &str| name.to_owned();
    assert_eq!(
        told,
        [
            (first, 2, field("employee_number"), None, Some("001")),
            (first, 2, field("first_name"), None, Some("Anne")),
            (first, 2, field("last_name"), None, Some("Dupré")),
            (second, 9, field("last_name"), Some("Dupré"), Some("Martin")),
            (second, 9, field("manager"), None, Some("2")),
            (second, 9, field("custom.badge"), None, Some("18")),
            (third, 6, field("last_name"), Some("Martin"), Some("Dupré-Martin")),
        ]
    );
    assert_eq!((history[0].file_name.as_str(), history[0].at), ("users-1.csv", at(1)));
    assert_eq!((history[6].file_name.as_str(), history[6].at), ("users-3.csv", at(3)));
    let gone = bench.directory.user_history(2).unwrap();
    let badge: FieldKey = "custom.badge".parse().unwrap();
    assert_eq!(gone.iter().filter(|e| e.field == badge).count(), 2);
    assert!(bench.directory.user_history(99).unwrap().is_empty());
}

#[test]
fn the_same_import_applies_once() {
    let mut bench = Bench::new();
    let (plan, record) = bench.plan(vec![create(1, 2, &[("last_name", "Roy")])]);
    assert_eq!(bench.directory.apply(&plan, &record).unwrap(), Applied::Now);
    assert_eq!(bench.directory.apply(&plan, &record).unwrap(), Applied::Already);
    let users = bench.directory.users(None).unwrap();
    assert_eq!(names(&users), ["Roy"]);
    assert_eq!(bench.directory.source("in").unwrap().0, 1);
}

#[test]
fn a_plan_of_yesterday_is_refused_and_changes_nothing() {
    let mut bench = Bench::new();
    let (old, old_record) = bench.plan(vec![create(1, 2, &[("last_name", "Roy")])]);
    bench.import(vec![create(1, 2, &[("last_name", "Zola")])]);
    let refused = bench.directory.apply(&old, &old_record).unwrap_err();
    assert_eq!(refused.kind(), Kind::Conflict);
    assert!(!bench.directory.knows_import(old_record.id).unwrap());
    assert_eq!(names(&bench.directory.users(None).unwrap()), ["Zola"]);
}

#[test]
fn a_failure_in_the_middle_leaves_nothing() {
    let mut bench = Bench::new();
    bench.import(vec![create(1, 2, &[("last_name", "Roy")])]);
    for broken in [
        update(77, 4, vec![change("last_name", None, Some("Nobody"))]),
        create(1, 4, &[("last_name", "Twice")]),
        update(1, 4, vec![change("manager", None, Some("not an id"))]),
    ] {
        let good = update(1, 3, vec![change("last_name", Some("Roy"), Some("Changed"))]);
        let (plan, record) = bench.plan(vec![good, broken]);
        let error = bench.directory.apply(&plan, &record).unwrap_err();
        assert!(error.message().contains("line 4"), "{error}");
        assert!(!bench.directory.knows_import(record.id).unwrap());
        assert_eq!(bench.last_name(1), "Roy");
        assert_eq!(bench.directory.source("in").unwrap().0, 1);
    }
    assert_eq!(bench.directory.check().unwrap(), Vec::<String>::new());
}

#[test]
fn a_rejected_file_and_a_dry_run_leave_only_their_row() {
    let mut bench = Bench::new();
    for (status, dry_run) in [(ImportStatus::Rejected, false), (ImportStatus::Ok, true)] {
        let (mut plan, record) = bench.plan(vec![create(1, 2, &[("last_name", "Roy")])]);
        plan.report.status = status;
        plan.report.dry_run = dry_run;
        assert_eq!(bench.directory.apply(&plan, &record).unwrap(), Applied::Now);
        let stored = bench.directory.import(record.id).unwrap().unwrap();
        assert_eq!(stored.report, plan.report);
        assert_eq!((stored.summary.status, stored.summary.dry_run), (status, dry_run));
    }
    assert!(bench.directory.users(None).unwrap().is_empty());
    let (change_number, memory) = bench.directory.source("in").unwrap();
    assert_eq!((change_number, memory), (0, SourceMemory::default()));
    let listed = bench.directory.imports(10).unwrap();
    assert_eq!(listed.iter().map(|i| i.dry_run).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn an_import_that_changes_nobody_moves_no_change_number() {
    let mut bench = Bench::new();
    bench.import(vec![create(1, 2, &[("last_name", "Roy")])]);
    let (mut plan, record) = bench.plan(Vec::new());
    plan.list_entries.clear();
    plan.source =
        Some(SourceMemory { date_order: Some(DateOrder::Dmy), ..SourceMemory::default() });
    bench.directory.apply(&plan, &record).unwrap();
    let (change_number, memory) = bench.directory.source("in").unwrap();
    assert_eq!((change_number, memory.change_number), (1, Some(1)));
    assert_eq!(memory.date_order, Some(DateOrder::Dmy));
}

#[test]
fn reports_are_owed_until_they_are_written() {
    let mut bench = Bench::new();
    let ids = three_days(&mut bench);
    assert_eq!(bench.directory.imports_owing_reports().unwrap(), ids);
    bench.directory.set_reports_written(ids[1]).unwrap();
    assert_eq!(bench.directory.imports_owing_reports().unwrap(), [ids[0], ids[2]]);
    let unknown = bench.directory.set_reports_written(Uuid::nil()).unwrap_err();
    assert_eq!(unknown.kind(), Kind::NotFound);
    assert!(bench.directory.import(Uuid::nil()).unwrap().is_none());
}

#[test]
fn another_sources_list_is_known() {
    let mut bench = Bench::new();
    bench.import(vec![create(1, 2, &[("last_name", "Roy")])]);
    assert!(bench.directory.snapshot("in").unwrap().listed_elsewhere.is_empty());
    let elsewhere = bench.directory.snapshot("other").unwrap().listed_elsewhere;
    assert_eq!(elsewhere, [1, 2, 3].into());
}

#[test]
fn people_are_found_by_number_login_mail_or_name() {
    let mut bench = Bench::new();
    bench.import(vec![
        create(1, 2, &[("last_name", "Dupré"), ("first_name", "Anne"), ("employee_number", "007")]),
        create(2, 3, &[("last_name", "Dupré"), ("first_name", "Zoé"), ("login", "zdupre")]),
        create(3, 4, &[("last_name", "Roy"), ("email", "anne.roy@acme.fr")]),
        create(4, 5, &[("legal_entity", "FR01"), ("employee_number", "040")]),
        create(5, 6, &[("legal_entity", "FR02"), ("employee_number", "040")]),
    ]);
    let found = |text: &str| -> Vec<i64> {
        bench.directory.find_users(text).unwrap().iter().map(|u| u.id).collect()
    };
    assert_eq!(found("007"), [1]);
    assert_eq!(found("040"), [4, 5]);
    assert_eq!(found("fr02+040"), [5]);
    assert_eq!(found("ZDUPRE"), [2]);
    assert_eq!(found("Anne.Roy@acme.fr"), [3]);
    assert_eq!(found("dupre"), [1, 2]);
    assert_eq!(found("dupre anne"), [1]);
    assert!(found("nobody").is_empty() && found(" ").is_empty());
}

#[test]
fn what_is_committed_is_there_after_reopening() {
    let mut bench = Bench::new();
    three_days(&mut bench);
    bench.directory.checkpoint().unwrap();
    let Bench { folder, directory, .. } = bench;
    let before = directory.users(None).unwrap();
    drop(directory);
    let reopened = Directory::open(&folder.path().join("users.db")).unwrap();
    assert_eq!(reopened.users(None).unwrap(), before);
}

#[test]
fn every_field_has_its_column() {
    let bench = Bench::new();
    let mut columns =
        bench.directory.conn.prepare("SELECT name FROM pragma_table_info('users')").unwrap();
    let columns: Vec<String> = columns
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<std::result::Result<_, _>>()
        .unwrap();
    for field in Field::ALL {
        assert!(columns.iter().any(|c| c == field.name()), "add a migration for {field}");
    }
}

#[test]
fn absences_and_the_ends_that_they_set_are_kept_until_somebody_moves_them() {
    let mut bench = Bench::new();
    three_days(&mut bench);
    let day = |text: &str| text.parse().unwrap();
    let absence =
        |files, last: &str| Absence { first_day: day("2026-11-02"), files, last_day: day(last) };
    let (mut plan, record) = bench.plan(vec![]);
    plan.absences = Some(vec![(1, absence(1, "2026-11-02")), (2, absence(1, "2026-11-02"))]);
    bench.directory.apply(&plan, &record).unwrap();
    let snapshot = bench.directory.snapshot("in").unwrap();
    assert_eq!(snapshot.absences[&2], absence(1, "2026-11-02"));
    assert!(bench.directory.snapshot("other").unwrap().absences.is_empty());

    let end = |from: Option<&str>, to: Option<&str>| vec![change("contract_end", from, to)];
    let (mut plan, record) = bench.plan(vec![update(2, 0, end(None, Some("2026-11-01")))]);
    plan.absences = Some(vec![(1, absence(2, "2026-11-03"))]);
    plan.ended_by_absence = vec![2];
    bench.directory.apply(&plan, &record).unwrap();
    let snapshot = bench.directory.snapshot("other").unwrap();
    let ended = AbsenceEnd { last_day: "2026-11-01".to_owned(), was: None };
    assert_eq!(snapshot.ended_by_absence[&2], ended);
    // A plan that knows nothing of absences leaves them as they are.
    bench.import(vec![]);
    assert_eq!(bench.directory.snapshot("in").unwrap().absences.len(), 1);
    bench.import(vec![update(2, 4, end(Some("2026-11-01"), Some("2026-11-30")))]);
    assert!(bench.directory.snapshot("in").unwrap().ended_by_absence.is_empty());
}

#[test]
fn an_end_by_absence_remembers_what_stood_before_the_first_of_them() {
    let mut bench = Bench::new();
    three_days(&mut bench);
    let cut = |bench: &mut Bench, from: Option<&str>, to: &str| {
        let end = vec![change("contract_end", from, Some(to))];
        let (mut plan, record) = bench.plan(vec![update(2, 0, end)]);
        plan.ended_by_absence = vec![2];
        bench.directory.apply(&plan, &record).unwrap();
        bench.directory.snapshot("in").unwrap().ended_by_absence.remove(&2).unwrap()
    };
    let hand = vec![change("contract_end", None, Some("2026-12-31"))];
    bench.import(vec![update(2, 4, hand)]);
    let first = cut(&mut bench, Some("2026-12-31"), "2026-11-01");
    assert_eq!((first.last_day.as_str(), first.was.as_deref()), ("2026-11-01", Some("2026-12-31")));
    let second = cut(&mut bench, Some("2026-11-01"), "2026-10-01");
    assert_eq!((second.last_day.as_str(), second.was), ("2026-10-01", first.was));
}

#[test]
fn ends_by_absence_of_an_older_version_learn_from_the_history_what_stood_before() {
    let mut bench = Bench::new();
    three_days(&mut bench);
    let end = vec![change("contract_end", None, Some("2026-12-31"))];
    bench.import(vec![update(2, 4, end)]);
    let end = vec![change("contract_end", Some("2026-12-31"), Some("2026-11-01"))];
    let (mut plan, record) = bench.plan(vec![update(2, 0, end)]);
    plan.ended_by_absence = vec![2];
    bench.directory.apply(&plan, &record).unwrap();
    let conn = &bench.directory.conn;
    conn.execute_batch("ALTER TABLE absence_ends DROP COLUMN was").unwrap();
    conn.execute_batch(absences::STEP).unwrap();
    let ended = bench.directory.snapshot("in").unwrap().ended_by_absence;
    assert_eq!(ended[&2].was.as_deref(), Some("2026-12-31"));
}

#[test]
fn a_manager_who_was_not_found_is_kept_until_the_user_has_another() {
    let mut bench = Bench::new();
    three_days(&mut bench);
    let wish = |text: &str| ManagerWish { text: text.to_owned(), line: 7 };
    let (mut plan, record) = bench.plan(vec![]);
    plan.manager_wishes = vec![(2, Some(wish("00999"))), (3, Some(wish("00998")))];
    bench.directory.apply(&plan, &record).unwrap();
    bench.import(vec![update(2, 4, vec![change("last_name", Some("Roy"), Some("Le Roy"))])]);
    assert_eq!(bench.directory.snapshot("in").unwrap().manager_wishes.len(), 2);
    bench.import(vec![update(2, 4, vec![change("manager", None, Some("1"))])]);
    let (mut plan, record) = bench.plan(vec![]);
    plan.manager_wishes = vec![(3, Some(wish("00997")))];
    bench.directory.apply(&plan, &record).unwrap();
    let wishes = bench.directory.snapshot("in").unwrap().manager_wishes;
    assert_eq!(wishes, [(3, wish("00997"))].into());
    let (mut plan, record) = bench.plan(vec![]);
    plan.manager_wishes = vec![(3, None)];
    bench.directory.apply(&plan, &record).unwrap();
    assert!(bench.directory.snapshot("in").unwrap().manager_wishes.is_empty());
}

#[test]
fn what_another_writes_over_a_source_is_protected_from_it() {
    let mut bench = Bench::new();
    bench.import(vec![create(1, 2, &[("department", "IT"), ("csp", "C1")])]);
    let department: FieldKey = "department".parse().unwrap();
    let by = |source: &str, bench: &mut Bench, writes| {
        let (mut plan, mut record) = bench.plan(writes);
        record.source = source.to_owned();
        plan.source = Some(SourceMemory {
            columns: vec!["department".to_owned()],
            ..SourceMemory::default()
        });
        bench.directory.apply(&plan, &record).unwrap();
    };
    by("in", &mut bench, vec![]);
    let to = |from: &str, to: &str| {
        vec![update(
            1,
            2,
            vec![change("department", Some(from), Some(to)), change("csp", None, None)],
        )]
    };
    by("other", &mut bench, to("IT", "Sales"));
    by("other", &mut bench, to("Sales", "Ops"));
    let protected = bench.directory.snapshot("in").unwrap().protected;
    // What the source itself said, not what came between; and only columns that it sends.
    assert_eq!(protected, [((1, department.clone()), Some("IT".to_owned()))].into());
    assert!(bench.directory.snapshot("other").unwrap().protected.is_empty());
    // The source says something new: its value is free, and the other's is protected.
    let new = vec![change("department", Some("Ops"), Some("HR"))];
    let (mut plan, record) = bench.plan(vec![update(1, 2, new)]);
    plan.unprotected = vec![(1, department.clone())];
    bench.directory.apply(&plan, &record).unwrap();
    assert!(bench.directory.snapshot("in").unwrap().protected.is_empty());
    let protected = bench.directory.snapshot("other").unwrap().protected;
    assert_eq!(protected, [((1, department.clone()), Some("Ops".to_owned()))].into());
    // A person's hand is protected from everybody.
    let tx = bench.directory.conn.unchecked_transaction().unwrap();
    let hand = protections::Protector::new(&tx, None, i64::MAX).unwrap();
    hand.protect(1, &change("department", Some("HR"), Some("Law"))).unwrap();
    tx.commit().unwrap();
    assert_eq!(bench.directory.snapshot("in").unwrap().protected.len(), 1);
}

#[test]
fn a_source_that_sends_no_full_file_keeps_the_users_whom_it_made() {
    let mut bench = Bench::new();
    bench.import(vec![create(1, 2, &[("last_name", "Roy")])]);
    let (mut plan, mut record) = bench.plan(vec![create(2, 2, &[("last_name", "Zola")])]);
    record.source = "temps".to_owned();
    plan.listed = None;
    bench.directory.apply(&plan, &record).unwrap();
    let elsewhere = |bench: &Bench| bench.directory.snapshot("in").unwrap().listed_elsewhere;
    // The bench's full files list users 1, 2 and 3: whom a source lists itself is its own.
    assert!(elsewhere(&bench).is_empty());
    let (mut plan, record) = bench.plan(vec![]);
    plan.listed = Some(vec![1]);
    bench.directory.apply(&plan, &record).unwrap();
    assert_eq!(elsewhere(&bench), [2].into());
}

#[test]
fn a_directory_of_the_first_version_opens_with_all_that_was_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users.db");
    let old = record(1);
    let stored = to_json(&report(&old, ImportStatus::Ok)).unwrap();
    {
        let mut conn = connect(&path, Access::Write).unwrap();
        migrations::migrate(&mut conn, "old", &schema::STEPS[..1]).unwrap();
        conn.execute(
            "INSERT INTO imports (id, source, login, path, file_name, bytes, sha256, received_at,
                 applied_at, settings_version, settings, status, dry_run, counts, change_number, report)
             VALUES (?1, 'in', 'acme', '/in/users.csv', 'users-1.csv', 1, '', ?2, ?2, '', '', 'ok', 0, '{}', 1, ?3)",
            rusqlite::params![old.id.to_string(), at(1).as_microsecond(), stored],
        )
        .unwrap();
        conn.execute_batch(
            "INSERT INTO users (id, created_by, created_line, last_name, department)
                 VALUES (1, 1, 2, 'Roy', 'Sales');
             INSERT INTO changes VALUES (1, 1, 1, 2, 'department', 'IT', 'Sales');
             INSERT INTO lists VALUES ('department', 'Sales', 1);
             INSERT INTO sources VALUES ('in', '{\"rows\": 1}', x'01');
             UPDATE directory SET change_number = 1, next_user_id = 2;",
        )
        .unwrap();
    }
    let mut directory = Directory::open(&path).unwrap();
    assert_eq!(names(&directory.users(None).unwrap()), ["Roy"]);
    assert_eq!(directory.imports(10).unwrap()[0].record.id, old.id);
    assert_eq!(directory.user_history(1).unwrap().len(), 3);
    let snapshot = directory.snapshot("in").unwrap();
    assert_eq!((snapshot.source.rows, snapshot.change_number), (Some(1), 1));
    // An import of that time can be taken back too, as far as its history goes.
    let event = Event {
        id: Uuid::now_v7(),
        kind: EventKind::Undo,
        about: Some(old.id),
        source: String::new(),
        who: "cli".to_owned(),
        at: at(2),
    };
    let (undoing, _) = directory.undo(&event, &jiff::tz::TimeZone::UTC).unwrap();
    assert_eq!((undoing.values, undoing.withdrawn), (1, 1));
    assert_eq!(directory.check().unwrap(), Vec::<String>::new());
}
