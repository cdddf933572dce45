//! How failed logins slow their sender: decides only; the waiting is done by the login.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hash, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::config;

/// Failures of unfamiliar addresses together that slow a login like one failure of one address.
const SHARED: u32 = 10;

/// How often the success of a login from the same address is written down.
const NOTE_EVERY: Duration = Duration::from_secs(12 * 3600);

/// What happens to an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is looked at after this wait.
    Wait(Duration),
    /// So many attempts of this address wait that this one is refused.
    Crowded,
    /// The address has tried too many logins that do not exist.
    Banned,
}

/// Whether a login exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Login {
    Known,
    Unknown,
}

/// The memory of failures, bounded, for all protocols together. Its locks are held for no longer than a look-up.
pub(super) struct Throttle {
    rules: config::Throttle,
    /// Attempts of one address with one login that may run side by side before any of them has failed or succeeded.
    parallel: u32,
    // Logins are remembered by a keyed hash: short, whatever a stranger sends.
    keyed: RandomState,
    state: Mutex<State>,
}

struct State {
    pairs: Book<(IpAddr, u64), Pair>,
    logins: Book<u64, u32>,
    addresses: Book<IpAddr, Address>,
    familiar: Book<(IpAddr, u64), Familiar>,
}

/// A login that has succeeded from an address.
#[derive(Default)]
struct Familiar {
    /// When that was last written down.
    noted: Option<Instant>,
}

/// One address with one login.
#[derive(Default)]
struct Pair {
    failures: u32,
    attempts: u32,
    next: Option<Instant>,
}

#[derive(Default)]
struct Address {
    unknown: HashSet<u64>,
    banned_until: Option<Instant>,
    last_success: Option<Instant>,
}

impl Throttle {
    /// As many sessions as an account may have may log in at the same time, also right after a restart.
    pub(super) fn new(rules: &config::Throttle, sessions_per_account: usize) -> Self {
        let parallel = u32::try_from(sessions_per_account).unwrap_or(u32::MAX);
        let max = rules.remembered.max(1);
        let state = State {
            pairs: Book::new(max),
            logins: Book::new(max),
            addresses: Book::new(max),
            familiar: Book::new(max),
        };
        Self { rules: rules.clone(), parallel, keyed: RandomState::new(), state: Mutex::new(state) }
    }

    /// Whether this address is banned now.
    pub(super) fn is_banned(&self, peer: IpAddr, now: Instant) -> bool {
        self.lock().addresses.get(&network(peer)).is_some_and(|address| {
            address.banned_until.is_some_and(|until| now < until) && !self.is_recent(address, now)
        })
    }

    /// Counts an attempt with a password and says how long it waits before it is looked at.
    pub(super) fn attempt(&self, peer: IpAddr, login: &str, now: Instant) -> Verdict {
        if self.is_banned(peer, now) {
            return Verdict::Banned;
        }
        let (network, login) = (network(peer), self.keyed.hash_one(login));
        let mut state = self.lock();
        let familiar = self.is_familiar(&state, network, login, now);
        let forget = self.forget();
        let shared = state.logins.fresh(&login, now, forget).map_or(0, |n| *n / SHARED);
        let pair = state.pairs.entry((network, login), now, forget);
        if familiar {
            // Never in a queue: others behind the same address must not hold up what works.
            let longest = Duration::from_millis(self.rules.familiar_delay_ms);
            return Verdict::Wait(self.delay(pair.failures).min(longest));
        }
        pair.attempts = pair.attempts.saturating_add(1);
        let level = pair.failures.max(pair.attempts.saturating_sub(self.parallel));
        let longest = Duration::from_millis(self.rules.max_delay_ms);
        let delay = self.delay(level).min(longest);
        // One after the other: a hundred connections guess no faster than one.
        let start = pair.next.unwrap_or(now).max(now);
        let wait = (start + delay).saturating_duration_since(now);
        if wait > longest * 2 {
            return Verdict::Crowded;
        }
        if level > 0 {
            pair.next = Some(start + delay);
        }
        Verdict::Wait(wait.max(self.delay(shared).min(longest / 2)))
    }

    /// An attempt failed. Whether its address is banned for it.
    pub(super) fn failed(&self, peer: IpAddr, login: &str, exists: Login, now: Instant) -> bool {
        let banned = self.probed(peer, login, exists, now);
        let (network, login) = (network(peer), self.keyed.hash_one(login));
        let mut state = self.lock();
        let familiar = self.is_familiar(&state, network, login, now);
        let pair = state.pairs.entry((network, login), now, self.forget());
        pair.failures = pair.failures.saturating_add(1);
        if !familiar {
            let failures = state.logins.entry(login, now, self.forget());
            *failures = failures.saturating_add(1);
        }
        banned
    }

    /// A login was named, with or without proof: too many that do not exist end in a ban. Whether this one did.
    pub(super) fn probed(&self, peer: IpAddr, login: &str, exists: Login, now: Instant) -> bool {
        if exists == Login::Known {
            return false;
        }
        let login = self.keyed.hash_one(login);
        let mut state = self.lock();
        let keep = self.forget().max(self.familiar());
        let address = state.addresses.entry(network(peer), now, keep);
        if self.is_recent(address, now) {
            return false;
        }
        address.unknown.insert(login);
        let banned = address.unknown.len() >= self.rules.ban_unknown_logins.max(1);
        if banned {
            address.unknown.clear();
            address.banned_until = Some(now + Duration::from_secs(self.rules.ban_s));
        }
        banned
    }

    /// An attempt succeeded: its failures are forgotten, its address is familiar. Whether to write that down.
    pub(super) fn succeeded(&self, peer: IpAddr, login: &str, now: Instant) -> bool {
        let (network, login) = (network(peer), self.keyed.hash_one(login));
        let keep = self.familiar();
        let mut state = self.lock();
        state.pairs.entries.remove(&(network, login));
        let familiar = state.familiar.entry((network, login), now, keep);
        let is_noted = |at: Instant| now.saturating_duration_since(at) < NOTE_EVERY;
        let to_note = !familiar.noted.is_some_and(is_noted);
        if to_note {
            familiar.noted = Some(now);
        }
        let address = state.addresses.entry(network, now, keep);
        *address = Address { last_success: Some(now), ..Address::default() };
        to_note
    }

    /// A success that was written down before a restart; oldest first.
    pub(super) fn recall_success(&self, peer: IpAddr, login: &str, at: Instant) {
        let (network, login) = (network(peer), self.keyed.hash_one(login));
        let keep = self.familiar();
        let mut state = self.lock();
        state.familiar.entry((network, login), at, keep).noted = Some(at);
        state.addresses.entry(network, at, keep).last_success = Some(at);
    }

    /// A ban that was written down before a restart.
    pub(super) fn recall_ban(&self, peer: IpAddr, until: Instant, now: Instant) {
        let keep = self.forget().max(self.familiar());
        self.lock().addresses.entry(network(peer), now, keep).banned_until = Some(until);
    }

    /// Takes a ban back.
    pub(super) fn lift(&self, peer: IpAddr) {
        if let Some((_, address)) = self.lock().addresses.entries.get_mut(&network(peer)) {
            address.banned_until = None;
        }
    }

    /// The wait after so many failures: none, then doubling.
    fn delay(&self, failures: u32) -> Duration {
        let Some(doublings) = failures.checked_sub(1) else { return Duration::ZERO };
        let factor = 2_u32.saturating_pow(doublings.min(20));
        Duration::from_millis(self.rules.first_delay_ms).saturating_mul(factor)
    }

    fn is_familiar(&self, state: &State, network: IpAddr, login: u64, now: Instant) -> bool {
        state.familiar.fresh(&(network, login), now, self.familiar()).is_some()
    }

    fn is_recent(&self, address: &Address, now: Instant) -> bool {
        address.last_success.is_some_and(|at| now.saturating_duration_since(at) < self.familiar())
    }

    fn forget(&self) -> Duration {
        Duration::from_secs(self.rules.forget_s)
    }

    fn familiar(&self) -> Duration {
        Duration::from_secs(u64::from(self.rules.familiar_days) * 86_400)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What counts as one address: an IPv4 address, or an IPv6 /64 (one subscriber owns all of it).
pub(super) fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(v6) => {
            let upper = v6.to_bits() & (u128::MAX << 64);
            IpAddr::V6(Ipv6Addr::from_bits(upper))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// A bounded memory: when it is full, an eighth of it goes, the longest untouched first.
struct Book<K, V> {
    entries: HashMap<K, (Instant, V)>,
    max: usize,
}

impl<K: Hash + Eq + Copy, V: Default> Book<K, V> {
    fn new(max: usize) -> Self {
        Self { entries: HashMap::new(), max }
    }

    fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key).map(|(_, value)| value)
    }

    /// The entry, unless it was last touched longer than `keep` ago.
    fn fresh(&self, key: &K, now: Instant, keep: Duration) -> Option<&V> {
        let (touched, value) = self.entries.get(key)?;
        (now.saturating_duration_since(*touched) < keep).then_some(value)
    }

    /// The entry, touched; a new one if there is none or it is older than `keep`.
    fn entry(&mut self, key: K, now: Instant, keep: Duration) -> &mut V {
        if !self.entries.contains_key(&key) && self.entries.len() >= self.max {
            self.make_room();
        }
        let (touched, value) = self.entries.entry(key).or_insert_with(|| (now, V::default()));
        if now.saturating_duration_since(*touched) >= keep {
            *value = V::default();
        }
        *touched = now;
        value
    }

    fn make_room(&mut self) {
        let mut ages: Vec<Instant> = self.entries.values().map(|(touched, _)| *touched).collect();
        let eighth = ages.len() / 8;
        let (_, limit, _) = ages.select_nth_unstable(eighth);
        let limit = *limit;
        let mut left = eighth + 1;
        // Entries of the same instant as the limit go only until the eighth is reached.
        self.entries.retain(|_, (touched, _)| {
            let goes = *touched <= limit && left > 0;
            left -= usize::from(goes);
            !goes
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINE: &str = "192.0.2.1";
    const OTHER: &str = "198.51.100.7";

    struct Bench {
        throttle: Throttle,
        now: Instant,
    }

    impl Bench {
        fn new() -> Self {
            Self { throttle: Throttle::new(&config::Throttle::default(), 16), now: Instant::now() }
        }

        /// One attempt after another, as a client that waits for each answer does.
        fn try_once(&mut self, peer: &str, login: &str, ok: bool) -> Verdict {
            let peer = peer.parse().unwrap();
            let verdict = self.throttle.attempt(peer, login, self.now);
            if let Verdict::Wait(wait) = verdict {
                self.now += wait;
                if ok {
                    self.throttle.succeeded(peer, login, self.now);
                } else {
                    self.throttle.failed(peer, login, Login::Known, self.now);
                }
            }
            verdict
        }
    }

    fn wait(ms: u64) -> Verdict {
        Verdict::Wait(Duration::from_millis(ms))
    }

    #[test]
    fn waits_double_up_to_the_longest_and_the_account_is_never_locked() {
        let mut bench = Bench::new();
        let waits: Vec<_> = (0..9).map(|_| bench.try_once(MINE, "acme", false)).collect();
        let expected = [0, 250, 500, 1000, 2000, 4000, 8000, 8000, 8000].map(wait);
        assert_eq!(waits, expected);
        for _ in 0..1000 {
            bench.try_once(MINE, "acme", false);
        }
        assert_eq!(bench.try_once(MINE, "acme", true), wait(8000));
        assert_eq!(bench.try_once(MINE, "acme", true), wait(0));
    }

    #[test]
    fn one_address_with_a_wrong_password_does_not_slow_its_other_logins() {
        let mut bench = Bench::new();
        for _ in 0..5 {
            bench.try_once(MINE, "acme", false);
        }
        assert_eq!(bench.try_once(MINE, "bolt", true), wait(0));
        assert_eq!(bench.try_once(OTHER, "acme", true), wait(0));
    }

    #[test]
    fn a_familiar_address_is_slowed_but_never_queued_or_banned() {
        let mut bench = Bench::new();
        bench.try_once(MINE, "acme", true);
        for _ in 0..20 {
            bench.try_once(MINE, "acme", false);
        }
        let peer = MINE.parse().unwrap();
        for _ in 0..500 {
            assert_eq!(bench.throttle.attempt(peer, "acme", bench.now), wait(2000));
        }
        for n in 0..1000 {
            bench.throttle.failed(peer, &format!("nobody{n}"), Login::Unknown, bench.now);
        }
        assert_eq!(bench.throttle.attempt(peer, "acme", bench.now), wait(2000));
    }

    #[test]
    fn many_unknown_logins_end_in_a_ban_that_ends() {
        let bench = Bench::new();
        let peer: IpAddr = OTHER.parse().unwrap();
        for n in 0..19 {
            bench.throttle.probed(peer, &format!("nobody{n}"), Login::Unknown, bench.now);
            bench.throttle.probed(peer, "nobody0", Login::Unknown, bench.now);
        }
        assert!(!bench.throttle.is_banned(peer, bench.now));
        bench.throttle.probed(peer, "nobody19", Login::Unknown, bench.now);
        assert_eq!(bench.throttle.attempt(peer, "acme", bench.now), Verdict::Banned);
        assert!(!bench.throttle.is_banned(MINE.parse().unwrap(), bench.now));
        let later = bench.now + Duration::from_secs(900);
        assert!(!bench.throttle.is_banned(peer, later));
    }

    #[test]
    fn parallel_guesses_stand_in_line() {
        let bench = Bench::new();
        let peer: IpAddr = OTHER.parse().unwrap();
        let verdicts: Vec<_> =
            (0..500).map(|_| bench.throttle.attempt(peer, "acme", bench.now)).collect();
        let at_once = verdicts.iter().filter(|v| **v == wait(0)).count();
        assert_eq!(at_once, 16);
        assert!(verdicts.ends_with(&[Verdict::Crowded]));
        let looked_at = verdicts.iter().filter(|v| **v != Verdict::Crowded).count();
        assert!(looked_at < 30, "{looked_at}");
    }

    #[test]
    fn a_login_guessed_from_everywhere_is_slowed_for_strangers_only() {
        let mut bench = Bench::new();
        bench.try_once(MINE, "acme", true);
        for n in 0..100 {
            let peer = format!("203.0.113.{n}").parse().unwrap();
            bench.throttle.failed(peer, "acme", Login::Known, bench.now);
        }
        assert_eq!(bench.throttle.attempt(OTHER.parse().unwrap(), "acme", bench.now), wait(4000));
        assert_eq!(bench.throttle.attempt(MINE.parse().unwrap(), "acme", bench.now), wait(0));
    }

    #[test]
    fn what_was_known_before_a_restart_counts_again() {
        let bench = Bench::new();
        let (mine, other) = (MINE.parse().unwrap(), OTHER.parse().unwrap());
        assert!(bench.throttle.succeeded(mine, "acme", bench.now), "the first time is noted");
        assert!(!bench.throttle.succeeded(mine, "acme", bench.now + Duration::from_secs(60)));
        let after = Bench::new();
        after.throttle.recall_success(mine, "acme", after.now);
        after.throttle.recall_ban(other, after.now + Duration::from_secs(60), after.now);
        assert!(after.throttle.is_banned(other, after.now));
        for n in 0..100 {
            let login = format!("nobody{n}");
            assert!(!after.throttle.failed(mine, &login, Login::Unknown, after.now));
        }
        assert!(!after.throttle.is_banned(mine, after.now), "a familiar address");
        after.throttle.lift(other);
        assert!(!after.throttle.is_banned(other, after.now));
    }

    #[test]
    fn one_ipv6_subscriber_is_one_address() {
        let n = |s: &str| network(s.parse().unwrap());
        assert_eq!(n("2001:db8:1:2::1"), n("2001:db8:1:2:ffff::9"));
        assert_ne!(n("2001:db8:1:2::1"), n("2001:db8:1:3::1"));
        assert_eq!(n("::ffff:192.0.2.1"), n("192.0.2.1"));
    }

    #[test]
    fn failures_are_forgotten_and_the_memory_is_bounded() {
        let rules = config::Throttle { remembered: 100, ..config::Throttle::default() };
        let (throttle, now) = (Throttle::new(&rules, 16), Instant::now());
        let peer: IpAddr = OTHER.parse().unwrap();
        throttle.failed(peer, "acme", Login::Known, now);
        assert_eq!(throttle.attempt(peer, "acme", now), wait(250));
        let later = now + Duration::from_secs(901);
        assert_eq!(throttle.attempt(peer, "acme", later), wait(0));
        for n in 0..5000_u32 {
            let peer = IpAddr::from(n.to_be_bytes());
            throttle.failed(peer, &n.to_string(), Login::Unknown, later);
        }
        let state = throttle.lock();
        assert!(state.pairs.entries.len() <= 100 && state.addresses.entries.len() <= 100);
        assert!(state.logins.entries.len() <= 100);
    }
}
