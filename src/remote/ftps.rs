//! FTPS as a client, implicit and explicit: suppaftp over a rustls stream that keeps the server's last words.

use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use sha2::{Digest, Sha256};
use suppaftp::tokio::{AsyncTlsConnector, ImplAsyncFtpStream, TokioTlsStream};
use suppaftp::types::{FileType, Response};
use suppaftp::{FtpError, FtpResult, Mode, Status};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::{Target, within};
use crate::error::{Error, Kind, Result};
use crate::model::{Protocol, VPath};

/// The longest reply that is kept for showing.
const MAX_REPLY_BYTES: usize = 8192;

/// A logged-in FTPS or FTPES session.
pub struct Connection {
    target: Target,
    ftp: ImplAsyncFtpStream<HeardStream>,
    heard: Heard,
}

impl Connection {
    /// Connects, checks the certificate, protects data connections and logs in.
    pub(super) async fn open(target: &Target) -> Result<Self> {
        let heard = Heard::default();
        let connector = Connector {
            tls: tls_connector(target)?,
            heard: heard.clone(),
            control_made: AtomicBool::new(false),
        };
        let address = (target.host.as_str(), target.port);
        let mut ftp = within(target, "connect", async {
            match target.protocol {
                Protocol::Ftps => implicit(target, connector).await,
                Protocol::Ftpes | Protocol::Sftp => {
                    let plain = ImplAsyncFtpStream::connect(address)
                        .await
                        .map_err(|e| ftp_error(target, "connect", e))?;
                    plain
                        .into_secure(connector, &target.host)
                        .await
                        .map_err(|e| ftp_error(target, "start TLS", e))
                }
            }
        })
        .await?;
        // EPSV works over IPv4 and IPv6, and through address translation.
        ftp.set_mode(Mode::ExtendedPassive);
        within(target, "log in", async {
            let say = |e| ftp_error(target, "log in", e);
            ftp.login(&target.login, &target.password).await.map_err(say)?;
            if target.protocol == Protocol::Ftps {
                for command in ["PBSZ 0", "PROT P"] {
                    ftp.custom_command(command, &[Status::CommandOk]).await.map_err(say)?;
                }
            }
            ftp.transfer_type(FileType::Binary).await.map_err(say)
        })
        .await?;
        Ok(Self { target: target.clone(), ftp, heard })
    }

    /// Sends the whole file; the text of the 226 that acknowledges it.
    pub(super) async fn put(&mut self, path: &VPath, bytes: &[u8]) -> Result<String> {
        let (target, ftp) = (&self.target, &mut self.ftp);
        let what = format!("put {path}");
        within(target, &what, async {
            let mut data = ftp
                .put_with_stream(path.as_str())
                .await
                .map_err(|e| ftp_error(target, &what, e))?;
            data.write_all(bytes).await.map_err(|e| Error::io(format!("{target:?}: {what}"), e))?;
            data.finish().await.map_err(|e| ftp_error(target, &what, e))
        })
        .await?;
        Ok(self.heard.last_line())
    }

    /// Fetches the whole file.
    pub(super) async fn get(&mut self, path: &VPath, max_bytes: u64) -> Result<Vec<u8>> {
        let (target, ftp) = (&self.target, &mut self.ftp);
        let what = format!("get {path}");
        within(target, &what, async {
            let mut data =
                ftp.retr_as_stream(path.as_str()).await.map_err(|e| ftp_error(target, &what, e))?;
            let mut bytes = Vec::new();
            (&mut data)
                .take(max_bytes.saturating_add(1))
                .read_to_end(&mut bytes)
                .await
                .map_err(|e| Error::io(format!("{target:?}: {what}"), e))?;
            super::check_size(target, &what, &bytes, max_bytes)?;
            data.finish().await.map_err(|e| ftp_error(target, &what, e))?;
            Ok(bytes)
        })
        .await
    }

    /// The names in a folder.
    pub(super) async fn list(&mut self, folder: &VPath) -> Result<Vec<String>> {
        let (target, ftp) = (&self.target, &mut self.ftp);
        let what = format!("list {folder}");
        let lines = within(target, &what, async {
            ftp.nlst(Some(folder.as_str())).await.map_err(|e| ftp_error(target, &what, e))
        })
        .await?;
        // Some servers answer NLST with whole addresses.
        Ok(lines.iter().filter_map(|l| l.rsplit('/').next()).map(str::to_owned).collect())
    }

    /// QUIT.
    pub(super) async fn close(mut self) {
        if let Err(error) = self.ftp.quit().await {
            tracing::debug!("{:?}: QUIT: {error}", self.target);
        }
    }
}

async fn implicit(
    target: &Target,
    connector: Connector,
) -> Result<ImplAsyncFtpStream<HeardStream>> {
    ImplAsyncFtpStream::connect_secure_implicit(
        (target.host.as_str(), target.port),
        connector,
        &target.host,
    )
    .await
    .map_err(|e| ftp_error(target, "connect", e))
}

/// One configuration for control and data, so that data connections resume the control session.
fn tls_connector(target: &Target) -> Result<TlsConnector> {
    let provider = CryptoProvider::get_default()
        .map_or_else(|| Arc::new(rustls::crypto::aws_lc_rs::default_provider()), Arc::clone);
    let pins = target.pins.iter().map(|pin| plain_hex(pin)).collect();
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|e| Error::caused(Kind::Internal, format!("TLS: {e}"), e))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(PinnedCertificate { pins, provider }))
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// `AB:CD…` and `abcd…` are the same fingerprint.
fn plain_hex(fingerprint: &str) -> String {
    fingerprint.chars().filter(char::is_ascii_hexdigit).collect::<String>().to_ascii_lowercase()
}

/// Accepts a server only by the SHA-256 of its certificate; the key behind it must still sign the handshake.
#[derive(Debug)]
struct PinnedCertificate {
    pins: Vec<String>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for PinnedCertificate {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        let shown: String =
            Sha256::digest(end_entity.as_ref()).iter().map(|b| format!("{b:02x}")).collect();
        if self.pins.contains(&shown) {
            return Ok(ServerCertVerified::assertion());
        }
        Err(rustls::Error::General(format!(
            "the server shows another certificate (SHA-256 {shown}) than the pinned one"
        )))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn ftp_error(target: &Target, what: &str, error: FtpError) -> Error {
    let (kind, words) = match &error {
        FtpError::UnexpectedResponse(response) => {
            let kind = match response.status {
                Status::NotLoggedIn | Status::BadFilename => Kind::Denied,
                Status::FileUnavailable => Kind::NotFound,
                _ => Kind::Internal,
            };
            (kind, reply_text(response))
        }
        FtpError::SecureError(words) => (Kind::Denied, words.clone()),
        other => (Kind::Internal, other.to_string()),
    };
    Error::caused(kind, format!("{target:?}: {what}: {words}"), error)
}

fn reply_text(response: &Response) -> String {
    String::from_utf8_lossy(&response.body).trim().to_owned()
}

/// What the server last said on the control connection; suppaftp checks a 226 but does not hand out its text.
#[derive(Debug, Clone, Default)]
struct Heard(Arc<Mutex<Vec<u8>>>);

impl Heard {
    fn note(&self, bytes: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(bytes);
        let surplus = kept.len().saturating_sub(MAX_REPLY_BYTES);
        kept.drain(..surplus);
    }

    fn last_line(&self) -> String {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&kept);
        text.trim_end().rsplit('\n').next().unwrap_or_default().trim().to_owned()
    }
}

/// Makes the TLS streams; the first one is the control connection.
struct Connector {
    tls: TlsConnector,
    heard: Heard,
    control_made: AtomicBool,
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector")
    }
}

#[async_trait::async_trait]
impl AsyncTlsConnector for Connector {
    type Stream = HeardStream;

    async fn connect(&self, domain: &str, stream: TcpStream) -> FtpResult<HeardStream> {
        stream.set_nodelay(true).map_err(FtpError::ConnectionError)?;
        let name = ServerName::try_from(domain.to_owned())
            .map_err(|e| FtpError::SecureError(e.to_string()))?;
        let tls = self
            .tls
            .connect(name, stream)
            .await
            .map_err(|e| FtpError::SecureError(e.to_string()))?;
        let is_control = !self.control_made.swap(true, Ordering::Relaxed);
        Ok(HeardStream { tls, heard: is_control.then(|| self.heard.clone()) })
    }
}

/// A TLS stream that notes what it reads if it is the control connection.
#[derive(Debug)]
struct HeardStream {
    tls: TlsStream<TcpStream>,
    heard: Option<Heard>,
}

impl AsyncRead for HeardStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.tls).poll_read(cx, buf);
        if let (Some(heard), Some(new)) = (&self.heard, buf.filled().get(before..)) {
            heard.note(new);
        }
        polled
    }
}

impl AsyncWrite for HeardStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.tls).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.tls).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.tls).poll_shutdown(cx)
    }
}

impl TokioTlsStream for HeardStream {
    type InnerStream = TlsStream<TcpStream>;

    fn tcp_stream(self) -> FtpResult<TcpStream> {
        Ok(self.tls.into_inner().0)
    }

    fn get_ref(&self) -> &TcpStream {
        self.tls.get_ref().0
    }

    fn mut_ref(&mut self) -> &mut TlsStream<TcpStream> {
        &mut self.tls
    }
}
