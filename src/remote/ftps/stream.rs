//! The TLS streams of an FTPS session: they keep the server's last words and how a data connection ended.

use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use rustls::pki_types::ServerName;
use suppaftp::tokio::{AsyncTlsConnector, TokioTlsStream};
use suppaftp::{FtpError, FtpResult};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// The longest reply that is kept for showing.
const MAX_REPLY_BYTES: usize = 8192;

/// What the server last said on the control connection; suppaftp checks a 226 but does not hand out its text.
#[derive(Debug, Clone, Default)]
pub(super) struct Heard(Arc<Mutex<Vec<u8>>>);

impl Heard {
    fn note(&self, bytes: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(bytes);
        let surplus = kept.len().saturating_sub(MAX_REPLY_BYTES);
        kept.drain(..surplus);
    }

    /// Forgets what was said before a command.
    pub(super) fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The last line, which is the verdict of a reply.
    pub(super) fn last_line(&self) -> String {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&kept);
        text.trim_end().rsplit('\n').next().unwrap_or_default().trim().to_owned()
    }
}

/// Makes the TLS streams, all from one configuration, so that data connections resume the control session; the first one
/// is the control connection.
#[derive(Clone)]
pub(super) struct Connector {
    tls: TlsConnector,
    heard: Heard,
    control_made: Arc<AtomicBool>,
    torn: Torn,
}

/// Whether the last data connection ended without TLS close_notify: perhaps somebody cut it.
#[derive(Debug, Clone, Default)]
pub(super) struct Torn(Arc<AtomicBool>);

impl Torn {
    /// Whether it did, since this was asked last.
    pub(super) fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}

impl Connector {
    pub(super) fn new(tls: TlsConnector, heard: Heard, torn: Torn) -> Self {
        Self { tls, heard, control_made: Arc::default(), torn }
    }
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
        let role = if is_control {
            Role::Control(self.heard.clone())
        } else {
            Role::Data(self.torn.clone())
        };
        Ok(HeardStream { tls, role })
    }
}

#[derive(Debug)]
enum Role {
    Control(Heard),
    Data(Torn),
}

/// A TLS stream that notes what the control connection says and how a data connection ends.
#[derive(Debug)]
pub(super) struct HeardStream {
    tls: TlsStream<TcpStream>,
    role: Role,
}

impl AsyncRead for HeardStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buf.filled().len();
        let read = ready!(Pin::new(&mut self.tls).poll_read(cx, buf));
        match (&self.role, read) {
            (Role::Control(heard), read) => {
                if let Some(new) = buf.filled().get(before..) {
                    heard.note(new);
                }
                Poll::Ready(read)
            }
            // Many servers close without a word; whether the data is whole then is judged by its length.
            (Role::Data(torn), Err(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                torn.0.store(true, Ordering::Relaxed);
                Poll::Ready(Ok(()))
            }
            (Role::Data(_), read) => Poll::Ready(read),
        }
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
