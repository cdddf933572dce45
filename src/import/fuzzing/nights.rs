//! Imports night after night into one directory: nobody goes unseen, and the quick way is the usual one.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::applied::apply;
use super::{LIMITS, TODAY};
use crate::cores;
use crate::import::codes::Code;
use crate::import::directory::{Key, Snapshot, User};
use crate::import::fields::{Dates, Field, FieldKey, Value, parse};
use crate::import::plan::quick::{self, NewPrints, Outcome, Prints, SECRET_BYTES, Wants};
use crate::import::plan::{Plan, UserWrite, plan};
use crate::import::settings::{Settings, key_fields};
use crate::import::{Approval, Job, Meta};

const COLUMNS: [&str; 12] = [
    "legalEntity",
    "ID number",
    "lastName",
    "firstName",
    "mail",
    "login",
    "dtContractStart",
    "dtContractEnd",
    "department",
    "manager",
    "jobTitle",
    "dtBirth",
];
/// More than are always read, so that some rows are not.
const PEOPLE: usize = 72;
const MOST_NIGHTS: usize = 5;
const MOST_EDITS: usize = 60;

/// How folders are set; the first byte chooses.
const SETTINGS: [&str; 12] = [
    "",
    "absent = \"end\"\nabsent_after = 2",
    "absent = \"hold\"",
    "key = \"login\"",
    "key = \"employee_number\"\nstrict = true",
    "key = \"email\"\nabsent = \"end\"\nabsent_after = 1\n[guards]\nendings = \"off\"\nwhole_entity = false",
    "[blanks]\ndepartment = \"clear\"\njob_title = \"default\"\n[defaults]\njob_title = \"Staff\"",
    "dates = \"dmy\"\n[value_maps.department]\ncodes = { \"Paie\" = \"Payroll\" }",
    "mode = \"delta\"",
    "unknown_columns = \"keep\"\nlogin_pattern = \"{first}.{last}\"\nrequired = [\"last_name\"]",
    "closed_lists = [\"department\"]\nfinal_line_end = \"optional\"",
    "key = \"legal_entity+employee_number\"\n[aliases]\n\"Poste\" = \"job_title\"\n[blanks]\nmanager = \"clear\"",
];

/// What cells are changed to.
const WORDS: [&str; 48] = [
    "",
    " ",
    "0",
    "7",
    "00007",
    "00001",
    "1",
    "99999",
    "u1",
    "U1",
    "u2",
    "Dupont",
    "Anne",
    "Dupont Anne",
    "Anne Dupont",
    "DUPONT",
    "p1@x.example",
    "P2@X.example",
    "broken",
    "FR00",
    "FR01",
    "FR02",
    "Sales",
    "sales",
    "IT",
    "Paie",
    "31/12/9999",
    "20/11/2026",
    "21/11/2026",
    "22/11/2026",
    "31/12/2026",
    "01/01/2020",
    "2026-11-01",
    "12/31/2026",
    "31/02/2026",
    "01/06/2099",
    "00/00/0000",
    "#REF!",
    "1,2E+05",
    "=\"00007\"",
    "\"quoted\"",
    "\"half",
    "a;b",
    "\u{A0}",
    "<empty>",
    "-",
    "0,00",
    "é",
];

type Cells = Vec<String>;

fn person(n: usize) -> Cells {
    let unit = n % 2;
    let boss = if n < 6 { unit } else { (n / 7 % 3) * 2 + unit };
    let pick = |all: &[&str]| all.get(n % all.len()).copied().unwrap_or_default().to_owned();
    vec![
        format!("FR{unit:02}"),
        format!("{n:05}"),
        pick(&["Dupont", "Martin", "Noël", "Leroy", "Petit", "Roux", "Blanc"]),
        pick(&["Anne", "Paul", "Zoé", "Max", "Eve"]),
        format!("p{n}@x.example"),
        format!("u{n}"),
        format!("{:02}/03/20{:02}", n % 27 + 1, n % 20),
        pick(&["", "", "", "31/12/9999", "", "24/11/2026", "", "", "30/06/2026", "", ""]),
        pick(&["Sales", "IT", "Paie", ""]),
        if n % 13 == 5 { format!("u{boss}") } else { format!("{boss:05}") },
        pick(&["Clerk", "Lead", "", "Cook"]),
        format!("{:02}/{:02}/19{:02}", n % 28 + 1, n % 12 + 1, 60 + n % 40),
    ]
}

/// One directory, one folder, and the day.
#[derive(Clone)]
struct World {
    snapshot: Snapshot,
    /// With the change number at which they were kept.
    prints: Option<(i64, Prints)>,
    today: Date,
    imports: u32,
}

/// Everybody's first import, for each of the settings.
static WORLDS: LazyLock<Vec<(Settings, World)>> = LazyLock::new(|| {
    let world = |toml: &&str| {
        let settings = Settings::from_toml(toml);
        assert!(settings.is_ok(), "{settings:?}");
        let settings = settings.unwrap_or_default();
        let lists = [(Field::Department, ["Sales", "IT", "Paie"].map(str::to_owned).into())];
        let snapshot = Snapshot {
            change_number: 1,
            next_user_id: 1,
            secret: (0..=u8::MAX).take(SECRET_BYTES).map(|n| n.wrapping_mul(167)).collect(),
            lists: lists.into(),
            ..Snapshot::default()
        };
        let mut world = World { snapshot, prints: None, today: TODAY, imports: 0 };
        let rows: Vec<Cells> = (0..PEOPLE).map(person).collect();
        let plan = world.night(&text(&COLUMNS.map(str::to_owned), &rows), &settings, None);
        assert_eq!(plan.report.counts.created, 72, "{:#?}", plan.report.messages);
        (settings, world)
    };
    SETTINGS.iter().map(world).collect()
});

/// Reads the bytes as settings and as what changes in a roster from night to night: four bytes each, what and where.
pub(crate) fn nights(bytes: &[u8]) {
    let Some((first, edits)) = bytes.split_first() else { return };
    let Some((settings, world)) = WORLDS.get(usize::from(*first) % SETTINGS.len()) else { return };
    let mut world = world.clone();
    let mut header = COLUMNS.map(str::to_owned).to_vec();
    let mut rows: Vec<Cells> = (0..PEOPLE).map(person).collect();
    let mut nights = 0;
    let (all, _) = edits.as_chunks::<4>();
    for edit in all.iter().take(MOST_EDITS) {
        if edit[0] < 48 {
            nights += 1;
            world.live(&text(&header, &rows), settings, edit[1]);
            world.today = world.today.checked_add(i64::from(edit[2] % 3).days()).unwrap_or(TODAY);
            if nights == MOST_NIGHTS {
                return;
            }
        } else {
            change(&mut header, &mut rows, *edit);
        }
    }
    world.live(&text(&header, &rows), settings, 0);
}

fn change(header: &mut Cells, rows: &mut Vec<Cells>, [what, at, column, value]: [u8; 4]) {
    let (at, other, width) = (usize::from(at), usize::from(value), COLUMNS.len());
    let column = usize::from(column) % width;
    let at = at % rows.len().max(1);
    let other = other % rows.len().max(1);
    let word = WORDS.get(usize::from(value) % WORDS.len()).copied().unwrap_or_default();
    match what % 16 {
        0..=4 => {
            if let Some(cell) = rows.get_mut(at).and_then(|row| row.get_mut(column)) {
                word.clone_into(cell);
            }
        }
        5 => drop((at < rows.len()).then(|| rows.remove(at))),
        6 => rows.truncate(at),
        7 => rows.insert(at, person(PEOPLE + usize::from(value))),
        8 => rows.extend(rows.get(at).cloned()),
        9 if other < rows.len() => rows.swap(at, other),
        10 => {
            let cell = rows.get(other).and_then(|row| row.get(column)).cloned().unwrap_or_default();
            if let Some(to) = rows.get_mut(at).and_then(|row| row.get_mut(column)) {
                *to = cell;
            }
        }
        11 => {
            if let Some(name) = header.get_mut(column) {
                let names = ["", "Poste", "ID number", "Taille", "SIRET"];
                let at = usize::from(value) % names.len();
                *name = names.get(at).copied().unwrap_or_default().to_owned();
            }
        }
        // A whole column is another, as after a shifted formula.
        12 => {
            rows.iter_mut().filter_map(|row| row.get_mut(column)).for_each(|c| word.clone_into(c))
        }
        13 => {
            let (one, next) = (column, (column + 1) % width);
            rows.iter_mut().filter(|row| row.len() >= width).for_each(|row| row.swap(one, next));
        }
        14 => rows.reverse(),
        _ => {
            if let Some(row) = rows.get_mut(at) {
                row.push(word.to_owned());
            }
        }
    }
}

fn text(header: &[String], rows: &[Cells]) -> Vec<u8> {
    let mut text = header.join(";");
    text.push_str("\r\n");
    for row in rows {
        text.push_str(&row.join(";"));
        text.push_str("\r\n");
    }
    text.into_bytes()
}

impl World {
    /// A night's import, whether it may be as it is, and the same file again.
    fn live(&mut self, file: &[u8], settings: &Settings, how: u8) {
        let before = self.snapshot.clone();
        let plan = self.night(file, settings, None);
        let is_applied = plan.report.status.is_applied();
        if plan.digest.is_some() && !is_applied && how % 2 == 1 {
            let approved = self.night(file, settings, Some(&Approval::Whole));
            assert_eq!(approved.digest, plan.digest, "what was looked at is what is applied");
            assert!(approved.report.status.is_applied(), "{:?}", approved.report.status);
        } else if is_applied {
            spared(&before, &plan, settings, self.today);
            let again = self.planned(file, settings, None, &self.snapshot);
            assert!(again.writes.is_empty(), "the same again: {:?}", again.writes);
            assert!(again.list_entries.is_empty() && again.ended_by_absence.is_empty());
            assert_eq!(again.report.counts.rejected, plan.report.counts.rejected);
            assert!(again.absences.is_none(), "a day counts once: {:?}", again.absences);
        }
        whole_people(&self.snapshot);
    }

    fn planned(
        &self,
        bytes: &[u8],
        settings: &Settings,
        approval: Option<&Approval>,
        snapshot: &Snapshot,
    ) -> Plan {
        self.with_job(bytes, settings, approval, snapshot, plan)
    }

    fn with_job<T>(
        &self,
        bytes: &[u8],
        settings: &Settings,
        approval: Option<&Approval>,
        snapshot: &Snapshot,
        ask: impl FnOnce(&Job<'_>) -> T,
    ) -> T {
        let meta = Meta {
            import: format!("0193501e-0000-7000-8000-{:012}", self.imports),
            client: "acme".to_owned(),
            account: "acme".to_owned(),
            file_name: "users.csv".to_owned(),
            path: "/in/users.csv".to_owned(),
            bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            sha256: self.imports.to_string(),
            content_sha256: self.imports.to_string(),
            received_at: None,
            started_at: None,
        };
        ask(&Job {
            bytes,
            settings,
            snapshot,
            today: self.today,
            received_on: self.today,
            dry_run: false,
            approval,
            meta: &meta,
            limits: &LIMITS,
        })
    }

    /// Plans a file both ways, and applies it.
    fn night(&mut self, file: &[u8], settings: &Settings, approval: Option<&Approval>) -> Plan {
        self.imports += 1;
        let usual = self.planned(file, settings, approval, &self.snapshot);
        let shared = cores::as_if(3, || self.planned(file, settings, approval, &self.snapshot));
        same(&usual, &shared);
        let quick =
            self.with_job(file, settings, approval, &Snapshot::default(), |job| self.quickly(job));
        if let Some(quick) = quick {
            same(&usual, &quick);
        }
        let counts = usual.report.counts;
        assert_eq!(counts.rows, counts.outcomes());
        if usual.report.status.is_applied() {
            let new = usual.writes.iter().filter(|write| write.is_new()).count();
            assert_eq!(u64::try_from(new).ok(), Some(counts.created));
            let of_rows = usual.writes.iter().filter(|write| write.line > 0).count();
            let told = counts.created + counts.updated + counts.ended + counts.reinstated;
            assert_eq!(u64::try_from(of_rows).ok(), Some(told));
        } else {
            assert!(usual.writes.is_empty() && usual.list_entries.is_empty());
            assert!(usual.source.is_none() && usual.listed.is_none() && usual.absences.is_none());
            assert!(usual.ended_by_absence.is_empty() && usual.unprotected.is_empty());
        }
        present(&usual, &self.snapshot, settings, self.today);
        self.apply(&usual);
        usual
    }

    /// As the directory plans quickly, over users in memory.
    fn quickly(&self, job: &Job<'_>) -> Option<Plan> {
        let (_, prints) =
            self.prints.as_ref().filter(|(at, _)| *at == self.snapshot.change_number)?;
        let all = &self.snapshot;
        let mut part = Snapshot { users: Vec::new(), ..all.clone() };
        let mut glance =
            quick::glance(job, &all.source, all.next_user_id, prints.clone(), &all.secret)?;
        let waiting = all.manager_wishes.keys().copied();
        let mut more: Vec<i64> = glance.others().chain(waiting).collect();
        let mut asked = Wants::default();
        for _ in 0..6 {
            add(&mut part, &all.users, &more);
            glance.read(part.users.iter().map(|user| user.id));
            match quick::plan_part(&Job { snapshot: &part, ..*job }, &glance, &asked) {
                Outcome::Planned(plan) => return Some(*plan),
                Outcome::Usual => return None,
                Outcome::Wants(wants) => {
                    let bosses: Vec<i64> = wants.bosses.iter().copied().collect();
                    more = glance.reports_of(&bosses);
                    let mut search = Wants::clone(&wants);
                    let known: HashSet<i64> = part.users.iter().map(|user| user.id).collect();
                    let found = all.users.iter().filter(|user| {
                        let is_active = !user.withdrawn && !has_left(user, self.today);
                        !known.contains(&user.id) && search.takes(user, is_active)
                    });
                    more.extend(found.map(|user| user.id));
                    asked.extend(*wants);
                }
            }
        }
        None
    }

    fn apply(&mut self, plan: &Plan) {
        apply(&mut self.snapshot, plan);
        if plan.source.is_some() {
            let kept = self.prints.take().map(|(_, kept)| kept.rows);
            let prints = match (&plan.prints, kept) {
                (NewPrints::Replace(prints), _) => Some(prints.clone()),
                (NewPrints::Keep(head), Some(rows)) => Some(Prints { head: head.clone(), rows }),
                _ => None,
            };
            self.prints = prints.map(|prints| (self.snapshot.change_number, prints));
        }
    }
}

/// Adds users and everybody above them.
fn add(part: &mut Snapshot, all: &[User], ids: &[i64]) {
    let mut known: HashSet<i64> = part.users.iter().map(|user| user.id).collect();
    let mut next: Vec<i64> = ids.iter().copied().filter(|id| known.insert(*id)).collect();
    while let Some(id) = next.pop() {
        let Some(user) = all.iter().find(|user| user.id == id) else { continue };
        let boss = user.values.get(Field::Manager).and_then(|id| id.parse().ok());
        next.extend(boss.filter(|id| known.insert(*id)));
        part.users.push(user.clone());
    }
    part.users.sort_unstable_by_key(|user| user.id);
}

fn has_left(user: &User, today: Date) -> bool {
    let end: Option<Date> = user.values.get(Field::ContractEnd).and_then(|end| end.parse().ok());
    end.is_some_and(|end| end < today)
}

/// Both plans say and do the same.
fn same(usual: &Plan, quick: &Plan) {
    assert_eq!(usual.report, quick.report);
    assert_eq!(usual.writes, quick.writes);
    assert_eq!(usual.listed, quick.listed);
    assert_eq!(usual.source, quick.source);
    assert_eq!(usual.list_entries, quick.list_entries);
    assert_eq!(usual.absences, quick.absences);
    assert_eq!(usual.ended_by_absence, quick.ended_by_absence);
    assert_eq!(usual.manager_wishes, quick.manager_wishes);
    assert_eq!(usual.unprotected, quick.unprotected);
    assert_eq!(usual.defaulted, quick.defaulted);
    assert_eq!(usual.unmapped, quick.unmapped);
    match (&usual.prints, &quick.prints) {
        (NewPrints::Replace(Prints { head, .. }), NewPrints::Keep(kept)) => assert_eq!(head, kept),
        (one, other) => assert_eq!(one, other),
    }
}

/// Whoever a refused row names by their whole key is not absent.
fn present(plan: &Plan, before: &Snapshot, settings: &Settings, today: Date) {
    let key = settings.key.or(before.source.key).unwrap_or(Key::LegalEntityAndEmployeeNumber);
    let dates = Dates::known(None, today);
    let width = plan.report.columns.len();
    for row in plan.report.refused_rows.iter().filter(|row| row.cells.len() == width) {
        let said = |field: &Field| {
            let key = FieldKey::Known(*field);
            let at = plan.report.columns.iter().position(|c| c.field.as_ref() == Some(&key))?;
            match parse(&key, row.cells.get(at)?, &dates) {
                Ok(Value::Text(text)) => Some((*field, text.into_owned())),
                _ => None,
            }
        };
        let whole: Vec<(Field, String)> = key_fields(key).iter().filter_map(said).collect();
        if whole.len() != key_fields(key).len() {
            continue;
        }
        let is_meant = |user: &&User| {
            whole.iter().all(|(field, text)| user.values.get(*field) == Some(text.as_str()))
        };
        for user in before.users.iter().filter(is_meant) {
            assert!(
                !plan.ended_by_absence.contains(&user.id),
                "line {} is refused, and ends",
                row.line
            );
            let counted = plan.absences.iter().flatten().any(|(id, _)| *id == user.id);
            assert!(!counted, "line {} is refused, and absent", row.line);
            let listed = plan.listed.as_ref().is_none_or(|listed| listed.contains(&user.id));
            assert!(listed, "line {} is refused, and not listed", row.line);
        }
    }
}

/// No unapproved import ends more people than the folder's guard lets pass.
fn spared(before: &Snapshot, plan: &Plan, settings: &Settings, today: Date) {
    let Some(limit) = settings.guards.endings else { return };
    let active: HashMap<i64, &User> = before
        .users
        .iter()
        .filter(|user| !user.withdrawn && !has_left(user, today))
        .map(|user| (user.id, user))
        .collect();
    let ends = |write: &&UserWrite| {
        active.contains_key(&write.user_id)
            && write.changes().iter().any(|change| {
                change.field == FieldKey::Known(Field::ContractEnd)
                    && change.to.is_some()
                    && (change.from.is_none() || change.to < change.from)
            })
    };
    let ended = plan.writes.iter().filter(ends).count();
    let is_many = ended > usize::try_from(limit.count).unwrap_or(usize::MAX)
        && ended * 100 > active.len() * usize::try_from(limit.percent).unwrap_or(usize::MAX);
    let told = plan.report.guards.iter().find(|guard| guard.code == Code::G601);
    assert!(!is_many, "{ended} of {} end unseen: {told:?}", active.len());
}

/// Nobody shares a login or an address, ends before they begin, or is above themselves.
fn whole_people(snapshot: &Snapshot) {
    let by_id: HashMap<i64, &User> = snapshot.users.iter().map(|user| (user.id, user)).collect();
    for field in [Field::Login, Field::Email] {
        let mut seen = HashSet::new();
        for value in snapshot.users.iter().filter_map(|user| user.values.get(field)) {
            assert!(seen.insert(value.to_lowercase()), "{field} {value} twice");
        }
    }
    for user in &snapshot.users {
        let get = |field| user.values.get(field);
        let (start, end) = (get(Field::ContractStart), get(Field::ContractEnd));
        assert!(end.is_none() || start <= end, "{start:?} to {end:?}");
        let mut at = user;
        for _ in 0..=snapshot.users.len() {
            let Some(boss) = at.values.get(Field::Manager) else { break };
            let boss = boss.parse().ok().and_then(|id: i64| by_id.get(&id));
            assert!(boss.is_some(), "a manager who is nobody");
            let Some(boss) = boss else { break };
            // One may be one's own manager: it is how the top of a company is written.
            if boss.id == at.id {
                break;
            }
            assert_ne!(boss.id, user.id, "above themselves by way of others");
            at = boss;
        }
    }
}
