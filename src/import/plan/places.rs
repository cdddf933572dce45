//! Places of a million people by what they are looked up by, in a few bytes each: the keys stay where they are.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::num::NonZeroU32;

/// One of many things, by its place; in four bytes, for there may be a million links to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place(NonZeroU32);

impl Place {
    /// `None`: so many things there are not.
    pub(super) fn new(at: usize) -> Option<Self> {
        u32::try_from(at).ok()?.checked_add(1).and_then(NonZeroU32::new).map(Self)
    }

    pub(super) fn at(self) -> usize {
        usize::try_from(self.0.get() - 1).unwrap_or(usize::MAX)
    }
}

/// For each of many things one other, or none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Links(Vec<u32>);

/// There is no other.
const NONE: u32 = u32::MAX;

impl Links {
    /// None has another yet.
    pub(super) fn new(count: usize) -> Self {
        Self(vec![NONE; count])
    }

    pub(super) fn get(&self, at: usize) -> Option<usize> {
        self.0.get(at).filter(|to| **to != NONE).and_then(|to| usize::try_from(*to).ok())
    }

    pub(super) fn set(&mut self, at: usize, to: Option<usize>) {
        if let Some(slot) = self.0.get_mut(at) {
            *slot = to.and_then(|to| u32::try_from(to).ok()).unwrap_or(NONE);
        }
    }

    pub(super) fn push(&mut self, to: Option<usize>) {
        self.0.push(NONE);
        self.set(self.0.len() - 1, to);
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// All of them, in order.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = Option<usize>> {
        (0..self.0.len()).map(|at| self.get(at))
    }
}

/// Which places may have a key: whoever asks compares the keys themselves.
#[derive(Debug)]
pub(super) struct Places {
    /// For each bucket, the place that was added last.
    last: Links,
    /// For each place, the one before it in its bucket.
    before: Links,
    secret: RandomState,
}

impl Places {
    /// For places below this number.
    pub(super) fn new(count: usize) -> Self {
        let buckets = count.saturating_mul(2).next_power_of_two();
        Self { last: Links::new(buckets), before: Links::new(count), secret: RandomState::new() }
    }

    /// Adds a place under a key of several parts; a place is added once.
    pub(super) fn add(&mut self, key: &[&str], place: usize) {
        let bucket = self.bucket(key);
        self.before.set(place, self.last.get(bucket));
        self.last.set(bucket, Some(place));
    }

    /// The places that may have the key, the last one first.
    pub(super) fn like(&self, key: &[&str]) -> impl Iterator<Item = usize> {
        std::iter::successors(self.last.get(self.bucket(key)), |place| self.before.get(*place))
    }

    fn bucket(&self, key: &[&str]) -> usize {
        let mut hasher = self.secret.build_hasher();
        for part in key {
            hasher.write(part.as_bytes());
            hasher.write_u8(0xFF);
        }
        let mask = u64::try_from(self.last.len().saturating_sub(1)).unwrap_or(u64::MAX);
        usize::try_from(hasher.finish() & mask).unwrap_or(0)
    }
}

/// Groups of places that share a key.
#[derive(Debug)]
pub(super) struct Groups {
    first: Places,
    /// The groups of more than one, by their first place; each in the order in which it was added.
    pub shared: std::collections::BTreeMap<usize, Vec<usize>>,
}

impl Groups {
    /// For places below this number.
    pub(super) fn new(count: usize) -> Self {
        Self { first: Places::new(count), shared: std::collections::BTreeMap::new() }
    }

    /// Adds a place to the group of its key; `has` says whether another place has the same key.
    pub(super) fn add(&mut self, key: &[&str], place: usize, has: impl Fn(usize) -> bool) {
        match self.find(key, has) {
            Some(first) => self.shared.entry(first).or_insert_with(|| vec![first]).push(place),
            None => self.first.add(key, place),
        }
    }

    /// The first place that was added under a key.
    pub(super) fn find(&self, key: &[&str], has: impl Fn(usize) -> bool) -> Option<usize> {
        self.first.like(key).find(|place| has(*place))
    }

    /// The other places of the group that begins with this one; empty: it stands alone.
    pub(super) fn all(&self, first: usize) -> &[usize] {
        self.shared.get(&first).map(Vec::as_slice).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_by_their_keys_in_any_number() {
        let keys: Vec<String> = (0..1000).map(|n| format!("k{}", n % 700)).collect();
        let mut groups = Groups::new(keys.len());
        for (place, key) in keys.iter().enumerate() {
            groups.add(&[key, ""], place, |other| keys[other] == *key);
        }
        for (place, key) in keys.iter().enumerate() {
            let found = groups.find(&[key, ""], |other| keys[other] == *key);
            assert_eq!(found, Some(place % 700));
            let all: &[usize] =
                if place % 700 < 300 { &[place % 700, place % 700 + 700] } else { &[] };
            assert_eq!(groups.all(place % 700), all);
        }
        assert_eq!(groups.find(&["k", "1"], |_| false), None);
        assert_eq!(Places::new(0).like(&["x"]).count(), 0);
    }

    #[test]
    fn links_are_there_or_not() {
        let mut links = Links::new(2);
        links.set(1, Some(7));
        links.set(9, Some(1));
        links.push(None);
        assert_eq!(links.iter().collect::<Vec<_>>(), [None, Some(7), None]);
    }
}
