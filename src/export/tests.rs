//! Settings that read back, names, and what a run tells.

use jiff::civil::{Date, date};

use super::*;
use crate::import::directory::{User, Values};
use crate::import::fields::{Field, FieldKey};
use crate::import::standing::Standing;

const TODAY: Date = date(2026, 11, 22);

fn settings(toml: &str) -> ExportSettings {
    ExportSettings::from_toml(toml).unwrap()
}

#[test]
fn settings_read_back_as_they_were_written() {
    let full = "what = 'changed'\ntrigger = 'daily 23:30'\nfile_name = 'c_{date:DD.MM.YY}_{seq:6}.csv'\nsend_empty = true\n\
        users = ['active']\ncolumns = ['employee_number', 'custom.badge', 'custom.*', 'state', 'department']\nheader = false\n\
        separator = 'tab'\nencoding = 'iso-8859-15'\nnot_encodable = 'transliterate'\nquotes = 'all'\nline_end = 'lf'\n\
        dates = 'DD/MM/YYYY'\ndecimal = ','\nmanager = 'name'\nformulas = 'text'\nfewer_rows = 'off'\n\
        encrypt = ['3aa5 c343 7156 7bd2 a1d1 c0f9 a7b9 e6c1 d2e3 f405']\nsign = true\n\
        [only]\nlegal_entity = ['FR01', 'F\"R']\n'custom.site' = ['x']\n\
        [headers]\nemployee_number = 'Matricule'\n'custom.badge' = 'Badge \"1\"'\n\
        [value_maps.department]\ncodes = { 'Compta' = 'C', 'None' = '' }\nunmapped = 'block'\n\
        [value_maps.state]\nunmapped = 'default'\ndefault = ''\n";
    for settings in [ExportSettings::default(), settings(full)] {
        assert_eq!(ExportSettings::from_toml(&settings.to_toml()).unwrap(), settings);
    }
    assert_eq!(settings("").what, What::All);
}

#[test]
fn wrong_settings_are_refused_with_a_right_example() {
    for (toml, place, example) in [
        ("what = 'some'", "what", "\"all\""),
        ("what = 'changed'\nfile_name = 'users.csv'", "file_name", "{seq}"),
        ("what = 'leavers'\nfile_name = '{date}.csv'", "file_name", "leavers_{date}_{seq}.csv"),
        ("file_name = '{day}.csv'", "{day}", "{date}"),
        ("file_name = 'a/{seq}.csv'", "\"/\"", "users_{date}_{seq}.csv"),
        ("file_name = '../x'", "file_name", "users_{date}_{seq}.csv"),
        ("file_name = '{seq'", "\"{\"", "users_{date}_{seq}.csv"),
        ("file_name = '{seq:99}'", "{seq:99}", "users_{date}_{seq}.csv"),
        ("trigger = 'upload'", "trigger", "\"import\""),
        ("trigger = 'daily 25:00'", "daily 25:00", "\"daily 23:30\""),
        ("trigger = 'sometimes'", "sometimes", "\"daily 23:30\""),
        ("columns = ['surname']", "surname", "department"),
        ("columns = ['login', 'login']", "login", "twice"),
        ("columns = ['login', 'email']\n[headers]\nemail = 'Login'", "Login", "[headers]"),
        ("columns = ['login']\n[headers]\nemail = 'Mail'", "email", "columns"),
        ("separator = '#'", "separator", "\";\""),
        ("encoding = 'latin-1'", "encoding", "\"utf-8\""),
        ("dates = 'DD/MM'", "dates", "DD/MM/YYYY"),
        ("dates = 'YYYY-MM-DD-DD'", "dates", "DD/MM/YYYY"),
        ("dates = 'JJ/MM/AAAA'", "\"J\"", "DD/MM/YYYY"),
        ("users = []", "users", "\"active\""),
        ("users = ['withdrawn']", "users", "\"active\""),
        ("encrypt = ['1234']", "1234", "fingerprint"),
        ("sign = true", "sign", "encrypt = ["),
        (
            "zip = true\nencrypt = ['3aa5c3437156 7bd2a1d1c0f9a7b9e6c1d2e3f405']",
            "zip = true",
            "zip = false",
        ),
        ("[only]\nlast_name = ['Roy']", "last_name", "legal_entity = [\"FR01\"]"),
        ("[only]\nlegal_entity = []", "nobody", "[\"FR01\"]"),
        ("[value_maps.last_name]\ncodes = {}", "last_name", "department"),
        ("[value_maps.role]\nunmapped = 'keep'", "value_maps.role.unmapped", "\"use\""),
        ("[value_maps.role]\nunmapped = 'default'", "default", "default = \"OTHER\""),
        ("[value_maps.role]\ndefault = 'x'", "default", "both or neither"),
        ("fewer_rows = { count = -1 }", "fewer_rows", "5"),
        ("colour = 1", "colour", "columns"),
        ("decimal = ','\nseparator = ','\nquotes = 'never'", "decimal", "separator = \";\""),
        ("what = ", "TOML", ""),
    ] {
        let why = ExportSettings::from_toml(toml).unwrap_err();
        assert!(why.contains(place) && why.contains(example), "{toml}: {why}");
    }
}

#[test]
fn files_are_named_by_their_template() {
    let naming = Naming {
        at: date(2026, 11, 2).at(7, 5, 9, 0),
        seq: 42,
        client: "acme",
        export: "badges",
        what: "changed",
    };
    for (template, expected) in [
        ("users_{date}_{seq}.csv", "users_2026-11-02_42.csv"),
        (
            "{client}-{export}-{what}-{date:YYYYMMDD}{time}-{seq:6}.txt",
            "acme-badges-changed-20261102070509-000042.txt",
        ),
        ("{date:DD.MM.YY}", "02.11.26"),
        ("Salariés.csv", "Salariés.csv"),
    ] {
        assert_eq!(FileName::parse(template).unwrap().render(&naming), expected);
    }
    assert_eq!(FileName::default(), FileName::parse("{export}_{date}_{seq}.csv").unwrap());
}

fn user(id: i64, values: &[(Field, &str)]) -> User {
    let mut all = Values::default();
    for (field, value) in values {
        all.set(&FieldKey::Known(*field), Some(value));
    }
    User { id, withdrawn: false, values: all }
}

/// One user's line under these settings, without header.
fn line(toml: &str, user: &User, around: &Around) -> Result<Vec<u8>, String> {
    let settings = settings(&format!("header = false\nline_end = 'lf'\n{toml}"));
    let sheet = Sheet::new(&settings, None, &[]);
    let cells = sheet.cells(user, Standing::of(user, TODAY), around);
    let words = |problem| match problem {
        Problem::Cell(why) => why,
        Problem::Io(error) => error.to_string(),
    };
    let mut lines = Lines::begin(sheet, Vec::new()).map_err(words)?;
    lines.row(&cells).map_err(words)?;
    lines.finish().map_err(|error| error.to_string())
}

#[test]
fn values_are_written_as_the_settings_say() {
    let anne = user(
        1,
        &[
            (Field::EmployeeNumber, "00042"),
            (Field::LastName, "Łęcka-Œuvré"),
            (Field::FirstName, "An\"ne; Zoé"),
            (Field::ContractStart, "2020-01-06"),
            (Field::ContractEnd, "2026-11-21"),
            (Field::Fte, "0.8"),
            (Field::Roles, "user\nmanager"),
            (Field::JobTitle, "=1+1"),
            (Field::Department, "-2+3+cmd|' /C calc'!A0"),
            (Field::Phone, "+33 1 23"),
        ],
    );
    let none = Around::default();
    for (toml, expected) in [
        ("columns = ['employee_number', 'contract_start', 'fte']", "00042;2020-01-06;0.8\n"),
        (
            "columns = ['employee_number', 'contract_start', 'fte']\ndates = 'DD.MM.YYYY'\ndecimal = ','\nquotes = 'all'\nseparator = ','",
            "\"00042\",\"06.01.2020\",\"0,8\"\n",
        ),
        ("columns = ['first_name', 'state']", "\"An\"\"ne; Zoé\";ended\n"),
        ("columns = ['roles']", "user, manager\n"),
        ("columns = ['roles']\nseparator = ','\nquotes = 'never'", "user|manager\n"),
        ("columns = ['roles']\n[value_maps.roles]\ncodes = { user = 'U' }", "U, manager\n"),
        (
            "columns = ['roles']\n[value_maps.roles]\ncodes = { user = '' }\nunmapped = 'default'\ndefault = 'X'",
            "X\n",
        ),
        ("columns = ['job_title', 'phone']", "=1+1;+33 1 23\n"),
        ("columns = ['job_title', 'phone']\nformulas = 'text'", "\"=\"\"=1+1\"\"\";+33 1 23\n"),
        ("columns = ['department']\nformulas = 'text'", "\"=\"\"-2+3+cmd|' /C calc'!A0\"\"\"\n"),
        ("columns = ['state']\n[value_maps.state]\ncodes = { ended = '0' }", "0\n"),
        ("columns = ['email', 'login']", ";\n"),
    ] {
        let written = line(toml, &anne, &none).unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), expected, "{toml}");
    }
}

#[test]
fn letters_that_an_encoding_lacks_are_refused_or_written_as_the_closest() {
    let named = |name: &str| user(1, &[(Field::LastName, name)]);
    let none = Around::default();
    let in_code = |encoding: &str, how: &str, name: &str| {
        let toml =
            format!("columns = ['last_name']\nencoding = '{encoding}'\nnot_encodable = '{how}'");
        line(&toml, &named(name), &none)
    };
    assert_eq!(in_code("windows-1252", "refuse", "Œuvré €").unwrap(), b"\x8cuvr\xe9 \x80\n");
    assert_eq!(in_code("iso-8859-15", "refuse", "Œuvré €").unwrap(), b"\xbcuvr\xe9 \xa4\n");
    let why = in_code("windows-1252", "refuse", "Łęcka").unwrap_err();
    assert!(why.contains("last_name has \"Ł\"") && why.contains("utf-8"), "{why}");
    assert!(!why.contains("cka"), "the value goes to nobody: {why}");
    assert_eq!(in_code("windows-1252", "transliterate", "Łęcka Ő").unwrap(), b"Lecka O\n");
    // A curly quote becomes a straight one, which has to be quoted then.
    assert_eq!(in_code("iso-8859-15", "transliterate", "a“b").unwrap(), b"\"a\"\"b\"\n");
    let why = in_code("windows-1252", "transliterate", "Łу").unwrap_err();
    assert!(why.contains('у') && !why.contains('?'), "{why}");
    let why = line("columns = ['last_name']\nquotes = 'never'", &named("a;b"), &none).unwrap_err();
    assert!(why.contains("last_name") && why.contains("quotes"), "{why}");
    assert!(!why.contains("a;b"), "{why}");
}

#[test]
fn a_manager_is_named_so_that_nobody_else_is_meant() {
    let boss = user(
        7,
        &[
            (Field::EmployeeNumber, "1"),
            (Field::LegalEntity, "FR01"),
            (Field::Login, "boss"),
            (Field::Email, "boss@x.example"),
            (Field::FirstName, "Zoé"),
            (Field::LastName, "Roy"),
        ],
    );
    let mut around = Around { managers: [(7, boss.values)].into(), ..Around::default() };
    let own = user(1, &[(Field::LegalEntity, "FR01"), (Field::Manager, "7")]);
    let other = user(2, &[(Field::LegalEntity, "FR02"), (Field::Manager, "7")]);
    let orphan = user(3, &[(Field::Manager, "99")]);
    let manager = |user: &User, how: &str, around: &Around| {
        let toml = format!("columns = ['manager']\nmanager = '{how}'");
        String::from_utf8(line(&toml, user, around).unwrap()).unwrap().trim().to_owned()
    };
    for (how, expected) in [
        ("auto", "1"),
        ("number", "1"),
        ("login", "boss"),
        ("email", "boss@x.example"),
        ("name", "Zoé Roy"),
    ] {
        assert_eq!(manager(&own, how, &around), expected, "{how}");
    }
    around.shared_numbers.insert("1".to_owned());
    assert_eq!(manager(&own, "auto", &around), "1", "the own legal entity's number is meant first");
    assert_eq!(manager(&other, "auto", &around), "boss");
    around.numbers.insert("boss".to_owned());
    assert_eq!(manager(&other, "auto", &around), "boss@x.example");
    assert_eq!(manager(&orphan, "auto", &around), "");
}

#[test]
fn what_no_map_has_blocks_its_user() {
    let settings = settings(
        "columns = ['department', 'csp']\n[value_maps.department]\ncodes = { A = 'a' }\nunmapped = 'block'",
    );
    let sheet = Sheet::new(&settings, None, &[]);
    let around = Around::default();
    let blocked = |department: &str| {
        let user = user(1, &[(Field::Department, department), (Field::Csp, "x")]);
        sheet.cells(&user, Standing::Active, &around).blocked
    };
    assert_eq!(blocked("A"), []);
    assert_eq!(blocked("B"), [(Column::known(Field::Department), "B".to_owned())]);
}

#[test]
fn equal_rows_have_equal_prints_and_new_columns_change_none() {
    let around = Around::default();
    let print = |toml: &str, values: &[(Field, &str)]| {
        let settings = settings(toml);
        let sheet = Sheet::new(&settings, None, &[]);
        let user = user(1, values);
        sheet.print(&sheet.cells(&user, Standing::Active, &around), &[7; 16])
    };
    let columns = "columns = ['last_name', 'first_name']";
    let anne = [(Field::LastName, "Roy"), (Field::FirstName, "Anne")];
    assert_eq!(
        print(columns, &anne),
        print("columns = ['last_name', 'first_name', 'email']\ndates = 'DD/MM/YYYY'", &anne)
    );
    assert_ne!(print(columns, &anne), print(columns, &[(Field::LastName, "RoyAnne")]));
    assert_ne!(
        print(columns, &anne),
        print(columns, &[(Field::LastName, "Anne"), (Field::FirstName, "Roy")])
    );
}

const UPCOMING: Option<(Standing, u32)> = Some((Standing::Upcoming, 20_261_201));
const ACTIVE: Option<(Standing, u32)> = Some((Standing::Active, 0));
const ENDED: Option<(Standing, u32)> = Some((Standing::Ended, 20_261_120));

/// Whether a run since the 15th tells of a user who was known as `before`.
fn tells(
    what: What,
    before: Option<(Standing, u32)>,
    now: (Standing, u32),
    in_scope: bool,
) -> bool {
    let entry = |(standing, day)| Entry { print: 1, standing, day };
    let last_day = if now.0 == Standing::Ended { now.1 } else { 0 };
    let now = Now { entry: entry(now), in_scope, last_day };
    step(what, before.map(entry), now, 20_261_115).is_sent
}

#[test]
fn leavers_are_told_once_and_corrected() {
    let told =
        |before, now: Option<_>, in_scope| tells(What::Leavers, before, now.unwrap(), in_scope);
    let withdrawn = Some((Standing::Withdrawn, 0));
    let later = Some((Standing::Ended, 20_261_125));
    for (before, now, in_scope, expected, why) in [
        (ACTIVE, ENDED, true, true, "the last day has passed"),
        (None, ENDED, true, true, "came and left unseen"),
        (UPCOMING, ENDED, true, true, "never began"),
        (ENDED, ENDED, true, false, "told before"),
        (ENDED, later, true, true, "the last day was corrected"),
        (ENDED, ACTIVE, true, true, "is back"),
        (ACTIVE, ACTIVE, true, false, "is there"),
        (None, ACTIVE, true, false, "is there"),
        (ACTIVE, withdrawn, true, true, "was taken back"),
        (None, withdrawn, true, false, "nobody heard of this user"),
        (ACTIVE, ACTIVE, false, true, "left what the export speaks of"),
        (None, ENDED, false, false, "never was in it"),
    ] {
        assert_eq!(told(before, now, in_scope), expected, "{why}");
    }
}

#[test]
fn newcomers_are_told_once_and_corrected() {
    let told =
        |before, now: Option<_>, in_scope| tells(What::Newcomers, before, now.unwrap(), in_scope);
    let withdrawn = Some((Standing::Withdrawn, 0));
    let earlier = Some((Standing::Upcoming, 20_261_130));
    let long_ago = Some((Standing::Ended, 20_261_114));
    for (before, now, in_scope, expected, why) in [
        (None, UPCOMING, true, true, "before the contract begins"),
        (None, ACTIVE, true, true, "new"),
        (UPCOMING, ACTIVE, true, false, "told before"),
        (UPCOMING, UPCOMING, true, false, "told before"),
        (UPCOMING, earlier, true, true, "begins on another day"),
        (UPCOMING, withdrawn, true, true, "does not come"),
        (ACTIVE, withdrawn, true, false, "that is for the leavers"),
        (ENDED, ACTIVE, true, true, "is back"),
        (None, ENDED, true, true, "came and left since the last run"),
        (None, long_ago, true, false, "an old leaver, loaded late"),
        (None, ACTIVE, false, false, "not meant"),
        (ACTIVE, ACTIVE, true, false, "known"),
    ] {
        assert_eq!(told(before, now, in_scope), expected, "{why}");
    }
}

#[test]
fn changed_rows_are_told_and_who_leaves_the_scope_once_more() {
    let now = |print, standing, in_scope| Now {
        entry: Entry { print, standing, day: 0 },
        in_scope,
        last_day: 0,
    };
    let before = Some(Entry { print: 1, standing: Standing::Active, day: 0 });
    let told = |before, now| step(What::Changed, before, now, 20_261_115);
    assert!(!told(before, now(1, Standing::Active, true)).is_sent);
    assert!(told(before, now(2, Standing::Active, true)).is_sent);
    assert!(told(None, now(1, Standing::Active, true)).is_sent);
    let out = told(before, now(1, Standing::Active, false));
    assert!(out.is_sent && out.entry.is_none());
    let gone = told(before, now(1, Standing::Withdrawn, true));
    assert!(gone.is_sent && gone.entry.is_none());
    assert!(!told(None, now(1, Standing::Withdrawn, true)).is_sent);
}

#[test]
fn a_contract_that_ends_by_date_alone_is_seen_the_day_after() {
    let anne = user(1, &[(Field::ContractStart, "2020-01-06"), (Field::ContractEnd, "2026-11-22")]);
    assert_eq!(Standing::of(&anne, TODAY), Standing::Active);
    assert_eq!(Standing::of(&anne, date(2026, 11, 23)), Standing::Ended);
    let now = Now::of(&anne, date(2026, 11, 23), 1, true);
    assert_eq!((now.entry.day, now.last_day), (20_261_122, 20_261_122));
}

#[test]
fn what_was_told_is_packed_and_damage_is_seen() {
    let mut told = Told::nobody([9; 16], TODAY);
    for (at, id) in [1, 2, 300, 70_000, i64::MAX].into_iter().enumerate() {
        let (_, standing) = Standing::NAMED[at % 4];
        let print = u64::MAX / (u64::try_from(at).unwrap() + 1);
        told.entries.insert(id, Entry { print, standing, day: 20_261_122 });
    }
    let bytes = told.pack();
    assert_eq!(Told::unpack(&bytes), Some(told.clone()));
    let nobody = Told::nobody([0; 16], TODAY);
    assert_eq!(Told::unpack(&nobody.pack()), Some(nobody));
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        assert_eq!(Told::unpack(&damaged), None, "byte {at}");
        assert_eq!(Told::unpack(&bytes[..at]), None, "cut at {at}");
    }
}
