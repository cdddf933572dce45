//! A data connection in TLS: it belongs to its session, and its end is proved or it is no end.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls::{HandshakeKind, ServerConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use super::passive::{Share, accept_from};
use super::records::Records;
use super::reply::Reply;
use crate::config::{Config, Resumption};
use crate::model::Network;
use crate::transport::prompt::Prompt;

/// rustls reads 4 KiB at a time; a buffer below it saves most of the system calls.
const SOCKET_BUFFER_BYTES: usize = 128 * 1024;
/// How long the other side may take to read our last bytes after a finished download.
const LINGER: Duration = Duration::from_secs(10);
const DISCARD_STEP_BYTES: usize = 16 * 1024;
const DISCARD_STEPS: usize = 256;
const GOODBYE: Duration = Duration::from_secs(5);

/// What a data connection needs from its session.
#[derive(Clone)]
pub(super) struct Terms {
    pub(super) peer: IpAddr,
    /// Balancers that say for whom a data connection is.
    pub(super) trusted: Arc<[Network]>,
    pub(super) tls: Arc<ServerConfig>,
    pub(super) resumption: Resumption,
    pub(super) accept: Duration,
    pub(super) handshake: Duration,
    pub(super) idle: Duration,
    pub(super) lenient_end: bool,
}

impl Terms {
    pub(super) fn new(config: &Config, peer: IpAddr, tls: Arc<ServerConfig>) -> Self {
        let limits = &config.limits;
        Self {
            peer,
            trusted: config.proxy.trusted.as_slice().into(),
            tls,
            resumption: config.ftps.resumption,
            accept: Duration::from_secs(limits.data_accept_timeout_s),
            handshake: Duration::from_secs(limits.tls_handshake_timeout_s),
            idle: Duration::from_secs(limits.data_idle_timeout_s),
            lenient_end: config.ftps.lenient_data_end,
        }
    }
}

/// Where the next data connection comes from.
pub(super) enum Source {
    /// The client connects to a port of ours.
    Passive(Awaited),
    /// We connect to the client (PORT, EPRT).
    Active(SocketAddr),
}

/// A passive port, and who has come to it. The connection is accepted and secured while the command is still on its way: most
/// programs send the command first, some (aioftp) only after the TLS handshake. Dropping it closes the port.
pub(super) struct Awaited {
    came: oneshot::Receiver<()>,
    secured: AbortOnDropHandle<io::Result<Secured>>,
}

type Secured = TlsStream<BufReader<Records<Prompt>>>;

impl Awaited {
    /// Starts to wait at `listener`.
    pub(super) fn at(
        (listener, share): (TcpListener, Share),
        terms: &Terms,
        tasks: &TaskTracker,
    ) -> Self {
        let (tell, came) = oneshot::channel();
        let terms = terms.clone();
        let secured = tasks.spawn(async move {
            let tcp = accept_from(&listener, terms.peer, &terms.trusted).await?;
            drop((listener, share));
            if tell.send(()).is_err() {
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
            secure(tcp, &terms).await
        });
        Self { came, secured: AbortOnDropHandle::new(secured) }
    }

    /// The limits count from here: what came before the command waited for it.
    async fn stream(self, terms: &Terms) -> Result<Secured, Reply> {
        // An error of the listener shows in the task's own outcome.
        if let Err(late) = timeout(terms.accept, self.came).await {
            return Err(none_came(&late.into()));
        }
        match timeout(terms.handshake, self.secured).await {
            Ok(Ok(secured)) => secured.map_err(|e| unsecured(&e)),
            Ok(Err(error)) => Err(none_came(&error.into())),
            Err(_) => Err(slow_handshake()),
        }
    }
}

async fn secure(tcp: TcpStream, terms: &Terms) -> io::Result<Secured> {
    let buffered = BufReader::with_capacity(SOCKET_BUFFER_BYTES, Records::new(Prompt::new(tcp)));
    TlsAcceptor::from(Arc::clone(&terms.tls)).accept(buffered).await
}

async fn reach(address: SocketAddr, terms: &Terms) -> Result<Secured, Reply> {
    let connected = async {
        let tcp = timeout(terms.accept, TcpStream::connect(address)).await??;
        tcp.set_nodelay(true)?;
        Ok::<_, io::Error>(tcp)
    };
    let tcp = connected.await.map_err(|e| none_came(&e))?;
    match timeout(terms.handshake, secure(tcp, terms)).await {
        Ok(secured) => secured.map_err(|e| unsecured(&e)),
        Err(_) => Err(slow_handshake()),
    }
}

fn none_came(error: &io::Error) -> Reply {
    let text = format!("No data connection came ({error}); is the port open in the firewall?");
    Reply::new(425, text)
}

fn unsecured(error: &io::Error) -> Reply {
    Reply::new(425, format!("The TLS handshake of the data connection failed: {error}"))
}

fn slow_handshake() -> Reply {
    Reply::new(425, "The TLS handshake of the data connection took too long.")
}

/// A data connection after its TLS handshake.
pub(super) struct Data {
    stream: Secured,
    idle: Duration,
    lenient_end: bool,
}

impl Data {
    /// Waits for the connection and its handshake.
    ///
    /// # Errors
    /// The 425 or 522 reply that says what was missing.
    pub(super) async fn open(source: Source, terms: &Terms) -> Result<Self, Reply> {
        let stream = match source {
            Source::Passive(awaited) => awaited.stream(terms).await?,
            Source::Active(address) => reach(address, terms).await?,
        };
        let resumed = stream.get_ref().1.handshake_kind() == Some(HandshakeKind::Resumed);
        if terms.resumption == Resumption::Require && !resumed {
            let text = "The data connection must resume the TLS session of the control connection; set your program to do so.";
            return Err(Reply::new(522, text));
        }
        Ok(Self { stream, idle: terms.idle, lenient_end: terms.lenient_end })
    }

    /// Reads some bytes; 0 is the proved end (close_notify, or FIN when leniency is set).
    ///
    /// # Errors
    /// A reset, an end without close_notify, or no byte within the idle limit.
    pub(super) async fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match timeout(self.idle, self.stream.read(into)).await? {
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof && self.is_lenient_end() => Ok(0),
            read => read,
        }
    }

    /// FIN between two records may be an end (old .NET programs send no more); inside a record it never is.
    fn is_lenient_end(&self) -> bool {
        self.lenient_end && self.stream.get_ref().0.get_ref().is_between()
    }

    /// Answers close_notify with ours at once: Python's ftplib waits for it and raises without it.
    pub(super) async fn answer_end(mut self) {
        // A client that has closed already needs no answer.
        drop(timeout(GOODBYE, self.stream.shutdown()).await);
    }

    /// Takes the rest of a refused upload if it is short: most clients read the refusal only after they have sent all.
    pub(super) async fn discard(mut self) {
        let mut scrap = vec![0_u8; DISCARD_STEP_BYTES];
        let draining = async {
            for _ in 0..DISCARD_STEPS {
                if !matches!(self.stream.read(&mut scrap).await, Ok(1..)) {
                    return;
                }
            }
        };
        drop(timeout(GOODBYE, draining).await);
    }

    /// Writes all of `bytes`; some of them must move within the idle limit each time.
    ///
    /// # Errors
    /// The client closed the connection or does not read.
    pub(super) async fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let moved = timeout(self.idle, self.stream.write(bytes)).await??;
            if moved == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            bytes = bytes.get(moved..).unwrap_or_default();
        }
        Ok(())
    }

    /// Ends a download in good order: everything out, close_notify, FIN. What the client still sends is taken in
    /// the background, so that no reset overtakes the last bytes.
    ///
    /// # Errors
    /// The client closed the connection or does not read.
    pub(super) async fn finish(mut self) -> io::Result<()> {
        timeout(self.idle, self.stream.flush()).await??;
        timeout(self.idle, self.stream.shutdown()).await??;
        drop(tokio::spawn(async move {
            let mut scrap = [0_u8; 1024];
            let drain = async { while matches!(self.stream.read(&mut scrap).await, Ok(1..)) {} };
            drop(timeout(LINGER, drain).await);
        }));
        Ok(())
    }

    /// Ends a download that is not whole: a reset, which no client can take for an end.
    pub(super) fn cut(self) {
        let tcp = self.stream.get_ref().0.get_ref().get_ref().tcp();
        if let Err(error) = tcp.set_zero_linger() {
            tracing::debug!(%error, "a data connection could not be reset; it is closed without close_notify");
        }
    }
}

/// An error of a data connection in words for the client.
pub(super) fn in_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => {
            "The data connection ended without TLS close_notify, so the file may be cut off."
                .to_owned()
        }
        io::ErrorKind::TimedOut => "Nothing moved on the data connection for too long.".to_owned(),
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::ConnectionAborted => "The data connection was cut.".to_owned(),
        _ => format!("The data connection failed: {error}."),
    }
}
