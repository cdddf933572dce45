//! What happens by the clock: waiting uploads, missed hours, files that did not come; over a clock set by hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;
use rollcall::clock::Clock;
use rollcall::config::Config;
use rollcall::model::{Purpose, UploadState};
use rollcall::service::Service;
use rollcall::service::alarms::Alarm;
use rollcall::service::by_hand::{DryRun, ImportFile};
use rollcall::service::clients::ClientPatch;
use tempfile::TempDir;

use crate::bench::{Bench, DAY_1, DAY_2, DAY_3, path, put, rename, stage, wait};

/// A service whose clock a test sets. The client's clock is Paris's.
struct House {
    bench: Bench,
    clock: &'static AtomicI64,
}

impl House {
    /// At this instant, with these settings of the folder `import` (`/in`).
    fn at(now: &str, settings: &str) -> Self {
        let folder = Bench::start().stop();
        let clock = Box::leak(Box::new(AtomicI64::new(0)));
        let house = Self::open(folder, clock, now);
        house.settings(settings);
        house
    }

    fn open(folder: TempDir, clock: &'static AtomicI64, now: &str) -> Self {
        clock.store(micros(now), Ordering::Release);
        let mut config = Config::default();
        config.limits.min_free_bytes = 0;
        // However slow the machine is.
        config.limits.reply_wait_s = 60;
        let data = folder.path().join("data");
        let service = Service::open(Arc::new(config), &data, Clock::Set(clock)).unwrap();
        let workers = Some(service.start().unwrap());
        Self { bench: Bench { service, workers, folder }, clock }
    }

    fn set_clock(&self, now: &str) {
        self.clock.store(micros(now), Ordering::Release);
    }

    fn settings(&self, toml: &str) {
        self.bench.service.set_settings("acme", "import", toml).unwrap();
    }

    fn alarms(&self) -> Vec<Alarm> {
        self.bench.service.alarms(Some("acme"), false, 10).unwrap()
    }

    fn wait_for_alarm(&self, code: &str) -> Alarm {
        wait(code, || self.alarms().iter().any(|alarm| alarm.code == code));
        self.alarms().into_iter().find(|alarm| alarm.code == code).unwrap()
    }

    fn wait_for_no_alarm(&self) {
        wait("the alarm is over", || self.alarms().is_empty());
    }

    /// Waits until the scheduler has taken care of everything until `at`.
    fn wait_until_done(&self, at: &str) {
        let at: Timestamp = at.parse().unwrap();
        let registry = self.bench.registry();
        wait("the scheduler has looked", || {
            registry.schedule_marks().unwrap().iter().any(|mark| mark.done_until >= at)
        });
    }

    fn waits_for(&self) -> Vec<Option<String>> {
        let waiting = |i: &rollcall::service::imports::ImportView| i.status == "waiting";
        self.bench.imports().into_iter().filter(waiting).map(|i| i.waits_for).collect()
    }
}

fn micros(at: &str) -> i64 {
    at.parse::<Timestamp>().unwrap().as_microsecond()
}

const NIGHTLY: &str = "trigger = \"daily 23:30\"\n";
/// Noon in Paris.
const NOON: &str = "2026-11-22T11:00:00Z";

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_waits_for_its_time_and_holds_nothing_else_up() {
    let house = House::at(NOON, NIGHTLY);
    let bench = &house.bench;
    bench.service.add_folder("acme", "now", &path("/now"), Purpose::Import, None).unwrap();
    let session = bench.session().await;
    assert_eq!(put(&session, "/in/users.csv", DAY_1).await, "Received; import at 23:30");
    assert_eq!(house.waits_for(), [Some("its time: imports at 23:30".to_owned())]);
    assert!(put(&session, "/now/users.csv", DAY_1).await.contains("2 rows"), "another folder");
    assert!(put(&session, "/in/users.test.csv", DAY_2).await.contains("3 rows"), "a trial");
    assert_eq!(put(&session, "/in/users.csv", DAY_3).await, "Received; import at 23:30");
    assert_eq!(house.waits_for().len(), 2);
    house.set_clock("2026-11-22T22:29:59Z");
    assert!(put(&session, "/now/users.csv", DAY_2).await.contains("3 rows"), "another folder");
    assert_eq!(house.waits_for().len(), 2, "a second early");

    house.set_clock("2026-11-22T22:30:00Z");
    bench.wait_until_idle();
    let states: Vec<_> =
        bench.uploads().into_iter().map(|u| (u.path.to_string(), u.state)).collect();
    use UploadState::{Done, Superseded};
    assert_eq!(
        states,
        [
            ("/in/users.csv".to_owned(), Superseded),
            ("/now/users.csv".to_owned(), Done),
            ("/in/users.test.csv".to_owned(), Done),
            ("/in/users.csv".to_owned(), Done),
            ("/now/users.csv".to_owned(), Done),
        ]
    );
    let newest = bench.imports().into_iter().rfind(|i| i.file.path == path("/in/users.csv"));
    assert_eq!(bench.reported("/in/users.csv"), newest.map(|i| i.id.to_string()));

    // The same hour again, by a clock that was set back: nothing is repeated.
    let imports = bench.imports();
    house.set_clock("2026-11-22T20:00:00Z");
    assert_eq!(put(&session, "/in/late.csv", DAY_3).await, "Received; import at 23:30");
    house.set_clock("2026-11-22T22:31:00Z");
    bench.wait_until_idle();
    assert_eq!(bench.imports().len(), imports.len() + 1);
    house.bench.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_after_the_hour_is_tomorrows_and_supersedes_nothing_of_tonight() {
    let house = House::at("2026-11-22T22:29:00Z", NIGHTLY);
    let bench = &house.bench;
    let session = bench.session().await;
    assert_eq!(put(&session, "/in/users.csv", DAY_1).await, "Received; import at 23:30");
    let hold = bench.hold_imports();
    house.set_clock("2026-11-22T22:30:01Z");
    let answer = put(&session, "/in/users.csv", DAY_2).await;
    assert_eq!(answer, "Received; import at 2026-11-23 23:30");
    drop(hold);
    wait("tonight's is imported", || bench.statuses() == ["ok", "waiting"]);
    assert_eq!(
        rename(&session, "/in/users.csv", "/in/people.csv").await,
        "Renamed; it was received before, so it is not imported again; import at 2026-11-23 23:30"
    );
    assert_eq!(bench.service.users("acme", None).unwrap().len(), 2);
    house.set_clock("2026-11-23T22:30:00Z");
    bench.wait_until_idle();
    assert_eq!(bench.service.users("acme", None).unwrap().len(), 3);
    house.bench.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn another_trigger_or_time_zone_counts_at_once_also_for_what_waits() {
    let house = House::at(NOON, NIGHTLY);
    let bench = &house.bench;
    let session = bench.session().await;
    put(&session, "/in/users.csv", DAY_1).await;
    let zone = ClientPatch { time_zone: Some("Asia/Tokyo".to_owned()), ..ClientPatch::default() };
    bench.service.set_client("acme", &zone).unwrap();
    assert_eq!(house.waits_for(), [Some("its time: imports at 23:30".to_owned())]);
    // 23:30 in Tokyo.
    house.set_clock("2026-11-22T14:30:00Z");
    bench.wait_until_idle();
    house.set_clock("2026-11-22T14:31:00Z");
    put(&session, "/in/users.csv", DAY_2).await;
    house.settings("trigger = \"cron 0 4 29 2 *\"");
    assert_eq!(house.waits_for(), [Some("its time: imports at 2028-02-29 04:00".to_owned())]);
    house.settings("trigger = \"upload\"");
    bench.wait_until_idle();
    assert_eq!(bench.statuses(), ["ok", "ok"]);
    house.bench.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missed_hour_is_caught_up_once_after_a_downtime() {
    let house = House::at(NOON, NIGHTLY);
    let session = house.bench.session().await;
    put(&session, "/in/users.csv", DAY_1).await;
    put(&session, "/in/users.csv", DAY_2).await;
    drop(session);
    let (clock, folder) = (house.clock, house.bench.stop());
    let house = House::open(folder, clock, "2026-11-25T05:00:00Z");
    house.bench.wait_until_idle();
    assert_eq!(house.bench.statuses(), ["superseded", "ok"]);
    house.bench.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_by_hand_waits_for_nothing_and_takes_along_what_came_before_it() {
    let house = House::at(NOON, NIGHTLY);
    let bench = &house.bench;
    let session = bench.session().await;
    put(&session, "/in/users.csv", DAY_1).await;
    let file = || ImportFile {
        client: "acme",
        folder: None,
        name: "by-hand.csv",
        content: DAY_2.as_bytes().into(),
    };
    let tried = bench.service.import_file(file(), DryRun::Yes).unwrap();
    assert_eq!(tried.counts.created, 3);
    assert_eq!(house.waits_for().len(), 1, "a trial by hand takes nothing along");
    let report = bench.service.import_file(file(), DryRun::No).unwrap();
    assert_eq!((report.counts.created, report.counts.rows), (1, 3), "after the older file");
    assert_eq!(bench.statuses(), ["ok", "ok"]);
    house.bench.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_stamped_by_a_clock_that_was_years_ahead_does_not_wait_for_years() {
    let house = House::at("2031-11-22T11:00:00Z", NIGHTLY);
    let bench = &house.bench;
    let session = bench.session().await;
    assert_eq!(put(&session, "/in/users.csv", DAY_1).await, "Received; import at 23:30");
    house.set_clock(NOON);
    bench.wait_until_idle();
    assert_eq!(bench.statuses(), ["ok"]);
    house.bench.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_delta_file_holds_up_what_waits_for_its_time_too() {
    let settings = "mode = \"delta\"\ntrigger = \"daily 23:30\"\n[guards]\nendings = { count = 0, percent = 0 }\n";
    let house = House::at(NOON, settings);
    let bench = &house.bench;
    let session = bench.session().await;
    put(&session, "/in/a.csv", DAY_1).await;
    let leaver = "login;lastName;firstName;mail;dtContractStart;dtContractEnd\n\
                  pmartin;Martin;Paul;paul@acme.example;2021-03-01;2026-10-31\n";
    put(&session, "/in/b.csv", leaver).await;
    put(&session, "/in/c.csv", DAY_3).await;
    house.set_clock("2026-11-22T22:30:00Z");
    wait("the second is held", || bench.statuses() == ["ok", "held", "waiting"]);
    let waits = house.waits_for();
    assert!(waits[0].as_ref().unwrap().contains("which is held"), "{waits:?}");
    house.bench.stop();
}

const EXPECTED: &str = "[expected]\nby = \"08:00\"\ndays = \"mon-fri\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_did_not_come_is_told_and_the_next_one_ends_the_alarm() {
    // Thursday, 07:00 in Paris.
    let house = House::at("2026-11-19T06:00:00Z", EXPECTED);
    let bench = &house.bench;
    let session = bench.session().await;
    house.wait_until_done("2026-11-19T06:00:00Z");
    house.set_clock("2026-11-19T07:00:00Z");
    let alarm = house.wait_for_alarm("T05");
    for part in ["folder import", "Thursday 2026-11-19 08:00", "Europe/Paris"] {
        assert!(alarm.text.contains(part), "{}", alarm.text);
    }
    house.set_clock("2026-11-19T08:00:00Z");
    put(&session, "/in/users.test.csv", DAY_1).await;
    put(&session, "/in/users.csv", DAY_1).await;
    house.wait_for_no_alarm();
    // Friday: the late file was Thursday's.
    house.set_clock("2026-11-20T07:00:00Z");
    house.wait_for_alarm("T05");
    house.set_clock("2026-11-20T07:00:01Z");
    stage(&session, "/in/users.csv", DAY_2).commit().unwrap().settle().await;
    house.wait_for_no_alarm();
    // On Saturday a file comes; nobody expects one on the weekend, and Monday has it.
    house.set_clock("2026-11-21T10:00:00Z");
    put(&session, "/in/users.csv", DAY_3).await;
    house.set_clock("2026-11-23T07:00:01Z");
    house.wait_until_done("2026-11-23T07:00:00Z");
    assert_eq!(house.alarms(), []);
    house.bench.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_file_is_told_after_a_downtime_and_the_past_before_the_setting_is_not() {
    // Thursday, 12:00 in Paris: the hour is over before anybody expected a file.
    let house = House::at("2026-11-19T11:00:00Z", EXPECTED);
    house.wait_until_done("2026-11-19T11:00:00Z");
    assert_eq!(house.alarms(), []);
    let (clock, folder) = (house.clock, house.bench.stop());
    let house = House::open(folder, clock, "2026-11-20T15:00:00Z");
    let alarm = house.wait_for_alarm("T05");
    assert!(alarm.text.contains("Friday 2026-11-20 08:00"), "{}", alarm.text);
    house.settings("");
    house.wait_for_no_alarm();
    house.bench.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_import_is_told_and_the_same_file_again_makes_it_no_younger() {
    let house = House::at(NOON, "[expected]\nstale_after_days = 3\n");
    let bench = &house.bench;
    let session = bench.session().await;
    put(&session, "/in/users.csv", DAY_1).await;
    house.wait_until_done(NOON);
    house.set_clock("2026-11-25T10:59:00Z");
    house.wait_until_done("2026-11-25T10:00:00Z");
    assert_eq!(house.alarms(), []);
    put(&session, "/in/users.csv", DAY_1).await;
    assert_eq!(bench.statuses(), ["ok", "duplicate"]);
    house.set_clock("2026-11-25T12:00:00Z");
    let alarm = house.wait_for_alarm("T06");
    assert!(alarm.text.contains("2026-11-22"), "{}", alarm.text);
    put(&session, "/in/users.csv", DAY_2).await;
    house.wait_for_no_alarm();
    house.bench.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_shows_the_next_times_over_a_change_of_clocks() {
    let house = House::at(
        "2026-10-23T21:00:00Z",
        "trigger = \"daily 02:30\"\n[expected]\nby = \"08:00\"\n",
    );
    let session = house.bench.session().await;
    put(&session, "/in/users.csv", DAY_1).await;
    let all = house.bench.service.schedule(Some("acme")).unwrap();
    let next = |at: usize| all[at].next.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(next(0), ["2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]);
    assert_eq!((all[0].waiting, all[0].trigger.as_str()), (1, "daily 02:30"));
    assert_eq!(next(1), ["2026-10-26T07:00:00Z", "2026-10-27T07:00:00Z", "2026-10-28T07:00:00Z"]);
    assert!(house.bench.service.schedule(Some("nobody")).is_err());
    house.bench.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_made_once_for_each_instant_and_once_for_those_that_were_missed() {
    let house = House::at(NOON, "");
    let service = &house.bench.service;
    let session = house.bench.session().await;
    put(&session, "/in/users.csv", DAY_1).await;
    let nightly = "trigger = \"daily 23:30\"\nwhat = \"all\"\n";
    service.add_export("acme", "nightly", "export", nightly).unwrap();
    house.wait_until_done(NOON);
    let runs = |house: &House| {
        house.bench.service.export_runs("acme", Some("nightly"), 100).unwrap().len()
    };
    assert_eq!(runs(&house), 0, "no hour has come");
    house.set_clock("2026-11-22T22:30:00Z");
    wait("the export of the hour", || runs(&house) == 1);
    house.wait_until_done("2026-11-22T22:30:00Z");
    // Set back and forth: the hour has been.
    house.set_clock("2026-11-22T22:00:00Z");
    house.set_clock("2026-11-22T22:40:00Z");
    drop(session);
    let (clock, folder) = (house.clock, house.bench.stop());
    let house = House::open(folder, clock, "2026-11-26T05:00:00Z");
    wait("what was missed is caught up", || runs(&house) == 2);
    house.wait_until_done("2026-11-25T22:30:00Z");
    house.set_clock("2026-11-26T05:01:00Z");
    let (clock, folder) = (house.clock, house.bench.stop());
    let house = House::open(folder, clock, "2026-11-26T22:30:00Z");
    wait("the next hour", || runs(&house) == 3);
    house.bench.stop();
}
