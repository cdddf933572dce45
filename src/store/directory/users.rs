//! Reading users: the snapshot that a plan is made from, the directory of today and of any earlier time.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row, params};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::Directory;
use crate::error::{Error, Kind, Result};
use crate::import::Filler;
use crate::import::directory::User;
use crate::import::fields::{Field, FieldKey};
use crate::store::{failed, from_micros, to_micros, word};

impl Directory {
    /// Every user by id: as of now, or as the directory knew them at an earlier instant.
    ///
    /// # Errors
    /// `Kind::NotFound` for an instant before the history that is kept; when the database cannot be read.
    pub fn users(&self, as_of: Option<Timestamp>) -> Result<Vec<User>> {
        if let Some(at) = as_of {
            self.refuse_what_is_forgotten(at)?;
        }
        let read = || -> rusqlite::Result<Vec<User>> {
            let tx = self.conn.unchecked_transaction()?;
            let Some(at) = as_of else { return users_now(&tx, i64::MAX) };
            // A prefix of the imports, so that what is shown has really been, whatever a clock did in between.
            let last: Option<i64> = tx
                .prepare_cached("SELECT max(seq) FROM imports WHERE applied_at <= ?1")?
                .query_row([to_micros(at)], |row| row.get(0))?;
            users_after(&tx, last.unwrap_or(0))
        };
        read().map_err(failed("read the users"))
    }

    fn refuse_what_is_forgotten(&self, at: Timestamp) -> Result<()> {
        let since: Option<i64> = self
            .conn
            .prepare_cached(
                "SELECT applied_at FROM imports JOIN directory ON forgotten = seq WHERE applied_at > ?1",
            )
            .and_then(|mut found| found.query_row([to_micros(at)], |row| row.get(0)).optional())
            .map_err(failed("read since when history is kept"))?;
        let Some(since) = since else { return Ok(()) };
        let since = from_micros(since).map_err(failed("read since when history is kept"))?;
        let day = since.strftime("%Y-%m-%d");
        let message = format!(
            "the directory of that day is not known any more: its history is kept since {day} (docs/retention.md)"
        );
        Err(Error::new(Kind::NotFound, message))
    }

    /// The user with this id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn user(&self, id: i64) -> Result<Option<User>> {
        one_user(&self.conn, id).map_err(failed(format_args!("read user {id}")))
    }

    /// The users whose employee number (alone, or as `FR01+00123`), login or e-mail is `text`; if there is none, those whose name has all its words.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn find_users(&self, text: &str) -> Result<Vec<User>> {
        let users = self.users(None)?;
        let wanted = fold(text.trim());
        let pair = |user: &User| {
            let entity = user.values.get(Field::LegalEntity)?;
            Some(fold(&format!("{entity}+{}", user.values.get(Field::EmployeeNumber)?)))
        };
        let exact = |user: &User| {
            [Field::EmployeeNumber, Field::Login, Field::Email]
                .into_iter()
                .any(|f| user.values.get(f).is_some_and(|v| fold(v) == wanted))
                || pair(user).is_some_and(|pair| pair == wanted)
        };
        let words: Vec<&str> = wanted.split_whitespace().collect();
        let by_name = |user: &User| {
            let name = fold(&format!(
                "{} {}",
                user.values.get(Field::FirstName).unwrap_or_default(),
                user.values.get(Field::LastName).unwrap_or_default()
            ));
            !words.is_empty() && words.iter().all(|w| name.contains(w))
        };
        let found: Vec<User> = users.iter().filter(|u| exact(u)).cloned().collect();
        if !found.is_empty() {
            return Ok(found);
        }
        Ok(users.into_iter().filter(by_name).collect())
    }
}

/// Case and accents away, so that "dupre" finds "Dupré".
pub(super) fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).collect()
}

/// The columns of [`user`]: id, withdrawn, then every field in its order.
fn columns() -> String {
    let fields = Field::ALL.iter().map(|f| f.name()).collect::<Vec<_>>().join(", ");
    format!("id, withdrawn, {fields}")
}

/// A statement that gives of all users only these fields.
pub(super) fn user_columns(fields: &[Field]) -> String {
    let fields: Vec<&str> = Field::ALL
        .iter()
        .map(|field| if fields.contains(field) { field.name() } else { "NULL" })
        .collect();
    format!("SELECT id, withdrawn, {} FROM users", fields.join(", "))
}

/// The users with these ids who are there.
pub(super) fn some_users(conn: &Connection, ids: &[i64]) -> rusqlite::Result<Vec<User>> {
    let mut find =
        conn.prepare_cached(&format!("SELECT {} FROM users WHERE id = ?1", columns()))?;
    let mut users = Vec::with_capacity(ids.len());
    for id in ids {
        users.extend(find.query_row([id], user).optional()?);
    }
    let any = conn.prepare_cached("SELECT 1 FROM custom_values LIMIT 1")?.exists([])?;
    if any {
        let mut custom =
            conn.prepare_cached("SELECT name, value FROM custom_values WHERE user = ?1")?;
        for user in &mut users {
            let mut rows = custom.query([user.id])?;
            while let Some(row) = rows.next()? {
                let key = FieldKey::Custom(row.get(0)?);
                user.values.set(&key, Some(row.get_ref(1)?.as_str()?));
            }
        }
    }
    Ok(users)
}

pub(super) fn user(row: &Row<'_>) -> rusqlite::Result<User> {
    let mut filler = Filler::default();
    for field in Field::ALL {
        match row.get_ref(2 + field.index())? {
            ValueRef::Null => {}
            ValueRef::Integer(n) => filler.put(*field, &n.to_string()),
            value => filler.put(*field, value.as_str()?),
        }
    }
    Ok(User { id: row.get(0)?, withdrawn: row.get(1)?, values: filler.finish() })
}

/// The users of today whom an import up to `last` created, by id.
pub(super) fn users_now(conn: &Connection, last: i64) -> rusqlite::Result<Vec<User>> {
    let sql = format!("SELECT {} FROM users WHERE created_by <= ?1 ORDER BY id", columns());
    let mut users: Vec<User> =
        conn.prepare_cached(&sql)?.query_map([last], user)?.collect::<rusqlite::Result<_>>()?;
    let mut custom =
        conn.prepare_cached("SELECT user, name, value FROM custom_values ORDER BY user")?;
    let mut rows = custom.query([])?;
    let mut at = users.iter_mut().peekable();
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        while at.next_if(|u| u.id < id).is_some() {}
        if let Some(user) = at.peek_mut().filter(|u| u.id == id) {
            user.values.set(&FieldKey::Custom(row.get(1)?), Some(row.get_ref(2)?.as_str()?));
        }
    }
    Ok(users)
}

/// The users as they were right after the import `last`: today's, with every later change taken back, newest first.
fn users_after(conn: &Connection, last: i64) -> rusqlite::Result<Vec<User>> {
    let mut users = users_now(conn, last)?;
    let mut withdrawn_later = conn.prepare_cached("SELECT id FROM users WHERE withdrawn > ?1")?;
    let later: HashSet<i64> =
        withdrawn_later.query_map([last], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    for user in &mut users {
        user.withdrawn &= !later.contains(&user.id);
    }
    let places: HashMap<i64, usize> = users.iter().enumerate().map(|(n, u)| (u.id, n)).collect();
    let mut later = conn.prepare_cached(
        "SELECT user, field, before FROM changes WHERE import > ?1 ORDER BY import DESC, n DESC",
    )?;
    let mut rows = later.query([last])?;
    while let Some(row) = rows.next()? {
        let place = places.get(&row.get(0)?);
        if let Some(user) = place.and_then(|n| users.get_mut(*n)) {
            let before: Option<String> = row.get(2)?;
            user.values.set(&word(row, "field")?, before.as_deref());
        }
    }
    Ok(users)
}

pub(super) fn one_user(conn: &Connection, id: i64) -> rusqlite::Result<Option<User>> {
    let found = conn
        .prepare_cached(&format!("SELECT {} FROM users WHERE id = ?1", columns()))?
        .query_row([id], user)
        .optional()?;
    let Some(mut user) = found else { return Ok(None) };
    let mut custom =
        conn.prepare_cached("SELECT name, value FROM custom_values WHERE user = ?1")?;
    let mut rows = custom.query([id])?;
    while let Some(row) = rows.next()? {
        user.values.set(&FieldKey::Custom(row.get(0)?), Some(row.get_ref(1)?.as_str()?));
    }
    Ok(Some(user))
}

/// `DUPONT Anne`; empty for an unknown id.
pub(super) fn name_of(conn: &Connection, id: i64) -> rusqlite::Result<String> {
    let name = conn
        .prepare_cached("SELECT last_name, first_name FROM users WHERE id = ?1")?
        .query_row([id], |row| {
            let part = |at: usize| row.get::<_, Option<String>>(at).map(Option::unwrap_or_default);
            Ok(format!("{} {}", part(0)?.to_uppercase(), part(1)?).trim().to_owned())
        })
        .optional()?;
    Ok(name.unwrap_or_default())
}

/// Gives one value to a user, or takes it away.
pub(super) fn write_value(
    conn: &Connection,
    user: i64,
    field: &FieldKey,
    value: Option<&str>,
) -> rusqlite::Result<()> {
    match (field, value) {
        (FieldKey::Known(field), value) => conn
            .prepare_cached(&format!("UPDATE users SET {} = ?2 WHERE id = ?1", field.name()))?
            .execute(params![user, value])?,
        (FieldKey::Custom(name), Some(value)) => conn
            .prepare_cached(
                "INSERT INTO custom_values (user, name, value) VALUES (?1, ?2, ?3)
                 ON CONFLICT (user, name) DO UPDATE SET value = excluded.value",
            )?
            .execute(params![user, name, value])?,
        (FieldKey::Custom(name), None) => conn
            .prepare_cached("DELETE FROM custom_values WHERE user = ?1 AND name = ?2")?
            .execute(params![user, name])?,
    };
    Ok(())
}
