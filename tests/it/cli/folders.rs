//! Folders, import settings, templates.

use serde_json::Value;

use super::Workplace;

#[test]
fn folders_settings_and_templates() {
    let place = Workplace::new();
    let sheet = place.with_account();
    let login = sheet["login"].as_str().unwrap();
    let added = place.json(&[
        "folder",
        "add",
        login,
        "hr",
        "/hr/new",
        "--purpose",
        "import",
        "--pattern",
        "*.csv",
    ]);
    assert_eq!(
        (&added["path"], &added["purpose"], &added["pattern"]),
        (&"/hr/new".into(), &"import".into(), &"*.csv".into())
    );
    assert!(
        place.refused(&["folder", "add", login, "hr", "/x", "--purpose", "plain"]).contains("hr")
    );
    assert!(
        place
            .refused(&["folder", "add", "nobody", "x", "/x", "--purpose", "plain"])
            .contains("nobody")
    );
    let set = place.json(&["folder", "set", login, "hr", "--pattern", ""]);
    assert_eq!(set["pattern"], Value::Null);
    assert!(place.ok(&["folder", "list", login]).contains("/hr/new"));

    let toml = place.ok(&["settings", "show", "acme", "hr"]);
    assert!(toml.contains("mode = \"full\""), "{toml}");
    let set = place.json(&[
        "settings",
        "set",
        "acme",
        "hr",
        "mode=delta",
        "dates=dmy",
        "report.markers=true",
    ]);
    assert_eq!(set["mode"], "delta", "{set}");
    let toml = place.ok(&["settings", "show", "acme", "hr"]);
    assert!(toml.contains("mode = \"delta\"") && toml.contains("dates = \"dmy\""), "{toml}");
    let before = toml;
    assert!(
        place.refused(&["settings", "set", "acme", "hr", "mode=sometimes"]).contains("sometimes")
    );
    assert!(place.refused(&["settings", "set", "acme", "hr", "moood=full"]).contains("moood"));
    assert_eq!(
        place.ok(&["settings", "show", "acme", "hr"]),
        before,
        "a refused change changes nothing"
    );
    std::fs::write(place.path("new.toml"), "mode = \"full\"\n").unwrap();
    place.ok(&["settings", "load", "acme", "hr", "new.toml"]);
    assert!(place.ok(&["settings", "show", "acme", "hr"]).contains("mode = \"full\""));
    assert!(place.refused(&["settings", "show", "acme", "nowhere"]).contains("nowhere"));

    place.ok(&["folder", "remove", login, "hr"]);
    assert!(place.refused(&["settings", "show", "acme", "hr"]).contains("hr"));
}

#[test]
fn a_folder_where_a_file_lies_is_refused_and_told() {
    let place = Workplace::new();
    let sheet = place.with_account();
    let login = sheet["login"].as_str().unwrap();
    place.ok(&["folder", "add", login, "hr", "/hr/new", "--purpose", "import"]);
    let files = place.path("data/clients/acme/files").join(login);
    std::fs::write(files.join("taken"), "a file").unwrap();
    for words in [
        &["folder", "add", login, "x", "/taken", "--purpose", "plain"][..],
        &["folder", "set", login, "hr", "--path", "/taken/hr"],
    ] {
        assert!(place.refused(words).contains("a file lies there"), "{words:?}");
    }
    let listed = place.ok(&["folder", "list", login]);
    assert!(listed.contains("/hr/new") && !listed.contains("/taken"), "{listed}");
    std::fs::remove_dir_all(files.join("hr")).unwrap();
    std::fs::write(files.join("hr"), "a file").unwrap();
    let checked = place.output(&["check", "--json"]);
    let checked = String::from_utf8(checked.stdout).unwrap();
    assert!(
        checked.contains("\"remote folder hr\"") && checked.contains("/hr/new cannot be used"),
        "{checked}"
    );
}

#[test]
fn a_template_is_read_as_it_is_meant() {
    for language in ["en", "fr", "de"] {
        let place = Workplace::new();
        place.ok(&["client", "add", "acme", "--language", language]);
        let sheet = place.json(&["account", "add", "acme", "Payroll"]);
        let folder =
            sheet["folders"].as_array().unwrap().iter().find(|f| f["purpose"] == "import").unwrap();
        let template = place.ok(&["template", "acme", folder["name"].as_str().unwrap()]);
        std::fs::write(place.path("template.csv"), &template).unwrap();
        let found = place.json(&["inspect", "template.csv"]);
        for column in found["columns"].as_array().unwrap() {
            assert!(
                column["field"].is_string(),
                "{language}: {column} is not recognised in\n{template}"
            );
        }
        assert_eq!(found["rows"], 1);
        let report = place.json(&["import", "acme", "template.csv"]);
        assert_eq!(report["counts"]["created"], 1, "{language}: {report:#}");
        assert_eq!(report["status"], "ok", "{language}: {report:#}");
    }
}

#[test]
fn a_template_keeps_to_the_lists_and_maps_of_its_folder() {
    let place = Workplace::new();
    place.with_account();
    for (list, code, name) in [("legal_entity", "ACME-2", "Acme Lyon"), ("csp", "EX", "Executive")]
    {
        place.ok(&["lists", "add", "acme", list, code, "--name", name]);
    }
    let required = "required=[\"last_name\", \"first_name\", \"contract_start\", \"csp\", \"department\", \"culture\", \"manager\"]";
    let closed = "closed_lists=[\"legal_entity\", \"csp\"]";
    let login = "login_pattern={first}.{last}";
    place.ok(&["settings", "set", "acme", "import", required, closed, login]);
    let map = ["--unmapped", "block", "D-1=Accounting"];
    place.ok(&[&["mappings", "set", "acme", "import", "department"], &map[..]].concat());
    let template = place.ok(&["template", "acme", "import"]);
    std::fs::write(place.path("template.csv"), &template).unwrap();
    let report = place.json(&["import", "acme", "template.csv"]);
    assert_eq!(
        (&report["status"], &report["counts"]["created"]),
        (&"ok".into(), &1.into()),
        "{template}{report:#}"
    );
    let user = &place.json(&["users", "list", "acme"])[0];
    assert_eq!((&user["csp"], &user["legal_entity"]), (&"EX".into(), &"ACME-2".into()));
    assert_eq!(user["department"], "Accounting");
}

#[test]
fn every_setting_goes_in_and_out() {
    let place = Workplace::new();
    place.with_account();
    let changes = [
        "absent=end",
        "absent_after=3",
        "strict=true",
        "approve_by_file=true",
        "guards.endings.count=7",
        "guards.creations=off",
        "guards.whole_entity=false",
        "closed_lists=[\"csp\"]",
        "login_pattern={f}{last}",
        "report.formats=[\"csv\", \"html\"]",
        "defaults.culture=fr-FR",
    ];
    let set = place.json(&[&["settings", "set", "acme", "import"], &changes[..]].concat());
    let shown = place.ok(&["settings", "show", "acme", "import"]);
    for expected in [
        "absent = \"end\"",
        "absent_after = 3",
        "strict = true",
        "approve_by_file = true",
        "endings = { count = 7, percent = 10 }",
        "creations = \"off\"",
        "whole_entity = false",
        "closed_lists = [\"csp\"]",
        "login_pattern = \"{f}{last}\"",
        "\"html\"",
        "culture = \"fr-FR\"",
    ] {
        assert!(shown.contains(expected), "{expected} in\n{shown}");
    }
    std::fs::write(place.path("settings.toml"), &shown).unwrap();
    let loaded = place.json(&["settings", "load", "acme", "import", "settings.toml"]);
    assert_eq!(loaded, set, "what is shown is what is meant");
    place.ok(&["settings", "set", "acme", "import", "absent=report", "guards.creations.count=9"]);
    let shown = place.ok(&["settings", "show", "acme", "import"]);
    assert!(shown.contains("creations = { count = 9, percent = 30 }"), "{shown}");
    let refused = place.refused(&["settings", "set", "acme", "import", "defaults.culture=klingon"]);
    assert!(
        refused.contains("defaults.culture = \"klingon\"") && refused.contains("fr-FR"),
        "{refused}"
    );
    assert!(
        place
            .refused(&["settings", "set", "acme", "import", "absent_after=2"])
            .contains("absent = \"end\"")
    );
}

#[test]
fn schedules_and_alarms() {
    let place = Workplace::new();
    place.with_account();
    assert!(place.ok(&["schedule", "list"]).contains("every upload is imported at once"));
    place.ok(&["client", "set", "acme", "--time-zone", "Europe/Paris"]);
    let refused = place.refused(&["settings", "set", "acme", "import", "trigger=daily 25:00"]);
    assert!(refused.contains("trigger") && refused.contains("23:30"), "{refused}");
    place.ok(&[
        "settings",
        "set",
        "acme",
        "import",
        "trigger=daily 12:30 mon-fri",
        "expected.by=13:00",
    ]);
    let words = place.ok(&["schedule", "list", "acme"]);
    for part in ["daily 12:30 mon-fri", "daily 13:00 mon-fri", "T05", " 12:30 CE"] {
        assert!(words.contains(part), "{words}");
    }
    let planned = place.json(&["schedule", "list"]);
    assert_eq!(planned[0]["kind"], "import", "{planned}");
    assert_eq!(planned[0]["next"].as_array().unwrap().len(), 3, "{planned}");
    assert!(place.refused(&["schedule", "list", "nobody"]).contains("nobody"));
    assert_eq!(place.json(&["alarms"]), serde_json::json!([]));
    assert!(place.ok(&["alarms", "acme", "--all"]).contains("No alarm"));
    assert!(place.refused(&["alarms", "nobody"]).contains("nobody"));
}
