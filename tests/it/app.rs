//! The whole server in one process: temporary folders, free ports of 127.0.0.1, nothing shared between tests.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rollcall::admin::Served;
use rollcall::clock::Clock;
use rollcall::config::Config;
use rollcall::model::{Language, Protocol, Purpose, Upload, UploadState};
use rollcall::remote::{Auth, Connection, Reach, Target, Trust};
use rollcall::service::accounts::{NewAccount, NewPassword};
use rollcall::service::clients::NewClient;
use rollcall::service::{Service, Workers};
use rollcall::store::registry::{Registry, UploadFilter};
use rollcall::transport::{self, Bound, Fingerprints, Running};
use tempfile::TempDir;

/// A running server. `stop` ends it in good order; dropping it drops its folder.
pub(crate) struct TestApp {
    /// The door, for what a test sets up or looks up.
    pub(crate) service: Service,
    running: Running,
    page: Option<Served>,
    workers: Workers,
    folder: TempDir,
}

/// The password of every account that a test makes.
pub(crate) const PASSWORD: &str = "correct-horse-battery-staple";

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
        crate::many_files();
        // A second test in this process finds the provider installed already.
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let mut config = Config::default();
        config.sftp.listen = "127.0.0.1:0".to_owned();
        config.ftps.explicit = "127.0.0.1:0".to_owned();
        config.ftps.implicit = "127.0.0.1:0".to_owned();
        config.ftps.passive_ports = "0".to_owned();
        config.admin.listen = Some("127.0.0.1:0".to_owned());
        // However slow the machine is: a test about one of these sets its own.
        config.limits.reply_wait_s = 60;
        config.limits.min_free_bytes = 0;
        config.limits.login_timeout_s = 120;
        config.limits.tls_handshake_timeout_s = 60;
        config.limits.data_accept_timeout_s = 60;
        // Tests stop with files open.
        config.limits.shutdown_grace_s = 2;
        change(&mut config);
        let config = Arc::new(config);
        let service =
            Service::open(Arc::clone(&config), &folder.path().join("data"), Clock::System).unwrap();
        let workers = service.start().unwrap();
        let certs = folder.path().join("certs");
        let running = transport::start(service.clone(), config, &certs).await.unwrap();
        Self { service, running, page: None, workers, folder }
    }

    /// Where clients connect.
    pub(crate) fn bound(&self) -> Bound {
        self.running.bound()
    }

    /// Starts the administration page too, on a free port; returns its address and, while nobody can sign in, the set-up link.
    pub(crate) async fn open_page(&mut self) -> (SocketAddr, Option<String>) {
        let page = Served::start(self.service.clone(), self.running.face()).await.unwrap().unwrap();
        let found = (page.bound(), page.set_up_link().map(str::to_owned));
        self.page = Some(page);
        found
    }

    /// How clients recognise it.
    pub(crate) fn fingerprints(&self) -> Fingerprints {
        self.running.fingerprints()
    }

    /// The folder that holds `data` and `certs`.
    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    /// Waits until every upload is imported and that is noted everywhere: the answer to an upload comes a moment before.
    pub(crate) async fn settled(&self) {
        let registry = Registry::open(&self.path("data/registry.db")).unwrap();
        let waits =
            |upload: &Upload| matches!(upload.state, UploadState::Prepared | UploadState::Queued);
        let deadline = Instant::now() + Duration::from_secs(120);
        while registry.uploads(&UploadFilter::default()).unwrap().iter().any(waits) {
            assert!(Instant::now() < deadline, "an import does not end");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Stops the server in good order and hands its folder on, for a restart.
    pub(crate) async fn stop(self) -> TempDir {
        if let Some(page) = self.page {
            page.stop().await;
        }
        self.running.stop().await;
        self.workers.stop();
        self.folder
    }

    /// A client with one account of its name: all connection types, an import folder `/payroll`, a plain one `/papers`.
    pub(crate) fn add_account(&self, name: &str) {
        let client = NewClient {
            slug: name.to_owned(),
            name: name.to_owned(),
            language: Language::En,
            time_zone: "Europe/Paris".to_owned(),
        };
        self.service.add_client(client).unwrap();
        let account = NewAccount {
            client: name.to_owned(),
            name: "Payroll".to_owned(),
            login: Some(name.to_owned()),
            host_profile: "standard".to_owned(),
            protocols: Some(Protocol::ALL.to_vec()),
            password: NewPassword::Given(PASSWORD.to_owned()),
            keys: Vec::new(),
        };
        self.service.add_account(&account).unwrap();
        for (folder, path, purpose) in
            [("roster", "/payroll", Purpose::Import), ("papers", "/papers", Purpose::Plain)]
        {
            let path = path.parse().unwrap();
            self.service.add_folder(name, folder, &path, purpose, None).unwrap();
        }
    }

    /// A session of that account over the network, with the server's identity pinned.
    pub(crate) async fn connect(&self, login: &str, protocol: Protocol) -> Connection {
        self.try_connect(login, protocol).await.unwrap()
    }

    /// The same where it may be refused.
    pub(crate) async fn try_connect(
        &self,
        login: &str,
        protocol: Protocol,
    ) -> rollcall::error::Result<Connection> {
        self.try_connect_with(login, PASSWORD, protocol).await
    }

    /// The same with another password.
    pub(crate) async fn try_connect_with(
        &self,
        login: &str,
        password: &str,
        protocol: Protocol,
    ) -> rollcall::error::Result<Connection> {
        let bound = self.bound();
        let address = match protocol {
            Protocol::Sftp => bound.sftp,
            Protocol::Ftps => bound.ftps,
            Protocol::Ftpes => bound.ftpes,
        };
        let known = self.fingerprints();
        let target = Target {
            protocol,
            host: "127.0.0.1".to_owned(),
            port: address.unwrap().port(),
            login: login.to_owned(),
            auth: Auth::Password(password.to_owned().into()),
            trust: Trust::Pins(match protocol {
                Protocol::Sftp => known.host_keys.into_iter().map(|(_, pin)| pin).collect(),
                Protocol::Ftps | Protocol::Ftpes => known.certificate.into_iter().collect(),
            }),
            reach: Reach { allow: vec!["127.0.0.1".parse().unwrap()] },
            step_timeout: Duration::from_secs(120),
        };
        Connection::open(&target).await
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

#[tokio::test(flavor = "multi_thread")]
async fn what_is_put_is_imported_and_its_report_is_read_in_the_same_session() {
    let app = TestApp::start_with(|config| config.limits.reply_wait_s = 60).await;
    for protocol in Protocol::ALL {
        let client = format!("over-{protocol}");
        app.add_account(&client);
        let mut session = app.connect(&client, protocol).await;
        let upload = "/payroll/users.csv".parse().unwrap();
        let roster = "employee number;last name;first name;hire date\n7;Roy;Zoé;2026-02-02\n";
        session.put(&upload, roster.as_bytes()).await.unwrap();
        let report = "/payroll/users.csv.report.json".parse().unwrap();
        let report = session.get(&report, 1 << 20).await.unwrap();
        let report: serde_json::Value = serde_json::from_slice(&report).unwrap();
        assert_eq!(report["counts"]["created"], 1, "{protocol}: {report}");
        session.close().await;
        assert_eq!(app.service.users(&client, None).unwrap().len(), 1, "{protocol}");
    }
    app.stop().await;
}
