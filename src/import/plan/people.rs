//! The directory as it would be: logins, e-mails and numbers that clash, and people of the same name.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::draft::{Context, Draft, Fate, Rows, name};
use super::identity::lower;
use super::places::{Key, Links, Places};
use super::sheet::Sheet;
use super::tell::{MAX_NAMED, Teller, few, message, params};
use crate::import::codes::Code;
use crate::import::directory::User;
use crate::import::fields::{Field, FieldKey};
use crate::import::text::fold;

/// Everybody: first the users of the directory in its order, then the new ones in the order of the file.
#[derive(Debug)]
pub(super) struct People<'p> {
    sheet: &'p Sheet<'p>,
    users: &'p [User],
    drafts: &'p [Draft],
    /// The row that changes or makes each person.
    rows: Links,
    /// For each row, its person.
    pub of_row: Links,
}

/// A user as the directory would have them. Nothing is copied: there may be a million of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Person<'p> {
    /// The row that changes or makes them.
    pub row: Option<usize>,
    /// The user in the directory; `None`: new.
    pub user: Option<usize>,
    known: Option<&'p User>,
    draft: Option<&'p Draft>,
    sheet: &'p Sheet<'p>,
}

/// The directory with the rows that still stand.
pub(super) fn people<'p>(context: &Context<'p>, drafts: &'p [Draft]) -> People<'p> {
    let users = &context.job.snapshot.users;
    let mut rows = Links::new(users.len());
    let mut of_row = Links::new(drafts.len());
    for (row, draft) in drafts.iter().enumerate().filter(|(_, d)| d.fate == Fate::Live) {
        let place = match draft.user() {
            Some(user) => {
                rows.set(user, Some(row));
                user
            }
            None => {
                rows.push(Some(row));
                rows.len() - 1
            }
        };
        of_row.set(row, Some(place));
    }
    People { sheet: context.sheet, users, drafts, rows, of_row }
}

impl<'p> People<'p> {
    /// How many they are.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn get(&self, place: usize) -> Option<Person<'p>> {
        if place >= self.rows.len() {
            return None;
        }
        let row = self.rows.get(place);
        let known = self.users.get(place);
        let draft = row.and_then(|row| self.drafts.get(row));
        Some(Person { row, user: known.map(|_| place), known, draft, sheet: self.sheet })
    }

    /// The person of a row.
    pub(super) fn of(&self, row: usize) -> Option<Person<'p>> {
        self.get(self.of_row.get(row)?)
    }

    /// All of them, by place.
    pub(super) fn all(&self) -> impl Iterator<Item = (usize, Person<'p>)> {
        (0..self.len()).filter_map(|place| Some((place, self.get(place)?)))
    }

    /// Those who are not withdrawn, by place.
    pub(super) fn alive(&self) -> impl Iterator<Item = (usize, Person<'p>)> {
        self.all().filter(|(_, person)| person.is_alive())
    }
}

impl<'p> Person<'p> {
    /// Not withdrawn.
    pub(super) fn is_alive(&self) -> bool {
        self.known.is_none_or(|user| !user.withdrawn)
    }

    /// The directory has them under the number that they would have; else the file gives it.
    pub(super) fn is_known_by_number(&self) -> bool {
        let known = self.known.and_then(|user| user.values.get(Field::EmployeeNumber));
        known.is_some() && known == self.get(Field::EmployeeNumber).as_deref()
    }

    /// A value as it would be. The manager is the one whom the directory has.
    pub(super) fn get(&self, field: Field) -> Option<Cow<'p, str>> {
        let Some(known) = self.known else {
            let row = self.sheet.table.row(self.row?);
            return self.draft?.given.get(self.sheet, row, field);
        };
        if field != Field::Manager
            && let Some(change) = self.change(field)
        {
            return change.map(Cow::Borrowed);
        }
        known.values.get(field).map(Cow::Borrowed)
    }

    /// What the row changes of a field.
    fn change(&self, field: Field) -> Option<Option<&'p str>> {
        let mut changes = self.draft?.changes.iter();
        changes.find(|c| c.field == FieldKey::Known(field)).map(|change| change.to.as_deref())
    }

    /// Whether the row gives or changes a field.
    fn sets(&self, field: Field) -> bool {
        match self.known {
            None => self.draft.is_some_and(|draft| draft.given.has(field)),
            Some(_) => self.change(field).is_some(),
        }
    }

    /// `DUPONT Anne`
    pub(super) fn name(&self) -> String {
        name(self.get(Field::LastName).as_deref(), self.get(Field::FirstName).as_deref())
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
    fn key<'p>(self, person: &Person<'p>) -> Option<Key<'p>> {
        let value = person.get(self.field())?;
        Some(match self {
            Self::Number => (person.get(Field::LegalEntity).unwrap_or_default(), value),
            Self::Login => (Cow::Borrowed(""), lower(value)),
            Self::Email => (Cow::Borrowed(""), value),
        })
    }

    fn is_set(self, person: &Person<'_>) -> bool {
        let entity = matches!(self, Self::Number) && person.sets(Field::LegalEntity);
        entity || person.sets(self.field())
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
pub(super) fn refuse_clashes(context: &Context<'_>, rows: &mut Rows, teller: &mut Teller) -> bool {
    // The usual night sets no login, e-mail or number at all.
    if !rows.drafts.iter().any(sets_identity) {
        return false;
    }
    let mut refused: Vec<usize> = Vec::new();
    {
        let people = people(context, &rows.drafts);
        for unique in [Unique::Number, Unique::Login, Unique::Email] {
            for clash in clashes(&people, unique) {
                refused.extend(tell_clash(context, &people, unique, &clash, teller));
                let known = clash.iter().filter_map(|at| people.get(*at)?.user);
                for user in known {
                    if let Some(seen) = rows.present.get_mut(user) {
                        *seen = true;
                    }
                }
            }
        }
    }
    for row in &refused {
        if let Some(draft) = rows.drafts.get_mut(*row) {
            draft.fate = Fate::Refused;
        }
    }
    !refused.is_empty()
}

fn sets_identity(draft: &Draft) -> bool {
    let identity = [Field::LegalEntity, Field::EmployeeNumber, Field::Login, Field::Email];
    let sets = |key: &FieldKey| identity.iter().any(|field| *key == FieldKey::Known(*field));
    draft.fate == Fate::Live
        && (draft.user().is_none() || draft.changes.iter().any(|change| sets(&change.field)))
}

/// The people, by place, who share what must be one user's only, if a row of the file gave it to any of them.
fn clashes(people: &People<'_>, unique: Unique) -> Vec<Vec<usize>> {
    if !people.alive().any(|(_, person)| unique.is_set(&person)) {
        return Vec::new();
    }
    let key = |place| unique.key(&people.get(place).filter(Person::is_alive)?);
    let given = |place: &usize| people.get(*place).is_some_and(|person| unique.is_set(&person));
    let mut shared = Places::of(people.len(), key).groups(|a, b| key(a) == key(b));
    shared.retain(|group| group.iter().any(given));
    shared
}

/// Tells the rows that take what others have; gives them.
fn tell_clash(
    context: &Context<'_>,
    people: &People<'_>,
    unique: Unique,
    clash: &[usize],
    teller: &mut Teller,
) -> Vec<usize> {
    let code = match unique {
        Unique::Number => Code::D101,
        Unique::Login | Unique::Email => Code::D106,
    };
    let wired = context.sheet.field(&FieldKey::Known(unique.field()));
    let mut refused = Vec::new();
    for place in clash {
        let Some(person) = people.get(*place).filter(|person| unique.is_set(person)) else {
            continue;
        };
        let Some((at, row)) = person.row.and_then(|at| Some((at, context.row(at)?))) else {
            continue;
        };
        // Of very many, the first are named: everybody's list of everybody else would not end.
        let others = clash.iter().filter(|other| *other != place).take(MAX_NAMED + 1);
        let mut names: Vec<String> = Vec::new();
        let mut lines: Vec<u32> = Vec::new();
        for other in others.filter_map(|other| people.get(*other)) {
            names.push(other.name());
            // Whoever only now takes the value stands in the file, not in the directory.
            let row = other.row.filter(|_| unique.is_set(&other));
            lines.extend(row.and_then(|row| context.row(row)).map(|row| row.line()));
        }
        names.sort_unstable();
        lines.sort_unstable();
        let why = if lines.is_empty() { "" } else { "file" };
        let value = match unique.key(&person) {
            Some((entity, value)) if entity.is_empty() => value.into_owned(),
            Some((entity, value)) => format!("{entity} + {value}"),
            None => continue,
        };
        let lines = lines.iter().map(u32::to_string).collect();
        let named = params([("taken", value), ("owner", few(names)), ("other_lines", few(lines))]);
        let user = context.user(person.user);
        teller.row(at, context.place(&row, user, wired, message(code, why, named)));
        refused.push(at);
    }
    refused
}

/// For a new user, by place, others of the same name: in the directory, or new too and born on the same day.
fn homonyms(context: &Context<'_>, people: &People<'_>) -> BTreeMap<usize, Vec<usize>> {
    let mut namesakes: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let known = context.job.snapshot.users.len();
    if people.len() <= known {
        return namesakes;
    }
    let key = |place: usize| {
        let person = people.get(place).filter(|person| place >= known || person.is_alive())?;
        let last = fold(&person.get(Field::LastName)?);
        let first = fold(&person.get(Field::FirstName)?);
        (!last.is_empty()).then_some((Cow::Owned(last), Cow::Owned(first)))
    };
    for group in Places::of(people.len(), key).groups(|a, b| key(a) == key(b)) {
        let (old, new) = group.split_at(group.partition_point(|place| *place < known));
        for newcomer in new {
            old.iter().take(MAX_NAMED + 1).for_each(|old| add_few(&mut namesakes, *newcomer, *old));
        }
        let mut born: BTreeMap<Cow<'_, str>, Vec<usize>> = BTreeMap::new();
        for place in new {
            if let Some(birth) = people.get(*place).and_then(|p| p.get(Field::BirthDate)) {
                born.entry(birth).or_default().push(*place);
            }
        }
        for twins in born.values() {
            for place in twins {
                let others = twins.iter().filter(|other| *other != place).take(MAX_NAMED + 1);
                others.for_each(|other| add_few(&mut namesakes, *place, *other));
            }
        }
    }
    namesakes
}

/// D107: a new user with the name of somebody else. Different people can share a name, so this is only told.
pub(super) fn tell_homonyms(context: &Context<'_>, people: &People<'_>, teller: &mut Teller) {
    for (newcomer, others) in homonyms(context, people) {
        tell_homonym(context, people, newcomer, &others, teller);
    }
}

/// One more than are named shows that there are more.
fn add_few(namesakes: &mut BTreeMap<usize, Vec<usize>>, newcomer: usize, other: usize) {
    let others = namesakes.entry(newcomer).or_default();
    if others.len() <= MAX_NAMED {
        others.push(other);
    }
}

fn tell_homonym(
    context: &Context<'_>,
    people: &People<'_>,
    newcomer: usize,
    others: &[usize],
    teller: &mut Teller,
) {
    let who = others.iter().filter_map(|other| people.get(*other)).map(|other| {
        match other.get(Field::EmployeeNumber) {
            Some(number) => format!("{} ({number})", other.name()),
            None => other.name(),
        }
    });
    let mut who: Vec<String> = who.collect();
    who.sort_unstable();
    let row = people.get(newcomer).and_then(|person| person.row);
    let Some((at, row)) = row.and_then(|at| Some((at, context.row(at)?))) else { return };
    let wired = context.sheet.field(&FieldKey::Known(Field::LastName));
    let told = message(Code::D107, "", params([("users", few(who))]));
    teller.row(at, context.place(&row, None, wired, told));
}
