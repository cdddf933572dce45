//! What a file does to a directory, case by case, without a server.

use rollcall::import::codes::{Code, Effect};
use rollcall::import::directory::Snapshot;
use rollcall::import::fields::{Field, FieldKey};
use rollcall::import::report::{self, Message};
use rollcall::import::settings::Settings;
use rollcall::import::{self, Plan};
use rollcall::model::{ImportStatus, Language};

use super::golden::{applied, empty_directory, plan};

const HEADER: &str = "legalEntity;ID number;lastName;firstName;mail;dtContractStart;dtContractEnd;department;manager";

/// Three people: Anne at the top, Paul below her, Zoé gone since June.
const TEAM: &[&str] = &[
    "FR01;00001;Dupont;Anne;anne@x.example;15/01/2010;;Direction;00001",
    "FR01;00002;Martin;Paul;paul@x.example;16/02/2015;;Paie;00001",
    "FR01;00003;Noël;Zoé;zoe@x.example;17/03/2016;30/06/2026;Paie;00002",
];

fn file(header: &str, rows: &[&str]) -> String {
    let mut text = format!("{header}\r\n");
    for row in rows {
        text.push_str(row);
        text.push_str("\r\n");
    }
    text
}

fn with(settings: &str, text: &str, before: &Snapshot) -> Plan {
    plan(text.as_bytes(), "users.csv", &Settings::from_toml(settings).unwrap(), before)
}

fn team() -> Snapshot {
    let first = with("", &file(HEADER, TEAM), &empty_directory());
    assert_eq!(first.report.counts.created, 3);
    applied(empty_directory(), &first)
}

fn codes(plan: &Plan) -> Vec<&'static str> {
    plan.report.messages.iter().map(|m| m.code.name()).filter(|name| *name != "N001").collect()
}

fn message(plan: &Plan, code: Code) -> &Message {
    plan.report.messages.iter().find(|message| message.code == code).unwrap()
}

fn value(directory: &Snapshot, number: &str, field: Field) -> Option<String> {
    let mut numbered =
        directory.users.iter().filter(|u| u.values.get(Field::EmployeeNumber) == Some(number));
    let value = numbered.next().map(|user| user.values.get(field).map(str::to_owned));
    assert!(value.is_some(), "nobody has the number {number}");
    value.flatten()
}

#[test]
fn a_file_cut_inside_its_last_cell_changes_nothing() {
    let text = file(HEADER, TEAM).replace(";Direction;", ";Board;");
    let cut = &text[..text.len() - 4];
    let plan = with("", cut, &team());
    assert_eq!(plan.report.status, ImportStatus::Held);
    assert_eq!(codes(&plan)[0], "F005");
    assert!(plan.writes.is_empty() && plan.source.is_none());
    assert_eq!(plan.report.counts.held, plan.report.counts.rows);
    // A sender who never writes the last line end can be told so.
    let taken = with("final_line_end = \"optional\"", text.trim_end(), &team());
    assert!(taken.report.status.is_applied());
}

#[test]
fn a_frozen_key_is_never_replaced_by_something_weaker() {
    let text =
        file("mail;lastName;firstName;dtContractStart", &["anne@x.example;Dupont;Anne;15/01/2010"]);
    let plan = with("", &text, &team());
    assert_eq!(plan.report.status, ImportStatus::Rejected);
    assert_eq!(codes(&plan), ["H101"]);
    assert_eq!(message(&plan, Code::H101).why, "frozen");
}

#[test]
fn dates_in_another_order_than_before_reject_the_file() {
    let rows = ["FR01;00001;Dupont;Anne;anne@x.example;01/15/2010;;Direction;00001"];
    let plan = with("", &file(HEADER, &rows), &team());
    assert_eq!(plan.report.status, ImportStatus::Rejected);
    assert_eq!(codes(&plan), ["V303"]);
}

#[test]
fn numbers_that_lost_their_zeros_are_refused_as_one_message_and_nobody_is_absent() {
    let rows: Vec<String> =
        TEAM.iter().map(|row| row.replace(";0000", ";").replace(";00001", ";1")).collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let mut all = rows[..2].to_vec();
    all.push("FR01;00004;Petit;Lou;lou@x.example;17/03/2020;;Paie;00001");
    let plan = with("", &file(HEADER, &all), &team());
    assert_eq!(plan.report.status, ImportStatus::Partial);
    assert_eq!((plan.report.counts.rejected, plan.report.counts.created), (2, 1));
    assert_eq!(plan.report.counts.absent, 0);
    let told = message(&plan, Code::V309);
    assert_eq!((told.count, told.lines.as_slice()), (2, [2, 3].as_slice()));
    assert_eq!(plan.report.refused_rows.len(), 2);
}

#[test]
fn a_number_without_its_zeros_beside_the_whole_one_is_refused_on_the_first_day_too() {
    let twins = ["FR01;0007;Roy;Léo;;15/01/2020;;;", "FR01;7;Roy;Max;;15/01/2020;;;"];
    let header = HEADER.replace("mail", "job title");
    let first = with("", &file(&header, &twins), &empty_directory());
    assert_eq!((first.report.counts.created, first.report.counts.rejected), (1, 1));
    assert_eq!(message(&first, Code::V309).params["known"], "0007");
    let again = with("", &file(&header, &twins), &applied(empty_directory(), &first));
    assert_eq!((again.report.counts.unchanged, again.report.counts.rejected), (1, 1));
}

#[test]
fn a_manager_s_number_without_its_zeros_is_told_with_whom_it_means_and_where() {
    let boss = "FR01;00007;Roy;Léo;leo@x.example;15/01/2020;;;00007";
    let late = "FR01;00009;Petit;Lou;lou@x.example;17/03/2020;;;7";
    let first = with("", &file(HEADER, &[boss, late]), &empty_directory());
    let told = message(&first, Code::V309);
    let named = |told: &Message| {
        (told.why.clone(), told.params["known"].clone(), told.params["user"].clone())
    };
    let expected = |why: &str| (why.to_owned(), "00007".to_owned(), "ROY Léo".to_owned());
    assert_eq!((named(told), told.line), (expected("manager_zeros_in_file"), Some(3)));
    assert_eq!((first.report.counts.created, first.report.counts.cells_refused), (2, 1));
    let known = applied(empty_directory(), &first);
    let again = with("", &file(HEADER, &[late, boss]), &known);
    assert_eq!(named(message(&again, Code::V309)), expected("manager_zeros"));
}

#[test]
fn lists_with_borders_and_drawn_lines_are_read_without_them() {
    let sap = "Personnel  22.11.2026\r\n\r\n-----------------------------------------\r\n\
        |Matricule |Nom     |Prénom |Date d'entrée|\r\n-----------------------------------------\r\n\
        |00001     |Dupont  |Anne   |15/01/2010   |\r\n|00002     |Martin  |Paul   |16/02/2015   |\r\n\
        -----------------------------------------\r\n";
    let psql = " matricule |  nom   | prénom | date_entree\n-----------+--------+--------+------------\n \
        00001     | Dupont | Anne   | 2010-01-15\n 00002     | Martin | Paul   | 2015-02-16\n(2 rows)\n\n";
    let mysql = "+-----------+--------+--------+-------------+\n| matricule | nom    | prenom | date_entree |\n\
        +-----------+--------+--------+-------------+\n| 00001     | Dupont | Anne   | 2010-01-15  |\n\
        | 00002     | Martin | Paul   | 2015-02-16  |\n+-----------+--------+--------+-------------+\n\
        2 rows in set (0.00 sec)\n";
    let sqlcmd = "matricule;nom;prenom;date_entree\r\n---------;------;------;-----------\r\n\
        00001;Dupont;Anne;2010-01-15\r\n00002;Martin;Paul;2015-02-16\r\n\r\n(2 rows affected)\r\n";
    let indented = "\tmatricule\tnom\tprenom\tdate_entree\n\n\t00001\tDupont\tAnne\t2010-01-15\n\
        \t00002\tMartin\tPaul\t2015-02-16\n";
    for text in [sap, psql, mysql, sqlcmd, indented] {
        let plan = with("", text, &empty_directory());
        let counts = &plan.report.counts;
        assert_eq!((counts.created, counts.rows), (2, 2), "{text}\n{:#?}", plan.report.messages);
        let directory = applied(empty_directory(), &plan);
        assert_eq!(value(&directory, "00001", Field::FirstName).as_deref(), Some("Anne"));
        let start = value(&directory, "00002", Field::ContractStart);
        assert_eq!(start.as_deref(), Some("2015-02-16"), "{text}");
    }
    // A line that is drawn below the last row is no row that was cut, and dashes for one missing value are none.
    let text = format!(
        "{}\r\n---------\r\n;;---",
        sqlcmd.trim_end_matches("\r\n\r\n(2 rows affected)\r\n")
    );
    assert_eq!(with("", &text, &empty_directory()).report.counts.rows, 2);
    let text = "matricule;nom;prenom;date_entree\n00001;---;---;2010-01-15\n";
    assert_eq!(with("", text, &empty_directory()).report.counts.rows, 1);
}

#[test]
fn a_corrections_file_is_known_by_its_head_wherever_that_ends() {
    let row = "00001;Dupont;Hélène;V301;Prénom\r\n".repeat(40);
    for (header, is_delta) in [
        ("ID number;lastName;firstName;_code;_message", true),
        ("ID number;lastName;firstName;a;b", false),
    ] {
        let text = format!("{header}\r\n{row}");
        let inside = text.rfind('é').unwrap() + 1;
        for end in [inside, inside - 1, text.len()] {
            let head = &text.as_bytes()[..end];
            assert_eq!(
                import::is_delta_file(head, &Settings::default()),
                is_delta,
                "{header}, {end}"
            );
        }
    }
}

#[test]
fn two_people_may_swap_their_addresses_but_none_may_take_anothers() {
    let swapped = [
        "FR01;00001;Dupont;Anne;paul@x.example;15/01/2010;;Direction;00001",
        "FR01;00002;Martin;Paul;anne@x.example;16/02/2015;;Paie;00001",
        TEAM[2],
    ];
    let plan = with("", &file(HEADER, &swapped), &team());
    assert_eq!(plan.report.counts.updated, 2, "{:?}", plan.report.messages);
    let taken = "FR01;00009;Durand;Luc;ANNE@x.example;15/01/2020;;Paie;";
    let plan = with("", &file(HEADER, &[TEAM[0], TEAM[1], TEAM[2], taken]), &team());
    assert_eq!(plan.report.counts.rejected, 1);
    assert_eq!(message(&plan, Code::D106).params["owner"], "DUPONT Anne");
    // If her number is not in the file, she may be the same person under a new one: she is not absent either.
    let plan = with("", &file(HEADER, &[taken, TEAM[1], TEAM[2]]), &team());
    assert_eq!((plan.report.counts.rejected, plan.report.counts.absent), (1, 0));
    assert_eq!(message(&plan, Code::D104).params["user"], "DUPONT Anne");
    // Two new people cannot have one address either; both rows are named.
    let twins = [taken, "FR01;00010;Durand;Léa;anne@x.example;15/01/2020;;Paie;"];
    let plan = with("", &file(HEADER, &twins), &empty_directory());
    assert_eq!(codes(&plan), ["D106", "D106"]);
    let told = message(&plan, Code::D106);
    assert_eq!((told.line, told.params["other_lines"].as_str()), (Some(2), "3"));
}

#[test]
fn a_circle_of_managers_is_refused_and_shown() {
    let rows =
        ["FR01;00001;Dupont;Anne;anne@x.example;15/01/2010;;Direction;00002", TEAM[1], TEAM[2]];
    let plan = with("", &file(HEADER, &rows), &team());
    let told = message(&plan, Code::X204);
    assert_eq!(told.params["path"], "DUPONT Anne → MARTIN Paul → DUPONT Anne");
    assert_eq!(told.effect, Effect::CellRefused);
    assert!(plan.writes.is_empty());
}

#[test]
fn a_manager_who_has_left_is_told_every_time() {
    let lou = "FR01;00004;Petit;Lou;lou@x.example;17/03/2020;;Paie;00003";
    let rows = [TEAM[0], TEAM[1], TEAM[2], lou];
    let first = with("", &file(HEADER, &rows), &team());
    assert_eq!(message(&first, Code::X203).params["manager"], "NOËL Zoé");
    assert_eq!(first.report.counts.created, 1);
    let again = with("", &file(HEADER, &rows), &applied(team(), &first));
    assert_eq!(message(&again, Code::X203).line, Some(5));
    assert!(again.writes.is_empty());
}

#[test]
fn who_comes_back_keeps_their_record() {
    let rows = [TEAM[0], TEAM[1], "FR01;00003;Noël;Zoé;zoe@x.example;02/11/2026;;Paie;00001"];
    let plan = with("", &file(HEADER, &rows), &team());
    assert_eq!(plan.report.counts.reinstated, 1);
    assert!(codes(&plan).contains(&"C404"));
    let after = applied(team(), &plan);
    assert_eq!(after.users.len(), 3);
    assert_eq!(value(&after, "00003", Field::ContractEnd), None);
    // A blank alone lifts no past end.
    let rows = [TEAM[0], TEAM[1], "FR01;00003;Noël;Zoé;zoe@x.example;17/03/2016;;Paie;00002"];
    let plan = with("", &file(HEADER, &rows), &team());
    assert!(plan.writes.is_empty());
    assert_eq!(message(&plan, Code::C407).why, "blank_end");
}

#[test]
fn absent_people_are_told_and_kept_in_full_mode_only() {
    let rows = [TEAM[0]];
    let plan = with("", &file(HEADER, &rows), &team());
    // Zoé left in June: nobody misses her.
    assert_eq!(plan.report.counts.absent, 1);
    assert_eq!(message(&plan, Code::A501).person, "MARTIN Paul");
    assert!(plan.writes.is_empty());
    assert_eq!(plan.listed, Some(vec![1]));
    let plan = with("mode = \"delta\"", &file(HEADER, &rows), &team());
    assert_eq!(plan.report.counts.absent, 0);
    assert_eq!(plan.listed, None);
    let mut elsewhere = team();
    elsewhere.listed_elsewhere.insert(2);
    assert_eq!(with("", &file(HEADER, &rows), &elsewhere).report.counts.absent, 0);
}

#[test]
fn maps_defaults_and_blanks_do_what_the_settings_say() {
    let settings = "
        [blanks]
        department = \"clear\"
        [value_maps.department]
        codes = { \"paie\" = \"Payroll\" }
        unmapped = \"block\"
        [defaults]
        culture = \"fr-FR\"
        [[defaults_for]]
        department = \"Payroll\"
        values = { role = \"payroll clerk\" }";
    let rows = [
        TEAM[0],
        "FR01;00002;Martin;Paul;paul@x.example;16/02/2015;;;00001",
        TEAM[2],
        "FR01;00004;Petit;Lou;lou@x.example;17/03/2020;;PAIE;00001",
    ];
    let plan = with(settings, &file(HEADER, &rows), &team());
    let after = applied(team(), &plan);
    assert_eq!(message(&plan, Code::X206).why, "blocked");
    assert_eq!(value(&after, "00001", Field::Department).as_deref(), Some("Direction"));
    assert_eq!(value(&after, "00002", Field::Department), None);
    assert_eq!(value(&after, "00003", Field::Department).as_deref(), Some("Payroll"));
    assert_eq!(value(&after, "00004", Field::Department).as_deref(), Some("Payroll"));
    assert_eq!(value(&after, "00004", Field::Culture).as_deref(), Some("fr-FR"));
    assert_eq!(value(&after, "00004", Field::Role).as_deref(), Some("payroll clerk"));
    // Defaults are for new people only.
    assert_eq!(value(&after, "00002", Field::Culture), None);
    assert!(codes(&plan).contains(&"V310") && codes(&plan).contains(&"V311"));
}

#[test]
fn a_column_that_vanished_is_told_once_and_clears_nothing() {
    let header = HEADER.replace(";department", "");
    let rows: Vec<String> =
        TEAM.iter().map(|row| row.replace(";Direction", "").replace(";Paie", "")).collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let text = file(&header, &rows);
    let plan = with("", &text, &team());
    assert_eq!(codes(&plan), ["H106"]);
    assert!(plan.writes.is_empty());
    let again = with("", &text, &applied(team(), &plan));
    assert!(codes(&again).is_empty());
}

#[test]
fn formulas_are_disarmed_and_births_are_masked() {
    let header = HEADER.replace("department", "dtBirth");
    let rows = ["FR01;00001;=cmd|'/c calc'!A0;Anne;nobody;15/01/2010;;31/02/1980;@SUM(A1)"];
    let plan = with("required = [\"email\"]", &file(&header, &rows), &empty_directory());
    for language in Language::ALL {
        let csv = String::from_utf8(report::csv(&plan.report, language)).unwrap();
        let json = String::from_utf8(report::json(&plan.report, language)).unwrap();
        assert!(csv.starts_with('\u{feff}') && csv.ends_with("\r\n"));
        assert!(!csv.contains(";\"=") && !csv.contains(";\"@"), "{csv}");
        assert!(!csv.contains("31/02/1980") && !json.contains("31/02/1980"), "{csv}");
    }
    let corrections = report::corrections(&plan.report, Language::En).unwrap();
    assert!(String::from_utf8(corrections).unwrap().contains("31/02/1980"));
}

#[test]
fn every_field_is_found_again_under_its_own_name_in_each_language() {
    let mut lost = Vec::new();
    for language in Language::ALL {
        for field in Field::ALL {
            let key = FieldKey::Known(*field);
            let header = report::field_words(&key, language);
            let text = format!(
                "login;{header};lastName;firstName;dtContractStart\r\nx;;A;B;15/01/2020\r\n"
            );
            let plan = with("", &text, &empty_directory());
            let column = &plan.report.columns[1];
            let found = column.field == Some(key.clone()) || column.matched_by == "ambiguous";
            let doubled = matches!(
                field,
                Field::Login | Field::LastName | Field::FirstName | Field::ContractStart
            );
            if !found && !doubled {
                lost.push(format!("{header} ({field}): {column:?}"));
            }
        }
    }
    assert!(lost.is_empty(), "{lost:#?}");
}

#[test]
fn every_message_of_the_catalogue_has_words_in_each_language() {
    for entry in import::codes::entries() {
        for language in Language::ALL {
            assert!(!entry.text.get(language).is_empty(), "{} {}", entry.code, entry.why);
            assert_eq!(
                entry.cure.en.is_empty(),
                entry.cure.get(language).is_empty(),
                "{} {}",
                entry.code,
                entry.why
            );
        }
    }
    for code in Code::ALL {
        assert!(import::codes::entries().any(|entry| entry.code == *code), "{code} has no text");
    }
}
