//! Sample stories of several files, days and decisions, each with its golden reports in three languages.
//!
//! A story is a folder of `data/samples` with a `story.toml`; its files are imported one after the other into one
//! directory by the service itself, on the days that the story names. Written anew like the other golden files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use rollcall::clock::Clock;
use rollcall::config::Config;
use rollcall::import::codes::Code;
use rollcall::import::report::{self, Report, ReportFile};
use rollcall::import::settings::{Format, ReportSettings};
use rollcall::model::{Language, Protocol, UploadId};
use rollcall::service::Service;
use rollcall::service::accounts::{NewAccount, NewPassword};
use rollcall::service::by_hand::{DryRun, ImportFile};
use rollcall::service::clients::NewClient;
use rollcall::service::holds::{Ruling, Verdict};
use serde::Deserialize;

const CLIENT: &str = "acme";

/// What happens, in order.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Story {
    /// What the story is about, for people.
    #[expect(dead_code, reason = "read by people")]
    about: String,
    /// Server limits, where the story needs its own.
    max_columns: Option<usize>,
    step: Vec<Step>,
}

/// One thing that happens. Exactly one of `file` and the decisions is there.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    /// On that day, at half past four in the morning.
    day: String,
    /// This file comes in.
    file: Option<String>,
    /// Before anything else, somebody writes these values by hand: whose, and `field=value`.
    #[serde(default)]
    edits: Vec<(String, String)>,
    /// The held import of this file is approved; with `lines`, these rows of it.
    approve: Option<String>,
    /// The held import of this file is discarded; with `lines`, these rows of it.
    discard: Option<String>,
    #[serde(default)]
    lines: BTreeSet<u32>,
    /// The import of this file is looked at again.
    look: Option<String>,
    /// The import of this file is undone.
    undo: Option<String>,
    #[serde(default)]
    dry_run: bool,
    /// The import settings from here on, as TOML.
    settings: Option<String>,
    /// The name of the golden reports, if not the file's.
    golden: Option<String>,
    /// The JSON report has a golden file too.
    #[serde(default)]
    json: bool,
    /// Only there for what follows: no golden reports.
    #[serde(default)]
    quiet: bool,
}

fn samples() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("data/samples")
}

/// The service over `data`, at a standing clock.
fn open(data: &Path, story: &Story, at: Timestamp) -> Service {
    let mut config = Config::default();
    if let Some(limit) = story.max_columns {
        config.limits.max_columns = limit;
    }
    Service::open(Arc::new(config), data, Clock::Fixed(at)).unwrap()
}

fn set_up(service: &Service) {
    let client = NewClient {
        slug: CLIENT.to_owned(),
        name: "Acme".to_owned(),
        language: Language::Fr,
        time_zone: "UTC".to_owned(),
    };
    service.add_client(client).unwrap();
    let account = NewAccount {
        client: CLIENT.to_owned(),
        name: "Payroll".to_owned(),
        login: Some("acme.payroll".to_owned()),
        host_profile: "standard".to_owned(),
        protocols: Some(Protocol::ALL.to_vec()),
        password: NewPassword::Given(super::app::PASSWORD.to_owned()),
        keys: Vec::new(),
    };
    service.add_account(&account).unwrap();
}

/// Tells one story and holds each step's reports against their golden files.
fn tell(folder: &Path) {
    let text = fs::read_to_string(folder.join("story.toml")).unwrap();
    let story: Story =
        toml::from_str(&text).map_err(|e| format!("{}: {e}", folder.display())).unwrap();
    let data = tempfile::Builder::new().prefix("rollcall-story-").tempdir().unwrap();
    let mut ids: Vec<(String, UploadId)> = Vec::new();
    for (at, step) in story.step.iter().enumerate() {
        let now: Timestamp = format!("{}T04:30:00Z", step.day).parse().unwrap();
        let service = open(data.path(), &story, now);
        if at == 0 {
            set_up(&service);
        }
        if let Some(settings) = &step.settings {
            service.set_settings(CLIENT, "import", settings).unwrap();
        }
        for (who, assignment) in &step.edits {
            edit(&service, who, assignment);
        }
        let report = act(&service, folder, step, &mut ids);
        assert_eq!(report.counts.outcomes(), report.counts.rows, "{}", folder.display());
        if !step.quiet {
            compare(folder, step, &report, &ids);
        }
    }
}

/// Does one step, and answers the report that it leaves. `ids`: each file and its import, in order.
fn act(service: &Service, folder: &Path, step: &Step, ids: &mut Vec<(String, UploadId)>) -> Report {
    let Some(name) = step.file.as_deref() else {
        return decide(service, step, ids);
    };
    let bytes = fs::read(folder.join(name)).unwrap().into();
    let file = ImportFile { client: CLIENT, folder: Some("import"), name, content: bytes };
    let dry_run = if step.dry_run { DryRun::Yes } else { DryRun::No };
    let report = service.import_file(file, dry_run).unwrap();
    ids.push((name.to_owned(), report.import.parse().unwrap()));
    report
}

fn edit(service: &Service, who: &str, assignment: &str) {
    let (field, value) = assignment.split_once('=').unwrap();
    let user = service.find_users(CLIENT, who).unwrap().first().unwrap().id;
    let wanted = [(field.parse().unwrap(), value.to_owned())];
    service.edit_user(CLIENT, user, &wanted, "cli").unwrap();
}

fn decide(service: &Service, step: &Step, ids: &[(String, UploadId)]) -> Report {
    let of = |name: &str| ids.iter().rfind(|(file, _)| file == name).unwrap().1;
    let rule = |verdict, id| {
        let ruling = Ruling { verdict, lines: step.lines.clone(), sha256: String::new() };
        service.decide(id, &ruling, "cli").unwrap();
        id
    };
    let id = match step {
        Step { approve: Some(name), .. } => rule(Verdict::Approve, of(name)),
        Step { discard: Some(name), .. } => rule(Verdict::Discard, of(name)),
        Step { undo: Some(name), .. } => {
            service.undo_import(of(name), "cli").unwrap();
            of(name)
        }
        other => of(other.look.as_deref().unwrap()),
    };
    service.import(id).unwrap().report.unwrap()
}

/// Holds the report files against the golden ones. Ids are numbered in the order in which they appeared.
fn compare(folder: &Path, step: &Step, report: &Report, ids: &[(String, UploadId)]) {
    let mut formats = vec![Format::Csv];
    formats.extend(Some(Format::Json).filter(|_| step.json));
    let settings = ReportSettings {
        languages: vec![Language::Fr, Language::En, Language::De],
        formats,
        markers: false,
    };
    let name = step.golden.as_deref().or(step.file.as_deref()).unwrap();
    for ReportFile { name: file, bytes } in report::files(report, &settings, Language::Fr, name) {
        // The version moves whenever the program learns a setting.
        let mut text =
            String::from_utf8(bytes).unwrap().replace(&report.settings_version, "000000000000");
        for (number, (_, id)) in ids.iter().enumerate() {
            let stable = format!("0193501e-0000-7000-8000-{:012}", number + 1);
            text = text.replace(&id.to_string(), &stable);
        }
        let path = folder.join(&file);
        if std::env::var_os("ROLLCALL_WRITE_GOLDEN").is_some() {
            fs::write(&path, &text).unwrap();
        }
        let golden = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            golden == text,
            "{} is not its golden file any more; it is now:\n{text}",
            path.display()
        );
    }
}

fn stories() -> Vec<PathBuf> {
    let folders = fs::read_dir(samples()).unwrap().map(|entry| entry.unwrap().path());
    let mut stories: Vec<PathBuf> =
        folders.filter(|path| path.join("story.toml").is_file()).collect();
    stories.sort();
    stories
}

#[test]
fn every_story_has_its_golden_reports() {
    for folder in stories() {
        tell(&folder);
    }
}

/// Codes that no import of a file produces, and why.
const NOT_IN_A_STORY: &[(Code, &str)] =
    &[(Code::E901, "our own fault: a broken disk or database; tests/fault provokes it")];

#[test]
fn every_code_has_a_golden_report_in_three_languages() {
    if std::env::var_os("ROLLCALL_WRITE_GOLDEN").is_some() {
        return; // They are being written beside this test.
    }
    let mut seen: BTreeMap<String, [bool; 3]> = BTreeMap::new();
    let mut folders = stories();
    folders.push(samples());
    for folder in folders {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if !name.contains(".report.") || !name.ends_with(".csv") {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let language = if text.contains("\"Niveau\"") {
                0
            } else if text.contains("\"Level\"") {
                1
            } else {
                2
            };
            for record in text.split("\r\n").skip(1) {
                let code: String = record.split('"').nth(3).unwrap_or_default().to_owned();
                seen.entry(code).or_default()[language] = true;
            }
        }
    }
    let missing: Vec<&str> = Code::ALL
        .iter()
        .filter(|code| !NOT_IN_A_STORY.iter().any(|(known, _)| known == *code))
        .filter(|code| seen.get(code.name()) != Some(&[true; 3]))
        .map(|code| code.name())
        .collect();
    assert!(missing.is_empty(), "no golden report in all three languages has: {missing:?}");
}
