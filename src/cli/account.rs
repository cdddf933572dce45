//! `account …`: the logins that clients' programs use.

use std::io::Read;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::output::Output;
use super::remote::{RemoteArgs, RemoteSetArgs, TestArgs, TrustArgs};
use super::sheet::{Here, gather};
use super::{Outcome, Place, read_text};
use crate::error::{Error, Kind};
use crate::model::{Account, AccountKey, Folder, Protocol};
use crate::service::Service;
use crate::service::accounts::{AccountPatch, NewAccount, NewPassword};
use crate::transport;

/// The longest password that standard input may give.
const MAX_PASSWORD_BYTES: u64 = 1024;

/// `account …`
#[derive(Debug, Subcommand)]
pub enum AccountCommand {
    /// Add an account and print its hand-out sheet, once
    Add(AddArgs),
    /// List the accounts, of one client or all
    List {
        /// The client
        client: Option<String>,
    },
    /// Show an account with its folders and keys
    Show {
        /// The account's login
        login: String,
    },
    /// Change an account
    Set {
        /// The account's login
        login: String,
        /// The name that people read
        #[arg(long)]
        name: Option<String>,
        /// Connection types: sftp,ftps,ftpes
        #[arg(long, value_delimiter = ',')]
        protocols: Option<Vec<Protocol>>,
        /// Host profile
        #[arg(long, value_name = "PROFILE")]
        host_profile: Option<String>,
        /// What is about the client's own server
        #[command(flatten)]
        remote: RemoteSetArgs,
    },
    /// Try an account on the client's own server, step by step
    Test(TestArgs),
    /// Show what the client's own server shows, or confirm it: before, nothing is sent to it
    Trust(TrustArgs),
    /// Show or change from where, until when and with which proofs an account may log in
    Rules(super::rules::RulesArgs),
    /// Show or change how much an account may use: sessions, idle time, sizes, a quota
    Limits(super::limits::LimitsArgs),
    /// Show or change what an account may do, everywhere or in one folder
    Rights(super::rules::RightsArgs),
    /// Give an account a new password and print it, once
    Password {
        /// The account's login
        login: String,
        /// Read the password from standard input instead of making one
        #[arg(long)]
        password_stdin: bool,
    },
    /// Public keys that may log in over SFTP
    #[command(subcommand)]
    Key(KeyCommand),
    /// Close an account: nobody can log in, live sessions end within seconds
    Disable {
        /// The account's login
        login: String,
    },
    /// Open a closed account again
    Enable {
        /// The account's login
        login: String,
    },
    /// Remove an account; its files stay on disk, the users in the directory
    Remove {
        /// The account's login
        login: String,
    },
}

/// `account add`
#[derive(Debug, Args)]
pub struct AddArgs {
    /// The client
    client: String,
    /// The account's name, such as "Payroll"
    name: String,
    /// The login (default: made from client and name); with --remote that on the client's server
    #[arg(long)]
    login: Option<String>,
    /// Presets for host name, connection types, folders and import settings (default: standard)
    #[arg(long, value_name = "PROFILE")]
    host_profile: Option<String>,
    /// Connection types: sftp,ftps,ftpes (default: those of the host profile)
    #[arg(long, value_delimiter = ',')]
    protocols: Option<Vec<Protocol>>,
    /// OpenSSH public key file that may log in over SFTP; can be repeated. With --remote: the private key
    /// (OpenSSH, PEM or PuTTY) with which we log in
    #[arg(long = "key", value_name = "FILE")]
    keys: Vec<PathBuf>,
    /// Read the password from standard input instead of making one
    #[arg(long, conflicts_with = "no_password")]
    password_stdin: bool,
    /// Keys only, no password
    #[arg(long, requires = "keys")]
    no_password: bool,
    /// What is about the client's own server
    #[command(flatten)]
    remote: RemoteArgs,
}

/// `account key …`
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Let a public key log in
    Add {
        /// The account's login
        login: String,
        /// OpenSSH public key file, such as id_ed25519.pub
        file: PathBuf,
    },
    /// List the keys
    List {
        /// The account's login
        login: String,
    },
    /// Lock a key out
    Remove {
        /// The account's login
        login: String,
        /// The key's fingerprint, SHA256:…
        fingerprint: String,
    },
}

pub(super) fn run(place: &Place, command: AccountCommand) -> Outcome {
    let service = place.service()?;
    let out = place.out;
    match command {
        AccountCommand::Add(args) => add(place, &service, args),
        AccountCommand::List { client } => {
            out.either(&service.accounts(client.as_deref())?, |out, found| list(out, found))
        }
        AccountCommand::Show { login } => show(place, &service, &login),
        AccountCommand::Set { login, name, protocols, host_profile, remote } => {
            let patch = AccountPatch { name, protocols, host_profile, enabled: None };
            set(out, &service, &login, &patch, remote)
        }
        AccountCommand::Test(args) => super::remote::test(out, &service, &args),
        AccountCommand::Trust(args) => super::remote::trust_command(out, &service, args),
        AccountCommand::Rules(args) => super::rules::rules(out, &service, &args),
        AccountCommand::Limits(args) => super::limits::run(out, &service, &args),
        AccountCommand::Rights(args) => super::rules::rights(out, &service, &args),
        AccountCommand::Password { login, password_stdin } => {
            let given = if password_stdin { Some(password_from_stdin()?) } else { None };
            let password = service.reset_password(&login, given)?;
            let shown = serde_json::json!({ "login": login, "password": password });
            out.either(&shown, |out, _| {
                out.line(format!("New password of {login}: {password}"))?;
                out.line("It is shown this once; the old one no longer works.")
            })
        }
        AccountCommand::Key(command) => keys(out, &service, command),
        AccountCommand::Disable { login } => {
            let account = service.set_account_enabled(&login, false)?;
            out.either(&account, |out, a| out.line(format!("Account {} is closed.", a.login)))
        }
        AccountCommand::Enable { login } => {
            let account = service.set_account_enabled(&login, true)?;
            out.either(&account, |out, a| out.line(format!("Account {} is open.", a.login)))
        }
        AccountCommand::Remove { login } => {
            let is_remote = service.account(&login)?.remote.is_some();
            service.remove_account(&login)?;
            let left = if is_remote { "its secret is forgotten" } else { "its files stay on disk" };
            out.either(&serde_json::json!({ "removed": login }), |out, _| {
                out.line(format!("Account {login} removed; {left}."))
            })
        }
    }
}

fn set(
    out: Output,
    service: &Service,
    login: &str,
    patch: &AccountPatch,
    remote: RemoteSetArgs,
) -> Outcome {
    let has_patch =
        patch.name.is_some() || patch.protocols.is_some() || patch.host_profile.is_some();
    let hosted = service.account(login)?.remote.is_none();
    if let Some(new) = remote.login.clone().filter(|_| hosted) {
        let account = service.set_account_and_login(login, patch, &new)?;
        return out.either(&account, card);
    }
    let standing = super::remote::set(service, login, remote)?;
    match standing {
        Some(standing) if !has_patch => out.either(&standing, super::remote::card),
        _ => out.either(&service.set_account(login, patch)?, card),
    }
}

fn add(place: &Place, service: &Service, args: AddArgs) -> Outcome {
    if args.remote.is_asked_for() {
        let how = (args.login, args.keys.as_slice(), args.password_stdin);
        return super::remote::add(place, service, (args.client, args.name), how, args.remote);
    }
    let keys = args.keys.iter().map(|file| read_text(file)).collect::<Outcome<Vec<_>>>()?;
    let password = match (args.password_stdin, args.no_password) {
        (true, _) => NewPassword::Given(password_from_stdin()?),
        (false, true) => NewPassword::None,
        (false, false) => NewPassword::Generated,
    };
    let client = service.client(&args.client)?;
    let added = service.add_account(&NewAccount {
        client: args.client,
        name: args.name,
        login: args.login,
        host_profile: args.host_profile.unwrap_or_else(|| "standard".to_owned()),
        protocols: args.protocols,
        password,
        keys,
    })?;
    // Before the first start too: a sheet without fingerprints is no use.
    transport::make_identity(service, &place.global.certs)?;
    let (config, data, certs) = (&*place.config, &*place.global.data, &*place.global.certs);
    let here = Here { config, data, certs };
    let sheet = gather(here, &added.account, (&added.folders, &added.keys), added.password)?;
    place.out.either(&sheet, |out, sheet| out.bytes(sheet.text(client.language).as_bytes()))
}

fn show(place: &Place, service: &Service, login: &str) -> Outcome {
    let account = service.account(login)?;
    let folders = service.folders(login)?;
    if account.remote.is_some() {
        return show_remote(place, service, &account, &folders);
    }
    let keys = service.keys(login)?;
    if place.out.is_json() {
        let mut shown = serde_json::to_value(&account).map_err(super::Stop::from_json)?;
        if let Some(object) = shown.as_object_mut() {
            object.insert("folders".to_owned(), serde_json::json!(folders));
            object.insert("keys".to_owned(), serde_json::json!(keys));
        }
        return place.out.json(&shown);
    }
    card(place.out, &account)?;
    place.out.line("")?;
    super::folder::list(place.out, login, &folders)?;
    if keys.is_empty() {
        return Ok(());
    }
    place.out.line("")?;
    key_list(place.out, login, &keys)
}

fn show_remote(place: &Place, service: &Service, account: &Account, folders: &[Folder]) -> Outcome {
    let standing = service.remote_standing(&account.login)?;
    if place.out.is_json() {
        let mut shown = serde_json::to_value(account).map_err(super::Stop::from_json)?;
        if let Some(object) = shown.as_object_mut() {
            object.insert("folders".to_owned(), serde_json::json!(folders));
            object.insert("server".to_owned(), serde_json::json!(standing));
        }
        return place.out.json(&shown);
    }
    place.out.pairs(&[
        ("Account", account.login.clone()),
        ("Client", account.client.clone()),
        ("Name", account.name.clone()),
        ("Open", if account.enabled { "yes" } else { "no" }.to_owned()),
        ("Since (UTC)", super::moment(account.created_at)),
    ])?;
    super::remote::card(place.out, &standing)?;
    place.out.line("")?;
    super::folder::list(place.out, &account.login, folders)
}

fn keys(out: Output, service: &Service, command: KeyCommand) -> Outcome {
    match command {
        KeyCommand::Add { login, file } => {
            let added = service.add_key(&login, &read_text(&file)?)?;
            out.either(&added, |out, added| {
                added.iter().try_for_each(|key| {
                    out.line(format!("Key {} may log in as {login}.", key.fingerprint))
                })
            })
        }
        KeyCommand::List { login } => {
            out.either(&service.keys(&login)?, |out, keys| key_list(out, &login, keys))
        }
        KeyCommand::Remove { login, fingerprint } => {
            service.remove_key(&login, &fingerprint)?;
            out.either(&serde_json::json!({ "removed": fingerprint }), |out, _| {
                out.line(format!("Key {fingerprint} can no longer log in as {login}."))
            })
        }
    }
}

/// Accounts as a table.
pub(super) fn list(out: Output, accounts: &[Account]) -> Outcome {
    if accounts.is_empty() {
        return out.line("No account yet. Add one: rollcall account add CLIENT NAME");
    }
    out.table(
        &["Login", "Client", "Name", "Types", "Open", "Last login (UTC)"],
        accounts.iter().map(|a| {
            let types = types(a);
            let open = if a.enabled { "yes" } else { "no" }.to_owned();
            let last = a.last_login_at.map_or("never".to_owned(), super::moment);
            vec![a.login.clone(), a.client.clone(), a.name.clone(), types, open, last]
        }),
    )
}

fn card(out: Output, account: &Account) -> Outcome {
    out.pairs(&[
        ("Login", account.login.clone()),
        ("Client", account.client.clone()),
        ("Name", account.name.clone()),
        ("Types", types(account)),
        ("Host profile", account.host_profile.clone()),
        (
            "Password",
            if account.remote.is_some() {
                "for the client's server"
            } else if account.has_password {
                "set"
            } else {
                "none, keys only"
            }
            .to_owned(),
        ),
        ("Open", if account.enabled { "yes" } else { "no" }.to_owned()),
        ("Since (UTC)", super::moment(account.created_at)),
        ("Last login (UTC)", account.last_login_at.map_or("never".to_owned(), super::moment)),
    ])
}

fn types(account: &Account) -> String {
    let names: Vec<&str> = account.protocols.iter().map(|p| p.name()).collect();
    let names = names.join(" ");
    match &account.remote {
        Some(server) => format!("{names} at {}:{}", server.host, server.port),
        None => names,
    }
}

fn key_list(out: Output, login: &str, keys: &[AccountKey]) -> Outcome {
    if keys.is_empty() {
        return out
            .line(format!("No key. Add one: rollcall account key add {login} id_ed25519.pub"));
    }
    out.table_with_id(
        &["Fingerprint", "Comment", "Added (UTC)"],
        0,
        keys.iter()
            .map(|k| vec![k.fingerprint.clone(), k.comment.clone(), super::moment(k.added_at)]),
    )
}

pub(super) fn password_from_stdin() -> Outcome<String> {
    let mut text = String::new();
    std::io::stdin()
        .lock()
        .take(MAX_PASSWORD_BYTES + 1)
        .read_to_string(&mut text)
        .map_err(|e| Error::io("reading the password from standard input", e))?;
    let password = text.strip_suffix('\n').unwrap_or(&text);
    let password = password.strip_suffix('\r').unwrap_or(password);
    if password.is_empty() {
        let words = "standard input is empty; pipe the password in: printf %s SECRET | rollcall account add … --password-stdin";
        return Err(Error::new(Kind::Invalid, words).into());
    }
    Ok(password.to_owned())
}
