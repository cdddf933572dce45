//! What a file is when it is not text of cells: PDF, workbook, archive, web page.

/// Binary formats by their first bytes, under whatever name they came.
pub(super) fn what_it_is(bytes: &[u8]) -> Option<&'static str> {
    const MAGIC: &[(&[u8], &str)] = &[
        (b"%PDF", "pdf"),
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
    if bytes.starts_with(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1") {
        return Some(which_compound(bytes));
    }
    if bytes.get(257..262) == Some(b"ustar") {
        return Some("tar");
    }
    if bytes.starts_with(b"BZh") && bytes.get(4..10) == Some(b"1AY&SY") {
        return Some("bzip2");
    }
    MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic)).map(|(_, name)| *name)
}

/// Old Office files, and new ones with a password, are told by the names of their streams (UTF-16).
fn which_compound(bytes: &[u8]) -> &'static str {
    const STREAMS: &[(&str, &str)] = &[
        ("EncryptedPackage", "encrypted"),
        ("WordDocument", "doc"),
        ("PowerPoint Document", "ppt"),
        ("__properties_version1.0", "msg"),
    ];
    let holds = |name: &str| {
        let name: Vec<u8> = name.bytes().flat_map(|byte| [byte, 0]).collect();
        memchr::memmem::find(bytes, &name).is_some()
    };
    STREAMS.iter().find(|(stream, _)| holds(stream)).map_or("xls", |(_, found)| found)
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
