//! `backup` and `restore`: the data folder, while its server runs.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::output::{Tone, counted};
use super::{Outcome, Place};
use crate::service::backup::{self, Backup};

/// `backup`
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// A new folder; it must not lie in the data folder
    folder: PathBuf,
}

/// `restore`
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// The folder that `rollcall backup` made
    folder: PathBuf,
}

#[derive(Serialize)]
struct Shown<'a> {
    folder: &'a PathBuf,
    made_at: jiff::Timestamp,
    program: &'a str,
    clients: &'a [String],
    files: usize,
    bytes: u64,
}

impl<'a> Shown<'a> {
    fn of(folder: &'a PathBuf, backup: &'a Backup) -> Self {
        Self {
            folder,
            made_at: backup.made_at,
            program: &backup.program,
            clients: &backup.clients,
            files: backup.files(),
            bytes: backup.bytes(),
        }
    }
}

fn clients(shown: &Shown<'_>) -> String {
    counted(u64::try_from(shown.clients.len()).unwrap_or(u64::MAX), "client", "clients")
}

fn files(shown: &Shown<'_>) -> String {
    counted(u64::try_from(shown.files).unwrap_or(u64::MAX), "file", "files")
}

pub(super) fn back_up(place: &Place, args: &BackupArgs) -> Outcome {
    let made = place.service()?.back_up(&args.folder)?;
    place.out.either(&Shown::of(&args.folder, &made), |out, shown| {
        out.line(format!(
            "Backed up {}, {}, {} bytes to {}.",
            clients(shown),
            files(shown),
            shown.bytes,
            shown.folder.display()
        ))?;
        let certs = place.global.certs.display();
        out.toned(
            Tone::Faint,
            format!(
                "The keys and certificates in {certs} are not in it: keep a copy of them elsewhere."
            ),
        )
    })
}

pub(super) fn restore(place: &Place, args: &RestoreArgs) -> Outcome {
    let data = &place.global.data;
    let found = backup::restore(&args.folder, data)?;
    place.out.either(&Shown::of(&args.folder, &found), |out, shown| {
        out.line(format!(
            "Restored {}, {} to {}, as of {} (UTC).",
            clients(shown),
            files(shown),
            data.display(),
            super::moment(shown.made_at)
        ))?;
        out.line("Start it with \"rollcall serve\": what had been received and not imported is imported then.")
    })
}
