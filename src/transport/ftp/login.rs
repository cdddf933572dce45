//! Commands that need no login: TLS, USER and PASS, and small talk. Everything else goes on to the account's files.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::backend::Exchange;
use super::command::{self, Request, Verb};
use super::conversation::{Conversation, Flow, Guest};
use super::listing::Facts;
use super::reply::Reply;
use crate::config::ActiveMode;
use crate::model::VPath;
use crate::service::login::{Credential, LoginAttempt};
use crate::service::session::Session;
use crate::transport::CANNOT_OPEN;

/// The most that is kept of a program's name.
const PROGRAM_CHARS: usize = 100;

impl Conversation {
    /// Carries out one command.
    pub(super) async fn obey(&mut self, request: Request) -> Flow {
        let argument = request.argument.as_str();
        // REST and RNFR count for the very next command only.
        match request.verb {
            Verb::Quit => Flow::Close(Reply::new(221, "Goodbye.")),
            Verb::Auth => self.auth(argument).await,
            Verb::Noop => go(200, "OK."),
            Verb::Allo => go(202, "No need to allocate."),
            Verb::Acct => go(202, "No account is needed."),
            Verb::Clnt => self.name_program(argument),
            Verb::Syst => go(215, "UNIX Type: L8"),
            Verb::Feat => Flow::Go(self.features()),
            Verb::Help => Flow::Go(help(argument)),
            Verb::NotOffered => go(502, "Not offered; HELP lists the commands."),
            Verb::Host => host(argument, self.guest.is_some()),
            Verb::Lang => lang(argument),
            Verb::Opts => Flow::Go(self.opts(argument)),
            Verb::Type => Flow::Go(data_type(argument)),
            Verb::Mode => Flow::Go(one_of(argument, "S", "MODE", "stream")),
            Verb::Stru => Flow::Go(one_of(argument, "F", "STRU", "file")),
            Verb::Ccc => go(534, "The control connection stays encrypted."),
            _ if !self.control.is_secure() => go(530, "TLS comes first: send AUTH TLS."),
            Verb::Pbsz => go(200, "PBSZ=0"),
            Verb::Prot => Flow::Go(self.prot(argument)),
            Verb::User => self.name_user(argument).await,
            Verb::Pass => self.check_password(argument).await,
            Verb::Rein => self.forget_user(),
            _ if self.guest.is_none() => go(530, "Log in first."),
            _ => self.obey_guest(request).await,
        }
    }

    /// Source: RFC 4217, 4 and 12.
    async fn auth(&mut self, mechanism: &str) -> Flow {
        let known = ["TLS", "TLS-C", "SSL", "TLS-P"];
        if !known.iter().any(|name| name.eq_ignore_ascii_case(mechanism.trim())) {
            return go(504, "Use AUTH TLS.");
        }
        if self.control.is_secure() {
            return go(503, "TLS is on already.");
        }
        if self.has_pipelined() {
            // Whoever sits in between may have put these lines there; in TLS they would count as the client's.
            tracing::warn!(peer = %self.link.peer, "commands in clear after AUTH: connection dropped");
            return Flow::Drop;
        }
        if self.control.send(&Reply::new(234, "Proceed with the TLS handshake.")).await.is_err() {
            return Flow::Drop;
        }
        let limit = Duration::from_secs(self.edge.config.limits.tls_handshake_timeout_s);
        let secured = self.control.secure(Arc::clone(&self.link.tls), limit).await;
        match secured {
            Ok(()) => {
                self.user = None;
                Flow::Said
            }
            Err(error) => {
                tracing::info!(peer = %self.link.peer, %error, "TLS handshake failed");
                Flow::Drop
            }
        }
    }

    /// Source: RFC 2228, 3; RFC 4217, 9.
    fn prot(&mut self, level: &str) -> Reply {
        match level.trim().to_ascii_uppercase().as_str() {
            "P" => {
                self.protected = true;
                Reply::new(200, "Data connections are encrypted.")
            }
            "C" => Reply::new(534, "Data connections must be encrypted; use PROT P."),
            "S" | "E" => Reply::new(536, "Not offered with TLS; use PROT P."),
            _ => Reply::new(504, "Use PROT P."),
        }
    }

    /// Programs say what they are before the login or after it.
    fn name_program(&mut self, name: &str) -> Flow {
        match &self.guest {
            Some(guest) => guest.session.note_program(name),
            None => self.program = Some(name.chars().take(PROGRAM_CHARS).collect()),
        }
        go(200, "Welcome.")
    }

    /// A client that showed the account's certificate in the TLS handshake is in with that. Source: RFC 4217, 7 (232).
    async fn name_user(&mut self, name: &str) -> Flow {
        if self.guest.is_some() {
            return go(503, "Already logged in; open a new connection to change the user.");
        }
        self.user = Some(name.to_owned());
        self.proved = None;
        let Some(certificate) = self.certificate_of(name).await else {
            return go(331, "Password, please.");
        };
        let attempt = self.attempt(name);
        let credential = Credential::PublicKey { openssh: &certificate };
        match self.edge.service.log_in(&attempt, credential).await {
            Ok(session) => self.begin_session(session, 232),
            Err(refusal) if refusal.is_ours => cannot_open(),
            Err(refusal) => {
                self.proved = refusal.needs_password.then_some(certificate);
                go(331, "Password, please.")
            }
        }
    }

    /// The client's certificate, if it is one of this login's.
    async fn certificate_of(&self, name: &str) -> Option<String> {
        let der = self.control.client_certificate()?;
        let (service, attempt) = (self.edge.service.clone(), self.attempt(name));
        let look = move || {
            let line = service.certificate_line(&der)?;
            // Another login's certificate is nothing against anybody: the password may still be right.
            service.has_certificate(&attempt, &line).then_some(line)
        };
        tokio::task::spawn_blocking(look).await.ok().flatten()
    }

    fn attempt(&self, login: &str) -> LoginAttempt {
        LoginAttempt { login: login.to_owned(), protocol: self.link.kind, peer: self.link.peer }
    }

    fn begin_session(&mut self, session: Session, code: u16) -> Flow {
        self.user = None;
        self.pass.logged_in();
        for words in [self.control.cipher(), self.program.take()].into_iter().flatten() {
            session.note_program(&words);
        }
        self.terms.lenient_end =
            self.edge.config.ftps.lenient_data_end || session.lenient_data_end();
        self.guest = Some(Guest {
            exchange: Exchange::new(session.clone()),
            session,
            interpreter: None,
            cwd: VPath::root(),
            source: None,
            epsv_only: false,
            restart: 0,
            rename_from: None,
        });
        go(code, "Logged in.")
    }

    async fn check_password(&mut self, password: &str) -> Flow {
        if self.guest.is_some() {
            // After 232 some programs send the password all the same (RFC 4217, 7).
            return go(202, "Logged in already; no password is needed.");
        }
        let Some(login) = self.user.take() else {
            return go(503, "Send USER first.");
        };
        let (attempt, proved) = (self.attempt(&login), self.proved.take());
        let deadline = self.login_deadline();
        let credential = match &proved {
            Some(openssh) => Credential::Both { password, openssh },
            None => Credential::Password(password),
        };
        let answer = tokio::select! {
            biased;
            () = self.edge.shutdown.cancelled() => {
                return Flow::Close(Reply::new(421, "The server stops; try again in a minute."));
            }
            answer = self.edge.service.log_in(&attempt, credential) => answer,
            () = tokio::time::sleep_until(deadline) => {
                return Flow::Close(Reply::new(421, "Login took too long; closing."));
            }
        };
        match answer {
            Ok(session) => self.begin_session(session, 230),
            Err(refusal) if refusal.is_ours => cannot_open(),
            Err(_) => {
                self.failed_logins = self.failed_logins.saturating_add(1);
                // One text for every reason: a stranger learns nothing from it.
                let reply = Reply::new(530, "Login incorrect.");
                if self.failed_logins >= self.edge.config.limits.login_attempts_per_connection {
                    return Flow::Close(reply);
                }
                Flow::Go(reply)
            }
        }
    }

    /// REIN: back to before USER; TLS stays. Source: RFC 959, 4.1.1.
    fn forget_user(&mut self) -> Flow {
        self.guest = None;
        self.user = None;
        self.proved = None;
        self.unknown_since = Instant::now();
        go(220, "Ready for a new user.")
    }

    fn opts(&mut self, argument: &str) -> Reply {
        let mut words = argument.split_whitespace();
        let option = words.next().unwrap_or_default().to_ascii_uppercase();
        let value = words.next().unwrap_or_default().to_ascii_uppercase();
        match (option.as_str(), value.as_str()) {
            ("UTF8" | "UTF-8", "" | "ON" | "NLST") => Reply::new(200, "Names are UTF-8."),
            ("UTF8" | "UTF-8", _) => Reply::new(504, "Names are UTF-8 always."),
            // Source: RFC 3659, 7.9. Facts that are not known are passed over.
            ("MLST", _) => {
                self.facts = Facts::choose(&value);
                Reply::new(200, format!("MLST OPTS {}", self.facts).trim_end())
            }
            ("HASH", "" | "SHA-256") => Reply::new(200, "SHA-256"),
            ("HASH", _) => Reply::new(504, "Only SHA-256 is offered."),
            _ => Reply::new(501, "This option is not known."),
        }
    }

    fn features(&self) -> Reply {
        let mlst = format!("MLST {}", self.facts.offer());
        let mut lines = vec![
            "AUTH TLS",
            "AVBL",
            "CLNT",
            "EPSV",
            "HASH SHA-256*",
            "HOST",
            "LANG EN*",
            "MDTM",
            "MFMT",
            mlst.as_str(),
            "PASV",
            "PBSZ",
            "PROT",
            "REST STREAM",
            "SIZE",
            "TVFS",
            "UTF8",
            "XSHA256",
        ];
        if self.edge.config.ftps.active == ActiveMode::OwnAddress {
            lines.push("EPRT");
        }
        let lines = lines.into_iter().map(str::to_owned).collect();
        Reply::listing(211, "Features:", lines, "End")
    }
}

pub(super) fn go(code: u16, text: &str) -> Flow {
    Flow::Go(Reply::new(code, text))
}

/// 530 would be for good, and would say that the password is wrong. Source: RFC 959, 4.2.1 (4yz) and 5.4 (421).
fn cannot_open() -> Flow {
    Flow::Close(Reply::new(421, CANNOT_OPEN))
}

fn help(word: &str) -> Reply {
    if !word.trim().is_empty() {
        return match command::usage(word.trim()) {
            Some(usage) => Reply::new(214, usage),
            None => Reply::new(501, "There is no such command; HELP lists them."),
        };
    }
    let names: Vec<&str> = command::names().collect();
    let lines = names.chunks(12).map(|row| row.join(" ")).collect();
    Reply::listing(214, "Commands:", lines, "End")
}

/// Source: RFC 7151. There is one host, whatever it is called.
fn host(_name: &str, logged_in: bool) -> Flow {
    if logged_in {
        return go(503, "HOST comes before USER.");
    }
    go(220, "Welcome.")
}

/// Source: RFC 2640, 4.
fn lang(tag: &str) -> Flow {
    let tag = tag.trim().to_ascii_lowercase();
    if tag.is_empty() || tag == "en" || tag.starts_with("en-") {
        return go(200, "Messages are in English.");
    }
    go(504, "Messages are in English only.")
}

/// Bytes always travel as they are; clients that ask for ASCII get them too, or nothing would work for them.
fn data_type(argument: &str) -> Reply {
    let wanted: Vec<String> = argument.split_whitespace().map(str::to_ascii_uppercase).collect();
    let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
    match wanted.as_slice() {
        ["I"] | ["L", "8"] | ["L8"] => Reply::new(200, "Type is binary."),
        ["A"] | ["A", "N"] => Reply::new(200, "Type is ASCII; bytes are passed on as they are."),
        _ => Reply::new(504, "Use TYPE I or TYPE A."),
    }
}

fn one_of(argument: &str, only: &str, command: &str, word: &str) -> Reply {
    if argument.trim().eq_ignore_ascii_case(only) {
        return Reply::new(200, "OK.");
    }
    Reply::new(504, format!("Only {command} {only} ({word}) is offered."))
}
