//! Codes of files and codes of ours: value maps, reference lists, defaults, and what nobody knows.

use rollcall::import::Plan;
use rollcall::import::codes::{Code, Effect};
use rollcall::import::directory::Snapshot;
use rollcall::import::fields::{Field, FieldKey};
use rollcall::import::report::Message;
use rollcall::import::settings::Settings;
use rollcall::model::ImportStatus;
use serde_json::{Value, json};

use super::cli::Workplace;
use super::golden::{applied, empty_directory, plan};

const WHO: &str = "legalEntity;ID number;lastName;firstName;dtContractStart";

/// A file of invented people: `cells` follow the key, the names and the start of each.
fn file(columns: &str, cells: &[&str]) -> String {
    let mut text = format!("{WHO};{columns}\r\n");
    for (number, cells) in (1..).zip(cells) {
        text.push_str(&format!("FR01;{number:03};DUPONT{number};Anne;15/01/2020;{cells}\r\n"));
    }
    text
}

fn with(settings: &str, text: &str, before: &Snapshot) -> Plan {
    plan(text.as_bytes(), "users.csv", &Settings::from_toml(settings).unwrap(), before)
}

/// A directory whose lists somebody has loaded.
fn listed(lists: &[(Field, &[(&str, &str)])]) -> Snapshot {
    let mut directory = empty_directory();
    for (field, entries) in lists {
        let codes = entries.iter().map(|(code, _)| (*code).to_owned()).collect();
        let names = entries.iter().map(|(code, name)| ((*code).to_owned(), (*name).to_owned()));
        directory.lists.insert(*field, codes);
        directory.list_names.insert(*field, names.collect());
    }
    directory
}

fn value(directory: &Snapshot, number: &str, key: &FieldKey) -> Option<String> {
    let mut numbered =
        directory.users.iter().filter(|u| u.values.get(Field::EmployeeNumber) == Some(number));
    let value = numbered.next().map(|user| user.values.get_key(key).map(str::to_owned));
    assert!(value.is_some(), "nobody has the number {number}");
    value.flatten()
}

fn known(directory: &Snapshot, number: &str, field: Field) -> Option<String> {
    value(directory, number, &FieldKey::Known(field))
}

fn told(plan: &Plan, code: Code) -> Vec<&Message> {
    plan.report.messages.iter().filter(|message| message.code == code).collect()
}

const CSP: &[(&str, &str)] = &[("EX", "Executive"), ("NE", "Non-executive"), ("TE", "Technicien")];

#[test]
fn every_field_of_codes_can_be_mapped() {
    for (field, header, ours) in [
        (Field::Establishment, "SIRET", "Lyon"),
        (Field::EndReason, "terminationReason", "resigned"),
        (Field::ContractType, "typeId", "permanent"),
        (Field::Department, "department", "Accounting"),
        (Field::CostCenter, "userAxisValues_1", "4711"),
        (Field::Csp, "csp", "Executive"),
        (Field::JobTitle, "jobTitle", "Accountant"),
        (Field::Role, "rolePrincipal", "Employee"),
        (Field::Roles, "habilitedRoles", "Validator"),
        (Field::ProfileAbsence, "profile_figgo", "Full time"),
        (Field::ProfileTime, "profile_utime", "35h"),
        (Field::ProfileExpense, "profile_cleemy_1", "Standard"),
        (Field::Fte, "fte", "0.5"),
        (Field::WeeklyHours, "weekly hours", "17.5"),
        (Field::Calendar, "calendar", "Alsace"),
        (Field::Culture, "culture", "de-DE"),
        (Field::Country, "country", "France"),
        (Field::Nationality, "nationality", "French"),
        (Field::Gender, "gender", "female"),
        (Field::Status, "status", "active"),
    ] {
        let settings = format!("[value_maps.{field}.codes]\n\"X.1\" = \"{ours}\"");
        let text = file(header, &["X.1", "x.1"]);
        let plan = with(&settings, &text, &empty_directory());
        let after = applied(empty_directory(), &plan);
        for number in ["001", "002"] {
            assert_eq!(known(&after, number, field).as_deref(), Some(ours), "{field} {number}");
        }
        assert!(plan.unmapped.iter().all(|code| code.field == FieldKey::Known(Field::LegalEntity)));
        let again = with(&settings, &text, &after);
        assert_eq!(again.report.counts.unchanged, 2, "{field}: {:?}", again.report.messages);
        assert_eq!(told(&again, Code::V311).len(), 0, "{field}: what does not change is not told");
    }
    let settings = "unknown_columns = \"keep\"\n[value_maps.\"custom.badge\".codes]\nX = \"Y\"";
    let after =
        applied(empty_directory(), &with(settings, &file("badge", &["X"]), &empty_directory()));
    assert_eq!(value(&after, "001", &FieldKey::Custom("badge".to_owned())).as_deref(), Some("Y"));
}

#[test]
fn a_map_is_told_once_with_its_count() {
    let settings = "[value_maps.csp]\ncodes = { \"Executive France\" = \"Executive\", \"Executive UK\" = \"Executive\" }";
    let text = file("csp", &["Executive France", "Executive UK", "Executive France", "Clerk"]);
    let plan = with(settings, &text, &empty_directory());
    let mapped: Vec<(u64, &str)> = told(&plan, Code::V311)
        .into_iter()
        .map(|message| (message.count, message.params["from"].as_str()))
        .collect();
    assert_eq!(mapped, [(2, "Executive France"), (1, "Executive UK")]);
    let new: Vec<String> = plan
        .list_entries
        .iter()
        .filter(|(f, _)| *f == Field::Csp)
        .map(|(_, c)| c.clone())
        .collect();
    assert_eq!(new, ["Executive", "Clerk"], "only what is stored becomes an entry");
    let csp: Vec<&str> = plan
        .unmapped
        .iter()
        .filter(|code| code.field == FieldKey::Known(Field::Csp))
        .map(|code| code.code.as_str())
        .collect();
    assert_eq!(csp, ["Clerk"], "what a setting gives is not unknown");
}

#[test]
fn a_code_outside_the_map_is_kept_blocked_or_replaced() {
    let text = file("csp", &["A", "Z", "Z"]);
    let first =
        applied(empty_directory(), &with("", &file("csp", &["old"; 3]), &empty_directory()));
    let after = |rest: &str| {
        let settings = format!("[value_maps.csp]\ncodes = {{ A = \"Alpha\" }}\n{rest}");
        let plan = with(&settings, &text, &first);
        (known(&applied(first.clone(), &plan), "002", Field::Csp).unwrap(), plan)
    };
    let (kept, plan) = after("");
    assert_eq!(kept, "Z");
    assert_eq!(told(&plan, Code::X206)[0].effect, Effect::Applied);
    let (blocked, plan) = after("unmapped = \"block\"");
    assert_eq!(blocked, "old");
    assert_eq!(plan.report.status, ImportStatus::Partial);
    let refused: Vec<&Message> =
        told(&plan, Code::X206).into_iter().filter(|m| m.why == "blocked").collect();
    assert_eq!((refused.len(), refused[0].count, refused[0].lines.as_slice()), (1, 2, &[3, 4][..]));
    assert_eq!(refused[0].kept, "old");
    let unknown = plan.unmapped.iter().find(|code| code.code == "Z").unwrap();
    assert_eq!((unknown.rows, unknown.line), (2, 3));
    let (default, plan) = after("unmapped = \"default\"\ndefault = \"Other\"");
    assert_eq!(default, "Other");
    assert!(plan.unmapped.iter().all(|code| code.code != "Z"));
}

#[test]
fn secondary_roles_are_mapped_one_by_one() {
    let settings = "[value_maps.role]\ncodes = { V = \"Validator\", C = \"Controller\" }\nunmapped = \"block\"";
    let columns = "habilitedRoles_0;habilitedRoles_1";
    let first = with(settings, &file(columns, &["V;C", "C;"]), &empty_directory());
    let directory = applied(empty_directory(), &first);
    assert_eq!(known(&directory, "001", Field::Roles).as_deref(), Some("Validator\nController"));
    // One cell with several, in one column.
    let one = with(settings, &file("roles", &["\"C, V\"", "v"]), &directory);
    let after = applied(directory.clone(), &one);
    assert_eq!(known(&after, "001", Field::Roles).as_deref(), Some("Controller\nValidator"));
    assert_eq!(known(&after, "002", Field::Roles).as_deref(), Some("Validator"));
    // One that is not in the map refuses the cells together: half of somebody's rights is nobody's wish.
    let refused = with(settings, &file(columns, &["V;X", "C;"]), &directory);
    assert_eq!(told(&refused, Code::X206)[0].params["code"], "X");
    assert_eq!(refused.report.counts.unchanged, 2);
}

#[test]
fn a_file_may_give_the_name_in_place_of_the_code() {
    let lists: &[(Field, &[(&str, &str)])] = &[
        (Field::Csp, CSP),
        (Field::LegalEntity, &[("FR01", "Acme France")]),
        (Field::Role, &[("V", "Valideur")]),
    ];
    let text = file("csp;roles", &["EXECUTIVE;valideur", "non executive;", "ne;V"])
        .replace("FR01;001", "ACME FRANCE;001");
    let plan = with("", &text, &listed(lists));
    let after = applied(listed(lists), &plan);
    let csp = |number| known(&after, number, Field::Csp).unwrap();
    assert_eq!([csp("001"), csp("002"), csp("003")], ["EX", "NE", "NE"]);
    assert_eq!(known(&after, "001", Field::LegalEntity).as_deref(), Some("FR01"));
    assert_eq!(known(&after, "001", Field::Roles).as_deref(), Some("V"));
    assert!(told(&plan, Code::V311).iter().all(|message| message.why == "list"));
    assert!(plan.list_entries.is_empty() && plan.unmapped.is_empty());
    let again = with("", &text, &after);
    assert_eq!(again.report.counts.unchanged, 3, "{:?}", again.report.messages);
}

#[test]
fn a_map_may_lead_to_a_name_of_the_list() {
    let settings = "closed_lists = [\"csp\"]\n[value_maps.csp.codes]\n\"Cadre UK\" = \"executive\"";
    let plan = with(settings, &file("csp", &["Cadre UK"]), &listed(&[(Field::Csp, CSP)]));
    let after = applied(listed(&[(Field::Csp, CSP)]), &plan);
    assert_eq!(known(&after, "001", Field::Csp).as_deref(), Some("EX"));
    let message = told(&plan, Code::V311)[0];
    assert_eq!(
        (message.params["from"].as_str(), message.params["to"].as_str()),
        ("Cadre UK", "EX")
    );
}

#[test]
fn a_closed_list_refuses_what_it_has_not_and_names_what_is_near() {
    let settings = "closed_lists = [\"csp\", \"role\"]";
    let directory = listed(&[(Field::Csp, CSP)]);
    let text = file("csp;rolePrincipal", &["Technicen;", "TE;Chief", "Technicen;"]);
    let plan = with(settings, &text, &directory);
    assert_eq!(plan.report.status, ImportStatus::Partial);
    let refused = told(&plan, Code::X206);
    let csp = refused.iter().find(|m| m.field == Some(FieldKey::Known(Field::Csp))).unwrap();
    assert_eq!((csp.why.as_str(), csp.count), ("unlisted_near", 2));
    assert_eq!(csp.params["near"], "TE (Technicien)");
    assert_eq!(csp.effect, Effect::CellRefused);
    assert!(refused.iter().any(|m| m.why == "unlisted" && m.params["code"] == "Chief"));
    assert!(plan.list_entries.iter().all(|(field, _)| *field == Field::LegalEntity));
    let after = applied(directory, &plan);
    assert_eq!(known(&after, "001", Field::Csp), None);
    assert_eq!(known(&after, "002", Field::Csp).as_deref(), Some("TE"));
}

#[test]
fn an_unlisted_legal_entity_refuses_its_rows_and_nobody_is_absent_for_it() {
    let settings = "closed_lists = [\"legal_entity\"]";
    let entities: &[(&str, &str)] = &[("FR02", "Acme Lyon")];
    let plan =
        with(settings, &file("csp", &["A", "B"]), &listed(&[(Field::LegalEntity, entities)]));
    assert_eq!(plan.report.status, ImportStatus::Rejected);
    let refused = told(&plan, Code::X206);
    assert_eq!((refused.len(), refused[0].effect), (2, Effect::RowRefused));
    assert_eq!(refused[0].params["code"], "FR01");
    let unknown: Vec<(&str, u64)> =
        plan.unmapped.iter().map(|code| (code.code.as_str(), code.rows)).collect();
    assert_eq!(unknown, [("FR01", 2)], "the operator can map what got the file refused");
    assert_eq!(plan.report.counts.absent, 0);
}

#[test]
fn a_renamed_legal_entity_makes_nobody_a_stranger() {
    let text = file("csp", &["A", "B"]).replace("FR01", "Acme France");
    let directory = applied(empty_directory(), &with("", &text, &empty_directory()));
    assert_eq!(known(&directory, "001", Field::LegalEntity).as_deref(), Some("Acme France"));
    let check = |plan: &Plan, before: Snapshot| {
        let counts = plan.report.counts;
        assert_eq!((counts.created, counts.absent, counts.updated), (0, 0, 2), "{counts:?}");
        let after = applied(before, plan);
        assert_eq!(known(&after, "002", Field::LegalEntity).as_deref(), Some("FR01"));
    };
    // By value map.
    let map = "[value_maps.legal_entity.codes]\n\"Acme France\" = \"FR01\"";
    check(&with(map, &text, &directory), directory.clone());
    // By a list that is loaded later.
    let mut named = directory;
    named.lists.entry(Field::LegalEntity).or_default().insert("FR01".to_owned());
    let names = [("FR01".to_owned(), "Acme France".to_owned())];
    named.list_names.insert(Field::LegalEntity, names.into());
    check(&with("", &text, &named), named.clone());
}

#[test]
fn the_closest_default_is_given_and_only_to_new_users() {
    let settings = "
        [defaults]
        profile_time = \"everyone\"
        culture = \"fr-FR\"
        legal_entity = \"FR09\"
        [[defaults_for]]
        legal_entity = \"FR01\"
        values = { profile_time = \"entity\" }
        [[defaults_for]]
        department = \"Sales\"
        values = { profile_time = \"department\", roles = \"Seller, Buyer\" }
        [[defaults_for]]
        legal_entity = \"FR01\"
        department = \"Sales\"
        values = { profile_time = \"pair\" }";
    let rows = "ID number;legalEntity;lastName;firstName;dtContractStart;department;profile_utime\r\n\
        1;FR01;A;A;15/01/2020;Sales;\r\n\
        2;FR02;B;B;15/01/2020;Sales;\r\n\
        3;FR01;C;C;15/01/2020;Legal;\r\n\
        4;FR02;D;D;15/01/2020;Legal;\r\n\
        5;FR01;E;E;15/01/2020;Sales;own\r\n";
    let text = format!("key\r\n{rows}").replace("key\r\n", "");
    let settings = format!("key = \"employee_number\"\n{settings}");
    let plan = with(&settings, &text, &empty_directory());
    let after = applied(empty_directory(), &plan);
    let profile = |number| known(&after, number, Field::ProfileTime).unwrap();
    let all = ["1", "2", "3", "4", "5"].map(profile);
    assert_eq!(all, ["pair", "department", "entity", "everyone", "own"]);
    assert_eq!(known(&after, "1", Field::Roles).as_deref(), Some("Seller\nBuyer"));
    assert_eq!(known(&after, "3", Field::Roles), None);
    let culture: Vec<u64> = told(&plan, Code::V310)
        .into_iter()
        .filter(|m| m.field == Some(FieldKey::Known(Field::Culture)))
        .map(|m| m.count)
        .collect();
    assert_eq!(culture, [5], "told once, with its count");
    // Later blanks and changes of the settings change nobody.
    let other = settings.replace("everyone", "other").replace("\"pair\"", "\"other\"");
    let again = with(&other, &text, &after);
    assert_eq!(again.report.counts.unchanged, 5);
    assert!(told(&again, Code::V310).is_empty());
}

#[test]
fn a_default_is_a_code_of_the_list_too() {
    let settings = "closed_lists = [\"csp\"]\n[defaults]\ncsp = \"technicien\"\n[[defaults_for]]\n\
        legal_entity = \"acme lyon\"\nvalues = { csp = \"Boss\" }";
    let lists: &[(Field, &[(&str, &str)])] = &[
        (Field::Csp, CSP),
        (Field::LegalEntity, &[("FR01", "Acme Paris"), ("FR02", "Acme Lyon")]),
    ];
    let text = file("department", &["1", "2"]).replace("FR01;002", "FR02;002");
    let plan = with(settings, &text, &listed(lists));
    let after = applied(listed(lists), &plan);
    assert_eq!(known(&after, "001", Field::Csp).as_deref(), Some("TE"));
    assert_eq!(known(&after, "002", Field::Csp), None);
    let default = told(&plan, Code::X206).into_iter().find(|m| m.why == "default").unwrap();
    assert_eq!((default.line, default.params["default"].as_str()), (Some(3), "Boss"));
    assert_eq!(plan.report.status, ImportStatus::OkWithWarnings);
}

const MODEL: &str = "ID number;lastName;firstName;dtContractStart;csp\n\
    001;DUPONT;Anne;15/01/2020;Executive France\n\
    002;MARTIN;Paul;16/02/2021;Executive UK\n\
    003;LEROY;Zoé;17/03/2022;Technicien\n";

fn place() -> Workplace {
    let place = Workplace::new();
    place.ok(&["client", "add", "acme"]);
    place.ok(&["account", "add", "acme", "Payroll"]);
    std::fs::write(place.path("users.csv"), MODEL).unwrap();
    place
}

/// By name: Anne, Zoé, Paul.
fn csp(place: &Workplace) -> Vec<Option<String>> {
    let users = place.json(&["users", "list", "acme"]);
    let csp = |user: &Value| user["csp"].as_str().map(str::to_owned);
    users.as_array().unwrap().iter().map(csp).collect()
}

#[test]
fn two_codes_become_one_in_one_go_and_the_same_file_takes_effect() {
    let place = place();
    assert_eq!(place.json(&["import", "acme", "users.csv"])["counts"]["created"], 3);
    assert_eq!(place.json(&["import", "acme", "users.csv"])["status"], "duplicate");
    let words = place.ok(&["mappings", "suggest", "acme", "import"]);
    for expected in
        ["[value_maps.csp.codes]", "# \"Executive UK\" = \"\"", "1 row, first on line 3"]
    {
        assert!(words.contains(expected), "{expected} in\n{words}");
    }
    let unknown = place.json(&["mappings", "suggest", "acme", "import"]);
    assert_eq!(unknown[0]["code"], "Executive France");
    assert_eq!((&unknown[0]["rows"], &unknown[0]["line"]), (&json!(1), &json!(2)));

    let both = ["Executive France=Executive", "Executive UK=Executive"];
    place.ok(&[&["mappings", "set", "acme", "import", "csp"], &both[..]].concat());
    assert!(place.ok(&["mappings", "show", "acme", "import"]).contains("Executive UK"));
    let unknown = place.json(&["mappings", "suggest", "acme", "import"]);
    assert_eq!(unknown.as_array().unwrap().len(), 1, "{unknown}");
    let report = place.json(&["import", "acme", "users.csv"]);
    assert_eq!((&report["status"], &report["counts"]["updated"]), (&json!("ok"), &json!(2)));
    let executive = Some("Executive".to_owned());
    assert_eq!(csp(&place), [executive.clone(), Some("Technicien".to_owned()), executive]);

    place.ok(&["mappings", "set", "acme", "import", "csp", "Executive UK="]);
    let refused = place.refused(&["mappings", "set", "acme", "import", "csp", "Executive UK="]);
    assert!(refused.contains("Executive UK"), "{refused}");
    let refused = place.refused(&["mappings", "set", "acme", "import", "email", "a=b"]);
    assert!(refused.contains("value_maps.email"), "{refused}");
}

#[test]
fn a_filled_in_suggestion_is_loaded() {
    let place = place();
    place.ok(&["import", "acme", "users.csv"]);
    std::fs::write(place.path("csp.csv"), "code;name\nEX;Executive\nTE;TECHNICIEN\n").unwrap();
    place.ok(&["lists", "load", "acme", "csp", "csp.csv"]);
    place.ok(&["mappings", "suggest", "acme", "import", "--write", "map.toml"]);
    let toml = std::fs::read_to_string(place.path("map.toml")).unwrap();
    assert!(!toml.contains("Technicien"), "the list knows it by its name:\n{toml}");
    let filled = toml.replace("# \"Executive France\" = \"\"", "\"Executive France\" = \"EX\"");
    assert_ne!(filled, toml);
    std::fs::write(place.path("map.toml"), filled).unwrap();
    let maps = place.json(&["mappings", "load", "acme", "import", "map.toml"]);
    assert_eq!(maps["csp"]["codes"], json!({ "Executive France": "EX" }));
    assert_eq!(place.json(&["import", "acme", "users.csv"])["counts"]["updated"], 2);
    let expected = ["EX", "TE", "Executive UK"].map(|code| Some(code.to_owned()));
    assert_eq!(csp(&place), expected);
    std::fs::write(place.path("map.toml"), "mode = \"delta\"\n").unwrap();
    assert!(
        place.refused(&["mappings", "load", "acme", "import", "map.toml"]).contains("value_maps")
    );
}

#[test]
fn lists_are_loaded_kept_and_told() {
    let place = place();
    place.ok(&["import", "acme", "users.csv"]);
    std::fs::write(place.path("csp.csv"), "EX,Executive\nTechnicien\n").unwrap();
    let loaded = place.json(&["lists", "load", "acme", "csp", "csp.csv"]);
    assert_eq!(loaded["added"], json!(["EX"]));
    assert_eq!(loaded["named"], json!(["Technicien"]), "what a file brought is accepted");
    assert_eq!(place.json(&["import", "acme", "users.csv"])["status"], "ok", "not a duplicate now");
    let again = place.json(&["lists", "load", "acme", "csp", "csp.csv"]);
    assert_eq!((&again["added"], &again["unchanged"]), (&json!([]), &json!(2)));
    assert_eq!(
        place.json(&["import", "acme", "users.csv"])["status"],
        "duplicate",
        "nothing moved"
    );

    let refused = place.refused(&["lists", "load", "acme", "csp", "csp.csv", "--replace"]);
    assert!(
        refused.contains("\"Executive France\" (1)") && refused.contains("nothing was"),
        "{refused}"
    );
    let refused = place.refused(&["lists", "remove", "acme", "csp", "Technicien"]);
    assert!(refused.contains("Technicien"), "{refused}");
    let removed = place.json(&["lists", "remove", "acme", "csp", "EX"]);
    assert_eq!(removed["removed"], json!(["EX"]));
    assert!(place.refused(&["lists", "remove", "acme", "csp", "EX"]).contains("\"EX\""));
    place.ok(&["lists", "add", "acme", "csp", "NE", "--name", "Non-executive"]);
    let shown = place.json(&["lists", "show", "acme", "csp"]);
    let codes: Vec<&str> =
        shown.as_array().unwrap().iter().map(|e| e["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["Executive France", "Executive UK", "NE", "Technicien"]);
    assert_eq!((&shown[2]["name"], &shown[2]["users"]), (&json!("Non-executive"), &json!(0)));
    assert_eq!((&shown[3]["loaded"], &shown[3]["users"]), (&json!(true), &json!(1)));
    // As the lists are now is how they are at the end of today; long ago there were none.
    let today = rollcall::clock::Clock::System.now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let later = today.tomorrow().unwrap().to_string();
    assert_eq!(place.json(&["lists", "show", "acme", "csp", "--as-of", &later]), shown);
    let earlier = place.json(&["lists", "show", "acme", "csp", "--as-of", "2020-01-31"]);
    assert_eq!(earlier, json!([]));

    let history = place.json(&["lists", "history", "acme", "csp"]);
    let ex: Vec<(&str, &str)> = history
        .as_array()
        .unwrap()
        .iter()
        .filter(|c| c["code"] == "EX" || c["code"] == "Technicien")
        .map(|c| (c["what"].as_str().unwrap(), c["by"].as_str().unwrap()))
        .collect();
    let expected = [("added", "users.csv"), ("added", "cli"), ("named", "cli"), ("removed", "cli")];
    assert_eq!(ex, expected);
    assert_eq!(
        place.json(&["lists", "accept", "acme", "csp"])["named"],
        json!(["Executive France", "Executive UK"])
    );
    assert_eq!(place.json(&["mappings", "suggest", "acme", "import"]), json!([]));
    assert!(place.refused(&["lists", "show", "acme", "email"]).contains("legal_entity"));
    std::fs::write(place.path("bad.csv"), "code;name\nA;x\nA;y\n").unwrap();
    assert!(place.refused(&["lists", "load", "acme", "csp", "bad.csv"]).contains("line 3"));
    assert_eq!(place.json(&["imports", "list", "acme"]).as_array().unwrap().len(), 3, "files only");
}

#[test]
fn a_refused_files_codes_can_be_mapped() {
    let place = place();
    place.ok(&["settings", "set", "acme", "import", "strict=true", "closed_lists=[\"csp\"]"]);
    place.ok(&["lists", "add", "acme", "csp", "Executive"]);
    assert_eq!(place.output(&["import", "acme", "users.csv"]).status.code(), Some(0));
    assert_eq!(csp(&place), [None, None, None], "a refused cell refuses no row");
    let unknown = place.json(&["mappings", "suggest", "acme", "import"]);
    assert_eq!(unknown.as_array().unwrap().len(), 3, "{unknown}");
    place.ok(&["mappings", "set", "acme", "import", "csp", "--unmapped", "default=Executive"]);
    assert_eq!(place.json(&["mappings", "suggest", "acme", "import"]), json!([]));
    place.ok(&["import", "acme", "users.csv"]);
    assert_eq!(csp(&place), vec![Some("Executive".to_owned()); 3]);
}
