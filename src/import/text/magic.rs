//! What a file is when it is not text of cells: PDF, workbook, archive, web page.

/// Binary formats by their first bytes, under whatever name they came.
pub(super) fn what_it_is(bytes: &[u8]) -> Option<&'static str> {
    const MAGIC: &[(&[u8], &str)] = &[
        (b"%PDF", "pdf"),
        (b"\x1F\x8B", "gzip"),
        (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "xls"),
        (b"7z\xBC\xAF\x27\x1C", "7z"),
        (b"Rar!\x1A\x07", "rar"),
        (b"\x28\xB5\x2F\xFD", "zstd"),
        (b"\xFD7zXZ\0", "xz"),
        (b"\x89PNG\r\n\x1A\n", "png"),
        (b"\xFF\xD8\xFF", "jpeg"),
        (b"GIF8", "gif"),
        (b"SQLite format 3\0", "sqlite"),
        (b"\x7FELF", "program"),
        (b"{\\rtf", "rtf"),
    ];
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        return Some(which_zip(bytes));
    }
    if bytes.starts_with(b"BZh") && bytes.get(4..10) == Some(b"1AY&SY") {
        return Some("bzip2");
    }
    MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic)).map(|(_, name)| *name)
}

/// The names inside a zip archive tell an Excel workbook from others.
fn which_zip(bytes: &[u8]) -> &'static str {
    let holds = |name: &[u8]| memchr::memmem::find(bytes, name).is_some();
    if holds(b"xl/workbook") || holds(b"xl/worksheets") {
        "xlsx"
    } else if holds(b"application/vnd.oasis.opendocument.spreadsheet") {
        "ods"
    } else if holds(b"word/document") {
        "docx"
    } else {
        "zip"
    }
}

/// Text formats that are no table, by their first words.
pub(super) fn what_text_it_is(text: &str) -> Option<&'static str> {
    const STARTS: &[(&str, &str)] = &[
        ("<!doctype html", "html"),
        ("<html", "html"),
        ("<table", "html"),
        ("<?xml", "xml"),
        ("<?php", "php"),
        ("-----begin pgp message", "pgp"),
        ("-----begin ", "pem"),
        ("%!ps", "postscript"),
    ];
    let start: String = text
        .trim_start_matches(|c: char| c.is_whitespace() || c == '\u{FEFF}')
        .chars()
        .take(64)
        .collect();
    let start = start.to_ascii_lowercase();
    if let Some((_, name)) = STARTS.iter().find(|(words, _)| start.starts_with(words)) {
        return Some(name);
    }
    let mut inside = start.chars().filter(|c| !c.is_whitespace());
    match (inside.next(), inside.next()) {
        (Some('{'), Some('"' | '}')) | (Some('['), Some('{')) => Some("json"),
        (Some('<'), Some('a'..='z' | '!')) if start.contains('>') => Some("html"),
        _ => None,
    }
}
