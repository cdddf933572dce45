//! `account test`: what works on a client's own server, step by step, and what to do where it does not.

use jiff::SignedDuration;
use serde::Serialize;
use tokio::sync::mpsc::UnboundedSender;
use uuid::Uuid;

use super::Service;
use super::reaching::ShownIdentity;
use crate::error::{Error, Kind, Result};
use crate::model::{Folder, Purpose, ServerTrust, VPath};
use crate::remote::{Connection, Overwrite, Reach, is_unrecognised};

/// A certificate that ends sooner than this is told.
const RENEW_BEFORE: SignedDuration = SignedDuration::from_hours(30 * 24);
/// What the trial writes and reads back.
const TRIAL: &[u8] = b"Rollcall tries whether it may write here. This file can be removed.\n";

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StepResult {
    /// It works.
    Ok,
    /// It does not.
    Failed,
    /// Not tried, because of an earlier step.
    Skipped,
}

/// One step of a trial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What was tried: `name`, `address`, `connection`, `identity`, `login`, `folder`, `list`, `write`, `rename`,
    /// `read`, `delete`.
    pub step: &'static str,
    /// The folder, where it is about one.
    pub folder: Option<String>,
    /// How it ended.
    pub result: StepResult,
    /// What was found, in words.
    pub found: String,
    /// What to do; empty when nothing is wrong.
    pub cure: String,
}

/// The steps so far.
#[derive(Default)]
struct Trial {
    steps: Vec<Step>,
    folder: Option<String>,
    /// Who is told each step as it comes out.
    tell: Option<UnboundedSender<Step>>,
}

impl Trial {
    fn note(&mut self, step: &'static str, result: StepResult, found: String, cure: String) {
        let step = Step { step, folder: self.folder.clone(), result, found, cure };
        if let Some(tell) = &self.tell {
            // Whoever listened may have gone: the trial is brought to its end and clears up.
            drop(tell.send(step.clone()));
        }
        self.steps.push(step);
    }

    fn ok(&mut self, step: &'static str, found: impl Into<String>) {
        self.note(step, StepResult::Ok, found.into(), String::new());
    }

    fn failed(&mut self, step: &'static str, error: &Error, cure: impl Into<String>) {
        self.note(step, StepResult::Failed, error.message().to_owned(), cure.into());
    }

    fn skipped(&mut self, steps: &[&'static str], why: &str) {
        for step in steps {
            self.note(step, StepResult::Skipped, why.to_owned(), String::new());
        }
    }
}

impl Service {
    /// Tries a client's own server step by step: name, address, connection, identity, login, and for each folder (or
    /// only for `folder`) whether it is there, can be listed, written, renamed in, read and cleared.
    ///
    /// # Errors
    /// `Kind::NotFound` for the account or the folder; `Kind::Invalid` for an account that is hosted here. What does
    /// not work on the server is no error: the steps say it.
    pub async fn try_server(&self, login: &str, folder: Option<&str>) -> Result<Vec<Step>> {
        self.try_server_aloud(login, folder, None).await
    }

    /// The same; each step is told as it comes out.
    ///
    /// # Errors
    /// As [`Service::try_server`].
    pub async fn try_server_aloud(
        &self,
        login: &str,
        folder: Option<&str>,
        tell: Option<UnboundedSender<Step>>,
    ) -> Result<Vec<Step>> {
        self.remote(login)?;
        let mut folders = self.folders(login)?;
        if let Some(name) = folder {
            let known: Vec<String> = folders.iter().map(|f| f.name.clone()).collect();
            folders.retain(|f| f.name == name);
            if folders.is_empty() {
                let words = format!(
                    "account \"{login}\" has no folder \"{name}\"; it has: {}",
                    known.join(", ")
                );
                return Err(Error::new(Kind::NotFound, words));
            }
        }
        let mut trial = Trial { tell, ..Trial::default() };
        match self.reach_server(login, &mut trial).await {
            Some(mut connection) => {
                for folder in &folders {
                    trial.folder = Some(folder.name.clone());
                    try_folder(&mut connection, folder, &mut trial).await;
                }
                connection.close().await;
            }
            None => {
                for folder in &folders {
                    trial.folder = Some(folder.name.clone());
                    trial.skipped(&["folder"], "there is no connection");
                }
            }
        }
        Ok(trial.steps)
    }

    /// The steps up to the login.
    async fn reach_server(&self, login: &str, trial: &mut Trial) -> Option<Connection> {
        let (_, protocol, remote) = self.remote(login).ok()?;
        let server = &remote.server;
        let reach = Reach { allow: self.config().outgoing.allow.clone() };
        match reach.addresses(&server.host, server.port).await {
            Ok(addresses) => {
                let list: Vec<String> = addresses.iter().map(|a| a.ip().to_string()).collect();
                trial.ok("name", format!("{} is {}", server.host, list.join(", ")));
                trial.ok("address", "may be connected to");
            }
            Err(error) if error.kind() == Kind::Denied => {
                trial.ok("name", format!("{} has an address", server.host));
                trial.failed("address", &error, "");
                trial.skipped(&["connection", "identity", "login"], "the address is not allowed");
                return None;
            }
            Err(error) => {
                let cure = format!("rollcall account set {login} --host HOST");
                trial.failed("name", &error, cure);
                let rest = ["address", "connection", "identity", "login"];
                trial.skipped(&rest, "the name has no address");
                return None;
            }
        }
        let shown = match self.probe_server(login).await {
            Ok(shown) => shown,
            Err(error) => {
                let cure = format!(
                    "Is it really {protocol} that listens on port {}? Ask the server's operator whether a firewall must \
                     let this machine in.",
                    server.port
                );
                trial.failed("connection", &error, cure);
                trial.skipped(&["identity", "login"], "there is no connection");
                return None;
            }
        };
        trial.ok("connection", format!("{protocol} on port {}", server.port));
        if !self.recognised(login, &remote.trust, &shown, trial) {
            trial.skipped(&["login"], "nothing is sent to a server that is not recognised");
            return None;
        }
        self.log_in_there(login, &remote.trust, &shown, trial).await
    }

    /// Whether the server is the pinned one. Of one that an authority vouches for the login tells it.
    fn recognised(
        &self,
        login: &str,
        trust: &ServerTrust,
        shown: &ShownIdentity,
        trial: &mut Trial,
    ) -> bool {
        let confirm = format!(
            "Ask the server's operator for the fingerprint of its key or certificate by another way. If it is this one: \
             rollcall account trust {login} --pin {}",
            shown.fingerprint
        );
        let found = match trust {
            ServerTrust::Pins(_) if shown.is_pinned => {
                trial.ok("identity", self.in_words(shown));
                return true;
            }
            ServerTrust::Platform | ServerTrust::Ca(_) => return true,
            ServerTrust::Pins(pins) if pins.is_empty() => {
                format!("{}: nobody has confirmed it yet", self.in_words(shown))
            }
            ServerTrust::Pins(pins) => {
                format!(
                    "{}: another one than confirmed ({})",
                    self.in_words(shown),
                    pins.join(", ")
                )
            }
        };
        trial.note("identity", StepResult::Failed, found, confirm);
        false
    }

    fn in_words(&self, shown: &ShownIdentity) -> String {
        let ShownIdentity { kind, fingerprint, not_after, .. } = shown;
        let now = self.clock().now();
        let until = match not_after {
            Some(end) if *end <= now => format!(", ended on {}", end.strftime("%Y-%m-%d")),
            Some(end) if end.duration_since(now) < RENEW_BEFORE => {
                format!(", ends soon, on {}", end.strftime("%Y-%m-%d"))
            }
            Some(end) => format!(", valid until {}", end.strftime("%Y-%m-%d")),
            None => String::new(),
        };
        format!("{kind} {fingerprint}{until}")
    }

    /// Logs in; certificates that an authority must vouch for are judged on the way.
    async fn log_in_there(
        &self,
        login: &str,
        trust: &ServerTrust,
        shown: &ShownIdentity,
        trial: &mut Trial,
    ) -> Option<Connection> {
        let by_authority = !matches!(trust, ServerTrust::Pins(_));
        let target = match self.remote_target(login) {
            Ok(target) => target,
            Err(error) => {
                if by_authority {
                    trial.skipped(&["identity"], "the secret cannot be opened");
                }
                trial.failed("login", &error, "");
                return None;
            }
        };
        let opened = Connection::open(&target).await;
        self.note_remote(login, &opened);
        match opened {
            Ok(connection) => {
                if by_authority {
                    trial.ok("identity", self.in_words(shown));
                }
                trial.ok("login", format!("as {}", target.login));
                Some(connection)
            }
            Err(error) if by_authority && is_unrecognised(&error) => {
                let cure = format!(
                    "Ask the server's operator for a valid certificate for {}, or confirm this one: rollcall account \
                     trust {login} --pin {}",
                    target.host, shown.fingerprint
                );
                trial.failed("identity", &error, cure);
                trial.skipped(&["login"], "nothing is sent to a server that is not recognised");
                None
            }
            Err(error) => {
                if by_authority {
                    trial.ok("identity", self.in_words(shown));
                }
                let cure = match error.kind() {
                    Kind::Denied => format!(
                        "Check login and secret with the server's operator: rollcall account set {login} --login … \
                         --password-stdin (or --key FILE)"
                    ),
                    _ => "Try again; if it stays so, ask the server's operator what its log says."
                        .to_owned(),
                };
                trial.failed("login", &error, cure);
                None
            }
        }
    }
}

/// Whether a folder is there and can be listed, and whether files can be written, renamed, read and removed in it.
async fn try_folder(connection: &mut Connection, folder: &Folder, trial: &mut Trial) {
    let rest = ["write", "rename", "read", "delete"];
    match connection.stat(&folder.path).await {
        Ok(entry) if entry.is_folder => trial.ok("folder", format!("{} is there", folder.path)),
        Ok(_) => {
            let found = format!("{} is a file", folder.path);
            let cure = format!("rollcall folder set {} {} --path PATH", folder.login, folder.name);
            trial.note("folder", StepResult::Failed, found, cure);
            trial.skipped(&["list"], "there is no folder");
            trial.skipped(&rest, "there is no folder");
            return;
        }
        Err(error) => {
            let cure = format!(
                "Have it made by the server's operator, or name another: rollcall folder set {} {} --path PATH (paths \
                 begin at the root that the login sees)",
                folder.login, folder.name
            );
            trial.failed("folder", &error, cure);
            trial.skipped(&["list"], "there is no folder");
            trial.skipped(&rest, "there is no folder");
            return;
        }
    }
    match connection.entries(&folder.path).await {
        Ok(entries) => {
            let files = entries.iter().filter(|entry| !entry.is_folder).count();
            trial.ok("list", format!("{files} files"));
        }
        Err(error) => {
            trial.failed("list", &error, "The login needs the right to list this folder.")
        }
    }
    let trial_name = format!(".rollcall-test-{}", Uuid::now_v7().simple());
    let names = (folder.path.join(&format!("{trial_name}.tmp")), folder.path.join(&trial_name));
    let (Ok(hidden), Ok(name)) = names else {
        trial.skipped(&rest, "the folder's path is too long");
        return;
    };
    try_files(connection, folder, &hidden, &name, trial).await;
}

async fn try_files(
    connection: &mut Connection,
    folder: &Folder,
    hidden: &VPath,
    name: &VPath,
    trial: &mut Trial,
) {
    let why = match folder.purpose {
        Purpose::Import => "reports are written beside the files",
        Purpose::Export | Purpose::Plain => "files are delivered here",
    };
    if let Err(error) = connection.put(hidden, TRIAL).await {
        trial.failed("write", &error, format!("The login needs the right to write here: {why}."));
        trial.skipped(&["rename", "read", "delete"], "nothing was written");
        // A refused file may lie there in part.
        drop(connection.delete(hidden).await);
        return;
    }
    trial.ok("write", format!("{} bytes", TRIAL.len()));
    let there = match connection.rename(hidden, name, Overwrite::Never).await {
        Ok(()) => {
            trial.ok("rename", "a file gets its name when it is whole");
            name
        }
        Err(error) => {
            let cure =
                "The login needs the right to rename here: a file gets its name when it is whole.";
            trial.failed("rename", &error, cure);
            hidden
        }
    };
    let limit = u64::try_from(TRIAL.len()).unwrap_or(u64::MAX).saturating_mul(2);
    match connection.get(there, limit).await {
        Ok(bytes) if bytes == TRIAL => trial.ok("read", "the same bytes"),
        Ok(bytes) => {
            let found = format!("{} other bytes came back", bytes.len());
            let cure =
                "Does the server change files (text mode, a virus scanner)? Ask its operator.";
            trial.note("read", StepResult::Failed, found, cure.to_owned());
        }
        Err(error) => {
            let cure = match folder.purpose {
                Purpose::Import => "The login needs the right to read here: files are fetched.",
                Purpose::Export | Purpose::Plain => {
                    "A drop box that only takes files is enough for deliveries."
                }
            };
            trial.failed("read", &error, cure);
        }
    }
    match connection.delete(there).await {
        Ok(()) => trial.ok("delete", "the trial file is gone"),
        Err(error) => {
            let cure = format!("Have {there} removed by the server's operator.");
            trial.failed("delete", &error, cure);
        }
    }
}
