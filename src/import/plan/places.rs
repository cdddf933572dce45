//! Places of a million people by what they are looked up by, in a few bytes each: the keys stay where they are.

use std::borrow::Cow;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::num::NonZeroU32;

use crate::cores;

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

/// What places are looked up by: two texts, of which one may be empty.
pub(super) type Key<'k> = (Cow<'k, str>, Cow<'k, str>);

/// Which places may have a key: whoever asks compares the keys themselves.
///
/// Each place is one number, the hash of its key above its own, and they are sorted: a table that is filled in the order
/// of a large file waits for the memory at every row, and a hash of 32 bits spares nearly every comparison with a
/// stranger's key, which lies somewhere in that file.
#[derive(Debug)]
pub(super) struct Places {
    sorted: Vec<u64>,
    /// Where the places begin whose hashes begin with the same bits; one more than there are such beginnings.
    begins: Vec<u32>,
    shift: u32,
    secret: RandomState,
}

/// How many places share a beginning, about.
const SHARE: usize = 4;

impl Places {
    /// The places below a number that have a key.
    pub(super) fn of<'k>(count: usize, key: impl Fn(usize) -> Option<Key<'k>> + Sync) -> Self {
        let secret = RandomState::new();
        let read = cores::all(count, cores::pieces(count), |places| {
            // Not collected: a list that grows by doubling takes up to twice its room.
            let mut sorted = Vec::with_capacity(places.len());
            sorted.extend(places.filter_map(|place| {
                let (one, other) = key(place)?;
                let hash = u64::from(hash(&secret, &one, &other));
                Some(hash << u32::BITS | u64::from(u32::try_from(place).ok()?))
            }));
            sorted.sort_unstable();
            sorted
        });
        let mut sorted = cores::joined(read);
        // Of pieces that are sorted already, this only has to merge them.
        sorted.sort();
        let bits = (sorted.len() / SHARE).max(1).ilog2();
        let shift = u64::BITS - bits;
        let mut begins = Vec::with_capacity((1 << bits) + 1);
        for (place, hashed) in sorted.iter().enumerate() {
            let begin = beginning(*hashed, shift);
            while begins.len() <= begin {
                begins.push(u32::try_from(place).unwrap_or(u32::MAX));
            }
        }
        begins.resize((1 << bits) + 1, u32::try_from(sorted.len()).unwrap_or(u32::MAX));
        Self { sorted, begins, shift, secret }
    }

    /// The places that may have the key, the last one first.
    pub(super) fn like<'x>(
        &'x self,
        one: &str,
        other: &str,
    ) -> impl Iterator<Item = usize> + use<'x> {
        let hash = match self.sorted.is_empty() {
            true => 0,
            false => u64::from(hash(&self.secret, one, other)),
        };
        let begin = beginning(hash << u32::BITS, self.shift);
        let at = |begin: usize| self.begins.get(begin).and_then(|at| usize::try_from(*at).ok());
        let range = at(begin).unwrap_or(0)..at(begin + 1).unwrap_or(0);
        let near = self.sorted.get(range).unwrap_or_default().iter().rev();
        near.filter(move |hashed| **hashed >> u32::BITS == hash).map(|hashed| place(*hashed))
    }

    /// Groups of several places that share a key, each in ascending order, by their first. `same` says whether two
    /// places have the same one.
    pub(super) fn groups(&self, same: impl Fn(usize, usize) -> bool) -> Vec<Vec<usize>> {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let like = self.sorted.chunk_by(|a, b| a >> u32::BITS == b >> u32::BITS);
        for run in like.filter(|run| run.len() > 1) {
            let mut found: Vec<Vec<usize>> = Vec::new();
            for place in run.iter().map(|hashed| place(*hashed)) {
                let is_its =
                    |group: &&mut Vec<usize>| group.first().is_some_and(|f| same(*f, place));
                match found.iter_mut().find(is_its) {
                    Some(group) => group.push(place),
                    None => found.push(vec![place]),
                }
            }
            groups.extend(found.into_iter().filter(|group| group.len() > 1));
        }
        groups.sort_unstable();
        groups
    }
}

fn hash(secret: &RandomState, one: &str, other: &str) -> u32 {
    let mut hasher = secret.build_hasher();
    for part in [one, other] {
        hasher.write(part.as_bytes());
        hasher.write_u8(0xFF);
    }
    u32::try_from(hasher.finish() >> u32::BITS).unwrap_or_default()
}

fn beginning(hashed: u64, shift: u32) -> usize {
    usize::try_from(hashed.checked_shr(shift).unwrap_or(0)).unwrap_or(0)
}

fn place(hashed: u64) -> usize {
    usize::try_from(hashed & u64::from(u32::MAX)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_by_their_keys_in_any_number() {
        for count in [0, 1, 2, 3, 1000, 20_000] {
            let key = |place: usize| format!("k{}", place % 700);
            let has = |place: usize| place % 5 != 1;
            let of = |place| has(place).then(|| (Cow::Owned(key(place)), Cow::Borrowed("")));
            let places = Places::of(count, of);
            for asked in 0..701.min(count + 1) {
                let found = places.like(&key(asked), "").filter(|place| key(*place) == key(asked));
                let expected = (0..count).filter(|p| has(*p) && p % 700 == asked % 700).rev();
                assert_eq!(found.collect::<Vec<_>>(), expected.collect::<Vec<_>>(), "{asked}");
            }
            assert!(places.like("k1", "k1").all(|place| key(place) != "k1"));
            let groups = places.groups(|a, b| key(a) == key(b));
            let alike = (0..700.min(count)).map(|n| (n..count).step_by(700).filter(|p| has(*p)));
            let mut alike: Vec<Vec<usize>> = alike.map(Iterator::collect).collect();
            alike.retain(|group: &Vec<usize>| group.len() > 1);
            alike.sort_unstable();
            assert_eq!(groups, alike, "{count}");
            // Places whose hashes are the same by chance are told apart.
            let strangers = places.groups(|a, b| a == b);
            assert_eq!(strangers, Vec::<Vec<usize>>::new());
        }
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
