//! Accounts on clients' own servers: where they are, how they are recognised, the sealed secrets.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

use super::Registry;
use super::access::{NewAccount, insert_whole, no_account};
use crate::error::{Error, Kind, Result};
use crate::model::{Protocol, RemoteServer, ServerTrust};
use crate::store::{failed, from_micros, to_micros, unreadable};

/// The schema's step.
pub(super) const STEP: &str = r"
-- An account on the client's own server: its row in accounts has no password, no keys and the host profile 'client-server'.
-- Sealed columns: sealed.rs. public_key: that of the sealed private key. trust: 'pin', 'platform' or 'ca'; pins: one a line.
CREATE TABLE remote_servers (
    login             TEXT PRIMARY KEY REFERENCES accounts(login) ON DELETE CASCADE,
    host              TEXT NOT NULL,
    port              INTEGER NOT NULL,
    remote_login      TEXT NOT NULL,
    sealed_password   BLOB,
    sealed_key        BLOB,
    sealed_passphrase BLOB,
    public_key        TEXT,
    trust             TEXT NOT NULL,
    pins              TEXT NOT NULL,
    ca                TEXT,
    last_reached_at   INTEGER,
    last_failure      TEXT
) STRICT;
CREATE TRIGGER access_remote_change AFTER UPDATE OF host, port, remote_login, trust, pins, ca ON remote_servers
    BEGIN UPDATE access_version SET version = version + 1; END;
";

/// Accounts with what [`remote_server`] reads; a WHERE may follow.
pub(super) const ACCOUNTS: &str =
    "SELECT * FROM accounts LEFT JOIN (SELECT login AS of_login, host, port, remote_login
                                       FROM remote_servers) ON of_login = login";

/// The secret with which we log in, sealed.
#[derive(Clone, PartialEq, Eq)]
pub enum SealedSecret {
    /// A password.
    Password(Vec<u8>),
    /// A private key.
    Key {
        /// The key file's text.
        key: Vec<u8>,
        /// Its passphrase.
        passphrase: Option<Vec<u8>>,
        /// Its public half, in OpenSSH's format: no secret.
        public_key: String,
    },
}

/// What is known of the server behind an account.
#[derive(Clone, PartialEq, Eq)]
pub struct RemoteAccount {
    /// Where it is.
    pub server: RemoteServer,
    /// How it is recognised.
    pub trust: ServerTrust,
    /// How we prove who we are.
    pub secret: SealedSecret,
    /// When it was last reached.
    pub last_reached_at: Option<Timestamp>,
    /// Why not, since then.
    pub last_failure: Option<String>,
}

/// What to change of it; `None` leaves a value as it is.
#[derive(Clone, Default)]
pub struct RemotePatch {
    /// Where it is.
    pub server: Option<RemoteServer>,
    /// The connection type.
    pub protocol: Option<Protocol>,
    /// How it is recognised.
    pub trust: Option<ServerTrust>,
    /// How we prove who we are.
    pub secret: Option<SealedSecret>,
}

impl Registry {
    /// Adds an account on a client's own server.
    ///
    /// # Errors
    /// As [`Registry::add_account`]; `Kind::Conflict` when the sealing key was exchanged meanwhile.
    pub fn add_remote_account(&self, new: &NewAccount, remote: &RemoteAccount) -> Result<()> {
        let (new, remote) = (new.clone(), remote.clone());
        self.write(move |conn| {
            insert_whole(conn, &new)?;
            let login = &new.account.login;
            let (password, key, passphrase, public_key) = columns(&remote.secret);
            let (trust, pins, ca) = trust_columns(&remote.trust);
            let RemoteServer { host, port, login: remote_login } = &remote.server;
            conn.execute(
                "INSERT INTO remote_servers (login, host, port, remote_login, sealed_password,
                     sealed_key, sealed_passphrase, public_key, trust, pins, ca)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
                params![
                    login,
                    host,
                    port,
                    remote_login,
                    password,
                    key,
                    passphrase,
                    public_key,
                    trust,
                    pins,
                    ca
                ],
            )
            .map_err(|error| refused(login, error))?;
            Ok(())
        })
    }

    /// What is known of the server behind an account; `None`: it is hosted here, or unknown.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn remote_account(&self, login: &str) -> Result<Option<RemoteAccount>> {
        self.read("read an account on a client's server", |conn| {
            conn.prepare_cached("SELECT * FROM remote_servers WHERE login = ?1")?
                .query_row([login], remote_account)
                .optional()
        })
    }

    /// Changes where the server is, how it is recognised, the secret.
    ///
    /// # Errors
    /// `Kind::NotFound`; `Kind::Conflict` when the sealing key was exchanged meanwhile.
    pub fn update_remote_account(&self, login: &str, patch: &RemotePatch) -> Result<()> {
        let (login, patch) = (login.to_owned(), patch.clone());
        self.write(move |conn| {
            let known = conn
                .prepare_cached("SELECT 1 FROM remote_servers WHERE login = ?1")
                .and_then(|mut s| s.exists([&login]))
                .map_err(failed("look the account up"))?;
            if !known {
                return Err(no_account(&login));
            }
            let mut changes = Vec::new();
            if let Some(RemoteServer { host, port, login: remote_login }) = &patch.server {
                changes.push(conn.execute(
                    "UPDATE remote_servers SET host = ?2, port = ?3, remote_login = ?4
                     WHERE login = ?1",
                    params![login, host, port, remote_login],
                ));
            }
            if let Some(protocol) = patch.protocol {
                changes.push(conn.execute(
                    "UPDATE accounts SET protocols = ?2 WHERE login = ?1",
                    [&login, protocol.name()],
                ));
            }
            if let Some(trust) = &patch.trust {
                let (trust, pins, ca) = trust_columns(trust);
                changes.push(conn.execute(
                    "UPDATE remote_servers SET trust = ?2, pins = ?3, ca = ?4 WHERE login = ?1",
                    params![login, trust, pins, ca],
                ));
            }
            if let Some(secret) = &patch.secret {
                let (password, key, passphrase, public_key) = columns(secret);
                changes.push(conn.execute(
                    "UPDATE remote_servers SET sealed_password = ?2, sealed_key = ?3,
                         sealed_passphrase = ?4, public_key = ?5 WHERE login = ?1",
                    params![login, password, key, passphrase, public_key],
                ));
            }
            changes.into_iter().try_for_each(|changed| match changed {
                Ok(_) => Ok(()),
                Err(error) => Err(refused(&login, error)),
            })
        })
    }

    /// Notes that the server was reached, or why not.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn note_remote(&self, login: &str, at: Timestamp, failure: Option<&str>) -> Result<()> {
        let (login, failure) = (login.to_owned(), failure.map(str::to_owned));
        self.write(move |conn| {
            let reached_at = failure.is_none().then(|| to_micros(at));
            conn.execute(
                "UPDATE remote_servers SET last_reached_at = coalesce(?2, last_reached_at),
                     last_failure = ?3 WHERE login = ?1",
                params![login, reached_at, failure],
            )
            .map_err(failed("note whether a client's server was reached"))?;
            Ok(())
        })
    }
}

/// The columns of a secret: password, key, passphrase, public key.
type SecretColumns<'a> = (Option<&'a [u8]>, Option<&'a [u8]>, Option<&'a [u8]>, Option<&'a str>);

fn columns(secret: &SealedSecret) -> SecretColumns<'_> {
    match secret {
        SealedSecret::Password(password) => (Some(password), None, None, None),
        SealedSecret::Key { key, passphrase, public_key } => {
            (None, Some(key), passphrase.as_deref(), Some(public_key))
        }
    }
}

fn trust_columns(trust: &ServerTrust) -> (&'static str, String, Option<&str>) {
    match trust {
        ServerTrust::Pins(pins) => ("pin", pins.join("\n"), None),
        ServerTrust::Platform => ("platform", String::new(), None),
        ServerTrust::Ca(pem) => ("ca", String::new(), Some(pem)),
    }
}

/// The server's place, of a row of [`ACCOUNTS`].
pub(super) fn remote_server(row: &Row<'_>) -> rusqlite::Result<Option<RemoteServer>> {
    let Some(host) = row.get("host")? else { return Ok(None) };
    Ok(Some(RemoteServer { host, port: row.get("port")?, login: row.get("remote_login")? }))
}

fn remote_account(row: &Row<'_>) -> rusqlite::Result<RemoteAccount> {
    let text = rusqlite::types::Type::Text;
    let trust: String = row.get("trust")?;
    let pins: String = row.get("pins")?;
    let trust = match trust.as_str() {
        "pin" => ServerTrust::Pins(pins.lines().map(str::to_owned).collect()),
        "platform" => ServerTrust::Platform,
        "ca" => ServerTrust::Ca(row.get("ca")?),
        other => return Err(unreadable(text, format!("trust \"{other}\" is not known"))),
    };
    let secret = match (row.get("sealed_password")?, row.get("sealed_key")?) {
        (Some(password), _) => SealedSecret::Password(password),
        (None, Some(key)) => SealedSecret::Key {
            key,
            passphrase: row.get("sealed_passphrase")?,
            public_key: row.get::<_, Option<String>>("public_key")?.unwrap_or_default(),
        },
        (None, None) => return Err(unreadable(text, "neither password nor key is there")),
    };
    let last_reached_at: Option<i64> = row.get("last_reached_at")?;
    Ok(RemoteAccount {
        server: RemoteServer {
            host: row.get("host")?,
            port: row.get("port")?,
            login: row.get("remote_login")?,
        },
        trust,
        secret,
        last_reached_at: last_reached_at.map(from_micros).transpose()?,
        last_failure: row.get("last_failure")?,
    })
}

/// A trigger of sealed.rs refuses what another process's exchange of the key has overtaken.
fn refused(login: &str, error: rusqlite::Error) -> Error {
    let error = failed(format_args!("store the account \"{login}\""))(error);
    match error.kind() {
        Kind::Exists => Error::new(Kind::Conflict, error.message()),
        _ => error,
    }
}
