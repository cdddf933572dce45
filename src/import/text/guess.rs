//! Which 8-bit code a file is in when it is not Unicode: a guess by the letters that each code would show.

use encoding_rs::{ISO_8859_15, MACINTOSH, WINDOWS_1250, WINDOWS_1252};

use super::Encoding;
use crate::import::note::FileRefusal;

/// How much of a file is looked at to recognise UTF-16 without a byte order mark.
const SAMPLE_BYTES: usize = 64 * 1024;

/// UTF-16 without a mark shows as NULs at every other byte, because most characters are Latin.
pub(super) fn utf16_without_mark(bytes: &[u8]) -> Option<Encoding> {
    let sample = bytes.get(..SAMPLE_BYTES).unwrap_or(bytes);
    let pairs = sample.as_chunks::<2>().0;
    if pairs.len() < 2 {
        return None;
    }
    let high_first = pairs.iter().filter(|p| p[0] == 0 && p[1] != 0).count();
    let low_first = pairs.iter().filter(|p| p[1] == 0 && p[0] != 0).count();
    let is_most = |count: usize| count * 10 > pairs.len() * 6;
    if is_most(low_first) && high_first == 0 {
        Some(Encoding::Utf16Le)
    } else if is_most(high_first) && low_first == 0 {
        Some(Encoding::Utf16Be)
    } else {
        None
    }
}

/// The most plausible 8-bit code, and the text in it.
///
/// # Errors
/// F004 when every code shows control characters.
pub(super) fn eight_bit(bytes: &[u8]) -> Result<(Encoding, String), FileRefusal> {
    const CODES: [Encoding; 5] = [
        Encoding::Windows1252,
        Encoding::Iso8859_15,
        Encoding::MacRoman,
        Encoding::Cp850,
        Encoding::Windows1250,
    ];
    let pairs = Contexts::of(bytes);
    let mut best: Option<(Encoding, i64)> = None;
    for code in CODES {
        // Windows is what payroll runs on: others have to show more than one lucky letter.
        let head_start = if code == Encoding::Windows1252 { 10 } else { 0 };
        let score = pairs.score(code) + head_start;
        if best.is_none_or(|(_, most)| score > most) {
            best = Some((code, score));
        }
    }
    let (code, _) = best.unwrap_or((Encoding::Windows1252, 0));
    Ok((code, eight_bit_as(code, bytes)?))
}

/// The text in this 8-bit code.
///
/// # Errors
/// F004 when it holds control characters.
pub(super) fn eight_bit_as(code: Encoding, bytes: &[u8]) -> Result<String, FileRefusal> {
    let is_control =
        |b: &u8| *b < 0x20 && !matches!(*b, b'\t' | b'\n' | b'\r' | 0x0B | 0x0C | 0x1A);
    match bytes.iter().position(is_control) {
        Some(at) => Err(FileRefusal::new(
            "F004",
            vec![("offset", at.to_string()), ("what", "control".to_owned())],
        )),
        None => Ok(decode_as(code, bytes)),
    }
}

/// How often each byte above 127 stands in a word, and how often alone.
struct Contexts {
    in_word: [u32; 128],
    alone: [u32; 128],
}

impl Contexts {
    fn of(bytes: &[u8]) -> Self {
        let mut contexts = Self { in_word: [0; 128], alone: [0; 128] };
        for (block, start) in bytes.chunks(64).zip((0..).step_by(64)) {
            if block.is_ascii() {
                continue;
            }
            for (offset, byte) in block.iter().enumerate() {
                if let Some(slot) = byte.checked_sub(128) {
                    contexts.count(bytes, start + offset, slot);
                }
            }
        }
        contexts
    }

    fn count(&mut self, bytes: &[u8], at: usize, slot: u8) {
        let is_letter = |place: Option<usize>| {
            place.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_alphabetic)
        };
        let in_word = is_letter(at.checked_sub(1)) || is_letter(at.checked_add(1));
        let table = if in_word { &mut self.in_word } else { &mut self.alone };
        if let Some(count) = table.get_mut(usize::from(slot)) {
            *count = count.saturating_add(1);
        }
    }

    fn score(&self, code: Encoding) -> i64 {
        (0..128_u8).zip(self.in_word).zip(self.alone).fold(0, |sum, ((slot, in_word), alone)| {
            let c = character(code, slot + 128);
            sum + i64::from(in_word) * weight(c, code) + i64::from(alone) * weight_alone(c)
        })
    }
}

/// How plausible a character is inside a word of a Western roster.
fn weight(c: char, code: Encoding) -> i64 {
    match c {
        'é' | 'è' | 'ê' | 'à' | 'ç' | 'ü' | 'ö' | 'ä' | 'ß' | 'É' | 'ô' | 'î' | 'ï' | 'ë' | 'â' => {
            10
        }
        'û' | 'ù' | 'œ' | 'È' | 'À' | 'Ç' | 'Ü' | 'Ö' | 'Ä' | 'ñ' | 'á' | 'í' | 'ó' | 'ú' => {
            8
        }
        'Ê' | 'Ë' | 'Ï' | 'Î' | 'Ô' | 'Œ' | 'Â' | 'Û' | 'Ù' | 'ì' | 'ò' | 'ã' | 'õ' | 'Ñ' | 'ø'
        | 'å' | 'æ' | 'Á' | 'Í' | 'Ó' | 'Ú' => 5,
        '’' | '°' | '–' | 'º' | 'ª' => 4,
        'š' | 'ž' | 'Š' | 'Ž' | 'ÿ' | 'Ÿ' => 2,
        // Letters of one more region count only where the code is for that region.
        'ł' | 'ą' | 'ę' | 'ś' | 'ć' | 'ń' | 'ż' | 'ź' | 'č' | 'ř' | 'ě' | 'ů' | 'ý' | 'ő' | 'ű'
        | 'ț' | 'ș' | 'ă' | 'Ł' | 'Ś' | 'Ż' | 'Č' | 'Ř'
            if matches!(code, Encoding::Windows1250) =>
        {
            6
        }
        '«' | '»' | '“' | '”' | '‘' => 6,
        '€' | '\u{A0}' | '—' | '…' => 1,
        c if c.is_alphabetic() => 0,
        c if c.is_control() => -12,
        _ => -8,
    }
}

/// The same where no Latin letter stands beside it: signs are at home there, letters less so.
fn weight_alone(c: char) -> i64 {
    match c {
        '€' | '°' | '\u{A0}' | '–' | '—' | '’' | '«' | '»' | '“' | '”' | '…' | '•' => {
            3
        }
        'É' | 'È' | 'À' | 'Ç' | 'é' | 'è' | 'à' | 'ê' | 'ü' | 'ö' | 'ä' | 'Ü' | 'Ö' | 'Ä' => {
            3
        }
        c if c.is_alphabetic() => 0,
        c if c.is_control() => -12,
        _ => -2,
    }
}

fn character(code: Encoding, byte: u8) -> char {
    if matches!(code, Encoding::Cp850) {
        return cp850(byte);
    }
    let one = [byte];
    codec(code).decode_without_bom_handling(&one).0.chars().next().unwrap_or('\u{FFFD}')
}

fn codec(code: Encoding) -> &'static encoding_rs::Encoding {
    match code {
        Encoding::Iso8859_15 => ISO_8859_15,
        Encoding::MacRoman => MACINTOSH,
        Encoding::Windows1250 => WINDOWS_1250,
        _ => WINDOWS_1252,
    }
}

fn decode_as(code: Encoding, bytes: &[u8]) -> String {
    match code {
        Encoding::Cp850 => {
            let high: Vec<char> = (128..=255).map(cp850).collect();
            let character = |byte: u8| match byte.checked_sub(128) {
                None => char::from(byte),
                Some(slot) => high.get(usize::from(slot)).copied().unwrap_or('\u{FFFD}'),
            };
            bytes.iter().map(|byte| character(*byte)).collect()
        }
        _ => codec(code).decode_without_bom_handling(bytes).0.into_owned(),
    }
}

/// A byte from 128 on. Source: Unicode, VENDORS/MICSFT/PC/CP850.TXT.
fn cp850(byte: u8) -> char {
    const HIGH: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐└┴┬├─┼ãÃ╚╔╩╦╠═╬¤\
        ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u{AD}±‗¾¶§÷¸°¨·¹³²■\u{A0}";
    let slot = usize::from(byte.saturating_sub(128));
    HIGH.chars().nth(slot).unwrap_or('\u{FFFD}')
}

/// Text that is UTF-8 but for some bytes: it holds whole accented letters in UTF-8, more of them than broken ones.
/// Another code would show each of them as two wrong letters.
pub(super) fn is_broken_utf8(bytes: &[u8]) -> bool {
    let (mut whole, mut broken) = (0_usize, 0_usize);
    for chunk in bytes.utf8_chunks() {
        whole += chunk.valid().bytes().filter(|b| *b >= 0xC0).count();
        broken += usize::from(!chunk.invalid().is_empty());
    }
    whole > broken
}
