//! What stands below the table, totals, signatures, the page's number, and the lines that are drawn around it.

use super::Purpose;
use super::dialect::Dialect;
use super::records::{Records, Span, cells, to_usize};
use crate::import::text::{clean, fold};

/// How many records from the end may be totals or signatures.
pub const FOOT_RECORDS: usize = 10;

/// Where the total and signature lines at the end begin (blank ones among them).
pub(super) fn foot_start(
    text: &str,
    records: &Records,
    dialect: Dialect,
    header_at: usize,
    (header_cells, purpose): (usize, Purpose),
) -> usize {
    let mut start = records.spans.len();
    for (index, span) in
        records.spans.iter().enumerate().skip(header_at + 1).rev().take(FOOT_RECORDS)
    {
        let drawn = purpose == Purpose::Import && is_drawn(text, records, span, dialect);
        if records.is_blank(text, span, dialect) || drawn {
            continue;
        }
        let ended = records.ended || index + 1 < records.spans.len();
        let filled: Vec<String> = cells(text, records, span, dialect)
            .map(|cell| clean(&cell).into_owned())
            .filter(|cell| !cell.is_empty())
            .collect();
        let place = Place {
            alone: span.cells == 1 && ended,
            whole: ended || to_usize(span.cells) >= header_cells,
        };
        if !is_foot(&filled, header_cells, place) {
            break;
        }
        start = index;
    }
    start
}

/// How a line stands below the table.
#[derive(Clone, Copy)]
struct Place {
    /// One cell, and no separator.
    alone: bool,
    /// With its line end or all its cells: what lacks both may be the beginning of a row that was cut.
    whole: bool,
}

/// A total or a signature: few cells filled, the first of them begins with a word that says so, or it is
/// a sentence alone on its line.
fn is_foot(filled: &[String], header_cells: usize, place: Place) -> bool {
    const WORDS: &[&str] = &[
        "total",
        "totaux",
        "soustotal",
        "grandtotal",
        "somme",
        "nombrede",
        "nbde",
        "nbsalaries",
        "effectiftotal",
        "findefichier",
        "findufichier",
        "finfichier",
        "genere",
        "editele",
        "editepar",
        "imprimele",
        "exportele",
        "exportdu",
        "exportepar",
        "signature",
        "subtotal",
        "sumof",
        "numberof",
        "rowcount",
        "recordcount",
        "records",
        "rows",
        "endoffile",
        "eof",
        "generated",
        "exported",
        "printed",
        "createdby",
        "createdon",
        "summe",
        "gesamt",
        "zwischensumme",
        "anzahl",
        "dateiende",
        "endederdatei",
        "erstellt",
        "gedruckt",
        "exportiert",
        "unterschrift",
    ];
    let few = filled.len() * 2 <= header_cells.max(2) && filled.len() <= 4;
    let Some(first) = filled.first().filter(|_| few && header_cells >= 3) else { return false };
    let folded = fold(first);
    let starts = WORDS.iter().any(|word| {
        folded.strip_prefix(word).is_some_and(|rest| {
            // "Rowsell" is a name, "Rows: 12" is not.
            rest.is_empty()
                || first.chars().any(|c| c.is_whitespace() || c == ':')
                || rest.starts_with(|c: char| c.is_ascii_digit())
        })
    });
    starts || (filled.len() == 1 && is_remark(first, &folded, place))
}

/// What may stand in one cell below a table, be it alone on its line or followed by separators, as spreadsheets
/// fill them up: a page's number, a sentence. Nothing can be imported of a row with one cell but its number, which is no sentence.
fn is_remark(cell: &str, folded: &str, place: Place) -> bool {
    const WORDS: &[&str] =
        &["confidentiel", "confidential", "vertraulich", "findeliste", "endoflist", "endederliste"];
    let is_page = folded.starts_with("page") || folded.starts_with("seite");
    let named = (is_page && cell.contains(|c: char| c.is_ascii_digit()))
        || WORDS.iter().any(|word| folded.starts_with(word));
    let words = cell.split_whitespace().filter(|word| word.contains(char::is_alphabetic)).count();
    (place.alone && cell.contains(' ')) || (place.whole && (named || words >= LEAST_SENTENCE))
}

/// So many words in one cell are a sentence, no name: `Maria de la` is one, `Confidentiel, ne pas diffuser` is not.
const LEAST_SENTENCE: usize = 4;

/// A line that is drawn with signs, as databases and lists put it below the header: `------;-----`, `+-----+----+`.
pub(super) fn is_drawn(text: &str, records: &Records, span: &Span, dialect: Dialect) -> bool {
    let mut longest = 0;
    cells(text, records, span, dialect).all(|cell| {
        let cell = cell.trim();
        longest = longest.max(cell.len());
        cell.bytes().all(|b| b"-=_+|: ".contains(&b))
    }) && longest >= LEAST_DRAWN
}

/// So many signs make a line; fewer may stand for a value that is missing.
const LEAST_DRAWN: usize = 3;
