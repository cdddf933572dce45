//! A whole import: the counts add up, nothing is written that may not be, and every report can be read.

use std::sync::LazyLock;

use super::applied::apply;
use super::{LIMITS, TODAY};
use crate::cores;
use crate::import::directory::{Snapshot, User};
use crate::import::fields::{Dates, FieldKey, Headers, parse};
use crate::import::plan::{UserWrite, Written};
use crate::import::report::{self, Report};
use crate::import::settings::Settings;
use crate::import::settings::edit;
use crate::import::table::{TableLimits, read};
use crate::import::text::decode;
use crate::import::{Job, Meta, Plan, plan};
use crate::model::{ImportStatus, Language};

/// Who is in the directory before.
const ROSTER: &str = "Entité légale;Matricule;Nom;Prénom;Date d'entrée;Service;Responsable\r\n\
    FR01;00001;Roux;Anna;02/01/2019;Paie;\r\n\
    FR01;00002;Petit;Luc;15/03/2020;Ventes;00001\r\n\
    FR02;00001;Weiß;Jürgen;01/07/2021;Ventes;00002\r\n";

static DIRECTORY: LazyLock<Snapshot> = LazyLock::new(|| {
    let plan = planned(ROSTER.as_bytes(), "users.csv", &Settings::default(), &Snapshot::default());
    let created = |write: &UserWrite| match &write.what {
        Written::Created(values) => {
            Some(User { id: write.user_id, withdrawn: false, values: values.clone() })
        }
        _ => None,
    };
    let users: Vec<User> = plan.writes.iter().filter_map(created).collect();
    assert_eq!(users.len(), 3);
    Snapshot {
        next_user_id: 1 + users.iter().map(|u| u.id).max().unwrap_or(0),
        users,
        change_number: 1,
        ..Snapshot::default()
    }
});

fn planned(bytes: &[u8], name: &str, settings: &Settings, snapshot: &Snapshot) -> Plan {
    let meta = Meta {
        import: "0193501e-0000-7000-8000-000000000001".to_owned(),
        client: "acme".to_owned(),
        account: "acme".to_owned(),
        file_name: name.to_owned(),
        path: format!("/in/{name}"),
        bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        sha256: String::new(),
        content_sha256: String::new(),
        received_at: None,
        started_at: None,
    };
    plan(&Job {
        bytes,
        settings,
        snapshot,
        today: TODAY,
        received_on: TODAY,
        dry_run: false,
        approval: None,
        meta: &meta,
        limits: &LIMITS,
    })
}

/// Imports the bytes into a small directory, and reads every report of it.
pub(crate) fn whole(bytes: &[u8]) {
    let settings = Settings::default();
    let plan = planned(bytes, "users.csv", &settings, &DIRECTORY);
    let report = &plan.report;
    let shared = cores::as_if(3, || planned(bytes, "users.csv", &settings, &DIRECTORY));
    assert_eq!((&shared.report, &shared.writes), (report, &plan.writes), "on several cores");
    assert_eq!(report.counts.rows, report.counts.outcomes());
    let is_applied = matches!(
        report.status,
        ImportStatus::Ok | ImportStatus::OkWithWarnings | ImportStatus::Partial
    );
    assert!(is_applied || plan.writes.is_empty(), "{:?} writes nothing", report.status);
    assert!(plan.ended_by_absence.is_empty(), "nobody asked for that");
    let stored = serde_json::to_vec(report).unwrap_or_default();
    assert_eq!(serde_json::from_slice(&stored).ok().as_ref(), Some(report), "a report is stored");
    for language in Language::ALL {
        read_again(report, language);
    }
    if is_applied {
        let mut after = DIRECTORY.clone();
        apply(&mut after, &plan);
        let again = planned(bytes, "users.csv", &settings, &after);
        assert!(again.writes.is_empty(), "the same again: {:?}", again.writes);
        assert!(again.list_entries.is_empty(), "{:?}", again.list_entries);
        assert_eq!(again.report.counts.rejected, report.counts.rejected);
    }
    if let Some(corrections) = report::corrections(report, Language::Fr) {
        given_back(report, &corrections);
        let again = planned(&corrections, "users.csv.corrections.csv", &settings, &DIRECTORY);
        assert_eq!(again.report.counts.absent, 0, "corrections are no full file");
        assert_eq!(again.report.counts.rows, again.report.counts.outcomes());
    }
}

/// The corrections file has every refused row, and each cell says what it said.
fn given_back(report: &Report, corrections: &[u8]) {
    let decoded = decode(corrections);
    assert!(decoded.is_ok(), "{decoded:?}");
    let Ok(decoded) = decoded else { return };
    // The reasons may be longer than any cell of the file.
    let limits = TableLimits { max_columns: 2 * LIMITS.max_columns, max_cell_bytes: 1 << 20 };
    let table = read(decoded, &Headers::default(), &limits);
    assert!(table.is_ok(), "{table:?}");
    let Ok(table) = table else { return };
    assert_eq!(table.row_count(), report.refused_rows.len(), "a refused row is lost");
    let (key, dates) = (FieldKey::Custom("any".to_owned()), Dates::known(None, TODAY));
    for (row, refused) in table.rows().zip(&report.refused_rows) {
        for (at, cell) in refused.cells.iter().enumerate() {
            let back = row.get(at).unwrap_or_default();
            assert_eq!(
                parse(&key, &back, &dates),
                parse(&key, cell, &dates),
                "line {}: {cell:?} came back as {back:?}",
                refused.line
            );
        }
    }
}

fn read_again(report: &Report, language: Language) {
    let json = report::json(report, language);
    // Far below the square of what one file of some kilobytes can say.
    let most = 65_536 + 1_000 * usize::try_from(report.file.bytes).unwrap_or(usize::MAX);
    assert!(json.len() <= most, "{} bytes of report", json.len());
    let json: Result<serde_json::Value, _> = serde_json::from_slice(&json);
    assert!(
        json.is_ok_and(|json| json.pointer("/counts/rows") == Some(&report.counts.rows.into()))
    );
    let html = report::html(report, language);
    let html = String::from_utf8_lossy(&html);
    assert_eq!(html.matches("<script").count(), 1, "a cell became a script");
    let csv = report::csv(report, language);
    let csv = csv.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(&csv);
    let delimiter = report.file.delimiter.and_then(|c| u8::try_from(c).ok()).unwrap_or(b';');
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).delimiter(delimiter).from_reader(csv);
    let mut rows: usize = 0;
    for record in reader.records() {
        assert!(record.is_ok(), "{record:?}");
        let record = record.unwrap_or_default();
        assert_eq!(record.len(), 12);
        if let Some(message) = rows.checked_sub(1).and_then(|at| report.messages.get(at)) {
            let said = |at: usize| record.get(at).unwrap_or_default();
            let is = |at: usize, cell: &str| said(at) == cell || said(at) == format!("'{cell}");
            assert_eq!(said(1), message.code.name());
            assert!(is(5, &message.column.replace('\0', "␀")), "{record:?} {message:?}");
            assert!(is(6, &message.received.replace('\0', "␀")), "{record:?} {message:?}");
            assert!(is(8, &message.person.replace('\0', "␀")), "{record:?} {message:?}");
            assert!(!said(10).is_empty(), "no words: {message:?}");
        }
        assert!(
            record.iter().all(|c| !c.starts_with(['=', '+', '-', '@', '\t', '\r', '\n'])),
            "{record:?}"
        );
        rows += 1;
    }
    assert!(rows >= 2, "a heading and a summary");
}

/// Import settings: what was read and written is read again as the same, and no edit loses a line.
pub(crate) fn settings(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match Settings::from_toml(text) {
        Err(why) => assert!(!why.trim().is_empty()),
        Ok(settings) => {
            let written = settings.to_toml();
            assert_eq!(Settings::from_toml(&written).as_ref(), Ok(&settings), "{written}");
            let edited = edit(text, &[]).unwrap_or_default();
            assert_eq!(Settings::from_toml(&edited), Ok(settings), "nothing changed");
        }
    }
}
