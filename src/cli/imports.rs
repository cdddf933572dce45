//! `imports …`: what became of each upload, and the reports.

use clap::{Subcommand, ValueEnum};
use serde_json::Value;

use super::output::Output;
use super::{Outcome, Place, Stop, moment, story};
use crate::model::{Language, UploadId};
use crate::service::Service;
use crate::service::imports::{ImportView, ReportFormat};

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
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Show one import in words
    Show {
        /// The import's id, as `imports list` prints it
        id: UploadId,
        /// Language of the words (default: the client's)
        #[arg(long)]
        language: Option<Language>,
    },
    /// Print an import's report, made again from the database
    Report {
        /// The import's id
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

fn list(out: Output, client: &str, imports: &[ImportView]) -> Outcome {
    if imports.is_empty() {
        return out.line(format!("No import of {client} yet."));
    }
    out.table_with_id(
        &["Import", "Received", "File", "Status", "Rows"],
        0,
        imports.iter().map(|i| {
            let status =
                if i.dry_run { format!("{} (dry run)", i.status) } else { i.status.clone() };
            vec![
                i.id.to_string(),
                i.received_at.strftime("%m-%d %H:%M").to_string(),
                i.file.name.clone(),
                status,
                i.counts.rows.to_string(),
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
    story::tell(out, &report, SHOWN_MESSAGES)
}

fn card(out: Output, import: &ImportView) -> Outcome {
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
    let mut pairs = vec![
        ("Import", import.id.to_string()),
        ("Client", import.client.clone()),
        ("Account", import.account.clone()),
        ("File", format!("{} ({} bytes)", import.file.path, import.file.bytes)),
        ("SHA-256", import.file.sha256.clone()),
        ("Received", moment(import.received_at)),
        ("Finished", or_none(import.finished_at.map(moment))),
        ("Status", import.status.clone()),
    ];
    pairs.extend(import.failure.clone().map(|why| ("Failure", why)));
    out.pairs(&pairs)
}
