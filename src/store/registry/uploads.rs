//! Uploads in order of arrival (the import queue), and uploads that were interrupted.

use jiff::Timestamp;
use rusqlite::types::{Type, Value};
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};

use super::Registry;
use crate::config::INTERRUPTIONS_KEPT;
use crate::error::{Error, Kind, Result};
use crate::model::{Protocol, Upload, UploadId, UploadState, VPath};
use crate::store::{failed, from_micros, instant, signed, to_micros, unreadable, unsigned, word};

/// An upload that is about to be published.
#[derive(Debug, Clone)]
pub struct NewUpload {
    /// Its id (UUIDv7).
    pub id: UploadId,
    /// The client's slug.
    pub client: String,
    /// The account's login.
    pub login: String,
    /// The import folder's name, if it lies in one.
    pub folder: Option<String>,
    /// The target's address below the account's root.
    pub path: VPath,
    /// How it came; `None` for `rollcall import`.
    pub protocol: Option<Protocol>,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256, 64 hex digits.
    pub sha256: String,
    /// When it was committed.
    pub received_at: Timestamp,
    /// Whether publishing queues it for import (else it is only stored).
    pub wants_import: bool,
}

/// Which uploads to list; an empty filter lists all.
#[derive(Debug, Clone, Default)]
pub struct UploadFilter {
    /// Of this client.
    pub client: Option<String>,
    /// Of this account.
    pub login: Option<String>,
    /// Onto this path.
    pub path: Option<VPath>,
    /// In one of these states; empty: in any.
    pub states: Vec<UploadState>,
    /// That arrived after the one with this number, for reading in pages.
    pub after_seq: Option<i64>,
    /// At most so many.
    pub limit: Option<u32>,
}

/// An upload that ended before it was complete (T01).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Interruption {
    /// The client's slug.
    pub client: String,
    /// The account's login.
    pub login: String,
    /// Where it was meant to go.
    pub path: VPath,
    /// How it came.
    pub protocol: Option<Protocol>,
    /// Bytes that had arrived.
    pub bytes: u64,
    /// Why it ended, in words.
    pub why: String,
    /// When it ended.
    pub at: Timestamp,
}

pub(super) const COLUMNS: &str = "seq, id, client, login, folder, path, protocol, bytes, sha256, state, \
                       attempts, received_at, finished_at, failure";

/// placed: of what came to one path, the highest lies there; a file that is moved onto a path is put above all that came
/// there before, and among equals the later arrival counts. 0: arrived where nothing was ever moved to.
pub(super) const STEP_PLACED: &str = r"
ALTER TABLE uploads ADD COLUMN placed INTEGER NOT NULL DEFAULT 0;
DROP INDEX uploads_by_path;
CREATE INDEX uploads_by_path ON uploads(client, login, path, placed, seq);
-- What a rename asks for: temporary names have had very many uploads, hardly any for import.
CREATE INDEX uploads_for_renames ON uploads(client, login, bytes, path, placed, seq)
  WHERE state NOT IN ('stored', 'failed');
";

/// The condition of the index `uploads_waiting`.
pub(super) const WAITING: &str = "state IN ('prepared', 'queued')";

impl Registry {
    /// Records an upload as `prepared` and gives it its place in the order of arrival. Durable when it returns.
    ///
    /// # Errors
    /// `Kind::Exists` for an id that is known; `Kind::NotFound` for a client that is not; `Kind::Conflict` for one that is to
    /// be imported and whose import folder is not there (any more).
    pub fn prepare_upload(&self, new: &NewUpload) -> Result<Upload> {
        self.prepare_upload_while(new, || {})
    }

    /// The same, and `meanwhile` on the caller's thread, while the row is on its way to the disk.
    ///
    /// # Errors
    /// As [`Registry::prepare_upload`]; `meanwhile` may have run or not.
    pub fn prepare_upload_while(
        &self,
        new: &NewUpload,
        meanwhile: impl FnOnce(),
    ) -> Result<Upload> {
        let new = new.clone();
        self.write_while(meanwhile, move |conn| take_in(conn, &new, UploadState::Prepared))
    }

    /// Records an upload that needs no name among the account's files as `queued` at once, so that nothing is left to be done
    /// for it. Its bytes and their name in the archive are on the disk. Durable when it returns.
    ///
    /// # Errors
    /// As [`Registry::prepare_upload`].
    pub fn queue_upload(&self, new: &NewUpload) -> Result<Upload> {
        let new = new.clone();
        self.write(move |conn| take_in(conn, &new, UploadState::Queued))
    }

    /// Marks a prepared upload as published: `queued` if it is to be imported, else `stored`. A second call changes nothing.
    ///
    /// A power cut may take it: the row is prepared again then, and a start finds out by the spool that it was published.
    ///
    /// # Errors
    /// `Kind::NotFound` for an unknown id; `Kind::Conflict` for an upload that was marked failed.
    pub fn publish_upload(&self, id: UploadId) -> Result<UploadState> {
        self.write_lightly(move |conn| {
            let state = conn
                .prepare_cached(
                    "UPDATE uploads SET state = CASE WHEN state <> 'prepared' THEN state
                         WHEN wants_import THEN 'queued' ELSE 'stored' END,
                         finished_at = CASE WHEN state = 'prepared' AND NOT wants_import
                         THEN received_at ELSE finished_at END
                     WHERE id = ?1 RETURNING state",
                )
                .and_then(|mut s| {
                    s.query_row([id.to_string()], |row| state_of(&row.get::<_, String>(0)?))
                        .optional()
                })
                .map_err(failed("publish an upload"))?;
            match state {
                None => Err(no_upload(id)),
                Some(UploadState::Failed) => Err(Error::new(
                    Kind::Conflict,
                    format!(
                        "upload {id} was given up before it was published; send the file again"
                    ),
                )),
                Some(state) => Ok(state),
            }
        })
    }

    /// Puts a finished upload back into the queue, at its old place: the client's database does not know it (a restored backup).
    ///
    /// # Errors
    /// `Kind::NotFound` for an unknown id.
    pub fn requeue_upload(&self, id: UploadId) -> Result<()> {
        self.update_upload(
            id,
            "UPDATE uploads SET state = 'queued', attempts = 0, finished_at = NULL, failure = NULL
             WHERE id = ?1",
        )
    }

    /// Counts one more try and returns the count. It outlives this program before the try, so a crash loop ends.
    ///
    /// # Errors
    /// `Kind::NotFound` for an unknown id.
    pub fn begin_attempt(&self, id: UploadId) -> Result<u32> {
        self.write_lightly(move |conn| {
            conn.prepare_cached(
                "UPDATE uploads SET attempts = attempts + 1 WHERE id = ?1 RETURNING attempts",
            )
            .and_then(|mut s| s.query_row([id.to_string()], |row| row.get(0)).optional())
            .map_err(failed("count an import attempt"))?
            .ok_or_else(|| no_upload(id))
        })
    }

    /// Brings an upload to a final state.
    ///
    /// # Errors
    /// `Kind::NotFound` for an unknown id.
    pub fn finish_upload(
        &self,
        id: UploadId,
        state: UploadState,
        at: Timestamp,
        failure: Option<&str>,
    ) -> Result<()> {
        let failure = failure.map(str::to_owned);
        self.write(move |conn| {
            let changed = conn
                .prepare_cached(
                    "UPDATE uploads SET state = ?2, finished_at = ?3, failure = ?4 WHERE id = ?1",
                )
                .and_then(|mut s| {
                    s.execute(params![id.to_string(), state_name(state), to_micros(at), failure])
                })
                .map_err(failed("finish an upload"))?;
            if changed == 0 { Err(no_upload(id)) } else { Ok(()) }
        })
    }

    /// The file of a received upload was renamed: it lies at the new name now, and its reports go there.
    ///
    /// # Errors
    /// `Kind::NotFound` for an unknown id.
    pub fn move_upload(&self, id: UploadId, new_path: &VPath) -> Result<()> {
        let new_path = new_path.clone();
        self.write(move |conn| {
            let changed = conn
                .prepare_cached(
                    "UPDATE uploads SET path = ?2, placed = 1 + (SELECT coalesce(max(there.placed), 0)
                         FROM uploads AS there WHERE there.client = uploads.client
                         AND there.login = uploads.login AND there.path = ?2)
                     WHERE id = ?1",
                )
                .and_then(|mut s| s.execute(params![id.to_string(), new_path.as_str()]))
                .map_err(failed("move an upload"))?;
            if changed == 0 { Err(no_upload(id)) } else { Ok(()) }
        })
    }

    /// The upload with this id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn upload(&self, id: UploadId) -> Result<Option<Upload>> {
        self.read("read an upload", |conn| {
            conn.prepare_cached(&format!("SELECT {COLUMNS} FROM uploads WHERE id = ?1"))?
                .query_row([id.to_string()], upload)
                .optional()
        })
    }

    /// The uploads that `filter` asks for, in order of arrival.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn uploads(&self, filter: &UploadFilter) -> Result<Vec<Upload>> {
        self.read("list uploads", |conn| {
            let (sql, values) = list_sql(filter);
            conn.prepare_cached(&sql)?.query_map(params_from_iter(values), upload)?.collect()
        })
    }

    /// The upload that came to this path last, sent or moved there, and did not fail.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn newest_upload(&self, client: &str, login: &str, path: &VPath) -> Result<Option<Upload>> {
        self.read("read the newest upload", |conn| {
            conn.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM uploads WHERE client = ?1 AND login = ?2 AND path = ?3
                 AND state <> 'failed' ORDER BY placed DESC, seq DESC LIMIT 1"
            ))?
            .query_row(params![client, login, path.as_str()], upload)
            .optional()
        })
    }

    /// The uploads of this size that an account sent for import, not those that failed: those of `path` in the order in
    /// which they came to lie there, the last one first; without `path` all of them, the newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn received_uploads(
        &self,
        client: &str,
        login: &str,
        path: Option<&VPath>,
        bytes: u64,
    ) -> Result<Vec<Upload>> {
        let (term, order) = match path {
            Some(_) => ("path = ?4", "placed DESC, seq DESC"),
            None => ("?4 IS NULL", "seq DESC"),
        };
        self.read("list received uploads", |conn| {
            conn.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM uploads WHERE client = ?1 AND login = ?2 AND bytes = ?3
                 AND {term} AND state NOT IN ('stored', 'failed') ORDER BY {order}"
            ))?
            .query_map(params![client, login, signed(bytes), path.map(VPath::as_str)], upload)?
            .collect()
        })
    }

    /// How many uploads of this client wait for import (or for their publication).
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn waiting_uploads(&self, client: &str) -> Result<u32> {
        self.read("count waiting uploads", |conn| {
            conn.prepare_cached(&format!(
                "SELECT count(*) FROM uploads WHERE client = ?1 AND {WAITING}"
            ))?
            .query_row([client], |row| row.get(0))
        })
    }

    /// Notes an upload that ended before it was complete; the oldest notes of the client make room.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn record_interruption(&self, one: &Interruption) -> Result<()> {
        let one = one.clone();
        self.write(move |conn| {
            insert_interruption(conn, &one).map_err(failed("note an interrupted upload"))
        })
    }

    /// The uploads that were interrupted since an instant, of one client or of all, newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn interruptions_since(
        &self,
        client: Option<&str>,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<Interruption>> {
        self.read("list interrupted uploads", |conn| {
            conn.prepare_cached(
                "SELECT client, login, path, protocol, bytes, why, at FROM interruptions
                 WHERE (?1 IS NULL OR client = ?1) AND at >= ?2 ORDER BY id DESC LIMIT ?3",
            )?
            .query_map(params![client, to_micros(since), limit], interruption)?
            .collect()
        })
    }

    /// The last interrupted uploads of a client, newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn interruptions(&self, client: &str, limit: u32) -> Result<Vec<Interruption>> {
        self.read("list interrupted uploads", |conn| {
            conn.prepare_cached(
                "SELECT client, login, path, protocol, bytes, why, at FROM interruptions
                 WHERE client = ?1 ORDER BY id DESC LIMIT ?2",
            )?
            .query_map(params![client, limit], interruption)?
            .collect()
        })
    }

    fn update_upload(&self, id: UploadId, sql: &'static str) -> Result<()> {
        self.write(move |conn| {
            let changed = conn
                .prepare_cached(sql)
                .and_then(|mut s| s.execute([id.to_string()]))
                .map_err(failed("change an upload"))?;
            if changed == 0 { Err(no_upload(id)) } else { Ok(()) }
        })
    }
}

/// The query for a filter and its values. Only what is asked for stands in it, so that the indexes serve it.
fn list_sql(filter: &UploadFilter) -> (String, Vec<Value>) {
    let mut terms = Vec::new();
    let mut values = Vec::new();
    let mut term = |text: &str, value: Value| {
        terms.push(text.to_owned());
        values.push(value);
    };
    if let Some(client) = &filter.client {
        term("client = ?", client.clone().into());
    }
    if let Some(login) = &filter.login {
        term("login = ?", login.clone().into());
    }
    if let Some(path) = &filter.path {
        term("path = ?", path.as_str().to_owned().into());
    }
    if let Some(seq) = filter.after_seq {
        term("seq > ?", seq.into());
    }
    values.push(filter.limit.map_or(-1, i64::from).into());
    let waits = |state: &UploadState| matches!(state, UploadState::Prepared | UploadState::Queued);
    let mut table = "uploads";
    if !filter.states.is_empty() {
        if filter.states.iter().all(waits) {
            // Word for word the condition of the partial index: SQLite proves nothing more. And it would
            // rather walk years of finished uploads in order than sort the few that wait.
            terms.push(WAITING.to_owned());
            table = "uploads INDEXED BY uploads_waiting";
        }
        let names: Vec<String> =
            filter.states.iter().map(|state| format!("'{}'", state_name(*state))).collect();
        terms.push(format!("state IN ({})", names.join(", ")));
    }
    let wanted = if terms.is_empty() { "1".to_owned() } else { terms.join(" AND ") };
    (format!("SELECT {COLUMNS} FROM {table} WHERE {wanted} ORDER BY seq LIMIT ?"), values)
}

/// Records an upload if its client and, for one that is to be imported, its import folder are there at this very instant.
pub(super) fn take_in(conn: &Connection, new: &NewUpload, state: UploadState) -> Result<Upload> {
    let client_known = conn
        .prepare_cached("SELECT 1 FROM clients WHERE slug = ?1")
        .and_then(|mut s| s.exists([&new.client]))
        .map_err(failed("look the client up"))?;
    if !client_known {
        return Err(super::clients::no_client(&new.client));
    }
    if new.wants_import {
        need_folder(conn, new)?;
    }
    insert_upload(conn, new, state)
        .map_err(failed(format_args!("record the upload to {}", new.path)))
}

/// Whoever changes folders looks for uploads that wait: this one must be among them, or the folder as it was found.
fn need_folder(conn: &Connection, new: &NewUpload) -> Result<()> {
    let path: Option<VPath> = conn
        .prepare_cached(
            "SELECT path FROM folders WHERE client = ?1 AND login = ?2 AND name = ?3 AND purpose = 'import'",
        )
        .and_then(|mut s| {
            s.query_row(params![new.client, new.login, new.folder], |row| word(row, "path"))
                .optional()
        })
        .map_err(failed("look the import folder up"))?;
    // What comes by hand may be an earlier file once more, from before the folder was moved.
    if path.is_some_and(|path| new.protocol.is_none() || new.path.is_within(&path)) {
        return Ok(());
    }
    let folder = new.folder.as_deref().unwrap_or_default();
    Err(Error::new(
        Kind::Conflict,
        format!(
            "{}: the import folder \"{folder}\" was changed just now, so the file was not taken; send it again",
            new.path
        ),
    ))
}

fn insert_upload(
    conn: &Connection,
    new: &NewUpload,
    state: UploadState,
) -> rusqlite::Result<Upload> {
    conn.prepare_cached(&format!(
        "INSERT INTO uploads (id, client, login, folder, path, protocol, bytes, sha256,
                              wants_import, state, received_at, placed)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?11, ?10,
                 (SELECT coalesce(max(placed), 0) FROM uploads
                  WHERE client = ?2 AND login = ?3 AND path = ?5)) RETURNING {COLUMNS}"
    ))?
    .query_row(
        params![
            new.id.to_string(),
            new.client,
            new.login,
            new.folder,
            new.path.as_str(),
            new.protocol.map(Protocol::name),
            signed(new.bytes),
            new.sha256,
            new.wants_import,
            to_micros(new.received_at),
            state_name(state),
        ],
        upload,
    )
}

fn insert_interruption(conn: &Connection, one: &Interruption) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO interruptions (client, login, path, protocol, bytes, why, at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        one.client,
        one.login,
        one.path.as_str(),
        one.protocol.map(Protocol::name),
        signed(one.bytes),
        one.why,
        to_micros(one.at),
    ])?;
    conn.prepare_cached(
        "DELETE FROM interruptions WHERE client = ?1 AND id <= (SELECT id FROM interruptions
         WHERE client = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
    )?
    .execute(params![one.client, INTERRUPTIONS_KEPT])?;
    Ok(())
}

pub(super) fn upload(row: &Row<'_>) -> rusqlite::Result<Upload> {
    let finished_at: Option<i64> = row.get("finished_at")?;
    Ok(Upload {
        id: word(row, "id")?,
        seq: row.get("seq")?,
        client: row.get("client")?,
        login: row.get("login")?,
        folder: row.get("folder")?,
        path: word(row, "path")?,
        protocol: protocol(row)?,
        bytes: unsigned(row, "bytes")?,
        sha256: row.get("sha256")?,
        state: state_of(&row.get::<_, String>("state")?)?,
        attempts: row.get("attempts")?,
        received_at: instant(row, "received_at")?,
        finished_at: finished_at.map(from_micros).transpose()?,
        failure: row.get("failure")?,
    })
}

fn interruption(row: &Row<'_>) -> rusqlite::Result<Interruption> {
    Ok(Interruption {
        client: row.get("client")?,
        login: row.get("login")?,
        path: word(row, "path")?,
        protocol: protocol(row)?,
        bytes: unsigned(row, "bytes")?,
        why: row.get("why")?,
        at: instant(row, "at")?,
    })
}

fn protocol(row: &Row<'_>) -> rusqlite::Result<Option<Protocol>> {
    let name: Option<String> = row.get("protocol")?;
    name.map(|n| n.parse().map_err(|e: String| unreadable(Type::Text, e))).transpose()
}

pub(super) fn state_name(state: UploadState) -> &'static str {
    match state {
        UploadState::Prepared => "prepared",
        UploadState::Queued => "queued",
        UploadState::Done => "done",
        UploadState::Failed => "failed",
        UploadState::Superseded => "superseded",
        UploadState::Stored => "stored",
    }
}

fn state_of(name: &str) -> rusqlite::Result<UploadState> {
    Ok(match name {
        "prepared" => UploadState::Prepared,
        "queued" => UploadState::Queued,
        "done" => UploadState::Done,
        "failed" => UploadState::Failed,
        "superseded" => UploadState::Superseded,
        "stored" => UploadState::Stored,
        other => {
            let why = format!("upload state \"{other}\" is not known");
            return Err(unreadable(Type::Text, why));
        }
    })
}

fn no_upload(id: UploadId) -> Error {
    Error::new(Kind::NotFound, format!("there is no upload {id}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queue_and_a_path_are_found_by_index() {
        let conn = Connection::open_in_memory().unwrap();
        super::super::schema::STEPS.iter().for_each(|sql| conn.execute_batch(sql).unwrap());
        let all = UploadFilter::default;
        let acme = Some("acme".to_owned());
        let queued = vec![UploadState::Queued];
        let path = Some("/in/users.csv".parse().unwrap());
        for (filter, index) in [
            (UploadFilter { states: queued.clone(), ..all() }, "uploads_waiting"),
            (UploadFilter { client: acme.clone(), states: queued, ..all() }, "uploads_waiting"),
            (UploadFilter { client: acme.clone(), login: acme, path, ..all() }, "uploads_by_path"),
        ] {
            let (sql, values) = list_sql(&filter);
            let plan: String = conn
                .query_row(&format!("EXPLAIN QUERY PLAN {sql}"), params_from_iter(values), |row| {
                    row.get("detail")
                })
                .unwrap();
            assert!(plan.contains(index), "{sql}: {plan}");
        }
    }
}
