//! The command line: its words, and one file for each family of commands.

mod account;
mod admin;
mod alarms;
mod backup;
mod bans;
pub mod bound;
mod check;
mod client;
mod drops;
mod exports;
mod fetch;
mod folder;
pub mod history;
mod hooks;
mod identity;
mod import;
mod imports;
mod inspect;
mod keys;
mod limits;
mod lists;
mod log;
mod mail;
mod manager;
mod mappings;
mod moving;
mod openpgp;
mod outbox;
pub mod output;
mod remote;
mod rules;
mod schedule;
mod secrets;
pub mod serve;
mod settings;
pub mod sheet;
pub mod story;
mod template;
mod tokens;
pub mod users;
mod webhooks;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};
use jiff::Timestamp;

use crate::clock::Clock;
use crate::config::Config;
use crate::error::{Error, Kind};
use crate::service::Service;
use output::Output;

/// The largest key or settings file that is read.
const MAX_TEXT_BYTES: u64 = 1024 * 1024;

/// Receives each client's payroll CSV over SFTP, FTPS and FTPES, imports it the moment the upload
/// completes, and lays a report next to it.
#[derive(Debug, Parser)]
#[command(name = "rollcall", version, max_term_width = 100)]
#[command(
    after_help = "Try it: rollcall demo\nEvery command explains itself: rollcall COMMAND --help"
)]
pub struct Cli {
    /// Where things lie, and how to print.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// Configuration file; without it rollcall.toml is read if it is there
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "ROLLCALL_CONFIG",
        help_heading = "Everywhere"
    )]
    pub config: Option<PathBuf>,
    /// Folder of the databases and the clients' files
    #[arg(
        long,
        global = true,
        value_name = "FOLDER",
        env = "ROLLCALL_DATA",
        default_value = "data",
        help_heading = "Everywhere"
    )]
    pub data: PathBuf,
    /// Folder of the certificate and the keys
    #[arg(
        long,
        global = true,
        value_name = "FOLDER",
        env = "ROLLCALL_CERTS",
        default_value = "certs",
        help_heading = "Everywhere"
    )]
    pub certs: PathBuf,
    /// Print JSON for programs instead of words for people
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub json: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server: SFTP, FTPS, FTPES and the imports
    Serve,
    /// Show the whole story in a temporary folder: accounts, uploads, reports, directory
    Demo(DemoArgs),
    /// Everything that is done in one go, beside a running server or without one.
    #[command(flatten)]
    Plain(Box<PlainCommand>),
}

/// The commands that do one thing and end.
#[derive(Debug, Subcommand)]
pub enum PlainCommand {
    /// Clients: the organisations, one user directory each
    #[command(subcommand)]
    Client(client::ClientCommand),
    /// Accounts: the logins that clients' programs use
    #[command(subcommand)]
    Account(account::AccountCommand),
    /// Remote folders of an account
    #[command(subcommand)]
    Folder(folder::FolderCommand),
    /// Import settings of an import folder, as TOML
    #[command(subcommand)]
    Settings(settings::SettingsCommand),
    /// Reference lists of a client: departments, legal entities, profiles …
    #[command(subcommand)]
    Lists(lists::ListsCommand),
    /// Their codes and ours: what files bring that nobody knows, and what it stands for
    #[command(subcommand)]
    Mappings(mappings::MappingsCommand),
    /// OpenPGP keys of a client: ours to send to, partners' to check signatures and to encrypt for
    #[command(subcommand)]
    Pgp(openpgp::PgpCommand),
    /// Import a file from this machine into a client's directory
    Import(import::ImportArgs),
    /// Exports: users of a client as files for other programs
    #[command(subcommand)]
    Exports(exports::ExportsCommand),
    /// Imports and their reports
    #[command(subcommand)]
    Imports(imports::ImportsCommand),
    /// Hand a file over through an export folder: the client's program fetches it, or it is delivered
    Drop(drops::DropArgs),
    /// Files that were handed over, and what became of them
    #[command(subcommand)]
    Drops(drops::DropsCommand),
    /// Look at an import folder on the client's own server now, and import what is complete there
    Fetch(fetch::FetchArgs),
    /// What was seen and fetched in import folders on the client's own server
    Fetches(fetch::FetchesArgs),
    /// What is to be sent: e-mails, hooks, deliveries
    #[command(subcommand)]
    Outbox(outbox::OutboxCommand),
    /// What happens by the clock, and when next
    #[command(subcommand)]
    Schedule(schedule::ScheduleCommand),
    /// What somebody should look at: files that did not come, servers that are not reached …
    Alarms(alarms::AlarmsArgs),
    /// Users of a client's directory
    #[command(subcommand)]
    Users(users::UsersCommand),
    /// Show how a file is read, without importing it
    Inspect(inspect::InspectArgs),
    /// Print an empty CSV for an import folder: the header and one example row
    Template(template::TemplateArgs),
    /// Programs and addresses that are told of imports
    #[command(subcommand)]
    Hooks(hooks::HooksCommand),
    /// Addresses that are told what happens: imports, users, alarms …
    #[command(subcommand)]
    Webhooks(webhooks::WebhooksCommand),
    /// What has happened, for other programs: one list, in order
    Events(webhooks::EventsArgs),
    /// E-mails about imports and alarms
    #[command(subcommand)]
    Mail(mail::MailCommand),
    /// What accounts did over their connections: logins, transfers, refusals
    Log(log::LogArgs),
    /// Who may sign in to the administration page
    #[command(subcommand)]
    Admin(admin::AdminCommand),
    /// Keys of other programs to the REST API
    #[command(subcommand)]
    Tokens(tokens::TokensCommand),
    /// Addresses that are refused for a while
    #[command(subcommand)]
    Bans(bans::BansCommand),
    /// The server's SSH host keys, and their exchange for new ones
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Copy the data folder as of now to a new folder, while the server runs
    Backup(backup::BackupArgs),
    /// Make the data folder (--data) from a backup
    Restore(backup::RestoreArgs),
    /// The key under which stored passwords and keys are sealed
    #[command(subcommand)]
    Secrets(secrets::SecretsCommand),
    /// Look for what is wrong with this installation, and say how to mend it
    Check,
}

/// Options of `demo`.
#[derive(Debug, Clone, Args)]
pub struct DemoArgs {
    /// End after the story instead of staying up
    #[arg(long)]
    pub once: bool,
}

/// Why a command ends early.
#[derive(Debug)]
pub enum Stop {
    /// Refused or failed; the message goes to standard error, exit code 1.
    Refused(Error),
    /// Everything was said already; this exit code.
    Quiet(u8),
}

impl Stop {
    /// Printing failed: a reader that went away (`| head`) is no fault.
    fn from_printing(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Self::Quiet(0);
        }
        Self::Refused(Error::io("writing to standard output", error))
    }

    /// A value could not be written as JSON, or read back.
    pub(crate) fn from_json(error: serde_json::Error) -> Self {
        Self::Refused(Error::caused(Kind::Internal, format!("writing JSON: {error}"), error))
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

/// A command's result.
pub type Outcome<T = ()> = Result<T, Stop>;

/// What every command works with.
pub struct Place {
    /// Options of every command.
    pub global: Global,
    /// The configuration.
    pub config: Arc<Config>,
    /// Where to print.
    pub out: Output,
}

impl Place {
    /// Opens the data folder that is there.
    fn service(&self) -> Outcome<Service> {
        self.check_data()?;
        self.service_or_new()
    }

    /// Refuses a data folder that is not there: made by mistake it would look like one that lost everything.
    fn check_data(&self) -> Outcome {
        // Of one that cannot be looked into the opening says why.
        if !matches!(self.global.data.join("registry.db").try_exists(), Ok(false)) {
            return Ok(());
        }
        let message = format!(
            "there is no data folder at {} (give --data or set ROLLCALL_DATA)",
            self.global.data.display()
        );
        Err(Error::new(Kind::NotFound, message).into())
    }

    /// Opens the data folder; what may be the first thing that is done with one makes it.
    fn service_or_new(&self) -> Outcome<Service> {
        Ok(Service::open(Arc::clone(&self.config), &self.global.data, Clock::System)?)
    }
}

/// Runs one command.
///
/// # Errors
/// [`Stop`]: what to say and the exit code.
pub fn run(place: &Place, command: PlainCommand) -> Outcome {
    match command {
        PlainCommand::Client(command) => client::run(place, command),
        PlainCommand::Account(command) => account::run(place, command),
        PlainCommand::Folder(command) => folder::run(place, command),
        PlainCommand::Settings(command) => settings::run(place, command),
        PlainCommand::Lists(command) => lists::run(place, command),
        PlainCommand::Mappings(command) => mappings::run(place, command),
        PlainCommand::Pgp(command) => openpgp::run(place, command),
        PlainCommand::Import(args) => import::run(place, &args),
        PlainCommand::Exports(command) => exports::run(place, command),
        PlainCommand::Imports(command) => imports::run(place, command),
        PlainCommand::Drop(args) => drops::hand_over(place, &args),
        PlainCommand::Drops(command) => drops::run(place, command),
        PlainCommand::Fetch(args) => fetch::now(place, &args),
        PlainCommand::Fetches(args) => fetch::list(place, &args),
        PlainCommand::Outbox(command) => outbox::run(place, command),
        PlainCommand::Schedule(command) => schedule::run(place, command),
        PlainCommand::Alarms(args) => alarms::run(place, &args),
        PlainCommand::Users(command) => users::run(place, command),
        PlainCommand::Inspect(args) => inspect::run(place, &args),
        PlainCommand::Template(args) => template::run(place, &args),
        PlainCommand::Hooks(command) => hooks::run(place, command),
        PlainCommand::Webhooks(command) => webhooks::run(place, command),
        PlainCommand::Events(args) => webhooks::events(place, args),
        PlainCommand::Mail(command) => mail::run(place, command),
        PlainCommand::Log(args) => log::run(place.out, &place.service()?, &args),
        PlainCommand::Admin(command) => admin::run(place, command),
        PlainCommand::Tokens(command) => tokens::run(place, command),
        PlainCommand::Bans(command) => bans::run(place, command),
        PlainCommand::Keys(command) => keys::run(place, &command),
        PlainCommand::Backup(args) => backup::back_up(place, &args),
        PlainCommand::Restore(args) => backup::restore(place, &args),
        PlainCommand::Secrets(command) => secrets::run(place, &command),
        PlainCommand::Check => check::run(place),
    }
}

/// A day as it is typed behind an option.
fn day(text: &str) -> Result<jiff::civil::Date, String> {
    text.parse()
        .map_err(|_| "there is no such day; write it as year-month-day: 2026-03-31".to_owned())
}

/// An import's id as it is typed.
fn import_id(text: &str) -> Result<crate::model::UploadId, String> {
    text.parse().map_err(|_| {
        "this is no import's id; `rollcall imports list CLIENT` prints them".to_owned()
    })
}

/// An instant as people read it, to the second, in UTC.
fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// The text of a small file; `-` is standard input.
fn read_text(path: &Path) -> Outcome<String> {
    let fault = |e| Error::io(format!("reading {}", path.display()), e);
    let mut text = String::new();
    let limited = |input: &mut dyn Read, text: &mut String| {
        input.take(MAX_TEXT_BYTES).read_to_string(text).map_err(fault)
    };
    if path.as_os_str() == "-" {
        limited(&mut std::io::stdin().lock(), &mut text)?;
    } else {
        limited(&mut std::fs::File::open(path).map_err(fault)?, &mut text)?;
    }
    Ok(text)
}
