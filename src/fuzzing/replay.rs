//! The committed corpus, and changes of it from a fixed seed: the same on every machine, within seconds.

use std::fs;
use std::panic::catch_unwind;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::TARGETS;

/// How many changed files each target is asked.
fn rounds(name: &str) -> usize {
    match name {
        "import" => 120,
        "nights" => 40,
        "table" => 400,
        "packed" => 200,
        "pgp" => 300,
        "cells" => 150,
        _ => 600,
    }
}

/// No file of the corpus, however changed, takes longer.
const MOST: Duration = Duration::from_secs(20);

/// A small generator of numbers (xorshift).
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }
}

/// What files of these kinds are made of.
const TOKENS: [&[u8]; 36] = [
    b"\"",
    b"'",
    b"\"\"",
    b";",
    b",",
    b"\t",
    b"|",
    b"\n",
    b"\r",
    b"\r\n",
    b"\0",
    b"\x1A",
    b"\\\"",
    b"sep=;\n",
    b"\xEF\xBB\xBF",
    b"\xFF\xFE",
    b"\xC3",
    b"\xE9",
    b"\xC3\x83\xC2\xA9",
    b"=\"1\"",
    b"31/12/9999",
    b"00/00/0000",
    b"1,23E+05",
    b"#REF!",
    b" ",
    b"PK\x03\x04",
    b"\x1F\x8B\x08",
    b"_code;_message",
    b"[aliases]\n",
    b"../",
    b"/",
    b"*",
    b"\xFF\xF4",
    b"STOR ",
    b"\0\0\0\x09",
    b"PROXY TCP4 ",
];

fn changed(seed: &[u8], other: &[u8], chance: &mut Chance) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=chance.below(6) {
        let at = chance.below(bytes.len() + 1);
        let length = chance.below(40).min(bytes.len() - at);
        match chance.below(7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << chance.below(8),
            1 => drop(bytes.drain(at..at + length)),
            2 => {
                let copy = bytes[at..at + length].to_vec();
                let to = chance.below(bytes.len() + 1);
                bytes.splice(to..to, copy);
            }
            3 => bytes.truncate(at),
            4 => {
                let from = chance.below(other.len() + 1);
                let piece = other[from..].iter().copied().take(60);
                bytes.splice(at..at, piece.collect::<Vec<_>>());
            }
            _ => {
                let token = TOKENS[chance.below(TOKENS.len())];
                bytes.splice(at..at, token.repeat(1 + chance.below(3)));
            }
        }
    }
    bytes
}

/// The files of a target's folder, by name.
fn corpus(name: &str) -> Vec<(String, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(name);
    let mut files: Vec<(String, Vec<u8>)> = fs::read_dir(&folder)
        .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{name} has no corpus");
    files
}

fn replay(names: &[&str]) {
    for (name, ask) in TARGETS.iter().filter(|(name, _)| names.contains(name)) {
        let seeds = corpus(name);
        let check = |what: &str, bytes: &[u8]| {
            let started = Instant::now();
            let outcome = catch_unwind(|| ask(bytes));
            assert!(outcome.is_ok(), "{name}, {what}: {:?}", bytes.escape_ascii().to_string());
            assert!(
                started.elapsed() < MOST,
                "{name}, {what}: {:?}",
                bytes.escape_ascii().to_string()
            );
        };
        for (file, bytes) in &seeds {
            check(file, bytes);
        }
        let mut chance = Chance(20_261_122);
        for round in 0..rounds(name) {
            let (seed, other) = (chance.below(seeds.len()), chance.below(seeds.len()));
            let bytes = changed(&seeds[seed].1, &seeds[other].1, &mut chance);
            check(&format!("{} changed, round {round}", seeds[seed].0), &bytes);
        }
    }
}

#[test]
fn files_are_read_as_they_are() {
    replay(&["text", "table", "cells", "packed", "pgp"]);
}

#[test]
fn imports_and_their_settings_hold() {
    replay(&["import", "nights", "settings"]);
}

#[test]
fn the_wire_and_its_names_hold() {
    replay(&["paths", "patterns", "ftp", "sftp", "listing", "proxy", "decision"]);
}
