//! Text to table: no letter is lost, no line is passed over in silence, and what is written is what was read.

use std::borrow::Cow;

use super::{LIMITS, explained};
use crate::import::fields::Headers;
use crate::import::inspect;
use crate::import::table::{Table, read, read_any};
use crate::import::text::{clean, decode};

/// Reads a roster and any table, and writes the table again.
pub(crate) fn table(bytes: &[u8]) {
    let Ok(decoded) = decode(bytes) else { return };
    let text = decoded.text.clone().into_owned();
    match read(decoded.clone(), &Headers::default(), &LIMITS.table()) {
        Err(refusal) => explained(&refusal),
        Ok(table) => check(&text, &table),
    }
    match read_any(decoded, &LIMITS.table()) {
        Err(refusal) => explained(&refusal),
        Ok(table) => {
            check(&text, &table);
            written(bytes, &table);
        }
    }
}

fn check(text: &str, table: &Table<'_>) {
    let mut line = table.header_line();
    let mut seen = letters(&table.header().concat());
    for row in table.rows() {
        assert!(row.line() > line, "line {} comes after line {line}", row.line());
        line = row.line();
        assert!(row.physical_line() >= line && row.len() <= LIMITS.max_columns);
        let cells: Vec<Cow<'_, str>> = row.cells().collect();
        assert!(cells.iter().all(|cell| cell.len() <= LIMITS.max_cell_bytes));
        assert_eq!(letters(row.raw()), letters(&cells.concat()), "line {line}");
        seen += letters(row.raw());
    }
    let titles: usize = table.title_lines().iter().map(|(_, title)| letters(title)).sum();
    let all = letters(text);
    assert!(seen + titles <= all);
    let tells = table.notes().iter().any(|note| note.code == "R104");
    let first = text.split(['\n', '\r']).next().unwrap_or_default();
    let names_separator = first.to_lowercase().contains("sep=");
    // Without a note every letter of the file stands in the header or in a row.
    if !tells && titles == 0 && !names_separator {
        assert_eq!(seen, all, "something was left out and not told");
    }
}

/// Letters and digits: what no dialect's signs are made of.
fn letters(text: &str) -> usize {
    text.chars().filter(|c| c.is_alphanumeric()).count()
}

/// `inspect --csv`: another reader of RFC 4180 finds the same cells.
fn written(bytes: &[u8], table: &Table<'_>) {
    let written = inspect::clean_csv(bytes, &LIMITS);
    assert!(written.is_ok(), "{written:?}");
    let written = written.unwrap_or_default();
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(written.as_slice());
    let mut records = reader.records();
    let header: Vec<Cow<'_, str>> = table.header().iter().map(Into::into).collect();
    for (at, cells) in
        std::iter::once(header).chain(table.rows().map(|r| r.cells().collect())).enumerate()
    {
        let record = records.next().and_then(Result::ok);
        assert!(record.is_some(), "row {at} is lost");
        let record = record.unwrap_or_default();
        assert!(
            record.iter().eq(cells.iter().take(record.len()).map(AsRef::as_ref)),
            "row {at}: {cells:?} {record:?}"
        );
        let beyond = cells.iter().skip(record.len());
        assert!(beyond.clone().all(|cell| clean(cell).is_empty()), "row {at} lost {beyond:?}");
    }
    assert!(records.next().is_none(), "more rows than were read");
}
