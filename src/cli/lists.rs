//! `lists …`: the reference lists of a client.

use std::path::PathBuf;

use clap::Subcommand;
use jiff::civil::Date;

use super::import::read_limited;
use super::output::{Output, Tone};
use super::{Outcome, Place, moment};
use crate::service::lists::{EntryView, ListChangeView, ListWritten, Others};

/// How many codes of one kind a change names.
const NAMED: usize = 10;
/// Who the journal says it was.
const WHO: &str = "cli";

/// `lists …`
#[derive(Debug, Subcommand)]
pub enum ListsCommand {
    /// Show the entries of a list, or of all: code, name, how many users have it, where it comes from
    Show {
        /// The client
        client: String,
        /// The list: department, legal_entity, csp, role, profile_time … (default: all)
        field: Option<String>,
        /// The entries as they were at the end of that day, such as 2026-03-31
        #[arg(long, value_name = "DATE", value_parser = super::day)]
        as_of: Option<Date>,
    },
    /// Load a list from a file with a code in each row and perhaps its name behind it (CSV, xlsx)
    Load {
        /// The client
        client: String,
        /// The list
        field: String,
        /// The file
        file: PathBuf,
        /// Remove the entries that are not in the file; refused if a user who has not left has one
        #[arg(long)]
        replace: bool,
    },
    /// Add an entry, or give one a name
    Add {
        /// The client
        client: String,
        /// The list
        field: String,
        /// The code, as it is stored
        code: String,
        /// Its name, by which files may give it too
        #[arg(long)]
        name: Option<String>,
    },
    /// Accept codes that files have brought as yours: `mappings suggest` asks for them no more
    Accept {
        /// The client
        client: String,
        /// The list
        field: String,
        /// The codes (default: all that files have brought)
        codes: Vec<String>,
    },
    /// Remove entries; refused if a user who has not left has one
    Remove {
        /// The client
        client: String,
        /// The list
        field: String,
        /// The codes
        #[arg(required = true)]
        codes: Vec<String>,
    },
    /// Show what became of the entries, oldest first: added, named, removed, when and by whom
    History {
        /// The client
        client: String,
        /// The list (default: all)
        field: Option<String>,
    },
}

pub(super) fn run(place: &Place, command: ListsCommand) -> Outcome {
    let service = place.service()?;
    let out = place.out;
    match command {
        ListsCommand::Show { client, field, as_of } => {
            let list = field.as_deref();
            let entries = match as_of {
                None => service.lists(&client, list)?,
                Some(day) => service.lists_on(&client, list, day)?,
            };
            out.either(&entries, |out, entries| show(out, &client, list, as_of, entries))
        }
        ListsCommand::Load { client, field, file, replace } => {
            let bytes = read_limited(&file, place.config.limits.max_import_bytes)?;
            let others = if replace { Others::Go } else { Others::Stay };
            out.either(&service.load_list(&client, &field, &bytes, others, WHO)?, written)
        }
        ListsCommand::Add { client, field, code, name } => {
            let done = service.add_list_entry(&client, &field, &code, name.as_deref(), WHO)?;
            out.either(&done, written)
        }
        ListsCommand::Accept { client, field, codes } => {
            out.either(&service.accept_list_entries(&client, &field, &codes, WHO)?, written)
        }
        ListsCommand::Remove { client, field, codes } => {
            out.either(&service.remove_list_entries(&client, &field, &codes, WHO)?, written)
        }
        ListsCommand::History { client, field } => out
            .either(&service.list_history(&client, field.as_deref())?, |out, changes| {
                history(out, changes)
            }),
    }
}

fn show(
    out: Output,
    client: &str,
    field: Option<&str>,
    as_of: Option<Date>,
    entries: &[EntryView],
) -> Outcome {
    if let (true, Some(day)) = (entries.is_empty(), as_of) {
        return out.line(format!("No entries on {day}."));
    }
    if entries.is_empty() {
        let list = field.unwrap_or("department");
        return out.line(format!(
            "No entries yet. Files bring them, or load them: rollcall lists load {client} {list} FILE"
        ));
    }
    out.table(
        &["List", "Code", "Name", "Users", "From"],
        entries.iter().map(|one| {
            vec![
                one.entry.field.name().to_owned(),
                one.entry.code.clone(),
                one.entry.name.clone().unwrap_or_default(),
                one.users.to_string(),
                if one.entry.loaded { "loaded" } else { "a file" }.to_owned(),
            ]
        }),
    )
}

fn written(out: Output, done: &ListWritten) -> Outcome {
    let mut said = false;
    for (codes, word) in
        [(&done.added, "added"), (&done.named, "accepted or named"), (&done.removed, "removed")]
    {
        if codes.is_empty() {
            continue;
        }
        said = true;
        let mut named: Vec<&str> = codes.iter().take(NAMED).map(String::as_str).collect();
        if codes.len() > NAMED {
            named.push("…");
        }
        out.line(format!("{}: {} {word} ({})", done.field, codes.len(), named.join(", ")))?;
    }
    if !said {
        return out.line(format!("{}: nothing changed, all of it was there already.", done.field));
    }
    if done.unchanged > 0 {
        out.toned(Tone::Faint, format!("{} unchanged", done.unchanged))?;
    }
    if done.left_users > 0 {
        let words = format!("{} user(s) who have left still have a removed code.", done.left_users);
        out.toned(Tone::Faint, words)?;
    }
    Ok(())
}

fn history(out: Output, changes: &[ListChangeView]) -> Outcome {
    if changes.is_empty() {
        return out.line("No entries yet, so nothing became of any.");
    }
    out.table(
        &["When (UTC)", "List", "Code", "What", "Name", "By"],
        changes.iter().map(|change| {
            vec![
                moment(change.at),
                change.field.name().to_owned(),
                change.code.clone(),
                change.what.clone(),
                change.name.clone().unwrap_or_default(),
                change.by.clone(),
            ]
        }),
    )
}
