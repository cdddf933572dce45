use super::*;

fn refused(toml: &str, expected: &[&str]) {
    let error = Settings::from_toml(toml).unwrap_err();
    for part in expected {
        assert!(error.contains(part), "{toml:?} says: {error}");
    }
}

const FULL: &str = r#"
key = "legal_entity+employee_number"
mode = "delta"
dates = "dmy"
required = ["last_name", "first_name"]
unknown_columns = "keep"
final_line_end = "optional"
absent = "end"
absent_after = 3
strict = true
approve_by_file = true
login_pattern = "{f}.{last}"
closed_lists = ["csp", "roles"]
[guards]
endings = { count = 2, percent = 0 }
creations = "off"
fewer_rows = { percent = 40 }
whole_entity = false
[blanks]
department = "clear"
"custom.badge" = "keep"
culture = "default"
[aliases]
"Code agent" = "employee_number"
"Badge \"Nr\"" = "custom.badge"
[value_maps.department]
codes = { "COMPTA" = "Accounting", "R&D" = "Research" }
unmapped = "block"
[value_maps.csp]
codes = { "C" = "Cadre" }
unmapped = "default"
default = "Autre"
[defaults]
culture = "fr-FR"
[[defaults_for]]
legal_entity = "FR01"
values = { profile_time = "35h" }
[[defaults_for]]
legal_entity = "FR01"
department = "Accounting"
values = { profile_time = "forfait" }
[report]
languages = ["fr", "de"]
formats = ["json", "html"]
markers = true
"#;

#[test]
fn what_is_written_is_read_back() {
    for settings in [Settings::default(), Settings::from_toml(FULL).unwrap()] {
        let written = settings.to_toml();
        assert_eq!(Settings::from_toml(&written).unwrap(), settings, "{written}");
        assert_eq!(Settings::from_toml(&written).unwrap().version(), settings.version());
    }
    assert_ne!(Settings::default().version(), Settings::from_toml(FULL).unwrap().version());
}

#[test]
fn the_closest_default_wins() {
    let settings = Settings::from_toml(FULL).unwrap();
    let check = |field, entity, department, expected| {
        let key = FieldKey::Known(field);
        let found = settings.default_for(&key, entity, department, |_, a, b| a == b);
        assert_eq!(found, expected, "{field} {entity:?} {department:?}");
    };
    check(Field::ProfileTime, Some("FR01"), Some("Accounting"), Some("forfait"));
    check(Field::ProfileTime, Some("FR01"), Some("Sales"), Some("35h"));
    check(Field::ProfileTime, Some("FR02"), Some("Accounting"), None);
    check(Field::Culture, None, None, Some("fr-FR"));
}

#[test]
fn a_refusal_names_the_key_and_shows_a_right_example() {
    refused("key = \"name\"", &["key = \"name\"", "\"employee_number\"", "key = \"auto\""]);
    refused("mode = 3", &["mode = 3", "mode = \"full\""]);
    refused("colour = \"red\"", &["\"colour\"", "aliases"]);
    refused("required = [\"nom\"]", &["required", "\"nom\"", "last_name"]);
    refused("[blanks]\nlast_name = \"clear\"", &["blanks.last_name", "keep"]);
    refused("[blanks]\nculture = \"default\"", &["blanks.culture", "[defaults]"]);
    refused("[blanks]\nnom = \"keep\"", &["blanks", "\"nom\"", "department"]);
    refused("[aliases]\n\"X\" = \"number\"", &["aliases.\"X\"", "\"number\""]);
    refused("[value_maps.email]\ncodes = {}", &["value_maps.email", "department"]);
    refused("[value_maps.csp]\nunmapped = \"default\"", &["value_maps.csp.default"]);
    refused("[defaults]\nlogin = \"x\"", &["defaults.login"]);
    refused("[defaults]\ncontract_start = \"x\"", &["defaults.contract_start"]);
    refused("[[defaults_for]]\nvalues = { culture = \"fr-FR\" }", &["defaults_for", "FR01"]);
    refused("[report]\nlanguages = [\"es\"]", &["report.languages", "\"es\"", "\"fr\""]);
    refused("[report]\nformats = []", &["report.formats", "\"csv\""]);
    refused("key = ", &["not TOML"]);
}

#[test]
fn values_of_our_own_are_values_of_their_fields() {
    for (toml, expected) in [
        (
            "[value_maps.gender]\ncodes = { \"1\" = \"zz\" }",
            "value_maps.gender.codes.\"1\" = \"zz\"",
        ),
        (
            "[value_maps.gender]\nunmapped = \"default\"\ndefault = \"zz\"",
            "value_maps.gender.default",
        ),
        ("[defaults]\nculture = \"klingon\"", "write for example \"fr-FR\""),
        (
            "[[defaults_for]]\ndepartment = \"X\"\nvalues = { fte = \"half\" }",
            "defaults_for.values.fte",
        ),
        (
            "[aliases]\n\"Code agent\" = \"job_title\"\n\"CÔDE AGENT\" = \"cost_center\"",
            CONTRADICTING,
        ),
        ("[guards]\nendings = { percent = 200 }", "guards.endings.percent = 200 is not possible"),
        ("[guards]\none_field = { percent = 101 }", "guards.one_field = \"off\""),
        (
            "[guards]\nfewer_rows = { percent = 900 }",
            "write for example guards.fewer_rows.percent = 10",
        ),
    ] {
        let said = Settings::from_toml(toml).unwrap().check_values().unwrap_err();
        assert!(said.contains(expected), "{said}");
    }
    assert_eq!(Settings::from_toml(FULL).unwrap().check_values(), Ok(()));
    // Two spellings of one header are fine where they mean the same, and so are many who come at once.
    let fine = "[aliases]\n\"Code agent\" = \"job_title\"\n\"CODE AGENT\" = \"job_title\"\n\
        [guards]\ncreations = { percent = 300 }\nreopenings = { percent = 150 }";
    assert_eq!(Settings::from_toml(fine).unwrap().check_values(), Ok(()));
}

const CONTRADICTING: &str =
    "aliases.\"CÔDE AGENT\" = \"cost_center\" contradicts aliases.\"Code agent\" = \"job_title\"";

#[test]
fn what_guards_an_import() {
    let settings = Settings::from_toml(FULL).unwrap();
    assert_eq!(settings.absent, Absent::End { after_files: 3 });
    assert!(settings.strict && settings.approve_by_file);
    assert_eq!(settings.login_pattern.as_deref(), Some("{f}.{last}"));
    assert_eq!(settings.closed_lists, BTreeSet::from([Field::Csp, Field::Role]));
    assert_eq!(settings.guards.endings, Some(Limit { count: 2, percent: 0 }));
    assert_eq!(settings.guards.creations, None);
    assert_eq!(settings.guards.fewer_rows, Some(Limit { count: 5, percent: 40 }), "count: default");
    assert_eq!(settings.guards.one_field, Guards::default().one_field);
    assert!(!settings.guards.whole_entity);
    let end = Settings::from_toml("absent = \"end\"").unwrap();
    assert_eq!(end.absent, Absent::End { after_files: 2 });
    assert_eq!(Settings::from_toml("absent = \"hold\"").unwrap().absent, Absent::Hold);
    assert_eq!(Settings::from_toml("login_pattern = \"\"").unwrap(), Settings::default());
}

#[test]
fn what_earlier_versions_stored_is_read() {
    let stored = "key = \"auto\"\nmode = \"full\"\nabsent = \"report\"\ndates = \"auto\"\nfinal_line_end = \"auto\"\n\
        unknown_columns = \"ignore\"\ntrigger = \"upload\"\n[blanks]\n[aliases]\n[defaults]\n\
        [report]\nlanguages = []\nformats = [\"csv\", \"json\"]\nmarkers = false\n";
    assert_eq!(Settings::from_toml(stored).unwrap(), Settings::default());
    assert_eq!(Settings::from_toml("").unwrap(), Settings::default());
}

#[test]
fn what_holds_an_import_is_refused_with_a_right_example() {
    refused("absent = \"never\"", &["absent = \"never\"", "\"hold\"", "absent = \"report\""]);
    refused("absent = true", &["absent = true", "\"end\""]);
    refused("absent = \"end\"\nabsent_after = 0", &["absent_after = 0", "absent_after = 2"]);
    refused("absent_after = 3", &["absent_after = 3", "absent = \"end\""]);
    refused("strict = \"on\"", &["strict = \"on\"", "strict = true"]);
    refused("approve_by_file = 1", &["approve_by_file = 1", "true"]);
    refused("guards = \"off\"", &["guards = \"off\"", "endings = { count = 5, percent = 10 }"]);
    refused("[guards]\nendings = 5", &["guards.endings = 5", "count = 5", "\"off\""]);
    refused("[guards]\nendings = { count = -1 }", &["guards.endings.count = -1", "= 5"]);
    refused("[guards]\nendings = { percent = 2000 }", &["guards.endings.percent = 2000", "= 10"]);
    refused("[guards]\nendings = { share = 2 }", &["guards.endings.share", "percent"]);
    refused("[guards]\nabsences = \"off\"", &["guards.absences", "whole_entity"]);
    refused("[guards]\nwhole_entity = 1", &["guards.whole_entity = 1", "true"]);
    refused("closed_lists = \"csp\"", &["closed_lists = \"csp\"", "department"]);
    refused("closed_lists = [\"email\"]", &["\"email\"", "legal_entity", "closed_lists = ["]);
    refused("login_pattern = \"{name}\"", &["login_pattern", "{name}", "\"{first}.{last}\""]);
    refused("login_pattern = 3", &["login_pattern = 3", "{first}.{last}"]);
    refused("[report]\nformats = [\"pdf\"]", &["report.formats", "pdf", "\"html\""]);
}

mod any {
    use proptest::collection::{btree_map, btree_set, vec};
    use proptest::option;
    use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof, proptest};

    use super::*;

    const CODES: [Field; 6] = [
        Field::Department,
        Field::Csp,
        Field::LegalEntity,
        Field::Roles,
        Field::ContractType,
        Field::Culture,
    ];

    /// Also what TOML must quote.
    fn words() -> impl Strategy<Value = String> {
        "[A-Za-zéß0-9\"'#=.{}\\[\\]\\\\ _-]{0,8}[A-Za-z0-9é\"]"
            .prop_map(|text| crate::import::text::clean_words(&text).trim().to_owned())
            .prop_filter("cells are never blank", |text| !text.is_empty())
    }

    fn coded() -> impl Strategy<Value = FieldKey> {
        prop_oneof![
            (0..CODES.len()).prop_map(|at| FieldKey::Known(CODES[at])),
            "[a-z]{1,6}".prop_map(FieldKey::Custom),
        ]
    }

    fn limit() -> impl Strategy<Value = Option<Limit>> {
        option::of((0..1_000_000_u64, 0..=1000_u32))
            .prop_map(|limit| limit.map(|(count, percent)| Limit { count, percent }))
    }

    fn guards() -> impl Strategy<Value = Guards> {
        (limit(), limit(), limit(), limit(), any::<bool>(), limit()).prop_map(
            |(endings, creations, one_field, fewer_rows, whole_entity, reopenings)| Guards {
                endings,
                creations,
                one_field,
                fewer_rows,
                whole_entity,
                reopenings,
            },
        )
    }

    fn map() -> impl Strategy<Value = ValueMap> {
        let unmapped = prop_oneof![
            Just(Unmapped::Keep),
            Just(Unmapped::Block),
            words().prop_map(Unmapped::Default)
        ];
        (btree_map(words(), words(), 0..4), unmapped)
            .prop_map(|(codes, unmapped)| ValueMap { codes, unmapped })
    }

    fn defaults() -> impl Strategy<Value = Vec<Defaults>> {
        let values = || btree_map(coded(), words(), 1..3);
        let everyone = option::of(values()).prop_map(|values| {
            values.map(|values| Defaults { legal_entity: None, department: None, values })
        });
        let some = (option::of(words()), option::of(words()), words(), values()).prop_map(
            |(entity, department, other, values)| Defaults {
                legal_entity: entity.or_else(|| department.is_none().then_some(other)),
                department,
                values,
            },
        );
        (everyone, vec(some, 0..3))
            .prop_map(|(everyone, some)| everyone.into_iter().chain(some).collect())
    }

    fn absent() -> impl Strategy<Value = Absent> {
        prop_oneof![
            Just(Absent::Report),
            Just(Absent::Hold),
            (1..=366_u32).prop_map(|after_files| Absent::End { after_files })
        ]
    }

    fn settings() -> impl Strategy<Value = Settings> {
        let lists = btree_set((0..crate::import::lists::LISTS.len()).prop_map(list), 0..4);
        let login = option::of(prop_oneof![Just("{first}.{last}"), Just("x-{number}")]);
        let aliases = btree_map(words(), coded(), 0..3);
        let codes = (btree_map(coded(), map(), 0..3), defaults(), aliases, lists);
        let flags = (any::<bool>(), any::<bool>(), login);
        (codes, flags, guards(), absent()).prop_map(
            |((value_maps, defaults, aliases, closed_lists), flags, guards, absent)| Settings {
                value_maps,
                defaults,
                aliases,
                closed_lists,
                strict: flags.0,
                approve_by_file: flags.1,
                login_pattern: flags.2.map(str::to_owned),
                guards,
                absent,
                ..Settings::default()
            },
        )
    }

    fn list(at: usize) -> Field {
        crate::import::lists::LISTS[at]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn any_settings_are_read_back_as_they_were_written(settings in settings()) {
            let written = settings.to_toml();
            assert_eq!(Settings::from_toml(&written), Ok(settings), "{written}");
        }
    }
}
