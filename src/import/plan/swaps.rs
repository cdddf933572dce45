//! Rows that name somebody else under a known key (D105): a number that was given to another person must not give them the first one's record.

use super::draft::{Context, Draft, Fate, Rows, key_column, user_name};
use super::guards::{Judged, import_to_approve};
use super::memo::value;
use super::tell::{Teller, message, params};
use crate::import::codes::Code;
use crate::import::fields::{Field, FieldKey, Value};
use crate::import::report::{GuardOutcome, Message, PendingRow};
use crate::import::settings::key_fields;
use crate::import::text::fold;

/// From so many swaps on, if they are also `MANY_PERCENT` of the rows, the whole file waits.
const MANY: u64 = 3;
const MANY_PERCENT: u64 = 1;

/// Whether so many swaps among so many rows hold the whole file.
pub(super) fn are_many(swaps: usize, rows: u64) -> bool {
    let swaps = u64::try_from(swaps).unwrap_or(u64::MAX);
    swaps >= MANY && swaps.saturating_mul(100) >= rows.saturating_mul(MANY_PERCENT)
}

/// Holds the rows whose person is another than the directory's; where there are many, the guards hold the file.
pub(super) fn settle(context: &Context<'_>, rows: &mut Rows, teller: &mut Teller) {
    let all = rows.drafts.iter().enumerate();
    let swapped: Vec<usize> =
        all.filter(|(at, draft)| is_swap(context, *at, draft)).map(|(at, _)| at).collect();
    rows.swapped.clone_from(&swapped);
    let many = are_many(swapped.len(), context.row_count());
    for at in swapped {
        let (Some(row), Some(draft)) = (context.row(at), rows.drafts.get_mut(at)) else { continue };
        let Some(user) = context.user(draft.user()) else { continue };
        let goes_on = context.approved_lines().map_or(many, |lines| lines.contains(&draft.line));
        if !goes_on {
            draft.fate = Fate::Held;
        }
        if !many || context.approved_lines().is_some() {
            rows.pending.push(PendingRow {
                line: draft.line,
                code: Code::D105,
                person: context.person(&row, None),
                user: user.id,
                decided: None,
            });
        }
        let named = params([("user", user_name(user))]);
        let told = message(Code::D105, if goes_on { "applied" } else { "" }, named);
        let mut told = context.place(&row, Some(user), key_column(context.sheet), told);
        told.kept = String::new();
        teller.row(at, told);
    }
}

/// The most people that the guard's message names.
const MAX_NAMED: usize = 20;

/// D105 as a guard: where there are many swaps, the numbers of the file are mixed up, and the whole file waits.
pub(super) fn judge(context: &Context<'_>, rows: &Rows) -> Option<Judged> {
    if rows.swapped.is_empty() {
        return None;
    }
    let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    let tripped = are_many(rows.swapped.len(), context.row_count());
    let outcome = GuardOutcome {
        code: Code::D105,
        limit: None,
        observed: count(rows.swapped.len()),
        of: context.row_count(),
        tripped,
    };
    let mut messages = Vec::new();
    if tripped {
        let swapped = rows.swapped.iter().filter_map(|at| context.row(*at));
        let mut people: Vec<String> =
            swapped.take(MAX_NAMED).map(|row| context.person(&row, None)).collect();
        if rows.swapped.len() > MAX_NAMED {
            people.push("…".to_owned());
        }
        let named = params([
            ("observed", outcome.observed.to_string()),
            ("of", outcome.of.to_string()),
            ("people", people.join(", ")),
            import_to_approve(context),
        ]);
        messages.push(Message { count: outcome.observed, ..message(Code::D105, "many", named) });
    }
    Some(Judged { outcome, messages })
}

/// What a row says of a field, beside what the directory has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compared {
    Same,
    Differs,
    /// One of them says nothing, or the field is the key itself.
    Unknown,
}

fn is_swap(context: &Context<'_>, at: usize, draft: &Draft) -> bool {
    const NAMES: [FieldKey; 2] =
        [FieldKey::Known(Field::LastName), FieldKey::Known(Field::FirstName)];
    let is_renamed = draft.changes.iter().any(|change| NAMES.contains(&change.field));
    if draft.fate != Fate::Live || draft.renumbered || !is_renamed {
        return false;
    }
    let [(old_last, last), (old_first, first)] =
        [Field::LastName, Field::FirstName].map(|field| names(context, draft, field));
    let (last_differs, first_differs) = (last != old_last, first != old_first);
    let turned_round = last == old_first && first == old_last;
    if turned_round || !(last_differs || first_differs) {
        return false;
    }
    let [birth, email] =
        [Field::BirthDate, Field::Email].map(|field| compared(context, at, draft, field));
    match (birth, email) {
        (Compared::Same, _) | (_, Compared::Same) => false,
        (Compared::Differs, Compared::Differs) => true,
        // Two of three are enough only where no part of the name is left.
        (Compared::Differs, _) | (_, Compared::Differs) => last_differs && first_differs,
        // With nothing to compare but the name, nothing of it may be left.
        (Compared::Unknown, Compared::Unknown) => {
            are_strangers(&old_last, &last) && are_strangers(&old_first, &first)
        }
    }
}

/// Whether two names have less than half of their letters in common, at their beginnings and ends: `muller` and `miller` have, and
/// so has a name whose letters came damaged; `roy` and `weber` have not.
fn are_strangers(one: &str, other: &str) -> bool {
    if one.is_empty() || other.is_empty() {
        return false;
    }
    let same = |a: &mut dyn Iterator<Item = (char, char)>| a.take_while(|(a, b)| a == b).count();
    let shorter = one.chars().count().min(other.chars().count());
    let front = same(&mut one.chars().zip(other.chars()));
    let back = same(&mut one.chars().rev().zip(other.chars().rev())).min(shorter - front);
    (front + back) * 2 < shorter
}

/// A name before and after, as names are compared.
fn names(context: &Context<'_>, draft: &Draft, field: Field) -> (String, String) {
    let old =
        context.user(draft.user()).and_then(|user| user.values.get(field)).unwrap_or_default();
    let new = draft.changes.iter().find(|change| change.field == FieldKey::Known(field));
    let new = new.map_or(old, |change| change.to.as_deref().unwrap_or_default());
    (fold(old), fold(new))
}

fn compared(context: &Context<'_>, at: usize, draft: &Draft, field: Field) -> Compared {
    let key = FieldKey::Known(field);
    let old = context.user(draft.user()).and_then(|user| user.values.get(field));
    let (Some(old), Some(row)) = (old, context.row(at)) else { return Compared::Unknown };
    if key_fields(context.sheet.key).contains(&field) {
        return Compared::Unknown;
    }
    let cell = context.sheet.field(&key).and_then(|wired| row.get(wired.index));
    match cell.map(|cell| value(&key, cell, &context.sheet.dates)) {
        Some(Ok(Value::Text(text))) if text == old => Compared::Same,
        Some(Ok(Value::Text(_))) => Compared::Differs,
        _ => Compared::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::{are_many, are_strangers};

    #[test]
    fn strangers_have_hardly_a_letter_in_common() {
        for (one, other) in [("roy", "weber"), ("max", "jean"), ("petit", "schmid"), ("li", "wu")] {
            assert!(are_strangers(one, other) && are_strangers(other, one), "{one}, {other}");
        }
        for (one, other) in [
            ("muller", "ma14ller"),
            ("jorg", "jarg"),
            ("martin", "martinez"),
            ("anne", "anne"),
            ("", "roy"),
        ] {
            assert!(!are_strangers(one, other) && !are_strangers(other, one), "{one}, {other}");
        }
    }

    #[test]
    fn many_is_a_count_and_a_share() {
        assert!(!are_many(2, 2));
        assert!(are_many(3, 300));
        assert!(!are_many(3, 301));
        assert!(are_many(4, 301));
    }
}
