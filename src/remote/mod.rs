//! The client side: SFTP, FTPS and FTPES to somebody's server, and HTTP to somebody's program.
//!
//! Nothing secret is sent before the server has shown an identity that [`Trust`] accepts, and nothing is connected to
//! that [`Reach`] does not permit.

mod ftps;
pub mod http;
mod reach;
mod sftp;
mod trust;

use std::time::Duration;

use jiff::Timestamp;
use tokio::io::{AsyncRead, AsyncWrite};
use zeroize::Zeroizing;

use crate::error::{Error, Kind, Result};
use crate::model::{Protocol, VPath};

#[cfg(any(test, fuzzing))]
pub(crate) use ftps::fuzzing;
pub use reach::Reach;
pub use trust::{Identity, Trust, is_identity_change, is_unrecognised};

/// Where and as whom to connect.
#[derive(Clone)]
pub struct Target {
    /// The connection type.
    pub protocol: Protocol,
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Login.
    pub login: String,
    /// What proves the login.
    pub auth: Auth,
    /// What the server must show.
    pub trust: Trust,
    /// Which addresses may be connected to.
    pub reach: Reach,
    /// How long one step may take: a connection, a login, one answer, a pause within a transfer.
    pub step_timeout: Duration,
}

/// What proves a login.
#[derive(Clone)]
pub enum Auth {
    /// A password; over SFTP also where the server asks for it interactively.
    Password(Zeroizing<String>),
    /// A private key, for SFTP only.
    Key {
        /// OpenSSH, PKCS#8, PKCS#1 or PuTTY text.
        pem: Zeroizing<String>,
        /// What the key is encrypted with.
        passphrase: Option<Zeroizing<String>>,
    },
}

impl Target {
    /// `sftp://login@host:port`, for messages; never the password.
    fn address(&self) -> String {
        format!("{}://{}@{}:{}", self.protocol, self.login, self.host, self.port)
    }

    /// An error that names this server.
    fn refused(&self, kind: Kind, what: &str) -> Error {
        Error::new(kind, format!("{}: {what}", self.address()))
    }
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.address())
    }
}

/// One file or folder as a server tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteEntry {
    /// Its name, without any folder.
    pub name: String,
    /// Whether it is a folder.
    pub is_folder: bool,
    /// Its size; none where the server does not say it (or it is a link).
    pub bytes: Option<u64>,
    /// When it was last changed, in UTC; none where the server does not say it without doubt.
    pub modified: Option<Timestamp>,
}

impl RemoteEntry {
    /// Whether a server's word can be a name: nothing that would lead into another folder or break a line.
    fn is_name(name: &str) -> bool {
        !matches!(name, "" | "." | "..") && !name.contains(|c: char| c == '/' || c.is_control())
    }
}

/// What a rename does where the new name is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overwrite {
    /// Refuses with `Exists`.
    Never,
    /// Takes its place.
    Replace,
}

/// A logged-in connection.
pub enum Connection {
    /// Over SSH.
    Sftp(Box<sftp::Connection>),
    /// Over TLS, implicit or explicit.
    Ftps(Box<ftps::Connection>),
}

/// Looks at what a server shows, before any secret is sent: its host key or certificate.
///
/// # Errors
/// `NotFound` when the name has no address, `Denied` when [`Reach`] forbids all of them, `Busy` when there is no
/// answer.
pub async fn probe(target: &Target) -> Result<Identity> {
    match target.protocol {
        Protocol::Sftp => sftp::probe(target).await,
        Protocol::Ftps | Protocol::Ftpes => ftps::probe(target).await,
    }
}

impl Connection {
    /// Connects, checks the server's identity and logs in.
    ///
    /// # Errors
    /// `Denied` when the server shows another key or certificate (see [`is_identity_change`]), or refuses the login, or
    /// its address is not permitted; `NotFound` when the name has no address; `Invalid` when the private key cannot be
    /// read; `Busy` when it does not answer now.
    pub async fn open(target: &Target) -> Result<Self> {
        match target.protocol {
            Protocol::Sftp => Ok(Self::Sftp(Box::new(sftp::Connection::open(target).await?))),
            Protocol::Ftps | Protocol::Ftpes => {
                Ok(Self::Ftps(Box::new(ftps::Connection::open(target).await?)))
            }
        }
    }

    /// Sends a whole file; the server's answer in its own words (SFTP has none but "OK").
    ///
    /// # Errors
    /// The server's refusal, in its words. The file is not there then.
    pub async fn put(&mut self, path: &VPath, mut bytes: &[u8]) -> Result<String> {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        match self {
            Self::Sftp(connection) => connection.put_from(path, &mut bytes, length).await,
            Self::Ftps(connection) => connection.put_from(path, &mut bytes, length).await,
        }
    }

    /// Sends `bytes` bytes of `from` under the name `path`, which is overwritten; the server's answer in its own words.
    /// Where the server can say the size, it is compared. Callers write to a temporary name and rename.
    ///
    /// # Errors
    /// `NotFound` (no such folder), `Denied`, `NoSpace`, `Conflict` (another size arrived, or `from` has another
    /// length), `Busy` when the connection or the server gave up. A part of the file may be there then.
    pub async fn put_from(
        &mut self,
        path: &VPath,
        from: &mut (dyn AsyncRead + Unpin + Send),
        bytes: u64,
    ) -> Result<String> {
        match self {
            Self::Sftp(connection) => {
                let answer = connection.put_from(path, from, bytes).await?;
                connection.check_arrived(path, bytes).await?;
                Ok(answer)
            }
            Self::Ftps(connection) => {
                let answer = connection.put_from(path, from, bytes).await?;
                connection.check_arrived(path, bytes).await?;
                Ok(answer)
            }
        }
    }

    /// Fetches a whole file of at most `max_bytes`.
    ///
    /// # Errors
    /// As [`Connection::get_to`].
    pub async fn get(&mut self, path: &VPath, max_bytes: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.get_to(path, &mut bytes, max_bytes).await?;
        Ok(bytes)
    }

    /// Fetches a whole file of at most `max_bytes` into `to`, which is flushed; how many bytes it had. A transfer counts
    /// as whole only when the server ended it in good order, or its length is what the server says the file has.
    ///
    /// # Errors
    /// `NotFound`, `Denied`, `TooLarge`, `Conflict` (the length differs from the size), `Busy` when the connection broke.
    pub async fn get_to(
        &mut self,
        path: &VPath,
        to: &mut (dyn AsyncWrite + Unpin + Send),
        max_bytes: u64,
    ) -> Result<u64> {
        match self {
            Self::Sftp(connection) => connection.get_to(path, to, max_bytes).await,
            Self::Ftps(connection) => connection.get_to(path, to, max_bytes).await,
        }
    }

    /// The names in a folder, sorted.
    ///
    /// # Errors
    /// As [`Connection::entries`].
    pub async fn list(&mut self, folder: &VPath) -> Result<Vec<String>> {
        Ok(self.entries(folder).await?.into_iter().map(|entry| entry.name).collect())
    }

    /// What lies in a folder, sorted by name; names that cannot be names here are left out. An FTP server without MLSD
    /// says no time that could be relied upon: ask [`Connection::stat`] for the files that matter.
    ///
    /// # Errors
    /// `NotFound`, `Denied`, `TooLarge` beyond the limits of `config`, or the server's refusal.
    pub async fn entries(&mut self, folder: &VPath) -> Result<Vec<RemoteEntry>> {
        let mut entries = match self {
            Self::Sftp(connection) => connection.entries(folder).await?,
            Self::Ftps(connection) => connection.entries(folder).await?,
        };
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    /// One file or folder.
    ///
    /// # Errors
    /// `NotFound`, or the server's refusal.
    pub async fn stat(&mut self, path: &VPath) -> Result<RemoteEntry> {
        match self {
            Self::Sftp(connection) => connection.stat(path).await,
            Self::Ftps(connection) => connection.stat(path).await,
        }
    }

    /// Gives a file another name. Where the server cannot replace in one step, the old file is removed first.
    ///
    /// # Errors
    /// `NotFound`, `Exists`, `Denied`, or the server's refusal.
    pub async fn rename(&mut self, from: &VPath, to: &VPath, overwrite: Overwrite) -> Result<()> {
        match self {
            Self::Sftp(connection) => connection.rename(from, to, overwrite).await,
            Self::Ftps(connection) => connection.rename(from, to, overwrite).await,
        }
    }

    /// Removes a file.
    ///
    /// # Errors
    /// `NotFound`, `Denied`, or the server's refusal.
    pub async fn delete(&mut self, path: &VPath) -> Result<()> {
        match self {
            Self::Sftp(connection) => connection.delete(path).await,
            Self::Ftps(connection) => connection.delete(path).await,
        }
    }

    /// Makes a folder; one that is there already is no error.
    ///
    /// # Errors
    /// `NotFound` (its parent), `Denied`, or the server's refusal.
    pub async fn make_dir(&mut self, path: &VPath) -> Result<()> {
        match self {
            Self::Sftp(connection) => connection.make_dir(path).await,
            Self::Ftps(connection) => connection.make_dir(path).await,
        }
    }

    /// Says good-bye. What was acknowledged before is safe whatever happens here.
    pub async fn close(self) {
        match self {
            Self::Sftp(connection) => connection.close().await,
            Self::Ftps(connection) => connection.close().await,
        }
    }
}

/// One step with its time limit.
async fn within<T>(
    target: &Target,
    what: &str,
    step: impl Future<Output = Result<T>>,
) -> Result<T> {
    match tokio::time::timeout(target.step_timeout, step).await {
        Ok(result) => result,
        Err(_elapsed) => Err(target.refused(
            Kind::Busy,
            &format!("{what}: no answer within {} s", target.step_timeout.as_secs()),
        )),
    }
}

/// The refusal of a file that is larger than asked for.
fn too_large(target: &Target, what: &str, max_bytes: u64) -> Error {
    target.refused(
        Kind::TooLarge,
        &format!("{what}: the file has more than {max_bytes} bytes; nothing was kept"),
    )
}

/// The refusal of a transfer whose length is not the file's.
fn other_length(target: &Target, what: &str, told: u64, moved: u64) -> Error {
    target.refused(
        Kind::Conflict,
        &format!(
            "{what}: {moved} bytes were transferred, but the file has {told}; it was changed meanwhile or cut short"
        ),
    )
}
