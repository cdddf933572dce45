//! An export of all, imported into another client, gives the same directory: in every separator, encoding and quoting.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rollcall::export::{Around, ExportSettings, Lines, Sheet};
use rollcall::import::directory::{Key, Snapshot, User, Values};
use rollcall::import::fields::{Field, FieldKey};
use rollcall::import::settings::Settings;
use rollcall::import::standing::Standing;
use rollcall::model::ImportStatus;

use super::super::golden::{TODAY, applied, empty_directory, plan};

/// Values that a directory may hold, with all that is hard in a CSV: separators, quotes, accents, zeros, signs.
fn text(letters: &'static str) -> impl Strategy<Value = String> {
    let of: Vec<char> = letters.chars().collect();
    prop::collection::vec(prop::sample::select(of), 1..9)
        .prop_map(|signs| signs.into_iter().collect::<String>())
        .prop_filter("canonical values are trimmed and not empty", |text| {
            !text.is_empty() && text.trim() == text && !text.contains("  ")
        })
}

type Draft = (String, String, String, Option<String>, Option<String>, Option<String>, usize, bool);

fn draft() -> impl Strategy<Value = Draft> {
    (
        text("ABcdéèœŒçñü' -"),
        text("AbÉïßö'-"),
        prop::sample::select(&["2019-01-06", "2026-11-21", "2027-02-28", "2024-02-29"][..])
            .prop_map(str::to_owned),
        prop::option::of(Just("2099-01-31".to_owned())),
        prop::option::of(text("Compta;,|\"RH &0123é")),
        prop::option::of(prop::sample::select(&["0.8", "1", "0.3333"][..]).prop_map(str::to_owned)),
        0..6_usize,
        any::<bool>(),
    )
}

/// A directory of these people; each has a number, whose zeros must stay, and perhaps a manager.
fn directory(drafts: &[Draft], entities: &[&str]) -> Vec<User> {
    let ids: Vec<i64> = (1..).take(drafts.len()).collect();
    drafts
        .iter()
        .zip(&ids)
        .map(|((last, first, start, end, department, fte, boss, is_led), id)| {
            let mut values = Values::default();
            let mut put = |field, text: &str| values.set(&FieldKey::Known(field), Some(text));
            // The same numbers in both legal entities.
            put(Field::EmployeeNumber, &format!("{:05}", (id + 1) / 2));
            put(Field::LegalEntity, entities[usize::try_from(id % 2).unwrap() % entities.len()]);
            put(Field::Login, &format!("u{id}"));
            put(Field::Email, &format!("u{id}@x.example"));
            put(Field::LastName, last);
            put(Field::FirstName, first);
            put(Field::ContractStart, start);
            put(Field::Roles, "user\nhead of all");
            if let Some(end) = end {
                put(Field::ContractEnd, end);
            }
            if let Some(department) = department {
                put(Field::Department, department);
            }
            if let Some(fte) = fte {
                put(Field::Fte, fte);
            }
            // Upwards only, so that there is no circle.
            if let Some(boss) = ids.get(*boss).filter(|boss| *is_led && *boss < id) {
                put(Field::Manager, &boss.to_string());
            }
            User { id: *id, withdrawn: false, values }
        })
        .collect()
}

fn around(users: &[User]) -> Around {
    let mut numbers: BTreeMap<&str, u32> = BTreeMap::new();
    for user in users {
        *numbers.entry(user.values.get(Field::EmployeeNumber).unwrap()).or_default() += 1;
    }
    let shared = numbers.iter().filter(|(_, n)| **n > 1).map(|(number, _)| (*number).to_owned());
    Around {
        managers: users.iter().map(|user| (user.id, user.values.clone())).collect(),
        shared_numbers: shared.collect(),
        ..Around::default()
    }
}

fn export(users: &[User], toml: &str) -> Vec<u8> {
    let settings = ExportSettings::from_toml(toml).unwrap();
    let sheet = Sheet::new(&settings, Some(Key::LegalEntityAndEmployeeNumber), &[]);
    let around = around(users);
    let mut lines = Lines::begin(sheet, Vec::new()).unwrap();
    for user in users {
        let cells = lines.sheet.cells(user, Standing::of(user, TODAY), &around);
        lines.row(&cells).unwrap();
    }
    lines.finish().unwrap()
}

/// Everybody's values by login, the manager by login.
fn people(users: &[User]) -> BTreeMap<String, BTreeMap<String, String>> {
    let login = |id: &str| {
        let user = users.iter().find(|user| user.id.to_string() == id).unwrap();
        user.values.get(Field::Login).unwrap().to_owned()
    };
    let named = |(key, value): (FieldKey, &str)| match key {
        FieldKey::Known(Field::Manager) => (key.to_string(), login(value)),
        _ => (key.to_string(), value.to_owned()),
    };
    users
        .iter()
        .map(|user| (login(&user.id.to_string()), user.values.all().map(named).collect()))
        .collect()
}

fn imported(bytes: &[u8], encoding: &str) -> (ImportStatus, Snapshot, String) {
    let charset = if encoding.starts_with("utf-8") { "auto" } else { encoding };
    let settings = Settings::from_toml(&format!("encoding = \"{charset}\"")).unwrap();
    let before = empty_directory();
    let plan = plan(bytes, "users.csv", &settings, &before);
    let said = format!("{:?}", plan.report.messages);
    (plan.report.status, applied(before, &plan), said)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn all_of_a_directory_comes_back(
        drafts in prop::collection::vec(draft(), 1..7),
        separator in prop::sample::select(&[";", ",", "tab", "|"][..]),
        encoding in prop::sample::select(&["utf-8", "utf-8-bom", "windows-1252", "iso-8859-15"][..]),
        quotes in prop::sample::select(&["needed", "all"][..]),
        line_end in prop::sample::select(&["crlf", "lf"][..]),
        formulas in prop::sample::select(&["as_is", "text"][..]),
        dates in prop::sample::select(&["YYYY-MM-DD", "YYYYMMDD"][..]),
        two in any::<bool>(),
    ) {
        let entities: &[&str] = if two { &["FR01", "DE01"] } else { &["FR01", "FR02"] };
        let users = directory(&drafts, entities);
        let toml = format!("separator = '{separator}'\nencoding = '{encoding}'\nquotes = '{quotes}'\nline_end = '{line_end}'\nformulas = '{formulas}'\ndates = '{dates}'\n");
        let bytes = export(&users, &toml);
        let (status, after, said) = imported(&bytes, encoding);
        let file = String::from_utf8_lossy(&bytes);
        prop_assert!(status.is_applied(), "{status:?} {toml}{file}{said}");
        prop_assert_eq!(people(&after.users), people(&users), "{}{}{}", toml, file, said);
    }
}

#[test]
fn what_needs_no_quotes_comes_back_without_them() {
    let drafts: Vec<Draft> = [("Roy", "Zoé", 0), ("Œuvré", "Anne", 0), ("Noël", "Max", 1)]
        .into_iter()
        .map(|(last, first, boss)| {
            let text = str::to_owned;
            (text(last), text(first), text("2020-01-06"), None, Some(text("IT")), None, boss, true)
        })
        .collect();
    let users = directory(&drafts, &["FR01", "FR02"]);
    for separator in [";", ",", "tab", "|"] {
        for encoding in ["utf-8", "utf-8-bom", "windows-1252", "iso-8859-15"] {
            let toml =
                format!("separator = '{separator}'\nencoding = '{encoding}'\nquotes = 'never'\n");
            let bytes = export(&users, &toml);
            assert!(!bytes.contains(&b'"'), "{toml}");
            let (_, after, said) = imported(&bytes, encoding);
            assert_eq!(people(&after.users), people(&users), "{toml}{said}");
        }
    }
}
