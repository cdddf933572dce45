//! New codes of the reference lists: each once, each list's told together (X206).

use std::collections::{BTreeMap, HashMap, HashSet};

use super::draft::{Context, Draft, Fate};
use super::tell::{Teller, message, params};
use crate::cores;
use crate::import::codes::Code;
use crate::import::fields::{Field, FieldKey};
use crate::import::lists::list_of;
use crate::import::note::MAX_LINES;
use crate::import::settings::{Settings, Unmapped};

/// The most new codes of a list that a report names.
const MAX_CODES_NAMED: usize = 100;

/// A code that is new in its list.
struct New {
    list: Field,
    code: String,
    rows: u64,
    /// The first row that has it, and its field there.
    row: usize,
    field: Field,
}

/// The codes that are new in their lists, in the order in which they come.
struct Found {
    new: Vec<New>,
    /// For each list, by code, the place among the new ones.
    places: Vec<HashMap<String, usize>>,
}

impl Found {
    fn none() -> Self {
        Self { new: Vec::new(), places: vec![HashMap::new(); Field::ALL.len()] }
    }

    /// Counts the rows of a code.
    fn count(&mut self, list: Field, code: &str, rows: u64, (row, field): (usize, Field)) {
        let Some(places) = self.places.get_mut(list.index()) else { return };
        match places.get(code).and_then(|place| self.new.get_mut(*place)) {
            Some(known) => known.rows += rows,
            None => {
                places.insert(code.to_owned(), self.new.len());
                self.new.push(New { list, code: code.to_owned(), rows, row, field });
            }
        }
    }

    /// The new codes of some rows, of which the first has this place.
    fn read(context: &Context<'_>, lists: &[List<'_>], first: usize, drafts: &[Draft]) -> Self {
        let mut found = Self::none();
        for (row, draft) in (first..).zip(drafts).filter(|(_, draft)| draft.fate == Fate::Live) {
            if draft.user().is_some() && draft.changes.is_empty() {
                continue;
            }
            for List { field, list, known } in lists {
                let Some(codes) = context.set_by(row, draft, *field) else { continue };
                for code in codes.split('\n').filter(|code| !known.contains(code)) {
                    found.count(*list, code, 1, (row, *field));
                }
            }
        }
        found
    }
}

/// A field whose codes stand in a list.
struct List<'s> {
    field: Field,
    list: Field,
    /// The codes that it has. Every code of every row is looked up.
    known: HashSet<&'s str>,
}

/// The codes that are new in their lists, each once; each list's are told together. Those that no setting gives
/// are unknown: the operator may want to map them.
pub(super) fn new_entries(
    context: &Context<'_>,
    drafts: &[Draft],
    teller: &mut Teller,
) -> Vec<(Field, String)> {
    let lists = Field::ALL.iter().filter_map(|field| {
        let list = list_of(*field)?;
        let known = context.job.snapshot.lists.get(&list);
        let known = known.into_iter().flatten().map(String::as_str).collect();
        Some(List { field: *field, list, known })
    });
    let lists: Vec<List<'_>> = lists.collect();
    let read = cores::over(drafts, |first, drafts| Found::read(context, &lists, first, drafts));
    let mut found = Found::none();
    for New { list, code, rows, row, field } in read.into_iter().flat_map(|read| read.new) {
        found.count(list, &code, rows, (row, field));
    }
    let mut told: BTreeMap<Field, Vec<(usize, String)>> = BTreeMap::new();
    for entry in &found.new {
        told.entry(entry.field).or_default().push((entry.row, entry.code.clone()));
    }
    for (field, codes) in told {
        tell_entries(context, field, &codes, teller);
    }
    let ours = codes_of_settings(context.job.settings);
    let unknown = found.new.iter().filter(|new| !ours.contains(&(new.list, new.code.as_str())));
    for entry in unknown {
        let line = context.row(entry.row).map_or(0, |row| row.line());
        teller.unknown.add(&FieldKey::Known(entry.list), &entry.code, entry.rows, line);
    }
    found.new.into_iter().map(|entry| (entry.list, entry.code)).collect()
}

/// The codes that the settings give themselves, by value map or default.
fn codes_of_settings(settings: &Settings) -> HashSet<(Field, &str)> {
    let mapped = settings.value_maps.iter().flat_map(|(key, map)| {
        let default = match &map.unmapped {
            Unmapped::Default(code) => Some(code),
            Unmapped::Keep | Unmapped::Block => None,
        };
        map.codes.values().chain(default).map(move |code| (key, code))
    });
    let defaults = settings.defaults.iter().flat_map(|defaults| &defaults.values);
    let mut codes = HashSet::new();
    for (key, code) in mapped.chain(defaults) {
        let FieldKey::Known(field) = key else { continue };
        let Some(list) = list_of(*field) else { continue };
        codes.extend(code.split('\n').map(|code| (list, code)));
    }
    codes
}

/// X206: the new codes of one field, with the lines on which they first stand.
fn tell_entries(
    context: &Context<'_>,
    field: Field,
    codes: &[(usize, String)],
    teller: &mut Teller,
) {
    let key = FieldKey::Known(field);
    let wired = context.sheet.field(&key);
    if let [(at, code)] = codes {
        let Some(row) = context.row(*at) else { return };
        let told = message(Code::X206, "", params([("code", code.clone())]));
        let mut told = context.place(&row, None, wired, told);
        told.field = Some(key);
        told.kept.clone_from(code);
        told.person.clear();
        teller.row(*at, told);
        return;
    }
    let mut named: Vec<&str> =
        codes.iter().take(MAX_CODES_NAMED).map(|(_, code)| code.as_str()).collect();
    if codes.len() > MAX_CODES_NAMED {
        named.push("…");
    }
    let mut told = message(Code::X206, "several", params([("codes", named.join(" · "))]));
    told.field = Some(key);
    told.count = u64::try_from(codes.len()).unwrap_or(u64::MAX);
    let rows = codes.iter().take(MAX_LINES).filter_map(|(at, _)| context.row(*at));
    told.lines = rows.map(|row| row.line()).collect();
    if let Some(wired) = wired {
        told.cell.clone_from(&wired.letter);
        told.column.clone_from(&wired.header);
    }
    teller.file(told);
}
