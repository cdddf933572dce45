//! Commands on names: walking, making, removing, renaming, and what clients ask about a file.

use std::sync::Arc;

use super::about::HashForm;
use super::command::{Request, Verb};
use super::conversation::{Conversation, Flow};
use super::interpreter::{Answer, Interpreter};

use super::login::go;
use super::reply::Reply;
use super::transfer::Lane;
use crate::error::Result;
use crate::model::VPath;
use crate::service::session::Session;
use crate::transport::aside::blocking;

impl Conversation {
    /// Carries out one command of a client that has logged in.
    pub(super) async fn obey_guest(&mut self, request: Request) -> Flow {
        let Some(guest) = self.guest.as_mut() else { return go(530, "Log in first.") };
        let Request { verb, argument } = request;
        // A restart point counts for the transfer that follows, with nothing but the data port in between.
        let keeps_restart =
            matches!(verb, Verb::Pasv | Verb::Epsv | Verb::Port | Verb::Eprt | Verb::Rest);
        let restart =
            if keeps_restart { guest.restart } else { std::mem::take(&mut guest.restart) };
        let rename_from = guest.rename_from.take();
        match verb {
            Verb::Pwd => go(257, &format!("{} is the folder.", quoted(guest.cwd.as_str()))),
            Verb::Cwd => self.enter(if argument.is_empty() { "/" } else { &argument }).await,
            Verb::Cdup => self.enter("..").await,
            Verb::Mkd => self.make_folder(&argument).await,
            Verb::Rmd => self.on_name("RMD", &argument, 250, "Folder removed.").await,
            Verb::Dele => self.on_name("DELE", &argument, 250, "File removed.").await,
            Verb::Rnfr => self.rename_from(&argument).await,
            Verb::Rnto => self.rename_to(rename_from, &argument).await,
            Verb::Size => self.facts_of("SIZE", &argument).await,
            Verb::Mdtm => self.mdtm(&argument).await,
            Verb::Mlst => self.mlst(&argument).await,
            Verb::Mfmt => self.mfmt(&argument).await,
            Verb::Stat => self.stat(&argument).await,
            Verb::Hash => self.hash(&argument, HashForm::Hash).await,
            Verb::Xsha => self.hash(&argument, HashForm::Xsha).await,
            Verb::Avbl => self.available(&argument).await,
            Verb::Site => self.site(&argument).await,
            Verb::Abor => go(226, "Nothing to abort."),
            Verb::Rest => self.rest(&argument),
            _ => self.obey_transfer(verb, &argument, restart).await,
        }
    }

    /// The address that `argument` names from the working folder.
    pub(super) fn resolve(&self, argument: &str) -> std::result::Result<VPath, Reply> {
        let cwd = self.guest.as_ref().map_or_else(VPath::root, |guest| guest.cwd.clone());
        cwd.join(argument).map_err(|why| Reply::new(553, format!("{why}.")))
    }

    /// Asks libunftp (started if need be) while listening to the client.
    pub(super) async fn ask(
        &mut self,
        lane: &Lane,
        command: String,
    ) -> std::result::Result<Answer, Reply> {
        let mut interpreter = self.interpreter().await?;
        let asked = async {
            let answer = interpreter.ask(&command).await;
            (interpreter, answer)
        };
        let (interpreter, answer) = self.attend(lane, asked).await;
        self.put_back(interpreter, answer)
    }

    /// Keeps a sound interpreter for the next command; a broken one is dropped and another started then.
    pub(super) fn put_back<T>(
        &mut self,
        interpreter: Interpreter,
        outcome: std::io::Result<T>,
    ) -> std::result::Result<T, Reply> {
        match (outcome, self.guest.as_mut()) {
            (Ok(value), Some(guest)) => {
                guest.interpreter = Some(interpreter);
                Ok(value)
            }
            (Ok(_), None) => Err(Reply::new(530, "Log in first.")),
            (Err(error), _) => {
                tracing::error!(peer = %self.link.peer, %error, "the command interpreter failed");
                Err(internal())
            }
        }
    }

    /// The interpreter of this connection, taken out while it is busy.
    pub(super) async fn interpreter(&mut self) -> std::result::Result<Interpreter, Reply> {
        let Some(guest) = self.guest.as_mut() else { return Err(Reply::new(530, "Log in first.")) };
        guest.exchange.clear();
        if let Some(ready) = guest.interpreter.take() {
            return Ok(ready);
        }
        Interpreter::start(Arc::clone(&guest.exchange)).await.map_err(|error| {
            tracing::error!(peer = %self.link.peer, %error, "the command interpreter did not start");
            internal()
        })
    }

    /// Asks libunftp about one name; on success answers `code` and `text`.
    async fn on_name(&mut self, command: &str, argument: &str, code: u16, text: &str) -> Flow {
        let path = match self.resolve(argument) {
            Ok(path) => path,
            Err(refusal) => return Flow::Go(refusal),
        };
        let lane = self.lane();
        let answer = self.ask(&lane, format!("{command} {path}")).await;
        let reply = self.judge(answer).map_or_else(|refusal| refusal, |_| Reply::new(code, text));
        if reply.is_done() {
            self.log_change(command, &path);
        }
        self.finish(reply).await
    }

    fn log_change(&self, command: &str, path: &VPath) {
        let Some(guest) = &self.guest else { return };
        let (protocol, peer, login) = (self.link.kind, self.link.peer, guest.session.login());
        tracing::info!(%protocol, %peer, login, path = ?path.as_str(), "{command}");
    }

    /// libunftp's answer, or the refusal that our back-end left in words.
    fn judge(
        &self,
        answer: std::result::Result<Answer, Reply>,
    ) -> std::result::Result<Answer, Reply> {
        let answer = answer?;
        if answer.code < 400 {
            return Ok(answer);
        }
        let in_words = self.guest.as_ref().and_then(|guest| guest.exchange.take_refusal());
        Err(in_words.unwrap_or_else(|| Reply::new(answer.code, &answer.text)))
    }

    async fn enter(&mut self, argument: &str) -> Flow {
        let path = match self.resolve(argument) {
            Ok(path) => path,
            Err(refusal) => return Flow::Go(refusal),
        };
        let lane = self.lane();
        let answer = self.ask(&lane, format!("CWD {path}")).await;
        let reply = match self.judge(answer) {
            Ok(_) => Reply::new(250, format!("{} is the folder now.", quoted(path.as_str()))),
            Err(refusal) => refusal,
        };
        if let (true, Some(guest)) = (reply.is_done(), self.guest.as_mut()) {
            guest.cwd = path;
        }
        self.finish(reply).await
    }

    async fn make_folder(&mut self, argument: &str) -> Flow {
        let path = match self.resolve(argument) {
            Ok(path) => path,
            Err(refusal) => return Flow::Go(refusal),
        };
        let text = format!("{} made.", quoted(path.as_str()));
        self.on_name("MKD", path.as_str(), 257, &text).await
    }

    async fn rename_from(&mut self, argument: &str) -> Flow {
        let path = match self.resolve(argument) {
            Ok(path) => path,
            Err(refusal) => return Flow::Go(refusal),
        };
        let lane = self.lane();
        let answer = self.ask(&lane, format!("RNFR {path}")).await;
        match self.judge(answer) {
            Ok(_) => {
                if let Some(guest) = self.guest.as_mut() {
                    guest.rename_from = Some(path);
                }
                self.finish(Reply::new(350, "And the new name?")).await
            }
            Err(refusal) => self.finish(refusal).await,
        }
    }

    /// A rename can be the commit of an upload: then its answer waits for the import.
    async fn rename_to(&mut self, from: Option<VPath>, argument: &str) -> Flow {
        let Some(from) = from else { return go(503, "Send RNFR first.") };
        let to = match self.resolve(argument) {
            Ok(path) => path,
            Err(refusal) => return Flow::Go(refusal),
        };
        let lane = self.lane();
        let answer = self.ask(&lane, format!("RNTO {to}")).await;
        let receipt = self.guest.as_ref().and_then(|guest| guest.exchange.take_renamed());
        let reply = match (receipt, self.judge(answer)) {
            // The receipt decides: what is durable is not answered with a failure.
            (Some(receipt), _) => {
                let answer = self.attend(&lane, receipt.settle()).await;
                self.log_change("RNTO", &to);
                tracing::debug!(from = ?from.as_str(), "renamed");
                Reply::new(250, answer.text)
            }
            (None, Ok(_)) => internal(),
            (None, Err(refusal)) => refusal,
        };
        self.finish(reply).await
    }

    /// SIZE and MDTM: libunftp's own words are the answer.
    pub(super) async fn facts_of(&mut self, command: &str, argument: &str) -> Flow {
        let path = match self.resolve(argument) {
            Ok(path) => path,
            Err(refusal) => return Flow::Go(refusal),
        };
        let asked = path.clone();
        match self.with_session(move |session| session.stat(&asked)).await {
            // Clients tell files from folders by this answer.
            Ok(stat) if stat.is_folder() && command == "SIZE" => {
                return Flow::Go(Reply::new(550, format!("{path} is a folder.")));
            }
            Ok(_) => {}
            Err(refusal) => return Flow::Go(refusal),
        }
        let lane = self.lane();
        let answer = self.ask(&lane, format!("{command} {path}")).await;
        let reply = self.judge(answer).map(|answer| Reply::new(answer.code, answer.text));
        self.finish(reply.unwrap_or_else(|refusal| refusal)).await
    }

    /// Runs a question to the session on a thread that may block.
    pub(super) async fn with_session<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Session) -> Result<T> + Send + 'static,
    ) -> std::result::Result<T, Reply> {
        let Some(guest) = &self.guest else { return Err(Reply::new(530, "Log in first.")) };
        let session = guest.session.clone();
        blocking(move || question(&session)).await.map_err(|e| Reply::error(&e))
    }

    fn rest(&mut self, argument: &str) -> Flow {
        let Some(guest) = self.guest.as_mut() else { return go(530, "Log in first.") };
        let Ok(offset) = argument.trim().parse::<u64>() else {
            return go(501, "REST takes a number of bytes.");
        };
        guest.restart = offset;
        go(350, &format!("The next transfer starts at byte {offset}."))
    }
}

pub(super) fn internal() -> Reply {
    Reply::new(451, "An internal fault; try again, and tell the operator if it stays.")
}

/// A path in quotes, inner quotes doubled. Source: RFC 959, Appendix II.
fn quoted(path: &str) -> String {
    format!("\"{}\"", path.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_in_paths_are_doubled() {
        assert_eq!(quoted("/a\"b"), "\"/a\"\"b\"");
    }
}
