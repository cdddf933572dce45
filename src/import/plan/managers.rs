//! Managers: found once everybody is known, so that the order of the rows never matters; no circles.

use std::borrow::Cow;
use std::collections::HashMap;

use super::identity::{could_have_lost_zeros, lower};
use super::people::{People, Person};
use super::rows::{Context, Fate, Rows, Wish};
use super::tell::{message, params};
use crate::import::codes::{Code, Effect, Level};
use crate::import::fields::{Field, FieldKey};
use crate::import::report::Message;
use crate::import::text::fold;

/// What becomes of a row's manager. People are named by their place among all people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NewManager {
    Same,
    Clear,
    To(usize),
}

/// The managers of all rows.
#[derive(Debug)]
pub(super) struct Managers {
    pub of_row: Vec<NewManager>,
    /// Rows of new users that cannot do without the manager who was refused.
    pub refused_rows: Vec<usize>,
    pub told: Vec<(usize, Message)>,
    pub depends_on_date: bool,
}

/// Why a manager was not found.
enum Lost {
    Nobody,
    /// The number lost the zeros in front of this one.
    Zeros(String),
    Several(Vec<usize>),
}

/// Everybody by what a manager can be named with; each map is made when it is first needed.
struct Directory<'p> {
    people: &'p [Person<'p>],
    numbers: Option<HashMap<&'p str, Vec<usize>>>,
    logins: Option<HashMap<Cow<'p, str>, usize>>,
    emails: Option<HashMap<&'p str, usize>>,
    names: Option<HashMap<String, Vec<usize>>>,
    padded: Option<HashMap<&'p str, usize>>,
}

/// Finds the managers of all rows that stand, and refuses those that would make a circle.
pub(super) fn resolve(context: &Context<'_>, people: &People<'_>, rows: &Rows<'_>) -> Managers {
    let mut managers = Managers {
        of_row: vec![NewManager::Same; rows.drafts.len()],
        refused_rows: Vec::new(),
        told: Vec::new(),
        depends_on_date: false,
    };
    let mut directory = Directory::new(&people.all);
    for (at, draft) in rows.drafts.iter().enumerate().filter(|(_, d)| d.fate == Fate::Live) {
        let Some(me) = people.of_row.get(at).copied().flatten() else { continue };
        let found = match &draft.manager {
            Wish::Silent => continue,
            Wish::Clear => {
                let had = people.all.get(me).is_some_and(|person| person.manager.is_some());
                if had { NewManager::Clear } else { NewManager::Same }
            }
            Wish::Named(text) => match directory.find(context, me, text) {
                Ok(boss) if directory.is_manager(context, me, boss) => {
                    managers.tell_away(context, people, at, me, boss);
                    NewManager::Same
                }
                Ok(boss) => {
                    managers.tell_away(context, people, at, me, boss);
                    NewManager::To(boss)
                }
                Err(lost) => {
                    let told = lost_message(people, &lost);
                    managers.refuse(context, people, at, told);
                    NewManager::Same
                }
            },
        };
        managers.set(at, found);
    }
    refuse_circles(context, people, rows, &mut managers);
    tell_tops(context, people, &mut managers);
    managers
}

impl Managers {
    fn set(&mut self, row: usize, to: NewManager) {
        if let Some(slot) = self.of_row.get_mut(row) {
            *slot = to;
        }
    }

    fn tell(&mut self, context: &Context<'_>, people: &People<'_>, row: usize, told: Message) {
        let user = person_of(people, row).and_then(|person| context.user(person.user));
        let Some(cells) = context.row(row) else { return };
        let wired = context.sheet.field(&FieldKey::Known(Field::Manager));
        let mut told = context.place(&cells, user, wired, told);
        told.field = Some(FieldKey::Known(Field::Manager));
        self.told.push((row, told));
    }

    /// The cell is refused; of a new user who must have a manager, the row.
    fn refuse(
        &mut self,
        context: &Context<'_>,
        people: &People<'_>,
        row: usize,
        mut told: Message,
    ) {
        let is_new = person_of(people, row).is_some_and(|person| person.user.is_none());
        if is_new && context.sheet.required.contains(&Field::Manager) {
            told.level = Level::Error;
            told.effect = Effect::RowRefused;
            self.refused_rows.push(row);
        } else {
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
        if me == boss {
            return;
        }
        let (Some(own), Some(person)) = (people.all.get(me), people.all.get(boss)) else { return };
        let today = context.today.as_str();
        let left = person.end.filter(|end| *end < today);
        let to_come = person.start.filter(|start| *start > today);
        self.depends_on_date |= person.end.is_some() || to_come.is_some();
        // Whom somebody who has left reported to is history.
        if own.end.is_some_and(|end| end < today) {
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

fn person_of<'x, 'p>(people: &'x People<'p>, row: usize) -> Option<&'x Person<'p>> {
    people.all.get(people.of_row.get(row).copied().flatten()?)
}

fn lost_message(people: &People<'_>, lost: &Lost) -> Message {
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

impl<'p> Directory<'p> {
    fn new(people: &'p [Person<'p>]) -> Self {
        Self { people, numbers: None, logins: None, emails: None, names: None, padded: None }
    }

    /// Whether `boss` is the manager whom the directory has for `me` already.
    fn is_manager(&self, context: &Context<'_>, me: usize, boss: usize) -> bool {
        let id = self.people.get(boss).and_then(|person| context.user(person.user)).map(|u| u.id);
        let had = self.people.get(me).and_then(|person| person.manager);
        id.is_some() && had.and_then(|had| had.parse::<i64>().ok()) == id
    }

    /// Finds who is meant: by number (the own legal entity first), login, e-mail, full name.
    fn find(&mut self, context: &Context<'_>, me: usize, text: &str) -> Result<usize, Lost> {
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

/// X205: somebody is their own manager now, the top of the tree.
fn tell_tops(context: &Context<'_>, people: &People<'_>, managers: &mut Managers) {
    let tops: Vec<usize> = managers
        .of_row
        .iter()
        .enumerate()
        .filter(|(row, to)| match (people.of_row.get(*row).copied().flatten(), to) {
            (Some(me), NewManager::To(boss)) => me == *boss,
            _ => false,
        })
        .map(|(row, _)| row)
        .collect();
    for row in tops {
        managers.tell(context, people, row, message(Code::X205, "", params([])));
    }
}

/// X204: refuses what would make a circle. All cells of the file that take part in it are refused, so
/// that the order of the rows does not decide whose stands.
fn refuse_circles(
    context: &Context<'_>,
    people: &People<'_>,
    rows: &Rows<'_>,
    managers: &mut Managers,
) {
    if !managers.of_row.iter().any(|to| matches!(to, NewManager::To(_))) {
        return;
    }
    loop {
        let above = above(context, people, managers);
        let mut refused = Vec::new();
        for circle in circles(&above) {
            let path = path(people, &circle);
            for place in circle {
                let row = people.all.get(place).and_then(|person| person.row);
                let changed = row.filter(|row| {
                    matches!(managers.of_row.get(*row), Some(NewManager::To(_)))
                        && rows.drafts.get(*row).is_some_and(|d| d.fate == Fate::Live)
                });
                refused.extend(changed.map(|row| (row, path.clone())));
            }
        }
        if refused.is_empty() {
            return;
        }
        for (row, path) in refused {
            let told = message(Code::X204, "", params([("path", path)]));
            managers.refuse(context, people, row, told);
        }
    }
}

/// Everybody's manager as it would be; nobody above whoever is their own.
fn above(context: &Context<'_>, people: &People<'_>, managers: &Managers) -> Vec<Option<usize>> {
    let users = &context.job.snapshot.users;
    people
        .all
        .iter()
        .enumerate()
        .map(|(me, person)| {
            let to = person.row.and_then(|row| managers.of_row.get(row).copied());
            let boss = match to {
                Some(NewManager::To(boss)) => Some(boss),
                Some(NewManager::Clear) => None,
                Some(NewManager::Same) | None => person
                    .manager
                    .and_then(|id| id.parse::<i64>().ok())
                    .and_then(|id| users.binary_search_by_key(&id, |user| user.id).ok()),
            };
            boss.filter(|boss| *boss != me)
        })
        .collect()
}

/// The circles of a graph in which everybody points to one other at most.
fn circles(above: &[Option<usize>]) -> Vec<Vec<usize>> {
    const UNSEEN: u32 = 0;
    let mut seen_in: Vec<u32> = vec![UNSEEN; above.len()];
    let mut circles = Vec::new();
    for (walk, start) in (1_u32..).zip(0..above.len()) {
        let mut at = Some(start);
        while let Some(place) = at {
            let Some(mark) = seen_in.get_mut(place) else { break };
            if *mark == walk {
                circles.push(circle_from(above, place));
            }
            if *mark != UNSEEN {
                break;
            }
            *mark = walk;
            at = above.get(place).copied().flatten();
        }
    }
    circles
}

fn circle_from(above: &[Option<usize>], start: usize) -> Vec<usize> {
    let mut circle = vec![start];
    let mut at = above.get(start).copied().flatten();
    while let Some(place) = at.filter(|place| *place != start) {
        circle.push(place);
        at = above.get(place).copied().flatten();
    }
    circle
}

/// `MARTIN Paul → DUPONT Anne → MARTIN Paul`, beginning with whoever comes first in the alphabet.
fn path(people: &People<'_>, circle: &[usize]) -> String {
    let mut names: Vec<String> =
        circle.iter().filter_map(|at| people.all.get(*at)).map(Person::name).collect();
    let first =
        names.iter().enumerate().min_by_key(|(_, name)| name.as_str()).map_or(0, |(at, _)| at);
    names.rotate_left(first);
    names.extend(names.first().cloned());
    names.join(" → ")
}

#[cfg(test)]
mod tests {
    use super::circles;

    fn check(above: &[Option<usize>], expected: &[&[usize]]) {
        let mut found = circles(above);
        for circle in &mut found {
            circle.sort_unstable();
        }
        found.sort();
        assert_eq!(found, expected);
    }

    #[test]
    fn circles_are_found_once_each() {
        check(&[], &[]);
        check(&[None, Some(0), Some(1)], &[]);
        check(&[Some(1), Some(0), Some(1)], &[&[0, 1]]);
        check(&[Some(1), Some(2), Some(0), Some(4), Some(3), Some(0)], &[&[0, 1, 2], &[3, 4]]);
    }
}
