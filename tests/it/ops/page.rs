//! Webhooks on the page: what each form does, what is refused, and who may not even look.

use std::sync::atomic::Ordering;

use rollcall::service::outbox::{JobFilter, JobState};

use super::receiver::Receiver;
use crate::app::TestApp;
use crate::bench::wait;
use crate::web::browser::Browser;

const HOME: &str = "/server/webhooks";

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_are_added_tested_paused_and_removed_without_a_shell() {
    let mut app = TestApp::start_with(|config| {
        config.outgoing.allow = vec!["127.0.0.0/8".parse().unwrap()];
        config.outgoing.attempts = 1;
    })
    .await;
    app.add_account("acme");
    let receiver = Receiver::start();
    let mut anna = Browser::first(&mut app).await;
    assert!(anna.get(HOME).await.body.contains("There are no webhooks yet"));
    let url = receiver.url();
    let hostile = "<script>alert(1)</script>\"'";
    for (name, url) in [(hostile, url.as_str()), ("portal", "ftp://x"), ("portal", "http://a b/")] {
        let refused = anna.post(HOME, &[("name", name), ("url", url)]).await;
        assert_eq!(refused.status, 422, "{name} {url}");
        assert!(!refused.body.contains("<script>alert"), "{}", refused.body);
        assert!(refused.body.contains("role=\"alert\""), "{}", refused.body);
    }
    let unknown = [("name", "portal"), ("url", &url), ("client", "nobody")];
    assert_eq!(anna.post(HOME, &unknown).await.status, 422);
    assert!(app.service.webhooks().unwrap().is_empty(), "nothing that was refused is there");

    let kinds = [("on", "client.changed"), ("on", "user.ended")];
    let form =
        [&[("name", "portal"), ("url", url.as_str()), ("client", "acme")][..], &kinds].concat();
    let added = anna.post(HOME, &form).await;
    let secret = added.body.split_once("<code class=\"secret\">").unwrap().1;
    let secret = secret.split('<').next().unwrap().to_owned();
    assert!(added.status == 200 && secret.starts_with("whsec_"), "{}", added.body);
    assert_eq!(added.header("cache-control"), "no-store");
    let shown = anna.get(HOME).await.body;
    assert!(shown.contains("portal") && !shown.contains("whsec_"), "the secret is shown once");
    let on: Vec<String> =
        app.service.webhook("portal").unwrap().on.iter().map(ToString::to_string).collect();
    assert_eq!(on, ["user.ended", "users.changed", "client.changed"]);

    let act = async |anna: &mut Browser, what: &str, fields: &[(&str, &str)]| {
        let done = anna.post(&format!("{HOME}/portal/{what}"), fields).await;
        assert_eq!((done.status, done.header("location")), (303, HOME), "{what}: {}", done.body);
        anna.get(HOME).await.body
    };
    assert!(act(&mut anna, "test", &[]).await.contains("The address answered: 204"));
    assert_eq!(receiver.told().len(), 1);
    receiver.status.store(302, Ordering::Release);
    assert!(act(&mut anna, "test", &[]).await.contains("redirects are not followed"));
    receiver.status.store(204, Ordering::Release);

    assert!(act(&mut anna, "pause", &[]).await.contains("paused"));
    assert!(act(&mut anna, "pause", &[]).await.contains("is paused already"));
    app.service.set_client_enabled("acme", false).unwrap();
    assert!(act(&mut anna, "resume", &[]).await.contains("1 events are queued"));
    wait("it is told", || receiver.told().len() == 2);
    wait("it is noted", || {
        let filter = JobFilter { state: Some(JobState::Waiting), ..JobFilter::default() };
        app.service.outbox(&filter).unwrap().is_empty()
    });
    assert!(act(&mut anna, "redeliver", &[("after", "x")]).await.contains("not the number"));
    assert!(act(&mut anna, "redeliver", &[]).await.contains("nothing was given up"));
    act(&mut anna, "redeliver", &[("after", "0")]).await;
    wait("it is told again", || receiver.told().len() == 3);
    let other = anna.post(&format!("{HOME}/portal/secret"), &[]).await.body;
    assert!(other.contains("whsec_") && !other.contains(&secret), "{other}");
    assert!(act(&mut anna, "remove", &[]).await.contains("There are no webhooks yet"));
    assert_eq!(anna.post(&format!("{HOME}/portal/remove"), &[]).await.status, 404);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_form_of_another_site_or_of_nobody_changes_nothing() {
    let mut app = TestApp::start().await;
    let mut anna = Browser::first(&mut app).await;
    let form = [("name", "portal"), ("url", "https://hr.example.com/")];
    anna.csrf = "0".repeat(32);
    assert_eq!(anna.post(HOME, &form).await.status, 403);
    let mut nobody = Browser::new(anna.address);
    assert_eq!(nobody.get(HOME).await.status, 303);
    assert_eq!(nobody.post(HOME, &form).await.status, 303);
    assert!(app.service.webhooks().unwrap().is_empty());
    app.stop().await;
}
