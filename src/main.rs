//! The composition root: parse, call, print.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use mimalloc::MiMalloc;
use rollcall::cli::output::{Output, straight};
use rollcall::cli::{Cli, Command, Outcome, Place, Stop};
use rollcall::config::{Config, Log, LogFormat};
use rollcall::error::{Error, Kind};
use tracing_subscriber::EnvFilter;

/// Imports make and drop many small strings on several threads.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop::Quiet(code)) => ExitCode::from(code),
        Err(Stop::Refused(error)) => {
            complain(&error);
            ExitCode::from(1)
        }
    }
}

fn run(cli: Cli) -> Outcome {
    // Everything that is made below holds personal data or keys: for this user only.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        return Err(Error::new(Kind::Internal, "TLS: a second crypto provider is linked in").into());
    }
    let mut config = Config::load(cli.global.config.as_deref())?;
    if config.secrets.key_file.is_none() {
        config.secrets.key_file = Some(sealing_key_file(&cli.global.certs));
    }
    let config = Arc::new(config);
    start_log(&config.log, &cli.command)?;
    let place = Place { out: Output::for_stdout(cli.global.json), global: cli.global, config };
    match cli.command {
        Command::Serve => rollcall::cli::serve::run(&place),
        Command::Demo(args) => rollcall::demo::run(&place, &args),
        Command::Plain(command) => rollcall::cli::run(&place, *command),
    }
}

/// Where the sealing key lies when no setting says it: systemd hands it over, or it lies with the other keys.
fn sealing_key_file(certs: &Path) -> PathBuf {
    let handed_over = std::env::var_os("CREDENTIALS_DIRECTORY")
        .map(|folder| Path::new(&folder).join("rollcall-sealing-key"))
        .filter(|file| file.is_file());
    handed_over.unwrap_or_else(|| certs.join("sealing.key"))
}

/// The log goes to standard error. Commands other than `serve` only say what somebody must look at.
fn start_log(log: &Log, command: &Command) -> Result<(), Error> {
    let level = if matches!(command, Command::Serve) { log.level.as_str() } else { "warn" };
    // libunftp writes whole sessions and commands into its spans; the edge logs what matters itself.
    let quiet = if level.contains("libunftp") { "" } else { ",libunftp=off,unftp_core=off" };
    // suppaftp writes its commands, and PASS is one of them.
    let filter = EnvFilter::try_new(format!("{level}{quiet},suppaftp=off")).map_err(|e| {
        let words = format!(
            "log.level = \"{level}\" is not a level or filter ({e}); \
             write for example info, or rollcall=debug,russh=warn"
        );
        Error::caused(Kind::Invalid, words, e)
    })?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // It would tell of a line that cannot be written (a full disk, a pipe that nobody reads) by a panic.
        .log_internal_errors(false);
    match log.format {
        LogFormat::Text => builder.with_ansi(false).init(),
        LogFormat::Json => builder.json().init(),
    }
    Ok(())
}

/// One line on standard error; nobody may be listening.
fn complain(error: &Error) {
    let text = format!("rollcall: {}\n", straight(error.message()));
    if std::io::stderr().write_all(text.as_bytes()).is_err() {
        tracing::debug!("standard error is closed");
    }
}
