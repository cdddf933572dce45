//! What the scheduler remembers over a restart, and the folders whose settings speak of time.

use jiff::Timestamp;
use rusqlite::params;

use super::Registry;
use crate::error::Result;
use crate::model::UploadId;
use crate::store::{failed, instant, to_micros, word};

/// The schema's step.
pub(super) const STEP: &str = r"
-- done_until: the last instant of this task's schedule that was taken care of. trigger: by which schedule and clock.
CREATE TABLE schedule_marks (
    client     TEXT NOT NULL REFERENCES clients(slug) ON DELETE CASCADE,
    task       TEXT NOT NULL,
    trigger    TEXT NOT NULL,
    done_until INTEGER NOT NULL,
    PRIMARY KEY (client, task)
) STRICT;
";

/// How far a task's schedule was taken care of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleMark {
    /// The client's slug.
    pub client: String,
    /// The task's name within the client.
    pub task: String,
    /// Its trigger and time zone, as they were.
    pub trigger: String,
    /// The last instant that was taken care of.
    pub done_until: Timestamp,
}

/// An import folder with the settings that it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimedFolder {
    /// The client's slug.
    pub client: String,
    /// The folder's name.
    pub folder: String,
    /// The account's login.
    pub login: String,
    /// The import settings (TOML).
    pub settings: String,
}

impl Registry {
    /// How far each task was taken care of.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn schedule_marks(&self) -> Result<Vec<ScheduleMark>> {
        self.read("read what the scheduler has done", |conn| {
            conn.prepare_cached("SELECT client, task, trigger, done_until FROM schedule_marks")?
                .query_map([], |row| {
                    Ok(ScheduleMark {
                        client: row.get("client")?,
                        task: row.get("task")?,
                        trigger: row.get("trigger")?,
                        done_until: instant(row, "done_until")?,
                    })
                })?
                .collect()
        })
    }

    /// Notes how far a task was taken care of. A client that is gone meanwhile is no fault.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn set_schedule_mark(&self, mark: &ScheduleMark) -> Result<()> {
        let mark = mark.clone();
        self.write(move |conn| {
            conn.prepare_cached(
                "INSERT INTO schedule_marks (client, task, trigger, done_until)
                 SELECT ?1, ?2, ?3, ?4 WHERE EXISTS (SELECT 1 FROM clients WHERE slug = ?1)
                 ON CONFLICT (client, task) DO UPDATE SET trigger = ?3, done_until = ?4",
            )
            .and_then(|mut s| {
                s.execute(params![mark.client, mark.task, mark.trigger, to_micros(mark.done_until)])
            })
            .map(|_| ())
            .map_err(failed("note what the scheduler has done"))
        })
    }

    /// Forgets a task that is no more: should it come again, it begins anew.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn forget_schedule_mark(&self, client: &str, task: &str) -> Result<()> {
        let (client, task) = (client.to_owned(), task.to_owned());
        self.write(move |conn| {
            conn.prepare_cached("DELETE FROM schedule_marks WHERE client = ?1 AND task = ?2")
                .and_then(|mut s| s.execute([client, task]))
                .map(|_| ())
                .map_err(failed("forget a task of the scheduler"))
        })
    }

    /// The import folders in whose settings `word` stands, of one client or of all that are enabled.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn folders_whose_settings_name(
        &self,
        word: &str,
        client: Option<&str>,
    ) -> Result<Vec<TimedFolder>> {
        self.read("read the folders' schedules", |conn| {
            conn.prepare_cached(
                "SELECT f.client, f.name, f.login, f.settings FROM folders f JOIN clients c ON c.slug = f.client
                 WHERE f.purpose = 'import' AND instr(f.settings, ?1) > 0
                     AND (f.client = ?2 OR (?2 IS NULL AND c.enabled = 1))
                 ORDER BY f.client, f.name",
            )?
            .query_map(params![word, client], |row| {
                Ok(TimedFolder {
                    client: row.get("client")?,
                    folder: row.get("name")?,
                    login: row.get("login")?,
                    settings: row.get("settings")?,
                })
            })?
            .collect()
        })
    }

    /// The last uploads for import in a folder, newest first, whatever became of them: id, path, arrival.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn last_arrivals(
        &self,
        client: &str,
        folder: &str,
        after: Timestamp,
    ) -> Result<Vec<Arrival>> {
        self.read("read the last arrivals", |conn| {
            conn.prepare_cached(
                "SELECT id, path, received_at FROM uploads WHERE client = ?1 AND folder = ?2
                     AND wants_import AND state <> 'failed' AND received_at > ?3
                 ORDER BY seq DESC LIMIT 100",
            )?
            .query_map(params![client, folder, to_micros(after)], |row| {
                Ok(Arrival {
                    id: word(row, "id")?,
                    path: word(row, "path")?,
                    at: instant(row, "received_at")?,
                })
            })?
            .collect()
        })
    }
}

/// A file that came for import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// The upload's id.
    pub id: UploadId,
    /// Its address below the account's root.
    pub path: crate::model::VPath,
    /// When it came.
    pub at: Timestamp,
}
