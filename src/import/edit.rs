//! One user changed by hand: the values read as a file's cells would be, and held against the directory.

use std::collections::{BTreeMap, HashSet};

use jiff::civil::Date;

use super::directory::{DateOrder, Key, Snapshot, User, Values};
use super::fields::{Dates, Field, FieldKey, Value, parse};
use super::plan::{self, FieldChange};
use super::report::message_words;
use super::settings::key_fields;
use super::text::{clean_words, fold};
use crate::model::Language;

/// What an edit would write.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Edit {
    /// The values that change; none: everything stands there already.
    pub changes: Vec<FieldChange>,
    /// Codes that their lists do not have yet.
    pub list_entries: Vec<(Field, String)>,
}

/// Reads the wanted values (an empty text clears) and holds them against the directory; `keys` are those that the
/// client's folders have settled: no user may lose a part of them.
///
/// # Errors
/// One sentence for each value that is refused, naming the field, the value and the cure.
pub fn edit(
    snapshot: &Snapshot,
    user: i64,
    wanted: &[(FieldKey, String)],
    keys: &[Key],
    today: Date,
) -> Result<Edit, Vec<String>> {
    let Some(before) = snapshot.users.iter().find(|u| u.id == user && !u.withdrawn) else {
        return Err(vec![format!("there is no user {user}")]);
    };
    let mut refused = Vec::new();
    let mut after = before.values.clone();
    let mut entries = Vec::new();
    // Dates first read as day, month, year: ISO is read all the same.
    let dates = Dates::known(Some(DateOrder::Dmy), today);
    for (field, raw) in wanted {
        match read(snapshot, field, raw, &dates, &mut entries) {
            Ok(value) => after.set(field, value.as_deref()),
            Err(why) => refused.push(why),
        }
    }
    for (field, raw) in wanted.iter().filter(|(field, _)| *field == MANAGER) {
        match manager(snapshot, before, &after, raw) {
            Ok(manager) => after.set(field, manager.map(|id| id.to_string()).as_deref()),
            Err(why) => refused.push(format!("manager \"{raw}\": {why}")),
        }
    }
    let user = User { id: user, withdrawn: false, values: after };
    refused.extend(missing(before, &user.values, keys));
    refused.extend(clashes(snapshot, before, &user));
    if !refused.is_empty() {
        return Err(refused);
    }
    let changes = wanted.iter().map(|(field, _)| field).collect::<HashSet<_>>();
    let mut changes: Vec<FieldChange> = changes
        .into_iter()
        .filter(|field| before.values.get_key(field) != user.values.get_key(field))
        .map(|field| FieldChange {
            field: field.clone(),
            from: before.values.get_key(field).map(Into::into),
            to: user.values.get_key(field).map(Into::into),
        })
        .collect();
    changes.sort_by(|a, b| a.field.cmp(&b.field));
    Ok(Edit { changes, list_entries: entries })
}

const MANAGER: FieldKey = FieldKey::Known(Field::Manager);

/// A value in canonical text; a list's own code where the text is a code or name of the list.
fn read(
    snapshot: &Snapshot,
    field: &FieldKey,
    raw: &str,
    dates: &Dates,
    entries: &mut Vec<(Field, String)>,
) -> Result<Option<String>, String> {
    let text = match parse(field, raw, dates) {
        Ok(Value::Blank | Value::Open) => return Ok(None),
        Ok(Value::Text(text)) => text.into_owned(),
        Err(refusal) => {
            let mut message = plan::found(refusal.code, &refusal.params);
            message.field = Some(field.clone());
            // Every such text begins with the column, and here no file gives it a header.
            message.column = field.to_string();
            raw.clone_into(&mut message.received);
            let (text, cure) = message_words(&message, Language::En);
            return Err(format!("{text} {cure}").trim_end().to_owned());
        }
    };
    let FieldKey::Known(known) = field else { return Ok(Some(text)) };
    let list = match known {
        Field::Roles => Field::Role,
        field if field.is_reference() => *field,
        _ => return Ok(Some(text)),
    };
    let codes = text.split('\n').map(|code| {
        let listed = listed_code(snapshot, list, code);
        listed.unwrap_or_else(|| {
            if !entries.iter().any(|(field, known)| *field == list && known == code) {
                entries.push((list, code.to_owned()));
            }
            code.to_owned()
        })
    });
    Ok(Some(codes.collect::<Vec<_>>().join("\n")))
}

fn listed_code(snapshot: &Snapshot, list: Field, text: &str) -> Option<String> {
    let codes = snapshot.lists.get(&list)?;
    if codes.contains(text) {
        return Some(text.to_owned());
    }
    let folded = fold(text);
    let by_name = snapshot.list_names.get(&list).into_iter().flatten();
    let mut same = codes
        .iter()
        .filter(|code| fold(code) == folded)
        .chain(by_name.filter(|(_, name)| fold(name) == folded).map(|(code, _)| code));
    let first = same.next()?;
    // Two that differ in nothing but case are left as they are written.
    same.all(|other| other == first).then(|| first.clone())
}

/// The user whom a text names as manager.
fn manager(
    snapshot: &Snapshot,
    user: &User,
    after: &Values,
    raw: &str,
) -> Result<Option<i64>, String> {
    let text = clean_words(raw);
    if text.is_empty() {
        return Ok(None);
    }
    let manager = named(snapshot, user, after, &text)?;
    let above: BTreeMap<i64, i64> = snapshot
        .users
        .iter()
        .filter_map(|u| Some((u.id, u.values.get(Field::Manager)?.parse().ok()?)))
        .collect();
    let mut at = manager;
    let mut seen = HashSet::from([at]);
    while at != user.id {
        match above.get(&at) {
            Some(next) if seen.insert(*next) => at = *next,
            _ => return Ok(Some(manager)),
        }
    }
    if manager == user.id {
        return Ok(Some(manager));
    }
    Err("this person is below the user already, so the managers would form a circle; give the manager of the other one first".to_owned())
}

fn named(snapshot: &Snapshot, user: &User, after: &Values, text: &str) -> Result<i64, String> {
    let folded = fold(text);
    let lower = text.to_lowercase();
    let living = || snapshot.users.iter().filter(|u| !u.withdrawn);
    let has = |u: &User, field| u.values.get(field).is_some_and(|v| v.to_lowercase() == lower);
    let part = |u: &User, field| u.values.get(field).unwrap_or_default().to_owned();
    let name = |u: &User| {
        let (first, last) = (part(u, Field::FirstName), part(u, Field::LastName));
        [fold(&format!("{first}{last}")), fold(&format!("{last}{first}"))].contains(&folded)
    };
    let entity = after.get(Field::LegalEntity).or(user.values.get(Field::LegalEntity));
    let by_number: Vec<&User> = living().filter(|u| has(u, Field::EmployeeNumber)).collect();
    let own: Vec<&User> =
        by_number.iter().copied().filter(|u| u.values.get(Field::LegalEntity) == entity).collect();
    let groups = [
        own,
        by_number,
        living().filter(|u| has(u, Field::Login)).collect(),
        living().filter(|u| has(u, Field::Email)).collect(),
        living().filter(|u| name(u)).collect(),
    ];
    match groups.into_iter().find(|group| !group.is_empty()).as_deref() {
        Some([one]) => Ok(one.id),
        Some(several) => {
            let names: Vec<String> = several.iter().map(|u| described(u)).collect();
            Err(format!("several fit: {}; use the login or e-mail", names.join(", ")))
        }
        None => Err("nobody has this number, login, e-mail or name".to_owned()),
    }
}

fn described(user: &User) -> String {
    let get = |field| user.values.get(field).unwrap_or_default();
    let name = format!("{} {}", get(Field::FirstName), get(Field::LastName));
    format!("{} ({})", name.trim(), get(Field::EmployeeNumber))
}

/// What no user may be without, and a contract that would end before it starts.
fn missing(before: &User, after: &Values, keys: &[Key]) -> Vec<String> {
    let mut required = vec![Field::FirstName, Field::LastName, Field::ContractStart];
    required.extend(keys.iter().flat_map(|key| key_fields(*key)));
    required.sort_unstable();
    required.dedup();
    let mut refused: Vec<String> = required
        .into_iter()
        .filter(|field| before.values.get(*field).is_some() && after.get(*field).is_none())
        .map(|field| format!("{field} cannot be cleared: every user needs it; give another value"))
        .collect();
    let date = |field| after.get(field).and_then(|text| text.parse::<Date>().ok());
    let moved = [Field::ContractStart, Field::ContractEnd]
        .iter()
        .any(|field| before.values.get(*field) != after.get(*field));
    if let (true, Some(start), Some(end)) =
        (moved, date(Field::ContractStart), date(Field::ContractEnd))
        && end < start
    {
        let named = [("start_date", start.to_string()), ("end_date", end.to_string())];
        let (text, _) = message_words(&plan::found("C402", &named), Language::En);
        refused.push(format!("contract_end: {text}"));
    }
    refused
}

/// Logins, e-mails and numbers that somebody else has.
fn clashes(snapshot: &Snapshot, before: &User, after: &User) -> Vec<String> {
    let mut refused = Vec::new();
    let others = || snapshot.users.iter().filter(|u| u.id != after.id && !u.withdrawn);
    let same = |a: &Values, b: &Values, field| {
        let lower = |values: &Values| values.get(field).map(str::to_lowercase);
        lower(a) == lower(b)
    };
    let changed = |field| before.values.get(field) != after.values.get(field);
    for field in [Field::Login, Field::Email] {
        let Some(value) = after.values.get(field).filter(|_| changed(field)) else { continue };
        if let Some(other) = others().find(|u| same(&u.values, &after.values, field)) {
            let other = described(other);
            refused.push(format!("{field} \"{value}\" is that of {other}; choose another"));
        }
    }
    if let Some(number) = after.values.get(Field::EmployeeNumber)
        && (changed(Field::EmployeeNumber) || changed(Field::LegalEntity))
        && let Some(other) = others().find(|u| {
            [Field::EmployeeNumber, Field::LegalEntity]
                .into_iter()
                .all(|field| same(&u.values, &after.values, field))
        })
    {
        let other = described(other);
        refused.push(format!(
            "employee_number \"{number}\" is that of {other} in the same legal entity; choose another"
        ));
    }
    refused
}
