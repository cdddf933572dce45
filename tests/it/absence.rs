//! Days and folders: absence that is counted and ends, presence that lifts it, several folders, what a hand has set.

use std::path::Path;
use std::sync::Arc;

use rollcall::clock::Clock;
use rollcall::config::Config;
use rollcall::import::codes::Code;
use rollcall::import::fields::{Field, FieldKey};
use rollcall::import::report::Report;
use rollcall::model::{ImportStatus, Language, Protocol, Purpose};
use rollcall::service::Service;
use rollcall::service::accounts::{NewAccount, NewPassword};
use rollcall::service::by_hand::{DryRun, ImportFile};
use rollcall::service::clients::NewClient;
use rollcall::service::users::UserView;
use tempfile::TempDir;

const HEADER: &str = "ID number;lastName;firstName;dtContractStart;dtContractEnd;department";
const ANNE: &str = "00001;Dupont;Anne;15/01/2010;;Direction";
const PAUL: &str = "00002;Martin;Paul;16/02/2015;;Paie";
const ZOE: &str = "00003;Noël;Zoé;17/03/2016;;Paie";

/// A client with two import folders, `import` and `second`, and a calendar.
struct Office {
    data: TempDir,
}

impl Office {
    fn new(settings: &str) -> Self {
        let data = tempfile::Builder::new().prefix("rollcall-days-").tempdir().unwrap();
        let office = Self { data };
        let service = office.on("2026-11-01");
        service
            .add_client(NewClient {
                slug: "acme".to_owned(),
                name: "Acme".to_owned(),
                language: Language::En,
                time_zone: "UTC".to_owned(),
            })
            .unwrap();
        let account = NewAccount {
            client: "acme".to_owned(),
            name: "Payroll".to_owned(),
            login: Some("acme.payroll".to_owned()),
            host_profile: "standard".to_owned(),
            protocols: Some(Protocol::ALL.to_vec()),
            password: NewPassword::Given(super::app::PASSWORD.to_owned()),
            keys: Vec::new(),
        };
        service.add_account(&account).unwrap();
        let path = "/second".parse().unwrap();
        service.add_folder("acme.payroll", "second", &path, Purpose::Import, None).unwrap();
        for folder in ["import", "second"] {
            service.set_settings("acme", folder, settings).unwrap();
        }
        office
    }

    fn on(&self, day: &str) -> Service {
        let path: &Path = self.data.path();
        let at = format!("{day}T04:30:00Z").parse().unwrap();
        Service::open(Arc::new(Config::default()), path, Clock::Fixed(at)).unwrap()
    }

    fn send(&self, day: &str, folder: &str, rows: &[&str]) -> Report {
        self.run(day, folder, rows, DryRun::No)
    }

    fn run(&self, day: &str, folder: &str, rows: &[&str], dry_run: DryRun) -> Report {
        self.import(day, folder, (HEADER, rows), dry_run)
    }

    /// A file with columns of its own.
    fn file(&self, day: &str, folder: &str, header: &str, rows: &[&str]) -> Report {
        self.import(day, folder, (header, rows), DryRun::No)
    }

    fn import(
        &self,
        day: &str,
        folder: &str,
        (header, rows): (&str, &[&str]),
        dry_run: DryRun,
    ) -> Report {
        let text = format!("{header}\r\n{}\r\n", rows.join("\r\n"));
        let file = ImportFile {
            client: "acme",
            folder: Some(folder),
            name: "users.csv",
            content: text.as_bytes().into(),
        };
        let report = self.on(day).import_file(file, dry_run).unwrap();
        assert_eq!(report.counts.outcomes(), report.counts.rows);
        report
    }

    fn by_hand(&self, day: &str, number: &str, field: Field, value: &str) {
        let service = self.on(day);
        let user = service.find_user("acme", number).unwrap().id;
        let wanted = [(FieldKey::Known(field), value.to_owned())];
        let edit = service.edit_user("acme", user, &wanted, "anna").unwrap();
        assert_eq!(edit.changes.len(), 1, "{edit:?}");
    }

    fn value(&self, number: &str, field: Field) -> Option<String> {
        let users = self.on("2026-11-30").users("acme", None).unwrap_or_default();
        let numbered = |user: &&UserView| user.values.get(Field::EmployeeNumber) == Some(number);
        let user = users.iter().find(numbered);
        assert!(user.is_some(), "nobody has the number {number}");
        user?.values.get(field).map(str::to_owned)
    }

    fn end(&self, number: &str) -> Option<String> {
        self.value(number, Field::ContractEnd)
    }
}

fn whys(report: &Report, code: Code) -> Vec<&str> {
    let all = report.messages.iter().filter(|message| message.code == code);
    all.map(|message| message.why.as_str()).collect()
}

#[test]
fn absence_ends_a_contract_after_files_on_as_many_days() {
    let office = Office::new("absent = \"end\"\nabsent_after = 3");
    let (all, without) = ([ANNE, PAUL, ZOE], [ANNE, PAUL]);
    office.send("2026-11-02", "import", &all);
    let first = office.send("2026-11-03", "import", &without);
    assert_eq!(whys(&first, Code::A501), ["counting"]);
    assert_eq!(first.counts.absent, 1);
    // The same day again, a dry run, and another file of that day count nothing.
    office.send("2026-11-03", "import", &without);
    office.run("2026-11-04", "import", &without, DryRun::Yes);
    office.send("2026-11-03", "import", &[PAUL, ANNE]);
    // Present again: it begins anew.
    office.send("2026-11-04", "import", &all);
    for day in ["2026-11-05", "2026-11-06"] {
        let report = office.send(day, "import", &without);
        assert_eq!(whys(&report, Code::A501), ["counting"], "{day}");
        assert_eq!(office.end("00003"), None);
    }
    // The same bytes on the next day are no mere repetition: they confirm who is absent.
    let last = office.send("2026-11-07", "import", &without);
    assert_eq!(whys(&last, Code::A502), [""]);
    assert_eq!(whys(&last, Code::N003), ["absences"]);
    assert_eq!(office.end("00003").as_deref(), Some("2026-11-04"));
    // Ended once; nobody misses her any more.
    let after = office.send("2026-11-08", "import", &without);
    assert_eq!(after.counts.absent, 0);
    // Back in the file: the end goes, with nothing else said.
    let back = office.send("2026-11-09", "import", &all);
    assert_eq!((back.counts.reinstated, whys(&back, Code::C404)), (1, vec!["present"]));
    assert_eq!(office.end("00003"), None);
    assert_eq!(office.send("2026-11-10", "import", &all).status, ImportStatus::Duplicate);
}

#[test]
fn a_refused_row_is_present_and_lifts_what_absence_ended() {
    let office = Office::new("absent = \"end\"\nabsent_after = 1");
    office.send("2026-11-02", "import", &[ANNE, PAUL, ZOE]);
    let bad = "00003;Noël;Zoé;17/03/2016;;Paie;too many";
    assert_eq!(office.send("2026-11-03", "import", &[ANNE, PAUL, bad]).counts.absent, 0);
    office.send("2026-11-04", "import", &[ANNE, PAUL]);
    assert_eq!(office.end("00003").as_deref(), Some("2026-11-03"));
    let back = office.send("2026-11-05", "import", &[ANNE, PAUL, bad]);
    assert_eq!((back.counts.rejected, whys(&back, Code::C404)), (1, vec!["present"]));
    assert_eq!(office.end("00003"), None);
    // A row whose key cannot be read could be anybody.
    let nobody = ";Noël;Zoé;17/03/2016;;Paie";
    assert_eq!(office.send("2026-11-06", "import", &[ANNE, nobody]).counts.absent, 0);
    assert_eq!(office.end("00002"), None);
}

#[test]
fn whoever_another_folder_lists_is_not_absent_and_each_folder_counts_for_itself() {
    let office = Office::new("absent = \"end\"\nabsent_after = 2");
    office.send("2026-11-02", "import", &[ANNE, PAUL]);
    office.send("2026-11-02", "second", &[PAUL, ZOE]);
    for day in ["2026-11-03", "2026-11-04", "2026-11-05"] {
        assert_eq!(office.send(day, "import", &[ANNE]).counts.absent, 0, "{day}");
    }
    // The other folder drops him as well: only its own files count.
    for day in ["2026-11-06", "2026-11-07"] {
        let report = office.send(day, "second", &[ZOE]);
        assert_eq!(report.counts.absent, 1, "{day}");
    }
    assert_eq!(office.end("00002").as_deref(), Some("2026-11-05"));
    assert_eq!((office.end("00001"), office.end("00003")), (None, None));
}

#[test]
fn what_another_folder_wrote_stays_until_the_file_says_something_new() {
    let office = Office::new("");
    let says = |department: &str| format!("00001;Dupont;Anne;15/01/2010;;{department}");
    office.send("2026-11-02", "import", &[&says("IT")]);
    office.send("2026-11-02", "second", &[&says("Sales")]);
    let again = office.send("2026-11-03", "import", &[&says("IT")]);
    assert_eq!((again.counts.unchanged, whys(&again, Code::P701)), (1, vec![""]));
    assert_eq!(again.status, ImportStatus::Ok);
    assert_eq!(office.value("00001", Field::Department).as_deref(), Some("Sales"));
    let new = office.send("2026-11-04", "import", &[&says("HR")]);
    assert_eq!((new.counts.updated, whys(&new, Code::P701)), (1, vec![]));
    // Now the other folder only repeats itself.
    let other = office.send("2026-11-05", "second", &[&says("Sales")]);
    assert_eq!(whys(&other, Code::P701), [""]);
    assert_eq!(office.value("00001", Field::Department).as_deref(), Some("HR"));
}

#[test]
fn absence_brings_a_later_end_forward_and_spares_who_has_just_begun() {
    let office = Office::new("absent = \"end\"\nabsent_after = 1");
    let leaving = "00002;Martin;Paul;16/02/2015;31/12/2026;Paie";
    let beginning = "00003;Noël;Zoé;03/11/2026;;Paie";
    office.send("2026-11-02", "import", &[ANNE, leaving, beginning]);
    let report = office.send("2026-11-03", "import", &[ANNE]);
    assert_eq!(whys(&report, Code::A502), ["earlier"]);
    assert_eq!(whys(&report, Code::A501), ["just_begun"]);
    assert_eq!(office.end("00002").as_deref(), Some("2026-11-02"));
    // The contract would end on the day before it began: nobody can mean that.
    assert_eq!(office.end("00003"), None);
}

#[test]
fn whoever_began_while_absent_is_never_ended_for_that() {
    let beginning = "00003;Noël;Zoé;03/11/2026;;Paie";
    let with_job = |job: &str| format!("00001;Dupont;Anne;15/01/2010;;{job}");
    for settings in ["absent = \"end\"\nabsent_after = 1", "absent = \"end\"", "absent = \"hold\""]
    {
        let office = Office::new(settings);
        office.send("2026-11-02", "import", &[ANNE, PAUL, beginning]);
        for day in ["2026-11-03", "2026-11-04", "2026-11-05", "2026-11-06"] {
            let report = office.send(day, "import", &[&with_job(day), PAUL]);
            assert_eq!(whys(&report, Code::A501), ["just_begun"], "{settings}, {day}");
            assert_eq!(office.end("00003"), None, "{settings}, {day}");
        }
        // Another day makes nothing else of it.
        let again = office.send("2026-11-07", "import", &[&with_job("2026-11-06"), PAUL]);
        assert_eq!(again.status, ImportStatus::Duplicate, "{settings}");
    }
}

#[test]
fn the_same_file_counts_those_who_have_begun_since() {
    let office = Office::new("absent = \"end\"\nabsent_after = 2");
    let to_come = "00003;Noël;Zoé;05/11/2026;;Paie";
    office.send("2026-11-02", "import", &[ANNE, PAUL, to_come]);
    for day in ["2026-11-03", "2026-11-04"] {
        let report = office.send(day, "import", &[ANNE, PAUL]);
        assert_eq!((whys(&report, Code::A501), report.counts.absent), (vec![""], 1), "{day}");
        assert_eq!(whys(&report, Code::N003), [""; 0], "{day}: nobody was counted");
    }
    let first = office.send("2026-11-07", "import", &[ANNE, PAUL]);
    assert_eq!(whys(&first, Code::A501), ["counting"]);
    let second = office.send("2026-11-08", "import", &[ANNE, PAUL]);
    assert_eq!(whys(&second, Code::A502), [""]);
    assert_eq!(office.end("00003").as_deref(), Some("2026-11-06"));
}

#[test]
fn dates_of_the_contract_that_another_folder_wrote_stay_too() {
    let office = Office::new("");
    let says = |start: &str, end: &str| format!("00001;Dupont;Anne;{start};{end};Direction");
    let dates = || [Field::ContractStart, Field::ContractEnd].map(|f| office.value("00001", f));
    let is = |start: &str, end: &str| [Some(start.to_owned()), Some(end.to_owned())];
    office.send("2026-11-02", "import", &[&says("15/01/2010", "31/12/2027")]);
    office.send("2026-11-02", "second", &[&says("01/02/2011", "30/06/2028")]);
    assert_eq!(dates(), is("2011-02-01", "2028-06-30"));
    let again = office.send("2026-11-03", "import", &[&says("15/01/2010", "31/12/2027")]);
    let protected = again.messages.iter().filter(|message| message.code == Code::P701);
    let cells: Vec<&str> = protected.map(|message| message.cell.as_str()).collect();
    assert_eq!((again.counts.unchanged, cells), (1, vec!["D2", "E2"]));
    assert_eq!(dates(), is("2011-02-01", "2028-06-30"));
    // A new end is taken; the start, which is the same as before, still is not.
    let moved = office.send("2026-11-04", "import", &[&says("15/01/2010", "31/12/2029")]);
    assert_eq!(whys(&moved, Code::P701), [""]);
    assert_eq!(dates(), is("2011-02-01", "2029-12-31"));
}

#[test]
fn absence_that_needs_approval_holds_the_file() {
    let office = Office::new("absent = \"hold\"");
    office.send("2026-11-02", "import", &[ANNE, PAUL, ZOE]);
    let held = office.send("2026-11-03", "import", &[ANNE, PAUL]);
    assert_eq!(held.status, ImportStatus::Held);
    assert_eq!(office.end("00003"), None);
    // Whoever is still to come is not missed.
    let to_come = "00004;Roy;Max;01/02/2027;;Paie";
    office.send("2026-11-04", "import", &[ANNE, PAUL, ZOE, to_come]);
    let report = office.send("2026-11-05", "import", &[ANNE, PAUL, ZOE]);
    assert_eq!((report.counts.absent, report.status), (1, ImportStatus::OkWithWarnings));
}

const ENDS: &str = "absent = \"end\"\nabsent_after = 1";
const LEAVING: &str = "00003;Noël;Zoé;17/03/2016;31/12/2026;Paie";

#[test]
fn presence_gives_back_the_end_that_absence_took_away() {
    let office = Office::new(ENDS);
    let with = |job: &str| format!("00001;Dupont;Anne;15/01/2010;;{job}");
    office.send("2026-11-02", "import", &[ANNE, PAUL, LEAVING]);
    office.by_hand("2026-11-02", "00003", Field::ContractEnd, "2026-11-30");
    let gone = office.send("2026-11-03", "import", &[ANNE, PAUL]);
    assert_eq!(whys(&gone, Code::A502), ["earlier"]);
    assert_eq!(office.end("00003").as_deref(), Some("2026-11-02"));
    // The hand's end returns first; then the file only repeats itself.
    let back = office.send("2026-11-04", "import", &[ANNE, PAUL, LEAVING]);
    assert_eq!((back.counts.reinstated, whys(&back, Code::C404)), (1, vec!["restored"]));
    let kept = |report: &Report| {
        let all = report.messages.iter().filter(|message| message.code == Code::P701);
        all.map(|message| message.kept.clone()).collect::<Vec<_>>()
    };
    assert_eq!(kept(&back), ["2026-11-30"]);
    assert_eq!(office.end("00003").as_deref(), Some("2026-11-30"));
    let again = office.send("2026-11-05", "import", &[&with("IT"), PAUL, LEAVING]);
    assert_eq!(kept(&again), ["2026-11-30"]);
    // Something new counts.
    let sooner = LEAVING.replace("31/12", "15/12");
    office.send("2026-11-06", "import", &[ANNE, PAUL, &sooner]);
    assert_eq!(office.end("00003").as_deref(), Some("2026-12-15"));
}

#[test]
fn the_end_returns_whatever_the_file_leaves_unsaid() {
    let no_column = "ID number;lastName;firstName;dtContractStart;department";
    let without = ["00001;Dupont;Anne;15/01/2010;Direction", "00003;Noël;Zoé;17/03/2016;Paie"];
    let refused = "00003;Noël;Zoé;17/03/2016;;Paie;too many";
    let unreadable = "00003;Noël;Zoé;17/03/2016;soon;Paie";
    for (rows, header) in [
        ([ANNE, ZOE], HEADER),
        ([ANNE, refused], HEADER),
        ([ANNE, unreadable], HEADER),
        (without, no_column),
    ] {
        let office = Office::new(ENDS);
        office.send("2026-11-02", "import", &[ANNE, ZOE]);
        office.by_hand("2026-11-02", "00003", Field::ContractEnd, "2026-12-31");
        office.send("2026-11-03", "import", &[ANNE]);
        assert_eq!(office.end("00003").as_deref(), Some("2026-11-02"), "{rows:?}");
        let back = office.file("2026-11-04", "import", header, &rows);
        assert_eq!(whys(&back, Code::C404), ["restored"], "{rows:?}");
        assert_eq!(office.end("00003").as_deref(), Some("2026-12-31"), "{rows:?}");
    }
}

#[test]
fn the_end_that_another_folder_gave_returns_with_its_next_file() {
    let office = Office::new(ENDS);
    office.on("2026-11-01").set_settings("acme", "second", "mode = \"delta\"").unwrap();
    let no_column = "ID number;lastName;firstName;dtContractStart;department";
    let rows = ["00001;Dupont;Anne;15/01/2010;Direction", "00003;Noël;Zoé;17/03/2016;Paie"];
    office.file("2026-11-02", "import", no_column, &rows);
    office.send("2026-11-02", "second", &[LEAVING]);
    office.file("2026-11-03", "import", no_column, &rows[..1]);
    assert_eq!(office.end("00003").as_deref(), Some("2026-11-02"));
    let back = office.send("2026-11-04", "second", &[LEAVING]);
    assert_eq!((whys(&back, Code::C404), whys(&back, Code::P701)), (vec!["restored"], vec![]));
    assert_eq!(office.end("00003").as_deref(), Some("2026-12-31"));
}

#[test]
fn what_the_file_says_of_an_end_counts_more_than_the_end_that_absence_took_away() {
    let later = LEAVING.replace("31/12/2026", "31/03/2027");
    for (row, end, why, removed) in [
        (ZOE, None, "present", 1),
        (LEAVING, Some("2026-12-31"), "extended", 0),
        (later.as_str(), Some("2027-03-31"), "extended", 0),
    ] {
        let office = Office::new(ENDS);
        office.send("2026-11-02", "import", &[ANNE, LEAVING]);
        office.send("2026-11-03", "import", &[ANNE]);
        let back = office.send("2026-11-04", "import", &[ANNE, row]);
        assert_eq!(whys(&back, Code::C404), [why], "{row}");
        // A blank removes the end that was known, and that is told.
        assert_eq!(whys(&back, Code::C403), vec!["removed"; removed], "{row}");
        assert_eq!(office.end("00003").as_deref(), end, "{row}");
    }
}

#[test]
fn an_end_that_passed_during_the_absence_returns_only_where_somebody_still_says_it() {
    let no_column = "ID number;lastName;firstName;dtContractStart;department";
    let rows = ["00001;Dupont;Anne;15/01/2010;Direction", "00003;Noël;Zoé;17/03/2016;Paie"];
    let absent = |office: &Office| {
        office.by_hand("2026-11-02", "00003", Field::ContractEnd, "2026-11-04");
        office.send("2026-11-03", "import", &[ANNE]);
    };
    // The file repeats the end that a person has replaced: hers stands.
    let office = Office::new(ENDS);
    office.send("2026-11-02", "import", &[ANNE, LEAVING]);
    absent(&office);
    let back = office.send("2026-11-06", "import", &[ANNE, LEAVING]);
    assert_eq!((whys(&back, Code::C407), whys(&back, Code::P701)), (vec!["end"], vec![""]));
    assert_eq!(office.end("00003").as_deref(), Some("2026-11-04"));
    // The file has no such column: it only says that the person is here.
    let office = Office::new(ENDS);
    office.send("2026-11-02", "import", &[ANNE, LEAVING]);
    absent(&office);
    let back = office.file("2026-11-06", "import", no_column, &rows);
    assert_eq!(whys(&back, Code::C404), ["present"]);
    assert_eq!(office.end("00003"), None);
}

#[test]
fn what_a_hand_sets_while_the_file_lacks_it_stays_too() {
    let no_column = "ID number;lastName;firstName;dtContractStart;dtContractEnd";
    let short = ["00001;Dupont;Anne;15/01/2010;", "00003;Noël;Zoé;17/03/2016;"];
    let twice = [ANNE, ZOE, "00003;Noël;Zoé;18/03/2016;;Paie"];
    let between: [(&str, &[&str]); 3] = [(HEADER, &[ANNE]), (no_column, &short), (HEADER, &twice)];
    for (header, rows) in between {
        let office = Office::new("guards.fewer_rows = \"off\"");
        office.send("2026-11-02", "import", &[ANNE, ZOE]);
        office.file("2026-11-03", "import", header, rows);
        office.by_hand("2026-11-03", "00003", Field::Department, "Sales");
        office.by_hand("2026-11-03", "00003", Field::ContractEnd, "2026-12-31");
        let again = office.send("2026-11-04", "import", &[ANNE, ZOE]);
        assert_eq!(whys(&again, Code::P701), ["", ""], "{rows:?}");
        assert_eq!(office.value("00003", Field::Department).as_deref(), Some("Sales"), "{rows:?}");
        assert_eq!(office.end("00003").as_deref(), Some("2026-12-31"), "{rows:?}");
        let new = ZOE.replace("Paie", "IT");
        office.send("2026-11-05", "import", &[ANNE, &new]);
        assert_eq!(office.value("00003", Field::Department).as_deref(), Some("IT"), "{rows:?}");
    }
}

#[test]
fn a_hand_protects_only_from_the_folder_whose_value_it_replaces() {
    let office = Office::new("guards.fewer_rows = \"off\"");
    office.send("2026-11-02", "import", &[ANNE, ZOE]);
    let second = ZOE.replace("Paie", "Law");
    office.send("2026-11-02", "second", &[&second, PAUL]);
    // Both lack her now; the value that stands is the second folder's.
    office.send("2026-11-03", "import", &[ANNE]);
    office.send("2026-11-03", "second", &[PAUL]);
    office.by_hand("2026-11-03", "00003", Field::Department, "Sales");
    office.send("2026-11-04", "second", &[&second, PAUL]);
    assert_eq!(office.value("00003", Field::Department).as_deref(), Some("Sales"));
    // The first folder's word was replaced by the second's before, and is protected from as long.
    office.send("2026-11-04", "import", &[ANNE, ZOE]);
    assert_eq!(office.value("00003", Field::Department).as_deref(), Some("Sales"));
}

#[test]
fn an_end_set_by_hand_in_the_place_of_absences_stays_and_one_taken_away_does_not() {
    for (hand, expected) in [("2026-11-30", Some("2026-11-30")), ("", Some("2026-12-31"))] {
        let office = Office::new(ENDS);
        office.send("2026-11-02", "import", &[ANNE, LEAVING]);
        office.send("2026-11-03", "import", &[ANNE]);
        office.by_hand("2026-11-03", "00003", Field::ContractEnd, hand);
        office.send("2026-11-04", "import", &[ANNE, LEAVING]);
        assert_eq!(office.end("00003").as_deref(), expected, "by hand: {hand:?}");
    }
}
