//! Text that was decoded twice (`Ã©` for `é`): seen, and taken back where nothing is lost.

use std::borrow::Cow;

use super::{Decoded, Encoding};
use crate::import::note::{FileRefusal, Note};

/// Takes the second decoding back when the whole text allows it.
///
/// # Errors
/// F009 when some of the text was decoded twice but the whole cannot be converted back.
pub(super) fn mend(mut decoded: Decoded<'_>) -> Result<Decoded<'_>, FileRefusal> {
    let unicode =
        matches!(decoded.encoding, Encoding::Utf8 | Encoding::Utf16Le | Encoding::Utf16Be);
    if !unicode || decoded.text.is_ascii() {
        return Ok(decoded);
    }
    // Each program on the way may have done it: `ÃƒÂ©`, `Ã©`, `é`.
    let mut note = None;
    for _ in 0..MOST_TIMES {
        let Some(seen) = first_broken(&decoded.text) else { break };
        let params = vec![("received", seen.0), ("meant", seen.1)];
        let Some(text) = undo(&decoded.text) else {
            let line = decoded.text.get(..seen.2).map_or(1, |before| {
                memchr::memchr_iter(b'\n', before.as_bytes()).count().saturating_add(1)
            });
            let mut refusal = FileRefusal::new("F009", params);
            refusal.physical_line = Some(u32::try_from(line).unwrap_or(u32::MAX));
            return Err(refusal);
        };
        decoded.text = Cow::Owned(text);
        note = Some(Note::new("F009", params));
    }
    decoded.notes.extend(note);
    Ok(decoded)
}

/// How often a text may have been decoded once too often.
const MOST_TIMES: usize = 3;

/// The first place where two or three characters are, taken as bytes, one accented letter in UTF-8:
/// the characters, the letter, and where (in bytes).
fn first_broken(text: &str) -> Option<(String, String, usize)> {
    // Ã, Â, Ä, Å and â all begin with this byte in UTF-8.
    for at in memchr::memchr_iter(0xC3, text.as_bytes()) {
        let length = match text.as_bytes().get(at + 1) {
            Some(0x82..=0x85) => 2,
            Some(0xA2) => 3,
            _ => continue,
        };
        let Some(rest) = text.get(at..) else { continue };
        let broken: String = rest.chars().take(length).collect();
        if let Some(letter) = undo(&broken)
            && letter.chars().count() == 1
        {
            return Some((broken, letter, at));
        }
    }
    None
}

/// Each character back to its Windows-1252 (or ISO-8859-1) byte, and those read as UTF-8.
fn undo(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    for c in text.chars() {
        bytes.push(byte_of(c)?);
    }
    String::from_utf8(bytes).ok()
}

fn byte_of(c: char) -> Option<u8> {
    if let Ok(byte) = u8::try_from(u32::from(c)) {
        return Some(byte);
    }
    WINDOWS_1252.iter().find(|(_, special)| *special == c).map(|(byte, _)| *byte)
}

/// Where Windows-1252 differs from ISO-8859-1. Source: WHATWG Encoding, index windows-1252.
const WINDOWS_1252: &[(u8, char)] = &[
    (0x80, '€'),
    (0x82, '‚'),
    (0x83, 'ƒ'),
    (0x84, '„'),
    (0x85, '…'),
    (0x86, '†'),
    (0x87, '‡'),
    (0x88, 'ˆ'),
    (0x89, '‰'),
    (0x8A, 'Š'),
    (0x8B, '‹'),
    (0x8C, 'Œ'),
    (0x8E, 'Ž'),
    (0x91, '‘'),
    (0x92, '’'),
    (0x93, '“'),
    (0x94, '”'),
    (0x95, '•'),
    (0x96, '–'),
    (0x97, '—'),
    (0x98, '˜'),
    (0x99, '™'),
    (0x9A, 'š'),
    (0x9B, '›'),
    (0x9C, 'œ'),
    (0x9E, 'ž'),
    (0x9F, 'Ÿ'),
];
