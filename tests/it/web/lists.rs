//! Long lists page by page: connections, the outbox, past alarms, searches that stop somewhere.

use std::time::{Duration, Instant};

use rollcall::model::{Protocol, Role};
use rollcall::service::activity::ActivityFilter;
use rusqlite::Connection;

use super::browser::Browser;
use super::door::enter;
use crate::app::TestApp;

/// The registry, for rows that would take a test too long to bring about.
fn registry(app: &TestApp) -> Connection {
    let conn = Connection::open(app.path("data/registry.db")).unwrap();
    conn.busy_timeout(Duration::from_secs(120)).unwrap();
    conn
}

/// The address behind the link of these words, as a browser reads it.
fn link(page: &str, words: &str) -> Option<String> {
    let (before, _) = page.split_once(&format!(">{words}</a>"))?;
    let (_, href) = before.rsplit_once("href=\"")?;
    let (href, _) = href.split_once('"')?;
    Some(href.replace("&#38;", "&").replace("&amp;", "&"))
}

/// All pages of a list, from its first address on.
async fn pages(browser: &mut Browser, first: &str, words: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut next = Some(first.to_owned());
    while let Some(address) = next {
        let page = browser.get(&address).await;
        assert_eq!(page.status, 200, "{address}");
        next = link(&page.body, words);
        all.push(page.body);
        assert!(all.len() < 20, "the list does not end");
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_of_a_client_and_an_account_stay_their_own() {
    let mut app = TestApp::start().await;
    app.add_account("acme");
    app.add_account("bolt");
    for login in ["acme", "bolt"] {
        let mut session = app.connect(login, Protocol::Sftp).await;
        let path = format!("/papers/of-{login}-<script>.txt").parse().unwrap();
        session.put(&path, b"hello").await.unwrap();
        session.close().await;
    }
    let begun = Instant::now();
    let upload = || ActivityFilter {
        event: Some("upload".to_owned()),
        limit: 9,
        ..ActivityFilter::default()
    };
    while app.service.activity(&upload()).unwrap().len() < 2 {
        assert!(begun.elapsed() < Duration::from_secs(120), "the uploads are not noted");
        tokio::task::yield_now().await;
    }
    let mut anna = Browser::first(&mut app).await;
    let all = anna.get("/server/log").await.body;
    assert!(all.contains("of-acme-") && all.contains("of-bolt-") && !all.contains("<script>.txt"));
    for own in ["/clients/acme/activity", "/accounts/acme/activity", "/server/log?login=acme"] {
        let page = anna.get(own).await;
        assert_eq!(page.status, 200, "{own}");
        assert!(page.body.contains("of-acme-") && !page.body.contains("of-bolt-"), "{own}");
    }
    // A filter cannot widen what an account's page shows.
    let page = anna.get("/accounts/acme/activity?login=bolt&event=upload").await.body;
    assert!(page.contains("of-acme-") && !page.contains("of-bolt-"), "{page}");
    let none = anna.get("/clients/acme/activity?event=refused").await.body;
    assert!(none.contains("Nothing fits"), "{none}");
    let long_ago = anna.get("/clients/acme/activity?to=2020-01-31").await.body;
    assert!(long_ago.contains("Nothing fits"), "{long_ago}");
    let since = anna.get("/clients/acme/activity?from=2020-01-31&event=upload").await.body;
    assert!(since.contains("of-acme-"), "{since}");

    let account = anna.get("/accounts/acme").await.body;
    assert!(account.contains("Last upload") && account.contains("of-acme-"), "{account}");
    assert!(account.contains("127.0.0.1") && account.contains("SFTP"), "{account}");

    let mut carl = enter(&app, anna.address, "carl", Role::Client, Some("acme")).await;
    assert_eq!(carl.get("/clients/acme/activity").await.status, 200);
    for foreign in ["/clients/bolt/activity", "/accounts/bolt/activity", "/server/log"] {
        let refused = carl.get(foreign).await;
        assert_eq!(refused.status, 403, "{foreign}");
        assert!(!refused.body.contains("of-bolt-"));
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_outbox_and_past_alarms_go_on_behind_the_first_page() {
    let mut app = TestApp::start().await;
    app.add_account("acme");
    let conn = registry(&app);
    // The server looks after T05 and T06 itself and would end one that has no cause.
    conn.execute_batch(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 120)
         INSERT INTO outbox (client, kind, lane, key, payload, state, created_at, next_at, finished_at, failure)
             SELECT 'acme', 'mail', 'test', 'job-' || i || '.', '{}',
                 CASE WHEN i % 2 THEN 'failed' ELSE 'done' END, i, i, 1999999999000000, 'it was <script>' FROM n;
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 120)
         INSERT INTO alarms (client, code, subject, text, raised_at, cleared_at)
             SELECT 'acme', 'T05', 'folder', 'alarm ' || i || '.', i, i + 1 FROM n;
         INSERT INTO alarms (client, code, subject, text, raised_at) VALUES ('acme', 'T03', 'open', 'this one stands', 1);",
    )
    .unwrap();
    let mut anna = Browser::first(&mut app).await;
    let all = pages(&mut anna, "/server/outbox", "Older").await;
    for i in 1..=120 {
        let holding = all.iter().filter(|page| page.contains(&format!("job-{i}."))).count();
        assert_eq!(holding, 1, "job {i} stands on one page");
    }
    let failed = pages(&mut anna, "/server/outbox?state=failed&client=acme", "Older").await;
    assert_eq!(failed.len(), 2, "sixty of them");
    assert!(failed.iter().all(|page| !page.contains("job-2.") && !page.contains("<script>")));
    let past = pages(&mut anna, "/server/alarms?past=1", "Older").await;
    for i in 1..=120 {
        let holding = past.iter().filter(|page| page.contains(&format!("alarm {i}."))).count();
        assert_eq!(holding, 1, "alarm {i} stands on one page");
    }
    assert!(past.iter().all(|page| !page.contains("this one stands")));
    let open = anna.get("/server/alarms").await.body;
    assert!(open.contains("this one stands") && !open.contains("alarm 1."), "{open}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_goes_back_piece_by_piece_and_finds_numbers_at_once() {
    const OLD: &str = "018f0000-0000-7000-8000-000000000001";
    let mut app = TestApp::start().await;
    app.add_account("acme");
    registry(&app)
        .execute_batch(&format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 45000)
             INSERT INTO uploads (id, client, login, folder, path, bytes, sha256, wants_import, state, received_at, status, counts)
                 SELECT CASE WHEN i = 1 THEN '{OLD}' ELSE printf('018f0000-0000-7000-9000-%012d', i) END, 'acme', 'acme', 'roster',
                     '/payroll/' || CASE WHEN i = 3 THEN 'needle.csv' ELSE i || '.csv' END, 1,
                     CASE WHEN i = 2 THEN 'abcdef' ELSE '000000' END || printf('%058d', i), 1, 'done', i, 'rejected',
                     '{{}}' FROM n"
        ))
        .unwrap();
    let mut anna = Browser::first(&mut app).await;
    for list in ["/imports", "/clients/acme/imports"] {
        let found = pages(&mut anna, &format!("{list}?text=needle"), "Search further back").await;
        assert_eq!(found.len(), 3, "45,000 are looked through in three pieces");
        assert!(found[0].contains("older ones were not") && found[2].contains("needle.csv"));
        assert!(!found[1].contains("needle.csv"));
        for number in [OLD, "ABCDEF"] {
            let found = anna.get(&format!("{list}?text={number}")).await.body;
            assert!(found.contains("/imports/018f0000-0000-7000-"), "{number}: {found}");
        }
        let all = anna.get(list).await.body;
        assert!(all.contains("45000.csv") && link(&all, "Older").is_some());
    }
    app.stop().await;
}
