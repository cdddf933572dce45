//! `folder …`: the remote folders of an account.

use clap::Subcommand;

use super::account::password_from_stdin;
use super::output::Output;
use super::{Outcome, Place};
use crate::model::{Folder, Purpose, VPath};
use crate::service::folders::FolderPatch;

/// `folder …`
#[derive(Debug, Subcommand)]
pub enum FolderCommand {
    /// Add a remote folder to an account; it is made on disk at once
    Add {
        /// The account's login
        login: String,
        /// The folder's name, unique in its client: settings and imports name it
        name: String,
        /// Where it lies below the account's root, such as /in
        path: VPath,
        /// import: uploads here are imported; export: files to fetch; plain: files
        #[arg(long)]
        purpose: Purpose,
        /// Which names start an import, such as '*.csv' (case ignored; default: all)
        #[arg(long)]
        pattern: Option<String>,
    },
    /// List an account's remote folders
    List {
        /// The account's login
        login: String,
    },
    /// Change a remote folder
    Set {
        /// The account's login
        login: String,
        /// The folder's name
        name: String,
        /// Where it lies below the account's root (files stay where they are)
        #[arg(long)]
        path: Option<VPath>,
        /// import, export or plain
        #[arg(long)]
        purpose: Option<Purpose>,
        /// Which names start an import; an empty text: all
        #[arg(long)]
        pattern: Option<String>,
    },
    /// Set the password of the folder's encrypted zip files, for uploads and exports
    ZipPassword {
        /// The account's login
        login: String,
        /// The folder's name
        name: String,
        /// Read the password from standard input
        #[arg(long, required_unless_present = "remove")]
        password_stdin: bool,
        /// Take the password away
        #[arg(long, conflicts_with = "password_stdin")]
        remove: bool,
    },
    /// Take a remote folder's role away; its files stay
    Remove {
        /// The account's login
        login: String,
        /// The folder's name
        name: String,
    },
}

pub(super) fn run(place: &Place, command: FolderCommand) -> Outcome {
    let service = place.service()?;
    let out = place.out;
    match command {
        FolderCommand::Add { login, name, path, purpose, pattern } => {
            let folder = service.add_folder(&login, &name, &path, purpose, pattern.as_deref())?;
            out.either(&folder, |out, folder| {
                out.line(format!("Folder {} added: {}", folder.name, words(folder)))
            })
        }
        FolderCommand::List { login } => {
            out.either(&service.folders(&login)?, |out, folders| list(out, &login, folders))
        }
        FolderCommand::Set { login, name, path, purpose, pattern } => {
            let pattern = pattern.map(|p| Some(p).filter(|p| !p.is_empty()));
            let patch = FolderPatch { path, purpose, pattern };
            let folder = service.set_folder(&login, &name, &patch)?;
            out.either(&folder, |out, folder| {
                out.line(format!("Folder {}: {}", folder.name, words(folder)))
            })
        }
        FolderCommand::ZipPassword { login, name, password_stdin, .. } => {
            let password = if password_stdin { Some(password_from_stdin()?) } else { None };
            service.set_zip_password(&login, &name, password.as_deref())?;
            let shown = serde_json::json!({ "folder": name, "zip_password": password_stdin });
            out.either(&shown, |out, _| {
                let what = if password_stdin { "set" } else { "taken away" };
                out.line(format!("Zip password of folder {name} {what}."))
            })
        }
        FolderCommand::Remove { login, name } => {
            service.remove_folder(&login, &name)?;
            out.either(&serde_json::json!({ "removed": name }), |out, _| {
                out.line(format!("Folder {name} of {login} removed; its files stay."))
            })
        }
    }
}

fn words(folder: &Folder) -> String {
    let pattern = folder.pattern.as_ref().map(|p| format!(", names {p}")).unwrap_or_default();
    format!("{} ({}{pattern})", folder.path, folder.purpose.name())
}

/// The folders of an account as a table.
pub(super) fn list(out: Output, login: &str, folders: &[Folder]) -> Outcome {
    if folders.is_empty() {
        return out.line(format!(
            "No folder yet. Add one: rollcall folder add {login} in /in --purpose import"
        ));
    }
    out.table(
        &["Folder", "Path", "Purpose", "Names"],
        folders.iter().map(|f| {
            vec![&*f.name, f.path.as_str(), f.purpose.name(), f.pattern.as_deref().unwrap_or("all")]
        }),
    )
}
