use std::collections::BTreeMap;

use jiff::civil::Date;

use super::*;
use crate::import::directory::DateOrder;
use crate::import::settings::UnknownColumns;
use crate::import::table::{self, Table, TableLimits};
use crate::import::text::decode;

const LIMITS: TableLimits = TableLimits { max_columns: 200, max_cell_bytes: 10_000 };
const TODAY: Date = Date::constant(2026, 11, 21);

fn table(input: &str) -> Table<'_> {
    table::read(decode(input.as_bytes()).unwrap(), &Headers::default(), &LIMITS).unwrap()
}

/// Each column as `field/how`.
fn matched(input: &str) -> Vec<String> {
    let table = table(input);
    match_columns(&table, &Headers::default())
        .columns
        .iter()
        .map(|column| {
            let how = serde_json::to_value(column.matched_by).unwrap();
            let field = column.field.as_ref().map_or("-".to_owned(), ToString::to_string);
            format!("{field}/{}", how.as_str().unwrap())
        })
        .collect()
}

fn notes(input: &str) -> Vec<(&'static str, String)> {
    let table = table(input);
    match_columns(&table, &Headers::default())
        .notes
        .iter()
        .map(|note| {
            (note.code, note.params.iter().map(|(_, v)| v.as_str()).collect::<Vec<_>>().join("|"))
        })
        .collect()
}

#[test]
fn a_code_beats_a_synonym_and_equals_are_not_read() {
    let input = "Matricule;department;Service;Téléphone;Tél\n1;a;b;c;d\n";
    assert_eq!(
        matched(input),
        ["employee_number/synonym", "department/code", "-/duplicate", "-/duplicate", "-/duplicate"]
    );
    assert_eq!(
        notes(input),
        [
            ("H104", "department|B \"department\", C \"Service\"|B".to_owned()),
            ("H104", "phone|D \"Téléphone\", E \"Tél\"|".to_owned()),
        ]
    );
    // Two columns that say the same are one.
    let input = "Matricule;Date d'entrée;Date début contrat\n1;01/02/2020; 01/02/2020\n2;;\n";
    assert_eq!(
        matched(input),
        ["employee_number/synonym", "contract_start/synonym", "-/duplicate"]
    );
    let columns = "B \"Date d'entrée\", C \"Date début contrat\"";
    assert_eq!(notes(input), [("H104", format!("contract_start|{columns}|B|same"))]);
    let input =
        "Matricule;Date d'entrée;Date début contrat\n1;01/02/2020;01/02/2020\n2;;01/01/2021\n";
    assert_eq!(matched(input), ["employee_number/synonym", "-/duplicate", "-/duplicate"]);
}

#[test]
fn unknown_and_nameless_columns() {
    let input = "Matricule;Nom;Pointure;;\n1;a;43;;\n2;b;38;x;\n";
    assert_eq!(
        matched(input),
        ["employee_number/synonym", "last_name/synonym", "-/unknown", "-/unknown", "-/blank"]
    );
    assert_eq!(notes(input), [("H103", "Pointure".to_owned()), ("H103", String::new())]);
    let table = table(input);
    let keep = Headers::new(&BTreeMap::new(), UnknownColumns::Keep);
    let columns = match_columns(&table, &keep);
    assert_eq!(columns.columns[2].field, Some(FieldKey::Custom("pointure".to_owned())));
}

#[test]
fn numbered_columns() {
    assert_eq!(
        matched(
            "login;habilitedRoles_0;habilitedRoles_1;userAxisValues_2;userAxisValues_1;e_shoe\na;b;c;d;e;f\n"
        ),
        [
            "login/code",
            "roles/code",
            "roles/code",
            "custom.useraxisvalues_2/custom",
            "cost_center/code",
            "custom.e_shoe/custom",
        ]
    );
}

#[test]
fn ambiguous_headers_are_settled_or_told() {
    for (input, index, expected) in [
        ("Matricule;Statut\n1;actif\n2;sorti\n", 1, "status/values"),
        ("Matricule;Statut\n1;Cadre\n2;Non cadre\n", 1, "csp/values"),
        ("Matricule;CSP;Statut\n1;x;présent\n2;x;parti\n", 2, "status/values"),
        ("Matricule;Status;Statut\n1;actif;T2\n2;sorti;T3\n", 2, "csp/neighbours"),
        ("Matricule;Statut\n1;A1\n2;B2\n", 1, "-/ambiguous"),
        ("Établissement;Matricule;Nom\nLyon;1;a\n", 0, "legal_entity/neighbours"),
        ("Société;Matricule;Établissement\nX;1;Lyon\n", 2, "establishment/neighbours"),
        ("Matricule;Nom;Établissement\n1;a;Lyon\n", 2, "-/ambiguous"),
        ("Matricule;Nom;Établissement\n1;a;12345678901234\n", 2, "establishment/values"),
        ("First name;Name\nAnne;Dupont\n", 1, "last_name/neighbours"),
        ("Matricule;Name\n1;Anne Dupont\n", 1, "-/ambiguous"),
        ("ID;Nom;Prénom\n00123;a;b\n00124;c;d\n", 0, "employee_number/values"),
        ("ID;Nom;Prénom\na.dupont;a;b\np.martin;c;d\n", 0, "login/values"),
        ("Matricule;ID\n1;x-1\n2;7\n", 1, "-/ambiguous"),
        ("Vorname;Name\nAnna;Smith, Anna\nPaul;Roy, Paul\n", 1, "-/ambiguous"),
        ("Anrede;Titel\nFrau;Dr.\nHerr;\n", 1, "-/ambiguous"),
        ("Gender;Title\nF;Mrs\nM;Prof. Dr.\n", 1, "-/ambiguous"),
        ("Anrede;Titel\nFrau;Leiterin\nHerr;Koch\n", 1, "job_title/neighbours"),
        ("Actif;Statut\noui;Marié\nnon;Célibataire\n", 1, "-/ambiguous"),
        ("E-Mail;Straße;Nr.;PLZ\na@x.fr;Weg;12;10115\n", 2, "-/ambiguous"),
        ("E-Mail;Numéro;Voie\na@x.fr;12;rue X\n", 1, "-/ambiguous"),
        ("E-Mail;Nr.;Ort\na@x.fr;12;Ulm\n", 1, "employee_number/values"),
        ("Matricule;Nom de famille;Nom d'usage\n1;Roy;Petit\n", 1, "birth_name/neighbours"),
        ("Matricule;Nom de famille;Nom d'usage\n1;Roy;Petit\n", 2, "last_name/synonym"),
        ("Matricule;Nom de famille;Prénom\n1;Roy;Anne\n", 1, "last_name/synonym"),
    ] {
        assert_eq!(matched(input)[index], expected, "{input}");
    }
    let input = "Matricule;Statut\n1;A1\n2;B2\n";
    assert_eq!(notes(input), [("H105", "Statut|csp, status".to_owned())]);
}

#[test]
fn corrections_and_previous_numbers_steer() {
    let table = table("Matricule;Ancien matricule;_code;_message\n1;0;D101;x\n");
    let columns = match_columns(&table, &Headers::default());
    assert!(columns.is_corrections);
    assert_eq!(columns.previous_employee_number, Some(1));
    assert!(columns.notes.is_empty());
}

#[test]
fn cells_too_many_or_too_few() {
    let input =
        "Matricule;Nom;Prénom;Service;Poste\n1;a;b;c;d\n1;a;b;c;d;\n1;a;b;c;d;x\n1;a;b\n1;a\n";
    let table = table(input);
    let columns = match_columns(&table, &Headers::default());
    let needed =
        |key: &FieldKey| matches!(key, FieldKey::Known(Field::EmployeeNumber | Field::FirstName));
    let counts: Vec<CellCount> = table.rows().map(|row| columns.cell_count(&row, needed)).collect();
    assert_eq!(
        counts,
        [
            CellCount::Full,
            CellCount::Full,
            CellCount::TooMany,
            CellCount::MissingOptional(2),
            CellCount::MissingNeeded(FieldKey::Known(Field::FirstName)),
        ]
    );
}

fn proved(dates: &[(&str, &str)], setting: Option<DateOrder>, frozen: Option<DateOrder>) -> Dates {
    let mut input = "Matricule;Date d'entrée;Né le\n".to_owned();
    for (start, birth) in dates {
        input.push_str(&format!("1;{start};{birth}\n"));
    }
    let table = table(&input);
    let columns = match_columns(&table, &Headers::default());
    prove_dates(&table, &columns, setting, frozen, TODAY)
}

#[test]
fn one_order_for_the_file() {
    use DateOrder::{Dmy, Mdy, Ymd};
    let order = |dates: &[(&str, &str)]| proved(dates, None, None).order;
    // Proved by the other column, even by a date that does not exist.
    assert_eq!(order(&[("01/02/2020", "31/12/1980")]), Some(Dmy));
    assert_eq!(order(&[("01/02/2020", "12/31/1980")]), Some(Mdy));
    assert_eq!(order(&[("01/02/2020", "31/02/1980")]), Some(Dmy));
    assert_eq!(order(&[("01/02/2020", "03/04/1980")]), None);
    assert_eq!(order(&[("2020-02-01", "1980-12-31")]), None);
    assert_eq!(order(&[("01/02/20", "98/12/31"), ("05/06/11", "80/01/02")]), Some(Ymd));
    // German dots are never month first.
    assert_eq!(order(&[("01.02.2020", "03.04.1980")]), Some(Dmy));
    assert_eq!(order(&[("01.02.2020", "03/04/1980")]), None);
    // Both orders proved: neither is trusted.
    assert_eq!(order(&[("31/12/2020", "12/31/1980")]), None);
    assert!(proved(&[("01/02/20", "31/12/80")], None, None).depends_on_today);
    assert!(!proved(&[("01/02/2020", "31/12/1980")], None, None).depends_on_today);
}

#[test]
fn a_proof_against_the_settings_or_earlier_files() {
    use DateOrder::{Dmy, Mdy};
    let kept = proved(&[("01/02/2020", "03/04/1980")], None, Some(Dmy));
    assert_eq!((kept.order, kept.proved, kept.contradicts), (Some(Dmy), None, None));
    for (setting, frozen) in [(None, Some(Dmy)), (Some(Dmy), None), (Some(Dmy), Some(Mdy))] {
        let dates = proved(&[("01/02/2020", "12/31/1980")], setting, frozen);
        let proof = dates.contradicts.unwrap();
        assert_eq!((proof.order, proof.line, proof.column), (Mdy, 2, 2));
        assert_eq!(proof.value, "12/31/1980");
    }
}

#[test]
fn letters_of_columns() {
    for (index, expected) in
        [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (52, "BA"), (701, "ZZ"), (702, "AAA")]
    {
        assert_eq!(letter(index), expected);
    }
}

#[test]
fn the_documentation_lists_every_header() {
    let page = include_str!("../../../docs/file-format.md");
    assert!(
        page.contains(&header_table()),
        "docs/file-format.md: replace the table by\n\n{}",
        header_table()
    );
}

/// The table of headers as docs/file-format.md prints it.
fn header_table() -> String {
    let mut table =
        "| Field | Codes | French | English | German |\n|---|---|---|---|---|\n".to_owned();
    for field in Field::ALL {
        let names = names(*field);
        let codes: Vec<String> = names.codes.iter().map(|code| format!("`{code}`")).collect();
        let row = [codes.join(", "), names.fr.join(", "), names.en.join(", "), names.de.join(", ")];
        table.push_str(&format!(
            "| {field} | {} |\n",
            row.map(|cell| cell.replace('|', "\\|")).join(" | ")
        ));
    }
    table
}

#[test]
fn a_day_is_written_as_everybody_writes_it() {
    let last = Date::constant(2100, 12, 31);
    let days = Date::constant(1900, 1, 1).series(jiff::Span::new().days(1));
    for day in days.take_while(|day| *day <= last) {
        assert_eq!(dates::iso(day), day.to_string());
    }
}
