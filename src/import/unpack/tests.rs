use std::io::{Cursor, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use zip::write::{SimpleFileOptions, ZipWriter};

use super::*;
use crate::import::fields::Headers;
use crate::import::table::{self, Table};
use crate::import::testing;

const CSV: &str = "Matricule;Nom;Prénom\r\n00123;Lefèvre;Hélène\r\n";

fn limits() -> UnpackLimits {
    testing::LIMITS.unpack()
}

fn read(bytes: &[u8]) -> Result<Opened<'_>, FileRefusal> {
    open(bytes, &limits(), Charset::Auto)
}

fn param<'r>(refusal: &'r FileRefusal, name: &str) -> &'r str {
    refusal.params.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
}

/// Code, what was found (or which limit), and the entries that are named.
fn refused(bytes: &[u8]) -> (&'static str, String, String) {
    let refusal = read(bytes).unwrap_err();
    let why = ["found", "what", "cause"].iter().map(|name| param(&refusal, name));
    let why = why.filter(|value| !value.is_empty()).collect::<Vec<_>>().join(" ");
    (refusal.code, why, param(&refusal, "entries").to_owned())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::default());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        if name.ends_with('/') {
            out.add_directory(*name, SimpleFileOptions::default()).unwrap();
        } else {
            let options =
                SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
            out.start_file(*name, options).unwrap();
            out.write_all(bytes).unwrap();
        }
    }
    out.finish().unwrap().into_inner()
}

const BOOK: &str = r#"<?xml version="1.0"?><workbook xmlns="x" xmlns:r="y"><workbookPr/><sheets>
    <sheet name="Listes" sheetId="1" state="hidden" r:id="rId1"/>
    <sheet name="Salariés" sheetId="2" r:id="rId2"/></sheets></workbook>"#;
const RELATIONS: &str = r#"<Relationships>
    <Relationship Id="rId1" Type="http://x/worksheet" Target="worksheets/sheet1.xml"/>
    <Relationship Id="rId2" Type="http://x/worksheet" Target="/xl/worksheets/sheet2.xml"/></Relationships>"#;
const STYLES: &str = r#"<styleSheet><numFmts count="1"><numFmt numFmtId="164" formatCode="00000"/></numFmts>
    <cellStyleXfs><xf numFmtId="9"/></cellStyleXfs>
    <cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="9"/></cellXfs></styleSheet>"#;
const STRINGS: &str = r#"<sst uniqueCount="99999999999999"><si><t>Matricule</t></si><si><r><t>Pré</t></r><r><t xml:space="preserve">nom </t></r></si>
    <si><t>O&apos;Neil &amp; Fils &#233;</t><rPh><t>ignored</t></rPh></si><si/><si><t>Entrée</t></si><si><t>Taux</t></si></sst>"#;

fn workbook(sheet_data: &str) -> Vec<u8> {
    let sheet = format!(
        "<worksheet><dimension ref=\"A1:XFD1048576\"/><sheetData>{sheet_data}</sheetData></worksheet>"
    );
    zip(&[
        ("[Content_Types].xml", b"<Types/>"),
        ("xl/workbook.xml", BOOK.as_bytes()),
        ("xl/_rels/workbook.xml.rels", RELATIONS.as_bytes()),
        ("xl/styles.xml", STYLES.as_bytes()),
        ("xl/sharedStrings.xml", STRINGS.as_bytes()),
        ("xl/worksheets/sheet1.xml", b"<worksheet><sheetData/></worksheet>"),
        ("xl/worksheets/sheet2.xml", sheet.as_bytes()),
    ])
}

#[track_caller]
fn table_of(bytes: &[u8]) -> Table<'_> {
    table::read(read(bytes).unwrap().decoded, &Headers::default(), &testing::LIMITS.table())
        .unwrap()
}

#[test]
fn packed_text() {
    for (bytes, wrapping) in [
        (CSV.as_bytes().to_vec(), None),
        (gzip(CSV.as_bytes()), Some("gzip")),
        ([gzip(&CSV.as_bytes()[..9]), gzip(&CSV.as_bytes()[9..])].concat(), Some("gzip")),
        (zip(&[("salariés.csv", CSV.as_bytes())]), Some("zip: salariés.csv")),
        (
            zip(&[
                ("export/", b""),
                ("export/a.csv", CSV.as_bytes()),
                ("__MACOSX/._a.csv", b"x"),
                (".DS_Store", b"x"),
            ]),
            Some("zip: export/a.csv"),
        ),
        (gzip(&zip(&[("a.csv", CSV.as_bytes())])), Some("gzip, zip: a.csv")),
    ] {
        let opened = read(&bytes).unwrap();
        assert_eq!(opened.decoded.text, CSV);
        assert_eq!(opened.wrapping.words().as_deref(), wrapping);
    }
}

#[test]
fn what_is_not_one_file() {
    let two = zip(&[("a.csv", b"x"), ("b.csv", b"y")]);
    assert_eq!(refused(&two), ("F003", "zip_several".to_owned(), "a.csv, b.csv".to_owned()));
    let names: Vec<String> = (0..7).map(|n| format!("{n}.csv")).collect();
    let files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b"x"[..])).collect();
    assert_eq!(refused(&zip(&files)).2, "0.csv, 1.csv, 2.csv, 3.csv, 4.csv, …");
    assert_eq!(refused(&zip(&[])).1, "zip_empty");
    assert_eq!(refused(&zip(&[("a/", b"")])).1, "zip_empty");
    assert_eq!(refused(&zip(&[("word/document.xml", b"x"), ("b", b"")])).1, "docx");
    let thrice = gzip(&gzip(&gzip(CSV.as_bytes())));
    assert_eq!(refused(&thrice), ("F003", "nested".to_owned(), "gzip, gzip".to_owned()));
    let mut tar = vec![b'a'; 600];
    tar[257..262].copy_from_slice(b"ustar");
    assert_eq!(refused(&gzip(&tar)).1, "tar");
    assert_eq!(refused(&gzip(b"%PDF-1.7")).1, "pdf");
    assert_eq!(refused(&gzip(b"")).0, "F001");
}

#[test]
fn archives_that_were_cut_or_damaged() {
    let whole = gzip(CSV.repeat(50).as_bytes());
    assert_eq!(refused(&whole[..whole.len() / 2]).0, "F005");
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0xFF;
    assert_eq!(refused(&flipped).1, "damaged_archive");
    let whole = zip(&[("a.csv", CSV.repeat(50).as_bytes())]);
    assert_eq!(refused(&whole[..whole.len() / 2]).0, "F005");
    let mut flipped = whole.clone();
    flipped[60] ^= 0xFF;
    assert_eq!(refused(&flipped).1, "damaged_archive");
}

#[test]
fn a_password_is_told() {
    let mut locked = zip(&[("a.csv", CSV.as_bytes())]);
    let central = memchr::memmem::find(&locked, b"PK\x01\x02").unwrap();
    locked[6] |= 1;
    locked[central + 8] |= 1;
    assert_eq!(refused(&locked), ("F003", "encrypted".to_owned(), "a.csv".to_owned()));
}

#[test]
fn bombs_stop_at_the_limit() {
    let zeros = vec![b'0'; 17 << 20];
    assert_eq!(refused(&gzip(&zeros)).1, "ratio");
    assert_eq!(
        refused(&zip(&[("zeros.csv", &zeros)])),
        ("F006", "ratio".to_owned(), "zeros.csv".to_owned())
    );
    let small = UnpackLimits { max_bytes: 1 << 20, ..limits() };
    let refusal = open(&gzip(&zeros), &small, Charset::Auto).unwrap_err();
    assert_eq!((param(&refusal, "what"), param(&refusal, "limit")), ("unpacked_bytes", "1 MiB"));
    // A string that is written once and shown many times.
    let row = r#"<row><c t="s"><v>2</v></c></row>"#;
    let book = workbook(&row.repeat(8_000));
    let tight = UnpackLimits { max_bytes: 256 << 10, ..limits() };
    assert!(open(&book, &tight, Charset::Auto).is_err_and(|refusal| refusal.code == "F006"));
    let far = workbook(r#"<row r="1"><c r="XFD1"><v>1</v></c></row>"#);
    assert_eq!(refused(&far).1, "columns");
}

#[test]
fn a_workbook_is_read_as_people_see_it() {
    let book = workbook(
        r#"<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="C1" t="s"><v>4</v></c><c r="D1" t="s"><v>5</v></c></row>
        <row r="2"><c r="A2" s="2"><v>123</v></c><c r="B2" t="s"><v>2</v></c><c r="C2" s="1"><v>45310</v></c><c r="D2" s="3"><v>0.8</v></c></row>
        <row r="4"><c r="A4"><v>0.30000000000000004</v></c><c r="C4" t="e"><v>#REF!</v></c></row>
        <row r="5"><c r="A5" t="inlineStr"><is><t>x"y</t></is></c><c r="B5" t="str"><f>A1&amp;"z"</f><v>done</v></c><c r="C5" t="b"><v>1</v></c><c r="D5" s="3"/></row>"#,
    );
    let opened = read(&book).unwrap();
    assert_eq!(opened.wrapping.words().as_deref(), Some("xlsx: Salariés"));
    assert!(opened.wrapping.is_workbook());
    let table = table_of(&book);
    assert_eq!(table.header(), ["Matricule", "Prénom ", "Entrée", "Taux"]);
    assert_eq!(table.delimiter(), None);
    let rows: Vec<(u32, Vec<String>)> =
        table.rows().map(|row| (row.line(), row.cells().map(Cow::into_owned).collect())).collect();
    assert_eq!(
        rows,
        [
            (2, ["00123", "O'Neil & Fils é", "2024-01-19", "80%"].map(str::to_owned).to_vec()),
            (4, ["0.3", "", "#REF!", ""].map(str::to_owned).to_vec()),
            (5, ["x\"y", "done", "TRUE", ""].map(str::to_owned).to_vec()),
        ]
    );
    let packed = zip(&[("a.xlsx", &book)]);
    assert_eq!(read(&packed).unwrap().wrapping.words().unwrap(), "zip: a.xlsx, xlsx: Salariés");
}

#[test]
fn sheets_that_were_not_read_and_merged_cells_are_told() {
    let cells = |text: &str| {
        format!(
            "<worksheet><sheetData><row r=\"1\"><c t=\"inlineStr\"><is><t>{text}</t></is></c></row></sheetData>\
            <mergeCells><mergeCell ref=\"A1:B1\"/><mergeCell ref=\"A1:A2\"/><mergeCell ref=\"C5:D7\"/><mergeCell ref=\"X\"/></mergeCells>\
            <headerFooter><oddFooter>page</oddFooter></headerFooter></worksheet>"
        )
    };
    let names = ["Salariés", "FR02", "Vide", "Caché"];
    let sheets: String = (1..=4)
        .zip(names)
        .map(|(n, name)| {
            let state = if name == "Caché" { " state=\"hidden\"" } else { "" };
            format!("<sheet name=\"{name}\"{state} sheetId=\"{n}\" r:id=\"r{n}\"/>")
        })
        .collect();
    let relations: String = (1..=4)
        .map(|n| {
            format!("<Relationship Id=\"r{n}\" Type=\"http://x/worksheet\" Target=\"s{n}.xml\"/>")
        })
        .collect();
    let book = format!("<workbook><sheets>{sheets}</sheets></workbook>");
    let relations = format!("<Relationships>{relations}</Relationships>");
    let book = zip(&[
        ("xl/workbook.xml", book.as_bytes()),
        ("xl/_rels/workbook.xml.rels", relations.as_bytes()),
        ("xl/s1.xml", cells("un").as_bytes()),
        ("xl/s2.xml", cells("deux").as_bytes()),
        ("xl/s3.xml", b"<worksheet><sheetData><row r=\"1\"><c s=\"1\"/></row></sheetData><headerFooter><oddFooter>page</oddFooter></headerFooter></worksheet>"),
        ("xl/s4.xml", cells("quatre").as_bytes()),
    ]);
    let opened = read(&book).unwrap();
    let told =
        |name: &str| opened.notes[0].params.iter().find(|(n, _)| *n == name).unwrap().1.clone();
    assert_eq!(opened.notes.len(), 1);
    assert_eq!((told("sheet"), told("others")), ("Salariés".to_owned(), "FR02".to_owned()));
    assert_eq!(opened.merged, [1, 5]);
    assert_eq!(merged_note(&opened.merged, 1).unwrap().lines, [5]);
    assert_eq!(merged_note(&opened.merged, 5), None);
    assert!(read(&workbook("<row r=\"1\"><c><v>1</v></c></row>")).unwrap().notes.is_empty());
}

#[test]
fn a_format_is_kept_once_and_no_longer_than_excel_keeps_it() {
    let styles = |code: &str| {
        let xf = "<xf numFmtId=\"164\"/>".repeat(40_000);
        format!(
            "<s><numFmts><numFmt numFmtId=\"164\" formatCode=\"{code}\"/></numFmts><cellXfs>{xf}</cellXfs></s>"
        )
    };
    let shown = |code: &str| {
        let styles = styles(code);
        let sheet =
            "<worksheet><sheetData><row><c s=\"39999\"><v>12</v></c></row></sheetData></worksheet>";
        let book = zip(&[
            ("xl/workbook.xml", BOOK.as_bytes()),
            ("xl/_rels/workbook.xml.rels", RELATIONS.as_bytes()),
            ("xl/styles.xml", styles.as_bytes()),
            ("xl/worksheets/sheet2.xml", sheet.as_bytes()),
        ]);
        read(&book).unwrap().decoded.text.trim_end().to_owned()
    };
    assert_eq!(shown("00000"), "\"00012\"");
    assert_eq!(shown(&"0".repeat(255)), format!("\"{:0>255}\"", 12));
    assert_eq!(shown(&"0".repeat(500_000)), "\"12\"");
}

#[test]
fn workbooks_that_cannot_be_read() {
    assert_eq!(refused(&workbook("")).0, "F001");
    assert_eq!(refused(&workbook("<row><c><v>1</v></row></c>")).1, "damaged_archive");
    let hidden = BOOK.replace("name=\"Salariés\"", "name=\"x\" state=\"veryHidden\"");
    let book = zip(&[
        ("xl/workbook.xml", hidden.as_bytes()),
        ("xl/_rels/workbook.xml.rels", RELATIONS.as_bytes()),
        ("xl/worksheets/sheet2.xml", b"<worksheet/>"),
    ]);
    assert_eq!(refused(&book).1, "no_sheet");
    assert_eq!(refused(&zip(&[("xl/workbook.bin", b"x")])).1, "xlsb");
}
