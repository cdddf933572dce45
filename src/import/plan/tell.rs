//! Collects what there is to tell, masks what is sensitive, and makes equal messages one.

use std::collections::HashMap;

use super::coded::Unknown;
use crate::import::codes::{Code, Effect, Level, Params, entry};
use crate::import::fields::FieldKey;
use crate::import::note::{MAX_LINES, Note};
use crate::import::report::Message;

/// What stands in place of a sensitive value.
pub(super) const MASK: &str = "•••";

/// A message and the row that it is about.
#[derive(Debug)]
pub(super) struct Told {
    pub row: Option<usize>,
    pub message: Message,
}

/// Everything told so far, in the order of telling.
#[derive(Debug, Default)]
pub(super) struct Teller {
    /// Codes that nothing knows.
    pub unknown: Unknown,
    pub told: Vec<Told>,
}

/// Whether a field's values are masked in reports.
pub(super) fn is_sensitive(key: &FieldKey) -> bool {
    matches!(key, FieldKey::Known(field) if field.is_sensitive())
}

/// A value as a report may show it.
pub(super) fn shown(key: &FieldKey, value: &str) -> String {
    if is_sensitive(key) && !value.is_empty() { MASK.to_owned() } else { value.to_owned() }
}

/// The most names or lines that a message about one row tells.
pub(super) const MAX_NAMED: usize = MAX_LINES;

/// These, one after the other; of very many, the first.
pub(super) fn few(mut all: Vec<String>) -> String {
    if all.len() > MAX_NAMED {
        all.truncate(MAX_NAMED);
        all.push("…".to_owned());
    }
    all.join(", ")
}

/// Named values for a message.
pub(super) fn params<'p>(named: impl IntoIterator<Item = (&'p str, String)>) -> Params {
    named.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A message with the level and effect of its catalogue entry, about nothing in particular yet.
pub(super) fn message(code: Code, why: &str, params: Params) -> Message {
    Message::new(code, why, params)
}

/// What the reading rooms found, as a message.
pub(in crate::import) fn from_note(note: &Note) -> Message {
    let mut message = found(note.code, &note.params);
    message.line = note.line;
    message.physical_line = note.physical_line;
    message.count = note.count.max(1);
    message.lines.clone_from(&note.lines);
    message
}

/// A code of the reading rooms with its parameters as a message. Which of the code's texts it takes
/// follows from the parameters.
pub(in crate::import) fn found(code: &str, named: &[(&'static str, String)]) -> Message {
    let code = Code::from_name(code).unwrap_or(Code::E901);
    let get = |name: &str| named.iter().find(|(known, _)| *known == name).map(|(_, v)| v.as_str());
    let why = match code {
        Code::F003 => match get("found") {
            Some("xlsb" | "ods") => "xls",
            Some("7z" | "rar" | "bzip2" | "zstd" | "xz" | "tar") => "zip",
            other => other.unwrap_or_default(),
        },
        Code::H103 if get("header") == Some("") => "no_header",
        Code::H104 if get("hint") == Some("same") => "same",
        Code::H104 if get("kept").is_some_and(|kept| !kept.is_empty()) => "kept",
        Code::V304 if get("from").is_none() => "number",
        _ => {
            ["kind", "hint", "cause", "what"].iter().find_map(|name| get(name)).unwrap_or_default()
        }
    };
    let why = if entry(code, why).why == why { why } else { "" };
    let named = named.iter().map(|(name, value)| {
        let name = match (code, *name) {
            (Code::V304, "from") => "from_date",
            (Code::V304, "to") => "to_date",
            (Code::H104, "kept") => "kept_column",
            (_, name) => name,
        };
        (name, value.clone())
    });
    message(code, why, params(named))
}

impl Teller {
    /// Tells something about the file.
    pub(super) fn file(&mut self, message: Message) {
        self.told.push(Told { row: None, message });
    }

    /// Tells something about a row.
    pub(super) fn row(&mut self, row: usize, message: Message) {
        self.told.push(Told { row: Some(row), message });
    }

    /// Whether something was told that refuses the whole file.
    pub(super) fn is_fatal(&self) -> bool {
        self.told.iter().any(|told| told.message.level == Level::Fatal)
    }

    /// The messages in the order of the report, equal ones made one, and for each refused row the places
    /// of its messages. `stopped` says which rows were not applied, and how: of those only what stopped them
    /// is told.
    pub(super) fn finish(
        self,
        stopped: impl Fn(usize) -> Option<Effect>,
        max_messages: usize,
    ) -> (Vec<Message>, HashMap<usize, Vec<u32>>) {
        let mut told = self.told;
        told.retain_mut(|told| match told.row.and_then(&stopped) {
            Some(effect) => {
                told.message.effect = effect;
                matches!(told.message.level, Level::Error | Level::Field)
            }
            None => true,
        });
        told.sort_by_key(|told| told.message.line.filter(|_| told.row.is_some()).unwrap_or(0));
        let mut grouped = Grouped { max_messages, ..Grouped::default() };
        let mut by_row: HashMap<usize, Vec<u32>> = HashMap::new();
        for Told { row, message } in told {
            let at = if row.is_some() { grouped.add(message) } else { grouped.push(message) };
            if let Some(row) = row.filter(|row| stopped(*row) == Some(Effect::RowRefused)) {
                by_row.entry(row).or_default().push(at);
            }
        }
        (grouped.messages, by_row)
    }
}

/// The cause that messages share: code, variant, effect, column.
type Cause = (Code, String, Effect, String);

#[derive(Default)]
struct Grouped {
    messages: Vec<Message>,
    max_messages: usize,
    /// By cause, what tells messages apart: the place of the message that speaks for them.
    by_content: HashMap<(Cause, String), u32>,
    /// By cause, how many messages there are and which came last.
    by_cause: HashMap<Cause, (usize, u32)>,
}

impl Grouped {
    fn push(&mut self, message: Message) -> u32 {
        let at = u32::try_from(self.messages.len()).unwrap_or(u32::MAX);
        self.messages.push(message);
        at
    }

    fn add(&mut self, message: Message) -> u32 {
        let column = match &message.field {
            Some(field) => field.to_string(),
            None => String::new(),
        };
        let cause = (message.code, message.why.clone(), message.effect, column);
        let content = content(&message);
        if let Some(content) = &content
            && let Some(at) = self.by_content.get(&(cause.clone(), content.clone()))
        {
            let at = *at;
            self.join(at, &message);
            return at;
        }
        if let Some((count, last)) = self.by_cause.get(&cause)
            && *count >= self.max_messages
        {
            let last = *last;
            self.join(last, &message);
            return last;
        }
        let at = self.push(message);
        let (count, last) = self.by_cause.entry(cause.clone()).or_default();
        *count += 1;
        *last = at;
        if let Some(content) = content {
            self.by_content.insert((cause, content), at);
        }
        at
    }

    fn join(&mut self, at: u32, other: &Message) {
        let Some(message) = usize::try_from(at).ok().and_then(|at| self.messages.get_mut(at))
        else {
            return;
        };
        if message.lines.is_empty() {
            message.lines.extend(message.line);
        }
        message.count += other.count;
        if let Some(line) = other.line
            && message.lines.len() < MAX_LINES
            && !message.lines.contains(&line)
        {
            message.lines.push(line);
        }
        if message.person != other.person {
            message.person.clear();
        }
    }
}

/// What tells a message from others of its cause; `None`: it always stands alone.
fn content(message: &Message) -> Option<String> {
    if entry(message.code, &message.why).grouped {
        return Some(String::new());
    }
    // A refused row and a change of a contract are each somebody's own.
    let own = message.level == Level::Error
        || matches!(message.code.name().as_bytes().first(), Some(b'C' | b'D'));
    if own {
        return None;
    }
    let mut content = message.received.clone();
    for (name, value) in &message.params {
        content.push('\n');
        content.push_str(name);
        content.push('=');
        content.push_str(value);
    }
    Some(content)
}
