//! What holds for every operation: tokens, media types, conditions, pages, keys, rates.

use rollcall::model::Scope;
use serde_json::json;

use super::caller::program;
use crate::app::TestApp;

#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_added_changed_and_erased() {
    let mut app = TestApp::start().await;
    let mut api = program(&mut app).await;
    let new =
        json!({"slug": "acme", "name": "Acme SA", "language": "fr", "time_zone": "Europe/Paris"});
    let added = api.post("/clients", &new).await;
    assert_eq!(
        (added.status, added.header("location")),
        (201, "/api/v1/clients/acme"),
        "{}",
        added.body
    );
    assert_eq!(app.service.client("acme").unwrap().name, "Acme SA");
    let again = api.post("/clients", &new).await;
    assert_eq!((again.status, again.code().as_str()), (409, "exists"));
    assert_eq!(again.header("content-type"), "application/problem+json");
    let change = json!({"enabled": false, "own_retention": {"archive_days": 30}});
    let changed = api.json("PATCH", "/clients/acme", &change).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    assert!(!app.service.client("acme").unwrap().enabled);
    let (own, all) = app.service.client_retention("acme").unwrap();
    assert_eq!((own.archive_days, own.reports_days, all.reports_days), (Some(30), None, 90));
    api.json("PATCH", "/clients/acme", &json!({"own_retention": {"archive_days": null}})).await;
    assert_eq!(app.service.client_retention("acme").unwrap().0.archive_days, None);
    assert_eq!(api.delete("/clients/acme").await.code(), "unconfirmed");
    assert_eq!(api.delete("/clients/acme?confirm=acme").await.status, 204);
    assert_eq!(api.get("/clients/acme").await.code(), "not_found");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_of_import_settings_edits_the_document_that_somebody_wrote() {
    let mut app = TestApp::start().await;
    app.add_account("acme");
    let mut api = program(&mut app).await;
    let written =
        "# The agency sends changes only.\nmode = \"delta\" # since 2026\nstrict = true\n";
    app.service.set_settings("acme", "roster", written).unwrap();
    let path = "/clients/acme/folders/roster/settings";
    let patch =
        json!({"key": "employee_number", "strict": null, "guards": {"endings": {"count": 7}}});
    let changed = api.json("PATCH", path, &patch).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    let shown = changed.json();
    assert_eq!(
        (&shown["strict"], &shown["guards"]["endings"]["count"]),
        (&json!(false), &json!(7))
    );
    let now = app.service.settings_document("acme", "roster").unwrap().text;
    assert!(now.starts_with("# The agency sends changes only.\nmode = \"delta\" # since 2026\n"));
    for other in ["strict", "percent", "absent", "dates", "required"] {
        assert!(!now.contains(other), "{other} was never set and follows its default: {now}");
    }
    let wrong = api.json("PATCH", path, &json!({"mode": "some"})).await;
    assert_eq!((wrong.status, wrong.code().as_str()), (422, "invalid"), "{}", wrong.body);
    assert_eq!(app.service.settings_document("acme", "roster").unwrap().text, now);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_say_where_and_change_nothing() {
    let mut app = TestApp::start().await;
    let mut api = program(&mut app).await;
    let wrong = api.post("/clients", &json!({"slug": "acme", "language": "it"})).await;
    assert_eq!(wrong.status, 422);
    assert_eq!(wrong.json()["errors"][0]["pointer"], "/language");
    let more = api.post("/clients", &json!({"slug": "acme", "admin": true})).await;
    assert!(more.json()["detail"].as_str().unwrap().contains("unknown field `admin`"));
    let text = api.send("POST", "/clients", &[("content-type", "text/plain")], b"{}").await;
    assert_eq!((text.status, text.code().as_str()), (415, "unsupported_media_type"));
    let query = api.get("/clients?limt=5").await;
    assert_eq!(query.status, 422);
    assert!(query.json()["detail"].as_str().unwrap().contains("known here: limit, cursor"));
    let html = api.send("GET", "/clients", &[("accept", "text/html")], b"").await;
    assert_eq!((html.status, html.code().as_str()), (406, "not_acceptable"));
    let large = vec![b' '; 1024 * 1024 + 1];
    let large = api.send("POST", "/clients", &[("content-type", "application/json")], &large).await;
    assert_eq!(large.status, 413);
    let put = api.json("PUT", "/clients", &json!({})).await;
    assert_eq!((put.status, put.code().as_str()), (405, "method_not_allowed"));
    assert!(put.header("allow").contains("GET") && put.header("allow").contains("POST"));
    let options = api.send("OPTIONS", "/clients", &[], b"").await;
    assert_eq!(options.status, 204);
    assert!(options.header("allow").contains("POST"), "{:?}", options.headers);
    assert_eq!(api.get("/nothing").await.code(), "not_found");
    assert!(app.service.clients().unwrap().is_empty());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_overtaken_is_told() {
    let mut app = TestApp::start().await;
    app.add_account("acme");
    let mut api = program(&mut app).await;
    let seen = api.get("/clients/acme").await;
    let tag = seen.header("etag").to_owned();
    assert!(tag.starts_with('"'), "{tag}");
    let same = api.send("GET", "/clients/acme", &[("if-none-match", &tag)], b"").await;
    assert_eq!((same.status, same.body.as_str(), same.header("etag")), (304, "", tag.as_str()));
    let kind = ("content-type", "application/json");
    let first = br#"{"name":"First"}"#;
    let won = api.send("PATCH", "/clients/acme", &[kind, ("if-match", &tag)], first).await;
    assert_eq!(won.status, 200, "{}", won.body);
    let second = br#"{"name":"Second"}"#;
    let lost = api.send("PATCH", "/clients/acme", &[kind, ("if-match", &tag)], second).await;
    assert_eq!((lost.status, lost.code().as_str()), (412, "precondition_failed"));
    assert_eq!(app.service.client("acme").unwrap().name, "First");
    let tag = won.header("etag").to_owned();
    let then = api.send("PATCH", "/clients/acme", &[kind, ("if-match", &tag)], second).await;
    assert_eq!(then.status, 200, "the answer's tag is that of what was made");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_walked_page_by_page() {
    let mut app = TestApp::start().await;
    let mut api = program(&mut app).await;
    for n in 0..5 {
        api.post("/clients", &json!({"slug": format!("c{n}")})).await;
    }
    let mut seen = Vec::new();
    let mut next = Some("/clients?limit=2".to_owned());
    while let Some(address) = next {
        let page = api.get(&address).await;
        let json = page.json();
        seen.extend(json["items"].as_array().unwrap().iter().map(|c| c["slug"].clone()));
        next = json["next"].as_str().map(|a| a.strip_prefix("/api/v1").unwrap().to_owned());
        assert_eq!(next.is_some(), page.header("link").contains("rel=\"next\""));
    }
    assert_eq!(seen, ["c0", "c1", "c2", "c3", "c4"]);
    assert_eq!(api.get("/clients?limit=0").await.status, 422);
    assert_eq!(api.get("/clients?limit=x").await.json()["errors"][0]["pointer"], "?limit");
    assert_eq!(api.get("/clients?cursor=%21").await.status, 422);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_does_the_work_once_and_keeps_no_secret() {
    let mut app = TestApp::start().await;
    app.add_account("acme");
    let mut api = program(&mut app).await;
    let headers = [("content-type", "application/json"), ("idempotency-key", "job-1")];
    let body = br#"{"name":"Payroll Lyon"}"#;
    let first = api.send("POST", "/clients/acme/accounts", &headers, body).await;
    assert_eq!(first.status, 201, "{}", first.body);
    let password = first.json()["password"].as_str().unwrap().to_owned();
    let again = api.send("POST", "/clients/acme/accounts", &headers, body).await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (201, "true"));
    assert_eq!(again.header("location"), first.header("location"));
    assert_eq!(again.json()["login"], first.json()["login"]);
    assert!(again.json()["password"].is_null());
    assert_eq!(app.service.accounts(Some("acme")).unwrap().len(), 2);
    let other = br#"{"name":"Payroll Paris"}"#;
    let other = api.send("POST", "/clients/acme/accounts", &headers, other).await;
    assert_eq!((other.status, other.code().as_str()), (422, "key_reused"));
    let registry = std::fs::read(app.path("data/registry.db")).unwrap();
    let log = std::fs::read(app.path("data/registry.db-wal")).unwrap_or_default();
    for bytes in [registry, log] {
        assert!(memchr::memmem::find(&bytes, password.as_bytes()).is_none());
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_request_leaves_its_key_free() {
    let mut app = TestApp::start().await;
    let mut api = program(&mut app).await;
    let headers = [("content-type", "application/json"), ("idempotency-key", "job-1")];
    let account = br#"{"name":"Payroll"}"#;
    assert_eq!(api.send("POST", "/clients/acme/accounts", &headers, account).await.status, 404);
    app.add_account("acme");
    assert_eq!(api.send("POST", "/clients/acme/accounts", &headers, account).await.status, 201);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_asks_too_often_waits() {
    let mut app = TestApp::start_with(|config| config.admin.api_requests_per_minute = 3).await;
    let mut api = program(&mut app).await;
    let mut other = api.with(&app, None, &[Scope::Read]);
    for _ in 0..3 {
        assert_eq!(api.get("/clients").await.status, 200);
    }
    let refused = api.get("/clients").await;
    assert_eq!((refused.status, refused.code().as_str()), (429, "rate_limited"));
    assert!((1..=21).contains(&refused.header("retry-after").parse::<u64>().unwrap()));
    assert_eq!(other.get("/clients").await.status, 200, "each token has its own");
    app.stop().await;
}
