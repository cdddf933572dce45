//! `client …`: the organisations.

use std::str::FromStr;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::output::Output;
use super::{Outcome, Place, Stop};
use crate::config::Retention;
use crate::error::{Error, Kind};
use crate::model::{Client, Language};
use crate::service::clients::{ClientPatch, Erased, NewClient, RetentionPatch};

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
        #[command(flatten)]
        kept: KeptArgs,
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
    /// Write everything of a client to one file, for another server; close the client first
    Export {
        /// The client
        slug: String,
        /// A new file
        file: PathBuf,
    },
    /// Bring a client in that another server has exported
    Import {
        /// The file
        file: PathBuf,
        /// The client's short name here (default: the one that it had)
        #[arg(long, value_name = "SLUG")]
        slug: Option<String>,
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

/// How long a client's things are kept: a number, or "default" for the server's own setting (docs/retention.md).
#[derive(Debug, Args)]
pub struct KeptArgs {
    /// Received files of finished imports; 0: for ever
    #[arg(long, value_name = "DAYS")]
    archive_days: Option<Kept>,
    /// Reports; 0: for ever
    #[arg(long, value_name = "DAYS")]
    reports_days: Option<Kept>,
    /// The history of values, which --as-of and undo need; 0: for ever
    #[arg(long, value_name = "DAYS")]
    history_days: Option<Kept>,
    /// After how many months those who left, and are in no file any more, get pseudonyms; 0: never
    #[arg(long, value_name = "MONTHS")]
    pseudonymise_after_months: Option<Kept>,
}

/// A number of days or months, or the server's own setting.
#[derive(Debug, Clone, Copy)]
struct Kept(Option<u32>);

impl FromStr for Kept {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "default" {
            return Ok(Self(None));
        }
        let number =
            text.parse().map_err(|_| format!("\"{text}\" is neither a number nor \"default\""))?;
        Ok(Self(Some(number)))
    }
}

impl KeptArgs {
    /// What the arguments change of the client's own periods.
    fn patch(&self) -> RetentionPatch {
        let given = |kept: Option<Kept>| kept.map(|kept| kept.0);
        RetentionPatch {
            archive_days: given(self.archive_days),
            reports_days: given(self.reports_days),
            history_days: given(self.history_days),
            pseudonymise_after_months: given(self.pseudonymise_after_months),
        }
    }
}

pub(super) fn run(place: &Place, command: ClientCommand) -> Outcome {
    // Scripts ask whether a client is there before they add the first one.
    let begins = matches!(
        command,
        ClientCommand::Add { .. } | ClientCommand::Import { .. } | ClientCommand::List
    );
    let service = if begins { place.service_or_new()? } else { place.service()? };
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
            let (_, retention) = service.client_retention(&slug)?;
            if out.is_json() {
                let accounts = &accounts;
                return out.json(&WithAccounts { client: &client, retention, accounts });
            }
            card(out, &client)?;
            out.pairs(&kept(&retention))?;
            out.line("")?;
            super::account::list(out, &accounts)
        }
        ClientCommand::Set { slug, name, language, time_zone, kept } => {
            let retention = kept.patch();
            let patch = ClientPatch { name, language, time_zone, enabled: None, retention };
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
        ClientCommand::Export { slug, file } => super::moving::export(place, &slug, &file),
        ClientCommand::Import { file, slug } => {
            super::moving::import(place, &file, slug.as_deref())
        }
        ClientCommand::Erase { slug, confirm } => {
            check_confirmation(&slug, &confirm)?;
            erased(out, &slug, service.erase_client(&slug)?)
        }
    }
}

fn erased(out: Output, slug: &str, erased: Erased) -> Outcome {
    let is_whole = erased == Erased::Wholly;
    out.either(&serde_json::json!({ "erased": slug, "log_is_empty": is_whole }), |out, _| {
        out.line(format!("Client {slug} is erased."))?;
        if !is_whole {
            out.line(
                "Another program is reading registry.db just now: the client's name leaves its log (registry.db-wal) with the server's next hourly sweep.",
            )?;
        }
        Ok(())
    })
}

#[derive(serde::Serialize)]
struct WithAccounts<'a> {
    #[serde(flatten)]
    client: &'a Client,
    retention: Retention,
    accounts: &'a [crate::model::Account],
}

/// How long things are kept, in words.
fn kept(retention: &Retention) -> Vec<(&'static str, String)> {
    let days = |days: u32| match days {
        0 => "for ever".to_owned(),
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    };
    let pseudonyms = match retention.pseudonymise_after_months {
        0 => "never".to_owned(),
        1 => "1 month after the last day".to_owned(),
        months => format!("{months} months after the last day"),
    };
    vec![
        ("Received files", days(retention.archive_days)),
        ("Reports", days(retention.reports_days)),
        ("History", days(retention.history_days)),
        ("Pseudonyms", pseudonyms),
    ]
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
