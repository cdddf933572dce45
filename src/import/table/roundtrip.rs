//! Generated tables, written in every way and read back; and bytes of any kind, which must never panic.

use proptest::prelude::*;

use super::*;
use crate::import::inspect;
use crate::import::settings::Settings;
use crate::import::text::decode;

use crate::import::testing::LIMITS;

/// How a table is written.
#[derive(Debug, Clone, Copy)]
struct Writing {
    separator: char,
    line_end: &'static str,
    encoding: &'static str,
    mark: Mark,
    last_line_end: LastLineEnd,
}

#[derive(Debug, Clone, Copy)]
enum Mark {
    With,
    Without,
}

#[derive(Debug, Clone, Copy)]
enum LastLineEnd {
    Kept,
    Left,
}

fn writing() -> impl Strategy<Value = Writing> {
    (
        prop::sample::select(vec![';', ',', '\t', '|']),
        prop::sample::select(vec!["\n", "\r\n", "\r"]),
        prop::sample::select(vec!["utf-8", "utf-16le", "utf-16be", "windows-1252"]),
        prop::sample::select(vec![Mark::With, Mark::Without]),
        prop::sample::select(vec![LastLineEnd::Kept, LastLineEnd::Left]),
    )
        .prop_map(|(separator, line_end, encoding, mark, last_line_end)| Writing {
            separator,
            line_end,
            encoding,
            mark,
            last_line_end,
        })
}

/// Rows of four cells: a number that is never blank, and three texts with everything that needs quotes.
fn rows() -> impl Strategy<Value = Vec<Vec<String>>> {
    let text = "[a-zA-Zéèàçüöäß;,|\t\"' -]{0,12}(\n[a-zé;,\"]{1,6})?";
    let row = (0..100_000_u32, text, text, text)
        .prop_map(|(number, a, b, c)| vec![format!("{number:05}"), a, b, c]);
    prop::collection::vec(row, 1..12)
}

fn write(rows: &[Vec<String>], how: Writing) -> Vec<u8> {
    let quoted = |cell: &String| {
        let needs = cell.contains([';', ',', '|', '\t', '"', '\n']) || cell.starts_with(' ');
        if needs { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.clone() }
    };
    let header = ["Matricule", "Nom", "Prénom", "Né le"].map(str::to_owned).to_vec();
    let mut text = String::new();
    for (index, row) in std::iter::once(&header).chain(rows).enumerate() {
        if index > 0 {
            text.push_str(how.line_end);
        }
        let cells: Vec<String> = row.iter().map(quoted).collect();
        text.push_str(&cells.join(&how.separator.to_string()));
    }
    if matches!(how.last_line_end, LastLineEnd::Kept) {
        text.push_str(how.line_end);
    }
    let mark = if matches!(how.mark, Mark::With) { "\u{FEFF}" } else { "" };
    match how.encoding {
        "utf-16le" => format!("{mark}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect(),
        "utf-16be" => format!("{mark}{text}").encode_utf16().flat_map(u16::to_be_bytes).collect(),
        "windows-1252" => encoding_rs::WINDOWS_1252.encode(&text).0.into_owned(),
        _ => format!("{mark}{text}").into_bytes(),
    }
}

proptest! {
    #[test]
    fn what_was_written_is_read(rows in rows(), how in writing()) {
        let bytes = write(&rows, how);
        let table = read(decode(&bytes).unwrap(), &Headers::default(), &LIMITS.table()).unwrap();
        prop_assert_eq!(table.delimiter(), Some(how.separator));
        prop_assert_eq!(table.header(), ["Matricule", "Nom", "Prénom", "Né le"]);
        let read: Vec<Vec<String>> =
            table.rows().map(|row| row.cells().map(Cow::into_owned).collect()).collect();
        prop_assert_eq!(read, rows);
        prop_assert_eq!(table.ends_with_newline(), matches!(how.last_line_end, LastLineEnd::Kept));
        prop_assert!(table.rows().all(|row| row.problem().is_none()));
    }

    #[test]
    fn clean_csv_of_clean_csv_is_the_same(rows in rows(), how in writing()) {
        let once = inspect::clean_csv(&write(&rows, how), &LIMITS).unwrap();
        let twice = inspect::clean_csv(&once, &LIMITS).unwrap();
        prop_assert_eq!(String::from_utf8(once).unwrap(), String::from_utf8(twice).unwrap());
    }

    #[test]
    fn no_bytes_break_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        look(&bytes);
    }

    #[test]
    fn no_text_breaks_the_reader(text in "([a-zé0-9/.@#=+-]{0,4}[;,\"\\\\\n\r|\t ]{0,2}){0,60}") {
        look(format!("Matricule;Nom;Prénom;Date d'entrée;Statut;ETP\n{text}").as_bytes());
        look(text.as_bytes());
    }
}

fn look(bytes: &[u8]) {
    let today = jiff::civil::date(2026, 11, 21);
    match inspect::inspect(bytes, "x.csv", &Settings::default(), &LIMITS, (today, None)) {
        Ok(found) => assert!(found.rows > 0),
        Err(refusal) => assert!(refusal.code.starts_with('F')),
    }
}
