//! The prints of a source's last applied file (`import::quick`), and the part of a directory that a file can touch.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension, params};

use super::users::{some_users, user_columns};
use super::{Directory, from_json, meta, snapshot, to_json};
use crate::error::Result;
use crate::import::directory::{Snapshot, SourceMemory, User};
use crate::import::fields::Field;
use crate::import::quick::{self, Head, NewPrints, Outcome, Print, Prints, Wants};
use crate::import::{Job, Plan};
use crate::store::failed;

/// How many rows a chunk holds.
const CHUNK_ROWS: usize = 4096;
/// How many times a part may turn out to be too small.
const ROUNDS: u32 = 6;
/// From this share of the users on (one in so many), a file is planned in the usual way.
const MOST_SHARE: usize = 4;
/// So many users are never too many.
const ALWAYS_FEW: usize = 2_000;

impl Directory {
    /// The plan of a file of which most comes again as it was: the same as the usual one, made of what differs and the
    /// users whom that can touch. `None`: something is unusual. `job` needs no snapshot.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn plan_quickly(
        &self,
        source: &str,
        memory: &SourceMemory,
        job: &Job<'_>,
    ) -> Result<Option<Plan>> {
        let Some(prints) = self.prints(source)? else { return Ok(None) };
        let mut part = self.part(source, &[])?;
        part.earlier.clone_from(&job.snapshot.earlier);
        let few = usize::try_from(part.next_user_id).unwrap_or(usize::MAX) / MOST_SHARE;
        let few = few.max(ALWAYS_FEW);
        let (next, secret) = (part.next_user_id, part.secret.clone());
        let Some(mut glance) = quick::glance(job, memory, next, prints, &secret) else {
            return Ok(None);
        };
        // Whoever waits for a manager may get one though the own row is the same.
        let waiting: Vec<i64> = part.manager_wishes.keys().copied().collect();
        let mut more: Vec<i64> = glance.others().chain(waiting).take(few + 1).collect();
        let mut asked = Wants::default();
        for _ in 0..ROUNDS {
            if part.users.len() + more.len() > few {
                return Ok(None);
            }
            self.add_to_part(&mut part, &more)?;
            glance.read(part.users.iter().map(|user| user.id));
            match quick::plan_part(&Job { snapshot: &part, ..*job }, &glance, &asked) {
                Outcome::Planned(plan) => return Ok(Some(*plan)),
                Outcome::Usual => return Ok(None),
                Outcome::Wants(wants) => {
                    let bosses: Vec<i64> = wants.bosses.iter().copied().collect();
                    more = glance.reports_of(&bosses);
                    if wants.needs_search() {
                        let today = job.today.to_string();
                        more.extend(self.search(Wants::clone(&wants), &part, &today)?);
                    }
                    asked.extend(*wants);
                }
            }
        }
        Ok(None)
    }

    /// The prints of a source's last applied file, if nothing was written to the directory since.
    fn prints(&self, source: &str) -> Result<Option<Prints>> {
        let read = || -> rusqlite::Result<Option<Prints>> {
            let tx = self.conn.unchecked_transaction()?;
            let head: Option<String> = tx
                .prepare_cached(
                    "SELECT head FROM print_heads WHERE source = ?1 AND change_number = ?2",
                )?
                .query_row(params![source, meta(&tx)?.change_number], |row| row.get(0))
                .optional()?;
            let Some(head) = head else { return Ok(None) };
            let head: Head = from_json(&head)?;
            let mut chunks =
                tx.prepare_cached("SELECT rows FROM prints WHERE source = ?1 ORDER BY chunk")?;
            let mut found = chunks.query([source])?;
            let mut rows = Vec::new();
            while let Some(row) = found.next()? {
                if unpack(row.get_ref(0)?.as_blob()?, &mut rows).is_none() {
                    return Ok(None);
                }
            }
            Ok(Some(Prints { head, rows }))
        };
        read().map_err(failed(format_args!("read the prints of the source \"{source}\"")))
    }

    /// The directory as a plan of `source` sees it, but of its users only these and everybody above them.
    fn part(&self, source: &str, users: &[i64]) -> Result<Snapshot> {
        let read = || -> rusqlite::Result<Snapshot> {
            let tx = self.conn.unchecked_transaction()?;
            let mut part = snapshot::around(&tx, source, Vec::new())?;
            add(&tx, &mut part, users)?;
            Ok(part)
        };
        read().map_err(failed("read a part of the directory"))
    }

    /// Adds these users, and everybody above them, to a part of the directory.
    fn add_to_part(&self, part: &mut Snapshot, users: &[i64]) -> Result<()> {
        let mut read = || -> rusqlite::Result<()> {
            // One lock, not one for each user.
            let tx = self.conn.unchecked_transaction()?;
            add(&tx, part, users)
        };
        read().map_err(failed("read a part of the directory"))
    }

    /// The users who are wanted and not in the part, by id; of a legal entity, one who has not left before `today`.
    fn search(&self, mut wants: Wants, part: &Snapshot, today: &str) -> Result<Vec<i64>> {
        let mut read = || -> rusqlite::Result<Vec<i64>> {
            let tx = self.conn.unchecked_transaction()?;
            let known: HashSet<i64> = part.users.iter().map(|user| user.id).collect();
            let mut all = tx.prepare_cached(&user_columns(&[
                Field::EmployeeNumber,
                Field::LegalEntity,
                Field::Login,
                Field::FirstName,
                Field::LastName,
                Field::Email,
                Field::ContractEnd,
            ]))?;
            let mut rows = all.query([])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let user = super::users::user(row)?;
                let end = user.values.get(Field::ContractEnd);
                let is_active = !user.withdrawn && end.is_none_or(|end| end >= today);
                if !known.contains(&user.id) && wants.takes(&user, is_active) {
                    found.push(user.id);
                }
            }
            Ok(found)
        };
        read().map_err(failed("search the directory"))
    }
}

/// Adds users and, level by level, their managers.
fn add(conn: &Connection, part: &mut Snapshot, users: &[i64]) -> rusqlite::Result<()> {
    let mut known: HashSet<i64> = part.users.iter().map(|user| user.id).collect();
    let mut next: Vec<i64> = users.iter().copied().filter(|id| known.insert(*id)).collect();
    while !next.is_empty() {
        let level: Vec<User> = some_users(conn, &next)?;
        let bosses = level.iter().filter_map(|user| user.values.get(Field::Manager));
        next = bosses.filter_map(|id| id.parse().ok()).filter(|id| known.insert(*id)).collect();
        part.users.extend(level);
    }
    part.users.sort_unstable_by_key(|user| user.id);
    Ok(())
}

/// The secret of a directory, with which its prints are made.
pub(super) fn secret(conn: &Connection) -> rusqlite::Result<Vec<u8>> {
    conn.prepare_cached("SELECT secret FROM print_secret")?.query_row([], |row| row.get(0))
}

/// Keeps, renews or drops a source's prints, in the transaction that applies the import.
pub(super) fn save(
    tx: &Connection,
    source: &str,
    prints: &NewPrints,
    change_number: i64,
) -> rusqlite::Result<()> {
    let (head, rows) = match prints {
        NewPrints::Drop => (None, Some([].as_slice())),
        NewPrints::Keep(head) => (Some(head), None),
        NewPrints::Replace(prints) => (Some(&prints.head), Some(prints.rows.as_slice())),
    };
    if let Some(rows) = rows {
        let mut chunks = 0_i64;
        let mut put = tx.prepare_cached(
            "INSERT INTO prints (source, chunk, rows) VALUES (?1, ?2, ?3)
             ON CONFLICT (source, chunk) DO UPDATE SET rows = excluded.rows WHERE rows <> excluded.rows",
        )?;
        for chunk in rows.chunks(CHUNK_ROWS) {
            put.execute(params![source, chunks, pack(chunk)])?;
            chunks += 1;
        }
        tx.prepare_cached("DELETE FROM prints WHERE source = ?1 AND chunk >= ?2")?
            .execute(params![source, chunks])?;
    }
    match head {
        Some(head) => tx
            .prepare_cached(
                "INSERT INTO print_heads (source, change_number, head) VALUES (?1, ?2, ?3)
                 ON CONFLICT (source) DO UPDATE SET change_number = excluded.change_number,
                     head = excluded.head",
            )?
            .execute(params![source, change_number, to_json(head)?])?,
        None => {
            tx.prepare_cached("DELETE FROM print_heads WHERE source = ?1")?.execute([source])?
        }
    };
    Ok(())
}

/// Each row's hash, then user (as a difference), manager and last day in LEB128 (7 bits a byte, low first).
fn pack(rows: &[Print]) -> Vec<u8> {
    let mut blob = Vec::with_capacity(rows.len() * 24);
    let mut last = 0_i64;
    for row in rows {
        blob.extend_from_slice(&row.hash);
        let user = i64::from(row.user);
        let step = user.wrapping_sub(last);
        last = user;
        // The sign goes last, so that small steps back are short too.
        put(&mut blob, step.wrapping_shl(1).cast_unsigned() ^ (step >> 63).cast_unsigned());
        put(&mut blob, u64::from(row.boss));
        put(&mut blob, u64::from(row.end));
    }
    blob
}

fn put(blob: &mut Vec<u8>, mut rest: u64) {
    loop {
        let low = u8::try_from(rest & 0x7F).unwrap_or(0);
        rest >>= 7;
        blob.push(if rest == 0 { low } else { low | 0x80 });
        if rest == 0 {
            return;
        }
    }
}

/// Adds a chunk's rows; `None`: it is none.
fn unpack(blob: &[u8], rows: &mut Vec<Print>) -> Option<()> {
    let mut rest = blob;
    let mut last = 0_i64;
    while let Some((hash, after)) = rest.split_first_chunk::<16>() {
        rest = after;
        let step = take(&mut rest)?;
        last = last.wrapping_add((step >> 1).cast_signed() ^ -(step & 1).cast_signed());
        let boss = u32::try_from(take(&mut rest)?).ok()?;
        let end = u32::try_from(take(&mut rest)?).ok()?;
        rows.push(Print { hash: *hash, user: u32::try_from(last).ok()?, boss, end });
    }
    rest.is_empty().then_some(())
}

fn take(rest: &mut &[u8]) -> Option<u64> {
    let (mut number, mut shift) = (0_u64, 0_u32);
    loop {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        number |= u64::from(byte & 0x7F).checked_shl(shift)?;
        shift += 7;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_back() {
        let print = |user, boss, end| Print { hash: [9; 16], user, boss, end };
        let rows = [
            print(1, 0, 0),
            print(2, 1, 20_261_231),
            print(1_000_000, 700, 0),
            print(3, u32::MAX, u32::MAX),
            print(u32::MAX, 1, 0),
        ];
        let mut back = Vec::new();
        unpack(&pack(&rows), &mut back).unwrap();
        assert_eq!(back, rows);
        let packed = pack(&rows);
        assert!(unpack(&packed[..packed.len() - 1], &mut Vec::new()).is_none());
    }
}
