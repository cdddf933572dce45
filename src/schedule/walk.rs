//! From wall clocks to instants: nights that skip an hour and nights that have one twice.

use jiff::civil::{DateTime, Time};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use jiff::{SignedDuration, Span, Timestamp, ToSpan};

use super::{Days, Trigger};

const NANOSECOND: SignedDuration = SignedDuration::from_nanos(1);

pub(super) fn next_after(
    trigger: &Trigger,
    after: Timestamp,
    zone: &TimeZone,
) -> Option<Timestamp> {
    if keeps_its_rhythm(trigger) {
        return next_in_rhythm(trigger, after, zone);
    }
    let mut wall = zone.to_datetime(after);
    loop {
        wall = wall_after(trigger, wall)?;
        // In the second pass of an hour that comes twice, what is still ahead on the clock has been.
        if let Some(at) = first_instant(wall, zone).filter(|at| *at > after) {
            return Some(at);
        }
    }
}

pub(super) fn last_until(
    trigger: &Trigger,
    until: Timestamp,
    zone: &TimeZone,
) -> Option<Timestamp> {
    if keeps_its_rhythm(trigger) {
        return last_in_rhythm(trigger, until, zone);
    }
    let mut wall = end_of_fold(until, zone);
    loop {
        wall = wall_until(trigger, wall)?;
        if let Some(at) = first_instant(wall, zone).filter(|at| *at <= until) {
            return Some(at);
        }
        wall = wall.checked_sub(1.second()).ok()?;
    }
}

/// What comes often goes on in both passes of a repeated hour, and skips with the clock.
fn keeps_its_rhythm(trigger: &Trigger) -> bool {
    match trigger {
        Trigger::Every { .. } => true,
        Trigger::Cron(cron) => cron.is_hourly(),
        Trigger::Upload | Trigger::Daily { .. } => false,
    }
}

fn next_in_rhythm(trigger: &Trigger, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let mut from = after;
    loop {
        let offset = zone.to_offset(from);
        let at = instant(wall_after(trigger, offset.to_datetime(from))?, offset)?;
        // Up to the next change of the clock; from there on with the new offset.
        let change = zone.following(from).next().map(|change| change.timestamp());
        let Some(change) = change.filter(|change| *change <= at) else { return Some(at) };
        let wall = zone.to_datetime(change);
        if wall_until(trigger, wall) == Some(wall) {
            return Some(change);
        }
        from = change;
    }
}

fn last_in_rhythm(trigger: &Trigger, until: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let mut from = until;
    loop {
        let offset = zone.to_offset(from);
        let at = instant(wall_until(trigger, offset.to_datetime(from))?, offset)?;
        let just_after = from.checked_add(NANOSECOND).ok()?;
        let change = zone.preceding(just_after).next().map(|change| change.timestamp());
        let Some(change) = change.filter(|change| *change > at) else { return Some(at) };
        from = change.checked_sub(NANOSECOND).ok()?;
    }
}

/// The instant at which a clock first shows `wall`; within a gap, the first instant after it.
fn first_instant(wall: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    match zone.to_ambiguous_timestamp(wall).offset() {
        AmbiguousOffset::Unambiguous { offset } => instant(wall, offset),
        AmbiguousOffset::Fold { before, .. } => instant(wall, before),
        AmbiguousOffset::Gap { after, .. } => {
            // Read with the later offset it lies before the change.
            let before_change = instant(wall, after)?;
            zone.following(before_change).next().map(|change| change.timestamp())
        }
    }
}

/// What the clock shows at `until`; in the second pass of a repeated hour, the end of its first: that has all been.
fn end_of_fold(until: Timestamp, zone: &TimeZone) -> DateTime {
    let wall = zone.to_datetime(until);
    match zone.to_ambiguous_timestamp(wall).offset() {
        AmbiguousOffset::Fold { before, after } if zone.to_offset(until) == after => {
            let twice = i64::from(before.seconds()) - i64::from(after.seconds());
            wall.saturating_add(SignedDuration::from_secs(twice))
        }
        _ => wall,
    }
}

fn instant(wall: DateTime, offset: Offset) -> Option<Timestamp> {
    offset.to_timestamp(wall).ok()
}

/// The first wall-clock time after `wall`.
fn wall_after(trigger: &Trigger, wall: DateTime) -> Option<DateTime> {
    match trigger {
        Trigger::Upload => None,
        Trigger::Every { minutes } => beat(wall, *minutes, 1),
        Trigger::Daily { at, days } => on_a_day(wall, *at, *days, 1.day(), |day| day > wall),
        Trigger::Cron(cron) => cron.after(wall),
    }
}

/// The last wall-clock time at or before `wall`.
fn wall_until(trigger: &Trigger, wall: DateTime) -> Option<DateTime> {
    match trigger {
        Trigger::Upload => None,
        Trigger::Every { minutes } => beat(wall, *minutes, 0),
        Trigger::Daily { at, days } => on_a_day(wall, *at, *days, -1.day(), |day| day <= wall),
        Trigger::Cron(cron) => cron.until(wall),
    }
}

/// The time `ahead` beats after the last beat that is not after `wall`.
fn beat(wall: DateTime, minutes: u32, ahead: i64) -> Option<DateTime> {
    let start = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
    let length = i64::from(minutes) * 60;
    let beats = wall.duration_since(start).as_secs().div_euclid(length) + ahead;
    start.checked_add(SignedDuration::from_secs(beats * length)).ok()
}

/// `at` on the day of `wall`, or on the nearest one in the direction of `step` that is wanted.
fn on_a_day(
    wall: DateTime,
    at: Time,
    days: Days,
    step: Span,
    is_wanted: impl Fn(DateTime) -> bool,
) -> Option<DateTime> {
    let mut date = wall.date();
    // A week and a day: the day itself may be past its time.
    for _ in 0..=7 {
        let then = date.to_datetime(at);
        if days.has(date.weekday()) && is_wanted(then) {
            return Some(then);
        }
        date = date.checked_add(step).ok()?;
    }
    None
}
