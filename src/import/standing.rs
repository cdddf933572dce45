//! Where a user stands on a day: upcoming, active, ended; derived from the contract's dates, never stored.

use jiff::civil::Date;
use serde::{Serialize, Serializer};

use super::directory::User;
use super::fields::Field;

/// Where a user stands on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// The contract starts later.
    Upcoming,
    /// The contract runs.
    Active,
    /// The last day has passed.
    Ended,
    /// A creation that was taken back.
    Withdrawn,
}

impl Standing {
    /// Every standing with its name.
    pub const NAMED: [(&'static str, Self); 4] = [
        ("upcoming", Self::Upcoming),
        ("active", Self::Active),
        ("ended", Self::Ended),
        ("withdrawn", Self::Withdrawn),
    ];

    /// The name in settings and files.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMED.iter().find(|(_, one)| *one == self).map_or("", |(name, _)| name)
    }

    /// Where a user stands on a day.
    #[must_use]
    pub fn of(user: &User, day: Date) -> Self {
        let date = |field| user.values.get(field).and_then(|text| text.parse::<Date>().ok());
        if user.withdrawn {
            Self::Withdrawn
        } else if date(Field::ContractEnd).is_some_and(|last| last < day) {
            Self::Ended
        } else if date(Field::ContractStart).is_some_and(|first| first > day) {
            Self::Upcoming
        } else {
            Self::Active
        }
    }

    /// Whether the person works there, or will.
    #[must_use]
    pub fn is_there(self) -> bool {
        matches!(self, Self::Upcoming | Self::Active)
    }
}

impl Serialize for Standing {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
