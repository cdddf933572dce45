//! `exports …`: files of a client's users for other programs.

use std::io::Write as _;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::output::{Output, Tone, counted};
use super::{Outcome, Place, moment, read_text, settings};
use crate::error::{Error, Kind};
use crate::model::UploadId;
use crate::service::Service;
use crate::service::exports::{ExportRun, ExportView, How, RunState, WithdrawnFile};

/// How many runs `exports show` lists.
const SHOWN: u32 = 20;

/// `exports …`
#[derive(Debug, Subcommand)]
pub enum ExportsCommand {
    /// Add an export: users of the client as a CSV in one of its export folders
    Add(AddArgs),
    /// List a client's exports
    List {
        /// The client
        client: String,
    },
    /// Show an export and its last runs
    Show(NameArgs),
    /// Its settings as TOML: show them, change single ones, replace all
    #[command(subcommand)]
    Settings(SettingsCommand),
    /// Run an export now
    Run(RunArgs),
    /// Send the file of an earlier run once more, byte for byte
    Resend {
        /// The run, as `exports show` lists it
        run: UploadId,
    },
    /// Withdraw the last run: the next one tells the same again
    Withdraw(NameArgs),
    /// Take the directory of now as known to the other side, without sending a file
    Note(NameArgs),
    /// Have an export's files go to another export folder
    Move {
        #[command(flatten)]
        name: NameArgs,
        /// The export folder
        folder: String,
    },
    /// Have an export run on its trigger again
    Enable(NameArgs),
    /// Have an export run only when somebody asks for it
    Disable(NameArgs),
    /// Remove an export; what was sent stays
    Remove(NameArgs),
}

/// `exports settings …`
#[derive(Debug, Subcommand)]
pub enum SettingsCommand {
    /// Show the settings of an export, with a comment on each
    Show(NameArgs),
    /// Change single settings: what=changed, separator=tab, encoding=windows-1252
    Set {
        #[command(flatten)]
        name: NameArgs,
        /// KEY=VALUE; levels are joined by points, lists are written as in TOML: columns=["login","email"]
        #[arg(required = true, value_name = "KEY=VALUE")]
        changes: Vec<String>,
    },
    /// Replace all settings by those of a TOML file ("-": standard input)
    Load {
        #[command(flatten)]
        name: NameArgs,
        /// The file, as `exports settings show` prints it
        file: PathBuf,
    },
}

/// An export by its name.
#[derive(Debug, Args)]
pub struct NameArgs {
    /// The client
    client: String,
    /// The export's name
    name: String,
}

/// `exports add`
#[derive(Debug, Args)]
pub struct AddArgs {
    #[command(flatten)]
    name: NameArgs,
    /// The export folder that its files go to
    #[arg(long)]
    folder: String,
    /// Its settings as TOML ("-": standard input); default: all users, by hand
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// Single settings, such as what=changed or trigger="daily 23:30"
    #[arg(value_name = "KEY=VALUE")]
    changes: Vec<String>,
}

/// `exports run`
#[derive(Debug, Args)]
pub struct RunArgs {
    #[command(flatten)]
    name: NameArgs,
    /// Print what would be sent, and to whom, and send nothing
    #[arg(long)]
    dry_run: bool,
    /// Also if the file has far fewer rows than the last one
    #[arg(long, conflicts_with = "dry_run")]
    anyway: bool,
}

pub(super) fn run(place: &Place, command: ExportsCommand) -> Outcome {
    let service = place.service()?;
    let out = place.out;
    match command {
        ExportsCommand::Add(args) => add(out, &service, &args),
        ExportsCommand::List { client } => {
            out.either(&service.exports(&client)?, |out, all| list(out, &client, all))
        }
        ExportsCommand::Show(args) => show(out, &service, &args),
        ExportsCommand::Settings(command) => change(out, &service, command),
        ExportsCommand::Run(args) if args.dry_run => preview(out, &service, &args.name),
        ExportsCommand::Run(args) => {
            let how = if args.anyway { How::Anyway } else { How::Usual };
            let run = service.run_export(&args.name.client, &args.name.name, how)?;
            out.either(&run, tell)
        }
        ExportsCommand::Resend { run } => {
            let run = service.resend_export(run)?;
            out.either(&run, |out, run| {
                out.line(format!("{} goes to folder {} once more.", run.file_name, run.folder))
            })
        }
        ExportsCommand::Withdraw(args) => withdraw(out, &service, &args),
        ExportsCommand::Note(args) => {
            let run = service.run_export(&args.client, &args.name, How::Note)?;
            out.either(&run, tell)
        }
        ExportsCommand::Move { name, folder } => {
            let view = service.set_export_folder(&name.client, &name.name, &folder)?;
            out.either(&view, |out, _| {
                out.line(format!("Files of {} go to folder {folder} from now on.", name.name))
            })
        }
        ExportsCommand::Enable(args) => {
            let view = service.enable_export(&args.client, &args.name, true)?;
            out.either(&view, |out, view| {
                let when = &view.settings.trigger;
                out.line(format!("{} runs on its trigger again: {when}.", view.name))
            })
        }
        ExportsCommand::Disable(args) => {
            let view = service.enable_export(&args.client, &args.name, false)?;
            out.either(&view, |out, view| {
                out.line(format!("{} runs only by rollcall exports run from now on.", view.name))
            })
        }
        ExportsCommand::Remove(args) => {
            service.remove_export(&args.client, &args.name)?;
            let told = serde_json::json!({ "client": args.client, "removed": args.name });
            out.either(&told, |out, _| out.line(format!("Removed: {}.", args.name)))
        }
    }
}

fn add(out: Output, service: &Service, args: &AddArgs) -> Outcome {
    let text = args.settings.as_deref().map(read_text).transpose()?.unwrap_or_default();
    let toml = if args.changes.is_empty() { text } else { changed(&text, &args.changes)? };
    let NameArgs { client, name } = &args.name;
    let view = service.add_export(client, name, &args.folder, &toml)?;
    out.either(&view, |out, view| {
        out.line(format!(
            "Added: {} ({}, {}) to folder {}. See what it would send: rollcall exports run {client} {name} --dry-run",
            view.name,
            view.settings.what.name(),
            view.settings.trigger,
            view.folder
        ))
    })
}

fn changed(toml: &str, changes: &[String]) -> Outcome<String> {
    let mut table: toml::Table = toml.parse().map_err(|e: toml::de::Error| {
        let words = format!("these export settings are not TOML: {}", e.to_string().trim());
        Error::caused(Kind::Invalid, words, e)
    })?;
    for change in changes {
        settings::apply(&mut table, change)?;
    }
    Ok(table.to_string())
}

fn change(out: Output, service: &Service, command: SettingsCommand) -> Outcome {
    let view = match command {
        SettingsCommand::Show(NameArgs { client, name }) => {
            let view = service.export(&client, &name)?;
            return out.either(&view.settings, |out, shown| out.bytes(shown.to_toml().as_bytes()));
        }
        SettingsCommand::Set { name: NameArgs { client, name }, changes } => {
            let now = service.export(&client, &name)?.settings.to_toml();
            service.set_export_settings(&client, &name, &changed(&now, &changes)?)?
        }
        SettingsCommand::Load { name: NameArgs { client, name }, file } => {
            service.set_export_settings(&client, &name, &read_text(&file)?)?
        }
    };
    out.either(&view, |out, view| {
        out.line(format!("Settings of {} changed; the next run uses them.", view.name))
    })
}

fn list(out: Output, client: &str, all: &[ExportView]) -> Outcome {
    if all.is_empty() {
        return out.line(format!(
            "{client} has no exports; add one: rollcall exports add {client} NAME --folder FOLDER"
        ));
    }
    let rows = all.iter().map(|export| {
        let when = if export.enabled {
            export.settings.trigger.to_string()
        } else {
            "disabled".to_owned()
        };
        let last = export.last.as_ref().map_or_else(|| "–".to_owned(), short);
        vec![
            export.name.clone(),
            export.settings.what.name().to_owned(),
            when,
            export.folder.clone(),
            last,
        ]
    });
    out.table(&["Name", "What", "When", "Folder", "Last run"], rows)
}

/// When a run was and what became of it, in few words.
fn short(run: &ExportRun) -> String {
    let what = match run.state {
        RunState::Ready | RunState::Sent => format!("{} ({} rows)", run.file_name, run.rows),
        RunState::Nothing => "nothing to send".to_owned(),
        RunState::Noted => "noted without a file".to_owned(),
        RunState::Failed => run.failure.clone().unwrap_or_default(),
    };
    let mark = match (run.withdrawn_at, run.state) {
        (Some(_), _) => " withdrawn:",
        (None, RunState::Failed) => " FAILED:",
        (None, RunState::Ready) => " on its way:",
        (None, _) => "",
    };
    format!("{}{mark} {what}", moment(run.at))
}

fn show(out: Output, service: &Service, args: &NameArgs) -> Outcome {
    let view = service.export(&args.client, &args.name)?;
    let runs = service.export_runs(&args.client, Some(&args.name), SHOWN)?;
    let told = serde_json::json!({ "export": &view, "runs": &runs });
    out.either(&told, |out, _| {
        out.pairs(&[
            ("Export", view.name.clone()),
            ("What", view.settings.what.name().to_owned()),
            ("Folder", view.folder.clone()),
            ("Trigger", view.settings.trigger.to_string()),
            ("Enabled", if view.enabled { "yes" } else { "no" }.to_owned()),
            ("Next number", view.next_seq.to_string()),
        ])?;
        if runs.is_empty() {
            return out.line("\nIt has not run yet.");
        }
        out.line("")?;
        let rows = runs.iter().map(|run| {
            let id = run.id.to_string();
            vec![id, run.cause.clone(), short(run)]
        });
        out.table_with_id(&["Run", "Why", "Result (UTC)"], 0, rows)
    })
}

fn tell(out: Output, run: &ExportRun) -> Outcome {
    for note in &run.notes {
        out.toned_paragraph(Tone::Warning, note)?;
    }
    match run.state {
        RunState::Sent | RunState::Ready => out.line(format!(
            "{}: {}, {} bytes, to folder {} (run {}).",
            run.file_name, counted(run.rows, "row", "rows"), run.bytes, run.folder, run.id
        )),
        RunState::Nothing => out.line("Nothing to send: no user belongs in this file."),
        RunState::Noted => out.line(
            "Noted: the other side is taken to know the directory as it is now; the next run tells what changes from here on.",
        ),
        RunState::Failed => out.toned(Tone::Bad, run.failure.as_deref().unwrap_or_default()),
    }
}

fn preview(out: Output, service: &Service, args: &NameArgs) -> Outcome {
    if out.is_json() {
        let preview = service.preview_export(&args.client, &args.name, std::io::sink())?;
        return out.json(&preview);
    }
    let mut bytes = Vec::new();
    let preview = service.preview_export(&args.client, &args.name, &mut bytes)?;
    out.bytes(&bytes)?;
    // Beside the file, so that `> users.csv` has nothing but the file.
    let mut told = format!(
        "Dry run: {}; the file would be {} in folder {} of account {}.\n",
        counted(preview.rows, "row", "rows"),
        preview.file_name,
        preview.folder,
        preview.login
    );
    for note in preview.notes.iter().chain(&preview.failure) {
        told.push_str(note);
        told.push('\n');
    }
    let printed = std::io::stderr().lock().write_all(told.as_bytes());
    printed.map_err(|e| Error::io("writing to standard error", e))?;
    match preview.failure {
        Some(_) => Err(super::Stop::Quiet(1)),
        None => Ok(()),
    }
}

fn withdraw(out: Output, service: &Service, args: &NameArgs) -> Outcome {
    let (run, file) = service.withdraw_export(&args.client, &args.name)?;
    let told = serde_json::json!({ "run": run.id, "file_name": &run.file_name, "file": file });
    out.either(&told, |out, _| match file {
        WithdrawnFile::TakenBack => out.line(format!(
            "Withdrawn: {}. Nobody has seen the file; the next run tells the same again under the same number.",
            run.file_name
        )),
        WithdrawnFile::SeenAlready => {
            out.toned_paragraph(
                Tone::Warning,
                &format!(
                    "Withdrawn, but {} was fetched or delivered before: have the other side leave it out. The next run tells the same again.",
                    run.file_name
                ),
            )
        }
        WithdrawnFile::None => out.line("Withdrawn: what was noted then is told by the next run."),
    })
}
