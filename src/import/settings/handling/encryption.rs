//! Encrypted and signed files.

use toml::Value;

use crate::import::settings::document::Document;
use crate::import::settings::read::{Read, table};

/// Encrypted and signed files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Encryption {}

impl Encryption {
    pub(super) fn read(value: &Value) -> Read<Self> {
        table("encryption", value, "[encryption]").map(|_| Self {})
    }

    #[expect(clippy::unused_self, reason = "it has settings soon")]
    pub(super) fn write(&self, _doc: &mut Document) {}
}
