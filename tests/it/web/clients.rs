//! Clients on the page: added, looked at, changed, closed, erased.

use super::browser::Browser;
use crate::app::TestApp;

#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_added_changed_and_erased() {
    let mut app = TestApp::start().await;
    let mut anna = Browser::first(&mut app).await;
    assert!(anna.get("/clients").await.body.contains("No client here"));
    anna.get("/clients/new").await;
    let bad = [("name", "X"), ("slug", "Not A Slug"), ("language", "fr"), ("time_zone", "UTC")];
    assert_eq!(anna.post("/clients/new", &bad).await.status, 422);
    let bad = [("name", "X"), ("slug", "x"), ("language", "fr"), ("time_zone", "Mars/Phobos")];
    let refused = anna.post("/clients/new", &bad).await;
    assert!(refused.status == 422 && refused.body.contains("Mars/Phobos"), "{}", refused.body);
    assert!(app.service.clients().unwrap().is_empty());
    let form = [
        ("name", "Müller & Söhne <script>"),
        ("slug", ""),
        ("language", "de"),
        ("time_zone", "Europe/Berlin"),
    ];
    let added = anna.post("/clients/new", &form).await;
    let own = "/clients/muller-sohne-script";
    assert_eq!((added.status, added.header("location")), (303, own), "{}", added.body);
    let page = anna.get(own).await;
    assert!(page.body.contains("No account yet") && !page.body.contains("<script>"));
    assert_eq!(anna.post("/clients/new", &form).await.status, 422, "the short name is taken");

    let settings = format!("{own}/settings");
    let mut form = vec![
        ("name", "Müller"),
        ("language", "fr"),
        ("time_zone", "Europe/Paris"),
        ("archive_days", "ten"),
    ];
    let refused = anna.post(&settings, &form).await;
    assert!(refused.status == 422 && refused.body.contains("value=\"ten\""), "{}", refused.body);
    let client = app.service.client("muller-sohne-script").unwrap();
    assert_eq!(client.name, "Müller & Söhne <script>", "a refused form changes nothing");
    form.pop();
    form.extend([("archive_days", "10"), ("reports_days", "")]);
    assert_eq!(anna.post(&settings, &form).await.status, 303);
    let client = app.service.client("muller-sohne-script").unwrap();
    assert_eq!((client.name.as_str(), client.time_zone.as_str()), ("Müller", "Europe/Paris"));
    let (kept, _) = app.service.client_retention("muller-sohne-script").unwrap();
    assert_eq!((kept.archive_days, kept.reports_days), (Some(10), None));

    assert_eq!(anna.post(&format!("{own}/disable"), &[]).await.status, 303);
    assert!(anna.get("/clients").await.body.contains("disabled"));
    assert_eq!(anna.post(&format!("{own}/enable"), &[]).await.status, 303);
    let erase = format!("{own}/erase");
    assert!(anna.get(&erase).await.body.contains("for ever"));
    let wrong = anna.post(&erase, &[("slug", "muller")]).await;
    assert_eq!(wrong.status, 422);
    assert_eq!(app.service.clients().unwrap().len(), 1, "a wrong name erases nothing");
    let erased = anna.post(&erase, &[("slug", "muller-sohne-script")]).await;
    assert_eq!(erased.header("location"), "/clients");
    assert!(app.service.clients().unwrap().is_empty());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_shows_imports_accounts_and_folders() {
    let mut app = TestApp::start_with(|config| config.limits.reply_wait_s = 60).await;
    app.add_account("acme");
    let mut anna = Browser::first(&mut app).await;
    let mut session = app.connect("acme", rollcall::model::Protocol::Sftp).await;
    let upload = "/payroll/<i>users.csv".parse().unwrap();
    let roster = "employee number;last name;first name;hire date\n7;Roy;Zoé;2026-02-02\n";
    session.put(&upload, roster.as_bytes()).await.unwrap();
    session.close().await;
    app.settled().await;
    let id = app.service.imports("acme", 1).unwrap()[0].id;
    let page = anna.get("/clients/acme").await;
    for shown in [&format!("/imports/{id}"), "/accounts/acme\"", "/payroll", "&#60;i&#62;users.csv"]
    {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    assert!(!page.body.contains("<i>"));
    assert!(anna.get("/clients").await.body.contains(&format!("/imports/{id}")));
    app.stop().await;
}
