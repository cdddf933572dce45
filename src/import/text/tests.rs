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
fn central_europe_and_turkey_are_recognised_by_their_letters() {
    const CZECH: &str =
        "Číslo;Příjmení;Jméno\r\n1;NOVÁK;Jiří\r\n2;Dvořák;Tomáš\r\n3;Šťastný;Ondřej\r\n";
    const POLISH: &str = "Numer;Nazwisko;Imię\r\n1;Wiśniewski;Łukasz\r\n2;KOŚCIÓŁ;Bożena\r\n";
    const TURKISH: &str =
        "Sicil;Soyadı;Adı\r\n1;Şahin;Ayşe\r\n2;Doğan;Yağmur\r\n3;ÇELİK;Gülşen\r\n";
    const HUNGARIAN: &str = "Szám;Vezetéknév;Utónév\r\n1;SZABÓ;Győző\r\n2;Fülöp;Erzsébet\r\n3;Szűcs;Ernő\r\n4;Erdős;Gergő\r\n";
    const NORTHERN: &str =
        "Nummer;Navn;By\r\n1;Sørensen;Ærø\r\n2;ØSTERGÅRD;Århus\r\n3;Kjær;Køge\r\n";
    const MIXED: &str = "Numer;Nazwisko\r\n1;WIŚNIEWSKI;Łukasz\r\n2;NOVÁK;Jiří\r\n3;NAGY;Győző\r\n4;ŻÓŁĆ;Bożena\r\n";
    const BALTIC: &str =
        "Numurs;Uzvārds\r\n1;Bērziņš;Jānis\r\n2;KALNIŅŠ;Ģirts\r\n3;Žukauskas;Šarūnas\r\n";
    const ICELANDIC: &str = "Númer;Nafn\r\n1;Guðrún Þórsdóttir\r\n2;Sigríður Ýr\r\n";
    let code = |text: &str, code: &'static encoding_rs::Encoding| code.encode(text).0.into_owned();
    for (text, coder, encoding) in [
        (CZECH, encoding_rs::WINDOWS_1250, Encoding::Windows1250),
        (CZECH, encoding_rs::ISO_8859_2, Encoding::Iso8859_2),
        (POLISH, encoding_rs::WINDOWS_1250, Encoding::Windows1250),
        (POLISH, encoding_rs::ISO_8859_2, Encoding::Iso8859_2),
        (HUNGARIAN, encoding_rs::WINDOWS_1250, Encoding::Windows1250),
        (MIXED, encoding_rs::WINDOWS_1250, Encoding::Windows1250),
        (BALTIC, encoding_rs::WINDOWS_1257, Encoding::Windows1257),
        (TURKISH, encoding_rs::WINDOWS_1254, Encoding::Windows1254),
        (NORTHERN, encoding_rs::WINDOWS_1252, Encoding::Windows1252),
        (ICELANDIC, encoding_rs::WINDOWS_1252, Encoding::Windows1252),
    ] {
        let bytes = code(text, coder);
        assert_eq!((decoded(&bytes).text.as_ref(), decoded(&bytes).encoding), (text, encoding));
    }
}

#[test]
fn a_few_names_are_enough_to_tell_a_region() {
    for (text, coder) in [
        ("Szám;Vezetéknév;Keresztnév\r\n1;Kő;Győző\r\n", encoding_rs::WINDOWS_1250),
        ("Törzsszám;Név\r\n1;Szűcs Ernő\r\n", encoding_rs::WINDOWS_1250),
        ("Číslo;Příjmení\r\n1;Dvořák\r\n", encoding_rs::WINDOWS_1250),
        ("Číslo;Příjmení\r\n1;Dvořák\r\n", encoding_rs::ISO_8859_2),
        ("Numeris;Pavardė\r\n1;Žukauskas\r\n", encoding_rs::WINDOWS_1257),
        ("Number;Perenimi\r\n1;Tõnisson Jüri\r\n", encoding_rs::WINDOWS_1252),
        ("Sicil;Adı\r\n1;Doğan\r\n", encoding_rs::WINDOWS_1254),
        ("n;Nafn\r\n1;Sigríður\r\n", encoding_rs::WINDOWS_1252),
        ("Nummer;Navn\r\n1;Sørensen\r\n2;Kjær\r\n", encoding_rs::WINDOWS_1252),
    ] {
        let (bytes, _, lost) = coder.encode(text);
        assert!(!lost, "{text}");
        assert_eq!(decoded(&bytes).text, text);
    }
}

#[test]
fn the_west_is_never_read_as_the_east() {
    for text in [
        "Simões;Camões;põe;João",
        "Hélène;Désirée;Sørensen",
        "García;Muñoz;Sørensen;Åse",
        "FORÊT;GUÊPE;TÊTE;FÊTE;CRÊPE;HÊTRE;CHÊNE;BÊTE;MÊME;PÊCHE;RÊVE;VÊTU;ÊTRE",
        "è;crème;père;mère;Nicolò;così;più;però;sarà;Forlì;Cantù",
        "João;Conceição;Simões;irmã;São;Magalhães;Guimarães",
        "Iñaki;Núñez;Muñoz;Peñíscola;pingüino;Ávila;Óscar;Í",
        "Weiß;Größe;Jürgen;Köln;Bär;Übel;Ölm;Ähre",
        "Müller;Doğan".trim_end_matches("Doğan"),
        "Françoise;Ça;déjà;où;dû;île;noël;aïeul;ŒUVRE;cœur",
        "Østergård;Søren;Kjær;Ångström;Åse;Málaga;Åsa",
    ] {
        let text = format!("Matricule;Nom\r\n{}\r\n", text.replace(';', ";1\r\n"));
        let (bytes, _, lost) = encoding_rs::WINDOWS_1252.encode(&text);
        assert!(!lost, "{text}");
        assert_eq!(decoded(&bytes).text, text);
    }
}

#[test]
fn another_script_is_told_unless_the_settings_name_its_code() {
    for (text, coder, encoding) in [
        (
            "n;x\r\n1;ΠΑΠΑΔΟΠΟΥΛΟΣ Γιώργος\r\n2;Ελένη\r\n",
            encoding_rs::WINDOWS_1253,
            Encoding::Windows1253,
        ),
        ("n;x\r\n1;ИВАНОВ Пётр\r\n2;Анна\r\n", encoding_rs::WINDOWS_1251, Encoding::Windows1251),
        ("n;x\r\n1;כהן דוד\r\n", encoding_rs::WINDOWS_1255, Encoding::Cp850),
        ("n;x\r\n1;王小明\r\n", encoding_rs::GB18030, Encoding::Cp850),
        ("n;x\r\n1;山田太郎\r\n", encoding_rs::SHIFT_JIS, Encoding::Cp850),
        ("n;x\r\n1;タナカ イチロウ\r\n", encoding_rs::SHIFT_JIS, Encoding::Cp850),
        ("n;name\r\n1;Иванов\r\n2;Петрова Анна\r\n", encoding_rs::IBM866, Encoding::Cp850),
    ] {
        let bytes = coder.encode(text).0.into_owned();
        assert_eq!(refusal(&bytes), ("F004", "script".to_owned()), "{text}");
        if encoding != Encoding::Cp850 {
            let told = decode_as(&bytes, Charset::Fixed(encoding)).unwrap();
            assert_eq!(told.text, text);
        }
    }
    // Names of two characters, and Polish as DOS wrote it: signs stand where its letters were.
    for row in ["1;田中;太郎;営業", "1;田中;花子"] {
        let bytes = encoding_rs::SHIFT_JIS.encode(&format!("n;x;y;z\r\n{row}\r\n")).0.into_owned();
        assert_eq!(refusal(&bytes), ("F004", "script".to_owned()), "{row}");
    }
    let polish = b"n;x\r\n1;W\xA2jcik;\x9Dukasz\r\n2;Zaj\xA5c;Gra\xBEyna;Ksi\xA9gowo\x98\x86\r\n";
    assert_eq!(refusal(polish), ("F004", "letters".to_owned()));
    for read in ["Réélue;Créée;Zoé;Hélène;José", "Gal·la;Zoé;Hélène;12 m²", "Zoé;Noé\u{A0}; à"]
    {
        let bytes = encoding_rs::WINDOWS_1252.encode(&format!("n;x\r\n{read}\r\n")).0.into_owned();
        assert_eq!(decoded(&bytes).text.lines().nth(1), Some(read));
    }
    let mainframe = b"\xC5\x94\x97\x93\x96\xA8\x85\x85^\xD5\x81\x94\x85%\xF0\xF1\xF2^\xD9\x96\xA8%";
    assert_eq!(refusal(mainframe), ("F004", "ebcdic".to_owned()));
    let undefined = decode_as(b"n;x\n1;\xE1\xD2\n", Charset::Fixed(Encoding::Windows1253));
    assert_eq!(undefined.unwrap_err().code, "F004");
    // Three accents in a row are a Polish word, not another script.
    let polish = encoding_rs::WINDOWS_1250
        .encode("Nazwisko\r\nŻółć\r\nKowalska;Małgorzata;Bożena;Łucja;Święta;Gąska;Kręt\r\n")
        .0;
    assert_eq!(decoded(&polish).encoding, Encoding::Windows1250);
}

#[test]
fn two_files_of_different_codes_joined_are_refused() {
    let windows = encoding_rs::WINDOWS_1252.encode("4;Béranger;Zoé;1;x\r\n").0;
    for rows in [1, 40] {
        let joined = [ROSTER.as_bytes(), &windows.repeat(rows)].concat();
        let refusal = decode(&joined).unwrap_err();
        assert_eq!((refusal.code, refusal.physical_line), ("F004", Some(5)));
        let joined = [&windows.repeat(rows), ROSTER.as_bytes()].concat();
        assert_eq!(decode(&joined).unwrap_err().physical_line, Some(1));
    }
    // Two signs of Windows-1252 that would be one letter in UTF-8, as they stand at the end of words.
    for word in ["« MARCHÉ»", "IRMÃ\u{A0};1", "“SÅ”", "société»\u{A0}:", "JOSÉ’", "Ä°"]
    {
        let text = format!("Nom;Ville\r\nLefèvre;{word}\r\n");
        assert_eq!(decoded(&encoding_rs::WINDOWS_1252.encode(&text).0).text, text);
    }
}

#[test]
fn half_an_accent_at_the_end_is_no_other_code() {
    let cut = "Nom;Ville\r\nRoy;Orl\u{E9}ans\r\nMax;Li\u{E9}".as_bytes();
    for text in [&cut[..cut.len() - 1], b"Nom;Ville\r\nMax;Li\xC3"] {
        assert_eq!(refusal(text), ("F005", "half_character".to_owned()));
    }
    // A last letter in Windows-1252.
    assert_eq!(decoded(b"Nom;Ville\r\nMax;Li\xE9").text, "Nom;Ville\r\nMax;Lié");
}

#[test]
fn broken_utf8_is_no_other_code() {
    let mut bytes = ROSTER.as_bytes().to_vec();
    bytes.extend_from_slice(b"4;Dupr\xC3");
    assert_eq!(refusal(&bytes), ("F005", "half_character".to_owned()));
    let broken = [ROSTER.as_bytes(), b"4;Dup\xFFr;x\r\n"].concat();
    assert_eq!(refusal(&broken).0, "F004");
}

#[test]
fn a_few_accents_of_an_old_code_page_are_enough() {
    for (bytes, encoding, word) in [
        (&b"matricule;nom;pr\x82nom\n1;Dupont;Ren\x82\n"[..], Encoding::Cp850, "René"),
        (b"number;name\n1;J\x94rg Roth\n2;Anna Schmidt\n", Encoding::Cp850, "Jörg"),
        (b"number;name\n1;S\x9bren Kj\x91r\n2;\x8fse Bj\x9brn\n", Encoding::Cp850, "Åse Bjørn"),
        (
            b"matricule;nom;pr\x8enom\n1;Petit;Ren\x8e\n2;Roy;Beno\x94t\n",
            Encoding::MacRoman,
            "Benoît",
        ),
        (b"number;name\n1;J\xf6rg Roth\n2;\xc5se Bj\xf8rn\n", Encoding::Windows1252, "Åse Bjørn"),
        (
            b"number;name\n1;O\x92Neil \x93Bo\x94\n2;D\x92Arcy\n3;O\x92Brien\n",
            Encoding::Windows1252,
            "O’Neil “Bo”",
        ),
        (b"number;name\n1;Garc\x92a\n2;Mart\x92n\n", Encoding::MacRoman, "García"),
        // Each accent behind one letter, as Japanese pairs would stand.
        (b"number;name\n1;h\x82l\x8ane Roy\n2;d\x82sir Li\n", Encoding::Cp850, "hélène"),
    ] {
        let decoded = decode(bytes).unwrap();
        assert_eq!(decoded.encoding, encoding, "{word}");
        assert!(decoded.text.contains(word), "{}", decoded.text);
    }
}
