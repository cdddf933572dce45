//! Accounts on the page: created, handed out, changed, closed, removed; and what is refused.

use rollcall::model::{Language, Protocol, Role};
use rollcall::service::accounts::AccountPatch;
use rollcall::service::administrators::NewAdministrator;

use super::browser::{ADMIN_PASSWORD, Answer, Browser};
use crate::app::{PASSWORD, TestApp};

/// A server with the client `acme` and somebody who may do everything.
async fn start() -> (TestApp, Browser) {
    let mut app = TestApp::start().await;
    app.add_account("acme");
    let anna = Browser::first(&mut app).await;
    (app, anna)
}

/// What stands in the page behind `before`, up to the next `<`.
fn after<'a>(answer: &'a Answer, before: &str) -> &'a str {
    let (_, rest) = answer.body.split_once(before).unwrap_or_else(|| panic!("{}", answer.body));
    rest.split('<').next().unwrap()
}

async fn logs_in(app: &TestApp, login: &str, password: &str) -> bool {
    app.try_connect_with(login, password, Protocol::Sftp).await.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_created_in_the_order_of_the_help_page() {
    let (app, mut anna) = start().await;
    let step = anna.get("/accounts/new").await;
    for host in ["standard", "e-paye", "mprh", "client-server"] {
        assert!(step.body.contains(&format!("value=\"{host}\"")), "{host}: {}", step.body);
    }
    let step = anna.get("/accounts/new?client=acme&host=e-paye").await;
    assert!(step.body.contains("id=\"name\"") && step.body.contains("E-paye"), "{}", step.body);
    let form = [("client", "acme"), ("host", "e-paye"), ("name", "Time <b>& absence")];
    let made = anna.post("/accounts/new", &form).await;
    assert_eq!((made.status, made.header("cache-control")), (200, "no-store"), "{}", made.body);
    let login = after(&made, "id=\"login\">").to_owned();
    let password = after(&made, "id=\"password\">").to_owned();
    assert!(!made.body.contains("<b>&"), "{}", made.body);
    assert!(logs_in(&app, &login, &password).await);
    let account = app.service.account(&login).unwrap();
    assert_eq!((account.host_profile.as_str(), account.client.as_str()), ("e-paye", "acme"));
    let port = app.bound().sftp.unwrap().port();
    for told in [&format!("sftp -P {port} {login}@"), "SHA256:", "/import", "data-copy"] {
        assert!(made.body.contains(told), "{told}: {}", made.body);
    }

    let twice = anna.post("/accounts/new", &form).await;
    assert_eq!(twice.status, 422, "a form that is sent again makes no second account");
    assert!(twice.body.contains("of that name already"), "{}", twice.body);
    assert_eq!(app.service.accounts(Some("acme")).unwrap().len(), 2);
    let list = anna.get("/accounts?q=absence").await;
    assert!(list.body.contains(&login), "{}", list.body);
    assert!(!list.body.contains("/accounts/acme\""), "{}", list.body);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_one_time_link_shows_the_sheet_once_and_to_nobody_after_that() {
    let (app, mut anna) = start().await;
    anna.get("/accounts/acme/sheet").await;
    let wrong = anna.post("/accounts/acme/handout", &[("password", "not-the-password")]).await;
    assert_eq!(wrong.status, 422, "a password that is not the account's is not handed out");
    let made = anna.post("/accounts/acme/handout", &[("password", PASSWORD)]).await;
    assert_eq!(made.status, 200, "{}", made.body);
    let link = after(&made, "secret\">").to_owned();
    let path = link.split_once("/handout/").unwrap().1;
    let path = format!("/handout/{path}");

    let mut stranger = Browser::new(anna.address);
    for _ in 0..3 {
        let offer = stranger.get(&path).await;
        assert_eq!(offer.status, 200, "looking does not use it up");
        assert!(!offer.body.contains("acme") && !offer.body.contains(PASSWORD), "{}", offer.body);
    }
    let opened = stranger.post(&path, &[]).await;
    assert_eq!(opened.status, 200);
    assert!(opened.body.contains(PASSWORD) && opened.body.contains("SHA256:"), "{}", opened.body);
    assert_eq!(stranger.post(&path, &[]).await.status, 404);
    assert_eq!(stranger.get(&path).await.status, 404);
    let sheet = anna.get("/accounts/acme/sheet").await;
    assert!(sheet.body.contains("127.0.0.1") && sheet.body.contains("opened"), "{}", sheet.body);
    assert!(!sheet.body.contains(PASSWORD));

    let again = anna.post("/accounts/acme/handout", &[("password", PASSWORD)]).await;
    let path =
        format!("/handout/{}", after(&again, "secret\">").split_once("/handout/").unwrap().1);
    assert_eq!(anna.post("/accounts/acme/handout/withdraw", &[]).await.status, 303);
    assert_eq!(stranger.post(&path, &[]).await.status, 404, "withdrawn");

    let renewed = anna.post("/accounts/acme/handout", &[("renew", "true")]).await;
    let path =
        format!("/handout/{}", after(&renewed, "secret\">").split_once("/handout/").unwrap().1);
    let opened = stranger.post(&path, &[]).await;
    let new = after(&opened, "data-copy=\"").split('"').next().unwrap().to_owned();
    assert!(logs_in(&app, "acme", &new).await, "{}", opened.body);
    assert!(!logs_in(&app, "acme", PASSWORD).await, "the old one is over");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_links_are_counted_and_old_ones_open_nothing() {
    let mut app = TestApp::start_with(|config| {
        config.admin.handout_misses_per_minute = 3;
        config.admin.handout_hours = 0;
    })
    .await;
    app.add_account("acme");
    let mut anna = Browser::first(&mut app).await;
    anna.get("/accounts/acme/sheet").await;
    let made = anna.post("/accounts/acme/handout", &[]).await;
    let path = format!("/handout/{}", after(&made, "secret\">").split_once("/handout/").unwrap().1);
    let mut stranger = Browser::new(anna.address);
    // A minute may begin in between; so many misses cannot all fall into different ones.
    let mut seen = Vec::new();
    for _ in 0..9 {
        seen.push(stranger.post(&path, &[]).await.status);
    }
    assert_eq!(seen[0], 404, "over at once");
    assert!(seen.contains(&503), "{seen:?}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_login_takes_everything_along_and_ends_what_was_open() {
    let (app, mut anna) = start().await;
    let upload = "/payroll/users.csv".parse().unwrap();
    let roster = "employee number;last name;first name;hire date\n7;Roy;Zoé;2026-02-02\n";
    let mut session = app.connect("acme", Protocol::Sftp).await;
    session.put(&upload, roster.as_bytes()).await.unwrap();
    app.settled().await;
    anna.get("/accounts/acme/edit").await;
    for (wrong, why) in [("Not A Login", "login"), ("", "login")] {
        let refused = anna.post("/accounts/acme/login", &[("login", wrong)]).await;
        assert_eq!(refused.status, 422, "{wrong}");
        assert!(refused.body.contains(why), "{}", refused.body);
    }
    let changed = anna.post("/accounts/acme/login", &[("login", "acme-hr")]).await;
    assert_eq!(
        (changed.status, changed.header("location")),
        (303, "/accounts/acme-hr"),
        "{}",
        changed.body
    );
    assert_eq!(anna.get("/accounts/acme").await.status, 404);
    assert!(app.try_connect("acme", Protocol::Sftp).await.is_err());
    let late = "/payroll/late.csv".parse().unwrap();
    assert!(session.put(&late, roster.as_bytes()).await.is_err(), "the old session is over");

    let mut session = app.connect("acme-hr", Protocol::Ftpes).await;
    assert_eq!(session.get(&upload, 1 << 20).await.unwrap(), roster.as_bytes());
    let report = "/payroll/users.csv.report.json".parse().unwrap();
    assert!(!session.get(&report, 1 << 20).await.unwrap().is_empty());
    let corrected = roster.replace("Roy", "Roi");
    session.put(&upload, corrected.as_bytes()).await.unwrap();
    app.settled().await;
    let imports = app.service.imports("acme", 5).unwrap();
    assert_eq!(imports.len(), 2);
    for import in imports {
        assert!(import.finished_at.is_some());
        assert_eq!(import.account, "acme-hr", "the history follows");
    }
    assert_eq!(app.service.users("acme", None).unwrap().len(), 1);
    assert!(!app.path("data/clients/acme/files/acme").exists());

    app.service.set_account("acme-hr", &AccountPatch::default()).unwrap();
    app.add_account("other");
    let taken = anna.post("/accounts/acme-hr/login", &[("login", "other")]).await;
    assert_eq!(taken.status, 422);
    assert!(taken.body.contains("exists already"), "{}", taken.body);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn name_password_host_and_state_are_changed() {
    let (app, mut anna) = start().await;
    anna.get("/accounts/acme/edit").await;
    let renamed = anna.post("/accounts/acme/name", &[("name", "Absence & pay")]).await;
    assert_eq!(renamed.status, 303, "{}", renamed.body);
    assert_eq!(app.service.account("acme").unwrap().name, "Absence & pay");
    let given = [("how", "given"), ("password", "short")];
    assert_eq!(anna.post("/accounts/acme/password", &given).await.status, 422);
    assert!(logs_in(&app, "acme", PASSWORD).await, "a refused password changes nothing");
    let made = anna.post("/accounts/acme/password", &[("how", "generate")]).await;
    let new = after(&made, "id=\"password\">").to_owned();
    assert!(logs_in(&app, "acme", &new).await && !logs_in(&app, "acme", PASSWORD).await);

    let none = [("host", "mprh")];
    assert_eq!(anna.post("/accounts/acme/host", &none).await.status, 422, "no connection type");
    let host = [("host", "mprh"), ("protocols", "ftps"), ("protocols", "ftpes")];
    assert_eq!(anna.post("/accounts/acme/host", &host).await.status, 303);
    let account = app.service.account("acme").unwrap();
    assert_eq!(account.host_profile, "mprh");
    assert_eq!(account.protocols, [Protocol::Ftps, Protocol::Ftpes]);

    assert_eq!(anna.post("/accounts/acme/disable", &[]).await.status, 303);
    assert!(!app.service.account("acme").unwrap().enabled);
    assert!(anna.get("/accounts?state=closed").await.body.contains("/accounts/acme\""));
    assert!(!anna.get("/accounts?state=open").await.body.contains("/accounts/acme\""));
    assert_eq!(anna.post("/accounts/acme/enable", &[]).await.status, 303);
    assert!(anna.get("/accounts/acme/remove").await.body.contains("roster"));
    assert!(app.service.account("acme").is_ok(), "asking removes nothing");
    let removed = anna.post("/accounts/acme/remove", &[]).await;
    assert_eq!(removed.header("location"), "/clients/acme/accounts");
    assert!(app.service.account("acme").is_err());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_folders_are_edited_at_once_or_not_at_all() {
    let (app, mut anna) = start().await;
    let path = "/accounts/acme/folders";
    let page = anna.get(path).await;
    assert!(page.body.contains("/payroll") && page.body.contains("/papers"), "{}", page.body);
    let row = |old, name, path, purpose, pattern| {
        [("old", old), ("name", name), ("path", path), ("purpose", purpose), ("pattern", pattern)]
    };
    let before = app.service.folders("acme").unwrap();
    let mut form = Vec::new();
    form.extend(row("roster", "roster", "/papers", "import", "*.csv"));
    form.extend(row("", "a/b", "/x", "plain", ""));
    form.extend(row("", "", "", "import", ""));
    let refused = anna.post(path, &form).await;
    assert_eq!(refused.status, 422);
    for problem in ["lies at /papers already", "no &#34;/&#34;", "value=\"a/b\""] {
        let plain = refused.body.replace("&quot;", "&#34;");
        assert!(plain.contains(problem), "{problem}: {}", refused.body);
    }
    assert_eq!(app.service.folders("acme").unwrap(), before, "all or nothing");

    std::fs::write(app.path("data/clients/acme/files/acme/archive"), "a file").unwrap();
    let mut form = Vec::new();
    form.extend(row("roster", "roster", "/archive/payroll", "import", ""));
    form.extend(row("papers", "papers", "/elsewhere", "plain", ""));
    let refused = anna.post(path, &form).await;
    assert_eq!(refused.status, 422);
    assert!(refused.body.contains("/archive/payroll: a file lies there"), "{}", refused.body);
    assert_eq!(app.service.folders("acme").unwrap(), before, "all or nothing");

    // Two change places, one comes, two of the profile go.
    let mut form = Vec::new();
    form.extend(row("roster", "roster", "/papers", "import", "*.csv"));
    form.extend(row("papers", "papers", "/payroll", "plain", ""));
    form.extend(row("", "Absences <i>", "/folder1/folder2", "export", ""));
    let mut others: Vec<&str> = before.iter().map(|f| f.name.as_str()).collect();
    others.retain(|name| !["roster", "papers"].contains(name));
    for name in &others {
        form.extend(row(*name, *name, "/gone", "plain", ""));
        form.push(("remove", *name));
    }
    let saved = anna.post(path, &form).await;
    assert_eq!(saved.status, 303, "{}", saved.body);
    let now: Vec<(String, String)> = app
        .service
        .folders("acme")
        .unwrap()
        .into_iter()
        .map(|f| (f.path.to_string(), f.name))
        .collect();
    let expected =
        [("/folder1/folder2", "Absences <i>"), ("/papers", "roster"), ("/payroll", "papers")];
    assert_eq!(now, expected.map(|(path, name)| (path.to_owned(), name.to_owned())));
    assert!(!anna.get("/accounts/acme").await.body.contains("<i>"));
    assert!(app.path("data/clients/acme/files/acme/folder1/folder2").is_dir());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_and_permissions_are_changed() {
    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJFiteaJhKr5fAvy4WdDPXw1hs7mZTynsd/bF55HQ0KC payroll@acme";
    let (app, mut anna) = start().await;
    let page = anna.get("/accounts/acme/keys").await;
    assert!(page.body.contains("No key yet"), "{}", page.body);
    let wrong = anna.post("/accounts/acme/keys", &[("key", "ssh-ed25519 <script>")]).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.body.contains("copy the line again") && !wrong.body.contains("<script>"));
    assert_eq!(anna.post("/accounts/acme/keys", &[("key", KEY)]).await.status, 303);
    let key = app.service.keys("acme").unwrap().remove(0);
    assert!(anna.get("/accounts/acme/keys").await.body.contains(&key.fingerprint));

    let path = "/accounts/acme/permissions";
    let refused = anna.post(path, &[("allow_from", "everywhere"), ("right", "list")]).await;
    assert_eq!(refused.status, 422);
    assert_eq!(app.service.account_rules("acme").unwrap(), Default::default());
    let form = [
        ("allow_from", "192.0.2.0/24"),
        ("last_day", "2030-01-31"),
        ("needs_both", "true"),
        ("right", "list"),
        ("right", "read"),
        ("own", "roster"),
        ("right_in", "write/roster"),
        ("max_sessions", "2"),
    ];
    let saved = anna.post(path, &form).await;
    assert_eq!(saved.status, 303, "{}", saved.body);
    let rules = app.service.account_rules("acme").unwrap();
    // Paris is one hour ahead in winter.
    assert_eq!(rules.expires_at.unwrap().to_string(), "2030-01-31T23:00:00Z");
    assert!(rules.needs_both && !rules.lenient_data_end);
    assert_eq!(rules.rights.to_string(), "list,read");
    let rights = app.service.folder_rights("acme").unwrap();
    assert_eq!(rights.len(), 1);
    assert_eq!((rights[0].0.as_str(), rights[0].1.to_string()), ("/payroll", "write".to_owned()));
    assert_eq!(app.service.account_limits("acme").unwrap().max_sessions, Some(2));
    let shown = anna.get(path).await;
    assert!(shown.body.contains("value=\"2030-01-31\""), "{}", shown.body);

    let remove = [("fingerprint", key.fingerprint.as_str())];
    assert_eq!(anna.post("/accounts/acme/keys/remove", &remove).await.status, 303);
    assert!(app.service.keys("acme").unwrap().is_empty());
    let refused = anna.post(path, &form).await;
    assert_eq!(refused.status, 422, "key and password, but no key");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_of_one_client_sees_nothing_of_another() {
    let (app, anna) = start().await;
    app.add_account("rival");
    let carl = NewAdministrator {
        name: "carl".to_owned(),
        role: Role::Client,
        client: Some("acme".to_owned()),
        language: Language::En,
    };
    app.service.add_administrator(&carl, Some(ADMIN_PASSWORD)).unwrap();
    let mut carl = Browser::new(anna.address);
    let form = [("name", "carl"), ("password", ADMIN_PASSWORD)];
    assert_eq!(carl.post("/sign-in", &form).await.status, 303);
    let list = carl.get("/accounts").await;
    assert!(
        list.body.contains("/accounts/acme\"") && !list.body.contains("rival"),
        "{}",
        list.body
    );
    let list = carl.get("/clients").await;
    assert!(list.body.contains("/clients/acme\"") && !list.body.contains("rival"), "{}", list.body);
    for own in ["/clients/acme", "/clients/acme/accounts", "/accounts/acme", "/accounts/acme/sheet"]
    {
        assert_eq!(carl.get(own).await.status, 200, "{own}");
    }
    for others in [
        "/clients/rival",
        "/clients/rival/accounts",
        "/clients/new",
        "/accounts/rival",
        "/accounts/rival/sheet",
        "/accounts/new",
        "/accounts/acme/edit",
        "/clients/acme/settings",
    ] {
        assert_eq!(carl.get(others).await.status, 403, "{others}");
    }
    for post in [
        "/accounts/rival/remove",
        "/accounts/acme/remove",
        "/accounts/acme/handout",
        "/clients/acme/erase",
    ] {
        assert_eq!(carl.post(post, &[("slug", "acme")]).await.status, 403, "{post}");
    }
    assert_eq!(app.service.accounts(None).unwrap().len(), 2);
    app.stop().await;
}
