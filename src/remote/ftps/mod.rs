//! FTPS as a client, implicit and explicit: suppaftp over a rustls stream that keeps the server's last words.

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod listing;
mod open;
mod stream;
mod transfer;

use std::collections::BTreeSet;

use suppaftp::tokio::ImplAsyncFtpStream;
use suppaftp::types::Response;
use suppaftp::{FtpError, Status};

use self::stream::{Heard, HeardStream, Torn};
use super::trust::Seen;
use super::{Overwrite, RemoteEntry, Target, within};
use crate::error::{Error, Kind, Result};
use crate::model::VPath;

pub(super) use open::probe;

/// A logged-in FTPS or FTPES session.
pub struct Connection {
    target: Target,
    ftp: ImplAsyncFtpStream<HeardStream>,
    heard: Heard,
    torn: Torn,
    seen: Seen,
    features: BTreeSet<String>,
    /// A step was given up in the middle: what comes next on the control connection answers nobody knows what.
    broken: bool,
}

impl Connection {
    /// Connects, checks the certificate, protects data connections and logs in.
    pub(super) async fn open(target: &Target) -> Result<Self> {
        open::open(target).await
    }

    /// One file or folder.
    pub(super) async fn stat(&mut self, path: &VPath) -> Result<RemoteEntry> {
        let what = format!("look at {path}");
        let name = path.name().unwrap_or("/").to_owned();
        if self.can("MLST") {
            let reply = self.ask(&what, &format!("MLST {path}")).await?;
            let found =
                reply.words().lines().skip(1).find_map(|line| listing::facts(line.trim_start()));
            match (reply.code(), found) {
                (250, Some(found)) if found.is_folder => {
                    return Ok(RemoteEntry { name, ..found });
                }
                // ProFTPD tells of a link itself here, and below of the file that it names.
                (250, Some(found)) => match self.size(path).await? {
                    Some(bytes) if found.bytes != Some(bytes) => {}
                    _ => return Ok(RemoteEntry { name, ..found }),
                },
                (250 | 500..=504, _) => {}
                _ => return Err(self.refusal(&what, &reply)),
            }
        }
        let size = self.ask(&what, &format!("SIZE {path}")).await?;
        if let Some(bytes) = size.number() {
            let changed = self.ask(&what, &format!("MDTM {path}")).await?;
            let modified = changed.value().and_then(|text| listing::time(&text));
            return Ok(RemoteEntry { name, is_folder: false, bytes: Some(bytes), modified });
        }
        // No size: a folder, or nothing, or a server that does not say sizes.
        if self.ask(&what, &format!("CWD {path}")).await?.code() < 300 {
            return Ok(RemoteEntry { name, is_folder: true, bytes: None, modified: None });
        }
        let listed = match path.parent() {
            Some(parent) => self.entries(&parent).await?,
            None => Vec::new(),
        };
        listed.into_iter().find(|entry| entry.name == name).ok_or_else(|| {
            self.target.refused(Kind::NotFound, &format!("{what}: there is no such file"))
        })
    }

    /// The size that the server says, if it says one.
    async fn size(&mut self, path: &VPath) -> Result<Option<u64>> {
        Ok(self.ask(&format!("size of {path}"), &format!("SIZE {path}")).await?.number())
    }

    /// Another name.
    pub(super) async fn rename(
        &mut self,
        from: &VPath,
        to: &VPath,
        overwrite: Overwrite,
    ) -> Result<()> {
        let what = format!("rename {from} to {to}");
        // Most servers replace without a word, so the name is looked at before.
        let taken = match self.stat(to).await {
            Ok(_) => true,
            Err(error) if error.kind() == Kind::NotFound => false,
            Err(error) => return Err(error),
        };
        if taken && overwrite == Overwrite::Never {
            return Err(self.target.refused(Kind::Exists, &format!("{what}: the name is taken")));
        }
        let Some(refused) = self.rename_once(&what, from, to).await? else { return Ok(()) };
        if taken && self.stat(from).await.is_ok() {
            self.delete(to).await?;
            if self.rename_once(&what, from, to).await?.is_none() {
                return Ok(());
            }
        }
        Err(self.missing_or_denied(&what, from, &refused).await)
    }

    async fn rename_once(&mut self, what: &str, from: &VPath, to: &VPath) -> Result<Option<Reply>> {
        let first = self.ask(what, &format!("RNFR {from}")).await?;
        if first.code() != 350 {
            return Ok(Some(first));
        }
        let second = self.ask(what, &format!("RNTO {to}")).await?;
        Ok((second.code() >= 300).then_some(second))
    }

    /// Removes a file.
    pub(super) async fn delete(&mut self, path: &VPath) -> Result<()> {
        let what = format!("delete {path}");
        let reply = self.ask(&what, &format!("DELE {path}")).await?;
        if reply.code() < 300 {
            return Ok(());
        }
        Err(self.missing_or_denied(&what, path, &reply).await)
    }

    /// Makes a folder, or finds it made.
    pub(super) async fn make_dir(&mut self, path: &VPath) -> Result<()> {
        let what = format!("make the folder {path}");
        let reply = self.ask(&what, &format!("MKD {path}")).await?;
        if reply.code() < 300 || self.ask(&what, &format!("CWD {path}")).await?.code() < 300 {
            return Ok(());
        }
        let parent = path.parent().unwrap_or_else(VPath::root);
        Err(self.missing_or_denied(&what, &parent, &reply).await)
    }

    /// QUIT.
    pub(super) async fn close(mut self) {
        if self.broken {
            return;
        }
        match tokio::time::timeout(self.target.step_timeout, self.ftp.quit()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!("{:?}: QUIT: {error}", self.target),
            Err(_) => tracing::debug!("{:?}: QUIT: no answer", self.target),
        }
    }

    fn can(&self, feature: &str) -> bool {
        self.features.contains(feature)
    }

    /// Sends a command; its reply, whatever the server thinks of it.
    async fn ask(&mut self, what: &str, command: &str) -> Result<Reply> {
        self.still_whole(what)?;
        self.broken = true;
        let target = self.target.clone();
        // No status is expected, so every reply comes back whole.
        let asked = self.ftp.custom_command(command, &[]);
        match within(&target, what, async { Ok(asked.await) }).await? {
            Ok(response) | Err(FtpError::UnexpectedResponse(response)) => {
                self.broken = false;
                let reply = Reply(response);
                match reply.code() {
                    421 => Err(self.refusal(what, &reply)),
                    _ => Ok(reply),
                }
            }
            Err(error) => Err(reply_error(&target, what, &error)),
        }
    }

    fn still_whole(&self, what: &str) -> Result<()> {
        if self.broken {
            return Err(self.target.refused(
                Kind::Busy,
                &format!(
                    "{what}: the connection was given up before; it is tried again with a new one"
                ),
            ));
        }
        Ok(())
    }

    fn refusal(&self, what: &str, reply: &Reply) -> Error {
        let kind = kind_of(reply.code());
        self.target.refused(kind, &format!("{what}: {}", reply.words()))
    }

    /// 550 is the answer to what is missing and to what is forbidden: whether the thing is there tells them apart.
    async fn missing_or_denied(&mut self, what: &str, path: &VPath, reply: &Reply) -> Error {
        let mut refusal = self.refusal(what, reply);
        if matches!(reply.code(), 550 | 553) {
            let kind = match self.stat(path).await {
                Ok(_) => Kind::Denied,
                Err(error) if error.kind() == Kind::NotFound => Kind::NotFound,
                Err(_) => refusal.kind(),
            };
            refusal = self.target.refused(kind, &format!("{what}: {}", reply.words()));
        }
        refusal
    }
}

/// A whole reply of the server.
struct Reply(Response);

impl Reply {
    fn code(&self) -> u32 {
        self.0.status.code()
    }

    fn words(&self) -> String {
        String::from_utf8_lossy(&self.0.body).trim().to_owned()
    }

    /// What stands after a 213.
    fn value(&self) -> Option<String> {
        let words = self.words();
        (self.code() == 213).then(|| words.get(4..).unwrap_or_default().trim().to_owned())
    }

    fn number(&self) -> Option<u64> {
        self.value()?.parse().ok()
    }
}

/// What a reply code means to a caller (RFC 959, section 4.2).
fn kind_of(code: u32) -> Kind {
    match code {
        430 | 530 | 532 | 534 | 553 => Kind::Denied,
        550 => Kind::NotFound,
        452 | 552 => Kind::NoSpace,
        500..=504 | 522 | 536 => Kind::Unsupported,
        421 | 425 | 426 | 434 | 450 | 451 => Kind::Busy,
        _ => Kind::Internal,
    }
}

/// What suppaftp reports, in words that name the server and what was tried.
fn reply_error(target: &Target, what: &str, error: &FtpError) -> Error {
    let (kind, words) = match error {
        FtpError::UnexpectedResponse(response) => {
            let said = String::from_utf8_lossy(&response.body).trim().to_owned();
            (kind_of(response.status.code()), said)
        }
        FtpError::BadResponse => (Kind::Busy, "the server answers what is no FTP".to_owned()),
        other => (Kind::Busy, other.to_string()),
    };
    Error::new(kind, format!("{target:?}: {what}: {words}"))
}

/// The replies with which a server begins a transfer.
const BEGINS: [Status; 2] = [Status::AboutToSend, Status::AlreadyOpen];
