//! Triggers against a plain walk over every minute, in nights when clocks are changed.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{Days, Trigger, time_of_day};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn trigger(text: &str) -> Trigger {
    Trigger::parse(text).unwrap_or_else(|problem| panic!("{text}: {problem}"))
}

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

fn minute() -> SignedDuration {
    SignedDuration::from_mins(1)
}

/// Zones, each with the first of four days around a change of its clocks (or around none).
const NIGHTS: [(&str, &str); 11] = [
    ("Europe/Paris", "2026-03-27T12:00:00Z"),
    ("Europe/Paris", "2026-10-23T12:00:00Z"),
    ("America/New_York", "2026-03-06T12:00:00Z"),
    ("America/New_York", "2026-10-30T12:00:00Z"),
    // Half an hour, at 02:00.
    ("Australia/Lord_Howe", "2026-04-03T12:00:00Z"),
    ("Australia/Lord_Howe", "2026-10-02T12:00:00Z"),
    // At midnight: the day begins at 01:00, or its last hour comes twice.
    ("America/Santiago", "2026-09-04T12:00:00Z"),
    ("America/Santiago", "2026-04-03T12:00:00Z"),
    ("Asia/Kolkata", "2026-03-27T12:00:00Z"),
    ("UTC", "2026-10-23T12:00:00Z"),
    // A whole day that never was.
    ("Pacific/Apia", "2011-12-28T12:00:00Z"),
];

/// A trigger, whether it keeps its rhythm, and when a wall clock calls for it, told without any of our code.
type Case = (&'static str, bool, fn(DateTime) -> bool);

const CASES: [Case; 9] = [
    ("daily 02:30", false, |wall| (wall.hour(), wall.minute()) == (2, 30)),
    ("daily 00:00", false, |wall| (wall.hour(), wall.minute()) == (0, 0)),
    ("daily 23:45 mon-fri", false, |wall| {
        (wall.hour(), wall.minute()) == (23, 45) && wall.weekday().to_monday_zero_offset() < 5
    }),
    ("cron 0 3 * * *", false, |wall| (wall.hour(), wall.minute()) == (3, 0)),
    ("cron */20 1-2 * * *", false, |wall| {
        (1..=2).contains(&wall.hour()) && wall.minute() % 20 == 0
    }),
    ("cron 15,45 */2 * * sun,mon", false, |wall| {
        wall.minute() % 30 == 15
            && wall.hour() % 2 == 0
            && [0, 6].contains(&wall.weekday().to_monday_zero_offset())
    }),
    ("cron */15 * * * *", true, |wall| wall.minute() % 15 == 0),
    ("every 15 minutes", true, |wall| wall.minute() % 15 == 0),
    ("every 6 hours", true, |wall| wall.hour() % 6 == 0 && wall.minute() == 0),
];

/// Every instant of four days at which the trigger is due, found minute by minute.
fn walked(case: &Case, zone: &TimeZone, start: Timestamp) -> Vec<Timestamp> {
    let (_, keeps_rhythm, calls) = case;
    let mut due = Vec::new();
    let mut latest = zone.to_datetime(start);
    for n in 1..=4 * 24 * 60 {
        let now = start + SignedDuration::from_mins(n);
        let wall = zone.to_datetime(now);
        let is_first_pass = wall > latest;
        // What the clock skipped on its way here, if it did.
        let mut skipped = latest + minute();
        let mut has_skipped_call = false;
        while skipped < wall {
            has_skipped_call |= calls(skipped);
            skipped += minute();
        }
        let is_due = if *keeps_rhythm {
            calls(wall)
        } else {
            is_first_pass && (calls(wall) || has_skipped_call)
        };
        if is_due {
            due.push(now);
        }
        latest = latest.max(wall);
    }
    due
}

#[test]
fn each_zone_and_night_agrees_with_a_walk_over_every_minute() {
    for (name, start) in NIGHTS {
        let (zone, start) = (zone(name), at(start));
        for case in &CASES {
            let trigger = trigger(case.0);
            let expected = walked(case, &zone, start);
            let end = start + SignedDuration::from_hours(4 * 24);
            let mut found = Vec::new();
            let mut from = start;
            while let Some(next) = trigger.next_after(from, &zone).filter(|next| *next <= end) {
                found.push(next);
                from = next;
            }
            assert_eq!(found, expected, "{} in {name} from {start}", case.0);
            let mut last = None;
            let mut due = expected.iter().peekable();
            for half_minutes in 1..=4 * 24 * 120 {
                let now = start + SignedDuration::from_secs(30 * half_minutes);
                while let Some(at) = due.next_if(|at| **at <= now) {
                    last = Some(*at);
                }
                if half_minutes % 7 == 0 && last.is_some() {
                    let found = trigger.last_until(now, &zone);
                    assert_eq!(found, last, "{} in {name} until {now}", case.0);
                }
            }
        }
    }
}

#[test]
fn what_arrives_is_due_at_the_next_instant_or_at_this_one() {
    let paris = zone("Europe/Paris");
    let nightly = trigger("daily 23:30");
    assert_eq!(nightly.due_at(at("2026-11-22T12:00:00Z"), &paris), at("2026-11-22T22:30:00Z"));
    assert_eq!(nightly.due_at(at("2026-11-22T22:30:00Z"), &paris), at("2026-11-22T22:30:00Z"));
    assert_eq!(
        nightly.due_at(at("2026-11-22T22:30:00.000001Z"), &paris),
        at("2026-11-23T22:30:00Z")
    );
    assert_eq!(
        Trigger::Upload.due_at(at("2026-11-22T12:00:00Z"), &paris),
        at("2026-11-22T12:00:00Z")
    );
    // The spring night has no 02:30: the import runs as 03:00 begins.
    let night = trigger("daily 02:30");
    assert_eq!(night.due_at(at("2026-03-29T00:10:00Z"), &paris), at("2026-03-29T01:00:00Z"));
    // The autumn night has it twice: what comes in the second pass waits for the next night.
    assert_eq!(night.due_at(at("2026-10-25T00:10:00Z"), &paris), at("2026-10-25T00:30:00Z"));
    assert_eq!(night.due_at(at("2026-10-25T01:10:00Z"), &paris), at("2026-10-26T01:30:00Z"));
}

#[test]
fn rare_days_come() {
    let utc = TimeZone::UTC;
    let leap = trigger("cron 0 12 29 2 *");
    assert_eq!(leap.next_after(at("2026-01-01T00:00:00Z"), &utc), Some(at("2028-02-29T12:00:00Z")));
    assert_eq!(leap.last_until(at("2026-01-01T00:00:00Z"), &utc), Some(at("2024-02-29T12:00:00Z")));
    assert_eq!(leap.next_after(at("2096-03-01T00:00:00Z"), &utc), Some(at("2104-02-29T12:00:00Z")));
    let month_end = trigger("cron 0 22 L * *");
    assert_eq!(
        month_end.next_after(at("2026-02-01T00:00:00Z"), &utc),
        Some(at("2026-02-28T22:00:00Z"))
    );
    // Either the thirteenth or a Friday, as cron has it; with a plus, a Friday the thirteenth.
    let either = trigger("cron 0 8 13 * fri");
    assert_eq!(
        either.next_after(at("2026-11-01T00:00:00Z"), &utc),
        Some(at("2026-11-06T08:00:00Z"))
    );
    let both = trigger("cron 0 8 13 * +fri");
    assert_eq!(both.next_after(at("2026-11-01T00:00:00Z"), &utc), Some(at("2026-11-13T08:00:00Z")));
}

#[test]
fn names_lists_steps_and_ranges_are_read_and_written_again() {
    for (text, written) in [
        ("upload", "upload"),
        (" Daily  7:05 ", "daily 07:05"),
        ("daily 23:30 mon-fri", "daily 23:30 mon-fri"),
        ("daily 23:30 Fri,sat,Sunday,mon", "daily 23:30 mon,fri-sun"),
        ("daily 06:00 sat-mon", "daily 06:00 mon,sat,sun"),
        ("every 15 minutes", "every 15 minutes"),
        ("every 2 hours", "every 120 minutes"),
        ("every 1 minute", "every 1 minute"),
        ("cron 0 23 * * 1-5", "cron 0 23 * * 1-5"),
        ("cron  */10 6-20/2 1,15 jan,JUL mon-fri", "cron */10 6-20/2 1,15 jan,JUL mon-fri"),
        ("cron * * * * *", "cron * * * * *"),
    ] {
        let read = trigger(text);
        assert_eq!(read.to_string(), written);
        assert_eq!(trigger(written), read);
    }
    assert_eq!(Days::parse("mon,tue,wed,thu,fri").unwrap(), Days::WORKING);
}

#[test]
fn bad_triggers_are_refused_with_the_place_and_an_example() {
    for (text, parts) in [
        ("", ["daily 23:30", "it is upload"]),
        ("nightly", ["daily 23:30", "it is upload"]),
        ("upload now", ["daily 23:30", "it is upload"]),
        ("daily", ["a time is missing", "daily 23:30"]),
        ("daily 24:00", ["write 00:00", "23:59"]),
        ("daily 23:60", ["\"23:60\" is no time of day", "23:30"]),
        ("daily 25:00", ["\"25:00\" is no time of day", "23:30"]),
        ("daily 9h30", ["\"9h30\" is no time of day", "23:30"]),
        ("daily +9:30", ["\"+9:30\" is no time of day", "23:30"]),
        ("daily 23:30 monn", ["\"monn\" is no day of the week", "mon-fri"]),
        ("daily 23:30 mon-", ["\"\" is no day of the week", "mon-fri"]),
        ("every minute", ["a number of minutes is missing", "every 15 minutes"]),
        ("every 0 minutes", ["0 minutes is not possible", "1 minute to 24 hours"]),
        ("every 30 seconds", ["neither minutes nor hours", "every 15 minutes"]),
        ("every 2000 minutes", ["2000 minutes is not possible", "1 minute to 24 hours"]),
        ("every -5 minutes", ["no whole number", "every 15 minutes"]),
        ("cron 0 23 * *", ["five fields", "not 4"]),
        ("cron 0 0 23 * * 1-5", ["five fields", "not 6"]),
        ("cron @daily", ["five fields", "cron 0 23 * * mon-fri"]),
        ("cron 60 * * * *", ["\"60\" is no minute", "0-59"]),
        ("cron 0 24 * * *", ["\"24\" is no hour", "0-23"]),
        ("cron 0 23 0 * *", ["\"0\" is no day of month", "1-31"]),
        ("cron 0 23 * 13 *", ["\"13\" is no month", "1-12"]),
        ("cron 0 23 * * 8", ["\"8\" is no day of week", "sun-sat"]),
        ("cron 0 23 * * lun", ["\"lun\" is no day of week", "sun-sat"]),
        ("cron 0 23, * * *", ["\"23,\" is no hour", "0-23"]),
        ("cron */0 * * * *", ["\"*/0\" is no minute", "0-59"]),
        ("cron 0 20-6 * * *", ["\"20-6\" is no hour", "0-23"]),
        ("cron 0 23 30 2 *", ["never comes", "cron 0 23 * * mon-fri"]),
        ("cron 0 23 31 4,6,9,11 *", ["never comes", "cron 0 23 * * mon-fri"]),
        ("cron 0 23 * * ｍｏｎ", ["plain characters", "cron 0 23 * * mon-fri"]),
    ] {
        let problem = Trigger::parse(text).map(|t| t.to_string()).unwrap_err();
        for part in parts {
            assert!(problem.contains(part), "{text}: {problem}");
        }
    }
    assert!(time_of_day("٢٣:٣٠").is_err());
}

proptest::proptest! {
    #[test]
    fn nothing_that_is_typed_ends_the_program(text in "(cron |daily |every )?[-*/,0-9a-zL#W+@? :]{0,30}") {
        if let Ok(trigger) = Trigger::parse(&text) {
            let paris = zone("Europe/Paris");
            let now = at("2026-03-29T00:59:59Z");
            if let Some(next) = trigger.next_after(now, &paris) {
                proptest::prop_assert!(next > now);
                proptest::prop_assert_eq!(trigger.last_until(next, &paris), Some(next));
            }
        }
    }
}
