//! Rows and directory in, changes out: who each row is and what it becomes.

mod absence;
mod cells;
mod changes;
mod circles;
mod coded;
mod contract;
mod defaults;
mod draft;
mod entries;
mod finish;
mod given;
mod guards;
mod held;
mod identity;
mod logins;
mod managers;
mod memo;
mod others;
mod people;
mod places;
pub mod quick;
mod renumber;
mod repeats;
mod rows;
mod search;
mod sheet;
mod swaps;
mod tell;
mod then;
mod wired;

use serde::{Deserialize, Serialize};

use super::codes::{Code, Params};
use super::directory::{Absence, ManagerWish, SourceMemory, Values};
pub use given::Newcomers;
pub use held::{By, Ending, approved, ended, held_again, held_for_somebody, rows_decided};
pub(super) use sheet::order_name;
pub(super) use tell::{found, from_note};

use super::fields::{Field, FieldKey};
use super::note::FileRefusal;
use super::report::{Message, Report};
use super::settings::Settings;
use super::{Job, Meta};
use crate::model::ImportStatus;

/// One field's change of one user; kept as history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldChange {
    /// The field.
    pub field: FieldKey,
    /// The value before, canonical; `None`: there was none.
    pub from: Option<Box<str>>,
    /// The value after, canonical; `None`: cleared.
    pub to: Option<Box<str>>,
}

/// The writes for one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserWrite {
    /// The user's id; a new user's is given here (`Snapshot::next_user_id` onwards).
    pub user_id: i64,
    /// The line in the file, as Excel numbers rows; 0: no row of the file says so (absence, a manager who appeared).
    pub line: u32,
    /// What is written.
    pub what: Written,
}

/// What is written for a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// The user is created with these values.
    Created(Values),
    /// The user is in the directory; these fields change.
    Changed(Vec<FieldChange>),
}

impl UserWrite {
    /// Whether the user is created by this write.
    #[must_use]
    pub fn is_new(&self) -> bool {
        matches!(self.what, Written::Created(_))
    }

    /// The fields that change; none for a new user.
    #[must_use]
    pub fn changes(&self) -> &[FieldChange] {
        match &self.what {
            Written::Created(_) => &[],
            Written::Changed(changes) => changes,
        }
    }
}

/// A code that no value map and no list knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownCode {
    /// The field whose value map could have it.
    pub field: FieldKey,
    /// As the file writes it.
    pub code: String,
    /// How many rows have it.
    pub rows: u64,
    /// The first of them, as Excel numbers rows.
    pub line: u32,
}

/// What an import would do, decided before the first write.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The change number of the snapshot that it was made from.
    pub change_number: i64,
    /// The writes, in file order. Empty unless the report's status is an applied one.
    pub writes: Vec<UserWrite>,
    /// New entries of reference lists: field and code, each once.
    pub list_entries: Vec<(Field, String)>,
    /// What the source has settled after this import; `None`: leave as it is.
    pub source: Option<SourceMemory>,
    /// The users whom this applied full file listed, by id in ascending order; `None`: leave as it is.
    pub listed: Option<Vec<i64>>,
    /// Everybody who is absent from the source after this full file; `None`: leave as it is.
    pub absences: Option<Vec<(i64, Absence)>>,
    /// The users whom absence ends in this plan (their new end is among the writes), by id.
    pub ended_by_absence: Vec<i64>,
    /// Managers whom nobody was found for: `Some` is remembered for the user, `None` is forgotten.
    pub manager_wishes: Vec<(i64, Option<ManagerWish>)>,
    /// Values that are not protected any more, for the file says something new.
    pub unprotected: Vec<(i64, FieldKey)>,
    /// Values that a default gave to new users though the file clears them with a blank: they stay until it says something.
    pub defaulted: Vec<(i64, FieldKey)>,
    /// Codes that no value map and no list knows, for the operator to map; also of a file that is not applied.
    pub unmapped: Vec<UnknownCode>,
    /// What a held or approved plan would write, as one number; `None`: nobody has to approve it.
    pub digest: Option<String>,
    /// What becomes of the prints of the source's rows.
    pub prints: quick::NewPrints,
    /// The report's content; `finished_at` is filled in by the caller.
    pub report: Report,
}

impl Plan {
    /// Puts new users among the writes, in the order of the file.
    pub fn take_in(&mut self, newcomers: &Newcomers<'_>) {
        if !newcomers.is_empty() {
            self.writes = given::merged(newcomers.writes(), std::mem::take(&mut self.writes));
        }
    }

    /// A plan that writes nothing.
    #[must_use]
    pub fn nothing(change_number: i64, report: Report) -> Self {
        Self {
            change_number,
            writes: Vec::new(),
            list_entries: Vec::new(),
            source: None,
            listed: None,
            absences: None,
            ended_by_absence: Vec::new(),
            manager_wishes: Vec::new(),
            unprotected: Vec::new(),
            defaulted: Vec::new(),
            unmapped: Vec::new(),
            digest: None,
            prints: quick::NewPrints::Drop,
            report,
        }
    }
}

/// Decides what a file would do to the directory. Never fails: a file that cannot be read is a plan with
/// the status `rejected`.
#[must_use]
pub fn plan(job: &Job<'_>) -> Plan {
    let Made { mut plan, newcomers } = make(job);
    plan.take_in(&newcomers);
    plan
}

/// A plan whose new users are still in the file, unless somebody has to decide about it: there may be a million.
#[derive(Debug)]
pub struct Made<'a> {
    /// Without the writes of the new users.
    pub plan: Plan,
    /// Those.
    pub newcomers: Newcomers<'a>,
}

/// The same as [`plan`], with the new users to be read from the file as they are written.
#[must_use]
pub fn make<'a>(job: &'a Job<'a>) -> Made<'a> {
    let mut teller = tell::Teller::default();
    let mut opened = sheet::Opened::default();
    let Some(sheet) = sheet::open(job, &mut opened, &mut teller) else {
        let plan = finish::refused(job, opened, teller);
        return Made { plan, newcomers: Newcomers::default() };
    };
    let context = draft::Context { job, sheet: &sheet, today: job.today.to_string(), unread: None };
    let rows = rows::read(&context, &mut teller);
    let finish::Finished { mut plan, new, prints } = conclude(&context, rows, teller, opened);
    if let Some(prints) = prints {
        plan.prints = quick::all_new(prints, &plan);
    }
    Made { plan, newcomers: Newcomers::new(sheet, new, job.snapshot.next_user_id) }
}

/// The plan of a file that could not be opened, so that there was nothing to read.
#[must_use]
pub fn plan_unopened(job: &Job<'_>, refusal: &FileRefusal) -> Plan {
    let mut teller = tell::Teller::default();
    teller.file(sheet::refused_file(refusal));
    finish::refused(job, sheet::Opened::default(), teller)
}

/// From the rows by themselves to the plan: what they mean for each other.
fn conclude(
    context: &draft::Context<'_>,
    mut rows: draft::Rows,
    mut teller: tell::Teller,
    opened: sheet::Opened,
) -> finish::Finished {
    logins::give(context, &mut rows, &mut teller);
    // A refused row takes nothing and gives nothing, so whatever hung on it is asked again.
    loop {
        while people::refuse_clashes(context, &mut rows, &mut teller) {}
        let (managers, bosses, of_row, everybody) = {
            let people = people::people(context, &rows.drafts);
            let managers = managers::resolve(context, &people, &rows);
            if managers.refused_rows.is_empty() {
                people::tell_homonyms(context, &people, &mut teller);
            }
            let bosses = quick::bosses(context, &people, &managers, &rows);
            let everybody = people.len();
            (managers, bosses, people.of_row, everybody)
        };
        let mut managers = managers;
        let refused = std::mem::take(&mut managers.refused_rows);
        let stays = |row: &usize| refused.is_empty() || refused.contains(row);
        for (row, told) in
            std::mem::take(&mut managers.told).into_iter().filter(|(row, _)| stays(row))
        {
            teller.row(row, told);
        }
        if refused.is_empty() {
            rows.depends_on_date |= managers.depends_on_date;
            let decided = finish::Decided {
                context,
                rows,
                managers,
                bosses,
                of_row,
                people: everybody,
                teller,
            };
            return finish::finish(decided, opened);
        }
        for row in refused {
            if let Some(draft) = rows.drafts.get_mut(row) {
                draft.fate = draft::Fate::Refused;
            }
        }
    }
}

/// The plan for a file that `is_duplicate`: nothing to do, and said so. `first` is how it ended when it was applied.
#[must_use]
pub fn plan_duplicate(
    meta: &Meta,
    settings: &Settings,
    source: &SourceMemory,
    first: Option<ImportStatus>,
    change_number: i64,
) -> Plan {
    let before = source.import.clone().unwrap_or_default();
    let day = source.applied_on.map(|day| day.to_string()).unwrap_or_default();
    let told = tell::params([("import", before), ("applied_date", day)]);
    let why = if first == Some(ImportStatus::Partial) { "partial" } else { "" };
    let message = tell::message(Code::N003, why, told);
    told_only(meta, settings, ImportStatus::Duplicate, message, change_number)
}

/// The plan for an import that a newer full file of the same path has made needless.
#[must_use]
pub fn plan_superseded(meta: &Meta, settings: &Settings, newer: &str) -> Plan {
    let told = tell::params([("import", newer.to_owned())]);
    told_only(meta, settings, ImportStatus::Superseded, tell::message(Code::N004, "", told), 0)
}

/// The plan for an import that failed by our fault; `why` is for the operator.
#[must_use]
pub fn plan_failed(meta: &Meta, settings: &Settings, why: &str) -> Plan {
    let told = tell::params([("import", meta.import.clone()), ("why", why.to_owned())]);
    told_only(meta, settings, ImportStatus::Failed, tell::message(Code::E901, "", told), 0)
}

fn told_only(
    meta: &Meta,
    settings: &Settings,
    status: ImportStatus,
    message: Message,
    change_number: i64,
) -> Plan {
    let mut report = Report::new(meta, settings, status);
    report.messages = vec![tell::message(Code::N001, "", Params::new()), message];
    Plan::nothing(change_number, report)
}

/// Whether a file says nothing about those who are not in it: the settings say so, or it is a
/// corrections file. Reads only the head of the file.
#[must_use]
pub fn is_delta_file(bytes: &[u8], settings: &Settings) -> bool {
    settings.mode == super::settings::Mode::Delta || sheet::has_correction_columns(bytes)
}
