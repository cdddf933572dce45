//! A message as it is written: headers, plain text and HTML, attachments.

use jiff::Timestamp;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, Message, MultiPart, SinglePart};
use lettre::{Address, message::MessageBuilder};
use sha2::{Digest as _, Sha256};

use super::body::one_line;
use crate::error::{Error, Kind, Result};

/// Who gets a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addressee {
    /// The name; `None`: the address alone.
    pub name: Option<String>,
    /// The address.
    pub address: String,
}

/// A message before it is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// The subject.
    pub subject: String,
    /// The body as plain text.
    pub text: String,
    /// The body as HTML.
    pub html: String,
    /// What makes it the same as another: a message that is sent again can be recognised.
    pub key: String,
    /// What it belongs together with, as programs show a conversation; may be empty.
    pub thread: String,
    /// What goes with it.
    pub files: Vec<LetterFile>,
}

/// A file that goes with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LetterFile {
    /// Its name.
    pub name: String,
    /// Its media type, `text/csv`.
    pub media: &'static str,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// Checks an address as it is entered.
///
/// # Errors
/// `Kind::Invalid`.
pub fn check_address(address: &str) -> Result<()> {
    address.parse::<Address>().map(|_| ()).map_err(|e| {
        let message = format!(
            "\"{}\" is not an e-mail address ({e}); write for example anne.roy@example.com",
            address.escape_debug()
        );
        Error::new(Kind::Invalid, message)
    })
}

/// Reads `Anne Roy <anne.roy@example.com>`, or the address alone.
///
/// # Errors
/// `Kind::Invalid`.
pub fn addressee(text: &str) -> Result<Addressee> {
    let mailbox: Mailbox = text.parse().map_err(|e| {
        let message = format!(
            "\"{}\" is not an e-mail address ({e}); write for example anne.roy@example.com",
            text.escape_debug()
        );
        Error::new(Kind::Invalid, message)
    })?;
    Ok(Addressee { name: mailbox.name, address: mailbox.email.to_string() })
}

/// Checks a sender, `Rollcall <rollcall@example.com>`.
///
/// # Errors
/// `Kind::Invalid`.
pub fn check_sender(from: &str) -> Result<()> {
    mailbox(from).map(|_| ())
}

fn mailbox(text: &str) -> Result<Mailbox> {
    text.parse().map_err(|e| {
        let message = format!(
            "\"{}\" is not a sender ({e}); write for example \"Rollcall <rollcall@example.com>\"",
            text.escape_debug()
        );
        Error::new(Kind::Invalid, message)
    })
}

/// Builds the message, ready to be sent. What is too large for `max_bytes` with its attachments goes without them.
///
/// # Errors
/// `Kind::Invalid` for an address or a sender that is none.
pub fn message(letter: &Letter, from: &str, to: &Addressee, at: Timestamp) -> Result<Message> {
    let from = mailbox(from)?;
    check_address(&to.address)?;
    let address: Address = to.address.parse().map_err(|e| invalid("building a message", &e))?;
    let name = to.name.as_deref().map(one_line).filter(|name| !name.is_empty());
    let domain = from.email.domain().to_owned();
    let mut builder = MessageBuilder::new()
        .from(from)
        .to(Mailbox::new(name, address))
        .subject(one_line(&letter.subject))
        .date(at.into())
        .message_id(Some(id(&letter.key, &domain)));
    if !letter.thread.is_empty() {
        builder = builder.references(id(&letter.thread, &domain));
    }
    // Nobody's out-of-office note answers it. Source: RFC 3834, section 5; the second for Exchange.
    for (name, value) in [("Auto-Submitted", "auto-generated"), ("X-Auto-Response-Suppress", "All")]
    {
        let name = HeaderName::new_from_ascii_str(name);
        builder = builder.raw_header(HeaderValue::new(name, value.to_owned()));
    }
    let plain = ContentType::parse("text/plain; charset=utf-8; format=flowed; delsp=no")
        .map_err(|e| invalid("building a message", &e))?;
    let alternative = MultiPart::alternative()
        .singlepart(SinglePart::builder().header(plain).body(letter.text.clone()))
        .singlepart(SinglePart::html(letter.html.clone()));
    let mut body = alternative;
    if !letter.files.is_empty() {
        body = MultiPart::mixed().multipart(body);
        for file in &letter.files {
            let media =
                ContentType::parse(file.media).map_err(|e| invalid("attaching a file", &e))?;
            let name = one_line(&file.name).replace(['"', '\\', '/'], "_");
            body = body.singlepart(Attachment::new(name).body(file.bytes.clone(), media));
        }
    }
    builder.multipart(body).map_err(|e| invalid("building a message", &e))
}

/// Stable for a key: a message that is sent again has the same. Source: RFC 5322, section 3.6.4.
fn id(key: &str, domain: &str) -> String {
    let mut digest: String = Sha256::digest(key).iter().map(|byte| format!("{byte:02x}")).collect();
    digest.truncate(40);
    format!("<rollcall.{digest}@{domain}>")
}

fn invalid(what: &str, error: &dyn std::fmt::Display) -> Error {
    Error::new(Kind::Invalid, format!("{what}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(subject: &str, name: Option<&str>, file: &str) -> String {
        let letter = Letter {
            subject: subject.to_owned(),
            text: "Grüße\nFrom here on\n".to_owned(),
            html: "<p>Grüße</p>".to_owned(),
            key: "mail/1/ok/a@example.com".to_owned(),
            thread: "import/1".to_owned(),
            files: vec![LetterFile { name: file.to_owned(), media: "text/csv", bytes: vec![1] }],
        };
        let to = Addressee { name: name.map(str::to_owned), address: "a@example.com".to_owned() };
        let at = "2026-11-22T05:00:00Z".parse().unwrap();
        let message = message(&letter, "Rollcall <r@example.com>", &to, at).unwrap();
        String::from_utf8(message.formatted()).unwrap()
    }

    #[test]
    fn a_message_has_what_mail_programs_look_for() {
        let text = built("[OK] users.csv – 3 créées", Some("Zoé"), "users.csv.report.csv");
        for wanted in [
            "Auto-Submitted: auto-generated\r\n",
            "Date: Sun, 22 Nov 2026 05:00:00 +0000\r\n",
            "Message-ID: <rollcall.",
            "References: <rollcall.",
            "multipart/mixed;",
            "multipart/alternative;",
            "format=flowed",
            "Subject: [OK] users.csv =?utf-8?",
        ] {
            assert!(text.contains(wanted), "{wanted} is missing:\n{text}");
        }
        assert!(text.lines().all(|line| line.len() < 998));
    }

    #[test]
    fn no_name_or_subject_adds_a_header() {
        let evil = "x\r\nBcc: thief@example.com\r\n\r\n\"<x@y>\u{202e}🎉";
        let text = built(evil, Some(evil), evil);
        let (head, _) = text.split_once("\r\n\r\n").unwrap();
        assert!(!head.lines().any(|line| line.to_lowercase().starts_with("bcc")), "{head}");
        assert!(!text.lines().any(|line| line.starts_with("Bcc")), "{text}");
    }

    #[test]
    fn addresses_are_checked() {
        assert!(check_address("anne.roy@example.com").is_ok());
        for bad in ["", "anne", "a b@example.com", "a@example.com\r\nBcc: b@example.com", "<a@b.c>"]
        {
            assert!(check_address(bad).is_err(), "{bad}");
        }
        assert!(check_sender("Rollcall <r@example.com>").is_ok() && check_sender("r@").is_err());
    }
}
