//! Two people, or one and a stranger, at the same moment: what can happen once happens once.

use rollcall::model::{Language, Role};
use rollcall::service::administrators::AdministratorPatch;
use rollcall::service::rules::RulesPatch;

use super::browser::{Answer, Browser};
use super::door::enter;
use super::imports::{ended, held, hidden};
use super::people::with_roster;
use crate::app::{PASSWORD, TestApp};

/// Somebody at a second window of the same browser.
fn window(of: &Browser) -> Browser {
    Browser { address: of.address, cookies: of.cookies.clone(), csrf: of.csrf.clone() }
}

/// Sends the same form from several windows at once.
async fn at_once(of: &Browser, forms: &[(String, Vec<(&'static str, String)>)]) -> Vec<Answer> {
    let mut running = Vec::new();
    for (path, fields) in forms {
        let (path, fields) = (path.clone(), fields.clone());
        let mut browser = window(of);
        running.push(tokio::spawn(async move {
            let fields: Vec<(&str, &str)> =
                fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            browser.post(&path, &fields).await
        }));
    }
    let mut answers = Vec::new();
    for one in running {
        answers.push(one.await.unwrap());
    }
    answers
}

fn taken(answers: &[Answer]) -> usize {
    assert!(answers.iter().all(|a| a.status == 303 || a.status == 409), "{answers:?}");
    answers.iter().filter(|answer| answer.status == 303).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_decisions_about_one_import_one_counts() {
    for other in ["approve", "discard"] {
        let (app, mut anna, id) = held().await;
        let asked = anna.get(&format!("/imports/{id}/approve")).await;
        let plan = hidden(&asked, "plan");
        let form =
            |verdict: &str| (format!("/imports/{id}/{verdict}"), vec![("plan", plan.clone())]);
        let answers =
            at_once(&anna, &[form("approve"), form(other), form("approve"), form(other)]).await;
        assert_eq!(taken(&answers), 1, "{other}: {answers:?}");
        let status = app.service.import(id).unwrap().view.status;
        let expected = if status == "discarded" { 0 } else { 12 };
        assert_eq!(ended(&app), expected, "{status}");
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_is_taken_back_once() {
    let (app, mut anna, id) = held().await;
    let plan = hidden(&anna.get(&format!("/imports/{id}/approve")).await, "plan");
    anna.post(&format!("/imports/{id}/approve"), &[("plan", &plan)]).await;
    assert_eq!(ended(&app), 12);
    let address = format!("/imports/{id}/undo");
    let seen = hidden(&anna.get(&address).await, "seen");
    let form = || (address.clone(), vec![("seen", seen.clone())]);
    let answers = at_once(&anna, &[form(), form(), form()]).await;
    assert_eq!((taken(&answers), ended(&app)), (1, 0));
    let after = app.service.users("acme", None).unwrap();
    assert_eq!(anna.post(&address, &[("seen", &seen)]).await.status, 409, "an undone import");
    assert_eq!(app.service.users("acme", None).unwrap(), after);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_open_a_one_time_link_one_sees_it() {
    let mut app = TestApp::start().await;
    app.add_account("acme");
    let mut anna = Browser::first(&mut app).await;
    anna.get("/accounts/acme/sheet").await;
    let made = anna.post("/accounts/acme/handout", &[("password", PASSWORD)]).await;
    let (_, rest) = made.body.split_once("/handout/").unwrap();
    let token: String =
        rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-' || *c == '_').collect();
    let stranger = Browser::new(anna.address);
    let forms: Vec<_> = (0..4).map(|_| (format!("/handout/{token}"), Vec::new())).collect();
    let answers = at_once(&stranger, &forms).await;
    let seen = answers.iter().filter(|answer| answer.body.contains(PASSWORD)).count();
    let opened = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!((seen, opened), (1, 1), "{answers:?}");
    app.stop().await;
}

/// What a page's form showed, as it carries it.
fn was(page: &Answer) -> String {
    assert_eq!(page.status, 200, "{}", page.body);
    hidden(page, "was").replace("&#34;", "\"").replace("&quot;", "\"")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_form_takes_back_nothing_that_somebody_else_has_restricted() {
    let mut app = TestApp::start().await;
    app.add_account("acme");
    let mut anna = Browser::first(&mut app).await;
    let path = "/accounts/acme/permissions";
    let opened = was(&anna.get(path).await);
    let restricted = RulesPatch {
        allow_from: Some(vec!["192.0.2.0/24".parse().unwrap()]),
        ..RulesPatch::default()
    };
    app.service.set_account_rules("acme", &restricted).unwrap();
    // Her page still shows no addresses; she sets a day.
    let mut form = vec![("was", opened.as_str()), ("allow_from", ""), ("last_day", "2030-01-31")];
    let rights = ["list", "read", "write", "overwrite", "append", "delete", "rename", "mkdir"];
    form.extend(rights.map(|right| ("right", right)));
    form.extend(["needs_both", "lenient", "right", "own"].map(|name| ("has", name)));
    let saved = anna.post(path, &form).await;
    assert_eq!(saved.status, 303, "{}", saved.body);
    let rules = app.service.account_rules("acme").unwrap();
    assert!(rules.allow_from.len() == 1 && rules.expires_at.is_some(), "{rules:?}");
    // Who changes the same field is told, and decides.
    let mut quarrel = form.clone();
    quarrel[1] = ("allow_from", "203.0.113.0/24");
    let told = anna.post(path, &quarrel).await;
    assert_eq!(told.status, 409, "{}", told.body);
    assert!(told.body.contains("Somebody else has changed") && told.body.contains("192.0.2.0/24"));
    assert!(told.body.contains("203.0.113.0/24"), "what was typed stands there");
    assert_eq!(app.service.account_rules("acme").unwrap(), rules);
    let again = hidden(&told, "was").replace("&#34;", "\"").replace("&quot;", "\"");
    quarrel[0] = ("was", again.as_str());
    assert_eq!(anna.post(path, &quarrel).await.status, 303);
    let now = app.service.account_rules("acme").unwrap();
    assert_eq!(now.allow_from, ["203.0.113.0/24".parse().unwrap()]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_form_gives_nobody_a_role_back() {
    let mut app = TestApp::start().await;
    let mut anna = Browser::first(&mut app).await;
    enter(&app, anna.address, "otto", Role::Admin, None).await;
    let path = "/server/administrators/otto";
    let opened = was(&anna.get(path).await);
    let demoted =
        AdministratorPatch { role: Some((Role::Viewer, None)), ..AdministratorPatch::default() };
    app.service.set_administrator("otto", &demoted).unwrap();
    let form = |role, language| {
        [("was", opened.as_str()), ("role", role), ("client", ""), ("language", language)]
    };
    assert_eq!(anna.post(path, &form("admin", "de")).await.status, 303);
    let otto = app.service.administrator("otto").unwrap();
    assert_eq!((otto.role, otto.language), (Role::Viewer, Language::De));
    let told = anna.post(path, &form("operator", "en")).await;
    assert!(told.status == 409 && told.body.contains("viewer"), "{}", told.body);
    assert_eq!(app.service.administrator("otto").unwrap(), otto);
    app.stop().await;
}

/// A form's pairs, lent.
fn lent<'f>(form: &'f [(&'static str, String)]) -> Vec<(&'static str, &'f str)> {
    form.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_form_of_folders_or_of_an_export_changes_what_was_touched() {
    let mut app = with_roster().await;
    let mut anna = Browser::first(&mut app).await;
    let path = "/accounts/acme/folders";
    let page = anna.get(path).await;
    assert_eq!(page.status, 200);
    let folders = app.service.folders("acme").unwrap();
    let rows: Vec<[String; 6]> = folders
        .iter()
        .map(|f| {
            let pattern = f.pattern.clone().unwrap_or_default();
            let (path, purpose) = (f.path.to_string(), f.purpose.name().to_owned());
            let was = format!("{path} · {purpose} · {pattern}");
            assert!(page.body.contains(&was), "{was}: {}", page.body);
            [f.name.clone(), f.name.clone(), path, purpose, pattern, was]
        })
        .collect();
    let form = |changed: &str, to: &str| {
        let mut form = Vec::new();
        for row in &rows {
            let mut row = row.clone();
            if row[0] == changed {
                to.clone_into(&mut row[2]);
            }
            form.extend(["old", "name", "path", "purpose", "pattern", "was"].into_iter().zip(row));
        }
        form
    };
    let moved = form("roster", "/moved");
    assert_eq!(anna.post(path, &lent(&moved)).await.status, 303);
    // A second window that was opened before: what it did not touch stays.
    let other = form("out", "/outward");
    assert_eq!(anna.post(path, &lent(&other)).await.status, 303);
    let at = |name: &str| {
        let folders = app.service.folders("acme").unwrap();
        folders.into_iter().find(|f| f.name == name).unwrap().path.to_string()
    };
    assert_eq!((at("roster"), at("out")), ("/moved".to_owned(), "/outward".to_owned()));
    let quarrel = form("roster", "/elsewhere");
    let told = anna.post(path, &lent(&quarrel)).await;
    assert!(told.status == 409 && told.body.contains("/moved"), "{}", told.body);
    assert_eq!(at("roster"), "/moved");

    app.service.add_export("acme", "badges", "out", "what = \"all\"").unwrap();
    let path = "/clients/acme/exports/badges/settings";
    let opened = was(&anna.get(path).await);
    app.service.set_export_settings("acme", "badges", "what = \"all\"\ndecimal = \",\"").unwrap();
    let saved = anna.post(path, &[("was", &opened), ("decimal", "."), ("separator", "|")]).await;
    assert_eq!(saved.status, 303, "{}", saved.body);
    let settings = app.service.export("acme", "badges").unwrap().settings;
    assert_eq!((settings.decimal.name(), settings.separator), (",", '|'));
    let told = anna.post(path, &[("was", &opened), ("separator", "tab")]).await;
    assert!(told.status == 409 && told.body.contains("separator: |"), "{}", told.body);
    app.stop().await;
}
