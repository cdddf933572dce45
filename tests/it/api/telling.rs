//! Webhooks, one-time links, keys, what accounts did: what the page and the commands can do, by the API.

use std::io::Write as _;

use rollcall::model::Scope;
use serde_json::json;

use super::caller::program;
use crate::app::TestApp;

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_lives_and_its_secret_is_told_once() {
    let mut app = TestApp::start().await;
    app.add_account("acme");
    let mut api = program(&mut app).await;
    let wish = json!({"name": "hr", "url": "https://hr.example/rollcall", "client": "acme", "on": ["import.held"]});
    let headers = [("content-type", "application/json"), ("idempotency-key", "hook-1")];
    let made = api.send("POST", "/webhooks", &headers, wish.to_string().as_bytes()).await;
    assert_eq!(
        (made.status, made.header("location")),
        (201, "/api/v1/webhooks/hr"),
        "{}",
        made.body
    );
    assert!(made.json()["secret"].as_str().unwrap().starts_with("whsec_"));
    let again = api.send("POST", "/webhooks", &headers, wish.to_string().as_bytes()).await;
    assert_eq!((again.status, again.json()["secret"].is_null()), (201, true), "{}", again.body);
    for wrong in
        [json!({"on": ["salary.paid"]}), json!({"url": "ftp://hr.example"}), json!({"name": "HR"})]
    {
        let mut other = wish.clone();
        other["name"] = json!("other");
        other.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
        assert_eq!(api.post("/webhooks", &other).await.status, 422, "{other}");
    }
    assert_eq!(api.post("/webhooks/hr/pause", &json!({})).await.json()["paused_why"], "by hand");
    assert_eq!(api.post("/webhooks/hr/pause", &json!({})).await.code(), "conflict");
    assert_eq!(api.post("/webhooks/hr/resume", &json!({})).await.json()["events"], 0);
    let secret = api.post("/webhooks/hr/secret", &json!({"keep_hours": 721})).await;
    assert_eq!(secret.json()["errors"][0]["pointer"], "/keep_hours", "{}", secret.body);
    let secret = api.post("/webhooks/hr/secret", &json!({})).await;
    assert_ne!(secret.json()["secret"], made.json()["secret"]);
    assert!(!api.get("/webhooks/hr").await.body.contains("whsec_"));
    assert_eq!(api.delete("/webhooks/hr").await.status, 204);
    assert_eq!(api.get("/webhooks/hr").await.code(), "not_found");
    assert!(app.service.webhooks().unwrap().is_empty());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_shows_the_sheet_once() {
    let mut app = TestApp::start().await;
    app.add_account("acme");
    let mut api = program(&mut app).await;
    let sheet = api.get("/accounts/acme/sheet").await;
    assert!(sheet.body.contains("acme") && sheet.body.contains("SHA256:"), "{}", sheet.body);
    assert_eq!(api.get("/accounts/acme/handout").await.code(), "not_found");
    let both = api.post("/accounts/acme/handout", &json!({"renew": true, "password": "x"})).await;
    assert_eq!(both.json()["errors"][0]["pointer"], "/renew");
    let wrong = api.post("/accounts/acme/handout", &json!({"password": "not-its-password"})).await;
    assert_eq!(wrong.status, 422, "{}", wrong.body);
    let made = api.post("/accounts/acme/handout", &json!({"renew": true})).await;
    assert_eq!((made.status, &made.json()["has_password"]), (201, &json!(true)), "{}", made.body);
    let link = made.json()["link"].as_str().unwrap().to_owned();
    let token = link.rsplit_once('/').unwrap().1.to_owned();
    assert_eq!(api.get("/accounts/acme/handout").await.json()["is_open"], true);
    let here = "127.0.0.1".parse().unwrap();
    let service = app.service.clone();
    let opened = tokio::task::spawn_blocking(move || {
        let first =
            service.open_handout(&token, here).is_ok_and(|opened| opened.password.is_some());
        (first, service.open_handout(&token, here).is_ok())
    });
    assert_eq!(opened.await.unwrap(), (true, false));
    assert_eq!(api.get("/accounts/acme/handout").await.json()["is_open"], false);
    assert_eq!(api.delete("/accounts/acme/handout").await.status, 204);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_one_client_sees_only_what_its_accounts_did() {
    let mut app = TestApp::start().await;
    app.add_account("acme");
    app.add_account("beta");
    let mut api = program(&mut app).await;
    for client in ["acme", "beta"] {
        app.connect(client, rollcall::model::Protocol::Sftp).await.close().await;
    }
    let end = std::time::Instant::now() + std::time::Duration::from_secs(120);
    while api.get("/activity?event=login").await.json()["items"].as_array().unwrap().len() < 2 {
        assert!(std::time::Instant::now() < end, "logins are not noted");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let mut own = api.with(&app, Some("acme"), &Scope::ALL);
    let seen = own.get("/activity").await;
    assert!(seen.body.contains("acme") && !seen.body.contains("beta"), "{}", seen.body);
    assert_eq!(own.get("/activity?client=beta").await.code(), "denied");
    assert_eq!(own.get("/health").await.code(), "denied");
    assert_eq!(api.get("/health").await.json()["ready"], true);
    assert_eq!(api.get("/bans").await.json()["items"], json!([]));
    assert_eq!(api.delete("/bans/192.0.2.7").await.code(), "not_found");
    let mut known = api.get("/familiar-addresses?login=acme").await.json();
    while known["items"].as_array().unwrap().is_empty() {
        assert!(std::time::Instant::now() < end, "the address is not noted");
        known = api.get("/familiar-addresses?login=acme").await.json();
    }
    assert_eq!(known["items"][0]["address"], "127.0.0.1", "{known}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_ours_and_of_partners() {
    let mut app = TestApp::start().await;
    app.add_account("acme");
    app.add_account("beta");
    let mut api = program(&mut app).await;
    let made = api.post("/clients/acme/pgp-keys", &json!({})).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let key = made.json();
    let print = key["fingerprint"].as_str().unwrap();
    assert!(key["public_key"].as_str().unwrap().contains("PUBLIC KEY"));
    assert!(!made.body.contains("PRIVATE"));
    let partner = json!({"public_key": key["public_key"], "name": "Acme"});
    let added = api.post("/clients/beta/pgp-partners", &partner).await;
    assert_eq!(
        (added.status, added.json()["encrypts"].clone()),
        (201, json!(true)),
        "{}",
        added.body
    );
    let no_key = json!({"public_key": "no key"});
    assert_eq!(api.post("/clients/beta/pgp-partners", &no_key).await.status, 422);
    assert_eq!(api.delete(&format!("/clients/beta/pgp-partners/{print}")).await.status, 204);
    let retired = api.post(&format!("/clients/acme/pgp-keys/{print}/retire"), &json!({})).await;
    assert_eq!(retired.json()["current"], false, "{}", retired.body);
    let of_beta = api.get(&format!("/clients/beta/pgp-keys/{print}")).await;
    assert_eq!(of_beta.code(), "not_found", "a key of another client is nobody's here");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_document_rules_out_is_refused_where_it_stands() {
    let mut app = TestApp::start().await;
    app.add_account("acme");
    let mut api = program(&mut app).await;
    for (method, path, body, pointer) in [
        ("PATCH", "/clients/acme", json!({"name": "New", "time_zone": null}), "/time_zone"),
        ("PATCH", "/accounts/acme", json!({"host_profile": null}), "/host_profile"),
        ("PUT", "/accounts/acme/limits", json!({"max_sessions": 0}), "/max_sessions"),
        ("PATCH", "/accounts/acme/folders/roster", json!({"path": ""}), "/path"),
    ] {
        let refused = api.json(method, path, &body).await;
        assert_eq!((refused.status, refused.code().as_str()), (422, "invalid"), "{body}");
        assert_eq!(refused.json()["errors"][0]["pointer"], pointer, "{}", refused.body);
    }
    assert_ne!(app.service.client("acme").unwrap().name, "New", "nothing of it was done");
    assert_eq!(api.get("/events?after=-1").await.json()["errors"][0]["pointer"], "?after");
    assert_eq!(api.get("/clients/acme/users?manager=0").await.status, 422);
    let login = json!({"name": "Second", "login": null});
    assert_eq!(api.post("/clients/acme/accounts", &login).await.status, 201, "null is left out");
    let part = |name: &str| {
        format!(
            "--e\r\ncontent-disposition: form-data; name=\"{name}\"; filename=\"a.csv\"\r\n\r\nx\r\n"
        )
    };
    let kind = ("content-type", "multipart/form-data; boundary=e");
    for form in [part("file") + &part("file"), part("file") + &part("other"), part("other")] {
        let form = form + "--e--\r\n";
        let path = "/clients/acme/imports?folder=roster";
        let refused = api.send("POST", path, &[kind], form.as_bytes()).await;
        assert_eq!(refused.json()["errors"][0]["pointer"], "/file", "{}", refused.body);
    }
    assert!(app.service.imports("acme", 10).unwrap().is_empty());
    app.stop().await;
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_packed_body_is_the_same_request() {
    let mut app = TestApp::start().await;
    app.add_account("acme");
    let mut api = program(&mut app).await;
    let file =
        b"employee number;last name;first name;hire date;department\n7;Roy;Zo;2026-02-02;HR\n";
    let path = "/clients/acme/imports?folder=roster&wait=30";
    let plain = [("content-type", "text/csv"), ("idempotency-key", "k")];
    let packed = [plain[0], plain[1], ("content-encoding", "gzip")];
    let done = api.send("POST", path, &packed, &gzip(file)).await;
    assert_eq!((done.status, &done.json()["counts"]["created"]), (201, &json!(1)), "{}", done.body);
    let again = api.send("POST", path, &plain, file).await;
    assert_eq!(again.header("idempotent-replayed"), "true", "packed or not, it is the same");
    let json_kind = [("content-type", "application/json"), ("content-encoding", "gzip")];
    let changed =
        api.send("PATCH", "/clients/acme", &json_kind, &gzip(br#"{"name":"Zipped"}"#)).await;
    assert_eq!(changed.json()["name"], "Zipped", "{}", changed.body);
    let cut = &gzip(file)[..40];
    let refused = api.send("POST", path, &[packed[0], packed[2]], cut).await;
    assert_eq!((refused.status, refused.code().as_str()), (400, "malformed"), "{}", refused.body);
    let other = [packed[0], ("content-encoding", "br")];
    let refused = api.send("POST", path, &other, file).await;
    assert_eq!((refused.status, refused.header("accept-encoding")), (415, "gzip"));
    let bomb = gzip(&vec![b' '; 2 * 1024 * 1024]);
    let refused = api.send("PATCH", "/clients/acme", &json_kind, &bomb).await;
    assert_eq!(refused.status, 413, "{}", refused.body);
    assert_eq!(app.service.imports("acme", 10).unwrap().len(), 1);
    app.stop().await;
}
