//! Rows under a key that nobody has, which may mean somebody who is known under another key (D104).

use std::collections::HashMap;
use std::sync::Arc;

use super::draft::{Context, Fate, Rows, key_column, user_name};
use super::identity::{Index, Keys, RowKey, Slot, bare_number, user_key};
use super::memo::value;
use super::tell::{MAX_NAMED, Teller, few, found, message, params};
use crate::import::codes::{Code, Effect, Level};
use crate::import::directory::{Key, User};
use crate::import::fields::{Field, FieldKey, Value};
use crate::import::report::{Message, PendingRow};
use crate::import::text::fold;

/// What a row under a new key turns out to be.
enum Verdict {
    /// Somebody whom nobody knows.
    New,
    /// This user, under a new key.
    Means(usize),
    /// Perhaps this user; somebody must say so.
    Suspected { user: usize, why: &'static str },
    /// The row cannot be taken; these users count as present.
    Refused { message: Box<Message>, seen: Vec<usize> },
}

/// Settles the rows under new keys: the file says who they were, or somebody approved that, or they are refused if
/// they resemble a user who is not in the file.
pub(super) fn settle<'s>(
    context: &Context<'s>,
    keys: &Keys<'s>,
    rows: &mut Rows,
    teller: &mut Teller,
) {
    if context.job.snapshot.users.is_empty() {
        return;
    }
    let mut finder = Finder::new(context);
    let mut verdicts: Vec<(usize, Verdict)> = Vec::new();
    for (at, draft) in rows.drafts.iter().enumerate() {
        if draft.fate != Fate::Live || draft.user().is_some() {
            continue;
        }
        let Some(key) = keys.get(at) else { continue };
        match finder.verdict(context, at, &key, &rows.present) {
            Verdict::New => {}
            verdict => verdicts.push((at, verdict)),
        }
    }
    let approve = |at: usize, verdict: Verdict| match verdict {
        Verdict::Suspected { user, .. } if is_approved(context, rows, at) => Verdict::Means(user),
        verdict => verdict,
    };
    let mut verdicts: Vec<(usize, Verdict)> =
        verdicts.into_iter().map(|(at, verdict)| (at, approve(at, verdict))).collect();
    refuse_contested(context, &mut verdicts);
    for (at, verdict) in verdicts {
        rows.take(context, at, verdict, teller);
    }
}

fn is_approved(context: &Context<'_>, rows: &Rows, at: usize) -> bool {
    let line = rows.drafts.get(at).map(|draft| draft.line);
    context.approved_lines().zip(line).is_some_and(|(lines, line)| lines.contains(&line))
}

/// One user can take one new key only.
fn refuse_contested(context: &Context<'_>, verdicts: &mut [(usize, Verdict)]) {
    let mut wanted: HashMap<usize, Vec<usize>> = HashMap::new();
    for (at, verdict) in &*verdicts {
        if let Verdict::Means(user) = verdict {
            wanted.entry(*user).or_default().push(*at);
        }
    }
    for (at, verdict) in verdicts {
        let Verdict::Means(user) = verdict else { continue };
        let rivals = wanted.get(user).map(Vec::as_slice).unwrap_or_default();
        if rivals.len() < 2 {
            continue;
        }
        let others = rivals.iter().filter(|other| *other != at);
        let lines: Vec<String> = others
            .take(MAX_NAMED + 1)
            .filter_map(|at| context.row(*at))
            .map(|row| row.line().to_string())
            .collect();
        let Some(known) = context.user(Some(*user)) else { continue };
        let named = [("other_lines", few(lines))];
        let message = Box::new(about(known, "contested", named));
        *verdict = Verdict::Refused { message, seen: vec![*user] };
    }
}

/// A D104 about a user.
fn about<const N: usize>(user: &User, why: &str, named: [(&'static str, String); N]) -> Message {
    let known = [("user", user_name(user)), ("known", known_key(user))];
    message(Code::D104, why, params(known.into_iter().chain(named)))
}

/// `FR01 + 00123`, or the login or address of a user without a number.
fn known_key(user: &User) -> String {
    let get = |field| user.values.get(field);
    match (get(Field::LegalEntity), get(Field::EmployeeNumber)) {
        (Some(entity), Some(number)) => format!("{entity} + {number}"),
        (_, Some(number)) => number.to_owned(),
        _ => get(Field::Login).or(get(Field::Email)).unwrap_or_default().to_owned(),
    }
}

impl Rows {
    fn take(&mut self, context: &Context<'_>, at: usize, verdict: Verdict, teller: &mut Teller) {
        let (Some(row), Some(draft)) = (context.row(at), self.drafts.get_mut(at)) else { return };
        let wired = key_column(context.sheet);
        let approved = context.approved_lines().is_some();
        let pending = |user: &User| PendingRow {
            line: row.line(),
            code: Code::D104,
            person: context.person(&row, None),
            user: user.id,
            decided: None,
        };
        match verdict {
            Verdict::New => {}
            Verdict::Means(place) => {
                let Some(user) = context.user(Some(place)) else { return };
                draft.set_user(Some(place));
                draft.renumbered = true;
                if approved {
                    self.pending.push(pending(user));
                }
                teller.row(at, context.place(&row, Some(user), wired, about(user, "taken", [])));
                self.see(Some(place));
            }
            Verdict::Suspected { user: place, why } => {
                let Some(user) = context.user(Some(place)) else { return };
                draft.fate = Fate::Refused;
                if !approved {
                    self.pending.push(pending(user));
                }
                let email = user.values.get(Field::Email).unwrap_or_default().to_owned();
                let told = about(user, why, [("taken", email)]);
                teller.row(at, context.place(&row, None, wired, told));
                self.see(Some(place));
            }
            Verdict::Refused { message, seen } => {
                draft.fate = Fate::Refused;
                teller.row(at, context.place(&row, None, wired, *message));
                seen.into_iter().for_each(|user| self.see(Some(user)));
            }
        }
    }
}

/// Whoever a row resembles that was refused or held is present, whatever key the row has.
pub(super) fn see_resembled<'s>(context: &Context<'s>, keys: &Keys<'s>, rows: &mut Rows) {
    if context.job.snapshot.users.is_empty() {
        return;
    }
    let mut finder = Finder::new(context);
    for at in 0..keys.len() {
        let fate = rows.drafts.get(at).map(|draft| draft.fate);
        let Some(Fate::Refused | Fate::Held) = fate else { continue };
        let Some(key) = keys.get(at) else { continue };
        let [mut seen, by_birth] = finder.resembled(context, at, &rows.present);
        seen.extend(by_birth);
        seen.extend(finder.by_zeros(context, at, &key, &rows.present));
        match finder.by_previous_number(context, at, &key, &rows.present) {
            Some(Verdict::Means(user)) => seen.push(user),
            Some(Verdict::Refused { seen: others, .. }) => seen.extend(others),
            _ => {}
        }
        seen.into_iter().for_each(|user| rows.see(Some(user)));
    }
}

/// The users by what a row may resemble them in; each map is made when it is first needed.
struct Finder<'s> {
    users: &'s [User],
    emails: Option<HashMap<&'s str, usize>>,
    births: Option<HashMap<(String, &'s str), Vec<usize>>>,
    numbers: Option<[Index<'s>; 2]>,
    /// By number without the zeros in front.
    bare: Option<HashMap<&'s str, Vec<usize>>>,
}

impl<'s> Finder<'s> {
    fn new(context: &Context<'s>) -> Self {
        let users = &context.job.snapshot.users;
        Self { users, emails: None, births: None, numbers: None, bare: None }
    }

    fn verdict(
        &mut self,
        context: &Context<'s>,
        at: usize,
        key: &RowKey<'s>,
        present: &[bool],
    ) -> Verdict {
        if let Some(verdict) = self.by_previous_number(context, at, key, present) {
            return verdict;
        }
        let [by_email, by_birth] = self.resembled(context, at, present);
        let (why, mut seen) = match (by_email.is_empty(), by_birth.is_empty()) {
            (true, true) => ("zeros", self.by_zeros(context, at, key, present)),
            (true, false) => ("birth", by_birth),
            (false, _) => ("", by_email.into_iter().chain(by_birth).collect()),
        };
        seen.sort_unstable();
        seen.dedup();
        match seen.as_slice() {
            [] => Verdict::New,
            [user] => Verdict::Suspected { user: *user, why },
            _ => {
                let users = seen.iter().filter_map(|user| context.user(Some(*user)));
                let names: Vec<String> = users
                    .take(MAX_NAMED + 1)
                    .map(|user| format!("{} ({})", user_name(user), known_key(user)))
                    .collect();
                let message = message(Code::D104, "several", params([("users", few(names))]));
                Verdict::Refused { message: Box::new(message), seen }
            }
        }
    }

    /// The user whose number was the one in the column of previous numbers; `None`: the row names none, or nobody's.
    fn by_previous_number(
        &mut self,
        context: &Context<'s>,
        at: usize,
        key: &RowKey<'s>,
        present: &[bool],
    ) -> Option<Verdict> {
        let (sheet, row) = (context.sheet, context.row(at)?);
        let cell = row.get(sheet.columns.previous_employee_number?)?;
        let number = match value(&FieldKey::Known(Field::EmployeeNumber), cell, &sheet.dates) {
            Ok(Value::Text(number)) => number,
            Ok(Value::Blank | Value::Open) => return None,
            Err(cell) => {
                return Some(refused(found(cell.code, &cell.params), Vec::new()));
            }
        };
        let entity = match sheet.key {
            Key::LegalEntityAndEmployeeNumber => Some(key.entity.clone()),
            _ => self.text(context, at, Field::LegalEntity).map(Into::into),
        };
        let coder = sheet.coders.get(&FieldKey::Known(Field::LegalEntity));
        let users = self.users;
        let [pairs, numbers] = self.numbers.get_or_insert_with(|| {
            [Key::LegalEntityAndEmployeeNumber, Key::EmployeeNumber]
                .map(|key| Index::new(users, key, coder.map(Arc::clone)))
        });
        let bare = RowKey { entity: "".into(), value: number.clone() };
        let near = entity.map(|entity| RowKey { entity, value: number.clone() });
        let slot = near.and_then(|pair| pairs.get(&pair)).or_else(|| numbers.get(&bare));
        match slot {
            Some(Slot::One(user)) if present.get(user).copied().unwrap_or(false) => {
                let known = context.user(Some(user))?;
                Some(refused(about(known, "in_file", []), vec![user]))
            }
            Some(Slot::One(user)) => Some(Verdict::Means(user)),
            Some(Slot::Several(several)) => {
                let who: Vec<String> = several
                    .iter()
                    .take(MAX_NAMED + 1)
                    .filter_map(|user| context.user(Some(*user)))
                    .map(|user| format!("{} ({})", user_name(user), known_key(user)))
                    .collect();
                let named = params([("key", number.to_string()), ("users", few(who))]);
                Some(refused(message(Code::D101, "several", named), several.to_vec()))
            }
            None => {
                let user = numbers.zero_padded(&bare)?;
                let known = context.user(Some(user))?;
                let named = params([
                    ("number", number.to_string()),
                    ("known", known.values.get(Field::EmployeeNumber)?.to_owned()),
                    ("user", user_name(known)),
                ]);
                Some(refused(message(Code::V309, "zeros", named), vec![user]))
            }
        }
    }

    /// The users who are not in the file under their own key and have the row's e-mail address, or its name and date
    /// of birth.
    fn resembled(&mut self, context: &Context<'s>, at: usize, present: &[bool]) -> [Vec<usize>; 2] {
        let absent = |user: &usize| !present.get(*user).copied().unwrap_or(true);
        let users = self.users;
        let alive = || users.iter().enumerate().filter(|(_, user)| !user.withdrawn);
        let mut by_email = Vec::new();
        if let Some(email) = self.text(context, at, Field::Email) {
            let emails = self.emails.get_or_insert_with(|| {
                alive()
                    .filter_map(|(at, user)| Some((user.values.get(Field::Email)?, at)))
                    .collect()
            });
            by_email.extend(emails.get(email.as_str()).copied().filter(absent));
        }
        let [last, first, birth] = [Field::LastName, Field::FirstName, Field::BirthDate]
            .map(|field| self.text(context, at, field));
        let (Some(last), Some(first), Some(birth)) = (last, first, birth) else {
            return [by_email, Vec::new()];
        };
        let births = self.births.get_or_insert_with(|| {
            let mut births: HashMap<(String, &'s str), Vec<usize>> = HashMap::new();
            for (at, user) in alive() {
                let get = |field| user.values.get(field);
                let (Some(last), Some(first), Some(birth)) =
                    (get(Field::LastName), get(Field::FirstName), get(Field::BirthDate))
                else {
                    continue;
                };
                births.entry((full_name(last, first), birth)).or_default().push(at);
            }
            births
        });
        let named = births.get(&(full_name(&last, &first), birth.as_str()));
        [by_email, named.into_iter().flatten().copied().filter(absent).collect()]
    }

    /// The users who are not in the file under their own key and have the row's name and its number but for zeros in
    /// front: the file before came from a spreadsheet, or numbers have become longer.
    fn by_zeros(
        &mut self,
        context: &Context<'s>,
        at: usize,
        key: &RowKey<'s>,
        present: &[bool],
    ) -> Vec<usize> {
        let by = context.sheet.key;
        let numbers = matches!(by, Key::EmployeeNumber | Key::LegalEntityAndEmployeeNumber);
        let Some(number) = bare_number(&key.value).filter(|_| numbers) else { return Vec::new() };
        let (users, entities) =
            (self.users, context.sheet.coders.get(&FieldKey::Known(Field::LegalEntity)));
        let known = |user: &'s User| user_key(user, by, entities.map(Arc::as_ref));
        let bare = self.bare.get_or_insert_with(|| {
            let mut bare: HashMap<&'s str, Vec<usize>> = HashMap::new();
            for (at, user) in users.iter().enumerate().filter(|(_, user)| !user.withdrawn) {
                let number = user.values.get(Field::EmployeeNumber).and_then(bare_number);
                if let Some(number) = number {
                    bare.entry(number).or_default().push(at);
                }
            }
            bare
        });
        let near = |user: &usize| {
            let known = users.get(*user).and_then(known);
            known.is_some_and(|known| known.entity == key.entity && known.value != key.value)
        };
        let alike: Vec<usize> =
            bare.get(number).into_iter().flatten().copied().filter(near).collect();
        if alike.is_empty() {
            return alike;
        }
        let [last, first] =
            [Field::LastName, Field::FirstName].map(|field| self.text(context, at, field));
        let (Some(last), Some(first)) = (last, first) else { return Vec::new() };
        let name = full_name(&last, &first);
        let is_same = |user: &usize| {
            let absent = !present.get(*user).copied().unwrap_or(true);
            let Some(values) = users.get(*user).map(|user| &user.values).filter(|_| absent) else {
                return false;
            };
            let get = |field| values.get(field).unwrap_or_default();
            full_name(get(Field::LastName), get(Field::FirstName)) == name
        };
        alike.into_iter().filter(is_same).collect()
    }

    /// What a row says of a field, if that can be read.
    fn text(&self, context: &Context<'s>, at: usize, field: Field) -> Option<String> {
        let key = FieldKey::Known(field);
        let row = context.row(at)?;
        let cell = row.get(context.sheet.field(&key)?.index)?;
        match value(&key, cell, &context.sheet.dates) {
            Ok(Value::Text(text)) => Some(text.into_owned()),
            _ => None,
        }
    }
}

/// A name as names are compared: the order of its two parts does not matter.
fn full_name(last: &str, first: &str) -> String {
    let (last, first) = (fold(last), fold(first));
    if last <= first { format!("{last} {first}") } else { format!("{first} {last}") }
}

fn refused(mut message: Message, seen: Vec<usize>) -> Verdict {
    message.level = Level::Error;
    message.effect = Effect::RowRefused;
    Verdict::Refused { message: Box::new(message), seen }
}
