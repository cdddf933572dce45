//! SFTP as a client: russh for the connection, russh-sftp's client for the files.

use std::sync::Arc;

use russh::Disconnect;
use russh::client::{self, Handle};
use russh::keys::HashAlg;
use russh::keys::PublicKeyOrCertificate;
use russh_sftp::client::SftpSession;
use russh_sftp::client::error::Error as SftpError;
use russh_sftp::protocol::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Target, within};
use crate::error::{Error, Kind, Result};
use crate::model::VPath;

/// An SFTP session on its own SSH connection.
pub struct Connection {
    target: Target,
    ssh: Handle<PinnedKey>,
    sftp: SftpSession,
}

/// Accepts a server only by the fingerprint of its host key.
struct PinnedKey {
    pins: Vec<String>,
}

impl client::Handler for PinnedKey {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        shown: &PublicKeyOrCertificate,
    ) -> std::result::Result<bool, Self::Error> {
        // A host certificate vouches through an authority; here one key was agreed upon.
        let PublicKeyOrCertificate::PublicKey { key, .. } = shown else { return Ok(false) };
        let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
        Ok(self.pins.contains(&fingerprint))
    }
}

impl Connection {
    /// Connects, checks the host key and logs in.
    pub(super) async fn open(target: &Target) -> Result<Self> {
        let config = client::Config {
            nodelay: true,
            inactivity_timeout: Some(target.timeout.saturating_mul(2)),
            ..client::Config::default()
        };
        let handler = PinnedKey { pins: target.pins.clone() };
        let mut ssh = within(target, "connect", async {
            client::connect(Arc::new(config), (target.host.as_str(), target.port), handler)
                .await
                .map_err(|e| connect_error(target, e))
        })
        .await?;
        within(target, "log in", log_in(target, &mut ssh)).await?;
        let sftp = within(target, "open the SFTP subsystem", async {
            let channel = ssh.channel_open_session().await.map_err(|e| ssh_error(target, e))?;
            channel.request_subsystem(true, "sftp").await.map_err(|e| ssh_error(target, e))?;
            SftpSession::new(channel.into_stream())
                .await
                .map_err(|e| sftp_error(target, "start SFTP", e))
        })
        .await?;
        sftp.set_timeout(target.timeout.as_secs());
        Ok(Self { target: target.clone(), ssh, sftp })
    }

    /// Writes the whole file; the status of CLOSE is the acknowledgement.
    pub(super) async fn put(&mut self, path: &VPath, bytes: &[u8]) -> Result<String> {
        let target = &self.target;
        let what = format!("put {path}");
        let mut file =
            self.sftp.create(path.as_str()).await.map_err(|e| sftp_error(target, &what, e))?;
        file.write_all(bytes).await.map_err(|e| io_error(target, &what, e))?;
        file.flush().await.map_err(|e| io_error(target, &what, e))?;
        file.close().await.map_err(|e| io_error(target, &what, e))?;
        Ok("OK".to_owned())
    }

    /// Reads the whole file.
    pub(super) async fn get(&mut self, path: &VPath, max_bytes: u64) -> Result<Vec<u8>> {
        let target = &self.target;
        let what = format!("get {path}");
        let file = self.sftp.open(path.as_str()).await.map_err(|e| sftp_error(target, &what, e))?;
        let mut bytes = Vec::new();
        let mut limited = file.take(max_bytes.saturating_add(1));
        limited.read_to_end(&mut bytes).await.map_err(|e| io_error(target, &what, e))?;
        limited.into_inner().close().await.map_err(|e| io_error(target, &what, e))?;
        super::check_size(target, &what, &bytes, max_bytes)?;
        Ok(bytes)
    }

    /// The names in a folder.
    pub(super) async fn list(&mut self, folder: &VPath) -> Result<Vec<String>> {
        let entries = self
            .sftp
            .read_dir(folder.as_str())
            .await
            .map_err(|e| sftp_error(&self.target, &format!("list {folder}"), e))?;
        Ok(entries.map(|entry| entry.file_name()).collect())
    }

    /// Closes the subsystem, then the connection.
    pub(super) async fn close(self) {
        if let Err(error) = self.sftp.close().await {
            tracing::debug!("{:?}: closing the SFTP subsystem: {error}", self.target);
        }
        if let Err(error) = self.ssh.disconnect(Disconnect::ByApplication, "", "en").await {
            tracing::debug!("{:?}: closing the SSH connection: {error}", self.target);
        }
    }
}

async fn log_in(target: &Target, ssh: &mut Handle<PinnedKey>) -> Result<()> {
    let answer = ssh
        .authenticate_password(&target.login, &target.password)
        .await
        .map_err(|e| ssh_error(target, e))?;
    if answer.success() {
        return Ok(());
    }
    Err(target.refused(Kind::Denied, "the server refused the login; check login and password"))
}

fn connect_error(target: &Target, error: russh::Error) -> Error {
    match error {
        russh::Error::UnknownKey => target.refused(
            Kind::Denied,
            "the server shows another host key than the pinned one; ask its operator before \
             pinning the new one",
        ),
        other => ssh_error(target, other),
    }
}

fn ssh_error(target: &Target, error: russh::Error) -> Error {
    Error::caused(Kind::Internal, format!("{target:?}: {error}"), error)
}

fn sftp_error(target: &Target, what: &str, error: SftpError) -> Error {
    let kind = match &error {
        SftpError::Status(status) => match status.status_code {
            StatusCode::NoSuchFile => Kind::NotFound,
            StatusCode::PermissionDenied => Kind::Denied,
            StatusCode::OpUnsupported => Kind::Unsupported,
            _ => Kind::Internal,
        },
        _ => Kind::Internal,
    };
    let words = match &error {
        SftpError::Status(status) if !status.error_message.is_empty() => {
            status.error_message.clone()
        }
        other => other.to_string(),
    };
    Error::caused(kind, format!("{target:?}: {what}: {words}"), error)
}

fn io_error(target: &Target, what: &str, error: std::io::Error) -> Error {
    // The crate hides the server's own status inside an I/O error.
    match error.downcast::<SftpError>() {
        Ok(status) => sftp_error(target, what, status),
        Err(error) => Error::io(format!("{target:?}: {what}"), error),
    }
}
