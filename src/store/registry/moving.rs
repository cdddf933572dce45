//! One client's rows of the registry, taken out of one server and put into another.

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, params_from_iter};
use serde::{Deserialize, Serialize};

use super::{Registry, schema};
use crate::error::{Error, Kind, Result};
use crate::store::directory::Place;
use crate::store::failed;

/// Which rows are a client's.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    /// Those whose column `client` names it.
    Client,
    /// Those of its accounts.
    Login,
}

/// A table that moves with a client.
struct Moved {
    table: &'static str,
    of: Of,
    /// Numbers that the new server gives itself, in the same order.
    renumbered: Option<&'static str>,
    /// Which of them; empty: all.
    only: &'static str,
}

const fn moved(table: &'static str, of: Of, renumbered: Option<&'static str>) -> Moved {
    Moved { table, of, renumbered, only: "" }
}

/// What moves, in an order in which each row finds what it points to. What is sealed does not: the new server has another key.
/// Neither do messages that wait (the old server sends them), alarms, events, and what is kept of connections.
const MOVED: &[Moved] = &[
    moved("accounts", Of::Client, None),
    moved("account_keys", Of::Login, None),
    moved("account_rules", Of::Login, None),
    moved("account_limits", Of::Login, None),
    moved("remote_servers", Of::Login, None),
    moved("folders", Of::Client, None),
    moved("folder_rights", Of::Client, None),
    moved("client_retention", Of::Client, None),
    // What was not acknowledged is no upload.
    Moved {
        table: "uploads",
        of: Of::Client,
        renumbered: Some("seq"),
        only: "state <> 'prepared'",
    },
    moved("interruptions", Of::Client, Some("id")),
    moved("decisions", Of::Client, Some("id")),
    moved("fetches", Of::Client, Some("id")),
    moved("given_back", Of::Client, None),
    moved("schedule_marks", Of::Client, None),
    moved("drops", Of::Client, Some("seq")),
    moved("exports", Of::Client, None),
    moved("export_runs", Of::Client, Some("n")),
    moved("export_wishes", Of::Client, None),
    moved("pgp_partners", Of::Client, None),
    Moved {
        table: "outbox",
        of: Of::Client,
        renumbered: Some("id"),
        only: "kind = 'delivery' AND state = 'waiting'",
    },
];

/// One client's rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClientRows {
    /// The registry's version: the tables' columns follow from it.
    pub version: i64,
    /// The client's own row and those of every table, in order.
    tables: Vec<Rows>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Rows {
    table: String,
    columns: Vec<String>,
    rows: Vec<Vec<Cell>>,
}

/// A value: blobs do not move.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Cell {
    Null,
    Integer(i64),
    Real(f64),
    Text(String),
}

impl ClientRows {
    /// The logins of the client's accounts.
    #[must_use]
    pub fn logins(&self) -> Vec<String> {
        let Some(accounts) = self.tables.iter().find(|rows| rows.table == "accounts") else {
            return Vec::new();
        };
        let at = accounts.columns.iter().position(|column| column == "login");
        let login = |row: &Vec<Cell>| match at.and_then(|at| row.get(at)) {
            Some(Cell::Text(login)) => Some(login.clone()),
            _ => None,
        };
        accounts.rows.iter().filter_map(login).collect()
    }
}

impl ClientRows {
    /// The same under another name of the client.
    pub fn rename(&mut self, from: &str, to: &str) {
        for rows in &mut self.tables {
            let owner = if rows.table == "clients" { "slug" } else { "client" };
            let Some(at) = rows.columns.iter().position(|column| column == owner) else { continue };
            for cell in rows.rows.iter_mut().filter_map(|row| row.get_mut(at)) {
                if matches!(cell, Cell::Text(name) if name == from) {
                    *cell = Cell::Text(to.to_owned());
                }
            }
        }
    }
}

impl Registry {
    /// Everything of a client that another server needs, as of one instant.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn take_client(&self, slug: &str) -> Result<ClientRows> {
        self.read("read a client's rows", |conn| {
            let tx = conn.unchecked_transaction()?;
            let mut tables = vec![read_rows(&tx, "clients", "slug = ?1", None, slug)?];
            for moved in MOVED {
                let of = match moved.of {
                    Of::Client => "client = ?1",
                    Of::Login => "login IN (SELECT login FROM accounts WHERE client = ?1)",
                };
                let which = match moved.only {
                    "" => of.to_owned(),
                    only => format!("{of} AND {only}"),
                };
                tables.push(read_rows(&tx, moved.table, &which, moved.renumbered, slug)?);
            }
            let version = tx.query_row("PRAGMA user_version", [], |row| row.get(0))?;
            Ok(ClientRows { version, tables })
        })
    }

    /// Puts a client's rows in, all or none; `told`: how far its directory has been told of elsewhere.
    ///
    /// # Errors
    /// `Kind::Exists` for a client, login, upload … that is here already; `Kind::Unsupported` for rows of another version;
    /// `Kind::Invalid` for rows that are not those of this client.
    pub fn put_client(&self, slug: &str, rows: ClientRows, told: Place) -> Result<()> {
        let version = i64::try_from(schema::STEPS.len()).unwrap_or(i64::MAX);
        if rows.version != version {
            let message = format!(
                "the client was exported by a program whose registry has version {}, this one has {version}: bring both servers to the same version first",
                rows.version
            );
            return Err(Error::new(Kind::Unsupported, message));
        }
        let slug = slug.to_owned();
        self.write(move |conn| {
            let logins = rows.logins();
            for rows in &rows.tables {
                put_rows(conn, rows, &slug, &logins)?;
            }
            conn.prepare_cached("UPDATE events_told SET seq = ?2, user = ?3 WHERE client = ?1")
                .and_then(|mut s| s.execute(rusqlite::params![slug, told.seq, told.user]))
                .map(drop)
                .map_err(failed("note how far events were told"))
        })
    }
}

fn read_rows(
    conn: &Connection,
    table: &str,
    which: &str,
    order: Option<&str>,
    slug: &str,
) -> rusqlite::Result<Rows> {
    let columns: Vec<String> = columns(conn, table)?
        .into_iter()
        .filter(|column| Some(column.as_str()) != order && !column.starts_with("sealed_"))
        .collect();
    let order = order.unwrap_or("rowid");
    let sql = format!("SELECT {} FROM {table} WHERE {which} ORDER BY {order}", columns.join(", "));
    let mut statement = conn.prepare(&sql)?;
    let cells = |row: &rusqlite::Row<'_>| -> rusqlite::Result<Vec<Cell>> {
        (0..columns.len()).map(|at| row.get_ref(at).map(cell)).collect()
    };
    let rows = statement.query_map([slug], cells)?.collect::<rusqlite::Result<_>>()?;
    Ok(Rows { table: table.to_owned(), columns, rows })
}

fn cell(value: ValueRef<'_>) -> Cell {
    match value {
        ValueRef::Integer(n) => Cell::Integer(n),
        ValueRef::Real(n) => Cell::Real(n),
        ValueRef::Text(text) => Cell::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Null | ValueRef::Blob(_) => Cell::Null,
    }
}

fn put_rows(conn: &Connection, rows: &Rows, slug: &str, logins: &[String]) -> Result<()> {
    let Rows { table, columns: given, rows } = rows;
    // The names become SQL: only known ones may.
    let moved = MOVED.iter().find(|moved| moved.table == *table);
    let (owner, owners) = match moved {
        None if table == "clients" => ("slug", &[slug.to_owned()][..]),
        Some(Moved { of: Of::Client, .. }) => ("client", &[slug.to_owned()][..]),
        Some(Moved { of: Of::Login, .. }) => ("login", logins),
        None => return Err(foreign(table)),
    };
    let known = columns(conn, table).map_err(failed(format_args!("look at {table}")))?;
    let at = given.iter().position(|column| column == owner).ok_or_else(|| foreign(table))?;
    if given.iter().any(|column| !known.contains(column)) {
        return Err(foreign(table));
    }
    let places = vec!["?"; given.len()].join(", ");
    let sql = format!("INSERT INTO {table} ({}) VALUES ({places})", given.join(", "));
    let mut insert = conn.prepare(&sql).map_err(failed(format_args!("write {table}")))?;
    for row in rows {
        let own = matches!(row.get(at), Some(Cell::Text(name)) if owners.contains(name));
        if !own || row.len() != given.len() {
            return Err(foreign(table));
        }
        let values = row.iter().map(|cell| match cell {
            Cell::Null => Value::Null,
            Cell::Integer(n) => Value::Integer(*n),
            Cell::Real(n) => Value::Real(*n),
            Cell::Text(text) => Value::Text(text.clone()),
        });
        insert.execute(params_from_iter(values)).map_err(|e| {
            let error = failed(format_args!("bring {table} of client {slug} in"))(e);
            match error.kind() {
                Kind::Exists => Error::new(
                    Kind::Exists,
                    format!(
                        "something of client {slug} ({table}) is on this server already, or belongs to somebody else here; nothing was changed"
                    ),
                ),
                _ => error,
            }
        })?;
    }
    Ok(())
}

fn columns(conn: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    conn.prepare_cached("SELECT name FROM pragma_table_info(?1)")?
        .query_map([table], |row| row.get(0))?
        .collect()
}

fn foreign(table: &str) -> Error {
    let shown: String = table.chars().take(60).collect();
    let message = format!(
        "the file holds rows of \"{shown}\" that do not belong to this client; export it again"
    );
    Error::new(Kind::Invalid, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::migrations;

    /// Tables of clients and accounts that stay, each for a reason.
    const STAYS: &[&str] = &[
        "administrators",    // people of this server
        "admin_sessions",    // of these
        "admin_invitations", // of these
        "api_tokens",        // made anew there
        "api_repeats",       // of these
        "alarms",            // raised anew there, if their cause moves
        "events",            // told here
        "events_told",       // set by `put_client`
        "webhooks",          // sealed
        "pgp_keys",          // sealed
        "zip_passwords",     // sealed
        "handouts",          // sealed, and for the old address
        "polls",             // looked at anew there
        "activity",          // of the old server's connections
        "login_changes",     // of sessions there
    ];

    #[test]
    fn every_table_of_a_client_moves_or_stays_on_purpose() {
        let mut conn = Connection::open_in_memory().unwrap();
        migrations::migrate(&mut conn, "test", schema::STEPS).unwrap();
        let tables: Vec<String> = conn
            .prepare(
                "SELECT DISTINCT m.name FROM sqlite_schema m, pragma_foreign_key_list(m.name) f
                 WHERE m.type = 'table' ORDER BY 1",
            )
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .collect::<rusqlite::Result<_>>()
            .unwrap();
        assert!(tables.len() > 20, "{tables:?}");
        for table in tables {
            let moves = MOVED.iter().any(|moved| moved.table == table);
            let stays = STAYS.contains(&table.as_str());
            assert!(moves != stays, "{table}: say whether it moves with a client (moving.rs)");
        }
    }
}
