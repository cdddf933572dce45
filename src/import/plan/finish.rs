//! The plan: ids for new users, writes, counts, status, what the source has settled, the report.

use std::collections::HashSet;

use super::absence::{self, Absences};
use super::changes::list_changes;
use super::draft::{Context, Draft, Fate, Rows};
use super::entries::new_entries;
use super::given::{self, Newcomer};
use super::guards::{self, Evidence, Judged};
use super::managers::{Managers, NewManager};
use super::others::{Ids, defaulted, list_others, other_writes, unprotected, wishes};
use super::places::Links;
use super::quick::{self, Boss, ReadPrints};
use super::sheet::{Opened, field_names, is_correction};
use super::tell::{Teller, message, params};
use super::{FieldChange, Plan, UserWrite, Written, held};
use crate::import::Job;
use crate::import::codes::{Code, Effect, Level};
use crate::import::directory::{Snapshot, SourceMemory};
use crate::import::fields::{Field, FieldKey};
use crate::import::report::{Counts, Message, PendingRow, RefusedRow, Report};
use crate::import::settings::Mode;
use crate::import::table::Row;
use crate::model::ImportStatus;

/// The plan of a file that is refused as a whole.
pub(super) fn refused(job: &Job<'_>, opened: Opened, teller: Teller) -> Plan {
    let mut report = Report::new(job.meta, job.settings, ImportStatus::Rejected);
    report.dry_run = job.dry_run;
    take_opened(&mut report, opened);
    report.counts.rows = report.file.rows;
    report.counts.rejected = report.file.rows;
    let (told, _) = teller.finish(|_| None, job.limits.max_report_messages);
    report.messages = headed(job.dry_run, told);
    Plan::nothing(job.snapshot.change_number, report)
}

fn take_opened(report: &mut Report, opened: Opened) {
    report.file.encoding = opened.file.encoding;
    report.file.delimiter = opened.file.delimiter;
    report.file.date_format = opened.file.date_format;
    report.file.rows = opened.file.rows;
    report.columns = opened.columns;
}

/// The messages under the summary and, for a dry run, its note.
fn headed(dry_run: bool, told: Vec<Message>) -> Vec<Message> {
    let mut messages = vec![message(Code::N001, "", params([]))];
    if dry_run {
        messages.push(message(Code::N002, "", params([])));
    }
    messages.extend(told);
    messages
}

/// Everything that was decided about the rows.
pub(super) struct Decided<'x, 's> {
    pub context: &'x Context<'s>,
    pub rows: Rows,
    pub managers: Managers,
    /// For the prints of the rows.
    pub bosses: Vec<Boss>,
    pub of_row: Links,
    /// How many people there are: users of the directory and new ones.
    pub people: usize,
    pub teller: Teller,
}

/// What comes of it.
pub(super) struct Finished {
    /// Without the new users, if there are any here.
    pub plan: Plan,
    pub new: Vec<Newcomer>,
    pub prints: Option<ReadPrints>,
}

/// Makes the plan of what was decided.
pub(super) fn finish(decided: Decided<'_, '_>, opened: Opened) -> Finished {
    let Decided { context, mut rows, mut managers, bosses, of_row, people, mut teller } = decided;
    let snapshot = context.job.snapshot;
    let ids = Ids::new(snapshot, people);
    add_managers(snapshot, &mut rows.drafts, &managers, &ids);
    managers.of_row = Vec::new();
    let mut counts = count(context, &rows.drafts);
    // Of rows that are approved one by one, nothing follows for anybody else.
    let alone = context.approved_lines().is_some();
    let strict = context.job.settings.strict && counts.rejected > 0 && !alone;
    let all_refused =
        strict || (counts.rejected > 0 && counts.rejected + counts.ignored == counts.rows);
    let list_entries = new_entries(context, &rows.drafts, &mut teller);
    let unmapped = if context.job.dry_run { Vec::new() } else { teller.unknown.list() };
    let mut absences = match all_refused || alone {
        true => Absences::default(),
        false => absence::settle(context, &mut rows),
    };
    counts.absent = absences.count;
    tell_same_file(context, &absences, &mut teller);
    tell_older_file(context, &counts, &mut teller);
    let judged = match all_refused || alone {
        true => Vec::new(),
        false => {
            let evidence = Evidence { context, rows: &rows, ended_by_absence: &absences.ended };
            guards::judge(&evidence)
        }
    };

    let mut report = begin(context, opened);
    let told = teller.told.iter().filter_map(|told| told.row).collect();
    let id = |place| ids.get(place);
    let prints = quick::of_rows(context, &rows, &bosses, &told, id, &of_row);
    // Of a million rows each of these is some megabytes, and the writes come on top.
    drop((bosses, told));
    tell_all(context, &rows.drafts, teller, &mut report);
    report.pending_rows = pending(&mut rows, alone);
    if all_refused {
        if strict {
            held::refuse_strictly(&mut report, counts.rejected);
        }
        counts = Counts { rows: counts.rows, rejected: counts.rows, ..Counts::default() };
    } else {
        report.messages.append(&mut managers.told_apart);
        report.messages.append(&mut absences.messages);
        counts.cells_refused = cells_refused(&report.messages);
    }
    report.status = status(&report.messages, all_refused);
    report.counts = counts;
    let mut plan = Plan::nothing(snapshot.change_number, report);
    let mut new = Vec::new();
    plan.unmapped = unmapped;
    if !all_refused {
        let others = other_writes(context, &rows.drafts, &absences, &managers, &ids);
        list_changes(context, &rows.drafts, &ids, &of_row, &mut plan.report);
        list_others(context, &others, &mut plan.report);
        if !context.job.dry_run {
            if !alone {
                plan.source = Some(memory(context, &rows));
                plan.listed = listed(context, &rows, &ids);
                plan.absences = absences.remembered;
                plan.ended_by_absence = absences.ended;
            }
            plan.manager_wishes = wishes(&mut managers, &ids);
            plan.unprotected = unprotected(snapshot, &mut rows, &managers);
            plan.defaulted = defaulted(&mut rows, &of_row, &ids);
            drop(of_row);
            (plan.writes, new) = writes(snapshot, rows.drafts);
            plan.writes.extend(others);
            plan.list_entries = list_entries;
        }
    }
    guarded(context, judged, Finished { plan, new, prints })
}

/// The plan with what the guards saw. What is approved or waits for that is told by all its writes.
fn guarded(context: &Context<'_>, judged: Vec<Judged>, finished: Finished) -> Finished {
    let Finished { mut plan, mut new, prints } = finished;
    if context.job.approval.is_some() || judged.iter().any(|one| one.outcome.tripped) {
        let created = given::writes(context.sheet, &new, context.job.snapshot.next_user_id);
        plan.writes = given::merged(created, plan.writes);
        new = Vec::new();
    }
    Finished { plan: held::guard(context.job, judged, plan), new, prints }
}

/// The report, with what is known of the file.
fn begin(context: &Context<'_>, opened: Opened) -> Report {
    let mut report = Report::new(context.job.meta, context.job.settings, ImportStatus::Ok);
    report.dry_run = context.job.dry_run;
    report.mode = context.sheet.mode;
    take_opened(&mut report, opened);
    report.file.rows = context.row_count();
    report
}

/// The rows that somebody may approve; of rows that were approved, those that go on after all.
fn pending(rows: &mut Rows, alone: bool) -> Vec<PendingRow> {
    let mut pending = std::mem::take(&mut rows.pending);
    if alone {
        let live = rows.drafts.iter().filter(|draft| draft.fate == Fate::Live);
        let live: HashSet<u32> = live.map(|draft| draft.line).collect();
        pending.retain(|row| live.contains(&row.line));
    }
    pending.sort_by_key(|row| row.line);
    pending
}

/// N003: the file of last time again, on another day; it confirms who is absent.
fn tell_same_file(context: &Context<'_>, absences: &Absences, teller: &mut Teller) {
    let (job, source) = (context.job, &context.job.snapshot.source);
    let same = source.sha256.as_deref() == Some(&job.meta.content_sha256)
        && source.settings_version.as_deref() == Some(&job.settings.version())
        && source.change_number == Some(job.snapshot.change_number);
    if !(same && absences.counts) {
        return;
    }
    teller.file(message(
        Code::N003,
        "absences",
        params([
            ("import", source.import.clone().unwrap_or_default()),
            ("applied_date", source.applied_on.map(|day| day.to_string()).unwrap_or_default()),
            ("absent", absences.count.to_string()),
        ]),
    ));
}

/// N003: a file that was applied before the last one comes again: what has changed since goes back.
fn tell_older_file(context: &Context<'_>, counts: &Counts, teller: &mut Teller) {
    let Some((import, day)) = &context.job.snapshot.earlier else { return };
    if counts.unchanged + counts.ignored == counts.rows && counts.absent == 0 {
        return;
    }
    let told = params([("import", import.clone()), ("applied_date", day.to_string())]);
    teller.file(message(Code::N003, "older", told));
}

/// What each row's manager changes, now that everybody has an id.
fn add_managers(snapshot: &Snapshot, drafts: &mut [Draft], managers: &Managers, ids: &Ids<'_>) {
    let id = |place: usize| ids.get(place);
    for (draft, to) in drafts.iter_mut().zip(&managers.of_row) {
        let appeared = draft.user().and_then(|user| managers.appeared.get(&user));
        let to = appeared.copied().map_or(*to, NewManager::to);
        if draft.fate != Fate::Live || to == NewManager::Same {
            continue;
        }
        let Some(user) = draft.user() else {
            if let NewManager::To(place) = to
                && let Some(boss) = id(place.at())
            {
                draft.given.set_boss(boss);
            }
            continue;
        };
        let to = match to {
            NewManager::Same | NewManager::Clear => None,
            NewManager::To(place) => id(place.at()).map(|id| id.to_string().into_boxed_str()),
        };
        let key = FieldKey::Known(Field::Manager);
        let from = snapshot.users.get(user).and_then(|user| user.values.get(Field::Manager));
        if from != to.as_deref() {
            let from = from.map(Into::into);
            draft.changes.push(FieldChange { field: key, from, to });
        }
    }
}

fn count(context: &Context<'_>, drafts: &[Draft]) -> Counts {
    let unread = context.unread.map_or(0, |unread| unread.rows);
    let mut counts = Counts { rows: unread, unchanged: unread, ..Counts::default() };
    for draft in drafts {
        counts.rows += 1;
        let slot = match draft.fate {
            Fate::Refused => &mut counts.rejected,
            Fate::Held => &mut counts.held,
            Fate::Ignored => &mut counts.ignored,
            Fate::Live if draft.user().is_none() => &mut counts.created,
            Fate::Live if draft.reinstated => &mut counts.reinstated,
            Fate::Live if draft.ended => &mut counts.ended,
            Fate::Live if draft.changes.is_empty() => &mut counts.unchanged,
            Fate::Live => &mut counts.updated,
        };
        *slot += 1;
    }
    counts
}

fn status(messages: &[Message], all_refused: bool) -> ImportStatus {
    let any = |levels: &[Level]| messages.iter().any(|message| levels.contains(&message.level));
    if all_refused {
        ImportStatus::Rejected
    } else if any(&[Level::Error, Level::Field]) {
        ImportStatus::Partial
    } else if any(&[Level::Warning]) {
        ImportStatus::OkWithWarnings
    } else {
        ImportStatus::Ok
    }
}

fn cells_refused(messages: &[Message]) -> u64 {
    messages
        .iter()
        .filter(|message| message.effect == Effect::CellRefused)
        .map(|message| message.count)
        .sum()
}

/// The messages of the report, and the refused rows that point to them.
fn tell_all(context: &Context<'_>, drafts: &[Draft], teller: Teller, report: &mut Report) {
    let stopped = |row: usize| match drafts.get(row)?.fate {
        Fate::Refused => Some(Effect::RowRefused),
        Fate::Held => Some(Effect::RowHeld),
        Fate::Live | Fate::Ignored => None,
    };
    let refused = |row: usize| stopped(row) == Some(Effect::RowRefused);
    let (told, by_row) = teller.finish(stopped, context.job.limits.max_report_messages);
    report.messages = headed(context.job.dry_run, Vec::new());
    let first = u32::try_from(report.messages.len()).unwrap_or(u32::MAX);
    report.messages.extend(told);
    for (at, row) in context.sheet.table.rows().enumerate().filter(|(at, _)| refused(*at)) {
        let messages = by_row.get(&at).map(Vec::as_slice).unwrap_or_default();
        report.refused_rows.push(RefusedRow {
            line: row.line(),
            cells: own_cells(context, &row),
            messages: messages.iter().map(|place| place + first).collect(),
        });
    }
}

/// A row's original cells, without the `_code` and `_message` of an earlier corrections file.
fn own_cells(context: &Context<'_>, row: &Row<'_>) -> Vec<String> {
    let columns = &context.sheet.columns;
    let is_own = |index: usize| match columns.columns.get(index) {
        Some(column) => !(columns.is_corrections && is_correction(column)),
        None => true,
    };
    row.cells()
        .enumerate()
        .filter(|(index, _)| is_own(*index))
        .map(|(_, cell)| cell.into_owned())
        .collect()
}

/// The writes for users of the directory, and the new users, both in the order of the file.
fn writes(snapshot: &Snapshot, drafts: Vec<Draft>) -> (Vec<UserWrite>, Vec<Newcomer>) {
    let mut writes = Vec::new();
    // Collected where the drafts lie: these are smaller, and there may be a million of both.
    let new = drafts.into_iter().enumerate().filter_map(|(row, draft)| {
        if draft.fate != Fate::Live {
            return None;
        }
        let Some(user) = draft.user() else {
            return Some(Newcomer { row: u32::try_from(row).ok()?, given: draft.given });
        };
        let user = snapshot.users.get(user)?;
        if !draft.changes.is_empty() {
            let what = Written::Changed(draft.changes.into_vec());
            writes.push(UserWrite { user_id: user.id, line: draft.line, what });
        }
        None
    });
    let new = new.collect();
    (writes, new)
}

/// Whom an applied full file listed: refused rows too, for their people are present.
fn listed(context: &Context<'_>, rows: &Rows, ids: &Ids<'_>) -> Option<Vec<i64>> {
    if context.sheet.mode != Mode::Full {
        return None;
    }
    let users = context.job.snapshot.users.iter().zip(&rows.present);
    let mut listed: Vec<i64> =
        users.filter(|(_, present)| **present).map(|(user, _)| user.id).collect();
    listed.extend(ids.new_ids());
    listed.sort_unstable();
    Some(listed)
}

/// What the source has settled once this file is applied.
fn memory(context: &Context<'_>, rows: &Rows) -> SourceMemory {
    let (job, sheet) = (context.job, context.sheet);
    let mut memory = job.snapshot.source.clone();
    memory.key = Some(sheet.key);
    memory.date_order = sheet.dates.proved.or(memory.date_order);
    if sheet.mode == Mode::Full {
        memory.ends_with_newline = Some(sheet.table.ends_with_newline());
        memory.columns = field_names(&sheet.columns);
        memory.rows = Some(context.row_count());
    }
    memory.import = Some(job.meta.import.clone());
    memory.sha256 = Some(job.meta.content_sha256.clone());
    memory.settings_version = Some(job.settings.version());
    memory.depends_on_date = rows.depends_on_date;
    memory.applied_on = Some(job.today);
    memory
}
