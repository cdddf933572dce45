//! `log`: what accounts did over their connections.

use std::time::Duration;

use clap::Args;
use jiff::Timestamp;

use super::Outcome;
use super::output::Output;
use crate::error::{Error, Kind, Result};
use crate::service::Service;
use crate::service::activity::{Activity, ActivityFilter, EVENTS};

/// How often `--follow` looks.
const FOLLOW_PAUSE: Duration = Duration::from_millis(500);
/// How many `--follow` reads at once.
const FOLLOW_ROWS: u32 = 1000;

/// `log`
#[derive(Debug, Args)]
pub struct LogArgs {
    /// Only of this client
    #[arg(long)]
    client: Option<String>,
    /// Only of this login
    #[arg(long)]
    login: Option<String>,
    /// Only login, program, refused, upload, interrupted, download, rename, delete, mkdir, rmdir, ban or lost
    #[arg(long, value_parser = EVENTS)]
    event: Option<String>,
    /// Not before: 2027-01-31, 2027-01-31T08:00:00Z, or so long ago: 90m, 12h, 7d
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// At most so many, the newest
    #[arg(long, default_value_t = 50)]
    limit: u32,
    /// Go on with what happens from now on, until Ctrl-C
    #[arg(long, short)]
    follow: bool,
}

pub(super) fn run(out: Output, service: &Service, args: &LogArgs) -> Outcome {
    if let Some(client) = &args.client {
        service.client(client)?;
    }
    let mut filter = ActivityFilter {
        client: args.client.clone(),
        login: args.login.clone(),
        event: args.event.clone(),
        since: args.since.as_deref().map(|text| since(text, service.clock().now())).transpose()?,
        limit: args.limit,
        ..ActivityFilter::default()
    };
    let mut found = service.activity(&filter)?;
    found.reverse();
    if !args.follow {
        if out.is_json() {
            return out.json(&found);
        }
        return out.table(&HEAD, found.iter().map(cells));
    }
    filter.limit = FOLLOW_ROWS;
    filter.since = None;
    let mut seen = found.last().map_or(0, |last| last.id);
    loop {
        for one in &found {
            if out.is_json() {
                out.json_line(one)?;
            } else {
                out.line(cells(one).join("  "))?;
            }
        }
        std::thread::sleep(FOLLOW_PAUSE);
        filter.after = Some(seen);
        found = service.activity(&filter)?;
        seen = found.last().map_or(seen, |last| last.id);
    }
}

const HEAD: [&str; 7] = ["At (UTC)", "Event", "Login", "From", "Over", "What", "Detail"];

fn cells(one: &Activity) -> Vec<String> {
    let what = match (&one.path, one.bytes) {
        (Some(path), Some(bytes)) => format!("{path} ({bytes} bytes)"),
        (Some(path), None) => path.clone(),
        (None, _) => String::new(),
    };
    vec![
        super::moment(one.at),
        one.event.clone(),
        one.login.clone(),
        one.peer.clone(),
        one.protocol.map_or(String::new(), |protocol| protocol.to_string()),
        what,
        one.detail.clone(),
    ]
}

/// An instant, a day (its beginning, UTC), or a time ago.
fn since(text: &str, now: Timestamp) -> Result<Timestamp> {
    let ago = || {
        let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
        let number: i64 = number.parse().ok().filter(|n| (0..1_000_000).contains(n))?;
        let seconds = match unit {
            "m" => 60,
            "h" => 3600,
            "d" => 24 * 3600,
            _ => return None,
        };
        Some(now - jiff::SignedDuration::from_secs(number * seconds))
    };
    let day = || {
        let day: jiff::civil::Date = text.parse().ok()?;
        Some(day.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
    };
    ago().or_else(|| text.parse().ok()).or_else(day).ok_or_else(|| {
        let message = format!(
            "--since \"{text}\" is no time; write for example 2027-01-31, 2027-01-31T08:00:00Z, 90m, 12h or 7d"
        );
        Error::new(Kind::Invalid, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_three_forms() {
        let now: Timestamp = "2027-02-01T12:00:00Z".parse().unwrap();
        for (text, expected) in [
            ("90m", Some("2027-02-01T10:30:00Z")),
            ("12h", Some("2027-02-01T00:00:00Z")),
            ("7d", Some("2027-01-25T12:00:00Z")),
            ("2027-01-31", Some("2027-01-31T00:00:00Z")),
            ("2027-01-31T08:00:00+01:00", Some("2027-01-31T07:00:00Z")),
            ("yesterday", None),
            ("", None),
            ("-5m", None),
            ("é", None),
        ] {
            let found = since(text, now).ok().map(|at| at.to_string());
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }
}
