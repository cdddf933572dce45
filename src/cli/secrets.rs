//! `secrets …`: the key under which stored passwords and keys are sealed.

use clap::Subcommand;

use super::output::Tone;
use super::{Outcome, Place};

/// `secrets …`
#[derive(Debug, Subcommand)]
pub enum SecretsCommand {
    /// Show where the sealing key lies and whether it opens everything; never the key
    Show,
    /// Exchange the sealing key: everything is sealed anew, then the old key goes
    Rotate,
}

pub(super) fn run(place: &Place, command: &SecretsCommand) -> Outcome {
    let service = place.service()?;
    let out = place.out;
    match command {
        SecretsCommand::Show => out.either(&service.vault_state()?, |out, state| {
            out.pairs(&[
                ("Key file", state.file.display().to_string()),
                ("There", if state.exists { "yes" } else { "no" }.to_owned()),
                ("Sealed values", state.sealed.to_string()),
                ("Not to be opened", state.closed.len().to_string()),
            ])?;
            for (place, why) in &state.closed {
                out.toned(Tone::Bad, place)?;
                out.paragraph(2, "", why)?;
            }
            if state.unfinished {
                out.toned(Tone::Warning, "An exchange was cut short: rollcall secrets rotate")?;
            }
            Ok(())
        }),
        SecretsCommand::Rotate => {
            let count = service.rotate_sealing_key()?;
            let file = service.key_file();
            let shown = serde_json::json!({ "resealed": count, "key_file": file });
            out.either(&shown, |out, _| {
                out.line(format!("{count} secrets are sealed under a new key in {}.", file.display()))?;
                out.line(
                    "Back up the key file and the data now: older backups of the data need the older key file.",
                )
            })
        }
    }
}
