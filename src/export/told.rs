//! What the other side has been told of each user, and what a run has to tell it.

use std::collections::BTreeMap;

use jiff::civil::Date;
use sha2::{Digest, Sha256};

use super::settings::What;
use crate::import::directory::User;
use crate::import::fields::Field;
use crate::import::standing::Standing;

/// What the other side knows of one user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The print of the row that was sent, or would have been.
    pub print: u64,
    /// Where the user stood.
    pub standing: Standing,
    /// The start of an upcoming contract, the last day of an ended one, as a number; 0: none.
    pub day: u32,
}

/// One user as of this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// What would be known once this run has told it.
    pub entry: Entry,
    /// Whether the settings speak of this user.
    pub in_scope: bool,
    /// The contract's last day as a number; 0: none.
    pub last_day: u32,
}

impl Now {
    /// A user on the day of a run.
    #[must_use]
    pub fn of(user: &User, day: Date, print: u64, in_scope: bool) -> Self {
        let standing = Standing::of(user, day);
        let date = |field| user.values.get(field).map_or(0, number);
        let last_day = date(Field::ContractEnd);
        let day = match standing {
            Standing::Upcoming => date(Field::ContractStart),
            Standing::Ended => last_day,
            Standing::Active | Standing::Withdrawn => 0,
        };
        Self { entry: Entry { print, standing, day }, in_scope, last_day }
    }
}

/// `2026-11-22` as 20261122; what is no date is 0.
fn number(date: &str) -> u32 {
    date.chars().filter(|c| *c != '-').collect::<String>().parse().unwrap_or(0)
}

/// What a run does with one user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Whether the user is in the file.
    pub is_sent: bool,
    /// What the other side knows afterwards; `None`: nothing any more.
    pub entry: Option<Entry>,
}

/// What a run does with a user of whom the other side knows `before`. `since` is the day of the last run as a
/// number; 0: this is the first.
#[must_use]
pub fn step(what: What, before: Option<Entry>, now: Now, since: u32) -> Step {
    let Now { entry, in_scope, .. } = now;
    let is_known = in_scope && entry.standing != Standing::Withdrawn;
    let is_sent = match what {
        What::All => is_known,
        What::Changed if is_known => before.is_none_or(|before| before.print != entry.print),
        What::Changed => before.is_some(),
        What::Leavers => leaves(before, now),
        What::Newcomers => {
            comes(before, now) || before.is_none() && passed_by(now, since) || corrects(before, now)
        }
    };
    Step { is_sent, entry: is_known.then_some(entry) }
}

/// Who has left since, or whose leaving was told and is otherwise now.
fn leaves(before: Option<Entry>, now: Now) -> bool {
    let was_there = before.is_some_and(|before| before.standing.is_there());
    let had_left = before.filter(|before| before.standing == Standing::Ended);
    match now.entry.standing {
        Standing::Withdrawn => was_there,
        _ if !now.in_scope => was_there,
        Standing::Ended => had_left.is_none_or(|before| before.day != now.entry.day),
        Standing::Upcoming | Standing::Active => had_left.is_some(),
    }
}

/// Who is there now and was not.
fn comes(before: Option<Entry>, now: Now) -> bool {
    let was_there = before.is_some_and(|before| before.standing.is_there());
    now.in_scope && now.entry.standing.is_there() && !was_there
}

/// Who came and left again since the last run.
fn passed_by(now: Now, since: u32) -> bool {
    now.in_scope && now.entry.standing == Standing::Ended && since > 0 && now.last_day >= since
}

/// Who was told before the contract began, and begins on another day or not at all.
fn corrects(before: Option<Entry>, now: Now) -> bool {
    let told = before.filter(|before| before.standing == Standing::Upcoming);
    told.is_some_and(|told| match now.entry.standing {
        Standing::Withdrawn => true,
        Standing::Upcoming => !now.in_scope || told.day != now.entry.day,
        Standing::Active | Standing::Ended => !now.in_scope,
    })
}

/// What the other side knows of everybody, after a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Mixed into every print, so that nobody finds a row by trying.
    pub salt: [u8; 16],
    /// The day of the run as a number.
    pub day: u32,
    /// By user.
    pub entries: BTreeMap<i64, Entry>,
}

const MAGIC: &[u8; 4] = b"told";
const CHECK_BYTES: usize = 16;

impl Told {
    /// Nobody is known yet, as of this day.
    #[must_use]
    pub fn nobody(salt: [u8; 16], day: Date) -> Self {
        Self { salt, day: number(&day.to_string()), entries: BTreeMap::new() }
    }

    /// As bytes to keep: ids as differences, and a check sum.
    #[must_use]
    pub fn pack(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(40 + self.entries.len() * 16);
        bytes.extend(MAGIC);
        bytes.extend(self.salt);
        bytes.extend(self.day.to_le_bytes());
        let mut last = 0;
        for (user, entry) in &self.entries {
            let mut rest = user.wrapping_sub(last).unsigned_abs();
            last = *user;
            loop {
                let low = u8::try_from(rest & 0x7F).unwrap_or(0);
                rest >>= 7;
                bytes.push(if rest == 0 { low } else { low | 0x80 });
                if rest == 0 {
                    break;
                }
            }
            bytes.extend(entry.print.to_le_bytes());
            let standing = Standing::NAMED.iter().position(|(_, one)| *one == entry.standing);
            bytes.push(standing.and_then(|at| u8::try_from(at).ok()).unwrap_or(0));
            bytes.extend(entry.day.to_le_bytes());
        }
        let check = Sha256::digest(&bytes);
        bytes.extend(check.iter().take(CHECK_BYTES));
        bytes
    }

    /// The same back; `None`: these bytes are damaged, or something else.
    #[must_use]
    pub fn unpack(bytes: &[u8]) -> Option<Self> {
        let (body, check) = bytes.split_at_checked(bytes.len().checked_sub(CHECK_BYTES)?)?;
        if !Sha256::digest(body).starts_with(check) {
            return None;
        }
        let mut rest = Bytes(body);
        if rest.take::<4>()? != *MAGIC {
            return None;
        }
        let salt = rest.take()?;
        let day = u32::from_le_bytes(rest.take()?);
        let mut entries = BTreeMap::new();
        let mut user: i64 = 0;
        while !rest.0.is_empty() {
            user = user.checked_add(i64::try_from(rest.number()?).ok()?)?;
            let print = u64::from_le_bytes(rest.take()?);
            let [standing] = rest.take()?;
            let (_, standing) = *Standing::NAMED.get(usize::from(standing))?;
            let day = u32::from_le_bytes(rest.take()?);
            entries.insert(user, Entry { print, standing, day });
        }
        Some(Self { salt, day, entries })
    }
}

struct Bytes<'b>(&'b [u8]);

impl Bytes<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    fn number(&mut self) -> Option<u64> {
        let (mut number, mut shift) = (0_u64, 0_u32);
        loop {
            let [byte] = self.take()?;
            number |= u64::from(byte & 0x7F).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(number);
            }
            shift += 7;
        }
    }
}
