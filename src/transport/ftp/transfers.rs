//! Commands that move bytes: data ports, uploads, downloads and listings.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::backend::Exchange;
use super::command::Verb;
use super::conversation::{Conversation, Flow, Interruption, stopping};
use super::data::{Awaited, Data, Source};
use super::files::internal;
use super::interpreter::Interpreter;
use super::listing::{self, Form, Perms, Selection, Wildcards};
use super::login::go;
use super::options::Options;
use super::passive::{self, Ports};
use super::reply::Reply;
use super::transfer::{DownloadOrder, Lane, Stored, UploadOrder};
use crate::config::ActiveMode;
use crate::model::VPath;
use crate::service::session::{Open, Session};
use crate::transport::aside::blocking;

/// libunftp turns to its back-end at once.
const TAKEN_WITHIN: Duration = Duration::from_secs(20);
/// Names that STOU tries before it gives up.
const STOU_TRIES: u32 = 100;

impl Conversation {
    /// Carries out one command that has to do with data connections.
    pub(super) async fn obey_transfer(&mut self, verb: Verb, argument: &str, restart: u64) -> Flow {
        if !self.protected {
            return go(521, "Data connections must be encrypted: send PROT P first.");
        }
        if self.edge.shutdown.is_cancelled() {
            return Flow::Close(stopping());
        }
        match verb {
            Verb::Pasv => Flow::Go(self.pasv()),
            Verb::Epsv => Flow::Go(self.epsv(argument)),
            Verb::Port => Flow::Go(self.active(passive::parse_port(argument))),
            Verb::Eprt => Flow::Go(self.active(passive::parse_eprt(argument))),
            Verb::Stor if restart > 0 => {
                self.store(argument, Open::Resume, Some(restart), None).await
            }
            Verb::Stor => self.store(argument, Open::Replace, Some(0), None).await,
            Verb::Appe => self.store(argument, Open::Resume, None, None).await,
            Verb::Stou => self.store_unique(argument).await,
            Verb::Retr => self.retrieve(argument, restart).await,
            Verb::List | Verb::Nlst | Verb::Mlsd => self.list(verb, argument).await,
            _ => go(502, "Not offered."),
        }
    }

    fn listen(&mut self) -> Result<SocketAddr, Reply> {
        let Some(guest) = self.guest.as_mut() else { return Err(Reply::new(530, "Log in first.")) };
        // A port that was asked for before counts no more.
        guest.source = None;
        let full = |error: std::io::Error| {
            tracing::error!(%error, ports = %self.edge.config.ftps.passive_ports, "no passive port is free");
            Reply::new(425, "No data port is free; try again in a minute.")
        };
        let ports = Ports::parse(&self.edge.config.ftps.passive_ports)
            .map_err(|e| full(std::io::Error::other(e)))?;
        let share = self.edge.data_ports.take(guest.session.client(), &ports).ok_or_else(|| {
            let text = "Too many sessions of this client wait at data ports; use those first.";
            Reply::new(425, text)
        })?;
        let listener = ports.listen(self.link.local.ip()).map_err(full)?;
        let address = listener.local_addr().map_err(full)?;
        let awaited = Awaited::at((listener, share), &self.terms, &self.edge.tasks);
        guest.source = Some(Source::Passive(awaited));
        Ok(address)
    }

    /// Source: RFC 959, 4.1.2 and RFC 1123, 4.1.2.6.
    fn pasv(&mut self) -> Reply {
        if self.guest.as_ref().is_some_and(|guest| guest.epsv_only) {
            return Reply::new(503, "After EPSV ALL only EPSV is accepted.");
        }
        let SocketAddr::V4(local) = self.link.local else {
            return Reply::new(522, "Over IPv6 use EPSV.");
        };
        let host = passive::public_host(&self.edge.config).ok().flatten().unwrap_or(*local.ip());
        match self.listen() {
            Ok(address) => {
                let [a, b, c, d] = host.octets();
                let [high, low] = address.port().to_be_bytes();
                Reply::new(227, format!("Entering Passive Mode ({a},{b},{c},{d},{high},{low})."))
            }
            Err(refusal) => refusal,
        }
    }

    /// Source: RFC 2428, 3.
    fn epsv(&mut self, argument: &str) -> Reply {
        let own = if self.link.local.is_ipv4() { "1" } else { "2" };
        match argument.trim() {
            all if all.eq_ignore_ascii_case("ALL") => {
                if let Some(guest) = self.guest.as_mut() {
                    guest.epsv_only = true;
                }
                return Reply::new(200, "Only EPSV from now on.");
            }
            "" => {}
            family if family == own => {}
            _ => return Reply::new(522, format!("Network protocol not supported, use ({own}).")),
        }
        match self.listen() {
            Ok(address) => {
                Reply::new(229, format!("Entering Extended Passive Mode (|||{}|)", address.port()))
            }
            Err(refusal) => refusal,
        }
    }

    /// PORT and EPRT: only to the client itself and to no service's port, or anybody could aim us at others.
    fn active(&mut self, address: Option<SocketAddr>) -> Reply {
        if self.edge.config.ftps.active == ActiveMode::Off {
            return Reply::new(502, "Active mode is off; use passive mode (EPSV or PASV).");
        }
        let peer = self.link.peer.ip();
        let Some(guest) = self.guest.as_mut() else { return Reply::new(530, "Log in first.") };
        if guest.epsv_only {
            return Reply::new(503, "After EPSV ALL only EPSV is accepted.");
        }
        match address {
            Some(address) if address.ip().to_canonical() == peer && address.port() > 1023 => {
                guest.source = Some(Source::Active(address));
                Reply::new(200, "OK.")
            }
            Some(_) => Reply::new(501, "Only your own address and ports above 1023 are accepted."),
            None => Reply::new(501, "The address cannot be read."),
        }
    }

    async fn store_unique(&mut self, argument: &str) -> Flow {
        let wanted = if argument.is_empty() { "upload" } else { argument };
        for attempt in 0..STOU_TRIES {
            let name = if attempt == 0 { wanted.to_owned() } else { format!("{wanted}.{attempt}") };
            let path = match self.resolve(&name) {
                Ok(path) => path,
                Err(refusal) => return Flow::Go(refusal),
            };
            let Some(guest) = &self.guest else { return go(530, "Log in first.") };
            let session = guest.session.clone();
            let asked = path.clone();
            if blocking(move || session.stat(&asked)).await.is_ok() {
                continue;
            }
            let shown = path.name().unwrap_or_default().to_owned();
            return self.store(path.as_str(), Open::CreateNew, Some(0), Some(shown)).await;
        }
        go(553, "No unique name was found; send the file with STOR and a name of its own.")
    }

    async fn store(
        &mut self,
        argument: &str,
        open: Open,
        offset: Option<u64>,
        unique: Option<String>,
    ) -> Flow {
        let path = match self.resolve(argument) {
            Ok(path) => path,
            Err(refusal) => return Flow::Go(refusal),
        };
        let (source, interpreter) = match self.prepare().await {
            Ok(prepared) => prepared,
            Err(refusal) => return Flow::Go(refusal),
        };
        let lane = self.lane();
        let (ready, opened) = oneshot::channel();
        let (bring, data) = oneshot::channel();
        let (done, outcome) = oneshot::channel();
        let order = UploadOrder { lane: lane.clone(), open, offset, ready, data, done };
        interpreter.exchange.order_upload(order);
        let asked = match &unique {
            Some(name) => format!("FILE: {name}"),
            None => "Send the file.".to_owned(),
        };
        let stage = Stage { lane: &lane, source, bring, command: format!("STOR {path}") };
        let stored = self.carry_out(stage, interpreter, opened, outcome, |()| asked).await;
        let reply = match stored {
            Ok(stored) => self.settle(&lane, &path, stored).await,
            Err(refusal) => {
                self.log_failure("upload", &path, &lane, &refusal);
                refusal
            }
        };
        self.finish(reply).await
    }

    async fn settle(&mut self, lane: &Lane, path: &VPath, stored: Stored) -> Reply {
        let answer = self.attend(lane, stored.receipt.settle()).await;
        let (protocol, peer) = (self.link.kind, self.link.peer);
        let login = self.guest.as_ref().map(|guest| guest.session.login());
        tracing::info!(%protocol, %peer, login, path = ?path.as_str(), bytes = stored.bytes, answer = ?answer.text, "upload");
        Reply::new(226, answer.text)
    }

    async fn retrieve(&mut self, argument: &str, offset: u64) -> Flow {
        let path = match self.resolve(argument) {
            Ok(path) => path,
            Err(refusal) => return Flow::Go(refusal),
        };
        let (source, interpreter) = match self.prepare().await {
            Ok(prepared) => prepared,
            Err(refusal) => return Flow::Go(refusal),
        };
        let lane = self.lane();
        let (ready, opened) = oneshot::channel();
        let (bring, data) = oneshot::channel();
        let (done, outcome) = oneshot::channel();
        let order = DownloadOrder { lane: lane.clone(), offset, ready, data, done };
        interpreter.exchange.order_download(order);
        let stage = Stage { lane: &lane, source, bring, command: format!("RETR {path}") };
        let asked = |bytes: u64| format!("Here it comes: {bytes} bytes.");
        let sent = self.carry_out(stage, interpreter, opened, outcome, asked).await;
        let reply = match sent {
            Ok(bytes) => {
                let (protocol, peer) = (self.link.kind, self.link.peer);
                let session = self.guest.as_ref().map(|guest| &guest.session);
                if let Some(session) = session {
                    session.note_download(&path, bytes);
                }
                let login = session.map(Session::login);
                tracing::info!(%protocol, %peer, login, path = ?path.as_str(), bytes, "download");
                Reply::new(226, format!("{bytes} bytes sent."))
            }
            Err(refusal) => {
                self.log_failure("download", &path, &lane, &refusal);
                refusal
            }
        };
        self.finish(reply).await
    }

    fn log_failure(&self, what: &str, path: &VPath, lane: &Lane, refusal: &Reply) {
        let (protocol, peer) = (self.link.kind, self.link.peer);
        let login = self.guest.as_ref().map(|guest| guest.session.login());
        let bytes = lane.moved.load(std::sync::atomic::Ordering::Relaxed);
        let (code, why) = (refusal.code(), refusal.text());
        tracing::warn!(%protocol, %peer, login, path = ?path.as_str(), bytes, code, why = ?why, "{what} failed");
    }

    /// What every transfer through libunftp needs.
    async fn prepare(&mut self) -> Result<(Source, Interpreter), Reply> {
        let source = self.guest.as_mut().and_then(|guest| guest.source.take());
        let source = source.ok_or_else(no_port)?;
        Ok((source, self.interpreter().await?))
    }

    /// Runs one transfer: libunftp's command sets off the back-end, the client is asked for its data connection once
    /// the file is open, and the back-end's own word decides how it ended.
    async fn carry_out<R, T>(
        &mut self,
        stage: Stage<'_>,
        mut interpreter: Interpreter,
        opened: oneshot::Receiver<R>,
        outcome: oneshot::Receiver<Result<T, Reply>>,
        asked: impl FnOnce(R) -> String,
    ) -> Result<T, Reply> {
        let Stage { lane, source, bring, command } = stage;
        let exchange: Arc<Exchange> = Arc::clone(&interpreter.exchange);
        let trigger = self.attend(lane, interpreter.set_off(&command)).await;
        if trigger.is_err() {
            exchange.drop_untaken();
        }
        let opened = self.attend(lane, opened_or_lost(opened, &exchange)).await;
        let missing = match opened {
            Ok(opened) => self.bring_data(lane, source, bring, asked(opened)).await.err(),
            Err(_) => None,
        };
        let ended = match self.attend(lane, outcome).await {
            Ok(ended) => ended,
            // libunftp never came to the back-end, or the back-end broke: its refusal, if it left one.
            Err(_) => Err(exchange.take_refusal().unwrap_or_else(internal)),
        };
        let answered = match trigger {
            Ok(_alive) => interpreter.answer().await,
            Err(error) => Err(error),
        };
        if let Err(broken) = self.put_back(interpreter, answered)
            && ended.is_err()
        {
            return Err(broken);
        }
        // Without a data connection the back-end only knows that none came; the edge knows why.
        missing.map_or(ended, Err)
    }

    /// Asks for the data connection and hands it to the back-end; a failure ends the transfer.
    async fn bring_data(
        &mut self,
        lane: &Lane,
        source: Source,
        bring: oneshot::Sender<Data>,
        asked: String,
    ) -> Result<(), Reply> {
        if self.control.send(&Reply::new(150, asked)).await.is_err() {
            self.interruption = Some(Interruption::Gone);
            lane.stop.cancel();
            return Err(internal());
        }
        match self.connect(lane, source).await {
            // The back-end waits for it, unless it was cancelled meanwhile; then its own word follows.
            Ok(data) => drop(bring.send(data)),
            Err(refusal) => {
                lane.stop.cancel();
                return Err(refusal);
            }
        }
        Ok(())
    }

    async fn connect(&mut self, lane: &Lane, source: Source) -> Result<Data, Reply> {
        let terms = self.terms.clone();
        let stop = lane.stop.clone();
        let connecting = async {
            tokio::select! {
                biased;
                () = stop.cancelled() => Err(Reply::new(426, "Transfer aborted.")),
                opened = Data::open(source, &terms) => opened,
            }
        };
        self.attend(lane, connecting).await
    }

    async fn list(&mut self, verb: Verb, argument: &str) -> Flow {
        let (options, wanted) = match verb {
            Verb::Mlsd => (Options::default(), argument),
            _ => Options::split(argument),
        };
        let path = match self.resolve(wanted) {
            Ok(path) => path,
            Err(refusal) => return Flow::Go(refusal),
        };
        let Some(guest) = self.guest.as_mut() else { return go(530, "Log in first.") };
        let Some(source) = guest.source.take() else { return Flow::Go(no_port()) };
        let session = guest.session.clone();
        let (form, wildcards) = match verb {
            Verb::Mlsd => {
                let perms = Perms::in_folder(&session, path.clone());
                (Form::Facts(self.facts, perms), Wildcards::None)
            }
            Verb::Nlst if !options.long => (Form::Names(prefix(wanted)), Wildcards::Allowed),
            _ => {
                let owner = session.login().to_owned();
                (Form::Long { now: self.edge.service.clock().now(), owner }, Wildcards::Allowed)
            }
        };
        let (asked, opener) = (path.clone(), session.clone());
        let opened = blocking(move || {
            let is_folder = opener.stat(&asked).is_ok_and(|stat| stat.is_folder());
            let selection = Selection::open(&opener, &asked, wildcards)?;
            Ok((selection.with_options(options)?, is_folder))
        });
        let (selection, is_folder) = match opened.await {
            Ok(opened) => opened,
            Err(error) => return Flow::Go(Reply::error(&error)),
        };
        let form = match form {
            // Of a folder's entries the folder is the prefix; of a file or pattern what stands before its name.
            Form::Names(_) if is_folder && !wanted.is_empty() => {
                Form::Names(format!("{}/", wanted.trim_end_matches('/')))
            }
            form => form,
        };
        let lane = self.lane();
        if self.control.send(&Reply::new(150, "Here comes the list.")).await.is_err() {
            return Flow::Drop;
        }
        let written = match self.connect(&lane, source).await {
            Ok(data) => self.attend(&lane, listing::write(selection, form, data, &lane)).await,
            Err(refusal) => Err(refusal),
        };
        let reply = written.map_or_else(|refusal| refusal, |()| Reply::new(226, "That was all."));
        self.finish(reply).await
    }
}

/// One transfer's preparations.
struct Stage<'a> {
    lane: &'a Lane,
    source: Source,
    bring: oneshot::Sender<Data>,
    command: String,
}

/// Waits for the back-end; an order that libunftp does not bring to it in time is lost.
async fn opened_or_lost<R>(
    mut opened: oneshot::Receiver<R>,
    exchange: &Exchange,
) -> Result<R, oneshot::error::RecvError> {
    match tokio::time::timeout(TAKEN_WITHIN, &mut opened).await {
        Ok(opened) => opened,
        Err(_) => {
            exchange.drop_untaken();
            // Taken, but not open yet: copying what an append starts from may take a while.
            opened.await
        }
    }
}

fn no_port() -> Reply {
    Reply::new(425, "Send EPSV or PASV first.")
}

/// What stands before the last name, as the client wrote it.
fn prefix(wanted: &str) -> String {
    wanted.rsplit_once('/').map_or_else(String::new, |(folder, _)| format!("{folder}/"))
}
