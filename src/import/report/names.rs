//! The names of report files: which are reserved, and the marker of a status.

use super::Report;
use crate::model::{ImportStatus, Language};

/// Markers of an import and of a dry run.
const MARKERS: &[&str] =
    &["ok", "partial", "held", "rejected", "failed", "test-ok", "test-rejected"];

/// Whether a name belongs to the server: a report, a marker, a decision (`.approve-…`, `.discard-…`)
/// or the folder `reports`. Such names never trigger an import, and no client can create or overwrite
/// them. A corrections file is no report: it may be uploaded again.
#[must_use]
pub fn is_reserved_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    if name == "reports" {
        return true;
    }
    let Some((stem, last)) = name.rsplit_once('.') else { return false };
    if stem.is_empty() {
        return false;
    }
    if MARKERS.contains(&last) || is_decision(last) {
        return true;
    }
    let stem = match stem.rsplit_once('.') {
        Some((head, tail)) if Language::ALL.iter().any(|l| l.code() == tail) => head,
        _ => stem,
    };
    matches!(last, "csv" | "json" | "html")
        && stem.len() > ".report".len()
        && stem.ends_with(".report")
}

/// `approve-` or `discard-` and the first 12 hex digits of a file's SHA-256.
fn is_decision(last: &str) -> bool {
    last.strip_prefix("approve-").or_else(|| last.strip_prefix("discard-")).is_some_and(|digits| {
        digits.len() == 12 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// The ending of the marker file of a report, if its status has one.
pub(super) fn marker(report: &Report) -> Option<&'static str> {
    let applied = report.status.is_applied() || report.status == ImportStatus::Duplicate;
    if report.dry_run {
        return Some(if applied { "test-ok" } else { "test-rejected" });
    }
    match report.status {
        // The same file again: what was refused is refused still, also for a script that sees only markers.
        ImportStatus::Duplicate if report.repeats_refusals() => Some("partial"),
        ImportStatus::Ok | ImportStatus::OkWithWarnings | ImportStatus::Duplicate => Some("ok"),
        ImportStatus::Partial => Some("partial"),
        ImportStatus::Held => Some("held"),
        // Nothing of a held import that came to nothing stands in the directory.
        ImportStatus::Rejected | ImportStatus::Discarded | ImportStatus::Expired => {
            Some("rejected")
        }
        ImportStatus::Superseded if report.is_superseded_hold() => Some("rejected"),
        ImportStatus::Failed => Some("failed"),
        ImportStatus::Superseded | ImportStatus::Undone => None,
    }
}

#[cfg(test)]
mod tests {
    use super::is_reserved_name;

    #[test]
    fn report_names_are_reserved_and_corrections_are_not() {
        for name in [
            "users.csv.report.csv",
            "USERS.CSV.REPORT.JSON",
            "users.csv.report.html",
            "users.csv.report.de.csv",
            "users.csv.ok",
            "users.csv.test-rejected",
            "users.csv.approve-0123456789ab",
            "reports",
        ] {
            assert!(is_reserved_name(name), "{name}");
        }
        for name in [
            "users.csv",
            "users.csv.corrections.csv",
            "report.csv",
            ".report.csv",
            "users.report.2026.csv",
            "report-2026.csv",
            "users.csv.approve-xyz",
            ".ok",
            "ok",
        ] {
            assert!(!is_reserved_name(name), "{name}");
        }
    }
}
