//! How an export's files are named: `users_{date}_{seq}.csv`.

use jiff::civil::DateTime;
use serde::{Serialize, Serializer};

use super::forms::DateForm;

/// The longest name, in bytes, with room for what a temporary name adds.
const MAX_BYTES: usize = 200;
/// The most digits that `{seq:…}` asks for.
const MAX_DIGITS: usize = 12;

/// A template for file names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileName {
    text: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Date(DateForm),
    Time,
    Seq(usize),
    Client,
    Export,
    What,
}

/// What a name is made of.
#[derive(Debug, Clone, Copy)]
pub struct Naming<'a> {
    /// When the export was made, in the client's time zone.
    pub at: DateTime,
    /// The file's number.
    pub seq: u64,
    /// The client's slug.
    pub client: &'a str,
    /// The export's name.
    pub export: &'a str,
    /// `all`, `changed`, `leavers` or `newcomers`.
    pub what: &'a str,
}

impl FileName {
    /// Reads a template.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (plain, more) = match rest.split_once('{') {
                Some((plain, more)) => (plain, Some(more)),
                None => (rest, None),
            };
            if plain.contains('}') {
                return Err("a \"}\" has no \"{\" before it".to_owned());
            }
            if !plain.is_empty() {
                parts.push(Part::Text(plain.to_owned()));
            }
            let Some(more) = more else { break };
            let (word, after) = more.split_once('}').ok_or("a \"{\" has no \"}\" after it")?;
            parts.push(part(word)?);
            rest = after;
        }
        let name = Self { text: text.to_owned(), parts };
        name.check()?;
        Ok(name)
    }

    fn check(&self) -> Result<(), String> {
        let example = self.render(&Naming {
            at: DateTime::constant(2026, 11, 30, 23, 59, 59, 0),
            seq: 999_999_999,
            client: &"c".repeat(63),
            export: &"e".repeat(63),
            what: "newcomers",
        });
        let bad = |c: char| {
            c.is_control() || matches!(c, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|')
        };
        if let Some(sign) = example.chars().find(|c| bad(*c)) {
            return Err(format!("a file name cannot have \"{}\"", sign.escape_default()));
        }
        if example.starts_with('.') || example.trim() != example || example.is_empty() {
            return Err("a file name begins with a letter or digit and does not end with a blank"
                .to_owned());
        }
        if example.ends_with(['.', '~']) {
            return Err("a file name does not end with \".\" or \"~\"".to_owned());
        }
        if example.len() > MAX_BYTES {
            return Err(format!("names could have more than {MAX_BYTES} bytes"));
        }
        Ok(())
    }

    /// Whether every file has a name of its own.
    #[must_use]
    pub fn has_seq(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Seq(_)))
    }

    /// The template as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// A file's name.
    #[must_use]
    pub fn render(&self, naming: &Naming<'_>) -> String {
        let part = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Date(form) => form.write(naming.at.date()),
            Part::Time => naming.at.strftime("%H%M%S").to_string(),
            Part::Seq(digits) => format!("{:0digits$}", naming.seq),
            Part::Client => naming.client.to_owned(),
            Part::Export => naming.export.to_owned(),
            Part::What => naming.what.to_owned(),
        };
        self.parts.iter().map(part).collect()
    }
}

fn part(word: &str) -> Result<Part, String> {
    let (name, form) = match word.split_once(':') {
        Some((name, form)) => (name, Some(form)),
        None => (word, None),
    };
    match (name, form) {
        ("date", None) => Ok(Part::Date(DateForm::default())),
        ("date", Some(form)) => DateForm::parse(form).map(Part::Date),
        ("time", None) => Ok(Part::Time),
        ("seq", None) => Ok(Part::Seq(1)),
        ("seq", Some(digits)) => match digits.parse() {
            Ok(digits) if (1..=MAX_DIGITS).contains(&digits) => Ok(Part::Seq(digits)),
            _ => {
                Err(format!("{{seq:{digits}}} asks for no number of digits from 1 to {MAX_DIGITS}"))
            }
        },
        ("client", None) => Ok(Part::Client),
        ("export", None) => Ok(Part::Export),
        ("what", None) => Ok(Part::What),
        _ => Err(format!(
            "{{{word}}} is not known; there are {{date}}, {{date:YYYYMMDD}}, {{time}}, {{seq}}, {{seq:6}}, {{client}}, {{export}}, {{what}}"
        )),
    }
}

impl Default for FileName {
    fn default() -> Self {
        let text = |text: &str| Part::Text(text.to_owned());
        Self {
            text: "{export}_{date}_{seq}.csv".to_owned(),
            parts: vec![
                Part::Export,
                text("_"),
                Part::Date(DateForm::default()),
                text("_"),
                Part::Seq(1),
                text(".csv"),
            ],
        }
    }
}

impl Serialize for FileName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}
