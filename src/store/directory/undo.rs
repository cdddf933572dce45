//! Taking an import back, field by field: what nobody has changed since returns to what it was.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::events::{self, Event};
use super::trail::{Step, Trails, Undone, trails};
use super::users::{name_of, write_value};
use super::{Directory, StoredImport, absences, imports, meta, protections};
use crate::error::{Error, Kind, Result};
use crate::fault;
use crate::import::fields::{Field, FieldKey};
use crate::import::report::{Because, Kept, Report, ReportChange, Undoing};
use crate::model::{ImportStatus, UploadId};
use crate::store::{failed, from_micros, word};

/// Remembers what a source had settled before an import that is being applied, so that it can be taken back.
///
/// The list of users stands only in the newest point of a source, and only if this import lists others than before:
/// it may be long.
pub(super) fn keep_point(
    tx: &Connection,
    source: &str,
    import: i64,
    listed: Option<&[u8]>,
) -> rusqlite::Result<()> {
    tx.prepare_cached("UPDATE undo_points SET listed = NULL WHERE source = ?1")?
        .execute([source])?;
    tx.prepare_cached(
        "INSERT INTO undo_points (source, import, memory, listed)
         SELECT ?1, ?2, memory,
                CASE WHEN ?3 IS NULL OR listed = ?3 THEN NULL ELSE coalesce(listed, x'') END
         FROM (SELECT 1) LEFT JOIN sources ON source = ?1",
    )?
    .execute(params![source, import, listed])?;
    Ok(())
}

impl Directory {
    /// Takes an applied import back in one transaction, together with its event: values that nobody has changed
    /// since return, new users whom nothing holds are withdrawn, list entries that nobody uses go, and what its
    /// source had settled before returns. Its report says what stayed, and is owed again.
    ///
    /// # Errors
    /// `Kind::NotFound` for an unknown import; `Kind::Conflict`, in words, for one that was not applied, was taken
    /// back before, or is older than the history that is kept.
    pub fn undo(&mut self, event: &Event, zone: &TimeZone) -> Result<(Undoing, Report)> {
        let id = event.about.unwrap_or_default();
        let stored = self.to_undo(id, zone)?;
        let what = || failed(format!("take import {id} back"));
        let tx =
            self.conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(what())?;
        refuse_forgotten(&tx, &stored)?;
        let done = Undo::begin(&tx, &stored, event, zone).and_then(Undo::carry_out);
        let (undoing, report) = done.map_err(what())?;
        let place = |e| Error::io(format!("take import {id} back"), e);
        fault::at("undo.inside").map_err(place)?;
        tx.commit().map_err(what())?;
        fault::at("undo.committed").map_err(place)?;
        Ok((undoing, report))
    }

    /// What [`Self::undo`] would do, with nothing written; at most `most` values and people are named.
    ///
    /// # Errors
    /// As of [`Self::undo`].
    pub fn preview_undo(
        &mut self,
        event: &Event,
        zone: &TimeZone,
        most: u32,
    ) -> Result<UndoPreview> {
        let id = event.about.unwrap_or_default();
        let stored = self.to_undo(id, zone)?;
        let what = || failed(format!("look at what taking import {id} back would do"));
        let tx =
            self.conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(what())?;
        refuse_forgotten(&tx, &stored)?;
        let look = || -> rusqlite::Result<UndoPreview> {
            let change_number = meta(&tx)?.change_number;
            let undo = Undo::begin(&tx, &stored, event, zone)?;
            let seq = undo.seq;
            let (undoing, report) = undo.carry_out()?;
            let returning = returning(&tx, seq, most)?;
            let withdrawn = withdrawn(&tx, seq, most)?;
            Ok(UndoPreview { change_number, undoing, report, returning, withdrawn })
        };
        let preview = look().map_err(what())?;
        tx.rollback().map_err(what())?;
        Ok(preview)
    }

    fn to_undo(&self, id: UploadId, zone: &TimeZone) -> Result<StoredImport> {
        let stored = self.import(id)?.ok_or_else(|| {
            Error::new(Kind::NotFound, format!("there is no import {id} in this directory"))
        })?;
        refuse_what_cannot_be_undone(&stored, zone)?;
        Ok(stored)
    }
}

/// What taking an import back would do.
#[derive(Debug, Clone, PartialEq)]
pub struct UndoPreview {
    /// The directory's change number: once it has moved, the undo may do something else.
    pub change_number: i64,
    /// What would return, in numbers.
    pub undoing: Undoing,
    /// The report as the undo would leave it.
    pub report: Report,
    /// The first values that would return; sensitive ones are masked.
    pub returning: Vec<ReportChange>,
    /// The first new people who would be withdrawn, by name.
    pub withdrawn: Vec<String>,
}

/// The first values that an undo under way has given back.
fn returning(tx: &Connection, seq: i64, most: u32) -> rusqlite::Result<Vec<ReportChange>> {
    const MASK: &str = "•••";
    let name = |field: &FieldKey, value: Option<String>| -> rusqlite::Result<Option<String>> {
        let Some(value) = value else { return Ok(None) };
        Ok(Some(match field {
            FieldKey::Known(field) if field.is_sensitive() => MASK.to_owned(),
            FieldKey::Known(Field::Manager) => match value.parse() {
                Ok(id) => name_of(tx, id)?,
                Err(_) => value,
            },
            _ => value,
        }))
    };
    let mut changes = tx.prepare_cached(
        "SELECT user, field, before, after FROM changes WHERE import = ?1 ORDER BY n LIMIT ?2",
    )?;
    let mut rows = changes.query(params![seq, most])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (user, field) = (row.get("user")?, word::<FieldKey>(row, "field")?);
        found.push(ReportChange {
            person: name_of(tx, user)?,
            user,
            from: name(&field, row.get("before")?)?,
            to: name(&field, row.get("after")?)?,
            field,
            line: 0,
        });
    }
    Ok(found)
}

/// The first people whom an undo under way has withdrawn.
fn withdrawn(tx: &Connection, seq: i64, most: u32) -> rusqlite::Result<Vec<String>> {
    let mut gone =
        tx.prepare_cached("SELECT id FROM users WHERE withdrawn = ?1 ORDER BY id LIMIT ?2")?;
    let ids: Vec<i64> =
        gone.query_map(params![seq, most], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    ids.into_iter().map(|id| name_of(tx, id)).collect()
}

fn refuse_forgotten(tx: &Connection, stored: &StoredImport) -> Result<()> {
    let id = stored.summary.record.id;
    let what = || failed(format!("take import {id} back"));
    if stored.summary.seq > forgotten(tx).map_err(what())? {
        return Ok(());
    }
    let message = format!(
        "import {id} cannot be taken back: what it changed is older than the history that is kept (docs/retention.md)"
    );
    Err(Error::new(Kind::Conflict, message))
}

fn refuse_what_cannot_be_undone(stored: &StoredImport, zone: &TimeZone) -> Result<()> {
    let id = stored.summary.record.id;
    let why = match stored.summary.status {
        _ if stored.summary.dry_run => "it was a dry run and changed nothing".to_owned(),
        status if status.is_applied() => return Ok(()),
        ImportStatus::Undone => match &stored.report.decision {
            Some(by) => format!(
                "it was taken back already, on {} by {}",
                by.at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M"),
                by.who
            ),
            None => "it was taken back already".to_owned(),
        },
        ImportStatus::Held => {
            "it waits for approval and has changed nothing; discard it in place of that".to_owned()
        }
        status => format!("it changed nothing (status {})", status.name()),
    };
    Err(Error::new(Kind::Conflict, format!("import {id} cannot be taken back: {why}")))
}

fn is_contract(field: &FieldKey) -> bool {
    matches!(field, FieldKey::Known(Field::ContractStart | Field::ContractEnd))
}

/// The last place whose changes are not kept any more.
pub(super) fn forgotten(conn: &Connection) -> rusqlite::Result<i64> {
    conn.prepare_cached("SELECT forgotten FROM directory")?.query_row([], |row| row.get(0))
}

/// A value on its way back.
pub(super) struct Taken {
    pub user: i64,
    pub field: FieldKey,
    pub line: u32,
    pub now: Option<String>,
    pub back: Option<String>,
    /// What had written the value that returns; `None`: the user was created with it.
    pub origin: Option<Step>,
}

/// One undo under way.
pub(super) struct Undo<'a> {
    pub tx: &'a Transaction<'a>,
    pub import: &'a StoredImport,
    event: &'a Event,
    zone: &'a TimeZone,
    /// Its own place in the order.
    pub seq: i64,
    change_number: i64,
    /// The import's place, and those of the approvals of its rows.
    pub units: BTreeSet<i64>,
    pub undone: Undone,
    kept: Vec<Kept>,
    written: i64,
}

impl<'a> Undo<'a> {
    fn begin(
        tx: &'a Transaction<'a>,
        import: &'a StoredImport,
        event: &'a Event,
        zone: &'a TimeZone,
    ) -> rusqlite::Result<Self> {
        let change_number = meta(tx)?.change_number + 1;
        let source = import.summary.record.source.clone();
        let seq = events::insert(tx, &Event { source, ..event.clone() }, change_number)?;
        let mut units = BTreeSet::from([import.summary.seq]);
        let mut approvals =
            tx.prepare_cached("SELECT import FROM events WHERE kind = 'approval' AND about = ?1")?;
        let about = import.summary.record.id.to_string();
        for unit in approvals.query_map([about], |row| row.get(0))? {
            units.insert(unit?);
        }
        let undone = Undone::read(tx)?;
        let kept = Vec::new();
        Ok(Self { tx, import, event, zone, seq, change_number, units, undone, kept, written: 0 })
    }

    fn carry_out(mut self) -> rusqlite::Result<(Undoing, Report)> {
        let mut trails = self.read_trails()?;
        let mut taken = self.take_back(&mut trails)?;
        self.managers_first(&mut taken)?;
        let withdrawn = self.withdraw(&trails)?;
        self.leave_what_is_taken(&mut taken)?;
        self.leave_impossible_contracts(&mut taken)?;
        for one in &taken {
            self.write(one)?;
        }
        self.clear_what_it_left()?;
        self.settle_source()?;
        self.tx
            .prepare_cached("UPDATE directory SET change_number = ?1")?
            .execute([self.change_number])?;
        let undoing = Undoing {
            who: self.event.who.clone(),
            at: self.event.at,
            day: self.event.at.to_zoned(self.zone.clone()).date(),
            values: u64::try_from(self.written).unwrap_or(0),
            withdrawn,
            kept: self.kept,
        };
        let mut report = self.import.report.clone();
        report.undo(&undoing);
        imports::rewrite(self.tx, self.import.summary.seq, &report)?;
        Ok((undoing, report))
    }

    /// The trails of everybody whom the import changed, or whom it or another undone import created.
    fn read_trails(&self) -> rusqlite::Result<Trails> {
        let list = |all: &mut dyn Iterator<Item = i64>| {
            all.map(|seq| seq.to_string()).collect::<Vec<_>>().join(", ")
        };
        let users = format!(
            "SELECT user FROM changes WHERE import IN ({})
             UNION SELECT id FROM users WHERE withdrawn = 0 AND created_by IN ({})",
            list(&mut self.units.iter().copied()),
            list(&mut self.undone.all())
        );
        trails(self.tx, &self.undone, &users, [])
    }

    /// Takes the steps of undone imports off the ends of the trails, and tells whatever a later change holds.
    fn take_back(&mut self, trails: &mut Trails) -> rusqlite::Result<Vec<Taken>> {
        let mut taken = Vec::new();
        let own = trails.iter().filter(|((_, field), trail)| {
            is_contract(field) && trail.iter().any(|step| self.units.contains(&step.import))
        });
        let contracts: BTreeSet<i64> = own.map(|((user, _), _)| *user).collect();
        for ((user, field), trail) in trails {
            let own = trail.iter().rev().find(|step| self.units.contains(&step.import));
            // The other date of the contract may have had to wait for this one.
            let waits = || {
                let undone = trail.last().is_some_and(|last| self.undone.has(last.import));
                (undone && is_contract(field) && contracts.contains(user)).then_some(0)
            };
            let Some(line) = own.map(|own| own.line).or_else(waits) else { continue };
            let Some(last) = trail.last().cloned() else { continue };
            if !self.undone.has(last.import) {
                self.keep_for_later(*user, Some(field), line, &last)?;
                self.unsay(*user, field, trail)?;
                continue;
            }
            let mut back = last.after.clone();
            while trail.last().is_some_and(|step| self.undone.has(step.import)) {
                if let Some(step) = trail.pop() {
                    back = step.before;
                }
            }
            if back != last.after {
                taken.push(Taken {
                    user: *user,
                    field: field.clone(),
                    line,
                    now: last.after,
                    back,
                    origin: trail.last().cloned(),
                });
            }
        }
        Ok(taken)
    }

    /// A later change keeps a value of the import from returning; what the import said of it is taken back all the same.
    fn unsay(&self, user: i64, field: &FieldKey, trail: &[Step]) -> rusqlite::Result<()> {
        let own = trail.iter().rposition(|step| self.units.contains(&step.import));
        let (below, above) = trail.split_at(own.map_or(0, |at| at + 1));
        let mut gone = below.iter().rev().take_while(|step| self.undone.has(step.import));
        let Some(last) = gone.next() else { return Ok(()) };
        let first = gone.last().unwrap_or(last);
        let source = &self.import.summary.record.source;
        protections::unsay(self.tx, source, (user, field), (first, last))?;
        match above.iter().find(|step| !self.undone.has(step.import)) {
            Some(next) if absences::is_by_absence(self.tx, field, next)? => {
                absences::forget_end(self.tx, user, last, first.before.as_deref())
            }
            _ => Ok(()),
        }
    }

    pub(super) fn keep_for_later(
        &mut self,
        user: i64,
        field: Option<&FieldKey>,
        line: u32,
        last: &Step,
    ) -> rusqlite::Result<()> {
        let because = self.writer(last)?;
        self.keep(user, field, line, last.after.as_deref(), because)
    }

    pub(super) fn keep(
        &mut self,
        user: i64,
        field: Option<&FieldKey>,
        line: u32,
        value: Option<&str>,
        because: Because,
    ) -> rusqlite::Result<()> {
        let value = match (field, value) {
            (Some(FieldKey::Known(Field::Manager)), Some(id)) => self.name_by_text(id)?,
            (_, value) => value.unwrap_or_default().to_owned(),
        };
        let person = name_of(self.tx, user)?;
        self.kept.push(Kept { person, field: field.cloned(), line, value, because });
        Ok(())
    }

    fn name_by_text(&self, id: &str) -> rusqlite::Result<String> {
        id.parse().map_or_else(|_| Ok(id.to_owned()), |id| name_of(self.tx, id))
    }

    /// Who made a later change, as far as a report says it.
    fn writer(&self, step: &Step) -> rusqlite::Result<Because> {
        let mut found = self.tx.prepare_cached(
            "SELECT applied_at, file_name, coalesce(kind, '') AS kind, coalesce(who, '') AS who,
                    (SELECT file_name FROM imports AS about WHERE about.id = events.about) AS about
             FROM imports LEFT JOIN events ON events.import = seq WHERE seq = ?1",
        )?;
        found.query_row([step.import], |row| {
            let at = from_micros(row.get("applied_at")?)?;
            let day: Date = at.to_zoned(self.zone.clone()).date();
            let kind: String = row.get("kind")?;
            Ok(match kind.as_str() {
                "" => Because::File { name: row.get("file_name")?, line: step.line, day },
                "approval" => {
                    let name: Option<String> = row.get("about")?;
                    Because::File { name: name.unwrap_or_default(), line: step.line, day }
                }
                _ => Because::Hand { who: row.get("who")?, day },
            })
        })
    }

    pub(super) fn write(&mut self, one: &Taken) -> rusqlite::Result<()> {
        write_value(self.tx, one.user, &one.field, one.back.as_deref())?;
        if let Some(origin) = &one.origin {
            absences::end_again(self.tx, one, origin)?;
        }
        // Whoever's value returns here says nothing else than what stands again.
        self.tx
            .prepare_cached(
                "DELETE FROM protections WHERE user = ?1 AND field = ?2 AND said IS ?3",
            )?
            .execute(params![one.user, one.field.to_string(), one.back])?;
        // The earliest last: what it lifted is what stood before all of them.
        for import in self.units.iter().rev() {
            protections::restore(self.tx, one.user, &one.field, *import)?;
        }
        self.written += 1;
        self.tx
            .prepare_cached(
                "INSERT INTO changes (import, n, user, line, field, before, after)
                 VALUES (?1, ?2, ?3, 0, ?4, ?5, ?6)",
            )?
            .execute(params![
                self.seq,
                self.written,
                one.user,
                one.field.to_string(),
                one.now,
                one.back
            ])?;
        Ok(())
    }
}
