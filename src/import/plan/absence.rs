//! Who is not in a full file.

use super::rows::{Context, Rows, user_name};
use super::tell::{message, params};
use crate::import::codes::Code;
use crate::import::fields::Field;
use crate::import::report::Message;
use crate::import::settings::Mode;

/// A501: the users who are not in a full file, by name.
pub(super) fn absent(context: &Context<'_>, rows: &mut Rows<'_>) -> Vec<Message> {
    if context.sheet.mode != Mode::Full || !rows.absence_known {
        return Vec::new();
    }
    let today = context.today.as_str();
    let mut messages = Vec::new();
    for (user, present) in context.job.snapshot.users.iter().zip(&rows.present) {
        let end = user.values.get(Field::ContractEnd);
        let has_left = end.is_some_and(|end| end < today);
        let elsewhere = context.job.snapshot.listed_elsewhere.contains(&user.id);
        if *present || user.withdrawn || has_left || elsewhere {
            continue;
        }
        // Once that end has passed, nobody misses them.
        rows.depends_on_date |= end.is_some();
        let number = user.values.get(Field::EmployeeNumber).or(user.values.get(Field::Login));
        let mut told =
            message(Code::A501, "", params([("number", number.unwrap_or_default().to_owned())]));
        told.person = user_name(user);
        messages.push(told);
    }
    messages.sort_by(|a, b| a.person.cmp(&b.person));
    messages
}
