//! Managers: found once everybody is known, so that the order of the rows never matters; no circles.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::circles::refuse_circles;
use super::defaults::default_in;
use super::draft::{Context, Draft, Fate, Rows, Wish};
use super::people::{People, Person};
use super::places::Place;
use super::search::{Directory, Lost, lost_default, lost_message};
use super::tell::{message, params};
use crate::import::codes::{Code, Effect, Level};
use crate::import::directory::ManagerWish;
use crate::import::fields::{Field, FieldKey};
use crate::import::report::Message;

/// What becomes of a row's manager. People are named by their place among all people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NewManager {
    Same,
    Clear,
    To(Place),
}

impl NewManager {
    /// The person at this place.
    pub(super) fn to(place: usize) -> Self {
        Place::new(place).map_or(Self::Same, Self::To)
    }
}

/// The managers of all rows, and of users who waited for one.
#[derive(Debug)]
pub(super) struct Managers {
    pub of_row: Vec<NewManager>,
    /// Rows of new users that cannot do without the manager who was refused.
    pub refused_rows: Vec<usize>,
    pub told: Vec<(usize, Message)>,
    /// Managers whom nobody was found for until now, by the place of the user who waited.
    pub appeared: BTreeMap<usize, usize>,
    /// What is told about users whom no row of the file speaks of.
    pub told_apart: Vec<Message>,
    /// Whom somebody waits for from now on, or not any more, by place.
    pub wishes: Vec<(usize, Option<ManagerWish>)>,
    /// Rows that say something new of a manager who was protected.
    pub unprotected: Vec<usize>,
    pub depends_on_date: bool,
    /// Who has begun and has no end, by place, as far as it was asked: of most managers it is asked often.
    here: Vec<bool>,
}

/// Finds the managers of all rows that stand, and refuses those that would make a circle.
pub(super) fn resolve(context: &Context<'_>, people: &People<'_>, rows: &Rows) -> Managers {
    let mut managers = Managers {
        of_row: vec![NewManager::Same; rows.drafts.len()],
        refused_rows: Vec::new(),
        told: Vec::new(),
        appeared: BTreeMap::new(),
        told_apart: Vec::new(),
        wishes: Vec::new(),
        unprotected: Vec::new(),
        depends_on_date: false,
        here: vec![false; people.len()],
    };
    let mut directory = Directory::new(people);
    directory.look_ahead(context, rows);
    for (at, draft) in rows.drafts.iter().enumerate().filter(|(_, d)| d.fate == Fate::Live) {
        let Some(me) = people.of_row.get(at) else { continue };
        let found = match draft.manager {
            Wish::Silent => continue,
            Wish::Clear => managers.cleared(context, people, at, me),
            Wish::Cell | Wish::Named | Wish::Default => {
                let found = match directory.ahead(me) {
                    Some(boss) => Ok(boss),
                    None => {
                        let Some(text) = context.manager_named(at, draft) else { continue };
                        directory.find(context, me, &text).map_err(|lost| (lost, text))
                    }
                };
                match found {
                    Ok(boss) => {
                        let before = default_then(context, &mut directory, draft, me);
                        let to =
                            managers.found(context, people, &directory, (at, me), (boss, before));
                        if draft.manager == Wish::Default && to != NewManager::Same {
                            managers.tell_default(context, people, at, draft);
                        }
                        to
                    }
                    Err((lost, text)) => {
                        managers.lost(context, people, (at, me, draft), &text, &lost);
                        NewManager::Same
                    }
                }
            }
        };
        managers.set(at, found);
    }
    if context.approved_lines().is_none() {
        managers.try_again(context, people, rows, &mut directory);
    }
    refuse_circles(context, people, rows, &mut managers);
    tell_tops(context, people, &mut managers);
    tell_appeared(context, people, &mut managers);
    managers
}

impl Managers {
    /// What a blank that clears makes of a manager.
    fn cleared(
        &mut self,
        context: &Context<'_>,
        people: &People<'_>,
        at: usize,
        me: usize,
    ) -> NewManager {
        // A new user's default stays, also one whom nobody was found for until now: as long as it is one.
        if is_given(context, me) {
            if wish_of(context, me).is_some_and(|wish| !is_default(context, me, &wish.text)) {
                self.forget_wish(context, me);
            }
            return NewManager::Same;
        }
        self.forget_wish(context, me);
        let had = people.get(me).and_then(|person| person.get(Field::Manager));
        if self.stays(context, people, (at, me), (None, None)) || had.is_none() {
            NewManager::Same
        } else {
            NewManager::Clear
        }
    }

    /// The manager whom a row names, and whom it named under the settings of then, where that is another.
    fn found(
        &mut self,
        context: &Context<'_>,
        people: &People<'_>,
        directory: &Directory<'_, '_>,
        (at, me): (usize, usize),
        (boss, before): (usize, Option<usize>),
    ) -> NewManager {
        self.forget_wish(context, me);
        if self.stays(context, people, (at, me), (Some(boss), before)) {
            return NewManager::Same;
        }
        self.tell_away(context, people, at, me, boss);
        let is_manager = directory.is_manager(context, me, boss);
        if is_manager { NewManager::Same } else { NewManager::to(boss) }
    }

    /// A row names a manager whom nobody, or nobody alone, can be.
    fn lost(
        &mut self,
        context: &Context<'_>,
        people: &People<'_>,
        (at, me, draft): (usize, usize, &Draft),
        text: &str,
        lost: &Lost,
    ) {
        if matches!(lost, Lost::Nobody) {
            let wish = ManagerWish { text: text.to_owned(), line: draft.line };
            if wish_of(context, me).is_none_or(|known| known.text != wish.text) {
                self.wishes.push((me, Some(wish)));
            }
        } else {
            self.forget_wish(context, me);
        }
        // The file says something: a blank means again what the settings say.
        if draft.manager != Wish::Default && is_given(context, me) {
            self.unprotected.push(at);
        }
        let told = match draft.manager {
            Wish::Default => lost_default(people, text, lost),
            _ => lost_message(people, lost),
        };
        self.refuse(context, people, at, told);
    }

    /// Somebody settles the manager otherwise.
    fn forget_wish(&mut self, context: &Context<'_>, me: usize) {
        if wish_of(context, me).is_some() {
            self.wishes.push((me, None));
        }
    }

    /// Whether somebody else's manager stays, because the file only repeats what it said before (P701): `boss`, or whom
    /// the same row named under the settings of then.
    fn stays(
        &mut self,
        context: &Context<'_>,
        people: &People<'_>,
        (at, me): (usize, usize),
        (boss, before_it): (Option<usize>, Option<usize>),
    ) -> bool {
        let protected = &context.job.snapshot.protected;
        let Some(user) = context.user(Some(me)).filter(|_| !protected.is_empty()) else {
            return false;
        };
        let Some(before) = protected.get(&(user.id, FieldKey::Known(Field::Manager))) else {
            return false;
        };
        let id = |boss| context.user(Some(boss)).map(|user| user.id.to_string());
        let (stated, then) = (boss.map(id), before_it.and_then(id));
        let is_new = stated == Some(None) || stated.clone().flatten() != *before;
        let is_new = is_new && (then.is_none() || then != *before);
        if is_new {
            self.unprotected.push(at);
        } else if user.values.get(Field::Manager) != stated.flatten().as_deref() {
            self.tell(context, people, at, message(Code::P701, "", params([])));
        }
        !is_new
    }

    /// Tries the managers again whom nobody was found for, where the file names no other.
    fn try_again(
        &mut self,
        context: &Context<'_>,
        people: &People<'_>,
        rows: &Rows,
        directory: &mut Directory<'_, '_>,
    ) {
        let snapshot = context.job.snapshot;
        let mut waiting: Vec<_> = snapshot.manager_wishes.iter().collect();
        waiting.sort_unstable_by_key(|(user, _)| **user);
        for (user, wish) in waiting {
            let Ok(me) = snapshot.users.binary_search_by_key(user, |user| user.id) else {
                continue;
            };
            let Some(person) = people.get(me).filter(Person::is_alive) else { continue };
            let draft = person.row.and_then(|row| rows.drafts.get(row));
            let is_settled = |draft: &Draft| match draft.manager {
                Wish::Silent => false,
                Wish::Clear => !(is_given(context, me) && is_default(context, me, &wish.text)),
                Wish::Cell | Wish::Named | Wish::Default => true,
            };
            if draft.is_some_and(is_settled) {
                continue;
            }
            if let Ok(boss) = directory.find(context, me, &wish.text) {
                self.wishes.push((me, None));
                if !directory.is_manager(context, me, boss) {
                    self.appeared.insert(me, boss);
                }
            }
        }
    }

    /// Forgets managers who appeared but would make a circle; says whether there was one.
    pub(super) fn refuse_appeared(
        &mut self,
        people: &People<'_>,
        circle: &[usize],
        path: &str,
    ) -> bool {
        let mut any = false;
        for place in circle {
            if self.appeared.remove(place).is_none() {
                continue;
            }
            any = true;
            let mut told = message(Code::X204, "", params([("path", path.to_owned())]));
            told.person = people.get(*place).map(|person| person.name()).unwrap_or_default();
            told.field = Some(FieldKey::Known(Field::Manager));
            self.told_apart.push(told);
        }
        any
    }

    fn set(&mut self, row: usize, to: NewManager) {
        if let Some(slot) = self.of_row.get_mut(row) {
            *slot = to;
        }
    }

    fn tell(&mut self, context: &Context<'_>, people: &People<'_>, row: usize, told: Message) {
        let user = people.of(row).and_then(|person| context.user(person.user));
        let Some(cells) = context.row(row) else { return };
        let wired = context.sheet.field(&FieldKey::Known(Field::Manager));
        let mut told = context.place(&cells, user, wired, told);
        told.field = Some(FieldKey::Known(Field::Manager));
        self.told.push((row, told));
    }

    /// V310: a default gives the manager.
    fn tell_default(
        &mut self,
        context: &Context<'_>,
        people: &People<'_>,
        row: usize,
        draft: &Draft,
    ) {
        let Some(text) = context.manager_named(row, draft) else { return };
        let mut told = message(Code::V310, "", params([("default", text.to_string())]));
        told.kept = text.into_owned();
        self.tell(context, people, row, told);
    }

    /// The cell is refused; of a new user who must have a manager, the row. A default is no cell: it is told alone.
    pub(super) fn refuse(
        &mut self,
        context: &Context<'_>,
        people: &People<'_>,
        row: usize,
        mut told: Message,
    ) {
        let is_new = people.of(row).is_some_and(|person| person.user.is_none());
        if is_new && context.sheet.required.contains(&Field::Manager) {
            told.level = Level::Error;
            told.effect = Effect::RowRefused;
            self.refused_rows.push(row);
        } else if told.effect != Effect::Told {
            told.level = Level::Field;
            told.effect = Effect::CellRefused;
        }
        self.set(row, NewManager::Same);
        self.tell(context, people, row, told);
    }

    /// X203: the manager has left or has not arrived. Told, never refused.
    fn tell_away(
        &mut self,
        context: &Context<'_>,
        people: &People<'_>,
        row: usize,
        me: usize,
        boss: usize,
    ) {
        if me == boss || self.here.get(boss).copied().unwrap_or(false) {
            return;
        }
        let (Some(own), Some(person)) = (people.get(me), people.get(boss)) else { return };
        let today = context.today.as_str();
        let end = person.get(Field::ContractEnd);
        let left = end.as_deref().filter(|end| *end < today);
        let start = person.get(Field::ContractStart);
        let to_come = start.as_deref().filter(|start| *start > today);
        self.depends_on_date |= end.is_some() || to_come.is_some();
        if let Some(here) = self.here.get_mut(boss) {
            *here = end.is_none() && to_come.is_none();
        }
        // Whom somebody who has left reported to is history.
        if own.get(Field::ContractEnd).is_some_and(|end| *end < *today) {
            return;
        }
        let (why, date) = match (left, to_come) {
            (Some(end), _) => ("", end),
            (None, Some(start)) => ("to_come", start),
            (None, None) => return,
        };
        let named = params([("manager", person.name()), ("date", date.to_owned())]);
        self.tell(context, people, row, message(Code::X203, why, named));
    }
}

/// Whether a default gave a user the manager, though the file clears it with a blank, and nobody has changed it.
fn is_given(context: &Context<'_>, me: usize) -> bool {
    let protections = &context.job.snapshot.protections;
    let Some(user) = context.user(Some(me)).filter(|_| !protections.is_empty()) else {
        return false;
    };
    let key = (user.id, FieldKey::Known(Field::Manager));
    protections.get(&key).is_some_and(|protection| protection.given)
}

const MANAGER: FieldKey = FieldKey::Known(Field::Manager);

/// Whether a text is the manager that a blank stands for today.
fn is_default(context: &Context<'_>, me: usize, text: &str) -> bool {
    let Some(user) = context.user(Some(me)) else { return false };
    let (settings, sheet) = (context.job.settings, context.sheet);
    let [entity, department] =
        [Field::LegalEntity, Field::Department].map(|field| user.values.get(field));
    let default = default_in(settings, &sheet.coders, &sheet.dates, &MANAGER, entity, department);
    default.and_then(Result::ok).is_some_and(|default| default == text)
}

/// Whom the default that a row's blank stood for named when somebody else's manager was protected from it.
fn default_then(
    context: &Context<'_>,
    directory: &mut Directory<'_, '_>,
    draft: &Draft,
    me: usize,
) -> Option<usize> {
    let text = default_named_then(context, draft)?;
    directory.find(context, me, &text).ok()
}

/// The same as it was written: a number, a login, an e-mail address or a name.
pub(super) fn default_named_then<'s>(context: &Context<'s>, draft: &Draft) -> Option<Cow<'s, str>> {
    let user = context.user(draft.user()).filter(|_| draft.manager == Wish::Default)?;
    context.then(user.id, &MANAGER)?.default_of(&context.sheet.dates, &MANAGER, user)
}

/// Whom a user waits for.
fn wish_of<'x>(context: &'x Context<'_>, me: usize) -> Option<&'x ManagerWish> {
    let wishes = &context.job.snapshot.manager_wishes;
    if wishes.is_empty() { None } else { wishes.get(&context.user(Some(me))?.id) }
}

/// X201: managers whom nobody was found for are there now.
fn tell_appeared(context: &Context<'_>, people: &People<'_>, managers: &mut Managers) {
    for (me, boss) in managers.appeared.clone() {
        let (Some(person), Some(boss)) = (people.get(me), people.get(boss)) else {
            continue;
        };
        // With the person, so that it is said of each.
        let named = params([("manager", boss.name()), ("person", person.name())]);
        let told = message(Code::X201, "appeared", named);
        match person.row {
            Some(row) => managers.tell(context, people, row, told),
            None => {
                let field = Some(FieldKey::Known(Field::Manager));
                managers.told_apart.push(Message { person: person.name(), field, ..told });
            }
        }
    }
}

/// X205: somebody is their own manager now, the top of the tree.
fn tell_tops(context: &Context<'_>, people: &People<'_>, managers: &mut Managers) {
    let tops: Vec<usize> = managers
        .of_row
        .iter()
        .enumerate()
        .filter(|(row, to)| match (people.of_row.get(*row), to) {
            (Some(me), NewManager::To(boss)) => me == boss.at(),
            _ => false,
        })
        .map(|(row, _)| row)
        .collect();
    for row in tops {
        managers.tell(context, people, row, message(Code::X205, "", params([])));
    }
}
