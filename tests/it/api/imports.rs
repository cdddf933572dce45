//! Imports started, decided and taken back by a program; users in real time.

use std::time::{Duration, Instant};

use rollcall::model::Scope;
use serde_json::{Value, json};

use super::caller::{Program, program};
use crate::app::TestApp;

const HEADER: &str = "employee number;last name;first name;hire date;department\n";

fn roster(people: &[(&str, &str, &str)]) -> Vec<u8> {
    let rows = people
        .iter()
        .map(|(number, last, department)| format!("{number};{last};Zoé;2026-02-02;{department}\n"));
    format!("{HEADER}{}", rows.collect::<String>()).into_bytes()
}

async fn start(api: &mut Program, query: &str, bytes: &[u8]) -> crate::web::browser::Answer {
    let path = format!("/clients/acme/imports?folder=roster&wait=30{query}");
    api.send("POST", &path, &[("content-type", "text/csv")], bytes).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_tried_imported_once_reported_and_taken_back() {
    let mut app = TestApp::start().await;
    app.add_account("acme");
    let mut api = program(&mut app).await;
    let file = roster(&[("7", "Roy", "SALES"), ("8", "Sol", "HR")]);
    let tried = start(&mut api, "&dry_run=true", &file).await;
    assert_eq!(tried.status, 200, "{}", tried.body);
    assert_eq!(tried.json()["counts"]["created"], 2);
    assert!(app.service.users("acme", None).unwrap().is_empty(), "a trial writes nothing");

    let path = "/clients/acme/imports?folder=roster&wait=30&name=tonight.csv";
    let headers = [("content-type", "text/csv"), ("idempotency-key", "night-1")];
    let done = api.send("POST", path, &headers, &file).await;
    assert_eq!(done.status, 201, "{}", done.body);
    let import = done.json();
    assert_eq!((&import["status"], &import["counts"]["created"]), (&json!("ok"), &json!(2)));
    assert_eq!(import["file"]["name"], "tonight.csv");
    let again = api.send("POST", path, &headers, &file).await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (201, "true"));
    assert_eq!(again.json()["id"], import["id"]);
    assert_eq!(app.service.imports("acme", 10).unwrap().len(), 1);

    let one = format!("/imports/{}", import["id"].as_str().unwrap());
    assert_eq!(done.header("location"), format!("/api/v1{one}"));
    assert!(api.get(&one).await.json()["plan"].is_null());
    assert_eq!(api.get(&format!("{one}/file")).await.body.as_bytes(), file);
    for (format, language, word) in
        [("json", "en", "\"counts\""), ("csv", "fr", "Niveau"), ("html", "de", "<html lang=\"de\"")]
    {
        let report = api.get(&format!("{one}/report?format={format}&language={language}")).await;
        assert!(report.body.contains(word), "{format}: {}", report.body);
    }
    assert_eq!(api.get(&format!("{one}/report?format=corrections")).await.status, 404);
    assert_eq!(api.get(&format!("{one}/report?format=pdf")).await.status, 422);

    let preview = api.get(&format!("{one}/undo")).await.json();
    assert_eq!(preview["withdrawn"], 2, "{preview}");
    let seen = preview["change_number"].as_i64().unwrap();
    let stale = api.post(&format!("{one}/undo"), &json!({"change_number": seen - 1})).await;
    assert_eq!((stale.status, stale.code().as_str()), (409, "conflict"));
    let undone = api.post(&format!("{one}/undo"), &json!({"change_number": seen})).await;
    assert_eq!(undone.json()["withdrawn"], 2, "{}", undone.body);
    assert_eq!(api.get(&one).await.json()["status"], "undone");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_with_a_file_is_an_import_too_and_its_boundary_is_no_part_of_the_key() {
    let mut app = TestApp::start().await;
    app.add_account("acme");
    let mut api = program(&mut app).await;
    let file = String::from_utf8(roster(&[("7", "Roy", "SALES")])).unwrap();
    let form = |edge: &str| {
        format!(
            "--{edge}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n{file}\r\n--{edge}--\r\n"
        )
    };
    let mut ids = Vec::new();
    for edge in ["one", "another"] {
        let kind = format!("multipart/form-data; boundary={edge}");
        let headers = [("content-type", kind.as_str()), ("idempotency-key", "k")];
        let path = "/clients/acme/imports?folder=roster&wait=30";
        let done = api.send("POST", path, &headers, form(edge).as_bytes()).await;
        assert_eq!(done.status, 201, "{}", done.body);
        ids.push(done.json()["id"].clone());
    }
    assert_eq!(ids[0], ids[1]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_import_is_decided_as_it_was_seen() {
    let mut app = TestApp::start().await;
    app.add_account("acme");
    let mut api = program(&mut app).await;
    let many: Vec<(String, String)> =
        (100..160).map(|n| (n.to_string(), format!("Name{n}"))).collect();
    let all: Vec<(&str, &str, &str)> =
        many.iter().map(|(n, name)| (n.as_str(), name.as_str(), "HR")).collect();
    assert_eq!(start(&mut api, "", &roster(&all)).await.status, 201);
    let moved: Vec<(&str, &str, &str)> =
        many.iter().map(|(n, name)| (n.as_str(), name.as_str(), "IT")).collect();
    let held = start(&mut api, "", &roster(&moved)).await.json();
    assert_eq!(held["status"], "held", "{held}");
    let one = format!("/imports/{}", held["id"].as_str().unwrap());
    assert_eq!(api.get("/waiting").await.json()["items"][0]["import"], held["id"]);
    // The list learns of it a moment after the answer: it is told once the import is committed.
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        let listed = api.get("/imports?status=to_decide").await.json();
        if listed["items"][0]["id"] == held["id"] {
            break;
        }
        assert!(Instant::now() < deadline, "{listed}");
        tokio::task::yield_now().await;
    }
    let plan = api.get(&one).await.json()["plan"].clone();
    assert!(plan.is_string());
    let other = api.post(&format!("{one}/approve"), &json!({"plan": "something else"})).await;
    assert_eq!(other.code(), "conflict");
    let wrong = api.post(&format!("{one}/approve"), &json!({"sha256": "ffffffffffff"})).await;
    assert_eq!(wrong.code(), "conflict");
    assert_eq!(api.get(&one).await.json()["status"], "held");
    let approved = api.post(&format!("{one}/approve"), &json!({"plan": plan})).await;
    assert_eq!(approved.status, 200, "{}", approved.body);
    assert_eq!(approved.json()["counts"]["updated"], 60);
    let twice = api.post(&format!("{one}/discard"), &json!({})).await;
    assert_eq!((twice.status, twice.code().as_str()), (409, "conflict"));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_the_list_right_after_a_decision_finds_what_came_of_it() {
    let mut app = TestApp::start().await;
    app.add_account("acme");
    let mut api = program(&mut app).await;
    let many: Vec<(String, String)> =
        (100..160).map(|n| (n.to_string(), format!("Name{n}"))).collect();
    let all = |department| {
        let people: Vec<(&str, &str, &str)> =
            many.iter().map(|(n, name)| (n.as_str(), name.as_str(), department)).collect();
        roster(&people)
    };
    assert_eq!(start(&mut api, "", &all("HR")).await.status, 201);
    for (department, verdict) in
        [("IT", "approve"), ("Sales", "discard"), ("Legal", "approve"), ("Press", "discard")]
    {
        let held = start(&mut api, "", &all(department)).await.json();
        assert_eq!(held["status"], "held", "{held}");
        let one = format!("/imports/{}", held["id"].as_str().unwrap());
        let decided = api.post(&format!("{one}/{verdict}"), &json!({})).await;
        assert_eq!(decided.status, 200, "{}", decided.body);
        let (is, open) = (
            api.get("/clients/acme/imports").await.json(),
            api.get("/imports?status=held").await.json(),
        );
        assert_eq!(is["items"][0]["id"], held["id"]);
        assert_eq!(is["items"][0]["status"], decided.json()["status"], "{is}");
        assert_eq!(open["items"], json!([]), "{verdict}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn users_are_created_and_changed_in_real_time_and_stay_protected() {
    let mut app = TestApp::start().await;
    app.add_account("acme");
    let mut api = program(&mut app).await;
    let file = roster(&[("7", "Roy", "SALES"), ("8", "Sol", "HR")]);
    assert_eq!(start(&mut api, "", &file).await.status, 201);

    let change = json!({"values": {"department": "IT"}});
    let changed = api.json("PATCH", "/clients/acme/users/key:7", &change).await;
    assert_eq!(changed.json()["changes"][0]["to"], "IT", "{}", changed.body);
    let same = roster(&[("7", "Roy", "SALES"), ("8", "Sol", "IT")]);
    assert_eq!(start(&mut api, "", &same).await.json()["counts"]["updated"], 1, "only 8");
    let roy = api.get("/clients/acme/users/key:7").await.json();
    assert_eq!(roy["department"], "IT", "the file that says the same as before changes nothing");
    let history = api.get("/clients/acme/users/key:7/history").await.json();
    let last = history["items"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["by"], &last["from"]), (&json!("edit"), &json!("SALES")), "{history}");

    let new = json!({"values": {
        "employee_number": "9", "last_name": "Neu", "first_name": "Ida", "contract_start": "2026-03-01",
    }});
    let made = api.post("/clients/acme/users", &new).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let address = made.header("location").strip_prefix("/api/v1").unwrap().to_owned();
    assert_eq!(api.get(&address).await.json()["last_name"], "Neu");
    assert_eq!(api.post("/clients/acme/users", &new).await.code(), "exists");
    let bad = json!({"values": {"employee_number": "10", "contract_start": "31/02/2026"}});
    assert_eq!(api.post("/clients/acme/users", &bad).await.code(), "invalid");

    let many = json!({"changes": [
        {"user": "key:8", "values": {"department": "HR"}},
        {"user": "key:99", "values": {"department": "HR"}},
    ]});
    let many = api.post("/clients/acme/user-changes", &many).await.json();
    let items = many["items"].as_array().unwrap();
    assert_eq!(
        (&items[0]["done"], &items[1]["problem"]["code"]),
        (&json!(true), &json!("not_found"))
    );

    let found = api.get("/clients/acme/users?text=neu&state=active,upcoming").await.json();
    assert_eq!(found["items"].as_array().unwrap().len(), 1, "{found}");
    let then = api.get("/clients/acme/users?as_of=2020-01-01").await;
    assert!(then.status == 200 || then.status == 404, "{}", then.body);
    assert_eq!(api.get("/clients/acme/users/9999").await.status, 404);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_only_reads_sees_masked_values() {
    let mut app = TestApp::start().await;
    app.add_account("acme");
    let mut api = program(&mut app).await;
    let file = "employee number;last name;first name;hire date;date of birth\n7;Roy;Zoé;2026-02-02;1990-05-04\n";
    assert_eq!(start(&mut api, "", file.as_bytes()).await.status, 201);
    let mut reader = api.with(&app, Some("acme"), &[Scope::Read]);
    for path in ["users", "users/key:7", "users/key:7/card", "users/key:7/history"] {
        let masked = reader.get(&format!("/clients/acme/{path}")).await;
        assert_eq!(masked.status, 200, "{path}");
        // By itself the year may stand in an id.
        assert!(!masked.body.contains("1990-0"), "{path}: {}", masked.body);
    }
    assert!(api.get("/clients/acme/users/key:7").await.body.contains("1990-05-04"));
    let refused = format!("{file}8;Sol;Ida;never;1990-05-04\n");
    let partial = start(&mut api, "", refused.as_bytes()).await.json();
    let one = format!("/imports/{}", partial["id"].as_str().unwrap());
    for format in ["json", "csv", "html"] {
        let masked = reader.get(&format!("{one}/report?format={format}")).await;
        assert_eq!(masked.status, 200, "{format}");
        assert!(!masked.body.contains("1990-0"), "{format}: {}", masked.body);
    }
    for clear in ["file", "report?format=corrections"] {
        let denied = reader.get(&format!("{one}/{clear}")).await;
        assert_eq!((denied.status, denied.code().as_str()), (403, "denied"), "{clear}");
        assert!(!denied.body.contains("1990-0"), "{clear}: {}", denied.body);
    }
    let trail = api.get("/audit?what=import.read").await.json();
    assert_eq!(trail["items"], json!([]), "nobody has read it yet");
    for clear in ["file", "report?format=corrections"] {
        assert!(api.get(&format!("{one}/{clear}")).await.body.contains("1990-05-04"), "{clear}");
    }
    let trail = api.get("/audit?what=import.read").await.json();
    let read: Vec<&str> =
        trail["items"].as_array().unwrap().iter().filter_map(|i| i["detail"].as_str()).collect();
    assert_eq!(
        read,
        ["the refused rows as they were received", "the file as it was received"],
        "{trail}"
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_go_out_and_in_as_json_and_toml() {
    let mut app = TestApp::start().await;
    app.add_account("acme");
    let mut api = program(&mut app).await;
    let path = "/clients/acme/folders/roster/settings";
    let shown = api.get(path).await;
    let put = api.json("PUT", path, &shown.json()).await;
    assert_eq!((put.status, put.json()), (200, shown.json()), "what is shown can be sent back");
    let patched = api.json("PATCH", path, &json!({"mode": "delta"})).await;
    assert_eq!(patched.json()["mode"], "delta", "{}", patched.body);
    let toml = api.send("GET", path, &[("accept", "application/toml")], b"").await;
    assert!(toml.body.contains("mode = \"delta\"") && toml.body.contains("# "), "{}", toml.body);
    let tag = toml.header("etag").to_owned();
    let headers = [("content-type", "application/toml"), ("if-match", tag.as_str())];
    let put = api.send("PUT", path, &headers, b"mode = \"full\" # our reason\n").await;
    assert_eq!(put.status, 200, "the tag of either form counts: {}", put.body);
    assert_eq!(api.send("PUT", path, &headers, b"mode = \"delta\"").await.status, 412);
    let wrong = api.json("PATCH", path, &json!({"mode": "both"})).await;
    assert_eq!(wrong.status, 422);
    assert_eq!(api.get(path).await.json()["mode"], "full");
    let mapped = json!({"field": "csp", "codes": {"Executive France": "Executive", "Executive UK": "Executive"}});
    let maps = api.json("PATCH", "/clients/acme/folders/roster/mappings", &mapped).await;
    assert_eq!(maps.json()["csp"]["codes"]["Executive UK"], "Executive", "{}", maps.body);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_come_while_somebody_waits() {
    let mut app = TestApp::start().await;
    app.add_account("acme");
    let mut api = program(&mut app).await;
    let after = api.get("/events?limit=500").await.json()["after"].as_i64().unwrap();
    let mut waiter = api.with(&app, None, &[Scope::Read]);
    let waiting = tokio::spawn(async move {
        waiter.get(&format!("/events?after={after}&kinds=user.created&wait=30")).await
    });
    let file = roster(&[("7", "Roy", "SALES")]);
    assert_eq!(start(&mut api, "", &file).await.status, 201);
    let told: Value = waiting.await.unwrap().json();
    assert_eq!(told["items"][0]["kind"], "user.created", "{told}");
    assert_eq!(api.get(&format!("/events?after={}", after + 1_000_000)).await.status, 409);
    assert_eq!(api.get(&format!("/events?after={}", i64::MAX)).await.status, 422);
    assert_eq!(api.get("/events?wait=31").await.status, 422);
    app.stop().await;
}
