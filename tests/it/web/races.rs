//! Two people, or one and a stranger, at the same moment: what can happen once happens once.

use super::browser::{Answer, Browser};
use super::imports::{ended, held, hidden};
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
