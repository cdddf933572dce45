//! The client side: SFTP, FTPS and FTPES to somebody's server, whose key or certificate is pinned.

mod ftps;
mod sftp;

use std::time::Duration;

use crate::error::{Error, Kind, Result};
use crate::model::{Protocol, VPath};

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
    /// Password.
    pub password: String,
    /// What the server must show, any of them: `SHA256:…` of a host key for SFTP, the certificate's
    /// SHA-256 (64 hex digits, colons allowed) for FTPS and FTPES. Empty: nothing is accepted.
    pub pins: Vec<String>,
    /// How long one step (connect, one answer) may take.
    pub timeout: Duration,
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

/// A logged-in connection.
pub enum Connection {
    /// Over SSH.
    Sftp(Box<sftp::Connection>),
    /// Over TLS, implicit or explicit.
    Ftps(Box<ftps::Connection>),
}

impl Connection {
    /// Connects, checks the pin and logs in.
    ///
    /// # Errors
    /// `Denied` when the server shows another key or certificate, or refuses the login; `Internal`
    /// when it cannot be reached.
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
    pub async fn put(&mut self, path: &VPath, bytes: &[u8]) -> Result<String> {
        match self {
            Self::Sftp(connection) => connection.put(path, bytes).await,
            Self::Ftps(connection) => connection.put(path, bytes).await,
        }
    }

    /// Fetches a whole file of at most `max_bytes`.
    ///
    /// # Errors
    /// `NotFound`, `TooLarge`, or the server's refusal.
    pub async fn get(&mut self, path: &VPath, max_bytes: u64) -> Result<Vec<u8>> {
        match self {
            Self::Sftp(connection) => connection.get(path, max_bytes).await,
            Self::Ftps(connection) => connection.get(path, max_bytes).await,
        }
    }

    /// The names in a folder, sorted.
    ///
    /// # Errors
    /// The server's refusal.
    pub async fn list(&mut self, folder: &VPath) -> Result<Vec<String>> {
        let mut names = match self {
            Self::Sftp(connection) => connection.list(folder).await?,
            Self::Ftps(connection) => connection.list(folder).await?,
        };
        names.sort();
        Ok(names)
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
    match tokio::time::timeout(target.timeout, step).await {
        Ok(result) => result,
        Err(_elapsed) => Err(target.refused(
            Kind::Internal,
            &format!("{what}: no answer within {} s", target.timeout.as_secs()),
        )),
    }
}

fn check_size(target: &Target, what: &str, bytes: &[u8], max_bytes: u64) -> Result<()> {
    if u64::try_from(bytes.len()).is_ok_and(|n| n <= max_bytes) {
        return Ok(());
    }
    Err(target.refused(
        Kind::TooLarge,
        &format!("{what}: the file has more than {max_bytes} bytes; nothing was kept"),
    ))
}
