//! How many wrong links an address has tried in this minute. The memory is bounded, whoever asks.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

/// Addresses that are counted apart; all others share one count.
const REMEMBERED: usize = 10_000;

/// Wrong links of the present minute, by address.
#[derive(Default)]
pub(in crate::service) struct Misses(Mutex<Minute>);

#[derive(Default)]
struct Minute {
    number: i64,
    counts: HashMap<IpAddr, u32>,
}

impl Misses {
    /// Whether an address has used up its wrong links.
    pub(super) fn are_too_many(&self, from: IpAddr, now: Timestamp, most: u32) -> bool {
        let minute = self.minute(now);
        minute.counts.get(&minute.key(from)).is_some_and(|count| *count >= most)
    }

    /// Counts a wrong link.
    pub(super) fn note(&self, from: IpAddr, now: Timestamp) {
        let mut minute = self.minute(now);
        let key = minute.key(from);
        let count = minute.counts.entry(key).or_default();
        *count = count.saturating_add(1);
    }

    fn minute(&self, now: Timestamp) -> MutexGuard<'_, Minute> {
        let mut minute = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = now.as_second().div_euclid(60);
        if minute.number != number {
            *minute = Minute { number, counts: HashMap::new() };
        }
        minute
    }
}

impl Minute {
    fn key(&self, from: IpAddr) -> IpAddr {
        let from = network(from);
        if self.counts.len() < REMEMBERED || self.counts.contains_key(&from) {
            from
        } else {
            IpAddr::V4(Ipv4Addr::UNSPECIFIED)
        }
    }
}

/// Whoever has one IPv6 address has the whole /64.
fn network(from: IpAddr) -> IpAddr {
    match from.to_canonical() {
        IpAddr::V6(address) => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)))
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_so_many_a_minute_and_then_waits_for_the_next() {
        let (misses, at) = (Misses::default(), |s| Timestamp::from_second(s).unwrap());
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        for _ in 0..3 {
            assert!(!misses.are_too_many(address("2001:db8::1"), at(60), 3));
            misses.note(address("2001:db8::1"), at(60));
        }
        assert!(misses.are_too_many(address("2001:db8::2"), at(119), 3), "the same network");
        assert!(!misses.are_too_many(address("2001:db8:0:1::1"), at(119), 3), "another one");
        assert!(!misses.are_too_many(address("2001:db8::1"), at(120), 3), "the next minute");
    }
}
