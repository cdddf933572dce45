//! The whole server in one process: temporary folders, free ports of 127.0.0.1, nothing shared between tests.

use std::path::PathBuf;
use std::sync::Arc;

use rollcall::clock::Clock;
use rollcall::config::Config;
use rollcall::service::Service;
use rollcall::transport::{self, Bound, Fingerprints, Running};
use tempfile::TempDir;

/// A running server. `stop` ends it in good order; dropping it drops its folder.
pub(crate) struct TestApp {
    /// The door, for what a test sets up or looks up.
    pub(crate) service: Service,
    running: Running,
    folder: TempDir,
}

impl TestApp {
    /// A server with the default settings.
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// A server whose settings `change` has changed.
    pub(crate) async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::Builder::new().prefix("rollcall-it-").tempdir().unwrap();
        Self::start_in(folder, change).await
    }

    /// A server over a folder that an earlier one has left (a restart).
    pub(crate) async fn start_in(folder: TempDir, change: impl FnOnce(&mut Config)) -> Self {
        // A second test in this process finds the provider installed already.
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let mut config = Config::default();
        config.sftp.listen = "127.0.0.1:0".to_owned();
        config.ftps.explicit = "127.0.0.1:0".to_owned();
        config.ftps.implicit = "127.0.0.1:0".to_owned();
        config.ftps.passive_ports = "0".to_owned();
        change(&mut config);
        let config = Arc::new(config);
        let service =
            Service::open(Arc::clone(&config), &folder.path().join("data"), Clock::System).unwrap();
        let certs = folder.path().join("certs");
        let running = transport::start(service.clone(), config, &certs).await.unwrap();
        Self { service, running, folder }
    }

    /// Where clients connect.
    pub(crate) fn bound(&self) -> Bound {
        self.running.bound()
    }

    /// How clients recognise it.
    pub(crate) fn fingerprints(&self) -> Fingerprints {
        self.running.fingerprints()
    }

    /// The folder that holds `data` and `certs`.
    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    /// Stops the server in good order and hands its folder on, for a restart.
    pub(crate) async fn stop(self) -> TempDir {
        self.running.stop().await;
        self.folder
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_server_starts_again_over_what_it_left() {
    let app = TestApp::start().await;
    let bound = app.bound();
    assert!(bound.sftp.is_some() && bound.ftps.is_some() && bound.ftpes.is_some());
    let identity = app.fingerprints();
    assert_eq!(app.service.data(), app.path("data"));
    assert!(app.path("data/clients").is_dir());
    let folder = app.stop().await;
    let app = TestApp::start_in(folder, |_| {}).await;
    assert_eq!(app.fingerprints(), identity, "a restart must not change keys or certificate");
    app.stop().await;
}
