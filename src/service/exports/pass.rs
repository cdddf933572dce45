//! The pass over the directory: who goes into the file, and what is to be told of the others.

use std::io::Write;

use jiff::civil::Date;

use super::invalid;
use crate::error::{Error, Result};
use crate::export::{Around, Column, ExportSettings, Lines, Now, Problem, Told, What, step};
use crate::import::fields::{Field, FieldKey};
use crate::import::standing::Standing;
use crate::service::people::MASK;
use crate::store::directory::ExportUser;

/// How many users with a problem are named.
const NAMED: usize = 20;

/// The pass over the directory.
pub(super) struct Pass<'s, W: Write> {
    pub(super) lines: Lines<'s, W>,
    pub(super) around: Around,
    pub(super) before: Told,
    pub(super) after: Told,
    pub(super) place: i64,
    pub(super) rows: u64,
    pub(super) left_out: u64,
    pub(super) pseudonyms: u64,
    pub(super) unsaid: u64,
    pub(super) named: Vec<String>,
    pub(super) problems: Vec<String>,
    pub(super) notes: Vec<String>,
}

impl<W: Write> Pass<'_, W> {
    pub(super) fn visit(
        &mut self,
        what: What,
        settings: &ExportSettings,
        one: &ExportUser,
        today: Date,
    ) -> Result<()> {
        let user = &one.user;
        let before = self.before.entries.get(&user.id).copied();
        if one.is_pseudonym {
            // Nobody learns of a pseudonym; what was left to say about this person cannot be said any more.
            self.pseudonyms += u64::from(before.is_some_and(|b| b.standing != Standing::Ended));
            return Ok(());
        }
        let standing = Standing::of(user, today);
        let by_standing = matches!(what, What::All | What::Changed);
        let in_scope =
            self.lines.sheet.chooses(user) && (!by_standing || settings.users.contains(&standing));
        if !in_scope && before.is_none() {
            return Ok(());
        }
        let cells = self.lines.sheet.cells(user, standing, &self.around);
        let print = match what {
            What::All => 0,
            _ => self.lines.sheet.print(&cells, &self.before.salt),
        };
        let step = step(what, before, Now::of(user, today, print, in_scope), self.before.day);
        let mut known = step.entry;
        if step.is_sent && !cells.blocked.is_empty() {
            known = before;
            self.left_out += 1;
            let codes: Vec<String> = cells.blocked.iter().map(code_words).collect();
            self.name(|| format!("{}: {}", called(one), codes.join(", ")));
        } else if step.is_sent && !(one.is_replaced && standing == Standing::Withdrawn) {
            match self.lines.row(&cells) {
                Ok(()) => self.rows += 1,
                Err(Problem::Cell(why)) if self.problems.len() < NAMED => {
                    self.problems.push(format!("{}: {why}", called(one)));
                }
                Err(Problem::Cell(_)) => {}
                Err(io) => return Err(refused_line(io, "")),
            }
            let says_so = self.lines.sheet.has(&Column::State);
            self.unsaid += u64::from(standing == Standing::Withdrawn && !says_so);
        }
        if let Some(entry) = known.filter(|_| what.needs_basis()) {
            self.after.entries.insert(user.id, entry);
        }
        Ok(())
    }

    fn name(&mut self, words: impl FnOnce() -> String) {
        if self.named.len() < NAMED {
            self.named.push(words());
        }
    }

    pub(super) fn all_notes(&self) -> Vec<String> {
        let mut notes = self.notes.clone();
        if self.left_out > 0 {
            notes.push(format!(
                "{} users are left out until a value map has their codes: {}",
                self.left_out,
                self.named.join("; ")
            ));
        }
        if self.pseudonyms > 0 {
            notes.push(format!(
                "{} users who left long ago have pseudonyms by now and are not named any more",
                self.pseudonyms
            ));
        }
        if self.unsaid > 0 {
            notes.push(format!(
                "{} users were taken back (withdrawn); the file has no column \"state\" that says so",
                self.unsaid
            ));
        }
        notes
    }
}

/// A code that no value map has. Whoever reads the notes may not see what reports mask.
fn code_words((column, code): &(Column, String)) -> String {
    match column {
        Column::Field(FieldKey::Known(field)) if field.is_sensitive() => {
            format!("{column} \"{MASK}\"")
        }
        _ => format!("{column} \"{code}\""),
    }
}

/// What `users show` finds a user by. No name: it stays in the registry.
fn called(one: &ExportUser) -> String {
    let get = |field| one.user.values.get(field);
    let entity = get(Field::LegalEntity);
    match (entity, get(Field::EmployeeNumber).or(get(Field::Login)).or(get(Field::Email))) {
        (Some(entity), Some(number)) => format!("{entity}+{number}"),
        (None, Some(number)) => number.to_owned(),
        (_, None) => format!("user {}", one.user.id),
    }
}

pub(super) fn refused_line(problem: Problem, place: &str) -> Error {
    match problem {
        Problem::Io(error) => Error::io("writing an export", error),
        Problem::Cell(why) => invalid(format!("the file was not made: {place}{why}")),
    }
}
