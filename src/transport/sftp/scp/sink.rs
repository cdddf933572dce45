//! `scp -t`: files and folders that a client sends.

use std::sync::Arc;

use jiff::Timestamp;

use super::command::Command;
use super::lines::{Line, name_fault};
use super::talk::{Answer, Batch, Stop, Talk};
use crate::error::{Error, Kind, Result};
use crate::model::VPath;
use crate::service::session::{Open, Session, Staged};
use crate::transport::aside::{blocking, interrupt};
use crate::transport::sftp::desk::Aimed;
use crate::transport::sftp::extensions::below_home;
use crate::transport::sftp::files::at;

/// Where what comes next goes.
struct Level {
    path: VPath,
    /// What comes lies in it; else it is the very file or folder that is sent.
    is_folder: bool,
    /// The folder's time, once it is complete.
    modified: Option<Timestamp>,
    /// Something has been sent under the target's own name: a second one would replace it unsaid.
    is_taken: bool,
}

/// What is being received.
struct Sink<'a> {
    talk: &'a mut Talk,
    command: &'a Command,
    session: Session,
    levels: Vec<Level>,
    /// The time that was told for what comes next.
    modified: Option<Timestamp>,
    /// Whether the target was written with a slash at its end.
    wants_folder: bool,
}

/// Receives until the client has nothing more to send.
///
/// # Errors
/// Why it ended before.
pub(super) async fn receive(talk: &mut Talk, command: &Command) -> std::result::Result<(), Stop> {
    let session = talk.shared.session.clone();
    let [target] = command.paths.as_slice() else {
        talk.tell_fatal("ambiguous target: a path with blanks needs quotes that reach the server, as in HOST:\"'/a b/'\"");
        return Ok(());
    };
    let base = match base(&session, command, &target.text).await {
        Ok(base) => base,
        Err(error) => {
            talk.tell_fatal(&format!("{}: {error}", target.text));
            return Ok(());
        }
    };
    let wants_folder = target.text.ends_with('/');
    let levels = vec![base];
    let mut sink = Sink { talk, command, session, levels, modified: None, wants_folder };
    sink.talk.ok()?;
    loop {
        match sink.talk.line().await {
            Ok(line) => sink.take(line).await?,
            Err(Stop::Eof) => return Ok(()),
            Err(stop) => return Err(stop),
        }
    }
}

/// The target itself.
async fn base(session: &Session, command: &Command, target: &str) -> Result<Level> {
    // What a shell knows no user for stays as it is.
    let path = at(below_home(target, session.login()).unwrap_or(target))?;
    let (session, looked) = (session.clone(), path.clone());
    let stat = blocking(move || Ok(session.stat(&looked).ok())).await?;
    let is_folder = stat.is_some_and(|stat| stat.is_folder());
    if command.into_folder && !is_folder {
        let why = if stat.is_some() { "Not a directory" } else { "No such directory" };
        return Err(Error::new(Kind::NotFolder, why));
    }
    Ok(Level { path, is_folder, modified: None, is_taken: false })
}

impl Sink<'_> {
    async fn take(&mut self, line: Line) -> std::result::Result<(), Stop> {
        match line {
            Line::Times(seconds) => {
                self.modified = Timestamp::from_second(seconds).ok();
                self.talk.ok()
            }
            Line::File(bytes, name) => self.file(bytes, &name).await,
            Line::Folder(name) => self.folder(&name).await,
            Line::End => self.end_of_folder().await,
            // The client tells why something does not come; it awaits no answer.
            Line::Told(_) => {
                self.talk.note_failure();
                Ok(())
            }
            Line::Fatal(why) => Err(Stop::Fatal(why)),
        }
    }

    /// The path of what is sent under this name.
    fn path(&mut self, name: &str) -> Result<VPath> {
        if let Some(fault) = name_fault(name) {
            return Err(Error::new(Kind::Invalid, fault));
        }
        let lost = || Error::new(Kind::Internal, "there is no folder for it");
        let level = self.levels.last_mut().ok_or_else(lost)?;
        if level.is_folder {
            return level.path.join(name).map_err(|why| Error::new(Kind::Invalid, why));
        }
        if std::mem::replace(&mut level.is_taken, true) {
            let why = format!("{}: several files need a folder as target", level.path);
            return Err(Error::new(Kind::NotFolder, why));
        }
        Ok(level.path.clone())
    }

    async fn file(&mut self, bytes: u64, name: &str) -> std::result::Result<(), Stop> {
        let modified = self.modified.take();
        let connection = Arc::clone(&self.talk.shared.connection);
        // Held from here on, so that a stopping server either refuses it or waits for it.
        let _transfer = connection.transfer();
        if connection.edge.shutdown.is_cancelled() {
            self.talk.tell_fatal("The server stops; try again in a minute");
            return Err(Stop::Lost);
        }
        let staged = match self.open(bytes, name, modified).await {
            Ok(staged) => staged,
            Err(error) => return self.talk.refuse(name, error.message()),
        };
        let path = staged.path();
        self.talk.await_bytes(bytes.saturating_add(1));
        self.talk.ok()?;
        let staged = self.receive(staged, bytes).await?;
        // The client says whether what it sent is what it wanted to send.
        let whole = match self.talk.end_of_file().await {
            Ok(Answer::Ok) => Ok(()),
            Ok(Answer::No(why)) => Err(format!("the client reported a fault: {why}")),
            Err(stop) => {
                if let Ok(staged) = staged {
                    interrupt(staged, &self.because(&stop)).await;
                }
                return Err(stop);
            }
        };
        match (staged, whole) {
            (Err(error), _) => self.talk.refuse(path.as_str(), error.message()),
            (Ok(staged), Err(why)) => {
                interrupt(staged, &why).await;
                self.talk
                    .refuse(path.as_str(), "nothing was stored, as the client reported a fault")
            }
            (Ok(staged), Ok(())) => self.commit(staged).await,
        }
    }

    async fn open(
        &mut self,
        bytes: u64,
        name: &str,
        modified: Option<Timestamp>,
    ) -> Result<Staged> {
        let path = self.path(name)?;
        let session = self.session.clone();
        let needs_folder = self.wants_folder && self.levels.len() == 1;
        let is_folder = self.levels.last().is_some_and(|level| level.is_folder);
        if needs_folder && !is_folder {
            return Err(Error::new(Kind::NotFound, format!("{path}/: No such directory")));
        }
        blocking(move || {
            let mut staged = session.open_upload(&path, Open::Replace)?;
            if let Err(error) = staged.check_size(bytes) {
                staged.interrupt(error.message());
                return Err(error);
            }
            modified.into_iter().for_each(|modified| staged.set_modified(modified));
            Ok(staged)
        })
        .await
    }

    /// Takes the file's bytes. What can no longer be stored is taken nevertheless: the client reads our answer behind its end.
    async fn receive(
        &mut self,
        staged: Staged,
        bytes: u64,
    ) -> std::result::Result<Result<Staged>, Stop> {
        let mut staged = Ok(staged);
        let mut offset = 0;
        while offset < bytes {
            let batch = match self.talk.data(bytes.saturating_sub(offset)).await {
                Ok(batch) => batch,
                Err(stop) => {
                    if let Ok(staged) = staged {
                        interrupt(staged, &self.because(&stop)).await;
                    }
                    return Err(stop);
                }
            };
            let length = batch.bytes();
            staged = match staged {
                Ok(staged) => blocking(move || write(staged, offset, &batch)).await,
                Err(error) => Err(error),
            };
            offset = offset.saturating_add(length);
        }
        Ok(staged)
    }

    async fn commit(&mut self, staged: Staged) -> std::result::Result<(), Stop> {
        let shared = Arc::clone(&self.talk.shared);
        let _aside = shared.connection.aside();
        let bytes = Some(staged.bytes());
        let what = Aimed { what: "upload", path: staged.path(), bytes };
        let turn = self.session.commit_turn().await;
        if shared.stopped.is_cancelled() {
            interrupt(staged, &shared.why()).await;
            return Err(Stop::Lost);
        }
        let committed = blocking(move || staged.commit()).await;
        drop(turn);
        match committed {
            Ok(receipt) => {
                let text = receipt.settle().await.text;
                what.log(&self.session, shared.connection.peer, &text);
                if self.command.verbose {
                    self.talk.show(&text);
                }
                self.talk.ok()
            }
            Err(error) => {
                what.log_refusal(&self.session, shared.connection.peer, &error);
                self.talk.refuse(what.path.as_str(), error.message())
            }
        }
    }

    async fn folder(&mut self, name: &str) -> std::result::Result<(), Stop> {
        if !self.command.recursive {
            return Err(Stop::Broken("a folder came, and -r was not asked for"));
        }
        let modified = self.modified.take();
        let made = match self.path(name) {
            Ok(path) => make(&self.session, path).await,
            Err(error) => Err(error),
        };
        match made {
            Ok(path) => {
                self.levels.push(Level { path, is_folder: true, modified, is_taken: false });
                self.talk.ok()
            }
            Err(error) => self.talk.refuse(name, error.message()),
        }
    }

    async fn end_of_folder(&mut self) -> std::result::Result<(), Stop> {
        let Some(level) = (self.levels.len() > 1).then(|| self.levels.pop()).flatten() else {
            return Err(Stop::Broken("a folder ends that did not begin"));
        };
        if let Some(modified) = level.modified {
            let session = self.session.clone();
            let set = blocking(move || session.set_modified(&level.path, modified)).await;
            if let Err(error) = set {
                tracing::debug!(%error, "a modification time was not set");
            }
        }
        self.talk.ok()
    }

    /// Why an upload is interrupted.
    fn because(&self, stop: &Stop) -> String {
        match stop {
            Stop::Eof => "the client left before the file was complete".to_owned(),
            Stop::Lost => self.talk.shared.why(),
            Stop::Broken(why) => format!("the client broke the protocol: {why}"),
            Stop::Fatal(why) => format!("the client reported a fault: {why}"),
        }
    }
}

/// A folder that is there, made if it was not.
async fn make(session: &Session, path: VPath) -> Result<VPath> {
    let session = session.clone();
    blocking(move || {
        match session.stat(&path) {
            Ok(stat) if stat.is_folder() => {}
            Ok(_) => {
                let why = format!("{path} is a file; a folder cannot take its place");
                return Err(Error::new(Kind::NotFolder, why));
            }
            Err(_) => session.make_dir(&path)?,
        }
        Ok(path)
    })
    .await
}

fn write(mut staged: Staged, mut offset: u64, batch: &Batch) -> Result<Staged> {
    for piece in &batch.pieces {
        if let Err(error) = staged.write_at(offset, piece) {
            staged.interrupt(error.message());
            return Err(error);
        }
        offset = offset.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
    }
    Ok(staged)
}
