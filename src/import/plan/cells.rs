//! The cells of one row: values, blanks, value maps, defaults, the contract.

use std::borrow::Cow;

use super::FieldChange;
use super::absence::end_by_absence;
use super::coded::{By, Coder, Problem, Refusal, Taken};
use super::contract::{Contract, End, Lift, Refused, settle};
use super::draft::{Context, Draft, Fate, Wish};
use super::memo::{Memo, value};
use super::rows::Left;
use super::tell::{Teller, found, message, params, shown};
use super::wired::Wired;
use crate::import::Filler;
use crate::import::codes::{Code, Effect, Level};
use crate::import::directory::User;
use crate::import::fields::{Field, FieldKey, Value};
use crate::import::report::Message;
use crate::import::settings::Blank;
use crate::import::table::Row;

fn add_once(parts: &mut Vec<String>, part: String) {
    if !parts.contains(&part) {
        parts.push(part);
    }
}

/// Reads one row into its draft.
pub(super) struct Reader<'x, 's> {
    pub context: &'x Context<'s>,
    pub at: usize,
    pub row: Row<'s>,
    pub draft: &'x mut Draft,
    pub teller: &'x mut Teller,
    /// One for each column that fills a field.
    pub memos: &'x mut [Memo<'s>],
    /// Gathers what a new user gets.
    pub filler: &'x mut Filler,
    /// Gathers what the rows leave behind.
    pub left: &'x mut Left,
}

/// What a cell says.
enum Said<'s> {
    /// Nothing: the row ends before it, or it was refused.
    Silent,
    Blank,
    Open,
    Text(Cow<'s, str>),
}

/// What the row says about the contract.
#[derive(Default)]
struct Spoken<'s> {
    start: Option<Cow<'s, str>>,
    end: Option<Cow<'s, str>>,
    end_is_open: bool,
    /// It only repeats an end in whose place somebody has set another.
    end_is_protected: bool,
    status: Option<Cow<'s, str>>,
}

/// Whether two values of a field are the same; the case of a login does not matter.
fn is_same(key: &FieldKey, a: Option<&str>, b: Option<&str>) -> bool {
    match (key, a, b) {
        (FieldKey::Known(Field::Login), Some(a), Some(b)) => {
            a == b || a.to_lowercase() == b.to_lowercase()
        }
        _ => a == b,
    }
}

const START: FieldKey = FieldKey::Known(Field::ContractStart);
const END: FieldKey = FieldKey::Known(Field::ContractEnd);

impl<'s> Reader<'_, 's> {
    pub(super) fn user(&self) -> Option<&'s User> {
        self.context.user(self.draft.user())
    }

    /// Reads every cell; returns whether something hung on today's date.
    pub(super) fn read(&mut self) -> bool {
        let user = self.user();
        let mut spoken = Spoken::default();
        let mut refused: Vec<&'s FieldKey> = Vec::new();
        let mut depends_on_date = false;
        for (at, wired) in self.context.sheet.wired.iter().enumerate() {
            match self.said(at, wired, &mut depends_on_date) {
                Some(said) => self.take(wired, said, &mut spoken),
                None => refused.push(&wired.key),
            }
        }
        self.tell_short_row();
        depends_on_date |= self.settle_contract(&spoken);
        if user.is_none() {
            self.take_birth_name(&refused);
            self.give_defaults(&refused);
            self.require(&refused);
            if !self.filler.is_empty() {
                self.draft.given.take_own(self.filler.finish());
            }
        }
        depends_on_date
    }

    /// What a cell says; `None`: it was refused, and told.
    fn said(
        &mut self,
        at: usize,
        wired: &'s Wired<'s>,
        depends_on_date: &mut bool,
    ) -> Option<Said<'s>> {
        if wired.is_joined() {
            return self.joined(wired);
        }
        let Some(cell) = self.row.get(wired.index) else { return Some(Said::Silent) };
        if let Some(coder) = &wired.coder {
            return self.coded(wired, coder, cell);
        }
        let dates = &self.context.sheet.dates;
        let read = match self.memos.get_mut(at) {
            Some(memo) => memo.value(&wired.key, cell, dates),
            None => value(&wired.key, cell, dates),
        };
        match read {
            Ok(Value::Blank) => Some(Said::Blank),
            Ok(Value::Open) => Some(Said::Open),
            Ok(Value::Text(text)) => Some(Said::Text(text)),
            Err(cell) => {
                *depends_on_date |= cell.depends_on_today;
                self.refuse_cell(wired, found(cell.code, &cell.params));
                None
            }
        }
    }

    /// What a cell says whose value goes through a value map or a list.
    fn coded(
        &mut self,
        wired: &'s Wired<'s>,
        coder: &'s Coder<'s>,
        cell: Cow<'s, str>,
    ) -> Option<Said<'s>> {
        match coder.cell(cell, &self.context.sheet.dates) {
            Ok(None) => Some(Said::Blank),
            Ok(Some((theirs, taken))) => {
                if self.old(&wired.key) != Some(taken.code.as_ref()) {
                    self.tell_changed_code(wired, &theirs, &taken);
                }
                Some(Said::Text(taken.code))
            }
            Err(Problem::Cell(cell)) => {
                self.refuse_cell(wired, found(cell.code, &cell.params));
                None
            }
            Err(Problem::Code(refusal)) => {
                self.refuse_code(wired, coder, &refusal);
                None
            }
        }
    }

    fn refuse_code(&mut self, wired: &Wired<'_>, coder: &Coder<'_>, refusal: &Refusal) {
        let told = coder.refused(refusal, self.row.line(), self.teller);
        self.refuse_cell(wired, told);
    }

    /// V311: the value map or the list gives another code than the file.
    fn tell_changed_code(&mut self, wired: &Wired<'_>, theirs: &str, taken: &Taken<'_>) {
        let why = match taken.changed_by {
            None => return,
            Some(By::Map) => "",
            Some(By::List) => "list",
        };
        let named =
            params([("from", shown(&wired.key, theirs)), ("to", shown(&wired.key, &taken.code))]);
        let mut told = message(Code::V311, why, named);
        told.kept = shown(&wired.key, &taken.code);
        self.tell(wired, told);
    }

    /// One or several columns of several codes each (roles): their codes, each once; `None`: one was refused, and
    /// with it all of them.
    fn joined(&mut self, wired: &'s Wired<'s>) -> Option<Said<'s>> {
        let mut theirs: Vec<String> = Vec::new();
        let cells = [wired.index].into_iter().chain(wired.more.iter().copied());
        for cell in cells.filter_map(|index| self.row.get(index)) {
            match value(&wired.key, cell, &self.context.sheet.dates) {
                Ok(Value::Text(text)) => theirs.extend(text.split('\n').map(str::to_owned)),
                Ok(Value::Blank | Value::Open) => {}
                Err(cell) => {
                    self.refuse_cell(wired, found(cell.code, &cell.params));
                    return None;
                }
            }
        }
        let mut ours: Vec<String> = Vec::new();
        let mut changed = Vec::new();
        for theirs in theirs {
            let Some(coder) = &wired.coder else {
                add_once(&mut ours, theirs);
                continue;
            };
            match coder.part(&theirs) {
                Ok(Taken { code, changed_by }) => {
                    let code = code.into_owned();
                    add_once(&mut ours, code.clone());
                    changed.push((theirs, Taken { code: Cow::Owned(code), changed_by }));
                }
                Err(refusal) => {
                    self.refuse_code(wired, coder, &refusal);
                    return None;
                }
            }
        }
        let ours = ours.join("\n");
        if self.old(&wired.key) != Some(ours.as_str()) {
            for (theirs, taken) in &changed {
                self.tell_changed_code(wired, theirs, taken);
            }
        }
        Some(if ours.is_empty() { Said::Blank } else { Said::Text(Cow::Owned(ours)) })
    }

    pub(super) fn old(&self, key: &FieldKey) -> Option<&'s str> {
        self.user()?.values.get_key(key)
    }

    /// Takes what a cell says into the draft.
    fn take(&mut self, wired: &'s Wired<'s>, said: Said<'s>, spoken: &mut Spoken<'s>) {
        let in_file = matches!(said, Said::Text(_));
        let is_manager = wired.key == FieldKey::Known(Field::Manager);
        let said = match said {
            Said::Blank => self.blank(wired),
            Said::Open if wired.key != END => self.blank(wired),
            other => other,
        };
        let protected = self.is_protected(wired, &said);
        spoken.end_is_protected |= protected && wired.key == END;
        if let Said::Text(text) = &said
            && !(in_file || protected || is_manager)
            && self.old(&wired.key) != Some(text.as_ref())
        {
            self.tell_default(&wired.key, text);
        }
        let said = if protected { Said::Silent } else { said };
        match (&wired.key, said) {
            (_, Said::Silent) => {}
            (FieldKey::Known(Field::ContractStart), Said::Text(text)) => spoken.start = Some(text),
            (FieldKey::Known(Field::ContractEnd), Said::Text(text)) => spoken.end = Some(text),
            (FieldKey::Known(Field::ContractEnd), _) => spoken.end_is_open = true,
            (FieldKey::Known(Field::Manager), Said::Text(text)) if !in_file => {
                self.draft.name_manager(&text, Wish::Default);
            }
            (FieldKey::Known(Field::Manager), Said::Text(text)) if wired.is_joined() => {
                self.draft.name_manager(&text, Wish::Named);
            }
            (FieldKey::Known(Field::Manager), Said::Text(_)) => self.draft.manager = Wish::Cell,
            (FieldKey::Known(Field::Manager), _) => self.draft.manager = Wish::Clear,
            (key, Said::Text(text)) => {
                if *key == FieldKey::Known(Field::Status) {
                    spoken.status = Some(text.clone());
                }
                self.take_text(Some(wired), key, &text);
            }
            (key, Said::Blank | Said::Open) => self.change(key, None),
        }
    }

    /// Whether somebody else's value stays, because the file only repeats what it said before (P701).
    fn is_protected(&mut self, wired: &'s Wired<'s>, said: &Said<'s>) -> bool {
        let stated = match said {
            Said::Silent => return false,
            Said::Blank | Said::Open => None,
            Said::Text(text) => Some(text.as_ref()),
        };
        let protected = &self.context.job.snapshot.protected;
        // The manager's cell is a text until everybody is known.
        if protected.is_empty() || wired.key == FieldKey::Known(Field::Manager) {
            return false;
        }
        let Some(user) = self.user() else { return false };
        let Some(before) = protected.get(&(user.id, wired.key.clone())) else { return false };
        let before = before.as_deref();
        if self.is_given(user, &wired.key) {
            // Nobody's word: it stays while the file says nothing of it, and settings that give another default count.
            if stated.is_some() {
                self.left.unprotected.push((self.at, wired.key.clone()));
            }
            return stated.is_none();
        }
        if !is_same(&wired.key, before, stated) && !self.says_again(wired, user, before, stated) {
            self.left.unprotected.push((self.at, wired.key.clone()));
            return false;
        }
        let (old, stays) = (self.old(&wired.key), self.stays(user, &wired.key));
        if !is_same(&wired.key, stays, stated) {
            let told = message(Code::P701, "", params([]));
            let mut placed = self.context.place(&self.row, Some(user), Some(wired), told);
            if stays != old {
                placed.kept = stays.unwrap_or_default().to_owned();
            }
            self.teller.row(self.at, placed);
        }
        true
    }

    /// Whether a cell says what it said before, though a list or other settings read it otherwise now.
    fn says_again(
        &self,
        wired: &Wired<'s>,
        user: &User,
        before: Option<&str>,
        stated: Option<&str>,
    ) -> bool {
        let listed = before.map(|before| match &wired.coder {
            Some(coder) => coder.as_listed(before),
            None => before.to_owned(),
        });
        if listed.is_some() && is_same(&wired.key, listed.as_deref(), stated) {
            return true;
        }
        let Some(then) = self.context.then(user.id, &wired.key) else { return false };
        let said = then.said(&self.context.sheet.dates, wired, &self.row, user);
        said.is_some_and(|said| {
            [before, listed.as_deref()].iter().any(|old| is_same(&wired.key, *old, said.as_deref()))
        })
    }

    /// Whether a default gave the value, and nobody has changed it.
    fn is_given(&self, user: &User, key: &FieldKey) -> bool {
        let protections = &self.context.job.snapshot.protections;
        protections.get(&(user.id, key.clone())).is_some_and(|protection| protection.given)
    }

    /// The value that stands: of an end that absence set, the one before, for presence gives that back first.
    fn stays(&self, user: &'s User, key: &FieldKey) -> Option<&'s str> {
        let ends = &self.context.job.snapshot.ended_by_absence;
        match end_by_absence(ends, user).filter(|_| *key == END) {
            Some(by_absence) => by_absence.was.as_deref(),
            None => self.old(key),
        }
    }

    /// What a blank means; `Blank` if the value is to go.
    fn blank(&mut self, wired: &'s Wired<'s>) -> Said<'s> {
        let Some(user) = self.user() else { return Said::Silent };
        if wired.key == FieldKey::Known(Field::LastName) && self.has_birth_name() {
            return Said::Silent;
        }
        if wired.never_blank {
            let told = message(Code::V301, "kept", params([]));
            self.tell(wired, told);
            return Said::Silent;
        }
        match wired.blank {
            Blank::Keep => Said::Silent,
            Blank::Clear => Said::Blank,
            Blank::Default => {
                let entity = user.values.get(Field::LegalEntity);
                let department = user.values.get(Field::Department);
                let default = self.default_of(&wired.key, entity, department);
                match default {
                    Some(text) => Said::Text(text),
                    None => Said::Silent,
                }
            }
        }
    }

    /// Takes what a cell says; of a new user it stays in the cell.
    fn take_text(&mut self, wired: Option<&Wired<'_>>, key: &FieldKey, text: &str) {
        let own = wired.filter(|wired| self.draft.user().is_none() && !wired.is_joined());
        match own.filter(|wired| wired.bit != 0) {
            Some(wired) => {
                let as_it_stands = self.row.get(wired.index).is_some_and(|cell| cell == text);
                self.draft.given.take_cell(wired.bit, as_it_stands);
            }
            None => self.change(key, Some(text)),
        }
    }

    /// Takes a date of the contract as it was settled.
    fn take_date(&mut self, key: &FieldKey, date: Option<&str>) {
        match date {
            Some(date) => self.take_text(self.context.sheet.field(key), key, date),
            None => self.change(key, None),
        }
    }

    pub(super) fn change(&mut self, key: &FieldKey, to: Option<&str>) {
        if self.draft.user().is_none() {
            if let Some(to) = to {
                self.filler.put_key(key, to);
            }
            return;
        }
        let from = self.old(key);
        if !is_same(key, from, to) {
            self.draft.changes.push(FieldChange {
                field: key.clone(),
                from: from.map(Into::into),
                to: to.map(Into::into),
            });
        }
    }

    fn tell(&mut self, wired: &Wired<'_>, told: Message) {
        let placed = self.context.place(&self.row, self.user(), Some(wired), told);
        self.teller.row(self.at, placed);
    }

    /// A refused cell; of a new user without whom it cannot be, the row is refused.
    fn refuse_cell(&mut self, wired: &Wired<'_>, mut told: Message) {
        let name = matches!(wired.key, FieldKey::Known(Field::FirstName | Field::LastName));
        if self.draft.user().is_none() && (wired.required || name) {
            self.draft.fate = Fate::Refused;
            told.level = Level::Error;
            told.effect = Effect::RowRefused;
        } else {
            told.level = Level::Field;
            told.effect = Effect::CellRefused;
        }
        self.tell(wired, told);
    }

    /// R101 as a warning: optional cells are missing at the end of the row.
    fn tell_short_row(&mut self) {
        let columns = &self.context.sheet.columns.columns;
        let missing = columns.get(self.row.len()..).unwrap_or_default();
        if missing.iter().all(|column| column.field.is_none()) {
            return;
        }
        let named =
            params([("cells", self.row.len().to_string()), ("columns", columns.len().to_string())]);
        let told = message(Code::R101, "short", named);
        let placed = self.context.place(&self.row, self.user(), None, told);
        self.teller.row(self.at, placed);
    }

    /// Start, end and status together; returns whether something hung on today's date.
    fn settle_contract(&mut self, spoken: &Spoken<'s>) -> bool {
        let context = self.context;
        let user = self.user();
        let old_start = user.and_then(|user| user.values.get(Field::ContractStart));
        let old_end = user.and_then(|user| user.values.get(Field::ContractEnd));
        let end = match &spoken.end {
            Some(end) => End::On(end),
            None if spoken.end_is_open => End::Open,
            None => End::Silent,
        };
        let settled = settle(&Contract {
            is_new: user.is_none(),
            old_start,
            old_end,
            start: spoken.start.as_deref(),
            end,
            lift: self.lift(spoken),
            today: &context.today,
        });
        let (start, end) = (settled.start, settled.end);
        self.draft.ended = settled.ended;
        self.draft.reinstated = settled.reinstated;
        for (code, why, named) in settled.told {
            let field = if code == Code::C406 || settled.refused == Some(Refused::Start) {
                &START
            } else {
                &END
            };
            let mut told = message(code, why, named);
            if settled.refused.is_some() && user.is_none() {
                self.draft.fate = Fate::Refused;
                told.level = Level::Error;
                told.effect = Effect::RowRefused;
            }
            let wired = context.sheet.field(field).or_else(|| context.sheet.field(&START));
            let mut placed = context.place(&self.row, user, wired, told);
            if placed.effect == Effect::Applied {
                let now = if *field == START { start } else { end };
                placed.kept = now.unwrap_or_default().to_owned();
            }
            self.teller.row(self.at, placed);
        }
        self.take_date(&START, start);
        self.take_date(&END, end);
        self.tell_closed(old_end, end);
        self.tell_status(spoken.status.as_deref(), end)
    }

    /// Why being in the file lifts a past end. What absence took away returns, unless it has passed meanwhile and the row
    /// says nothing of an end: the person is here.
    fn lift(&self, spoken: &Spoken<'_>) -> Option<Lift<'s>> {
        let context = self.context;
        let by_absence = end_by_absence(&context.job.snapshot.ended_by_absence, self.user()?);
        let was = by_absence.and_then(|end| end.was.as_deref());
        let was = was.filter(|was| spoken.end_is_protected || *was >= context.today.as_str());
        match by_absence {
            Some(_) if was.is_some() || !self.draft.renumbered => Some(Lift::Absence(was)),
            _ => self.draft.renumbered.then_some(Lift::Renumbered),
        }
    }

    /// C407: something else changes of somebody who has left and stays away.
    fn tell_closed(&mut self, old_end: Option<&str>, end: Option<&str>) {
        let today = self.context.today.as_str();
        let closed = old_end.is_some_and(|old| old < today) && end == old_end;
        if !closed || self.draft.changes.is_empty() {
            return;
        }
        let fields: Vec<String> =
            self.draft.changes.iter().map(|change| change.field.to_string()).collect();
        let named = params([
            ("old_date", old_end.unwrap_or_default().to_owned()),
            ("fields", fields.join(", ")),
        ]);
        let told = message(Code::C407, "change", named);
        let placed = self.context.place(&self.row, self.user(), None, told);
        self.teller.row(self.at, placed);
    }

    /// V312: the status never overrides the dates.
    fn tell_status(&mut self, status: Option<&str>, end: Option<&str>) -> bool {
        let today = self.context.today.as_str();
        let has_left = end.is_some_and(|end| end < today);
        let contradicts = match status {
            Some("active") => has_left,
            Some("ended") => !has_left,
            _ => return false,
        };
        if contradicts {
            let why = if has_left { "left" } else { "here" };
            let named = params([("end_date", end.unwrap_or_default().to_owned())]);
            if let Some(wired) = self.context.sheet.field(&FieldKey::Known(Field::Status)) {
                self.tell(wired, message(Code::V312, why, named));
            }
        }
        contradicts || end.is_some_and(|end| end >= today)
    }
}
