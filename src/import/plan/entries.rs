//! New codes of the reference lists: each once, each list's told together (X206).

use std::collections::{BTreeMap, HashMap, HashSet};

use super::rows::{Context, Draft, Fate};
use super::tell::{Teller, message, params};
use crate::import::codes::Code;
use crate::import::fields::{Field, FieldKey};
use crate::import::lists::list_of;
use crate::import::note::MAX_LINES;

/// The most new codes of a list that a report names.
const MAX_CODES_NAMED: usize = 100;

/// The codes that are new in their lists, each once; each list's are told together.
pub(super) fn new_entries(
    context: &Context<'_>,
    drafts: &[Draft<'_>],
    teller: &mut Teller,
) -> Vec<(Field, String)> {
    let mut known: HashMap<Field, HashSet<&str>> = HashMap::new();
    for (field, codes) in &context.job.snapshot.lists {
        known.entry(*field).or_default().extend(codes.iter().map(String::as_str));
    }
    let mut new = Vec::new();
    let mut told: BTreeMap<Field, Vec<(usize, &str)>> = BTreeMap::new();
    for (at, draft) in drafts.iter().enumerate().filter(|(_, draft)| draft.fate == Fate::Live) {
        for (key, to) in draft.sets() {
            let FieldKey::Known(field) = key else { continue };
            let (Some(list), Some(to)) = (list_of(field), to) else { continue };
            for code in to.split('\n') {
                if known.entry(list).or_default().insert(code) {
                    new.push((list, code.to_owned()));
                    told.entry(field).or_default().push((at, code));
                }
            }
        }
    }
    for (field, codes) in told {
        tell_entries(context, field, &codes, teller);
    }
    new
}

/// X206: the new codes of one field, with the lines on which they first stand.
fn tell_entries(context: &Context<'_>, field: Field, codes: &[(usize, &str)], teller: &mut Teller) {
    let key = FieldKey::Known(field);
    let wired = context.sheet.field(&key);
    if let [(at, code)] = codes {
        let Some(row) = context.row(*at) else { return };
        let told = message(Code::X206, "", params([("code", (*code).to_owned())]));
        let mut told = context.place(&row, None, wired, told);
        told.field = Some(key);
        told.kept = (*code).to_owned();
        told.person.clear();
        teller.row(*at, told);
        return;
    }
    let mut named: Vec<&str> = codes.iter().take(MAX_CODES_NAMED).map(|(_, code)| *code).collect();
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
