//! Which changes of a value still stand: an undone import's changes and those of its undo cancel out.

use std::collections::{BTreeMap, HashMap, HashSet};

use rusqlite::{Connection, Params, Row, params};

use crate::import::fields::FieldKey;
use crate::store::word;

/// One change of one value.
#[derive(Debug, Clone)]
pub(super) struct Step {
    /// Its import or event, by its place in the order.
    pub import: i64,
    pub line: u32,
    pub before: Option<String>,
    pub after: Option<String>,
}

impl Step {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            import: row.get("import")?,
            line: row.get("line")?,
            before: row.get("before")?,
            after: row.get("after")?,
        })
    }
}

/// The changes of values that still stand, oldest first, by user and field.
pub(super) type Trails = BTreeMap<(i64, FieldKey), Vec<Step>>;

/// Which imports were taken back, and by which events.
#[derive(Debug, Default)]
pub(super) struct Undone {
    /// The place of an undone import, or of an approval of its rows, and that of the undo.
    by_import: HashMap<i64, i64>,
    /// The places of the undos.
    events: HashSet<i64>,
}

impl Undone {
    pub(super) fn read(conn: &Connection) -> rusqlite::Result<Self> {
        let mut undone = Self::default();
        let mut all = conn.prepare_cached(
            "SELECT imports.seq, undo.import FROM events AS undo
                 JOIN imports ON imports.id = undo.about WHERE undo.kind = 'undo'
             UNION ALL
             SELECT approval.import, undo.import FROM events AS undo
                 JOIN events AS approval ON approval.about = undo.about AND approval.kind = 'approval'
                 WHERE undo.kind = 'undo'",
        )?;
        let mut rows = all.query([])?;
        while let Some(row) = rows.next()? {
            let (import, event) = (row.get(0)?, row.get(1)?);
            undone.by_import.insert(import, event);
            undone.events.insert(event);
        }
        Ok(undone)
    }

    /// Whether an import (or an approval of its rows) was taken back.
    pub(super) fn has(&self, import: i64) -> bool {
        self.by_import.contains_key(&import)
    }

    /// The places of everything that was taken back.
    pub(super) fn all(&self) -> impl Iterator<Item = i64> {
        self.by_import.keys().copied()
    }

    fn had_by(&self, import: i64, event: i64) -> bool {
        self.by_import.get(&import).is_some_and(|undo| *undo <= event)
    }

    /// Takes one change into a trail: an undo's removes what it took back.
    fn follow(&self, trail: &mut Vec<Step>, step: Step) {
        if !self.events.contains(&step.import) {
            trail.push(step);
            return;
        }
        while trail.last().is_some_and(|last| self.had_by(last.import, step.import)) {
            trail.pop();
        }
    }
}

/// The changes of one value that still stand, of those before a place in the order, oldest first.
pub(super) fn trail(
    conn: &Connection,
    undone: &Undone,
    (user, field): (i64, &FieldKey),
    before: i64,
) -> rusqlite::Result<Vec<Step>> {
    let mut changes = conn.prepare_cached(
        "SELECT import, line, before, after FROM changes
         WHERE user = ?1 AND field = ?2 AND import < ?3 ORDER BY import, n",
    )?;
    let mut rows = changes.query(params![user, field.to_string(), before])?;
    let mut trail = Vec::new();
    while let Some(row) = rows.next()? {
        undone.follow(&mut trail, Step::of(row)?);
    }
    Ok(trail)
}

/// The trails of the users whom `users` (a query of ids) selects.
pub(super) fn trails(
    conn: &Connection,
    undone: &Undone,
    users: &str,
    params: impl Params,
) -> rusqlite::Result<Trails> {
    let mut trails = Trails::new();
    let mut changes = conn.prepare_cached(&format!(
        "SELECT user, field, import, line, before, after FROM changes WHERE user IN ({users})
         ORDER BY user, import, n"
    ))?;
    let mut rows = changes.query(params)?;
    while let Some(row) = rows.next()? {
        let step = Step::of(row)?;
        let trail = trails.entry((row.get("user")?, word(row, "field")?)).or_default();
        undone.follow(trail, step);
    }
    Ok(trails)
}
