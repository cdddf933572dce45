//! A user changed by hand, where every value comes from, and exports in the layout of the folder's own files.

use serde_json::Value;

use super::cli::Workplace;

const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/samples");

/// A client `acme` with an import folder `import`.
fn workplace() -> Workplace {
    let place = Workplace::new();
    place.ok(&["client", "add", "acme", "--time-zone", "Europe/Paris"]);
    place.ok(&["account", "add", "acme", "Payroll", "--login", "acme"]);
    place
}

fn import(place: &Workplace, name: &str, text: &str) -> Value {
    std::fs::write(place.path(name), text).unwrap();
    place.json(&["import", "acme", name])
}

const ROSTER: &str = "legalEntity;employeeNumber;lastName;firstName;mail;dtContractStart;department;manager\n\
    FR01;00001;Roy;Zoé;zoe@x.example;13/01/2020;Sales;\n\
    FR01;00002;Kim;Lea;lea@x.example;01/02/2020;Sales;00001\n";

#[test]
fn a_value_given_by_hand_says_so() {
    let place = workplace();
    import(&place, "users.csv", ROSTER);
    let words = ["users", "set", "acme", "00002", "department=IT", "contract_end=31/12/2027"];
    let said = place.ok(&words);
    assert!(said.contains("Changed for Lea Kim: contract_end, department."), "{said}");
    assert!(said.contains("\"IT\" is new in the list of department"), "{said}");
    assert!(place.ok(&words).contains("Nothing to change"));
    let shown = place.json(&["users", "show", "acme", "00002"]);
    assert_eq!(
        (&shown["department"], &shown["contract_end"]),
        (&"IT".into(), &"2027-12-31".into())
    );
    let origin = |field: &str| {
        let all = shown["origins"].as_array().unwrap();
        all.iter().find(|origin| origin["field"] == field).unwrap().clone()
    };
    let by_hand = origin("department");
    assert_eq!((&by_hand["by"], &by_hand["who"]), (&"edit".into(), &"cli".into()));
    let from_file = origin("email");
    assert_eq!(from_file["by"], "import");
    assert_eq!((&from_file["file"], &from_file["line"]), (&"users.csv".into(), &3.into()));
    let history = place.ok(&["users", "history", "acme", "00002"]);
    assert!(
        history.contains("by hand (cli)") && history.contains("users.csv, line 3"),
        "{history}"
    );
    // Yesterday's directory knows nothing of it.
    let before = place.json(&["users", "list", "acme", "--as-of", "2020-01-01"]);
    assert_eq!(before, serde_json::json!([]));
}

#[test]
fn what_cannot_be_is_refused_by_hand_too() {
    let place = workplace();
    import(&place, "users.csv", ROSTER);
    for (values, said) in [
        (&["contract_end=12/01/2020"][..], "before it starts"),
        (&["contract_start=31/02/2020"], "contract_start is “31/02/2020”: "),
        (&["birth_date=31.31.2000"], "rollcall: birth_date is “31.31.2000”: "),
        (&["email=zoe@X.example"], "is that of Zoé Roy"),
        (&["employee_number=00001"], "same legal entity"),
        (&["last_name="], "cannot be cleared"),
        (&["employee_number="], "cannot be cleared"),
        (&["manager=nobody"], "nobody has this number"),
        (&["wages=12"], "is not a field"),
        (&["department"], "field=value"),
        (&["department=A", "department=B"], "given twice"),
    ] {
        let words = [&["users", "set", "acme", "00002"][..], values].concat();
        let refused = place.refused(&words);
        assert!(refused.contains(said), "{values:?}: {refused}");
    }
    let circle = place.refused(&["users", "set", "acme", "00001", "manager=Kim Lea"]);
    assert!(circle.contains("circle"), "{circle}");
    let history = place.json(&["users", "history", "acme", "00002"]);
    assert!(history.as_array().unwrap().iter().all(|change| change["by"] == "import"));
    place.ok(&["users", "set", "acme", "00002", "manager="]);
    place.ok(&["users", "set", "acme", "00001", "manager=lea@x.example"]);
}

#[test]
fn an_export_in_the_folders_layout_changes_nothing_when_it_is_imported() {
    for sample in ["model-fr", "english", "german", "titles-and-breaks", "demo-day2"] {
        let place = workplace();
        let file = format!("{SAMPLES}/{sample}.csv");
        let bytes = std::fs::read(&file).unwrap();
        std::fs::write(place.path("users.csv"), bytes).unwrap();
        place.ok(&["import", "acme", "users.csv"]);
        let before = place.json(&["users", "list", "acme"]);
        assert!(!before.as_array().unwrap().is_empty(), "{sample}");
        let export = place.ok(&["users", "export", "acme", "--layout", "import"]);
        let report = import(&place, "again.csv", &export);
        for what in ["created", "updated", "ended", "reinstated", "rejected", "held", "absent"] {
            assert_eq!(report["counts"][what], 0, "{sample}, {what}:\n{report:#}\n{export}");
        }
        assert_eq!(place.json(&["users", "list", "acme"]), before, "{sample}");
    }
}

#[test]
fn an_export_writes_the_folders_own_codes_and_kills_formulas() {
    let place = workplace();
    std::fs::write(
        place.path("settings.toml"),
        "[value_maps.department]\nunmapped = \"block\"\ncodes = { V01 = \"Sales\" }\n",
    )
    .unwrap();
    place.ok(&["settings", "load", "acme", "import", "settings.toml"]);
    let roster = ROSTER.replace("Sales", "V01").replace("Roy", "=Roy;\"").replace(";\";", ";");
    import(&place, "users.csv", &roster);
    let export = place.ok(&["users", "export", "acme", "--layout", "import"]);
    assert!(export.contains(";V01;") && export.contains(";13/01/2020;"), "{export}");
    assert!(export.contains("\"=\"\"=Roy\"\"\""), "{export}");
    let report = import(&place, "again.csv", &export);
    assert_eq!(report["counts"]["unchanged"], 2, "{report:#}");
}

#[test]
fn a_bare_number_is_somebodys_number_and_never_an_id() {
    let place = workplace();
    import(&place, "users.csv", ROSTER);
    // Lea has the id 2 and the number 00002: whoever asks for 2 means neither.
    for words in [
        &["users", "show", "acme", "2"][..],
        &["users", "history", "acme", "2"],
        &["users", "set", "acme", "2", "department=IT"],
        &["users", "show", "acme", "0002"],
    ] {
        let refused = place.refused(words);
        assert!(refused.contains("has this number, login, e-mail or name"), "{words:?}: {refused}");
    }
    assert_eq!(place.json(&["users", "show", "acme", "#2"])["first_name"], "Lea");
}

#[test]
fn a_part_of_a_name_shows_somebody_and_changes_nobody() {
    let place = workplace();
    import(&place, "users.csv", ROSTER);
    for part in ["Kim", "lea", "le", "Lea K"] {
        assert_eq!(place.json(&["users", "show", "acme", part])["first_name"], "Lea", "{part}");
        let refused = place.refused(&["users", "set", "acme", part, "department=IT"]);
        assert!(refused.contains("or name in full"), "{part}: {refused}");
    }
    assert_eq!(place.json(&["users", "show", "acme", "00002"])["department"], "Sales");
    for whole in ["Kim Lea", "lea kim"] {
        place.ok(&["users", "set", "acme", whole, "department=IT"]);
    }
    assert_eq!(place.json(&["users", "show", "acme", "00002"])["department"], "IT");
}

#[test]
fn whoever_absence_has_ended_does_not_come_back_by_an_export_without_ends() {
    let place = workplace();
    import(&place, "users.csv", ROSTER);
    place.ok(&[
        "settings",
        "set",
        "acme",
        "import",
        "absent=end",
        "absent_after=1",
        "guards.fewer_rows=off",
    ]);
    let without: String = ROSTER.lines().take(2).map(|line| format!("{line}\n")).collect();
    let ended = import(&place, "users.csv", &without);
    assert_eq!(ended["counts"]["absent"], 1, "{ended:#}");
    let before = place.json(&["users", "list", "acme"]);
    assert_eq!(before[0]["state"], "ended", "{before:#}");
    let export = place.ok(&["users", "export", "acme", "--layout", "import"]);
    assert!(!export.contains("Kim"), "{export}");
    let report = import(&place, "again.csv", &export);
    assert_eq!(report["counts"]["reinstated"], 0, "{report:#}");
    assert_eq!(place.json(&["users", "list", "acme"]), before);
}

#[test]
fn days_and_states_are_asked_for_in_plain_words() {
    let place = workplace();
    import(&place, "users.csv", ROSTER);
    for day in ["31/03/2026", "2026-02-31", "yesterday"] {
        let output = place.output(&["users", "list", "acme", "--as-of", day]);
        assert_eq!(output.status.code(), Some(2));
        let refused = String::from_utf8(output.stderr).unwrap();
        assert!(refused.contains("write it as year-month-day: 2026-03-31"), "{refused}");
        assert!(!refused.contains("integer"), "{refused}");
    }
    let nobody = place.ok(&["users", "list", "acme", "--state", "ended"]);
    assert_eq!(nobody.trim(), "No user in the state \"ended\" in the directory of acme.");
    for words in
        [&["imports", "list", "acme", "--limit", "0"][..], &["imports", "show", "users.csv"]]
    {
        assert_eq!(place.output(words).status.code(), Some(2), "{words:?}");
    }
    let history = place.ok(&["users", "history", "acme", "00002"]);
    assert!(history.starts_with("When (UTC)"), "{history}");
    let imports = place.ok(&["imports", "list", "acme"]);
    assert!(imports.contains("Received (UTC)"), "{imports}");
}
