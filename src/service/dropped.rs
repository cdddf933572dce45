//! Decisions by a dropped file: `users.csv.approve-<12 hex digits of its SHA-256>`, for clients who have no console.

use std::collections::BTreeSet;

use super::commit::Receipt;
use super::holds::{Ruling, Verdict};
use super::names::{self, DecisionName};
use super::session::State;
use crate::error::{Error, Kind, Result};
use crate::model::VPath;
use crate::store::directory::Hold;

impl State {
    /// What an upload to `path` decides: only where the folder's settings say so (`approve_by_file`).
    pub(super) fn decision(&self, path: &VPath) -> Option<DecisionName> {
        let decision = names::decision(&self.folders(), path)?;
        let settings = self.service.settings(&self.client.slug, &decision.folder);
        // Settings that cannot be read allow nothing.
        settings.is_ok_and(|settings| settings.approve_by_file).then_some(decision)
    }

    /// Refuses names that are the server's own, but for decisions that this folder takes by file.
    pub(super) fn may_upload(&self, path: &VPath) -> Result<()> {
        match self.decision(path) {
            // Whoever may send the file may decide about it.
            Some(decision) => self.may_write(&decision.upload),
            None => self.may_write(path),
        }
    }
}

/// Records what a dropped file decides and hands it to the worker; the answer waits for it as for an import.
pub(super) fn decide(session: &State, path: &VPath, decision: &DecisionName) -> Result<Receipt> {
    let service = &session.service;
    let directory = service.open_directory(&session.client.slug)?;
    let held = directory.holds()?;
    let is_meant = |hold: &&Hold| {
        hold.login == session.login
            && hold.path == decision.upload
            && hold.sha256.starts_with(&decision.sha256)
    };
    let hold = held.iter().rev().find(is_meant).ok_or_else(|| {
        let why = format!(
            "{path}: no import of {} waits whose file has a SHA-256 that begins with {}; its report names the digits",
            decision.upload, decision.sha256
        );
        Error::new(Kind::NotFound, why)
    })?;
    if decision.verdict == Verdict::Approve {
        let swaps = directory.import(hold.id)?.is_some_and(|stored| {
            stored.report.pending_rows.iter().any(|row| row.code.name() == "D105")
                || stored.report.guards.iter().any(|g| g.tripped && g.code.name() == "D105")
        });
        if swaps {
            let why = format!(
                "{path}: rows of this file seem to carry another person under a known key (D105); only the operator can approve it"
            );
            return Err(Error::new(Kind::Denied, why));
        }
    }
    let ruling = Ruling {
        verdict: decision.verdict,
        lines: BTreeSet::new(),
        sha256: decision.sha256.clone(),
    };
    let new = service.ruled(hold.id, &ruling, &session.login)?;
    let text = match decision.verdict {
        Verdict::Approve => "Approval received; the import runs",
        Verdict::Discard => "Received; the held import is discarded",
    };
    let receipt = Receipt::of_import(service, hold.id, text);
    service.registry().record_decision(&new)?;
    service.0.queue.wake(&session.client.slug);
    tracing::info!(login = session.login, path = ?path.as_str(), import = %hold.id, "a dropped file decides");
    Ok(receipt)
}
