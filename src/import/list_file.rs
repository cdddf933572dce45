//! A reference list as a file: a code in each row, perhaps with a name.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::fields::{Field, FieldKey, Headers, Value, parse};
use super::inspect::refusal_words;
use super::note::FileRefusal;
use super::settings::{NO_DATES, UnknownColumns};
use super::table::{self, Row, TableLimits};
use super::text::{Charset, fold};
use super::unpack::{self, UnpackLimits};
use crate::model::Language;

/// Heads of a column of codes.
const CODE_HEADS: &[&str] = &[
    "code",
    "codes",
    "id",
    "key",
    "clé",
    "identifiant",
    "kürzel",
    "kennung",
    "schlüssel",
    "nummer",
];
/// Heads of a column of names.
const NAME_HEADS: &[&str] =
    &["name", "names", "label", "description", "nom", "libellé", "intitulé", "bezeichnung", "text"];

/// The longest part of a wrong value that a message repeats, in characters.
const SHOWN_CHARS: usize = 60;

/// Code and name of each entry, in the order of the file.
pub type Entries = Vec<(String, Option<String>)>;

/// Reads the entries of a list. The first row may be a header (`code`, `name`, also the field's own name).
///
/// # Errors
/// A sentence with the line, the value and the cure.
pub fn read(
    bytes: &[u8],
    field: Field,
    unpacking: &UnpackLimits,
    limits: &TableLimits,
) -> Result<Entries, String> {
    let words = |refusal: FileRefusal| {
        let (text, cure) = refusal_words(&refusal, Language::En);
        format!("{text} {cure}").trim_end().to_owned()
    };
    let opened = unpack::open(bytes, unpacking, Charset::default()).map_err(words)?;
    let mut reader = Reader { field, entries: Vec::new(), seen: BTreeMap::new() };
    let text = opened.decoded.text.clone();
    let headers = Headers::new(&BTreeMap::new(), UnknownColumns::Ignore);
    let table = match table::read(opened.decoded, &headers, limits) {
        Ok(table) if table.notes().iter().all(|note| note.code != "R104") => table,
        // What an import leaves out as a title or a total may be an entry here.
        Ok(_) => return reader.lines(&text),
        // A short list has hardly the shape of a table: one line, codes alone, names here and there.
        Err(refusal) if matches!(refusal.code, "F002" | "F003") => return reader.lines(&text),
        Err(refusal) => return Err(words(refusal)),
    };
    reader.row(table.header_line(), table.header(), true)?;
    for row in table.rows() {
        let cells: Vec<String> = row.cells().map(Cow::into_owned).collect();
        reader.checked(&row)?;
        reader.row(row.line(), &cells, false)?;
    }
    reader.done()
}

struct Reader {
    field: Field,
    entries: Entries,
    /// The line on which each code stands.
    seen: BTreeMap<String, u32>,
}

impl Reader {
    /// Lines of one or two cells, parted by the sign that most lines have.
    fn lines(mut self, text: &str) -> Result<Entries, String> {
        let with = |sign: &char| text.lines().filter(|line| line.contains(*sign)).count();
        let sign = ['\t', ';', '|', ','].into_iter().rev().max_by_key(with).unwrap_or(';');
        for (line, row) in (1_u32..).zip(text.lines()) {
            let (code, name) = row.split_once(sign).unwrap_or((row, ""));
            let bare = |cell: &str| {
                let cell = cell.trim();
                let inner = cell.strip_prefix('"').and_then(|cell| cell.strip_suffix('"'));
                inner.map_or_else(|| cell.to_owned(), |inner| inner.replace("\"\"", "\""))
            };
            self.row(line, &[bare(code), bare(name)], line == 1)?;
        }
        self.done()
    }

    fn checked(&self, row: &Row<'_>) -> Result<(), String> {
        match row.problem() {
            None => Ok(()),
            Some(_) => Err(format!("line {}: the quotes do not close; mend that line", row.line())),
        }
    }

    fn row(&mut self, line: u32, cells: &[String], may_be_header: bool) -> Result<(), String> {
        let cell = |at: usize| cells.get(at).map(String::as_str).unwrap_or_default();
        if may_be_header && self.is_header(cell(0), cell(1)) {
            return Ok(());
        }
        let code = self.value(line, cell(0))?;
        let name = self.value(line, cell(1))?;
        let Some(code) = code else {
            return match name {
                None => Ok(()),
                Some(name) => Err(format!(
                    "line {line}: the code is blank, the name is \"{name}\"; write the code in the first column"
                )),
            };
        };
        if cells.iter().skip(2).any(|cell| !cell.trim().is_empty()) {
            return Err(format!(
                "line {line} has {} cells; a list has two columns, code and name",
                cells.len()
            ));
        }
        if let Some(first) = self.seen.insert(code.clone(), line) {
            return Err(format!(
                "line {line}: the code \"{code}\" stands on line {first} already; leave one of them out"
            ));
        }
        self.entries.push((code, name));
        Ok(())
    }

    fn is_header(&self, code: &str, name: &str) -> bool {
        let is = |cell: &str, heads: &[&str]| heads.iter().any(|head| fold(head) == fold(cell));
        let own = super::fields::names(self.field);
        let own = own.synonyms().chain(own.codes.iter().copied());
        is(code, CODE_HEADS)
            || is(name, NAME_HEADS)
            || own.chain([self.field.name()]).any(|head| fold(head) == fold(code))
    }

    /// A cell as an import would take it; `None`: a blank.
    fn value(&self, line: u32, cell: &str) -> Result<Option<String>, String> {
        match parse(&FieldKey::Known(self.field), cell, &NO_DATES) {
            Ok(Value::Text(text)) => Ok(Some(text.into_owned())),
            Ok(Value::Blank | Value::Open) => Ok(None),
            Err(refusal) => Err(format!(
                "line {line}: \"{}\" cannot be taken ({}); correct it",
                cell.chars().take(SHOWN_CHARS).collect::<String>(),
                refusal.code
            )),
        }
    }

    fn done(self) -> Result<Entries, String> {
        if self.entries.is_empty() {
            return Err(
                "the file has no entries; write one code in each row, and its name behind it"
                    .to_owned(),
            );
        }
        Ok(self.entries)
    }
}

/// A code or name that somebody types, as an import would take it.
///
/// # Errors
/// A sentence with the value and the cure.
pub fn entry_text(field: Field, text: &str) -> Result<String, String> {
    match parse(&FieldKey::Known(field), text, &NO_DATES) {
        Ok(Value::Text(text)) => Ok(text.into_owned()),
        Ok(Value::Blank | Value::Open) => {
            Err("an entry of a list cannot be blank; write its code".to_owned())
        }
        Err(refusal) => Err(format!(
            "\"{}\" cannot be an entry of a list ({}); write a short text",
            text.chars().take(SHOWN_CHARS).collect::<String>(),
            refusal.code
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    const LIMITS: TableLimits = TableLimits { max_columns: 10, max_cell_bytes: 1000 };
    const UNPACKING: UnpackLimits =
        UnpackLimits { max_bytes: 10_000, max_ratio: 100, max_columns: 10 };

    fn check(file: &str, expected: &[(&str, Option<&str>)]) {
        let entries = read(file.as_bytes(), Field::Department, &UNPACKING, &LIMITS).unwrap();
        let entries: Vec<(&str, Option<&str>)> =
            entries.iter().map(|(code, name)| (code.as_str(), name.as_deref())).collect();
        assert_eq!(entries, expected, "{file:?}");
    }

    #[test]
    fn codes_with_and_without_names() {
        let both = [("10", Some("Comptabilité")), ("20", Some("Ventes, Nord"))];
        check("code;libellé\r\n10;Comptabilité\r\n20;Ventes, Nord\r\n", &both);
        check("10,Comptabilité\n20,\"Ventes, Nord\"\n", &both);
        check("Abteilung\tBezeichnung\n10\tComptabilité\n20\tVentes, Nord\n", &both);
        check("10\n20\n\n", &[("10", None), ("20", None)]);
        check("Service\n 10 \n", &[("10", None)]);
        check("code;name\n10;\n", &[("10", None)]);
        check("10,Comptabilité\n20\n", &[("10", Some("Comptabilité")), ("20", None)]);
        check("10;\"A \"\"B\"\"\"", &[("10", Some("A \"B\""))]);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (file, expected) in [
            ("code;name\n10;A\n10;B\n", "line 3"),
            ("code;name\n10;A\n;B\n", "line 3"),
            ("\n\n", "empty"),
            ("code;name\n", "no entries"),
            ("code;name\n1,23E+05;A\n", "line 2"),
            ("code;name;more\n10;A;x\n", "two columns"),
        ] {
            let said = read(file.as_bytes(), Field::Department, &UNPACKING, &LIMITS);
            let said = said.unwrap_err();
            assert!(said.contains(expected), "{file:?}: {said}");
        }
    }
}
