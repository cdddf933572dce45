//! `account rules` and `account rights`: from where, until when, with which proofs, what an account may do.

use clap::Args;
use jiff::civil::Date;

use super::Outcome;
use super::output::Output;
use crate::error::{Error, Kind};
use crate::model::{AccountRules, Network, Rights};
use crate::service::Service;
use crate::service::rules::RulesPatch;

/// `account rules`
#[derive(Debug, Args)]
pub struct RulesArgs {
    /// The account's login
    login: String,
    /// Networks from which it may log in: 192.0.2.0/24,2001:db8::/32; `any`: from everywhere
    #[arg(long, value_name = "NETWORKS")]
    allow_from: Option<String>,
    /// The last day on which it may log in, in its client's time zone: 2027-01-31; `never`: for ever
    #[arg(long, value_name = "DAY")]
    expires: Option<String>,
    /// Whether a key and then the password are needed (SFTP only; FTPS has no keys)
    #[arg(long, value_name = "true|false")]
    key_and_password: Option<bool>,
    /// Whether FTPS uploads may end without TLS close_notify (old .NET programs)
    #[arg(long, value_name = "true|false")]
    lenient_data_end: Option<bool>,
}

/// `account rights`
#[derive(Debug, Args)]
pub struct RightsArgs {
    /// The account's login
    login: String,
    /// list,read,write,overwrite,append,delete,rename,mkdir; `all`; `none`; with --folder also `account`: as the account
    rights: Option<String>,
    /// Only in this folder and below it
    #[arg(long, value_name = "NAME")]
    folder: Option<String>,
}

pub(super) fn rules(out: Output, service: &Service, args: &RulesArgs) -> Outcome {
    let patch = RulesPatch {
        allow_from: args.allow_from.as_deref().map(networks).transpose()?,
        last_day: args.expires.as_deref().map(last_day).transpose()?,
        needs_both: args.key_and_password,
        lenient_data_end: args.lenient_data_end,
        rights: None,
    };
    let asks = args.allow_from.is_none()
        && args.expires.is_none()
        && args.key_and_password.is_none()
        && args.lenient_data_end.is_none();
    let rules = if asks {
        service.account_rules(&args.login)?
    } else {
        service.set_account_rules(&args.login, &patch)?
    };
    out.either(&rules, card)
}

pub(super) fn rights(out: Output, service: &Service, args: &RightsArgs) -> Outcome {
    match (&args.rights, &args.folder) {
        (None, _) => {}
        (Some(rights), None) => {
            let rights = Some(parse(rights)?);
            service
                .set_account_rules(&args.login, &RulesPatch { rights, ..RulesPatch::default() })?;
        }
        (Some(rights), Some(folder)) => {
            let own = rights != "account";
            let rights = own.then(|| parse(rights)).transpose()?;
            service.set_folder_rights(&args.login, folder, rights)?;
        }
    }
    show(out, service, &args.login)
}

fn show(out: Output, service: &Service, login: &str) -> Outcome {
    let account = service.account_rules(login)?.rights;
    let folders = service.folder_rights(login)?;
    if out.is_json() {
        let folders: Vec<_> = folders
            .iter()
            .map(|(path, rights)| serde_json::json!({ "path": path, "rights": rights }))
            .collect();
        return out.json(&serde_json::json!({ "rights": account, "folders": folders }));
    }
    let rows = std::iter::once(vec!["everywhere else".to_owned(), account.to_string()]);
    let own = folders.iter().map(|(path, rights)| vec![path.to_string(), rights.to_string()]);
    out.table(&["Where", "Rights"], own.chain(rows))
}

fn card(out: Output, rules: &AccountRules) -> Outcome {
    let networks: Vec<String> = rules.allow_from.iter().map(Network::to_string).collect();
    let yes = |on: bool| if on { "yes" } else { "no" }.to_owned();
    out.pairs(&[
        (
            "Log in from",
            if networks.is_empty() { "anywhere".to_owned() } else { networks.join(" ") },
        ),
        ("Ends at (UTC)", rules.expires_at.map_or("never".to_owned(), super::moment)),
        ("Key and password", yes(rules.needs_both)),
        ("Lenient data end", yes(rules.lenient_data_end)),
        ("Rights", rules.rights.to_string()),
    ])
}

fn networks(text: &str) -> Result<Vec<Network>, Error> {
    if text == "any" {
        return Ok(Vec::new());
    }
    text.split(',').map(|one| one.parse().map_err(|e| Error::new(Kind::Invalid, e))).collect()
}

fn last_day(text: &str) -> Result<Option<Date>, Error> {
    if text == "never" {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|e| {
        let message = format!("\"{text}\" is not a day; write for example 2027-01-31, or never");
        Error::caused(Kind::Invalid, message, e)
    })
}

fn parse(text: &str) -> Result<Rights, Error> {
    text.parse().map_err(|e: String| Error::new(Kind::Invalid, e))
}
