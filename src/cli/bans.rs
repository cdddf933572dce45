//! `bans …`: addresses that are refused for a while, and those that never are.

use clap::Subcommand;

use super::{Outcome, Place};

/// `bans …`
#[derive(Debug, Subcommand)]
pub enum BansCommand {
    /// List the addresses that are refused now: each tried many logins that do not exist
    List,
    /// Take a ban back
    Lift {
        /// The address
        address: String,
    },
    /// List the addresses from which logins have succeeded lately; they are slowed by failures, never banned
    Familiar {
        /// Only those of this login
        login: Option<String>,
    },
}

pub(super) fn run(place: &Place, command: BansCommand) -> Outcome {
    let service = place.service()?;
    let out = place.out;
    match command {
        BansCommand::List => out.either(&service.bans()?, |out, bans| {
            if bans.is_empty() {
                return out.line("No address is banned.");
            }
            out.table(
                &["Address", "Since (UTC)", "Until (UTC)"],
                bans.iter().map(|ban| {
                    vec![ban.address.clone(), super::moment(ban.since), super::moment(ban.until)]
                }),
            )
        }),
        BansCommand::Lift { address } => {
            service.lift_ban(&address)?;
            out.either(&serde_json::json!({ "lifted": address }), |out, _| {
                out.line(format!("{address} may connect again."))
            })
        }
        BansCommand::Familiar { login } => {
            let found = service.familiar_addresses(login.as_deref())?;
            out.either(&found, |out, found| {
                if found.is_empty() {
                    return out.line("Nobody has logged in lately.");
                }
                out.table(
                    &["Address", "Login", "Last noted (UTC)"],
                    found.iter().map(|one| {
                        vec![one.address.clone(), one.login.clone(), super::moment(one.at)]
                    }),
                )
            })
        }
    }
}
