//! `schedule …`: what happens by the clock, and when next.

use clap::Subcommand;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::output::Output;
use super::{Outcome, Place};
use crate::service::schedule::Scheduled;

/// `schedule …`
#[derive(Debug, Subcommand)]
pub enum ScheduleCommand {
    /// List what happens by the clock, with the next three times in the client's time zone
    List {
        /// Only of this client
        client: Option<String>,
    },
}

pub(super) fn run(place: &Place, command: ScheduleCommand) -> Outcome {
    let service = place.service()?;
    let ScheduleCommand::List { client } = command;
    place.out.either(&service.schedule(client.as_deref())?, |out, all| list(out, all))
}

fn list(out: Output, all: &[Scheduled]) -> Outcome {
    if all.is_empty() {
        return out.line("Nothing happens by the clock: every upload is imported at once.");
    }
    out.table(
        &["Client", "Name", "Trigger", "What", "Next (the client's clock)", "Waiting"],
        all.iter().map(|one| {
            let next: Vec<String> = one.next.iter().map(|at| local(*at, &one.time_zone)).collect();
            vec![
                one.client.clone(),
                one.name.clone(),
                one.trigger.clone(),
                one.what.clone(),
                next.join("\n"),
                if one.waiting == 0 { String::new() } else { one.waiting.to_string() },
            ]
        }),
    )
}

fn local(at: Timestamp, time_zone: &str) -> String {
    let zone = TimeZone::get(time_zone).unwrap_or(TimeZone::UTC);
    at.to_zoned(zone).strftime("%a %Y-%m-%d %H:%M %Z").to_string()
}
