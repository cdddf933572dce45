//! `drop` and `drops …`: files handed over through export folders.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::output::Output;
use super::{Outcome, Place, moment};
use crate::service::drops::{Content, DropFilter, DropState, FileDrop, NewDrop};

/// Who the journal says it was.
const WHO: &str = "cli";

/// `drop …`
#[derive(Debug, Args)]
pub struct DropArgs {
    /// The client
    client: String,
    /// The export folder
    folder: String,
    /// The file
    file: PathBuf,
    /// Its name there (default: the file's own)
    #[arg(long)]
    name: Option<String>,
    /// Your name for it: the same file with a key that the client has used is not handed over again
    #[arg(long)]
    key: Option<String>,
    /// Where it comes from, in words, for lists
    #[arg(long, default_value = "command line")]
    origin: String,
}

/// `drops …`
#[derive(Debug, Subcommand)]
pub enum DropsCommand {
    /// List the files that were handed over, newest first
    List {
        /// The client
        client: String,
        /// Only of this export folder
        #[arg(long)]
        folder: Option<String>,
        /// Only in this state: waiting, placed, fetched, delivered, removed, withdrawn, failed
        #[arg(long)]
        state: Option<DropState>,
        /// At most so many
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Show one of them
    Show {
        /// Its id, as `drops list` prints it
        id: String,
    },
    /// Have one that waits or was given up tried again at once
    Retry {
        /// Its id
        id: String,
    },
    /// Take one back that nobody has fetched and that was not delivered
    Withdraw {
        /// Its id
        id: String,
    },
}

/// `drop`.
pub(super) fn hand_over(place: &Place, args: &DropArgs) -> Outcome {
    let own = args.file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let dropped = place.service()?.drop_file(&NewDrop {
        client: &args.client,
        folder: &args.folder,
        name: args.name.as_deref().unwrap_or(&own),
        content: Content::File(&args.file),
        origin: &args.origin,
        who: WHO,
        key: args.key.as_deref(),
    })?;
    place.out.either(&dropped, |out, dropped| {
        let what = match dropped.state {
            DropState::Waiting | DropState::Failed => "Handed over; the server delivers it",
            DropState::Placed => "Placed",
            other => other.name(),
        };
        out.line(format!("{what}: {} of {} ({})", dropped.path, dropped.login, dropped.id))
    })
}

/// `drops …`.
pub(super) fn run(place: &Place, command: DropsCommand) -> Outcome {
    let service = place.service()?;
    let out = place.out;
    match command {
        DropsCommand::List { client, folder, state, limit } => {
            let (of, limit) = (Some(client.clone()), Some(limit));
            let filter = DropFilter { client: of, folder, state, before: None, limit };
            out.either(&service.drops(&filter)?, |out, found| list(out, &client, found))
        }
        DropsCommand::Show { id } => out.either(&service.file_drop(&id)?, card),
        DropsCommand::Retry { id } => out.either(&service.retry_drop(&id)?, card),
        DropsCommand::Withdraw { id } => out.either(&service.withdraw_drop(&id, WHO)?, card),
    }
}

fn list(out: Output, client: &str, drops: &[FileDrop]) -> Outcome {
    if drops.is_empty() {
        return out.line(format!("No file of {client} was handed over."));
    }
    out.table_with_id(
        &["File", "Handed over (UTC)", "Folder", "Path", "Bytes", "State", "Note"],
        0,
        drops.iter().map(|dropped| {
            vec![
                dropped.id.clone(),
                dropped.created_at.strftime("%Y-%m-%d %H:%M").to_string(),
                dropped.folder.clone(),
                dropped.path.to_string(),
                dropped.bytes.to_string(),
                dropped.state.name().to_owned(),
                dropped.note.clone().unwrap_or_default(),
            ]
        }),
    )
}

fn card(out: Output, dropped: &FileDrop) -> Outcome {
    let mut pairs = vec![
        ("File", dropped.id.clone()),
        ("Client", dropped.client.clone()),
        ("Folder", dropped.folder.clone()),
        ("Account", dropped.login.clone()),
        ("Path", format!("{} ({} bytes)", dropped.path, dropped.bytes)),
        ("SHA-256", dropped.sha256.clone()),
        ("Origin", format!("{}, by {}", dropped.origin, dropped.who)),
        ("State", dropped.state.name().to_owned()),
        ("Handed over (UTC)", moment(dropped.created_at)),
    ];
    pairs.extend(dropped.placed_at.map(|at| ("Placed (UTC)", moment(at))));
    let times = format!("{} time(s) in all", dropped.fetches);
    pairs
        .extend(dropped.fetched_at.map(|at| ("Fetched (UTC)", format!("{}, {times}", moment(at)))));
    pairs.extend(dropped.ended_at.map(|at| ("Ended (UTC)", moment(at))));
    pairs.extend(dropped.note.clone().map(|note| ("Note", note)));
    if dropped.attempts > 0 {
        pairs.push(("Tries in vain", dropped.attempts.to_string()));
        pairs.extend(dropped.next_at.map(|at| ("Next try (UTC)", moment(at))));
    }
    out.pairs(&pairs)
}
