//! What was seen and fetched in import folders on clients' own servers.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Registry;
use super::uploads::{NewUpload, take_in};
use crate::error::Result;
use crate::model::{Upload, UploadId, UploadState};
use crate::store::{failed, from_micros, instant, signed, to_micros, unsigned, word};

/// The schema's step.
pub(super) const STEP: &str = r"
-- A file version on a client's server. state: seen; fetched (upload is its import); known (the bytes of an earlier one, or
-- our own report). companion: the version of the file that announced it. settled: what the folder asks for after the fetch
-- (to move or delete it) is done, or there is nothing to do.
CREATE TABLE fetches (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    client        TEXT NOT NULL REFERENCES clients(slug) ON DELETE CASCADE,
    folder        TEXT NOT NULL,
    name          TEXT NOT NULL,
    bytes         INTEGER NOT NULL,
    modified      INTEGER,
    companion     TEXT,
    sha256        TEXT,
    first_seen_at INTEGER NOT NULL,
    last_seen_at  INTEGER NOT NULL,
    upload        TEXT,
    state         TEXT NOT NULL,
    settled       INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE INDEX fetches_by_name ON fetches(client, folder, name, id);
CREATE INDEX fetches_unsettled ON fetches(client, folder) WHERE NOT settled;

-- Files that we have written beside fetched ones and that could be taken for new ones.
CREATE TABLE given_back (
    client TEXT NOT NULL REFERENCES clients(slug) ON DELETE CASCADE,
    folder TEXT NOT NULL,
    name   TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (client, folder, name, sha256)
) STRICT;

-- How the looks at a folder go.
CREATE TABLE polls (
    client   TEXT NOT NULL REFERENCES clients(slug) ON DELETE CASCADE,
    folder   TEXT NOT NULL,
    at       INTEGER NOT NULL,
    done_at  INTEGER,
    failures INTEGER NOT NULL,
    failure  TEXT,
    PRIMARY KEY (client, folder)
) STRICT;
";

/// What tells one version of a file from another, before its bytes are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileVersion {
    /// Size in bytes.
    pub bytes: u64,
    /// When it was last changed, if the server says so.
    pub modified: Option<Timestamp>,
}

/// How far a file version on a client's server has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FetchState {
    /// It lies there.
    Seen,
    /// It was fetched and is imported.
    Fetched,
    /// Its bytes are known: an earlier version's, or our own report's.
    Known,
}

impl std::str::FromStr for FetchState {
    type Err = String;
    fn from_str(s: &str) -> std::result::Result<Self, String> {
        match s {
            "seen" => Ok(Self::Seen),
            "fetched" => Ok(Self::Fetched),
            "known" => Ok(Self::Known),
            other => Err(format!("fetch state \"{other}\" is not known")),
        }
    }
}

/// A file version on a client's server.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SeenFile {
    /// Its number.
    pub id: i64,
    /// The import folder's name.
    pub folder: String,
    /// The file's name.
    pub name: String,
    /// Size in bytes.
    pub bytes: u64,
    /// When it was last changed, if the server says so.
    pub modified: Option<Timestamp>,
    /// The version of the file that announced it.
    #[serde(skip)]
    pub companion: Option<String>,
    /// SHA-256, once it was fetched.
    pub sha256: Option<String>,
    /// When this version was first seen.
    pub first_seen_at: Timestamp,
    /// When it was last seen.
    pub last_seen_at: Timestamp,
    /// Its import.
    pub import: Option<UploadId>,
    /// How far it has come.
    pub state: FetchState,
}

impl SeenFile {
    /// Its version.
    #[must_use]
    pub fn version(&self) -> FileVersion {
        FileVersion { bytes: self.bytes, modified: self.modified }
    }
}

/// How a look went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look<'a> {
    /// It came to its end.
    Well,
    /// It came to its end, and not everything succeeded: what, in words.
    Partly(&'a str),
    /// It did not come to its end: why, in words.
    Failed(&'a str),
}

/// How the looks at a folder go.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct PollState {
    /// The import folder's name.
    pub folder: String,
    /// The last look.
    pub at: Timestamp,
    /// The last one that came to its end.
    pub done_at: Option<Timestamp>,
    /// How many have failed since, in a row.
    pub failures: u32,
    /// Why the last one failed, in words; without failures: what did not succeed in it.
    pub failure: Option<String>,
}

/// A fetched file on its way into the queue.
#[derive(Debug, Clone)]
pub struct FetchedFile {
    /// The number of the version that was seen.
    pub seen: i64,
    /// The version of the file that announced it.
    pub companion: Option<String>,
    /// Whether nothing is left to be done with it on the server.
    pub settled: bool,
}

impl Registry {
    /// Notes that a version of a file lies there. A version that nobody fetched gives way to a newer one.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn see_file(
        &self,
        client: &str,
        folder: &str,
        name: &str,
        version: FileVersion,
        now: Timestamp,
    ) -> Result<SeenFile> {
        let (client, folder, name) = (client.to_owned(), folder.to_owned(), name.to_owned());
        self.write(move |conn| {
            see(conn, (&client, &folder, &name), version, now)
                .map_err(failed(format_args!("note the file {name}")))
        })
    }

    /// Queues the upload of a fetched file, in the same transaction as the version that it was. Its bytes and their name in the
    /// archive are on the disk.
    ///
    /// # Errors
    /// As [`Registry::prepare_upload`].
    pub fn queue_fetched(&self, new: &NewUpload, file: &FetchedFile) -> Result<Upload> {
        let (new, file) = (new.clone(), file.clone());
        self.write(move |conn| {
            let upload = take_in(conn, &new, UploadState::Queued)?;
            conn.execute(
                "UPDATE fetches SET state = 'fetched', upload = ?2, sha256 = ?3, companion = ?4,
                     settled = ?5 WHERE id = ?1",
                params![file.seen, new.id.to_string(), new.sha256, file.companion, file.settled],
            )
            .map_err(failed(format_args!("record the fetched file {}", new.path)))?;
            Ok(upload)
        })
    }

    /// A version turned out to have bytes that are known: it is not imported.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn know_file(&self, seen: i64, sha256: &str) -> Result<()> {
        let sha256 = sha256.to_owned();
        self.write(move |conn| {
            conn.execute(
                "UPDATE fetches SET state = 'known', sha256 = ?2 WHERE id = ?1",
                params![seen, sha256],
            )
            .map(|_| ())
            .map_err(failed("note a file that is known"))
        })
    }

    /// What the folder asks for after the fetch is done.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn settle_file(&self, seen: i64) -> Result<()> {
        self.write(move |conn| {
            conn.execute("UPDATE fetches SET settled = 1 WHERE id = ?1", [seen])
                .map(|_| ())
                .map_err(failed("note what became of a fetched file"))
        })
    }

    /// Fetched versions that are still to be moved or deleted.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn unsettled_files(&self, client: &str, folder: &str) -> Result<Vec<SeenFile>> {
        self.read("read fetched files", |conn| {
            conn.prepare_cached(
                "SELECT * FROM fetches WHERE client = ?1 AND folder = ?2 AND NOT settled ORDER BY id",
            )?
            .query_map([client, folder], seen_file)?
            .collect()
        })
    }

    /// The newest version of a file that was fetched.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn last_fetched(&self, client: &str, folder: &str, name: &str) -> Result<Option<SeenFile>> {
        self.read("read a fetched file", |conn| {
            conn.prepare_cached(
                "SELECT * FROM fetches WHERE client = ?1 AND folder = ?2 AND name = ?3
                 AND state = 'fetched' ORDER BY id DESC LIMIT 1",
            )?
            .query_row([client, folder, name], seen_file)
            .optional()
        })
    }

    /// The newest file that was fetched from a folder, by the server's own times; `None`: none has a time.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn newest_fetched(&self, client: &str, folder: &str) -> Result<Option<SeenFile>> {
        self.read("read a fetched file", |conn| {
            conn.prepare_cached(
                "SELECT * FROM fetches WHERE client = ?1 AND folder = ?2 AND state = 'fetched'
                 AND modified IS NOT NULL ORDER BY modified DESC, id DESC LIMIT 1",
            )?
            .query_row([client, folder], seen_file)
            .optional()
        })
    }

    /// Notes a file that we are about to write beside a fetched one, so that it is not taken for a new one.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn note_given_back(
        &self,
        client: &str,
        folder: &str,
        name: &str,
        sha256: &str,
    ) -> Result<()> {
        let row = [client, folder, name, sha256].map(str::to_owned);
        self.write(move |conn| {
            conn.execute("INSERT OR IGNORE INTO given_back VALUES (?1, ?2, ?3, ?4)", row)
                .map(|_| ())
                .map_err(failed("note a report that is given back"))
        })
    }

    /// Whether we have written these bytes under this name.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn is_given_back(
        &self,
        client: &str,
        folder: &str,
        name: &str,
        sha256: &str,
    ) -> Result<bool> {
        self.read("look for a report of ours", |conn| {
            conn.prepare_cached(
                "SELECT 1 FROM given_back WHERE client = ?1 AND folder = ?2 AND name = ?3
                 AND sha256 = ?4",
            )?
            .exists([client, folder, name, sha256])
        })
    }

    /// Notes how a look at a folder went, and answers how many have failed in a row.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn note_poll(
        &self,
        client: &str,
        folder: &str,
        look: Look<'_>,
        now: Timestamp,
    ) -> Result<u32> {
        let (client, folder) = (client.to_owned(), folder.to_owned());
        let (failure, is_done) = match look {
            Look::Well => (None, true),
            Look::Partly(why) => (Some(why.to_owned()), true),
            Look::Failed(why) => (Some(why.to_owned()), false),
        };
        self.write(move |conn| {
            conn.query_row(
                "INSERT INTO polls (client, folder, at, done_at, failures, failure)
                 VALUES (?1, ?2, ?3, CASE WHEN ?5 THEN ?3 END, NOT ?5, ?4)
                 ON CONFLICT (client, folder) DO UPDATE SET at = ?3, failure = ?4,
                     done_at = CASE WHEN ?5 THEN ?3 ELSE done_at END,
                     failures = CASE WHEN ?5 THEN 0 ELSE failures + 1 END
                 RETURNING failures",
                params![client, folder, to_micros(now), failure, is_done],
                |row| row.get(0),
            )
            .map_err(failed("note how a look at a folder went"))
        })
    }

    /// How the looks at a client's folders go.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn polls(&self, client: &str) -> Result<Vec<PollState>> {
        self.read("read how the looks at folders go", |conn| {
            conn.prepare_cached("SELECT * FROM polls WHERE client = ?1 ORDER BY folder")?
                .query_map([client], |row| {
                    let done_at: Option<i64> = row.get("done_at")?;
                    Ok(PollState {
                        folder: row.get("folder")?,
                        at: instant(row, "at")?,
                        done_at: done_at.map(from_micros).transpose()?,
                        failures: row.get("failures")?,
                        failure: row.get("failure")?,
                    })
                })?
                .collect()
        })
    }

    /// The file versions that were seen in a client's folders, newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn seen_files(
        &self,
        client: &str,
        folder: Option<&str>,
        limit: u32,
    ) -> Result<Vec<SeenFile>> {
        self.read("list fetched files", |conn| {
            conn.prepare_cached(
                "SELECT * FROM fetches WHERE client = ?1 AND (?2 IS NULL OR folder = ?2)
                 ORDER BY id DESC LIMIT ?3",
            )?
            .query_map(params![client, folder, limit], seen_file)?
            .collect()
        })
    }
}

fn see(
    conn: &Connection,
    (client, folder, name): (&str, &str, &str),
    version: FileVersion,
    now: Timestamp,
) -> rusqlite::Result<SeenFile> {
    let (bytes, modified) = (signed(version.bytes), version.modified.map(to_micros));
    let known = conn
        .prepare_cached(
            // Only the newest: an older version that comes back is a new one.
            // A clock that was ahead then must not make the file wait until it gets there.
            "UPDATE fetches SET last_seen_at = ?6, first_seen_at = min(first_seen_at, ?6) WHERE id = (SELECT max(id) FROM fetches
                 WHERE client = ?1 AND folder = ?2 AND name = ?3)
             AND bytes = ?4 AND modified IS ?5 RETURNING *",
        )?
        .query_row(params![client, folder, name, bytes, modified, to_micros(now)], seen_file)
        .optional()?;
    if let Some(known) = known {
        return Ok(known);
    }
    conn.execute(
        "DELETE FROM fetches WHERE client = ?1 AND folder = ?2 AND name = ?3 AND state = 'seen'",
        params![client, folder, name],
    )?;
    conn.query_row(
        "INSERT INTO fetches (client, folder, name, bytes, modified, first_seen_at, last_seen_at, state)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, 'seen') RETURNING *",
        params![client, folder, name, bytes, modified, to_micros(now)],
        seen_file,
    )
}

fn seen_file(row: &Row<'_>) -> rusqlite::Result<SeenFile> {
    let modified: Option<i64> = row.get("modified")?;
    let upload: Option<String> = row.get("upload")?;
    Ok(SeenFile {
        id: row.get("id")?,
        folder: row.get("folder")?,
        name: row.get("name")?,
        bytes: unsigned(row, "bytes")?,
        modified: modified.map(from_micros).transpose()?,
        companion: row.get("companion")?,
        sha256: row.get("sha256")?,
        first_seen_at: instant(row, "first_seen_at")?,
        last_seen_at: instant(row, "last_seen_at")?,
        import: upload.map(|_| word(row, "upload")).transpose()?,
        state: word(row, "state")?,
    })
}
