//! Rosters as payroll programs, people and spreadsheets damage them: nobody is ended by it, nothing false is written, and
//! the report says what to do.

use rollcall::import::Plan;
use rollcall::import::codes::Code;
use rollcall::import::directory::Snapshot;
use rollcall::import::fields::{Field, FieldKey};
use rollcall::import::report::{self, summary_line};
use rollcall::import::settings::Settings;
use rollcall::model::{ImportStatus, Language};

use super::golden::{applied, empty_directory, plan};

const HEADER: &str = "Entité légale;Matricule;Nom;Prénom;E-mail;Date d'entrée;Date de sortie;Date de naissance;Service;Responsable";
const ENTRY: usize = 5;
const END: usize = 6;
const BIRTH: usize = 7;

/// Eighty invented people: number 1 leads, numbers 2 to 5 lead the others.
fn roster() -> Vec<Vec<String>> {
    const FIRST: [&str; 8] = ["Anne", "Paul", "Zoé", "Hélène", "François", "Jürgen", "Léa", "Inès"];
    const LAST: [&str; 7] = ["Dupont", "Lefèvre", "Garçon", "Weiß", "Müller", "Brûlé", "Roux"];
    const SERVICES: [&str; 4] = ["Comptabilité", "Ventes", "Production", "Paie"];
    let person = |n: usize| {
        let boss = if n == 1 {
            String::new()
        } else {
            format!("{:05}", if n <= 5 { 1 } else { 2 + n % 4 })
        };
        vec![
            "FR01".to_owned(),
            format!("{n:05}"),
            LAST[(n * 3 + n / 7) % 7].to_owned(),
            FIRST[n % 8].to_owned(),
            format!("p{n:03}@exemple.example"),
            format!("{:02}/{:02}/{}", 1 + n % 28, 1 + n % 12, 2000 + n % 25),
            String::new(),
            format!("{:02}/{:02}/{}", 1 + n * 5 % 28, 1 + n * 3 % 12, 1960 + n % 40),
            SERVICES[n % 4].to_owned(),
            boss,
        ]
    };
    (1..=80).map(person).collect()
}

fn text(rows: &[Vec<String>]) -> String {
    let rows: Vec<String> = rows.iter().map(|row| row.join(";") + "\r\n").collect();
    format!("{HEADER}\r\n{}", rows.concat())
}

/// The roster with every row changed.
fn with(change: impl Fn(usize, &mut Vec<String>)) -> String {
    let mut rows = roster();
    rows.iter_mut().enumerate().for_each(|(at, row)| change(at, row));
    text(&rows)
}

fn imported() -> Snapshot {
    let first = read(text(&roster()).as_bytes(), &empty_directory());
    assert_eq!(first.report.counts.created, 80);
    applied(empty_directory(), &first)
}

fn read(bytes: &[u8], before: &Snapshot) -> Plan {
    plan(bytes, "users.csv", &Settings::default(), before)
}

/// What a damaged file comes to: nobody's contract ends or is opened again by it.
fn damaged(bytes: &[u8]) -> Plan {
    let before = imported();
    let plan = read(bytes, &before);
    let end = FieldKey::Known(Field::ContractEnd);
    let ended = plan.writes.iter().flat_map(|write| write.changes()).filter(|c| c.field == end);
    assert_eq!(ended.count(), 0, "{:?}", plan.report.messages);
    assert!(plan.ended_by_absence.is_empty());
    plan
}

/// The fields that the plan changes, each once.
fn changed(plan: &Plan) -> Vec<String> {
    let all = plan.writes.iter().flat_map(|write| write.changes());
    let mut fields: Vec<String> = all.map(|change| change.field.to_string()).collect();
    fields.sort();
    fields.dedup();
    fields
}

fn told(plan: &Plan, code: Code, why: &str) -> u64 {
    let same = plan.report.messages.iter().filter(|m| m.code == code && m.why == why);
    same.map(|message| message.count).sum()
}

/// The report as the clerk opens it, in French.
fn french(plan: &Plan) -> String {
    String::from_utf8(report::csv(&plan.report, Language::Fr)).unwrap()
}

#[test]
fn a_file_that_was_cut_changes_nothing() {
    let whole = text(&roster());
    let inside = damaged(&whole.as_bytes()[..whole.find(";00041;").unwrap() + 9]);
    assert_eq!(inside.report.status, ImportStatus::Rejected);
    assert!(french(&inside).contains("F005"));
    let lines: Vec<&str> = whole.lines().take(45).collect();
    let at_line = damaged((lines.join("\r\n") + "\r\n").as_bytes());
    assert_eq!(at_line.report.status, ImportStatus::Held);
    assert!(french(&at_line).contains("l’export est peut-être tronqué"));
}

#[test]
fn two_exports_in_one_file_are_one() {
    let whole = text(&roster());
    let twice = damaged((whole.clone() + &whole).as_bytes());
    assert_eq!((twice.report.counts.unchanged, twice.report.counts.ignored), (80, 80));
    assert!(twice.writes.is_empty() && told(&twice, Code::R104, "repeated_header") == 1);
    let parts = text(&roster()[..40]) + &text(&roster()[38..]);
    let parts = damaged(parts.as_bytes());
    assert_eq!((parts.report.counts.unchanged, parts.report.counts.ignored), (80, 2));
    assert!(parts.report.counts.absent == 0 && parts.writes.is_empty());
}

#[test]
fn dates_that_a_spreadsheet_turned_round_are_never_taken() {
    let american = with(|_, row| {
        for column in [ENTRY, BIRTH] {
            let parts: Vec<&str> = row[column].split('/').collect();
            row[column] = format!("{}/{}/{}", parts[1], parts[0], parts[2]);
        }
    });
    let plan = damaged(american.as_bytes());
    assert_eq!(plan.report.status, ImportStatus::Rejected);
    let line = summary_line(&plan.report, Language::En);
    assert!(line.contains("V303"), "the gravest is said: {line}");
    // Opened where months come first: what can be a date becomes one, the rest stays text.
    let turned = |row: &mut Vec<String>| {
        for column in [ENTRY, BIRTH] {
            let parts: Vec<&str> = row[column].split('/').collect();
            let (day, month, year) = (parts[0], parts[1], parts[2]);
            if day <= "12" {
                row[column] = format!("{year}-{day}-{month}");
            }
        }
    };
    let plan = damaged(with(|_, row| turned(row)).as_bytes());
    assert!(plan.writes.is_empty(), "{:?}", changed(&plan));
    assert_eq!(plan.report.status, ImportStatus::Partial);
    let low = |column: usize| roster().iter().filter(|row| row[column].as_str() < "13").count();
    let expected = u64::try_from(low(ENTRY) + low(BIRTH)).unwrap();
    assert_eq!(told(&plan, Code::V309, "day_month"), expected);
    assert!(french(&plan).contains("interverti le jour et le mois"));
    // A first import takes none of the rows whose entry cannot be trusted.
    let first = read(with(|_, row| turned(row)).as_bytes(), &empty_directory());
    assert_eq!(first.report.counts.rejected, u64::try_from(low(ENTRY)).unwrap());
    // Both ways of writing, and both true: days above 12 among the one kind say so.
    let mixed = with(|at, row| {
        if at % 2 == 0 {
            let parts: Vec<&str> = row[ENTRY].split('/').collect();
            row[ENTRY] = format!("{}-{}-{}", parts[2], parts[1], parts[0]);
        }
    });
    let plan = damaged(mixed.as_bytes());
    assert_eq!((plan.report.counts.unchanged, plan.writes.len()), (80, 0));
}

#[test]
fn lost_zeros_are_told_as_what_they_are() {
    let plan =
        damaged(with(|_, row| row[1] = row[1].trim_start_matches('0').to_owned()).as_bytes());
    assert_eq!(plan.report.status, ImportStatus::Rejected);
    assert_eq!((told(&plan, Code::V309, "zeros"), plan.report.counts.absent), (80, 0));
    let line = summary_line(&plan.report, Language::Fr);
    assert!(line.contains("V309") && line.contains("zéros"), "{line}");
}

#[test]
fn swapped_columns_wait_for_somebody() {
    for (one, other, field) in
        [(2, 3, "«\u{a0}Nom\u{a0}»"), (ENTRY, BIRTH, "«\u{a0}Date de naissance\u{a0}»")]
    {
        let plan = damaged(with(|_, row| row.swap(one, other)).as_bytes());
        assert_eq!(plan.report.status, ImportStatus::Held);
        assert!(plan.writes.is_empty() && french(&plan).contains(field), "{}", french(&plan));
    }
    // Numbers and entities in each other's place: no row is anybody's.
    let plan = damaged(with(|_, row| row.swap(0, 1)).as_bytes());
    assert!(plan.writes.is_empty(), "{:?}", plan.report.status);
}

#[test]
fn what_stands_around_the_table_is_left_out() {
    let whole = text(&roster());
    for footer in ["Total: 1234\r\n", "\r\nTotal;;;80\r\nSignature de la gestionnaire\r\n"] {
        let plan = damaged((whole.clone() + footer).as_bytes());
        assert_eq!((plan.report.counts.rows, plan.report.counts.unchanged), (80, 80), "{footer}");
    }
    let again = text(&roster()[..40]) + &text(&roster()[40..]);
    assert_eq!(damaged(again.as_bytes()).report.counts.unchanged, 80);
}

#[test]
fn accents_that_broke_on_the_way_are_mended_or_refused() {
    let broken = |text: &str| encoding_rs::WINDOWS_1252.decode(text.as_bytes()).0.into_owned();
    let once = broken(&text(&roster()));
    for broken in [once.clone(), broken(&once)] {
        let plan = damaged(broken.as_bytes());
        assert_eq!((plan.report.counts.unchanged, plan.writes.len()), (80, 0));
        assert_eq!(told(&plan, Code::F009, ""), 1);
    }
    // Written by a program that knows no accents; the headers are plain.
    for lost in ["?", "\u{FFFD}"] {
        let rows = text(&roster());
        let (_, rows) = rows.split_once("\r\n").unwrap();
        let rows: String = rows
            .chars()
            .map(|c| if c.is_ascii() { c.to_string() } else { lost.to_owned() })
            .collect();
        let file = format!(
            "legalEntity;employeenumber;lastName;firstName;mail;dtContractStart;dtContractEnd;dtBirth;department;manager\r\n{rows}"
        );
        let plan = damaged(file.as_bytes());
        assert!(plan.writes.is_empty() && plan.list_entries.is_empty(), "{:?}", changed(&plan));
        assert!(told(&plan, Code::V309, "letters") > 80);
        assert!(french(&plan).contains("lettres accentuées"));
    }
}

#[test]
fn a_column_more_or_less_changes_nobody() {
    let more = text(&roster()).replace("\r\n", ";Temps plein\r\n").replacen(
        ";Temps plein",
        ";Rythme de travail",
        1,
    );
    let plan = damaged(more.as_bytes());
    assert_eq!((plan.report.counts.unchanged, told(&plan, Code::H103, "")), (80, 1));
    let less: String = text(&roster())
        .lines()
        .map(|line| {
            line.split(';')
                .enumerate()
                .filter(|(at, _)| *at != 4)
                .map(|(_, cell)| cell)
                .collect::<Vec<_>>()
                .join(";")
                + "\r\n"
        })
        .collect();
    let plan = damaged(less.as_bytes());
    assert_eq!((plan.report.counts.unchanged, plan.writes.len()), (80, 0));
    assert!(french(&plan).contains("H106"));
}

#[test]
fn people_who_are_missing_are_named_and_kept() {
    let rows = roster();
    let half: Vec<_> = rows
        .iter()
        .filter(|row| row[8] != "Ventes" || row[1].as_str() > "00040")
        .cloned()
        .collect();
    let bosses: Vec<_> = rows.iter().filter(|row| row[1].as_str() > "00005").cloned().collect();
    for (file, absent) in [(half, 10), (bosses, 5)] {
        let plan = damaged(text(&file).as_bytes());
        assert_eq!((plan.report.counts.absent, plan.writes.len()), (absent, 0));
        assert_eq!(told(&plan, Code::A501, ""), absent);
        let report = french(&plan);
        assert!(
            report.contains("ne figure pas dans le fichier") && report.contains("fin de contrat")
        );
    }
    let plan = damaged(with(|_, row| row[9].clear()).as_bytes());
    assert!(plan.writes.is_empty(), "a blank manager takes nobody's manager away");
}

#[test]
fn everybody_ended_at_once_waits_for_somebody() {
    let plan = damaged(with(|_, row| row[END] = "31/10/2026".to_owned()).as_bytes());
    assert_eq!(plan.report.status, ImportStatus::Held);
    assert!(summary_line(&plan.report, Language::En).contains("80 people would end"));
}

/// Ten people of whom a file says little: number, name, entry and job.
fn little(names: [(&str, &str); 10], number: impl Fn(usize) -> String) -> String {
    let row = |(at, (last, first)): (usize, (&str, &str))| {
        format!("{};{last};{first};13/01/20{};Agent\r\n", number(at + 1), 10 + at)
    };
    let rows: String = names.into_iter().enumerate().map(row).collect();
    format!("Matricule;Nom;Prénom;Date d'entrée;Emploi\r\n{rows}")
}

const PEOPLE: [(&str, &str); 10] = [
    ("Roy", "Max"),
    ("Petit", "Anne"),
    ("Blanc", "Léa"),
    ("Morel", "Paul"),
    ("Faure", "Zoé"),
    ("Girard", "Luc"),
    ("Bonnet", "Inès"),
    ("Lambert", "Hugo"),
    ("Rousseau", "Eva"),
    ("Vincent", "Noé"),
];

fn padded(n: usize) -> String {
    format!("{n:04}")
}

#[test]
fn numbers_that_are_other_peoples_now_take_nobodys_record() {
    let first = read(little(PEOPLE, padded).as_bytes(), &empty_directory());
    assert_eq!(first.report.counts.created, 10);
    let before = applied(empty_directory(), &first);
    let others = [
        ("Weber", "Karl"),
        ("Schmid", "Uta"),
        ("Huber", "Ingo"),
        ("Koch", "Sven"),
        ("Winkler", "Jan"),
        ("Seidl", "Kurt"),
        ("Gruber", "Olaf"),
        ("Kunz", "Rita"),
        ("Fuchs", "Tim"),
        ("Haas", "Britt"),
    ];
    let plan = read(little(others, padded).as_bytes(), &before);
    assert_eq!(plan.report.status, ImportStatus::Held, "{}", french(&plan));
    assert!(told(&plan, Code::D105, "many") > 0 && plan.writes.is_empty());
    // One of them: the row waits, everybody else goes on. A new last name alone is a wedding.
    let mut one = PEOPLE;
    one[3] = ("Weber", "Karl");
    one[4] = ("Marchand", "Zoé");
    let plan = read(little(one, padded).as_bytes(), &before);
    assert_eq!((told(&plan, Code::D105, ""), plan.writes.len()), (1, 1), "{}", french(&plan));
    assert_eq!(plan.report.counts.absent, 0);
}

#[test]
fn zeros_that_came_in_front_make_nobody_twice() {
    let first = read(little(PEOPLE, |n| n.to_string()).as_bytes(), &empty_directory());
    let before = applied(empty_directory(), &first);
    let plan = read(little(PEOPLE, padded).as_bytes(), &before);
    assert_eq!(
        (plan.report.counts.created, plan.report.counts.absent),
        (0, 0),
        "{}",
        french(&plan)
    );
    assert_eq!((told(&plan, Code::D104, "zeros"), plan.report.pending_rows.len()), (10, 10));
    assert!(french(&plan).contains("autres zéros"), "{}", french(&plan));
    // Another name under such a number is somebody new, and so is who comes beside the one with the shorter number.
    let both = little(PEOPLE, |n| n.to_string())
        + "0001;Weber;Karl;13/01/2020;Agent\r\n0002;Petit;Anne;13/01/2020;Agent\r\n";
    let plan = read(both.as_bytes(), &before);
    assert_eq!(
        (told(&plan, Code::D104, "zeros"), plan.report.counts.created),
        (0, 2),
        "{}",
        french(&plan)
    );
}

#[test]
fn the_name_at_birth_stands_in_for_the_name_in_use() {
    let file = "Matricule;Nom de famille;Nom d'usage;Prénom;Date d'entrée\r\n1;Roy;;Max;13/01/2020\r\n2;Petit;Blanc;Anne;13/01/2020\r\n";
    let first = read(file.as_bytes(), &empty_directory());
    assert_eq!(
        (first.report.counts.created, first.report.status),
        (2, ImportStatus::Ok),
        "{}",
        french(&first)
    );
    let before = applied(empty_directory(), &first);
    let names: Vec<&str> =
        before.users.iter().filter_map(|user| user.values.get(Field::LastName)).collect();
    assert_eq!(names, ["Roy", "Blanc"]);
    let again = read(file.replace("Max", "Maxime").as_bytes(), &before);
    assert_eq!(
        (again.report.counts.updated, again.report.status),
        (1, ImportStatus::Ok),
        "{}",
        french(&again)
    );
    assert_eq!(changed(&again), ["first_name"]);
}

#[test]
fn a_key_that_stands_twice_is_told_as_that() {
    let file = "Company Code,File Number,Company Name,Last Name,First Name,Hire Date\r\nX1,7,Acme Ltd,Roy,Max,2020-01-13\r\n";
    let plan = read(file.as_bytes(), &empty_directory());
    assert_eq!(plan.report.status, ImportStatus::Rejected);
    assert_eq!(
        (told(&plan, Code::H104, ""), told(&plan, Code::H101, "")),
        (1, 0),
        "{}",
        french(&plan)
    );
}
