//! The demo's server: a temporary folder, free ports of 127.0.0.1, gone when the demo ends.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use uuid::Uuid;

use crate::clock::Clock;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::service::{Service, Workers};
use crate::transport::{self, Running};

/// Any free port, this machine only.
const LOOPBACK: &str = "127.0.0.1:0";

/// The folder and the service in it.
pub(super) struct Stage {
    folder: Folder,
    pub(super) service: Service,
    workers: Workers,
}

impl Stage {
    /// Makes the folder and starts the import workers.
    pub(super) fn build() -> Result<Self> {
        let mut config = Config::default();
        config.sftp.listen = LOOPBACK.to_owned();
        config.ftps.explicit = LOOPBACK.to_owned();
        config.ftps.implicit = LOOPBACK.to_owned();
        config.ftps.passive_ports = "0".to_owned();
        config.admin.listen = Some(LOOPBACK.to_owned());
        // A laptop that is nearly full can still show the demo.
        config.limits.min_free_bytes = 0;
        let folder = Folder::make()?;
        let service = Service::open(Arc::new(config), &folder.0.join("data"), Clock::System)?;
        let workers = service.start()?;
        Ok(Self { folder, service, workers })
    }

    /// Starts the listeners.
    pub(super) async fn start(&self) -> Result<Running> {
        let config = Arc::clone(self.service.config());
        transport::start(self.service.clone(), config, &self.certs()).await
    }

    pub(super) fn data(&self) -> &Path {
        self.service.data()
    }

    pub(super) fn certs(&self) -> PathBuf {
        self.folder.0.join("certs")
    }

    /// Ends the workers and removes the folder.
    pub(super) fn strike(self) {
        self.workers.stop();
        drop(self.service);
        drop(self.folder);
    }
}

/// A temporary folder that goes with its owner, also when the story breaks off.
struct Folder(PathBuf);

impl Folder {
    fn make() -> Result<Self> {
        let id = Uuid::now_v7().simple().to_string();
        // The random end; a folder that is there already is somebody else's, and refused.
        let name = format!("rollcall-demo-{}", id.get(22..).unwrap_or(&id));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path)
            .map_err(|e| Error::io(format!("making the demo's folder {}", path.display()), e))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!("{}: cannot be removed: {error}", self.0.display());
        }
    }
}
