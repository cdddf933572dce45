//! Who is written to about imports.

use toml::Value;

use crate::import::settings::document::Document;
use crate::import::settings::read::{Read, table};

/// Who is written to about imports.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MailSettings {}

impl MailSettings {
    pub(super) fn read(value: &Value) -> Read<Self> {
        table("mail", value, "[mail]").map(|_| Self {})
    }

    #[expect(clippy::unused_self, reason = "it has settings soon")]
    pub(super) fn write(&self, _doc: &mut Document) {}
}
