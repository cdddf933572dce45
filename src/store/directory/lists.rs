//! Reference lists: what files have brought, what somebody has loaded, and what became of both.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use jiff::civil::Date;
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, params};

use super::{Directory, Event, events, meta};
use crate::error::{Error, Kind, Result};
use crate::import::fields::Field;
use crate::store::{failed, instant, seen, unreadable};

/// The most entries in use that a refusal names.
const NAMED: usize = 10;

/// An entry of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListEntry {
    /// The list.
    pub field: Field,
    /// The code.
    pub code: String,
    /// Its name; the code itself where it was loaded without one; `None`: only files have brought it.
    pub name: Option<String>,
}

/// A change of a list, as its history shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListChange {
    /// When.
    pub at: Timestamp,
    /// The list.
    pub field: Field,
    /// The code.
    pub code: String,
    /// `added`, `named` or `removed`.
    pub what: String,
    /// The name that it had from then on, or until then.
    pub name: Option<String>,
    /// The file that brought it, or who changed it.
    pub by: String,
}

/// What to write to one list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListWrite<'a> {
    /// The list.
    pub field: Field,
    /// Entries to add or to name: code and name.
    pub put: &'a [(String, Option<String>)],
    /// Entries to remove.
    pub remove: Removal<'a>,
    /// Today in the client's time zone: who has not left by then needs their entry.
    pub today: Date,
}

/// Which entries go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal<'a> {
    /// None.
    None,
    /// These.
    Codes(&'a [String]),
    /// All that are not put.
    Others,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListOutcome {
    /// Codes that are new.
    pub added: Vec<String>,
    /// Codes that were there and have another name now, or are known as loaded from now on.
    pub named: Vec<String>,
    /// Codes that are gone, with the users who have left and still have them.
    pub removed: Vec<(String, u64)>,
    /// How many entries stayed as they were, of those that were put.
    pub unchanged: u64,
}

impl ListOutcome {
    fn is_nothing(&self) -> bool {
        self.added.is_empty() && self.named.is_empty() && self.removed.is_empty()
    }
}

/// The codes of every list.
pub(super) fn codes(conn: &Connection) -> rusqlite::Result<BTreeMap<Field, BTreeSet<String>>> {
    let mut lists: BTreeMap<Field, BTreeSet<String>> = BTreeMap::new();
    let mut all = conn.prepare_cached("SELECT field, code FROM lists")?;
    let mut rows = all.query([])?;
    while let Some(row) = rows.next()? {
        lists.entry(field(row)?).or_default().insert(row.get("code")?);
    }
    Ok(lists)
}

/// The names of the entries that somebody loaded.
pub(super) fn names(
    conn: &Connection,
) -> rusqlite::Result<BTreeMap<Field, BTreeMap<String, String>>> {
    let mut names: BTreeMap<Field, BTreeMap<String, String>> = BTreeMap::new();
    let mut all =
        conn.prepare_cached("SELECT field, code, name FROM lists WHERE name IS NOT NULL")?;
    let mut rows = all.query([])?;
    while let Some(row) = rows.next()? {
        names.entry(field(row)?).or_default().insert(row.get("code")?, row.get("name")?);
    }
    Ok(names)
}

fn field(row: &Row<'_>) -> rusqlite::Result<Field> {
    let name: String = row.get("field")?;
    Field::from_name(&name).ok_or_else(|| {
        unreadable(rusqlite::types::Type::Text, format!("\"{name}\" is not a field"))
    })
}

fn in_order(conn: &Connection, only: Option<Field>) -> rusqlite::Result<Vec<ListEntry>> {
    let mut entries: Vec<ListEntry> = conn
        .prepare_cached("SELECT field, code, name FROM lists WHERE ?1 IS NULL OR field = ?1")?
        .query_map([only.map(Field::name)], |row| {
            Ok(ListEntry { field: field(row)?, code: row.get("code")?, name: row.get("name")? })
        })?
        .collect::<rusqlite::Result<_>>()?;
    entries.sort_by(|a, b| (a.field, &a.code).cmp(&(b.field, &b.code)));
    Ok(entries)
}

impl Directory {
    /// The entries of a list, or of all, in the order of lists and codes.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn lists(&self, only: Option<Field>) -> Result<Vec<ListEntry>> {
        in_order(&self.conn, only).map_err(failed("read the reference lists"))
    }

    /// The same, each with the number of users who have it, those who have left too. Looks through all users.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn counted_lists(&self, only: Option<Field>) -> Result<Vec<(ListEntry, u64)>> {
        let read = || -> rusqlite::Result<Vec<(ListEntry, u64)>> {
            let tx = self.conn.unchecked_transaction()?;
            let mut used: HashMap<Field, HashMap<String, Use>> = HashMap::new();
            let mut counted = Vec::new();
            for entry in in_order(&tx, only)? {
                let used = match used.entry(entry.field) {
                    std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
                    std::collections::hash_map::Entry::Vacant(new) => {
                        new.insert(uses(&tx, entry.field, Date::MAX)?)
                    }
                };
                let users = used.get(&entry.code).map_or(0, |used| used.here + used.left);
                counted.push((entry, users));
            }
            Ok(counted)
        };
        read().map_err(failed("read the reference lists"))
    }

    /// What became of the entries of a list, or of all, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn list_history(&self, only: Option<Field>) -> Result<Vec<ListChange>> {
        let read = || -> rusqlite::Result<Vec<ListChange>> {
            self.conn
                .prepare_cached(
                    "SELECT field, code, what, all_changes.name AS name, applied_at,
                         coalesce(events.who, imports.file_name) AS by
                     FROM (SELECT import, field, code, what, name FROM list_changes
                           UNION ALL
                           SELECT added_by, field, code, 'added', NULL FROM lists
                           WHERE NOT EXISTS (SELECT 1 FROM list_changes c WHERE
                               c.import = added_by AND c.field = lists.field AND c.code = lists.code)
                          ) AS all_changes
                     JOIN imports ON imports.seq = all_changes.import
                     LEFT JOIN events ON events.import = all_changes.import
                     WHERE ?1 IS NULL OR field = ?1
                     ORDER BY all_changes.import, field, code, what",
                )?
                .query_map([only.map(Field::name)], |row| {
                    Ok(ListChange {
                        at: instant(row, "applied_at")?,
                        field: field(row)?,
                        code: row.get("code")?,
                        what: row.get("what")?,
                        name: row.get("name")?,
                        by: row.get("by")?,
                    })
                })?
                .collect()
        };
        read().map_err(failed("read the history of the reference lists"))
    }

    /// Adds, names and removes entries of one list, all or nothing; what changes nothing leaves no trace.
    ///
    /// # Errors
    /// `Kind::Conflict` for entries to be removed that users who have not left have; `Kind::NotFound` for codes to
    /// be removed that are no entries.
    pub fn write_list(&mut self, event: &Event, write: &ListWrite<'_>) -> Result<ListOutcome> {
        let what = || failed(format!("write the list {}", write.field));
        let tx =
            self.conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(what())?;
        seen::check_directory(meta(&tx).map_err(what())?.change_number)?;
        let known = entries(&tx, write.field).map_err(what())?;
        let going = going(write, &known)?;
        let uses = match going.is_empty() {
            true => HashMap::new(),
            false => uses(&tx, write.field, write.today).map_err(what())?,
        };
        refuse_used(write.field, &going, &uses)?;
        let outcome = decide(write, &known, &going, &uses);
        if outcome.is_nothing() {
            return Ok(outcome);
        }
        let done = || -> rusqlite::Result<()> {
            let change_number = meta(&tx)?.change_number + 1;
            let seq = events::insert(&tx, event, change_number)?;
            let list = List { conn: &tx, field: write.field, event: seq, known: &known };
            for (code, name) in write.put {
                list.put(code, name.as_deref())?;
            }
            for (code, _) in &outcome.removed {
                list.remove(code)?;
            }
            tx.prepare_cached("UPDATE directory SET change_number = ?1")?
                .execute([change_number])?;
            Ok(())
        };
        done().map_err(what())?;
        tx.commit().map_err(what())?;
        Ok(outcome)
    }
}

/// An entry as it is stored: its name, and what added it.
type Stored = (Option<String>, i64);

fn entries(conn: &Connection, field: Field) -> rusqlite::Result<BTreeMap<String, Stored>> {
    conn.prepare_cached("SELECT code, name, added_by FROM lists WHERE field = ?1")?
        .query_map([field.name()], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?
        .collect()
}

/// How many users have a code.
#[derive(Debug, Clone, Copy, Default)]
struct Use {
    /// Who has not left.
    here: u64,
    left: u64,
}

fn uses(conn: &Connection, list: Field, today: Date) -> rusqlite::Result<HashMap<String, Use>> {
    let mut used: HashMap<String, Use> = HashMap::new();
    let columns: &[Field] = if list == Field::Role { &[list, Field::Roles] } else { &[list] };
    for column in columns {
        let column = column.name();
        let mut counted = conn.prepare_cached(&format!(
            "SELECT {column} AS code, contract_end IS NOT NULL AND contract_end < ?1 AS has_left,
                 count(*) AS users
             FROM users WHERE withdrawn = 0 AND {column} IS NOT NULL GROUP BY 1, 2"
        ))?;
        let mut rows = counted.query([today.to_string()])?;
        while let Some(row) = rows.next()? {
            let (codes, has_left): (String, bool) = (row.get("code")?, row.get("has_left")?);
            let users = crate::store::unsigned(row, "users")?;
            for code in codes.split('\n') {
                let used = used.entry(code.to_owned()).or_default();
                if has_left { used.left += users } else { used.here += users }
            }
        }
    }
    Ok(used)
}

/// The codes that are to go.
fn going(write: &ListWrite<'_>, known: &BTreeMap<String, Stored>) -> Result<Vec<String>> {
    match write.remove {
        Removal::None => Ok(Vec::new()),
        Removal::Others => {
            let put: BTreeSet<&str> = write.put.iter().map(|(code, _)| code.as_str()).collect();
            Ok(known.keys().filter(|code| !put.contains(code.as_str())).cloned().collect())
        }
        Removal::Codes(codes) => {
            let unknown: Vec<String> = codes
                .iter()
                .filter(|code| !known.contains_key(*code))
                .map(|code| format!("\"{code}\""))
                .collect();
            if unknown.is_empty() {
                return Ok(codes.to_vec());
            }
            let message = format!(
                "the list {} has no {}; nothing was changed (see: rollcall lists show CLIENT {})",
                write.field,
                unknown.join(", "),
                write.field
            );
            Err(Error::new(Kind::NotFound, message))
        }
    }
}

fn refuse_used(field: Field, going: &[String], uses: &HashMap<String, Use>) -> Result<()> {
    let used: Vec<(&String, u64)> = going
        .iter()
        .filter_map(|code| Some((code, uses.get(code)?.here)))
        .filter(|(_, here)| *here > 0)
        .collect();
    if used.is_empty() {
        return Ok(());
    }
    let mut named: Vec<String> =
        used.iter().take(NAMED).map(|(code, here)| format!("\"{code}\" ({here})")).collect();
    if used.len() > NAMED {
        named.push(format!("and {} more", used.len() - NAMED));
    }
    let message = format!(
        "{} of the entries to be removed from the list {field} are in use (users who have not left): {}; nothing \
         was changed. Keep these entries, or map them to others and import once more before you remove them",
        used.len(),
        named.join(", ")
    );
    Err(Error::new(Kind::Conflict, message))
}

/// The name that an entry has after it was put.
fn name_after(code: &str, given: Option<&str>, before: Option<&str>) -> String {
    given.or(before).unwrap_or(code).to_owned()
}

fn decide(
    write: &ListWrite<'_>,
    known: &BTreeMap<String, Stored>,
    going: &[String],
    uses: &HashMap<String, Use>,
) -> ListOutcome {
    let mut outcome = ListOutcome::default();
    for (code, name) in write.put {
        match known.get(code) {
            None => outcome.added.push(code.clone()),
            Some((before, _))
                if before.as_deref()
                    == Some(name_after(code, name.as_deref(), before.as_deref()).as_str()) =>
            {
                outcome.unchanged += 1;
            }
            Some(_) => outcome.named.push(code.clone()),
        }
    }
    let left = |code: &String| (code.clone(), uses.get(code).map_or(0, |used| used.left));
    outcome.removed = going.iter().map(left).collect();
    outcome
}

/// One list under an event that changes it.
struct List<'x> {
    conn: &'x Connection,
    field: Field,
    event: i64,
    known: &'x BTreeMap<String, Stored>,
}

impl List<'_> {
    fn put(&self, code: &str, name: Option<&str>) -> rusqlite::Result<()> {
        let before = self.known.get(code);
        let old = before.and_then(|(name, _)| name.as_deref());
        let name = name_after(code, name, old);
        if old == Some(name.as_str()) {
            return Ok(());
        }
        let what = if before.is_none() { "added" } else { "named" };
        self.keep_origin(code)?;
        self.conn
            .prepare_cached(
                "INSERT INTO lists (field, code, added_by, name) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (field, code) DO UPDATE SET name = excluded.name,
                     added_by = excluded.added_by",
            )?
            .execute(params![self.field.name(), code, self.event, name])?;
        self.note(self.event, code, what, Some(&name))
    }

    fn remove(&self, code: &str) -> rusqlite::Result<()> {
        self.keep_origin(code)?;
        let name = self.known.get(code).and_then(|(name, _)| name.as_deref());
        self.conn
            .prepare_cached("DELETE FROM lists WHERE field = ?1 AND code = ?2")?
            .execute([self.field.name(), code])?;
        self.note(self.event, code, "removed", name)
    }

    /// What a file added is written down before its entry changes hands.
    fn keep_origin(&self, code: &str) -> rusqlite::Result<()> {
        let Some((_, added_by)) = self.known.get(code) else { return Ok(()) };
        let is_event = self
            .conn
            .prepare_cached("SELECT 1 FROM events WHERE import = ?1")?
            .query_row([added_by], |_| Ok(()))
            .optional()?
            .is_some();
        if is_event { Ok(()) } else { self.note(*added_by, code, "added", None) }
    }

    fn note(&self, by: i64, code: &str, what: &str, name: Option<&str>) -> rusqlite::Result<()> {
        self.conn
            .prepare_cached(
                "INSERT INTO list_changes (import, field, code, what, name)
                 VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
            )?
            .execute(params![by, self.field.name(), code, what, name])?;
        Ok(())
    }
}
