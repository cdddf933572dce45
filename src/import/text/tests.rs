use super::*;

const ROSTER: &str = "Matricule;Nom;Prénom;Né le;Service\r\n1;LEFÈVRE;Hélène;14/03/1971;Comptabilité\r\n\
    2;GARÇON;François;02/01/1980;Bâtiment\r\n3;Weiß;Jürgen;05/06/1990;Börse\r\n";

fn decoded(bytes: &[u8]) -> Decoded<'_> {
    decode(bytes).unwrap()
}

fn refusal(bytes: &[u8]) -> (&'static str, String) {
    let refusal = decode(bytes).unwrap_err();
    (refusal.code, refusal.params.first().map(|(_, v)| v.clone()).unwrap_or_default())
}

fn utf16(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(order).collect()
}

#[test]
fn unicode() {
    let plain = decoded(ROSTER.as_bytes());
    assert_eq!((plain.text.as_ref(), plain.encoding), (ROSTER, Encoding::Utf8));
    assert!(matches!(plain.text, Cow::Borrowed(_)) && plain.notes.is_empty() && !plain.had_bom);
    let marked = [b"\xEF\xBB\xBF", ROSTER.as_bytes()].concat();
    assert!(decoded(&marked).had_bom);
    assert_eq!(decoded(&marked).text, ROSTER);
    let little: fn(u16) -> [u8; 2] = u16::to_le_bytes;
    for (mark, order, encoding) in [
        ([0xFF, 0xFE], little, Encoding::Utf16Le),
        ([0xFE, 0xFF], u16::to_be_bytes, Encoding::Utf16Be),
    ] {
        let bytes = utf16(ROSTER, order);
        let found = decoded(&bytes);
        assert_eq!((found.text.as_ref(), found.encoding), (ROSTER, encoding));
        let marked = [&mark[..], &bytes].concat();
        let found = decoded(&marked);
        assert_eq!((found.text.as_ref(), found.encoding, found.had_bom), (ROSTER, encoding, true));
        assert_eq!(refusal(&marked[..marked.len() - 1]).0, "F005");
    }
}

#[test]
fn eight_bit_codes_are_guessed_and_told() {
    let windows = encoding_rs::WINDOWS_1252.encode(ROSTER).0;
    let found = decoded(&windows);
    assert_eq!((found.text.as_ref(), found.encoding), (ROSTER, Encoding::Windows1252));
    assert_eq!(found.notes[0].code, "F008");
    assert_eq!(found.notes[0].params, [("encoding", "windows-1252".to_owned())]);

    let mac = encoding_rs::MACINTOSH;
    let bytes: Vec<u8> = ROSTER
        .chars()
        .map(|c| {
            (0..=255_u8).find(|b| mac.decode_without_bom_handling(&[*b]).0.starts_with(c)).unwrap()
        })
        .collect();
    assert_eq!(decoded(&bytes).encoding, Encoding::MacRoman);
    assert_eq!(decoded(&bytes).text, ROSTER);

    let latin9 = "Nom;Prime\r\nC\u{BD}ur;5 \u{A4}\r\n\u{BC}uvrard;\u{E9}t\u{E9}\r\n";
    let bytes: Vec<u8> = latin9.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    assert_eq!(decoded(&bytes).encoding, Encoding::Iso8859_15);
    assert_eq!(decoded(&bytes).text, "Nom;Prime\r\nCœur;5 €\r\nŒuvrard;été\r\n");

    let dos = b"Nom;Pr\x82nom;Ville\r\nLef\x8Avre;H\x82l\x8Ane;B\x83le\r\nGar\x87on;J\x81rgen;\x82t\x82\r\n";
    assert_eq!(decoded(dos).encoding, Encoding::Cp850);
    assert!(decoded(dos).text.contains("Garçon;Jürgen"));

    let polish = encoding_rs::WINDOWS_1250
        .encode("Nazwisko;Imię\r\nWiśniewski;Łukasz\r\nŻółć;Małgorzata\r\n")
        .0;
    assert_eq!(decoded(&polish).encoding, Encoding::Windows1250);
}

#[test]
fn one_accent_is_enough_for_windows() {
    for word in ["Lefèvre", "É", "Müller", "“quoted”", "12 €", "Łódź?".trim_matches('?')]
    {
        let text = format!("nom;matricule\n{word};1\n");
        let (bytes, _, lost) = encoding_rs::WINDOWS_1252.encode(&text);
        if !lost {
            assert_eq!(decoded(&bytes).text, text);
        }
    }
}

#[test]
fn decoded_twice() {
    let twice = |text: &str| -> String {
        encoding_rs::WINDOWS_1252.decode_without_bom_handling(text.as_bytes()).0.into_owned()
    };
    let broken = twice(ROSTER);
    let found = decoded(broken.as_bytes());
    assert_eq!(found.text, ROSTER);
    assert_eq!(found.notes[0].code, "F009");
    // Half of it is right already: taking the rest back would break that half.
    let half = format!("{ROSTER}4;{};Zoé;1;x\r\n", twice("Béranger"));
    assert_eq!(refusal(half.as_bytes()).0, "F009");
    // Words that only look like it.
    for text in ["nom;x\nJOÃO;1\n", "nom;x\nÂge;1\n", "nom;x\nSÃO PAULO;Åse\n"] {
        assert_eq!(decoded(text.as_bytes()).text, text);
    }
}

#[test]
fn what_is_no_text() {
    assert_eq!(refusal(b"").0, "F001");
    assert_eq!(refusal(b"\xEF\xBB\xBF").0, "F001");
    assert_eq!(refusal(b"\r\n  \t\r\n\x1A").0, "F001");
    assert_eq!(refusal(b"\xFF\xFE").0, "F001");
    for (bytes, found) in [
        (&b"%PDF-1.7\n..."[..], "pdf"),
        (
            b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1..E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0",
            "encrypted",
        ),
        (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "xls"),
        (b"<!DOCTYPE html><html>", "html"),
        (b"\xEF\xBB\xBF \n<HTML lang=fr>", "html"),
        (b"<?xml version=\"1.0\"?>", "xml"),
        (b"[{\"nom\": 1}]", "json"),
        (b"-----BEGIN PGP MESSAGE-----", "pgp"),
    ] {
        assert_eq!(refusal(bytes), ("F003", found.to_owned()));
    }
    assert_eq!(refusal(b"nom;x\nA\0B;1\n").0, "F004");
    assert_eq!(refusal(b"nom;x\n\xE9\0B;1\n").0, "F004");
    assert_eq!(refusal(b"\xFF\xFE\0\0n\0\0\0").0, "F004");
    assert_eq!(refusal(b"\xFF\xFEn\0\x00\xD8x\0").0, "F004");
    assert_eq!(refusal(b"\x01\x02\x03\xFE\x80\x81\n").0, "F004");
}

#[test]
fn broken_utf8_is_no_other_code() {
    let mut bytes = ROSTER.as_bytes().to_vec();
    bytes.extend_from_slice(b"4;Dupr\xC3");
    assert_eq!(refusal(&bytes), ("F005", "half_character".to_owned()));
    let broken = [ROSTER.as_bytes(), b"4;Dup\xFFr;x\r\n"].concat();
    assert_eq!(refusal(&broken).0, "F004");
}
