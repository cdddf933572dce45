//! The import, told in order: bytes, text, table, rows, plan, report. Pure: no async, files, clock or database.

pub mod codes;
pub mod directory;
pub mod edit;
pub mod fields;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
pub mod inspect;
pub mod layout;
pub mod list_file;
pub mod lists;
pub mod note;
pub mod plan;
pub mod pseudonym;
pub mod report;
pub mod settings;
pub mod standing;
pub mod table;
pub mod text;
pub mod unpack;
mod values;

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;

use directory::{Snapshot, SourceMemory};
use settings::Settings;
use table::TableLimits;
use unpack::UnpackLimits;

pub use plan::quick;
pub use plan::{
    Made, Newcomers, Plan, is_delta_file, make, plan, plan_duplicate, plan_failed, plan_superseded,
    plan_unopened,
};
pub use values::Filler;

/// Everything that a plan is a function of.
#[derive(Debug, Clone, Copy)]
pub struct Job<'a> {
    /// The file as it came.
    pub bytes: &'a [u8],
    /// The import settings of its folder.
    pub settings: &'a Settings,
    /// The client's directory.
    pub snapshot: &'a Snapshot,
    /// Today in the client's time zone.
    pub today: Date,
    /// The day on which the file was received, in the client's time zone: absence is counted on it.
    pub received_on: Date,
    /// Only say what would happen.
    pub dry_run: bool,
    /// What somebody approved of a held import; `None`: the first look at the file.
    pub approval: Option<&'a Approval>,
    /// What the report says about the upload.
    pub meta: &'a Meta,
    /// What a file may use.
    pub limits: &'a Limits,
}

/// What somebody approved of an import that was held, in whole or in part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Approval {
    /// The file as a whole: guards let it pass.
    Whole,
    /// These rows (held or refused as renumbered), by line; nothing else of the file is applied.
    Rows(BTreeSet<u32>),
}

/// What the report says about the upload; the plan does not depend on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// The import's id (that of its upload).
    pub import: String,
    /// The client's slug.
    pub client: String,
    /// The account's login; empty for `rollcall import`.
    pub account: String,
    /// The file's name.
    pub file_name: String,
    /// The file's address below the account's root.
    pub path: String,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256, 64 hex digits.
    pub sha256: String,
    /// The same of what was inside, if the file came encrypted.
    pub content_sha256: String,
    /// When the upload was committed.
    pub received_at: Option<Timestamp>,
    /// When the import began.
    pub started_at: Option<Timestamp>,
}

/// What a file may use of this machine; from `config::Limits`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The largest file, in bytes (F006).
    pub max_bytes: u64,
    /// The most bytes that a packed file may become, for each of its own.
    pub max_unpack_ratio: u64,
    /// The most columns.
    pub max_columns: usize,
    /// The most bytes of one cell.
    pub max_cell_bytes: usize,
    /// The most field changes that a report lists.
    pub max_report_changes: usize,
    /// The most messages of one column and cause that a report lists; the rest becomes one message.
    pub max_report_messages: usize,
}

impl Limits {
    /// Those of the table.
    #[must_use]
    pub fn table(&self) -> TableLimits {
        TableLimits { max_columns: self.max_columns, max_cell_bytes: self.max_cell_bytes }
    }

    /// Those of what the table may be packed in.
    #[must_use]
    pub fn unpack(&self) -> UnpackLimits {
        UnpackLimits {
            max_bytes: self.max_bytes,
            max_ratio: self.max_unpack_ratio,
            max_columns: self.max_columns,
        }
    }
}

/// Whether these bytes were the folder's last applied import under the same settings, with nothing
/// written to the directory since and nothing that hung on the day: then there is nothing to do.
///
/// Cheap on purpose: it is asked before a snapshot is loaded. `plan_duplicate` makes its report.
#[must_use]
pub fn is_duplicate(
    sha256: &str,
    settings_version: &str,
    source: &SourceMemory,
    change_number: i64,
    today: Date,
) -> bool {
    source.sha256.as_deref() == Some(sha256)
        && source.settings_version.as_deref() == Some(settings_version)
        && source.change_number == Some(change_number)
        && (!source.depends_on_date || source.applied_on == Some(today))
}

#[cfg(test)]
mod testing {
    //! What tests of several rooms share.

    use crate::import::Limits;

    /// Generous limits.
    pub(super) const LIMITS: Limits = Limits {
        max_bytes: 64 << 20,
        max_unpack_ratio: 250,
        max_columns: 2000,
        max_cell_bytes: 1 << 20,
        max_report_changes: 100,
        max_report_messages: 100,
    };
}
