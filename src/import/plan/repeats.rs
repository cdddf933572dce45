//! Rows that mean the same user (D102, D103).

use std::collections::HashMap;
use std::sync::Arc;

use super::draft::{Context, Draft, Fate, key_column};
use super::identity::{Keys, RowKey};
use super::memo::value;
use super::places::Places;
use super::tell::{MAX_NAMED, Teller, few, message, params};
use crate::import::codes::Code;
use crate::import::table::Row;

/// A row whose user stands in other rows too.
#[derive(Debug)]
pub(super) enum Repeat {
    /// Nothing new: the same as the row on this line.
    SameAs(u32),
    /// The same, in a file that says much twice.
    OneOfMany(u32),
    /// Rows on these lines differ; of very many, the first are named.
    Differs(Arc<[u32]>),
    /// The first of equal rows: it goes on.
    First,
}

/// The rows whose key stands more than once.
pub(super) fn repeated(context: &Context<'_>, keys: &Keys<'_>) -> HashMap<usize, Repeat> {
    let by_key = Places::of(keys.len(), |at| keys.get(at).map(RowKey::into_parts));
    let is_same = |a: usize, b: usize| keys.get(a).is_some_and(|a| keys.get(b) == Some(a));
    let line = |at: usize| context.row(at).map_or(0, |row| row.line());
    let mut repeats = HashMap::new();
    for group in by_key.groups(is_same) {
        let Some(head) = group.first().copied() else { continue };
        let same = group.iter().all(|at| same_content(context, head, *at));
        let named = group.iter().take(MAX_NAMED + 2);
        let lines: Arc<[u32]> = named.map(|at| line(*at)).collect();
        for at in group {
            let repeat = match (same, at == head) {
                (true, true) => Repeat::First,
                (true, false) => Repeat::SameAs(line(head)),
                (false, _) => Repeat::Differs(Arc::clone(&lines)),
            };
            repeats.insert(at, repeat);
        }
    }
    repeats.retain(|_, repeat| !matches!(repeat, Repeat::First));
    let is_same = |repeat: &&mut Repeat| matches!(repeat, Repeat::SameAs(_));
    if repeats.values_mut().filter(is_same).count() > MAX_NAMED {
        for repeat in repeats.values_mut() {
            if let Repeat::SameAs(line) = repeat {
                *repeat = Repeat::OneOfMany(*line);
            }
        }
    }
    repeats
}

/// Whether two rows say the same in every column that is read.
fn same_content(context: &Context<'_>, a: usize, b: usize) -> bool {
    if a == b {
        return true;
    }
    let (Some(a), Some(b)) = (context.row(a), context.row(b)) else { return false };
    let dates = &context.sheet.dates;
    context.sheet.wired.iter().all(|wired| {
        wired.more.iter().chain([&wired.index]).all(|index| match (a.get(*index), b.get(*index)) {
            (Some(x), Some(y)) => {
                x == y
                    || match (value(&wired.key, x, dates), value(&wired.key, y, dates)) {
                        (Ok(x), Ok(y)) => x == y,
                        _ => false,
                    }
            }
            (None, None) => true,
            _ => false,
        })
    })
}

/// Tells a row that its user stands in other rows too.
pub(super) fn refuse_repeat(
    context: &Context<'_>,
    row: &Row<'_>,
    draft: &mut Draft,
    at: usize,
    repeat: &Repeat,
    teller: &mut Teller,
) {
    let told = match repeat {
        Repeat::First => return,
        Repeat::SameAs(line) => {
            draft.fate = Fate::Ignored;
            message(Code::D102, "", params([("first_line", line.to_string())]))
        }
        Repeat::OneOfMany(line) => {
            draft.fate = Fate::Ignored;
            message(Code::D102, "many", params([("first_line", line.to_string())]))
        }
        Repeat::Differs(lines) => {
            let others: Vec<String> =
                lines.iter().filter(|line| **line != row.line()).map(u32::to_string).collect();
            message(Code::D103, "", params([("other_lines", few(others))]))
        }
    };
    let mut told = context.place(row, context.user(draft.user()), key_column(context.sheet), told);
    told.kept = String::new();
    teller.row(at, told);
}
