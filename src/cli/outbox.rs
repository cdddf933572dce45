//! `outbox …`: what is to be sent: e-mails, hooks, deliveries.

use clap::Subcommand;

use super::output::Output;
use super::{Outcome, Place, moment};
use crate::service::outbox::{JobFilter, JobState, OutboxJob};

/// `outbox …`
#[derive(Debug, Subcommand)]
pub enum OutboxCommand {
    /// List what is to be sent and what was sent, newest first
    List {
        /// Only of this client
        client: Option<String>,
        /// Only what waits
        #[arg(long, conflicts_with = "failed")]
        waiting: bool,
        /// Only what was given up
        #[arg(long)]
        failed: bool,
        /// At most so many
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Have something that waits or was given up tried again at once
    Retry {
        /// Its number, as `outbox list` prints it
        id: i64,
    },
}

pub(super) fn run(place: &Place, command: OutboxCommand) -> Outcome {
    let service = place.service()?;
    match command {
        OutboxCommand::List { client, waiting, failed, limit } => {
            let state = match (waiting, failed) {
                (true, _) => Some(JobState::Waiting),
                (_, true) => Some(JobState::Failed),
                _ => None,
            };
            let filter = JobFilter { client, state, limit: Some(limit), ..JobFilter::default() };
            place.out.either(&service.outbox(&filter)?, |out, jobs| list(out, jobs))
        }
        OutboxCommand::Retry { id } => place.out.either(&service.retry_job(id)?, |out, job| {
            out.line(format!("{} is tried again: {}", job.id, job.key))
        }),
    }
}

fn list(out: Output, jobs: &[OutboxJob]) -> Outcome {
    if jobs.is_empty() {
        return out.line("Nothing is to be sent.");
    }
    out.table_with_id(
        &["Job", "Client", "What", "State", "Tries in vain", "Next try (UTC)", "Why"],
        0,
        jobs.iter().map(|job| {
            let waits = job.state == JobState::Waiting;
            vec![
                job.id.to_string(),
                job.client.clone().unwrap_or_default(),
                job.key.clone(),
                job.state.name().to_owned(),
                job.attempts.to_string(),
                if waits { moment(job.next_at) } else { String::new() },
                job.failure.clone().unwrap_or_default(),
            ]
        }),
    )
}
