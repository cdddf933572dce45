//! `scp -f`: files and folders that a client fetches.

use std::sync::Arc;

use bytes::Bytes;

use super::command::{Command, Word};
use super::lines::Line;
use super::talk::{Answer, Stop, Talk};
use crate::error::{Error, Kind, Result};
use crate::model::VPath;
use crate::service::session::{Download, Entry, Listing, Session, Stat};
use crate::transport::aside::blocking;
use crate::transport::pattern::Pattern;
use crate::transport::sftp::extensions::below_home;
use crate::transport::sftp::files::{at, log_download, wide};

/// Read from the disk at once.
const BLOCK_BYTES: usize = 128 * 1024;
/// Entries of a folder that are read at once.
const NAMES: usize = 100;

/// Entries of a folder, some at a time.
struct Walk {
    folder: VPath,
    /// `None` once all were read.
    listing: Option<Listing>,
    /// Only what it takes, if there is one.
    pattern: Option<Arc<Pattern>>,
    some: std::vec::IntoIter<Entry>,
}

/// What a client fetches.
struct Source<'a> {
    talk: &'a mut Talk,
    command: &'a Command,
    session: Session,
}

/// Sends everything that the command names.
///
/// # Errors
/// Why it ended before.
pub(super) async fn send(talk: &mut Talk, command: &Command) -> std::result::Result<(), Stop> {
    let session = talk.shared.session.clone();
    let mut source = Source { talk, command, session };
    // The client begins.
    source.answer().await?;
    for word in &command.paths {
        source.named(word).await?;
    }
    Ok(())
}

impl Source<'_> {
    /// Whether the client goes on with what it was told last.
    async fn answer(&mut self) -> std::result::Result<Answer, Stop> {
        let answer = self.talk.answer().await?;
        if answer != Answer::Ok {
            self.talk.note_failure();
        }
        Ok(answer)
    }

    /// What one word of the command names: a file, a folder, or several by a pattern.
    async fn named(&mut self, word: &Word) -> std::result::Result<(), Stop> {
        let text = below_home(&word.text, self.session.login()).unwrap_or(&word.text);
        let path = match at(text) {
            Ok(path) => path,
            Err(error) => return self.talk.refuse(&word.text, error.message()),
        };
        let (session, looked) = (self.session.clone(), path.clone());
        let there = blocking(move || session.stat(&looked)).await;
        match (there, &word.pattern) {
            (Ok(stat), _) => self.tree(path, stat).await,
            (Err(_), Some(pattern)) => self.matching(&word.text, &path, pattern).await,
            (Err(error), None) => self.talk.refuse(&word.text, &missing(&error)),
        }
    }

    /// All that the pattern takes in its folder. What a name there is a folder's needs `-r`, like any folder.
    async fn matching(
        &mut self,
        asked: &str,
        path: &VPath,
        pattern: &str,
    ) -> std::result::Result<(), Stop> {
        let folder = path.parent().unwrap_or_else(VPath::root);
        let walk = match Pattern::new(pattern) {
            Ok(pattern) => Walk::open(&self.session, folder, Some(Arc::new(pattern))).await,
            Err(error) => Err(error),
        };
        let mut walk = match walk {
            Ok(walk) => walk,
            Err(error) => return self.talk.refuse(asked, &missing(&error)),
        };
        let mut found = false;
        loop {
            match walk.next().await {
                Ok(Some((path, stat))) => {
                    found = true;
                    self.tree(path, stat).await?;
                }
                Ok(None) if found => return Ok(()),
                Ok(None) => return self.talk.refuse(asked, "No such file or directory"),
                Err(error) => return self.talk.refuse(asked, error.message()),
            }
        }
    }

    /// A file, or a folder with everything below it.
    async fn tree(&mut self, path: VPath, stat: Stat) -> std::result::Result<(), Stop> {
        let mut walks = Vec::new();
        walks.extend(self.one(path, stat).await?);
        while let Some(walk) = walks.last_mut() {
            match walk.next().await {
                Ok(Some((path, stat))) => walks.extend(self.one(path, stat).await?),
                end => {
                    if let Err(error) = end {
                        let folder = walk.folder.as_str().to_owned();
                        self.talk.refuse(&folder, error.message())?;
                    }
                    walks.pop();
                    self.talk.say(Line::End.write())?;
                    self.answer().await?;
                }
            }
        }
        Ok(())
    }

    /// Sends a file, or the beginning of a folder; what is in it comes next.
    async fn one(&mut self, path: VPath, stat: Stat) -> std::result::Result<Option<Walk>, Stop> {
        if !stat.is_folder() {
            return self.file(&path).await.map(|()| None);
        }
        if !self.command.recursive {
            self.talk.refuse(path.as_str(), "is a folder; fetch it with -r")?;
            return Ok(None);
        }
        let walk = match Walk::open(&self.session, path.clone(), None).await {
            Ok(walk) => walk,
            Err(error) => {
                self.talk.refuse(path.as_str(), error.message())?;
                return Ok(None);
            }
        };
        // The root has no name of its own.
        let name = path.name().unwrap_or(self.session.login()).to_owned();
        let begins = self.times(stat).await? == Answer::Ok
            && self.told(&Line::Folder(name)).await? == Answer::Ok;
        Ok(begins.then_some(walk))
    }

    async fn file(&mut self, path: &VPath) -> std::result::Result<(), Stop> {
        let connection = Arc::clone(&self.talk.shared.connection);
        let _transfer = connection.transfer();
        if connection.edge.shutdown.is_cancelled() {
            self.talk.tell_fatal("The server stops; try again in a minute");
            return Err(Stop::Lost);
        }
        let (session, opened) = (self.session.clone(), path.clone());
        let file = match blocking(move || session.open_read(&opened)).await {
            Ok(file) => Arc::new(file),
            Err(error) => return self.talk.refuse(path.as_str(), &missing(&error)),
        };
        let name = path.name().unwrap_or_default().to_owned();
        let begins = self.times(file.stat()).await? == Answer::Ok
            && self.told(&Line::File(file.bytes(), name)).await? == Answer::Ok;
        if !begins {
            return Ok(());
        }
        let mut sent_bytes = 0;
        let given = self.give(&file, &mut sent_bytes).await;
        let taken = match given {
            Ok(()) => self.answer().await,
            Err(stop) => Err(stop),
        };
        log_download(&self.session, connection.peer, path, sent_bytes, file.bytes());
        if taken? == Answer::Ok {
            let session = self.session.clone();
            let noted = blocking(move || {
                session.note_sent_whole(&file);
                Ok(())
            });
            if let Err(error) = noted.await {
                tracing::error!(%error, "noting that a file was fetched");
            }
        }
        Ok(())
    }

    /// The file's bytes, and the byte behind them.
    async fn give(
        &mut self,
        file: &Arc<Download>,
        sent_bytes: &mut u64,
    ) -> std::result::Result<(), Stop> {
        while *sent_bytes < file.bytes() {
            let left = usize::try_from(file.bytes().saturating_sub(*sent_bytes));
            let room = left.unwrap_or(BLOCK_BYTES).min(BLOCK_BYTES);
            let (file, offset) = (Arc::clone(file), *sent_bytes);
            let read = blocking(move || {
                let mut block = vec![0; room];
                let got = file.read_at(offset, &mut block)?;
                block.truncate(got);
                file.note_sent(offset, got);
                Ok(Bytes::from(block))
            });
            match read.await {
                Ok(block) if !block.is_empty() => {
                    *sent_bytes = sent_bytes.saturating_add(wide(block.len()));
                    self.talk.give(block).await?;
                }
                // Nothing else can stand in the place of the bytes that were announced: the client must not take it for whole.
                Ok(_) => return Err(Stop::Lost),
                Err(error) => {
                    tracing::error!(%error, "a file could not be read to its end");
                    return Err(Stop::Lost);
                }
            }
        }
        self.talk.give(Bytes::from_static(&[0])).await
    }

    /// With `-p`: the time of what comes next.
    async fn times(&mut self, stat: Stat) -> std::result::Result<Answer, Stop> {
        if !self.command.keeps_times {
            return Ok(Answer::Ok);
        }
        self.told(&Line::Times(stat.modified.as_second().max(0))).await
    }

    async fn told(&mut self, line: &Line) -> std::result::Result<Answer, Stop> {
        self.talk.say(line.write())?;
        self.answer().await
    }
}

impl Walk {
    async fn open(session: &Session, folder: VPath, pattern: Option<Arc<Pattern>>) -> Result<Self> {
        let (session, listed) = (session.clone(), folder.clone());
        let listing = blocking(move || session.list(&listed)).await?;
        Ok(Self { folder, listing: Some(listing), pattern, some: Vec::new().into_iter() })
    }

    /// The next entry; `None` at the end.
    async fn next(&mut self) -> Result<Option<(VPath, Stat)>> {
        loop {
            if let Some(entry) = self.some.next() {
                let path = self.folder.join(&entry.name);
                let path = path.map_err(|why| Error::new(Kind::Invalid, why))?;
                return Ok(Some((path, entry.stat)));
            }
            let Some(listing) = self.listing.take() else { return Ok(None) };
            let pattern = self.pattern.clone();
            let (listing, some) = blocking(move || some_of(listing, pattern.as_deref())).await?;
            self.listing = listing;
            self.some = some.into_iter();
        }
    }
}

/// Some entries, and what is left if that were not all.
fn some_of(
    mut listing: Listing,
    pattern: Option<&Pattern>,
) -> Result<(Option<Listing>, Vec<Entry>)> {
    let mut some = Vec::new();
    while some.len() < NAMES {
        let Some(entry) = listing.next() else { return Ok((None, some)) };
        let entry = entry?;
        if pattern.is_none_or(|pattern| pattern.takes(&entry.name)) {
            some.push(entry);
        }
    }
    Ok((Some(listing), some))
}

/// What programs look for in the words, where they look for any.
fn missing(error: &Error) -> String {
    match error.kind() {
        Kind::NotFound => "No such file or directory".to_owned(),
        _ => error.message().to_owned(),
    }
}
