//! libunftp behind the edge: one for each logged-in connection, spoken to over a private loopback pair.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use libunftp::ServerBuilder;
use libunftp::options::Binder;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::backend::{Backend, Exchange, Vouched};

/// libunftp answers at once; what takes longer is a fault.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);
/// The edge decides about idle sessions; libunftp must not.
const NEVER_IDLE_S: u64 = 365 * 24 * 3600;
const MAX_ANSWER_BYTES: u64 = 64 * 1024;

/// What libunftp answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) code: u16,
    pub(super) text: String,
}

/// A running libunftp. Dropping it ends it.
pub(super) struct Interpreter {
    stream: BufReader<TcpStream>,
    task: JoinHandle<()>,
    pub(super) exchange: Arc<Exchange>,
}

impl Drop for Interpreter {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Interpreter {
    /// Starts libunftp for a session and logs in to it.
    ///
    /// # Errors
    /// No loopback connection could be made, or libunftp did not answer as it should.
    pub(super) async fn start(exchange: Arc<Exchange>) -> io::Result<Self> {
        let (ours, theirs) = loopback_pair().await?;
        let backend = Backend(Arc::clone(&exchange));
        let generator = Box::new(move || backend.clone());
        let server = ServerBuilder::with_user_detail_provider(generator, Arc::new(Vouched))
            .authenticator(Arc::new(Vouched))
            .binder(AnyLoopbackPort)
            .idle_session_timeout(NEVER_IDLE_S)
            .logger(slog::Logger::root(slog::Discard, slog::o!()))
            .build()
            .map_err(io::Error::other)?;
        let task = tokio::spawn(async move {
            if let Err(error) = server.service(theirs).await {
                tracing::error!(%error, "libunftp ended with an error");
            }
        });
        let mut interpreter = Self { stream: BufReader::new(ours), task, exchange };
        interpreter.expect(220).await?;
        interpreter.write("USER account").await?;
        interpreter.expect(331).await?;
        interpreter.write("PASS vouched").await?;
        interpreter.expect(230).await?;
        Ok(interpreter)
    }

    /// One command and its answer.
    ///
    /// # Errors
    /// The loopback connection broke or libunftp did not answer; start another one.
    pub(super) async fn ask(&mut self, command: &str) -> io::Result<Answer> {
        self.write(command).await?;
        self.answer().await
    }

    /// Sets off a transfer command; the final answer is still to come. The returned connection is libunftp's data
    /// connection: nothing goes over it, it must only live until then.
    ///
    /// # Errors
    /// As [`Interpreter::ask`].
    pub(super) async fn set_off(&mut self, command: &str) -> io::Result<TcpStream> {
        self.write("EPSV").await?;
        let port = self.expect(229).await?;
        let port = port.split('|').nth(3).and_then(|p| p.parse::<u16>().ok());
        let port = port.ok_or_else(|| io::Error::other("libunftp named no port"))?;
        let trigger = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        self.write(command).await?;
        self.expect(150).await?;
        Ok(trigger)
    }

    /// The next answer.
    ///
    /// # Errors
    /// As [`Interpreter::ask`].
    pub(super) async fn answer(&mut self) -> io::Result<Answer> {
        loop {
            let line = timeout(ANSWER_WITHIN, self.line()).await??;
            // Lines of a multi-line answer have a hyphen or a blank where the last one has its blank.
            let (code, text) = line.split_at_checked(3).unwrap_or_default();
            if let (Ok(code), Some(text)) = (code.parse(), text.strip_prefix(' ')) {
                return Ok(Answer { code, text: text.to_owned() });
            }
        }
    }

    async fn expect(&mut self, code: u16) -> io::Result<String> {
        let answer = self.answer().await?;
        if answer.code == code {
            return Ok(answer.text);
        }
        let said = format!("libunftp answered {} {} instead of {code}", answer.code, answer.text);
        Err(io::Error::other(said))
    }

    async fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        let got = (&mut self.stream).take(MAX_ANSWER_BYTES).read_line(&mut line).await?;
        if got == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end_matches(['\r', '\n']).to_owned())
    }

    async fn write(&mut self, command: &str) -> io::Result<()> {
        self.stream.write_all(format!("{command}\r\n").as_bytes()).await
    }
}

/// Two ends of one connection over loopback. Whoever else connects in between is turned away.
async fn loopback_pair() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let (ours, theirs) = tokio::try_join!(TcpStream::connect(listener.local_addr()?), async {
        listener.accept().await.map(|(tcp, _)| tcp)
    })?;
    if theirs.peer_addr()? != ours.local_addr()? {
        return Err(io::Error::other("a stranger on this machine connected to a private port"));
    }
    ours.set_nodelay(true)?;
    theirs.set_nodelay(true)?;
    Ok((ours, theirs))
}

/// libunftp's own data port: any, on loopback only.
#[derive(Debug)]
struct AnyLoopbackPort;

#[async_trait]
impl Binder for AnyLoopbackPort {
    async fn bind(
        &mut self,
        _local: std::net::IpAddr,
        _ports: RangeInclusive<u16>,
    ) -> io::Result<TcpSocket> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        Ok(socket)
    }
}
