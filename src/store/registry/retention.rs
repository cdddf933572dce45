//! How long one client's things are kept, where that is not the server's own setting; and what an erased client leaves.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use super::Registry;
use crate::config::Retention;
use crate::error::Result;
use crate::store::{Access, connect, failed};

/// What differs for one client; `None`: the server's own setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct ClientRetention {
    /// Received bytes of finished uploads, in days; 0: for ever.
    pub archive_days: Option<u32>,
    /// Reports, in days; 0: for ever.
    pub reports_days: Option<u32>,
    /// The history of values, in days; 0: for ever.
    pub history_days: Option<u32>,
    /// After how many months whoever has left gets a pseudonym; 0: never.
    pub pseudonymise_after_months: Option<u32>,
}

impl ClientRetention {
    /// What holds for the client.
    #[must_use]
    pub fn over(self, server: &Retention) -> Retention {
        Retention {
            archive_days: self.archive_days.unwrap_or(server.archive_days),
            reports_days: self.reports_days.unwrap_or(server.reports_days),
            history_days: self.history_days.unwrap_or(server.history_days),
            pseudonymise_after_months: self
                .pseudonymise_after_months
                .unwrap_or(server.pseudonymise_after_months),
            events_days: server.events_days,
            activity_days: server.activity_days,
        }
    }
}

/// What to change of how long a client's things are kept; `None` leaves a period as it is, `Some(None)`: the server's own setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RetentionPatch {
    /// Received bytes of finished uploads, in days.
    pub archive_days: Option<Option<u32>>,
    /// Reports, in days.
    pub reports_days: Option<Option<u32>>,
    /// The history of values, in days.
    pub history_days: Option<Option<u32>>,
    /// After how many months whoever has left gets a pseudonym.
    pub pseudonymise_after_months: Option<Option<u32>>,
}

impl RetentionPatch {
    /// The periods as they are then.
    #[must_use]
    pub fn over(self, now: ClientRetention) -> ClientRetention {
        ClientRetention {
            archive_days: self.archive_days.unwrap_or(now.archive_days),
            reports_days: self.reports_days.unwrap_or(now.reports_days),
            history_days: self.history_days.unwrap_or(now.history_days),
            pseudonymise_after_months: self
                .pseudonymise_after_months
                .unwrap_or(now.pseudonymise_after_months),
        }
    }

    /// What makes `new` of `old`.
    #[must_use]
    pub fn between(old: ClientRetention, new: ClientRetention) -> Self {
        let changed = |old: Option<u32>, new: Option<u32>| (old != new).then_some(new);
        Self {
            archive_days: changed(old.archive_days, new.archive_days),
            reports_days: changed(old.reports_days, new.reports_days),
            history_days: changed(old.history_days, new.history_days),
            pseudonymise_after_months: changed(
                old.pseudonymise_after_months,
                new.pseudonymise_after_months,
            ),
        }
    }
}

impl Registry {
    /// What differs for a client.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn client_retention(&self, slug: &str) -> Result<ClientRetention> {
        self.read("read how long a client's things are kept", |conn| retention_of(conn, slug))
    }

    /// Removes what has no row of its client but names it or its accounts: the audit trail, familiar addresses.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn forget_client(&self, slug: &str, logins: &[String]) -> Result<()> {
        let (slug, logins) = (slug.to_owned(), logins.to_vec());
        self.write(move |conn| {
            let forget = || -> rusqlite::Result<()> {
                // Accounts that were removed earlier, unless somebody else has that login now.
                let mut names: Vec<String> = conn
                    .prepare(
                        "SELECT DISTINCT object FROM audit WHERE detail = 'client ' || ?1
                         AND what LIKE 'account.%' AND object NOT IN (SELECT login FROM accounts)",
                    )?
                    .query_map([&slug], |row| row.get(0))?
                    .collect::<rusqlite::Result<_>>()?;
                names.extend(logins);
                names.push(slug);
                for name in &names {
                    let below = format!("{name}/");
                    conn.execute(
                        "DELETE FROM audit WHERE object = ?1 OR who = ?1
                         OR substr(object, 1, length(?2)) = ?2",
                        params![name, below],
                    )?;
                    conn.execute("DELETE FROM familiar WHERE login = ?1", [name])?;
                }
                Ok(())
            };
            forget().map_err(failed("remove the traces of an erased client"))
        })
    }

    /// Takes what was deleted or replaced out of the write-ahead log too, if nobody reads from it at this moment.
    pub fn forget_deleted(&self) {
        let emptied = connect(&self.0.path, Access::Write).and_then(|conn| empty_log(&conn));
        if let Err(error) = emptied {
            tracing::warn!(%error, "emptying the registry's write-ahead log");
        }
    }

    /// The same for whoever comes by each hour: nobody waits long for it.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn forget_deleted_in_passing(&self) -> Result<()> {
        let conn = connect(&self.0.path, Access::Write)?;
        conn.busy_timeout(IN_PASSING).map_err(failed("set how long to wait for readers"))?;
        empty_log(&conn)
    }

    /// Writes the database file anew, so that nothing of deleted rows is left in it or in its write-ahead log.
    ///
    /// # Errors
    /// [`Kind::Busy`](crate::error::Kind::Busy) when other processes read or write it all the while; no room for a second copy.
    pub fn scrub(&self) -> Result<()> {
        let conn = connect(&self.0.path, Access::Write)?;
        conn.execute_batch("VACUUM")
            .and_then(|()| conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)))
            .map_err(failed("write the registry anew"))
            .and_then(|busy: i64| match busy {
                0 => Ok(()),
                _ => Err(crate::error::Error::new(
                    crate::error::Kind::Busy,
                    "the registry's write-ahead log is in use by another process",
                )),
            })
    }
}

/// How long emptying the log in passing may hold those who write up, while others read from it.
const IN_PASSING: Duration = Duration::from_secs(1);

/// Moves everything from the write-ahead log to the database file, unless somebody reads from it.
fn empty_log(conn: &Connection) -> Result<()> {
    let busy = conn
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0))
        .map_err(failed("empty the write-ahead log"))?;
    if busy != 0 {
        tracing::debug!("the registry's write-ahead log is emptied later");
    }
    Ok(())
}

fn retention_of(conn: &Connection, slug: &str) -> rusqlite::Result<ClientRetention> {
    let found = conn
        .prepare_cached("SELECT * FROM client_retention WHERE client = ?1")?
        .query_row([slug], |row| {
            Ok(ClientRetention {
                archive_days: row.get("archive_days")?,
                reports_days: row.get("reports_days")?,
                history_days: row.get("history_days")?,
                pseudonymise_after_months: row.get("pseudonymise_after_months")?,
            })
        })
        .optional()?;
    Ok(found.unwrap_or_default())
}

/// Changes what differs for a client, if it is there. Read and written in one transaction: two who change different periods
/// at once both have what they changed.
pub(super) fn change_retention(conn: &Connection, slug: &str, patch: RetentionPatch) -> Result<()> {
    let what = format!("change how long the things of \"{slug}\" are kept");
    let retention = patch.over(retention_of(conn, slug).map_err(failed(&what))?);
    conn.execute(
        "INSERT INTO client_retention SELECT slug, ?2, ?3, ?4, ?5 FROM clients WHERE slug = ?1
         ON CONFLICT (client) DO UPDATE SET archive_days = excluded.archive_days,
             reports_days = excluded.reports_days, history_days = excluded.history_days,
             pseudonymise_after_months = excluded.pseudonymise_after_months",
        params![
            slug,
            retention.archive_days,
            retention.reports_days,
            retention.history_days,
            retention.pseudonymise_after_months
        ],
    )
    .map_err(failed(what))?;
    Ok(())
}
