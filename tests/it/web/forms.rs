//! Forms that come in part, names that are addresses, and what is asked twice.

use rollcall::model::{AccountLimits, Language, Role};
use rollcall::service::clients::NewClient;

use super::browser::Browser;
use super::door::enter;
use crate::app::TestApp;

#[tokio::test(flavor = "multi_thread")]
async fn what_a_form_does_not_name_stays() {
    let mut app = TestApp::start().await;
    app.add_account("acme");
    let mut anna = Browser::first(&mut app).await;
    anna.get("/accounts/acme/permissions").await;
    let whole = [
        ("allow_from", "192.0.2.0/24"),
        ("lenient", "true"),
        ("right", "list"),
        ("right", "write"),
        ("own", "roster"),
        ("right_in", "write/roster"),
        ("quota_files", "12"),
    ];
    let path = "/accounts/acme/permissions";
    assert_eq!(anna.post(path, &whole).await.status, 303);
    let rules = app.service.account_rules("acme").unwrap();
    let rights = app.service.folder_rights("acme").unwrap();
    let limits = app.service.account_limits("acme").unwrap();
    assert_eq!(limits, AccountLimits { quota_files: Some(12), ..AccountLimits::default() });
    // Only the form's token, and one field.
    let parts: [&[(&str, &str)]; 2] = [&[], &[("quota_files", "12")]];
    for part in parts {
        assert_eq!(anna.post(path, part).await.status, 303);
        assert_eq!(app.service.account_rules("acme").unwrap(), rules);
        assert_eq!(app.service.folder_rights("acme").unwrap(), rights);
        assert_eq!(app.service.account_limits("acme").unwrap(), limits);
    }
    // The form as a browser sends it, with nothing ticked any more.
    let page = anna.get(path).await.body;
    for name in ["needs_both", "lenient", "right", "own"] {
        assert!(page.contains(&format!("name=\"has\" value=\"{name}\"")), "{page}");
    }
    let unticked = [("has", "lenient"), ("has", "own"), ("quota_files", "")];
    assert_eq!(anna.post(path, &unticked).await.status, 303);
    let now = app.service.account_rules("acme").unwrap();
    assert!(!now.lenient_data_end && now.allow_from == rules.allow_from);
    assert!(app.service.folder_rights("acme").unwrap().is_empty());
    assert_eq!(app.service.account_limits("acme").unwrap(), AccountLimits::default());

    let settings = "/clients/acme/settings";
    assert_eq!(anna.post(settings, &[("archive_days", "10")]).await.status, 303);
    let before = app.service.client("acme").unwrap();
    assert_eq!(anna.post(settings, &[("name", "Acme SA")]).await.status, 303);
    let after = app.service.client("acme").unwrap();
    assert_eq!((after.name.as_str(), after.time_zone), ("Acme SA", before.time_zone));
    assert_eq!(app.service.client_retention("acme").unwrap().0.archive_days, Some(10));

    // A row that lost a field would lend the next row's.
    let folders = app.service.folders("acme").unwrap();
    let cut = [("old", "papers"), ("old", "roster"), ("name", "papers"), ("path", "/elsewhere")];
    assert_eq!(anna.post("/accounts/acme/folders", &cut).await.status, 422);
    assert_eq!(app.service.folders("acme").unwrap(), folders);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_called_like_the_form_for_new_ones_and_who_is_can_be_reached() {
    let mut app = TestApp::start().await;
    app.add_account("acme");
    let mut anna = Browser::first(&mut app).await;
    anna.get("/clients/new").await;
    let client = [("name", "New"), ("slug", ""), ("language", "en"), ("time_zone", "UTC")];
    let refused = anna.post("/clients/new", &client).await;
    assert_eq!(refused.status, 422);
    assert!(refused.body.contains("choose another name"), "{}", refused.body);
    let refused = anna.post("/accounts/acme/login", &[("login", "new")]).await;
    assert_eq!(refused.status, 422, "{}", refused.body);
    assert!(app.service.account("acme").is_ok() && app.service.account("new").is_err());
    assert!(app.service.add_export("acme", "new", "roster", "").is_err());

    // From before that was so.
    let name = |slug: &str| NewClient {
        slug: slug.to_owned(),
        name: "Known for long".to_owned(),
        language: Language::En,
        time_zone: "UTC".to_owned(),
    };
    app.service.add_client(name("renew")).unwrap();
    let conn = rusqlite::Connection::open(app.path("data/registry.db")).unwrap();
    // What belongs to it keeps the other name; this page asks for none of it.
    conn.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
    conn.execute("UPDATE clients SET slug = 'new' WHERE slug = 'renew'", []).unwrap();
    std::fs::rename(app.path("data/clients/renew"), app.path("data/clients/new")).unwrap();
    let list = anna.get("/clients").await.body;
    let (before, _) = list.split_once(">Known for long</a>").unwrap();
    let address = before.rsplit("href=\"").next().unwrap().trim_end_matches('"');
    let page = anna.get(address).await;
    assert!(page.status == 200 && page.body.contains("<h1>Known for long"), "{}", page.body);
    let mut carl = enter(&app, anna.address, "carl", Role::Client, Some("acme")).await;
    assert_eq!(carl.get(address).await.status, 403, "written so it is guarded all the same");
    app.stop().await;
}
