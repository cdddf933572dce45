//! The quick path: rows that are, byte for byte, rows of the last applied file are not read again.
//!
//! A print is kept of every row whose outcome hangs on nothing but its bytes, the settings and its own user. As long
//! as nothing was written to the directory since, such a row changes nothing when it comes again. Whatever else there
//! is goes through the usual plan, over the users whom it can touch or needs; whatever is unusual, through the usual
//! plan over everything.

mod prints;
mod split;
mod wants;

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::draft::{Context, Rows};
use super::finish::Finished;
use super::rows;
use super::sheet::{Opened, with_table};
use super::tell::Teller;
use super::{Plan, UserWrite, conclude, given};
use crate::import::directory::SourceMemory;
use crate::import::fields::Headers;
use crate::import::settings::Mode;
use crate::import::table::{self, Segment, Table, TableLimits};
use crate::import::text::Decoded;
use crate::import::{Job, unpack};

pub(super) use prints::{Boss, bosses, of_rows};
pub use wants::Wants;
use wants::wants;

/// How many bytes the secret of a directory has, with which its prints are made.
pub const SECRET_BYTES: usize = 192;

/// Moves whenever a row that comes again may come out otherwise than before.
const FORMAT: &str = concat!(env!("CARGO_PKG_VERSION"), "/1");

/// The first and the last records are always read: by them the header is found, and totals and signatures.
const ALWAYS_READ: [usize; 2] = [table::TOP_RECORDS, table::FOOT_RECORDS];

/// One row of the last applied file that changes nothing when it comes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Print {
    /// Keyed hash of the record's bytes.
    pub hash: [u8; 16],
    /// The user whom it means, by id.
    pub user: u32,
    /// The manager whom it names, by number in the own legal entity; 0: it names none.
    pub boss: u32,
    /// The user's last day as a number, 20261231; 0: none.
    pub end: u32,
}

/// What must be the same for prints to mean anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The import that made them.
    pub import: String,
    /// The version of its settings.
    pub settings_version: String,
    /// This program's way of planning.
    pub format: String,
    /// The encoding.
    pub encoding: String,
    /// The separator.
    pub delimiter: u8,
    /// The text up to the first row.
    pub text: String,
}

/// The prints of a source's last applied file, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prints {
    /// What must be the same.
    pub head: Head,
    /// The rows.
    pub rows: Vec<Print>,
}

/// What becomes of a source's prints when a plan is applied.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum NewPrints {
    /// They go: the next file is planned in the usual way.
    #[default]
    Drop,
    /// The rows stay as they are, under a new head.
    Keep(Head),
    /// These take their place.
    Replace(Prints),
}

/// A file beside the prints of the one before.
#[derive(Debug)]
pub struct Glance<'a> {
    decoded: Decoded<'a>,
    prints: Prints,
    /// Where each record below the header begins.
    places: Vec<split::Place>,
    /// The print that each record hit.
    hits: Vec<Option<u32>>,
    /// The record that hit, by user.
    record_of: Vec<Option<u32>>,
    head_records: usize,
    limits: TableLimits,
}

/// Rows that hit, and whose users are not in the snapshot: the plan counts them without reading them.
#[derive(Debug, Default)]
pub(super) struct Unread {
    /// How many.
    pub rows: u64,
    /// How many of their users have not left.
    pub active: u64,
    /// Their users, ascending.
    pub users: Vec<i64>,
    /// The text up to the first row.
    pub head: String,
}

/// What came of planning a part.
#[derive(Debug)]
pub enum Outcome {
    /// The same plan as the usual one.
    Planned(Box<Plan>),
    /// Users with these values must be known first.
    Wants(Box<Wants>),
    /// Something is unusual: plan everything in the usual way.
    Usual,
}

/// The prints of the rows that were read, in the order of the file.
#[derive(Debug)]
pub(super) struct ReadPrints {
    pub head: Head,
    /// The row number of each.
    pub lines: Vec<u32>,
    pub rows: Vec<Print>,
}

/// Looks at a file beside the prints of the last applied one; `None`: something is unusual. `job` needs no snapshot.
#[must_use]
pub fn glance<'a>(
    job: &Job<'a>,
    memory: &SourceMemory,
    next_user_id: i64,
    prints: Prints,
    secret: &[u8],
) -> Option<Glance<'a>> {
    let head = &prints.head;
    let usual = job.settings.mode != Mode::Full
        || job.dry_run
        || job.approval.is_some()
        || job.meta.bytes > job.limits.max_bytes
        || head.format != FORMAT
        || memory.import.as_ref() != Some(&head.import)
        || head.settings_version != job.settings.version();
    if usual {
        return None;
    }
    let unpacked = unpack::open(job.bytes, &job.limits.unpack(), job.settings.encoding).ok()?;
    let decoded = unpacked.decoded;
    let bare = unpacked.wrapping.words().is_none() && !decoded.is_worksheet;
    if !bare || decoded.encoding.name() != head.encoding || !table::is_plain(&decoded.text) {
        return None;
    }
    let rest = decoded.text.strip_prefix(head.text.as_str())?;
    let head_records = table::records_of_head(&head.text, head.delimiter)?;
    let lines_before = memchr::memchr_iter(b'\n', head.text.as_bytes()).count();
    let split = split::split(rest, head.text.len(), lines_before + 1, &prints.rows, secret)?;
    let limits = job.limits.table();
    let (places, mut hits) = (split.places, split.hits);
    let [top, foot] = ALWAYS_READ;
    hits.iter_mut().take(top).for_each(|hit| *hit = None);
    hits.iter_mut().rev().take(foot).for_each(|hit| *hit = None);
    let mut glance =
        Glance { decoded, prints, places, hits, record_of: Vec::new(), head_records, limits };
    glance.index_users(next_user_id)?;
    Some(glance)
}

impl<'a> Glance<'a> {
    fn index_users(&mut self, next_user_id: i64) -> Option<()> {
        self.record_of = vec![None; usize::try_from(next_user_id).ok()?];
        for (record, hit) in self.hits.iter().enumerate() {
            let Some(user) = hit.and_then(|hit| self.print(hit)).map(|print| print.user) else {
                continue;
            };
            let slot = self.record_of.get_mut(usize::try_from(user).ok()?)?;
            if slot.replace(u32::try_from(record).ok()?).is_some() {
                return None;
            }
        }
        Some(())
    }

    fn print(&self, hit: u32) -> Option<&Print> {
        self.prints.rows.get(usize::try_from(hit).ok()?)
    }

    /// The users who did not hit, by id: whoever is absent is among them.
    pub fn others(&self) -> impl Iterator<Item = i64> {
        let ids = self.record_of.iter().enumerate().skip(1);
        ids.filter(|(_, record)| record.is_none()).filter_map(|(id, _)| i64::try_from(id).ok())
    }

    /// Has the rows of these users read all the same.
    pub fn read(&mut self, users: impl IntoIterator<Item = i64>) {
        for user in users {
            let slot = usize::try_from(user).ok().and_then(|id| self.record_of.get_mut(id));
            let record = slot.and_then(Option::take).and_then(|at| usize::try_from(at).ok());
            if let Some(hit) = record.and_then(|at| self.hits.get_mut(at)) {
                *hit = None;
            }
        }
    }

    /// The users of unread rows whose manager is one of these, by id.
    #[must_use]
    pub fn reports_of(&self, bosses: &[i64]) -> Vec<i64> {
        // Looked up for every row: a whole department's managers may have changed.
        let bosses: HashSet<u32> = bosses.iter().filter_map(|id| u32::try_from(*id).ok()).collect();
        if bosses.is_empty() {
            return Vec::new();
        }
        let prints = self.hits.iter().flatten().filter_map(|hit| self.print(*hit));
        let reports = prints.filter(|print| bosses.contains(&print.boss));
        reports.map(|print| i64::from(print.user)).collect()
    }

    /// The rows that have to be read, as a table in which every row has its own line.
    fn table(&self, headers: &Headers) -> Option<Table<'_>> {
        let unread = self.hits.iter().enumerate().filter(|(_, hit)| hit.is_none());
        let segments: Vec<Segment> = unread.filter_map(|(at, _)| self.segment(at)).collect();
        let head = &self.prints.head;
        let (bytes, delimiter) = (head.text.len(), head.delimiter);
        table::read_part(&self.decoded, bytes, delimiter, &segments, headers, &self.limits)
    }

    fn segment(&self, at: usize) -> Option<Segment> {
        let place = self.places.get(at)?;
        let next = self.places.get(at + 1).map_or(self.decoded.text.len(), |next| next.start());
        Some(Segment {
            start: place.start(),
            next,
            line: u32::try_from(self.head_records + at + 1).ok()?,
            physical_line: place.physical_line,
        })
    }

    pub(super) fn unread(&self, today: &str) -> Unread {
        let today = prints::day(today);
        let mut unread = Unread { head: self.prints.head.text.clone(), ..Unread::default() };
        for print in self.hits.iter().flatten().filter_map(|hit| self.print(*hit)) {
            unread.rows += 1;
            unread.active += u64::from(print.end == 0 || print.end >= today);
        }
        let ids = self.record_of.iter().enumerate().filter(|(_, record)| record.is_some());
        unread.users = ids.filter_map(|(id, _)| i64::try_from(id).ok()).collect();
        unread
    }

    /// The prints after the plan: those that were hit, and those of the rows that were read.
    fn renewed(&self, read: ReadPrints, plan: &Plan) -> NewPrints {
        let moved = moved_bosses(plan);
        let mut rows = Vec::with_capacity(self.hits.len());
        let ReadPrints { head, lines, rows: read } = read;
        let mut read = lines.into_iter().zip(read).peekable();
        for (at, hit) in self.hits.iter().enumerate() {
            let line = u32::try_from(self.head_records + at + 1).unwrap_or(u32::MAX);
            match hit.and_then(|hit| self.print(hit)) {
                Some(print) => rows.push(*print),
                None => rows.extend(read.next_if(|(own, _)| *own == line).map(|(_, print)| print)),
            }
        }
        rows.retain(|print| moved.binary_search(&i64::from(print.boss)).is_err());
        if rows == self.prints.rows {
            NewPrints::Keep(head)
        } else {
            NewPrints::Replace(Prints { head, rows })
        }
    }
}

/// Users of whom something changes that others hang on, though no row says so (absence ends them), by id.
fn moved_bosses(plan: &Plan) -> Vec<i64> {
    let moves = |write: &&UserWrite| {
        write.line == 0 && write.changes().iter().any(|change| wants::moves_boss(&change.field))
    };
    let mut moved: Vec<i64> = plan.writes.iter().filter(moves).map(|w| w.user_id).collect();
    moved.sort_unstable();
    moved
}

/// The prints of a file all of whose rows were read.
pub(super) fn all_new(read: ReadPrints, plan: &Plan) -> NewPrints {
    let ReadPrints { head, mut rows, .. } = read;
    let moved = moved_bosses(plan);
    rows.retain(|print| moved.binary_search(&i64::from(print.boss)).is_err());
    NewPrints::Replace(Prints { head, rows })
}

/// Plans the rows that did not hit over the users whom they can touch or need. `job.snapshot` holds those, and
/// everybody who has what was `asked` for.
#[must_use]
pub fn plan_part<'s>(job: &'s Job<'s>, glance: &'s Glance<'s>, asked: &Wants) -> Outcome {
    let mut teller = Teller::default();
    let mut opened = Opened::default();
    let headers = Headers::new(&job.settings.aliases, job.settings.unknown_columns);
    let unread = glance.unread(&job.today.to_string());
    let sheet =
        glance.table(&headers).and_then(|t| with_table(job, t, &headers, &mut opened, &mut teller));
    let Some(sheet) = sheet else { return Outcome::Usual };
    let today = job.today.to_string();
    let context = Context { job, sheet: &sheet, today, unread: Some(&unread) };
    let rows = rows::read(&context, &mut teller);
    if !has_sure_dates(&context) || makes_logins(&context, &rows) {
        return Outcome::Usual;
    }
    let wants = wants(&context, &rows).beyond(asked);
    if !wants.is_empty() {
        return Outcome::Wants(Box::new(wants));
    }
    let Finished { mut plan, new, prints: read } = conclude(&context, rows, teller, opened);
    let created = given::writes(&sheet, &new, job.snapshot.next_user_id);
    plan.writes = given::merged(created, std::mem::take(&mut plan.writes));
    if !plan.report.status.is_applied() {
        return Outcome::Usual;
    }
    if let Some(listed) = &mut plan.listed {
        listed.extend(&unread.users);
        listed.sort_unstable();
    }
    plan.prints = read.map_or(NewPrints::Drop, |read| glance.renewed(read, &plan));
    Outcome::Planned(Box::new(plan))
}

/// The order of the dates is settled, and these rows say nothing else: whatever the others prove is in line with it.
fn has_sure_dates(context: &Context<'_>) -> bool {
    let (job, dates) = (context.job, &context.sheet.dates);
    let frozen = job.snapshot.source.date_order;
    let settled = job.settings.dates.or(frozen).is_some();
    // Whether day and month were swapped shows only beside the rows that are not looked at here.
    let whole = frozen.is_none() || !dates.may_be_swapped;
    settled && whole && dates.proved.is_none_or(|proved| frozen == Some(proved))
}

/// A login that is made must differ from everybody's.
fn makes_logins(context: &Context<'_>, rows: &Rows) -> bool {
    context.job.settings.login_pattern.is_some() && rows.drafts.iter().any(|d| d.user().is_none())
}
