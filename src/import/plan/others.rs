//! What an import does beside its rows: absence's ends, managers who appeared, what is remembered for later files.

use std::collections::BTreeMap;

use super::absence::Absences;
use super::changes::value_words;
use super::draft::{Context, Draft, Fate, user_name};
use super::managers::Managers;
use super::{FieldChange, UserWrite, Written};
use crate::import::directory::{ManagerWish, Snapshot};
use crate::import::fields::{Field, FieldKey};
use crate::import::report::{Report, ReportChange};

/// The line of what no row of the file says.
const NO_LINE: u32 = 0;

/// The id of somebody by their place among all people.
pub(super) fn id_of(snapshot: &Snapshot, ids: &BTreeMap<usize, i64>, place: usize) -> Option<i64> {
    match snapshot.users.get(place) {
        Some(user) => Some(user.id),
        None => ids.get(&place).copied(),
    }
}

/// The writes for users whom no row of the file speaks of, one for each, by id.
pub(super) fn other_writes(
    context: &Context<'_>,
    drafts: &[Draft<'_>],
    absences: &Absences,
    managers: &Managers,
    ids: &BTreeMap<usize, i64>,
) -> Vec<UserWrite> {
    let snapshot = context.job.snapshot;
    let mut changes: BTreeMap<usize, Vec<FieldChange>> = BTreeMap::new();
    for (place, change) in &absences.changes {
        changes.entry(*place).or_default().push(change.clone());
    }
    if !managers.appeared.is_empty() {
        let live = drafts.iter().filter(|draft| draft.fate == Fate::Live);
        let rows: std::collections::HashSet<usize> = live.filter_map(|draft| draft.user).collect();
        for (place, boss) in managers.appeared.iter().filter(|(place, _)| !rows.contains(place)) {
            let (Some(user), Some(boss)) =
                (context.user(Some(*place)), id_of(snapshot, ids, *boss))
            else {
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
pub(super) fn wishes(
    snapshot: &Snapshot,
    managers: &mut Managers,
    ids: &BTreeMap<usize, i64>,
) -> Vec<(i64, Option<ManagerWish>)> {
    let wishes = std::mem::take(&mut managers.wishes).into_iter();
    let mut wishes: Vec<_> =
        wishes.filter_map(|(place, wish)| Some((id_of(snapshot, ids, place)?, wish))).collect();
    wishes.sort_by_key(|(user, _)| *user);
    wishes
}

/// The values that are not protected any more, for a row that stands says something new.
pub(super) fn unprotected(
    snapshot: &Snapshot,
    drafts: &mut [Draft<'_>],
    managers: &Managers,
) -> Vec<(i64, FieldKey)> {
    for row in &managers.unprotected {
        if let Some(draft) = drafts.get_mut(*row) {
            draft.unprotected.push(FieldKey::Known(Field::Manager));
        }
    }
    let live = drafts.iter_mut().filter(|draft| draft.fate == Fate::Live);
    let mut all: Vec<(i64, FieldKey)> = Vec::new();
    for draft in live {
        let Some(user) = draft.user.and_then(|user| snapshot.users.get(user)) else { continue };
        all.extend(std::mem::take(&mut draft.unprotected).into_iter().map(|key| (user.id, key)));
    }
    all
}
