//! `imports …`: what became of each upload, and the reports.

use clap::{Subcommand, ValueEnum};
use serde_json::Value;

use super::output::Output;
use super::{Outcome, Place, Stop, moment, story};
use crate::error::{Error, Kind as ErrorKind};
use crate::model::{Language, UploadId};
use crate::service::Service;
use crate::service::holds::{Ruling, Verdict};
use crate::service::imports::{ImportView, ReportFormat};
use crate::service::undo::UndoOutcome;

/// How many messages `show` prints.
const SHOWN_MESSAGES: usize = 20;

/// `imports …`
#[derive(Debug, Subcommand)]
pub enum ImportsCommand {
    /// List a client's imports, newest first
    List {
        /// The client
        client: String,
        /// At most so many
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
    },
    /// Show one import in words
    Show {
        /// The import's id, as `imports list` prints it
        #[arg(value_parser = super::import_id)]
        id: UploadId,
        /// Language of the words (default: the client's)
        #[arg(long)]
        language: Option<Language>,
    },
    /// Approve a held import (or rows of an applied one): it is applied now, if it still does what its report says
    Approve {
        /// The import's id
        #[arg(value_parser = super::import_id)]
        id: UploadId,
        /// Only this row of an applied import, by its line; may be repeated
        #[arg(long = "line", value_name = "LINE")]
        lines: Vec<u32>,
        /// How the file's SHA-256 must begin: a guard against the wrong id
        #[arg(long, value_name = "PREFIX", default_value = "")]
        sha256: String,
    },
    /// Discard a held import (or rows of an applied one): it is never applied
    Discard {
        /// The import's id
        #[arg(value_parser = super::import_id)]
        id: UploadId,
        /// Only this row of an applied import, by its line; may be repeated
        #[arg(long = "line", value_name = "LINE")]
        lines: Vec<u32>,
    },
    /// Take an applied import back: every value returns to what it was, unless somebody has changed it since
    Undo {
        /// The import's id
        #[arg(value_parser = super::import_id)]
        id: UploadId,
    },
    /// Print an import's report, made again from the database
    Report {
        /// The import's id
        #[arg(value_parser = super::import_id)]
        id: UploadId,
        /// Which of the report files
        #[arg(long, value_enum, default_value_t = Kind::Csv)]
        format: Kind,
        /// Language (default: the client's)
        #[arg(long)]
        language: Option<Language>,
    },
}

/// The report files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// For the clerk
    Csv,
    /// For a program
    Json,
    /// For reading, in a browser
    Html,
    /// The refused rows only
    Corrections,
}

pub(super) fn run(place: &Place, command: ImportsCommand) -> Outcome {
    let service = place.service()?;
    let out = place.out;
    match command {
        ImportsCommand::List { client, limit } => {
            out.either(&service.imports(&client, limit)?, |out, found| list(out, &client, found))
        }
        ImportsCommand::Show { id, language } => show(out, &service, id, language),
        ImportsCommand::Approve { id, lines, sha256 } => {
            decide(out, &service, id, Verdict::Approve, (lines, sha256))
        }
        ImportsCommand::Discard { id, lines } => {
            decide(out, &service, id, Verdict::Discard, (lines, String::new()))
        }
        ImportsCommand::Undo { id } => out.either(&service.undo_import(id, "cli")?, undone),
        ImportsCommand::Report { id, format, language } => {
            let format = match (out.is_json(), format) {
                (true, _) | (_, Kind::Json) => ReportFormat::Json,
                (_, Kind::Csv) => ReportFormat::Csv,
                (_, Kind::Html) => ReportFormat::Html,
                (_, Kind::Corrections) => ReportFormat::Corrections,
            };
            out.bytes(&service.report_file(id, format, language)?)
        }
    }
}

fn decide(
    out: Output,
    service: &Service,
    id: UploadId,
    verdict: Verdict,
    (lines, sha256): (Vec<u32>, String),
) -> Outcome {
    let ruling = Ruling { verdict, lines: lines.into_iter().collect(), sha256 };
    let detail = service.decide(id, &ruling, "cli")?;
    let applied = !matches!(detail.view.status.as_str(), "held" | "rejected");
    let words = format!("nothing was applied; why: rollcall imports show {id}");
    let end = if applied { Ok(()) } else { Err(Error::new(ErrorKind::Conflict, words).into()) };
    if out.is_json() {
        out.bytes(&service.report_file(id, ReportFormat::Json, None)?)?;
        return end;
    }
    let done = match (verdict, detail.view.status.as_str()) {
        (Verdict::Approve, "held") => "Held again: the file would do something else by now.",
        (Verdict::Approve, "rejected") => "Approved, and refused: nothing could be applied.",
        (Verdict::Approve, _) => "Approved and applied.",
        (Verdict::Discard, _) => "Discarded.",
    };
    out.line(done)?;
    out.line("")?;
    show(out, service, id, None)?;
    end
}

fn undone(out: Output, outcome: &UndoOutcome) -> Outcome {
    out.line(format!(
        "Taken back. Values that are what they were: {}. New people withdrawn: {}.",
        outcome.values, outcome.withdrawn
    ))?;
    for kept in &outcome.kept {
        out.paragraph(2, "stays: ", kept)?;
    }
    out.line(format!("Its report says so too: rollcall imports show {}", outcome.import))
}

fn list(out: Output, client: &str, imports: &[ImportView]) -> Outcome {
    if imports.is_empty() {
        return out.line(format!("No import of {client} yet."));
    }
    out.table_with_id(
        &["Import", "Received (UTC)", "File", "Status", "Rows", "Waits for"],
        0,
        imports.iter().map(|i| {
            let status =
                if i.dry_run { format!("{} (dry run)", i.status) } else { i.status.clone() };
            vec![
                i.id.to_string(),
                i.received_at.strftime("%Y-%m-%d %H:%M").to_string(),
                i.file.name.clone(),
                status,
                i.counts.rows.to_string(),
                i.waits_for.clone().unwrap_or_default(),
            ]
        }),
    )
}

fn show(out: Output, service: &Service, id: UploadId, language: Option<Language>) -> Outcome {
    let detail = service.import(id)?;
    if detail.report.is_none() {
        return out.either(&detail.view, card);
    }
    let report = service.report_file(id, ReportFormat::Json, language)?;
    if out.is_json() {
        return out.bytes(&report);
    }
    card(out, &detail.view)?;
    out.line("")?;
    let report: Value = serde_json::from_slice(&report).map_err(Stop::from_json)?;
    story::tell(out, &report, SHOWN_MESSAGES)?;
    next_steps(out, &detail.view)
}

fn card(out: Output, import: &ImportView) -> Outcome {
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
    let mut pairs = vec![
        ("Import", import.id.to_string()),
        ("Client", import.client.clone()),
        ("Account", import.account.clone()),
        ("File", format!("{} ({} bytes)", import.file.path, import.file.bytes)),
        ("SHA-256", import.file.sha256.clone()),
        ("Received (UTC)", moment(import.received_at)),
        ("Finished (UTC)", or_none(import.finished_at.map(moment))),
        ("Status", import.status.clone()),
    ];
    pairs.extend(import.fetched_from.clone().map(|from| ("Fetched from", from)));
    pairs.extend(import.failure.clone().map(|why| ("Failure", why)));
    pairs.extend(import.waits_for.clone().map(|what| ("Waits for", what)));
    pairs.extend(import.expires_at.map(|at| ("Expires (UTC)", moment(at))));
    out.pairs(&pairs)
}

/// What to type next, where somebody has to decide.
fn next_steps(out: Output, import: &ImportView) -> Outcome {
    let id = import.id;
    if import.status == "held" && !import.dry_run && import.expires_at.is_some() {
        let digits: String = import.file.sha256.chars().take(12).collect();
        out.line("\nNothing was applied. If the file is right:")?;
        out.line(format!("  rollcall imports approve {id} --sha256 {digits}"))?;
        out.line("If it is wrong, have a corrected one sent, or:")?;
        return out.line(format!("  rollcall imports discard {id}"));
    }
    if import.pending_lines.is_empty() {
        return Ok(());
    }
    let lines = import.pending_lines.iter().map(|line| format!(" --line {line}"));
    let lines: String = lines.collect();
    out.line("\nRows wait for approval. Those that are right (one --line for each):")?;
    out.line(format!("  rollcall imports approve {id}{lines}"))?;
    out.line("Those that are wrong:")?;
    out.line(format!("  rollcall imports discard {id}{lines}"))
}
