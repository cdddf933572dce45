//! Everything that commands print on standard output, in one place: words, tables, JSON, bytes.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, Cell, ColumnConstraint, ContentArrangement, Table};
use serde::Serialize;

use super::Stop;
use crate::model::turns_direction;

/// The width for people when standard output is no terminal but a fixed width is asked for.
const DEFAULT_COLUMNS: u16 = 80;

/// How commands print.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    json: bool,
    styled: bool,
    columns: Option<u16>,
}

/// How a piece of text stands out on a terminal. In a file or pipe all of them are plain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// As it is.
    Plain,
    /// A heading.
    Strong,
    /// Less important.
    Faint,
    /// Went well.
    Good,
    /// Needs a look.
    Warning,
    /// Went wrong.
    Bad,
}

/// `1 row`, `2 rows`.
#[must_use]
pub fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

impl Output {
    /// For this process's standard output: styled on a terminal unless `NO_COLOR` is set
    /// (<https://no-color.org>), wrapped to the terminal's width.
    #[must_use]
    pub fn for_stdout(json: bool) -> Self {
        let terminal = io::stdout().is_terminal();
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let asked = std::env::var("COLUMNS").ok().and_then(|text| text.trim().parse().ok());
        let columns = if terminal { Table::new().width().or(Some(DEFAULT_COLUMNS)) } else { asked };
        Self { json, styled: terminal && !no_color && !dumb, columns }
    }

    /// Whether `--json` was given.
    #[must_use]
    pub fn is_json(self) -> bool {
        self.json
    }

    /// One line, without signs that would show it backwards.
    ///
    /// # Errors
    /// [`Stop::Quiet`] when nobody reads any more.
    pub fn line(self, text: impl Display) -> Result<(), Stop> {
        self.bytes(straight(&format!("{text}\n")).as_bytes())
    }

    /// One line in a tone.
    ///
    /// # Errors
    /// [`Stop::Quiet`] when nobody reads any more.
    pub fn toned(self, tone: Tone, text: impl Display) -> Result<(), Stop> {
        self.line(self.paint(tone, text))
    }

    /// Bytes as they are.
    ///
    /// # Errors
    /// [`Stop::Quiet`] when nobody reads any more.
    pub fn bytes(self, bytes: &[u8]) -> Result<(), Stop> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(bytes).and_then(|()| stdout.flush()).map_err(Stop::from_printing)
    }

    /// One JSON value, indented.
    ///
    /// # Errors
    /// [`Stop::Quiet`] when nobody reads any more.
    pub fn json(self, value: &impl Serialize) -> Result<(), Stop> {
        self.line(escaped(&serde_json::to_string_pretty(value).map_err(Stop::from_json)?))
    }

    /// One JSON value in one line: an event of a stream.
    ///
    /// # Errors
    /// [`Stop::Quiet`] when nobody reads any more.
    pub fn json_line(self, value: &impl Serialize) -> Result<(), Stop> {
        self.line(escaped(&serde_json::to_string(value).map_err(Stop::from_json)?))
    }

    /// The value as JSON with `--json`, else what `words` prints.
    ///
    /// # Errors
    /// [`Stop::Quiet`] when nobody reads any more.
    pub fn either<V: Serialize>(
        self,
        value: &V,
        words: impl FnOnce(Self, &V) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        if self.json { self.json(value) } else { words(self, value) }
    }

    /// A table without frame: bold heads, columns two blanks apart, wrapped to the terminal.
    ///
    /// # Errors
    /// [`Stop::Quiet`] when nobody reads any more.
    pub fn table<R, C>(self, head: &[&str], rows: R) -> Result<(), Stop>
    where
        R: IntoIterator<Item = Vec<C>>,
        C: Display,
    {
        self.table_with_id(head, usize::MAX, rows)
    }

    /// A table whose column `id` is never wrapped: people copy from it.
    ///
    /// # Errors
    /// [`Stop::Quiet`] when nobody reads any more.
    pub fn table_with_id<R, C>(self, head: &[&str], id: usize, rows: R) -> Result<(), Stop>
    where
        R: IntoIterator<Item = Vec<C>>,
        C: Display,
    {
        let mut table = Table::new();
        table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
        if let Some(columns) = self.columns {
            table.set_width(columns);
        }
        if self.styled {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        table.set_header(head.iter().map(|h| self.head_cell(h)));
        for row in rows {
            table.add_row(row.iter().map(|cell| Cell::new(one_line(&cell.to_string()))));
        }
        let last = table.column_count().saturating_sub(1);
        for (i, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, if i == last { 0 } else { 2 }));
            if i == id {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
        let text: String = table.lines().map(|line| format!("{}\n", line.trim_end())).collect();
        self.bytes(text.as_bytes())
    }

    /// Pairs of label and value, the values below each other.
    ///
    /// # Errors
    /// [`Stop::Quiet`] when nobody reads any more.
    pub fn pairs(self, pairs: &[(&str, String)]) -> Result<(), Stop> {
        let width = pairs.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0);
        for (label, value) in pairs {
            let label = self.paint(Tone::Faint, format!("{label:<width$}"));
            self.line(format!("{label}  {}", one_line(value)))?;
        }
        Ok(())
    }

    /// A paragraph from the left edge, wrapped, in a tone.
    ///
    /// # Errors
    /// [`Stop::Quiet`] when nobody reads any more.
    pub fn toned_paragraph(self, tone: Tone, text: &str) -> Result<(), Stop> {
        let columns = usize::from(self.columns.unwrap_or(DEFAULT_COLUMNS));
        wrapped(&one_line(text), columns).iter().try_for_each(|line| self.toned(tone, line))
    }

    /// A paragraph, wrapped, every line `indent` columns in; `lead` stands before the first word.
    ///
    /// # Errors
    /// [`Stop::Quiet`] when nobody reads any more.
    pub fn paragraph(self, indent: usize, lead: &str, text: &str) -> Result<(), Stop> {
        let columns = usize::from(self.columns.unwrap_or(DEFAULT_COLUMNS));
        let room = columns.saturating_sub(indent + lead.chars().count()).max(20);
        for (i, line) in wrapped(&one_line(text), room).iter().enumerate() {
            let lead = if i == 0 { lead.to_owned() } else { " ".repeat(lead.chars().count()) };
            self.line(format!("{:indent$}{lead}{line}", ""))?;
        }
        Ok(())
    }

    fn head_cell(self, head: &str) -> Cell {
        let cell = Cell::new(head);
        if self.styled { cell.add_attribute(Attribute::Bold) } else { cell }
    }

    /// The text with its tone's signs around it, if this is a terminal.
    #[must_use]
    pub fn paint(self, tone: Tone, text: impl Display) -> String {
        let code = match tone {
            Tone::Plain => "",
            Tone::Strong => "1",
            Tone::Faint => "2",
            Tone::Good => "32",
            Tone::Warning => "33",
            Tone::Bad => "31",
        };
        if self.styled && !code.is_empty() {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_string()
        }
    }
}

/// Breaks at blanks into lines of at most `room` signs; a longer word gets a line of its own.
fn wrapped(text: &str, room: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// What a stranger wrote cannot move the cursor, start a new row or turn the text around: control characters become
/// blanks, signs of direction the replacement character.
pub(super) fn one_line(text: &str) -> String {
    let blank: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    straight(&blank)
}

/// The text with nothing in it that a terminal would show in another order.
#[must_use]
pub fn straight(text: &str) -> String {
    text.replace(is_of_direction, "\u{fffd}")
}

/// The same for JSON, whose values stay what they are.
fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if is_of_direction(c) {
            // They stand in strings only. Source: RFC 8259, section 7.
            out.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            out.push(c);
        }
    }
    out
}

/// The marks as well, which turn what stands beside them only.
fn is_of_direction(c: char) -> bool {
    turns_direction(c) || matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strangers_text_stays_in_its_cell() {
        assert_eq!(one_line("a\u{1b}[2Jb\r\nc"), "a [2Jb  c");
    }

    #[test]
    fn a_strangers_text_is_shown_in_its_own_order() {
        for sign in "\u{202a}\u{202e}\u{2066}\u{2069}\u{200e}\u{200f}\u{61c}".chars() {
            let name = format!("users{sign}vsc.exe");
            assert_eq!(one_line(&name), "users\u{fffd}vsc.exe");
            assert_eq!(straight(&name), "users\u{fffd}vsc.exe");
            let json = escaped(&serde_json::to_string(&name).unwrap());
            assert!(json.is_ascii(), "{json}");
            assert_eq!(serde_json::from_str::<String>(&json).unwrap(), name);
        }
        assert_eq!(escaped("{\"a\": \"Zoé\"}"), "{\"a\": \"Zoé\"}");
    }

    #[test]
    fn words_are_wrapped_and_never_lost() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("a incomprehensibly b", 5), ["a", "incomprehensibly", "b"]);
        assert!(wrapped("  ", 5).is_empty());
    }

    #[test]
    fn nothing_is_painted_off_a_terminal() {
        let out = Output { json: false, styled: false, columns: None };
        assert_eq!(out.paint(Tone::Bad, "x"), "x");
        let out = Output { json: false, styled: true, columns: Some(80) };
        assert_eq!(out.paint(Tone::Bad, "x"), "\u{1b}[31mx\u{1b}[0m");
        assert_eq!(out.paint(Tone::Plain, "x"), "x");
    }
}
