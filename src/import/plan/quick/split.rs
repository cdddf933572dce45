//! Records by their line ends and quotes alone, each with its keyed hash, beside the prints of the last file.

use std::collections::HashMap;

use xxhash_rust::xxh3::xxh3_128_with_secret;

use super::{Print, SECRET_BYTES};

/// Where a record begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    start: u32,
    /// As a text editor counts, from 1.
    pub physical_line: u32,
}

impl Place {
    pub(super) fn start(self) -> usize {
        usize::try_from(self.start).unwrap_or(usize::MAX)
    }
}

/// The records of a text, and which print each hit.
pub(super) struct Split {
    pub places: Vec<Place>,
    pub hits: Vec<Option<u32>>,
}

/// How many prints ahead a record is looked for before it is put aside.
const AHEAD: usize = 16;

/// The keyed hash of a record; `None`: this is no secret of a directory.
pub(super) fn hash(record: &[u8], secret: &[u8]) -> Option<[u8; 16]> {
    (secret.len() == SECRET_BYTES).then(|| xxh3_128_with_secret(record, secret).to_le_bytes())
}

/// Splits `text`, which begins `offset` bytes into the file on this physical line; `None` when it does not end with a
/// line end outside quotes.
///
/// Whoever hits is a record for certain: the record before it ended, and the same bytes were one in the last file.
/// Whether the others are, the table finds out when it reads them.
pub(super) fn split(
    text: &str,
    offset: usize,
    physical_line: usize,
    prints: &[Print],
    secret: &[u8],
) -> Option<Split> {
    let bytes = text.as_bytes();
    let mut walk = Walk { prints, next: 0, aside: Vec::new(), hits: Vec::new() };
    let mut places = Vec::with_capacity(prints.len() + prints.len() / 16);
    walk.hits.reserve(places.capacity());
    let mut physical_line = u32::try_from(physical_line).ok()?;
    let (mut start, mut first_line, mut quoted) = (0, physical_line, false);
    for at in memchr::memchr2_iter(b'\n', b'"', bytes) {
        if bytes.get(at) == Some(&b'"') {
            quoted = !quoted;
            continue;
        }
        physical_line = physical_line.checked_add(1)?;
        if quoted {
            continue;
        }
        places.push(Place {
            start: u32::try_from(offset.checked_add(start)?).ok()?,
            physical_line: first_line,
        });
        let record = bytes.get(start..at)?;
        walk.take(hash(record.strip_suffix(b"\r").unwrap_or(record), secret)?)?;
        (start, first_line) = (at + 1, physical_line);
    }
    (start == bytes.len()).then_some(())?;
    Some(Split { places, hits: walk.finish() })
}

/// The prints of the last file in their order, and how far the new file has come beside them.
struct Walk<'p> {
    prints: &'p [Print],
    next: usize,
    hits: Vec<Option<u32>>,
    /// Records that were not found where they were looked for.
    aside: Vec<(u32, [u8; 16])>,
}

impl Walk<'_> {
    fn take(&mut self, hash: [u8; 16]) -> Option<()> {
        let ahead = self.prints.get(self.next..)?.iter().take(AHEAD);
        let hit = match ahead.enumerate().find(|(_, print)| print.hash == hash) {
            Some((ahead, _)) => {
                let hit = self.next + ahead;
                self.next = hit + 1;
                Some(u32::try_from(hit).ok()?)
            }
            None => {
                self.aside.push((u32::try_from(self.hits.len()).ok()?, hash));
                None
            }
        };
        self.hits.push(hit);
        Some(())
    }

    /// What was put aside is looked for among all prints that nobody hit: rows that moved.
    fn finish(mut self) -> Vec<Option<u32>> {
        let mut is_hit = vec![false; self.prints.len()];
        for hit in self.hits.iter().flatten().filter_map(|hit| usize::try_from(*hit).ok()) {
            if let Some(slot) = is_hit.get_mut(hit) {
                *slot = true;
            }
        }
        let left = self.prints.iter().zip(0_u32..).zip(&is_hit).filter(|(_, hit)| !**hit);
        let mut left: HashMap<[u8; 16], u32> =
            left.map(|((print, at), _)| (print.hash, at)).collect();
        for (record, hash) in self.aside {
            let slot = usize::try_from(record).ok().and_then(|at| self.hits.get_mut(at));
            if let Some(slot) = slot {
                *slot = left.remove(&hash);
            }
        }
        self.hits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: [u8; SECRET_BYTES] = [7; SECRET_BYTES];

    fn prints(rows: &[&str]) -> Vec<Print> {
        let print = |row: &&str| Print {
            hash: hash(row.as_bytes(), &SECRET).unwrap(),
            user: 0,
            boss: 0,
            end: 0,
        };
        rows.iter().map(print).collect()
    }

    fn check(before: &[&str], text: &str, expected: &[(u32, Option<u32>)]) {
        let split = split(text, 100, 2, &prints(before), &SECRET).unwrap();
        let lines: Vec<u32> = split.places.iter().map(|place| place.physical_line).collect();
        let found: Vec<_> = lines.into_iter().zip(split.hits).collect();
        assert_eq!(found, expected, "{text:?}");
    }

    #[test]
    fn rows_are_found_where_they_were_or_wherever_they_went() {
        let before = ["a;1", "b;2", "c;3", "d;4"];
        check(
            &before,
            "a;1\nb;2\nc;3\nd;4\n",
            &[(2, Some(0)), (3, Some(1)), (4, Some(2)), (5, Some(3))],
        );
        check(&before, "a;1\r\nB;2\r\nc;3\r\n", &[(2, Some(0)), (3, None), (4, Some(2))]);
        check(
            &before,
            "d;4\nnew;5\na;1\na;1\n",
            &[(2, Some(3)), (3, None), (4, Some(0)), (5, None)],
        );
        check(&before, "\"x\ny\"\na;1\n", &[(2, None), (4, Some(0))]);
        let many: Vec<String> = (0..100).map(|n| format!("row;{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let text = format!("{}\n{}\n", vec!["gone"; 40].join("\n"), many[40..].join("\n"));
        let split = split(&text, 0, 2, &prints(&many), &SECRET).unwrap();
        assert_eq!(split.hits.iter().flatten().count(), 60);
    }

    #[test]
    fn a_text_that_ends_in_the_middle_is_left_to_others() {
        assert!(split("a;1", 0, 2, &[], &SECRET).is_none());
        assert!(split("\"a;1\n", 0, 2, &[], &SECRET).is_none());
        assert!(split("a;1\n", 0, 2, &[], &[1, 2, 3]).is_none());
    }
}
