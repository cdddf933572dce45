//! New codes of the reference lists: each once, each list's told together (X206).

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};

use super::draft::{Context, Draft, Fate};
use super::tell::{Teller, message, params};
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
    /// The first row that has it.
    row: usize,
}

/// The codes that are new in their lists, each once; each list's are told together. Those that no setting gives
/// are unknown: the operator may want to map them.
pub(super) fn new_entries(
    context: &Context<'_>,
    drafts: &[Draft],
    teller: &mut Teller,
) -> Vec<(Field, String)> {
    // By list and code: `None` is known, else the place among the new ones. Every code of every row is looked up.
    let mut known: Vec<HashMap<Cow<'_, str>, Option<usize>>> = Vec::new();
    known.resize_with(Field::ALL.len(), HashMap::new);
    for (list, codes) in &context.job.snapshot.lists {
        if let Some(known) = known.get_mut(list.index()) {
            known.extend(codes.iter().map(|code| (Cow::Borrowed(code.as_str()), None)));
        }
    }
    let mut new: Vec<New> = Vec::new();
    let mut told: BTreeMap<Field, Vec<(usize, String)>> = BTreeMap::new();
    let lists: Vec<(Field, Field)> =
        Field::ALL.iter().filter_map(|field| Some((*field, list_of(*field)?))).collect();
    for (row, draft) in drafts.iter().enumerate().filter(|(_, draft)| draft.fate == Fate::Live) {
        if draft.user().is_some() && draft.changes.is_empty() {
            continue;
        }
        for (field, list) in &lists {
            let Some(to) = context.set_by(row, draft, *field) else { continue };
            let Some(known) = known.get_mut(list.index()) else { continue };
            for code in to.split('\n') {
                let place = match known.get(code) {
                    Some(place) => *place,
                    None => {
                        new.push(New { list: *list, code: code.to_owned(), rows: 0, row });
                        told.entry(*field).or_default().push((row, code.to_owned()));
                        known.insert(Cow::Owned(code.to_owned()), Some(new.len() - 1));
                        Some(new.len() - 1)
                    }
                };
                if let Some(entry) = place.and_then(|place| new.get_mut(place)) {
                    entry.rows += 1;
                }
            }
        }
    }
    for (field, codes) in told {
        tell_entries(context, field, &codes, teller);
    }
    let ours = codes_of_settings(context.job.settings);
    for entry in new.iter().filter(|entry| !ours.contains(&(entry.list, entry.code.as_str()))) {
        let line = context.row(entry.row).map_or(0, |row| row.line());
        teller.unknown.add(&FieldKey::Known(entry.list), &entry.code, entry.rows, line);
    }
    new.into_iter().map(|entry| (entry.list, entry.code)).collect()
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
