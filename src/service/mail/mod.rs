//! E-mails about imports and alarms: who is written to, what is queued, how it is sent.

mod queue;
mod send;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Service;
use super::outbox::{JobFilter, OutboxJob};
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::import::settings::{Settings, To};
use crate::mail::{self, Addressee, Letter, Mailer};
use crate::model::{ImportStatus, Language, UploadId};
use crate::store::registry::JobKind;

pub(super) use queue::{alarm_raised, happened_at, is_forgotten, is_operator, may_reach, reported};
pub(super) use send::{SERVER, given_up, imported, send, went_out, withdrawn};

/// What an e-mail of the outbox is about. It is written when it is sent, from what the databases say then.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Parcel {
    /// The recipient's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The address.
    address: String,
    /// In which language.
    language: Language,
    /// The user of the directory whose address it is, as the settings name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    /// What it is about.
    #[serde(flatten)]
    about: About,
}

/// What an e-mail tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "about", rename_all = "lowercase")]
enum About {
    /// An import, as long as it has this status.
    Import { import: UploadId, status: ImportStatus },
    /// What came of a folder's imports in this time.
    Digest { folder: String, since: Timestamp, until: Timestamp },
    /// An alarm.
    Alarm { code: String, subject: String, text: String },
}

impl Parcel {
    fn addressee(&self) -> Addressee {
        Addressee { name: self.name.clone(), address: self.address.clone() }
    }
}

/// An e-mail of the outbox, as lists show it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MailView {
    /// The job.
    #[serde(flatten)]
    pub job: OutboxJob,
    /// To whom.
    pub to: String,
}

impl Service {
    /// The e-mails of the outbox, newest first; `before`: those that come after the page which ended with this number.
    ///
    /// # Errors
    /// `Kind::NotFound` for the client.
    pub fn mails(
        &self,
        client: Option<&str>,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<MailView>> {
        let jobs = self.outbox(&JobFilter {
            client: client.map(str::to_owned),
            kind: Some(JobKind::Mail),
            before,
            limit: Some(limit),
            ..JobFilter::default()
        })?;
        let view = |job: OutboxJob| {
            let parcel: Option<Parcel> = serde_json::from_str(&job.payload).ok();
            MailView { to: parcel.map(|parcel| parcel.address).unwrap_or_default(), job }
        };
        Ok(jobs.into_iter().map(view).collect())
    }

    /// Whether e-mails can leave as the configuration says; `Ok(false)`: they are off.
    ///
    /// # Errors
    /// A password or certificate file that cannot be read.
    pub fn mail_is_ready(&self) -> Result<bool> {
        Mailer::new(&self.config().mail).map(|mailer| mailer.is_some())
    }

    /// Import folders whose settings name somebody to write to: client and folder.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn folders_with_mail(&self) -> Result<Vec<(String, String)>> {
        let mut found = Vec::new();
        for client in self.registry().clients()? {
            for folder in self.registry().client_folders(&client.slug)? {
                let settings = self.settings(&client.slug, &folder.name);
                if settings.is_ok_and(|settings| !settings.handling.mail.to.is_empty()) {
                    found.push((client.slug.clone(), folder.name));
                }
            }
        }
        Ok(found)
    }

    /// Sends a test message at once, past the outbox; answers how it left.
    ///
    /// # Errors
    /// `Kind::Invalid` for an address, or when no e-mail leaves; why the server refused it.
    pub fn send_test_mail(&self, address: &str, language: Language) -> Result<String> {
        let to = mail::addressee(address)?;
        let config = &self.config().mail;
        let mailer = Mailer::new(config)?.ok_or_else(is_off)?;
        let told = mail::trial(language);
        let now = self.clock().now();
        let letter = Letter {
            subject: told.subject,
            text: told.text,
            html: told.html,
            key: format!("test/{}/{now}", to.address),
            thread: String::new(),
            files: Vec::new(),
        };
        let message = mail::message(&letter, sender(self.config()), &to, now)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| Error::io("preparing to send", e))?;
        let name = send::file_name(now, &letter.key);
        runtime.block_on(mailer.send(message, &name)).map_err(mail::Refused::into_error)?;
        self.record("mail.test", &to.address, "");
        Ok(match &mailer {
            Mailer::Smtp { place, .. } => {
                format!("The SMTP server {place} took the message for {}.", to.address)
            }
            Mailer::Folder(dir) => {
                format!("The message for {} lies in {}.", to.address, dir.join(name).display())
            }
        })
    }
}

fn is_off() -> Error {
    let message = "no e-mail leaves: set [mail] smtp (or dir) and from in the configuration, for example smtp = \"smtp://mail.example.com:587\" (docs/mail.md)";
    Error::new(Kind::Invalid, message)
}

fn sender(config: &Config) -> &str {
    config.mail.from.as_deref().unwrap_or_default()
}

/// What the configuration's own checks cannot say: addresses, and settings that need each other.
pub(super) fn check_config(config: &Config) -> Result<()> {
    let mail = &config.mail;
    let refuse = |problem: &str| Err(Error::new(Kind::Invalid, problem));
    for operator in &mail.operators {
        mail::addressee(operator)
            .map_err(|e| Error::new(Kind::Invalid, format!("mail.operators: {}", e.message())))?;
    }
    if let Some(from) = &mail.from {
        mail::check_sender(from)
            .map_err(|e| Error::new(Kind::Invalid, format!("mail.from: {}", e.message())))?;
    } else if mail.is_on() {
        return refuse(
            "mail.from is missing: e-mails need a sender; write for example from = \"Rollcall <rollcall@example.com>\"",
        );
    }
    if mail.login.is_some() && mail.password.is_none() && mail.password_file.is_none() {
        return refuse(
            "mail.login is set, but no password: add mail.password_file (or mail.password)",
        );
    }
    Ok(())
}

/// Checks the addresses of a folder's settings as the program reads them that sends.
pub(super) fn check_recipients(settings: &Settings) -> Result<()> {
    for recipient in &settings.handling.mail.to {
        if let To::Address { address, .. } = &recipient.to {
            mail::check_address(address)?;
        }
    }
    Ok(())
}
