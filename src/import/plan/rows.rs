//! Each row by itself: whom it means, whether it can be read, what it would change.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::cells::Reader;
use super::identity::{Index, KeyProblem, RowKey, Slot, padded_rows, row_key};
use super::quick::Unread;
use super::repeats::{refuse_repeat, repeated};
use super::sheet::{Memo, Sheet, Wired};
use super::tell::{Teller, found, is_sensitive, message, params, shown};
use super::{FieldChange, renumber, swaps, tell};
use crate::import::codes::{Code, Effect, Level};
use crate::import::directory::{User, Values};
use crate::import::fields::{CellCount, Field, FieldKey};
use crate::import::report::{Message, PendingRow};
use crate::import::settings::key_fields;
use crate::import::table::Row;
use crate::import::text::clean;
use crate::import::{Approval, Filler, Job};

/// What a row would do, before it is compared with other rows.
#[derive(Debug)]
pub(super) struct Draft<'s> {
    pub line: u32,
    /// The user in the directory whom it means, by place in the snapshot.
    pub user: Option<usize>,
    pub fate: Fate,
    /// What changes of a user who is in the directory.
    pub changes: Vec<FieldChange>,
    /// What a new user gets.
    pub given: Values,
    pub manager: Wish<'s>,
    pub ended: bool,
    pub reinstated: bool,
    /// The user is known under another key and takes this row's.
    pub renumbered: bool,
    /// What the file says anew of values that were protected from it.
    pub unprotected: Vec<FieldKey>,
    /// Something in the row hung on today's date.
    pub depends_on_date: bool,
}

impl Draft<'_> {
    /// What the row sets: a new user's values, or what changes of a known one.
    pub(super) fn sets(&self) -> impl Iterator<Item = (FieldKey, Option<&str>)> {
        let given = self.given.all().map(|(key, value)| (key, Some(value)));
        given.chain(self.changes.iter().map(|c| (c.field.clone(), c.to.as_deref())))
    }
}

/// Whether a row goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Live,
    Refused,
    /// It waits for somebody's approval (D105).
    Held,
    Ignored,
}

/// Whom a row names as manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wish<'s> {
    /// Nobody: no such column, a blank that keeps, a refused cell.
    Silent,
    /// The manager goes.
    Clear,
    /// The text of the cell or of the default.
    Named(Cow<'s, str>),
}

/// The rows of a file, read against the directory.
#[derive(Debug)]
pub(super) struct Rows<'s> {
    pub drafts: Vec<Draft<'s>>,
    /// Whether each user of the directory is in the file, also by a refused row.
    pub present: Vec<bool>,
    /// Every row's person is known, so whoever is not present is absent.
    pub absence_known: bool,
    /// On another day the same bytes might come out otherwise.
    pub depends_on_date: bool,
    /// Rows that somebody may approve one by one; of a file that is planned for that, those that may go on.
    pub pending: Vec<PendingRow>,
    /// The rows that name somebody else under a known key (D105).
    pub swapped: Vec<usize>,
}

/// The longest raw cell that a report repeats, in characters.
const MAX_SHOWN_CHARS: usize = 200;

/// Everything that reading a row needs.
#[derive(Debug)]
pub(super) struct Context<'s> {
    pub job: &'s Job<'s>,
    pub sheet: &'s Sheet<'s>,
    pub today: String,
    /// Rows of the file that need not be read; `None`: all are.
    pub unread: Option<&'s Unread>,
}

impl<'s> Context<'s> {
    /// How many rows the file has.
    pub(super) fn row_count(&self) -> u64 {
        let read = u64::try_from(self.sheet.table.row_count()).unwrap_or(u64::MAX);
        read + self.unread.map_or(0, |unread| unread.rows)
    }

    pub(super) fn user(&self, place: Option<usize>) -> Option<&'s User> {
        self.job.snapshot.users.get(place?)
    }

    /// The lines that somebody approved one by one; `None`: the file as a whole is meant.
    pub(super) fn approved_lines(&self) -> Option<&'s BTreeSet<u32>> {
        match self.job.approval {
            Some(Approval::Rows(lines)) => Some(lines),
            Some(Approval::Whole) | None => None,
        }
    }

    pub(super) fn row(&self, row: usize) -> Option<Row<'s>> {
        self.sheet.table.row(row)
    }

    /// Puts a message in its place: line, cell, column, what was received and kept, the person.
    pub(super) fn place(
        &self,
        row: &Row<'_>,
        user: Option<&User>,
        wired: Option<&Wired<'_>>,
        mut message: Message,
    ) -> Message {
        message.line = Some(row.line());
        message.physical_line = Some(row.physical_line());
        message.person = self.person(row, user);
        let Some(wired) = wired else { return message };
        message.cell = format!("{}{}", wired.letter, row.line());
        message.column.clone_from(&wired.header);
        message.field = Some(wired.key.clone());
        let raw = row.get(wired.index).unwrap_or_default();
        let raw: String = raw.chars().take(MAX_SHOWN_CHARS).collect();
        message.received = shown(&wired.key, &raw);
        let stays =
            matches!(message.effect, Effect::CellRefused | Effect::RowRefused | Effect::Kept);
        if stays && let Some(old) = user.and_then(|user| user.values.get_key(&wired.key)) {
            message.kept = match wired.key {
                // The directory keeps an id; people know the name.
                FieldKey::Known(Field::Manager) => self.manager_name(old),
                _ => shown(&wired.key, old),
            };
        }
        if is_sensitive(&wired.key) {
            for name in ["value", "dmy", "mdy", "ymd"] {
                message.params.entry(name.to_owned()).and_modify(|v| tell::MASK.clone_into(v));
            }
        }
        message
    }

    fn manager_name(&self, id: &str) -> String {
        let users = &self.job.snapshot.users;
        id.parse::<i64>()
            .ok()
            .and_then(|id| users.binary_search_by_key(&id, |user| user.id).ok())
            .and_then(|place| users.get(place))
            .map(user_name)
            .unwrap_or_default()
    }

    /// The person of a row, `DUPONT Anne`: by the row's own cells, else by the directory.
    pub(super) fn person(&self, row: &Row<'_>, user: Option<&User>) -> String {
        let cell = |field| {
            let wired = self.sheet.field(&FieldKey::Known(field))?;
            let raw = row.get(wired.index)?;
            Some(clean(&raw).into_owned()).filter(|text| !text.is_empty())
        };
        match (cell(Field::LastName), cell(Field::FirstName)) {
            (None, None) => user.map(user_name).unwrap_or_default(),
            (last, first) => name(last.as_deref(), first.as_deref()),
        }
    }
}

/// `DUPONT Anne`
pub(super) fn name(last: Option<&str>, first: Option<&str>) -> String {
    match (last, first) {
        (Some(last), Some(first)) => format!("{} {first}", last.to_uppercase()),
        (Some(last), None) => last.to_uppercase(),
        (None, first) => first.unwrap_or_default().to_owned(),
    }
}

/// A user's name, `DUPONT Anne`.
pub(super) fn user_name(user: &User) -> String {
    name(user.values.get(Field::LastName), user.values.get(Field::FirstName))
}

/// Reads all rows.
pub(super) fn read<'s>(context: &Context<'s>, teller: &mut Teller) -> Rows<'s> {
    let (job, sheet) = (context.job, context.sheet);
    let entities = sheet.coders.get(&FieldKey::Known(Field::LegalEntity)).map(Arc::clone);
    let mut index = Index::new(&job.snapshot.users, sheet.key, entities);
    let mut rows = Rows {
        drafts: Vec::with_capacity(sheet.table.row_count()),
        present: vec![false; job.snapshot.users.len()],
        absence_known: true,
        depends_on_date: sheet.dates.depends_on_today,
        pending: Vec::new(),
        swapped: Vec::new(),
    };
    let keys: Vec<Option<RowKey<'s>>> = sheet
        .table
        .rows()
        .enumerate()
        .map(|(at, row)| rows.admit(context, &index, at, &row, teller))
        .collect();
    let repeated = repeated(context, &keys);
    let padded = padded_rows(&keys, sheet.key);
    for (at, (row, key)) in sheet.table.rows().zip(&keys).enumerate() {
        let mut draft = Draft::refused(row.line());
        if let Some(key) = key {
            match identify(context, &mut index, &padded, key) {
                Ok(user) => {
                    draft.user = user;
                    rows.see(user);
                    match repeated.get(&at) {
                        Some(repeat) => {
                            refuse_repeat(context, &row, &mut draft, at, repeat, teller)
                        }
                        None => draft.fate = Fate::Live,
                    }
                }
                Err(stranger) => {
                    stranger.seen.iter().for_each(|user| rows.see(Some(*user)));
                    let user = context.user(stranger.seen.first().copied());
                    let wired = key_column(sheet);
                    let mut told = context.place(&row, user, wired, *stranger.message);
                    told.kept = String::new();
                    teller.row(at, told);
                }
            }
        }
        rows.drafts.push(draft);
    }
    renumber::settle(context, &keys, &mut rows, teller);
    rows.read_cells(context, teller);
    swaps::settle(context, &mut rows, teller);
    renumber::see_resembled(context, &keys, &mut rows);
    if let Some(lines) = context.approved_lines() {
        rows.set_aside(lines, teller);
    }
    rows
}

/// The column that shows a row's key best: the last field of the key.
pub(super) fn key_column<'x, 'a>(sheet: &'x Sheet<'a>) -> Option<&'x Wired<'a>> {
    sheet.field(&FieldKey::Known(*key_fields(sheet.key).last()?))
}

impl Draft<'_> {
    /// A row that takes nothing, until it is known whom it means.
    fn refused(line: u32) -> Self {
        Self {
            line,
            user: None,
            fate: Fate::Refused,
            changes: Vec::new(),
            given: Values::default(),
            manager: Wish::Silent,
            ended: false,
            reinstated: false,
            renumbered: false,
            unprotected: Vec::new(),
            depends_on_date: false,
        }
    }
}

impl<'s> Rows<'s> {
    /// Counts a user as present.
    pub(super) fn see(&mut self, user: Option<usize>) {
        if let Some(seen) = user.and_then(|user| self.present.get_mut(user)) {
            *seen = true;
        }
    }

    /// Reads the cells of the rows that go on.
    fn read_cells(&mut self, context: &Context<'s>, teller: &mut Teller) {
        let sheet = context.sheet;
        let mut memos: Vec<Memo<'s>> =
            sheet.wired.iter().map(|wired| Memo::new(&wired.key)).collect();
        let mut filler = Filler::default();
        let live = sheet.table.rows().zip(&mut self.drafts).enumerate();
        for (at, (row, draft)) in live.filter(|(_, (_, draft))| draft.fate == Fate::Live) {
            let (memos, filler) = (&mut memos, &mut filler);
            let mut reader = Reader { context, at, row, draft, teller, memos, filler };
            let depends_on_date = reader.read();
            reader.draft.depends_on_date = depends_on_date;
            self.depends_on_date |= depends_on_date;
        }
    }

    /// Of a file whose rows are approved one by one, only those are looked at, and only if they wait for approval.
    fn set_aside(&mut self, lines: &BTreeSet<u32>, teller: &mut Teller) {
        let waits: BTreeSet<u32> = self.pending.iter().map(|pending| pending.line).collect();
        for draft in &mut self.drafts {
            let is_meant = lines.contains(&draft.line);
            if !is_meant || (draft.fate == Fate::Live && !waits.contains(&draft.line)) {
                draft.fate = Fate::Ignored;
            }
        }
        teller.told.retain(|told| told.message.line.is_none_or(|line| lines.contains(&line)));
    }

    /// The key of a row that can be read as a row; what cannot is told, and its person counts as present.
    fn admit(
        &mut self,
        context: &Context<'s>,
        index: &Index<'s>,
        at: usize,
        row: &Row<'s>,
        teller: &mut Teller,
    ) -> Option<RowKey<'s>> {
        let sheet = context.sheet;
        let broken = broken(context, row);
        let key = row_key(sheet, row);
        match (&broken, &key) {
            (None, Ok(_)) => return key.ok(),
            (_, Ok(key)) => match index.get(key) {
                Some(Slot::One(user)) => self.see(Some(*user)),
                Some(Slot::Several(users)) => users.iter().for_each(|user| self.see(Some(*user))),
                // The cells may have moved: nobody knows whom this row means.
                None => self.absence_known = false,
            },
            (_, Err(_)) => self.absence_known = false,
        }
        if let Some(message) = broken {
            teller.row(at, context.place(row, None, None, message));
        } else if let Err(problem) = key {
            let told = key_message(context, row, &problem, teller);
            teller.row(at, told);
        }
        None
    }
}

/// What is wrong with a row as a row: its quotes or the number of its cells.
fn broken(context: &Context<'_>, row: &Row<'_>) -> Option<Message> {
    let sheet = context.sheet;
    if row.problem().is_some() {
        return Some(message(Code::R103, "", params([])));
    }
    if row.len() == sheet.columns.columns.len() {
        return None;
    }
    let needed = |key: &FieldKey| match key {
        FieldKey::Known(field) => {
            key_fields(sheet.key).contains(field) || sheet.required.contains(field)
        }
        FieldKey::Custom(_) => false,
    };
    let numbers = |rest: [(&'static str, String); 1]| {
        let cells = [
            ("cells", row.len().to_string()),
            ("columns", sheet.columns.columns.len().to_string()),
        ];
        params(cells.into_iter().chain(rest))
    };
    match sheet.columns.cell_count(row, needed) {
        CellCount::Full | CellCount::MissingOptional(_) => None,
        CellCount::TooMany => Some(message(Code::R101, "", numbers([("why", String::new())]))),
        CellCount::MissingNeeded(key) => {
            Some(message(Code::R101, "missing", numbers([("field", key.to_string())])))
        }
    }
}

fn key_message(
    context: &Context<'_>,
    row: &Row<'_>,
    problem: &KeyProblem<'_>,
    teller: &mut Teller,
) -> Message {
    let (field, mut told) = match problem {
        KeyProblem::Blank(field) => (field, message(Code::V301, "key", params([]))),
        KeyProblem::Refused(field, cell) => (field, found(cell.code, &cell.params)),
        KeyProblem::Code(field, coder, refusal) => {
            (field, coder.refused(refusal, row.line(), teller))
        }
    };
    told.level = Level::Error;
    told.effect = Effect::RowRefused;
    context.place(row, None, context.sheet.field(&FieldKey::Known(*field)), told)
}

/// A row whose key means nobody for sure.
struct Stranger {
    message: Box<Message>,
    /// The users whom it resembles: they count as present.
    seen: Vec<usize>,
}

/// The user whom a key means; `None`: a new one.
fn identify<'s>(
    context: &Context<'_>,
    index: &mut Index<'s>,
    padded: &HashMap<RowKey<'s>, usize>,
    key: &RowKey<'s>,
) -> Result<Option<usize>, Stranger> {
    match index.get(key) {
        Some(Slot::One(user)) => return Ok(Some(*user)),
        Some(Slot::Several(users)) => {
            let who: Vec<String> = users
                .iter()
                .filter_map(|user| context.user(Some(*user)))
                .map(|user| {
                    let entity = user.values.get(Field::LegalEntity).unwrap_or("–");
                    format!("{} ({entity})", user_name(user))
                })
                .collect();
            return Err(Stranger {
                message: Box::new(message(
                    Code::D101,
                    "several",
                    params([("key", key.value.to_string()), ("users", who.join(", "))]),
                )),
                seen: users.clone(),
            });
        }
        None => {}
    }
    let (why, number, name, seen) = if let Some(place) = index.zero_padded(key) {
        let user = context.user(Some(place));
        let number = user.and_then(|user| user.values.get(Field::EmployeeNumber));
        ("zeros", number.unwrap_or_default().to_owned(), user.map(user_name), vec![place])
    } else if let Some(row) = padded.get(key).and_then(|at| context.row(*at)) {
        // Once that row is in the directory, this one is refused too: so it is on the first day.
        let number = key_column(context.sheet).and_then(|wired| row.get(wired.index));
        let number = number.map(|raw| clean(&raw).into_owned()).unwrap_or_default();
        ("zeros_in_file", number, Some(context.person(&row, None)), Vec::new())
    } else {
        return Ok(None);
    };
    let named = [("number", key.value.to_string()), ("known", number)];
    let named = named.into_iter().chain([("user", name.unwrap_or_default())]);
    let mut told = message(Code::V309, why, params(named));
    told.level = Level::Error;
    told.effect = Effect::RowRefused;
    Err(Stranger { message: Box::new(told), seen })
}
