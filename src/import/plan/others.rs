//! What an import does beside its rows: absence's ends, managers who appeared, what is remembered for later files.

use std::collections::BTreeMap;

use super::absence::Absences;
use super::changes::value_words;
use super::draft::{Context, Draft, Fate, Rows, user_name};
use super::managers::Managers;
use super::places::Links;
use super::{FieldChange, UserWrite, Written};
use crate::import::directory::{ManagerWish, Snapshot};
use crate::import::fields::{Field, FieldKey};
use crate::import::report::{Report, ReportChange};

/// The line of what no row of the file says.
const NO_LINE: u32 = 0;

/// The ids of everybody by their place among all people: new users get theirs in the order of the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ids<'s> {
    snapshot: &'s Snapshot,
    newcomers: usize,
}

impl<'s> Ids<'s> {
    /// For so many people.
    pub(super) fn new(snapshot: &'s Snapshot, people: usize) -> Self {
        Self { snapshot, newcomers: people.saturating_sub(snapshot.users.len()) }
    }

    pub(super) fn get(&self, place: usize) -> Option<i64> {
        match place.checked_sub(self.snapshot.users.len()) {
            None => self.snapshot.users.get(place).map(|user| user.id),
            Some(nth) if nth < self.newcomers => {
                Some(self.snapshot.next_user_id + i64::try_from(nth).ok()?)
            }
            Some(_) => None,
        }
    }

    /// Those of the new users.
    pub(super) fn new_ids(&self) -> impl Iterator<Item = i64> {
        let next = self.snapshot.next_user_id;
        next..next.saturating_add(i64::try_from(self.newcomers).unwrap_or(0))
    }
}

/// The writes for users whom no row of the file speaks of, one for each, by id.
pub(super) fn other_writes(
    context: &Context<'_>,
    drafts: &[Draft],
    absences: &Absences,
    managers: &Managers,
    ids: &Ids<'_>,
) -> Vec<UserWrite> {
    let mut changes: BTreeMap<usize, Vec<FieldChange>> = BTreeMap::new();
    for (place, change) in &absences.changes {
        changes.entry(*place).or_default().push(change.clone());
    }
    if !managers.appeared.is_empty() {
        let live = drafts.iter().filter(|draft| draft.fate == Fate::Live);
        let rows: std::collections::HashSet<usize> =
            live.filter_map(|draft| draft.user()).collect();
        for (place, boss) in managers.appeared.iter().filter(|(place, _)| !rows.contains(place)) {
            let (Some(user), Some(boss)) = (context.user(Some(*place)), ids.get(*boss)) else {
                continue;
            };
            changes.entry(*place).or_default().push(FieldChange {
                field: FieldKey::Known(Field::Manager),
                from: user.values.get(Field::Manager).map(Into::into),
                to: Some(boss.to_string().into_boxed_str()),
            });
        }
    }
    let write = |(place, changes)| {
        let user_id = context.user(Some(place))?.id;
        Some(UserWrite { user_id, line: NO_LINE, what: Written::Changed(changes) })
    };
    changes.into_iter().filter_map(write).collect()
}

/// Adds these writes to the report's field changes, as many as there is room for.
pub(super) fn list_others(context: &Context<'_>, others: &[UserWrite], report: &mut Report) {
    let snapshot = context.job.snapshot;
    for write in others {
        let user = snapshot.users.binary_search_by_key(&write.user_id, |user| user.id);
        let person = user.ok().and_then(|place| snapshot.users.get(place)).map(user_name);
        for change in write.changes() {
            report.changes_total += 1;
            if report.changes.len() >= context.job.limits.max_report_changes {
                continue;
            }
            report.changes.push(ReportChange {
                person: person.clone().unwrap_or_default(),
                user: write.user_id,
                field: change.field.clone(),
                from: value_words(snapshot, &change.field, change.from.as_deref()),
                to: value_words(snapshot, &change.field, change.to.as_deref()),
                line: NO_LINE,
            });
        }
    }
}

/// Whom users wait for from now on, or not any more, by id.
pub(super) fn wishes(managers: &mut Managers, ids: &Ids<'_>) -> Vec<(i64, Option<ManagerWish>)> {
    let wishes = std::mem::take(&mut managers.wishes).into_iter();
    let mut wishes: Vec<_> =
        wishes.filter_map(|(place, wish)| Some((ids.get(place)?, wish))).collect();
    wishes.sort_by_key(|(user, _)| *user);
    wishes
}

/// The values of new users that a default gave though the file clears them with a blank.
pub(super) fn defaulted(rows: &mut Rows, of_row: &Links, ids: &Ids<'_>) -> Vec<(i64, FieldKey)> {
    let all = std::mem::take(&mut rows.defaulted);
    let live = |row: usize| rows.drafts.get(row).is_some_and(|draft| draft.fate == Fate::Live);
    let live = all.into_iter().filter(|(row, _)| live(*row));
    live.filter_map(|(row, key)| Some((ids.get(of_row.get(row)?)?, key))).collect()
}

/// The values that are not protected any more, for a row that stands says something new.
pub(super) fn unprotected(
    snapshot: &Snapshot,
    rows: &mut Rows,
    managers: &Managers,
) -> Vec<(i64, FieldKey)> {
    let mut all = std::mem::take(&mut rows.unprotected);
    let bosses = managers.unprotected.iter();
    all.extend(bosses.map(|row| (*row, FieldKey::Known(Field::Manager))));
    all.sort_by_key(|(row, _)| *row);
    let user = |row: usize| {
        let draft = rows.drafts.get(row).filter(|draft| draft.fate == Fate::Live)?;
        Some(snapshot.users.get(draft.user()?)?.id)
    };
    all.into_iter().filter_map(|(row, key)| Some((user(row)?, key))).collect()
}
