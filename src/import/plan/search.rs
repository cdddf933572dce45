//! Finds the user whom a file means by a manager: number, login, e-mail address or full name.

use std::borrow::Cow;

use super::draft::{Context, Draft, Fate, Rows};
use super::identity::{could_have_lost_zeros, lower};
use super::people::{People, Person};
use super::places::{Links, Place, Places};
use super::tell::{MAX_NAMED, few, message, params};
use crate::cores;
use crate::import::codes::Code;
use crate::import::fields::Field;
use crate::import::report::Message;
use crate::import::text::fold;

/// Why a manager was not found.
pub(super) enum Lost {
    Nobody,
    /// The number lost the zeros in front of this person's.
    Zeros(usize),
    Several(Vec<usize>),
}

/// Everybody by what a manager can be named with; each is made when it is first needed.
pub(super) struct Directory<'x, 'p> {
    people: &'x People<'p>,
    /// For new users, by place, whom their rows name.
    ahead: Links,
    numbers: Option<Places>,
    logins: Option<Places>,
    emails: Option<Places>,
    /// Last name and first name, and the other way round.
    names: Option<[Places; 2]>,
    padded: Option<Places>,
}

impl<'x, 'p> Directory<'x, 'p> {
    pub(super) fn new(people: &'x People<'p>) -> Self {
        let ahead = Links::default();
        Self { people, ahead, numbers: None, logins: None, emails: None, names: None, padded: None }
    }

    /// Whether `boss` is the manager whom the directory has for `me` already.
    pub(super) fn is_manager(&self, context: &Context<'_>, me: usize, boss: usize) -> bool {
        let id = self.people.get(boss).and_then(|person| context.user(person.user)).map(|u| u.id);
        let had = self.people.get(me).and_then(|person| person.get(Field::Manager));
        id.is_some() && had.and_then(|had| had.parse::<i64>().ok()) == id
    }

    /// Finds who is meant: by number (the own legal entity first), login, e-mail, full name.
    pub(super) fn find(
        &mut self,
        context: &Context<'_>,
        me: usize,
        text: &str,
    ) -> Result<usize, Lost> {
        let own = self.people.get(me).and_then(|person| person.get(Field::LegalEntity));
        if let Some(boss) = self.unchanged(context, me, own.as_deref(), text) {
            return Ok(boss);
        }
        let people = self.people;
        let numbers = self.numbers.get_or_insert_with(|| by(people, number));
        if let Some(boss) = by_number(people, numbers, own.as_deref(), text)? {
            return Ok(boss);
        }
        let small = lower(Cow::Borrowed(text));
        let logins = self.logins.get_or_insert_with(|| by(people, login));
        if let Some(place) = found(people, logins, &small, login, 1).last() {
            return Ok(*place);
        }
        let emails = self.emails.get_or_insert_with(|| by(people, email));
        if let Some(place) = found(people, emails, &small, email, 1).last() {
            return Ok(*place);
        }
        self.find_by_name(text)
    }

    /// Finds the managers of many new users at once: nearly all are named by number.
    pub(super) fn look_ahead(&mut self, context: &Context<'_>, rows: &Rows) {
        let is_new = |draft: &Draft| draft.fate == Fate::Live && draft.user().is_none();
        let new = rows.drafts.iter().filter(|draft| is_new(draft)).count();
        if cores::threads(new) < 2 {
            return;
        }
        let people = self.people;
        let numbers = &*self.numbers.get_or_insert_with(|| by(people, number));
        let boss = |at: usize, draft: &Draft| {
            let (me, text) = (people.of_row.get(at)?, context.manager_named(at, draft)?);
            let own = people.get(me)?.get(Field::LegalEntity);
            let boss = by_number(people, numbers, own.as_deref(), &text).ok()??;
            Some((Place::new(me)?, Place::new(boss)?))
        };
        let found = cores::over(&rows.drafts, |first, drafts| {
            let rows = (first..).zip(drafts).filter(|(_, draft)| is_new(draft));
            let mut found = Vec::with_capacity(drafts.len());
            found.extend(rows.filter_map(|(at, draft)| boss(at, draft)));
            found
        });
        self.ahead = Links::new(people.len());
        for (me, boss) in found.into_iter().flatten() {
            self.ahead.set(me.at(), Some(boss.at()));
        }
    }

    /// The manager of a new user who was found ahead.
    pub(super) fn ahead(&self, me: usize) -> Option<usize> {
        self.ahead.get(me)
    }

    /// The usual night: the cell names the manager whom the directory has, by number. Nothing is made for that.
    fn unchanged(
        &self,
        context: &Context<'_>,
        me: usize,
        own: Option<&str>,
        text: &str,
    ) -> Option<usize> {
        let id = self.people.get(me)?.get(Field::Manager)?.parse::<i64>().ok()?;
        let place = context.job.snapshot.users.binary_search_by_key(&id, |user| user.id).ok()?;
        let boss = self.people.get(place)?;
        let is_named = boss.is_alive() && boss.get(Field::EmployeeNumber).as_deref() == Some(text);
        (is_named && boss.get(Field::LegalEntity).as_deref() == own).then_some(place)
    }

    fn find_by_name(&mut self, text: &str) -> Result<usize, Lost> {
        let people = self.people;
        let folded = fold(text);
        let [one, other] = self
            .names
            .get_or_insert_with(|| [by(people, last_and_first), by(people, first_and_last)]);
        let mut places = found(people, one, &folded, last_and_first, MAX_NAMED + 1);
        places.extend(found(people, other, &folded, first_and_last, MAX_NAMED + 1));
        places.sort_unstable();
        places.dedup();
        match places.as_slice() {
            [] => {}
            [one] => return Ok(*one),
            _ => return Err(Lost::Several(places)),
        }
        if !could_have_lost_zeros(text) {
            return Err(Lost::Nobody);
        }
        let padded = self.padded.get_or_insert_with(|| by(people, bare_number));
        Err(match found(people, padded, text, bare_number, 1).last() {
            Some(place) => Lost::Zeros(*place),
            None => Lost::Nobody,
        })
    }
}

/// The one who has a number, in the own legal entity first; `None`: nobody has it.
fn by_number(
    people: &People<'_>,
    numbers: &Places,
    own: Option<&str>,
    text: &str,
) -> Result<Option<usize>, Lost> {
    let places = found(people, numbers, text, number, usize::MAX);
    let entity = |place: &usize| people.get(*place).and_then(|p| p.get(Field::LegalEntity));
    if let Some(near) = places.iter().find(|place| entity(place).as_deref() == own) {
        return Ok(Some(*near));
    }
    match places.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(*one)),
        _ => Err(Lost::Several(places)),
    }
}

/// What of a person a manager can be named with.
type Name = for<'p> fn(&Person<'p>) -> Option<Cow<'p, str>>;

fn number<'p>(person: &Person<'p>) -> Option<Cow<'p, str>> {
    person.get(Field::EmployeeNumber)
}

/// A number that begins with zeros, without them.
fn bare_number<'p>(person: &Person<'p>) -> Option<Cow<'p, str>> {
    let number = person.get(Field::EmployeeNumber).filter(|number| number.starts_with('0'))?;
    Some(Cow::Owned(number.trim_start_matches('0').to_owned()))
}

fn login<'p>(person: &Person<'p>) -> Option<Cow<'p, str>> {
    person.get(Field::Login).map(lower)
}

fn email<'p>(person: &Person<'p>) -> Option<Cow<'p, str>> {
    person.get(Field::Email)
}

fn last_and_first<'p>(person: &Person<'p>) -> Option<Cow<'p, str>> {
    let (last, first) = (person.get(Field::LastName)?, person.get(Field::FirstName)?);
    Some(Cow::Owned(fold(&format!("{last} {first}"))))
}

fn first_and_last<'p>(person: &Person<'p>) -> Option<Cow<'p, str>> {
    let (last, first) = (person.get(Field::LastName)?, person.get(Field::FirstName)?);
    Some(Cow::Owned(fold(&format!("{first} {last}"))))
}

/// Everybody who is not withdrawn, by one of these.
fn by(people: &People<'_>, name: Name) -> Places {
    Places::of(people.len(), |place| {
        let person = people.get(place).filter(Person::is_alive)?;
        Some((name(&person)?, Cow::Borrowed("")))
    })
}

/// Those who have it, by place; of very many, some.
fn found(people: &People<'_>, places: &Places, text: &str, name: Name, most: usize) -> Vec<usize> {
    let has = |place: &usize| {
        people.get(*place).and_then(|person| name(&person)).is_some_and(|own| own == text)
    };
    let mut found: Vec<usize> = places.like(text, "").filter(has).take(most).collect();
    found.sort_unstable();
    found
}

/// Why nobody was found for a default, as a message: the operator must mend it, nobody in payroll can.
pub(super) fn lost_default(people: &People<'_>, text: &str, lost: &Lost) -> Message {
    let mut told = match lost {
        Lost::Nobody => message(Code::X201, "default", params([])),
        Lost::Zeros(_) => {
            Message::new(Code::X201, "default_zeros", lost_message(people, lost).params)
        }
        Lost::Several(_) => Message::new(Code::X202, "default", lost_message(people, lost).params),
    };
    told.params.insert("default".to_owned(), text.to_owned());
    told
}

/// Why nobody was found, as a message.
pub(super) fn lost_message(people: &People<'_>, lost: &Lost) -> Message {
    match lost {
        Lost::Nobody => message(Code::X201, "", params([])),
        Lost::Zeros(place) => {
            let person = people.get(*place);
            let is_known = person.is_some_and(|person| person.is_known_by_number());
            let why = if is_known { "manager_zeros" } else { "manager_zeros_in_file" };
            let number = person.and_then(|person| person.get(Field::EmployeeNumber));
            let number = number.unwrap_or_default().into_owned();
            let name = person.map(|person| person.name()).unwrap_or_default();
            message(Code::V309, why, params([("known", number), ("user", name)]))
        }
        Lost::Several(places) => {
            let mut who: Vec<String> = places
                .iter()
                .take(MAX_NAMED + 1)
                .filter_map(|place| people.get(*place))
                .map(|person| {
                    match person.get(Field::EmployeeNumber).or(person.get(Field::Email)) {
                        Some(known) => format!("{} ({known})", person.name()),
                        None => person.name(),
                    }
                })
                .collect();
            who.sort_unstable();
            message(Code::X202, "", params([("candidates", few(who))]))
        }
    }
}
