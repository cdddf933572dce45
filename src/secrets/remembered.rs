//! Passwords that were right lately: a program that logs in for each of a thousand files pays for Argon2id once.
//!
//! A wrong password is never faster for it: it is not found here, and is checked in full. Nothing of it outlives
//! the process, and nothing in it says which password it is without the key, which is in the same memory only.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit as _, Mac as _};
use rand::RngExt;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::config::{MAX_PASSWORD_BYTES, REMEMBERED_PASSWORDS};
use crate::error::{Error, Kind, Result};

/// A password and its hash under the process's key (HMAC-SHA256).
type Tag = [u8; 32];

/// The memory of a process.
pub struct Remembered {
    mac: Hmac<Sha256>,
    /// How long a password counts as right after it was checked in full; zero: not at all.
    lasts: Duration,
    seen: Mutex<HashMap<Tag, Instant>>,
}

impl Remembered {
    /// An empty memory with a new key.
    ///
    /// # Errors
    /// When the key cannot be used.
    pub fn new(lasts: Duration) -> Result<Self> {
        let mut key = Zeroizing::new([0_u8; 32]);
        rand::rng().fill(&mut key[..]);
        let mac = Hmac::<Sha256>::new_from_slice(&key[..])
            .map_err(|e| Error::caused(Kind::Internal, "making a key for passwords", e))?;
        Ok(Self { mac, lasts, seen: Mutex::default() })
    }

    /// Whether this password was the one behind this hash lately. Another password of the account has another hash.
    #[must_use]
    pub fn knows(&self, password: &str, hash: &str, now: Instant) -> bool {
        let Some(tag) = self.tag(password, hash) else { return false };
        self.seen().get(&tag).is_some_and(|since| self.lasts(*since, now))
    }

    /// Remembers a password that was checked in full, and is right.
    pub fn note(&self, password: &str, hash: &str, now: Instant) {
        let Some(tag) = self.tag(password, hash) else { return };
        let mut seen = self.seen();
        if seen.len() >= REMEMBERED_PASSWORDS {
            seen.retain(|_, since| self.lasts(*since, now));
        }
        if seen.len() < REMEMBERED_PASSWORDS {
            seen.insert(tag, now);
        }
    }

    fn lasts(&self, since: Instant, now: Instant) -> bool {
        now.saturating_duration_since(since) < self.lasts
    }

    fn tag(&self, password: &str, hash: &str) -> Option<Tag> {
        if self.lasts.is_zero() || password.len() > MAX_PASSWORD_BYTES {
            return None;
        }
        let mut mac = self.mac.clone();
        mac.update(hash.as_bytes());
        // No hash (a PHC string) holds a NUL.
        mac.update(b"\0");
        mac.update(password.as_bytes());
        Some(mac.finalize().into_bytes().into())
    }

    fn seen(&self) -> MutexGuard<'_, HashMap<Tag, Instant>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn only_the_same_password_of_the_same_hash_is_known_and_only_for_so_long() {
        let (memory, now) = (Remembered::new(HOUR).unwrap(), Instant::now());
        assert!(!memory.knows("right", "$hash", now));
        memory.note("right", "$hash", now);
        assert!(memory.knows("right", "$hash", now + HOUR - Duration::from_secs(1)));
        assert!(!memory.knows("right", "$hash", now + HOUR));
        assert!(!memory.knows("Right", "$hash", now));
        assert!(!memory.knows("right", "$other", now));
        assert!(!memory.knows("hright", "$has", now), "where one ends and the other begins");
        assert!(!Remembered::new(HOUR).unwrap().knows("right", "$hash", now), "another process");
    }

    #[test]
    fn it_is_off_when_nothing_is_to_last_and_takes_no_endless_room() {
        let now = Instant::now();
        let off = Remembered::new(Duration::ZERO).unwrap();
        off.note("right", "$hash", now);
        assert!(!off.knows("right", "$hash", now) && off.seen().is_empty());
        let memory = Remembered::new(HOUR).unwrap();
        let all = 0..=REMEMBERED_PASSWORDS;
        all.for_each(|n| memory.note(&n.to_string(), "$hash", now));
        assert_eq!(memory.seen().len(), REMEMBERED_PASSWORDS);
        assert!(!memory.knows(&REMEMBERED_PASSWORDS.to_string(), "$hash", now));
        memory.note("late", "$hash", now + HOUR);
        assert!(memory.knows("late", "$hash", now + HOUR) && memory.seen().len() == 1);
        let long = "x".repeat(MAX_PASSWORD_BYTES + 1);
        memory.note(&long, "$hash", now + HOUR);
        assert!(!memory.knows(&long, "$hash", now + HOUR));
    }
}
