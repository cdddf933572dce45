//! What is to be sent: e-mails, hooks, files for other servers. A durable queue with one order for each lane.

use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Registry;
use crate::error::{Error, Kind, Result};
use crate::store::{failed, from_micros, instant, signed, to_micros, unreadable, unsigned};

/// The schema's step.
pub(super) const STEP: &str = r"
-- lane: jobs of one lane go out one after the other, oldest first. key: nothing is queued twice.
CREATE TABLE outbox (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    client      TEXT REFERENCES clients(slug) ON DELETE CASCADE,
    kind        TEXT NOT NULL,
    lane        TEXT NOT NULL,
    key         TEXT NOT NULL UNIQUE,
    payload     TEXT NOT NULL,
    state       TEXT NOT NULL DEFAULT 'waiting',
    attempts    INTEGER NOT NULL DEFAULT 0,
    created_at  INTEGER NOT NULL,
    next_at     INTEGER NOT NULL,
    finished_at INTEGER,
    failure     TEXT
) STRICT;
CREATE INDEX outbox_waiting ON outbox(lane, id) WHERE state = 'waiting';
";

/// The schema's step that finds the few that were given up, or are one client's, among all that was sent.
pub(super) const STEP_LISTS: &str = r"
CREATE INDEX outbox_by_state ON outbox(state, id) WHERE state <> 'done';
CREATE INDEX outbox_by_client ON outbox(client, id);
";

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum JobKind {
    /// Sends an e-mail.
    Mail,
    /// Tells another program or an HTTP address.
    Hook,
    /// Brings a file to a client's own server.
    Delivery,
    /// Tells a webhook of events.
    Webhook,
}

impl JobKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Mail, Self::Hook, Self::Delivery, Self::Webhook];

    /// The name in the database and in lists.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Hook => "hook",
            Self::Delivery => "delivery",
            Self::Webhook => "webhook",
        }
    }
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// It is still to be done, perhaps after failures.
    Waiting,
    /// It was done.
    Done,
    /// It was given up; somebody may have it tried again.
    Failed,
    /// Somebody took it back.
    Withdrawn,
}

impl JobState {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Done, Self::Failed, Self::Withdrawn];

    /// The name in the database and in lists.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// A job to be queued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob {
    /// The client's slug; `None`: the server's own affair.
    pub client: Option<String>,
    /// What it does.
    pub kind: JobKind,
    /// The jobs of one lane go out one after the other.
    pub lane: String,
    /// What makes it the same as another: nothing is queued twice.
    pub key: String,
    /// What to send, as its kind reads it (JSON).
    pub payload: String,
    /// Not before this instant.
    pub not_before: Timestamp,
}

/// A queued job.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct OutboxJob {
    /// Its number.
    pub id: i64,
    /// The client's slug; `None`: the server's own affair.
    pub client: Option<String>,
    /// What it does.
    pub kind: JobKind,
    /// Its lane.
    pub lane: String,
    /// What it is about, uniquely.
    pub key: String,
    /// What to send (JSON); not shown in lists.
    #[serde(skip)]
    pub payload: String,
    /// Where it stands.
    pub state: JobState,
    /// How often it was tried in vain; of the tries for which the server was away, only the first few count.
    pub attempts: u64,
    /// When it was queued.
    pub created_at: Timestamp,
    /// When it is tried next.
    pub next_at: Timestamp,
    /// When it was done or given up.
    pub finished_at: Option<Timestamp>,
    /// Why the last try failed, in words.
    pub failure: Option<String>,
}

/// How a lane fares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneState {
    /// Jobs that wait.
    pub waiting: u64,
    /// Jobs that were given up.
    pub failed: u64,
    /// Its last job.
    pub last: Option<OutboxJob>,
}

/// Which jobs to list; an empty filter lists all.
#[derive(Debug, Clone, Default)]
pub struct JobFilter {
    /// Of this client.
    pub client: Option<String>,
    /// Of this kind.
    pub kind: Option<JobKind>,
    /// In this state.
    pub state: Option<JobState>,
    /// Only jobs before the one of this number (the next page).
    pub before: Option<i64>,
    /// At most so many, newest first.
    pub limit: Option<u32>,
}

impl Registry {
    /// Queues a job durably; `false`: its key is known, and nothing was done.
    ///
    /// # Errors
    /// A client that is not known; a database that cannot be written.
    pub fn queue_job(&self, new: &NewJob, now: Timestamp) -> Result<bool> {
        let new = new.clone();
        self.write(move |conn| {
            insert_job(conn, &new, now).map_err(failed(format_args!("queue {}", new.key)))
        })
    }

    /// The oldest waiting job of each lane that is due.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn due_jobs(&self, now: Timestamp) -> Result<Vec<OutboxJob>> {
        self.read("read what is to be sent", |conn| {
            conn.prepare_cached(
                "SELECT * FROM outbox WHERE next_at <= ?1 AND id IN
                     (SELECT min(id) FROM outbox WHERE state = 'waiting' GROUP BY lane)
                 ORDER BY id",
            )?
            .query_map([to_micros(now)], job)?
            .collect()
        })
    }

    /// When the next job that waits for its time is due.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn next_job_at(&self) -> Result<Option<Timestamp>> {
        self.read("read when something is to be sent", |conn| {
            let next: Option<i64> = conn
                .prepare_cached(
                    "SELECT min(next_at) FROM outbox WHERE id IN
                         (SELECT min(id) FROM outbox WHERE state = 'waiting' GROUP BY lane)",
                )?
                .query_row([], |row| row.get(0))?;
            next.map(from_micros).transpose()
        })
    }

    /// Marks a job as done.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn finish_job(
        &self,
        id: i64,
        state: JobState,
        at: Timestamp,
        why: Option<&str>,
    ) -> Result<()> {
        let why = why.map(str::to_owned);
        self.write(move |conn| {
            conn.prepare_cached(
                "UPDATE outbox SET state = ?2, finished_at = ?3, failure = ?4 WHERE id = ?1",
            )
            .and_then(|mut s| s.execute(params![id, state.name(), to_micros(at), why]))
            .map(|_| ())
            .map_err(failed("mark what was sent"))
        })
    }

    /// Notes a try in vain, with how many count by now; the job is tried again at `next_at`.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn postpone_job(
        &self,
        id: i64,
        attempts: u64,
        next_at: Timestamp,
        why: &str,
    ) -> Result<()> {
        let why = why.to_owned();
        self.write(move |conn| {
            conn.prepare_cached(
                "UPDATE outbox SET attempts = ?4, next_at = ?2, failure = ?3
                 WHERE id = ?1 AND state = 'waiting'",
            )
            .and_then(|mut s| s.execute(params![id, to_micros(next_at), why, signed(attempts)]))
            .map(|_| ())
            .map_err(failed("note what could not be sent"))
        })
    }

    /// Has a job that waits or was given up tried again at once, as if for the first time.
    ///
    /// # Errors
    /// `Kind::NotFound`; `Kind::Conflict` for one that was done or taken back.
    pub fn retry_job(&self, id: i64, now: Timestamp) -> Result<OutboxJob> {
        self.write(move |conn| {
            let known = conn
                .query_row("SELECT * FROM outbox WHERE id = ?1", [id], job)
                .optional()
                .map_err(failed("look a job up"))?
                .ok_or_else(|| Error::new(Kind::NotFound, format!("there is no job {id}")))?;
            if matches!(known.state, JobState::Done | JobState::Withdrawn) {
                let state = known.state.name();
                return Err(Error::new(
                    Kind::Conflict,
                    format!("job {id} is {state}; it is not sent again"),
                ));
            }
            conn.query_row(
                "UPDATE outbox SET state = 'waiting', attempts = 0, next_at = ?2, finished_at = NULL
                 WHERE id = ?1 RETURNING *",
                params![id, to_micros(now)],
                job,
            )
            .map_err(failed("try a job again"))
        })
    }

    /// The job with this key.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn job(&self, key: &str) -> Result<Option<OutboxJob>> {
        self.read("read a job", |conn| {
            conn.prepare_cached("SELECT * FROM outbox WHERE key = ?1")?
                .query_row([key], job)
                .optional()
        })
    }

    /// Jobs, newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn jobs(&self, filter: &JobFilter) -> Result<Vec<OutboxJob>> {
        self.read("list jobs", |conn| {
            conn.prepare_cached(&jobs_sql(filter))?
                .query_map(
                    params![
                        filter.client,
                        filter.kind.map(JobKind::name),
                        filter.state.map(JobState::name),
                        filter.before.unwrap_or(i64::MAX),
                        filter.limit.map_or(-1, i64::from)
                    ],
                    job,
                )?
                .collect()
        })
    }

    /// How a lane fares.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn lane_state(&self, lane: &str) -> Result<LaneState> {
        self.read("read how a lane fares", |conn| {
            let (waiting, failed) = conn
                .prepare_cached(
                    "SELECT count(*) FILTER (WHERE state = 'waiting') AS waiting,
                         count(*) FILTER (WHERE state = 'failed') AS failed
                     FROM outbox WHERE lane = ?1",
                )?
                .query_row([lane], |row| {
                    Ok((unsigned(row, "waiting")?, unsigned(row, "failed")?))
                })?;
            let last = conn
                .prepare_cached("SELECT * FROM outbox WHERE lane = ?1 ORDER BY id DESC LIMIT 1")?
                .query_row([lane], job)
                .optional()?;
            Ok(LaneState { waiting, failed, last })
        })
    }

    /// Forgets jobs that ended before this instant; their keys are free again. A delivery that was given up stays as long
    /// as its file waits: without its job the file would look like one that is still brought.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn forget_jobs(&self, ended_before: Timestamp) -> Result<()> {
        self.write(move |conn| {
            conn.prepare_cached(
                "DELETE FROM outbox WHERE state <> 'waiting' AND finished_at < ?1
                 AND NOT (state = 'failed' AND kind = 'delivery' AND EXISTS (SELECT 1 FROM drops
                     WHERE outbox.key = 'drop/' || drops.id AND drops.id = substr(outbox.key, 6)
                     AND drops.state = 'waiting'))
                 AND NOT (state = 'failed' AND kind = 'delivery' AND key LIKE 'report/%' AND EXISTS (SELECT 1 FROM alarms
                     WHERE code = 'T08' AND cleared_at IS NULL AND outbox.key LIKE subject || '%'))",
            )
            .and_then(|mut s| s.execute([to_micros(ended_before)]))
            .map(|_| ())
            .map_err(failed("forget what was sent"))
        })
    }
}

/// Inserts a job unless its key is known; `false`: it was.
pub(super) fn insert_job(
    conn: &Connection,
    new: &NewJob,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    conn.prepare_cached(
        "INSERT INTO outbox (client, kind, lane, key, payload, created_at, next_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, max(?6, ?7)) ON CONFLICT (key) DO NOTHING",
    )?
    .execute(params![
        new.client,
        new.kind.name(),
        new.lane,
        new.key,
        new.payload,
        to_micros(now),
        to_micros(new.not_before)
    ])
    .map(|rows| rows > 0)
}

/// The query for a filter. What is open is left out, so that the index of what is given serves.
fn jobs_sql(filter: &JobFilter) -> String {
    let mut sql = "SELECT * FROM outbox WHERE id < ?4".to_owned();
    let conditions = [
        (filter.client.is_some(), " AND client = ?1"),
        (filter.kind.is_some(), " AND kind = ?2"),
        (filter.state.is_some(), " AND state = ?3"),
        // The index of the states that are rare says so too.
        (filter.state.is_some_and(|state| state != JobState::Done), " AND state <> 'done'"),
    ];
    for (_, condition) in conditions.iter().filter(|(is_given, _)| *is_given) {
        sql.push_str(condition);
    }
    sql.push_str(" ORDER BY id DESC LIMIT ?5");
    sql
}

fn job(row: &Row<'_>) -> rusqlite::Result<OutboxJob> {
    let (kind, state): (String, String) = (row.get("kind")?, row.get("state")?);
    let unknown = |what: &str| unreadable(Type::Text, format!("\"{what}\" is not known"));
    let finished: Option<i64> = row.get("finished_at")?;
    Ok(OutboxJob {
        id: row.get("id")?,
        client: row.get("client")?,
        kind: JobKind::ALL.into_iter().find(|k| k.name() == kind).ok_or_else(|| unknown(&kind))?,
        lane: row.get("lane")?,
        key: row.get("key")?,
        payload: row.get("payload")?,
        state: JobState::ALL
            .into_iter()
            .find(|s| s.name() == state)
            .ok_or_else(|| unknown(&state))?,
        attempts: unsigned(row, "attempts")?,
        created_at: instant(row, "created_at")?,
        next_at: instant(row, "next_at")?,
        finished_at: finished.map(from_micros).transpose()?,
        failure: row.get("failure")?,
    })
}
