//! A client's socket with a kill switch, for a peer or a session that no longer listens.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_util::sync::WaitForCancellationFutureOwned;

use super::agreed::{Eavesdropper, Heard};
use super::connection::Connection;
use crate::transport::prompt::Prompt;

/// The socket; once the switch is thrown, every read and write fails at once.
pub(super) struct Wire {
    tcp: Prompt,
    killed: Pin<Box<WaitForCancellationFutureOwned>>,
    /// Until the client has said which algorithms it wants.
    ear: Option<Ear>,
}

struct Ear {
    listener: Eavesdropper,
    offered: Arc<russh::server::Config>,
    connection: Arc<Connection>,
}

impl Wire {
    pub(super) fn new(
        tcp: TcpStream,
        connection: &Arc<Connection>,
        offered: &Arc<russh::server::Config>,
    ) -> Self {
        let killed = Box::pin(connection.kill.clone().cancelled_owned());
        let (listener, offered) = (Eavesdropper::default(), Arc::clone(offered));
        let ear = Some(Ear { listener, offered, connection: Arc::clone(connection) });
        Self { tcp: Prompt::new(tcp), killed, ear }
    }

    fn check(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        match self.killed.as_mut().poll(cx) {
            Poll::Ready(()) => Err(io::ErrorKind::ConnectionAborted.into()),
            Poll::Pending => Ok(()),
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check(cx)?;
        let before = buf.filled().len();
        let read = Pin::new(&mut self.tcp).poll_read(cx, buf);
        if let Some(ear) = &mut self.ear {
            let new = buf.filled().get(before..).unwrap_or_default();
            if let Heard::All(agreed) = ear.listener.hear(new, &ear.offered.preferred) {
                agreed.into_iter().for_each(|agreed| ear.connection.agree(agreed));
                self.ear = None;
            }
        }
        read
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        Pin::new(&mut self.tcp).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}
