//! Packed files: what comes out is what was put in, and never more than the limits.

use std::io::{Cursor, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;
use zip::write::{SimpleFileOptions, ZipWriter};

use super::{LIMITS, explained};
use crate::import::text::Charset;
use crate::import::unpack::{is_packed, open};

/// Opens the bytes as they are, packed in each way, and as each part of a workbook.
pub(crate) fn packed(bytes: &[u8]) {
    opens(bytes);
    if !is_packed(bytes) {
        let plain = open(bytes, &LIMITS.unpack(), Charset::Auto);
        for wrapped in [gzip(bytes), zip(&[("a.csv", bytes)])] {
            let opened = open(&wrapped, &LIMITS.unpack(), Charset::Auto);
            let text = |opened: &Result<_, _>| match opened {
                Ok(crate::import::unpack::Opened { decoded, .. }) => {
                    Ok(decoded.text.clone().into_owned())
                }
                Err(crate::import::note::FileRefusal { code, .. }) => Err(*code),
            };
            assert_eq!(text(&opened), text(&plain), "packing changes nothing");
        }
    }
    for part in 0..PARTS.len() {
        opens(&workbook(part, bytes));
    }
}

fn opens(bytes: &[u8]) {
    match open(bytes, &LIMITS.unpack(), Charset::Auto) {
        Err(refusal) => explained(&refusal),
        Ok(opened) => {
            let most = usize::try_from(LIMITS.max_bytes).unwrap_or(usize::MAX);
            assert!(opened.decoded.text.len() <= most * 3);
        }
    }
}

/// The parts of a small workbook.
const PARTS: [(&str, &[u8]); 5] = [
    ("xl/workbook.xml", b"<workbook><sheets><sheet name=\"Paie\" r:id=\"r1\"/></sheets></workbook>"),
    ("xl/_rels/workbook.xml.rels", b"<R><Relationship Id=\"r1\" Type=\"x/worksheet\" Target=\"worksheets/sheet1.xml\"/></R>"),
    ("xl/styles.xml", b"<s><numFmts><numFmt numFmtId=\"170\" formatCode=\"000000\"/></numFmts><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"170\"/><xf numFmtId=\"14\"/></cellXfs></s>"),
    ("xl/sharedStrings.xml", b"<sst><si><t>Matricule</t></si><si><t>Nom</t></si></sst>"),
    ("xl/worksheets/sheet1.xml", b"<worksheet><sheetData><row><c t=\"s\"><v>0</v></c><c t=\"s\"><v>1</v></c></row><row><c s=\"1\"><v>12</v></c><c s=\"2\"><v>43831</v></c></row></sheetData></worksheet>"),
];

/// The workbook with one part replaced.
fn workbook(part: usize, bytes: &[u8]) -> Vec<u8> {
    let mut parts = PARTS;
    if let Some(replaced) = parts.get_mut(part) {
        replaced.1 = bytes;
    }
    zip(&parts)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    let written = out.write_all(bytes);
    assert!(written.is_ok());
    out.finish().unwrap_or_default()
}

fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, bytes) in files {
        let written = out.start_file(*name, options).is_ok() && out.write_all(bytes).is_ok();
        assert!(written, "{name}");
    }
    out.finish().map(Cursor::into_inner).unwrap_or_default()
}
