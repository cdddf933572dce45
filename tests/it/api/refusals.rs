//! What is refused changes nothing, and what is named by half is nobody.

use rollcall::model::Protocol;
use rollcall::service::audit::AuditFilter;
use serde_json::json;

use super::caller::{Program, program};
use crate::app::TestApp;
use crate::web::people::import;

async fn start() -> (TestApp, Program) {
    let mut app = TestApp::start().await;
    app.add_account("acme");
    let api = program(&mut app).await;
    (app, api)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_where_a_file_lies_is_refused_and_stays_as_it_was() {
    let (app, mut api) = start().await;
    let mut session = app.connect("acme", Protocol::Sftp).await;
    session.put(&"/archive".parse().unwrap(), b"a file").await.unwrap();
    let before = app.service.folders("acme").unwrap();
    let trail =
        || app.service.audit(&AuditFilter { limit: 100, ..AuditFilter::default() }).unwrap().len();
    let noted = trail();
    let new = json!({"name": "arch", "path": "/archive", "purpose": "plain"});
    let refused = api.post("/accounts/acme/folders", &new).await;
    assert_eq!(refused.status, 422, "{}", refused.body);
    assert!(refused.body.contains("/archive: a file lies there"), "{}", refused.body);
    let below = json!({"path": "/archive/payroll"});
    let refused = api.json("PATCH", "/accounts/acme/folders/roster", &below).await;
    assert_eq!(refused.status, 422, "{}", refused.body);
    assert_eq!(app.service.folders("acme").unwrap(), before);
    assert_eq!(trail(), noted, "nothing was done");
    app.connect("acme", Protocol::Sftp).await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_in_place_of_one_folder_closes_no_other() {
    let (app, _) = start().await;
    // As an account may do itself: /papers is no import folder.
    let mut session = app.connect("acme", Protocol::Ftpes).await;
    let papers = app.path("data/clients/acme/files/acme/papers");
    std::fs::remove_dir(&papers).unwrap();
    session.put(&"/papers".parse().unwrap(), b"a file").await.unwrap();
    let blocked = app.service.folders_under_files().unwrap();
    assert_eq!(blocked.iter().map(|f| f.name.as_str()).collect::<Vec<_>>(), ["papers"]);
    for protocol in Protocol::ALL {
        let mut session = app.connect("acme", protocol).await;
        session.put(&"/papers/x".parse().unwrap(), b"x").await.unwrap_err();
        session.put(&"/other.txt".parse().unwrap(), b"x").await.unwrap();
    }
    std::fs::remove_file(&papers).unwrap();
    app.connect("acme", Protocol::Sftp).await;
    assert!(papers.is_dir(), "the next session makes it");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_a_number_a_login_or_an_e_mail_and_never_a_name() {
    let (app, mut api) = start().await;
    let roster = "legalEntity;employeeNumber;lastName;firstName;mail;dtContractStart\n\
         FR01;00123;Brown;Ashlee;ashlee@x.example;13/01/2020\n\
         FR01;00124;Lee;Max;max@x.example;13/01/2020\n\
         FR02;00124;Kim;Ida;ida@x.example;13/01/2020\n";
    import(&app, "acme", "users.csv", roster);
    let change = json!({"values": {"contract_end": "2026-10-31"}});
    let path = |key: &str| format!("/clients/acme/users/key:{key}");
    for nobody in ["lee", "Brown", "Ashlee%20Brown", "ash", "%231", "1", "%20", "0012", "FR01%2B"] {
        let refused = api.json("PATCH", &path(nobody), &change).await;
        assert_eq!((refused.status, refused.code().as_str()), (404, "not_found"), "{nobody}");
        for shown in ["", "/history", "/origins", "/card"] {
            assert_eq!(api.get(&format!("{}{shown}", path(nobody))).await.status, 404, "{nobody}");
        }
    }
    let several = api.json("PATCH", &path("00124"), &change).await;
    assert_eq!(several.status, 409, "{}", several.body);
    let many = json!({"changes": [{"user": "key:lee", "values": {"phone": "+33 1 23 45 67 89"}}]});
    let many = api.post("/clients/acme/user-changes", &many).await.json();
    assert_eq!(many["items"][0]["done"], false, "{many}");
    let all = api.get("/clients/acme/users").await.body;
    assert!(!all.contains("2026-10-31") && !all.contains("+33"), "{all}");
    for (key, first_name) in [
        ("00123", "Ashlee"),
        ("FR01%2B00124", "Max"),
        ("fr02%2B00124", "Ida"),
        ("IDA%40x.example", "Ida"),
    ] {
        assert_eq!(api.get(&path(key)).await.json()["first_name"], first_name, "{key}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_changed_and_renamed_or_neither() {
    let (app, mut api) = start().await;
    app.add_account("beta");
    for (wrong, status) in [
        (json!({"name": "Changed", "enabled": false, "login": "beta"}), 409),
        (json!({"name": "Changed", "login": "Not A Login"}), 422),
        (json!({"name": "", "login": "gamma"}), 422),
        (json!({"host_profile": "nowhere", "login": "gamma"}), 404),
    ] {
        let refused = api.json("PATCH", "/accounts/acme", &wrong).await;
        assert_eq!(refused.status, status, "{wrong}: {}", refused.body);
        let account = app.service.account("acme").unwrap();
        assert_eq!((account.name.as_str(), account.enabled), ("Payroll", true), "{wrong}");
        assert!(app.service.account("gamma").is_err());
    }
    let both = json!({"name": "Changed", "enabled": false, "login": "gamma"});
    let done = api.json("PATCH", "/accounts/acme", &both).await;
    assert_eq!(done.status, 200, "{}", done.body);
    let shown = done.json();
    assert_eq!(
        (&shown["login"], &shown["name"], &shown["enabled"]),
        (&json!("gamma"), &json!("Changed"), &json!(false))
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_has_so_many_words() {
    let (app, mut api) = start().await;
    let words =
        |count: usize, of: fn(usize) -> String| (0..count).map(of).collect::<Vec<_>>().join("+");
    for (text, status) in [
        (words(1000, |n| format!("w{n}")), 422),
        (words(101, |n| format!("w{n}")), 422),
        (words(100, |n| format!("w{n}")), 200),
        (words(1000, |_| "same".to_owned()), 200),
    ] {
        for path in ["users", "users-file"] {
            let found = api.get(&format!("/clients/acme/{path}?text={text}")).await;
            assert_eq!(found.status, status, "{path}: {}", found.body);
            assert_eq!(status == 422, found.body.contains("at most 100"), "{}", found.body);
        }
    }
    let states = ["active"; 1500].join(",");
    assert_eq!(api.get(&format!("/clients/acme/users?state={states}")).await.status, 200);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_is_that_of_what_the_address_shows() {
    let (app, mut api) = start().await;
    let roster = "employee number;last name;first name;hire date\n7;Roy;Zoé;2026-02-02\n";
    import(&app, "acme", "users.csv", roster);
    let user = "/clients/acme/users/key:7";
    let changed = api.json("PATCH", user, &json!({"values": {"phone": "+33 1 23 45 67 89"}})).await;
    assert_eq!((changed.status, changed.header("etag")), (200, ""), "a list of changes is no user");
    let list = "/clients/acme/lists/department";
    let kind = ("content-type", "text/csv");
    let put = api.send("PUT", list, &[kind], b"code;name\nHR;People\n").await;
    assert_eq!((put.status, put.header("etag")), (200, ""), "{}", put.body);
    let tag = api.get(list).await.header("etag").to_owned();
    let headers = [kind, ("if-match", tag.as_str())];
    let put = api.send("PUT", list, &headers, b"code;name\nIT;Machines\n").await;
    assert_eq!((put.status, put.header("etag")), (200, ""), "{}", put.body);
    let account = api.json("PATCH", "/accounts/acme", &json!({"name": "Changed"})).await;
    let shown = api.get("/accounts/acme").await;
    assert!(!shown.header("etag").is_empty());
    assert_eq!(account.header("etag"), shown.header("etag"));
    app.stop().await;
}
