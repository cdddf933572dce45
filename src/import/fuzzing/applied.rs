//! A plan applied to a directory in memory, as the store would.

use std::collections::HashMap;

use crate::import::Plan;
use crate::import::directory::{AbsenceEnd, Protection, Snapshot, User};
use crate::import::fields::{Field, FieldKey};
use crate::import::plan::{UserWrite, Written};

/// Writes what the plan says; a plan that does not fit the directory fails.
pub(super) fn apply(snapshot: &mut Snapshot, plan: &Plan) {
    for write in &plan.writes {
        write_one(snapshot, write);
    }
    for (field, code) in &plan.list_entries {
        let is_new = snapshot.lists.entry(*field).or_default().insert(code.clone());
        assert!(is_new, "{code} is in the list");
    }
    if !plan.writes.is_empty() || !plan.list_entries.is_empty() {
        snapshot.change_number += 1;
    }
    if let Some(absences) = &plan.absences {
        snapshot.absences = absences.iter().cloned().collect();
    }
    let ends: HashMap<i64, String> = snapshot.users.iter().filter_map(end).collect();
    snapshot.ended_by_absence.retain(|user, end| ends.get(user) == Some(&end.last_day));
    for user in &plan.ended_by_absence {
        let last_day = ends.get(user).cloned();
        assert!(last_day.is_some(), "ended, without an end");
        let was = end_before(plan, *user);
        let end = AbsenceEnd { last_day: last_day.unwrap_or_default(), was };
        snapshot.ended_by_absence.insert(*user, end);
    }
    for (user, wish) in &plan.manager_wishes {
        let was = snapshot.manager_wishes.remove(user).is_some();
        assert!(wish.is_some() || was, "a wish that nobody had is forgotten");
        snapshot.manager_wishes.extend(wish.clone().map(|wish| (*user, wish)));
    }
    for value in &plan.unprotected {
        assert!(snapshot.protected.remove(value).is_some(), "nothing was protected");
        snapshot.protections.remove(value);
    }
    for value in &plan.defaulted {
        snapshot.protected.insert(value.clone(), None);
        snapshot.protections.insert(value.clone(), Protection { under: None, given: true });
    }
    if let Some(mut source) = plan.source.clone() {
        source.change_number = Some(snapshot.change_number);
        snapshot.source = source;
    }
}

fn write_one(snapshot: &mut Snapshot, write: &UserWrite) {
    if let Written::Created(values) = &write.what {
        assert_eq!(write.user_id, snapshot.next_user_id);
        snapshot.next_user_id += 1;
        snapshot.users.push(User { id: write.user_id, withdrawn: false, values: values.clone() });
    }
    let user = snapshot.users.iter_mut().find(|user| user.id == write.user_id);
    assert!(user.is_some(), "a write for nobody: {write:?}");
    let Some(user) = user else { return };
    for change in write.changes() {
        assert_eq!(user.values.get_key(&change.field), change.from.as_deref());
        assert_ne!(change.from, change.to, "a change that changes nothing");
        user.values.set(&change.field, change.to.as_deref());
    }
}

fn end_before(plan: &Plan, user: i64) -> Option<String> {
    let mut changes =
        plan.writes.iter().filter(|write| write.user_id == user).flat_map(UserWrite::changes);
    let end = changes.find(|change| change.field == FieldKey::Known(Field::ContractEnd))?;
    end.from.as_deref().map(str::to_owned)
}

fn end(user: &User) -> Option<(i64, String)> {
    Some((user.id, user.values.get(Field::ContractEnd)?.to_owned()))
}
