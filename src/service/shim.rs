//! Plans for as long as the import's own are on their way: they count lines and change nothing.

use crate::import::report::{Counts, FileFacts, Report};
use crate::import::settings::Settings;
use crate::import::{Job, Meta, Plan};
use crate::model::ImportStatus;

pub(super) fn plan(job: &Job<'_>) -> Plan {
    let mut plan = empty(job.meta, job.settings, ImportStatus::Ok);
    plan.change_number = job.snapshot.change_number;
    let lines = job.bytes.split(|b| *b == b'\n').filter(|l| !l.is_empty()).count();
    let rows = u64::try_from(lines.saturating_sub(1)).unwrap_or(0);
    plan.report.dry_run = job.dry_run;
    plan.report.counts = Counts { rows, unchanged: rows, ..Counts::default() };
    plan
}

pub(super) fn plan_duplicate(meta: &Meta, settings: &Settings, change_number: i64) -> Plan {
    Plan { change_number, ..empty(meta, settings, ImportStatus::Duplicate) }
}

pub(super) fn plan_superseded(meta: &Meta, settings: &Settings, _newer: &str) -> Plan {
    empty(meta, settings, ImportStatus::Superseded)
}

pub(super) fn plan_failed(meta: &Meta, settings: &Settings, _why: &str) -> Plan {
    empty(meta, settings, ImportStatus::Failed)
}

pub(super) fn is_delta_file(bytes: &[u8], settings: &Settings) -> bool {
    let head = String::from_utf8_lossy(bytes);
    let header = head.lines().next().unwrap_or_default();
    settings.mode == crate::import::settings::Mode::Delta || header.contains("_code")
}

fn empty(meta: &Meta, settings: &Settings, status: ImportStatus) -> Plan {
    let file = FileFacts {
        name: meta.file_name.clone(),
        path: meta.path.clone(),
        bytes: meta.bytes,
        sha256: meta.sha256.clone(),
        ..FileFacts::default()
    };
    let report = Report {
        import: meta.import.clone(),
        client: meta.client.clone(),
        account: meta.account.clone(),
        status,
        dry_run: false,
        mode: settings.mode,
        received_at: meta.received_at,
        started_at: meta.started_at,
        finished_at: None,
        file,
        settings_version: settings.version(),
        columns: Vec::new(),
        counts: Counts::default(),
        messages: Vec::new(),
        changes: Vec::new(),
        changes_total: 0,
        refused_rows: Vec::new(),
    };
    Plan {
        change_number: 0,
        writes: Vec::new(),
        list_entries: Vec::new(),
        source: None,
        listed: None,
        report,
    }
}
