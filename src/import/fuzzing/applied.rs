//! A plan applied to a directory in memory, as the store would.

use std::collections::HashMap;

use crate::import::Plan;
use crate::import::directory::{Snapshot, User};
use crate::import::fields::Field;
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
    snapshot.ended_by_absence.retain(|user, last_day| ends.get(user) == Some(last_day));
    for user in &plan.ended_by_absence {
        let end = ends.get(user).cloned();
        assert!(end.is_some(), "ended, without an end");
        snapshot.ended_by_absence.insert(*user, end.unwrap_or_default());
    }
    for (user, wish) in &plan.manager_wishes {
        let was = snapshot.manager_wishes.remove(user).is_some();
        assert!(wish.is_some() || was, "a wish that nobody had is forgotten");
        snapshot.manager_wishes.extend(wish.clone().map(|wish| (*user, wish)));
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

fn end(user: &User) -> Option<(i64, String)> {
    Some((user.id, user.values.get(Field::ContractEnd)?.to_owned()))
}
