//! The one clock: everything that needs the time gets it as an argument from here.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// Where the time comes from.
#[derive(Debug, Clone, Copy)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// A standing clock, for tests and for making a report again.
    Fixed(Timestamp),
    /// A clock that is set by hand, for tests: microseconds since 1970.
    Set(&'static AtomicI64),
}

impl Clock {
    /// The present instant (UTC).
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one clock")]
    pub fn now(self) -> Timestamp {
        match self {
            Self::System => Timestamp::now(),
            Self::Fixed(at) => at,
            Self::Set(at) => Timestamp::from_microsecond(at.load(Ordering::Acquire))
                .unwrap_or(Timestamp::UNIX_EPOCH),
        }
    }

    /// Today's date in an IANA time zone; an unknown zone name reads as UTC (it was checked when it was set).
    #[must_use]
    pub fn today(self, time_zone: &str) -> Date {
        let zone = TimeZone::get(time_zone).unwrap_or(TimeZone::UTC);
        self.now().to_zoned(zone).date()
    }
}
