//! Values that stay although a file says otherwise: what a person corrected, and what a default gave.

use serde_json::{Value, json};

use super::cli::Workplace;

fn place() -> Workplace {
    let place = Workplace::new();
    place.ok(&["client", "add", "acme"]);
    place.ok(&["account", "add", "acme", "Payroll"]);
    let off = ["guards.one_field=off", "guards.endings=off", "guards.creations=off"];
    place.ok(&[&["settings", "set", "acme", "import"], &off[..]].concat());
    place
}

/// Imports people with these values of one more column; the department makes every file another one.
fn night(place: &Workplace, department: &str, column: &str, values: &[&str]) -> Value {
    let mut text =
        format!("legalEntity;ID number;lastName;firstName;dtContractStart;department;{column}\n");
    for (number, value) in (1..).zip(values) {
        text.push_str(&format!("FR;{number};ROY{number};Zoe;2020-01-31;{department};{value}\n"));
    }
    std::fs::write(place.path("users.csv"), text).unwrap();
    import(place)
}

/// The report, whatever became of the file.
fn import(place: &Workplace) -> Value {
    let output = place.output(&["--json", "import", "acme", "users.csv"]);
    serde_json::from_slice(&output.stdout).unwrap()
}

fn values(place: &Workplace, field: &str) -> Vec<Value> {
    let users = place.json(&["users", "list", "acme"]);
    users.as_array().unwrap().iter().map(|user| user[field].clone()).collect()
}

fn told(report: &Value, code: &str) -> Vec<Value> {
    let messages = report["messages"].as_array().unwrap();
    messages.iter().filter(|message| message["code"] == code).cloned().collect()
}

fn load(place: &Workplace, toml: &str) -> String {
    let off = "[guards]\none_field = \"off\"\nendings = \"off\"\ncreations = \"off\"\n";
    std::fs::write(place.path("settings.toml"), format!("{toml}\n{off}")).unwrap();
    place.ok(&["settings", "load", "acme", "import", "settings.toml"])
}

/// The first person's csp is HAND by hand; `change` happens; the next file says the same of it as before.
fn check_stays(before: &str, cell: &str, change: impl Fn(&Workplace), other: &str) {
    for nights_between in [0, 1] {
        let place = place();
        load(&place, before);
        night(&place, "IT", "csp", &[cell, cell]);
        place.ok(&["users", "set", "acme", "1", "csp=HAND"]);
        if nights_between > 0 {
            night(&place, "A", "csp", &[cell, cell]);
        }
        change(&place);
        let report = night(&place, "B", "csp", &[cell, cell]);
        assert_eq!(values(&place, "csp"), [json!("HAND"), json!(other)], "{before}: {report}");
        assert_eq!(told(&report, "P701").len(), 1, "{before}: {report}");
        // It counts still on the night after, and what is new is new.
        night(&place, "C", "csp", &[cell, cell]);
        assert_eq!(values(&place, "csp")[0], "HAND", "{before}");
        night(&place, "D", "csp", &["NEW", cell]);
        assert_eq!(values(&place, "csp")[0], "NEW", "{before}");
    }
}

#[test]
fn a_correction_by_hand_stays_whatever_settings_read_the_same_cell_otherwise() {
    let set = |words: &'static [&'static str]| move |place: &Workplace| drop(place.ok(words));
    let new_map = set(&["mappings", "set", "acme", "import", "csp", "C1=Exec"]);
    check_stays("", "C1", new_map, "Exec");
    let mended = set(&["mappings", "set", "acme", "import", "csp", "C1=Right"]);
    check_stays("[value_maps.csp.codes]\nC1 = \"Wrong\"", "C1", mended, "Right");
    let named = set(&["lists", "add", "acme", "csp", "77", "--name", "C1"]);
    check_stays("", "C1", named, "77");
    let unmapped = |ours: &str| {
        format!(
            "[value_maps.csp]\nunmapped = \"default\"\ndefault = \"{ours}\"\ncodes = {{ NEW = \"NEW\" }}"
        )
    };
    let other = |place: &Workplace| drop(load(place, &unmapped("D2")));
    check_stays(&unmapped("D1"), "C1", other, "D2");
    check_stays(&unmapped("D1"), "C1", |place| drop(load(place, "")), "C1");
    let blanks = |ours: &str| format!("[blanks]\ncsp = \"default\"\n[defaults]\ncsp = \"{ours}\"");
    let other = |place: &Workplace| drop(load(place, &blanks("DEF2")));
    check_stays(&blanks("DEF"), "", other, "DEF2");
}

#[test]
fn a_manager_set_by_hand_stays_when_the_default_changes() {
    let place = place();
    let toml =
        |who: &str| format!("[blanks]\nmanager = \"default\"\n[defaults]\nmanager = \"{who}\"");
    load(&place, &toml("1"));
    let nobody = ["1", "", "", ""];
    night(&place, "IT", "manager", &nobody);
    place.ok(&["users", "set", "acme", "4", "manager=2"]);
    load(&place, &toml("3"));
    night(&place, "A", "manager", &nobody);
    assert_eq!(values(&place, "manager"), ["1", "3", "3", "2"]);
    night(&place, "B", "manager", &["1", "", "", "3"]);
    assert_eq!(values(&place, "manager")[3], "3");
}

/// So many that a file that hardly differs is not read whole; the department of number 300 is the only difference.
fn many(place: &Workplace, department: &str) -> Value {
    let mut text =
        "legalEntity;ID number;lastName;firstName;dtContractStart;department;manager\n".to_owned();
    for number in 1..=400 {
        let department = if number == 300 { department } else { "IT" };
        text.push_str(&format!("FR;{number};ROY{number};Zoe;2020-01-31;{department};\n"));
    }
    std::fs::write(place.path("users.csv"), text).unwrap();
    import(place)
}

#[test]
fn a_manager_set_by_hand_stays_also_where_only_a_part_of_the_file_is_read() {
    let place = place();
    let toml =
        |who: &str| format!("[blanks]\nmanager = \"default\"\n[defaults]\nmanager = \"{who}\"");
    let manager = |number: &str| {
        let users = place.json(&["users", "list", "acme"]);
        let of = |user: &&Value| user["employee_number"] == number;
        users.as_array().unwrap().iter().find(of).unwrap()["manager"].clone()
    };
    load(&place, &toml("150"));
    many(&place, "IT");
    assert_eq!(manager("200"), "150");
    place.ok(&["users", "set", "acme", "200", "manager=2"]);
    load(&place, &toml("160"));
    for department in ["A", "B", "C"] {
        let report = many(&place, department);
        assert_eq!((manager("200"), manager("201")), (json!("2"), json!("160")), "{department}");
        assert_eq!(told(&report, "P701").len(), 1, "{department}: {report}");
    }
}

#[test]
fn a_default_that_was_given_is_nobodys_word() {
    let place = place();
    load(&place, "[blanks]\njob_title = \"clear\"\n[defaults]\njob_title = \"Staff\"");
    night(&place, "IT", "job title", &["", ""]);
    assert_eq!(values(&place, "job_title"), ["Staff", "Staff"]);
    place.ok(&["users", "set", "acme", "2", "job_title=Chief"]);
    load(&place, "[blanks]\njob_title = \"default\"\n[defaults]\njob_title = \"Agent\"");
    let report = night(&place, "A", "job title", &["", ""]);
    assert_eq!(values(&place, "job_title"), ["Agent", "Chief"], "{report}");
    // Only what was taken is told as taken.
    assert_eq!((told(&report, "V310").len(), told(&report, "P701").len()), (1, 1), "{report}");
    let report = night(&place, "B", "job title", &["", ""]);
    assert_eq!((told(&report, "V310").len(), told(&report, "P701").len()), (0, 1), "{report}");
}

#[test]
fn a_manager_whom_the_file_has_withdrawn_is_waited_for_no_more() {
    let place = place();
    load(&place, "[blanks]\nmanager = \"clear\"\n[defaults]\nmanager = \"1\"");
    night(&place, "IT", "manager", &["", ""]);
    assert_eq!(values(&place, "manager"), ["1", "1"]);
    night(&place, "A", "manager", &["", "3"]);
    night(&place, "B", "manager", &["", ""]);
    let report = night(&place, "C", "manager", &["", "", ""]);
    assert_eq!(values(&place, "manager")[..2], [json!("1"), Value::Null], "{report}");
}

#[test]
fn a_default_stays_as_long_as_the_file_goes_on_with_its_blank() {
    let place = place();
    load(
        &place,
        "[blanks]\ncsp = \"clear\"\nmanager = \"clear\"\n[defaults]\ncsp = \"EMP\"\nmanager = \"1\"",
    );
    let emp = json!("EMP");
    let report = night(&place, "IT", "csp;manager", &[";", ";", "C3;1"]);
    assert_eq!(told(&report, "V310").len(), 2, "{report}");
    for department in ["A", "B"] {
        let report = night(&place, department, "csp;manager", &[";", ";", "C3;1"]);
        assert_eq!(values(&place, "csp"), [emp.clone(), emp.clone(), json!("C3")], "{report}");
        assert_eq!(values(&place, "manager"), ["1", "1", "1"], "{report}");
        assert_eq!(told(&report, "P701").len(), 0, "nobody has changed it: {report}");
    }
    // Another default changes nobody; a value that the file took back goes, and does not become the default.
    load(&place, "[blanks]\ncsp = \"clear\"\n[defaults]\ncsp = \"STAFF\"");
    night(&place, "C", "csp;manager", &[";", "C2;", ";1"]);
    assert_eq!(values(&place, "csp"), [emp.clone(), json!("C2"), Value::Null]);
    // By hand it is another's value, or none at all.
    place.ok(&["users", "set", "acme", "1", "csp=HAND"]);
    let report = night(&place, "D", "csp;manager", &[";", ";", ";1"]);
    assert_eq!(values(&place, "csp"), [json!("HAND"), Value::Null, Value::Null]);
    assert_eq!(told(&report, "P701").len(), 1, "{report}");
    place.ok(&["users", "set", "acme", "1", "csp="]);
    night(&place, "E", "csp;manager", &[";", ";", ";1"]);
    assert_eq!(values(&place, "csp")[0], Value::Null);
}

#[test]
fn a_default_manager_who_is_not_found_is_the_operators_matter() {
    for (column, cell) in [("csp", "C1"), ("manager", "")] {
        let place = place();
        load(&place, "[defaults]\nmanager = \"3\"");
        let report = night(&place, "IT", column, &[cell, cell]);
        assert_eq!(report["status"], "ok_with_warnings", "{report}");
        assert_eq!(report["counts"]["cells_refused"], 0, "{report}");
        let lost = told(&report, "X201");
        let (level, text) = (&lost[0]["level"], lost[0]["text"].as_str().unwrap());
        assert_eq!((lost.len(), level), (1, &json!("warning")), "{report}");
        assert!(text.contains("“3”") && text.contains("default"), "{report}");
        assert_eq!(told(&report, "V310").len(), 0, "it was not taken: {report}");
        // Whom the default names arrives: everybody who waits is given them.
        let report = night(&place, "A", column, &[cell, cell, cell]);
        assert_eq!(values(&place, "manager")[..2], ["3", "3"], "{column}: {report}");
        let of = |who: &str| format!("as the manager of {who} Zoe");
        let appeared = told(&report, "X201");
        assert!(appeared[0]["text"].as_str().unwrap().contains(&of("ROY1")), "{report}");
        assert!(appeared[1]["text"].as_str().unwrap().contains(&of("ROY2")), "{report}");

        let place = self::place();
        load(&place, "required = [\"manager\"]\n[defaults]\nmanager = \"3\"");
        let report = night(&place, "IT", column, &[cell, cell]);
        assert_eq!(report["counts"]["rejected"], 2, "{report}");
        let text = told(&report, "X201")[0]["text"].as_str().unwrap().to_owned();
        assert!(text.contains("“3”") && text.contains("default"), "{report}");
    }
    let place = place();
    load(&place, "[defaults]\nmanager = \"roy zoe\"");
    std::fs::write(
        place.path("users.csv"),
        "legalEntity;ID number;lastName;firstName;dtContractStart\n\
         FR;1;ROY;Zoe;2020-01-31\nFR;2;ROY;Zoe;2020-01-31\n",
    )
    .unwrap();
    let report = import(&place);
    let text = told(&report, "X202")[0]["text"].as_str().unwrap().to_owned();
    assert!(text.contains("“roy zoe”") && text.contains("(1)"), "{report}");
    assert_eq!(report["counts"]["cells_refused"], 0, "{report}");
}

#[test]
fn what_changes_nothing_says_so() {
    let place = place();
    night(&place, "IT", "csp", &["C1"]);
    place.ok(&["mappings", "suggest", "acme", "import", "--write", "m.toml"]);
    let said = place.ok(&["mappings", "load", "acme", "import", "m.toml"]);
    assert!(said.starts_with("Nothing was changed: every line of m.toml is still behind a \"#\""));
    let map = ["mappings", "set", "acme", "import", "csp", "C1=Exec"];
    assert!(place.ok(&map).starts_with("Value maps of import changed"));
    assert!(place.ok(&map).starts_with("Nothing was changed;"));
    std::fs::write(place.path("m.toml"), "[value_maps.csp.codes]\nC1 = \"Exec\"\n").unwrap();
    let said = place.ok(&["mappings", "load", "acme", "import", "m.toml"]);
    assert!(said.starts_with("Nothing was changed: the value maps have"), "{said}");
    assert!(load(&place, "strict = true").starts_with("Settings of import changed"));
    assert!(load(&place, "strict = true").starts_with("Nothing was changed"));
    assert!(load(&place, "# why\nstrict = true").starts_with("Only the words"));
    let set = place.ok(&["settings", "set", "acme", "import", "strict=true"]);
    assert!(set.starts_with("Nothing was changed"), "{set}");
    // What is no part of the version counts too.
    let set = place.ok(&["settings", "set", "acme", "import", "trigger=daily 23:30"]);
    assert!(set.starts_with("Settings of import changed"), "{set}");
}
