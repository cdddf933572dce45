//! Reference lists: the fields whose values are codes of a list, and what a file's code means there.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::fields::Field;
use super::text::fold;

/// The fields that have a list of their own, in the order of the user record. `roles` shares the list of `role`.
pub const LISTS: &[Field] = &[
    Field::LegalEntity,
    Field::Establishment,
    Field::EndReason,
    Field::ContractType,
    Field::Department,
    Field::CostCenter,
    Field::Csp,
    Field::Role,
    Field::ProfileAbsence,
    Field::ProfileTime,
    Field::ProfileExpense,
    Field::Calendar,
];

/// The list that a field's codes are entries of.
#[must_use]
pub fn list_of(field: Field) -> Option<Field> {
    match field {
        Field::Roles => Some(Field::Role),
        _ => Some(field).filter(|field| LISTS.contains(field)),
    }
}

/// What a text of a file means in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning<'a> {
    /// This entry, by its code.
    Entry(&'a str),
    /// It is the name of several entries.
    Several(Vec<&'a str>),
    /// No entry.
    Unknown,
}

/// A list as texts of files are looked up in it.
///
/// Entries that somebody has loaded come before those that files have brought: a file that goes on writing a name
/// takes the loaded code from then on.
#[derive(Debug)]
pub struct ListIndex<'a> {
    /// The codes that somebody loaded.
    loaded: HashSet<&'a str>,
    by_small_code: HashMap<String, Vec<&'a str>>,
    by_name: HashMap<String, Vec<&'a str>>,
    by_folded_name: HashMap<String, Vec<&'a str>>,
    codes: &'a BTreeSet<String>,
    names: &'a BTreeMap<String, String>,
}

/// The most near entries that are named.
const NEAR_NAMED: usize = 3;
/// The most entries that are compared to find near ones.
const NEAR_COMPARED: usize = 20_000;
/// The longest text for which near ones are looked for, in characters.
const NEAR_CHARS: usize = 60;

impl<'a> ListIndex<'a> {
    /// Of all codes and of the names of the loaded entries (the code itself where one was loaded without a name).
    #[must_use]
    pub fn new(codes: &'a BTreeSet<String>, names: &'a BTreeMap<String, String>) -> Self {
        let mut index = Self {
            loaded: names.keys().map(String::as_str).collect(),
            by_small_code: HashMap::new(),
            by_name: HashMap::new(),
            by_folded_name: HashMap::new(),
            codes,
            names,
        };
        for code in codes {
            index.by_small_code.entry(code.to_lowercase()).or_default().push(code);
        }
        for (code, name) in names.iter().filter(|(code, name)| code != name) {
            index.by_name.entry(name.to_lowercase()).or_default().push(code);
            let folded = fold_words(name);
            if !folded.is_empty() {
                index.by_folded_name.entry(folded).or_default().push(code);
            }
        }
        index
    }

    /// The entry that a text means: a loaded code, then a name, then a code that files have brought; capitals do not
    /// matter, in names accents and punctuation neither.
    #[must_use]
    pub fn find(&self, text: &str) -> Meaning<'a> {
        if let Some(code) = self.loaded.get(text) {
            return Meaning::Entry(code);
        }
        let small = text.to_lowercase();
        let loaded = |codes: &&Vec<&'a str>| codes.iter().any(|code| self.loaded.contains(code));
        if let Some(codes) = self.by_small_code.get(&small).filter(loaded) {
            let codes: Vec<&str> =
                codes.iter().copied().filter(|code| self.loaded.contains(code)).collect();
            return one_of(&codes);
        }
        let named = self
            .by_name
            .get(&small)
            .or_else(|| self.by_folded_name.get(&fold_words(text)).filter(|_| !text.is_empty()));
        if let Some(codes) = named {
            return one_of(codes);
        }
        match (self.codes.get(text), self.by_small_code.get(&small).map(Vec::as_slice)) {
            (Some(code), _) => Meaning::Entry(code),
            (None, Some([code])) => Meaning::Entry(code),
            // Several that differ in capitals only: nobody can tell which is meant.
            (None, _) => Meaning::Unknown,
        }
    }

    /// The entries that look most like a text, as people read them.
    #[must_use]
    pub fn near(&self, text: &str) -> Vec<String> {
        if text.chars().count() > NEAR_CHARS {
            return Vec::new();
        }
        let wanted = fold(text);
        // Short codes differ in one sign all the time.
        let farthest = match wanted.chars().count() {
            0..=3 => 0,
            signs => signs / 3,
        };
        let mut near: Vec<(usize, &str)> = self
            .codes
            .iter()
            .take(NEAR_COMPARED)
            .filter_map(|code| {
                let name = self.names.get(code).map_or(code.as_str(), String::as_str);
                let by = |text: &str| {
                    let folded = fold(text);
                    let starts = wanted.len() > 2
                        && !folded.is_empty()
                        && (folded.starts_with(&wanted) || wanted.starts_with(&folded));
                    if starts { Some(1) } else { distance(&wanted, &folded, farthest) }
                };
                let away = [by(code), by(name)].into_iter().flatten().min()?;
                Some((away, code.as_str()))
            })
            .collect();
        near.sort_unstable();
        near.into_iter().take(NEAR_NAMED).map(|(_, code)| self.shown(code)).collect()
    }

    /// `10 (Accounting)`
    fn shown(&self, code: &str) -> String {
        match self.names.get(code) {
            Some(name) if name != code => format!("{code} ({name})"),
            _ => code.to_owned(),
        }
    }
}

fn one_of<'a>(codes: &[&'a str]) -> Meaning<'a> {
    match codes {
        [code] => Meaning::Entry(code),
        several => Meaning::Several(several.to_vec()),
    }
}

/// The words of a name without case, accents and punctuation; where words part stays, for 10.1 is not 101.
#[must_use]
pub fn fold_words(name: &str) -> String {
    let words: Vec<String> =
        name.split(|c: char| !c.is_alphanumeric()).map(fold).filter(|w| !w.is_empty()).collect();
    words.join(" ")
}

/// How many letters must be changed, added or left out to make one text of the other; `None`: more than `most`.
fn distance(a: &str, b: &str, most: usize) -> Option<usize> {
    let b: Vec<char> = b.chars().collect();
    if a.chars().count().abs_diff(b.len()) > most {
        return None;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut before = i;
        let mut left = i + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (slot, y) in row.iter_mut().skip(1).zip(&b) {
            let changed = before + usize::from(x != *y);
            before = *slot;
            left = changed.min(before + 1).min(left + 1);
            *slot = left;
        }
    }
    row.last().copied().filter(|away| *away <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_field_has_a_list() {
        for field in Field::ALL {
            assert_eq!(list_of(*field).is_some(), field.is_reference(), "{field}");
        }
    }

    fn check(entries: &[(&str, Option<&str>)], texts: &[(&str, Meaning<'_>)]) {
        let codes = entries.iter().map(|(code, _)| (*code).to_owned()).collect();
        let names = entries
            .iter()
            .filter_map(|(code, name)| Some(((*code).to_owned(), (*name)?.to_owned())))
            .collect();
        let index = ListIndex::new(&codes, &names);
        for (text, expected) in texts {
            assert_eq!(index.find(text), *expected, "{text}");
        }
    }

    #[test]
    fn a_code_or_a_name_means_its_entry() {
        use Meaning::{Entry, Several, Unknown};
        check(
            &[
                ("10", Some("Comptabilité")),
                ("20", Some("Recherche & Développement")),
                ("30", Some("Site 10.1")),
                ("FR01", Some("FR01")),
                ("41", Some("Ventes")),
                ("42", Some("ventes")),
                ("Ventes Nord", None),
            ],
            &[
                ("10", Entry("10")),
                ("comptabilite", Entry("10")),
                ("Recherche et Développement", Unknown),
                ("RECHERCHE-&-DEVELOPPEMENT", Entry("20")),
                ("site 10-1", Entry("30")),
                ("Site 101", Unknown),
                ("fr01", Entry("FR01")),
                ("FR 01", Unknown),
                ("Ventes", Several(vec!["41", "42"])),
                ("Ventes Nord", Entry("Ventes Nord")),
                ("ventes nord", Entry("Ventes Nord")),
                ("", Unknown),
            ],
        );
    }

    #[test]
    fn a_loaded_entry_beats_what_files_brought() {
        use Meaning::{Entry, Unknown};
        let entries =
            [("Comptabilité", None), ("10", Some("Comptabilité")), ("A", None), ("a", None)];
        check(
            &entries,
            &[
                ("Comptabilité", Entry("10")),
                ("A", Entry("A")),
                ("a", Entry("a")),
                ("10", Entry("10")),
            ],
        );
        check(&[("Aa", None), ("aA", None)], &[("AA", Unknown), ("Aa", Entry("Aa"))]);
    }

    #[test]
    fn near_entries_are_named() {
        let codes = ["10", "20", "Marketing"].map(str::to_owned).into();
        let names = [("10", "Comptabilité"), ("20", "Ventes")];
        let names = names.map(|(code, name)| (code.to_owned(), name.to_owned())).into();
        let index = ListIndex::new(&codes, &names);
        assert_eq!(index.near("Comptablité"), ["10 (Comptabilité)"]);
        assert_eq!(index.near("compta"), ["10 (Comptabilité)"]);
        assert_eq!(index.near("Marketing France"), ["Marketing"]);
        assert!(index.near("Zürich").is_empty());
        assert_eq!(distance("kitten", "sitting", 9), Some(3));
        assert_eq!(distance("abc", "abd", 0), None);
    }
}
