//! `keys …`: the exchange of the server's SSH host keys, step by step.

use clap::Subcommand;

use super::{Outcome, Place};
use crate::service::owner;
use crate::transport::{self, StoredKey};

/// `keys …`
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Show the host keys: those of now, those prepared, those from before
    Show,
    /// Make the next keys, to tell clients before they are used
    Prepare,
    /// Use the next keys from the next start on; the present ones become the old ones
    Switch,
    /// Remove the old keys, once nobody needs them
    Forget,
}

pub(super) fn run(place: &Place, command: &KeysCommand) -> Outcome {
    owner::check_keys(&place.global.data, &place.global.certs)?;
    let ring = transport::key_ring(&place.global.data, &place.global.certs);
    let then = match command {
        KeysCommand::Show => "",
        KeysCommand::Prepare => {
            ring.prepare()?;
            "Send your clients the fingerprints or public keys under \"next\". When they know them: rollcall keys switch."
        }
        KeysCommand::Switch => {
            ring.switch()?;
            "Restart the server now: until then it shows the keys under \"before\"."
        }
        KeysCommand::Forget => {
            ring.forget()?;
            "The old keys are gone."
        }
    };
    let out = place.out;
    out.either(&ring.keys()?, |out, keys: &Vec<StoredKey>| {
        out.table(
            &["When", "Kind", "Fingerprint", "Public key"],
            keys.iter().map(|key| {
                let when = key.stage.name().to_owned();
                vec![when, key.kind.clone(), key.fingerprint.clone(), key.public_key.clone()]
            }),
        )?;
        if then.is_empty() { Ok(()) } else { out.line(then) }
    })
}
