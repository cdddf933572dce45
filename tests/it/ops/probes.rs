//! What monitoring is told, and who may ask.

use rollcall::config::MetricsAccess;
use rollcall::model::{Protocol, Scope};
use rollcall::service::tokens::NewToken;

use crate::app::TestApp;
use crate::web::browser::{Answer, Browser};

const ROSTER: &[u8] = b"employee number;last name;first name;hire date\n7;Roy;Zoe;2026-02-02\n";

async fn ask(address: std::net::SocketAddr, path: &str, headers: &[(&str, &str)]) -> Answer {
    Browser::new(address).send("GET", path, headers, b"").await
}

fn number(page: &str, name: &str) -> f64 {
    let is_it = |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(' '));
    let line = page.lines().find(is_it).unwrap_or_default();
    assert!(!line.is_empty(), "{name} is missing in\n{page}");
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_follow_what_happens() {
    let mut app = TestApp::start_with(|config| config.limits.reply_wait_s = 60).await;
    let (address, _) = app.open_page().await;
    app.add_account("acme");
    let mut session = app.connect("acme", Protocol::Sftp).await;
    session.put(&"/payroll/users.csv".parse().unwrap(), ROSTER).await.unwrap();
    let imported = "rollcall_imports_total{client=\"acme\",status=\"ok\"}";
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(120);
    let page = loop {
        let answer = ask(address, "/metrics", &[]).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert!(answer.header("content-type").starts_with("application/openmetrics-text"));
        // The upload is done a moment after its import.
        if answer.body.contains(imported) && number(&answer.body, "rollcall_queue_uploads") == 0.0 {
            break answer.body;
        }
        assert!(std::time::Instant::now() < deadline, "no import in\n{}", answer.body);
    };
    assert_eq!(number(&page, imported), 1.0);
    assert_eq!(number(&page, "rollcall_uploads_total{protocol=\"sftp\"}"), 1.0);
    let bytes = f64::from(u32::try_from(ROSTER.len()).unwrap());
    assert_eq!(number(&page, "rollcall_upload_bytes_total{protocol=\"sftp\"}"), bytes);
    assert_eq!(number(&page, "rollcall_sessions{protocol=\"sftp\"}"), 1.0);
    assert_eq!(number(&page, "rollcall_import_duration_seconds_count"), 1.0);
    assert_eq!(number(&page, "rollcall_queue_uploads"), 0.0);
    assert!(number(&page, "rollcall_disk_free_bytes") > 0.0);
    assert!(number(&page, "rollcall_certificate_end_seconds") > 1.8e9);
    assert!(number(&page, "process_resident_memory_bytes") > 1e6);
    // Every family says what it is, once, and no name stands twice with the same labels.
    let mut seen = std::collections::HashSet::new();
    for line in page.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(value.parse::<f64>().is_ok(), "{line}");
        assert!(seen.insert(name.to_owned()), "{name} stands there twice");
        let family = name.split('{').next().unwrap();
        let known = |ending: &str| {
            let family = family.strip_suffix(ending).unwrap_or(family);
            page.contains(&format!("# TYPE {family} "))
        };
        assert!(["", "_total", "_bucket", "_sum", "_count"].into_iter().any(known), "{line}");
    }
    assert!(page.ends_with("# EOF\n"));
    session.close().await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_are_told_no_numbers() {
    let mut app = TestApp::start_with(|config| config.metrics.access = MetricsAccess::Token).await;
    app.add_account("acme");
    let (address, _) = app.open_page().await;
    let token = |client: Option<&str>, scope| {
        let new = NewToken {
            name: "prometheus".to_owned(),
            client: client.map(str::to_owned),
            scopes: vec![scope],
            expires_at: None,
        };
        format!("Bearer {}", app.service.add_api_token(&new).unwrap().1)
    };
    let (good, bound, other) =
        (token(None, Scope::Read), token(Some("acme"), Scope::Read), token(None, Scope::Try));
    let status = async |headers: &[(&str, &str)]| ask(address, "/metrics", headers).await.status;
    assert_eq!(status(&[]).await, 401);
    for wrong in [bound.as_str(), &other, "Bearer rollcall_0", "Basic abc"] {
        assert_eq!(status(&[("authorization", wrong)]).await, 401, "{wrong}");
    }
    assert_eq!(status(&[("authorization", &good)]).await, 200);
    let folder = app.stop().await;

    let mut app = TestApp::start_in(folder, |_| {}).await;
    let (address, _) = app.open_page().await;
    assert_eq!(ask(address, "/metrics", &[]).await.status, 200);
    for header in ["x-forwarded-for", "forwarded", "x-real-ip"] {
        let through_proxy = ask(address, "/metrics", &[(header, "203.0.113.9")]).await;
        assert_eq!(through_proxy.status, 401, "{header}");
        let with_token = [(header, "203.0.113.9"), ("authorization", good.as_str())];
        assert_eq!(ask(address, "/metrics", &with_token).await.status, 200, "{header}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cannot_work_says_why() {
    let mut app = TestApp::start().await;
    let (address, _) = app.open_page().await;
    assert_eq!(ask(address, "/healthz", &[]).await.body, "ok\n");
    let well = ask(address, "/readyz", &[]).await;
    assert_eq!(well.status, 200, "{}", well.body);
    for sign in ["ok registry: ", "ok queue: no upload waits", "ok certificate: valid until "] {
        assert!(well.body.contains(sign), "{sign}: {}", well.body);
    }
    let folder = app.stop().await;

    let mut app = TestApp::start_in(folder, |config| config.limits.min_free_bytes = u64::MAX).await;
    let (address, _) = app.open_page().await;
    let ill = ask(address, "/readyz", &[("accept", "application/json")]).await;
    assert_eq!(ill.status, 503);
    let said: serde_json::Value = serde_json::from_str(&ill.body).unwrap();
    assert_eq!(said["ready"], false);
    let disk = said["signs"].as_array().unwrap().iter().find(|s| s["what"] == "disk").unwrap();
    assert_eq!(disk["grade"], "wrong");
    assert!(disk["found"].as_str().unwrap().contains("limits.min_free_bytes"), "{disk}");
    assert_eq!(ask(address, "/healthz", &[]).await.status, 200);
    app.stop().await;
}
