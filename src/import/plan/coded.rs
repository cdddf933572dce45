//! What a code of the file becomes: first the folder's value map, then the client's list.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::UnknownCode;
use super::memo::value;
use super::tell::{Teller, is_sensitive, message, params, shown};
use crate::import::codes::Code;
use crate::import::directory::Snapshot;
use crate::import::fields::{Dates, Field, FieldKey, Value};
use crate::import::lists::{ListIndex, Meaning, list_of};
use crate::import::note::CellRefusal;
use crate::import::report::Message;
use crate::import::settings::{Settings, Unmapped, ValueMap};
use crate::import::text::clean_words;

/// The lists and value maps of an import, by field.
#[derive(Debug, Default)]
pub(super) struct Coders<'a> {
    by_key: BTreeMap<FieldKey, Arc<Coder<'a>>>,
}

/// What the codes of one field go through.
#[derive(Debug)]
pub(super) struct Coder<'a> {
    key: FieldKey,
    map: Option<Mapping<'a>>,
    list: Option<Arc<ListIndex<'a>>>,
    closed: bool,
}

/// A value map as it is looked up.
#[derive(Debug)]
struct Mapping<'a> {
    exact: HashMap<&'a str, &'a str>,
    small: HashMap<String, &'a str>,
    unmapped: &'a Unmapped,
}

/// A code that is taken, and which of the two changed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Taken<'t> {
    pub code: Cow<'t, str>,
    /// `None`: it stands so in the file.
    pub changed_by: Option<By>,
}

/// What changed a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// The folder's value map.
    Map,
    /// The client's list: the file gives a name, or other capitals.
    List,
}

/// Why a cell is not taken.
#[derive(Debug)]
pub(super) enum Problem {
    /// It is no value of the field.
    Cell(CellRefusal),
    /// The value map or the list does not take it.
    Code(Refusal),
}

/// A code that is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    why: Why,
    /// As it stands in the file.
    theirs: String,
    /// After the value map.
    code: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Why {
    /// The value map has no such code and blocks what it has not.
    Blocked,
    /// The closed list has no such entry.
    Unlisted,
    /// Several entries of the list have this name.
    Several(Vec<String>),
}

impl<'a> Coders<'a> {
    pub(super) fn new(settings: &'a Settings, snapshot: &'a Snapshot) -> Self {
        let mut lists: BTreeMap<Field, Arc<ListIndex<'a>>> = BTreeMap::new();
        let loaded = snapshot.list_names.iter().filter(|(_, names)| !names.is_empty());
        for list in loaded.map(|(list, _)| list).chain(&settings.closed_lists) {
            let codes = snapshot.lists.get(list).unwrap_or(&EMPTY_LIST.0);
            let names = snapshot.list_names.get(list).unwrap_or(&EMPTY_LIST.1);
            lists.entry(*list).or_insert_with(|| Arc::new(ListIndex::new(codes, names)));
        }
        let fields = Field::ALL.iter().filter(|field| list_of(**field).is_some());
        let keys = fields.map(|field| FieldKey::Known(*field));
        let mut by_key = BTreeMap::new();
        for key in keys.chain(settings.value_maps.keys().cloned()) {
            let list = match &key {
                FieldKey::Known(field) => list_of(*field),
                FieldKey::Custom(_) => None,
            };
            let map = value_map(settings, &key).map(Mapping::new);
            let index = list.and_then(|list| lists.get(&list)).map(Arc::clone);
            if map.is_some() || index.is_some() {
                let closed = list.is_some_and(|list| settings.closed_lists.contains(&list));
                let coder = Coder { key: key.clone(), map, list: index, closed };
                by_key.insert(key, Arc::new(coder));
            }
        }
        Self { by_key }
    }

    /// What the codes of a field go through; `None`: they are taken as they stand.
    pub(super) fn get(&self, key: &FieldKey) -> Option<&Arc<Coder<'a>>> {
        self.by_key.get(key)
    }

    /// Whether any of them refuses a code that nothing knows.
    pub(super) fn refuse_unknown(&self) -> bool {
        let blocks = |coder: &Coder<'_>| {
            coder.closed || coder.map.as_ref().is_some_and(|map| *map.unmapped == Unmapped::Block)
        };
        self.by_key.values().any(|coder| blocks(coder))
    }

    /// Whether two texts mean the same code of a field in our own words (settings, directory).
    pub(super) fn same(&self, field: Field, a: &str, b: &str) -> bool {
        a == b
            || self.get(&FieldKey::Known(field)).is_some_and(|coder| {
                let ours = |text| coder.listed(Cow::Borrowed(text)).ok().map(|taken| taken.code);
                ours(a).is_some_and(|a| Some(a) == ours(b))
            })
    }
}

/// A list that nobody has written to yet.
static EMPTY_LIST: (BTreeSet<String>, BTreeMap<String, String>) =
    (BTreeSet::new(), BTreeMap::new());

/// A field's value map; secondary roles share the main role's, as they share its list.
fn value_map<'a>(settings: &'a Settings, key: &FieldKey) -> Option<&'a ValueMap> {
    let shared = || match key {
        FieldKey::Known(Field::Roles) => settings.value_maps.get(&FieldKey::Known(Field::Role)),
        _ => None,
    };
    settings.value_maps.get(key).or_else(shared)
}

impl<'a> Mapping<'a> {
    fn new(map: &'a ValueMap) -> Self {
        let codes = || map.codes.iter().map(|(theirs, ours)| (theirs.as_str(), ours.as_str()));
        Self {
            exact: codes().collect(),
            // Codes that differ in capitals only: the first one speaks for the spellings that are not in the map.
            small: codes().rev().map(|(theirs, ours)| (theirs.to_lowercase(), ours)).collect(),
            unmapped: &map.unmapped,
        }
    }

    fn get(&self, code: &str) -> Option<&'a str> {
        self.exact.get(code).or_else(|| self.small.get(&code.to_lowercase())).copied()
    }

    /// Whether this is one of our values, to which the map leads.
    fn gives(&self, code: &str) -> bool {
        self.exact.values().any(|ours| *ours == code)
    }
}

impl<'a> Coder<'a> {
    /// Reads a cell: what the value map makes of it, then as a value of the field, then in the list. With the text
    /// that stands in the file; `None`: a blank.
    pub(super) fn cell<'t>(
        &self,
        cell: Cow<'t, str>,
        dates: &Dates,
    ) -> Result<Option<(String, Taken<'t>)>, Problem>
    where
        'a: 't,
    {
        let theirs = clean_words(&cell).into_owned();
        if theirs.is_empty() {
            return Ok(None);
        }
        let mapped = self.mapped(&theirs).map_err(Problem::Code)?;
        let read = value(&self.key, mapped.map_or(cell, Cow::Borrowed), dates);
        let Value::Text(code) = read.map_err(Problem::Cell)? else { return Ok(None) };
        let mut taken = self
            .listed(code)
            .map_err(|refusal| Problem::Code(Refusal { theirs: theirs.clone(), ..refusal }))?;
        if mapped.is_some() {
            taken.changed_by = (*taken.code != *theirs).then_some(By::Map);
        }
        Ok(Some((theirs, taken)))
    }

    /// What one of several codes of a cell becomes.
    pub(super) fn part<'t>(&self, theirs: &'t str) -> Result<Taken<'t>, Refusal>
    where
        'a: 't,
    {
        let Some(ours) = self.mapped(theirs)? else { return self.listed(Cow::Borrowed(theirs)) };
        let taken = self.listed(Cow::Borrowed(ours));
        let taken = taken.map_err(|refusal| Refusal { theirs: theirs.to_owned(), ..refusal })?;
        Ok(Taken { changed_by: (taken.code != theirs).then_some(By::Map), ..taken })
    }

    /// What the value map makes of a code; `None`: it stays as it is.
    fn mapped(&self, theirs: &str) -> Result<Option<&'a str>, Refusal> {
        let Some(map) = &self.map else { return Ok(None) };
        match (map.get(theirs), map.unmapped) {
            (Some(ours), _) => Ok(Some(ours)),
            (None, Unmapped::Keep) => Ok(None),
            (None, Unmapped::Default(ours)) => Ok(Some(ours)),
            // A sender that writes our own value already means it.
            (None, Unmapped::Block) if map.gives(theirs) => Ok(None),
            (None, Unmapped::Block) => {
                let code = theirs.to_owned();
                Err(Refusal { why: Why::Blocked, theirs: code.clone(), code })
            }
        }
    }

    /// What a code of our own becomes: a default, what a value map gives.
    pub(super) fn listed<'t>(&self, code: Cow<'t, str>) -> Result<Taken<'t>, Refusal>
    where
        'a: 't,
    {
        let refused = |why, code: Cow<'_, str>| {
            let code = code.into_owned();
            Err(Refusal { why, theirs: code.clone(), code })
        };
        let Some(list) = &self.list else { return Ok(Taken { code, changed_by: None }) };
        match list.find(&code) {
            Meaning::Entry(entry) if *entry == *code => Ok(Taken { code, changed_by: None }),
            Meaning::Entry(entry) => {
                Ok(Taken { code: Cow::Borrowed(entry), changed_by: Some(By::List) })
            }
            Meaning::Several(codes) => {
                let codes = codes.into_iter().map(str::to_owned).collect();
                refused(Why::Several(codes), code)
            }
            Meaning::Unknown if self.closed => refused(Why::Unlisted, code),
            Meaning::Unknown => Ok(Taken { code, changed_by: None }),
        }
    }

    /// What one or several stored codes are in the list of today; those that it does not know stay.
    pub(super) fn as_listed(&self, codes: &str) -> String {
        let codes = codes.split('\n').map(|code| match self.listed(Cow::Borrowed(code)) {
            Ok(taken) => taken.code,
            Err(_) => Cow::Borrowed(code),
        });
        codes.collect::<Vec<_>>().join("\n")
    }

    /// The code that a stored value stands for: what the value map and the list make of it now. A value that the
    /// map gives is ours already, whatever else it may be to the sender.
    pub(super) fn stored<'t>(&self, code: &'t str) -> Cow<'t, str>
    where
        'a: 't,
    {
        let mapped = self.map.as_ref().and_then(|map| {
            let ours = map.get(code)?;
            (!map.gives(code)).then_some(ours)
        });
        let code = mapped.unwrap_or(code);
        self.listed(Cow::Borrowed(code)).map_or(Cow::Borrowed(code), |taken| taken.code)
    }

    /// The message of a refused code (X206), counted among the unknown ones.
    pub(super) fn refused(&self, refusal: &Refusal, line: u32, teller: &mut Teller) -> Message {
        let named = |rest: Vec<(&str, String)>| {
            let code = [("code", shown(&self.key, &refusal.code))];
            params(code.into_iter().chain(rest))
        };
        match &refusal.why {
            Why::Several(codes) => {
                message(Code::X206, "same_name", named(vec![("codes", codes.join(" · "))]))
            }
            Why::Blocked => {
                teller.unknown.add(&self.key, &refusal.theirs, 1, line);
                message(Code::X206, "blocked", named(Vec::new()))
            }
            Why::Unlisted => {
                teller.unknown.add(&self.key, &refusal.theirs, 1, line);
                let near = teller.unknown.near(&self.key, &refusal.code, || match &self.list {
                    Some(list) => list.near(&refusal.code).join(" · "),
                    None => String::new(),
                });
                let why = if near.is_empty() { "unlisted" } else { "unlisted_near" };
                message(Code::X206, why, named(vec![("near", near)]))
            }
        }
    }
}

/// The codes that nothing knows, for the operator to map, and the entries that are near to them.
#[derive(Debug, Default)]
pub(super) struct Unknown {
    codes: BTreeMap<(FieldKey, String), (u64, u32)>,
    near: HashMap<(FieldKey, String), String>,
}

/// The most unknown codes that one file leaves behind.
const MAX_UNKNOWN: usize = 10_000;
/// The most codes for which near entries are looked for: whoever has more mistakes has another problem.
const MAX_NEAR: usize = 500;

impl Unknown {
    /// Counts the rows of a code; `line` is one of them.
    pub(super) fn add(&mut self, key: &FieldKey, code: &str, rows: u64, line: u32) {
        if is_sensitive(key) {
            return;
        }
        let full = self.codes.len() >= MAX_UNKNOWN;
        let key = match key {
            FieldKey::Known(field) => FieldKey::Known(list_of(*field).unwrap_or(*field)),
            custom @ FieldKey::Custom(_) => custom.clone(),
        };
        let entry = (key, code.to_owned());
        if full && !self.codes.contains_key(&entry) {
            return;
        }
        let (count, first) = self.codes.entry(entry).or_insert((0, line));
        *count += rows;
        *first = line.min(*first);
    }

    /// The entries near to a code, looked for once.
    fn near(&mut self, key: &FieldKey, code: &str, find: impl FnOnce() -> String) -> String {
        if self.near.len() >= MAX_NEAR {
            let known = self.near.get(&(key.clone(), code.to_owned()));
            return known.cloned().unwrap_or_default();
        }
        self.near.entry((key.clone(), code.to_owned())).or_insert_with(find).clone()
    }

    /// All of them, by field and code.
    pub(super) fn list(&self) -> Vec<UnknownCode> {
        let entry = |((field, code), (rows, line)): (&(FieldKey, String), &(u64, u32))| {
            UnknownCode { field: field.clone(), code: code.clone(), rows: *rows, line: *line }
        };
        self.codes.iter().map(entry).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CSP: FieldKey = FieldKey::Known(Field::Csp);

    fn snapshot() -> Snapshot {
        let mut snapshot = Snapshot::default();
        let codes = ["10", "Executive"].map(str::to_owned).into();
        snapshot.lists.insert(Field::Csp, codes);
        let names = [("10".to_owned(), "Cadre".to_owned())].into();
        snapshot.list_names.insert(Field::Csp, names);
        snapshot
    }

    type Read<'a> = Result<(&'a str, Option<By>), Why>;

    fn check(toml: &str, codes: &[(&str, Read<'_>)]) {
        let settings = Settings::from_toml(toml).unwrap();
        let snapshot = snapshot();
        let coders = Coders::new(&settings, &snapshot);
        let coder = coders.get(&CSP).unwrap();
        for (theirs, expected) in codes {
            let read = coder.part(theirs);
            let read = read.as_ref().map(|t| (t.code.as_ref(), t.changed_by));
            assert_eq!(read.map_err(|r| r.why.clone()), expected.clone(), "{theirs} in {toml}");
        }
    }

    #[test]
    fn a_map_and_then_the_list() {
        let map = "[value_maps.csp]\ncodes = { \"C\" = \"cadre\", \"X\" = \"Expert\" }\n";
        check(
            map,
            &[
                ("C", Ok(("10", Some(By::Map)))),
                ("c", Ok(("10", Some(By::Map)))),
                ("CADRE", Ok(("10", Some(By::List)))),
                ("10", Ok(("10", None))),
                ("New", Ok(("New", None))),
                ("X", Ok(("Expert", Some(By::Map)))),
            ],
        );
        check(
            &format!("{map}unmapped = \"block\""),
            &[("10", Err(Why::Blocked)), ("Expert", Ok(("Expert", None)))],
        );
        let other = format!("{map}unmapped = \"default\"\ndefault = \"Executive\"");
        check(&other, &[("Z", Ok(("Executive", Some(By::Map)))), ("C", Ok(("10", Some(By::Map))))]);
        let closed = format!("closed_lists = [\"csp\"]\n{map}");
        check(
            &closed,
            &[
                ("Cadre", Ok(("10", Some(By::List)))),
                ("executive", Ok(("Executive", Some(By::List)))),
                ("New", Err(Why::Unlisted)),
                ("X", Err(Why::Unlisted)),
            ],
        );
    }

    #[test]
    fn a_stored_value_keeps_its_meaning_under_a_new_map() {
        let settings = Settings::from_toml(
            "[value_maps.csp.codes]\n\"Old\" = \"Executive\"\n\"A\" = \"B\"\n\"B\" = \"A\"",
        )
        .unwrap();
        let snapshot = snapshot();
        let coders = Coders::new(&settings, &snapshot);
        let coder = coders.get(&CSP).unwrap();
        for (stored, expected) in [("Old", "Executive"), ("A", "A"), ("Cadre", "10"), ("Z", "Z")] {
            assert_eq!(coder.stored(stored), expected, "{stored}");
        }
        assert!(coders.same(Field::Csp, "Cadre", "10") && !coders.same(Field::Csp, "A", "10"));
    }
}
