//! Who is not in a full file, what follows from it, and whom presence brings back.

use std::collections::HashMap;

use super::FieldChange;
use super::draft::{Context, Fate, Rows, user_name};
use super::tell::{message, params};
use crate::import::codes::{Code, Params};
use crate::import::directory::{Absence, AbsenceEnd, User};
use crate::import::fields::{Field, FieldKey};
use crate::import::report::Message;
use crate::import::settings::{Absent, Mode};

/// What follows from who is in the file and who is not.
#[derive(Debug, Default)]
pub(super) struct Absences {
    /// How many users are absent.
    pub count: u64,
    pub messages: Vec<Message>,
    /// Everybody who is absent from the source from now on; `None`: as before.
    pub remembered: Option<Vec<(i64, Absence)>>,
    /// This file counts for somebody's absence, or ends a contract for it.
    pub counts: bool,
    /// The users whom absence ends, by id.
    pub ended: Vec<i64>,
    /// Ends that are set or lifted where no row says so, by place of the user.
    pub changes: Vec<(usize, FieldChange)>,
}

/// The end that absence set of a user's contract, if it still stands.
pub(super) fn end_by_absence<'e>(
    ends: &'e HashMap<i64, AbsenceEnd>,
    user: &User,
) -> Option<&'e AbsenceEnd> {
    let by_absence = if ends.is_empty() { None } else { ends.get(&user.id) };
    by_absence.filter(|end| user.values.get(Field::ContractEnd) == Some(&end.last_day))
}

/// What becomes of a user who is not in the file.
enum Outcome {
    /// Told and nothing else; `remembered`: they are absent for the first time only once.
    Told {
        why: &'static str,
        named: Params,
        remembered: Option<Absence>,
    },
    /// One file more without them.
    Counted {
        named: Params,
        absence: Absence,
    },
    Ended {
        last_day: String,
        first_day: String,
    },
}

/// Counts and ends the absent, and brings back those whose end was absence's.
pub(super) fn settle(context: &Context<'_>, rows: &mut Rows) -> Absences {
    let mut absences = Absences::default();
    lift(context, rows, &mut absences);
    let snapshot = context.job.snapshot;
    let full = context.sheet.mode == Mode::Full;
    let mut remembered: Vec<(i64, Absence)> = Vec::new();
    let mut messages: Vec<Message> = Vec::new();
    for (place, (user, present)) in snapshot.users.iter().zip(&rows.present).enumerate() {
        let before = snapshot.absences.get(&user.id).filter(|_| !*present);
        if !full || !rows.absence_known {
            remembered.extend(before.map(|absence| (user.id, absence.clone())));
            continue;
        }
        let end = user.values.get(Field::ContractEnd);
        let has_left = end.is_some_and(|end| end < context.today.as_str());
        let elsewhere = snapshot.listed_elsewhere.contains(&user.id);
        if *present || user.withdrawn || has_left || elsewhere {
            continue;
        }
        // Once that end has passed, nobody misses them; nor before they have begun.
        rows.depends_on_date |= end.is_some() || is_to_come(context, user);
        let (code, why, mut named) = match outcome(context, user, before) {
            Outcome::Told { why, named, remembered: absence } => {
                remembered.extend(absence.map(|absence| (user.id, absence)));
                (Code::A501, why, named)
            }
            Outcome::Counted { named, absence } => {
                rows.depends_on_date = true;
                absences.counts |= before != Some(&absence);
                remembered.push((user.id, absence));
                (Code::A501, "counting", named)
            }
            Outcome::Ended { last_day, first_day } => {
                let why = if end.is_some() { "earlier" } else { "" };
                let dates = [("first_date", Some(first_day.as_str())), ("old_date", end)];
                let named =
                    dates.into_iter().filter_map(|(name, date)| Some((name, date?.to_owned())));
                let named = params(named.chain([("end_date", last_day.clone())]));
                absences.counts = true;
                absences.ended.push(user.id);
                absences.changes.push((place, new_end(user, Some(last_day))));
                (Code::A502, why, named)
            }
        };
        let number = user.values.get(Field::EmployeeNumber).or(user.values.get(Field::Login));
        named.insert("number".to_owned(), number.unwrap_or_default().to_owned());
        messages.push(Message { person: user_name(user), ..message(code, why, named) });
    }
    absences.count = u64::try_from(messages.len()).unwrap_or(u64::MAX);
    messages.sort_by(|a, b| (a.code, &a.person).cmp(&(b.code, &b.person)));
    absences.messages.extend(shortened(messages, context.job.limits.max_report_messages));
    let before = &snapshot.absences;
    let same = remembered.len() == before.len()
        && remembered.iter().all(|(user, absence)| before.get(user) == Some(absence));
    absences.remembered = Some(remembered).filter(|_| !same);
    absences
}

fn is_to_come(context: &Context<'_>, user: &User) -> bool {
    let start = user.values.get(Field::ContractStart);
    start.is_some_and(|start| start > context.today.as_str())
}

fn outcome(context: &Context<'_>, user: &User, before: Option<&Absence>) -> Outcome {
    let day = context.job.received_on;
    let told = |remembered| Outcome::Told { why: "", named: params([]), remembered };
    // Whoever is still to come cannot be missed yet.
    if is_to_come(context, user) {
        return told(None);
    }
    let first = Absence { first_day: day, files: 1, last_day: day };
    let after_files = match context.job.settings.absent {
        // Without a file that counts: those begin with the setting that ends contracts.
        Absent::Report => {
            let absence = before.cloned().unwrap_or(first);
            return told(Some(Absence { files: 0, ..absence }));
        }
        Absent::End { after_files } => after_files,
        // The guards hold the file; its approval ends them at once.
        Absent::Hold => 1,
    };
    let before = before.filter(|before| before.files > 0);
    let absence = match before {
        // One day counts once, and never backwards.
        Some(before) if before.last_day >= day => before.clone(),
        Some(before) => Absence {
            first_day: before.first_day,
            files: before.files.saturating_add(1),
            last_day: day,
        },
        None => first.clone(),
    };
    let Ok(last_day) = absence.first_day.yesterday() else { return told(None) };
    let (first_day, last_day) = (absence.first_day.to_string(), last_day.to_string());
    let start = user.values.get(Field::ContractStart);
    if let Some(start) = start.filter(|start| *start > last_day.as_str()) {
        let named = params([("first_date", first_day), ("start_date", start.to_owned())]);
        // Without the first day they would be counted from the next file on, and ended.
        let remembered = Some(before.cloned().unwrap_or(first));
        return Outcome::Told { why: "just_begun", named, remembered };
    }
    if absence.files >= after_files {
        return Outcome::Ended { last_day, first_day };
    }
    let named = params([
        ("files", absence.files.to_string()),
        ("limit", after_files.to_string()),
        ("end_date", last_day),
    ]);
    Outcome::Counted { named, absence }
}

fn new_end(user: &User, to: Option<String>) -> FieldChange {
    FieldChange {
        field: FieldKey::Known(Field::ContractEnd),
        from: user.values.get(Field::ContractEnd).map(Into::into),
        to: to.map(String::into_boxed_str),
    }
}

/// C404: the ends that absence had set of people who are in the file, where their own row does not go on to say so.
fn lift(context: &Context<'_>, rows: &Rows, absences: &mut Absences) {
    let snapshot = context.job.snapshot;
    if snapshot.ended_by_absence.is_empty() {
        return;
    }
    let mut speaks = vec![false; snapshot.users.len()];
    for draft in rows.drafts.iter().filter(|draft| draft.fate == Fate::Live) {
        if let Some(slot) = draft.user().and_then(|user| speaks.get_mut(user)) {
            *slot = true;
        }
    }
    let silent = rows.present.iter().zip(speaks).map(|(present, speaks)| *present && !speaks);
    for (place, (user, silent)) in snapshot.users.iter().zip(silent).enumerate() {
        if !silent || user.withdrawn {
            continue;
        }
        let Some(end) = end_by_absence(&snapshot.ended_by_absence, user) else { continue };
        // One that has passed meanwhile would keep out whom the file lists, on the word of an old record alone.
        let was = end.was.as_ref().filter(|was| was.as_str() >= context.today.as_str());
        let why = if was.is_some() { "restored" } else { "present" };
        let dates = [("old_date", Some(&end.last_day)), ("end_date", was)];
        let named = dates.into_iter().filter_map(|(name, date)| Some((name, date?.clone())));
        let told = message(Code::C404, why, params(named));
        absences.messages.push(Message { person: user_name(user), ..told });
        absences.changes.push((place, new_end(user, was.cloned())));
    }
}

/// As many messages as a report lists; one more says how many there were beside.
fn shortened(mut messages: Vec<Message>, max: usize) -> Vec<Message> {
    if messages.len() > max {
        let more = u64::try_from(messages.len() - max).unwrap_or(u64::MAX);
        messages.truncate(max);
        messages.push(Message { count: more, ..message(Code::A501, "more", params([])) });
    }
    messages
}
