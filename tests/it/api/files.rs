//! Files that a program hands over and reads back.

use rollcall::model::{Purpose, Scope};

use super::caller::program;
use crate::app::TestApp;

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_handed_over_is_read_back_byte_for_byte() {
    let mut app = TestApp::start().await;
    for client in ["acme", "bernard"] {
        app.add_account(client);
        let (name, path) = (format!("{client}-out"), "/out".parse().unwrap());
        app.service.add_folder(client, &name, &path, Purpose::Export, None).unwrap();
    }
    let mut api = program(&mut app).await;
    let bytes = "employee;days\n00123;2\n\u{e9}".repeat(10_000);
    let path = "/clients/acme/drops?folder=acme-out&name=r%22%C3%A9.csv";
    let kind = ("content-type", "application/octet-stream");
    let made = api.send("POST", path, &[kind], bytes.as_bytes()).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let one = made.header("location").strip_prefix("/api/v1").unwrap().to_owned();
    let file = format!("{one}/file");
    let read = api.get(&file).await;
    assert_eq!((read.status, read.body == bytes), (200, true));
    assert_eq!(read.header("content-length"), bytes.len().to_string());
    let named = "attachment; filename=\"r__.csv\"; filename*=UTF-8''r%22%C3%A9.csv";
    assert_eq!(read.header("content-disposition"), named);
    let policy = read.header("content-security-policy");
    assert!(policy.contains("default-src 'none'"), "{policy}");
    let shown = api.get(&one).await.json();
    assert_eq!(shown["fetches"], 0, "the client has not fetched it: {shown}");
    let trail = api.get("/audit?what=drop.read").await.json();
    assert_eq!(trail["items"].as_array().unwrap().len(), 1, "{trail}");

    let mut reader = api.with(&app, Some("acme"), &[Scope::Read]);
    assert_eq!(reader.get(&file).await.status, 403);
    let mut other = api.with(&app, Some("bernard"), &Scope::ALL);
    assert_eq!(other.get(&file).await.status, 403);
    let elsewhere = file.replace("/acme/", "/bernard/");
    assert_eq!(api.get(&elsewhere).await.status, 404);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn long_lists_go_on_behind_their_first_page() {
    let mut app = TestApp::start().await;
    app.add_account("acme");
    app.service.add_folder("acme", "out", &"/out".parse().unwrap(), Purpose::Export, None).unwrap();
    let mut api = program(&mut app).await;
    let kind = ("content-type", "application/octet-stream");
    for n in 0..5 {
        let path = format!("/clients/acme/drops?folder=out&name={n}.csv");
        assert_eq!(api.send("POST", &path, &[kind], b"1").await.status, 201);
    }
    let conn = rusqlite::Connection::open(app.path("data/registry.db")).unwrap();
    conn.busy_timeout(std::time::Duration::from_secs(120)).unwrap();
    conn.execute_batch(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5)
         INSERT INTO outbox (client, kind, lane, key, payload, state, created_at, next_at, finished_at)
             SELECT 'acme', 'mail', 'test', 'job-' || i, '{}', 'done', i, i, 1999999999000000 FROM n;",
    )
    .unwrap();
    for list in ["/clients/acme/drops?limit=2", "/outbox?kind=mail&limit=2", "/mails?limit=2"] {
        let (mut next, mut seen) = (Some(list.to_owned()), Vec::new());
        while let Some(address) = next {
            let page = api.get(&address).await.json();
            let items = page["items"].as_array().unwrap();
            assert!((1..=2).contains(&items.len()), "{address}: {page}");
            seen.extend(items.iter().map(|item| item["id"].to_string()));
            next =
                page["next"].as_str().map(|next| next.strip_prefix("/api/v1").unwrap().to_owned());
        }
        let all = api.get(&list.replace("limit=2", "limit=5")).await.json();
        assert!(all["next"].is_null(), "{all}");
        let all: Vec<String> =
            all["items"].as_array().unwrap().iter().map(|item| item["id"].to_string()).collect();
        assert_eq!((all.len(), &seen), (5, &all), "{list}");
    }
    app.stop().await;
}
