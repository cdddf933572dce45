//! One message to an SMTP server, command by command: what is refused says whose fault it is, and nothing that came in
//! plain text counts once TLS has begun.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use lettre::Address;
use lettre::message::Message;
use lettre::transport::smtp;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, AsyncTokioStream, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// How long the answer to QUIT is waited for.
const QUIT_WAIT: Duration = Duration::from_secs(2);

/// Where messages go, and how.
pub struct Smtp {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) hello: ClientId,
    pub(super) security: Security,
    pub(super) login: Option<Credentials>,
}

/// When TLS begins.
pub(super) enum Security {
    /// Never.
    Off,
    /// With the first byte.
    Wrapped(TlsParameters),
    /// With STARTTLS, before anything is said.
    Starttls(TlsParameters),
}

/// Why a message was not taken.
pub(super) enum Failure {
    /// No connection.
    Connect(io::Error),
    /// Connection, TLS, login or sender: the same for every message.
    Server(smtp::Error),
    /// The recipient or the message itself.
    Message(smtp::Error),
}

impl Smtp {
    /// `mail.example.com:587`, for messages.
    pub(super) fn place(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// Sends a message over a connection of its own.
    pub(super) async fn send(&self, message: &Message) -> Result<(), Failure> {
        let mut connection = self.connect().await?;
        let sent = hand_over(&mut connection, message).await;
        // The answer to QUIT says nothing about the message.
        let _is_closed = tokio::time::timeout(QUIT_WAIT, connection.abort()).await;
        sent
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Failure> {
        let place = (self.host.as_str(), self.port);
        let mut connection = match &self.security {
            Security::Wrapped(tls) => {
                let tls = Some(tls.clone());
                AsyncSmtpConnection::connect_tokio1(place, None, &self.hello, tls, None)
                    .await
                    .map_err(Failure::Server)?
            }
            Security::Off | Security::Starttls(_) => {
                let stream = TcpStream::connect(place).await.map_err(Failure::Connect)?;
                let stream = Box::new(InTurn::new(stream, matches!(self.security, Security::Off)));
                AsyncSmtpConnection::connect_with_transport(stream, &self.hello)
                    .await
                    .map_err(Failure::Server)?
            }
        };
        if let Security::Starttls(tls) = &self.security {
            connection.starttls(tls.clone(), &self.hello).await.map_err(Failure::Server)?;
        }
        if let Some(login) = &self.login {
            connection.auth(DEFAULT_MECHANISMS, login).await.map_err(Failure::Server)?;
        }
        Ok(connection)
    }
}

/// MAIL, RCPT, DATA and the message. Source: RFC 5321, section 3.3.
async fn hand_over(connection: &mut AsyncSmtpConnection, message: &Message) -> Result<(), Failure> {
    let (envelope, bytes) = (message.envelope(), message.formatted());
    let mut options = Vec::new();
    let server = connection.server_info();
    if !bytes.is_ascii() && server.supports_feature(Extension::EightBitMime) {
        options.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    // Source: RFC 6531, section 3.4.
    let is_ascii = |address: &Address| AsRef::<str>::as_ref(address).is_ascii();
    if !envelope.from().into_iter().chain(envelope.to()).all(is_ascii)
        && server.supports_feature(Extension::SmtpUtfEight)
    {
        options.push(MailParameter::SmtpUtfEight);
    }
    let sender = Mail::new(envelope.from().cloned(), options);
    connection.command(sender).await.map_err(Failure::Server)?;
    for to in envelope.to() {
        let recipient = Rcpt::new(to.clone(), Vec::new());
        connection.command(recipient).await.map_err(Failure::Message)?;
    }
    connection.command(Data).await.map_err(Failure::Message)?;
    connection.message(&bytes).await.map_err(Failure::Message)?;
    Ok(())
}

/// A connection on which client and server take turns: an answer that comes before its question, or behind another answer, was
/// put there by somebody on the way, who wants it to count after STARTTLS (RFC 3207, section 6). Once the answer to STARTTLS
/// has come, everything goes through: TLS sees to itself.
#[derive(Debug)]
struct InTurn {
    stream: TcpStream,
    turn: Turn,
}

/// Where the conversation stands.
#[derive(Debug, Default)]
struct Turn {
    /// The first bytes of the line that is coming.
    line: Vec<u8>,
    /// Whether the last command has its answer.
    is_answered: bool,
    /// Whether STARTTLS was the last command.
    is_last: bool,
    /// Whether it was answered, or will never be said.
    is_over: bool,
}

impl Turn {
    fn say(&mut self, command: &[u8]) {
        self.is_answered = false;
        self.is_last = command.starts_with(b"STARTTLS");
    }

    /// The last line of an answer has no dash behind its code: `250-mail.example.com`, `250 SIZE 1000`.
    fn hear(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.is_over {
            return Ok(());
        }
        for byte in bytes {
            if self.is_answered {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "the server said more than one answer before TLS began; somebody on the way may have put it there",
                ));
            }
            if *byte == b'\n' {
                self.is_answered = self.line.get(3) != Some(&b'-');
                self.line.clear();
            } else if self.line.len() < 4 {
                self.line.push(*byte);
            }
        }
        self.is_over = self.is_answered && self.is_last;
        Ok(())
    }
}

impl InTurn {
    fn new(stream: TcpStream, stays_plain: bool) -> Self {
        Self { stream, turn: Turn { is_over: stays_plain, ..Turn::default() } }
    }
}

impl AsyncRead for InTurn {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let read = buffer.filled().get(before..).unwrap_or_default();
        Poll::Ready(self.turn.hear(read))
    }
}

impl AsyncWrite for InTurn {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(context, bytes))?;
        self.turn.say(bytes);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl AsyncTokioStream for InTurn {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_one_by_one_until_tls() {
        let mut turn = Turn::default();
        turn.hear(b"220-mail\r\n22").unwrap();
        turn.hear(b"0 ready\r\n").unwrap();
        turn.say(b"EHLO me\r\n");
        turn.hear(b"250-mail\r\n250 STARTTLS\r\n").unwrap();
        turn.say(b"STARTTLS\r\n");
        turn.hear(b"220 go\r\n").unwrap();
        // From here on it is TLS.
        turn.say(b"\x16\x03\x01");
        turn.hear(b"\x16\x03\x03 220 x\r\n250 y\r\n250 z\r\n").unwrap();
    }

    #[test]
    fn what_comes_behind_an_answer_in_plain_text_is_refused() {
        for early in ["220 mail\r\n250 STARTTLS\r\n220 go\r\n", "220 mail\r\n2"] {
            assert!(Turn::default().hear(early.as_bytes()).is_err(), "{early}");
        }
        let mut turn = Turn::default();
        turn.hear(b"220 mail\r\n").unwrap();
        turn.say(b"STARTTLS\r\n");
        let injected = turn.hear(b"220 go\r\n250 queued\r\n").unwrap_err();
        assert!(injected.to_string().contains("before TLS"));
    }
}
