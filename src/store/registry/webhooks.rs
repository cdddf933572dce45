//! Webhooks: addresses that are told of events, each in order, through the outbox.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Registry;
use super::outbox::{JobKind, JobState, NewJob, insert_job};
use crate::config::WEBHOOK_EVENTS;
use crate::error::{Error, Kind, Result};
use crate::model::{Event, EventKind};
use crate::store::{failed, from_micros, instant, to_micros, word};

/// The schema's step.
pub(super) const STEP: &str = r"
-- kinds: names with commas between. sealed_old_secret signs too, until old_until. paused_after: the last event that was told or
-- given up before the pause. round: how often events were queued anew; it makes the keys of their jobs new ones.
CREATE TABLE webhooks (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    name              TEXT NOT NULL UNIQUE,
    url               TEXT NOT NULL,
    client            TEXT REFERENCES clients(slug) ON DELETE CASCADE,
    kinds             TEXT NOT NULL,
    sealed_secret     BLOB NOT NULL,
    sealed_old_secret BLOB,
    old_until         INTEGER,
    created_by        TEXT NOT NULL,
    created_at        INTEGER NOT NULL,
    paused_at         INTEGER,
    paused_why        TEXT,
    paused_after      INTEGER,
    failing_since     INTEGER,
    round             INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TRIGGER sealed_webhook_new BEFORE INSERT ON webhooks
    WHEN EXISTS (SELECT 1 FROM sealing_key WHERE substr(NEW.sealed_secret, 2, 8) <> key_id)
    BEGIN SELECT RAISE(ABORT, 'the sealing key was exchanged meanwhile; try again'); END;
CREATE TRIGGER sealed_webhook_change BEFORE UPDATE ON webhooks
    WHEN EXISTS (SELECT 1 FROM sealing_key WHERE substr(NEW.sealed_secret, 2, 8) <> key_id
           OR substr(NEW.sealed_old_secret, 2, 8) <> key_id)
    BEGIN SELECT RAISE(ABORT, 'the sealing key was exchanged meanwhile; try again'); END;
";

/// The schema's step that guards the older secret of a new row, too.
pub(super) const STEP_OLD_SECRET: &str = r"
DROP TRIGGER sealed_webhook_new;
CREATE TRIGGER sealed_webhook_new BEFORE INSERT ON webhooks
    WHEN EXISTS (SELECT 1 FROM sealing_key WHERE substr(NEW.sealed_secret, 2, 8) <> key_id
           OR substr(NEW.sealed_old_secret, 2, 8) <> key_id)
    BEGIN SELECT RAISE(ABORT, 'the sealing key was exchanged meanwhile; try again'); END;
";

/// A webhook without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookRow {
    /// Its number.
    pub id: i64,
    /// What people call it; unique.
    pub name: String,
    /// The address.
    pub url: String,
    /// The one client whose events it is told; `None`: everything.
    pub client: Option<String>,
    /// What it is told of.
    pub kinds: Vec<EventKind>,
    /// Until when the secret before this one signs too.
    pub old_until: Option<Timestamp>,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Since when it is told nothing.
    pub paused_at: Option<Timestamp>,
    /// Why.
    pub paused_why: Option<String>,
    /// Since when no message has reached its address.
    pub failing_since: Option<Timestamp>,
}

/// A webhook to be added.
#[derive(Debug, Clone)]
pub struct NewWebhook {
    /// What people call it.
    pub name: String,
    /// The address.
    pub url: String,
    /// The one client whose events it is told.
    pub client: Option<String>,
    /// What it is told of.
    pub kinds: Vec<EventKind>,
    /// The sealed secret.
    pub sealed_secret: Vec<u8>,
    /// Who made it.
    pub created_by: String,
}

/// What a job of a webhook tells.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Errand {
    /// The webhook's number.
    pub webhook: i64,
    /// The events' numbers, in order.
    pub events: Vec<i64>,
}

impl Registry {
    /// Adds a webhook; it is told what happens from now on.
    ///
    /// # Errors
    /// `Kind::Exists` for a name that is taken.
    pub fn add_webhook(&self, new: NewWebhook, at: Timestamp) -> Result<WebhookRow> {
        self.write(move |conn| {
            let added = conn.query_row(
                "INSERT INTO webhooks (name, url, client, kinds, sealed_secret, created_by, created_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (name) DO NOTHING RETURNING *",
                params![
                    new.name,
                    new.url,
                    new.client,
                    joined(&new.kinds),
                    new.sealed_secret,
                    new.created_by,
                    to_micros(at)
                ],
                webhook,
            );
            added.optional().map_err(failed("add a webhook"))?.ok_or_else(|| {
                let message = format!("there is a webhook \"{}\" already; choose another name", new.name);
                Error::new(Kind::Exists, message)
            })
        })
    }

    /// Every webhook, by name.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn webhooks(&self) -> Result<Vec<WebhookRow>> {
        self.read("list webhooks", |conn| {
            conn.prepare_cached("SELECT * FROM webhooks ORDER BY name")?
                .query_map([], webhook)?
                .collect()
        })
    }

    /// The webhook with this number.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn webhook(&self, id: i64) -> Result<Option<WebhookRow>> {
        self.read("read a webhook", |conn| {
            conn.prepare_cached("SELECT * FROM webhooks WHERE id = ?1")?
                .query_row([id], webhook)
                .optional()
        })
    }

    /// The sealed secrets that sign a webhook's messages now, the newer one first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn webhook_secrets(&self, id: i64, now: Timestamp) -> Result<Vec<Vec<u8>>> {
        self.read("read a webhook's secrets", |conn| {
            let found: Option<(Vec<u8>, Option<Vec<u8>>)> = conn
                .prepare_cached(
                    "SELECT sealed_secret, CASE WHEN old_until > ?2 THEN sealed_old_secret END
                     FROM webhooks WHERE id = ?1",
                )?
                .query_row(params![id, to_micros(now)], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            Ok(found.into_iter().flat_map(|(new, old)| [Some(new), old]).flatten().collect())
        })
    }

    /// Gives a webhook another secret; the one before signs too until `old_until`.
    ///
    /// # Errors
    /// `Kind::NotFound`.
    pub fn set_webhook_secret(
        &self,
        id: i64,
        sealed: Vec<u8>,
        old_until: Option<Timestamp>,
    ) -> Result<()> {
        self.write(move |conn| {
            let changed = conn
                .execute(
                    "UPDATE webhooks SET sealed_old_secret = CASE WHEN ?3 IS NULL THEN NULL ELSE sealed_secret END,
                         sealed_secret = ?2, old_until = ?3 WHERE id = ?1",
                    params![id, sealed, old_until.map(to_micros)],
                )
                .map_err(failed("change a webhook's secret"))?;
            if changed == 0 { Err(gone()) } else { Ok(()) }
        })
    }

    /// Removes a webhook; what waits for it is withdrawn.
    ///
    /// # Errors
    /// `Kind::NotFound`.
    pub fn remove_webhook(&self, id: i64, at: Timestamp) -> Result<()> {
        self.write(move |conn| {
            let removed = conn
                .execute("DELETE FROM webhooks WHERE id = ?1", [id])
                .and_then(|rows| withdraw(conn, id, at, "the webhook was removed").map(|()| rows))
                .map_err(failed("remove a webhook"))?;
            if removed == 0 { Err(gone()) } else { Ok(()) }
        })
    }

    /// Pauses a webhook: what waits is withdrawn, and remembered to go on from; `false`: it is paused already, or gone.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn pause_webhook(&self, id: i64, at: Timestamp, why: &str) -> Result<bool> {
        let why = why.to_owned();
        self.write(move |conn| {
            let pause = || -> rusqlite::Result<bool> {
                let first: Option<i64> = conn
                    .prepare_cached(
                        "SELECT min(payload ->> '$.events[0]') FROM outbox
                         WHERE lane = ?1 AND state = 'waiting'",
                    )?
                    .query_row([webhook_lane(id)], |row| row.get(0))?;
                let paused = conn
                    .prepare_cached(
                        "UPDATE webhooks SET paused_at = ?2, paused_why = ?3, paused_after = coalesce(?4 - 1,
                             (SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0)
                         WHERE id = ?1 AND paused_at IS NULL",
                    )?
                    .execute(params![id, to_micros(at), why, first])?;
                if paused > 0 {
                    withdraw(conn, id, at, "the webhook was paused; its events are queued again when it goes on")?;
                }
                Ok(paused > 0)
            };
            pause().map_err(failed("pause a webhook"))
        })
    }

    /// Lets a paused webhook go on; what happened meanwhile is queued. Returns how many events that is; `None`: it is not paused.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn resume_webhook(&self, id: i64, at: Timestamp) -> Result<Option<u64>> {
        self.write(move |conn| {
            let resume = || -> rusqlite::Result<Option<u64>> {
                let after: Option<i64> = conn
                    .prepare_cached(
                        "SELECT paused_after FROM webhooks WHERE id = ?1 AND paused_at IS NOT NULL",
                    )?
                    .query_row([id], |row| row.get(0))
                    .optional()?;
                let Some(after) = after else { return Ok(None) };
                conn.prepare_cached(
                    "UPDATE webhooks SET paused_at = NULL, paused_why = NULL, paused_after = NULL,
                         failing_since = NULL WHERE id = ?1",
                )?
                .execute([id])?;
                queue_again(conn, id, after, at).map(Some)
            };
            resume().map_err(failed("let a webhook go on"))
        })
    }

    /// Queues events after this number once more for a webhook; how many.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn redeliver_webhook(&self, id: i64, after: i64, at: Timestamp) -> Result<u64> {
        self.write(move |conn| {
            queue_again(conn, id, after, at).map_err(failed("queue a webhook's events again"))
        })
    }

    /// The first event that a webhook's address was given up for; `None`: none was.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn first_given_up(&self, id: i64) -> Result<Option<i64>> {
        self.read("read what was given up", |conn| {
            conn.prepare_cached(
                "SELECT min(payload ->> '$.events[0]') FROM outbox WHERE lane = ?1 AND state = 'failed'",
            )?
            .query_row([webhook_lane(id)], |row| row.get(0))
        })
    }

    /// Notes that a webhook's address was reached, or not; since when it has not been.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn note_webhook(&self, id: i64, failed_at: Option<Timestamp>) -> Result<Option<Timestamp>> {
        self.write(move |conn| {
            let since: Option<Option<i64>> = conn
                .prepare_cached(
                    "UPDATE webhooks SET failing_since = CASE WHEN ?2 IS NULL THEN NULL
                         ELSE coalesce(failing_since, ?2) END WHERE id = ?1 RETURNING failing_since",
                )
                .and_then(|mut s| {
                    s.query_row(params![id, failed_at.map(to_micros)], |row| row.get(0)).optional()
                })
                .map_err(failed("note how a webhook fares"))?;
            since.flatten().map(from_micros).transpose().map_err(failed("read a time"))
        })
    }

    /// The events with these numbers that are still kept, in order.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn events_of(&self, errand: &Errand) -> Result<Vec<Event>> {
        let wanted = serde_json::to_string(&errand.events).unwrap_or_default();
        self.read("read a webhook's events", |conn| {
            conn.prepare_cached(
                "SELECT * FROM events WHERE id IN (SELECT value FROM json_each(?1)) ORDER BY id",
            )?
            .query_map([&wanted], super::events::event)?
            .collect()
        })
    }
}

/// Queues events that were just told for every webhook that wants them.
pub(super) fn queue(conn: &Connection, told: &[Told], at: Timestamp) -> rusqlite::Result<()> {
    if told.is_empty() {
        return Ok(());
    }
    let webhooks: Vec<(WebhookRow, i64)> = conn
        .prepare_cached("SELECT * FROM webhooks WHERE paused_at IS NULL ORDER BY id")?
        .query_map([], |row| Ok((webhook(row)?, row.get("round")?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (webhook, round) in webhooks {
        queue_for(conn, &webhook, round, told, at)?;
    }
    Ok(())
}

/// What queueing needs of an event.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub id: i64,
    pub kind: EventKind,
    pub client: Option<String>,
}

fn queue_again(conn: &Connection, id: i64, after: i64, at: Timestamp) -> rusqlite::Result<u64> {
    let found = conn
        .prepare_cached("UPDATE webhooks SET round = round + 1 WHERE id = ?1 RETURNING *")?
        .query_row([id], |row| Ok((webhook(row)?, row.get("round")?)))
        .optional()?;
    let Some((webhook, round)) = found else { return Ok(0) };
    let told: Vec<Told> = conn
        .prepare_cached("SELECT id, kind, client FROM events WHERE id > ?1 ORDER BY id")?
        .query_map([after], |row| {
            Ok(Told { id: row.get(0)?, kind: word(row, "kind")?, client: row.get(2)? })
        })?
        .collect::<rusqlite::Result<_>>()?;
    queue_for(conn, &webhook, round, &told, at)
}

/// Queues what a webhook wants, a message's worth in each job; how many events.
fn queue_for(
    conn: &Connection,
    webhook: &WebhookRow,
    round: i64,
    told: &[Told],
    at: Timestamp,
) -> rusqlite::Result<u64> {
    let wants = |event: &&Told| {
        webhook.kinds.contains(&event.kind)
            && (webhook.client.is_none() || webhook.client == event.client)
    };
    let wanted: Vec<&Told> = told.iter().filter(wants).collect();
    // A job belongs to one client: it goes when that is erased.
    for of_client in wanted.chunk_by(|a, b| a.client == b.client) {
        for part in of_client.chunks(WEBHOOK_EVENTS) {
            let events: Vec<i64> = part.iter().map(|event| event.id).collect();
            let (Some(first), Some(last)) = (events.first(), events.last()) else { continue };
            let job = NewJob {
                client: part.first().and_then(|event| event.client.clone()),
                kind: JobKind::Webhook,
                lane: webhook_lane(webhook.id),
                key: format!("webhook/{}/{first}-{last}/{round}", webhook.id),
                // Numbers: writing them cannot fail.
                payload: serde_json::to_string(&Errand { webhook: webhook.id, events })
                    .unwrap_or_default(),
                not_before: at,
            };
            insert_job(conn, &job, at)?;
        }
    }
    Ok(u64::try_from(wanted.len()).unwrap_or(u64::MAX))
}

fn withdraw(conn: &Connection, id: i64, at: Timestamp, why: &str) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE outbox SET state = ?2, finished_at = ?3, failure = ?4
         WHERE lane = ?1 AND state = 'waiting'",
    )?
    .execute(params![webhook_lane(id), JobState::Withdrawn.name(), to_micros(at), why])
    .map(drop)
}

/// The lane of a webhook's jobs.
#[must_use]
pub fn webhook_lane(id: i64) -> String {
    format!("webhook/{id}")
}

fn joined(kinds: &[EventKind]) -> String {
    let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
    names.join(",")
}

fn gone() -> Error {
    Error::new(Kind::NotFound, "this webhook is not there any more; see `rollcall webhooks list`")
}

fn webhook(row: &Row<'_>) -> rusqlite::Result<WebhookRow> {
    let time = |column: &str| -> rusqlite::Result<Option<Timestamp>> {
        row.get::<_, Option<i64>>(column)?.map(from_micros).transpose()
    };
    let kinds: String = row.get("kinds")?;
    Ok(WebhookRow {
        id: row.get("id")?,
        name: row.get("name")?,
        url: row.get("url")?,
        client: row.get("client")?,
        kinds: kinds.split(',').filter_map(|kind| kind.parse().ok()).collect(),
        old_until: time("old_until")?,
        created_by: row.get("created_by")?,
        created_at: instant(row, "created_at")?,
        paused_at: time("paused_at")?,
        paused_why: row.get("paused_why")?,
        failing_since: time("failing_since")?,
    })
}
