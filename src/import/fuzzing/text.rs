//! Bytes to text: nothing is lost, nothing is invented.

use super::explained;
use crate::import::text::{Charset, Decoded, Encoding, clean, clean_words, decode_as, fold};

/// The most bytes of UTF-8 that one byte becomes.
const GROWTH: usize = 3;

/// Decodes with a guess and with one fixed encoding.
pub(crate) fn text(bytes: &[u8]) {
    let named = Charset::NAMED.len() - 1;
    let fixed = Charset::NAMED.get(1 + bytes.len() % named).map_or(Charset::Auto, |(_, it)| *it);
    for charset in [Charset::Auto, fixed] {
        match decode_as(bytes, charset) {
            Err(refusal) => explained(&refusal),
            Ok(decoded) => check(bytes, charset, &decoded),
        }
    }
}

fn check(bytes: &[u8], charset: Charset, decoded: &Decoded<'_>) {
    let text = &decoded.text;
    assert!(text.len() <= bytes.len() * GROWTH);
    assert!(!text.contains('\0') && !text.ends_with('\u{1A}'));
    assert!(!text.starts_with('\u{FEFF}'));
    assert!(!text.trim().is_empty(), "an empty file is F001");
    let was_mended = decoded.notes.iter().any(|note| note.code == "F009");
    let is_guess = decoded.notes.iter().any(|note| note.code == "F008");
    assert!(!is_guess || charset == Charset::Auto, "what the settings say is no guess");
    if let (false, Some(again)) = (was_mended, written(text, decoded.encoding)) {
        let found = memchr::memmem::find(bytes, &again).is_some();
        assert!(found, "{} is not what the bytes say", decoded.encoding);
    }
    for line in text.lines().take(20) {
        tidy(line);
    }
}

/// The text as bytes of its encoding; `None` where no encoder is at hand.
fn written(text: &str, encoding: Encoding) -> Option<Vec<u8>> {
    let coder = match encoding {
        Encoding::Utf8 => return Some(text.as_bytes().to_vec()),
        Encoding::Utf16Le => {
            return Some(text.encode_utf16().flat_map(u16::to_le_bytes).collect());
        }
        Encoding::Utf16Be => {
            return Some(text.encode_utf16().flat_map(u16::to_be_bytes).collect());
        }
        Encoding::Windows1252 => encoding_rs::WINDOWS_1252,
        Encoding::Iso8859_15 => encoding_rs::ISO_8859_15,
        Encoding::Iso8859_2 => encoding_rs::ISO_8859_2,
        Encoding::Windows1250 => encoding_rs::WINDOWS_1250,
        Encoding::Windows1251 => encoding_rs::WINDOWS_1251,
        Encoding::Windows1253 => encoding_rs::WINDOWS_1253,
        Encoding::Windows1254 => encoding_rs::WINDOWS_1254,
        Encoding::Windows1257 => encoding_rs::WINDOWS_1257,
        Encoding::MacRoman => encoding_rs::MACINTOSH,
        Encoding::Cp850 => return None,
    };
    let (bytes, _, lossy) = coder.encode(text);
    assert!(!lossy, "{encoding} cannot hold what was read from it");
    Some(bytes.into_owned())
}

fn tidy(line: &str) {
    let cleaned = clean(line);
    assert_eq!(cleaned, cleaned.trim(), "{line:?}");
    assert!(!cleaned.contains(['\u{A0}', '\u{FEFF}', '\u{200B}']), "{line:?}");
    let words = clean_words(line);
    let alone: Vec<&str> = words.split_whitespace().collect();
    assert_eq!(words, alone.join(" "), "{line:?}");
    let folded = fold(line);
    assert_eq!(fold(&folded), folded, "{line:?}");
}
