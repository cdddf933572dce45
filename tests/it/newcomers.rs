//! Many new users are made of their rows while they are written: the same people and report as of the whole plan.

use rollcall::import::directory::Snapshot;
use rollcall::import::fields::{Field, FieldKey};
use rollcall::import::settings::Settings;
use rollcall::import::{self, Job, Made, Meta, Plan};
use rollcall::store::directory::{Applied, Directory, ImportRecord};
use uuid::Uuid;

use super::golden::{LIMITS, TODAY};

/// Several batches of those that are read while others are written.
const ROWS: usize = 5_000;

/// Tidy rows and odd ones: spaces, quotes, other spellings of dates, what a default or the login pattern fills, managers
/// further down, nobody's manager, rows that are refused.
fn roster() -> String {
    let mut text = String::from(
        "legalEntity;ID number;lastName;firstName;mail;login;dtContractStart;dtContractEnd;department;manager;jobTitle;dtBirth;badge\r\n",
    );
    for n in 1..=ROWS {
        let unit = n % 2;
        let last = match n % 5 {
            0 => format!("  Nom{n} "),
            1 => format!("\"D'Arc; {n}\""),
            _ => format!("Noël{n}"),
        };
        let mail = if n % 7 == 0 { format!("P{n}@X.Example") } else { format!("p{n}@x.example") };
        let login = if n % 3 == 0 { String::new() } else { format!("u{n}") };
        let start = match n % 97 {
            0 => "31/02/2020".to_owned(),
            1 => "2020-03-14".to_owned(),
            _ => format!("{:02}/03/20{:02}", n % 27 + 1, n % 20),
        };
        let end = match n % 10 {
            0 => "30/06/2026",
            1 => "31/12/9999",
            _ => "",
        };
        let boss = match n % 50 {
            0 => "99999999".to_owned(),
            _ if n <= 42 => String::new(),
            _ => format!("{:07}", n % 20 * 2 + unit + 2),
        };
        let department = ["Paie", "", "IT"][n % 3];
        let badge = if n % 4 == 0 { format!("B{n}") } else { String::new() };
        text += &format!(
            "FR{unit:02};{n:07};{last};Zoé;{mail};{login};{start};{end};{department};{boss};Clerk;{:02}/{:02}/1980;{badge}\r\n",
            n % 28 + 1,
            n % 12 + 1
        );
    }
    text
}

fn settings() -> Settings {
    Settings::from_toml(
        "unknown_columns = \"keep\"\nlogin_pattern = \"{first}.{last}\"\n\
         [value_maps.department.codes]\nPaie = \"PAY\"\n\
         [defaults]\ncountry = \"France\"\ndepartment = \"HQ\"\n",
    )
    .unwrap()
}

struct Bench {
    _folder: tempfile::TempDir,
    directory: Directory,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let directory = Directory::open(&folder.path().join("users.db")).unwrap();
        Self { _folder: folder, directory }
    }
}

fn meta(bytes: &[u8]) -> Meta {
    let at = jiff::Timestamp::from_second(1_790_000_000).unwrap();
    Meta {
        import: "one".to_owned(),
        client: "acme".to_owned(),
        account: "acme".to_owned(),
        file_name: "users.csv".to_owned(),
        path: "/in/users.csv".to_owned(),
        bytes: bytes.len().try_into().unwrap(),
        sha256: "ab".repeat(32),
        content_sha256: "ab".repeat(32),
        received_at: Some(at),
        started_at: Some(at),
    }
}

fn record(plan: &Plan) -> ImportRecord {
    ImportRecord {
        id: Uuid::from_u128(7),
        source: "in".to_owned(),
        login: "acme".to_owned(),
        path: "/in/users.csv".parse().unwrap(),
        file_name: "users.csv".to_owned(),
        bytes: 1,
        sha256: plan.report.file.sha256.clone(),
        received_at: plan.report.received_at.unwrap(),
        settings_version: String::new(),
        settings_toml: String::new(),
    }
}

/// The import of `text`, of today.
fn job<'a>(
    text: &'a str,
    settings: &'a Settings,
    snapshot: &'a Snapshot,
    meta: &'a Meta,
) -> Job<'a> {
    Job {
        bytes: text.as_bytes(),
        settings,
        snapshot,
        today: TODAY,
        received_on: TODAY,
        dry_run: false,
        approval: None,
        meta,
        limits: &LIMITS,
    }
}

#[test]
fn many_new_users_are_the_same_read_one_after_the_other() {
    let (text, settings) = (roster(), settings());
    let meta = meta(text.as_bytes());
    let (mut one, mut other) = (Bench::new(), Bench::new());
    let mut snapshot = one.directory.snapshot("in").unwrap();
    // Prints are keyed by it, and each directory has its own.
    snapshot.secret = vec![7; 192];
    let job = job(&text, &settings, &snapshot, &meta);
    let whole = import::plan(&job);
    let Made { plan, newcomers } = import::make(&job);
    let refused = usize::try_from(whole.report.counts.rejected).unwrap();
    assert!(refused > 40 && refused < 100, "{:?}", whole.report.counts);
    assert_eq!(newcomers.len(), ROWS - refused);
    assert!(plan.writes.is_empty());
    assert_eq!(whole.report, plan.report);
    assert!(newcomers.writes().eq(whole.writes.iter().cloned()));

    assert_eq!(one.directory.apply(&whole, &record(&whole)).unwrap(), Applied::Now);
    let applied = other.directory.apply_made(&plan, &newcomers, &record(&plan)).unwrap();
    assert_eq!(applied, Applied::Now);
    let (one, other) =
        (one.directory.snapshot("in").unwrap(), other.directory.snapshot("in").unwrap());
    assert_eq!(one.users.len(), ROWS - refused);
    assert_eq!(one.users, other.users);
    assert_eq!((one.next_user_id, one.change_number), (other.next_user_id, other.change_number));

    // By the file, not by what was computed: a row of each kind.
    let user = |number: &str| {
        let found = one.users.iter().find(|u| u.values.get(Field::EmployeeNumber) == Some(number));
        found.unwrap()
    };
    let get = |number, field| user(number).values.get(field);
    assert_eq!(get("0000010", Field::LastName), Some("Nom10"));
    assert_eq!(get("0000011", Field::LastName), Some("D'Arc; 11"));
    assert_eq!(get("0000014", Field::Email), Some("p14@x.example"));
    assert_eq!(get("0000015", Field::Login), Some("zoe.nom15"));
    assert_eq!(get("0000020", Field::ContractEnd), Some("2026-06-30"));
    assert_eq!(get("0000021", Field::ContractEnd), None);
    assert_eq!(get("0000021", Field::Department), Some("PAY"));
    assert_eq!(get("0000022", Field::Department), Some("HQ"));
    assert_eq!(get("0000022", Field::Country), Some("France"));
    assert_eq!(get("0000050", Field::Manager), None);
    assert_eq!(get("0000001", Field::Manager), None);
    let boss = user("0000013").id.to_string();
    assert_eq!(get("0000385", Field::Manager), Some(boss.as_str()));
    let badge = FieldKey::Custom("badge".to_owned());
    assert_eq!(user("0000024").values.get_key(&badge), Some("B24"));
    assert_eq!(user("0000025").values.get_key(&badge), None);
}

#[test]
fn a_clients_own_columns_are_kept_however_many_there_are() {
    const COLUMNS: usize = 40;
    let names = (1..=COLUMNS).map(|n| format!(";own{n}")).collect::<String>();
    let cell = |row: usize, n: usize| match n % 4 {
        0 => String::new(),
        1 => format!("  a{row}/{n} "),
        2 => format!("\"b;{row}/{n}\""),
        _ => format!("c{n}"),
    };
    let mut text = format!("ID number;lastName;firstName;dtContractStart{names}\n");
    for row in 1..=3 {
        let cells = (1..=COLUMNS).map(|n| format!(";{}", cell(row, n))).collect::<String>();
        text += &format!("{row:04};Roux;Zoé;2020-03-01{cells}\n");
    }
    // One among the first columns goes through a map, and one among the last.
    let settings = Settings::from_toml(
        "unknown_columns = \"keep\"\n[value_maps.\"custom.own3\".codes]\nc3 = \"M3\"\n\
         [value_maps.\"custom.own39\".codes]\nc39 = \"M39\"\n",
    )
    .unwrap();
    let meta = meta(text.as_bytes());
    let mut bench = Bench::new();
    let snapshot = bench.directory.snapshot("in").unwrap();
    let job = job(&text, &settings, &snapshot, &meta);
    let Made { plan, newcomers } = import::make(&job);
    assert_eq!(newcomers.len(), 3, "{:?}", plan.report.messages);
    let applied = bench.directory.apply_made(&plan, &newcomers, &record(&plan)).unwrap();
    assert_eq!(applied, Applied::Now);
    for (row, user) in (1..=3).zip(&bench.directory.snapshot("in").unwrap().users) {
        for n in 1..=COLUMNS {
            let expected = match (n, n % 4) {
                (_, 0) => None,
                (3, _) => Some("M3".to_owned()),
                (39, _) => Some("M39".to_owned()),
                (_, 1) => Some(format!("a{row}/{n}")),
                (_, 2) => Some(format!("b;{row}/{n}")),
                _ => Some(format!("c{n}")),
            };
            let key = FieldKey::Custom(format!("own{n}"));
            assert_eq!(user.values.get_key(&key), expected.as_deref(), "row {row}, own{n}");
        }
    }
}
