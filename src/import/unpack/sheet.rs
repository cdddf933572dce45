//! A worksheet's rows as comma-separated text: one record for each row of the sheet, so that line numbers are Excel's.

use super::archive::Meter;
use super::workbook::{Node, Shared, attribute};
use crate::import::note::FileRefusal;

/// The last row that Excel knows.
const LAST_ROW: u32 = 1_048_576;

/// Takes a worksheet's nodes and writes its rows.
pub(super) struct Rows<'s> {
    shared: &'s Shared,
    meter: &'s Meter,
    max_columns: usize,
    csv: String,
    /// Rows written or begun, as Excel counts.
    row: u32,
    /// Cells written in this row.
    cells: usize,
    /// The widest row so far: shorter rows are filled up, for a sheet leaves blank cells out.
    width: usize,
    cell: Option<Cell>,
    /// The first rows of cells that are merged over several rows.
    merged: Vec<u32>,
    refused: Option<FileRefusal>,
}

/// A cell as it is read.
#[derive(Default)]
struct Cell {
    column: usize,
    kind: Kind,
    style: usize,
    value: String,
    /// Inside an element that holds the value.
    takes_text: bool,
    /// Phonetic hints and formulas are no value.
    skipped: u32,
}

#[derive(Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Number,
    Shared,
    Text,
    Boolean,
    Error,
}

impl<'s> Rows<'s> {
    pub(super) fn new(shared: &'s Shared, meter: &'s Meter, max_columns: usize) -> Self {
        Self {
            shared,
            meter,
            max_columns,
            csv: String::new(),
            row: 0,
            cells: 0,
            width: 0,
            cell: None,
            merged: Vec::new(),
            refused: None,
        }
    }

    /// Why it gave up, where it was not for the part's sake.
    pub(super) fn refusal(&mut self) -> Option<FileRefusal> {
        self.refused.take()
    }

    pub(super) fn merged(&self) -> &[u32] {
        &self.merged
    }

    pub(super) fn finish(self) -> String {
        self.csv
    }

    pub(super) fn on_node(&mut self, node: &Node<'_>) -> Option<()> {
        match node {
            Node::Start(start) => match start.local_name().as_ref() {
                "row" => {
                    let row = attribute(start, "r").and_then(|r| r.parse::<u32>().ok());
                    self.begin_row(row)?;
                }
                "c" => {
                    let place = attribute(start, "r").and_then(|r| column_of(&r));
                    let kind = Kind::of(attribute(start, "t").as_deref());
                    let style = attribute(start, "s").and_then(|s| s.parse().ok()).unwrap_or(0);
                    let column = place.unwrap_or(self.cells);
                    self.cell = Some(Cell { column, kind, style, ..Cell::default() });
                }
                "mergeCell" => self.merge(attribute(start, "ref").as_deref().unwrap_or_default()),
                "v" | "t" => self.takes_text(true),
                "rPh" | "f" => self.skips(1),
                _ => {}
            },
            Node::Text(text) => {
                if let Some(cell) = self.cell.as_mut().filter(|c| c.takes_text && c.skipped == 0) {
                    cell.value.push_str(text);
                }
            }
            Node::End("v" | "t") => self.takes_text(false),
            Node::End("rPh" | "f") => self.skips(-1),
            Node::End("c") => {
                if let Some(cell) = self.cell.take() {
                    self.write_cell(&cell)?;
                }
            }
            Node::End("row") => self.end_row()?,
            Node::End(_) => {}
        }
        Some(())
    }

    /// Cells that are merged, as `A2:A4`: what they hold stands in the first.
    fn merge(&mut self, range: &str) {
        let row = |cell: &str| cell.trim_start_matches(|c: char| !c.is_ascii_digit()).parse().ok();
        let rows = range.split_once(':').map(|(from, to)| (row(from), row(to)));
        if let Some((Some(from), Some(to))) = rows
            && from < to
            && self.meter.take(4).is_ok()
        {
            self.merged.push(from);
        }
    }

    fn takes_text(&mut self, takes: bool) {
        if let Some(cell) = &mut self.cell {
            cell.takes_text = takes;
        }
    }

    fn skips(&mut self, by: i32) {
        if let Some(cell) = &mut self.cell {
            cell.skipped = cell.skipped.saturating_add_signed(by);
        }
    }

    /// Rows that the sheet leaves out are empty lines.
    fn begin_row(&mut self, row: Option<u32>) -> Option<()> {
        let row = row.unwrap_or(0).clamp(self.row.saturating_add(1), LAST_ROW.max(self.row + 1));
        let missing = row - self.row - 1;
        self.meter.take(usize::try_from(missing).ok()?).ok()?;
        self.csv.extend(std::iter::repeat_n('\n', usize::try_from(missing).ok()?));
        self.row = row;
        self.cells = 0;
        Some(())
    }

    fn write_cell(&mut self, cell: &Cell) -> Option<()> {
        let text = self.text_of(cell);
        if text.is_empty() {
            return Some(());
        }
        if cell.column >= self.max_columns {
            let params =
                vec![("what", "columns".to_owned()), ("limit", self.max_columns.to_string())];
            self.refused = Some(FileRefusal::new("F006", params).at(self.row, self.row));
            return None;
        }
        // Two cells in one place: the first counts.
        if cell.column < self.cells {
            return Some(());
        }
        self.meter.take(text.len() + 3 + cell.column - self.cells).ok()?;
        for _ in self.cells..=cell.column {
            if self.cells > 0 {
                self.csv.push(',');
            }
            self.cells += 1;
        }
        self.csv.push('"');
        self.csv.push_str(&text.replace('"', "\"\""));
        self.csv.push('"');
        Some(())
    }

    fn end_row(&mut self) -> Option<()> {
        if self.cells > 0 {
            self.width = self.width.max(self.cells);
            self.meter.take(self.width - self.cells + 1).ok()?;
            self.csv.extend(std::iter::repeat_n(',', self.width - self.cells));
        }
        self.csv.push('\n');
        Some(())
    }

    /// A cell as a person sees it, dates as ISO writes them.
    fn text_of(&self, cell: &Cell) -> String {
        match cell.kind {
            Kind::Text => unescaped(&cell.value),
            Kind::Error => cell.value.clone(),
            Kind::Boolean if cell.value == "1" => "TRUE".to_owned(),
            Kind::Boolean if cell.value == "0" => "FALSE".to_owned(),
            Kind::Boolean => cell.value.clone(),
            Kind::Shared => {
                let index = cell.value.trim().parse().ok();
                let string = index.and_then(|index| self.shared.string(index));
                string.map(unescaped).unwrap_or_default()
            }
            Kind::Number => {
                let format = self.shared.format(cell.style);
                format.text(cell.value.trim(), self.shared.from_1904)
            }
        }
    }
}

impl Kind {
    fn of(name: Option<&str>) -> Self {
        match name {
            Some("s") => Self::Shared,
            Some("str" | "inlineStr" | "d") => Self::Text,
            Some("b") => Self::Boolean,
            Some("e") => Self::Error,
            _ => Self::Number,
        }
    }
}

/// The column of `AB12`, from 0.
fn column_of(place: &str) -> Option<usize> {
    let letters = place.bytes().take_while(u8::is_ascii_alphabetic);
    let column = letters.fold(0_usize, |sum, letter| {
        let digit = usize::from(letter.to_ascii_uppercase() - b'A') + 1;
        sum.saturating_mul(26).saturating_add(digit)
    });
    column.checked_sub(1)
}

/// `_x000D_` is how a workbook writes a character that XML cannot.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("_x") {
        let code =
            rest.get(at + 2..at + 6).filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
        let c = code
            .filter(|_| rest.get(at + 6..at + 7) == Some("_"))
            .and_then(|hex| u32::from_str_radix(hex, 16).ok())
            .and_then(char::from_u32);
        let (kept, next) = match c {
            Some(_) => (at, at + 7),
            None => (at + 2, at + 2),
        };
        out.push_str(rest.get(..kept).unwrap_or_default());
        out.extend(c);
        rest = rest.get(next..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns() {
        for (place, column) in [("A1", 0), ("Z9", 25), ("AA1", 26), ("XFD1048576", 16383)] {
            assert_eq!(column_of(place), Some(column), "{place}");
        }
        assert_eq!(column_of("12"), None);
    }

    #[test]
    fn escapes() {
        for (text, expected) in [
            ("a_x000D_\nb", "a\r\nb"),
            ("_x005F_x000D_", "_x000D_"),
            ("_x00ZZ_ _x_", "_x00ZZ_ _x_"),
            ("é_xé", "é_xé"),
        ] {
            assert_eq!(unescaped(text), expected);
        }
    }
}
