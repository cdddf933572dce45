//! How a date is written: `YYYY-MM-DD`, `DD/MM/YYYY`, `YYYYMMDD` …

use jiff::civil::Date;
use serde::{Serialize, Serializer};

/// How a date is written: year, month and day, each once, with signs between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateForm {
    text: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Year,
    ShortYear,
    Month,
    Day,
    Sign(char),
}

/// What a part of a form is written with.
const WORDS: [(&str, Part); 4] =
    [("YYYY", Part::Year), ("YY", Part::ShortYear), ("MM", Part::Month), ("DD", Part::Day)];

impl DateForm {
    /// Reads a form.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(sign) = rest.chars().next() {
            if let Some((word, part)) = WORDS.iter().find(|(word, _)| rest.starts_with(word)) {
                parts.push(*part);
                rest = rest.strip_prefix(word).unwrap_or_default();
            } else if matches!(sign, '-' | '/' | '.' | ' ') {
                parts.push(Part::Sign(sign));
                rest = rest.strip_prefix(sign).unwrap_or_default();
            } else {
                return Err(format!(
                    "\"{sign}\" is neither YYYY, YY, MM, DD nor one of - / . and blank"
                ));
            }
        }
        let count = |wanted: &[Part]| parts.iter().filter(|part| wanted.contains(part)).count();
        if count(&[Part::Year, Part::ShortYear]) != 1
            || count(&[Part::Month]) != 1
            || count(&[Part::Day]) != 1
        {
            return Err(
                "year (YYYY or YY), month (MM) and day (DD) must each stand in it once".to_owned()
            );
        }
        Ok(Self { text: text.to_owned(), parts })
    }

    /// The form as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// A date in this form.
    #[must_use]
    pub fn write(&self, date: Date) -> String {
        let part = |part: &Part| match part {
            Part::Year => format!("{:04}", date.year()),
            Part::ShortYear => format!("{:02}", date.year().rem_euclid(100)),
            Part::Month => format!("{:02}", date.month()),
            Part::Day => format!("{:02}", date.day()),
            Part::Sign(sign) => sign.to_string(),
        };
        self.parts.iter().map(part).collect()
    }
}

impl Default for DateForm {
    fn default() -> Self {
        let dash = Part::Sign('-');
        Self {
            text: "YYYY-MM-DD".to_owned(),
            parts: vec![Part::Year, dash, Part::Month, dash, Part::Day],
        }
    }
}

impl Serialize for DateForm {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}
