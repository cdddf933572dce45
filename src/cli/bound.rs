//! Where the running server listens, noted in `data/run/bound.json`: other commands read ports from it that the system chose.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::model::Protocol;
use crate::transport::Bound;

/// The addresses of a running server, as the ready line and the note show them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addresses {
    /// SFTP.
    pub sftp: Option<SocketAddr>,
    /// FTPS, implicit TLS.
    pub ftps: Option<SocketAddr>,
    /// FTPES, explicit TLS.
    pub ftpes: Option<SocketAddr>,
    /// The administration page and the REST API.
    pub admin: Option<SocketAddr>,
}

/// The note on disk.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    pid: u32,
    #[serde(flatten)]
    addresses: Addresses,
}

impl From<Bound> for Addresses {
    fn from(bound: Bound) -> Self {
        Self { sftp: bound.sftp, ftps: bound.ftps, ftpes: bound.ftpes, admin: None }
    }
}

impl Addresses {
    /// The address of one connection type.
    #[must_use]
    pub fn get(&self, protocol: Protocol) -> Option<SocketAddr> {
        match protocol {
            Protocol::Sftp => self.sftp,
            Protocol::Ftps => self.ftps,
            Protocol::Ftpes => self.ftpes,
        }
    }
}

/// Takes the note away when the server stops.
#[derive(Debug)]
pub struct Noted {
    path: PathBuf,
}

impl Drop for Noted {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::warn!("{}: cannot be removed: {error}", self.path.display());
        }
    }
}

/// Notes the addresses for other processes; the note goes when the result is dropped.
///
/// # Errors
/// The note cannot be written.
pub fn note(data: &Path, addresses: Addresses) -> Result<Noted> {
    let path = note_path(data);
    let folder = data.join("run");
    let fault = |e| Error::io(format!("noting the addresses in {}", path.display()), e);
    std::fs::create_dir_all(&folder).map_err(fault)?;
    let text = serde_json::to_vec(&Note { pid: std::process::id(), addresses })
        .map_err(|e| fault(std::io::Error::other(e)))?;
    // A reader sees the whole note or none.
    let hidden = folder.join(".bound.json.new");
    std::fs::write(&hidden, text).map_err(fault)?;
    std::fs::rename(&hidden, &path).map_err(fault)?;
    Ok(Noted { path })
}

/// The addresses of the server that runs over this data folder now, if one does.
#[must_use]
pub fn noted(data: &Path) -> Option<Addresses> {
    let note: Note = serde_json::from_slice(&std::fs::read(note_path(data)).ok()?).ok()?;
    // After a kill -9 the note of a dead server stays.
    Path::new("/proc").join(note.pid.to_string()).exists().then_some(note.addresses)
}

fn note_path(data: &Path) -> PathBuf {
    data.join("run").join("bound.json")
}
