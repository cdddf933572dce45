//! Accounts, their keys, and what a login needs to know.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Registry;
use super::clients::{client, folders_of, insert_folder, no_client};
use super::limits::limits_of;
use super::remotes::{ACCOUNTS, remote_server};
use super::rules::{rights_of, rules_of};
use crate::error::{Error, Kind, Result};
use crate::model::{
    Account, AccountKey, AccountLimits, AccountRules, Client, Folder, Protocol, Rights, VPath,
};
use crate::store::{failed, from_micros, instant, to_micros, unreadable};

/// An account to be added, whole: with its keys and folders in one transaction.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// The account; `has_password` and `last_login_at` are not read.
    pub account: Account,
    /// The password's hash; `None`: only keys log in.
    pub password_hash: Option<String>,
    /// Its keys.
    pub keys: Vec<AccountKey>,
    /// Its folders, each with its import settings (TOML).
    pub folders: Vec<(Folder, Option<String>)>,
}

/// What to change of an account; `None` leaves a value as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccountPatch {
    /// The name that people read.
    pub name: Option<String>,
    /// The host profile.
    pub host_profile: Option<String>,
    /// The connection types that it may use.
    pub protocols: Option<Vec<Protocol>>,
    /// Whether it can log in.
    pub enabled: Option<bool>,
}

/// Everything that decides over a login, as it stands at one instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginFacts {
    /// The account.
    pub account: Account,
    /// Its client.
    pub client: Client,
    /// The password's hash (PHC string).
    pub password_hash: Option<String>,
    /// Its keys.
    pub keys: Vec<AccountKey>,
    /// Its folders, by path.
    pub folders: Vec<Folder>,
    /// What narrows it down.
    pub rules: AccountRules,
    /// What it may use.
    pub limits: AccountLimits,
    /// The rights in those folders that have their own.
    pub rights: Vec<(VPath, Rights)>,
}

impl Registry {
    /// Whether any account has a TLS client certificate among its keys.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn has_certificates(&self) -> Result<bool> {
        self.read("look for certificates of accounts", |conn| {
            conn.prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM account_keys WHERE public_key LIKE 'x509-sha256 %')",
            )?
            .query_row([], |row| row.get(0))
        })
    }

    /// Adds an account with its keys and folders.
    ///
    /// # Errors
    /// `Kind::Exists` for a login, folder name or path that is taken; `Kind::NotFound` for an unknown client.
    pub fn add_account(&self, new: &NewAccount) -> Result<()> {
        let new = new.clone();
        self.write(move |conn| insert_whole(conn, &new))
    }

    /// The accounts of a client, or of all clients, by login.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn accounts(&self, client: Option<&str>) -> Result<Vec<Account>> {
        self.read("list accounts", |conn| {
            let wanted = "WHERE ?1 IS NULL OR client = ?1 ORDER BY login";
            conn.prepare_cached(&format!("{ACCOUNTS} {wanted}"))?
                .query_map([client], account)?
                .collect()
        })
    }

    /// The account with this login.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn account(&self, login: &str) -> Result<Option<Account>> {
        self.read("read an account", |conn| {
            conn.prepare_cached(&format!("{ACCOUNTS} WHERE login = ?1"))?
                .query_row([login], account)
                .optional()
        })
    }

    /// Changes an account and returns it as it is now.
    ///
    /// # Errors
    /// `Kind::NotFound` for an unknown login.
    pub fn update_account(&self, login: &str, patch: &AccountPatch) -> Result<Account> {
        let (login, patch) = (login.to_owned(), patch.clone());
        self.write(move |conn| {
            let changed = conn.execute(
                "UPDATE accounts SET name = coalesce(?2, name),
                     host_profile = coalesce(?3, host_profile),
                     protocols = coalesce(?4, protocols), enabled = coalesce(?5, enabled)
                 WHERE login = ?1",
                params![
                    login,
                    patch.name,
                    patch.host_profile,
                    patch.protocols.as_deref().map(protocol_list),
                    patch.enabled
                ],
            );
            changed
                .and_then(|_| {
                    conn.prepare_cached(&format!("{ACCOUNTS} WHERE login = ?1"))?
                        .query_row([&login], account)
                        .optional()
                })
                .map_err(failed(format_args!("change account \"{login}\"")))?
                .ok_or_else(|| no_account(&login))
        })
    }

    /// Sets the password's hash, or takes the password away.
    ///
    /// # Errors
    /// `Kind::NotFound` for an unknown login.
    pub fn set_password_hash(&self, login: &str, hash: Option<&str>) -> Result<()> {
        let (login, hash) = (login.to_owned(), hash.map(str::to_owned));
        self.write(move |conn| {
            let changed = conn
                .execute(
                    "UPDATE accounts SET password_hash = ?2 WHERE login = ?1",
                    params![login, hash],
                )
                .map_err(failed(format_args!("change the password of \"{login}\"")))?;
            if changed == 0 { Err(no_account(&login)) } else { Ok(()) }
        })
    }

    /// Removes an account with its keys and folders from the registry (its files and uploads stay).
    ///
    /// # Errors
    /// `Kind::NotFound` for an unknown login.
    pub fn remove_account(&self, login: &str) -> Result<()> {
        let login = login.to_owned();
        self.write(move |conn| {
            let removed = conn
                .execute("DELETE FROM accounts WHERE login = ?1", [&login])
                .map_err(failed(format_args!("remove account \"{login}\"")))?;
            if removed == 0 { Err(no_account(&login)) } else { Ok(()) }
        })
    }

    /// Adds a key to an account.
    ///
    /// # Errors
    /// `Kind::Exists` for a key that it has; `Kind::NotFound` for an unknown login.
    pub fn add_key(&self, login: &str, key: &AccountKey) -> Result<()> {
        let (login, key) = (login.to_owned(), key.clone());
        self.write(move |conn| {
            let known = conn
                .prepare_cached("SELECT 1 FROM accounts WHERE login = ?1")
                .and_then(|mut s| s.exists([&login]))
                .map_err(failed("look the account up"))?;
            if known { insert_key(conn, &login, &key) } else { Err(no_account(&login)) }
        })
    }

    /// Takes a key away by its fingerprint.
    ///
    /// # Errors
    /// `Kind::NotFound` for a key that the account does not have.
    pub fn remove_key(&self, login: &str, fingerprint: &str) -> Result<()> {
        let (login, fingerprint) = (login.to_owned(), fingerprint.to_owned());
        self.write(move |conn| {
            let removed = conn
                .execute(
                    "DELETE FROM account_keys WHERE login = ?1 AND fingerprint = ?2",
                    [&login, &fingerprint],
                )
                .map_err(failed(format_args!("remove a key of \"{login}\"")))?;
            if removed > 0 {
                return Ok(());
            }
            let message = format!(
                "account \"{login}\" has no key {fingerprint}; see `rollcall account show {login}`"
            );
            Err(Error::new(Kind::NotFound, message))
        })
    }

    /// The keys of an account, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn keys(&self, login: &str) -> Result<Vec<AccountKey>> {
        self.read("list keys", |conn| keys_of(conn, login))
    }

    /// What a login needs to know; `None`: there is no such account.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn login_facts(&self, login: &str) -> Result<Option<LoginFacts>> {
        self.read("read an account", |conn| {
            // One transaction, so that key, client and folders are of the same instant.
            let tx = conn.unchecked_transaction()?;
            let found = tx
                .prepare_cached(&format!("{ACCOUNTS} WHERE login = ?1"))?
                .query_row([login], |row| {
                    Ok((account(row)?, row.get::<_, Option<String>>("password_hash")?))
                })
                .optional()?;
            let Some((account, password_hash)) = found else { return Ok(None) };
            let client = tx
                .prepare_cached("SELECT * FROM clients WHERE slug = ?1")?
                .query_row([&account.client], client)?;
            let (keys, folders) = (keys_of(&tx, login)?, folders_of(&tx, login)?);
            let (rules, rights) = (rules_of(&tx, login)?, rights_of(&tx, login)?);
            let limits = limits_of(&tx, login)?;
            Ok(Some(LoginFacts {
                account,
                client,
                password_hash,
                keys,
                folders,
                rules,
                limits,
                rights,
            }))
        })
    }

    /// Notes a successful login, without waiting: nobody's session depends on the note.
    ///
    /// # Errors
    /// When the registry's writer has stopped.
    pub fn note_login(&self, login: &str, at: Timestamp) -> Result<()> {
        let login = login.to_owned();
        self.write_later(move |conn| {
            conn.prepare_cached("UPDATE accounts SET last_login_at = ?2 WHERE login = ?1")
                .and_then(|mut s| s.execute(params![login, to_micros(at)]))
                .map_err(failed("note a login"))?;
            Ok(())
        })
    }
}

/// An account with its keys and folders.
pub(super) fn insert_whole(conn: &Connection, new: &NewAccount) -> Result<()> {
    insert_account(conn, new)?;
    for key in &new.keys {
        insert_key(conn, &new.account.login, key)?;
    }
    for (folder, settings) in &new.folders {
        insert_folder(conn, &new.account.client, folder, settings.as_deref())?;
    }
    Ok(())
}

fn insert_account(conn: &Connection, new: &NewAccount) -> Result<()> {
    let account = &new.account;
    let known = conn
        .prepare_cached("SELECT 1 FROM clients WHERE slug = ?1")
        .and_then(|mut s| s.exists([&account.client]))
        .map_err(failed("look the client up"))?;
    if !known {
        return Err(no_client(&account.client));
    }
    let added = conn
        .execute(
            "INSERT INTO accounts (login, client, name, host_profile, protocols, enabled,
                                   password_hash, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
            params![
                account.login,
                account.client,
                account.name,
                account.host_profile,
                protocol_list(&account.protocols),
                account.enabled,
                new.password_hash,
                to_micros(account.created_at)
            ],
        )
        .map_err(failed(format_args!("add account \"{}\"", account.login)))?;
    if added == 0 {
        let message = format!("login \"{}\" exists already; choose another", account.login);
        return Err(Error::new(Kind::Exists, message));
    }
    Ok(())
}

fn insert_key(conn: &Connection, login: &str, key: &AccountKey) -> Result<()> {
    let added = conn
        .execute(
            "INSERT INTO account_keys (login, fingerprint, public_key, comment, added_at)
             VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
            params![login, key.fingerprint, key.public_key, key.comment, to_micros(key.added_at)],
        )
        .map_err(failed(format_args!("add a key to \"{login}\"")))?;
    if added == 0 {
        let message = format!("account \"{login}\" has the key {} already", key.fingerprint);
        return Err(Error::new(Kind::Exists, message));
    }
    Ok(())
}

fn keys_of(conn: &Connection, login: &str) -> rusqlite::Result<Vec<AccountKey>> {
    conn.prepare_cached(
        "SELECT * FROM account_keys WHERE login = ?1 ORDER BY added_at, fingerprint",
    )?
    .query_map([login], |row| {
        Ok(AccountKey {
            fingerprint: row.get("fingerprint")?,
            public_key: row.get("public_key")?,
            comment: row.get("comment")?,
            added_at: instant(row, "added_at")?,
        })
    })?
    .collect()
}

fn account(row: &Row<'_>) -> rusqlite::Result<Account> {
    let protocols: String = row.get("protocols")?;
    let protocols = protocols.split(',').filter(|p| !p.is_empty()).map(str::parse::<Protocol>);
    let protocols = protocols
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(|e| unreadable(rusqlite::types::Type::Text, e))?;
    let last_login_at: Option<i64> = row.get("last_login_at")?;
    Ok(Account {
        login: row.get("login")?,
        client: row.get("client")?,
        name: row.get("name")?,
        host_profile: row.get("host_profile")?,
        protocols,
        enabled: row.get("enabled")?,
        has_password: row.get::<_, Option<String>>("password_hash")?.is_some(),
        created_at: instant(row, "created_at")?,
        last_login_at: last_login_at.map(from_micros).transpose()?,
        remote: remote_server(row)?,
    })
}

fn protocol_list(protocols: &[Protocol]) -> String {
    protocols.iter().map(|p| p.name()).collect::<Vec<_>>().join(",")
}

pub(super) fn no_account(login: &str) -> Error {
    let message = format!("there is no account \"{login}\"; see `rollcall account list`");
    Error::new(Kind::NotFound, message)
}
