//! The circuit breaker: what a whole plan must not do before somebody has looked at it (docs/guards.md).

use std::collections::{BTreeMap, HashSet};

use super::draft::{Context, Draft, Fate, Rows, user_name};
use super::tell::{message, params};
use super::{FieldChange, swaps};
use crate::import::codes::Code;
use crate::import::directory::User;
use crate::import::fields::{Field, FieldKey};
use crate::import::note::MAX_LINES;
use crate::import::report::{GuardOutcome, Message};
use crate::import::settings::{Absent, Limit, Mode};

/// The most people that a guard's message names.
const MAX_NAMED: usize = 20;

/// What a guard saw, and what there is to tell about it if it tripped.
#[derive(Debug)]
pub(super) struct Judged {
    pub outcome: GuardOutcome,
    pub messages: Vec<Message>,
}

/// Everything that the guards look at.
pub(super) struct Evidence<'x, 's> {
    pub context: &'x Context<'s>,
    pub rows: &'x Rows,
    /// The users whom absence would end, by id.
    pub ended_by_absence: &'x [i64],
}

/// Looks at the whole plan. A limit is a count and a share; it trips when both are passed.
pub(super) fn judge(evidence: &Evidence<'_, '_>) -> Vec<Judged> {
    let guards = evidence.context.job.settings.guards;
    let active = evidence.active();
    let moved = evidence.moved_ends(&active);
    let base = evidence.population(&active);
    let mut judged = Vec::new();
    if evidence.context.sheet.unended {
        let outcome =
            GuardOutcome { code: Code::F005, limit: None, observed: 1, of: 1, tripped: true };
        judged.push(Judged {
            outcome,
            messages: vec![told(evidence, Code::F005, "no_line_end", &[])],
        });
    }
    judged.extend(guards.endings.map(|limit| evidence.people(Code::G601, limit, base, moved.ends)));
    let nobody = evidence.context.job.snapshot.users.iter().all(|user| user.withdrawn);
    if evidence.context.unread.is_some() || !nobody {
        let new = evidence.created();
        judged.extend(guards.creations.map(|limit| evidence.people(Code::G602, limit, base, new)));
    }
    judged.extend(guards.one_field.map(|limit| evidence.one_field(limit, &active)));
    judged.extend(guards.fewer_rows.and_then(|limit| evidence.fewer_rows(limit)));
    if guards.whole_entity {
        judged.extend(evidence.whole_entity());
    }
    let reopened = moved.reopened;
    judged
        .extend(guards.reopenings.map(|limit| evidence.people(Code::G609, limit, base, reopened)));
    judged.extend(evidence.newly_absent());
    judged.extend(swaps::judge(evidence.context, evidence.rows));
    judged
}

/// A person in a guard's message, and the row that says so (0: none does).
type Who = (String, u32);

#[derive(Default)]
struct MovedEnds {
    ends: Vec<Who>,
    reopened: Vec<Who>,
}

impl Evidence<'_, '_> {
    fn user(&self, place: usize) -> Option<&User> {
        self.context.job.snapshot.users.get(place)
    }

    fn has_left(&self, user: &User) -> bool {
        user.values.get(Field::ContractEnd).is_some_and(|end| end < self.context.today.as_str())
    }

    fn is_present(&self, place: usize) -> bool {
        self.rows.present.get(place).copied().unwrap_or(false)
    }

    /// The active users whom this file answers for, by place: their contract has not ended (it may begin later), and
    /// they are in the file or no other folder lists them.
    fn active(&self) -> HashSet<usize> {
        let snapshot = self.context.job.snapshot;
        let all = snapshot.users.iter().enumerate().filter(|(place, user)| {
            let ours = self.is_present(*place) || !snapshot.listed_elsewhere.contains(&user.id);
            ours && !user.withdrawn && !self.has_left(user)
        });
        all.map(|(place, _)| place).collect()
    }

    /// How many those are; whoever stands in a row that need not be read among them.
    fn population(&self, active: &HashSet<usize>) -> u64 {
        count(active.len()) + self.context.unread.map_or(0, |unread| unread.active)
    }

    /// The active users who are not in a full file though it should name them, by place.
    fn missing(&self) -> impl Iterator<Item = (usize, &User)> {
        let snapshot = self.context.job.snapshot;
        let today = self.context.today.as_str();
        let known = self.context.sheet.mode == Mode::Full && self.rows.absence_known;
        snapshot.users.iter().enumerate().filter(move |(place, user)| {
            let begun = user.values.get(Field::ContractStart).is_none_or(|start| start <= today);
            let ours = !self.is_present(*place) && !snapshot.listed_elsewhere.contains(&user.id);
            known && ours && begun && !user.withdrawn && !self.has_left(user)
        })
    }

    /// The rows that go on and mean a user of the directory.
    fn known_rows(&self) -> impl Iterator<Item = (&User, usize, &Draft)> {
        self.rows.drafts.iter().filter(|draft| draft.fate == Fate::Live).filter_map(|draft| {
            let place = draft.user()?;
            Some((self.user(place)?, place, draft))
        })
    }

    fn moved_ends(&self, active: &HashSet<usize>) -> MovedEnds {
        let mut moved = MovedEnds::default();
        for (user, place, draft) in self.known_rows() {
            let who = (user_name(user), draft.line);
            let end = draft
                .changes
                .iter()
                .find(|change| change.field == FieldKey::Known(Field::ContractEnd));
            if draft.reinstated {
                moved.reopened.push(who);
            } else if let Some(FieldChange { from, to, .. }) = end
                && active.contains(&place)
            {
                match (from, to) {
                    (_, None) => moved.reopened.push(who),
                    (Some(from), Some(to)) if to > from => moved.reopened.push(who),
                    _ => moved.ends.push(who),
                }
            }
        }
        let users = self.context.job.snapshot.users.iter();
        let absent = users.filter(|user| self.ended_by_absence.binary_search(&user.id).is_ok());
        moved.ends.extend(absent.map(|user| (user_name(user), 0)));
        moved
    }

    fn created(&self) -> Vec<Who> {
        let all = self.rows.drafts.iter().enumerate();
        all.filter(|(_, draft)| draft.fate == Fate::Live && draft.user().is_none())
            .map(|(at, draft)| {
                let row = self.context.row(at);
                (row.map(|row| self.context.person(&row, None)).unwrap_or_default(), draft.line)
            })
            .collect()
    }

    /// A guard that counts people.
    fn people(&self, code: Code, limit: Limit, of: u64, who: Vec<Who>) -> Judged {
        let outcome = limited(code, limit, count(who.len()), of);
        let messages = match outcome.tripped {
            true => vec![told(self, code, "", &who).about(&outcome)],
            false => Vec::new(),
        };
        Judged { outcome, messages }
    }

    /// G603: a value that was there is replaced or cleared, for most active users, in one and the same field.
    fn one_field(&self, limit: Limit, active: &HashSet<usize>) -> Judged {
        let mut by_field: BTreeMap<String, (FieldKey, Vec<Who>)> = BTreeMap::new();
        let rows = self.known_rows().filter(|(_, place, _)| active.contains(place));
        for (user, _, draft) in rows {
            // A blank that is filled overwrites nothing: a new column is no shifted one.
            for change in draft.changes.iter().filter(|change| change.from.is_some()) {
                let slot = by_field.entry(change.field.to_string());
                let (_, who) = slot.or_insert_with(|| (change.field.clone(), Vec::new()));
                who.push((user_name(user), draft.line));
            }
        }
        let of = self.population(active);
        let most = by_field.values().map(|(_, who)| count(who.len())).max().unwrap_or(0);
        let outcome = limited(Code::G603, limit, most, of);
        let messages = by_field.into_values().filter_map(|(field, who)| {
            let seen = limited(Code::G603, limit, count(who.len()), of);
            let mut told = told(self, Code::G603, "", &who).about(&seen);
            told.field = Some(field);
            seen.tripped.then_some(told)
        });
        let messages = messages.collect();
        Judged { outcome, messages }
    }

    /// G604: fewer rows than the last applied full file of the folder.
    fn fewer_rows(&self, limit: Limit) -> Option<Judged> {
        let before = self.context.job.snapshot.source.rows?;
        if self.context.sheet.mode != Mode::Full {
            return None;
        }
        let rows = self.context.row_count();
        let outcome = limited(Code::G604, limit, before.saturating_sub(rows), before);
        let mut judged = Judged { outcome, messages: Vec::new() };
        if judged.outcome.tripped {
            let mut told = told(self, Code::G604, "", &[]).about(&judged.outcome);
            told.params.insert("rows".to_owned(), rows.to_string());
            judged.messages.push(told);
        }
        Some(judged)
    }

    /// G605: every active user of a legal entity is absent, and at least one of them was not before.
    fn whole_entity(&self) -> Option<Judged> {
        if self.context.sheet.mode != Mode::Full {
            return None;
        }
        let snapshot = self.context.job.snapshot;
        let entity = |user: &User| user.values.get(Field::LegalEntity).map(str::to_owned);
        let mut absent: BTreeMap<String, Vec<(usize, &User)>> = BTreeMap::new();
        for (place, user) in self.missing() {
            if let Some(entity) = entity(user) {
                absent.entry(entity).or_default().push((place, user));
            }
        }
        for (place, user) in snapshot.users.iter().enumerate() {
            if self.is_present(place)
                && !self.has_left(user)
                && let Some(entity) = entity(user)
            {
                absent.remove(&entity);
            }
        }
        // Whoever was absent before has been seen and let pass: one colleague who stays away holds no file every day.
        absent.retain(|_, users| {
            users.iter().any(|(_, user)| !snapshot.absences.contains_key(&user.id))
        });
        let who: Vec<Who> =
            absent.values().flatten().map(|(_, user)| (user_name(user), 0)).collect();
        let outcome = GuardOutcome {
            code: Code::G605,
            limit: None,
            observed: count(who.len()),
            of: self.population(&self.active()),
            tripped: !who.is_empty(),
        };
        let mut judged = Judged { outcome, messages: Vec::new() };
        if judged.outcome.tripped {
            let mut told = told(self, Code::G605, "", &who).about(&judged.outcome);
            let entities = absent.into_keys().collect::<Vec<_>>().join(", ");
            told.params.insert("entities".to_owned(), entities);
            judged.messages.push(told);
        }
        Some(judged)
    }

    /// With `absent = "hold"`, anybody who is absent for the first time.
    fn newly_absent(&self) -> Option<Judged> {
        let job = self.context.job;
        if job.settings.absent != Absent::Hold || self.context.sheet.mode != Mode::Full {
            return None;
        }
        let users = job.snapshot.users.iter();
        let new = users.filter(|user| self.ended_by_absence.binary_search(&user.id).is_ok());
        let who: Vec<Who> = new.map(|user| (user_name(user), 0)).collect();
        let observed = count(who.len());
        let of = self.population(&self.active());
        let tripped = observed > 0;
        let outcome = GuardOutcome { code: Code::A501, limit: None, observed, of, tripped };
        let messages = match tripped {
            true => vec![told(self, Code::A501, "hold", &who).about(&outcome)],
            false => Vec::new(),
        };
        Some(Judged { outcome, messages })
    }
}

fn limited(code: Code, limit: Limit, observed: u64, of: u64) -> GuardOutcome {
    let share = observed.saturating_mul(100) > of.saturating_mul(u64::from(limit.percent));
    let tripped = observed > limit.count && share;
    GuardOutcome { code, limit: Some(limit), observed, of, tripped }
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

/// A guard's message, with the people whom it is about.
fn told(evidence: &Evidence<'_, '_>, code: Code, why: &str, who: &[Who]) -> Message {
    let mut people: Vec<&str> = who.iter().take(MAX_NAMED).map(|(name, _)| name.as_str()).collect();
    if who.len() > MAX_NAMED {
        people.push("…");
    }
    let import = import_to_approve(evidence.context);
    let mut told = message(code, why, params([import, ("people", people.join(", "))]));
    let lines = who.iter().map(|(_, line)| *line).filter(|line| *line > 0);
    told.lines = lines.take(MAX_LINES).collect();
    told
}

/// The import that the operator is to approve, as messages name it; of a dry run there is none.
pub(super) fn import_to_approve(context: &Context<'_>) -> (&'static str, String) {
    match context.job.dry_run {
        true => ("dry_run", "1".to_owned()),
        false => ("import", context.job.meta.import.clone()),
    }
}

impl Message {
    /// Puts a guard's numbers into its message.
    fn about(mut self, outcome: &GuardOutcome) -> Self {
        self.count = outcome.observed.max(1);
        let mut put = |name: &str, value: String| drop(self.params.insert(name.to_owned(), value));
        put("observed", outcome.observed.to_string());
        put("of", outcome.of.to_string());
        if let Some(limit) = outcome.limit {
            put("limit_count", limit.count.to_string());
            put("limit_percent", limit.percent.to_string());
        }
        self
    }
}
