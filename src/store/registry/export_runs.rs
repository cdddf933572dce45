//! Each run of an export: what it told the other side, and what is owed of it.

use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Registry;
use crate::error::{Error, Kind, Result};
use crate::model::UploadId;
use crate::store::{failed, from_micros, instant, signed, to_micros, unreadable, unsigned, word};

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RunState {
    /// Its file is kept and owed to the folder.
    Ready,
    /// Its file was handed over.
    Sent,
    /// There was nothing to send.
    Nothing,
    /// What the other side knows was noted, without a file.
    Noted,
    /// No file was made; the failure says why.
    Failed,
}

impl RunState {
    const ALL: [Self; 5] = [Self::Ready, Self::Sent, Self::Nothing, Self::Noted, Self::Failed];

    /// The name in the database and in lists.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Sent => "sent",
            Self::Nothing => "nothing",
            Self::Noted => "noted",
            Self::Failed => "failed",
        }
    }
}

/// One run of an export.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ExportRun {
    /// Its id.
    pub id: UploadId,
    /// The client's slug.
    pub client: String,
    /// The export's name.
    pub export: String,
    /// The folder that its file goes to.
    pub folder: String,
    /// What it was made for, uniquely: an instant of the schedule, an import, a command.
    #[serde(skip)]
    pub key: String,
    /// `manual`, `import` or `schedule`.
    pub cause: String,
    /// `all`, `changed`, `leavers` or `newcomers`.
    pub what: String,
    /// Where it stands.
    pub state: RunState,
    /// The file's number; `None`: no file was made.
    pub seq: Option<u64>,
    /// The file's name; empty: no file was made.
    pub file_name: String,
    /// Rows of the file, without header.
    pub rows: u64,
    /// Users who belong in it and could not be written.
    pub left_out: u64,
    /// The file's size.
    pub bytes: u64,
    /// The file's SHA-256; empty: no file was made.
    pub sha256: String,
    /// The run whose list says what the other side knows after this one.
    #[serde(skip)]
    pub told: Option<UploadId>,
    /// The directory's last import or event that it has seen.
    #[serde(skip)]
    pub place: i64,
    /// What somebody should know about it.
    pub notes: Vec<String>,
    /// When it was made.
    pub at: Timestamp,
    /// How often its file was sent.
    pub sendings: u64,
    /// The file that was handed over, in `drops`.
    pub drop_id: Option<String>,
    /// When it was withdrawn: the other side does not know what was in it.
    pub withdrawn_at: Option<Timestamp>,
    /// Why no file was made.
    pub failure: Option<String>,
}

impl Registry {
    /// Records a run and lets its wish go, in one step. A run with a number takes the export's next one.
    ///
    /// # Errors
    /// `Kind::Exists` for a key that has its run; `Kind::Conflict` for a number that is not the next one.
    pub fn record_export_run(&self, run: &ExportRun) -> Result<()> {
        let run = run.clone();
        self.write(move |conn| {
            if let Some(seq) = run.seq {
                let taken = conn
                    .execute(
                        "UPDATE exports SET next_seq = ?3 + 1
                         WHERE client = ?1 AND name = ?2 AND next_seq = ?3",
                        params![run.client, run.export, signed(seq)],
                    )
                    .map_err(failed("number an export's file"))?;
                if taken == 0 {
                    let message = "the export was run, changed or removed meanwhile; run it again";
                    return Err(Error::new(Kind::Conflict, message));
                }
            }
            conn.execute("DELETE FROM export_wishes WHERE key = ?1", [&run.key])
                .map_err(failed("let an export go"))?;
            insert_run(conn, &run)
        })
    }

    /// The runs whose files are owed to their folders, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn ready_export_runs(&self) -> Result<Vec<ExportRun>> {
        self.read("look for exports to send", |conn| {
            conn.prepare_cached("SELECT * FROM export_runs WHERE state = 'ready' ORDER BY n")?
                .query_map([], export_run)?
                .collect()
        })
    }

    /// Notes that a run's file was handed over.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn export_run_sent(&self, id: UploadId, drop_id: &str, sendings: u64) -> Result<()> {
        let (id, drop_id) = (id.to_string(), drop_id.to_owned());
        self.write(move |conn| {
            conn.execute(
                "UPDATE export_runs SET state = 'sent', drop_id = ?2, sendings = ?3 WHERE id = ?1",
                params![id, drop_id, signed(sendings)],
            )
            .map(|_| ())
            .map_err(failed("note that an export was sent"))
        })
    }

    /// Marks a run as withdrawn, and those after it that had nothing to tell beyond it. Its number is free again when
    /// nobody can have seen its file.
    ///
    /// # Errors
    /// `Kind::Conflict` for one that is withdrawn already.
    pub fn withdraw_export_run(&self, run: &ExportRun, at: Timestamp, unseen: bool) -> Result<()> {
        let run = run.clone();
        self.write(move |conn| {
            let id = run.id.to_string();
            let changed = conn
                .execute(
                    "UPDATE export_runs SET withdrawn_at = ?2,
                         state = iif(state = 'ready', 'nothing', state),
                         seq = iif(?3 AND id = ?1, NULL, seq)
                     WHERE withdrawn_at IS NULL AND state <> 'failed' AND (client, export) =
                             (SELECT client, export FROM export_runs WHERE id = ?1)
                         AND n >= (SELECT n FROM export_runs WHERE id = ?1)",
                    params![id, to_micros(at), unseen],
                )
                .map_err(failed("withdraw an export"))?;
            if changed == 0 {
                return Err(Error::new(Kind::Conflict, "that export is withdrawn already"));
            }
            if unseen && let Some(seq) = run.seq {
                conn.execute(
                    "UPDATE exports SET next_seq = ?3
                     WHERE client = ?1 AND name = ?2 AND next_seq = ?3 + 1",
                    params![run.client, run.export, signed(seq)],
                )
                .map_err(failed("free an export's number"))?;
            }
            Ok(())
        })
    }

    /// The last run of an export that can be withdrawn: it sent a file or noted what is known.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn last_telling_run(&self, client: &str, name: &str) -> Result<Option<ExportRun>> {
        self.read("look for an export's last run", |conn| {
            conn.prepare_cached(
                "SELECT * FROM export_runs WHERE client = ?1 AND export = ?2 AND withdrawn_at IS NULL
                     AND state IN ('ready', 'sent', 'noted') ORDER BY n DESC LIMIT 1",
            )?
            .query_row([client, name], export_run)
            .optional()
        })
    }

    /// Leaves of a client's runs before an instant nothing that could name a person.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn strip_export_runs(&self, client: &str, before: Timestamp) -> Result<()> {
        let client = client.to_owned();
        self.write(move |conn| {
            conn.execute(
                "UPDATE export_runs SET notes = '[]',
                     failure = iif(failure IS NULL, NULL, 'the reason is not kept any more')
                 WHERE client = ?1 AND at < ?2 AND (notes <> '[]' OR failure IS NOT NULL)",
                params![client, to_micros(before)],
            )
            .map(|_| ())
            .map_err(failed("forget what old exports noted"))
        })
    }

    /// The lists of the last runs of an export that were not withdrawn, at most so many different ones.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn told_lists(&self, client: &str, name: &str, most: u32) -> Result<Vec<UploadId>> {
        self.read("look for what exports need", |conn| {
            conn.prepare_cached(
                "SELECT told FROM export_runs WHERE client = ?1 AND export = ?2
                     AND withdrawn_at IS NULL AND told IS NOT NULL
                 GROUP BY told ORDER BY max(n) DESC LIMIT ?3",
            )?
            .query_map(params![client, name, most], |row| word(row, "told"))?
            .collect()
        })
    }

    /// The run with this id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn export_run(&self, id: UploadId) -> Result<Option<ExportRun>> {
        self.read("read an export's run", |conn| {
            conn.prepare_cached("SELECT * FROM export_runs WHERE id = ?1")?
                .query_row([id.to_string()], export_run)
                .optional()
        })
    }

    /// The run that was made for this key.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn export_run_for(&self, key: &str) -> Result<Option<ExportRun>> {
        self.read("read an export's run", |conn| {
            conn.prepare_cached("SELECT * FROM export_runs WHERE key = ?1")?
                .query_row([key], export_run)
                .optional()
        })
    }

    /// The runs of a client's export (or of all of them), newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn export_runs(
        &self,
        client: &str,
        name: Option<&str>,
        limit: u32,
    ) -> Result<Vec<ExportRun>> {
        self.read("list an export's runs", |conn| {
            conn.prepare_cached(
                "SELECT * FROM export_runs WHERE client = ?1 AND (?2 IS NULL OR export = ?2)
                 ORDER BY n DESC LIMIT ?3",
            )?
            .query_map(params![client, name, limit], export_run)?
            .collect()
        })
    }

    /// The last run of an export that told the other side something and was not withdrawn.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn last_export_run(&self, client: &str, name: &str) -> Result<Option<ExportRun>> {
        self.read("look for an export's last run", |conn| {
            conn.prepare_cached(
                "SELECT * FROM export_runs WHERE client = ?1 AND export = ?2 AND withdrawn_at IS NULL
                     AND state <> 'failed' ORDER BY n DESC LIMIT 1",
            )?
            .query_row([client, name], export_run)
            .optional()
        })
    }
}

fn insert_run(conn: &Connection, run: &ExportRun) -> Result<()> {
    let notes = serde_json::to_string(&run.notes)
        .map_err(|e| Error::caused(Kind::Internal, "writing what an export noted".to_owned(), e))?;
    conn.prepare_cached(
        "INSERT INTO export_runs (id, client, export, folder, key, cause, what, state, seq, file_name,
             rows, left_out, bytes, sha256, told, place, notes, at, failure)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)",
    )
    .and_then(|mut s| {
        s.execute(params![
            run.id.to_string(),
            run.client,
            run.export,
            run.folder,
            run.key,
            run.cause,
            run.what,
            run.state.name(),
            run.seq.map(signed),
            run.file_name,
            signed(run.rows),
            signed(run.left_out),
            signed(run.bytes),
            run.sha256,
            run.told.map(|id| id.to_string()),
            run.place,
            notes,
            to_micros(run.at),
            run.failure
        ])
    })
    .map(|_| ())
    .map_err(failed(format_args!("record a run of the export \"{}\"", run.export)))
}

fn export_run(row: &Row<'_>) -> rusqlite::Result<ExportRun> {
    let state: String = row.get("state")?;
    let state = RunState::ALL
        .into_iter()
        .find(|s| s.name() == state)
        .ok_or_else(|| unreadable(Type::Text, format!("\"{state}\" is not a state")))?;
    let seq: Option<i64> = row.get("seq")?;
    let told: Option<String> = row.get("told")?;
    let notes: String = row.get("notes")?;
    let withdrawn: Option<i64> = row.get("withdrawn_at")?;
    Ok(ExportRun {
        id: word(row, "id")?,
        client: row.get("client")?,
        export: row.get("export")?,
        folder: row.get("folder")?,
        key: row.get("key")?,
        cause: row.get("cause")?,
        what: row.get("what")?,
        state,
        seq: seq.map(|seq| u64::try_from(seq).unwrap_or(0)),
        file_name: row.get("file_name")?,
        rows: unsigned(row, "rows")?,
        left_out: unsigned(row, "left_out")?,
        bytes: unsigned(row, "bytes")?,
        sha256: row.get("sha256")?,
        told: told.map(|id| id.parse().map_err(|e| unreadable(Type::Text, e))).transpose()?,
        place: row.get("place")?,
        notes: serde_json::from_str(&notes).map_err(|e| unreadable(Type::Text, e))?,
        at: instant(row, "at")?,
        sendings: unsigned(row, "sendings")?,
        drop_id: row.get("drop_id")?,
        withdrawn_at: withdrawn.map(from_micros).transpose()?,
        failure: row.get("failure")?,
    })
}
