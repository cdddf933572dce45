//! Webhooks: signed, in order, at least once; and nothing to anybody who should not be told.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use hmac::{Hmac, KeyInit as _, Mac as _};
use rollcall::clock::Clock;
use rollcall::config::Config;
use rollcall::error::Kind;
use rollcall::model::{EventKind, Language};
use rollcall::service::Service;
use rollcall::service::clients::NewClient;
use rollcall::service::outbox::{JobFilter, JobState, OutboxJob};
use rollcall::service::webhooks::WebhookWish;
use sha2::Sha256;

use super::receiver::{Message, Receiver};
use crate::bench::{Bench, DAY_1, DAY_2, DAY_3, put, wait};

/// Loopback may be called, and nothing is tried twice.
fn here(config: &mut Config) {
    config.outgoing.allow = vec!["127.0.0.0/8".parse().unwrap()];
    config.outgoing.attempts = 1;
}

fn wish(url: &str) -> WebhookWish {
    WebhookWish { name: "portal".to_owned(), url: url.to_owned(), client: None, kinds: Vec::new() }
}

fn jobs(bench: &Bench, state: JobState) -> Vec<OutboxJob> {
    let state = Some(state);
    bench.service.outbox(&JobFilter { state, ..JobFilter::default() }).unwrap()
}

/// How many events were given up, in however many messages.
fn given_up(bench: &Bench) -> usize {
    let events = |job: &OutboxJob| {
        let payload: serde_json::Value = serde_json::from_str(&job.payload).unwrap();
        payload["events"].as_array().unwrap().len()
    };
    jobs(bench, JobState::Failed).iter().map(events).sum()
}

fn signed_by(secret: &str, message: &Message) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(message.headers["x-rollcall-timestamp"].as_bytes());
    mac.update(b".");
    mac.update(&message.body);
    let hex: String = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
    format!("sha256={hex}")
}

fn alarms(bench: &Bench) -> Vec<String> {
    let all = bench.service.alarms(None, false, 100).unwrap();
    all.into_iter().map(|alarm| format!("{} {}", alarm.code, alarm.subject)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_is_told_in_order_and_signed() {
    let (bench, receiver) = (Bench::start_with(here), Receiver::start());
    let (made, secret) = bench.service.add_webhook(&wish(&receiver.url())).unwrap();
    assert!(secret.starts_with("whsec_") && secret.len() > 60);
    let session = bench.session().await;
    for day in [DAY_1, DAY_2, DAY_3] {
        put(&session, "/in/users.csv", day).await;
    }
    wait("all is told", || receiver.events().len() == 7);
    let kinds: Vec<String> = receiver.events().into_iter().map(|(kind, _)| kind).collect();
    let (imported, new) = ("import.finished", "user.created");
    assert_eq!(kinds, [imported, new, new, imported, new, imported, "user.changed"]);
    let told = receiver.told();
    for message in &told {
        assert_eq!(message.headers["x-rollcall-signature"], signed_by(&secret, message));
        let json = message.json();
        assert_eq!(
            (&json["schema"], &json["webhook"]),
            (&"rollcall/webhook/1".into(), &"portal".into())
        );
        assert_eq!(json["delivery"], message.headers["x-rollcall-delivery"]);
    }
    let numbers: Vec<i64> = told
        .iter()
        .flat_map(|m| m.json()["events"].as_array().unwrap().clone())
        .map(|event| event["id"].as_i64().unwrap())
        .collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");

    let other = bench.service.exchange_webhook_secret(&made.name, 1).unwrap();
    assert!(bench.service.webhook("portal").unwrap().old_secret_until.is_some());
    bench.service.test_webhook("portal").await.unwrap();
    let test = receiver.told().pop().unwrap();
    assert_eq!(test.headers["x-rollcall-event"], "test");
    let both = format!("{}, {}", signed_by(&other, &test), signed_by(&secret, &test));
    assert_eq!(test.headers["x-rollcall-signature"], both);
    let last = bench.service.exchange_webhook_secret(&made.name, 0).unwrap();
    bench.service.test_webhook("portal").await.unwrap();
    let test = receiver.told().pop().unwrap();
    assert_eq!(test.headers["x-rollcall-signature"], signed_by(&last, &test));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sealing_key_can_be_exchanged_while_a_webhook_has_two_secrets() {
    let (bench, receiver) = (Bench::start_with(here), Receiver::start());
    let (_, secret) = bench.service.add_webhook(&wish(&receiver.url())).unwrap();
    let newer = bench.service.exchange_webhook_secret("portal", 1).unwrap();
    assert_eq!(bench.service.rotate_sealing_key().unwrap(), 2);
    bench.service.test_webhook("portal").await.unwrap();
    let test = receiver.told().pop().unwrap();
    let both = format!("{}, {}", signed_by(&newer, &test), signed_by(&secret, &test));
    assert_eq!(test.headers["x-rollcall-signature"], both);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_up_raises_an_alarm_and_is_told_when_asked_for() {
    let (bench, receiver) = (Bench::start_with(here), Receiver::start());
    bench.service.add_webhook(&wish(&receiver.url())).unwrap();
    receiver.status.store(500, Ordering::Release);
    put(&bench.session().await, "/in/users.csv", DAY_1).await;
    wait("it is given up", || alarms(&bench) == ["T08 webhook portal"]);
    // One message or several: the import's own event may go out before those of its users.
    wait("all is given up", || given_up(&bench) == 3);
    let messages = jobs(&bench, JobState::Failed).len();
    let shown = bench.service.webhook("portal").unwrap();
    assert!(shown.failing_since.is_some());
    assert_eq!(usize::try_from(shown.given_up).unwrap(), messages);
    let none = bench.service.redeliver_webhook("portal", Some(1 << 40)).unwrap();
    assert_eq!(none, 0);
    // Redirects are not followed: the answer is a failure like any other.
    receiver.status.store(302, Ordering::Release);
    let refused = bench.service.test_webhook("portal").await.unwrap_err();
    assert!(refused.message().contains("redirects are not followed"), "{refused}");

    receiver.status.store(200, Ordering::Release);
    assert_eq!(bench.service.redeliver_webhook("portal", None).unwrap(), 3);
    wait("it is told", || receiver.events().len() == 3);
    wait("the alarm is over", || alarms(&bench).is_empty());
    assert_eq!(bench.service.webhook("portal").unwrap().failing_since, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_webhook_goes_on_where_it_stopped() {
    let (bench, receiver) = (Bench::start_with(here), Receiver::start());
    bench.service.add_webhook(&wish(&receiver.url())).unwrap();
    let session = bench.session().await;
    put(&session, "/in/users.csv", DAY_1).await;
    wait("the first is told", || receiver.events().len() == 3);
    wait("it is noted", || jobs(&bench, JobState::Waiting).is_empty());
    bench.service.pause_webhook("portal").unwrap();
    assert_eq!(bench.service.pause_webhook("portal").unwrap_err().kind(), Kind::Conflict);
    assert_eq!(
        bench.service.redeliver_webhook("portal", Some(0)).unwrap_err().kind(),
        Kind::Conflict
    );
    put(&session, "/in/users.csv", DAY_2).await;
    bench.wait_until_idle();
    assert!(jobs(&bench, JobState::Waiting).is_empty());
    assert_eq!(bench.service.resume_webhook("portal").unwrap(), 2);
    put(&session, "/in/users.csv", DAY_3).await;
    wait("all is told", || receiver.events().len() == 7);
    let subjects: Vec<String> = receiver.events().into_iter().map(|(_, subject)| subject).collect();
    assert_eq!((&*subjects[1], &*subjects[2], &*subjects[4], &*subjects[6]), ("1", "2", "3", "1"));
    assert_eq!(bench.service.resume_webhook("portal").unwrap_err().kind(), Kind::Conflict);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_fails_for_days_is_paused_and_nothing_is_lost() {
    let (bench, receiver) = (Bench::start_with(here), Receiver::start());
    let (made, _) = bench.service.add_webhook(&wish(&receiver.url())).unwrap();
    receiver.status.store(503, Ordering::Release);
    let days = jiff::SignedDuration::from_hours(24 * 5);
    let since = bench.service.clock().now().checked_sub(days).unwrap();
    bench.registry().note_webhook(made.id, Some(since)).unwrap();
    put(&bench.session().await, "/in/users.csv", DAY_1).await;
    wait("it is paused", || bench.service.webhook("portal").unwrap().paused_at.is_some());
    wait("somebody hears of it", || alarms(&bench) == ["T08 webhook portal"]);
    wait("nothing waits", || jobs(&bench, JobState::Waiting).is_empty());
    let why = bench.service.webhook("portal").unwrap().paused_why.unwrap();
    assert!(why.contains("failed for 5 days") && why.contains("503"), "{why}");
    receiver.status.store(204, Ordering::Release);
    assert_eq!(bench.service.resume_webhook("portal").unwrap(), 3);
    wait("it is told", || receiver.events().len() == 3);
    wait("the alarm is over", || alarms(&bench).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_of_one_client_hears_nothing_of_another_and_goes_with_it() {
    let (bench, receiver) = (Bench::start_with(here), Receiver::start());
    let other = NewClient {
        slug: "other".to_owned(),
        name: "Other".to_owned(),
        language: Language::En,
        time_zone: "UTC".to_owned(),
    };
    bench.service.add_client(other).unwrap();
    let all = EventKind::ALL.to_vec();
    let bound =
        WebhookWish { client: Some("other".to_owned()), kinds: all, ..wish(&receiver.url()) };
    bench.service.add_webhook(&bound).unwrap();
    put(&bench.session().await, "/in/users.csv", DAY_1).await;
    bench.wait_until_idle();
    bench.service.set_client_enabled("other", false).unwrap();
    wait("its own is told", || receiver.events().len() == 1);
    assert_eq!(receiver.events(), [("client.changed".to_owned(), "other".to_owned())]);
    assert_eq!(bench.service.add_webhook(&bound).unwrap_err().kind(), Kind::Exists);
    bench.service.erase_client("other").unwrap();
    assert!(bench.service.webhooks().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_of_this_network_are_called_only_when_they_are_allowed() {
    let (bench, receiver) = (Bench::start(), Receiver::start());
    let in_clear = bench.service.add_webhook(&wish(&receiver.url())).unwrap_err();
    assert!(in_clear.message().contains("outgoing.allow"), "{in_clear}");
    let url = format!("https://{}/", receiver.address);
    bench.service.add_webhook(&wish(&url)).unwrap();
    let refused = bench.service.test_webhook("portal").await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Denied, "{refused}");
    assert!(receiver.told().is_empty());
    bench.service.remove_webhook("portal").unwrap();
    assert_eq!(bench.service.webhook("portal").unwrap_err().kind(), Kind::NotFound);
}

#[test]
fn what_waits_when_the_server_stops_is_told_by_the_next_one() {
    let (bench, receiver) = (Bench::start_with(here), Receiver::start());
    let kinds = vec![EventKind::ClientChanged];
    bench.service.add_webhook(&WebhookWish { kinds, ..wish(&receiver.url()) }).unwrap();
    let folder = bench.stop();
    let data = folder.path().join("data");
    // Without workers nothing is sent.
    let service = Service::open(Arc::default(), &data, Clock::System).unwrap();
    service.set_client_enabled("acme", false).unwrap();
    let waiting = service.outbox(&JobFilter::default()).unwrap();
    assert_eq!(waiting[0].state, JobState::Waiting);
    assert_eq!(receiver.told().len(), 0);
    drop(service);
    let bench = Bench::open(folder, here);
    wait("it is told", || receiver.events().len() == 1);
    wait("it is noted", || jobs(&bench, JobState::Waiting).is_empty());
    let bench = Bench::open(bench.stop(), here);
    bench.service.set_client_enabled("acme", true).unwrap();
    wait("only what is new is told", || receiver.events().len() == 2);
}
