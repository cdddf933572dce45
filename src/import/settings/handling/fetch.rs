//! How files are fetched from the client's own server.

use toml::Value;

use crate::import::settings::document::Document;
use crate::import::settings::read::{Read, table};

/// How files are fetched from the client's own server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fetch {}

impl Fetch {
    pub(super) fn read(value: &Value) -> Read<Self> {
        table("fetch", value, "[fetch]").map(|_| Self {})
    }

    #[expect(clippy::unused_self, reason = "it has settings soon")]
    pub(super) fn write(&self, _doc: &mut Document) {}
}
