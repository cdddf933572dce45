//! What a row would do, and everything that deciding it needs.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Deref;

use super::given::Given;
use super::places::Place;
use super::quick::Unread;
use super::sheet::Sheet;
use super::tell::{is_sensitive, shown};
use super::wired::Wired;
use super::{FieldChange, tell};
use crate::import::codes::Effect;
use crate::import::directory::User;
use crate::import::fields::{Field, FieldKey};
use crate::import::report::{Message, PendingRow};
use crate::import::settings::key_fields;
use crate::import::table::Row;
use crate::import::text::clean;
use crate::import::{Approval, Job};

/// What a row would do, before it is compared with other rows.
#[derive(Debug)]
pub(super) struct Draft {
    pub line: u32,
    /// The user in the directory whom it means, by place in the snapshot.
    user: Option<Place>,
    pub fate: Fate,
    /// What changes of a user who is in the directory.
    pub changes: Changes,
    /// What a new user gets.
    pub given: Given,
    pub manager: Wish,
    pub ended: bool,
    pub reinstated: bool,
    /// The user is known under another key and takes this row's.
    pub renumbered: bool,
    /// Something in the row hung on today's date.
    pub depends_on_date: bool,
}

/// What changes of one user: in most rows nothing, and there may be a million of them.
#[derive(Debug, Default)]
pub(super) struct Changes(Option<Box<List>>);

#[derive(Debug, Default)]
struct List {
    changes: Vec<FieldChange>,
    manager: Option<Box<str>>,
}

impl Changes {
    pub(super) fn push(&mut self, change: FieldChange) {
        self.0.get_or_insert_default().changes.push(change);
    }

    pub(super) fn into_vec(self) -> Vec<FieldChange> {
        self.0.map(|list| list.changes).unwrap_or_default()
    }
}

impl Deref for Changes {
    type Target = [FieldChange];

    fn deref(&self) -> &[FieldChange] {
        self.0.as_ref().map_or(&[], |list| &list.changes)
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// Nobody: no such column, a blank that keeps, a refused cell.
    Silent,
    /// The manager goes.
    Clear,
    /// Whom the cell names, as it is written there.
    Cell,
    /// Whom several cells name: the text stands apart, for hardly any row has one.
    Named,
    /// Whom a default of the settings names: the text stands apart too.
    Default,
}

/// The rows of a file, read against the directory.
#[derive(Debug)]
pub(super) struct Rows {
    pub drafts: Vec<Draft>,
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
    /// What the file says anew of values that were protected from it, by row.
    pub unprotected: Vec<(usize, FieldKey)>,
    /// Fields of new users that a default fills though the file clears them with a blank, by row.
    pub defaulted: Vec<(usize, FieldKey)>,
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

    /// Whom a row names as manager, in the words of the cell or of a default.
    pub(super) fn manager_named<'d>(&self, at: usize, draft: &'d Draft) -> Option<Cow<'d, str>>
    where
        's: 'd,
    {
        match draft.manager {
            Wish::Silent | Wish::Clear => None,
            Wish::Cell => self.sheet.value_of(&self.row(at)?, Field::Manager),
            Wish::Named | Wish::Default => {
                draft.changes.0.as_ref()?.manager.as_deref().map(Cow::Borrowed)
            }
        }
    }

    /// What the row at this place gives to a new user, or changes of a known one, for a field of the catalogue.
    pub(super) fn set_by<'d>(
        &self,
        at: usize,
        draft: &'d Draft,
        field: Field,
    ) -> Option<Cow<'d, str>>
    where
        's: 'd,
    {
        if draft.user().is_none() {
            return draft.given.get(self.sheet, self.row(at), field);
        }
        let mut changes = draft.changes.iter();
        let change = changes.find(|change| change.field == FieldKey::Known(field))?;
        change.to.as_deref().map(Cow::Borrowed)
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

impl Draft {
    /// The user in the directory whom it means, by place in the snapshot; `None`: a new one.
    pub(super) fn user(&self) -> Option<usize> {
        self.user.map(Place::at)
    }

    pub(super) fn set_user(&mut self, user: Option<usize>) {
        self.user = user.and_then(Place::new);
    }

    /// Takes whom something else than one cell (`by`) names as manager.
    pub(super) fn name_manager(&mut self, text: &str, by: Wish) {
        self.manager = by;
        self.changes.0.get_or_insert_default().manager = Some(text.into());
    }

    /// A row that takes nothing, until it is known whom it means.
    pub(super) fn refused(line: u32) -> Self {
        Self {
            line,
            user: None,
            fate: Fate::Refused,
            changes: Changes::default(),
            given: Given::default(),
            manager: Wish::Silent,
            ended: false,
            reinstated: false,
            renumbered: false,
            depends_on_date: false,
        }
    }
}

impl Rows {
    /// Counts a user as present.
    pub(super) fn see(&mut self, user: Option<usize>) {
        if let Some(seen) = user.and_then(|user| self.present.get_mut(user)) {
            *seen = true;
        }
    }
}

/// The column that shows a row's key best: the last field of the key.
pub(super) fn key_column<'x, 'a>(sheet: &'x Sheet<'a>) -> Option<&'x Wired<'a>> {
    sheet.field(&FieldKey::Known(*key_fields(sheet.key).last()?))
}
