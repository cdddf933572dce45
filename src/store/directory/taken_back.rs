//! The parts of an undo that look at the whole directory: managers, new users, unique values, lists, the source.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use rusqlite::{OptionalExtension, params};

use super::absences;
use super::trail::{Step, Trails};
use super::undo::{Taken, Undo};
use super::users::name_of;
use super::wishes;
use crate::import::fields::{Field, FieldKey};
use crate::import::report::Because;

const MANAGER: FieldKey = FieldKey::Known(Field::Manager);

impl Undo<'_> {
    /// Gives back the earlier managers: all at once, so that two who swap are no circle on the way.
    pub(super) fn managers_first(&mut self, taken: &mut Vec<Taken>) -> rusqlite::Result<()> {
        let (mut managers, rest): (Vec<Taken>, Vec<Taken>) =
            std::mem::take(taken).into_iter().partition(|one| one.field == MANAGER);
        *taken = rest;
        let mut gone = self.tx.prepare_cached("SELECT 1 FROM users WHERE id = ?1 AND withdrawn")?;
        let mut above = if managers.is_empty() { HashMap::new() } else { self.managers()? };
        let mut going = Vec::new();
        for one in managers.drain(..) {
            match one.manager() {
                Some(manager) if gone.exists([manager])? => {
                    let other = name_of(self.tx, manager)?;
                    self.leave(&one, Because::Gone { other })?;
                }
                manager => {
                    set_above(&mut above, one.user, manager);
                    going.push(one);
                }
            }
        }
        while let Some(at) = going.iter().position(|one| is_in_circle(&above, one.user)) {
            let one = going.swap_remove(at);
            set_above(&mut above, one.user, one.now.as_deref().and_then(|id| id.parse().ok()));
            let other = one.manager().map_or_else(|| Ok(String::new()), |m| name_of(self.tx, m))?;
            self.leave(&one, Because::Circle { other })?;
        }
        for one in &going {
            wishes::forget(self.tx, one.user)?;
            self.write(one)?;
        }
        Ok(())
    }

    fn leave(&mut self, one: &Taken, because: Because) -> rusqlite::Result<()> {
        self.keep(one.user, Some(&one.field), one.line, one.now.as_deref(), because)
    }

    /// Who is whose manager, among those who are not withdrawn.
    fn managers(&self) -> rusqlite::Result<HashMap<i64, i64>> {
        self.tx
            .prepare_cached(
                "SELECT id, manager FROM users WHERE manager IS NOT NULL AND withdrawn = 0",
            )?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect()
    }

    /// Withdraws the users whom undone imports created, unless somebody has changed them since or they lead somebody.
    pub(super) fn withdraw(&mut self, trails: &Trails) -> rusqlite::Result<u64> {
        let mut changed: BTreeMap<i64, &Step> = BTreeMap::new();
        for ((user, _), trail) in trails {
            if let Some(last) = trail.last().filter(|last| !self.undone.has(last.import)) {
                changed.entry(*user).or_insert(last);
            }
        }
        let mut born = self.tx.prepare_cached(
            "SELECT id, created_by, created_line FROM users WHERE withdrawn = 0 ORDER BY id",
        )?;
        let mut rows = born.query([])?;
        let mut going = BTreeSet::new();
        let mut own: BTreeMap<i64, u32> = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let (user, by) = (row.get(0)?, row.get(1)?);
            if self.units.contains(&by) {
                own.insert(user, row.get(2)?);
            }
            if self.undone.has(by) && !changed.contains_key(&user) {
                going.insert(user);
            }
        }
        let led = self.keep_leaders(&mut going)?;
        for (user, line) in own {
            if let Some(step) = changed.get(&user) {
                self.keep_for_later(user, None, line, step)?;
            } else if let Some((people, other)) = led.get(&user) {
                let because = Because::Leads { people: *people, other: name_of(self.tx, *other)? };
                self.keep(user, None, line, None, because)?;
            }
        }
        let mut withdraw =
            self.tx.prepare_cached("UPDATE users SET withdrawn = ?2 WHERE id = ?1")?;
        for user in &going {
            withdraw.execute([*user, self.seq])?;
        }
        Ok(u64::try_from(going.len()).unwrap_or(u64::MAX))
    }

    /// Takes from `going` whoever is the manager of somebody who stays; says of how many, and of whom.
    fn keep_leaders(
        &self,
        going: &mut BTreeSet<i64>,
    ) -> rusqlite::Result<HashMap<i64, (u64, i64)>> {
        let mut led: HashMap<i64, (u64, i64)> = HashMap::new();
        if going.is_empty() {
            return Ok(led);
        }
        let managers = self.managers()?;
        // Whoever has to stay may have a manager who has to stay for that.
        loop {
            let stays = |(user, manager): &(&i64, &i64)| {
                !going.contains(user) && going.contains(manager) && user != manager
            };
            let holding: Vec<(i64, i64)> =
                managers.iter().filter(stays).map(|(user, manager)| (*user, *manager)).collect();
            if holding.is_empty() {
                return Ok(led);
            }
            for (user, manager) in holding {
                going.remove(&manager);
                let (people, example) = led.entry(manager).or_insert((0, user));
                *people += 1;
                *example = user.min(*example);
            }
        }
    }

    /// Leaves values whose earlier state would be somebody else's by now: logins, e-mails, numbers.
    pub(super) fn leave_what_is_taken(&mut self, taken: &mut Vec<Taken>) -> rusqlite::Result<()> {
        const UNIQUE: [FieldKey; 4] = [
            FieldKey::Known(Field::Login),
            FieldKey::Known(Field::Email),
            FieldKey::Known(Field::EmployeeNumber),
            FieldKey::Known(Field::LegalEntity),
        ];
        if !taken.iter().any(|one| UNIQUE.contains(&one.field)) {
            return Ok(());
        }
        let mut all = self.identities()?;
        for one in taken.iter() {
            set_identity(&mut all, one.user, &one.field, one.back.as_deref());
        }
        loop {
            let owners = owners(&all);
            let clash = taken.iter().enumerate().find_map(|(at, one)| {
                let keys = all.get(&one.user)?.keys();
                let key = keys.into_iter().find(|(fields, _)| fields.contains(&one.field))?;
                let other = owners.get(&key.1)?.iter().find(|other| **other != one.user)?;
                Some((at, *other))
            });
            let Some((at, other)) = clash else { return Ok(()) };
            let one = taken.remove(at);
            set_identity(&mut all, one.user, &one.field, one.now.as_deref());
            let other = name_of(self.tx, other)?;
            self.leave(&one, Because::Taken { other })?;
        }
    }

    /// Leaves dates of a contract that would end before it starts, because a later change holds the other one.
    pub(super) fn leave_impossible_contracts(
        &mut self,
        taken: &mut Vec<Taken>,
    ) -> rusqlite::Result<()> {
        let mut dates: BTreeMap<i64, [Option<String>; 2]> = BTreeMap::new();
        let mut stored = self
            .tx
            .prepare_cached("SELECT contract_start, contract_end FROM users WHERE id = ?1")?;
        for one in taken.iter() {
            let Some(at) = one.contract_date() else { continue };
            let dates = match dates.entry(one.user) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => {
                    new.insert(stored.query_row([one.user], |row| Ok([row.get(0)?, row.get(1)?]))?)
                }
            };
            if let Some(date) = dates.get_mut(at) {
                date.clone_from(&one.back);
            }
        }
        dates.retain(|_, [start, end]| end.is_some() && *end < *start);
        let is_impossible =
            |one: &Taken| one.contract_date().is_some() && dates.contains_key(&one.user);
        let (left, rest): (Vec<Taken>, Vec<Taken>) =
            std::mem::take(taken).into_iter().partition(is_impossible);
        *taken = rest;
        for one in &left {
            let other = one.back.clone().unwrap_or_default();
            self.leave(one, Because::Contract { other })?;
        }
        Ok(())
    }

    fn identities(&self) -> rusqlite::Result<HashMap<i64, Identity>> {
        self.tx
            .prepare_cached(
                "SELECT id, login, email, legal_entity, employee_number FROM users
                 WHERE withdrawn = 0",
            )?
            .query_map([], |row| {
                let identity = Identity {
                    login: row.get(1)?,
                    email: row.get(2)?,
                    entity: row.get(3)?,
                    number: row.get(4)?,
                };
                Ok((row.get(0)?, identity))
            })?
            .collect()
    }

    /// List entries that it added and nobody uses, absences that it counted, managers that it wished for, unknown codes.
    pub(super) fn clear_what_it_left(&self) -> rusqlite::Result<()> {
        self.clear_lists()?;
        for unit in &self.units {
            for table in ["manager_wishes", "pending_rows"] {
                self.tx.execute(&format!("DELETE FROM {table} WHERE import = ?1"), [unit])?;
            }
        }
        // A code that somebody still has is no new one to later files: it stays to be mapped.
        let mut gone = self.tx.prepare_cached(
            "DELETE FROM unmapped WHERE import = ?1 AND NOT EXISTS
                 (SELECT 1 FROM lists WHERE lists.code = unmapped.code
                  AND lists.field = iif(unmapped.field = 'roles', 'role', unmapped.field))",
        )?;
        for unit in self.undone.all() {
            gone.execute([unit])?;
        }
        let source = &self.import.summary.record.source;
        absences::forget(self.tx, source)
    }

    /// Also what earlier undos had to leave: it may have been the last that used an entry.
    fn clear_lists(&self) -> rusqlite::Result<()> {
        let mut all =
            self.tx.prepare_cached("SELECT field, code, added_by FROM lists WHERE name IS NULL")?;
        let mut rows = all.query([])?;
        let mut added: Vec<(String, String)> = Vec::new();
        while let Some(row) = rows.next()? {
            if self.undone.has(row.get(2)?) {
                added.push((row.get(0)?, row.get(1)?));
            }
        }
        let mut used: HashMap<String, HashSet<String>> = HashMap::new();
        for (field, code) in added {
            if !used.contains_key(&field) {
                used.insert(field.clone(), self.codes_in_use(&field)?);
            }
            if !used.get(&field).is_some_and(|codes| codes.contains(&code)) {
                let sql = "DELETE FROM lists WHERE field = ?1 AND code = ?2";
                self.tx.prepare_cached(sql)?.execute([&field, &code])?;
            }
        }
        Ok(())
    }

    fn codes_in_use(&self, list: &str) -> rusqlite::Result<HashSet<String>> {
        let Some(list) = Field::from_name(list) else { return Ok(HashSet::new()) };
        let fields: &[Field] = match list {
            Field::Role => &[Field::Role, Field::Roles],
            _ => &[list],
        };
        let mut codes = HashSet::new();
        for field in fields {
            let name = field.name();
            let sql = format!(
                "SELECT DISTINCT {name} FROM users WHERE withdrawn = 0 AND {name} IS NOT NULL"
            );
            let mut all = self.tx.prepare_cached(&sql)?;
            let mut rows = all.query([])?;
            while let Some(row) = rows.next()? {
                codes.extend(row.get_ref(0)?.as_str()?.split('\n').map(str::to_owned));
            }
        }
        Ok(codes)
    }

    /// Gives the source back what it had settled before its last import that was not taken back.
    pub(super) fn settle_source(&self) -> rusqlite::Result<()> {
        let source = &self.import.summary.record.source;
        loop {
            let point = self
                .tx
                .prepare_cached(
                    "SELECT import, memory, listed FROM undo_points WHERE source = ?1
                     ORDER BY import DESC LIMIT 1",
                )?
                .query_row([source], |row| {
                    let memory: Option<String> = row.get(1)?;
                    let listed: Option<Vec<u8>> = row.get(2)?;
                    Ok((row.get::<_, i64>(0)?, memory, listed))
                })
                .optional()?;
            let Some((import, memory, listed)) = point else { return Ok(()) };
            if !self.undone.has(import) {
                return Ok(());
            }
            match memory {
                None => self.tx.execute("DELETE FROM sources WHERE source = ?1", [source])?,
                Some(memory) => self.tx.execute(
                    "UPDATE sources SET memory = ?2, listed = CASE
                         WHEN ?3 IS NULL THEN listed WHEN length(?3) = 0 THEN NULL ELSE ?3 END
                     WHERE source = ?1",
                    params![source, memory, listed],
                )?,
            };
            let sql = "DELETE FROM undo_points WHERE source = ?1 AND import = ?2";
            self.tx.execute(sql, params![source, import])?;
        }
    }
}

impl Taken {
    /// Which date of the contract it is: 0 its start, 1 its end.
    fn contract_date(&self) -> Option<usize> {
        match &self.field {
            FieldKey::Known(Field::ContractStart) => Some(0),
            FieldKey::Known(Field::ContractEnd) => Some(1),
            _ => None,
        }
    }

    fn manager(&self) -> Option<i64> {
        self.back.as_deref().and_then(|id| id.parse().ok())
    }
}

fn set_above(above: &mut HashMap<i64, i64>, user: i64, manager: Option<i64>) {
    match manager {
        Some(manager) => above.insert(user, manager),
        None => above.remove(&user),
    };
}

/// Whether the way up from a user leads back to them; somebody who is their own manager is the top, and no circle.
fn is_in_circle(above: &HashMap<i64, i64>, user: i64) -> bool {
    let mut seen = HashSet::new();
    let mut at = user;
    while let Some(next) = above.get(&at).filter(|next| **next != at) {
        if *next == user {
            return true;
        }
        if !seen.insert(*next) {
            return false;
        }
        at = *next;
    }
    false
}

/// What must not be another user's too.
#[derive(Default)]
struct Identity {
    login: Option<String>,
    email: Option<String>,
    entity: Option<String>,
    number: Option<String>,
}

/// A value that is one user's only, and the fields that it is made of.
type UniqueKey = (Vec<FieldKey>, String);

impl Identity {
    fn keys(&self) -> Vec<UniqueKey> {
        let known = FieldKey::Known;
        let mut keys = Vec::new();
        for (name, field, value) in
            [("login", Field::Login, &self.login), ("email", Field::Email, &self.email)]
        {
            if let Some(value) = value {
                keys.push((vec![known(field)], format!("{name}\n{}", value.to_lowercase())));
            }
        }
        if let Some(number) = &self.number {
            let entity = self.entity.as_deref().unwrap_or_default();
            let fields = vec![known(Field::EmployeeNumber), known(Field::LegalEntity)];
            keys.push((fields, format!("number\n{entity}\n{number}")));
        }
        keys
    }
}

fn set_identity(
    all: &mut HashMap<i64, Identity>,
    user: i64,
    field: &FieldKey,
    value: Option<&str>,
) {
    let Some(identity) = all.get_mut(&user) else { return };
    let slot = match field {
        FieldKey::Known(Field::Login) => &mut identity.login,
        FieldKey::Known(Field::Email) => &mut identity.email,
        FieldKey::Known(Field::LegalEntity) => &mut identity.entity,
        FieldKey::Known(Field::EmployeeNumber) => &mut identity.number,
        _ => return,
    };
    *slot = value.map(str::to_owned);
}

fn owners(all: &HashMap<i64, Identity>) -> HashMap<String, Vec<i64>> {
    let mut owners: HashMap<String, Vec<i64>> = HashMap::new();
    for (user, identity) in all {
        for (_, key) in identity.keys() {
            owners.entry(key).or_default().push(*user);
        }
    }
    owners
}
