//! The quick path and the usual one are the same: random rosters through random days, whichever of the two plans.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rollcall::import::directory::{Snapshot, SourceMemory};
use rollcall::import::quick::{NewPrints, Prints};
use rollcall::import::settings::Settings;
use rollcall::import::{self, Job, Meta, Plan};
use rollcall::model::UploadId;
use rollcall::store::directory::{Applied, Directory, Event, EventKind, ImportRecord};
use sha2::{Digest, Sha256};

use super::golden::LIMITS;

const HEADER: &str = "legalEntity;ID number;lastName;firstName;mail;login;dtContractStart;dtContractEnd;department;manager;jobTitle;dtBirth";
const NUMBER: usize = 1;
const LAST: usize = 2;
const MAIL: usize = 4;
const END: usize = 7;
const MANAGER: usize = 9;
const JOB: usize = 10;
const BIRTH: usize = 11;

/// A small generator of numbers: the same seed, the same days.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % most.max(1)
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }
}

type Cells = Vec<String>;

/// A person as a tidy payroll writes them; the first three of each legal entity manage the others.
fn person(n: usize, chance: &mut Chance) -> Cells {
    let unit = n % 2;
    let boss = if n < 6 { unit } else { chance.below(3) * 2 + unit };
    let manager = match chance.below(12) {
        0 => format!("u{boss}"),
        1 => format!("{boss}"),
        2 => "99999".to_owned(),
        3 => String::new(),
        4 => "Martin Paul".to_owned(),
        _ => format!("{boss:05}"),
    };
    let end = match chance.below(10) {
        0 => "30/06/2026",
        1 => "24/11/2026",
        2 => "31/12/9999",
        _ => "",
    };
    vec![
        format!("FR{unit:02}"),
        format!("{n:05}"),
        chance.of(&["Dupont", "Martin", "Noël", "Leroy", "Petit", "Roux", "Blanc"]).to_owned(),
        chance.of(&["Anne", "Paul", "Zoé", "Max", "Eve", "Luc"]).to_owned(),
        format!("p{n}@x.example"),
        format!("u{n}"),
        format!("{:02}/03/20{:02}", n % 27 + 1, n % 20),
        end.to_owned(),
        chance.of(&["Sales", "IT", "Paie", ""]).to_owned(),
        manager,
        chance.of(&["Clerk", "Lead", "", "Cook"]).to_owned(),
        format!("{:02}/{:02}/19{:02}", n % 28 + 1, n % 12 + 1, 60 + n % 40),
    ]
}

/// What happens to a roster between two days.
fn next_day(rows: &mut Vec<Cells>, extra: &mut Vec<String>, next: &mut usize, chance: &mut Chance) {
    extra.clear();
    for _ in 0..chance.below(6) {
        let at = chance.below(rows.len());
        let other = chance.below(rows.len());
        match chance.below(25) {
            0 | 1 => rows[at][JOB] = format!("Job {}", chance.below(5)),
            2 => rows[at][MAIL] = format!("new{}@x.example", chance.below(4)),
            3 => rows[at][MAIL] = rows[other][MAIL].clone(),
            4 => {
                let (a, b) = (rows[at][MAIL].clone(), rows[other][MAIL].clone());
                (rows[at][MAIL], rows[other][MAIL]) = (b, a);
            }
            5 if rows.len() > 3 => drop(rows.remove(at)),
            6 | 7 => {
                rows.insert(at, person(*next, chance));
                *next += 1;
            }
            8 => {
                let copy = rows[at].clone();
                rows.insert(other, copy);
            }
            9 => {
                let mut copy = rows[at].clone();
                copy[JOB] = "Twice".to_owned();
                rows.push(copy);
            }
            10 => rows.swap(at, other),
            11 => rows.reverse(),
            12 => {
                rows[at][END] =
                    chance.of(&["", "20/11/2026", "31/12/2026", "01/06/2026"]).to_owned()
            }
            13 => {
                let boss = at.min(5);
                rows[boss][END] = "30/11/2026".to_owned();
            }
            14 => rows[at][MANAGER] = rows[other][NUMBER].clone(),
            15 => rows[at][MANAGER] = format!("{} {}", rows[other][LAST], rows[other][3]),
            16 => rows[at][LAST] = chance.of(&["Dupont", "Martin", "Nouveau"]).to_owned(),
            17 => rows[at][NUMBER] = rows[at][NUMBER].trim_start_matches('0').to_owned(),
            18 => {
                rows[at][chance.below(11)] = chance.of(&["", "31/02/2026", "#REF!", "x"]).to_owned()
            }
            19 => extra
                .push(chance.of(&["", ";;;;;;;;;;;", "Total : 12 salariés", "FR01;1"]).to_owned()),
            // Somebody else under a known number, the same under a new one, and a new one like somebody known.
            20 => {
                let other = person(*next, chance);
                *next += 1;
                for field in [LAST, 3, MAIL, BIRTH] {
                    rows[at][field] = other[field].clone();
                }
            }
            21 => {
                rows[at][NUMBER] = format!("{next:05}");
                *next += 1;
            }
            22 => {
                let mut twin = person(*next, chance);
                *next += 1;
                for field in [LAST, 3, BIRTH] {
                    twin[field] = rows[at][field].clone();
                }
                rows.push(twin);
            }
            23 => rows[at][0] = chance.of(&["FR00", "FR01", "FR02"]).to_owned(),
            _ => rows[at].push(chance.of(&["", "too many"]).to_owned()),
        }
    }
}

fn text(rows: &[Cells], extra: &[String], chance: &mut Chance) -> String {
    let end = if chance.one_in(4) { "\n" } else { "\r\n" };
    let quote = chance.one_in(6);
    let mut text = format!("{HEADER}{end}");
    for cells in rows {
        let line = match quote {
            true => cells.iter().map(|c| format!("\"{c}\"")).collect::<Vec<_>>().join(";"),
            false => cells.join(";"),
        };
        text.push_str(&format!("{line}{end}"));
    }
    for line in extra {
        text.push_str(&format!("{line}{end}"));
    }
    text
}

/// One directory and its days.
struct World {
    directory: Directory,
    _folder: tempfile::TempDir,
    today: Date,
    imports: i64,
    quick: usize,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let directory = Directory::open(&folder.path().join("users.db")).unwrap();
        Self {
            directory,
            _folder: folder,
            today: jiff::civil::date(2026, 11, 20),
            imports: 0,
            quick: 0,
        }
    }

    fn at(&self) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + self.imports * 60).unwrap()
    }

    fn record(&self, source: &str, bytes: &[u8], settings: &Settings) -> ImportRecord {
        ImportRecord {
            id: UploadId::from_u128(u128::try_from(self.imports).unwrap()),
            source: source.to_owned(),
            login: "acme".to_owned(),
            path: "/in/users.csv".parse().unwrap(),
            file_name: "users.csv".to_owned(),
            bytes: bytes.len().try_into().unwrap(),
            sha256: Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect(),
            received_at: self.at(),
            settings_version: settings.version(),
            settings_toml: String::new(),
        }
    }

    /// Plans a file both ways, compares, and applies one of the two.
    fn import(&mut self, source: &str, text: &str, settings: &Settings, chance: &mut Chance) {
        self.imports += 1;
        let record = self.record(source, text.as_bytes(), settings);
        let meta = Meta {
            import: record.id.to_string(),
            client: "acme".to_owned(),
            account: record.login.clone(),
            file_name: record.file_name.clone(),
            path: record.path.to_string(),
            bytes: record.bytes,
            sha256: record.sha256.clone(),
            content_sha256: record.sha256.clone(),
            received_at: Some(record.received_at),
            started_at: Some(record.received_at),
        };
        let snapshot = self.directory.snapshot(source).unwrap();
        let job = Job {
            bytes: text.as_bytes(),
            settings,
            snapshot: &snapshot,
            today: self.today,
            received_on: self.today,
            dry_run: false,
            approval: None,
            meta: &meta,
            limits: &LIMITS,
        };
        let usual = import::plan(&job);
        let quick = self.plan_quickly(source, &snapshot.source, &job);
        if let Some(quick) = &quick {
            self.quick += 1;
            let before = text.lines().count();
            same(&usual, quick, &format!("{source} on {} ({before} lines)\n{text}", self.today));
        }
        let mut plan = quick.filter(|_| chance.one_in(2)).unwrap_or(usual);
        plan.report.finished_at = Some(self.at());
        assert_eq!(self.directory.apply(&plan, &record).unwrap(), Applied::Now);
    }

    fn plan_quickly(&self, source: &str, memory: &SourceMemory, job: &Job<'_>) -> Option<Plan> {
        let nobody = Snapshot::default();
        self.directory.plan_quickly(source, memory, &Job { snapshot: &nobody, ..*job }).unwrap()
    }

    /// Takes the last import back.
    fn undo(&mut self) {
        let about = Some(UploadId::from_u128(u128::try_from(self.imports).unwrap()));
        let event = Event {
            id: UploadId::from_u128(u128::try_from(1_000_000 + self.imports).unwrap()),
            kind: EventKind::Undo,
            about,
            source: "in".to_owned(),
            who: "cli".to_owned(),
            at: self.at(),
        };
        // A file that was refused or held cannot be taken back.
        drop(self.directory.undo(&event, &TimeZone::UTC));
    }
}

fn same(usual: &Plan, quick: &Plan, what: &str) {
    assert_eq!(usual.report, quick.report, "{what}");
    assert_eq!(usual.writes, quick.writes, "{what}");
    assert_eq!(usual.listed, quick.listed, "{what}");
    assert_eq!(usual.source, quick.source, "{what}");
    assert_eq!(usual.list_entries, quick.list_entries, "{what}");
    assert_eq!(usual.absences, quick.absences, "{what}");
    assert_eq!(usual.ended_by_absence, quick.ended_by_absence, "{what}");
    assert_eq!(usual.manager_wishes, quick.manager_wishes, "{what}");
    assert_eq!(usual.unprotected, quick.unprotected, "{what}");
    assert_eq!(usual.defaulted, quick.defaulted, "{what}");
    assert_eq!(usual.unmapped, quick.unmapped, "{what}");
    assert_eq!(usual.change_number, quick.change_number, "{what}");
    match (&usual.prints, &quick.prints) {
        (NewPrints::Replace(Prints { head, .. }), NewPrints::Keep(kept)) => assert_eq!(head, kept),
        (one, other) => assert_eq!(one, other, "{what}"),
    }
}

const SETTINGS: [&str; 8] = [
    "",
    "absent = \"end\"\nabsent_after = 2",
    "key = \"login\"",
    "key = \"employee_number\"\nstrict = true",
    "key = \"email\"\n[guards]\nendings = \"off\"\nwhole_entity = false",
    "[blanks]\ndepartment = \"clear\"\njob_title = \"default\"\n[defaults]\njob_title = \"Staff\"",
    "dates = \"dmy\"\n[value_maps.department]\ncodes = { \"Paie\" = \"Payroll\" }",
    "[blanks]\ndepartment = \"clear\"\nmanager = \"clear\"\n[defaults]\ndepartment = \"IT\"\nmanager = \"nobody yet\"",
];

/// Lives through some days; how many files there were and how many went the quick way.
fn live(seed: u64) -> (usize, usize) {
    let mut chance = Chance(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let mut world = World::new();
    let mut settings = Settings::from_toml(chance.of(&SETTINGS)).unwrap();
    // The first fifty and the last ten are always read.
    let mut next = 75 + chance.below(40);
    let mut rows: Vec<Cells> = (0..next).map(|n| person(n, &mut chance)).collect();
    let mut extra = Vec::new();
    let days = 8;
    for _ in 0..days {
        let text = text(&rows, &extra, &mut chance);
        world.import("in", &text, &settings, &mut chance);
        match chance.below(14) {
            0 => world.undo(),
            1 => {
                let delta = Settings::from_toml("mode = \"delta\"").unwrap();
                let row = rows[chance.below(rows.len())].join(";").replace("Sales", "Elsewhere");
                world.import("other", &format!("{HEADER}\n{row}\n"), &delta, &mut chance);
            }
            2 => settings = Settings::from_toml(chance.of(&SETTINGS)).unwrap(),
            _ => {}
        }
        if !chance.one_in(3) {
            world.today = world.today.tomorrow().unwrap();
        }
        next_day(&mut rows, &mut extra, &mut next, &mut chance);
    }
    (days, world.quick)
}

#[test]
fn the_quick_path_and_the_usual_one_are_the_same() {
    let seeds = std::env::var("ROLLCALL_SEEDS").ok();
    let (first, last) = match seeds.as_deref().and_then(|seeds| seeds.split_once('-')) {
        Some((first, last)) => (first.parse().unwrap(), last.parse().unwrap()),
        None => (1, 25),
    };
    let (mut files, mut quick) = (0, 0);
    for seed in first..=last {
        println!("seed {seed}");
        let (days, hits) = live(seed);
        files += days;
        quick += hits;
    }
    println!("{quick} of {files} files went the quick way");
    assert!(quick * 4 > files, "only {quick} of {files} files went the quick way");
}
