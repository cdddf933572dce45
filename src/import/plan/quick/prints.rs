//! Which rows come out the same whenever they come again, and their prints.

use std::borrow::Cow;
use std::collections::HashSet;

use super::split::hash;
use super::{FORMAT, Head, Print, ReadPrints};
use crate::cores;
use crate::import::fields::{Field, FieldKey, MatchedBy};
use crate::import::plan::draft::{Context, Draft, Fate, Rows};
use crate::import::plan::managers::{Managers, NewManager};
use crate::import::plan::people::{People, Person};
use crate::import::plan::places::{Links, Place};
use crate::import::settings::Mode;

/// On what a row's manager hangs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::import::plan) enum Boss {
    /// The row names none.
    Nobody,
    /// On one person, by place among all people, as long as their number, legal entity and contract stay.
    Sure(Place),
    /// On others too, or on the day.
    Unsure,
}

/// A date as a number: 20261231 for `2026-12-31`.
pub(super) fn day(date: &str) -> u32 {
    let digits = date.bytes().filter(u8::is_ascii_digit);
    digits.fold(0, |day, digit| day * 10 + u32::from(digit - b'0'))
}

/// On what the manager of each row hangs.
pub(in crate::import::plan) fn bosses(
    context: &Context<'_>,
    people: &People<'_>,
    managers: &Managers,
    rows: &Rows,
) -> Vec<Boss> {
    if context.job.snapshot.secret.is_empty() {
        return Vec::new();
    }
    let boss = |at: usize, draft: &Draft| {
        let Some(text) = context.manager_named(at, draft) else { return Boss::Nobody };
        let Some(me) = people.of(at) else { return Boss::Unsure };
        let to = managers.of_row.get(at).copied().unwrap_or(NewManager::Same);
        let place = match to {
            NewManager::To(place) => Some(place.at()),
            NewManager::Same => stored(context, &me),
            NewManager::Clear => None,
        };
        let boss = place.and_then(|place| Some((place, people.get(place)?)));
        match boss {
            Some((place, boss)) if is_sure(context, &me, &boss, &text) => {
                Place::new(place).map_or(Boss::Unsure, Boss::Sure)
            }
            _ => Boss::Unsure,
        }
    };
    cores::joined(cores::over(&rows.drafts, |first, drafts| {
        (first..).zip(drafts).map(|(at, draft)| boss(at, draft)).collect()
    }))
}

/// The manager whom the directory has, by place.
fn stored(context: &Context<'_>, me: &Person<'_>) -> Option<usize> {
    let id = me.get(Field::Manager)?.parse::<i64>().ok()?;
    context.job.snapshot.users.binary_search_by_key(&id, |user| user.id).ok()
}

/// By number in the own legal entity, which nobody else can have; with no end, and begun: nothing about them moves
/// with the day.
fn is_sure(context: &Context<'_>, me: &Person<'_>, boss: &Person<'_>, text: &str) -> bool {
    let begun = boss.get(Field::ContractStart).is_none_or(|start| *start <= *context.today);
    boss.is_alive()
        && boss.get(Field::EmployeeNumber).as_deref() == Some(text)
        && boss.get(Field::LegalEntity) == me.get(Field::LegalEntity)
        && boss.get(Field::ContractEnd).is_none()
        && begun
}

/// Whether prints of this file would mean anything: its columns are known by their headers alone, and its dates by
/// their writing.
fn is_printable(context: &Context<'_>) -> bool {
    let sheet = context.sheet;
    let by_header = sheet.columns.columns.iter().all(|column| match column.matched_by {
        MatchedBy::Values
        | MatchedBy::Ambiguous
        | MatchedBy::Duplicate
        | MatchedBy::Blank
        | MatchedBy::Control => false,
        // A "Name" beside a first name, whatever its values.
        MatchedBy::Neighbours => column.field == Some(FieldKey::Known(Field::LastName)),
        MatchedBy::Code
        | MatchedBy::Alias
        | MatchedBy::Synonym
        | MatchedBy::Custom
        | MatchedBy::Unknown => true,
    });
    sheet.mode == Mode::Full
        && !context.job.dry_run
        && context.job.approval.is_none()
        && !sheet.columns.is_corrections
        && !sheet.dates.depends_on_today
        && by_header
}

/// The prints of the rows that were read. `told` are the rows about which something is told; `id` gives a person's id.
pub(in crate::import::plan) fn of_rows(
    context: &Context<'_>,
    rows: &Rows,
    bosses: &[Boss],
    told: &HashSet<usize>,
    id: impl Fn(usize) -> Option<i64>,
    of_row: &Links,
) -> Option<ReadPrints> {
    let (job, sheet) = (context.job, context.sheet);
    let secret = job.snapshot.secret.as_slice();
    if secret.is_empty() || !is_printable(context) {
        return None;
    }
    let head = Head {
        import: job.meta.import.clone(),
        settings_version: job.settings.version(),
        format: FORMAT.to_owned(),
        encoding: sheet.table.encoding().name().to_owned(),
        delimiter: u8::try_from(sheet.table.delimiter()?).ok()?,
        text: match context.unread {
            Some(unread) => unread.head.clone(),
            None => sheet.table.plain_head()?.to_owned(),
        },
    };
    let most = rows.drafts.len();
    let (lines, made) = (Vec::with_capacity(most), Vec::with_capacity(most));
    let mut prints = ReadPrints { head, lines, rows: made };
    let drafts = rows.drafts.iter().zip(bosses).zip(of_row.iter()).enumerate();
    for ((at, ((draft, boss), place)), row) in drafts.zip(sheet.table.rows()) {
        let boss = match boss {
            Boss::Nobody => Some(0),
            Boss::Sure(place) => id(place.at()),
            Boss::Unsure => None,
        };
        let (Some(user), Some(boss)) = (place.and_then(&id), boss) else { continue };
        let (Ok(user), Ok(boss)) = (u32::try_from(user), u32::try_from(boss)) else { continue };
        let again = draft.fate == Fate::Live
            && !draft.depends_on_date
            && !told.contains(&at)
            && row.len() == sheet.columns.columns.len();
        if again {
            let end = end_of(context, at, draft).map_or(0, |end| day(&end));
            prints.lines.push(row.line());
            prints.rows.push(Print { hash: hash(row.raw().as_bytes(), secret)?, user, boss, end });
        }
    }
    Some(prints)
}

/// The last day of a row's user once the row is applied.
fn end_of<'d>(context: &Context<'d>, at: usize, draft: &'d Draft) -> Option<Cow<'d, str>> {
    let key = FieldKey::Known(Field::ContractEnd);
    if draft.user().is_none() || draft.changes.iter().any(|change| change.field == key) {
        return context.set_by(at, draft, Field::ContractEnd);
    }
    context.user(draft.user())?.values.get(Field::ContractEnd).map(Cow::Borrowed)
}
