//! Idempotency keys of the REST API: what a request with a key was, and what it was answered.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};
use uuid::Uuid;

use super::Registry;
use crate::error::Result;
use crate::store::{failed, to_micros, word};

/// The schema's step.
pub(super) const STEP: &str = r"
-- print: SHA-256 over method, address and body. run: the process that works on it; status is NULL until it is answered.
-- reserved: the id that what is made gets, so that a crash in between makes it once.
CREATE TABLE api_repeats (
    token    INTEGER NOT NULL REFERENCES api_tokens(id) ON DELETE CASCADE,
    key      TEXT NOT NULL,
    print    TEXT NOT NULL,
    client   TEXT REFERENCES clients(slug) ON DELETE CASCADE,
    reserved TEXT NOT NULL,
    run      TEXT NOT NULL,
    at       INTEGER NOT NULL,
    status   INTEGER,
    kind     TEXT,
    location TEXT,
    body     BLOB,
    PRIMARY KEY (token, key)
) STRICT;
CREATE INDEX api_repeats_age ON api_repeats(at);
";

/// A request with an idempotency key.
#[derive(Debug, Clone)]
pub struct NewRepeat {
    /// The API token's number.
    pub token: i64,
    /// The key.
    pub key: String,
    /// SHA-256 over what was asked, as hex digits.
    pub print: String,
    /// The client that it is about: the answer is erased with it.
    pub client: Option<String>,
    /// The id for what is made.
    pub reserved: Uuid,
    /// The process that works on it.
    pub run: Uuid,
    /// When it came.
    pub at: Timestamp,
}

/// An answer that was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The media type.
    pub kind: Option<String>,
    /// The address of what was made.
    pub location: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

/// What a key is known for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repeat {
    /// Nothing, or an unanswered request of a process that is gone: do it, with this id.
    First(Uuid),
    /// The same request, answered.
    Answered(KeptAnswer),
    /// The same request, which is being worked on.
    Running,
    /// Another request.
    Other,
}

struct Known {
    print: String,
    reserved: Uuid,
    run: Uuid,
    answer: Option<KeptAnswer>,
}

impl Registry {
    /// Begins a request with a key, or says what became of the first with this key. Keys from before `forget` are forgotten.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn begin_repeat(&self, new: &NewRepeat, forget: Timestamp) -> Result<Repeat> {
        let new = new.clone();
        self.write(move |conn| {
            let begin = || -> rusqlite::Result<Repeat> {
                conn.prepare_cached("DELETE FROM api_repeats WHERE at < ?1")?
                    .execute([to_micros(forget)])?;
                let known = conn
                    .prepare_cached("SELECT * FROM api_repeats WHERE token = ?1 AND key = ?2")?
                    .query_row(params![new.token, new.key], known)
                    .optional()?;
                match known {
                    Some(known) if known.print != new.print => return Ok(Repeat::Other),
                    Some(Known { answer: Some(answer), .. }) => {
                        return Ok(Repeat::Answered(answer));
                    }
                    Some(known) if known.run == new.run => return Ok(Repeat::Running),
                    Some(known) => {
                        conn.prepare_cached(
                            "UPDATE api_repeats SET run = ?3 WHERE token = ?1 AND key = ?2",
                        )?
                        .execute(params![
                            new.token,
                            new.key,
                            new.run.to_string()
                        ])?;
                        return Ok(Repeat::First(known.reserved));
                    }
                    None => {}
                }
                conn.prepare_cached(
                    "INSERT INTO api_repeats (token, key, print, client, reserved, run, at)
                     VALUES (?1, ?2, ?3, (SELECT slug FROM clients WHERE slug = ?4), ?5, ?6, ?7)",
                )?
                .execute(params![
                    new.token,
                    new.key,
                    new.print,
                    new.client,
                    new.reserved.to_string(),
                    new.run.to_string(),
                    to_micros(new.at)
                ])?;
                Ok(Repeat::First(new.reserved))
            };
            begin().map_err(failed("note an idempotency key"))
        })
    }

    /// Keeps the answer to a request with a key; `None`: nothing was done, so that the key is free again.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn end_repeat(&self, token: i64, key: &str, answer: Option<KeptAnswer>) -> Result<()> {
        let key = key.to_owned();
        self.write(move |conn| {
            let end = || match answer {
                None => conn
                    .prepare_cached("DELETE FROM api_repeats WHERE token = ?1 AND key = ?2")?
                    .execute(params![token, key]),
                Some(answer) => conn
                    .prepare_cached(
                        "UPDATE api_repeats SET status = ?3, kind = ?4, location = ?5, body = ?6
                         WHERE token = ?1 AND key = ?2",
                    )?
                    .execute(params![
                        token,
                        key,
                        answer.status,
                        answer.kind,
                        answer.location,
                        answer.body
                    ]),
            };
            end().map(|_| ()).map_err(failed("keep the answer to an idempotency key"))
        })
    }
}

fn known(row: &Row<'_>) -> rusqlite::Result<Known> {
    let status: Option<u16> = row.get("status")?;
    let answer = match status {
        None => None,
        Some(status) => Some(KeptAnswer {
            status,
            kind: row.get("kind")?,
            location: row.get("location")?,
            body: row.get::<_, Option<Vec<u8>>>("body")?.unwrap_or_default(),
        }),
    };
    Ok(Known {
        print: row.get("print")?,
        reserved: word(row, "reserved")?,
        run: word(row, "run")?,
        answer,
    })
}
