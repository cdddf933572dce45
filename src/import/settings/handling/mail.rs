//! Who is written to about imports, about which, and with what attached.

use jiff::civil::Time;
use toml::Value;

use crate::import::settings::document::{Document, quoted};
use crate::import::settings::read::{Read, choice, list, table, text, wrong};
use crate::model::Language;

/// Who is written to about imports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailSettings {
    /// Who.
    pub to: Vec<Recipient>,
    /// About which imports.
    pub on: MailOn,
    /// Which report files go with a message.
    pub attach: Vec<Attach>,
    /// When the digest goes out, in the client's time zone.
    pub digest_at: Time,
}

/// Somebody who is written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// Where.
    pub to: To,
    /// In which language; `None`: the client's.
    pub language: Option<Language>,
}

/// Where a message goes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum To {
    /// To this address.
    Address {
        /// `Name <a@b>`: the name.
        name: Option<String>,
        /// The address.
        address: String,
    },
    /// To the address that the client's directory has for this user: a login or an employee number.
    User(String),
}

/// Which imports somebody is written to about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailOn {
    /// Every one.
    All,
    /// Those with something to correct, to decide or to know: refusals, holds and their decisions, failures.
    Problems,
    /// All of a day, in one message.
    Digest,
}

/// A report file that goes with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attach {
    /// The report for spreadsheets.
    Csv,
    /// The report for programs.
    Json,
    /// The report as a page.
    Html,
    /// The refused rows as they were received.
    Corrections,
}

const TO: &str = "[\"Anne Roy <anne.roy@example.com>\", \"de:hr@example.com\", { user = \"00123\", language = \"fr\" }]";
const ON: [(&str, MailOn); 3] =
    [("all", MailOn::All), ("problems", MailOn::Problems), ("digest", MailOn::Digest)];
const ATTACH: [(&str, Attach); 4] = [
    ("csv", Attach::Csv),
    ("json", Attach::Json),
    ("html", Attach::Html),
    ("corrections", Attach::Corrections),
];
/// The most recipients of one folder.
const MOST_RECIPIENTS: usize = 50;
/// The longest address that SMTP carries. Source: RFC 5321, section 4.5.3.1.
const MAX_ADDRESS_BYTES: usize = 254;

impl Default for MailSettings {
    fn default() -> Self {
        let digest_at = jiff::civil::time(7, 0, 0, 0);
        Self { to: Vec::new(), on: MailOn::All, attach: Vec::new(), digest_at }
    }
}

impl MailSettings {
    pub(super) fn read(value: &Value) -> Read<Self> {
        let mut mail = Self::default();
        for (name, value) in table("mail", value, &format!("[mail] with the line to = {TO}"))? {
            match name.as_str() {
                "to" => mail.to = recipients(value)?,
                "on" => mail.on = choice("mail.on", value, &ON)?,
                "attach" => mail.attach = attach(value)?,
                "digest_at" => mail.digest_at = time(value)?,
                _ => {
                    return Err(format!(
                        "\"mail.{name}\" is not an import setting; there are: to, on, attach, digest_at"
                    ));
                }
            }
        }
        Ok(mail)
    }

    pub(super) fn write(&self, doc: &mut Document) {
        doc.line("[mail]");
        let to: Vec<String> = self.to.iter().map(recipient_toml).collect();
        doc.setting(
            &[
                "Who is written to about imports (docs/mail.md): addresses, perhaps with a name or a language before them, or users",
                &format!("of the directory: to = {TO}"),
            ],
            &format!("to = [{}]", to.join(", ")),
        );
        let word = ON.iter().find(|(_, on)| *on == self.on).map_or("all", |(word, _)| word);
        doc.setting(
            &["About which imports: \"all\" (default), \"problems\", or \"digest\", one message a day."],
            &format!("on = {}", quoted(word)),
        );
        let attached = |a: &Attach| ATTACH.iter().find(|(_, known)| known == a).map(|(w, _)| *w);
        let files: Vec<String> = self.attach.iter().filter_map(attached).map(quoted).collect();
        doc.setting(
            &[
                "Report files that go with a message: \"csv\", \"html\", \"json\", and \"corrections\", which holds the refused rows as",
                "they were received, birth dates and all. Default: none.",
            ],
            &format!("attach = [{}]", files.join(", ")),
        );
        doc.setting(
            &["When the digest goes out, in the client's time zone."],
            &format!("digest_at = {}", quoted(&self.digest_at.strftime("%H:%M").to_string())),
        );
    }
}

fn recipients(value: &Value) -> Read<Vec<Recipient>> {
    let all = value.as_array().ok_or_else(|| wrong("mail.to", value, TO))?;
    let mut recipients: Vec<Recipient> = Vec::new();
    for one in all {
        let recipient = recipient(one)?;
        if recipients.iter().any(|known| is_same(&known.to, &recipient.to)) {
            return Err(format!("mail.to names {one} twice; name it once"));
        }
        recipients.push(recipient);
    }
    if recipients.len() > MOST_RECIPIENTS {
        return Err(format!(
            "mail.to has {} recipients; {MOST_RECIPIENTS} are possible: write to a mailing list instead",
            recipients.len()
        ));
    }
    Ok(recipients)
}

fn is_same(a: &To, b: &To) -> bool {
    match (a, b) {
        (To::Address { address: a, .. }, To::Address { address: b, .. }) => {
            a.eq_ignore_ascii_case(b)
        }
        (a, b) => a == b,
    }
}

fn recipient(value: &Value) -> Read<Recipient> {
    if let Some(text) = value.as_str() {
        // `fr:c@d`: a colon cannot stand in an address that is not quoted.
        let prefixed = text.split_once(':').and_then(|(l, rest)| Some((l.parse().ok()?, rest)));
        let (language, rest) = prefixed.map_or((None, text), |(l, rest)| (Some(l), rest));
        return Ok(Recipient { to: address(rest)?, language });
    }
    let (mut to, mut language) = (None, None);
    for (name, value) in table("mail.to", value, TO)? {
        match name.as_str() {
            "address" => {
                to = Some(address(text("mail.to: address", value, "\"anne.roy@example.com\"")?)?)
            }
            "user" => {
                let user = text("mail.to: user", value, "\"00123\"")?;
                if user.len() > MAX_ADDRESS_BYTES || user.chars().any(char::is_control) {
                    return Err(wrong("mail.to: user", value, "\"00123\""));
                }
                to = Some(To::User(user.to_owned()));
            }
            "language" => {
                let code = text("mail.to: language", value, "\"fr\"")?;
                let known =
                    code.parse().map_err(|_| wrong("mail.to: language", value, "\"fr\""))?;
                language = Some(known);
            }
            _ => {
                return Err(format!(
                    "mail.to: \"{name}\" is not known; there are: address or user, and language; write for example to = {TO}"
                ));
            }
        }
    }
    let to = to.ok_or_else(|| wrong("mail.to", value, TO))?;
    Ok(Recipient { to, language })
}

/// `a@b` or `Name <a@b>`.
fn address(text: &str) -> Read<To> {
    let refuse = |why: &str| {
        Err(format!(
            "mail.to: \"{}\" {why}; write for example \"Anne Roy <anne.roy@example.com>\"",
            text.escape_debug()
        ))
    };
    let text = text.trim();
    let (name, address) = match text.strip_suffix('>').and_then(|text| text.rsplit_once('<')) {
        Some((name, address)) => (name.trim().trim_matches('"').trim(), address),
        None => ("", text),
    };
    if name.chars().any(|c| c.is_control() || matches!(c, '<' | '>' | '"' | '\\')) {
        return refuse("has signs in its name that no name has");
    }
    if !is_address(address) {
        return refuse("is not an e-mail address");
    }
    let name = Some(name).filter(|name| !name.is_empty()).map(str::to_owned);
    Ok(To::Address { name, address: address.to_owned() })
}

/// Whether this is an address as people write it. Source: RFC 5321, section 4.1.2, Dot-string, with a domain of ASCII.
fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    let dotted = |text: &str, good: &dyn Fn(char) -> bool| {
        text.split('.').all(|part| !part.is_empty() && part.chars().all(good))
    };
    let label = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let hyphens = domain.split('.').any(|part| part.starts_with('-') || part.ends_with('-'));
    text.len() <= MAX_ADDRESS_BYTES
        && local.len() <= 64
        && dotted(local, &atom)
        && dotted(domain, &label)
        && !hyphens
}

fn recipient_toml(recipient: &Recipient) -> String {
    let language = recipient.language.map(Language::code);
    match &recipient.to {
        To::User(user) => {
            let language =
                language.map(|l| format!(", language = {}", quoted(l))).unwrap_or_default();
            format!("{{ user = {}{language} }}", quoted(user))
        }
        To::Address { name, address } => {
            let language = language.map(|l| format!("{l}:")).unwrap_or_default();
            quoted(&match name {
                Some(name) => format!("{language}{name} <{address}>"),
                None => format!("{language}{address}"),
            })
        }
    }
}

fn attach(value: &Value) -> Read<Vec<Attach>> {
    let example = "[\"csv\", \"html\"]";
    let mut files = Vec::new();
    for name in list("mail.attach", value, example)? {
        let known = ATTACH.iter().find(|(word, _)| *word == name);
        let (_, file) = known.ok_or_else(|| {
            format!("mail.attach: \"{name}\" is not known; there are csv, html, json, corrections; write for example attach = {example}")
        })?;
        if !files.contains(file) {
            files.push(*file);
        }
    }
    Ok(files)
}

fn time(value: &Value) -> Read<Time> {
    let example = "\"07:00\"";
    let text = text("mail.digest_at", value, example)?;
    Time::strptime("%H:%M", text).map_err(|_| wrong("mail.digest_at", value, example))
}

#[cfg(test)]
mod tests {
    use crate::import::settings::{MailOn, Settings, To};
    use crate::model::Language;

    #[expect(
        clippy::unwrap_in_result,
        reason = "a helper that fails ends the test, with its place"
    )]
    fn to(text: &str) -> Result<Vec<(To, Option<Language>)>, String> {
        let settings = Settings::from_toml(&format!("[mail]\nto = [{text}]"))?;
        let written = Settings::from_toml(&settings.to_toml()).unwrap();
        assert_eq!(written.handling, settings.handling, "{text}");
        Ok(settings.handling.mail.to.into_iter().map(|r| (r.to, r.language)).collect())
    }

    fn address(name: Option<&str>, address: &str) -> To {
        To::Address { name: name.map(str::to_owned), address: address.to_owned() }
    }

    #[test]
    fn recipients() {
        assert_eq!(to("'a@example.com'").unwrap(), [(address(None, "a@example.com"), None)]);
        assert_eq!(
            to("'fr:Zoé Noël <zoe@example.com>', { address = 'b@example.com', language = 'de' }")
                .unwrap(),
            [
                (address(Some("Zoé Noël"), "zoe@example.com"), Some(Language::Fr)),
                (address(None, "b@example.com"), Some(Language::De)),
            ]
        );
        assert_eq!(to("{ user = '00123' }").unwrap(), [(To::User("00123".to_owned()), None)]);
        assert_eq!(
            to("'\"Roy, Anne\" <a@example.com>'").unwrap()[0].0,
            address(Some("Roy, Anne"), "a@example.com")
        );
    }

    #[test]
    fn what_is_no_recipient_is_refused_with_a_right_example() {
        for bad in [
            "''",
            "'anne'",
            "'a@b@c'",
            "'a b@example.com'",
            "'a@exa mple.com'",
            "'a..b@example.com'",
            "'a@-example.com'",
            "\"a@example.com\\r\\nBcc: x@example.com\"",
            "\"Anne\\r\\nBcc: x <a@example.com>\"",
            "'<a@example.com'",
            "'a@example.com', 'A@EXAMPLE.com'",
            "{ language = 'fr' }",
            "{ address = 'a@example.com', langauge = 'fr' }",
            "{ user = '' }",
            "5",
        ] {
            let problem = to(bad).unwrap_err();
            assert!(problem.contains("mail.to"), "{bad}: {problem}");
        }
    }

    #[test]
    fn when_and_what() {
        let mail = |text: &str| {
            Settings::from_toml(&format!("[mail]\n{text}")).map(|settings| settings.handling.mail)
        };
        assert_eq!(mail("on = 'digest'\ndigest_at = '18:30'").unwrap().on, MailOn::Digest);
        assert_eq!(mail("digest_at = '18:30'").unwrap().digest_at, jiff::civil::time(18, 30, 0, 0));
        assert!(mail("attach = ['csv', 'corrections']").unwrap().attach.len() == 2);
        for bad in
            ["on = 'never'", "digest_at = '25:00'", "digest_at = 7", "attach = ['pdf']", "cc = []"]
        {
            assert!(mail(bad).unwrap_err().contains("mail."), "{bad}");
        }
        let old = Settings::from_toml("[report]\nrecipients = ['a@example.com']").unwrap_err();
        assert!(old.contains("[mail]"), "{old}");
    }
}
