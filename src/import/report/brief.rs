//! The report in brief, as an e-mail tells it: what became of the file, what is to be done, the first problems.

use super::html::steps;
use super::{Message, Report, field_words, held_words, render, words};
use crate::import::codes::{Code, Level};
use crate::model::{ImportStatus, Language};

/// A report in brief, in one language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brief {
    /// The status in words.
    pub status: &'static str,
    /// The summary: what became of the rows.
    pub summary: String,
    /// Why the file is held; empty unless it is.
    pub held_because: String,
    /// Who decided about it, and when.
    pub decision: Option<String>,
    /// What to do next.
    pub steps: Vec<Step>,
    /// The first problems, gravest first.
    pub problems: Vec<Problem>,
    /// How many problems more there are.
    pub more: usize,
}

/// One thing to do, and the operator's commands for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What to do.
    pub text: String,
    /// The operator's commands.
    pub commands: Vec<String>,
}

/// One problem, masked as everywhere in the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// It is only a warning.
    pub is_warning: bool,
    /// Its code.
    pub code: Code,
    /// How many equal ones it stands for.
    pub count: u64,
    /// The row number that a spreadsheet shows; `None`: it is about no single row.
    pub line: Option<u32>,
    /// `C5`, or a column's letter; may be empty.
    pub cell: String,
    /// The column's header, else the field's name; may be empty.
    pub column: String,
    /// The value; may be empty.
    pub value: String,
    /// What is wrong.
    pub text: String,
    /// What to do about it; may be empty.
    pub cure: String,
}

impl Report {
    /// The report in brief, with at most so many problems.
    #[must_use]
    pub fn brief(&self, language: Language, most: usize) -> Brief {
        let mut problems: Vec<&Message> =
            self.messages.iter().filter(|m| rank(m.level).is_some()).collect();
        problems.sort_by_key(|message| rank(message.level));
        let more = problems.len().saturating_sub(most);
        problems.truncate(most);
        let steps = steps::next(self, language);
        let moment = |decision| super::html::decision(decision, language);
        let is_held = self.status == ImportStatus::Held;
        Brief {
            status: render::status(self, language),
            summary: render::summary(self, language),
            held_because: if is_held { held_words(self, language) } else { String::new() },
            decision: self.decision.as_ref().map(moment),
            steps: steps.into_iter().map(|s| Step { text: s.text, commands: s.commands }).collect(),
            problems: problems.into_iter().map(|m| self.problem(m, language)).collect(),
            more,
        }
    }

    fn problem(&self, message: &Message, language: Language) -> Problem {
        let field = message.field.as_ref().map(|field| field_words(field, language).into_owned());
        let column = Some(message.column.clone()).filter(|column| !column.is_empty());
        Problem {
            is_warning: message.level == Level::Warning,
            code: message.code,
            count: message.count,
            line: message.line,
            cell: message.cell.clone(),
            column: column.or(field).unwrap_or_default(),
            value: message.received.clone(),
            text: render::text(message, self, language),
            cure: render::cure(message, language),
        }
    }

    /// Whether somebody has something to correct, to decide or to know: refusals, holds and what was decided, failures.
    #[must_use]
    pub fn is_problem(&self) -> bool {
        use ImportStatus::{Duplicate, Ok, OkWithWarnings, Superseded};
        let calm = matches!(self.status, Ok | OkWithWarnings | Duplicate);
        // A newer file replaced it before its turn: nobody was told that it waits.
        let silent = self.status == Superseded && !self.is_superseded_hold();
        let refused = self.counts.rejected + self.counts.cells_refused > 0;
        let waits = self.pending_rows.iter().any(|row| row.decided.is_none());
        !(calm || silent) || refused || waits || self.decision.is_some()
    }

    /// `2 rows and 1 cell to correct`; `None`: nothing is.
    #[must_use]
    pub fn to_correct(&self, language: Language) -> Option<String> {
        words::to_correct(self.counts.rejected, self.counts.cells_refused, language)
    }

    /// `3 created, 9 updated`: what the rows became, without the zeros.
    #[must_use]
    pub fn outcomes(&self, language: Language) -> String {
        render::outcomes(&self.counts, language)
    }
}

/// How grave a message is; `None`: it is no problem.
fn rank(level: Level) -> Option<u8> {
    match level {
        Level::Fatal => Some(0),
        Level::Error => Some(1),
        Level::Field => Some(2),
        Level::Warning => Some(3),
        Level::Info => None,
    }
}
