//! The directory as it would be: logins, e-mails and numbers that clash, and people of the same name.

use std::borrow::Cow;
use std::collections::HashMap;

use super::draft::{Context, Draft, Fate, Rows, name};
use super::identity::lower;
use super::tell::{Teller, message, params};
use crate::import::codes::Code;
use crate::import::fields::{Field, FieldKey};
use crate::import::text::fold;

/// A user as the directory would have them, borrowed from directory and drafts.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Person<'p> {
    /// Not withdrawn; for a new one, the row still stands.
    pub alive: bool,
    /// The row that changes or makes them.
    pub row: Option<usize>,
    /// The user in the directory; `None`: new.
    pub user: Option<usize>,
    pub entity: Option<&'p str>,
    pub number: Option<&'p str>,
    pub login: Option<&'p str>,
    pub email: Option<&'p str>,
    pub first: Option<&'p str>,
    pub last: Option<&'p str>,
    pub start: Option<&'p str>,
    pub end: Option<&'p str>,
    pub birth: Option<&'p str>,
    /// The manager's id in the directory.
    pub manager: Option<&'p str>,
    /// Which of number, login and e-mail the row sets.
    pub sets: [bool; 3],
}

/// Everybody: first the users of the directory in its order, then the new ones in the order of the file.
#[derive(Debug)]
pub(super) struct People<'p> {
    pub all: Vec<Person<'p>>,
    /// For each row, its person.
    pub of_row: Vec<Option<usize>>,
}

impl Person<'_> {
    /// `DUPONT Anne`
    pub(super) fn name(&self) -> String {
        name(self.last, self.first)
    }
}

/// The directory with the rows that still stand.
pub(super) fn people<'p>(context: &Context<'p>, drafts: &'p [Draft<'_>]) -> People<'p> {
    let users = &context.job.snapshot.users;
    let mut all: Vec<Person<'p>> = Vec::with_capacity(users.len() + drafts.len());
    for (place, user) in users.iter().enumerate() {
        let get = |field| user.values.get(field);
        all.push(Person {
            alive: !user.withdrawn,
            row: None,
            user: Some(place),
            entity: get(Field::LegalEntity),
            number: get(Field::EmployeeNumber),
            login: get(Field::Login),
            email: get(Field::Email),
            first: get(Field::FirstName),
            last: get(Field::LastName),
            start: get(Field::ContractStart),
            end: get(Field::ContractEnd),
            birth: get(Field::BirthDate),
            manager: get(Field::Manager),
            sets: [false; 3],
        });
    }
    let mut of_row = vec![None; drafts.len()];
    for (row, draft) in drafts.iter().enumerate().filter(|(_, d)| d.fate == Fate::Live) {
        let place = match draft.user {
            Some(user) => user,
            None => {
                all.push(Person { alive: true, ..Person::default() });
                all.len() - 1
            }
        };
        let Some(person) = all.get_mut(place) else { continue };
        person.row = Some(row);
        person.overlay(draft);
        if let Some(slot) = of_row.get_mut(row) {
            *slot = Some(place);
        }
    }
    People { all, of_row }
}

impl<'p> Person<'p> {
    fn overlay(&mut self, draft: &'p Draft<'_>) {
        for (key, to) in draft.sets() {
            let FieldKey::Known(field) = key else { continue };
            let [sets_number, sets_login, sets_email] = &mut self.sets;
            match field {
                Field::LegalEntity => (self.entity, *sets_number) = (to, true),
                Field::EmployeeNumber => (self.number, *sets_number) = (to, true),
                Field::Login => (self.login, *sets_login) = (to, true),
                Field::Email => (self.email, *sets_email) = (to, true),
                Field::FirstName => self.first = to,
                Field::LastName => self.last = to,
                Field::ContractStart => self.start = to,
                Field::ContractEnd => self.end = to,
                Field::BirthDate => self.birth = to,
                _ => {}
            }
        }
    }
}

/// What must be one user's only.
#[derive(Debug, Clone, Copy)]
enum Unique {
    Number,
    Login,
    Email,
}

impl Unique {
    fn key<'p>(self, person: &Person<'p>) -> Option<(&'p str, Cow<'p, str>)> {
        match self {
            Self::Number => {
                Some((person.entity.unwrap_or_default(), Cow::Borrowed(person.number?)))
            }
            Self::Login => Some(("", lower(Cow::Borrowed(person.login?)))),
            Self::Email => Some(("", Cow::Borrowed(person.email?))),
        }
    }

    fn is_set(self, person: &Person<'_>) -> bool {
        let [number, login, email] = person.sets;
        match self {
            Self::Number => number,
            Self::Login => login,
            Self::Email => email,
        }
    }

    fn field(self) -> Field {
        match self {
            Self::Number => Field::EmployeeNumber,
            Self::Login => Field::Login,
            Self::Email => Field::Email,
        }
    }
}

/// D101 and D106: refuses the rows that take what is another user's. Returns whether any was refused:
/// then the directory would be another, and the question must be asked again.
pub(super) fn refuse_clashes(
    context: &Context<'_>,
    rows: &mut Rows<'_>,
    teller: &mut Teller,
) -> bool {
    // The usual night sets no login, e-mail or number at all.
    if !rows.drafts.iter().any(sets_identity) {
        return false;
    }
    let mut clashes: Vec<Clash> = Vec::new();
    {
        let people = people(context, &rows.drafts);
        for unique in [Unique::Number, Unique::Login, Unique::Email] {
            clashes.extend(find_clashes(&people, unique));
        }
        for clash in &clashes {
            tell_clash(context, &people, clash, teller);
        }
        for clash in &clashes {
            let others = clash.others.iter().filter_map(|at| people.all.get(*at)?.user);
            for user in others {
                if let Some(seen) = rows.present.get_mut(user) {
                    *seen = true;
                }
            }
        }
    }
    for clash in &clashes {
        if let Some(draft) = rows.drafts.get_mut(clash.row) {
            draft.fate = Fate::Refused;
        }
    }
    !clashes.is_empty()
}

fn sets_identity(draft: &Draft<'_>) -> bool {
    let identity = [Field::LegalEntity, Field::EmployeeNumber, Field::Login, Field::Email];
    let sets = |key: &FieldKey| identity.iter().any(|field| *key == FieldKey::Known(*field));
    draft.fate == Fate::Live
        && (draft.user.is_none() || draft.changes.iter().any(|change| sets(&change.field)))
}

/// A row that takes what others have.
struct Clash {
    row: usize,
    unique: Unique,
    value: String,
    /// The others, by place among the people.
    others: Vec<usize>,
}

fn find_clashes(people: &People<'_>, unique: Unique) -> Vec<Clash> {
    if !people.all.iter().any(|person| person.alive && unique.is_set(person)) {
        return Vec::new();
    }
    let mut owner: HashMap<(&str, Cow<'_, str>), usize> = HashMap::with_capacity(people.all.len());
    let mut shared: HashMap<(&str, Cow<'_, str>), Vec<usize>> = HashMap::new();
    for (place, person) in people.all.iter().enumerate().filter(|(_, person)| person.alive) {
        let Some(key) = unique.key(person) else { continue };
        match owner.get(&key) {
            Some(first) => shared.entry(key).or_insert_with(|| vec![*first]).push(place),
            None => drop(owner.insert(key, place)),
        }
    }
    let mut clashes = Vec::new();
    for ((entity, value), places) in shared {
        let value =
            if entity.is_empty() { value.into_owned() } else { format!("{entity} + {value}") };
        for place in &places {
            let Some(person) = people.all.get(*place) else { continue };
            if let Some(row) = person.row.filter(|_| unique.is_set(person)) {
                let others = places.iter().copied().filter(|other| other != place).collect();
                clashes.push(Clash { row, unique, value: value.clone(), others });
            }
        }
    }
    clashes
}

fn tell_clash(context: &Context<'_>, people: &People<'_>, clash: &Clash, teller: &mut Teller) {
    let mut names: Vec<String> = Vec::new();
    let mut lines: Vec<u32> = Vec::new();
    for person in clash.others.iter().filter_map(|at| people.all.get(*at)) {
        names.push(person.name());
        // Whoever only now takes the value stands in the file, not in the directory.
        let row = person.row.filter(|_| clash.unique.is_set(person));
        lines.extend(row.and_then(|row| context.row(row)).map(|row| row.line()));
    }
    names.sort_unstable();
    lines.sort_unstable();
    let why = if lines.is_empty() { "" } else { "file" };
    let lines: Vec<String> = lines.iter().map(u32::to_string).collect();
    let code = match clash.unique {
        Unique::Number => Code::D101,
        Unique::Login | Unique::Email => Code::D106,
    };
    let named = params([
        ("taken", clash.value.clone()),
        ("owner", names.join(", ")),
        ("other_lines", lines.join(", ")),
    ]);
    let Some(row) = context.row(clash.row) else { return };
    let user = people
        .of_row
        .get(clash.row)
        .copied()
        .flatten()
        .and_then(|place| people.all.get(place))
        .and_then(|person| context.user(person.user));
    let wired = context.sheet.field(&FieldKey::Known(clash.unique.field()));
    let told = context.place(&row, user, wired, message(code, why, named));
    teller.row(clash.row, told);
}

/// D107: a new user with the name of somebody else in the directory, or of another new user with the
/// same date of birth. Different people can share a name, so this is only told.
pub(super) fn tell_homonyms(context: &Context<'_>, people: &People<'_>, teller: &mut Teller) {
    let known = context.job.snapshot.users.len();
    let (old, new) = people.all.split_at(known.min(people.all.len()));
    if new.is_empty() {
        return;
    }
    let key = |person: &Person<'_>| {
        Some((fold(person.last?), fold(person.first?))).filter(|(last, _)| !last.is_empty())
    };
    let mut named: HashMap<(String, String), Vec<&Person<'_>>> = HashMap::new();
    for person in new {
        if let Some(key) = key(person) {
            named.entry(key).or_default().push(person);
        }
    }
    let mut namesakes: HashMap<usize, Vec<&Person<'_>>> = HashMap::new();
    for person in old.iter().filter(|person| person.alive) {
        let Some(group) = key(person).and_then(|key| named.get(&key)) else { continue };
        for row in group.iter().filter_map(|newcomer| newcomer.row) {
            namesakes.entry(row).or_default().push(person);
        }
    }
    for group in named.values().filter(|group| group.len() > 1) {
        for person in group {
            let twins = group.iter().filter(|other| {
                other.row != person.row && other.birth.is_some() && other.birth == person.birth
            });
            if let Some(row) = person.row {
                for twin in twins {
                    namesakes.entry(row).or_default().push(twin);
                }
            }
        }
    }
    for (at, others) in namesakes {
        let mut who: Vec<String> = others
            .iter()
            .map(|p| match p.number {
                Some(number) => format!("{} ({number})", p.name()),
                None => p.name(),
            })
            .collect();
        who.sort_unstable();
        let Some(row) = context.row(at) else { continue };
        let wired = context.sheet.field(&FieldKey::Known(Field::LastName));
        let told = message(Code::D107, "", params([("users", who.join(", "))]));
        teller.row(at, context.place(&row, None, wired, told));
    }
}
