//! Each row by itself: whom it means, whether it can be read, what it would change.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::cells::Reader;
use super::draft::{Context, Draft, Fate, Rows, key_column, user_name};
use super::identity::{Index, KeyProblem, Keys, PaddedRows, RowKey, Slot, row_key};
use super::memo::Memo;
use super::repeats::{refuse_repeat, repeated};
use super::tell::{MAX_NAMED, Teller, few, found, message, params};
use super::{renumber, swaps};
use crate::cores;
use crate::import::Filler;
use crate::import::codes::{Code, Effect, Level};
use crate::import::fields::{CellCount, Field, FieldKey};
use crate::import::report::Message;
use crate::import::settings::key_fields;
use crate::import::table::Row;
use crate::import::text::clean;

/// Reads all rows.
pub(super) fn read<'s>(context: &Context<'s>, teller: &mut Teller) -> Rows {
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
        unprotected: Vec::new(),
        defaulted: Vec::new(),
    };
    let keys = Keys::read(sheet, |row| broken(context, row).is_none());
    for at in keys.missing() {
        rows.tell_unread(context, &index, at, teller);
    }
    rows.identify_all(context, &mut index, &keys, teller);
    renumber::settle(context, &keys, &mut rows, teller);
    rows.read_cells(context, teller);
    swaps::settle(context, &mut rows, teller);
    renumber::see_resembled(context, &keys, &mut rows);
    if let Some(lines) = context.approved_lines() {
        rows.set_aside(lines, teller);
    }
    rows
}

impl<'s> Rows {
    /// Finds whom each row means; a row whose user stands in others too, or that means nobody for sure, is told.
    fn identify_all(
        &mut self,
        context: &Context<'s>,
        index: &mut Index<'s>,
        keys: &Keys<'s>,
        teller: &mut Teller,
    ) {
        let sheet = context.sheet;
        let repeated = repeated(context, keys);
        let padded = PaddedRows::new(keys, sheet.key);
        for (at, row) in sheet.table.rows().enumerate() {
            let mut draft = Draft::refused(row.line());
            if let Some(key) = keys.get(at) {
                match identify(context, index, &padded, &key) {
                    Ok(user) => {
                        draft.set_user(user);
                        self.see(user);
                        match repeated.get(&at) {
                            Some(repeat) => {
                                refuse_repeat(context, &row, &mut draft, at, repeat, teller)
                            }
                            None => draft.fate = Fate::Live,
                        }
                    }
                    Err(stranger) => self.tell_stranger(context, at, &row, stranger, teller),
                }
            }
            self.drafts.push(draft);
        }
    }

    fn tell_stranger(
        &mut self,
        context: &Context<'s>,
        at: usize,
        row: &Row<'s>,
        stranger: Stranger,
        teller: &mut Teller,
    ) {
        stranger.seen.iter().for_each(|user| self.see(Some(*user)));
        let user = context.user(stranger.seen.first().copied());
        let mut told = context.place(row, user, key_column(context.sheet), *stranger.message);
        told.kept = String::new();
        teller.row(at, told);
    }

    /// Reads the cells of the rows that go on.
    fn read_cells(&mut self, context: &Context<'s>, teller: &mut Teller) {
        // Codes that nothing knows are counted up to a limit, from the first row of the file on.
        let read = if context.sheet.coders.refuse_unknown() {
            vec![(Vec::new(), Stretch::read(context, 0, &mut self.drafts, teller))]
        } else {
            let (rows, piece) = (self.drafts.len(), cores::piece(self.drafts.len()));
            let stretches = self.drafts.chunks_mut(piece).enumerate();
            cores::all(rows, stretches, |(place, drafts)| {
                let mut own = Teller::default();
                let stretch = Stretch::read(context, place * piece, drafts, &mut own);
                (own.told, stretch)
            })
        };
        for (told, stretch) in read {
            teller.told.extend(told);
            self.unprotected.extend(stretch.left.unprotected);
            self.defaulted.extend(stretch.left.defaulted);
            self.depends_on_date |= stretch.depends_on_date;
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

    /// A row that has no key, or cannot be read as a row: it is told, and its person counts as present.
    fn tell_unread(
        &mut self,
        context: &Context<'s>,
        index: &Index<'s>,
        at: usize,
        teller: &mut Teller,
    ) {
        let Some(row) = context.row(at) else { return };
        let key = row_key(context.sheet, &row);
        match key.as_ref().map(|key| index.get(key)) {
            Ok(Some(Slot::One(user))) => self.see(Some(user)),
            Ok(Some(Slot::Several(users))) => {
                users.into_iter().for_each(|user| self.see(Some(user)))
            }
            // The cells may have moved: nobody knows whom this row means.
            Ok(None) | Err(_) => self.absence_known = false,
        }
        if let Some(message) = broken(context, &row) {
            teller.row(at, context.place(&row, None, None, message));
        } else if let Err(problem) = key {
            let told = key_message(context, &row, &problem, teller);
            teller.row(at, told);
        }
    }
}

/// What reading some rows, one after the other, leaves beside their drafts and what is told.
struct Stretch {
    left: Left,
    depends_on_date: bool,
}

/// What rows leave behind for the store, by row: only a few of them do.
#[derive(Debug, Default)]
pub(super) struct Left {
    /// What the file says anew of values that were protected from it.
    pub unprotected: Vec<(usize, FieldKey)>,
    /// Fields of new users that a default fills though the file clears them with a blank.
    pub defaulted: Vec<(usize, FieldKey)>,
}

impl Stretch {
    /// Reads the cells of these rows, of which the first has this place.
    fn read(
        context: &Context<'_>,
        first: usize,
        drafts: &mut [Draft],
        teller: &mut Teller,
    ) -> Self {
        let mut read = Self { left: Left::default(), depends_on_date: false };
        let mut memos: Vec<Memo<'_>> =
            context.sheet.wired.iter().map(|wired| Memo::new(&wired.key)).collect();
        let mut filler = Filler::default();
        for (at, draft) in (first..).zip(drafts).filter(|(_, draft)| draft.fate == Fate::Live) {
            let Some(row) = context.row(at) else { continue };
            let (memos, filler, left) = (&mut memos, &mut filler, &mut read.left);
            let mut reader = Reader { context, at, row, draft, teller, memos, filler, left };
            let depends_on_date = reader.read();
            reader.draft.depends_on_date = depends_on_date;
            read.depends_on_date |= depends_on_date;
        }
        read
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
    padded: &PaddedRows<'_, 's>,
    key: &RowKey<'s>,
) -> Result<Option<usize>, Stranger> {
    match index.get(key) {
        Some(Slot::One(user)) => return Ok(Some(user)),
        Some(Slot::Several(users)) => {
            let who: Vec<String> = users
                .iter()
                .take(MAX_NAMED + 1)
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
                    params([("key", key.value.to_string()), ("users", few(who))]),
                )),
                seen: users.to_vec(),
            });
        }
        None => {}
    }
    let (why, number, name, seen) = if let Some(place) = index.zero_padded(key) {
        let user = context.user(Some(place));
        let number = user.and_then(|user| user.values.get(Field::EmployeeNumber));
        ("zeros", number.unwrap_or_default().to_owned(), user.map(user_name), vec![place])
    } else if let Some(row) = padded.get(key).and_then(|at| context.row(at)) {
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
