//! An FTP client that can also misbehave: every byte of control and data connections is the test's.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use rollcall::config::Config;
use rollcall::model::{Language, Purpose};
use rollcall::service::Workers;
use rollcall::service::accounts::{NewAccount, NewPassword};
use rollcall::service::clients::NewClient;

use crate::app::TestApp;

pub(super) const PASSWORD: &str = "Correct-Horse-7-Battery";
/// Nothing in these tests takes so long unless it hangs.
const PATIENCE: Duration = Duration::from_secs(120);

pub(super) async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(PATIENCE, what).await.unwrap()
}

/// A server with client `acme`, account `acme` (plain root, import folder `/drop`), and account `zeta` of client `zeta`.
pub(super) struct Ground {
    pub(super) app: TestApp,
    _workers: Option<Workers>,
}

impl Ground {
    pub(super) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(super) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let app = TestApp::start_with(change).await;
        // None when the app runs them itself.
        let workers = app.service.start().ok();
        for name in ["acme", "zeta"] {
            let client = NewClient {
                slug: name.to_owned(),
                name: name.to_owned(),
                language: Language::En,
                time_zone: "Europe/Paris".to_owned(),
            };
            app.service.add_client(client).unwrap();
            let account = NewAccount {
                client: name.to_owned(),
                name: name.to_owned(),
                login: Some(name.to_owned()),
                host_profile: "standard".to_owned(),
                protocols: None,
                password: NewPassword::Given(PASSWORD.to_owned()),
                keys: Vec::new(),
            };
            app.service.add_account(&account).unwrap();
            let path = "/drop".parse().unwrap();
            app.service.add_folder(name, "drop", &path, Purpose::Import, Some("*.csv")).unwrap();
        }
        Self { app, _workers: workers }
    }

    pub(super) fn explicit(&self) -> SocketAddr {
        self.app.bound().ftpes.unwrap()
    }

    pub(super) fn implicit(&self) -> SocketAddr {
        self.app.bound().ftps.unwrap()
    }

    /// TLS settings that trust the server's certificate and remember sessions.
    pub(super) fn tls(&self) -> ClientConfig {
        self.tls_of(&[&rustls::version::TLS13, &rustls::version::TLS12])
    }

    pub(super) fn tls_of(
        &self,
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> ClientConfig {
        let pem = std::fs::read(self.app.path("certs/tls-cert.pem")).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&pem).unwrap()).unwrap();
        ClientConfig::builder_with_protocol_versions(versions)
            .with_root_certificates(roots)
            .with_no_client_auth()
    }

    /// Logged in over implicit TLS, PROT P set.
    pub(super) async fn guest(&self) -> Wire {
        let mut wire = Wire::implicit(self.implicit(), self.tls()).await;
        wire.log_in("acme").await;
        wire
    }

    /// What lies on the disk of account `acme`.
    pub(super) fn on_disk(&self, path: &str) -> Option<Vec<u8>> {
        std::fs::read(self.app.path("data/clients/acme/files/acme").join(path)).ok()
    }

    /// Waits until no upload of `acme` is under way.
    pub(super) async fn spool_is_empty(&self) {
        let spool = self.app.path("data/clients/acme/spool");
        soon(async {
            while std::fs::read_dir(&spool).is_ok_and(|mut entries| entries.next().is_some()) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
    }
}

pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// A control connection.
pub(super) struct Wire {
    stream: Option<Box<dyn Stream>>,
    received: Vec<u8>,
    tls: Arc<ClientConfig>,
    server: SocketAddr,
}

pub(super) type Answer = (u16, String);

impl Wire {
    pub(super) async fn implicit(server: SocketAddr, tls: ClientConfig) -> Self {
        let tls = Arc::new(tls);
        let tcp = TcpStream::connect(server).await.unwrap();
        let stream = handshake(&tls, tcp).await.unwrap();
        let mut wire = Self { stream: Some(Box::new(stream)), received: Vec::new(), tls, server };
        assert_eq!(wire.answer().await.0, 220);
        wire
    }

    /// Implicit TLS through a load balancer, which sends `header` first.
    pub(super) async fn behind(server: SocketAddr, tls: ClientConfig, header: &[u8]) -> Self {
        let tls = Arc::new(tls);
        let mut tcp = TcpStream::connect(server).await.unwrap();
        tcp.write_all(header).await.unwrap();
        let stream = handshake(&tls, tcp).await.unwrap();
        let mut wire = Self { stream: Some(Box::new(stream)), received: Vec::new(), tls, server };
        assert_eq!(wire.answer().await.0, 220);
        wire
    }

    /// In clear, after the greeting.
    pub(super) async fn clear(server: SocketAddr, tls: ClientConfig) -> Self {
        let tcp = TcpStream::connect(server).await.unwrap();
        let stream: Option<Box<dyn Stream>> = Some(Box::new(tcp));
        let mut wire = Self { stream, received: Vec::new(), tls: Arc::new(tls), server };
        assert_eq!(wire.answer().await.0, 220);
        wire
    }

    pub(super) async fn explicit(server: SocketAddr, tls: ClientConfig) -> Self {
        let mut wire = Self::clear(server, tls).await;
        assert_eq!(wire.ask("AUTH TLS").await.0, 234);
        let plain = wire.stream.take().unwrap();
        wire.stream = Some(Box::new(handshake(&wire.tls, plain).await.unwrap()));
        wire
    }

    pub(super) async fn log_in(&mut self, login: &str) {
        assert_eq!(self.ask(&format!("USER {login}")).await.0, 331);
        assert_eq!(self.ask(&format!("PASS {PASSWORD}")).await.0, 230);
        assert_eq!(self.ask("PBSZ 0").await.0, 200);
        assert_eq!(self.ask("PROT P").await.0, 200);
    }

    pub(super) fn tls(&self) -> &Arc<ClientConfig> {
        &self.tls
    }

    pub(super) async fn say(&mut self, bytes: impl AsRef<[u8]>) {
        let stream = self.stream.as_mut().unwrap();
        stream.write_all(bytes.as_ref()).await.unwrap();
        stream.flush().await.unwrap();
    }

    pub(super) async fn ask(&mut self, command: &str) -> Answer {
        self.say(format!("{command}\r\n")).await;
        self.answer().await
    }

    pub(super) async fn code(&mut self, command: &str) -> u16 {
        self.ask(command).await.0
    }

    /// The next whole answer; panics if the server closes instead.
    pub(super) async fn answer(&mut self) -> Answer {
        let mut text = String::new();
        loop {
            let line = soon(self.line()).await.unwrap();
            text.push_str(&line);
            if let (Ok(code), Some(' ')) = (line[..3.min(line.len())].parse(), line.chars().nth(3))
            {
                return (code, text);
            }
            text.push('\n');
        }
    }

    /// Whether the server has closed the connection (after whatever it still said).
    pub(super) async fn is_closed(&mut self) -> bool {
        soon(async { while self.line().await.is_some() {} }).await;
        true
    }

    async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.received.iter().position(|b| *b == b'\n') {
                let line: Vec<u8> = self.received.drain(..=end).collect();
                return Some(String::from_utf8(line).unwrap().trim_end().to_owned());
            }
            let mut chunk = [0; 4096];
            match self.stream.as_mut()?.read(&mut chunk).await {
                Ok(got @ 1..) => self.received.extend_from_slice(&chunk[..got]),
                _ => return None,
            }
        }
    }

    /// Drops the control connection without a word.
    pub(super) fn hang_up(&mut self) {
        self.stream = None;
    }

    pub(super) async fn epsv(&mut self) -> SocketAddr {
        let (code, text) = self.ask("EPSV").await;
        assert_eq!(code, 229, "{text}");
        let port = text.split('|').nth(3).unwrap().parse().unwrap();
        SocketAddr::new(self.server.ip(), port)
    }

    /// A data connection for `command`, answered 150.
    pub(super) async fn begin(&mut self, command: &str) -> TlsStream<TcpStream> {
        let address = self.epsv().await;
        let tcp = TcpStream::connect(address).await.unwrap();
        let (code, text) = self.ask(command).await;
        assert_eq!(code, 150, "{text}");
        handshake(&self.tls, tcp).await.unwrap()
    }

    /// Waits until the server has so many bytes of the transfer under way.
    pub(super) async fn has_moved(&mut self, bytes: usize) {
        soon(async { while !self.ask("STAT").await.1.contains(&format!(" {bytes} bytes")) {} })
            .await;
    }

    pub(super) async fn put(&mut self, command: &str, bytes: &[u8]) -> Answer {
        let mut data = self.begin(command).await;
        data.write_all(bytes).await.unwrap();
        data.shutdown().await.unwrap();
        self.answer().await
    }

    pub(super) async fn get(&mut self, command: &str) -> Vec<u8> {
        let mut data = self.begin(command).await;
        let mut bytes = Vec::new();
        soon(data.read_to_end(&mut bytes)).await.unwrap();
        let (code, text) = self.answer().await;
        assert_eq!(code, 226, "{text}");
        bytes
    }
}

pub(super) async fn handshake<S: AsyncRead + AsyncWrite + Unpin>(
    tls: &Arc<ClientConfig>,
    stream: S,
) -> std::io::Result<TlsStream<S>> {
    let name = ServerName::try_from("localhost").unwrap();
    soon(TlsConnector::from(Arc::clone(tls)).connect(name, stream)).await
}

/// Connects from another address of this machine.
pub(super) async fn connect_from(ip: &str, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(ip.parse().unwrap(), 0)).unwrap();
    socket.connect(to).await.unwrap()
}
