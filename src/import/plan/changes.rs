//! The field changes as the report lists them.

use super::draft::{Context, Draft, Fate, user_name};
use super::given::Maker;
use super::others::Ids;
use super::places::Links;
use super::tell::shown;
use crate::import::directory::Snapshot;
use crate::import::fields::{Field, FieldKey};
use crate::import::report::{Report, ReportChange};

/// The field changes in the order of the file, as many as the report may list.
pub(super) fn list_changes(
    context: &Context<'_>,
    drafts: &[Draft],
    ids: &Ids<'_>,
    of_row: &Links,
    report: &mut Report,
) {
    let snapshot = context.job.snapshot;
    let max = context.job.limits.max_report_changes;
    let mut maker = Maker::new(context.sheet);
    let live =
        drafts.iter().zip(of_row.iter()).enumerate().filter(|(_, (d, _))| d.fate == Fate::Live);
    for (at, (draft, place)) in live {
        let count = draft.changes.len() + draft.given.count();
        report.changes_total += u64::try_from(count).unwrap_or(u64::MAX);
        let room = max.saturating_sub(report.changes.len());
        if room == 0 || count == 0 {
            continue;
        }
        let user = context.user(draft.user());
        let person = context.row(at).map(|row| context.person(&row, user)).unwrap_or_default();
        let new_id = place.and_then(|place| ids.get(place));
        let id = user.map(|user| user.id).or(new_id).unwrap_or_default();
        let mut list = |field: &FieldKey, from: Option<&str>, to: Option<&str>| {
            report.changes.push(ReportChange {
                person: person.clone(),
                user: id,
                from: value_words(snapshot, field, from),
                to: value_words(snapshot, field, to),
                field: field.clone(),
                line: draft.line,
            });
        };
        for change in draft.changes.iter().take(room) {
            list(&change.field, change.from.as_deref(), change.to.as_deref());
        }
        if let Some(row) = context.row(at).filter(|_| user.is_none()) {
            let values = maker.values(&row, &draft.given);
            values.all().take(room).for_each(|(field, to)| list(&field, None, Some(to)));
        }
    }
}

/// A value as the report shows it.
pub(super) fn value_words(
    snapshot: &Snapshot,
    field: &FieldKey,
    value: Option<&str>,
) -> Option<String> {
    value.map(|value| match field {
        FieldKey::Known(Field::Manager) => manager_name(snapshot, value),
        _ => shown(field, value),
    })
}

/// A manager's name by id; the id of one who is new in this file.
fn manager_name(snapshot: &Snapshot, id: &str) -> String {
    let place = id
        .parse::<i64>()
        .ok()
        .and_then(|id| snapshot.users.binary_search_by_key(&id, |user| user.id).ok());
    match place.and_then(|place| snapshot.users.get(place)) {
        Some(user) => user_name(user),
        None => id.to_owned(),
    }
}
