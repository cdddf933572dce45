//! Sealed values: which columns hold them, under which key, and how all of them get a new one.

use rusqlite::{Connection, OptionalExtension, params};

use super::Registry;
use crate::error::Result;
use crate::secrets::seal::KeyId;
use crate::store::failed;

/// The schema's step. A column that is added to [`SEALED`] needs two triggers like these, in a step of its own.
pub(super) const STEP: &str = r"
-- The one key under which every sealed value stands. Whoever sealed under another one (the keys were exchanged meanwhile)
-- is refused: after the exchange nobody could open it.
CREATE TABLE sealing_key (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    key_id BLOB NOT NULL
) STRICT;
CREATE TRIGGER sealed_remote_new BEFORE INSERT ON remote_servers
    WHEN EXISTS (SELECT 1 FROM sealing_key WHERE substr(NEW.sealed_password, 2, 8) <> key_id
           OR substr(NEW.sealed_key, 2, 8) <> key_id
           OR substr(NEW.sealed_passphrase, 2, 8) <> key_id)
    BEGIN SELECT RAISE(ABORT, 'the sealing key was exchanged meanwhile; try again'); END;
CREATE TRIGGER sealed_remote_change BEFORE UPDATE ON remote_servers
    WHEN EXISTS (SELECT 1 FROM sealing_key WHERE substr(NEW.sealed_password, 2, 8) <> key_id
           OR substr(NEW.sealed_key, 2, 8) <> key_id
           OR substr(NEW.sealed_passphrase, 2, 8) <> key_id)
    BEGIN SELECT RAISE(ABORT, 'the sealing key was exchanged meanwhile; try again'); END;
CREATE TRIGGER sealed_pgp_new BEFORE INSERT ON pgp_keys
    WHEN EXISTS (SELECT 1 FROM sealing_key WHERE substr(NEW.sealed_key, 2, 8) <> key_id)
    BEGIN SELECT RAISE(ABORT, 'the sealing key was exchanged meanwhile; try again'); END;
CREATE TRIGGER sealed_pgp_change BEFORE UPDATE ON pgp_keys
    WHEN EXISTS (SELECT 1 FROM sealing_key WHERE substr(NEW.sealed_key, 2, 8) <> key_id)
    BEGIN SELECT RAISE(ABORT, 'the sealing key was exchanged meanwhile; try again'); END;
CREATE TRIGGER sealed_zip_new BEFORE INSERT ON zip_passwords
    WHEN EXISTS (SELECT 1 FROM sealing_key WHERE substr(NEW.sealed_password, 2, 8) <> key_id)
    BEGIN SELECT RAISE(ABORT, 'the sealing key was exchanged meanwhile; try again'); END;
CREATE TRIGGER sealed_zip_change BEFORE UPDATE ON zip_passwords
    WHEN EXISTS (SELECT 1 FROM sealing_key WHERE substr(NEW.sealed_password, 2, 8) <> key_id)
    BEGIN SELECT RAISE(ABORT, 'the sealing key was exchanged meanwhile; try again'); END;
";

/// A column of sealed values.
struct SealedColumn {
    table: &'static str,
    column: &'static str,
    /// SQL for the context under which a row's value was sealed.
    context: &'static str,
}

/// Every one of them: what is not here would be lost when the key is exchanged.
const SEALED: &[SealedColumn] = &[
    SealedColumn {
        table: "remote_servers",
        column: "sealed_password",
        context: "'account/' || login || '/password'",
    },
    SealedColumn {
        table: "remote_servers",
        column: "sealed_key",
        context: "'account/' || login || '/key'",
    },
    SealedColumn {
        table: "remote_servers",
        column: "sealed_passphrase",
        context: "'account/' || login || '/passphrase'",
    },
    SealedColumn {
        table: "pgp_keys",
        column: "sealed_key",
        context: "'client/' || client || '/pgp/' || fingerprint",
    },
    SealedColumn {
        table: "zip_passwords",
        column: "sealed_password",
        context: "'client/' || client || '/zip/' || folder",
    },
    SealedColumn { table: "webhooks", column: "sealed_secret", context: "'webhook/' || name" },
    SealedColumn { table: "webhooks", column: "sealed_old_secret", context: "'webhook/' || name" },
    SealedColumn {
        table: "handouts",
        column: "sealed_password",
        context: "'handout/' || hex(token)",
    },
];

/// A sealed value and the context under which it was sealed.
pub type SealedValue = (String, Vec<u8>);

impl Registry {
    /// The key under which every sealed value stands; `None`: nothing was ever sealed.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn sealing_key(&self) -> Result<Option<KeyId>> {
        self.read("read which key seals", current)
    }

    /// Every sealed value.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn sealed_values(&self) -> Result<Vec<SealedValue>> {
        self.read("read the sealed values", |conn| {
            let tx = conn.unchecked_transaction()?;
            let mut values = Vec::new();
            for column in SEALED {
                values.extend(
                    rows(&tx, column)?.into_iter().map(|(_, context, blob)| (context, blob)),
                );
            }
            Ok(values)
        })
    }

    /// Takes `key` into use while nothing is sealed; the key that is in use afterwards (another process may have come first).
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn first_sealing_key(&self, key: KeyId) -> Result<KeyId> {
        self.write(move |conn| {
            let taken = || -> rusqlite::Result<KeyId> {
                let mut count = 0;
                for column in SEALED {
                    count += rows(conn, column)?.len();
                }
                match current(conn)? {
                    Some(known) if count > 0 => Ok(known),
                    _ => set_current(conn, key).map(|()| key),
                }
            };
            taken().map_err(failed("note which key seals"))
        })
    }

    /// Seals every value anew and takes `key` into use, in one transaction: all of it, or nothing.
    ///
    /// # Errors
    /// What `reseal` (context, old value) says; or when the database cannot be written.
    pub fn change_sealing_key(
        &self,
        key: KeyId,
        reseal: impl Fn(&str, &[u8]) -> Result<Vec<u8>> + Send + 'static,
    ) -> Result<usize> {
        self.write(move |conn| {
            let what = || failed("seal everything under the new key");
            let mut fresh = Vec::new();
            for column in SEALED {
                for (rowid, context, blob) in rows(conn, column).map_err(what())? {
                    fresh.push((column, rowid, reseal(&context, &blob)?));
                }
            }
            // The triggers compare whole rows, and values of both keys stand there for a moment.
            conn.execute("DELETE FROM sealing_key", []).map_err(what())?;
            let count = fresh.len();
            for (column, rowid, blob) in fresh {
                let SealedColumn { table, column, .. } = column;
                conn.execute(
                    &format!("UPDATE {table} SET {column} = ?2 WHERE rowid = ?1"),
                    params![rowid, blob],
                )
                .map_err(what())?;
            }
            set_current(conn, key).map_err(what())?;
            Ok(count)
        })
    }
}

fn rows(conn: &Connection, column: &SealedColumn) -> rusqlite::Result<Vec<(i64, String, Vec<u8>)>> {
    let SealedColumn { table, column, context } = column;
    conn.prepare_cached(&format!(
        "SELECT rowid, {context}, {column} FROM {table} WHERE {column} IS NOT NULL ORDER BY rowid"
    ))?
    .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
    .collect()
}

fn current(conn: &Connection) -> rusqlite::Result<Option<KeyId>> {
    let id: Option<[u8; crate::secrets::seal::KEY_ID_BYTES]> = conn
        .prepare_cached("SELECT key_id FROM sealing_key")?
        .query_row([], |row| row.get(0))
        .optional()?;
    Ok(id.map(KeyId::from_bytes))
}

fn set_current(conn: &Connection, key: KeyId) -> rusqlite::Result<()> {
    conn.execute("INSERT OR REPLACE INTO sealing_key VALUES (1, ?1)", [&key.bytes()[..]])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::seal::Keyring;

    /// A registry with a client, an account and one sealed password of it.
    #[expect(
        clippy::unwrap_in_result,
        reason = "a helper that fails ends the test, with its place"
    )]
    fn sealed_under(ring: &Keyring, key: KeyId, conn: &Connection) -> rusqlite::Result<usize> {
        let sealed = ring.seal(key, "account/acme/password", b"secret").unwrap();
        conn.execute(
            "INSERT INTO remote_servers (login, host, port, remote_login, sealed_password, trust, pins)
             VALUES ('acme', 'h.example', 22, 'we', ?1, 'pin', '')",
            [sealed],
        )
    }

    fn registry(folder: &std::path::Path) -> (Registry, Connection) {
        let path = folder.join("registry.db");
        let registry = Registry::open(&path).unwrap();
        let conn = Connection::open(&path).unwrap();
        conn.execute_batch(
            "INSERT INTO clients VALUES ('acme', 'Acme', 'en', 'UTC', 1, 0);
             INSERT INTO accounts (login, client, name, host_profile, protocols, created_at)
             VALUES ('acme', 'acme', 'x', 'client-server', 'sftp', 0);",
        )
        .unwrap();
        (registry, conn)
    }

    #[test]
    fn every_sealed_column_of_the_schema_is_exchanged_and_guarded() {
        let folder = tempfile::tempdir().unwrap();
        let (_registry, conn) = registry(folder.path());
        let mut found = conn
            .prepare(
                "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c
                 WHERE m.type = 'table' AND c.name LIKE 'sealed_%' AND m.name <> 'sealing_key'",
            )
            .unwrap();
        let found: Vec<(String, String)> = found
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
            .collect::<rusqlite::Result<_>>()
            .unwrap();
        assert!(found.len() >= 5, "{found:?}");
        for (table, column) in found {
            let is_known = SEALED.iter().any(|s| s.table == table && s.column == column);
            assert!(is_known, "{table}.{column} is not in SEALED: an exchange would lose it");
            for event in ["INSERT", "UPDATE"] {
                let guards: i64 = conn
                    .query_row(
                        "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?1
                         AND sql LIKE '%BEFORE ' || ?2 || '%' AND sql LIKE '%NEW.' || ?3 || ',%'",
                        [&table, event, &column],
                        |row| row.get(0),
                    )
                    .unwrap();
                assert_eq!(guards, 1, "{table}.{column} has no guard at {event}");
            }
        }
    }

    #[test]
    fn what_was_sealed_under_a_key_that_is_gone_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (registry, conn) = registry(folder.path());
        let ring = Keyring::generate().with_new_key();
        let [new, old] = ring.ids().collect::<Vec<_>>()[..] else { unreachable!() };
        assert_eq!(registry.first_sealing_key(old).unwrap(), old);
        let refused = sealed_under(&ring, new, &conn).unwrap_err().to_string();
        assert!(refused.contains("exchanged meanwhile"), "{refused}");
        assert_eq!(sealed_under(&ring, old, &conn).unwrap(), 1);
        // Something is sealed: another process that finds no key in use takes that one.
        assert_eq!(registry.first_sealing_key(new).unwrap(), old);

        let keys = ring.clone();
        let resealed = registry.change_sealing_key(new, move |context, sealed| {
            keys.seal(new, context, &keys.open(context, sealed)?)
        });
        assert_eq!(resealed.unwrap(), 1);
        let (context, sealed) = registry.sealed_values().unwrap().remove(0);
        assert_eq!(context, "account/acme/password");
        assert_eq!(KeyId::of(&sealed), Some(new));
        assert_eq!(*ring.only(new).unwrap().open(&context, &sealed).unwrap(), b"secret");
        let late = ring.seal(old, &context, b"late").unwrap();
        let refused = conn.execute("UPDATE remote_servers SET sealed_password = ?1", [late]);
        assert!(refused.unwrap_err().to_string().contains("exchanged meanwhile"));
    }

    #[test]
    fn an_exchange_that_fails_half_way_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (registry, conn) = registry(folder.path());
        let ring = Keyring::generate().with_new_key();
        let [new, old] = ring.ids().collect::<Vec<_>>()[..] else { unreachable!() };
        registry.first_sealing_key(old).unwrap();
        sealed_under(&ring, old, &conn).unwrap();
        let before = registry.sealed_values().unwrap();
        let keys = ring.only(new).unwrap();
        let failed = registry.change_sealing_key(new, move |context, sealed| {
            keys.seal(new, context, &keys.open(context, sealed)?)
        });
        assert!(failed.is_err());
        assert_eq!(registry.sealed_values().unwrap(), before);
        assert_eq!(registry.sealing_key().unwrap(), Some(old));
    }
}
