//! Replies to the client: three digits and text that a person can act on.

use crate::error::{Error, Kind};

/// The longest line of a reply; longer texts are cut (clients read into small buffers).
const MAX_LINE_CHARS: usize = 480;

/// A reply of one or several lines. Source: RFC 959, 4.2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    code: u16,
    lines: Vec<String>,
}

impl Reply {
    /// One line. Line ends and control characters in `text` become spaces: no text may forge another reply.
    pub(super) fn new(code: u16, text: impl AsRef<str>) -> Self {
        Self { code, lines: vec![one_line(text.as_ref())] }
    }

    /// A first line, lines indented by one space, a last line (FEAT, MLST, STAT).
    pub(super) fn listing(code: u16, first: &str, inner: Vec<String>, last: &str) -> Self {
        let mut lines = vec![one_line(first)];
        lines.extend(inner);
        lines.push(one_line(last));
        Self { code, lines }
    }

    /// What a failed operation on an existing name is answered with.
    pub(super) fn error(error: &Error) -> Self {
        Self::new(code_of(error.kind()), error.message())
    }

    /// What a failed operation that gives a name is answered with (553: the name is refused).
    pub(super) fn name_error(error: &Error) -> Self {
        match error.kind() {
            Kind::Denied | Kind::Invalid => Self::new(553, error.message()),
            _ => Self::error(error),
        }
    }

    /// The three digits.
    pub(super) fn code(&self) -> u16 {
        self.code
    }

    /// Whether the command was done (2xx).
    pub(super) fn is_done(&self) -> bool {
        (200..300).contains(&self.code)
    }

    /// Its first line's text.
    pub(super) fn text(&self) -> &str {
        self.lines.first().map_or("", String::as_str)
    }

    /// As it goes over the wire.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut out = String::new();
        let Some((last, before)) = self.lines.split_last() else { return Vec::new() };
        for (at, line) in before.iter().enumerate() {
            if at == 0 {
                out.push_str(&format!("{}-{line}\r\n", self.code));
            } else {
                // A line that starts with digits could be taken for the end of the reply.
                out.push_str(&format!(" {line}\r\n"));
            }
        }
        out.push_str(&format!("{} {last}\r\n", self.code));
        out.into_bytes()
    }
}

/// The reply code for an error. Sources: RFC 959, 4.2; RFC 3659.
pub(super) fn code_of(kind: Kind) -> u16 {
    match kind {
        Kind::NotFound
        | Kind::Exists
        | Kind::IsFolder
        | Kind::NotFolder
        | Kind::NotEmpty
        | Kind::Denied
        | Kind::Invalid => 550,
        // Programs try again after 452, which helps when the disk is full, and never when an allowance is.
        Kind::NoSpace => 452,
        Kind::Quota | Kind::TooLarge => 552,
        Kind::Unsupported => 504,
        Kind::Conflict | Kind::Busy => 450,
        Kind::Internal => 451,
    }
}

/// `text` on one line: nothing in it can end the reply or move a terminal's cursor.
fn one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for part in text.split(char::is_control).filter(|part| !part.is_empty()) {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(part);
    }
    if out.chars().count() > MAX_LINE_CHARS {
        out = out.chars().take(MAX_LINE_CHARS).collect();
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(reply: &Reply, expected: &str) {
        assert_eq!(String::from_utf8(reply.to_bytes()).unwrap(), expected);
    }

    #[test]
    fn a_text_cannot_forge_another_reply() {
        check(&Reply::new(550, "no \"a\r\n226 Stored\" here"), "550 no \"a 226 Stored\" here\r\n");
        check(&Reply::new(200, ""), "200 \r\n");
    }

    #[test]
    fn inner_lines_are_indented() {
        let reply = Reply::listing(211, "Features:", vec!["UTF8".into(), "SIZE".into()], "End");
        check(&reply, "211-Features:\r\n UTF8\r\n SIZE\r\n211 End\r\n");
    }

    #[test]
    fn long_texts_are_cut() {
        let reply = Reply::new(550, "x".repeat(2000));
        assert!(reply.to_bytes().len() < 500);
    }
}
