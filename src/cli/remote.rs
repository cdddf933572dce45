//! `account add --remote`, `account test`, `account trust`: accounts on clients' own servers.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use zeroize::Zeroizing;

use super::output::{Output, Tone};
use super::serve::runtime;
use super::{Outcome, Place, Stop, read_text};
use crate::error::{Error, Kind};
use crate::model::{Protocol, ServerTrust};
use crate::service::Service;
use crate::service::reaching::ShownIdentity;
use crate::service::remotes::{NewRemoteAccount, NewSecret, RemoteChange, RemoteStanding};
use crate::service::trial::{Step, StepResult};

/// How a server is recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum TrustWord {
    /// By the fingerprint of its host key or certificate, once somebody has confirmed it
    Pin,
    /// By a certificate that this machine trusts (FTPS and FTPES)
    Platform,
    /// By a certificate of the authority in --ca FILE
    Ca,
}

/// What `account add` takes for an account on the client's own server.
#[derive(Debug, Args)]
pub(super) struct RemoteArgs {
    /// The account is on the client's own server: sftp, ftps or ftpes, and HOST or HOST:PORT
    #[arg(
        long,
        num_args = 2,
        value_names = ["TYPE", "HOST"],
        conflicts_with_all = ["host_profile", "protocols", "no_password"],
        requires = "login",
        help_heading = "On the client's own server"
    )]
    remote: Option<Vec<String>>,
    /// Read the passphrase of the private key from standard input
    #[arg(
        long,
        requires_all = ["remote", "keys"],
        conflicts_with = "password_stdin",
        help_heading = "On the client's own server"
    )]
    passphrase_stdin: bool,
    /// How the server is recognised (default: pin for sftp, platform for ftps and ftpes)
    #[arg(
        long,
        value_enum,
        requires = "remote",
        value_name = "HOW",
        help_heading = "On the client's own server"
    )]
    trust: Option<TrustWord>,
    /// PEM file of the authority that certifies the server
    #[arg(
        long,
        requires = "remote",
        value_name = "FILE",
        help_heading = "On the client's own server"
    )]
    ca: Option<PathBuf>,
    /// Fingerprint of the server's host key (SHA256:…) or certificate (64 hex digits); can be repeated
    #[arg(
        long = "pin",
        requires = "remote",
        value_name = "FINGERPRINT",
        help_heading = "On the client's own server"
    )]
    pins: Vec<String>,
}

impl RemoteArgs {
    /// Whether this is about the client's own server.
    pub(super) fn is_asked_for(&self) -> bool {
        self.remote.is_some()
    }
}

/// What of `account set` is about the client's own server.
#[derive(Debug, Args)]
pub struct RemoteSetArgs {
    /// HOST or HOST:PORT
    #[arg(long, help_heading = "On the client's own server")]
    host: Option<String>,
    /// The port
    #[arg(
        long,
        value_parser = clap::value_parser!(u16).range(1..),
        help_heading = "On the client's own server"
    )]
    port: Option<u16>,
    /// Another login: of the account itself, or for one on the client's own server the login there
    #[arg(long = "login", value_name = "LOGIN", id = "new_login")]
    pub(super) login: Option<String>,
    /// Read the password for it from standard input
    #[arg(long, conflicts_with = "key", help_heading = "On the client's own server")]
    password_stdin: bool,
    /// Private key file for it (sftp)
    #[arg(long, value_name = "FILE", help_heading = "On the client's own server")]
    key: Option<PathBuf>,
    /// Read the passphrase of the private key from standard input
    #[arg(long, requires = "key", help_heading = "On the client's own server")]
    passphrase_stdin: bool,
}

/// `account trust`
#[derive(Debug, Args)]
pub struct TrustArgs {
    /// The account's login
    login: String,
    /// Confirm the server by this fingerprint, in place of those before; can be repeated
    #[arg(long = "pin", value_name = "FINGERPRINT", conflicts_with_all = ["platform", "ca"])]
    pins: Vec<String>,
    /// Recognise it by a certificate that this machine trusts (FTPS and FTPES)
    #[arg(long, conflicts_with = "ca")]
    platform: bool,
    /// Recognise it by a certificate of the authority in this PEM file (FTPS and FTPES)
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

/// `account test`
#[derive(Debug, Args)]
pub struct TestArgs {
    /// The account's login
    login: String,
    /// Only this folder
    #[arg(long, value_name = "NAME")]
    folder: Option<String>,
}

/// `account add … --remote`; `login` and `keys` are those of the hosted form, with another meaning here.
pub(super) fn add(
    place: &Place,
    service: &Service,
    (client, name): (String, String),
    (login, keys, password_stdin): (Option<String>, &[PathBuf], bool),
    args: RemoteArgs,
) -> Outcome {
    let mut words = args.remote.unwrap_or_default().into_iter();
    let (kind, host) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let protocol: Protocol = kind.parse().map_err(|e: String| Error::new(Kind::Invalid, e))?;
    let trust = trust(protocol, args.trust, args.ca.as_deref(), args.pins)?;
    let key = match keys {
        [] => None,
        [key] => Some(key.as_path()),
        _ => return Err(refused("one private key is enough: give --key once")),
    };
    let Some(secret) = secret(password_stdin, key, args.passphrase_stdin)? else {
        return Err(refused(
            "say how to log in there: --password-stdin, or --key FILE with the private key (sftp)",
        ));
    };
    let account = service.add_remote_account(&NewRemoteAccount {
        client,
        name,
        protocol,
        host,
        login: login.unwrap_or_default(),
        secret,
        trust,
    })?;
    let standing = service.remote_standing(&account.login)?;
    let shown = if standing.confirmed { None } else { Some(look(service, &account.login)?) };
    if place.out.is_json() {
        return json_with(place.out, &standing, "shown", &shown.map(found_or_error));
    }
    place.out.line(format!("Account {} on the client's own server:", account.login))?;
    card(place.out, &standing)?;
    place.out.line("")?;
    match shown {
        Some(shown) => tell_shown(place.out, &standing, shown)?,
        None => place.out.line(format!("Try it: rollcall account test {}", account.login))?,
    }
    place.out.line(format!(
        "Its folders: rollcall folder add {} NAME /PATH --purpose import|export",
        account.login
    ))
}

/// What of `account set` concerns the client's own server; `None`: nothing does.
pub(super) fn set(
    service: &Service,
    login: &str,
    args: RemoteSetArgs,
) -> Outcome<Option<RemoteStanding>> {
    let secret = secret(args.password_stdin, args.key.as_deref(), args.passphrase_stdin)?;
    let RemoteSetArgs { host, port, login: login_there, .. } = args;
    if host.is_none() && port.is_none() && login_there.is_none() && secret.is_none() {
        return Ok(None);
    }
    let change = RemoteChange { host, port, protocol: None, login: login_there, secret };
    Ok(Some(service.set_remote_account(login, &change)?))
}

/// `account trust`
pub(super) fn trust_command(out: Output, service: &Service, args: TrustArgs) -> Outcome {
    let chosen = match args.ca {
        Some(file) => Some(ServerTrust::Ca(read_text(&file)?)),
        None if args.platform => Some(ServerTrust::Platform),
        None if args.pins.is_empty() => None,
        None => Some(ServerTrust::Pins(args.pins)),
    };
    let Some(chosen) = chosen else {
        let standing = service.remote_standing(&args.login)?;
        let shown = look(service, &args.login)?;
        if out.is_json() {
            return json_with(out, &standing, "shown", &found_or_error(shown));
        }
        card(out, &standing)?;
        out.line("")?;
        return tell_shown(out, &standing, shown);
    };
    let standing = service.trust_server(&args.login, &chosen)?;
    out.either(&standing, |out, standing| {
        out.line(format!("The server of {} is recognised {}.", args.login, recognised(standing)))?;
        out.line(format!("Try it: rollcall account test {}", args.login))
    })
}

/// `account test`
pub(super) fn test(out: Output, service: &Service, args: &TestArgs) -> Outcome {
    let steps = runtime()?.block_on(service.try_server(&args.login, args.folder.as_deref()))?;
    out.either(&steps, |out, steps| tell_steps(out, steps))?;
    match steps.iter().find(|step| step.result == StepResult::Failed) {
        Some(failed) => {
            let words = format!("{}: {} {}", failed.step, failed.found, failed.cure);
            Err(Error::new(Kind::Conflict, words.trim_end()).into())
        }
        None => Ok(()),
    }
}

fn tell_steps(out: Output, steps: &[Step]) -> Outcome {
    for step in steps {
        let (tone, word) = match step.result {
            StepResult::Ok => (Tone::Good, "ok     "),
            StepResult::Failed => (Tone::Bad, "FAILED "),
            StepResult::Skipped => (Tone::Faint, "skipped"),
        };
        let what = match &step.folder {
            Some(folder) => format!("{} ({folder})", step.step),
            None => step.step.to_owned(),
        };
        out.line(format!("{}  {}", out.paint(tone, word), out.paint(Tone::Strong, what)))?;
        out.paragraph(9, "", &step.found)?;
        if !step.cure.is_empty() {
            out.paragraph(9, "→ ", &step.cure)?;
        }
    }
    Ok(())
}

/// What the server shows, or why nothing can be seen of it now.
fn look(service: &Service, login: &str) -> Outcome<Result<ShownIdentity, Error>> {
    Ok(runtime()?.block_on(service.probe_server(login)))
}

fn found_or_error(shown: Result<ShownIdentity, Error>) -> serde_json::Value {
    match shown {
        Ok(shown) => serde_json::json!(shown),
        Err(error) => serde_json::json!({ "error": error.message() }),
    }
}

fn tell_shown(
    out: Output,
    standing: &RemoteStanding,
    shown: Result<ShownIdentity, Error>,
) -> Outcome {
    let login = &standing.account;
    let shown = match shown {
        Ok(shown) => shown,
        Err(error) => {
            out.toned(Tone::Warning, "The server cannot be looked at now:")?;
            out.paragraph(2, "", error.message())?;
            return out.line(format!("Look again later: rollcall account trust {login}"));
        }
    };
    out.line(format!("The server shows now: {} {}", shown.kind, shown.fingerprint))?;
    if let Some(end) = shown.not_after {
        out.line(format!("Its certificate ends on {}.", end.strftime("%Y-%m-%d")))?;
    }
    if shown.is_pinned {
        return out.toned(Tone::Good, "That is what was confirmed.");
    }
    if standing.confirmed && standing.trust != "pin" {
        return out.line(format!("It is recognised {}.", recognised(standing)));
    }
    out.toned(
        Tone::Warning,
        "Nobody has confirmed that yet; until then nothing is sent and nothing is fetched.",
    )?;
    out.line(
        "Ask the server's operator for the fingerprint, by telephone for example. If it is the same:",
    )?;
    out.line(format!("  rollcall account trust {login} --pin {}", shown.fingerprint))
}

/// The account's server as pairs of label and value.
pub(super) fn card(out: Output, standing: &RemoteStanding) -> Outcome {
    let server = &standing.server;
    let host =
        if server.host.contains(':') { format!("[{}]", server.host) } else { server.host.clone() };
    let mut pairs = vec![
        ("Server", format!("{} {host}:{}", standing.protocol, server.port)),
        ("Login there", server.login.clone()),
        ("Logs in with", standing.proof.to_owned()),
    ];
    if let Some(key) = &standing.public_key {
        pairs.push(("Public key", key.clone()));
    }
    pairs.push(("Recognised", recognised(standing)));
    pairs.push((
        "Last reached (UTC)",
        standing.last_reached_at.map_or("never".to_owned(), super::moment),
    ));
    if let Some(failure) = &standing.last_failure {
        pairs.push(("Since then", failure.clone()));
    }
    out.pairs(&pairs)
}

fn recognised(standing: &RemoteStanding) -> String {
    match standing.trust {
        "platform" => "by certificates that this machine trusts".to_owned(),
        "ca" => "by certificates of the given authority".to_owned(),
        _ if standing.pins.is_empty() => "not confirmed yet".to_owned(),
        _ => format!("by {}", standing.pins.join(" or ")),
    }
}

/// A standing with one more member.
fn json_with(
    out: Output,
    standing: &RemoteStanding,
    name: &str,
    value: &impl serde::Serialize,
) -> Outcome {
    let mut shown = serde_json::to_value(standing).map_err(Stop::from_json)?;
    if let Some(object) = shown.as_object_mut() {
        let value = serde_json::to_value(value).map_err(Stop::from_json)?;
        object.insert(name.to_owned(), value);
    }
    out.json(&shown)
}

fn trust(
    protocol: Protocol,
    word: Option<TrustWord>,
    ca: Option<&Path>,
    pins: Vec<String>,
) -> Outcome<ServerTrust> {
    let usual = match (protocol, ca, pins.as_slice()) {
        (_, Some(_), []) => TrustWord::Ca,
        (Protocol::Ftps | Protocol::Ftpes, None, []) => TrustWord::Platform,
        _ => TrustWord::Pin,
    };
    match (word.unwrap_or(usual), ca) {
        (TrustWord::Ca, Some(file)) if pins.is_empty() => Ok(ServerTrust::Ca(read_text(file)?)),
        (TrustWord::Ca, None) => {
            Err(refused("--trust ca needs the authority's PEM file: --ca FILE"))
        }
        (TrustWord::Platform, None) if pins.is_empty() => Ok(ServerTrust::Platform),
        (TrustWord::Pin, None) => Ok(ServerTrust::Pins(pins)),
        _ => Err(refused(
            "choose one way to recognise the server: --pin FINGERPRINT, --ca FILE or --trust platform",
        )),
    }
}

fn secret(
    password_stdin: bool,
    key: Option<&Path>,
    passphrase_stdin: bool,
) -> Outcome<Option<NewSecret>> {
    if password_stdin && key.is_some() {
        return Err(refused("give the password or the key, not both"));
    }
    if password_stdin {
        let password = super::account::password_from_stdin()?;
        return Ok(Some(NewSecret::Password(Zeroizing::new(password))));
    }
    let Some(file) = key else { return Ok(None) };
    let passphrase =
        passphrase_stdin.then(super::account::password_from_stdin).transpose()?.map(Zeroizing::new);
    let text = Zeroizing::new(read_text(file)?);
    Ok(Some(NewSecret::Key { text, passphrase }))
}

fn refused(words: &str) -> Stop {
    Error::new(Kind::Invalid, words).into()
}
