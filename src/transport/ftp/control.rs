//! The control connection: lines in, replies out, in clear before AUTH and in TLS after it.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustls::ServerConfig;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::reply::Reply;

/// How long a client may leave a reply unread before it counts as gone.
const REPLY_TIMEOUT: Duration = Duration::from_secs(30);
const READ_BYTES: usize = 4096;

/// One line from the client, or why there is none.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// The line without its end and without Telnet signals.
    Text(Vec<u8>),
    /// Longer than `limits.control_line_bytes`.
    TooLong,
    /// The client is gone.
    Gone,
}

enum Wire {
    Clear(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    /// A handshake failed: nothing more can be said.
    Dead,
}

/// The control connection. Reading is cancel-safe: a line half read stays in here.
pub(super) struct Control {
    wire: Wire,
    received: Vec<u8>,
    max_line_bytes: usize,
}

impl Control {
    pub(super) fn new(tcp: TcpStream, max_line_bytes: usize) -> Self {
        Self { wire: Wire::Clear(tcp), received: Vec::new(), max_line_bytes }
    }

    pub(super) fn is_secure(&self) -> bool {
        matches!(self.wire, Wire::Tls(_))
    }

    /// Whether bytes wait that came after the last line. After AUTH they were sent in clear, by whomever.
    pub(super) fn has_more(&self) -> bool {
        !self.received.is_empty()
    }

    /// Starts TLS, as the server.
    ///
    /// # Errors
    /// The handshake failed or took too long; nothing more can be sent.
    pub(super) async fn secure(
        &mut self,
        config: Arc<ServerConfig>,
        limit: Duration,
    ) -> io::Result<()> {
        let Wire::Clear(tcp) = std::mem::replace(&mut self.wire, Wire::Dead) else {
            return Err(io::Error::other("TLS is already on"));
        };
        let stream = timeout(limit, TlsAcceptor::from(config).accept(tcp)).await??;
        self.wire = Wire::Tls(Box::new(stream));
        Ok(())
    }

    /// The next line. Cancel-safe.
    pub(super) async fn line(&mut self) -> Line {
        loop {
            if let Some(end) = memchr::memchr(b'\n', &self.received) {
                let line: Vec<u8> = self.received.drain(..=end).collect();
                if line.len() > self.max_line_bytes.saturating_add(2) {
                    return Line::TooLong;
                }
                return Line::Text(plain(&line));
            }
            if self.received.len() > self.max_line_bytes {
                return Line::TooLong;
            }
            if !matches!(self.read_more().await, Ok(1..)) {
                return Line::Gone;
            }
        }
    }

    async fn read_more(&mut self) -> io::Result<usize> {
        let mut chunk = [0_u8; READ_BYTES];
        let got = match &mut self.wire {
            Wire::Clear(tcp) => tcp.read(&mut chunk).await?,
            Wire::Tls(tls) => tls.read(&mut chunk).await?,
            Wire::Dead => 0,
        };
        self.received.extend_from_slice(chunk.get(..got).unwrap_or_default());
        Ok(got)
    }

    /// TLS version and cipher suite; `None` in clear.
    pub(super) fn cipher(&self) -> Option<String> {
        let Wire::Tls(tls) = &self.wire else { return None };
        let tls = tls.get_ref().1;
        let (version, suite) = (tls.protocol_version()?, tls.negotiated_cipher_suite()?);
        Some(format!("{version:?} {:?}", suite.suite()))
    }

    /// The certificate that the client showed, in DER; that it holds the key was proved in the handshake.
    pub(super) fn client_certificate(&self) -> Option<Vec<u8>> {
        let Wire::Tls(tls) = &self.wire else { return None };
        tls.get_ref().1.peer_certificates()?.first().map(|certificate| certificate.to_vec())
    }

    /// A second view of the connection, for whoever must know whether it still stands.
    ///
    /// # Errors
    /// The connection is gone, or no more descriptors can be had.
    pub(super) fn pulse(&self) -> io::Result<Pulse> {
        let socket = match &self.wire {
            Wire::Clear(tcp) => tcp.as_fd(),
            Wire::Tls(tls) => tls.get_ref().0.as_fd(),
            Wire::Dead => return Err(io::ErrorKind::NotConnected.into()),
        };
        Ok(Pulse(socket.try_clone_to_owned()?))
    }

    /// Sends a reply.
    ///
    /// # Errors
    /// The client is gone or does not read.
    pub(super) async fn send(&mut self, reply: &Reply) -> io::Result<()> {
        let bytes = reply.to_bytes();
        timeout(REPLY_TIMEOUT, async {
            match &mut self.wire {
                Wire::Clear(tcp) => tcp.write_all(&bytes).await,
                Wire::Tls(tls) => {
                    tls.write_all(&bytes).await?;
                    tls.flush().await
                }
                Wire::Dead => Err(io::ErrorKind::NotConnected.into()),
            }
        })
        .await?
    }

    /// Says goodbye in good order (close_notify, FIN), then takes what the client still sends, so that no reset
    /// overtakes the last reply.
    pub(super) async fn close(mut self) {
        let linger = async {
            let said = match &mut self.wire {
                Wire::Clear(tcp) => tcp.shutdown().await,
                Wire::Tls(tls) => tls.shutdown().await,
                Wire::Dead => return,
            };
            if said.is_err() {
                return;
            }
            let mut left = LINGER_BYTES;
            while let Ok(got @ 1..) = self.read_more().await {
                self.received.clear();
                left = left.saturating_sub(got);
                if left == 0 {
                    return;
                }
            }
        };
        // A client that does not close its side is cut off: the connection has nothing more to say.
        drop(timeout(LINGER, linger).await);
    }
}

/// Tells whether a control connection still stands, from another task and without reading from it.
#[derive(Debug)]
pub(super) struct Pulse(OwnedFd);

impl Pulse {
    /// Whether the client has closed or reset the connection, as the system knows it at this moment: the reading
    /// task may not have been told yet, and an upload must not be committed in between.
    pub(super) fn is_gone(&self) -> bool {
        let gone = PollFlags::RDHUP | PollFlags::HUP | PollFlags::ERR;
        let mut sockets = [PollFd::new(&self.0, gone)];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        match poll(&mut sockets, Some(&now)) {
            Ok(0) => false,
            Ok(_) => sockets.iter().any(|socket| socket.revents().intersects(gone)),
            Err(_) => true,
        }
    }
}

const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 64 * 1024;

/// The line without CR LF (some programs send CR CR LF), and without the Telnet signals that clients send before
/// ABOR (IAC IP, IAC DM).
///
/// Source: RFC 959, 4.1.3 (ABOR) and RFC 854.
pub(super) fn plain(line: &[u8]) -> Vec<u8> {
    const IAC: u8 = 0xFF;
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let stray = line.iter().rev().take_while(|byte| **byte == b'\r').count();
    let line = line.get(..line.len().saturating_sub(stray)).unwrap_or_default();
    let mut out = Vec::with_capacity(line.len());
    let mut bytes = line.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            // IAC IAC is the byte itself; IAC and a command is a signal.
            IAC if bytes.next_if_eq(&IAC).is_some() => out.push(IAC),
            IAC => {
                // 240..=254 are Telnet commands; anything else is no signal, and the byte stays to be refused.
                if bytes.next_if(|b| (240..=254).contains(b)).is_none() {
                    out.push(IAC);
                }
            }
            // The data mark may arrive alone when its IAC went out of band.
            242 if out.is_empty() => {}
            _ => out.push(byte),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn telnet_signals_before_abor_are_no_part_of_the_line() {
        assert_eq!(plain(b"\xFF\xF4\xFF\xF2ABOR\r\n"), b"ABOR");
        assert_eq!(plain(b"\xF2ABOR\r\n"), b"ABOR");
        assert_eq!(plain(b"STOR a\xFF\xFFb\r\n"), b"STOR a\xFFb");
        assert_eq!(plain(b"NOOP\n"), b"NOOP");
        assert_eq!(plain(b"NOOP\r\r\n"), b"NOOP");
        assert_eq!(plain(b"\r\n"), b"");
        assert_eq!(plain("STOR caf\u{e9}\r\n".as_bytes()), "STOR caf\u{e9}".as_bytes());
    }

    async fn pair(max: usize) -> (Control, TcpStream) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (server, _) = listener.accept().await.unwrap();
        (Control::new(server, max), client)
    }

    #[tokio::test]
    async fn lines_are_cut_at_their_ends_and_limited() {
        let (mut control, mut client) = pair(20).await;
        client.write_all(b"NOOP\r\nPWD\n").await.unwrap();
        assert_eq!(control.line().await, Line::Text(b"NOOP".to_vec()));
        assert!(control.has_more());
        assert_eq!(control.line().await, Line::Text(b"PWD".to_vec()));
        assert!(!control.has_more());
        client.write_all(&[b'x'; 21]).await.unwrap();
        assert_eq!(control.line().await, Line::TooLong);
    }

    #[tokio::test]
    async fn a_pulse_tells_the_end_without_reading() {
        let (control, mut client) = pair(20).await;
        let pulse = control.pulse().unwrap();
        client.write_all(b"ABOR\r\n").await.unwrap();
        assert!(!pulse.is_gone());
        drop(client);
        let told = async {
            while !pulse.is_gone() {
                tokio::task::yield_now().await;
            }
        };
        timeout(Duration::from_secs(60), told).await.unwrap();
    }

    #[tokio::test]
    async fn a_closed_connection_is_gone_even_in_the_middle_of_a_line() {
        let (mut control, mut client) = pair(20).await;
        client.write_all(b"STOR half").await.unwrap();
        drop(client);
        assert_eq!(control.line().await, Line::Gone);
    }
}
