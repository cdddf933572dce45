//! Files handed over through export folders, hosted or on clients' own servers.

use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{OptionalExtension, Row, params};

use super::outbox::{NewJob, insert_job};
use super::{JobState, Registry};
use crate::error::Result;
use crate::model::VPath;
use crate::store::{failed, from_micros, instant, signed, to_micros, unreadable, unsigned, word};

/// The schema's step.
pub(super) const STEP: &str = r"
-- seq: the order in which they were handed over. key: nothing is handed over twice. state: waiting (to be placed or
-- delivered), placed (lies in a hosted folder), fetched, delivered, removed, withdrawn. Its job has the key 'drop/<id>'.
-- renaming: the whole file lies on the client's server and is about to get its name.
CREATE TABLE drops (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT,
    id           TEXT NOT NULL UNIQUE,
    client       TEXT NOT NULL REFERENCES clients(slug) ON DELETE CASCADE,
    folder       TEXT NOT NULL,
    login        TEXT NOT NULL,
    path         TEXT NOT NULL,
    key          TEXT UNIQUE,
    bytes        INTEGER NOT NULL,
    sha256       TEXT NOT NULL,
    origin       TEXT NOT NULL,
    who          TEXT NOT NULL,
    state        TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    placed_at    INTEGER,
    fetched_at   INTEGER,
    fetches      INTEGER NOT NULL DEFAULT 0,
    ended_at     INTEGER,
    renaming     INTEGER NOT NULL DEFAULT 0,
    note         TEXT
) STRICT;
CREATE INDEX drops_by_client ON drops(client, seq);
CREATE INDEX drops_by_path ON drops(client, login, path, seq);
";

/// The schema's step for keys that people give.
pub(super) const STEP_GIVEN: &str = r"
-- key is unique on the whole server: those of exports and of the API are made by us. One that a person gives counts among
-- the client's own only. given_name: the name that was asked for; the account may give the file another one.
ALTER TABLE drops ADD COLUMN given_key TEXT;
ALTER TABLE drops ADD COLUMN given_name TEXT;
CREATE UNIQUE INDEX drops_by_given_key ON drops(client, given_key) WHERE given_key IS NOT NULL;
";

/// How the note of a file begins that a newer one of its name replaced.
const REPLACED_BY: &str = "replaced by ";

/// Where a file that was handed over stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DropState {
    /// It is still to be placed or delivered, perhaps after failures.
    Waiting,
    /// It lies in the account's folder and nobody has read it whole.
    Placed,
    /// A session of the account has read it whole.
    Fetched,
    /// It lies on the client's own server.
    Delivered,
    /// The account removed or replaced it before anybody read it whole.
    Removed,
    /// It was taken back, or a newer one of its name took its place.
    Withdrawn,
    /// It could not be delivered and was given up; somebody may have it tried again.
    Failed,
}

impl DropState {
    /// All of them, in the order of a file's way.
    pub const ALL: [Self; 7] = [
        Self::Waiting,
        Self::Placed,
        Self::Fetched,
        Self::Delivered,
        Self::Removed,
        Self::Withdrawn,
        Self::Failed,
    ];

    /// The name in the database and in lists.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Placed => "placed",
            Self::Fetched => "fetched",
            Self::Delivered => "delivered",
            Self::Removed => "removed",
            Self::Withdrawn => "withdrawn",
            Self::Failed => "failed",
        }
    }
}

impl std::str::FromStr for DropState {
    type Err = String;
    fn from_str(s: &str) -> std::result::Result<Self, String> {
        Self::ALL.into_iter().find(|state| state.name().eq_ignore_ascii_case(s)).ok_or_else(|| {
            let known = Self::ALL.map(Self::name).join(", ");
            format!("\"{s}\" is no state of a file that was handed over; there are: {known}")
        })
    }
}

/// What makes a file the same as another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DropKey {
    /// Nothing: every file is one of its own.
    None,
    /// Made by us, for this file alone on the whole server.
    Own(String),
    /// Given by a person, for one file of this client.
    Given(String),
}

/// A file that is about to be handed over; its bytes are durable in the client's outbox.
#[derive(Debug, Clone)]
pub struct DropRow {
    /// Its id (UUIDv7).
    pub id: String,
    /// The client's slug.
    pub client: String,
    /// The export folder's name.
    pub folder: String,
    /// The account of that folder.
    pub login: String,
    /// Its address below the account's root.
    pub path: VPath,
    /// What makes it the same as another: nothing is handed over twice.
    pub key: DropKey,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256, 64 hex digits.
    pub sha256: String,
    /// Where it comes from, in words.
    pub origin: String,
    /// Who handed it over.
    pub who: String,
}

/// A file that was handed over through an export folder.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FileDrop {
    /// Its id.
    pub id: String,
    /// The order in which files were handed over.
    pub seq: i64,
    /// The client's slug.
    pub client: String,
    /// The export folder's name.
    pub folder: String,
    /// The account of that folder.
    pub login: String,
    /// Its address below the account's root.
    pub path: VPath,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256, 64 hex digits.
    pub sha256: String,
    /// Where it comes from, in words.
    pub origin: String,
    /// Who handed it over.
    pub who: String,
    /// Where it stands.
    pub state: DropState,
    /// When it was handed over.
    pub created_at: Timestamp,
    /// When it was laid into the hosted folder, or delivered.
    pub placed_at: Option<Timestamp>,
    /// When it was first read whole.
    pub fetched_at: Option<Timestamp>,
    /// How often it was read whole.
    pub fetches: u64,
    /// When it was removed or taken back.
    pub ended_at: Option<Timestamp>,
    /// Why it was not delivered yet, or who replaced it, in words.
    pub note: Option<String>,
    /// How often it was tried in vain.
    pub attempts: u64,
    /// Whether it lies whole on the client's server and was about to get its name.
    #[serde(skip)]
    pub is_renaming: bool,
    /// When it is tried next, while it waits.
    pub next_at: Option<Timestamp>,
    /// The name that was asked for with a person's key; older files have none.
    #[serde(skip)]
    pub given_name: Option<String>,
}

impl FileDrop {
    /// Whether somebody took it back; one that a newer file of its name replaced was not.
    #[must_use]
    pub fn is_taken_back(&self) -> bool {
        let replaced = self.note.as_ref().is_some_and(|note| note.starts_with(REPLACED_BY));
        self.state == DropState::Withdrawn && !replaced
    }
}

/// The note of a file that a newer one of its name replaced.
#[must_use]
pub fn replaced_by(id: &str) -> String {
    format!("{REPLACED_BY}{id}")
}

/// Which files that were handed over to list; an empty filter lists all.
#[derive(Debug, Clone, Default)]
pub struct DropFilter {
    /// Of this client.
    pub client: Option<String>,
    /// Through this folder.
    pub folder: Option<String>,
    /// In this state.
    pub state: Option<DropState>,
    /// Only files before the one with this `seq` (the next page).
    pub before: Option<i64>,
    /// At most so many, newest first.
    pub limit: Option<u32>,
}

const SELECT: &str = "SELECT drops.*, outbox.state AS job_state, outbox.attempts, outbox.next_at,
     outbox.failure AS job_failure FROM drops LEFT JOIN outbox ON outbox.key = 'drop/' || drops.id";

impl Registry {
    /// Records a file that is handed over, together with the job that places or delivers it. Durable when it returns.
    ///
    /// # Errors
    /// `Kind::Exists` for a key that is known; a database that cannot be written.
    pub fn add_drop(&self, new: &DropRow, job: &NewJob, now: Timestamp) -> Result<()> {
        let (new, job) = (new.clone(), job.clone());
        self.write(move |conn| {
            let (own, given) = match &new.key {
                DropKey::None => (None, None),
                DropKey::Own(key) => (Some(key), None),
                DropKey::Given(key) => (None, Some(key)),
            };
            conn.prepare_cached(
                "INSERT INTO drops (id, client, folder, login, path, key, bytes, sha256, origin, who,
                                    state, created_at, given_key, given_name)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 'waiting', ?11, ?12, ?13)",
            )
            .and_then(|mut s| {
                s.execute(params![
                    new.id,
                    new.client,
                    new.folder,
                    new.login,
                    new.path.as_str(),
                    own,
                    signed(new.bytes),
                    new.sha256,
                    new.origin,
                    new.who,
                    to_micros(now),
                    given,
                    given.and(new.path.name()),
                ])
            })
            .and_then(|_| insert_job(conn, &job, now))
            .map(|_| ())
            .map_err(failed(format_args!("record the file for {}", new.path)))
        })
    }

    /// The file with this id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn file_drop(&self, id: &str) -> Result<Option<FileDrop>> {
        self.one_drop(&format!("{SELECT} WHERE drops.id = ?1"), &[&id])
    }

    /// The client's file with this key of ours.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn drop_by_key(&self, client: &str, key: &str) -> Result<Option<FileDrop>> {
        self.one_drop(
            &format!("{SELECT} WHERE drops.client = ?1 AND drops.key = ?2"),
            &[&client, &key],
        )
    }

    /// The client's file with this key of a person. Older programs wrote it where ours are, which end in an id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn drop_by_given_key(&self, client: &str, key: &str) -> Result<Option<FileDrop>> {
        let id = "????????-????-????-????-????????????";
        let sql = format!(
            "{SELECT} WHERE drops.client = ?1 AND (given_key = ?2 OR (drops.key = ?2
             AND drops.key NOT GLOB 'api/{id}' AND drops.key NOT GLOB 'export/{id}/*'))
             ORDER BY given_key IS NULL LIMIT 1"
        );
        self.one_drop(&sql, &[&client, &key])
    }

    /// The newest file that was laid at this address and not taken back.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn placed_drop(&self, client: &str, login: &str, path: &VPath) -> Result<Option<FileDrop>> {
        let sql = format!(
            "{SELECT} WHERE drops.client = ?1 AND login = ?2 AND path = ?3
             AND drops.state IN ('placed', 'fetched') ORDER BY seq DESC LIMIT 1"
        );
        self.one_drop(&sql, &[&client, &login, &path.as_str()])
    }

    /// A later file for the same address that was not taken back; the earlier one must not take its place.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn later_drop(&self, of: &FileDrop) -> Result<Option<FileDrop>> {
        let sql = format!(
            "{SELECT} WHERE drops.client = ?1 AND login = ?2 AND path = ?3 AND seq > ?4
             AND drops.state IN ('placed', 'fetched', 'removed') ORDER BY seq DESC LIMIT 1"
        );
        self.one_drop(&sql, &[&of.client, &of.login, &of.path.as_str(), &of.seq])
    }

    /// Whether anything is recorded as lying in this account's folders.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn has_placed_drops(&self, client: &str, login: &str) -> Result<bool> {
        self.read("look for files that were handed over", |conn| {
            conn.prepare_cached(
                "SELECT 1 FROM drops WHERE client = ?1 AND login = ?2
                 AND state IN ('placed', 'fetched')",
            )?
            .exists([client, login])
        })
    }

    /// Files that were handed over, newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn drops(&self, filter: &DropFilter) -> Result<Vec<FileDrop>> {
        self.read("list files that were handed over", |conn| {
            let state = "CASE WHEN drops.state = 'waiting' AND outbox.state = 'failed'
                              THEN 'failed' ELSE drops.state END";
            conn.prepare_cached(&format!(
                "{SELECT} WHERE (?1 IS NULL OR drops.client = ?1) AND (?2 IS NULL OR folder = ?2)
                 AND (?3 IS NULL OR {state} = ?3) AND seq < ?5 ORDER BY seq DESC LIMIT ?4"
            ))?
            .query_map(
                params![
                    filter.client,
                    filter.folder,
                    filter.state.map(DropState::name),
                    filter.limit.map_or(-1, i64::from),
                    filter.before.unwrap_or(i64::MAX)
                ],
                file_drop,
            )?
            .collect()
        })
    }

    /// The file lies in the account's folder: earlier ones of its name that nobody fetched are replaced by it.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn place_drop(&self, drop: &FileDrop, at: Timestamp) -> Result<()> {
        let drop = drop.clone();
        self.write(move |conn| {
            conn.execute(
                "UPDATE drops SET state = 'withdrawn', ended_at = ?5, note = ?6
                 WHERE client = ?1 AND login = ?2 AND path = ?3 AND seq < ?4
                 AND state IN ('waiting', 'placed')",
                params![
                    drop.client,
                    drop.login,
                    drop.path.as_str(),
                    drop.seq,
                    to_micros(at),
                    replaced_by(&drop.id)
                ],
            )
            .and_then(|_| {
                conn.execute(
                    "UPDATE drops SET state = 'placed', placed_at = ?2 WHERE id = ?1
                     AND state = 'waiting'",
                    params![drop.id, to_micros(at)],
                )
            })
            .map(|_| ())
            .map_err(failed(format_args!("note that {} was placed", drop.path)))
        })
    }

    /// The file lies on the client's own server.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn deliver_drop(&self, id: &str, at: Timestamp) -> Result<()> {
        self.change_drop(
            id,
            at,
            "UPDATE drops SET state = 'delivered', placed_at = ?2 WHERE id = ?1 AND state = 'waiting'",
        )
    }

    /// The whole file lies on the client's server and is about to get its name. `false`: it was taken back.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn begin_rename(&self, id: &str) -> Result<bool> {
        let id = id.to_owned();
        self.write(move |conn| {
            conn.execute("UPDATE drops SET renaming = 1 WHERE id = ?1 AND state = 'waiting'", [id])
                .map(|rows| rows > 0)
                .map_err(failed("note that a file gets its name"))
        })
    }

    /// It did not get its name.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn end_rename(&self, id: &str) -> Result<()> {
        let id = id.to_owned();
        self.write(move |conn| {
            conn.execute("UPDATE drops SET renaming = 0 WHERE id = ?1", [id])
                .map(|_| ())
                .map_err(failed("note that a file did not get its name"))
        })
    }

    /// A session of the account has read the file whole.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn fetch_drop(&self, id: &str, at: Timestamp) -> Result<()> {
        self.change_drop(
            id,
            at,
            "UPDATE drops SET state = 'fetched', fetches = fetches + 1,
                 fetched_at = coalesce(fetched_at, ?2) WHERE id = ?1 AND state IN ('placed', 'fetched')",
        )
    }

    /// Ends a file that waits or lies unread: removed, withdrawn. `false`: it is neither any more.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn end_drop(&self, id: &str, state: DropState, at: Timestamp, note: &str) -> Result<bool> {
        let (id, note) = (id.to_owned(), note.to_owned());
        self.write(move |conn| {
            conn.execute(
                "UPDATE drops SET state = ?2, ended_at = ?3, note = ?4
                 WHERE id = ?1 AND state IN ('waiting', 'placed') AND NOT renaming",
                params![id, state.name(), to_micros(at), note],
            )
            .map(|rows| rows > 0)
            .map_err(failed("end a file that was handed over"))
        })
    }

    /// The account has given files another name: they are still the ones that were handed over.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn move_drops(&self, client: &str, login: &str, from: &VPath, to: &VPath) -> Result<()> {
        let (client, login) = (client.to_owned(), login.to_owned());
        let (from, to) = (from.as_str().to_owned(), to.as_str().to_owned());
        self.write(move |conn| {
            conn.execute(
                "UPDATE drops SET path = ?4 || substr(path, length(?3) + 1)
                 WHERE client = ?1 AND login = ?2 AND state IN ('placed', 'fetched')
                 AND (path = ?3 OR substr(path, 1, length(?3) + 1) = ?3 || '/')",
                params![client, login, from, to],
            )
            .map(|_| ())
            .map_err(failed("note the new name of a file that was handed over"))
        })
    }

    /// Forgets files that ended, or were given up, before this instant; answers their ids.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn forget_drops(&self, client: &str, before: Timestamp) -> Result<Vec<String>> {
        let client = client.to_owned();
        self.write(move |conn| {
            let forget = || -> rusqlite::Result<Vec<String>> {
                conn.prepare_cached(
                    "DELETE FROM drops WHERE client = ?1 AND state <> 'placed'
                     AND coalesce(ended_at, fetched_at, placed_at, created_at) < ?2
                     AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.key = 'drop/' || drops.id
                                     AND outbox.state = 'waiting') RETURNING id",
                )?
                .query_map(params![client, to_micros(before)], |row| row.get(0))?
                .collect()
            };
            forget().map_err(failed("forget files that were handed over long ago"))
        })
    }

    fn change_drop(&self, id: &str, at: Timestamp, sql: &'static str) -> Result<()> {
        let id = id.to_owned();
        self.write(move |conn| {
            conn.prepare_cached(sql)
                .and_then(|mut s| s.execute(params![id, to_micros(at)]))
                .map(|_| ())
                .map_err(failed("note what became of a file that was handed over"))
        })
    }

    fn one_drop(&self, sql: &str, values: &[&dyn rusqlite::ToSql]) -> Result<Option<FileDrop>> {
        self.read("read a file that was handed over", |conn| {
            conn.prepare_cached(sql)?.query_row(values, file_drop).optional()
        })
    }
}

fn file_drop(row: &Row<'_>) -> rusqlite::Result<FileDrop> {
    let time = |column: &str| -> rusqlite::Result<Option<Timestamp>> {
        row.get::<_, Option<i64>>(column)?.map(from_micros).transpose()
    };
    let mut state: DropState = word(row, "state")?;
    let mut note: Option<String> = row.get("note")?;
    let job: Option<String> = row.get("job_state")?;
    let waits = state == DropState::Waiting;
    if waits && job.as_deref() == Some(JobState::Failed.name()) {
        state = DropState::Failed;
    }
    if waits {
        note = row.get("job_failure")?;
    }
    let attempts: Option<i64> = row.get("attempts")?;
    Ok(FileDrop {
        id: row.get("id")?,
        seq: row.get("seq")?,
        client: row.get("client")?,
        folder: row.get("folder")?,
        login: row.get("login")?,
        path: word(row, "path")?,
        bytes: unsigned(row, "bytes")?,
        sha256: row.get("sha256")?,
        origin: row.get("origin")?,
        who: row.get("who")?,
        state,
        created_at: instant(row, "created_at")?,
        placed_at: time("placed_at")?,
        fetched_at: time("fetched_at")?,
        fetches: unsigned(row, "fetches")?,
        ended_at: time("ended_at")?,
        note,
        attempts: u64::try_from(attempts.unwrap_or(0)).map_err(|e| unreadable(Type::Integer, e))?,
        is_renaming: row.get("renaming")?,
        next_at: if state == DropState::Waiting { time("next_at")? } else { None },
        given_name: row.get("given_name")?,
    })
}
