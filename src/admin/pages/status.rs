//! The status of an import as every page shows it: a word and how it stands out.

use crate::admin::shell::Shell;
use crate::import::report::status_words;
use crate::model::ImportStatus;

/// A status in words and its class (`good`, `look`, `bad`, `plain`).
pub(in crate::admin) struct Badge {
    pub(in crate::admin) class: &'static str,
    pub(in crate::admin) words: &'static str,
}

/// The badge of a status by its name; `waiting` and `stored` are those of uploads without an import.
pub(in crate::admin) fn badge(p: &Shell, status: &str) -> Badge {
    match parse(status) {
        Some(status) => of(p, status),
        None if status == "stored" => Badge {
            class: "plain",
            words: p.t(
                "Stored, not imported",
                "Conservé, non importé",
                "Abgelegt, nicht importiert",
            ),
        },
        None => Badge {
            class: "plain",
            words: p.t(
                "Waiting for its turn",
                "En file d’attente",
                "Wartet, bis es an der Reihe ist",
            ),
        },
    }
}

/// The badge of a status.
pub(in crate::admin) fn of(p: &Shell, status: ImportStatus) -> Badge {
    Badge { class: class(status), words: status_words(status).get(p.language) }
}

/// The status with this name.
pub(in crate::admin) fn parse(name: &str) -> Option<ImportStatus> {
    serde_json::from_value(serde_json::Value::String(name.to_owned())).ok()
}

/// All of them, in the order in which lists offer them.
pub(in crate::admin) const ALL: [ImportStatus; 11] = [
    ImportStatus::Ok,
    ImportStatus::OkWithWarnings,
    ImportStatus::Partial,
    ImportStatus::Held,
    ImportStatus::Rejected,
    ImportStatus::Failed,
    ImportStatus::Duplicate,
    ImportStatus::Superseded,
    ImportStatus::Discarded,
    ImportStatus::Expired,
    ImportStatus::Undone,
];

fn class(status: ImportStatus) -> &'static str {
    match status {
        ImportStatus::Ok | ImportStatus::Duplicate => "good",
        ImportStatus::OkWithWarnings | ImportStatus::Partial | ImportStatus::Held => "look",
        ImportStatus::Rejected | ImportStatus::Failed => "bad",
        ImportStatus::Superseded
        | ImportStatus::Discarded
        | ImportStatus::Expired
        | ImportStatus::Undone => "plain",
    }
}
