//! What `rollcall log` tells of what accounts did.

use std::time::{Duration, Instant};

use rollcall::model::{Protocol, VPath};
use rollcall::remote::Overwrite;
use rollcall::service::activity::{Activity, ActivityFilter};

use crate::app::TestApp;

/// Waits until `enough` says so; the oldest first.
pub(crate) async fn told(app: &TestApp, enough: impl Fn(&[Activity]) -> bool) -> Vec<Activity> {
    let begun = Instant::now();
    loop {
        let filter = ActivityFilter { limit: 1000, after: Some(0), ..ActivityFilter::default() };
        let all = app.service.activity(&filter).unwrap();
        if enough(&all) {
            return all;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{all:#?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_told_from_login_to_the_last_file() {
    for protocol in [Protocol::Sftp, Protocol::Ftps] {
        let app = TestApp::start().await;
        app.add_account("acme");
        let mut acme = app.connect("acme", protocol).await;
        let path = |text: &str| text.parse::<VPath>().unwrap();
        acme.put(&path("/papers/a.txt"), b"hello").await.unwrap();
        acme.get(&path("/papers/a.txt"), 100).await.unwrap();
        acme.rename(&path("/papers/a.txt"), &path("/papers/b.txt"), Overwrite::Never)
            .await
            .unwrap();
        acme.make_dir(&path("/papers/sub")).await.unwrap();
        acme.delete(&path("/papers/b.txt")).await.unwrap();
        let all = told(&app, |all| all.iter().any(|one| one.event == "delete")).await;
        let of = |event: &str| all.iter().find(|one| one.event == event).unwrap();
        let login = of("login");
        assert_eq!(login.client.as_deref(), Some("acme"));
        assert_eq!((login.login.as_str(), login.peer.as_str()), ("acme", "127.0.0.1"));
        assert_eq!(login.protocol, Some(protocol));
        assert!(!of("program").detail.is_empty());
        let upload = of("upload");
        assert_eq!((upload.path.as_deref(), upload.bytes), (Some("/papers/a.txt"), Some(5)));
        // printf hello | sha256sum
        assert_eq!(
            upload.sha256.as_deref(),
            Some("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824")
        );
        assert!(upload.milliseconds.is_some());
        assert_eq!(of("download").bytes, Some(5));
        assert_eq!(of("rename").detail, "to /papers/b.txt");
        assert_eq!(of("mkdir").path.as_deref(), Some("/papers/sub"));
        assert_eq!(of("delete").path.as_deref(), Some("/papers/b.txt"));
        let newest = ActivityFilter {
            event: Some("upload".to_owned()),
            login: Some("acme".to_owned()),
            client: Some("acme".to_owned()),
            limit: 5,
            ..ActivityFilter::default()
        };
        assert_eq!(app.service.activity(&newest).unwrap().len(), 1);
        app.service.erase_client("acme").unwrap();
        told(&app, |all| all.iter().all(|one| one.client.is_none())).await;
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_tell_the_reason_and_keep_no_password() {
    let app = TestApp::start_with(|config| config.throttle.first_delay_ms = 1).await;
    app.add_account("acme");
    app.service.set_account_enabled("acme", false).unwrap();
    for login in ["acme", "nobody", "My Secret Pass"] {
        assert!(app.try_connect(login, Protocol::Ftpes).await.is_err());
    }
    let all = told(&app, |all| all.len() >= 3).await;
    let told: Vec<_> = all
        .iter()
        .map(|one| {
            (one.event.as_str(), one.client.as_deref(), one.login.as_str(), one.detail.as_str())
        })
        .collect();
    assert_eq!(
        told,
        [
            ("refused", Some("acme"), "acme", "the account is disabled"),
            ("refused", None, "nobody", "unknown login"),
            ("refused", None, "(not a login)", "unknown login"),
        ]
    );
    app.stop().await;
}
