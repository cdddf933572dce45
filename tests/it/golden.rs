//! Every sample roster and its golden report, made with a fixed clock and fixed ids.
//!
//! The golden files are read by a person, line by line, before they are committed. To write them anew after a
//! wanted change: `ROLLCALL_WRITE_GOLDEN=1 cargo test --test it golden`, then read the difference.

use std::path::PathBuf;

use jiff::civil::{Date, date};
use rollcall::import::directory::{AbsenceEnd, Protection, Snapshot, User};
use rollcall::import::fields::{Field, FieldKey};
use rollcall::import::plan::Written;
use rollcall::import::report::{self, Report, ReportFile};
use rollcall::import::settings::{ReportSettings, Settings};
use rollcall::import::{self, Approval, Job, Limits, Meta, Plan};
use rollcall::model::Language;
use sha2::{Digest, Sha256};

pub(crate) const TODAY: Date = date(2026, 11, 21);

pub(crate) const LIMITS: Limits = Limits {
    max_bytes: 1024 * 1024 * 1024,
    max_unpack_ratio: 250,
    max_columns: 2000,
    max_cell_bytes: 1024 * 1024,
    max_report_changes: 1000,
    max_report_messages: 1000,
};

/// Plans a file against a directory.
pub(crate) fn plan(bytes: &[u8], name: &str, settings: &Settings, snapshot: &Snapshot) -> Plan {
    plan_on(bytes, name, settings, snapshot, (TODAY, None))
}

/// Plans a file against a directory on a day, perhaps with somebody's approval.
pub(crate) fn plan_on(
    bytes: &[u8],
    name: &str,
    settings: &Settings,
    snapshot: &Snapshot,
    (today, approval): (Date, Option<&Approval>),
) -> Plan {
    let digest = Sha256::digest(bytes);
    let meta = Meta {
        import: "0193501e-0000-7000-8000-000000000001".to_owned(),
        client: "acme".to_owned(),
        account: "acme.payroll".to_owned(),
        file_name: name.to_owned(),
        path: format!("/in/{name}"),
        bytes: bytes.len().try_into().unwrap(),
        sha256: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
        content_sha256: String::new(),
        received_at: Some("2026-11-21T04:30:00Z".parse().unwrap()),
        started_at: Some("2026-11-21T04:30:01Z".parse().unwrap()),
    };
    let mut plan = import::plan(&Job {
        bytes,
        settings,
        snapshot,
        today,
        received_on: today,
        dry_run: false,
        approval,
        meta: &meta,
        limits: &LIMITS,
    });
    plan.report.finished_at = Some("2026-11-21T04:30:02Z".parse().unwrap());
    plan
}

/// The directory after a plan, as the store would have it.
pub(crate) fn applied(mut snapshot: Snapshot, plan: &Plan) -> Snapshot {
    for write in &plan.writes {
        if let Written::Created(values) = &write.what {
            assert_eq!(write.user_id, snapshot.next_user_id);
            snapshot.next_user_id += 1;
            let values = values.clone();
            snapshot.users.push(User { id: write.user_id, withdrawn: false, values });
        }
        let user = snapshot.users.iter_mut().find(|user| user.id == write.user_id).unwrap();
        for change in write.changes() {
            assert_eq!(user.values.get_key(&change.field), change.from.as_deref());
            user.values.set(&change.field, change.to.as_deref());
        }
    }
    for (field, code) in &plan.list_entries {
        assert!(snapshot.lists.entry(*field).or_default().insert(code.clone()));
    }
    if !plan.writes.is_empty() || !plan.list_entries.is_empty() {
        snapshot.change_number += 1;
    }
    if let Some(absences) = &plan.absences {
        snapshot.absences = absences.iter().cloned().collect();
    }
    let users = &snapshot.users;
    let end = |id: i64| {
        let user = users.iter().find(|user| user.id == id).unwrap();
        user.values.get(Field::ContractEnd).map(str::to_owned)
    };
    snapshot.ended_by_absence.retain(|user, ended| end(*user).as_ref() == Some(&ended.last_day));
    for user in &plan.ended_by_absence {
        let mut writes = plan.writes.iter().filter(|write| write.user_id == *user);
        let mut changes = writes.find(|write| write.line == 0).unwrap().changes().iter();
        let ended =
            changes.find(|change| change.field == FieldKey::Known(Field::ContractEnd)).unwrap();
        let was = ended.from.as_deref().map(str::to_owned);
        let ended = AbsenceEnd { last_day: end(*user).unwrap(), was };
        snapshot.ended_by_absence.insert(*user, ended);
    }
    for (user, wish) in &plan.manager_wishes {
        match wish {
            Some(wish) => drop(snapshot.manager_wishes.insert(*user, wish.clone())),
            None => assert!(snapshot.manager_wishes.remove(user).is_some()),
        }
    }
    for value in &plan.unprotected {
        assert!(snapshot.protected.remove(value).is_some());
        snapshot.protections.remove(value);
    }
    for value in &plan.defaulted {
        snapshot.protected.insert(value.clone(), None);
        snapshot.protections.insert(value.clone(), Protection { under: None, given: true });
    }
    if let Some(mut source) = plan.source.clone() {
        source.change_number = Some(snapshot.change_number);
        snapshot.source = source;
    }
    snapshot
}

pub(crate) fn empty_directory() -> Snapshot {
    Snapshot { change_number: 1, next_user_id: 1, ..Snapshot::default() }
}

fn samples() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("data/samples")
}

fn sample(name: &str) -> Vec<u8> {
    std::fs::read(samples().join(name)).unwrap()
}

fn check(name: &str, languages: &[Language], before: &Snapshot) -> Plan {
    let plan = plan(&sample(name), name, &Settings::default(), before);
    assert_eq!(plan.report.counts.outcomes(), plan.report.counts.rows, "{name}");
    let settings = ReportSettings { languages: languages.to_vec(), ..Settings::default().report };
    let stored = serde_json::to_string(&plan.report).unwrap();
    let report: Report = serde_json::from_str(&stored).unwrap();
    assert_eq!(report, plan.report, "{name}: the report survives its storage");
    for ReportFile { name: file, bytes } in report::files(&report, &settings, Language::En, name) {
        let path = samples().join(&file);
        if std::env::var_os("ROLLCALL_WRITE_GOLDEN").is_some() {
            std::fs::write(&path, &bytes).unwrap();
        }
        let golden = std::fs::read(&path).unwrap_or_default();
        assert!(
            golden == bytes,
            "{file} is not its golden file any more; it is now:\n{}",
            String::from_utf8_lossy(&bytes)
        );
    }
    plan
}

#[test]
fn golden_reports() {
    check("english.csv", &[Language::En], &empty_directory());
    check("german.csv", &[Language::De], &empty_directory());
    let all = [Language::Fr, Language::En, Language::De];
    check("model-fr.csv", &all, &empty_directory());
    check("titles-and-breaks.csv", &all, &empty_directory());
    check("every-error.csv", &all, &empty_directory());
}

#[test]
fn golden_reports_of_two_days() {
    let en = [Language::En];
    let first = check("demo-day1.csv", &en, &empty_directory());
    let after = applied(empty_directory(), &first);
    check("demo-day2.csv", &en, &after);
}

#[test]
fn the_page_of_codes_is_the_catalogue() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/report-codes.md");
    let made = import::codes::document();
    if std::env::var_os("ROLLCALL_WRITE_GOLDEN").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let page = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(page == made, "docs/report-codes.md is out of date: run with ROLLCALL_WRITE_GOLDEN=1");
}
