//! `tokens …`: keys of other programs to the REST API.

use clap::{Args, Subcommand};
use serde::Serialize;

use super::output::Output;
use super::{Outcome, Place, moment};
use crate::model::{ApiToken, Scope};
use crate::service::tokens::{NewToken, end_of_day};

/// `tokens …`
#[derive(Debug, Subcommand)]
pub enum TokensCommand {
    /// Make an API token and print it, once
    Add(AddArgs),
    /// List the API tokens, the newest first
    List,
    /// Revoke an API token, at once
    Revoke {
        /// Its number, as `tokens list` prints it
        id: i64,
    },
}

/// `tokens add`
#[derive(Debug, Args)]
pub struct AddArgs {
    /// What people call it, such as "Payroll connector"
    name: String,
    /// What it may do: read, try, run, arrange, govern
    #[arg(long = "scope", value_delimiter = ',', required = true, value_name = "SCOPES")]
    scopes: Vec<Scope>,
    /// Only this client
    #[arg(long, value_name = "SLUG")]
    client: Option<String>,
    /// The last day on which it works, such as 2027-01-31
    #[arg(long, value_name = "DAY")]
    expires: Option<String>,
}

/// A new token with its text.
#[derive(Serialize)]
struct Made {
    #[serde(flatten)]
    about: ApiToken,
    token: String,
}

pub(super) fn run(place: &Place, command: TokensCommand) -> Outcome {
    let begins = matches!(command, TokensCommand::Add(_));
    let service = if begins { place.service_or_new()? } else { place.service()? };
    let out = place.out;
    match command {
        TokensCommand::Add(args) => {
            let expires_at = args.expires.as_deref().map(end_of_day).transpose()?;
            let new =
                NewToken { name: args.name, client: args.client, scopes: args.scopes, expires_at };
            let (about, token) = service.add_api_token(&new)?;
            out.either(&Made { about, token }, |out, made| {
                out.line(format!("Token {}, shown this once:", made.about.id))?;
                out.line(format!("  {}", made.token))?;
                out.line("Programs send it as: Authorization: Bearer TOKEN")
            })
        }
        TokensCommand::List => {
            let now = service.clock().now();
            out.either(&service.api_tokens()?, |out, all| list(out, all, now))
        }
        TokensCommand::Revoke { id } => out.either(&service.revoke_api_token(id)?, |out, gone| {
            out.line(format!("Token {} ({}) is refused from now on.", gone.id, gone.name))
        }),
    }
}

fn list(out: Output, all: &[ApiToken], now: jiff::Timestamp) -> Outcome {
    if all.is_empty() {
        return out
            .line("There is no API token; make one with: rollcall tokens add NAME --scope read");
    }
    out.table(
        &["Token", "Name", "Scopes", "Client", "State", "Ends (UTC)", "Last used (UTC)"],
        all.iter().map(|one| {
            let scopes: Vec<&str> = one.scopes.iter().map(|scope| scope.name()).collect();
            let state = match one.revoked_at {
                Some(_) => "revoked",
                None if one.expires_at.is_some_and(|end| end <= now) => "over",
                None => "active",
            };
            vec![
                one.id.to_string(),
                one.name.clone(),
                scopes.join(","),
                one.client.clone().unwrap_or_else(|| "all".to_owned()),
                state.to_owned(),
                one.expires_at.map(moment).unwrap_or_default(),
                one.last_used_at.map(moment).unwrap_or_default(),
            ]
        }),
    )
}
