//! SFTP as a client: russh for the connection, russh-sftp's requests for the files.

mod answers;
mod moving;
mod open;

use std::sync::Arc;

use jiff::Timestamp;
use russh::Disconnect;
use russh::client::Handle;
use russh_sftp::client::error::Error as SftpError;
use russh_sftp::client::{Config, RawSftpSession};
use russh_sftp::protocol::{FileAttributes, OpenFlags, Packet, StatusCode};
use tokio::io::{AsyncRead, AsyncWrite};

use self::answers::Answers;
use self::moving::Stopped;
use self::open::HostKey;
use super::{Overwrite, RemoteEntry, Target, other_length, too_large, within};
use crate::config::{REMOTE_ENTRIES, REMOTE_LISTING_BYTES};
use crate::error::{Error, Kind, Result};
use crate::model::VPath;

pub(super) use open::probe;

/// Renaming over an existing file (OpenSSH's PROTOCOL, section 4.3).
const POSIX_RENAME: &str = "posix-rename@openssh.com";
/// Making an open file durable (OpenSSH's PROTOCOL, section 4.7).
const FSYNC: &str = "fsync@openssh.com";
/// Asking for free space (OpenSSH's PROTOCOL, section 4.4).
const STATVFS: &str = "statvfs@openssh.com";
/// A disk with less than this is called full when a server refuses to write without saying why.
const FULL_BYTES: u64 = 1024 * 1024;

/// An SFTP session on its own SSH connection.
pub struct Connection {
    target: Target,
    ssh: Handle<HostKey>,
    sftp: Arc<RawSftpSession>,
    offered: Vec<String>,
}

impl Connection {
    /// Connects, checks the host key and logs in.
    pub(super) async fn open(target: &Target) -> Result<Self> {
        let mut ssh = open::meet(target).await?;
        open::log_in(target, &mut ssh).await?;
        let what = "open the SFTP subsystem";
        within(target, what, async {
            let channel =
                ssh.channel_open_session().await.map_err(|e| ssh_error(target, what, e))?;
            channel
                .request_subsystem(true, "sftp")
                .await
                .map_err(|e| ssh_error(target, what, e))?;
            let config = Config {
                request_timeout_secs: target.step_timeout.as_secs().max(1),
                ..Config::default()
            };
            let sftp = RawSftpSession::new_with_config(Answers::of(channel.into_stream()), config);
            let version = sftp.init().await.map_err(|e| sftp_error(target, what, e))?;
            let offered = version.extensions.into_keys().collect();
            Ok(Self { target: target.clone(), ssh, sftp: Arc::new(sftp), offered })
        })
        .await
    }

    /// Writes the whole file; the status of CLOSE is the acknowledgement.
    pub(super) async fn put_from(
        &mut self,
        path: &VPath,
        from: &mut (dyn AsyncRead + Unpin + Send),
        bytes: u64,
    ) -> Result<String> {
        let what = format!("put {path}");
        let flags = OpenFlags::CREATE | OpenFlags::TRUNCATE | OpenFlags::WRITE;
        let handle = match self.sftp.open(path.as_str(), flags, FileAttributes::empty()).await {
            Ok(opened) => opened.handle,
            Err(error) => return Err(self.unwritable(path, &what, error).await),
        };
        let written = moving::write(&self.sftp, &handle, from, bytes).await;
        if written.is_ok() && self.offers(FSYNC) {
            // A server may refuse it for a file system; the close below still says whether the bytes are there.
            if let Err(error) = self.sftp.fsync(handle.as_str()).await {
                tracing::debug!("{:?}: {what}: fsync: {error}", self.target);
            }
        }
        let closed = self.sftp.close(handle).await;
        match (written, closed) {
            (Ok(()), Ok(_)) => Ok("OK".to_owned()),
            (Ok(()), Err(error)) | (Err(Stopped::Server(error)), _) => {
                Err(self.unwritable(path, &what, error).await)
            }
            (Err(stopped), _) => Err(self.stopped(&what, stopped, bytes)),
        }
    }

    /// Fails when the server says that a file has another size than was sent.
    pub(super) async fn check_arrived(&mut self, path: &VPath, bytes: u64) -> Result<()> {
        match self.sftp.stat(path.as_str()).await.map(|found| found.attrs.size) {
            Ok(Some(there)) if there != bytes => {
                Err(other_length(&self.target, &format!("put {path}"), there, bytes))
            }
            // A drop box shows nothing of what was put into it.
            Ok(_) | Err(SftpError::Status(_)) => Ok(()),
            Err(error) => Err(sftp_error(&self.target, &format!("put {path}: look at it"), error)),
        }
    }

    /// Reads the whole file.
    pub(super) async fn get_to(
        &mut self,
        path: &VPath,
        to: &mut (dyn AsyncWrite + Unpin + Send),
        max_bytes: u64,
    ) -> Result<u64> {
        let what = format!("get {path}");
        let say = |e| sftp_error(&self.target, &what, e);
        let handle = self
            .sftp
            .open(path.as_str(), OpenFlags::READ, FileAttributes::empty())
            .await
            .map_err(say)?
            .handle;
        let told = self.sftp.fstat(handle.as_str()).await.ok().and_then(|found| found.attrs.size);
        let read = match told {
            Some(told) if told > max_bytes => Err(Stopped::TooLarge),
            _ => moving::read(&self.sftp, &handle, to, max_bytes).await,
        };
        let closed = self.sftp.close(handle).await;
        let moved = read.map_err(|stopped| self.stopped(&what, stopped, max_bytes))?;
        closed.map_err(say)?;
        match told {
            Some(told) if told != moved => Err(other_length(&self.target, &what, told, moved)),
            _ => Ok(moved),
        }
    }

    /// What lies in a folder; links are followed.
    pub(super) async fn entries(&mut self, folder: &VPath) -> Result<Vec<RemoteEntry>> {
        let what = format!("list {folder}");
        let say = |e| sftp_error(&self.target, &what, e);
        let handle = self.sftp.opendir(folder.as_str()).await.map_err(say)?.handle;
        let listed = self.read_folder(&handle, &what).await;
        self.sftp.close(handle).await.map_err(say)?;
        let mut entries = Vec::new();
        for (name, mut attributes) in listed? {
            if attributes.file_type().is_symlink() {
                let Ok(path) = folder.join(&name) else { continue };
                match self.sftp.stat(path.as_str()).await {
                    Ok(found) => attributes = found.attrs,
                    Err(SftpError::Status(_)) => continue,
                    Err(error) => return Err(say(error)),
                }
            }
            entries.push(entry(name, &attributes));
        }
        Ok(entries)
    }

    async fn read_folder(&self, handle: &str, what: &str) -> Result<Vec<(String, FileAttributes)>> {
        let mut listed = Vec::new();
        let mut name_bytes = 0;
        loop {
            let batch = match self.sftp.readdir(handle).await {
                Ok(batch) if batch.files.is_empty() => return Ok(listed),
                Ok(batch) => batch.files,
                Err(SftpError::Status(s)) if s.status_code == StatusCode::Eof => return Ok(listed),
                Err(error) => return Err(sftp_error(&self.target, what, error)),
            };
            for file in batch {
                name_bytes += file.filename.len();
                if listed.len() >= REMOTE_ENTRIES || name_bytes > REMOTE_LISTING_BYTES {
                    return Err(self.target.refused(
                        Kind::TooLarge,
                        &format!("{what}: more than {REMOTE_ENTRIES} entries; move old files away"),
                    ));
                }
                if RemoteEntry::is_name(&file.filename) {
                    listed.push((file.filename, file.attrs));
                }
            }
        }
    }

    /// One file or folder.
    pub(super) async fn stat(&mut self, path: &VPath) -> Result<RemoteEntry> {
        let what = format!("look at {path}");
        let found = self.sftp.stat(path.as_str()).await;
        let found = found.map_err(|e| sftp_error(&self.target, &what, e))?;
        Ok(entry(path.name().unwrap_or("/").to_owned(), &found.attrs))
    }

    /// Another name.
    pub(super) async fn rename(
        &mut self,
        from: &VPath,
        to: &VPath,
        overwrite: Overwrite,
    ) -> Result<()> {
        let what = format!("rename {from} to {to}");
        if overwrite == Overwrite::Replace && self.offers(POSIX_RENAME) {
            let names = [from.as_str(), to.as_str()].map(str::as_bytes);
            let payload = names.into_iter().flat_map(|name| {
                let length = u32::try_from(name.len()).unwrap_or(u32::MAX);
                length.to_be_bytes().into_iter().chain(name.iter().copied())
            });
            return match self.sftp.extended(POSIX_RENAME, payload.collect()).await {
                Ok(Packet::Status(s)) if s.status_code == StatusCode::Ok => Ok(()),
                Ok(Packet::Status(s)) => Err(sftp_error(&self.target, &what, SftpError::Status(s))),
                Ok(_) => Err(sftp_error(&self.target, &what, SftpError::UnexpectedPacket)),
                Err(error) => Err(sftp_error(&self.target, &what, error)),
            };
        }
        let taken = self.sftp.stat(to.as_str()).await.is_ok();
        if taken && overwrite == Overwrite::Never {
            return Err(self.target.refused(Kind::Exists, &format!("{what}: the name is taken")));
        }
        let renamed = self.sftp.rename(from.as_str(), to.as_str()).await;
        match renamed {
            Ok(_) => Ok(()),
            Err(SftpError::Status(_)) if taken && self.sftp.stat(from.as_str()).await.is_ok() => {
                self.delete(to).await?;
                let renamed = self.sftp.rename(from.as_str(), to.as_str()).await;
                renamed.map(|_| ()).map_err(|e| sftp_error(&self.target, &what, e))
            }
            Err(error) => Err(sftp_error(&self.target, &what, error)),
        }
    }

    /// Removes a file.
    pub(super) async fn delete(&mut self, path: &VPath) -> Result<()> {
        let removed = self.sftp.remove(path.as_str()).await;
        removed.map(|_| ()).map_err(|e| sftp_error(&self.target, &format!("delete {path}"), e))
    }

    /// Makes a folder, or finds it made.
    pub(super) async fn make_dir(&mut self, path: &VPath) -> Result<()> {
        let Err(error) = self.sftp.mkdir(path.as_str(), FileAttributes::empty()).await else {
            return Ok(());
        };
        match self.sftp.stat(path.as_str()).await {
            Ok(found) if found.attrs.file_type().is_dir() => Ok(()),
            _ => Err(sftp_error(&self.target, &format!("make the folder {path}"), error)),
        }
    }

    /// Closes the subsystem, then the connection.
    pub(super) async fn close(self) {
        if let Err(error) = self.sftp.close_session() {
            tracing::debug!("{:?}: closing the SFTP subsystem: {error}", self.target);
        }
        let bye = self.ssh.disconnect(Disconnect::ByApplication, "", "en");
        match tokio::time::timeout(self.target.step_timeout, bye).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!("{:?}: closing: {error}", self.target),
            Err(_) => tracing::debug!("{:?}: closing: no answer", self.target),
        }
    }

    fn offers(&self, extension: &str) -> bool {
        self.offered.iter().any(|offered| offered == extension)
    }

    /// Why a file cannot be written. OpenSSH says "Failure" for a full disk, so it is asked how full it is; ProFTPD says it in words.
    async fn unwritable(&self, path: &VPath, what: &str, error: SftpError) -> Error {
        let failure = match &error {
            SftpError::Status(status) if status.status_code == StatusCode::Failure => {
                Some(status.error_message.as_str())
            }
            _ => None,
        };
        if let Some(words) = failure.filter(|words| tells_of_a_full_disk(words)) {
            let message = format!("{:?}: {what}: the server's disk is full: {words}", self.target);
            return Error::caused(Kind::NoSpace, message, error);
        }
        if failure.is_some() && self.offers(STATVFS) {
            let folder = path.parent().unwrap_or_else(VPath::root);
            if let Ok(disk) = self.sftp.statvfs(folder.as_str()).await
                && disk.blocks_avail.saturating_mul(disk.fragment_size) < FULL_BYTES
            {
                let words = format!("{:?}: {what}: the server's disk is full", self.target);
                return Error::caused(Kind::NoSpace, words, error);
            }
        }
        sftp_error(&self.target, what, error)
    }

    fn stopped(&self, what: &str, stopped: Stopped, limit: u64) -> Error {
        match stopped {
            Stopped::Server(error) => sftp_error(&self.target, what, error),
            Stopped::Here(error) => Error::io(format!("{:?}: {what}", self.target), error),
            Stopped::TooLarge => too_large(&self.target, what, limit),
            Stopped::Length(moved) => other_length(&self.target, what, limit, moved),
        }
    }
}

/// Whether a server's words for a failed write mean that there is no room: `strerror` of ENOSPC and EDQUOT, and ProFTPD's own.
fn tells_of_a_full_disk(words: &str) -> bool {
    let words = words.to_ascii_lowercase();
    ["no space left", "disk space", "disk full", "quota exceeded"].iter().any(|w| words.contains(w))
}

fn entry(name: String, attributes: &FileAttributes) -> RemoteEntry {
    let is_folder = attributes.file_type().is_dir();
    RemoteEntry {
        name,
        is_folder,
        bytes: attributes.size.filter(|_| !is_folder),
        modified: attributes.mtime.and_then(|s| Timestamp::from_second(i64::from(s)).ok()),
    }
}

fn ssh_error(target: &Target, what: &str, error: russh::Error) -> Error {
    Error::caused(Kind::Busy, format!("{target:?}: {what}: {error}"), error)
}

fn sftp_error(target: &Target, what: &str, error: SftpError) -> Error {
    let kind = match &error {
        SftpError::Status(status) => match status.status_code {
            StatusCode::NoSuchFile => Kind::NotFound,
            StatusCode::PermissionDenied => Kind::Denied,
            StatusCode::OpUnsupported => Kind::Unsupported,
            _ => Kind::Internal,
        },
        _ => Kind::Busy,
    };
    let words = match &error {
        SftpError::Status(status) if !status.error_message.is_empty() => {
            status.error_message.clone()
        }
        SftpError::Timeout => {
            format!("no answer within {} s", target.step_timeout.as_secs())
        }
        other => other.to_string(),
    };
    Error::caused(kind, format!("{target:?}: {what}: {words}"), error)
}
