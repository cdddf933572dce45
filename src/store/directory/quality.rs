//! How good a client's data is: what the check of the records needs, and one mark for each day.

use jiff::civil::Date;
use rusqlite::params;

use super::Directory;
use crate::error::Result;
use crate::import::fields::Field;
use crate::store::{failed, signed, unsigned, word};

/// The table of this file.
pub(super) const STEP: &str = r"
-- One mark for each day on which something was imported: the last of that day.
CREATE TABLE quality (
    day      TEXT PRIMARY KEY,
    people   INTEGER NOT NULL,
    complete INTEGER NOT NULL,
    valid    INTEGER NOT NULL,
    managed  INTEGER NOT NULL
) STRICT;
";

/// What is asked of one person's record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The user's id.
    pub user: i64,
    /// The manager's id.
    pub manager: Option<i64>,
    /// The legal entity's code.
    pub legal_entity: Option<String>,
    /// The department's code.
    pub department: Option<String>,
    /// The first day of the contract.
    pub starts: Option<String>,
    /// Its last day.
    pub ends: Option<String>,
    /// Which fields have a value: the bits of their places in the user record.
    pub filled: u64,
}

/// How many people there were on a day, and how many of them had good records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QualityMark {
    /// The day.
    pub day: Date,
    /// People who work there, or will.
    pub people: u64,
    /// Who has every expected field.
    pub complete: u64,
    /// Whose values contradict nothing.
    pub valid: u64,
    /// Who has a manager who works there.
    pub managed: u64,
}

impl Directory {
    /// What the check asks of everybody who is not withdrawn.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn records(&self) -> Result<Vec<Record>> {
        let read = || -> rusqlite::Result<Vec<Record>> {
            self.conn
                .prepare_cached(
                    "SELECT user, manager, legal_entity, department, starts, ends, filled FROM search",
                )?
                .query_map([], |row| {
                    Ok(Record {
                        user: row.get("user")?,
                        manager: row.get("manager")?,
                        legal_entity: row.get("legal_entity")?,
                        department: row.get("department")?,
                        starts: row.get("starts")?,
                        ends: row.get("ends")?,
                        filled: unsigned(row, "filled")?,
                    })
                })?
                .collect()
        };
        read().map_err(failed("read the records"))
    }

    /// The users for whom a file named a manager whom nobody has found.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn managers_not_found(&self) -> Result<Vec<i64>> {
        let read = || -> rusqlite::Result<Vec<i64>> {
            self.conn
                .prepare_cached("SELECT user FROM manager_wishes ORDER BY user")?
                .query_map([], |row| row.get(0))?
                .collect()
        };
        read().map_err(failed("read whose manager was not found"))
    }

    /// The codes that files brought into lists of which somebody has loaded the right ones: field and code.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn codes_not_loaded(&self) -> Result<Vec<(Field, String)>> {
        let read = || -> rusqlite::Result<Vec<(Field, String)>> {
            let codes: Vec<(String, String)> = self
                .conn
                .prepare_cached(
                    "SELECT field, code FROM lists WHERE name IS NULL
                     AND field IN (SELECT field FROM lists WHERE name IS NOT NULL)",
                )?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<rusqlite::Result<_>>()?;
            let known = |(field, code): (String, String)| Some((Field::from_name(&field)?, code));
            Ok(codes.into_iter().filter_map(known).collect())
        };
        read().map_err(failed("read the codes that nobody loaded"))
    }

    /// Notes a day's mark in place of an earlier one of that day.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn note_quality(&self, mark: &QualityMark) -> Result<()> {
        let QualityMark { day, people, complete, valid, managed } = *mark;
        self.conn
            .prepare_cached(
                "INSERT INTO quality (day, people, complete, valid, managed) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (day) DO UPDATE SET people = excluded.people, complete = excluded.complete,
                     valid = excluded.valid, managed = excluded.managed",
            )
            .and_then(|mut note| {
                note.execute(params![
                    day.to_string(),
                    signed(people),
                    signed(complete),
                    signed(valid),
                    signed(managed)
                ])
            })
            .map(drop)
            .map_err(failed("note how good the data is"))
    }

    /// The marks of the last `most` days that have one, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn quality_marks(&self, most: u32) -> Result<Vec<QualityMark>> {
        let read = || -> rusqlite::Result<Vec<QualityMark>> {
            let mut marks: Vec<QualityMark> = self
                .conn
                .prepare_cached("SELECT * FROM quality ORDER BY day DESC LIMIT ?1")?
                .query_map([most], |row| {
                    Ok(QualityMark {
                        day: word(row, "day")?,
                        people: unsigned(row, "people")?,
                        complete: unsigned(row, "complete")?,
                        valid: unsigned(row, "valid")?,
                        managed: unsigned(row, "managed")?,
                    })
                })?
                .collect::<rusqlite::Result<_>>()?;
            marks.reverse();
            Ok(marks)
        };
        read().map_err(failed("read how good the data was"))
    }
}
