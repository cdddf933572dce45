//! Lines that stand in quotes as one cell, as a spreadsheet writes a table that it did not split into columns.

use crate::import::fields::Headers;
use crate::import::note::Note;

/// The code under which it is told.
pub(super) const CODE: &str = "R103";

/// A text whose lines lost the quotes around them.
pub(super) struct Found {
    pub text: String,
    pub note: Note,
}

/// How many names the header must have.
const LEAST_KNOWN: usize = 3;

/// How many lines are looked at for the header.
const TOP_LINES: usize = 50;

/// Takes the quotes off lines that are one quoted cell, where the header says that they are a table of several columns.
/// `None`: no line is.
pub(super) fn taken_off(text: &str, headers: &Headers) -> Option<Found> {
    // Hardly any line begins with a quote, or nearly all do and have more of them: most files are settled here.
    if !quoted_starts(text).any(|line| inner(line).is_some()) {
        return None;
    }
    let header = Header::find(text, headers)?;
    let mut note = Note::new(CODE, vec![("kind", "whole_line".to_owned())]);
    let mut out = String::with_capacity(text.len());
    for (index, line) in text.split_inclusive('\n').enumerate() {
        match inner(line).map(|cells| cells.replace("\"\"", "\"")) {
            Some(cells) if separators(&cells, header.separator) >= header.separators => {
                note.add_line(u32::try_from(index + 1).unwrap_or(u32::MAX));
                out.push_str(&cells);
                let (_, end) = line.split_at(line.trim_end_matches(['\r', '\n']).len());
                out.push_str(end);
            }
            _ => out.push_str(line),
        }
    }
    (note.count > 0).then_some(Found { text: out, note })
}

/// The lines that begin with a quote.
fn quoted_starts(text: &str) -> impl Iterator<Item = &str> {
    let starts = memchr::memmem::find_iter(text.as_bytes(), b"\n\"").map(|at| at + 1);
    let first = text.starts_with('"').then_some(0);
    let line = |at| text.get(at..).and_then(|rest| rest.split('\n').next());
    first.into_iter().chain(starts).filter_map(line)
}

/// What stands between a line's quotes, if nothing but separators stands behind them and every quote inside is doubled.
fn inner(line: &str) -> Option<&str> {
    let cells = line.strip_prefix('"')?;
    let cells = cells.trim_end_matches(['\r', '\n']).trim_end_matches([';', ',', '\t']);
    let cells = cells.strip_suffix('"')?;
    let mut quotes = cells.as_bytes().iter().peekable();
    while let Some(byte) = quotes.next() {
        if *byte == b'"' && quotes.next_if(|next| **next == b'"').is_none() {
            return None;
        }
    }
    cells.contains([';', ',', '\t', '|']).then_some(cells)
}

/// How many separators stand outside of quotes.
fn separators(cells: &str, separator: char) -> usize {
    let mut quoted = false;
    let outside = |c: &char| {
        quoted ^= *c == '"';
        !quoted && *c == separator
    };
    cells.chars().filter(outside).count()
}

/// The line of names, which may stand in quotes itself.
struct Header {
    separator: char,
    separators: usize,
}

impl Header {
    fn find(text: &str, headers: &Headers) -> Option<Self> {
        text.split_inclusive('\n').take(TOP_LINES).find_map(|line| {
            let line = inner(line).map_or(line.to_owned(), |cells| cells.replace("\"\"", "\""));
            [';', ',', '\t', '|'].into_iter().find_map(|separator| {
                let names = line.split(separator).map(|name| name.trim().trim_matches('"'));
                let known = names.filter(|name| headers.knows(name)).count();
                let separators = separators(line.trim_end(), separator);
                (known >= LEAST_KNOWN).then_some(Self { separator, separators })
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without(text: &str) -> Option<String> {
        taken_off(text, &Headers::default()).map(|found| found.text)
    }

    #[test]
    fn a_table_that_a_spreadsheet_did_not_split() {
        let whole = "\"Matricule,Nom,Prénom\"\r\n\"1,\"\"Roy, Anne\"\",Zoé\"\r\n";
        let table = "Matricule,Nom,Prénom\r\n1,\"Roy, Anne\",Zoé\r\n";
        assert_eq!(without(whole).as_deref(), Some(table));
        // Only lines with quotes of their own got them.
        let some = "Matricule,Nom,Prénom\n\"1,\"\"Roy, Anne\"\",Zoé\";;\n2,Max,Ida";
        let table = "Matricule,Nom,Prénom\n1,\"Roy, Anne\",Zoé\n2,Max,Ida";
        assert_eq!(without(some).as_deref(), Some(table));
    }

    #[test]
    fn usual_quotes_are_left_alone() {
        for text in [
            "\"Matricule\";\"Nom\";\"Prénom\"\n\"1\";\"Roy\";\"Zoé\"\n",
            "Matricule;Nom;Prénom\n\"a;b\";x;y\n",
            "\"Kurs;Ort;Tag\"\n\"1;2;3\"\n",
            "Matricule,Nom,Prénom\n\"1;2;3\"\n",
            "Matricule,Nom,Prénom\n1,\"two\nlines\",x\n",
            "Matricule;Nom;Prénom\n1;Roy;Zoé\n\"Total; 1\";;\n",
        ] {
            assert_eq!(without(text), None, "{text}");
        }
    }
}
