//! How e-mails leave, and the hooks: other programs that are told of imports.

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::check::{Wrong, wrong};

/// How e-mails leave: through an SMTP server, or into a folder of `.eml` files; neither: none leave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mail {
    /// `smtp://host:587` (STARTTLS) or `smtps://host:465` (TLS from the first byte).
    pub smtp: Option<String>,
    /// A folder that takes each message as a file, for another program to send.
    pub dir: Option<PathBuf>,
    /// The sender, `Rollcall <rollcall@example.com>`.
    pub from: Option<String>,
    /// The login at the SMTP server.
    pub login: Option<String>,
    /// Its password.
    pub password: Option<Hidden>,
    /// A file whose first line is the password.
    pub password_file: Option<PathBuf>,
    /// Certificates (PEM) that are trusted besides the system's.
    pub ca_file: Option<PathBuf>,
    /// Whether `smtp://` must turn to TLS before anything is said.
    pub starttls: Starttls,
    /// The name in EHLO; none: the machine's.
    pub hello_name: Option<String>,
    /// Who is written to when an alarm is raised.
    pub operators: Vec<String>,
    /// What links begin with; none: messages name commands and paths instead.
    pub public_url: Option<String>,
    /// One message, from the connection to its acceptance.
    pub timeout_s: u64,
    /// The largest message; attachments that do not fit are left out, and the message says so.
    pub max_message_bytes: u64,
}

impl Default for Mail {
    fn default() -> Self {
        Self {
            smtp: None,
            dir: None,
            from: None,
            login: None,
            password: None,
            password_file: None,
            ca_file: None,
            starttls: Starttls::Required,
            hello_name: None,
            operators: Vec::new(),
            public_url: None,
            timeout_s: 120,
            max_message_bytes: 10 * 1024 * 1024,
        }
    }
}

impl Mail {
    /// Whether e-mails leave at all.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.smtp.is_some() || self.dir.is_some()
    }

    /// The SMTP server; `None`: none is set.
    #[must_use]
    pub fn server(&self) -> Option<SmtpServer> {
        self.smtp.as_deref().and_then(SmtpServer::parse)
    }
}

/// Where an SMTP server listens, and whether it speaks TLS from the first byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmtpServer {
    /// `smtps://`
    pub is_tls: bool,
    /// A name or an address.
    pub host: String,
    /// 587 and 465 unless given.
    pub port: u16,
}

impl SmtpServer {
    fn parse(url: &str) -> Option<Self> {
        let (is_tls, rest) = match url.split_once("://")? {
            ("smtp", rest) => (false, rest),
            ("smtps", rest) => (true, rest),
            _ => return None,
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !host.ends_with(':') && !port.contains(']') => {
                (host, port.parse().ok().filter(|port| *port > 0)?)
            }
            _ => (rest, if is_tls { 465 } else { 587 }),
        };
        let host = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
        let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '_');
        (!host.is_empty() && host.chars().all(good)).then(|| Self {
            is_tls,
            host: host.to_owned(),
            port,
        })
    }

    fn is_this_machine(&self) -> bool {
        let address = self.host.parse::<std::net::IpAddr>();
        self.host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }
}

/// Whether a connection in plain text must turn to TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Starttls {
    /// Without it nothing is sent.
    Required,
    /// Everything goes in plain text: for a server on this machine.
    Off,
}

/// A text that no log and no error shows.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hidden(pub String);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("•••")
    }
}

/// Another program, or an address, that is told of imports. Documented in `docs/hooks.md`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hook {
    /// Its name: `a-z`, `0-9` and `-`.
    pub name: String,
    /// The program, by its whole path, and its arguments. No shell reads them.
    #[serde(default)]
    pub program: Vec<String>,
    /// The address, `https://…`.
    #[serde(default)]
    pub url: Option<String>,
    /// What it is told of; empty: everything.
    #[serde(default)]
    pub on: Vec<HookEvent>,
    /// Of which clients, by their slugs; empty: of all.
    #[serde(default)]
    pub clients: Vec<String>,
    /// What signs each message to an address.
    #[serde(default)]
    pub secret: Option<Hidden>,
    /// How long the program may run, or the address take to answer.
    #[serde(default = "hook_timeout_s")]
    pub timeout_s: u64,
}

fn hook_timeout_s() -> u64 {
    60
}

/// What a hook is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum HookEvent {
    /// The file was applied in whole or in part, said nothing new, or was refused.
    #[serde(rename = "import.finished")]
    Finished,
    /// It waits for somebody's decision.
    #[serde(rename = "import.held")]
    Held,
    /// It will never be applied: discarded, expired, replaced by a newer file.
    #[serde(rename = "import.dropped")]
    Dropped,
    /// It was applied and taken back.
    #[serde(rename = "import.undone")]
    Undone,
    /// Our own fault (E901).
    #[serde(rename = "import.failed")]
    Failed,
}

impl HookEvent {
    /// The name in the configuration and in messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Finished => "import.finished",
            Self::Held => "import.held",
            Self::Dropped => "import.dropped",
            Self::Undone => "import.undone",
            Self::Failed => "import.failed",
        }
    }
}

/// What the types alone cannot say of `[mail]`.
pub(super) fn check_mail(mail: &Mail) -> Result<(), Wrong> {
    let both = |a: &str, b: &str| {
        Err(wrong(&format!("mail.{b}"), format!("is set, and so is mail.{a}: keep one of them")))
    };
    if mail.smtp.is_some() && mail.dir.is_some() {
        return both("smtp", "dir");
    }
    if mail.password.is_some() && mail.password_file.is_some() {
        return both("password", "password_file");
    }
    if let Some(smtp) = &mail.smtp {
        let Some(server) = mail.server() else {
            let problem = format!(
                "is \"{smtp}\": not the address of an SMTP server; write for example \"smtp://mail.example.com:587\" or \"smtps://mail.example.com:465\""
            );
            return Err(wrong("mail.smtp", problem));
        };
        let in_clear = !server.is_tls && mail.starttls == Starttls::Off;
        if in_clear && mail.login.is_some() && !server.is_this_machine() {
            let problem = "is \"off\" while mail.login is set: the password would go over the network in plain text; write starttls = \"required\"";
            return Err(wrong("mail.starttls", problem.to_owned()));
        }
    }
    if let Some(url) = &mail.public_url
        && !is_web_address(url)
    {
        let problem = format!(
            "is \"{url}\": not a web address; write for example \"https://rollcall.example.com\""
        );
        return Err(wrong("mail.public_url", problem));
    }
    for (key, value, least) in [
        ("timeout_s", mail.timeout_s, 1),
        // A message without attachments must fit.
        ("max_message_bytes", mail.max_message_bytes, 256 * 1024),
    ] {
        if value < least {
            return Err(wrong(&format!("mail.{key}"), format!("is {value}: use at least {least}")));
        }
    }
    Ok(())
}

/// What the types alone cannot say of `[[hooks]]`.
pub(super) fn check_hooks(hooks: &[Hook]) -> Result<(), Wrong> {
    let mut names = BTreeSet::new();
    for hook in hooks {
        let name = &hook.name;
        let refuse = |problem: String| Err(wrong("hooks", problem));
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || !name.chars().all(plain) {
            return refuse(format!("has the name \"{name}\": use a-z, 0-9 and \"-\""));
        }
        if !names.insert(name) {
            return refuse(format!("has two hooks \"{name}\": each needs a name of its own"));
        }
        match (hook.program.first(), &hook.url) {
            (None, None) | (Some(_), Some(_)) => {
                return refuse(format!(
                    "\"{name}\" needs either a program or a url; write for example program = [\"/usr/local/bin/load-directory\"]"
                ));
            }
            (Some(program), None) if !program.starts_with('/') => {
                return refuse(format!(
                    "\"{name}\": program \"{program}\" is no whole path; write for example program = [\"/usr/local/bin/load-directory\"]"
                ));
            }
            (None, Some(url)) if !is_web_address(url) => {
                return refuse(format!(
                    "\"{name}\": url \"{url}\" is not a web address; write for example url = \"https://hr.example.com/rollcall\""
                ));
            }
            _ => {}
        }
        if hook.secret.is_some() && hook.url.is_none() {
            return refuse(format!(
                "\"{name}\": secret signs messages to a url; a program needs none"
            ));
        }
        if hook.secret.as_ref().is_some_and(|secret| secret.0.trim().len() < 16) {
            return refuse(format!("\"{name}\": secret is too short; use at least 16 characters"));
        }
        if hook.timeout_s == 0 {
            return refuse(format!("\"{name}\": timeout_s is 0: use at least 1"));
        }
    }
    Ok(())
}

impl Mail {
    /// The host name in `public_url`, without its port.
    #[must_use]
    pub fn public_name(&self) -> Option<&str> {
        let (_, rest) = self.public_url.as_deref()?.split_once("://")?;
        let place = rest.split(['/', '?', '#']).next()?;
        if let Some(bracketed) = place.strip_prefix('[') {
            return bracketed.split(']').next();
        }
        place.split(':').next()
    }
}

fn is_web_address(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[')
            && rest.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '"' | '<' | '>' | '\\'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_name_is_the_host_of_the_public_address() {
        for (url, name) in [
            ("https://rollcall.example.com", "rollcall.example.com"),
            ("http://a.example:8443/rollcall?x", "a.example"),
            ("https://[2001:db8::1]:8443/", "2001:db8::1"),
        ] {
            let mail = Mail { public_url: Some(url.to_owned()), ..Mail::default() };
            assert_eq!(mail.public_name(), Some(name));
        }
        assert_eq!(Mail::default().public_name(), None);
    }

    fn problem(change: impl FnOnce(&mut Mail)) -> Option<String> {
        let mut mail = Mail::default();
        change(&mut mail);
        check_mail(&mail).err().map(|w| format!("{} {}", w.key, w.problem))
    }

    #[test]
    fn smtp_addresses() {
        let server = |url: &str| SmtpServer::parse(url).map(|s| (s.is_tls, s.host, s.port));
        let is = |tls, host: &str, port| Some((tls, host.to_owned(), port));
        assert_eq!(server("smtp://mail.example.com"), is(false, "mail.example.com", 587));
        assert_eq!(server("smtps://mail.example.com/"), is(true, "mail.example.com", 465));
        assert_eq!(server("smtp://127.0.0.1:2525"), is(false, "127.0.0.1", 2525));
        assert_eq!(server("smtp://[::1]:25"), is(false, "::1", 25));
        assert_eq!(server("smtp://[::1]"), is(false, "::1", 587));
        for bad in
            ["mail.example.com", "http://x", "smtp://", "smtp://a b", "smtp://u:p@h", "smtp://h:0"]
        {
            assert_eq!(server(bad), None, "{bad}");
        }
    }

    #[test]
    fn mail_settings_that_cannot_work_are_refused() {
        assert_eq!(problem(|_| {}), None);
        let smtp = |url: &str| Some(url.to_owned());
        assert_eq!(problem(|m| m.smtp = smtp("smtp://mail.example.com:587")), None);
        assert!(problem(|m| m.smtp = smtp("mail.example.com")).is_some());
        assert!(problem(|m| (m.smtp, m.dir) = (smtp("smtp://h"), Some("x".into()))).is_some());
        assert!(problem(|m| m.public_url = smtp("rollcall.example.com")).is_some());
        let clear = |host: &str| {
            problem(|m| {
                m.smtp = Some(format!("smtp://{host}"));
                (m.login, m.password) = (smtp("me"), Some(Hidden("secret".to_owned())));
                m.starttls = Starttls::Off;
            })
        };
        assert_eq!(clear("127.0.0.1:25"), None);
        assert!(clear("mail.example.com:25").is_some());
        assert_eq!(format!("{:?}", Hidden("secret".to_owned())), "•••");
    }

    #[test]
    fn hooks_that_cannot_work_are_refused() {
        let hook = |text: &str| {
            let hook: Hook = toml::from_str(text).unwrap();
            check_hooks(std::slice::from_ref(&hook)).err().map(|w| w.problem)
        };
        assert_eq!(hook("name = 'load'\nprogram = ['/bin/true']"), None);
        assert_eq!(hook("name = 'load'\nurl = 'https://hr.example.com/x'"), None);
        for bad in [
            "name = 'Load it'\nprogram = ['/bin/true']",
            "name = 'load'",
            "name = 'load'\nprogram = ['true']",
            "name = 'load'\nprogram = ['/bin/true']\nurl = 'https://a.example'",
            "name = 'load'\nurl = 'ftp://a.example'",
            "name = 'load'\nurl = 'https://a.example'\nsecret = 'short'",
            "name = 'load'\nprogram = ['/bin/true']\ntimeout_s = 0",
        ] {
            assert!(hook(bad).is_some(), "{bad}");
        }
        assert!(toml::from_str::<Hook>("name = 'a'\non = ['import.done']").is_err());
    }
}
