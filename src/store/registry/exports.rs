//! Exports of a client's directory: their settings, and what is wanted.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

use super::Registry;
use crate::error::{Error, Kind, Result};
use crate::store::{failed, instant, to_micros, unsigned};

/// The schema's step.
pub(super) const STEP: &str = r"
CREATE TABLE exports (
    client     TEXT NOT NULL REFERENCES clients(slug) ON DELETE CASCADE,
    name       TEXT NOT NULL,
    folder     TEXT NOT NULL,
    settings   TEXT NOT NULL,
    enabled    INTEGER NOT NULL DEFAULT 1,
    created_at INTEGER NOT NULL,
    next_seq   INTEGER NOT NULL,
    PRIMARY KEY (client, name)
) STRICT;
-- seq: the file's number; absent: no file was made. state: ready (its bytes are kept and owed to the folder), sent, nothing
-- (no rows), noted (what is known was noted without a file), failed. told: the run whose list says what the other side
-- knows after this one. place: the directory's last import or event that it has seen.
CREATE TABLE export_runs (
    n            INTEGER PRIMARY KEY AUTOINCREMENT,
    id           TEXT NOT NULL UNIQUE,
    client       TEXT NOT NULL REFERENCES clients(slug) ON DELETE CASCADE,
    export       TEXT NOT NULL,
    folder       TEXT NOT NULL,
    key          TEXT NOT NULL UNIQUE,
    cause        TEXT NOT NULL,
    what         TEXT NOT NULL,
    state        TEXT NOT NULL,
    seq          INTEGER,
    file_name    TEXT NOT NULL,
    rows         INTEGER NOT NULL,
    left_out     INTEGER NOT NULL,
    bytes        INTEGER NOT NULL,
    sha256       TEXT NOT NULL,
    told         TEXT,
    place        INTEGER NOT NULL,
    notes        TEXT NOT NULL,
    at           INTEGER NOT NULL,
    sendings     INTEGER NOT NULL DEFAULT 1,
    drop_id      TEXT,
    withdrawn_at INTEGER,
    failure      TEXT
) STRICT;
CREATE INDEX export_runs_by_export ON export_runs(client, export, n);
CREATE INDEX export_runs_ready ON export_runs(n) WHERE state = 'ready';
-- What is to be exported, until its run stands.
CREATE TABLE export_wishes (
    key      TEXT PRIMARY KEY,
    client   TEXT NOT NULL,
    export   TEXT NOT NULL,
    cause    TEXT NOT NULL,
    at       INTEGER NOT NULL,
    next_at  INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    FOREIGN KEY (client, export) REFERENCES exports(client, name) ON DELETE CASCADE
) STRICT;
";

/// An export of a client's directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredExport {
    /// The client's slug.
    pub client: String,
    /// Its name, unique in its client.
    pub name: String,
    /// The export folder that its files go to.
    pub folder: String,
    /// Its settings, as TOML.
    pub settings: String,
    /// Whether it runs on its trigger.
    pub enabled: bool,
    /// When it was added.
    pub created_at: Timestamp,
    /// The number that its next file gets.
    pub next_seq: u64,
}

/// What to change of an export; `None` leaves a value as it is.
#[derive(Debug, Clone, Default)]
pub struct ExportPatch {
    /// The export folder that its files go to.
    pub folder: Option<String>,
    /// Its settings, as TOML.
    pub settings: Option<String>,
    /// Whether it runs on its trigger.
    pub enabled: Option<bool>,
}

/// An export that is to be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportWish {
    /// What it is for, uniquely.
    pub key: String,
    /// The client's slug.
    pub client: String,
    /// The export's name.
    pub export: String,
    /// `import` or `schedule`.
    pub cause: String,
    /// How often it was tried in vain.
    pub attempts: u32,
}

impl Registry {
    /// Adds an export. Files of an earlier one of this name are not numbered again.
    ///
    /// # Errors
    /// `Kind::Exists` for a name that the client has.
    pub fn add_export(&self, new: &StoredExport) -> Result<()> {
        let new = new.clone();
        self.write(move |conn| {
            let added = conn
                .execute(
                    "INSERT INTO exports (client, name, folder, settings, enabled, created_at, next_seq)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, (SELECT coalesce(max(seq), 0) + 1 FROM export_runs
                         WHERE client = ?1 AND export = ?2)) ON CONFLICT DO NOTHING",
                    params![new.client, new.name, new.folder, new.settings, new.enabled, to_micros(new.created_at)],
                )
                .map_err(failed(format_args!("add the export \"{}\"", new.name)))?;
            if added > 0 {
                return Ok(());
            }
            let message = format!(
                "client \"{}\" has an export \"{}\" already; choose another name, or change that one with rollcall exports settings",
                new.client, new.name
            );
            Err(Error::new(Kind::Exists, message))
        })
    }

    /// The exports of a client, or of all, by name.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn exports(&self, client: Option<&str>) -> Result<Vec<StoredExport>> {
        self.read("list exports", |conn| {
            conn.prepare_cached(
                "SELECT * FROM exports WHERE ?1 IS NULL OR client = ?1 ORDER BY client, name",
            )?
            .query_map([client], export)?
            .collect()
        })
    }

    /// The export of this name.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn export(&self, client: &str, name: &str) -> Result<Option<StoredExport>> {
        self.read("read an export", |conn| {
            conn.prepare_cached("SELECT * FROM exports WHERE client = ?1 AND name = ?2")?
                .query_row([client, name], export)
                .optional()
        })
    }

    /// Changes an export. What the patch does not name stays as somebody else may have set it meanwhile.
    ///
    /// # Errors
    /// `Kind::NotFound`.
    pub fn update_export(
        &self,
        client: &str,
        name: &str,
        patch: &ExportPatch,
    ) -> Result<StoredExport> {
        let (client, name, patch) = (client.to_owned(), name.to_owned(), patch.clone());
        self.write(move |conn| {
            conn.query_row(
                "UPDATE exports SET folder = coalesce(?3, folder),
                     settings = coalesce(?4, settings), enabled = coalesce(?5, enabled)
                 WHERE client = ?1 AND name = ?2 RETURNING *",
                params![client, name, patch.folder, patch.settings, patch.enabled],
                export,
            )
            .optional()
            .map_err(failed("change an export"))?
            .ok_or_else(|| no_export(&client, &name))
        })
    }

    /// Removes an export and what is wanted of it; its runs stay listed.
    ///
    /// # Errors
    /// `Kind::NotFound`.
    pub fn remove_export(&self, client: &str, name: &str) -> Result<()> {
        let (client, name) = (client.to_owned(), name.to_owned());
        self.write(move |conn| {
            let removed = conn
                .execute("DELETE FROM exports WHERE client = ?1 AND name = ?2", [&client, &name])
                .map_err(failed("remove an export"))?;
            if removed == 0 { Err(no_export(&client, &name)) } else { Ok(()) }
        })
    }

    /// Wishes for a run; one whose key is known, as a wish or as a run, is left as it stands.
    ///
    /// # Errors
    /// `Kind::Exists` for an export that is not there any more; when the database cannot be written.
    pub fn wish_export(&self, wish: &ExportWish, now: Timestamp) -> Result<()> {
        let wish = wish.clone();
        self.write(move |conn| {
            conn.prepare_cached(
                "INSERT INTO export_wishes (key, client, export, cause, at, next_at)
                 SELECT ?1, ?2, ?3, ?4, ?5, ?5 WHERE NOT EXISTS
                     (SELECT 1 FROM export_runs WHERE key = ?1) ON CONFLICT DO NOTHING",
            )
            .and_then(|mut s| {
                s.execute(params![wish.key, wish.client, wish.export, wish.cause, to_micros(now)])
            })
            .map(|_| ())
            .map_err(failed("wish for an export"))
        })
    }

    /// What is wished for and due, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn due_export_wishes(&self, now: Timestamp) -> Result<Vec<ExportWish>> {
        self.read("look for exports to run", |conn| {
            conn.prepare_cached(
                "SELECT key, client, export, cause, attempts FROM export_wishes
                 WHERE next_at <= ?1 ORDER BY at, rowid",
            )?
            .query_map([to_micros(now)], |row| {
                Ok(ExportWish {
                    key: row.get(0)?,
                    client: row.get(1)?,
                    export: row.get(2)?,
                    cause: row.get(3)?,
                    attempts: row.get(4)?,
                })
            })?
            .collect()
        })
    }

    /// Has a wish wait for another try.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn postpone_export_wish(&self, key: &str, next_at: Timestamp) -> Result<()> {
        let key = key.to_owned();
        self.write(move |conn| {
            conn.prepare_cached(
                "UPDATE export_wishes SET attempts = attempts + 1, next_at = ?2 WHERE key = ?1",
            )
            .and_then(|mut s| s.execute(params![key, to_micros(next_at)]))
            .map(|_| ())
            .map_err(failed("postpone an export"))
        })
    }

    /// Lets a wish go.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn drop_export_wish(&self, key: &str) -> Result<()> {
        let key = key.to_owned();
        self.write(move |conn| {
            conn.prepare_cached("DELETE FROM export_wishes WHERE key = ?1")
                .and_then(|mut s| s.execute([key]))
                .map(|_| ())
                .map_err(failed("let an export go"))
        })
    }
}

fn export(row: &Row<'_>) -> rusqlite::Result<StoredExport> {
    Ok(StoredExport {
        client: row.get("client")?,
        name: row.get("name")?,
        folder: row.get("folder")?,
        settings: row.get("settings")?,
        enabled: row.get("enabled")?,
        created_at: instant(row, "created_at")?,
        next_seq: unsigned(row, "next_seq")?,
    })
}

fn no_export(client: &str, name: &str) -> Error {
    let message = format!(
        "client \"{client}\" has no export \"{name}\"; see `rollcall exports list {client}`"
    );
    Error::new(Kind::NotFound, message)
}
