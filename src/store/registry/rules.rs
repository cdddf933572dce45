//! What narrows an account's access down: networks, an end, proofs, rights in folders.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::Registry;
use super::limits::put_limits;
use crate::error::{Error, Kind, Result};
use crate::model::{AccountLimits, AccountRules, Network, Rights, VPath};
use crate::store::{failed, from_micros, to_micros, unreadable};

/// What to change of an account's rules; `None` leaves a value as it is.
#[derive(Debug, Clone, Default)]
pub struct RulesChange {
    /// The networks from which it may log in; empty: from everywhere.
    pub allow_from: Option<Vec<Network>>,
    /// When it can log in no longer; `Some(None)`: never.
    pub expires_at: Option<Option<Timestamp>>,
    /// Whether a key and then the password are needed.
    pub needs_both: Option<bool>,
    /// Whether an FTPS data end without TLS close_notify is accepted.
    pub lenient_data_end: Option<bool>,
    /// What it may do outside of folders that have rights of their own.
    pub rights: Option<Rights>,
}

impl RulesChange {
    fn over(self, now: AccountRules) -> AccountRules {
        AccountRules {
            allow_from: self.allow_from.unwrap_or(now.allow_from),
            expires_at: self.expires_at.unwrap_or(now.expires_at),
            needs_both: self.needs_both.unwrap_or(now.needs_both),
            lenient_data_end: self.lenient_data_end.unwrap_or(now.lenient_data_end),
            rights: self.rights.unwrap_or(now.rights),
        }
    }
}

impl Registry {
    /// The rules of an account; those of one without any let everything be.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn account_rules(&self, login: &str) -> Result<AccountRules> {
        self.read("read an account's rules", |conn| rules_of(conn, login))
    }

    /// Changes the rules of an account, the rights in the named folders and, where given, its limits: all of it or nothing.
    /// The rules as they are then.
    ///
    /// # Errors
    /// `Kind::NotFound` for an unknown login, or a folder that the account does not have; `Kind::Invalid` when key and
    /// password are both needed and one is missing.
    pub fn set_access(
        &self,
        login: &str,
        change: RulesChange,
        folders: &[(String, Option<Rights>)],
        limits: Option<AccountLimits>,
    ) -> Result<AccountRules> {
        let (login, folders) = (login.to_owned(), folders.to_vec());
        self.write(move |conn| {
            // Read here, in the transaction: two changes of different rules at once both hold.
            let now = rules_of(conn, &login);
            let rules =
                change.over(now.map_err(failed(format_args!("read the rules of \"{login}\"")))?);
            refuse_without_both(conn, &login, &rules)?;
            put_rules(conn, &login, &rules)?;
            for (name, rights) in &folders {
                put_folder_rights(conn, &login, name, *rights)?;
            }
            limits.map_or(Ok(()), |limits| put_limits(conn, &login, limits))?;
            Ok(rules)
        })
    }

    /// The rights in those folders of an account that have their own, by path.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn folder_rights(&self, login: &str) -> Result<Vec<(VPath, Rights)>> {
        self.read("read the rights in folders", |conn| rights_of(conn, login))
    }

    /// Gives a folder rights of its own, or takes them away so that the account's hold.
    ///
    /// # Errors
    /// `Kind::NotFound` for a folder that the account does not have.
    pub fn set_folder_rights(&self, login: &str, name: &str, rights: Option<Rights>) -> Result<()> {
        let (login, name) = (login.to_owned(), name.to_owned());
        self.write(move |conn| put_folder_rights(conn, &login, &name, rights))
    }
}

/// Nobody could log in where both proofs are needed and the account has not both.
fn refuse_without_both(conn: &Connection, login: &str, rules: &AccountRules) -> Result<()> {
    if !rules.needs_both {
        return Ok(());
    }
    let has_both: Option<bool> = conn
        .query_row(
            "SELECT password_hash IS NOT NULL
                 AND EXISTS (SELECT 1 FROM account_keys WHERE account_keys.login = accounts.login)
             FROM accounts WHERE login = ?1",
            [login],
            |row| row.get(0),
        )
        .optional()
        .map_err(failed(format_args!("look which proofs \"{login}\" has")))?;
    if has_both == Some(false) {
        let message = format!(
            "account \"{login}\" has not both a key and a password; add what is missing first \
             (`rollcall account key add`, `rollcall account password`)"
        );
        return Err(Error::new(Kind::Invalid, message));
    }
    Ok(())
}

fn put_rules(conn: &Connection, login: &str, rules: &AccountRules) -> Result<()> {
    let networks: Vec<String> = rules.allow_from.iter().map(Network::to_string).collect();
    let changed = conn
        .execute(
            "INSERT INTO account_rules
                 (login, allow_from, expires_at, needs_both, lenient_data_end, rights)
             SELECT login, ?2, ?3, ?4, ?5, ?6 FROM accounts WHERE login = ?1
             ON CONFLICT (login) DO UPDATE SET allow_from = excluded.allow_from,
                 expires_at = excluded.expires_at, needs_both = excluded.needs_both,
                 lenient_data_end = excluded.lenient_data_end, rights = excluded.rights",
            params![
                login,
                networks.join(","),
                rules.expires_at.map(to_micros),
                rules.needs_both,
                rules.lenient_data_end,
                rules.rights.to_string()
            ],
        )
        .map_err(failed(format_args!("change the rules of \"{login}\"")))?;
    found_one(changed, login)
}

/// An account was there to be changed.
pub(super) fn found_one(changed: usize, login: &str) -> Result<()> {
    if changed > 0 {
        return Ok(());
    }
    let message = format!("there is no account \"{login}\"; see `rollcall account list`");
    Err(Error::new(Kind::NotFound, message))
}

fn put_folder_rights(
    conn: &Connection,
    login: &str,
    name: &str,
    rights: Option<Rights>,
) -> Result<()> {
    let what = format!("change the rights in folder \"{name}\"");
    let client: Option<String> = conn
        .query_row(
            "SELECT client FROM folders WHERE login = ?1 AND name = ?2",
            [login, name],
            |row| row.get(0),
        )
        .optional()
        .map_err(failed(&what))?;
    let client = client.ok_or_else(|| {
        let message =
            format!("\"{login}\" has no folder \"{name}\"; see `rollcall folder list {login}`");
        Error::new(Kind::NotFound, message)
    })?;
    match rights {
        Some(rights) => conn.execute(
            "INSERT INTO folder_rights (client, name, rights) VALUES (?1, ?2, ?3)
             ON CONFLICT (client, name) DO UPDATE SET rights = excluded.rights",
            [client.as_str(), name, &rights.to_string()],
        ),
        None => conn.execute(
            "DELETE FROM folder_rights WHERE client = ?1 AND name = ?2",
            [client.as_str(), name],
        ),
    }
    .map_err(failed(&what))?;
    Ok(())
}

pub(super) fn rules_of(conn: &Connection, login: &str) -> rusqlite::Result<AccountRules> {
    let found = conn
        .prepare_cached("SELECT * FROM account_rules WHERE login = ?1")?
        .query_row([login], |row| {
            let networks: String = row.get("allow_from")?;
            let networks = networks.split(',').filter(|n| !n.is_empty()).map(str::parse::<Network>);
            let rights: String = row.get("rights")?;
            let text = rusqlite::types::Type::Text;
            let expires_at: Option<i64> = row.get("expires_at")?;
            Ok(AccountRules {
                allow_from: networks
                    .collect::<std::result::Result<_, _>>()
                    .map_err(|e| unreadable(text, e))?,
                expires_at: expires_at.map(from_micros).transpose()?,
                needs_both: row.get("needs_both")?,
                lenient_data_end: row.get("lenient_data_end")?,
                rights: rights.parse().map_err(|e: String| unreadable(text, e))?,
            })
        })
        .optional()?;
    Ok(found.unwrap_or_default())
}

pub(super) fn rights_of(conn: &Connection, login: &str) -> rusqlite::Result<Vec<(VPath, Rights)>> {
    conn.prepare_cached(
        "SELECT folders.path, folder_rights.rights FROM folder_rights JOIN folders
             ON folders.client = folder_rights.client AND folders.name = folder_rights.name
         WHERE folders.login = ?1 ORDER BY folders.path",
    )?
    .query_map([login], |row| {
        let text = rusqlite::types::Type::Text;
        let (path, rights): (String, String) = (row.get(0)?, row.get(1)?);
        Ok((
            path.parse().map_err(|e| unreadable(text, e))?,
            rights.parse().map_err(|e: String| unreadable(text, e))?,
        ))
    })?
    .collect()
}
