//! Who gets in, and who does not.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use rollcall::error::Kind;
use rollcall::model::{Administrator, Language, Role};
use rollcall::service::Service;
use rollcall::service::administrators::{AdministratorPatch, NewAdministrator};
use rollcall::service::sign_in::{From, Presence};

use super::browser::{ADMIN_PASSWORD, Answer, Browser};
use crate::app::TestApp;

#[tokio::test(flavor = "multi_thread")]
async fn the_first_administrator_comes_by_a_link_that_works_once() {
    let mut app = TestApp::start().await;
    let (address, link) = app.open_page().await;
    let path = format!("/set-up/{}", link.unwrap().split_once("/set-up/").unwrap().1);
    let mut anna = Browser::new(address);
    let asked = anna.get("/").await;
    assert_eq!((asked.status, asked.header("location")), (303, "/sign-in?next=%2F"));
    assert_eq!(anna.get(&path).await.status, 200);
    let form = [("name", "Anna"), ("password", ADMIN_PASSWORD), ("again", "another-long-one")];
    let differs = anna.post(&path, &form).await;
    assert!(differs.body.contains("The two passwords differ"), "{}", differs.body);
    let form = [("name", "Anna"), ("password", ADMIN_PASSWORD), ("again", ADMIN_PASSWORD)];
    assert_eq!(anna.post(&path, &form).await.status, 303);
    let page = anna.get("/").await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains(">anna</a>"), "{}", page.body);

    let mut other = Browser::new(address);
    assert_eq!(other.post(&path, &form).await.status, 404);
    let wrong = [("name", "anna"), ("password", "not-the-password")];
    assert_eq!(other.post("/sign-in", &wrong).await.status, 403);
    assert_eq!(other.get("/").await.status, 303);
    let right = [("name", "anna"), ("password", ADMIN_PASSWORD), ("next", "//evil.example")];
    assert_eq!(other.post("/sign-in", &right).await.header("location"), "/");

    let csrf = std::mem::take(&mut anna.csrf);
    assert_eq!(anna.post("/sign-out", &[]).await.status, 403, "a form without its secret");
    anna.csrf = csrf;
    assert_eq!(anna.get("/").await.status, 200);
    assert_eq!(anna.post("/sign-out", &[]).await.header("location"), "/sign-in");
    assert_eq!(anna.get("/").await.status, 303);
    assert_eq!(other.get("/").await.status, 200, "another session goes on");
    // A button that is pressed after the end does nothing, and the page says so.
    let late = anna.post("/me/language", &[("language", "fr")]).await;
    assert_eq!((late.status, late.header("location")), (303, "/sign-in?next=%2F&lost=1"));
    let asked = anna.get(late.header("location")).await;
    assert!(asked.body.contains("what you sent was not done"), "{}", asked.body);
    assert!(!anna.get("/sign-in?next=%2F").await.body.contains("not done"));
    let out = anna.post("/sign-out", &[]).await;
    assert_eq!((out.status, out.header("location")), (303, "/sign-in?next=%2F"));
    app.stop().await;
}

/// Adds somebody with the first administrator's password and returns a browser that is signed in.
pub(crate) async fn enter(
    app: &TestApp,
    address: SocketAddr,
    name: &str,
    role: Role,
    client: Option<&str>,
) -> Browser {
    let client = client.map(str::to_owned);
    let new = NewAdministrator { name: name.to_owned(), role, client, language: Language::En };
    app.service.add_administrator(&new, Some(ADMIN_PASSWORD)).unwrap();
    let mut browser = Browser::new(address);
    assert_eq!(sign_in(&mut browser, name, ADMIN_PASSWORD).await.status, 303);
    assert_eq!(browser.get("/").await.status, 200);
    browser
}

async fn sign_in(browser: &mut Browser, name: &str, password: &str) -> Answer {
    browser.post("/sign-in", &[("name", name), ("password", password)]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_sign_in_has_a_token_of_its_own_and_ends_the_one_before() {
    let mut app = TestApp::start().await;
    let mut anna = Browser::first(&mut app).await;
    let first = anna.cookies.get("rollcall_session").unwrap().clone();
    // Somebody else's session was planted in this browser.
    let mut victim = Browser::new(anna.address);
    victim.cookies.insert("rollcall_session".to_owned(), first.clone());
    assert_eq!(sign_in(&mut victim, "anna", ADMIN_PASSWORD).await.status, 303);
    assert_ne!(victim.cookies.get("rollcall_session"), Some(&first));
    assert_eq!(victim.get("/").await.status, 200);
    assert_eq!(anna.get("/").await.status, 303, "the planted session leads nowhere any more");
    for made_up in ["", "0", "..", &"f".repeat(5000)] {
        let mut nobody = Browser::new(anna.address);
        nobody.cookies.insert("rollcall_session".to_owned(), made_up.to_owned());
        assert_eq!(nobody.get("/").await.status, 303, "{made_up}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_end_with_the_password_the_role_and_the_right_to_be_here() {
    let mut app = TestApp::start().await;
    app.add_account("acme");
    let address = Browser::first(&mut app).await.address;
    let mut olga = enter(&app, address, "olga", Role::Viewer, None).await;
    let patch = |role: Option<Role>, enabled: Option<bool>| AdministratorPatch {
        role: role.map(|role| (role, None)),
        language: Some(Language::Fr),
        enabled,
    };
    app.service.set_administrator("olga", &patch(Some(Role::Viewer), Some(true))).unwrap();
    assert!(olga.get("/").await.body.contains("lang=\"fr\""), "nothing that ends a session");
    app.service.set_administrator("olga", &patch(Some(Role::Operator), None)).unwrap();
    assert_eq!(olga.get("/").await.status, 303, "the role changed");
    sign_in(&mut olga, "olga", ADMIN_PASSWORD).await;
    assert_eq!(olga.get("/").await.status, 200);
    app.service.set_administrator_password("olga", "another-long-password").unwrap();
    assert_eq!(olga.get("/").await.status, 303, "the password changed");
    assert_eq!(sign_in(&mut olga, "olga", ADMIN_PASSWORD).await.status, 403);
    sign_in(&mut olga, "olga", "another-long-password").await;
    assert_eq!(olga.get("/").await.status, 200);
    app.service.set_administrator("olga", &patch(None, Some(false))).unwrap();
    assert_eq!(olga.get("/").await.status, 303, "disabled");
    assert_eq!(sign_in(&mut olga, "olga", "another-long-password").await.status, 403);
    assert!(app.service.invite_administrator("olga").is_err(), "a link that could not be used");
    app.service.set_administrator("olga", &patch(None, Some(true))).unwrap();
    assert_eq!(olga.get("/").await.status, 303, "what ended stays ended");
    app.service.remove_administrator("olga").unwrap();
    assert_eq!(sign_in(&mut olga, "olga", "another-long-password").await.status, 403);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_one_in_charge_stays() {
    let mut app = TestApp::start().await;
    Browser::first(&mut app).await;
    let service = &app.service;
    let demoted =
        AdministratorPatch { role: Some((Role::Operator, None)), ..AdministratorPatch::default() };
    let disabled = AdministratorPatch { enabled: Some(false), ..AdministratorPatch::default() };
    let new = |name: &str, role| NewAdministrator {
        name: name.to_owned(),
        role,
        client: None,
        language: Language::En,
    };
    // One who was invited and has not come yet is nobody to rely on.
    service.add_administrator(&new("bert", Role::Admin), None).unwrap();
    let refused = |result: rollcall::error::Result<Administrator>| {
        assert_eq!(result.unwrap_err().kind(), Kind::Conflict);
    };
    refused(service.set_administrator("anna", &demoted));
    refused(service.set_administrator("anna", &disabled));
    refused(service.remove_administrator("anna"));
    assert_eq!(service.administrator("anna").unwrap().role, Role::Admin);
    service.set_administrator_password("bert", ADMIN_PASSWORD).unwrap();
    service.set_administrator("anna", &demoted).unwrap();
    refused(service.remove_administrator("bert"));
    service.remove_administrator("anna").unwrap();
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_first_administrators_at_once_are_one() {
    let mut app = TestApp::start().await;
    let stale = app.service.first_invitation().unwrap().unwrap();
    let (address, link) = app.open_page().await;
    let path = format!("/set-up/{}", link.unwrap().split_once("/set-up/").unwrap().1);
    let old = format!("/set-up/{stale}");
    assert_eq!(Browser::new(address).get(&old).await.status, 404, "the link before is void");
    let together = (0..8).map(|n| {
        let path = path.clone();
        tokio::spawn(async move {
            let name = format!("first{n}");
            let form =
                [("name", name.as_str()), ("password", ADMIN_PASSWORD), ("again", ADMIN_PASSWORD)];
            Browser::new(address).post(&path, &form).await.status
        })
    });
    let mut statuses = Vec::new();
    for one in together.collect::<Vec<_>>() {
        statuses.push(one.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 404, 404, 404, 404, 404, 404, 404]);
    assert_eq!(app.service.administrators().unwrap().len(), 1);
    assert!(app.service.first_invitation().unwrap().is_none());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_chooses_a_password_once_and_a_newer_one_voids_it() {
    let mut app = TestApp::start().await;
    let address = Browser::first(&mut app).await.address;
    let new = NewAdministrator {
        name: "Olga@Example.org".to_owned(),
        role: Role::Viewer,
        client: None,
        language: Language::De,
    };
    assert_eq!(app.service.add_administrator(&new, None).unwrap().name, "olga@example.org");
    for actor in ["cli", " CLI", "link", "retention", "schedule", "export", "new"] {
        let new = NewAdministrator { name: actor.to_owned(), ..new.clone() };
        let refused = app.service.add_administrator(&new, None).unwrap_err();
        assert_eq!(refused.kind(), Kind::Invalid, "{actor}: {refused}");
    }
    let path = |token: String| format!("/set-up/{token}");
    let first = path(app.service.invite_administrator("olga@example.org").unwrap());
    let second = path(app.service.invite_administrator("olga@example.org").unwrap());
    let mut olga = Browser::new(address);
    assert_eq!(olga.get(&first).await.status, 404);
    assert!(olga.get(&second).await.body.contains("olga@example.org"));
    let short = [("password", "short"), ("again", "short")];
    assert_eq!(olga.post(&second, &short).await.status, 422);
    // Whoever holds the link cannot become somebody else by it.
    let form = [("name", "anna"), ("password", ADMIN_PASSWORD), ("again", ADMIN_PASSWORD)];
    assert_eq!(olga.post(&second, &form).await.status, 303);
    assert!(olga.get("/").await.body.contains(">olga@example.org</a>"));
    assert_eq!(olga.post(&second, &form).await.status, 404);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_went_wrong_leaves_no_session_and_no_link_behind() {
    static NOW: AtomicI64 = AtomicI64::new(0);
    let hour = 3_600_000_000;
    let start = 1_800_000_000_000_000;
    NOW.store(start + 100 * hour, Ordering::Release);
    let folder = tempfile::tempdir().unwrap();
    let service =
        Service::open(std::sync::Arc::default(), folder.path(), rollcall::clock::Clock::Set(&NOW))
            .unwrap();
    let new = NewAdministrator {
        name: "anna".to_owned(),
        role: Role::Admin,
        client: None,
        language: Language::En,
    };
    let anna = service.add_administrator(&new, Some(ADMIN_PASSWORD)).unwrap();
    let from = From { peer: "192.0.2.1".parse().unwrap(), agent: "test".to_owned() };
    let begin = || service.begin_session(&anna, &from).unwrap();
    let (ahead, link) = (begin(), service.invite_administrator("anna").unwrap());
    assert!(
        service.session(&ahead, Presence::Person).unwrap().is_some()
            && service.invitation(&link).is_ok()
    );
    NOW.store(start, Ordering::Release);
    assert!(service.session(&ahead, Presence::Person).unwrap().is_none(), "begun in the future");
    assert!(service.invitation(&link).is_err(), "made in the future");
    let session = begin();
    for minutes in [59, 118, 177] {
        NOW.store(start + minutes * hour / 60, Ordering::Release);
        assert!(service.session(&session, Presence::Person).unwrap().is_some(), "used every hour");
        // The note of it goes through the same queue as this.
        assert_eq!(service.end_all_sessions("anna", Some(&session)).unwrap(), 0);
    }
    let (idle, long) = (begin(), begin());
    NOW.store(start + 10 * hour, Ordering::Release);
    assert!(
        service.session(&idle, Presence::Person).unwrap().is_none(),
        "not used for longer than an hour"
    );
    assert!(service.session(&long, Presence::Person).unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_ins_are_slowed_by_name_and_refused_by_address_in_the_same_words_for_every_name() {
    let mut app = TestApp::start_with(|config| {
        config.throttle.first_delay_ms = 1;
        config.throttle.max_delay_ms = 2;
        config.throttle.familiar_delay_ms = 2;
        config.throttle.ban_unknown_logins = 6;
        config.proxy.trusted = vec!["127.0.0.1".parse().unwrap()];
    })
    .await;
    let address = Browser::first(&mut app).await.address;
    let new = NewAdministrator {
        name: "dora".to_owned(),
        role: Role::Viewer,
        client: None,
        language: Language::En,
    };
    app.service.add_administrator(&new, Some(ADMIN_PASSWORD)).unwrap();
    let off = AdministratorPatch { enabled: Some(false), ..AdministratorPatch::default() };
    app.service.set_administrator("dora", &off).unwrap();
    let attempt = |from: &'static str, name: String, password: &'static str| async move {
        let body = format!("name={name}&password={password}");
        let headers =
            [("content-type", "application/x-www-form-urlencoded"), ("x-forwarded-for", from)];
        Browser::new(address).send("POST", "/sign-in", &headers, body.as_bytes()).await
    };
    let (known, disabled, unknown) = (
        attempt("203.0.113.1", "anna".to_owned(), "wrong-wrong-wrong").await,
        attempt("203.0.113.1", "dora".to_owned(), ADMIN_PASSWORD).await,
        attempt("203.0.113.1", "nobody".to_owned(), "wrong-wrong-wrong").await,
    );
    assert_eq!((known.status, disabled.status, unknown.status), (403, 403, 403));
    assert_eq!(known.body.replace("anna", "X"), unknown.body.replace("nobody", "X"));
    assert_eq!(known.body.replace("anna", "X"), disabled.body.replace("dora", "X"));
    for n in 0..3 {
        assert_eq!(attempt("203.0.113.1", format!("made-up-{n}"), "x").await.status, 403);
    }
    let banned = attempt("203.0.113.1", "anna".to_owned(), ADMIN_PASSWORD).await;
    assert_eq!(banned.status, 429, "{}", banned.body);
    // The address beside it, and one that only claims to be banned, are not.
    let other = attempt("203.0.113.1, 203.0.113.2", "anna".to_owned(), ADMIN_PASSWORD).await;
    assert_eq!(other.status, 303, "{}", other.body);
    assert_eq!(app.service.bans().unwrap().len(), 1);
    app.service.lift_ban("203.0.113.1").unwrap();
    let until = std::time::Instant::now() + Duration::from_secs(120);
    while attempt("203.0.113.1", "anna".to_owned(), ADMIN_PASSWORD).await.status != 303 {
        assert!(std::time::Instant::now() < until, "a lifted ban counts within a second");
    }
    app.stop().await;
}
