//! The plan: ids for new users, writes, counts, status, what the source has settled, the report.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::managers::NewManager;
use super::rows::{Context, Draft, Fate, Rows, user_name};
use super::sheet::{Opened, field_names, is_correction};
use super::tell::{Teller, message, params, shown};
use super::{FieldChange, Plan, UserWrite};
use crate::import::codes::{Code, Effect, Level};
use crate::import::directory::{Snapshot, SourceMemory};
use crate::import::fields::{Field, FieldKey};
use crate::import::note::MAX_LINES;
use crate::import::report::{Counts, Message, RefusedRow, Report, ReportChange};
use crate::import::settings::{Mode, Settings};
use crate::import::table::Row;
use crate::import::{Job, Meta};
use crate::model::ImportStatus;

/// The most new codes of a list that a report names.
const MAX_CODES_NAMED: usize = 100;

/// A report with nothing in it but what is known of the upload.
pub(super) fn empty_report(meta: &Meta, settings: &Settings, status: ImportStatus) -> Report {
    let mut opened = Opened::default();
    opened.file.name.clone_from(&meta.file_name);
    opened.file.path.clone_from(&meta.path);
    opened.file.bytes = meta.bytes;
    opened.file.sha256.clone_from(&meta.sha256);
    Report {
        import: meta.import.clone(),
        client: meta.client.clone(),
        account: meta.account.clone(),
        status,
        dry_run: false,
        mode: settings.mode,
        received_at: meta.received_at,
        started_at: meta.started_at,
        finished_at: None,
        file: opened.file,
        settings_version: settings.version(),
        columns: Vec::new(),
        counts: Counts::default(),
        messages: Vec::new(),
        changes: Vec::new(),
        changes_total: 0,
        refused_rows: Vec::new(),
    }
}

/// A plan that writes nothing.
pub(super) fn nothing(change_number: i64, report: Report) -> Plan {
    Plan {
        change_number,
        writes: Vec::new(),
        list_entries: Vec::new(),
        source: None,
        listed: None,
        report,
    }
}

/// The plan of a file that is refused as a whole.
pub(super) fn refused(job: &Job<'_>, opened: Opened, teller: Teller) -> Plan {
    let mut report = empty_report(job.meta, job.settings, ImportStatus::Rejected);
    report.dry_run = job.dry_run;
    take_opened(&mut report, opened);
    report.counts.rows = report.file.rows;
    report.counts.rejected = report.file.rows;
    let (told, _) = teller.finish(|_| false, job.limits.max_report_messages);
    report.messages = headed(job.dry_run, told);
    nothing(job.snapshot.change_number, report)
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
    pub rows: Rows<'s>,
    pub managers: Vec<NewManager>,
    pub of_row: Vec<Option<usize>>,
    pub teller: Teller,
}

/// The ids of the new users, by place among all people, in the order of the file.
fn give_ids(
    snapshot: &Snapshot,
    drafts: &[Draft<'_>],
    of_row: &[Option<usize>],
) -> BTreeMap<usize, i64> {
    let mut next = snapshot.next_user_id;
    let mut ids = BTreeMap::new();
    for (draft, place) in drafts.iter().zip(of_row) {
        if let (Fate::Live, None, Some(place)) = (draft.fate, draft.user, place) {
            ids.insert(*place, next);
            next += 1;
        }
    }
    ids
}

/// Makes the plan of what was decided.
pub(super) fn finish(decided: Decided<'_, '_>, opened: Opened) -> Plan {
    let Decided { context, mut rows, managers, of_row, mut teller } = decided;
    let ids = give_ids(context.job.snapshot, &rows.drafts, &of_row);
    add_managers(context.job.snapshot, &mut rows.drafts, &managers, &ids);
    let mut counts = count(&rows.drafts);
    let all_refused = counts.rejected > 0 && counts.rejected + counts.ignored == counts.rows;
    let list_entries = new_entries(context, &rows.drafts, &mut teller);
    let absent = if all_refused { Vec::new() } else { absent(context, &mut rows) };
    counts.absent = u64::try_from(absent.len()).unwrap_or(u64::MAX);

    let mut report = empty_report(context.job.meta, context.job.settings, ImportStatus::Ok);
    report.dry_run = context.job.dry_run;
    report.mode = context.sheet.mode;
    take_opened(&mut report, opened);
    tell_all(context, &rows.drafts, teller, absent, &mut report);
    if all_refused {
        counts = Counts { rows: counts.rows, rejected: counts.rows, ..Counts::default() };
    } else {
        counts.cells_refused = cells_refused(&report.messages);
    }
    report.status = status(&report.messages, all_refused);
    report.counts = counts;
    let mut plan = nothing(context.job.snapshot.change_number, report);
    if !all_refused {
        list_changes(context, &rows.drafts, &ids, &of_row, &mut plan.report);
    }
    if !all_refused && !context.job.dry_run {
        plan.source = Some(memory(context, &rows));
        plan.listed = listed(context, &rows, &ids);
        plan.writes = writes(context.job.snapshot, rows.drafts, &ids, &of_row);
        plan.list_entries = list_entries;
    }
    plan
}

/// What each row's manager changes, now that everybody has an id.
fn add_managers(
    snapshot: &Snapshot,
    drafts: &mut [Draft<'_>],
    managers: &[NewManager],
    ids: &BTreeMap<usize, i64>,
) {
    let id = |place: usize| match snapshot.users.get(place) {
        Some(user) => Some(user.id),
        None => ids.get(&place).copied(),
    };
    for (draft, to) in drafts.iter_mut().zip(managers) {
        let to = match to {
            _ if draft.fate != Fate::Live => continue,
            NewManager::Same => continue,
            NewManager::Clear => None,
            NewManager::To(place) => id(*place).map(|id| id.to_string().into_boxed_str()),
        };
        let user = draft.user.and_then(|user| snapshot.users.get(user));
        let from = user.and_then(|user| user.values.get(Field::Manager));
        if from != to.as_deref() {
            let from = from.map(Into::into);
            draft.changes.push(FieldChange { field: FieldKey::Known(Field::Manager), from, to });
        }
    }
}

fn count(drafts: &[Draft<'_>]) -> Counts {
    let mut counts = Counts::default();
    for draft in drafts {
        counts.rows += 1;
        let slot = match draft.fate {
            Fate::Refused => &mut counts.rejected,
            Fate::Ignored => &mut counts.ignored,
            Fate::Live if draft.user.is_none() => &mut counts.created,
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

/// The list that a field's codes are entries of.
fn list_of(field: Field) -> Option<Field> {
    match field {
        Field::Roles => Some(Field::Role),
        _ => Some(field).filter(|field| field.is_reference()),
    }
}

/// The codes that are new in their lists, each once; each list's are told together.
fn new_entries(
    context: &Context<'_>,
    drafts: &[Draft<'_>],
    teller: &mut Teller,
) -> Vec<(Field, String)> {
    let mut known: HashMap<Field, HashSet<&str>> = HashMap::new();
    for (field, codes) in &context.job.snapshot.lists {
        known.entry(*field).or_default().extend(codes.iter().map(String::as_str));
    }
    let mut new = Vec::new();
    let mut told: BTreeMap<Field, Vec<(usize, &str)>> = BTreeMap::new();
    for (at, draft) in drafts.iter().enumerate().filter(|(_, draft)| draft.fate == Fate::Live) {
        for change in &draft.changes {
            let FieldKey::Known(field) = &change.field else { continue };
            let (Some(list), Some(to)) = (list_of(*field), change.to.as_deref()) else { continue };
            for code in to.split('\n') {
                if known.entry(list).or_default().insert(code) {
                    new.push((list, code.to_owned()));
                    told.entry(*field).or_default().push((at, code));
                }
            }
        }
    }
    for (field, codes) in told {
        tell_entries(context, field, &codes, teller);
    }
    new
}

/// X206: the new codes of one field, with the lines on which they first stand.
fn tell_entries(context: &Context<'_>, field: Field, codes: &[(usize, &str)], teller: &mut Teller) {
    let key = FieldKey::Known(field);
    let wired = context.sheet.field(&key);
    if let [(at, code)] = codes {
        let Some(row) = context.row(*at) else { return };
        let told = message(Code::X206, "", params([("code", (*code).to_owned())]));
        let mut told = context.place(&row, None, wired, told);
        told.field = Some(key);
        told.kept = (*code).to_owned();
        told.person.clear();
        teller.row(*at, told);
        return;
    }
    let mut named: Vec<&str> = codes.iter().take(MAX_CODES_NAMED).map(|(_, code)| *code).collect();
    if codes.len() > MAX_CODES_NAMED {
        named.push("…");
    }
    let mut told = message(Code::X206, "several", params([("codes", named.join(" · "))]));
    told.field = Some(key);
    told.count = u64::try_from(codes.len()).unwrap_or(u64::MAX);
    let rows = codes.iter().take(MAX_LINES).filter_map(|(at, _)| context.row(*at));
    told.lines = rows.map(|row| row.line()).collect();
    if let Some(wired) = wired {
        told.cell.clone_from(&wired.letter);
        told.column.clone_from(&wired.header);
    }
    teller.file(told);
}

/// A501: the users who are not in a full file, by name.
fn absent(context: &Context<'_>, rows: &mut Rows<'_>) -> Vec<Message> {
    if context.sheet.mode != Mode::Full || !rows.absence_known {
        return Vec::new();
    }
    let today = context.today.as_str();
    let mut messages = Vec::new();
    for (user, present) in context.job.snapshot.users.iter().zip(&rows.present) {
        let end = user.values.get(Field::ContractEnd);
        let has_left = end.is_some_and(|end| end < today);
        let elsewhere = context.job.snapshot.listed_elsewhere.contains(&user.id);
        if *present || user.withdrawn || has_left || elsewhere {
            continue;
        }
        // Once that end has passed, nobody misses them.
        rows.depends_on_date |= end.is_some();
        let number = user.values.get(Field::EmployeeNumber).or(user.values.get(Field::Login));
        let mut told =
            message(Code::A501, "", params([("number", number.unwrap_or_default().to_owned())]));
        told.person = user_name(user);
        messages.push(told);
    }
    messages.sort_by(|a, b| a.person.cmp(&b.person));
    messages
}

/// The messages of the report, and the refused rows that point to them.
fn tell_all(
    context: &Context<'_>,
    drafts: &[Draft<'_>],
    teller: Teller,
    absent: Vec<Message>,
    report: &mut Report,
) {
    let refused = |row: usize| drafts.get(row).is_some_and(|draft| draft.fate == Fate::Refused);
    let (told, by_row) = teller.finish(refused, context.job.limits.max_report_messages);
    report.messages = headed(context.job.dry_run, Vec::new());
    let first = u32::try_from(report.messages.len()).unwrap_or(u32::MAX);
    report.messages.extend(told);
    report.messages.extend(absent);
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

/// The field changes in the order of the file, as many as the report may list.
fn list_changes(
    context: &Context<'_>,
    drafts: &[Draft<'_>],
    ids: &BTreeMap<usize, i64>,
    of_row: &[Option<usize>],
    report: &mut Report,
) {
    let snapshot = context.job.snapshot;
    let max = context.job.limits.max_report_changes;
    let live = drafts.iter().zip(of_row).enumerate().filter(|(_, (d, _))| d.fate == Fate::Live);
    for (at, (draft, place)) in live {
        report.changes_total += u64::try_from(draft.changes.len()).unwrap_or(u64::MAX);
        let room = max.saturating_sub(report.changes.len());
        if room == 0 || draft.changes.is_empty() {
            continue;
        }
        let user = context.user(draft.user);
        let person = context.row(at).map(|row| context.person(&row, user)).unwrap_or_default();
        let new_id = place.and_then(|place| ids.get(&place)).copied();
        let id = user.map(|user| user.id).or(new_id).unwrap_or_default();
        for change in draft.changes.iter().take(room) {
            let words = |value: &Option<Box<str>>| {
                value.as_deref().map(|value| match change.field {
                    FieldKey::Known(Field::Manager) => manager_name(snapshot, value),
                    _ => shown(&change.field, value),
                })
            };
            report.changes.push(ReportChange {
                person: person.clone(),
                user: id,
                field: change.field.clone(),
                from: words(&change.from),
                to: words(&change.to),
                line: draft.line,
            });
        }
    }
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

fn writes(
    snapshot: &Snapshot,
    drafts: Vec<Draft<'_>>,
    ids: &BTreeMap<usize, i64>,
    of_row: &[Option<usize>],
) -> Vec<UserWrite> {
    drafts
        .into_iter()
        .zip(of_row)
        .filter(|(draft, _)| draft.fate == Fate::Live && !draft.changes.is_empty())
        .filter_map(|(draft, place)| {
            let known = draft.user.and_then(|user| snapshot.users.get(user)).map(|user| user.id);
            let user_id = known.or_else(|| ids.get(place.as_ref()?).copied())?;
            Some(UserWrite {
                user_id,
                is_new: draft.user.is_none(),
                line: draft.line,
                changes: draft.changes,
            })
        })
        .collect()
}

/// Whom an applied full file listed: refused rows too, for their people are present.
fn listed(context: &Context<'_>, rows: &Rows<'_>, ids: &BTreeMap<usize, i64>) -> Option<Vec<i64>> {
    if context.sheet.mode != Mode::Full {
        return None;
    }
    let users = context.job.snapshot.users.iter().zip(&rows.present);
    let mut listed: Vec<i64> =
        users.filter(|(_, present)| **present).map(|(user, _)| user.id).collect();
    listed.extend(ids.values());
    listed.sort_unstable();
    Some(listed)
}

/// What the source has settled once this file is applied.
fn memory(context: &Context<'_>, rows: &Rows<'_>) -> SourceMemory {
    let (job, sheet) = (context.job, context.sheet);
    let mut memory = job.snapshot.source.clone();
    memory.key = Some(sheet.key);
    memory.date_order = sheet.dates.proved.or(memory.date_order);
    if sheet.mode == Mode::Full {
        memory.ends_with_newline = Some(sheet.table.ends_with_newline());
        memory.columns = field_names(&sheet.columns);
        memory.rows = u64::try_from(sheet.table.row_count()).ok();
    }
    memory.import = Some(job.meta.import.clone());
    memory.sha256 = Some(job.meta.sha256.clone());
    memory.settings_version = Some(job.settings.version());
    memory.depends_on_date = rows.depends_on_date;
    memory.applied_on = Some(job.today);
    memory
}
