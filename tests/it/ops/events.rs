//! Events: each told once, in one order, whoever did it and whatever ended in between.

use rollcall::error::Kind;
use rollcall::import::fields::{Field, FieldKey};
use rollcall::model::{Event, EventKind};
use rollcall::service::events::{EventFilter, EventPage};

use crate::bench::{Bench, DAY_1, DAY_2, DAY_3, put};

fn page(bench: &Bench, after: i64, limit: u32, kinds: &[EventKind]) -> EventPage {
    let filter =
        EventFilter { after, client: Some("acme".to_owned()), kinds: kinds.to_vec(), limit };
    bench.service.events(&filter).unwrap()
}

/// The events of imports and users, in short: kind and subject.
fn told(bench: &Bench) -> Vec<(String, String)> {
    let of_data =
        |event: &Event| event.kind.is_of_users() || event.kind.name().starts_with("import.");
    let events = page(bench, 0, 1000, &[]).events;
    let short = |event: &Event| (event.kind.name().to_owned(), event.subject.clone());
    events.iter().filter(|event| of_data(event)).map(short).collect()
}

fn kinds(bench: &Bench) -> Vec<String> {
    told(bench).into_iter().map(|(kind, _)| kind).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn imports_users_and_edits_are_told_once_and_in_order_also_over_restarts() {
    let bench = Bench::start();
    put(&bench.session().await, "/in/users.csv", DAY_1).await;
    bench.wait_until_idle();
    let import = bench.imports()[0].id.to_string();
    let first = told(&bench);
    let expected =
        [("import.finished", import.as_str()), ("user.created", "1"), ("user.created", "2")];
    let expected = expected.map(|(kind, subject)| (kind.to_owned(), subject.to_owned()));
    assert_eq!(first, expected);
    let created = &page(&bench, 0, 1000, &[EventKind::UserCreated]).events[0];
    assert_eq!(created.data["import"], import);
    assert!(!created.data.to_string().contains("Dupont"), "no value of a person: {created:?}");

    let bench = bench.restart();
    assert_eq!(told(&bench), expected, "a restart tells nothing again");
    put(&bench.session().await, "/in/users.csv", DAY_2).await;
    bench.wait_until_idle();
    put(&bench.session().await, "/in/users.csv", DAY_3).await;
    bench.wait_until_idle();
    let department = FieldKey::Known(Field::Department);
    bench.service.edit_user("acme", 2, &[(department, "IT".to_owned())], "anna").unwrap();
    let end = FieldKey::Known(Field::ContractEnd);
    bench.service.edit_user("acme", 2, &[(end, "2027-12-31".to_owned())], "anna").unwrap();
    let later: Vec<_> = told(&bench).into_iter().skip(3).collect();
    let later: Vec<(&str, &str)> =
        later.iter().map(|(kind, subject)| (kind.as_str(), subject.as_str())).collect();
    let ids: Vec<String> = bench.imports().iter().map(|i| i.id.to_string()).collect();
    assert_eq!(
        later,
        [
            ("import.finished", ids[1].as_str()),
            ("user.created", "3"),
            ("import.finished", &ids[2]),
            ("user.changed", "1"),
            ("user.changed", "2"),
            ("user.ended", "2"),
        ]
    );
    let changed = page(&bench, 0, 1000, &[EventKind::UserChanged]).events;
    assert_eq!(changed[0].data["fields"], serde_json::json!(["last_name"]));
    assert_eq!((&changed[1].data["by"], &changed[1].data["who"]), (&"edit".into(), &"anna".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_tells_who_is_gone_and_who_is_as_before() {
    let bench = Bench::start();
    put(&bench.session().await, "/in/users.csv", DAY_1).await;
    put(&bench.session().await, "/in/users.csv", DAY_3).await;
    bench.wait_until_idle();
    let last = bench.imports()[1].id;
    let before = told(&bench).len();
    bench.service.undo_import(last, "anna").unwrap();
    let mut after: Vec<_> = told(&bench).into_iter().skip(before).collect();
    after.sort();
    let expected = [
        ("import.undone".to_owned(), last.to_string()),
        ("user.changed".to_owned(), "1".to_owned()),
        ("user.withdrawn".to_owned(), "3".to_owned()),
    ];
    assert_eq!(after, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_users_at_once_are_one_event() {
    let bench = Bench::start_with(|config| config.webhooks.users_told = 2);
    let session = bench.session().await;
    put(&session, "/in/users.csv", DAY_2).await;
    bench.wait_until_idle();
    assert_eq!(kinds(&bench), ["import.finished", "users.changed"]);
    let all = page(&bench, 0, 10, &[EventKind::UsersChanged]).events;
    assert_eq!(all[0].data["counts"]["created"], 3);
    put(&session, "/in/users.csv", DAY_3).await;
    bench.wait_until_idle();
    assert_eq!(kinds(&bench)[2..], ["import.finished", "user.changed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_pages_through_and_says_when_it_is_of_another_time() {
    let bench = Bench::start();
    put(&bench.session().await, "/in/users.csv", DAY_2).await;
    bench.wait_until_idle();
    let all = page(&bench, 0, 1000, &[]).events;
    assert!(all.windows(2).all(|two| two[0].id < two[1].id));
    let (mut after, mut paged) = (0, Vec::new());
    loop {
        let next = page(&bench, after, 2, &[]);
        assert!(next.events.len() <= 2 && next.next >= after);
        after = next.next;
        paged.extend(next.events);
        if !next.more {
            break;
        }
    }
    assert_eq!(paged, all);
    // A filter that finds nothing moves the cursor all the same.
    let nothing = page(&bench, 0, 10, &[EventKind::AccountRemoved]);
    assert_eq!((nothing.events.len(), nothing.next, nothing.more), (0, after, false));
    let filter = EventFilter { after: after + 1, limit: 1, ..EventFilter::default() };
    let refused = bench.service.events(&filter).unwrap_err();
    assert_eq!(refused.kind(), Kind::Conflict);
    assert!(refused.message().contains(&format!("go on from {after}")), "{refused}");
    bench.registry().forget_events(bench.service.clock().now()).unwrap();
    assert!(page(&bench, 0, 10, &[]).gap && !page(&bench, after, 10, &[]).gap);
    let of_other = EventFilter { client: Some("else".to_owned()), ..EventFilter::default() };
    assert_eq!(bench.service.events(&of_other).unwrap_err().kind(), Kind::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_operators_change_is_told_and_goes_with_the_client() {
    let bench = Bench::start();
    let accounts = page(&bench, 0, 100, &[]);
    let first: Vec<&str> = accounts.events.iter().map(|event| event.kind.name()).collect();
    assert!(first.starts_with(&["client.added", "account.added"]), "{first:?}");
    bench.service.set_client_enabled("acme", false).unwrap();
    bench.service.set_settings("acme", "import", "mode = \"delta\"").unwrap();
    let later = page(&bench, accounts.next, 10, &[]).events;
    let later: Vec<(&str, &str)> =
        later.iter().map(|event| (event.kind.name(), event.subject.as_str())).collect();
    assert_eq!(later, [("client.changed", "acme"), ("settings.changed", "import")]);
    bench.service.erase_client("acme").unwrap();
    let left = bench.service.events(&EventFilter { limit: 100, ..EventFilter::default() }).unwrap();
    assert_eq!(left.events, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_from_an_older_backup_tells_only_what_is_new() {
    let bench = Bench::start();
    put(&bench.session().await, "/in/users.csv", DAY_1).await;
    bench.wait_until_idle();
    let folder = bench.stop();
    let database = folder.path().join("data/clients/acme/users.db");
    let older = std::fs::read(&database).unwrap();
    let bench = Bench::open(folder, |_| {});
    put(&bench.session().await, "/in/users.csv", DAY_2).await;
    bench.wait_until_idle();
    let before = told(&bench).len();
    let folder = bench.stop();
    for ending in ["-wal", "-shm"] {
        drop(std::fs::remove_file(
            folder.path().join(format!("data/clients/acme/users.db{ending}")),
        ));
    }
    std::fs::write(&database, older).unwrap();
    let bench = Bench::open(folder, |_| {});
    bench.wait_until_idle();
    // The second file is imported again: Zoé is new to this directory.
    assert_eq!(bench.statuses(), ["ok", "ok"]);
    let later: Vec<_> = told(&bench).into_iter().skip(before).collect();
    assert_eq!(later, [("user.created".to_owned(), "3".to_owned())]);
}
