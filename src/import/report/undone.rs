//! The report of an import that was taken back: what returned, and what had to stay.

use jiff::Timestamp;
use jiff::civil::Date;

use super::{Decided, Decision, Message, Report, render};
use crate::import::codes::Code;
use crate::import::fields::FieldKey;
use crate::model::{ImportStatus, Language};

/// What taking an import back did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undoing {
    /// Who did it: `cli`, a login.
    pub who: String,
    /// When.
    pub at: Timestamp,
    /// The same as a day in the client's time zone.
    pub day: Date,
    /// Values that returned to what they were.
    pub values: u64,
    /// New users who were withdrawn.
    pub withdrawn: u64,
    /// What had to stay.
    pub kept: Vec<Kept>,
}

/// Something that could not be taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The person, `DUPONT Anne`.
    pub person: String,
    /// The field; `None`: the user, who was new in the import.
    pub field: Option<FieldKey>,
    /// The row number of the import's file that a spreadsheet shows; 0: no row said so.
    pub line: u32,
    /// The value that stays; a manager by name.
    pub value: String,
    /// Why.
    pub because: Because,
}

/// Why something could not be taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Because {
    /// A later file changed it.
    File {
        /// The file's name.
        name: String,
        /// Its line.
        line: u32,
        /// The day of that import.
        day: Date,
    },
    /// Somebody changed it by hand.
    Hand {
        /// Who.
        who: String,
        /// On which day.
        day: Date,
    },
    /// The earlier value is another person's by now.
    Taken {
        /// That person.
        other: String,
    },
    /// The earlier manager was withdrawn.
    Gone {
        /// That manager.
        other: String,
    },
    /// With the earlier manager there would be a circle.
    Circle {
        /// That manager.
        other: String,
    },
    /// With the earlier date the contract would end before it starts.
    Contract {
        /// That date; empty: none.
        other: String,
    },
    /// The new user is somebody's manager by now.
    Leads {
        /// How many people's.
        people: u64,
        /// One of them.
        other: String,
    },
}

impl Report {
    /// Turns the report of an applied import into that of one that was taken back.
    pub fn undo(&mut self, undoing: &Undoing) {
        self.status = ImportStatus::Undone;
        self.undo = None;
        let who = undoing.who.clone();
        self.decision = Some(Decision { what: Decided::Undone, who, at: undoing.at });
        let mut told = vec![taken_back(undoing)];
        told.extend(undoing.kept.iter().map(kept));
        let more = u32::try_from(told.len()).unwrap_or(u32::MAX);
        let first = usize::from(self.messages.first().is_some_and(|m| m.code == Code::N001));
        for place in self.refused_rows.iter_mut().flat_map(|row| &mut row.messages) {
            if usize::try_from(*place).is_ok_and(|place| place >= first) {
                *place = place.saturating_add(more);
            }
        }
        let rest = self.messages.split_off(first.min(self.messages.len()));
        self.messages.extend(told);
        self.messages.extend(rest);
    }

    /// Leaves only what is no person's: the file, status, counts, columns, guards and the first message.
    pub fn strip(&mut self) {
        self.messages.retain(|message| message.code == Code::N001);
        self.changes.clear();
        self.refused_rows.clear();
        self.pending_rows.clear();
    }

    /// What could not be taken back, in words; empty unless the import was.
    #[must_use]
    pub fn kept_by_undo(&self, language: Language) -> Vec<String> {
        let stays = |message: &&Message| message.code == Code::N007 && !message.why.is_empty();
        self.messages.iter().filter(stays).map(|m| render::text(m, self, language)).collect()
    }
}

fn taken_back(undoing: &Undoing) -> Message {
    message(
        "",
        vec![
            ("undone_date", undoing.day.to_string()),
            ("who", undoing.who.clone()),
            ("values", undoing.values.to_string()),
            ("withdrawn", undoing.withdrawn.to_string()),
            ("kept", undoing.kept.len().to_string()),
        ],
    )
}

fn kept(kept: &Kept) -> Message {
    let is_user = kept.field.is_none();
    let (why, params) = match &kept.because {
        Because::File { name, line, day } => (
            if is_user { "user_file" } else { "file" },
            vec![
                ("file", name.clone()),
                ("other_line", line.to_string()),
                ("other_date", day.to_string()),
            ],
        ),
        Because::Hand { who, day } => (
            if is_user { "user_hand" } else { "hand" },
            vec![("who", who.clone()), ("other_date", day.to_string())],
        ),
        Because::Taken { other } => ("taken", vec![("other", other.clone())]),
        Because::Gone { other } => ("gone", vec![("other", other.clone())]),
        Because::Circle { other } => ("circle", vec![("other", other.clone())]),
        Because::Contract { other } => ("contract", vec![("old_date", other.clone())]),
        Because::Leads { people, other } => {
            ("leads", vec![("people", people.to_string()), ("other", other.clone())])
        }
    };
    let mut told = message(why, params);
    told.line = Some(kept.line).filter(|line| *line > 0);
    told.person.clone_from(&kept.person);
    told.field.clone_from(&kept.field);
    let masked = matches!(&kept.field, Some(FieldKey::Known(field)) if field.is_sensitive());
    told.kept = if masked { "•••".to_owned() } else { kept.value.clone() };
    told
}

fn message(why: &str, params: Vec<(&str, String)>) -> Message {
    let params = params.into_iter().map(|(name, value)| (name.to_owned(), value));
    Message::new(Code::N007, why, params.collect())
}
