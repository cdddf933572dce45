//! What a part of a file has to know of users who are not in its snapshot.

use std::collections::HashSet;

use crate::import::directory::User;
use crate::import::fields::{Field, FieldKey, Value};
use crate::import::plan::draft::{Context, Draft, Rows};
use crate::import::plan::identity::lower;
use crate::import::plan::managers::default_named_then;
use crate::import::plan::memo::value;
use crate::import::text::{clean, fold};

/// Users with any of these values must be known; and unread rows whose manager is one of `bosses` must be read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wants {
    /// Employee numbers without their leading zeros.
    pub numbers: HashSet<String>,
    /// Logins and e-mails in lower case.
    pub accounts: HashSet<String>,
    /// Folded full names, in either order.
    pub names: HashSet<String>,
    /// Legal entities of which somebody who has not left must be known.
    pub entities: HashSet<String>,
    /// Users whose number, legal entity or contract changes.
    pub bosses: HashSet<i64>,
}

impl Wants {
    /// Whether nothing is wanted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bosses.is_empty() && !self.needs_search()
    }

    /// Whether users have to be looked for.
    #[must_use]
    pub fn needs_search(&self) -> bool {
        !(self.numbers.is_empty()
            && self.accounts.is_empty()
            && self.names.is_empty()
            && self.entities.is_empty())
    }

    /// What is wanted beyond what was asked for already.
    #[must_use]
    pub fn beyond(&self, asked: &Self) -> Self {
        let rest = |own: &HashSet<String>, asked: &HashSet<String>| {
            own.difference(asked).cloned().collect()
        };
        Self {
            numbers: rest(&self.numbers, &asked.numbers),
            accounts: rest(&self.accounts, &asked.accounts),
            names: rest(&self.names, &asked.names),
            entities: rest(&self.entities, &asked.entities),
            bosses: self.bosses.difference(&asked.bosses).copied().collect(),
        }
    }

    /// Notes that these were asked for.
    pub fn extend(&mut self, more: Self) {
        self.numbers.extend(more.numbers);
        self.accounts.extend(more.accounts);
        self.names.extend(more.names);
        self.entities.extend(more.entities);
        self.bosses.extend(more.bosses);
    }

    /// Whether this user is one of those wanted; an entity's first user takes it off the list.
    pub fn takes(&mut self, user: &User, is_active: bool) -> bool {
        let get = |field| user.values.get(field);
        let number = get(Field::EmployeeNumber).map(bare);
        let known = number.is_some_and(|number| self.numbers.contains(number))
            || get(Field::Login).is_some_and(|login| self.has_account(login))
            || get(Field::Email).is_some_and(|email| self.has_account(email));
        if known || self.has_name(get(Field::LastName), get(Field::FirstName)) {
            return true;
        }
        is_active && get(Field::LegalEntity).is_some_and(|entity| self.entities.remove(entity))
    }

    fn has_account(&self, text: &str) -> bool {
        !self.accounts.is_empty() && self.accounts.contains(lower(text.into()).as_ref())
    }

    fn has_name(&self, last: Option<&str>, first: Option<&str>) -> bool {
        if self.names.is_empty() {
            return false;
        }
        let (last, first) = (fold(last.unwrap_or_default()), fold(first.unwrap_or_default()));
        self.names.contains(&format!("{last}{first}"))
            || self.names.contains(&format!("{first}{last}"))
    }

    fn number(&mut self, number: &str) {
        self.numbers.insert(bare(number).to_owned());
    }

    fn account(&mut self, text: &str) {
        self.accounts.insert(lower(text.into()).into_owned());
    }

    fn name(&mut self, text: &str) {
        let folded = fold(text);
        if folded.chars().any(char::is_alphabetic) {
            self.names.insert(folded);
        }
    }

    /// Whoever a manager's cell may mean.
    fn anybody(&mut self, text: &str) {
        self.number(text);
        self.account(text);
        self.name(text);
    }
}

fn bare(number: &str) -> &str {
    number.trim_start_matches('0')
}

/// Whether rows that name a user as their manager must be read again when this field of the user changes.
pub(super) fn moves_boss(field: &FieldKey) -> bool {
    matches!(
        field,
        FieldKey::Known(
            Field::EmployeeNumber | Field::LegalEntity | Field::ContractStart | Field::ContractEnd
        )
    )
}

/// What the rows that were read have to know.
pub(in crate::import::plan) fn wants(context: &Context<'_>, rows: &Rows) -> Wants {
    let mut wants = Wants::default();
    for (at, draft) in rows.drafts.iter().enumerate() {
        match context.user(draft.user()) {
            None => stranger(context, at, draft, &mut wants),
            Some(user) => changed(user, draft, &mut wants),
        }
    }
    for (at, draft) in rows.drafts.iter().enumerate() {
        if let Some(text) = context.manager_named(at, draft)
            && !is_unchanged(context, draft, &text, &wants)
        {
            wants.anybody(&text);
        }
        if let Some(text) = default_named_then(context, draft) {
            wants.anybody(&text);
        }
    }
    for wish in context.job.snapshot.manager_wishes.values() {
        wants.anybody(&wish.text);
    }
    if context.job.settings.guards.whole_entity {
        entities(context, rows, &mut wants);
    }
    wants
}

/// A row that means nobody in the snapshot: whoever has its number, login, e-mail or name.
fn stranger(context: &Context<'_>, at: usize, draft: &Draft, wants: &mut Wants) {
    let Some(row) = context.row(at) else { return };
    // What it gets, with defaults; of a row that is refused, what its cells say.
    let cell = |field: Field| {
        if let Some(given) = draft.given.get(context.sheet, Some(row), field) {
            return Some(given.into_owned());
        }
        let wired = context.sheet.field(&FieldKey::Known(field))?;
        match value(&wired.key, row.get(wired.index)?, &context.sheet.dates) {
            Ok(Value::Text(text)) => Some(text.into_owned()),
            Ok(Value::Blank | Value::Open) => None,
            Err(_) => Some(clean(&row.get(wired.index)?).into_owned()),
        }
    };
    if let Some(number) = cell(Field::EmployeeNumber) {
        wants.number(&number);
    }
    for field in [Field::Login, Field::Email] {
        if let Some(text) = cell(field) {
            wants.account(&text);
        }
    }
    let name = [Field::LastName, Field::FirstName].map(|field| cell(field).unwrap_or_default());
    wants.name(&name.concat());
}

/// A user of whom something changes that only one can have, or that others hang on.
fn changed(user: &User, draft: &Draft, wants: &mut Wants) {
    for change in draft.changes.iter() {
        let to = change.to.as_deref();
        match &change.field {
            FieldKey::Known(Field::EmployeeNumber) => {
                to.into_iter().for_each(|to| wants.number(to))
            }
            FieldKey::Known(Field::LegalEntity) => {
                user.values.get(Field::EmployeeNumber).into_iter().for_each(|n| wants.number(n));
            }
            FieldKey::Known(Field::Login | Field::Email) => {
                to.into_iter().for_each(|to| wants.account(to));
            }
            _ => {}
        }
        if moves_boss(&change.field) {
            wants.bosses.insert(user.id);
        }
    }
}

/// The cell names the manager whom the directory has, by number in the own legal entity: nobody else can be meant.
fn is_unchanged(context: &Context<'_>, draft: &Draft, text: &str, wants: &Wants) -> bool {
    let users = &context.job.snapshot.users;
    let boss = || {
        let me = context.user(draft.user())?;
        let id = me.values.get(Field::Manager)?.parse::<i64>().ok()?;
        let boss = users.get(users.binary_search_by_key(&id, |user| user.id).ok()?)?;
        Some((me, boss))
    };
    let Some((me, boss)) = boss() else { return false };
    let get = |user: &User, field| user.values.get(field).map(str::to_owned);
    !boss.withdrawn
        && boss.values.get(Field::EmployeeNumber) == Some(text)
        && get(boss, Field::LegalEntity) == get(me, Field::LegalEntity)
        && !wants.bosses.contains(&boss.id)
        && !wants.bosses.contains(&me.id)
}

/// G605 asks whether anybody of an absent user's legal entity is still there.
fn entities(context: &Context<'_>, rows: &Rows, wants: &mut Wants) {
    let today = context.today.as_str();
    let users = context.job.snapshot.users.iter().zip(&rows.present);
    for (user, _) in users.filter(|(user, present)| !**present && is_active(user, today)) {
        if let Some(entity) = user.values.get(Field::LegalEntity) {
            wants.entities.insert(entity.to_owned());
        }
    }
    let users = context.job.snapshot.users.iter().zip(&rows.present);
    for (user, _) in users.filter(|(user, present)| **present && is_active(user, today)) {
        if let Some(entity) = user.values.get(Field::LegalEntity) {
            wants.entities.remove(entity);
        }
    }
}

fn is_active(user: &User, today: &str) -> bool {
    !user.withdrawn && user.values.get(Field::ContractEnd).is_none_or(|end| end >= today)
}
