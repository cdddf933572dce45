//! Values that somebody else wrote over a source's: what that source said before, so that it does not undo them by saying it again (P701).

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, OptionalExtension, params};

use super::trail::{Step, Undone, trail};
use super::{absences, from_json, listed};
use crate::import::directory::{Protection, Snapshot, SourceMemory};
use crate::import::fields::{Field, FieldKey};
use crate::import::plan::{FieldChange, Plan};
use crate::import::settings::Settings;
use crate::store::word;

/// The schema's step. `import` (imports.seq) is the import of the source under whose settings it said so: read today's
/// way, the same cell may say something else. `given`: a default gave the value, and nobody else has touched it.
pub(super) const STEP: &str = "
ALTER TABLE protections ADD COLUMN import INTEGER;
ALTER TABLE protections ADD COLUMN given INTEGER NOT NULL DEFAULT 0;
ALTER TABLE lifted_protections ADD COLUMN lifted_from INTEGER;
ALTER TABLE lifted_protections ADD COLUMN given INTEGER NOT NULL DEFAULT 0;
";

/// Puts the protected values of a source into its snapshot: what it said before, and under which settings.
pub(super) fn read(
    conn: &Connection,
    source: &str,
    snapshot: &mut Snapshot,
) -> rusqlite::Result<()> {
    let mut places: HashMap<i64, Option<usize>> = HashMap::new();
    let mut read = HashMap::new();
    let mut all = conn.prepare_cached(
        "SELECT user, field, said, given,
                coalesce(import, (SELECT seq FROM imports WHERE id = ?2)) AS import
         FROM protections WHERE source = ?1",
    )?;
    let last = snapshot.source.import.clone();
    let mut rows = all.query(params![source, last])?;
    while let Some(row) = rows.next()? {
        let key: (i64, FieldKey) = (row.get("user")?, word(row, "field")?);
        let import: Option<i64> = row.get("import")?;
        let under = match import {
            None => None,
            Some(import) => match places.get(&import) {
                Some(known) => *known,
                None => {
                    let place = settings_of(conn, import, &mut read, &mut snapshot.settings_then)?;
                    places.insert(import, place);
                    place
                }
            },
        };
        let protection = Protection { under, given: row.get("given")? };
        snapshot.protections.insert(key.clone(), protection);
        snapshot.protected.insert(key, row.get("said")?);
    }
    Ok(())
}

/// The place of an import's settings among `all`; `None`: this version cannot read them.
///
/// `read` holds the documents that were read already: hardly ever does one differ from the one before.
fn settings_of(
    conn: &Connection,
    import: i64,
    read: &mut HashMap<String, Option<usize>>,
    all: &mut Vec<Settings>,
) -> rusqlite::Result<Option<usize>> {
    let toml: Option<String> = conn
        .prepare_cached("SELECT settings FROM imports WHERE seq = ?1")?
        .query_row([import], |row| row.get(0))
        .optional()?;
    let Some(toml) = toml else { return Ok(None) };
    if let Some(place) = read.get(&toml) {
        return Ok(*place);
    }
    let place = Settings::from_toml(&toml).ok().map(|settings| {
        let known = all.iter().position(|known| *known == settings);
        known.unwrap_or_else(|| {
            all.push(settings);
            all.len() - 1
        })
    });
    read.insert(toml, place);
    Ok(place)
}

/// Keeps what an applied plan overwrites of other sources and what its defaults gave, and drops what it does not protect
/// any more.
pub(super) fn write(
    conn: &Connection,
    plan: &Plan,
    source: &str,
    import: i64,
) -> rusqlite::Result<()> {
    for (user, field) in &plan.unprotected {
        conn.prepare_cached(
            "INSERT INTO lifted_protections (import, user, field, source, said, lifted_from, given)
             SELECT ?4, user, field, source, said, import, given FROM protections
             WHERE source = ?1 AND user = ?2 AND field = ?3",
        )?
        .execute(params![source, user, field.to_string(), import])?;
        conn.prepare_cached(
            "DELETE FROM protections WHERE source = ?1 AND user = ?2 AND field = ?3",
        )?
        .execute(params![source, user, field.to_string()])?;
    }
    for (user, field) in &plan.defaulted {
        conn.prepare_cached(
            "INSERT INTO protections (source, user, field, said, import, given)
             VALUES (?1, ?2, ?3, NULL, ?4, 1)
             ON CONFLICT DO NOTHING",
        )?
        .execute(params![source, user, field.to_string(), import])?;
    }
    let protector = Protector::new(conn, Some(source), import)?;
    if protector.others.is_empty() {
        return Ok(());
    }
    for write in &plan.writes {
        for change in write.changes() {
            protector.protect(write.user_id, change)?;
        }
    }
    Ok(())
}

/// What an undone import of a source said is taken back also where a later change keeps its value from returning: said
/// before that change is what stood before the import, or what the import had ceased to protect.
///
/// `last` is the import's own change; `first` the earliest of those below it that are all undone.
pub(super) fn unsay(
    conn: &Connection,
    source: &str,
    (user, field): (i64, &FieldKey),
    (first, last): (&Step, &Step),
) -> rusqlite::Result<()> {
    let field = field.to_string();
    let lifted: Option<(Option<String>, Option<i64>)> = conn
        .prepare_cached(
            "SELECT said, lifted_from FROM lifted_protections
             WHERE import = ?1 AND user = ?2 AND field = ?3 AND source = ?4",
        )?
        .query_row(params![first.import, user, field, source], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (said, from) = lifted.unwrap_or_else(|| (first.before.clone(), None));
    conn.prepare_cached(
        "UPDATE protections SET said = ?5, import = ?6
         WHERE source = ?1 AND user = ?2 AND field = ?3 AND said IS ?4",
    )?
    .execute(params![source, user, field, last.after, said, from])?;
    conn.prepare_cached(
        "UPDATE lifted_protections SET said = ?5, lifted_from = ?6
         WHERE source = ?1 AND user = ?2 AND field = ?3 AND said IS ?4 AND import > ?7",
    )?
    .execute(params![source, user, field, last.after, said, from, last.import])?;
    Ok(())
}

/// Protects a user's value again from the source whose import had ended that and is taken back.
pub(super) fn restore(
    conn: &Connection,
    user: i64,
    field: &FieldKey,
    import: i64,
) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT OR REPLACE INTO protections (source, user, field, said, import, given)
         SELECT source, user, field, said, lifted_from, given FROM lifted_protections
         WHERE import = ?1 AND user = ?2 AND field = ?3",
    )?
    .execute(params![import, user, field.to_string()])?;
    Ok(())
}

/// Protects what one writer (a source, or a person) writes from all other sources.
pub(super) struct Protector<'c> {
    conn: &'c Connection,
    others: Vec<Other>,
    /// Read when it is needed first.
    undone: OnceCell<Undone>,
    /// The place in the order of what it writes.
    place: i64,
}

/// Another source.
struct Other {
    source: String,
    /// Its last applied import.
    import: Option<String>,
    /// The users and fields of its last full file; `None`: it sends none and may speak of anybody.
    full: Option<(HashSet<i64>, Vec<String>)>,
}

/// Who wrote a value that is overwritten, and what was said.
struct Origin {
    /// Empty: a person.
    source: String,
    /// Its import.
    import: Option<i64>,
    /// The user was created with it.
    created: bool,
    /// What was said: the value, or what absence took the place of.
    said: Option<String>,
}

impl<'c> Protector<'c> {
    /// For what `writer` writes at this place in the order; `None`: a person.
    pub(super) fn new(
        conn: &'c Connection,
        writer: Option<&str>,
        place: i64,
    ) -> rusqlite::Result<Self> {
        let mut all = conn.prepare_cached("SELECT source, memory, listed FROM sources")?;
        let mut rows = all.query([])?;
        let mut others = Vec::new();
        while let Some(row) = rows.next()? {
            let source: String = row.get("source")?;
            if writer == Some(source.as_str()) {
                continue;
            }
            let memory: SourceMemory = from_json(&row.get::<_, String>("memory")?)?;
            let blob = row.get_ref("listed")?.as_blob_or_null()?;
            let full =
                blob.map(|blob| (listed::unpack(blob).into_iter().collect(), memory.columns));
            others.push(Other { source, import: memory.import, full });
        }
        Ok(Self { conn, others, undone: OnceCell::new(), place })
    }

    /// A user's value is overwritten: whoever said so before and says so again does not bring it back.
    ///
    /// A source says what its last full file lists. Whom or what that lacks it has said all the same if the value that
    /// stands is its own.
    pub(super) fn protect(&self, user: i64, change: &FieldChange) -> rusqlite::Result<()> {
        let name = change.field.to_string();
        let mut silent = Vec::new();
        for other in &self.others {
            let speaks = match &other.full {
                Some((users, columns)) => users.contains(&user) && columns.contains(&name),
                None => true,
            };
            match speaks {
                true => self.keep(other, None, (user, &name), change.from.as_deref())?,
                false => silent.push(other),
            }
        }
        if silent.is_empty() {
            return Ok(());
        }
        let origin = self.origin(user, change)?;
        // Taking away what absence has set only lifts it: what was said before that may count again.
        if change.to.is_none() && origin.said.as_deref() != change.from.as_deref() {
            return Ok(());
        }
        for other in silent.iter().filter(|other| other.source == origin.source) {
            // A new user's blank says something where there is such a column; no end is always one.
            let sends = |(_, columns): &(_, Vec<String>)| columns.contains(&name);
            let says = !origin.created
                || origin.said.is_some()
                || change.field == FieldKey::Known(Field::ContractEnd)
                || other.full.as_ref().is_some_and(sends);
            if says {
                self.keep(other, origin.import, (user, &name), origin.said.as_deref())?;
            }
        }
        Ok(())
    }

    /// Keeps what another source said, in this import or its last.
    fn keep(
        &self,
        other: &Other,
        import: Option<i64>,
        (user, field): (i64, &str),
        said: Option<&str>,
    ) -> rusqlite::Result<()> {
        self.conn
            .prepare_cached(
                "INSERT INTO protections (source, user, field, said, import)
                 VALUES (?1, ?2, ?3, ?4, coalesce(?5, (SELECT seq FROM imports WHERE id = ?6)))
                 ON CONFLICT DO UPDATE SET given = 0",
            )?
            .execute(params![other.source, user, field, said, import, other.import])?;
        Ok(())
    }

    fn undone(&self) -> rusqlite::Result<&Undone> {
        if let Some(undone) = self.undone.get() {
            return Ok(undone);
        }
        let read = Undone::read(self.conn)?;
        Ok(self.undone.get_or_init(|| read))
    }

    /// Who wrote the value that a change overwrites. What absence did to an end is nobody's word.
    fn origin(&self, user: i64, change: &FieldChange) -> rusqlite::Result<Origin> {
        let mut trail = trail(self.conn, self.undone()?, (user, &change.field), self.place)?;
        let mut said = change.from.as_deref().map(str::to_owned);
        while let Some(last) = trail.last() {
            if !absences::is_by_absence(self.conn, &change.field, last)? {
                break;
            }
            said.clone_from(&last.before);
            trail.pop();
        }
        let place = trail.last().map(|step| step.import);
        // The approval of a row stands for the import that the row is of.
        let found = self
            .conn
            .prepare_cached(
                "SELECT source, coalesce((SELECT file.seq FROM events JOIN imports AS file ON file.id = about
                                          WHERE events.import = imports.seq), seq)
                 FROM imports WHERE seq = coalesce(?2, (SELECT created_by FROM users WHERE id = ?1))",
            )?
            .query_row(params![user, place], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let (source, import) = found.unwrap_or_default();
        Ok(Origin { source, import, created: place.is_none(), said })
    }
}
