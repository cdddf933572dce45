//! Files by hand: inspect, import, reports, users.

use super::{Workplace, keys, sample};

#[test]
fn inspect_needs_nothing_and_says_everything() {
    let place = Workplace::new();
    let found = place.json(&["inspect", &sample("model-fr.csv")]);
    assert_eq!(found["separator"], ";");
    assert_eq!(found["header_line"], 1);
    let words = place.ok(&["inspect", &sample("model-fr.csv")]);
    assert!(words.contains("windows-1252") || words.contains("Windows-1252"), "{words}");
    let csv = place.ok(&["inspect", "--csv", &sample("model-fr.csv")]);
    assert!(csv.starts_with("legalEntity,ID number,"), "{csv}");
    assert!(place.refused(&["inspect", "missing.csv"]).contains("missing.csv"));
    std::fs::write(place.path("empty.csv"), "").unwrap();
    assert!(place.refused(&["inspect", "empty.csv"]).contains("F001"));
    assert!(!place.path("data").exists());
}

#[test]
fn inspect_reads_as_the_folder_does() {
    let place = Workplace::new();
    place.with_account();
    // 0x82: `é` of MS-DOS 850, a quotation mark of Windows-1252.
    std::fs::write(place.path("dos.csv"), b"Stammblatt;Kontrolle\n1;\x82\n2;Zo\x89 M\x81ller\n")
        .unwrap();
    place.ok(&[
        "settings",
        "set",
        "acme",
        "import",
        "encoding=cp850",
        "aliases.Stammblatt=employee_number",
    ]);
    let folder = ["--client", "acme", "--folder", "import"];
    let csv = place.ok(&[&["inspect", "dos.csv", "--csv"], &folder[..]].concat());
    assert_eq!(csv, "Stammblatt,Kontrolle\r\n1,é\r\n2,Zoë Müller\r\n");
    let found = place.json(&[&["inspect", "dos.csv"], &folder[..]].concat());
    assert_eq!(found["columns"][0]["field"], "employee_number", "{found:#}");

    // The order that the folder's files have proved is the order that the next one is looked at with.
    let file =
        |start: &str| format!("matricule;nom;prénom;date d'embauche\n00A1;Roy;Anne;{start}\n");
    place.ok(&["settings", "set", "acme", "import", "encoding=auto"]);
    std::fs::write(place.path("first.csv"), file("31/12/2020")).unwrap();
    assert_eq!(place.json(&["import", "acme", "first.csv"])["counts"]["created"], 1);
    std::fs::write(place.path("next.csv"), file("12/31/2020")).unwrap();
    let found = place.json(&[&["inspect", "next.csv"], &folder[..]].concat());
    let told = &found["warnings"][0];
    assert_eq!((&told["code"], &told["level"]), (&"V303".into(), &"fatal".into()), "{found:#}");
    std::fs::write(place.path("either.csv"), file("03/04/2020")).unwrap();
    let found = place.json(&[&["inspect", "either.csv"], &folder[..]].concat());
    assert_eq!(found["date_order"], "dmy");
}

#[test]
fn import_imports_and_users() {
    let place = Workplace::new();
    place.with_account();
    let dry = place.json(&["import", "acme", &sample("demo-day1.csv"), "--dry-run"]);
    assert_eq!((&dry["dry_run"], &dry["counts"]["created"]), (&true.into(), &8.into()));
    assert_eq!(place.json(&["users", "list", "acme"]), serde_json::json!([]));

    let first = place.json(&["import", "acme", &sample("demo-day1.csv")]);
    assert_eq!(first["counts"]["created"], 8);
    let second = place.json(&["import", "acme", &sample("demo-day2.csv")]);
    assert_eq!(second["status"], "partial");

    let listed = place.json(&["imports", "list", "acme"]);
    let statuses: Vec<&str> =
        listed.as_array().unwrap().iter().map(|i| i["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["partial", "ok"]);
    let id = listed[0]["id"].as_str().unwrap();
    for key in ["id", "status", "file", "counts", "received_at"] {
        assert!(keys(&listed[0]).contains(&key), "{key}");
    }
    assert_eq!(listed[0]["file"]["name"], "demo-day2.csv");
    assert_eq!(place.json(&["imports", "show", id])["import"], id);
    assert!(place.ok(&["imports", "show", id]).contains("NGUYEN"));
    assert!(place.ok(&["imports", "report", id]).starts_with('\u{feff}'));
    assert!(place.ok(&["imports", "report", id, "--language", "fr"]).contains("Niveau"));
    assert!(
        place
            .refused(&["imports", "show", "00000000-0000-7000-8000-000000000000"])
            .contains("00000000")
    );
    place.usage(&["imports", "show", "not-an-id"]);

    let users = place.json(&["users", "list", "acme"]);
    assert_eq!(users.as_array().unwrap().len(), 9);
    let nguyen = users.as_array().unwrap().iter().find(|u| u["last_name"] == "Nguyen").unwrap();
    assert_eq!(nguyen["employee_number"], "00119");
    assert_eq!(nguyen["state"], "active");
    assert_eq!(nguyen["manager"], "00112");
    assert!(nguyen["manager_name"].as_str().unwrap().contains("Hartmann"));
    let csv = place.ok(&["users", "export", "acme"]);
    assert_eq!(csv.lines().count(), 10, "{csv}");
    assert!(csv.lines().next().unwrap().contains("employee_number"));
    let card = place.ok(&["users", "show", "acme", "zofia kowalska"]);
    assert!(
        card.contains("00127") && card.contains("History") && card.contains("demo-day2.csv"),
        "{card}"
    );
    let history = place.json(&["users", "history", "acme", "00127"]);
    assert!(
        history
            .as_array()
            .unwrap()
            .iter()
            .any(|c| c["field"] == "department" && c["to"] == "Marketing")
    );
    assert!(place.refused(&["users", "show", "acme", "nobody"]).contains("nobody"));
    assert_eq!(
        place.json(&["users", "list", "acme", "--as-of", "2020-01-01"]),
        serde_json::json!([])
    );
    assert_eq!(
        place.json(&["users", "list", "acme", "--state", "ended"]).as_array().unwrap().len(),
        1
    );
}

#[test]
fn a_file_that_is_refused_ends_with_1() {
    let place = Workplace::new();
    place.with_account();
    std::fs::write(place.path("no.csv"), "first name,town\nAnne,Paris\n").unwrap();
    let output = place.output(&["import", "acme", "no.csv"]);
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("H101"), "{told}");
    let listed = place.json(&["imports", "list", "acme"]);
    let why = format!(
        "refused, nothing was applied; why: rollcall imports report {}",
        listed[0]["id"].as_str().unwrap()
    );
    assert!(String::from_utf8(output.stderr).unwrap().contains(&why));
    assert!(
        place
            .refused(&["--json", "import", "acme", "no.csv"])
            .contains("refused, nothing was applied")
    );
    assert!(place.refused(&["import", "acme", "no.csv", "--dry-run"]).contains("would be refused"));
    assert!(place.refused(&["import", "acme", "missing.csv"]).contains("missing.csv"));
    assert!(
        place.refused(&["import", "acme", "no.csv", "--folder", "nowhere"]).contains("nowhere")
    );
}
