//! Files that were joined, written twice or saved anew on their way: nothing is read by the wrong names, and the report
//! says what happened.

use rollcall::import::codes::{Code, Level};
use rollcall::import::fields::{Field, FieldKey};
use rollcall::import::settings::Settings;
use rollcall::import::{Plan, report};
use rollcall::model::{ImportStatus, Language};

use super::golden::{applied, empty_directory, plan};

const HEADER: &str = "legalEntity;employeenumber;lastName;firstName;mail;dtContractStart";

fn rows(numbers: std::ops::Range<u32>) -> String {
    let row = |n: u32| format!("FR01;{n:05};Nom{n};Prénom{n};p{n}@acme.example;2020-01-02\r\n");
    numbers.map(row).collect()
}

fn roster(numbers: std::ops::Range<u32>) -> String {
    format!("{HEADER}\r\n{}", rows(numbers))
}

#[track_caller]
fn planned(text: &str) -> Plan {
    plan(text.as_bytes(), "users.csv", &Settings::default(), &empty_directory())
}

fn codes(plan: &Plan) -> Vec<Code> {
    let told = plan.report.messages.iter().map(|message| message.code);
    told.filter(|code| !matches!(code, Code::N001 | Code::X206)).collect()
}

fn words(plan: &Plan, language: Language) -> String {
    String::from_utf8(report::csv(&plan.report, language)).unwrap()
}

fn last_names(plan: &Plan) -> Vec<String> {
    let users = applied(empty_directory(), plan).users;
    users.iter().map(|user| user.values.get(Field::LastName).unwrap().to_owned()).collect()
}

#[test]
fn two_exports_with_the_same_columns_are_one_file() {
    for second in [
        HEADER.to_owned(),
        HEADER.to_uppercase(),
        format!("\u{FEFF}{HEADER}"),
        format!("\"{}\"", HEADER.replace(';', "\";\"")),
        "Entité juridique;Matricule;Nom;Prénom;E-mail;Date d'entrée".to_owned(),
        "\r\n".to_owned() + HEADER,
    ] {
        let plan = planned(&format!("{}{second}\r\n{}", roster(1..6), rows(6..11)));
        assert_eq!(plan.report.status, ImportStatus::Ok, "{second}: {:?}", codes(&plan));
        assert_eq!(plan.report.counts.created, 10, "{second}");
        assert!(codes(&plan).contains(&Code::R104), "{second}");
    }
}

#[test]
fn a_line_of_names_below_the_codes_is_no_row() {
    let names = "Société;Matricule;Nom;Prénom;Courriel;Date d'embauche";
    let plan = planned(&format!("{HEADER}\r\n{names}\r\n{}", rows(1..4)));
    assert_eq!((plan.report.status, plan.report.counts.rows), (ImportStatus::Ok, 3));
}

#[test]
fn two_exports_with_other_columns_are_refused_whole() {
    for second in [
        "legalEntity;employeenumber;firstName;lastName;mail;dtContractStart",
        "Matricule;Nom;Prénom;E-mail",
        "legalEntity;employeenumber;lastName;firstName;mail;dtContractEnd",
        "Entité;Matricule;Nom;Prénom;E-mail;Date d'entrée;Service",
    ] {
        let plan = planned(&format!("{}{second}\r\n{}", roster(1..6), rows(6..11)));
        assert_eq!(plan.report.status, ImportStatus::Rejected, "{second}");
        assert!(plan.writes.is_empty());
        let told = plan.report.messages.iter().find(|message| message.code == Code::F003).unwrap();
        assert_eq!((told.line, told.level), (Some(7), Level::Fatal));
        for (language, said) in [
            (Language::En, "Line 7 is a second header"),
            (Language::Fr, "La ligne 7 est un second en-tête"),
            (Language::De, "Zeile 7 ist eine zweite Kopfzeile"),
        ] {
            let text = words(&plan, language);
            assert!(text.contains(&format!("\"{said}")), "{text}");
        }
    }
}

#[test]
fn people_who_are_called_like_columns_are_rows() {
    let text =
        format!("{}Service;Direction;Nom;Prénom;mail@acme.example;2020-01-02\r\n", roster(1..3));
    let plan = planned(&text);
    assert_eq!((plan.report.counts.rows, plan.report.counts.created), (3, 3));
}

#[test]
fn lines_in_quotes_as_one_cell_are_read_and_told() {
    let comma = roster(1..9).replace(';', ",").replace("Nom3", "\"Nom3, veuve Roy\"");
    let whole: String =
        comma.lines().map(|line| format!("\"{}\"\r\n", line.replace('"', "\"\""))).collect();
    let with_quotes = |line: &str| match line.contains('"') {
        true => format!("\"{}\"\r\n", line.replace('"', "\"\"")),
        false => format!("{line}\r\n"),
    };
    let some: String = comma.lines().map(with_quotes).collect();
    let padded = whole.replace("\r\n", ";;;\r\n");
    let expected = last_names(&planned(&comma));
    assert!(expected.contains(&"Nom3, veuve Roy".to_owned()));
    for (text, lines) in [(&whole, 9), (&some, 1), (&padded, 9)] {
        let plan = planned(text);
        assert_eq!(plan.report.status, ImportStatus::OkWithWarnings, "{:?}", codes(&plan));
        assert_eq!(last_names(&plan), expected);
        let told = plan.report.messages.iter().find(|message| message.code == Code::R103).unwrap();
        assert_eq!((told.count, told.level), (lines, Level::Warning));
        let after = applied(empty_directory(), &plan);
        let again = super::golden::plan(text.as_bytes(), "users.csv", &Settings::default(), &after);
        assert!(again.writes.is_empty() && again.report.counts.unchanged == 8);
    }
}

#[test]
fn an_export_that_was_written_twice_is_told_once() {
    let plan = planned(&format!("{}{}", roster(1..401), rows(1..401)));
    assert_eq!((plan.report.counts.created, plan.report.counts.ignored), (400, 400));
    let told: Vec<_> =
        plan.report.messages.iter().filter(|message| message.code == Code::D102).collect();
    assert_eq!((told.len(), told[0].count, told[0].lines.len()), (1, 400, 20));
    assert!(words(&plan, Language::En).contains("\"400 rows name people"));
    // A few are named one by one.
    let plan = planned(&format!("{}{}", roster(1..401), rows(1..4)));
    let told = plan.report.messages.iter().filter(|message| message.code == Code::D102);
    assert_eq!(told.map(|message| message.count).collect::<Vec<_>>(), [1, 1, 1]);
}

#[test]
fn a_line_end_that_lost_its_last_byte_is_not_whole() {
    let whole = roster(1..9);
    let after = applied(empty_directory(), &planned(&whole));
    let cut = roster(1..8);
    let settings = Settings::default();
    let plan = plan(cut.trim_end_matches('\n').as_bytes(), "users.csv", &settings, &after);
    assert_eq!(plan.report.status, ImportStatus::Held);
    assert!(codes(&plan).contains(&Code::F005));
}

#[test]
fn an_alias_that_cannot_count_is_told() {
    let settings =
        Settings::from_toml("[aliases]\nlogin = \"job_title\"\nPoste = \"job_title\"").unwrap();
    let text = "employeenumber;lastName;firstName;dtContractStart;login;Poste\n1;Roy;Anne;2020-01-02;aroy;Chef\n";
    let plan = plan(text.as_bytes(), "users.csv", &settings, &empty_directory());
    let told = plan.report.messages.iter().find(|message| message.code == Code::H105).unwrap();
    assert_eq!((told.why.as_str(), told.cell.as_str(), told.level), ("alias", "E", Level::Warning));
    assert_eq!(told.field, Some(FieldKey::Known(Field::Login)));
    let text = words(&plan, Language::De);
    assert!(text.contains("„login“ ist einer unserer eigenen Namen"), "{text}");
    assert!(text.contains("für „Stelle“"), "{text}");
    let users = applied(empty_directory(), &plan).users;
    assert_eq!(users[0].values.get(Field::Login), Some("aroy"));
    assert_eq!(users[0].values.get(Field::JobTitle), Some("Chef"));
}

#[test]
fn a_file_that_ends_with_the_spreadsheet_is_told() {
    let settings = Settings::from_toml("[guards]\ncreations = \"off\"").unwrap();
    for (rows, told) in [(65_535, true), (65_534, false)] {
        let text = roster(1..rows + 1);
        let plan = plan(text.as_bytes(), "users.csv", &settings, &empty_directory());
        assert_eq!(plan.report.counts.created, u64::from(rows));
        assert_eq!(codes(&plan).contains(&Code::F005), told);
    }
}

#[test]
fn a_file_without_names_says_so() {
    let plan =
        planned("FR01;00001;DUPONT;Anne;2020-01-01\r\nFR01;00002;MARTIN;Paul;2020-01-01\r\n");
    assert_eq!(plan.report.status, ImportStatus::Rejected);
    assert!(words(&plan, Language::Fr).contains("Le fichier n’a pas de ligne d’en-tête"));
    let plan = planned("#;Matricule;Nom\r\n1;00001;DUPONT\r\n");
    assert!(words(&plan, Language::Fr).contains("Les premières colonnes (#, Matricule)"));
}
