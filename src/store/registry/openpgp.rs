//! OpenPGP keys of clients: our own for each, and those of whoever sends or receives; passwords of zips.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

use super::Registry;
use crate::error::{Error, Kind, Result};
use crate::store::{failed, from_micros, instant, to_micros};

/// The schema's step.
pub(super) const STEP: &str = r"
-- Our own keys. Each reads what is sent to it; a retired one only what was received before.
CREATE TABLE pgp_keys (
    client      TEXT NOT NULL REFERENCES clients(slug) ON DELETE CASCADE,
    fingerprint TEXT NOT NULL,
    public_key  TEXT NOT NULL,
    sealed_key  BLOB NOT NULL,
    created_at  INTEGER NOT NULL,
    retired_at  INTEGER,
    PRIMARY KEY (client, fingerprint)
) STRICT;
-- Other people's public keys: whose signatures count, for whom exports are encrypted.
CREATE TABLE pgp_partners (
    client      TEXT NOT NULL REFERENCES clients(slug) ON DELETE CASCADE,
    fingerprint TEXT NOT NULL,
    name        TEXT NOT NULL,
    public_key  TEXT NOT NULL,
    added_at    INTEGER NOT NULL,
    PRIMARY KEY (client, fingerprint)
) STRICT;
-- Passwords of encrypted zips, sealed, by folder.
CREATE TABLE zip_passwords (
    client TEXT NOT NULL,
    folder TEXT NOT NULL,
    sealed_password BLOB NOT NULL,
    PRIMARY KEY (client, folder),
    FOREIGN KEY (client, folder) REFERENCES folders(client, name) ON DELETE CASCADE
) STRICT;
";

/// A key pair of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PgpKey {
    /// In hex digits.
    pub fingerprint: String,
    /// The public half, armored.
    pub public_key: String,
    /// The secret half, sealed.
    pub sealed_key: Vec<u8>,
    /// Since when.
    pub created_at: Timestamp,
    /// What was received later is not read with it.
    pub retired_at: Option<Timestamp>,
}

/// Somebody else's public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PgpPartner {
    /// In hex digits.
    pub fingerprint: String,
    /// The name given by the operator.
    pub name: String,
    /// The key, armored.
    pub public_key: String,
    /// Since when.
    pub added_at: Timestamp,
}

impl Registry {
    /// Keeps a new key pair.
    ///
    /// # Errors
    /// When the database cannot be written, also because the sealing key was exchanged meanwhile.
    pub fn add_pgp_key(&self, client: &str, key: &PgpKey) -> Result<()> {
        let (client, key) = (client.to_owned(), key.clone());
        self.write(move |conn| {
            conn.execute(
                "INSERT INTO pgp_keys (client, fingerprint, public_key, sealed_key, created_at)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![
                    client,
                    key.fingerprint,
                    key.public_key,
                    key.sealed_key,
                    to_micros(key.created_at)
                ],
            )
            .map(drop)
            .map_err(failed("keep an OpenPGP key"))
        })
    }

    /// A client's key pairs, the newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn pgp_keys(&self, client: &str) -> Result<Vec<PgpKey>> {
        self.read("list OpenPGP keys", |conn| {
            conn.prepare_cached(
                "SELECT * FROM pgp_keys WHERE client = ?1 ORDER BY created_at DESC, rowid DESC",
            )?
            .query_map([client], key)?
            .collect()
        })
    }

    /// Retires a key pair; `false`: it was retired already.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn retire_pgp_key(&self, client: &str, fingerprint: &str, at: Timestamp) -> Result<bool> {
        let (client, fingerprint) = (client.to_owned(), fingerprint.to_owned());
        self.write(move |conn| {
            conn.execute(
                "UPDATE pgp_keys SET retired_at = ?3
                 WHERE client = ?1 AND fingerprint = ?2 AND retired_at IS NULL",
                params![client, fingerprint, to_micros(at)],
            )
            .map(|rows| rows > 0)
            .map_err(failed("retire an OpenPGP key"))
        })
    }

    /// Keeps somebody's public key; one with the same fingerprint takes its place (a new date of expiry).
    ///
    /// # Errors
    /// `Kind::Exists` for a name that another key has.
    pub fn put_pgp_partner(&self, client: &str, partner: &PgpPartner) -> Result<()> {
        let (client, partner) = (client.to_owned(), partner.clone());
        self.write(move |conn| {
            let other: Option<String> = conn
                .query_row(
                    "SELECT fingerprint FROM pgp_partners
                     WHERE client = ?1 AND name = ?2 AND fingerprint <> ?3",
                    params![client, partner.name, partner.fingerprint],
                    |row| row.get(0),
                )
                .optional()
                .map_err(failed("look for a partner's name"))?;
            if let Some(other) = other {
                let name = &partner.name;
                return Err(Error::new(
                    Kind::Exists,
                    format!("the key {other} is called \"{name}\" already; give another name"),
                ));
            }
            conn.execute(
                "INSERT INTO pgp_partners (client, fingerprint, name, public_key, added_at)
                 VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (client, fingerprint) DO UPDATE SET name = ?3, public_key = ?4",
                params![
                    client,
                    partner.fingerprint,
                    partner.name,
                    partner.public_key,
                    to_micros(partner.added_at)
                ],
            )
            .map(drop)
            .map_err(failed("keep a partner's key"))
        })
    }

    /// The public keys of a client's partners, by name.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn pgp_partners(&self, client: &str) -> Result<Vec<PgpPartner>> {
        self.read("list partners' keys", |conn| {
            conn.prepare_cached("SELECT * FROM pgp_partners WHERE client = ?1 ORDER BY name")?
                .query_map([client], partner)?
                .collect()
        })
    }

    /// Forgets somebody's public key; `false`: there was none.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn remove_pgp_partner(&self, client: &str, fingerprint: &str) -> Result<bool> {
        let (client, fingerprint) = (client.to_owned(), fingerprint.to_owned());
        self.write(move |conn| {
            conn.execute(
                "DELETE FROM pgp_partners WHERE client = ?1 AND fingerprint = ?2",
                params![client, fingerprint],
            )
            .map(|rows| rows > 0)
            .map_err(failed("forget a partner's key"))
        })
    }

    /// Sets the password of a folder's encrypted zips; `None` takes it away.
    ///
    /// # Errors
    /// When the database cannot be written, also because the sealing key was exchanged meanwhile.
    pub fn set_zip_password(
        &self,
        client: &str,
        folder: &str,
        sealed: Option<&[u8]>,
    ) -> Result<()> {
        let (client, folder) = (client.to_owned(), folder.to_owned());
        let sealed = sealed.map(<[u8]>::to_vec);
        self.write(move |conn| {
            let done = match sealed {
                Some(sealed) => conn.execute(
                    "INSERT INTO zip_passwords (client, folder, sealed_password) VALUES (?1, ?2, ?3)
                     ON CONFLICT (client, folder) DO UPDATE SET sealed_password = ?3",
                    params![client, folder, sealed],
                ),
                None => conn.execute(
                    "DELETE FROM zip_passwords WHERE client = ?1 AND folder = ?2",
                    params![client, folder],
                ),
            };
            done.map(drop).map_err(failed("set a folder's zip password"))
        })
    }

    /// The sealed password of a folder's encrypted zips.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn zip_password(&self, client: &str, folder: &str) -> Result<Option<Vec<u8>>> {
        self.read("read a folder's zip password", |conn| {
            conn.prepare_cached(
                "SELECT sealed_password FROM zip_passwords WHERE client = ?1 AND folder = ?2",
            )?
            .query_row([client, folder], |row| row.get(0))
            .optional()
        })
    }
}

fn key(row: &Row<'_>) -> rusqlite::Result<PgpKey> {
    let retired: Option<i64> = row.get("retired_at")?;
    Ok(PgpKey {
        fingerprint: row.get("fingerprint")?,
        public_key: row.get("public_key")?,
        sealed_key: row.get("sealed_key")?,
        created_at: instant(row, "created_at")?,
        retired_at: retired.map(from_micros).transpose()?,
    })
}

fn partner(row: &Row<'_>) -> rusqlite::Result<PgpPartner> {
    Ok(PgpPartner {
        fingerprint: row.get("fingerprint")?,
        name: row.get("name")?,
        public_key: row.get("public_key")?,
        added_at: instant(row, "added_at")?,
    })
}
