//! People who left long ago: what names them, where a text or a report does, and what takes the place of it.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::fields::{Field, FieldKey};
use super::report::{Message, Report};

/// The fields whose values become a pseudonym.
pub const RENAMED: [Field; 4] =
    [Field::EmployeeNumber, Field::Login, Field::FirstName, Field::LastName];
/// The fields whose values go. Custom columns go too: nobody knows what is in them.
pub const CLEARED: [Field; 8] = [
    Field::BirthName,
    Field::Email,
    Field::BirthDate,
    Field::Gender,
    Field::Nationality,
    Field::Phone,
    Field::Mobile,
    Field::Address,
];

/// What stands in place of a value that is gone.
const GONE: &str = "•••";

/// The pseudonym of a user's field. A number or login like this is in no payroll, so no row ever matches it by chance.
#[must_use]
pub fn pseudonym(user: i64, field: Field) -> Option<String> {
    match field {
        Field::LastName => Some("Pseudonym".to_owned()),
        Field::FirstName => Some(user.to_string()),
        Field::EmployeeNumber | Field::Login => Some(format!("pseudonym:{user}")),
        _ => None,
    }
}

/// Whether a field's values name a person.
#[must_use]
pub fn is_personal(field: &FieldKey) -> bool {
    match field {
        FieldKey::Known(field) => RENAMED.contains(field) || CLEARED.contains(field),
        FieldKey::Custom(_) => true,
    }
}

/// Everything that has ever named some users in their directory.
#[derive(Debug, Clone, Default)]
pub struct Traces {
    users: HashSet<i64>,
    /// Lower-case first and last names, by user.
    names: Vec<(i64, BTreeSet<String>, BTreeSet<String>)>,
    /// Lower-case `dupont anne`, `anne dupont`, and the e-mails.
    whole: HashMap<String, i64>,
    /// Numbers, logins and the rest: they name somebody only beside a name.
    other: HashSet<String>,
}

impl Traces {
    /// Adds a user with every value that a personal field has had.
    pub fn add(&mut self, user: i64, values: &[(Field, String)]) {
        let of = |wanted: Field| -> BTreeSet<String> {
            let all = values.iter().filter(|(field, _)| *field == wanted);
            all.map(|(_, value)| value.to_lowercase()).collect()
        };
        let (first, mut last) = (of(Field::FirstName), of(Field::LastName));
        last.extend(of(Field::BirthName));
        for (a, b) in first.iter().flat_map(|a| last.iter().map(move |b| (a, b))) {
            self.whole.insert(format!("{a} {b}"), user);
            self.whole.insert(format!("{b} {a}"), user);
        }
        self.whole.extend(of(Field::Email).into_iter().map(|email| (email, user)));
        self.other.extend(values.iter().map(|(_, value)| value.to_lowercase()));
        self.users.insert(user);
        self.names.push((user, first, last));
    }

    /// Whether a table's text names one of these people: an e-mail or a whole name in a cell, or both names in a line.
    #[must_use]
    pub fn are_in(&self, text: &str) -> bool {
        let mut by_first: HashMap<&str, Vec<&BTreeSet<String>>> = HashMap::new();
        for (_, first, last) in &self.names {
            for name in first {
                by_first.entry(name).or_default().push(last);
            }
        }
        text.lines().any(|line| {
            let cells: HashSet<String> = line
                .split([';', ',', '\t', '|', '"', '\''])
                .map(|cell| cell.trim().to_lowercase())
                .filter(|cell| !cell.is_empty())
                .collect();
            cells.iter().any(|cell| {
                self.whole.contains_key(cell)
                    || by_first.get(cell.as_str()).is_some_and(|all| {
                        all.iter().any(|last| last.iter().any(|name| cells.contains(name)))
                    })
            })
        })
    }

    /// Takes these people out of a report; `false`: it does not name them.
    pub fn leave(&self, report: &mut Report) -> bool {
        let before = report.clone();
        for message in &mut report.messages {
            self.leave_message(message);
        }
        for change in &mut report.changes {
            let own = self.users.contains(&change.user);
            if own {
                change.person = format!("PSEUDONYM {}", change.user);
            }
            for value in [&mut change.from, &mut change.to].into_iter().flatten() {
                if own && is_personal(&change.field) {
                    GONE.clone_into(value);
                } else {
                    self.leave_text(value);
                }
            }
        }
        for pending in report.pending_rows.iter_mut().filter(|row| self.users.contains(&row.user)) {
            pending.person = format!("PSEUDONYM {}", pending.user);
        }
        for row in &mut report.refused_rows {
            let line = row.cells.join(";");
            if self.are_in(&line) {
                row.cells.iter_mut().for_each(String::clear);
            }
        }
        *report != before
    }

    fn leave_message(&self, message: &mut Message) {
        let about = self.whole.contains_key(&message.person.to_lowercase());
        let texts = [&mut message.person, &mut message.received, &mut message.kept];
        for text in texts.into_iter().chain(message.params.values_mut()) {
            self.leave_text(text);
            if about && self.other.contains(&text.to_lowercase()) {
                GONE.clone_into(text);
            }
        }
    }

    /// Puts `PSEUDONYM 42` in place of whatever names one of these people as a whole.
    fn leave_text(&self, text: &mut String) {
        if text.is_empty() {
            return;
        }
        let words: Vec<(usize, &str)> = words(text);
        let mut out = String::new();
        let (mut at, mut copied) = (0, 0);
        while at < words.len() {
            // Names have several words: the longest run that names somebody counts.
            let found = (at..words.len().min(at + MAX_NAME_WORDS)).rev().find_map(|end| {
                let (start, _) = *words.get(at)?;
                let (last, word) = *words.get(end)?;
                let stop = last + word.len();
                let run = text.get(start..stop)?.to_lowercase();
                self.whole.get(&run).map(|user| (end, start, stop, *user))
            });
            match found {
                Some((end, start, stop, user)) => {
                    out.push_str(text.get(copied..start).unwrap_or_default());
                    out.push_str(&format!("PSEUDONYM {user}"));
                    copied = stop;
                    at = end + 1;
                }
                None => at += 1,
            }
        }
        if copied > 0 {
            out.push_str(text.get(copied..).unwrap_or_default());
            *text = out;
        }
    }
}

/// The most words of a name that is looked for inside a sentence.
const MAX_NAME_WORDS: usize = 8;

/// The words of a text with their places; what stands around them is no part of them.
fn words(text: &str) -> Vec<(usize, &str)> {
    let mut words = Vec::new();
    let mut start = None;
    let ends = |c: char| {
        c.is_whitespace() || matches!(c, ',' | ';' | '(' | ')' | '"' | '·' | '“' | '”' | '«' | '»')
    };
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        match (start, ends(c)) {
            (None, false) => start = Some(at),
            (Some(from), true) => {
                words.extend(text.get(from..at).map(|word| (from, word)));
                start = None;
            }
            _ => {}
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traces() -> Traces {
        let mut traces = Traces::default();
        let value = |field, text: &str| (field, text.to_owned());
        traces.add(
            42,
            &[
                value(Field::FirstName, "Anne"),
                value(Field::LastName, "Dupont"),
                value(Field::LastName, "Dupont Martin"),
                value(Field::EmployeeNumber, "7"),
                value(Field::Email, "anne@acme.example"),
            ],
        );
        traces
    }

    #[test]
    fn a_text_that_names_somebody_is_found() {
        for (text, expected) in [
            ("number;last;first\n7;DUPONT;Anne\n", true),
            ("\"Dupont Martin\",\"Anne\"", true),
            ("x;Anne@ACME.example;y", true),
            ("Manager;DUPONT Anne;", true),
            ("7;Roy;Anne\n8;Dupont;Paul\n", false),
            ("7;7;7", false),
        ] {
            assert_eq!(traces().are_in(text), expected, "{text}");
        }
    }

    #[test]
    fn names_inside_sentences_go() {
        for (text, expected) in [
            ("DUPONT Anne (7)", "PSEUDONYM 42 (7)"),
            ("ROY Zoé, DUPONT MARTIN Anne", "ROY Zoé, PSEUDONYM 42"),
            ("anne@acme.example", "PSEUDONYM 42"),
            ("Anne Roy", "Anne Roy"),
            ("", ""),
        ] {
            let mut text = text.to_owned();
            traces().leave_text(&mut text);
            assert_eq!(text, expected);
        }
    }
}
