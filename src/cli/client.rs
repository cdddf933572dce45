//! `client …`: the organisations.

use clap::Subcommand;

use super::output::Output;
use super::{Outcome, Place, Stop};
use crate::error::{Error, Kind};
use crate::model::{Client, Language};
use crate::service::clients::{ClientPatch, NewClient};

/// `client …`
#[derive(Debug, Subcommand)]
pub enum ClientCommand {
    /// Add a client
    Add {
        /// Short name in commands and on disk: a-z, 0-9 and "-"
        slug: String,
        /// The name that people read (default: the short name)
        #[arg(long)]
        name: Option<String>,
        /// Language of reports and hand-out sheets: en, fr or de
        #[arg(long, default_value = "en")]
        language: Language,
        /// IANA time zone: its day decides who is upcoming, active or ended
        #[arg(long, default_value = "UTC", value_name = "ZONE")]
        time_zone: String,
    },
    /// List the clients
    List,
    /// Show a client and its accounts
    Show {
        /// The client
        slug: String,
    },
    /// Change a client
    Set {
        /// The client
        slug: String,
        /// The name that people read
        #[arg(long)]
        name: Option<String>,
        /// Language of reports and hand-out sheets: en, fr or de
        #[arg(long)]
        language: Option<Language>,
        /// IANA time zone, such as Europe/Paris
        #[arg(long, value_name = "ZONE")]
        time_zone: Option<String>,
    },
    /// Close a client: its accounts cannot log in, live sessions end
    Disable {
        /// The client
        slug: String,
    },
    /// Open a closed client again
    Enable {
        /// The client
        slug: String,
    },
    /// Erase a client with its accounts, files, users and history, for ever
    Erase {
        /// The client
        slug: String,
        /// The client's short name once more: nothing can bring it back
        #[arg(long, value_name = "SLUG")]
        confirm: String,
    },
}

pub(super) fn run(place: &Place, command: ClientCommand) -> Outcome {
    let service = place.service()?;
    let out = place.out;
    match command {
        ClientCommand::Add { slug, name, language, time_zone } => {
            let name = name.unwrap_or_default();
            let client = service.add_client(NewClient { slug, name, language, time_zone })?;
            out.either(&client, |out, client| {
                out.line(format!("Client {} added.", client.slug))?;
                out.line(format!("Next: rollcall account add {} NAME", client.slug))
            })
        }
        ClientCommand::List => out.either(&service.clients()?, |out, clients| list(out, clients)),
        ClientCommand::Show { slug } => {
            let client = service.client(&slug)?;
            let accounts = service.accounts(Some(&slug))?;
            if out.is_json() {
                return out.json(&WithAccounts { client: &client, accounts: &accounts });
            }
            card(out, &client)?;
            out.line("")?;
            super::account::list(out, &accounts)
        }
        ClientCommand::Set { slug, name, language, time_zone } => {
            let patch = ClientPatch { name, language, time_zone, enabled: None };
            out.either(&service.set_client(&slug, &patch)?, card)
        }
        ClientCommand::Disable { slug } => {
            let client = service.set_client_enabled(&slug, false)?;
            out.either(&client, |out, c| out.line(format!("Client {} is closed.", c.slug)))
        }
        ClientCommand::Enable { slug } => {
            let client = service.set_client_enabled(&slug, true)?;
            out.either(&client, |out, c| out.line(format!("Client {} is open.", c.slug)))
        }
        ClientCommand::Erase { slug, confirm } => {
            check_confirmation(&slug, &confirm)?;
            service.erase_client(&slug)?;
            out.either(&serde_json::json!({ "erased": slug }), |out, _| {
                out.line(format!("Client {slug} is erased."))
            })
        }
    }
}

#[derive(serde::Serialize)]
struct WithAccounts<'a> {
    #[serde(flatten)]
    client: &'a Client,
    accounts: &'a [crate::model::Account],
}

fn list(out: Output, clients: &[Client]) -> Outcome {
    if clients.is_empty() {
        return out.line("No client yet. Add one: rollcall client add acme --name \"Acme SA\"");
    }
    out.table(
        &["Client", "Name", "Language", "Time zone", "Open"],
        clients.iter().map(|c| {
            let open = if c.enabled { "yes" } else { "no" };
            vec![&*c.slug, &*c.name, c.language.code(), &*c.time_zone, open]
        }),
    )
}

fn card(out: Output, client: &Client) -> Outcome {
    out.pairs(&[
        ("Client", client.slug.clone()),
        ("Name", client.name.clone()),
        ("Language", client.language.code().to_owned()),
        ("Time zone", client.time_zone.clone()),
        ("Open", if client.enabled { "yes" } else { "no" }.to_owned()),
        ("Since", client.created_at.to_string()),
    ])
}

fn check_confirmation(slug: &str, confirm: &str) -> Result<(), Stop> {
    if slug == confirm {
        return Ok(());
    }
    let words = format!(
        "--confirm \"{confirm}\" is not \"{slug}\": nothing was erased; repeat the short name of the client to erase"
    );
    Err(Error::new(Kind::Invalid, words).into())
}
