//! What comes out of a message, counted and timed.

use std::io::{ErrorKind, Read};

use super::{Limits, Trouble};

/// Files below this size are no bomb, whatever they hold.
const HARMLESS_BYTES: u64 = 16 * 1024 * 1024;

/// How much is read between two looks at the clock.
const STEP_BYTES: u64 = 256 * 1024;

/// The limits for one file.
pub(super) struct Meter<'a> {
    most: u64,
    excess: Trouble,
    limits: &'a Limits<'a>,
}

impl<'a> Meter<'a> {
    /// For a file of so many bytes.
    pub(super) fn new(bytes: usize, limits: &'a Limits<'a>) -> Self {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let by_ratio = bytes.saturating_mul(limits.max_ratio).max(HARMLESS_BYTES);
        let (most, excess) = if by_ratio < limits.max_bytes {
            (by_ratio, Trouble::Ratio(limits.max_ratio))
        } else {
            (limits.max_bytes, Trouble::TooLarge(limits.max_bytes))
        };
        Self { most, excess, limits }
    }

    /// # Errors
    /// [`Trouble::Late`].
    pub(super) fn check_time(&self) -> Result<(), Trouble> {
        if (self.limits.is_late)() { Err(Trouble::Late) } else { Ok(()) }
    }

    /// Everything that comes out of a layer; it may not be more than a file may hold.
    ///
    /// # Errors
    /// [`Trouble::TooLarge`], [`Trouble::Ratio`], [`Trouble::Late`]; [`Trouble::Damaged`] for a layer that cannot be read.
    pub(super) fn read_all(&self, source: &mut dyn Read) -> Result<Vec<u8>, Trouble> {
        // A layer has a frame around what it holds.
        const FRAME_BYTES: u64 = 64 * 1024;
        let most = self.most.saturating_add(FRAME_BYTES);
        let mut out = Vec::new();
        loop {
            self.check_time()?;
            let before = out.len();
            match source.take(STEP_BYTES).read_to_end(&mut out) {
                Ok(0) => return Ok(out),
                Ok(_) if u64::try_from(out.len()).unwrap_or(u64::MAX) > most => {
                    return Err(self.excess.clone());
                }
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => out.truncate(before),
                Err(_) => return Err(Trouble::Damaged),
            }
        }
    }

    /// What a file may hold, exactly.
    ///
    /// # Errors
    /// [`Trouble::TooLarge`], [`Trouble::Ratio`].
    pub(super) fn check_content(&self, content: &[u8]) -> Result<(), Trouble> {
        let bytes = u64::try_from(content.len()).unwrap_or(u64::MAX);
        if bytes > self.most { Err(self.excess.clone()) } else { Ok(()) }
    }
}
