//! `fetch` and `fetches`: import folders on clients' own servers.

use clap::Args;
use serde::Serialize;

use super::output::{Output, Tone};
use super::{Outcome, Place, moment};
use crate::service::fetch::{FetchOutcome, PollState, SeenFile};

/// `fetch …`
#[derive(Debug, Args)]
pub struct FetchArgs {
    /// The client
    client: String,
    /// The import folder of an account on the client's own server
    folder: String,
}

/// `fetches …`
#[derive(Debug, Args)]
pub struct FetchesArgs {
    /// The client
    client: String,
    /// Only of this import folder
    #[arg(long)]
    folder: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 50)]
    limit: u32,
}

/// What `fetches` prints.
#[derive(Serialize)]
struct Fetches {
    folders: Vec<PollState>,
    files: Vec<SeenFile>,
}

/// `fetch`: looks at a folder now.
pub(super) fn now(place: &Place, args: &FetchArgs) -> Outcome {
    let outcome = place.service()?.fetch(&args.client, &args.folder)?;
    place.out.either(&outcome, fetched)
}

fn fetched(out: Output, outcome: &FetchOutcome) -> Outcome {
    for file in &outcome.fetched {
        out.line(format!("Fetched {} ({} bytes): import {}", file.path, file.bytes, file.import))?;
    }
    for file in &outcome.waiting {
        out.line(format!("Not yet {}: {}", file.name, file.why))?;
    }
    for problem in &outcome.problems {
        out.toned_paragraph(Tone::Warning, problem)?;
    }
    if outcome.fetched.is_empty() && outcome.waiting.is_empty() && outcome.problems.is_empty() {
        return out.line("Nothing new.");
    }
    Ok(())
}

/// `fetches`: what was seen there, and how the looks go.
pub(super) fn list(place: &Place, args: &FetchesArgs) -> Outcome {
    let service = place.service()?;
    let all = Fetches {
        folders: service.polls(&args.client)?,
        files: service.seen_files(&args.client, args.folder.as_deref(), args.limit)?,
    };
    place.out.either(&all, |out, all| {
        for poll in &all.folders {
            let how = match &poll.failure {
                None => "well".to_owned(),
                Some(why) if poll.failures == 0 => format!("in part: {why}"),
                Some(why) => format!("{} failure(s) in a row: {why}", poll.failures),
            };
            out.line(format!("{}: looked at {} UTC, {how}", poll.folder, moment(poll.at)))?;
        }
        if all.files.is_empty() {
            return out.line("No file was seen yet.");
        }
        out.table(
            &["Seen (UTC)", "Folder", "File", "Bytes", "Changed (UTC)", "State", "Import"],
            all.files.iter().map(|file| {
                vec![
                    moment(file.first_seen_at),
                    file.folder.clone(),
                    file.name.clone(),
                    file.bytes.to_string(),
                    file.modified.map(moment).unwrap_or_default(),
                    format!("{:?}", file.state).to_lowercase(),
                    file.import.map(|id| id.to_string()).unwrap_or_default(),
                ]
            }),
        )
    })
}
