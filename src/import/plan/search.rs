//! Finds the user whom a file means by a manager: number, login, e-mail address or full name.

use std::borrow::Cow;
use std::collections::HashMap;

use super::draft::Context;
use super::identity::{could_have_lost_zeros, lower};
use super::people::{People, Person};
use super::tell::{message, params};
use crate::import::codes::Code;
use crate::import::report::Message;
use crate::import::text::fold;

/// Why a manager was not found.
pub(super) enum Lost {
    Nobody,
    /// The number lost the zeros in front of this one.
    Zeros(String),
    Several(Vec<usize>),
}

/// Everybody by what a manager can be named with; each map is made when it is first needed.
pub(super) struct Directory<'p> {
    people: &'p [Person<'p>],
    numbers: Option<HashMap<&'p str, Vec<usize>>>,
    logins: Option<HashMap<Cow<'p, str>, usize>>,
    emails: Option<HashMap<&'p str, usize>>,
    names: Option<HashMap<String, Vec<usize>>>,
    padded: Option<HashMap<&'p str, usize>>,
}

impl<'p> Directory<'p> {
    pub(super) fn new(people: &'p [Person<'p>]) -> Self {
        Self { people, numbers: None, logins: None, emails: None, names: None, padded: None }
    }

    /// Whether `boss` is the manager whom the directory has for `me` already.
    pub(super) fn is_manager(&self, context: &Context<'_>, me: usize, boss: usize) -> bool {
        let id = self.people.get(boss).and_then(|person| context.user(person.user)).map(|u| u.id);
        let had = self.people.get(me).and_then(|person| person.manager);
        id.is_some() && had.and_then(|had| had.parse::<i64>().ok()) == id
    }

    /// Finds who is meant: by number (the own legal entity first), login, e-mail, full name.
    pub(super) fn find(
        &mut self,
        context: &Context<'_>,
        me: usize,
        text: &str,
    ) -> Result<usize, Lost> {
        let own = self.people.get(me).and_then(|person| person.entity);
        if let Some(boss) = self.unchanged(context, me, own, text) {
            return Ok(boss);
        }
        let people = self.people;
        let numbers = self.numbers.get_or_insert_with(|| {
            let mut by: HashMap<&'p str, Vec<usize>> = HashMap::with_capacity(people.len());
            for (place, person) in alive(people) {
                if let Some(number) = person.number {
                    by.entry(number).or_default().push(place);
                }
            }
            by
        });
        if let Some(places) = numbers.get(text) {
            let entity = |place: &usize| people.get(*place).and_then(|person| person.entity);
            if let Some(near) = places.iter().find(|place| entity(place) == own) {
                return Ok(*near);
            }
            return match places.as_slice() {
                [one] => Ok(*one),
                _ => Err(Lost::Several(places.clone())),
            };
        }
        let small = lower(Cow::Borrowed(text));
        let logins = self.logins.get_or_insert_with(|| {
            alive(people).filter_map(|(at, p)| Some((lower(Cow::Borrowed(p.login?)), at))).collect()
        });
        if let Some(place) = logins.get(&small) {
            return Ok(*place);
        }
        let emails = self.emails.get_or_insert_with(|| {
            alive(people).filter_map(|(at, p)| Some((p.email?, at))).collect()
        });
        if let Some(place) = emails.get(small.as_ref()) {
            return Ok(*place);
        }
        self.find_by_name(text)
    }

    /// The usual night: the cell names the manager whom the directory has, by number. No map is needed for that.
    fn unchanged(
        &self,
        context: &Context<'_>,
        me: usize,
        own: Option<&str>,
        text: &str,
    ) -> Option<usize> {
        let id = self.people.get(me)?.manager?.parse::<i64>().ok()?;
        let place = context.job.snapshot.users.binary_search_by_key(&id, |user| user.id).ok()?;
        let boss = self.people.get(place)?;
        (boss.alive && boss.number == Some(text) && boss.entity == own).then_some(place)
    }

    fn find_by_name(&mut self, text: &str) -> Result<usize, Lost> {
        let people = self.people;
        let names = self.names.get_or_insert_with(|| {
            let mut by: HashMap<String, Vec<usize>> = HashMap::with_capacity(people.len() * 2);
            for (place, person) in alive(people) {
                let (Some(first), Some(last)) = (person.first, person.last) else { continue };
                let one = fold(&format!("{last} {first}"));
                let other = fold(&format!("{first} {last}"));
                if one != other {
                    by.entry(other).or_default().push(place);
                }
                by.entry(one).or_default().push(place);
            }
            by
        });
        match names.get(&fold(text)).map(Vec::as_slice) {
            Some([one]) => return Ok(*one),
            Some(several) if !several.is_empty() => return Err(Lost::Several(several.to_vec())),
            _ => {}
        }
        if !could_have_lost_zeros(text) {
            return Err(Lost::Nobody);
        }
        let padded = self.padded.get_or_insert_with(|| {
            alive(people)
                .filter_map(|(at, p)| Some((p.number?, at)))
                .filter(|(number, _)| number.starts_with('0'))
                .map(|(number, at)| (number.trim_start_matches('0'), at))
                .collect()
        });
        match padded.get(text).and_then(|at| people.get(*at)?.number) {
            Some(number) => Err(Lost::Zeros(number.to_owned())),
            None => Err(Lost::Nobody),
        }
    }
}

fn alive<'p>(people: &'p [Person<'p>]) -> impl Iterator<Item = (usize, &'p Person<'p>)> {
    people.iter().enumerate().filter(|(_, person)| person.alive)
}

/// Why nobody was found, as a message.
pub(super) fn lost_message(people: &People<'_>, lost: &Lost) -> Message {
    match lost {
        Lost::Nobody => message(Code::X201, "", params([])),
        Lost::Zeros(number) => {
            message(Code::V309, "manager_zeros", params([("known", number.clone())]))
        }
        Lost::Several(places) => {
            let mut who: Vec<String> = places
                .iter()
                .filter_map(|place| people.all.get(*place))
                .map(|person| match (person.number, person.email) {
                    (Some(number), _) => format!("{} ({number})", person.name()),
                    (None, Some(email)) => format!("{} ({email})", person.name()),
                    (None, None) => person.name(),
                })
                .collect();
            who.sort_unstable();
            message(Code::X202, "", params([("candidates", who.join(", "))]))
        }
    }
}
