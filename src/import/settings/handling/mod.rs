//! What a folder asks for around the import: when, how the file comes, who is written to. Nothing of it changes a plan.

mod encryption;
mod fetch;
mod mail;
mod schedule;

use toml::Value;

use super::document::Document;
use super::read::Read;

pub use encryption::{Encryption, Required, Signatures};
pub use fetch::{After, Fetch, Ready};
pub use mail::{Attach, MailOn, MailSettings, Recipient, To};
pub use schedule::{Expected, Schedule};

/// What a folder asks for around the import. It is no part of the settings' version: changing it imports nothing again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Handling {
    /// When a received file is imported, and when one is expected.
    pub schedule: Schedule,
    /// How files are fetched from the client's own server.
    pub fetch: Fetch,
    /// Who is written to.
    pub mail: MailSettings,
    /// Encrypted and signed files.
    pub encryption: Encryption,
}

/// The keys of these settings, in the order of the document.
pub(super) const KEYS: [&str; 5] = ["trigger", "expected", "fetch", "mail", "encryption"];

impl Handling {
    /// Reads one of [`KEYS`].
    pub(super) fn read(&mut self, name: &str, value: &Value) -> Read<()> {
        match name {
            "trigger" => self.schedule.read_trigger(value),
            "expected" => self.schedule.read_expected(value),
            "fetch" => Fetch::read(value).map(|fetch| self.fetch = fetch),
            "mail" => MailSettings::read(value).map(|mail| self.mail = mail),
            _ => Encryption::read(value).map(|encryption| self.encryption = encryption),
        }
    }

    /// The plain keys: they stand before the document's first table.
    pub(super) fn write_keys(&self, doc: &mut Document) {
        self.schedule.write_trigger(doc);
    }

    /// The tables.
    pub(super) fn write_tables(&self, doc: &mut Document) {
        self.schedule.write_expected(doc);
        self.fetch.write(doc);
        self.mail.write(doc);
        self.encryption.write(doc);
    }
}
