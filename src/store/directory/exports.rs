//! The whole directory once, user by user, as an export reads it: at one instant, whatever is imported meanwhile.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, Row, Rows};

use super::Directory;
use super::users::{user, user_columns};
use crate::error::Result;
use crate::import::directory::{User, Values};
use crate::import::fields::{Field, FieldKey};
use crate::store::failed;

/// What an export needs besides the users themselves.
#[derive(Debug, Clone, Default)]
pub struct ExportFacts {
    /// The last import or event that this directory has seen.
    pub place: i64,
    /// The names of the client's own columns, in order.
    pub custom: Vec<String>,
    /// The managers by id: number, legal entity, login, e-mail and names.
    pub managers: HashMap<i64, Values>,
    /// Every employee number that could be taken for a manager's login or e-mail.
    pub numbers: HashSet<String>,
    /// Employee numbers that several users have.
    pub shared_numbers: HashSet<String>,
    /// The employee number of each user whose number has changed since `since`, as it was then.
    pub previous_numbers: HashMap<i64, String>,
    /// Whether changes since `since` are not kept any more: then earlier numbers are not known.
    pub is_forgotten: bool,
}

/// A user as an export reads it.
#[derive(Debug, Clone)]
pub struct ExportUser {
    /// The user.
    pub user: User,
    /// The user left long ago and has a pseudonym.
    pub is_pseudonym: bool,
    /// Withdrawn, and the number, login or e-mail is another user's by now.
    pub is_replaced: bool,
}

impl Directory {
    /// Reads everything that an export needs in one snapshot: first what is known of the directory, then every user by
    /// id. `since` is the place of the last run. `begin` makes what `visit` works with.
    ///
    /// # Errors
    /// When the database cannot be read; what `begin` or `visit` refuse.
    pub fn read_for_export<S>(
        &self,
        since: Option<i64>,
        begin: impl FnOnce(ExportFacts) -> Result<S>,
        mut visit: impl FnMut(&mut S, &ExportUser) -> Result<()>,
    ) -> Result<S> {
        let what = || failed("read the directory for an export");
        let tx = self.conn.unchecked_transaction().map_err(what())?;
        let mut state = begin(facts(&tx, since).map_err(what())?)?;
        let pseudonyms = ids(&tx, "SELECT user FROM pseudonyms").map_err(what())?;
        let replaced = replaced(&tx).map_err(what())?;
        let sql = format!("{} ORDER BY id", user_columns(Field::ALL));
        let mut all = tx.prepare(&sql).map_err(what())?;
        let mut rows = all.query([]).map_err(what())?;
        let mut custom = tx
            .prepare("SELECT user, name, value FROM custom_values ORDER BY user, name")
            .map_err(what())?;
        let mut own = Own::begin(custom.query([]).map_err(what())?).map_err(what())?;
        while let Some(row) = rows.next().map_err(what())? {
            let mut user = user(row).map_err(what())?;
            own.give(&mut user).map_err(what())?;
            let one = ExportUser {
                is_pseudonym: pseudonyms.contains(&user.id),
                is_replaced: replaced.contains(&user.id),
                user,
            };
            visit(&mut state, &one)?;
        }
        Ok(state)
    }
}

/// The values of clients' own columns, read along with the users.
struct Own<'s> {
    rows: Rows<'s>,
    next: Option<(i64, String, String)>,
}

impl<'s> Own<'s> {
    fn begin(rows: Rows<'s>) -> rusqlite::Result<Self> {
        let mut own = Self { rows, next: None };
        own.step()?;
        Ok(own)
    }

    fn step(&mut self) -> rusqlite::Result<()> {
        let read = |row: &Row<'_>| -> rusqlite::Result<(i64, String, String)> {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        };
        self.next = self.rows.next()?.map(read).transpose()?;
        Ok(())
    }

    fn give(&mut self, user: &mut User) -> rusqlite::Result<()> {
        while let Some((id, name, value)) = self.next.take_if(|(id, _, _)| *id <= user.id) {
            if id == user.id {
                user.values.set(&FieldKey::Custom(name), Some(&value));
            }
            self.step()?;
        }
        Ok(())
    }
}

fn facts(tx: &Connection, since: Option<i64>) -> rusqlite::Result<ExportFacts> {
    let place = tx.query_row("SELECT coalesce(max(seq), 0) FROM imports", [], |row| row.get(0))?;
    let forgotten: i64 = tx.query_row("SELECT forgotten FROM directory", [], |row| row.get(0))?;
    let texts = |sql: &str| -> rusqlite::Result<Vec<String>> {
        tx.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
    };
    let mut facts = ExportFacts {
        place,
        custom: texts("SELECT DISTINCT name FROM custom_values ORDER BY name")?,
        shared_numbers: texts(
            "SELECT employee_number FROM users WHERE withdrawn = 0 AND employee_number IS NOT NULL
             GROUP BY employee_number HAVING count(*) > 1",
        )?
        .into_iter()
        .collect(),
        is_forgotten: since.is_some_and(|since| forgotten > since),
        ..ExportFacts::default()
    };
    let fields = [
        Field::EmployeeNumber,
        Field::LegalEntity,
        Field::Login,
        Field::Email,
        Field::FirstName,
        Field::LastName,
    ];
    let sql = format!(
        "{} WHERE withdrawn = 0 AND id IN (SELECT manager FROM users WHERE manager IS NOT NULL)
             AND id NOT IN (SELECT user FROM pseudonyms)",
        user_columns(&fields)
    );
    let mut managers = tx.prepare(&sql)?;
    let mut rows = managers.query([])?;
    while let Some(row) = rows.next()? {
        let user = user(row)?;
        facts.managers.insert(user.id, user.values);
    }
    let ways: HashSet<&str> = facts
        .managers
        .values()
        .flat_map(|m| [Field::Login, Field::Email].into_iter().filter_map(|f| m.get(f)))
        .collect();
    let mut numbers = tx.prepare(
        "SELECT employee_number FROM users WHERE withdrawn = 0 AND employee_number IS NOT NULL",
    )?;
    let mut rows = numbers.query([])?;
    while let Some(row) = rows.next()? {
        let number = row.get_ref(0)?.as_str()?;
        if ways.contains(number) {
            facts.numbers.insert(number.to_owned());
        }
    }
    drop(rows);
    drop(numbers);
    if let Some(since) = since {
        facts.previous_numbers = previous_numbers(tx, since)?;
    }
    Ok(facts)
}

fn previous_numbers(tx: &Connection, since: i64) -> rusqlite::Result<HashMap<i64, String>> {
    let mut changes = tx.prepare(
        "SELECT user, before FROM changes WHERE import > ?1 AND field = 'employee_number'
         ORDER BY import DESC, n DESC",
    )?;
    let mut rows = changes.query([since])?;
    let mut previous = HashMap::new();
    while let Some(row) = rows.next()? {
        // Newest first: what is left in the end is the number at the time of the last run.
        match row.get::<_, Option<String>>(1)? {
            Some(before) => previous.insert(row.get(0)?, before),
            None => previous.remove(&row.get(0)?),
        };
    }
    Ok(previous)
}

fn ids(tx: &Connection, sql: &str) -> rusqlite::Result<HashSet<i64>> {
    tx.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
}

/// Withdrawn users whose number, login or e-mail somebody else has by now.
fn replaced(tx: &Connection) -> rusqlite::Result<HashSet<i64>> {
    let keys = |withdrawn: &str| {
        format!(
            "SELECT id, coalesce(legal_entity, '') || char(10) || employee_number, lower(login), email
             FROM users WHERE withdrawn {withdrawn}"
        )
    };
    let mut gone: HashMap<(usize, String), Vec<i64>> = HashMap::new();
    let mut all = tx.prepare(&keys("<> 0"))?;
    let mut rows = all.query([])?;
    while let Some(row) = rows.next()? {
        for at in 1..4 {
            if let Some(key) = row.get(at)? {
                gone.entry((at, key)).or_default().push(row.get(0)?);
            }
        }
    }
    let mut replaced = HashSet::new();
    if gone.is_empty() {
        return Ok(replaced);
    }
    let mut all = tx.prepare(&keys("= 0"))?;
    let mut rows = all.query([])?;
    while let Some(row) = rows.next()? {
        for at in 1..4 {
            if let Some(key) = row.get(at)? {
                replaced.extend(gone.get(&(at, key)).into_iter().flatten());
            }
        }
    }
    Ok(replaced)
}
