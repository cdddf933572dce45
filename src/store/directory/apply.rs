//! One import's writes, in one transaction together with the import's own row.

use std::sync::mpsc;

use rusqlite::{Connection, Statement, TransactionBehavior, params, params_from_iter};

use super::{
    CACHE_KIB, CHECKPOINT_PAGES, Directory, FILLING_CACHE_KIB, ImportRecord, absences, holds,
    imports, listed, meta, prints, protections, set_cache, to_json, undo, unmapped, wishes,
};
use crate::error::{Error, Kind, Result};
use crate::fault;
use crate::import::directory::Values;
use crate::import::fields::{Field, FieldKey};
use crate::import::plan::{FieldChange, Newcomers, Plan, UserWrite, Written};
use crate::store::failed;

/// Whether an import was applied by this call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// It was.
    Now,
    /// An earlier call had applied it: nothing was written.
    Already,
}

impl Directory {
    /// Applies a plan: users, lists, history, the source's memory and the import's row with its report, all or nothing.
    ///
    /// A plan whose report is a dry run or of a status that takes nothing leaves only the import's row. The
    /// memory's `change_number` is set here to the number that the directory has afterwards.
    ///
    /// # Errors
    /// `Kind::Conflict` when the directory has moved since the plan's snapshot: plan again.
    pub fn apply(&mut self, plan: &Plan, record: &ImportRecord) -> Result<Applied> {
        self.apply_with(plan, &Newcomers::default(), record, |_| Ok(()))
    }

    /// The same with new users who are made of their rows as they are written.
    ///
    /// # Errors
    /// As of [`Self::apply`].
    pub fn apply_made(
        &mut self,
        plan: &Plan,
        newcomers: &Newcomers<'_>,
        record: &ImportRecord,
    ) -> Result<Applied> {
        self.apply_with(plan, newcomers, record, |_| Ok(()))
    }

    /// The same, with something before it in the same transaction.
    pub(super) fn apply_with(
        &mut self,
        plan: &Plan,
        newcomers: &Newcomers<'_>,
        record: &ImportRecord,
        before: impl FnOnce(&Connection) -> rusqlite::Result<()>,
    ) -> Result<Applied> {
        // The checkpoint comes after the answer (`checkpoint`), not inside this commit.
        let automatic = |conn: &Connection, pages: u32| {
            conn.pragma_update(None, "wal_autocheckpoint", pages)
                .map_err(failed("set the directory's checkpoint"))
        };
        let cache = |conn: &Connection, kib: i64| {
            set_cache(conn, kib).map_err(failed("set the directory's cache"))
        };
        automatic(&self.conn, 0)?;
        let fills = newcomers.len() > FILLS;
        cache(&self.conn, if fills { FILLING_CACHE_KIB } else { CACHE_KIB })?;
        let applied = self.apply_now(plan, newcomers, record, before);
        cache(&self.conn, CACHE_KIB)?;
        automatic(&self.conn, CHECKPOINT_PAGES)?;
        applied
    }

    fn apply_now(
        &mut self,
        plan: &Plan,
        newcomers: &Newcomers<'_>,
        record: &ImportRecord,
        first: impl FnOnce(&Connection) -> rusqlite::Result<()>,
    ) -> Result<Applied> {
        let what = || failed(format!("apply import {}", record.id));
        let tx =
            self.conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(what())?;
        first(&tx).map_err(what())?;
        if imports::knows(&tx, record.id).map_err(what())? {
            return Ok(Applied::Already);
        }
        let before = meta(&tx).map_err(what())?;
        let takes = plan.report.status.is_applied() && !plan.report.dry_run;
        if takes && before.change_number != plan.change_number {
            return Err(Error::new(
                Kind::Conflict,
                format!(
                    "the directory is at change {}, the plan of import {} was made at {}: plan again",
                    before.change_number, record.id, plan.change_number
                ),
            ));
        }
        let nothing =
            plan.writes.is_empty() && newcomers.is_empty() && plan.list_entries.is_empty();
        let writes = takes && !nothing;
        let change_number = before.change_number + i64::from(writes);
        let import = imports::insert(&tx, record, &plan.report, change_number).map_err(what())?;
        if takes {
            write_all(&tx, plan, newcomers, &record.source, import, change_number)?;
        }
        unmapped::write(&tx, plan, &record.source, import).map_err(what())?;
        holds::settle(&tx, plan, record, import).map_err(what())?;
        let place = |e| Error::io(format!("apply import {}", record.id), e);
        fault::at("apply.inside").map_err(place)?;
        tx.commit().map_err(what())?;
        fault::at("apply.committed").map_err(place)?;
        Ok(Applied::Now)
    }
}

pub(super) fn write_all(
    tx: &Connection,
    plan: &Plan,
    newcomers: &Newcomers<'_>,
    source: &str,
    import: i64,
    change_number: i64,
) -> Result<()> {
    let created = plan.writes.iter().filter_map(|write| match &write.what {
        Written::Created(values) => Some(values),
        Written::Changed(_) => None,
    });
    let mut fields = Values::fields_of(created);
    fields.extend(newcomers.fields());
    fields.sort_unstable();
    fields.dedup();
    let mut writer =
        Writer::new(tx, import, &fields).map_err(failed("prepare the import's writes"))?;
    write_newcomers(&mut writer, newcomers)?;
    for write in &plan.writes {
        writer.write(write)?;
    }
    let next_user_id = writer.next_user_id;
    let finish = || -> rusqlite::Result<()> {
        absences::write(tx, plan, source)?;
        wishes::write(tx, plan, import)?;
        protections::write(tx, plan, source, import)?;
        for (field, code) in &plan.list_entries {
            tx.prepare_cached(
                "INSERT INTO lists (field, code, added_by) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            )?
            .execute(params![field.name(), code, import])?;
        }
        if let Some(memory) = &plan.source {
            let mut memory = memory.clone();
            memory.change_number = Some(change_number);
            let listed = plan.listed.as_deref().map(listed::pack);
            undo::keep_point(tx, source, import, listed.as_deref())?;
            tx.prepare_cached(
                "INSERT INTO sources (source, memory, listed) VALUES (?1, ?2, ?3)
                 ON CONFLICT (source) DO UPDATE SET memory = excluded.memory,
                     listed = coalesce(excluded.listed, listed)",
            )?
            .execute(params![source, to_json(&memory)?, listed])?;
            prints::save(tx, source, &plan.prints, change_number)?;
        }
        tx.prepare_cached(
            "UPDATE directory SET change_number = ?1, next_user_id = max(next_user_id, ?2)",
        )?
        .execute([change_number, next_user_id])?;
        Ok(())
    };
    finish().map_err(failed("finish the import's writes"))
}

/// From how many new users on the page cache is kept small: file and plan are in memory beside it.
const FILLS: usize = 50_000;
/// How many new users are made of their rows while those before them are written.
const BATCH: usize = 1024;
/// How many batches may wait to be written.
const BATCHES: usize = 4;

/// Writes new users; of many, the next ones are read by a thread of its own meanwhile.
fn write_newcomers(writer: &mut Writer<'_>, newcomers: &Newcomers<'_>) -> Result<()> {
    if newcomers.len() <= BATCH {
        return newcomers.writes().try_for_each(|write| writer.write(&write));
    }
    let written = std::thread::scope(|scope| -> Result<usize> {
        let (give, take) = mpsc::sync_channel(BATCHES);
        let read = move || {
            let mut writes = newcomers.writes();
            loop {
                let batch: Vec<UserWrite> = writes.by_ref().take(BATCH).collect();
                // The other end is gone when a write has failed.
                if batch.is_empty() || give.send(batch).is_err() {
                    return;
                }
            }
        };
        std::thread::Builder::new()
            .name("newcomers".to_owned())
            .spawn_scoped(scope, read)
            .map_err(|e| Error::io("start reading the new users", e))?;
        let mut written = 0;
        for batch in take {
            written += batch.len();
            batch.iter().try_for_each(|write| writer.write(write))?;
        }
        Ok(written)
    })?;
    if written == newcomers.len() {
        return Ok(());
    }
    let message = format!("{written} of {} new users were read again", newcomers.len());
    Err(Error::new(Kind::Internal, message))
}

/// The place of a new user's first field, behind id, import and line.
const FIRST_FIELD: usize = 4;

/// The statements that every row needs, prepared once.
struct Writer<'conn> {
    conn: &'conn Connection,
    insert: Statement<'conn>,
    /// The place of each field among what `insert` is given; 0: it is not among them.
    places: [usize; Field::ALL.len()],
    custom: Statement<'conn>,
    change: Statement<'conn>,
    import: i64,
    changes: i64,
    next_user_id: i64,
}

impl<'conn> Writer<'conn> {
    /// New users have these fields at most: what no row fills is not bound a million times.
    fn new(conn: &'conn Connection, import: i64, fields: &[Field]) -> rusqlite::Result<Self> {
        let columns: String = fields.iter().map(|field| format!(", {}", field.name())).collect();
        let values = ", ?".repeat(fields.len());
        let insert = format!(
            "INSERT INTO users (id, created_by, created_line{columns}) VALUES (?, ?, ?{values})"
        );
        let mut places = [0; Field::ALL.len()];
        for (field, place) in fields.iter().zip(FIRST_FIELD..) {
            if let Some(slot) = places.get_mut(field.index()) {
                *slot = place;
            }
        }
        Ok(Self {
            conn,
            insert: conn.prepare(&insert)?,
            places,
            custom: conn.prepare(
                "INSERT INTO custom_values (user, name, value) VALUES (?1, ?2, ?3)
                 ON CONFLICT (user, name) DO UPDATE SET value = excluded.value",
            )?,
            change: conn.prepare(
                "INSERT INTO changes (import, n, user, line, field, before, after)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?,
            import,
            changes: 0,
            next_user_id: 1,
        })
    }

    fn write(&mut self, write: &UserWrite) -> Result<()> {
        let done = match &write.what {
            Written::Created(values) => self.create(write, values),
            Written::Changed(changes) => self.change(write, changes),
        };
        let found = done.map_err(|e| {
            let line = write.line;
            failed(format_args!("write user {} from line {line}", write.user_id))(e)
        })?;
        if found {
            return Ok(());
        }
        let message = format!(
            "line {}: user {} is not in the directory any more; the import is planned again",
            write.line, write.user_id
        );
        Err(Error::new(Kind::Conflict, message))
    }

    /// The creation's values are its history; no row of `changes` repeats them.
    fn create(&mut self, write: &UserWrite, values: &Values) -> rusqlite::Result<bool> {
        self.insert.clear_bindings();
        self.insert.raw_bind_parameter(1, write.user_id)?;
        self.insert.raw_bind_parameter(2, self.import)?;
        self.insert.raw_bind_parameter(3, write.line)?;
        for (field, value) in values.known() {
            let place = self.places.get(field.index()).copied().unwrap_or(0);
            self.insert.raw_bind_parameter(place, value)?;
        }
        self.insert.raw_execute()?;
        for (name, value) in values.custom() {
            self.custom.execute(params![write.user_id, name, value])?;
        }
        self.next_user_id = self.next_user_id.max(write.user_id + 1);
        Ok(true)
    }

    fn change(&mut self, write: &UserWrite, changes: &[FieldChange]) -> rusqlite::Result<bool> {
        let known = changes.iter().filter_map(|c| match &c.field {
            FieldKey::Known(field) => Some((field, &c.to)),
            FieldKey::Custom(_) => None,
        });
        let (fields, values): (Vec<&Field>, Vec<&Option<Box<str>>>) = known.unzip();
        let sets = fields.iter().map(|f| format!("{} = ?", f.name())).collect::<Vec<_>>();
        // Without a known field it still tells whether the user is there.
        let sets = if sets.is_empty() { "id = id".to_owned() } else { sets.join(", ") };
        let id = write.user_id.to_string();
        let found = self
            .conn
            .prepare_cached(&format!("UPDATE users SET {sets} WHERE id = ?"))?
            .execute(params_from_iter(
                values.into_iter().map(Option::as_deref).chain([Some(id.as_str())]),
            ))?;
        if found == 0 {
            return Ok(false);
        }
        for change in changes {
            match (&change.field, &change.to) {
                (FieldKey::Known(_), _) => {}
                (FieldKey::Custom(name), Some(value)) => {
                    self.custom.execute(params![write.user_id, name, value])?;
                }
                (FieldKey::Custom(name), None) => {
                    self.conn
                        .prepare_cached("DELETE FROM custom_values WHERE user = ?1 AND name = ?2")?
                        .execute(params![write.user_id, name])?;
                }
            }
            self.changes += 1;
            self.change.execute(params![
                self.import,
                self.changes,
                write.user_id,
                write.line,
                change.field.to_string(),
                change.from,
                change.to
            ])?;
        }
        Ok(true)
    }
}
