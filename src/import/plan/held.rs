//! What a held import is: the plan that waits, its digest, and what becomes of its report once somebody decides.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::guards::Judged;
use super::tell::{message, params};
use super::{Plan, UserWrite, Written};
use crate::import::codes::{Code, Effect, Level, Params, entry};
use crate::import::directory::Snapshot;
use crate::import::fields::{Field, FieldKey};
use crate::import::report::{Counts, Decided, Decision, Message, Report};
use crate::import::{Approval, Job};
use crate::model::ImportStatus;

/// Puts what the guards saw into a finished plan; holds it if one tripped and nobody has approved it.
pub(super) fn guard(job: &Job<'_>, judged: Vec<Judged>, mut plan: Plan) -> Plan {
    let approved = job.approval == Some(&Approval::Whole);
    let mut messages = Vec::new();
    for one in judged {
        plan.report.guards.push(one.outcome);
        messages.extend(one.messages);
    }
    let tripped = plan.report.guards.iter().any(|guard| guard.tripped);
    if approved {
        messages.iter_mut().for_each(|told| told.effect = Effect::Told);
    }
    let warns = messages.iter().any(|told| told.level == Level::Warning);
    if warns && plan.report.status == ImportStatus::Ok {
        plan.report.status = ImportStatus::OkWithWarnings;
    }
    insert(&mut plan.report, messages);
    if approved || tripped {
        plan.digest = Some(digest(&plan, job.snapshot));
    }
    if tripped && !approved { hold(plan) } else { plan }
}

/// N005: a refused row refuses the file. No corrections file: the good rows were not applied either, so the whole
/// file has to come again, and none of its rows waits for a decision.
pub(super) fn refuse_strictly(report: &mut Report, rejected: u64) {
    report.refused_rows.clear();
    report.pending_rows.clear();
    insert(report, vec![message(Code::N005, "", params([("rejected", rejected.to_string())]))]);
}

/// Holds a plan: it writes nothing, and its report says what the rows would become. Codes that nobody knows stay with
/// it, so that an operator can map them.
fn hold(plan: Plan) -> Plan {
    let Plan { change_number, mut report, digest, unmapped, .. } = plan;
    let counts = report.counts;
    report.planned = Some(counts);
    report.counts =
        Counts { rows: counts.rows, held: counts.rows, absent: counts.absent, ..Counts::default() };
    report.status = ImportStatus::Held;
    Plan { digest, unmapped, ..Plan::nothing(change_number, report) }
}

/// Messages come right below the summary and the note on a dry run; refused rows keep pointing to theirs.
fn insert(report: &mut Report, messages: Vec<Message>) {
    let at =
        report.messages.iter().take_while(|m| matches!(m.code, Code::N001 | Code::N002)).count();
    let (Ok(from), Ok(by)) = (u32::try_from(at), u32::try_from(messages.len())) else { return };
    for row in &mut report.refused_rows {
        row.messages.iter_mut().filter(|place| **place >= from).for_each(|place| *place += by);
    }
    report.messages.splice(at..at, messages);
}

/// What a plan would write, as one number: equal plans have equal digests, whatever ids new users get, and whichever
/// day gives absent users their last one. 64 hex digits.
fn digest(plan: &Plan, snapshot: &Snapshot) -> String {
    let new = plan.writes.iter().filter(|write| write.user_id >= snapshot.next_user_id);
    let new: HashMap<i64, u32> = new.map(|write| (write.user_id, write.line)).collect();
    let name = |id: i64| match new.get(&id) {
        Some(line) => format!("line {line}"),
        None => format!("user {id}"),
    };
    let mut hash = Sha256::new();
    let mut put = |parts: [&str; 3]| {
        for part in parts {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part.as_bytes());
        }
    };
    for write in &plan.writes {
        put(["write", &name(write.user_id), ""]);
        let set = |key: FieldKey, from: Option<&str>, to: Option<&str>| {
            let from = from.map_or_else(String::new, |from| format!("={from}"));
            let to = shown(plan, write, &key, to, &name);
            [key.to_string(), from, to]
        };
        let mut sets: Vec<[String; 3]> = match &write.what {
            Written::Changed(changes) => changes
                .iter()
                .map(|c| set(c.field.clone(), c.from.as_deref(), c.to.as_deref()))
                .collect(),
            Written::Created(values) => {
                let known = Field::ALL.iter().map(|field| FieldKey::Known(*field));
                let custom = values.custom().map(|(name, _)| FieldKey::Custom(name.to_owned()));
                let all = known.chain(custom).map(|key| (values.get_key(&key), key));
                all.filter(|(to, _)| to.is_some()).map(|(to, key)| set(key, None, to)).collect()
            }
        };
        sets.sort();
        for [field, from, to] in &sets {
            put([field, from, to]);
        }
    }
    let mut entries: Vec<&(Field, String)> = plan.list_entries.iter().collect();
    entries.sort();
    for (field, code) in entries {
        put(["entry", field.name(), code]);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A new value with a `=` before it; new users go by their lines, and absence by its name.
fn shown(
    plan: &Plan,
    write: &UserWrite,
    key: &FieldKey,
    to: Option<&str>,
    name: &dyn Fn(i64) -> String,
) -> String {
    let Some(to) = to else { return String::new() };
    match key {
        FieldKey::Known(Field::ContractEnd)
            if write.line == 0 && plan.ended_by_absence.contains(&write.user_id) =>
        {
            "absent".to_owned()
        }
        FieldKey::Known(Field::Manager) => match to.parse() {
            Ok(id) => format!("={}", name(id)),
            Err(_) => format!("={to}"),
        },
        _ => format!("={to}"),
    }
}

/// Who decided, when, and the day of it in the client's time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct By<'a> {
    /// `cli`, or the login that dropped the file.
    pub who: &'a str,
    /// When.
    pub at: Timestamp,
    /// That day, `YYYY-MM-DD`.
    pub day: &'a str,
}

impl By<'_> {
    fn params(&self) -> Params {
        params([("who", self.who.to_owned()), ("decided_date", self.day.to_owned())])
    }

    fn decision(&self, what: Decided) -> Decision {
        Decision { what, who: self.who.to_owned(), at: self.at }
    }
}

/// Says in the report of an approved plan by whom (G606).
pub fn approved(report: &mut Report, by: &By<'_>) {
    report.decision = Some(by.decision(Decided::Approved));
    insert(report, vec![message(Code::G606, "", by.params())]);
}

/// Holds a plan that is no longer the one that was approved (G606), and says so.
#[must_use]
pub fn held_again(plan: Plan, by: &By<'_>) -> Plan {
    let mut plan = if plan.report.status == ImportStatus::Held { plan } else { hold(plan) };
    let mut told = by.params();
    told.insert("import".to_owned(), plan.report.import.clone());
    insert(&mut plan.report, vec![message(Code::G606, "again", told)]);
    plan
}

/// Holds a plan that no guard would hold: the file was received before, was not applied then, and comes again (E901).
#[must_use]
pub fn held_for_somebody(plan: Plan) -> Plan {
    let mut plan = if plan.report.status == ImportStatus::Held { plan } else { hold(plan) };
    let told = params([("import", plan.report.import.clone())]);
    insert(&mut plan.report, vec![message(Code::E901, "late", told)]);
    plan
}

/// How a held import ends without being applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending<'a> {
    /// Somebody discarded it (G607).
    Discarded(By<'a>),
    /// Nobody decided in time (G608).
    Expired(By<'a>),
    /// A later full file of its folder was applied: this import.
    Superseded(&'a str),
}

/// The report of a held import that is never to be applied.
#[must_use]
pub fn ended(mut report: Report, ending: &Ending<'_>) -> Report {
    let (status, told) = match ending {
        Ending::Discarded(by) => {
            report.decision = Some(by.decision(Decided::Discarded));
            (ImportStatus::Discarded, message(Code::G607, "", by.params()))
        }
        Ending::Expired(by) => {
            report.decision = Some(by.decision(Decided::Expired));
            (ImportStatus::Expired, message(Code::G608, "", by.params()))
        }
        Ending::Superseded(by) => {
            let told = params([("import", (*by).to_owned())]);
            (ImportStatus::Superseded, message(Code::N004, "held", told))
        }
    };
    for told in report.messages.iter_mut().filter(|told| told.effect == Effect::Held) {
        told.effect = Effect::Told;
    }
    insert(&mut report, vec![told]);
    report.status = status;
    report.counts.ignored += std::mem::take(&mut report.counts.held);
    // None of it has come to pass, and none of it will.
    report.planned = None;
    report.changes.clear();
    report.changes_total = 0;
    report.pending_rows.clear();
    report
}

/// The report of an import of which some rows were decided one by one: approved ones are applied now, as the report of
/// the plan for that says, discarded ones (`applied` is `None`) never will be.
#[must_use]
pub fn rows_decided(
    mut report: Report,
    lines: &BTreeSet<u32>,
    applied: Option<&Report>,
    by: &By<'_>,
) -> Report {
    let what = if applied.is_some() { Decided::Approved } else { Decided::Discarded };
    let decision = by.decision(what);
    for row in report.pending_rows.iter_mut().filter(|row| lines.contains(&row.line)) {
        row.decided = Some(decision.clone());
        let counts = &mut report.counts;
        // A swap was held, a renumbering refused.
        let was = if row.code.name() == "D105" { &mut counts.held } else { &mut counts.rejected };
        *was = was.saturating_sub(1);
        if applied.is_none() {
            counts.rejected += 1;
        }
    }
    if let Some(applied) = applied {
        report.refused_rows.retain(|row| !lines.contains(&row.line));
        take_applied(&mut report, lines, applied);
    }
    let of_rows = |told: &&mut Message| told.line.is_some_and(|line| lines.contains(&line));
    for told in report.messages.iter_mut().filter(of_rows) {
        let why = match (told.code, what) {
            (Code::D104, Decided::Approved) => "taken",
            (Code::D104, _) => "discarded",
            (Code::D105, Decided::Approved) => "applied",
            (Code::D105, _) => "discarded",
            _ => continue,
        };
        let entry = entry(told.code, why);
        (told.level, told.effect) = (entry.level, entry.effect);
        why.clone_into(&mut told.why);
    }
    if what == Decided::Approved && report.status == ImportStatus::Rejected {
        // Every row had been refused; now there is one that stands.
        report.status = ImportStatus::Partial;
    }
    let open = report.counts.held + report.counts.rejected + report.counts.cells_refused;
    if open == 0 && report.status == ImportStatus::Partial {
        report.status = ImportStatus::OkWithWarnings;
    }
    let code = if what == Decided::Approved { Code::G606 } else { Code::G607 };
    let mut told = by.params();
    let rows = lines.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
    told.insert("rows".to_owned(), rows);
    insert(&mut report, vec![message(code, "rows", told)]);
    report
}

/// What became of approved rows, and what there is to tell of them now that they are applied.
fn take_applied(report: &mut Report, lines: &BTreeSet<u32>, applied: &Report) {
    let (counts, more) = (&mut report.counts, &applied.counts);
    counts.created += more.created;
    counts.updated += more.updated;
    counts.unchanged += more.unchanged;
    counts.ended += more.ended;
    counts.reinstated += more.reinstated;
    counts.cells_refused += more.cells_refused;
    let is_new = |told: &&Message| {
        let of_rows = told.line.is_some_and(|line| lines.contains(&line));
        of_rows && !matches!(told.code, Code::D104 | Code::D105)
    };
    for told in applied.messages.iter().filter(is_new) {
        let is_same = |known: &&mut Message| {
            (known.code, known.line, &known.why, &known.cell)
                == (told.code, told.line, &told.why, &told.cell)
        };
        match report.messages.iter_mut().find(is_same) {
            // While the row waited, nothing of it was applied.
            Some(known) => (known.level, known.effect) = (told.level, told.effect),
            None => report.messages.push(told.clone()),
        }
    }
}
