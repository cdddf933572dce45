//! Which 8-bit code a file is in when it is not Unicode: a guess by the letters that each code would show.

use encoding_rs::{
    ISO_8859_2, ISO_8859_15, MACINTOSH, WINDOWS_1250, WINDOWS_1251, WINDOWS_1252, WINDOWS_1253,
    WINDOWS_1254, WINDOWS_1257,
};

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
/// F004 when every code shows control characters, or letters of no language that any of them is for.
pub(super) fn eight_bit(bytes: &[u8]) -> Result<(Encoding, String), FileRefusal> {
    let contexts = Contexts::of(bytes);
    let mut best: Option<(Encoding, i64)> = None;
    for profile in &PROFILES {
        let score = contexts.score(profile) + profile.head_start;
        if best.is_none_or(|(_, most)| score > most) {
            best = Some((profile.code, score));
        }
    }
    let (code, _) = best.unwrap_or((Encoding::Windows1252, 0));
    let text = eight_bit_as(code, bytes)?;
    if is_ebcdic(bytes) {
        return Err(FileRefusal::new("F004", vec![("what", "ebcdic".to_owned())]));
    }
    if is_shift_jis(bytes) || is_foreign(bytes, code) {
        return Err(FileRefusal::new("F004", vec![("what", "script".to_owned())]));
    }
    if contexts.shows_signs_in_words(code) {
        return Err(FileRefusal::new("F004", vec![("what", "letters".to_owned())]));
    }
    Ok((code, text))
}

/// The code of mainframes: its letters and digits stand above 127, its spaces are `@`, and it has no line feed of ours.
fn is_ebcdic(bytes: &[u8]) -> bool {
    let high = bytes.iter().filter(|byte| **byte >= 0x81).count();
    high * 2 > bytes.len() && memchr::memchr3(b'\n', b' ', b';', bytes).is_none()
}

/// Letters of another script: in Greek, Cyrillic or Chinese whole words stand above 127, in languages with Latin letters
/// hardly ever three letters in a row.
fn is_foreign(bytes: &[u8], code: Encoding) -> bool {
    let high: Vec<bool> =
        (0..=255_u8).map(|byte| byte >= 128 && character(code, byte).is_alphabetic()).collect();
    let is_high = |byte: &u8| high.get(usize::from(*byte)).copied().unwrap_or(false);
    // A line drawn with one sign is no word.
    let is_mixed = |run: &[u8]| run.iter().any(|byte| Some(byte) != run.first());
    let (mut all, mut foreign) = (0_usize, 0_usize);
    // A no-break space stands between words, any other sign above 127 may be half of a letter.
    let is_above = |byte: &u8| *byte >= 128 && *byte != 0xA0;
    for word in bytes.split(|byte| !byte.is_ascii_alphabetic() && !is_above(byte)) {
        let above = word.iter().filter(|byte| is_above(byte)).count();
        if above == 0 {
            continue;
        }
        all += above;
        if above == word.len() && above >= LEAST_WORD && is_mixed(word) && word.iter().any(is_high)
        {
            foreign += above;
        } else {
            let runs = word.split(|byte| !is_high(byte));
            let strange = runs.filter(|run| run.len() >= LEAST_RUN && is_mixed(run));
            foreign += strange.map(<[u8]>::len).sum::<usize>();
        }
    }
    foreign >= LEAST_LETTERS && foreign * 4 > all * 3
}

/// Japanese as Windows writes it: every byte above 127 begins or ends a pair, and somewhere several pairs follow each
/// other. The second of a pair is often an ASCII letter, but no word with Latin letters has so many accents, each behind
/// one letter; nor do two words have accents that follow each other and then one more. A no-break space is no accent.
/// Source: JIS X 0208 in the shifted code, as `windows-932`.
fn is_shift_jis(bytes: &[u8]) -> bool {
    let (mut row, mut longest) = (0_usize, 0_usize);
    let (mut is_dense, mut dense_words) = (false, 0_usize);
    let mut rest = bytes.iter();
    while let Some(byte) = rest.next() {
        match byte {
            0x81..=0x9F | 0xE0..=0xEF => match rest.next() {
                Some(second @ (0x40..=0x7E | 0x80..=0xFC)) => {
                    row += 1;
                    is_dense |= *second >= 0x80 && *second != 0xA0;
                }
                _ => return false,
            },
            0x80 | 0xA0..=0xFF => return false,
            _ => {
                dense_words += usize::from(is_dense && row > 1);
                (row, is_dense) = (0, false);
            }
        }
        longest = longest.max(row);
    }
    longest >= LEAST_PAIRS || dense_words >= LEAST_DENSE_WORDS
}

/// So many pairs in a row are Japanese.
const LEAST_PAIRS: usize = 4;

/// So many words of pairs with a byte above 127 in second place are Japanese, however short they are.
const LEAST_DENSE_WORDS: usize = 2;

/// Signs that stand between the letters of no word: there, a code that nobody guessed has a letter.
const NEVER_IN_WORDS: &str = "¢£¤¥©®±µ¼½¾÷†‡‰™∆∞≤≥∂∑∏π∫Ω√≈◊░▒▓┤╣╗╝┐└┴┬├┼╚╔╩╦╠╬┘┌█▄▀■";

/// So many of them prove it, if they are this share of all that stands above 127.
const LEAST_SIGNS: u32 = 2;
const SIGNS_SHARE: u32 = 4;

/// So many letters in a row, all of them above 127, belong to another script; as a word of their own, so many.
const LEAST_RUN: usize = 3;
const LEAST_WORD: usize = 2;

/// Fewer letters prove nothing.
const LEAST_LETTERS: usize = 6;

/// The text in this 8-bit code.
///
/// # Errors
/// F004 when it holds control characters, or bytes that this code has no character for.
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
    .and_then(|text| match text.contains('\u{FFFD}') {
        false => Ok(text),
        true => {
            let at = bytes.iter().position(|b| *b >= 128 && character(code, *b) == '\u{FFFD}');
            let params = vec![
                ("encoding", code.name().to_owned()),
                ("offset", at.unwrap_or_default().to_string()),
                ("what", "bytes".to_owned()),
            ];
            Err(FileRefusal::new("F004", params))
        }
    })
}

/// What stands before and behind a byte above 127.
#[derive(Clone, Copy)]
struct Beside {
    letter_before: bool,
    small_before: bool,
    letter_behind: bool,
}

/// Every way to stand.
const BESIDE: [Beside; 6] = {
    const fn of(letter_before: bool, small_before: bool, letter_behind: bool) -> Beside {
        Beside { letter_before, small_before, letter_behind }
    }
    [
        of(false, false, false),
        of(false, false, true),
        of(true, false, false),
        of(true, false, true),
        of(true, true, false),
        of(true, true, true),
    ]
};

/// How often each byte above 127 stands where.
struct Contexts {
    /// For each of [`BESIDE`].
    counts: [[u32; 128]; BESIDE.len()],
}

impl Contexts {
    fn of(bytes: &[u8]) -> Self {
        let mut contexts = Self { counts: [[0; 128]; BESIDE.len()] };
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
        let byte = |at: Option<usize>| at.and_then(|at| bytes.get(at)).copied();
        let (before, behind) = (byte(at.checked_sub(1)), byte(at.checked_add(1)));
        let is_letter = |byte: Option<u8>| byte.is_some_and(|b| b.is_ascii_alphabetic());
        let is_here = |beside: &Beside| {
            beside.letter_before == is_letter(before)
                && beside.small_before == before.is_some_and(|b| b.is_ascii_lowercase())
                && beside.letter_behind == is_letter(behind)
        };
        let counts = BESIDE.iter().zip(&mut self.counts).find(|(beside, _)| is_here(beside));
        if let Some(count) = counts.and_then(|(_, counts)| counts.get_mut(usize::from(slot))) {
            *count = count.saturating_add(1);
        }
    }

    /// Whether this code, the best that was found, shows signs where letters must be.
    fn shows_signs_in_words(&self, code: Encoding) -> bool {
        let (mut signs, mut all) = (0_u32, 0_u32);
        for (beside, counts) in BESIDE.into_iter().zip(&self.counts) {
            let is_inside = beside.letter_before && beside.letter_behind;
            for (byte, count) in (128..=255_u8).zip(counts).filter(|(_, count)| **count > 0) {
                all = all.saturating_add(*count);
                if is_inside && NEVER_IN_WORDS.contains(character(code, byte)) {
                    signs = signs.saturating_add(*count);
                }
            }
        }
        signs >= LEAST_SIGNS && signs.saturating_mul(SIGNS_SHARE) >= all
    }

    fn score(&self, profile: &Profile) -> i64 {
        let all = BESIDE.into_iter().zip(&self.counts).flat_map(|(beside, counts)| {
            let found = (128..=255_u8).zip(counts).filter(|(_, count)| **count > 0);
            found.map(move |(byte, count)| (beside, byte, i64::from(*count)))
        });
        all.map(|(beside, byte, count)| {
            count * profile.weight_at(character(profile.code, byte), beside)
        })
        .sum()
    }
}

/// A code and the letters of the languages that it is used for.
struct Profile {
    code: Encoding,
    /// What speaks for it before anything was read.
    head_start: i64,
    /// What one of its letters is worth.
    worth: i64,
    letters: &'static str,
}

/// Of the West, and what a program there may write with one accent or two.
const WESTERN: &str = "éèêàçüöäßÉôîïëâûùœÈÀÇÜÖÄñáíóúÊËÏÎÔŒÂÛÙìòãÑÁÍÓÚÃÌÒ";

/// Danish, Norwegian, Swedish, Finnish.
const NORTHERN: &str = "æøåäöéÆØÅÄÖÉüÜ";

/// Of Central Europe: Czech, Slovak, Polish, Hungarian, the southern Slavs, Romanian.
const CENTRAL: &str = "ąćęłńóśźżĄĆĘŁŃÓŚŹŻáčďéěíňřšťúůýžľĺŕôäÁČĎÉĚÍŇŘŠŤÚŮÝŽĽöőüűÖŐÜŰđĐăâîşţĂÂÎŞŢ";

/// Czech alone: few of its letters are others of the West.
const CZECH: &str = "áčďéěíňóřšťúůýžÁČĎÉĚÍŇÓŘŠŤÚŮÝŽ";

/// Windows is what payroll runs on: others have to show more than one lucky letter. The letters of one region
/// count only together, or a Czech `ř` would be a Danish `ø`.
const PROFILES: [Profile; 16] = {
    const fn of(code: Encoding, worth: i64, letters: &'static str) -> Profile {
        Profile { code, head_start: 0, worth, letters }
    }
    [
        Profile { head_start: 10, ..of(Encoding::Windows1252, 10, WESTERN) },
        of(Encoding::Iso8859_15, 10, WESTERN),
        of(Encoding::MacRoman, 10, WESTERN),
        of(Encoding::Cp850, 10, WESTERN),
        // German hardly ever has another accent: its `ö` is no `î` of a Macintosh.
        of(Encoding::Cp850, 11, "äöüÄÖÜß"),
        // Turkish; Icelandic.
        of(Encoding::Windows1252, 9, NORTHERN),
        of(Encoding::Cp850, 9, NORTHERN),
        of(Encoding::Windows1254, 9, "çğıöşüâîÇĞİÖŞÜÂÎ"),
        of(Encoding::Windows1252, 9, "áéíóúýþæðöÁÉÍÓÚÝÞÆÐÖ"),
        // Estonian.
        of(Encoding::Windows1252, 9, "õäöüÕÄÖÜ"),
        of(Encoding::Windows1250, 8, CENTRAL),
        of(Encoding::Windows1250, 9, CZECH),
        // Hungarian has the letters of the West, but for its `ő`, of which Portuguese makes `õ`.
        of(Encoding::Windows1250, 10, "áéíóöőúüűÁÉÍÓÖŐÚÜŰ"),
        of(Encoding::Iso8859_2, 8, CENTRAL),
        of(Encoding::Iso8859_2, 9, CZECH),
        of(Encoding::Windows1257, 9, "āčēģīķļņšūžąęėįųĀČĒĢĪĶĻŅŠŪŽĄĘĖĮŲ"),
    ]
};

impl Profile {
    /// How plausible a character is where it stands.
    fn weight_at(&self, c: char, beside: Beside) -> i64 {
        let Beside { letter_before, small_before, letter_behind } = beside;
        if !letter_before && !letter_behind {
            return weight_alone(c);
        }
        let is_inside = letter_before && letter_behind;
        match c {
            // `O’Neil`, `“Bo”`
            '’' if letter_before && !small_before => 10,
            '“' if !letter_before => 10,
            '”' if !letter_behind => 10,
            // `prÇnom`
            c if small_before && c.is_uppercase() => -6,
            // `Ernõ`: a Hungarian `ő`; no Portuguese word ends with this letter.
            'õ' if !letter_behind && !self.letters.contains(c) => -3,
            // `J”rg`
            '«' | '»' | '“' | '”' | '‘' | '°' | 'º' | 'ª' if is_inside => -8,
            c => self.weight(c),
        }
    }

    /// How plausible a character is inside a word.
    fn weight(&self, c: char) -> i64 {
        if self.letters.contains(c) {
            return self.worth;
        }
        match c {
            '’' | '°' | '–' | 'º' | 'ª' => 4,
            '«' | '»' | '“' | '”' | '‘' => 6,
            '€' | '\u{A0}' | '—' | '…' => 1,
            'õ' | 'Õ' => 7,
            // A colleague from elsewhere.
            'š' | 'ž' | 'Š' | 'Ž' | 'ÿ' | 'Ÿ' | 'ø' | 'å' | 'æ' | 'Ø' | 'Å' | 'Æ' => 0,
            c if c.is_alphabetic() => -3,
            c if c.is_control() => -12,
            _ => -8,
        }
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
        Encoding::Iso8859_2 => ISO_8859_2,
        Encoding::Windows1250 => WINDOWS_1250,
        Encoding::Windows1251 => WINDOWS_1251,
        Encoding::Windows1253 => WINDOWS_1253,
        Encoding::Windows1254 => WINDOWS_1254,
        Encoding::Windows1257 => WINDOWS_1257,
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

/// Where text that is partly UTF-8 first holds bytes that are not, in bytes: somebody joined two files. A whole accented
/// letter in UTF-8 would be two signs in any other code, of which the second never stands in a word.
pub(super) fn joined_at(bytes: &[u8]) -> Option<usize> {
    let at = std::str::from_utf8(bytes).err()?.valid_up_to();
    let is_utf8 = |valid: &str| {
        let next = valid.chars().skip(1).map(Some).chain([None]);
        valid.chars().zip(next).any(|(c, next)| match c {
            // `Ã©` is no end of a word; `Ã»` and `Ã` before a no-break space are.
            '\u{E1}'..='\u{FA}' | 'ü'..='ÿ' => true,
            '\u{C0}'..='\u{24F}' => next.is_some_and(|next| next.is_ascii_alphabetic()),
            // Quotation marks and dashes: `â€™`.
            '\u{2010}'..='\u{2030}' => true,
            _ => false,
        })
    };
    bytes
        .utf8_chunks()
        .any(|chunk| !chunk.valid().is_ascii() && is_utf8(chunk.valid()))
        .then_some(at)
}
