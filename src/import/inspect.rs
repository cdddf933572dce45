//! How a file is read, told without any client: for `rollcall inspect`, and the table as clean CSV.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Serialize;

use super::Limits;
use super::codes::Level;
use super::directory::DateOrder;
use super::fields::{self, CellCount, Column, Columns, Dates, FieldKey, Headers, MatchedBy};
use super::note::{FileRefusal, Note};
use super::plan;
use super::report::message_words;
use super::settings::Settings;
use super::table::{self, Escape, RowProblem, Table};
use super::text::{self, Charset, Encoding};
use super::unpack::{self, Opened};
use crate::model::Language;

/// What was found in a file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inspection {
    /// The file's name.
    pub file: String,
    /// Its size.
    pub bytes: u64,
    /// How its characters are written.
    pub encoding: Encoding,
    /// It begins with a byte order mark.
    pub byte_order_mark: bool,
    /// What it was unpacked from, such as `zip: users.csv`.
    pub unpacked: Option<String>,
    /// What stands between two cells; `None`: the cells of a workbook.
    pub separator: Option<char>,
    /// How a quote inside a quoted cell is written: `""` or `\"`.
    pub quote_inside: &'static str,
    /// The lines above the header that are no part of the table: row number and text.
    pub title_lines: Vec<(u32, String)>,
    /// The header's row number, as Excel shows it.
    pub header_line: u32,
    /// The columns, and how each was matched.
    pub columns: Vec<InspectedColumn>,
    /// How many rows there are below the header.
    pub rows: u64,
    /// The first rows, cells without quotes.
    pub first_rows: Vec<InspectedRow>,
    /// The order of day and month that ambiguous dates are read in.
    pub date_order: Option<DateOrder>,
    /// The last line has a line end.
    pub ends_with_newline: bool,
    /// What a report would say about reading it.
    pub warnings: Vec<Warning>,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InspectedColumn {
    /// Its letter in a spreadsheet.
    pub letter: String,
    /// Its header.
    pub header: String,
    /// The field that it fills.
    pub field: Option<FieldKey>,
    /// How that was found, or why it is not read.
    pub matched_by: MatchedBy,
    /// Its first value as it is understood.
    pub example: Option<String>,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InspectedRow {
    /// The row number that Excel shows.
    pub line: u32,
    /// Its cells.
    pub cells: Vec<String>,
}

/// Something that a report would tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// How grave it is.
    pub level: Level,
    /// The code (docs/report-codes.md).
    pub code: &'static str,
    /// The first line that it is about.
    pub line: Option<u32>,
    /// The column's letter.
    pub column: Option<String>,
    /// How many lines it speaks for; 0: the file or a column.
    pub count: u64,
    /// What is wrong, in words.
    pub text: String,
    /// What to do about it.
    pub cure: String,
}

/// How many rows are shown.
const FIRST_ROWS: usize = 5;

/// Reads a file as an import would, without a directory: `earlier` is the date order that files before it proved.
///
/// # Errors
/// F001 to F009: the file cannot be read as a table; see [`refusal_words`].
pub fn inspect(
    bytes: &[u8],
    file_name: &str,
    settings: &Settings,
    limits: &Limits,
    (today, earlier): (Date, Option<DateOrder>),
) -> Result<Inspection, FileRefusal> {
    let Opened { decoded, wrapping, notes, merged } =
        unpack::open(bytes, &limits.unpack(), settings.encoding)?;
    let (encoding, byte_order_mark) = (decoded.encoding, decoded.had_bom);
    let headers = Headers::new(&settings.aliases, settings.unknown_columns);
    let table = table::read(decoded, &headers, &limits.table())?;
    let columns = fields::match_columns(&table, &headers);
    let dates = fields::prove_dates(&table, &columns, settings.dates, earlier, today);
    let mut warnings: Vec<Warning> = notes
        .iter()
        .chain(&unpack::merged_note(&merged, table.header_line()))
        .chain(table.notes())
        .chain(&columns.notes)
        .chain(&row_notes(&table, &columns))
        .chain(&cell_notes(&table, &columns, &dates))
        .map(|note| warning(note, &columns))
        .collect();
    warnings.extend(contradiction(&columns, &dates, settings.dates.is_some()));
    // The gravest first; within one gravity in the order of the file.
    warnings.sort_by_key(|warning| warning.level);
    Ok(Inspection {
        file: file_name.to_owned(),
        bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        encoding,
        byte_order_mark,
        unpacked: wrapping.words(),
        separator: table.delimiter(),
        quote_inside: match table.dialect().escape {
            Escape::Doubled => "\"\"",
            Escape::Backslash => "\\\"",
        },
        title_lines: table.title_lines().to_vec(),
        header_line: table.header_line(),
        columns: columns.columns.iter().map(|c| inspected(&table, c, &dates)).collect(),
        rows: u64::try_from(table.row_count()).unwrap_or(u64::MAX),
        first_rows: first_rows(&table),
        date_order: dates.order,
        ends_with_newline: table.ends_with_newline(),
        warnings,
    })
}

/// How many bytes of a table an excerpt has, about: a form carries it.
const EXCERPT_BYTES: usize = 128 * 1024;
/// How many rows it has.
const EXCERPT_ROWS: usize = 200;

/// The header and the first rows of a file as plain CSV, to look at its columns again with other settings.
///
/// # Errors
/// As [`inspect`].
pub fn excerpt(bytes: &[u8], settings: &Settings, limits: &Limits) -> Result<Vec<u8>, FileRefusal> {
    let opened = unpack::open(bytes, &limits.unpack(), settings.encoding)?;
    let headers = Headers::new(&settings.aliases, settings.unknown_columns);
    let table = table::read(opened.decoded, &headers, &limits.table())?;
    let width = used_width(&table);
    let mut csv = Vec::new();
    write_record(&mut csv, table.header().iter().map(String::as_str), width);
    for row in table.rows().take(EXCERPT_ROWS) {
        let before = csv.len();
        let cells: Vec<_> = row.cells().collect();
        write_record(&mut csv, cells.iter().map(AsRef::as_ref), width);
        if csv.len() > EXCERPT_BYTES {
            csv.truncate(before);
            break;
        }
    }
    Ok(csv)
}

/// The whole table (header and rows) as UTF-8, separated by commas, lines ended by CRLF (RFC 4180).
/// Any table will do; cells are as they were, without their quotes. A row that has too few or too many cells
/// keeps them as they are; only blank cells beyond the last column are left out.
///
/// # Errors
/// F001 to F009: the file cannot be read as a table.
pub fn clean_csv(bytes: &[u8], limits: &Limits) -> Result<Vec<u8>, FileRefusal> {
    let opened = unpack::open(bytes, &limits.unpack(), Charset::Auto)?;
    Ok(written(&table::read_any(opened.decoded, &limits.table())?))
}

/// The same of the table that an import with these settings finds: their encoding and aliases decide, and what an
/// import refuses is refused.
///
/// # Errors
/// As [`inspect`].
pub fn roster_csv(
    bytes: &[u8],
    settings: &Settings,
    limits: &Limits,
) -> Result<Vec<u8>, FileRefusal> {
    let opened = unpack::open(bytes, &limits.unpack(), settings.encoding)?;
    let headers = Headers::new(&settings.aliases, settings.unknown_columns);
    Ok(written(&table::read(opened.decoded, &headers, &limits.table())?))
}

fn written(table: &Table<'_>) -> Vec<u8> {
    let width = used_width(table);
    let mut csv = Vec::new();
    write_record(&mut csv, table.header().iter().map(String::as_str), width);
    for row in table.rows() {
        let cells: Vec<_> = row.cells().collect();
        write_record(&mut csv, cells.iter().map(AsRef::as_ref), width);
    }
    csv
}

/// The columns that have a header or a value: separators at the end of all lines make no column.
fn used_width(table: &Table<'_>) -> usize {
    let named = if begins_with_a_row(table) {
        table.header().len()
    } else {
        let named = table.header().iter().rposition(|name| !text::clean(name).is_empty());
        named.map_or(0, |last| last + 1)
    };
    let used = table.rows().map(|row| {
        let beyond = (named..row.len())
            .rev()
            .find(|index| row.get(*index).is_some_and(|cell| !text::clean(&cell).is_empty()));
        beyond.map_or(0, |last| last + 1)
    });
    used.max().unwrap_or(0).max(named)
}

/// Whether the first line is a row like the next: then the file has no header, and no header can tell
/// which columns there are.
fn begins_with_a_row(table: &Table<'_>) -> bool {
    let Some(row) = table.row(0) else { return false };
    table.header().iter().zip(row.cells()).any(|(first, second)| {
        first.len() == second.len()
            && first.bytes().any(|b| b.is_ascii_digit())
            && first.bytes().zip(second.bytes()).all(|(a, b)| {
                (a.is_ascii_digit() && b.is_ascii_digit())
                    || (a.is_ascii_alphabetic() && b.is_ascii_alphabetic())
                    || a == b
            })
    })
}

fn write_record<'c>(csv: &mut Vec<u8>, cells: impl Iterator<Item = &'c str>, width: usize) {
    for (index, cell) in cells.take(width).enumerate() {
        if index > 0 {
            csv.push(b',');
        }
        // A lone empty cell would be an empty line.
        let quoted = memchr::memchr3(b'"', b',', b'\n', cell.as_bytes()).is_some()
            || cell.contains('\r')
            || (width == 1 && cell.is_empty());
        if quoted {
            csv.push(b'"');
            csv.extend_from_slice(cell.replace('"', "\"\"").as_bytes());
            csv.push(b'"');
        } else {
            csv.extend_from_slice(cell.as_bytes());
        }
    }
    csv.extend_from_slice(b"\r\n");
}

/// Why a file was refused, in words: what is wrong, and what to do about it.
#[must_use]
pub fn refusal_words(refusal: &FileRefusal, language: Language) -> (String, String) {
    let mut message = plan::found(refusal.code, &refusal.params);
    message.line = refusal.line;
    message_words(&message, language)
}

/// A note as the report would tell it.
fn warning(note: &Note, columns: &Columns) -> Warning {
    let mut message = plan::from_note(note);
    let column = note.column.and_then(|index| columns.columns.get(index));
    if let Some(column) = column {
        column.letter.clone_into(&mut message.cell);
        column.header.clone_into(&mut message.column);
        message.field.clone_from(&column.field);
    }
    let (text, cure) = message_words(&message, Language::En);
    Warning {
        level: message.level,
        code: note.code,
        line: note.line.or_else(|| note.lines.first().copied()),
        column: column.map(|column| column.letter.clone()),
        count: note.count,
        text,
        cure,
    }
}

/// V303: the file proves another date order than the settings, or the files before it, say.
fn contradiction(columns: &Columns, dates: &Dates, is_set: bool) -> Option<Warning> {
    let (proof, order) = (dates.contradicts.as_ref()?, dates.order?);
    let params = vec![
        ("cause", if is_set { "set" } else { "frozen" }.to_owned()),
        ("order", plan::order_name(order).to_owned()),
        ("value", proof.value.clone()),
    ];
    let mut note = Note::new("V303", params).in_column(proof.column);
    note.line = Some(proof.line);
    Some(warning(&note, columns))
}

/// R101 and R103, one note for each cause.
fn row_notes(table: &Table<'_>, columns: &Columns) -> Vec<Note> {
    let mut notes: BTreeMap<(&'static str, usize), Note> = BTreeMap::new();
    for row in table.rows() {
        let (code, cause) = match (row.problem(), columns.cell_count(&row, |_| false)) {
            (Some(RowProblem::Quotes), _) => ("R103", "quotes"),
            (None, CellCount::Full) => continue,
            (None, CellCount::TooMany) => ("R101", "long"),
            (None, CellCount::MissingNeeded(_) | CellCount::MissingOptional(_)) => {
                ("R101", "short")
            }
        };
        let params = vec![
            ("cause", cause.to_owned()),
            ("cells", row.len().to_string()),
            ("columns", columns.columns.len().to_string()),
        ];
        notes
            .entry((code, row.len()))
            .or_insert_with(|| Note::new(code, params))
            .add_line(row.line());
    }
    notes.into_values().collect()
}

/// Cells that could not be read, one note for each column and cause, with the first value.
fn cell_notes(table: &Table<'_>, columns: &Columns, dates: &Dates) -> Vec<Note> {
    let mut notes: BTreeMap<(usize, &'static str), Note> = BTreeMap::new();
    for row in table.rows().filter(|row| row.problem().is_none()) {
        for column in &columns.columns {
            let Some(key) = &column.field else { continue };
            let Some(cell) = row.get(column.index) else { continue };
            if let Err(refusal) = fields::parse(key, &cell, dates) {
                notes
                    .entry((column.index, refusal.code))
                    .or_insert_with(|| {
                        Note::new(refusal.code, refusal.params).in_column(column.index)
                    })
                    .add_line(row.line());
            }
        }
    }
    notes.into_values().collect()
}

fn inspected(table: &Table<'_>, column: &Column, dates: &Dates) -> InspectedColumn {
    let mut cells = table.rows().filter_map(|row| row.get(column.index));
    let example = match &column.field {
        Some(key) => cells.find_map(|cell| match fields::parse(key, &cell, dates) {
            Ok(fields::Value::Text(value)) => Some(value.into_owned()),
            _ => None,
        }),
        None => cells.map(|cell| text::clean(&cell).into_owned()).find(|cell| !cell.is_empty()),
    };
    InspectedColumn {
        letter: column.letter.clone(),
        header: column.header.clone(),
        field: column.field.clone(),
        matched_by: column.matched_by,
        example,
    }
}

fn first_rows(table: &Table<'_>) -> Vec<InspectedRow> {
    table
        .rows()
        .take(FIRST_ROWS)
        .map(|row| InspectedRow {
            line: row.line(),
            cells: row.cells().map(|cell| cell.into_owned()).collect(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::import::testing::LIMITS;

    fn clean(input: &str) -> String {
        String::from_utf8(clean_csv(input.as_bytes(), &LIMITS).unwrap()).unwrap()
    }

    #[test]
    fn any_table_becomes_plain_csv() {
        assert_eq!(clean("a;b\n1;2\n"), "a,b\r\n1,2\r\n");
        assert_eq!(
            clean("x\ty\tz\r\n\"1,5\"\t\"say \"\"hi\"\"\"\t\r\n2\t3\t\"a\nb\"\r\n"),
            "x,y,z\r\n\"1,5\",\"say \"\"hi\"\"\",\r\n2,3,\"a\nb\"\r\n"
        );
        assert_eq!(clean("a;b;\n1;2;\n3;4;\n"), "a,b\r\n1,2\r\n3,4\r\n");
    }

    #[test]
    fn inspection_of_the_model_file() {
        let bytes = include_bytes!("../../data/samples/model-fr.csv");
        let today = Date::constant(2026, 11, 21);
        let found =
            inspect(bytes, "model-fr.csv", &Settings::default(), &LIMITS, (today, None)).unwrap();
        assert_eq!(found.encoding, Encoding::Windows1252);
        assert_eq!((found.separator, found.header_line, found.rows), (Some(';'), 1, 12));
        assert_eq!(found.date_order, Some(DateOrder::Dmy));
        let fields: Vec<String> =
            found.columns.iter().map(|c| c.field.as_ref().unwrap().to_string()).collect();
        assert_eq!(
            fields,
            [
                "legal_entity",
                "employee_number",
                "last_name",
                "first_name",
                "contract_start",
                "contract_end",
                "birth_date",
                "department",
                "profile_absence",
                "csp",
                "manager",
            ]
        );
        assert!(found.columns.iter().all(|c| c.matched_by == MatchedBy::Code));
        assert_eq!(found.columns[6].example.as_deref(), Some("1971-03-14"));
        let codes: Vec<&str> = found.warnings.iter().map(|w| w.code).collect();
        assert_eq!(codes, ["F008"]);
    }

    #[test]
    fn another_date_order_than_that_of_the_folder_is_told() {
        let bytes = b"matricule;nom;date d'embauche\n1;Roy;12/31/2020\n2;Max;01/02/2021\n";
        let today = Date::constant(2026, 11, 21);
        let look = |settings: &Settings, earlier| {
            let found = inspect(bytes, "x.csv", settings, &LIMITS, (today, earlier)).unwrap();
            found.warnings.into_iter().find(|w| w.code == "V303").map(|w| (w.level, w.line, w.text))
        };
        assert_eq!(look(&Settings::default(), None), None);
        assert_eq!(look(&Settings::default(), Some(DateOrder::Mdy)), None);
        let (level, line, text) = look(&Settings::default(), Some(DateOrder::Dmy)).unwrap();
        assert_eq!((level, line), (Level::Fatal, Some(2)));
        assert!(text.contains("12/31/2020") && text.contains("files before"), "{text}");
        let set = Settings { dates: Some(DateOrder::Dmy), ..Settings::default() };
        assert!(look(&set, Some(DateOrder::Mdy)).unwrap().2.contains("settings of this folder"));
    }

    #[test]
    fn a_folder_s_settings_say_how_its_table_is_read() {
        // 0xE9: `é` in Windows-1252, `Ú` in MS-DOS 850.
        let bytes = b"Liste du mois\nmatricule;Kontrolle\n1;Ren\xE9\n2;Zo\xEB\n";
        let dos = Settings { encoding: Charset::Fixed(Encoding::Cp850), ..Settings::default() };
        let csv = roster_csv(bytes, &dos, &LIMITS).unwrap();
        assert_eq!(
            String::from_utf8(csv).unwrap(),
            "matricule,Kontrolle\r\n1,Ren\u{da}\r\n2,Zo\u{d9}\r\n"
        );
        let unicode = Settings { encoding: Charset::Fixed(Encoding::Utf8), ..Settings::default() };
        assert_eq!(roster_csv(bytes, &unicode, &LIMITS).unwrap_err().code, "F004");
    }
}
