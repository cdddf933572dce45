//! API tokens: what is kept of them is their SHA-256 only.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

use super::Registry;
use super::administrators::{TokenHash, optional_instant};
use crate::error::Result;
use crate::model::ApiToken;
use crate::store::{failed, instant, to_micros};

impl Registry {
    /// Adds an API token and returns its number.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn insert_api_token(&self, hash: TokenHash, new: &ApiToken) -> Result<i64> {
        let new = new.clone();
        self.write(move |conn| {
            let scopes: Vec<&str> = new.scopes.iter().map(|scope| scope.name()).collect();
            conn.prepare_cached(
                "INSERT INTO api_tokens (token, name, client, scopes, created_by, created_at, expires_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )
            .and_then(|mut s| {
                s.insert(params![
                    hash,
                    new.name,
                    new.client,
                    scopes.join(","),
                    new.created_by,
                    to_micros(new.created_at),
                    new.expires_at.map(to_micros)
                ])
            })
            .map_err(failed("add an API token"))
        })
    }

    /// The API token behind a hash, whatever its state.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn api_token(&self, hash: TokenHash) -> Result<Option<ApiToken>> {
        self.read("read an API token", |conn| {
            conn.prepare_cached("SELECT * FROM api_tokens WHERE token = ?1")?
                .query_row([hash], api_token)
                .optional()
        })
    }

    /// All API tokens, the newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn api_tokens(&self) -> Result<Vec<ApiToken>> {
        self.read("list API tokens", |conn| {
            conn.prepare_cached("SELECT * FROM api_tokens ORDER BY id DESC")?
                .query_map([], api_token)?
                .collect()
        })
    }

    /// Notes that a token was used.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn touch_api_token(&self, id: i64, at: Timestamp) -> Result<()> {
        self.write_later(move |conn| {
            conn.execute(
                "UPDATE api_tokens SET last_used_at = ?2 WHERE id = ?1",
                params![id, to_micros(at)],
            )
            .map(drop)
            .map_err(failed("note an API token's use"))
        })
    }

    /// Revokes a token; `None`: there is none of that number.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn revoke_api_token(&self, id: i64, at: Timestamp) -> Result<Option<ApiToken>> {
        self.write(move |conn| {
            conn.query_row(
                "UPDATE api_tokens SET revoked_at = coalesce(revoked_at, ?2) WHERE id = ?1 RETURNING *",
                params![id, to_micros(at)],
                api_token,
            )
            .optional()
            .map_err(failed("revoke an API token"))
        })
    }
}

fn api_token(row: &Row<'_>) -> rusqlite::Result<ApiToken> {
    let scopes: String = row.get("scopes")?;
    Ok(ApiToken {
        id: row.get("id")?,
        name: row.get("name")?,
        client: row.get("client")?,
        scopes: scopes.split(',').filter_map(|scope| scope.parse().ok()).collect(),
        created_by: row.get("created_by")?,
        created_at: instant(row, "created_at")?,
        expires_at: optional_instant(row, "expires_at")?,
        last_used_at: optional_instant(row, "last_used_at")?,
        revoked_at: optional_instant(row, "revoked_at")?,
    })
}
