//! People in the order of their names, to be listed, filtered and found: a table made from the users, brought up to date after imports.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use rusqlite::types::Value;
use rusqlite::{Connection, TransactionBehavior, params, params_from_iter};

use super::users::{fold, one_user, some_users, users_now};
use super::{Directory, meta};
use crate::config::SEARCH_WORDS;
use crate::error::{Error, Kind, Result};
use crate::import::directory::{User, Values};
use crate::import::fields::Field;
use crate::import::standing::Standing;
use crate::store::{BUSY_TIMEOUT, failed};

/// The tables of this file.
pub(super) const STEP: &str = r"
-- The people who are not withdrawn, clustered by folded family and given name, with all that lists are filtered by. What is
-- here is made from the users: dropping it loses nothing.
CREATE TABLE search (
    name         TEXT NOT NULL,
    user         INTEGER NOT NULL REFERENCES users(id),
    -- Names, number, login and e-mail, folded.
    words        TEXT NOT NULL,
    legal_entity TEXT,
    department   TEXT,
    manager      INTEGER,
    starts       TEXT,
    ends         TEXT,
    -- Which fields have a value: the bits of their places in the user record.
    filled       INTEGER NOT NULL,
    PRIMARY KEY (name, user)
) STRICT, WITHOUT ROWID;
CREATE INDEX search_by_user ON search(user);
CREATE INDEX search_by_manager ON search(manager, name) WHERE manager IS NOT NULL;
-- Up to which place in the order of imports, which user and which change the table knows.
CREATE TABLE searched (
    upto          INTEGER NOT NULL,
    next_user_id  INTEGER NOT NULL,
    change_number INTEGER NOT NULL
) STRICT;
INSERT INTO searched VALUES (0, 1, 0);
";

/// How long a list waits for somebody who writes: rather a list of a moment ago than none.
const PATIENCE: Duration = Duration::from_millis(300);
/// The same columns for a day that has passed, in memory.
const THEN: &str = "CREATE TEMP TABLE search_then (
    name TEXT NOT NULL, user INTEGER NOT NULL, words TEXT NOT NULL, legal_entity TEXT, department TEXT,
    manager INTEGER, starts TEXT, ends TEXT, filled INTEGER NOT NULL, PRIMARY KEY (name, user)
) WITHOUT ROWID";

/// Which people a list shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeopleQuery {
    /// All of these words are in the names, the number, the login or the e-mail.
    pub text: String,
    /// Where they stand on `day`; empty: anywhere.
    pub standing: Vec<Standing>,
    /// The day of `standing`.
    pub day: Date,
    /// Only of this department (its code).
    pub department: Option<String>,
    /// Only of this legal entity (its code).
    pub legal_entity: Option<String>,
    /// Only whom this user manages.
    pub manager: Option<i64>,
    /// Only who lacks one of these fields.
    pub missing: Vec<Field>,
    /// Behind this place (folded name, id).
    pub after: Option<(String, i64)>,
    /// At most so many.
    pub limit: u32,
    /// The directory as it was known then.
    pub as_of: Option<Timestamp>,
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeoplePage {
    /// The people, by name.
    pub users: Vec<User>,
    /// Their managers.
    pub managers: Vec<User>,
    /// How many people the list has in all.
    pub total: u64,
    /// Where the next part begins; `None`: this is the last.
    pub next: Option<(String, i64)>,
}

impl Directory {
    /// Brings the table of people up to date with the directory; does nothing when nothing was written since.
    ///
    /// # Errors
    /// `Kind::Busy` when somebody else writes for long; when the database cannot be written.
    pub fn refresh_search(&mut self) -> Result<()> {
        let what = || failed("bring the list of people up to date");
        if is_fresh(&self.conn).map_err(what())? {
            return Ok(());
        }
        let refresh = |conn: &mut Connection| -> rusqlite::Result<()> {
            // Old names must not stay behind in free pages: pseudonyms would be for nothing.
            conn.pragma_update(None, "secure_delete", true)?;
            let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
            bring_up_to_date(&tx)?;
            tx.commit()
        };
        self.conn.busy_timeout(PATIENCE).map_err(what())?;
        let done = refresh(&mut self.conn);
        self.conn.busy_timeout(BUSY_TIMEOUT).map_err(what())?;
        done.map_err(what())
    }

    /// A part of the list of people, by name.
    ///
    /// # Errors
    /// `Kind::NotFound` for an instant before the history that is kept; `Kind::Invalid` for more words than are looked for; when
    /// the database cannot be read.
    pub fn people(&mut self, query: &PeopleQuery) -> Result<PeoplePage> {
        check_words(&query.text)?;
        if let Some(at) = query.as_of {
            return self.people_then(query, at);
        }
        self.refresh_or_go_on();
        let read = || -> rusqlite::Result<PeoplePage> {
            let tx = self.conn.unchecked_transaction()?;
            let (places, total) = select(&tx, "search", query)?;
            let (ids, next) = cut(places, query.limit);
            let users = some_users(&tx, &ids)?;
            let managers = some_users(&tx, &managers_of(&users))?;
            Ok(PeoplePage { users, managers, total, next })
        };
        read().map_err(failed("list people"))
    }

    fn people_then(&mut self, query: &PeopleQuery, at: Timestamp) -> Result<PeoplePage> {
        let all = self.users(Some(at))?;
        let read = |conn: &Connection| -> rusqlite::Result<PeoplePage> {
            conn.execute_batch("DROP TABLE IF EXISTS temp.search_then")?;
            conn.execute_batch(THEN)?;
            fill(conn, "search_then", &all)?;
            let (places, total) = select(conn, "search_then", query)?;
            conn.execute_batch("DROP TABLE temp.search_then")?;
            let (ids, next) = cut(places, query.limit);
            // By id, as they were read.
            let find = |id: &i64| {
                let at = all.binary_search_by_key(id, |user| user.id).ok()?;
                all.get(at).cloned()
            };
            let users: Vec<User> = ids.iter().filter_map(find).collect();
            let managers = managers_of(&users).iter().filter_map(find).collect();
            Ok(PeoplePage { users, managers, total, next })
        };
        read(&self.conn).map_err(failed("list people of an earlier day"))
    }

    /// The users with these ids who are there.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn users_by_id(&self, ids: &[i64]) -> Result<Vec<User>> {
        some_users(&self.conn, ids).map_err(failed("read users"))
    }

    /// The managers above a user, the nearest first, at most `most`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn managers_above(&self, user: i64, most: usize) -> Result<Vec<User>> {
        let read = || -> rusqlite::Result<Vec<User>> {
            let mut above: Vec<User> = Vec::new();
            let mut next = one_user(&self.conn, user)?.and_then(|user| manager(&user.values));
            while let Some(id) = next.filter(|_| above.len() < most) {
                let Some(found) = one_user(&self.conn, id)? else { break };
                next = manager(&found.values);
                if id == user || above.iter().any(|known| known.id == id) {
                    break;
                }
                above.push(found);
            }
            Ok(above)
        };
        read().map_err(failed(format_args!("read the managers above user {user}")))
    }

    /// The users whose number (alone, or as `FR01+00123`), login or e-mail is `text`; no name counts.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn find_by_key(&mut self, text: &str) -> Result<Vec<User>> {
        let wanted = fold(text.trim());
        let mut found = self.find_exactly(text)?;
        found.retain(|user| keys(&user.values).iter().any(|key| fold(key) == wanted));
        Ok(found)
    }

    /// The users whose number (alone, or as `FR01+00123`), login, e-mail, last or first name is `text`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn find_exactly(&mut self, text: &str) -> Result<Vec<User>> {
        self.refresh_or_go_on();
        let wanted = fold(text.trim());
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let read = || -> rusqlite::Result<Vec<User>> {
            // Sorted here: an index in that order would be walked instead of the table, ten times as slowly.
            let mut ids = self
                .conn
                .prepare_cached("SELECT user FROM search WHERE instr(words, ?1)")?
                .query_map([format!("\n{wanted}\n")], |row| row.get(0))?
                .collect::<rusqlite::Result<Vec<i64>>>()?;
            ids.sort_unstable();
            some_users(&self.conn, &ids)
        };
        read().map_err(failed("look for a user"))
    }

    /// The first codes of a list, each with its name if somebody gave one.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn codes_of(&self, field: Field, most: u32) -> Result<Vec<(String, Option<String>)>> {
        let read = || -> rusqlite::Result<Vec<(String, Option<String>)>> {
            self.conn
                .prepare_cached(
                    "SELECT code, nullif(name, code) FROM lists WHERE field = ?1 ORDER BY code LIMIT ?2",
                )?
                .query_map(params![field.name(), most], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        };
        read().map_err(failed(format_args!("read the list of {field}")))
    }

    /// A list of a moment ago is better than none.
    fn refresh_or_go_on(&mut self) {
        if let Err(error) = self.refresh_search() {
            tracing::warn!(%error, "the list of people is shown as it was");
        }
    }
}

/// Forgets what the table says of users: their names have become pseudonyms.
pub(super) fn forget(conn: &Connection, user: i64) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM search WHERE user = ?1")?.execute([user]).map(drop)
}

fn manager(values: &Values) -> Option<i64> {
    values.get(Field::Manager)?.parse().ok()
}

fn managers_of(users: &[User]) -> Vec<i64> {
    let mut ids: Vec<i64> = users.iter().filter_map(|user| manager(&user.values)).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn is_fresh(conn: &Connection) -> rusqlite::Result<bool> {
    conn.prepare_cached(
        "SELECT 1 FROM searched JOIN directory ON searched.change_number = directory.change_number",
    )?
    .exists([])
}

fn bring_up_to_date(tx: &Connection) -> rusqlite::Result<()> {
    let (upto, next_user_id): (i64, i64) =
        tx.query_row("SELECT upto, next_user_id FROM searched", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    match changed_since(tx, upto, next_user_id)? {
        Some(ids) => {
            for id in &ids {
                forget(tx, *id)?;
            }
            fill(tx, "search", &some_users(tx, &ids)?)?;
        }
        None => {
            tx.execute("DELETE FROM search", [])?;
            fill(tx, "search", &users_now(tx, i64::MAX)?)?;
        }
    }
    let meta = meta(tx)?;
    tx.execute(
        "UPDATE searched SET upto = (SELECT coalesce(max(seq), 0) FROM imports),
             next_user_id = ?1, change_number = ?2",
        [meta.next_user_id, meta.change_number],
    )?;
    Ok(())
}

/// The users who have changed since; `None`: too many, or by something that leaves no row for each.
fn changed_since(tx: &Connection, upto: i64, next: i64) -> rusqlite::Result<Option<Vec<i64>>> {
    let all_anew = tx
        .prepare_cached(
            "SELECT 1 WHERE EXISTS (SELECT 1 FROM directory WHERE forgotten > ?1)
                 OR EXISTS (SELECT 1 FROM events WHERE import > ?1 AND kind IN ('undo', 'pseudonyms'))
                 OR NOT EXISTS (SELECT 1 FROM search)",
        )?
        .exists([upto])?;
    if all_anew {
        return Ok(None);
    }
    let ids = tx
        .prepare_cached(
            "SELECT user FROM changes WHERE import > ?1 UNION SELECT id FROM users WHERE id >= ?2",
        )?
        .query_map([upto, next], |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<i64>>>()?;
    let known: i64 = tx.query_row("SELECT count(*) FROM search", [], |row| row.get(0))?;
    Ok(Some(ids).filter(|ids| i64::try_from(ids.len()).is_ok_and(|n| n < known / 4 + 1000)))
}

/// Puts users into a table of people, those who are withdrawn left out.
fn fill(conn: &Connection, table: &str, users: &[User]) -> rusqlite::Result<()> {
    let mut rows: Vec<(String, &User)> = users
        .iter()
        .filter(|user| !user.withdrawn)
        .map(|user| (place(&user.values), user))
        .collect();
    // In the order of the table: every row goes to its end.
    rows.sort_by(|a, b| (&a.0, a.1.id).cmp(&(&b.0, b.1.id)));
    let mut insert = conn.prepare_cached(&format!(
        "INSERT INTO {table} (name, user, words, legal_entity, department, manager, starts, ends, filled)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
    ))?;
    for (name, user) in rows {
        let get = |field| user.values.get(field);
        insert.execute(params![
            name,
            user.id,
            words(&user.values),
            get(Field::LegalEntity),
            get(Field::Department),
            manager(&user.values),
            get(Field::ContractStart),
            get(Field::ContractEnd),
            user.values.known().fold(0, |all, (field, _)| all | bit(field)),
        ])?;
    }
    Ok(())
}

/// A user's place in lists: family name, then given name; a tab comes before every letter and blank.
fn place(values: &Values) -> String {
    let part = |field| fold(values.get(field).unwrap_or_default());
    format!("{}\t{}", part(Field::LastName), part(Field::FirstName))
}

/// What a user is found by, each between line feeds: so a whole value can be told from a part.
fn words(values: &Values) -> String {
    let name = |field| values.get(field).unwrap_or_default().to_owned();
    let names = [name(Field::LastName), name(Field::FirstName)];
    let mut text = String::from("\n");
    for part in names.iter().chain(&keys(values)).filter(|part| !part.is_empty()) {
        text.push_str(&fold(part));
        text.push('\n');
    }
    text
}

/// What tells a user from all others: the number, alone and with the legal entity, the login and the e-mail; empty ones are none.
fn keys(values: &Values) -> [String; 4] {
    let get = |field| values.get(field).unwrap_or_default();
    let number = get(Field::EmployeeNumber);
    let pair = if number.is_empty() {
        String::new()
    } else {
        format!("{}+{number}", get(Field::LegalEntity))
    };
    [number.to_owned(), get(Field::Login).to_owned(), get(Field::Email).to_owned(), pair]
}

/// The bit of a field in `filled`.
fn bit(field: Field) -> i64 {
    1_i64.rotate_left(u32::try_from(field.index()).unwrap_or(0))
}

/// The places (folded name, id) of the people whom a query selects, one more than its limit; and how many there are in all.
fn select(
    conn: &Connection,
    table: &str,
    query: &PeopleQuery,
) -> rusqlite::Result<(Vec<(String, i64)>, u64)> {
    let (mut wheres, mut values) = conditions(query);
    let all = if wheres.is_empty() { "1".to_owned() } else { wheres.join(" AND ") };
    let total: i64 = conn
        .prepare_cached(&format!("SELECT count(*) FROM {table} WHERE {all}"))?
        .query_row(params_from_iter(&values), |row| row.get(0))?;
    if let Some((name, user)) = &query.after {
        wheres.push("(name, user) > (?, ?)".to_owned());
        values.extend([Value::from(name.clone()), Value::from(*user)]);
    }
    let some = if wheres.is_empty() { "1".to_owned() } else { wheres.join(" AND ") };
    values.push(Value::from(i64::from(query.limit) + 1));
    let places = conn
        .prepare_cached(&format!(
            "SELECT name, user FROM {table} WHERE {some} ORDER BY name, user LIMIT ?"
        ))?
        .query_map(params_from_iter(&values), |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    Ok((places, u64::try_from(total).unwrap_or(0)))
}

/// SQLite refuses a statement of a thousand conditions.
fn check_words(text: &str) -> Result<()> {
    let count = different_words(&fold(text)).len();
    if count <= SEARCH_WORDS {
        return Ok(());
    }
    let message = format!(
        "the text to search for has {count} different words; at most {SEARCH_WORDS} are looked for: leave some out"
    );
    Err(Error::new(Kind::Invalid, message))
}

fn different_words(folded: &str) -> BTreeSet<&str> {
    folded.split_whitespace().collect()
}

/// What a query asks for, but not where it begins: conditions with their values in order.
fn conditions(query: &PeopleQuery) -> (Vec<String>, Vec<Value>) {
    let mut wheres = Vec::new();
    let mut values: Vec<Value> = Vec::new();
    for word in different_words(&fold(&query.text)) {
        wheres.push("instr(words, ?)".to_owned());
        values.push(Value::from(word.to_owned()));
    }
    let exact = [
        ("legal_entity = ?", query.legal_entity.clone().map(Value::from)),
        ("department = ?", query.department.clone().map(Value::from)),
        ("manager = ?", query.manager.map(Value::from)),
    ];
    for (condition, value) in exact.into_iter().filter_map(|(c, value)| Some((c, value?))) {
        wheres.push(condition.to_owned());
        values.push(value);
    }
    let day = query.day.to_string();
    let asked: BTreeSet<Standing> = query.standing.iter().copied().collect();
    let standings: Vec<&str> = asked
        .iter()
        .map(|standing| match standing {
            Standing::Ended => "ends < ?",
            Standing::Upcoming => "(starts > ? AND (ends IS NULL OR ends >= ?))",
            Standing::Active => "((starts IS NULL OR starts <= ?) AND (ends IS NULL OR ends >= ?))",
            Standing::Withdrawn => "0",
        })
        .collect();
    if !standings.is_empty() {
        let any = standings.join(" OR ");
        values.extend(any.matches('?').map(|_| Value::from(day.clone())));
        wheres.push(format!("({any})"));
    }
    if !query.missing.is_empty() {
        let bits = query.missing.iter().fold(0, |all, field| all | bit(*field));
        wheres.push("filled & ? <> ?".to_owned());
        values.extend([Value::from(bits), Value::from(bits)]);
    }
    (wheres, values)
}

/// The ids of a part, and where the next begins.
fn cut(mut places: Vec<(String, i64)>, limit: u32) -> (Vec<i64>, Option<(String, i64)>) {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = places.len() > limit;
    places.truncate(limit);
    let next = places.last().filter(|_| more).cloned();
    (places.into_iter().map(|(_, id)| id).collect(), next)
}
