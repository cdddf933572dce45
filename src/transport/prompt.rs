//! A TCP stream that acknowledges at once what was read.
//!
//! Programs that leave Nagle's algorithm on hold back the end of what they say until the piece before is
//! acknowledged. With delayed acknowledgements paramiko would upload 4 MB/s, and each file of Python's ftplib
//! would take 40 ms longer: its TLS close_notify is such an end.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// The stream.
#[derive(Debug)]
pub(super) struct Prompt {
    tcp: TcpStream,
    /// Whether something was read that may wait to be acknowledged.
    unacknowledged: bool,
}

impl Prompt {
    pub(super) fn new(tcp: TcpStream) -> Self {
        Self { tcp, unacknowledged: false }
    }

    pub(super) fn tcp(&self) -> &TcpStream {
        &self.tcp
    }

    #[cfg(target_os = "linux")]
    fn acknowledge(&self) {
        // A socket that is gone shows at its next read.
        drop(self.tcp.set_quickack(true));
    }

    #[cfg(not(target_os = "linux"))]
    fn acknowledge(&self) {}
}

impl AsFd for Prompt {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.tcp.as_fd()
    }
}

impl AsyncRead for Prompt {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.tcp).poll_read(cx, buf);
        if read.is_ready() {
            self.unacknowledged = true;
        } else if std::mem::take(&mut self.unacknowledged) {
            self.acknowledge();
        }
        read
    }
}

impl AsyncWrite for Prompt {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}
