//! Data quality: shares, what is missing, over time, side by side.

use super::browser::Browser;
use super::people::{ROSTER, import, with_roster};
use crate::app::TestApp;
use rollcall::model::Language;

/// The server looks a client's data over soon after an import, on its own.
async fn wait_for_a_mark(app: &TestApp) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(120);
    while app.service.compare_quality(None).unwrap().iter().all(|one| one.last.is_none()) {
        assert!(std::time::Instant::now() < deadline, "no mark after an import");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn shares_are_of_those_who_work_there() {
    let mut app = with_roster().await;
    let quality = app.service.quality("acme", Language::En).unwrap();
    let now = quality.now;
    // Max has left; Pia has no department; Zoé has no manager.
    assert_eq!((now.people, now.complete, now.valid, now.managed), (3, 2, 3, 2));
    let missing: Vec<(&str, u64)> = quality.missing.iter().map(|(f, n)| (f.name(), *n)).collect();
    assert_eq!(missing, [("department", 1)]);
    assert_eq!(quality.without_manager, (1, 0));
    assert_eq!(quality.marks.len(), 1, "today");

    wait_for_a_mark(&app).await;
    let mut anna = Browser::first(&mut app).await;
    let page = anna.get("/clients/acme/quality").await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("66.6%") && page.body.contains("100%"), "{}", page.body);
    assert!(page.body.contains("/clients/acme/users?missing=department"), "{}", page.body);
    let all = anna.get("/quality").await;
    assert!(
        all.body.contains("/clients/acme/quality") && all.body.contains("66.6%"),
        "{}",
        all.body
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_who_leaves_and_one_nobody_finds_are_told() {
    let app = with_roster().await;
    let file = ROSTER.replace("13/01/2020;;Sales", "13/01/2020;31/12/2020;Sales").replace(
        "Pia 'O';pia@x.example;01/02/2020;;;00001",
        "Pia;pia@x.example;01/02/2020;;IT;77777",
    );
    import(&app, "acme", "users.csv", &file);
    let quality = app.service.quality("acme", Language::En).unwrap();
    assert_eq!(quality.now.people, 2, "Zoé has left: {quality:?}");
    assert_eq!(quality.now.managed, 0);
    assert_eq!(quality.now.complete, 2);
    let codes: Vec<&str> = quality.problems.iter().map(|one| one.code.as_str()).collect();
    assert!(!codes.is_empty(), "{quality:?}");
    let example = &quality.problems[0];
    assert!(
        example.count >= 1 && !example.text.is_empty() && example.file == "users.csv",
        "{example:?}"
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_without_imports_has_no_numbers() {
    let mut app = TestApp::start().await;
    app.add_account("acme");
    let mut anna = Browser::first(&mut app).await;
    let page = anna.get("/clients/acme/quality").await;
    assert!(page.status == 200 && page.body.contains("Import a file first"), "{}", page.body);
    let all = anna.get("/quality").await;
    assert!(all.body.contains("Nothing imported yet"), "{}", all.body);
    app.stop().await;
}
