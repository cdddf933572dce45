//! Logins of new users whom neither the file nor a default gives one, by the pattern of the settings.

use std::borrow::Cow;
use std::collections::HashSet;

use super::draft::{Context, Draft, Fate, Rows};
use super::tell::{Teller, message, params};
use crate::import::codes::{Code, Effect, Level};
use crate::import::fields::{Field, FieldKey};
use crate::import::settings::{Blank, LoginPart, login_parts};
use crate::import::text::{clean, fold};

const LOGIN: FieldKey = FieldKey::Known(Field::Login);
/// A login has at most 64 characters; a few of them are kept for the number behind it.
const MAX_CHARS: usize = 58;

/// Gives logins. Who gets which number does not depend on the order of the rows.
pub(super) fn give(context: &Context<'_>, rows: &mut Rows, teller: &mut Teller) {
    let Some(pattern) = &context.job.settings.login_pattern else { return };
    // The settings were checked when they were set.
    let Ok(parts) = login_parts(pattern) else { return };
    let mut waiting: Vec<(Vec<String>, usize)> = Vec::new();
    for (at, draft) in rows.drafts.iter().enumerate() {
        if needs_login(context, at, draft) {
            waiting.push((order(context, at, draft), at));
        }
    }
    if waiting.is_empty() {
        return;
    }
    waiting.sort_unstable();
    let mut taken = taken(context, rows);
    for (_, at) in waiting {
        let (Some(row), Some(draft)) = (context.row(at), rows.drafts.get_mut(at)) else { continue };
        let login = make(&parts, |field| context.set_by(at, draft, field), &taken);
        let mut told = match &login {
            Some(login) => message(Code::V310, "login", params([("login", login.clone())])),
            None => message(Code::V310, "no_login", params([])),
        };
        if login.is_none() && context.sheet.required.contains(&Field::Login) {
            (draft.fate, told.level, told.effect) =
                (Fate::Refused, Level::Error, Effect::RowRefused);
        }
        let mut told = context.place(&row, None, context.sheet.field(&LOGIN), told);
        told.field = Some(LOGIN);
        told.kept = login.clone().unwrap_or_default();
        teller.row(at, told);
        if let Some(login) = login {
            draft.given.set(Field::Login, &login);
            // The blank of the next file would clear it.
            if context.sheet.field(&LOGIN).is_some_and(|wired| wired.blank == Blank::Clear) {
                rows.defaulted.push((at, LOGIN));
            }
            taken.insert(login);
        }
    }
}

/// A new user without a login; where the file's own was refused, it is to be corrected and not replaced.
fn needs_login(context: &Context<'_>, at: usize, draft: &Draft) -> bool {
    let given = draft.user().is_some() || draft.given.has(Field::Login);
    if draft.fate != Fate::Live || given {
        return false;
    }
    let cell = context.sheet.field(&LOGIN).zip(context.row(at));
    let cell = cell.and_then(|(wired, row)| row.get(wired.index));
    cell.is_none_or(|raw| clean(&raw).is_empty())
}

/// What puts people in the same order whatever that of their rows: it holds every key.
fn order(context: &Context<'_>, at: usize, draft: &Draft) -> Vec<String> {
    let fields = [Field::LegalEntity, Field::EmployeeNumber, Field::Email];
    fields.map(|field| context.set_by(at, draft, field).unwrap_or_default().into_owned()).to_vec()
}

/// The logins that somebody has, or gets by this file.
fn taken(context: &Context<'_>, rows: &Rows) -> HashSet<String> {
    let users = context.job.snapshot.users.iter().filter(|user| !user.withdrawn);
    let mut taken: HashSet<String> =
        users.filter_map(|user| user.values.get(Field::Login)).map(str::to_lowercase).collect();
    let live = rows.drafts.iter().enumerate().filter(|(_, draft)| draft.fate == Fate::Live);
    let set = live.filter_map(|(at, draft)| context.set_by(at, draft, Field::Login));
    taken.extend(set.map(|login| login.to_lowercase()));
    taken
}

/// The login by the pattern, with a number behind it if somebody has it; `None`: the name gives none.
fn make<'v>(
    parts: &[LoginPart],
    value: impl Fn(Field) -> Option<Cow<'v, str>>,
    taken: &HashSet<String>,
) -> Option<String> {
    let name = |field| latin(&value(field).unwrap_or_default());
    let initial = |field| name(field).chars().take(1).collect();
    let mut text = String::new();
    let mut says_who = false;
    for part in parts {
        let piece = match part {
            LoginPart::First => name(Field::FirstName),
            LoginPart::Last => name(Field::LastName),
            LoginPart::FirstInitial => initial(Field::FirstName),
            LoginPart::LastInitial => initial(Field::LastName),
            LoginPart::Number => name(Field::EmployeeNumber),
            LoginPart::Sign(sign) => sign.to_string(),
        };
        says_who |= !matches!(part, LoginPart::Sign(_)) && !piece.is_empty();
        // No sign stands at the beginning or beside another, where a name is missing.
        let doubled = text.chars().next_back().is_none_or(is_sign);
        text.push_str(if doubled { piece.trim_start_matches(is_sign) } else { &piece });
    }
    let text: String = text.chars().take(MAX_CHARS).collect();
    let text = text.trim_matches(is_sign);
    if !says_who || text.is_empty() {
        return None;
    }
    let numbered = (2_u32..).map(|number| format!("{text}{number}"));
    std::iter::once(text.to_owned()).chain(numbered).find(|login| !taken.contains(login))
}

fn is_sign(c: char) -> bool {
    matches!(c, '.' | '-' | '_')
}

/// A name in the letters that a login may have; hyphens stay, spaces and apostrophes go.
fn latin(name: &str) -> String {
    let parts = name.split(['-', '\u{2010}', '\u{2011}']).map(|part| {
        let part = fold(part);
        part.chars().filter(char::is_ascii_alphanumeric).collect::<String>()
    });
    parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::directory::Values;

    fn check(pattern: &str, first: &str, last: &str, taken: &[&str], expected: &str) {
        let mut values = Values::default();
        values.set(&FieldKey::Known(Field::FirstName), Some(first));
        values.set(&FieldKey::Known(Field::LastName), Some(last));
        values.set(&FieldKey::Known(Field::EmployeeNumber), Some("00 12"));
        let taken = taken.iter().map(|login| (*login).to_owned()).collect();
        let value = |field| values.get(field).map(Cow::Borrowed);
        let made = make(&login_parts(pattern).unwrap(), value, &taken);
        assert_eq!(made.unwrap_or_default(), expected, "{pattern} {first} {last}");
    }

    #[test]
    fn names_become_logins() {
        let usual = "{first}.{last}";
        check(usual, "Anne", "Dupont", &[], "anne.dupont");
        check(usual, "Anne", "Dupont", &["anne.dupont", "anne.dupont2"], "anne.dupont3");
        check(usual, "Jean-Émile", "de la Tour", &[], "jean-emile.delatour");
        check(usual, "Zoë", "O’Brien-Groß", &[], "zoe.obrien-gross");
        check(usual, "Łukasz", "Ørsted", &[], "lukasz.orsted");
        check(usual, "Jürgen", "Æbelø", &[], "jurgen.aebelo");
        check("{f}{last}", "Anne", "Dupont", &[], "adupont");
        check("{l}_{number}", "Anne", "Dupont", &[], "d_0012");
        check(usual, "", "Dupont", &[], "dupont");
        check(usual, "Anne", "Δημητρίου", &[], "anne");
        check("x-{last}", "Anne", "Δημητρίου", &[], "");
        check(usual, "李", "明", &[], "");
        check(usual, &"a".repeat(70), "b", &[], &"a".repeat(58));
    }
}
