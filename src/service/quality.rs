//! Use cases about data quality: who has a complete record, a valid one, a manager; how that moved; what goes wrong most often
//! (docs/quality.md).

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use serde::Serialize;

use super::Service;
use crate::error::Result;
use crate::import::fields::Field;
use crate::import::settings::{Settings, key_fields};
use crate::model::{Client, Language, Purpose, UploadId};
use crate::store::directory::{Directory, Record};

pub use crate::store::directory::QualityMark;

/// Over how many of the last imports problems are counted.
pub const IMPORTS_LOOKED_AT: u32 = 20;
/// How many days with an import a chart shows.
const DAYS: u32 = 90;
/// How soon after an import its client's data is looked over.
const PAUSE: Duration = Duration::from_millis(500);
/// How often all clients are asked whether they were forgotten.
const ALL_PAUSE: Duration = Duration::from_secs(3600);
/// How many kinds of problems are told.
const PROBLEMS: usize = 15;
/// Fields that are expected of everybody as soon as the client's files have their column.
const COMMON: [Field; 10] = [
    Field::EmployeeNumber,
    Field::LegalEntity,
    Field::FirstName,
    Field::LastName,
    Field::Email,
    Field::ContractStart,
    Field::Department,
    Field::ContractType,
    Field::Csp,
    Field::JobTitle,
];

/// How good a client's data is today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quality {
    /// Today's counts.
    pub now: QualityMark,
    /// The fields that everybody should have.
    pub expected: Vec<Field>,
    /// Of those, who lacks them: most first, fields that nobody lacks left out.
    pub missing: Vec<(Field, u64)>,
    /// Why records are not valid, most first.
    pub invalid: Vec<(Flaw, u64)>,
    /// Who has no manager at all, and who has one who has left.
    pub without_manager: (u64, u64),
    /// Earlier days, oldest first.
    pub marks: Vec<QualityMark>,
    /// What went wrong in the last imports, most frequent first.
    pub problems: Vec<Frequent>,
}

/// Why a record contradicts something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Flaw {
    /// The contract ends before it starts.
    EndBeforeStart,
    /// A file named a manager whom nobody has found.
    ManagerNotFound,
    /// The legal entity is not in the list that was loaded.
    LegalEntityNotListed,
    /// The department is not in the list that was loaded.
    DepartmentNotListed,
}

/// A problem that came more than once, with its newest example.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Frequent {
    /// Its code (docs/report-codes.md).
    pub code: String,
    /// It is only a warning.
    pub is_warning: bool,
    /// How often it came.
    pub count: u64,
    /// In how many imports.
    pub imports: u64,
    /// The newest import that had it.
    pub import: UploadId,
    /// That import's file.
    pub file: String,
    /// The row there that a spreadsheet shows; `None`: it is about no single row.
    pub line: Option<u32>,
    /// What is wrong there.
    pub text: String,
    /// What to do about it; may be empty.
    pub cure: String,
}

/// A client's marks, for comparing clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// The client.
    pub client: Client,
    /// The newest mark; `None`: nothing was imported yet.
    pub last: Option<QualityMark>,
    /// The mark of a month before that, or the oldest there is.
    pub before: Option<QualityMark>,
}

impl Service {
    /// How good a client's data is: today, over time, and what goes wrong most often.
    ///
    /// # Errors
    /// `Kind::NotFound` for the client.
    pub fn quality(&self, client: &str, language: Language) -> Result<Quality> {
        let client = self.client(client)?;
        let mut directory = self.open_directory(&client.slug)?;
        if let Err(error) = directory.refresh_search() {
            tracing::warn!(%error, "data quality is told as of a moment ago");
        }
        let (now, tally) = self.judge(&client, &directory)?;
        let mut marks = directory.quality_marks(DAYS)?;
        marks.retain(|mark| mark.day != now.day);
        marks.push(now);
        Ok(Quality {
            now,
            missing: most_first(tally.missing),
            invalid: most_first(tally.invalid),
            without_manager: (tally.no_manager, tally.manager_left),
            expected: tally.expected,
            marks,
            problems: frequent(&directory, language)?,
        })
    }

    /// The newest marks of all clients, or of the one that a caller is bound to, by name.
    ///
    /// # Errors
    /// When a database cannot be read.
    pub fn compare_quality(&self, only: Option<&str>) -> Result<Vec<Compared>> {
        let mut clients = self.clients()?;
        clients.retain(|client| only.is_none_or(|only| client.slug == only));
        let compared = clients.into_iter().map(|client| {
            let marks = self.open_directory(&client.slug)?.quality_marks(DAYS)?;
            let last = marks.last().copied();
            let before = last.and_then(|last| {
                let month = last.day.saturating_sub(jiff::Span::new().days(30));
                let older = marks.iter().rev().find(|mark| mark.day <= month);
                older.or(marks.first()).filter(|mark| mark.day != last.day).copied()
            });
            Ok(Compared { client, last, before })
        });
        let mut compared: Vec<Compared> = compared.collect::<Result<_>>()?;
        compared.sort_by_cached_key(|one| one.client.name.to_lowercase());
        Ok(compared)
    }

    /// Notes that a client's data has changed: the server looks it over soon, while nobody waits for it.
    pub(super) fn look_over_soon(&self, client: &str) {
        self.to_look_over().insert(client.to_owned());
    }

    fn to_look_over(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.0.to_look_over.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Brings a client's list of people up to date and notes how good their data is.
    fn look_over(&self, client: &Client) -> Result<()> {
        let mut directory = self.open_directory(&client.slug)?;
        directory.refresh_search()?;
        let (mark, _) = self.judge(client, &directory)?;
        directory.note_quality(&mark)
    }

    /// Whether something was imported since a client's data was looked over: by a command, or just before the server ended.
    fn is_overdue(&self, client: &Client) -> Result<bool> {
        let directory = self.open_directory(&client.slug)?;
        let zone = TimeZone::get(&client.time_zone).unwrap_or(TimeZone::UTC);
        let last = directory.imports(1)?.pop();
        let imported = last.map(|import| import.applied_at.to_zoned(zone).date());
        let marked = directory.quality_marks(1)?.pop().map(|mark| mark.day);
        Ok(imported > marked)
    }

    fn judge(&self, client: &Client, directory: &Directory) -> Result<(QualityMark, Tally)> {
        let expected = self.expected_fields(client, directory)?;
        let records = directory.records()?;
        let today = self.clock().today(&client.time_zone).to_string();
        let rules = Rules {
            not_found: directory.managers_not_found()?.into_iter().collect(),
            not_loaded: directory.codes_not_loaded()?.into_iter().collect(),
            there: records
                .iter()
                .filter(|record| is_there(record, &today))
                .map(|record| record.user)
                .collect(),
        };
        let mut tally = Tally { expected, ..Tally::default() };
        for record in records.iter().filter(|record| rules.there.contains(&record.user)) {
            tally.add(record, &rules);
        }
        let mark = QualityMark {
            day: self.clock().today(&client.time_zone),
            people: tally.people,
            complete: tally.complete,
            valid: tally.valid,
            managed: tally.managed,
        };
        Ok((mark, tally))
    }

    /// What the folders require, what tells people apart, and the common fields whose column the files have.
    fn expected_fields(&self, client: &Client, directory: &Directory) -> Result<Vec<Field>> {
        let mut expected: BTreeSet<Field> =
            BTreeSet::from([Field::FirstName, Field::LastName, Field::ContractStart]);
        for folder in self.registry().client_folders(&client.slug)? {
            if folder.purpose != Purpose::Import {
                continue;
            }
            let text = self.registry().folder_settings(&client.slug, &folder.name)?;
            // Settings that cannot be read are told where they are used.
            let settings = Settings::from_toml(&text.unwrap_or_default()).unwrap_or_default();
            let memory = directory.source(&folder.name)?.1;
            expected.extend(settings.required.into_iter().flatten());
            expected.extend(memory.key.or(settings.key).iter().flat_map(|key| key_fields(*key)));
            let has = |field: &&Field| memory.columns.iter().any(|name| name == field.name());
            expected.extend(COMMON.iter().filter(has).copied());
        }
        expected.remove(&Field::Manager);
        Ok(expected.into_iter().collect())
    }
}

/// Looks over the data of clients after their imports, and now and then that of all who were forgotten. Nothing depends on it.
pub(super) fn run(service: &Service, stopping: &AtomicBool) {
    let mut next_all = Instant::now();
    while !stopping.load(Ordering::Acquire) {
        let noted = std::mem::take(&mut *service.to_look_over());
        let all = Instant::now() >= next_all;
        if all {
            next_all = Instant::now() + ALL_PAUSE;
        }
        if all || !noted.is_empty() {
            let clients = service.clients().unwrap_or_default();
            for client in clients.iter().take_while(|_| !stopping.load(Ordering::Acquire)) {
                let looked = if noted.contains(&client.slug) {
                    service.look_over(client)
                } else if all {
                    let overdue = service.is_overdue(client);
                    overdue.and_then(|due| if due { service.look_over(client) } else { Ok(()) })
                } else {
                    Ok(())
                };
                if let Err(error) = looked {
                    tracing::warn!(%error, client = client.slug, "looking over a client's data");
                }
            }
        }
        std::thread::park_timeout(PAUSE);
    }
}

/// What records are held against.
struct Rules {
    /// The people who work there or will.
    there: HashSet<i64>,
    not_found: HashSet<i64>,
    not_loaded: HashSet<(Field, String)>,
}

/// Counts of what is good and what is not.
#[derive(Default)]
struct Tally {
    expected: Vec<Field>,
    people: u64,
    complete: u64,
    valid: u64,
    managed: u64,
    no_manager: u64,
    manager_left: u64,
    missing: HashMap<Field, u64>,
    invalid: HashMap<Flaw, u64>,
}

impl Tally {
    fn add(&mut self, record: &Record, rules: &Rules) {
        self.people += 1;
        let filled = |field: &Field| {
            let bit = 1_u64.rotate_left(u32::try_from(field.index()).unwrap_or(0));
            record.filled & bit != 0
        };
        let mut complete = true;
        for field in self.expected.iter().filter(|field| !filled(field)) {
            complete = false;
            *self.missing.entry(*field).or_default() += 1;
        }
        self.complete += u64::from(complete);
        let flaws = flaws(record, rules);
        self.valid += u64::from(flaws.is_empty());
        for flaw in flaws {
            *self.invalid.entry(flaw).or_default() += 1;
        }
        match record.manager {
            None => self.no_manager += 1,
            Some(manager) if rules.there.contains(&manager) => self.managed += 1,
            Some(_) => self.manager_left += 1,
        }
    }
}

fn flaws(record: &Record, rules: &Rules) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    if let (Some(start), Some(end)) = (&record.starts, &record.ends)
        && end < start
    {
        flaws.push(Flaw::EndBeforeStart);
    }
    if rules.not_found.contains(&record.user) {
        flaws.push(Flaw::ManagerNotFound);
    }
    let listed = |field, code: &Option<String>| {
        code.as_ref().is_none_or(|code| !rules.not_loaded.contains(&(field, code.clone())))
    };
    if !listed(Field::LegalEntity, &record.legal_entity) {
        flaws.push(Flaw::LegalEntityNotListed);
    }
    if !listed(Field::Department, &record.department) {
        flaws.push(Flaw::DepartmentNotListed);
    }
    flaws
}

/// Canonical dates compare as text.
fn is_there(record: &Record, today: &str) -> bool {
    record.ends.as_deref().is_none_or(|end| end >= today)
}

fn most_first<T: Ord + Copy>(counts: HashMap<T, u64>) -> Vec<(T, u64)> {
    let mut counts: Vec<(T, u64)> = counts.into_iter().collect();
    counts.sort_by_key(|(what, count)| (std::cmp::Reverse(*count), *what));
    counts
}

/// The problems of the last imports by code, most frequent first.
fn frequent(directory: &Directory, language: Language) -> Result<Vec<Frequent>> {
    let mut by_code: BTreeMap<String, Frequent> = BTreeMap::new();
    for summary in directory.imports(IMPORTS_LOOKED_AT)? {
        let id = summary.record.id;
        let Some(stored) = directory.import(id)?.filter(|stored| !stored.summary.dry_run) else {
            continue;
        };
        let mut here = BTreeSet::new();
        for problem in stored.report.brief(language, usize::MAX).problems {
            let code = problem.code.name().to_owned();
            let known = by_code.entry(code.clone()).or_insert_with(|| Frequent {
                code: code.clone(),
                is_warning: problem.is_warning,
                count: 0,
                imports: 0,
                import: id,
                file: stored.report.file.name.clone(),
                line: problem.line,
                text: problem.text,
                cure: problem.cure,
            });
            known.count += problem.count;
            if here.insert(code) {
                known.imports += 1;
            }
        }
    }
    let mut all: Vec<Frequent> = by_code.into_values().collect();
    all.sort_by(|a, b| (b.count, b.imports, &a.code).cmp(&(a.count, a.imports, &b.code)));
    all.truncate(PROBLEMS);
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(user: i64, starts: &str, ends: &str, manager: Option<i64>) -> Record {
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Record {
            user,
            manager,
            legal_entity: text("FR01"),
            department: text("Sales"),
            starts: text(starts),
            ends: text(ends),
            filled: 0,
        }
    }

    #[test]
    fn a_record_is_valid_unless_something_contradicts_it() {
        let rules = Rules {
            there: HashSet::from([1, 2]),
            not_found: HashSet::from([2]),
            not_loaded: HashSet::from([(Field::Department, "Sales".to_owned())]),
        };
        let found = flaws(&record(1, "2026-02-01", "2026-01-31", None), &rules);
        assert_eq!(found, [Flaw::EndBeforeStart, Flaw::DepartmentNotListed]);
        let found = flaws(&record(2, "2026-02-01", "2026-02-01", None), &rules);
        assert_eq!(found, [Flaw::ManagerNotFound, Flaw::DepartmentNotListed]);
    }

    #[test]
    fn a_manager_who_has_left_manages_nobody() {
        let rules = Rules {
            there: HashSet::from([1, 2]),
            not_found: HashSet::new(),
            not_loaded: HashSet::new(),
        };
        let mut tally = Tally { expected: vec![Field::Email], ..Tally::default() };
        tally.add(&record(1, "2026-01-01", "", Some(2)), &rules);
        tally.add(&record(2, "2026-01-01", "", Some(3)), &rules);
        tally.add(&record(2, "2026-01-01", "", None), &rules);
        assert_eq!((tally.people, tally.managed), (3, 1));
        assert_eq!((tally.manager_left, tally.no_manager), (1, 1));
        assert_eq!((tally.complete, tally.valid), (0, 3));
        assert_eq!(most_first(tally.missing), [(Field::Email, 3)]);
    }
}
