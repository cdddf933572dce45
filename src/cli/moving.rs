//! `client export` and `client import`: one client from one server to another.

use std::path::Path;

use serde::Serialize;

use super::output::{Tone, counted};
use super::{Outcome, Place};
use crate::service::moving::Moving;

#[derive(Serialize)]
struct Shown<'a> {
    client: &'a str,
    made_at: jiff::Timestamp,
    program: &'a str,
    accounts: Vec<String>,
    files: usize,
}

impl<'a> Shown<'a> {
    fn of(moving: &'a Moving) -> Self {
        Self {
            client: &moving.client,
            made_at: moving.made_at,
            program: &moving.program,
            accounts: moving.logins(),
            files: moving.files(),
        }
    }
}

fn sum(shown: &Shown<'_>) -> String {
    let wide = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    let accounts = counted(wide(shown.accounts.len()), "account", "accounts");
    format!("{accounts}, {}", counted(wide(shown.files), "file", "files"))
}

pub(super) fn export(place: &Place, slug: &str, file: &Path) -> Outcome {
    let service = place.service()?;
    let is_open = service.client(slug)?.enabled;
    let made = service.export_client(slug, file)?;
    place.out.either(&Shown::of(&made), |out, shown| {
        out.line(format!("Exported {}: {} to {}.", shown.client, sum(shown), file.display()))?;
        if is_open {
            let words = format!(
                "The client is open: what it sends from now on is not in the file. For the move itself run `rollcall client disable {slug}` first."
            );
            out.toned(Tone::Warning, words)?;
        }
        out.toned(
            Tone::Faint,
            "Passwords for the client's own servers, OpenPGP keys and zip passwords are not in it: enter them again there.",
        )
    })
}

pub(super) fn import(place: &Place, file: &Path, slug: Option<&str>) -> Outcome {
    let arrived = place.service_or_new()?.import_client(file, slug)?;
    place.out.either(&Shown::of(&arrived), |out, shown| {
        out.line(format!(
            "Imported {}: {}, as of {} (UTC).",
            shown.client,
            sum(shown),
            super::moment(shown.made_at)
        ))?;
        let slug = shown.client;
        out.line(format!("Look at it, then open it: rollcall client enable {slug}"))
    })
}
