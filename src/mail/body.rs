//! The body of a message: its parts once, written as plain text and as HTML, so that both say the same.

use askama::Template;

use crate::model::turns_direction;

/// A part of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// What it is about, in large letters, with a colour for how it went.
    Title(Tone, String),
    /// A heading.
    Heading(String),
    /// A paragraph.
    Text(String),
    /// A problem: where, what, its cure.
    Problem(Item),
    /// A command for the operator, to be copied.
    Command(String),
    /// An address to be opened, with what stands before it.
    Link(String, String),
    /// A label and its value.
    Fact(String, String),
    /// Something less important.
    Small(String),
}

/// How it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// Nothing to do.
    Good,
    /// Somebody should look.
    Look,
    /// Nothing was applied.
    Bad,
    /// For information.
    Plain,
}

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    /// `Line 4 · C4 · Date of birth: “31/02/1980”`
    pub(super) place: String,
    /// What is wrong.
    pub(super) text: String,
    /// What to do about it; may be empty.
    pub(super) cure: String,
    /// Its colour.
    pub(super) tone: Tone,
}

impl Tone {
    /// A colour that can be read on white and on black.
    fn colour(self) -> &'static str {
        match self {
            Self::Good => "#2e8b57",
            Self::Look => "#c77700",
            Self::Bad => "#d64545",
            Self::Plain => "#7a8594",
        }
    }
}

#[derive(Template)]
#[template(path = "mail/body.html")]
struct Page<'p> {
    language: &'static str,
    title: &'p str,
    parts: &'p [Part],
}

/// The body as HTML. Everything that a stranger wrote is escaped by the template engine.
pub(super) fn html(parts: &[Part], title: &str, language: &'static str) -> String {
    let page = Page { language, title, parts };
    // The template writes into a String and calls nothing that fails.
    harmless(&page.render().unwrap_or_default())
}

/// The body as plain text, in lines that a reader may join again. Source: RFC 3676 (`format=flowed`).
pub(super) fn text(parts: &[Part]) -> String {
    let mut out = String::new();
    let mut was_fact = false;
    for part in parts {
        let is_fact = matches!(part, Part::Fact(..));
        // Facts stand together.
        if was_fact && !is_fact {
            out.push('\n');
        }
        was_fact = is_fact;
        match part {
            Part::Title(_, text) | Part::Text(text) | Part::Small(text) => {
                paragraph(&mut out, text);
                out.push('\n');
            }
            Part::Heading(text) => {
                paragraph(&mut out, text);
                let width = text.chars().count().min(LINE_CHARS);
                paragraph(&mut out, &"-".repeat(width));
                out.push('\n');
            }
            Part::Problem(item) => {
                paragraph(&mut out, &format!("* {}", item.place));
                paragraph(&mut out, &item.text);
                if !item.cure.is_empty() {
                    paragraph(&mut out, &format!("→ {}", item.cure));
                }
                out.push('\n');
            }
            Part::Command(text) => {
                paragraph(&mut out, &format!("    {text}"));
                out.push('\n');
            }
            Part::Link(label, address) => {
                paragraph(&mut out, label);
                paragraph(&mut out, address);
                out.push('\n');
            }
            Part::Fact(label, value) => paragraph(&mut out, &format!("{label} {value}")),
        }
    }
    harmless(&out)
}

/// Where lines end. Source: RFC 3676, section 4.2 (78 at most).
const LINE_CHARS: usize = 72;

/// One paragraph: a line that ends in a space goes on in the next.
fn paragraph(out: &mut String, text: &str) {
    let indented = text.len() - text.trim_start_matches(' ').len();
    let mut line = " ".repeat(indented);
    let mut words = text.split(' ').filter(|word| !word.is_empty()).peekable();
    while let Some(word) = words.next() {
        line.push_str(word);
        let Some(next) = words.peek() else { break };
        let room = line.chars().count() + 1 + next.chars().count() <= LINE_CHARS;
        line.push(' ');
        if !room {
            put(out, &line);
            line.clear();
        }
    }
    put(out, &line);
}

/// A line, with a space before what would read as a quotation or an envelope. Source: RFC 3676, section 4.4.
fn put(out: &mut String, line: &str) {
    if line.starts_with([' ', '>']) || line.starts_with("From ") {
        out.push(' ');
    }
    out.push_str(line);
    out.push('\n');
}

/// Without signs that would show what follows backwards, or that a terminal obeys: a value could forge a message.
fn harmless(text: &str) -> String {
    let bad = |c: char| turns_direction(c) || (c.is_control() && c != '\n');
    text.chars().map(|c| if bad(c) { '\u{fffd}' } else { c }).collect()
}

/// The same for one line: of a subject, or a file's name.
pub(super) fn one_line(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    harmless(spaced.split_ascii_whitespace().collect::<Vec<_>>().join(" ").as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_flows_and_loses_nothing() {
        let long = "word ".repeat(60);
        let text = text(&[Part::Text(long.trim().to_owned()), Part::Text("> x".to_owned())]);
        let (first, second) = text.split_once("\n\n").unwrap();
        assert!(first.lines().all(|line| line.chars().count() <= LINE_CHARS + 1), "{first}");
        assert!(first.lines().rev().skip(1).all(|line| line.ends_with(' ')));
        assert_eq!(first.replace('\n', ""), long.trim());
        assert_eq!(second.trim_end_matches('\n'), " > x");
    }

    #[test]
    fn what_a_stranger_wrote_does_no_harm() {
        let evil = "<b>\u{202e}x\r\nBcc: a@example.com\u{1b}[31m".to_owned();
        let parts = [Part::Text(evil.clone()), Part::Title(Tone::Bad, evil.clone())];
        let html = html(&parts, &evil, "en");
        assert!(!html.contains("<b>") && !html.contains('\u{202e}') && !html.contains('\u{1b}'));
        assert!(!text(&parts).contains(['\r', '\u{202e}', '\u{1b}']));
        assert_eq!(one_line(&evil), "<b>\u{fffd}x Bcc: a@example.com [31m");
    }
}
