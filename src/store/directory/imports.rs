//! The imports of a directory and the reports that they left.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{Directory, from_json, to_json};
use crate::error::{Error, Kind, Result};
use crate::import::report::{Counts, Report};
use crate::model::{ImportStatus, UploadId, VPath};
use crate::store::{failed, instant, signed, to_micros, unsigned, word};

/// What is known of an import before it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRecord {
    /// Its id, that of its upload.
    pub id: UploadId,
    /// The import folder's name: what is settled by one import is remembered for the next of the same source.
    pub source: String,
    /// The account's login; empty for `rollcall import`.
    pub login: String,
    /// The upload's address below the account's root.
    pub path: VPath,
    /// The file's name.
    pub file_name: String,
    /// Its size.
    pub bytes: u64,
    /// SHA-256, 64 hex digits.
    pub sha256: String,
    /// When the upload was committed.
    pub received_at: Timestamp,
    /// The version of the settings that it used.
    pub settings_version: String,
    /// Those settings.
    pub settings_toml: String,
}

/// An import as lists show it.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportSummary {
    /// Its place in the order in which imports ran.
    pub seq: i64,
    /// What it was given.
    pub record: ImportRecord,
    /// When its transaction was made.
    pub applied_at: Timestamp,
    /// How it ended.
    pub status: ImportStatus,
    /// Nothing was meant to be applied.
    pub dry_run: bool,
    /// Rows by what they became.
    pub counts: Counts,
    /// The directory's change number after it.
    pub change_number: i64,
    /// Whether its report files lie where they belong.
    pub reports_written: bool,
}

/// An import with its report.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredImport {
    /// All but the report.
    pub summary: ImportSummary,
    /// Its report, from which every report file can be made again.
    pub report: Report,
}

/// The schema's step.
pub(super) const STEP: &str = "CREATE INDEX imports_by_content ON imports(source, sha256);";

const SUMMARY: &str = "seq, id, source, login, path, file_name, bytes, sha256, received_at, \
                       applied_at, settings_version, settings, status, dry_run, counts, \
                       change_number, reports_written";
/// Rows that are imports of a file; the others are events.
const A_FILE: &str = "NOT EXISTS (SELECT 1 FROM events WHERE events.import = imports.seq)";

impl Directory {
    /// The import with this id, with its report.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn import(&self, id: UploadId) -> Result<Option<StoredImport>> {
        let read = || -> rusqlite::Result<Option<StoredImport>> {
            self.conn
                .prepare_cached(&format!(
                    "SELECT {SUMMARY}, report FROM imports WHERE id = ?1 AND {A_FILE}"
                ))?
                .query_row([id.to_string()], |row| {
                    let report: String = row.get("report")?;
                    Ok(StoredImport { summary: summary(row)?, report: from_json(&report)? })
                })
                .optional()
        };
        read().map_err(failed(format_args!("read import {id}")))
    }

    /// The import with this id, without its report.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn import_summary(&self, id: UploadId) -> Result<Option<ImportSummary>> {
        let read = || -> rusqlite::Result<Option<ImportSummary>> {
            self.conn
                .prepare_cached(&format!(
                    "SELECT {SUMMARY} FROM imports WHERE id = ?1 AND {A_FILE}"
                ))?
                .query_row([id.to_string()], summary)
                .optional()
        };
        read().map_err(failed(format_args!("read import {id}")))
    }

    /// The last imports, newest first, without their reports.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn imports(&self, limit: u32) -> Result<Vec<ImportSummary>> {
        let read = || -> rusqlite::Result<Vec<ImportSummary>> {
            self.conn
                .prepare_cached(&format!(
                    "SELECT {SUMMARY} FROM imports WHERE {A_FILE} ORDER BY seq DESC LIMIT ?1"
                ))?
                .query_map([limit], summary)?
                .collect()
        };
        read().map_err(failed("list imports"))
    }

    /// The newest applied import of these bytes from a source, and when it was applied.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn applied_with(
        &self,
        source: &str,
        sha256: &str,
    ) -> Result<Option<(UploadId, Timestamp)>> {
        let read = || -> rusqlite::Result<Option<(UploadId, Timestamp)>> {
            self.conn
                .prepare_cached(&format!(
                    "SELECT {SUMMARY} FROM imports WHERE source = ?1 AND sha256 = ?2 AND dry_run = 0
                     AND status IN ('ok', 'ok_with_warnings', 'partial') AND {A_FILE}
                     ORDER BY seq DESC LIMIT 1"
                ))?
                .query_row([source, sha256], summary)
                .map(|summary| (summary.record.id, summary.applied_at))
                .optional()
        };
        read().map_err(failed("look for the same file"))
    }

    /// The last applied imports of a source, newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn applied_of(&self, source: &str, limit: u32) -> Result<Vec<StoredImport>> {
        let read = || -> rusqlite::Result<Vec<StoredImport>> {
            self.conn
                .prepare_cached(&format!(
                    "SELECT {SUMMARY}, report FROM imports WHERE source = ?1 AND dry_run = 0
                     AND status IN ('ok', 'ok_with_warnings', 'partial') AND {A_FILE}
                     ORDER BY seq DESC LIMIT ?2"
                ))?
                .query_map(params![source, limit], |row| {
                    let report: String = row.get("report")?;
                    Ok(StoredImport { summary: summary(row)?, report: from_json(&report)? })
                })?
                .collect()
        };
        read().map_err(failed(format_args!("read the last imports of {source}")))
    }

    /// The newest applied import of a source of which the file was received after an instant.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn applied_after(&self, source: &str, received: Timestamp) -> Result<Option<StoredImport>> {
        let read = || -> rusqlite::Result<Option<StoredImport>> {
            self.conn
                .prepare_cached(&format!(
                    "SELECT {SUMMARY}, report FROM imports WHERE source = ?1 AND received_at > ?2
                     AND dry_run = 0 AND status IN ('ok', 'ok_with_warnings', 'partial') AND {A_FILE}
                     ORDER BY seq DESC LIMIT 1"
                ))?
                .query_row(params![source, to_micros(received)], |row| {
                    let report: String = row.get("report")?;
                    Ok(StoredImport { summary: summary(row)?, report: from_json(&report)? })
                })
                .optional()
        };
        read().map_err(failed(format_args!("look for later imports of {source}")))
    }

    /// An account has another login: its imports are listed under that.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn rename_login(&self, old: &str, new: &str) -> Result<()> {
        self.conn
            .prepare_cached("UPDATE imports SET login = ?2 WHERE login = ?1")
            .and_then(|mut s| s.execute([old, new]))
            .map(drop)
            .map_err(failed(format_args!("list the imports of {old} under {new}")))
    }

    /// Whether this import was run, without reading its report.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn knows_import(&self, id: UploadId) -> Result<bool> {
        knows(&self.conn, id).map_err(failed(format_args!("look for import {id}")))
    }

    /// Imports whose report files are still owed, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn imports_owing_reports(&self) -> Result<Vec<UploadId>> {
        let read = || -> rusqlite::Result<Vec<UploadId>> {
            self.conn
                .prepare_cached("SELECT id FROM imports WHERE reports_written = 0 ORDER BY seq")?
                .query_map([], |row| word(row, "id"))?
                .collect()
        };
        read().map_err(failed("list imports that owe their reports"))
    }

    /// Marks the report files of an import as written.
    ///
    /// # Errors
    /// `Kind::NotFound` for an unknown import.
    pub fn set_reports_written(&self, id: UploadId) -> Result<()> {
        let changed = self
            .conn
            .prepare_cached("UPDATE imports SET reports_written = 1 WHERE id = ?1")
            .and_then(|mut s| s.execute([id.to_string()]))
            .map_err(failed(format_args!("mark the reports of import {id}")))?;
        if changed == 0 {
            return Err(Error::new(Kind::NotFound, format!("there is no import {id}")));
        }
        Ok(())
    }
}

pub(super) fn knows(conn: &Connection, id: UploadId) -> rusqlite::Result<bool> {
    conn.prepare_cached("SELECT 1 FROM imports WHERE id = ?1")?.exists([id.to_string()])
}

/// Adds the import's own row; returns its place in the order of imports.
pub(super) fn insert(
    conn: &Connection,
    record: &ImportRecord,
    report: &Report,
    change_number: i64,
) -> rusqlite::Result<i64> {
    let applied_at = report.finished_at.unwrap_or(record.received_at);
    conn.prepare_cached(
        "INSERT INTO imports (id, source, login, path, file_name, bytes, sha256, received_at,
             applied_at, settings_version, settings, status, dry_run, counts, change_number, report)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
    )?
    .insert(params![
        record.id.to_string(),
        record.source,
        record.login,
        record.path.as_str(),
        record.file_name,
        signed(record.bytes),
        record.sha256,
        to_micros(record.received_at),
        to_micros(applied_at),
        record.settings_version,
        record.settings_toml,
        report.status.name(),
        report.dry_run,
        to_json(&report.counts)?,
        change_number,
        to_json(report)?,
    ])
}

/// Gives an import another report and its status; the files are owed again.
pub(super) fn rewrite(conn: &Connection, seq: i64, report: &Report) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE imports SET status = ?2, counts = ?3, report = ?4, reports_written = 0
         WHERE seq = ?1",
    )?
    .execute(params![
        seq,
        report.status.name(),
        to_json(&report.counts)?,
        to_json(report)?
    ])?;
    Ok(())
}

fn summary(row: &Row<'_>) -> rusqlite::Result<ImportSummary> {
    Ok(ImportSummary {
        seq: row.get("seq")?,
        record: ImportRecord {
            id: word(row, "id")?,
            source: row.get("source")?,
            login: row.get("login")?,
            path: word(row, "path")?,
            file_name: row.get("file_name")?,
            bytes: unsigned(row, "bytes")?,
            sha256: row.get("sha256")?,
            received_at: instant(row, "received_at")?,
            settings_version: row.get("settings_version")?,
            settings_toml: row.get("settings")?,
        },
        applied_at: instant(row, "applied_at")?,
        status: from_json(&format!("\"{}\"", row.get::<_, String>("status")?))?,
        dry_run: row.get("dry_run")?,
        counts: from_json(&row.get::<_, String>("counts")?)?,
        change_number: row.get("change_number")?,
        reports_written: row.get("reports_written")?,
    })
}
