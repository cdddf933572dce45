//! When a received file is imported, and when one is expected.

use toml::Value;

use crate::import::settings::document::Document;
use crate::import::settings::read::{Read, table, wrong};

/// When a received file is imported, and when one is expected.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Schedule {}

impl Schedule {
    #[expect(clippy::unused_self, reason = "the schedule has more than one trigger soon")]
    pub(super) fn read_trigger(&mut self, value: &Value) -> Read<()> {
        match value.as_str() {
            Some("upload") => Ok(()),
            _ => Err(wrong("trigger", value, "\"upload\"")),
        }
    }

    #[expect(clippy::unused_self, reason = "the schedule has more than one trigger soon")]
    pub(super) fn read_expected(&mut self, value: &Value) -> Read<()> {
        table("expected", value, "[expected]").map(|_| ())
    }

    #[expect(clippy::unused_self, reason = "the schedule has more than one trigger soon")]
    pub(super) fn write_trigger(&self, doc: &mut Document) {
        doc.setting(
            &["When an upload is imported. In this version: \"upload\", at once."],
            "trigger = \"upload\"",
        );
    }

    #[expect(clippy::unused_self, reason = "the schedule has more than one trigger soon")]
    pub(super) fn write_expected(&self, _doc: &mut Document) {}
}
