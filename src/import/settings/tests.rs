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
formats = ["json"]
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
    let profile = FieldKey::Known(Field::ProfileTime);
    assert_eq!(settings.default_for(&profile, Some("FR01"), Some("Accounting")), Some("forfait"));
    assert_eq!(settings.default_for(&profile, Some("FR01"), Some("Sales")), Some("35h"));
    assert_eq!(settings.default_for(&profile, Some("FR02"), Some("Accounting")), None);
    let culture = FieldKey::Known(Field::Culture);
    assert_eq!(settings.default_for(&culture, None, None), Some("fr-FR"));
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
fn what_comes_later_is_refused_in_clear_words() {
    for (toml, name) in [
        ("absent = \"end\"", "absent"),
        ("absent = \"hold\"", "absent"),
        ("strict = true", "strict"),
        ("trigger = \"daily 23:30\"", "trigger"),
        ("[guards]\nendings = 5", "guards"),
        ("[report]\nformats = [\"html\"]", "report.formats"),
        ("[report]\nrecipients = [\"a@b.example\"]", "report.recipients"),
    ] {
        refused(toml, &[name, "not available in this version", "write"]);
    }
}
