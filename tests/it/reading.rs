//! Reading: one roster in every dialect, encoding and language ends in the same directory; nothing breaks the reader.

use std::fs;
use std::io::{Cursor, Write};
use std::time::{Duration, Instant};

use assert_cmd::Command;
use flate2::Compression;
use flate2::write::GzEncoder;
use rollcall::import::directory::Snapshot;
use rollcall::import::inspect;
use rollcall::import::plan::UserWrite;
use rollcall::import::settings::Settings;
use rollcall::model::ImportStatus;
use zip::write::{SimpleFileOptions, ZipWriter};

use crate::golden::{LIMITS, TODAY, plan};

/// How a roster is written.
#[derive(Debug, Clone, Copy)]
struct Dialect {
    separator: &'static str,
    quote: char,
    line_end: &'static str,
}

const DIALECTS: [Dialect; 6] = [
    Dialect { separator: ";", quote: '"', line_end: "\r\n" },
    Dialect { separator: ",", quote: '"', line_end: "\n" },
    Dialect { separator: "\t", quote: '"', line_end: "\r" },
    Dialect { separator: "|", quote: '"', line_end: "\r\n" },
    Dialect { separator: ", ", quote: '"', line_end: "\n" },
    Dialect { separator: ",", quote: '\'', line_end: "\r\n" },
];

const ENCODINGS: [&str; 9] = [
    "utf-8",
    "utf-8 marked",
    "utf-16le marked",
    "utf-16le",
    "utf-16be",
    "windows-1252",
    "iso-8859-15",
    "macintosh",
    "cp850",
];

const HEADERS: [[&str; 7]; 4] = [
    [
        "legalEntity",
        "employeenumber",
        "lastName",
        "firstName",
        "dtContractStart",
        "dtBirth",
        "department",
    ],
    [
        "Entité légale",
        "Matricule",
        "Nom",
        "Prénom",
        "Date d'entrée",
        "Date de naissance",
        "Service",
    ],
    [
        "Legal entity",
        "Employee number",
        "Last name",
        "First name",
        "Hire date",
        "Date of birth",
        "Department",
    ],
    [
        "Gesellschaft",
        "Personalnummer",
        "Nachname",
        "Vorname",
        "Eintrittsdatum",
        "Geburtsdatum",
        "Abteilung",
    ],
];

fn roster(rows: usize, header: [&str; 7]) -> Vec<Vec<String>> {
    const LAST: [&str; 5] = ["LEFÈVRE", "Garçon", "Weiß", "Müller", "Brûlé"];
    const FIRST: [&str; 4] = ["Hélène", "François", "Jürgen", "Zoé"];
    const DEPARTMENTS: [&str; 3] = ["Comptabilité", "Ventes, Nord", "Börse \"A\""];
    let mut table = vec![header.map(str::to_owned).to_vec()];
    for n in 0..rows {
        table.push(vec![
            format!("FR{:02}", n % 3),
            format!("{n:06}"),
            format!("{}{n}", LAST[n % 5]),
            FIRST[n % 4].to_owned(),
            format!("{:02}/{:02}/{}", 28 - n % 28, 1 + n % 12, 1990 + n % 30),
            format!("{:02}/{:02}/{}", 13 + n % 16, 1 + n % 12, 1960 + n % 40),
            DEPARTMENTS[n % 3].to_owned(),
        ]);
    }
    table
}

fn text(table: &[Vec<String>], dialect: Dialect) -> String {
    let quote = dialect.quote;
    let cell = |cell: &String| {
        if cell.contains(dialect.separator.trim_end_matches(' ')) || cell.contains(quote) {
            format!("{quote}{}{quote}", cell.replace(quote, &format!("{quote}{quote}")))
        } else {
            cell.clone()
        }
    };
    let quoted = |row: &Vec<String>| -> Vec<String> {
        // A program that quotes with apostrophes quotes every cell.
        if quote == '\'' {
            return row.iter().map(|c| format!("'{}'", c.replace('\'', "''"))).collect();
        }
        row.iter().map(cell).collect()
    };
    table.iter().map(|row| quoted(row).join(dialect.separator) + dialect.line_end).collect()
}

fn encoded(text: &str, encoding: &str) -> Vec<u8> {
    let utf16 = |order: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(order).collect::<Vec<_>>();
    match encoding {
        "utf-8 marked" => [b"\xEF\xBB\xBF", text.as_bytes()].concat(),
        "utf-16le" => utf16(u16::to_le_bytes),
        "utf-16be" => utf16(u16::to_be_bytes),
        "utf-16le marked" => [b"\xFF\xFE".to_vec(), utf16(u16::to_le_bytes)].concat(),
        "windows-1252" => encoding_rs::WINDOWS_1252.encode(text).0.into_owned(),
        "iso-8859-15" => encoding_rs::ISO_8859_15.encode(text).0.into_owned(),
        "macintosh" => encoding_rs::MACINTOSH.encode(text).0.into_owned(),
        "cp850" => text.chars().map(cp850).collect(),
        _ => text.as_bytes().to_vec(),
    }
}

fn cp850(c: char) -> u8 {
    match c {
        'é' => 0x82,
        'è' => 0x8A,
        'È' => 0xD4,
        'ç' => 0x87,
        'ü' => 0x81,
        'û' => 0x96,
        'ö' => 0x94,
        'ß' => 0xE1,
        c => u8::try_from(c).unwrap(),
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        out.start_file(*name, SimpleFileOptions::default()).unwrap();
        out.write_all(bytes).unwrap();
    }
    out.finish().unwrap().into_inner()
}

/// A workbook as a payroll program writes one: numbers with kept zeros, dates as days.
fn workbook(table: &[Vec<String>]) -> Vec<u8> {
    let mut rows = String::new();
    for (line, row) in table.iter().enumerate() {
        rows.push_str("<row>");
        for (column, cell) in row.iter().enumerate() {
            let day = jiff::civil::Date::strptime("%d/%m/%Y", cell);
            if line > 0 && column == 1 {
                rows.push_str(&format!("<c s=\"1\"><v>{}</v></c>", cell.parse::<u32>().unwrap()));
            } else if let Ok(day) = day {
                let days = jiff::civil::date(1899, 12, 30).until(day).unwrap().get_days();
                rows.push_str(&format!("<c s=\"2\"><v>{days}</v></c>"));
            } else {
                let cell = cell.replace('&', "&amp;").replace('<', "&lt;");
                rows.push_str(&format!("<c t=\"inlineStr\"><is><t>{cell}</t></is></c>"));
            }
        }
        rows.push_str("</row>");
    }
    zip(&[
        (
            "xl/workbook.xml",
            b"<workbook><sheets><sheet name=\"Paie\" r:id=\"r1\"/></sheets></workbook>",
        ),
        (
            "xl/_rels/workbook.xml.rels",
            b"<R><Relationship Id=\"r1\" Type=\"x/worksheet\" Target=\"worksheets/sheet1.xml\"/></R>",
        ),
        (
            "xl/styles.xml",
            b"<s><numFmts><numFmt numFmtId=\"170\" formatCode=\"000000\"/></numFmts><cellXfs><xf numFmtId=\"0\"/>\
            <xf numFmtId=\"170\"/><xf numFmtId=\"14\"/></cellXfs></s>",
        ),
        (
            "xl/worksheets/sheet1.xml",
            format!("<worksheet><sheetData>{rows}</sheetData></worksheet>").as_bytes(),
        ),
    ])
}

fn settings(encoding: &str) -> Settings {
    // What a small file is in cannot always be guessed; these are rare enough to be declared.
    match encoding {
        "macintosh" | "cp850" | "iso-8859-15" => {
            Settings::from_toml(&format!("encoding = \"{encoding}\"")).unwrap()
        }
        _ => Settings::default(),
    }
}

#[track_caller]
fn writes(bytes: &[u8], settings: &Settings, how: &str) -> Vec<UserWrite> {
    let plan = plan(bytes, "users.csv", settings, &Snapshot::default());
    let status = plan.report.status;
    assert!(
        matches!(status, ImportStatus::Ok | ImportStatus::OkWithWarnings),
        "{how}: {status:?} {:?}",
        plan.report.messages.iter().take(5).collect::<Vec<_>>()
    );
    plan.writes
}

#[track_caller]
fn check(rows: usize, dialect: Dialect, encoding: &str, header: [&str; 7], expected: &[UserWrite]) {
    let how = format!("{rows} rows, {dialect:?}, {encoding}, {}", header[0]);
    let bytes = encoded(&text(&roster(rows, header), dialect), encoding);
    assert!(writes(&bytes, &settings(encoding), &how) == expected, "{how}");
}

#[test]
fn one_roster_in_every_writing_is_one_directory() {
    for rows in [1, 2, 100] {
        let reference = text(&roster(rows, HEADERS[0]), DIALECTS[0]);
        let expected = writes(reference.as_bytes(), &Settings::default(), "reference");
        assert_eq!(expected.len(), rows);
        for (d, dialect) in DIALECTS.into_iter().enumerate() {
            for (e, encoding) in ENCODINGS.into_iter().enumerate() {
                // All pairs for small rosters; larger ones turn through the languages.
                let headers = if rows <= 2 { HEADERS.to_vec() } else { vec![HEADERS[(d + e) % 4]] };
                for header in headers {
                    check(rows, dialect, encoding, header, &expected);
                }
            }
        }
    }
}

#[test]
fn ten_thousand_rows_and_packed_ones() {
    let table = roster(10_000, HEADERS[1]);
    let plain = text(&table, DIALECTS[0]).into_bytes();
    let settings = Settings::default();
    let expected = writes(&plain, &settings, "plain");
    assert_eq!(expected.len(), 10_000);
    let windows = encoded(&text(&table, DIALECTS[1]), "windows-1252");
    assert!(writes(&windows, &settings, "windows") == expected);
    assert!(writes(&gzip(&plain), &settings, "gzip") == expected);
    assert!(writes(&zip(&[("paie.csv", &plain)]), &settings, "zip") == expected);
    assert!(writes(&workbook(&table), &settings, "xlsx") == expected);
}

fn rollcall(arguments: &[&str], file: &std::path::Path) -> std::process::Output {
    let mut command = Command::cargo_bin("rollcall").unwrap();
    command.current_dir(file.parent().unwrap()).arg("inspect").arg(file).args(arguments);
    command.output().unwrap()
}

#[test]
fn a_workbook_under_a_csv_name_is_inspected() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("users.csv");
    fs::write(&file, workbook(&roster(2, HEADERS[1]))).unwrap();
    let shown = rollcall(&[], &file);
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("xlsx: Paie"), "{shown}");
    let csv = String::from_utf8(rollcall(&["--csv"], &file).stdout).unwrap();
    assert_eq!(
        csv.lines().next_back().unwrap(),
        "FR01,000001,Garçon1,François,1991-02-27,1961-02-14,\"Ventes, Nord\""
    );
    let packed = folder.path().join("users.xlsx");
    fs::write(&packed, zip(&[("a.csv", b"x"), ("b.csv", b"y")])).unwrap();
    let refused = rollcall(&[], &packed);
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("a.csv, b.csv"), "{said}");
}

#[test]
fn a_file_over_the_limit_is_refused_unread() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("huge.csv");
    let file = fs::File::create(&path).unwrap();
    file.set_len(10 << 30).unwrap();
    let started = Instant::now();
    let refused = rollcall(&["--csv"], &path);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("max_import_bytes"));
    assert!(started.elapsed() < Duration::from_secs(120));
}

#[test]
fn one_huge_cell_and_a_million_columns_stop_at_the_limit() {
    let cell = format!("Matricule;Nom;Prénom\n1;A;{}\n", "x".repeat(4 << 20));
    let open = format!("Matricule;Nom;Prénom\n1;A;\"{}", "x\n".repeat(2 << 20));
    let columns = format!("Matricule;Nom;Prénom{}\n1;A;B\n", ";c".repeat(1_000_000));
    for (bytes, codes) in
        [(&cell, ["F006", "F006"]), (&open, ["F005", "F006"]), (&columns, ["F006", "F006"])]
    {
        let found =
            inspect::inspect(bytes.as_bytes(), "x", &Settings::default(), &LIMITS, (TODAY, None));
        let code = found.map(|found| found.rows).unwrap_err().code;
        assert!(codes.contains(&code), "{code}");
    }
}

/// Everything that reads a stranger's bytes, in one call; only the time is asked.
fn look(bytes: &[u8]) {
    let started = Instant::now();
    let settings = Settings::default();
    if let Ok(found) = inspect::inspect(bytes, "x.csv", &settings, &LIMITS, (TODAY, None)) {
        assert!(found.rows > 0);
    }
    if let Ok(csv) = inspect::clean_csv(bytes, &LIMITS) {
        assert!(std::str::from_utf8(&csv).is_ok());
    }
    let counts = plan(bytes, "x.csv", &settings, &Snapshot::default()).report.counts;
    let sum = counts.created
        + counts.updated
        + counts.unchanged
        + counts.ended
        + counts.reinstated
        + counts.rejected
        + counts.held
        + counts.ignored;
    assert_eq!(counts.rows, sum);
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(settings) = Settings::from_toml(text)
    {
        assert_eq!(Settings::from_toml(&settings.to_toml()), Ok(settings));
    }
    assert!(started.elapsed() < Duration::from_secs(180), "{} bytes took too long", bytes.len());
}

#[test]
fn time_grows_with_the_size() {
    const HEAD: &str = "Matricule;Nom;Prénom;Date d'entrée\n";
    for pattern in [
        "\"",
        "\";",
        "\";\"",
        ";\"",
        "\"\n",
        "a;\"b;c;d\n",
        "x\"y;\"z;1;2\n",
        "'a';'b\n",
        "\\\"",
        "\\",
        " ",
        "\r",
        "\n",
        ";",
        ",",
        "Ã©",
        "é",
        "\u{FEFF}",
        "=\"",
        "1;A;\"B\";31/01/2020\n",
        "\"a\nb;c;d;e\n",
        "\u{1A}",
        "#",
        "1;a\n2;b;c\n",
        "Matricule;Nom;Prénom;Date d'entrée\n",
        "Total\n",
        "a\u{301}",
        "1;N;P;01/02/2020;;;;;;\n",
    ] {
        let body = pattern.repeat(60_000 / pattern.len());
        look(format!("{HEAD}{body}").as_bytes());
        look(body.as_bytes());
    }
}
