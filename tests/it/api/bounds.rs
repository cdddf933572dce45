//! A token of one client learns and changes nothing of another; a token without the scope neither.

use rollcall::model::Scope;
use serde_json::Value;

use super::caller::program;
use crate::app::TestApp;

/// Every operation of the document: method, path with the names filled in by another client's things, scope.
async fn operations(
    app: &TestApp,
    api: &mut super::caller::Program,
) -> Vec<(String, String, String)> {
    let import = app.service.imports("beta", 1).unwrap()[0].id.to_string();
    let document = api.raw("/api/openapi.json").await.json();
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let path = path
                .replace("{client}", "beta")
                .replace("{login}", "beta")
                .replace("{folder}", "roster")
                .replace("{import}", &import)
                .replace("{user}", "1")
                .replace("{list}", "department")
                .replace("{code}", "HR")
                .replace("{fingerprint}", "SHA256:x")
                .replace("{export}", "all")
                .replace("{run}", &import)
                .replace("{drop}", &import)
                .replace("{webhook}", "hr-portal")
                .replace("{hook}", "x")
                .replace("{job}", "1")
                .replace("{pgp}", "0123456789abcdef")
                .replace("{address}", "192.0.2.7")
                .replace("{token}", "1");
            let scope = operation["x-scope"].as_str().unwrap().to_owned();
            found.push((method.to_uppercase(), path, scope));
        }
    }
    found
}

async fn with_beta() -> (TestApp, super::caller::Program) {
    let mut app = TestApp::start().await;
    app.add_account("acme");
    app.add_account("beta");
    let mut api = program(&mut app).await;
    let file = "employee number;last name;first name;hire date;department\n7;Secretname;Zoé;2026-02-02;HR\n";
    let path = "/clients/beta/imports?folder=roster&wait=30";
    let done = api.send("POST", path, &[("content-type", "text/csv")], file.as_bytes()).await;
    assert_eq!(done.status, 201, "{}", done.body);
    (app, api)
}

/// All that the operations could have changed of the other client.
fn state(app: &TestApp) -> String {
    let service = &app.service;
    format!(
        "{:?}{:?}{:?}{:?}{:?}{:?}",
        service.client("beta").unwrap(),
        service.account("beta").unwrap(),
        service.folders("beta").unwrap(),
        service.settings("beta", "roster").unwrap(),
        service.users("beta", None).unwrap(),
        service.imports("beta", 10).unwrap(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_another_client_is_seen_or_changed() {
    let (app, mut api) = with_beta().await;
    let mut own = api.with(&app, Some("acme"), &Scope::ALL);
    let all = operations(&app, &mut api).await;
    assert!(all.len() > 120, "{}", all.len());
    let before = state(&app);
    for (method, path, _) in all {
        let answer = own.at(&method, &path).await;
        assert!(!answer.body.contains("Secretname"), "{method} {path}: {}", answer.body);
        assert!(!answer.body.contains("beta"), "{method} {path}: {}", answer.body);
        let named =
            path.contains("/beta") || path.contains("/imports/") || path.contains("/tokens");
        if named {
            assert_eq!((answer.status, answer.code().as_str()), (403, "denied"), "{method} {path}");
        }
    }
    assert_eq!(state(&app), before, "nothing was changed");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scope_stands_for_itself() {
    let (app, mut api) = with_beta().await;
    let all = operations(&app, &mut api).await;
    for scope in Scope::ALL {
        let mut token = api.with(&app, None, &[scope]);
        for (method, path, needed) in &all {
            if *needed == scope.name() {
                continue;
            }
            let answer = token.at(method, path).await;
            assert_eq!(answer.status, 403, "{scope} at {method} {path} ({needed})");
        }
    }
    let mut nobody = api.without_token();
    for (method, path, _) in &all {
        let answer: Value = nobody.at(method, path).await.json();
        assert_eq!(answer["code"], "unauthorized", "{method} {path}");
    }
    assert_eq!(app.service.users("beta", None).unwrap().len(), 1);
    assert_eq!(app.service.accounts(Some("beta")).unwrap().len(), 1);
    app.stop().await;
}
