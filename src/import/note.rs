//! What reading a file finds to tell, in no language: a code, a place and parameters.

use serde::Serialize;

/// Named values that a message's text is made of.
pub type Params = Vec<(&'static str, String)>;

/// How many lines a note names; further ones are only counted.
pub const MAX_LINES: usize = 20;

/// Something to tell about the file, a column or a group of equal lines.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Note {
    /// The code (docs/report-codes.md).
    pub code: &'static str,
    /// The row number that Excel shows, where the note is about one line.
    pub line: Option<u32>,
    /// The line in the file as a text editor counts.
    pub physical_line: Option<u32>,
    /// The column, from 0.
    pub column: Option<usize>,
    /// The first lines of a group, as Excel numbers them.
    pub lines: Vec<u32>,
    /// How many lines the note speaks for; 0 for a note about the file or a column.
    pub count: u64,
    /// The values that its text names.
    pub params: Params,
}

impl Note {
    /// A note about the file as a whole.
    #[must_use]
    pub fn new(code: &'static str, params: Params) -> Self {
        Self { code, params, ..Self::default() }
    }

    /// The same, about one column (from 0).
    #[must_use]
    pub fn in_column(mut self, column: usize) -> Self {
        self.column = Some(column);
        self
    }

    /// The same, about one line.
    #[must_use]
    pub fn at(mut self, line: u32, physical_line: u32) -> Self {
        self.line = Some(line);
        self.physical_line = Some(physical_line);
        self.add_line(line);
        self
    }

    /// Counts one more line; the first ones are named.
    pub fn add_line(&mut self, line: u32) {
        self.count += 1;
        if self.lines.len() < MAX_LINES {
            self.lines.push(line);
        }
    }
}

/// Why a file as a whole cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileRefusal {
    /// The code, F001 to F009.
    pub code: &'static str,
    /// The row number that Excel shows, where there is a place to name.
    pub line: Option<u32>,
    /// The line in the file as a text editor counts.
    pub physical_line: Option<u32>,
    /// The values that its text names.
    pub params: Params,
}

impl FileRefusal {
    /// A refusal of the file as a whole.
    #[must_use]
    pub fn new(code: &'static str, params: Params) -> Self {
        Self { code, line: None, physical_line: None, params }
    }

    /// The same, with its place.
    #[must_use]
    pub fn at(mut self, line: u32, physical_line: u32) -> Self {
        self.line = Some(line);
        self.physical_line = Some(physical_line);
        self
    }
}

/// Why a cell cannot be read; its old value is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CellRefusal {
    /// The code, V302 to V313.
    pub code: &'static str,
    /// The values that its text names.
    pub params: Params,
    /// On another day the same cell may be accepted.
    pub depends_on_today: bool,
}

impl CellRefusal {
    /// A refusal that is the same on every day.
    #[must_use]
    pub fn new(code: &'static str, params: Params) -> Self {
        Self { code, params, depends_on_today: false }
    }
}
