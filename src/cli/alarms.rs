//! `alarms`: what somebody should look at.

use clap::Args;

use super::output::Output;
use super::{Outcome, Place, moment};
use crate::service::alarms::Alarm;

/// Options of `alarms`.
#[derive(Debug, Args)]
pub struct AlarmsArgs {
    /// Only of this client
    client: Option<String>,
    /// Also those that are over
    #[arg(long)]
    all: bool,
    /// At most so many, newest first
    #[arg(long, default_value_t = 50)]
    limit: u32,
}

pub(super) fn run(place: &Place, args: &AlarmsArgs) -> Outcome {
    let service = place.service()?;
    let alarms = service.alarms(args.client.as_deref(), args.all, args.limit)?;
    place.out.either(&alarms, |out, alarms| list(out, alarms))
}

fn list(out: Output, alarms: &[Alarm]) -> Outcome {
    if alarms.is_empty() {
        return out.line("No alarm stands.");
    }
    out.table(
        &["Since (UTC)", "Over (UTC)", "Code", "Client", "What"],
        alarms.iter().map(|alarm| {
            vec![
                moment(alarm.raised_at),
                alarm.cleared_at.map(moment).unwrap_or_default(),
                alarm.code.clone(),
                alarm.client.clone().unwrap_or_default(),
                alarm.text.clone(),
            ]
        }),
    )
}
