//! Settings at their ends: refused in words, or taken; nothing panics.

use std::collections::BTreeMap;

use rollcall::config::Config;
use rollcall::model::{Protocol, VPath};
use rollcall::remote::Connection;

use super::{Workplace, sample};

/// Settings that a test cannot afford at their ends: threads, and a disk without room.
const SPARED: [(&str, i64); 3] =
    [("limits.import_workers", 4), ("outgoing.jobs", 4), ("limits.min_free_bytes", 0)];

/// Every setting of the document whose default is a number.
fn numbers() -> Vec<String> {
    let document = include_str!("../../../docs/configuration.md");
    let rows = document.lines().filter(|line| line.contains("ROLLCALL_"));
    let cells = rows.map(|row| row.split('|').map(|cell| cell.trim().trim_matches('`')));
    let numbers = cells.filter_map(|mut cells| {
        let (key, default) = (cells.nth(1)?, cells.next()?);
        default.parse::<i64>().ok().map(|_| key.to_owned())
    });
    numbers.collect()
}

/// Writes `rollcall.toml` with every number at the most that is taken, as the refusals tell it.
fn write_the_most(place: &Workplace) {
    let path = place.path("rollcall.toml");
    let mut numbers: BTreeMap<String, i64> =
        numbers().into_iter().map(|key| (key, i64::MAX)).collect();
    assert!(numbers.len() > 70, "{numbers:?}");
    for (key, value) in SPARED {
        assert!(numbers.insert(key.to_owned(), value).is_some(), "{key}");
    }
    for _ in 0..3 * numbers.len() {
        let mut text = String::new();
        for (key, value) in &numbers {
            let (section, name) = key.split_once('.').unwrap();
            text.push_str(&format!("{section}.{name} = {value}\n"));
        }
        std::fs::write(&path, text).unwrap();
        let Err(refused) = Config::load(Some(&path)) else { return };
        let message = refused.message();
        let key = numbers.keys().find(|key| message.contains(&format!(": {key} is "))).cloned();
        let key = key.unwrap_or_else(|| panic!("{message}"));
        let most = match message.split_once("use at most ") {
            Some((_, most)) => most.split(' ').next().unwrap().parse().unwrap(),
            None if message.contains("expected u32") => i64::from(u32::MAX),
            None => panic!("{message}"),
        };
        assert!(numbers.insert(key, most).is_some_and(|before| most < before), "{message}");
    }
    panic!("the refusals do not end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_numbers_are_all_at_their_ends_takes_files() {
    let place = Workplace::new();
    write_the_most(&place);
    let serving = place.serve();
    let sheet = place.with_account();
    for protocol in Protocol::ALL {
        let mut connection = Connection::open(&serving.target(&sheet, protocol)).await.unwrap();
        let path: VPath = format!("/in/{protocol}.csv").parse().unwrap();
        let bytes = std::fs::read(sample("demo-day1.csv")).unwrap();
        connection.put(&path, &bytes).await.unwrap();
        assert_eq!(connection.get(&path, 1 << 20).await.unwrap(), bytes);
        connection.close().await;
    }
    let mut wrong = serving.target(&sheet, Protocol::Ftpes);
    wrong.login = "nobody".to_owned();
    assert!(Connection::open(&wrong).await.is_err());
    let check = place.output(&["check"]);
    let said = String::from_utf8_lossy(&check.stderr).into_owned();
    assert!(!said.contains("panicked"), "{said}");
    let log = serving.log();
    assert!(!log.contains("panicked"), "{log}");
    assert!(serving.stop().success());
}
