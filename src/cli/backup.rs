//! `backup` and `restore`: the data folder, while its server runs.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::output::{Tone, counted};
use super::{Outcome, Place};
use crate::error::{Error, Kind};
use crate::service::backup::{self, Backup, Damaged};

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
    #[serde(skip_serializing_if = "<[Damaged]>::is_empty")]
    damaged: &'a [Damaged],
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
            damaged: &backup.damaged,
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
    })?;
    if made.damaged.is_empty() {
        return Ok(());
    }
    let told: Vec<String> =
        made.damaged.iter().map(|one| format!("client {}: {}", one.client, one.why)).collect();
    let message = format!(
        "all others are backed up, but what is damaged is in the backup only as it lies there, as far as it can be read; see docs/operations.md. {}",
        told.join("; ")
    );
    Err(Error::new(Kind::Conflict, message).into())
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
