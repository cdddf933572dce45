//! Events for other programs: what happened, in one order, and how far each directory's has been told.

use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Registry;
use super::webhooks::{self, Told};
use crate::error::Result;
use crate::model::{Event, EventKind};
use crate::store::directory::Place;
use crate::store::{failed, instant, to_micros, unreadable};

/// The schema's step.
pub(super) const STEP: &str = r"
-- id is the cursor: one writer at a time gives the numbers, and AUTOINCREMENT none twice, so a reader that has seen one will
-- never find a smaller one new. key: nothing is told twice. data: JSON, without any value of a user's.
CREATE TABLE events (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    at      INTEGER NOT NULL,
    kind    TEXT NOT NULL,
    client  TEXT REFERENCES clients(slug) ON DELETE CASCADE,
    subject TEXT NOT NULL,
    data    TEXT NOT NULL,
    key     TEXT UNIQUE
) STRICT;
CREATE INDEX events_by_client ON events(client, id);
CREATE INDEX events_by_time ON events(at);
-- How far a client's directory has been told: the last import or event, the last user's number. -1: not yet looked at; what was
-- there before this program told anything is not told.
CREATE TABLE events_told (
    client TEXT PRIMARY KEY REFERENCES clients(slug) ON DELETE CASCADE,
    seq    INTEGER NOT NULL,
    user   INTEGER NOT NULL
) STRICT;
INSERT INTO events_told SELECT slug, -1, 0 FROM clients;
CREATE TRIGGER events_told_new AFTER INSERT ON clients
    BEGIN INSERT INTO events_told VALUES (NEW.slug, 0, 0); END;
";

/// An event to be told.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// What it is about.
    pub kind: EventKind,
    /// The client's slug; `None`: the whole server's.
    pub client: Option<String>,
    /// Which import, user, account ….
    pub subject: String,
    /// The rest.
    pub data: serde_json::Value,
    /// What it is told once by; empty: each call tells it.
    pub key: String,
}

/// Users' events, told together with how far they go.
#[derive(Debug, Clone)]
pub struct Move {
    /// The client's slug.
    pub client: String,
    /// How far they had been told when this was read.
    pub from: Option<Place>,
    /// How far they are told with this.
    pub to: Place,
    /// What they are told.
    pub events: Vec<NewEvent>,
}

/// Which events to list.
#[derive(Debug, Clone, Default)]
pub struct EventFilter {
    /// After this number.
    pub after: i64,
    /// Of this client.
    pub client: Option<String>,
    /// Of these kinds; empty: of all.
    pub kinds: Vec<EventKind>,
    /// At most so many.
    pub limit: u32,
}

/// The numbers of the events that are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EventSpan {
    /// The oldest that is kept; the next one's when none is.
    pub first: i64,
    /// The last that was ever told.
    pub last: i64,
}

impl Registry {
    /// Tells events, each with a key only once, and moves how far a directory has been told; a move that somebody else has made
    /// meanwhile tells nothing.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn tell(&self, events: Vec<NewEvent>, moved: Option<Move>, at: Timestamp) -> Result<()> {
        self.write(move |conn| {
            let tell = || -> rusqlite::Result<()> {
                insert_events(conn, &events, at)?;
                if let Some(moved) = &moved
                    && advance(conn, moved)?
                {
                    insert_events(conn, &moved.events, at)?;
                }
                Ok(())
            };
            tell().map_err(failed("note what happened"))
        })
    }

    /// How far a client's directory has been told; `None`: it was never looked at, or the client is gone.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn told_place(&self, client: &str) -> Result<Option<Place>> {
        self.read("read how far events were told", |conn| told_place(conn, client))
    }

    /// Events in their order.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn events(&self, filter: &EventFilter) -> Result<Vec<Event>> {
        self.read("list events", |conn| events(conn, filter))
    }

    /// The numbers of the first event that is kept and of the last one ever told.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn event_span(&self) -> Result<EventSpan> {
        self.read("read which events are kept", |conn| {
            let last: Option<i64> = conn
                .prepare_cached("SELECT seq FROM sqlite_sequence WHERE name = 'events'")?
                .query_row([], |row| row.get(0))
                .optional()?;
            let first: Option<i64> = conn
                .prepare_cached("SELECT min(id) FROM events")?
                .query_row([], |row| row.get(0))?;
            let last = last.unwrap_or(0);
            Ok(EventSpan { first: first.unwrap_or(last + 1), last })
        })
    }

    /// Forgets events told before this instant.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn forget_events(&self, before: Timestamp) -> Result<()> {
        self.write(move |conn| {
            conn.prepare_cached("DELETE FROM events WHERE at < ?1")
                .and_then(|mut s| s.execute([to_micros(before)]))
                .map(drop)
                .map_err(failed("forget old events"))
        })
    }
}

fn told_place(conn: &Connection, client: &str) -> rusqlite::Result<Option<Place>> {
    let place = conn
        .prepare_cached("SELECT seq, user FROM events_told WHERE client = ?1")?
        .query_row([client], |row| Ok(Place { seq: row.get(0)?, user: row.get(1)? }))
        .optional()?;
    Ok(place.filter(|place| place.seq >= 0))
}

/// Moves how far a directory was told, if it still stands where it was read.
fn advance(conn: &Connection, moved: &Move) -> rusqlite::Result<bool> {
    if told_place(conn, &moved.client)? != moved.from {
        return Ok(false);
    }
    conn.prepare_cached("UPDATE events_told SET seq = ?2, user = ?3 WHERE client = ?1")?
        .execute(params![moved.client, moved.to.seq, moved.to.user])
        .map(|rows| rows > 0)
}

/// Adds events, and queues them for the webhooks that want them; one whose key is known is left out.
pub(super) fn insert_events(
    conn: &Connection,
    events: &[NewEvent],
    at: Timestamp,
) -> rusqlite::Result<()> {
    let mut told = Vec::new();
    let mut insert = conn.prepare_cached(
        "INSERT INTO events (at, kind, client, subject, data, key)
         VALUES (?1, ?2, ?3, ?4, ?5, nullif(?6, '')) ON CONFLICT (key) DO NOTHING",
    )?;
    for new in events {
        let added = insert.execute(params![
            to_micros(at),
            new.kind.name(),
            new.client,
            new.subject,
            new.data.to_string(),
            new.key
        ])?;
        // RETURNING would make a table for each of them: there may be a thousand users' events at once.
        let id = (added > 0).then(|| conn.last_insert_rowid());
        told.extend(id.map(|id| Told { id, kind: new.kind, client: new.client.clone() }));
    }
    webhooks::queue(conn, &told, at)
}

fn events(conn: &Connection, filter: &EventFilter) -> rusqlite::Result<Vec<Event>> {
    let kinds: Vec<&str> = filter.kinds.iter().map(|kind| kind.name()).collect();
    let kinds = serde_json::to_string(&kinds).unwrap_or_default();
    let of = if filter.client.is_some() { "client = ?2" } else { "?2 IS NULL" };
    conn.prepare_cached(&format!(
        "SELECT * FROM events WHERE id > ?1 AND {of}
             AND (?3 = '[]' OR kind IN (SELECT value FROM json_each(?3))) ORDER BY id LIMIT ?4"
    ))?
    .query_map(params![filter.after, filter.client, kinds, filter.limit], event)?
    .collect()
}

pub(super) fn event(row: &Row<'_>) -> rusqlite::Result<Event> {
    let data: String = row.get("data")?;
    let kind: String = row.get("kind")?;
    Ok(Event {
        id: row.get("id")?,
        at: instant(row, "at")?,
        kind: kind.parse().map_err(|e: String| unreadable(Type::Text, e))?,
        client: row.get("client")?,
        subject: row.get("subject")?,
        data: serde_json::from_str(&data).map_err(|e| unreadable(Type::Text, e))?,
    })
}
