//! Cells and names as people mean them: invisible characters, stray spaces, accents, case.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// A cell as it is meant: trimmed, NBSP as a space, no zero-width characters, accents composed (NFC),
/// `="00123"` unwrapped.
#[must_use]
pub fn clean(raw: &str) -> Cow<'_, str> {
    if is_tidy(raw) {
        return Cow::Borrowed(raw);
    }
    if raw.is_ascii() && !raw.bytes().any(|b| is_control(char::from(b))) {
        return unwrap_formula(raw.trim_matches(is_stray_ascii));
    }
    let trimmed = raw.trim_matches(is_stray);
    let plain = !trimmed.chars().any(|c| is_zero_width(c) || is_odd_space(c))
        && matches!(is_nfc_quick(trimmed.chars()), IsNormalized::Yes);
    if plain {
        return unwrap_formula(trimmed);
    }
    let mended = trimmed
        .chars()
        .filter(|c| !is_zero_width(*c))
        .map(|c| if is_odd_space(c) { ' ' } else { c })
        .nfc()
        .collect::<String>();
    Cow::Owned(unwrap_formula(&mended).into_owned())
}

/// A cell that no spreadsheet runs, whatever a stranger wrote into a name: `="…"`, which [`clean`] reads as the text in it.
/// Numbers and telephone numbers with a sign stay as they are.
#[must_use]
pub fn unrunnable(cell: &str) -> Cow<'_, str> {
    let number = |rest: &str| {
        let digit_first = rest.starts_with(|c: char| c.is_ascii_digit());
        digit_first && rest.chars().all(|c| c.is_ascii_digit() || " .,/()-".contains(c))
    };
    let runs = cell.starts_with(['=', '@', '\t', '\r'])
        || cell.strip_prefix(['+', '-']).is_some_and(|rest| !number(rest));
    match runs {
        true => Cow::Owned(format!("=\"{}\"", cell.replace('"', "\"\""))),
        false => Cow::Borrowed(cell),
    }
}

/// [`clean`], and every run of white space (line breaks too) as one space: for names and codes.
#[must_use]
pub fn clean_words(raw: &str) -> Cow<'_, str> {
    if is_tidy(raw) {
        return Cow::Borrowed(raw);
    }
    let cleaned = clean(raw);
    let untidy = cleaned.contains("  ")
        || cleaned.bytes().any(|b| b.is_ascii_whitespace() && b != b' ')
        || cleaned.starts_with(' ');
    if !untidy {
        return cleaned;
    }
    Cow::Owned(cleaned.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Whether nothing can be wrong with a cell: nearly every cell is so, and millions are asked. Only
/// printable ASCII and Latin letters (U+00C0 to U+02FF, always composed), single spaces inside.
fn is_tidy(raw: &str) -> bool {
    let mut before = b' ';
    for byte in raw.bytes() {
        let plain = matches!(byte, 0x21..=0x7E | 0x80..=0xBF | 0xC3..=0xCB)
            || (byte == b' ' && before != b' ');
        if !plain {
            return false;
        }
        before = byte;
    }
    before != b' ' && !raw.starts_with(['=', '\''])
}

/// `="00123"` (how spreadsheets are told to keep text) gives `00123`; `'00123` too. A quote in such a text is doubled.
fn unwrap_formula(text: &str) -> Cow<'_, str> {
    if let Some(inner) = text.strip_prefix("=\"").and_then(|t| t.strip_suffix('"')) {
        if !inner.contains('"') {
            return Cow::Borrowed(inner.trim_matches(is_stray));
        }
        // One that stands alone ends the text: then it is another formula.
        if !inner.replace("\"\"", "").contains('"') {
            return Cow::Owned(inner.replace("\"\"", "\"").trim_matches(is_stray).to_owned());
        }
    }
    Cow::Borrowed(match text.strip_prefix('\'') {
        Some(digits) if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => digits,
        _ => text,
    })
}

fn is_stray_ascii(c: char) -> bool {
    c.is_ascii_whitespace() || c == '\u{b}'
}

fn is_stray(c: char) -> bool {
    c.is_whitespace() || is_zero_width(c) || matches!(c, '\u{200C}' | '\u{200D}')
}

/// Control characters that no cell means; tab and line breaks may be meant.
fn is_control(c: char) -> bool {
    c.is_control() && !matches!(c, '\t' | '\n' | '\r')
}

/// Characters that show nothing. The two joiners inside a word stay: some scripts need them.
fn is_zero_width(c: char) -> bool {
    is_control(c)
        || matches!(
            c,
            '\u{AD}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'
                ..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}'
        )
}

fn is_odd_space(c: char) -> bool {
    c != ' ' && c.is_whitespace() && !c.is_ascii()
}

/// Folds case and accents and drops everything but letters and digits: `N° Salarié` gives `nsalarie`.
/// For comparing headers, names and list entries.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    if text.is_ascii() {
        folded.extend(
            text.bytes()
                .filter(u8::is_ascii_alphanumeric)
                .map(|b| char::from(b.to_ascii_lowercase())),
        );
        return folded;
    }
    for c in text.nfkd().flat_map(char::to_lowercase) {
        match c {
            'ß' => folded.push_str("ss"),
            'œ' => folded.push_str("oe"),
            'æ' => folded.push_str("ae"),
            'ø' => folded.push('o'),
            'ł' => folded.push('l'),
            'đ' | 'ð' => folded.push('d'),
            'þ' => folded.push_str("th"),
            'ı' => folded.push('i'),
            c if c.is_alphanumeric() => folded.push(c),
            _ => {}
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_lose_what_nobody_sees() {
        for (raw, expected) in [
            ("  Anne ", "Anne"),
            ("\u{A0}Anne\u{A0}Marie\u{202F}", "Anne Marie"),
            ("\u{200B}Anne\u{FEFF}", "Anne"),
            ("Rene\u{301}e", "Renée"),
            ("=\"00123\"", "00123"),
            ("'00123", "00123"),
            ("'s Gravenhage", "'s Gravenhage"),
            ("O'Neil", "O'Neil"),
            ("=\"é\"", "é"),
            ("=\"a\"\"b\"", "a\"b"),
            ("=\"a\"&\"b\"", "=\"a\"&\"b\""),
            ("", ""),
            ("\u{A0}", ""),
            ("An\u{7}ne\u{0B}", "Anne"),
        ] {
            assert_eq!(clean(raw), expected, "{raw:?}");
        }
    }

    #[test]
    fn what_a_spreadsheet_would_run_is_wrapped_and_read_back() {
        for (cell, expected) in [
            ("Dupont", "Dupont"),
            ("=1+1", "=\"=1+1\""),
            ("+33 (0)1 23", "+33 (0)1 23"),
            ("-0.5", "-0.5"),
            ("-rf", "=\"-rf\""),
            ("-1+cmd|'/c calc'!A0", "=\"-1+cmd|'/c calc'!A0\""),
            ("@x", "=\"@x\""),
            ("=a\"b", "=\"=a\"\"b\""),
            ("+\"", "=\"+\"\"\""),
        ] {
            assert_eq!(unrunnable(cell), expected, "{cell}");
            assert_eq!(clean(&unrunnable(cell)), cell);
        }
    }

    #[test]
    fn words_are_one_space_apart() {
        assert_eq!(clean_words("Jean \r\n  Paul"), "Jean Paul");
        assert_eq!(clean_words("Jean\u{A0}\u{A0}Paul"), "Jean Paul");
        assert!(matches!(clean_words("Jean Paul"), Cow::Borrowed("Jean Paul")));
    }

    #[test]
    fn folding() {
        for (text, expected) in [
            ("N° Salarié", "nsalarie"),
            ("STRASSE", "strasse"),
            ("Straße", "strasse"),
            ("Cœur", "coeur"),
            ("Führungskraft", "fuhrungskraft"),
            ("Łukasz", "lukasz"),
            ("İzmir", "izmir"),
            ("habilitedRoles_0", "habilitedroles0"),
        ] {
            assert_eq!(fold(text), expected, "{text}");
        }
    }
}
